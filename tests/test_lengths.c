/* test_lengths.c: samples of unequal length, from the file to the verdict: a set whose samples all
 * last L of T steps learns and is judged as one that is shown for L steps, to the bit; a set of
 * mixed lengths is the sum of its parts. */
#include "session_rig.h"
#include "array/npy.h"

enum { TRAIN = 24, TEST = 10, SHORT = 6, LONG = 9, CHANNELS = 2 };

static float draw(uint32_t i, uint32_t k)
{
    uint32_t draw[4], counter[4] = {i, k, 0, 0};
    rheo__philox((rheo_key){{7, 7}}, counter, draw);
    return rheo__uniform(draw[0]);
}

/* A set of series of `points` points, of which those from the sample's length on are noise of its
 * own; lengths NULL: none; only: samples of this length, 0: all. */
static void put_series(rheo_context *ctx, const char *path, uint32_t points, uint32_t noise,
                       const uint32_t *length, uint32_t only)
{
    static int32_t y[TRAIN + TEST], steps[TRAIN + TEST];
    static float x[(TRAIN + TEST) * LONG * CHANNELS];
    const uint32_t N = points * CHANNELS;
    rheo_array a[6] = {{.dims = 0}};
    uint32_t arrays = 0, at = 0;
    for (int part = 0; part < 2; part++) {
        const uint32_t first = part ? TRAIN : 0, count = part ? TEST : TRAIN, begin = at;
        for (uint32_t i = first; i < first + count; i++) {
            const uint32_t last = length ? length[i] : points;
            if (only && last != only) continue;
            for (uint32_t k = 0; k < N; k++)
                x[(size_t)at * N + k] = draw(i + (k / CHANNELS < last ? 0 : noise), k);
            y[at] = (int32_t)i % 3;
            steps[at++] = (int32_t)last;
        }
        const uint32_t n = at - begin;
        a[arrays++] = (rheo_array){.dtype = RHEO_F32,
                                   .dims = 2,
                                   .shape = {n, N},
                                   .count = (uint64_t)n * N,
                                   .data = x + (size_t)begin * N};
        a[arrays++] =
            (rheo_array){.dtype = RHEO_I32, .dims = 1, .shape = {n}, .count = n, .data = y + begin};
        if (length && !only)
            a[arrays++] = (rheo_array){
                .dtype = RHEO_I32, .dims = 1, .shape = {n}, .count = n, .data = steps + begin};
    }
    static const char *const names[] = {"x_train", "y_train", "length_train",
                                        "x_test",  "y_test",  "length_test"};
    for (uint32_t i = 0; i < arrays; i++)
        snprintf(a[i].name, sizeof a[i].name, "%s", names[arrays == 6 ? i : i / 2 * 3 + i % 2]);
    CHECK_OK(ctx, rheo__npz_write(ctx, path, a, arrays));
}

#define HEAD                                                                                       \
    "name: tiny\ntitle: for tests\nfamily: spikes\nsource: {paper: none, id: none, where: "        \
    "tests}\n"                                                                                     \
    "data: {name: npz, path: SET, validation: 4, batch: 5}\n"

