/* checkpoint.c: pieces of a recording that the reverse sweep computes again instead of keeping.
 *
 * A piece is the nodes that lead from tensors outside, its outer ones, to the result of a function. The
 * node "checkpoint" stands for that result, and reads the outer tensors too, so that its rule can
 * record the piece's nodes once more and sweep back through the copies. The copies read the inputs
 * through "recompute", whose value is its first operand but which comes after its second, the gradient:
 * so they are not equal to the first nodes, and not computed before they are wanted. */
#include "autodiff/step.h"
#include "autodiff/sweep.h"

#include <string.h>

#include "autodiff/rules.h"

struct piece {
    washi_tensor *y; /* the result */
    int first;       /* the id of the first node */
    int given, outers;
    washi_tensor **outer; /* first those given, then those that nodes read besides */
    int inners;
    washi_tensor **inner; /* the nodes that y needs, in order */
};

/* -- recompute -- */

static bool infer_first(washi_tensor *y)
{
    y->type = A->type;
    y->shape = A->shape;
    return true;
}

RULE(recompute)
{
    gx[0] = g;
    (void)y;
}

static bool plan_recompute(struct wa_step *s)
{
    s->tasks = wa_tasks(s, wa_shape_bytes(s->y.shape, s->y.type), WA_GRAIN);
    return true;
}

static void run_recompute(const struct wa_step *s, int task)
{
    size_t begin, end;
    wa_share(wa_shape_bytes(s->y.shape, s->y.type), s->tasks, task, &begin, &end);
    if (begin < end) memcpy((char *)s->y.data + begin, (const char *)s->x[0].data + begin, end - begin);
}

static const struct wa_op op_recompute = {.name = "recompute",
                                          .doc = "a, when b is there",
                                          .arity = 2,
                                          .infer = infer_first,
                                          .rule = recompute_rule,
                                          .plan = plan_recompute,
                                          .run = run_recompute};

/* -- recording a piece again -- */

/* What stands in the copies for x, an operand of the piece's nodes. */
static washi_tensor *stand_in(const struct piece *p, washi_tensor *const now[],
                              washi_tensor *const copy[], washi_tensor *x)
{
    if (x->id >= p->first && copy[x->id - p->first]) return copy[x->id - p->first];
    for (int i = 0; i < p->outers; i++)
        if (p->outer[i] == x) return now[i];
    return x;
}

/* The piece's result from `now` in the place of the outer tensors; copy has room for the nodes. */
static washi_tensor *record_again(const struct piece *p, washi_tensor *const now[],
                                  washi_tensor *copy[])
{
    washi_tensor *y = NULL;
    for (int k = 0; k < p->inners; k++) {
        const washi_tensor *node = p->inner[k];
        if (!node->n) continue; /* made of nothing, it stands for itself */
        washi_tensor **x =
            wa_arena_new(&node->tape->arena, (size_t)node->n * sizeof *x, _Alignof(washi_tensor *));
        if (!x) {
            washi_fail(node->tape, WASHI_NO_MEMORY, "%s", washi_message());
            return NULL;
        }
        for (int i = 0; i < node->n; i++) x[i] = stand_in(p, now, copy, node->x[i]);
        y = copy[node->id - p->first] = wa_record(node->op, node->n, x, &node->attr);
        if (!y) return NULL;
    }
    return y;
}

/* now: through recompute, or, those read besides that are real and may be weights, under a name of
 * their own, so that the gradient that reaches one of them does not go on to the next. Gradients are
 * added to the operands' one by one, as a sweep through the first nodes would add them: sums in another
 * order have other bits. */
static void sweep_again(const struct piece *p, washi_tensor *y, washi_tensor *g, washi_tensor *gx[],
                        washi_tensor **now, washi_tensor **copy)
{
    washi_tensor **real = now + p->outers, **d = real + p->outers;
    int reals = 0;
    for (int i = 0; i < p->outers; i++) {
        washi_tensor *x = y->x[1 + i];
        bool again = i < p->given || !wa_is_real(x->type);
        now[i] = again ? record2(&op_recompute, x, g, (struct wa_attr){0})
                       : record1(&wa_op_reshape, x, (struct wa_attr){.shape = x->shape});
        if (!now[i]) return;
        if (!wa_is_real(x->type)) continue;
        real[reals] = now[i];
        d[reals++] = gx[1 + i];
    }
    washi_tensor *result = record_again(p, now, copy);
    if (!result || wa_sweep(1, &result, &g, reals, real, d)) return;
    for (int i = 0, k = 0; i < p->outers; i++)
        if (wa_is_real(now[i]->type)) gx[1 + i] = d[k++];
}

RULE(checkpoint)
{
    const struct piece *p = y->attr.data;
    const size_t nodes = (size_t)(p->y->id - p->first) + 1,
                 size = (nodes + 3 * (size_t)p->outers) * sizeof(washi_tensor *);
    washi_tensor **copy = wa_new(y->tape->arena.w, size);
    if (copy)
        sweep_again(p, y, g, gx, copy + nodes, copy);
    else
        washi_fail(y->tape, WASHI_NO_MEMORY, "%s", washi_message());
    wa_free(y->tape->arena.w, copy, size);
}

