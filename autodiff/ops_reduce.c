/* ops_reduce.c: reductions, and softmax with its kin, with their derivative rules (public forms:
 * reduce.c). */
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

#define FOLD(word, text, low_, high_)                                                                  \
    .name = #word, .doc = text, .arity = 1, .infer = infer_fold, .rule = word##_rule,                  \
    .fusion = WA_FUSE_FOLD, .kernel = WA_FOLD_##word,                                                  \
    .sample = {.x = {SHAPE(3, 5, 2)}, .low = low_, .high = high_, .attr = {.begin = 1, .end = 2}}

RULE(sum)
{
    gx[0] = washi_broadcast_to(g, A->shape);
    (void)y;
}

const struct wa_op wa_op_sum = {FOLD(sum, "sum over axes", -2, 2), .derivative = "g, stretched"};

RULE(sum_squares) { gx[0] = mul(scale(g, 2), A); }
const struct wa_op wa_op_sum_squares = {FOLD(sum_squares, "sum of the squares over axes", -2, 2),
                                        .derivative = "2 * g * a"};

/* a, of y's operand's or of y's own shape, with the axes before those that are folded, these, and those
 * after each as one. */
static washi_tensor *in_three(const washi_tensor *y, washi_tensor *a)
{
    int begin = (int)y->attr.begin, end = (int)y->attr.end;
    return washi_reshape(a, (washi_shape)SHAPE(wa_shape_span(a->shape, 0, begin),
                                               wa_shape_span(a->shape, begin, end),
                                               wa_shape_span(a->shape, end, a->shape.rank)));
}

/* The first winner takes it. */
static void extreme_rule(washi_tensor *y, washi_tensor *g, washi_tensor *gx[],
                         washi_tensor *arg(washi_tensor *a, int axis, bool keep))
{
    washi_tensor *x = in_three(y, A);
    if (!x || washi_size(x->shape) == 0) return;
    gx[0] = washi_reshape(wa_put_along(in_three(y, g), arg(x, 1, true), 1, x->shape.dim[1]), A->shape);
}

RULE(max) { extreme_rule(y, g, gx, washi_argmax); }
const struct wa_op wa_op_max = {FOLD(max, "largest element over axes, NaN if one is", -2, 2),
                                .derivative = "g at the element that is y, else 0",
                                .kinks = "the first of several takes it"};

RULE(min) { extreme_rule(y, g, gx, washi_argmin); }
const struct wa_op wa_op_min = {FOLD(min, "smallest element over axes, NaN if one is", -2, 2),
                                .derivative = "g at the element that is y, else 0",
                                .kinks = "the first of several takes it"};

/* No division: right with zeros among the elements, to any order. */
RULE(prod)
{
    washi_tensor *x = in_three(y, A);
    if (!x || washi_size(x->shape) == 0) return;
    gx[0] = mul(g, washi_reshape(wa_product_of_others(x, 1), A->shape));
}
const struct wa_op wa_op_prod = {FOLD(prod, "product over axes", 0.5, 1.6),
                                 .derivative = "g * the product of the other elements"};

static bool infer_arg(washi_tensor *y)
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

#define ARG(word, which, text)                                                                         \
    .name = #word, .doc = text, .arity = 1, .infer = infer_arg, .fusion = WA_FUSE_ARGMAX,              \
    .kernel = which, .sample = {.x = {SHAPE(3, 5)}, .low = -2, .high = 2}

const struct wa_op wa_op_argmax = {
    ARG(argmax, 0, "index of the first largest element over the last axis")};

const struct wa_op wa_op_argmin = {
    ARG(argmin, 1, "index of the first smallest element over the last axis")};

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
    .fusion = WA_FUSE_ROW, .kernel = WA_ROW_##word, .cost = 0.8f,                                      \
    .sample = {.x = {SHAPE(3, 5)}, .low = -2, .high = 2}

RULE(softmax) { gx[0] = mul(y, sub(g, washi_sum(mul(g, y), -1, true))); }
const struct wa_op wa_op_softmax = {ROW(softmax, "exp(a) / sum(exp(a)) over the last axis"),
                                    .derivative = "y * (g - sum(g * y))"};

RULE(log_softmax) { gx[0] = sub(g, mul(exp(y), washi_sum(g, -1, true))); }
const struct wa_op wa_op_log_softmax = {ROW(log_softmax, "a - log(sum(exp(a))) over the last axis"),
                                        .derivative = "g - exp(y) * sum(g)"};

RULE(logsumexp) { gx[0] = mul(g, exp(sub(A, y))); }
const struct wa_op wa_op_logsumexp = {ROW(logsumexp, "log(sum(exp(a))) over the last axis"),
                                      .derivative = "g * exp(a - y)",
                                      .kinks = "NaN where y is infinite"};
