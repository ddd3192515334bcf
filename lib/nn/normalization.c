/* normalization.c: layers that give their input mean 0 and variance 1, then a mean and a scale of their
 * own. */
#include "nn.h"

static bool check(const char *who, washi_tensor *x, double epsilon)
{
    washi_tape *t = washi_tape_of(x);
    washi_shape shape = washi_shape_of(x);
    washi_dtype type = washi_dtype_of(x);
    if (shape.rank < 2)
        washi_fail(t, WASHI_BAD_SHAPE, "%s: %s, [samples, ..., features] wanted", who,
                   wa_nn_shape(shape).at);
    else if (type != WASHI_F32 && type != WASHI_F64)
        washi_fail(t, WASHI_BAD_TYPE, "%s: %s of %s, f32 or f64 wanted: rescale or cast it first", who,
                   wa_nn_shape(shape).at, washi_dtype_name(type));
    else if (!(epsilon >= 0))
        washi_fail(t, WASHI_BAD_VALUE, "%s: epsilon %g, at least 0 wanted", who, epsilon);
    else
        return true;
    return false;
}

/* A number for each feature of x. */
static washi_tensor *weight(washi_scope *s, const char *name, washi_tensor *x, washi_init_fn *init,
                            bool frozen)
{
    washi_shape shape = washi_shape_of(x);
    washi_weight_options options = {.shape = {1, {shape.dim[shape.rank - 1]}},
                                    .init = init,
                                    .frozen = frozen,
                                    .type = washi_dtype_of(x)};
    return washi_weight(s, name, options);
}

struct moments {
    washi_tensor *mean, *variance;
};

/* Over an axis, kept where x would not stretch to the mean without it; the variance is the mean square,
 * not the estimate for a larger population. */
static struct moments moments(washi_tensor *x, int axis, bool keep)
{
    washi_tensor *mean = washi_mean(x, axis, keep), *centred = washi_sub(x, mean);
    return (struct moments){mean, washi_mean(washi_mul(centred, centred), axis, keep)};
}

static washi_tensor *normalise(washi_tensor *x, struct moments m, double epsilon, washi_tensor *gamma,
                               washi_tensor *beta)
{
    washi_tensor *scale = washi_div(gamma, washi_sqrt(washi_shift(m.variance, epsilon)));
    return washi_add(washi_mul(washi_sub(x, m.mean), scale), beta);
}

/* -- over the samples --------------------------------------------------------------------------- */

/* average * momentum + now * (1 - momentum), from the next run on. */
static void follow(washi_tensor *average, washi_tensor *now, double momentum)
{
    now = washi_stop_gradient(now);
    washi_assign(average, washi_add(washi_scale(average, momentum), washi_scale(now, 1 - momentum)));
}

static washi_tensor *batch_normalization(washi_scope *s, washi_tensor *x, const void *config)
{
    const double momentum = ((const double *)config)[0], epsilon = ((const double *)config)[1];
    if (!check("batch_normalization", x, epsilon)) return NULL;
    if (!(momentum >= 0 && momentum <= 1)) {
        washi_fail(washi_tape_of(x), WASHI_BAD_VALUE, "batch_normalization: momentum %g, 0 to 1 wanted",
                   momentum);
        return NULL;
    }
    washi_tensor *gamma = weight(s, "gamma", x, washi_ones, false);
    washi_tensor *beta = weight(s, "beta", x, washi_zeros, false);
    struct moments moving = {weight(s, "moving_mean", x, washi_zeros, true),
                             weight(s, "moving_variance", x, washi_ones, true)};
    /* frozen, it is the function it has become */
    if (!washi_training(s) || !washi_trainable(s, "gamma"))
        return normalise(x, moving, epsilon, gamma, beta);
    washi_shape shape = washi_shape_of(x), rows = {2, {-1, shape.dim[shape.rank - 1]}};
    struct moments batch = moments(washi_reshape(x, rows), 0, false);
    follow(moving.mean, batch.mean, momentum);
    follow(moving.variance, batch.variance, momentum);
    return normalise(x, batch, epsilon, gamma, beta);
}

washi_layer washi_layer_batch_normalization_with(double momentum, double epsilon)
{
    return (washi_layer){.call = batch_normalization,
                         .config.pair = {momentum, epsilon},
                         .kind = "BatchNormalization",
                         .by_value = true};
}

washi_layer washi_layer_batch_normalization(void)
{
    return washi_layer_batch_normalization_with(0.99, 1e-3);
}

/* -- over the features -------------------------------------------------------------------------- */

static washi_tensor *layer_normalization(washi_scope *s, washi_tensor *x, const void *config)
{
    const double epsilon = *(const double *)config;
    if (!check("layer_normalization", x, epsilon)) return NULL;
    washi_tensor *gamma = weight(s, "gamma", x, washi_ones, false);
    washi_tensor *beta = weight(s, "beta", x, washi_zeros, false);
    return normalise(x, moments(x, -1, true), epsilon, gamma, beta);
}

washi_layer washi_layer_layer_normalization_with(double epsilon)
{
    return (washi_layer){.call = layer_normalization,
                         .config.number = epsilon,
                         .kind = "LayerNormalization",
                         .by_value = true};
}

washi_layer washi_layer_layer_normalization(void) { return washi_layer_layer_normalization_with(1e-3); }
