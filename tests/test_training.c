/* test_training.c: what training by gradients does beside the gradient: accumulation, clipping, the
 * course of the rate, early stopping, a number of batches; where it stops when numbers are not
 * finite. All of it to the same bits with any number of threads and through interruptions. */
#include "session_rig.h"

/* 300 - 40 samples in batches of 32: 9 a epoch, the last of 4 */
#define NET                                                                                        \
    TINY_HEAD TINY_DATA "code: {input: poisson, steps: 4, output: rate}\n"                         \
                        "net: in-d0.2-20-out\nneuron: {model: lif, beta: 0.9}\n"
#define LEARN(text) NET "learn: {method: bptt, loss: membrane-ce, " text "}\n"

static const struct {
    const char *name, *text;
    uint32_t batches, lines;
} cases[] = {
    {"accumulate",
     LEARN("optimiser: adamax, rate: 0.01, epochs: 2, accumulate: 4, clip_value: 0.01, "
           "schedule: cosine, warm_up: 3"),
     18, 2},
    {"plateau",
     LEARN("optimiser: adamw, rate: 0.01, epochs: 4, schedule: plateau, watch: validation, "
           "patience: 0, better: 0.5"),
     36, 4},
    {"restore",
     LEARN("optimiser: rmaxprop, rate: 0.003, epochs: 6, stop_after: 2, stop_least: 8, "
           "restore: true, schedule: step, period: 1, factor: 0.7, each: epoch"),
     0, 0}, /* filled in by the test: less than 6 epochs */
    {"iterations", LEARN("optimiser: rprop, rate: 0.001, iterations: 14, accumulate: 5"), 14, 2},
    {"nesterov",
     LEARN("optimiser: sgd, momentum: 0.9, nesterov: true, rate: 0.01, epochs: 2, clip: 0.5, "
           "schedule: multi-step, first: 4, each: step"),
     18, 2},
    {"quickprop", LEARN("optimiser: quickprop, rate: 0.001, epochs: 1"), 9, 1},
};
#define CASES (sizeof cases / sizeof cases[0])

typedef struct outcome {
    double loss[8], rate[8], validation[8];
    uint32_t lines;
} outcome;

static rheo_status train(const char *text, uint32_t threads, uint32_t stop, const char *checkpoint,
                         const char *model, outcome *out, uint32_t *batches)
{
    hook h = {.stop = stop};
    rheo_context *ctx = hook_context(&h, threads);
    rheo_job job;
    CHECK_OK(ctx, tiny_job(ctx, text, &job));
    rheo_status status = tiny_learn(&job, checkpoint);
    if (status != RHEO_OK && status != RHEO_INTERRUPTED) fail_msg("%s", rheo_error(ctx));
    if (!status) CHECK_OK(ctx, rheo__job_save(&job, model, "tiny"));
    if (out) {
        *out = (outcome){.lines = job.session.lines};
        for (uint32_t i = 0; i < out->lines && i < 8; i++) {
            out->loss[i] = job.session.line[i].loss;
            out->rate[i] = job.session.line[i].learning_rate;
            out->validation[i] = job.session.line[i].validation_accuracy;
        }
    }
    if (batches) *batches = h.batches;
    rheo__job_close(&job);
    rheo_context_free(ctx);
    return status;
}

static void test_same_bits(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < CASES; i++) {
        const char *text = cases[i].text;
        outcome whole, other;
        uint32_t all = 0, done, rest;
        assert_int_equal(train(text, 1, 0, NULL, in_folder("whole.rheo"), &whole, &all), RHEO_OK);
        if (cases[i].lines) {
            assert_int_equal(all, cases[i].batches);
            assert_int_equal(whole.lines, cases[i].lines);
        } else
            assert_in_range(whole.lines, 3, 5);
        train(text, 4, 0, NULL, in_folder("other.rheo"), &other, NULL);
        same_files(ctx, cases[i].name, in_folder("whole.rheo"), in_folder("other.rheo"));
        assert_memory_equal(&whole, &other, sizeof whole);
        for (uint32_t stop = 1; stop <= all; stop += stop % 9 == 8 ? 1 : 3) {
            unlink(in_folder("at.rheo"));
            assert_int_equal(train(text, 2, stop, in_folder("at.rheo"), "", NULL, &done),
                             RHEO_INTERRUPTED);
            train(text, 3, 0, in_folder("at.rheo"), in_folder("other.rheo"), &other, &rest);
            assert_int_equal(done + rest, all);
            same_files(ctx, cases[i].name, in_folder("whole.rheo"), in_folder("other.rheo"));
            assert_memory_equal(&whole, &other, sizeof whole);
        }
        /* from the last checkpoint nothing is left to do, also when training stopped early */
        train(text, 1, 0, in_folder("at.rheo"), in_folder("other.rheo"), &other, &rest);
        assert_int_equal(rest, 0);
        same_files(ctx, cases[i].name, in_folder("whole.rheo"), in_folder("other.rheo"));
    }
    rheo_context_free(ctx);
}