/* of the samples' features, or of series: those are cut where the others have noise */
static const struct {
    const char *label, *text;
    bool series;
} systems[] = {
    {"series",
     HEAD "code: {input: series, channels: 2, steps: STEPS, output: membrane}\n"
          "net: in-12-out\nneuron: {model: lif, beta: 0.9}\n"
          "learn: {method: bptt, loss: membrane-ce, rate: 3.0e-2, epochs: 2}\n",
     true},
    {"step-forward, recurrent, low memory",
     HEAD "code: {input: step-forward, channels: 2, threshold: 0.2, steps: STEPS, output: rank}\n"
          "net: in-10r-out\nneuron: {model: lif, beta: 0.8}\n"
          "learn: {method: bptt, loss: rate-ce, rate: 3.0e-2, epochs: 2, memory: low,\n"
          "        regularise: {upper: {bound: 0.01}, lower: {bound: 0.9}, sparse: {}}}\n",
     true},
    {"bsa, membranes held",
     HEAD "code: {input: bsa, channels: 2, taps: 3, steps: STEPS, output: max}\n"
          "net: in-d0.2-10-out\nneuron: {model: lif, beta: 0.8}\n"
          "learn: {method: bptt, loss: membrane-max-ce, rate: 3.0e-2, epochs: 2, truncate: 4,\n"
          "        regularise: {force: {}, upper: {of: membrane, bound: 0.01},\n"
          "                     sparse: {of: membrane, layers: all}}}\n",
     true},
    {"threshold",
     HEAD "code: {input: threshold, channels: 2, steps: STEPS, output: mean}\n"
          "net: in-10-out\nneuron: {model: cuba-lif}\n"
          "learn: {method: bptt, loss: tet, rate: 3.0e-2, epochs: 1}\n",
     true},
    {"moving-window",
     HEAD "code: {input: moving-window, channels: 2, steps: STEPS, output: last}\n"
          "net: in-10-out\nneuron: {model: lif}\n"
          "learn: {method: bptt, loss: membrane-last-ce, rate: 3.0e-2, epochs: 1}\n",
     true},
    {"rate",
     HEAD "code: {input: rate, steps: STEPS, output: rate}\n"
          "net: in-d0.2-10-out\nneuron: {model: lif, beta: 0.9}\n"
          "learn: {method: bptt, loss: count-mse, rate: 3.0e-2, epochs: 2}\n",
     false},
    {"latency to the last step",
     HEAD "code: {input: latency, curve: linear, normalise: true, steps: STEPS, output: first}\n"
          "net: in-10-out\nneuron: {model: lif, beta: 0.9}\n"
          "learn: {method: bptt, loss: time-ce, rate: 3.0e-2, epochs: 2, target_rate: 0.3}\n",
     false},
    {"rank order, populations",
     HEAD "code: {input: rank, steps: STEPS, output: rate, population: mean}\n"
          "net: in-10-6\nneuron: {model: lif, beta: 0.9}\n"
          "learn: {method: bptt, loss: mean-ce, rate: 3.0e-2, epochs: 2}\n",
     false},
    {"receptive fields",
     HEAD "code: {input: gaussian, steps: STEPS, output: rate}\n"
          "net: in-10-out\nneuron: {model: lif, beta: 0.9}\n"
          "learn: {method: bptt, loss: membrane-mean-ce, rate: 3.0e-2, epochs: 1}\n",
     false},
    {"constant current, signs",
     HEAD "code: {input: constant, steps: STEPS, output: membrane}\n"
          "net:\n  - dense: {out: 10}\n  - neuron: {model: sign}\n  - dense: {out: out}\n"
          "  - neuron: {model: lif}\n"
          "learn: {method: bptt, loss: van-rossum, rate: 3.0e-2, epochs: 2,\n"
          "        regularise: {upper: {bound: 0.01}}}\n",
     false},
    {"constant current, rectified",
     HEAD "code: {input: constant, steps: STEPS, output: membrane}\n"
          "net:\n  - dense: {out: 10}\n  - neuron: {model: relu}\n  - dense: {out: out}\n"
          "  - neuron: {model: lif}\n"
          "learn: {method: bptt, loss: membrane-ce, rate: 3.0e-2, epochs: 2,\n"
          "        regularise: {lower: {of: membrane, bound: 0.9}, sparse: {}}}\n",
     false},
};

static const char *recipe_of(const char *text, const char *set, uint32_t steps)
{
    char number[12];
    snprintf(number, sizeof number, "%u", steps);
    return with(with(text, "SET", set), "STEPS", number);
}

/* Learns, tests and keeps all of it that is not time. */
typedef struct made {
    uint64_t sum; /* of the weights */
    double loss[4], accuracy[4], rate[4], silent[4];
    rheo_tally tally;
} made;

static made learn(rheo_context *ctx, const char *text, const char *checkpoint)
{
    rheo_job job;
    made m = {0};
    CHECK_OK(ctx, tiny_job(ctx, text, &job));
    CHECK_OK(ctx, tiny_learn(&job, checkpoint));
    for (uint32_t i = 0; i < job.session.lines && i < 4; i++) {
        m.loss[i] = job.session.line[i].loss;
        m.accuracy[i] = job.session.line[i].train_accuracy;
        m.rate[i] = job.session.line[i].rate[0];
        m.silent[i] = job.session.line[i].silent[0];
    }
    for (uint32_t p = 0; p < job.net->params; p++) {
        const rheo_param *param = &job.net->param[p];
        for (size_t i = 0; i < (size_t)param->rows * param->cols; i++) {
            uint32_t bits;
            memcpy(&bits, &param->value[i], 4);
            m.sum = m.sum * 1099511628211u + bits;
        }
    }
    CHECK_OK(ctx, rheo__test(&job.session, RHEO_TEST, 0, "test", &m.tally));
    m.tally.seconds = 0;
    rheo__job_close(&job);
    return m;
}

