/* layers.c: the layers that come with the library. */
#include "nn.h"

static bool check_dense(washi_tensor *x, int64_t units)
{
    washi_tape *t = washi_tape_of(x);
    washi_shape shape = washi_shape_of(x);
    washi_dtype type = washi_dtype_of(x);
    if (units < 1)
        washi_fail(t, WASHI_BAD_VALUE, "dense: %lld units", (long long)units);
    else if (shape.rank < 2)
        washi_fail(t, WASHI_BAD_SHAPE, "dense: %s, [samples, ..., features] wanted",
                   wa_nn_shape(shape).at);
    else if (type != WASHI_F32 && type != WASHI_F64)
        washi_fail(t, WASHI_BAD_TYPE, "dense: %s of %s, f32 or f64 wanted: rescale or cast it first",
                   wa_nn_shape(shape).at, washi_dtype_name(type));
    else
        return true;
    return false;
}

static washi_tensor *dense(washi_scope *s, washi_tensor *x, const void *config)
{
    int64_t units = *(const int64_t *)config;
    if (!check_dense(x, units)) return NULL;
    washi_shape shape = washi_shape_of(x);
    washi_weight_options kernel = {.shape = {2, {shape.dim[shape.rank - 1], units}},
                                   .type = washi_dtype_of(x)};
    washi_weight_options bias = {.shape = {1, {units}}, .init = washi_zeros, .type = washi_dtype_of(x)};
    washi_tensor *product = washi_matmul(x, washi_weight(s, "kernel", kernel));
    return washi_add(product, washi_weight(s, "bias", bias));
}

washi_layer washi_layer_dense(int64_t units, washi_unary_fn *activation)
{
    return (washi_layer){.call = dense,
                         .config.units = units,
                         .activation = activation,
                         .kind = "Dense",
                         .by_value = true};
}

washi_tensor *washi_dense(washi_scope *s, washi_tensor *x, int64_t units, washi_unary_fn *activation)
{
    washi_layer layer = washi_layer_dense(units, activation);
    return washi_layer_call(s, &layer, x);
}

washi_tensor *washi_flatten(washi_tensor *x)
{
    if (!x) return NULL;
    washi_shape shape = washi_shape_of(x), flat = {2, {shape.dim[0], 1}};
    if (shape.rank < 1) {
        washi_fail(washi_tape_of(x), WASHI_BAD_SHAPE, "flatten: [] has no axis of samples");
        return NULL;
    }
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

static washi_tensor *rescaling(washi_scope *s, washi_tensor *x, const void *config)
{
    (void)s;
    if (washi_dtype_of(x) == WASHI_I32 || washi_dtype_of(x) == WASHI_U8) x = washi_cast(x, WASHI_F32);
    return washi_scale(x, *(const double *)config);
}

washi_layer washi_layer_rescaling(double scale)
{
    return (washi_layer){
        .call = rescaling, .config.number = scale, .kind = "Rescaling", .by_value = true};
}

washi_layer washi_layer_custom(const char *name, washi_layer_fn *call, const void *config)
{
    return (washi_layer){.name = name, .call = call, .config.user = config};
}