static void open_and_learn(rheo_context *ctx, const char *text, rheo_job *job)
{
    CHECK_OK(ctx, tiny_job(ctx, text, job));
    CHECK_OK(ctx, tiny_learn(job, NULL));
}

/* Eight batches of 4 and one of 32 are the same but for the order of sums: spikes, dropout and
 * encoder included, and a batch that is left over. */
static void test_accumulate(void **state)
{
    const char *large = LEARN("optimiser: sgd, momentum: 0.5, rate: 0.1, epochs: 1");
    (void)state;
    for (uint32_t wrong = 0; wrong < 2; wrong++) {
        rheo_context *ctx = check_context(2);
        rheo_job a, b;
        const char *small = with(with(large, "batch: 32", "batch: 4"), "epochs: 1",
                                 wrong ? "epochs: 1, accumulate: 7" : "epochs: 1, accumulate: 8");
        open_and_learn(ctx, large, &a);
        open_and_learn(ctx, small, &b);
        double most = 0;
        for (uint32_t p = 0; p < a.net->params; p++)
            for (size_t i = 0; i < (size_t)a.net->param[p].rows * a.net->param[p].cols; i++) {
                const double x = (double)a.net->param[p].value[i];
                most = fmax(most, fabs(x - (double)b.net->param[p].value[i]));
            }
        /* random numbers go on with each step, not with each batch */
        assert_int_equal(a.session.show, 9);
        assert_int_equal(b.session.show, wrong ? 10 : 9);
        /* 9 steps; gradients below 1, each some thousand roundings off at most */
        if (wrong ? !(most > 1e-3) : !(most < 2e-6)) fail_msg("wrong %u: off by %g", wrong, most);
        rheo__job_close(&a);
        rheo__job_close(&b);
        rheo_context_free(ctx);
    }
}

/* Without a step: what target_rate has made of the first weights. */
static void test_target_rate(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    rheo_job job;
    const char *text = with(LEARN("optimiser: sgd, rate: 0, iterations: 1, target_rate: 0.1"),
                            "in-d0.2-20-out", "in-30-d0.1-40-out");
    open_and_learn(ctx, with(with(text, "steps: 4", "steps: 20"), "poisson", "constant"), &job);
    for (uint32_t layer = 0; layer < 2; layer++)
        CHECK_NEAR(job.session.line[0].rate[layer], 0.1, 0.005); /* spikes of 32 samples */
    rheo__job_close(&job);
    rheo_context_free(ctx);
}

/* Truncation to the window is none; gradients of less are others. Low memory changes no bit, and
 * takes less. */
