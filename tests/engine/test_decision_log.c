/*
 * Protects the workspace's own decisions as those who learn from them and judge by them read them:
 * in order, each once, with what else could have been and its chances, and nothing of what a later
 * run took back.
 */
#include "engine_room.h"

#include <stdio.h>
#include <string.h>

#include "engine/decision_log.h"

#define DAY INT64_C(86400000000)

static int64_t noon; /* of some day */

/* anna, bert and carl, and the promotions X and Y. */
static void stock(void)
{
    room_import("shoppers.csv", "id,language\nanna,en\nbert,en\ncarl,en\n");
    room_import("promotions.csv", "id,title,kind,percent\nX,Ten off,percent_off,10\n"
                                  "Y,Five off,percent_off,5\n");
    noon = room_time("2026-05-04T12:00:00Z");
    room_look();
}

/* One candidate as the journal has it. */
#define CANDIDATE(id, more)                                                                  \
    "{\"promotion\":\"" id "\",\"channel\":\"email\",\"p_redeem\":0.1,\"spend\":900,"         \
    "\"gain\":36,\"cost\":11,\"value\":25,\"reason\":\"not_drawn\"" more "}"
#define LOTS                                                                                 \
    "[" CANDIDATE("X", ",\"propensity\":0.5") "," CANDIDATE("Y", ",\"propensity\":0.2") "]"
#define CERTAIN "[" CANDIDATE("X", "") "," CANDIDATE("Y", "") "]"

typedef struct said {
    const char *run, *shopper, *promotion; /* promotion NULL: nothing */
    int64_t time_us;
    double propensity;
    const char *candidates, *versions;
    bool holdout;
} said;

static void decide(const said *d)
{
    static unsigned n;
    char id[32];
    (void)snprintf(id, sizeof id, "d%u", n++);
    const decision_record record = {
        .id = id,
        .run = d->run,
        .shopper = room_shopper(d->shopper),
        .promotion = d->promotion == NULL ? 0 : d->promotion[0] == 'X' ? 1 : 2,
        .channel = d->promotion == NULL ? CHANNEL_NONE : CHANNEL_EMAIL,
        .time_us = d->time_us,
        .send_at_us = d->time_us,
        .propensity = d->propensity,
        .reason = d->promotion ? "chosen" : "not_drawn",
        .message = "",
        .candidates = d->candidates,
        .versions = d->versions != NULL ? d->versions : "{\"policy\":\"p1\"}",
        .holdout = d->holdout};
    assert_int_equal(store_begin(room->store, NULL), PF_OK);
    assert_int_equal(store_put_decision(room->store, &record, NULL), PF_OK);
    assert_int_equal(store_commit(room->store, NULL), PF_OK);
}

/* By lot: what was done, with its chance. */
static void draw(const char *run, const char *who, const char *offer, int64_t time_us)
{
    const double p = offer == NULL ? .3 : offer[0] == 'X' ? .5 : .2;
    decide(&(said){run, who, offer, time_us, p, LOTS, NULL, false});
}

static decision_log read_until(int64_t until_us, decision_kinds kinds)
{
    decision_log l;
    pf_error err = {.code = PF_OK};
    room_look();
    if (decision_log_read(&l, room, until_us, kinds, &err) != PF_OK) fail_msg("%s", err.message);
    return l;
}

static void no_decisions_are_no_failure(void **state)
{
    (void)state;
    stock();
    decision_log l = read_until(INT64_MAX, DECISIONS_ALL);
    assert_int_equal(l.n, 0);
    assert_int_equal(l.lots, 0);
    decision_log_free(&l);
    decision_log_free(&l); /* empty is fine */
}

static void decisions_come_by_shopper_and_time_until_a_moment(void **state)
{
    (void)state;
    stock();
    draw("r2", "bert", NULL, noon + DAY);
    draw("r1", "bert", "X", noon);
    draw("r1", "anna", "Y", noon);
    draw("r3", "anna", "X", noon + 2 * DAY);
    decision_log l = read_until(noon + 2 * DAY, DECISIONS_ALL);
    assert_int_equal(l.n, 3);
    assert_int_equal(l.lots, 3);
    assert_int_equal(l.row[0].shopper, room_shopper("anna"));
    assert_int_equal(l.row[0].promotion, 2);
    assert_int_equal(l.row[0].channel, CHANNEL_EMAIL);
    assert_true(l.row[0].propensity == .2);
    assert_int_equal(l.row[1].time_us, noon);
    assert_int_equal(l.row[2].time_us, noon + DAY);
    assert_int_equal(l.row[2].promotion, 0);
    assert_int_equal(l.row[2].channel, CHANNEL_NONE);
    assert_int_equal(l.row[2].n_candidates, 2);
    assert_true(l.row[2].candidate[1].outcome.propensity == .2);
    assert_int_equal(l.row[2].candidate[1].outcome.promotion, 2);
    decision_log_free(&l);
}

