/* test_simd_values.c: the scalar level, which all others equal, computes what simd.h says: against
 * plain loops that know no vectors, and against Random123. (Functions of analysis: test_simd_math.c.)
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <Random123/philox.h>
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
    tcase_add_loop_test(values, movement, 0, WA_TYPES);
    tcase_add_test(values, random_numbers);
    tcase_add_test(values, random_numbers_in_double);
    tcase_add_test(values, known_answer);
    return run_scalar("simd_values", values);
}
