/* short.h: rows of a few elements, turned: lane r of vector j is element j of row r, so that all lanes
 * are at work and what folds a row is one operation for as many rows as there are lanes. A template:
 * isa.c includes it for each real type. */

/* Elements of the longest such row, a multiple of LEN; rows worked on at a time. */
enum { NAME(SHORT_ROW) = 16, NAME(SHORT_ROWS) = 64 };

/* One row alone is done as it is. */
INLINE bool NAME(are_short)(size_t rows, size_t n) { return rows > 1 && n > 0 && n <= NAME(SHORT_ROW); }

/* Of rows up to LEN; c[j] for j < n, and in lanes of no row the last one. */
INLINE void NAME(turn)(size_t rows, size_t n, VT *c, const T *x)
{
    for (size_t j = 0; j < n; j += LEN) {
        const size_t m = n - j < LEN ? n - j : LEN;
        VT tile[LEN];
        UNROLL
        for (size_t r = 0; r < LEN; r++) {
            tile[r] = V(load_n)(x + j, m);
            x += r + 1 < rows ? n : 0;
        }
        x -= (rows - 1) * n;
        V(transpose)(tile);
        UNROLL
        for (size_t k = 0; k < LEN; k++) c[j + k] = tile[k];
    }
}

/* The way back. */
INLINE void NAME(turn_back)(size_t rows, size_t n, T *y, const VT *c)
{
    for (size_t j = 0; j < n; j += LEN) {
        const size_t m = n - j < LEN ? n - j : LEN;
        VT tile[LEN];
        UNROLL
        for (size_t k = 0; k < LEN; k++) tile[k] = c[j + k];
        V(transpose)(tile);
        UNROLL
        for (size_t r = 0; r < LEN; r++)
            if (r < rows) V(store_n)(y + r * n + j, tile[r], m);
    }
}

/* Each row's fold, by the lanes' rule. What has met an identity is not changed by more of them. */
INLINE VT NAME(turned_fold)(size_t n, const VT *c, VT identity, NAME(lane_op) * op, NAME(binary) * tree)
{
    VT lane[NAME(SHORT_ROW)];
    for (size_t j = 0; j < n; j++) lane[j] = op(identity, c[j], V(zero)());
    for (size_t h = NAME(SHORT_ROW) / 2; h > 0; h /= 2) {
        for (size_t j = 0; j + h < n; j++) lane[j] = tree(lane[j], lane[j + h]);
        n = n < h ? n : h;
    }
    return lane[0];
}
