/* moments.h: mean and variance of rows, and rows brought to mean 0 and variance 1. A template: isa.c
 * includes it for each real type. */

/* A piece is read twice, from memory and then from the first-level cache; pieces are put together in
 * order by the formula of Chan, Golub and LeVeque (1979), which loses nothing where sum and sum of
 * squares would. */
INLINE void NAME(row_moments)(size_t n, const T *x, T *mean, T *variance)
{
    enum { PIECE = 2048 };
    T center = 0, scatter = 0; /* of the elements before i: the mean, the sum of squares about it */
    for (size_t i = 0; i < n; i += PIECE) {
        const size_t m = n - i < PIECE ? n - i : PIECE;
        const T here = NAME(row_sum)(m, x + i) / (T)m;
        const T about =
            NAME(row_fold)(m, x + i, NAME(all)(V(set)(here)), V(zero)(), NAME(lane_scatter), V(add));
        const T share = (T)m / (T)(i + m), step = here - center;
        center = i ? center + step * share : here;
        scatter = i ? scatter + (about + step * step * ((T)i * share)) : about;
    }
    *mean = n ? center : (T)NAN;
    *variance = scatter / (T)n;
}

static void NAME(moments)(size_t rows, size_t n, void *mean, void *variance, const void *x)
{
    for (size_t r = 0; r < rows; r++)
        NAME(row_moments)(n, (const T *)x + r * n, (T *)mean + r, (T *)variance + r);
}

INLINE VT NAME(normal)(VT x, VT mean, VT scale) { return V(mul)(V(sub)(x, mean), scale); }

INLINE void NAME(row_normalize)(size_t n, T *y, const T *x, const T *gain, const T *bias, T mean,
                                T scale)
{
    const VT m = V(set)(mean), s = V(set)(scale);
    size_t i = 0;
    for (; i + LEN <= n; i += LEN) {
        VT a = NAME(normal)(V(load)(x + i), m, s);
        if (gain) a = V(mul)(a, V(load)(gain + i));
        if (bias) a = V(add)(a, V(load)(bias + i));
        V(store)(y + i, a);
    }
    const size_t r = n - i;
    if (!r) return;
    VT a = NAME(normal)(V(load_n)(x + i, r), m, s);
    if (gain) a = V(mul)(a, V(load_n)(gain + i, r));
    if (bias) a = V(add)(a, V(load_n)(bias + i, r));
    V(store_n)(y + i, a, r);
}

static void NAME(normalize)(size_t rows, size_t n, void *y, const void *x, const void *gain,
                            const void *bias, double epsilon)
{
    for (size_t r = 0; r < rows; r++) {
        const T *from = (const T *)x + r * n;
        T *to = (T *)y + r * n, mean, variance;
        NAME(row_moments)(n, from, &mean, &variance);
        const T scale = 1 / V(lane0)(V(sqrt)(V(set)(variance + (T)epsilon)));
        if (gain && bias)
            NAME(row_normalize)(n, to, from, gain, bias, mean, scale);
        else if (gain)
            NAME(row_normalize)(n, to, from, gain, NULL, mean, scale);
        else
            NAME(row_normalize)(n, to, from, NULL, bias, mean, scale);
    }
}
