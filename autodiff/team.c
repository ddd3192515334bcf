/* team.c: several threads walking one program.
 *
 * One call of the context's `parallel` serves a whole run. The members hand out the tasks of one step
 * at a time through a ticket, (step, next task); who finishes a step's last task goes on to the next
 * step, does it at once if it is a single task, or else hands it out. A member waits only for tasks
 * that others have begun, so that it does not matter when the others come, or whether: one member alone
 * walks it all. */
#include "autodiff/team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { SPINS = 2000, MESSAGE = 512 };

struct team {
    washi_program *p;
    _Atomic uint64_t ticket; /* step << 32 | the next task to hand out */
    atomic_int done;         /* tasks of that step */
    atomic_int sleepers;
    pthread_mutex_t mutex;
    pthread_cond_t handed_out;
    washi_status status;
    char message[MESSAGE];
};

static uint64_t ticket_of(int step) { return (uint64_t)step << 32; }

static void hand_out(struct team *t, int step)
{
    atomic_store(&t->done, 0);
    atomic_store(&t->ticket, ticket_of(step));
    if (atomic_load(&t->sleepers) == 0) return;
    pthread_mutex_lock(&t->mutex);
    pthread_cond_broadcast(&t->handed_out);
    pthread_mutex_unlock(&t->mutex);
}

/* Returns when the ticket is another one; sleeps when that takes long. */
static void wait_for(struct team *t, uint64_t ticket)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&t->ticket) != ticket) return;
        wa_pause();
    }
    pthread_mutex_lock(&t->mutex);
    atomic_fetch_add(&t->sleepers, 1);
    while (atomic_load(&t->ticket) == ticket) pthread_cond_wait(&t->handed_out, &t->mutex);
    atomic_fetch_sub(&t->sleepers, 1);
    pthread_mutex_unlock(&t->mutex);
}

/* Does steps from this one on, by itself, up to one with several tasks, and hands that one out. */
static void go_on(struct team *t, int step)
{
    washi_program *p = t->p;
    for (; step < p->step_count; step++) {
        const struct wa_step *s = &p->steps[step];
        t->status = s->op->check && !s->checked_first ? s->op->check(s) : WASHI_OK;
        if (t->status) {
            strncpy(t->message, washi_message(), MESSAGE - 1);
            step = p->step_count;
            break;
        }
        if (s->tasks > 1) break;
        s->op->run(s, 0);
        if (s->op->finish) s->op->finish(s);
    }
    hand_out(t, step);
}

static void member(void *arg, int index)
{
    struct team *t = arg;
    washi_program *p = t->p;
    uint64_t mode = wa_fp_enter();
    (void)index;
    for (uint64_t ticket = atomic_load(&t->ticket);; ticket = atomic_load(&t->ticket)) {
        int step = (int)(ticket >> 32), task = (int)(ticket & UINT32_MAX);
        if (step >= p->step_count) break;
        const struct wa_step *s = &p->steps[step];
        if (task >= s->tasks) {
            wait_for(t, ticket);
            continue;
        }
        if (!atomic_compare_exchange_weak(&t->ticket, &ticket, ticket + 1)) continue;
        s->op->run(s, task);
        if (atomic_fetch_add(&t->done, 1) + 1 < s->tasks) continue;
        if (s->op->finish) s->op->finish(s);
        go_on(t, step + 1);
    }
    wa_fp_leave(mode);
}

static washi_status walk_alone(washi_program *p)
{
    for (int i = 0; i < p->step_count; i++) {
        const struct wa_step *s = &p->steps[i];
        washi_status status = s->op->check && !s->checked_first ? s->op->check(s) : WASHI_OK;
        if (status) return status;
        for (int task = 0; task < s->tasks; task++) s->op->run(s, task);
        if (s->op->finish) s->op->finish(s);
    }
    return WASHI_OK;
}

washi_status wa_walk(washi_program *p)
{
    washi *w = p->arena.w;
    if (w->threads == 1 || p->widest == 1 || !wa_team_begin(w)) return walk_alone(p);
    struct team t = {
        .p = p, .mutex = PTHREAD_MUTEX_INITIALIZER, .handed_out = PTHREAD_COND_INITIALIZER};
    go_on(&t, 0);
    if (t.ticket < ticket_of(p->step_count))
        wa_parallel(w, w->threads < p->widest ? w->threads : p->widest, member, &t);
    wa_team_end(w);
    pthread_cond_destroy(&t.handed_out);
    pthread_mutex_destroy(&t.mutex);
    return t.status ? wa_error(t.status, "%s", t.message) : WASHI_OK;
}
