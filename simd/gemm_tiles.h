/* gemm_tiles.h: the tiles of every size, and a strip of them side by side. A template: gemm.h includes
 * it for each real type. */

#if GEMM_HALVES
#define HT     V(half)
#define H(op)  V(half_##op)
#define LOW(x) V(half_low)(x)
enum { NAME(SHORT) = LEN / 2 };
#else
#define HT     VT
#define H(op)  V(op)
#define LOW(x) (x)
enum { NAME(SHORT) = LEN };
#endif
#include "gemm_kernel.h"
#undef HT
#undef H
#undef LOW

typedef void NAME(tile_fn)(const struct NAME(job) *);
#define TILE(kind, rows, vectors, edge, rest)                                                          \
    static void NAME(kind##_##rows)(const struct NAME(job) * t)                                        \
    {                                                                                                  \
        NAME(tile)(rows, vectors, edge, rest, t);                                                      \
    }
#define SHORT(rows) TILE(short, rows, 0, false, true)
/* A vector of one lane has no edge. */
#define EDGE(rows)       TILE(edge, rows, 1, LEN > 1, false)
#define MIXED(rows)      TILE(mixed, rows, 2, LEN > 1, false)
#define WHOLE(rows)      TILE(whole, rows, 2, false, false)
#define BROAD(rows)      TILE(broad, rows, 2, false, true)
#define SHORT_NAME(rows) NAME(short_##rows),
#define EDGE_NAME(rows)  NAME(edge_##rows),
#define MIXED_NAME(rows) NAME(mixed_##rows),
#define WHOLE_NAME(rows) NAME(whole_##rows),
#define BROAD_NAME(rows) NAME(broad_##rows),
GEMM_EACH_ROWS(EDGE)
GEMM_EACH_ROWS(MIXED)
GEMM_EACH_ROWS(WHOLE)
GEMM_EACH_BROAD(BROAD)
static NAME(tile_fn) *const NAME(edge)[] = {GEMM_EACH_ROWS(EDGE_NAME)};
static NAME(tile_fn) *const NAME(mixed)[] = {GEMM_EACH_ROWS(MIXED_NAME)};
static NAME(tile_fn) *const NAME(whole)[] = {GEMM_EACH_ROWS(WHOLE_NAME)};
static NAME(tile_fn) *const NAME(broad)[] = {GEMM_EACH_BROAD(BROAD_NAME)};

#if GEMM_HALVES
GEMM_EACH_ROWS(SHORT)
static NAME(tile_fn) *const NAME(short)[] = {GEMM_EACH_ROWS(SHORT_NAME)};
#endif

/* Writes to each line of c, rows by n, what it holds, or what will be overwritten. */
static void NAME(claim)(const struct NAME(job) * t, size_t rows, size_t n)
{
    enum { LINE = 64 / sizeof(T) };
    volatile T *c = t->c;
    for (size_t r = 0; r < rows; r++, c += t->c_row)
        for (size_t j = 0; j < n + LINE - 1; j += LINE) {
            volatile T *at = c + gemm_min(j, n - 1);
            *at = t->adds ? *at : 0;
        }
}

/* n columns: at most two vectors, or with few rows a short one more. */
static void NAME(last_tile)(struct NAME(job) * t, size_t rows, size_t n)
{
    enum { WIDTH = GEMM_VECTORS * LEN };
    NAME(tile_fn) *const *tile = n > WIDTH ? NAME(broad) : n > LEN ? NAME(mixed) : NAME(edge);
#if GEMM_HALVES
    const size_t rest = n % LEN;
    if (n < WIDTH && rest && rest <= NAME(SHORT)) {
        if (n > LEN) {
            t->edge = LEN;
            NAME(edge)[rows - 1](t);
            t->b += LEN, t->c += LEN;
        }
        tile = NAME(short), n = rest;
    }
#endif
    t->edge = n > WIDTH ? n - WIDTH : n > LEN ? n - LEN : n;
    tile[rows - 1](t);
}

/* A strip of rows by columns: tiles side by side. panels: where b lies in panels of a whole tile's
 * width, the elements from one to the next; else 0. Before each whole tile a share of fetch, and of the
 * lines ahead, is asked for. */
static void NAME(strip)(struct NAME(job) * t, size_t rows, size_t columns, size_t panels,
                        struct gemm_fetch *fetch)
{
    enum { WIDTH = GEMM_VECTORS * LEN };
    const T *b = t->b;
    T *c = t->c;
    const size_t panel = panels ? panels : WIDTH;
    const size_t last = !panels && rows <= GEMM_BROAD ? WIDTH + NAME(SHORT) : WIDTH - 1;
    for (; columns > last || columns == WIDTH; columns -= WIDTH, t->b += panel, t->c += WIDTH) {
        if (fetch->lines) gemm_fetch(fetch);
        if (t->share) wa_ask(t->ahead, t->share);
        if (t->claims && !t->resume) NAME(claim)(t, rows, WIDTH);
        /* The next tile begins with what c holds. */
        for (size_t r = 0; t->resume && columns > WIDTH && r < rows; r++)
            for (size_t at = 0; at < WIDTH; at += 64 / sizeof(T))
                __builtin_prefetch(t->c + r * t->c_row + WIDTH + at, 1, 3);
        NAME(whole)[rows - 1](t);
    }
    if (columns && t->claims && !t->resume) NAME(claim)(t, rows, columns);
    if (columns) NAME(last_tile)(t, rows, columns);
    t->b = b, t->c = c;
}
