/* recompute.c: values that would be kept for a reverse sweep alone are made again when it wants them.
 *
 * What a sweep reads of the nodes before it lies in memory until then. Of cheap elementwise values it
 * is enough to keep some from which the others follow: those on a minimum cut, a value's capacity being
 * its bytes, between the values that must be kept to be had and those that sweeps read. Of several such
 * cuts it is the one nearest to the reads, so that nothing is made again for no gain. What is behind it
 * gets a copy, which stands before its first reader and comes after the gradient that this reader takes
 * back.
 *
 * The cut is found by augmenting paths (Ford and Fulkerson 1956). A value is two points, its making and
 * its reading, with its capacity between; an operand's reading is followed by the making of what reads
 * it. Paths are searched backwards, from the reads. */
#include "autodiff/program.h"

#include <limits.h>
#include <string.h>

/* A value made again has at least so many bytes, and costs less than so many nanoseconds an element. */
enum { FEWEST_BYTES = 1024, MOST_COST = 5 };

struct cut {
    struct wa_graph *g;
    bool *again;            /* by value: it can be made again */
    int *edge;              /* by value: the number of its first operand among all */
    int *first, *next, *to; /* by operand: the value that it is read by, as chains by what is read */
    size_t *capacity, *flow, *flow_along; /* by value, by value, by operand */
    int *toward; /* by point: the next one on the way to a read; NONE: not reached, READ: a read */
    int *queue;
};
enum { NONE = -2, READ = -1 };

static int making(int v) { return 2 * v; }
static int reading(int v) { return 2 * v + 1; }

/* Whether v was there before the sweep that recorded the reader. */
static bool is_kept_for(const struct wa_graph *g, int reader, int v)
{
    return g->values[reader].live && g->values[reader].node->sweep > g->values[v].node->id;
}

static bool can_be_made_again(const struct wa_value *v)
{
    const washi_tensor *y = v->node;
    if (y->op->view) return true;
    return (y->op->fusion == WA_FUSE_MAP || y->op->fusion == WA_FUSE_CAST) && v->n &&
           y->op->cost < MOST_COST && wa_shape_bytes(y->shape, y->type) >= FEWEST_BYTES;
}

/* -- flow -- */

/* Of x and a value that reads it: the operand. */
static int edge_of(const struct cut *c, int x, int reader)
{
    int k = 0;
    while (c->g->values[reader].x[k] != x) k++;
    return c->edge[reader] + k;
}

/* What can still flow from a point to the next, or (add) flows more. */
static size_t room(struct cut *c, int from, int to, size_t add)
{
    int a = from / 2, b = to / 2;
    bool makes = from == making(a);
    if (a == b) {
        c->flow[a] += makes ? add : 0 - add;
        return makes ? c->capacity[a] - c->flow[a] : c->flow[a];
    }
    size_t *along = &c->flow_along[makes ? edge_of(c, b, a) : edge_of(c, a, b)];
    *along += makes ? 0 - add : add;
    return makes ? *along : SIZE_MAX;
}

static void augment(struct cut *c, int from)
{
    size_t most = SIZE_MAX;
    for (int p = from; c->toward[p] != READ; p = c->toward[p]) {
        size_t here = room(c, p, c->toward[p], 0);
        if (most > here) most = here;
    }
    for (int p = from; c->toward[p] != READ; p = c->toward[p]) room(c, p, c->toward[p], most);
}

static int reach(struct cut *c, int count, int from, int to)
{
    if (c->toward[from] != NONE || (to != READ && !room(c, from, to, 0))) return count;
    c->toward[from] = to;
    c->queue[count] = from;
    return count + 1;
}

/* The points before p from which more can flow to it. */
static int reach_before(struct cut *c, int count, int p)
{
    int v = p / 2;
    const struct wa_value *value = &c->g->values[v];
    if (p == making(v)) {
        count = reach(c, count, reading(v), p);
        for (int i = 0; i < value->n; i++)
            if (!c->g->values[value->x[i]].node->op->source)
                count = reach(c, count, reading(value->x[i]), p);
        return count;
    }
    count = reach(c, count, making(v), p);
    for (int e = c->first[v]; e >= 0; e = c->next[e])
        if (c->again[c->to[e]]) count = reach(c, count, making(c->to[e]), p);
    return count;
}

/* Sends what can be sent to the read of v; the points reached when nothing can any more stay reached,
 * and no later path comes to them. */
static void fill(struct cut *c, int v)
{
    for (bool sent = true; sent;) {
        sent = false;
        int count = reach(c, 0, reading(v), READ);
        for (int i = 0; i < count && !sent; i++) {
            int p = c->queue[i];
            sent = p == making(p / 2) && !c->again[p / 2];
            if (sent)
                augment(c, p);
            else
                count = reach_before(c, count, p);
        }
        for (int i = 0; i < count && sent; i++) c->toward[c->queue[i]] = NONE;
    }
}

/* -- the cut -- */

static void *new_list(struct wa_graph *g, size_t n, size_t size, int byte)
{
    void *list = wa_arena_new(&g->arena, (n + 1) * size, WA_ALIGN);
    if (list) memset(list, byte, (n + 1) * size);
    return list;
}

