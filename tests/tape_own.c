/* tape_own.c: ops of the user's own through the public header: values, parameters, derivatives,
 * scratch, failing runs, and what is refused. */
#include "tape.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static washi_tensor *apply(const washi_op *op, washi_tensor *x, const void *params, size_t size)
{
    return washi_apply(op, 1, &x, params, size);
}

static washi_tensor *gradient(washi_tensor *y, washi_tensor *x)
{
    washi_tensor *dx = NULL;
    ok(washi_grad(y, 1, &x, &dx));
    return dx;
}

/* -- a power with a whole exponent, its parameter -- */

static washi_tensor *power(washi_tensor *x, int exponent);

static washi_status run_power(const washi_step *s)
{
    const double *x = s->x[0].data;
    double *y = s->y;
    ck_assert(s->n == 1 && !s->scratch && same_shape(s->shape, s->x[0].shape));
    for (int64_t i = 0; i < washi_size(s->shape); i++) y[i] = pow(x[i], *(const int *)s->params);
    return WASHI_OK;
}

static void power_rule(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
{
    const int exponent = *(const int *)washi_params(y);
    if (exponent) gx[0] = washi_scale(washi_mul(g, power(washi_operand(y, 0), exponent - 1)), exponent);
}

static const washi_op power_op = {
    .struct_size = sizeof(washi_op), .name = "power", .arity = 1, .run = run_power, .rule = power_rule};

static washi_tensor *power(washi_tensor *x, int exponent)
{
    return apply(&power_op, x, &exponent, sizeof exponent);
}

START_TEST(value_and_four_orders)
{
    const double at[3] = {-1.5, 0.5, 2};
    washi_tensor *x = vector(3, at), *d[5] = {power(x, 4)};
    ck_assert_str_eq(washi_op_name(d[0]), "power");
    for (int i = 1; i < 5; i++) d[i] = gradient(d[i - 1], x);
    ok(washi_eval(5, d));
    const double factor[5] = {1, 4, 12, 24, 24};
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 3; k++)
            ck_assert_double_eq_tol(element(d[i], k), factor[i] * pow(at[k], 4 - i), 1e-12);
    washi_tensor *v = vector(3, (double[]){1, 2, 3}), *dy, *nothing = gradient(power(x, 0), x);
    ok(washi_jvp(1, d, 1, &x, &v, &dy));
    ok(washi_eval(1, &dy));
    for (int k = 0; k < 3; k++)
        ck_assert_double_eq_tol(element(dy, k), 4 * pow(at[k], 3) * (k + 1), 1e-12);
    ok(washi_eval(1, &nothing));
    ck_assert(fpclassify(element(nothing, 1)) == FP_ZERO);
}
END_TEST

static washi_tensor *powers(int n, washi_tensor *const x[], const void *config)
{
    (void)n;
    return washi_tanh(power(power(x[0], *(const int *)config), 2));
}

START_TEST(in_a_checkpoint)
{
    int exponent = 3;
    washi_tensor *x = vector(3, (double[]){-0.5, -0.3, -0.1}), *in = washi_exp(x), *d[2];
    washi_tensor *plain = powers(1, &in, &exponent),
                 *again = washi_checkpoint(powers, &exponent, 1, &in);
    exponent = 7; /* which was copied */
    d[0] = gradient(gradient(plain, x), x);
    d[1] = gradient(gradient(again, x), x);
    ok(washi_eval(2, d));
    for (int k = 0; k < 3; k++) {
        ck_assert_double_eq_tol(element(d[0], k), element(d[1], k), 1e-12);
        ck_assert_double_gt(fabs(element(d[0], k)), 1e-6);
    }
}
END_TEST

/* Nodes are one when the op, the operands and the bytes of the parameters are. */
START_TEST(shared_by_their_parameters)
{
    washi_tensor *x = fed(SHAPE(2), (double[]){2, 3});
    const washi_op copy = power_op;
    const int three = 3;
    washi_tensor *y[4] = {power(x, 2), power(x, 3), power(x, 2), apply(&copy, x, &three, sizeof three)};
    washi_program *p = compiled(4, y);
    ck_assert_int_eq(dumped(p, "power"), 2);
    washi_program_free(p);
    ok(washi_eval(4, y));
    for (int i = 0; i < 4; i++) ck_assert_double_eq(element(y[i], 0), i % 2 ? 8 : 4);
}
END_TEST

