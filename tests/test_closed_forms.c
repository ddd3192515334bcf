/* test_closed_forms.c: third derivatives against closed forms, and derivatives at kinks and at the
 * edges of domains against what the ops' documentation says. */
#include "on_tape.h"

#include <math.h>
#include <stdlib.h>

static washi_tensor *row(int n, const double *x) { return washi_constant(t, WASHI_F64, SHAPE(n), x); }

static washi_tensor *slope(washi_tensor *y, washi_tensor *x)
{
    washi_tensor *dx = NULL;
    ck_assert_msg(y && !washi_grad(y, 1, &x, &dx), "%s", washi_message());
    return dx;
}

static washi_tensor *along(washi_tensor *y, washi_tensor *x, washi_tensor *v)
{
    washi_tensor *dy = NULL;
    ck_assert_msg(y && !washi_jvp(1, &y, 1, &x, &v, &dy), "%s", washi_message());
    return dy;
}

static void check_row(const char *what, washi_tensor *y, int n, const double *want, double tolerance)
{
    ck_assert_msg(y && !washi_eval(1, &y), "%s: %s", what, washi_message());
    const double *v = washi_f64(y);
    for (int i = 0; i < n; i++)
        ck_assert_msg(fabs(v[i] - want[i]) <= tolerance * (1 + fabs(want[i])),
                      "%s, element %d: %.17g, not %.17g", what, i, v[i], want[i]);
}

/* -- third derivatives -- */

enum { N = 9 };
static const double points[N] = {0.1, 0.35, 0.6, 0.9, 1.0, 1.4, 1.9, 2.3, 3.1};

static washi_tensor *self_power(washi_tensor *x) { return washi_pow(x, x); }
static double third_tanh(double x)
{
    const double y = tanh(x);
    return (1 - y * y) * (6 * y * y - 2);
}
static double third_sin(double x) { return -cos(x); }
static double third_self_power(double x)
{
    const double l = log(x) + 1;
    return pow(x, x) * (l * l * l + 3 * l / x - 1 / (x * x));
}
static double third_log(double x) { return 2 / (x * x * x); }
static double third_erf(double x)
{
    return 2 / sqrt(3.14159265358979323846) * (4 * x * x - 2) * exp(-x * x);
}
static double third_atan(double x) { return (6 * x * x - 2) / pow(1 + x * x, 3); }
static double third_softplus(double x)
{
    const double p = 1 / (1 + exp(-x));
    return p * (1 - p) * (1 - 2 * p);
}

START_TEST(third_derivatives_of_one_number)
{
    static const struct {
        const char *name;
        washi_unary_fn *f;
        double (*third)(double);
    } functions[] = {
        {"tanh", washi_tanh, third_tanh},
        {"sin", washi_sin, third_sin},
        {"x^x", self_power, third_self_power},
        {"log", washi_log, third_log},
        {"erf", washi_erf, third_erf},
        {"atan", washi_atan, third_atan},
        {"softplus", washi_softplus, third_softplus},
    };
    for (size_t k = 0; k < sizeof functions / sizeof *functions; k++) {
        washi_tensor *x = row(N, points), *y = functions[k].f(x);
        double want[N];
        for (int i = 0; i < N; i++) want[i] = functions[k].third(points[i]);
        check_row(functions[k].name, slope(slope(slope(y, x), x), x), N, want, 3e-13);
        washi_tensor *v = washi_full(t, WASHI_F64, SHAPE(N), 1);
        check_row(functions[k].name, along(along(along(y, x, v), x, v), x, v), N, want, 3e-13);
    }
}
END_TEST

enum { M = 5 };
static const double logits[M] = {0.3, -1.2, 0.8, 2.0, -0.4}, direction[M] = {0.7, -0.2, 1.1, -0.9, 0.4};

/* p = softmax(x), and the moments about 0 of v under it. */
static void moments(double p[M], double m[4])
{
    double sum = 0;
    for (int i = 0; i < M; i++) sum += p[i] = exp(logits[i]);
    for (int k = 0; k < 4; k++) m[k] = 0;
    for (int i = 0; i < M; i++) {
        p[i] /= sum;
        for (int k = 0; k < 4; k++) m[k] += p[i] * pow(direction[i], k);
    }
}

/* logsumexp's derivatives are the cumulants of p: contracted with v twice, the third is
 * p_i (v_i^2 - 2 v_i m1 - m2 + 2 m1^2), and three times, their third cumulant. */
