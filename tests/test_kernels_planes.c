/* test_kernels_planes.c: the loops over planes of every instruction set that this machine has: the
 * winners of 2 x 2 windows, and normalisation, against plain loops in the same order, bit for bit;
 * many draws against one at a time; lists of what is set. */
#include "check.h"
#include "base/random.h"
#include "kernels/kernels.h"
#include <math.h>
#include <stdlib.h>

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

/* Lists of bits, of a window's bits from any bit on, and of what is not 0. */
static void lists_case(const rheo_kernels *k, uint32_t n)
{
    static uint64_t bits[MOST + 2], mask[MOST];
    static uint32_t begins[MOST + 1];
    static uint32_t number[64 * MOST], to[64 * MOST + RHEO_LIST_SLACK],
        index[MOST + RHEO_LIST_SLACK];
    static float x[MOST], value[MOST + RHEO_LIST_SLACK];
    const uint32_t begin = n % 3 ? random_word() % 64 : 0;
    uint32_t found = 0;
    for (uint32_t i = 0; i < n + 2; i++)
        bits[i] = (uint64_t)random_word() << 32 | (random_word() & random_word());
    if (n > 3) bits[1] = UINT64_MAX, bits[2] = 0;
    for (uint32_t i = 0; i < n; i++) mask[i] = i % 4 ? (uint64_t)random_word() << 16 : UINT64_MAX;
    for (uint32_t i = 0; i < 64 * n; i++) number[i] = random_word();
    const uint32_t all = k->list_bits(bits, n, to, n % 2 ? begins : NULL);
    for (uint32_t i = 0; i < 64 * n; i++) {
        if (n % 2 && i % 64 == 0) assert_int_equal(begins[i / 64], found);
        if (bits[i / 64] >> i % 64 & 1) assert_int_equal(to[found++], i);
    }
    if (n % 2) assert_int_equal(begins[n], found);
    assert_int_equal(found, all);
    const rheo_bit_window window = {n, mask, number};
    const uint32_t seen = k->list_window(&window, bits, begin, 1000, to);
    found = 0;
    for (uint32_t i = 0; i < 64 * n; i++) {
        const uint32_t at = begin + i;
        if (bits[at / 64] >> at % 64 & mask[i / 64] >> i % 64 & 1)
            assert_int_equal(to[found++], number[i] + 1000);
    }
    assert_int_equal(found, seen);
    for (uint32_t i = 0; i < n; i++) x[i] = random_word() % 3 ? 0.0f : (float)i - 7;
    if (n > 5) x[3] = NAN, x[4] = -0.0f, x[5] = -INFINITY;
    const uint32_t count = k->list_nonzero(n, x, index, value);
    found = 0;
    for (uint32_t i = 0; i < n; i++)
        if (x[i] < 0 || x[i] > 0 || isnan(x[i])) {
            assert_int_equal(index[found], i);
            assert_memory_equal(&value[found++], &x[i], sizeof *x);
        }
    assert_int_equal(found, count);
}

static void test_lists(void **state)
{
    (void)state;
    for_all(lists_case);
}

static float at(const float *x, size_t width, uint32_t line, uint32_t i, uint32_t place)
{
    return x[(2 * line + place / 2) * width + 2 * (size_t)i + place % 2];
}

/* Every third number is one of two values, so that many are equal. */
static void winners_of(const rheo_kernels *k, uint32_t lines, uint32_t n, uint32_t width,
                       bool first)
{
    const size_t all = 2 * (size_t)lines * width, windows = (size_t)lines * n;
    float *x = malloc((all + 1) * sizeof *x), *to = malloc((all + 1) * sizeof *to);
    float *g = malloc((windows + 1) * sizeof *g);
    uint32_t *draw = malloc((windows + 1) * sizeof *draw);
    uint8_t *place = malloc(windows + 1);
    assert_true(x && to && g && draw && place);
    fill(x, all), fill(g, windows);
    for (size_t i = 0; i < all; i++)
        if (random_word() % 3) x[i] = (float)(random_word() % 2);
    for (size_t i = 0; i < windows; i++) draw[i] = random_word();
    for (uint32_t p = 0; p < 4 && n > 1; p++) {
        x[p / 2 * width + p % 2] = -INFINITY;
        x[p / 2 * width + 2 + p % 2] = NAN;
        if (p == 1) x[(2 * lines - 1) * width + 2 * n - 1] = NAN;
    }
    to[all] = 77;
    place[windows] = 77;
    k->places(lines, n, x, width, first ? NULL : draw, place);
    assert_int_equal(place[windows], 77);
    k->spread(lines, n, g, place, width, to);
    for (uint32_t line = 0; line < lines; line++) {
        for (uint32_t i = 0; i < n; i++) {
            float most = -INFINITY;
            uint32_t equal[4], count = 0;
            for (uint32_t p = 0; p < 4; p++) most = fmaxf(most, at(x, width, line, i, p));
            for (uint32_t p = 0; p < 4; p++)
                if (at(x, width, line, i, p) >= most || isnan(at(x, width, line, i, p)))
                    equal[count++] = p;
            const size_t w = (size_t)line * n + i;
            const uint32_t winner = equal[first ? 0 : (uint64_t)draw[w] * count >> 32];
            for (uint32_t p = 0; p < 4; p++)
                assert_true(at(to, width, line, i, p) == (p == winner ? g[w] : 0.0f));
        }
        for (uint32_t i = 2 * n; i < width; i++)
            assert_true(to[2 * line * width + i] == 0 && to[(2 * line + 1) * width + i] == 0);
    }
    assert_true(to[all] == 77);
    to[windows] = 77;
    k->largest(lines, n, x, width, to);
    for (uint32_t line = 0; line < lines; line++)
        for (uint32_t i = 0; i < n; i++) {
            float most = -INFINITY;
            bool none = false;
            for (uint32_t p = 0; p < 4; p++) {
                most = fmaxf(most, at(x, width, line, i, p));
                none = none || isnan(at(x, width, line, i, p));
            }
            const float found = to[(size_t)line * n + i];
            assert_true(none ? isnan(found) : found == most);
        }
    assert_true(to[windows] == 77);
    free(x), free(to), free(g), free(draw), free(place);
}

static void winners_case(const rheo_kernels *k, uint32_t n)
{
    static const uint32_t lines[] = {1, 2, 3, 5, 16};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        winners_of(k, lines[i], n, 2 * n, i % 2);
        winners_of(k, lines[i], n, 2 * n + 1, i % 2);
    }
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
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_norm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
