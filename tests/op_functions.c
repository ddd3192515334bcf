/* op_functions.c: what each elementwise op should give for one element, by libm in double. */
#include "ops.h"

#include <math.h>
#include <string.h>

#define A x[0]
#define B x[1]
#define C x[2]

/* A line an op: its name, and its element from those of the operands. */
// clang-format off
#define FUNCTIONS(X) \
    X(neg, -A) \
    X(abs, A < 0 ? -A : A) \
    X(sqrt, sqrt(A)) \
    X(sign, (A > 0) - (A < 0)) \
    X(floor, floor(A)) \
    X(ceil, ceil(A)) \
    X(round, nearbyint(A)) \
    X(trunc, trunc(A)) \
    X(relu, fmax(A, 0)) \
    X(add, A + B) \
    X(sub, A - B) \
    X(mul, A * B) \
    X(div, A / B) \
    X(fmod, fmod(A, B)) \
    X(minimum, fmin(A, B)) \
    X(maximum, fmax(A, B)) \
    X(gate, B > 0 ? A : 0) \
    X(equal, !(A < B) && !(A > B)) \
    X(not_equal, A < B || A > B) \
    X(less, A < B) \
    X(less_equal, !(A > B)) \
    X(greater, A > B) \
    X(greater_equal, !(A < B)) \
    X(logical_and, fabs(A) > 0 && fabs(B) > 0) \
    X(logical_or, fabs(A) > 0 || fabs(B) > 0) \
    X(logical_xor, (fabs(A) > 0) != (fabs(B) > 0)) \
    X(where, fabs(A) > 0 ? B : C) \
    X(exp, exp(A)) \
    X(exp2, exp2(A)) \
    X(expm1, expm1(A)) \
    X(log, log(A)) \
    X(log2, log2(A)) \
    X(log10, log10(A)) \
    X(log1p, log1p(A)) \
    X(cbrt, cbrt(A)) \
    X(pow, pow(A, B)) \
    X(sin, sin(A)) \
    X(cos, cos(A)) \
    X(tan, tan(A)) \
    X(asin, asin(A)) \
    X(acos, acos(A)) \
    X(atan, atan(A)) \
    X(atan2, atan2(A, B)) \
    X(hypot, hypot(A, B)) \
    X(sinh, sinh(A)) \
    X(cosh, cosh(A)) \
    X(tanh, tanh(A)) \
    X(asinh, asinh(A)) \
    X(acosh, acosh(A)) \
    X(atanh, atanh(A)) \
    X(sigmoid, 1 / (1 + exp(-A))) \
    X(softplus, log1p(exp(A))) \
    X(erf, erf(A)) \
    X(erfc, erfc(A)) \
    X(lgamma, lgamma(A))
// clang-format on

#define PLAIN(name, element)                                                                           \
    static double f_##name(const double *x) { return element; }
FUNCTIONS(PLAIN)

/* Far out, where a few terms of the asymptotic series do, brought back by the recurrence of order n,
 * f(x) = f(x + 1) - (-1)^n n! / x^(n+1). */
static double f_polygamma(const double *x)
{
    static const double series[] = {1.0 / 12, -1.0 / 720, 1.0 / 30240, -1.0 / 1209600, 1.0 / 47900160};
    const int n = (int)floor(A);
    int steps = 0;
    double factorial = 1;
    for (int k = 2; k <= n; k++) factorial *= k;
    while (B + steps < 20) steps++;
    const double z = B + steps;
    double term = factorial / pow(z, n + 1), sum = term / 2 + (n ? term * z / n : -log(z));
    for (int j = 0; j < 5; j++) {
        term *= (n + 2 * j + 1) / z;
        sum += series[j] * term;
        term *= (n + 2 * j + 2) / z;
    }
    while (steps-- > 0) sum += factorial / pow(B + steps, n + 1);
    return n % 2 ? sum : -sum;
}

static const struct {
    const char *name;
    double (*f)(const double *x);
    double least; /* what rounding is relative to, at least: for a root that is no exact number */
} functions[] = {
#define ENTRY(name, element) {#name, f_##name, 0},
    FUNCTIONS(ENTRY){"polygamma", f_polygamma, 3}, /* the logarithm in it */
};

bool plain_element(const char *name, const double *x, double *value, double *size)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (strcmp(functions[i].name, name)) continue;
        if (!x) return true;
        *value = functions[i].f(x);
        *size = fmax(fabs(*value), functions[i].least);
        return true;
    }
    return false;
}
