/* tape_derivatives.c: gradients, vjp and jvp through the public header: against closed forms,
 * differences and each other, to the third order. */
#include "tape.h"

#include <math.h>

/* d sum(y) / dx, which must be there. */
static washi_tensor *gradient(washi_tensor *y, washi_tensor *x)
{
    washi_tensor *dx = NULL;
    ok(washi_grad(y, 1, &x, &dx));
    ck_assert(dx && same_shape(washi_shape_of(dx), washi_shape_of(x)) &&
              washi_dtype_of(dx) == washi_dtype_of(x));
    return dx;
}

/* f and its first three derivatives at a few points against closed forms d[0] ... d[3]. */
static void check_orders(washi_tensor *(*f)(washi_tensor *x), void (*closed)(double x, double d[4]))
{
    enum { POINTS = 6 };
    const double at[POINTS] = {-1.7, -0.4, 0.1, 0.5, 1.2, 2.5};
    washi_tensor *x = vector(POINTS, at), *d[4];
    d[0] = f(x);
    for (int order = 1; order < 4; order++) d[order] = gradient(d[order - 1], x);
    ok(washi_eval(4, d));
    for (int i = 0; i < POINTS; i++) {
        double e[4];
        closed(at[i], e);
        for (int order = 0; order < 4; order++) near(element(d[order], i), e[order], 1e-13);
    }
}

static washi_tensor *cube(washi_tensor *x) { return washi_mul(washi_mul(x, x), x); }

static void cube_closed(double x, double d[4])
{
    d[0] = x * x * x, d[1] = 3 * x * x, d[2] = 6 * x, d[3] = 6;
}

static void tanh_closed(double x, double d[4])
{
    const double y = tanh(x), s = 1 - y * y;
    d[0] = y, d[1] = s, d[2] = -2 * y * s, d[3] = s * (6 * y * y - 2);
}

static void sigmoid_closed(double x, double d[4])
{
    const double y = 1 / (1 + exp(-x)), s = y * (1 - y);
    d[0] = y, d[1] = s, d[2] = s * (1 - 2 * y), d[3] = s * (1 - 6 * s);
}

static void sin_closed(double x, double d[4])
{
    d[0] = sin(x), d[1] = cos(x), d[2] = -sin(x), d[3] = -cos(x);
}

static washi_tensor *reciprocal(washi_tensor *x) { return washi_div(number(1), x); }

static void reciprocal_closed(double x, double d[4])
{
    d[0] = 1 / x, d[1] = -1 / (x * x), d[2] = 2 / (x * x * x), d[3] = -6 / (x * x * x * x);
}

/* log(exp(x) + exp(1)), by logsumexp of the pair. */
static washi_tensor *with_one(washi_tensor *x)
{
    const int64_t n = washi_size(washi_shape_of(x));
    washi_tensor *column = washi_reshape(x, SHAPE(n, 1));
    washi_tensor *pair =
        washi_concat(2, (washi_tensor *[]){column, washi_full(t, WASHI_F64, SHAPE(n, 1), 1)}, 1);
    return washi_logsumexp(pair, 1, false);
}

static void with_one_closed(double x, double d[4])
{
    sigmoid_closed(x - 1, d + 0);
    const double s = d[0] * (1 - d[0]), y = d[0];
    d[0] = log(exp(x) + exp(1)), d[1] = y, d[2] = s, d[3] = s * (1 - 2 * y);
}

START_TEST(three_orders_in_closed_form)
{
    check_orders(cube, cube_closed);
    check_orders(washi_tanh, tanh_closed);
    check_orders(washi_sin, sin_closed);
    check_orders(washi_sigmoid, sigmoid_closed);
    check_orders(reciprocal, reciprocal_closed);
    check_orders(with_one, with_one_closed);
}
END_TEST

