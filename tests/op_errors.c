/* op_errors.c: what each op refuses, by its exact sentence. Every op of the table has at least one. */
#include "on_tape.h"
#include "ops.h"

#include <stdio.h>
#include <string.h>

enum { MOST_REFUSALS = 400 };
static char refused[MOST_REFUSALS][32]; /* the ops that refused something */
static int refusals;

static void open_anew(void)
{
    open_tape();
    refusals = 0;
}

static washi_tensor *in(washi_dtype type, washi_shape shape) { return washi_input(t, type, shape); }
static washi_tensor *f32(washi_shape shape) { return in(WASHI_F32, shape); }
static washi_tensor *i32(washi_shape shape) { return in(WASHI_I32, shape); }

/* Notes the op that the sentence names. */
static void check_refusal(washi_status status, const char *text, const washi_tensor *y)
{
    refuses(status, text, y);
    ck_assert_int_lt(refusals, MOST_REFUSALS);
    snprintf(refused[refusals++], sizeof refused[0], "%.*s", (int)strcspn(text, ":"), text);
}

#define REFUSES(status, text, call) check_refusal(WASHI_##status, text, call)

static void refuses_sources(void)
{
    REFUSES(BAD_TYPE, "input: there is no type 9", in((washi_dtype)9, SCALAR));
    REFUSES(BAD_SHAPE, "input: [-1] is no shape", f32(SHAPE(-1)));
    REFUSES(BAD_SHAPE, "input: [a rank outside 0 ... 8] is no shape", f32(washi_shape_make(9, NULL)));
    REFUSES(BAD_SHAPE, "input: [1099511627776,1099511627776] is no shape",
            f32(SHAPE(1099511627776, 1099511627776)));
    REFUSES(MISUSE, "constant: the data is NULL", washi_constant(t, WASHI_F32, SHAPE(2), NULL));
    REFUSES(BAD_TYPE, "constant: there is no type 4",
            washi_constant(t, (washi_dtype)4, SHAPE(2), "12345678"));
    REFUSES(MISUSE, "variable: the tape or the data is NULL",
            washi_variable(t, WASHI_F32, SHAPE(2), NULL));
    REFUSES(BAD_VALUE, "scalar: 0.5 is no value of i32", washi_scalar(t, WASHI_I32, 0.5));
    REFUSES(BAD_VALUE, "scalar: 256 is no value of u8", washi_scalar(t, WASHI_U8, 256));
    REFUSES(BAD_VALUE, "scalar: -1 is no value of u8", washi_scalar(t, WASHI_U8, -1));
    REFUSES(BAD_VALUE, "scalar: 2.14748e+09 is no value of i32",
            washi_scalar(t, WASHI_I32, 2147483648.0));
}

/* The elementwise ops refuse alike. */
static void refuses_by_map(const struct wa_op *op)
{
    char text[200];
    washi_tensor *x[MOST_OPERANDS];
    for (int k = 0; k < op->arity; k++) x[k] = i32(SHAPE(2, 3));
    snprintf(text, sizeof text, "%s: operand [2,3] of type i32: f32 or f64 wanted, cast it first",
             op->name);
    check_refusal(WASHI_BAD_TYPE, text, wa_record(op, op->arity, x, &(struct wa_attr){0}));
    if (op->arity < 2) return;
    for (int k = 0; k < op->arity; k++) x[k] = in(k ? WASHI_F64 : WASHI_F32, SHAPE(2, 3));
    snprintf(text, sizeof text, "%s: f32 [2,3] and f64 [2,3] are of different types", op->name);
    check_refusal(WASHI_BAD_TYPE, text, wa_record(op, op->arity, x, &(struct wa_attr){0}));
    for (int k = 0; k < op->arity; k++) x[k] = k ? f32(SHAPE(4, 1, 2)) : f32(SHAPE(2, 3));
    snprintf(text, sizeof text, "%s: [2,3] and [4,1,2] do not broadcast", op->name);
    check_refusal(WASHI_BAD_SHAPE, text, wa_record(op, op->arity, x, &(struct wa_attr){0}));
    for (int k = 0; k < op->arity; k++) x[k] = k == 1 ? NULL : f32(SHAPE(2));
    snprintf(text, sizeof text, "%s: operand 1 is NULL", op->name);
    check_refusal(WASHI_MISUSE, text, wa_record(op, op->arity, x, &(struct wa_attr){0}));
}

