/*
 * Which trips moved a response, on the coupon shop: a trip changes what a history without it
 * changes; trips are whole, of the past, and the largest come first.
 */
#include "check.h"

#include <math.h>
#include <string.h>

#include "fixtures/coupon_shop.h"
#include "response/moved.h"

enum { CAMPAIGN = 6, SHOPPERS = COUPON_SHOPPERS };

static coupon_shop shop;
static response_world world;
static response_data *data;
static uint32_t promotions[COUPON_EACH], everybody[SHOPPERS];

static int make(void **state)
{
    (void)state;
    coupon_shop_make(&shop);
    world = (response_world){.catalogue = &shop.c, .history = shop.h};
    assert_int_equal(response_data_new(&world, &data, NULL), PF_OK);
    for (uint32_t i = 0; i < COUPON_EACH; i++)
        promotions[i] = (CAMPAIGN - 1) * COUPON_EACH + i + 1;
    for (uint32_t i = 0; i < SHOPPERS; i++)
        everybody[i] = i + 1;
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    response_data_free(data);
    coupon_shop_free(&shop);
    return 0;
}

static response_ask ask_all(void)
{
    return (response_ask){.campaign = CAMPAIGN,
                          .promotion = promotions,
                          .n_promotions = COUPON_EACH,
                          .shopper = everybody,
                          .n_shoppers = SHOPPERS,
                          .at_us = coupon_start_us(CAMPAIGN)};
}

static response_model *fit(response_learner learner)
{
    response_model *m;
    pf_error err = {0};
    response_options o = response_options_default();
    o.learner = learner;
    if (response_fit(data, coupon_start_us(CAMPAIGN), &o, &m, &err) != PF_OK)
        fail_msg("%s", err.message);
    return m;
}

static size_t trips_of(const response_model *m, const response_data *d, uint32_t who,
                       response_trip *trips, size_t n)
{
    response_ask ask = ask_all();
    pf_error err = {0};
    size_t found = 0;
    if (response_moved(m, d, &ask, who - 1, trips, n, &found, &err) != PF_OK)
        fail_msg("%s", err.message);
    return found;
}

static double log_odds_of_any(const response_model *m, const response_data *d, uint32_t who)
{
    response_ask ask = ask_all();
    response_scores s;
    ask.shopper = &who;
    ask.n_shoppers = 1;
    assert_int_equal(response_score(m, d, &ask, &s, NULL), PF_OK);
    const double p = (double)s.any[0];
    response_scores_free(&s);
    return log(p / (1 - p));
}

/* The log-odds in a history of which a trip was cut out. What is usual moves a little with it. */
static double log_odds_without(const response_model *m, const response_trip *trip, uint32_t who)
{
    response_data *d;
    const uint64_t n = shop.n_rows;
    static history_row kept[COUPON_ROWS_MAX];
    memcpy(kept, shop.rows, n * sizeof *kept);
    for (uint64_t i = n; i-- > 0;) {
        const history_row *r = &shop.rows[i];
        const bool own = r->type == EVENT_PURCHASE || r->type == EVENT_REDEMPTION;
        if (r->shopper == who && own && r->time_us >= trip->from_us && r->time_us <= trip->last_us)
            shop.rows[i] = shop.rows[--shop.n_rows];
    }
    shop_history *whole = shop.h;
    shop.h = NULL;
    coupon_shop_remake(&shop);
    const response_world less = {.catalogue = &shop.c, .history = shop.h};
    assert_int_equal(response_data_new(&less, &d, NULL), PF_OK);
    const double said = log_odds_of_any(m, d, who);
    response_data_free(d);
    history_free(shop.h);
    shop.h = whole;
    shop.n_rows = n;
    memcpy(shop.rows, kept, n * sizeof *kept);
    return said;
}

