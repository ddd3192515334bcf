/* vec_avx2.h: vectors of 256 bits, for x86 with AVX2 and FMA. */
#ifndef WA_VEC_AVX2_H
#define WA_VEC_AVX2_H

#include <immintrin.h>
#include <sleef.h>
#include <stddef.h>
#include <stdint.h>
#include "vec_block_avx.h"
#include "vec_cast_avx.h"

#define WA_IS_avx2 1
/* SLEEF's function for each type of vectors. */
#define VF_SLEEF(name, accuracy) Sleef_finz_##name##f8_##accuracy##avx2
#define VD_SLEEF(name, accuracy) Sleef_finz_##name##d4_##accuracy##avx2
enum { VF_LEN = 8, VD_LEN = 4 };
typedef __m256 vf;
typedef __m256d vd;
typedef __m256 vf_mask;
typedef __m256d vd_mask;

/* The masks of the first n lanes are windows into a row of ones followed by zeros. */
static const int32_t vec_ones[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
static inline __m256i vf_first(size_t n)
{
    return _mm256_loadu_si256((const __m256i *)(vec_ones + 8 - n));
}
static inline __m256i vd_first(size_t n)
{
    return _mm256_loadu_si256((const __m256i *)(vec_ones + 8 - 2 * n));
}

/* -- float --------------------------------------------------------------------------------------- */

static inline vf vf_zero(void) { return _mm256_setzero_ps(); }
static inline vf vf_set(float a) { return _mm256_set1_ps(a); }
static inline vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
static inline vf vf_load_n(const float *p, size_t n) { return _mm256_maskload_ps(p, vf_first(n)); }
static inline void vf_store(float *p, vf a) { _mm256_storeu_ps(p, a); }
/* In pieces, as a masked store takes dozens of cycles on AMD's CPUs. */
static inline void vf_store_n(float *p, vf a, size_t n)
{
    if (n >= VF_LEN) {
        _mm256_storeu_ps(p, a);
        return;
    }
    __m128 b = _mm256_castps256_ps128(a);
    if (n & 4) {
        _mm_storeu_ps(p, b);
        b = _mm256_extractf128_ps(a, 1);
        p += 4;
    }
    if (n & 2) {
        _mm_storel_pi((__m64 *)(void *)p, b);
        b = _mm_movehl_ps(b, b);
        p += 2;
    }
    if (n & 1) _mm_store_ss(p, b);
}
static inline vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
static inline vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
static inline vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
static inline vf vf_sqrt(vf a) { return _mm256_sqrt_ps(a); }
static inline vf vf_neg(vf a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f)); }
static inline vf vf_abs(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
static inline vf vf_copysign(vf a, vf b)
{
    const vf sign = _mm256_set1_ps(-0.0f);
    return _mm256_or_ps(_mm256_andnot_ps(sign, a), _mm256_and_ps(sign, b));
}
static inline vf vf_floor(vf a) { return _mm256_floor_ps(a); }
static inline vf vf_ceil(vf a) { return _mm256_ceil_ps(a); }
static inline vf vf_round(vf a)
{
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline vf vf_trunc(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
static inline vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
static inline vf_mask vf_gt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_GT_OQ); }
static inline vf_mask vf_ge(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_GE_OQ); }
static inline vf_mask vf_eq(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
static inline vf_mask vf_ne(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_NEQ_UQ); }
static inline vf vf_select(vf_mask m, vf a, vf b) { return _mm256_blendv_ps(b, a, m); }
static inline vf_mask vf_head(size_t n) { return _mm256_castsi256_ps(vf_first(n)); }
static inline size_t vf_find(vf_mask m)
{
    return (size_t)__builtin_ctz((unsigned)_mm256_movemask_ps(m) | 1u << VF_LEN);
}
static inline float vf_lane0(vf a) { return _mm256_cvtss_f32(a); }
static inline vf vf_down(vf a, int h)
{
    switch (h) {
    case 4: return _mm256_permute2f128_ps(a, a, 0x11);
    case 2: return _mm256_permute_ps(a, 0x0e);
    default: return _mm256_movehdup_ps(a);
    }
}
static inline void vf_transpose(vf r[VF_LEN])
{
    for (int i = 0; i < 8; i += 4) { /* four rows: a 4x4 transpose in each half */
        const __m256d a = _mm256_castps_pd(_mm256_unpacklo_ps(r[i], r[i + 1]));
        const __m256d b = _mm256_castps_pd(_mm256_unpackhi_ps(r[i], r[i + 1]));
        const __m256d c = _mm256_castps_pd(_mm256_unpacklo_ps(r[i + 2], r[i + 3]));
        const __m256d d = _mm256_castps_pd(_mm256_unpackhi_ps(r[i + 2], r[i + 3]));
        r[i] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, c));
        r[i + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, c));
        r[i + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(b, d));
        r[i + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(b, d));
    }
    for (int i = 0; i < 4; i++) {
        const vf low = r[i], high = r[i + 4];
        r[i] = _mm256_permute2f128_ps(low, high, 0x20);
        r[i + 4] = _mm256_permute2f128_ps(low, high, 0x31);
    }
}
/* a * 2^n, rounded once, for a whole n in -250 ... 250 and an a in 0.5 ... 2; NaN for NaN. */
static inline vf vf_scale(vf a, vf n)
{
    const __m256i i = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(i, 1);
    const __m256i low = _mm256_add_epi32(_mm256_castps_si256(a), _mm256_slli_epi32(half, 23));
    const __m256i rest = _mm256_slli_epi32(_mm256_sub_epi32(i, half), 23);
    const __m256i power = _mm256_add_epi32(rest, _mm256_castps_si256(_mm256_set1_ps(1)));
    return _mm256_mul_ps(_mm256_castsi256_ps(low), _mm256_castsi256_ps(power));
}
static inline vf vf_bytes(const uint8_t *p)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}
static inline void vf_stream(float *p, vf a) { _mm256_stream_ps(p, a); }
static inline void vf_sincospi(vf a, vf *sin, vf *cos)
{
    const Sleef___m256_2 r = Sleef_finz_sincospif8_u35avx2(a);
    *sin = r.x, *cos = r.y;
}

