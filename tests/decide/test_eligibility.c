/* Each rule of eligibility, alone and at its borders; the order in which they are asked. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "decide/eligibility.h"
#include "message/small_shop.h"

/* 2017-04-10 00:00 UTC, a Monday. */
#define MONDAY (INT64_C(1491782400) * US_PER_SECOND)

typedef struct fixture {
    small_shop shop;
    policy policy;
    history_row rows[64];
    size_t n_rows;
    shop_history *history;
    eligibility_world world;
    promotion *p;
    shopper *s;
} fixture;

static fixture f;

static int setup(void **state)
{
    (void)state;
    memset(&f, 0, sizeof f);
    small_shop_init(&f.shop, 20, "USD");
    (void)small_shop_product(&f.shop, "CHEESE", 0);
    (void)small_shop_product(&f.shop, "BUTTER", 0);
    f.p = small_shop_promotion(&f.shop, PROMOTION_GIFT);
    f.s = small_shop_shopper(&f.shop);
    f.policy = policy_default();
    f.policy.holdout_share = 0;
    f.world = (eligibility_world){
        .policy = &f.policy, .catalogue = &f.shop.c, .at_us = MONDAY + 10 * US_PER_HOUR};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    small_shop_free(&f.shop);
    return 0;
}

static void happened(event_type type, channel by, int64_t time_us)
{
    f.rows[f.n_rows++] = (history_row){.shopper = 1,
                                       .promotion = type == EVENT_REDEMPTION ? 1 : 0,
                                       .type = (uint8_t)type,
                                       .channel = (uint8_t)by,
                                       .time_us = time_us,
                                       .campaign = (uint32_t)f.n_rows};
}

/* The open channels, or 0 and the reason. */
static channel_set ask(reason_facts *why)
{
    eligibility *e = NULL;
    pf_error err = {0};
    shop_history *h = NULL;
    *why = (reason_facts){.reason = REASON_CHOSEN};
    if (f.n_rows > 0) {
        assert_int_equal(
            history_from_rows(&h, f.rows, f.n_rows, f.shop.c.n_shoppers, &err), PF_OK);
        f.world.history = h;
    }
    if (eligibility_new(&e, &f.world, &err) != PF_OK) fail_msg("%s", err.message);
    eligibility_turn_to(e, 1);
    channel_set open = eligibility_check(e, 1, why);
    /* Turning away and back must change nothing. */
    eligibility_turn_to(e, 9999);
    reason_facts other;
    assert_int_equal(eligibility_check(e, 1, &other), 0);
    assert_int_equal(other.reason, REASON_UNKNOWN_SHOPPER);
    eligibility_turn_to(e, 1);
    assert_int_equal(eligibility_check(e, 1, &other), open);
    eligibility_free(e);
    history_free(h);
    f.world.history = NULL;
    return open;
}

static void passes(channel_set expected)
{
    reason_facts why;
    channel_set open = ask(&why);
    if (open == 0) fail_msg("refused: %s", reason_code(why.reason));
    assert_int_equal(open, expected);
}

static reason_facts refused(decide_reason reason)
{
    reason_facts why;
    if (ask(&why) != 0) fail_msg("passed instead of %s", reason_code(reason));
    if (why.reason != reason)
        fail_msg("%s instead of %s", reason_code(why.reason), reason_code(reason));
    return why;
}

static void a_promotion_with_nothing_against_it_passes_by_all_channels(void **state)
{
    (void)state;
    passes(CHANNEL_SET_ALL);
}

static void a_forgotten_shopper_is_unknown(void **state)
{
    (void)state;
    f.s->exists = false;
    (void)refused(REASON_UNKNOWN_SHOPPER);
}

static void it_is_live_from_its_start_to_before_its_end(void **state)
{
    (void)state;
    f.p->starts_us = f.world.at_us;
    f.p->ends_us = f.world.at_us + 1;
    passes(CHANNEL_SET_ALL);
    f.p->starts_us = f.world.at_us + 1;
    f.p->ends_us = TIME_ABSENT;
    reason_facts why = refused(REASON_NOT_LIVE);
    assert_true(why.time_us == f.p->starts_us && why.seen == 1);
    f.p->starts_us = TIME_ABSENT;
    f.p->ends_us = f.world.at_us;
    why = refused(REASON_NOT_LIVE);
    assert_true(why.time_us == f.p->ends_us && why.seen == 0);
}