START_TEST(third_derivative_of_logsumexp)
{
    double p[M], m[4], want[M];
    moments(p, m);
    for (int i = 0; i < M; i++)
        want[i] =
            p[i] * (direction[i] * direction[i] - 2 * direction[i] * m[1] - m[2] + 2 * m[1] * m[1]);
    washi_tensor *x = row(M, logits), *v = row(M, direction), *y = washi_logsumexp(x, 0, false);
    washi_tensor *first = washi_sum(washi_mul(slope(y, x), v), 0, false);
    washi_tensor *second = washi_sum(washi_mul(slope(first, x), v), 0, false);
    check_row("logsumexp", slope(second, x), M, want, 1e-14);
    const double third = m[3] - 3 * m[1] * m[2] + 2 * m[1] * m[1] * m[1];
    check_row("logsumexp", along(along(along(y, x, v), x, v), x, v), 1, &third, 1e-14);
}
END_TEST

/* With K the logsumexp along v and h = v_i - K', the third derivative of p_i along v is
 * p_i (h^3 - 3 h K'' - K'''). */
START_TEST(third_derivative_of_softmax)
{
    double p[M], m[4], want[M];
    moments(p, m);
    const double k2 = m[2] - m[1] * m[1], k3 = m[3] - 3 * m[1] * m[2] + 2 * m[1] * m[1] * m[1];
    for (int i = 0; i < M; i++) {
        const double h = direction[i] - m[1];
        want[i] = p[i] * (h * h * h - 3 * h * k2 - k3);
    }
    washi_tensor *x = row(M, logits), *v = row(M, direction), *y = washi_softmax(x);
    check_row("softmax", along(along(along(y, x, v), x, v), x, v), M, want, 1e-14);
    for (int i = 0; i < M; i++) want[i] = -k3; /* log_softmax is x - logsumexp */
    check_row("log_softmax", along(along(along(washi_log_softmax(x), x, v), x, v), x, v), M, want,
              1e-14);
}
END_TEST

/* -- kinks and edges -- */

static void check_one(const char *what, washi_tensor *y, double want)
{
    const double v = washi_item(y);
    ck_assert_msg(isnan(want) ? isnan(v) : v == want, "%s: %.17g, not %.17g", what, v, want);
}

static washi_tensor *number(double x) { return washi_scalar(t, WASHI_F64, x); }

START_TEST(kinks_of_one_operand)
{
    static const struct {
        const char *name;
        washi_unary_fn *f;
        double at, slope, curve;
    } kinks[] = {
        {"abs", washi_abs, 0, 0, 0},
        {"relu", washi_relu, 0, 0, 0},
        {"sign", washi_sign, 0, 0, 0},
        {"floor", washi_floor, 2, 0, 0},
        {"round", washi_round, 2.5, 0, 0},
        {"square", washi_square, 0, 0, 2},
        {"reciprocal", washi_reciprocal, 2, -0.25, 0.25},
        {"rsqrt", washi_rsqrt, 4, -0.0625, 0.0234375},
        {"sqrt", washi_sqrt, 0, (double)INFINITY, -(double)INFINITY},
        {"cbrt", washi_cbrt, 0, (double)INFINITY, (double)NAN},
        {"digamma", washi_digamma, -1, (double)NAN, (double)NAN},
    };
    for (size_t k = 0; k < sizeof kinks / sizeof *kinks; k++) {
        washi_tensor *x = number(kinks[k].at), *first = slope(kinks[k].f(x), x);
        check_one(kinks[k].name, first, kinks[k].slope);
        check_one(kinks[k].name, slope(first, x), kinks[k].curve);
    }
}
END_TEST

typedef washi_tensor *binary_fn(washi_tensor *a, washi_tensor *b);

START_TEST(kinks_of_two_operands)
{
    static const double inf = (double)INFINITY, nan = (double)NAN;
    const struct {
        const char *name;
        binary_fn *f;
        double a, b, da, db;
    } kinks[] = {
        {"minimum", washi_minimum, 2, 2, 1, 0},
        {"maximum", washi_maximum, 2, 2, 1, 0},
        {"minimum", washi_minimum, 1, 2, 1, 0},
        {"maximum", washi_maximum, 1, 2, 0, 1},
        {"hypot", washi_hypot, 0, 0, 0, 0},
        {"atan2", washi_atan2, 0, 0, 0, 0},
        {"fmod", washi_fmod, 7, 2, 1, -3},
        {"fmod", washi_fmod, -7, 2, 1, 3},
        {"fmod", washi_fmod, 6, 2, 1, -3},
        {"pow", washi_pow, 0, 2, 0, 0},
        {"pow", washi_pow, 0, 1, 1, 0},
        {"pow", washi_pow, 0, 0, 0, 0},
        {"pow", washi_pow, 0, 0.5, inf, 0},
        {"pow", washi_pow, 0, -1, -inf, -inf},
        {"pow", washi_pow, -2, 3, 12, nan},
        {"pow", washi_pow, -2, 0, 0, nan},
        {"pow", washi_pow, 4, 0, 0, log(4)},
        {"hypot", washi_hypot, 3e200, 4e200, 0.6, 0.8},
        {"atan2", washi_atan2, 0, 1e200, 1e-200, 0},
    };
    for (size_t k = 0; k < sizeof kinks / sizeof *kinks; k++) {
        washi_tensor *x[] = {number(kinks[k].a), number(kinks[k].b)}, *d[2];
        washi_tensor *y = kinks[k].f(x[0], x[1]);
        ck_assert_msg(!washi_grad(y, 2, x, d) && !washi_eval(2, d), "%s", washi_message());
        const double want[] = {kinks[k].da, kinks[k].db};
        for (int i = 0; i < 2; i++) {
            const double v = *washi_f64(d[i]);
            ck_assert_msg(isnan(want[i]) ? isnan(v)
                                         : v == want[i] || fabs(v - want[i]) < 4e-15 * fabs(want[i]),
                          "%s(%g, %g), operand %d: %.17g, not %.17g", kinks[k].name, kinks[k].a,
                          kinks[k].b, i, v, want[i]);
        }
    }
}
END_TEST

