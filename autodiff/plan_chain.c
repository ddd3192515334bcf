/* plan_chain.c: chains of cheap ops in registers (simd/chain.h): members of a group that follow one
 * another, with the folds of what they make.
 *
 * A link changes the chain's value; what is needed again is saved in a register, or, when there is
 * none, in memory of a block. Only what is read beyond the chain is stored in a slot or an output. */
#include "autodiff/builder.h"

#include <string.h>

/* Whether the link of that code loses the registers. */
static bool loses(int code) { return code >= WA_CHAIN_map && code < WA_CHAIN_neg; }

/* The codes of a map's links, the first of them; -1: it is no link. */
static int first_code(const struct wa_builder *b, const struct wa_value *v)
{
    static const struct {
        int map, code;
    } table[] = {
#define UNARY(name)  {WA_MAP_##name, WA_CHAIN_##name},
#define BINARY(name) {WA_MAP_##name, WA_CHAIN_##name##_vector},
        WA_CHAIN_MATHS(UNARY) WA_CHAIN_UNARIES(UNARY) WA_CHAIN_BINARIES(BINARY)
#undef UNARY
#undef BINARY
    };
    const struct wa_op *op = v->node->op;
    if (op->fusion != WA_FUSE_MAP) return -1;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].map == op->kernel &&
            (!loses(table[i].code) || b->step->simd->math_chain[v->node->type]))
            return table[i].code;
    return v->n == 1 ? WA_CHAIN_map : -1;
}

static const struct wa_value *value_of(const struct wa_builder *b, int m)
{
    return &b->g->values[b->member[m]];
}

static bool is_bytes(const struct wa_builder *b, const struct wa_value *v)
{
    return v->node->op == &wa_op_cast && wa_is_real(v->node->type) &&
           b->g->values[v->x[0]].node->type == WASHI_U8;
}

static bool is_fold(const struct wa_value *v) { return v->node->op->fusion == WA_FUSE_FOLD; }

/* -- which members -- */

/* Whether m, a member after `first`, is of the chain that begins there. A fold is when it folds what
 * the chain makes, one row a unit; who reads the result comes later. */
static bool goes_on(const struct wa_builder *b, int first, int m)
{
    const struct wa_value *begins = value_of(b, first), *v = value_of(b, m);
    if (v->node->type != begins->node->type) return false;
    if (is_fold(v))
        return v->form == WA_COLUMN && begins->form == WA_FULL && b->f->rows_a_unit == 1 &&
               b->output[m] < 0 && wa_member_of(b, v->x[0]) >= first;
    if (v->form != begins->form || (first_code(b, v) < 0 && !is_bytes(b, v))) return false;
    for (int k = 0; k < v->n; k++) {
        int from = wa_member_of(b, v->x[k]);
        if (from >= first && value_of(b, from)->form != v->form) return false;
    }
    return true;
}

/* The member after the last of the chain that begins with `first`; that itself: none begins. */
static int end_of(const struct wa_builder *b, int first)
{
    const struct wa_value *v = value_of(b, first);
    int code = first_code(b, v), end = first + 1;
    if (code < 0 && !is_bytes(b, v)) return first;
    while (end < b->members && goes_on(b, first, end)) end++;
    return loses(code) && end == first + 1 ? first : end; /* its kernel does as well */
}

/* Whether one of the members first ... end-1 goes past the caches. */
static bool streams(const struct wa_builder *b, int first, int end)
{
    for (int m = first; m < end; m++)
        if (b->output[m] >= 0 && wa_streams(b, m)) return true;
    return false;
}

void wa_survey_chains(struct wa_builder *b)
{
    bool waits = false, writes = false;
    b->longest = b->last = -1;
    for (int m = 0, most = 0, end; m<b->members; m = end> m ? end : m + 1) {
        end = end_of(b, m);
        if (end == m || value_of(b, m)->form != WA_FULL) continue;
        b->last = m;
        writes = streams(b, m, end);
        if (end - m > most) b->longest = m, most = end - m, waits = writes;
    }
    if (waits || !writes) b->last = -1;
}

/* Who of the chain's members reads what next. */
static void find_readers(struct wa_builder *b)
{
    const int first = b->chain_first;
    for (int m = b->chain_end; m-- > first;) {
        const struct wa_value *v = value_of(b, m);
        for (int k = 0; k < v->n; k++) {
            int from = wa_member_of(b, v->x[k]);
            if (from < first) continue;
            b->following[m][k] = b->next[from] == m ? b->following[m][0] : b->next[from];
            b->next[from] = m;
        }
    }
}

