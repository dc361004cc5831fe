/* Two replays of the coupon shop's past against each other: equal, better, and not comparable. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "evaluate/response_comparison.h"
#include "fixtures/coupon_shop.h"

static coupon_shop shop, blurred;
static response_data *data, *blind;

static response_data *data_of(const coupon_shop *s)
{
    response_data *d;
    const response_world world = {.catalogue = &s->c, .history = s->h};
    assert_int_equal(response_data_new(&world, &d, NULL), PF_OK);
    return d;
}

/* The blurred shop has the same mailings and answers, but what was bought is drawn by lot. */
static int make(void **state)
{
    (void)state;
    coupon_shop_make(&shop);
    coupon_shop_make(&blurred);
    for (uint64_t i = 0; i < blurred.n_rows; i++)
        if (blurred.rows[i].type == EVENT_PURCHASE)
            blurred.rows[i].product = 1 + (uint32_t)(golden_unit(i, 1) * COUPON_PRODUCTS);
    coupon_shop_remake(&blurred);
    data = data_of(&shop);
    blind = data_of(&blurred);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    response_data_free(data);
    response_data_free(blind);
    coupon_shop_free(&shop);
    coupon_shop_free(&blurred);
    return 0;
}

static response_protocol_options options(void)
{
    response_protocol_options o = response_protocol_options_default();
    o.learner = RESPONSE_LOGISTIC;
    o.replicates = 50;
    return o;
}

static response_comparison compare(const response_data *a, const response_data *b,
                                   int64_t ended_us)
{
    response_comparison c;
    pf_error err = {0};
    const response_protocol_options o = options();
    if (response_compare(&c, a, b, &o, ended_us, &err) != PF_OK)
        fail_msg("%s", err.message);
    return c;
}

static void one_is_no_better_than_itself(void **state)
{
    (void)state;
    response_comparison c = compare(data, data, INT64_MAX);
    const response_gain *all[] = {&c.auc, &c.log_loss, &c.ndcg};
    assert_true(c.rows > 400 && c.pairs > 100 && c.campaigns == COUPON_CAMPAIGNS - 1);
    for (size_t i = 0; i < 3; i++) {
        assert_true(all[i]->first > 0 && fabs(all[i]->first - all[i]->second) <= 0);
        assert_true(fabs(all[i]->gain) <= 0 && fabs(all[i]->gain_se) <= 0);
        assert_true(fabs(all[i]->low) <= 0 && fabs(all[i]->high) <= 0);
    }
    assert_true(fabs(c.ece[0] - c.ece[1]) <= 0);
}

static void who_sees_more_is_better_by_all_of_the_interval(void **state)
{
    (void)state;
    response_comparison c = compare(data, blind, INT64_MAX);
    response_comparison back = compare(blind, data, INT64_MAX);
    assert_true(c.ndcg.low > 0.1 && c.ndcg.low <= c.ndcg.gain && c.ndcg.gain <= c.ndcg.high);
    assert_true(fabs(c.ndcg.gain - (c.ndcg.first - c.ndcg.second)) < 1e-12);
    assert_true(c.ndcg.gain_se > 0 && c.ndcg.gain_se < 0.1);
    assert_true(back.ndcg.high < -0.1);
    /* Smaller losses are gains. */
    assert_true(fabs(c.log_loss.gain - (c.log_loss.second - c.log_loss.first)) < 1e-12);
    assert_true(c.log_loss.first > 0);
}

static void only_what_had_ended_takes_part(void **state)
{
    (void)state;
    response_comparison c = compare(data, data, coupon_end_us(4));
    assert_int_equal(c.campaigns, 3); /* 2, 3 and 4; before 1 there is nothing to learn from */
}

static void figures_are_those_of_the_protocol(void **state)
{
    (void)state;
    response_protocol *p;
    const response_protocol_options o = options();
    response_comparison c = compare(data, blind, INT64_MAX);
    assert_int_equal(response_protocol_run(&p, data, &o, NULL), PF_OK);
    assert_true(fabs(p->any_all.own.auc - c.auc.first) < 1e-12);
    assert_true(fabs(p->any_all.own.log_loss - c.log_loss.first) < 1e-12);
    assert_true(fabs(p->any_all.own.ece - c.ece[0]) < 1e-12);
    assert_true(fabs(p->which_all.own.ndcg - c.ndcg.first) < 1e-12);
    response_protocol_free(p);
}

static void other_mailings_are_refused(void **state)
{
    (void)state;
    coupon_shop other;
    response_comparison c;
    pf_error err = {0};
    const response_protocol_options o = options();
    coupon_shop_make(&other);
    for (uint64_t i = 0; i < other.n_rows; i++)
        if (other.rows[i].type == EVENT_EXPOSURE && other.rows[i].shopper % 10 == 1)
            other.rows[i].shopper++;
    coupon_shop_remake(&other);
    response_data *d = data_of(&other);
    assert_int_equal(response_compare(&c, data, d, &o, INT64_MAX, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "same mailings"));
    response_data_free(d);
    coupon_shop_free(&other);
}

static void no_campaign_that_had_ended_is_told(void **state)
{
    (void)state;
    response_comparison c;
    pf_error err = {0};
    const response_protocol_options o = options();
    assert_int_equal(response_compare(&c, data, data, &o, coupon_start_us(1), &err), PF_DATA);
    assert_non_null(strstr(err.message, "had ended"));
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    response_protocol_options o = options();
    unsigned turns = 0;
    o.replicates = 2;
    o.from_us = coupon_start_us(6);
    /* Every one of the first, then some: the replay's own are tested where it lives. */
    for (uint64_t n = 1;; n += n < 8 ? 1 : 17, turns++) {
        response_comparison c;
        mem_fail_at(n);
        pf_status s = response_compare(&c, data, data, &o, INT64_MAX, NULL);
        bool reached = mem_allocations_since() >= n;
        mem_fail_at(0);
        assert_int_equal(s, reached ? PF_NO_MEMORY : PF_OK);
        if (!reached)
            break;
    }
    assert_true(turns > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_no_better_than_itself),
        cmocka_unit_test(who_sees_more_is_better_by_all_of_the_interval),
        cmocka_unit_test(only_what_had_ended_takes_part),
        cmocka_unit_test(figures_are_those_of_the_protocol),
        cmocka_unit_test(other_mailings_are_refused),
        cmocka_unit_test(no_campaign_that_had_ended_is_told),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
