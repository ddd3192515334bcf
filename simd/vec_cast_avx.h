/* vec_cast_avx.h: casts to integers for AVX2 and for AVX-512 too, V_CAST elements at once; simd.h says
 * what they give. A conversion gives the smallest I32 for what it cannot represent, which packing to
 * bytes takes to 0, and so it does NaN. */
#ifndef WA_VEC_CAST_AVX_H
#define WA_VEC_CAST_AVX_H

#include <immintrin.h>
#include <stdint.h>

enum { V_CAST = 32 };

static inline void v_cast_i32_f32(int32_t *y, const float *x)
{
    for (int i = 0; i < V_CAST; i += 8) {
        const __m256 a = _mm256_loadu_ps(x + i);
        const __m256 above = _mm256_cmp_ps(a, _mm256_set1_ps(2147483648.0f), _CMP_GE_OQ);
        const __m256 number = _mm256_cmp_ps(a, a, _CMP_ORD_Q);
        /* The largest I32 is the smallest one with every bit turned. */
        const __m256 b = _mm256_xor_ps(_mm256_castsi256_ps(_mm256_cvttps_epi32(a)), above);
        _mm256_storeu_ps((float *)(void *)(y + i), _mm256_and_ps(b, number));
    }
}

static inline void v_cast_i32_f64(int32_t *y, const double *x)
{
    for (int i = 0; i < V_CAST; i += 4) {
        const __m256d a = _mm256_min_pd(_mm256_set1_pd(2147483647.0), _mm256_loadu_pd(x + i));
        const __m256d b = _mm256_and_pd(a, _mm256_cmp_pd(a, a, _CMP_ORD_Q));
        _mm_storeu_si128((__m128i *)(void *)(y + i), _mm256_cvttpd_epi32(b));
    }
}

/* Clamped to bytes; packing goes by halves of vectors. */
static inline void cast_pack(uint8_t *y, __m256i a, __m256i b, __m256i c, __m256i d)
{
    const __m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256((__m256i *)(void *)y, _mm256_permutevar8x32_epi32(bytes, order));
}

static inline void v_cast_u8_i32(uint8_t *y, const int32_t *x)
{
    const __m256i *const from = (const __m256i *)(const void *)x;
    cast_pack(y, _mm256_loadu_si256(from), _mm256_loadu_si256(from + 1), _mm256_loadu_si256(from + 2),
              _mm256_loadu_si256(from + 3));
}

static inline void v_cast_u8_f32(uint8_t *y, const float *x)
{
    __m256i a[4];
    for (int i = 0; i < 4; i++)
        a[i] = _mm256_cvttps_epi32(_mm256_min_ps(_mm256_set1_ps(255), _mm256_loadu_ps(x + 8 * i)));
    cast_pack(y, a[0], a[1], a[2], a[3]);
}

static inline void v_cast_u8_f64(uint8_t *y, const double *x)
{
    const __m256d most = _mm256_set1_pd(255);
    __m256i a[4];
    for (int i = 0; i < 4; i++, x += 8) {
        const __m128i low = _mm256_cvttpd_epi32(_mm256_min_pd(most, _mm256_loadu_pd(x)));
        const __m128i high = _mm256_cvttpd_epi32(_mm256_min_pd(most, _mm256_loadu_pd(x + 4)));
        a[i] = _mm256_set_m128i(high, low);
    }
    cast_pack(y, a[0], a[1], a[2], a[3]);
}

#endif
