/* test_tape.c: recording, through the public header alone: errors that stick, mixed tapes, NULL
 * everywhere. */
#define _POSIX_C_SOURCE 200809L
#include "tape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

washi_tensor *number(double value) { return washi_scalar(t, WASHI_F64, value); }
washi_tensor *vector(int64_t n, const double x[]) { return washi_constant(t, WASHI_F64, SHAPE(n), x); }

washi_tensor *matrix(int64_t rows, int64_t columns, const double x[])
{
    return washi_constant(t, WASHI_F64, SHAPE(rows, columns), x);
}

washi_tensor *fed(washi_shape shape, const void *data)
{
    washi_tensor *x = washi_input(t, WASHI_F64, shape);
    ok(washi_feed(x, data));
    return x;
}

void near(double v, double wanted, double tolerance)
{
    ck_assert_msg(fabs(v - wanted) <= tolerance * (1 + fabs(wanted)), "%.15g where %.15g is wanted", v,
                  wanted);
}

void is(const washi_tensor *y, int64_t i, double wanted)
{
    ck_assert_msg(fabs(element(y, i) - wanted) <= 1e-15 * fabs(wanted), "%.17g, not %.17g",
                  element(y, i), wanted);
}

/* -- errors that stick -- */

START_TEST(the_first_error_stays)
{
    washi_tensor *a = washi_input(t, WASHI_F32, SHAPE(2, 3)),
                 *b = washi_input(t, WASHI_F32, SHAPE(4, 5));
    ck_assert_int_eq(washi_tape_status(t), WASHI_OK);
    ck_assert_ptr_null(washi_matmul(a, b));
    fails(washi_tape_status(t), WASHI_BAD_SHAPE, "matmul: [2,3] x [4,5]: inner sizes 3 and 4 differ");
    ck_assert_ptr_null(washi_add(a, a));
    ck_assert_ptr_null(washi_exp(washi_add(washi_matmul(a, b), a)));
    ck_assert_ptr_null(washi_cast(washi_tanh(NULL), WASHI_I32));
    ck_assert_ptr_null(washi_input(t, (washi_dtype)77, SCALAR));
    ck_assert_ptr_null(washi_variable(t, WASHI_F32, SCALAR, &(float){0}));
    fails(washi_tape_status(t), WASHI_BAD_SHAPE, "matmul: [2,3] x [4,5]: inner sizes 3 and 4 differ");
    washi_tensor *dx = a;
    fails(washi_grad(a, 1, &b, &dx), WASHI_BAD_SHAPE,
          "matmul: [2,3] x [4,5]: inner sizes 3 and 4 differ");
    ck_assert_ptr_null(dx);
    fails(washi_assign(a, b), WASHI_BAD_SHAPE, "matmul: [2,3] x [4,5]: inner sizes 3 and 4 differ");
    ck_assert_ptr_null(washi_compile(t, 1, &a));
    fails(washi_eval(1, &a), WASHI_BAD_SHAPE, "matmul: [2,3] x [4,5]: inner sizes 3 and 4 differ");
    ck_assert(isnan(washi_item(a)) || washi_size(washi_shape_of(a)) != 1);
}
END_TEST

