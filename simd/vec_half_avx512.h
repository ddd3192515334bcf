/* vec_half_avx512.h: vectors of 256 bits for the AVX-512 level, for the narrow right edge of a matrix
 * product: a fused multiply-add of a half vector costs half of a whole one where 512 bits are made of
 * two times 256. */
#ifndef WA_VEC_HALF_AVX512_H
#define WA_VEC_HALF_AVX512_H

#include <immintrin.h>
#include <stddef.h>

typedef __m256 vf_half;
typedef __m256d vd_half;

static inline __mmask8 half_head(size_t n) { return (__mmask8)((1u << n) - 1); }

static inline vf_half vf_half_zero(void) { return _mm256_setzero_ps(); }
static inline vf_half vf_half_set(float a) { return _mm256_set1_ps(a); }
static inline vf_half vf_half_low(__m512 a) { return _mm512_castps512_ps256(a); }
static inline vf_half vf_half_load_n(const float *p, size_t n)
{
    return _mm256_maskz_loadu_ps(half_head(n), p);
}
static inline void vf_half_store_n(float *p, vf_half a, size_t n)
{
    _mm256_mask_storeu_ps(p, half_head(n), a);
}
static inline vf_half vf_half_add(vf_half a, vf_half b) { return _mm256_add_ps(a, b); }
static inline vf_half vf_half_mul(vf_half a, vf_half b) { return _mm256_mul_ps(a, b); }
static inline vf_half vf_half_fma(vf_half a, vf_half b, vf_half c) { return _mm256_fmadd_ps(a, b, c); }

static inline vd_half vd_half_zero(void) { return _mm256_setzero_pd(); }
static inline vd_half vd_half_set(double a) { return _mm256_set1_pd(a); }
static inline vd_half vd_half_low(__m512d a) { return _mm512_castpd512_pd256(a); }
static inline vd_half vd_half_load_n(const double *p, size_t n)
{
    return _mm256_maskz_loadu_pd(half_head(n), p);
}
static inline void vd_half_store_n(double *p, vd_half a, size_t n)
{
    _mm256_mask_storeu_pd(p, half_head(n), a);
}
static inline vd_half vd_half_add(vd_half a, vd_half b) { return _mm256_add_pd(a, b); }
static inline vd_half vd_half_mul(vd_half a, vd_half b) { return _mm256_mul_pd(a, b); }
static inline vd_half vd_half_fma(vd_half a, vd_half b, vd_half c) { return _mm256_fmadd_pd(a, b, c); }

#endif
