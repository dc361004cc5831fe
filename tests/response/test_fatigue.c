/* response/fatigue.h: planted hazards come back within their intervals, harm never falls with
 * messages, few rows of a channel read like all, nothing seen is said to be assumed, what is a row
 * and what is read. */
#include "check.h"

#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "response/fatigue.h"
#include "response/message_world.h"

static const int64_t end_us = WORLD_MONDAY_US + 52 * 7 * US_PER_DAY;

static fatigue *fit_until(const message_world *w, uint32_t n_shoppers, int64_t until_us)
{
    shop_history *past = world_history(w, n_shoppers);
    fatigue *f = NULL;
    assert_int_equal(fatigue_fit(&f, NULL, past, until_us, NULL), PF_OK);
    history_free(past);
    return f;
}

static fatigue *fit(const message_world *w, uint32_t n_shoppers)
{
    return fit_until(w, n_shoppers, end_us);
}

static double logit(double p)
{
    return log(p / (1 - p));
}

/* --- worlds with a known hazard ----------------------------------------------------------- */

typedef struct truth {
    double b0, week, month;
    double push;   /* offset of every second message, by push; the others go by e-mail */
    double answer, answer_week; /* log-odds of an answer, and what log(1 + m7) adds */
} truth;

/* Messages so far of one shopper. */
typedef struct stream {
    int64_t at_us[512];
    size_t n;
} stream;

static uint32_t within(const stream *s, int64_t at_us, int days)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += s->at_us[i] < at_us && s->at_us[i] >= at_us - days * US_PER_DAY;
    return n;
}

static bool drawn(message_world *w, double log_odds)
{
    return random_unit(&w->r) < 1 / (1 + exp(-log_odds));
}

/* A shopper of so many messages a week, until he unsubscribes or the year ends. */
static void live_on(message_world *w, uint32_t who, double per_week, const truth *t)
{
    stream s = {.n = 0};
    int64_t at_us = WORLD_MONDAY_US, next_us;
    for (;; at_us = next_us) {
        const double m7 = log1p(within(&s, at_us, 7)), m30 = log1p(within(&s, at_us, 30));
        const channel by = s.n % 2 ? CHANNEL_PUSH : CHANNEL_EMAIL;
        const double gap = -log(1 - random_unit(&w->r)) * 7 / per_week * (double)US_PER_DAY;
        next_us = at_us + 1 + (int64_t)gap;
        if (at_us >= end_us || s.n == 512) return;
        const int64_t soon = next_us - at_us < 7 * US_PER_DAY ? next_us - at_us : 7 * US_PER_DAY;
        world_add(w, who, EVENT_EXPOSURE, by, at_us);
        s.at_us[s.n++] = at_us;
        if (drawn(w, t->answer + t->answer_week * m7))
            world_add(w, who, EVENT_CLICK, by, at_us + soon / 3);
        if (!drawn(w, t->b0 + t->week * m7 + t->month * m30 + (by == CHANNEL_PUSH ? t->push : 0)))
            continue;
        if (at_us + soon / 2 < end_us)
            world_add(w, who, EVENT_UNSUBSCRIBE, CHANNEL_NONE, at_us + soon / 2);
        return;
    }
}

static uint32_t people(message_world *w, uint32_t n, const truth *t)
{
    for (uint32_t s = 1; s <= n; s++)
        live_on(w, s, exp(3 * random_unit(&w->r)) / 4, t);
    return n;
}

static bool holds(fatigue_interval i, double x)
{
    return i.low <= x && x <= i.high;
}

/* 120 worlds: the 95 % interval of the slope holds the truth in about 114 of them, and so does that
 * of the hazard at 3 messages. Two standard errors are five worlds. */
static void planted_slopes_and_hazards_lie_in_their_intervals(void **state)
{
    enum { WORLDS = 120 };
    const truth t = {-5, .5, .2, 0, -9, 0};
    int slopes = 0, hazards = 0;
    double mean = 0;
    (void)state;
    for (uint64_t seed = 0; seed < WORLDS; seed++) {
        message_world w = {.r = random_begin(seed, 1)};
        fatigue *f = fit(&w, people(&w, 300, &t));
        const fatigue_interval slope = fatigue_harm_slope(f);
        slopes += holds(slope, .7);
        mean += slope.value / WORLDS;
        hazards += holds(fatigue_harm_interval(f, 3, 3, CHANNEL_NONE),
                         1 / (1 + exp(5 - .7 * log(4))));
        assert_true(fatigue_is_learnt(f));
        fatigue_free(f);
        world_free(&w);
    }
    assert_in_range(slopes, 107, WORLDS);
    assert_in_range(hazards, 107, WORLDS);
    assert_true(fabs(mean - .7) < .15);
}

