/* test_random.c: Philox against Random123's known answers; distributions by their moments and
 * chi-square at 5 standard deviations of the statistic itself (a correct generator with fixed keys
 * either passes for ever or never, the bound is what chance allows). */
#include "check.h"
#include "base/random.h"

/* Random123, examples/kat_vectors, philox4x32 10 */
static void test_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < 3; i++) {
        uint32_t out[4];
        rheo__philox((rheo_key){{cases[i].key[0], cases[i].key[1]}}, cases[i].counter, out);
        assert_memory_equal(out, cases[i].out, sizeof out);
    }
}

/* The mapping of seed, node and purpose, and of an element, is part of what makes an old run come
 * out again: these were computed by tests/oracles/philox.py. */
static void test_mapping(void **state)
{
    (void)state;
    rheo_key key = rheo__key(UINT64_C(0x123456789ABCDEF0), 7, RHEO_FOR_NOISE);
    assert_int_equal(key.k[0], 0xa948765b);
    assert_int_equal(key.k[1], 0x142841eb);
    float x[6];
    rheo__fill_uniform(key, 9, 0, 1, x, 6);
    assert_true(x[0] == 15043732 * 0x1p-24f && x[5] == 1598474 * 0x1p-24f);
    rheo__fill_normal(key, 9, 0, 1, x, 6);
    CHECK_NEAR((double)x[0], -0.3518830859392335, 0x1p-25);
    CHECK_NEAR((double)x[5], 0.3038544723201047, 0x1p-25);
    uint32_t order[10];
    static const uint32_t expected[10] = {5, 1, 0, 9, 8, 7, 4, 3, 2, 6};
    rheo__permutation(key, 9, 10, order);
    assert_memory_equal(order, expected, sizeof order);
}

static void test_keys_differ(void **state)
{
    (void)state;
    rheo_key keys[64];
    size_t n = 0;
    for (uint64_t seed = 1; seed <= 2; seed++)
        for (uint32_t node = 0; node < 4; node++)
            for (int purpose = 0; purpose <= RHEO_FOR_TEST; purpose++)
                keys[n++] = rheo__key(seed, node, (rheo_purpose)purpose);
    assert_int_equal(n, 64);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) assert_memory_not_equal(&keys[i], &keys[j], sizeof keys[i]);
}

static void test_uniform(void **state)
{
    (void)state;
    enum { N = 1 << 18, BINS = 256 };
    rheo_key key = rheo__key(1, 0, RHEO_FOR_TEST);
    static float x[N], y[N];
    double count[BINS] = {0}, sum = 0, square = 0, lag = 0, chi = 0;
    rheo__fill_uniform(key, 0, 0, 1, x, N);
    for (int i = 0; i < N; i++) {
        double u = (double)x[i];
        assert_true(u >= 0 && u < 1);
        count[(int)(u * BINS)]++;
        sum += u;
        square += u * u;
        lag += i ? (u - 0.5) * ((double)x[i - 1] - 0.5) : 0;
    }
    for (int b = 0; b < BINS; b++)
        chi += (count[b] - N / BINS) * (count[b] - N / BINS) / (N / BINS);
    CHECK_NEAR(chi, BINS - 1, 5 * sqrt(2.0 * (BINS - 1)));
    CHECK_NEAR(sum / N, 0.5, 5 * sqrt(1.0 / 12 / N));
    CHECK_NEAR(square / N, 1.0 / 3, 5 * sqrt(4.0 / 45 / N));
    CHECK_NEAR(lag / N, 0, 5 * (1.0 / 12) / sqrt(N));
    /* a beginning is a beginning, another show is another array */
    rheo__fill_uniform(key, 0, 0, 1, y, 1001);
    assert_memory_equal(x, y, 1001 * sizeof x[0]);
    rheo__fill_uniform(key, 1, 0, 1, y, 1001);
    assert_memory_not_equal(x, y, 16);
    /* the interval is half open even where floats are coarse */
    rheo__fill_uniform(key, 0, 16777216, 16777218, x, 4096);
    for (int i = 0; i < 4096; i++) assert_true(x[i] >= 16777216 && x[i] < 16777218);
    rheo__fill_uniform(key, 0, 3, 3, x, 5);
    assert_true(x[0] == 3 && x[4] == 3);
    assert_true(rheo__uniform(UINT32_MAX) == 1 - 0x1p-24f && rheo__uniform(0) == 0);
}

