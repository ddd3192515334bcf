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

MATH1(exp, u10)
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
MATH1(tanh, u35)
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

#undef MATH1
#undef MATH2

#endif
