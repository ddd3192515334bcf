/* fuse.c: which values are computed together.
 *
 * A value's level is the length of the longest way to it from the sources, where a way within one group
 * has no length. Values of one level that read each other lie on no cycle through others: whatever
 * comes after a group has a higher level. So a value may join the group of an operand when all that it
 * reads from elsewhere is of a lower level. */
#include "autodiff/program.h"

#include <limits.h>
#include <string.h>

int wa_before(const struct wa_graph *g, const struct wa_value *v, int i)
{
    if (i < v->n) return wa_base_of(g, v->x[i]);
    int base = v->after < 0 ? -1 : wa_base_of(g, v->after);
    return base >= 0 && wa_is_step(&g->values[base]) ? base : -1;
}

int wa_checked_operand(const struct wa_value *v)
{
    if (v->node->op == &wa_op_matmul) return v->gathered ? 2 : -1;
    return v->node->op->check ? v->node->op->checked : -1;
}

/* On the way each group comes to point to the one after the next, so that long ways become short. */
static int standing(const struct wa_graph *g, int group)
{
    struct wa_group *groups = g->groups;
    for (int next; group >= 0 && (next = groups[group].merged) >= 0; group = next)
        if (groups[next].merged >= 0) groups[group].merged = groups[next].merged;
    return group;
}

int wa_group_of(const struct wa_graph *g, int v) { return standing(g, g->values[v].group); }

static int level_of(const struct wa_graph *g, int v)
{
    int group = wa_group_of(g, v);
    return group >= 0 ? g->groups[group].level : g->values[v].level;
}

enum wa_layout wa_layout_of(washi_shape x, washi_shape y)
{
    bool dense = true, row_dense = true,
         fixed = true; /* of all axes, of all but the last, but the last */
    int last = y.rank - 1, more = y.rank - x.rank;
    for (int i = 0; i <= last; i++) {
        int64_t size = i < more ? 1 : x.dim[i - more];
        bool whole = size == y.dim[i];
        dense = dense && whole;
        if (i == last) break;
        row_dense = row_dense && whole;
        fixed = fixed && size == 1;
    }
    if (dense) return WA_DENSE;
    bool one = x.rank == 0 || x.dim[x.rank - 1] == 1;
    if (fixed) return one ? WA_CONSTANT : WA_PERIODIC;
    return row_dense && one ? WA_A_ROW : WA_STRIDED;
}

/* -- joining -- */

static int64_t last_of(washi_shape s) { return s.rank ? s.dim[s.rank - 1] : 1; }

bool wa_needs_rows(const struct wa_op *op)
{
    return op->fusion == WA_FUSE_FOLD || op->fusion == WA_FUSE_ROW || op->fusion == WA_FUSE_ARGMAX;
}

static bool fusable(const struct wa_graph *g, const struct wa_value *v)
{
    if (v->node->op->fusion == WA_FUSE_TAKE)
        return v->node->attr.axis == 0 && v->node->shape.rank > g->values[v->x[1]].node->shape.rank;
    return v->node->op->fusion != WA_APART;
}

/* Whether v is a fold in chunks: one of rows that are long, or not of the last axis. */
static bool is_folded(const struct wa_graph *g, const struct wa_value *v)
{
    if (v->node->op->fusion != WA_FUSE_FOLD) return false;
    washi_shape x = g->values[v->x[0]].node->shape;
    const struct wa_attr *attr = &v->node->attr;
    return attr->end < x.rank || attr->end - attr->begin != 1 || last_of(x) <= 1 ||
           last_of(x) > WA_LONGEST_ROW;
}

struct wa_folding wa_folding_of(const struct wa_graph *g, const struct wa_value *fold)
{
    washi_shape x = g->values[fold->x[0]].node->shape;
    int begin = (int)fold->node->attr.begin, end = (int)fold->node->attr.end;
    return (struct wa_folding){wa_shape_span(x, 0, begin), wa_shape_span(x, begin, end),
                               wa_shape_span(x, end, x.rank)};
}

/* The space v is computed in: that of its operand where it makes one element of a row. */
static washi_shape space_of(const struct wa_graph *g, const struct wa_value *v)
{
    return wa_needs_rows(v->node->op) ? g->values[v->x[0]].node->shape : v->node->shape;
}

/* By rows and columns, not by the size: rows without elements are as many as they are. */
static bool fills(const struct wa_group *group, washi_shape s)
{
    return last_of(s) == group->columns && wa_shape_span(s, 0, s.rank - 1) == group->rows;
}

