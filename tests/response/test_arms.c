/* response/arms.h: posteriors by hand, draws that follow them, shrinkage, what is refused. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "response/arms.h"

static void mean_and_variance(const draws *d, size_t w, double *mean, double *variance)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < d->draws; i++)
        sum += d->value[i * d->width + w];
    *mean = sum / (double)d->draws;
    for (size_t i = 0; i < d->draws; i++)
        squares += pow(d->value[i * d->width + w] - *mean, 2);
    *variance = squares / (double)d->draws;
}

static void a_posterior_is_counts_and_strength_trials_of_its_arm(void **state)
{
    arms a;
    (void)state;
    assert_int_equal(arms_new(&a, 2, 2, NULL), PF_OK);
    arms_add(&a, 0, 0, 10, 4, NULL);
    arms_add(&a, 0, 1, 30, 6, NULL);
    /* all: (.5 + 10) / 41; arm 0: (10 + 8 all) / 48 */
    const double all = 10.5 / 41, rate = (10 + 8 * all) / 48;
    const arms_beta b = arms_posterior(&a, 0, 1, 8), none = arms_posterior(&a, 1, 0, 8);
    assert_true(fabs(b.answers - (6 + 8 * rate)) < 1e-12);
    assert_true(fabs(b.others - (24 + 8 * (1 - rate))) < 1e-12);
    /* An arm without a row reads like all arms. */
    assert_true(fabs(none.answers - 8 * all) < 1e-12);
    arms_free(&a);
}

static void draws_have_mean_and_variance_of_the_beta(void **state)
{
    arms a;
    draws d;
    (void)state;
    arms_new(&a, 1, 2, NULL);
    arms_add(&a, 0, 0, 200, 10, NULL);
    assert_int_equal(draws_new(&d, 4096, 2, 5, 1, NULL), PF_OK);
    assert_int_equal(arms_draw(&a, 4, &d, NULL), PF_OK);
    for (size_t s = 0; s < 2; s++) {
        const arms_beta b = arms_posterior(&a, 0, s, 4);
        const double n = b.answers + b.others, expected = b.answers / n;
        const double spread = expected * (1 - expected) / (n + 1);
        double mean, variance;
        mean_and_variance(&d, s, &mean, &variance);
        assert_true(fabs(mean - expected) < 4 * sqrt(spread / 4096));
        assert_true(fabs(variance / spread - 1) < .3);
    }
    draws_free(&d);
    arms_free(&a);
}

static void draws_come_again_from_seed_and_publication_whatever_the_order(void **state)
{
    arms a, b;
    draws first, again, next;
    (void)state;
    arms_new(&a, 3, 1, NULL);
    arms_new(&b, 3, 1, NULL);
    for (size_t i = 0; i < 60; i++) {
        arms_add(&a, i % 3, 0, 1, i % 5 == 0, NULL);
        arms_add(&b, (59 - i) % 3, 0, 1, (59 - i) % 5 == 0, NULL);
    }
    draws_new(&first, 64, 3, 11, 1, NULL);
    draws_new(&again, 64, 3, 11, 1, NULL);
    draws_new(&next, 64, 3, 11, 2, NULL);
    assert_int_equal(arms_draw(&a, 0, &first, NULL), PF_OK);
    assert_int_equal(arms_draw(&b, 0, &again, NULL), PF_OK);
    assert_int_equal(arms_draw(&a, 0, &next, NULL), PF_OK);
    assert_memory_equal(first.value, again.value, 64 * 3 * sizeof(double));
    assert_true(memcmp(first.value, next.value, 64 * 3 * sizeof(double)) != 0);
    draws_free(&first);
    draws_free(&again);
    draws_free(&next);
    arms_free(&a);
    arms_free(&b);
}

static void strength_follows_how_much_segments_differ(void **state)
{
    arms same, apart;
    (void)state;
    arms_new(&same, 4, 20, NULL);
    arms_new(&apart, 4, 20, NULL);
    for (size_t i = 0; i < 80; i++) {
        arms_add(&same, i % 4, i / 4, 200, 60, NULL);
        arms_add(&apart, i % 4, i / 4, 200, i / 4 % 2 ? 20 : 120, NULL);
    }
    assert_true(arms_strength(&same) >= 1024);
    assert_true(arms_strength(&apart) <= 16);
    arms_free(&same);
    arms_free(&apart);
}

/* Rates are drawn from the very Beta that shrinkage assumes; 80 % of them must lie in 80 % of
 * their draws. 4,000 cells: the standard error of the share is .63 points. */