static void of_a_run_repeated_at_one_moment_the_later_counts(void **state)
{
    (void)state;
    stock();
    draw("2026-05-04T12:01:00Z", "anna", "X", noon);
    draw("2026-05-04T12:02:00Z", "anna", "Y", noon);
    draw("2026-05-04T12:01:00Z", "bert", "X", noon);
    draw("2026-05-04T12:03:00Z", "anna", NULL, noon + 1); /* another moment is another decision */
    decision_log l = read_until(INT64_MAX, DECISIONS_ALL);
    assert_int_equal(l.n, 3);
    assert_string_equal(l.row[0].run, "2026-05-04T12:02:00Z");
    assert_int_equal(l.row[0].promotion, 2);
    assert_int_equal(l.row[1].time_us, noon + 1);
    assert_int_equal(l.row[2].shopper, room_shopper("bert"));
    decision_log_free(&l);
}

static void several_promotions_of_one_run_stay(void **state)
{
    (void)state;
    stock();
    decide(&(said){"r1", "anna", "X", noon, 1, CERTAIN, NULL, false});
    decide(&(said){"r1", "anna", "Y", noon, 1, "[]", NULL, false});
    decision_log l = read_until(INT64_MAX, DECISIONS_ALL);
    assert_int_equal(l.n, 2);
    assert_int_equal(l.row[0].n_candidates, 2); /* the one with the candidates comes first */
    assert_int_equal(l.row[1].n_candidates, 0);
    assert_int_equal(l.row[0].promotion + l.row[1].promotion, 3);
    assert_int_equal(l.lots, 0);
    decision_log_free(&l);
    /* and a later run of two takes the place of both */
    decide(&(said){"r2", "anna", "Y", noon, 1, CERTAIN, NULL, false});
    decide(&(said){"r2", "anna", "X", noon, 1, "[]", NULL, false});
    l = read_until(INT64_MAX, DECISIONS_ALL);
    assert_int_equal(l.n, 2);
    for (int i = 0; i < 2; i++)
        assert_string_equal(l.row[i].run, "r2");
    assert_int_equal(l.row[0].promotion, 2);
    decision_log_free(&l);
}

static void lots_alone_may_be_asked_for(void **state)
{
    (void)state;
    stock();
    draw("r1", "anna", "X", noon);
    decide(&(said){"r0", "anna", "X", noon - DAY, 1, CERTAIN, NULL, false});
    decide(&(said){"r1", "bert", NULL, noon, 1, "[]", NULL, false}); /* nothing was possible */
    decide(&(said){"r1", "carl", NULL, noon, .3, LOTS, NULL, true});
    decide(&(said){"r0", "carl", NULL, noon - DAY, 1, CERTAIN, NULL, true});
    decision_log l = read_until(INT64_MAX, DECISIONS_BY_LOT);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.row[0].run, "r1");
    assert_false(l.row[0].holdout);
    assert_int_equal(l.row[1].shopper, room_shopper("carl"));
    assert_true(l.row[1].holdout); /* held out, with the chances that carl would have had */
    assert_int_equal(l.row[1].n_candidates, 2);
    assert_int_equal(l.lots, 1);
    decision_log_free(&l);
    l = read_until(INT64_MAX, DECISIONS_ALL);
    assert_int_equal(l.n, 5);
    assert_int_equal(l.lots, 1);
    decision_log_free(&l);
}

/* What was done in the end was certain; the lot that was drawn before was taken back. */
static void a_lot_that_a_later_run_took_back_is_none(void **state)
{
    (void)state;
    stock();
    draw("r1", "anna", "X", noon);
    decide(&(said){"r2", "anna", "Y", noon, 1, CERTAIN, NULL, false});
    draw("r1", "bert", "X", noon);
    decision_log l = read_until(INT64_MAX, DECISIONS_BY_LOT);
    assert_int_equal(l.n, 1);
    assert_int_equal(l.row[0].shopper, room_shopper("bert"));
    decision_log_free(&l);
}

static void rows_of_a_run_that_drew_lots_are_marked(void **state)
{
    (void)state;
    stock();
    decide(&(said){"r0", "anna", "X", noon - DAY, 1, CERTAIN, NULL, false});
    draw("r1", "anna", "X", noon);
    decide(&(said){"r1", "bert", NULL, noon, 1, "[]", NULL, false});
    decide(&(said){"r1", "carl", NULL, noon, .3, LOTS, NULL, true});
    /* the holdout alone says nothing about how the others were decided */
    decide(&(said){"r2", "carl", NULL, noon + DAY, .3, LOTS, NULL, true});
    decision_log l = read_until(INT64_MAX, DECISIONS_ALL);
    assert_int_equal(l.n, 5);
    for (size_t i = 0; i < l.n; i++)
        assert_int_equal(l.row[i].explored, strcmp(l.row[i].run, "r1") == 0);
    decision_log_free(&l);
}