/* Member m reads its operands. */
static void pass(struct wa_builder *b, int m)
{
    const struct wa_value *v = value_of(b, m);
    for (int k = 0; k < v->n; k++) {
        int from = wa_member_of(b, v->x[k]);
        if (from >= b->chain_first) b->next[from] = b->following[m][k];
    }
}

/* -- links -- */

static void link(struct wa_builder *b, int code, struct wa_ref at)
{
    struct wa_chain *c = b->chain;
    c->code[c->links] = (unsigned char)(at.start == WA_AT_LOCAL ? code | WA_CHAIN_LOCAL : code);
    if (at.start != WA_AT_BASE && at.start != WA_AT_LOCAL && at.start != WA_AT_KERNEL)
        c->moving[c->moves++] = c->links;
    c->at[c->links++] = at;
    b->f->link_count++;
}

static void link_register(struct wa_builder *b, int code, int r)
{
    link(b, code + r, (struct wa_ref){0});
}

static bool has_place(const struct wa_builder *b, int m) { return b->made[m].size; }

static struct wa_ref new_local(struct wa_builder *b, int m)
{
    int local = b->free_locals ? b->free_local[--b->free_locals] : b->f->locals++;
    return b->made[m] =
               (struct wa_ref){local, WA_AT_LOCAL, washi_dtype_size(value_of(b, m)->node->type)};
}

static int register_of(const struct wa_builder *b, int m)
{
    for (int r = 0; r < WA_CHAIN_REGISTERS; r++)
        if (m >= 0 && b->saved[r] == m) return r;
    return -1;
}

/* The register to be written over: a free one, or else the one that is needed last; -1: all are read by
 * the link to come, the operands of which are x. */
static int register_for(const struct wa_builder *b, const int x[2])
{
    int best = -1;
    for (int r = 0; r < WA_CHAIN_REGISTERS; r++) {
        if (b->saved[r] < 0) return r;
        if (b->saved[r] == x[0] || b->saved[r] == x[1]) continue;
        if (best < 0 || b->next[b->saved[r]] > b->next[b->saved[best]]) best = r;
    }
    return best;
}

/* Before the chain's value changes: keeps it, if it is read later and is nowhere else. */
static void keep(struct wa_builder *b, const int x[2])
{
    int m = b->value;
    if (m < 0 || b->next[m] < 0 || has_place(b, m) || register_of(b, m) >= 0) return;
    int r = register_for(b, x), other = r < 0 ? -1 : b->saved[r];
    if (r < 0 || (other >= 0 && b->next[other] < b->next[m])) {
        link(b, WA_CHAIN_store, new_local(b, m));
        return;
    }
    if (other >= 0 && !has_place(b, other)) link(b, WA_CHAIN_store_0 + r, new_local(b, other));
    link_register(b, WA_CHAIN_save_0, r);
    b->saved[r] = m;
}

/* Before a link that changes all registers: none is needed then. */
static void empty_registers(struct wa_builder *b)
{
    if (b->value >= 0 && b->next[b->value] >= 0 && !has_place(b, b->value) &&
        register_of(b, b->value) < 0)
        link(b, WA_CHAIN_store, new_local(b, b->value));
    for (int r = 0; r < WA_CHAIN_REGISTERS; r++) {
        int m = b->saved[r];
        if (m >= 0 && !has_place(b, m)) link(b, WA_CHAIN_store_0 + r, new_local(b, m));
        b->saved[r] = -1;
    }
}

/* -- operands -- */

/* Where an operand is, best first. */
enum place { VALUE, SAVED, MEMORY, NUMBER };
struct operand {
    enum place place;
    int r;
    struct wa_ref at;
};

static struct operand operand_of(struct wa_builder *b, const struct wa_value *v, int k)
{
    int m = wa_member_of(b, v->x[k]), r = register_of(b, m);
    bool number = false;
    if (m >= 0 && m == b->value) return (struct operand){.place = VALUE};
    if (r >= 0) return (struct operand){.place = SAVED, .r = r};
    struct wa_ref at = wa_read_operand(b, v, k, is_fold(v) ? NULL : &number);
    return (struct operand){.place = number ? NUMBER : MEMORY, .at = at};
}

/* The chain's value becomes operand k of v, if it is not. */
static void take(struct wa_builder *b, const struct wa_value *v, int k, const struct operand *x)
{
    if (x->place == SAVED)
        link_register(b, WA_CHAIN_restore_0, x->r);
    else if (x->place == NUMBER)
        link(b, WA_CHAIN_number, x->at);
    else if (x->place == MEMORY)
        link(b, is_bytes(b, v) ? WA_CHAIN_bytes : WA_CHAIN_load, x->at);
    b->value = wa_member_of(b, v->x[k]);
}

