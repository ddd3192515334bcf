/* support.c: contexts, an allocator, numbers and comparison for the tests. */
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const level_names[LEVELS] = {"scalar", "neon", "avx2", "avx512"};
struct heap heap = {.fail_at = -1};

void ok(washi_status status) { ck_assert_msg(!status, "%s", washi_message()); }

static washi *open_way(const char *level, int threads, bool recompute, const char **why)
{
    washi *w;
    const washi_status status = washi_open(
        &w, &(washi_options){.cpu = level, .threads = threads, .seed = 1, .recompute = recompute});
    *why = washi_message();
    if (status) ck_assert_int_eq(status, WASHI_UNSUPPORTED);
    ck_assert_int_eq(w == NULL, status != WASHI_OK);
    return w;
}

washi *open_level(const char *level, int threads, const char **why)
{
    return open_way(level, threads, false, why);
}

washi *open_counted(void)
{
    washi *w;
    heap = (struct heap){.fail_at = -1};
    ck_assert_int_eq(washi_open(&w, &(washi_options){.resize = counted, .threads = 1, .seed = 1}),
                     WASHI_OK);
    return w;
}

struct settings open_settings(void)
{
    static const int threads[] = {1, 2, 3, 7, 1};
    enum { WAYS = sizeof threads / sizeof *threads, AGAIN = 2, UNFUSED = WAYS - 1 };
    struct settings s = {0};
    for (int level = 0; level < LEVELS; level++)
        for (int i = 0; i < WAYS; i++) {
            const char *why;
            if (i == UNFUSED) setenv("WASHI_FUSE", "0", 1);
            washi *w = open_way(level_names[level], threads[i], i == AGAIN, &why);
            unsetenv("WASHI_FUSE");
            if (!w) {
                printf("skipped: %s\n", why);
                break;
            }
            ck_assert_str_eq(washi_cpu(w), level_names[level]);
            ck_assert_int_eq(washi_threads(w), threads[i]);
            snprintf(s.name[s.count], sizeof s.name[0], "%s, %d threads%s", level_names[level],
                     threads[i],
                     i == UNFUSED ? ", not fused"
                     : i == AGAIN ? ", recomputing"
                                  : "");
            s.w[s.count++] = w;
        }
    ck_assert_int_ge(s.count, WAYS);
    return s;
}

void close_settings(struct settings *s)
{
    for (int i = 0; i < s->count; i++) washi_close(s->w[i]);
    s->count = 0;
}

int dumped(const washi_program *p, const char *word)
{
    char *text = NULL;
    size_t size = 0;
    int count = 0;
    FILE *file = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(file);
    ok(washi_dump(p, file));
    fclose(file);
    for (char *at = strtok(text, " +,\n"); at; at = strtok(NULL, " +,\n")) count += !strcmp(at, word);
    free(text);
    return count;
}

void *counted(void *user, void *block, size_t old_size, size_t new_size)
{
    (void)user;
    const size_t head = 64;
    unsigned char *real = block ? (unsigned char *)block - head : NULL;
    if (real) ck_assert_mem_eq(real, &old_size, sizeof old_size);
    if (new_size == 0) {
        if (real) heap.bytes -= old_size, heap.blocks--;
        free(real);
        return NULL;
    }
    const long call = heap.calls++;
    if (heap.fail_at >= 0 && (call == heap.fail_at || (heap.all_after && call > heap.fail_at)))
        return NULL;
    unsigned char *grown = realloc(real, head + new_size);
    ck_assert_ptr_nonnull(grown);
    heap.bytes += new_size - (real ? old_size : 0);
    if (heap.bytes > heap.peak) heap.peak = heap.bytes;
    heap.blocks += !real;
    memcpy(grown, &new_size, sizeof new_size);
    return grown + head;
}

float lanes_sum(size_t n, const float *x)
{
    enum { LANES = 64 };
    float lane[LANES] = {0};
    for (size_t i = 0; i < n; i++) lane[i % LANES] += x[i];
    for (size_t h = LANES / 2; h; h /= 2)
        for (size_t j = 0; j < h; j++) lane[j] += lane[j + h];
    return lane[0];
}

uint64_t next_bits(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

double between(uint64_t *state, double low, double high)
{
    return low + (high - low) * ((double)(next_bits(state) >> 11) * 0x1p-53);
}

int below(uint64_t *state, int end) { return (int)(next_bits(state) % (uint64_t)end); }

void put(washi_dtype type, void *data, size_t i, double x)
{
    switch (type) {
    case WASHI_F32: ((float *)data)[i] = (float)x; break;
    case WASHI_F64: ((double *)data)[i] = x; break;
    case WASHI_I32: ((int32_t *)data)[i] = (int32_t)x; break;
    case WASHI_U8: ((uint8_t *)data)[i] = (uint8_t)x; break;
    }
}

double get(washi_dtype type, const void *data, size_t i)
{
    switch (type) {
    case WASHI_F32: return (double)((const float *)data)[i];
    case WASHI_F64: return ((const double *)data)[i];
    case WASHI_I32: return ((const int32_t *)data)[i];
    case WASHI_U8: return ((const uint8_t *)data)[i];
    }
    return NAN;
}

size_t bytes_of(washi_shape shape, washi_dtype type)
{
    return (size_t)washi_size(shape) * washi_dtype_size(type);
}

long first_difference(washi_dtype type, size_t n, const void *a, const void *b)
{
    const size_t size = washi_dtype_size(type);
    if (n == 0 || !memcmp(a, b, n * size)) return -1;
    for (size_t i = 0; i < n; i++) {
        if (!memcmp((const char *)a + i * size, (const char *)b + i * size, size)) continue;
        if (!isnan(get(type, a, i)) || !isnan(get(type, b, i))) return (long)i;
    }
    return -1;
}

bool same_shape(washi_shape a, washi_shape b)
{
    bool same = a.rank == b.rank;
    for (int i = 0; same && i < a.rank; i++) same = a.dim[i] == b.dim[i];
    return same;
}

const char *text_of(washi_shape s)
{
    static char text[4][200];
    static int turn;
    char *begin = text[turn++ % 4], *at = begin;
    at += sprintf(at, "[");
    for (int i = 0; i < s.rank; i++) at += sprintf(at, i ? ",%lld" : "%lld", (long long)s.dim[i]);
    sprintf(at, "]");
    return begin;
}
