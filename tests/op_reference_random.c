/* op_reference_random.c: what random ops should give: Philox4x32-10 (Salmon et al., SC 2011) in plain
 * loops, with the tests' seed of 1. */
#include "ops.h"

#include <math.h>

static void philox(uint64_t block, uint64_t stream, uint32_t out[4])
{
    uint32_t c[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream,
                     (uint32_t)(stream >> 32)},
             k[2] = {1, 0};
    for (int round = 0; round < 10; round++) {
        const uint64_t p = (uint64_t)c[0] * 0xd2511f53, q = (uint64_t)c[2] * 0xcd9e8d57;
        const uint32_t next[4] = {(uint32_t)(q >> 32) ^ c[1] ^ k[0], (uint32_t)q,
                                  (uint32_t)(p >> 32) ^ c[3] ^ k[1], (uint32_t)p};
        for (int i = 0; i < 4; i++) c[i] = next[i];
        k[0] += 0x9e3779b9;
        k[1] += 0xbb67ae85;
    }
    for (int i = 0; i < 4; i++) out[i] = c[i];
}

static uint32_t word(const struct sample *s, uint64_t i)
{
    uint32_t block[4];
    philox(i / 4, (uint64_t)s->attr.begin, block);
    return block[i % 4];
}

static uint64_t first(const struct sample *s)
{
    return (uint64_t)get(WASHI_I32, s->x[0].data, 0) << 32;
}

/* A number in [0, 1) from the words of element i, one in float and two in double. */
static double fraction(const struct sample *s, uint64_t i)
{
    if (s->attr.type == WASHI_F32) return (double)(word(s, i) >> 8) * 0x1p-24;
    return (double)(word(s, 2 * i) >> 5) * 0x1p-27 + (double)(word(s, 2 * i + 1) >> 6) * 0x1p-53;
}

static void r_uniform(const struct sample *s, struct answer *out)
{
    give(out, s->attr.type, s->attr.shape);
    for (uint64_t i = 0; i < (uint64_t)washi_size(out->shape); i++)
        out->v[i] = fraction(s, first(s) + i);
}

static void r_normal(const struct sample *s, struct answer *out)
{
    const double least = s->attr.type == WASHI_F32 ? 0x1p-24 : 0x1p-53, pi = 3.14159265358979323846;
    give(out, s->attr.type, s->attr.shape);
    for (uint64_t i = 0; i < (uint64_t)washi_size(out->shape); i++) {
        const uint64_t at = first(s) + (i & ~(uint64_t)1);
        const double r = sqrt(-2 * log(fraction(s, at) + least)), t = 2 * pi * fraction(s, at + 1);
        out->v[i] = i % 2 ? r * sin(t) : r * cos(t);
        out->size[i] = 4;
    }
}

/* Words of which some numbers below n would come more often are passed over. */
static void r_permutation(const struct sample *s, struct answer *out)
{
    const int64_t n = s->attr.end;
    uint64_t next = first(s);
    give(out, WASHI_I32, SHAPE(n));
    for (int64_t i = 0; i < n; i++) {
        const uint64_t bound = (uint64_t)i + 1, biased = ((uint64_t)1 << 32) % bound;
        uint64_t product = word(s, next++) * bound;
        while ((product & UINT32_MAX) < biased) product = word(s, next++) * bound;
        const size_t j = (size_t)(product >> 32);
        out->v[i] = out->v[j];
        out->v[j] = (double)i;
    }
}

const struct reference random_references[] = {
    {"uniform", r_uniform}, {"normal", r_normal}, {"permutation", r_permutation}, {NULL, NULL}};
