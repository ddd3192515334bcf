/* context.c: opening and closing a context, its threads and its random numbers. */
#define _DEFAULT_SOURCE /* madvise */
#include "core/core.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STRING(x)    #x
#define STRING_OF(x) STRING(x)

const char *washi_version(void) { return WA_VERSION; }

const char *washi_version_long(void)
{
    return "washi " WA_VERSION ", SLEEF " WA_SLEEF_VERSION ", lanes " STRING_OF(WA_LANES);
}

/* Asks for pages of 2 MiB where the system has them: who walks through long arrays waits for the
 * addresses of small ones. */
static void ask_for_large_pages(void *block, size_t size)
{
#ifdef MADV_HUGEPAGE
    enum { LEAST = 8 << 20 };
    if (!block || size < LEAST) return;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), skip = (page - (uintptr_t)block % page) % page;
    (void)madvise((char *)block + skip, (size - skip) / page * page, MADV_HUGEPAGE);
#else
    (void)block, (void)size;
#endif
}

static void *resize_by_malloc(void *user, void *block, size_t old_size, size_t new_size)
{
    (void)user;
    (void)old_size;
    if (!new_size) {
        free(block);
        return NULL;
    }
    void *p = realloc(block, new_size);
    ask_for_large_pages(p, new_size);
    return p;
}

static int cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 1024 ? 1024 : (int)n;
}

/* Whether a switch in the environment is on: not "0". */
static bool is_on(const char *name, bool otherwise)
{
    const char *value = getenv(name);
    return value && *value ? strcmp(value, "0") != 0 : otherwise;
}

washi_status washi_open(washi **out, const washi_options *options)
{
    static const washi_options defaults;
    if (!out) return wa_error(WASHI_MISUSE, "open: the place for the context is NULL");
    *out = NULL;
    const washi_options *o = options ? options : &defaults;
    if (o->threads < 0) return wa_error(WASHI_BAD_VALUE, "open: %d threads", o->threads);

    bool check = o->check || is_on("WASHI_CHECK", false);
    const char *why, *level = o->cpu ? o->cpu : getenv("WASHI_CPU");
    if (level && !*level) level = NULL;
    const struct wa_simd *simd = wa_simd_find(level, &why);
    if (!simd)
        return wa_error(WASHI_UNSUPPORTED, "open: CPU level \"%s\": %s", level ? level : "best", why);

    void *(*resize)(void *, void *, size_t, size_t) = o->resize ? o->resize : resize_by_malloc;
    washi *w = resize(o->user, NULL, 0, sizeof *w);
    if (!w) return wa_error(WASHI_NO_MEMORY, "open: no memory for %zu bytes", sizeof *w);
    *w = (washi){.resize = resize,
                 .parallel = o->parallel,
                 .user = o->user,
                 .seed = o->seed,
                 .threads = o->threads ? o->threads : cores(),
                 .working = ATOMIC_FLAG_INIT,
                 .simd = simd,
                 .fuse = !check && is_on("WASHI_FUSE", true),
                 .check = check,
                 .profile = is_on("WASHI_PROFILE", false),
                 .recompute = o->recompute};
    int workers = (w->threads < cores() ? w->threads : cores()) - 1;
    if (!w->parallel && workers && !(w->pool = wa_pool_open(w, workers))) {
        washi_close(w);
        return WASHI_NO_MEMORY;
    }
    *out = w;
    return WASHI_OK;
}

void washi_close(washi *w)
{
    if (!w) return;
    wa_pool_close(w->pool);
    w->resize(w->user, w, sizeof *w, 0);
}

const char *washi_cpu(const washi *w) { return w ? w->simd->name : ""; }

int washi_threads(const washi *w) { return w ? w->threads : 0; }

void wa_parallel(washi *w, int tasks, void (*task)(void *arg, int index), void *arg)
{
    if (tasks > 1 && w->parallel) {
        w->parallel(w->user, tasks, task, arg);
    } else if (tasks > 1 && w->pool) {
        wa_pool_run(w->pool, tasks, task, arg);
    } else {
        for (int i = 0; i < tasks; i++) task(arg, i);
    }
}

bool wa_team_begin(washi *w)
{
    return !atomic_flag_test_and_set_explicit(&w->working, memory_order_acquire);
}

void wa_team_end(washi *w) { atomic_flag_clear_explicit(&w->working, memory_order_release); }

static washi_status fill(washi *w, enum wa_random kind, uint64_t stream, uint64_t first, size_t n,
                         void *out)
{
    if (!w || (n && !out)) return wa_error(WASHI_MISUSE, "fill: the context or the result is NULL");
    if (first % 4)
        return wa_error(WASHI_BAD_VALUE, "fill: first is %llu, not a multiple of 4",
                        (unsigned long long)first);
    uint64_t mode = wa_fp_enter();
    w->simd->random[kind](w->seed, stream, first, n, out);
    wa_fp_leave(mode);
    return WASHI_OK;
}

washi_status washi_fill_bits(washi *w, uint64_t stream, uint64_t first, size_t n, uint32_t *out)
{
    return fill(w, WA_RANDOM_bits, stream, first, n, out);
}

washi_status washi_fill_uniform(washi *w, uint64_t stream, uint64_t first, size_t n, float *out)
{
    return fill(w, WA_RANDOM_uniform, stream, first, n, out);
}

washi_status washi_fill_normal(washi *w, uint64_t stream, uint64_t first, size_t n, float *out)
{
    return fill(w, WA_RANDOM_normal, stream, first, n, out);
}
