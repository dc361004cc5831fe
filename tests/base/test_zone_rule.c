/* base/zone_rule.h: POSIX TZ strings, and the instants they mean. */
#include "check.h"

#include <string.h>

#include "base/civil.h"
#include "base/zone_rule.h"

static int64_t utc(int year, int month, int day, int hour, int minute)
{
    return civil_to_days(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60;
}

static void rules_mean_their_instants(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int year;
        int start[4], end[4]; /* month, day, hour, minute UTC */
        int32_t standard_s, summer_s;
    } cases[] = {
        /* New York, Paris, Sydney (summer over the new year), Lord Howe (half an hour).
         */
        {"EST5EDT,M3.2.0,M11.1.0", 2050, {3, 13, 7, 0}, {11, 6, 6, 0}, -18000, -14400},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 2100, {3, 28, 1, 0}, {10, 31, 1, 0}, 3600, 7200},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3",
         2050,
         {10, 1, 16, 0},
         {4, 2, 16, 0},
         36000,
         39600},
        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
         2050,
         {10, 1, 15, 30},
         {4, 2, 15, 0},
         37800,
         39600},
        /* Days by number: J60 is the first of March in any year, 59 only without a 29th.
         */
        {"AAA0BBB,J60/0,J365/0", 2024, {3, 1, 0, 0}, {12, 30, 23, 0}, 0, 3600},
        {"AAA0BBB,59/0,364/0", 2024, {2, 29, 0, 0}, {12, 29, 23, 0}, 0, 3600},
        {"AAA0BBB,J59/0,J1/0", 2024, {2, 28, 0, 0}, {1, 0, 23, 0}, 0, 3600},
        /* Times beyond the day, as in Greenland's and Gaza's rules. */
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
         2050,
         {3, 27, 1, 0},
         {10, 30, 1, 0},
         -7200,
         -3600},
        {"EET-2EEST,M3.4.4/50,M10.4.4/50",
         2050,
         {3, 26, 0, 0},
         {10, 28, 23, 0},
         7200,
         10800},
        {"AAA0BBB-2:15:30,M1.1.1/-167,M12.5.6/167",
         2050,
         {1, -4, 1, 0},
         {1, 0, 0, 0},
         0,
         8130},
    };
    for (size_t i = 0; i + 1 < sizeof cases / sizeof cases[0]; i++) {
        zone_rule rule;
        int64_t start, end;
        assert_true(zone_rule_parse(&rule, cases[i].text, strlen(cases[i].text)));
        assert_true(rule.has_summer);
        assert_int_equal(rule.standard_s, cases[i].standard_s);
        assert_int_equal(rule.summer_s, cases[i].summer_s);
        zone_rule_changes(&rule, cases[i].year, &start, &end);
        const int *s = cases[i].start, *e = cases[i].end;
        assert_int_equal(start, utc(cases[i].year, s[0], s[1], s[2], s[3]));
        assert_int_equal(end, utc(cases[i].year, e[0], e[1], e[2], e[3]));
    }
    zone_rule rule;
    const char *last = cases[sizeof cases / sizeof cases[0] - 1].text;
    assert_true(zone_rule_parse(&rule, last, strlen(last)));
    assert_int_equal(rule.summer_s, 8130);
    assert_int_equal(rule.start.time_s, -167 * 3600);
    assert_int_equal(rule.end.time_s, 167 * 3600);
}

static void a_rule_without_summer_has_one_offset(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t offset_s;
    } cases[] = {{"UTC0", 0},           {"<+0530>-5:30", 19800}, {"MST7", -25200},
                 {"<-00>0", 0},         {"AAA+5", -18000},       {"AAA-24", 86400},
                 {"AAA1:02:03", -3723}, {"Abcdefgh-9", 32400}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        zone_rule rule;
        assert_true(zone_rule_parse(&rule, cases[i].text, strlen(cases[i].text)));
        assert_false(rule.has_summer);
        assert_int_equal(rule.standard_s, cases[i].offset_s);
    }
}

static void what_is_no_rule_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "E",
        "EST",
        "ES5",
        "5",
        "<>5",
        "<EST5",
        "EST25",
        "EST5:60",
        "EST5:00:60",
        "EST5EDT",
        "EST5EDT,",
        "EST5EDT,M3.2.0",
        "EST5EDT,M3.2.0,",
        "EST5EDT,M13.2.0,M11.1.0",
        "EST5EDT,M0.2.0,M11.1.0",
        "EST5EDT,M3.6.0,M11.1.0",
        "EST5EDT,M3.0.0,M11.1.0",
        "EST5EDT,M3.2.7,M11.1.0",
        "EST5EDT,M3.2,M11.1.0",
        "EST5EDT,J0,J9",
        "EST5EDT,J366,J9",
        "EST5EDT,366,9",
        "EST5EDT,M3.2.0/168,M11.1.0",
        "EST5EDT,M3.2.0,M11.1.0x",
        "EST5EDT,M3.2.0/,M11.1.0",
        "EST5EDT4,M3.2.0,M11.1.0,",
        "EST 5",
        "EST5 ",
        "EST5ED,M3.2.0,M11.1.0",
        "EST5EDT25,M3.2.0,M11.1.0",
        "EST0005",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        zone_rule rule = {.standard_s = 77};
        if (zone_rule_parse(&rule, wrong[i], strlen(wrong[i])))
            fail_msg("'%s' was accepted", wrong[i]);
        assert_int_equal(rule.standard_s, 77);
    }
}

/* Every cut of a good rule is read within its bytes and only the whole is this rule. */
static void a_cut_rule_is_never_read_past_its_end(void **state)
{
    (void)state;
    const char *whole = "<+1030>-10:30<+11>-11,M10.1.0/2:00:00,M4.1.0/3";
    size_t length = strlen(whole);
    for (size_t n = 0; n < length; n++) {
        char *exact = mem_copy_text(whole, n);
        zone_rule rule;
        bool good = zone_rule_parse(&rule, exact, n);
        /* Behind -1, -10, -10:3, -10:30 and the last .0 a rule of another sense is left.
         */
        bool rule_left = n == 9 || n == 10 || n == 12 || n == 13 || n == length - 2;
        assert_int_equal(good, rule_left);
        mem_free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_mean_their_instants),
        cmocka_unit_test(a_rule_without_summer_has_one_offset),
        cmocka_unit_test(what_is_no_rule_is_refused),
        cmocka_unit_test(a_cut_rule_is_never_read_past_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
