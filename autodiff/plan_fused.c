/* plan_fused.c: from a group of values to the code of its step. */
#include "autodiff/fused.h"

#include <string.h>

enum { TILE_BYTES = 4096 };
/* Of a matrix product: the bytes and rows of a block, and the rows of a task, which are some of its
 * tiles. */
enum { BLOCK_BYTES = 128 * 1024, BLOCK_ROWS = 96, TASK_ROWS = 28 };
enum {
    PRODUCT_GRAIN = 1 << 19,
    ELEMENT_GRAIN = 1 << 16
}; /* work worth a task: multiply-adds, elements made */

struct builder {
    struct wa_step *step;
    struct wa_graph *g;
    const struct wa_group *group;
    struct wa_fused *f;
    const int *member; /* values, in order */
    int members;
    struct wa_ref *made; /* by member: where it is */
    int *until;          /* by member: the last member that reads it */
    struct brought {     /* a value in a slot as it lies under one layout */
        int value;
        enum wa_layout layout;
        struct wa_ref at;
    } * brought;
    int brought_count;
    struct wa_instruction *once, *code;
    int once_count, code_count;
    int *free_slot, free_count;
    bool failed; /* no memory */
};

/* Bases: the operands, the outputs, the block, the slots. */

static int output_base(const struct builder *b, int output) { return b->step->n + output; }

static int block_base(const struct builder *b) { return b->step->n + b->step->outputs; }

/* fresh: one that nothing was in before, for what is put there once and stays. */
static struct wa_ref new_slot(struct builder *b, size_t size, bool fresh)
{
    int slot = b->free_count && !fresh ? b->free_slot[--b->free_count] : b->f->slots++;
    return (struct wa_ref){block_base(b) + 1 + slot, WA_AT_BASE, size};
}

static void free_slot(struct builder *b, struct wa_ref at)
{
    if (at.base > block_base(b)) b->free_slot[b->free_count++] = at.base - block_base(b) - 1;
}

static size_t size_of(const struct builder *b, int value)
{
    return washi_dtype_size(b->g->values[value].node->type);
}

/* The group's member that x is, or a view of; -1: it comes from outside. */
static int member_of(const struct builder *b, int x)
{
    const struct wa_value *base = &b->g->values[wa_base_of(b->g, x)];
    return base->step == b->g->values[b->member[0]].step ? base->index : -1;
}

/* -- operands and outputs -- */

/* Moves a list of places, now that it is known how many there are, to where the step's memory is. */
static bool keep_places(struct wa_step *s, struct wa_place **places, int n)
{
    struct wa_place *kept = wa_step_new(s, (size_t)n * sizeof *kept);
    if (kept) memcpy(kept, *places, (size_t)n * sizeof *kept);
    *places = kept;
    return kept;
}

/* Numbers the values from outside that the group reads; the same value twice is one operand. */
static bool find_operands(struct builder *b)
{
    struct wa_step *s = b->step;
    struct wa_graph *g = b->g;
    int step = g->values[b->member[0]].step, most = 0;
    for (int i = 0; i < b->members; i++) most += g->values[b->member[i]].n;
    s->x = wa_arena_new(&g->arena, (size_t)most * sizeof *s->x, WA_ALIGN);
    s->out = wa_arena_new(&g->arena, (size_t)b->members * sizeof *s->out, WA_ALIGN);
    if (!s->x || !s->out) return false;
    for (int i = 0; i < b->members; i++) {
        const struct wa_value *v = &g->values[b->member[i]];
        if (!v->inside) s->out[s->outputs++] = wa_place_of(g, b->member[i]);
        for (int k = 0; k < v->n; k++) {
            struct wa_value *x = &g->values[v->x[k]];
            int member = member_of(b, v->x[k]);
            if (member >= 0) {
                b->until[member] = i;
            } else if (x->read_by != step) {
                x->read_by = step;
                x->index = s->n;
                s->x[s->n++] = wa_place_of(g, v->x[k]);
            }
        }
    }
    return keep_places(s, &s->x, s->n) && keep_places(s, &s->out, s->outputs);
}

/* -- reading -- */

static struct wa_instruction *emit(struct wa_instruction *list, int *count, enum wa_form form)
{
    struct wa_instruction *i = &list[(*count)++];
    *i = (struct wa_instruction){.form = form};
    return i;
}

