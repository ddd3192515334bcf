/* ops_math.c: the elementwise functions of analysis, with their derivative rules. */
#include "autodiff/elementwise.h"

#include "autodiff/rules.h"

/* 1 - a, 1 + a. */
static washi_tensor *from_one(washi_tensor *a) { return sub(number(a, 1), a); }
static washi_tensor *past_one(washi_tensor *a) { return washi_shift(a, 1); }

/* -- exponentials, logarithms, powers -- */

static const double log_of_2 = 0.693147180559945309417, log_of_10 = 2.30258509299404568402;

RULE(exp) { gx[0] = mul(g, y); }
const struct wa_op wa_op_exp = {MAP(exp, 1, "e to the a", "g * y"), .rule = exp_rule, .cost = 0.6f,
                                ONE(-2, 2)};
PUBLIC1(exp)

RULE(exp2) { gx[0] = scale(mul(g, y), log_of_2); }
const struct wa_op wa_op_exp2 = {MAP(exp2, 1, "2 to the a", "g * y * log(2)"), .rule = exp2_rule,
                                 .cost = 0.5f, ONE(-2, 2)};
PUBLIC1(exp2)

RULE(expm1) { gx[0] = mul(g, washi_exp(A)); }
const struct wa_op wa_op_expm1 = {MAP(expm1, 1, "exp(a) - 1, exact near 0 too", "g * exp(a)"),
                                  .rule = expm1_rule, .cost = 1.5f, ONE(-2, 2)};
PUBLIC1(expm1)

RULE(log) { gx[0] = div(g, A); }
const struct wa_op wa_op_log = {MAP(log, 1, "natural logarithm of a", "g / a"), .rule = log_rule,
                                .cost = 0.8f, ONE(0.5, 3)};

/* The logarithm of a softmax, moved or reshaped perhaps, from the softmax's operand; NULL: a is none.
 */
static washi_tensor *log_of_softmax(washi_tensor *a)
{
    if (a->op == &wa_op_softmax) return washi_log_softmax(a->x[0]);
    if (a->op != &wa_op_permute && a->op != &wa_op_reshape) return NULL;
    washi_tensor *y = log_of_softmax(a->x[0]);
    return y ? record1(a->op, y, a->attr) : NULL;
}

washi_tensor *washi_log(washi_tensor *a)
{
    washi_tensor *y = a && !a->tape->status ? log_of_softmax(a) : NULL;
    return y ? y : record1(&wa_op_log, a, (struct wa_attr){0});
}

RULE(log2) { gx[0] = scale(div(g, A), 1 / log_of_2); }
const struct wa_op wa_op_log2 = {MAP(log2, 1, "logarithm of a to base 2", "g / a / log(2)"),
                                 .rule = log2_rule, .cost = 0.5f, ONE(0.5, 3)};
PUBLIC1(log2)

RULE(log10) { gx[0] = scale(div(g, A), 1 / log_of_10); }
const struct wa_op wa_op_log10 = {MAP(log10, 1, "logarithm of a to base 10", "g / a / log(10)"),
                                  .rule = log10_rule, .cost = 1.0f, ONE(0.5, 3)};
PUBLIC1(log10)

RULE(log1p) { gx[0] = div(g, past_one(A)); }
const struct wa_op wa_op_log1p = {MAP(log1p, 1, "log(1 + a), exact near 0 too", "g / (1 + a)"),
                                  .rule = log1p_rule, .cost = 1.0f, ONE(-0.5, 3)};
PUBLIC1(log1p)

RULE(cbrt) { gx[0] = div(g, scale(mul(y, y), 3)); }
const struct wa_op wa_op_cbrt = {MAP(cbrt, 1, "cube root of a", "g / (3 * y * y)"),
                                 .kinks = "infinite at 0", .rule = cbrt_rule, .cost = 1.0f,
                                 ONE(0.3, 3)};
PUBLIC1(cbrt)

/* With a = 0 both exponents and logarithms that would make infinities out of nothing are replaced:
 * where b is 0 too, y is taken for constant in a, and where b >= 0, in b. Elsewhere nothing is
 * replaced, so that derivatives of these are right too. */
RULE(pow)
{
    washi_tensor *less_one = washi_where(washi_logical_or(A, B), washi_shift(B, -1), number(A, 0));
    washi_tensor *usual = washi_logical_or(A, washi_less(B, number(B, 0)));
    gx[0] = mul(g, mul(B, washi_pow(A, less_one)));
    gx[1] = mul(g, mul(y, washi_log(washi_where(usual, A, number(A, 1)))));
}
const struct wa_op wa_op_pow = {
    MAP(pow, 2, "a to the b; NaN for a < 0 and b not whole", "g * b * a^(b - 1); g * y * log(a)"),
    .kinks = "at a = 0: to a 0 where b = 0; to b 0 where b >= 0", .rule = pow_rule, .cost = 4.0f,
    TWO(0.3, 2)};
