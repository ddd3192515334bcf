/* slots.c: what an optimiser's function asks for: what it remembers of a weight, the step and its rate.
 */
#include "optimizer.h"

#include <string.h>

static struct wa_slot *find(washi_optimizer *o, const void *owner, const char *name)
{
    for (int i = 0; i < o->slots; i++)
        if (o->slot[i].owner == owner && strcmp(o->slot[i].name, name) == 0) return &o->slot[i];
    return NULL;
}

static void fill(const washi_array *a, double value)
{
    float *f = a->type == WASHI_F32 ? (float *)a->data : NULL;
    double *d = a->type == WASHI_F64 ? (double *)a->data : NULL;
    for (int64_t i = 0, n = washi_size(a->shape); i < n; i++)
        if (f)
            f[i] = (float)value;
        else
            d[i] = value;
}

static struct wa_slot *slot_new(washi_optimizer *o, const void *owner, const char *name,
                                washi_dtype type, washi_shape shape, double first)
{
    struct wa_slot *grown = wa_nn_grow(o->w, o->slot, o->slots, &o->room, sizeof *grown);
    if (!grown) return NULL;
    o->slot = grown;
    struct wa_slot s = {.owner = owner, .name = wa_nn_format(o->w, "%s", name)};
    if (!s.name || washi_array_new(o->w, type, shape, &s.value)) {
        wa_nn_free_text(o->w, s.name);
        return NULL;
    }
    fill(&s.value, first);
    o->slot[o->slots] = s;
    return &o->slot[o->slots++];
}

void wa_nn_slots_free(washi_optimizer *o)
{
    for (int i = 0; i < o->slots; i++) {
        wa_nn_free_text(o->w, o->slot[i].name);
        washi_release(o->w, &o->slot[i].value);
    }
    if (o->slot) washi_resize(o->w, o->slot, (size_t)o->room * sizeof *o->slot, 0);
}

/* The slot as a variable on the step's tape. A model that lies where one lay that was freed would find
 * the other's slots: where they do not fit, that is said. */
static washi_tensor *variable(washi_update *u, const void *owner, const char *name, washi_dtype type,
                              washi_shape shape, double first)
{
    washi_optimizer *o = u->optimizer;
    if (washi_tape_status(u->tape)) return NULL;
    struct wa_slot *s = find(o, owner, name);
    if (!s) s = slot_new(o, owner, name, type, shape, first);
    if (!s)
        washi_fail(u->tape, WASHI_NO_MEMORY, "optimizer: weight %s: %s", u->info.name, washi_message());
    else if (s->value.type != type || !wa_nn_same_shape(s->value.shape, shape))
        washi_fail(u->tape, WASHI_MISUSE,
                   "optimizer: weight %s lies where a weight of another model lay", u->info.name);
    else
        return washi_variable(u->tape, type, shape, (void *)s->value.data);
    return NULL;
}

washi_tensor *washi_slot(washi_update *u, const char *name, double first)
{
    if (u && name) return variable(u, u->info.data, name, u->info.type, u->info.shape, first);
    washi_fail(u ? u->tape : NULL, WASHI_MISUSE, "slot: the %s is NULL", u ? "name" : "update");
    return NULL;
}

washi_tensor *washi_iterations(washi_update *u)
{
    if (!u) {
        washi_fail(NULL, WASHI_MISUSE, "iterations: the update is NULL");
        return NULL;
    }
    if (u->iterations) return u->iterations;
    washi_tensor *count = variable(u, u->model, "iterations", WASHI_F64, (washi_shape){0}, 0);
    if (!count || washi_assign(count, washi_shift(count, 1))) return NULL;
    return u->iterations = count;
}

/* In double precision, on the step's tape. */
static washi_tensor *scheduled(washi_update *u)
{
    const washi_optimizer_options *o = &u->optimizer->options;
    washi_tensor *step = washi_iterations(u);
    washi_tensor *rate = step ? o->schedule(step, o->schedule_config) : NULL;
    if (washi_tape_status(u->tape)) return NULL;
    if (!rate || washi_tape_of(rate) != u->tape)
        washi_fail(u->tape, WASHI_MISUSE, "optimizer: the schedule returned %s",
                   rate ? "a tensor of another tape" : "NULL");
    else if (washi_dtype_of(rate) != WASHI_F64 || washi_size(washi_shape_of(rate)) != 1)
        washi_fail(u->tape, WASHI_BAD_SHAPE,
                   "optimizer: the schedule returned %s of %s, a scalar of f64 wanted",
                   wa_nn_shape(washi_shape_of(rate)).at, washi_dtype_name(washi_dtype_of(rate)));
    else
        return washi_reshape(rate, (washi_shape){0});
    return NULL;
}

washi_tensor *washi_learning_rate(washi_update *u)
{
    if (!u) {
        washi_fail(NULL, WASHI_MISUSE, "learning_rate: the update is NULL");
        return NULL;
    }
    const washi_optimizer_options *o = &u->optimizer->options;
    if (!o->schedule) return washi_scalar(u->tape, u->info.type, o->learning_rate);
    if (!u->rate) u->rate = scheduled(u);
    return washi_cast(u->rate, u->info.type);
}
