/* threads.h: a small pool of pthreads that belongs to a context. Work is cut in `tasks` that own
 * their outputs, so the number of threads changes no bit. A forked child drops the inherited pool
 * and makes its own. */
#ifndef RHEO_SRC_THREADS_H
#define RHEO_SRC_THREADS_H
#include "base/context.h"

typedef void rheo_task_fn(void *arg, uint32_t task, uint32_t thread);

/* Calls fn(arg, task, thread) once for each task 0 … tasks-1; returns when all are done. thread is
 * < rheo_threads(ctx) and unique among concurrent calls: an index of scratch memory. Tasks are
 * dealt dynamically. A call from inside a task runs in place, as thread 0, so
 * whole plans can be run side by side, each with its own scratch. Never allocates. */
void rheo__parallel(rheo_context *ctx, uint32_t tasks, rheo_task_fn *fn, void *arg);
rheo_status rheo__pool_new(rheo_context *ctx);
void rheo__pool_free(rheo_context *ctx);
#endif
