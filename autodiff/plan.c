/* plan.c: where values live: lifetimes, memory shared in turn, and offsets in one slab. */
#include "autodiff/program.h"
#include "autodiff/slab.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static bool is_source(const struct wa_graph *g, int v) { return g->values[v].source; }

/* The value in whose memory v is; until the end, views have none of their own. */
static int root_of(const struct wa_graph *g, int v) { return g->values[wa_base_of(g, v)].root; }

static size_t bytes_of(const struct wa_graph *g, int v)
{
    return wa_shape_bytes(g->values[v].node->shape, g->values[v].node->type);
}

/* What a value takes of the slab: never nothing, so that each has a place of its own. */
static size_t room_of(const struct wa_graph *g, int v)
{
    size_t bytes = bytes_of(g, v);
    return wa_round_up(bytes ? bytes : 1, WA_ALIGN);
}

static void read_until(struct wa_graph *g, int root, int step)
{
    if (g->values[root].last < step) g->values[root].last = step;
}

/* Each value learns who reads it last. */
static void find_lifetimes(struct wa_graph *g)
{
    for (int v = 0; v < g->count; v++) g->values[v].root = v;
    for (int v = 0; v < g->count; v++) {
        const struct wa_value *value = &g->values[v];
        if (value->step < 0) continue;
        for (int i = 0; i < value->n; i++) read_until(g, root_of(g, value->x[i]), value->step);
        read_until(g, v, value->step);
    }
    for (int i = 0; i < g->goal_count; i++) {
        int r = root_of(g, g->goals[i].value);
        bool itself = !g->goals[i].assigns && g->goals[i].node->op == &wa_op_variable;
        if (g->goals[i].assigns ? is_source(g, r) : !itself) read_until(g, r, INT_MAX);
    }
}

/* -- straight into the variable -- */

/* Whether a step's member reads operand k just where v, of the same step, puts its elements. */
static bool reads_under(const struct wa_graph *g, const struct wa_value *v,
                        const struct wa_value *member, int k)
{
    const struct wa_value *x = &g->values[member->x[k]];
    if (member->form == WA_FOLDED) return false;
    if (member->node->op == &wa_op_matmul || member->node->op == &wa_op_take ||
        x->node->type != v->node->type)
        return false;
    if (wa_needs_rows(member->node->op)) return v->form == WA_FULL;
    enum wa_layout layout = wa_layout_of(x->node->shape, member->node->shape);
    return member->form == v->form ? layout == WA_DENSE : v->form == WA_COLUMN && layout == WA_A_ROW;
}

/* Of a root: whether threads read it apart from a step of this turn, as far as the newest of the
 * readings then. */
struct seen {
    int phase, owner, newest;
    int64_t lead;
    bool apart;
};

/* Who reads the memory of each root: the newest reading of each, the oldest, and of each reading the
 * one before it, its member and the operand. */
struct readings {
    int *newest, *oldest, *before, *member, *operand;
    struct seen *seen;
};

static bool list_readings(struct wa_graph *g, struct readings *list)
{
    size_t roots = (size_t)g->count + 1, all = 1;
    for (int i = 0; i < g->first[g->steps]; i++) all += (size_t)g->values[g->member[i]].n;
    int *memory = wa_arena_new(&g->arena, (2 * roots + 3 * all) * sizeof *memory, _Alignof(int));
    struct seen *seen = wa_arena_new(&g->arena, roots * sizeof *seen, _Alignof(struct seen));
    if (!memory || !seen) return false;
    *list = (struct readings){memory,
                              memory + roots,
                              memory + 2 * roots,
                              memory + 2 * roots + all,
                              memory + 2 * roots + 2 * all,
                              seen};
    memset(memory, -1, 2 * roots * sizeof *memory);
    memset(seen, -1, roots * sizeof *seen);
    for (int i = 0, k = 0; i < g->first[g->steps]; i++)
        for (int x = 0; x < g->values[g->member[i]].n; x++, k++) {
            int r = root_of(g, g->values[g->member[i]].x[x]);
            list->before[k] = list->newest[r];
            list->member[k] = i;
            list->operand[k] = x;
            list->newest[r] = k;
            if (list->oldest[r] < 0) list->oldest[r] = k;
        }
    return true;
}

/* Root v takes over the memory of r, which is read no later than v. */
static void take_over(struct readings *list, int v, int r)
{
    if (list->newest[v] < 0) return;
    list->before[list->oldest[v]] = list->newest[r];
    list->newest[r] = list->newest[v];
    if (list->oldest[r] < 0) list->oldest[r] = list->oldest[v];
}

/* Whether no thread reads memory of root r, which nobody reads later, while another does v's step. That
 * depends on whose turn the step is: what was found for an earlier one whose turn was the same holds
 * for all readings that it saw. */