static struct wa_gather *new_gather(struct builder *b, washi_shape x, washi_shape y)
{
    struct wa_gather *gather = wa_step_new(b->step, sizeof *gather);
    int64_t own[WASHI_MAX_RANK];
    if (!gather) return NULL;
    wa_strides(x, own);
    gather->rank = y.rank - 1;
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
static struct wa_ref bring(struct builder *b, const struct wa_value *v, int x, enum wa_layout layout,
                           struct wa_ref from)
{
    for (int i = 0; i < b->brought_count; i++)
        if (b->brought[i].value == x && b->brought[i].layout == layout) return b->brought[i].at;
    bool once = layout == WA_CONSTANT || layout == WA_PERIODIC;
    struct wa_instruction *i =
        once ? emit(b->once, &b->once_count, WA_FULL) : emit(b->code, &b->code_count, WA_FULL);
    i->run = layout == WA_CONSTANT   ? wa_do_splat
             : layout == WA_PERIODIC ? wa_do_repeat
             : layout == WA_A_ROW    ? wa_do_spread
                                     : wa_do_gather;
    i->n = 1;
    i->x[0] = from;
    i->y = new_slot(b, from.size, once);
    if (layout == WA_STRIDED) {
        i->kernel.gather = new_gather(b, b->g->values[x].node->shape, v->node->shape);
        if (!i->kernel.gather) b->failed = true;
    }
    b->brought[b->brought_count++] = (struct brought){x, layout, i->y};
    return i->y;
}

static struct wa_ref read_operand(struct builder *b, const struct wa_value *v, int k)
{
    int x = v->x[k], member = member_of(b, x);
    bool by_row = wa_needs_rows(v->node->op);
    enum wa_layout layout =
        by_row ? WA_DENSE : wa_layout_of(b->g->values[x].node->shape, v->node->shape);
    if (member >= 0) {
        int base = b->member[member];
        bool spread = !by_row && v->form == WA_FULL && b->g->values[base].form == WA_COLUMN;
        return spread ? bring(b, v, base, WA_A_ROW, b->made[member]) : b->made[member];
    }
    struct wa_ref from = {b->g->values[x].index, WA_AT_BASE, size_of(b, x)};
    if (layout == WA_DENSE) from.start = v->form == WA_FULL || by_row ? WA_AT_ELEMENT : WA_AT_ROW;
    if (layout == WA_A_ROW) from.start = WA_AT_ROW;
    bool direct = layout == WA_DENSE;
    if (layout == WA_PERIODIC && b->f->rows_a_unit == 1) {
        from.start = WA_AT_COLUMN;
        direct = true;
    }
    return direct ? from : bring(b, v, x, layout, from);
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
    case WA_APART: break;
    }
}

/* The slots of operands that nothing later reads; an elementwise result may be put there. */
static void free_operands(struct builder *b, const struct wa_value *v, int at)
{
    for (int k = 0; k < v->n; k++) {
        int member = member_of(b, v->x[k]);
        if (member < 0 || b->until[member] != at) continue;
        b->until[member] = -1;
        free_slot(b, b->made[member]);
    }
}

static struct wa_ref place_result(struct builder *b, const struct wa_value *v, int *output)
{
    size_t size = washi_dtype_size(v->node->type);
    if (!v->inside)
        return (struct wa_ref){output_base(b, (*output)++),
                               v->form == WA_FULL ? WA_AT_ELEMENT : WA_AT_ROW, size};
    if (v->node->op == &wa_op_matmul) return (struct wa_ref){block_base(b), WA_AT_BLOCK, size};
    return new_slot(b, size, false);
}

static void emit_members(struct builder *b)
{
    int output = 0;
    for (int m = 0; m < b->members; m++) {
        const struct wa_value *v = &b->g->values[b->member[m]];
        if (v->node->op == &wa_op_matmul) {
            b->made[m] = place_result(b, v, &output);
            continue;
        }
        struct wa_ref x[3];
        for (int k = 0; k < v->n; k++) x[k] = read_operand(b, v, k);
        struct wa_instruction *i = emit(b->code, &b->code_count, v->form);
        i->n = v->n;
        memcpy(i->x, x, sizeof x);
        set_kernel(i, b->step->simd, v, b->g->values[v->x[0]].node->type);
        bool over = v->node->op->fusion == WA_FUSE_MAP;
        if (over) free_operands(b, v, m);
        i->y = b->made[m] = place_result(b, v, &output);
        if (!over) free_operands(b, v, m);
    }
}