START_TEST(null_in_gives_null_out)
{
    washi_tensor *a = number(1), *none = NULL, *pair[2] = {a, NULL};
    washi_tensor *(*const unary[])(washi_tensor *) = {
        washi_neg,         washi_exp,       washi_log,          washi_sqrt,
        washi_tanh,        washi_sigmoid,   washi_relu,         washi_softmax,
        washi_log_softmax, washi_transpose, washi_stop_gradient};
    washi_tensor *(*const binary[])(washi_tensor *, washi_tensor *) = {
        washi_add, washi_sub, washi_mul, washi_div, washi_greater_equal, washi_equal, washi_matmul};
    washi_tensor *(*const fold[])(washi_tensor *, int, bool) = {washi_sum, washi_mean, washi_max,
                                                                washi_argmax, washi_logsumexp};
    for (size_t i = 0; i < sizeof unary / sizeof *unary; i++) ck_assert_ptr_null(unary[i](none));
    for (size_t i = 0; i < sizeof fold / sizeof *fold; i++)
        ck_assert(!fold[i](none, 0, false) && !fold[i](none, WASHI_ALL, true));
    for (size_t i = 0; i < sizeof binary / sizeof *binary; i++)
        ck_assert_ptr_null(binary[i](none, none));
    ck_assert(!washi_scale(none, 2) && !washi_shift(none, 2) && !washi_where(none, none, none));
    ck_assert(!washi_softmax_along(none, 0) && !washi_log_softmax_along(none, 0));
    ck_assert(!washi_reshape(none, SCALAR) && !washi_permute(none, NULL) &&
              !washi_broadcast_to(none, SCALAR));
    ck_assert(!washi_slice(none, 0, 0, 1) && !washi_pad(none, 0, 1, 1) && !washi_cast(none, WASHI_F32));
    ck_assert(!washi_concat(1, &none, 0) && !washi_concat(0, pair, 0) && !washi_concat(1, NULL, 0));
    ck_assert(!washi_take(none, none, 0) && !washi_scatter_add(none, none, none, 0) &&
              !washi_one_hot(none, 3, WASHI_F32));
    ck_assert(!washi_input(NULL, WASHI_F32, SCALAR) && !washi_constant(NULL, WASHI_F32, SCALAR, &a));
    ck_assert(!washi_scalar(NULL, WASHI_F32, 1) && !washi_full(NULL, WASHI_F32, SCALAR, 1));
    ck_assert(!washi_variable(NULL, WASHI_F32, SCALAR, &a) && !washi_tape_new(NULL));
    ck_assert_int_eq(washi_tape_status(t), WASHI_OK); /* nothing above was on it */
    for (size_t i = 0; i < sizeof binary / sizeof *binary; i++) {
        ck_assert_ptr_null(i % 2 ? binary[i](number(1), none) : binary[i](none, number(1)));
        ck_assert_int_eq(washi_tape_status(t), WASHI_MISUSE);
        new_tape();
    }
    ck_assert_ptr_null(washi_concat(2, (washi_tensor *[]){number(1), NULL}, 0));
    new_tape();
    ck_assert_ptr_null(washi_take(vector(1, &(double){1}), none, 0));
    fails(washi_tape_status(t), WASHI_MISUSE, "take: operand 1 is NULL");
    new_tape();
    ck_assert_ptr_null(washi_scatter_add(vector(1, &(double){1}), none, none, 0));
    ck_assert_int_eq(washi_tape_status(t), WASHI_MISUSE);
    new_tape();
    ck_assert_ptr_null(washi_where(number(1), none, number(1)));
    fails(washi_tape_status(t), WASHI_MISUSE, "where: operand 1 is NULL");
}
END_TEST

START_TEST(null_is_looked_at_calmly)
{
    ck_assert_int_eq(washi_tape_status(NULL), WASHI_MISUSE);
    ck_assert_int_eq(washi_shape_of(NULL).rank, 0);
    ck_assert_int_eq(washi_dtype_of(NULL), WASHI_F32);
    ck_assert(!washi_tape_of(NULL) && !washi_context_of(NULL) && !*washi_op_name(NULL));
    ck_assert(!washi_operands(NULL) && !washi_operand(NULL, 0));
    ck_assert(!washi_data(NULL) && !washi_f32(NULL) && !washi_f64(NULL) && !washi_program_bytes(NULL));
    washi_program_free(NULL);
    washi_tape_free(NULL);
    washi_close(NULL);
    fails(washi_run(NULL), WASHI_MISUSE, "run: the program is NULL");
    fails(washi_tape_dot(NULL, stdout), WASHI_MISUSE, "tape_dot: the tape or the file is NULL");
    fails(washi_program_dot(NULL, stdout), WASHI_MISUSE,
          "program_dot: the program or the file is NULL");
    fails(washi_profile(NULL, true), WASHI_MISUSE, "profile: the program is NULL");
    fails(washi_profile_print(NULL, stdout), WASHI_MISUSE,
          "profile_print: the program or the file is NULL");
    fails(washi_dump(NULL, stdout), WASHI_MISUSE, "dump: the program or the file is NULL");
    ck_assert_int_eq(washi_feed(NULL, &w), WASHI_MISUSE);
    ck_assert_int_eq(washi_assign(NULL, NULL), WASHI_MISUSE);
    ck_assert_ptr_null(washi_compile(NULL, 0, NULL));
    ck_assert_int_eq(washi_eval(0, NULL), WASHI_MISUSE);
    ck_assert_int_eq(washi_eval(1, (washi_tensor *[]){NULL}), WASHI_MISUSE);
    ck_assert(isnan(washi_item(NULL)));
    washi_tensor *y = number(2), *sum = washi_add(y, y);
    ck_assert(washi_tape_of(y) == t && washi_context_of(t) == w && washi_operands(sum) == 2);
    ck_assert(washi_operand(sum, 1) == y && !washi_operand(sum, 2) && !washi_operand(sum, -1));
    ck_assert_str_eq(washi_op_name(sum), "add");
    ck_assert(washi_data(sum) == NULL && !washi_f32(y) && washi_f64(y));
}
END_TEST

