/* fold.h: reductions of rows and of columns. A template: isa.c includes it for each real type. */

INLINE void NAME(fold_short)(size_t rows, size_t n, T *y, const T *x, VT identity, NAME(lane_op) * op,
                             NAME(binary) * tree)
{
    VT c[NAME(SHORT_ROW)];
    for (size_t r = 0; r < rows; r += LEN) {
        const size_t many = rows - r < LEN ? rows - r : LEN;
        NAME(turn)(many, n, c, x + r * n);
        V(store_n)(y + r, NAME(turned_fold)(n, c, identity, op, tree), many);
    }
}

INLINE void NAME(fold_last)(size_t rows, size_t n, void *to, const void *from, VT identity,
                            NAME(lane_op) * op, NAME(binary) * tree)
{
    T *y = to;
    const T *x = from;
    if (NAME(are_short)(rows, n)) {
        NAME(fold_short)(rows, n, y, x, identity, op, tree);
        return;
    }
    for (size_t r = 0; r < rows; r++)
        y[r] = NAME(row_fold)(n, x + r * n, NAME(none)(), identity, op, tree);
}

/* groups vectors of columns, the last perhaps in part, all the way down in registers. */
INLINE void NAME(fold_strip)(size_t count, size_t n, size_t stride, T *y, const T *x, size_t groups,
                             bool whole, bool on, VT identity, NAME(lane_op) * op)
{
    VT sum[8];
    UNROLL
    for (size_t g = 0; g < groups; g++) {
        T *at = y + g * LEN;
        sum[g] = !on ? identity : whole || g + 1 < groups ? V(load)(at) : V(load_n)(at, n - g * LEN);
    }
    for (size_t i = 0; i < count; i++, x += stride) {
        UNROLL
        for (size_t g = 0; g < groups; g++) {
            const T *at = x + g * LEN;
            const VT a = whole || g + 1 < groups ? V(load)(at) : V(load_n)(at, n - g * LEN);
            sum[g] = op(sum[g], a, V(zero)());
        }
    }
    UNROLL
    for (size_t g = 0; g < groups; g++) {
        if (whole || g + 1 < groups)
            V(store)(y + g * LEN, sum[g]);
        else
            V(store_n)(y + g * LEN, sum[g], n - g * LEN);
    }
}

INLINE void NAME(fold_first)(size_t count, size_t n, size_t stride, bool on, void *to, const void *from,
                             VT identity, NAME(lane_op) * op)
{
    T *y = to;
    const T *x = from;
    size_t j = 0;
    for (; j + 8 * LEN <= n; j += 8 * LEN)
        NAME(fold_strip)(count, 8 * LEN, stride, y + j, x + j, 8, true, on, identity, op);
    for (; j + 4 * LEN <= n; j += 4 * LEN)
        NAME(fold_strip)(count, 4 * LEN, stride, y + j, x + j, 4, true, on, identity, op);
    for (; j + 2 * LEN <= n; j += 2 * LEN)
        NAME(fold_strip)(count, 2 * LEN, stride, y + j, x + j, 2, true, on, identity, op);
    if (n - j > LEN)
        NAME(fold_strip)(count, n - j, stride, y + j, x + j, 2, false, on, identity, op);
    else if (n > j)
        NAME(fold_strip)(count, n - j, stride, y + j, x + j, 1, false, on, identity, op);
}

/* What a lane begins with, and how lanes meet. */
#define FOLDS(X)                                                                                       \
    X(sum, V(zero), V(add))                                                                            \
    X(max, NAME(minus_infinity), NAME(largest))                                                        \
    X(min, NAME(infinity), NAME(smallest))                                                             \
    X(sum_squares, V(zero), V(add))                                                                    \
    X(prod, NAME(one), V(mul))

#define FOLD(name, identity, tree)                                                                     \
    static void NAME(fold_last_##name)(size_t rows, size_t n, void *y, const void *x)                  \
    {                                                                                                  \
        NAME(fold_last)(rows, n, y, x, identity(), NAME(lane_##name), tree);                           \
    }                                                                                                  \
    static void NAME(fold_first_##name)(size_t count, size_t n, size_t stride, bool on, void *y,       \
                                        const void *x)                                                 \
    {                                                                                                  \
        NAME(fold_first)(count, n, stride, on, y, x, identity(), NAME(lane_##name));                   \
    }
FOLDS(FOLD)
#undef FOLD

static void NAME(dot)(size_t rows, size_t n, void *to, const void *a, const void *b)
{
    T *y = to;
    for (size_t r = 0; r < rows; r++)
        y[r] = NAME(row_fold)(n, (const T *)a + r * n, NAME(row_of)((const T *)b + r * n), V(zero)(),
                              NAME(lane_dot), V(add));
}
