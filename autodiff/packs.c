/* packs.c: right operands that several matrix products read, packed once for all of these. */
#include "autodiff/program.h"

#include <string.h>

/* -- the op -- */

static bool plan_pack(struct wa_step *s)
{
    struct wa_gemm *g = s->geometry = wa_step_new(s, sizeof *g);
    if (!g) return false;
    const struct wa_place *b = &s->x[0];
    g->k = (size_t)b->shape.dim[0];
    g->n = (size_t)b->shape.dim[1];
    g->b_row = b->transposed ? 1 : g->n;
    g->b_column = b->transposed ? g->k : 1;
    if (!s->lead) s->tasks = wa_tasks(s, wa_shape_bytes(s->y.shape, s->y.type), WA_GRAIN);
    return true;
}

static void run_pack(const struct wa_step *s, int task)
{
    struct wa_gemm g = *(const struct wa_gemm *)s->geometry;
    size_t begin, end;
    wa_share((size_t)s->y.shape.dim[0], s->tasks, task, &begin, &end);
    g.b = s->x[0].data;
    s->simd->gemm_pack[s->y.type](&g, begin, end, s->y.data);
}

const struct wa_op wa_op_pack = {.name = "pack",
                                 .doc = "a in panels, as a matrix product reads its right operand",
                                 .arity = 1,
                                 .plan = plan_pack,
                                 .run = run_pack};

/* -- which operands -- */

/* A value as the right operand of products, as it is or transposed. */
struct packing {
    int64_t calls; /* of the kernel, by one thread, that would each pack it; 0: it is not packed */
    int first;     /* the first of the products */
    int pack;
};

/* How often a thread packs the right operand of product v, of which it has a share of the rows. */
static int64_t calls_of(const struct wa_graph *g, const struct wa_value *v)
{
    const struct wa_place a = wa_operand_of(g, v, 0), b = wa_operand_of(g, v, 1);
    washi_shape y = v->node->shape;
    struct wa_gemm gemm = wa_gemm_of(&a, &b, (size_t)y.dim[y.rank - 1], v->gathered);
    int64_t products = wa_shape_span(y, 0, y.rank - 2), each = products / g->threads;
    if (products == 1) gemm.m = (gemm.m + (size_t)g->threads - 1) / (size_t)g->threads;
    bool packs = g->tape->arena.w->simd->gemm_packs[v->node->type](&gemm);
    return !packs ? 0 : each ? each : 1;
}

/* What product v has packed, among all, and how often; NULL: it does not. */
static struct packing *packing_of(const struct wa_graph *g, const struct wa_value *v,
                                  struct packing all[], int64_t *calls)
{
    bool product = v->live && v->node->op == &wa_op_matmul;
    if (!product || g->values[v->x[1]].node->shape.rank != 2) return NULL;
    *calls = calls_of(g, v);
    return *calls ? &all[2 * v->x[1] + v->transposed[1]] : NULL;
}

/* On one thread a pack costs what a product spends on its own, and is worth two. Threads write what the
 * others have read and read what the others have written, at up to ten times that cost where they do
 * not share a cache, and wait once more for one another. So little as less than this saves nothing. */
static bool pays(const struct wa_graph *g, const struct packing *p, int64_t bytes)
{
    enum { FEWEST = 2, FEWEST_ON_THREADS = 8, LEAST_BYTES = 1 << 18, LEAST_ON_THREADS = 1 << 20 };
    if (g->threads == 1) return p->calls >= FEWEST && p->calls * bytes >= LEAST_BYTES;
    return p->calls >= FEWEST_ON_THREADS && p->calls * bytes >= LEAST_ON_THREADS;
}

