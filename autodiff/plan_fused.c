/* plan_fused.c: from a group of values to the code of its step. */
#include "autodiff/builder.h"

#include <string.h>

enum { TILE_BYTES = 4096 };
/* Of a matrix product: a block's rows, and the bytes of the left operand and of the result in them,
 * which stay in the second-level cache; fewer rows than that would have the right operand packed too
 * often. Fewer where rows are gathered, some groups that are packed together. The rows of a task, which
 * are some of its tiles. */
enum { BLOCK_BYTES = 512 * 1024, BLOCK_ROWS = 448, GATHERED_ROWS = 112, TASK_ROWS = 28 };
enum { PRODUCT_GRAIN = 1 << 19, TASK_COST = 6000 }; /* worth a task: multiply-adds, nanoseconds */

static size_t size_of(const struct wa_builder *b, int value)
{
    return washi_dtype_size(b->g->values[value].node->type);
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
static bool find_operands(struct wa_builder *b)
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
        if (v->node->op == &wa_op_matmul) b->block[i] = b->f->blocks++;
        b->output[i] = v->inside ? -1 : s->outputs;
        if (!v->inside) s->out[s->outputs++] = wa_place_of(g, b->member[i]);
        for (int k = 0; k < v->n; k++) {
            struct wa_value *x = &g->values[v->x[k]];
            int member = wa_member_of(b, v->x[k]);
            if (member >= 0) {
                b->until[member] = i;
                if (wa_ends(b, v) && b->block[member] < 0) b->block[member] = b->f->blocks++;
            } else if (x->read_by != step) {
                x->read_by = step;
                x->index = s->n;
                s->x[s->n++] = wa_place_of(g, v->x[k]);
            }
        }
    }
    return keep_places(s, &s->x, s->n) && keep_places(s, &s->out, s->outputs);
}

bool wa_streams(const struct wa_builder *b, int m)
{
    enum { STREAM_BYTES = 1 << 25 };
    const struct wa_value *v = &b->g->values[b->member[m]];
    if (wa_shape_bytes(v->node->shape, v->node->type) < STREAM_BYTES) return false;
    for (int k = 0; k < b->step->n; k++)
        if (b->g->values[b->step->x[k].value].root == v->root) return false;
    return true;
}

/* -- the step -- */

/* Whether the space may be one long row: nothing is stretched along any of its axes but over all. */
static bool is_flat(const struct wa_builder *b)
{
    if (b->group->by_rows || b->group->head >= 0) return false;
    for (int i = 0; i < b->members; i++) {
        const struct wa_value *v = &b->g->values[b->member[i]];
        for (int k = 0; k < v->n && !wa_ends(b, v); k++) {
            enum wa_layout layout = wa_layout_of(b->g->values[v->x[k]].node->shape, v->node->shape);
            if (layout != WA_DENSE && layout != WA_CONSTANT) return false;
        }
    }
    return true;
}

/* How the space is cut into units: pieces of about a tile, or rows where one is needed whole. */
static void cut(struct wa_builder *b, size_t size)
{
    struct wa_fused *f = b->f;
    const struct wa_group *group = b->group;
    size_t tile = TILE_BYTES / size;
    bool flat = is_flat(b);
    f->rows = flat ? 1 : (size_t)group->rows;
    f->columns = (size_t)(flat ? group->rows * group->columns : group->columns);
    f->rows_a_unit = f->columns && f->columns < tile ? tile / f->columns : 1;
    if (f->rows_a_unit > f->rows && f->rows) f->rows_a_unit = f->rows;
    f->piece = group->by_rows || f->columns < tile ? f->columns : tile;
    f->pieces = group->by_rows ? 1 : f->piece ? (f->columns + f->piece - 1) / f->piece : 0;
    /* Rows of no elements, too, can have one element a row. */
    f->slot_bytes = wa_round_up(f->rows_a_unit * (f->piece ? f->piece : 1) * size, WA_ALIGN);
    f->block_bytes = f->folds ? f->folds->tile * size : 0;
}

/* Pieces such that what is kept between instructions stays in the first-level cache, now that it is
 * known how much that is. Folds take no more than a tile at a time. */
static void fit(struct wa_fused *f, size_t size)
{
    enum { KEPT_BYTES = 24 * 1024, LONGEST = 16 * 1024, STEP = 256 };
    size_t piece = KEPT_BYTES / size / (f->slots ? (size_t)f->slots : 1) / STEP * STEP;
    size_t longest = f->folds ? f->folds->tile : LONGEST;
    piece = piece > longest ? longest : piece < STEP ? STEP : piece;
    f->piece = piece < f->columns ? piece : f->columns;
    f->pieces = f->piece ? (f->columns + f->piece - 1) / f->piece : 0;
    f->slot_bytes = wa_round_up(f->piece * size, WA_ALIGN);
}

