/* The replayed past says what fitting and scoring at each campaign's start would say. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "features/offer_groups.h"
#include "fixtures/coupon_shop.h"
#include "response/replay.h"

static coupon_shop shop;
static response_data *data;

static int make(void **state)
{
    (void)state;
    coupon_shop_make(&shop);
    response_world world = {.catalogue = &shop.c, .history = shop.h};
    assert_int_equal(response_data_new(&world, &data, NULL), PF_OK);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    response_data_free(data);
    coupon_shop_free(&shop);
    return 0;
}

static response_replay *replay(response_learner learner, int64_t from_us)
{
    response_replay *r;
    pf_error err = {0};
    response_options o = response_options_default();
    o.learner = learner;
    if (response_replay_new(&r, data, from_us, &o, &err) != PF_OK)
        fail_msg("%s", err.message);
    return r;
}

static void campaigns_before_which_nothing_ended_are_left_out(void **state)
{
    (void)state;
    response_replay *r = replay(RESPONSE_LOGISTIC, INT64_MIN);
    assert_int_equal(response_replay_count(r), COUPON_CAMPAIGNS - 1);
    for (size_t i = 0; i < response_replay_count(r); i++)
        assert_int_equal(response_replay_at(r, i)->campaign, i + 2);
    response_replay_free(r);
    r = replay(RESPONSE_LOGISTIC, coupon_start_us(5));
    assert_int_equal(response_replay_count(r), COUPON_CAMPAIGNS - 4);
    response_replay_free(r);
    response_replay_free(NULL);
}

static void it_says_what_a_model_fitted_then_says(void **state)
{
    (void)state;
    const response_learner learners[] = {RESPONSE_LOGISTIC, RESPONSE_AVERAGE, RESPONSE_AUTO};
    for (size_t l = 0; l < 3; l++) {
        response_replay *r = replay(learners[l], coupon_start_us(5));
        for (size_t i = 0; i < response_replay_count(r); i++) {
            const replayed *c = response_replay_at(r, i);
            response_model *m;
            response_scores s;
            response_options o = response_options_default();
            o.learner = learners[l];
            response_ask ask = {c->campaign, c->promotion, c->n_promotions, c->shopper,
                                c->n_shoppers, c->starts_us};
            assert_int_equal(response_fit(data, c->starts_us, &o, &m, NULL), PF_OK);
            assert_int_equal(response_score(m, data, &ask, &s, NULL), PF_OK);
            assert_memory_equal(s.any, c->any, c->n_shoppers * sizeof(float));
            assert_memory_equal(s.order, c->order,
                                c->n_shoppers * c->n_promotions * sizeof(float));
            assert_memory_equal(s.p, c->p, c->n_shoppers * c->n_promotions * sizeof(float));
            response_scores_free(&s);
            response_free(m);
        }
        response_replay_free(r);
    }
}

static void outcomes_are_those_of_the_history(void **state)
{
    (void)state;
    response_replay *r = replay(RESPONSE_LOGISTIC, INT64_MIN);
    offer_groups *g;
    assert_int_equal(offer_groups_new(&shop.c, shop.h, &g, NULL), PF_OK);
    for (size_t i = 0; i < response_replay_count(r); i++) {
        const replayed *c = response_replay_at(r, i);
        uint32_t group = g->of_campaign[c->campaign];
        assert_int_equal(c->n_shoppers, g->group[group].n_shoppers);
        for (size_t s = 0; s < c->n_shoppers; s++) {
            assert_int_equal(c->answered[s], offer_used(g, group, c->shopper[s], 0));
            for (size_t k = 0; k < c->n_promotions; k++)
                assert_int_equal(c->used[s * c->n_promotions + k],
                                 offer_used(g, group, c->shopper[s], c->promotion[k]));
        }
    }
    offer_groups_free(g);
    response_replay_free(r);
}

static void of_a_campaign_that_runs_on_only_a_part_is_seen(void **state)
{
    (void)state;
    response_replay *r = replay(RESPONSE_LOGISTIC, INT64_MIN);
    size_t n = response_replay_count(r);
    for (size_t i = 0; i + 1 < n; i++)
        assert_true(response_replay_at(r, i)->seen == 1);
    /* Two of its three weeks are over; answers come on days 1 to 19 of 21. */
    double seen = response_replay_at(r, n - 1)->seen;
    if (seen < 0.5 || seen > 0.85)
        fail_msg("%.3f of the last campaign is said to be seen", seen);
    response_replay_free(r);
}

static void baselines_are_plain_habits(void **state)
{
    (void)state;
    response_replay *r = replay(RESPONSE_LOGISTIC, INT64_MIN);
    const replayed *c = response_replay_at(r, 1); /* campaign 3 */
    assert_true(c->known_rate > 0.1 && c->known_rate < 0.5);
    for (size_t s = 0; s < c->n_shoppers; s++) {
        uint32_t who = c->shopper[s];
        double sent = 0, answered = 0;
        for (uint32_t k = 1; k < c->campaign; k++)
            sent += (who * 7 + k) % 5 != 0;
        for (size_t i = 0; i < 1; i++) {
            const replayed *before = response_replay_at(r, i);
            for (size_t j = 0; j < before->n_shoppers; j++)
                answered += before->shopper[j] == who && before->answered[j];
        }
        double least = (answered + 0.3) / (sent + 3), most = (answered + 1.3) / (sent + 3);
        assert_true((double)c->share_answered[s] >= least - 1e-6);
        assert_true((double)c->share_answered[s] <= most + 1e-6); /* and campaign 1's */
    }
    response_replay_free(r);
}

static void a_moment_after_everything_is_refused(void **state)
{
    (void)state;
    response_replay *r;
    pf_error err = {0};
    response_options o = response_options_default();
    o.learner = RESPONSE_LOGISTIC;
    assert_int_equal(response_replay_new(&r, data, coupon_week_us(200), &o, &err), PF_DATA);
    assert_null(r);
    assert_non_null(strstr(err.message, "no campaign to evaluate"));
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    response_options o = response_options_default();
    unsigned turns = 0;
    o.learner = RESPONSE_LOGISTIC;
    for (uint64_t at = 1;; at += 7, turns++) {
        response_replay *r;
        mem_fail_at(at);
        pf_status status = response_replay_new(&r, data, coupon_start_us(5), &o, NULL);
        bool reached = mem_allocations_since() >= at;
        mem_fail_at(0);
        if (reached) {
            assert_int_equal(status, PF_NO_MEMORY);
            assert_null(r);
        }
        response_replay_free(r);
        if (!reached)
            break;
    }
    assert_true(turns > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(campaigns_before_which_nothing_ended_are_left_out),
        cmocka_unit_test(it_says_what_a_model_fitted_then_says),
        cmocka_unit_test(outcomes_are_those_of_the_history),
        cmocka_unit_test(of_a_campaign_that_runs_on_only_a_part_is_seen),
        cmocka_unit_test(baselines_are_plain_habits),
        cmocka_unit_test(a_moment_after_everything_is_refused),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
