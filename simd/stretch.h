/* stretch.h: elementwise kernels of two operands that broadcast. A template: isa.c includes it for each
 * real type. */

/* one: the operand is one number for each row of y. */
INLINE void NAME(stretch_rows)(size_t rows, size_t n, T *y, const T *a, size_t a_row, bool a_one,
                               const T *b, size_t b_row, bool b_one, NAME(binary) * f)
{
    for (size_t r = 0; r < rows; r++, y += n, a += a_row, b += b_row) {
        const VT c = a_one ? V(set)(*a) : V(zero)(), d = b_one ? V(set)(*b) : V(zero)();
        size_t i = 0;
        for (; i + LEN <= n; i += LEN)
            V(store)(y + i, f(a_one ? c : V(load)(a + i), b_one ? d : V(load)(b + i)));
        const size_t m = n - i;
        if (m)
            V(store_n)(y + i, f(a_one ? c : V(load_n)(a + i, m), b_one ? d : V(load_n)(b + i, m)), m);
    }
}

INLINE void NAME(stretch)(size_t rows, size_t n, void *y, const void *const x[], const size_t x_row[],
                          const size_t x_column[], NAME(binary) * f)
{
    const T *a = x[0], *b = x[1];
    if (!n) return;
    if (!x_column[0] && !x_column[1])
        NAME(stretch_rows)(rows, n, y, a, x_row[0], true, b, x_row[1], true, f);
    else if (!x_column[0])
        NAME(stretch_rows)(rows, n, y, a, x_row[0], true, b, x_row[1], false, f);
    else if (!x_column[1])
        NAME(stretch_rows)(rows, n, y, a, x_row[0], false, b, x_row[1], true, f);
    else
        NAME(stretch_rows)(rows, n, y, a, x_row[0], false, b, x_row[1], false, f);
}

#define KERNEL(name, f)                                                                                \
    static void NAME(stretch_##name)(size_t rows, size_t n, void *y, const void *const x[],            \
                                     const size_t x_row[], const size_t x_column[])                    \
    {                                                                                                  \
        NAME(stretch)(rows, n, y, x, x_row, x_column, f);                                              \
    }
KERNEL(add, V(add))
KERNEL(sub, V(sub))
KERNEL(mul, V(mul))
KERNEL(div, V(div))
KERNEL(gate, NAME(gate))
KERNEL(greater_equal, NAME(greater_equal))
KERNEL(equal, NAME(equal))
#undef KERNEL
