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
INLINE void NAME(transpose_whole)(T *y, size_t y_row, const T *x, size_t x_row, bool stream)
{
    (void)stream;
    NAME(transpose_tile)(1, 1, y, y_row, x, x_row);
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

/* The same for LEN by LEN. To stream, lines are read and written whole; y is aligned. */
INLINE void NAME(transpose_whole)(T *y, size_t y_row, const T *x, size_t x_row, bool stream)
{
    if (stream) {
        VT tile[LEN];
        UNROLL
        for (size_t i = 0; i < LEN; i++) tile[i] = V(load)(x + i * x_row);
        V(transpose)(tile);
        UNROLL
        for (size_t j = 0; j < LEN; j++) V(stream)(y + j * y_row, tile[j]);
        return;
    }
#if WA_HAS_BLOCKS
    UNROLL
    for (size_t j = 0; j < LEN; j += V(BLOCK)) UNROLL
    for (size_t i = 0; i < LEN; i += V(BLOCK))
        V(transpose_block)(y + j * y_row + i, y_row, x + i * x_row + j, x_row);
#else
    NAME(transpose_tile)(LEN, LEN, y, y_row, x, x_row);
#endif
}
#endif

/* Rows first to last and columns left to right of x, the tiles of a few rows of y one after the other.
 */
INLINE void NAME(transpose_part)(size_t first, size_t last, size_t left, size_t right, T *y,
                                 size_t y_row, const T *x, size_t x_row, bool stream)
{
    for (size_t j = left; j < right; j += LEN)
        for (size_t i = first; i < last; i += LEN) {
            const size_t m = last - i < LEN ? last - i : LEN, n = right - j < LEN ? right - j : LEN;
            if (m == LEN && n == LEN)
                NAME(transpose_whole)(y + j * y_row + i, y_row, x + i * x_row + j, x_row, stream);
            else
                NAME(transpose_tile)(m, n, y + j * y_row + i, y_row, x + i * x_row + j, x_row);
        }
}

/* Blocks of 64 by 64 keep both sides in the first-level cache while its lines are half done; blocks of
 * such blocks keep their pages where the core looks addresses up. */
static void NAME(transpose)(size_t rows, size_t columns, void *to, size_t y_row, const void *from,
                            size_t x_row)
{
    enum { BLOCK = 64, PAGES = 512 };
    const bool stream = rows * columns >= STREAM_BYTES / sizeof(T) &&
                        to_alignment(to, sizeof(VT)) == 0 && y_row % LEN == 0;
    for (size_t top = 0; top < rows; top += PAGES)
        for (size_t far = 0; far < columns; far += PAGES) {
            const size_t bottom = rows - top < PAGES ? rows : top + PAGES;
            const size_t end = columns - far < PAGES ? columns : far + PAGES;
            for (size_t left = far; left < end; left += BLOCK)
                for (size_t first = top; first < bottom; first += BLOCK) {
                    const size_t last = bottom - first < BLOCK ? bottom : first + BLOCK;
                    const size_t right = end - left < BLOCK ? end : left + BLOCK;
                    if (stream)
                        NAME(transpose_part)(first, last, left, right, to, y_row, from, x_row, true);
                    else
                        NAME(transpose_part)(first, last, left, right, to, y_row, from, x_row, false);
                }
        }
    if (stream) v_fence();
}
