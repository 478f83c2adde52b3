/* test_tally.c: testing and labelling: ties, first maxima, confusion and curves against recounting
 * the outputs of each sample by hand; labels by hand on a toy. */
#include "nets.h"
#include "readout/readout.h"

enum { N = 6, CLASSES = 3, SAMPLES = 300 };

typedef struct bed {
    rheo_session session;
    rheo_dataset *data;
    float *x;
    uint32_t label[SAMPLES];
} bed;

static void make(bed *b, rheo_context *ctx, const net_text *net, const char *output, uint32_t steps)
{
    const uint32_t shape[3] = {N, 1, 1};
    *b = (bed){.x = numbers(5, 1, SAMPLES * N)};
    for (uint32_t i = 0; i < SAMPLES; i++) b->label[i] = (uint32_t)(draw_at(6, i) * CLASSES);
    CHECK_OK(ctx, rheo__data_make(ctx, "toy", shape, b->x, b->label, SAMPLES, b->x, b->label,
                                  SAMPLES, &b->data));
    b->session = (rheo_session){.ctx = ctx, .data = b->data, .batch = 16, .seed = 1};
    b->session.code =
        (rheo_code){.encoder = rheo__encoder_find("constant"), .steps = steps, .dt = 1};
    b->session.code.options = rheo__field_defaults(b->session.code.encoder->fields);
    while (strcmp(rheo__readout_names[b->session.code.output], output) != 0)
        b->session.code.output++;
    b->session.net = net_of(ctx, net);
}

static void unmake(bed *b)
{
    rheo__session_clear(&b->session);
    rheo_net_free(b->session.net);
    rheo__data_free(b->data);
    free(b->x);
}

/* The score of output c of a sample after step t, by the read-out's definition. */
static double score(const char *readout, const float *s, const float *v, uint32_t T, uint32_t t,
                    uint32_t c)
{
    double sum = 0;
    for (uint32_t k = 0; k <= t; k++) {
        if (!strcmp(readout, "first") && s[k * CLASSES + c] > 0) return T - k;
        sum += (double)(!strcmp(readout, "membrane") ? v : s)[k * CLASSES + c];
    }
    if (!strcmp(readout, "last")) return (double)v[t * CLASSES + c];
    return strcmp(readout, "first") ? sum : 0;
}

