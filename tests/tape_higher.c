/* tape_higher.c: derivatives of derivatives through the public header: Hessian-vector products,
 * Jacobians, Hessians, forward and reverse mixed to the third order, gradients that must be there. */
#include "tape.h"

#include <math.h>

static washi_tensor *total(washi_tensor *x) { return washi_sum(x, WASHI_ALL, false); }
static washi_tensor *inner(washi_tensor *a, washi_tensor *b) { return total(washi_mul(a, b)); }

static washi_tensor *jvp(washi_tensor *y, washi_tensor *x, washi_tensor *v)
{
    washi_tensor *dy = NULL;
    ok(washi_jvp(1, &y, 1, &x, &v, &dy));
    ck_assert(dy && same_shape(washi_shape_of(dy), washi_shape_of(y)));
    return dy;
}

static washi_tensor *vjp(washi_tensor *y, washi_tensor *x, washi_tensor *u)
{
    washi_tensor *dx = NULL;
    ok(washi_vjp(1, &y, &u, 1, &x, &dx));
    ck_assert(dx && same_shape(washi_shape_of(dx), washi_shape_of(x)));
    return dx;
}

static washi_tensor *hvp(washi_tensor *y, washi_tensor *x, washi_tensor *v)
{
    washi_tensor *hv = NULL;
    ok(washi_hvp(y, 1, &x, &v, &hv));
    return hv;
}

/* -- gradients that must be there -- */

START_TEST(strict_gradients)
{
    washi_tensor *x[3] = {vector(2, (double[]){1, 2}), number(3), vector(2, (double[]){4, 5})}, *dx[3];
    washi_tensor *y = washi_mul(washi_exp(x[0]), x[1]);
    ok(washi_grad_strict(y, 2, x, dx));
    ok(washi_eval(2, dx));
    near(element(dx[0], 1), 3 * exp(2), 1e-14);
    near(element(dx[1], 0), exp(1) + exp(2), 1e-14);
    ok(washi_grad_strict(y, 0, NULL, NULL));
    washi_name(x[2], "bias");
    fails(washi_grad_strict(y, 3, x, dx), WASHI_BAD_VALUE,
          "grad_strict: no gradient of f64 [2] reaches x[2], f64 [2] \"bias\"");
    ck_assert(!dx[0] && !dx[1] && !dx[2]);
    new_tape();
    x[0] = number(1);
    fails(washi_grad_strict(washi_stop_gradient(x[0]), 1, x, dx), WASHI_BAD_VALUE,
          "grad_strict: no gradient of f64 [] reaches x[0], f64 []");
}
END_TEST

/* -- jacobians -- */

START_TEST(jacobian_of_softmax)
{
    enum { N = 4 };
    const double at[N] = {0.3, -1.1, 0.9, 0.2};
    washi_tensor *x = vector(N, at), *p = washi_softmax(x), *j = washi_jacobian(p, x);
    washi_tensor *third = washi_jacobian(washi_jacobian(j, x), x); /* of rank 4 */
    ck_assert(same_shape(washi_shape_of(j), SHAPE(N, N)));
    ck_assert(same_shape(washi_shape_of(third), SHAPE(N, N, N, N)));
    ok(washi_eval(3, (washi_tensor *[]){p, j, third}));
    double q[N];
    for (int i = 0; i < N; i++) q[i] = element(p, i);
#define D(a, b) ((a) == (b) ? 1.0 : 0.0)
    for (int a = 0; a < N; a++)
        for (int b = 0; b < N; b++) {
            near(element(j, a * N + b), q[a] * (D(a, b) - q[b]), 1e-14);
            for (int c = 0; c < N; c++)
                for (int d = 0; d < N; d++) {
                    /* d/dx[d] of q[a] ((ab - q[b]) (ac - q[c]) - q[b] (bc - q[c])) */
                    const double f = (D(a, b) - q[b]) * (D(a, c) - q[c]) - q[b] * (D(b, c) - q[c]),
                                 db = q[b] * (D(b, d) - q[d]), dc = q[c] * (D(c, d) - q[d]),
                                 df = -db * (D(a, c) - q[c]) - dc * (D(a, b) - q[b]) -
                                      db * (D(b, c) - q[c]) + q[b] * dc;
                    near(element(third, ((a * N + b) * N + c) * N + d),
                         q[a] * (D(a, d) - q[d]) * f + q[a] * df, 1e-13);
                }
        }
#undef D
}
END_TEST

/* y = a x, of more and of fewer elements than x: both ways of making the matrix, and their shapes. */
START_TEST(jacobian_of_a_product)
{
    const double a[6] = {1, -2, 3, 4, 5, -6};
    for (int turn = 0; turn < 2; turn++) {
        const int64_t m = turn ? 3 : 2, n = turn ? 2 : 3;
        washi_tensor *x = washi_full(t, WASHI_F64, SHAPE(n, 2), 0.5);
        washi_tensor *j = washi_jacobian(washi_matmul(matrix(m, n, a), x), x);
        ck_assert(same_shape(washi_shape_of(j), SHAPE(m, 2, n, 2)));
        ok(washi_eval(1, &j));
        for (int64_t i = 0; i < m; i++)
            for (int64_t k = 0; k < n; k++)
                for (int64_t c = 0; c < 4; c++)
                    near(element(j, ((i * 2 + c / 2) * n + k) * 2 + c % 2),
                         c / 2 == c % 2 ? a[i * n + k] : 0, 0);
    }
}
END_TEST

