/* test_session.c: training: the same bits whatever the threads, through interruptions and
 * checkpoints; what a checkpoint refuses; memory that is what was said; and memory that ends. */
#include "faults.h"
#include "session_rig.h"

static const struct {
    const char *name, *text;
    uint32_t batches; /* of the whole training: epochs of 260 samples in batches of 32, or of 60 */
} tiny[] = {{"bptt", tiny_bptt, 27},
            {"binary", tiny_binary, 18},
            {"convert", tiny_convert, 18},
            {"local", tiny_local, 120}};
#define TINY (sizeof tiny / sizeof tiny[0])

/* What lasts of a training beside its model. */
typedef struct history {
    double loss[8], accuracy[8], validation[8], operations[8], gradient[8];
    uint32_t lines;
} history;

static void keep_history(const rheo_session *session, history *out)
{
    memset(out, 0, sizeof *out);
    out->lines = session->lines;
    assert_true(session->lines <= 8);
    for (uint32_t i = 0; i < session->lines; i++) {
        out->loss[i] = session->line[i].loss;
        out->accuracy[i] = session->line[i].train_accuracy;
        out->validation[i] = session->line[i].validation_accuracy;
        out->operations[i] = session->line[i].operations;
        out->gradient[i] = session->line[i].gradient;
    }
}

/* Trains (or goes on) in a context of its own; the model to `model` when it gets to the end. */
static rheo_status train(const char *text, uint32_t threads, uint32_t stop, const char *checkpoint,
                         const char *model, history *past, uint32_t *batches)
{
    hook h = {.stop = stop};
    rheo_context *ctx = hook_context(&h, threads);
    rheo_job job;
    CHECK_OK(ctx, tiny_job(ctx, text, &job));
    rheo_status status = tiny_learn(&job, checkpoint);
    if (!status) {
        CHECK_OK(ctx, rheo__job_save(&job, model, "tiny"));
        if (past) keep_history(&job.session, past);
    } else if (status != RHEO_INTERRUPTED)
        fail_msg("%s", rheo_error(ctx));
    if (batches) *batches = h.batches;
    rheo__job_close(&job);
    rheo_context_free(ctx);
    return status;
}

static void test_threads(void **state)
{
    static const uint32_t counts[] = {2, 3, 8};
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < TINY; i++) {
        history first, other;
        uint32_t batches;
        assert_int_equal(train(tiny[i].text, 1, 0, NULL, in_folder("one.rheo"), &first, &batches),
                         RHEO_OK);
        assert_int_equal(batches, tiny[i].batches);
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(
                train(tiny[i].text, counts[k], 0, NULL, in_folder("many.rheo"), &other, NULL),
                RHEO_OK);
            same_files(ctx, tiny[i].name, in_folder("one.rheo"), in_folder("many.rheo"));
            assert_memory_equal(&first, &other, sizeof first);
        }
    }
    rheo_context_free(ctx);
}

/* Weights move, and loss falls: equal bits are no proof of learning. */
static void test_learns(void **state)
{
    (void)state;
    for (size_t i = 0; i < TINY; i++) {
        rheo_context *ctx = check_context(2);
        rheo_job job;
        rheo_net *before = NULL;
        CHECK_OK(ctx, tiny_job(ctx, tiny[i].text, &job));
        CHECK_OK(ctx, rheo__net_clone(job.net, &before));
        CHECK_OK(ctx, tiny_learn(&job, NULL));
        assert_memory_not_equal(before->param[0].value, job.net->param[0].value,
                                64 * sizeof(float));
        const rheo_session *s = &job.session;
        if (strcmp(tiny[i].name, "local") != 0) {
            assert_true(s->line[1].loss < s->line[0].loss);
            if (!(s->line[1].train_accuracy > 15))
                fail_msg("%s: %g", tiny[i].name, s->line[1].train_accuracy); /* chance is 10 */
        }
        rheo_net_free(before);
        rheo__job_close(&job);
        rheo_context_free(ctx);
    }
}

