/* test_gemm.h: the matrix product of every level beside a plain chain of fused multiply-adds: operands
 * between guard pages, the reference, and the comparison. For test_gemm.c and test_gemm_hooks.c. */
#ifndef WA_TEST_GEMM_H
#define WA_TEST_GEMM_H

#define _DEFAULT_SOURCE /* for MAP_ANONYMOUS */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "simd/simd.h"
#include "suite.h"

/* -- operands between guard pages ---------------------------------------------------------------- */

enum { A, B, C, WANT, FIRST, SCRATCH, INDEX, KEPT, PACKED, REGIONS, REGION_BYTES = 1 << 23 };

static unsigned char *region[REGIONS];
static long *count; /* products checked of each type, in memory that the tests' processes share */

static inline void setup(void)
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
static inline void *place(int i, size_t bytes, bool at_end)
{
    if (bytes > REGION_BYTES) ck_abort_msg("no room for %zu bytes", bytes);
    return at_end ? region[i] + REGION_BYTES - bytes : region[i];
}

/* -- elements of both types ---------------------------------------------------------------------- */

static uint64_t state = 1;

static inline uint64_t bits64(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    const uint64_t x = state ^ (state >> 29);
    return x * 0x9e3779b97f4a7c15u ^ x >> 31;
}

static inline size_t below(size_t n) { return (size_t)(bits64() >> 20) % n; }

static inline size_t size_of(int type) { return type == WA_F32 ? 4 : 8; }

static inline double get(int type, const void *x, size_t i)
{
    return type == WA_F32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

static inline void set(int type, void *x, size_t i, double value)
{
    if (type == WA_F32)
        ((float *)x)[i] = (float)value;
    else
        ((double *)x)[i] = value;
}

static inline double mul(int type, double x, double y)
{
    return type == WA_F32 ? (double)((float)x * (float)y) : x * y;
}
static inline double add(int type, double x, double y)
{
    return type == WA_F32 ? (double)((float)x + (float)y) : x + y;
}
static inline double fma_of(int type, double x, double y, double z)
{
    return type == WA_F32 ? (double)fmaf((float)x, (float)y, (float)z) : fma(x, y, z);
}

static inline void fill(int type, void *x, size_t n, bool special)
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
static inline void unify(int type, void *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(get(type, x, i))) set(type, x, i, (double)NAN);
}

/* -- the reference ------------------------------------------------------------------------------- */

static inline double left(int type, const struct wa_gemm *g, size_t i, size_t p)
{
    const size_t row = g->a_rows ? (size_t)g->a_rows[i] : i,
                 column = g->a_columns ? (size_t)g->a_columns[p] : p;
    const size_t at = row * g->a_row + column * g->a_column;
    const double x = g->a_u8 ? (double)((const uint8_t *)g->a)[at] : get(type, g->a, at);
    return g->a_scale != 0 ? mul(type, g->a_scale, x) : x;
}

/* The product by the rule that simd.h states, one element at a time. */
static inline void reference(int type, const struct wa_gemm *g)
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

static inline size_t footprint(size_t lines, size_t length, size_t stride)
{
    return lines && length ? (lines - 1) * stride + length : 0;
}

/* The operands of a shape in their places, filled; c in FIRST as it begins. Returns c's elements. */
static inline size_t prepare(int type, const struct shape *s, struct wa_gemm *g)
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
                          .beta = s->beta,
                          .c_shared = below(2)};
    return c_size;
}

/* Exactly the scratch memory that a level asks for, with nothing useful in it. */
static inline void *scratch_for(const struct wa_simd *level, int type, const struct wa_gemm *g)
{
    const size_t bytes = (level->gemm_scratch[type](g) + 63) / 64 * 64;
    void *scratch = place(SCRATCH, bytes, true);
    memset(scratch, 0xff, bytes);
    return scratch;
}

/* Every level gives, from c in FIRST, what is in WANT. */
static inline void check_levels(int type, const struct wa_gemm *g, size_t c_size)
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

static inline void want_reference(int type, const struct wa_gemm *g, size_t c_size)
{
    struct wa_gemm plain = *g;
    plain.c = region[WANT];
    memcpy(region[WANT], region[FIRST], c_size * size_of(type));
    reference(type, &plain);
}

static inline void check_shape(int type, const struct shape *s)
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

static inline struct shape with_chance(size_t m, size_t n, size_t k)
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
static inline bool left_out(size_t size, int form)
{
    return getenv("WASHI_LEAN") && size % 4 != (size_t)form;
}

START_TEST(print_count)
{
    printf("%ld float and %ld double products equal to the reference\n", count[WA_F32], count[WA_F64]);
}
END_TEST

static inline int run_all(const char *name, const TTest *const tests[])
{
    TCase *all = tcase_create(name);
    tcase_add_unchecked_fixture(all, setup, NULL);
    tcase_set_timeout(all, 600);
    for (size_t i = 0; tests[i]; i++) tcase_add_test(all, tests[i]);
    tcase_add_test(all, print_count);
    return RUN_SUITE(name, all);
}

#endif
