/* own_op.c: an op of your own, from its formula to its second derivative: Lambert's W, the w for which
 * w e^w = x (Corless and others, "On the Lambert W function", 1996). */
#include "example.h"

#include <math.h>
#include <stdio.h>

/* -- the op ------------------------------------------------------------------------------------- */

/* Two w belong to an x between -1/e and 0. The parameter says which: from -1 up, or from -1 down. */
enum branch { UPPER, LOWER };

/* The shape rule: one tensor of doubles; the result is like it, as it is when nothing is said. */
static washi_status infer(int n, washi_tensor *const x[], const void *params, washi_dtype *type,
                          washi_shape *shape)
{
    (void)n, (void)params, (void)shape;
    if (washi_dtype_of(x[0]) == WASHI_F64) return WASHI_OK;
    return washi_fail(NULL, WASHI_BAD_TYPE, "f64 is wanted, not %s", washi_dtype_name(*type));
}

/* Halley's iteration from an approximation: near the branch point, or of the size of the logarithm. */
static double solve(double x, enum branch branch)
{
    const double p = sqrt(fmax(0, 2 * (exp(1) * x + 1))), sign = branch == UPPER ? 1 : -1;
    const double size = log(fabs(x));
    double w =
        x > 3 || (branch == LOWER && x > -0.2) ? size - log(fabs(size)) : -1 + sign * p - p * p / 3;
    if (branch == UPPER && x > -0.2 && x <= 3) w = x / (1 + x);
    for (int i = 0; i < 50 && fabs(w + 1) > 1e-8; i++) {
        const double e = exp(w), f = w * e - x, step = f / (e * (w + 1) - (w + 2) * f / (2 * w + 2));
        w -= step;
        if (fabs(step) <= 1e-15 * fabs(w)) break;
    }
    return w;
}

/* The run function: x may be anything, so it can fail. */
static washi_status run(const washi_step *s)
{
    const enum branch branch = *(const enum branch *)s->params;
    const double *x = s->x[0].data, end = branch == UPPER ? (double)INFINITY : 0;
    double *w = s->y;
    for (int64_t i = 0; i < washi_size(s->shape); i++) {
        if (!(x[i] >= -exp(-1) && x[i] < end))
            return washi_fail(NULL, WASHI_BAD_VALUE, "%g is outside %.4f ... %g", x[i], -exp(-1), end);
        w[i] = solve(x[i], branch);
    }
    return WASHI_OK;
}

/* The derivative: of w e^w = x by x, w' (1 + w) e^w = 1. It is written in washi's ops and y itself, so
 * it can be differentiated again. */
static void rule(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
{
    gx[0] = washi_div(g, washi_mul(washi_shift(y, 1), washi_exp(y)));
}

static const washi_op lambert_op = {
    .struct_size = sizeof(washi_op),
    .name = "lambert_w",
    .doc = "the w for which w e^w = a",
    .arity = 1,
    .infer = infer,
    .run = run,
    .rule = rule,
};

static washi_tensor *lambert_w(washi_tensor *x, enum branch branch)
{
    return washi_apply(&lambert_op, 1, &x, &branch, sizeof branch);
}

/* -- its use ------------------------------------------------------------------------------------ */

static washi_tensor *as_function(int n, washi_tensor *const x[], const void *config)
{
    (void)n;
    return lambert_w(x[0], *(const enum branch *)config);
}

static void print_values(washi *w, const washi_array *points, enum branch branch)
{
    washi_tape *t = checked(washi_tape_new(w));
    washi_tensor *x = washi_constant(t, points->type, points->shape, points->data), *d[3];
    d[0] = lambert_w(x, branch);
    for (int order = 1; order < 3; order++) check(washi_grad(d[order - 1], 1, &x, &d[order]));
    check(washi_eval(3, d));
    printf("%10s %12s %12s %12s %12s\n", "x", "W", "W e^W", "W'", "W''");
    for (int64_t i = 0; i < washi_size(points->shape); i++) {
        const double v = washi_f64(d[0])[i];
        printf("%10.4f %12.8f %12.8f %12.6f %12.6f\n", washi_f64(x)[i], v, v * exp(v),
               washi_f64(d[1])[i], washi_f64(d[2])[i]);
        if (fabs(v * exp(v) - washi_f64(x)[i]) > 1e-12) fail("W is wrong at %g", washi_f64(x)[i]);
    }
    washi_tape_free(t);
}

/* The rule against differences, to the second order. */
static void check_rule(washi *w, const washi_array *points, enum branch branch)
{
    washi_grad_report report;
    const washi_status status = washi_check_grad(w, as_function, &branch, 1, points, 2, &report);
    check(washi_grad_report_print(&report, stdout));
    check(status);
}

/* A run that fails says which op it was, and why. */
static void leave_the_domain(washi *w)
{
    const double outside = -0.5;
    washi_tape *t = checked(washi_tape_new(w));
    washi_tensor *x = washi_constant(t, WASHI_F64, washi_shape_make(0, NULL), &outside),
                 *y = lambert_w(x, UPPER);
    if (washi_eval(1, &y) != WASHI_BAD_VALUE) fail("-0.5 has a W");
    printf("outside: %s\n", washi_message());
    washi_tape_free(t);
}

int main(void)
{
    const double upper[] = {-0.35, -0.2, -0.05, 0.3, 1, 2.718281828, 20},
                 lower[] = {-0.35, -0.25, -0.1, -0.03};
    const washi_array points[2] = {{WASHI_F64, {1, {7}}, upper}, {WASHI_F64, {1, {4}}, lower}};
    washi *w;
    check(washi_open(&w, NULL));
    for (enum branch branch = UPPER; branch <= LOWER; branch++) {
        printf("%s branch\n", branch == UPPER ? "upper" : "lower");
        print_values(w, &points[branch], branch);
        check_rule(w, &points[branch], branch);
        putchar('\n');
    }
    leave_the_domain(w);
    washi_close(w);
    return 0;
}
