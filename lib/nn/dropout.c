/* dropout.c: random numbers for layers, and the layer that sets its inputs to 0 at random. */
#include "nn.h"

washi_tensor *washi_draw(washi_scope *s, uint64_t *stream)
{
    if (!s || !stream) {
        washi_fail(s ? s->call->tape : NULL, WASHI_MISUSE, "draw: the %s is NULL",
                   s ? "stream" : "scope");
        return NULL;
    }
    struct wa_call *c = s->call;
    if (washi_tape_status(c->tape)) return NULL;
    washi_tensor *draw = washi_variable(c->tape, WASHI_I32, (washi_shape){0}, &c->model->draws);
    if (c->draws == 0) washi_assign(draw, washi_shift(draw, 1));
    *stream = wa_nn_stream(s->path) + (uint64_t)c->draws++;
    return washi_tape_status(c->tape) ? NULL : draw;
}

static bool check(washi_tensor *x, double rate)
{
    washi_dtype type = washi_dtype_of(x);
    if (!(rate >= 0 && rate < 1))
        washi_fail(washi_tape_of(x), WASHI_BAD_VALUE, "dropout: rate %g, at least 0 and below 1 wanted",
                   rate);
    else if (type != WASHI_F32 && type != WASHI_F64)
        washi_fail(washi_tape_of(x), WASHI_BAD_TYPE,
                   "dropout: %s of %s, f32 or f64 wanted: rescale or cast it first",
                   wa_nn_shape(washi_shape_of(x)).at, washi_dtype_name(type));
    else
        return true;
    return false;
}

static washi_tensor *dropout(washi_scope *s, washi_tensor *x, const void *config)
{
    const double rate = *(const double *)config;
    uint64_t stream;
    if (!check(x, rate)) return NULL;
    if (!washi_training(s) || rate == 0) return x;
    washi_tape *t = washi_tape_of(x);
    washi_dtype type = washi_dtype_of(x);
    washi_tensor *draw = washi_draw(s, &stream);
    if (!draw) return NULL;
    washi_tensor *kept = washi_bernoulli(t, type, washi_shape_of(x), 1 - rate, stream, draw);
    return washi_where(kept, washi_scale(x, 1 / (1 - rate)), washi_scalar(t, type, 0));
}

washi_layer washi_layer_dropout(double rate)
{
    return (washi_layer){.call = dropout, .config.number = rate, .kind = "Dropout", .by_value = true};
}
