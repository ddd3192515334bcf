/* ops_matmul.c: the matrix product, with leading axes that broadcast. */
#include "autodiff/step.h"

#include "autodiff/rules.h"

static bool infer_matmul(washi_tensor *y)
{
    char a[WA_SHAPE_TEXT], b[WA_SHAPE_TEXT];
    washi_shape sa = A->shape, sb = B->shape;
    wa_shape_text(sa, a);
    wa_shape_text(sb, b);
    if (!wa_is_real(A->type) || A->type != B->type)
        return wa_op_error(y, WASHI_BAD_TYPE, "%s of %s x %s of %s: both f32 or both f64 wanted", a,
                           washi_dtype_name(A->type), b, washi_dtype_name(B->type));
    if (sa.rank < 2 || sb.rank < 2)
        return wa_op_error(y, WASHI_BAD_SHAPE, "%s x %s: two axes wanted on both sides", a, b);
    int64_t m = sa.dim[sa.rank - 2], ka = sa.dim[sa.rank - 1], kb = sb.dim[sb.rank - 2],
            n = sb.dim[sb.rank - 1];
    if (ka != kb)
        return wa_op_error(y, WASHI_BAD_SHAPE, "%s x %s: inner sizes %lld and %lld differ", a, b,
                           (long long)ka, (long long)kb);
    sa.rank -= 2;
    sb.rank -= 2;
    if (!wa_shape_broadcast(sa, sb, &y->shape))
        return wa_op_error(y, WASHI_BAD_SHAPE, "%s x %s: the leading axes do not broadcast", a, b);
    y->type = A->type;
    y->shape.dim[y->shape.rank++] = m;
    y->shape.dim[y->shape.rank++] = n;
    return true;
}

RULE(matmul)
{
    gx[0] = matmul(g, washi_transpose(B));
    gx[1] = matmul(washi_transpose(A), g);
    (void)y;
}

struct wa_gemm wa_gemm_of(const struct wa_place *a, const struct wa_place *b, size_t n,
                          const struct wa_gathered *gathered)
{
    static const int32_t some_index; /* the scratch memory that is needed depends on there being any */
    size_t m = (size_t)a->shape.dim[a->shape.rank - 2], k = (size_t)a->shape.dim[a->shape.rank - 1];
    struct wa_gemm g = {.m = m,
                        .n = n,
                        .k = k,
                        .c_row = n,
                        .alpha = 1,
                        .a_row = a->transposed ? 1 : k,
                        .a_column = a->transposed ? m : 1,
                        .b_row = b->packed       ? (size_t)b->shape.dim[2]
                                 : b->transposed ? 1
                                                 : n,
                        .b_column = b->packed || b->transposed ? k : 1,
                        .b_packed = b->packed,
                        .a_u8 = a->type == WASHI_U8};
    if (!gathered) return g;
    g.a_scale = gathered->factor;
    *(a->transposed ? &g.a_columns : &g.a_rows) = &some_index;
    return g;
}

void wa_gemm_operands(struct wa_gemm *g, const void *a, const void *b, const int32_t *indices)
{
    g->a = a;
    g->b = b;
    if (indices) *(g->a_columns ? &g->a_columns : &g->a_rows) = indices;
}

void wa_gemm_rows(struct wa_gemm *g, size_t begin, size_t end, size_t element)
{
    if (g->a_rows)
        g->a_rows += begin;
    else
        g->a = (const char *)g->a + begin * g->a_row * (g->a_u8 ? 1 : element);
    if (g->a_kept) g->a_kept = (char *)g->a_kept + begin * g->k * element;
    g->m = end - begin;
}

/* One product for each index of the leading axes; a split in m or n parts where there is but one. */
struct products {
    struct wa_gemm g;
    int rank;                                                          /* leading axes */
    int64_t dim[WASHI_MAX_RANK], a[WASHI_MAX_RANK], b[WASHI_MAX_RANK]; /* strides in elements */
    size_t count, rows, columns; /* products, and the parts of each */
    size_t scratch;              /* bytes a task */
};

static void leading_strides(const struct wa_place *x, int rank, int64_t stride[])
{
    int64_t all[WASHI_MAX_RANK];
    wa_strides(x->shape, all);
    for (int i = 0; i < rank; i++) {
        int at = i - (rank - (x->shape.rank - 2));
        stride[i] = at < 0 || x->shape.dim[at] == 1 ? 0 : all[at];
    }
}

enum {
    MATMUL_GRAIN = 1 << 19,
    MATMUL_PART = 28
}; /* multiply-adds worth a task; rows or columns of one */

