/* gemm.h: the matrix product, in blocks for the caches and tiles for the registers (docs/kernels.md). A
 * template: isa.c includes it for each real type. */
#include "gemm_level.h"
#include "gemm_pack.h"
#include "gemm_tiles.h"

/* -- what is done with the sums ------------------------------------------------------------------ */

/* c[j] = alpha * sum[j] + beta * c[j]; sum may be c if beta is 0. */
static void NAME(scale)(size_t n, T alpha, T beta, T *c, const T *sum)
{
    for (size_t j = 0; j < n; j += LEN) {
        const size_t lanes = gemm_min(n - j, LEN);
        const bool whole = lanes == LEN;
        VT y = V(mul)(V(set)(alpha), whole ? V(load)(sum + j) : V(load_n)(sum + j, lanes));
        if (beta != 0) {
            const VT old = whole ? V(load)(c + j) : V(load_n)(c + j, lanes);
            y = V(add)(y, V(mul)(V(set)(beta), old));
        }
        if (whole)
            V(store)(c + j, y);
        else
            V(store_n)(c + j, y, lanes);
    }
}

/* Of the lines ahead, those to ask for before each tile. */
static size_t NAME(share)(const struct wa_gemm *g)
{
    enum { WIDTH = GEMM_VECTORS * LEN };
    if (!g->ahead || !g->ahead->left) return 0;
    const size_t tiles = (g->m / GEMM_ROWS + 1) * (g->n / WIDTH + 1) * (g->k / GEMM_DEPTH + 1);
    return g->ahead->left / (g->batch ? g->batch * tiles : tiles) + 1;
}

/* Whether the tiles themselves add to c: to beta 1 the product of beta and c is c. */
INLINE bool NAME(adds)(const struct wa_gemm *g) { return g->beta == 1 && g->k <= GEMM_DEPTH; }

/* The sums of rows from i and columns from j are ready; they may be in c. */
static void NAME(finish)(const struct wa_gemm *g, size_t i, size_t j, size_t rows, size_t columns,
                         T *sum, size_t sum_row)
{
    T *c = g->c ? (T *)g->c + i * g->c_row + j : sum;
    const size_t c_row = g->c ? g->c_row : sum_row;
    if (c != sum || (g->alpha != 1 && !NAME(adds)(g))) {
        const bool touching = c_row == columns && sum_row == columns;
        const size_t lines = touching ? 1 : rows, n = touching ? rows * columns : columns;
        for (size_t r = 0; r < lines; r++)
            NAME(scale)(n, (T)g->alpha, (T)g->beta, c + r * c_row, sum + r * sum_row);
    }
    if (g->epilogue) g->epilogue(g->context, g->row + i, g->column + j, rows, columns, c, c_row);
}

#include "gemm_vector.h"
#include "gemm_turned.h"

/* -- the blocks ---------------------------------------------------------------------------------- */

/* Sizes of the blocks of m, n and k, what is copied, and the elements of scratch memory for it. */
struct NAME(plan) {
    size_t rows, columns, depth;
    bool pack_a, pack_b, keep;
    bool
        panels; /* all of a stays near: few panels of b at a time, those to be packed being asked for */
    size_t a_size, b_size, sum_size;
};

INLINE struct NAME(plan) NAME(plan)(const struct wa_gemm *g)
{
    enum { WIDTH = GEMM_VECTORS * LEN, COLUMNS = GEMM_BLOCK_BYTES / GEMM_DEPTH / sizeof(T) };
    enum { LINE = 64 / sizeof(T) };
    const size_t b_bytes = g->b_row * sizeof(T);
    struct NAME(plan) plan = {
        .rows = g->m,
        .columns = gemm_share(g->n, COLUMNS, WIDTH),
        .depth = gemm_share(g->k, GEMM_DEPTH, 1),
        .pack_a = g->n > GEMM_PACK_COLUMNS * WIDTH || NAME(has_prologue)(g),
        .pack_b = !g->b_packed &&
                  (g->b_column != 1 ||
                   (g->m > GEMM_PACK_ROWS * GEMM_ROWS &&
                    g->k * b_bytes > (b_bytes % GEMM_SET_BYTES ? GEMM_PACK_BYTES : GEMM_FIGHT_BYTES))),
        /* No sum can wait for the rest of its chain in an operand, or nowhere. */
        .keep = (g->beta != 0 && !NAME(adds)(g)) || !g->c};
    if (!plan.pack_a && !plan.pack_b && !plan.keep) return plan;
    const size_t columns = gemm_min(gemm_round_up(g->n, WIDTH), COLUMNS),
                 depth = gemm_min(g->k, GEMM_DEPTH);
    const bool across = plan.pack_b && g->b_column != 1;
    plan.panels = (plan.pack_b || g->b_packed) && !NAME(has_prologue)(g) &&
                  g->m * g->k <= GEMM_NEAR_BYTES / sizeof(T) &&
                  g->a_row * sizeof(T) % GEMM_SET_BYTES != 0;
    if (plan.pack_b) plan.b_size = gemm_round_up(depth * columns, LINE);
    if (plan.pack_a && !g->a_kept)
        plan.a_size = NAME(lies_across)(g)
                          ? depth * gemm_round_up(gemm_min(g->m, GEMM_GROUP), LINE)
                          : gemm_round_up(depth + GEMM_PAD, LINE) * gemm_min(g->m, GEMM_ROWS);
    if (plan.keep) {
        if (g->k > GEMM_DEPTH) plan.rows = gemm_min(g->m, GEMM_KEPT_ROWS);
        plan.sum_size = columns * gemm_min(g->m, g->k > GEMM_DEPTH ? GEMM_KEPT_ROWS : GEMM_ROWS);
    }
    /* Few rows wait for b to come, so it is read as it lies in memory, a few long rows at a time. */
    if (g->m <= GEMM_FEW_ROWS && !g->b_packed && !plan.pack_b && !plan.keep && g->beta == 0 &&
        g->k * b_bytes > GEMM_PACK_BYTES) {
        plan.depth = gemm_min(plan.depth, g->m > 2 ? 16 : 8);
        plan.columns = gemm_share(g->n, NAME(SUMS), WIDTH);
        plan.pack_a = NAME(has_prologue)(g);
    }
    /* Last: what a smaller shape, with no panels, copies must have room too. */
    if (plan.panels) plan.columns = across ? WIDTH : GEMM_PANELS * WIDTH, plan.pack_a = false;
    return plan;
}

