/* base/calendar.h, time_parse: every accepted form, every refusal with its reason. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/random.h"

static zone *new_york;

static int open_zones(void **state)
{
    (void)state;
    return zone_open(&new_york, "America/New_York", NULL) == PF_OK ? 0 : -1;
}

static int close_zones(void **state)
{
    (void)state;
    zone_free(new_york);
    return 0;
}

typedef struct accepted {
    const char *text, *expected; /* as time_format writes it */
    bool date_only;
} accepted;

static void check_accepted(const accepted *cases, size_t n, const time_rules *rules)
{
    for (size_t i = 0; i < n; i++) {
        int64_t us = 0;
        bool date_only = !cases[i].date_only;
        const char *why = "";
        char into[TIME_TEXT_BYTES];
        if (!time_parse(cases[i].text, strlen(cases[i].text), rules, &us, &date_only,
                        &why))
            fail_msg("%s: %s", cases[i].text, why);
        assert_string_equal(time_format(us, into), cases[i].expected);
        assert_int_equal(date_only, cases[i].date_only);
    }
}

static void iso_times_are_read(void **state)
{
    (void)state;
    static const accepted cases[] = {
        {"2017-01-07", "2017-01-07T00:00:00Z", true},
        {"2017-01-07 18:15:32", "2017-01-07T18:15:32Z", false},
        {"2017-01-07T18:15:32", "2017-01-07T18:15:32Z", false},
        {"2017-01-07t18:15:32z", "2017-01-07T18:15:32Z", false},
        {"2017-01-07T18:15", "2017-01-07T18:15:00Z", false},
        {"2017-01-07T18:15:32Z", "2017-01-07T18:15:32Z", false},
        {"2017-01-07T18:15:32.5+02:00", "2017-01-07T16:15:32.500000Z", false},
        {"2017-01-07T18:15:32,25Z", "2017-01-07T18:15:32.250000Z", false},
        {"2017-01-07T18:15:32.123456789Z", "2017-01-07T18:15:32.123456Z", false},
        {"2017-01-07T18:15:32-0530", "2017-01-07T23:45:32Z", false},
        {"2017-01-07T18:15:32+08", "2017-01-07T10:15:32Z", false},
        {"2017-01-07 18:15:32 UTC", "2017-01-07T18:15:32Z", false},
        {"2017-01-07 18:15:32 GMT", "2017-01-07T18:15:32Z", false},
        {"2017-01-07 18:15:32 +01:00", "2017-01-07T17:15:32Z", false},
        {"2017-01-07 18:15Z", "2017-01-07T18:15:00Z", false},
        {"20170107T181532Z", "2017-01-07T18:15:32Z", false},
        {"20170107T1815", "2017-01-07T18:15:00Z", false},
        {"2016-02-29", "2016-02-29T00:00:00Z", true},
        {"1900-01-01", "1900-01-01T00:00:00Z", true},
        {"2199-12-31T23:59:59.999999Z", "2199-12-31T23:59:59.999999Z", false},
    };
    time_rules any = {.form = TIME_ANY}, iso = {.form = TIME_ISO};
    check_accepted(cases, sizeof cases / sizeof cases[0], &any);
    check_accepted(cases, sizeof cases / sizeof cases[0], &iso);
    static const accepted basic[] = {{"20170107", "2017-01-07T00:00:00Z", true}};
    check_accepted(basic, 1, &iso);
}

static void numbers_are_read_by_their_size(void **state)
{
    (void)state;
    static const accepted cases[] = {
        {"1483812932", "2017-01-07T18:15:32Z", false},
        {"1483812932000", "2017-01-07T18:15:32Z", false},
        {"1483812932000000", "2017-01-07T18:15:32Z", false},
        {"1483812932.25", "2017-01-07T18:15:32.250000Z", false},
        {"1483812932000.5", "2017-01-07T18:15:32.000500Z", false},
        {"1483812932.1234567", "2017-01-07T18:15:32.123456Z", false},
        {"0", "1970-01-01T00:00:00Z", false},
        {"-1", "1969-12-31T23:59:59Z", false},
        {"-1.5", "1969-12-31T23:59:58.500000Z", false},
        {"978300760", "2000-12-31T22:12:40Z", false},
        {"7258118399", "2199-12-31T23:59:59Z", false},
        {"-2208988800", "1900-01-01T00:00:00Z", false},
        {"99999999", "1973-03-03T09:46:39Z", false}, /* eight digits, but no date */
    };
    time_rules any = {.form = TIME_ANY};
    check_accepted(cases, sizeof cases / sizeof cases[0], &any);
}

