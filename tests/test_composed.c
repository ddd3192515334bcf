/* test_composed.c: ops that are made of others: random numbers, reductions, movement, products. */
#include "composed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

washi_tensor *f64(washi_shape shape, const double x[])
{
    return washi_constant(t, WASHI_F64, shape, x);
}

washi_tensor *i32(washi_shape shape, const int32_t x[])
{
    return washi_constant(t, WASHI_I32, shape, x);
}

washi_tensor *drawn(washi_shape shape, double low, double high, uint64_t seed)
{
    const size_t n = (size_t)washi_size(shape);
    double *x = malloc((n + 1) * sizeof *x);
    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < n; i++) {
        x[i] = between(&seed, low, high);
        if (fabs(x[i]) < 0.05) x[i] += copysign(0.05, x[i]);
    }
    washi_tensor *constant = f64(shape, x);
    free(x);
    return constant;
}

void gives(washi_tensor *y, washi_shape shape, const double wanted[], double by)
{
    ck_assert_msg(y, "%s", washi_message());
    ck_assert_msg(same_shape(washi_shape_of(y), shape), "%s, not %s", text_of(washi_shape_of(y)),
                  text_of(shape));
    ok(washi_eval(1, &y));
    for (int64_t i = 0; i < washi_size(shape); i++) {
        const double v = element(y, i), e = wanted[i];
        const bool good = isnan(e) ? isnan(v) : !(v < e || v > e) || fabs(v - e) <= by * (1 + fabs(e));
        if (!good || isnan(v) != isnan(e))
            ck_abort_msg("element %lld is %.17g, not %.17g", (long long)i, v, e);
    }
}

/* -- derivatives: L = <u, f(x)>, its gradients g, S = sum <d, g>, its gradients h -- */

enum { MOST = 4 };

struct probe {
    washi_tensor *x[MOST], *loss, *slope, *out[2 + 2 * MOST];
    double *data[MOST];
    washi_program *p;
};

static washi_tensor *weighted(washi_tensor *y, uint64_t seed)
{
    return washi_sum(washi_mul(y, drawn(washi_shape_of(y), -1, 1, seed)), WASHI_ALL, false);
}

static struct probe open_probe(function *f, int n, washi_tensor *const x[])
{
    struct probe p = {.slope = NULL};
    ck_assert_int_le(n, MOST);
    for (int i = 0; i < n; i++) {
        ck_assert_msg(x[i] && washi_eval(1, (washi_tensor *[]){x[i]}) == WASHI_OK, "%s",
                      washi_message());
        const size_t bytes = bytes_of(washi_shape_of(x[i]), WASHI_F64);
        p.data[i] = malloc(bytes + 1);
        ck_assert_ptr_nonnull(p.data[i]);
        if (bytes) memcpy(p.data[i], washi_f64(x[i]), bytes);
        p.x[i] = washi_input(t, WASHI_F64, washi_shape_of(x[i]));
        ok(washi_feed(p.x[i], p.data[i]));
    }
    washi_tensor *y = f(p.x);
    ck_assert_msg(y, "%s", washi_message());
    p.out[0] = p.loss = weighted(y, 3);
    ok(washi_grad(p.loss, n, p.x, p.out + 2));
    for (int i = 0; i < n; i++) {
        washi_tensor *part = weighted(p.out[2 + i], 5 + (uint64_t)i);
        p.slope = p.slope ? washi_add(p.slope, part) : part;
    }
    p.out[1] = p.slope;
    ok(washi_grad(p.slope, n, p.x, p.out + 2 + n));
    p.p = washi_compile(t, 2 + 2 * n, p.out);
    ck_assert_msg(p.p, "%s", washi_message());
    return p;
}

static void near(const char *what, int operand, int64_t i, double v, double e)
{
    const bool good = isfinite(v) && fabs(v - e) <= 5e-7 * (1 + fabs(e));
    if (!good)
        ck_abort_msg("%s by operand %d, element %lld: %.12g, by differences %.12g", what, operand,
                     (long long)i, v, e);
}

void differentiates(function *f, int n, washi_tensor *const x[], int orders)
{
    const double step = 1e-5;
    struct probe p = open_probe(f, n, x);
    double largest[2] = {0, 0};
    for (int k = 0; k < n; k++)
        for (int64_t i = 0; i < washi_size(washi_shape_of(x[k])); i++) {
            double *at = &p.data[k][i], old = *at, value[2][2];
            ok(washi_run(p.p));
            const double g = washi_f64(p.out[2 + k])[i], h = washi_f64(p.out[2 + n + k])[i];
            for (int side = 0; side < 2; side++) {
                *at = side ? old - step : old + step;
                ok(washi_run(p.p));
                value[0][side] = *washi_f64(p.loss), value[1][side] = *washi_f64(p.slope);
            }
            *at = old;
            near("gradient", k, i, g, (value[0][0] - value[0][1]) / (2 * step));
            near("second derivative", k, i, h, (value[1][0] - value[1][1]) / (2 * step));
            largest[0] = fmax(largest[0], fabs(g)), largest[1] = fmax(largest[1], fabs(h));
        }
    for (int order = 0; order < orders; order++)
        ck_assert_msg(largest[order] > 1e-3, "every derivative of order %d is zero", order + 1);
    washi_program_free(p.p);
    for (int k = 0; k < n; k++) free(p.data[k]);
}

int main(void)
{
    return RUN_SUITE("composed", random_case(), movement_case(), reduce_case(), product_case());
}
