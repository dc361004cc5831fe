/*
 * The profile's promises, on the coupon shop and on single shoppers written by hand; and
 * that no event at or after the moment can change it.
 */
#include "check.h"

#include <math.h>
#include <string.h>

#include "base/buffer.h"
#include "features/profile.h"
#include "fixtures/coupon_shop.h"

static coupon_shop shop;
static profile_scratch *scratch;
static profile_rules rules;

static int make(void **state)
{
    (void)state;
    coupon_shop_make(&shop);
    rules = profile_rules_default();
    assert_int_equal(profile_scratch_new(&shop.c, &scratch, NULL), PF_OK);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    profile_scratch_free(scratch);
    coupon_shop_free(&shop);
    return 0;
}

static profile compute(uint32_t who, int64_t at_us)
{
    profile p;
    memset(&p, 0, sizeof p);
    assert_int_equal(profile_compute(&shop.c, shop.h, who, at_us, &rules, scratch, &p, NULL),
                     PF_OK);
    return p;
}

/* Everything a profile says, as text: what two of them are compared by, since a struct has
 * padding. Freed with mem_free. */
static char *words_of(const profile *p)
{
    buffer b;
    json_writer w;
    buffer_init(&b, 1 << 20);
    json_begin(&w, &b);
    json_object_begin(&w);
    profile_write_members(p, &shop.c, shop.h, &w);
    json_object_end(&w);
    assert_true(json_finish(&w));
    char *words = mem_copy_text(b.data, b.length);
    assert_non_null(words);
    buffer_free(&b);
    return words;
}

static void assert_same(const profile *a, const profile *b)
{
    char *x = words_of(a), *y = words_of(b);
    assert_string_equal(x, y);
    assert_int_equal(a->events, b->events);
    mem_free(x);
    mem_free(y);
}

/* --- by hand: shopper 1 has only what a test gives ------------------------------------- */

static const int64_t at = COUPON_BEGIN_US + 400 * US_PER_DAY;

static void begin_by_hand(void)
{
    shop.n_rows = 0;
}

static history_row *buy(double days_ago, uint32_t what, int64_t paid, uint64_t order)
{
    history_row *r = coupon_shop_add(&shop, EVENT_PURCHASE, 1,
                                     at - (int64_t)(days_ago * (double)US_PER_DAY));
    r->product = what;
    r->paid_minor = paid;
    r->order = order;
    return r;
}

static profile by_hand(void)
{
    coupon_shop_remake(&shop);
    return compute(1, at);
}

static void end_by_hand(void)
{
    profile_scratch_free(scratch);
    coupon_shop_free(&shop);
    (void)make(NULL);
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9 * (1 + fabs(b));
}

static void nobody_bought_yet_is_no_stage_and_no_numbers(void **state)
{
    (void)state;
    begin_by_hand();
    profile p = by_hand();
    assert_int_equal(p.stage, STAGE_NONE);
    assert_int_equal(p.events, 0);
    assert_true(isnan(p.recency_days) && isnan(p.usual_gap_days) && isnan(p.days_overdue));
    assert_true(isnan(p.average_basket_minor) && isnan(p.price_median_minor));
    assert_true(isnan(p.discount_share) && isnan(p.coupon_share));
    assert_int_equal(p.price_band, 0);
    assert_int_equal(p.categories[0].number, 0);
    end_by_hand();
}

