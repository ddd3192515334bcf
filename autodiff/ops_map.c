/* ops_map.c: elementwise ops, with their derivative rules. */
#include "autodiff/step.h"

#include "autodiff/rules.h"

static bool infer_map(washi_tensor *y)
{
    char a[WA_TENSOR_TEXT], b[WA_TENSOR_TEXT];
    y->type = A->type;
    y->shape = A->shape;
    for (int i = 0; i < y->n; i++) {
        const washi_tensor *x = y->x[i];
        if (!wa_is_real(x->type))
            return wa_op_error(y, WASHI_BAD_TYPE,
                               "operand %s of type %s: f32 or f64 wanted, cast it first",
                               wa_shape_text(x->shape, a), washi_dtype_name(x->type));
        if (x->type != y->type)
            return wa_op_error(y, WASHI_BAD_TYPE, "%s and %s are of different types",
                               wa_tensor_text(A, a), wa_tensor_text(x, b));
        if (wa_shape_equal(x->shape, y->shape)) continue;
        washi_shape before = y->shape;
        if (!wa_shape_broadcast(before, x->shape, &y->shape))
            return wa_op_error(y, WASHI_BAD_SHAPE, "%s and %s do not broadcast",
                               wa_shape_text(before, a), wa_shape_text(x->shape, b));
    }
    return true;
}

/* What every elementwise op shares; arity and rule come with it. */
#define MAP(word, operands, text)                                                                      \
    .name = #word, .doc = text, .arity = operands, .infer = infer_map, .fusion = WA_FUSE_MAP,          \
    .kernel = WA_MAP_##word

#define ONE(low_, high_) .sample = {.x = {SHAPE(3, 5)}, .low = low_, .high = high_}
#define TWO(low_, high_) .sample = {.x = {SHAPE(3, 1), SHAPE(5)}, .low = low_, .high = high_}

RULE(neg)
{
    (void)y;
    gx[0] = neg(g);
}
const struct wa_op wa_op_neg = {MAP(neg, 1, "-a"), .rule = neg_rule, ONE(-2, 2)};

RULE(exp) { gx[0] = mul(g, y); }
const struct wa_op wa_op_exp = {MAP(exp, 1, "e to the a"), .rule = exp_rule, ONE(-2, 2)};

RULE(log) { gx[0] = div(g, A); }
const struct wa_op wa_op_log = {MAP(log, 1, "natural logarithm of a"), .rule = log_rule, ONE(0.5, 3)};

RULE(sqrt) { gx[0] = div(scale(g, 0.5), y); }
const struct wa_op wa_op_sqrt = {MAP(sqrt, 1, "square root of a"), .rule = sqrt_rule, ONE(0.5, 3)};

RULE(tanh) { gx[0] = sub(g, mul(g, mul(y, y))); }
const struct wa_op wa_op_tanh = {MAP(tanh, 1, "hyperbolic tangent of a"), .rule = tanh_rule,
                                 ONE(-2, 2)};

RULE(sigmoid) { gx[0] = mul(g, sub(y, mul(y, y))); }
const struct wa_op wa_op_sigmoid = {MAP(sigmoid, 1, "1 / (1 + exp(-a))"), .rule = sigmoid_rule,
                                    ONE(-3, 3)};

RULE(relu) { gx[0] = record2(&wa_op_gate, g, A, (struct wa_attr){0}); }
const struct wa_op wa_op_relu = {MAP(relu, 1, "a where a > 0, else 0"), .rule = relu_rule, ONE(-2, 2)};

RULE(add)
{
    gx[0] = gx[1] = g;
    (void)y;
}
const struct wa_op wa_op_add = {MAP(add, 2, "a + b"), .rule = add_rule, TWO(-2, 2)};

RULE(sub)
{
    gx[0] = g;
    gx[1] = neg(g);
    (void)y;
}
const struct wa_op wa_op_sub = {MAP(sub, 2, "a - b"), .rule = sub_rule, TWO(-2, 2)};

RULE(mul)
{
    gx[0] = mul(g, B);
    gx[1] = mul(g, A);
}
const struct wa_op wa_op_mul = {MAP(mul, 2, "a * b"), .rule = mul_rule, TWO(-2, 2)};