START_TEST(jacobians_of_little)
{
    washi_tensor *x = vector(2, (double[]){1, 2}), *other = vector(3, (double[]){1, 2, 3});
    washi_tensor *none = washi_jacobian(x, other), *empty = washi_jacobian(washi_slice(x, 0, 1, 1), x);
    washi_tensor *single = washi_jacobian(washi_cast(washi_mul(x, x), WASHI_F32), x);
    washi_tensor *wide = washi_jacobian(washi_cast(total(x), WASHI_F32), x);
    washi_tensor *scalar = washi_jacobian(number(3), number(4));
    ck_assert(same_shape(washi_shape_of(empty), SHAPE(0, 2)) && washi_dtype_of(single) == WASHI_F32);
    ck_assert(washi_dtype_of(wide) == WASHI_F32 && same_shape(washi_shape_of(scalar), SCALAR));
    ok(washi_eval(5, (washi_tensor *[]){none, empty, single, wide, scalar}));
    for (int i = 0; i < 6; i++) near(element(none, i), 0, 0);
    for (int i = 0; i < 4; i++) near(element(single, i), i == 0 ? 2 : i == 3 ? 4 : 0, 0);
    near(element(wide, 1), 1, 0);
    ck_assert_ptr_null(washi_jacobian(washi_full(t, WASHI_F64, SHAPE(70, 70), 0),
                                      washi_full(t, WASHI_F64, SHAPE(4097), 0)));
    fails(washi_tape_status(t), WASHI_BAD_SHAPE,
          "jacobian: f64 [70,70] by f64 [4097] is more than 4096 sweeps");
    new_tape();
    x = washi_full(t, WASHI_F64, SHAPE(1, 1, 1, 1, 1), 0);
    ck_assert_ptr_null(washi_hessian(x, x));
    fails(washi_tape_status(t), WASHI_BAD_SHAPE,
          "hessian: f64 [1,1,1,1,1] by f64 [1,1,1,1,1] is more than 8 axes");
    ck_assert(!washi_jacobian(NULL, NULL) && !washi_hessian(NULL, NULL));
}
END_TEST

/* -- second order -- */

/* A function of a vector and a matrix, whose derivatives of every order mix. */
static washi_tensor *mixing(washi_tensor *x, washi_tensor *a)
{
    washi_tensor *row = washi_reshape(washi_tanh(x), SHAPE(1, 3));
    washi_tensor *h = washi_matmul(row, washi_mul(a, a));
    return washi_add(total(washi_exp(washi_scale(h, 0.3))), washi_logsumexp(washi_mul(x, x), 0, false));
}

static const double x_at[3] = {0.4, -0.7, 1.1}, a_at[6] = {0.5, -0.2, 0.9, 1.2, -0.8, 0.3};

START_TEST(hessians_are_symmetric_and_make_products)
{
    const double v_at[3] = {1, -2, 0.5}, b_at[6] = {0.3, 1, -1, 0.2, 0.7, -0.4};
    washi_tensor *x = vector(3, x_at), *a = matrix(3, 2, a_at), *y = mixing(x, a);
    washi_tensor *in[2] = {x, a}, *v[2] = {vector(3, v_at), matrix(3, 2, b_at)}, *hv[2], *out[7];
    ok(washi_hvp(y, 2, in, v, hv));
    washi_tensor *g[2];
    ok(washi_grad(y, 2, in, g));
    out[0] = hv[0], out[1] = hv[1];
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) out[2 + 2 * i + j] = washi_jacobian(g[i], in[j]);
    out[6] = washi_hessian(y, x);
    ck_assert(same_shape(washi_shape_of(out[5]), SHAPE(3, 2, 3, 2)));
    ok(washi_eval(7, out));
    const double *at[2] = {v_at, b_at};
    const int size[2] = {3, 6};
    for (int i = 0; i < 2; i++)
        for (int p = 0; p < size[i]; p++) {
            double sum = 0;
            for (int j = 0; j < 2; j++)
                for (int q = 0; q < size[j]; q++) {
                    const double h = element(out[2 + 2 * i + j], p * size[j] + q);
                    near(h, element(out[2 + 2 * j + i], q * size[i] + p), 1e-13);
                    sum += h * at[j][q];
                }
            near(element(hv[i], p), sum, 1e-13);
        }
    double largest = 0;
    for (int p = 0; p < 9; p++) {
        near(element(out[6], p), element(out[2], p), 0);
        largest = fmax(largest, fabs(element(out[6], p)));
    }
    ck_assert_double_gt(largest, 0.1);
}
END_TEST

