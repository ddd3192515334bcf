/* pool.c: a context's threads, which take tasks from a call and are waited for only while they have
 * one.
 *
 * A call is a turn: a number that grows, published with how many tasks there are. To take task i is to
 * raise claim[i] to the turn, so that whoever comes late finds nothing, whatever the turn has become by
 * then; a thread without a task holds nothing of the caller's. Each thread begins with its own share of
 * the tasks, so that what it does again and again stays in its cache, and then takes what others have
 * not begun. There are no more threads than cores: the others' shares go to those that are there. */
#include "core/core.h"

#include <pthread.h>

enum { MOST_TASKS = 64, SPINS = 4000, TASK_BITS = 8 };

struct claim {
    _Alignas(64) _Atomic uint64_t turn;
};

struct wa_pool {
    _Alignas(64) _Atomic uint64_t turn; /* its number << TASK_BITS | its tasks */
    _Alignas(64) atomic_int left;       /* tasks of the turn that are not done */
    struct claim claim[MOST_TASKS];
    washi *w;
    void (*task)(void *arg, int index);
    void *arg;
    pthread_mutex_t mutex;
    pthread_cond_t called, done;
    atomic_int sleepers;
    atomic_bool waits, stops;
    int workers, started; /* beside the caller */
    size_t bytes;
    struct worker {
        pthread_t thread;
        struct wa_pool *pool;
        int index;
    } worker[];
};

/* Does what tasks of the turn this thread can get, its own share first. */
static void take_tasks(struct wa_pool *pool, uint64_t turn, int index)
{
    int tasks = (int)(turn & ((1u << TASK_BITS) - 1)), first = index * tasks / (pool->workers + 1);
    for (int i = 0; i < tasks; i++) {
        int task = first + i < tasks ? first + i : first + i - tasks;
        uint64_t before = atomic_load(&pool->claim[task].turn);
        if (before >= turn || !atomic_compare_exchange_strong(&pool->claim[task].turn, &before, turn))
            continue;
        pool->task(pool->arg, task);
        if (atomic_fetch_sub(&pool->left, 1) > 1 || !atomic_load(&pool->waits)) continue;
        pthread_mutex_lock(&pool->mutex);
        pthread_cond_signal(&pool->done);
        pthread_mutex_unlock(&pool->mutex);
    }
}

/* Returns when the turn is another one, or the pool stops; sleeps when that takes long. */
static void wait_for_turn(struct wa_pool *pool, uint64_t turn)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&pool->turn) != turn) return;
        wa_pause();
    }
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleepers, 1);
    while (atomic_load(&pool->turn) == turn && !atomic_load(&pool->stops))
        pthread_cond_wait(&pool->called, &pool->mutex);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->mutex);
}

static void *work(void *arg)
{
    const struct worker *worker = arg;
    struct wa_pool *pool = worker->pool;
    uint64_t turn = 0;
    while (!atomic_load(&pool->stops)) {
        wait_for_turn(pool, turn);
        turn = atomic_load(&pool->turn);
        take_tasks(pool, turn, worker->index);
    }
    return NULL;
}

void wa_pool_run(struct wa_pool *pool, int tasks, void (*task)(void *arg, int index), void *arg)
{
    pool->task = task;
    pool->arg = arg;
    atomic_store(&pool->left, tasks);
    uint64_t turn = ((atomic_load(&pool->turn) >> TASK_BITS) + 1) << TASK_BITS | (uint64_t)tasks;
    atomic_store(&pool->turn, turn);
    if (atomic_load(&pool->sleepers)) {
        pthread_mutex_lock(&pool->mutex);
        pthread_cond_broadcast(&pool->called);
        pthread_mutex_unlock(&pool->mutex);
    }
    take_tasks(pool, turn, 0);
    for (int i = 0; i < SPINS && atomic_load(&pool->left); i++) wa_pause();
    if (!atomic_load(&pool->left)) return;
    pthread_mutex_lock(&pool->mutex);
    atomic_store(&pool->waits, true);
    while (atomic_load(&pool->left)) pthread_cond_wait(&pool->done, &pool->mutex);
    atomic_store(&pool->waits, false);
    pthread_mutex_unlock(&pool->mutex);
}

void wa_pool_close(struct wa_pool *pool)
{
    if (!pool) return;
    pthread_mutex_lock(&pool->mutex);
    atomic_store(&pool->stops, true);
    pthread_cond_broadcast(&pool->called);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->started; i++) pthread_join(pool->worker[i].thread, NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->called);
    pthread_mutex_destroy(&pool->mutex);
    wa_free_aligned(pool->w, pool, pool->bytes);
}

struct wa_pool *wa_pool_open(washi *w, int workers)
{
    size_t bytes = sizeof(struct wa_pool) + (size_t)workers * sizeof(struct worker);
    struct wa_pool *pool = wa_new_aligned(w, bytes);
    if (!pool) return NULL;
    *pool = (struct wa_pool){.w = w,
                             .bytes = bytes,
                             .mutex = PTHREAD_MUTEX_INITIALIZER,
                             .called = PTHREAD_COND_INITIALIZER,
                             .done = PTHREAD_COND_INITIALIZER};
    pool->workers = workers;
    for (; pool->started < workers; pool->started++) {
        struct worker *worker = &pool->worker[pool->started];
        *worker = (struct worker){.pool = pool, .index = pool->started + 1};
        if (!pthread_create(&worker->thread, NULL, work, worker)) continue;
        wa_pool_close(pool);
        wa_error(WASHI_NO_MEMORY, "open: no pool of %d threads", workers + 1);
        return NULL;
    }
    return pool;
}
