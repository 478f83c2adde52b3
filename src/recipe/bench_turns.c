/* bench_turns.c: a task beside another program: what both compute, to be compared (exchange), and
 * runs one by one whenever the other has had its own (turns). */
#include "array/npy.h"
#include "base/clock.h"
#include "recipe/bench.h"
#include <stdio.h>
#include <string.h>

enum { ARRAYS = 64 };

typedef struct exchange {
    rheo_bench_run run;
    rheo_array array[ARRAYS];
    uint32_t count;
} exchange;

static rheo_status take(exchange *x, const char *prefix, const char *name, rheo_dtype dtype,
                        uint32_t dims, const uint64_t *shape, rheo_array **out)
{
    RHEO_CHECK(x->run.ctx, x->count < ARRAYS, RHEO_UNSUPPORTED, "bench: more than %d arrays",
               ARRAYS);
    rheo_array *a = &x->array[x->count];
    *a = (rheo_array){.dtype = dtype, .dims = dims, .count = 1};
    snprintf(a->name, sizeof a->name, "%s%s", prefix, name);
    for (uint32_t d = 0; d < dims; d++) a->count *= a->shape[d] = shape[d];
    RHEO_TRY(rheo__alloc(x->run.ctx, a->count, rheo__dtype_size(dtype), "an exchange", &a->data));
    x->count++;
    *out = a;
    return RHEO_OK;
}

/* ---- signals ---- */

/* Room for a signal over all windows; one that stands still has one row. */
static rheo_status take_signal(exchange *x, const char *prefix, const char *name,
                               const rheo_signal *s)
{
    rheo_array *array = NULL;
    const uint64_t T = s->stride_t == 0 ? 1 : (uint64_t)s->T * x->run.windows;
    return take(x, prefix, name, s->form == RHEO_BITS ? RHEO_U8 : RHEO_F32, 3,
                (uint64_t[3]){T, s->B, s->N}, &array);
}

static void put_signal(exchange *x, uint32_t index, uint32_t window, const rheo_signal *s)
{
    const rheo_array *a = &x->array[index];
    const uint32_t T = s->stride_t == 0 ? 1 : s->T;
    size_t at = s->stride_t == 0 ? 0 : (size_t)window * T * s->B * s->N;
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t b = 0; b < s->B; b++)
            for (uint32_t n = 0; n < s->N; n++, at++) {
                const float v = rheo__signal_get(s, t, b, n);
                if (a->dtype == RHEO_U8)
                    ((uint8_t *)a->data)[at] = v > 0;
                else
                    ((float *)a->data)[at] = v;
            }
}

/* Input first, then the populations in order. */
static rheo_status run_windows(exchange *x)
{
    rheo_bench_run *b = &x->run;
    for (uint32_t w = 0; w < b->windows; w++) {
        RHEO_TRY(b->task->show(b));
        const rheo_plan *plan = b->shown;
        uint32_t index = 0;
        for (uint32_t n = 0; n < plan->net->nodes; n++) {
            const rheo_node_spec *node = &plan->net->node[n];
            const rheo_signal *s = &plan->work[n].out;
            if (n > 0 && node->layer->kind != RHEO_POPULATION) continue;
            if (w == 0)
                RHEO_TRY(take_signal(x, n == 0 ? "" : "s.", n == 0 ? "input" : node->name, s));
            put_signal(x, index++, w, s);
        }
    }
    return RHEO_OK;
}

/* ---- parameters and gradients ---- */

static rheo_status put_matrix(exchange *x, const char *prefix, const rheo_param *p,
                              const float *from)
{
    rheo_array *a = NULL;
    char name[64];
    uint64_t shape[RHEO_DIMS] = {p->rows, p->cols};
    for (uint32_t d = 0; d < p->dims; d++) shape[d] = p->shape[d];
    snprintf(name, sizeof name, "%s.%s", p->node, p->name);
    RHEO_TRY(take(x, prefix, name, RHEO_F32, p->dims ? p->dims : 2, shape, &a));
    memcpy(a->data, from, a->count * sizeof *from);
    return RHEO_OK;
}

