/* dense.c: the fully connected layer. */
#include "nn.h"

static bool check(washi_tensor *x, int64_t units)
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
    const washi_dense_options *o = config;
    if (!check(x, o->units)) return NULL;
    washi_shape shape = washi_shape_of(x);
    washi_weight_options kernel = {.shape = {2, {shape.dim[shape.rank - 1], o->units}},
                                   .init = o->kernel_init,
                                   .type = washi_dtype_of(x)};
    washi_tensor *y = washi_matmul(x, washi_weight(s, "kernel", kernel));
    washi_add_penalty(s, "kernel", o->kernel_l1, o->kernel_l2);
    if (o->no_bias) return y;
    washi_weight_options bias = {.shape = {1, {o->units}},
                                 .init = o->bias_init ? o->bias_init : washi_zeros,
                                 .type = washi_dtype_of(x)};
    y = washi_add(y, washi_weight(s, "bias", bias));
    washi_add_penalty(s, "bias", o->bias_l1, o->bias_l2);
    return y;
}

washi_layer washi_layer_dense_with(washi_dense_options options)
{
    return (washi_layer){.call = dense,
                         .config.dense = options,
                         .activation = options.activation,
                         .kind = "Dense",
                         .by_value = true};
}

washi_layer washi_layer_dense(int64_t units, washi_unary_fn *activation)
{
    return washi_layer_dense_with((washi_dense_options){.units = units, .activation = activation});
}

washi_tensor *washi_dense(washi_scope *s, washi_tensor *x, int64_t units, washi_unary_fn *activation)
{
    washi_layer layer = washi_layer_dense(units, activation);
    return washi_layer_call(s, &layer, x);
}
