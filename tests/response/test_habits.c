/* response/habits.h: planted channels and hours come back, few answers read like the segment's and
 * many like the shopper's own, chance moves nobody, days of 23 and 25 hours, what is never read. */
#include "check.h"

#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "response/habits.h"
#include "response/message_world.h"

static const quiet_hours none = {0, 0}, night = {21 * 60, 8 * 60};
static const int64_t monday = WORLD_MONDAY_US + 52 * 7 * US_PER_DAY;

static habits *fit_with(const message_world *w, uint32_t n_shoppers, const habits_options *o)
{
    shop_history *past = world_history(w, n_shoppers);
    habits *h = NULL;
    assert_int_equal(habits_fit(&h, NULL, past, NULL, NULL, monday, o, NULL), PF_OK);
    history_free(past);
    return h;
}

static habits *fit(const message_world *w, uint32_t n_shoppers)
{
    const habits_options o = habits_options_default();
    return fit_with(w, n_shoppers, &o);
}

/* Local (UTC) hour of the answer for the day that begins on a Monday. */
static int hour_for(const habits *h, uint32_t who, channel by)
{
    const int64_t at = habits_send_at(h, who, by, monday, monday + US_PER_DAY, none, NULL);
    assert_in_range(at, monday, monday + US_PER_DAY - 1);
    assert_int_equal((at - monday) % US_PER_HOUR, 0);
    return (int)((at - monday) / US_PER_HOUR);
}

/* n visits on different days at the hour, give or take one. */
static void visit(message_world *w, uint32_t who, int n, int hour)
{
    for (int i = 0; i < n; i++)
        world_add(w, who, EVENT_VIEW, CHANNEL_NONE,
                  world_at(w, 363 - i, hour + (int)random_below(&w->r, 3) - 1));
}

/* Shoppers 4 .. n come at 9 on half of their days or so, else at any hour. */
static void add_crowd(message_world *w, uint32_t n)
{
    for (uint32_t s = 4; s <= n; s++) {
        const double own = .3 + .4 * random_unit(&w->r);
        for (int i = 0; i < 30; i++)
            world_add(w, s, EVENT_VIEW, CHANNEL_NONE,
                      world_at(w, 363 - i, random_unit(&w->r) < own
                                               ? 9
                                               : (int)random_below(&w->r, 24)));
    }
}

static void two_visits_leave_a_shopper_with_his_segment_and_200_do_not(void **state)
{
    static const uint8_t one[301] = {0};
    const habits_options o = {one, 1};
    message_world w = {.r = random_begin(1, 1)};
    (void)state;
    add_crowd(&w, 300);
    visit(&w, 1, 2, 20);
    visit(&w, 2, 200, 20);
    habits *h = fit_with(&w, 300, &o);
    assert_int_equal(hour_for(h, 1, CHANNEL_PUSH), 9);
    assert_in_range(hour_for(h, 2, CHANNEL_PUSH), 19, 21);
    assert_int_equal(hour_for(h, 3, CHANNEL_PUSH), 9); /* never seen */
    assert_int_equal(hour_for(h, 0, CHANNEL_PUSH), 9); /* unknown, and one too many */
    assert_int_equal(hour_for(h, 301, CHANNEL_PUSH), 9);
    for (uint32_t s = 0; s <= 2; s++) {
        double sum = 0;
        for (int hour = 0; hour < 24; hour++)
            sum += habits_presence_share(h, s, hour);
        assert_true(fabs(sum - 1) < 1e-9);
    }
    assert_true(habits_presence_share(h, 2, 20) > .25 && habits_presence_share(h, 1, 20) < .15);
    /* His own clock moves little by two visits. */
    const double two = habits_hour_factor(h, 1, CHANNEL_PUSH, 0, 9) /
                       habits_hour_factor(h, 3, CHANNEL_PUSH, 0, 9);
    assert_true(two > .8 && two < 1);
    habits_free(h);
    world_free(&w);
}

