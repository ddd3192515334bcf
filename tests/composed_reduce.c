/* composed_reduce.c: reductions over any set of axes against plain loops; derivatives at zeros, ties
 * and kinks. */
#include "composed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- plain -- */

static double plain(const char *name, int64_t n, const double *x)
{
    double sum = 0, prod = 1, max = -INFINITY, min = INFINITY, squares = 0, exps = 0, any = 0, all = 1;
    int64_t argmax = 0, argmin = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += x[i], prod *= x[i], squares += x[i] * x[i], exps += exp(x[i]);
        if (x[i] > max) max = x[i], argmax = i;
        if (x[i] < min) min = x[i], argmin = i;
        if (x[i] < 0 || x[i] > 0 || isnan(x[i]))
            any = 1;
        else
            all = 0;
    }
    double about = 0;
    for (int64_t i = 0; i < n; i++) about += (x[i] - sum / (double)n) * (x[i] - sum / (double)n);
    const struct {
        const char *name;
        double value;
    } answers[] = {{"sum", sum},
                   {"mean", sum / (double)n},
                   {"prod", prod},
                   {"max", max},
                   {"min", min},
                   {"var", about / (double)n},
                   {"std", sqrt(about / (double)n)},
                   {"norm", sqrt(squares)},
                   {"logsumexp", log(exps)},
                   {"any", any},
                   {"all", all},
                   {"argmax", (double)argmax},
                   {"argmin", (double)argmin}};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (!strcmp(name, answers[i].name)) return answers[i].value;
    ck_abort_msg("%s", name);
    return NAN;
}

static const struct {
    const char *name;
    washi_reduction *f;
} reductions[] = {{"sum", washi_sum},      {"mean", washi_mean}, {"prod", washi_prod},
                  {"max", washi_max},      {"min", washi_min},   {"var", washi_var},
                  {"std", washi_std},      {"norm", washi_norm}, {"logsumexp", washi_logsumexp},
                  {"any", washi_any},      {"all", washi_all},   {"argmax", washi_argmax},
                  {"argmin", washi_argmin}};
enum { REDUCTIONS = sizeof reductions / sizeof *reductions };

/* The elements of x that go into element `to` of the result, the axes in `set` being reduced, in order.
 */
static int64_t collect(washi_shape s, const double *x, unsigned set, int64_t to, double *out)
{
    int64_t n = 0;
    for (int64_t i = 0; i < washi_size(s); i++) {
        int64_t rest = i, at[WASHI_MAX_RANK], place = 0;
        for (int k = s.rank; k-- > 0;) at[k] = rest % s.dim[k], rest /= s.dim[k];
        for (int k = 0; k < s.rank; k++)
            if (!(set >> k & 1)) place = place * s.dim[k] + at[k];
        if (place == to) out[n++] = x[i];
    }
    return n;
}

static void check_set(int r, washi_tensor *x, unsigned set, bool keep)
{
    const washi_shape s = washi_shape_of(x);
    washi_shape y = {.rank = 0};
    int axes[WASHI_MAX_RANK], n = 0;
    for (int k = s.rank; k-- > 0;)
        if (set >> k & 1)
            axes[n++] = k % 2 ? k : k - s.rank; /* from the last, some counted from the end */
    for (int k = 0; k < s.rank; k++)
        if (keep || !(set >> k & 1)) y.dim[y.rank++] = set >> k & 1 ? 1 : s.dim[k];
    double wanted[64], some[64];
    for (int64_t i = 0; i < washi_size(y); i++) {
        const int64_t m = collect(s, washi_f64(x), set, i, some);
        wanted[i] = plain(reductions[r].name, m, some);
    }
    gives(washi_over(reductions[r].f, x, n, axes, keep), y, wanted, 1e-14);
    if (n == 1) gives(reductions[r].f(x, axes[0], keep), y, wanted, 1e-14);
    if (n == s.rank) gives(reductions[r].f(x, WASHI_ALL, keep), y, wanted, 1e-14);
    if (n == s.rank)
        gives(washi_over(reductions[r].f, x, 1, (int[]){WASHI_ALL}, keep), y, wanted, 1e-14);
}