static void something_of_the_scope_must_be_in_stock(void **state)
{
    (void)state;
    static const uint32_t scope[] = {1, 2};
    uint8_t in_stock[] = {0, 0, 1};
    f.world.in_stock = in_stock;
    passes(CHANNEL_SET_ALL); /* everything is its scope */
    small_shop_scope(&f.shop, f.p, scope, 2);
    passes(CHANNEL_SET_ALL);
    in_stock[2] = 0;
    (void)refused(REASON_NOTHING_IN_STOCK);
    f.world.in_stock = NULL;
    passes(CHANNEL_SET_ALL);
}

/* Categories that the catalogue does not have: it would promise a price on nothing. */
static void a_scope_whose_names_lead_nowhere_is_not_offered(void **state)
{
    (void)state;
    static const uint32_t nowhere[] = {0};
    uint8_t in_stock[] = {1, 1, 1};
    small_shop_scope(&f.shop, f.p, nowhere, 1);
    (void)refused(REASON_NOTHING_IN_STOCK);
    f.world.in_stock = in_stock;
    (void)refused(REASON_NOTHING_IN_STOCK);
}

static void redemptions_count_against_both_limits_when_they_are_past(void **state)
{
    (void)state;
    happened(EVENT_REDEMPTION, CHANNEL_NONE, f.world.at_us - US_PER_DAY);
    happened(EVENT_REDEMPTION, CHANNEL_NONE, f.world.at_us); /* not past */
    f.p->shopper_limit = f.p->redemption_limit = 2;
    passes(CHANNEL_SET_ALL);
    f.p->shopper_limit = 1;
    reason_facts why = refused(REASON_SHOPPER_LIMIT);
    assert_true(why.seen == 1 && why.limit == 1);
    f.p->redemption_limit = 1;
    why = refused(REASON_REDEMPTION_LIMIT);
    assert_true(why.seen == 1 && why.limit == 1);
}

static void a_limit_of_all_counts_other_shoppers_too(void **state)
{
    (void)state;
    (void)small_shop_shopper(&f.shop);
    happened(EVENT_REDEMPTION, CHANNEL_NONE, f.world.at_us - US_PER_DAY);
    f.rows[0].shopper = 2;
    f.p->shopper_limit = 1;
    passes(CHANNEL_SET_ALL);
    f.p->redemption_limit = 1;
    (void)refused(REASON_REDEMPTION_LIMIT);
}

static void stage_lookup(void *context, uint32_t number, const char *name,
                         audience_value *out)
{
    assert_int_equal(number, 1);
    if (strcmp(name, "stage") == 0)
        *out = (audience_value){.kind = AUDIENCE_TEXT, .text = context};
}

static void the_audience_rule_must_be_true(void **state)
{
    (void)state;
    char active[] = "active", lapsed[] = "lapsed";
    f.world.lookup = stage_lookup;
    f.world.lookup_context = active;
    f.p->audience = "stage = active";
    passes(CHANNEL_SET_ALL);
    f.world.lookup_context = lapsed;
    (void)refused(REASON_NOT_IN_AUDIENCE);
    f.p->audience = "income > 3";
    (void)refused(REASON_NOT_IN_AUDIENCE);
    f.world.lookup = NULL;
    f.p->audience = "stage is unknown";
    (void)refused(REASON_NOT_IN_AUDIENCE);
    f.p->audience = "  \n";
    passes(CHANNEL_SET_ALL);
}

static void a_rule_that_picks_nobody_is_found(void **state)
{
    (void)state;
    char lapsed[] = "lapsed";
    eligibility *e = NULL;
    reason_facts why;
    (void)small_shop_promotion(&f.shop, PROMOTION_GIFT);
    f.shop.promotions[2].audience = "stage = lapsed";
    f.p->audience = "stage = active";
    f.world.lookup = stage_lookup;
    f.world.lookup_context = lapsed;
    assert_int_equal(eligibility_new(&e, &f.world, NULL), PF_OK);
    eligibility_turn_to(e, 1);
    (void)eligibility_check(e, 1, &why);
    (void)eligibility_check(e, 2, &why);
    assert_int_equal(eligibility_empty_audience(e, 1), 1);
    assert_int_equal(eligibility_empty_audience(e, 2), 0);
    eligibility_free(e);
}

static void a_wrong_rule_names_its_promotion_and_column(void **state)
{
    (void)state;
    eligibility *e = NULL;
    pf_error err = {0};
    f.p->audience = "stage == active";
    assert_int_equal(eligibility_new(&e, &f.world, &err), PF_DATA);
    assert_non_null(strstr(err.message, "promotion 'O1': audience rule: write ="));
    assert_int_equal(err.column, 7);
}

