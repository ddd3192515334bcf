/* vec_scalar.h: the vectors of one lane. The level every other one must agree with, bit by bit. */
#ifndef WA_VEC_SCALAR_H
#define WA_VEC_SCALAR_H

/* sleef.h shows its purecfma functions only where it believes in a fast fma. */
#ifndef FP_FAST_FMA
#define FP_FAST_FMA 1
#endif
#ifndef FP_FAST_FMAF
#define FP_FAST_FMAF 1
#endif
#include <sleef.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WA_IS_scalar 1
/* SLEEF's function for each type of vectors. */
#define VF_SLEEF(name, accuracy) Sleef_finz_##name##f1_##accuracy##purecfma
#define VD_SLEEF(name, accuracy) Sleef_finz_##name##d1_##accuracy##purecfma
enum { VF_LEN = 1, VD_LEN = 1 };
typedef float vf;
typedef double vd;
typedef int vf_mask;
typedef int vd_mask;

/* -- float --------------------------------------------------------------------------------------- */

static inline vf vf_zero(void) { return 0; }
static inline vf vf_set(float a) { return a; }
static inline vf vf_load(const float *p) { return *p; }
static inline vf vf_load_n(const float *p, size_t n) { return n ? *p : 0; }
static inline void vf_store(float *p, vf a) { *p = a; }
static inline void vf_store_n(float *p, vf a, size_t n)
{
    if (n) *p = a;
}
static inline vf vf_add(vf a, vf b) { return a + b; }
static inline vf vf_sub(vf a, vf b) { return a - b; }
static inline vf vf_mul(vf a, vf b) { return a * b; }
static inline vf vf_div(vf a, vf b) { return a / b; }
static inline vf vf_fma(vf a, vf b, vf c) { return __builtin_fmaf(a, b, c); }
static inline vf vf_sqrt(vf a) { return __builtin_sqrtf(a); }
static inline vf vf_neg(vf a) { return -a; }
static inline vf vf_abs(vf a) { return __builtin_fabsf(a); }
static inline vf vf_copysign(vf a, vf b) { return __builtin_copysignf(a, b); }
static inline vf vf_floor(vf a) { return __builtin_floorf(a); }
static inline vf vf_ceil(vf a) { return __builtin_ceilf(a); }
static inline vf vf_round(vf a) { return __builtin_rintf(a); }
static inline vf vf_trunc(vf a) { return __builtin_truncf(a); }
static inline vf vf_max(vf a, vf b) { return a > b ? a : b; }
static inline vf vf_min(vf a, vf b) { return a < b ? a : b; }
static inline vf_mask vf_gt(vf a, vf b) { return a > b; }
static inline vf_mask vf_ge(vf a, vf b) { return a >= b; }
static inline vf_mask vf_eq(vf a, vf b) { return a == b; }
static inline vf_mask vf_ne(vf a, vf b) { return a != b; }
static inline vf vf_select(vf_mask m, vf a, vf b) { return m ? a : b; }
static inline vf_mask vf_head(size_t n) { return n > 0; }
static inline size_t vf_find(vf_mask m) { return m ? 0 : 1; }
static inline float vf_lane0(vf a) { return a; }
static inline vf vf_down(vf a, int h) { return h ? 0 : a; }
static inline void vf_transpose(vf r[VF_LEN]) { (void)r; }
/* a * 2^n, rounded once, for a whole n in -250 ... 250 and an a in 0.5 ... 2; NaN for NaN. */
static inline vf vf_scale(vf a, vf n)
{
    const int32_t i = n == n ? (int32_t)n : 0, half = i >> 1;
    uint32_t bits = (uint32_t)(i - half + 127) << 23;
    float power, low;
    memcpy(&power, &bits, 4);
    memcpy(&bits, &a, 4);
    bits += (uint32_t)half << 23;
    memcpy(&low, &bits, 4);
    return low * power;
}
static inline vf vf_bytes(const uint8_t *p) { return (float)*p; }
static inline void vf_stream(float *p, vf a) { *p = a; }
static inline void vf_sincospi(vf a, vf *sin, vf *cos)
{
    const Sleef_float_2 r = Sleef_finz_sincospif1_u35purecfma(a);
    *sin = r.x, *cos = r.y;
}

/* Random words in pairs: to 24-bit numbers, apart into evens and odds, and together again. */
static inline vf vf_words(const uint32_t *p) { return (float)(*p >> 8); }
static inline void vf_unzip(vf a, vf b, vf *even, vf *odd) { *even = a, *odd = b; }
static inline void vf_zip(vf even, vf odd, vf *a, vf *b) { *a = even, *b = odd; }

/* -- double -------------------------------------------------------------------------------------- */

static inline vd vd_zero(void) { return 0; }
static inline vd vd_set(double a) { return a; }
static inline vd vd_load(const double *p) { return *p; }
static inline vd vd_load_n(const double *p, size_t n) { return n ? *p : 0; }
static inline void vd_store(double *p, vd a) { *p = a; }
static inline void vd_store_n(double *p, vd a, size_t n)
{
    if (n) *p = a;
}
static inline vd vd_add(vd a, vd b) { return a + b; }
static inline vd vd_sub(vd a, vd b) { return a - b; }
static inline vd vd_mul(vd a, vd b) { return a * b; }
static inline vd vd_div(vd a, vd b) { return a / b; }
static inline vd vd_fma(vd a, vd b, vd c) { return __builtin_fma(a, b, c); }
static inline vd vd_sqrt(vd a) { return __builtin_sqrt(a); }
static inline vd vd_neg(vd a) { return -a; }
static inline vd vd_abs(vd a) { return __builtin_fabs(a); }
static inline vd vd_floor(vd a) { return __builtin_floor(a); }
static inline vd vd_ceil(vd a) { return __builtin_ceil(a); }
static inline vd vd_round(vd a) { return __builtin_rint(a); }
static inline vd vd_trunc(vd a) { return __builtin_trunc(a); }
static inline vd vd_max(vd a, vd b) { return a > b ? a : b; }
static inline vd vd_min(vd a, vd b) { return a < b ? a : b; }
static inline vd_mask vd_gt(vd a, vd b) { return a > b; }
static inline vd_mask vd_ge(vd a, vd b) { return a >= b; }
static inline vd_mask vd_eq(vd a, vd b) { return a == b; }
static inline vd_mask vd_ne(vd a, vd b) { return a != b; }
static inline vd vd_select(vd_mask m, vd a, vd b) { return m ? a : b; }
static inline vd_mask vd_head(size_t n) { return n > 0; }
static inline size_t vd_find(vd_mask m) { return m ? 0 : 1; }
static inline double vd_lane0(vd a) { return a; }
static inline vd vd_down(vd a, int h) { return h ? 0 : a; }
static inline void vd_transpose(vd r[VD_LEN]) { (void)r; }
static inline vd vd_bytes(const uint8_t *p) { return (double)*p; }
static inline void vd_stream(double *p, vd a) { *p = a; }
static inline void vd_sincospi(vd a, vd *sin, vd *cos)
{
    const Sleef_double_2 r = Sleef_finz_sincospid1_u35purecfma(a);
    *sin = r.x, *cos = r.y;
}

static inline void v_fence(void) {}

#endif
