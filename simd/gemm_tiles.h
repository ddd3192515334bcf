/* gemm_tiles.h: the tiles of every size, and a strip of them side by side. A template: gemm.h includes
 * it for each real type. */

typedef void NAME(tile_fn)(const struct NAME(job) *);

#define TV      VT
#define TLEN    LEN
#define TOP(op) V(op)
#include "gemm_kernel.h"
#undef TV
#undef TLEN
#undef TOP
#define WHOLE(rows)                                                                                    \
    static void NAME(whole_##rows)(const struct NAME(job) * t) { V(tile)(rows, 2, false, t); }
#define MIXED(rows)                                                                                    \
    static void NAME(mixed_##rows)(const struct NAME(job) * t) { V(tile)(rows, 1, true, t); }
#define EDGE(rows)                                                                                     \
    static void NAME(edge_##rows)(const struct NAME(job) * t) { V(tile)(rows, 0, true, t); }
GEMM_EACH_ROWS(WHOLE)
GEMM_EACH_ROWS(MIXED)
GEMM_EACH_ROWS(EDGE)
#define WHOLE_NAME(rows) NAME(whole_##rows),
#define MIXED_NAME(rows) NAME(mixed_##rows),
#define EDGE_NAME(rows)  NAME(edge_##rows),
static NAME(tile_fn) *const NAME(whole)[] = {GEMM_EACH_ROWS(WHOLE_NAME)};
static NAME(tile_fn) *const NAME(mixed)[] = {GEMM_EACH_ROWS(MIXED_NAME)};
static NAME(tile_fn) *const NAME(edge)[] = {GEMM_EACH_ROWS(EDGE_NAME)};

#if GEMM_HALVES
#define TV      V(half)
#define TLEN    (LEN / 2)
#define TOP(op) V(half_##op)
#include "gemm_kernel.h"
#undef TV
#undef TLEN
#undef TOP
#define HALF(rows)                                                                                     \
    static void NAME(half_##rows)(const struct NAME(job) * t) { V(half_tile)(rows, 0, true, t); }
#define HALF_NAME(rows) NAME(half_##rows),
GEMM_EACH_ROWS(HALF)
static NAME(tile_fn) *const NAME(half)[] = {GEMM_EACH_ROWS(HALF_NAME)};
#endif

/* A tile of n < 2 LEN columns: a short remainder takes half a vector. */
static void NAME(narrow_tile)(struct NAME(job) * t, size_t rows, size_t n)
{
#if GEMM_HALVES
    const size_t rest = n % LEN;
    if (rest && rest <= LEN / 2) {
        if (n > LEN) {
            t->edge = LEN;
            NAME(edge)[rows - 1](t);
            t->b += LEN, t->c += LEN;
        }
        t->edge = rest;
        NAME(half)[rows - 1](t);
        return;
    }
#endif
    t->edge = n <= LEN ? n : n - LEN;
    if (n <= LEN)
        NAME(edge)[rows - 1](t);
    else
        NAME(mixed)[rows - 1](t);
}

/* A strip of rows by columns: tiles side by side. packed: b lies in panels of a whole tile's width.
 * Before each tile a share of fetch is asked for. */
static void NAME(strip)(struct NAME(job) * t, size_t rows, size_t columns, bool packed,
                        struct gemm_fetch *fetch)
{
    enum { WIDTH = GEMM_VECTORS * LEN };
    const T *b = t->b;
    T *c = t->c;
    const size_t panel = packed ? t->k * WIDTH : WIDTH, tiles = columns / WIDTH;
    for (size_t i = 0; i < tiles; i++, t->b += panel, t->c += WIDTH) {
        if (fetch->lines) gemm_fetch(fetch);
        NAME(whole)[rows - 1](t);
    }
    columns %= WIDTH;
    if (columns) NAME(narrow_tile)(t, rows, columns);
    t->b = b, t->c = c;
}
