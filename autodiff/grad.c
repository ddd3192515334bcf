/* grad.c: derivatives, recorded on the tape they are of. */
#include "autodiff/step.h"

#include "autodiff/rules.h"

/* Undoes broadcasting: sums g over the axes along which a tensor of this shape was stretched. */
static washi_tensor *sum_to(washi_tensor *g, washi_shape shape)
{
    if (!g || wa_shape_equal(g->shape, shape)) return g;
    int more = g->shape.rank - shape.rank;
    for (int end = g->shape.rank; end > 0;) {
        int begin = end;
        while (begin > 0 &&
               (begin - 1 < more || (shape.dim[begin - 1 - more] == 1 && g->shape.dim[begin - 1] != 1)))
            begin--;
        if (begin < end) g = record1(&wa_op_sum, g, (struct wa_attr){.begin = begin, .end = end});
        end = begin < end ? begin : end - 1;
        if (!g) return NULL;
    }
    return washi_reshape(g, shape);
}

struct sweep {
    washi_tape *tape;
    size_t count;         /* nodes when the sweep began */
    washi_tensor **grads; /* by id */
    bool *active;         /* by id: depends on some x */
};

/* Whether g can be a gradient of operand i of y: a rule of the user's own may have made it. */
static bool fits(const washi_tensor *y, int i, const washi_tensor *g)
{
    const washi_tensor *x = y->x[i];
    washi_shape both;
    char a[WA_SHAPE_TEXT], b[WA_SHAPE_TEXT];
    if (g->tape != y->tape)
        return wa_op_error(y, WASHI_MISUSE, "the rule's gradient of operand %d is on another tape", i);
    if (g->type == x->type && wa_shape_broadcast(x->shape, g->shape, &both) &&
        wa_shape_equal(both, g->shape))
        return true;
    return wa_op_error(y, WASHI_BAD_SHAPE, "the rule's gradient of operand %d is %s %s, not %s %s", i,
                       washi_dtype_name(g->type), wa_shape_text(g->shape, a), washi_dtype_name(x->type),
                       wa_shape_text(x->shape, b));
}

static void accumulate(struct sweep *s, const washi_tensor *x, washi_tensor *g)
{
    washi_tensor **sum = &s->grads[x->id];
    *sum = *sum ? add(*sum, g) : g;
}

static void mark_active(struct sweep *s, int nx, washi_tensor *const x[])
{
    for (int i = 0; i < nx; i++) s->active[x[i]->id] = true;
    for (size_t id = 0; id < s->count; id++) {
        const washi_tensor *y = s->tape->nodes[id];
        for (int i = 0; i < y->n && !s->active[id]; i++) s->active[id] = s->active[y->x[i]->id];
    }
}

static void go_back(struct sweep *s, washi_tensor *y)
{
    enum { FEW = 16 };
    washi_tensor *few[FEW] = {NULL}, **gx = few;
    if (y->n > FEW) {
        gx = wa_arena_new(&s->tape->arena, (size_t)y->n * sizeof *gx, _Alignof(washi_tensor *));
        if (!gx) {
            washi_fail(s->tape, WASHI_NO_MEMORY, "%s", washi_message());
            return;
        }
        for (int i = 0; i < y->n; i++) gx[i] = NULL;
    }
    y->op->rule(y, s->grads[y->id], gx);
    for (int i = 0; i < y->n && !s->tape->status; i++)
        if (gx[i] && s->active[y->x[i]->id] && fits(y, i, gx[i]))
            accumulate(s, y->x[i], sum_to(gx[i], y->x[i]->shape));
}

static washi_status sweep(struct sweep *s, int ny, washi_tensor *const y[], washi_tensor *const v[],
                          int nx, washi_tensor *const x[], washi_tensor *dx[])
{
    mark_active(s, nx, x);
    for (int j = 0; j < ny; j++) accumulate(s, y[j], v[j]);
    for (size_t id = s->count; id-- > 0 && !s->tape->status;)
        if (s->grads[id] && s->active[id] && s->tape->nodes[id]->op->rule)
            go_back(s, s->tape->nodes[id]);
    for (int i = 0; i < nx && !s->tape->status; i++)
        dx[i] =
            s->grads[x[i]->id] ? s->grads[x[i]->id] : washi_full(s->tape, x[i]->type, x[i]->shape, 0);
    return s->tape->status;
}

