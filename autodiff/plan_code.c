/* plan_code.c: the instructions that compute the members of a group. */
#include "autodiff/builder.h"

#include <string.h>

struct wa_ref wa_new_slot(struct wa_builder *b, size_t size, bool fresh)
{
    int slot = b->free_count && !fresh ? b->free_slot[--b->free_count] : b->f->slots++;
    return (struct wa_ref){wa_slot_base(b) + slot, WA_AT_BASE, size};
}

static void free_slot(struct wa_builder *b, struct wa_ref at)
{
    if (at.base >= wa_slot_base(b)) b->free_slot[b->free_count++] = at.base - wa_slot_base(b);
}

int wa_member_of(const struct wa_builder *b, int x)
{
    const struct wa_value *base = &b->g->values[wa_base_of(b->g, x)];
    return base->step == b->g->values[b->member[0]].step ? base->index : -1;
}

/* -- reading -- */

struct wa_instruction *wa_emit(struct wa_builder *b, struct wa_code *list, enum wa_form form)
{
    if (list->count == list->capacity) {
        int capacity = list->capacity ? 2 * list->capacity : 8;
        struct wa_instruction *more = wa_arena_new(&b->g->arena, (size_t)capacity * sizeof *more,
                                                   _Alignof(struct wa_instruction));
        b->failed = b->failed || !more;
        if (!more) return &b->nothing;
        if (list->count) memcpy(more, list->at, (size_t)list->count * sizeof *more);
        *list = (struct wa_code){more, list->count, capacity};
    }
    struct wa_instruction *i = &list->at[list->count++];
    *i = (struct wa_instruction){.form = form};
    return i;
}

static struct wa_gather *new_gather(struct wa_builder *b, washi_shape x, washi_shape y,
                                    wa_copy_fn *copy)
{
    struct wa_gather *gather = wa_step_new(b->step, sizeof *gather);
    int64_t own[WASHI_MAX_RANK];
    if (!gather) return NULL;
    wa_strides(x, own);
    gather->rank = y.rank - 1;
    gather->copy = copy;
    for (int i = 0; i < y.rank; i++) {
        int at = i - (y.rank - x.rank);
        int64_t stride = at < 0 || x.dim[at] == 1 ? 0 : own[at];
        if (i == y.rank - 1)
            gather->along = stride;
        else
            gather->stride[i] = stride;
        gather->dim[i] = y.dim[i];
    }
    return gather;
}

/* A slot that holds value x, found at `from`, stretched to the members it is read by. */
static struct wa_ref bring(struct wa_builder *b, const struct wa_value *v, int x, enum wa_layout layout,
                           struct wa_ref from)
{
    int newest = b->g->values[x].brought; /* left by another step, unless what is there is of x */
    if (newest >= b->brought_count || b->brought[newest].value != x) newest = -1;
    for (int i = newest; i >= 0; i = b->brought[i].before)
        if (b->brought[i].layout == layout) return b->brought[i].at;
    bool once = layout == WA_CONSTANT || layout == WA_PERIODIC;
    /* A fresh slot: the chain that is being made comes later, and may read what is free by now. */
    struct wa_instruction *i = wa_emit(b, once ? &b->once : &b->code, WA_FULL);
    i->run = layout == WA_CONSTANT   ? wa_do_splat
             : layout == WA_PERIODIC ? wa_do_repeat
             : layout == WA_A_ROW    ? wa_do_spread
                                     : wa_do_gather;
    i->n = 1;
    i->x[0] = from;
    i->y = wa_new_slot(b, from.size, true);
    const washi_tensor *node = b->g->values[x].node;
    wa_copy_fn *copy = b->step->simd->copy[node->type];
    if (layout == WA_STRIDED) {
        i->kernel.gather = new_gather(b, node->shape, v->node->shape, copy);
        if (!i->kernel.gather) b->failed = true;
    } else
        i->kernel.copy = copy;
    struct wa_ref at = i->y;
    if (layout == WA_PERIODIC) at.start = WA_AT_COLUMN; /* a unit may be a piece of one row */
    b->g->values[x].brought = b->brought_count;
    b->brought[b->brought_count++] = (struct wa_brought){x, newest, layout, at};
    return at;
}

/* One element a row is one number, when a unit is of one row. */
static bool is_number(const struct wa_builder *b, enum wa_layout layout)
{
    return layout == WA_CONSTANT || (layout == WA_A_ROW && b->f->rows_a_unit == 1);
}

