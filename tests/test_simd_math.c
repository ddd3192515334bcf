/* test_simd_math.c: the functions of analysis at the scalar level, which all others equal, against long
 * double: errors in ULP, which it prints, and infinities, NaN and zeros. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "test_scalar.h"

/* -- functions, in ULP ---------------------------------------------------------------------------- */

static long double sigmoid(long double x) { return 1 / (1 + expl(-x)); }
static long double softplus(long double x) { return x > 100 ? x : log1pl(expl(x)); }

/* The functions of one operand, where they are measured, and the errors allowed in ULP: SLEEF's bound
 * for the variant in vec_math.h, and for those built on them a little more. */
static const struct function {
    enum wa_map map;
    const char *name;
    long double (*exact)(long double);
    double low, high;
    double bound[WA_REALS];
} functions[] = {
    {WA_MAP_exp, "exp", expl, -80, 80, {1.0, 1.0}},
    {WA_MAP_exp, "exp, results that are denormal", expl, -103, -88, {1.0, 1.0}},
    {WA_MAP_exp2, "exp2", exp2l, -120, 120, {1.0, 1.0}},
    {WA_MAP_expm1, "expm1", expm1l, -20, 80, {1.0, 1.0}},
    {WA_MAP_expm1, "expm1 about 0", expm1l, -0.01, 0.01, {1.0, 1.0}},
    {WA_MAP_log, "log", logl, 1e-30, 100, {3.5, 3.5}},
    {WA_MAP_log, "log about 1", logl, 0.5, 2, {3.5, 3.5}},
    {WA_MAP_log2, "log2", log2l, 1e-30, 100, {3.5, 3.5}},
    {WA_MAP_log2, "log2 about 1", log2l, 0.5, 2, {3.5, 3.5}},
    {WA_MAP_log10, "log10", log10l, 1e-30, 100, {1.0, 1.0}},
    {WA_MAP_log10, "log10 about 1", log10l, 0.5, 2, {1.0, 1.0}},
    {WA_MAP_log1p, "log1p", log1pl, -0.9, 100, {1.0, 1.0}},
    {WA_MAP_log1p, "log1p about 0", log1pl, -0.01, 0.01, {1.0, 1.0}},
    {WA_MAP_log1p, "log1p, far out", log1pl, 1e38, 3e38, {3.5, 3.5}},
    {WA_MAP_cbrt, "cbrt", cbrtl, -100, 100, {3.5, 3.5}},
    {WA_MAP_sin, "sin", sinl, -10, 10, {3.5, 3.5}},
    {WA_MAP_sin, "sin, far out", sinl, -1e9, 1e9, {3.5, 3.5}},
    {WA_MAP_cos, "cos", cosl, -10, 10, {3.5, 3.5}},
    {WA_MAP_cos, "cos, far out", cosl, -1e9, 1e9, {3.5, 3.5}},
    {WA_MAP_tan, "tan", tanl, -10, 10, {3.5, 3.5}},
    {WA_MAP_asin, "asin", asinl, -1, 1, {3.5, 3.5}},
    {WA_MAP_acos, "acos", acosl, -1, 1, {3.5, 3.5}},
    {WA_MAP_atan, "atan", atanl, -10, 10, {3.5, 3.5}},
    {WA_MAP_sinh, "sinh", sinhl, -80, 80, {3.5, 3.5}},
    {WA_MAP_sinh, "sinh about 0", sinhl, -0.01, 0.01, {3.5, 3.5}},
    {WA_MAP_cosh, "cosh", coshl, -80, 80, {3.5, 3.5}},
    {WA_MAP_tanh, "tanh", tanhl, -10, 10, {3.5, 3.5}},
    {WA_MAP_tanh, "tanh about 0", tanhl, -0.01, 0.01, {3.5, 3.5}},
    {WA_MAP_asinh, "asinh", asinhl, -10, 10, {1.0, 1.0}},
    {WA_MAP_asinh, "asinh, far out", asinhl, -1e30, 1e30, {4.0, 4.0}},
    {WA_MAP_acosh, "acosh", acoshl, 1, 10, {1.0, 1.0}},
    {WA_MAP_acosh, "acosh, far out", acoshl, 1e3, 1e30, {4.0, 4.0}},
    {WA_MAP_atanh, "atanh", atanhl, -1, 1, {1.0, 1.0}},
    {WA_MAP_erf, "erf", erfl, -5, 5, {1.0, 1.0}},
    {WA_MAP_erfc, "erfc", erfcl, -5, 9, {1.5, 1.5}},
    {WA_MAP_lgamma, "lgamma", lgammal, 3, 60, {1.0, 1.0}},
    {WA_MAP_lgamma, "lgamma about its zeros", lgammal, 0.5, 3, {1.0, 1.0}},
    {WA_MAP_sigmoid, "sigmoid", sigmoid, -80, 80, {2.5, 2.5}},
    {WA_MAP_softplus, "softplus", softplus, -80, 80, {2.5, 2.5}},
    {WA_MAP_sqrt, "sqrt", sqrtl, 0, 100, {0.5, 0.5}},
};
enum { FUNCTIONS = sizeof functions / sizeof functions[0], POINTS = 1 << 18 };