PUBLIC2(pow)

/* -- trigonometric -- */

RULE(sin) { gx[0] = mul(g, washi_cos(A)); }
const struct wa_op wa_op_sin = {MAP(sin, 1, "sine of a", "g * cos(a)"), .rule = sin_rule, .cost = 0.5f,
                                ONE(-4, 4)};
PUBLIC1(sin)

RULE(cos) { gx[0] = neg(mul(g, washi_sin(A))); }
const struct wa_op wa_op_cos = {MAP(cos, 1, "cosine of a", "-g * sin(a)"), .rule = cos_rule,
                                .cost = 0.5f, ONE(-4, 4)};
PUBLIC1(cos)

RULE(tan) { gx[0] = add(g, mul(g, mul(y, y))); }
const struct wa_op wa_op_tan = {MAP(tan, 1, "tangent of a", "g + g * y * y"), .rule = tan_rule,
                                .cost = 0.6f, ONE(-1, 1)};
PUBLIC1(tan)

/* g / sqrt(1 - a * a), the difference of squares as a product that keeps its digits near 1. */
static washi_tensor *arc(washi_tensor *g, washi_tensor *a)
{
    return div(g, washi_sqrt(mul(from_one(a), past_one(a))));
}

RULE(asin)
{
    (void)y;
    gx[0] = arc(g, A);
}
const struct wa_op wa_op_asin = {
    MAP(asin, 1, "the angle in [-pi/2, pi/2] whose sine is a", "g / sqrt((1 - a) * (1 + a))"),
    .kinks = "infinite at -1 and 1", .rule = asin_rule, .cost = 0.5f, ONE(-0.8, 0.8)};
PUBLIC1(asin)

RULE(acos) { gx[0] = neg(arc(g, A)); }
const struct wa_op wa_op_acos = {
    MAP(acos, 1, "the angle in [0, pi] whose cosine is a", "-g / sqrt((1 - a) * (1 + a))"),
    .kinks = "infinite at -1 and 1", .rule = acos_rule, .cost = 0.5f, ONE(-0.8, 0.8)};
PUBLIC1(acos)

RULE(atan) { gx[0] = div(g, past_one(mul(A, A))); }
const struct wa_op wa_op_atan = {
    MAP(atan, 1, "the angle in [-pi/2, pi/2] whose tangent is a", "g / (1 + a * a)"), .rule = atan_rule,
    .cost = 0.5f, ONE(-3, 3)};
PUBLIC1(atan)

/* x / r, and 0 to any order where r is. */
static washi_tensor *over_radius(washi_tensor *x, washi_tensor *r)
{
    return div(washi_where(r, x, number(r, 0)), washi_where(r, r, number(r, 1)));
}

/* x / r / r with r = hypot(a, b), and 0 at the origin; no square overflows. */
static washi_tensor *turn(washi_tensor *x, washi_tensor *a, washi_tensor *b)
{
    washi_tensor *r = washi_hypot(a, b);
    return over_radius(over_radius(x, r), r);
}

RULE(atan2)
{
    (void)y;
    gx[0] = mul(g, turn(B, A, B));
    gx[1] = neg(mul(g, turn(A, A, B)));
}
const struct wa_op wa_op_atan2 = {
    MAP(atan2, 2, "the angle in [-pi, pi] of the point with abscissa b and ordinate a",
        "g * b / (a * a + b * b); -g * a / (a * a + b * b)"),
    .kinks = "0 at the origin", .rule = atan2_rule, .cost = 0.8f, TWO(-2, 2)};
PUBLIC2(atan2)

RULE(hypot)
{
    gx[0] = mul(g, over_radius(A, y));
    gx[1] = mul(g, over_radius(B, y));
}
const struct wa_op wa_op_hypot = {
    MAP(hypot, 2, "sqrt(a * a + b * b) without overflow on the way", "g * a / y; g * b / y"),
    .kinks = "0 at the origin", .rule = hypot_rule, .cost = 0.5f, TWO(-2, 2)};
PUBLIC2(hypot)

/* -- hyperbolic -- */

RULE(sinh) { gx[0] = mul(g, washi_cosh(A)); }
const struct wa_op wa_op_sinh = {MAP(sinh, 1, "hyperbolic sine of a", "g * cosh(a)"), .rule = sinh_rule,
                                 .cost = 0.9f, ONE(-2, 2)};
PUBLIC1(sinh)

RULE(cosh) { gx[0] = mul(g, washi_sinh(A)); }
const struct wa_op wa_op_cosh = {MAP(cosh, 1, "hyperbolic cosine of a", "g * sinh(a)"),
                                 .rule = cosh_rule, .cost = 0.8f, ONE(-2, 2)};
