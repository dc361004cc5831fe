/*
 * Settings, vectors, decisions, the record of imports, documents.
 */
#include "store/fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* --- settings ------------------------------------------------------------------------- */

static void a_setting_is_kept_and_replaced(void **state)
{
    fixture *f = *state;
    char value[8];
    must(store_begin(f->s, &f->err));
    must(store_set_setting(f->s, "name", "one", &f->err));
    must(store_set_setting(f->s, "name", "two", &f->err));
    must(store_set_setting(f->s, "empty", "", &f->err));
    must(store_commit(f->s, &f->err));
    must(store_get_setting(f->s, "name", value, sizeof value, &f->err));
    assert_string_equal(value, "two");
    must(store_get_setting(f->s, "empty", value, sizeof value, &f->err));
    assert_string_equal(value, "");
    assert_int_equal(store_get_setting(f->s, "other", value, sizeof value, &f->err),
                     PF_NOT_FOUND);
    assert_non_null(strstr(f->err.message, "other"));
}

static void a_setting_that_does_not_fit_is_not_cut(void **state)
{
    fixture *f = *state;
    char value[4] = "xxx";
    must(store_begin(f->s, &f->err));
    must(store_set_setting(f->s, "name", "abc", &f->err));
    must(store_commit(f->s, &f->err));
    assert_int_equal(store_get_setting(f->s, "name", value, 3, &f->err), PF_LIMIT);
    must(store_get_setting(f->s, "name", value, 4, &f->err));
    assert_string_equal(value, "abc");
}

/* --- vectors -------------------------------------------------------------------------- */

static void vectors_are_kept_by_encoder_and_text(void **state)
{
    fixture *f = *state;
    const fingerprint e1 = fingerprint_of("e1", 2), e2 = fingerprint_of("e2", 2);
    const fingerprint a = fingerprint_of("a", 1), b = fingerprint_of("b", 1);
    const float one[3] = {1, -0.5f, NAN}, two[3] = {4, 5, 6}, three[2] = {7, 8};
    float got[3];
    must(store_begin(f->s, &f->err));
    must(store_put_vector(f->s, &e1, &a, one, 3, &f->err));
    must(store_put_vector(f->s, &e1, &b, two, 3, &f->err));
    must(store_put_vector(f->s, &e2, &a, three, 2, &f->err));
    must(store_commit(f->s, &f->err));
    must(store_get_vector(f->s, &e1, &a, got, 3, &f->err));
    assert_memory_equal(got, one, sizeof one);
    must(store_get_vector(f->s, &e1, &b, got, 3, &f->err));
    assert_memory_equal(got, two, sizeof two);
    must(store_get_vector(f->s, &e2, &a, got, 2, &f->err));
    assert_memory_equal(got, three, sizeof three);
    assert_int_equal(store_get_vector(f->s, &e2, &b, got, 2, &f->err), PF_NOT_FOUND);
    assert_int_equal(store_get_vector(f->s, &a, &a, got, 2, &f->err), PF_NOT_FOUND);
}

static void a_vector_is_replaced_and_its_dimension_checked(void **state)
{
    fixture *f = *state;
    const fingerprint e = fingerprint_of("e", 1), a = fingerprint_of("a", 1);
    const float one[3] = {1, 2, 3}, two[3] = {4, 5, 6};
    float got[4];
    must(store_begin(f->s, &f->err));
    must(store_put_vector(f->s, &e, &a, one, 3, &f->err));
    must(store_put_vector(f->s, &e, &a, two, 3, &f->err));
    assert_int_equal(store_put_vector(f->s, &e, &a, one, 0, &f->err), PF_LIMIT);
    assert_int_equal(
        store_put_vector(f->s, &e, &a, one, LIMIT_VECTOR_DIMENSION + 1, &f->err),
        PF_LIMIT);
    must(store_commit(f->s, &f->err));
    must(store_get_vector(f->s, &e, &a, got, 3, &f->err));
    assert_memory_equal(got, two, sizeof two);
    assert_int_equal(store_get_vector(f->s, &e, &a, got, 4, &f->err), PF_DATA);
}

