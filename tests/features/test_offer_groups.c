/* Groups of promotions: dates, members, whom they were shown to, who used what. */
#include "check.h"

#include "features/offer_groups.h"
#include "fixtures/coupon_shop.h"

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

static offer_groups *groups_of_shop(void)
{
    offer_groups *g;
    coupon_shop_remake(&shop);
    assert_int_equal(offer_groups_new(&shop.c, shop.h, &g, NULL), PF_OK);
    return g;
}

static void campaigns_are_groups_in_order_of_their_start(void **state)
{
    (void)state;
    offer_groups *g = groups_of_shop();
    assert_int_equal(g->n, COUPON_CAMPAIGNS);
    for (uint32_t k = 0; k < g->n; k++) {
        assert_int_equal(g->group[k].campaign, k + 1);
        assert_int_equal(g->group[k].n_promotions, COUPON_EACH);
        assert_int_equal(g->of_campaign[k + 1], k);
        assert_true(g->group[k].starts_us == coupon_start_us(k + 1));
        assert_true(g->group[k].ends_us == coupon_end_us(k + 1));
        for (uint32_t i = 0; i < COUPON_EACH; i++)
            assert_int_equal(g->of_promotion[g->group[k].promotion[i]], k);
        assert_int_equal(g->group[k].kind == g->group[0].kind, k % 2 == 0);
    }
    offer_groups_free(g);
}

static void members_are_whom_it_was_shown_to(void **state)
{
    (void)state;
    offer_groups *g = groups_of_shop();
    for (uint32_t k = 0; k < g->n; k++)
        for (uint32_t i = 0; i < g->group[k].n_shoppers; i++) {
            uint32_t who = g->group[k].shopper[i];
            assert_true((who * 7 + k + 1) % 5 != 0);
            assert_true(i == 0 || who > g->group[k].shopper[i - 1]);
        }
    assert_int_equal(g->group[0].n_shoppers, COUPON_SHOPPERS * 4 / 5);
    offer_groups_free(g);
}

static void a_promotion_alone_is_a_group(void **state)
{
    (void)state;
    uint32_t number = ++shop.c.n_promotions;
    uint64_t rows = shop.n_rows;
    shop.promotions[number] = shop.promotions[1];
    shop.promotions[number].campaign = 0;
    shop.promotions[number].starts_us = coupon_week_us(3);
    shop.promotions[number].ends_us = TIME_ABSENT;
    coupon_shop_add(&shop, EVENT_EXPOSURE, 5, coupon_week_us(4))->promotion = number;
    coupon_shop_add(&shop, EVENT_EXPOSURE, 5, coupon_week_us(5))->promotion = number;
    coupon_shop_add(&shop, EVENT_REDEMPTION, 5, coupon_week_us(5))->promotion = number;
    offer_groups *g = groups_of_shop();
    uint32_t k = g->of_promotion[number];
    assert_int_equal(k, 0); /* it starts before the campaigns */
    assert_int_equal(g->group[k].campaign, 0);
    assert_int_equal(g->group[k].n_promotions, 1);
    assert_int_equal(g->group[k].n_shoppers, 1); /* shown twice, listed once */
    assert_true(g->group[k].ends_us == coupon_week_us(3) + OFFER_OPEN_DAYS * US_PER_DAY);
    assert_true(offer_used(g, k, 5, number));
    assert_true(offer_used(g, k, 5, 0));
    assert_false(offer_used(g, k, 6, 0));
    offer_groups_free(g);
    shop.c.n_promotions--;
    shop.n_rows = rows;
}

static void a_campaign_without_a_start_begins_with_its_first_exposure(void **state)
{
    (void)state;
    campaign *c = &shop.campaigns[2];
    campaign kept = *c;
    c->starts_us = c->ends_us = TIME_ABSENT;
    for (uint32_t i = 1; i <= COUPON_PROMOTIONS; i++)
        if (shop.promotions[i].campaign == 2)
            shop.promotions[i].starts_us = TIME_ABSENT;
    offer_groups *g = groups_of_shop();
    const offer_group *group = &g->group[g->of_campaign[2]];
    assert_true(group->starts_us == coupon_start_us(2));
    assert_true(group->ends_us == coupon_start_us(2) + OFFER_OPEN_DAYS * US_PER_DAY);
    offer_groups_free(g);
    for (uint32_t i = 1; i <= COUPON_PROMOTIONS; i++)
        if (shop.promotions[i].campaign == 2)
            shop.promotions[i].starts_us = coupon_start_us(2);
    *c = kept;
}

