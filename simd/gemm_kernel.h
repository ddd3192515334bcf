/* gemm_kernel.h: the register tile of the matrix product. A template over the kind of vector:
 * gemm_tiles.h includes it with TV, the vector, TLEN, its lanes, and TOP(op), its functions. */

/* What follows is inlined where rows, whole and edge are constants: the vectors of a row are whole
 * vectors and, with edge, one more of t->edge columns. */

/* k steps, from a and b on, of the rows first to end. */
INLINE void TOP(steps)(const size_t first, const size_t end, const size_t whole, const bool edge,
                       const struct NAME(job) * t, const T *a, const T *b, size_t k,
                       TV sum[][GEMM_VECTORS])
{
    /* Four rows a pointer: address modes reach a_row times 0, 1, 2 and, from a register, 3. */
    enum { GROUP = 4 };
    const size_t vectors = whole + edge, groups = (end - first + GROUP - 1) / GROUP, a_row = t->a_row;
    const T *row[(GEMM_ROWS + GROUP - 1) / GROUP];
    GEMM_UNROLL for (size_t g = 0; g < groups; g++) row[g] = a + (first + g * GROUP) * a_row;
    size_t a_step = t->a_column * sizeof(T);
    GEMM_OPAQUE(a_step); /* else gcc makes a second loop for a_column 1 */
    GEMM_OPAQUE(k);      /* and unrolls the loop that it knows to be short */
    for (; k; k--, b += t->b_row) {
        TV y[GEMM_VECTORS];
        GEMM_UNROLL for (size_t v = 0; v < vectors; v++) y[v] =
            v < whole ? TOP(load)(b + v * TLEN) : TOP(load_n)(b + v * TLEN, t->edge);
        GEMM_UNROLL for (size_t r = first; r < end; r++)
        {
            const TV x = TOP(set)(row[(r - first) / GROUP][(r - first) % GROUP * a_row]);
            GEMM_UNROLL for (size_t v = 0; v < vectors; v++) sum[r][v] = TOP(fma)(x, y[v], sum[r][v]);
        }
        GEMM_UNROLL for (size_t g = 0; g < groups; g++) row[g] =
            (const T *)((const char *)row[g] + a_step);
    }
}

INLINE void TOP(put)(const size_t first, const size_t end, const size_t whole, const bool edge,
                     const struct NAME(job) * t, TV sum[][GEMM_VECTORS])
{
    T *c = t->c + first * t->c_row;
    GEMM_UNROLL for (size_t r = first; r < end; r++, c += t->c_row)
    {
        GEMM_OPAQUE(c); /* no table of row addresses made before the loop and spilled over it */
        GEMM_UNROLL for (size_t v = 0; v < whole + edge; v++) if (v < whole)
            TOP(store)(c + v * TLEN, sum[r][v]);
        else TOP(store_n)(c + v * TLEN, sum[r][v], t->edge);
    }
}

/* c[r][j] = the chain over t->k steps of a[r][p] * b[p][j], from 0 or, to resume, from c[r][j]. The
 * accumulators are rows * (whole + edge) registers. */
INLINE void TOP(tile)(const size_t rows, const size_t whole, const bool edge,
                      const struct NAME(job) * job)
{
    const struct NAME(job) copy = *job, *t = &copy; /* which no store to c can change */
    const size_t vectors = whole + edge;
    TV sum[GEMM_ROWS][GEMM_VECTORS];
    if (t->resume) {
        const T *c = t->c;
        GEMM_UNROLL for (size_t r = 0; r < rows; r++, c += t->c_row)
            GEMM_UNROLL for (size_t v = 0; v < vectors; v++) sum[r][v] =
                v < whole ? TOP(load)(c + v * TLEN) : TOP(load_n)(c + v * TLEN, t->edge);
    } else {
        GEMM_UNROLL for (size_t r = 0; r < rows; r++) GEMM_UNROLL for (size_t v = 0; v < vectors; v++)
            sum[r][v] = TOP(zero)();
    }
    /* Stores are slower than sums and come all at once, which no window of a core is long enough to
     * hide. So the upper rows, if both halves have chains enough to hide the latency of an fma, end
     * before the lower ones. */
    const size_t upper = rows / 2 * vectors >= GEMM_CHAINS ? rows * 5 / 8 : 0;
    const size_t together = upper ? t->k - gemm_min(t->k, GEMM_APART) : t->k;
    TOP(steps)(0, rows, whole, edge, t, t->a, t->b, together, sum);
    if (upper) {
        const T *a = t->a + together * t->a_column, *b = t->b + together * t->b_row;
        TOP(steps)(0, upper, whole, edge, t, a, b, t->k - together, sum);
        TOP(put)(0, upper, whole, edge, t, sum);
        TOP(steps)(upper, rows, whole, edge, t, a, b, t->k - together, sum);
    }
    TOP(put)(upper, rows, whole, edge, t, sum);
}
