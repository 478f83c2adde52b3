/* test_kernels_planes.c: the loops over planes of every instruction set that this machine has: the
 * winners of 2 x 2 windows, and normalisation, against plain loops in the same order, bit for bit;
 * many draws against one at a time. */
#include "check.h"
#include "base/random.h"
#include "kernels/kernels.h"
#include <math.h>

enum { MOST = 601 };

static uint32_t drawn;
static uint32_t random_word(void)
{
    uint32_t r[4];
    rheo__philox((rheo_key){{21, 22}}, (uint32_t[4]){drawn++, 0, 0, 0}, r);
    return r[0];
}

static void fill(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] = 2.0f * rheo__uniform(random_word()) - 1.0f;
}

/* A loop for every set, and for sizes around those of vectors. */
static void for_all(void (*act)(const rheo_kernels *k, uint32_t n))
{
    static const uint32_t sizes[] = {0,  1,  2,  3,  4,  7,   8,   9,   14,
                                     15, 16, 17, 31, 33, 100, 513, MOST};
    for (int isa = 0; isa <= (int)rheo__isa_best(); isa++) {
        rheo_context *ctx = NULL;
        const rheo_context_options options = {.threads = 1, .isa = rheo__isa_names[isa]};
        assert_int_equal(rheo_context_new(&options, &ctx), RHEO_OK);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) act(rheo__kernels(ctx), sizes[i]);
        rheo_context_free(ctx);
    }
}

static void draws_case(const rheo_kernels *k, uint32_t n)
{
    const rheo_key key = {{7, n}};
    uint32_t out[4 * MOST + 1], r[4];
    out[4 * n] = 77;
    k->draws(key, 3, 0xfffffffe, 5, 0xfffffff0, n, out);
    for (uint32_t i = 0; i < n; i++) {
        rheo__philox(key, (uint32_t[4]){3, 0xfffffffe, 5, 0xfffffff0 + i}, r);
        assert_memory_equal(r, out + 4 * (size_t)i, sizeof r);
    }
    assert_int_equal(out[4 * n], 77);
}

static void test_draws(void **state)
{
    (void)state;
    for_all(draws_case);
}

/* Every third number is one of two values, so that many are equal. */
static void winners_case(const rheo_kernels *k, uint32_t n)
{
    float line[2][2 * MOST], to[2][2 * MOST + 1], g[MOST];
    uint32_t draw[MOST];
    fill(line[0], sizeof line / sizeof(float));
    fill(g, MOST);
    for (uint32_t i = 0; i < 4 * MOST; i++)
        if (random_word() % 3) line[i % 2][i / 2] = (float)(random_word() % 2);
    for (uint32_t i = 0; i < MOST; i++) draw[i] = random_word();
    if (n > 1) {
        line[0][0] = line[0][1] = line[1][0] = line[1][1] = -INFINITY;
        line[0][2] = line[0][3] = line[1][2] = line[1][3] = NAN;
        line[0][2 * n - 1] = NAN;
    }
    to[0][2 * n] = to[1][2 * n] = 77;
    k->winners(n, line[0], line[1], draw, g, to[0], to[1]);
    for (uint32_t i = 0; i < n; i++) {
        float most = -INFINITY;
        uint32_t equal[4], count = 0;
        for (uint32_t p = 0; p < 4; p++) most = fmaxf(most, line[p / 2][2 * i + p % 2]);
        for (uint32_t p = 0; p < 4; p++) {
            const float x = line[p / 2][2 * i + p % 2];
            if (x >= most || isnan(x)) equal[count++] = p;
        }
        const uint32_t winner = equal[(uint64_t)draw[i] * count >> 32];
        for (uint32_t p = 0; p < 4; p++)
            assert_true(to[p / 2][2 * i + p % 2] == (p == winner ? g[i] : 0.0f));
    }
    assert_true(to[0][2 * n] == 77 && to[1][2 * n] == 77);
    to[0][n] = 77;
    k->largest(n, line[0], line[1], to[0]);
    for (uint32_t i = 0; i < n; i++) {
        float most = -INFINITY;
        bool none = false;
        for (uint32_t p = 0; p < 4; p++) {
            most = fmaxf(most, line[p / 2][2 * i + p % 2]);
            none = none || isnan(line[p / 2][2 * i + p % 2]);
        }
        assert_true(none ? isnan(to[0][i]) : to[0][i] == most);
    }
    assert_true(to[0][n] == 77);
}

static void test_winners(void **state)
{
    (void)state;
    for_all(winners_case);
}

static void norm_case(const rheo_kernels *k, uint32_t n)
{
    static float x[MOST], g[MOST], a[7][MOST];
    double centre[MOST], sum[2][MOST + 1];
    float y[MOST + 1];
    fill(x, MOST), fill(g, MOST), fill(a[0], sizeof a / sizeof(float));
    const rheo_norm_row row = {n, 0.7f, x, a[0], a[1], a[2], a[3], a[4], a[5]};
    for (uint32_t i = 0; i < MOST; i++) centre[i] = (double)a[6][i];
    for (int squares = 0; squares < 2; squares++) {
        for (uint32_t i = 0; i <= n; i++) sum[0][i] = i;
        k->column_sums(n, x, squares ? centre : NULL, sum[0]);
        for (uint32_t i = 0; i < n; i++) {
            const double d = (double)x[i] - centre[i];
            assert_true(sum[0][i] == i + (squares ? d * d : (double)x[i]));
        }
        assert_true(sum[0][n] == n);
    }
    y[n] = 77;
    k->norm(&row, y);
    for (uint32_t i = 0; i < n; i++) assert_true(y[i] == (x[i] - a[0][i]) * a[2][i] + a[3][i]);
    for (uint32_t i = 0; i <= n; i++) sum[0][i] = i, sum[1][i] = 2 * i;
    k->norm_sums(&row, g, sum[0], sum[1]);
    for (uint32_t i = 0; i < n; i++) {
        const double wg = (double)(0.7f * g[i]);
        assert_true(sum[0][i] == i + wg);
        assert_true(sum[1][i] == 2 * i + wg * (double)((x[i] - a[0][i]) * a[1][i]));
    }
    assert_true(sum[0][n] == n && sum[1][n] == 2 * n);
    for (int add = 0; add < 2; add++) {
        for (uint32_t i = 0; i <= n; i++) y[i] = 77;
        k->norm_back(&row, g, add, y);
        for (uint32_t i = 0; i < n; i++) {
            const float h = (x[i] - a[0][i]) * a[1][i];
            const float back = a[2][i] * (0.7f * g[i] - a[4][i] - h * a[5][i]);
            assert_true(y[i] == (add ? 77 + back : back));
        }
        assert_true(y[n] == 77);
    }
}

static void test_norm(void **state)
{
    (void)state;
    for_all(norm_case);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draws),
        cmocka_unit_test(test_winners),
        cmocka_unit_test(test_norm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