/* The operand of the number by which v multiplies x; -1: it does not. */
static int number_beside(const struct wa_builder *b, const struct wa_value *v, int x)
{
    if (v->node->op != &wa_op_mul) return -1;
    int other = v->x[0] == x ? v->x[1] : v->x[0];
    bool number = washi_size(b->g->values[other].node->shape) == 1 && wa_member_of(b, other) < 0;
    return number && other != x ? b->g->values[other].index : -1;
}

/* An update such as w - rate * (a @ b) needs nothing but the product's alpha and beta: c - x and c + -x
 * are the same bits. */
static void find_update(struct wa_builder *b)
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
    if (v->x[at] != product || wa_member_of(b, old) >= 0 ||
        !wa_shape_equal(b->g->values[old].node->shape, v->node->shape))
        return;
    bool minus = v->node->op == &wa_op_sub;
    f->count = f->once = 0;
    f->update_old = b->g->values[old].index;
    f->update_sign = minus && at == 1 ? -1 : 1;
    f->update_old_sign = minus && at == 0 ? -1 : 1;
}

static void plan_product(struct wa_builder *b)
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
    f->gemm = wa_gemm_of(&left, &right, f->columns, v->gathered);
    f->gemm_kept = v->keeps < 0 ? -1 : b->made[b->g->values[v->keeps].index].base;
    if (v->keeps >= 0) f->gemm.a_kept = f; /* no scratch memory for it */
    block = BLOCK_BYTES / ((f->columns > f->gemm.k ? f->columns : f->gemm.k) * size);
    size_t most = v->gathered ? GATHERED_ROWS : BLOCK_ROWS;
    if (block > most) block = most;
    if (block < TASK_ROWS) block = TASK_ROWS;
    f->block_rows = block < f->rows ? block : f->rows;
    find_update(b);
    if (f->gemm_c.start == WA_AT_BLOCK && f->update_old < 0)
        f->block_bytes = wa_round_up(f->block_rows * f->columns * size, WA_ALIGN);
}

static void share_out(struct wa_builder *b)
{
    struct wa_step *s = b->step;
    struct wa_fused *f = b->f;
    size_t cost = (size_t)b->g->turns[b->g->values[b->member[0]].step].cost;
    if (f->folds)
        wa_plan_folds(s, wa_folding_of(b->g, &b->g->values[b->member[b->members - 1]]),
                      b->group->by_rows, (size_t)wa_tasks(s, cost, TASK_COST));
    else if (!s->lead) {
        size_t most = f->multiplies ? f->rows / TASK_ROWS
                                    : (f->rows + f->rows_a_unit - 1) / f->rows_a_unit * f->pieces;
        s->tasks = wa_tasks(s, cost, TASK_COST);
        if (f->multiplies) s->tasks = wa_tasks(s, f->rows * f->columns * f->gemm.k, PRODUCT_GRAIN);
        if ((size_t)s->tasks > most) s->tasks = most ? (int)most : 1;
    }
    /* Five lines more: a row and what is made of it would else begin in one set of the cache. */
    if (f->slot_bytes >= TILE_BYTES / 2) f->slot_bytes += 5 * WA_ALIGN;
    f->bases = wa_slot_base(b) + f->slots + f->locals + 2;
    f->still = s->tasks == 1 && !f->folds && f->rows <= f->rows_a_unit && f->pieces <= 1 &&
               (!f->multiplies || f->rows <= f->block_rows);
    f->task_bytes = (size_t)f->slots * f->slot_bytes + (size_t)f->locals * f->local_bytes +
                    (size_t)f->blocks * f->block_bytes;
    if (f->multiplies) {
        struct wa_gemm gemm = f->gemm;
        gemm.m = f->block_rows;
        if (f->update_old >= 0) gemm.beta = f->update_old_sign;
        f->task_bytes += wa_round_up(s->simd->gemm_scratch[f->gemm_type](&gemm), WA_ALIGN);
    }
    s->scratch_bytes = (size_t)s->tasks * f->task_bytes + s->shared_bytes;
}

static bool new_lists(struct wa_builder *b)
{
    struct wa_arena *a = &b->g->arena;
    size_t n = (size_t)b->members, most = 0;
    for (int i = 0; i < b->members; i++) most += 1 + (size_t)b->g->values[b->member[i]].n;
    b->made = wa_arena_new(a, n * sizeof *b->made, _Alignof(struct wa_ref));
    b->until = wa_arena_new(a, n * sizeof *b->until, _Alignof(int));
    b->next = wa_arena_new(a, n * sizeof *b->next, _Alignof(int));
    b->following = wa_arena_new(a, n * sizeof *b->following, _Alignof(int));
    b->free_local = wa_arena_new(a, n * sizeof *b->free_local, _Alignof(int));
    b->output = wa_arena_new(a, n * sizeof *b->output, _Alignof(int));
    b->block = wa_arena_new(a, n * sizeof *b->block, _Alignof(int));
    b->pair = wa_arena_new(a, n * sizeof *b->pair, _Alignof(int));
    b->brought = wa_arena_new(a, most * sizeof *b->brought, _Alignof(struct wa_brought));
    b->free_slot = wa_arena_new(a, most * sizeof *b->free_slot, _Alignof(int));
    if (!b->made || !b->until || !b->next || !b->following || !b->free_local || !b->output ||
        !b->block || !b->pair || !b->brought || !b->free_slot)
        return false;
    memset(b->made, 0, n * sizeof *b->made);
    for (int i = 0; i < b->members; i++) b->until[i] = b->next[i] = b->block[i] = -1;
    return true;
}

