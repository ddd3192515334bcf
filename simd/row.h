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

/* What is made of rows, in y: softmax or, for logs, its logarithm, or nothing; in total, unless it is
 * NULL, the logarithm of the sum of the exponentials. */
enum NAME(row_kind) { NAME(SOFTMAX), NAME(LOG_SOFTMAX), NAME(NO_ROWS) };

/* Of up to LEN rows. */
static VT NAME(turned_total)(size_t rows, size_t n, const T *x, VT max, VT log)
{
    const VT total = V(add)(max, log);
    if (V(find)(V(eq)(V(abs)(max), NAME(infinity)())) == LEN) return total;
    T top[LEN], y[LEN];
    V(store)(top, max);
    V(store)(y, total);
    for (size_t r = 0; r < rows; r++)
        if (isinf(top[r])) y[r] = NAME(of_infinities)(n, x + r * n, top[r]);
    return V(load)(y);
}

/* Up to SHORT_ROWS short rows, a step of the formula for all before the next: none then waits for the
 * step before. */
INLINE void NAME(rows_short)(size_t rows, size_t n, T *y, T *total, const T *x,
                             enum NAME(row_kind) kind)
{
    enum { BLOCKS = NAME(SHORT_ROWS) / LEN };
    VT less[BLOCKS][NAME(SHORT_ROW)], e[BLOCKS][NAME(SHORT_ROW)], max[BLOCKS], sum[BLOCKS];
    const size_t blocks = (rows + LEN - 1) / LEN, last = rows - (blocks - 1) * LEN;
    for (size_t b = 0; b < blocks; b++) {
        NAME(turn)(b + 1 < blocks ? LEN : last, n, less[b], x + b * LEN * n);
        max[b] = NAME(minus_infinity)();
        for (size_t j = 0; j < n; j++) max[b] = V(max)(less[b][j], max[b]);
        for (size_t j = 0; j < n; j++) less[b][j] = V(sub)(less[b][j], max[b]);
    }
    for (size_t b = 0; b < blocks; b++)
        for (size_t j = 0; j < n; j++) e[b][j] = V(exp)(less[b][j]);
    for (size_t b = 0; b < blocks; b++)
        sum[b] = NAME(turned_fold)(n, e[b], V(zero)(), NAME(lane_sum), V(add));
    for (size_t b = 0; b < blocks; b++) {
        const size_t many = b + 1 < blocks ? LEN : last;
        const VT log = total || kind == NAME(LOG_SOFTMAX) ? V(log)(sum[b]) : V(zero)();
        if (total)
            V(store_n)
            (total + b * LEN, NAME(turned_total)(many, n, x + b * LEN * n, max[b], log), many);
        if (kind == NAME(NO_ROWS)) continue;
        const VT share = V(div)(V(set)(1), sum[b]);
        for (size_t j = 0; j < n; j++)
            e[b][j] = kind == NAME(SOFTMAX) ? V(mul)(e[b][j], share) : V(sub)(less[b][j], log);
        NAME(turn_back)(many, n, y + b * LEN * n, e[b]);
    }
}

INLINE void NAME(rows)(size_t rows, size_t n, T *y, T *total, const T *x, enum NAME(row_kind) kind)
{
    T block[NAME(ROW_BLOCK)], max[NAME(ROW_MANY)], sum[NAME(ROW_MANY)], log[NAME(ROW_MANY)];
    const bool few = NAME(are_short)(rows, n);
    const size_t fit = n ? NAME(ROW_BLOCK) / n : NAME(ROW_MANY);
    const size_t many = few                    ? NAME(SHORT_ROWS)
                        : fit < 1              ? 1
                        : fit < NAME(ROW_MANY) ? fit
                                               : NAME(ROW_MANY);
    for (size_t first = 0; first < rows; first += many) {
        const size_t count = rows - first < many ? rows - first : many;
        const T *from = x + first * n;
        T *to = y + first * n;
        if (few) {
            NAME(rows_short)(count, n, to, total ? total + first : NULL, from, kind);
            continue;
        }
        if (fit)
            NAME(rows_exp)(count, n, block, from, max, sum);
        else
            NAME(row_exp)(n, kind == NAME(SOFTMAX) ? to : NULL, from, max, sum);
        memcpy(log, sum, count * sizeof(T));
        if (total || kind == NAME(LOG_SOFTMAX)) NAME(log_in_place)(count, log);
        for (size_t r = 0; r < count; r++) {
            const T *row = from + r * n;
            if (total)
                total[first + r] =
                    isinf(max[r]) ? NAME(of_infinities)(n, row, max[r]) : max[r] + log[r];
            if (kind == NAME(SOFTMAX))
                NAME(with)(n, to + r * n, fit ? block + r * n : to, 1 / sum[r], V(mul));
            else if (kind == NAME(LOG_SOFTMAX))
                NAME(minus_both)(n, to + r * n, row, max[r], log[r]);
        }
    }
}

static void NAME(row_softmax)(size_t rows, size_t n, void *y, const void *x)
{
    NAME(rows)(rows, n, y, NULL, x, NAME(SOFTMAX));
}
static void NAME(row_log_softmax)(size_t rows, size_t n, void *y, const void *x)
{
    NAME(rows)(rows, n, y, NULL, x, NAME(LOG_SOFTMAX));
}
static void NAME(row_logsumexp)(size_t rows, size_t n, void *y, const void *x)
{
    NAME(rows)(rows, n, y, y, x, NAME(NO_ROWS));
}
static void NAME(softmax_logsumexp)(size_t rows, size_t n, void *y, void *total, const void *x)
{
    NAME(rows)(rows, n, y, total, x, NAME(SOFTMAX));
}