static const struct wa_op op_checkpoint = {.name = "checkpoint",
                                           .doc = "a, computed again for its derivatives",
                                           .arity = -1,
                                           .infer = infer_first,
                                           .rule = checkpoint_rule,
                                           .sums = true,
                                           .view = true,
                                           .alias = true};

/* -- finding a piece -- */

/* Whether the node is computed within the piece that begins with the node `first`. */
static bool is_inner(const washi_tensor *x, int first) { return x->id >= first && !x->op->source; }

/* Marks what y needs: inner nodes, and the outer tensors that they read; counts both. */
static void mark_piece(const washi_tape *t, struct piece *p, bool *needed)
{
    needed[p->y->id] = true;
    for (int id = p->y->id; id >= p->first; id--) {
        const washi_tensor *node = t->nodes[id];
        if (!needed[id] || node->op->source) continue;
        p->inners++;
        for (int i = 0; i < node->n; i++) needed[node->x[i]->id] = true;
    }
}

/* A real constant of the piece itself has no gradient that anybody could ask for. */
static bool is_number(const washi_tensor *x) { return x->op == &wa_op_constant && wa_is_real(x->type); }

static bool is_new(const struct piece *p, const washi_tensor *x)
{
    for (int i = 0; i < p->outers; i++)
        if (p->outer[i] == x) return false;
    return true;
}

/* Makes the piece's lists: given are the function's n inputs, each once. */
static bool list_piece(washi_tape *t, struct piece *p, bool *needed, washi_tensor *const x[])
{
    for (int i = 0; i < p->given; i++) needed[x[i]->id] = false;
    size_t most = (size_t)p->given;
    for (int id = 0; id <= p->y->id; id++) most += needed[id];
    most -= (size_t)p->inners;
    p->outer = wa_arena_new(&t->arena, most * sizeof *p->outer, _Alignof(washi_tensor *));
    p->inner = wa_arena_new(&t->arena, (size_t)p->inners * sizeof *p->inner, _Alignof(washi_tensor *));
    if (!p->outer || !p->inner) return false;
    p->inners = 0;
    for (int i = 0, given = p->given; i < given; i++)
        if (is_new(p, x[i]))
            p->outer[p->outers++] = x[i];
        else
            p->given--;
    for (int id = 0; id <= p->y->id; id++) {
        washi_tensor *node = t->nodes[id];
        if (needed[id] && is_inner(node, p->first))
            p->inner[p->inners++] = node;
        else if (needed[id] && !(id >= p->first && is_number(node)))
            p->outer[p->outers++] = node;
    }
    return true;
}

static struct piece *find_piece(washi_tensor *y, int first, int n, washi_tensor *const x[])
{
    washi_tape *t = y->tape;
    struct piece *p = wa_arena_new(&t->arena, sizeof *p, _Alignof(struct piece));
    const size_t count = (size_t)y->id + 1;
    bool *needed = wa_new(t->arena.w, count);
    if (p && needed) {
        *p = (struct piece){.y = y, .first = first, .given = n};
        mark_piece(t, p, needed);
    }
    bool made = p && needed && list_piece(t, p, needed, x);
    wa_free(t->arena.w, needed, count);
    if (made) return p;
    washi_fail(t, WASHI_NO_MEMORY, "%s", washi_message());
    return NULL;
}

static washi_tensor *record_checkpoint(struct piece *p)
{
    washi_tape *t = p->y->tape;
    washi_tensor **x =
        wa_arena_new(&t->arena, ((size_t)p->outers + 1) * sizeof *x, _Alignof(washi_tensor *));
    if (!x) {
        washi_fail(t, WASHI_NO_MEMORY, "%s", washi_message());
        return NULL;
    }
    x[0] = p->y;
    memcpy(x + 1, p->outer, (size_t)p->outers * sizeof *x);
    return wa_record(&op_checkpoint, p->outers + 1, x, &(struct wa_attr){.data = p});
}

washi_tensor *washi_checkpoint(washi_graph_fn *fn, const void *config, int n, washi_tensor *const x[])
{
    washi_tape *t = NULL;
    for (int i = 0; x && i < n && !t; i++) t = washi_tape_of(x[i]);
    if (t && t->status) return NULL;
    if (!fn || !t) {
        wa_missing(t, "checkpoint: %s is NULL", fn ? "a tensor" : "the function");
        return NULL;
    }
    for (int i = 0; i < n; i++)
        if (!x[i] || x[i]->tape != t) {
            washi_fail(t, WASHI_MISUSE, "checkpoint: x[%d] is %s", i,
                       x[i] ? "on another tape" : "NULL");
            return NULL;
        }
    const int first = (int)t->count;
    washi_tensor *y = fn(n, x, config);
    if (t->status) return NULL;
    if (!y || y->tape != t) {
        washi_fail(t, WASHI_MISUSE, "checkpoint: the function's result is %s",
                   y ? "on another tape" : "NULL");
        return NULL;
    }
    if (!is_inner(y, first)) return y;
    struct piece *p = find_piece(y, first, n, x);
    return p ? record_checkpoint(p) : NULL;
}