/* Random words in pairs: to 24-bit numbers, apart into evens and odds (in a lane order of their own),
 * and together again. */
static inline vf vf_words(const uint32_t *p)
{
    return _mm256_cvtepi32_ps(_mm256_srli_epi32(_mm256_loadu_si256((const __m256i *)p), 8));
}
static inline void vf_unzip(vf a, vf b, vf *even, vf *odd)
{
    *even = _mm256_shuffle_ps(a, b, 0x88);
    *odd = _mm256_shuffle_ps(a, b, 0xdd);
}
static inline void vf_zip(vf even, vf odd, vf *a, vf *b)
{
    *a = _mm256_unpacklo_ps(even, odd);
    *b = _mm256_unpackhi_ps(even, odd);
}

/* -- double -------------------------------------------------------------------------------------- */

static inline vd vd_zero(void) { return _mm256_setzero_pd(); }
static inline vd vd_set(double a) { return _mm256_set1_pd(a); }
static inline vd vd_load(const double *p) { return _mm256_loadu_pd(p); }
static inline vd vd_load_n(const double *p, size_t n) { return _mm256_maskload_pd(p, vd_first(n)); }
static inline void vd_store(double *p, vd a) { _mm256_storeu_pd(p, a); }
static inline void vd_store_n(double *p, vd a, size_t n)
{
    if (n >= VD_LEN) {
        _mm256_storeu_pd(p, a);
        return;
    }
    __m128d b = _mm256_castpd256_pd128(a);
    if (n & 2) {
        _mm_storeu_pd(p, b);
        b = _mm256_extractf128_pd(a, 1);
        p += 2;
    }
    if (n & 1) _mm_store_sd(p, b);
}
static inline vd vd_add(vd a, vd b) { return _mm256_add_pd(a, b); }
static inline vd vd_sub(vd a, vd b) { return _mm256_sub_pd(a, b); }
static inline vd vd_mul(vd a, vd b) { return _mm256_mul_pd(a, b); }
static inline vd vd_div(vd a, vd b) { return _mm256_div_pd(a, b); }
static inline vd vd_fma(vd a, vd b, vd c) { return _mm256_fmadd_pd(a, b, c); }
static inline vd vd_sqrt(vd a) { return _mm256_sqrt_pd(a); }
static inline vd vd_neg(vd a) { return _mm256_xor_pd(a, _mm256_set1_pd(-0.0)); }
static inline vd vd_abs(vd a) { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), a); }
static inline vd vd_floor(vd a) { return _mm256_floor_pd(a); }
static inline vd vd_ceil(vd a) { return _mm256_ceil_pd(a); }
static inline vd vd_round(vd a)
{
    return _mm256_round_pd(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline vd vd_trunc(vd a) { return _mm256_round_pd(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
static inline vd vd_max(vd a, vd b) { return _mm256_max_pd(a, b); }
static inline vd vd_min(vd a, vd b) { return _mm256_min_pd(a, b); }
static inline vd_mask vd_gt(vd a, vd b) { return _mm256_cmp_pd(a, b, _CMP_GT_OQ); }
static inline vd_mask vd_ge(vd a, vd b) { return _mm256_cmp_pd(a, b, _CMP_GE_OQ); }
static inline vd_mask vd_eq(vd a, vd b) { return _mm256_cmp_pd(a, b, _CMP_EQ_OQ); }
static inline vd_mask vd_ne(vd a, vd b) { return _mm256_cmp_pd(a, b, _CMP_NEQ_UQ); }
static inline vd vd_select(vd_mask m, vd a, vd b) { return _mm256_blendv_pd(b, a, m); }
static inline vd_mask vd_head(size_t n) { return _mm256_castsi256_pd(vd_first(n)); }
static inline size_t vd_find(vd_mask m)
{
    return (size_t)__builtin_ctz((unsigned)_mm256_movemask_pd(m) | 1u << VD_LEN);
}
static inline double vd_lane0(vd a) { return _mm256_cvtsd_f64(a); }
static inline vd vd_down(vd a, int h)
{
    return h == 2 ? _mm256_permute2f128_pd(a, a, 0x11) : _mm256_permute_pd(a, 0xf);
}
static inline void vd_transpose(vd r[VD_LEN])
{
    const vd a = _mm256_unpacklo_pd(r[0], r[1]), b = _mm256_unpackhi_pd(r[0], r[1]);
    const vd c = _mm256_unpacklo_pd(r[2], r[3]), d = _mm256_unpackhi_pd(r[2], r[3]);
    r[0] = _mm256_permute2f128_pd(a, c, 0x20);
    r[1] = _mm256_permute2f128_pd(b, d, 0x20);
    r[2] = _mm256_permute2f128_pd(a, c, 0x31);
    r[3] = _mm256_permute2f128_pd(b, d, 0x31);
}
static inline vd vd_bytes(const uint8_t *p) { return _mm256_setr_pd(p[0], p[1], p[2], p[3]); }
static inline void vd_stream(double *p, vd a) { _mm256_stream_pd(p, a); }
static inline void vd_sincospi(vd a, vd *sin, vd *cos)
{
    const Sleef___m256d_2 r = Sleef_finz_sincospid4_u35avx2(a);
    *sin = r.x, *cos = r.y;
}

/* -- 64-bit words for Philox, VD_LEN a vector ---------------------------------------------------- */

typedef __m256i vu;
static inline vu vu_set(uint64_t a) { return _mm256_set1_epi64x((long long)a); }
static inline vu vu_add(vu a, vu b) { return _mm256_add_epi64(a, b); }
static inline vu vu_xor(vu a, vu b) { return _mm256_xor_si256(a, b); }
static inline vu vu_high(vu a) { return _mm256_srli_epi64(a, 32); }
/* The product of the lower halves. */
static inline vu vu_mul(vu a, vu b) { return _mm256_mul_epu32(a, b); }
/* The number of the block that each lane holds, so that vu_store_blocks need not cross lanes. */
static inline vu vu_blocks(void) { return _mm256_setr_epi64x(0, 2, 1, 3); }
/* Stores the blocks in order, each the lower halves of a, b, c, d. */
static inline void vu_store_blocks(uint32_t *p, vu a, vu b, vu c, vu d)
{
    const vu ab = _mm256_blend_epi32(a, _mm256_slli_epi64(b, 32), 0xaa);
    const vu cd = _mm256_blend_epi32(c, _mm256_slli_epi64(d, 32), 0xaa);
    _mm256_storeu_si256((__m256i *)p, _mm256_unpacklo_epi64(ab, cd));
    _mm256_storeu_si256((__m256i *)(p + 8), _mm256_unpackhi_epi64(ab, cd));
}

/* Orders what vf_stream and vd_stream wrote before all that follows. */
static inline void v_fence(void) { _mm_sfence(); }

#endif
