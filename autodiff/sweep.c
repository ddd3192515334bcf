/* sweep.c: the reverse sweep, through each op's rule. */
#include "autodiff/sweep.h"

#include "autodiff/rules.h"

struct sweep {
    washi_tape *tape;
    size_t first, count;  /* of the nodes between the x and the y */
    washi_tensor **grads; /* of each */
    bool *active;         /* whether it depends on some x */
};

/* Whether g can be a gradient of operand i of y: a rule of the user's own may have made it. */
static bool fits(const washi_tensor *y, int i, const washi_tensor *g)
{
    const washi_tensor *x = y->x[i];
    washi_shape both;
    char a[WA_TENSOR_TEXT], b[WA_TENSOR_TEXT];
    if (g->tape != y->tape)
        return wa_op_error(y, WASHI_MISUSE, "the rule's gradient of operand %d is on another tape", i);
    if (g->type == x->type &&
        (wa_shape_equal(x->shape, g->shape) ||
         (wa_shape_broadcast(x->shape, g->shape, &both) && wa_shape_equal(both, g->shape))))
        return true;
    return wa_op_error(y, WASHI_BAD_SHAPE, "the rule's gradient of operand %d is %s, not %s", i,
                       wa_tensor_text(g, a), wa_tensor_text(x, b));
}

washi_tensor *wa_sum_to(washi_tensor *g, washi_shape shape)
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

static bool within(const struct sweep *s, const washi_tensor *x)
{
    return (size_t)x->id >= s->first && (size_t)x->id < s->first + s->count;
}

static bool is_active(const struct sweep *s, const washi_tensor *x)
{
    return within(s, x) && s->active[(size_t)x->id - s->first];
}

static washi_tensor **gradient_of(const struct sweep *s, const washi_tensor *x)
{
    return &s->grads[(size_t)x->id - s->first];
}

static void accumulate(struct sweep *s, const washi_tensor *x, washi_tensor *g)
{
    if (!within(s, x)) return;
    washi_tensor **sum = gradient_of(s, x);
    *sum = *sum ? add(*sum, g) : g;
}

static void mark_active(struct sweep *s, int nx, washi_tensor *const x[])
{
    for (int i = 0; i < nx; i++)
        if (within(s, x[i])) s->active[(size_t)x[i]->id - s->first] = true;
    for (size_t k = 0; k < s->count; k++) {
        const washi_tensor *y = s->tape->nodes[s->first + k];
        for (int i = 0; i < y->n && !s->active[k]; i++) s->active[k] = is_active(s, y->x[i]);
    }
}

static void go_back(struct sweep *s, washi_tensor *y, washi_tensor *g)
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
    for (int i = 0; i < y->n && y->op->sums; i++)
        if (within(s, y->x[i])) gx[i] = *gradient_of(s, y->x[i]);
    y->op->rule(y, g, gx);
    for (int i = 0; i < y->n && !s->tape->status; i++) {
        if (!gx[i] || !is_active(s, y->x[i]) || !fits(y, i, gx[i])) continue;
        if (y->op->sums) *gradient_of(s, y->x[i]) = NULL;
        accumulate(s, y->x[i], wa_sum_to(gx[i], y->x[i]->shape));
    }
}

static void sweep(struct sweep *s, int ny, washi_tensor *const y[], washi_tensor *const v[], int nx,
                  washi_tensor *const x[], washi_tensor *dx[])
{
    mark_active(s, nx, x);
    for (int i = 0; i < nx; i++)
        if (dx[i]) accumulate(s, x[i], dx[i]);
    for (int j = 0; j < ny; j++) accumulate(s, y[j], v[j]);
    washi_tape *t = s->tape;
    const washi_tensor *outer = t->gradient;
    for (size_t k = s->count; k-- > 0 && !t->status;) {
        washi_tensor *node = t->nodes[s->first + k];
        t->gradient = s->grads[k];
        if (s->grads[k] && s->active[k] && node->op->rule) go_back(s, node, s->grads[k]);
    }
    t->gradient = outer;
    for (int i = 0; i < nx && !s->tape->status; i++)
        if (within(s, x[i])) dx[i] = *gradient_of(s, x[i]);
}

washi_status wa_sweep(int ny, washi_tensor *const y[], washi_tensor *const v[], int nx,
                      washi_tensor *const x[], washi_tensor *dx[])
{
    if (!nx || !ny) return WASHI_OK;
    washi_tape *t = x[0]->tape;
    int first = x[0]->id, last = y[0]->id;
    for (int i = 1; i < nx; i++) first = x[i]->id < first ? x[i]->id : first;
    for (int j = 1; j < ny; j++) last = y[j]->id > last ? y[j]->id : last;
    if (last < first) return t->status;

    struct sweep s = {.tape = t, .first = (size_t)first, .count = (size_t)(last - first) + 1};
    s.grads = wa_new(t->arena.w, s.count * sizeof *s.grads);
    s.active = wa_new(t->arena.w, s.count * sizeof *s.active);
    int outer = t->sweep;
    t->sweep = (int)t->count;
    if (s.grads && s.active)
        sweep(&s, ny, y, v, nx, x, dx);
    else
        washi_fail(t, WASHI_NO_MEMORY, "%s", washi_message());
    t->sweep = outer;
    wa_free(t->arena.w, s.grads, s.count * sizeof *s.grads);
    wa_free(t->arena.w, s.active, s.count * sizeof *s.active);
    for (int i = 0; t->status && i < nx; i++) dx[i] = NULL;
    return t->status;
}
