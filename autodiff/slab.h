/* slab.h: memory of a slab given out and taken back before there is any: by best fit. */
#ifndef WA_SLAB_H
#define WA_SLAB_H

#include "core/core.h"

/* A slab of size top, with holes. */
struct wa_slab {
    size_t top;
    struct wa_hole *holes;
    int root[2], spare, used;
};

/* A slab for at most so many pieces at a time; false when memory is out. */
bool wa_slab_open(struct wa_slab *s, struct wa_arena *a, size_t pieces);
/* The offset of a piece, of size > 0: in the smallest hole that is large enough, of several in the
 * first, or at the top. */
size_t wa_slab_take(struct wa_slab *s, size_t size);
/* Takes back the piece at this offset. */
void wa_slab_give(struct wa_slab *s, size_t at, size_t size);

#endif
