/* fold.c: values of constants alone are made once, by a program of their own, when the program that
 * reads them is compiled: the same kernels, so the same bits. */
#include "autodiff/program.h"

#include <string.h>

enum { MOST_BYTES = 1024 }; /* of a value: a larger one would rather cost memory than time */

/* What a run could refuse (an op of the user's, say) is left to the run. */
static bool foldable(const struct wa_graph *g, const struct wa_value *v, const bool constant[])
{
    const washi_tensor *y = v->node;
    if (y->op->source) return y->op == &wa_op_constant;
    if (!v->n || y->op->check || wa_shape_bytes(y->shape, y->type) > MOST_BYTES) return false;
    for (int i = 0; i < v->n; i++)
        if (!constant[v->x[i]]) return false;
    return g->values[v->x[0]].node != y;
}

/* Marks in wanted the values that are to be made: constant, and read by what is not. */
static int find(const struct wa_graph *g, bool constant[], bool wanted[])
{
    int count = 0;
    for (int v = 0; v < g->count; v++) {
        const struct wa_value *value = &g->values[v];
        constant[v] = foldable(g, value, constant);
        for (int i = 0; value->live && !constant[v] && i < value->n; i++)
            wanted[value->x[i]] = constant[value->x[i]];
    }
    for (int i = 0; i < g->goal_count; i++) wanted[g->goals[i].value] = constant[g->goals[i].value];
    for (int v = 0; v < g->count; v++) {
        wanted[v] = wanted[v] && !g->values[v].source;
        count += wanted[v];
    }
    return count;
}

/* A constant in the place of the value, in p's memory. */
static bool replace(struct wa_value *v, washi_program *p, const void *data)
{
    size_t bytes = wa_shape_bytes(v->node->shape, v->node->type);
    washi_tensor *node = wa_arena_new(&p->arena, sizeof *node, _Alignof(washi_tensor));
    void *copy = wa_arena_new(&p->arena, bytes ? bytes : 1, WA_ALIGN);
    if (!node || !copy) return false;
    memcpy(copy, data, bytes);
    memset(node, 0, sizeof *node);
    node->op = &wa_op_constant;
    node->tape = v->node->tape;
    node->id = v->node->id;
    node->type = v->node->type;
    node->shape = v->node->shape;
    node->data = copy;
    v->node = node;
    v->view = false;
    v->source = true;
    v->n = 0;
    return true;
}

bool wa_graph_fold(struct wa_graph *g, washi_program *p)
{
    size_t count = (size_t)g->count + 1;
    bool *constant = wa_arena_new(&g->arena, count, 1), *wanted = wa_arena_new(&g->arena, count, 1);
    if (!constant || !wanted) return false;
    memset(wanted, 0, count);
    int n = find(g, constant, wanted);
    if (!n) return true;
    washi_tensor **nodes = wa_arena_new(&g->arena, (size_t)n * sizeof *nodes, _Alignof(washi_tensor *));
    if (!nodes) return false;
    n = 0;
    for (int v = 0; v < g->count; v++)
        if (wanted[v]) nodes[n++] = (washi_tensor *)(uintptr_t)g->values[v].node;
    washi_program *made = wa_compile_values(g->tape, n, nodes);
    uint64_t mode = wa_fp_enter();
    bool done = made && !wa_walk(made);
    wa_fp_leave(mode);
    n = 0;
    for (int v = 0; v < g->count && done; v++)
        if (wanted[v]) done = replace(&g->values[v], p, made->deliveries[n++].data);
    washi_program_free(made);
    wa_graph_mark(g);
    return done;
}
