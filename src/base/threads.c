/* threads.c: the pool.
 *
 * The caller publishes a job and raises `round`; every worker takes part in every round, and leaves
 * by lowering `active`. Each thread has a lot of neighbouring tasks, the same in every job of as
 * many tasks: what it wrote is in its own cache, and no line is written by two. Who has done his
 * own draws from the others' lots. The caller works too, as thread 0, then waits for active = 0, so
 * a job's fields are never read after the next one is written. Threads start with the first job
 * that can use them, and again in a forked child, where only the forking thread lives on. If the
 * system refuses a thread, fewer do the same work. */
#include "base/threads.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

/* Polls before a thread sleeps: some 0.2 ms, as long as the serial stretches of training last, and
 * a few times what waking a thread takes. */
enum { SPINS = 10000 };

typedef struct worker {
    _Alignas(64) atomic_uint_fast64_t next; /* of its lot; wider than tasks: drawn once too often */
    uint64_t end;
    struct rheo_pool *pool;
    pthread_t handle;
    uint32_t thread; /* 0: the caller */
} worker;

struct rheo_pool {
    pthread_mutex_t mutex;
    pthread_cond_t start, done;
    pid_t pid; /* whose threads these are; 0: none yet */
    uint32_t started, spins;
    rheo_task_fn *fn;
    void *arg;
    bool stop;
    atomic_uint round, active;
    worker workers[]; /* [threads], the caller first */
};

static void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* This thread is at work on a task: a parallel call inside it runs in place. */
static _Thread_local bool inside;

static void draw_tasks(struct rheo_pool *pool, uint32_t thread)
{
    const uint32_t lots = pool->started + 1;
    inside = true;
    for (uint32_t i = 0; i < lots; i++) {
        worker *lot = &pool->workers[(thread + i) % lots];
        for (;;) {
            const uint64_t task = atomic_fetch_add_explicit(&lot->next, 1, memory_order_relaxed);
            if (task >= lot->end) break;
            pool->fn(pool->arg, (uint32_t)task, thread);
        }
    }
    inside = false;
}

static unsigned wait_for_round(struct rheo_pool *pool, unsigned seen)
{
    unsigned round;
    for (uint32_t i = 0; i < pool->spins; i++) {
        round = atomic_load_explicit(&pool->round, memory_order_acquire);
        if (round != seen) return round;
        pause_briefly();
    }
    pthread_mutex_lock(&pool->mutex);
    while ((round = atomic_load(&pool->round)) == seen)
        pthread_cond_wait(&pool->start, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
    return round;
}

static void *work(void *arg)
{
    worker *self = arg;
    struct rheo_pool *pool = self->pool;
    unsigned seen = 0;
    for (;;) {
        seen = wait_for_round(pool, seen);
        if (pool->stop) return NULL;
        draw_tasks(pool, self->thread);
        if (atomic_fetch_sub(&pool->active, 1) == 1) {
            pthread_mutex_lock(&pool->mutex);
            pthread_cond_signal(&pool->done);
            pthread_mutex_unlock(&pool->mutex);
        }
    }
}

/* Signals stay with the caller's threads: a handler never runs in the pool. */
static void start(rheo_context *ctx, pid_t pid)
{
    struct rheo_pool *pool = ctx->pool;
    sigset_t all, before;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->start, NULL);
    pthread_cond_init(&pool->done, NULL);
    atomic_store(&pool->round, 0);
    pool->pid = pid;
    pool->stop = false;
    pool->started = 0;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    pool->spins = (long)ctx->options.threads <= online ? SPINS : 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (uint32_t i = 1; i < ctx->options.threads; i++) {
        worker *self = &pool->workers[i];
        self->pool = pool;
        self->thread = i;
        if (pthread_create(&self->handle, NULL, work, self) != 0) break;
        pool->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void raise_round(struct rheo_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->round, 1);
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->mutex);
}

static void wait_for_workers(struct rheo_pool *pool)
{
    for (uint32_t i = 0; i < pool->spins; i++) {
        if (atomic_load_explicit(&pool->active, memory_order_acquire) == 0) return;
        pause_briefly();
    }
    pthread_mutex_lock(&pool->mutex);
    while (atomic_load(&pool->active) != 0) pthread_cond_wait(&pool->done, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
}

void rheo__parallel(rheo_context *ctx, uint32_t tasks, rheo_task_fn *fn, void *arg)
{
    if (tasks <= 1 || ctx->options.threads == 1 || inside) {
        for (uint32_t task = 0; task < tasks; task++) fn(arg, task, 0);
        return;
    }
    struct rheo_pool *pool = ctx->pool;
    pid_t pid = getpid();
    if (pool->pid != pid) start(ctx, pid);
    pool->fn = fn;
    pool->arg = arg;
    for (uint64_t i = 0, lots = pool->started + 1; i < lots; i++) {
        atomic_store_explicit(&pool->workers[i].next, i * tasks / lots, memory_order_relaxed);
        pool->workers[i].end = (i + 1) * tasks / lots;
    }
    atomic_store(&pool->active, pool->started);
    raise_round(pool);
    draw_tasks(pool, 0);
    wait_for_workers(pool);
}

rheo_status rheo__pool_new(rheo_context *ctx)
{
    size_t size = sizeof(struct rheo_pool) + ctx->options.threads * sizeof(worker);
    return rheo__alloc(ctx, size, 1, "the thread pool", &ctx->pool);
}

void rheo__pool_free(rheo_context *ctx)
{
    struct rheo_pool *pool = ctx->pool;
    if (!pool) return;
    if (pool->pid == getpid()) {
        pool->stop = true;
        raise_round(pool);
        for (uint32_t i = 0; i < pool->started; i++)
            pthread_join(pool->workers[i + 1].handle, NULL);
        pthread_cond_destroy(&pool->done);
        pthread_cond_destroy(&pool->start);
        pthread_mutex_destroy(&pool->mutex);
    }
    rheo__release(ctx, pool);
    ctx->pool = NULL;
}
