/* test_gemm.c: the matrix product of every level gives the bits of a plain chain of fused
 * multiply-adds, for every shape, orientation and hook, and touches nothing outside its operands. */
#define _DEFAULT_SOURCE /* for MAP_ANONYMOUS */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "simd/simd.h"

/* -- operands between guard pages ---------------------------------------------------------------- */

enum { A, B, C, WANT, FIRST, SCRATCH, INDEX, REGIONS, REGION_BYTES = 1 << 23 };

static unsigned char *region[REGIONS];
static long *count; /* products checked of each type, in memory that the tests' processes share */

static void setup(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    count = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(count != MAP_FAILED);
    for (int i = 0; i < REGIONS; i++) {
        unsigned char *p =
            mmap(NULL, REGION_BYTES + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ck_assert(p != MAP_FAILED);
        region[i] = p + page;
        ck_assert_int_eq(mprotect(region[i], REGION_BYTES, PROT_READ | PROT_WRITE), 0);
    }
}

/* That many bytes right behind the guard page before the region, or right before the one after it. */
static void *place(int i, size_t bytes, bool at_end)
{
    if (bytes > REGION_BYTES) ck_abort_msg("no room for %zu bytes", bytes);
    return at_end ? region[i] + REGION_BYTES - bytes : region[i];
}

/* -- elements of both types ---------------------------------------------------------------------- */

static uint64_t state = 1;

static uint64_t bits64(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    const uint64_t x = state ^ (state >> 29);
    return x * 0x9e3779b97f4a7c15u ^ x >> 31;
}

static size_t below(size_t n) { return (size_t)(bits64() >> 20) % n; }

static size_t size_of(int type) { return type == WA_F32 ? 4 : 8; }

static double get(int type, const void *x, size_t i)
{
    return type == WA_F32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

static void set(int type, void *x, size_t i, double value)
{
    if (type == WA_F32)
        ((float *)x)[i] = (float)value;
    else
        ((double *)x)[i] = value;
}

static double mul(int type, double x, double y)
{
    return type == WA_F32 ? (double)((float)x * (float)y) : x * y;
}
static double add(int type, double x, double y)
{
    return type == WA_F32 ? (double)((float)x + (float)y) : x + y;
}
static double fma_of(int type, double x, double y, double z)
{
    return type == WA_F32 ? (double)fmaf((float)x, (float)y, (float)z) : fma(x, y, z);
}

static void fill(int type, void *x, size_t n, bool special)
{
    static const double odd[] = {0.0, -0.0,     INFINITY,  -INFINITY, NAN,     1,
                                 -1,  0x1p-149, -0x1p-140, 0x1p-126,  0x1p127, -0x1p127};
    for (size_t i = 0; i < n; i++) {
        const bool pick = special && below(3) == 0;
        set(type, x, i,
            pick ? odd[below(sizeof odd / sizeof *odd)] : (double)(int64_t)bits64() * 0x1p-62);
    }
}

/* One NaN for all: which of them an op gives is outside the contract. */
static void unify(int type, void *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(get(type, x, i))) set(type, x, i, (double)NAN);
}

/* -- the reference ------------------------------------------------------------------------------- */

static double left(int type, const struct wa_gemm *g, size_t i, size_t p)
{
    const size_t row = g->a_rows ? (size_t)g->a_rows[i] : i,
                 column = g->a_columns ? (size_t)g->a_columns[p] : p;
    const size_t at = row * g->a_row + column * g->a_column;
    const double x = g->a_u8 ? (double)((const uint8_t *)g->a)[at] : get(type, g->a, at);
    return g->a_scale != 0 ? mul(type, g->a_scale, x) : x;
}

/* The product by the rule that simd.h states, one element at a time. */
static void reference(int type, const struct wa_gemm *g)
{
    for (size_t i = 0; i < g->m; i++)
        for (size_t j = 0; j < g->n; j++) {
            double y = 0;
            for (size_t p = 0; p < g->k; p++)
                y = fma_of(type, left(type, g, i, p), get(type, g->b, p * g->b_row + j * g->b_column),
                           y);
            if (g->alpha != 1) y = mul(type, g->alpha, y);
            if (g->beta != 0) y = add(type, y, mul(type, g->beta, get(type, g->c, i * g->c_row + j)));
            set(type, g->c, i * g->c_row + j, y);
        }
}

/* -- one product at every level ------------------------------------------------------------------ */

/* What of a shape a test chooses; the rest comes from chance. */
struct shape {
    size_t m, n, k;
    bool a_across, b_across;    /* stored transposed */
    size_t a_gap, b_gap, c_gap; /* elements between rows */
    double alpha, beta;
    bool special, at_end;
};

static size_t footprint(size_t lines, size_t length, size_t stride)
{
    return lines && length ? (lines - 1) * stride + length : 0;
}

/* The operands of a shape in their places, filled; c in FIRST as it begins. Returns c's elements. */
static size_t prepare(int type, const struct shape *s, struct wa_gemm *g)
{
    const size_t a_lines = s->a_across ? s->k : s->m, a_length = s->a_across ? s->m : s->k;
    const size_t b_lines = s->b_across ? s->n : s->k, b_length = s->b_across ? s->k : s->n;
    const size_t a_line = a_length + s->a_gap, b_line = b_length + s->b_gap, c_row = s->n + s->c_gap;
    const size_t a_size = footprint(a_lines, a_length, a_line),
                 b_size = footprint(b_lines, b_length, b_line);
    const size_t c_size = footprint(s->m, s->n, c_row);
    void *a = place(A, a_size * size_of(type), s->at_end),
         *b = place(B, b_size * size_of(type), s->at_end);
    fill(type, a, a_size, s->special);
    fill(type, b, b_size, s->special);
    fill(type, region[FIRST], c_size, s->special);
    *g = (struct wa_gemm){.m = s->m,
                          .n = s->n,
                          .k = s->k,
                          .a = a,
                          .b = b,
                          .a_row = s->a_across ? 1 : a_line,
                          .a_column = s->a_across ? a_line : 1,
                          .b_row = s->b_across ? 1 : b_line,
                          .b_column = s->b_across ? b_line : 1,
                          .c = place(C, c_size * size_of(type), s->at_end),
                          .c_row = c_row,
                          .alpha = s->alpha,
                          .beta = s->beta};
    return c_size;
}

/* Exactly the scratch memory that a level asks for, with nothing useful in it. */
static void *scratch_for(const struct wa_simd *level, int type, const struct wa_gemm *g)
{
    const size_t bytes = (level->gemm_scratch[type](g) + 63) / 64 * 64;
    void *scratch = place(SCRATCH, bytes, true);
    memset(scratch, 0xff, bytes);
    return scratch;
}

/* Every level gives, from c in FIRST, what is in WANT. */
static void check_levels(int type, const struct wa_gemm *g, size_t c_size)
{
    const struct wa_simd *level;
    void *want = region[WANT];
    unify(type, want, c_size);
    for (int l = 0; (level = wa_simd_level(l)); l++) {
        if (!wa_simd_usable(level)) continue;
        memcpy(g->c, region[FIRST], c_size * size_of(type));
        level->gemm[type](g, scratch_for(level, type, g));
        unify(type, g->c, c_size);
        if (memcmp(g->c, want, c_size * size_of(type)))
            ck_abort_msg("%s, %zu bytes: %zu x %zu x %zu, strides %zu %zu, %zu %zu, alpha %g beta %g",
                         level->name, size_of(type), g->m, g->n, g->k, g->a_row, g->a_column, g->b_row,
                         g->b_column, g->alpha, g->beta);
        count[type]++;
    }
}

static void want_reference(int type, const struct wa_gemm *g, size_t c_size)
{
    struct wa_gemm plain = *g;
    plain.c = region[WANT];
    memcpy(region[WANT], region[FIRST], c_size * size_of(type));
    reference(type, &plain);
}

static void check_shape(int type, const struct shape *s)
{
    struct wa_gemm g;
    const size_t c_size = prepare(type, s, &g);
    want_reference(type, &g, c_size);
    check_levels(type, &g, c_size);
}

/* -- tests --------------------------------------------------------------------------------------- */

static const double scales[][2] = {{1, 0},     {1, 1}, {-0.01171875, 1}, {0.5, 0}, {-1, 0},
                                   {1, -0.75}, {0, 2}};
enum { SCALES = sizeof scales / sizeof *scales };

static struct shape with_chance(size_t m, size_t n, size_t k)
{
    const size_t scale = below(2) ? below(SCALES) : 0;
    return (struct shape){m,
                          n,
                          k,
                          .a_across = below(2),
                          .b_across = below(2),
                          .a_gap = below(4),
                          .b_gap = below(4),
                          .c_gap = below(3),
                          .alpha = scales[scale][0],
                          .beta = scales[scale][1],
                          .special = below(8) == 0,
                          .at_end = below(2)};
}

/* Under an emulator a quarter of the storage forms is enough: each size gets one of the four. */
static bool left_out(size_t size, int form) { return getenv("WASHI_LEAN") && size % 4 != (size_t)form; }

START_TEST(every_small_size)
{
    for (int type = 0; type < WA_REALS; type++)
        for (size_t m = 0; m <= 40; m++)
            for (size_t n = 0; n <= 40; n++)
                for (int form = 0; form < 4; form++) {
                    if (left_out(m + n, form)) continue;
                    struct shape s = with_chance(m, n, below(4) ? 1 + below(40) : below(2));
                    s.a_across = form & 1, s.b_across = form & 2;
                    check_shape(type, &s);
                }
}
END_TEST

START_TEST(odd_large_sizes)
{
    static const size_t sizes[][3] = {
        {17, 33, 65},   {64, 10, 64},  {64, 64, 10},   {64, 64, 129},  {1, 1031, 263}, {1031, 1, 263},
        {1, 67, 1103},  {67, 1, 1103}, {129, 257, 67}, {71, 300, 821}, {61, 37, 1201}, {467, 43, 823},
        {131, 523, 31}, {2, 611, 97},  {3, 40, 1031},  {1, 5003, 7},   {5003, 1, 7},   {601, 7, 29}};
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (int form = 0; form < 4; form++) {
                if (left_out(i, form)) continue;
                struct shape s = with_chance(sizes[i][0], sizes[i][1], sizes[i][2]);
                s.a_across = form & 1, s.b_across = form & 2;
                check_shape(type, &s);
            }
}
END_TEST

/* Few columns, which the lanes of vectors run down if a is stored across. */
START_TEST(narrow_sizes)
{
    for (int type = 0; type < WA_REALS; type++)
        for (size_t n = 1; n <= 17; n++)
            for (int form = 0; form < 4; form++) {
                if (left_out(n, form)) continue;
                struct shape s = with_chance(2 + below(500), n, below(4) ? below(100) : 1700);
                s.a_across = form & 1, s.b_across = form & 2;
                check_shape(type, &s);
            }
}
END_TEST

/* A b much larger than a, which is packed a few panels at a time. */
START_TEST(wide_sizes)
{
    static const size_t sizes[][3] = {
        {43, 1601, 83}, {64, 2051, 129}, {45, 180, 1607}, {50, 137, 1000}};
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (int form = 0; form < 4; form++) {
                if (left_out(i, form)) continue;
                struct shape s = with_chance(sizes[i][0], sizes[i][1], sizes[i][2]);
                s.a_across = form & 1, s.b_across = form & 2;
                check_shape(type, &s);
            }
}
END_TEST

START_TEST(alpha_and_beta)
{
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 0; i < SCALES; i++)
            for (size_t k = 0; k <= 1100; k = k * 3 + 11) {
                struct shape s = with_chance(k > 1000 ? 470 : 29, 35, k);
                s.alpha = scales[i][0], s.beta = scales[i][1];
                check_shape(type, &s);
            }
}
END_TEST

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
                                      {64, 700, 128}};
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
                large.b_row = i % 19 < 8 ? 1 : 3000, large.b_column = i % 19 < 8 ? 3000 : 1;
                struct wa_gemm small = large;
                small.m = below(large.m + 1), small.n = below(large.n + 1),
                small.k = below(large.k + 1);
                if (level->gemm_scratch[type](&small) > level->gemm_scratch[type](&large))
                    ck_abort_msg("%s: %zu x %zu x %zu needs more than %zu x %zu x %zu", level->name,
                                 small.m, small.n, small.k, large.m, large.n, large.k);
            }
}
END_TEST

START_TEST(print_count)
{
    printf("gemm: %ld float and %ld double products equal to the reference\n", count[WA_F32],
           count[WA_F64]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gemm");
    TCase *tests = tcase_create("gemm");
    tcase_add_unchecked_fixture(tests, setup, NULL);
    tcase_set_timeout(tests, 600);
    tcase_add_test(tests, every_small_size);
    tcase_add_test(tests, odd_large_sizes);
    tcase_add_test(tests, narrow_sizes);
    tcase_add_test(tests, wide_sizes);
    tcase_add_test(tests, alpha_and_beta);
    tcase_add_test(tests, prologues);
    tcase_add_test(tests, epilogues);
    tcase_add_test(tests, batches);
    tcase_add_test(tests, parts_make_the_whole);
    tcase_add_test(tests, parts_of_a_batch_make_the_whole);
    tcase_add_test(tests, smaller_shapes_need_no_more_scratch);
    tcase_add_test(tests, print_count);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