/* --- decisions ------------------------------------------------------------------------ */

static decision_record decision(const char *id, const char *run, uint32_t number)
{
    return (decision_record){.id = id,
                             .run = run,
                             .shopper = number,
                             .promotion = 7,
                             .channel = CHANNEL_EMAIL,
                             .time_us = 1000,
                             .send_at_us = 2000,
                             .propensity = 0.1,
                             .score = 0.3,
                             .expected_value_minor = 12.75,
                             .cost_minor = 3,
                             .reason = "chosen",
                             .message = "Käse \"−10 %\"",
                             .candidates = "[1]",
                             .versions = "{\"a\":1}",
                             .holdout = true};
}

typedef struct seen {
    char ids[200];
    uint32_t n, stop_at;
    decision_record last;
    char message[64];
} seen;

static bool see(void *context, const decision_record *d)
{
    seen *s = context;
    size_t used = strlen(s->ids);
    snprintf(s->ids + used, sizeof s->ids - used, "%s ", d->id);
    snprintf(s->message, sizeof s->message, "%s", d->message);
    assert_non_null(d->candidates);
    assert_non_null(d->versions);
    s->last = *d;
    return ++s->n != s->stop_at;
}

static void put(fixture *f, const char *id, const char *run, uint32_t number)
{
    const decision_record d = decision(id, run, number);
    must(store_put_decision(f->s, &d, &f->err));
}

static void a_decision_comes_back_as_it_was(void **state)
{
    fixture *f = *state;
    seen s = {0};
    must(store_begin(f->s, &f->err));
    put(f, "d1", "r1", 5);
    must(store_commit(f->s, &f->err));
    must(store_visit_decisions(f->s, NULL, 0, see, &s, &f->err));
    assert_int_equal(s.n, 1);
    assert_int_equal(s.last.shopper, 5);
    assert_int_equal(s.last.promotion, 7);
    assert_int_equal(s.last.channel, CHANNEL_EMAIL);
    assert_int_equal(s.last.time_us, 1000);
    assert_int_equal(s.last.send_at_us, 2000);
    assert_true(s.last.propensity == 0.1 && s.last.score == 0.3);
    assert_true(s.last.expected_value_minor == 12.75);
    assert_int_equal(s.last.cost_minor, 3);
    assert_true(s.last.holdout);
    assert_string_equal(s.message, "Käse \"−10 %\"");
}

static void decisions_come_by_run_and_in_order_of_shopper(void **state)
{
    fixture *f = *state;
    seen latest = {0}, first = {0}, one = {0}, two = {.stop_at = 2};
    must(store_begin(f->s, &f->err));
    put(f, "d1", "r1", 3);
    put(f, "d2", "r1", 1);
    put(f, "d3", "r1", 3);
    put(f, "d4", "r2", 9);
    put(f, "d5", "r2", 2);
    put(f, "d6", "r1", 2);
    must(store_commit(f->s, &f->err));
    must(store_visit_decisions(f->s, NULL, 0, see, &latest, &f->err));
    assert_string_equal(latest.ids, "d5 d4 ");
    must(store_visit_decisions(f->s, "r1", 0, see, &first, &f->err));
    assert_string_equal(first.ids, "d2 d6 d1 d3 ");
    must(store_visit_decisions(f->s, "r1", 3, see, &one, &f->err));
    assert_string_equal(one.ids, "d1 d3 ");
    must(store_visit_decisions(f->s, "r1", 0, see, &two, &f->err));
    assert_string_equal(two.ids, "d2 d6 ");
    must(store_visit_decisions(f->s, "r1", 77, see, &two, &f->err));
    assert_int_equal(two.n, 2);
}

static void a_shoppers_decisions_of_all_runs_come_oldest_run_first(void **state)
{
    fixture *f = *state;
    must(store_begin(f->s, &f->err));
    put(f, "a", "r2", 3);
    put(f, "b", "r1", 3);
    put(f, "c", "r1", 4);
    put(f, "d", "r2", 3);
    must(store_commit(f->s, &f->err));
    seen all = {0}, none = {0};
    must(store_visit_shopper_decisions(f->s, 3, see, &all, &f->err));
    assert_string_equal(all.ids, "a d b "); /* r2 was met first */
    must(store_visit_shopper_decisions(f->s, 9, see, &none, &f->err));
    assert_int_equal(none.n, 0);
}

