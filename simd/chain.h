/* chain.h: chains of elementwise ops, block by block in registers. A template: isa.c includes it
 * for each real type. */

/* Of a block: vectors, a constant where these are inlined, of lanes lanes; LEN lanes if there are
 * several. Three values of a block take 24 of 32 registers; AVX2 has 16. */
#if WA_IS_avx2
enum { NAME(LINK_VECTORS) = 4 };
#else
enum { NAME(LINK_VECTORS) = 8 };
#endif
/* Whether a fold's lanes can be held in registers: with 16 in a vector they are four more. */
#if WA_IS_avx512
enum { NAME(LINK_HOLDS) = sizeof(T) == sizeof(float) };
#else
enum { NAME(LINK_HOLDS) = 0 };
#endif

/* For each vector v. No loop: clang unrolls none that begins at a label. */
#define ONE_OF(number, ...)                                                                            \
    if (number < vectors) {                                                                            \
        enum { v = number };                                                                           \
        __VA_ARGS__;                                                                                   \
    }
#define EACH(...)                                                                                      \
    ONE_OF(0, __VA_ARGS__)                                                                             \
    ONE_OF(1, __VA_ARGS__)                                                                             \
    ONE_OF(2, __VA_ARGS__)                                                                             \
    ONE_OF(3, __VA_ARGS__)                                                                             \
    ONE_OF(4, __VA_ARGS__)                                                                             \
    ONE_OF(5, __VA_ARGS__)                                                                             \
    ONE_OF(6, __VA_ARGS__)                                                                             \
    ONE_OF(7, __VA_ARGS__)

INLINE VT NAME(link_read)(const T *x, size_t v, const size_t lanes)
{
    return lanes == LEN ? V(load)(x + v * LEN) : lanes == 1 ? V(set)(*x) : V(load_n)(x, lanes);
}

INLINE void NAME(link_load)(const size_t vectors, VT *value, const T *x,
                            const size_t lanes){EACH(value[v] = NAME(link_read)(x, v, lanes))}

INLINE void NAME(link_set)(const size_t vectors, VT *value, T x){EACH(value[v] = V(set)(x))}

INLINE void NAME(link_store)(const size_t vectors, const VT *value, T *y, const size_t lanes,
                             NAME(put_op) * put)
{
    if (lanes == LEN) {
        EACH(put(y + v * LEN, value[v]))
    } else if (lanes == 1)
        *y = V(lane0)(value[0]);
    else
        V(store_n)(y, value[0], lanes);
}

/* Past the caches where that can be. Stores stand still when they come to a page whose address is not
 * known: one of its lines is asked for two pages before. */
INLINE void NAME(link_stream)(const size_t vectors, const VT *value, T *y, const size_t lanes)
{
    enum { PAGE = 4096 };
    if ((uintptr_t)y % PAGE < vectors * sizeof(VT))
        __builtin_prefetch((const void *)((uintptr_t)y + 2 * PAGE), 0, 2);
    if ((uintptr_t)y % sizeof(VT) == 0)
        NAME(link_store)(vectors, value, y, lanes, V(stream));
    else
        NAME(link_store)(vectors, value, y, lanes, V(store));
}

INLINE void NAME(link_bytes)(const size_t vectors, VT *value, const uint8_t *x, const size_t lanes)
{
    if (lanes < LEN) {
        uint8_t whole[LEN] = {0};
        memcpy(whole, x, lanes);
        value[0] = V(bytes)(whole);
        return;
    }
    EACH(value[v] = V(bytes)(x + v * LEN))
}

INLINE void NAME(link_copy)(const size_t vectors, VT *to, const VT *from){EACH(to[v] = from[v])}

INLINE void NAME(link_unary)(const size_t vectors, VT *value,
                             NAME(unary) * f){EACH(value[v] = f(value[v]))}

/* As many cache lines as the block has, for the first level, or the second, which can wait for more at
 * once. */
INLINE void NAME(link_prefetch)(const size_t vectors, const T *x, const bool near)
{
    enum { LINE = 64 };
    EACH(if (v == 0 || v * LINE < vectors * LEN * sizeof(T)) {
        const void *line = (const void *)((uintptr_t)x + v * LINE);
        near ? __builtin_prefetch(line, 0, 3) : __builtin_prefetch(line, 0, 2);
    })
}

/* By way of memory: f may change any register. */
INLINE void NAME(link_map)(const size_t vectors, VT *value, wa_map_fn *f, const size_t lanes)
{
    _Alignas(64) T block[NAME(LINK_VECTORS) * LEN];
    NAME(link_store)(vectors, value, block, lanes, V(store));
    f(lanes == LEN ? vectors * LEN : lanes, block, (const void *const[]){block});
    NAME(link_load)(vectors, value, block, lanes);
}

/* by: the value is the second operand. */
INLINE void NAME(link_vector)(const size_t vectors, VT *value, const T *x, const size_t lanes,
                              const bool by, NAME(binary) * f)
{
    EACH(const VT other = NAME(link_read)(x, v, lanes);
         value[v] = by ? f(other, value[v]) : f(value[v], other))
}