static void what_was_never_shown_and_has_no_date_never_starts(void **state)
{
    (void)state;
    uint32_t number = ++shop.c.n_promotions;
    shop.promotions[number] = shop.promotions[1];
    shop.promotions[number].campaign = 0;
    shop.promotions[number].starts_us = shop.promotions[number].ends_us = TIME_ABSENT;
    offer_groups *g = groups_of_shop();
    assert_true(g->group[g->of_promotion[number]].starts_us == INT64_MAX);
    offer_groups_free(g);
    shop.c.n_promotions--;
}

static void uses_outside_the_dates_and_late_exposures_do_not_count(void **state)
{
    (void)state;
    uint64_t rows = shop.n_rows;
    uint32_t who = 3; /* (3 * 7 + 4) % 5 == 0: was not mailed campaign 4 */
    history_row *r = coupon_shop_add(&shop, EVENT_REDEMPTION, who, coupon_start_us(4) - 1);
    r->campaign = 4;
    r->promotion = 3 * COUPON_EACH + 1;
    r = coupon_shop_add(&shop, EVENT_REDEMPTION, who, coupon_end_us(4));
    r->campaign = 4;
    r->promotion = 3 * COUPON_EACH + 1;
    coupon_shop_add(&shop, EVENT_EXPOSURE, who, coupon_end_us(4))->campaign = 4;
    offer_groups *g = groups_of_shop();
    uint32_t k = g->of_campaign[4];
    assert_false(offer_used(g, k, who, 0));
    assert_true(offer_first_use_us(g, k, who) == TIME_ABSENT);
    for (uint32_t i = 0; i < g->group[k].n_shoppers; i++)
        assert_int_not_equal(g->group[k].shopper[i], who);
    offer_groups_free(g);
    shop.n_rows = rows;
    r = coupon_shop_add(&shop, EVENT_REDEMPTION, who, coupon_start_us(4));
    r->campaign = 4;
    g = groups_of_shop();
    assert_true(offer_first_use_us(g, g->of_campaign[4], who) == coupon_start_us(4));
    assert_true(offer_used(g, g->of_campaign[4], who, 0));
    assert_false(offer_used(g, g->of_campaign[4], who, 3 * COUPON_EACH + 1));
    offer_groups_free(g);
    shop.n_rows = rows;
}

static void events_of_a_shopper_are_in_order_of_time(void **state)
{
    (void)state;
    offer_groups *g = groups_of_shop();
    uint64_t uses = 0;
    for (uint64_t i = 0; i < shop.h->n; i++)
        uses += shop.h->type[i] == EVENT_REDEMPTION;
    assert_int_equal(g->first_use[COUPON_SHOPPERS + 1], uses);
    for (uint32_t s = 1; s <= COUPON_SHOPPERS; s++)
        for (uint64_t i = g->first_use[s]; i + 1 < g->first_use[s + 1]; i++)
            assert_true(g->use[i].time_us <= g->use[i + 1].time_us);
    offer_groups_free(g);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    fault f = {0};
    coupon_shop_remake(&shop);
    while (fault_next(&f)) {
        offer_groups *g;
        pf_status status = offer_groups_new(&shop.c, shop.h, &g, NULL);
        if (fault_reached(&f)) {
            assert_int_equal(status, PF_NO_MEMORY);
            assert_null(g);
        }
        offer_groups_free(g);
    }
    assert_true(f.n > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(campaigns_are_groups_in_order_of_their_start),
        cmocka_unit_test(members_are_whom_it_was_shown_to),
        cmocka_unit_test(a_promotion_alone_is_a_group),
        cmocka_unit_test(a_campaign_without_a_start_begins_with_its_first_exposure),
        cmocka_unit_test(what_was_never_shown_and_has_no_date_never_starts),
        cmocka_unit_test(uses_outside_the_dates_and_late_exposures_do_not_count),
        cmocka_unit_test(events_of_a_shopper_are_in_order_of_time),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