static void test_window(void **state)
{
    static const struct {
        const char *more;
        bool same;
    } windows[] = {{", truncate: 100", true},
                   {", truncate: 150", true},
                   {", memory: low", true},
                   {", truncate: 5", false}};
    const char *base = with(
        with(LEARN("optimiser: sgd, rate: 0.05, iterations: 5 MORE"), "steps: 4", "steps: 100"),
        "batch: 32", "batch: 16");
    (void)state;
    char plain[2048], other[2048];
    rheo_context *ctx = check_context(1);
    snprintf(plain, sizeof plain, "%s", with(base, " MORE", ""));
    train(plain, 1, 0, NULL, in_folder("plain.rheo"), NULL, NULL);
    for (size_t i = 0; i < 4; i++) {
        size_t n, m;
        snprintf(other, sizeof other, "%s",
                 with(with(plain, "5}", "5 MORE}"), " MORE", windows[i].more));
        train(other, 2, 0, NULL, in_folder("window.rheo"), NULL, NULL);
        char *a = file_bytes(ctx, in_folder("plain.rheo"), &n);
        char *b = file_bytes(ctx, in_folder("window.rheo"), &m);
        assert_int_equal(n == m && !memcmp(a, b, n), windows[i].same);
        rheo__release(ctx, a), rheo__release(ctx, b);
    }
    size_t bytes[2] = {0, 0};
    for (int low = 0; low < 2; low++) {
        rheo_job job;
        CHECK_OK(ctx, tiny_job(ctx, low ? with(plain, "5}", "5, memory: low}") : plain, &job));
        job.session.now = &job.recipe->phase[0];
        CHECK_OK(ctx, job.session.now->learner->begin(&job.session, true, &bytes[low]));
        rheo__job_close(&job);
    }
    assert_true(bytes[1] < bytes[0]);
    rheo_context_free(ctx);
}

/* One step of plain descent: what the weights moved is rate times the clipped gradient. */
static void moved(const char *clip, double *norm, double *largest)
{
    char text[2048];
    rheo_context *ctx = check_context(1);
    rheo_job job;
    rheo_net *before = NULL;
    snprintf(text, sizeof text, "%s",
             with(LEARN("optimiser: sgd, rate: 1.0, iterations: 1 CLIP"), " CLIP", clip));
    CHECK_OK(ctx, tiny_job(ctx, text, &job));
    CHECK_OK(ctx, rheo__net_clone(job.net, &before));
    CHECK_OK(ctx, tiny_learn(&job, NULL));
    double sum = 0;
    *largest = 0;
    for (uint32_t p = 0; p < job.net->params; p++)
        for (size_t i = 0; i < (size_t)job.net->param[p].rows * job.net->param[p].cols; i++) {
            const double by =
                (double)job.net->param[p].value[i] - (double)before->param[p].value[i];
            sum += by * by;
            *largest = fmax(*largest, fabs(by));
        }
    *norm = sqrt(sum);
    rheo_net_free(before);
    rheo__job_close(&job);
    rheo_context_free(ctx);
}

static void test_clip(void **state)
{
    double norm, largest, n, l;
    char text[64];
    (void)state;
    moved("", &norm, &largest);
    assert_true(norm > 0.01 && largest > 0.001);
    /* weights of about 0.1 are rounded to 1e-8 */
    snprintf(text, sizeof text, ", clip: %.9g", norm / 2);
    moved(text, &n, &l);
    CHECK_NEAR(n, norm / 2, 1e-6);
    CHECK_NEAR(l, largest / 2, 1e-7);
    snprintf(text, sizeof text, ", clip: %.9g", norm * 2);
    moved(text, &n, &l);
    CHECK_NEAR(n, norm, 1e-12);
    snprintf(text, sizeof text, ", clip_value: %.9g", largest / 2);
    moved(text, &n, &l);
    CHECK_NEAR(l, largest / 2, 1e-7);
    assert_true(n < norm && n > norm / 2);
    snprintf(text, sizeof text, ", clip_value: %.9g, clip: %.9g", largest / 2, n / 2);
    moved(text, &norm, &largest);
    CHECK_NEAR(norm, n / 2, 1e-6);
    CHECK_NEAR(largest, l / 2, 1e-7);
}

