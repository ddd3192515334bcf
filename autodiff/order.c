/* order.c: the order of a step's members, such that each goes on with what the one before made where it
 * can: chains then carry their values in registers (plan_chain.c). */
#include "autodiff/program.h"

#include <string.h>

struct order {
    struct wa_graph *g;
    int *first, *next, *to; /* edges from values to readers of the same step, as chains */
    int edges;
    int *waiting; /* by value: operands of the step that are not placed */
    int *left;    /* by value: reads by members that are not placed */
};

static bool inside(const struct wa_graph *g, int v, int base)
{
    return g->values[base].step >= 0 && g->values[base].step == g->values[v].step;
}

static void find_edges(struct order *o)
{
    struct wa_graph *g = o->g;
    for (int v = g->count; v-- > 0;) {
        const struct wa_value *value = &g->values[v];
        o->waiting[v] = 0;
        for (int k = 0; value->step >= 0 && k < value->n; k++) {
            int base = wa_base_of(g, value->x[k]);
            if (!inside(g, v, base)) continue;
            o->waiting[v]++;
            o->left[base]++;
            o->to[o->edges] = v;
            o->next[o->edges] = o->first[base];
            o->first[base] = o->edges++;
        }
    }
}

/* How many values nobody needs once v is placed. */
static int freed_by(const struct order *o, int v)
{
    const struct wa_value *value = &o->g->values[v];
    int freed = 0;
    for (int k = 0; k < value->n; k++) {
        int base = wa_base_of(o->g, value->x[k]);
        freed += inside(o->g, v, base) && o->left[base] == 1;
    }
    return freed;
}

/* Of the readers of the value placed last that can come now and read it element by element, the one
 * that frees most; -1: there is none. */
static int reader_of(const struct order *o, int last)
{
    const struct wa_value *values = o->g->values;
    int best = -1, most = -1;
    for (int e = last < 0 ? -1 : o->first[last]; e >= 0; e = o->next[e]) {
        int v = o->to[e];
        if (o->waiting[v] || values[v].placed || values[v].node->op->fusion != WA_FUSE_MAP ||
            values[v].form != values[last].form)
            continue;
        int freed = freed_by(o, v);
        if (freed > most) best = v, most = freed;
    }
    return best;
}

static void place(struct order *o, int v)
{
    const struct wa_value *value = &o->g->values[v];
    o->g->values[v].placed = true;
    for (int k = 0; k < value->n; k++) {
        int base = wa_base_of(o->g, value->x[k]);
        if (inside(o->g, v, base)) o->left[base]--;
    }
    for (int e = o->first[v]; e >= 0; e = o->next[e]) o->waiting[o->to[e]]--;
}

/* Folds in chunks come when all else is made, which reads none of them. */
static void put_folds_last(const struct wa_value *values, int *list, int n, int *out)
{
    int k = 0;
    for (int last = 0; last < 2; last++)
        for (int i = 0; i < n; i++)
            if ((values[list[i]].form == WA_FOLDED) == last) out[k++] = list[i];
    memcpy(list, out, (size_t)n * sizeof *list);
}

/* list[0 ... n-1] are the members of a step as they stand on the tape; puts them in order. */
static void order_step(struct order *o, int *list, int n, int *out)
{
    struct wa_value *values = o->g->values;
    int from = 0, last = -1;
    put_folds_last(values, list, n, out);
    for (int i = 0; i < n; i++) {
        int v = reader_of(o, last);
        if (v < 0) {
            /* The earliest that is left can come: all that it reads is earlier. */
            while (values[list[from]].placed) from++;
            v = list[from];
        }
        place(o, v);
        out[i] = last = v;
    }
    memcpy(list, out, (size_t)n * sizeof *list);
}

bool wa_graph_order(struct wa_graph *g)
{
    size_t count = (size_t)g->count + 1, edges = 1;
    for (int v = 0; v < g->count; v++) edges += (size_t)g->values[v].n;
    struct order o = {.g = g,
                      .first = wa_arena_new(&g->arena, count * sizeof(int), _Alignof(int)),
                      .next = wa_arena_new(&g->arena, edges * sizeof(int), _Alignof(int)),
                      .to = wa_arena_new(&g->arena, edges * sizeof(int), _Alignof(int)),
                      .waiting = wa_arena_new(&g->arena, count * sizeof(int), _Alignof(int)),
                      .left = wa_arena_new(&g->arena, count * sizeof(int), _Alignof(int))};
    int *out = wa_arena_new(&g->arena, count * sizeof *out, _Alignof(int));
    if (!o.first || !o.next || !o.to || !o.waiting || !o.left || !out) return false;
    memset(o.first, -1, count * sizeof(int));
    memset(o.left, 0, count * sizeof(int));
    find_edges(&o);
    for (int s = 0; s < g->steps; s++)
        order_step(&o, g->member + g->first[s], g->first[s + 1] - g->first[s], out);
    for (int i = 0; i < g->first[g->steps]; i++) g->values[g->member[i]].at = i;
    return true;
}
