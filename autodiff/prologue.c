/* prologue.c: rows gathered, cast and scaled on their way into a matrix product.
 *
 * A left operand of a matrix product that is take(x, indices) along axis 0, seen as a matrix, perhaps
 * cast from U8 and perhaps multiplied by a number, need not exist: the product packs it from x. */
#include "autodiff/program.h"

/* What a value is made of, from the matrix product back to the table that rows are taken from. */
struct pattern {
    int table, indices; /* -1: not of this form */
    double scale;       /* 0: none */
};

static bool is_number(const struct wa_value *v)
{
    return v->node->op == &wa_op_constant && washi_size(v->node->shape) == 1;
}

static double number_of(const struct wa_value *v)
{
    return v->node->type == WASHI_F32 ? (double)*(const float *)v->node->data
                                      : *(const double *)v->node->data;
}

/* The operand that v multiplies by a number; -1: v is no such product. */
static int scaled(const struct wa_graph *g, const struct wa_value *v, double *by)
{
    if (v->node->op != &wa_op_mul) return -1;
    for (int i = 0; i < 2; i++) {
        const struct wa_value *x = &g->values[v->x[i]];
        if (!is_number(x) || !wa_shape_equal(g->values[v->x[1 - i]].node->shape, v->node->shape))
            continue;
        *by = number_of(x);
        return v->x[1 - i];
    }
    return -1;
}

static struct pattern match(const struct wa_graph *g, int operand)
{
    struct pattern p = {.table = -1, .indices = -1};
    const washi_tensor *matrix = g->values[operand].node;
    int v = wa_base_of(g, operand), x = scaled(g, &g->values[v], &p.scale);
    if (x >= 0) v = wa_base_of(g, x);
    if (x >= 0 && p.scale == 0) return p; /* 0 stands for none */
    if (g->values[v].node->op == &wa_op_cast) {
        v = wa_base_of(g, g->values[v].x[0]);
        if (g->values[v].node->type != WASHI_U8) return p;
    }
    const struct wa_value *take = &g->values[v];
    if (take->node->op != &wa_op_take || take->node->attr.axis != 0 || matrix->shape.rank != 2)
        return p;
    const washi_tensor *indices = g->values[take->x[1]].node;
    if (indices->shape.rank != 1 || matrix->shape.dim[0] != indices->shape.dim[0]) return p;
    p.table = take->x[0];
    p.indices = take->x[1];
    return p;
}

/* By value: how often it is the left operand of a matrix product, through views or not; MANY when it is
 * read in some other way. */
enum { MANY = 3 };
static int *count_products(struct wa_graph *g)
{
    int *products = wa_arena_new(&g->arena, ((size_t)g->count + 1) * sizeof *products, _Alignof(int));
    if (!products) return NULL;
    for (int v = 0; v < g->count; v++) products[v] = 0;
    for (int v = 0; v < g->count; v++) {
        const struct wa_value *value = &g->values[v];
        for (int i = 0; value->live && !value->node->op->view && i < value->n; i++) {
            int *count = &products[wa_base_of(g, value->x[i])];
            bool left = value->node->op == &wa_op_matmul && i == 0 && *count < MANY;
            *count = left ? *count + 1 : MANY;
        }
    }
    for (int i = 0; i < g->goal_count; i++) products[wa_base_of(g, g->goals[i].value)] = MANY;
    return products;
}

/* Only what at most two products read and nothing else does is not made: packing from the table twice
 * costs no more than making it and reading it twice, and with threads less: each packs what it needs,
 * and no line of it goes from one to another. */
bool wa_graph_prologues(struct wa_graph *g)
{
    const int *products = count_products(g);
    if (!products) return false;
    for (int v = 0; v < g->count; v++) {
        struct wa_value *value = &g->values[v];
        if (!value->live || value->node->op != &wa_op_matmul || value->node->shape.rank != 2) continue;
        struct pattern p = match(g, value->x[0]);
        if (p.table < 0 || products[wa_base_of(g, value->x[0])] >= MANY) continue;
        struct wa_gathered *gathered =
            wa_arena_new(&g->arena, sizeof *gathered, _Alignof(struct wa_gathered));
        int *x = wa_arena_new(&g->arena, 3 * sizeof *x, _Alignof(int));
        bool *transposed = wa_arena_new(&g->arena, 3, 1);
        if (!gathered || !x || !transposed) return false;
        *gathered = (struct wa_gathered){g->values[p.table].node->shape.dim[0],
                                         g->values[value->x[0]].node->shape, p.scale};
        x[0] = p.table;
        x[1] = value->x[1];
        x[2] = p.indices;
        transposed[0] = value->transposed[0];
        transposed[1] = value->transposed[1];
        transposed[2] = false;
        value->n = 3;
        value->x = x;
        value->transposed = transposed;
        value->gathered = gathered;
    }
    wa_graph_mark(g);
    return true;
}
