/* prologue.c: rows gathered, cast and scaled on their way into a matrix product.
 *
 * A left operand of a matrix product that is take(x, indices) along axis 0, seen as a matrix, perhaps
 * cast from U8 and perhaps multiplied by a number, need not exist: the product packs it from x. Of two
 * products that share it the first may leave what it packs for the other. */
#include "autodiff/program.h"

#include <string.h>

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
static void count_products(const struct wa_graph *g, int products[])
{
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
}

static bool set_operands(struct wa_graph *g, struct wa_value *v, int n, const int x[],
                         const bool transposed[])
{
    v->n = n;
    v->x = wa_arena_new(&g->arena, (size_t)n * sizeof *x, _Alignof(int));
    v->transposed = wa_arena_new(&g->arena, (size_t)n, 1);
    if (!v->x || !v->transposed) return false;
    memcpy(v->x, x, (size_t)n * sizeof *x);
    memcpy(v->transposed, transposed, (size_t)n);
    return true;
}

/* Whether product v, the first of two that read x, leaves what it packs for the other: on one thread,
 * which has it in its cache then. Of several each would need what others have packed. Rows a multiple
 * of SET_BYTES apart would be in one set of the first-level cache. */
static bool may_keep(const struct wa_graph *g, int v, washi_shape x)
{
    enum { SET_BYTES = 4096, MOST_BYTES = 4 << 20 };
    const struct wa_value *value = &g->values[v];
    const washi_dtype type = value->node->type;
    return g->threads == 1 && !g->tape->arena.w->recompute && !value->transposed[0] &&
           wa_may_head(g, v) && wa_shape_bytes(x, type) <= MOST_BYTES &&
           (size_t)x.dim[1] * washi_dtype_size(type) % SET_BYTES;
}

/* Product v takes the rows of its left operand from the table itself. keeps: and leaves them as that
 * operand's value. False when memory is out. */
static bool gather(struct wa_graph *g, int v, struct pattern p, bool keeps)
{
    struct wa_value *value = &g->values[v];
    const int left = value->x[0], made = wa_base_of(g, left);
    struct wa_gathered *gathered =
        wa_arena_new(&g->arena, sizeof *gathered, _Alignof(struct wa_gathered));
    if (!gathered) return false;
    *gathered = (struct wa_gathered){g->values[p.table].node->shape.dim[0], g->values[left].node->shape,
                                     p.scale};
    value->gathered = gathered;
    if (keeps) {
        value->keeps = made;
        g->values[made].form = WA_BESIDE;
        if (!set_operands(g, &g->values[made], 2, (int[]){p.table, p.indices}, (bool[]){false, false}))
            return false;
    }
    return set_operands(g, value, 3, (int[]){p.table, value->x[1], p.indices},
                        (bool[]){value->transposed[0], value->transposed[1], false});
}

/* Only what at most two products read and nothing else does is not made in a step of its own. The first
 * may leave it for the second; else packing from the table twice costs no more than making it and
 * reading it twice, and with threads less: each packs what it needs, and no line of it goes from one to
 * another. */
bool wa_graph_prologues(struct wa_graph *g)
{
    int *products = wa_arena_new(&g->arena, ((size_t)g->count + 1) * sizeof *products, _Alignof(int));
    if (!products) return false;
    count_products(g, products);
    for (int v = 0; v < g->count; v++) {
        struct wa_value *value = &g->values[v];
        if (!value->live || value->node->op != &wa_op_matmul) continue;
        const int made = wa_base_of(g, value->x[0]), left = products[made];
        if (value->node->shape.rank != 2 || left == MANY || g->values[made].form == WA_BESIDE) continue;
        products[made]--;
        struct pattern p = match(g, value->x[0]);
        bool keeps = left == 2 && may_keep(g, v, g->values[value->x[0]].node->shape);
        if (p.table >= 0 && !gather(g, v, p, keeps)) return false;
    }
    wa_graph_mark(g);
    return true;
}
