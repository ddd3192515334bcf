/* test_simd.h: a kernel's call made at every level this CPU can run, its operands between guard pages,
 * compared with the scalar level's. */
#ifndef TEST_SIMD_H
#define TEST_SIMD_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "simd/simd.h"
#include "suite.h"

/* 0 ... 67, and primes about the sizes of caches and pieces. */
static const size_t primes[] = {127, 257, 1021, 1031, 2053, 4099, 8191, 16381};
enum { SIZES = 68 + sizeof primes / sizeof *primes };
static inline size_t size_of(size_t i) { return i < 68 ? i : primes[i - 68]; }

/* -- operands between guard pages ---------------------------------------------------------------- */

enum { INPUTS = 3, OUTPUTS = 2, REGIONS = INPUTS + OUTPUTS, REGION_BYTES = 1 << 20, PLACES = 24 };

static unsigned char *region[REGIONS];

/* WASHI_NO_GUARDS=1 leaves the guards readable: qemu 7.2 touches what a masked load of AVX2 does not.
 */
static inline bool map_regions(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < REGIONS; i++) {
        unsigned char *p =
            mmap(NULL, REGION_BYTES + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) return false;
        region[i] = p + page;
        if (getenv("WASHI_NO_GUARDS") && mprotect(p, REGION_BYTES + 2 * page, PROT_READ | PROT_WRITE))
            return false;
        if (mprotect(region[i], REGION_BYTES, PROT_READ | PROT_WRITE)) return false;
    }
    return true;
}

/* Where an operand of that many bytes lies: its start near the first guard page, or its end near the
 * last one, 0 and more elements away. */
static inline unsigned char *place(int i, size_t bytes, size_t element, size_t where)
{
    if (bytes + 16 * element > REGION_BYTES) ck_abort_msg("no room for %zu bytes", bytes);
    where %= PLACES;
    if (where < PLACES / 2) return region[i] + where * element;
    return region[i] + REGION_BYTES - bytes - (where - PLACES / 2) * element;
}

/* -- what is in them ----------------------------------------------------------------------------- */

static const size_t type_size[WA_TYPES] = {4, 8, 4, 1};
static const char *const type_name[WA_TYPES] = {"f32", "f64", "i32", "u8"};

static uint64_t state = 1;

static inline uint64_t bits64(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    const uint64_t x = state ^ (state >> 29);
    return x * 0x9e3779b97f4a7c15u ^ x >> 31;
}

enum fill { PLAIN, SPECIAL, ANY_BITS, FILLS };

static inline double plain(void) { return (double)(int64_t)bits64() * 0x1p-60; } /* -8 ... 8 */

static inline void fill_f32(float *x, size_t n, enum fill fill)
{
    static const float special[] = {
        0.0f,      -0.0f,      INFINITY,    -INFINITY, NAN,        1,      -1,
        0x1p-149f, -0x1p-149f, 0x1p-126f,   0x1p127f,  -0x1p127f,  88.72f, 88.8f,
        -87.4f,    -103.9f,    -104.1f,     709.0f,    2147483648, 255.5f, 256,
        -0x1p31f,  0x1p-127f,  16777217.0f, 3.4e38f,   -3.4e38f,   1e-30f, 0.5f};
    for (size_t i = 0; i < n; i++) {
        const uint32_t word = (uint32_t)(bits64() >> 32);
        if (fill == ANY_BITS)
            memcpy(x + i, &word, 4);
        else if (fill == SPECIAL && word % 3)
            x[i] = special[word % (sizeof special / sizeof *special)];
        else
            x[i] = (float)plain();
    }
}

static inline void fill_f64(double *x, size_t n, enum fill fill)
{
    static const double special[] = {
        0.0,       -0.0,       INFINITY,   -INFINITY,  NAN,           1,      -1,
        0x1p-1074, -0x1p-1074, 0x1p-1022,  0x1p1023,   -0x1p1023,     709.7,  709.9,
        -745.2,    -708.5,     2147483647, 2147483648, -2147483649.0, 255.5,  256,
        0x1p31,    0x1p-1023,  1e300,      -1e300,     1e-300,        3.5e38, 0.5};
    for (size_t i = 0; i < n; i++) {
        const uint64_t word = bits64();
        if (fill == ANY_BITS)
            memcpy(x + i, &word, 8);
        else if (fill == SPECIAL && (word >> 8) % 3)
            x[i] = special[(word >> 8) % (sizeof special / sizeof *special)];
        else
            x[i] = plain();
    }
}

static inline void fill(int type, void *x, size_t n, enum fill how)
{
    if (type == WA_F32) fill_f32(x, n, how);
    if (type == WA_F64) fill_f64(x, n, how);
    for (size_t i = 0; type >= WA_REALS && i < n * type_size[type]; i++)
        ((unsigned char *)x)[i] = (unsigned char)(bits64() >> 40);
}

/* One NaN for all: which of them an op gives is outside the contract. */
static inline void unify(int type, void *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (type == WA_F32 && isnan(((float *)x)[i])) ((float *)x)[i] = NAN;
        if (type == WA_F64 && isnan(((double *)x)[i])) ((double *)x)[i] = (double)NAN;
    }
}

