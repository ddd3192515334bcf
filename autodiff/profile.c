/* profile.c: where a program's time goes, step by step. */
#define _POSIX_C_SOURCE 200809L
#include "autodiff/fused.h"

#include <inttypes.h>
#include <time.h>

/* Of one step on one thread's behalf; apart, so that threads do not write to one line. */
struct wa_spent {
    _Alignas(64) double seconds;
};

double wa_profile_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static struct wa_spent *spent_by(const struct wa_step *s, int task)
{
    const washi_program *p = s->program;
    return &p->spent[(size_t)(s - p->steps) * WA_MAX_TASKS + (size_t)task];
}

void wa_profile_run(const struct wa_step *s, int task)
{
    double start = wa_profile_now();
    s->op->run(s, task);
    spent_by(s, task)->seconds += wa_profile_now() - start;
}

washi_status washi_profile(washi_program *p, bool on)
{
    if (!p) return wa_error(WASHI_MISUSE, "profile: the program is NULL");
    size_t count = (size_t)p->step_count * WA_MAX_TASKS;
    if (on && !p->spent_memory) {
        p->spent_memory = wa_arena_new(&p->arena, count * sizeof(struct wa_spent), 64);
        if (!p->spent_memory) return WASHI_NO_MEMORY;
    }
    p->spent = on ? p->spent_memory : NULL;
    for (size_t i = 0; on && i < count; i++) p->spent[i].seconds = 0;
    p->profiled = 0;
    p->profile_seconds = 0;
    return WASHI_OK;
}

/* The best rate of the library's own matrix product, operands in the first-level cache: GFLOP/s. */
static double peak(const washi *w, double *memory)
{
    enum { M = 56, N = 32, K = 64, TIMES = 40, TRIES = 20 };
    float *a = (float *)memory, *b = a + M * K, *c = b + K * N;
    struct wa_gemm g = {.m = M,
                        .n = N,
                        .k = K,
                        .a = a,
                        .a_row = K,
                        .a_column = 1,
                        .b = b,
                        .b_row = N,
                        .b_column = 1,
                        .c = c,
                        .c_row = N,
                        .alpha = 1};
    double best = 0;
    for (int i = 0; i < TRIES; i++) {
        double start = wa_profile_now();
        for (int k = 0; k < TIMES; k++) w->simd->gemm[WA_F32](&g, c + M * N);
        double rate = 2e-9 * M * N * K * TIMES / (wa_profile_now() - start);
        if (rate > best) best = rate;
    }
    return best;
}

static void print_line(const washi_program *p, int i, double all, double best, FILE *out)
{
    const struct wa_step *s = &p->steps[i];
    double seconds = 0, runs = (double)p->profiled;
    for (int task = 0; task < WA_MAX_TASKS; task++) seconds += spent_by(s, task)->seconds;
    double rate = seconds > 0 ? 1e-9 * s->flops * runs / seconds : 0;
    fprintf(out, "%4d %9.2f us %5.1f %% %8.2f GFLOP/s %5.1f %% %7.2f GB/s  ", i, 1e6 * seconds / runs,
            all > 0 ? 100 * seconds / all : 0, rate, best > 0 ? 100 * rate / best : 0,
            seconds > 0 ? 1e-9 * s->bytes * runs / seconds : 0);
    wa_dump_ops(s, false, out);
    fputc('\n', out);
}

washi_status washi_profile_print(const washi_program *p, FILE *out)
{
    if (!p || !out) return wa_error(WASHI_MISUSE, "profile_print: the program or the file is NULL");
    if (!p->spent || !p->profiled) return WASHI_OK;
    washi *w = p->arena.w;
    const size_t bytes = 128 * 1024; /* scratch memory included */
    double *memory = wa_new_aligned(w, bytes);
    if (!memory) return WASHI_NO_MEMORY;
    for (size_t i = 0; i < bytes / sizeof *memory; i++) memory[i] = 0;
    double best = peak(w, memory), all = 0;
    wa_free_aligned(w, memory, bytes);
    for (size_t i = 0; i < (size_t)p->step_count * WA_MAX_TASKS; i++) all += p->spent[i].seconds;
    fprintf(out,
            "step   thread time, share; arithmetic, of one thread's %.0f GFLOP/s; memory or cache\n",
            best);
    for (int i = 0; i < p->step_count; i++) print_line(p, i, all, best, out);
    fprintf(out, "%" PRIu64 " runs of %.2f us, in which threads worked for %.2f us\n", p->profiled,
            1e6 * p->profile_seconds / (double)p->profiled, 1e6 * all / (double)p->profiled);
    return ferror(out) ? wa_error(WASHI_IO, "profile_print: cannot write") : WASHI_OK;
}
