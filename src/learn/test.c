/* test.c: what a net is worth: accuracy against time, exact counts, confusion; and the labels of an
 * unsupervised net's neurons. Every sum is of integers, or one thread's own, so threads change
 * nothing. */
#include "base/clock.h"
#include "learn/learn.h"
#include "readout/readout.h"
#include <string.h>
#include <time.h>

/* One thread's sums. */
typedef struct sums {
    uint64_t *correct_at, *confusion;
    uint64_t *operations_at;
    uint64_t correct, correct_first, samples, shows;
    rheo_counts counts;
    double *score, *class_score;
} sums;

typedef struct tester {
    const rheo_session *session;
    uint32_t steps, classes, outputs;
    sums *sum;
} tester;

static void count_step(sums *sum, const rheo_visit *visit, uint32_t t)
{
    rheo_counts counts = {0};
    rheo__plan_count(visit->plan, t, 0, visit->B, &counts);
    sum->operations_at[t] += counts.macs + counts.synops;
    uint64_t *total = (uint64_t *)&sum->counts, *add = (uint64_t *)&counts;
    for (size_t i = 0; i < sizeof counts / sizeof *add; i++) total[i] += add[i];
}

/* What is decided at a sample's end stands from there on. */
static void judge(const tester *test, sums *sum, const rheo_visit *visit, uint32_t b)
{
    const rheo_decide ask = {.readout = test->session->code.output,
                             .group = test->session->code.group,
                             .out = rheo__plan_output(visit->plan),
                             .v = rheo__plan_readout(visit->plan),
                             .classes = test->classes,
                             .assignment = test->session->assignment,
                             .score = sum->score,
                             .class_score = sum->class_score};
    const uint32_t label = visit->label[b], steps = rheo__plan_steps(visit->plan, b);
    uint32_t decision = 0;
    bool tie = false;
    for (uint32_t t = 0; t < test->steps; t++) {
        if (t < steps) decision = rheo__decide(&ask, t, b, &tie);
        sum->correct_at[t] += decision == label && !tie;
    }
    sum->correct += decision == label && !tie;
    sum->correct_first += decision == label;
    sum->confusion[(size_t)label * test->classes + decision]++;
}

static void visit_test(void *arg, const rheo_visit *visit)
{
    const tester *test = arg;
    sums *sum = &test->sum[visit->thread];
    for (uint32_t t = 0; t < test->steps; t++) count_step(sum, visit, t);
    for (uint32_t b = 0; b < visit->B; b++) judge(test, sum, visit, b);
    sum->samples += visit->B;
    sum->shows += (uint64_t)visit->B * visit->shows;
}

static void free_sums(rheo_context *ctx, tester *test)
{
    for (uint32_t i = 0; test->sum && i < rheo_threads(ctx); i++) {
        sums *sum = &test->sum[i];
        rheo__release(ctx, sum->correct_at);
        rheo__release(ctx, sum->operations_at);
        rheo__release(ctx, sum->confusion);
        rheo__release(ctx, sum->score);
        rheo__release(ctx, sum->class_score);
    }
    rheo__release(ctx, test->sum);
}

static rheo_status make_sums(rheo_context *ctx, tester *test)
{
    RHEO_TRY(rheo__alloc(ctx, rheo_threads(ctx), sizeof *test->sum, "a test", &test->sum));
    size_t square = (size_t)test->classes * test->classes;
    for (uint32_t i = 0; i < rheo_threads(ctx); i++) {
        sums *sum = &test->sum[i];
        RHEO_TRY(rheo__alloc(ctx, test->steps, 8, "a test", &sum->correct_at));
        RHEO_TRY(rheo__alloc(ctx, test->steps, 8, "a test", &sum->operations_at));
        RHEO_TRY(rheo__alloc(ctx, square, 8, "a test", &sum->confusion));
        RHEO_TRY(rheo__alloc(ctx, test->outputs, 8, "a test", &sum->score));
        RHEO_TRY(rheo__alloc(ctx, test->classes, 8, "a test", &sum->class_score));
    }
    return RHEO_OK;
}

void rheo__tally_free(rheo_context *ctx, rheo_tally *tally)
{
    rheo__release(ctx, tally->correct_at);
    rheo__release(ctx, tally->operations_at);
    rheo__release(ctx, tally->confusion);
    *tally = (rheo_tally){0};
}

static rheo_status make_tally(rheo_context *ctx, const tester *test, rheo_tally *tally)
{
    *tally = (rheo_tally){.steps = test->steps, .classes = test->classes};
    rheo_status status = rheo__alloc(ctx, test->steps, 8, "a tally", &tally->correct_at);
    if (!status) status = rheo__alloc(ctx, test->steps, 8, "a tally", &tally->operations_at);
    size_t square = (size_t)test->classes * test->classes;
    if (!status) status = rheo__alloc(ctx, square, 8, "a tally", &tally->confusion);
    if (status) rheo__tally_free(ctx, tally);
    return status;
}

static void add_up(const rheo_context *ctx, const tester *test, rheo_tally *tally)
{
    size_t square = (size_t)test->classes * test->classes;
    for (uint32_t i = 0; i < rheo_threads(ctx); i++) {
        const sums *sum = &test->sum[i];
        tally->samples += (uint32_t)sum->samples;
        tally->shows += sum->shows;
        tally->correct += sum->correct;
        tally->correct_first += sum->correct_first;
        const uint64_t *add = (const uint64_t *)&sum->counts;
        uint64_t *total = (uint64_t *)&tally->counts;
        for (size_t c = 0; c < sizeof sum->counts / sizeof *add; c++) total[c] += add[c];
        for (uint32_t t = 0; t < test->steps; t++) {
            tally->correct_at[t] += sum->correct_at[t];
            tally->operations_at[t] += (double)sum->operations_at[t];
        }
        for (size_t c = 0; c < square; c++) tally->confusion[c] += sum->confusion[c];
    }
    double samples = tally->samples ? (double)tally->samples : 1, total = 0;
    for (uint32_t t = 0; t < test->steps; t++) {
        total += tally->operations_at[t];
        tally->operations_at[t] = total / samples;
    }
}