static bool never_falls(const fatigue *f, channel by)
{
    for (uint32_t week = 0; week < 40; week++)
        for (uint32_t month = week; month < 80; month++) {
            const double p = fatigue_harm(f, week, month, by);
            if (!(p > 0 && p < 1) || fatigue_harm(f, week + 1, month + 1, by) < p ||
                fatigue_harm(f, week, month + 1, by) < p ||
                fatigue_dismissal(f, week + 1, month + 1, by) <
                    fatigue_dismissal(f, week, month, by))
                return false;
        }
    return true;
}

/* Worlds of every slope, down to those in which many messages please. */
static void harm_never_falls_with_messages_whatever_the_data_say(void **state)
{
    int held = 0;
    (void)state;
    for (int k = 0; k < 12; k++) {
        message_world w = {.r = random_begin((uint64_t)k, 2)};
        const truth t = {-4, k % 3 - 1, k % 4 * .4 - .8, .3, -3, 0};
        fatigue *f = fit(&w, people(&w, 200, &t));
        assert_true(never_falls(f, CHANNEL_PUSH) && never_falls(f, CHANNEL_NONE));
        const double none = fatigue_harm(f, 0, 0, CHANNEL_EMAIL);
        held += fabs(fatigue_harm(f, 9, 20, CHANNEL_EMAIL) / none - 1) < 1e-12;
        fatigue_free(f);
        world_free(&w);
    }
    assert_in_range(held, 1, 8);
}

/* As many unsubscribes are foretold as came. */
static void hazards_add_up_to_the_unsubscribes(void **state)
{
    const truth t = {-5, .6, .1, .5, -9, 0};
    message_world w = {.r = random_begin(3, 3)};
    double sum = 0, lost = 0;
    (void)state;
    const uint32_t n = people(&w, 1500, &t);
    shop_history *past = world_history(&w, n);
    fatigue *f = NULL;
    assert_int_equal(fatigue_fit(&f, NULL, past, end_us, NULL), PF_OK);
    for (uint32_t s = 1; s <= n; s++)
        for (uint64_t i = past->first[s]; i < past->first[s + 1]; i++) {
            const fatigue_counts c = fatigue_count(NULL, past, s, past->time_us[i]);
            if (past->type[i] == EVENT_EXPOSURE && past->time_us[i] <= end_us - 7 * US_PER_DAY)
                sum += fatigue_harm(f, c.in_7_days, c.in_30_days, (channel)past->channel[i]);
            lost += past->type[i] == EVENT_UNSUBSCRIBE;
        }
    assert_true(lost > 200);
    assert_true(fabs(sum / lost - 1) < .06);
    fatigue_free(f);
    history_free(past);
    world_free(&w);
}

/* --- little data ------------------------------------------------------------------------------ */

static void no_unsubscribe_yet_is_a_small_hazard_that_is_said_to_be_assumed(void **state)
{
    message_world w = {.r = random_begin(4, 1)};
    const truth t = {-99, 0, 0, 0, -2, 0};
    (void)state;
    for (int size = 0; size < 2; size++) {
        fatigue *f = fit(&w, size == 0 ? 5 : people(&w, 50, &t));
        assert_false(fatigue_is_learnt(f));
        assert_true(fabs(fatigue_harm(f, 0, 0, CHANNEL_EMAIL) / FATIGUE_PRIOR_HARM - 1) < 1e-6);
        assert_true(fabs(fatigue_dismissal(f, 0, 0, CHANNEL_SITE) / FATIGUE_PRIOR_DISMISSAL - 1) <
                    1e-6);
        const double seven = fatigue_harm(f, 7, 7, CHANNEL_EMAIL);
        assert_true(seven > .004 && seven < .01);
        const fatigue_interval i = fatigue_harm_interval(f, 0, 0, CHANNEL_NONE);
        assert_true(i.low > 1e-4 && i.low < .0005 && i.high > .01 && i.high < .03);
        fatigue_free(f);
        world_free(&w);
    }
}

