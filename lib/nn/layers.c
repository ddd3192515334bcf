/* layers.c: the layers that have no weights. */
#include "nn.h"

/* -- shapes ------------------------------------------------------------------------------------- */

static bool has_samples(const char *who, washi_tensor *x)
{
    if (!x) return false;
    if (washi_shape_of(x).rank > 0) return true;
    washi_fail(washi_tape_of(x), WASHI_BAD_SHAPE, "%s: [] has no axis of samples", who);
    return false;
}

washi_tensor *washi_flatten(washi_tensor *x)
{
    if (!has_samples("flatten", x)) return NULL;
    washi_shape shape = washi_shape_of(x), flat = {2, {shape.dim[0], 1}};
    for (int i = 1; i < shape.rank; i++) flat.dim[1] *= shape.dim[i];
    return washi_reshape(x, flat);
}

static washi_tensor *flatten(washi_scope *s, washi_tensor *x, const void *config)
{
    (void)s;
    (void)config;
    return washi_flatten(x);
}

washi_layer washi_layer_flatten(void) { return (washi_layer){.call = flatten, .kind = "Flatten"}; }

static washi_tensor *reshape(washi_scope *s, washi_tensor *x, const void *config)
{
    (void)s;
    const washi_shape *sample = config;
    if (!has_samples("reshape", x)) return NULL;
    if (sample->rank < 0 || sample->rank >= WASHI_MAX_RANK) {
        washi_fail(washi_tape_of(x), WASHI_BAD_SHAPE, "reshape: samples of %d axes", sample->rank);
        return NULL;
    }
    washi_shape shape = {sample->rank + 1, {washi_shape_of(x).dim[0]}};
    for (int i = 0; i < sample->rank; i++) shape.dim[i + 1] = sample->dim[i];
    return washi_reshape(x, shape);
}

washi_layer washi_layer_reshape(washi_shape sample)
{
    return (washi_layer){.call = reshape, .config.shape = sample, .kind = "Reshape", .by_value = true};
}

/* -- values ------------------------------------------------------------------------------------- */

static washi_tensor *same(washi_scope *s, washi_tensor *x, const void *config)
{
    (void)s;
    (void)config;
    return x;
}

washi_layer washi_layer_activation(washi_unary_fn *activation)
{
    return (washi_layer){.call = same, .activation = activation, .kind = "Activation"};
}

static washi_tensor *rescaling(washi_scope *s, washi_tensor *x, const void *config)
{
    (void)s;
    const double *number = config; /* scale and offset */
    if (washi_dtype_of(x) == WASHI_I32 || washi_dtype_of(x) == WASHI_U8) x = washi_cast(x, WASHI_F32);
    x = washi_scale(x, number[0]);
    return number[1] != 0 ? washi_shift(x, number[1]) : x;
}

washi_layer washi_layer_rescaling_offset(double scale, double offset)
{
    return (washi_layer){
        .call = rescaling, .config.pair = {scale, offset}, .kind = "Rescaling", .by_value = true};
}

washi_layer washi_layer_rescaling(double scale) { return washi_layer_rescaling_offset(scale, 0); }

/* -- the user's own ----------------------------------------------------------------------------- */

washi_layer washi_layer_custom(const char *name, washi_layer_fn *call, const void *config)
{
    return (washi_layer){.name = name, .call = call, .config.user = config};
}