static bool open_cut(struct cut *c, struct wa_graph *g)
{
    size_t n = (size_t)g->count, edges = 0;
    for (int v = 0; v < g->count; v++) edges += (size_t)g->values[v].n;
    *c = (struct cut){.g = g,
                      .again = new_list(g, n, 1, 0),
                      .edge = new_list(g, n, sizeof(int), 0),
                      .first = new_list(g, n, sizeof(int), -1),
                      .next = new_list(g, edges, sizeof(int), -1),
                      .to = new_list(g, edges, sizeof(int), -1),
                      .capacity = new_list(g, n, sizeof(size_t), 0),
                      .flow = new_list(g, n, sizeof(size_t), 0),
                      .flow_along = new_list(g, edges, sizeof(size_t), 0),
                      .toward = new_list(g, 2 * n, sizeof(int), 0),
                      .queue = new_list(g, 2 * n, sizeof(int), 0)};
    if (!c->again || !c->edge || !c->first || !c->next || !c->to || !c->capacity || !c->flow ||
        !c->flow_along || !c->toward || !c->queue)
        return false;
    for (size_t p = 0; p < 2 * n; p++) c->toward[p] = NONE;
    return true;
}

static void describe(struct cut *c)
{
    struct wa_graph *g = c->g;
    for (int v = 0, edge = 0; v < g->count; v++) {
        const struct wa_value *value = &g->values[v];
        c->again[v] = value->live && can_be_made_again(value);
        c->capacity[v] =
            value->node->op->view
                ? SIZE_MAX
                : wa_round_up(wa_shape_bytes(value->node->shape, value->node->type), WA_ALIGN);
        c->edge[v] = edge;
        for (int i = 0; i < value->n; i++, edge++) {
            c->to[edge] = v;
            c->next[edge] = c->first[value->x[i]];
            c->first[value->x[i]] = edge;
        }
    }
    /* What the caller sees is kept anyway. */
    for (int i = 0; i < g->goal_count; i++) c->capacity[wa_base_of(g, g->goals[i].value)] = 0;
}

static bool is_wanted(const struct cut *c, int v)
{
    for (int e = c->first[v]; e >= 0; e = c->next[e])
        if (is_kept_for(c->g, c->to[e], v)) return true;
    return false;
}

/* Leaves in again what is to be made again, and in place before whom; INT_MAX: before nobody. */
static void decide(struct cut *c, int place[])
{
    struct wa_graph *g = c->g;
    for (int v = 0; v < g->count; v++)
        if (g->values[v].live && !g->values[v].source && is_wanted(c, v)) fill(c, v);
    for (int v = g->count; v-- > 0;) {
        place[v] = INT_MAX;
        c->again[v] = c->again[v] && c->toward[making(v)] != NONE;
        for (int e = c->first[v]; c->again[v] && e >= 0; e = c->next[e]) {
            int reader = c->to[e], at = place[reader];
            if (is_kept_for(g, reader, v)) at = reader;
            if (place[v] > at) place[v] = at;
        }
    }
}

/* -- the graph with its copies -- */

struct again {
    struct wa_graph *g;
    struct wa_value *values; /* the new ones */
    int count;
    int *place;        /* by old value: the reader before which its copy stands */
    int *moved, *copy; /* by old value: where it and its copy are now; -1: there is none */
};

static bool add(struct again *a, int v, bool copied)
{
    const struct wa_value *old = a->g->values;
    struct wa_value *value = &a->values[a->count];
    *value = old[v];
    value->x = new_list(a->g, (size_t)value->n, sizeof *value->x, 0);
    for (int i = 0; i < value->n && value->x; i++) {
        int x = old[v].x[i];
        bool again = a->copy[x] >= 0 && (copied || is_kept_for(a->g, v, x));
        value->x[i] = again ? a->copy[x] : a->moved[x];
    }
    int after = old[copied ? a->place[v] : v].after;
    value->after = after < 0 ? -1 : a->moved[after];
    (copied ? a->copy : a->moved)[v] = a->count++;
    return value->x != NULL;
}

static bool copy_values(struct again *a)
{
    struct wa_graph *g = a->g;
    size_t n = (size_t)g->count;
    int *first = new_list(g, n, sizeof(int), -1), *next = new_list(g, n, sizeof(int), -1);
    a->values = new_list(g, 2 * n, sizeof *a->values, 0);
    a->moved = new_list(g, n, sizeof(int), -1);
    a->copy = new_list(g, n, sizeof(int), -1);
    if (!first || !next || !a->values || !a->moved || !a->copy) return false;
    for (int v = g->count; v-- > 0;) {
        if (a->place[v] == INT_MAX) continue;
        next[v] = first[a->place[v]];
        first[a->place[v]] = v;
    }
    for (int v = 0; v < g->count; v++) {
        for (int again = first[v]; again >= 0; again = next[again])
            if (!add(a, again, true)) return false;
        if (!add(a, v, false)) return false;
    }
    return true;
}

bool wa_graph_recompute(struct wa_graph *g)
{
    struct cut c;
    struct again a = {.g = g, .place = new_list(g, (size_t)g->count, sizeof(int), 0)};
    if (!a.place || !open_cut(&c, g)) return false;
    describe(&c);
    decide(&c, a.place);
    if (!copy_values(&a)) return false;
    for (int i = 0; i < g->goal_count; i++) {
        struct wa_goal *goal = &g->goals[i];
        goal->value = a.moved[goal->value];
        if (goal->variable >= 0) goal->variable = a.moved[goal->variable];
    }
    g->values = a.values;
    g->count = a.count;
    wa_graph_mark(g);
    return true;
}
