/*
 * Forgetting: nothing of the shopper is left, nothing of the others is lost, and an old
 * file does not bring anything back.
 */
#include "store/event_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static event_record secret_event(const char *id, const char *who, int64_t time_us)
{
    return (event_record){.id = text_of(id),
                          .type = EVENT_PURCHASE,
                          .shopper = text_of(who),
                          .order = t("order-of-wanda-77"),
                          .attributes = t("{\"note\":\"wanda likes cheese\"}"),
                          .time_us = time_us,
                          .quantity = 1,
                          .paid_minor = 100,
                          .discount_minor = MONEY_ABSENT,
                          .coupon_minor = MONEY_ABSENT,
                          .rating = NAN,
                          .propensity = NAN};
}

static store_event_counts import(fixture *f, const event_record *events, size_t n)
{
    store_event_rules rules = store_event_rules_default();
    store_event_writer *w;
    store_event_counts counts;
    store_outcome outcome;
    must(store_begin(f->s, &f->err));
    must(store_events_begin(f->s, &rules, &w, &f->err));
    for (size_t i = 0; i < n; i++)
        must(store_events_add(w, &events[i], &outcome, &f->err));
    must(store_events_finish(w, NULL, NULL, &counts, &f->err));
    must(store_commit(f->s, &f->err));
    return counts;
}

static void put_shopper(fixture *f, const char *id)
{
    store_outcome outcome;
    const shopper_record r = {.id = text_of(id),
                              .language = t("en-wanda"),
                              .attributes = t("{\"street\":\"Wanda Lane 5\"}")};
    must(store_begin(f->s, &f->err));
    must(store_put_shopper(f->s, &r, &outcome, &f->err));
    must(store_commit(f->s, &f->err));
}

static void put_decision(fixture *f, const char *id, uint32_t number)
{
    const decision_record d = {.id = id,
                               .run = "run-1",
                               .shopper = number,
                               .reason = "none",
                               .message = "Dear wanda-the-first",
                               .candidates = "[]",
                               .versions = "{}"};
    must(store_begin(f->s, &f->err));
    must(store_put_decision(f->s, &d, &f->err));
    must(store_commit(f->s, &f->err));
}

static pf_status forget(fixture *f, const char *id)
{
    must(store_begin(f->s, &f->err));
    pf_status status = store_forget_shopper(f->s, id, &f->err);
    if (status == PF_OK)
        must(store_commit(f->s, &f->err));
    else
        store_rollback(f->s);
    return status;
}

static void nothing_of_a_forgotten_shopper_is_left_in_the_files(void **state)
{
    fixture *f = *state;
    static const char *const traces[] = {"wanda-the-first", "en-wanda",
                                         "Wanda Lane",      "order-of-wanda",
                                         "likes cheese",    "event-of-wanda"};
    event_record events[200];
    char ids[200][32];
    put_shopper(f, "wanda-the-first");
    put_shopper(f, "other");
    for (int round = 0; round < 5; round++) { /* leaves old copies of the block behind */
        for (int i = 0; i < 40; i++) {
            int at = round * 40 + i;
            snprintf(ids[at], sizeof ids[at], "event-of-wanda-%d", at);
            events[at] = secret_event(ids[at], "wanda-the-first", 100 + at);
        }
        import(f, &events[round * 40], 40);
    }
    put_decision(f, "d1", 1);
    for (size_t i = 0; i < sizeof traces / sizeof traces[0]; i++)
        assert_true(fixture_files_hold(f, traces[i]));
    assert_int_equal(forget(f, "wanda-the-first"), PF_OK);
    for (size_t i = 0; i < sizeof traces / sizeof traces[0]; i++)
        if (i != 1 && i != 2) /* the other one's row says the same */
            assert_false(fixture_files_hold(f, traces[i]));
    fixture_reopen(f);
    assert_false(fixture_files_hold(f, "wanda-the-first"));
    assert_true(fixture_files_hold(f, "other"));
}