/* Nobody is ever on the site; push is answered at 13 and e-mail on Thursdays. */
static void the_hour_and_weekday_at_which_messages_are_answered_come_back(void **state)
{
    message_world w = {.r = random_begin(2, 1)};
    (void)state;
    for (uint32_t s = 1; s <= 400; s++)
        for (int i = 0; i < 40; i++) {
            const int day = 300 + (int)random_below(&w.r, 63), hour = (int)random_below(&w.r, 24);
            const channel by = i % 2 ? CHANNEL_PUSH : CHANNEL_EMAIL;
            const double p = by == CHANNEL_PUSH ? (hour == 13 ? .3 : .1)
                                                : (day % 7 == 3 ? .3 : .1);
            const int64_t at = world_at(&w, day, hour);
            world_add(&w, s, EVENT_EXPOSURE, by, at);
            if (random_unit(&w.r) < p)
                world_add(&w, s, EVENT_CLICK, by,
                          at + (int64_t)(random_unit(&w.r) * 20 * (double)US_PER_HOUR));
        }
    habits *h = fit(&w, 400);
    assert_int_equal(hour_for(h, 1, CHANNEL_PUSH), 13);
    const int64_t at = habits_send_at(h, 1, CHANNEL_EMAIL, monday, monday + 7 * US_PER_DAY, none,
                                      NULL);
    assert_int_equal(calendar_from_us(at, NULL).weekday, 3);
    /* 1.1 answers of 10 messages in a mean hour, 3 at the planted one. */
    const double peak = habits_hour_factor(h, 1, CHANNEL_PUSH, 1, 13) /
                        habits_hour_factor(h, 1, CHANNEL_PUSH, 1, 5);
    assert_true(peak > 2 && peak < 4);
    habits_free(h);
    world_free(&w);
}

/* Everything is sent at 10 and clicked at 10 or 11; shoppers come by themselves at 19. The clock
 * of clicks would say 10. */
static void clicks_do_not_vote_for_the_hour_at_which_they_were_asked_for(void **state)
{
    message_world w = {.r = random_begin(3, 1)};
    (void)state;
    for (uint32_t s = 1; s <= 200; s++)
        for (int i = 0; i < 30; i++) {
            const int64_t at = world_at(&w, 300 + 2 * i, 10);
            world_add(&w, s, EVENT_EXPOSURE, CHANNEL_PUSH, at);
            if (random_unit(&w.r) < .35)
                world_add(&w, s, EVENT_CLICK, CHANNEL_PUSH, at + 20 * US_PER_MINUTE);
            if (i % 2) world_add(&w, s, EVENT_VIEW, CHANNEL_NONE, world_at(&w, 301 + 2 * i, 19));
        }
    habits *h = fit(&w, 200);
    assert_int_equal(hour_for(h, 1, CHANNEL_PUSH), 19);
    habits_free(h);
    world_free(&w);
}

/* --- channels --------------------------------------------------------------------------- */

/* n messages by each of two channels. */
static void send_both(message_world *w, uint32_t who, int n, double push, double email)
{
    for (int i = 0; i < 2 * n; i++) {
        const channel by = i % 2 ? CHANNEL_PUSH : CHANNEL_EMAIL;
        const int64_t at = world_at(w, 362 - i % 300, (int)random_below(&w->r, 24));
        world_add(w, who, EVENT_EXPOSURE, by, at);
        if (random_unit(&w->r) < (i % 2 ? push : email))
            world_add(w, who, EVENT_CLICK, by, at + US_PER_SECOND);
    }
}

