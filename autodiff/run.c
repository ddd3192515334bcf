/* run.c: walking a program's steps; evaluating once. */
#include "autodiff/program.h"

#include <math.h>
#include <string.h>

static washi_status patch_inputs(washi_program *p)
{
    for (int i = 0; i < p->patch_count; i++) {
        const washi_tensor *input = p->patches[i].input;
        char text[WA_TENSOR_TEXT];
        if (!input->data && washi_size(input->shape))
            return wa_error(WASHI_MISUSE, "run: input %s has not been fed",
                            wa_tensor_text(input, text));
        /* An empty input that has not been fed has no elements, but needs an address. */
        *p->patches[i].where = input->data ? (void *)(uintptr_t)input->data : p->slab;
    }
    p->announced = false;
    for (int i = 0; i < p->ahead_count && !p->announced; i++) p->announced = p->ahead[i].indices->next;
    return WASHI_OK;
}

static void deliver(washi_program *p)
{
    for (int i = 0; i < p->delivery_count; i++) {
        const struct wa_delivery *d = &p->deliveries[i];
        if (d->copy && d->bytes) memcpy(d->copy, d->data, d->bytes);
    }
    for (int i = 0; i < p->delivery_count; i++) {
        const struct wa_delivery *d = &p->deliveries[i];
        const void *data = d->copy ? d->copy : d->data;
        if (d->assigns) {
            if (d->bytes) memcpy((void *)(uintptr_t)d->node->data, data, d->bytes);
        } else {
            d->node->data = data;
            d->node->by = p;
        }
    }
}

static void run_task(const struct wa_step *s, int task)
{
    bool whole = s->lead || s->tasks == 1; /* a split step's tasks ask for rows of their own */
    if (s->program->announced && !s->asks)
        wa_ahead_ask(s, task, whole ? 0 : (size_t)task, whole ? 1 : (size_t)s->tasks, NULL);
    if (s->program->spent)
        wa_profile_run(s, task);
    else
        s->op->run(s, task);
}

static void run_step(const struct wa_step *s)
{
    for (int task = 0; task < s->tasks; task++) run_task(s, task);
    if (s->op->finish) s->op->finish(s);
}

struct job {
    const washi_program *p;
    const struct wa_phase *phase;
};

static void run_bundle(void *arg, int bundle)
{
    const struct job *job = arg;
    uint64_t mode = wa_fp_enter();
    for (int i = job->phase->first; i < job->phase->end; i++) {
        const struct wa_step *s = &job->p->steps[i];
        if (s->lead || job->phase->alone)
            run_task(s, bundle);
        else if (s->owner == bundle)
            run_step(s);
    }
    wa_fp_leave(mode);
}

static washi_status run_phase(const washi_program *p, const struct wa_phase *phase, bool team)
{
    const struct wa_step *first = &p->steps[phase->first], *end = p->steps + phase->end;
    for (const struct wa_step *s = first; s < end; s++) {
        washi_status status = s->checks ? s->op->check(s) : WASHI_OK;
        if (status) return status;
        if (!team || phase->bundles == 1) run_step(s);
    }
    if (!team || phase->bundles == 1) return WASHI_OK;
    struct job job = {p, phase};
    wa_parallel(p->arena.w, phase->bundles, run_bundle, &job);
    if (phase->alone && first->op->finish) first->op->finish(first);
    return WASHI_OK;
}

/* Steps in order are right for one thread too: split or not, each comes after what it reads. */
washi_status wa_walk(const washi_program *p)
{
    washi_status status = WASHI_OK;
    bool team = p->widest > 1 && wa_team_begin(p->arena.w);
    for (int i = 0; i < p->phase_count && !status; i++) status = run_phase(p, &p->phases[i], team);
    if (team) wa_team_end(p->arena.w);
    return status;
}

washi_status washi_run(washi_program *p)
{
    if (!p) return wa_error(WASHI_MISUSE, "run: the program is NULL");
    washi_status status = patch_inputs(p);
    for (int i = 0; i < p->check_count && !status; i++) {
        const struct wa_step *s = &p->steps[p->checks[i]];
        status = s->op->check(s);
    }
    uint64_t mode = wa_fp_enter();
    double start = p->spent ? wa_profile_now() : 0;
    if (!status) status = p->arena.w->check ? wa_walk_checked(p) : wa_walk(p);
    wa_fp_leave(mode);
    if (!status) deliver(p);
    if (p->spent) {
        p->profile_seconds += wa_profile_now() - start;
        p->profiled++;
    }
    return status;
}

washi_status washi_prefetch(washi_tensor *input, const void *next)
{
    if (!input || input->op != &wa_op_input)
        return wa_error(WASHI_MISUSE, "prefetch: the tensor is %s", input ? "no input" : "NULL");
    input->next = next;
    return WASHI_OK;
}

/* Keeps a value on its tape when the program that made it goes. */
static washi_status keep(washi_tensor *y)
{
    if (!y->by) return WASHI_OK;
    size_t bytes = wa_shape_bytes(y->shape, y->type);
    if (!y->kept) y->kept = wa_arena_new(&y->tape->arena, bytes, WA_ALIGN);
    if (!y->kept) return washi_fail(y->tape, WASHI_NO_MEMORY, "%s", washi_message());
    if (bytes) memcpy(y->kept, y->data, bytes);
    y->data = y->kept;
    y->by = NULL;
    return WASHI_OK;
}

washi_status washi_eval(int n, washi_tensor *const y[])
{
    if (n < 1 || !y || !y[0]) return wa_missing(NULL, "eval: no tensor");
    washi_tape *t = y[0]->tape;
    washi_program *p = washi_compile(t, n, y);
    if (!p) return t->status ? t->status : WASHI_NO_MEMORY;
    washi_status status = washi_run(p);
    for (int i = 0; i < n && !status; i++) status = keep(y[i]);
    washi_program_free(p);
    return status;
}

double washi_item(washi_tensor *y)
{
    if (washi_size(washi_shape_of(y)) != 1 && y) {
        char text[WA_SHAPE_TEXT];
        wa_error(WASHI_BAD_SHAPE, "item: %s is not one element", wa_shape_text(y->shape, text));
        return (double)NAN;
    }
    if (washi_eval(1, &y) || !y->data) return (double)NAN;
    switch (y->type) {
    case WASHI_F32: return (double)*(const float *)y->data;
    case WASHI_F64: return *(const double *)y->data;
    case WASHI_I32: return *(const int32_t *)y->data;
    case WASHI_U8: return *(const uint8_t *)y->data;
    }
    return (double)NAN;
}
