/* move.h: rows gathered, scattered and copied. A template: isa.c includes it for each real type;
 * integers of that size go through it too, as loads and stores do not look at what they move. */

INLINE void NAME(copy_row)(size_t n, T *y, const T *x)
{
#if WA_IS_scalar
    memcpy(y, x, n * sizeof(T));
#else
    size_t i = 0;
    for (; i + LEN <= n; i += LEN) V(store)(y + i, V(load)(x + i));
    if (i < n) V(store_n)(y + i, V(load_n)(x + i, n - i), n - i);
#endif
}

static void NAME(gather)(size_t count, size_t n, void *y, const void *x, size_t x_row,
                         const int32_t *index)
{
    T *to = y;
    const T *from = x;
    if (n == 1)
        for (size_t i = 0; i < count; i++) memcpy(to + i, from + (size_t)index[i] * x_row, sizeof(T));
    else
        for (size_t i = 0; i < count; i++)
            NAME(copy_row)(n, to + i * n, from + (size_t)index[i] * x_row);
}

static void NAME(scatter_add)(size_t count, size_t n, void *y, size_t y_row, const void *x,
                              const int32_t *index)
{
    for (size_t i = 0; i < count; i++) {
        T *to = (T *)y + (size_t)index[i] * y_row;
        const T *from = (const T *)x + i * n;
        size_t j = 0;
        for (; j + LEN <= n; j += LEN) V(store)(to + j, V(add)(V(load)(to + j), V(load)(from + j)));
        const size_t r = n - j;
        if (r) V(store_n)(to + j, V(add)(V(load_n)(to + j, r), V(load_n)(from + j, r)), r);
    }
}

INLINE void NAME(splat_row)(size_t n, T *y, const T *x)
{
#if WA_IS_scalar
    for (size_t j = 0; j < n; j++) memcpy(y + j, x, sizeof(T));
#else
    const VT a = V(set)(*x);
    size_t j = 0;
    for (; j + LEN <= n; j += LEN) V(store)(y + j, a);
    if (j < n) V(store_n)(y + j, a, n - j);
#endif
}

/* The same number, or the same row, in rows of fewer than LEN that touch: each is written with what the
 * next is then written over. */
INLINE void NAME(narrow_rows)(size_t rows, size_t n, T *y, const T *x, size_t x_row, size_t x_column)
{
    const size_t all = rows * n;
    VT a = x_column ? V(load_n)(x, n) : V(zero)();
    for (size_t i = 0; i < all; i += n, x += x_row) {
        if (!x_column) a = V(set)(*x);
        if (all - i >= LEN)
            V(store)(y + i, a);
        else
            V(store_n)(y + i, a, n);
    }
}

static void NAME(strided_copy)(size_t rows, size_t n, void *y, size_t y_row, const void *x,
                               size_t x_row, size_t x_column)
{
    if (x_row == 1 && x_column > 1 && rows > 1) {
        NAME(transpose)(n, rows, y, y_row, x, x_column);
        return;
    }
    if (n && n < LEN && y_row == n && (x_column == 0 || (x_column == 1 && x_row == 0))) {
        NAME(narrow_rows)(rows, n, y, x, x_row, x_column);
        return;
    }
    for (size_t i = 0; i < rows; i++) {
        T *to = (T *)y + i * y_row;
        const T *from = (const T *)x + i * x_row;
        if (x_column == 1)
            NAME(copy_row)(n, to, from);
        else if (x_column == 0 && n)
            NAME(splat_row)(n, to, from);
        else
            for (size_t j = 0; j < n; j++) memcpy(to + j, from + j * x_column, sizeof(T));
    }
}
