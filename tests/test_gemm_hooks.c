/* test_gemm_hooks.c: what is built around the matrix product: the left operand made on the way,
 * epilogues, batches, parts for threads, scratch memory. At every level, by the reference's bits. */
#include "test_gemm.h"

/* -- the left operand made on the way ------------------------------------------------------------ */

static void check_prologue(int type, const struct shape *s, bool u8, bool gather, double scale)
{
    struct wa_gemm g;
    const size_t c_size = prepare(type, s, &g), lines = s->a_across ? s->k : s->m;
    const size_t length = s->a_across ? s->m : s->k, stored = gather ? 2 * lines + 3 : lines;
    const size_t a_line = length + s->a_gap, a_size = footprint(stored, length, a_line);
    unsigned char *a = place(A, a_size * (u8 ? 1 : size_of(type)), s->at_end);
    if (u8)
        for (size_t i = 0; i < a_size; i++) a[i] = (unsigned char)below(256);
    else
        fill(type, a, a_size, s->special);
    int32_t *index = place(INDEX, lines * sizeof(int32_t), s->at_end);
    for (size_t i = 0; i < lines; i++) index[i] = (int32_t)below(stored);
    g.a = a, g.a_u8 = u8, g.a_scale = scale;
    if (gather && s->a_across) g.a_columns = index;
    if (gather && !s->a_across) g.a_rows = index;
    want_reference(type, &g, c_size);
    check_levels(type, &g, c_size);
}

START_TEST(prologues)
{
    for (int type = 0; type < WA_REALS; type++)
        for (int form = 0; form < 16; form++)
            for (int i = 0; i < 24; i++) {
                if (left_out((size_t)i, form % 4)) continue;
                const size_t k = i % 8 ? below(80) : 700 + below(900);
                struct shape s = with_chance(i % 5 ? below(150) : below(3), i % 7 ? below(80) : 1, k);
                s.a_across = form & 8;
                check_prologue(type, &s, form & 1, form & 2, form & 4 ? 0.00392156885936856269836 : 0);
            }
}
END_TEST

/* Of a few rows, with a large b. */
START_TEST(prologues_of_few_rows)
{
    for (int type = 0; type < WA_REALS; type++)
        for (int form = 0; form < 8; form++) {
            struct shape s = with_chance(2 + below(4), 900, 100);
            s.a_across = form & 4, s.b_across = false;
            check_prologue(type, &s, form & 1, form & 2, 0.5);
        }
}
END_TEST

/* What is packed is left where a_kept says, all of it, by the whole product and by its parts. */
static void check_kept(const struct wa_simd *level, int type, struct wa_gemm *g, size_t parts)
{
    const size_t size = g->m * g->k;
    g->a_kept = place(KEPT, size * size_of(type), below(2));
    memset(g->a_kept, 0xff, size * size_of(type));
    for (size_t i = 0; i < parts; i++) {
        struct wa_gemm part;
        wa_gemm_part(g, type, parts, i, &part);
        level->gemm[type](&part, scratch_for(level, type, g));
    }
    for (size_t i = 0; i < size && g->n; i++) {
        const double want = left(type, g, i / g->k, i % g->k), is = get(type, g->a_kept, i);
        if (memcmp(&is, &want, sizeof is) && !(isnan(is) && isnan(want)))
            ck_abort_msg("%s: element %zu of %zu x %zu x %zu is kept as %g, not %g", level->name, i,
                         g->m, g->n, g->k, is, want);
    }
}

START_TEST(packed_rows_are_kept)
{
    const struct wa_simd *level;
    for (int type = 0; type < WA_REALS; type++)
        for (int i = 0; i < 60; i++) {
            struct shape s =
                with_chance(16 + below(100), 1 + below(i % 5 ? 90 : 600), below(i % 3 ? 90 : 1500));
            struct wa_gemm g;
            s.a_across = false;
            const size_t c_size = prepare(type, &s, &g);
            int32_t *index = place(INDEX, s.m * sizeof(int32_t), s.at_end);
            for (size_t r = 0; r < s.m; r++) index[r] = (int32_t)below(s.m);
            g.a_rows = index, g.a_u8 = i % 2, g.a_scale = i % 4 < 2 ? 0.1f : 0;
            want_reference(type, &g, c_size);
            for (int l = 0; (level = wa_simd_level(l)); l++)
                if (wa_simd_usable(level)) check_kept(level, type, &g, 1 + below(3));
            check_levels(type, &g, c_size);
        }
}
END_TEST