typedef struct lots {
    char words[200];
    uint32_t n, stop_at;
} lots;

static bool see_lot(void *context, uint32_t number, int64_t time_us, bool holdout)
{
    lots *l = context;
    size_t used = strlen(l->words);
    snprintf(l->words + used, sizeof l->words - used, "%u@%lld%s ", number,
             (long long)time_us, holdout ? "-" : "+");
    return ++l->n != l->stop_at;
}

static void lots_of_all_runs_come_by_shopper_and_time(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *id, *run;
        uint32_t number;
        int64_t time_us;
        bool holdout;
    } rows[] = {{"a", "r1", 3, 50, false},
                {"b", "r1", 2, 50, true},
                {"c", "r2", 3, 20, true},
                {"d", "r2", 2, 90, true},
                {"e", "r2", 3, 50, false}};
    lots all = {0}, two = {.stop_at = 2}, none = {0};
    must(store_visit_lots(f->s, see_lot, &none, &f->err));
    assert_int_equal(none.n, 0);
    must(store_begin(f->s, &f->err));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        decision_record d = decision(rows[i].id, rows[i].run, rows[i].number);
        d.time_us = rows[i].time_us;
        d.holdout = rows[i].holdout;
        must(store_put_decision(f->s, &d, &f->err));
    }
    must(store_commit(f->s, &f->err));
    must(store_visit_lots(f->s, see_lot, &all, &f->err));
    assert_string_equal(all.words, "2@50- 2@90- 3@20- 3@50+ 3@50+ ");
    must(store_visit_lots(f->s, see_lot, &two, &f->err));
    assert_string_equal(two.words, "2@50- 2@90- ");
}

/* The rows are long; only the index is read. */
static void lots_are_read_without_the_decisions(void **state)
{
    fixture *f = *state;
    must(store_begin(f->s, &f->err));
    put(f, "d1", "r1", 3);
    must(store_commit(f->s, &f->err));
    assert_int_equal(
        fixture_sql_number(f, "SELECT count(*) FROM pragma_index_info('decisions_lots')"
                              " WHERE name IN ('shopper', 'time_us', 'holdout')"),
        3);
    assert_int_equal(
        fixture_sql_number(
            f, "SELECT count(*) FROM sqlite_schema WHERE name = 'decisions_shopper'"),
        0);
}

static void a_run_that_was_not_made_is_not_found(void **state)
{
    fixture *f = *state;
    seen s = {0};
    assert_int_equal(store_visit_decisions(f->s, NULL, 0, see, &s, &f->err),
                     PF_NOT_FOUND);
    assert_int_equal(store_visit_decisions(f->s, "r9", 0, see, &s, &f->err),
                     PF_NOT_FOUND);
    assert_non_null(strstr(f->err.message, "r9"));
}

static void a_decision_that_cannot_be_kept_is_refused_alone(void **state)
{
    fixture *f = *state;
    seen s = {0};
    decision_record bad = decision("d1", "r1", 1);
    must(store_begin(f->s, &f->err));
    put(f, "d1", "r1", 1);
    assert_int_equal(store_put_decision(f->s, &bad, &f->err), PF_DATA); /* the same id */
    bad.id = "d2";
    bad.propensity = NAN;
    assert_int_equal(store_put_decision(f->s, &bad, &f->err), PF_DATA);
    bad = decision("", "r1", 1);
    assert_int_equal(store_put_decision(f->s, &bad, &f->err), PF_DATA);
    bad = decision("d3", NULL, 1);
    assert_int_equal(store_put_decision(f->s, &bad, &f->err), PF_DATA);
    bad = decision("d4", "r1", 1);
    bad.message = bad.reason = bad.candidates = bad.versions = NULL;
    must(store_put_decision(f->s, &bad, &f->err));
    must(store_commit(f->s, &f->err));
    must(store_visit_decisions(f->s, NULL, 0, see, &s, &f->err));
    assert_string_equal(s.ids, "d1 d4 ");
    assert_string_equal(s.message, "");
}