static void windows_hold_what_lies_in_them(void **state)
{
    (void)state;
    begin_by_hand();
    buy(10, 1, 100, 1)->discount_minor = 30;
    buy(10, 2, 200, 1)->coupon_minor = 50;
    buy(28, 3, 400, 2);
    buy(28.5, 4, 800, 3);
    buy(91.5, 5, 1600, 4);
    buy(366, 6, 3200, 5);
    profile p = by_hand();
    assert_int_equal(p.window[0].trips, 2);
    assert_int_equal(p.window[0].lines, 3);
    assert_int_equal(p.window[0].paid_minor, 700);
    assert_int_equal(p.window[0].discount_minor, 30);
    assert_int_equal(p.window[0].coupon_minor, 50);
    assert_int_equal(p.window[1].trips, 3);
    assert_int_equal(p.window[1].paid_minor, 1500);
    assert_int_equal(p.window[2].trips, 4);
    assert_int_equal(p.window[2].paid_minor, 3100);
    assert_int_equal(p.window[0].days, 28);
    assert_int_equal(p.window[2].days, 365);
    assert_int_equal(p.events, 6);
    assert_true(near(p.recency_days, 10));
    assert_true(near(p.average_basket_minor, 6300.0 / 5));
    assert_true(near(p.discount_share, 100.0 / 6300));
    assert_true(near(p.coupon_share, 200.0 / 6300));
    end_by_hand();
}

static void the_usual_gap_is_the_median_between_trips(void **state)
{
    (void)state;
    begin_by_hand();
    buy(50, 1, 100, 1);
    buy(40, 1, 100, 2); /* 10 */
    profile two = by_hand();
    assert_true(isnan(two.usual_gap_days) && isnan(two.days_overdue));
    buy(33, 1, 100, 3); /* 7 */
    buy(3, 1, 100, 4);  /* 30 */
    profile p = by_hand();
    assert_true(near(p.usual_gap_days, 10));
    assert_true(near(p.days_overdue, -7));
    buy(1, 1, 100, 5); /* 2: the median of 2, 7, 10, 30 */
    p = by_hand();
    assert_true(near(p.usual_gap_days, 8.5));
    end_by_hand();
}

static void without_orders_a_local_day_is_a_trip(void **state)
{
    (void)state;
    zone *z;
    assert_int_equal(zone_open(&z, "America/New_York", NULL), PF_OK);
    begin_by_hand();
    buy(10 + 4.0 / 24, 1, 100, 0); /* 20:00 UTC */
    buy(10 - 2.0 / 24, 2, 100, 0); /* 02:00 UTC of the next day, 21:00 in New York */
    profile p = by_hand();
    assert_int_equal(p.window[0].trips, 2);
    rules.zone = z;
    p = by_hand();
    assert_int_equal(p.window[0].trips, 1);
    rules.zone = NULL;
    zone_free(z);
    end_by_hand();
}

static lifecycle_stage stage_after(double silence_days, int trips, double gap_days)
{
    begin_by_hand();
    for (int i = 0; i < trips; i++)
        buy(silence_days + gap_days * (trips - 1 - i), 1, 100, (uint64_t)i + 1);
    return by_hand().stage;
}

static void stages_follow_the_shoppers_own_rhythm(void **state)
{
    (void)state;
    assert_int_equal(stage_after(2, 1, 0), STAGE_NEW);
    assert_int_equal(stage_after(27, 2, 1), STAGE_NEW);
    assert_int_equal(stage_after(7, 10, 7), STAGE_ACTIVE);
    assert_int_equal(stage_after(13.9, 10, 7), STAGE_ACTIVE);
    assert_int_equal(stage_after(14.1, 10, 7), STAGE_AT_RISK);
    assert_int_equal(stage_after(27.9, 10, 7), STAGE_AT_RISK);
    assert_int_equal(stage_after(28.1, 10, 7), STAGE_LAPSED);
    assert_int_equal(stage_after(50, 10, 30), STAGE_ACTIVE);
    assert_int_equal(stage_after(40, 1, 0), STAGE_AT_RISK); /* 14 days stand in */
    assert_int_equal(stage_after(57, 1, 0), STAGE_LAPSED);
    const char *names[] = {"none", "new", "active", "at_risk", "lapsed"};
    for (int s = STAGE_NONE; s <= STAGE_LAPSED; s++)
        assert_string_equal(lifecycle_stage_name((lifecycle_stage)s), names[s]);
    end_by_hand();
}

