/* optimizer.c: records the updates of a model's weights, and keeps what an optimiser remembers of them.
 */
#include "optimizer.h"

static struct wa_slot *slot_new(washi_optimizer *o, const washi_weight_info *info)
{
    struct wa_slot *grown = wa_nn_grow(o->w, o->slot, o->slots, &o->room, sizeof *grown);
    if (!grown) return NULL;
    o->slot = grown;
    struct wa_slot *s = &o->slot[o->slots];
    if (washi_array_new(o->w, info->type, info->shape, &s->value)) return NULL;
    s->weight = info->data;
    o->slots++;
    return s;
}

washi_tensor *wa_nn_slot(washi_optimizer *o, const struct wa_update *step)
{
    washi_tape *t = washi_tape_of(step->weight);
    const washi_weight_info *info = step->info;
    struct wa_slot *s = NULL;
    for (int i = 0; i < o->slots && !s; i++)
        if (o->slot[i].weight == info->data) s = &o->slot[i];
    if (!s) s = slot_new(o, info);
    if (!s)
        washi_fail(t, WASHI_NO_MEMORY, "minimize: weight %s: %s", info->name, washi_message());
    else if (s->value.type != info->type || !wa_nn_same_shape(s->value.shape, info->shape))
        washi_fail(t, WASHI_MISUSE, "minimize: weight %s lies where a weight of another model lay",
                   info->name);
    else
        return washi_variable(t, info->type, info->shape, (void *)s->value.data);
    return NULL;
}

void washi_optimizer_free(washi_optimizer *o)
{
    if (!o) return;
    for (int i = 0; i < o->slots; i++) washi_release(o->w, &o->slot[i].value);
    if (o->slot) washi_resize(o->w, o->slot, (size_t)o->room * sizeof *o->slot, 0);
    washi_resize(o->w, o, sizeof *o, 0);
}

/* Fills weight[0 ... n-1] with the trainable weights on the tape; returns how many. */
static int trainable(washi_model *m, washi_tape *t, washi_tensor *weight[])
{
    int n = 0;
    for (int i = 0; i < washi_model_weights(m); i++) {
        washi_weight_info v = washi_model_weight(m, i);
        if (v.trainable) weight[n++] = washi_variable(t, v.type, v.shape, v.data);
    }
    return n;
}

/* weight has room for twice the model's weights: they, and their gradients. */
static void record(washi_optimizer *o, washi_model *m, washi_tensor *loss, washi_tensor *weight[])
{
    int n = trainable(m, washi_tape_of(loss), weight);
    washi_tensor **gradient = weight + washi_model_weights(m);
    if (n == 0 || washi_grad(loss, n, weight, gradient)) return;
    for (int i = 0, k = 0; k < n; i++) {
        washi_weight_info info = washi_model_weight(m, i);
        if (!info.trainable) continue;
        washi_tensor *value = o->update(o, &(struct wa_update){weight[k], gradient[k], &info});
        if (!value || washi_assign(weight[k++], value)) return;
    }
}

washi_status washi_minimize(washi_optimizer *o, washi_model *m, washi_tensor *loss)
{
    washi_tape *t = washi_tape_of(loss);
    if (!loss)
        return washi_fail(NULL, WASHI_MISUSE, "minimize: the loss is NULL%s%s",
                          *washi_message() ? "; before that: " : "", washi_message());
    if (washi_tape_status(t)) return washi_tape_status(t);
    if (!o || !m)
        return washi_fail(t, WASHI_MISUSE, "minimize: the %s is NULL", o ? "model" : "optimizer");
    int n = washi_model_weights(m);
    if (washi_size(washi_shape_of(loss)) != 1)
        return washi_fail(t, WASHI_BAD_SHAPE, "minimize: the loss has shape %s, a scalar wanted",
                          wa_nn_shape(washi_shape_of(loss)).at);
    if (n == 0) return washi_fail(t, WASHI_MISUSE, "minimize: the model has no weights (is it built?)");
    size_t bytes = (size_t)n * 2 * sizeof(washi_tensor *);
    washi_tensor **weight = washi_resize(o->w, NULL, 0, bytes);
    if (!weight) return washi_fail(t, WASHI_NO_MEMORY, "minimize: %s", washi_message());
    record(o, m, loss, weight);
    washi_resize(o->w, weight, bytes, 0);
    return washi_tape_status(t);
}
