/* map.h: elementwise kernels. A template: isa.c includes it for each real type. */

typedef VT NAME(unary)(VT);
typedef VT NAME(binary)(VT, VT);
/* put is store, or stream for what is too big to be found in a cache later: then y is aligned. */
typedef void NAME(put_op)(T *y, VT a);

INLINE void NAME(map1_part)(size_t n, T *y, const T *x, NAME(unary) * f, NAME(put_op) * put)
{
    size_t i = 0;
    for (; i + 4 * LEN <= n; i += 4 * LEN) {
        UNROLL
        for (size_t u = 0; u < 4 * LEN; u += LEN) put(y + i + u, f(V(load)(x + i + u)));
    }
    for (; i + LEN <= n; i += LEN) put(y + i, f(V(load)(x + i)));
    if (i < n) V(store_n)(y + i, f(V(load_n)(x + i, n - i)), n - i);
}

INLINE void NAME(map1)(size_t n, void *to, const void *const from[], NAME(unary) * f)
{
    T *y = to;
    const T *x = from[0];
    if (n < STREAM_BYTES / sizeof(T) || y == x) {
        NAME(map1_part)(n, y, x, f, V(store));
        return;
    }
    const size_t head = to_alignment(y, sizeof(VT)) / sizeof(T);
    NAME(map1_part)(head, y, x, f, V(store));
    NAME(map1_part)(n - head, y + head, x + head, f, V(stream));
    v_fence();
}

INLINE void NAME(map2_part)(size_t n, T *y, const T *a, const T *b, NAME(binary) * f,
                            NAME(put_op) * put)
{
    size_t i = 0;
    for (; i + 4 * LEN <= n; i += 4 * LEN) {
        UNROLL
        for (size_t u = 0; u < 4 * LEN; u += LEN)
            put(y + i + u, f(V(load)(a + i + u), V(load)(b + i + u)));
    }
    for (; i + LEN <= n; i += LEN) put(y + i, f(V(load)(a + i), V(load)(b + i)));
    if (i < n) V(store_n)(y + i, f(V(load_n)(a + i, n - i), V(load_n)(b + i, n - i)), n - i);
}

INLINE void NAME(map2)(size_t n, void *to, const void *const from[], NAME(binary) * f)
{
    T *y = to;
    const T *a = from[0], *b = from[1];
    if (n < STREAM_BYTES / sizeof(T) || y == a || y == b) {
        NAME(map2_part)(n, y, a, b, f, V(store));
        return;
    }
    const size_t head = to_alignment(y, sizeof(VT)) / sizeof(T);
    NAME(map2_part)(head, y, a, b, f, V(store));
    NAME(map2_part)(n - head, y + head, a + head, b + head, f, V(stream));
    v_fence();
}

INLINE void NAME(map3)(size_t n, void *to, const void *const from[], VT (*f)(VT, VT, VT))
{
    T *y = to;
    const T *a = from[0], *b = from[1], *c = from[2];
    size_t i = 0;
    for (; i + LEN <= n; i += LEN) V(store)(y + i, f(V(load)(a + i), V(load)(b + i), V(load)(c + i)));
    const size_t r = n - i;
    if (r) V(store_n)(y + i, f(V(load_n)(a + i, r), V(load_n)(b + i, r), V(load_n)(c + i, r)), r);
}

INLINE VT NAME(relu)(VT a) { return V(select)(V(gt)(a, V(zero)()), a, V(zero)()); }
INLINE VT NAME(gate)(VT a, VT b) { return V(select)(V(gt)(b, V(zero)()), a, V(zero)()); }
INLINE VT NAME(greater_equal)(VT a, VT b) { return V(select)(V(ge)(a, b), V(set)(1), V(zero)()); }
INLINE VT NAME(equal)(VT a, VT b) { return V(select)(V(eq)(a, b), V(set)(1), V(zero)()); }
INLINE VT NAME(where)(VT a, VT b, VT c) { return V(select)(V(ne)(a, V(zero)()), b, c); }
INLINE VT NAME(sigmoid)(VT a) { return V(div)(V(set)(1), V(add)(V(set)(1), V(exp)(V(neg)(a)))); }

#define KERNEL(name, arity, f)                                                                         \
    static void NAME(map_##name)(size_t n, void *y, const void *const x[])                             \
    {                                                                                                  \
        NAME(map##arity)(n, y, x, f);                                                                  \
    }
KERNEL(neg, 1, V(neg))
KERNEL(exp, 1, V(exp))
KERNEL(log, 1, V(log))
KERNEL(sqrt, 1, V(sqrt))
KERNEL(tanh, 1, V(tanh))
KERNEL(sigmoid, 1, NAME(sigmoid))
KERNEL(relu, 1, NAME(relu))
KERNEL(add, 2, V(add))
KERNEL(sub, 2, V(sub))
KERNEL(mul, 2, V(mul))
KERNEL(div, 2, V(div))
KERNEL(gate, 2, NAME(gate))
KERNEL(greater_equal, 2, NAME(greater_equal))
KERNEL(equal, 2, NAME(equal))
KERNEL(where, 3, NAME(where))
#undef KERNEL

INLINE VT NAME(same)(VT a) { return a; }
static void NAME(map_copy)(size_t n, void *y, const void *const x[])
{
    if (n >= STREAM_BYTES / sizeof(T))
        NAME(map1)(n, y, x, NAME(same));
    else if (n && y != x[0])
        memcpy(y, x[0], n * sizeof(T));
}