static void the_planted_channel_comes_back_for_those_with_many_answers_alone(void **state)
{
    static const uint8_t one[401] = {0};
    const habits_options o = {one, 1};
    message_world w = {.r = random_begin(4, 1)};
    (void)state;
    send_both(&w, 1, 200, .05, .45); /* against the grain */
    send_both(&w, 2, 2, 0, 1);
    for (uint32_t s = 4; s <= 400; s++) {
        const double own = .2 + .2 * random_unit(&w.r);
        send_both(&w, s, 20, own, .5 - own);
    }
    habits *h = fit_with(&w, 400, &o);
    const double crowd = habits_factor(h, 3, CHANNEL_PUSH);
    assert_true(crowd > 1.1 && crowd < 1.3); /* .3 against .25 */
    assert_true(habits_factor(h, 1, CHANNEL_PUSH) < .5);
    const double few = habits_factor(h, 2, CHANNEL_PUSH);
    assert_true(few > 1 && few < crowd);
    for (uint32_t s = 1; s <= 400; s++)
        assert_true(fabs(habits_factor(h, s, CHANNEL_PUSH) + habits_factor(h, s, CHANNEL_EMAIL) -
                         2) < 1e-9);
    /* No message went out by these. */
    assert_true(fabs(habits_factor(h, 1, CHANNEL_SMS) - 1) < 1e-12);
    assert_true(fabs(habits_factor(h, 1, CHANNEL_NONE) - 1) < 1e-12);
    const habits_evidence e = habits_known(h, 2, CHANNEL_EMAIL);
    assert_int_equal(e.messages, 2);
    assert_int_equal(e.answers, 2);
    habits_free(h);
    world_free(&w);
}

static void nothing_known_is_a_factor_of_one_and_the_earliest_moment(void **state)
{
    message_world w = {0};
    (void)state;
    habits *h = fit(&w, 3);
    for (int c = 0; c < CHANNEL_COUNT; c++) {
        assert_true(fabs(habits_factor(h, 1, (channel)c) - 1) < 1e-12);
        assert_int_equal(habits_send_at(h, 1, (channel)c, monday + 12345, monday + US_PER_DAY,
                                        none, NULL),
                         monday + 12345);
        assert_int_equal(habits_send_at(h, 1, (channel)c, monday, monday + US_PER_DAY, night,
                                        NULL),
                         monday + 8 * US_PER_HOUR);
    }
    habits_free(h);
    world_free(&w);
}

/* --- noise and ties ------------------------------------------------------------------------- */

/* 400 shoppers who come, and answer, at any hour, by chance alone. */
static int moved_by_chance(uint64_t seed)
{
    message_world w = {.r = random_begin(seed, 5)};
    int moved = 0;
    for (uint32_t s = 1; s <= 400; s++)
        for (int i = 0; i < 20; i++) {
            const int day = (int)random_below(&w.r, 364), hour = (int)random_below(&w.r, 24);
            world_add(&w, s, i % 4 ? EVENT_VIEW : EVENT_EXPOSURE, CHANNEL_EMAIL,
                      world_at(&w, day, hour));
        }
    habits *h = fit(&w, 400);
    for (uint32_t s = 1; s <= 400; s++)
        moved += hour_for(h, s, CHANNEL_EMAIL) != 0;
    habits_free(h);
    world_free(&w);
    return moved;
}

static void chance_moves_nobody_from_the_earliest_moment(void **state)
{
    int moved = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++)
        moved += moved_by_chance(seed);
    assert_true(moved < 20 * 400 / 20);
}

/* 8 and 18 are exactly as good: the earlier one, until it is over. */
static void of_two_equal_hours_the_earlier_one_that_is_left(void **state)
{
    message_world w = {.r = random_begin(6, 1)};
    (void)state;
    for (uint32_t s = 1; s <= 50; s++)
        for (int i = 0; i < 60; i++)
            world_add(&w, s, EVENT_VIEW, CHANNEL_NONE, world_at(&w, 363 - i, i % 2 ? 8 : 18));
    habits *h = fit(&w, 50);
    assert_int_equal(hour_for(h, 7, CHANNEL_PUSH), 8);
    const int64_t nine = monday + 9 * US_PER_HOUR;
    assert_int_equal(habits_send_at(h, 7, CHANNEL_PUSH, nine, monday + US_PER_DAY, none, NULL),
                     monday + 18 * US_PER_HOUR);
    /* Within an hour: its first allowed moment. */
    const int64_t late = monday + 18 * US_PER_HOUR + 25 * US_PER_MINUTE;
    assert_int_equal(habits_send_at(h, 7, CHANNEL_PUSH, late, monday + US_PER_DAY, none, NULL),
                     late);
    const quiet_hours over_both = {7 * 60, 18 * 60 + 30};
    assert_int_equal(
        habits_send_at(h, 7, CHANNEL_PUSH, monday, monday + US_PER_DAY, over_both, NULL),
        monday + 18 * US_PER_HOUR + 30 * US_PER_MINUTE);
    habits_free(h);
    world_free(&w);
}

