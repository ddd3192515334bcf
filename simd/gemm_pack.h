/* gemm_pack.h: copies of blocks of a and b where they are read best. A template: gemm.h includes it for
 * each real type. */

/* One tile, or one strip of n columns: steps of k and the top left of each operand. a[r][p] is
 * a[r*a_row + p*a_column], b[p][j] is b[p*b_row + j]. edge: columns of a tile's last vector if that is
 * not whole. resume: c holds the chains up to here; else they begin at 0. adds: c += alpha times the
 * chains. claims: the lines of c are written to first. share: lines ahead to ask for before each tile. */
struct NAME(job) {
    size_t k;
    const T *a;
    size_t a_row, a_column;
    const T *b;
    size_t b_row;
    T *c;
    size_t c_row, edge;
    bool resume, adds, claims;
    T alpha;
    struct wa_lines *ahead;
    size_t share;
};

/* Whether a is not ready to be read as it is. */
static bool NAME(has_prologue)(const struct wa_gemm *g)
{
    return g->a_u8 || g->a_rows || g->a_columns || g->a_scale != 0;
}

/* Whether the lines of a in memory, which indices pick and packing copies, are columns of a. */
static bool NAME(lies_across)(const struct wa_gemm *g)
{
    return g->a_columns || (!g->a_rows && g->a_column != 1);
}

static void NAME(copy_line)(size_t n, T *to, const T *from)
{
    size_t i = 0;
    for (; i + LEN <= n; i += LEN) V(store)(to + i, V(load)(from + i));
    if (i < n) V(store_n)(to + i, V(load_n)(from + i, n - i), n - i);
}

/* to[i] = scale * (T)from[i]. The last vector may be one that begins in the one before. */
INLINE void NAME(pack_bytes)(size_t n, T scale, T *restrict to, const uint8_t *from)
{
    const VT by = V(set)(scale);
    size_t i = 0;
    for (; i + LEN <= n; i += LEN) V(store)(to + i, V(mul)(by, V(bytes)(from + i)));
    if (i < n && n >= LEN)
        V(store)(to + n - LEN, V(mul)(by, V(bytes)(from + n - LEN)));
    else
        for (; i < n; i++) to[i] = scale * (T)from[i];
}

/* to[i] = scale * (T)a[first + i], scale 0 counting as 1. */
static void NAME(pack_line)(const struct wa_gemm *g, size_t first, size_t n, T *restrict to)
{
    const T scale = (T)(g->a_scale != 0 ? g->a_scale : 1);
    if (g->a_u8) {
        NAME(pack_bytes)(n, scale, to, (const uint8_t *)g->a + first);
    } else {
        const T *from = (const T *)g->a + first;
        if (g->a_scale != 0)
            for (size_t i = 0; i < n; i++) to[i] = scale * from[i];
        else
            NAME(copy_line)(n, to, from);
    }
}

/* rows from i and t->k steps from p of a, the lines kept; sets where the job finds them. */
static void NAME(pack_a)(const struct wa_gemm *g, size_t i, size_t rows, size_t p, T *to,
                         struct NAME(job) * t)
{
    t->a = to;
    if (NAME(lies_across)(g)) {
        t->a_row = 1, t->a_column = gemm_round_up(rows, LEN);
        for (size_t q = 0; q < t->k; q++) {
            const size_t line = g->a_columns ? (size_t)g->a_columns[p + q] : p + q;
            NAME(pack_line)(g, line * g->a_column + i * g->a_row, rows, to + q * t->a_column);
        }
    } else {
        t->a_row = gemm_round_up(t->k + GEMM_PAD, 64 / sizeof(T)), t->a_column = 1;
        if (g->a_kept) t->a = to = (T *)g->a_kept + i * g->k + p, t->a_row = g->k;
        for (size_t r = 0; r < rows; r++) {
            const size_t line = g->a_rows ? (size_t)g->a_rows[i + r] : i + r;
            NAME(pack_line)(g, line * g->a_row + p, t->k, to + r * t->a_row);
        }
    }
}

