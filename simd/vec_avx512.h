/* vec_avx512.h: vectors of 512 bits, for x86 with AVX-512 F, DQ, BW and VL. */
#ifndef WA_VEC_AVX512_H
#define WA_VEC_AVX512_H

#include <immintrin.h>
#include <sleef.h>
#include <stddef.h>
#include <stdint.h>
#include "vec_block_avx.h"
#include "vec_cast_avx.h"

#define WA_IS_avx512 1
/* SLEEF's function for each type of vectors. */
#define VF_SLEEF(name, accuracy) Sleef_finz_##name##f16_##accuracy##avx512f
#define VD_SLEEF(name, accuracy) Sleef_finz_##name##d8_##accuracy##avx512f
enum { VF_LEN = 16, VD_LEN = 8 };
typedef __m512 vf;
typedef __m512d vd;
typedef __mmask16 vf_mask;
typedef __mmask8 vd_mask;

static inline vf_mask vf_head(size_t n) { return (__mmask16)((1u << n) - 1); }
static inline vd_mask vd_head(size_t n) { return (__mmask8)((1u << n) - 1); }

/* -- float --------------------------------------------------------------------------------------- */

static inline vf vf_zero(void) { return _mm512_setzero_ps(); }
static inline vf vf_set(float a) { return _mm512_set1_ps(a); }
static inline vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
static inline vf vf_load_n(const float *p, size_t n) { return _mm512_maskz_loadu_ps(vf_head(n), p); }
static inline void vf_store(float *p, vf a) { _mm512_storeu_ps(p, a); }
static inline void vf_store_n(float *p, vf a, size_t n) { _mm512_mask_storeu_ps(p, vf_head(n), a); }
static inline vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
static inline vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
static inline vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
static inline vf vf_sqrt(vf a) { return _mm512_sqrt_ps(a); }
static inline vf vf_neg(vf a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f)); }
static inline vf vf_abs(vf a) { return _mm512_abs_ps(a); }
static inline vf vf_copysign(vf a, vf b)
{
    const __m512i sign = _mm512_set1_epi32(INT32_MIN);
    return _mm512_castsi512_ps(
        _mm512_ternarylogic_epi32(sign, _mm512_castps_si512(b), _mm512_castps_si512(a), 0xca));
}
static inline vf vf_floor(vf a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
static inline vf vf_ceil(vf a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
}
static inline vf vf_round(vf a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline vf vf_trunc(vf a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}
static inline vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
static inline vf_mask vf_gt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
static inline vf_mask vf_ge(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }
static inline vf_mask vf_eq(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
static inline vf_mask vf_ne(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ); }
static inline vf vf_select(vf_mask m, vf a, vf b) { return _mm512_mask_blend_ps(m, b, a); }
static inline size_t vf_find(vf_mask m) { return (size_t)__builtin_ctz(m | 1u << VF_LEN); }
static inline float vf_lane0(vf a) { return _mm512_cvtss_f32(a); }
static inline vf vf_down(vf a, int h)
{
    switch (h) {
    case 8: return _mm512_shuffle_f32x4(a, a, 0x0e);
    case 4: return _mm512_shuffle_f32x4(a, a, 0x01);
    case 2: return _mm512_permute_ps(a, 0x0e);
    default: return _mm512_movehdup_ps(a);
    }
}
static inline void vf_transpose(vf r[VF_LEN])
{
    for (int i = 0; i < 16; i += 4) { /* four rows: a 4x4 transpose in each quarter */
        const vd a = _mm512_castps_pd(_mm512_unpacklo_ps(r[i], r[i + 1]));
        const vd b = _mm512_castps_pd(_mm512_unpackhi_ps(r[i], r[i + 1]));
        const vd c = _mm512_castps_pd(_mm512_unpacklo_ps(r[i + 2], r[i + 3]));
        const vd d = _mm512_castps_pd(_mm512_unpackhi_ps(r[i + 2], r[i + 3]));
        r[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
        r[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
        r[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
        r[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
    }
    for (int i = 0; i < 4; i++) { /* then the quarters themselves */
        const vf a = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x44);
        const vf b = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xee);
        const vf c = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x44);
        const vf d = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xee);
        r[i] = _mm512_shuffle_f32x4(a, c, 0x88);
        r[i + 4] = _mm512_shuffle_f32x4(a, c, 0xdd);
        r[i + 8] = _mm512_shuffle_f32x4(b, d, 0x88);
        r[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
}
/* a * 2^n, rounded once, for a whole n in -250 ... 250 and an a in 0.5 ... 2; NaN for NaN. */
static inline vf vf_scale(vf a, vf n) { return _mm512_scalef_ps(a, n); }
static inline vf vf_bytes(const uint8_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)));
}
static inline void vf_stream(float *p, vf a) { _mm512_stream_ps(p, a); }
static inline void vf_sincospi(vf a, vf *sin, vf *cos)
{
    const Sleef___m512_2 r = Sleef_finz_sincospif16_u35avx512f(a);
    *sin = r.x, *cos = r.y;
}

/* Random words in pairs: to 24-bit numbers, apart into evens and odds (in a lane order of their own),
 * and together again. */
static inline vf vf_words(const uint32_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_srli_epi32(_mm512_loadu_si512(p), 8));
}
static inline void vf_unzip(vf a, vf b, vf *even, vf *odd)
{
    *even = _mm512_shuffle_ps(a, b, 0x88);
    *odd = _mm512_shuffle_ps(a, b, 0xdd);
}
static inline void vf_zip(vf even, vf odd, vf *a, vf *b)
{
    *a = _mm512_unpacklo_ps(even, odd);
    *b = _mm512_unpackhi_ps(even, odd);
}