/* What its functions refuse before it can. */
static washi_tensor *record(const struct wa_op *op, washi_tensor *x)
{
    return wa_record(op, 1, &x, &(struct wa_attr){0});
}

static void refuses_reductions(void)
{
    REFUSES(BAD_TYPE, "sum: operand [2] of type u8: f32 or f64 wanted, cast it first",
            washi_sum(in(WASHI_U8, SHAPE(2)), 0, false));
    REFUSES(BAD_VALUE, "sum: [2,3] has no axis 2", washi_sum(f32(SHAPE(2, 3)), 2, false));
    REFUSES(BAD_VALUE, "sum: [] has no axis 0", washi_sum(f32(SCALAR), 0, false));
    REFUSES(BAD_VALUE, "mean: [2] has no axis -2", washi_mean(f32(SHAPE(2)), -2, true));
    REFUSES(BAD_TYPE, "max: operand [2] of type i32: f32 or f64 wanted, cast it first",
            washi_max(i32(SHAPE(2)), 0, false));
    REFUSES(BAD_VALUE, "max: [2,3] has no axis -3", washi_max(f32(SHAPE(2, 3)), -3, true));
    REFUSES(BAD_SHAPE, "argmax: [3,0] has no elements to choose from along the axis",
            washi_argmax(f32(SHAPE(3, 0)), 1, false));
    REFUSES(BAD_VALUE, "argmax: [] has no axis 0", washi_argmax(f32(SCALAR), 0, false));
    REFUSES(BAD_SHAPE, "argmin: [0] has no elements to choose from along the axis",
            washi_argmin(f32(SHAPE(2, 0)), WASHI_ALL, false));
    REFUSES(BAD_VALUE, "min: [2,3] has no axis -3", washi_min(f32(SHAPE(2, 3)), -3, true));
    REFUSES(BAD_TYPE, "prod: operand [2] of type i32: f32 or f64 wanted, cast it first",
            washi_prod(i32(SHAPE(2)), 0, false));
    REFUSES(BAD_TYPE, "sum_squares: operand [2] of type i32: f32 or f64 wanted, cast it first",
            record(&wa_op_sum_squares, i32(SHAPE(2))));
    REFUSES(BAD_VALUE, "norm: [2,3] has no axis 2", washi_norm(f32(SHAPE(2, 3)), 2, false));
    REFUSES(BAD_SHAPE, "softmax: a scalar has no last axis", washi_softmax(f32(SCALAR)));
    REFUSES(BAD_VALUE, "softmax: [2,3] has no axis 2", washi_softmax_along(f32(SHAPE(2, 3)), 2));
    REFUSES(BAD_TYPE, "softmax: operand [3] of type u8: f32 or f64 wanted, cast it first",
            washi_softmax(in(WASHI_U8, SHAPE(3))));
    REFUSES(BAD_SHAPE, "log_softmax: a scalar has no last axis", washi_log_softmax(f32(SCALAR)));
    REFUSES(BAD_VALUE, "log_softmax: [2,3] has no axis -3",
            washi_log_softmax_along(f32(SHAPE(2, 3)), -3));
    REFUSES(BAD_VALUE, "logsumexp: [2,3] has no axis 5", washi_logsumexp(f32(SHAPE(2, 3)), 5, false));
    REFUSES(BAD_TYPE, "logsumexp: operand [3] of type i32: f32 or f64 wanted, cast it first",
            washi_logsumexp(i32(SHAPE(3)), WASHI_ALL, false));
}