/* The distance in units of the last place of the exact value. */
static double ulps(long double got, long double exact, int digits, int lowest)
{
    int exponent;
    frexpl(exact, &exponent);
    if (exponent < lowest) exponent = lowest;
    return (double)(fabsl(got - exact) / ldexpl(1, exponent - digits));
}

/* Fewer under an emulator. */
static size_t points(void) { return getenv("WASHI_LEAN") ? POINTS / 16 : POINTS; }

/* Whether this machine computes long double with more digits than double. An emulator may not, and then
 * libm's long double, made for more, is no reference for doubles and special values. */
static bool long_double_is_longer(void)
{
    volatile long double x = 1;
    x += 0x1p-60L;
    return x > 1;
}

START_TEST(accuracy)
{
    static float x32[POINTS], y32[POINTS];
    static double x64[POINTS], y64[POINTS];
    const struct function *f = &functions[_i];
    const size_t count = points();
    for (size_t i = 0; i < count; i++) {
        x64[i] = f->low + (f->high - f->low) * (plain() + 8) / 16;
        x32[i] = (float)x64[i];
    }
    simd->map[f->map][WA_F32](count, y32, (const void *const[]){x32});
    simd->map[f->map][WA_F64](count, y64, (const void *const[]){x64});
    double worst[WA_REALS] = {0};
    for (size_t i = 0; i < count; i++) {
        worst[0] = fmax(worst[0], ulps(y32[i], f->exact(x32[i]), 24, -125));
        if (long_double_is_longer())
            worst[1] = fmax(worst[1], ulps(y64[i], f->exact(x64[i]), 53, -1021));
    }
    printf("%-32s %8g ... %-6g f32 %.3f ULP   f64 %.3f ULP\n", f->name, f->low, f->high, worst[0],
           worst[1]);
    ck_assert_double_le(worst[0], f->bound[0]);
    ck_assert_double_le(worst[1], f->bound[1] + 0.01); /* long double itself errs by 2^-11 of that */
    ck_assert_double_gt(worst[0], 0.3);                /* an error of 0 would be a test of nothing */
}
END_TEST

/* Infinities, NaN, and zeros with their signs as libm has them; the rest near, or two of the type's
 * smallest numbers away. */
static bool alike(double y, double want, double near, double smallest)
{
    if (isnan(want)) return isnan(y);
    if (isinf(want)) return y == want;
    if (want == 0) return y == 0 && !signbit(y) == !signbit(want);
    return fabs(y - want) <= fmax(near * fabs(want), 2 * smallest);
}

static const double specials[] = {INFINITY, -INFINITY, NAN,  0.0,   -0.0,   1,
                                  -1,       2,         -2,   0.5,   -0.5,   -3,
                                  1e300,    -1e300,    1e30, -1e30, 1e-310, 0x1p-140};
enum { SPECIALS = sizeof specials / sizeof *specials };

START_TEST(special_values)
{
    const struct function *f = &functions[_i];
    for (int i = 0; i < SPECIALS; i++) {
        const double x64 = specials[i];
        const float x32 = (float)x64;
        double y64;
        float y32;
        simd->map[f->map][WA_F64](1, &y64, (const void *const[]){&x64});
        simd->map[f->map][WA_F32](1, &y32, (const void *const[]){&x32});
        ck_assert_msg(alike(y64, (double)f->exact(x64), 4e-15, 0x1p-1074), "%s(%g) is %.17g", f->name,
                      x64, y64);
        ck_assert_msg(alike((double)y32, (double)(float)f->exact(x32), 1e-6, 0x1p-149),
                      "%s(%gf) is %.9g", f->name, (double)x32, (double)y32);
    }
}
END_TEST

static const struct pair {
    enum wa_map map;
    long double (*exact)(long double, long double);
    double low, high, bound; /* in ULP */
} pairs[] = {
    {WA_MAP_pow, powl, 0.01, 10, 1.0},        {WA_MAP_pow, powl, -3, 3, 1.0},
    {WA_MAP_atan2, atan2l, -10, 10, 3.5},     {WA_MAP_hypot, hypotl, -10, 10, 3.5},
    {WA_MAP_hypot, hypotl, -1e38, 1e38, 3.5}, {WA_MAP_fmod, fmodl, -100, 100, 0},
};
enum { PAIRS = sizeof pairs / sizeof *pairs };