/* Adam's first step moves every weight that has a gradient by the rate, whatever the gradient: m
 * and v are g and g^2 after their corrections for step 1. */
static void test_first_step(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    rheo_job job;
    rheo_net *before = NULL;
    const char *text = with(tiny_binary, "train: 300", "train: 32");
    text = with(with(text, "validation: 40", "validation: 0"), "epochs: 2", "epochs: 1");
    CHECK_OK(ctx, tiny_job(ctx, text, &job));
    CHECK_OK(ctx, rheo__net_clone(job.net, &before));
    CHECK_OK(ctx, tiny_learn(&job, NULL));
    const float *a = before->param[0].value, *b = job.net->param[0].value;
    uint32_t moved = 0;
    for (uint32_t i = 0; i < 24 * 64; i++) {
        const double by = fabs((double)b[i] - (double)a[i]);
        moved += by > 4.9e-3;
        assert_true(by < 5.001e-3);
    }
    assert_true(moved > 24 * 32);
    rheo_net_free(before);
    rheo__job_close(&job);
    rheo_context_free(ctx);
}

/* Interrupted after some batches, gone on with other threads, interrupted again: the same file. */
static void test_resume(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < TINY; i++) {
        const uint32_t last = tiny[i].batches, stops[] = {1, 5, last / 2, last - 1, last};
        history whole, parts;
        assert_int_equal(train(tiny[i].text, 2, 0, NULL, in_folder("whole.rheo"), &whole, NULL),
                         RHEO_OK);
        for (size_t k = 0; k < 5; k++) {
            uint32_t done, rest, more = 0;
            unlink(in_folder("at.rheo"));
            assert_int_equal(
                train(tiny[i].text, 2, stops[k], in_folder("at.rheo"), "", NULL, &done),
                RHEO_INTERRUPTED);
            assert_int_equal(done, stops[k]);
            assert_true(rheo__file_exists(in_folder("at.rheo")));
            if (stops[k] == 5) { /* once more, after the end of an epoch */
                assert_int_equal(
                    train(tiny[i].text, 3, last / 2, in_folder("at.rheo"), "", NULL, &more),
                    RHEO_INTERRUPTED);
                assert_int_equal(more, last / 2);
            }
            assert_int_equal(train(tiny[i].text, 1, 0, in_folder("at.rheo"),
                                   in_folder("parts.rheo"), &parts, &rest),
                             RHEO_OK);
            assert_int_equal(done + more + rest, last);
            same_files(ctx, tiny[i].name, in_folder("whole.rheo"), in_folder("parts.rheo"));
            assert_memory_equal(&whole, &parts, sizeof whole);
        }
        /* from the last checkpoint nothing is left to do */
        assert_int_equal(
            train(tiny[i].text, 1, 0, in_folder("at.rheo"), in_folder("again.rheo"), &parts, NULL),
            RHEO_OK);
        same_files(ctx, tiny[i].name, in_folder("whole.rheo"), in_folder("again.rheo"));
    }
    rheo_context_free(ctx);
}

/* What a process is told of its speed, and of the time since the epoch began; stops after a batch. */
typedef struct speeds {
    rheo_progress first, last; /* of the epochs' batches */
    uint32_t stop, reports;
    volatile int flag;
} speeds;

static void keep_speed(void *user, const rheo_progress *p)
{
    speeds *s = user;
    if (strcmp(p->what, "train") != 0 || p->end) return;
    if (s->reports++ == 0) s->first = *p;
    s->last = *p;
    if (s->reports == s->stop) s->flag = 1;
}