static void refuses_products(void)
{
    REFUSES(BAD_SHAPE, "matmul: [64,784] x [80,10]: inner sizes 784 and 80 differ",
            washi_matmul(f32(SHAPE(64, 784)), f32(SHAPE(80, 10))));
    REFUSES(BAD_SHAPE, "matmul: [4] x [4,5]: two axes wanted on both sides",
            washi_matmul(f32(SHAPE(4)), f32(SHAPE(4, 5))));
    REFUSES(BAD_SHAPE, "matmul: [2,3,4] x [3,4,5]: the leading axes do not broadcast",
            washi_matmul(f32(SHAPE(2, 3, 4)), f32(SHAPE(3, 4, 5))));
    REFUSES(BAD_TYPE, "matmul: [2,3] of f32 x [3,2] of f64: both f32 or both f64 wanted",
            washi_matmul(f32(SHAPE(2, 3)), in(WASHI_F64, SHAPE(3, 2))));
    REFUSES(BAD_TYPE, "matmul: [2,3] of i32 x [3,2] of i32: both f32 or both f64 wanted",
            washi_matmul(i32(SHAPE(2, 3)), i32(SHAPE(3, 2))));
}

static void refuses_movement(void)
{
    REFUSES(BAD_SHAPE, "reshape: [2,3] cannot become [4]", washi_reshape(f32(SHAPE(2, 3)), SHAPE(4)));
    REFUSES(BAD_SHAPE, "reshape: [2,3] cannot become [-1,4]",
            washi_reshape(f32(SHAPE(2, 3)), SHAPE(-1, 4)));
    REFUSES(BAD_SHAPE, "reshape: [2,3] cannot become [-1,-1]",
            washi_reshape(f32(SHAPE(2, 3)), SHAPE(-1, -1)));
    REFUSES(BAD_SHAPE, "reshape: [0] cannot become [-1,0]", washi_reshape(f32(SHAPE(0)), SHAPE(-1, 0)));
    REFUSES(BAD_SHAPE, "transpose: [3] has no two axes", washi_transpose(f32(SHAPE(3))));
    REFUSES(BAD_VALUE, "permute: the axes of [2,3] are not each named once",
            washi_permute(f32(SHAPE(2, 3)), (int[]){0, 0}));
    REFUSES(BAD_VALUE, "permute: the axes of [2,3] are not each named once",
            washi_permute(f32(SHAPE(2, 3)), (int[]){0, 2}));
    REFUSES(MISUSE, "permute: the axes are NULL", washi_permute(f32(SHAPE(2, 3)), NULL));
    REFUSES(BAD_SHAPE, "broadcast_to: [2,3] does not stretch to [2,4]",
            washi_broadcast_to(f32(SHAPE(2, 3)), SHAPE(2, 4)));
    REFUSES(BAD_SHAPE, "broadcast_to: [2,3] does not stretch to [3]",
            washi_broadcast_to(f32(SHAPE(2, 3)), SHAPE(3)));
    REFUSES(BAD_SHAPE, "broadcast_to: [1] does not stretch to [-3]",
            washi_broadcast_to(f32(SHAPE(1)), SHAPE(-3)));
    REFUSES(BAD_VALUE, "slice: there is no 1 to 4 along axis 1 of [2,3]",
            washi_slice(f32(SHAPE(2, 3)), 1, 1, 4));
    REFUSES(BAD_VALUE, "slice: there is no 2 to 1 along axis 1 of [2,3]",
            washi_slice(f32(SHAPE(2, 3)), -1, 2, -2));
    REFUSES(BAD_VALUE, "slice: [] has no axis 0", washi_slice(f32(SCALAR), 0, 0, 1));
    REFUSES(BAD_VALUE, "slice: there is no 1 to 4 by 2 along axis 1 of [2,3]",
            washi_slice_step(f32(SHAPE(2, 3)), 1, 1, 4, 2));
    REFUSES(BAD_VALUE, "slice: there is no 0 to 2 by -1 along axis 1 of [2,3]",
            washi_slice_step(f32(SHAPE(2, 3)), 1, 0, 2, -1));
    REFUSES(BAD_VALUE, "slice: there is no 2 to -2 by -1 along axis 1 of [2,3]",
            washi_slice_step(f32(SHAPE(2, 3)), 1, 2, -5, -1));
    REFUSES(BAD_VALUE, "slice: the step is 0", washi_slice_step(f32(SHAPE(2, 3)), 1, 0, 2, 0));
    REFUSES(BAD_VALUE, "flip: [2,3] has no axis 2", washi_flip(f32(SHAPE(2, 3)), 2));
    REFUSES(BAD_VALUE, "pad: -1 before and 2 after", washi_pad(f32(SHAPE(3)), 0, -1, 2));
    REFUSES(BAD_VALUE, "pad: [3] has no axis 1", washi_pad(f32(SHAPE(3)), 1, 1, 2));
    REFUSES(BAD_SHAPE, "concat: [2,3] and [3,3] differ beside axis 1",
            washi_concat(2, (washi_tensor *[]){f32(SHAPE(2, 3)), f32(SHAPE(3, 3))}, 1));
    REFUSES(BAD_SHAPE, "concat: [2,3] and [2] differ beside axis 1",
            washi_concat(2, (washi_tensor *[]){f32(SHAPE(2, 3)), f32(SHAPE(2))}, -1));
    REFUSES(BAD_TYPE, "concat: parts of types f32 and i32",
            washi_concat(2, (washi_tensor *[]){f32(SHAPE(2, 3)), i32(SHAPE(2, 3))}, 0));
    REFUSES(BAD_VALUE, "concat: [] has no axis 0", washi_concat(1, (washi_tensor *[]){f32(SCALAR)}, 0));
}