/* -- the step -- */

/* How the space is cut into units: pieces of about a tile, or rows where one is needed whole. */
static void cut(struct wa_fused *f, const struct wa_group *group, size_t size)
{
    size_t tile = TILE_BYTES / size;
    f->rows = (size_t)group->rows;
    f->columns = (size_t)group->columns;
    f->rows_a_unit = f->columns && f->columns < tile ? tile / f->columns : 1;
    if (f->rows_a_unit > f->rows && f->rows) f->rows_a_unit = f->rows;
    f->piece = group->by_rows || f->columns < tile ? f->columns : tile;
    f->pieces = group->by_rows ? 1 : f->piece ? (f->columns + f->piece - 1) / f->piece : 0;
    f->slot_bytes = wa_round_up(f->rows_a_unit * f->piece * size, WA_ALIGN);
}

/* The operand of the number by which v multiplies x; -1: it does not. */
static int number_beside(const struct builder *b, const struct wa_value *v, int x)
{
    if (v->node->op != &wa_op_mul) return -1;
    int other = v->x[0] == x ? v->x[1] : v->x[0];
    bool number = washi_size(b->g->values[other].node->shape) == 1 && member_of(b, other) < 0;
    return number && other != x ? b->g->values[other].index : -1;
}

/* An update such as w - rate * (a @ b) needs nothing but the product's alpha and beta: c - x and c + -x
 * are the same bits. */
static void find_update(struct builder *b)
{
    struct wa_fused *f = b->f;
    int product = b->member[0], last = b->member[b->members - 1];
    f->update_old = f->update_scale = -1;
    if (b->members < 2 || b->members > 3 || !b->g->values[product].inside || product != b->group->head)
        return;
    if (b->members == 3) {
        f->update_scale = number_beside(b, &b->g->values[b->member[1]], product);
        if (f->update_scale < 0 || !b->g->values[b->member[1]].inside) return;
        product = b->member[1];
    }
    const struct wa_value *v = &b->g->values[last];
    if (v->node->op != &wa_op_add && v->node->op != &wa_op_sub) return;
    int at = v->x[0] == product ? 0 : 1, old = v->x[1 - at];
    if (v->x[at] != product || member_of(b, old) >= 0 ||
        !wa_shape_equal(b->g->values[old].node->shape, v->node->shape))
        return;
    bool minus = v->node->op == &wa_op_sub;
    f->count = f->once = 0;
    f->update_old = b->g->values[old].index;
    f->update_sign = minus && at == 1 ? -1 : 1;
    f->update_old_sign = minus && at == 0 ? -1 : 1;
}

static void plan_product(struct builder *b)
{
    struct wa_fused *f = b->f;
    const struct wa_value *v = &b->g->values[b->group->head];
    size_t size = washi_dtype_size(v->node->type), block;
    f->multiplies = b->step->asks = true;
    f->gemm_type = v->node->type;
    f->gemm_a = b->g->values[v->x[0]].index;
    f->gemm_b = b->g->values[v->x[1]].index;
    f->gemm_c = b->made[v->index];
    f->gemm_indices = v->gathered ? b->g->values[v->x[2]].index : -1;
    f->table_rows = v->gathered ? v->gathered->rows : 0;
    struct wa_place left = wa_operand_of(b->g, v, 0), right = wa_operand_of(b->g, v, 1);
    f->gemm = wa_gemm_of(&left, &right, v->gathered);
    block = BLOCK_BYTES / (f->columns * size);
    if (block > BLOCK_ROWS) block = BLOCK_ROWS;
    if (block < TASK_ROWS) block = TASK_ROWS;
    f->block_rows = block < f->rows ? block : f->rows;
    find_update(b);
    if (f->gemm_c.start == WA_AT_BLOCK)
        f->block_bytes = wa_round_up(f->block_rows * f->columns * size, WA_ALIGN);
}