/* Returns how many there are to be packed. */
static int choose(const struct wa_graph *g, struct packing all[])
{
    int packs = 0;
    for (int v = 0; v < g->count; v++) {
        int64_t calls;
        struct packing *p = packing_of(g, &g->values[v], all, &calls);
        if (!p) continue;
        if (!p->calls) p->first = v;
        p->calls += calls;
    }
    for (int v = 0; v < g->count; v++)
        for (int turned = 0; turned < 2; turned++) {
            const washi_tensor *x = g->values[v].node;
            struct packing *p = &all[2 * v + turned];
            if (!pays(g, p, (int64_t)wa_shape_bytes(x->shape, x->type))) p->calls = 0;
            packs += p->calls > 0;
        }
    return packs;
}

/* -- the graph with its packs -- */

struct copy {
    struct wa_graph *g;
    washi_program *p; /* nodes live as long as it */
    struct wa_value *values;
    int count, *moved; /* by old value: where it is now */
    struct packing *all;
};

/* What product v reads as its right operand, packed. */
static bool add_pack(struct copy *c, const struct wa_value *v)
{
    const washi_tensor *x = c->g->values[v->x[1]].node;
    washi_tensor *node = wa_arena_new(&c->p->arena, sizeof *node, _Alignof(washi_tensor));
    struct wa_value *pack = &c->values[c->count++];
    *pack = *v;
    pack->node = node;
    pack->n = 1;
    pack->x = wa_arena_new(&c->g->arena, sizeof *pack->x, _Alignof(int));
    pack->transposed = wa_arena_new(&c->g->arena, 1, 1);
    pack->gathered = NULL;
    pack->keeps = pack->after = -1;
    if (!node || !pack->x || !pack->transposed) return false;
    *pack->x = c->moved[v->x[1]];
    *pack->transposed = v->transposed[1];
    int64_t k = x->shape.dim[v->transposed[1]], n = x->shape.dim[!v->transposed[1]];
    int64_t width = (int64_t)c->p->arena.w->simd->gemm_panel[x->type];
    memset(node, 0, sizeof *node);
    node->op = &wa_op_pack;
    node->tape = x->tape;
    node->id = x->id;
    node->type = x->type;
    node->shape = (washi_shape){3, {(n + width - 1) / width, k, width}};
    return true;
}

static bool copy_value(struct copy *c, int v)
{
    struct wa_value *old = &c->g->values[v];
    int64_t calls;
    struct packing *p = packing_of(c->g, old, c->all, &calls);
    if (p && !p->calls) p = NULL;
    if (p && p->first == v) {
        p->pack = c->count;
        if (!add_pack(c, old)) return false;
    }
    for (int i = 0; i < old->n; i++) old->x[i] = c->moved[old->x[i]];
    if (p) {
        old->x[1] = p->pack;
        old->transposed[1] = false;
    }
    if (old->after >= 0) old->after = c->moved[old->after];
    if (old->keeps >= 0) old->keeps = c->moved[old->keeps];
    c->moved[v] = c->count;
    c->values[c->count++] = *old;
    return true;
}

bool wa_graph_packs(struct wa_graph *g, washi_program *p)
{
    size_t count = (size_t)g->count;
    struct copy c = {.g = g, .p = p};
    c.all = wa_arena_new(&g->arena, (2 * count + 1) * sizeof *c.all, _Alignof(struct packing));
    c.moved = wa_arena_new(&g->arena, (count + 1) * sizeof *c.moved, _Alignof(int));
    if (!c.all || !c.moved) return false;
    memset(c.all, 0, (2 * count + 1) * sizeof *c.all);
    int packs = choose(g, c.all);
    if (!packs) return true;
    c.values =
        wa_arena_new(&g->arena, (count + (size_t)packs) * sizeof *c.values, _Alignof(struct wa_value));
    if (!c.values) return false;
    for (int v = 0; v < g->count; v++)
        if (!copy_value(&c, v)) return false;
    for (int i = 0; i < g->goal_count; i++) {
        struct wa_goal *goal = &g->goals[i];
        goal->value = c.moved[goal->value];
        if (goal->variable >= 0) goal->variable = c.moved[goal->variable];
    }
    g->values = c.values;
    g->count = c.count;
    return true;
}