static void train_speeds(speeds *s, const char *checkpoint)
{
    rheo_context *ctx = NULL;
    const rheo_context_options options = {
        .threads = 1, .seed = 1, .user = s, .progress = keep_speed, .interrupt = &s->flag};
    assert_int_equal(rheo_context_new(&options, &ctx), RHEO_OK);
    rheo_job job;
    CHECK_OK(ctx, tiny_job(ctx, tiny_bptt, &job));
    assert_int_equal(tiny_learn(&job, checkpoint), s->stop ? RHEO_INTERRUPTED : RHEO_OK);
    rheo__job_close(&job);
    rheo_context_free(ctx);
}

/* Gone on with, the time of the epoch counts on, but the rate is of the new process alone; in the
 * epochs after that, both begin anew. */
static void test_speed(void **state)
{
    (void)state;
    const char *at = in_folder("speed.rheo");
    speeds before = {.stop = 3}, after = {0};
    unlink(at);
    train_speeds(&before, at);
    CHECK_NEAR(before.last.rate * before.last.seconds, (double)before.last.done, 1e-6);
    train_speeds(&after, at);
    assert_int_equal(after.first.done, before.last.done + 32);
    assert_true(after.first.seconds > before.last.seconds);
    CHECK_NEAR(after.first.rate * (after.first.seconds - before.last.seconds), 32, 1e-6);
    assert_true(after.last.done == after.last.total);
    CHECK_NEAR(after.last.rate * after.last.seconds, (double)after.last.done, 1e-6);
}

static void test_foreign_checkpoint(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rheo_job job;
    const char *at = in_folder("foreign.rheo");
    assert_int_equal(train(tiny_bptt, 1, 3, at, "", NULL, NULL), RHEO_INTERRUPTED);
    for (size_t i = 1; i < TINY; i++) { /* another recipe's */
        CHECK_OK(ctx, tiny_job(ctx, tiny[i].text, &job));
        assert_int_equal(tiny_learn(&job, at), RHEO_FORMAT);
        assert_non_null(strstr(rheo_error(ctx), at));
        rheo__job_close(&job);
    }
    put_text(at, "no checkpoint"); /* damaged */
    CHECK_OK(ctx, tiny_job(ctx, tiny_bptt, &job));
    CHECK_FAILS(ctx, tiny_learn(&job, at), RHEO_FORMAT, at);
    rheo__job_close(&job);
    rheo_context_free(ctx);
}

/* A model that is read back tests to the same counts. */
static void test_model_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < TINY; i++) {
        rheo_context *ctx = check_context(2);
        rheo_job job, back;
        rheo_tally a, b;
        rheo_text text = {.ctx = ctx};
        CHECK_OK(ctx, tiny_job(ctx, tiny[i].text, &job));
        CHECK_OK(ctx, tiny_learn(&job, NULL));
        if (i == 3) CHECK_OK(ctx, rheo__label(&job.session, 0));
        rheo__doc_write(job.recipe->doc, &text);
        CHECK_OK(ctx, rheo__job_save(&job, in_folder("back.rheo"), text.data));
        CHECK_OK(ctx, rheo__job_load(ctx, in_folder("back.rheo"), NULL, &back));
        CHECK_OK(ctx, rheo__test(&job.session, RHEO_TEST, 0, "test", &a));
        CHECK_OK(ctx, rheo__test(&back.session, RHEO_TEST, 0, "test", &b));
        assert_true(a.samples > 0 && a.correct > 0);
        assert_int_equal(a.correct, b.correct);
        assert_memory_equal(a.confusion, b.confusion, 100 * sizeof *a.confusion);
        assert_memory_equal(&a.counts, &b.counts, sizeof a.counts);
        rheo__tally_free(ctx, &a), rheo__tally_free(ctx, &b);
        rheo__text_free(&text);
        rheo__job_close(&job), rheo__job_close(&back);
        rheo_context_free(ctx);
    }
}