rheo_status rheo__test(rheo_session *session, rheo_split split, uint32_t limit, const char *what,
                       rheo_tally *out)
{
    rheo_context *ctx = session->ctx;
    tester test = {.session = session,
                   .steps = rheo__sweep_steps(session),
                   .classes = session->data->classes,
                   .outputs = rheo_net_outputs(session->net)};
    RHEO_CHECK(
        ctx,
        session->assignment || strcmp(rheo__readout_names[session->code.output], "response") != 0,
        RHEO_USAGE, "the read-out `response` needs labelled neurons, and none has been labelled");
    double began = rheo__now();
    rheo__lap_drop(session->profile);
    rheo_status status = make_tally(ctx, &test, out);
    if (status) return status;
    status = make_sums(ctx, &test);
    if (!status) {
        rheo_sweep sweep = {.split = split,
                            .limit = limit,
                            .what = what,
                            .readout = rheo__readout_uses_membrane(session->code.output),
                            .visit = visit_test,
                            .arg = &test};
        status = rheo__sweep(session, &sweep);
    }
    if (!status) add_up(ctx, &test, out);
    free_sums(ctx, &test);
    for (uint32_t n = 0; n < session->net->nodes; n++) {
        const rheo_node_spec *node = &session->net->node[n];
        if (rheo__fires(node) && !(node->neuron && node->neuron->lo < 0)) /* not signs */
            out->neurons += rheo__shape_size(node->out);
    }
    out->seconds = rheo__now() - began;
    const rheo_rest rest = split == RHEO_TEST ? RHEO_REST_TEST : RHEO_REST_VALIDATION;
    rheo__lap_rest(session->profile, rest, 1, 0);
    if (session->profile)
        session->profile->rest[rest].macs += (double)out->counts.macs + (double)out->counts.synops;
    if (status) rheo__tally_free(ctx, out);
    return status;
}

/* ---- labels: the class that a neuron answers most ---- */

typedef struct labeller {
    uint32_t outputs, classes;
    uint64_t *response; /* [threads][outputs, classes] */
    uint64_t *samples;  /* [threads][classes] */
} labeller;

static void visit_label(void *arg, const rheo_visit *visit)
{
    const labeller *l = arg;
    const rheo_signal *out = rheo__plan_output(visit->plan);
    uint64_t *response = l->response + (size_t)visit->thread * l->outputs * l->classes;
    for (uint32_t b = 0; b < visit->B; b++) {
        uint32_t label = visit->label[b];
        l->samples[(size_t)visit->thread * l->classes + label]++;
        for (uint32_t t = 0; t < out->T; t++) {
            const uint64_t *row = rheo__bits_row(out, t, b);
            for (uint32_t w = 0; w < rheo__words(l->outputs); w++)
                for (uint64_t word = row[w]; word; word &= word - 1) {
                    uint32_t n = w * 64 + (uint32_t)__builtin_ctzll(word);
                    response[(size_t)n * l->classes + label]++;
                }
        }
    }
}

/* Ties and silence: a neuron with no spike stays without a class; of equal means the first. */
static void assign(const labeller *l, uint32_t threads, uint32_t *assignment)
{
    for (uint32_t n = 0; n < l->outputs; n++) {
        double best = 0;
        assignment[n] = l->classes;
        for (uint32_t c = 0; c < l->classes; c++) {
            uint64_t spikes = 0, samples = 0;
            for (uint32_t i = 0; i < threads; i++) {
                spikes += l->response[((size_t)i * l->outputs + n) * l->classes + c];
                samples += l->samples[(size_t)i * l->classes + c];
            }
            double mean = samples ? (double)spikes / (double)samples : 0;
            if (mean <= best) continue;
            best = mean;
            assignment[n] = c;
        }
    }
}

rheo_status rheo__label(rheo_session *session, uint32_t limit)
{
    rheo_context *ctx = session->ctx;
    labeller l = {.outputs = rheo_net_outputs(session->net), .classes = session->data->classes};
    RHEO_CHECK(ctx, rheo__fires(&session->net->node[session->net->output]), RHEO_USAGE,
               "the read-out `response` takes an output that spikes, but '%s' gives real values",
               session->net->node[session->net->output].name);
    uint32_t threads = rheo_threads(ctx);
    size_t count = (size_t)threads * l.outputs * l.classes;
    rheo_status status = rheo__alloc(ctx, count, 8, "the labels", &l.response);
    if (!status)
        status = rheo__alloc(ctx, (size_t)threads * l.classes, 8, "the labels", &l.samples);
    if (!status && !session->assignment)
        status = rheo__alloc(ctx, l.outputs, sizeof(uint32_t), "the labels", &session->assignment);
    if (!status) {
        rheo_sweep sweep = {
            .split = RHEO_TRAIN, .limit = limit, .what = "label", .visit = visit_label, .arg = &l};
        status = rheo__sweep(session, &sweep);
    }
    if (!status) assign(&l, threads, session->assignment);
    rheo__release(ctx, l.response);
    rheo__release(ctx, l.samples);
    return status;
}