/* The third derivatives of logsumexp, d p[i] (1[ij] - p[j]) / dx[k], element by element. */
START_TEST(logsumexp_to_the_third_order)
{
    enum { N = 4 };
    const double at[N] = {0.3, -1.1, 0.9, 0.2};
    double p[N], sum = 0;
    for (int i = 0; i < N; i++) sum += exp(at[i]);
    for (int i = 0; i < N; i++) p[i] = exp(at[i]) / sum;
    washi_tensor *x = vector(N, at), *first = gradient(washi_logsumexp(x, 0, false), x);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            washi_tensor *second = gradient(washi_slice(first, 0, i, i + 1), x);
            washi_tensor *third = gradient(washi_slice(second, 0, j, j + 1), x);
            ok(washi_eval(1, &third));
            for (int k = 0; k < N; k++) {
                const double ij = i == j, ik = i == k, jk = j == k;
                near(element(third, k), p[i] * ((ik - p[k]) * (ij - p[j]) - p[j] * (jk - p[k])), 1e-13);
            }
        }
}
END_TEST

START_TEST(zeros_where_y_ignores_x)
{
    washi_tensor *x[3] = {vector(2, (double[]){1, 2}), washi_full(t, WASHI_F32, SHAPE(3, 0, 2), 1),
                          number(4)},
                 *dx[3];
    ok(washi_grad(washi_exp(x[2]), 3, x, dx));
    ok(washi_eval(3, dx));
    for (int i = 0; i < 3; i++) {
        ck_assert(same_shape(washi_shape_of(dx[i]), washi_shape_of(x[i])));
        ck_assert_int_eq(washi_dtype_of(dx[i]), washi_dtype_of(x[i]));
    }
    ck_assert(fpclassify(element(dx[0], 0)) == FP_ZERO && fpclassify(element(dx[0], 1)) == FP_ZERO);
    near(element(dx[2], 0), exp(4), 1e-14);
    washi_tensor *stopped = gradient(washi_mul(washi_stop_gradient(x[2]), x[2]), x[2]);
    near(washi_item(stopped), 4, 0);
    near(washi_item(gradient(washi_stop_gradient(x[2]), x[2])), 0, 0);
    near(washi_item(gradient(gradient(washi_scale(x[2], 3), x[2]), x[2])), 0, 0);
}
END_TEST

START_TEST(of_intermediates_and_of_itself)
{
    washi_tensor *x = number(0.7), *h = washi_tanh(x), *y = washi_mul(washi_exp(h), x);
    washi_tensor *both[2] = {h, x}, *d[2];
    ok(washi_grad(y, 2, both, d));
    ok(washi_eval(2, d));
    const double th = tanh(0.7);
    near(element(d[0], 0), 0.7 * exp(th), 1e-14);
    near(element(d[1], 0), exp(th) + 0.7 * exp(th) * (1 - th * th), 1e-14);
    washi_tensor *v = vector(3, (double[]){1, 2, 3}), *dv = gradient(v, v);
    ok(washi_eval(1, &dv));
    for (int i = 0; i < 3; i++) near(element(dv, i), 1, 0);
    washi_tensor *twice[2] = {x, x}, *two[2];
    ok(washi_grad(washi_mul(x, x), 2, twice, two));
    near(washi_item(two[0]), 1.4, 1e-15);
    near(washi_item(two[1]), 1.4, 1e-15);
}
END_TEST

START_TEST(the_first_largest_takes_it)
{
    washi_tensor *x = matrix(2, 3, (double[]){1, 5, 5, 7, 7, 7}),
                 *dx = gradient(washi_max(x, 1, false), x);
    washi_tensor *z = vector(3, (double[]){-1, 0, 2}), *dz = gradient(washi_relu(z), z);
    ok(washi_eval(2, (washi_tensor *[]){dx, dz}));
    const double wanted[6] = {0, 1, 0, 1, 0, 0}, gates[3] = {0, 0, 1};
    for (int i = 0; i < 6; i++) near(element(dx, i), wanted[i], 0);
    for (int i = 0; i < 3; i++) near(element(dz, i), gates[i], 0);
}
END_TEST

/* -- vjp and jvp of a map of two matrices to a matrix and a vector -- */

enum { R = 3, K = 4 };

static void two_results(washi_tensor *a, washi_tensor *b, washi_tensor *y[2])
{
    washi_tensor *product = washi_matmul(washi_tanh(a), washi_transpose(washi_mul(a, b)));
    y[0] = washi_softmax(product);
    y[1] = washi_sum(
        washi_sub(washi_exp(washi_scale(b, 0.3)), washi_div(a, washi_shift(washi_mul(b, b), 1))), 0,
        false);
}