START_TEST(accuracy_of_pairs)
{
    static float a32[POINTS], b32[POINTS], y32[POINTS];
    static double a64[POINTS], b64[POINTS], y64[POINTS];
    const struct pair *f = &pairs[_i];
    const size_t count = points();
    for (size_t i = 0; i < count; i++) {
        a64[i] = a32[i] = (float)(f->low + (f->high - f->low) * (plain() + 8) / 16);
        b64[i] = b32[i] = (float)(f->low + (f->high - f->low) * (plain() + 8) / 16);
    }
    simd->map[f->map][WA_F32](count, y32, (const void *const[]){a32, b32});
    simd->map[f->map][WA_F64](count, y64, (const void *const[]){a64, b64});
    double worst[WA_REALS] = {0};
    for (size_t i = 0; i < count; i++) {
        const long double want = f->exact(a64[i], b64[i]);
        if (isnan(want)) {
            ck_assert(isnan(y32[i]) && isnan(y64[i]));
            continue;
        }
        worst[0] = fmax(worst[0], ulps(y32[i], want, 24, -125));
        if (long_double_is_longer()) worst[1] = fmax(worst[1], ulps(y64[i], want, 53, -1021));
    }
    printf("%-32s %8g ... %-6g f32 %.3f ULP   f64 %.3f ULP\n", wa_map_name(f->map), f->low, f->high,
           worst[0], worst[1]);
    ck_assert_double_le(worst[0], f->bound);
    ck_assert_double_le(worst[1], f->bound + 0.01);
    ck_assert(f->bound <= 0 || worst[0] > 0.3);
}
END_TEST

START_TEST(special_pairs)
{
    const struct pair *f = &pairs[_i];
    for (int i = 0; i < SPECIALS; i++)
        for (int k = 0; k < SPECIALS; k++) {
            const double x64[] = {specials[i], specials[k]};
            const float x32[] = {(float)x64[0], (float)x64[1]};
            double y64;
            float y32;
            simd->map[f->map][WA_F64](1, &y64, (const void *const[]){&x64[0], &x64[1]});
            simd->map[f->map][WA_F32](1, &y32, (const void *const[]){&x32[0], &x32[1]});
            ck_assert_msg(alike(y64, (double)f->exact(x64[0], x64[1]), 4e-15, 0x1p-1074),
                          "%s(%g, %g) is %.17g", wa_map_name(f->map), x64[0], x64[1], y64);
            ck_assert_msg(alike((double)y32, (double)(float)f->exact(x32[0], x32[1]), 1e-6, 0x1p-149),
                          "%s(%gf, %gf) is %.9g", wa_map_name(f->map), (double)x32[0], (double)x32[1],
                          (double)y32);
        }
}
END_TEST

START_TEST(remainders_of_any_bits)
{
    for (int i = 0; i < 100000; i++) {
        double x64[2], y64;
        float x32[2], y32;
        for (int k = 0; k < 2; k++) {
            plain();
            const uint32_t word = (uint32_t)(state >> 32);
            memcpy(&x64[k], &state, sizeof state);
            memcpy(&x32[k], &word, sizeof word);
        }
        simd->map[WA_MAP_fmod][WA_F64](1, &y64, (const void *const[]){&x64[0], &x64[1]});
        simd->map[WA_MAP_fmod][WA_F32](1, &y32, (const void *const[]){&x32[0], &x32[1]});
        const double want = fmod(x64[0], x64[1]), want32 = fmod(x32[0], x32[1]);
        ck_assert_msg(y64 == want || isnan(want), "fmod(%g, %g) = %g", x64[0], x64[1], y64);
        ck_assert_msg((double)y32 == want32 || isnan(want32), "fmod(%g, %g) = %g", (double)x32[0],
                      (double)x32[1], (double)y32);
    }
}
END_TEST

int main(void)
{
    const bool longer = long_double_is_longer();
    if (!longer)
        puts("long double has no more digits than double here: errors in f64 and special values are "
             "not looked at");
    TCase *c = tcase_create("math");
    tcase_add_loop_test(c, accuracy, 0, FUNCTIONS);
    tcase_add_loop_test(c, accuracy_of_pairs, 0, PAIRS);
    if (longer) tcase_add_loop_test(c, special_values, 0, FUNCTIONS);
    if (longer) tcase_add_loop_test(c, special_pairs, 0, PAIRS);
    tcase_add_test(c, remainders_of_any_bits);
    setenv("CK_FORK", "no", 1); /* so that the table of errors is printed in order */
    return run_scalar("simd_math", c);
}
