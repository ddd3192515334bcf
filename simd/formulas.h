/* formulas.h: the elementwise functions that no vector header has. A template: map.h includes it for
 * each real type. */

INLINE VT NAME(one)(void) { return V(set)(1); }
INLINE bool NAME(any)(V(mask) m) { return V(find)(m) < LEN; }
INLINE VT NAME(number)(V(mask) m) { return V(select)(m, NAME(one)(), V(zero)()); }

INLINE VT NAME(sign)(VT a)
{
    const VT zero = V(zero)(), below = V(select)(V(gt)(zero, a), V(set)(-1), a);
    return V(select)(V(gt)(a, zero), NAME(one)(), V(select)(V(eq)(a, zero), zero, below));
}

/* The second where neither is larger: NaN stays. */
INLINE VT NAME(relu)(VT a) { return V(max)(V(zero)(), a); }
INLINE VT NAME(gate)(VT a, VT b) { return V(select)(V(gt)(b, V(zero)()), a, V(zero)()); }
INLINE VT NAME(where)(VT a, VT b, VT c) { return V(select)(V(ne)(a, V(zero)()), b, c); }

INLINE VT NAME(equal)(VT a, VT b) { return NAME(number)(V(eq)(a, b)); }
INLINE VT NAME(not_equal)(VT a, VT b) { return NAME(number)(V(ne)(a, b)); }
INLINE VT NAME(less)(VT a, VT b) { return NAME(number)(V(gt)(b, a)); }
INLINE VT NAME(less_equal)(VT a, VT b) { return NAME(number)(V(ge)(b, a)); }
INLINE VT NAME(greater)(VT a, VT b) { return NAME(number)(V(gt)(a, b)); }
INLINE VT NAME(greater_equal)(VT a, VT b) { return NAME(number)(V(ge)(a, b)); }

INLINE VT NAME(truth)(VT a) { return NAME(number)(V(ne)(a, V(zero)())); }
INLINE VT NAME(logical_and)(VT a, VT b) { return NAME(where)(a, NAME(truth)(b), V(zero)()); }
INLINE VT NAME(logical_or)(VT a, VT b) { return NAME(where)(a, NAME(one)(), NAME(truth)(b)); }
INLINE VT NAME(logical_xor)(VT a, VT b) { return NAME(not_equal)(NAME(truth)(a), NAME(truth)(b)); }

/* A NaN wins: where a is one, and, no comparison with it being true, where b is. */
INLINE VT NAME(first_if)(V(mask) m, VT a, VT b)
{
    return V(select)(m, a, V(select)(V(ne)(a, a), a, b));
}
INLINE VT NAME(minimum)(VT a, VT b) { return NAME(first_if)(V(ge)(b, a), a, b); }
INLINE VT NAME(maximum)(VT a, VT b) { return NAME(first_if)(V(ge)(a, b), a, b); }

/* -- what SLEEF gives for a part of the numbers only ----------------------------------------------- */

/* Logarithms of what is further out are infinite; from here on log(1 + a) is log(a). */
INLINE VT NAME(far)(void) { return V(set)((T)0x1p+40); }

INLINE VT NAME(log1p)(VT a)
{
    const V(mask) out = V(gt)(a, NAME(far)());
    const VT y = V(log1p)(a);
    return NAME(any)(out) ? V(select)(out, V(log)(a), y) : y;
}

/* y, and for a far out log(2 a), which it then is. */
INLINE VT NAME(or_log_of_two)(VT y, VT a)
{
    const V(mask) out = V(gt)(a, NAME(far)());
    if (!NAME(any)(out)) return y;
    return V(select)(out, V(add)(V(log)(a), V(set)((T)0.693147180559945309417)), y);
}

INLINE VT NAME(acosh)(VT a) { return NAME(or_log_of_two)(V(acosh)(a), a); }
INLINE VT NAME(asinh)(VT a)
{
    const VT positive = V(abs)(a), y = NAME(or_log_of_two)(V(asinh)(positive), positive);
    return V(select)(V(gt)(V(zero)(), a), V(neg)(y), V(select)(V(gt)(a, V(zero)()), y, a));
}

/* SLEEF's remainder is NaN where the quotient overflows: then it is taken by multiples of b first. For
 * all others these steps change nothing. */
INLINE VT NAME(fmod)(VT a, VT b)
{
    const VT many = V(set)(sizeof(T) == 4 ? (T)0x1p+100 : (T)0x1p+350 * (T)0x1p+350);
    const VT up = V(mul)(b, many);
    if (NAME(any)(V(gt)(V(abs)(a), V(abs)(up)))) a = V(fmod)(V(fmod)(a, V(mul)(up, many)), up);
    return V(fmod)(a, b);
}