/* --- moments that are allowed ----------------------------------------------------------------- */

static zone *berlin(void)
{
    zone *z = NULL;
    assert_int_equal(zone_open(&z, "Europe/Berlin", NULL), PF_OK);
    return z;
}

static int64_t local(const zone *z, int month, int day, int hour, int minute)
{
    const calendar_time t = {
        .year = 2026, .month = month, .day = day, .hour = hour, .minute = minute};
    return calendar_to_us(&t, z, ZONE_REPEAT_EARLIER);
}

/* Shoppers who come at `hour` in Berlin. */
static habits *early_birds(const zone *z, int hour)
{
    message_world w = {.r = random_begin(7, 1)};
    const habits_options o = habits_options_default();
    habits *h = NULL;
    for (uint32_t s = 1; s <= 30; s++)
        for (int day = 1; day <= 28; day++)
            world_add(&w, s, EVENT_VIEW, CHANNEL_NONE,
                      local(z, 2, day, hour, 1 + (int)random_below(&w.r, 58)));
    shop_history *past = world_history(&w, 30);
    assert_int_equal(habits_fit(&h, NULL, past, z, NULL, local(z, 3, 1, 0, 0), &o, NULL), PF_OK);
    history_free(past);
    world_free(&w);
    return h;
}

static void days_of_23_and_25_hours_have_the_hours_they_have(void **state)
{
    zone *z = berlin();
    (void)state;
    habits *h = early_birds(z, 3);
    /* Clocks go from 02:00 to 03:00 on March 29, from 03:00 to 02:00 on October 25. */
    int64_t at = habits_send_at(h, 1, CHANNEL_PUSH, local(z, 3, 29, 0, 0), local(z, 3, 30, 0, 0),
                                none, z);
    assert_int_equal(at, local(z, 3, 29, 3, 0));
    assert_int_equal(at, local(z, 3, 29, 0, 0) + 2 * US_PER_HOUR);
    at = habits_send_at(h, 1, CHANNEL_PUSH, local(z, 10, 25, 0, 0), local(z, 10, 26, 0, 0), none,
                        z);
    assert_int_equal(at, local(z, 10, 25, 0, 0) + 4 * US_PER_HOUR);
    habits_free(h);
    /* 02:00 is not on the clock in March, and twice in October: the first time counts. */
    h = early_birds(z, 2);
    at = habits_send_at(h, 1, CHANNEL_PUSH, local(z, 3, 29, 0, 0), local(z, 3, 31, 0, 0), none, z);
    assert_int_equal(at, local(z, 3, 30, 2, 0));
    at = habits_send_at(h, 1, CHANNEL_PUSH, local(z, 10, 25, 0, 0), local(z, 10, 26, 0, 0), none,
                        z);
    assert_int_equal(at, local(z, 10, 25, 2, 0));
    habits_free(h);
    zone_free(z);
}