/* The only row of a, k steps from p. */
static void NAME(pack_row)(const struct wa_gemm *g, size_t p, size_t k, T *to)
{
    struct NAME(job) t = {.k = k};
    if (!NAME(lies_across)(g))
        NAME(pack_a)(g, 0, 1, p, to, &t);
    else
        for (size_t q = 0; q < k; q++) {
            const size_t line = g->a_columns ? (size_t)g->a_columns[p + q] : p + q;
            NAME(pack_line)(g, line * g->a_column, 1, to + q);
        }
}

/* What pack_a will read. */
static struct gemm_fetch NAME(fetch_a)(const struct wa_gemm *g, size_t i, size_t rows, size_t p,
                                       size_t k)
{
    const bool across = NAME(lies_across)(g);
    const int32_t *index = across ? g->a_columns : g->a_rows;
    const size_t size = g->a_u8 ? 1 : sizeof(T), first = across ? p : i;
    const size_t stride = across ? g->a_column : g->a_row, offset = across ? i * g->a_row : p;
    return (struct gemm_fetch){.from =
                                   (const char *)g->a + ((index ? 0 : first * stride) + offset) * size,
                               .index = index ? index + first : NULL,
                               .lines = across && rows ? k : rows,
                               .stride = stride * size,
                               .bytes = (across ? rows : k) * size};
}

/* What pack_b will read. */
static struct gemm_fetch NAME(fetch_b)(const struct wa_gemm *g, const T *b, size_t k, size_t n)
{
    const bool across = g->b_column != 1;
    return (struct gemm_fetch){.from = (const char *)b,
                               .lines = across ? n : k,
                               .stride = (across ? g->b_column : g->b_row) * sizeof(T),
                               .bytes = (across ? k : n) * sizeof(T)};
}

/* to[p][j] = b[j][p] for p < k, j < n: a panel of a b whose columns lie along memory. */
static void NAME(pack_columns)(size_t k, size_t n, T *to, const T *b, size_t b_column)
{
    enum { WIDTH = GEMM_VECTORS * LEN };
    for (size_t j = 0; j < n; j += LEN)
        for (size_t p = 0; p < k; p += LEN) {
            const size_t steps = gemm_min(k - p, LEN), columns = gemm_min(n - j, LEN);
            const T *from = b + j * b_column + p;
            VT block[LEN];
            if (steps == LEN && columns == LEN)
                GEMM_UNROLL for (size_t c = 0; c < LEN; c++) block[c] = V(load)(from + c * b_column);
            else
                GEMM_UNROLL for (size_t c = 0; c < LEN; c++) block[c] =
                    c < columns ? V(load_n)(from + c * b_column, steps) : V(zero)();
            V(transpose)(block);
            T *panel = to + p * WIDTH + j;
            GEMM_UNROLL for (size_t q = 0; q < LEN; q++) if (q < steps)
                V(store)(panel + q * WIDTH, block[q]);
        }
}

/* k steps by n columns of b, from b on, as panels of a tile's width, each one k rows of them. */
static void NAME(pack_b)(const struct wa_gemm *g, const T *b, size_t k, size_t n, T *to)
{
    enum { WIDTH = GEMM_VECTORS * LEN };
    if (g->b_column != 1) {
        for (size_t j = 0; j < n; j += WIDTH, to += k * WIDTH)
            NAME(pack_columns)(k, gemm_min(n - j, WIDTH), to, b + j * g->b_column, g->b_column);
        return;
    }
    for (size_t p = 0; p < k; p++, b += g->b_row, to += WIDTH) {
        T *panel = to;
        size_t j = 0;
        /* Rows may be too far apart for the hardware's prefetch. */
        for (size_t at = 0; at < n && p + 4 < k; at += 64 / sizeof(T))
            __builtin_prefetch(b + 4 * g->b_row + at);
        for (; j + WIDTH <= n; j += WIDTH, panel += k * WIDTH)
            GEMM_UNROLL for (size_t v = 0; v < WIDTH; v += LEN) V(store)(panel + v, V(load)(b + j + v));
        if (j < n) memcpy(panel, b + j, (n - j) * sizeof(T));
    }
}