/* -- of exponentials, never infinite before the result is ------------------------------------------ */

INLINE VT NAME(sigmoid)(VT a) { return V(div)(NAME(one)(), V(add)(NAME(one)(), V(exp)(V(neg)(a)))); }
INLINE VT NAME(softplus)(VT a) { return V(add)(NAME(relu)(a), V(log1p)(V(exp)(V(neg)(V(abs)(a))))); }

/* -- polygamma --------------------------------------------------------------------------------------
 */

/* r to the whole number s >= 0. */
INLINE VT NAME(power)(VT r, VT s)
{
    VT y = NAME(one)();
    while (NAME(any)(V(gt)(s, V(zero)()))) {
        const VT half = V(floor)(V(mul)(s, V(set)((T)0.5)));
        y = V(select)(V(eq)(V(add)(half, half), s), y, V(mul)(y, r));
        r = V(mul)(r, r);
        s = half;
    }
    return y;
}

INLINE VT NAME(factorial)(VT n)
{
    VT y = NAME(one)();
    for (VT k = V(set)(2); NAME(any)(V(ge)(n, k)); k = V(add)(k, NAME(one)()))
        y = V(select)(V(ge)(n, k), V(mul)(y, k), y);
    return y;
}

/* For x > 0, sum over k of 1 / (x + k)^(n + 1), which for n = 0 stands for -digamma(x): ten terms, and
 * the rest by the formula of Euler and Maclaurin, whose coefficients are B(2j) / (2j)!
 * (Abramowitz and Stegun 23.2.9, 6.3.18). */
static VT NAME(hurwitz)(VT n, VT x)
{
    static const T c[] = {(T)8.3333333333333333333e-2,  (T)-1.3888888888888888889e-3,
                          (T)3.3068783068783068783e-5,  (T)-8.2671957671957671958e-7,
                          (T)2.0876756987868098979e-8,  (T)-5.2841901386874931848e-10,
                          (T)1.3382536530684678833e-11, (T)-3.3896802963225828668e-13};
    const VT s = V(add)(n, NAME(one)()), w = V(div)(NAME(one)(), V(add)(x, V(set)(10)));
    VT a = V(mul)(s, w), rest = V(set)((T)0.5), odd = s;
    for (int j = 0; j < 8; j++) {
        rest = V(fma)(a, V(set)(c[j]), rest);
        const VT even = V(add)(odd, NAME(one)());
        odd = V(add)(even, NAME(one)());
        a = V(mul)(a, V(mul)(V(mul)(even, w), V(mul)(odd, w)));
    }
    const VT lead = V(select)(V(gt)(n, V(zero)()), V(div)(NAME(power)(w, n), n),
                              V(neg)(V(log)(V(add)(x, V(set)(10)))));
    VT sum = V(fma)(NAME(power)(w, s), rest, lead);
    for (int k = 9; k >= 0; k--)
        sum = V(add)(sum, NAME(power)(V(div)(NAME(one)(), V(add)(x, V(set)((T)k))), s));
    return sum;
}

/* Below 0 by reflection: with S(x) the sum above, f and g the distances of x from the whole numbers
 * below and above it, S(x) = S(f) + (-1)^(n+1) (S(g) - S(1 - x)), the sum over all whole numbers k of
 * 1 / (f + k)^(n+1) being symmetric. */
static VT NAME(polygamma)(VT n, VT x)
{
    const VT zero = V(zero)(), one = NAME(one)(), nan = V(set)((T)NAN), order = V(floor)(n);
    n = V(select)(V(ge)(order, zero), V(select)(V(ge)(V(set)(170), order), order, zero), zero);
    const VT half = V(floor)(V(mul)(n, V(set)((T)0.5)));
    const VT sign = V(select)(V(eq)(V(add)(half, half), n), V(set)(-1), one); /* (-1)^(n+1) */
    const V(mask) positive = V(gt)(x, zero);
    const VT f = V(sub)(x, V(floor)(x)), g = V(sub)(V(ceil)(x), x);
    VT y = NAME(hurwitz)(n, V(select)(positive, x, f));
    if (NAME(any)(V(eq)(V(select)(positive, one, zero), zero))) {
        const VT safe = V(select)(positive, one, g), more = V(sub)(one, V(select)(positive, zero, x));
        const VT back = V(sub)(NAME(hurwitz)(n, safe), NAME(hurwitz)(n, more));
        y = V(select)(positive, y, V(select)(V(eq)(f, zero), nan, V(fma)(sign, back, y)));
    }
    y = V(mul)(V(mul)(sign, NAME(factorial)(n)), y);
    return V(select)(V(eq)(n, order), y, nan);
}
