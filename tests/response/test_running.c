/*
 * A campaign that is still running, on the coupon shop: a promotion that is used much more than was
 * foretold gets a factor for it by its own evidence so far, and nothing of the future is read.
 */
#include "check.h"

#include <math.h>
#include <string.h>

#include "fixtures/coupon_shop.h"
#include "response/running.h"

enum { CAMPAIGN = 6, LOUD = (CAMPAIGN - 1) * COUPON_EACH + 2 };

static coupon_shop shop;

static int make(void **state)
{
    (void)state;
    coupon_shop_make(&shop);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    coupon_shop_free(&shop);
    return 0;
}

static int64_t middle_us(void)
{
    return coupon_start_us(CAMPAIGN) + (coupon_end_us(CAMPAIGN) - coupon_start_us(CAMPAIGN)) / 2;
}

static response_data *data_of_shop(void)
{
    response_data *d;
    const response_world world = {.catalogue = &shop.c, .history = shop.h};
    assert_int_equal(response_data_new(&world, &d, NULL), PF_OK);
    return d;
}

static response_model *fit(const response_data *d, int64_t until_us)
{
    response_model *m;
    pf_error err = {0};
    const response_options o = {.learner = RESPONSE_LOGISTIC, .seed = 1};
    if (response_fit(d, until_us, &o, &m, &err) != PF_OK) fail_msg("%s", err.message);
    return m;
}

/* Half of all shoppers use one promotion at a moment. */
static void make_loud(int64_t time_us)
{
    for (uint32_t who = 1; who <= COUPON_SHOPPERS; who += 2)
        coupon_shop_add(&shop, EVENT_REDEMPTION, who, time_us)->promotion = LOUD;
    coupon_shop_remake(&shop);
}

static gamma_belief own_of(const response_model *m, const response_data *d, uint32_t number)
{
    return factors_own(&m->c.f, d->kinds.key[number]);
}

static void before_it_starts_a_promotion_reads_like_its_kind(void **state)
{
    (void)state;
    response_data *d = data_of_shop();
    response_model *m = fit(d, coupon_start_us(CAMPAIGN));
    gamma_belief own = own_of(m, d, LOUD);
    assert_true(fabs(own.shape - m->c.f.shape.nu) <= 0);
    assert_true(fabs(own.rate - m->c.f.shape.nu) <= 0);
    response_free(m);
    response_data_free(d);
}

static void while_it_runs_about_as_much_is_expected_as_comes(void **state)
{
    (void)state;
    response_data *d = data_of_shop();
    response_model *m = fit(d, middle_us());
    double expected = 0, answers = 0;
    for (uint32_t k = 0; k < COUPON_EACH; k++) {
        gamma_belief own = own_of(m, d, (CAMPAIGN - 1) * COUPON_EACH + k + 1);
        expected += own.rate - m->c.f.shape.nu;
        answers += own.shape - m->c.f.shape.nu;
    }
    assert_true(answers > 5);
    if (expected < 0.5 * answers || expected > 2 * answers)
        fail_msg("%.1f expected by now, %.0f came", expected, answers);
    response_free(m);
    response_data_free(d);
}

static void one_that_brings_more_is_known_for_it_and_scored_so(void **state)
{
    (void)state;
    response_data *d = data_of_shop();
    response_model *m = fit(d, middle_us());
    gamma_belief before = own_of(m, d, LOUD), other = own_of(m, d, LOUD + 1);
    const uint32_t asked[2] = {LOUD, LOUD + 1}, who = 5;
    const response_ask ask = {CAMPAIGN, asked, 2, &who, 1, coupon_start_us(CAMPAIGN)};
    response_scores quiet, loud;
    assert_int_equal(response_score(m, d, &ask, &quiet, NULL), PF_OK);
    response_free(m);
    response_data_free(d);

    make_loud(coupon_start_us(CAMPAIGN) + US_PER_DAY);
    d = data_of_shop();
    m = fit(d, middle_us());
    gamma_belief after = own_of(m, d, LOUD), same = own_of(m, d, LOUD + 1);
    assert_true(gamma_belief_mean(after) > 1.5 * gamma_belief_mean(before));
    assert_true(gamma_belief_sd(after) / gamma_belief_mean(after) <
                gamma_belief_sd(before) / gamma_belief_mean(before));
    assert_true(fabs(same.shape - other.shape) <= 0 && fabs(same.rate - other.rate) <= 0);
    assert_int_equal(response_score(m, d, &ask, &loud, NULL), PF_OK); /* rows of its start */
    assert_true(loud.p[0] > 1.2f * quiet.p[0] || loud.p[0] > 0.99f * loud.any[0]);
    response_scores_free(&quiet);
    response_scores_free(&loud);
    response_free(m);
    response_data_free(d);
    (void)unmake(NULL);
    (void)make(NULL);
}

static void nothing_at_or_after_the_moment_is_read(void **state)
{
    (void)state;
    response_data *d = data_of_shop();
    response_model *m = fit(d, middle_us());
    gamma_belief before[COUPON_EACH];
    for (uint32_t k = 0; k < COUPON_EACH; k++)
        before[k] = own_of(m, d, (CAMPAIGN - 1) * COUPON_EACH + k + 1);
    response_free(m);
    response_data_free(d);
    make_loud(middle_us());
    for (uint64_t i = 0; i < shop.n_rows; i++) /* more are shown it later */
        if (shop.rows[i].time_us >= middle_us() && i % 3 == 0) {
            shop.rows[i].type = EVENT_EXPOSURE;
            shop.rows[i].campaign = CAMPAIGN;
        }
    coupon_shop_remake(&shop);
    d = data_of_shop();
    m = fit(d, middle_us());
    for (uint32_t k = 0; k < COUPON_EACH; k++) {
        gamma_belief now = own_of(m, d, (CAMPAIGN - 1) * COUPON_EACH + k + 1);
        assert_true(fabs(now.shape - before[k].shape) <= 0);
        assert_true(fabs(now.rate - before[k].rate) <= 0);
    }
    response_free(m);
    response_data_free(d);
    (void)unmake(NULL);
    (void)make(NULL);
}

static void every_failed_allocation_leaves_the_factors(void **state)
{
    (void)state;
    response_data *d = data_of_shop();
    response_model *m = fit(d, coupon_start_us(CAMPAIGN));
    const size_t arms = m->c.f.n_arms;
    fault f = {0};
    while (fault_next(&f)) {
        pf_status s = running_add(m, d, middle_us(), NULL);
        if (fault_reached(&f)) {
            assert_int_equal(s, PF_NO_MEMORY);
            assert_int_equal(m->c.f.n_arms, arms);
        }
    }
    assert_true(f.n > 8);
    assert_true(m->c.f.n_arms == arms + COUPON_EACH);
    response_free(m);
    response_data_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_it_starts_a_promotion_reads_like_its_kind),
        cmocka_unit_test(while_it_runs_about_as_much_is_expected_as_comes),
        cmocka_unit_test(one_that_brings_more_is_known_for_it_and_scored_so),
        cmocka_unit_test(nothing_at_or_after_the_moment_is_read),
        cmocka_unit_test(every_failed_allocation_leaves_the_factors),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
