/* test_messages.c: mistakes that beginners make, each with the one sentence that it gives. A sentence
 * says what was wrong, and with which shapes, types and names. */
#include "on_tape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static washi_tensor *f32(washi_shape shape) { return washi_input(t, WASHI_F32, shape); }
static washi_tensor *f64(washi_shape shape) { return washi_input(t, WASHI_F64, shape); }
static washi_tensor *i32(washi_shape shape) { return washi_input(t, WASHI_I32, shape); }
static washi_tensor *named(const char *name, washi_tensor *x) { return washi_name(x, name); }

/* -- shapes -- */

START_TEST(shapes_that_do_not_fit)
{
    refuses(WASHI_BAD_SHAPE, "add: [64,10] and [64] do not broadcast",
            washi_add(f32(SHAPE(64, 10)), f32(SHAPE(64))));
    refuses(WASHI_BAD_SHAPE, "matmul: [64,784] x [80,10]: inner sizes 784 and 80 differ",
            washi_matmul(f32(SHAPE(64, 784)), f32(SHAPE(80, 10))));
    refuses(WASHI_BAD_SHAPE, "matmul: [784] x [784,10]: two axes wanted on both sides",
            washi_matmul(f32(SHAPE(784)), f32(SHAPE(784, 10))));
    refuses(WASHI_BAD_SHAPE, "reshape: [28,28] cannot become [780]",
            washi_reshape(f32(SHAPE(28, 28)), SHAPE(780)));
    refuses(WASHI_BAD_SHAPE, "transpose: [3] has no two axes", washi_transpose(f32(SHAPE(3))));
    refuses(WASHI_BAD_SHAPE, "concat: [2,3] and [3,3] differ beside axis 1",
            washi_concat(2, (washi_tensor *[]){f32(SHAPE(2, 3)), f32(SHAPE(3, 3))}, 1));
    refuses(WASHI_BAD_VALUE, "slice: there is no 1 to 4 along axis 1 of [2,3]",
            washi_slice(f32(SHAPE(2, 3)), 1, 1, 4));
    refuses(WASHI_BAD_SHAPE, "input: [-1,784] is no shape", f32(SHAPE(-1, 784)));
    refuses(WASHI_BAD_VALUE, "sum: [64,10] has no axis 2", washi_sum(f32(SHAPE(64, 10)), 2, false));
}
END_TEST

/* -- types -- */

START_TEST(types_that_do_not_fit)
{
    refuses(WASHI_BAD_TYPE, "mul: f32 [2,3] and f64 [] are of different types",
            washi_mul(f32(SHAPE(2, 3)), f64(SCALAR)));
    refuses(WASHI_BAD_TYPE, "exp: operand [3] of type i32: f32 or f64 wanted, cast it first",
            washi_exp(i32(SHAPE(3))));
    refuses(WASHI_BAD_TYPE, "take: indices of type f32: i32 wanted",
            washi_take(f32(SHAPE(10)), f32(SHAPE(2)), 0));
    refuses(WASHI_BAD_VALUE, "scalar: 0.5 is no value of i32", washi_scalar(t, WASHI_I32, 0.5));
}
END_TEST

/* What is made of several ops speaks in its own name, not in theirs. */
START_TEST(functions_of_several_ops)
{
    refuses(WASHI_BAD_TYPE, "isinf: operand [3] of type i32: f32 or f64 wanted, cast it first",
            washi_isinf(i32(SHAPE(3))));
    refuses(WASHI_BAD_TYPE, "clip: operand [3] of type i32: f32 or f64 wanted, cast it first",
            washi_clip(i32(SHAPE(3)), 0, 1));
    refuses(WASHI_BAD_TYPE, "gelu: an operand of type i32: f32 or f64 wanted, cast it first",
            washi_gelu(i32(SHAPE(3))));
    refuses(WASHI_BAD_TYPE, "std: operand [2,3] of type i32: f32 or f64 wanted, cast it first",
            washi_std(i32(SHAPE(2, 3)), 0, false));
    refuses(WASHI_BAD_VALUE, "norm: [2,3] has no axis 2", washi_norm(f32(SHAPE(2, 3)), 2, false));
    refuses(WASHI_BAD_VALUE, "any: [2,3] has no axis 2", washi_any(i32(SHAPE(2, 3)), 2, false));
    refuses(WASHI_BAD_TYPE, "argmax: operand [2,3] of type i32: f32 or f64 wanted, cast it first",
            washi_argmax(i32(SHAPE(2, 3)), 0, false));
    refuses(WASHI_BAD_SHAPE, "lerp: [2] and [3] do not broadcast",
            washi_lerp(f32(SHAPE(2)), f32(SHAPE(3)), f32(SCALAR)));
    refuses(WASHI_BAD_TYPE, "outer: f32 [3] and f64 [2] are of different types",
            washi_outer(f32(SHAPE(3)), f64(SHAPE(2))));
    refuses(WASHI_BAD_TYPE, "dot: operand [3] of type i32: f32 or f64 wanted, cast it first",
            washi_dot(i32(SHAPE(3)), i32(SHAPE(3))));
    refuses(WASHI_BAD_VALUE, "stack: no axis -3 can be put into [2]",
            washi_stack(1, (washi_tensor *[]){f32(SHAPE(2))}, -3));
    refuses(WASHI_BAD_TYPE, "scatter_add: updates of type f64 to f32",
            washi_scatter_add(f32(SHAPE(3)), i32(SHAPE(2)), f64(SHAPE(2)), 0));
    refuses(WASHI_BAD_VALUE, "full: 300 is no value of u8", washi_full(t, WASHI_U8, SHAPE(2), 300));
}
END_TEST

