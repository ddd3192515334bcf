/* core.h: what the modules inside share: context, memory, arena, threads, shapes, errors. */
#ifndef WA_CORE_H
#define WA_CORE_H

#include "washi.h"
#include "simd/simd.h"

#include <stdarg.h>
#include <stdatomic.h>

struct washi {
    void *(*resize)(void *user, void *block, size_t old_size, size_t new_size);
    void (*parallel)(void *user, int tasks, void (*task)(void *arg, int index), void *arg);
    void *user;
    int threads;
    uint64_t seed;
    bool fuse;      /* programs make several values in one step */
    bool check;     /* a run looks at what each step made */
    bool profile;   /* and count where their time goes */
    bool recompute; /* and make again what is cheap */
    const struct wa_simd *simd;
    struct wa_pool *pool; /* NULL with one thread or the caller's parallel */
    atomic_flag working;  /* a run has the threads */
};

/* -- errors -- */

/* Sets this thread's message and returns status. */
washi_status wa_error(washi_status status, const char *format, ...) WASHI_PRINTF(2, 3);
washi_status wa_error_va(washi_status status, const char *format, va_list args);

/* -- memory: NULL sets the message; free takes NULL; sizes are in bytes -- */

void *wa_new(washi *w, size_t size); /* zeroed */
void wa_free(washi *w, void *block, size_t size);
enum { WA_ALIGN = 64 };
void *wa_new_aligned(washi *w, size_t size); /* to WA_ALIGN, not zeroed; size 0 gives a pointer too */
void wa_free_aligned(washi *w, void *block, size_t size);
/* Grows *block, an array of *capacity elements, to at least count; false when memory is out. */
bool wa_grow(washi *w, void **block, size_t *capacity, size_t count, size_t element);
static inline size_t wa_round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

/* -- arena: many small pieces, freed together -- */

struct wa_arena {
    washi *w;
    struct wa_block *blocks; /* the newest first */
    size_t next;             /* bytes of the next block; 0: of the first */
};
void *wa_arena_new(struct wa_arena *a, size_t size, size_t align); /* not zeroed; NULL: no memory */
void wa_arena_free(struct wa_arena *a);

/* -- threads -- */

/* Threads beside the caller's (pool.c). run: by one thread at a time, with at most 64 tasks. NULL is
 * fine to close. */
struct wa_pool *wa_pool_open(washi *w, int workers);
void wa_pool_run(struct wa_pool *pool, int tasks, void (*task)(void *arg, int index), void *arg);
void wa_pool_close(struct wa_pool *pool);

/* task(arg, 0) ... task(arg, tasks-1), on the context's threads, this one among them; between begin and
 * end. */
void wa_parallel(washi *w, int tasks, void (*task)(void *arg, int index), void *arg);

/* Whether this thread may use the others now; if so, until wa_team_end nobody else may. */
bool wa_team_begin(washi *w);
void wa_team_end(washi *w);

/* -- shapes -- */

enum { WA_SHAPE_TEXT = WASHI_MAX_RANK * 21 + 3 };
/* "[64,784]" into text, of WA_SHAPE_TEXT bytes; returns text. */
const char *wa_shape_text(washi_shape s, char *text);
static inline bool wa_shape_equal(washi_shape a, washi_shape b)
{
    if (a.rank != b.rank) return false;
    for (int i = 0; i < a.rank; i++)
        if (a.dim[i] != b.dim[i]) return false;
    return true;
}
/* The shape a and b broadcast to, as NumPy's rule has it; false when there is none. */
bool wa_shape_broadcast(washi_shape a, washi_shape b, washi_shape *out);
/* The product of the sizes of axes begin ... end-1. */
int64_t wa_shape_span(washi_shape s, int begin, int end);
/* Elements times the type's size: fits, once washi_size is not -1. */
size_t wa_shape_bytes(washi_shape s, washi_dtype type);
static inline bool wa_is_real(washi_dtype type) { return type == WASHI_F32 || type == WASHI_F64; }

#endif