static void channels_are_those_of_promotion_and_policy(void **state)
{
    (void)state;
    f.p->channels = 1u << CHANNEL_EMAIL | 1u << CHANNEL_SMS;
    passes(1u << CHANNEL_EMAIL | 1u << CHANNEL_SMS);
    f.policy.channels = 1u << CHANNEL_EMAIL | 1u << CHANNEL_MAIL;
    passes(1u << CHANNEL_EMAIL);
    f.policy.channels = 1u << CHANNEL_MAIL;
    (void)refused(REASON_CHANNEL_NOT_ALLOWED);
}

static void consent_opens_a_channel_and_refusal_closes_it(void **state)
{
    (void)state;
    f.s->consent_given = 1u << CHANNEL_EMAIL;
    passes(1u << CHANNEL_EMAIL |
           1u << CHANNEL_SITE); /* the site needs none to be asked */
    f.policy.unasked = 0;
    passes(1u << CHANNEL_EMAIL);
    f.s->consent_given = 0;
    (void)refused(REASON_NO_CONSENT);
    f.s->consent_refused = CHANNEL_SET_ALL;
    (void)refused(REASON_CONSENT_REFUSED);
    f.policy.unasked = CHANNEL_SET_ALL; /* assumed consent does not overrule a refusal */
    (void)refused(REASON_CONSENT_REFUSED);
    f.s->consent_given = CHANNEL_SET_ALL; /* nor does a contradiction in the data */
    (void)refused(REASON_CONSENT_REFUSED);
}

static void who_unsubscribed_is_left_alone(void **state)
{
    (void)state;
    happened(EVENT_UNSUBSCRIBE, CHANNEL_EMAIL, f.world.at_us - 400 * US_PER_DAY);
    passes(CHANNEL_SET_ALL & ~(1u << CHANNEL_EMAIL));
    happened(EVENT_UNSUBSCRIBE, CHANNEL_NONE, f.world.at_us - 1);
    (void)refused(REASON_CONSENT_REFUSED);
}

static void a_channel_without_words_is_closed(void **state)
{
    (void)state;
    frame_set *frames = NULL;
    frame_words w = {
        {PROMOTION_GIFT, CHANNEL_PUSH, LANGUAGE_ZH, ""}, "a", 1, NULL, "{scope}"};
    assert_int_equal(frame_set_new(&frames, NULL), PF_OK);
    assert_int_equal(frame_set_add(frames, &w, NULL), PF_OK);
    f.world.frames = frames;
    (void)refused(REASON_NO_MESSAGE);
    f.world.language = LANGUAGE_ZH;
    passes(1u << CHANNEL_PUSH);
    f.s->language = "en-US";
    (void)refused(REASON_NO_MESSAGE);
    frame_set_free(frames);
}

static void exposures_of_the_day_week_and_month_are_capped(void **state)
{
    (void)state;
    happened(EVENT_EXPOSURE, CHANNEL_EMAIL, MONDAY);
    happened(EVENT_EXPOSURE, CHANNEL_EMAIL, MONDAY - 1);
    happened(EVENT_EXPOSURE, CHANNEL_EMAIL, MONDAY - 6 * US_PER_DAY);
    happened(EVENT_EXPOSURE, CHANNEL_EMAIL, MONDAY - 6 * US_PER_DAY - 1);
    happened(EVENT_EXPOSURE, CHANNEL_EMAIL, MONDAY - 29 * US_PER_DAY);
    happened(EVENT_EXPOSURE, CHANNEL_EMAIL, MONDAY - 29 * US_PER_DAY - 1);
    happened(EVENT_EXPOSURE, CHANNEL_EMAIL, f.world.at_us); /* not past */
    static const policy_window open[] = {{2, 0, 0}, {0, 4, 0}, {0, 0, 6}};
    static const policy_window shut[] = {{1, 0, 0}, {0, 3, 0}, {0, 0, 5}};
    static const uint32_t days[] = {1, 7, 30};
    for (int i = 0; i < 3; i++) {
        f.policy.window = open[i];
        passes(CHANNEL_SET_ALL);
        f.policy.window = shut[i];
        reason_facts why = refused(REASON_EXPOSURE_CAP);
        assert_int_equal(why.days, days[i]);
        assert_int_equal(why.seen, why.limit);
    }
    f.policy.window = (policy_window){0, 0, 0};
    f.policy.channel[CHANNEL_EMAIL].window = shut[1];
    passes(CHANNEL_SET_ALL & ~(1u << CHANNEL_EMAIL));
    f.policy.channels = 1u << CHANNEL_EMAIL;
    (void)refused(REASON_EXPOSURE_CAP);
}

