/* Decisions written as JSON read back as the same reasons and numbers. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "decide/journal.h"
#include "message/small_shop.h"

static small_shop shop;
static arena memory;

static int setup(void **state)
{
    (void)state;
    static const char *const tags[] = {"", "bread", "wine"};
    small_shop_init(&shop, 30, "USD");
    shop.c.tags = tags;
    shop.c.n_tags = 2;
    arena_init(&memory, 1u << 24);
    shop.c.promotion_ids = intern_new(100);
    assert_non_null(shop.c.promotion_ids);
    for (int i = 0; i < REASON_COUNT; i++) {
        promotion *p = small_shop_promotion(&shop, PROMOTION_GIFT);
        assert_true(intern_add(shop.c.promotion_ids, p->id, strlen(p->id)) != 0);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    intern_free(shop.c.promotion_ids);
    small_shop_free(&shop);
    arena_free(&memory);
    return 0;
}

static void pull(reason_facts *f, reason_lever lever, double needed, double actual)
{
    f->lever = lever;
    f->needed = needed;
    f->actual = actual;
}

static void make_limits(decide_outcome *all)
{
    all[REASON_SHOPPER_LIMIT].why.limit = all[REASON_SHOPPER_LIMIT].why.seen = 2;
    all[REASON_REDEMPTION_LIMIT].why.limit = all[REASON_REDEMPTION_LIMIT].why.seen = 9;
    for (int r = REASON_EXPOSURE_CAP; r <= REASON_TAG_CAP; r++) {
        all[r].why.limit = 3;
        all[r].why.seen = 4;
        all[r].why.days = 30;
        all[r].why.time_us = INT64_C(1491782400000000) + r;
    }
    all[REASON_TAG_CAP].why.tag = 2;
    all[REASON_QUIET_HOURS].why.time_us = INT64_C(1491782400000001);
    reason_facts *f = &all[REASON_NOT_LIVE].why;
    f->time_us = f->from_us = INT64_C(1491782400123456);
    f->until_us = TIME_ABSENT;
    f->seen = 1;
}

static void make_levers(decide_outcome *all)
{
    pull(&all[REASON_VALUE_BELOW_ZERO].why, LEVER_REDEEM, 0.125, 0.1);
    pull(&all[REASON_STACKING].why, LEVER_GAIN, 1.5, 1.0 / 3);
    pull(&all[REASON_LOWER_VALUE].why, LEVER_GAIN, 7, 1.0 / 3);
    pull(&all[REASON_COST_UNKNOWN].why, LEVER_BOTH_DISCOUNTS, 0, 0);
    pull(&all[REASON_CHANNEL_NOT_ALLOWED].why, LEVER_SCORES, 0, 0);
    for (int r = REASON_CHANNEL_NOT_ALLOWED; r <= REASON_NO_MESSAGE; r++)
        all[r].why.channels = 1u << CHANNEL_SMS | 1u << CHANNEL_MAIL;
    all[REASON_NOT_IN_AUDIENCE].why.wants = "stage = \"active\"";
    all[REASON_NOT_IN_AUDIENCE].why.has = "\"lapsed\"";
}

/* One outcome a reason, with the numbers that the reason speaks of. */
static void make_outcomes(decide_outcome outcomes[REASON_COUNT])
{
    for (uint32_t r = 0; r < REASON_COUNT; r++) {
        decide_outcome *o = &outcomes[r];
        *o = (decide_outcome){.shopper = 1,
                              .promotion = r + 1,
                              .p_redeem = 0.1 + r / 3.0,
                              .spend_minor = 123.456 * r,
                              .lift_known = r % 2 == 0,
                              .lift_minor = r % 2 == 0 ? -7.5 * r : 0,
                              .why = {.reason = (decide_reason)r}};
        if (r >= REASON_VALUE_BELOW_ZERO || r == REASON_CHOSEN)
            o->why.channel = CHANNEL_SMS, o->why.gain_minor = 1.0 / 3,
            o->why.cost_minor = 2.25, o->why.value_minor = 1.0 / 3 - 2.25,
            o->why.fatigue_minor = 0.75, o->cost_minor = 3;
    }
    outcomes[REASON_CHOSEN].variant = 2;
    outcomes[REASON_CHOSEN].why.net_minor = 0.7;
    outcomes[REASON_CHOSEN].propensity = outcomes[REASON_CHOSEN].why.propensity = 0.75;
    outcomes[REASON_NOT_DRAWN].propensity = outcomes[REASON_NOT_DRAWN].why.propensity = 0.2;
    outcomes[REASON_STACKING].why.other = 4;
    outcomes[REASON_LOWER_VALUE].why.other = 5;
    outcomes[REASON_NOT_DRAWN].why.other = 6;
    make_limits(outcomes);
    make_levers(outcomes);
    reason_facts *f = &outcomes[REASON_BUDGET_EXHAUSTED].why;
    f->cap = DECIDE_CAP_CHANNEL_MESSAGES;
    f->cap_channel = CHANNEL_PUSH;
    f->price = 41.5;
    f->net_minor = -3;
    f->more = 2;
}

static void same_text(const char *a, const char *b)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a != NULL) assert_string_equal(a, b);
}

static void same_what_if(const reason_facts *x, const reason_facts *y)
{
    assert_int_equal(x->lever, y->lever);
    assert_true(x->needed == y->needed && x->actual == y->actual && x->more == y->more);
    assert_int_equal(x->channels, y->channels);
    assert_true(x->from_us == y->from_us && x->until_us == y->until_us);
    same_text(x->wants, y->wants);
    same_text(x->has, y->has);
}