/* -- any number of operands, a shape rule, scratch: the sorted elements of several vectors -- */

static washi_status infer_merge(int n, washi_tensor *const x[], const void *params, washi_dtype *type,
                                washi_shape *shape)
{
    ck_assert_ptr_null(params);
    *shape = SHAPE(0);
    for (int i = 0; i < n; i++) {
        const washi_shape s = washi_shape_of(x[i]);
        if (s.rank != 1)
            return washi_fail(NULL, WASHI_BAD_SHAPE, "operand %d has rank %d, not 1", i, s.rank);
        shape->dim[0] += s.dim[0];
    }
    *type = WASHI_F32;
    return WASHI_OK;
}

static size_t merge_scratch(const washi_step *s)
{
    ck_assert(s->n > 0 && s->type == WASHI_F32 && !s->y && !s->x[0].data);
    return sizeof(double) * (size_t)s->shape.dim[0];
}

static washi_status run_merge(const washi_step *s)
{
    double *all = s->scratch;
    size_t count = 0;
    ck_assert_uint_eq((uintptr_t)s->scratch % 64, 0);
    for (int i = 0; i < s->n; i++)
        for (int64_t k = 0; k < s->x[i].shape.dim[0]; k++) {
            const double v = ((const double *)s->x[i].data)[k];
            size_t at = count++;
            for (; at && all[at - 1] > v; at--) all[at] = all[at - 1];
            all[at] = v;
        }
    for (size_t k = 0; k < count; k++) ((float *)s->y)[k] = (float)all[k];
    return WASHI_OK;
}

static const washi_op merge_op = {.struct_size = sizeof(washi_op),
                                  .name = "merge",
                                  .doc = "all elements in order",
                                  .arity = -1,
                                  .infer = infer_merge,
                                  .run = run_merge,
                                  .scratch = merge_scratch};

START_TEST(any_number_of_operands)
{
    washi_tensor *x[3] = {vector(2, (double[]){5, 1}), vector(1, (double[]){3}),
                          washi_exp(vector(3, (double[]){0, 1, 2}))};
    washi_tensor *y = washi_apply(&merge_op, 3, x, NULL, 0);
    ck_assert_int_eq(washi_dtype_of(y), WASHI_F32);
    ck_assert(same_shape(washi_shape_of(y), SHAPE(6)));
    washi_tensor *z = washi_scale(y, 2);
    ok(washi_eval(1, &z));
    const double wanted[6] = {1, 1, exp(1), 3, 5, exp(2)};
    for (int i = 0; i < 6; i++) ck_assert_double_eq_tol(element(z, i), 2 * wanted[i], 1e-5);
    ck_assert_ptr_null(
        washi_apply(&merge_op, 2, (washi_tensor *[]){x[0], washi_reshape(x[0], SHAPE(2, 1))}, NULL, 0));
    fails(washi_tape_status(t), WASHI_BAD_SHAPE, "merge: operand 1 has rank 2, not 1");
}
END_TEST

START_TEST(without_a_rule)
{
    washi_tensor *x = vector(2, (double[]){1, 2}), *other = number(1), *dx = x;
    washi_tensor *y = washi_cast(apply(&merge_op, x, NULL, 0), WASHI_F64);
    ok(washi_grad(y, 1, &other, &dx)); /* which it does not stand between */
    fails(washi_grad(y, 1, &x, &dx), WASHI_UNSUPPORTED, "merge: this op has no derivative rule");
    ck_assert_ptr_null(dx);
}
END_TEST

/* -- failing runs -- */

static washi_status run_refuse(const washi_step *s)
{
    const double x = *(const double *)s->x[0].data;
    *(double *)s->y = 77;
    if (x < 0) return washi_fail(NULL, WASHI_BAD_VALUE, "%g is negative", x);
    *(double *)s->y = sqrt(x);
    return WASHI_OK;
}