static void each_run_has_its_policy_where_it_says_one(void **state)
{
    (void)state;
    static const char *const versions[] = {"{\"policy\":\"p-one\",\"data\":\"x\"}",
                                           "{\"data\":\"x\"}", "no json", "{\"policy\":7}"};
    static const char *const expected[] = {"p-one", "", "", ""};
    char run[] = "r0";
    stock();
    for (int i = 0; i < 4; i++, run[1]++)
        decide(&(said){run, "anna", "X", noon + i, 1, CERTAIN, versions[i], false});
    decision_log l = read_until(INT64_MAX, DECISIONS_ALL);
    assert_int_equal(l.n, 4);
    for (size_t i = 0; i < l.n; i++)
        assert_string_equal(l.row[i].policy, expected[i]);
    decision_log_free(&l);
}

/* What was decided and never sent teaches nothing; a few messages are believed. */
static void what_no_exposure_confirms_was_not_sent(void **state)
{
    (void)state;
    decision_log l = {.sent = DECISION_LOG_FEW_SENT - 1, .seen = 0};
    assert_true(decision_log_was_sent(&l));
    l.sent = DECISION_LOG_FEW_SENT;
    assert_false(decision_log_was_sent(&l));
    l.seen = DECISION_LOG_FEW_SENT / 2;
    assert_true(decision_log_was_sent(&l));
}

/* Of the promotion, about then, to the shopper. */
static void exposures_of_the_promotion_about_then_confirm(void **state)
{
    (void)state;
    stock();
    draw("r1", "anna", "X", noon);
    draw("r1", "bert", "X", noon);
    draw("r1", "carl", "X", noon);
    room_import("events.csv", "id,type,shopper,promotion,channel,time\n"
                "e1,exposure,anna,X,email,2026-05-05T08:00:00Z\n"
                "e2,exposure,bert,Y,email,2026-05-05T08:00:00Z\n"
                "e3,exposure,carl,X,email,2026-06-05T08:00:00Z\n");
    decision_log l = read_until(INT64_MAX, DECISIONS_ALL);
    assert_int_equal(l.sent, 3);
    assert_int_equal(l.seen, 1);
    decision_log_free(&l);
}

static void a_log_that_is_damaged_names_the_decision(void **state)
{
    (void)state;
    decision_log l;
    pf_error err = {.code = PF_OK};
    stock();
    decide(&(said){"r1", "anna", "X", noon, .5, "[{\"promotion\":", NULL, false});
    room_look();
    assert_int_equal(decision_log_read(&l, room, INT64_MAX, DECISIONS_ALL, &err), PF_DATA);
    assert_non_null(strstr(err.message, "decision d"));
    assert_int_equal(l.n, 0);
    assert_null(l.row);
    /* what was certain is not even looked at where lots are asked for */
    decide(&(said){"r2", "anna", "X", noon, 1, "[{\"promotion\":", NULL, false});
    room_look();
    assert_int_equal(decision_log_read(&l, room, noon, DECISIONS_BY_LOT, NULL), PF_OK);
    decision_log_free(&l);
}

static void every_failed_allocation_is_told_and_leaks_nothing(void **state)
{
    (void)state;
    stock();
    draw("r1", "anna", "X", noon);
    draw("r2", "anna", "Y", noon);
    draw("r1", "bert", NULL, noon);
    room_look();
    fault f = {0};
    while (fault_next(&f)) {
        decision_log l;
        pf_error err = {.code = PF_OK};
        const pf_status s = decision_log_read(&l, room, INT64_MAX, DECISIONS_ALL, &err);
        if (fault_reached(&f)) {
            assert_int_not_equal(s, PF_OK);
            assert_null(l.row);
            assert_int_equal(l.n, 0);
        } else {
            assert_int_equal(l.n, 2);
        }
        decision_log_free(&l);
    }
    assert_true(f.n > 8);
}

#define ROOM(test) cmocka_unit_test_setup_teardown(test, room_begin, room_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM(no_decisions_are_no_failure),
        ROOM(decisions_come_by_shopper_and_time_until_a_moment),
        ROOM(of_a_run_repeated_at_one_moment_the_later_counts),
        ROOM(several_promotions_of_one_run_stay),
        ROOM(lots_alone_may_be_asked_for),
        ROOM(a_lot_that_a_later_run_took_back_is_none),
        ROOM(rows_of_a_run_that_drew_lots_are_marked),
        ROOM(each_run_has_its_policy_where_it_says_one),
        ROOM(what_no_exposure_confirms_was_not_sent),
        ROOM(exposures_of_the_promotion_about_then_confirm),
        ROOM(a_log_that_is_damaged_names_the_decision),
        ROOM(every_failed_allocation_is_told_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
