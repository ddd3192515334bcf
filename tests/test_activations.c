/* test_activations.c: the activations that are composed of ops, against libm: value, first and second
 * derivative, what they are at kinks, and that numbers far out stay finite. */
#include "on_tape.h"

#include <math.h>
#include <stdlib.h>

/* -- the formulas -- */

static double leaky_relu(double x) { return x > 0 ? x : 0.2 * x; }
static double leaky_relu_with(double x) { return x > 0 ? x : 0.05 * x; }
static double relu6(double x) { return fmin(fmax(x, 0), 6); }
static double elu(double x) { return x > 0 ? x : expm1(x); }
static double elu_with(double x) { return x > 0 ? x : 0.7 * expm1(x); }
static double selu(double x)
{
    return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543773 * expm1(x));
}
static double celu_with(double x) { return fmax(x, 0) + fmin(0, 1.5 * expm1(x / 1.5)); }
static double gelu(double x) { return x / 2 * erfc(-x / sqrt(2)); }
static double gelu_tanh(double x)
{
    return x / (1 + exp(-2 * sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
}
static double silu(double x) { return x / (1 + exp(-x)); }
static double mish(double x) { return x * tanh(log1p(exp(x))); }
static double softsign(double x) { return x / (1 + fabs(x)); }
static double softplus(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))); }
static double log_sigmoid(double x) { return -softplus(-x); }
static double hard_sigmoid(double x) { return x <= -3 ? 0 : x >= 3 ? 1 : x / 6 + 0.5; }
static double hard_swish(double x) { return x * hard_sigmoid(x); }
static double hard_tanh(double x) { return fmax(-1, fmin(1, x)); }
static double linear(double x) { return x; }

static washi_tensor *leaky_with(washi_tensor *x) { return washi_leaky_relu_with(x, 0.05); }
static washi_tensor *elu_of(washi_tensor *x) { return washi_elu_with(x, 0.7); }
static washi_tensor *celu_of(washi_tensor *x) { return washi_celu_with(x, 1.5); }

static const struct activation {
    const char *name;
    washi_unary_fn *f;
    double (*plain)(double x);
    bool straight;          /* in pieces: the second derivative is 0 */
    double at[3], slope[3]; /* at 0 and kinks, the derivative; NAN ends them */
} activations[] = {
    {"linear", washi_linear, linear, true, {0, (double)NAN}, {1}},
    {"leaky_relu", washi_leaky_relu, leaky_relu, true, {0, (double)NAN}, {0.2}},
    {"leaky_relu_with", leaky_with, leaky_relu_with, true, {0, (double)NAN}, {0.05}},
    {"relu6", washi_relu6, relu6, true, {0, 6, (double)NAN}, {0, 1}},
    {"elu", washi_elu, elu, false, {0, (double)NAN}, {1}},
    {"elu_with", elu_of, elu_with, false, {0, (double)NAN}, {0.7}},
    {"selu", washi_selu, selu, false, {0, (double)NAN}, {1.7580993408473766}},
    {"celu", washi_celu, elu, false, {0, (double)NAN}, {1}},
    {"celu_with", celu_of, celu_with, false, {0, (double)NAN}, {1}},
    {"gelu", washi_gelu, gelu, false, {0, (double)NAN}, {0.5}},
    {"gelu_tanh", washi_gelu_tanh, gelu_tanh, false, {0, (double)NAN}, {0.5}},
    {"silu", washi_silu, silu, false, {0, (double)NAN}, {0.5}},
    {"swish", washi_swish, silu, false, {0, (double)NAN}, {0.5}},
    {"mish", washi_mish, mish, false, {0, (double)NAN}, {0.6}},
    {"softsign", washi_softsign, softsign, false, {0, (double)NAN}, {1}},
    {"softplus", washi_softplus, softplus, false, {0, (double)NAN}, {0.5}},
    {"log_sigmoid", washi_log_sigmoid, log_sigmoid, false, {0, (double)NAN}, {0.5}},
    {"hard_sigmoid", washi_hard_sigmoid, hard_sigmoid, true, {0, -3, 3}, {1.0 / 6, 1.0 / 6, 1.0 / 6}},
    {"hard_swish", washi_hard_swish, hard_swish, false, {0, -3, 3}, {0.5, -0.5, 1.5}},
    {"hard_tanh", washi_hard_tanh, hard_tanh, true, {-1, 1, (double)NAN}, {1, 1}},
    {"exponential", washi_exponential, exp, false, {0, (double)NAN}, {1}},
};
enum { ACTIVATIONS = sizeof activations / sizeof *activations, POINTS = 97 };

/* -- f, f' and f'' of numbers -- */

static void evaluate(const struct activation *a, washi_dtype type, int n, const double *x, double *y[3])
{
    void *data = calloc((size_t)n, sizeof(double));
    ck_assert_ptr_nonnull(data);
    for (int i = 0; i < n; i++) put(type, data, (size_t)i, x[i]);
    washi_tensor *in = washi_constant(t, type, SHAPE(n), data), *f[3] = {a->f(in)};
    ck_assert_msg(f[0] && !washi_grad(f[0], 1, &in, &f[1]) && !washi_grad(f[1], 1, &in, &f[2]) &&
                      !washi_eval(3, f),
                  "%s: %s", a->name, washi_message());
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < n; i++) y[k][i] = get(type, washi_data(f[k]), (size_t)i);
    free(data);
    new_tape();
}

