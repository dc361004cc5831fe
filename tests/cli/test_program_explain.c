/*
 * Protects what `explain` tells of the past: which events moved a promotion most, by the
 * recommender that was trained, with what was bought of the promotion on top; told to people and
 * to programs; and left out where no recommender was trained that may be asked.
 */
#include "program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "fixtures/corner_shop.h"

static const char *learned_shop(void)
{
    static const char *w;
    if (w == NULL) {
        w = copy_of_corner("learned");
        RUN_CODE(0, "train", "-w", w, "-q");
        RUN_CODE(0, "decide", "--campaign", "june", "-w", w, "-q");
    }
    return w;
}

/* The only candidate when one promotion is asked about. */
static const json_value *candidate_of(const char *w, const char *who, const char *promotion)
{
    const json_value *v = json_of(RUN_CODE(0, "explain", who, promotion, "--json", "-w", w));
    return &member_of(v, "candidates")->values[0];
}

/* june-B covers breakfast: products p01 to p08. */
static bool is_breakfast(const json_value *event)
{
    const char *id = word_of(event, "product");
    return id[0] == 'p' && strcmp(id, "p01") >= 0 && strcmp(id, "p08") <= 0;
}

static void what_was_bought_of_a_promotion_moved_it_most(void **state)
{
    (void)state;
    const char *w = learned_shop();
    unsigned told = 0, own = 0;
    char id[8];
    for (int i = 1; i <= CORNER_SHOPPERS; i++) {
        (void)snprintf(id, sizeof id, "s%02d", i);
        const json_value *events = member_of(candidate_of(w, id, "june-B"), "moved_by");
        assert_true(events->n <= 5);
        if (events->n == 0) continue;
        told++;
        own += is_breakfast(&events->values[0]) &&
               number_of(&events->values[0], "change") > 0;
    }
    assert_int_equal(told, CORNER_SHOPPERS);
    if (own < CORNER_SHOPPERS - 5) fail_msg("of %d shoppers %u", CORNER_SHOPPERS, own);
}

static void events_are_of_the_past_and_the_largest_come_first(void **state)
{
    (void)state;
    const char *w = learned_shop();
    const json_value *v = json_of(RUN_CODE(0, "explain", "s07", "--json", "-w", w));
    const json_value *list = member_of(v, "candidates");
    const json_value *events = member_of(&list->values[0], "moved_by");
    assert_int_equal(events->n, 5);
    double before = INFINITY;
    for (size_t i = 0; i < events->n; i++) {
        const json_value *e = &events->values[i];
        assert_keys(e, "time what product events change");
        assert_true(strcmp(word_of(e, "time"), word_of(v, "at")) < 0);
        assert_int_equal(strncmp(word_of(e, "what"), "bought ", 7), 0);
        assert_true(number_of(e, "events") >= 1);
        assert_true(fabs(number_of(e, "change")) <= before);
        before = fabs(number_of(e, "change"));
    }
    for (size_t i = 1; i < list->n; i++) /* of the first alone */
        assert_null(json_member(&list->values[i], "moved_by"));
}

/* By the response model, which is fitted as of the decision whatever was trained. */
static void trips_that_moved_redeeming_are_told_without_a_recommender(void **state)
{
    (void)state;
    const char *w = copy_of_corner("trips");
    RUN_CODE(0, "decide", "--campaign", "june", "-w", w, "-q");
    const json_value *v = json_of(RUN_CODE(0, "explain", "s07", "--json", "-w", w));
    const json_value *list = member_of(v, "candidates");
    const json_value *trips = member_of(&list->values[0], "moved_by_trips");
    double before = INFINITY;
    assert_int_equal(trips->n, 5);
    for (size_t i = 0; i < trips->n; i++) {
        const json_value *t = &trips->values[i];
        const double lines = number_of(t, "lines");
        assert_keys(t, "time what lines change");
        assert_true(strcmp(word_of(t, "time"), word_of(v, "at")) < 0);
        assert_int_equal(strncmp(word_of(t, "what"), "a trip of ", 10), 0);
        assert_true(fabs(strtod(word_of(t, "what") + 10, NULL) - lines) < .5 && lines >= 1);
        assert_true(fabs(number_of(t, "change")) <= before);
        before = fabs(number_of(t, "change"));
    }
    assert_null(json_member(&list->values[1], "moved_by_trips"));
    assert_contains(RUN_CODE(0, "explain", "s07", "-w", w)->out, "trips that moved redeeming");
}