START_TEST(tapes_do_not_mix)
{
    washi_tape *other = washi_tape_new(w);
    washi_tensor *a = number(1), *b = washi_scalar(other, WASHI_F64, 1), *dx;
    ck_assert_ptr_null(washi_add(a, b));
    fails(washi_tape_status(t), WASHI_MISUSE, "add: operand 1, f64 [], is on another tape");
    ck_assert_int_eq(washi_tape_status(other), WASHI_MISUSE);
    new_tape();
    washi_tape_free(other);
    other = washi_tape_new(w);
    a = number(1), b = washi_scalar(other, WASHI_F64, 1);
    fails(washi_grad(a, 1, &b, &dx), WASHI_MISUSE, "grad: x[0] is on another tape");
    new_tape();
    a = number(1);
    fails(washi_vjp(1, &a, &b, 1, &a, &dx), WASHI_MISUSE, "vjp: v[0] is on another tape");
    new_tape();
    a = number(1);
    ck_assert_ptr_null(washi_compile(t, 1, &b));
    fails(washi_tape_status(t), WASHI_MISUSE, "compile: output 0 is on another tape");
    new_tape();
    a = number(1);
    ck_assert_int_eq(washi_eval(2, (washi_tensor *[]){a, b}), WASHI_MISUSE);
    new_tape();
    double data = 1;
    a = washi_variable(t, WASHI_F64, SCALAR, &data);
    fails(washi_assign(a, b), WASHI_MISUSE, "assign: f64 [] and f64 [] are on different tapes");
    ck_assert_int_eq(washi_tape_status(other), WASHI_OK);
    washi_tape_free(other);
}
END_TEST

START_TEST(misused_derivatives)
{
    washi_tensor *x = vector(2, (double[]){1, 2}), *y = washi_mul(x, x), *u = vector(1, &(double){1}),
                 *dx;
    ck_assert_int_eq(washi_grad(NULL, 1, &x, &dx), WASHI_MISUSE);
    ck_assert_ptr_nonnull(strstr(washi_message(), "grad: y[0] is NULL"));
    ck_assert_int_eq(washi_tape_status(t), WASHI_OK);
    failed(washi_grad(y, -1, &x, &dx), WASHI_MISUSE, "grad: -1 tensors in x");
    x = number(1);
    failed(washi_grad(x, 1, NULL, &dx), WASHI_MISUSE, "grad: x is NULL");
    x = number(1);
    failed(washi_grad(x, 1, &x, NULL), WASHI_MISUSE, "grad: the place for the derivatives is NULL");
    x = number(1);
    failed(washi_grad(x, 1, (washi_tensor *[]){NULL}, &dx), WASHI_MISUSE, "grad: x[0] is NULL");
    x = washi_scalar(t, WASHI_I32, 1);
    failed(washi_grad(x, 1, &x, &dx), WASHI_BAD_TYPE,
           "grad: y[0] is i32 [], and integers have no derivative");
    y = number(1), x = washi_scalar(t, WASHI_U8, 1);
    failed(washi_grad(y, 1, &x, &dx), WASHI_BAD_TYPE,
           "grad: x[0] is u8 [], and integers have no derivative");
    x = vector(2, (double[]){1, 2}), u = vector(1, (double[]){1});
    failed(washi_vjp(1, &x, &u, 1, &x, &dx), WASHI_BAD_SHAPE,
           "vjp: v[0] is f64 [1] where f64 [2] is wanted");
    ck_assert_ptr_null(dx);
    x = vector(2, (double[]){1, 2}), u = washi_cast(x, WASHI_F32);
    failed(washi_jvp(1, &x, 1, &x, &u, &dx), WASHI_BAD_SHAPE,
           "jvp: v[0] is f32 [2] where f64 [2] is wanted");
    x = number(1);
    failed(washi_jvp(1, &x, 0, NULL, NULL, &dx), WASHI_MISUSE, "jvp: no x");
    x = number(1);
    failed(washi_jvp(1, &x, 1, &x, NULL, &dx), WASHI_MISUSE, "jvp: v is NULL");
    x = number(1);
    ck_assert_int_eq(washi_jvp(1, &x, 1, &x, &x, NULL), WASHI_MISUSE);
    new_tape();
    x = number(1);
    ok(washi_grad(x, 0, NULL, NULL));
    ok(washi_vjp(0, NULL, NULL, 1, &x, &dx));
    ok(washi_eval(1, &dx));
    ck_assert(fpclassify(element(dx, 0)) == FP_ZERO);
}
END_TEST

