/* scope.c: how a layer gets its weights, and a scope of its own. */
#include "nn.h"

#include <string.h>

/* Whether there can be a weight like this at all. */
static bool check_weight(washi_scope *s, const char *name, const washi_weight_options *o)
{
    washi_tape *t = s->call->tape;
    if (!name || !*name || strchr(name, '/'))
        washi_fail(t, WASHI_BAD_VALUE, "weight \"%s\": a name must not be empty or hold a /",
                   name ? name : "");
    else if (o->type != WASHI_F32 && o->type != WASHI_F64 && !(o->type == WASHI_I32 && o->frozen))
        washi_fail(t, WASHI_BAD_TYPE, "weight %s: type %s, f32 or f64 wanted (or i32, frozen)", name,
                   washi_dtype_name(o->type));
    else if (washi_size(o->shape) < 1)
        washi_fail(t, WASHI_BAD_SHAPE, "weight %s: %s %s", name, wa_nn_shape(o->shape).at,
                   washi_size(o->shape) ? "is no shape" : "has no elements");
    else
        return true;
    return false;
}

washi_tensor *washi_weight(washi_scope *s, const char *name, washi_weight_options options)
{
    if (!s) {
        washi_fail(NULL, WASHI_MISUSE, "weight %s: the scope is NULL", name ? name : "");
        return NULL;
    }
    struct wa_call *c = s->call;
    if (washi_tape_status(c->tape) || !check_weight(s, name, &options)) return NULL;
    struct wa_weight *v = wa_nn_weight_find(c->model, s->path, name);
    if (!v && c->building) {
        washi_status status = wa_nn_weight_new(c->model, s->path, name, &options);
        if (status) {
            washi_fail(c->tape, status, "%s", washi_message());
            return NULL;
        }
        v = &c->model->weight[c->model->weights - 1];
    }
    if (!v)
        washi_fail(c->tape, WASHI_MISUSE, "weight %s: the first call of model %s did not create it",
                   name, c->model->name);
    else if (v->array.type != options.type)
        washi_fail(c->tape, WASHI_BAD_TYPE, "weight %s: asked for as %s, created as %s", v->name,
                   washi_dtype_name(options.type), washi_dtype_name(v->array.type));
    else if (!wa_nn_same_shape(v->array.shape, options.shape))
        washi_fail(c->tape, WASHI_BAD_SHAPE, "weight %s: asked for as %s, created as %s", v->name,
                   wa_nn_shape(options.shape).at, wa_nn_shape(v->array.shape).at);
    else
        return washi_variable(c->tape, v->array.type, v->array.shape, (void *)v->array.data);
    return NULL;
}

bool washi_training(const washi_scope *s) { return s && s->call->training; }

bool washi_trainable(const washi_scope *s, const char *name)
{
    const struct wa_weight *v = s && name ? wa_nn_weight_find(s->call->model, s->path, name) : NULL;
    return v && v->trainable;
}

/* Puts the layer's path before the message, once: the innermost layer is the one to name. */
static washi_tensor *blame(struct wa_call *c, const char *path)
{
    washi_status status = washi_tape_status(c->tape);
    if (!status)
        washi_fail(c->tape, WASHI_MISUSE, "layer %s: its function returned NULL", path);
    else if (!c->blamed)
        washi_fail(c->tape, status, "layer %s: %s", path, washi_message());
    c->blamed = true;
    return NULL;
}

static bool has_line(const washi_model *m, const char *name)
{
    for (int i = 0; i < m->lines; i++)
        if (strcmp(m->line[i].name, name) == 0) return true;
    return false;
}

washi_tensor *washi_layer_call(washi_scope *s, const washi_layer *layer, washi_tensor *x)
{
    if (!s || !layer || !layer->call) {
        washi_fail(washi_tape_of(x), WASHI_MISUSE, "layer_call: the %s is NULL",
                   !s       ? "scope"
                   : !layer ? "layer"
                            : "layer's function");
        return NULL;
    }
    struct wa_call *c = s->call;
    if (!x || washi_tape_status(c->tape)) return NULL;
    const char *kind = layer->kind ? layer->kind : "Custom";
    struct wa_name *name = wa_nn_name(c, s->path, layer->name, kind);
    if (!name) return NULL;
    washi_scope inner = {c, name->path};
    washi_tensor *y = layer->call(&inner, x, layer->by_value ? &layer->config : layer->config.user);
    if (y && layer->activation) y = layer->activation(y);
    if (!y) return blame(c, name->path);
    /* A layer called twice under one name is one layer; those inside another count as part of it. */
    if (!c->building || *s->path || has_line(c->model, name->path)) return y;
    if (!wa_nn_line_new(c->model, name->path, kind, washi_shape_of(y))) return y;
    washi_fail(c->tape, WASHI_NO_MEMORY, "%s", washi_message());
    return blame(c, name->path);
}
