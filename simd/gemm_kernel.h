/* gemm_kernel.h: the register tile of the matrix product. A template: gemm_tiles.h includes it for each
 * real type, with HT, the vector for a short rest of columns, H(op), its functions, and LOW(x), that
 * part of a vector. */

/* What follows is inlined where rows, vectors, edge and rest are constants. The columns of a tile are
 * vectors, of which with edge the last has t->edge columns only; with rest, there is one HT more and it
 * has them. */
struct NAME(sums) {
    VT vector[GEMM_ROWS][GEMM_VECTORS];
    HT rest[GEMM_ROWS];
};

/* k steps, from a and b on, of the rows first to end. */
INLINE void NAME(steps)(const size_t first, const size_t end, const size_t vectors, const bool edge,
                        const bool rest, const struct NAME(job) * t, const T *a, const T *b, size_t k,
                        struct NAME(sums) * sum)
{
    /* Four rows a pointer: address modes reach a_row times 0, 1, 2 and, from a register, 3. */
    enum { GROUP = 4 };
    const size_t groups = (end - first + GROUP - 1) / GROUP, whole = vectors - edge, a_row = t->a_row;
    const T *row[(GEMM_ROWS + GROUP - 1) / GROUP];
    GEMM_UNROLL for (size_t g = 0; g < groups; g++) row[g] = a + (first + g * GROUP) * a_row;
    size_t a_step = t->a_column * sizeof(T);
    GEMM_OPAQUE(a_step); /* else gcc makes a second loop for a_column 1 */
    GEMM_OPAQUE(k);      /* and unrolls the loop that it knows to be short */
    for (; k; k--, b += t->b_row) {
        VT y[GEMM_VECTORS];
        GEMM_UNROLL for (size_t v = 0; v < vectors; v++) y[v] =
            v < whole ? V(load)(b + v * LEN) : V(load_n)(b + v * LEN, t->edge);
        const HT z = rest ? H(load_n)(b + vectors * LEN, t->edge) : H(zero)();
        GEMM_UNROLL for (size_t r = first; r < end; r++)
        {
            const T *at = row[(r - first) / GROUP] + (r - first) % GROUP * a_row;
            const VT x = vectors ? V(set)(*at) : V(zero)();
            GEMM_UNROLL for (size_t v = 0; v < vectors; v++) sum->vector[r][v] =
                V(fma)(x, y[v], sum->vector[r][v]);
            if (rest) sum->rest[r] = H(fma)(vectors ? LOW(x) : H(set)(*at), z, sum->rest[r]);
        }
        GEMM_UNROLL for (size_t g = 0; g < groups; g++) row[g] =
            (const T *)((const char *)row[g] + a_step);
    }
}

/* sum = c + alpha * sum. */
INLINE void NAME(add)(const size_t first, const size_t end, const size_t vectors, const bool edge,
                      const bool rest, const struct NAME(job) * t, struct NAME(sums) * sum)
{
    const size_t whole = vectors - edge;
    const T *c = t->c + first * t->c_row;
    const VT alpha = V(set)(t->alpha);
    GEMM_UNROLL for (size_t r = first; r < end; r++, c += t->c_row)
    {
        GEMM_OPAQUE(c);
        GEMM_UNROLL for (size_t v = 0; v < vectors; v++)
        {
            const VT old = v < whole ? V(load)(c + v * LEN) : V(load_n)(c + v * LEN, t->edge);
            sum->vector[r][v] = V(add)(V(mul)(alpha, sum->vector[r][v]), old);
        }
        if (rest)
            sum->rest[r] =
                H(add)(H(mul)(H(set)(t->alpha), sum->rest[r]), H(load_n)(c + vectors * LEN, t->edge));
    }
}

INLINE void NAME(put)(const size_t first, const size_t end, const size_t vectors, const bool edge,
                      const bool rest, const struct NAME(job) * t, struct NAME(sums) * sum)
{
    const size_t whole = vectors - edge;
    T *c = t->c + first * t->c_row;
    if (t->adds) NAME(add)(first, end, vectors, edge, rest, t, sum);
    GEMM_UNROLL for (size_t r = first; r < end; r++, c += t->c_row)
    {
        GEMM_OPAQUE(c); /* no table of row addresses made before the loop and spilled over it */
        GEMM_UNROLL for (size_t v = 0; v < vectors; v++) if (v < whole)
            V(store)(c + v * LEN, sum->vector[r][v]);
        else V(store_n)(c + v * LEN, sum->vector[r][v], t->edge);
        if (rest) H(store_n)(c + vectors * LEN, sum->rest[r], t->edge);
    }
}

/* The sums from 0 or, to resume, from what c holds. */
INLINE void NAME(begin)(const size_t rows, const size_t vectors, const bool edge, const bool rest,
                        const struct NAME(job) * t, struct NAME(sums) * sum)
{
    const size_t whole = vectors - edge;
    const T *c = t->c;
    if (t->resume) GEMM_UNROLL for (size_t r = 0; r < rows; r++, c += t->c_row)
        {
            GEMM_UNROLL for (size_t v = 0; v < vectors; v++) sum->vector[r][v] =
                v < whole ? V(load)(c + v * LEN) : V(load_n)(c + v * LEN, t->edge);
            if (rest) sum->rest[r] = H(load_n)(c + vectors * LEN, t->edge);
        }
    else
        GEMM_UNROLL for (size_t r = 0; r < rows; r++)
        {
            GEMM_UNROLL for (size_t v = 0; v < vectors; v++) sum->vector[r][v] = V(zero)();
            if (rest) sum->rest[r] = H(zero)();
        }
}

/* c[r][j] = the chain over t->k steps of a[r][p] * b[p][j]. The accumulators are rows * (vectors +
 * rest) registers. */
INLINE void NAME(tile)(const size_t rows, const size_t vectors, const bool edge, const bool rest,
                       const struct NAME(job) * job)
{
    const struct NAME(job) copy = *job, *t = &copy; /* which no store to c can change */
    struct NAME(sums) sum;
    NAME(begin)(rows, vectors, edge, rest, t, &sum);
    /* Stores are slower than sums and come all at once, which no window of a core is long enough to
     * hide. So the upper rows, if both halves have chains enough to hide the latency of an fma, end
     * before the lower ones. */
    const size_t upper = rows / 2 * (vectors + rest) >= GEMM_CHAINS ? rows * 5 / 8 : 0;
    const size_t together = upper ? t->k - gemm_min(t->k, GEMM_APART) : t->k;
    NAME(steps)(0, rows, vectors, edge, rest, t, t->a, t->b, together, &sum);
    if (upper) {
        const T *a = t->a + together * t->a_column, *b = t->b + together * t->b_row;
        NAME(steps)(0, upper, vectors, edge, rest, t, a, b, t->k - together, &sum);
        NAME(put)(0, upper, vectors, edge, rest, t, &sum);
        NAME(steps)(upper, rows, vectors, edge, rest, t, a, b, t->k - together, &sum);
    }
    NAME(put)(upper, rows, vectors, edge, rest, t, &sum);
}