static bool reads_row(const struct wa_graph *g, const struct wa_group *group, int x)
{
    return fills(group, g->values[x].node->shape);
}

/* The form v would have in the group; false when it has none. */
static bool form_in(const struct wa_graph *g, const struct wa_group *group, const struct wa_value *v,
                    enum wa_form *form)
{
    washi_shape s = v->node->shape;
    if (is_folded(g, v)) {
        *form = WA_FOLDED;
        return washi_size(g->values[v->x[0]].node->shape) == group->rows * group->columns;
    }
    if (wa_needs_rows(v->node->op)) {
        *form = v->node->op->fusion == WA_FUSE_ROW && washi_size(s) == group->rows * group->columns
                    ? WA_FULL
                    : WA_COLUMN;
        return reads_row(g, group, v->x[0]);
    }
    *form = fills(group, s) ? WA_FULL : WA_COLUMN;
    /* Rows without elements do not bring what one element a row is made of. */
    return *form == WA_FULL ||
           (washi_size(s) == group->rows && group->columns > 0 && group->columns <= WA_LONGEST_ROW);
}

/* Whether v, in this form, reads operand i of the group's own where it is at hand. */
static bool reads_inside(const struct wa_graph *g, const struct wa_group *group,
                         const struct wa_value *v, enum wa_form form, int i)
{
    enum wa_form has = g->values[wa_base_of(g, v->x[i])].form;
    if (form == WA_FOLDED) return has == WA_FULL;
    if (wa_needs_rows(v->node->op)) return has == WA_FULL && reads_row(g, group, v->x[i]);
    enum wa_layout layout = wa_layout_of(g->values[v->x[i]].node->shape, v->node->shape);
    if (form == WA_COLUMN) return layout == WA_DENSE && has == WA_COLUMN;
    return (layout == WA_DENSE && has == WA_FULL) || (layout == WA_A_ROW && has == WA_COLUMN);
}

/* Whether v, in this form, can read operand i from memory. */
static bool reads_outside(const struct wa_graph *g, const struct wa_group *group,
                          const struct wa_value *v, enum wa_form form, int i)
{
    if (wa_needs_rows(v->node->op)) return true;
    enum wa_layout layout = wa_layout_of(g->values[v->x[i]].node->shape, v->node->shape);
    if (form == WA_COLUMN) return layout == WA_DENSE || layout == WA_CONSTANT;
    return layout != WA_STRIDED || wa_shape_equal(v->node->shape, group->shape);
}

/* What the group is with one more value. */
static struct wa_group with(const struct wa_graph *g, struct wa_group group, const struct wa_value *v,
                            enum wa_form form)
{
    if (form == WA_BESIDE) return group;
    if (form == WA_FOLDED) {
        group.folds = true;
        group.folding = wa_folding_of(g, v);
    } else if (form == WA_COLUMN || wa_needs_rows(v->node->op))
        /* One element a row is made once a row: its pieces must not be apart. */
        group.by_rows = true;
    return group;
}

/* Whether chunks of the folds begin and end with rows of the group. */
static bool whole_rows(const struct wa_group *group)
{
    const struct wa_folding *f = &group->folding;
    if (f->inner > 1) return f->inner == group->columns;
    return group->columns && f->n % group->columns == 0 &&
           (wa_chunks_of(f) == 1 || wa_chunk_of(f) % group->columns == 0);
}

/* Whether threads can share out the folds' chunks, or parts of columns where rows are not needed whole.
 */
static bool is_balanced(const struct wa_graph *g, const struct wa_group *group)
{
    const struct wa_folding *f = &group->folding;
    size_t chunks = (size_t)(f->outer * wa_chunks_of(f)), parts = (size_t)f->inner / WA_FOLD_TILE;
    if (!group->by_rows && parts > 1 && wa_is_even(chunks * parts, g->threads)) return true;
    return wa_is_even(chunks, g->threads);
}

/* Whether a group can be made as one: whole rows that are not too long, and with folds at its end only
 * where these go along. Behind a matrix product they do not: its blocks are none of chunks, and beside
 * its time that of reading what it made is nothing. */
static bool can_be(const struct wa_graph *g, const struct wa_group *group)
{
    if (group->by_rows && group->columns > WA_LONGEST_ROW) return false;
    if (!group->folds) return true;
    return group->head < 0 && (!group->by_rows || whole_rows(group)) && is_balanced(g, group);
}