static void a_stated_unit_is_believed(void **state)
{
    (void)state;
    static const accepted s[] = {{"20170107", "1970-08-22T10:48:27Z", false},
                                 {"5", "1970-01-01T00:00:05Z", false}};
    static const accepted ms[] = {{"5", "1970-01-01T00:00:00.005000Z", false},
                                  {"-1", "1969-12-31T23:59:59.999000Z", false},
                                  {"1.5", "1970-01-01T00:00:00.001500Z", false}};
    static const accepted us[] = {{"5", "1970-01-01T00:00:00.000005Z", false},
                                  {"5.9", "1970-01-01T00:00:00.000005Z", false}};
    check_accepted(s, 2, &(time_rules){.form = TIME_EPOCH_S});
    check_accepted(ms, 3, &(time_rules){.form = TIME_EPOCH_MS});
    check_accepted(us, 2, &(time_rules){.form = TIME_EPOCH_US});
}

static void times_without_offset_are_local(void **state)
{
    (void)state;
    static const accepted cases[] = {
        {"2017-01-07", "2017-01-07T05:00:00Z", true},
        {"2017-07-07", "2017-07-07T04:00:00Z", true},
        {"2017-01-07 18:15:32", "2017-01-07T23:15:32Z", false},
        {"2017-01-07 18:15:32Z", "2017-01-07T18:15:32Z", false},
        {"2017-03-12 02:30", "2017-03-12T07:30:00Z", false},
        {"2017-11-05 01:30", "2017-11-05T05:30:00Z", false},
        {"1483812932", "2017-01-07T18:15:32Z", false},
    };
    time_rules earlier = {.local = new_york};
    check_accepted(cases, sizeof cases / sizeof cases[0], &earlier);
    static const accepted late[] = {{"2017-11-05 01:30", "2017-11-05T06:30:00Z", false}};
    time_rules later = {.local = new_york, .repeat = ZONE_REPEAT_LATER};
    check_accepted(late, 1, &later);
}

static void what_is_no_time_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "empty"},
        {"yesterday", "four digits"},
        {"2017-13-01", "month is not between"},
        {"2017-00-01", "month is not between"},
        {"2017-02-29", "no such day"},
        {"2017-04-31", "no such day"},
        {"2017-01-00", "no such day"},
        {"1899-12-31", "1900 and 2199"},
        {"2200-01-01", "1900 and 2199"},
        {"2017-1-7", "YYYY-MM-DD"},
        {"2017/01/07", "YYYY-MM-DD"},
        {"07.01.2017", "behind the number"},
        {"2017-01-07x", "T or a space"},
        {"2017-01-07T", "HH:MM:SS"},
        {"2017-01-07 1:15", "HH:MM:SS"},
        {"2017-01-07 18", "HH:MM:SS"},
        {"2017-01-07 18:", "HH:MM:SS"},
        {"2017-01-07 18:15:", "HH:MM:SS"},
        {"2017-01-07 24:00", "hour"},
        {"2017-01-07 23:60", "minute"},
        {"2016-12-31T23:59:60Z", "second"},
        {"2017-01-07 18:15:32.", "no digits"},
        {"2017-01-07 18:15:32x", "no offset"},
        {"2017-01-07 18:15:32 PST", "no offset"},
        {"2017-01-07 18:15:32 +", "+HH:MM"},
        {"2017-01-07 18:15:32+1", "+HH:MM"},
        {"2017-01-07 18:15:32+01:", "+HH:MM"},
        {"2017-01-07 18:15:32+24:00", "24 hours"},
        {"2017-01-07 18:15:32+01:60", "24 hours"},
        {"2017-01-07 18:15:32ZZ", "behind the time"},
        {"1900-01-01T00:00+05:00", "1900 and 2199"},
        {"2199-12-31T23:00-05:00", "1900 and 2199"},
        {"20170107", "say which form"},
        {"1e9", "four digits"},
        {"1.5.2", "behind the number"},
        {"-", "neither"},
        {".", "neither"},
        {".5", "neither"},
        {"5.", "no digits"},
        {"7258118400", "1900 and 2199"},
        {"99999999999", "1900 and 2199"},
        {"9999999999999999999999", "too large"},
        {" 2017-01-07", "four digits"},
        {"2017-01-07 ", "HH:MM:SS"},
        {"+1483812932", "four digits"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t us = 77;
        bool date_only = true;
        const char *why = "";
        time_rules any = {.form = TIME_ANY};
        if (time_parse(cases[i].text, strlen(cases[i].text), &any, &us, &date_only, &why))
            fail_msg("'%s' was accepted", cases[i].text);
        if (!strstr(why, cases[i].why))
            fail_msg("'%s' was refused with '%s'", cases[i].text, why);
        assert_int_equal(us, 77);
        assert_true(date_only);
    }
}

