/* base/quiet.h: random zones, years and hours against a clock read second by second; the nights
 * when clocks are set in Berlin; the ends of time. */
#include "check.h"

#include "base/calendar.h"
#include "base/clock.h"
#include "base/quiet.h"
#include "base/random.h"
#include "base/zone.h"

static const char *const names[] = {
    "UTC",           "Europe/Berlin",    "America/New_York", "Australia/Lord_Howe",
    "Asia/Kolkata",  "Asia/Kathmandu",   "Pacific/Apia",     "America/St_Johns",
    "Africa/Cairo",  "Africa/Casablanca", "America/Sao_Paulo", "Asia/Shanghai",
    "Europe/London", "Pacific/Chatham",  "Antarctica/Troll", "Europe/Amsterdam"};
enum { ZONES = sizeof names / sizeof *names };

static zone *open_zone(const char *name)
{
    zone *z = NULL;
    pf_error err = {0};
    if (zone_open(&z, name, &err) != PF_OK) fail_msg("%s", err.message);
    return z;
}

static int64_t local(const zone *z, int year, int month, int day, int hour, int minute)
{
    calendar_time t = {
        .year = year, .month = month, .day = day, .hour = hour, .minute = minute};
    return calendar_to_us(&t, z, ZONE_REPEAT_EARLIER);
}

/* By the parts of the local time alone. */
static bool clock_says_quiet(int64_t at_us, const zone *z, quiet_hours q)
{
    const calendar_time t = calendar_from_us(at_us, z);
    const int minute = t.hour * 60 + t.minute;
    if (q.from_minute == q.to_minute) return false;
    for (int m = q.from_minute;; m = m + 1) {
        if (m >= QUIET_MINUTES && q.to_minute < QUIET_MINUTES) m = 0;
        if (m == q.to_minute) return false;
        if (m == minute) return true;
    }
}

static void every_minute_of_the_day_is_as_the_clock_says(void **state)
{
    static const quiet_hours some[] = {{21 * 60, 8 * 60}, {0, 0},     {720, 720}, {0, 1440},
                                       {0, 1},            {1439, 1440}, {1439, 0}, {1, 0},
                                       {600, 660},        {1440, 480}};
    (void)state;
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        for (int m = 0; m < QUIET_MINUTES; m++) {
            const int64_t at = local(NULL, 2026, 5, 1, m / 60, m % 60);
            assert_int_equal(quiet_holds(at, NULL, some[i]), clock_says_quiet(at, NULL, some[i]));
        }
}

/* Never quiet, never before, and every second up to it is quiet. */
static void check_one(random_stream *r, const zone *z)
{
    const int64_t from = local(NULL, 1905, 1, 1, 0, 0) +
                         (int64_t)(random_unit(r) * 285 * 365.2 * (double)US_PER_DAY);
    quiet_hours q = {(int)random_below(r, 1441), (int)random_below(r, 1441)};
    const int64_t next = quiet_next(from, z, q);
    if (q.from_minute == 0 && q.to_minute == 1440) return;
    assert_true(next >= from);
    assert_false(clock_says_quiet(next, z, q));
    for (int64_t at = from; at < next; at += US_PER_SECOND)
        if (!quiet_holds(at, z, q)) fail_msg("%s: %lld was quiet", zone_name(z), (long long)at);
    if (next > from) assert_true(quiet_holds(next - 1, z, q));
}

static void the_answer_is_the_earliest_allowed_moment_in_random_zones_and_years(void **state)
{
    random_stream r = random_begin(7, 1);
    (void)state;
    for (size_t i = 0; i < ZONES; i++) {
        zone *z = open_zone(names[i]);
        for (int k = 0; k < 60; k++)
            check_one(&r, z);
        zone_free(z);
    }
}

/* Moments near the changes of the clocks, which random ones seldom meet. */
static void the_same_holds_within_a_day_of_every_change_of_the_clocks(void **state)
{
    random_stream r = random_begin(8, 1);
    int changes = 0;
    (void)state;
    for (size_t i = 0; i < ZONES; i++) {
        zone *z = open_zone(names[i]);
        int64_t at = local(NULL, 2005 + (int)i, 1, 1, 0, 0);
        for (int hour = 0; hour < 366 * 24; hour++, at += US_PER_HOUR) {
            if (zone_offset_s(z, at) == zone_offset_s(z, at + US_PER_HOUR)) continue;
            for (int k = 0; k < 25; k++) {
                const int64_t from = at - (int64_t)(random_unit(&r) * (double)US_PER_DAY);
                const quiet_hours q = {(int)random_below(&r, 1441), (int)random_below(&r, 300)};
                const int64_t next = quiet_next(from, z, q);
                assert_true(next >= from && !clock_says_quiet(next, z, q));
                for (int64_t t = from; t < next; t += 10 * US_PER_SECOND)
                    assert_true(clock_says_quiet(t, z, q));
                if (next > from) assert_true(clock_says_quiet(next - 1, z, q));
            }
            changes++;
        }
        zone_free(z);
    }
    assert_true(changes > 12);
}