static bool same_folding(const struct wa_group *a, const struct wa_group *b)
{
    const struct wa_folding *x = &a->folding, *y = &b->folding;
    return !a->folds || !b->folds || (x->outer == y->outer && x->n == y->n && x->inner == y->inner);
}

static bool may_join(const struct wa_graph *g, int into, int v, enum wa_form *form)
{
    const struct wa_group *group = &g->groups[into];
    const struct wa_value *value = &g->values[v];
    if (!form_in(g, group, value, form)) return false;
    const struct wa_group both = with(g, *group, value, *form);
    if (!can_be(g, &both) || !same_folding(group, &both)) return false;
    /* What is made on the way cannot be split in a phase with others then. */
    if (*form == WA_FOLDED && g->threads > 1 && !wa_fold_is_alone(g, value)) return false;
    for (int i = 0; i < value->n; i++) {
        int base = wa_base_of(g, value->x[i]);
        if (wa_group_of(g, base) == into) {
            if (!reads_inside(g, group, value, *form, i)) return false;
        } else if (level_of(g, base) >= group->level || !reads_outside(g, group, value, *form, i))
            return false;
    }
    return true;
}

static int new_group(struct wa_graph *g, washi_shape shape, int level)
{
    struct wa_group *group = &g->groups[g->group_count];
    *group = (struct wa_group){
        .merged = -1, .level = level, .shape = shape, .columns = last_of(shape), .head = -1};
    group->rows = wa_shape_span(shape, 0, shape.rank - 1);
    return g->group_count++;
}

static void enter(struct wa_graph *g, int group, int v, enum wa_form form)
{
    g->values[v].group = group;
    g->values[v].form = form;
    g->groups[group] = with(g, g->groups[group], &g->values[v], form);
}

bool wa_may_head(const struct wa_graph *g, int v)
{
    const struct wa_value *value = &g->values[v];
    washi_shape y = value->node->shape;
    enum { FEWEST_ROWS = 16 };
    if (value->node->op != &wa_op_matmul || y.rank != 2) return false;
    bool one = value->gathered || g->values[value->x[0]].node->shape.rank == 2;
    const washi_tensor *right = g->values[value->x[1]].node;
    return one && (right->op == &wa_op_pack || right->shape.rank == 2) && y.dim[0] >= FEWEST_ROWS &&
           y.dim[1] > 0 && y.dim[1] <= WA_LONGEST_ROW;
}

static int begin_product(struct wa_graph *g, int v, int level)
{
    int group = new_group(g, g->values[v].node->shape, level);
    g->groups[group].head = v;
    enter(g, group, v, WA_FULL);
    return group;
}

/* One group of two, when they have the same space and at most one matrix product; -1: they cannot be.
 */
static int merge(struct wa_graph *g, int a, int b)
{
    struct wa_group *into = &g->groups[a], *from = &g->groups[b];
    struct wa_group both = into->folds ? *into : *from;
    if (!wa_shape_equal(into->shape, from->shape) || (into->head >= 0 && from->head >= 0)) return -1;
    both.level = into->level;
    both.head = into->head < 0 ? from->head : into->head;
    both.by_rows = into->by_rows || from->by_rows;
    if (!can_be(g, &both) || !same_folding(into, from)) return -1;
    *into = both;
    from->merged = a;
    return a;
}

/* The one group of the operands of the highest level, merged or begun where that can be; -1: none. */
static int group_of_operands(struct wa_graph *g, const struct wa_value *v, int level)
{
    int found = -1;
    for (int i = 0; i <= v->n; i++) {
        int base = wa_before(g, v, i), group = base < 0 ? -1 : wa_group_of(g, base);
        if (base < 0 || level_of(g, base) < level || g->values[base].source) continue;
        if (group < 0 && wa_may_head(g, base)) group = begin_product(g, base, level);
        if (group < 0) return -1;
        if (found < 0) found = group;
        if (found != group) found = merge(g, found, group);
        if (found < 0) return -1;
    }
    return found;
}

