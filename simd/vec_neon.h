/* vec_neon.h: vectors of 128 bits, for aarch64. */
#ifndef WA_VEC_NEON_H
#define WA_VEC_NEON_H

#include <arm_neon.h>
#include <sleef.h>
#include <stddef.h>
#include <stdint.h>

#define WA_IS_neon 1
/* SLEEF's function for each type of vectors. */
#define VF_SLEEF(name, accuracy) Sleef_finz_##name##f4_##accuracy##advsimd
#define VD_SLEEF(name, accuracy) Sleef_finz_##name##d2_##accuracy##advsimd
enum { VF_LEN = 4, VD_LEN = 2 };
typedef float32x4_t vf;
typedef float64x2_t vd;
typedef uint32x4_t vf_mask;
typedef uint64x2_t vd_mask;

/* -- float --------------------------------------------------------------------------------------- */

static inline vf vf_zero(void) { return vdupq_n_f32(0); }
static inline vf vf_set(float a) { return vdupq_n_f32(a); }
static inline vf vf_load(const float *p) { return vld1q_f32(p); }
static inline vf vf_load_n(const float *p, size_t n)
{
    if (n >= VF_LEN) return vld1q_f32(p);
    vf a = vdupq_n_f32(0);
    if (n > 0) a = vld1q_lane_f32(p, a, 0);
    if (n > 1) a = vld1q_lane_f32(p + 1, a, 1);
    if (n > 2) a = vld1q_lane_f32(p + 2, a, 2);
    return a;
}
static inline void vf_store(float *p, vf a) { vst1q_f32(p, a); }
static inline void vf_store_n(float *p, vf a, size_t n)
{
    if (n >= VF_LEN) {
        vst1q_f32(p, a);
        return;
    }
    if (n > 0) vst1q_lane_f32(p, a, 0);
    if (n > 1) vst1q_lane_f32(p + 1, a, 1);
    if (n > 2) vst1q_lane_f32(p + 2, a, 2);
}
static inline vf vf_add(vf a, vf b) { return vaddq_f32(a, b); }
static inline vf vf_sub(vf a, vf b) { return vsubq_f32(a, b); }
static inline vf vf_mul(vf a, vf b) { return vmulq_f32(a, b); }
static inline vf vf_div(vf a, vf b) { return vdivq_f32(a, b); }
static inline vf vf_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
static inline vf vf_sqrt(vf a) { return vsqrtq_f32(a); }
static inline vf vf_neg(vf a) { return vnegq_f32(a); }
static inline vf vf_abs(vf a) { return vabsq_f32(a); }
static inline vf vf_copysign(vf a, vf b) { return vbslq_f32(vdupq_n_u32(UINT32_C(1) << 31), b, a); }
static inline vf vf_floor(vf a) { return vrndmq_f32(a); }
static inline vf vf_ceil(vf a) { return vrndpq_f32(a); }
static inline vf vf_round(vf a) { return vrndnq_f32(a); }
static inline vf vf_trunc(vf a) { return vrndq_f32(a); }
static inline vf_mask vf_gt(vf a, vf b) { return vcgtq_f32(a, b); }
static inline vf_mask vf_ge(vf a, vf b) { return vcgeq_f32(a, b); }
static inline vf_mask vf_eq(vf a, vf b) { return vceqq_f32(a, b); }
static inline vf vf_select(vf_mask m, vf a, vf b) { return vbslq_f32(m, a, b); }
static inline vf_mask vf_ne(vf a, vf b) { return vmvnq_u32(vceqq_f32(a, b)); }
static inline vf vf_max(vf a, vf b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
static inline vf vf_min(vf a, vf b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
static inline float vf_lane0(vf a) { return vgetq_lane_f32(a, 0); }
static inline vf_mask vf_head(size_t n)
{
    const uint32_t lanes[4] = {0, 1, 2, 3};
    return vcltq_u32(vld1q_u32(lanes), vdupq_n_u32((uint32_t)n));
}
static inline size_t vf_find(vf_mask m)
{
    const uint64_t bits = vget_lane_u64(vreinterpret_u64_u16(vmovn_u32(m)), 0);
    return bits ? (size_t)__builtin_ctzll(bits) / 16 : VF_LEN;
}
static inline vf vf_down(vf a, int h) { return h == 2 ? vextq_f32(a, a, 2) : vextq_f32(a, a, 1); }
static inline void vf_transpose(vf r[VF_LEN])
{
    const vd a = vreinterpretq_f64_f32(vzip1q_f32(r[0], r[1]));
    const vd b = vreinterpretq_f64_f32(vzip2q_f32(r[0], r[1]));
    const vd c = vreinterpretq_f64_f32(vzip1q_f32(r[2], r[3]));
    const vd d = vreinterpretq_f64_f32(vzip2q_f32(r[2], r[3]));
    r[0] = vreinterpretq_f32_f64(vzip1q_f64(a, c));
    r[1] = vreinterpretq_f32_f64(vzip2q_f64(a, c));
    r[2] = vreinterpretq_f32_f64(vzip1q_f64(b, d));
    r[3] = vreinterpretq_f32_f64(vzip2q_f64(b, d));
}
/* a * 2^n, rounded once, for a whole n in -250 ... 250 and an a in 0.5 ... 2; NaN for NaN. */
static inline vf vf_scale(vf a, vf n)
{
    const int32x4_t i = vcvtq_s32_f32(n), half = vshrq_n_s32(i, 1);
    const int32x4_t low = vaddq_s32(vreinterpretq_s32_f32(a), vshlq_n_s32(half, 23));
    const int32x4_t rest = vshlq_n_s32(vsubq_s32(i, half), 23);
    const int32x4_t power = vaddq_s32(rest, vreinterpretq_s32_f32(vdupq_n_f32(1)));
    return vmulq_f32(vreinterpretq_f32_s32(low), vreinterpretq_f32_s32(power));
}
static inline vf vf_bytes(const uint8_t *p)
{
    const uint32_t words[4] = {p[0], p[1], p[2], p[3]};
    return vcvtq_f32_u32(vld1q_u32(words));
}
static inline void vf_stream(float *p, vf a) { vst1q_f32(p, a); }
static inline void vf_sincospi(vf a, vf *sin, vf *cos)
{
    const Sleef_float32x4_t_2 r = Sleef_finz_sincospif4_u35advsimd(a);
    *sin = r.x, *cos = r.y;
}

/* Random words in pairs: to 24-bit numbers, apart into evens and odds, and together again. */
static inline vf vf_words(const uint32_t *p) { return vcvtq_f32_u32(vshrq_n_u32(vld1q_u32(p), 8)); }
static inline void vf_unzip(vf a, vf b, vf *even, vf *odd)
{
    *even = vuzp1q_f32(a, b);
    *odd = vuzp2q_f32(a, b);
}
static inline void vf_zip(vf even, vf odd, vf *a, vf *b)
{
    *a = vzip1q_f32(even, odd);
    *b = vzip2q_f32(even, odd);
}

/* -- double -------------------------------------------------------------------------------------- */

static inline vd vd_zero(void) { return vdupq_n_f64(0); }
static inline vd vd_set(double a) { return vdupq_n_f64(a); }
static inline vd vd_load(const double *p) { return vld1q_f64(p); }
static inline vd vd_load_n(const double *p, size_t n)
{
    if (n >= VD_LEN) return vld1q_f64(p);
    return n ? vld1q_lane_f64(p, vdupq_n_f64(0), 0) : vdupq_n_f64(0);
}
static inline void vd_store(double *p, vd a) { vst1q_f64(p, a); }
static inline void vd_store_n(double *p, vd a, size_t n)
{
    if (n > 0) vst1q_lane_f64(p, a, 0);
    if (n > 1) vst1q_lane_f64(p + 1, a, 1);
}
static inline vd vd_add(vd a, vd b) { return vaddq_f64(a, b); }
static inline vd vd_sub(vd a, vd b) { return vsubq_f64(a, b); }
static inline vd vd_mul(vd a, vd b) { return vmulq_f64(a, b); }
static inline vd vd_div(vd a, vd b) { return vdivq_f64(a, b); }
static inline vd vd_fma(vd a, vd b, vd c) { return vfmaq_f64(c, a, b); }
static inline vd vd_sqrt(vd a) { return vsqrtq_f64(a); }
static inline vd vd_neg(vd a) { return vnegq_f64(a); }
static inline vd vd_abs(vd a) { return vabsq_f64(a); }
static inline vd vd_floor(vd a) { return vrndmq_f64(a); }
static inline vd vd_ceil(vd a) { return vrndpq_f64(a); }
static inline vd vd_round(vd a) { return vrndnq_f64(a); }
static inline vd vd_trunc(vd a) { return vrndq_f64(a); }
static inline vd_mask vd_gt(vd a, vd b) { return vcgtq_f64(a, b); }
static inline vd_mask vd_ge(vd a, vd b) { return vcgeq_f64(a, b); }
static inline vd_mask vd_eq(vd a, vd b) { return vceqq_f64(a, b); }
static inline vd vd_select(vd_mask m, vd a, vd b) { return vbslq_f64(m, a, b); }
static inline vd_mask vd_ne(vd a, vd b)
{
    return vreinterpretq_u64_u32(vmvnq_u32(vreinterpretq_u32_u64(vceqq_f64(a, b))));
}
static inline vd vd_max(vd a, vd b) { return vbslq_f64(vcgtq_f64(a, b), a, b); }
static inline vd vd_min(vd a, vd b) { return vbslq_f64(vcltq_f64(a, b), a, b); }
static inline double vd_lane0(vd a) { return vgetq_lane_f64(a, 0); }
static inline vd_mask vd_head(size_t n)
{
    const uint64_t lanes[2] = {0, 1};
    return vcltq_u64(vld1q_u64(lanes), vdupq_n_u64(n));
}
static inline size_t vd_find(vd_mask m)
{
    return vgetq_lane_u64(m, 0) ? 0 : vgetq_lane_u64(m, 1) ? 1 : VD_LEN;
}
static inline vd vd_down(vd a, int h) { return h ? vextq_f64(a, a, 1) : a; }
static inline void vd_transpose(vd r[VD_LEN])
{
    const vd a = r[0], b = r[1];
    r[0] = vzip1q_f64(a, b);
    r[1] = vzip2q_f64(a, b);
}
static inline vd vd_bytes(const uint8_t *p)
{
    const double d[2] = {(double)p[0], (double)p[1]};
    return vld1q_f64(d);
}
static inline void vd_stream(double *p, vd a) { vst1q_f64(p, a); }
static inline void vd_sincospi(vd a, vd *sin, vd *cos)
{
    const Sleef_float64x2_t_2 r = Sleef_finz_sincospid2_u35advsimd(a);
    *sin = r.x, *cos = r.y;
}

/* -- 64-bit words for Philox, VD_LEN a vector ---------------------------------------------------- */

typedef uint64x2_t vu;
static inline vu vu_set(uint64_t a) { return vdupq_n_u64(a); }
static inline vu vu_add(vu a, vu b) { return vaddq_u64(a, b); }
static inline vu vu_xor(vu a, vu b) { return veorq_u64(a, b); }
static inline vu vu_high(vu a) { return vshrq_n_u64(a, 32); }
/* The product of the lower halves. */
static inline vu vu_mul(vu a, vu b) { return vmull_u32(vmovn_u64(a), vmovn_u64(b)); }
/* The number of the block that each lane holds. */
static inline vu vu_blocks(void) { return vcombine_u64(vcreate_u64(0), vcreate_u64(1)); }
/* Stores the blocks in order, each the lower halves of a, b, c, d. */
static inline void vu_store_blocks(uint32_t *p, vu a, vu b, vu c, vu d)
{
    const vu ab = vsliq_n_u64(a, b, 32), cd = vsliq_n_u64(c, d, 32);
    vst1q_u32(p, vreinterpretq_u32_u64(vzip1q_u64(ab, cd)));
    vst1q_u32(p + 4, vreinterpretq_u32_u64(vzip2q_u64(ab, cd)));
}

/* Casts to integers, V_CAST elements at once: conversions and narrowings of NEON clamp, NaN giving 0.
 */
enum { V_CAST = 8 };
static inline void v_cast_i32_f32(int32_t *y, const float *x)
{
    vst1q_s32(y, vcvtq_s32_f32(vld1q_f32(x)));
    vst1q_s32(y + 4, vcvtq_s32_f32(vld1q_f32(x + 4)));
}
static inline int32x4_t cast_four(const double *x)
{
    const int32x2_t low = vqmovn_s64(vcvtq_s64_f64(vld1q_f64(x)));
    return vcombine_s32(low, vqmovn_s64(vcvtq_s64_f64(vld1q_f64(x + 2))));
}
static inline void v_cast_i32_f64(int32_t *y, const double *x)
{
    vst1q_s32(y, cast_four(x));
    vst1q_s32(y + 4, cast_four(x + 4));
}
static inline void cast_pack(uint8_t *y, int32x4_t a, int32x4_t b)
{
    vst1_u8(y, vqmovun_s16(vcombine_s16(vqmovn_s32(a), vqmovn_s32(b))));
}
static inline void v_cast_u8_i32(uint8_t *y, const int32_t *x)
{
    cast_pack(y, vld1q_s32(x), vld1q_s32(x + 4));
}
static inline void v_cast_u8_f32(uint8_t *y, const float *x)
{
    cast_pack(y, vcvtq_s32_f32(vld1q_f32(x)), vcvtq_s32_f32(vld1q_f32(x + 4)));
}
static inline void v_cast_u8_f64(uint8_t *y, const double *x)
{
    cast_pack(y, cast_four(x), cast_four(x + 4));
}

static inline void v_fence(void) {}

#endif
