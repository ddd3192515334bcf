/* rewrite.c: from a tape to the graph of what is needed, with rewrites that keep every bit. */
#include "autodiff/program.h"

#include <assert.h>
#include <string.h>

struct maker {
    struct wa_graph *g;
    bool *needed; /* by node */
    int *value;   /* by node: the value that stands for it */
    int *table;   /* open addressing: values by what they compute; -1 empty */
    size_t mask;
};

/* -- sharing -- */

static uint64_t mix(uint64_t h, uint64_t x) { return (h ^ x) * 0x9E3779B97F4A7C15u ^ h >> 29; }

static uint64_t hash(const struct wa_value *v)
{
    const washi_tensor *y = v->node;
    uint64_t h = mix((uintptr_t)y->op, (uint64_t)y->type);
    for (int i = 0; i < v->n; i++) h = mix(h, (uint64_t)v->x[i] * 2 + v->transposed[i]);
    h = mix(h, (uint64_t)y->attr.axis);
    h = mix(h, (uint64_t)y->attr.begin);
    h = mix(h, (uint64_t)y->attr.end);
    h = mix(h, (uint64_t)y->attr.step);
    for (size_t i = 0; i < y->attr.size; i++) h = mix(h, ((const unsigned char *)y->attr.data)[i]);
    for (int i = 0; i < y->shape.rank; i++) h = mix(h, (uint64_t)y->shape.dim[i]);
    enum { MOST_BYTES = 1 << 16 };
    size_t bytes = y->op == &wa_op_constant ? wa_shape_bytes(y->shape, y->type) : 0;
    if (bytes > MOST_BYTES) bytes = MOST_BYTES;
    for (size_t i = 0; i < bytes; i += sizeof h) {
        uint64_t part = 0;
        memcpy(&part, (const char *)y->data + i, bytes - i < sizeof part ? bytes - i : sizeof part);
        h = mix(h, part);
    }
    return h ^ h >> 32;
}

static bool same(const struct wa_value *v, const struct wa_value *u)
{
    const washi_tensor *a = v->node, *b = u->node;
    if (a->op != b->op || a->type != b->type || v->n != u->n || !wa_shape_equal(a->shape, b->shape))
        return false;
    if (a->attr.axis != b->attr.axis || a->attr.type != b->attr.type ||
        a->attr.begin != b->attr.begin || a->attr.end != b->attr.end || a->attr.step != b->attr.step ||
        !wa_shape_equal(a->attr.shape, b->attr.shape) || a->attr.size != b->attr.size)
        return false;
    if (a->attr.size && memcmp(a->attr.data, b->attr.data, a->attr.size)) return false;
    for (int i = 0; i < v->n; i++)
        if (v->x[i] != u->x[i] || v->transposed[i] != u->transposed[i]) return false;
    return a->op != &wa_op_constant || !memcmp(a->data, b->data, wa_shape_bytes(a->shape, a->type));
}

/* The value that computes what v does: an earlier one, or v itself, entered. */
static int share(struct maker *m, int v)
{
    const struct wa_value *values = m->g->values;
    if (values[v].source && values[v].node->op != &wa_op_constant) return v;
    for (size_t at = hash(&values[v]) & m->mask;; at = (at + 1) & m->mask) {
        if (m->table[at] < 0) return m->table[at] = v;
        if (same(&values[v], &values[m->table[at]])) return m->table[at];
    }
}

/* -- rewrites of one operand -- */

static bool swaps_last_two(const washi_tensor *y)
{
    int rank = y->shape.rank;
    if (y->op != &wa_op_permute || rank < 2) return false;
    for (int i = 0; i < rank; i++)
        if (y->attr.shape.dim[i] != (i < rank - 2 ? i : 2 * rank - 3 - i)) return false;
    return true;
}