static void a_reader_at_work_only_puts_off_the_emptying_of_the_log(void **state)
{
    fixture *f = *state;
    store *reader;
    put_shopper(f, "wanda-the-first");
    must(store_open(&reader, f->path, STORE_READ_ONLY, &f->err));
    must(store_read_begin(reader, &f->err));
    assert_int_equal(forget(f, "wanda-the-first"), PF_OK);
    assert_true(fixture_files_hold(f, "wanda-the-first"));
    store_read_end(reader);
    store_close(reader);
    must(store_begin(f->s, &f->err));
    must(store_set_setting(f->s, "a", "b", &f->err));
    must(store_commit(f->s, &f->err));
    assert_false(fixture_files_hold(f, "wanda-the-first"));
}

static void the_others_keep_everything(void **state)
{
    fixture *f = *state;
    static const model_kind kind = {.seed = 61,
                                    .shoppers = 9,
                                    .products = 9,
                                    .promotions = 3,
                                    .campaigns = 3,
                                    .times = 500,
                                    .unit_us = 1000000,
                                    .anonymous = 20};
    shop_catalogue *c;
    shop_history *before, *after;
    store_counts counts, now;
    model m;
    model_begin(&m, &kind);
    model_import(&m, f, 0, 3000, 8u << 20);
    must(store_load_history(f->s, INT64_MAX, &before, &f->err));
    must(store_count(f->s, &counts, &f->err));
    must(store_load_catalogue(f->s, &c, &f->err));
    char *gone = mem_copy_text(c->shoppers[4].id, strlen(c->shoppers[4].id));
    catalogue_free(c);
    assert_int_equal(forget(f, gone), PF_OK);
    must(store_load_history(f->s, INT64_MAX, &after, &f->err));
    assert_int_equal(after->n_shoppers, before->n_shoppers);
    for (uint32_t s = 0; s <= 9; s++) {
        uint64_t n = before->first[s + 1] - before->first[s];
        assert_int_equal(after->first[s + 1] - after->first[s], s == 4 ? 0 : n);
        if (s != 4)
            assert_memory_equal(after->time_us + after->first[s],
                                before->time_us + before->first[s], n * 8);
    }
    must(store_count(f->s, &now, &f->err));
    assert_int_equal(now.events, after->n);
    assert_int_equal(now.shoppers, counts.shoppers - 1);
    uint64_t by_type[EVENT_TYPE_COUNT] = {0};
    for (uint64_t i = 0; i < after->n; i++)
        by_type[after->type[i]]++;
    assert_memory_equal(now.events_by_type, by_type, sizeof by_type);
    must(store_load_catalogue(f->s, &c, &f->err));
    assert_false(c->shoppers[4].exists);
    assert_string_equal(c->shoppers[4].id, "");
    assert_int_equal(intern_find(c->shopper_ids, gone, strlen(gone)), 0);
    for (uint32_t s = 1; s <= 9; s++)
        if (s != 4)
            assert_int_equal(
                intern_find(c->shopper_ids, c->shoppers[s].id, strlen(c->shoppers[s].id)),
                s);
    catalogue_free(c);
    mem_free(gone);
    history_free(before);
    history_free(after);
    model_end(&m);
}

/* The sum of the data is that of a store that never knew the shopper. */
static void the_fingerprint_forgets_too(void **state)
{
    fixture *f = *state;
    fingerprint without, now;
    const event_record other = secret_event("e9", "other", 5);
    event_record own[3];
    must(store_data_fingerprint(f->s, &without, &f->err));
    import(f, &other, 1);
    must(store_data_fingerprint(f->s, &without, &f->err));
    put_shopper(f, "wanda");
    for (int i = 0; i < 3; i++)
        own[i] = secret_event("", "wanda", 10 + i);
    own[1].date_only = true;
    own[2].quantity = 0.25;
    own[2].rating = 4;
    import(f, own, 3);
    must(store_data_fingerprint(f->s, &now, &f->err));
    assert_memory_not_equal(&now, &without, sizeof now);
    assert_int_equal(forget(f, "wanda"), PF_OK);
    must(store_data_fingerprint(f->s, &now, &f->err));
    assert_memory_equal(&now, &without, sizeof now);
}

