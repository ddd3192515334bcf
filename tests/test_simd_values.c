/* test_simd_values.c: the scalar level, which all others equal, computes what simd.h says: against
 * plain loops that know no vectors, and against Random123. (Functions of analysis: test_simd_math.c.)
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <Random123/philox.h>
#include "support.h"
#include "test_scalar.h"

/* -- elementwise ---------------------------------------------------------------------------------- */

static double wanted(enum wa_map map, double a, double b, double c)
{
    switch (map) {
    case WA_MAP_copy: return a;
    case WA_MAP_neg: return -a;
    case WA_MAP_abs: return fabs(a);
    case WA_MAP_sign: return (a > 0) - (a < 0);
    case WA_MAP_floor: return floor(a);
    case WA_MAP_ceil: return ceil(a);
    case WA_MAP_round: return nearbyint(a);
    case WA_MAP_trunc: return trunc(a);
    case WA_MAP_relu: return a < 0 ? 0 : a;
    case WA_MAP_add: return a + b;
    case WA_MAP_sub: return a - b;
    case WA_MAP_mul: return a * b;
    case WA_MAP_div: return a / b;
    case WA_MAP_minimum: return a < b ? a : b;
    case WA_MAP_maximum: return a > b ? a : b;
    case WA_MAP_gate: return b > 0 ? a : 0;
    case WA_MAP_equal: return a == b;
    case WA_MAP_not_equal: return a != b;
    case WA_MAP_less: return a < b;
    case WA_MAP_less_equal: return a <= b;
    case WA_MAP_greater: return a > b;
    case WA_MAP_greater_equal: return a >= b;
    case WA_MAP_logical_and: return a != 0 && b != 0;
    case WA_MAP_logical_or: return a != 0 || b != 0;
    case WA_MAP_logical_xor: return (a != 0) != (b != 0);
    case WA_MAP_where: return a != 0 ? b : c;
    default: return NAN;
    }
}

START_TEST(maps)
{
    enum { N = 500 };
    double x[3][N], y[N];
    for (int i = 0; i < N; i++)
        for (int k = 0; k < 3; k++) x[k][i] = i % 3 ? plain() : floor(plain() / 4);
    simd->map[_i][WA_F64](N, y, (const void *const[]){x[0], x[1], x[2]});
    for (int i = 0; i < N; i++) {
        const double want = wanted((enum wa_map)_i, x[0][i], x[1][i], x[2][i]);
        ck_assert_msg(isnan(want) || y[i] == want, "%s(%g, %g, %g) = %g", wa_map_name((enum wa_map)_i),
                      x[0][i], x[1][i], x[2][i], y[i]);
    }
}
END_TEST

START_TEST(choices_with_nan)
{
    const double a[] = {NAN, 1, NAN, 0, -0.0, NAN}, b[] = {1, NAN, NAN, NAN, 0, 0};
    double y[6];
    const void *const x[] = {a, b};
    simd->map[WA_MAP_minimum][WA_F64](3, y, x);
    ck_assert(isnan(y[0]) && isnan(y[1]) && isnan(y[2]));
    simd->map[WA_MAP_maximum][WA_F64](3, y, x);
    ck_assert(isnan(y[0]) && isnan(y[1]) && isnan(y[2]));
    simd->map[WA_MAP_not_equal][WA_F64](6, y, x);
    for (int i = 0; i < 6; i++) ck_assert_double_eq(y[i], i != 4);
    simd->map[WA_MAP_less_equal][WA_F64](6, y, x);
    for (int i = 0; i < 6; i++) ck_assert_double_eq(y[i], i == 4);
    simd->map[WA_MAP_logical_and][WA_F64](6, y, x);
    for (int i = 0; i < 6; i++) ck_assert_double_eq(y[i], i < 3);
    simd->map[WA_MAP_sign][WA_F64](6, y, x);
    ck_assert(isnan(y[0]) && y[1] == 1 && y[4] == 0 && !signbit(y[4]));
    simd->map[WA_MAP_relu][WA_F64](6, y, x);
    ck_assert(isnan(y[0]) && y[1] == 1 && y[4] == 0 && signbit(y[4]) && isnan(y[5]));
}
END_TEST

