/* account.c: what a step has to do: arithmetic, and bytes read and written. */
#include "autodiff/fused.h"

static double elements(const washi_tensor *y) { return (double)washi_size(y->shape); }

/* One operation an element made, or an element folded; two a step of a product's chain. */
static double flops_of(const struct wa_graph *g, const struct wa_value *v)
{
    const washi_tensor *y = v->node;
    if (y->op == &wa_op_matmul) {
        washi_shape a = v->gathered ? v->gathered->shape : g->values[v->x[0]].node->shape;
        return 2 * elements(y) * (double)a.dim[a.rank - (v->transposed[0] ? 2 : 1)];
    }
    double read = v->n ? elements(g->values[v->x[0]].node) : 0;
    if (y->op->fusion == WA_FUSE_FOLD || y->op->fusion == WA_FUSE_ROW ||
        y->op->fusion == WA_FUSE_ARGMAX)
        return read;
    return y->op->fusion == WA_FUSE_MAP ? elements(y) : 0;
}

static double bytes_of(const struct wa_place *x) { return (double)wa_shape_bytes(x->shape, x->type); }

void wa_account(struct wa_step *s, struct wa_graph *g, const int *member, int members)
{
    const int step = g->values[member[0]].step;
    for (int i = 0; i < members; i++) {
        const struct wa_value *v = &g->values[member[i]];
        const washi_tensor *y = v->node;
        s->flops += flops_of(g, v);
        /* Of a table, only the rows that are picked are read. */
        if (y->op == &wa_op_take || v->gathered) g->values[v->x[0]].picked_by = step;
        if (y->op == &wa_op_take) s->bytes += elements(y) * (double)washi_dtype_size(y->type);
        if (v->gathered)
            s->bytes += (double)washi_size(v->gathered->shape) *
                        (double)washi_dtype_size(g->values[v->x[0]].node->type);
    }
    for (int k = 0; k < s->n; k++)
        if (g->values[s->x[k].value].picked_by != step) s->bytes += bytes_of(&s->x[k]);
    if (s->node) s->bytes += bytes_of(&s->y);
    for (int k = 0; k < s->outputs; k++) s->bytes += bytes_of(&s->out[k]);
}