START_TEST(misused_variables_and_inputs)
{
    double data[4] = {1, 2, 3, 4};
    washi_tensor *v = washi_variable(t, WASHI_F64, SHAPE(2), data),
                 *x = washi_input(t, WASHI_F64, SHAPE(2));
    ck_assert(washi_variable(t, WASHI_F64, SHAPE(2), data) == v);
    ck_assert(washi_variable(t, WASHI_F64, SHAPE(2), data + 2) != v);
    fails(washi_feed(v, data), WASHI_MISUSE, "feed: f64 [2] is made by variable, not by washi_input");
    fails(washi_feed(x, (char *)data + 1), WASHI_BAD_VALUE,
          "feed: the data is not aligned to an element of f64");
    ck_assert_int_eq(washi_tape_status(t), WASHI_OK);
    washi_tensor *y = washi_neg(x);
    fails(washi_eval(1, &y), WASHI_MISUSE, "run: input f64 [2] has not been fed");
    ck_assert_ptr_null(washi_data(y));
    failed(washi_assign(x, x), WASHI_MISUSE, "assign: f64 [2] is made by input, not by washi_variable");
    v = washi_variable(t, WASHI_F64, SHAPE(2), data);
    ck_assert_ptr_null(washi_variable(t, WASHI_F64, SHAPE(4), data));
    failed(washi_tape_status(t), WASHI_MISUSE, "variable: f64 [4] is in the memory of f64 [2]");
    v = washi_variable(t, WASHI_F64, SHAPE(2), data);
    failed(washi_assign(v, number(1)), WASHI_BAD_SHAPE, "assign: f64 [2] cannot take f64 []");
    v = washi_variable(t, WASHI_F64, SHAPE(2), data);
    failed(washi_assign(v, washi_cast(v, WASHI_F32)), WASHI_BAD_TYPE,
           "assign: f64 [2] cannot take f32 [2]");
    v = washi_variable(t, WASHI_F64, SHAPE(2), data);
    ok(washi_assign(v, washi_neg(v)));
    failed(washi_assign(v, washi_neg(v)), WASHI_MISUSE, "assign: f64 [2] is assigned already");
    v = washi_variable(t, WASHI_F64, SHAPE(2), data);
    failed(washi_assign(v, NULL), WASHI_MISUSE, "assign: the variable or the value is NULL");
}
END_TEST

START_TEST(misused_outputs)
{
    ck_assert_ptr_null(washi_compile(t, 1, (washi_tensor *[]){NULL}));
    failed(washi_tape_status(t), WASHI_MISUSE, "compile: output 0 is NULL");
    ck_assert_ptr_null(washi_compile(t, -1, NULL));
    failed(washi_tape_status(t), WASHI_MISUSE, "compile: -1 outputs");
    ck_assert(isnan(washi_item(vector(2, (double[]){1, 2}))));
    ck_assert_str_eq(washi_message(), "item: [2] is not one element");
    ck_assert_int_eq(washi_tape_status(t), WASHI_OK);
}
END_TEST

START_TEST(failures_of_ones_own)
{
    fails(washi_fail(NULL, WASHI_IO, "%s %d", "own", 1), WASHI_IO, "own 1");
    ck_assert_int_eq(washi_tape_status(t), WASHI_OK);
    fails(washi_fail(t, WASHI_BAD_FILE, "two"), WASHI_BAD_FILE, "two");
    fails(washi_fail(t, WASHI_BAD_VALUE, "again: %s", washi_message()), WASHI_BAD_VALUE, "again: two");
    ck_assert_int_eq(washi_tape_status(t), WASHI_BAD_FILE);
    for (int i = 0; i <= WASHI_BAD_FILE + 1; i++)
        ck_assert_int_gt((int)strlen(washi_status_name((washi_status)i)), 1);
}
END_TEST

START_TEST(opening)
{
    washi *other = w;
    fails(washi_open(&other, &(washi_options){.threads = -1}), WASHI_BAD_VALUE, "open: -1 threads");
    ck_assert_ptr_null(other);
    ck_assert_int_eq(washi_open(NULL, NULL), WASHI_MISUSE);
    fails(washi_open(&other, &(washi_options){.cpu = "z80"}), WASHI_UNSUPPORTED,
          "open: CPU level \"z80\": there is no CPU level of that name in this build");
    ok(washi_open(&other, NULL));
    ck_assert_int_ge(washi_threads(other), 1);
    ck_assert(*washi_cpu(other));
    washi_close(other);
    ok(washi_open(&other, &(washi_options){.threads = 3, .cpu = "scalar"}));
    ck_assert_int_eq(washi_threads(other), 3);
    ck_assert_str_eq(washi_cpu(other), "scalar");
    washi_close(other);
}
END_TEST

int main(void)
{
    TCase *recording =
        CASE("recording", open_tape, close_tape, the_first_error_stays, null_in_gives_null_out,
             null_is_looked_at_calmly, tapes_do_not_mix, misused_derivatives,
             misused_variables_and_inputs, misused_outputs, failures_of_ones_own, opening);
    return RUN_SUITE("tape", recording, assign_case(), derivatives_case(), higher_case(),
                     checkpoint_case(), own_case(), check_case(), gradcheck_case(), programs_case(),
                     memory_case(), random_case(), rows_case(), folds_case(), products_case());
}