static void rewrite_operand(const struct maker *m, struct wa_value *v, int i)
{
    const struct wa_value *values = m->g->values;
    for (;;) {
        const struct wa_value *x = &values[v->x[i]];
        if (v->node->op->fusion == WA_FUSE_MAP && x->node->op == &wa_op_broadcast_to) {
            v->x[i] = x->x[0];
        } else if (v->node->op == &wa_op_matmul && swaps_last_two(x->node)) {
            v->x[i] = x->x[0];
            v->transposed[i] = !v->transposed[i];
        } else if (v->view && x->view) {
            v->x[i] = x->x[0];
        } else
            return;
    }
}

/* Whether all elements of x are this number, signs of zeros told apart. */
static bool is_number(const struct maker *m, const washi_tensor *x, double number)
{
    const struct wa_value *v = &m->g->values[m->value[x->id]];
    while (v->node->op == &wa_op_broadcast_to || v->node->op == &wa_op_reshape)
        v = &m->g->values[v->x[0]];
    x = v->node;
    if (x->op != &wa_op_constant || !wa_is_real(x->type)) return false;
    const float f = (float)number;
    bool single = x->type == WASHI_F32;
    const void *wanted = single ? (const void *)&f : (const void *)&number;
    size_t size = single ? sizeof f : sizeof number, n = (size_t)washi_size(x->shape);
    for (size_t i = 0; i < n; i++)
        if (memcmp((const char *)x->data + i * size, wanted, size)) return false;
    return n > 0;
}

/* Which operand y always equals, bit by bit; -1: none. 0 is no neutral element of add: -0 + 0 is 0. */
static int neutral(const struct maker *m, const washi_tensor *y)
{
    if (y->op == &wa_op_mul || y->op == &wa_op_add) {
        double one = y->op == &wa_op_mul ? 1 : -0.0;
        return is_number(m, y->x[1], one) ? 0 : is_number(m, y->x[0], one) ? 1 : -1;
    }
    if (y->op == &wa_op_div) return is_number(m, y->x[1], 1) ? 0 : -1;
    if (y->op == &wa_op_sub) return is_number(m, y->x[1], 0) ? 0 : -1;
    if (y->op == &wa_op_cast) return y->type == y->x[0]->type ? 0 : -1;
    return y->op->alias || y->op == &wa_op_reshape ? 0 : -1;
}

/* The operand that y, of no effect on the value, stands for; -1 when it has one. */
static int no_effect(const struct maker *m, const washi_tensor *y)
{
    const struct wa_value *values = m->g->values;
    int k = neutral(m, y);
    if (k < 0 && y->op != &wa_op_neg) return -1;
    int stands = m->value[y->x[k < 0 ? 0 : k]->id];
    bool undone = y->op == &wa_op_reshape
                      ? values[stands].view
                      : y->op == &wa_op_neg && values[stands].node->op == &wa_op_neg;
    if (undone) stands = values[stands].x[0];
    /* a neg may have taken what a broadcast_to stretches for its own operand: that is smaller */
    return (k >= 0 || undone) && wa_shape_equal(y->shape, values[stands].node->shape) ? stands : -1;
}

/* -- the graph -- */

static bool add_value(struct maker *m, const washi_tensor *y)
{
    struct wa_graph *g = m->g;
    int stands = no_effect(m, y);
    if (stands >= 0) {
        assert(wa_shape_equal(g->values[stands].node->shape, y->shape));
        m->value[y->id] = stands;
        return true;
    }
    struct wa_value *v = &g->values[g->count];
    size_t n = (size_t)y->n;
    *v = (struct wa_value){.node = y,
                           .view = y->op->view,
                           .source = y->op->source,
                           .n = y->n,
                           .after = -1,
                           .group = -1,
                           .keeps = -1,
                           .step = -1,
                           .last = -1,
                           .read_by = -1,
                           .picked_by = -1};
    if (y->gradient && m->needed[y->gradient->id]) v->after = m->value[y->gradient->id];
    if (n) {
        v->x = wa_arena_new(&g->arena, n * sizeof *v->x, _Alignof(int));
        v->transposed = wa_arena_new(&g->arena, n, 1);
        if (!v->x || !v->transposed) return false;
        memset(v->transposed, 0, n);
    }
    for (int i = 0; i < y->n; i++) {
        v->x[i] = m->value[y->x[i]->id];
        rewrite_operand(m, v, i);
    }
    int found = share(m, g->count);
    if (found == g->count) g->count++;
    if (y->name && !g->values[found].node->name) g->values[found].node = y;
    m->value[y->id] = found;
    return true;
}