static void refuses_indices(void)
{
    REFUSES(BAD_TYPE, "take: indices of type f32: i32 wanted",
            washi_take(f32(SHAPE(4)), f32(SHAPE(2)), 0));
    REFUSES(BAD_VALUE, "take: [4] has no axis 1", washi_take(f32(SHAPE(4)), i32(SHAPE(2)), 1));
    REFUSES(BAD_SHAPE, "take: [1,1,1,1,1] by indices [1,1,1,1,1] has more than 8 axes",
            washi_take(f32(SHAPE(1, 1, 1, 1, 1)), i32(SHAPE(1, 1, 1, 1, 1)), 0));
    REFUSES(BAD_SHAPE, "scatter: updates [3,2] for indices [2] along axis 0",
            washi_scatter_add(f32(SHAPE(4, 2)), i32(SHAPE(2)), f32(SHAPE(3, 2)), 0));
    REFUSES(BAD_TYPE, "scatter: indices of type u8: i32 wanted",
            washi_scatter_add(f32(SHAPE(4)), in(WASHI_U8, SHAPE(2)), f32(SHAPE(2)), 0));
    REFUSES(BAD_TYPE, "scatter: updates of type i32: f32 or f64 wanted",
            washi_scatter_add(i32(SHAPE(4)), i32(SHAPE(2)), i32(SHAPE(2)), 0));
    REFUSES(BAD_VALUE, "scatter_add: [4] has no axis 1",
            washi_scatter_add(f32(SHAPE(4)), i32(SHAPE(2)), f32(SHAPE(2)), 1));
    REFUSES(BAD_TYPE, "one_hot: labels of type f32: i32 or u8 wanted",
            washi_one_hot(f32(SHAPE(2)), 3, WASHI_F32));
    REFUSES(BAD_TYPE, "one_hot: result of type i32: f32 or f64 wanted",
            washi_one_hot(i32(SHAPE(2)), 3, WASHI_I32));
    REFUSES(BAD_VALUE, "one_hot: -1 classes", washi_one_hot(i32(SHAPE(2)), -1, WASHI_F32));
    REFUSES(BAD_SHAPE, "one_hot: [1,1,1,1,1,1,1,1] has no room for an axis",
            washi_one_hot(i32(SHAPE(1, 1, 1, 1, 1, 1, 1, 1)), 3, WASHI_F32));
    REFUSES(BAD_TYPE, "cast: there is no type 7", washi_cast(f32(SHAPE(2)), (washi_dtype)7));
}