/* w' H v in every way there is to make it. */
START_TEST(second_order_mixed)
{
    washi_tensor *x = vector(3, x_at), *y = mixing(x, matrix(3, 2, a_at)), *one = number(1);
    washi_tensor *v = vector(3, (double[]){1, -2, 0.5}), *w2 = vector(3, (double[]){0.2, 0.9, -1});
    washi_tensor *way[6] = {
        inner(hvp(y, x, v), w2),              /* reverse over reverse */
        jvp(jvp(y, x, v), x, w2),             /* forward over forward */
        inner(jvp(vjp(y, x, one), x, v), w2), /* forward over reverse */
        inner(vjp(jvp(y, x, v), x, one), w2), /* reverse over forward */
        inner(hvp(y, x, w2), v),              /* the other way round */
        inner(washi_reshape(washi_matmul(washi_hessian(y, x), washi_reshape(v, SHAPE(3, 1))), SHAPE(3)),
              w2),
    };
    ok(washi_eval(6, way));
    ck_assert_double_gt(fabs(element(way[0], 0)), 0.1);
    for (int i = 1; i < 6; i++) near(element(way[i], 0), element(way[0], 0), 1e-13);
}
END_TEST

/* -- third order -- */

START_TEST(third_order_mixed)
{
    double at[3] = {x_at[0], x_at[1], x_at[2]};
    const double z_at[3] = {-0.6, 0.3, 0.8}, step = 1e-4;
    washi_tensor *x = fed(SHAPE(3), at), *y = mixing(x, matrix(3, 2, a_at)), *one = number(1);
    washi_tensor *v = vector(3, (double[]){1, -2, 0.5}), *w2 = vector(3, (double[]){0.2, 0.9, -1}),
                 *z = vector(3, z_at);
    washi_tensor *way[6] = {inner(hvp(y, x, v), w2),
                            jvp(jvp(jvp(y, x, v), x, w2), x, z),
                            inner(vjp(jvp(jvp(y, x, v), x, w2), x, one), z),
                            inner(jvp(vjp(jvp(y, x, v), x, one), x, z), w2),
                            inner(jvp(jvp(vjp(y, x, one), x, z), x, v), w2),
                            inner(hvp(inner(vjp(y, x, one), v), x, w2), z)};
    washi_program *p = compiled(6, way);
    ok(washi_run(p));
    const double third = element(way[1], 0);
    ck_assert_double_gt(fabs(third), 0.1);
    for (int i = 2; i < 6; i++) near(element(way[i], 0), third, 1e-12);
    double second[2];
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < 3; i++) at[i] = x_at[i] + (side ? -step : step) * z_at[i];
        ok(washi_run(p));
        second[side] = element(way[0], 0);
    }
    near(third, (second[0] - second[1]) / (2 * step), 1e-7);
    washi_program_free(p);
}
END_TEST

/* x to the x in closed form, by the op and as exp(x log x). */
START_TEST(x_to_the_x)
{
    washi_tensor *x = vector(3, (double[]){0.3, 1, 2.5}), *one = washi_full(t, WASHI_F64, SHAPE(3), 1);
    for (int way = 0; way < 2; way++) {
        washi_tensor *d[4];
        d[0] = way ? washi_exp(washi_mul(x, washi_log(x))) : washi_pow(x, x);
        for (int i = 1; i < 4; i++) d[i] = vjp(d[i - 1], x, one);
        ok(washi_eval(4, d));
        for (int i = 0; i < 3; i++) {
            const double a = element(x, i), y = pow(a, a), l = 1 + log(a);
            near(element(d[0], i), y, 1e-14);
            near(element(d[1], i), y * l, 1e-14);
            near(element(d[2], i), y * (l * l + 1 / a), 1e-13);
            near(element(d[3], i), y * (l * l * l + 3 * l / a - 1 / (a * a)), 1e-12);
        }
    }
}
END_TEST

START_TEST(misused_products)
{
    washi_tensor *x = vector(2, (double[]){1, 2}), *v = number(1), *hv;
    fails(washi_hvp(x, 1, &x, &v, &hv), WASHI_BAD_SHAPE, "hvp: v[0] is f64 [] where f64 [2] is wanted");
    new_tape();
    x = number(1);
    fails(washi_hvp(x, 1, &x, &x, NULL), WASHI_MISUSE, "hvp: the place for the derivatives is NULL");
    new_tape();
    x = number(1), v = washi_scalar(t, WASHI_I32, 1);
    ck_assert_ptr_null(washi_jacobian(x, v));
    fails(washi_tape_status(t), WASHI_BAD_TYPE,
          "jacobian: x[0] is i32 [], and integers have no derivative");
    new_tape();
    x = number(1);
    ck_assert_ptr_null(washi_hessian(washi_cast(x, WASHI_U8), x));
    fails(washi_tape_status(t), WASHI_BAD_TYPE,
          "hessian: y[0] is u8 [], and integers have no derivative");
}
END_TEST

TCase *higher_case(void)
{
    return CASE("higher", open_tape, close_tape, strict_gradients, jacobian_of_softmax,
                jacobian_of_a_product, jacobians_of_little, hessians_are_symmetric_and_make_products,
                second_order_mixed, third_order_mixed, x_to_the_x, misused_products);
}