/* -8 ... 8, no kink hit. */
static double point(int i) { return -8 + 16 * (i + 0.37) / POINTS; }

static void check_near(const struct activation *a, const char *what, double x, double v, double want,
                       double tolerance)
{
    ck_assert_msg(fabs(v - want) <= tolerance * (1 + fabs(want)), "%s of %s at %g: %.17g, not %.17g",
                  what, a->name, x, v, want);
}

START_TEST(values)
{
    const struct activation *a = &activations[_i];
    double x[POINTS], y0[POINTS], y1[POINTS], y2[POINTS], *y[] = {y0, y1, y2};
    for (int type = 0; type < 2; type++) {
        for (int i = 0; i < POINTS; i++) x[i] = (double)(float)point(i);
        evaluate(a, type ? WASHI_F64 : WASHI_F32, POINTS, x, y);
        for (int i = 0; i < POINTS; i++)
            check_near(a, "value", x[i], y0[i], a->plain(x[i]), type ? 4e-15 : 2e-6);
    }
}
END_TEST

/* The second derivative from differences of the first, which is held to differences of the formula. */
START_TEST(derivatives)
{
    const struct activation *a = &activations[_i];
    const double step = 1e-5;
    double x[3 * POINTS], y0[3 * POINTS], y1[3 * POINTS], y2[3 * POINTS], *y[] = {y0, y1, y2}, most = 0;
    for (int i = 0; i < POINTS; i++)
        for (int k = 0; k < 3; k++) x[3 * i + k] = point(i) + (k - 1) * step;
    evaluate(a, WASHI_F64, 3 * POINTS, x, y);
    for (int i = 0; i < 3 * POINTS; i += 3) {
        const double slope = (a->plain(x[i + 2]) - a->plain(x[i])) / (2 * step);
        const double curve = (y1[i + 2] - y1[i]) / (2 * step);
        check_near(a, "derivative", x[i + 1], y1[i + 1], slope, 1e-8);
        check_near(a, "second derivative", x[i + 1], y2[i + 1], curve, 1e-8);
        most = fmax(most, fabs(y2[i + 1]));
    }
    ck_assert_msg(a->straight == (most < 1e-12), "%s is curved: %g", a->name, most);
}
END_TEST

START_TEST(kinks)
{
    const struct activation *a = &activations[_i];
    for (int i = 0; i < 3 && !isnan(a->at[i]); i++) {
        double f, slope, curve, *y[] = {&f, &slope, &curve};
        evaluate(a, WASHI_F64, 1, &a->at[i], y);
        check_near(a, "value", a->at[i], f, a->plain(a->at[i]), 1e-15);
        check_near(a, "derivative", a->at[i], slope, a->slope[i], 1e-15);
        ck_assert_msg(isfinite(curve), "second derivative of %s at %g: %g", a->name, a->at[i], curve);
    }
}
END_TEST

/* Limits: f(x) is x or a constant, and what is not the formula's own limit is a finite number. */
START_TEST(far_out)
{
    const struct activation *a = &activations[_i];
    const double x[] = {20, -20, 50, -50, 100, -100, 1e3, -1e3, 1e10, -1e10, 1e20, -1e20, 1e38, -1e38};
    const double wide[] = {1e100, -1e100, 1e160, -1e160, 1e300, -1e300};
    double y0[14], y1[14], y2[14], *y[] = {y0, y1, y2};
    if (a->f == washi_exponential) return;
    for (int turn = 0; turn < 3; turn++) {
        const double *at = turn == 2 ? wide : x;
        const int n = turn == 2 ? 6 : 14;
        evaluate(a, turn ? WASHI_F64 : WASHI_F32, n, at, y);
        for (int i = 0; i < n; i++) {
            const double want = at[i] < -300 && (a->plain == gelu_tanh || a->plain == mish) ? 0
                                : at[i] > 300 && a->plain == mish                           ? at[i]
                                                                  : a->plain(at[i]);
            check_near(a, "value", at[i], y0[i], want, turn ? 4e-15 : 2e-6);
            ck_assert_msg(isfinite(y1[i]) && fabs(y1[i]) <= 2, "%s'(%g) = %g", a->name, at[i], y1[i]);
            ck_assert_msg(fabs(y2[i]) <= 1e-3, "%s''(%g) = %g", a->name, at[i], y2[i]);
        }
    }
}
END_TEST

START_TEST(null_and_bad_arguments)
{
    for (int i = 0; i < ACTIVATIONS; i++) ck_assert_ptr_null(activations[i].f(NULL));
    refuses(WASHI_BAD_VALUE, "celu: alpha is 0",
            washi_celu_with(washi_input(t, WASHI_F32, SHAPE(2)), 0));
    ck_assert_ptr_null(washi_elu(washi_input(t, WASHI_I32, SHAPE(2))));
    ck_assert_int_eq(washi_tape_status(t), WASHI_BAD_TYPE);
}
END_TEST

int main(void)
{
    TCase *c = CASE("activations", open_tape, close_tape, null_and_bad_arguments);
    tcase_add_loop_test(c, values, 0, ACTIVATIONS);
    tcase_add_loop_test(c, derivatives, 0, ACTIVATIONS);
    tcase_add_loop_test(c, kinks, 0, ACTIVATIONS);
    tcase_add_loop_test(c, far_out, 0, ACTIVATIONS);
    return RUN_SUITE("activations", c);
}