static size_t NAME(gemm_scratch)(const struct wa_gemm *g)
{
    if (g->m == 0 || g->n == 0 || (NAME(is_vector)(g) && !g->b_packed)) return 0;
    const struct NAME(plan) plan = NAME(plan)(g);
    return (plan.a_size + plan.b_size + plan.sum_size) * sizeof(T);
}

/* Rows from i, columns from j, through t->k steps from p of k: strip by strip, t at the first. */
static void NAME(block)(const struct wa_gemm *g, const struct NAME(plan) * plan, struct NAME(job) * t,
                        size_t i, size_t rows, size_t j, size_t columns, size_t p, T *a_pack)
{
    enum { WIDTH = GEMM_VECTORS * LEN };
    const bool across = NAME(lies_across)(g), last = p + t->k == g->k,
               one_strip = plan->keep && plan->depth >= g->k;
    const size_t panels = g->b_packed ? g->k * WIDTH : plan->pack_b ? t->k * WIDTH : 0;
    const bool broad = columns > WIDTH && columns <= WIDTH + NAME(SHORT) && !panels;
    const size_t strips =
        broad ? (rows + GEMM_BROAD - 1) / GEMM_BROAD : (rows + GEMM_ROWS - 1) / GEMM_ROWS;
    const size_t low = rows / strips, tall = rows % strips;
    struct gemm_fetch fetch = {.lines = 0};
    if (plan->panels && plan->pack_b && j + columns < g->n) {
        const T *next = (const T *)g->b + p * g->b_row + (j + columns) * g->b_column;
        fetch = NAME(fetch_b)(g, next, t->k, gemm_min(g->n - j - columns, plan->columns));
        fetch.parts = strips * (plan->columns / WIDTH);
    }
    for (size_t s = 0, r = 0, packed = 0, height; s < strips; s++, r += height) {
        height = low + (s < tall);
        if (plan->pack_a && r + height > packed) {
            packed = r + height;
            if (across) packed = gemm_min(rows, r + GEMM_GROUP / GEMM_ROWS * height);
            NAME(pack_a)(g, i + r, packed - r, p, a_pack, t);
        }
        if (plan->pack_a) {
            const size_t next = gemm_min(rows - packed, across ? GEMM_GROUP : height);
            fetch = NAME(fetch_a)(g, i + packed, r + 2 * height > packed ? next : 0, p, t->k);
            fetch.parts = columns / WIDTH;
        }
        NAME(strip)(t, height, columns, panels, &fetch);
        if (last) NAME(finish)(g, i + r, j, height, columns, t->c, t->c_row);
        t->a += height * t->a_row;
        if (!one_strip) t->c += height * t->c_row;
    }
}

/* Whether the plan is to copy nothing and to cut nothing. */
INLINE bool NAME(is_small)(const struct wa_gemm *g)
{
    enum { WIDTH = GEMM_VECTORS * LEN };
    return g->k <= GEMM_DEPTH && g->n <= GEMM_PACK_COLUMNS * WIDTH && g->b_column == 1 &&
           (g->m <= GEMM_PACK_ROWS * GEMM_ROWS ||
            g->k * g->b_row * sizeof(T) <= gemm_min(GEMM_PACK_BYTES, GEMM_FIGHT_BYTES)) &&
           (g->beta == 0 || NAME(adds)(g)) && g->c && !NAME(has_prologue)(g);
}