static double weighted(const washi_tensor *y, const double *u)
{
    double sum = 0;
    for (int64_t i = 0; i < washi_size(washi_shape_of(y)); i++) sum += u[i] * element(y, i);
    return sum;
}

START_TEST(jvp_and_vjp_agree_with_differences)
{
    double x[2][R * K], v[2][R * K], u[2][R * R], slope = 0, product = 0;
    uint64_t seed = 99;
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < R * K; i++) {
            x[k][i] = between(&seed, -1, 1), v[k][i] = between(&seed, -1, 1);
            if (i < R * R) u[k][i] = between(&seed, -1, 1);
        }
    washi_tensor *in[2] = {fed(SHAPE(R, K), x[0]), fed(SHAPE(R, K), x[1])}, *y[2];
    washi_tensor *dir[2] = {matrix(R, K, v[0]), matrix(R, K, v[1])};
    two_results(in[0], in[1], y);
    washi_tensor *co[2] = {matrix(R, R, u[0]), vector(K, u[1])}, *out[6];
    ok(washi_vjp(2, y, co, 2, in, out));
    ok(washi_jvp(2, y, 2, in, dir, out + 2));
    out[4] = y[0], out[5] = y[1];
    washi_program *p = compiled(6, out);
    ok(washi_run(p));
    for (int j = 0; j < 2; j++) {
        ck_assert(same_shape(washi_shape_of(out[2 + j]), washi_shape_of(y[j])));
        slope += weighted(out[2 + j], u[j]);
        product += weighted(out[j], v[j]);
    }
    ck_assert_double_gt(fabs(slope), 1e-3);
    near(product, slope, 1e-13);
    double tangent[2][R * R], value[2][2][R * R];
    for (int j = 0; j < 2; j++)
        for (int i = 0; i < washi_size(washi_shape_of(y[j])); i++)
            tangent[j][i] = element(out[2 + j], i);
    for (int side = 0; side < 2; side++) {
        for (int k = 0; k < 2; k++)
            for (int i = 0; i < R * K; i++) x[k][i] += (side ? -2e-6 : 1e-6) * v[k][i];
        ok(washi_run(p));
        for (int j = 0; j < 2; j++)
            for (int i = 0; i < washi_size(washi_shape_of(y[j])); i++)
                value[side][j][i] = element(y[j], i);
    }
    for (int j = 0; j < 2; j++)
        for (int i = 0; i < washi_size(washi_shape_of(y[j])); i++)
            near(tangent[j][i], (value[0][j][i] - value[1][j][i]) / 2e-6, 1e-8);
    washi_program_free(p);
}
END_TEST

START_TEST(jvp_of_little)
{
    washi_tensor *x = vector(2, (double[]){1, 2}), *v = vector(2, (double[]){3, 5}), *other = number(7),
                 *dy[3];
    washi_tensor *y[3] = {x, other, washi_sum(washi_mul(x, x), WASHI_ALL, false)};
    ok(washi_jvp(3, y, 1, &x, &v, dy));
    ok(washi_eval(3, dy));
    near(element(dy[0], 0), 3, 0);
    near(element(dy[0], 1), 5, 0);
    near(element(dy[1], 0), 0, 0);
    near(element(dy[2], 0), 26, 0);
}
END_TEST

/* Differentiating through a recorded step of gradient descent. */
START_TEST(through_an_update)
{
    washi_tensor *rate = number(0.1), *x = number(2), *loss = washi_mul(cube(x), number(0.5));
    washi_tensor *moved = washi_sub(x, washi_mul(rate, gradient(loss, x)));
    washi_tensor *after = washi_mul(cube(moved), number(0.5));
    const double g = 1.5 * 4, to = 2 - 0.1 * g;
    near(washi_item(after), 0.5 * to * to * to, 1e-14);
    near(washi_item(gradient(after, rate)), -1.5 * to * to * g, 1e-14);
    near(washi_item(gradient(after, x)), 1.5 * to * to * (1 - 0.1 * 3 * 2), 1e-13);
}
END_TEST

TCase *derivatives_case(void)
{
    return CASE("derivatives", open_tape, close_tape, three_orders_in_closed_form,
                logsumexp_to_the_third_order, zeros_where_y_ignores_x, of_intermediates_and_of_itself,
                the_first_largest_takes_it, jvp_and_vjp_agree_with_differences, jvp_of_little,
                through_an_update);
}
