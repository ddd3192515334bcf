/* ops_reduce.c: reductions, and softmax with its kin, with their derivative rules. */
#include "autodiff/step.h"

#include "autodiff/rules.h"

static bool real_operand(washi_tensor *y)
{
    char text[WA_SHAPE_TEXT];
    if (wa_is_real(A->type)) return true;
    return wa_op_error(y, WASHI_BAD_TYPE, "operand %s of type %s: f32 or f64 wanted, cast it first",
                       wa_shape_text(A->shape, text), washi_dtype_name(A->type));
}

/* Axes begin ... end-1 become 1. */
static bool infer_fold(washi_tensor *y)
{
    if (!real_operand(y)) return false;
    y->type = A->type;
    y->shape = A->shape;
    for (int64_t i = y->attr.begin; i < y->attr.end; i++) y->shape.dim[i] = 1;
    return true;
}

RULE(sum)
{
    gx[0] = washi_broadcast_to(g, A->shape);
    (void)y;
}

const struct wa_op wa_op_sum = {
    .name = "sum",
    .doc = "sum over axes",
    .arity = 1,
    .infer = infer_fold,
    .rule = sum_rule,
    .fusion = WA_FUSE_FOLD,
    .kernel = WA_FOLD_sum,
    .plan = wa_plan_fold,
    .run = wa_run_fold,
    .finish = wa_finish_fold,
    .sample = {.x = {SHAPE(3, 5, 2)}, .low = -2, .high = 2, .attr = {.begin = 1, .end = 2}},
};

static washi_tensor *shaped(washi_tensor *a, int64_t i, int64_t j, int64_t k)
{
    return washi_reshape(a, (washi_shape)SHAPE(i, j, k));
}

RULE(max)
{
    int begin = (int)y->attr.begin, end = (int)y->attr.end;
    int64_t outer = wa_shape_span(A->shape, 0, begin), n = wa_shape_span(A->shape, begin, end);
    int64_t inner = wa_shape_span(A->shape, end, A->shape.rank);
    if (n == 0) return;
    washi_tensor *first = washi_argmax(shaped(A, outer, n, inner), 1, false);
    washi_tensor *hot = washi_permute(washi_one_hot(first, n, y->type), (int[]){0, 2, 1});
    gx[0] = washi_reshape(mul(hot, shaped(g, outer, 1, inner)), A->shape);
}

const struct wa_op wa_op_max = {
    .name = "max",
    .doc = "largest element over axes; the first of several gets the gradient",
    .arity = 1,
    .infer = infer_fold,
    .rule = max_rule,
    .fusion = WA_FUSE_FOLD,
    .kernel = WA_FOLD_max,
    .plan = wa_plan_fold,
    .run = wa_run_fold,
    .finish = wa_finish_fold,
    .sample = {.x = {SHAPE(3, 5, 2)}, .low = -2, .high = 2, .attr = {.begin = 1, .end = 2}},
};

static bool infer_argmax(washi_tensor *y)
{
    char text[WA_SHAPE_TEXT];
    if (!real_operand(y)) return false;
    int last = A->shape.rank - 1;
    if (last < 0 || A->shape.dim[last] < 1 || A->shape.dim[last] > INT32_MAX)
        return wa_op_error(y, WASHI_BAD_SHAPE, "%s has no elements to choose from along the axis",
                           wa_shape_text(A->shape, text));
    y->type = WASHI_I32;
    y->shape = A->shape;
    y->shape.dim[last] = 1;
    return true;
}

const struct wa_op wa_op_argmax = {
    .name = "argmax",
    .doc = "index of the first largest element over the last axis",
    .arity = 1,
    .infer = infer_argmax,
    .fusion = WA_FUSE_ARGMAX,
    .sample = {.x = {SHAPE(3, 5)}, .low = -2, .high = 2},
};

static bool infer_row(washi_tensor *y)
{
    if (!real_operand(y)) return false;
    if (A->shape.rank < 1) return wa_op_error(y, WASHI_BAD_SHAPE, "a scalar has no last axis");
    y->type = A->type;
    y->shape = A->shape;
    if (y->op == &wa_op_logsumexp) y->shape.dim[A->shape.rank - 1] = 1;
    return true;
}

#define ROW(word, text)                                                                                \
    .name = #word, .doc = text, .arity = 1, .infer = infer_row, .rule = word##_rule,                   \
    .fusion = WA_FUSE_ROW, .kernel = WA_ROW_##word,                                                    \
    .sample = {.x = {SHAPE(3, 5)}, .low = -2, .high = 2}

RULE(softmax) { gx[0] = mul(y, sub(g, washi_sum(mul(g, y), -1, true))); }
const struct wa_op wa_op_softmax = {ROW(softmax, "exp(a) / sum(exp(a)) over the last axis")};