INLINE void NAME(link_number)(const size_t vectors, VT *value, const T *x, const bool by,
                              NAME(binary) * f)
{
    const VT other = V(set)(*x);
    EACH(value[v] = by ? f(other, value[v]) : f(value[v], other))
}

INLINE void NAME(link_saved)(const size_t vectors, VT *value, const VT *saved, const bool by,
                             NAME(binary) *
                                 f){EACH(value[v] = by ? f(saved[v], value[v]) : f(value[v], saved[v]))}

/* number: one for all. */
INLINE void NAME(link_product)(const size_t vectors, VT *sum, const VT *value, const T *x,
                               const size_t lanes, const bool number)
{
    const VT one = number ? V(set)(*x) : V(zero)();
    EACH(sum[v] = V(add)(sum[v], V(mul)(value[v], number ? one : NAME(link_read)(x, v, lanes))))
}

INLINE void NAME(link_itself)(const size_t vectors, VT *value,
                              NAME(binary) * f){EACH(value[v] = f(value[v], value[v]))}

/* Element i is where the block begins; y are the fold's lanes. */
INLINE void NAME(link_fold)(const size_t vectors, const VT *value, T *y, size_t i, const size_t lanes,
                            NAME(lane_op) * op)
{
    y += i % WA_LANES;
    EACH(T *at = y + v % GROUPS * LEN;
         const VT lane = V(load)(at), next = op(lane, value[v], V(zero)());
         V(store)(at, lanes == LEN ? next : V(select)(V(head)(lanes), next, lane)))
}

/* The lanes of a chain's only fold in registers: in memory they are waited for at each block. */
INLINE void NAME(link_fold_held)(const size_t vectors, const VT *value, VT *lane, NAME(lane_op) * op){
    EACH(lane[v % GROUPS] = op(lane[v % GROUPS], value[v], V(zero)()))}

INLINE void NAME(lanes_read)(VT *lanes, const T *y)
{
    UNROLL
    for (size_t g = 0; g < GROUPS; g++) lanes[g] = V(load)(y + g * LEN);
}
INLINE void NAME(lanes_write)(T *y, const VT *lanes)
{
    UNROLL
    for (size_t g = 0; g < GROUPS; g++) V(store)(y + g * LEN, lanes[g]);
}

INLINE VT NAME(exp)(VT a) { return V(exp)(a); }
INLINE VT NAME(tanh)(VT a) { return V(tanh)(a); }

/* The maths are links of an interpreter of their own: their constants and steps are in the way of the
 * others' registers. */
typedef size_t NAME(links_fn)(size_t i, size_t n, size_t begin, size_t links, const unsigned char *code,
                              void *const at[]);
#define NONE(X)
#define VECTORS NAME(LINK_VECTORS)
#define MATHS   NONE
#define LINKS   NAME(links_of_block)
#include "links.h"
#if INLINES_MATHS
#undef MATHS
#define MATHS WA_CHAIN_MATHS
#define LINKS NAME(maths_of_block)
#include "links.h"
#endif
#undef VECTORS
#define VECTORS 1
#define LINKS   NAME(links_of_rest)
#include "links.h"
#undef VECTORS
#undef MATHS
#undef NONE

/* Lanes in memory, at their beginning and at their end. */
INLINE void NAME(chain_lanes)(T *y, const bool end, VT identity, NAME(binary) * tree)
{
    VT lanes[GROUPS];
    if (end) {
        NAME(lanes_read)(lanes, y);
        y[0] = NAME(lanes_fold)(lanes, tree);
    } else {
        NAME(lanes_set)(lanes, identity);
        NAME(lanes_write)(y, lanes);
    }
}

#define FOLD(name, identity, tree)                                                                     \
    case WA_CHAIN_begin_##name: NAME(chain_lanes)(y, end, identity(), tree); return true;
/* Whether the link is one that begins a fold, whose beginning or end is then done. */
INLINE bool NAME(chain_fold)(unsigned char code, T *y, const bool end)
{
    switch (code) {
        FOLDS(FOLD)
    default: return false;
    }
}

#undef FOLD
#undef FOLDS
#undef EACH
#undef ONE_OF

INLINE void NAME(chain_by)(NAME(links_fn) * links_of_block, size_t n, size_t links,
                           const unsigned char *code, void *const at[])
{
    size_t i = 0, folds = 0;
    while (folds < links && NAME(chain_fold)(code[folds], at[folds], false)) folds++;
    if (n >= NAME(LINK_VECTORS) * LEN) i = links_of_block(0, n, folds, links, code, at);
    if (i < n) NAME(links_of_rest)(i, n, folds, links, code, at);
    for (size_t k = 0; k < folds; k++) NAME(chain_fold)(code[k], at[k], true);
}

static void NAME(chain)(size_t n, size_t links, const unsigned char *code, void *const at[])
{
    NAME(chain_by)(NAME(links_of_block), n, links, code, at);
}
#if INLINES_MATHS
static void NAME(math_chain)(size_t n, size_t links, const unsigned char *code, void *const at[])
{
    NAME(chain_by)(NAME(maths_of_block), n, links, code, at);
}
#endif
