/* ops_map.c: elementwise arithmetic, rounding, comparison and choice, with their derivative rules. */
#include "autodiff/elementwise.h"
#include "autodiff/sweep.h"

#include <math.h>

#include "autodiff/rules.h"

/* The type and the shape in which operands meet. */
static washi_status meet(const char *who, int n, washi_tensor *const x[], washi_dtype *type,
                         washi_shape *shape)
{
    char a[WA_TENSOR_TEXT], b[WA_TENSOR_TEXT];
    *type = x[0]->type;
    *shape = x[0]->shape;
    for (int i = 0; i < n; i++) {
        if (!wa_is_real(x[i]->type))
            return washi_fail(x[0]->tape, WASHI_BAD_TYPE,
                              "%s: operand %s of type %s: f32 or f64 wanted, cast it first", who,
                              wa_shape_text(x[i]->shape, a), washi_dtype_name(x[i]->type));
        if (x[i]->type != *type)
            return washi_fail(x[0]->tape, WASHI_BAD_TYPE, "%s: %s and %s are of different types", who,
                              wa_tensor_text(x[0], a), wa_tensor_text(x[i], b));
        if (wa_shape_equal(x[i]->shape, *shape)) continue;
        washi_shape before = *shape;
        if (!wa_shape_broadcast(before, x[i]->shape, shape))
            return washi_fail(x[0]->tape, WASHI_BAD_SHAPE, "%s: %s and %s do not broadcast", who,
                              wa_shape_text(before, a), wa_shape_text(x[i]->shape, b));
    }
    return WASHI_OK;
}

bool wa_infer_map(washi_tensor *y) { return !meet(y->op->name, y->n, y->x, &y->type, &y->shape); }

bool wa_fit(const char *who, int n, washi_tensor *const x[])
{
    washi_dtype type;
    washi_shape shape;
    for (int i = 0; i < n; i++)
        if (!x[i] || x[i]->tape != x[0]->tape || x[i]->tape->status) return true;
    return !meet(who, n, x, &type, &shape);
}

/* -- arithmetic -- */

RULE(neg)
{
    (void)y;
    gx[0] = neg(g);
}
const struct wa_op wa_op_neg = {MAP(neg, 1, "-a", "-g"), .rule = neg_rule, ONE(-2, 2)};
PUBLIC1(neg)

RULE(abs) { gx[0] = mul(g, washi_sign(A)); }
const struct wa_op wa_op_abs = {MAP(abs, 1, "|a|", "g * sign(a)"), .kinks = "0 at 0", .rule = abs_rule,
                                ONE(-2, 2)};
PUBLIC1(abs)

RULE(sqrt) { gx[0] = div(scale(g, 0.5), y); }
const struct wa_op wa_op_sqrt = {MAP(sqrt, 1, "square root of a", "g / (2 * y)"),
                                 .kinks = "infinite at 0", .rule = sqrt_rule, ONE(0.5, 3)};
PUBLIC1(sqrt)

/* Of integers in double, where every result that I32 holds is exact. */
static washi_tensor *arithmetic(const struct wa_op *op, washi_tensor *a, washi_tensor *b)
{
    if (!a || !b || a->type != WASHI_I32 || b->type != WASHI_I32)
        return record2(op, a, b, (struct wa_attr){0});
    washi_tensor *y =
        record2(op, washi_cast(a, WASHI_F64), washi_cast(b, WASHI_F64), (struct wa_attr){0});
    return washi_cast(y, WASHI_I32);
}

RULE(add)
{
    gx[0] = gx[1] = g;
    (void)y;
}
const struct wa_op wa_op_add = {MAP(add, 2, "a + b", "g; g"), .rule = add_rule, TWO(-2, 2)};
washi_tensor *washi_add(washi_tensor *a, washi_tensor *b) { return arithmetic(&wa_op_add, a, b); }

RULE(sub)
{
    gx[0] = g;
    gx[1] = neg(wa_sum_to(g, B->shape));
    (void)y;
}
const struct wa_op wa_op_sub = {MAP(sub, 2, "a - b", "g; -g"), .rule = sub_rule, TWO(-2, 2)};
washi_tensor *washi_sub(washi_tensor *a, washi_tensor *b) { return arithmetic(&wa_op_sub, a, b); }

