/* vec_block_avx.h: transposes of small blocks from memory to memory, for AVX2 and for AVX-512 too.
 * Halves of rows are put together while they are loaded, which saves a third of the shuffles; and of
 * those a core that makes 512 bits of two times 256 does twice as many of 256 bits. */
#ifndef WA_VEC_BLOCK_AVX_H
#define WA_VEC_BLOCK_AVX_H

#include <immintrin.h>
#include <stddef.h>

#define WA_HAS_BLOCKS 1
enum { vf_BLOCK = 8, vd_BLOCK = 4 };

/* The four elements at p, and the four at q above them. */
static inline __m256 block_rows_ps(const float *p, const float *q)
{
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(q), 1);
}
static inline __m256d block_rows_pd(const double *p, const double *q)
{
    return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(p)), _mm_loadu_pd(q), 1);
}

/* y[j*y_row + i] = x[i*x_row + j] for i, j < vf_BLOCK */
static inline void vf_transpose_block(float *y, size_t y_row, const float *x, size_t x_row)
{
    for (int j = 0; j < 8; j += 4, x += 4, y += 4 * y_row) {
        const __m256 p = block_rows_ps(x, x + 4 * x_row);
        const __m256 q = block_rows_ps(x + x_row, x + 5 * x_row);
        const __m256 r = block_rows_ps(x + 2 * x_row, x + 6 * x_row);
        const __m256 s = block_rows_ps(x + 3 * x_row, x + 7 * x_row);
        const __m256d a = _mm256_castps_pd(_mm256_unpacklo_ps(p, q));
        const __m256d b = _mm256_castps_pd(_mm256_unpackhi_ps(p, q));
        const __m256d c = _mm256_castps_pd(_mm256_unpacklo_ps(r, s));
        const __m256d d = _mm256_castps_pd(_mm256_unpackhi_ps(r, s));
        _mm256_storeu_ps(y, _mm256_castpd_ps(_mm256_unpacklo_pd(a, c)));
        _mm256_storeu_ps(y + y_row, _mm256_castpd_ps(_mm256_unpackhi_pd(a, c)));
        _mm256_storeu_ps(y + 2 * y_row, _mm256_castpd_ps(_mm256_unpacklo_pd(b, d)));
        _mm256_storeu_ps(y + 3 * y_row, _mm256_castpd_ps(_mm256_unpackhi_pd(b, d)));
    }
}

/* The same for i, j < vd_BLOCK. */
static inline void vd_transpose_block(double *y, size_t y_row, const double *x, size_t x_row)
{
    for (int j = 0; j < 4; j += 2, x += 2, y += 2 * y_row) {
        const __m256d a = block_rows_pd(x, x + 2 * x_row);
        const __m256d b = block_rows_pd(x + x_row, x + 3 * x_row);
        _mm256_storeu_pd(y, _mm256_unpacklo_pd(a, b));
        _mm256_storeu_pd(y + y_row, _mm256_unpackhi_pd(a, b));
    }
}

#endif