static void promotions_in_one_message_are_one_exposure(void **state)
{
    (void)state;
    for (int i = 0; i < 16; i++) {
        happened(EVENT_EXPOSURE, CHANNEL_MAIL, MONDAY);
        f.rows[i].campaign = 5;
        f.rows[i].promotion = 1;
    }
    f.policy.window.per_day = 2;
    passes(CHANNEL_SET_ALL);
    happened(EVENT_EXPOSURE, CHANNEL_MAIL, MONDAY); /* another campaign */
    (void)refused(REASON_EXPOSURE_CAP);
}

static void the_day_is_that_of_the_shoppers_zone(void **state)
{
    (void)state;
    zone *shanghai = NULL, *york = NULL;
    if (zone_open(&shanghai, "Asia/Shanghai", NULL) != PF_OK ||
        zone_open(&york, "America/New_York", NULL) != PF_OK)
        skip();
    f.policy.window.per_day = 1;
    f.world.at_us = MONDAY + 15 * US_PER_HOUR; /* 23:00 in Shanghai, 11:00 in New York */
    happened(EVENT_EXPOSURE, CHANNEL_PUSH,
             MONDAY + 2 * US_PER_HOUR); /* 10:00 and 22:00 before */
    f.world.zone = york;
    passes(CHANNEL_SET_ALL);
    const zone *zones[] = {NULL, shanghai};
    f.world.shopper_zones = zones;
    (void)refused(REASON_EXPOSURE_CAP);
    zones[1] = NULL;
    passes(CHANNEL_SET_ALL);
    zone_free(shanghai);
    zone_free(york);
}

static void the_holdout_is_sticky_and_of_its_share(void **state)
{
    (void)state;
    enum { MANY = 4000 };
    small_shop big;
    small_shop_init(&big, MANY, "USD");
    (void)small_shop_promotion(&big, PROMOTION_GIFT);
    for (int i = 0; i < MANY; i++)
        (void)small_shop_shopper(&big);
    f.world.catalogue = &big.c;
    f.policy.holdout_share = 0.2;
    eligibility *e = NULL;
    unsigned held = 0, moved = 0;
    static bool first[MANY + 1];
    assert_int_equal(eligibility_new(&e, &f.world, NULL), PF_OK);
    for (uint32_t s = 1; s <= MANY; s++) {
        reason_facts why;
        eligibility_turn_to(e, s);
        first[s] = eligibility_is_held_out(e);
        held += first[s];
        assert_int_equal(eligibility_check(e, 1, &why) == 0, first[s]);
        if (first[s]) assert_int_equal(why.reason, REASON_HOLDOUT);
    }
    assert_true(held > MANY / 5 - 110 &&
                held < MANY / 5 + 110); /* 4 standard deviations */
    f.policy.holdout_share = 0.3;       /* a larger share keeps the old members */
    for (uint32_t s = 1; s <= MANY; s++) {
        eligibility_turn_to(e, s);
        if (first[s]) assert_true(eligibility_is_held_out(e));
    }
    f.policy.holdout_share = 0.2;
    f.policy.holdout_salt = "another";
    for (uint32_t s = 1; s <= MANY; s++) {
        eligibility_turn_to(e, s);
        moved += eligibility_is_held_out(e) != first[s];
    }
    assert_true(moved > MANY / 5);
    eligibility_free(e);
    small_shop_free(&big);
}

