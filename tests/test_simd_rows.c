/* test_simd_rows.c: what the scalar level, which all others equal, makes of rows: folds, the place of
 * the largest, softmax and its kin, moments. */
#include <math.h>
#include <string.h>
#include "support.h"
#include "test_scalar.h"

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

START_TEST(softmax_and_its_kin)
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

/* -- rows that are short are worked on many at a time -- */

enum { SHORT_ROWS = 150, SHORT = 20, FOLDS_OF_ROWS = WA_FOLD_COUNT, ARG_OF_ROWS = FOLDS_OF_ROWS + 2 };

/* A kernel's result for rows: the folds, argmax and argmin as doubles, the kernels of rows. */
static size_t of_rows(int kernel, size_t rows, size_t n, double *y, const double *x)
{
    int32_t at[SHORT_ROWS];
    if (kernel < FOLDS_OF_ROWS) {
        simd->fold_last[kernel][WA_F64](rows, n, y, x);
        return 1;
    }
    if (kernel < ARG_OF_ROWS) {
        (kernel == FOLDS_OF_ROWS ? simd->argmax : simd->argmin)[WA_F64](rows, n, at, x);
        for (size_t r = 0; r < rows; r++) y[r] = at[r];
        return 1;
    }
    simd->row[kernel - ARG_OF_ROWS][WA_F64](rows, n, y, x);
    return kernel - ARG_OF_ROWS == WA_ROW_logsumexp ? 1 : n;
}

static bool alike(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

START_TEST(many_short_rows_are_as_each_alone)
{
    static const double odd[] = {0, -0.0, INFINITY, -INFINITY, NAN, 1e308, -700, 5};
    static double x[SHORT_ROWS * SHORT], y[SHORT_ROWS * SHORT], alone[SHORT];
    for (size_t n = 1; n <= SHORT; n++)
        for (size_t rows = 2; rows <= SHORT_ROWS; rows += 1 + rows / 3) {
            for (size_t i = 0; i < rows * n; i++) x[i] = plain();
            for (size_t r = 0; r < rows; r += 3)
                for (size_t k = 0; k < n; k++) {
                    const size_t which = (size_t)(int)(plain() + 8) / 2;
                    if ((r + k) % 2) x[r * n + k] = odd[r % 2 ? which : which % 2 + r / 3 % 3];
                }
            const size_t each = of_rows(_i, rows, n, y, x);
            for (size_t r = 0; r < rows; r++) {
                of_rows(_i, 1, n, alone, x + r * n);
                for (size_t k = 0; k < each; k++)
                    ck_assert_msg(alike(y[r * each + k], alone[k]),
                                  "%zu of row %zu of %zu by %zu: %g, %g", k, r, rows, n,
                                  y[r * each + k], alone[k]);
            }
        }
}
END_TEST

START_TEST(softmax_with_logsumexp)
{
    static const size_t lengths[] = {0, 1, 10, 17, 64, 1000, 2500};
    static double x[5 * 2500], both[5 * 2500], one[5 * 2500], total[5], wanted[5];
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
        for (size_t rows = 1; rows <= 5; rows += 2) {
            const size_t n = lengths[k];
            for (size_t i = 0; i < rows * n; i++) x[i] = 10 * plain();
            if (n > 1) x[n - 1] = INFINITY;
            simd->row[WA_ROW_softmax][WA_F64](rows, n, one, x);
            simd->row[WA_ROW_logsumexp][WA_F64](rows, n, wanted, x);
            simd->softmax_logsumexp[WA_F64](rows, n, both, total, x);
            for (size_t i = 0; i < rows * n; i++) ck_assert(alike(both[i], one[i]));
            for (size_t r = 0; r < rows; r++) ck_assert(alike(total[r], wanted[r]));
        }
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

int main(void)
{
    TCase *rows = tcase_create("rows");
    tcase_add_test(rows, folds);
    tcase_add_test(rows, folds_of_a_nan);
    tcase_add_test(rows, softmax_and_its_kin);
    tcase_add_test(rows, logsumexp_of_infinities);
    tcase_add_loop_test(rows, many_short_rows_are_as_each_alone, 0, ARG_OF_ROWS + WA_ROW_COUNT);
    tcase_add_test(rows, softmax_with_logsumexp);
    tcase_add_test(rows, moments);
    return run_scalar("simd_rows", rows);
}
