/* plan_chain.c: chains of cheap elementwise ops that carry their value in registers (simd/chain.h).
 *
 * A link takes the value that the chain carries, and at most one operand from memory. What else reads a
 * value finds it in a slot or an output, stored by the chain as it goes on. */
#include "autodiff/builder.h"

#include <string.h>

/* The codes of a map's links, the first of them; -1: it is none. */
static int first_code(const struct wa_value *v)
{
    static const struct {
        int map, code;
    } table[] = {
#define UNARY(name)  {WA_MAP_##name, WA_CHAIN_##name},
#define BINARY(name) {WA_MAP_##name, WA_CHAIN_##name##_vector},
        WA_CHAIN_UNARIES(UNARY) WA_CHAIN_BINARIES(BINARY)
#undef UNARY
#undef BINARY
    };
    const struct wa_op *op = v->node->op;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (op->fusion == WA_FUSE_MAP && table[i].map == op->kernel) return table[i].code;
    return -1;
}

static bool is_bytes(const struct wa_builder *b, const struct wa_value *v)
{
    return v->node->op == &wa_op_cast && wa_is_real(v->node->type) &&
           b->g->values[v->x[0]].node->type == WASHI_U8;
}

static void link(struct wa_builder *b, int code, struct wa_ref at)
{
    struct wa_chain *c = b->chain;
    c->code[c->links] = (unsigned char)code;
    c->at[c->links++] = at;
    b->f->link_count++;
}

/* The carried value goes to memory, if it is read there. */
static void store(struct wa_builder *b)
{
    if (b->stored || b->carried < 0 || (!b->uses[b->carried] && b->output[b->carried] < 0)) return;
    b->made[b->carried] = wa_place_result(b, b->carried);
    link(b, WA_CHAIN_store, b->made[b->carried]);
    b->stored = true;
}

void wa_end_chain(struct wa_builder *b)
{
    if (!b->chain) return;
    store(b);
    struct wa_instruction *i = wa_emit(b, &b->code, b->chain_form);
    i->chain = b->chain;
    if (b->f->most_links < b->chain->links) b->f->most_links = b->chain->links;
    b->chain = NULL;
    b->carried = -1;
}

static void begin(struct wa_builder *b, const struct wa_value *v)
{
    size_t most = 4 * (size_t)b->members + 4; /* links of all chains together: load, store, two ops */
    struct wa_chain *c = wa_step_new(b->step, sizeof *c);
    if (c && !b->f->links) {
        b->f->links = wa_step_new(b->step, most * sizeof *b->f->links);
        b->f->codes = wa_step_new(b->step, most);
    }
    if (!c || !b->f->links || !b->f->codes) {
        b->failed = true;
        return;
    }
    c->run = b->step->simd->chain[v->node->type];
    c->at = b->f->links + b->f->link_count;
    c->code = b->f->codes + b->f->link_count;
    b->chain = c;
    b->chain_form = v->form;
    b->chain_type = v->node->type;
    b->carried = -1;
}

/* Which operand of v the chain carries; -1: none, and the chain is over. */
static int carried_operand(struct wa_builder *b, const struct wa_value *v)
{
    for (int k = 0; b->chain && b->chain_form == v->form && k < v->n; k++)
        if (wa_member_of(b, v->x[k]) == b->carried && v->node->type == b->chain_type) return k;
    wa_end_chain(b);
    return -1;
}

static void carry(struct wa_builder *b, int m)
{
    wa_free_operands(b, m);
    b->carried = m;
    b->stored = false;
}

bool wa_chain_member(struct wa_builder *b, int m)
{
    const struct wa_value *v = &b->g->values[b->member[m]];
    int code = first_code(v);
    bool bytes = is_bytes(b, v);
    if (code < 0 && !bytes) return false;
    int k = carried_operand(b, v), first = wa_member_of(b, v->x[0]);
    bool itself =
        v->n == 2 && (v->x[0] == v->x[1] || (first >= 0 && first == wa_member_of(b, v->x[1])));
    bool number[2] = {false, false};
    struct wa_ref x[2];
    for (int i = 0; i < v->n; i++)
        if (i != k && !(itself && i)) x[i] = wa_read_operand(b, v, i, &number[i]);
    if (k < 0) {
        begin(b, v);
        if (b->failed) return true;
        k = v->n == 2 && !itself && number[0] && !number[1];
        link(b, bytes ? WA_CHAIN_bytes : number[k] ? WA_CHAIN_number : WA_CHAIN_load, x[k]);
        int from = wa_member_of(b, v->x[k]);
        if (from >= 0) b->uses[from] -= itself ? 2 : 1;
    } else {
        b->uses[b->carried] -= itself ? 2 : 1;
        store(b);
    }
    if (v->n == 1 && !bytes) link(b, code, (struct wa_ref){0});
    if (itself)
        link(b, code + WA_CHAIN_ITSELF, (struct wa_ref){0});
    else if (v->n == 2) {
        int other = 1 - k, from = wa_member_of(b, v->x[other]);
        if (from >= 0) b->uses[from]--;
        link(b, code + (k == 0 ? 0 : WA_CHAIN_BY) + (number[other] ? WA_CHAIN_NUMBER : 0), x[other]);
    }
    carry(b, m);
    return true;
}