/* What a learner says that it takes is what it takes. */
static void test_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < TINY; i++) {
        rheo_context *ctx = check_context(3);
        rheo_job job;
        CHECK_OK(ctx, tiny_job(ctx, tiny[i].text, &job));
        rheo_session *session = &job.session;
        session->now = &job.recipe->phase[0];
        size_t measured = 0, said = 0;
        const size_t before = rheo_memory_used(ctx).now;
        CHECK_OK(ctx, session->now->learner->begin(session, true, &measured));
        assert_int_equal(rheo_memory_used(ctx).now, before);
        CHECK_OK(ctx, session->now->learner->begin(session, false, &said));
        const size_t taken_now = rheo_memory_used(ctx).now - before;
        if (taken_now != said || said != measured)
            fail_msg("%s: took %zu, said %zu, measured %zu", tiny[i].name, taken_now, said,
                     measured);
        session->now->learner->end(session);
        assert_int_equal(rheo_memory_used(ctx).now, before);
        rheo__job_close(&job);
        rheo_context_free(ctx);
    }
}

static void test_refused(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rheo_job job;
    rheo_tally tally;
    CHECK_OK(ctx, tiny_job(ctx, tiny_local, &job)); /* no labels yet */
    CHECK_FAILS(ctx, rheo__test(&job.session, RHEO_TEST, 0, "test", &tally), RHEO_USAGE,
                "labelled");
    rheo__job_close(&job);
    /* outputs that stand for no class */
    CHECK_OK(ctx, tiny_job(ctx, with(tiny_bptt, "output: rate", "output: response"), &job));
    CHECK_FAILS(ctx, tiny_learn(&job, NULL), RHEO_USAGE, "response");
    rheo__job_close(&job);
    rheo_context_free(ctx);
}

/* ---- when memory ends ---- */

typedef struct life {
    char text[2048];
    const char *checkpoint; /* NULL: none */
    bool files;             /* saved and read back */
} life;

static rheo_status live(rheo_context *ctx, void *arg)
{
    const life *l = arg;
    rheo_job job = {0}, back = {0};
    rheo_text recipe = {.ctx = ctx};
    rheo_tally tally = {0};
    if (l->checkpoint) unlink(l->checkpoint);
    rheo_status status = tiny_job(ctx, l->text, &job);
    if (!status && !l->files) status = tiny_learn(&job, l->checkpoint);
    if (!status && strstr(l->text, "response")) status = rheo__label(&job.session, 4);
    if (!status && !l->files) status = rheo__test(&job.session, RHEO_TEST, 4, "test", &tally);
    rheo__tally_free(ctx, &tally);
    if (!status && l->files) {
        rheo__doc_write(job.recipe->doc, &recipe);
        status = recipe.status;
        if (!status) status = rheo__job_save(&job, in_folder("life.rheo"), recipe.data);
        if (!status) status = rheo__job_load(ctx, in_folder("life.rheo"), NULL, &back);
    }
    rheo__text_free(&recipe);
    rheo__job_close(&back);
    rheo__job_close(&job);
    return status;
}

static void test_faults(void **state)
{
    (void)state;
    static life l;
    for (size_t i = 0; i < TINY; i++) { /* with a handful of samples, one epoch a phase */
        const bool local = i == 3;
        const char *text = with(tiny[i].text, local ? "train: 60" : "train: 300", "train: 8");
        if (!local) text = with(text, "validation: 40", "validation: 2");
        text = with(text, "epochs: 2", "epochs: 1");
        l = (life){0};
        snprintf(l.text, sizeof l.text, "%s", text);
        faults_sweep(live, &l);
        l.files = local; /* files are slow to be safe on the disk: one recipe will do */
        if (l.files) faults_sweep(live, &l);
        l.files = false;
        l.checkpoint = in_folder("life.at.rheo");
        if (i == 1) faults_sweep(live, &l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),    cmocka_unit_test(test_learns),
        cmocka_unit_test(test_first_step), cmocka_unit_test(test_resume),
        cmocka_unit_test(test_speed),      cmocka_unit_test(test_foreign_checkpoint),
        cmocka_unit_test(test_model_back), cmocka_unit_test(test_memory),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
