/* neuron_run.h: a neuron model with options and memory around it, for the tests of neurons. */
#ifndef RHEO_TESTS_NEURON_RUN_H
#define RHEO_TESTS_NEURON_RUN_H
#include "check.h"
#include "neuron/neuron.h"

#define RUN_STEPS 64 /* most steps kept in a run */

typedef struct setting {
    const char *name;
    double value;
} setting; /* ends with name NULL */

typedef struct neuron_run {
    const rheo_neuron *m;
    double kd[RHEO_CONSTANTS];
    float k[RHEO_CONSTANTS];
    _Alignas(64) float state[RHEO_STATES][RHEO_BLOCK];
    _Alignas(64) float in[RHEO_PORTS][RUN_STEPS][RHEO_BLOCK];
    _Alignas(64) float out[RUN_STEPS][RHEO_BLOCK], v[RUN_STEPS][RHEO_BLOCK];
    uint64_t spikes[RUN_STEPS];
} neuron_run;

static inline uint32_t run_states(const rheo_neuron *m)
{
    uint32_t n = 0;
    while (m->states[n].name) n++;
    return n;
}

/* State at rest, input 0. */
static inline void run_open(rheo_context *ctx, const char *model, double dt, const setting *set,
                            neuron_run *r)
{
    memset(r, 0, sizeof *r);
    r->m = rheo__neuron_find(model);
    assert_non_null(r->m);
    rheo_options options = rheo__field_defaults(r->m->fields);
    for (; set && set->name; set++) {
        int i = rheo__field_index(r->m->fields, set->name);
        if (i < 0) fail_msg("%s has no option '%s'", model, set->name);
        options.v[i] = set->value;
    }
    CHECK_OK(ctx, r->m->derive(ctx, &options, dt, r->kd));
    double s[RHEO_STATES] = {0};
    r->m->initial(r->kd, s);
    for (int i = 0; i < RHEO_CONSTANTS; i++) r->k[i] = (float)r->kd[i];
    for (int i = 0; i < RHEO_CONSTANTS; i++) r->kd[i] = (double)r->k[i];
    for (int f = 0; f < RHEO_STATES; f++)
        for (int j = 0; j < RHEO_BLOCK; j++) r->state[f][j] = (float)s[f];
}

static inline rheo_block run_block(neuron_run *r, uint32_t T, uint32_t n)
{
    rheo_block b = {.T = T, .n = n, .k = r->k, .learn = true};
    for (uint32_t p = 0; p < RHEO_PORTS && r->m->ports[p]; p++) {
        b.port[p] = r->in[p][0];
        b.port_t[p] = RHEO_BLOCK;
    }
    for (uint32_t f = 0; f < run_states(r->m); f++) b.state[f] = r->state[f];
    if (r->m->out == RHEO_BITS) {
        b.spikes = r->spikes;
        b.spikes_t = 1;
    } else {
        b.real = r->out[0];
        b.real_t = RHEO_BLOCK;
    }
    b.readout = r->v[0];
    b.readout_t = RHEO_BLOCK;
    return b;
}

/* One window over all that is in r->in. */
static inline void run_window(rheo_context *ctx, neuron_run *r, uint32_t T, uint32_t n)
{
    rheo_block b = run_block(r, T, n);
    rheo__neuron_loops(ctx, r->m->index)->window(&b);
}

/* A number in [0,1) that depends on its place only. */
static inline double run_draw(uint32_t seed, uint32_t i)
{
    uint32_t out[4], counter[4] = {i, seed, 7, 0};
    rheo__philox((rheo_key){{17, 4}}, counter, out);
    return (double)rheo__uniform(out[0]);
}

/* Input that keeps the model busy: for conductances weights as in a net of Diehl & Cook. */
static inline double run_input(const rheo_neuron *m, uint32_t port, double u)
{
    if (strcmp(m->name, "conductance-lif") == 0)
        return port == 0 ? (u > 0.6 ? 16 * u : 0) : (u > 0.95 ? 3 : 0);
    if (strcmp(m->name, "lif-refractory") == 0) return 8 * u - 1;
    if (strcmp(m->name, "plif") == 0 || strcmp(m->name, "klif") == 0) return 3 * u - 0.8;
    return 1.6 * u - 0.4;
}

static inline void run_fill(neuron_run *r, uint32_t seed)
{
    for (uint32_t p = 0; p < RHEO_PORTS && r->m->ports[p]; p++)
        for (uint32_t t = 0; t < RUN_STEPS; t++)
            for (uint32_t j = 0; j < RHEO_BLOCK; j++)
                r->in[p][t][j] = (float)run_input(r->m, p, run_draw(seed + p, t * RHEO_BLOCK + j));
}

static inline rheo_context *run_context(rheo_isa_level isa)
{
    rheo_context *ctx = NULL;
    rheo_context_options options = {.threads = 1, .isa = rheo__isa_names[isa]};
    assert_int_equal(rheo_context_new(&options, &ctx), RHEO_OK);
    return ctx;
}
#endif
