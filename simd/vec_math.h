/* vec_math.h: SLEEF's functions on a level's vectors, each in the accuracy variant that docs/kernels.md
 * chooses. Included after vec_<level>.h, whose VF_SLEEF and VD_SLEEF name them. */
#ifndef WA_VEC_MATH_H
#define WA_VEC_MATH_H

#define MATH1(name, accuracy)                                                                          \
    static inline vf vf_##name(vf a) { return VF_SLEEF(name, accuracy)(a); }                           \
    static inline vd vd_##name(vd a) { return VD_SLEEF(name, accuracy)(a); }
#define MATH2(name, accuracy)                                                                          \
    static inline vf vf_##name(vf a, vf b) { return VF_SLEEF(name, accuracy)(a, b); }                  \
    static inline vd vd_##name(vd a, vd b) { return VD_SLEEF(name, accuracy)(a, b); }

MATH1(exp2, u10)
MATH1(expm1, u10)
MATH1(log, u35)
MATH1(log2, u35)
MATH1(log10, u10)
MATH1(log1p, u10)
MATH1(cbrt, u35)
MATH1(sin, u35)
MATH1(cos, u35)
MATH1(tan, u35)
MATH1(asin, u35)
MATH1(acos, u35)
MATH1(atan, u35)
MATH1(sinh, u35)
MATH1(cosh, u35)
MATH1(asinh, u10)
MATH1(acosh, u10)
MATH1(atanh, u10)
MATH1(erf, u10)
MATH1(erfc, u15)
MATH1(lgamma, u10)
MATH2(pow, u10)
MATH2(atan2, u35)
MATH2(hypot, u35)
MATH2(fmod, ) /* exact */

static inline vd vd_exp(vd a) { return VD_SLEEF(exp, u10)(a); }
static inline vd vd_tanh(vd a) { return VD_SLEEF(tanh, u35)(a); }

/* The same functions in float, inlined: SLEEF's own steps, whose constants then stay in registers,
 * where a call loads all of them for each vector. Equal to SLEEF's in every bit for each of the 2^32
 * floats (tests/test_simd_floats.c), so they are no other functions, only faster ones. */

/* x - n log 2, of which the first part has few enough bits that its product with n is exact. */
static inline vf vf_less_logs(vf x, vf n)
{
    return vf_fma(n, vf_set(-1.42860676533018704e-06f), vf_fma(n, vf_set(-0.693145751953125f), x));
}
static inline vf vf_in_logs(vf x) { return vf_round(vf_mul(x, vf_set(1.44269504088896340736f))); }

static inline vf vf_exp(vf a)
{
    /* Beyond these the result is 0 or infinity, which the last step makes of them; a NaN passes. */
    const vf x = vf_min(vf_set(104), vf_max(vf_set(-104), a));
    const vf n = vf_in_logs(x), r = vf_less_logs(x, n);
    vf y = vf_set(0.000198527617612853646278381f);
    y = vf_fma(y, r, vf_set(0.00139304355252534151077271f));
    y = vf_fma(y, r, vf_set(0.00833336077630519866943359f));
    y = vf_fma(y, r, vf_set(0.0416664853692054748535156f));
    y = vf_fma(y, r, vf_set(0.166666671633720397949219f));
    y = vf_fma(y, r, vf_set(0.5f));
    y = vf_add(vf_fma(vf_mul(r, r), y, r), vf_set(1));
    return vf_scale(y, n);
}

/* u35: e / (e + 2), e being the exponential of 2 |a| less one. */
static inline vf vf_tanh(vf a)
{
    const vf x = vf_min(vf_set(9), vf_abs(a)),
             twice = vf_add(x, x); /* far above, it is 1; NaN passes */
    const vf n = vf_in_logs(twice), r = vf_less_logs(twice, n), square = vf_mul(r, r);
    const vf low = vf_fma(vf_set(0.166666671633720397949219f), r, vf_set(0.5f));
    const vf middle =
        vf_fma(vf_set(0.00833336077630519866943359f), r, vf_set(0.0416664853692054748535156f));
    const vf high =
        vf_fma(vf_set(0.000198527617612853646278381f), r, vf_set(0.00139304355252535151077271f));
    const vf y = vf_fma(vf_mul(square, square), high, vf_fma(square, middle, low));
    const vf near = vf_fma(square, y, r), far = vf_sub(vf_scale(vf_add(near, vf_set(1)), n), vf_set(1));
    const vf e = vf_select(vf_eq(n, vf_zero()), near, far);
    const vf t = vf_div(e, vf_add(e, vf_set(2)));
    return vf_copysign(vf_select(vf_gt(x, vf_set(8.664339742f)), vf_set(1), t), a);
}

#undef MATH1
#undef MATH2

#endif
