/* gemm_split.c: how one matrix product, or a batch of them, is shared between threads. */
#include "simd/simd.h"

/* A thread is worth waking for this many multiply-adds, about a microsecond; columns are cut where the
 * widest tiles end. */
enum { LEAST_WORK = 1 << 16, CUT = WA_GEMM_CUT };

static size_t share(size_t n, size_t parts, size_t step)
{
    const size_t even = (n + parts - 1) / parts;
    return (even + step - 1) / step * step;
}

/* The time of the largest part, in units of a row's column: its products, its columns of b being packed
 * for as much as eight rows of products, its rows of a read for as much as four columns. */
static double cost(const struct wa_gemm *g, size_t rows, size_t columns)
{
    const double m = (double)share(g->m, rows, 1), n = (double)share(g->n, columns, CUT);
    return m * n + 8 * n + 4 * m;
}

/* Into how many columns of parts c is cut; a divisor of parts. */
static size_t columns_of(const struct wa_gemm *g, size_t parts)
{
    size_t best = 1;
    for (size_t columns = 2; columns <= parts; columns++)
        if (parts % columns == 0 && cost(g, parts / columns, columns) < cost(g, parts / best, best))
            best = columns;
    return best;
}

size_t wa_gemm_parts(const struct wa_gemm *g, size_t threads)
{
    const double products = g->batch ? (double)g->batch : 1;
    const double work = products * (double)g->m * (double)g->n * (double)g->k / LEAST_WORK;
    const size_t parts = work < (double)threads ? (size_t)work : threads;
    return parts ? parts : 1;
}

/* Where the range n begins and ends that is number index of those of length step. */
static void cut(size_t n, size_t step, size_t index, size_t *first, size_t *length)
{
    *first = step * index < n ? step * index : n;
    *length = n - *first < step ? n - *first : step;
}

void wa_gemm_part(const struct wa_gemm *g, int type, size_t parts, size_t index, struct wa_gemm *part)
{
    const size_t size = type == WA_F32 ? sizeof(float) : sizeof(double), a_size = g->a_u8 ? 1 : size;
    size_t a, b, c;
    *part = *g;
    part->ahead = NULL;
    part->batch_rows = g->batch_rows ? g->batch_rows : g->m;
    if (g->batch >= 4 * parts || (g->batch > 1 && g->batch % parts == 0)) {
        size_t q;
        cut(g->batch, share(g->batch, parts, 1), index, &q, &part->batch);
        if (part->batch == 0) part->m = 0;
        a = q * g->a_batch, b = q * g->b_batch, c = q * g->c_batch;
        part->row += q * part->batch_rows;
    } else {
        const size_t across = columns_of(g, parts);
        size_t i, j;
        cut(g->m, share(g->m, parts / across, 1), index / across, &i, &part->m);
        cut(g->n, share(g->n, across, CUT), index % across, &j, &part->n);
        if (part->m == 0 || part->n == 0) return;
        if (g->a_rows) part->a_rows += i;
        if (g->a_kept) part->a_kept = (char *)g->a_kept + i * g->k * size;
        a = g->a_rows ? 0 : i * g->a_row, b = j * g->b_column, c = i * g->c_row + j;
        part->row += i;
        part->column += j;
    }
    part->a = (const char *)g->a + a * a_size;
    part->b = (const char *)g->b + b * size;
    if (g->c) part->c = (char *)g->c + c * size;
}
