/* gemm_vector.h: a vector times a matrix, y = x @ b, for products of one row or one column. A template:
 * gemm.h includes it for each real type. */

enum { NAME(SUMS) = 8192 / sizeof(T), NAME(STEPS) = 2048 / sizeof(T) };

/* y[j] continued by steps rows of b, whose columns touch. So many rows are read in turn that y, which
 * stays in the first-level cache, costs little. */
INLINE void NAME(add_rows)(const size_t steps, size_t n, T *y, const T *x, const T *b, size_t b_row)
{
    size_t j = 0;
    for (; j + LEN <= n; j += LEN) {
        VT sum = V(load)(y + j);
        GEMM_UNROLL for (size_t p = 0; p < steps; p++) sum =
            V(fma)(V(set)(x[p]), V(load)(b + p * b_row + j), sum);
        V(store)(y + j, sum);
    }
    if (j < n) {
        VT sum = V(load_n)(y + j, n - j);
        for (size_t p = 0; p < steps; p++)
            sum = V(fma)(V(set)(x[p]), V(load_n)(b + p * b_row + j, n - j), sum);
        V(store_n)(y + j, sum, n - j);
    }
}

static void NAME(vector_by_rows)(size_t k, size_t n, T *y, const T *x, const T *b, size_t b_row)
{
    enum { STEPS = 8 };
    for (; k >= STEPS; k -= STEPS, x += STEPS, b += STEPS * b_row)
        NAME(add_rows)(STEPS, n, y, x, b, b_row);
    for (; k; k--, x++, b += b_row) NAME(add_rows)(1, n, y, x, b, b_row);
}

/* lanes sums continued by k steps, the columns of b lying along memory: LEN by LEN blocks are
 * transposed. */
INLINE void NAME(add_columns)(size_t lanes, size_t k, T *y, const T *x, const T *b, size_t b_column)
{
    VT sum = V(load_n)(y, lanes), block[LEN];
    for (size_t p = 0; p < k; p += LEN) {
        const size_t steps = gemm_min(k - p, LEN);
        GEMM_UNROLL for (size_t j = 0; j < LEN; j++) block[j] =
            j >= lanes     ? V(zero)()
            : steps == LEN ? V(load)(b + j * b_column + p)
                           : V(load_n)(b + j * b_column + p, steps);
        V(transpose)(block);
        GEMM_UNROLL for (size_t q = 0; q < LEN; q++) if (q < steps) sum =
            V(fma)(V(set)(x[p + q]), block[q], sum);
    }
    V(store_n)(y, sum, lanes);
}

static void NAME(vector_by_columns)(size_t k, size_t n, T *y, const T *x, const T *b, size_t b_column)
{
    size_t j = 0;
    for (; j + LEN <= n; j += LEN) NAME(add_columns)(LEN, k, y + j, x, b + j * b_column, b_column);
    if (j < n) NAME(add_columns)(n - j, k, y + j, x, b + j * b_column, b_column);
}

/* One row; or one column of a plain a, for which c' = b' @ a' is of the same form. */
static bool NAME(is_vector)(const struct wa_gemm *g)
{
    return g->m == 1 || (g->n == 1 && !NAME(has_prologue)(g));
}

static void NAME(vector_gemm)(const struct wa_gemm *g)
{
    T y[NAME(SUMS)], x[NAME(STEPS)];
    const bool row = g->m == 1;
    const size_t n = row ? g->n : g->m, b_row = row ? g->b_row : g->a_column;
    const size_t b_column = row ? g->b_column : g->a_row;
    const T *b = row ? g->b : g->a, *column = g->b;
    for (size_t j = 0; j < n; j += NAME(SUMS)) {
        const size_t sums = gemm_min(n - j, NAME(SUMS));
        memset(y, 0, sums * sizeof(T));
        for (size_t p = 0; p < g->k; p += NAME(STEPS)) {
            const size_t k = gemm_min(g->k - p, NAME(STEPS));
            const T *from = b + p * b_row + j * b_column;
            if (row)
                NAME(pack_row)(g, p, k, x);
            else
                for (size_t q = 0; q < k; q++) x[q] = column[(p + q) * g->b_row];
            if (b_column == 1)
                NAME(vector_by_rows)(k, sums, y, x, from, b_row);
            else
                NAME(vector_by_columns)(k, sums, y, x, from, b_column);
        }
        NAME(finish)(g, row ? 0 : j, row ? j : 0, row ? 1 : sums, row ? sums : 1, y, row ? sums : 1);
    }
}