static void no_answer_is_quiet_or_outside_of_the_span(void **state)
{
    random_stream r = random_begin(9, 1);
    zone *z = berlin();
    habits *h = early_birds(z, 19);
    int nowhere = 0;
    (void)state;
    for (int k = 0; k < 3000; k++) {
        const quiet_hours q = {(int)random_below(&r, 1441), (int)random_below(&r, 1441)};
        const int64_t from =
            local(z, 1, 1, 0, 0) + (int64_t)(random_unit(&r) * 365 * (double)US_PER_DAY);
        const int64_t to = from + (int64_t)(random_unit(&r) * 2 * (double)US_PER_DAY);
        const int64_t at = habits_send_at(h, 1, CHANNEL_PUSH, from, to, q, z);
        if (at == INT64_MIN) {
            const int64_t next = quiet_next(from, z, q);
            assert_true(next == INT64_MIN || next >= to);
            nowhere++;
            continue;
        }
        assert_true(at >= from && at < to && !quiet_holds(at, z, q));
        /* Where 19:00 can be had, nothing else is. */
        for (int64_t t = from; t < to; t = quiet_hour_end(t, z)) {
            const int64_t allowed = quiet_next(t, z, q);
            if (allowed >= to || calendar_from_us(allowed, z).hour != 19) continue;
            assert_int_equal(calendar_from_us(at, z).hour, 19);
            assert_true(at <= allowed);
        }
    }
    assert_in_range(nowhere, 100, 2000);
    habits_free(h);
    zone_free(z);
}

static void where_no_moment_is_allowed_there_is_none(void **state)
{
    message_world w = {0};
    (void)state;
    habits *h = fit(&w, 1);
    const quiet_hours always = {0, QUIET_MINUTES};
    assert_int_equal(habits_send_at(h, 1, CHANNEL_SMS, 0, US_PER_DAY, always, NULL), INT64_MIN);
    assert_int_equal(habits_send_at(h, 1, CHANNEL_SMS, 5, 5, none, NULL), INT64_MIN);
    assert_int_equal(habits_send_at(h, 1, CHANNEL_SMS, 6, 5, none, NULL), INT64_MIN);
    assert_int_equal(habits_send_at(h, 1, CHANNEL_SMS, monday + 22 * US_PER_HOUR,
                                    monday + 32 * US_PER_HOUR, night, NULL),
                     INT64_MIN);
    assert_int_equal(habits_send_at(h, 1, CHANNEL_SMS, INT64_MIN, INT64_MAX, none, NULL),
                     INT64_MIN);
    assert_int_equal(habits_send_at(h, 1, CHANNEL_SMS, monday, INT64_MAX, none, NULL), monday);
    habits_free(h);
    world_free(&w);
}

/* --- time -------------------------------------------------------------------------- */

static char *described(const habits *h)
{
    buffer b;
    json_writer w;
    buffer_init(&b, 1 << 20);
    json_begin(&w, &b);
    habits_describe(h, &w);
    assert_true(json_finish(&w));
    return buffer_take(&b);
}

static void a_busy_world(message_world *w)
{
    for (uint32_t s = 1; s <= 60; s++)
        for (int i = 0; i < 60; i++) {
            const channel by = (channel)(1 + random_below(&w->r, 5));
            const int day = (int)random_below(&w->r, 364), hour = (int)random_below(&w->r, 24);
            const int64_t at = world_at(w, day, hour);
            world_add(w, s, i % 3 ? EVENT_EXPOSURE : EVENT_PURCHASE, by, at);
            if (random_below(&w->r, 4) == 0)
                world_add(w, s, EVENT_CLICK, by, at + US_PER_MINUTE);
        }
}

static void what_happens_later_changes_nothing_to_the_bit(void **state)
{
    message_world w = {.r = random_begin(10, 1)};
    (void)state;
    a_busy_world(&w);
    habits *before = fit(&w, 60);
    for (uint32_t s = 1; s <= 60; s++)
        for (int i = 0; i < 20; i++)
            world_add(&w, s, i % 2 ? EVENT_EXPOSURE : EVENT_CLICK, CHANNEL_PUSH,
                      monday + (int64_t)(random_unit(&w.r) * 90 * (double)US_PER_DAY));
    habits *after = fit(&w, 60);
    char *a = described(before), *b = described(after);
    assert_string_equal(a, b);
    for (uint32_t s = 0; s <= 60; s++)
        for (int c = 0; c < CHANNEL_COUNT; c++) {
            const double x = habits_factor(before, s, (channel)c);
            const double y = habits_factor(after, s, (channel)c);
            assert_memory_equal(&x, &y, sizeof x);
            assert_int_equal(hour_for(before, s, (channel)c), hour_for(after, s, (channel)c));
        }
    mem_free(a);
    mem_free(b);
    habits_free(before);
    habits_free(after);
    world_free(&w);
}