static void interests_are_decayed_shares_of_spending(void **state)
{
    (void)state;
    begin_by_hand();
    buy(90, 1, 400, 1);  /* half of 400 by now */
    buy(0.001, 11, 600, 2);
    profile p = by_hand();
    assert_int_equal(p.products[0].number, 11);
    assert_int_equal(p.products[1].number, 1);
    assert_int_equal(p.products[2].number, 0);
    assert_true(fabs(p.products[0].share - 0.75) < 1e-4);
    assert_true(fabs(p.products[1].share - 0.25) < 1e-4);
    assert_int_equal(p.categories[0].number, shop.products[11].category);
    assert_int_equal(p.brands[0].number, 1);
    assert_true(fabs(p.brands[0].share - 1) < 1e-9);
    rules.half_life_days = 1e6;
    p = by_hand();
    assert_true(fabs(p.products[1].share - 0.4) < 1e-3);
    rules = profile_rules_default();
    end_by_hand();
}

static void a_line_without_an_amount_counts_its_list_price(void **state)
{
    (void)state;
    begin_by_hand();
    buy(0, 5, 0, 1)->time_us = at - 1;
    shop.rows[0].paid_minor = MONEY_ABSENT; /* 150 by the catalogue */
    buy(0, 6, 450, 1)->time_us = at - 1;
    profile p = by_hand();
    assert_true(fabs(p.products[0].share - 0.75) < 1e-9);
    assert_int_equal(p.window[0].paid_minor, 450);
    end_by_hand();
}

static void price_bands_go_by_the_catalogues_fifths(void **state)
{
    (void)state;
    for (int band = 1; band <= 5; band++) {
        begin_by_hand();
        uint32_t middle = (uint32_t)(12 * band - 6);
        for (int i = 0; i < 3; i++)
            buy(3 - i, middle, shop.products[middle].price_minor * 2, 1)->quantity = 2;
        profile p = by_hand();
        assert_int_equal(p.price_band, band);
        assert_true(near(p.price_median_minor, (double)shop.products[middle].price_minor));
    }
    end_by_hand();
}

static void responses_are_kept_by_kind_and_channel(void **state)
{
    (void)state;
    begin_by_hand();
    const struct {
        event_type type;
        channel by;
    } events[] = {{EVENT_EXPOSURE, CHANNEL_MAIL}, {EVENT_EXPOSURE, CHANNEL_EMAIL},
                  {EVENT_CLICK, CHANNEL_EMAIL},   {EVENT_REDEMPTION, CHANNEL_NONE},
                  {EVENT_DISMISSAL, CHANNEL_EMAIL}};
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        history_row *r = coupon_shop_add(&shop, events[i].type, 1, at - 5);
        r->promotion = 1 + (uint32_t)i % 2;
        r->channel = (uint8_t)events[i].by;
    }
    profile p = by_hand();
    assert_int_equal(p.by_kind[PROMOTION_MONEY_OFF].exposures, 2);
    assert_int_equal(p.by_kind[PROMOTION_MONEY_OFF].clicks, 1);
    assert_int_equal(p.by_kind[PROMOTION_MONEY_OFF].redemptions, 1);
    assert_int_equal(p.by_kind[PROMOTION_MONEY_OFF].dismissals, 1);
    assert_int_equal(p.by_channel[CHANNEL_EMAIL].exposures, 1);
    assert_int_equal(p.by_channel[CHANNEL_MAIL].exposures, 1);
    assert_int_equal(p.by_channel[CHANNEL_EMAIL].dismissals, 1);
    assert_false(p.unsubscribed);
    coupon_shop_add(&shop, EVENT_UNSUBSCRIBE, 1, at - 1);
    assert_true(by_hand().unsubscribed);
    end_by_hand();
}

static void campaigns_are_counted_once_each(void **state)
{
    (void)state;
    begin_by_hand();
    coupon_shop_add(&shop, EVENT_EXPOSURE, 1, at - 9)->campaign = 1;
    coupon_shop_add(&shop, EVENT_EXPOSURE, 1, at - 8)->campaign = 1;
    coupon_shop_add(&shop, EVENT_EXPOSURE, 1, at - 7)->promotion = 1; /* campaign 1's */
    coupon_shop_add(&shop, EVENT_EXPOSURE, 1, at - 6)->campaign = 3;
    coupon_shop_add(&shop, EVENT_REDEMPTION, 1, at - 5)->promotion = 1;
    coupon_shop_add(&shop, EVENT_REDEMPTION, 1, at - 4)->promotion = 2;
    profile p = by_hand();
    assert_int_equal(p.mailed_campaigns, 2);
    assert_int_equal(p.redeemed_campaigns, 1);
    end_by_hand();
}