START_TEST(every_set_of_axes)
{
    static const washi_shape shapes[] = {{3, {2, 3, 4}}, {3, {3, 1, 4}}, {4, {2, 1, 3, 2}},
                                         {2, {1, 1}},    {1, {5}},       {4, {2, 2, 2, 3}},
                                         {0, {0}}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (unsigned set = 0; set < 1u << shapes[i].rank; set++) {
            washi_tensor *x = drawn(shapes[i], -2, 2, i);
            ok(washi_eval(1, &x));
            check_set(_i, x, set, set % 2);
            check_set(_i, x, set, !(set % 2));
            new_tape();
        }
}
END_TEST

START_TEST(empty_axes)
{
    const double wanted[] = {0,
                             (double)NAN,
                             1,
                             -(double)INFINITY,
                             (double)INFINITY,
                             (double)NAN,
                             (double)NAN,
                             0,
                             -(double)INFINITY,
                             0,
                             1};
    for (int r = 0; r < 11; r++) {
        washi_tensor *x = f64(SHAPE(2, 0), wanted);
        gives(reductions[r].f(x, 1, false), SHAPE(2), (double[]){wanted[r], wanted[r]}, 0);
        gives(reductions[r].f(x, 0, true), SHAPE(1, 0), wanted, 0);
    }
}
END_TEST

START_TEST(truth)
{
    const double x[] = {0, -0.0, (double)NAN, 0, 1, 2};
    gives(washi_any(f64(SHAPE(3, 2), x), 1, false), SHAPE(3), (double[]){0, 1, 1}, 0);
    gives(washi_all(f64(SHAPE(3, 2), x), 1, false), SHAPE(3), (double[]){0, 0, 1}, 0);
    washi_tensor *y = washi_any(i32(SHAPE(2, 2), (int32_t[]){0, 0, 0, INT32_MIN}), 1, false);
    gives(y, SHAPE(2), (double[]){0, 1}, 0);
    ck_assert_int_eq(washi_dtype_of(y), WASHI_F32);
}
END_TEST

/* Large mean, small spread: the sum of squares less the square of the sum would lose it all. */
START_TEST(variance_far_from_zero)
{
    float x[1001];
    for (int i = 0; i < 1001; i++) x[i] = 1e4f + 0.01f * (float)(i % 11);
    washi_tensor *y = washi_var(washi_constant(t, WASHI_F32, SHAPE(1001), x), 0, false);
    double mean = 0, var = 0;
    for (int i = 0; i < 1001; i++) mean += (double)x[i] / 1001;
    for (int i = 0; i < 1001; i++) var += ((double)x[i] - mean) * ((double)x[i] - mean) / 1001;
    gives(y, SCALAR, &var, 1e-5);
}
END_TEST

/* -- running -- */

START_TEST(running_sums_and_products)
{
    const double x[] = {1, 2, 3, 4, 5, 6};
    gives(washi_cumsum(f64(SHAPE(2, 3), x), 1), SHAPE(2, 3), (double[]){1, 3, 6, 4, 9, 15}, 0);
    gives(washi_cumsum(f64(SHAPE(2, 3), x), -2), SHAPE(2, 3), (double[]){1, 2, 3, 5, 7, 9}, 0);
    gives(washi_cumprod(f64(SHAPE(2, 3), x), 1), SHAPE(2, 3), (double[]){1, 2, 6, 4, 20, 120}, 0);
    gives(washi_cumprod(f64(SHAPE(2, 3), x), 0), SHAPE(2, 3), (double[]){1, 2, 3, 4, 10, 18}, 0);
    gives(washi_cumsum(f64(SHAPE(2, 0), x), 1), SHAPE(2, 0), x, 0);
    gives(washi_cumprod(f64(SHAPE(0, 2), x), 0), SHAPE(0, 2), x, 0);
    gives(washi_cumprod(f64(SHAPE(1), (double[]){7}), 0), SHAPE(1), (double[]){7}, 0);
    gives(washi_cumsum(f64(SHAPE(2), (double[]){(double)INFINITY, 1}), 0), SHAPE(2),
          (double[]){(double)INFINITY, (double)INFINITY}, 0);
}
END_TEST

/* -- derivatives -- */

static washi_tensor *products(washi_tensor *const x[])
{
    const int64_t n = washi_size(washi_shape_of(x[0]));
    return washi_concat(3,
                        (washi_tensor *[]){washi_reshape(washi_prod(x[0], 1, false), SHAPE(3)),
                                           washi_reshape(washi_prod(x[0], WASHI_ALL, false), SHAPE(1)),
                                           washi_reshape(washi_cumprod(x[0], 1), SHAPE(n))},
                        0);
}

/* No zero in the first row, one in the second, two in the third; then all rows alike. */
START_TEST(products_with_zeros)
{
    double x[] = {1.5, -0.5, 2, 0.7, 0.3, 0, -1.2, 0.8, 0, 1.1, 0, -0.6};
    differentiates(products, 1, (washi_tensor *[]){f64(SHAPE(3, 4), x)}, 2);
    for (int zeros = 0; zeros < 3; zeros++) {
        for (int i = 0; i < 12; i++) x[i] = i % 4 < zeros ? 0 : 0.5 + 0.1 * i;
        differentiates(products, 1, (washi_tensor *[]){f64(SHAPE(3, 4), x)}, 2);
    }
    washi_tensor *y = f64(SHAPE(3), (double[]){0, 3, 5}), *dx;
    ok(washi_grad(washi_prod(y, 0, false), 1, &y, &dx));
    gives(dx, SHAPE(3), (double[]){15, 0, 0}, 0);
    y = f64(SHAPE(3), (double[]){0, 0, 5});
    ok(washi_grad(washi_prod(y, 0, false), 1, &y, &dx));
    gives(dx, SHAPE(3), (double[]){0, 0, 0}, 0);
    washi_tensor *first = washi_reshape(washi_slice(dx, 0, 0, 1), SCALAR), *second;
    ok(washi_grad(first, 1, &y, &second));
    gives(second, SHAPE(3), (double[]){0, 5, 0}, 0);
}
END_TEST

static washi_reduction *reduction;
static int set_size;
static const int *set;

static washi_tensor *reduced(washi_tensor *const x[])
{
    washi_tensor *y = washi_over(reduction, x[0], set_size, set, false);
    return washi_add(washi_mul(y, y), y); /* curved even where the reduction is linear */
}

START_TEST(derivatives_over_sets_of_axes)
{
    static const int sets[][3] = {{1, 0, 0}, {0, 2, 0}, {1, 2, 0}, {0, 1, 2}};
    static const int sizes[] = {1, 2, 2, 3};
    for (int r = 0; r < 9; r++)
        for (int k = 0; k < 4; k++) {
            reduction = reductions[r].f, set = sets[k], set_size = sizes[k];
            differentiates(reduced, 1, (washi_tensor *[]){drawn(SHAPE(2, 3, 2), -2, 2, 9)}, 2);
            new_tape();
        }
}
END_TEST

static washi_tensor *running(washi_tensor *const x[])
{
    return washi_mul(washi_cumsum(x[0], 0), washi_cumsum(washi_mul(x[0], x[0]), 1));
}

START_TEST(derivatives_of_running_sums)
{
    differentiates(running, 1, (washi_tensor *[]){drawn(SHAPE(3, 4), -2, 2, 4)}, 2);
    differentiates(running, 1, (washi_tensor *[]){drawn(SHAPE(1, 1), -2, 2, 4)}, 2);
}
END_TEST

START_TEST(winners_and_kinks)
{
    washi_tensor *x = f64(SHAPE(2, 3), (double[]){1, 5, 5, 0, 0, 2}), *dx;
    ok(washi_grad(washi_max(x, 1, false), 1, &x, &dx));
    gives(dx, SHAPE(2, 3), (double[]){0, 1, 0, 0, 0, 1}, 0);
    ok(washi_grad(washi_min(x, 1, false), 1, &x, &dx));
    gives(dx, SHAPE(2, 3), (double[]){1, 0, 0, 1, 0, 0}, 0);
    ok(washi_grad(washi_over(washi_max, x, 2, (int[]){1, 0}, false), 1, &x, &dx));
    gives(dx, SHAPE(2, 3), (double[]){0, 1, 0, 0, 0, 0}, 0);
    washi_tensor *z = f64(SHAPE(2), (double[]){0, 0}), *dz, *dd;
    for (int k = 0; k < 2; k++) {
        ok(washi_grad((k ? washi_std : washi_norm)(z, 0, false), 1, &z, &dz));
        gives(dz, SHAPE(2), (double[]){0, 0}, 0);
        ok(washi_grad(dz, 1, &z, &dd));
        gives(dd, SHAPE(2), (double[]){0, 0}, 0);
    }
}
END_TEST

/* Logits so far apart that most of the softmax is 0: its logarithm and the derivatives are finite,
 * whatever way the softmax's elements are moved before. */
START_TEST(logarithm_of_a_softmax)
{
    const double logits[] = {1000, 0, -1000, -500}, logs[] = {0, -1000, -2000, -1500},
                 probabilities[] = {1, 0, 0, 0}, slopes[] = {-3, 1, 1, 1}, none[4] = {0};
    for (int way = 0; way < 4; way++) {
        washi_tensor *x = f64(way == 2 ? SHAPE(4, 1) : SHAPE(1, 4), logits), *dx, *ddx;
        washi_tensor *p = way == 2 ? washi_softmax_along(x, 0) : washi_softmax(x);
        if (way == 3) p = washi_reshape(washi_transpose(p), SHAPE(2, 2));
        washi_tensor *y = washi_log(way == 1 ? washi_stop_gradient(p) : p);
        ok(washi_grad(y, 1, &x, &dx));
        if (way == 1) { /* what no gradient passes is a number like any other */
            gives(y, SHAPE(1, 4), (double[]){0, -INFINITY, -INFINITY, -INFINITY}, 0);
            gives(dx, SHAPE(1, 4), none, 0);
            continue;
        }
        ok(washi_grad(dx, 1, &x, &ddx));
        gives(washi_reshape(p, SHAPE(4)), SHAPE(4), probabilities, 0);
        gives(washi_reshape(y, SHAPE(4)), SHAPE(4), logs, 0);
        gives(washi_reshape(dx, SHAPE(4)), SHAPE(4), slopes, 0);
        gives(washi_reshape(ddx, SHAPE(4)), SHAPE(4), none, 0);
        ck_assert_str_eq(washi_op_name(p), way == 3 ? "reshape" : way == 2 ? "permute" : "softmax");
    }
    washi_tensor *far = drawn(SHAPE(3, 5), -3, 3, 5);
    washi_tensor *plain = washi_log_softmax(far), *made = washi_log(washi_softmax(far));
    ok(washi_eval(2, (washi_tensor *[]){plain, made}));
    ck_assert_mem_eq(washi_f64(plain), washi_f64(made), 15 * sizeof(double));
}
END_TEST

/* -- indices -- */

static const int32_t rows[] = {1, 0, 1, 1, 0, 0};

static washi_tensor *taken(washi_tensor *const x[])
{
    washi_tensor *y = washi_mul(x[0], x[0]);
    washi_tensor *along = washi_take_along(y, i32(SHAPE(2, 3), rows), 0);
    washi_tensor *points = washi_gather(y, i32(SHAPE(3, 2), rows)),
                 *lines = washi_gather(y, i32(SHAPE(6, 1), rows));
    return washi_concat(
        3, (washi_tensor *[]){washi_reshape(along, SHAPE(6)), points, washi_reshape(lines, SHAPE(18))},
        0);
}

START_TEST(elements_at_indices)
{
    const double x[] = {1, 2, 3, 4, 5, 6};
    washi_tensor *a = f64(SHAPE(2, 3), x);
    gives(washi_take_along(a, i32(SHAPE(1, 3), rows), 0), SHAPE(1, 3), (double[]){4, 2, 6}, 0);
    gives(washi_take_along(a, i32(SHAPE(2, 2), rows), 1), SHAPE(2, 2), (double[]){2, 1, 5, 5}, 0);
    gives(washi_gather(a, i32(SHAPE(3, 2), rows)), SHAPE(3), (double[]){4, 5, 1}, 0);
    gives(washi_gather(a, i32(SHAPE(2, 1), rows)), SHAPE(2, 3), (double[]){4, 5, 6, 1, 2, 3}, 0);
    gives(washi_gather(washi_cast(a, WASHI_U8), i32(SHAPE(2), rows)), SCALAR, (double[]){4}, 0);
    differentiates(taken, 1, (washi_tensor *[]){a}, 2);
    washi_tensor *y = washi_gather(a, i32(SHAPE(2), (int32_t[]){0, 3}));
    ck_assert_int_eq(washi_eval(1, &y), WASHI_BAD_VALUE);
    ck_assert_str_eq(washi_message(), "gather: index 3 of axis 1 is outside 0 ... 2");
    y = washi_take_along(a, i32(SHAPE(1, 3), (int32_t[]){0, -1, 0}), 0);
    ck_assert_int_eq(washi_eval(1, &y), WASHI_BAD_VALUE);
    ck_assert_str_eq(washi_message(), "take_along: index -1 is outside 0 ... 1");
}
END_TEST

START_TEST(refusals)
{
    refuses(WASHI_BAD_VALUE, "over: axis 1 of [2,3] is named twice",
            washi_over(washi_sum, drawn(SHAPE(2, 3), 0, 1, 1), 2, (int[]){1, -1}, false));
    refuses(WASHI_BAD_VALUE, "over: [2,3] has no axis 2",
            washi_over(washi_sum, drawn(SHAPE(2, 3), 0, 1, 1), 1, (int[]){2}, false));
    refuses(WASHI_MISUSE, "over: -1 axes of [2]",
            washi_over(washi_sum, drawn(SHAPE(2), 0, 1, 1), -1, NULL, false));
    refuses(WASHI_MISUSE, "over: the reduction is NULL",
            washi_over(NULL, drawn(SHAPE(2), 0, 1, 1), 0, NULL, false));
}
END_TEST

TCase *reduce_case(void)
{
    TCase *c = CASE("reduce", open_tape, close_tape, empty_axes, truth, variance_far_from_zero,
                    running_sums_and_products, products_with_zeros, derivatives_over_sets_of_axes,
                    derivatives_of_running_sums, winners_and_kinks, logarithm_of_a_softmax,
                    elements_at_indices, refusals);
    tcase_add_loop_test(c, every_set_of_axes, 0, REDUCTIONS);
    return c;
}