/* All of them, as the first. */
START_TEST(second_derivatives_at_the_origin)
{
    binary_fn *const f[] = {washi_hypot, washi_atan2};
    for (int k = 0; k < 2; k++) {
        washi_tensor *x[] = {number(0), number(0)}, *d[2];
        ck_assert_msg(!washi_grad(f[k](x[0], x[1]), 2, x, d), "%s", washi_message());
        for (int i = 0; i < 4; i++) check_one(k ? "atan2" : "hypot", slope(d[i / 2], x[i % 2]), 0);
    }
}
END_TEST

/* Second derivatives where a factor is 0: (a^2)'' at 0, and d/db of b a^(b-1), at b = 0, which is 1/a.
 */
START_TEST(higher_derivatives_of_pow)
{
    washi_tensor *a = number(0), *b = number(2), *y = washi_pow(a, b);
    check_one("pow", slope(slope(y, a), a), 2);
    check_one("pow", slope(slope(slope(y, a), a), a), 0);
    a = number(4), b = number(0);
    check_one("pow", slope(slope(washi_pow(a, b), a), b), 0.25);
    check_one("pow", slope(slope(washi_pow(a, b), b), a), 0.25);
    a = number(-2), b = number(4);
    check_one("pow", slope(slope(slope(slope(washi_pow(a, b), a), a), a), a), 24);
}
END_TEST

START_TEST(clips_and_choices)
{
    const double x[] = {-2, -1, 0, 1, 2}, inside[] = {0, 1, 1, 1, 0}, kept[] = {-1, -1, 0, 1, 1};
    washi_tensor *a = row(5, x), *y = washi_clip(a, -1, 1);
    check_row("clip", y, 5, kept, 0);
    check_row("gradient of clip", slope(y, a), 5, inside, 0);
    /* a logarithm of what is replaced where it would be NaN */
    washi_tensor *positive = washi_greater(a, number(0));
    y = washi_where(positive, washi_log(washi_where(positive, a, number(1))), number(0));
    const double by[] = {0, 0, 0, 1, 0.5};
    check_row("masked log", slope(y, a), 5, by, 0);
    const double nan_too[] = {1, (double)NAN, (double)INFINITY, -(double)INFINITY, 0};
    const double is_nan[] = {0, 1, 0, 0, 0}, is_inf[] = {0, 0, 1, 1, 0}, finite[] = {1, 0, 0, 0, 1};
    const double none[] = {0, 0, 0, 0, 1};
    a = row(5, nan_too);
    check_row("isnan", washi_isnan(a), 5, is_nan, 0);
    check_row("isinf", washi_isinf(a), 5, is_inf, 0);
    check_row("isfinite", washi_isfinite(a), 5, finite, 0);
    check_row("logical_not", washi_logical_not(a), 5, none, 0);
    check_row("lerp", washi_lerp(number(2), number(6), number(0.25)), 1, &(double){3}, 0);
    ck_assert_ptr_null(washi_clip(a, 2, 1));
    ck_assert_str_eq(washi_message(), "clip: low 2 is not below high 1");
    ck_assert_int_eq(washi_tape_status(t), WASHI_BAD_VALUE);
}
END_TEST

int main(void)
{
    TCase *c = CASE("closed_forms", open_tape, close_tape, third_derivatives_of_one_number,
                    third_derivative_of_logsumexp, third_derivative_of_softmax, kinks_of_one_operand,
                    kinks_of_two_operands, second_derivatives_at_the_origin, higher_derivatives_of_pow,
                    clips_and_choices);
    return RUN_SUITE("closed_forms", c);
}
