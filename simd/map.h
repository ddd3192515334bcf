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

#include "formulas.h"

#define KERNEL(name, arity, f)                                                                         \
    static void NAME(map_##name)(size_t n, void *y, const void *const x[])                             \
    {                                                                                                  \
        NAME(map##arity)(n, y, x, f);                                                                  \
    }
KERNEL(neg, 1, V(neg))
KERNEL(abs, 1, V(abs))
KERNEL(sign, 1, NAME(sign))
KERNEL(floor, 1, V(floor))
KERNEL(ceil, 1, V(ceil))
KERNEL(round, 1, V(round))
KERNEL(trunc, 1, V(trunc))
KERNEL(sqrt, 1, V(sqrt))
KERNEL(cbrt, 1, V(cbrt))
KERNEL(exp, 1, V(exp))
KERNEL(exp2, 1, V(exp2))
KERNEL(expm1, 1, V(expm1))
KERNEL(log, 1, V(log))
KERNEL(log2, 1, V(log2))
KERNEL(log10, 1, V(log10))
KERNEL(log1p, 1, NAME(log1p))
KERNEL(sin, 1, V(sin))
KERNEL(cos, 1, V(cos))
KERNEL(tan, 1, V(tan))
KERNEL(asin, 1, V(asin))
KERNEL(acos, 1, V(acos))
KERNEL(atan, 1, V(atan))
KERNEL(sinh, 1, V(sinh))
KERNEL(cosh, 1, V(cosh))
KERNEL(tanh, 1, V(tanh))
KERNEL(asinh, 1, NAME(asinh))
KERNEL(acosh, 1, NAME(acosh))
KERNEL(atanh, 1, V(atanh))
KERNEL(erf, 1, V(erf))
KERNEL(erfc, 1, V(erfc))
KERNEL(lgamma, 1, V(lgamma))
KERNEL(sigmoid, 1, NAME(sigmoid))
KERNEL(softplus, 1, NAME(softplus))
KERNEL(relu, 1, NAME(relu))
KERNEL(add, 2, V(add))
KERNEL(sub, 2, V(sub))
KERNEL(mul, 2, V(mul))
KERNEL(div, 2, V(div))
KERNEL(pow, 2, V(pow))
KERNEL(atan2, 2, V(atan2))
KERNEL(hypot, 2, V(hypot))
KERNEL(fmod, 2, NAME(fmod))
KERNEL(polygamma, 2, NAME(polygamma))
KERNEL(minimum, 2, NAME(minimum))
KERNEL(maximum, 2, NAME(maximum))
KERNEL(gate, 2, NAME(gate))
KERNEL(equal, 2, NAME(equal))
KERNEL(not_equal, 2, NAME(not_equal))
KERNEL(less, 2, NAME(less))
KERNEL(less_equal, 2, NAME(less_equal))
KERNEL(greater, 2, NAME(greater))
KERNEL(greater_equal, 2, NAME(greater_equal))
KERNEL(logical_and, 2, NAME(logical_and))
KERNEL(logical_or, 2, NAME(logical_or))
KERNEL(logical_xor, 2, NAME(logical_xor))
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