static void spending_in_a_scope_is_the_strict_past(void **state)
{
    (void)state;
    begin_by_hand();
    uint32_t in = shop.promotions[1].scope[0], out = in > 30 ? 1 : 60;
    buy(9, in, 100, 1);
    buy(4, in, 250, 2);
    buy(2, out, 999, 3);
    buy(0, in, 5000, 4);
    coupon_shop_remake(&shop);
    scope_spend s = profile_scope_spend(shop.h, &shop.promotions[1], 1, at);
    assert_int_equal(s.lines, 2);
    assert_int_equal(s.paid_minor, 350);
    assert_true(near(s.recency_days, 4));
    s = profile_scope_spend(shop.h, &shop.promotions[1], 2, at);
    assert_int_equal(s.lines, 0);
    assert_true(isnan(s.recency_days));
    end_by_hand();
}

static void the_centroid_has_length_one_and_fades(void **state)
{
    (void)state;
    float vectors[COUPON_PRODUCTS * 2] = {0}, c[2];
    vectors[0] = 1; /* product 1: (1, 0) */
    vectors[3] = 1; /* product 2: (0, 1) */
    begin_by_hand();
    buy(90, 1, 100, 1);
    buy(0.0001, 2, 100, 2);
    coupon_shop_remake(&shop);
    assert_true(profile_centroid(shop.h, 1, at, 90, vectors, 2, c));
    assert_true(fabs((double)c[0] * (double)c[0] + (double)c[1] * (double)c[1] - 1) < 1e-5);
    assert_true(fabs((double)(c[1] / c[0]) - 2) < 1e-3);
    assert_false(profile_centroid(shop.h, 2, at, 90, vectors, 2, c));
    end_by_hand();
}

static void favourites_in_a_scope_are_what_most_was_spent_on(void **state)
{
    (void)state;
    begin_by_hand();
    const promotion *p = &shop.promotions[1];
    uint32_t found = 9, best[2];
    buy(9, p->scope[3], 100, 1);
    buy(180, p->scope[1], 1000, 2); /* a quarter by now */
    buy(8, p->scope[2], 150, 3);
    buy(7, p->scope[0] > 30 ? 1 : 60, 9000, 4);
    buy(0, p->scope[4], 9000, 5); /* not before the moment */
    coupon_shop_remake(&shop);
    assert_int_equal(profile_scope_favourites(shop.h, p, 1, at, 90, best, 2, &found, NULL),
                     PF_OK);
    assert_int_equal(found, 2);
    assert_int_equal(best[0], p->scope[1]);
    assert_int_equal(best[1], p->scope[2]);
    assert_int_equal(profile_scope_favourites(shop.h, p, 2, at, 90, best, 2, &found, NULL),
                     PF_OK);
    assert_int_equal(found, 0);
    end_by_hand();
}

/* --- on the whole shop ---------------------------------------------------------------------- */

static void no_event_at_or_after_the_moment_changes_a_profile(void **state)
{
    (void)state;
    int64_t when = coupon_start_us(5);
    static char *before[COUPON_SHOPPERS + 1];
    for (uint32_t who = 1; who <= COUPON_SHOPPERS; who++) {
        profile p = compute(who, when);
        before[who] = words_of(&p);
    }
    uint64_t n = shop.n_rows;
    for (uint64_t i = 0; i < n; i++)
        if (shop.rows[i].time_us >= when) {
            shop.rows[i].paid_minor = 5;
            shop.rows[i].product = 1;
            shop.rows[i].type = EVENT_UNSUBSCRIBE;
        }
    for (uint32_t who = 1; who <= COUPON_SHOPPERS; who++) {
        coupon_shop_add(&shop, EVENT_PURCHASE, who, when)->product = 9;
        coupon_shop_add(&shop, EVENT_REDEMPTION, who, when)->promotion = 9;
        coupon_shop_add(&shop, EVENT_EXPOSURE, who, when)->campaign = 5;
    }
    coupon_shop_remake(&shop);
    for (uint32_t who = 1; who <= COUPON_SHOPPERS; who++) {
        profile p = compute(who, when);
        char *after = words_of(&p);
        assert_string_equal(before[who], after);
        mem_free(before[who]);
        mem_free(after);
    }
    end_by_hand();
}