struct wa_ref wa_read_operand(struct wa_builder *b, const struct wa_value *v, int k, bool *number)
{
    int x = v->x[k], member = wa_member_of(b, x);
    bool by_row = wa_needs_rows(v->node->op);
    enum wa_layout layout =
        by_row ? WA_DENSE : wa_layout_of(b->g->values[x].node->shape, v->node->shape);
    struct wa_ref from = {b->g->values[x].index, WA_AT_BASE,
                          washi_dtype_size(b->g->values[x].node->type)};
    if (member >= 0) {
        x = b->member[member];
        from = b->made[member];
        bool spread = !by_row && v->form == WA_FULL && b->g->values[x].form == WA_COLUMN;
        layout = spread ? WA_A_ROW : WA_DENSE;
    } else if (layout == WA_DENSE)
        from.start = v->form == WA_FULL || by_row ? WA_AT_ELEMENT : WA_AT_ROW;
    else if (layout == WA_A_ROW)
        from.start = WA_AT_ROW;
    else if (layout == WA_PERIODIC && b->f->rows_a_unit == 1) {
        from.start = WA_AT_COLUMN;
        layout = WA_DENSE;
    }
    if (number) *number = is_number(b, layout);
    return layout == WA_DENSE || (number && *number) ? from : bring(b, v, x, layout, from);
}

/* -- members -- */

static void set_kernel(struct wa_instruction *i, const struct wa_simd *simd, const struct wa_value *v,
                       washi_dtype from)
{
    const struct wa_op *op = v->node->op;
    switch (op->fusion) {
    case WA_FUSE_MAP:
        i->run = wa_do_map;
        i->kernel.map = simd->map[op->kernel][v->node->type];
        break;
    case WA_FUSE_CAST:
        i->run = wa_do_cast;
        i->kernel.cast = simd->cast[v->node->type][from];
        break;
    case WA_FUSE_FOLD:
        i->run = wa_do_fold;
        i->kernel.fold = simd->fold_last[op->kernel][from];
        break;
    case WA_FUSE_ROW:
        i->run = wa_do_row;
        i->kernel.row = simd->row[op->kernel][from];
        break;
    case WA_FUSE_ARGMAX:
        i->run = wa_do_argmax;
        i->kernel.argmax = (op->kernel ? simd->argmin : simd->argmax)[from];
        break;
    case WA_FUSE_TAKE:
    case WA_APART: break;
    }
}

/* Whether what the chain makes may go over this member, which it has read for the last time. What it
 * reads as one number it reads again for each block, and of bytes it has not read those that four
 * times their room goes over. */
static bool may_go_over(const struct wa_builder *b, int member)
{
    const struct wa_value *x = &b->g->values[b->member[member]],
                          *made = &b->g->values[b->member[b->chain_first]];
    return x->form == made->form &&
           washi_dtype_size(x->node->type) == washi_dtype_size(made->node->type);
}

void wa_free_operands(struct wa_builder *b, int m)
{
    const struct wa_value *v = &b->g->values[b->member[m]];
    for (int k = 0; k < v->n; k++) {
        int member = wa_member_of(b, v->x[k]);
        if (member < 0 || b->until[member] != m) continue;
        b->until[member] = -1;
        if (!b->chain || may_go_over(b, member)) free_slot(b, b->made[member]);
    }
}

struct wa_ref wa_place_inside(struct wa_builder *b, int m)
{
    size_t size = washi_dtype_size(b->g->values[b->member[m]].node->type);
    if (b->block[m] < 0) return wa_new_slot(b, size, false);
    return (struct wa_ref){wa_block_base(b) + b->block[m], WA_AT_BLOCK, size};
}

struct wa_ref wa_place_result(struct wa_builder *b, int m)
{
    const struct wa_value *v = &b->g->values[b->member[m]];
    size_t size = washi_dtype_size(v->node->type);
    if (b->output[m] >= 0)
        return (struct wa_ref){b->step->n + b->output[m],
                               v->form == WA_FULL ? WA_AT_ELEMENT : WA_AT_ROW, size};
    return wa_place_inside(b, m);
}

/* Whether the step reads the memory in which output member m is made. */
static bool is_operand(const struct wa_builder *b, int m)
{
    const struct wa_value *v = &b->g->values[b->member[m]];
    for (int k = 0; k < b->step->n; k++)
        if (b->g->values[b->step->x[k].value].root == v->root) return true;
    return false;
}

/* A product that only its group reads is made where an output will be that nobody writes before the
 * product's last reader: in a block of its own it would take up the cache beside that. */
static struct wa_ref place_product(struct wa_builder *b, int m)
{
    const struct wa_value *p = &b->g->values[b->member[m]];
    for (int i = b->until[m]; b->output[m] < 0 && i >= 0 && i < b->members; i++) {
        const struct wa_value *v = &b->g->values[b->member[i]];
        if (b->output[i] >= 0 && v->form == WA_FULL && v->node->op->fusion == WA_FUSE_MAP &&
            v->node->type == p->node->type && !is_operand(b, i) && !wa_streams(b, i))
            return wa_place_result(b, i);
    }
    return wa_place_result(b, m);
}

