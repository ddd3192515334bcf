/* gemm_level.h: what the matrix product knows of a level and of caches, the same for float and double.
 */
#ifndef WA_GEMM_LEVEL_H
#define WA_GEMM_LEVEL_H

#if defined(__clang__)
#define GEMM_UNROLL _Pragma("clang loop unroll(full)")
#else
#define GEMM_UNROLL _Pragma("GCC unroll 16")
#endif
/* Hides from the compiler what it knows of x. */
#define GEMM_OPAQUE(x) __asm__("" : "+r"(x))

/* The largest tile, GEMM_ROWS by GEMM_VECTORS vectors: as many accumulators as the registers hold
 * beside the vectors of b and one of a: 28 or 24 of 32, 12 of 16. GEMM_EACH_ROWS(X): X(1) ...
 * X(GEMM_ROWS). With a third vector it has GEMM_BROAD rows. */
enum { GEMM_VECTORS = 2 };
#define GEMM_TO_4(X)  X(1) X(2) X(3) X(4)
#define GEMM_TO_6(X)  GEMM_TO_4(X) X(5) X(6)
#define GEMM_TO_8(X)  GEMM_TO_6(X) X(7) X(8)
#define GEMM_TO_9(X)  GEMM_TO_8(X) X(9)
#define GEMM_TO_12(X) GEMM_TO_9(X) X(10) X(11) X(12)
#define GEMM_TO_14(X) GEMM_TO_12(X) X(13) X(14)
#if WA_IS_avx512
#include "vec_half_avx512.h"
enum { GEMM_ROWS = 14, GEMM_BROAD = 9 };
#define GEMM_HALVES     1
#define GEMM_EACH_ROWS  GEMM_TO_14
#define GEMM_EACH_BROAD GEMM_TO_9
#elif WA_IS_neon
enum { GEMM_ROWS = 12, GEMM_BROAD = 8 };
#define GEMM_EACH_ROWS  GEMM_TO_12
#define GEMM_EACH_BROAD GEMM_TO_8
#else
enum { GEMM_ROWS = 6, GEMM_BROAD = 4 };
#define GEMM_EACH_ROWS  GEMM_TO_6
#define GEMM_EACH_BROAD GEMM_TO_4
#endif

enum {
    GEMM_CHAINS = 8,              /* of sums, that hide the latency of a multiply-add */
    GEMM_APART = 8,               /* steps by which the upper half of a tile ends before the lower */
    GEMM_DEPTH = 768,             /* steps of k at a time, so that the rows of a stay in L1 or near */
    GEMM_BLOCK_BYTES = 768 << 10, /* of b at a time: most of a common L2 */
    GEMM_KEPT_ROWS = 448,         /* rows at a time whose partial sums cannot be kept in c */
    GEMM_GROUP = 8 * GEMM_ROWS,   /* rows of a packed at a time when they run across memory */
    GEMM_NEAR_BYTES = 512 << 10,  /* an a that stays in L2 beside a panel of b */
    GEMM_PANELS = 4,              /* then so many at a time, whose rows are runs that memory likes */
    GEMM_SET_BYTES = 2048,        /* unless rows a multiple of this apart fight for few sets of L1 */
    GEMM_PACK_ROWS = 3,           /* more tiles than this one below another: b is packed */
    GEMM_PACK_BYTES = 256 << 10,  /* and only if it is larger than this, */
    GEMM_FIGHT_BYTES = 64 << 10,  /* or than this if its rows fight for few sets */
    GEMM_FEW_ROWS = 4,            /* which wait for a b that is larger than GEMM_PACK_BYTES */
    GEMM_PACK_COLUMNS = 4,        /* more tiles than this side by side: a is packed */
    GEMM_PAD = 16                 /* elements between packed rows of a, against rows in one cache set */
};

static inline size_t gemm_min(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t gemm_round_up(size_t a, size_t step) { return (a + step - 1) / step * step; }
/* The size of the equal parts, multiples of step, of which as few as possible up to most cover n. */
static inline size_t gemm_share(size_t n, size_t most, size_t step)
{
    if (n <= most) return gemm_round_up(n ? n : 1, step);
    const size_t parts = (n + most - 1) / most;
    return gemm_round_up((n + parts - 1) / parts, step);
}

/* Lines of memory, every stride bytes or picked by index, that will be read soon. They are asked for in
 * shares, so that neither the reads nor the work in between waits; lines 0: none. */
struct gemm_fetch {
    const char *from;
    const int32_t *index;
    size_t lines, stride, bytes, part, parts;
};
/* Asks for share number part of parts and counts on. */
static inline void gemm_fetch(struct gemm_fetch *f)
{
    const size_t end = f->lines * (f->part + 1) / f->parts;
    for (size_t l = f->lines * f->part / f->parts; l < end; l++) {
        const char *from = f->from + (f->index ? (size_t)f->index[l] : l) * f->stride;
        for (size_t at = 0; at < f->bytes; at += 64) __builtin_prefetch(from + at, 0, 2);
        if (f->bytes) __builtin_prefetch(from + f->bytes - 1, 0, 2);
    }
    f->part++;
}

#endif