/* One unsubscribe in 20 messages is not five in a hundred. */
static void one_unsubscribe_of_few_messages_moves_the_prior_a_little(void **state)
{
    message_world w = {0};
    (void)state;
    for (uint32_t s = 1; s <= 20; s++)
        world_add(&w, s, EVENT_EXPOSURE, CHANNEL_EMAIL, WORLD_MONDAY_US);
    world_add(&w, 7, EVENT_UNSUBSCRIBE, CHANNEL_EMAIL, WORLD_MONDAY_US + US_PER_DAY);
    fatigue *f = fit(&w, 20);
    const double p = fatigue_harm(f, 0, 0, CHANNEL_EMAIL);
    assert_true(fatigue_is_learnt(f));
    assert_true(p > .003 && p < .02);
    fatigue_free(f);
    world_free(&w);
}

/* E-mail tires nine times as much as push; 15 messages by SMS, of which none did, read like the
 * mean of both. */
static void few_rows_of_a_channel_read_like_all_channels_and_many_like_their_own(void **state)
{
    message_world w = {.r = random_begin(5, 1)};
    (void)state;
    for (uint32_t s = 1; s <= 9000; s++) {
        const channel by = s % 2 ? CHANNEL_PUSH : CHANNEL_EMAIL;
        world_add(&w, s, EVENT_EXPOSURE, s <= 15 ? CHANNEL_SMS : by, WORLD_MONDAY_US);
        if (s > 15 && random_unit(&w.r) < (s % 2 ? .01 : .09))
            world_add(&w, s, EVENT_UNSUBSCRIBE, by, WORLD_MONDAY_US + US_PER_HOUR);
    }
    fatigue *f = fit(&w, 9000);
    assert_true(fabs(logit(fatigue_harm(f, 0, 0, CHANNEL_PUSH)) - logit(.01)) < .3);
    assert_true(fabs(logit(fatigue_harm(f, 0, 0, CHANNEL_EMAIL)) - logit(.09)) < .15);
    const double sms = fatigue_harm(f, 0, 0, CHANNEL_SMS), mean = fatigue_harm(f, 0, 0, 0);
    assert_true(sms < mean && sms > mean / 2);
    assert_true(mean > .015 && mean < .06);
    fatigue_free(f);
    world_free(&w);
}

static void nobody_unsubscribes_from_a_site_but_dismisses_there(void **state)
{
    message_world w = {.r = random_begin(6, 1)};
    (void)state;
    for (uint32_t s = 1; s <= 2000; s++) {
        world_add(&w, s, EVENT_EXPOSURE, CHANNEL_SITE, WORLD_MONDAY_US);
        if (s % 5 == 0) world_add(&w, s, EVENT_DISMISSAL, CHANNEL_SITE, WORLD_MONDAY_US + 1);
        if (s % 7 == 0) world_add(&w, s, EVENT_UNSUBSCRIBE, CHANNEL_NONE, WORLD_MONDAY_US + 2);
    }
    fatigue *f = fit(&w, 2000);
    assert_true(fabs(fatigue_dismissal(f, 0, 0, CHANNEL_SITE) - .2) < .02);
    assert_true(fabs(fatigue_harm(f, 9, 9, CHANNEL_SITE)) < 1e-300);
    /* No message was sent: nothing but the prior, although unsubscribes were seen. */
    assert_true(fabs(fatigue_harm(f, 0, 0, CHANNEL_EMAIL) / FATIGUE_PRIOR_HARM - 1) < 1e-6);
    fatigue_free(f);
    world_free(&w);
}

/* --- answers ---------------------------------------------------------------------- */

static void a_fall_of_answers_with_messages_is_used_where_the_data_show_it(void **state)
{
    const truth falls = {-99, 0, 0, 0, -1, -.6}, stays = {-99, 0, 0, 0, -1, 0};
    message_world w = {.r = random_begin(7, 1)};
    (void)state;
    fatigue *f = fit(&w, people(&w, 500, &falls));
    assert_true(holds(fatigue_response_slope(f), -.6));
    assert_true(fabs(log(fatigue_response_factor(f, 6, 6)) + .6 * log(7)) < .25);
    assert_true(fatigue_response_factor(f, 3, 6) < fatigue_response_factor(f, 1, 2));
    assert_true(fabs(fatigue_response_factor(f, 0, 0) - 1) < 1e-12);
    fatigue_free(f);
    world_free(&w);
    f = fit(&w, people(&w, 500, &stays));
    assert_true(fabs(fatigue_response_factor(f, 20, 40) - 1) < 1e-12);
    fatigue_free(f);
    world_free(&w);
}