START_TEST(casts)
{
    const double x[] = {
        0,          -0.9,         0.9,           -1.5,          254.9, 255,    256,      2147483646.9,
        2147483647, 2147483648.0, -2147483648.0, -2147483649.0, 1e300, -1e300, INFINITY, -INFINITY,
        NAN};
    const int32_t want_i32[] = {0,          0,          0,          -1,         254,       255,
                                256,        2147483646, 2147483647, 2147483647, INT32_MIN, INT32_MIN,
                                2147483647, INT32_MIN,  2147483647, INT32_MIN,  0};
    const uint8_t want_u8[] = {0, 0, 0, 0, 254, 255, 255, 255, 255, 255, 0, 0, 255, 0, 255, 0, 0};
    enum { N = sizeof x / sizeof *x };
    int32_t i32[N];
    uint8_t u8[N];
    float f32[N];
    simd->cast[WA_I32][WA_F64](N, i32, x);
    simd->cast[WA_U8][WA_F64](N, u8, x);
    simd->cast[WA_F32][WA_F64](N, f32, x);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(i32[i], want_i32[i]);
        ck_assert_uint_eq(u8[i], want_u8[i]);
        ck_assert(f32[i] == (float)x[i] || isnan(x[i]));
    }
    const float g[] = {2147483520.0f, 2147483648.0f, -2147483648.0f, -3e9f, 255.5f, NAN, INFINITY};
    const int32_t want_g[] = {2147483520, 2147483647, INT32_MIN, INT32_MIN, 255, 0, 2147483647};
    simd->cast[WA_I32][WA_F32](7, i32, g);
    for (int i = 0; i < 7; i++) ck_assert_int_eq(i32[i], want_g[i]);
    const int32_t h[] = {-5, 0, 255, 256, INT32_MAX};
    const uint8_t want_h[] = {0, 0, 255, 255, 255};
    simd->cast[WA_U8][WA_I32](5, u8, h);
    for (int i = 0; i < 5; i++) ck_assert_uint_eq(u8[i], want_h[i]);
}
END_TEST

/* -- rows ----------------------------------------------------------------------------------------- */

START_TEST(folds)
{
    enum { MOST = 300 };
    float x[3 * MOST], y[MOST];
    for (size_t i = 0; i < 3 * MOST; i++) x[i] = (float)plain();
    for (size_t n = 0; n < MOST; n++) {
        simd->fold_last[WA_FOLD_sum][WA_F32](3, n, y, x);
        for (size_t r = 0; r < 3; r++) ck_assert_float_eq(y[r], lanes_sum(n, x + r * n));
        float max = -INFINITY, min = INFINITY;
        double squares = 0, product = 1;
        for (size_t i = 0; i < n; i++) {
            product *= (double)x[i];
            max = fmaxf(max, x[i]);
            min = fminf(min, x[i]);
            squares += (double)x[i] * (double)x[i];
        }
        simd->fold_last[WA_FOLD_max][WA_F32](1, n, y, x);
        ck_assert_float_eq(y[0], max);
        simd->fold_last[WA_FOLD_min][WA_F32](1, n, y, x);
        ck_assert_float_eq(y[0], min);
        simd->fold_last[WA_FOLD_sum_squares][WA_F32](1, n, y, x);
        ck_assert_double_eq_tol((double)y[0], squares, 1e-6 * squares + 1e-30);
        simd->dot[WA_F32](1, n, y + 1, x, x);
        ck_assert_float_eq(y[1], y[0]);
        simd->fold_last[WA_FOLD_prod][WA_F32](1, n, y, x);
        if (n <= 30) ck_assert_double_eq_tol((double)y[0], product, 1e-5 * fabs(product) + 1e-37);
        simd->fold_first[WA_FOLD_sum][WA_F32](3, n, n, false, y, x);
        for (size_t j = 0; j < n; j++) ck_assert_float_eq(y[j], (0 + x[j] + x[n + j]) + x[2 * n + j]);
        simd->fold_first[WA_FOLD_sum][WA_F32](2, n, n, true, y, x);
        for (size_t j = 0; j < n; j++)
            ck_assert_float_eq(y[j], (0 + x[j] + x[n + j]) + x[2 * n + j] + x[j] + x[n + j]);
        int32_t at[2];
        if (!n) continue;
        simd->argmax[WA_F32](1, n, at, x);
        simd->argmin[WA_F32](1, n, at + 1, x);
        ck_assert_float_eq(x[at[0]], max);
        ck_assert_float_eq(x[at[1]], min);
    }
    const float tie[] = {NAN, 1, 3, NAN, 3, 0}, nothing[] = {NAN, NAN}, low[] = {NAN, -INFINITY};
    int32_t at;
    simd->argmax[WA_F32](1, 6, &at, tie);
    ck_assert_int_eq(at, 2);
    simd->argmax[WA_F32](1, 2, &at, nothing);
    ck_assert_int_eq(at, 0);
    simd->argmax[WA_F32](1, 2, &at, low);
    ck_assert_int_eq(at, 1);
}
END_TEST