/* Who is held out of one campaign gets the promotions of another. */
static void a_campaigns_holdout_is_its_own(void **state)
{
    (void)state;
    enum { MANY = 2000 };
    small_shop big;
    static const campaign campaigns[] = {{.id = ""}, {.id = "spring"}, {.id = "autumn"}};
    unsigned held[3] = {0}, both = 0;
    small_shop_init(&big, MANY, "USD");
    for (uint32_t k = 0; k < 3; k++)
        small_shop_promotion(&big, PROMOTION_GIFT)->campaign = k; /* promotion 1 has none */
    for (int i = 0; i < MANY; i++)
        (void)small_shop_shopper(&big);
    big.c.campaigns = campaigns;
    big.c.n_campaigns = 2;
    f.world.catalogue = &big.c;
    f.policy.campaign_holdout_share = 0.25;
    eligibility *e = NULL;
    assert_int_equal(eligibility_new(&e, &f.world, NULL), PF_OK);
    for (uint32_t s = 1; s <= MANY; s++) {
        bool out[3];
        eligibility_turn_to(e, s);
        for (uint32_t k = 0; k < 3; k++) {
            reason_facts why;
            out[k] = eligibility_check(e, k + 1, &why) == 0;
            if (out[k]) assert_int_equal(why.reason, REASON_HOLDOUT);
            held[k] += out[k];
        }
        both += out[1] && out[2];
        assert_false(eligibility_is_held_out(e));
    }
    assert_int_equal(held[0], 0);
    assert_in_range(held[1], MANY / 4 - 78, MANY / 4 + 78); /* 4 standard deviations */
    assert_in_range(held[2], MANY / 4 - 78, MANY / 4 + 78);
    assert_in_range(both, MANY / 16 - 44, MANY / 16 + 44);
    eligibility_free(e);
    big.c.campaigns = NULL;
    big.c.n_campaigns = 0;
    small_shop_free(&big);
}

static void the_first_rule_that_refuses_gives_the_reason(void **state)
{
    (void)state;
    f.policy.holdout_share = 0.9;
    f.s->consent_given = 0;
    f.policy.unasked = 0;
    (void)refused(REASON_NO_CONSENT); /* so who is in the holdout was eligible */
    f.p->ends_us = f.world.at_us;
    (void)refused(REASON_NOT_LIVE);
    f.s->exists = false;
    (void)refused(REASON_UNKNOWN_SHOPPER);
}

static void what_is_left_of_the_windows_is_told(void **state)
{
    (void)state;
    eligibility *e = NULL;
    shop_history *h = NULL;
    happened(EVENT_EXPOSURE, CHANNEL_EMAIL, MONDAY);
    happened(EVENT_EXPOSURE, CHANNEL_PUSH, MONDAY + 1);
    assert_int_equal(history_from_rows(&h, f.rows, f.n_rows, 1, NULL), PF_OK);
    f.world.history = h;
    f.policy.window = (policy_window){5, 3, 9};
    f.policy.channel[CHANNEL_EMAIL].window.per_week = 4;
    assert_int_equal(eligibility_new(&e, &f.world, NULL), PF_OK);
    eligibility_turn_to(e, 1);
    assert_int_equal(eligibility_messages_left(e), 1);
    assert_int_equal(eligibility_channel_left(e, CHANNEL_EMAIL), 3);
    assert_true(eligibility_channel_left(e, CHANNEL_SMS) > 1000000);
    assert_int_equal(eligibility_redemptions(e, 1), 0);
    eligibility_free(e);
    history_free(h);
    f.world.history = NULL;
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    f.p->audience = "stage = active";
    fault x = {0};
    while (fault_next(&x)) {
        eligibility *e = NULL;
        pf_status s = eligibility_new(&e, &f.world, NULL);
        if (fault_reached(&x)) assert_int_equal(s, PF_NO_MEMORY);
        eligibility_free(e);
    }
    assert_true(x.n > 8);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_promotion_with_nothing_against_it_passes_by_all_channels),
        TEST(a_forgotten_shopper_is_unknown),
        TEST(it_is_live_from_its_start_to_before_its_end),
        TEST(something_of_the_scope_must_be_in_stock),
        TEST(a_scope_whose_names_lead_nowhere_is_not_offered),
        TEST(redemptions_count_against_both_limits_when_they_are_past),
        TEST(a_limit_of_all_counts_other_shoppers_too),
        TEST(the_audience_rule_must_be_true),
        TEST(a_rule_that_picks_nobody_is_found),
        TEST(a_wrong_rule_names_its_promotion_and_column),
        TEST(channels_are_those_of_promotion_and_policy),
        TEST(consent_opens_a_channel_and_refusal_closes_it),
        TEST(who_unsubscribed_is_left_alone),
        TEST(a_channel_without_words_is_closed),
        TEST(exposures_of_the_day_week_and_month_are_capped),
        TEST(promotions_in_one_message_are_one_exposure),
        TEST(the_day_is_that_of_the_shoppers_zone),
        TEST(the_holdout_is_sticky_and_of_its_share),
        TEST(a_campaigns_holdout_is_its_own),
        TEST(the_first_rule_that_refuses_gives_the_reason),
        TEST(what_is_left_of_the_windows_is_told),
        TEST(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