static void emit_take(struct wa_builder *b, int m)
{
    const struct wa_value *v = &b->g->values[b->member[m]];
    const washi_tensor *table = b->g->values[v->x[0]].node;
    struct wa_slices *slices = wa_step_new(b->step, sizeof *slices);
    struct wa_instruction *i = wa_emit(b, &b->code, v->form);
    b->failed = b->failed || !slices;
    if (b->failed) return;
    int rank = table->shape.rank;
    *slices = (struct wa_slices){(size_t)wa_shape_span(table->shape, 1, rank - 1),
                                 (size_t)table->shape.dim[rank - 1], table->shape.dim[0]};
    i->run = wa_do_take;
    i->kernel.slices = slices;
    i->n = 2;
    for (int k = 0; k < 2; k++) i->x[k] = (struct wa_ref){b->g->values[v->x[k]].index, WA_AT_BASE, 1};
    i->y = b->made[m] = wa_place_result(b, m);
}

/* Softmax and logsumexp of the same rows are made at once, where the first of them comes: the second
 * goes where nothing was before. */
static void find_pairs(struct wa_builder *b)
{
    for (int m = 0; m < b->members; m++) {
        const struct wa_value *v = &b->g->values[b->member[m]];
        b->pair[m] = -1;
        if (v->node->op != &wa_op_softmax && v->node->op != &wa_op_logsumexp) continue;
        struct wa_value *x = &b->g->values[v->x[0]];
        int before = x->rows_of; /* left by another step, unless that member is of x */
        x->rows_of = m;
        if (before >= m || (!v->inside && v->root != b->member[m])) continue;
        const struct wa_value *first = &b->g->values[b->member[before]];
        bool both = first->node->op != v->node->op &&
                    (first->node->op == &wa_op_softmax || first->node->op == &wa_op_logsumexp);
        if (both && first->x[0] == v->x[0]) b->pair[before] = m;
    }
}

static void emit_pair(struct wa_builder *b, int m)
{
    const struct wa_value *v = &b->g->values[b->member[m]];
    const int other = b->pair[m];
    struct wa_ref x = wa_read_operand(b, v, 0, NULL);
    struct wa_instruction *i = wa_emit(b, &b->code, WA_FULL);
    b->made[m] = wa_place_result(b, m);
    b->made[other] = wa_place_result(b, other);
    bool softmax = v->node->op == &wa_op_softmax;
    i->run = wa_do_row_pair;
    i->kernel.pair = b->step->simd->softmax_logsumexp[v->node->type];
    i->n = 2;
    i->x[0] = x;
    i->y = b->made[softmax ? m : other];
    i->x[1] = b->made[softmax ? other : m];
}

static void emit_member(struct wa_builder *b, int m)
{
    const struct wa_value *v = &b->g->values[b->member[m]];
    struct wa_ref x[3];
    for (int k = 0; k < v->n; k++) x[k] = wa_read_operand(b, v, k, NULL);
    struct wa_instruction *i = wa_emit(b, &b->code, v->form);
    i->n = v->n;
    memcpy(i->x, x, sizeof x);
    set_kernel(i, b->step->simd, v, b->g->values[v->x[0]].node->type);
    /* An elementwise result may be put where an operand was. */
    bool over = v->node->op->fusion == WA_FUSE_MAP;
    if (over) wa_free_operands(b, m);
    i->y = b->made[m] = wa_place_result(b, m);
    if (!over) wa_free_operands(b, m);
}

static void emit_ending(struct wa_builder *b, int m)
{
    const struct wa_value *v = &b->g->values[b->member[m]], *x = &b->g->values[v->x[0]];
    int member = wa_member_of(b, v->x[0]);
    struct wa_ref outside = {x->index, WA_AT_ELEMENT, washi_dtype_size(x->node->type)};
    struct wa_folds *folds = b->f->folds;
    folds->end[folds->count] = (struct wa_ending){.kernel = v->node->op->kernel,
                                                  .output = b->output[m],
                                                  .lanes = wa_block_base(b) + folds->count,
                                                  .type = v->node->type,
                                                  .x = member < 0 ? outside : b->made[member]};
    folds->count++;
}

void wa_emit_members(struct wa_builder *b)
{
    wa_survey_chains(b);
    find_pairs(b);
    for (int m = 0; m < b->members && !b->failed;) {
        bool beside = b->g->values[b->member[m]].form == WA_BESIDE;
        int after = beside ? m : wa_emit_chain(b, m);
        if (after > m) {
            m = after;
            continue;
        }
        const struct wa_op *op = b->g->values[b->member[m]].node->op;
        if (wa_ends(b, &b->g->values[b->member[m]]))
            emit_ending(b, m);
        else if (b->pair[m] >= 0)
            emit_pair(b, m);
        else if (b->made[m].size)
            wa_free_operands(b, m);
        else if (op == &wa_op_matmul)
            b->made[m] = place_product(b, m);
        else if (beside)
            b->made[m] = wa_place_result(b, m);
        else if (op == &wa_op_take)
            emit_take(b, m);
        else
            emit_member(b, m);
        m++;
    }
}