/* Wherever it is, in a row and in a column. */
START_TEST(folds_of_a_nan)
{
    static const size_t lengths[] = {1, 2, 3, 8, 9, 17, 64, 65, 200};
    static const enum wa_fold which[] = {WA_FOLD_max, WA_FOLD_min};
    float x[200], y[200];
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
        for (size_t at = 0; at < lengths[k]; at++)
            for (int f = 0; f < 2; f++) {
                const size_t n = lengths[k];
                for (size_t i = 0; i < n; i++) x[i] = i == at ? NAN : (float)plain();
                simd->fold_last[which[f]][WA_F32](1, n, y, x);
                ck_assert_msg(isnan(y[0]), "%zu of %zu", at, n);
                simd->fold_first[which[f]][WA_F32](n, 1, 1, false, y, x);
                ck_assert_msg(isnan(y[0]), "%zu of %zu, down", at, n);
                simd->fold_first[which[f]][WA_F32](1, n, n, false, y, x);
                for (size_t i = 0; i < n; i++) ck_assert(i == at ? isnan(y[i]) : y[i] == x[i]);
            }
}
END_TEST

/* log(0), and what is nothing beside infinity. */
START_TEST(logsumexp_of_infinities)
{
    enum { N = 600 };
    static const size_t lengths[] = {1, 2, 3, 64, 65, N};
    double x[N], y;
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        const size_t n = lengths[k];
        for (size_t i = 0; i < n; i++) x[i] = -INFINITY;
        simd->row[WA_ROW_logsumexp][WA_F64](1, n, &y, x);
        ck_assert(isinf(y) && y < 0);
        x[n / 2] = 3;
        simd->row[WA_ROW_logsumexp][WA_F64](1, n, &y, x);
        ck_assert_double_eq(y, 3);
        x[n - 1] = INFINITY;
        simd->row[WA_ROW_logsumexp][WA_F64](1, n, &y, x);
        ck_assert(isinf(y) && y > 0);
        x[0] = NAN;
        simd->row[WA_ROW_logsumexp][WA_F64](1, n, &y, x);
        ck_assert(isnan(y));
    }
}
END_TEST

START_TEST(rows)
{
    enum { ROWS = 5, MOST = 2500 };
    static double x[ROWS * MOST], p[ROWS * MOST], l[ROWS * MOST], s[ROWS];
    const size_t lengths[] = {1, 3, 10, 64, 65, 511, 1000, 2500};
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        const size_t n = lengths[k];
        for (size_t i = 0; i < ROWS * n; i++) x[i] = 10 * plain();
        simd->row[WA_ROW_softmax][WA_F64](ROWS, n, p, x);
        simd->row[WA_ROW_log_softmax][WA_F64](ROWS, n, l, x);
        simd->row[WA_ROW_logsumexp][WA_F64](ROWS, n, s, x);
        for (size_t r = 0; r < ROWS; r++) {
            long double sum = 0;
            for (size_t j = 0; j < n; j++) sum += expl(x[r * n + j]);
            ck_assert_double_eq_tol(s[r], (double)logl(sum), 1e-13 * (1 + fabs(s[r])));
            for (size_t j = 0; j < n; j++) {
                const double want = (double)(expl(x[r * n + j]) / sum);
                ck_assert_double_eq_tol(p[r * n + j], want, 1e-13 * want + 1e-300);
                ck_assert_double_eq_tol(l[r * n + j], (double)logl(expl(x[r * n + j]) / sum), 1e-12);
            }
        }
    }
    simd->row[WA_ROW_logsumexp][WA_F64](2, 0, s, x);
    ck_assert(isinf(s[0]) && s[0] < 0 && isinf(s[1]) && s[1] < 0);
}
END_TEST

