/* spikes.c: see spikes.h. */
#include "coding/spikes.h"
#include "base/threads.h"
#include "kernels/kernels.h"
#include <string.h>

/* A task is STEPS steps of CHUNK elements of one sample: its probabilities fit on the stack. Each
 * chunk has its own key, whose node is the chunk's number. */
#define CHUNK 4096u
#define STEPS 64u

typedef struct job {
    const rheo_encode *call;
    rheo_signal *out;
    const rheo_kernels *kernels;
    rheo_chances *chances;
    uint64_t begin, end;
    uint32_t chunks, spans;
    rheo_encode_sample *sample;
} job;

/* The first step of the window from t0 on, up to t1, that is not before `step` of the presentation.
 */
static uint32_t window_step(const rheo_encode *call, uint64_t step, uint32_t t0, uint32_t t1)
{
    const uint64_t t = step > call->step0 ? step - call->step0 : 0;
    return t < t0 ? t0 : t < t1 ? (uint32_t)t : t1;
}

static void random_task(void *arg, uint32_t task, uint32_t thread)
{
    const job *j = arg;
    const rheo_encode *call = j->call;
    (void)thread;
    uint32_t chunk = task % j->chunks, b = task / j->chunks / j->spans;
    uint32_t t0 = task / j->chunks % j->spans * STEPS, t1 = t0 + STEPS;
    uint32_t first = chunk * CHUNK, n = j->out->N - first < CHUNK ? j->out->N - first : CHUNK;
    float p[CHUNK];
    j->chances(call, b, first, n, p);
    for (uint32_t i = 0; i < n; i++) p[i] = p[i] > 1.0f ? 1.0f : p[i] > 0.0f ? p[i] : 0.0f;
    rheo_key key = rheo__key(call->seed, chunk, RHEO_FOR_ENCODER);
    if (t1 > j->out->T) t1 = j->out->T;
    const uint32_t from = window_step(call, j->begin, t0, t1);
    const uint32_t to = window_step(call, j->end, from, t1);
    uint64_t *row = rheo__bits_row(j->out, t0, b) + first / 64;
    j->kernels->bernoulli_steps(key, call->sample[b], call->show, call->step0 + from, to - from, p,
                                n, row + (from - t0) * j->out->stride_t, j->out->stride_t);
    for (uint32_t t = t0; t < t1; t++)
        if (t < from || t >= to)
            memset(row + (t - t0) * j->out->stride_t, 0, rheo__words(n) * sizeof *row);
}

void rheo__encode_random(const rheo_encode *call, rheo_signal *out, rheo_chances *chances,
                         uint64_t begin, uint64_t end)
{
    job j = {.call = call,
             .out = out,
             .kernels = rheo__kernels(call->ctx),
             .chances = chances,
             .begin = begin,
             .end = end};
    j.chunks = out->N / CHUNK + (out->N % CHUNK != 0);
    j.spans = out->T / STEPS + (out->T % STEPS != 0);
    rheo__parallel(call->ctx, call->B * j.spans * j.chunks, random_task, &j);
}

static void sample_task(void *arg, uint32_t b, uint32_t thread)
{
    const job *j = arg;
    (void)thread;
    for (uint32_t t = 0; t < j->out->T; t++)
        memset(rheo__bits_row(j->out, t, b), 0, rheo__words(j->out->N) * sizeof(uint64_t));
    j->sample(j->call, j->out, b);
}

void rheo__encode_samples(const rheo_encode *call, rheo_signal *out, rheo_encode_sample *sample)
{
    job j = {.call = call, .out = out, .sample = sample};
    rheo__parallel(call->ctx, call->B, sample_task, &j);
}