static void an_old_file_does_not_bring_a_shopper_back(void **state)
{
    fixture *f = *state;
    const event_record events[2] = {secret_event("e1", "wanda", 5),
                                    secret_event("", "wanda", 6)};
    const event_record fresh = secret_event("e3", "wanda", 7);
    store_counts counts;
    import(f, events, 2);
    assert_int_equal(forget(f, "wanda"), PF_OK);
    assert_int_equal(import(f, events, 2).duplicates, 2);
    must(store_count(f->s, &counts, &f->err));
    assert_int_equal(counts.shoppers, 0);
    /* Who comes again is somebody new. */
    assert_int_equal(import(f, &fresh, 1).added, 1);
    shop_catalogue *c;
    must(store_load_catalogue(f->s, &c, &f->err));
    assert_int_equal(c->n_shoppers, 2);
    assert_false(c->shoppers[1].exists);
    assert_true(c->shoppers[2].exists);
    catalogue_free(c);
}

static void the_number_of_the_last_shopper_is_not_given_again(void **state)
{
    fixture *f = *state;
    shop_catalogue *c;
    put_shopper(f, "anna");
    put_shopper(f, "wanda");
    assert_int_equal(forget(f, "wanda"), PF_OK);
    must(store_load_catalogue(f->s, &c, &f->err));
    assert_int_equal(c->n_shoppers, 2);
    catalogue_free(c);
    put_shopper(f, "ben");
    must(store_load_catalogue(f->s, &c, &f->err));
    assert_int_equal(c->n_shoppers, 3);
    assert_string_equal(c->shoppers[3].id, "ben");
    catalogue_free(c);
}

static void decisions_go_with_the_shopper(void **state)
{
    fixture *f = *state;
    store_counts counts;
    put_shopper(f, "wanda");
    put_shopper(f, "anna");
    put_decision(f, "d1", 1);
    put_decision(f, "d2", 2);
    put_decision(f, "d3", 1);
    assert_int_equal(forget(f, "wanda"), PF_OK);
    must(store_count(f->s, &counts, &f->err));
    assert_int_equal(counts.decisions, 1);
}

static void forgetting_can_be_taken_back_until_the_commit(void **state)
{
    fixture *f = *state;
    const event_record e = secret_event("e1", "wanda", 5);
    import(f, &e, 1);
    uint64_t before = fixture_digest(f->s);
    must(store_begin(f->s, &f->err));
    must(store_forget_shopper(f->s, "wanda", &f->err));
    store_rollback(f->s);
    assert_true(before == fixture_digest(f->s));
}

static void nobody_is_forgotten_by_mistake(void **state)
{
    fixture *f = *state;
    put_shopper(f, "wanda");
    assert_int_equal(forget(f, "wand"), PF_NOT_FOUND);
    assert_int_equal(forget(f, ""), PF_NOT_FOUND);
    assert_int_equal(forget(f, "Wanda"), PF_NOT_FOUND);
    assert_int_equal(store_forget_shopper(f->s, "wanda", &f->err), PF_USAGE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_of_a_forgotten_shopper_is_left_in_the_files),
        TEST(a_reader_at_work_only_puts_off_the_emptying_of_the_log),
        TEST(the_others_keep_everything),
        TEST(the_fingerprint_forgets_too),
        TEST(an_old_file_does_not_bring_a_shopper_back),
        TEST(the_number_of_the_last_shopper_is_not_given_again),
        TEST(decisions_go_with_the_shopper),
        TEST(forgetting_can_be_taken_back_until_the_commit),
        TEST(nobody_is_forgotten_by_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
