/* response/contacts.h: what is one message, which of several an event follows, what is read. */
#include "check.h"

#include "response/contacts.h"
#include "response/message_world.h"

static const int64_t day0 = WORLD_MONDAY_US + 10 * US_PER_HOUR;

typedef struct made {
    message_world w;
    shop_history *h;
    contacts list;
} made;

static const contact *read_all(made *m, int64_t until_us)
{
    m->h = world_history(&m->w, 1);
    assert_true(contacts_read(&m->list, NULL, m->h, 1, until_us));
    return m->list.item;
}

static void done(made *m)
{
    contacts_free(&m->list);
    history_free(m->h);
    world_free(&m->w);
}

static void promotions_shown_together_are_one_message(void **state)
{
    made m = {0};
    (void)state;
    for (uint32_t p = 1; p <= 3; p++)
        world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_EMAIL, day0)->promotion = p;
    world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_PUSH, day0)->promotion = 1;
    world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_EMAIL, day0)->campaign = 9;
    world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_EMAIL, day0 + 1)->promotion = 1;
    read_all(&m, INT64_MAX);
    assert_int_equal(m.list.n, 4);
    done(&m);
}

static void a_click_answers_the_latest_message_of_its_channel(void **state)
{
    made m = {0};
    (void)state;
    world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_EMAIL, day0);
    world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_EMAIL, day0 + US_PER_DAY);
    world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_PUSH, day0 + 2 * US_PER_DAY);
    world_add(&m.w, 1, EVENT_CLICK, CHANNEL_EMAIL, day0 + 3 * US_PER_DAY);
    const contact *c = read_all(&m, INT64_MAX);
    assert_true(!c[0].answered && c[1].answered && !c[2].answered);
    assert_int_equal(c[1].answer, 3);
    done(&m);
}

static void a_redemption_answers_its_campaign_however_late(void **state)
{
    made m = {0};
    (void)state;
    world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_MAIL, day0)->campaign = 1;
    world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_MAIL, day0 + US_PER_DAY)->campaign = 2;
    world_add(&m.w, 1, EVENT_REDEMPTION, CHANNEL_NONE, day0 + 60 * US_PER_DAY)->campaign = 1;
    world_add(&m.w, 1, EVENT_REDEMPTION, CHANNEL_NONE, day0 + 100 * US_PER_DAY)->campaign = 2;
    const contact *c = read_all(&m, INT64_MAX);
    assert_true(c[0].answered && !c[1].answered);
    done(&m);
}

static void a_visit_answers_for_a_day_and_never_what_was_seen_on_the_site(void **state)
{
    made m = {0};
    (void)state;
    world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_SMS, day0);
    world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_SITE, day0 + US_PER_HOUR);
    world_add(&m.w, 1, EVENT_PURCHASE, CHANNEL_NONE, day0 + 2 * US_PER_HOUR);
    world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_SMS, day0 + 3 * US_PER_DAY);
    world_add(&m.w, 1, EVENT_VIEW, CHANNEL_NONE, day0 + 4 * US_PER_DAY + 1);
    const contact *c = read_all(&m, INT64_MAX);
    assert_true(c[0].answered && !c[1].answered && !c[2].answered);
    done(&m);
}

static void an_unsubscribe_is_one_messages_and_what_comes_behind_it_is_marked(void **state)
{
    made m = {0};
    (void)state;
    world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_EMAIL, day0);
    world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_EMAIL, day0 + US_PER_DAY);
    world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_SITE, day0 + 2 * US_PER_DAY);
    world_add(&m.w, 1, EVENT_UNSUBSCRIBE, CHANNEL_EMAIL, day0 + 3 * US_PER_DAY);
    world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_EMAIL, day0 + 4 * US_PER_DAY);
    world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_PUSH, day0 + 4 * US_PER_DAY);
    world_add(&m.w, 1, EVENT_DISMISSAL, CHANNEL_SITE, day0 + 4 * US_PER_DAY);
    const contact *c = read_all(&m, INT64_MAX);
    assert_true(!c[0].unsubscribed && c[1].unsubscribed && !c[2].unsubscribed);
    assert_true(c[3].after_unsubscribe && !c[4].after_unsubscribe && c[2].dismissed);
    done(&m);
}

static void an_unsubscribe_a_week_later_is_nobodys(void **state)
{
    made m = {0};
    (void)state;
    world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_EMAIL, day0);
    world_add(&m.w, 1, EVENT_UNSUBSCRIBE, CHANNEL_NONE, day0 + 7 * US_PER_DAY + 1);
    world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_PUSH, day0 + 8 * US_PER_DAY);
    const contact *c = read_all(&m, INT64_MAX);
    assert_false(c[0].unsubscribed);
    assert_true(c[1].after_unsubscribe);
    done(&m);
}

static void nothing_at_or_after_the_moment_is_read(void **state)
{
    made m = {0};
    (void)state;
    world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_EMAIL, day0);
    world_add(&m.w, 1, EVENT_CLICK, CHANNEL_EMAIL, day0 + 1);
    const contact *c = read_all(&m, day0 + 1);
    assert_int_equal(m.list.n, 1);
    assert_false(c[0].answered);
    done(&m);
}

static void an_exposure_without_a_channel_has_its_promotions_only_one(void **state)
{
    const promotion two[3] = {{0}, {.campaign = 4, .channels = 1u << CHANNEL_WECHAT},
                              {.channels = 1u << CHANNEL_WECHAT | 1u << CHANNEL_SMS}};
    const shop_catalogue c = {.n_promotions = 2, .promotions = two};
    made m = {0};
    (void)state;
    for (uint32_t p = 1; p <= 3; p++)
        world_add(&m.w, 1, EVENT_EXPOSURE, CHANNEL_NONE, day0 + p)->promotion = p;
    m.h = world_history(&m.w, 1);
    assert_true(contacts_read(&m.list, &c, m.h, 1, INT64_MAX));
    assert_int_equal(m.list.item[0].channel, CHANNEL_WECHAT);
    assert_int_equal(m.list.item[0].campaign, 4);
    assert_int_equal(m.list.item[1].channel, CHANNEL_NONE);
    assert_int_equal(m.list.item[2].channel, CHANNEL_NONE);
    done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(promotions_shown_together_are_one_message),
        cmocka_unit_test(a_click_answers_the_latest_message_of_its_channel),
        cmocka_unit_test(a_redemption_answers_its_campaign_however_late),
        cmocka_unit_test(a_visit_answers_for_a_day_and_never_what_was_seen_on_the_site),
        cmocka_unit_test(an_unsubscribe_is_one_messages_and_what_comes_behind_it_is_marked),
        cmocka_unit_test(an_unsubscribe_a_week_later_is_nobodys),
        cmocka_unit_test(nothing_at_or_after_the_moment_is_read),
        cmocka_unit_test(an_exposure_without_a_channel_has_its_promotions_only_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