static rheo_status put_parameters(exchange *x)
{
    const rheo_plan *plan = x->run.shown;
    for (uint32_t n = 0; n < plan->net->nodes; n++) {
        const rheo_node_spec *node = &plan->net->node[n];
        for (uint32_t i = 0; i < node->params; i++) {
            if (!node->param[i]->trained) continue; /* running means */
            RHEO_TRY(put_matrix(x, "p.", node->param[i], node->param[i]->value));
            const float *g = plan->work[n].grad[i];
            if (g) RHEO_TRY(put_matrix(x, "g.", node->param[i], g));
        }
    }
    return RHEO_OK;
}

static rheo_status put_rest(exchange *x)
{
    rheo_array *a = NULL;
    const rheo_plan *plan = x->run.shown;
    if (plan->request.input) {
        RHEO_TRY(take_signal(x, "g.", "input", &plan->gradient[0]));
        put_signal(x, x->count - 1, 0, &plan->gradient[0]);
    }
    RHEO_TRY(take(x, "", "label", RHEO_I32, 1, (uint64_t[1]){plan->B}, &a));
    for (uint32_t b = 0; b < plan->B; b++) /* a training sample's id is its place */
        ((int32_t *)a->data)[b] = (int32_t)x->run.job.data->label[plan->sample[b]];
    return RHEO_OK;
}

/* ---- a task in a context of its own ---- */

static rheo_status opened(rheo_context *ctx, const char *name, rheo_bench_run *b)
{
    RHEO_TRY(rheo__bench_find(ctx, name, &b->task));
    RHEO_CHECK(ctx, !b->exchange || b->task->show, RHEO_UNSUPPORTED,
               "bench: %s has no other program's twin to exchange arrays with", name);
    RHEO_CHECK(ctx, !b->set || !b->set[0] || b->task->recipe, RHEO_USAGE,
               "bench: %s has no recipe whose keys could be set", name);
    RHEO_TRY(rheo__bench_context(ctx, b->task, &b->ctx));
    return b->task->open(b);
}

static rheo_status closed(rheo_context *ctx, rheo_bench_run *b, rheo_status status)
{
    if (!b->ctx) return status;
    if (status) rheo__fail(ctx, status, "bench %s: %s", b->task->name, rheo_error(b->ctx));
    b->task->close(b);
    rheo_context_free(b->ctx);
    return status;
}

rheo_status rheo_bench_exchange(rheo_context *ctx, const char *task, const char *const *set,
                                const char *file)
{
    exchange *x = NULL;
    RHEO_TRY(rheo__alloc(ctx, 1, sizeof *x, "an exchange", &x));
    rheo_bench_run *b = &x->run;
    b->set = set;
    b->exchange = true;
    rheo_status status = opened(ctx, task, b);
    if (!status) status = run_windows(x);
    if (!status) status = put_parameters(x);
    if (!status) status = put_rest(x);
    if (!status) status = rheo__npz_write(b->ctx, file, x->array, x->count);
    for (uint32_t i = 0; i < x->count; i++) rheo__release(b->ctx, x->array[i].data);
    status = closed(ctx, b, status);
    rheo__release(ctx, x);
    return status;
}

/* ---- turns ---- */

/* The peak is read before the memory's rate is measured, which takes memory of its own. */
static rheo_status take_turns(rheo_context *ctx, rheo_bench_run *b,
                              bool (*wait)(void *, const rheo_bench_turn *), void *user)
{
    rheo_bench_gauge gauge;
    rheo_bench_turn turn = {0};
    double rate = 0;
    for (bool first = true; wait(user, first ? NULL : &turn); first = false) {
        const double began = rheo__now();
        RHEO_TRY(b->task->run(b));
        turn.seconds = (rheo__now() - began) / b->task->parts;
        if (first) turn.memory = rheo__resident_peak() - b->resident;
        if (b->task->rest) RHEO_TRY(b->task->rest(b));
        if (first) {
            rheo__bench_gauge_open(b->ctx, &gauge);
            RHEO_TRY(rheo__bench_memory(ctx, &gauge, b->span, &rate));
        }
        turn.macs = b->macs;
        turn.floor = (b->macs / rheo__bench_peak(&gauge) + b->bytes / rate) / b->task->parts;
    }
    return RHEO_OK;
}

rheo_status rheo_bench_turns(rheo_context *ctx, const char *task, const char *const *set,
                             bool (*wait)(void *user, const rheo_bench_turn *last), void *user)
{
    rheo_bench_run b = {.set = set};
    rheo_status status = opened(ctx, task, &b);
    if (!status) status = take_turns(ctx, &b, wait, user);
    return closed(ctx, &b, status);
}