static bool read_apart(const struct wa_graph *g, const struct readings *list, int v, int r)
{
    const int step = g->values[v].step;
    const struct wa_turn *turn = &g->turns[step];
    const struct wa_phase *phase = &g->phases[turn->phase];
    struct seen *seen = &list->seen[r];
    bool again = seen->phase == turn->phase && seen->lead == turn->lead && seen->owner == turn->owner,
         apart = !again || seen->apart;
    if (phase->bundles == 1) return true;
    for (int k = list->newest[r];
         apart && k >= 0 && list->member[k] >= g->first[phase->first] && !(again && k == seen->newest);
         k = list->before[k])
        apart = wa_same_task(g, &g->values[g->member[list->member[k]]], list->operand[k], step);
    *seen = (struct seen){turn->phase, turn->owner, list->newest[r], turn->lead, apart};
    return apart;
}

static bool may_overwrite(const struct wa_value *v)
{
    return v->group >= 0 && v->form != WA_BESIDE && v->node->op != &wa_op_matmul;
}

/* Whether v may be written over the memory of root r, read no later than by v's step: all that the step
 * reads there, if anything, are the elements that v then replaces, and none is read after v. */
static bool overwrites(const struct wa_graph *g, const struct readings *list, int v, int r)
{
    const struct wa_value *value = &g->values[v];
    bool reads = false;
    if (!may_overwrite(value) || bytes_of(g, v) != bytes_of(g, r)) return false;
    for (int k = list->newest[r]; k >= 0 && list->member[k] >= g->first[value->step];
         k = list->before[k]) {
        const int i = list->member[k];
        if (i > value->at || !reads_under(g, value, &g->values[g->member[i]], list->operand[k]))
            return false;
        reads = true;
    }
    return reads;
}

/* The last step before whose end a run can fail when others have run: one that checks indices made by a
 * step, or an op of the user's own, which may fail when it has written some of its value. */
static int last_check(const struct wa_graph *g)
{
    int last = g->tape->arena.w->check ? INT_MAX : -1;
    for (int v = 0; v < g->count; v++) {
        const struct wa_value *value = &g->values[v];
        int checked = wa_checked_operand(value);
        if (value->step > last && checked >= 0 && !is_source(g, root_of(g, value->x[checked])))
            last = value->step;
        if (value->step >= last && value->node->op->check && value->node->op->checked < 0)
            last = value->step + 1;
    }
    return last;
}

/* A variable's new value is computed in the variable's memory when nobody reads the old one later, and
 * nothing that can fail comes after. */
static void assign_in_memory(struct wa_graph *g, struct readings *readings)
{
    int check = last_check(g);
    for (int i = 0; i < g->goal_count; i++) {
        struct wa_goal *goal = &g->goals[i];
        if (!goal->assigns) continue;
        int r = root_of(g, goal->value), variable = goal->variable;
        struct wa_value *v = &g->values[r];
        if (variable < 0 || !g->values[variable].live || is_source(g, r) || v->step < check ||
            v->last == INT_MAX)
            continue;
        int last = g->values[variable].last;
        if (last > v->step || (last == v->step && !overwrites(g, readings, r, variable))) continue;
        if (!read_apart(g, readings, r, variable)) continue;
        take_over(readings, r, variable);
        v->root = variable;
        goal->in_memory = true;
    }
    for (int i = 0; i < g->goal_count; i++)
        if (g->goals[i].assigns) read_until(g, root_of(g, g->goals[i].value), INT_MAX);
}

/* -- overwriting -- */

/* Roots made before a step that reads them as the last, in the order of their last readers; by type and
 * form of what may be written over them, how many of the first have been looked at: the others of the
 * type and form cannot go over those either. */
struct spent {
    int *root, count, tried[4][2];
};

/* Those that member i reads, and nobody later. */
static void find_spent(const struct wa_graph *g, const struct readings *readings, struct spent *list,
                       int i)
{
    const struct wa_value *member = &g->values[g->member[i]];
    for (int k = 0; k < member->n; k++) {
        int r = root_of(g, member->x[k]), newest = readings->newest[r];
        const struct wa_value *root = &g->values[r];
        bool spent = !root->source && root->step != member->step && root->last == member->step;
        if (spent && readings->member[newest] == i && readings->operand[newest] == k)
            list->root[list->count++] = r;
    }
}

/* v goes over one of them, if it can. */
static void overwrite_one(struct wa_graph *g, struct readings *readings, int v, struct spent *list)
{
    struct wa_value *value = &g->values[v];
    if (value->root != v || value->inside || !may_overwrite(value)) return;
    int *tried = &list->tried[value->node->type][value->form == WA_FULL];
    while (*tried < list->count) {
        int *r = &list->root[(*tried)++];
        if (*r < 0 || !overwrites(g, readings, v, *r) || !read_apart(g, readings, v, *r)) continue;
        value->root = *r;
        take_over(readings, v, *r);
        read_until(g, *r, value->last);
        *r = -1;
        return;
    }
}

