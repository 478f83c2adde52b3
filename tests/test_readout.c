/* Read-outs: decisions after every step on small windows worked by hand, and ties. */
#include "check.h"
#include "readout/readout.h"

/* A window of one sample, written as text: a character an output, '1' a spike, '.' none; steps are
 * separated by spaces. */
typedef struct window {
    rheo_signal s;
    uint64_t word[16];
} window;

static void draw(window *w, const char *text)
{
    uint32_t N = (uint32_t)strcspn(text, " "), T = ((uint32_t)strlen(text) + 1) / (N + 1);
    *w = (window){
        .s = {.form = RHEO_BITS, .T = T, .B = 1, .N = N, .pitch = 1, .stride_t = 1, .hi = 1}};
    w->s.bits = w->word;
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t n = 0; n < N; n++)
            w->word[t] |= (uint64_t)(text[t * (N + 1) + n] == '1') << n;
}

static uint32_t index_of(const char *name)
{
    uint32_t i = 0;
    while (strcmp(rheo__readout_names[i], name)) i++;
    return i;
}

static const struct {
    const char *readout, *window;
    uint32_t classes, assignment[8];
    const char *decision, *tie; /* a character a step; y: a tie */
    rheo_group group;
} cases[] = {
    {"rate", "... 1.. .1. .1. ..1", 3, {0}, "00011", "ynynn", RHEO_GROUP_NONE},
    {"rate", "111 111 11.", 3, {0}, "000", "yyy", RHEO_GROUP_NONE},
    {"first", "... .1. 1.. 1.1", 3, {0}, "0111", "ynnn", RHEO_GROUP_NONE},
    {"first", "... .11 1..", 3, {0}, "011", "yyy", RHEO_GROUP_NONE},
    {"first", ".1 11 .1", 2, {0}, "111", "nnn", RHEO_GROUP_NONE}, /* later spikes change nothing */
    /* neurons 0, 1, 3 are of class 1; 2 of class 0; 4 of none; class 2 has none. Means after the
     * steps: 0 0 0 | 0 1/3 0 | 1 1/3 0 | 1 1 0 | 1 1 0 */
    {"response",
     "..... 1.... ..1.. .1.1. ....1",
     3,
     {1, 1, 0, 1, 9},
     "01000",
     "ynnyy",
     RHEO_GROUP_NONE},
    /* pairs of neurons; counts 1 1 | 2 1 | 2 3; means alike */
    {"rate", "1..1 .1.. ..11", 2, {0}, "001", "ynn", RHEO_GROUP_SUM},
    {"rate", "1..1 .1.. ..11", 2, {0}, "001", "ynn", RHEO_GROUP_MEAN},
    /* one early neuron wins over two late ones */
    {"first", ".... ..1. 11..", 2, {0}, "011", "ynn", RHEO_GROUP_SUM},
    /* 0 0 | 1 1 | 1 + 0.81 1 */
    {"rank", ".... 1.1. .1.1 1111", 2, {0}, "0000", "yyyy", RHEO_GROUP_SUM},
    {"rank", ".... .1.. ..1. 1..1", 2, {0}, "0000", "ynnn", RHEO_GROUP_SUM}, /* 1 + .81 > .9 + .81
                                                                              */
    {"rank", "... ..1 1..", 3, {0}, "022", "ynn", RHEO_GROUP_NONE},
};

static void decisions_by_hand(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        window w;
        double score[8], class_score[8];
        draw(&w, cases[i].window);
        for (int k = 0; k < 8; k++) score[k] = class_score[k] = k; /* cleared at step 0 */
        rheo_decide d = {.readout = index_of(cases[i].readout),
                         .out = &w.s,
                         .classes = cases[i].classes,
                         .group = cases[i].group,
                         .assignment = cases[i].assignment,
                         .score = score,
                         .class_score = class_score};
        for (uint32_t t = 0; t < w.s.T; t++) {
            bool tie;
            uint32_t decision = rheo__decide(&d, t, 0, &tie);
            if (decision != (uint32_t)(cases[i].decision[t] - '0') ||
                tie != (cases[i].tie[t] == 'y'))
                fail_msg("case %zu, step %u: %u%s", i, t, decision, tie ? ", a tie" : "");
        }
    }
}

