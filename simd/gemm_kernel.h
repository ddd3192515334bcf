/* gemm_kernel.h: the register tile of the matrix product. A template over the kind of vector:
 * gemm_tiles.h includes it with TV, the vector, TLEN, its lanes, and TOP(op), its functions. */

/* c[r][j] = the chain over t->k steps of a[r][p] * b[p][j], from 0 or, to resume, from c[r][j]. rows
 * and whole, the number of whole vectors of columns, are constants where this is inlined; with edge
 * there is one vector more, of t->edge columns. The accumulators are rows * (whole + edge) registers.
 */
INLINE void TOP(tile)(const size_t rows, const size_t whole, const bool edge,
                      const struct NAME(job) * t)
{
    const size_t vectors = whole + edge, a_row = t->a_row, b_row = t->b_row, c_row = t->c_row,
                 n = t->edge;
    TV sum[GEMM_ROWS][GEMM_VECTORS], y[GEMM_VECTORS];
    if (t->resume) {
        const T *c = t->c;
        GEMM_UNROLL for (size_t r = 0; r < rows; r++, c += c_row)
            GEMM_UNROLL for (size_t v = 0; v < vectors; v++) sum[r][v] =
                v < whole ? TOP(load)(c + v * TLEN) : TOP(load_n)(c + v * TLEN, n);
    } else {
        GEMM_UNROLL for (size_t r = 0; r < rows; r++) GEMM_UNROLL for (size_t v = 0; v < vectors; v++)
            sum[r][v] = TOP(zero)();
    }
    /* Four rows a pointer: address modes reach a_row times 0, 1, 2 and, from a register, 3. */
    enum { GROUP = 4 };
    const size_t groups = (rows + GROUP - 1) / GROUP;
    const T *a[(GEMM_ROWS + GROUP - 1) / GROUP], *b = t->b;
    GEMM_UNROLL for (size_t g = 0; g < groups; g++) a[g] = t->a + g * GROUP * a_row;
    size_t a_column = t->a_column;
    GEMM_OPAQUE(a_column); /* no version of the loop for a_column 1 */
    for (size_t p = t->k; p; p--, b += b_row) {
        GEMM_UNROLL for (size_t v = 0; v < vectors; v++) y[v] =
            v < whole ? TOP(load)(b + v * TLEN) : TOP(load_n)(b + v * TLEN, n);
        GEMM_UNROLL for (size_t r = 0; r < rows; r++)
        {
            const TV x = TOP(set)(a[r / GROUP][r % GROUP * a_row]);
            GEMM_UNROLL for (size_t v = 0; v < vectors; v++) sum[r][v] = TOP(fma)(x, y[v], sum[r][v]);
        }
        GEMM_UNROLL for (size_t g = 0; g < groups; g++) a[g] += a_column;
    }
    T *c = t->c;
    GEMM_UNROLL for (size_t r = 0; r < rows; r++, c += c_row)
    {
        GEMM_OPAQUE(c); /* no table of row addresses made before the loop and spilled over it */
        GEMM_UNROLL for (size_t v = 0; v < vectors; v++) if (v < whole)
            TOP(store)(c + v * TLEN, sum[r][v]);
        else TOP(store_n)(c + v * TLEN, sum[r][v], n);
    }
}