/* What came on a date is Wednesday's, of an hour that nobody knows. */
static void a_date_alone_teaches_the_weekday_and_no_hour(void **state)
{
    message_world w = {0};
    (void)state;
    for (uint32_t s = 1; s <= 20; s++)
        for (int week = 30; week < 52; week++)
            world_add(&w, s, EVENT_REDEMPTION, CHANNEL_NONE,
                      WORLD_MONDAY_US + (week * 7 + 2) * US_PER_DAY);
    habits *h = fit(&w, 20);
    const habits_evidence e = habits_known(h, 1, CHANNEL_MAIL);
    assert_int_equal(e.active_hours, 0);
    assert_int_equal(e.active_days, 22);
    const int64_t at =
        habits_send_at(h, 1, CHANNEL_MAIL, monday, monday + 7 * US_PER_DAY, night, NULL);
    assert_int_equal(at, monday + 2 * US_PER_DAY + 8 * US_PER_HOUR);
    habits_free(h);
    world_free(&w);
}

/* 01:00 in Berlin is 19:00 in New York the evening before. */
static void each_shopper_has_the_hours_of_his_own_zone(void **state)
{
    zone *shop = berlin(), *far = NULL;
    message_world w = {.r = random_begin(12, 1)};
    habits *h = NULL;
    (void)state;
    assert_int_equal(zone_open(&far, "America/New_York", NULL), PF_OK);
    const zone *zones[3] = {NULL, NULL, far};
    for (uint32_t s = 1; s <= 2; s++)
        for (int day = 200; day < 360; day++)
            world_add(&w, s, EVENT_VIEW, CHANNEL_NONE, world_at(&w, day, 0) - US_PER_HOUR);
    shop_history *past = world_history(&w, 2);
    const uint8_t apart[3] = {0, 0, 1};
    const habits_options two = {apart, 2};
    assert_int_equal(habits_fit(&h, NULL, past, shop, zones, monday, &two, NULL), PF_OK);
    const calendar_time own = calendar_from_us(
        habits_send_at(h, 2, CHANNEL_PUSH, monday, monday + US_PER_DAY, none, far), far);
    assert_in_range(own.hour, 18, 19);
    const calendar_time theirs = calendar_from_us(
        habits_send_at(h, 1, CHANNEL_PUSH, monday, monday + US_PER_DAY, none, shop), shop);
    assert_in_range(theirs.hour, 0, 1);
    habits_free(h);
    history_free(past);
    world_free(&w);
    zone_free(shop);
    zone_free(far);
}

/* --- segments, and what is refused ------------------------------------------------- */

static void a_shopper_without_a_past_reads_like_the_segment_he_is_given(void **state)
{
    message_world w = {.r = random_begin(13, 1)};
    uint8_t segments[61] = {0};
    (void)state;
    for (uint32_t s = 3; s <= 60; s++) {
        segments[s] = s % 2 ? 1 : 0;
        visit(&w, s, 40, s % 2 ? 7 : 17);
    }
    segments[1] = 1;
    const habits_options o = {segments, 2};
    habits *h = fit_with(&w, 60, &o);
    assert_in_range(hour_for(h, 1, CHANNEL_PUSH), 6, 8);
    assert_in_range(hour_for(h, 2, CHANNEL_PUSH), 16, 18);
    assert_int_equal(habits_known(h, 1, CHANNEL_PUSH).segment, 1);
    habits_free(h);
    world_free(&w);
}

static uint32_t segment_of(const habits *h, uint32_t who)
{
    return habits_known(h, who, CHANNEL_PUSH).segment;
}

