/* arg.h: where the largest or the smallest element is. A template: isa.c includes it for each real
 * type.
 *
 * The best value does not depend on an order, NaN being never better and the zeros equal; so any number
 * of lanes will do, and the first element equal to it is what is looked for. */

/* better(new, old) is new only if it is better. */
INLINE T NAME(best)(size_t n, const T *x, VT worst, NAME(binary) * better)
{
    VT a = worst, b = worst, c = worst, d = worst;
    size_t i = 0;
    for (; i + 4 * LEN <= n; i += 4 * LEN) {
        a = better(V(load)(x + i), a);
        b = better(V(load)(x + i + LEN), b);
        c = better(V(load)(x + i + 2 * LEN), c);
        d = better(V(load)(x + i + 3 * LEN), d);
    }
    for (; i + LEN <= n; i += LEN) a = better(V(load)(x + i), a);
    if (i < n) a = better(V(select)(V(head)(n - i), V(load_n)(x + i, n - i), worst), a);
    return NAME(vector_fold)(better(better(a, b), better(c, d)), better);
}

/* Where value is first; n if nowhere. */
INLINE size_t NAME(find)(size_t n, const T *x, T value)
{
    const VT wanted = V(set)(value);
    size_t i = 0;
    for (; i + LEN <= n; i += LEN) {
        const size_t k = V(find)(V(eq)(V(load)(x + i), wanted));
        if (k < LEN) return i + k;
    }
    if (i == n) return n;
    const size_t k =
        i + V(find)(V(eq)(V(load_n)(x + i, n - i), wanted)); /* past n: a lane that is no element */
    return k < n ? k : n;
}

/* Short rows, turned: from the last column to the first. */
INLINE void NAME(arg_short)(size_t rows, size_t n, int32_t *y, const T *x, VT worst,
                            NAME(binary) * better)
{
    VT c[NAME(SHORT_ROW)];
    T at[LEN];
    for (size_t r = 0; r < rows; r += LEN) {
        const size_t many = rows - r < LEN ? rows - r : LEN;
        VT best = worst, where = V(zero)();
        NAME(turn)(many, n, c, x + r * n);
        for (size_t j = 0; j < n; j++) best = better(c[j], best);
        for (size_t j = n; j-- > 0;) where = V(select)(V(eq)(c[j], best), V(set)((T)j), where);
        V(store)(at, where);
        for (size_t i = 0; i < many; i++) y[r + i] = (int32_t)at[i];
    }
}

/* Memory is read once: only the piece that holds the best element is looked through again, in the
 * first-level cache. */
INLINE void NAME(arg)(size_t rows, size_t n, int32_t *y, const void *from, VT worst,
                      NAME(binary) * better)
{
    const size_t piece = 2048;
    if (NAME(are_short)(rows, n)) {
        NAME(arg_short)(rows, n, y, from, worst, better);
        return;
    }
    for (size_t r = 0; r < rows; r++) {
        const T *x = (const T *)from + r * n;
        T best = V(lane0)(worst);
        size_t where = 0;
        for (size_t i = 0; i < n; i += piece) {
            const T value = NAME(best)(n - i < piece ? n - i : piece, x + i, worst, better);
            if (value != best && V(lane0)(better(V(set)(value), V(set)(best))) == value)
                best = value, where = i;
        }
        where += NAME(find)(n - where, x + where, best);
        y[r] = where < n ? (int32_t)where : 0;
    }
}

static void NAME(argmax)(size_t rows, size_t n, int32_t *y, const void *x)
{
    NAME(arg)(rows, n, y, x, NAME(minus_infinity)(), V(max));
}
static void NAME(argmin)(size_t rows, size_t n, int32_t *y, const void *x)
{
    NAME(arg)(rows, n, y, x, NAME(infinity)(), V(min));
}