/* Only n bytes count, whatever stands behind them: the reader gets pieces of a line. */
static void nothing_behind_the_text_is_read(void **state)
{
    (void)state;
    const char *line = "2017-01-07T18:15:32.5+02:00,1483812932";
    static const size_t good[] = {10, 16, 19, 21, 24, 27};
    time_rules any = {.form = TIME_ANY};
    for (size_t n = 0; n <= 27; n++) {
        int64_t us;
        bool date_only, expected = false;
        const char *why;
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
            expected = expected || good[i] == n;
        expected = expected || (n >= 1 && n <= 4); /* the numbers 2, 20, 201, 2017 */
        char exact[32];
        memcpy(exact, line, n);
        assert_int_equal(time_parse(line, n, &any, &us, &date_only, &why), expected);
        int64_t again;
        assert_int_equal(time_parse(exact, n, &any, &again, &date_only, &why), expected);
        assert_true(!expected || us == again);
    }
}

static void written_times_are_read_back(void **state)
{
    (void)state;
    random_stream r = random_begin(3, 3);
    static const time_form numbers[] = {TIME_EPOCH_S, TIME_EPOCH_MS, TIME_EPOCH_US};
    static const int64_t units[] = {US_PER_SECOND, 1000, 1};
    for (int i = 0; i < 100000; i++) {
        int64_t us = (int64_t)(random_u64(&r) % UINT64_C(9467107200000000)) -
                     INT64_C(2208988800000000);
        if (i % 2) us = us / US_PER_SECOND * US_PER_SECOND;
        char into[TIME_TEXT_BYTES];
        int64_t back = 0;
        bool date_only;
        const char *why;
        time_format(us, into);
        assert_true(time_parse(into, strlen(into), &(time_rules){.local = new_york},
                               &back, &date_only, &why));
        assert_int_equal(back, us);
        int k = i % 3;
        snprintf(into, sizeof into, "%lld", (long long)(us / units[k]));
        assert_true(time_parse(into, strlen(into), &(time_rules){.form = numbers[k]},
                               &back, &date_only, &why));
        assert_int_equal(back, us / units[k] * units[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iso_times_are_read),
        cmocka_unit_test(numbers_are_read_by_their_size),
        cmocka_unit_test(a_stated_unit_is_believed),
        cmocka_unit_test(times_without_offset_are_local),
        cmocka_unit_test(what_is_no_time_is_refused_with_a_reason),
        cmocka_unit_test(nothing_behind_the_text_is_read),
        cmocka_unit_test(written_times_are_read_back),
    };
    return cmocka_run_group_tests(tests, open_zones, close_zones);
}