/* Gives back what holds operands that the chain does not read again. */
static void let_go(struct wa_builder *b, int m)
{
    const struct wa_value *v = value_of(b, m);
    for (int k = 0; k < v->n; k++) {
        int from = wa_member_of(b, v->x[k]), r = register_of(b, from);
        if (from < b->chain_first || b->next[from] >= 0) continue;
        if (r >= 0) b->saved[r] = -1;
        if (b->made[from].start != WA_AT_LOCAL) continue;
        b->free_local[b->free_locals++] = b->made[from].base;
        b->made[from] = (struct wa_ref){0};
    }
    wa_free_operands(b, m);
}

/* -- members -- */

/* The chain's value, member m, goes to memory if it is read beyond the chain. */
static void store(struct wa_builder *b, int m)
{
    bool later = b->until[m] >= b->chain_end;
    if (b->output[m] >= 0 && wa_streams(b, m)) {
        link(b, WA_CHAIN_stream, wa_place_result(b, m));
        b->f->streams = true;
        if (!later) return;
        b->made[m] = wa_place_inside(b, m);
    } else if (later || b->output[m] >= 0) {
        b->made[m] = wa_place_result(b, m);
    } else
        return;
    link(b, WA_CHAIN_store, b->made[m]);
}

/* Whether a sum is best made in the register of the operand that is over with it, the chain's value
 * being needed next, or the sum not soon. */
static bool adds_to(const struct wa_builder *b, const struct wa_value *v, int m, int saved)
{
    if (v->node->op != &wa_op_add || b->next[b->saved[saved]] >= 0) return false;
    if (b->until[m] >= b->chain_end || b->output[m] >= 0) return false;
    return b->next[b->value] >= 0 || b->next[m] != m + 1;
}

static struct wa_ref kernel_of(const struct wa_builder *b, const struct wa_value *v)
{
    const struct wa_simd *simd = b->step->simd;
    wa_map_fn *const *at = &simd->map[v->node->op->kernel][v->node->type];
    return (struct wa_ref){0, WA_AT_KERNEL, (size_t)((const char *)at - (const char *)simd)};
}

static void emit_map(struct wa_builder *b, int m)
{
    const struct wa_value *v = value_of(b, m);
    int from[2] = {wa_member_of(b, v->x[0]), v->n == 2 ? wa_member_of(b, v->x[1]) : -1};
    bool itself = v->n == 2 && (v->x[0] == v->x[1] || (from[0] >= 0 && from[0] == from[1]));
    int n = itself ? 1 : v->n, code = first_code(b, v);
    struct operand x[2];
    for (int k = 0; k < n; k++) x[k] = operand_of(b, v, k);
    int k = n == 2 && x[1].place < x[0].place;
    if (n == 2 && x[k].place == VALUE && x[1 - k].place == SAVED && adds_to(b, v, m, x[1 - k].r)) {
        link_register(b, WA_CHAIN_add_to_0, x[1 - k].r);
        let_go(b, m);
        b->saved[x[1 - k].r] = m;
        return;
    }
    keep(b, from);
    take(b, v, k, &x[k]);
    if (loses(code)) {
        empty_registers(b);
        link(b, code, kernel_of(b, v));
        if (code != WA_CHAIN_map) b->chain->run = b->step->simd->math_chain[v->node->type];
    } else if (itself)
        link(b, code + WA_CHAIN_ITSELF, (struct wa_ref){0});
    else if (n == 1 && code >= 0)
        link(b, code, (struct wa_ref){0});
    else if (n == 2) {
        const struct operand *other = &x[1 - k];
        code += k ? WA_CHAIN_BY : 0;
        if (other->place == SAVED)
            link_register(b, code + WA_CHAIN_SAVED, other->r);
        else
            link(b, code + (other->place == NUMBER ? WA_CHAIN_NUMBER : 0), other->at);
    }
    let_go(b, m);
    b->value = m;
    store(b, m);
}

/* Members m and m + 1 as one link, which leaves the chain's value as it is: a product and its sum with
 * what a register holds, neither read anywhere else. */
