/* transpose.h: the 2-D transpose of elements of T's size. A template: isa.c includes it for each real
 * type. Integers of that size go through it too, as loads and stores of vectors do not look at what
 * they move. */

#if WA_IS_scalar
/* One element, of any type of that size. */
INLINE void NAME(transpose_tile)(size_t m, size_t n, T *y, size_t y_row, const T *x, size_t x_row)
{
    (void)m, (void)n, (void)y_row, (void)x_row;
    memcpy(y, x, sizeof(T));
}
#else
/* y[j][i] = x[i][j] for i < m, j < n, both up to LEN. */
INLINE void NAME(transpose_tile)(size_t m, size_t n, T *y, size_t y_row, const T *x, size_t x_row)
{
    VT tile[LEN];
    UNROLL
    for (size_t i = 0; i < LEN; i++)
        tile[i] = i < m ? n == LEN ? V(load)(x + i * x_row) : V(load_n)(x + i * x_row, n) : V(zero)();
    V(transpose)(tile);
    UNROLL
    for (size_t j = 0; j < LEN; j++) {
        if (j < n && m == LEN) V(store)(y + j * y_row, tile[j]);
        if (j < n && m < LEN) V(store_n)(y + j * y_row, tile[j], m);
    }
}
#endif

/* Blocks of 64 by 64 keep both sides in the first-level cache while its lines are half done. */
static void NAME(transpose)(size_t rows, size_t columns, void *to, size_t y_row, const void *from,
                            size_t x_row)
{
    enum { BLOCK = 64 };
    T *y = to;
    const T *x = from;
    for (size_t jb = 0; jb < columns; jb += BLOCK)
        for (size_t ib = 0; ib < rows; ib += BLOCK) {
            const size_t i_end = rows - ib < BLOCK ? rows : ib + BLOCK;
            const size_t j_end = columns - jb < BLOCK ? columns : jb + BLOCK;
            for (size_t j = jb; j < j_end; j += LEN)
                for (size_t i = ib; i < i_end; i += LEN) {
                    const size_t m = i_end - i < LEN ? i_end - i : LEN;
                    const size_t n = j_end - j < LEN ? j_end - j : LEN;
                    T *tile = y + j * y_row + i;
                    if (m == LEN && n == LEN)
                        NAME(transpose_tile)(LEN, LEN, tile, y_row, x + i * x_row + j, x_row);
                    else
                        NAME(transpose_tile)(m, n, tile, y_row, x + i * x_row + j, x_row);
                }
        }
}
