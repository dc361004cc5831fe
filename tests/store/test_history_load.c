/*
 * Loading histories: all of it, up to a moment, one shopper's; and what becomes of a
 * damaged block on the way.
 */
#include "store/event_model.h"

#include <string.h>

#include "base/random.h"

static const model_kind kind = {.seed = 51,
                                .shoppers = 12,
                                .products = 30,
                                .promotions = 5,
                                .campaigns = 3,
                                .times = 900,
                                .unit_us = 60000000,
                                .anonymous = 30,
                                .without_id = 10};

static void import(fixture *f, model *m, uint64_t n)
{
    model_begin(m, &kind);
    model_import(m, f, 0, n, 8u << 20);
}

static void an_empty_store_gives_an_empty_history(void **state)
{
    fixture *f = *state;
    shop_history *h;
    must(store_load_history(f->s, INT64_MAX, &h, &f->err));
    assert_int_equal(h->n, 0);
    assert_int_equal(h->n_shoppers, 0);
    assert_int_equal(h->first[1], 0);
    assert_int_equal(h->first_time_us, 0);
    history_free(h);
    must(store_load_shopper_history(f->s, 9, INT64_MAX, &h, &f->err));
    assert_int_equal(h->n, 0);
    history_free(h);
}

/* Up to any moment: exactly the prefix of the whole, shopper by shopper. */
static void a_history_up_to_a_moment_is_a_prefix_of_the_whole(void **state)
{
    fixture *f = *state;
    shop_history *all, *h;
    random_stream r = random_begin(5, 1);
    model m;
    import(f, &m, 5000);
    must(store_load_history(f->s, INT64_MAX, &all, &f->err));
    for (int round = 0; round < 60; round++) {
        int64_t until = all->first_time_us - 5 +
                        (int64_t)random_below(&r, 900) * kind.unit_us / 1 +
                        (int64_t)random_below(&r, 3);
        if (round == 0) until = INT64_MIN;
        must(store_load_history(f->s, until, &h, &f->err));
        assert_int_equal(h->n_shoppers, all->n_shoppers);
        uint64_t total = 0;
        for (uint32_t s = 0; s <= all->n_shoppers; s++) {
            uint64_t n = history_before(all, s, until) - all->first[s];
            assert_int_equal(h->first[s], total);
            assert_int_equal(h->first[s + 1] - h->first[s], n);
            const uint64_t a = h->first[s], b = all->first[s];
            assert_memory_equal(h->time_us + a, all->time_us + b, n * 8);
            assert_memory_equal(h->type + a, all->type + b, n);
            assert_memory_equal(h->product + a, all->product + b, n * 4);
            assert_memory_equal(h->order + a, all->order + b, n * 8);
            assert_memory_equal(h->coupon_minor + a, all->coupon_minor + b, n * 8);
            assert_memory_equal(h->propensity + a, all->propensity + b, n * 4);
            total += n;
        }
        assert_int_equal(h->n, total);
        for (uint64_t i = 0; i < total; i++)
            assert_true(h->time_us[i] >= h->first_time_us &&
                        h->time_us[i] <= h->last_time_us);
        history_free(h);
    }
    history_free(all);
    model_end(&m);
}

static void one_shoppers_history_is_his_part_of_the_whole(void **state)
{
    fixture *f = *state;
    shop_history *all, *h;
    model m;
    import(f, &m, 3000);
    must(store_load_history(f->s, INT64_MAX, &all, &f->err));
    int64_t middle = all->first_time_us / 2 + all->last_time_us / 2;
    for (uint32_t s = 0; s <= all->n_shoppers; s++)
        for (int part = 0; part < 2; part++) {
            int64_t until = part ? middle : INT64_MAX;
            must(store_load_shopper_history(f->s, s, until, &h, &f->err));
            uint64_t n = history_before(all, s, until) - all->first[s];
            assert_int_equal(h->n, n);
            assert_int_equal(h->n_shoppers, all->n_shoppers);
            for (uint32_t other = 0; other <= all->n_shoppers; other++)
                assert_int_equal(h->first[other + 1] - h->first[other],
                                 other == s ? n : 0);
            assert_memory_equal(h->time_us, all->time_us + all->first[s], n * 8);
            assert_memory_equal(h->quantity, all->quantity + all->first[s], n * 4);
            history_free(h);
        }
    history_free(all);
    model_end(&m);
}

static bool stop_at_third(void *context, const event_record *event)
{
    int *seen = context;
    (void)event;
    return ++*seen < 3;
}

static void a_visitor_may_stop(void **state)
{
    fixture *f = *state;
    model m;
    int seen = 0;
    import(f, &m, 2000);
    must(store_visit_events(f->s, 0, stop_at_third, &seen, &f->err));
    assert_int_equal(seen, 3);
    must(store_visit_events(f->s, 4000, stop_at_third, &seen, &f->err)); /* nobody */
    assert_int_equal(seen, 3);
    model_end(&m);
}