/* v of two outputs over three steps; two samples. */
static void membranes(void **state)
{
    (void)state;
    float v[3][2][16] = {{{1, 0}, {-1, -2}}, {{0, 2}, {-1, 0}}, {{3, 1}, {0, 0}}};
    const rheo_signal s = {.form = RHEO_REAL,
                           .T = 3,
                           .B = 2,
                           .N = 2,
                           .pitch = 16,
                           .stride_t = 32,
                           .real = &v[0][0][0]};
    static const struct {
        const char *readout;
        uint32_t decision[2][3];
        bool tie[2][3];
    } expected[] = {
        /* sums: 1 0 | 1 2 | 4 3 and -1 -2 | -2 -2 | -2 -2 */
        {"membrane", {{0, 1, 0}, {0, 0, 0}}, {{0, 0, 0}, {0, 1, 1}}},
        {"last", {{0, 1, 0}, {0, 1, 0}}, {{0, 0, 0}, {0, 0, 1}}},
        /* largest: 1 0 | 1 2 | 3 2 and -1 -2 | -1 0 | 0 0 */
        {"max", {{0, 1, 0}, {0, 1, 0}}, {{0, 0, 0}, {0, 0, 1}}},
        /* as the sums */
        {"mean", {{0, 1, 0}, {0, 0, 0}}, {{0, 0, 0}, {0, 1, 1}}},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        for (uint32_t b = 0; b < 2; b++) {
            double score[2];
            rheo_decide d = {
                .readout = index_of(expected[i].readout), .v = &s, .classes = 2, .score = score};
            assert_true(rheo__readout_uses_membrane(d.readout));
            for (uint32_t t = 0; t < 3; t++) {
                bool tie;
                uint32_t decision = rheo__decide(&d, t, b, &tie);
                if (decision != expected[i].decision[b][t] || tie != expected[i].tie[b][t])
                    fail_msg("%s, sample %u, step %u: %u%s", expected[i].readout, b, t, decision,
                             tie ? ", a tie" : "");
            }
        }
    assert_false(rheo__readout_uses_membrane(index_of("rate")));
}

/* Signs (-1, +1) are summed by their values; real outputs too. */
static void rate_sums_values(void **state)
{
    (void)state;
    window w;
    double score[3];
    bool tie;
    draw(&w, "1.1 .11 ..1");
    w.s.lo = -1;
    rheo_decide d = {.readout = index_of("rate"), .out = &w.s, .classes = 3, .score = score};
    for (uint32_t t = 0; t < 3; t++) assert_int_equal(rheo__decide(&d, t, 0, &tie), t ? 2 : 0);
    assert_true(score[0] == -1 && score[1] == -1 && score[2] == 3);
    float real[16] = {0.25f, 0.5f, -1};
    const rheo_signal s = {.form = RHEO_REAL, .T = 4, .B = 1, .N = 3, .pitch = 16, .real = real};
    d.out = &s; /* static: the same at every step */
    for (uint32_t t = 0; t < 4; t++) assert_int_equal(rheo__decide(&d, t, 0, &tie), 1);
    assert_true(score[0] == 1 && score[1] == 2 && score[2] == -4);
}

/* Equal means are equal: 10 neurons with 3 spikes each against one with 3, where sums of tenths
 * would differ; more than 64 classes; the skip of silent steps changes nothing. */
static void response_means_are_exact(void **state)
{
    (void)state;
    enum { N = 64, CLASSES = 70 };
    uint32_t assignment[N];
    for (uint32_t n = 0; n < N; n++) assignment[n] = n < 10 ? 5 : n == 10 ? 69 : 1000;
    uint64_t word[6] = {0x7FF, 0, 0x7FF, 0, 0x7FF, 0x400};
    const rheo_signal s = {.form = RHEO_BITS,
                           .T = 6,
                           .B = 1,
                           .N = N,
                           .pitch = 1,
                           .stride_t = 1,
                           .hi = 1,
                           .bits = word};
    double score[N], class_score[CLASSES];
    rheo_decide d = {.readout = index_of("response"),
                     .out = &s,
                     .classes = CLASSES,
                     .assignment = assignment,
                     .score = score,
                     .class_score = class_score};
    static const double mean[] = {1, 1, 2, 2, 3, 3};
    for (uint32_t t = 0; t < 6; t++) {
        bool tie;
        uint32_t decision = rheo__decide(&d, t, 0, &tie);
        assert_int_equal(decision, t < 5 ? 5 : 69);
        assert_int_equal(tie, t < 5);
        assert_true(class_score[5] == mean[t] && class_score[69] == mean[t] + (t == 5));
        assert_true(class_score[0] == 0 && class_score[64] == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decisions_by_hand),
        cmocka_unit_test(membranes),
        cmocka_unit_test(rate_sums_values),
        cmocka_unit_test(response_means_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