static void recount(rheo_context *ctx, const char *readout, const char *neuron, uint32_t T,
                    uint32_t limit)
{
    bed b;
    const net_text net = {.net = "6-9-3", .neuron = neuron, .in = {{N}}, .seed = 2};
    make(&b, ctx, &net, readout, T);
    for (uint32_t p = 0; p < b.session.net->params; p++) { /* more than the biases decides */
        const rheo_param *param = &b.session.net->param[p];
        for (uint32_t i = 0; i < param->rows * param->cols; i++)
            param->value[i] *= param->rows > 1 ? 4.0f : 0.2f;
    }
    rheo_tally tally;
    rheo_plan *plan = NULL;
    uint64_t correct[64] = {0}, first = 0, confusion[CLASSES * CLASSES] = {0}, ties = 0;
    double operations[64] = {0};
    float *s = room(T * CLASSES, sizeof *s), *v = room(T * CLASSES, sizeof *v);
    rheo_counts sum = {0};
    const rheo_request one = {
        .T = T, .B = 1, .in_form = RHEO_REAL, .in_fixed = true, .readout = true};
    CHECK_OK(ctx, rheo__test(&b.session, RHEO_TEST, limit, "test", &tally));
    CHECK_OK(ctx, rheo__plan_new(b.session.net, &one, &plan));
    const uint32_t samples = limit ? limit : SAMPLES;
    for (uint32_t i = 0; i < samples; i++) {
        rheo__plan_batch(plan, 1, &i, 0);
        feed(plan, b.x + i * N);
        rheo__plan_forward(plan);
        for (uint32_t t = 0; t < T; t++) {
            const uint64_t before = sum.macs + sum.synops;
            for (uint32_t c = 0; c < CLASSES; c++) {
                s[t * CLASSES + c] = rheo__signal_get(rheo__plan_output(plan), t, 0, c);
                v[t * CLASSES + c] = rheo__signal_get(rheo__plan_readout(plan), t, 0, c);
            }
            rheo__plan_count(plan, t, 0, 1, &sum);
            operations[t] += (double)(sum.macs + sum.synops - before);
        }
        for (uint32_t t = 0; t < T; t++) {
            uint32_t best = 0, equal = 0;
            for (uint32_t c = 1; c < CLASSES; c++)
                if (score(readout, s, v, T, t, c) > score(readout, s, v, T, t, best)) best = c;
            for (uint32_t c = 0; c < CLASSES; c++)
                equal +=
                    (uint32_t) !(score(readout, s, v, T, t, c) < score(readout, s, v, T, t, best));
            correct[t] += best == b.label[i] && equal == 1;
            if (t + 1 < T) continue;
            first += best == b.label[i];
            ties += equal > 1;
            confusion[b.label[i] * CLASSES + best]++;
        }
    }
    assert_int_equal(tally.samples, samples);
    assert_int_equal(tally.steps, T);
    assert_int_equal(tally.classes, CLASSES);
    assert_int_equal(tally.shows, samples);
    assert_int_equal(tally.neurons, 12);
    assert_int_equal(tally.correct, correct[T - 1]);
    assert_int_equal(tally.correct_first, first);
    assert_memory_equal(tally.correct_at, correct, T * sizeof *correct);
    assert_memory_equal(tally.confusion, confusion, sizeof confusion);
    assert_memory_equal(&tally.counts, &sum, sizeof sum);
    double reached = 0;
    for (uint32_t t = 0; t < T; t++) {
        reached += operations[t];
        CHECK_NEAR(tally.operations_at[t], reached / samples, 1e-9 * reached);
    }
    if (!strcmp(readout, "rate") && !(ties > 10 && first > correct[T - 1])) /* the rules differ */
        fail_msg("%d ties, %d and %d right", (int)ties, (int)first, (int)correct[T - 1]);
    assert_true(first > samples / 10 && first < samples);
    rheo__tally_free(ctx, &tally);
    rheo_plan_free(plan);
    unmake(&b);
    free(s), free(v);
}

static void test_recount(void **state)
{
    static const char *const readouts[] = {"rate", "membrane", "last", "first"};
    (void)state;
    for (uint32_t threads = 1; threads <= 3; threads += 2) {
        rheo_context *ctx = check_context(threads);
        for (int i = 0; i < 4; i++) {
            recount(ctx, readouts[i], "{model: lif, threshold: 1}", 6, 0);
            recount(ctx, readouts[i], "{model: lif, threshold: 1}", 2, 177);
        }
        rheo_context_free(ctx);
    }
}

/* ---- labels ---- */

/* Four IF neurons that see one pixel each (and two that see none): pixel p is 1 in samples of class
 * wanted[p], at most in two classes with different strengths. */
