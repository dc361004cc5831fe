/* base/calendar.h: parts of times, local days and midnights, and the written forms. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/civil.h"
#include "base/clock.h"
#include "base/random.h"

static zone *open_zone(const char *name)
{
    zone *z = NULL;
    pf_error err = {0};
    if (zone_open(&z, name, &err) != PF_OK) fail_msg("%s", err.message);
    return z;
}

static int64_t at(int year, int month, int day, int hour, int minute)
{
    calendar_time t = {
        .year = year, .month = month, .day = day, .hour = hour, .minute = minute};
    return calendar_to_us(&t, NULL, ZONE_REPEAT_EARLIER);
}

/* Counts days one by one, as slowly as a calendar on a wall. */
static void dates_agree_with_counting_days(void **state)
{
    (void)state;
    int year = 1600, month = 1, day = 1, weekday = 5; /* a Saturday */
    for (int64_t n = -135140; n < 150000; n++) {
        assert_int_equal(civil_to_days(year, month, day), n);
        civil_date d = civil_from_days(n);
        assert_true(d.year == year && d.month == month && d.day == day);
        assert_int_equal(civil_weekday(n), weekday);
        weekday = (weekday + 1) % 7;
        static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        int length = lengths[month - 1] + (month == 2 && leap);
        assert_int_equal(civil_days_in_month(year, month), length);
        if (++day > length) {
            day = 1;
            if (++month > 12) {
                month = 1;
                year++;
            }
        }
    }
}

static void division_rounds_down_below_zero(void **state)
{
    (void)state;
    for (int64_t a = -50; a <= 50; a++) {
        for (int64_t b = 1; b < 9; b++) {
            int64_t q = floor_divide(a, b), r = floor_modulo(a, b);
            assert_int_equal(q * b + r, a);
            assert_true(r >= 0 && r < b);
        }
    }
}

static void parts_and_instants_are_inverse(void **state)
{
    (void)state;
    random_stream r = random_begin(1, 2);
    for (int i = 0; i < 200000; i++) {
        int64_t us = (int64_t)(random_u64(&r) % UINT64_C(9467107200000000)) -
                     INT64_C(2208988800000000);
        calendar_time t = calendar_from_us(us, NULL);
        assert_true(t.year >= 1900 && t.year <= 2199);
        assert_true(t.month >= 1 && t.month <= 12 && t.day >= 1 && t.day <= 31);
        assert_true(t.hour >= 0 && t.hour < 24 && t.minute >= 0 && t.minute < 60);
        assert_true(t.second >= 0 && t.second < 60);
        assert_true(t.microsecond >= 0 && t.microsecond < 1000000);
        assert_int_equal(calendar_to_us(&t, NULL, ZONE_REPEAT_LATER), us);
    }
}

static void times_before_1970_have_positive_parts(void **state)
{
    (void)state;
    calendar_time t = calendar_from_us(-1, NULL);
    assert_int_equal(t.year, 1969);
    assert_int_equal(t.second, 59);
    assert_int_equal(t.microsecond, 999999);
    assert_int_equal(t.weekday, 2);
    assert_int_equal(calendar_day(-1, NULL), -1);
    assert_int_equal(calendar_midnight_us(-1, NULL), -US_PER_DAY);
}

static void local_days_follow_the_zone(void **state)
{
    (void)state;
    zone *z = open_zone("America/New_York");
    int64_t t = at(2017, 7, 8, 3, 59);
    assert_int_equal(calendar_day(t, z), civil_to_days(2017, 7, 7));
    assert_int_equal(calendar_day(t + US_PER_MINUTE, z), civil_to_days(2017, 7, 8));
    assert_int_equal(calendar_midnight_us(t, z), at(2017, 7, 7, 4, 0));
    calendar_time parts = calendar_from_us(t, z);
    assert_int_equal(parts.hour, 23);
    assert_int_equal(parts.day, 7);
    assert_int_equal(parts.weekday, 4);
    zone_free(z);
}

