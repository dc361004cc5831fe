/* response/shrink.h: strengths of simulated groups come back, chance alone is taken for chance, the
 * error that is stated is the error that is made. */
#include "check.h"

#include <math.h>

#include "base/random.h"
#include "response/shrink.h"

enum { CELLS = 24, GROUPS = 4000 };

static size_t draw_cell(random_stream *r, const double *share)
{
    double u = random_unit(r);
    size_t k = 0;
    while (k < CELLS - 1 && u >= share[k])
        u -= share[k++];
    return k;
}

static void make_parent(double *parent)
{
    double sum = 0;
    for (size_t k = 0; k < CELLS; k++)
        sum += parent[k] = k < 6 ? .2 : 1 + (double)(k % 5);
    for (size_t k = 0; k < CELLS; k++)
        parent[k] /= sum;
}

/* Groups of 2 to 31 counts; strength 0: no differences. */
static double fitted_strength(double strength, uint64_t seed)
{
    random_stream r = random_begin(seed, 1);
    double parent[CELLS];
    shrink_sum sum = {0};
    make_parent(parent);
    for (int g = 0; g < GROUPS; g++) {
        double share[CELLS], count[CELLS] = {0}, all = 0;
        for (size_t k = 0; k < CELLS; k++)
            all += share[k] = strength > 0 ? random_gamma(&r, strength * parent[k]) : parent[k];
        for (size_t k = 0; k < CELLS; k++)
            share[k] /= all;
        for (uint32_t n = 2 + random_below(&r, 30); n > 0; n--)
            count[draw_cell(&r, share)]++;
        shrink_add_shares(&sum, count, parent, CELLS, 0, 1);
    }
    return shrink_strength_shares(&sum);
}

static void the_strength_of_shares_comes_back(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        assert_true(fabs(log(fitted_strength(10, seed) / 10)) < .1);
        assert_true(fabs(log(fitted_strength(60, seed) / 60)) < .2);
        assert_true(fitted_strength(0, seed) > 1000);
    }
}

/* The parent is the sum of a few groups: without the correction they would look too much alike. */
static void groups_that_make_up_their_parent_are_not_taken_for_alike(void **state)
{
    random_stream r = random_begin(3, 1);
    double sum_with = 0, sum_without = 0;
    (void)state;
    for (int world = 0; world < 300; world++) {
        double a[2], count[3][2], all[2] = {0};
        shrink_sum with = {0}, without = {0};
        for (int g = 0; g < 3; g++) {
            a[0] = random_gamma(&r, 4);
            a[1] = random_gamma(&r, 16);
            count[g][0] = 0;
            for (int n = 0; n < 400; n++)
                count[g][0] += random_unit(&r) < a[0] / (a[0] + a[1]);
            count[g][1] = 400 - count[g][0];
            all[0] += count[g][0] / 1200;
            all[1] += count[g][1] / 1200;
        }
        for (int g = 0; g < 3; g++) {
            shrink_add_shares(&with, count[g], all, 2, 1200, 1);
            shrink_add_shares(&without, count[g], all, 2, 0, 1);
        }
        sum_with += with.excess / with.scale;
        sum_without += without.excess / without.scale;
    }
    const double rho = 1. / 21;
    assert_true(fabs(sum_with / 300 / rho - 1) < .15);
    assert_true(sum_without / 300 / rho < .8);
}

static void the_strength_of_relative_answers_comes_back(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        random_stream r = random_begin(seed, 2);
        shrink_sum differ = {0}, alike = {0};
        for (int g = 0; g < GROUPS; g++) {
            const uint32_t n = 20 + random_below(&r, 200);
            const double own = random_gamma(&r, 8) / 8;
            double a = 0, b = 0;
            for (uint32_t i = 0; i < n; i++) {
                a += random_unit(&r) < .1 * own;
                b += random_unit(&r) < .1;
            }
            shrink_add_relative(&differ, a, .1 * n, 1, .1);
            shrink_add_relative(&alike, b, .1 * n, 1, .1);
        }
        assert_true(fabs(log(shrink_strength_relative(&differ) / 8)) < .15);
        assert_true(shrink_strength_relative(&alike) > 150);
    }
}

static void few_counts_read_like_the_parent_and_many_like_themselves(void **state)
{
    const shrunk parent = {.1, 0};
    (void)state;
    assert_true(fabs(shrink_share(0, 0, parent, 20, 1).mean - .1) < 1e-12);
    assert_true(fabs(shrink_share(2, 2, parent, 20, 1).mean - 4. / 22) < 1e-12);
    assert_true(shrink_share(200, 200, parent, 20, 1).mean > .9);
    assert_true(fabs(shrink_relative(0, 0, (shrunk){1.5, 0}, 5).mean - 1.5) < 1e-12);
    assert_true(fabs(shrink_relative(12, 5, (shrunk){1, 0}, 5).mean - 1.7) < 1e-12);
}

/* Repeated samples of one group: the mean moves by what the variance says. */
static void the_stated_variance_is_that_of_repeated_samples(void **state)
{
    random_stream r = random_begin(11, 1);
    double sum = 0, squares = 0, stated = 0;
    enum { TIMES = 4000 };
    (void)state;
    for (int t = 0; t < TIMES; t++) {
        double k = 0;
        for (int i = 0; i < 50; i++)
            k += random_unit(&r) < .2;
        const shrunk s = shrink_share(k, 50, (shrunk){.2, 0}, 30, 1);
        sum += s.mean;
        squares += s.mean * s.mean;
        stated += s.variance;
    }
    const double mean = sum / TIMES, seen = squares / TIMES - mean * mean;
    assert_true(fabs(stated / TIMES / seen - 1) < .1);
    /* What the parent does not know is not known here either. */
    assert_true(fabs(shrink_share(0, 0, (shrunk){.2, .01}, 30, 1).variance - .01) < 1e-12);
}

static void nothing_counted_leaves_the_parent_alone(void **state)
{
    const double parent[2] = {.5, .5}, none[2] = {0, 0}, one[2] = {1, 0};
    shrink_sum sum = {0};
    (void)state;
    shrink_add_shares(&sum, none, parent, 2, 0, 1);
    shrink_add_shares(&sum, one, parent, 2, 0, 1);
    assert_true(fabs(shrink_strength_shares(&sum) - SHRINK_PRIOR) < 1e-9);
    assert_true(fabs(shrink_strength_relative(&sum) - SHRINK_PRIOR) < 1e-9);
    assert_true(shrink_spread(0, 0, 5) <= 1);
    assert_true(fabs(shrink_spread(100, 1000, 8) - 2) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_strength_of_shares_comes_back),
        cmocka_unit_test(groups_that_make_up_their_parent_are_not_taken_for_alike),
        cmocka_unit_test(the_strength_of_relative_answers_comes_back),
        cmocka_unit_test(few_counts_read_like_the_parent_and_many_like_themselves),
        cmocka_unit_test(the_stated_variance_is_that_of_repeated_samples),
        cmocka_unit_test(nothing_counted_leaves_the_parent_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
