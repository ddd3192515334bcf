/* init.c: the first values of weights, by Keras' definitions. */
#include "nn.h"

#include <math.h>

washi_status wa_nn_check_init(const char *who, washi *w, washi_shape shape, const float *out)
{
    if (!w || !out)
        return washi_fail(NULL, WASHI_MISUSE, "%s: the %s is NULL", who, w ? "result" : "context");
    if (washi_size(shape) >= 0) return WASHI_OK;
    return washi_fail(NULL, WASHI_BAD_SHAPE, "%s: %s is no shape", who, wa_nn_shape(shape).at);
}

/* -- constants ---------------------------------------------------------------------------------- */

static washi_status constant(const char *who, washi *w, washi_shape shape, double value, float *out)
{
    washi_status status = wa_nn_check_init(who, w, shape, out);
    if (status) return status;
    for (int64_t i = 0, n = washi_size(shape); i < n; i++) out[i] = (float)value;
    return WASHI_OK;
}

washi_status washi_init_constant(washi *w, washi_shape shape, double value, float *out)
{
    return constant("init_constant", w, shape, value, out);
}

washi_status washi_zeros(washi *w, washi_shape shape, uint64_t stream, float *out)
{
    (void)stream;
    return constant("zeros", w, shape, 0, out);
}

washi_status washi_ones(washi *w, washi_shape shape, uint64_t stream, float *out)
{
    (void)stream;
    return constant("ones", w, shape, 1, out);
}

/* -- distributions ------------------------------------------------------------------------------ */

/* What an initialiser is called with, and its name. */
struct draw {
    const char *who;
    washi *w;
    washi_shape shape;
    uint64_t stream;
    float *out;
};

/* Uniform in +-limit. */
static washi_status uniform(struct draw d, double limit)
{
    washi_status status = wa_nn_check_init(d.who, d.w, d.shape, d.out);
    int64_t n = status ? 0 : washi_size(d.shape);
    if (!status) status = washi_fill_uniform(d.w, d.stream, 0, (size_t)n, d.out);
    for (int64_t i = 0; !status && i < n; i++) d.out[i] = (2 * d.out[i] - 1) * (float)limit;
    return status;
}

static washi_status normal(struct draw d, double deviation)
{
    washi_status status = wa_nn_check_init(d.who, d.w, d.shape, d.out);
    int64_t n = status ? 0 : washi_size(d.shape);
    if (!status) status = washi_fill_normal(d.w, d.stream, 0, (size_t)n, d.out);
    for (int64_t i = 0; !status && i < n; i++) d.out[i] *= (float)deviation;
    return status;
}

/* The stream's normal numbers one after the other, those beyond two deviations left out: 4.6% of them.
 */
static washi_status truncated(struct draw d, double deviation)
{
    enum { BLOCK = 256 };
    float z[BLOCK];
    washi_status status = wa_nn_check_init(d.who, d.w, d.shape, d.out);
    int64_t n = status ? 0 : washi_size(d.shape), used = 0;
    for (uint64_t first = 0; !status && used < n; first += BLOCK) {
        status = washi_fill_normal(d.w, d.stream, first, BLOCK, z);
        for (int i = 0; !status && i < BLOCK && used < n; i++)
            if (fabsf(z[i]) <= 2) d.out[used++] = z[i] * (float)deviation;
    }
    return status;
}

/* -- the scale of a weight's inputs and outputs --------------------------------------------------- */

struct fans {
    double in, out;
};

static struct fans fans(washi_shape s)
{
    if (s.rank < 1 || washi_size(s) < 0) return (struct fans){1, 1};
    if (s.rank == 1) return (struct fans){(double)s.dim[0], (double)s.dim[0]};
    double window = 1;
    for (int i = 0; i < s.rank - 2; i++) window *= (double)s.dim[i];
    return (struct fans){window * (double)s.dim[s.rank - 2], window * (double)s.dim[s.rank - 1]};
}

static double at_least_1(double fan) { return fan > 1 ? fan : 1; }
static double fan_in(washi_shape s) { return at_least_1(fans(s).in); }
static double fan_average(washi_shape s) { return at_least_1((fans(s).in + fans(s).out) / 2); }

/* A uniform number in +-limit has the variance limit^2 / 3. */
static washi_status uniform_of(struct draw d, double variance)
{
    return uniform(d, sqrt(3 * variance));
}

/* Cut off at 2, a normal number has the standard deviation 0.8796...: dividing by it gives back 1. */
static washi_status truncated_of(struct draw d, double variance)
{
    return truncated(d, sqrt(variance) / 0.87962566103423978);
}

/* -- the initialisers --------------------------------------------------------------------------- */

washi_status washi_random_normal(washi *w, washi_shape shape, uint64_t stream, float *out)
{
    return normal((struct draw){"random_normal", w, shape, stream, out}, 0.05);
}

washi_status washi_random_uniform(washi *w, washi_shape shape, uint64_t stream, float *out)
{
    return uniform((struct draw){"random_uniform", w, shape, stream, out}, 0.05);
}

washi_status washi_truncated_normal(washi *w, washi_shape shape, uint64_t stream, float *out)
{
    return truncated((struct draw){"truncated_normal", w, shape, stream, out}, 0.05);
}

washi_status washi_glorot_uniform(washi *w, washi_shape shape, uint64_t stream, float *out)
{
    return uniform_of((struct draw){"glorot_uniform", w, shape, stream, out}, 1 / fan_average(shape));
}

washi_status washi_glorot_normal(washi *w, washi_shape shape, uint64_t stream, float *out)
{
    return truncated_of((struct draw){"glorot_normal", w, shape, stream, out}, 1 / fan_average(shape));
}

washi_status washi_he_uniform(washi *w, washi_shape shape, uint64_t stream, float *out)
{
    return uniform_of((struct draw){"he_uniform", w, shape, stream, out}, 2 / fan_in(shape));
}

washi_status washi_he_normal(washi *w, washi_shape shape, uint64_t stream, float *out)
{
    return truncated_of((struct draw){"he_normal", w, shape, stream, out}, 2 / fan_in(shape));
}

washi_status washi_lecun_uniform(washi *w, washi_shape shape, uint64_t stream, float *out)
{
    return uniform_of((struct draw){"lecun_uniform", w, shape, stream, out}, 1 / fan_in(shape));
}

washi_status washi_lecun_normal(washi *w, washi_shape shape, uint64_t stream, float *out)
{
    return truncated_of((struct draw){"lecun_normal", w, shape, stream, out}, 1 / fan_in(shape));
}