RULE(log_softmax) { gx[0] = sub(g, mul(exp(y), washi_sum(g, -1, true))); }
const struct wa_op wa_op_log_softmax = {ROW(log_softmax, "a - log(sum(exp(a))) over the last axis")};

RULE(logsumexp) { gx[0] = mul(g, exp(sub(A, y))); }
const struct wa_op wa_op_logsumexp = {ROW(logsumexp, "log(sum(exp(a))) over the last axis")};

/* -- the public forms, over any axis -- */

/* y without its axes begin ... end-1, which have size 1. */
static washi_tensor *drop_axes(washi_tensor *y, int begin, int end)
{
    if (!y) return NULL;
    washi_shape s = {.rank = y->shape.rank - (end - begin)};
    for (int i = 0; i < s.rank; i++) s.dim[i] = y->shape.dim[i < begin ? i : i + end - begin];
    return washi_reshape(y, s);
}

static washi_tensor *drop_axis(washi_tensor *y, int axis)
{
    if (y && axis < 0) axis += y->shape.rank;
    return drop_axes(y, axis, axis + 1);
}

/* Reduces an axis, or all, by an op that leaves size 1 there. */
static washi_tensor *fold(const struct wa_op *op, washi_tensor *a, int axis, bool keep)
{
    if (!a || a->tape->status) return record1(op, a, (struct wa_attr){0});
    struct wa_attr attr = {.end = a->shape.rank};
    if (axis != WASHI_ALL) {
        if (!wa_axis(a, op->name, &axis)) return NULL;
        attr.begin = axis;
        attr.end = axis + 1;
    }
    washi_tensor *y = record1(op, a, attr);
    return keep ? y : drop_axes(y, (int)attr.begin, (int)attr.end);
}

washi_tensor *washi_sum(washi_tensor *a, int axis, bool keep)
{
    return fold(&wa_op_sum, a, axis, keep);
}

washi_tensor *washi_max(washi_tensor *a, int axis, bool keep)
{
    return fold(&wa_op_max, a, axis, keep);
}

washi_tensor *washi_mean(washi_tensor *a, int axis, bool keep)
{
    washi_tensor *y = washi_sum(a, axis, keep);
    if (!y) return NULL;
    int64_t count =
        axis == WASHI_ALL ? washi_size(a->shape) : a->shape.dim[axis < 0 ? axis + a->shape.rank : axis];
    return div(y, washi_scalar(y->tape, y->type, (double)count));
}

/* Applies an op of the last axis along any: moved there and back. */
static washi_tensor *along(const struct wa_op *op, washi_tensor *a, int axis)
{
    if (!a || a->tape->status) return record1(op, a, (struct wa_attr){0});
    if (!wa_axis(a, op->name, &axis)) return NULL;
    int rank = a->shape.rank, there[WASHI_MAX_RANK], back[WASHI_MAX_RANK];
    if (axis == rank - 1) return record1(op, a, (struct wa_attr){0});
    for (int i = 0; i < rank; i++) {
        there[i] = i == rank - 1 ? axis : i < axis ? i : i + 1;
        back[there[i]] = i;
    }
    return washi_permute(record1(op, washi_permute(a, there), (struct wa_attr){0}), back);
}

washi_tensor *washi_softmax_along(washi_tensor *a, int axis) { return along(&wa_op_softmax, a, axis); }

washi_tensor *washi_log_softmax_along(washi_tensor *a, int axis)
{
    return along(&wa_op_log_softmax, a, axis);
}

washi_tensor *washi_softmax(washi_tensor *a) { return record1(&wa_op_softmax, a, (struct wa_attr){0}); }

washi_tensor *washi_log_softmax(washi_tensor *a)
{
    return record1(&wa_op_log_softmax, a, (struct wa_attr){0});
}

washi_tensor *washi_logsumexp(washi_tensor *a, int axis, bool keep)
{
    if (axis == WASHI_ALL && a) {
        washi_shape ones = a->shape;
        for (int i = 0; i < ones.rank; i++) ones.dim[i] = 1;
        washi_tensor *flat = washi_reshape(a, (washi_shape)SHAPE(washi_size(a->shape)));
        return washi_reshape(record1(&wa_op_logsumexp, flat, (struct wa_attr){0}),
                             keep ? ones : (washi_shape){0});
    }
    washi_tensor *y = along(&wa_op_logsumexp, a, axis);
    return keep ? y : drop_axis(y, axis);
}

washi_tensor *washi_argmax(washi_tensor *a, int axis, bool keep)
{
    washi_tensor *y = along(&wa_op_argmax, a, axis);
    return keep ? y : drop_axis(y, axis);
}
