/* test_simd_floats.c: the functions of one operand over the floats: all 2^32 with WASHI_LONG, else a
 * sample. Every level gives the scalar level's bits, and exp and tanh those of SLEEF.
 * usage: [WASHI_LONG=1] test_simd_floats [function]     a function alone; all of them take hours */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "simd/simd.h"
#include "suite.h"

/* sleef.h shows its purecfma functions only where it believes in a fast fma. */
#ifndef FP_FAST_FMAF
#define FP_FAST_FMAF 1
#endif
#ifndef FP_FAST_FMA
#define FP_FAST_FMA 1
#endif
#include <sleef.h>

enum { BLOCK = 4096 };
static const char *only; /* the function to test, NULL for all */

/* Odd, so that the sample holds all exponents, and the lowest digits vary. */
static uint64_t stride(void) { return getenv("WASHI_LONG") ? 1 : getenv("WASHI_LEAN") ? 65537 : 4099; }

/* The floats number first, first + 1, ... of the sample; how many. NaN is one: which of them a function
 * gives is outside the contract. */
static size_t floats(uint64_t first, float *x)
{
    size_t n = 0;
    for (; n < BLOCK && (first + n) * stride() < UINT64_C(1) << 32; n++) {
        const uint32_t bits = (uint32_t)((first + n) * stride());
        memcpy(x + n, &bits, 4);
    }
    return n;
}
static void unify(size_t n, float *x)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(x[i])) x[i] = NAN;
}

static void compare(const char *level, enum wa_map map, size_t n, const float *x, const float *got,
                    const float *wanted)
{
    if (memcmp(got, wanted, n * sizeof(float)) == 0) return;
    size_t i = 0;
    while (memcmp(got + i, wanted + i, sizeof(float)) == 0) i++;
    ck_abort_msg("%s %s(%a) is %a, not %a", level, wa_map_name(map), (double)x[i], (double)got[i],
                 (double)wanted[i]);
}

START_TEST(levels_agree)
{
    const enum wa_map map = (enum wa_map)_i;
    static float x[BLOCK], y[BLOCK], wanted[BLOCK];
    if (wa_map_arity(map) != 1 || (only && strcmp(only, wa_map_name(map)))) return;
    uint64_t count = 0;
    for (size_t n; (n = floats(count, x)) > 0; count += n) {
        wa_simd_level(0)->map[map][WA_F32](n, wanted, (const void *const[]){x});
        unify(n, wanted);
        for (int level = 1; wa_simd_level(level); level++) {
            const struct wa_simd *s = wa_simd_level(level);
            if (!wa_simd_usable(s)) continue;
            s->map[map][WA_F32](n, y, (const void *const[]){x});
            unify(n, y);
            compare(s->name, map, n, x, y, wanted);
        }
    }
    ck_assert_uint_eq(count, ((UINT64_C(1) << 32) + stride() - 1) / stride());
    printf("%-10s %llu floats at every level\n", wa_map_name(map), (unsigned long long)count);
}
END_TEST

/* Some versions of sleef.h declare the results const. */
static float sleef_exp(float x) { return Sleef_finz_expf1_u10purecfma(x); }
static float sleef_tanh(float x) { return Sleef_finz_tanhf1_u35purecfma(x); }

static const struct {
    enum wa_map map;
    float (*sleef)(float);
} own[] = {{WA_MAP_exp, sleef_exp}, {WA_MAP_tanh, sleef_tanh}};

START_TEST(inlined_is_sleefs)
{
    const enum wa_map map = own[_i].map;
    static float x[BLOCK], y[BLOCK], wanted[BLOCK];
    if (only && strcmp(only, wa_map_name(map))) return;
    uint64_t count = 0;
    for (size_t n; (n = floats(count, x)) > 0; count += n) {
        for (size_t i = 0; i < n; i++) wanted[i] = own[_i].sleef(x[i]);
        wa_simd_level(0)->map[map][WA_F32](n, y, (const void *const[]){x});
        unify(n, wanted);
        unify(n, y);
        compare("scalar", map, n, x, y, wanted);
    }
    printf("%-10s %llu floats as SLEEF has them\n", wa_map_name(map), (unsigned long long)count);
}
END_TEST

int main(int argc, char **argv)
{
    if (!wa_simd_usable(wa_simd_level(0))) return 77;
    if (argc > 1) only = argv[1];
    TCase *c = tcase_create("floats");
    tcase_set_timeout(c, 0);
    tcase_add_loop_test(c, levels_agree, 0, WA_MAP_COUNT);
    tcase_add_loop_test(c, inlined_is_sleefs, 0, sizeof own / sizeof *own);
    return RUN_SUITE("simd_floats", c);
}