static void a_night_ends_at_eight_after_ten_and_twelve_hours_in_berlin(void **state)
{
    const quiet_hours night = {21 * 60, 8 * 60};
    zone *z = open_zone("Europe/Berlin");
    (void)state;
    /* 2026-03-29: from 02:00 to 03:00; 2026-10-25: from 03:00 back to 02:00. */
    int64_t from = local(z, 2026, 3, 28, 21, 0), to = quiet_next(from, z, night);
    assert_int_equal(to, local(z, 2026, 3, 29, 8, 0));
    assert_int_equal(to - from, 10 * US_PER_HOUR);
    from = local(z, 2026, 10, 24, 21, 0);
    to = quiet_next(from, z, night);
    assert_int_equal(to, local(z, 2026, 10, 25, 8, 0));
    assert_int_equal(to - from, 12 * US_PER_HOUR);
    assert_int_equal(quiet_next(local(z, 2026, 10, 24, 20, 59), z, night),
                     local(z, 2026, 10, 24, 20, 59));
    zone_free(z);
}

/* 02:30 is jumped over in spring: the end is the jump. In autumn it comes twice, and what lies
 * between is as the clock says. */
static void a_limit_inside_the_hour_that_is_skipped_or_comes_twice(void **state)
{
    const quiet_hours night = {21 * 60, 2 * 60 + 30};
    zone *z = open_zone("Europe/Berlin");
    (void)state;
    assert_int_equal(quiet_next(local(z, 2026, 3, 29, 1, 0), z, night),
                     local(z, 2026, 3, 29, 3, 0));
    const int64_t first = local(z, 2026, 10, 25, 2, 30);
    assert_int_equal(quiet_next(local(z, 2026, 10, 25, 1, 0), z, night), first);
    assert_int_equal(quiet_next(first + 29 * US_PER_MINUTE, z, night),
                     first + 29 * US_PER_MINUTE);
    assert_int_equal(quiet_next(first + 30 * US_PER_MINUTE, z, night), first + US_PER_HOUR);
    zone_free(z);
}

/* Allowed from 02:00 to 03:00 alone, which a Sunday in March has not. */
static void an_allowed_hour_that_a_day_has_not_is_found_on_the_next(void **state)
{
    zone *z = open_zone("Europe/Berlin");
    (void)state;
    assert_int_equal(quiet_next(local(z, 2026, 3, 29, 1, 0), z, (quiet_hours){180, 120}),
                     local(z, 2026, 3, 30, 2, 0));
    zone_free(z);
}

static void no_moment_is_said_where_there_is_none(void **state)
{
    (void)state;
    assert_int_equal(quiet_next(0, NULL, (quiet_hours){0, QUIET_MINUTES}), INT64_MIN);
    assert_int_equal(quiet_next(INT64_MAX, NULL, (quiet_hours){0, 60}), INT64_MIN);
    assert_int_equal(quiet_next(-1, NULL, (quiet_hours){0, 0}), -1);
    assert_int_equal(quiet_hour_end(INT64_MAX, NULL), INT64_MAX);
}

static void hours_outside_of_the_day_are_refused(void **state)
{
    (void)state;
    assert_null(quiet_check_parameters((quiet_hours){0, QUIET_MINUTES}));
    assert_non_null(quiet_check_parameters((quiet_hours){-1, 5}));
    assert_non_null(quiet_check_parameters((quiet_hours){5, 1441}));
}

static void hours_of_a_day_follow_each_other_without_a_hole(void **state)
{
    (void)state;
    for (size_t i = 0; i < ZONES; i++) {
        zone *z = open_zone(names[i]);
        const int64_t begin = local(z, 2026, 1, 1, 0, 20), end = begin + 365 * US_PER_DAY;
        for (int64_t at = begin; at < end;) {
            const int64_t next = quiet_hour_end(at, z);
            assert_true(next > at && next <= at + US_PER_HOUR);
            const calendar_time a = calendar_from_us(at, z), b = calendar_from_us(next - 1, z);
            assert_true(a.hour == b.hour && a.day == b.day);
            const calendar_time c = calendar_from_us(next, z);
            assert_true(c.hour != a.hour || zone_offset_s(z, next) != zone_offset_s(z, next - 1));
            at = next;
        }
        zone_free(z);
    }
}

static void the_next_change_is_where_the_offset_changes_first(void **state)
{
    (void)state;
    assert_true(zone_next_change_s(NULL, 0) == INT64_MAX);
    for (size_t i = 0; i < ZONES; i++) {
        zone *z = open_zone(names[i]);
        int64_t s = local(NULL, 2024, 1, 1, 0, 0) / US_PER_SECOND, end = s + 400 * 86400;
        for (int64_t next = zone_next_change_s(z, s); next < end;
             next = zone_next_change_s(z, s)) {
            assert_true(next > s);
            assert_int_equal(zone_offset_at(z, next - 1), zone_offset_at(z, s));
            assert_int_not_equal(zone_offset_at(z, next), zone_offset_at(z, s));
            s = next;
        }
        for (; s < end; s += 3600)
            assert_int_equal(zone_offset_at(z, s), zone_offset_at(z, end));
        zone_free(z);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_minute_of_the_day_is_as_the_clock_says),
        cmocka_unit_test(the_answer_is_the_earliest_allowed_moment_in_random_zones_and_years),
        cmocka_unit_test(the_same_holds_within_a_day_of_every_change_of_the_clocks),
        cmocka_unit_test(a_night_ends_at_eight_after_ten_and_twelve_hours_in_berlin),
        cmocka_unit_test(a_limit_inside_the_hour_that_is_skipped_or_comes_twice),
        cmocka_unit_test(an_allowed_hour_that_a_day_has_not_is_found_on_the_next),
        cmocka_unit_test(no_moment_is_said_where_there_is_none),
        cmocka_unit_test(hours_outside_of_the_day_are_refused),
        cmocka_unit_test(the_next_change_is_where_the_offset_changes_first),
        cmocka_unit_test(hours_of_a_day_follow_each_other_without_a_hole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