static bool overwrite_operands(struct wa_graph *g, struct readings *readings)
{
    struct spent list = {
        .root = wa_arena_new(&g->arena, ((size_t)g->count + 1) * sizeof(int), _Alignof(int))};
    if (!list.root) return false;
    for (int step = 0; step < g->steps; step++) {
        list = (struct spent){.root = list.root};
        for (int i = g->first[step]; i < g->first[step + 1]; i++) {
            find_spent(g, readings, &list, i);
            overwrite_one(g, readings, g->member[i], &list);
        }
    }
    return true;
}

/* -- offsets -- */

/* The step after which what is read last by this one is given back: threads may do the steps of a phase
 * in any order. */
static int given_back(const struct wa_graph *g, int step)
{
    const struct wa_phase *phase = &g->phases[g->turns[step].phase];
    return phase->bundles == 1 ? step : phase->end - 1;
}

/* Goes through the steps in order; a root's memory is taken at its step and given back after its last.
 */
static bool place(struct wa_graph *g)
{
    size_t steps = (size_t)g->steps + 1;
    int *first =
        wa_arena_new(&g->arena, steps * sizeof *first, _Alignof(int)); /* by last step, a chain of */
    int *next = wa_arena_new(&g->arena, ((size_t)g->count + 1) * sizeof *next, _Alignof(int));
    struct wa_slab slab;
    if (!first || !next || !wa_slab_open(&slab, &g->arena, (size_t)g->count)) return false;
    memset(first, -1, steps * sizeof *first);
    size_t alive = 0;
    for (int step = 0; step < g->steps; step++) {
        for (int i = g->first[step]; i < g->first[step + 1]; i++) {
            int v = g->member[i];
            struct wa_value *value = &g->values[v];
            if (value->root != v || value->inside) continue;
            value->offset = wa_slab_take(&slab, room_of(g, v));
            alive += room_of(g, v);
            if (value->last == INT_MAX) continue;
            int until = given_back(g, value->last);
            next[v] = first[until];
            first[until] = v;
        }
        if (g->least_bytes < alive) g->least_bytes = alive;
        for (int dead = first[step]; dead >= 0; dead = next[dead]) {
            wa_slab_give(&slab, g->values[dead].offset, room_of(g, dead));
            alive -= room_of(g, dead);
        }
    }
    g->slab_bytes = slab.top;
    return true;
}

/* -- the largest first -- */

/* Where a root is: in memory, and from when to when. */
struct extent {
    int value, first, last;
    size_t at, size;
};

static int larger_first(const void *a, const void *b)
{
    const struct extent *x = a, *y = b;
    if (x->size != y->size) return x->size < y->size ? 1 : -1;
    return (x->value > y->value) - (x->value < y->value);
}

static int list_extents(const struct wa_graph *g, struct extent *list)
{
    int n = 0;
    for (int v = 0; v < g->count; v++) {
        const struct wa_value *value = &g->values[v];
        if (value->step < 0 || value->root != v || value->inside) continue;
        int last = value->last == INT_MAX ? INT_MAX : given_back(g, value->last);
        list[n++] = (struct extent){v, value->step, last, 0, room_of(g, v)};
    }
    return n;
}

/* The lowest place for e beside those placed, which are in order of their places. */
static size_t lowest(const struct extent *placed, int n, const struct extent *e)
{
    size_t at = 0;
    for (int i = 0; i < n; i++) {
        const struct extent *p = &placed[i];
        if (p->last < e->first || e->last < p->first) continue;
        if (p->at >= at + e->size) break;
        if (at < p->at + p->size) at = p->at + p->size;
    }
    return at;
}

/* Places the largest first, each as low as it can be, and keeps that if the slab is smaller. For few
 * values: the time grows with their square. */
static bool place_by_size(struct wa_graph *g)
{
    enum { MOST = 4096 };
    struct extent *list = wa_arena_new(&g->arena, ((size_t)g->count + 1) * sizeof *list, WA_ALIGN),
                  *placed = wa_arena_new(&g->arena, ((size_t)g->count + 1) * sizeof *placed, WA_ALIGN);
    if (!list || !placed) return false;
    int n = list_extents(g, list);
    size_t top = 0;
    if (n > MOST || g->slab_bytes == g->least_bytes) return true;
    qsort(list, (size_t)n, sizeof *list, larger_first);
    for (int i = 0; i < n; i++) {
        struct extent e = list[i];
        int k = i;
        e.at = lowest(placed, i, &e);
        for (; k > 0 && placed[k - 1].at > e.at; k--) placed[k] = placed[k - 1];
        placed[k] = e;
        if (top < e.at + e.size) top = e.at + e.size;
    }
    if (top >= g->slab_bytes) return true;
    for (int i = 0; i < n; i++) g->values[placed[i].value].offset = placed[i].at;
    g->slab_bytes = top;
    return true;
}

bool wa_graph_plan(struct wa_graph *g)
{
    struct readings readings;
    find_lifetimes(g);
    if (!list_readings(g, &readings)) return false;
    assign_in_memory(g, &readings);
    if (!overwrite_operands(g, &readings)) return false;
    for (int v = 0; v < g->count; v++) g->values[v].root = root_of(g, v);
    return place(g) && place_by_size(g);
}