static void same(const char *label, const made *a, const made *b)
{
    if (a->sum != b->sum) fail_msg("%s: other weights", label);
    for (uint32_t i = 0; i < 4; i++) /* bits: NaN where a line has none */
        if (memcmp(&a->loss[i], &b->loss[i], 8) != 0 || a->accuracy[i] != b->accuracy[i] ||
            memcmp(&a->rate[i], &b->rate[i], 8) != 0 ||
            memcmp(&a->silent[i], &b->silent[i], 8) != 0)
            fail_msg("%s: epoch %u: loss %.9g and %.9g, rate %.9g and %.9g", label, i + 1,
                     a->loss[i], b->loss[i], a->rate[i], b->rate[i]);
    const rheo_tally *s = &a->tally, *t = &b->tally;
    const uint32_t steps = s->steps < t->steps ? s->steps : t->steps;
    assert_int_equal(s->samples, t->samples);
    assert_int_equal(s->correct, t->correct);
    assert_int_equal(s->correct_first, t->correct_first);
    assert_memory_equal(s->confusion, t->confusion, 8 * (size_t)s->classes * s->classes);
    assert_memory_equal(&s->counts, &t->counts, sizeof s->counts);
    assert_memory_equal(s->correct_at, t->correct_at, 8 * (size_t)steps);
    assert_memory_equal(s->operations_at, t->operations_at, 8 * (size_t)steps);
    for (uint32_t i = steps; i < s->steps; i++) assert_int_equal(s->correct_at[i], s->correct);
    for (uint32_t i = steps; i < t->steps; i++) assert_int_equal(t->correct_at[i], t->correct);
}

static void shown_longer(void **state)
{
    uint32_t all[TRAIN + TEST];
    (void)state;
    rheo_context *ctx = check_context(2);
    for (uint32_t i = 0; i < TRAIN + TEST; i++) all[i] = SHORT;
    const char *cut = in_folder("cut.npz"), *padded = in_folder("padded.npz");
    const char *told = in_folder("told.npz");
    put_series(ctx, cut, SHORT, 0, NULL, 0);
    put_series(ctx, padded, LONG, 1000, all, 0);
    put_series(ctx, told, SHORT, 0, all, 0);
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++) {
        const char *set = systems[i].series ? padded : told;
        made alone = learn(ctx, recipe_of(systems[i].text, cut, SHORT), NULL);
        made longer = learn(ctx, recipe_of(systems[i].text, set, LONG), NULL);
        same(systems[i].label, &alone, &longer);
        rheo__tally_free(ctx, &alone.tally);
        rheo__tally_free(ctx, &longer.tally);
    }
    rheo_context_free(ctx);
}

static void mix(uint32_t *length)
{
    static const uint32_t some[] = {LONG, 3, SHORT, 1};
    for (uint32_t i = 0; i < TRAIN + TEST; i++) length[i] = some[i % 4];
}