/* -- epilogues ----------------------------------------------------------------------------------- */

/* w[row][column] -= rate * tile, as two ops would; and how often each element came. */
struct update {
    int type;
    size_t m, n;
    void *w;
    unsigned char *seen;
    double rate;
    const char *c; /* where tiles must lie, or NULL: anywhere */
    size_t c_row;
};

static void subtract(void *context, size_t row, size_t column, size_t rows, size_t columns, void *tile,
                     size_t tile_row)
{
    const struct update *u = context;
    if (!rows || !columns || row + rows > u->m || column + columns > u->n ||
        (u->c && tile != u->c + (row * u->c_row + column) * size_of(u->type)))
        ck_abort_msg("the epilogue gets a tile that is none");
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < columns; j++) {
            const size_t at = (row + r) * u->n + column + j;
            const double step = mul(u->type, u->rate, get(u->type, tile, r * tile_row + j));
            set(u->type, u->w, at, add(u->type, get(u->type, u->w, at), -step));
            u->seen[at]++;
        }
}

/* Not by ck_assert: each that holds costs a message to Check's parent process. */
static void each_once(const unsigned char *seen, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (seen[i] != 1) ck_abort_msg("element %zu is seen %d times", i, seen[i]);
}

/* The weights after an update through the epilogue, c being written too or not. */
static void check_update(int type, struct shape s, bool in_c)
{
    struct wa_gemm g;
    if (!in_c) s.beta = 0;
    const size_t c_size = prepare(type, &s, &g), size = s.m * s.n;
    const struct wa_simd *level;
    void *w = malloc(size * size_of(type) + 1), *want = malloc(size * size_of(type) + 1);
    unsigned char *seen = malloc(size + 1);
    void *c = g.c;
    ck_assert(w && want && seen);
    want_reference(type, &g, c_size);
    fill(type, want, size, false);
    memcpy(w, want, size * size_of(type));
    struct update u = {type, s.m, s.n, want, memset(seen, 0, size + 1), 0.01171875, NULL, 0};
    for (size_t i = 0; i < s.m && s.n; i++)
        subtract(&u, i, 0, 1, s.n, (char *)region[WANT] + i * g.c_row * size_of(type), 0);
    for (int l = 0; (level = wa_simd_level(l)); l++) {
        if (!wa_simd_usable(level)) continue;
        void *trial = malloc(size * size_of(type) + 1);
        memcpy(trial, w, size * size_of(type));
        memset(seen, 0, size + 1);
        memcpy(c, region[FIRST], c_size * size_of(type));
        u = (struct update){type, s.m, s.n, trial, seen, 0.01171875, in_c ? c : NULL, g.c_row};
        g.c = in_c ? c : NULL, g.epilogue = subtract, g.context = &u;
        level->gemm[type](&g, scratch_for(level, type, &g));
        each_once(seen, size);
        unify(type, trial, size), unify(type, want, size);
        ck_assert_mem_eq(trial, want, size * size_of(type));
        ck_assert_mem_eq(c, in_c ? region[WANT] : region[FIRST], c_size * size_of(type));
        free(trial);
    }
    free(w), free(want), free(seen);
}

START_TEST(epilogues)
{
    static const size_t sizes[][3] = {{64, 64, 64},    {1, 300, 40}, {300, 1, 40},   {17, 33, 65},
                                      {5, 3, 0},       {0, 4, 4},    {100, 600, 20}, {470, 40, 830},
                                      {30, 270, 1200}, {1, 5000, 3}, {5000, 1, 3},   {300, 7, 30},
                                      {64, 700, 128},  {3, 900, 100}};
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (int form = 0; form < 8; form++) {
                struct shape s = with_chance(sizes[i][0], sizes[i][1], sizes[i][2]);
                s.a_across = form & 1, s.b_across = form & 2, s.special = false;
                check_update(type, s, form & 4);
            }
}
END_TEST

/* -- batches ------------------------------------------------------------------------------------- */

