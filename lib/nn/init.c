/* init.c: the first values of weights. */
#include "nn.h"

#include <math.h>

static washi_status check(const char *who, washi *w, washi_shape shape, const float *out)
{
    if (!w || !out)
        return washi_fail(NULL, WASHI_MISUSE, "%s: the %s is NULL", who, w ? "result" : "context");
    if (washi_size(shape) >= 0) return WASHI_OK;
    return washi_fail(NULL, WASHI_BAD_SHAPE, "%s: %s is no shape", who, wa_nn_shape(shape).at);
}

static washi_status constant(const char *who, washi *w, washi_shape shape, float *out, float value)
{
    washi_status status = check(who, w, shape, out);
    if (status) return status;
    for (int64_t i = 0, n = washi_size(shape); i < n; i++) out[i] = value;
    return WASHI_OK;
}

washi_status washi_zeros(washi *w, washi_shape shape, uint64_t stream, float *out)
{
    (void)stream;
    return constant("zeros", w, shape, out, 0);
}

washi_status washi_ones(washi *w, washi_shape shape, uint64_t stream, float *out)
{
    (void)stream;
    return constant("ones", w, shape, out, 1);
}

/* fan_in + fan_out. */
static double fans(washi_shape shape)
{
    if (shape.rank == 0) return 2;
    if (shape.rank == 1) return 2 * (double)shape.dim[0];
    double window = 1;
    for (int i = 0; i < shape.rank - 2; i++) window *= (double)shape.dim[i];
    return window * ((double)shape.dim[shape.rank - 2] + (double)shape.dim[shape.rank - 1]);
}

washi_status washi_glorot_uniform(washi *w, washi_shape shape, uint64_t stream, float *out)
{
    washi_status status = check("glorot_uniform", w, shape, out);
    int64_t n = status ? 0 : washi_size(shape);
    if (!status) status = washi_fill_uniform(w, stream, 0, (size_t)n, out);
    if (status || n == 0) return status;
    float limit = (float)sqrt(6 / fans(shape));
    for (int64_t i = 0; i < n; i++) out[i] = (2 * out[i] - 1) * limit;
    return WASHI_OK;
}

washi_status washi_random_normal(washi *w, washi_shape shape, uint64_t stream, float *out)
{
    washi_status status = check("random_normal", w, shape, out);
    int64_t n = status ? 0 : washi_size(shape);
    if (!status) status = washi_fill_normal(w, stream, 0, (size_t)n, out);
    for (int64_t i = 0; !status && i < n; i++) out[i] *= 0.05f;
    return status;
}