static void segments_by_recency_are_as_the_header_says(void **state)
{
    message_world w = {.r = random_begin(14, 1)};
    (void)state;
    world_add(&w, 2, EVENT_VIEW, CHANNEL_NONE, monday - 27 * US_PER_DAY);
    for (int i = 0; i < 4; i++)
        world_add(&w, 3, EVENT_VIEW, CHANNEL_NONE, monday - (1 + i) * US_PER_DAY + 5);
    world_add(&w, 3, EVENT_VIEW, CHANNEL_NONE, monday - 100 * US_PER_DAY);
    for (uint32_t s = 4; s <= 6; s++)
        world_add(&w, s, EVENT_PURCHASE, CHANNEL_NONE, monday - 200 * US_PER_DAY);
    world_add(&w, 4, EVENT_VIEW, CHANNEL_NONE, monday - 20 * US_PER_DAY);
    world_add(&w, 5, EVENT_VIEW, CHANNEL_NONE, monday - 50 * US_PER_DAY);
    world_add(&w, 6, EVENT_EXPOSURE, CHANNEL_PUSH, monday + 1);
    habits *h = fit(&w, 6);
    for (uint32_t s = 1; s <= 6; s++)
        assert_int_equal(segment_of(h, s), s - 1);
    habits_free(h);
    world_free(&w);
}

/* Long after the last event the segments are as on its day, whether or not something follows. */
static void what_comes_after_the_moment_makes_nobody_lapse(void **state)
{
    message_world w = {.r = random_begin(14, 2)};
    const habits_options o = habits_options_default();
    (void)state;
    world_add(&w, 1, EVENT_VIEW, CHANNEL_NONE, monday - 60 * US_PER_DAY);
    world_add(&w, 1, EVENT_VIEW, CHANNEL_NONE, monday - 5 * US_PER_DAY);
    world_add(&w, 2, EVENT_VIEW, CHANNEL_NONE, monday - 60 * US_PER_DAY);
    for (int later = 0; later < 2; later++) {
        if (later) world_add(&w, 2, EVENT_VIEW, CHANNEL_NONE, monday + 300 * US_PER_DAY);
        shop_history *past = world_history(&w, 2);
        habits *h = NULL;
        assert_int_equal(habits_fit(&h, NULL, past, NULL, NULL, monday + 200 * US_PER_DAY, &o,
                                    NULL),
                         PF_OK);
        assert_int_equal(segment_of(h, 1), HABITS_RECENT);
        assert_int_equal(segment_of(h, 2), HABITS_LAPSING);
        habits_free(h);
        history_free(past);
    }
    world_free(&w);
}

static void wrong_segments_are_refused_with_their_number(void **state)
{
    message_world w = {0};
    const uint8_t segments[3] = {0, 1, 2};
    habits_options o = {segments, 2};
    shop_history *past = world_history(&w, 2);
    pf_error err = {0};
    habits *h = (habits *)&w;
    (void)state;
    assert_int_equal(habits_fit(&h, NULL, past, NULL, NULL, monday, &o, &err), PF_DATA);
    assert_non_null(strstr(err.message, "shopper 2 is of segment 2"));
    assert_null(h);
    o.n_segments = HABITS_MOST_SEGMENTS + 1;
    assert_int_equal(habits_fit(&h, NULL, past, NULL, NULL, monday, &o, &err), PF_LIMIT);
    o.n_segments = 0;
    assert_int_equal(habits_fit(&h, NULL, past, NULL, NULL, monday, &o, &err), PF_LIMIT);
    history_free(past);
    world_free(&w);
}

static void any_moment_is_a_moment_to_learn_until(void **state)
{
    static const int64_t moments[] = {INT64_MIN, -1, 0, INT64_MAX};
    message_world w = {.r = random_begin(15, 1)};
    const habits_options o = habits_options_default();
    (void)state;
    a_busy_world(&w);
    shop_history *past = world_history(&w, 60);
    for (size_t i = 0; i < 4; i++) {
        habits *h = NULL;
        assert_int_equal(habits_fit(&h, NULL, past, NULL, NULL, moments[i], &o, NULL), PF_OK);
        assert_true((habits_known(h, 1, CHANNEL_PUSH).active_hours > 0) == (i == 3));
        habits_free(h);
    }
    history_free(past);
    world_free(&w);
}