/* Rates of the last steps of epochs; 9 batches are 3 steps of 4, 4 and 1. */
static void test_rates(void **state)
{
    static const struct {
        const char *text;
        double rate[4];
    } rates[] = {
        {LEARN("epochs: 4, rate: 2.0, optimiser: rmsprop, schedule: step, period: 2, factor: 0.5"),
         {2, 2, 1, 1}},
        {LEARN("epochs: 4, rate: 2.0, optimiser: rmsprop, schedule: constant, each: epoch, "
               "warm_up: 2, warm_from: 0.5"),
         {1, 1.5, 2, 2}},
        {LEARN("epochs: 4, rate: 2.0, optimiser: rmsprop, schedule: exponential, period: 1, "
               "last: 0.5, accumulate: 4"),
         {0.5, 0.0625, 0.0078125, 0.0009765625}}, /* after 2, 5, 8, 11 steps */
        {LEARN("epochs: 4, rate: 2.0, optimiser: rmsprop, schedule: linear, last: 0, "
               "accumulate: 4, warm_up: 4, warm_from: 0"),
         {1, 1.75, 1, 0.25}}, /* 2/4; then 1 - (k - 4)/(12 - 4) */
        {LEARN("epochs: 4, rate: 2.0, optimiser: rmsprop, schedule: linear, last: 0, each: epoch"),
         {2, 1.5, 1, 0.5}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        outcome out;
        train(rates[i].text, 1, 0, NULL, in_folder("rates.rheo"), &out, NULL);
        assert_int_equal(out.lines, 4);
        for (uint32_t e = 0; e < 4; e++) CHECK_NEAR(out.rate[e], rates[i].rate[e], 1e-12);
    }
}

/* Without a rate nothing gets better: the first epoch is the best, and stays. */
static void test_stop(void **state)
{
    outcome out;
    uint32_t batches;
    (void)state;
    train(LEARN("optimiser: sgd, rate: 0, epochs: 9, stop_after: 3"), 1, 0, NULL,
          in_folder("stop.rheo"), &out, &batches);
    assert_int_equal(out.lines, 4);
    assert_int_equal(batches, 36);
    /* a rate that spoils the net: the end is the best epoch's net, not the last one's */
    rheo_context *ctx = check_context(2);
    rheo_job job;
    rheo_tally tally;
    open_and_learn(
        ctx,
        LEARN(
            "optimiser: adam, rate: 5.0, epochs: 4, restore: true, warm_up: 18, warm_from: 0.002"),
        &job);
    double best = 0;
    for (uint32_t i = 0; i < 4; i++) best = fmax(best, job.session.line[i].validation_accuracy);
    assert_true(best > job.session.line[3].validation_accuracy); /* or this tests nothing */
    bool said = false; /* which epoch's net it is: the first of the best */
    for (uint32_t i = 0; i < 4; i++) {
        const rheo_metrics *line = &job.session.line[i];
        const bool it = !said && !(line->validation_accuracy < best);
        assert_int_equal(line->kept > 0, it);
        said = said || it;
    }
    CHECK_OK(ctx, rheo__test(&job.session, RHEO_VALIDATION, 0, "validate", &tally));
    CHECK_NEAR(100.0 * (double)tally.correct / tally.samples, best, 1e-9);
    rheo__tally_free(ctx, &tally);
    rheo__job_close(&job);
    rheo_context_free(ctx);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"stop_after: 2", "stop_after"},
        {"restore: true", "restore"},
        {"schedule: plateau, watch: validation", "watch: validation"},
        {"nesterov: true", "momentum"},
        {"warmup: 3", "did you mean 'warm_up'"},
        {"schedule: cosin", "did you mean 'cosine'"},
        {"patience: 3", "patience"}, /* the plateau's, with another schedule */
        {"accumulate: 0", "accumulate"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        rheo_context *ctx = check_context(1);
        rheo_job job;
        const char *text = with(with(LEARN("optimiser: sgd, HERE"), "HERE", wrong[i].text),
                                "validation: 40", "validation: 0");
        rheo_status status = tiny_job(ctx, text, &job);
        if (!status) status = tiny_learn(&job, NULL);
        assert_int_equal(status, RHEO_USAGE);
        if (!strstr(rheo_error(ctx), wrong[i].message)) fail_msg("%s", rheo_error(ctx));
        rheo__job_close(&job);
        rheo_context_free(ctx);
    }
}

/* ---- numbers that are not finite ---- */

/* The message has all the texts, and one line. */
static void says(const rheo_context *ctx, const char *const *texts)
{
    for (; *texts; texts++)
        if (!strstr(rheo_error(ctx), *texts)) fail_msg("'%s' lacks '%s'", rheo_error(ctx), *texts);
    assert_null(strchr(rheo_error(ctx), '\n'));
}