/* What a trip is told by was bought on it: no more names than lines. */
static void a_trip_names_no_more_than_was_bought_on_it(void **state)
{
    (void)state;
    static const char *const who[] = {"s01", "s02", "s03", "s11", "s24"};
    const char *w = copy_of_corner("names");
    RUN_CODE(0, "decide", "--campaign", "june", "-w", w, "-q");
    for (size_t k = 0; k < sizeof who / sizeof who[0]; k++) {
        const json_value *v = json_of(RUN_CODE(0, "explain", who[k], "--json", "-w", w));
        const json_value *trips =
            member_of(&member_of(v, "candidates")->values[0], "moved_by_trips");
        for (size_t i = 0; i < trips->n; i++) {
            const char *words = strchr(word_of(&trips->values[i], "what"), ':');
            double names = words != NULL;
            for (; words != NULL && *words != 0; words++)
                names += *words == ';';
            assert_true(names <= number_of(&trips->values[i], "lines"));
        }
    }
}

static void a_person_reads_what_was_bought_and_when(void **state)
{
    (void)state;
    const ran *r = RUN_CODE(0, "explain", "s01", "june-C", "-w", learned_shop());
    const char *from = strstr(r->out, "past events that moved it most");
    assert_non_null(from);
    assert_contains(from, "bought ");
    assert_contains(from, " times (last 2026-");
    assert_contains(from, "UTC)");
}

/* The same answer in the same words, however many processors there are. */
static void the_same_question_has_the_same_answer(void **state)
{
    (void)state;
    const char *w = learned_shop();
    const ran *a = RUN_CODE(0, "explain", "s05", "--json", "-w", w);
    const ran *b = run_other(WORDS("taskset", "-c", "0", PROFFER_PROGRAM, "explain", "s05",
                                   "--json", "-w", w));
    if (b->code == 127) skip(); /* no taskset */
    assert_int_equal(b->code, 0);
    assert_string_equal(a->out, b->out);
}

static void lacks_events(const char *w, const char *promotion)
{
    const json_value *c = candidate_of(w, "s05", promotion);
    assert_non_null(json_member(c, "why_redeem_at_all"));
    assert_null(json_member(c, "moved_by"));
    assert_lacks(RUN_CODE(0, "explain", "s05", "-w", w)->out, "past events");
}

static void without_a_recommender_that_fits_nothing_is_told_and_none_is_fitted(void **state)
{
    (void)state;
    const char *w = copy_of_corner("untrained");
    RUN_CODE(0, "decide", "--campaign", "june", "-w", w, "-q");
    lacks_events(w, "june-B");
    assert_false(file_exists(in_folder("untrained/models/recommend.safetensors")));
    /* One that knows what came after the decision would tell of the future. */
    RUN_CODE(0, "train", "-w", w, "-q");
    RUN_CODE(0, "decide", "--campaign", "may", "-w", w, "-q");
    lacks_events(w, "may-B");
    RUN_CODE(0, "decide", "--campaign", "june", "-w", w, "-q");
    assert_non_null(json_member(candidate_of(w, "s05", "june-B"), "moved_by"));
    /* Nor does one of other data. */
    const char *file = put("later.csv", "event_id,type,shopper_id,product_id,time\n"
                                        "later-1,view,s01,p01,2026-05-31T00:00:00Z\n");
    RUN_CODE(0, "import", file, "-w", w, "-q");
    lacks_events(w, "june-B");
}

static void a_broken_recommender_is_told_and_the_rest_is_explained(void **state)
{
    (void)state;
    const char *w = copy_of_corner("broken");
    RUN_CODE(0, "train", "-w", w, "-q");
    RUN_CODE(0, "decide", "--campaign", "june", "-w", w, "-q");
    assert_int_equal(file_write_atomic(in_folder("broken/models/recommend.safetensors"),
                                       "no model", 8, NULL),
                     PF_OK);
    const ran *r = RUN_CODE(0, "explain", "s05", "june-B", "-w", w);
    assert_contains(r->err, "no past events are told");
    assert_contains(r->err, "proffer train");
    assert_lacks(r->out, "past events");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_bought_of_a_promotion_moved_it_most),
        cmocka_unit_test(events_are_of_the_past_and_the_largest_come_first),
        cmocka_unit_test(trips_that_moved_redeeming_are_told_without_a_recommender),
        cmocka_unit_test(a_trip_names_no_more_than_was_bought_on_it),
        cmocka_unit_test(a_person_reads_what_was_bought_and_when),
        cmocka_unit_test(the_same_question_has_the_same_answer),
        cmocka_unit_test(without_a_recommender_that_fits_nothing_is_told_and_none_is_fitted),
        cmocka_unit_test(a_broken_recommender_is_told_and_the_rest_is_explained),
    };
    return cmocka_run_group_tests(tests, program_begin, program_end);
}