static void same(const decide_outcome *a, const decide_outcome *b)
{
    assert_int_equal(a->promotion, b->promotion);
    assert_true(a->p_redeem == b->p_redeem && a->spend_minor == b->spend_minor);
    assert_true(a->lift_known == b->lift_known && a->lift_minor == b->lift_minor);
    assert_true(a->propensity == b->propensity);
    assert_int_equal(a->variant, b->variant);
    const reason_facts *x = &a->why, *y = &b->why;
    assert_int_equal(x->reason, y->reason);
    assert_int_equal(x->channel, y->channel);
    assert_int_equal(x->cap, y->cap);
    assert_int_equal(x->cap_channel, y->cap_channel);
    assert_int_equal(x->other, y->other);
    assert_int_equal(x->limit, y->limit);
    assert_int_equal(x->seen, y->seen);
    assert_int_equal(x->days, y->days);
    assert_int_equal(x->tag, y->tag);
    assert_true(x->gain_minor == y->gain_minor && x->cost_minor == y->cost_minor);
    assert_true(x->value_minor == y->value_minor && x->net_minor == y->net_minor);
    assert_true(x->fatigue_minor == y->fatigue_minor && x->propensity == y->propensity);
    assert_true(x->price == y->price && x->time_us == y->time_us);
    same_what_if(x, y);
}

static void candidates_read_back_as_they_were(void **state)
{
    (void)state;
    decide_outcome outcomes[REASON_COUNT];
    make_outcomes(outcomes);
    decide_result r = {.outcomes = outcomes, .n_outcomes = REASON_COUNT};
    decide_shopper s = {.shopper = 1, .first = 0, .n_outcomes = REASON_COUNT};
    buffer b;
    json_writer w;
    buffer_init(&b, 1u << 20);
    json_begin(&w, &b);
    journal_write_candidates(&r, &shop.c, &s, &w);
    assert_true(json_finish(&w));
    journal_candidate *list = NULL;
    size_t n = 0;
    pf_error err = {0};
    if (journal_read_candidates(b.data, b.length, &shop.c, &memory, &list, &n, &err) !=
        PF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(n, REASON_COUNT);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(list[i].promotion_id,
                            shop.promotions[outcomes[i].promotion].id);
        same(&list[i].outcome, &outcomes[i]);
    }
    buffer_free(&b);
}

static void a_promotion_that_is_gone_keeps_its_id(void **state)
{
    (void)state;
    static const char json[] = "[{\"promotion\": \"OLD\", \"reason\": \"chosen\"}]";
    journal_candidate *list = NULL;
    size_t n = 0;
    assert_int_equal(
        journal_read_candidates(json, sizeof json - 1, &shop.c, &memory, &list, &n, NULL),
        PF_OK);
    assert_int_equal(n, 1);
    assert_string_equal(list[0].promotion_id, "OLD");
    assert_int_equal(list[0].outcome.promotion, 0);
}

static void what_is_no_list_of_candidates_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "{}",
        "3",
        "[3]",
        "[{}]",
        "[{\"promotion\": \"O1\", \"reason\": \"because\"}]",
        "[{\"promotion\": \"O1\"",
        "[{\"promotion\": 3, \"reason\": 4}]"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        journal_candidate *list = NULL;
        size_t n = 0;
        assert_int_not_equal(journal_read_candidates(wrong[i], strlen(wrong[i]), &shop.c,
                                                     &memory, &list, &n, NULL),
                             PF_OK);
        assert_null(list);
    }
}

static void mad_members_become_nothing(void **state)
{
    (void)state;
    static const char json[] = "[{\"promotion\": \"O1\", \"reason\": \"not_live\", "
                               "\"time\": 1e300, \"p_redeem\": \"x\","
                               " \"limit\": -4, \"seen\": 1e99, \"channel\": \"pigeon\", "
                               "\"cap\": 5, \"other\": [], \"from\": \"x\", \"until\": 1e99, "
                               "\"lever\": \"crowbar\","
                               " \"channels\": \"pigeon\", \"wants\": 3, \"needed\": {}}]";
    journal_candidate *list = NULL;
    size_t n = 0;
    assert_int_equal(
        journal_read_candidates(json, sizeof json - 1, &shop.c, &memory, &list, &n, NULL),
        PF_OK);
    const reason_facts *f = &list[0].outcome.why;
    assert_true(f->time_us == 0 && f->limit == 0 && f->seen == 0 && f->other == 0);
    assert_true(f->channel == CHANNEL_NONE && f->cap == DECIDE_CAP_NONE);
    assert_true(f->from_us == TIME_ABSENT && f->until_us == TIME_ABSENT);
    assert_true(f->lever == LEVER_NONE && f->channels == 0 && f->needed == 0);
    assert_null(f->wants);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    static const char json[] =
        "[{\"promotion\": \"O1\", \"reason\": \"chosen\"},"
        " {\"promotion\": \"O2\", \"reason\": \"not_in_audience\", \"wants\": \"kids\","
        " \"has\": \"no\"}]";
    fault x = {0};
    while (fault_next(&x)) {
        arena a;
        journal_candidate *list = NULL;
        size_t n = 0;
        arena_init(&a, 1u << 20);
        pf_status s =
            journal_read_candidates(json, sizeof json - 1, &shop.c, &a, &list, &n, NULL);
        if (fault_reached(&x)) assert_int_equal(s, PF_NO_MEMORY);
        arena_free(&a);
    }
    assert_true(x.n > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_read_back_as_they_were),
        cmocka_unit_test(a_promotion_that_is_gone_keeps_its_id),
        cmocka_unit_test(what_is_no_list_of_candidates_is_refused),
        cmocka_unit_test(mad_members_become_nothing),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