/* Of a square twice as much, doubled before it is stretched. */
RULE(mul)
{
    (void)y;
    if (A == B) {
        gx[0] = mul(scale(g->op == &wa_op_broadcast_to ? g->x[0] : g, 2), A);
        return;
    }
    gx[0] = mul(g, B);
    gx[1] = mul(g, A);
}
const struct wa_op wa_op_mul = {MAP(mul, 2, "a * b", "g * b; g * a"), .rule = mul_rule, TWO(-2, 2)};
washi_tensor *washi_mul(washi_tensor *a, washi_tensor *b) { return arithmetic(&wa_op_mul, a, b); }

/* Where b is stretched, all that is divided by it is b's own size. */
RULE(div)
{
    if (washi_size(B->shape) < washi_size(y->shape)) {
        washi_tensor *r = washi_reciprocal(B);
        gx[0] = mul(g, r);
        gx[1] = mul(wa_sum_to(mul(g, y), B->shape), neg(r));
        return;
    }
    gx[0] = div(g, B);
    gx[1] = neg(mul(gx[0], y));
}
const struct wa_op wa_op_div = {MAP(div, 2, "a / b", "g / b; -g / b * y"), .rule = div_rule,
                                TWO(0.5, 2)};
PUBLIC2(div)

/* The quotient again, which is whole but for rounding. */
RULE(fmod)
{
    gx[0] = g;
    gx[1] = neg(mul(g, washi_round(div(sub(A, y), B))));
}
const struct wa_op wa_op_fmod = {MAP(fmod, 2,
                                     "a - trunc(a / b) * b, exactly: the remainder with the sign of a",
                                     "g; -g * trunc(a / b)"),
                                 .kinks = "as if it did not jump where a / b is whole",
                                 .rule = fmod_rule, .cost = 1.4f, TWO(0.5, 3)};
PUBLIC2(fmod)

/* -- rounding and sign: constant but where they jump -- */

const struct wa_op wa_op_sign = {MAP(sign, 1, "-1, 0 or 1; NaN for NaN", NULL), ONE(-2, 2)};
const struct wa_op wa_op_floor = {MAP(floor, 1, "the largest whole number <= a", NULL), ONE(-2, 2)};
const struct wa_op wa_op_ceil = {MAP(ceil, 1, "the smallest whole number >= a", NULL), ONE(-2, 2)};
const struct wa_op wa_op_round = {MAP(round, 1, "the nearest whole number, the even one of two", NULL),
                                  ONE(-2, 2)};
const struct wa_op wa_op_trunc = {MAP(trunc, 1, "a without its fraction", NULL), ONE(-2, 2)};
PUBLIC1(sign)
PUBLIC1(floor)
PUBLIC1(ceil)
PUBLIC1(round)
PUBLIC1(trunc)

/* -- comparison and logic -- */

const struct wa_op wa_op_equal = {MAP(equal, 2, "1 where a = b, else 0", NULL), TWO(-2, 2)};
const struct wa_op wa_op_not_equal = {MAP(not_equal, 2, "0 where a = b, else 1", NULL), TWO(-2, 2)};
const struct wa_op wa_op_less = {MAP(less, 2, "1 where a < b, else 0", NULL), TWO(-2, 2)};
const struct wa_op wa_op_less_equal = {MAP(less_equal, 2, "1 where a <= b, else 0", NULL), TWO(-2, 2)};
const struct wa_op wa_op_greater = {MAP(greater, 2, "1 where a > b, else 0", NULL), TWO(-2, 2)};
const struct wa_op wa_op_greater_equal = {MAP(greater_equal, 2, "1 where a >= b, else 0", NULL),
                                          TWO(-2, 2)};
const struct wa_op wa_op_logical_and = {
    MAP(logical_and, 2, "1 where neither a nor b is 0, else 0", NULL), TWO(-1, 1)};
const struct wa_op wa_op_logical_or = {MAP(logical_or, 2, "0 where a and b are 0, else 1", NULL),
                                       TWO(-1, 1)};
const struct wa_op wa_op_logical_xor = {
    MAP(logical_xor, 2, "1 where one of a and b is 0 and the other is not, else 0", NULL), TWO(-1, 1)};
PUBLIC2(equal)
PUBLIC2(not_equal)
PUBLIC2(less)
PUBLIC2(less_equal)
PUBLIC2(greater)
PUBLIC2(greater_equal)
PUBLIC2(logical_and)
PUBLIC2(logical_or)
PUBLIC2(logical_xor)

/* -- choice -- */

/* g where the condition holds, and g where it does not. */
static void share(washi_tensor *condition, washi_tensor *g, washi_tensor **yes, washi_tensor **no)
{
    washi_tensor *zero = number(g, 0);
    *yes = washi_where(condition, g, zero);
    *no = washi_where(condition, zero, g);
}