RULE(div)
{
    gx[0] = div(g, B);
    gx[1] = neg(mul(gx[0], y));
}
const struct wa_op wa_op_div = {MAP(div, 2, "a / b"), .rule = div_rule, TWO(0.5, 2)};

RULE(gate) { gx[0] = record2(&wa_op_gate, g, B, (struct wa_attr){0}); }
const struct wa_op wa_op_gate = {MAP(gate, 2, "a where b > 0, else 0"), .rule = gate_rule, TWO(-2, 2)};

const struct wa_op wa_op_greater_equal = {MAP(greater_equal, 2, "1 where a >= b, else 0"), TWO(-2, 2)};

const struct wa_op wa_op_equal = {MAP(equal, 2, "1 where a = b, else 0"), TWO(-2, 2)};

RULE(where)
{
    washi_tensor *zero = washi_scalar(y->tape, y->type, 0);
    gx[1] = washi_where(A, g, zero);
    gx[2] = washi_where(A, zero, g);
}
const struct wa_op wa_op_where = {
    MAP(where, 3, "b where a is not 0, else c"), .rule = where_rule,
    .sample = {.x = {SHAPE(3, 5), SHAPE(5), SHAPE(3, 1)}, .low = -2, .high = 2}};

static washi_tensor *map1(const struct wa_op *op, washi_tensor *a)
{
    return record1(op, a, (struct wa_attr){0});
}

static washi_tensor *map2(const struct wa_op *op, washi_tensor *a, washi_tensor *b)
{
    return record2(op, a, b, (struct wa_attr){0});
}

/* Of integers in double, where every result that I32 holds is exact. */
static washi_tensor *arithmetic(const struct wa_op *op, washi_tensor *a, washi_tensor *b)
{
    if (!a || !b || a->type != WASHI_I32 || b->type != WASHI_I32) return map2(op, a, b);
    return washi_cast(map2(op, washi_cast(a, WASHI_F64), washi_cast(b, WASHI_F64)), WASHI_I32);
}

washi_tensor *washi_neg(washi_tensor *a) { return map1(&wa_op_neg, a); }
washi_tensor *washi_exp(washi_tensor *a) { return map1(&wa_op_exp, a); }
washi_tensor *washi_log(washi_tensor *a) { return map1(&wa_op_log, a); }
washi_tensor *washi_sqrt(washi_tensor *a) { return map1(&wa_op_sqrt, a); }
washi_tensor *washi_tanh(washi_tensor *a) { return map1(&wa_op_tanh, a); }
washi_tensor *washi_sigmoid(washi_tensor *a) { return map1(&wa_op_sigmoid, a); }
washi_tensor *washi_relu(washi_tensor *a) { return map1(&wa_op_relu, a); }
washi_tensor *washi_add(washi_tensor *a, washi_tensor *b) { return arithmetic(&wa_op_add, a, b); }
washi_tensor *washi_sub(washi_tensor *a, washi_tensor *b) { return arithmetic(&wa_op_sub, a, b); }
washi_tensor *washi_mul(washi_tensor *a, washi_tensor *b) { return arithmetic(&wa_op_mul, a, b); }
washi_tensor *washi_div(washi_tensor *a, washi_tensor *b) { return map2(&wa_op_div, a, b); }
washi_tensor *washi_equal(washi_tensor *a, washi_tensor *b) { return map2(&wa_op_equal, a, b); }

washi_tensor *washi_greater_equal(washi_tensor *a, washi_tensor *b)
{
    return map2(&wa_op_greater_equal, a, b);
}

washi_tensor *washi_where(washi_tensor *condition, washi_tensor *a, washi_tensor *b)
{
    if (condition && a && condition->type != a->type) condition = washi_cast(condition, a->type);
    return wa_record(&wa_op_where, 3, (washi_tensor *[]){condition, a, b}, &(struct wa_attr){0});
}

/* A number beside a tensor is a constant of its type. */
static washi_tensor *number(washi_tensor *a, double value)
{
    return a && !a->tape->status ? washi_scalar(a->tape, a->type, value) : NULL;
}

washi_tensor *washi_scale(washi_tensor *a, double by) { return mul(a, number(a, by)); }
washi_tensor *washi_shift(washi_tensor *a, double by) { return add(a, number(a, by)); }