static void test_labels(void **state)
{
    enum { M = 6, IN = 4, COUNT = 8, T = 10 };
    /* rows: samples; pixel 0 answers class 1; pixel 1 class 2 stronger than 0; pixel 2 equally 0
     * and 1: the first; pixel 3 is bright in the three samples of class 0 and brighter in the one
     * of class 2 */
    static const float x[COUNT][IN] = {
        {0, 0.2f, 0.5f, 0.4f}, {0, 0.2f, 0.5f, 0.4f}, {0, 0.2f, 0.5f, 0.4f}, {0.9f, 0, 0.5f, 0},
        {0.9f, 0, 0.5f, 0},    {0.9f, 0, 0.5f, 0},    {0.9f, 0, 0.5f, 0},    {0.1f, 0.6f, 0, 0.8f}};
    static const uint32_t label[COUNT] = {0, 0, 0, 1, 1, 1, 1, 2}, expected[M] = {1, 2, 0, 2, 3, 3};
    const uint32_t shape[3] = {IN, 1, 1};
    (void)state;
    rheo_context *ctx = check_context(3);
    rheo_dataset *data = NULL;
    CHECK_OK(ctx, rheo__data_make(ctx, "toy", shape, &x[0][0], label, COUNT, &x[0][0], label, COUNT,
                                  &data));
    rheo_session session = {.ctx = ctx, .data = data, .batch = 1, .seed = 1};
    session.code = (rheo_code){.encoder = rheo__encoder_find("constant"), .steps = T, .dt = 1};
    session.code.options = rheo__field_defaults(session.code.encoder->fields);
    while (strcmp(rheo__readout_names[session.code.output], "response") != 0) session.code.output++;
    session.net =
        net_of(ctx, &(net_text){.net = "- dense: {out: 6, bias: false}\n- neuron: {model: if}\n",
                                .in = {{IN}}});
    float *w = rheo_net_parameter(session.net, "1.weight", NULL, NULL);
    for (int i = 0; i < M * IN; i++) w[i] = i / IN == i % IN ? 1.05f : 0;
    rheo_net_touch(session.net);
    CHECK_OK(ctx, rheo__label(&session, 0));
    assert_memory_equal(session.assignment, expected, sizeof expected);
    /* the decision is the mean over a class's neurons: class 1's one neuron, class 2's two, class
     * 0's one */
    rheo_tally tally;
    CHECK_OK(ctx, rheo__test(&session, RHEO_TEST, 0, "test", &tally));
    /* samples 0-2: class 0 by pixel 2 (5 spikes), class 2 by the mean of 2 and 4: 3; 3-6: pixel 0 9
     * to 5; 7: class 2 by the mean of 6 and 8, class 1 has 1 */
    assert_int_equal(tally.correct, 8);
    for (int i = 0; i < 9; i++)
        assert_int_equal(tally.confusion[i], (i == 0) * 3 + (i == 4) * 4 + (i == 8));
    rheo__tally_free(ctx, &tally);
    CHECK_OK(ctx, rheo__label(&session, 3)); /* only class 0 has been seen */
    static const uint32_t few[M] = {3, 0, 0, 0, 3, 3};
    assert_memory_equal(session.assignment, few, sizeof few);
    rheo__session_clear(&session);
    rheo_net_free(session.net);
    session.net = net_of(ctx, &(net_text){.net = "4-3", .neuron = "{model: relu}", .in = {{IN}}});
    CHECK_FAILS(ctx, rheo__label(&session, 0), RHEO_USAGE, "takes an output that spikes");
    rheo__session_clear(&session);
    rheo_net_free(session.net);
    rheo__data_free(data);
    rheo_context_free(ctx);
}

/* A sample that wakes too few spikes is shown again, brighter: with weight 1, x = 0.1 and `raise`
 * 0.5 a show of 10 steps gives floor(10 * 0.1 * (1 + 0.5 k)) spikes, which first reaches 3 at k
 * = 4. */
static void test_shows(void **state)
{
    const uint32_t shape[3] = {1, 1, 1}, label[2] = {0, 1};
    const float x[2] = {0.1001f, 0.9f};
    (void)state;
    rheo_context *ctx = check_context(2);
    rheo_dataset *data = NULL;
    rheo_tally tally;
    CHECK_OK(ctx, rheo__data_make(ctx, "toy", shape, x, label, 2, x, label, 2, &data));
    rheo_session session = {.ctx = ctx, .data = data, .batch = 1, .seed = 1};
    /* constant input knows intensity */
    session.code = (rheo_code){
        .encoder = rheo__encoder_find("constant"), .steps = 10, .dt = 1, .least = 3, .raise = 0.5};
    session.code.options = rheo__field_defaults(session.code.encoder->fields);
    session.net =
        net_of(ctx, &(net_text){.net = "- dense: {out: 2, bias: false}\n- neuron: {model: if}\n",
                                .in = {{1}}});
    float *w = rheo_net_parameter(session.net, "1.weight", NULL, NULL);
    w[0] = 1, w[1] = 0;
    rheo_net_touch(session.net);
    CHECK_OK(ctx, rheo__test(&session, RHEO_TEST, 0, "test", &tally));
    assert_int_equal(tally.shows, 5 + 1);
    rheo__tally_free(ctx, &tally);
    w[0] = 0; /* never wakes: 64 shows are the most */
    rheo_net_touch(session.net);
    CHECK_OK(ctx, rheo__test(&session, RHEO_TEST, 1, "test", &tally));
    assert_int_equal(tally.shows, 64);
    rheo__tally_free(ctx, &tally);
    rheo_net_free(session.net);
    rheo__data_free(data);
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_recount),
                                       cmocka_unit_test(test_labels), cmocka_unit_test(test_shows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
