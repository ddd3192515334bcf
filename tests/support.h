/* support.h: what the tests of ops, tape and golden bits share: contexts at every level, an allocator
 * that counts and fails, seeded numbers, comparison of bits. Public header only. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <washi.h>

/* A shape of the sizes given; SCALAR has none. */
#define SHAPE(...)                                                                                     \
    ((washi_shape){.rank = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                  \
                   .dim = {__VA_ARGS__}})
#define SCALAR ((washi_shape){0})

/* Fails with the library's message unless all went well. */
void ok(washi_status status);

/* -- contexts -- */

/* Every CPU level there is a name for, scalar first. */
enum { LEVELS = 4 };
extern const char *const level_names[LEVELS];
/* A context at that level; NULL when this machine or build lacks it (*why then says so). */
washi *open_level(const char *level, int threads, const char **why);
/* A context of one thread at the best level, on the counting allocator. */
washi *open_counted(void);

/* A context for each usable level and each of 1, 2, 3 and 7 threads, the first being scalar on one
 * thread, those on 3 threads making values again for derivatives, and for each level one that does not
 * fuse. Levels that cannot be used are named once on standard output. */
enum { MAX_SETTINGS = LEVELS * 5 };
struct settings {
    int count;
    washi *w[MAX_SETTINGS];
    char name[MAX_SETTINGS][48]; /* "avx2, 7 threads" */
};
struct settings open_settings(void);
void close_settings(struct settings *s);

/* How often washi_dump has the word: an op's name for each time it is computed, "assign" for a copy at
 * the end. */
int dumped(const washi_program *p, const char *word);

/* -- an allocator that counts, checks the sizes it is told, and fails when asked -- */

struct heap {
    size_t blocks, bytes; /* live */
    size_t peak;          /* the most bytes there were since the caller set it */
    long calls,
        fail_at; /* allocations so far; the one that fails, and all after it if all_after; -1: none */
    bool all_after;
};
extern struct heap heap;
void *counted(void *user, void *block, size_t old_size, size_t new_size);

/* -- numbers -- */

/* The sum of a row by the lanes' rule of docs/numerics.md, of 64 lanes. */
float lanes_sum(size_t n, const float *x);
/* Of a seeded sequence (Steele, Lea and Flood 2014, SplitMix64). */
uint64_t next_bits(uint64_t *state);
double between(uint64_t *state, double low, double high);
int below(uint64_t *state, int end);

/* -- values -- */

/* x as element i of an array of that type, and back. */
void put(washi_dtype type, void *data, size_t i, double x);
double get(washi_dtype type, const void *data, size_t i);
size_t bytes_of(washi_shape shape, washi_dtype type);
/* Equal bits, all NaN being one; returns the first element that differs, -1 for none. */
long first_difference(washi_dtype type, size_t n, const void *a, const void *b);
bool same_shape(washi_shape a, washi_shape b);
/* "[2,3]" in one of a few static buffers. */
const char *text_of(washi_shape s);

#endif