static void four_of_five_rates_lie_in_the_middle_of_their_draws(void **state)
{
    enum { CELLS = 4000, D = 256 };
    arms a;
    draws d;
    size_t within = 0;
    static double rate[CELLS];
    (void)state;
    assert_int_equal(arms_new(&a, 1, CELLS, NULL), PF_OK);
    for (size_t s = 0; s < CELLS; s++) {
        random_stream r = random_begin(17, s);
        const double x = random_gamma(&r, 3), y = random_gamma(&r, 61);
        uint64_t answers = 0;
        rate[s] = x / (x + y);
        for (int t = 0; t < 40; t++)
            answers += random_unit(&r) < rate[s];
        arms_add(&a, 0, s, 40, answers, NULL);
    }
    assert_int_equal(draws_new(&d, D, CELLS, 3, 1, NULL), PF_OK);
    assert_int_equal(arms_draw(&a, 0, &d, NULL), PF_OK);
    for (size_t s = 0; s < CELLS; s++) {
        size_t below = 0;
        for (size_t i = 0; i < D; i++)
            below += d.value[i * CELLS + s] < rate[s];
        within += below >= D / 10 && below <= D - D / 10;
    }
    assert_true(fabs((double)within / CELLS - .8) < .03);
    draws_free(&d);
    arms_free(&a);
}

static void publications_are_due_after_so_many_trials(void **state)
{
    arms a;
    draws d;
    (void)state;
    arms_new(&a, 1, 1, NULL);
    draws_new(&d, 2, 1, 1, 1, NULL);
    a.publish_every = 10;
    arms_add(&a, 0, 0, 9, 0, NULL);
    assert_false(arms_due(&a));
    arms_add(&a, 0, 0, 1, 0, NULL);
    assert_true(arms_due(&a));
    assert_int_equal(arms_draw(&a, 0, &d, NULL), PF_OK);
    assert_false(arms_due(&a));
    draws_free(&d);
    arms_free(&a);
}

static void nothing_or_everything_answered_leaves_rates_within_bounds(void **state)
{
    arms a;
    draws d;
    (void)state;
    arms_new(&a, 3, 1, NULL);
    arms_add(&a, 0, 0, 100000, 0, NULL);
    arms_add(&a, 1, 0, 100000, 100000, NULL);
    draws_new(&d, 64, 3, 1, 1, NULL);
    const double strengths[] = {0, 1e-300, 1e-9, 1, 1e12};
    for (size_t k = 0; k < sizeof strengths / sizeof strengths[0]; k++) {
        assert_int_equal(arms_draw(&a, strengths[k], &d, NULL), PF_OK);
        for (size_t i = 0; i < 64 * 3; i++)
            assert_true(d.value[i] >= 0 && d.value[i] <= 1);
    }
    draws_free(&d);
    arms_free(&a);
}

static void wrong_counts_are_refused_and_not_counted(void **state)
{
    arms a;
    draws d;
    (void)state;
    assert_int_equal(arms_new(&a, 0, 1, NULL), PF_USAGE);
    assert_int_equal(arms_new(&a, 1 << 15, 1 << 15, NULL), PF_LIMIT);
    assert_int_equal(arms_new(&a, 2, 1, NULL), PF_OK);
    assert_int_equal(arms_add(&a, 2, 0, 1, 0, NULL), PF_DATA);
    assert_int_equal(arms_add(&a, 0, 1, 1, 0, NULL), PF_DATA);
    assert_int_equal(arms_add(&a, 0, 0, 1, 2, NULL), PF_DATA);
    assert_int_equal(arms_add(&a, 0, 0, UINT64_MAX, 0, NULL), PF_DATA);
    assert_int_equal(a.trials[0] + a.trials[1] + a.since, 0);
    draws_new(&d, 2, 2, 1, 1, NULL);
    assert_int_equal(arms_draw(&a, NAN, &d, NULL), PF_USAGE);
    assert_int_equal(arms_draw(&a, -1, &d, NULL), PF_USAGE);
    d.width = 1;
    assert_int_equal(arms_draw(&a, 1, &d, NULL), PF_USAGE);
    draws_free(&d);
    arms_free(&a);
}

static void want_of_memory_is_told(void **state)
{
    fault f = {0};
    (void)state;
    while (fault_next(&f)) {
        arms a;
        const pf_status s = arms_new(&a, 3, 4, NULL);
        assert_int_equal(s, fault_reached(&f) ? PF_NO_MEMORY : PF_OK);
        arms_free(&a);
    }
    assert_true(f.n > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_posterior_is_counts_and_strength_trials_of_its_arm),
        cmocka_unit_test(draws_have_mean_and_variance_of_the_beta),
        cmocka_unit_test(draws_come_again_from_seed_and_publication_whatever_the_order),
        cmocka_unit_test(strength_follows_how_much_segments_differ),
        cmocka_unit_test(four_of_five_rates_lie_in_the_middle_of_their_draws),
        cmocka_unit_test(publications_are_due_after_so_many_trials),
        cmocka_unit_test(nothing_or_everything_answered_leaves_rates_within_bounds),
        cmocka_unit_test(wrong_counts_are_refused_and_not_counted),
        cmocka_unit_test(want_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
