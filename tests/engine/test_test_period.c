/*
 * Protects where the test period of a workspace begins: as asked, else as configured, else at the
 * last third of the campaigns that the data know anything of.
 */
#include "engine_room.h"

#include <stdio.h>
#include <string.h>

#include "engine/test_period.h"

static int64_t start(const char *asked)
{
    int64_t us = 0;
    pf_error err = {.code = PF_OK};
    room_look();
    if (test_period_start(room, asked, &us, &err) != PF_OK) fail_msg("%s", err.message);
    return us;
}

static void import_until(const char *last)
{
    char words[256];
    (void)snprintf(words, sizeof words,
                   "event_id,type,shopper_id,product_id,time\n"
                   "a,view,anna,tea,2026-01-05T10:00:00Z\nb,view,anna,tea,%s\n",
                   last);
    room_import("products.csv", "id,title\ntea,Tea\n");
    room_import("events.csv", words);
}

static void import_six_campaigns(void)
{
    room_import("campaigns.csv", "id,starts,ends_on\n"
                                 "c4,2026-04-06,2026-04-19\nc1,2026-01-12,2026-01-25\n"
                                 "c6,2026-06-08,2026-06-21\nc3,2026-03-09,2026-03-22\n"
                                 "c2,2026-02-09,2026-02-22\nc5,2026-05-04,2026-05-17\n");
}

static void the_last_third_of_campaigns_begins_it(void **state)
{
    (void)state;
    import_until("2026-07-01T00:00:00Z");
    import_six_campaigns();
    assert_int_equal(start(NULL), room_time("2026-05-04"));
}

/* A campaign that is planned says nothing yet: of four that began, the fourth is the last third. */
static void campaigns_to_come_do_not_count(void **state)
{
    (void)state;
    import_until("2026-05-03T20:00:00Z");
    import_six_campaigns();
    assert_int_equal(start(NULL), room_time("2026-04-06"));
}

static void what_was_asked_comes_before_what_is_configured(void **state)
{
    (void)state;
    room_configure("evaluate: {test_from: 2026-02-01}\n");
    import_until("2026-07-01T00:00:00Z");
    import_six_campaigns();
    assert_int_equal(start(NULL), room_time("2026-02-01"));
    assert_int_equal(start("2026-03-01"), room_time("2026-03-01"));
}

static void too_few_campaigns_leave_only_the_end_of_the_data(void **state)
{
    (void)state;
    const int64_t end = room_time("2026-07-01T00:00:00Z") + 1;
    import_until("2026-07-01T00:00:00Z");
    assert_int_equal(start(NULL), end);
    room_import("campaigns.csv", "id,starts\nc1,2026-01-12\nc2,2026-02-09\n");
    assert_int_equal(start(NULL), end);
    room_import("campaigns.csv", "id,starts\nc3,2026-03-09\nopen,\n");
    assert_int_equal(start(NULL), room_time("2026-03-09"));
}

static void campaigns_that_start_together_stay_together(void **state)
{
    (void)state;
    import_until("2026-07-01T00:00:00Z");
    room_import("campaigns.csv", "id,starts\na,2026-01-12\nb,2026-02-09\nc,2026-03-09\n"
                                 "d,2026-03-09\ne,2026-03-09\nf,2026-04-06\n");
    /* half of them begin in March or later, too many; April alone is the test */
    assert_int_equal(start(NULL), room_time("2026-04-06"));
}

static void what_is_no_date_is_refused(void **state)
{
    (void)state;
    int64_t us = 0;
    pf_error err = {.code = PF_OK};
    import_until("2026-07-01T00:00:00Z");
    room_look();
    assert_int_equal(test_period_start(room, "soon", &us, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "'soon'"));
}

#define ROOM(test) cmocka_unit_test_setup_teardown(test, room_begin, room_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM(the_last_third_of_campaigns_begins_it),
        ROOM(campaigns_to_come_do_not_count),
        ROOM(what_was_asked_comes_before_what_is_configured),
        ROOM(too_few_campaigns_leave_only_the_end_of_the_data),
        ROOM(campaigns_that_start_together_stay_together),
        ROOM(what_is_no_date_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