START_TEST(batches)
{
    enum { COUNT = 5 };
    for (int type = 0; type < WA_REALS; type++)
        for (int i = 0; i < 60; i++) {
            struct shape s = with_chance(below(30), below(30), below(30)), all = s;
            all.a_across = all.b_across = false, all.at_end = false;
            all.m *= COUNT, all.n *= COUNT, all.k *= COUNT; /* memory enough for all */
            struct wa_gemm g, one;
            prepare(type, &all, &g);
            prepare(type, &(struct shape){COUNT * s.m, s.n, 0, .c_gap = s.c_gap, .alpha = 1}, &one);
            const size_t c_size = footprint(COUNT * s.m, s.n, s.n + s.c_gap);
            one = (struct wa_gemm){.m = s.m,
                                   .n = s.n,
                                   .k = s.k,
                                   .a = g.a,
                                   .b = g.b,
                                   .c = g.c,
                                   .a_row = s.a_across ? 1 : s.k,
                                   .a_column = s.a_across ? s.m : 1,
                                   .b_row = s.b_across ? 1 : s.n,
                                   .b_column = s.b_across ? s.k : 1,
                                   .c_row = s.n + s.c_gap,
                                   .alpha = s.alpha,
                                   .beta = s.beta,
                                   .batch = COUNT,
                                   .a_batch = s.m * s.k,
                                   .b_batch = i % 3 ? s.k * s.n : 0,
                                   .c_batch = s.m * (s.n + s.c_gap)};
            memcpy(region[WANT], region[FIRST], c_size * size_of(type));
            for (size_t q = 0; q < COUNT; q++) {
                struct wa_gemm part = one;
                part.a = (const char *)one.a + q * one.a_batch * size_of(type);
                part.b = (const char *)one.b + q * one.b_batch * size_of(type);
                part.c = region[WANT] + q * one.c_batch * size_of(type);
                reference(type, &part);
            }
            check_levels(type, &one, c_size);
        }
}
END_TEST

/* -- shared between threads ---------------------------------------------------------------------- */

/* The parts of a product, in any number, make its result, each with the scratch memory of the whole. */
static void check_parts(int type, struct wa_gemm *g, size_t c_size, size_t parts)
{
    const struct wa_simd *level = wa_simd_find(NULL, &(const char *){NULL});
    ck_assert_ptr_nonnull(level);
    const size_t bytes = level->gemm_scratch[type](g);
    memcpy(g->c, region[FIRST], c_size * size_of(type));
    for (size_t i = parts; i-- > 0;) {
        struct wa_gemm part;
        wa_gemm_part(g, type, parts, i, &part);
        ck_assert_uint_le(level->gemm_scratch[type](&part), bytes);
        level->gemm[type](&part, scratch_for(level, type, g));
    }
    unify(type, g->c, c_size), unify(type, region[WANT], c_size);
    ck_assert_mem_eq(g->c, region[WANT], c_size * size_of(type));
}

START_TEST(parts_make_the_whole)
{
    for (int type = 0; type < WA_REALS; type++)
        for (int i = 0; i < 300; i++) {
            struct shape s = with_chance(below(150), below(300), below(40));
            struct wa_gemm g;
            const size_t c_size = prepare(type, &s, &g), size = s.m * s.n;
            int32_t *index = place(INDEX, s.m * sizeof(int32_t), s.at_end);
            for (size_t r = 0; r < s.m; r++) index[r] = (int32_t)below(s.m);
            if (!s.a_across && i % 3 == 0) g.a_rows = index;
            unsigned char *seen = calloc(size + 1, 1);
            void *w = calloc(size + 1, size_of(type));
            struct update u = {type, s.m, s.n, w, seen, 1, g.c, g.c_row};
            g.epilogue = subtract, g.context = &u;
            want_reference(type, &g, c_size);
            check_parts(type, &g, c_size, 1 + below(9));
            each_once(seen, size);
            free(seen), free(w);
            ck_assert_uint_ge(wa_gemm_parts(&g, 4), 1);
            ck_assert_uint_le(wa_gemm_parts(&g, 4), 4);
        }
}
END_TEST

