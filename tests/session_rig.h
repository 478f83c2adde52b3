/* session_rig.h: tiny recipes on the built-in digits, opened and trained, for the tests of
 * learning. */
#ifndef RHEO_TESTS_SESSION_RIG_H
#define RHEO_TESTS_SESSION_RIG_H
#include "data_files.h"
#include "nets.h"
#include "recipe/job.h"

#define TINY_HEAD                                                                                  \
    "name: tiny\ntitle: for tests\nfamily: spikes\n"                                               \
    "source: {paper: none, id: none, where: tests}\n"
#define TINY_DATA "data: {name: digits, validation: 40, train: 300, test: 100, batch: 32}\n"

/* LIF with dropout, two kinds of loss */
static const char tiny_bptt[] = TINY_HEAD TINY_DATA
    "code: {input: constant, steps: 5, output: rate}\n"
    "net: in-d0.2-20-out\nneuron: {model: lif, beta: 0.9}\n"
    "learn:\n"
    "  - {method: bptt, loss: membrane-ce, optimiser: adam, rate: 3.0e-2, epochs: 2}\n"
    "  - {method: bptt, loss: rate-ce, optimiser: sgd, rate: 1.0e-2, epochs: 1}\n";
/* binary weights, batch normalisation, clipping */
static const char tiny_binary[] = TINY_HEAD TINY_DATA
    "code: {input: integer, steps: 1, output: rate}\n"
    "net:\n  - dense: {out: 24, bias: false, weights: binary, initialise: glorot}\n  - norm: {}\n"
    "  - neuron: {model: sign}\n  - dense: {out: out, bias: false, weights: binary}\n  - norm: {}\n"
    "  - neuron: {model: identity}\n"
    "learn: {method: bptt, loss: squared-hinge, optimiser: adam, rate: 5.0e-3, clip: 1.0, epochs: "
    "2}\n";
/* rectified units, then spikes */
static const char tiny_convert[] = TINY_HEAD TINY_DATA
    "code: {input: constant, steps: 20, output: rate}\n"
    "net:\n  - dense: {out: 20, bias: false, initialise: he}\n  - neuron: {model: relu}\n"
    "  - dense: {out: out, bias: false, initialise: he}\n  - neuron: {model: identity}\n"
    "learn:\n  - {method: bptt, loss: cross-entropy, optimiser: adam, rate: 5.0e-3, epochs: 2}\n"
    "  - {method: normalise, by: data}\n  - {method: spike, model: if}\n";
static const char tiny_local[] = TINY_HEAD
    "data: {name: digits, validation: 0, train: 60, test: 40, batch: 1}\n"
    "code: {input: poisson, rate: 200, steps: 100, step: 0.5, output: response, least: 2, "
    "raise: 1}\n"
    "net:\n"
    "  - plastic: {name: XE, out: 12, synapse: stdp-traces, delay_high: 4, normalise: 14}\n"
    "  - neuron: {name: E, model: conductance-lif}\n"
    "  - one-to-one: {name: EI, weight: 10.4}\n"
    "  - neuron: {name: I, model: conductance-lif, tau: 10, rest: -60, reset: -45,\n"
    "             threshold: -40, refractory: 2, reversal_inhibit: -85, adaptive: false}\n"
    "  - lateral: {name: IE, weight: 17, to: E, port: inhibit}\n"
    "  - output: E\n"
    "learn: {method: local, epochs: 2}\n";

/* The text with every FROM, of which there is one at least, become TO. One of four texts in turn.
 */
static inline const char *with(const char *text, const char *from, const char *to)
{
    static char made[4][2048];
    static int turn;
    char *out = made[turn = (turn + 1) % 4];
    size_t n = 0;
    assert_non_null(strstr(text, from));
    while (*text) {
        const bool here = !strncmp(text, from, strlen(from));
        n += (size_t)snprintf(out + n, sizeof made[0] - n, "%.*s", here ? 1024 : 1,
                              here ? to : text);
        assert_true(n < sizeof made[0]);
        text += here ? strlen(from) : 1;
    }
    return out;
}

/* Counts batches and raises the flag after `stop` of them (0: never). */
typedef struct hook {
    volatile int flag;
    uint32_t batches, stop;
} hook;

static inline void hook_progress(void *user, const rheo_progress *p)
{
    hook *h = user;
    if (strcmp(p->what, "train") != 0 || p->end) return;
    if (++h->batches == h->stop) h->flag = 1;
}

static inline rheo_context *hook_context(hook *h, uint32_t threads)
{
    rheo_context *ctx = NULL;
    const rheo_context_options options = {
        .threads = threads, .seed = 1, .user = h, .progress = hook_progress, .interrupt = &h->flag};
    assert_int_equal(rheo_context_new(&options, &ctx), RHEO_OK);
    return ctx;
}

static inline rheo_status tiny_recipe(rheo_context *ctx, const char *text, rheo_recipe **out)
{
    rheo_doc *doc = NULL;
    RHEO_TRY(rheo__yaml_parse(ctx, "tiny.yaml", text, strlen(text), &doc));
    return rheo__recipe_resolve(ctx, doc, "tiny.yaml", &(rheo_recipe_options){.seed = 1}, out);
}

/* A job whose recipe it owns. */
static inline rheo_status tiny_job(rheo_context *ctx, const char *text, rheo_job *job)
{
    rheo_recipe *recipe = NULL;
    *job = (rheo_job){0};
    RHEO_TRY(tiny_recipe(ctx, text, &recipe));
    rheo_status status = rheo__job_open(ctx, recipe, job);
    if (status)
        rheo_recipe_free(recipe);
    else
        job->owns_recipe = true;
    return status;
}

static inline rheo_status tiny_learn(rheo_job *job, const char *checkpoint)
{
    rheo_session_request request = rheo__job_request(job);
    request.checkpoint = checkpoint;
    request.recipe_text = "tiny";
    request.every = 1e9;
    return rheo__session_run(&job->session, &request);
}

static inline char *file_bytes(rheo_context *ctx, const char *path, size_t *size)
{
    char *data = NULL;
    CHECK_OK(ctx, rheo__file_read(ctx, path, 1u << 24, &data, size));
    return data;
}

static inline void same_files(rheo_context *ctx, const char *label, const char *a, const char *b)
{
    size_t n = 0, m = 0;
    char *x = file_bytes(ctx, a, &n), *y = file_bytes(ctx, b, &m);
    if (n != m || memcmp(x, y, n) != 0) fail_msg("%s: %s and %s differ", label, a, b);
    rheo__release(ctx, x);
    rheo__release(ctx, y);
}
#endif