/* Such a product: strips of one block. */
static void NAME(small)(const struct wa_gemm *g)
{
    enum { WIDTH = GEMM_VECTORS * LEN };
    struct gemm_fetch none = {.lines = 0};
    struct NAME(job) t = {.k = g->k,
                          .a = g->a,
                          .a_row = g->a_row,
                          .a_column = g->a_column,
                          .b = g->b,
                          .b_row = g->b_row,
                          .c = g->c,
                          .c_row = g->c_row,
                          .adds = NAME(adds)(g),
                          .claims = g->c_shared,
                          .alpha = (T)g->alpha,
                          .ahead = g->ahead,
                          .share = NAME(share)(g)};
    const bool broad = g->n > WIDTH && g->n <= WIDTH + NAME(SHORT);
    const bool plain = (g->alpha == 1 || t.adds) && !g->epilogue;
    size_t strips = broad ? (g->m + GEMM_BROAD - 1) / GEMM_BROAD : (g->m + GEMM_ROWS - 1) / GEMM_ROWS;
    for (size_t i = 0, rows; i < g->m; i += rows, strips--) {
        rows = (uint32_t)(g->m - i) / (uint32_t)strips;
        NAME(strip)(&t, rows, g->n, 0, &none);
        if (!plain) NAME(finish)(g, i, 0, rows, g->n, t.c, t.c_row);
        t.a += rows * t.a_row;
        t.c += rows * t.c_row;
    }
}

/* One product that is not of the vector form. */
static void NAME(blocks)(const struct wa_gemm *g, T *scratch)
{
    const struct NAME(plan) plan = NAME(plan)(g);
    const size_t share = NAME(share)(g);
    T *b_pack = scratch, *a_pack = b_pack + plan.b_size, *sum = a_pack + plan.a_size;
    for (size_t i = 0; i < g->m; i += plan.rows)
        for (size_t j = 0; j < g->n; j += plan.columns) {
            const size_t rows = gemm_min(g->m - i, plan.rows),
                         columns = gemm_min(g->n - j, plan.columns);
            size_t p = 0;
            do {
                const T *b = (const T *)g->b + p * g->b_row + j * g->b_column;
                struct NAME(job) t = {.k = gemm_min(g->k - p, plan.depth),
                                      .a = (const T *)g->a + i * g->a_row + p * g->a_column,
                                      .a_row = g->a_row,
                                      .a_column = g->a_column,
                                      .b = plan.pack_b ? b_pack : b,
                                      .b_row = plan.pack_b ? GEMM_VECTORS * LEN : g->b_row,
                                      .c = plan.keep ? sum : (T *)g->c + i * g->c_row + j,
                                      .c_row = plan.keep ? columns : g->c_row,
                                      .resume = p > 0,
                                      .adds = NAME(adds)(g),
                                      .claims = g->c_shared,
                                      .alpha = (T)g->alpha,
                                      .ahead = g->ahead,
                                      .share = share};
                if (plan.pack_b) NAME(pack_b)(g, b, t.k, columns, b_pack);
                NAME(block)(g, &plan, &t, i, rows, j, columns, p, a_pack);
                p += t.k;
            } while (p < g->k);
        }
}

static void NAME(product)(const struct wa_gemm *g, void *scratch)
{
    if (g->m == 0 || g->n == 0) return;
    if (g->b_packed)
        NAME(blocks)(g, scratch);
    else if (NAME(is_vector)(g))
        NAME(vector_gemm)(g);
    else if (NAME(is_turned)(g))
        NAME(turned_gemm)(g);
    else if (NAME(is_small)(g))
        NAME(small)(g);
    else
        NAME(blocks)(g, scratch);
}

static void NAME(products)(const struct wa_gemm *g, void *scratch)
{
    if (g->batch <= 1) {
        NAME(product)(g, scratch);
        return;
    }
    struct wa_gemm one = *g;
    for (size_t q = 0; q < g->batch; q++) {
        NAME(product)(&one, scratch);
        one.a = g->a_u8 ? (const void *)((const uint8_t *)one.a + g->a_batch)
                        : (const void *)((const T *)one.a + g->a_batch);
        one.b = (const T *)one.b + g->b_batch;
        if (one.c) one.c = (T *)one.c + g->c_batch;
        one.row += g->batch_rows ? g->batch_rows : g->m;
    }
}

static bool NAME(gemm_packs)(const struct wa_gemm *g)
{
    return g->m && g->n && g->k && !NAME(is_vector)(g) && !NAME(is_turned)(g) && NAME(plan)(g).pack_b;
}

static void NAME(gemm_pack)(const struct wa_gemm *g, size_t first, size_t end, void *y)
{
    enum { WIDTH = GEMM_VECTORS * LEN };
    const size_t last = gemm_min(g->n, end * WIDTH);
    for (size_t j = first * WIDTH; j < last; j += GEMM_PANELS * WIDTH)
        NAME(pack_b)
        (g, (const T *)g->b + j * g->b_column, g->k, gemm_min(last - j, GEMM_PANELS * WIDTH),
         (T *)y + j * g->k);
}

static void NAME(gemm)(const struct wa_gemm *g, void *scratch)
{
    NAME(products)(g, scratch);
    if (g->ahead) wa_ask(g->ahead, g->ahead->left);
}
