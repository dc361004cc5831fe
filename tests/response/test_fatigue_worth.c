/* fatigue_worth: what counts as bought with a promotion, over whom; when nothing can be said. */
#include "check.h"

#include "response/fatigue.h"
#include "response/message_world.h"

static const int64_t end_us = WORLD_MONDAY_US + 52 * 7 * US_PER_DAY;

static history_row *line(message_world *w, uint32_t who, int days_ago, uint64_t order,
                         int64_t paid, int64_t coupon)
{
    history_row *r =
        world_add(w, who, EVENT_PURCHASE, CHANNEL_NONE, end_us - days_ago * US_PER_DAY);
    r->order = order;
    r->paid_minor = paid;
    r->coupon_minor = coupon;
    return r;
}

static void letter(message_world *w, uint32_t who)
{
    world_add(w, who, EVENT_EXPOSURE, CHANNEL_MAIL, end_us - 30 * US_PER_DAY);
}

static int64_t worth_by(message_world *w, const shop_catalogue *c, double rate, int64_t until_us)
{
    shop_history *past = world_history(w, 4);
    const int64_t worth = fatigue_worth(c, past, rate, until_us);
    history_free(past);
    return worth;
}

static int64_t worth(message_world *w)
{
    return worth_by(w, NULL, .25, end_us);
}

static void coupon_lines_count_over_everybody_who_was_written_to(void **state)
{
    message_world w = {0};
    (void)state;
    letter(&w, 1);
    letter(&w, 2);
    letter(&w, 3);
    line(&w, 1, 10, 7, 4000, 50);
    line(&w, 1, 10, 7, 9000, 0); /* in the same order, bought without */
    line(&w, 2, 5, 8, 2000, 10);
    line(&w, 4, 5, 9, 8888, 10); /* of nobody who was written to */
    assert_int_equal(worth(&w), 500);
    world_free(&w);
}

static void an_order_that_a_redemption_names_counts_whole_where_no_line_has_a_coupon(void **state)
{
    message_world w = {0};
    (void)state;
    letter(&w, 1);
    line(&w, 1, 10, 7, 4000, MONEY_ABSENT);
    line(&w, 1, 10, 7, 1000, MONEY_ABSENT);
    world_add(&w, 1, EVENT_REDEMPTION, CHANNEL_NONE, end_us - 10 * US_PER_DAY + 5)->order = 7;
    line(&w, 1, 4, 8, 100, 5);
    line(&w, 1, 4, 8, 7777, 0);
    world_add(&w, 1, EVENT_REDEMPTION, CHANNEL_NONE, end_us - 4 * US_PER_DAY)->order = 8;
    line(&w, 1, 2, 9, 6666, MONEY_ABSENT);
    assert_int_equal(worth(&w), 5100 / 4);
    world_free(&w);
}

/* A date alone is the day's first instant: the lines of its scope of that day. */
static void a_redemption_without_an_order_counts_its_scope_of_the_day(void **state)
{
    static const uint32_t scope[] = {3, 5};
    const promotion two[2] = {{0}, {.scope = scope, .n_scope = 2}};
    const shop_catalogue c = {.n_promotions = 1, .promotions = two};
    message_world w = {0};
    (void)state;
    letter(&w, 1);
    world_add(&w, 1, EVENT_REDEMPTION, CHANNEL_NONE, end_us - 10 * US_PER_DAY)->promotion = 1;
    line(&w, 1, 10, 7, 400, MONEY_ABSENT)->product = 3;
    line(&w, 1, 10, 7, 7777, MONEY_ABSENT)->product = 4;
    line(&w, 1, 9, 8, 7777, MONEY_ABSENT)->product = 5;
    line(&w, 1, 11, 9, 7777, MONEY_ABSENT)->product = 5;
    assert_int_equal(worth_by(&w, &c, .5, end_us), 200);
    world_free(&w);
}

static void what_is_too_old_or_later_does_not_count(void **state)
{
    message_world w = {0};
    (void)state;
    letter(&w, 1);
    line(&w, 1, 182, 1, 1000, 1);
    line(&w, 1, 183, 2, 7777, 1);
    line(&w, 1, 0, 3, 7777, 1);
    assert_int_equal(worth(&w), 250);
    /* Before anything was sent in the window. */
    assert_true(worth_by(&w, NULL, .25, end_us - 40 * US_PER_DAY) == MONEY_ABSENT);
    assert_true(worth_by(&w, NULL, .25, INT64_MIN) == MONEY_ABSENT);
    world_free(&w);
}

static void nothing_can_be_said_without_messages_or_promoted_lines(void **state)
{
    message_world w = {0};
    (void)state;
    assert_true(worth(&w) == MONEY_ABSENT);
    line(&w, 1, 3, 1, 1000, 5);
    assert_true(worth(&w) == MONEY_ABSENT);
    world_add(&w, 1, EVENT_EXPOSURE, CHANNEL_SITE, end_us - US_PER_DAY);
    assert_true(worth(&w) == MONEY_ABSENT); /* seen, not sent */
    letter(&w, 2);
    assert_true(worth(&w) == MONEY_ABSENT);
    line(&w, 2, 3, 1, MONEY_ABSENT, 5);
    assert_true(worth(&w) == MONEY_ABSENT); /* what it cost is not known */
    line(&w, 2, 3, 1, 0, 5);
    assert_int_equal(worth(&w), 0);
    assert_true(worth_by(&w, NULL, -.1, end_us) == MONEY_ABSENT);
    assert_true(worth_by(&w, NULL, 1.1, end_us) == MONEY_ABSENT);
    assert_true(worth_by(&w, NULL, NAN, end_us) == MONEY_ABSENT);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coupon_lines_count_over_everybody_who_was_written_to),
        cmocka_unit_test(an_order_that_a_redemption_names_counts_whole_where_no_line_has_a_coupon),
        cmocka_unit_test(a_redemption_without_an_order_counts_its_scope_of_the_day),
        cmocka_unit_test(what_is_too_old_or_later_does_not_count),
        cmocka_unit_test(nothing_can_be_said_without_messages_or_promoted_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