RULE(minimum) { share(washi_less_equal(A, B), g, &gx[0], &gx[1]); }
const struct wa_op wa_op_minimum = {MAP(minimum, 2, "the smaller of a and b; NaN if either is",
                                        "g where a <= b, else 0; g where not, else 0"),
                                    .kinks = "a takes ties", .rule = minimum_rule, TWO(-2, 2)};
PUBLIC2(minimum)

RULE(maximum) { share(washi_greater_equal(A, B), g, &gx[0], &gx[1]); }
const struct wa_op wa_op_maximum = {MAP(maximum, 2, "the larger of a and b; NaN if either is",
                                        "g where a >= b, else 0; g where not, else 0"),
                                    .kinks = "a takes ties", .rule = maximum_rule, TWO(-2, 2)};
PUBLIC2(maximum)

RULE(where) { share(A, g, &gx[1], &gx[2]); }
const struct wa_op wa_op_where = {
    MAP(where, 3, "b where a is not 0, else c",
        "0; g where a is not 0, else 0; g where a is 0, else 0"),
    .rule = where_rule, .sample = {.x = {SHAPE(3, 5), SHAPE(5), SHAPE(3, 1)}, .low = -2, .high = 2}};

washi_tensor *washi_where(washi_tensor *condition, washi_tensor *a, washi_tensor *b)
{
    if (condition && a && condition->type != a->type) condition = washi_cast(condition, a->type);
    return wa_record(&wa_op_where, 3, (washi_tensor *[]){condition, a, b}, &(struct wa_attr){0});
}

/* y is positive where a is, and mostly kept anyway. */
RULE(relu) { gx[0] = record2(&wa_op_gate, g, y, (struct wa_attr){0}); }
const struct wa_op wa_op_relu = {
    MAP(relu, 1, "0 where a < 0, else a: NaN for NaN", "g where a > 0, else 0"), .kinks = "0 at 0",
    .rule = relu_rule, ONE(-2, 2)};
PUBLIC1(relu)

RULE(gate) { gx[0] = record2(&wa_op_gate, g, B, (struct wa_attr){0}); }
const struct wa_op wa_op_gate = {MAP(gate, 2, "a where b > 0, else 0", "g where b > 0, else 0; 0"),
                                 .rule = gate_rule, TWO(-2, 2)};

/* -- composed -- */

washi_tensor *washi_scale(washi_tensor *a, double by) { return mul(a, number(a, by)); }
washi_tensor *washi_shift(washi_tensor *a, double by) { return add(a, number(a, by)); }
washi_tensor *washi_square(washi_tensor *a) { return mul(a, a); }

washi_tensor *washi_reciprocal(washi_tensor *a)
{
    return wa_fit("reciprocal", 1, &a) ? div(number(a, 1), a) : NULL;
}

washi_tensor *washi_rsqrt(washi_tensor *a)
{
    return wa_fit("rsqrt", 1, &a) ? washi_reciprocal(washi_sqrt(a)) : NULL;
}

washi_tensor *washi_logical_not(washi_tensor *a)
{
    return wa_fit("logical_not", 1, &a) ? washi_equal(a, number(a, 0)) : NULL;
}

washi_tensor *washi_isnan(washi_tensor *a)
{
    return wa_fit("isnan", 1, &a) ? washi_not_equal(a, a) : NULL;
}

washi_tensor *washi_isinf(washi_tensor *a)
{
    return wa_fit("isinf", 1, &a) ? washi_equal(washi_abs(a), number(a, (double)INFINITY)) : NULL;
}

washi_tensor *washi_isfinite(washi_tensor *a)
{
    return wa_fit("isfinite", 1, &a) ? washi_less(washi_abs(a), number(a, (double)INFINITY)) : NULL;
}

washi_tensor *washi_clip(washi_tensor *a, double low, double high)
{
    if (a && !(low <= high)) {
        washi_fail(a->tape, WASHI_BAD_VALUE, "clip: low %g is not below high %g", low, high);
        return NULL;
    }
    if (!wa_fit("clip", 1, &a)) return NULL;
    return washi_minimum(washi_maximum(a, number(a, low)), number(a, high));
}

washi_tensor *washi_lerp(washi_tensor *a, washi_tensor *b, washi_tensor *t)
{
    return wa_fit("lerp", 3, (washi_tensor *[]){a, b, t}) ? add(a, mul(t, sub(b, a))) : NULL;
}