static bool plan_matmul(struct wa_step *s)
{
    struct products *p = wa_step_new(s, sizeof *p);
    if (!p) return false;
    washi_shape y = s->y.shape;
    const struct wa_place *a = &s->x[0], *b = &s->x[1];
    p->rank = y.rank - 2;
    p->count = 1;
    for (int i = 0; i < p->rank; i++) {
        p->dim[i] = y.dim[i];
        p->count *= (size_t)y.dim[i];
    }
    leading_strides(a, p->rank, p->a);
    if (!b->packed) leading_strides(b, p->rank, p->b);
    p->g = wa_gemm_of(a, b, (size_t)y.dim[p->rank + 1], s->gathered);
    size_t m = p->g.m, n = p->g.n, k = p->g.k;

    size_t parts = (size_t)wa_tasks(s, m * n * (k ? k : 1), MATMUL_GRAIN), most;
    bool by_rows = m >= n;
    most = by_rows ? m / MATMUL_PART : n / WA_GEMM_CUT;
    if (parts > most) parts = most ? most : 1;
    p->rows = by_rows ? parts : 1;
    p->columns = by_rows ? 1 : parts;
    size_t units = p->count * parts, work = p->count * m * n * (k ? k : 1);
    if (s->lead) {
        p->rows = (size_t)s->tasks;
        p->columns = 1;
    } else
        s->tasks = wa_tasks(s, work, MATMUL_GRAIN);
    if (!s->lead && (size_t)s->tasks > units) s->tasks = units ? (int)units : 1;
    p->scratch = wa_round_up(s->simd->gemm_scratch[s->y.type](&p->g), WA_ALIGN);
    s->scratch_bytes = p->scratch * (size_t)s->tasks;
    s->geometry = p;
    return true;
}

static void run_part(const struct wa_step *s, const struct products *p, size_t unit, void *scratch)
{
    size_t size = washi_dtype_size(s->y.type), parts = p->rows * p->columns;
    size_t index = unit / parts, part = unit % parts, from_a = 0, from_b = 0;
    for (int i = p->rank; i-- > 0;) {
        size_t at = index % (size_t)p->dim[i];
        index /= (size_t)p->dim[i];
        from_a += at * (size_t)p->a[i];
        from_b += at * (size_t)p->b[i];
    }
    struct wa_gemm g = p->g;
    size_t i, m_end, j, n_end;
    wa_share(g.m, (int)p->rows, (int)(part / p->columns), &i, &m_end);
    wa_share((g.n + WA_GEMM_CUT - 1) / WA_GEMM_CUT, (int)p->columns, (int)(part % p->columns), &j,
             &n_end);
    j *= WA_GEMM_CUT;
    n_end = n_end * WA_GEMM_CUT < g.n ? n_end * WA_GEMM_CUT : g.n;
    wa_gemm_operands(&g, (const char *)s->x[0].data + from_a * size,
                     (const char *)s->x[1].data + (from_b + j * g.b_column) * size,
                     s->gathered ? s->x[2].data : NULL);
    g.c = (char *)s->y.data + (unit / parts * g.m * g.n + i * g.c_row + j) * size;
    g.c_shared = s->tasks > 1;
    g.n = n_end - j;
    wa_gemm_rows(&g, i, m_end, size);
    s->simd->gemm[s->y.type](&g, scratch);
}

static void run_matmul(const struct wa_step *s, int task)
{
    const struct products *p = s->geometry;
    size_t begin, end;
    wa_share(p->count * p->rows * p->columns, s->tasks, task, &begin, &end);
    void *scratch = (char *)s->scratch + (size_t)task * s->scratch_step;
    for (size_t unit = begin; unit < end; unit++) run_part(s, p, unit, scratch);
}

static washi_status check_matmul(const struct wa_step *s)
{
    return s->gathered ? wa_check_range(&s->x[2], s->gathered->rows, "take", "index") : WASHI_OK;
}

const struct wa_op wa_op_matmul = {
    .name = "matmul",
    .doc = "matrix product over the last two axes",
    .derivative = "matmul(g, transpose(b)); matmul(transpose(a), g)",
    .arity = 2,
    .infer = infer_matmul,
    .rule = matmul_rule,
    .plan = plan_matmul,
    .check = check_matmul,
    .run = run_matmul,
    .sample = {.x = {SHAPE(2, 3, 4), SHAPE(4, 5)}, .low = -2, .high = 2},
};

washi_tensor *washi_matmul(washi_tensor *a, washi_tensor *b)
{
    return record2(&wa_op_matmul, a, b, (struct wa_attr){0});
}
