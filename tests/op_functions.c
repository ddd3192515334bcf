/* op_functions.c: what each elementwise op should give for one element, by libm in double. */
#include "ops.h"

#include <math.h>
#include <string.h>

#define PLAIN(name, expression)                                                                        \
    static double f_##name(const double *x) { return expression; }
#define A x[0]
#define B x[1]
#define C x[2]

/* -- arithmetic, rounding, choice -- */

PLAIN(neg, -A)
PLAIN(abs, A < 0 ? -A : A)
PLAIN(sqrt, sqrt(A))
PLAIN(sign, (A > 0) - (A < 0))
PLAIN(floor, floor(A))
PLAIN(ceil, ceil(A))
PLAIN(round, nearbyint(A))
PLAIN(trunc, trunc(A))
PLAIN(relu, fmax(A, 0))
PLAIN(add, A + B)
PLAIN(sub, A - B)
PLAIN(mul, A *B)
PLAIN(div, A / B)
PLAIN(fmod, fmod(A, B))
PLAIN(minimum, fmin(A, B))
PLAIN(maximum, fmax(A, B))
PLAIN(gate, B > 0 ? A : 0)
PLAIN(equal, !(A < B) && !(A > B))
PLAIN(not_equal, A<B || A> B)
PLAIN(less, A < B)
PLAIN(less_equal, !(A > B))
PLAIN(greater, A > B)
PLAIN(greater_equal, !(A < B))
PLAIN(logical_and, fabs(A) > 0 && fabs(B) > 0)
PLAIN(logical_or, fabs(A) > 0 || fabs(B) > 0)
PLAIN(logical_xor, (fabs(A) > 0) != (fabs(B) > 0))
PLAIN(where, fabs(A) > 0 ? B : C)

/* -- analysis -- */

PLAIN(exp, exp(A))
PLAIN(exp2, exp2(A))
PLAIN(expm1, expm1(A))
PLAIN(log, log(A))
PLAIN(log2, log2(A))
PLAIN(log10, log10(A))
PLAIN(log1p, log1p(A))
PLAIN(cbrt, cbrt(A))
PLAIN(pow, pow(A, B))
PLAIN(sin, sin(A))
PLAIN(cos, cos(A))
PLAIN(tan, tan(A))
PLAIN(asin, asin(A))
PLAIN(acos, acos(A))
PLAIN(atan, atan(A))
PLAIN(atan2, atan2(A, B))
PLAIN(hypot, hypot(A, B))
PLAIN(sinh, sinh(A))
PLAIN(cosh, cosh(A))
PLAIN(tanh, tanh(A))
PLAIN(asinh, asinh(A))
PLAIN(acosh, acosh(A))
PLAIN(atanh, atanh(A))
PLAIN(sigmoid, 1 / (1 + exp(-A)))
PLAIN(softplus, log1p(exp(A)))
PLAIN(erf, erf(A))
PLAIN(erfc, erfc(A))
PLAIN(lgamma, lgamma(A))

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
#define ENTRY(name)                                                                                    \
    {                                                                                                  \
#name, f_##name, 0                                                                             \
    }
    ENTRY(neg),           ENTRY(abs),
    ENTRY(sqrt),          ENTRY(sign),
    ENTRY(floor),         ENTRY(ceil),
    ENTRY(round),         ENTRY(trunc),
    ENTRY(relu),          ENTRY(add),
    ENTRY(sub),           ENTRY(mul),
    ENTRY(div),           ENTRY(fmod),
    ENTRY(minimum),       ENTRY(maximum),
    ENTRY(gate),          ENTRY(equal),
    ENTRY(not_equal),     ENTRY(less),
    ENTRY(less_equal),    ENTRY(greater),
    ENTRY(greater_equal), ENTRY(logical_and),
    ENTRY(logical_or),    ENTRY(logical_xor),
    ENTRY(where),         ENTRY(exp),
    ENTRY(exp2),          ENTRY(expm1),
    ENTRY(log),           ENTRY(log2),
    ENTRY(log10),         ENTRY(log1p),
    ENTRY(cbrt),          ENTRY(pow),
    ENTRY(sin),           ENTRY(cos),
    ENTRY(tan),           ENTRY(asin),
    ENTRY(acos),          ENTRY(atan),
    ENTRY(atan2),         ENTRY(hypot),
    ENTRY(sinh),          ENTRY(cosh),
    ENTRY(tanh),          ENTRY(asinh),
    ENTRY(acosh),         ENTRY(atanh),
    ENTRY(sigmoid),       ENTRY(softplus),
    ENTRY(erf),           ENTRY(erfc),
    ENTRY(lgamma),        {"polygamma", f_polygamma, 3}, /* the logarithm in it */
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