/* A mean far from 0, where a sum of squares would have no digit left. */
START_TEST(moments)
{
    enum { MOST = 9000 };
    static float x[MOST], y[MOST], gain[MOST], bias[MOST];
    const size_t lengths[] = {1, 2, 10, 768, 2048, 2049, 9000};
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        const size_t n = lengths[k];
        double mean = 0, variance = 0;
        for (size_t i = 0; i < n; i++) {
            x[i] = 1000.0f + (float)plain();
            gain[i] = (float)plain();
            bias[i] = (float)plain();
            mean += (double)x[i] / (double)n;
        }
        for (size_t i = 0; i < n; i++)
            variance += ((double)x[i] - mean) * ((double)x[i] - mean) / (double)n;
        float m, v;
        simd->moments[WA_F32](1, n, &m, &v, x);
        ck_assert_double_eq_tol((double)m, mean, 2e-4);
        ck_assert_double_eq_tol((double)v, variance, 1e-4 * variance + 1e-30);
        simd->normalize[WA_F32](1, n, y, x, gain, bias, 1e-3);
        const float scale = 1 / sqrtf(v + 1e-3f);
        for (size_t i = 0; i < n; i++) ck_assert_float_eq(y[i], (x[i] - m) * scale * gain[i] + bias[i]);
    }
}
END_TEST

/* -- movement ------------------------------------------------------------------------------------- */

START_TEST(movement)
{
    enum { M = 37, N = 21 };
    const size_t size[] = {4, 8, 4, 1};
    unsigned char x[M * N * 8], y[M * N * 8];
    for (size_t i = 0; i < sizeof x; i++) x[i] = (unsigned char)(int)(plain() * 16);
    const size_t s = size[_i];
    simd->transpose[_i](M, N, y, M, x, N);
    for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < N; j++) ck_assert_mem_eq(y + (j * M + i) * s, x + (i * N + j) * s, s);
    simd->copy[_i](M, N / 2, y, N / 2, x, N, 2);
    for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < N / 2; j++)
            ck_assert_mem_eq(y + (i * (N / 2) + j) * s, x + (i * N + 2 * j) * s, s);
    simd->copy[_i](M, N, y, N, x, 1, 0); /* a column for all columns */
    for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < N; j++) ck_assert_mem_eq(y + (i * N + j) * s, x + i * s, s);
    const int32_t index[] = {5, 0, 36, 5};
    simd->gather[_i](4, N, y, x, N, index);
    for (size_t i = 0; i < 4; i++) ck_assert_mem_eq(y + i * N * s, x + (size_t)index[i] * N * s, N * s);
    double to[6] = {1, 2, 3, 4, 5, 6};
    const double add[] = {10, 20, 30, 40, 50, 60};
    const int32_t at[] = {2, 0, 2};
    simd->scatter_add[WA_F64](3, 2, to, 2, add, at);
    const double want[] = {31, 42, 3, 4, 65, 86};
    for (int i = 0; i < 6; i++) ck_assert_double_eq(to[i], want[i]);
}
END_TEST

/* -- random numbers ------------------------------------------------------------------------------- */