static void mark_needed(struct maker *m)
{
    washi_tape *t = m->g->tape;
    for (int i = 0; i < m->g->goal_count; i++) {
        const struct wa_goal *goal = &m->g->goals[i];
        m->needed[(goal->assigns ? goal->node->assigned : goal->node)->id] = true;
    }
    for (size_t id = t->count; id-- > 0;)
        for (int i = 0; m->needed[id] && i < t->nodes[id]->n; i++)
            m->needed[t->nodes[id]->x[i]->id] = true;
}

void wa_graph_mark(struct wa_graph *g)
{
    for (int v = 0; v < g->count; v++) g->values[v].live = false;
    for (int i = 0; i < g->goal_count; i++) g->values[g->goals[i].value].live = true;
    for (int v = g->count; v-- > 0;)
        for (int i = 0; g->values[v].live && i < g->values[v].n; i++)
            g->values[g->values[v].x[i]].live = true;
}

static bool make_goals(struct wa_graph *g, int n, washi_tensor *const outputs[], bool assigns)
{
    size_t count = (size_t)n;
    for (washi_tensor *v = g->tape->variables; v; v = v->next_variable) count += v->assigned != NULL;
    g->goals = wa_arena_new(&g->arena, count * sizeof *g->goals, _Alignof(struct wa_goal));
    if (!g->goals) return false;
    for (int i = 0; i < n; i++) g->goals[g->goal_count++] = (struct wa_goal){.node = outputs[i]};
    for (washi_tensor *v = g->tape->variables; v; v = v->next_variable)
        if (v->assigned && assigns)
            g->goals[g->goal_count++] = (struct wa_goal){.node = v, .assigns = true};
    return true;
}

bool wa_graph_make(struct wa_graph *g, washi_tape *t, int n, washi_tensor *const outputs[],
                   bool assigns)
{
    int threads = t->arena.w->threads;
    *g = (struct wa_graph){
        .tape = t, .arena.w = t->arena.w, .threads = threads < WA_MAX_TASKS ? threads : WA_MAX_TASKS};
    if (!make_goals(g, n, outputs, assigns)) return false;
    struct maker m = {.g = g, .mask = 15};
    size_t count = t->count;
    while (m.mask < 2 * count) m.mask = 2 * m.mask + 1;
    m.needed = wa_arena_new(&g->arena, count, 1);
    m.value = wa_arena_new(&g->arena, count * sizeof *m.value, _Alignof(int));
    m.table = wa_arena_new(&g->arena, (m.mask + 1) * sizeof *m.table, _Alignof(int));
    g->values = wa_arena_new(&g->arena, count * sizeof *g->values, _Alignof(struct wa_value));
    if (!m.needed || !m.value || !m.table || !g->values) return false;
    memset(m.needed, 0, count);
    memset(m.table, -1, (m.mask + 1) * sizeof *m.table);

    mark_needed(&m);
    for (size_t id = 0; id < count; id++)
        if (m.needed[id] && !add_value(&m, t->nodes[id])) return false;
    for (int i = 0; i < g->goal_count; i++) {
        struct wa_goal *goal = &g->goals[i];
        goal->value = m.value[(goal->assigns ? goal->node->assigned : goal->node)->id];
        goal->variable = goal->assigns && m.needed[goal->node->id] ? m.value[goal->node->id] : -1;
    }
    wa_graph_mark(g);
    return true;
}

void wa_graph_free(struct wa_graph *g) { wa_arena_free(&g->arena); }