START_TEST(parts_of_a_batch_make_the_whole)
{
    for (size_t products = 2; products < 20; products++)
        for (size_t parts = 1; parts < 6; parts++) {
            const struct shape s = {5 * products, 7, 6,
                                    .alpha = 1}; /* the products lie below one another */
            struct wa_gemm g;
            const size_t c_size = prepare(WA_F32, &s, &g);
            unsigned char *seen = calloc(c_size, 1);
            float *w = calloc(c_size, sizeof *w);
            struct update u = {WA_F32, s.m, s.n, w, seen, 1, g.c, g.c_row};
            want_reference(WA_F32, &g, c_size);
            g.m = 5, g.batch = products, g.a_batch = 5 * g.a_row, g.c_batch = 5 * g.c_row;
            g.epilogue = subtract, g.context = &u;
            check_parts(WA_F32, &g, c_size, parts);
            each_once(seen, c_size);
            free(seen), free(w);
        }
}
END_TEST

/* -- asking memory ------------------------------------------------------------------------------- */

/* Whatever the form of a product, it asks for all lines, of rows that nobody could read, and makes the
 * same. */
START_TEST(lines_ahead)
{
    static const int32_t index[] = {5, -7, INT32_MAX, 0};
    const struct wa_simd *level;
    for (int type = 0; type < WA_REALS; type++)
        for (int i = 0; i < 60; i++) {
            struct shape s = with_chance(below(90), below(150), i % 5 ? below(90) : 1000);
            struct wa_gemm g;
            const size_t c_size = prepare(type, &s, &g);
            want_reference(type, &g, c_size);
            for (int l = 0; (level = wa_simd_level(l)); l++) {
                if (!wa_simd_usable(level)) continue;
                const size_t left = below(50);
                struct wa_lines lines = {
                    .index = i % 2 ? index : NULL, .stride = 784, .rows = 4, .row = 2, .left = left};
                g.ahead = &lines;
                memcpy(g.c, region[FIRST], c_size * size_of(type));
                level->gemm[type](&g, scratch_for(level, type, &g));
                if (lines.left || lines.line * 4 + lines.row != left + 2)
                    ck_abort_msg("%s: %zu lines are left", level->name, lines.left);
                lines.left = left;
                check_levels(type, &g, c_size);
            }
        }
}
END_TEST

/* wa_ask goes on where it ended, and asks for the first lines of all rows at once. */
START_TEST(asking)
{
    struct wa_lines lines = {.stride = 784, .rows = 5, .left = 12};
    wa_ask(&lines, 1);
    ck_assert(lines.line == 1 && lines.row == 0 && lines.left == 7);
    wa_ask(&lines, 3);
    ck_assert(lines.line == 1 && lines.row == 3 && lines.left == 4);
    wa_ask(&lines, 9);
    ck_assert(lines.line == 2 && lines.row == 2 && lines.left == 0);
}
END_TEST

/* -- scratch memory ------------------------------------------------------------------------------ */

START_TEST(smaller_shapes_need_no_more_scratch)
{
    const struct wa_simd *level;
    double x = 0;
    for (int l = 0; (level = wa_simd_level(l)); l++)
        for (int type = 0; type < WA_REALS; type++)
            for (int i = 0; i < 20000; i++) {
                struct wa_gemm large = {.m = below(i % 2 ? 2000 : 20),
                                        .n = below(i % 3 ? 2000 : 50),
                                        .k = below(i % 5 ? 2000 : 40),
                                        .c = i % 7 ? &x : NULL,
                                        .alpha = 1,
                                        .beta = (i % 7 && i % 11 == 0),
                                        .a_u8 = i % 13 == 0};
                large.a_row = i % 17 < 8 ? 1 : 3000, large.a_column = i % 17 < 8 ? 3000 : 1;
                const size_t b_line = i % 23 < 8 ? 3072 : 3000; /* rows that fight, or not */
                large.b_row = i % 19 < 8 ? 1 : b_line, large.b_column = i % 19 < 8 ? b_line : 1;
                struct wa_gemm small = large;
                small.m = below(large.m + 1), small.n = below(large.n + 1),
                small.k = below(large.k + 1);
                if (level->gemm_scratch[type](&small) > level->gemm_scratch[type](&large))
                    ck_abort_msg("%s: %zu x %zu x %zu needs more than %zu x %zu x %zu", level->name,
                                 small.m, small.n, small.k, large.m, large.n, large.k);
            }
}
END_TEST

int main(void)
{
    return run_all("gemm_hooks", (const TTest *const[]){
                                     prologues, prologues_of_few_rows, packed_rows_are_kept, epilogues,
                                     batches, parts_make_the_whole, parts_of_a_batch_make_the_whole,
                                     lines_ahead, asking, smaller_shapes_need_no_more_scratch, NULL});
}