static void every_failed_allocation_is_said_and_leaves_nothing(void **state)
{
    message_world w = {.r = random_begin(16, 1)};
    const habits_options o = habits_options_default();
    fault f = {0};
    (void)state;
    a_busy_world(&w);
    shop_history *past = world_history(&w, 60);
    while (fault_next(&f)) {
        habits *h = NULL;
        const pf_status s = habits_fit(&h, NULL, past, NULL, NULL, monday, &o, NULL);
        if (fault_reached(&f)) {
            assert_int_equal(s, PF_NO_MEMORY);
            assert_null(h);
        }
        habits_free(h);
    }
    assert_true(f.n > 20);
    history_free(past);
    world_free(&w);
}

static void asking_allocates_nothing(void **state)
{
    message_world w = {.r = random_begin(17, 1)};
    (void)state;
    a_busy_world(&w);
    habits *h = fit(&w, 60);
    mem_guard_enter();
    assert_true(habits_factor(h, 1, CHANNEL_PUSH) > 0);
    (void)habits_send_at(h, 1, CHANNEL_PUSH, monday, monday + US_PER_DAY, night, NULL);
    mem_guard_leave();
    habits_free(h);
    world_free(&w);
}

static void the_description_says_what_was_counted(void **state)
{
    message_world w = {.r = random_begin(4, 1)};
    arena a;
    const json_value *v = NULL;
    (void)state;
    for (uint32_t s = 1; s <= 20; s++)
        send_both(&w, s, 10, .3, .1);
    habits *h = fit(&w, 20);
    char *json = described(h);
    arena_init(&a, 1 << 20);
    assert_int_equal(json_parse(&a, json, strlen(json), &v, NULL), PF_OK);
    assert_true(text_is(json_member(v, "messages")->text, "400"));
    assert_int_equal(json_member(v, "channels")->n, 2);
    assert_int_equal(json_member(v, "hours")->n, 24);
    assert_int_equal(json_member(v, "weekdays")->n, 7);
    assert_non_null(json_path(v, "strengths", "rates", "shopper", NULL));
    mem_free(json);
    arena_free(&a);
    habits_free(h);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_visits_leave_a_shopper_with_his_segment_and_200_do_not),
        cmocka_unit_test(the_hour_and_weekday_at_which_messages_are_answered_come_back),
        cmocka_unit_test(clicks_do_not_vote_for_the_hour_at_which_they_were_asked_for),
        cmocka_unit_test(the_planted_channel_comes_back_for_those_with_many_answers_alone),
        cmocka_unit_test(nothing_known_is_a_factor_of_one_and_the_earliest_moment),
        cmocka_unit_test(chance_moves_nobody_from_the_earliest_moment),
        cmocka_unit_test(of_two_equal_hours_the_earlier_one_that_is_left),
        cmocka_unit_test(days_of_23_and_25_hours_have_the_hours_they_have),
        cmocka_unit_test(no_answer_is_quiet_or_outside_of_the_span),
        cmocka_unit_test(where_no_moment_is_allowed_there_is_none),
        cmocka_unit_test(what_happens_later_changes_nothing_to_the_bit),
        cmocka_unit_test(a_date_alone_teaches_the_weekday_and_no_hour),
        cmocka_unit_test(each_shopper_has_the_hours_of_his_own_zone),
        cmocka_unit_test(a_shopper_without_a_past_reads_like_the_segment_he_is_given),
        cmocka_unit_test(segments_by_recency_are_as_the_header_says),
        cmocka_unit_test(what_comes_after_the_moment_makes_nobody_lapse),
        cmocka_unit_test(wrong_segments_are_refused_with_their_number),
        cmocka_unit_test(any_moment_is_a_moment_to_learn_until),
        cmocka_unit_test(every_failed_allocation_is_said_and_leaves_nothing),
        cmocka_unit_test(asking_allocates_nothing),
        cmocka_unit_test(the_description_says_what_was_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