/* Those who answer are written to more: a comparison of shoppers would find a rise, and hide the
 * fall that every one of them shows. */
static void who_answers_and_is_written_to_more_does_not_hide_the_fall(void **state)
{
    message_world w = {.r = random_begin(8, 1)};
    (void)state;
    for (uint32_t s = 1; s <= 600; s++) {
        const double keen = random_unit(&w.r);
        const truth t = {-99, 0, 0, 0, -3 + 3 * keen, -.5};
        live_on(&w, s, .3 + 4 * keen, &t);
    }
    fatigue *f = fit(&w, 600);
    const fatigue_interval i = fatigue_response_slope(f);
    assert_true(i.high < 0 && i.value > -.8);
    fatigue_free(f);
    world_free(&w);
}

/* --- rows ------------------------------------------------------------------------- */

static char *described(const fatigue *f)
{
    buffer b;
    json_writer w;
    buffer_init(&b, 1 << 20);
    json_begin(&w, &b);
    fatigue_describe(f, &w);
    assert_true(json_finish(&w));
    return buffer_take(&b);
}

static void what_happens_later_changes_nothing_to_the_bit(void **state)
{
    const truth t = {-4, .3, .3, .2, -2, -.1};
    message_world w = {.r = random_begin(9, 1)};
    const int64_t until_us = end_us - 60 * US_PER_DAY;
    (void)state;
    const uint32_t n = people(&w, 100, &t);
    fatigue *with = fit_until(&w, n, until_us);
    size_t kept = 0;
    for (size_t i = 0; i < w.n; i++)
        if (w.row[i].time_us < until_us) w.row[kept++] = w.row[i];
    assert_true(kept < w.n);
    w.n = kept;
    for (uint32_t s = 1; s <= n; s++)
        world_add(&w, s, EVENT_UNSUBSCRIBE, CHANNEL_NONE, until_us);
    fatigue *without = fit_until(&w, n, until_us);
    char *a = described(with), *b = described(without);
    assert_string_equal(a, b);
    mem_free(a);
    mem_free(b);
    fatigue_free(with);
    fatigue_free(without);
    world_free(&w);
}

static int64_t number_of(const char *json, const char *part, const char *key)
{
    arena a;
    const json_value *v = NULL;
    arena_init(&a, 1 << 20);
    assert_int_equal(json_parse(&a, json, strlen(json), &v, NULL), PF_OK);
    const int64_t n = strtoll(json_path(v, part, key, NULL)->text.data, NULL, 10);
    arena_free(&a);
    return n;
}

/* Of eight messages: one too young, one behind an unsubscribe, one on the site. */
static void messages_that_cannot_tell_yet_or_should_not_have_been_sent_are_no_rows(void **state)
{
    message_world w = {0};
    (void)state;
    for (uint32_t s = 1; s <= 4; s++)
        world_add(&w, s, EVENT_EXPOSURE, CHANNEL_EMAIL, end_us - 40 * US_PER_DAY);
    world_add(&w, 1, EVENT_UNSUBSCRIBE, CHANNEL_NONE, end_us - 39 * US_PER_DAY);
    world_add(&w, 1, EVENT_EXPOSURE, CHANNEL_EMAIL, end_us - 30 * US_PER_DAY);
    world_add(&w, 2, EVENT_EXPOSURE, CHANNEL_EMAIL, end_us - 7 * US_PER_DAY + 1);
    world_add(&w, 3, EVENT_EXPOSURE, CHANNEL_EMAIL, end_us - 7 * US_PER_DAY);
    world_add(&w, 4, EVENT_EXPOSURE, CHANNEL_SITE, end_us - 20 * US_PER_DAY);
    fatigue *f = fit(&w, 4);
    char *json = described(f);
    assert_int_equal(number_of(json, "unsubscribe", "messages"), 5);
    assert_int_equal(number_of(json, "unsubscribe", "used"), 1);
    assert_int_equal(number_of(json, "unsubscribe", "seen"), 1);
    assert_int_equal(number_of(json, "answers", "messages"), 5);
    assert_non_null(strstr(json, "\"basis\":\"learnt\""));
    assert_non_null(strstr(json, "\"basis\":\"assumed\"")); /* dismissals */
    mem_free(json);
    fatigue_free(f);
    world_free(&w);
}