/* -- objects -- */

START_TEST(tensors_from_elsewhere)
{
    washi_tape *other = washi_tape_new(w);
    washi_tensor *strange = named("target", washi_input(other, WASHI_F32, SHAPE(2))), *dx;
    refuses(WASHI_MISUSE, "sub: operand 1, f32 [2] \"target\", is on another tape",
            washi_sub(f32(SHAPE(2)), strange));
    washi_tape_free(other);
    other = washi_tape_new(w);
    strange = washi_input(other, WASHI_F32, SHAPE(2));
    failed(washi_grad(f32(SCALAR), 1, &strange, &dx), WASHI_MISUSE, "grad: x[0] is on another tape");
    refuses(WASHI_MISUSE, "compile: output 0 is on another tape",
            (washi_tensor *)washi_compile(t, 1, &strange));
    washi_tape_free(other);
    refuses(WASHI_MISUSE, "add: operand 1 is NULL", washi_add(f32(SHAPE(2)), NULL));
    refuses(WASHI_MISUSE, "stack: part 1 is NULL",
            washi_stack(2, (washi_tensor *[]){f32(SHAPE(2)), NULL}, 0));
    refuses(WASHI_MISUSE, "constant: the data is NULL", washi_constant(t, WASHI_F32, SHAPE(2), NULL));
    refuses(WASHI_MISUSE, "compile: output 0 is NULL",
            (washi_tensor *)washi_compile(t, 1, (washi_tensor *[]){NULL}));
}
END_TEST

/* What comes after the first mistake neither hides it nor adds to it. */
START_TEST(a_tape_after_a_mistake)
{
    washi_tensor *x = f32(SHAPE(64, 784)), *h = washi_matmul(x, f32(SHAPE(80, 10))), *dx;
    washi_tensor *loss = washi_mean(washi_relu(washi_add(h, f32(SHAPE(10)))), WASHI_ALL, false);
    const char *const first = "matmul: [64,784] x [80,10]: inner sizes 784 and 80 differ";
    ck_assert_ptr_null(loss);
    fails(washi_tape_status(t), WASHI_BAD_SHAPE, first);
    fails(washi_grad(x, 1, &x, &dx), WASHI_BAD_SHAPE, first);
    refuses(WASHI_BAD_SHAPE, first, (washi_tensor *)washi_compile(t, 1, &loss));
    /* Without a tape it tells both. */
    h = washi_matmul(f32(SHAPE(3)), f32(SHAPE(3)));
    fails(washi_grad(h, 1, &x, &dx), WASHI_MISUSE,
          "grad: y[0] is NULL; before that: matmul: [3] x [3]: two axes wanted on both sides");
    fails(washi_eval(1, &h), WASHI_MISUSE,
          "eval: no tensor; before that: matmul: [3] x [3]: two axes wanted on both sides");
}
END_TEST

/* -- derivatives -- */

static washi_status run_nothing(const washi_step *s)
{
    (void)s;
    return WASHI_OK;
}

START_TEST(derivatives_that_there_are_not)
{
    washi_tensor *y, *v, *dx, *x = named("labels", i32(SHAPE(64)));
    failed(washi_grad(f32(SCALAR), 1, &x, &dx), WASHI_BAD_TYPE,
           "grad: x[0] is i32 [64] \"labels\", and integers have no derivative");
    x = f32(SHAPE(64, 10));
    failed(washi_grad(washi_argmax(x, 1, false), 1, &x, &dx), WASHI_BAD_TYPE,
           "grad: y[0] is i32 [64], and integers have no derivative");
    y = f64(SHAPE(2)), v = f64(SHAPE(3));
    failed(washi_vjp(1, &y, &v, 1, &y, &dx), WASHI_BAD_SHAPE,
           "vjp: v[0] is f64 [3] where f64 [2] is wanted");
    y = f64(SHAPE(2)), v = named("bias", f64(SHAPE(3)));
    failed(washi_grad_strict(washi_exp(y), 1, &v, &dx), WASHI_BAD_VALUE,
           "grad_strict: no gradient of f64 [2] reaches x[0], f64 [3] \"bias\"");
    const washi_op own = {.struct_size = sizeof own, .name = "sort", .arity = 1, .run = run_nothing};
    y = f64(SHAPE(2));
    failed(washi_grad(washi_apply(&own, 1, &y, NULL, 0), 1, &y, &dx), WASHI_UNSUPPORTED,
           "sort: this op has no derivative rule");
}
END_TEST