static void hours_that_occur_twice_or_never(void **state)
{
    (void)state;
    zone *z = open_zone("America/New_York");
    calendar_time twice = {.year = 2017, .month = 11, .day = 5, .hour = 1, .minute = 30};
    assert_int_equal(calendar_to_us(&twice, z, ZONE_REPEAT_EARLIER),
                     at(2017, 11, 5, 5, 30));
    assert_int_equal(calendar_to_us(&twice, z, ZONE_REPEAT_LATER),
                     at(2017, 11, 5, 6, 30));
    calendar_time never = {.year = 2017, .month = 3, .day = 12, .hour = 2, .minute = 30};
    assert_int_equal(calendar_to_us(&never, z, ZONE_REPEAT_EARLIER),
                     at(2017, 3, 12, 7, 30));
    assert_int_equal(calendar_to_us(&never, z, ZONE_REPEAT_LATER),
                     at(2017, 3, 12, 7, 30));
    zone_free(z);
}

/* Toronto 1919: clocks jumped from 23:30 to 0:30, so the 31st of March had no midnight.
 * Sao Paulo 2018: from 0:00 to 1:00. Samoa skipped the whole 30th of December 2011. */
static void a_day_without_midnight_begins_after_the_jump(void **state)
{
    (void)state;
    zone *z = open_zone("America/Toronto");
    assert_int_equal(calendar_midnight_us(at(1919, 3, 31, 12, 0), z),
                     at(1919, 3, 31, 4, 30));
    zone_free(z);
    z = open_zone("America/Sao_Paulo");
    assert_int_equal(calendar_midnight_us(at(2018, 11, 4, 12, 0), z),
                     at(2018, 11, 4, 3, 0));
    zone_free(z);
    z = open_zone("Pacific/Apia");
    int64_t after = calendar_midnight_us(at(2011, 12, 30, 12, 0), z);
    assert_int_equal(after, at(2011, 12, 30, 10, 0));
    assert_int_equal(calendar_day(after, z), civil_to_days(2011, 12, 31));
    assert_int_equal(calendar_day(after - 1, z), civil_to_days(2011, 12, 29));
    zone_free(z);
}

static void times_are_written_in_iso_8601(void **state)
{
    (void)state;
    char into[TIME_TEXT_BYTES];
    assert_string_equal(time_format(0, into), "1970-01-01T00:00:00Z");
    assert_string_equal(time_format(at(2017, 1, 7, 18, 15) + 32 * US_PER_SECOND, into),
                        "2017-01-07T18:15:32Z");
    assert_string_equal(time_format(-1, into), "1969-12-31T23:59:59.999999Z");
    assert_string_equal(time_format(50, into), "1970-01-01T00:00:00.000050Z");
    assert_string_equal(time_format(INT64_MAX, into), "294247-01-10T04:00:54.775807Z");
    assert_string_equal(time_format(INT64_MIN, into), "-290308-12-21T19:59:05.224192Z");
}

static void dates_are_written_in_the_zone(void **state)
{
    (void)state;
    char into[TIME_TEXT_BYTES];
    zone *z = open_zone("Asia/Shanghai");
    assert_string_equal(date_format(at(2017, 1, 7, 15, 59), z, into), "2017-01-07");
    assert_string_equal(date_format(at(2017, 1, 7, 16, 0), z, into), "2017-01-08");
    assert_string_equal(date_format(at(2017, 1, 7, 16, 0), NULL, into), "2017-01-07");
    zone_free(z);
}

static void the_calendar_ends_with_its_years(void **state)
{
    (void)state;
    const int64_t first = INT64_C(-2208988800) * US_PER_SECOND;
    const int64_t behind = INT64_C(7258118400) * US_PER_SECOND;
    assert_true(calendar_holds(0) && calendar_holds(first) && calendar_holds(behind - 1));
    assert_false(calendar_holds(first - 1) || calendar_holds(behind));
    assert_false(calendar_holds(INT64_MAX) || calendar_holds(INT64_MIN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_calendar_ends_with_its_years),
        cmocka_unit_test(dates_agree_with_counting_days),
        cmocka_unit_test(division_rounds_down_below_zero),
        cmocka_unit_test(parts_and_instants_are_inverse),
        cmocka_unit_test(times_before_1970_have_positive_parts),
        cmocka_unit_test(local_days_follow_the_zone),
        cmocka_unit_test(hours_that_occur_twice_or_never),
        cmocka_unit_test(a_day_without_midnight_begins_after_the_jump),
        cmocka_unit_test(times_are_written_in_iso_8601),
        cmocka_unit_test(dates_are_written_in_the_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