static void counts_are_of_messages_sent_in_the_seven_and_thirty_days_before(void **state)
{
    message_world w = {0};
    const int64_t at = end_us;
    (void)state;
    for (uint32_t p = 1; p <= 3; p++) /* one message */
        world_add(&w, 1, EVENT_EXPOSURE, CHANNEL_EMAIL, at - US_PER_DAY)->promotion = p;
    world_add(&w, 1, EVENT_EXPOSURE, CHANNEL_PUSH, at - US_PER_DAY);
    world_add(&w, 1, EVENT_EXPOSURE, CHANNEL_SITE, at - US_PER_DAY);
    world_add(&w, 1, EVENT_EXPOSURE, CHANNEL_SMS, at - 7 * US_PER_DAY);
    world_add(&w, 1, EVENT_EXPOSURE, CHANNEL_SMS, at - 7 * US_PER_DAY - 1);
    world_add(&w, 1, EVENT_EXPOSURE, CHANNEL_SMS, at - 30 * US_PER_DAY);
    world_add(&w, 1, EVENT_EXPOSURE, CHANNEL_SMS, at - 30 * US_PER_DAY - 1);
    world_add(&w, 1, EVENT_EXPOSURE, CHANNEL_SMS, at);
    world_add(&w, 1, EVENT_CLICK, CHANNEL_SMS, at - 5);
    shop_history *past = world_history(&w, 2);
    const fatigue_counts n = fatigue_count(NULL, past, 1, at);
    assert_int_equal(n.in_7_days, 3);
    assert_int_equal(n.in_30_days, 5);
    assert_int_equal(fatigue_count(NULL, past, 2, at).in_30_days, 0);
    assert_int_equal(fatigue_count(NULL, past, 1, INT64_MIN).in_30_days, 0);
    history_free(past);
    world_free(&w);
}

static void every_failed_allocation_is_said_and_leaves_nothing(void **state)
{
    const truth t = {-3, -.5, -.5, .2, -2, -.1};
    message_world w = {.r = random_begin(10, 1)};
    fault f = {0};
    (void)state;
    const uint32_t n = people(&w, 30, &t);
    shop_history *past = world_history(&w, n);
    while (fault_next(&f)) {
        fatigue *made = NULL;
        const pf_status s = fatigue_fit(&made, NULL, past, end_us, NULL);
        if (fault_reached(&f)) {
            assert_int_equal(s, PF_NO_MEMORY);
            assert_null(made);
        }
        fatigue_free(made);
    }
    assert_true(f.n > 20);
    history_free(past);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_slopes_and_hazards_lie_in_their_intervals),
        cmocka_unit_test(harm_never_falls_with_messages_whatever_the_data_say),
        cmocka_unit_test(hazards_add_up_to_the_unsubscribes),
        cmocka_unit_test(no_unsubscribe_yet_is_a_small_hazard_that_is_said_to_be_assumed),
        cmocka_unit_test(one_unsubscribe_of_few_messages_moves_the_prior_a_little),
        cmocka_unit_test(few_rows_of_a_channel_read_like_all_channels_and_many_like_their_own),
        cmocka_unit_test(nobody_unsubscribes_from_a_site_but_dismisses_there),
        cmocka_unit_test(a_fall_of_answers_with_messages_is_used_where_the_data_show_it),
        cmocka_unit_test(who_answers_and_is_written_to_more_does_not_hide_the_fall),
        cmocka_unit_test(what_happens_later_changes_nothing_to_the_bit),
        cmocka_unit_test(messages_that_cannot_tell_yet_or_should_not_have_been_sent_are_no_rows),
        cmocka_unit_test(counts_are_of_messages_sent_in_the_seven_and_thirty_days_before),
        cmocka_unit_test(every_failed_allocation_is_said_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