/* -- variables -- */

START_TEST(variables_misused)
{
    float data[4] = {0};
    washi_tensor *v = washi_variable(t, WASHI_F32, SHAPE(2, 2), data);
    refuses(WASHI_MISUSE, "variable: f32 [4] is in the memory of f32 [2,2]",
            washi_variable(t, WASHI_F32, SHAPE(4), data));
    refuses(WASHI_BAD_VALUE, "variable: the data is not aligned to an element of f32",
            washi_variable(t, WASHI_F32, SHAPE(2), (char *)data + 2));
    v = named("kernel", washi_variable(t, WASHI_F32, SHAPE(2, 2), data));
    failed(washi_assign(v, f32(SHAPE(2))), WASHI_BAD_SHAPE,
           "assign: f32 [2,2] \"kernel\" cannot take f32 [2]");
    v = washi_variable(t, WASHI_F32, SHAPE(2, 2), data);
    ok(washi_assign(v, washi_neg(v)));
    failed(washi_assign(v, washi_neg(v)), WASHI_MISUSE, "assign: f32 [2,2] is assigned already");
    failed(washi_assign(f32(SHAPE(2)), f32(SHAPE(2))), WASHI_MISUSE,
           "assign: f32 [2] is made by input, not by washi_variable");
}
END_TEST

/* -- running: the mistake is the call's, and the tape stays as it is -- */

START_TEST(runs_that_cannot_be)
{
    float data[8] = {0};
    const int32_t label = 12;
    washi_tensor *x = named("batch", f32(SHAPE(64, 784))), *y = washi_tanh(x), *l = i32(SHAPE(1));
    fails(washi_eval(1, &y), WASHI_MISUSE, "run: input f32 [64,784] \"batch\" has not been fed");
    fails(washi_feed(y, data), WASHI_MISUSE, "feed: f32 [64,784] is made by tanh, not by washi_input");
    fails(washi_feed(x, (char *)data + 2), WASHI_BAD_VALUE,
          "feed: the data is not aligned to an element of f32");
    ck_assert_ptr_null(washi_f32(y));
    fails(WASHI_MISUSE, WASHI_MISUSE, "data: tanh f32 [64,784] is no output of a program that has run");
    ck_assert_ptr_null(washi_f64(y));
    fails(WASHI_BAD_TYPE, WASHI_BAD_TYPE, "data: tanh f32 [64,784] is not f64");
    ck_assert(isnan(washi_item(y)));
    fails(WASHI_BAD_SHAPE, WASHI_BAD_SHAPE, "item: [64,784] is not one element");
    ok(washi_feed(l, &label));
    y = washi_one_hot(l, 10, WASHI_F32);
    fails(washi_eval(1, &y), WASHI_BAD_VALUE, "one_hot: label 12 is outside 0 ... 9");
    fails(washi_run(NULL), WASHI_MISUSE, "run: the program is NULL");
    ck_assert_int_eq(washi_tape_status(t), WASHI_OK);
}
END_TEST

START_TEST(contexts_that_cannot_be)
{
    washi *other;
    fails(washi_open(&other, &(washi_options){.cpu = "sse9"}), WASHI_UNSUPPORTED,
          "open: CPU level \"sse9\": there is no CPU level of that name in this build");
    fails(washi_open(&other, &(washi_options){.threads = -2}), WASHI_BAD_VALUE, "open: -2 threads");
    ck_assert_ptr_null(washi_tape_new(NULL));
    fails(WASHI_MISUSE, WASHI_MISUSE, "tape_new: the context is NULL");
}
END_TEST

int main(void)
{
    TCase *c = CASE("messages", open_tape, close_tape, shapes_that_do_not_fit, types_that_do_not_fit,
                    functions_of_several_ops, tensors_from_elsewhere, a_tape_after_a_mistake,
                    derivatives_that_there_are_not, variables_misused, runs_that_cannot_be,
                    contexts_that_cannot_be);
    return RUN_SUITE("messages", c);
}