START_TEST(random_numbers)
{
    enum { N = 4096 };
    static uint32_t words[N];
    static float uniform[N], normal[N];
    const uint64_t seed = 0x299f31d0a4093822, stream = 0x0370734413198a2e,
                   first = 4 * (uint64_t)0x85a308d3;
    simd->random[WA_RANDOM_bits](seed, stream, first, N, words);
    simd->random[WA_RANDOM_uniform](seed, stream, first, N, uniform);
    simd->random[WA_RANDOM_normal](seed, stream, first, N, normal);
    const philox4x32_ctr_t counter = {{0x85a308d3, 0, 0x13198a2e, 0x03707344}};
    const philox4x32_key_t key = {{0xa4093822, 0x299f31d0}};
    const philox4x32_ctr_t r = philox4x32(counter, key);
    ck_assert_mem_eq(words, r.v, 16);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < N; i += 2) {
        const double a = (double)((words[i] >> 8) + 1) * 0x1p-24,
                     b = (double)(words[i + 1] >> 8) * 0x1p-24;
        ck_assert_float_eq(uniform[i], (float)(words[i] >> 8) * 0x1p-24f);
        const double radius = sqrt(-2 * log(a)), pi = 3.14159265358979323846;
        ck_assert_double_eq_tol((double)normal[i], radius * cos(2 * pi * b), 3e-6);
        ck_assert_double_eq_tol((double)normal[i + 1], radius * sin(2 * pi * b), 3e-6);
        sum += (double)normal[i] + (double)normal[i + 1];
        squares +=
            (double)normal[i] * (double)normal[i] + (double)normal[i + 1] * (double)normal[i + 1];
    }
    ck_assert_double_lt(fabs(sum / N), 4 / sqrt(N));
    ck_assert_double_lt(fabs(squares / N - 1), 4 * sqrt(2.0 / N));
}
END_TEST

START_TEST(random_numbers_in_double)
{
    enum { N = 4096 };
    static uint32_t words[2 * N];
    static double uniform[N], normal[N];
    const uint64_t seed = 5, stream = 6, first = 4096;
    simd->random[WA_RANDOM_bits](seed, stream, 2 * first, 2 * N, words);
    simd->random[WA_RANDOM_uniform_f64](seed, stream, first, N, uniform);
    simd->random[WA_RANDOM_normal_f64](seed, stream, first, N, normal);
    double sum = 0, squares = 0, k[2];
    for (size_t i = 0; i < N; i += 2) {
        for (size_t j = 0; j < 2; j++) {
            const uint32_t *word = words + 2 * (i + j);
            k[j] = ldexp((double)(word[0] >> 5), 26) + (double)(word[1] >> 6);
            ck_assert_double_eq(uniform[i + j], ldexp(k[j], -53));
            sum += normal[i + j];
            squares += normal[i + j] * normal[i + j];
        }
        const double radius = sqrt(-2 * log(ldexp(k[0] + 1, -53))), pi = 3.14159265358979323846;
        ck_assert_double_eq_tol(normal[i], radius * cos(2 * pi * ldexp(k[1], -53)), 1e-14);
        ck_assert_double_eq_tol(normal[i + 1], radius * sin(2 * pi * ldexp(k[1], -53)), 1e-14);
    }
    ck_assert_double_lt(fabs(sum / N), 4 / sqrt(N));
    ck_assert_double_lt(fabs(squares / N - 1), 4 * sqrt(2.0 / N));
}
END_TEST

/* Random123's own known answer (kat_vectors): key and counter 0. */
START_TEST(known_answer)
{
    uint32_t words[4];
    const philox4x32_ctr_t zero = philox4x32((philox4x32_ctr_t){{0}}, (philox4x32_key_t){{0}});
    const uint32_t known[] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    ck_assert_mem_eq(zero.v, known, 16);
    simd->random[WA_RANDOM_bits](0, 0, 0, 4, words);
    ck_assert_mem_eq(words, known, 16);
}
END_TEST

int main(void)
{
    TCase *values = tcase_create("values");
    tcase_add_test(values, choices_with_nan);
    tcase_add_loop_test(values, maps, 0, WA_MAP_COUNT);
    tcase_add_test(values, casts);
    tcase_add_test(values, folds);
    tcase_add_test(values, folds_of_a_nan);
    tcase_add_test(values, rows);
    tcase_add_test(values, logsumexp_of_infinities);
    tcase_add_test(values, moments);
    tcase_add_loop_test(values, movement, 0, WA_TYPES);
    tcase_add_test(values, random_numbers);
    tcase_add_test(values, random_numbers_in_double);
    tcase_add_test(values, known_answer);
    return run_scalar("simd_values", values);
}
