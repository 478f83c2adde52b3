/* models_run.h: long runs of a neuron model under constant input, for the tests of models: each of
 * 16 lanes has its own input; the window is run in pieces. */
#ifndef RHEO_TESTS_MODELS_RUN_H
#define RHEO_TESTS_MODELS_RUN_H
#include "check.h"
#include "neuron/neuron.h"

#define LANES 16

typedef struct setting {
    const char *name;
    double value;
    const char *choice; /* by name, for options that are choices */
} setting;              /* ends with name NULL */

typedef struct model_run {
    const rheo_neuron *m;
    double dt, kd[RHEO_CONSTANTS];
    float k[RHEO_CONSTANTS];
    _Alignas(64) float state[RHEO_STATES][RHEO_BLOCK];
    _Alignas(64) float in[RHEO_PORTS][RHEO_BLOCK]; /* constant over a window */
    float *v;                                      /* [T][LANES], the last window's */
    float *out;
    uint64_t *spikes;    /* [T] */
    float *rows, *draws; /* input of each step, random numbers: [T][LANES], or NULL */
    uint32_t room;       /* steps */
} model_run;

static inline int model_state(const rheo_neuron *m, const char *name)
{
    for (int i = 0; m->states[i].name; i++)
        if (!strcmp(m->states[i].name, name)) return i;
    fail_msg("%s has no state '%s'", m->name, name);
    return 0;
}

static inline void model_close(model_run *r)
{
    free(r->v);
    free(r->out);
    free(r->spikes);
    free(r->rows);
    free(r->draws);
    memset(r, 0, sizeof *r);
}

/* At rest, input 0, with room for windows of T steps. */
static inline void model_open(rheo_context *ctx, const char *model, double dt, const setting *set,
                              uint32_t T, model_run *r)
{
    memset(r, 0, sizeof *r);
    r->m = rheo__neuron_find(model);
    if (!r->m) fail_msg("no model %s", model);
    rheo_options options = rheo__field_defaults(r->m->fields);
    for (; set && set->name; set++) {
        int i = rheo__field_index(r->m->fields, set->name);
        if (i < 0) fail_msg("%s has no option '%s'", model, set->name);
        options.v[i] = set->value;
        for (int c = 0; set->choice && r->m->fields[i].choices[c]; c++)
            if (!strcmp(r->m->fields[i].choices[c], set->choice)) options.v[i] = c;
    }
    CHECK_OK(ctx, r->m->derive(ctx, &options, dt, r->kd));
    double s[RHEO_STATES] = {0};
    r->m->initial(r->kd, s);
    for (int i = 0; i < RHEO_CONSTANTS; i++) r->k[i] = (float)r->kd[i];
    for (int f = 0; f < RHEO_STATES; f++)
        for (int j = 0; j < RHEO_BLOCK; j++) r->state[f][j] = (float)s[f];
    r->dt = dt;
    r->room = T;
    r->v = aligned_alloc(64, (size_t)T * LANES * sizeof(float));
    r->out = aligned_alloc(64, (size_t)T * LANES * sizeof(float));
    r->spikes = calloc(T, sizeof *r->spikes);
    assert_non_null(r->v);
    assert_non_null(r->out);
    assert_non_null(r->spikes);
}

static inline void model_window(rheo_context *ctx, model_run *r, uint32_t T)
{
    assert_true(T <= r->room);
    rheo_block b = {.T = T, .n = LANES, .k = r->k, .learn = true, .room = RHEO_BLOCK};
    for (uint32_t p = 0; p < RHEO_PORTS && r->m->ports[p]; p++) b.port[p] = r->in[p];
    if (r->rows) {
        b.port[0] = r->rows;
        b.port_t[0] = LANES;
    }
    b.port[RHEO_DRAW] = r->draws;
    b.port_t[RHEO_DRAW] = r->draws ? LANES : 0;
    for (uint32_t f = 0; r->m->states[f].name; f++) b.state[f] = r->state[f];
    if (r->m->out == RHEO_BITS) {
        b.spikes = r->spikes;
        b.spikes_t = 1;
    } else {
        b.real = r->out;
        b.real_t = LANES;
    }
    b.readout = r->v;
    b.readout_t = LANES;
    rheo__neuron_loops(ctx, r->m->index)->window(&b);
}

static inline void model_input(model_run *r, double value)
{
    for (int j = 0; j < LANES; j++) r->in[0][j] = (float)value;
}

/* Spike times [ms] of a lane in the last window of T steps, from `from` on; at most `most`. */
static inline uint32_t model_times(const model_run *r, uint32_t T, int lane, double from,
                                   double *times, uint32_t most)
{
    uint32_t count = 0;
    for (uint32_t t = 0; t < T && count < most; t++)
        if (r->spikes[t] >> lane & 1 && t * r->dt >= from) times[count++] = (t + 1) * r->dt;
    return count;
}

/* The mean period over all whole periods after the first `skip` spikes. */
static inline double model_period(const model_run *r, uint32_t T, int lane, uint32_t skip)
{
    uint32_t count = 0, first = 0, last = 0;
    for (uint32_t t = 0; t < T; t++)
        if (r->spikes[t] >> lane & 1 && count++ >= skip) {
            if (count == skip + 1) first = t;
            last = t;
        }
    if (count < skip + 2) return INFINITY;
    return (last - first) * r->dt / (count - skip - 1);
}

static inline float *model_rows(uint32_t T)
{
    float *rows = aligned_alloc(64, (size_t)T * LANES * sizeof(float));
    assert_non_null(rows);
    memset(rows, 0, (size_t)T * LANES * sizeof(float));
    return rows;
}

/* splitmix64: uniform in (0,1) */
static inline double model_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return ((double)((z ^ z >> 31) >> 11) + 0.5) / 9007199254740992.0;
}
#endif