static const washi_op root_op = {
    .struct_size = sizeof(washi_op), .name = "root", .arity = 1, .run = run_refuse};

START_TEST(a_failing_run_assigns_nothing)
{
    double a = 16, b = 1, x = 81;
    washi_tensor *in = fed(SCALAR, &x), *va = washi_variable(t, WASHI_F64, SCALAR, &a),
                 *vb = washi_variable(t, WASHI_F64, SCALAR, &b);
    ok(washi_assign(vb, washi_shift(vb, 1)));                          /* which is ready first */
    ok(washi_assign(va, apply(&root_op, washi_mul(va, in), NULL, 0))); /* va is read before */
    washi_program *p = compiled(0, NULL);
    ok(washi_run(p));
    ck_assert_double_eq(a, 36);
    ck_assert_double_eq(b, 2);
    x = -4;
    fails(washi_run(p), WASHI_BAD_VALUE, "root: -144 is negative");
    ck_assert_double_eq(a, 36);
    ck_assert_double_eq(b, 2);
    x = 4;
    ok(washi_run(p));
    ck_assert_double_eq(a, 12);
    ck_assert_double_eq(b, 3);
    ck_assert_int_eq(washi_tape_status(t), WASHI_OK);
    washi_program_free(p);
}
END_TEST

/* Between steps that threads share, in all that a gradient makes of it. */
static double *shared_gradient(washi *by, int64_t n)
{
    washi_tape *tape = washi_tape_new(by);
    double *data = malloc((size_t)n * 2 * sizeof *data);
    ck_assert_ptr_nonnull(data);
    for (int64_t i = 0; i < n; i++) data[i] = sin((double)i);
    washi_tensor *x = washi_constant(tape, WASHI_F64, SHAPE(n), data), *h = x, *dx;
    for (int i = 2; i < 5; i++) {
        washi_tensor *a = washi_exp(washi_tanh(h)), *b = washi_tanh(washi_scale(h, 0.5));
        h = washi_add(power(a, i),
                      washi_mul(power(b, i), washi_sum(power(washi_sub(a, b), 2), 0, true)));
        h = washi_scale(h, 1e-5);
    }
    ok(washi_grad(h, 1, &x, &dx));
    ok(washi_eval(2, (washi_tensor *[]){dx, h}));
    memcpy(data, washi_data(dx), (size_t)n * sizeof *data);
    memcpy(data + n, washi_data(h), (size_t)n * sizeof *data);
    washi_tape_free(tape);
    return data;
}

START_TEST(several_threads)
{
    enum { N = 150000 };
    double *alone = shared_gradient(w, N);
    for (int threads = 2; threads < 5; threads++) {
        washi *by;
        ok(washi_open(&by, &(washi_options){.threads = threads}));
        double *shared = shared_gradient(by, N);
        ck_assert_mem_eq(alone, shared, 2 * N * sizeof *alone);
        free(shared);
        washi_close(by);
    }
    free(alone);
}
END_TEST

/* -- wrong rules, incomplete ops -- */

