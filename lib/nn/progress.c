/* progress.c: the line that shows how far a pass is, as Keras draws it. */
#define _POSIX_C_SOURCE 200809L
#include "train.h"

#include <inttypes.h>
#include <math.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 20 };                   /* characters */
static const double interval = 0.05; /* seconds between two looks at a terminal */

static double now(void)
{
    struct timespec t = {0};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void wa_nn_progress_start(struct wa_progress *p)
{
    if (!p->out) return;
    int file = fileno(p->out);
    p->live = file >= 0 && isatty(file);
    p->open = true;
    p->done = 0;
    p->start = p->shown = now();
}

static void bar(const struct wa_progress *p, int64_t done)
{
    char steps[24];
    int digits = snprintf(steps, sizeof steps, "%" PRId64, p->steps);
    int filled = (int)(BAR * ((double)done / (double)p->steps));
    fprintf(p->out, "%*" PRId64 "/%s ", digits, done, steps);
    /* On a terminal colours tell what is done: green, and grey for the rest. */
    for (int i = 0; i < BAR; i++) {
        if (p->live && (i == 0 || i == filled)) fputs(i < filled ? "\033[32m" : "\033[37m", p->out);
        fputs("━", p->out);
    }
    if (p->live) fputs("\033[0m", p->out);
}

static void hours(FILE *out, double seconds)
{
    int64_t s = (int64_t)seconds;
    if (s > 3600)
        fprintf(out, " %" PRId64 ":%02d:%02d", s / 3600, (int)(s % 3600 / 60), (int)(s % 60));
    else if (s > 60)
        fprintf(out, " %d:%02d", (int)(s / 60), (int)(s % 60));
    else
        fprintf(out, " %ds", (int)s);
}

static void time_per_step(FILE *out, double seconds)
{
    if (seconds >= 1)
        fprintf(out, " %.0fs/step", seconds);
    else if (seconds >= 1e-3)
        fprintf(out, " %.0fms/step", seconds * 1e3);
    else
        fprintf(out, " %.0fus/step", seconds * 1e6);
}

static void value(FILE *out, const char *prefix, const char *name, double x)
{
    if (isnan(x))
        fprintf(out, " - %s%s: nan", prefix, name); /* whose sign printf would show */
    else
        fprintf(out, fabs(x) > 1e-3 ? " - %s%s: %.4f" : " - %s%s: %.4e", prefix, name, x);
}

/* logs has those of the validation only when they are shown, with the last line. */
static void values(const struct wa_progress *p, const double logs[], bool last)
{
    for (int part = 0; part < (last && p->validates ? 2 : 1); part++) {
        const char *prefix = part ? "val_" : "";
        if (p->metric) value(p->out, prefix, p->metric, logs[2 * part + 1]);
        value(p->out, prefix, "loss", logs[2 * part]);
    }
}

static void show(const struct wa_progress *p, const double logs[2])
{
    double step = (p->shown - p->start) / (double)p->done;
    fputc('\r', p->out);
    bar(p, p->done);
    hours(p->out, step * (double)(p->steps - p->done));
    time_per_step(p->out, step);
    values(p, logs, false);
    fputs("\033[K", p->out); /* what the line before had beyond this one */
    fflush(p->out);
}

void wa_nn_progress_step(struct wa_progress *p, int64_t done, const double logs[2])
{
    p->done = done;
    bool last = done == p->steps;
    if (!p->out || !(p->live || last)) return;
    double time = now();
    if (last) p->took = time - p->start;
    if (!p->live || time - p->shown < interval) return;
    p->shown = time;
    show(p, logs);
}

void wa_nn_progress_end(struct wa_progress *p, const double logs[4])
{
    if (!p->out || !p->open) return;
    p->open = false;
    if (!logs) {
        if (p->live) fputc('\n', p->out);
        return;
    }
    double whole = now() - p->start;
    if (p->done < p->steps) p->took = whole;
    if (p->live) fputc('\r', p->out);
    bar(p, p->done);
    fprintf(p->out, " %.0fs", whole);
    time_per_step(p->out, p->took / (double)(p->done ? p->done : 1));
    values(p, logs, true);
    fputs(p->live ? "\033[K\n" : "\n", p->out);
    fflush(p->out);
}

washi_status wa_nn_progress_callback(washi_fit_state *fit, void *user)
{
    struct wa_progress *p = user;
    switch (fit->event) {
    case WASHI_FIT_BEGIN:
        p->out = fit->options->progress;
        p->metric = wa_nn_metric_name(fit->options->metric);
        p->validates = fit->options->validation_x != NULL;
        p->steps = fit->batches;
        break;
    case WASHI_EPOCH_BEGIN:
        fprintf(p->out, "Epoch %d/%d\n", fit->epoch + 1, fit->options->epochs);
        wa_nn_progress_start(p);
        break;
    case WASHI_BATCH_END: wa_nn_progress_step(p, fit->batch, fit->logs); break;
    case WASHI_EPOCH_END: wa_nn_progress_end(p, fit->logs); break;
    case WASHI_FIT_END: wa_nn_progress_end(p, NULL); break;
    }
    return WASHI_OK;
}