static void test_normal(void **state)
{
    (void)state;
    enum { N = 1 << 18 };
    static float x[N];
    double m1 = 0, m2 = 0, m3 = 0, m4 = 0, lag = 0;
    int beyond = 0;
    rheo__fill_normal(rheo__key(1, 0, RHEO_FOR_TEST), 0, 0, 1, x, N);
    for (int i = 0; i < N; i++) {
        double z = (double)x[i];
        m1 += z / N;
        m2 += z * z / N;
        m3 += z * z * z / N;
        m4 += z * z * z * z / N;
        lag += i ? z * (double)x[i - 1] / N : 0;
        beyond += fabs(z) > 1.959963984540054;
    }
    /* variances of z^k: 1, 2, 15, 96 */
    CHECK_NEAR(m1, 0, 5 * sqrt(1.0 / N));
    CHECK_NEAR(m2, 1, 5 * sqrt(2.0 / N));
    CHECK_NEAR(m3, 0, 5 * sqrt(15.0 / N));
    CHECK_NEAR(m4, 3, 5 * sqrt(96.0 / N));
    CHECK_NEAR(lag, 0, 5 * sqrt(1.0 / N));
    CHECK_NEAR(beyond, 0.05 * N, 5 * sqrt(0.05 * 0.95 * N));
    double z[2];
    rheo__normal(0, 0, z); /* the farthest: sqrt(2 ln 2^33) = 6.76, no infinity */
    CHECK_NEAR(z[0], sqrt(66 * 0.693147180559945309), 1e-9);
    rheo__fill_normal(rheo__key(1, 0, RHEO_FOR_TEST), 0, 5, 0, x, 3);
    assert_true(x[0] == 5 && x[2] == 5);
}

static void test_permutation(void **state)
{
    (void)state;
    enum { N = 1000, SHOWS = 60000 };
    rheo_key key = rheo__key(3, 1, RHEO_FOR_SHUFFLE);
    static uint32_t order[N];
    for (uint32_t n = 0; n <= N; n = n < 5 ? n + 1 : n * 10 / 3) {
        bool seen[N] = {false};
        rheo__permutation(key, n, n, order);
        for (uint32_t i = 0; i < n; i++) {
            assert_true(order[i] < n && !seen[order[i]]);
            seen[order[i]] = true;
        }
    }
    /* all six orders of three, each one time in six */
    double count[27] = {0};
    for (uint32_t show = 0; show < SHOWS; show++) {
        rheo__permutation(key, show, 3, order);
        count[order[0] * 9 + order[1] * 3 + order[2]]++;
    }
    static const int orders[] = {5, 7, 11, 15, 19, 21};
    for (int i = 0; i < 6; i++)
        CHECK_NEAR(count[orders[i]], SHOWS / 6.0, 5 * sqrt(SHOWS / 6.0 * 5 / 6));
    /* where each of seven ends: 49 cells */
    double cell[7][7] = {{0}}, chi = 0;
    for (uint32_t show = 0; show < SHOWS; show++) {
        rheo__permutation(key, show, 7, order);
        for (int i = 0; i < 7; i++) cell[i][order[i]]++;
    }
    for (int i = 0; i < 49; i++) {
        double d = cell[i / 7][i % 7] - SHOWS / 7.0;
        chi += d * d / (SHOWS / 7.0);
    }
    /* the table's rows and columns are fixed: 36 degrees of freedom, chi * 6/7 */
    CHECK_NEAR(chi * 6 / 7, 36, 5 * sqrt(2.0 * 36));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers), cmocka_unit_test(test_mapping),
        cmocka_unit_test(test_keys_differ),   cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_normal),        cmocka_unit_test(test_permutation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
