/* own.c: ops of the user's own: a washi_op in the clothes of an entry of the table. */
#include "autodiff/step.h"

#include <string.h>

struct wa_own {
    struct wa_op op; /* what nodes point to */
    washi_op own;    /* fields beyond what the caller's version had are zero */
    struct wa_own *next;
};

static const washi_op *own_of(const struct wa_op *op) { return &((const struct wa_own *)op)->own; }

static bool infer(washi_tensor *y)
{
    const washi_op *own = own_of(y->op);
    y->type = y->x[0]->type;
    y->shape = y->x[0]->shape;
    washi_status status =
        own->infer ? own->infer(y->n, y->x, washi_params(y), &y->type, &y->shape) : WASHI_OK;
    if (status) return wa_op_error(y, status, "%s", washi_message());
    if (washi_dtype_size(y->type)) return true;
    return wa_op_error(y, WASHI_BAD_TYPE, "there is no type %d", (int)y->type);
}

static void refuse(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
{
    (void)g;
    (void)gx;
    wa_op_error(y, WASHI_UNSUPPORTED, "this op has no derivative rule");
}

/* An op that the rule records may refuse what it gets: the message says whose rule it was. */
static void derive(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
{
    own_of(y->op)->rule(y, g, gx);
    if (y->tape->status) wa_error(y->tape->status, "%s, its rule: %s", y->op->name, washi_message());
}

static washi_step *view_of(const struct wa_step *s) { return s->geometry; }

static bool plan(struct wa_step *s)
{
    washi_step *view = wa_step_new(s, sizeof *view);
    washi_array *x = wa_step_new(s, (size_t)s->n * sizeof *x);
    if (!view || !x) return false;
    for (int i = 0; i < s->n; i++) x[i] = (washi_array){s->x[i].type, s->x[i].shape, NULL};
    *view = (washi_step){
        .n = s->n, .x = x, .type = s->y.type, .shape = s->y.shape, .params = washi_params(s->node)};
    const washi_op *own = own_of(s->op);
    s->geometry = view;
    s->tasks = 1;
    s->scratch_bytes = own->scratch ? own->scratch(view) : 0;
    if (s->scratch_bytes <= SIZE_MAX / 4) return true;
    wa_error(WASHI_NO_MEMORY, "%s: no memory for %zu bytes of scratch", own->name, s->scratch_bytes);
    return false;
}

/* A run that may fail stands where other ops check their indices: there a failure is heard. */
static washi_status run_whole(const struct wa_step *s)
{
    washi_step *view = view_of(s);
    washi_array *x = (washi_array *)(uintptr_t)view->x;
    for (int i = 0; i < s->n; i++) x[i].data = s->x[i].data;
    view->y = s->y.data;
    view->scratch = s->scratch_bytes ? s->scratch : NULL;
    washi_status status = own_of(s->op)->run(view);
    return status ? wa_error(status, "%s: %s", s->op->name, washi_message()) : WASHI_OK;
}

static void run_nothing(const struct wa_step *s, int task)
{
    (void)s;
    (void)task;
}

/* The entry of an op on its tape: one for all washi_op of the same content. */
static const struct wa_op *entry_of(washi_tape *t, const washi_op *op)
{
    washi_op own;
    memset(&own, 0, sizeof own);
    memcpy(&own, op, op->struct_size < sizeof own ? op->struct_size : sizeof own);
    for (struct wa_own *o = t->own; o; o = o->next)
        if (!memcmp(&o->own, &own, sizeof own)) return &o->op;
    struct wa_own *o = wa_arena_new(&t->arena, sizeof *o, _Alignof(struct wa_own));
    if (!o) {
        washi_fail(t, WASHI_NO_MEMORY, "%s", washi_message());
        return NULL;
    }
    memset(o, 0, sizeof *o);
    memcpy(&o->own, &own, sizeof own);
    o->op = (struct wa_op){.name = own.name,
                           .doc = own.doc ? own.doc : "",
                           .arity = own.arity,
                           .infer = infer,
                           .rule = own.rule ? derive : refuse,
                           .plan = plan,
                           .check = run_whole,
                           .checked = -1,
                           .run = run_nothing};
    o->next = t->own;
    t->own = o;
    return &o->op;
}

/* Whether a call names a complete op and as many operands as it takes. */
static bool complete(washi_tape *t, const washi_op *op, int n)
{
    enum { LEAST = offsetof(washi_op, rule) };
    if (!op) {
        washi_fail(t, WASHI_MISUSE, "apply: the op is NULL");
        return false;
    }
    if (op->struct_size < LEAST) {
        washi_fail(t, WASHI_MISUSE, "apply: the op's struct_size is %zu, not sizeof(washi_op)",
                   op->struct_size);
        return false;
    }
    if (!op->name || !op->run || !op->arity || op->arity < -1) {
        washi_fail(t, WASHI_MISUSE,
                   "apply: %s needs a name, a run function and an arity of -1 or from 1",
                   op->name ? op->name : "the op");
        return false;
    }
    if (n >= 1 && (op->arity < 0 || op->arity == n)) return true;
    washi_fail(t, WASHI_MISUSE, "%s: %d operands where %s%d %s wanted", op->name, n,
               op->arity < 0 ? "at least " : "", op->arity < 0 ? 1 : op->arity,
               op->arity == 1 || op->arity < 0 ? "is" : "are");
    return false;
}

washi_tensor *washi_apply(const washi_op *op, int n, washi_tensor *const x[], const void *params,
                          size_t params_size)
{
    washi_tape *t = NULL;
    for (int i = 0; x && i < n && !t; i++) t = washi_tape_of(x[i]);
    if (t && t->status) return NULL;
    if (!complete(t, op, n)) return NULL;
    if (!t || (params_size && !params)) {
        wa_missing(t, t ? "%s: the parameters are NULL" : "%s: a tensor is NULL", op->name);
        return NULL;
    }
    struct wa_attr attr = {.size = params_size};
    void *copy = params_size ? wa_arena_new(&t->arena, params_size, WA_ALIGN) : NULL;
    if (params_size && !copy) {
        washi_fail(t, WASHI_NO_MEMORY, "%s", washi_message());
        return NULL;
    }
    if (params_size) memcpy(copy, params, params_size);
    attr.data = copy;
    const struct wa_op *entry = entry_of(t, op);
    return entry ? wa_record(entry, n, x, &attr) : NULL;
}

const void *washi_params(const washi_tensor *y) { return y ? y->attr.data : NULL; }
