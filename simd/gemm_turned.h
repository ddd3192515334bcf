/* gemm_turned.h: products of few columns whose a lies in columns, as c' = b' @ a': the lanes of a
 * vector then run down a column of c, all of them at work. A template: gemm.h includes it for each real
 * type. */

enum { NAME(TURNED) = 8192 / sizeof(T) };

static bool NAME(is_turned)(const struct wa_gemm *g)
{
    return g->a_row == 1 && g->n <= LEN && g->m >= LEN && !NAME(has_prologue)(g);
}

/* rows from i of c, turned: a row of sum for each column of c. */
static void NAME(turned_sums)(const struct wa_gemm *g, size_t i, size_t rows, T *sum, size_t sum_row)
{
    const size_t strips = (g->n + GEMM_ROWS - 1) / GEMM_ROWS;
    struct gemm_fetch none = {.lines = 0};
    size_t p = 0;
    do {
        struct NAME(job) t = {.k = gemm_min(g->k - p, GEMM_DEPTH),
                              .a = (const T *)g->b + p * g->b_row,
                              .a_row = g->b_column,
                              .a_column = g->b_row,
                              .b = (const T *)g->a + p * g->a_column + i,
                              .b_row = g->a_column,
                              .c = sum,
                              .c_row = sum_row,
                              .resume = p > 0};
        for (size_t s = 0; s < strips; s++) {
            const size_t height = g->n / strips + (s < g->n % strips);
            NAME(strip)(&t, height, rows, 0, &none);
            t.a += height * t.a_row;
            t.c += height * t.c_row;
        }
        p += t.k;
    } while (p < g->k);
}

/* c[i][j] = sum[j][i] for i < rows, j < n. */
static void NAME(upright)(size_t rows, size_t n, T *c, size_t c_row, const T *sum, size_t sum_row)
{
    VT block[LEN];
    for (size_t i = 0; i < rows; i += LEN, sum += LEN, c += LEN * c_row) {
        GEMM_UNROLL for (size_t j = 0; j < LEN; j++) block[j] =
            V(load)(sum + gemm_min(j, n - 1) * sum_row);
        V(transpose)(block);
        if (rows - i >= LEN)
            GEMM_UNROLL for (size_t r = 0; r < LEN; r++) V(store_n)(c + r * c_row, block[r], n);
        else
            GEMM_UNROLL for (size_t r = 0; r < LEN; r++) if (r < rows - i)
                V(store_n)(c + r * c_row, block[r], n);
    }
}

static void NAME(turned_gemm)(const struct wa_gemm *g)
{
    T sum[NAME(TURNED)], upright[NAME(TURNED)];
    const size_t most = NAME(TURNED) / LEN;
    const bool straight = g->c && g->beta == 0;
    for (size_t i = 0; i < g->m; i += most) {
        const size_t rows = gemm_min(g->m - i, most), sum_row = gemm_round_up(rows, LEN);
        T *to = straight ? (T *)g->c + i * g->c_row : upright;
        const size_t to_row = straight ? g->c_row : g->n;
        NAME(turned_sums)(g, i, rows, sum, sum_row);
        NAME(upright)(rows, g->n, to, to_row, sum, sum_row);
        NAME(finish)(g, i, 0, rows, g->n, to, to_row);
    }
}