/* Every way in which the rows and the bytes of blocks can be wrong names the shopper or
 * the file, and gives no history. */
static void a_damaged_block_gives_no_history(void **state)
{
    fixture *f = *state;
    static const char *const damages[] = {
        "UPDATE event_blocks SET data = x'' WHERE shopper = 3",
        "UPDATE event_blocks SET data = zeroblob(length(data)) WHERE shopper = 3",
        "UPDATE event_blocks SET data = substr(data, 1, length(data) - 1) || x'77'"
        " WHERE shopper = 3",
        "UPDATE event_blocks SET data ="
        " (SELECT data FROM event_blocks WHERE shopper = 2 LIMIT 1) WHERE shopper = 3",
    };
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        shop_history *h;
        model m;
        int seen = 0;
        fixture_renew(f);
        import(f, &m, 1500);
        fixture_sql(f, damages[i]);
        assert_int_equal(store_load_history(f->s, INT64_MAX, &h, &f->err), PF_DATA);
        assert_null(h);
        assert_non_null(strstr(f->err.message, "shopper number 3"));
        assert_int_equal(store_load_shopper_history(f->s, 3, INT64_MAX, &h, &f->err),
                         PF_DATA);
        assert_int_equal(store_visit_events(f->s, 3, stop_at_third, &seen, &f->err),
                         PF_DATA);
        must(store_load_shopper_history(f->s, 1, INT64_MAX, &h, &f->err));
        history_free(h);
        model_end(&m);
    }
}

static void rows_that_contradict_their_blocks_are_damage(void **state)
{
    fixture *f = *state;
    static const char *const damages[] = {
        "UPDATE event_blocks SET n = 0", /* less room than events */
        "UPDATE event_blocks SET first_time_us = last_time_us + part + block"
        " WHERE shopper = 0", /* the order of the blocks turned */
    };
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        shop_history *h;
        model m;
        fixture_renew(f);
        import(f, &m, 6000);
        fixture_sql(f, damages[i]);
        if (i == 1)
            fixture_sql(f, "UPDATE event_blocks SET first_time_us = -block"
                           " WHERE shopper = 0");
        assert_int_equal(store_load_history(f->s, INT64_MAX, &h, &f->err), PF_DATA);
        assert_null(h);
        model_end(&m);
    }
}

/* An import that meets a damaged block changes nothing. */
static void an_import_onto_a_damaged_block_is_refused(void **state)
{
    fixture *f = *state;
    store_event_rules rules = store_event_rules_default();
    store_event_writer *w;
    store_event_counts counts;
    store_outcome outcome;
    made_event e;
    model m;
    import(f, &m, 1500);
    fixture_sql(f, "UPDATE event_blocks SET data = zeroblob(length(data))"
                   " WHERE shopper = 3");
    must(store_begin(f->s, &f->err));
    must(store_events_begin(f->s, &rules, &w, &f->err));
    for (uint64_t i = 1500; i < 1800; i++) {
        model_make(&kind, i, &e);
        e.r.product = e.r.promotion = e.r.campaign = t("");
        must(store_events_add(w, &e.r, &outcome, &f->err));
    }
    assert_int_equal(store_events_finish(w, NULL, NULL, &counts, &f->err), PF_DATA);
    assert_non_null(strstr(f->err.message, "shopper number 3"));
    assert_int_equal(store_commit(f->s, &f->err), PF_USAGE);
    store_counts all;
    must(store_count(f->s, &all, &f->err));
    assert_int_equal(all.events, m.n_kept);
    model_end(&m);
}

static void any_allocation_of_loading_may_fail(void **state)
{
    fixture *f = *state;
    model m;
    fault x = {0};
    import(f, &m, 700);
    while (fault_next(&x)) {
        shop_history *h;
        int seen = -100000;
        pf_status status = store_load_history(f->s, INT64_MAX, &h, &f->err);
        pf_status visited = store_visit_events(f->s, 1, stop_at_third, &seen, &f->err);
        if (fault_reached(&x)) {
            assert_true(status == PF_NO_MEMORY || visited == PF_NO_MEMORY);
        } else {
            assert_int_equal(status, PF_OK);
            assert_int_equal(visited, PF_OK);
        }
        assert_int_equal(h == NULL, status != PF_OK);
        history_free(h);
    }
    assert_true(x.n > 8);
    model_end(&m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_store_gives_an_empty_history),
        TEST(a_history_up_to_a_moment_is_a_prefix_of_the_whole),
        TEST(one_shoppers_history_is_his_part_of_the_whole),
        TEST(a_visitor_may_stop),
        TEST(a_damaged_block_gives_no_history),
        TEST(rows_that_contradict_their_blocks_are_damage),
        TEST(an_import_onto_a_damaged_block_is_refused),
        TEST(any_allocation_of_loading_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
