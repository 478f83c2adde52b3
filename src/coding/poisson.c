/* poisson.c: spikes at random, independent in every step (a Bernoulli train, which is Poisson's in
 * steps):
 *     P(s[t] = 1) = min(1, x * rate * intensity * dt / 1000)    [1], rate in Hz, dt in ms
 *
 *     parameter  default   unit  meaning
 *     rate        63.75    Hz    rate of x = 1 at intensity 1
 *     duration     0       ms    silence from here on; 0: spikes to the end of the window
 *
 * With rate = 1000/dt, x is the probability of a spike in a step. Negative x is silent. The default
 * rate is that of Diehl & Cook 2015 (a pixel of 255 at their intensity 2; they show 350 ms of 500).
 * A spike depends on (seed, sample, show, step, element) alone: streaming, batches and threads
 * change nothing. Leaves out: a refractory time of the input. */
#include "coding/coding.h"
#include "base/threads.h"
#include "kernels/kernels.h"
#include <string.h>

enum { RATE, DURATION };
static const rheo_field fields[] = {
    RHEO_NUMBER_FIELD("rate", "Hz", 63.75, 0, 1e6, "rate of an input of 1"),
    RHEO_NUMBER_FIELD("duration", "ms", 0, 0, 1e9,
                      "silence after this time; 0: spikes to the end of the window"),
    RHEO_FIELD_END,
};

/* A task is STEPS steps of CHUNK elements of one sample: its probabilities fit on the stack. Each
 * chunk has its own key, whose node is the chunk's number. */
#define CHUNK 4096u
#define STEPS 64u

typedef struct job {
    const rheo_encode *call;
    rheo_signal *out;
    const rheo_kernels *kernels;
    float factor;
    uint64_t end; /* first silent step */
    uint32_t chunks, spans;
} job;

static void work(void *arg, uint32_t task, uint32_t thread)
{
    const job *j = arg;
    const rheo_encode *call = j->call;
    (void)thread;
    uint32_t chunk = task % j->chunks, b = task / j->chunks / j->spans;
    uint32_t t0 = task / j->chunks % j->spans * STEPS, t1 = t0 + STEPS;
    uint32_t first = chunk * CHUNK, n = call->N - first < CHUNK ? call->N - first : CHUNK;
    const float *x = call->x + (size_t)b * rheo__pitch(call->N) + first;
    float p[CHUNK];
    for (uint32_t i = 0; i < n; i++) {
        float v = j->factor * x[i];
        p[i] = v > 1.0f ? 1.0f : v > 0.0f ? v : 0.0f;
    }
    rheo_key key = rheo__key(call->seed, chunk, RHEO_FOR_ENCODER);
    if (t1 > j->out->T) t1 = j->out->T;
    uint64_t until = j->end > call->step0 ? j->end - call->step0 : 0; /* silent from here on */
    uint32_t loud = until < t0 ? t0 : until < t1 ? (uint32_t)until : t1;
    uint64_t *row = rheo__bits_row(j->out, t0, b) + first / 64;
    j->kernels->bernoulli_steps(key, call->sample[b], call->show, call->step0 + t0, loud - t0, p, n,
                                row, j->out->stride_t);
    for (uint32_t t = loud; t < t1; t++)
        memset(row + (t - t0) * j->out->stride_t, 0, rheo__words(n) * sizeof *row);
}

static void encode(const rheo_encode *call, rheo_signal *out)
{
    const double *v = call->options->v;
    job j = {.call = call, .out = out, .kernels = rheo__kernels(call->ctx), .end = UINT64_MAX};
    j.factor = (float)(v[RATE] * call->intensity * call->dt / 1000);
    if (v[DURATION] > 0) j.end = (uint64_t)(v[DURATION] / call->dt + 0.5);
    j.chunks = call->N / CHUNK + (call->N % CHUNK != 0);
    j.spans = out->T / STEPS + (out->T % STEPS != 0);
    rheo__parallel(call->ctx, call->B * j.spans * j.chunks, work, &j);
}

const rheo_encoder rheo__encoder_poisson = {
    .name = "poisson",
    .title = "Poisson spikes at a rate proportional to the input",
    .equations = "P(s[t] = 1) = min(1, x * rate * intensity * dt / 1000)",
    .source = "Diehl & Cook 2015, Front. Comput. Neurosci. 9:99, section 2.4",
    .form = RHEO_BITS,
    .fixed = false,
    .fields = fields,
    .encode = encode,
};