static void rule_of_another_shape(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
{
    (void)y;
    gx[0] = washi_sum(g, WASHI_ALL, false);
}

static void rule_of_another_type(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
{
    (void)y;
    gx[0] = washi_cast(g, WASHI_F32);
}

static void rule_that_stretches(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
{
    gx[0] = washi_broadcast_to(washi_mul(g, power(washi_operand(y, 0), 1)), SHAPE(4, 2));
}

static void rule_that_cannot_be_recorded(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
{
    gx[0] = washi_mul(washi_transpose(g), washi_operand(y, 0));
}

START_TEST(wrong_rules_are_named)
{
    const struct {
        void (*rule)(washi_tensor *y, washi_tensor *g, washi_tensor *gx[]);
        const char *message;
    } wrong[] = {
        {rule_that_cannot_be_recorded, "power, its rule: transpose: [2] has no two axes"},
        {rule_of_another_shape, "power: the rule's gradient of operand 0 is f64 [], not f64 [2]"},
        {rule_of_another_type, "power: the rule's gradient of operand 0 is f32 [2], not f64 [2]"}};
    washi_op op = power_op;
    const int two = 2;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        washi_tensor *x = vector(2, (double[]){1, 3}), *dx;
        op.rule = wrong[i].rule;
        fails(washi_grad(apply(&op, x, &two, sizeof two), 1, &x, &dx), WASHI_BAD_SHAPE,
              wrong[i].message);
        new_tape();
    }
    op.rule = rule_that_stretches;
    washi_tensor *x = vector(2, (double[]){1, 3}), *dx = gradient(apply(&op, x, &two, sizeof two), x);
    ok(washi_eval(1, &dx));
    ck_assert_double_eq(element(dx, 1), 12);
}
END_TEST

static void refuses_op(const washi_op *op, int n, washi_status status, const char *message)
{
    washi_tensor *x = number(2), *both[2] = {x, x};
    ck_assert_ptr_null(washi_apply(op, n, both, NULL, 0));
    fails(washi_tape_status(t), status, message);
    new_tape();
}

static washi_status infer_nonsense(int n, washi_tensor *const x[], const void *params,
                                   washi_dtype *type, washi_shape *shape)
{
    (void)n, (void)x, (void)params;
    *type = (washi_dtype)(shape->rank + 9);
    return WASHI_OK;
}

START_TEST(incomplete_ops_are_refused)
{
    washi_op op = power_op;
    refuses_op(NULL, 1, WASHI_MISUSE, "apply: the op is NULL");
    refuses_op(&op, 2, WASHI_MISUSE, "power: 2 operands where 1 is wanted");
    op.name = NULL;
    refuses_op(&op, 1, WASHI_MISUSE,
               "apply: the op needs a name, a run function and an arity of -1 or from 1");
    op = power_op, op.run = NULL;
    refuses_op(&op, 1, WASHI_MISUSE,
               "apply: power needs a name, a run function and an arity of -1 or from 1");
    op = power_op, op.struct_size = 8;
    refuses_op(&op, 1, WASHI_MISUSE, "apply: the op's struct_size is 8, not sizeof(washi_op)");
    op = power_op, op.infer = infer_nonsense;
    refuses_op(&op, 1, WASHI_BAD_TYPE, "power: there is no type 9");
    ck_assert_ptr_null(apply(&power_op, number(1), NULL, 4));
    fails(washi_tape_status(t), WASHI_MISUSE, "power: the parameters are NULL");
    new_tape();
    ck_assert_ptr_null(washi_apply(&merge_op, 0, NULL, NULL, 0));
    fails(washi_tape_status(t), WASHI_OK, "merge: 0 operands where at least 1 is wanted");
    ck_assert(!apply(&power_op, NULL, NULL, 0) && !washi_params(NULL) && !washi_params(number(1)));
    ck_assert_int_eq(washi_tape_status(t), WASHI_OK);
}
END_TEST

/* An op of a version that knew fewer fields, and one that knows more. */
START_TEST(the_struct_may_grow)
{
    struct {
        washi_op op;
        char later[64];
    } larger = {power_op, {1}};
    larger.op.struct_size = sizeof larger;
    washi_op smaller = power_op;
    smaller.struct_size = offsetof(washi_op, rule);
    smaller.scratch = merge_scratch; /* beyond its size: not there */
    const int two = 2;
    washi_tensor *x = vector(1, (double[]){3}), *y = apply(&larger.op, x, &two, sizeof two), *dx;
    ck_assert_double_eq(washi_item(gradient(y, x)), 6);
    y = apply(&smaller, x, &two, sizeof two);
    ck_assert_double_eq(washi_item(y), 9);
    fails(washi_grad(y, 1, &x, &dx), WASHI_UNSUPPORTED, "power: this op has no derivative rule");
}
END_TEST

TCase *own_case(void)
{
    return CASE("own", open_tape, close_tape, value_and_four_orders, in_a_checkpoint,
                shared_by_their_parameters, any_number_of_operands, without_a_rule,
                a_failing_run_assigns_nothing, several_threads, wrong_rules_are_named,
                incomplete_ops_are_refused, the_struct_may_grow);
}