static void place_value(struct wa_graph *g, int v, bool fuse)
{
    struct wa_value *value = &g->values[v];
    int level = 0;
    if (value->form == WA_BESIDE) return; /* placed with its product */
    for (int i = 0; i <= value->n; i++) {
        int base = wa_before(g, value, i), of = base < 0 ? 0 : level_of(g, base);
        if (level < of) level = of;
    }
    /* Packs count for nothing: no product may be later for them, and nothing else reads them. */
    value->level = level + (value->node->op != &wa_op_pack);
    if (value->keeps >= 0) enter(g, begin_product(g, v, level + 1), value->keeps, WA_BESIDE);
    if (!fusable(g, value)) return;
    enum wa_form form = WA_FULL;
    bool begins = !fuse || value->node->op->fusion == WA_FUSE_TAKE;
    int group = begins ? -1 : group_of_operands(g, value, level);
    if (group < 0 || !may_join(g, group, v, &form)) {
        group = new_group(g, space_of(g, value), level + 1);
        form_in(g, &g->groups[group], value, &form);
    }
    enter(g, group, v, form);
}

/* -- later -- */

enum { NOBODY = -2, SEVERAL = -1 };

/* Group `from` has one more reader: v, of its operand k, or (k = n) v comes after it. */
static void note_reader(const struct wa_graph *g, int from, const struct wa_value *v, int k, int only[])
{
    int by = standing(g, v->group);
    bool inside = by >= 0 && v->form != WA_FOLDED && v->node->op != &wa_op_matmul &&
                  v->node->op != &wa_op_take && (only[from] == NOBODY || only[from] == by) &&
                  wa_shape_equal(g->groups[from].shape, g->groups[by].shape) &&
                  (k == v->n || reads_inside(g, &g->groups[by], v, v->form, k));
    only[from] = inside ? by : SEVERAL;
}

/* Whether v is there before the run, or packed from what is. */
static bool is_early(const struct wa_graph *g, int v)
{
    if (g->values[v].node->op == &wa_op_pack) v = wa_base_of(g, g->values[v].x[0]);
    return !wa_is_step(&g->values[v]);
}

/* A group that reads nothing but what is there before the run, and is read by one group alone, need not
 * be earlier than that and have its values in memory: it joins it. So the step of an optimiser that
 * begins with what it remembers of a weight waits for the gradient. */
static bool join_readers(struct wa_graph *g)
{
    size_t n = (size_t)g->group_count + 1;
    int *only = wa_arena_new(&g->arena, n * sizeof *only, _Alignof(int));
    bool *waits = wa_arena_new(&g->arena, n, 1);
    if (!only || !waits) return false;
    for (size_t i = 0; i < n; i++) only[i] = NOBODY, waits[i] = false;
    for (int v = 0; v < g->count; v++) {
        const struct wa_value *value = &g->values[v];
        int group = standing(g, value->group);
        for (int k = 0; wa_is_step(value) && k <= value->n; k++) {
            int base = wa_before(g, value, k), from = base < 0 ? -1 : wa_group_of(g, base);
            if (base < 0 || is_early(g, base) || (from >= 0 && from == group)) continue;
            if (group >= 0) waits[group] = true;
            if (from >= 0) note_reader(g, from, value, k, only);
        }
    }
    for (int i = 0; i < g->goal_count; i++) {
        int from = wa_group_of(g, wa_base_of(g, g->goals[i].value));
        if (from >= 0) only[from] = SEVERAL;
    }
    for (int i = 0; i < g->group_count; i++) {
        struct wa_group *group = &g->groups[i];
        if (group->merged >= 0 || waits[i] || only[i] < 0) continue;
        merge(g, only[i], i);
    }
    return true;
}

/* -- the whole -- */

/* A value that only its own step reads needs no memory beyond it. */
static void find_inside(struct wa_graph *g)
{
    for (int v = 0; v < g->count; v++)
        g->values[v].inside = g->values[v].step >= 0 && g->values[v].group >= 0;
    for (int v = 0; v < g->count; v++)
        for (int i = 0; g->values[v].step >= 0 && i < g->values[v].n; i++) {
            struct wa_value *x = &g->values[wa_base_of(g, g->values[v].x[i])];
            if (x->step != g->values[v].step) x->inside = false;
        }
    for (int i = 0; i < g->goal_count; i++) g->values[wa_base_of(g, g->goals[i].value)].inside = false;
}

bool wa_graph_fuse(struct wa_graph *g, bool fuse)
{
    /* A value begins at most one group as itself and one for each matrix product it reads. */
    g->groups = wa_arena_new(&g->arena, 3 * ((size_t)g->count + 1) * sizeof *g->groups,
                             _Alignof(struct wa_group));
    if (!g->groups) return false;
    for (int v = 0; v < g->count; v++)
        if (wa_is_step(&g->values[v])) place_value(g, v, fuse);
    if ((fuse && !join_readers(g)) || !wa_graph_schedule(g)) return false;
    find_inside(g);
    return true;
}