static void a_trip_changes_what_a_history_without_it_changes(void **state)
{
    (void)state;
    for (int learner = RESPONSE_LOGISTIC; learner <= RESPONSE_XGBOOST; learner++) {
        response_model *m = fit((response_learner)learner);
        for (uint32_t who = 3; who < 60; who += 27) { /* fans */
            response_trip trips[3];
            const size_t found = trips_of(m, data, who, trips, 3);
            assert_int_equal(found, 3);
            for (size_t i = 0; i < found; i++) {
                const double change =
                    log_odds_of_any(m, data, who) - log_odds_without(m, &trips[i], who);
                if (fabs(change - trips[i].change) > .002 + .01 * fabs(change))
                    fail_msg("learner %d, shopper %u: %g, not %g", learner, who,
                             trips[i].change, change);
            }
        }
        response_free(m);
    }
}

static void trips_are_whole_past_and_the_largest_first(void **state)
{
    (void)state;
    response_model *m = fit(RESPONSE_LOGISTIC);
    response_trip trips[RESPONSE_MOST_TRIPS], few[2];
    const uint32_t who = 9;
    const size_t found = trips_of(m, data, who, trips, RESPONSE_MOST_TRIPS);
    uint32_t lines = 0, expected = 0;
    for (uint64_t i = shop.h->first[who]; i < shop.h->first[who + 1]; i++)
        expected += shop.h->type[i] == EVENT_PURCHASE &&
                    shop.h->time_us[i] < coupon_start_us(CAMPAIGN);
    assert_true(found > 10 && found < RESPONSE_MOST_TRIPS);
    for (size_t i = 0; i < found; i++) {
        lines += trips[i].lines;
        assert_true(trips[i].last_us < coupon_start_us(CAMPAIGN));
        assert_true(trips[i].from_us <= trips[i].last_us);
        assert_int_equal(shop.h->type[trips[i].row], EVENT_PURCHASE);
        assert_true(shop.h->time_us[trips[i].row] == trips[i].last_us);
        if (i == 0) continue;
        const double more = fabs(trips[i - 1].change), less = fabs(trips[i].change);
        assert_true(more > less || (!(less > more) && trips[i - 1].last_us > trips[i].last_us));
    }
    assert_int_equal(lines, expected);
    assert_int_equal(trips_of(m, data, who, few, 2), 2);
    for (size_t i = 0; i < 2; i++)
        assert_true(few[i].row == trips[i].row);
    assert_int_equal(trips_of(m, data, who, few, 0), 0);
    response_free(m);
}

static void who_never_bought_was_moved_by_no_trip(void **state)
{
    (void)state;
    response_model *m = fit(RESPONSE_LOGISTIC);
    response_ask ask = ask_all();
    response_trip trip;
    size_t found = 9;
    ask.at_us = COUPON_BEGIN_US;
    assert_int_equal(response_moved(m, data, &ask, 0, &trip, 1, &found, NULL), PF_OK);
    assert_int_equal(found, 0);
    response_free(m);
}

static void trips_of_nobody_are_refused_and_short_memory_is_told(void **state)
{
    (void)state;
    response_model *m = fit(RESPONSE_AVERAGE);
    response_ask ask = ask_all();
    response_trip trip;
    size_t found = 9;
    uint32_t none = 0;
    assert_int_equal(response_moved(m, data, &ask, SHOPPERS, &trip, 1, &found, NULL), PF_USAGE);
    assert_int_equal(found, 0);
    ask.promotion = &none;
    ask.n_promotions = 1;
    assert_int_equal(response_moved(m, data, &ask, 0, &trip, 1, &found, NULL), PF_USAGE);
    ask = ask_all();
    fault f = {0};
    while (fault_next(&f)) {
        const pf_status status = response_moved(m, data, &ask, 4, &trip, 1, &found, NULL);
        const bool reached = fault_reached(&f);
        assert_int_equal(status, reached ? PF_NO_MEMORY : PF_OK);
        assert_int_equal(found, reached ? 0 : 1);
    }
    assert_true(f.n > 10);
    response_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trip_changes_what_a_history_without_it_changes),
        cmocka_unit_test(trips_are_whole_past_and_the_largest_first),
        cmocka_unit_test(who_never_bought_was_moved_by_no_trip),
        cmocka_unit_test(trips_of_nobody_are_refused_and_short_memory_is_told),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