/* --- imports and documents ------------------------------------------------------------ */

static bool see_import(void *context, const import_record *r)
{
    int *n = context;
    char file[8];
    snprintf(file, sizeof file, "f%d", *n);
    assert_string_equal(r->file, file);
    assert_string_equal(r->table, "events");
    assert_int_equal(r->rows, 21);
    assert_int_equal(r->added, 1);
    assert_int_equal(r->changed, 2);
    assert_int_equal(r->same, 3);
    assert_int_equal(r->duplicates, 4);
    assert_int_equal(r->rejected, 5);
    assert_int_equal(r->time_us, 6);
    return ++*n < 2;
}

static void imports_are_remembered_in_order(void **state)
{
    fixture *f = *state;
    int n = 0;
    char file[8];
    must(store_begin(f->s, &f->err));
    for (int i = 0; i < 3; i++) {
        snprintf(file, sizeof file, "f%d", i);
        const import_record r = {file, "events", 21, 1, 2, 3, 4, 5, 6};
        must(store_put_import(f->s, &r, &f->err));
    }
    must(store_commit(f->s, &f->err));
    must(store_visit_imports(f->s, see_import, &n, &f->err));
    assert_int_equal(n, 2); /* the visitor stopped */
}

static void a_document_is_kept_and_replaced(void **state)
{
    fixture *f = *state;
    char *json;
    size_t n;
    assert_int_equal(store_get_document(f->s, "report", &json, &n, &f->err),
                     PF_NOT_FOUND);
    assert_null(json);
    must(store_begin(f->s, &f->err));
    must(store_put_document(f->s, "report", "{\"a\":1}", 7, &f->err));
    must(store_put_document(f->s, "report", "{\"a\":\"\\u0000\"}", 14, &f->err));
    must(store_put_document(f->s, "empty", "", 0, &f->err));
    assert_int_equal(
        store_put_document(f->s, "huge", "", (size_t)LIMIT_JSON_BYTES + 1, &f->err),
        PF_LIMIT);
    must(store_commit(f->s, &f->err));
    must(store_get_document(f->s, "report", &json, &n, &f->err));
    assert_int_equal(n, 14);
    assert_string_equal(json, "{\"a\":\"\\u0000\"}");
    mem_free(json);
    must(store_get_document(f->s, "empty", &json, &n, &f->err));
    assert_int_equal(n, 0);
    assert_string_equal(json, "");
    mem_free(json);
}

static void writes_need_a_transaction(void **state)
{
    fixture *f = *state;
    const decision_record d = decision("d1", "r1", 1);
    const import_record r = {"f", "t", 0, 0, 0, 0, 0, 0, 0};
    const fingerprint p = fingerprint_of("", 0);
    const float one = 1;
    assert_int_equal(store_put_decision(f->s, &d, &f->err), PF_USAGE);
    assert_int_equal(store_put_import(f->s, &r, &f->err), PF_USAGE);
    assert_int_equal(store_put_document(f->s, "a", "", 0, &f->err), PF_USAGE);
    assert_int_equal(store_put_vector(f->s, &p, &p, &one, 1, &f->err), PF_USAGE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_setting_is_kept_and_replaced),
        TEST(a_setting_that_does_not_fit_is_not_cut),
        TEST(vectors_are_kept_by_encoder_and_text),
        TEST(a_vector_is_replaced_and_its_dimension_checked),
        TEST(a_decision_comes_back_as_it_was),
        TEST(decisions_come_by_run_and_in_order_of_shopper),
        TEST(a_shoppers_decisions_of_all_runs_come_oldest_run_first),
        TEST(lots_of_all_runs_come_by_shopper_and_time),
        TEST(lots_are_read_without_the_decisions),
        TEST(a_run_that_was_not_made_is_not_found),
        TEST(a_decision_that_cannot_be_kept_is_refused_alone),
        TEST(imports_are_remembered_in_order),
        TEST(a_document_is_kept_and_replaced),
        TEST(writes_need_a_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