static void refuses_along(void)
{
    REFUSES(BAD_TYPE, "take_along: indices of type f32: i32 wanted",
            washi_take_along(f32(SHAPE(4)), f32(SHAPE(2)), 0));
    REFUSES(BAD_SHAPE, "take_along: elements of [4,3] by indices [2,2] along axis 0",
            washi_take_along(f32(SHAPE(4, 3)), i32(SHAPE(2, 2)), 0));
    REFUSES(BAD_VALUE, "take_along: [4] has no axis 1",
            washi_take_along(f32(SHAPE(4)), i32(SHAPE(2)), 1));
    REFUSES(BAD_SHAPE, "put_along: updates [3] by indices [2] along axis 0",
            wa_put_along(f32(SHAPE(3)), i32(SHAPE(2)), 0, 4));
    REFUSES(BAD_TYPE, "put_along: updates of type i32: f32 or f64 wanted",
            wa_put_along(i32(SHAPE(3)), i32(SHAPE(3)), 0, 4));
    REFUSES(BAD_TYPE, "ravel_index: indices of type u8: i32 wanted",
            record(&wa_op_ravel_index, in(WASHI_U8, SHAPE(5, 2))));
    REFUSES(BAD_TYPE, "gather: indices of type u8: i32 wanted",
            washi_gather(f32(SHAPE(3, 4)), in(WASHI_U8, SHAPE(5, 2))));
    REFUSES(BAD_SHAPE,
            "gather: [3,4] by indices [5,3]: the last axis of the indices is to be of size 1 ... 2",
            washi_gather(f32(SHAPE(3, 4)), i32(SHAPE(5, 3))));
    REFUSES(BAD_SHAPE,
            "gather: [3,4] by indices []: the last axis of the indices is to be of size 1 ... 2",
            washi_gather(f32(SHAPE(3, 4)), i32(SCALAR)));
    REFUSES(BAD_TYPE, "cumsum: [3] of type i32: f32 or f64 wanted, cast it first",
            washi_cumsum(i32(SHAPE(3)), 0));
    REFUSES(BAD_VALUE, "cumprod: [3] has no axis 1", washi_cumprod(f32(SHAPE(3)), 1));
    REFUSES(BAD_SHAPE, "recurrence: [3] does not go with [4]",
            wa_record(&wa_op_recurrence, 2, (washi_tensor *[]){f32(SHAPE(3)), f32(SHAPE(4))},
                      &(struct wa_attr){0}));
}

static void refuses_random(void)
{
    REFUSES(BAD_TYPE, "uniform: result of type i32: f32 or f64 wanted",
            washi_uniform(t, WASHI_I32, SHAPE(2), 0, NULL));
    REFUSES(BAD_TYPE, "uniform: draw [2] of type i32: one i32 wanted",
            washi_uniform(t, WASHI_F32, SHAPE(2), 0, i32(SHAPE(2))));
    REFUSES(BAD_SHAPE, "uniform: [4294967297] has more than 2^32 elements",
            washi_uniform(t, WASHI_F32, SHAPE(4294967297), 0, NULL));
    REFUSES(BAD_SHAPE, "uniform: [-2] is no shape", washi_uniform(t, WASHI_F32, SHAPE(-2), 0, NULL));
    REFUSES(BAD_TYPE, "normal: result of type u8: f32 or f64 wanted",
            washi_normal(t, WASHI_U8, SHAPE(2), 0, NULL));
    REFUSES(BAD_TYPE, "permutation: draw [] of type f32: one i32 wanted",
            washi_permutation(t, 3, 0, f32(SCALAR)));
    REFUSES(BAD_VALUE, "permutation: -1 numbers", washi_permutation(t, -1, 0, NULL));
}

START_TEST(every_op_refuses_by_its_sentence)
{
    refuses_sources();
    for (int i = 0; wa_ops[i]; i++)
        if (wa_ops[i]->fusion == WA_FUSE_MAP) refuses_by_map(wa_ops[i]);
    refuses_reductions();
    refuses_products();
    refuses_movement();
    refuses_indices();
    refuses_random();
    refuses_along();
    for (int i = 0; wa_ops[i]; i++) {
        bool found = wa_ops[i]->fusion == WA_FUSE_MAP ||
                     !strcmp(wa_ops[i]->name, "stop_gradient"); /* takes all */
        for (int k = 0; k < refusals; k++) found = found || !strcmp(refused[k], wa_ops[i]->name);
        ck_assert_msg(found, "%s refuses nothing here", wa_ops[i]->name);
    }
}
END_TEST

TCase *errors_case(void)
{
    return CASE("errors", open_anew, close_tape, every_op_refuses_by_its_sentence);
}