/* Weights stand still (rate 0); each part is shown for as long as its samples last. */
static void mixed(void **state)
{
    static const char text[] =
        HEAD "code: {input: series, channels: 2, steps: STEPS, output: membrane}\n"
             "net: in-12-out\nneuron: {model: lif, beta: 0.9, threshold: 0.3}\n"
             "learn: {method: bptt, loss: membrane-mean-ce, optimiser: sgd, rate: 0, epochs: 1,\n"
             "        regularise: {lower: {bound: 0.9}, upper: {bound: 0.01}, force: {}}}\n";
    uint32_t length[TRAIN + TEST];
    double loss = 0;
    made sum = {0};
    (void)state;
    mix(length);
    rheo_context *ctx = check_context(2);
    const char *set = in_folder("mixed.npz");
    put_series(ctx, set, LONG, 1000, length, 0);
    made all = learn(ctx, with(recipe_of(text, set, LONG), "validation: 4", "validation: 0"), NULL);
    for (uint32_t k = 0; k < 4; k++) {
        uint32_t samples = 0;
        const char *part = in_folder("part.npz");
        put_series(ctx, part, LONG, 1000, length, length[k]);
        for (uint32_t i = 0; i < TRAIN; i++) samples += length[i] == length[k];
        made one = learn(
            ctx, with(recipe_of(text, part, length[k]), "validation: 4", "validation: 0"), NULL);
        assert_int_equal(one.sum, all.sum);
        loss += one.loss[0] * samples;
        sum.tally.correct += one.tally.correct;
        sum.tally.correct_first += one.tally.correct_first;
        for (uint32_t c = 0; c < 9; c++) all.tally.confusion[c] -= one.tally.confusion[c];
        for (size_t c = 0; c < sizeof(rheo_counts) / 8; c++)
            ((uint64_t *)&sum.tally.counts)[c] += ((const uint64_t *)&one.tally.counts)[c];
        for (uint32_t t = 0; t < LONG; t++)
            all.tally.correct_at[t] -= t < length[k] ? one.tally.correct_at[t] : one.tally.correct;
        rheo__tally_free(ctx, &one.tally);
    }
    /* doubles added in another order: a few times 24 roundings of 2^-53 */
    CHECK_NEAR(all.loss[0], loss / TRAIN, 1e-14 * fabs(loss));
    assert_int_equal(all.tally.correct, sum.tally.correct);
    assert_int_equal(all.tally.correct_first, sum.tally.correct_first);
    assert_memory_equal(&all.tally.counts, &sum.tally.counts, sizeof(rheo_counts));
    for (uint32_t c = 0; c < 9; c++) assert_int_equal(all.tally.confusion[c], 0);
    for (uint32_t t = 0; t < LONG; t++) assert_int_equal(all.tally.correct_at[t], 0);
    rheo__tally_free(ctx, &all.tally);
    rheo_context_free(ctx);
}

/* What stands behind the ends, threads, and a stop on the way change nothing. */
static void same_bits(void **state)
{
    uint32_t length[TRAIN + TEST];
    (void)state;
    mix(length);
    rheo_context *kept = NULL;
    made first = {0};
    for (uint32_t k = 0; k < 4; k++) {
        hook h = {.stop = k == 3 ? 4 : 0};
        rheo_context *ctx = hook_context(&h, k == 1 ? 3 : 1);
        const char *set = in_folder("bits.npz"), *checkpoint = in_folder("bits.checkpoint");
        put_series(ctx, set, LONG, k == 2 ? 2000 : 1000, length, 0);
        const char *text = recipe_of(systems[0].text, set, LONG);
        if (h.stop) {
            rheo_job job;
            CHECK_OK(ctx, tiny_job(ctx, text, &job));
            CHECK_FAILS(ctx, tiny_learn(&job, checkpoint), RHEO_INTERRUPTED, "interrupted");
            rheo__job_close(&job);
            h.flag = 0;
        }
        made m = learn(ctx, text, h.stop ? checkpoint : NULL);
        if (k == 0) {
            first = m;
            kept = ctx;
            continue;
        }
        same("again", &first, &m);
        rheo__tally_free(ctx, &m.tally);
        rheo_context_free(ctx);
    }
    rheo__tally_free(kept, &first.tally);
    rheo_context_free(kept);
}

static void refused(void **state)
{
    static const struct {
        const char *from, *to;
        rheo_status code;
        const char *text;
    } cases[] = {
        {"steps: 9", "steps: 8", RHEO_SHAPE,
         "npz: sample 0 lasts 9 steps, but a presentation has 8; set code.steps"},
        {"in-12-out", "in-12b-out", RHEO_UNSUPPORTED,
         "norm looks at the whole window, so all samples need the same number of steps"},
        {"{method: bptt, loss: membrane-ce, rate: 3.0e-2, epochs: 2}", "{method: local}",
         RHEO_UNSUPPORTED, "method local shows every sample for all of code.steps"},
    };
    uint32_t length[TRAIN + TEST];
    (void)state;
    mix(length);
    rheo_context *ctx = check_context(1);
    const char *set = in_folder("refused.npz");
    put_series(ctx, set, LONG, 1000, length, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = with(recipe_of(systems[0].text, set, LONG), cases[i].from, cases[i].to);
        rheo_job job;
        if (i == 2)
            text =
                with(text, "net: in-12-out", "net: [{plastic: {out: 3}}, {neuron: {model: lif}}]");
        CHECK_OK(ctx, tiny_job(ctx, text, &job));
        CHECK_FAILS(ctx, tiny_learn(&job, NULL), cases[i].code, cases[i].text);
        rheo__job_close(&job);
    }
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shown_longer),
        cmocka_unit_test(mixed),
        cmocka_unit_test(same_bits),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
