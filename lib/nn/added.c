/* added.c: the losses that layers add to a model's, penalties among them. */
#include "nn.h"

#include <math.h>

static bool is_scalar(const washi_tensor *x)
{
    washi_dtype type = washi_dtype_of(x);
    return washi_size(washi_shape_of(x)) == 1 && (type == WASHI_F32 || type == WASHI_F64);
}

static washi_status add(struct wa_call *c, washi_tensor *loss, const void *weight)
{
    struct wa_added *grown = wa_nn_grow(c->model->w, c->added, c->count, &c->room, sizeof *grown);
    if (!grown) return washi_fail(c->tape, WASHI_NO_MEMORY, "%s", washi_message());
    c->added = grown;
    c->added[c->count++] = (struct wa_added){washi_reshape(loss, (washi_shape){0}), weight};
    return washi_tape_status(c->tape);
}

washi_status washi_add_loss(washi_scope *s, washi_tensor *loss)
{
    if (!s) return washi_fail(washi_tape_of(loss), WASHI_MISUSE, "add_loss: the scope is NULL");
    struct wa_call *c = s->call;
    if (washi_tape_status(c->tape)) return washi_tape_status(c->tape);
    if (!loss || washi_tape_of(loss) != c->tape)
        return washi_fail(c->tape, WASHI_MISUSE, "add_loss: the loss is %s",
                          loss ? "on another tape" : "NULL");
    if (is_scalar(loss)) return add(c, loss, NULL);
    return washi_fail(c->tape, WASHI_BAD_SHAPE, "add_loss: %s of %s, a scalar of f32 or f64 wanted",
                      wa_nn_shape(washi_shape_of(loss)).at, washi_dtype_name(washi_dtype_of(loss)));
}

static washi_tensor *sum(washi_tensor *x) { return washi_sum(x, WASHI_ALL, false); }

static washi_tensor *penalty(washi_tensor *w, double l1, double l2)
{
    washi_tensor *lasso = l1 > 0 ? washi_scale(sum(washi_abs(w)), l1) : NULL;
    washi_tensor *ridge = l2 > 0 ? washi_scale(sum(washi_mul(w, w)), l2) : NULL;
    return lasso && ridge ? washi_add(lasso, ridge) : lasso ? lasso : ridge;
}

/* As Keras has it: a penalty is a weight's, so a layer called twice adds it once, and one that cannot
 * change is none. */
washi_status washi_add_penalty(washi_scope *s, const char *name, double l1, double l2)
{
    if (!s || !name)
        return washi_fail(s ? s->call->tape : NULL, WASHI_MISUSE, "add_penalty: the %s is NULL",
                          s ? "weight's name" : "scope");
    struct wa_call *c = s->call;
    if (washi_tape_status(c->tape)) return washi_tape_status(c->tape);
    const struct wa_weight *v = wa_nn_weight_find(c->model, s->path, name);
    if (!v) return washi_fail(c->tape, WASHI_MISUSE, "add_penalty: there is no weight %s yet", name);
    if (!(l1 >= 0 && l2 >= 0 && isfinite(l1 + l2)))
        return washi_fail(c->tape, WASHI_BAD_VALUE, "weight %s: penalties %g and %g, at least 0 wanted",
                          v->name, l1, l2);
    for (int i = 0; i < c->count; i++)
        if (c->added[i].weight == v->array.data) return WASHI_OK;
    if (!v->trainable || (l1 == 0 && l2 == 0)) return WASHI_OK;
    washi_tensor *w = washi_variable(c->tape, v->array.type, v->array.shape, (void *)v->array.data);
    washi_tensor *loss = penalty(w, l1, l2);
    return loss ? add(c, loss, v->array.data) : washi_tape_status(c->tape);
}

washi_tensor *wa_nn_added(struct wa_call *c)
{
    washi_tensor *total = c->count ? c->added[0].loss : NULL;
    for (int i = 1; i < c->count; i++) {
        washi_tensor *next = c->added[i].loss;
        total = washi_add(total, washi_cast(next, washi_dtype_of(total)));
    }
    return total;
}

void wa_nn_added_free(struct wa_call *c)
{
    if (c->added) washi_resize(c->model->w, c->added, (size_t)c->room * sizeof *c->added, 0);
}