static bool emit_product_sum(struct wa_builder *b, int m)
{
    if (m + 1 >= b->chain_end || b->until[m] != m + 1 || b->until[m + 1] >= b->chain_end ||
        b->output[m] >= 0 || b->output[m + 1] >= 0)
        return false;
    const struct wa_value *v = value_of(b, m), *sum = value_of(b, m + 1);
    if (v->node->op != &wa_op_mul || sum->node->op != &wa_op_add) return false;
    int into = wa_member_of(b, sum->x[0]) == m, r = register_of(b, wa_member_of(b, sum->x[into]));
    if (r < 0 || b->following[m + 1][into] >= 0) return false;
    struct operand x[2] = {operand_of(b, v, 0), operand_of(b, v, 1)};
    int k = x[0].place == VALUE;
    if (x[!k].place != VALUE || x[k].place < MEMORY) return false;
    link(b, (x[k].place == NUMBER ? WA_CHAIN_add_scaled_0 : WA_CHAIN_add_product_0) + r, x[k].at);
    let_go(b, m);
    pass(b, m + 1);
    let_go(b, m + 1);
    b->saved[r] = m + 1;
    return true;
}

static void emit_fold(struct wa_builder *b, int m)
{
    const struct wa_value *v = value_of(b, m);
    struct operand x = operand_of(b, v, 0);
    if (x.place != VALUE) keep(b, (int[]){wa_member_of(b, v->x[0]), -1});
    take(b, v, 0, &x);
    link(b, WA_CHAIN_fold_sum + v->node->op->kernel, b->made[m]);
    let_go(b, m);
}

/* Asks for rows that the group reads later. Small operands are near the core. */
static void prefetch(struct wa_builder *b, int code, enum wa_start start)
{
    enum { LARGE = 1 << 20 };
    const struct wa_step *s = b->step;
    for (int k = 0; k < s->n; k++) {
        const struct wa_place *x = &s->x[k];
        if (x->type == value_of(b, b->chain_first)->node->type &&
            wa_layout_of(x->shape, b->group->shape) == WA_DENSE &&
            wa_shape_bytes(x->shape, x->type) >= LARGE)
            link(b, code, (struct wa_ref){k, start, washi_dtype_size(x->type)});
    }
}

/* Rows come from memory three rows before they are worked on, since one row is too short a time, while
 * the longest chain is busy. When that writes nothing past the caches, and the last one does, they go
 * on to the first level while this finishes the row before. */
static void ask(struct wa_builder *b)
{
    if (!b->group->by_rows || b->f->rows_a_unit > 1) return;
    if (b->chain_first == b->longest) prefetch(b, WA_CHAIN_prefetch, WA_AT_AFTER);
    if (b->chain_first == b->last) prefetch(b, WA_CHAIN_prefetch_near, WA_AT_NEXT);
}

static bool begin(struct wa_builder *b)
{
    const struct wa_value *v = value_of(b, b->chain_first);
    /* Links a member: it begins a fold, keeps two values, takes one, is made, is stored twice. */
    size_t most = 7 * (size_t)b->members + 2 * (size_t)b->step->n;
    struct wa_chain *c = wa_step_new(b->step, sizeof *c);
    if (c && !b->f->links) {
        b->f->links = wa_step_new(b->step, most * sizeof *b->f->links);
        b->f->codes = wa_step_new(b->step, most);
        b->f->moving = wa_step_new(b->step, most * sizeof *b->f->moving);
    }
    if (!c || !b->f->links || !b->f->codes || !b->f->moving) return false;
    c->first = b->f->link_count;
    c->run = b->step->simd->chain[v->node->type];
    c->at = b->f->links + b->f->link_count;
    c->code = b->f->codes + b->f->link_count;
    c->moving = b->f->moving + b->f->link_count;
    b->chain = c;
    b->value = -1;
    for (int r = 0; r < WA_CHAIN_REGISTERS; r++) b->saved[r] = -1;
    /* Lanes are written before any link: in slots that nothing was in. */
    for (int m = b->chain_first; m < b->chain_end; m++) {
        if (!is_fold(value_of(b, m))) continue;
        b->made[m] = wa_new_slot(b, washi_dtype_size(v->node->type), true);
        link(b, WA_CHAIN_begin_sum + value_of(b, m)->node->op->kernel, b->made[m]);
    }
    return true;
}

int wa_emit_chain(struct wa_builder *b, int m)
{
    b->chain_first = m;
    b->chain_end = end_of(b, m);
    if (b->chain_end == m) return m;
    find_readers(b);
    if (begin(b))
        ask(b);
    else
        b->failed = true;
    for (; !b->failed && m < b->chain_end; m++) {
        pass(b, m);
        if (is_fold(value_of(b, m)))
            emit_fold(b, m);
        else if (emit_product_sum(b, m))
            m++;
        else
            emit_map(b, m);
    }
    if (b->failed) return b->members;
    wa_emit(b, &b->code, value_of(b, b->chain_first)->form)->chain = b->chain;
    b->chain = NULL;
    return m;
}