static void share_out(struct builder *b)
{
    struct wa_step *s = b->step;
    struct wa_fused *f = b->f;
    if (!s->lead) {
        size_t most = f->multiplies ? f->rows / TASK_ROWS
                                    : (f->rows + f->rows_a_unit - 1) / f->rows_a_unit * f->pieces;
        s->tasks = wa_tasks(s, f->rows * f->columns * (size_t)f->count, ELEMENT_GRAIN);
        if (f->multiplies) s->tasks = wa_tasks(s, f->rows * f->columns * f->gemm.k, PRODUCT_GRAIN);
        if ((size_t)s->tasks > most) s->tasks = most ? (int)most : 1;
    }
    f->bases = block_base(b) + 1 + f->slots;
    f->task_bytes = wa_round_up((size_t)f->bases * sizeof(char *), WA_ALIGN) +
                    (size_t)f->slots * f->slot_bytes + f->block_bytes;
    if (f->multiplies) {
        struct wa_gemm gemm = f->gemm;
        gemm.m = f->block_rows;
        if (f->update_old >= 0) gemm.beta = f->update_old_sign;
        f->task_bytes += wa_round_up(s->simd->gemm_scratch[f->gemm_type](&gemm), WA_ALIGN);
    }
    s->scratch_bytes = (size_t)s->tasks * f->task_bytes;
}

static bool new_lists(struct builder *b)
{
    struct wa_arena *a = &b->g->arena;
    size_t n = (size_t)b->members, most = 0;
    for (int i = 0; i < b->members; i++) most += 1 + (size_t)b->g->values[b->member[i]].n;
    b->made = wa_arena_new(a, n * sizeof *b->made, _Alignof(struct wa_ref));
    b->until = wa_arena_new(a, n * sizeof *b->until, _Alignof(int));
    b->brought = wa_arena_new(a, most * sizeof *b->brought, _Alignof(struct brought));
    b->once = wa_arena_new(a, most * sizeof *b->once, _Alignof(struct wa_instruction));
    b->code = wa_arena_new(a, most * sizeof *b->code, _Alignof(struct wa_instruction));
    b->free_slot = wa_arena_new(a, most * sizeof *b->free_slot, _Alignof(int));
    if (!b->made || !b->until || !b->brought || !b->once || !b->code || !b->free_slot) return false;
    for (int i = 0; i < b->members; i++) b->until[i] = -1;
    return true;
}

static bool keep_code(struct builder *b)
{
    struct wa_fused *f = b->f;
    size_t once = (size_t)b->once_count, code = (size_t)b->code_count;
    f->once = b->once_count;
    f->count = b->once_count + b->code_count;
    f->code = wa_step_new(b->step, (once + code) * sizeof *f->code);
    f->nodes = wa_step_new(b->step, (size_t)b->members * sizeof *f->nodes);
    if (!f->code || !f->nodes) return false;
    memcpy(f->code, b->once, once * sizeof *f->code);
    memcpy(f->code + once, b->code, code * sizeof *f->code);
    f->node_count = b->members;
    for (int i = 0; i < b->members; i++) f->nodes[i] = b->g->values[b->member[i]].node;
    return true;
}

static washi_status check_fused(const struct wa_step *s)
{
    const struct wa_fused *f = s->geometry;
    bool gathers = f->multiplies && f->gemm_indices >= 0;
    return gathers ? wa_check_range(&s->x[f->gemm_indices], f->table_rows, "take", "index") : WASHI_OK;
}

static const struct wa_op fused_op = {
    .name = "fused", .doc = "several values made together", .check = check_fused, .run = wa_run_fused};

void wa_fused_gather(const struct wa_step *s, const struct wa_place **table,
                     const struct wa_place **indices)
{
    const struct wa_fused *f = s->geometry;
    if (s->op != &fused_op || !f->multiplies || f->gemm_indices < 0) return;
    *table = &s->x[f->gemm_a];
    *indices = &s->x[f->gemm_indices];
}

bool wa_plan_fused(struct wa_step *s, struct wa_graph *g, const int *member, int members)
{
    struct builder b = {.step = s,
                        .g = g,
                        .group = &g->groups[wa_group_of(g, member[0])],
                        .member = member,
                        .members = members};
    s->op = &fused_op;
    s->geometry = b.f = wa_step_new(s, sizeof *b.f);
    size_t size = 1;
    for (int i = 0; i < members; i++) {
        struct wa_value *v = &g->values[member[i]];
        v->index = i;
        size_t of = washi_dtype_size(v->node->type);
        if (size < of) size = of;
        for (int k = 0; k < v->n; k++) {
            of = size_of(&b, v->x[k]);
            if (size < of) size = of;
        }
    }
    if (!b.f || !new_lists(&b) || !find_operands(&b)) return false;
    cut(b.f, b.group, size);
    emit_members(&b);
    if (b.failed || !keep_code(&b)) return false;
    if (b.group->head >= 0) plan_product(&b);
    share_out(&b);
    return true;
}