PUBLIC1(cosh)

RULE(tanh) { gx[0] = sub(g, mul(g, mul(y, y))); }
const struct wa_op wa_op_tanh = {MAP(tanh, 1, "hyperbolic tangent of a", "g - g * y * y"),
                                 .rule = tanh_rule, .cost = 0.6f, ONE(-2, 2)};
PUBLIC1(tanh)

RULE(asinh) { gx[0] = div(g, washi_hypot(A, number(A, 1))); }
const struct wa_op wa_op_asinh = {MAP(asinh, 1, "log(a + sqrt(a * a + 1))", "g / hypot(a, 1)"),
                                  .rule = asinh_rule, .cost = 4.0f, ONE(-3, 3)};
PUBLIC1(asinh)

RULE(acosh) { gx[0] = div(g, mul(washi_sqrt(washi_shift(A, -1)), washi_sqrt(past_one(A)))); }
const struct wa_op wa_op_acosh = {
    MAP(acosh, 1, "log(a + sqrt(a * a - 1))", "g / (sqrt(a - 1) * sqrt(a + 1))"),
    .kinks = "infinite at 1", .rule = acosh_rule, .cost = 3.0f, ONE(1.3, 4)};
PUBLIC1(acosh)

RULE(atanh) { gx[0] = div(g, mul(from_one(A), past_one(A))); }
const struct wa_op wa_op_atanh = {
    MAP(atanh, 1, "log((1 + a) / (1 - a)) / 2", "g / ((1 - a) * (1 + a))"),
    .kinks = "infinite at -1 and 1", .rule = atanh_rule, .cost = 2.0f, ONE(-0.7, 0.7)};
PUBLIC1(atanh)

/* -- sigmoids -- */

RULE(sigmoid) { gx[0] = mul(g, sub(y, mul(y, y))); }
const struct wa_op wa_op_sigmoid = {MAP(sigmoid, 1, "1 / (1 + exp(-a))", "g * (y - y * y)"),
                                    .rule = sigmoid_rule, .cost = 0.7f, ONE(-3, 3)};
PUBLIC1(sigmoid)

RULE(softplus) { gx[0] = mul(g, washi_sigmoid(A)); }
const struct wa_op wa_op_softplus = {
    MAP(softplus, 1, "log(1 + exp(a)), without overflow", "g * sigmoid(a)"), .rule = softplus_rule,
    .cost = 1.0f, ONE(-3, 3)};
PUBLIC1(softplus)

washi_tensor *washi_log_sigmoid(washi_tensor *a)
{
    return wa_fit("log_sigmoid", 1, &a) ? neg(washi_softplus(neg(a))) : NULL;
}

/* -- of probability -- */

/* The slope of erf: 2 / sqrt(pi) * exp(-a * a). */
static washi_tensor *bell(washi_tensor *g, washi_tensor *a)
{
    return mul(g, scale(washi_exp(neg(mul(a, a))), 1.12837916709551257390));
}

RULE(erf)
{
    (void)y;
    gx[0] = bell(g, A);
}
const struct wa_op wa_op_erf = {MAP(erf, 1, "2 / sqrt(pi) * the integral of exp(-t * t) from 0 to a",
                                    "g * 2 / sqrt(pi) * exp(-a * a)"),
                                .rule = erf_rule, .cost = 4.0f, ONE(-2, 2)};
PUBLIC1(erf)

RULE(erfc) { gx[0] = neg(bell(g, A)); }
const struct wa_op wa_op_erfc = {
    MAP(erfc, 1, "1 - erf(a), exact for large a too", "-g * 2 / sqrt(pi) * exp(-a * a)"),
    .rule = erfc_rule, .cost = 4.5f, ONE(-2, 2)};
PUBLIC1(erfc)

RULE(lgamma) { gx[0] = mul(g, washi_digamma(A)); }
const struct wa_op wa_op_lgamma = {MAP(lgamma, 1, "log(|gamma(a)|)", "g * digamma(a)"),
                                   .kinks = "NaN at 0 and the negative whole numbers",
                                   .rule = lgamma_rule, .cost = 10.0f, ONE(0.5, 4)};
PUBLIC1(lgamma)

RULE(polygamma) { gx[1] = mul(g, washi_polygamma(washi_shift(A, 1), B)); }
const struct wa_op wa_op_polygamma = {
    MAP(polygamma, 2, "derivative of order floor(a) of digamma at b", "0; g * polygamma(a + 1, b)"),
    .kinks = "NaN at 0 and the negative whole numbers", .rule = polygamma_rule, .cost = 5.0f,
    TWO(0.4, 3)};
PUBLIC2(polygamma)

washi_tensor *washi_digamma(washi_tensor *a)
{
    return wa_fit("digamma", 1, &a) ? washi_polygamma(number(a, 0), a) : NULL;
}