static void test_diverges(void **state)
{
    static const struct {
        const char *text;
        const char *says[4];
    } wrong[] = {
        /* one step is enough to leave the range of floats */
        {LEARN("optimiser: sgd, rate: 1.0e+38, epochs: 2, schedule: constant"),
         {"2.weight", "epoch 1", "rate 1e+38"}},
        /* large but finite weights: the next products overflow */
        {TINY_HEAD TINY_DATA "code: {input: constant, steps: 1, output: rate}\n"
                             "net: in-20-20-out\nneuron: {model: relu}\n"
                             "learn: {method: bptt, loss: cross-entropy, optimiser: sgd, "
                             "rate: 1.0e+30, epochs: 2}\n",
         {"epoch 1 after 32 samples", "node '", "sample "}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        rheo_context *ctx = check_context(2);
        rheo_job job;
        CHECK_OK(ctx, tiny_job(ctx, wrong[i].text, &job));
        assert_int_equal(tiny_learn(&job, NULL), RHEO_NUMERIC);
        says(ctx, wrong[i].says);
        rheo__job_close(&job);
        rheo_context_free(ctx);
    }
}

/* The last good checkpoint is kept, and is good. */
static void test_keeps_checkpoint(void **state)
{
    (void)state;
    const char *at = in_folder("good.rheo");
    const char *good = LEARN("optimiser: sgd, rate: 0.1, epochs: 2, schedule: constant");
    /* in the second epoch the rate is out of all range */
    const char *bad = LEARN("optimiser: sgd, rate: 1.0e+38, epochs: 2, schedule: constant, "
                            "each: epoch, warm_up: 1, warm_from: 1.0e-39");
    rheo_context *ctx = check_context(1);
    rheo_job job;
    unlink(at);
    CHECK_OK(ctx, tiny_job(ctx, bad, &job));
    assert_int_equal(tiny_learn(&job, at), RHEO_NUMERIC);
    says(ctx, (const char *[]){"epoch 2", NULL});
    assert_int_equal(job.session.lines, 1);
    rheo__job_close(&job);
    outcome whole, rest;
    train(good, 1, 0, at, in_folder("a.rheo"), &rest, NULL);
    train(good, 1, 0, NULL, in_folder("b.rheo"), &whole, NULL);
    assert_int_equal(rest.lines, 2);
    /* rate 1e38 times 1e-39 in the first epoch was 0.1: the same training, up to its rounding */
    CHECK_NEAR(rest.loss[1], whole.loss[1], 1e-3);
    rheo_context_free(ctx);
}

/* Spiking nets would hide it: comparisons with NaN are false. */
static void test_data(void **state)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    static const char *const words[] = {"is nan", "is inf", "is -inf"};
    static float x[64 * 60];
    static uint32_t label[60];
    (void)state;
    for (size_t i = 0; i < 64 * 60; i++) x[i] = (float)(i % 7) / 7;
    for (uint32_t i = 0; i < 60; i++) label[i] = i % 10;
    for (size_t k = 0; k < 3; k++) {
        rheo_context *ctx = check_context(1);
        rheo_recipe *recipe = NULL;
        rheo_dataset *data = NULL;
        rheo_job job;
        const char *text = with(LEARN("optimiser: adam, rate: 0.01"), "poisson", "constant");
        CHECK_OK(ctx, tiny_recipe(ctx, text, &recipe));
        CHECK_OK(ctx, rheo__data_make(ctx, "mine", (const uint32_t[]){1, 8, 8}, x, label, 60, x,
                                      label, 10, &data));
        ((float *)(uintptr_t)data->values)[64 * 17 + 5] = bad[k];
        CHECK_OK(ctx, rheo__job_open_on(ctx, recipe, data, &job));
        assert_int_equal(tiny_learn(&job, NULL), RHEO_NUMERIC);
        says(ctx, (const char *[]){"mine", "input 5 of training sample 17", words[k], NULL});
        rheo__job_close(&job);
        rheo_recipe_free(recipe);
        rheo_context_free(ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits),   cmocka_unit_test(test_accumulate),
        cmocka_unit_test(test_target_rate), cmocka_unit_test(test_window),
        cmocka_unit_test(test_clip),        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_stop),        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_diverges),    cmocka_unit_test(test_keeps_checkpoint),
        cmocka_unit_test(test_data),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