/* -- one call at every level --------------------------------------------------------------------- */

struct call {
    void (*run)(const struct wa_simd *s, const struct call *c, void *y, const void *const x[]);
    const char *kernel;
    int index, type, out_type; /* which of its kind; element types of the inputs and of the output */
    int inputs;
    size_t in, out; /* elements of each input and of the output */
    size_t rows, n, x_stride, y_stride;
    bool in_place; /* the output is the first input */
};

enum { MAX_KERNELS = 128, MAX_LEVELS = 4 };
static struct {
    const char *kernel;
    long count[MAX_LEVELS][WA_TYPES];
} table[MAX_KERNELS];

/* Of all that the scalar level gave: the same on every architecture. */
static uint64_t digest = 0xcbf29ce484222325u;

static inline void add_to_digest(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) digest = (digest ^ p[i]) * 0x100000001b3u;
}

static inline void count_call(const char *kernel, int level, int type)
{
    int i = 0;
    while (i < MAX_KERNELS && table[i].kernel && strcmp(table[i].kernel, kernel)) i++;
    if (i == MAX_KERNELS) ck_abort_msg("more than %d kernels", i);
    table[i].kernel = kernel;
    table[i].count[level][type]++;
}

/* The output of a call with as much around it as belongs to the region. */
struct window {
    unsigned char *from;
    size_t bytes, before;
};

static inline struct window window_of(const struct call *c, int output, size_t trial)
{
    const size_t size = type_size[c->out_type], margin = 4096;
    unsigned char *y = place(output, c->out * size, size, trial);
    const size_t before = (size_t)(y - region[output]), after = REGION_BYTES - before - c->out * size;
    const size_t keep = before < margin ? before : margin;
    return (struct window){y - keep, keep + c->out * size + (after < margin ? after : margin), keep};
}

/* Runs c at a level, its operands at places that trial picks. */
static inline struct window result_of(const struct call *c, int level, size_t trial, enum fill how)
{
    const struct window w = window_of(c, INPUTS + (level > 0), trial);
    unsigned char *y = w.from + w.before;
    const void *x[INPUTS] = {0};
    memset(w.from, 0xa5, w.bytes);
    state = 977 * trial + 31 * c->n + c->rows + (size_t)how + 1;
    for (int i = 0; i < c->inputs; i++) {
        const size_t size = type_size[c->type];
        void *to =
            c->in_place && i == 0 ? y : place(i, c->in * size, size, trial * (size_t)(5 + 2 * i));
        fill(c->type, to, c->in, how);
        x[i] = to;
    }
    c->run(wa_simd_level(level), c, y, x);
    unify(c->out_type, y, c->out);
    return w;
}

static inline void check_call(const struct call *c, size_t trial)
{
    const enum fill how = (enum fill)(trial % FILLS);
    const struct window wanted = result_of(c, 0, trial, how);
    add_to_digest(wanted.from + wanted.before, c->out * type_size[c->out_type]);
    count_call(c->kernel, 0, c->type);
    for (int level = 1; wa_simd_level(level); level++) {
        const struct wa_simd *s = wa_simd_level(level);
        if (!wa_simd_usable(s)) continue;
        const struct window got = result_of(c, level, trial, how);
        if (memcmp(got.from, wanted.from, got.bytes)) {
            size_t i = 0;
            while (got.from[i] == wanted.from[i]) i++;
            ck_abort_msg("%s %s %s: rows %zu n %zu trial %zu: byte %td of the output differs", s->name,
                         c->kernel, type_name[c->type], c->rows, c->n, trial,
                         (ptrdiff_t)i - (ptrdiff_t)got.before);
        }
        count_call(c->kernel, level, c->type);
    }
}

/* The calls compared, by kernel and type, at each level. */
static inline void print_counts(void)
{
    long total = 0;
    for (int level = 0; wa_simd_level(level); level++) {
        printf("%-8s", wa_simd_level(level)->name);
        puts(wa_simd_usable(wa_simd_level(level)) ? "    f32    f64    i32     u8  calls"
                                                  : " skipped: not on this CPU");
        for (int i = 0; i < MAX_KERNELS && table[i].kernel; i++) {
            const long *count = table[i].count[level];
            if (!(count[0] + count[1] + count[2] + count[3])) continue;
            printf("  %-16s %6ld %6ld %6ld %6ld\n", table[i].kernel, count[0], count[1], count[2],
                   count[3]);
            for (int type = 0; type < WA_TYPES; type++) total += count[type];
        }
    }
    printf("%ld calls in all\n", total);
}

/* The exit status of a case of calls. It runs in this process, where the counts live. */
static inline int run_calls(const char *name, TCase *calls)
{
    const char *why;
    if (!wa_simd_find(NULL, &why)) {
        printf("skipped: %s\n", why);
        return 77;
    }
    if (!map_regions()) return EXIT_FAILURE;
    tcase_set_timeout(calls, 0);
    setenv("CK_FORK", "no", 1);
    const int status = RUN_SUITE(name, calls);
    print_counts();
    return status;
}

#endif