/* Now that all slots and locals are known: the bases of locals and kernels, and room for lanes. */
static void place_links(struct wa_builder *b)
{
    struct wa_fused *f = b->f;
    int locals = wa_slot_base(b) + f->slots;
    f->local_bytes = f->slot_bytes < WA_CHAIN_BLOCK ? f->slot_bytes : WA_CHAIN_BLOCK;
    for (int i = 0; i < f->link_count; i++) {
        struct wa_ref *at = &f->links[i];
        size_t lanes = wa_round_up(WA_LANES * at->size, WA_ALIGN);
        if (at->start == WA_AT_LOCAL) at->base += locals;
        if (at->start == WA_AT_KERNEL) at->base = locals + f->locals;
        if (f->codes[i] >= WA_CHAIN_begin_sum && f->codes[i] < WA_CHAIN_CODES && f->slot_bytes < lanes)
            f->slot_bytes = lanes;
    }
}

static bool keep_code(struct wa_builder *b)
{
    struct wa_fused *f = b->f;
    size_t once = (size_t)b->once.count, code = (size_t)b->code.count;
    f->once = b->once.count;
    f->count = b->once.count + b->code.count;
    f->code = wa_step_new(b->step, (once + code) * sizeof *f->code);
    f->nodes = wa_step_new(b->step, (size_t)b->members * sizeof *f->nodes);
    if (!f->code || !f->nodes) return false;
    if (once) memcpy(f->code, b->once.at, once * sizeof *f->code);
    if (code) memcpy(f->code + once, b->code.at, code * sizeof *f->code);
    for (int i = 0; i < b->members; i++)
        if (b->g->values[b->member[i]].form != WA_BESIDE)
            f->nodes[f->node_count++] = b->g->values[b->member[i]].node;
    return true;
}

static washi_status check_fused(const struct wa_step *s)
{
    const struct wa_fused *f = s->geometry;
    washi_status status = WASHI_OK;
    if (f->multiplies && f->gemm_indices >= 0)
        status = wa_check_range(&s->x[f->gemm_indices], f->table_rows, "take", "index");
    for (int k = 0; k < f->count && !status; k++)
        if (f->code[k].run == wa_do_take)
            status = wa_check_range(&s->x[f->code[k].x[1].base], f->code[k].kernel.slices->count,
                                    "take", "index");
    return status;
}

static const struct wa_op fused_op = {.name = "fused",
                                      .doc = "several values made together",
                                      .check = check_fused,
                                      .run = wa_run_fused,
                                      .finish = wa_finish_folds};

/* Room for the folds at the end of the group, if there are any. */
static bool new_folds(struct wa_builder *b)
{
    size_t n = 0;
    for (int i = 0; i < b->members; i++) n += wa_ends(b, &b->g->values[b->member[i]]);
    if (!n) return true;
    struct wa_folds *folds = b->f->folds = wa_step_new(b->step, sizeof *folds);
    if (!folds) return false;
    folds->tile = b->group->by_rows ? WA_LONGEST_ROW : WA_FOLD_TILE;
    folds->end = wa_step_new(b->step, n * sizeof *folds->end);
    b->f->blocks = (int)n; /* for their lanes */
    return folds->end;
}

void wa_fused_gather(const struct wa_step *s, const struct wa_place **table,
                     const struct wa_place **indices)
{
    const struct wa_fused *f = s->geometry;
    if (s->op != &fused_op) return;
    if (f->multiplies && f->gemm_indices >= 0) {
        *table = &s->x[f->gemm_a];
        *indices = &s->x[f->gemm_indices];
    }
    for (int i = 0; i < f->count && !*table; i++)
        if (f->code[i].run == wa_do_take) {
            *table = &s->x[f->code[i].x[0].base];
            *indices = &s->x[f->code[i].x[1].base];
        }
}

bool wa_plan_fused(struct wa_step *s, struct wa_graph *g, const int *member, int members)
{
    struct wa_builder b = {.step = s,
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
    if (!b.f || !new_lists(&b) || !new_folds(&b) || !find_operands(&b)) return false;
    cut(&b, size);
    wa_emit_members(&b);
    if (b.f->rows_a_unit == 1 && !b.group->by_rows) fit(b.f, size);
    place_links(&b);
    if (b.failed || !keep_code(&b)) return false;
    if (b.group->head >= 0) plan_product(&b);
    share_out(&b);
    return wa_frame_new(s);
}