static void the_favourite_category_is_found(void **state)
{
    (void)state;
    for (uint32_t who = 1; who <= COUPON_SHOPPERS; who++) {
        profile p = compute(who, coupon_week_us(COUPON_WEEKS));
        assert_int_equal(p.categories[0].number, 3 + who % 6);
        assert_int_equal(p.stage, STAGE_ACTIVE);
    }
}

static void a_profile_does_not_depend_on_the_one_before(void **state)
{
    (void)state;
    profile first = compute(17, coupon_start_us(4));
    (void)compute(18, coupon_start_us(4));
    profile again = compute(17, coupon_start_us(4));
    assert_same(&first, &again);
}

static void shoppers_that_are_not_there_are_not_found(void **state)
{
    (void)state;
    profile p;
    assert_int_equal(profile_compute(&shop.c, shop.h, 0, at, &rules, scratch, &p, NULL),
                     PF_NOT_FOUND);
    assert_int_equal(profile_compute(&shop.c, shop.h, COUPON_SHOPPERS + 1, at, &rules, scratch,
                                     &p, NULL), PF_NOT_FOUND);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    fault f = {0};
    while (fault_next(&f)) {
        profile_scratch *s = NULL;
        profile p;
        pf_status status = profile_scratch_new(&shop.c, &s, NULL);
        if (status == PF_OK)
            status = profile_compute(&shop.c, shop.h, 5, coupon_start_us(6), &rules, s, &p,
                                     NULL);
        if (status == PF_OK) /* and the scratch is fit for use after a failure */
            status = profile_compute(&shop.c, shop.h, 6, coupon_start_us(6), &rules, s, &p,
                                     NULL);
        if (fault_reached(&f))
            assert_int_equal(status, PF_NO_MEMORY);
        if (s != NULL) {
            profile good = compute(6, coupon_start_us(6)), then;
            memset(&then, 0, sizeof then);
            assert_int_equal(profile_compute(&shop.c, shop.h, 6, coupon_start_us(6), &rules, s,
                                             &then, NULL), PF_OK);
            assert_same(&good, &then);
        }
        profile_scratch_free(s);
    }
    assert_true(f.n > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_bought_yet_is_no_stage_and_no_numbers),
        cmocka_unit_test(windows_hold_what_lies_in_them),
        cmocka_unit_test(the_usual_gap_is_the_median_between_trips),
        cmocka_unit_test(without_orders_a_local_day_is_a_trip),
        cmocka_unit_test(stages_follow_the_shoppers_own_rhythm),
        cmocka_unit_test(interests_are_decayed_shares_of_spending),
        cmocka_unit_test(a_line_without_an_amount_counts_its_list_price),
        cmocka_unit_test(price_bands_go_by_the_catalogues_fifths),
        cmocka_unit_test(responses_are_kept_by_kind_and_channel),
        cmocka_unit_test(campaigns_are_counted_once_each),
        cmocka_unit_test(spending_in_a_scope_is_the_strict_past),
        cmocka_unit_test(favourites_in_a_scope_are_what_most_was_spent_on),
        cmocka_unit_test(the_centroid_has_length_one_and_fades),
        cmocka_unit_test(no_event_at_or_after_the_moment_changes_a_profile),
        cmocka_unit_test(the_favourite_category_is_found),
        cmocka_unit_test(a_profile_does_not_depend_on_the_one_before),
        cmocka_unit_test(shoppers_that_are_not_there_are_not_found),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
