/* row.h: softmax and its kin. A template: isa.c includes it for each real type.
 *
 * A block is as many rows as fit ROW_BLOCK elements (or a part of one long row). exp and log run over
 * the whole block, so short rows waste no lanes. */

enum { NAME(ROW_BLOCK) = 4096 / sizeof(T), NAME(ROW_MANY) = 128 };

/* y = op(x, a) with one number for all of x. */
INLINE void NAME(with)(size_t n, T *y, const T *x, T a, NAME(binary) * op)
{
    const VT b = V(set)(a);
    size_t i = 0;
    for (; i + LEN <= n; i += LEN) V(store)(y + i, op(V(load)(x + i), b));
    if (i < n) V(store_n)(y + i, op(V(load_n)(x + i, n - i), b), n - i);
}

/* y = (x - a) - b */
INLINE void NAME(minus_both)(size_t n, T *y, const T *x, T a, T b)
{
    const VT c = V(set)(a), d = V(set)(b);
    size_t i = 0;
    for (; i + LEN <= n; i += LEN) V(store)(y + i, V(sub)(V(sub)(V(load)(x + i), c), d));
    if (i < n) V(store_n)(y + i, V(sub)(V(sub)(V(load_n)(x + i, n - i), c), d), n - i);
}

static void NAME(exp_in_place)(size_t n, T *y)
{
    size_t i = 0;
    for (; i + LEN <= n; i += LEN) V(store)(y + i, V(exp)(V(load)(y + i)));
    if (i < n) V(store_n)(y + i, V(exp)(V(load_n)(y + i, n - i)), n - i);
}

static void NAME(log_in_place)(size_t n, T *y)
{
    for (size_t i = 0; i < n; i += LEN) {
        const size_t r = n - i < LEN ? n - i : LEN;
        V(store_n)(y + i, V(log)(V(load_n)(y + i, r)), r);
    }
}

/* For each of a few short rows: its maximum, and e = exp(x - max) with its sum. e may be x. */
static void NAME(rows_exp)(size_t rows, size_t n, T *e, const T *x, T *max, T *sum)
{
    for (size_t r = 0; r < rows; r++) {
        max[r] = NAME(row_top)(n, x + r * n);
        NAME(with)(n, e + r * n, x + r * n, max[r], V(sub));
    }
    NAME(exp_in_place)(rows * n, e);
    for (size_t r = 0; r < rows; r++) sum[r] = NAME(row_sum)(n, e + r * n);
}

/* The same for one long row, piece by piece; without e when that is NULL. */
static void NAME(row_exp)(size_t n, T *e, const T *x, T *max, T *sum)
{
    T piece[NAME(ROW_BLOCK)];
    VT lanes[GROUPS];
    NAME(lanes_set)(lanes, V(zero)());
    *max = NAME(row_top)(n, x);
    for (size_t i = 0; i < n; i += NAME(ROW_BLOCK)) {
        const size_t m = n - i < NAME(ROW_BLOCK) ? n - i : NAME(ROW_BLOCK);
        T *to = e ? e + i : piece;
        NAME(with)(m, to, x + i, *max, V(sub));
        NAME(exp_in_place)(m, to);
        NAME(lanes_add)(lanes, m, to, NAME(none)(), NAME(lane_sum));
    }
    *sum = NAME(lanes_fold)(lanes, V(add));
}

/* The sum of a row is infinite as its maximum is, or NaN. */
static T NAME(of_infinities)(size_t n, const T *x, T max)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] != x[i]) return x[i];
    return max;
}

enum NAME(row_kind) { NAME(SOFTMAX), NAME(LOG_SOFTMAX), NAME(LOGSUMEXP) };

INLINE void NAME(rows)(size_t rows, size_t n, T *y, const T *x, enum NAME(row_kind) kind)
{
    T block[NAME(ROW_BLOCK)], max[NAME(ROW_MANY)], sum[NAME(ROW_MANY)];
    const size_t fit = n ? NAME(ROW_BLOCK) / n : NAME(ROW_MANY);
    const size_t many = fit < 1 ? 1 : fit < NAME(ROW_MANY) ? fit : NAME(ROW_MANY);
    for (size_t first = 0; first < rows; first += many) {
        const size_t count = rows - first < many ? rows - first : many;
        const T *from = x + first * n;
        T *to = kind == NAME(LOGSUMEXP) ? y + first : y + first * n;
        if (fit)
            NAME(rows_exp)(count, n, block, from, max, sum);
        else
            NAME(row_exp)(n, kind == NAME(SOFTMAX) ? to : NULL, from, max, sum);
        if (kind != NAME(SOFTMAX)) NAME(log_in_place)(count, sum);
        for (size_t r = 0; r < count; r++) {
            if (kind == NAME(SOFTMAX)) {
                NAME(with)(n, to + r * n, fit ? block + r * n : to, 1 / sum[r], V(mul));
            } else if (kind == NAME(LOG_SOFTMAX)) {
                NAME(minus_both)(n, to + r * n, from + r * n, max[r], sum[r]);
            } else {
                to[r] = isinf(max[r]) ? NAME(of_infinities)(n, from + r * n, max[r]) : max[r] + sum[r];
            }
        }
    }
}

static void NAME(row_softmax)(size_t rows, size_t n, void *y, const void *x)
{
    NAME(rows)(rows, n, y, x, NAME(SOFTMAX));
}
static void NAME(row_log_softmax)(size_t rows, size_t n, void *y, const void *x)
{
    NAME(rows)(rows, n, y, x, NAME(LOG_SOFTMAX));
}
static void NAME(row_logsumexp)(size_t rows, size_t n, void *y, const void *x)
{
    NAME(rows)(rows, n, y, x, NAME(LOGSUMEXP));
}
