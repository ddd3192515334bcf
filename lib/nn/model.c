/* model.c: models: made from layers or a function, built on the first call, called on a tape. */
#include "nn.h"

#include <string.h>

static washi_model *model_new(washi *w, const char *name, washi_layer_fn *call, const void *config)
{
    washi_model *m = washi_resize(w, NULL, 0, sizeof *m);
    if (!m) return NULL;
    *m = (washi_model){
        .w = w, .name = wa_nn_format(w, "%s", name), .call = call, .config = config, .batch = -1};
    if (m->name) return m;
    washi_model_free(m);
    return NULL;
}

washi_model *washi_model_new(washi *w, const char *name, washi_layer_fn *call, const void *config)
{
    if (w && call) return model_new(w, name ? name : "model", call, config);
    washi_fail(NULL, WASHI_MISUSE, "model_new: the %s is NULL", w ? "function" : "context");
    return NULL;
}

static washi_tensor *chain(washi_scope *s, washi_tensor *x, const void *config)
{
    (void)config;
    const washi_model *m = s->call->model;
    for (int i = 0; i < m->layers; i++) x = washi_layer_call(s, &m->layer[i], x);
    return x;
}

/* Two layers of one name would share their weights: meant in a graph, a slip in a chain. */
static washi_status check_chain(int n, const washi_layer layers[])
{
    if (n < 1) return washi_fail(NULL, WASHI_BAD_VALUE, "sequential: %d layers", n);
    if (!layers) return washi_fail(NULL, WASHI_MISUSE, "sequential: the layers are NULL");
    for (int i = 0; i < n; i++) {
        if (!layers[i].call)
            return washi_fail(NULL, WASHI_MISUSE, "sequential: layer %d has no function", i);
        for (int j = 0; j < i && layers[i].name; j++)
            if (layers[j].name && strcmp(layers[i].name, layers[j].name) == 0)
                return washi_fail(NULL, WASHI_BAD_VALUE,
                                  "sequential: layers %d and %d are both named %s", j, i,
                                  layers[i].name);
    }
    return WASHI_OK;
}

washi_model *washi_sequential(washi *w, int n, const washi_layer layers[])
{
    if (!w) washi_fail(NULL, WASHI_MISUSE, "sequential: the context is NULL");
    if (!w || check_chain(n, layers)) return NULL;
    washi_model *m = model_new(w, "sequential", chain, NULL);
    if (!m) return NULL;
    m->layer = washi_resize(w, NULL, 0, (size_t)n * sizeof *layers);
    if (!m->layer) {
        washi_model_free(m);
        return NULL;
    }
    m->layers = n;
    memcpy(m->layer, layers, (size_t)n * sizeof *layers);
    return m;
}

void washi_model_free(washi_model *m)
{
    if (!m) return;
    washi *w = m->w;
    wa_nn_forget(m);
    wa_nn_free_text(w, m->name);
    if (m->layer) washi_resize(w, m->layer, (size_t)m->layers * sizeof *m->layer, 0);
    washi_resize(w, m, sizeof *m, 0);
}

washi_tensor *washi_model_call(washi_model *m, washi_tensor *x, bool training)
{
    return washi_model_call_losses(m, x, training, NULL);
}

washi_tensor *washi_model_call_losses(washi_model *m, washi_tensor *x, bool training,
                                      washi_tensor **losses)
{
    washi_tape *t = washi_tape_of(x);
    if (losses) *losses = NULL;
    if (!m) washi_fail(t, WASHI_MISUSE, "model_call: the model is NULL");
    if (!m || !x || washi_tape_status(t)) return NULL;
    struct wa_call c = {.model = m, .tape = t, .training = training, .building = !m->built};
    washi_tensor *y = m->call(&(washi_scope){&c, ""}, x, m->config);
    if (losses) *losses = wa_nn_added(&c);
    wa_nn_added_free(&c);
    wa_nn_names_free(&c);
    if (!washi_tape_status(t) && (!y || washi_tape_of(y) != t))
        washi_fail(t, WASHI_MISUSE, "model %s: its function returned %s", m->name,
                   y ? "a tensor of another tape" : "NULL");
    bool ok = !washi_tape_status(t);
    if (c.building && ok) m->built = true;
    if (c.building && !ok) wa_nn_forget(m);
    return ok ? y : NULL;
}

/* What None stands for in the shapes while building: more than one sample, so that an axis of samples
 * is not taken for one that stretches, and a number that many divide. */
enum { SOME_SAMPLES = 60 };

washi_status washi_model_build(washi_model *m, washi_dtype type, washi_shape input)
{
    if (!m) return washi_fail(NULL, WASHI_MISUSE, "build: the model is NULL");
    if (input.rank < 0 || input.rank >= WASHI_MAX_RANK || washi_size(input) < 0)
        return washi_fail(NULL, WASHI_BAD_SHAPE, "build: no samples can have the shape %s",
                          wa_nn_shape(input).at);
    washi_shape shape = {input.rank + 1, {SOME_SAMPLES}};
    for (int i = 0; i < input.rank; i++) shape.dim[i + 1] = input.dim[i];
    washi_tape *t = washi_tape_new(m->w);
    if (!t) return WASHI_NO_MEMORY;
    bool fresh = !m->built;
    washi_model_call(m, washi_input(t, type, shape), false);
    washi_status status = washi_tape_status(t);
    if (fresh && !status) m->batch = SOME_SAMPLES;
    washi_tape_free(t);
    return status;
}
