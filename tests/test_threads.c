/* test_threads.c: the pool. Every task once, one owner of a thread's index at a time, equal
 * results for any number of threads, a life after fork, no allocation, contexts side by side. */
#include "check.h"
#include "base/threads.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TASKS = 1000, THREADS_MOST = 8 };

typedef struct job {
    double out[TASKS];
    atomic_int times[TASKS], busy[THREADS_MOST], wrong;
    uint32_t threads;
} job;

/* A sum whose order matters, owned by one task. */
static void add_up(void *arg, uint32_t task, uint32_t thread)
{
    job *j = arg;
    if (thread >= j->threads || atomic_fetch_add(&j->busy[thread], 1) != 0) j->wrong = 1;
    double sum = 0;
    for (uint32_t i = 1; i < 50 + task % 97; i++) sum += sin(task * 0.1 + i) / i;
    j->out[task] = sum;
    atomic_fetch_add(&j->times[task], 1);
    atomic_fetch_sub(&j->busy[thread], 1);
}

static void run_job(rheo_context *ctx, job *j, uint32_t tasks)
{
    memset(j, 0, sizeof *j);
    j->threads = rheo_threads(ctx);
    rheo__parallel(ctx, tasks, add_up, j);
    assert_int_equal(j->wrong, 0);
    for (uint32_t i = 0; i < TASKS; i++) assert_int_equal(j->times[i], i < tasks);
}

static void test_same_results(void **state)
{
    (void)state;
    static job one, many;
    static const uint32_t threads[] = {1, 2, 3, 8}, sizes[] = {0, 1, 2, 7, 8, 9, TASKS};
    for (int t = 0; t < 4; t++) {
        rheo_context *ctx = check_context(threads[t]);
        rheo_memory before = rheo_memory_used(ctx);
        assert_int_equal(rheo_threads(ctx), threads[t]);
        for (int s = 0; s < 7; s++) run_job(ctx, &many, sizes[s]);
        if (t == 0) one = many;
        assert_memory_equal(one.out, many.out, sizeof one.out);
        assert_int_equal(rheo_memory_used(ctx).calls, before.calls);
        rheo_context_free(ctx);
    }
}

static void count(void *arg, uint32_t task, uint32_t thread)
{
    (void)thread;
    atomic_fetch_add((atomic_uint *)arg, task + 1);
}

/* Many short rounds: a worker that is late for one must not be lost for the next. */
static void test_many_rounds(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(3);
    atomic_uint sum = 0;
    for (uint32_t i = 0; i < 5000; i++) {
        rheo__parallel(ctx, 4, count, &sum);
        if (i % 1000 == 0) usleep(2000); /* now the workers sleep */
    }
    assert_int_equal(sum, 5000 * 10);
    rheo_context_free(ctx);
}

/* Two tasks that wait for each other end only if two threads work at once. */
static void meet(void *arg, uint32_t task, uint32_t thread)
{
    atomic_uint *there = arg;
    (void)task, (void)thread;
    atomic_fetch_add(there, 1);
    while (atomic_load(there) < 2) sched_yield();
}

static void test_really_parallel(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    atomic_uint there = 0;
    rheo__parallel(ctx, 2, meet, &there);
    assert_int_equal(there, 2);
    rheo_context_free(ctx);
}

typedef struct late {
    atomic_uint there, done;
} late;

static void come_late(void *arg, uint32_t task, uint32_t thread)
{
    late *l = arg;
    meet(&l->there, task, thread);
    if (thread != 0) usleep(50000);
    atomic_fetch_add(&l->done, 1);
}

/* The call returns when the last task is done, not when the last one is dealt. */
static void test_waits(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    for (int i = 0; i < 3; i++) {
        late l = {0};
        rheo__parallel(ctx, 2, come_late, &l);
        assert_int_equal(l.done, 2);
    }
    rheo_context_free(ctx);
}

typedef struct nest {
    rheo_context *ctx;
    atomic_uint sum;
} nest;

static void inner(void *arg, uint32_t task, uint32_t thread)
{
    nest *n = arg;
    rheo__parallel(n->ctx, 3, count, &n->sum);
    (void)task, (void)thread;
}

static void test_nested(void **state)
{
    (void)state;
    nest n = {.ctx = check_context(3)};
    rheo__parallel(n.ctx, 20, inner, &n);
    assert_int_equal(n.sum, 20 * 6);
    atomic_uint there = 0; /* and the pool is whole afterwards */
    rheo__parallel(n.ctx, 2, meet, &there);
    rheo_context_free(n.ctx);
}

static int in_child(rheo_context *ctx, const job *expected)
{
    static job j;
    alarm(20); /* a pool that waits for threads of the parent would hang */
    j.threads = rheo_threads(ctx);
    rheo__parallel(ctx, TASKS, add_up, &j);
    int same = memcmp(j.out, expected->out, sizeof j.out) == 0 && !j.wrong;
    atomic_uint there = 0;
    rheo__parallel(ctx, 2, meet, &there);
    rheo_context_free(ctx);
    return same ? 0 : 1;
}

static void test_fork(void **state)
{
    (void)state;
    static job j;
    for (int used = 0; used < 2; used++) { /* before and after the parent has threads */
        rheo_context *ctx = check_context(3);
        static job plain;
        rheo_context *alone = check_context(1);
        run_job(alone, &plain, TASKS);
        rheo_context_free(alone);
        if (used) run_job(ctx, &j, TASKS);
        for (int i = 0; i < 5; i++) {
            int status;
            pid_t child = fork();
            if (child == 0) _exit(in_child(ctx, &plain));
            assert_true(child > 0);
            assert_int_equal(waitpid(child, &status, 0), child);
            assert_int_equal(status, 0);
        }
        run_job(ctx, &j, TASKS);
        rheo_context_free(ctx);
    }
}

static void *own_context(void *arg)
{
    rheo_context *ctx = check_context(2);
    atomic_uint sum = 0;
    for (int i = 0; i < 1000; i++) rheo__parallel(ctx, 4, count, &sum);
    rheo_context_free(ctx);
    *(unsigned *)arg = sum;
    return NULL;
}

static void test_two_contexts(void **state)
{
    (void)state;
    pthread_t threads[2];
    unsigned sums[2] = {0};
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, own_context, &sums[i]), 0);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    assert_int_equal(sums[0], 10000);
    assert_int_equal(sums[1], 10000);
}

static void see_mask(void *arg, uint32_t task, uint32_t thread)
{
    sigset_t set;
    (void)task;
    if (thread == 0) {
        while (atomic_load((atomic_uint *)arg) == 0) sched_yield();
        return;
    }
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    atomic_store((atomic_uint *)arg, sigismember(&set, SIGINT) ? 1 : 2);
}

/* Ctrl-C must reach the caller's thread, whose handler sets the interrupt flag. */
static void test_signals_stay_out(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    atomic_uint seen = 0;
    rheo__parallel(ctx, 2, see_mask, &seen);
    assert_int_equal(seen, 1);
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_results),    cmocka_unit_test(test_many_rounds),
        cmocka_unit_test(test_really_parallel), cmocka_unit_test(test_waits),
        cmocka_unit_test(test_nested),          cmocka_unit_test(test_fork),
        cmocka_unit_test(test_two_contexts),    cmocka_unit_test(test_signals_stay_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