/* Checks n tensors of a call: there, real, on tape *t (found at the first). */
static washi_status check(const char *who, const char *name, int n, washi_tensor *const x[],
                          washi_tape **t)
{
    if (n < 0 || (n && !x)) return washi_fail(*t, WASHI_MISUSE, "%s: %d tensors in %s", who, n, name);
    for (int i = 0; i < n; i++) {
        if (x[i] && !*t) *t = x[i]->tape;
        if (*t && (*t)->status) return (*t)->status;
        if (!x[i]) return wa_missing(*t, "%s: %s[%d] is NULL", who, name, i);
        if (x[i]->tape != *t)
            return washi_fail(*t, WASHI_MISUSE, "%s: %s[%d] is on another tape", who, name, i);
        if (!wa_is_real(x[i]->type))
            return washi_fail(*t, WASHI_BAD_TYPE, "%s: %s[%d] is of type %s, which has no derivative",
                              who, name, i, washi_dtype_name(x[i]->type));
    }
    return WASHI_OK;
}

static washi_status check_like(const char *who, int n, washi_tensor *const v[], washi_tensor *const y[])
{
    char a[WA_SHAPE_TEXT], b[WA_SHAPE_TEXT];
    for (int i = 0; i < n; i++)
        if (v[i]->type != y[i]->type || !wa_shape_equal(v[i]->shape, y[i]->shape))
            return washi_fail(v[i]->tape, WASHI_BAD_SHAPE, "%s: v[%d] is %s %s where %s %s is wanted",
                              who, i, washi_dtype_name(v[i]->type), wa_shape_text(v[i]->shape, a),
                              washi_dtype_name(y[i]->type), wa_shape_text(y[i]->shape, b));
    return WASHI_OK;
}

washi_status washi_vjp(int ny, washi_tensor *const y[], washi_tensor *const v[], int nx,
                       washi_tensor *const x[], washi_tensor *dx[])
{
    washi_tape *t = NULL;
    washi_status status;
    for (int i = 0; dx && i < nx; i++) dx[i] = NULL;
    if ((status = check("vjp", "y", ny, y, &t)) || (status = check("vjp", "v", ny, v, &t)) ||
        (status = check("vjp", "x", nx, x, &t)) || (status = check_like("vjp", ny, v, y)))
        return status;
    if (nx && !dx) return washi_fail(t, WASHI_MISUSE, "vjp: the place for the derivatives is NULL");
    if (!t || !nx) return WASHI_OK;

    washi *w = t->arena.w;
    struct sweep s = {.tape = t, .count = t->count};
    s.grads = wa_new(w, s.count * sizeof *s.grads);
    s.active = wa_new(w, s.count * sizeof *s.active);
    if (s.grads && s.active)
        status = sweep(&s, ny, y, v, nx, x, dx);
    else
        status = washi_fail(t, WASHI_NO_MEMORY, "vjp: no memory for %zu nodes", s.count);
    wa_free(w, s.grads, s.count * sizeof *s.grads);
    wa_free(w, s.active, s.count * sizeof *s.active);
    for (int i = 0; status && i < nx; i++) dx[i] = NULL;
    return status;
}

washi_status washi_grad(washi_tensor *y, int n, washi_tensor *const x[], washi_tensor *dx[])
{
    washi_tape *t = NULL;
    for (int i = 0; dx && i < n; i++) dx[i] = NULL;
    washi_status status = check("grad", "y", 1, &y, &t);
    if (status) return status;
    washi_tensor *one = washi_full(t, y->type, y->shape, 1);
    return one ? washi_vjp(1, &y, &one, n, x, dx) : t->status;
}

/* The vjp is linear in its v: its own vjp, with any v, is the jvp. */
washi_status washi_jvp(int ny, washi_tensor *const y[], int nx, washi_tensor *const x[],
                       washi_tensor *const v[], washi_tensor *dy[])
{
    washi_tape *t = NULL;
    washi_status status;
    for (int j = 0; dy && j < ny; j++) dy[j] = NULL;
    if ((status = check("jvp", "y", ny, y, &t)) || (status = check("jvp", "x", nx, x, &t)) ||
        (status = check("jvp", "v", nx, v, &t)) || (status = check_like("jvp", nx, v, x)))
        return status;
    if (!t || !ny || !nx) return t && ny ? washi_fail(t, WASHI_MISUSE, "jvp: no x") : WASHI_OK;

    size_t pointers = (size_t)(nx + ny);
    washi_tensor **u = wa_arena_new(&t->arena, pointers * sizeof *u, _Alignof(washi_tensor *));
    if (!u) return washi_fail(t, WASHI_NO_MEMORY, "%s", washi_message());
    washi_tensor **back = u + ny;
    for (int j = 0; j < ny; j++) u[j] = washi_input(t, y[j]->type, y[j]->shape);
    status = washi_vjp(ny, y, u, nx, x, back);
    return status ? status : washi_vjp(nx, back, v, ny, u, dy);
}