/* -- double -------------------------------------------------------------------------------------- */

static inline vd vd_zero(void) { return _mm512_setzero_pd(); }
static inline vd vd_set(double a) { return _mm512_set1_pd(a); }
static inline vd vd_load(const double *p) { return _mm512_loadu_pd(p); }
static inline vd vd_load_n(const double *p, size_t n) { return _mm512_maskz_loadu_pd(vd_head(n), p); }
static inline void vd_store(double *p, vd a) { _mm512_storeu_pd(p, a); }
static inline void vd_store_n(double *p, vd a, size_t n) { _mm512_mask_storeu_pd(p, vd_head(n), a); }
static inline vd vd_add(vd a, vd b) { return _mm512_add_pd(a, b); }
static inline vd vd_sub(vd a, vd b) { return _mm512_sub_pd(a, b); }
static inline vd vd_mul(vd a, vd b) { return _mm512_mul_pd(a, b); }
static inline vd vd_div(vd a, vd b) { return _mm512_div_pd(a, b); }
static inline vd vd_fma(vd a, vd b, vd c) { return _mm512_fmadd_pd(a, b, c); }
static inline vd vd_sqrt(vd a) { return _mm512_sqrt_pd(a); }
static inline vd vd_neg(vd a) { return _mm512_xor_pd(a, _mm512_set1_pd(-0.0)); }
static inline vd vd_abs(vd a) { return _mm512_abs_pd(a); }
static inline vd vd_floor(vd a)
{
    return _mm512_roundscale_pd(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
static inline vd vd_ceil(vd a)
{
    return _mm512_roundscale_pd(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
}
static inline vd vd_round(vd a)
{
    return _mm512_roundscale_pd(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline vd vd_trunc(vd a)
{
    return _mm512_roundscale_pd(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}
static inline vd vd_max(vd a, vd b) { return _mm512_max_pd(a, b); }
static inline vd vd_min(vd a, vd b) { return _mm512_min_pd(a, b); }
static inline vd_mask vd_gt(vd a, vd b) { return _mm512_cmp_pd_mask(a, b, _CMP_GT_OQ); }
static inline vd_mask vd_ge(vd a, vd b) { return _mm512_cmp_pd_mask(a, b, _CMP_GE_OQ); }
static inline vd_mask vd_eq(vd a, vd b) { return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ); }
static inline vd_mask vd_ne(vd a, vd b) { return _mm512_cmp_pd_mask(a, b, _CMP_NEQ_UQ); }
static inline vd vd_select(vd_mask m, vd a, vd b) { return _mm512_mask_blend_pd(m, b, a); }
static inline size_t vd_find(vd_mask m) { return (size_t)__builtin_ctz(m | 1u << VD_LEN); }
static inline double vd_lane0(vd a) { return _mm512_cvtsd_f64(a); }
static inline vd vd_down(vd a, int h)
{
    switch (h) {
    case 4: return _mm512_shuffle_f64x2(a, a, 0x0e);
    case 2: return _mm512_shuffle_f64x2(a, a, 0x01);
    default: return _mm512_permute_pd(a, 0xff);
    }
}
static inline void vd_transpose(vd r[VD_LEN])
{
    for (int i = 0; i < 8; i += 2) { /* two rows: a 2x2 transpose in each quarter */
        const vd a = r[i], b = r[i + 1];
        r[i] = _mm512_unpacklo_pd(a, b);
        r[i + 1] = _mm512_unpackhi_pd(a, b);
    }
    for (int i = 0; i < 2; i++) { /* then the quarters themselves */
        const vd a = _mm512_shuffle_f64x2(r[i], r[i + 2], 0x44);
        const vd b = _mm512_shuffle_f64x2(r[i], r[i + 2], 0xee);
        const vd c = _mm512_shuffle_f64x2(r[i + 4], r[i + 6], 0x44);
        const vd d = _mm512_shuffle_f64x2(r[i + 4], r[i + 6], 0xee);
        r[i] = _mm512_shuffle_f64x2(a, c, 0x88);
        r[i + 2] = _mm512_shuffle_f64x2(a, c, 0xdd);
        r[i + 4] = _mm512_shuffle_f64x2(b, d, 0x88);
        r[i + 6] = _mm512_shuffle_f64x2(b, d, 0xdd);
    }
}
static inline vd vd_bytes(const uint8_t *p)
{
    return _mm512_cvtepi32_pd(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}
static inline void vd_stream(double *p, vd a) { _mm512_stream_pd(p, a); }
static inline void vd_sincospi(vd a, vd *sin, vd *cos)
{
    const Sleef___m512d_2 r = Sleef_finz_sincospid8_u35avx512f(a);
    *sin = r.x, *cos = r.y;
}

/* -- 64-bit words for Philox, VD_LEN a vector ---------------------------------------------------- */

typedef __m512i vu;
static inline vu vu_set(uint64_t a) { return _mm512_set1_epi64((long long)a); }
static inline vu vu_add(vu a, vu b) { return _mm512_add_epi64(a, b); }
static inline vu vu_xor(vu a, vu b) { return _mm512_xor_si512(a, b); }
static inline vu vu_high(vu a) { return _mm512_srli_epi64(a, 32); }
/* The product of the lower halves. */
static inline vu vu_mul(vu a, vu b) { return _mm512_mul_epu32(a, b); }
/* The number of the block that each lane holds, so that vu_store_blocks need not cross lanes. */
static inline vu vu_blocks(void) { return _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7); }
/* Stores the blocks in order, each the lower halves of a, b, c, d. */
static inline void vu_store_blocks(uint32_t *p, vu a, vu b, vu c, vu d)
{
    const vu ab = _mm512_mask_blend_epi32(0xaaaa, a, _mm512_slli_epi64(b, 32));
    const vu cd = _mm512_mask_blend_epi32(0xaaaa, c, _mm512_slli_epi64(d, 32));
    _mm512_storeu_si512(p, _mm512_unpacklo_epi64(ab, cd));
    _mm512_storeu_si512(p + 16, _mm512_unpackhi_epi64(ab, cd));
}

/* Orders what vf_stream and vd_stream wrote before all that follows. */
static inline void v_fence(void) { _mm_sfence(); }

#endif
