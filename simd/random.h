/* random.h: Philox4x32-10 (Salmon et al., SC 2011): words, uniforms and normals. */
#ifndef WA_RANDOM_H
#define WA_RANDOM_H

enum { RANDOM_WORDS = 256 }; /* a piece, of whole blocks of four */

#if WA_IS_scalar
#include <Random123/philox.h>

/* The words of count blocks from number block on. */
static void philox(uint64_t seed, uint64_t stream, uint64_t block, size_t count, uint32_t *y)
{
    const philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    for (size_t i = 0; i < count; i++, block++, y += 4) {
        const philox4x32_ctr_t counter = {
            {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)}};
        memcpy(y, philox4x32(counter, key).v, 16);
    }
}
#else
/* One vector of blocks. The halves above each word are left as they fall: nothing reads them. */
INLINE void philox_vector(uint64_t seed, uint64_t stream, vu block, uint32_t *y)
{
    const vu m0 = vu_set(0xd2511f53), m1 = vu_set(0xcd9e8d57);
    vu a = block, b = vu_high(block), c = vu_set(stream), d = vu_set(stream >> 32);
    vu k0 = vu_set(seed), k1 = vu_set(seed >> 32);
    UNROLL
    for (int round = 0; round < 10; round++) {
        const vu p = vu_mul(a, m0), q = vu_mul(c, m1);
        a = vu_xor(vu_xor(vu_high(q), b), k0);
        c = vu_xor(vu_xor(vu_high(p), d), k1);
        b = q;
        d = p;
        k0 = vu_add(k0, vu_set(0x9e3779b9));
        k1 = vu_add(k1, vu_set(0xbb67ae85));
    }
    vu_store_blocks(y, a, b, c, d);
}

static void philox(uint64_t seed, uint64_t stream, uint64_t block, size_t count, uint32_t *y)
{
    size_t i = 0;
    for (; i + VD_LEN <= count; i += VD_LEN)
        philox_vector(seed, stream, vu_add(vu_set(block + i), vu_blocks()), y + 4 * i);
    if (i < count) {
        uint32_t last[4 * VD_LEN];
        philox_vector(seed, stream, vu_add(vu_set(block + i), vu_blocks()), last);
        memcpy(y + 4 * i, last, (count - i) * 16);
    }
}
#endif

static void random_bits(uint64_t seed, uint64_t stream, uint64_t first, size_t n, void *to)
{
    uint32_t *y = to;
    const size_t whole = n / 4;
    philox(seed, stream, first / 4, whole, y);
    if (n % 4) {
        uint32_t last[4];
        philox(seed, stream, first / 4 + whole, 1, last);
        memcpy(y + 4 * whole, last, n % 4 * 4);
    }
}

INLINE vf uniform_of(const uint32_t *words) { return vf_mul(vf_words(words), vf_set(0x1p-24f)); }

/* A piece: as many numbers as words. */
INLINE void uniforms(void *to, const uint32_t *words)
{
    float *y = to;
    for (size_t i = 0; i < RANDOM_WORDS; i += VF_LEN) vf_store(y + i, uniform_of(words + i));
}

/* The angle in half turns is exact, so it goes to sincospi, which needs no reduction by pi. */
INLINE void normals(void *to, const uint32_t *words)
{
    float *y = to;
    for (size_t i = 0; i < RANDOM_WORDS; i += 2 * VF_LEN) {
        vf u, t, sin, cos, a, b;
        vf_unzip(vf_words(words + i), vf_words(words + i + VF_LEN), &u, &t);
        u = vf_mul(vf_add(u, vf_set(1)), vf_set(0x1p-24f));
        vf_sincospi(vf_mul(t, vf_set(0x1p-23f)), &sin, &cos);
        const vf r = vf_sqrt(vf_mul(vf_set(-2), vf_log(u)));
        vf_zip(vf_mul(r, cos), vf_mul(r, sin), &a, &b);
        vf_store(y + i, a);
        vf_store(y + i + VF_LEN, b);
    }
}

/* n elements of that size, a piece of words at a time, the last one through a buffer. */
INLINE void random_elements(uint64_t seed, uint64_t stream, uint64_t first, size_t n, size_t size,
                            void *y, void (*make)(void *y, const uint32_t *words))
{
    const size_t piece = RANDOM_WORDS * sizeof(uint32_t) / size, block = 16 / size;
    uint32_t words[RANDOM_WORDS];
    union {
        float f[RANDOM_WORDS];
        double d[RANDOM_WORDS / 2];
    } last;
    for (size_t i = 0; i < n; i += piece) {
        char *to = (char *)y + i * size;
        philox(seed, stream, (first + i) / block, RANDOM_WORDS / 4, words);
        make(n - i < piece ? (void *)&last : to, words);
        if (n - i < piece) memcpy(to, &last, (n - i) * size);
    }
}

static void random_uniform(uint64_t seed, uint64_t stream, uint64_t first, size_t n, void *y)
{
    random_elements(seed, stream, first, n, sizeof(float), y, uniforms);
}

static void random_normal(uint64_t seed, uint64_t stream, uint64_t first, size_t n, void *y)
{
    random_elements(seed, stream, first, n, sizeof(float), y, normals);
}

/* -- double: two words an element -- */

/* 53 bits. */
INLINE double whole_of(const uint32_t *word)
{
    return (double)((uint64_t)(word[0] >> 5) << 26 | word[1] >> 6);
}

INLINE void uniforms_f64(void *to, const uint32_t *words)
{
    double *y = to;
    for (size_t i = 0; i < RANDOM_WORDS / 2; i++) y[i] = whole_of(words + 2 * i) * 0x1p-53;
}

INLINE void normals_f64(void *to, const uint32_t *words)
{
    double *y = to;
    for (size_t i = 0; i < RANDOM_WORDS / 2; i += 2 * VD_LEN, words += 4 * VD_LEN) {
        double u[VD_LEN], t[VD_LEN];
        for (size_t k = 0; k < VD_LEN; k++) {
            u[k] = (whole_of(words + 4 * k) + 1) * 0x1p-53;
            t[k] = whole_of(words + 4 * k + 2) * 0x1p-52;
        }
        vd sin, cos;
        vd_sincospi(vd_load(t), &sin, &cos);
        const vd r = vd_sqrt(vd_mul(vd_set(-2), vd_log(vd_load(u))));
        vd_store(u, vd_mul(r, cos));
        vd_store(t, vd_mul(r, sin));
        for (size_t k = 0; k < VD_LEN; k++) {
            y[i + 2 * k] = u[k];
            y[i + 2 * k + 1] = t[k];
        }
    }
}

static void random_uniform_f64(uint64_t seed, uint64_t stream, uint64_t first, size_t n, void *y)
{
    random_elements(seed, stream, first, n, sizeof(double), y, uniforms_f64);
}

static void random_normal_f64(uint64_t seed, uint64_t stream, uint64_t first, size_t n, void *y)
{
    random_elements(seed, stream, first, n, sizeof(double), y, normals_f64);
}

#endif
