/* weights.c: the named weights of a model and the lines of its summary. */
#include "nn.h"

#include <string.h>

static bool is_named(const char *full, const char *path, const char *name)
{
    size_t n = strlen(path);
    if (!n) return strcmp(full, name) == 0;
    return strncmp(full, path, n) == 0 && full[n] == '/' && strcmp(full + n + 1, name) == 0;
}

struct wa_weight *wa_nn_weight_find(const washi_model *m, const char *path, const char *name)
{
    for (int i = 0; i < m->weights; i++)
        if (is_named(m->weight[i].name, path, name)) return &m->weight[i];
    return NULL;
}

/* Initialisers write floats: a weight of another type takes them through a copy. */
static washi_status fill(washi *w, washi_init_fn *init, uint64_t stream, washi_array *a)
{
    if (a->type == WASHI_F32) return init(w, a->shape, stream, (float *)a->data);
    washi_array floats;
    washi_status status = washi_array_new(w, WASHI_F32, a->shape, &floats);
    if (status) return status;
    status = init(w, a->shape, stream, (float *)floats.data);
    const float *from = floats.data;
    for (int64_t i = 0, n = washi_size(a->shape); i < n; i++)
        if (a->type == WASHI_F64)
            ((double *)a->data)[i] = from[i];
        else
            ((int32_t *)a->data)[i] = (int32_t)from[i];
    washi_release(w, &floats);
    return status;
}

washi_status wa_nn_weight_new(washi_model *m, const char *path, const char *name,
                              const washi_weight_options *options)
{
    struct wa_weight *grown = wa_nn_grow(m->w, m->weight, m->weights, &m->weight_room, sizeof *grown);
    if (!grown) return WASHI_NO_MEMORY;
    m->weight = grown;
    struct wa_weight v = {.name = wa_nn_format(m->w, "%s%s%s", path, *path ? "/" : "", name),
                          .trainable = !options->frozen,
                          .state = options->frozen};
    if (!v.name) return WASHI_NO_MEMORY;
    washi_status status = washi_array_new(m->w, options->type, options->shape, &v.array);
    if (!status)
        status = fill(m->w, options->init ? options->init : washi_glorot_uniform, wa_nn_stream(v.name),
                      &v.array);
    if (status) {
        washi_fail(NULL, status, "weight %s: %s", v.name, washi_message());
        washi_release(m->w, &v.array);
        wa_nn_free_text(m->w, v.name);
        return status;
    }
    m->weight[m->weights++] = v;
    return WASHI_OK;
}

washi_status wa_nn_line_new(washi_model *m, const char *name, const char *kind, washi_shape shape)
{
    struct wa_line *grown = wa_nn_grow(m->w, m->line, m->lines, &m->line_room, sizeof *grown);
    if (!grown) return WASHI_NO_MEMORY;
    m->line = grown;
    struct wa_line line = {wa_nn_format(m->w, "%s", name), wa_nn_format(m->w, "%s", kind), shape};
    if (!line.name || !line.kind) {
        wa_nn_free_text(m->w, line.name);
        wa_nn_free_text(m->w, line.kind);
        return WASHI_NO_MEMORY;
    }
    m->line[m->lines++] = line;
    return WASHI_OK;
}

void wa_nn_forget(washi_model *m)
{
    for (int i = 0; i < m->weights; i++) {
        wa_nn_free_text(m->w, m->weight[i].name);
        washi_release(m->w, &m->weight[i].array);
    }
    for (int i = 0; i < m->lines; i++) {
        wa_nn_free_text(m->w, m->line[i].name);
        wa_nn_free_text(m->w, m->line[i].kind);
    }
    if (m->weight) washi_resize(m->w, m->weight, (size_t)m->weight_room * sizeof *m->weight, 0);
    if (m->line) washi_resize(m->w, m->line, (size_t)m->line_room * sizeof *m->line, 0);
    m->weight = NULL;
    m->line = NULL;
    m->weights = m->weight_room = m->lines = m->line_room = 0;
}

int washi_model_layers(const washi_model *m) { return m ? m->lines : 0; }

washi_layer_info washi_model_layer(const washi_model *m, int index)
{
    if (!m || index < 0 || index >= m->lines) return (washi_layer_info){0};
    const struct wa_line *l = &m->line[index];
    return (washi_layer_info){l->name, l->kind, l->shape};
}

int washi_model_weights(const washi_model *m) { return m ? m->weights : 0; }

washi_weight_info washi_model_weight(washi_model *m, int index)
{
    if (!m || index < 0 || index >= m->weights) return (washi_weight_info){0};
    const struct wa_weight *v = &m->weight[index];
    return (washi_weight_info){v->name, v->array.type, v->array.shape, v->trainable,
                               (void *)v->array.data};
}

washi_status washi_model_freeze(washi_model *m, const char *prefix, bool frozen)
{
    if (!m) return washi_fail(NULL, WASHI_MISUSE, "freeze: the model is NULL");
    if (!m->built) return washi_fail(NULL, WASHI_MISUSE, "freeze: model %s is not built yet", m->name);
    size_t n = prefix ? strlen(prefix) : 0;
    bool found = false;
    for (int i = 0; i < m->weights; i++) {
        if (n && strncmp(m->weight[i].name, prefix, n) != 0) continue;
        m->weight[i].trainable = !frozen && !m->weight[i].state;
        found = true;
    }
    if (found) return WASHI_OK;
    return washi_fail(NULL, WASHI_BAD_VALUE,
                      "freeze: no weight of model %s has a name that starts with \"%s\"", m->name,
                      prefix ? prefix : "");
}
