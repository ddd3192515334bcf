/* files.c: saves a model's weights as safetensors and loads them, all or none. */
#include "nn.h"

#include <string.h>

washi_status washi_model_save(const washi_model *m, const char *path)
{
    if (!m || !path)
        return washi_fail(NULL, WASHI_MISUSE, "save: the %s is NULL", m ? "path" : "model");
    if (!m->built) return washi_fail(NULL, WASHI_MISUSE, "save: model %s is not built yet", m->name);
    washi_metadata metadata[] = {{"format", "washi"}, {"washi", washi_version()}};
    const size_t bytes = (size_t)m->weights * sizeof(washi_named_array);
    washi_named_array *array = bytes ? washi_resize(m->w, NULL, 0, bytes) : NULL;
    if (bytes && !array) return WASHI_NO_MEMORY;
    for (int i = 0; i < m->weights; i++)
        array[i] = (washi_named_array){m->weight[i].name, m->weight[i].array};
    const washi_status status = washi_write_safetensors(
        m->w, path,
        &(washi_safetensors){.arrays = m->weights, .array = array, .lines = 2, .metadata = metadata});
    if (array) washi_resize(m->w, array, bytes, 0);
    return status;
}

/* The tensor named as the weight is; NULL if the file has none. */
static const washi_array *find(const washi_safetensors *s, const char *name)
{
    for (int i = 0; i < s->arrays; i++)
        if (strcmp(s->array[i].name, name) == 0) return &s->array[i].array;
    return NULL;
}

static washi_status check_weight(const char *path, const struct wa_weight *v, const washi_array *a)
{
    if (!a) return washi_fail(NULL, WASHI_BAD_VALUE, "load: %s has no weight %s", path, v->name);
    if (a->type != v->array.type && !(a->type == WASHI_F32 && v->array.type == WASHI_F64))
        return washi_fail(NULL, WASHI_BAD_TYPE, "load: %s has weight %s as %s, the model as %s", path,
                          v->name, washi_dtype_name(a->type), washi_dtype_name(v->array.type));
    if (!wa_nn_same_shape(a->shape, v->array.shape))
        return washi_fail(NULL, WASHI_BAD_SHAPE, "load: %s has weight %s as %s, the model as %s", path,
                          v->name, wa_nn_shape(a->shape).at, wa_nn_shape(v->array.shape).at);
    return WASHI_OK;
}

/* As both have every name once, and the file has each of the model's, equal counts leave nothing over.
 */
static washi_status check_all(const washi_model *m, const char *path, const washi_safetensors *s)
{
    for (int i = 0; i < m->weights; i++) {
        const washi_status status = check_weight(path, &m->weight[i], find(s, m->weight[i].name));
        if (status) return status;
    }
    for (int i = 0; i < s->arrays && s->arrays != m->weights; i++)
        if (!wa_nn_weight_find(m, "", s->array[i].name))
            return washi_fail(NULL, WASHI_BAD_VALUE,
                              "load: %s has tensor %s, model %s has no such weight", path,
                              s->array[i].name, m->name);
    return WASHI_OK;
}

static void copy(const washi_array *from, const washi_array *to)
{
    const size_t n = (size_t)washi_size(to->shape);
    if (from->type == to->type) {
        memcpy((void *)to->data, from->data, n * washi_dtype_size(to->type));
        return;
    }
    const float *floats = from->data;
    double *doubles = (double *)to->data;
    for (size_t i = 0; i < n; i++) doubles[i] = floats[i];
}

washi_status washi_model_load(washi_model *m, const char *path)
{
    if (!m || !path)
        return washi_fail(NULL, WASHI_MISUSE, "load: the %s is NULL", m ? "path" : "model");
    if (!m->built)
        return washi_fail(NULL, WASHI_MISUSE,
                          "load: model %s is not built yet: its weights have no shapes", m->name);
    washi_safetensors s;
    washi_status status = washi_read_safetensors(m->w, path, &s);
    if (status) return status;
    status = check_all(m, path, &s);
    for (int i = 0; i < m->weights && !status; i++)
        copy(find(&s, m->weight[i].name), &m->weight[i].array);
    washi_safetensors_free(m->w, &s);
    return status;
}
