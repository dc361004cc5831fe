/*
 * Importing events: whatever comes, in however many parts and in whatever order of time,
 * the store holds what the naive model holds.
 */
#include "store/event_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/random.h"

enum { MEMORY = 8 << 20, LITTLE_MEMORY = 100 << 10 };

static const model_kind mixed = {.seed = 11,
                                 .shoppers = 40,
                                 .products = 30,
                                 .promotions = 9,
                                 .campaigns = 4,
                                 .times = 4000,
                                 .unit_us = 1000000,
                                 .anonymous = 10,
                                 .without_id = 30,
                                 .repeats = 12,
                                 .wide_text = 3};

static void one_import(fixture *f, const model_kind *kind, uint64_t n, size_t memory)
{
    model m;
    model_begin(&m, kind);
    model_import(&m, f, 0, n, memory);
    model_check(&m, f);
    model_end(&m);
}

static void one_import_holds_what_the_model_holds(void **state)
{
    one_import(*state, &mixed, 6000, MEMORY);
}

static void an_import_beyond_its_memory_holds_the_same(void **state)
{
    one_import(*state, &mixed, 6000, LITTLE_MEMORY);
}

static void an_import_of_nothing_changes_nothing(void **state)
{
    one_import(*state, &mixed, 0, MEMORY);
}

static void the_same_events_again_change_nothing(void **state)
{
    fixture *f = *state;
    model_kind kind = mixed;
    model m;
    store_event_counts counts;
    store_event_rules rules = store_event_rules_default();
    store_event_writer *w;
    store_outcome outcome;
    made_event e;
    kind.repeats = 0;
    model_begin(&m, &kind);
    model_import(&m, f, 0, 2000, MEMORY);
    uint64_t before = fixture_digest(f->s);
    must(store_begin(f->s, &f->err));
    must(store_events_begin(f->s, &rules, &w, &f->err));
    for (uint64_t i = 2000; i-- > 0;) {
        model_make(&kind, i, &e);
        must(store_events_add(w, &e.r, &outcome, &f->err));
    }
    must(store_events_finish(w, NULL, NULL, &counts, &f->err));
    must(store_commit(f->s, &f->err));
    assert_int_equal(counts.added + counts.conflicts, 0);
    assert_int_equal(counts.duplicates, 2000);
    assert_true(before == fixture_digest(f->s));
    model_check(&m, f);
    model_end(&m);
}

/* Any split into imports leaves the same events, the same counts and the same
 * fingerprint of the data. */
static void any_split_gives_the_same_store(void **state)
{
    fixture *f = *state;
    enum { SPLITS = 6, EVENTS = 4000 };
    random_stream r = random_begin(5, 5);
    fingerprint first = {0}, now;
    for (int split = 0; split < SPLITS; split++) {
        model m;
        fixture_renew(f);
        model_begin(&m, &mixed);
        uint64_t at = 0;
        while (at < EVENTS) {
            uint64_t n = 1 + random_below(&r, split == 0 ? EVENTS : 1u << (4 + split));
            if (n > EVENTS - at) n = EVENTS - at;
            model_import(&m, f, at, at + n, random_below(&r, 2) ? MEMORY : LITTLE_MEMORY);
            at += n;
        }
        model_check(&m, f);
        must(store_data_fingerprint(f->s, &now, &f->err));
        if (split == 0) first = now;
        assert_memory_equal(&first, &now, sizeof now);
        model_end(&m);
    }
}

/* More events at one time than fit in a block, and blocks that hang together. */
static void crowded_times_keep_the_order_of_arrival(void **state)
{
    fixture *f = *state;
    const model_kind kinds[] = {
        {.seed = 21,
         .shoppers = 1,
         .products = 5,
         .promotions = 2,
         .campaigns = 2,
         .times = 3,
         .unit_us = 86400000000,
         .anonymous = 50,
         .without_id = 0},
        {.seed = 22,
         .shoppers = 2,
         .products = 5,
         .promotions = 2,
         .campaigns = 2,
         .times = 12,
         .unit_us = 1,
         .anonymous = 90,
         .without_id = 0,
         .wide_text = 30},
        {.seed = 23,
         .shoppers = 1,
         .products = 5,
         .promotions = 2,
         .campaigns = 2,
         .times = 700,
         .unit_us = 3600000000,
         .anonymous = 5,
         .without_id = 0},
    };
    random_stream r = random_begin(6, 6);
    for (int k = 0; k < 3; k++) {
        model m;
        fixture_renew(f);
        model_begin(&m, &kinds[k]);
        for (uint64_t at = 0; at < 8000;) {
            uint64_t n = 1 + random_below(&r, 1800);
            model_import(&m, f, at, at + n, MEMORY);
            at += n;
        }
        model_check(&m, f);
        model_end(&m);
    }
}

/* Imports of older and older events: new ones always come before what is there. */
static void imports_backwards_in_time_are_merged(void **state)
{
    fixture *f = *state;
    model_kind kind = {.seed = 31,
                       .shoppers = 2,
                       .products = 5,
                       .promotions = 2,
                       .campaigns = 2,
                       .times = 5000,
                       .unit_us = -1000000,
                       .without_id = 0,
                       .in_order = true};
    model m;
    model_begin(&m, &kind);
    for (uint64_t at = 0; at < 5000; at += 125)
        model_import(&m, f, at, at + 125, MEMORY);
    model_check(&m, f);
    model_end(&m);
}

static int64_t blocks(fixture *f)
{
    return fixture_sql_number(f, "SELECT count(*) FROM event_blocks");
}

/* Small imports one after the other must not leave small blocks behind. */
static void appending_keeps_blocks_full(void **state)
{
    fixture *f = *state;
    model_kind kind = {.seed = 41,
                       .shoppers = 1,
                       .products = 5,
                       .promotions = 2,
                       .campaigns = 2,
                       .times = 1000000,
                       .unit_us = 1000000,
                       .in_order = true};
    model m;
    model_begin(&m, &kind);
    for (uint64_t at = 0; at < 5120; at += 64)
        model_import(&m, f, at, at + 64, MEMORY);
    assert_in_range(blocks(f), 10, 12);
    model_check(&m, f);
    model_end(&m);
}

static void one_late_event_at_a_time_keeps_blocks_half_full(void **state)
{
    fixture *f = *state;
    model_kind kind = {.seed = 42,
                       .shoppers = 1,
                       .products = 5,
                       .promotions = 2,
                       .campaigns = 2,
                       .times = 100000,
                       .unit_us = 1000000};
    model m;
    model_begin(&m, &kind);
    model_import(&m, f, 0, 4000, MEMORY);
    for (uint64_t at = 4000; at < 4200; at++)
        model_import(&m, f, at, at + 1, MEMORY);
    assert_in_range(blocks(f), 8, 18);
    model_check(&m, f);
    model_end(&m);
}

/* An event that falls into one block leaves the rows of the others alone. */
static void an_append_touches_only_the_last_block(void **state)
{
    fixture *f = *state;
    model_kind kind = {.seed = 43,
                       .shoppers = 1,
                       .products = 5,
                       .promotions = 2,
                       .campaigns = 2,
                       .times = 1000000,
                       .unit_us = 1000000,
                       .in_order = true};
    model m;
    model_begin(&m, &kind);
    model_import(&m, f, 0, 2000, MEMORY);
    fixture_sql(f, "CREATE TABLE before AS SELECT block, data FROM event_blocks");
    model_import(&m, f, 2000, 2001, MEMORY);
    assert_int_equal(
        fixture_sql_number(f, "SELECT count(*) FROM before b JOIN event_blocks e"
                              " ON b.block = e.block WHERE b.data <> e.data"),
        1);
    model_check(&m, f);
    model_end(&m);
}

/* --- single events -------------------------------------------------------------------- */

static event_record plain_event(const char *id, const char *who, int64_t time_us)
{
    return (event_record){.id = text_of(id),
                          .type = EVENT_VIEW,
                          .shopper = text_of(who),
                          .time_us = time_us,
                          .quantity = 1,
                          .paid_minor = MONEY_ABSENT,
                          .discount_minor = MONEY_ABSENT,
                          .coupon_minor = MONEY_ABSENT,
                          .rating = NAN,
                          .propensity = NAN};
}

typedef struct heard {
    uint64_t calls, same, origin;
} heard;

static void hear(void *context, uint64_t origin, bool same_content)
{
    heard *h = context;
    h->calls++;
    h->same += same_content;
    h->origin = origin;
}

static store_event_counts import_events(fixture *f, const event_record *events, size_t n,
                                        const store_event_rules *rules, heard *h)
{
    store_event_writer *w;
    store_event_counts counts;
    store_outcome outcome;
    store_event_rules all = store_event_rules_default();
    must(store_begin(f->s, &f->err));
    must(store_events_begin(f->s, rules ? rules : &all, &w, &f->err));
    for (size_t i = 0; i < n; i++)
        must(store_events_add(w, &events[i], &outcome, &f->err));
    must(store_events_finish(w, h ? hear : NULL, h, &counts, &f->err));
    must(store_commit(f->s, &f->err));
    return counts;
}

static void an_id_with_other_content_is_a_conflict(void **state)
{
    fixture *f = *state;
    event_record events[2] = {plain_event("e1", "anna", 100),
                              plain_event("e1", "ben", 100)};
    heard h = {0};
    events[1].origin = 42;
    store_event_counts counts = import_events(f, events, 2, NULL, &h);
    assert_int_equal(counts.added, 1);
    assert_int_equal(counts.conflicts, 1);
    assert_int_equal(counts.duplicates, 0);
    assert_int_equal(h.calls, 1);
    assert_int_equal(h.same, 0);
    assert_int_equal(h.origin, 42);
    counts = import_events(f, &events[1], 1, NULL, &h);
    assert_int_equal(counts.conflicts, 1);
    store_counts all;
    must(store_count(f->s, &all, &f->err));
    assert_int_equal(all.shoppers, 1); /* ben is named by no event that was taken */
}

/* Every field is part of the content. */
static void any_field_makes_a_conflict(void **state)
{
    fixture *f = *state;
    event_record base = plain_event("e1", "anna", 100);
    store_event_rules rules = {STORE_UNKNOWN_CREATE, STORE_UNKNOWN_CREATE,
                               STORE_UNKNOWN_CREATE, STORE_UNKNOWN_CREATE, MEMORY};
    import_events(f, &base, 1, &rules, NULL);
    event_record changed[18];
    size_t n = sizeof changed / sizeof changed[0];
    for (size_t i = 0; i < n; i++)
        changed[i] = base;
    changed[0].type = EVENT_CLICK;
    changed[1].shopper = t("ben");
    changed[2].product = t("p");
    changed[3].promotion = t("p");
    changed[4].campaign = t("p");
    changed[5].order = t("p");
    changed[6].decision = t("p");
    changed[7].channel = CHANNEL_SMS;
    changed[8].time_us = 101;
    changed[9].date_only = true;
    changed[10].quantity = 2;
    changed[11].paid_minor = 0;
    changed[12].discount_minor = 0;
    changed[13].coupon_minor = 0;
    changed[14].rating = 0;
    changed[15].propensity = 1;
    changed[16].attributes = t("{}");
    changed[17].shopper = t("");
    for (size_t i = 0; i < n; i++) {
        heard h = {0};
        store_event_counts counts = import_events(f, &changed[i], 1, &rules, &h);
        if (counts.conflicts != 1) fail_msg("field %zu is no part of the content", i);
    }
    heard h = {0};
    base.quantity = 1.0;
    base.origin = 9; /* no part of it */
    assert_int_equal(import_events(f, &base, 1, &rules, &h).duplicates, 1);
}

static void a_line_without_an_id_is_known_by_its_content(void **state)
{
    fixture *f = *state;
    event_record events[4] = {plain_event("", "anna", 100), plain_event("", "anna", 100),
                              plain_event("", "anna", 100), plain_event("", "ben", 100)};
    events[2].order = t("o-1");
    store_event_counts counts = import_events(f, events, 4, NULL, NULL);
    assert_int_equal(counts.added, 3);
    assert_int_equal(counts.duplicates, 1);
    assert_int_equal(counts.conflicts, 0);
    counts = import_events(f, events, 4, NULL, NULL);
    assert_int_equal(counts.added, 0);
    assert_int_equal(counts.duplicates, 4);
}

static void minus_zero_is_zero(void **state)
{
    fixture *f = *state;
    event_record e = plain_event("", "anna", 100);
    shop_history *h;
    e.quantity = -0.0;
    e.rating = -0.0f;
    assert_int_equal(import_events(f, &e, 1, NULL, NULL).added, 1);
    e.quantity = 0.0;
    e.rating = 0.0f;
    assert_int_equal(import_events(f, &e, 1, NULL, NULL).duplicates, 1);
    e.quantity = 0.5; /* beside a fraction, zero is kept by its bits */
    import_events(f, &e, 1, NULL, NULL);
    must(store_load_history(f->s, INT64_MAX, &h, &f->err));
    assert_int_equal(h->n, 2);
    assert_true(h->quantity[0] == 0 && h->quantity[1] == 0.5f);
    history_free(h);
}

/* --- many events at one time ---------------------------------------------------------- */

/* `n` events of nobody at one time, their ids counting on. */
static void import_crowd(fixture *f, uint32_t *next_id, uint32_t n, int64_t time_us)
{
    event_record *events = calloc(n, sizeof *events);
    char(*ids)[16] = calloc(n, sizeof *ids);
    for (uint32_t i = 0; i < n; i++) {
        snprintf(ids[i], sizeof ids[i], "%08u", (*next_id)++);
        events[i] = plain_event(ids[i], "", time_us);
    }
    assert_int_equal(import_events(f, events, n, NULL, NULL).added, n);
    free(events);
    free(ids);
}

typedef struct order_check {
    int64_t time_us;
    char id[16];
    uint64_t n;
} order_check;

static bool check_order(void *context, const event_record *r)
{
    order_check *c = context;
    char id[16];
    snprintf(id, sizeof id, "%.*s", (int)r->id.n, r->id.data);
    assert_true(r->time_us > c->time_us ||
                (r->time_us == c->time_us && strcmp(id, c->id) > 0));
    c->time_us = r->time_us;
    memcpy(c->id, id, sizeof id);
    c->n++;
    return true;
}

static void check_crowd(fixture *f, uint64_t n)
{
    order_check c = {.time_us = INT64_MIN};
    must(store_visit_events(f->s, 0, check_order, &c, &f->err));
    assert_int_equal(c.n, n);
}

/* A block that ends among events of one time, of which the next blocks hold the rest, is
 * cut anew: its pieces must not come behind or on top of those blocks. */
static void a_crowded_time_stays_whole_when_a_block_before_it_is_cut(void **state)
{
    fixture *f = *state;
    const uint32_t late[] = {1, 100, 300, 412, 413, 600, 1200, 3000};
    for (size_t i = 0; i < sizeof late / sizeof late[0]; i++) {
        uint32_t id = 0;
        fixture_renew(f);
        import_crowd(f, &id, 100, 1);
        import_crowd(f, &id, 2000, 5);
        import_crowd(f, &id, 700, 9);
        check_crowd(f, id);
        import_crowd(f, &id, late[i], 2);
        check_crowd(f, id);
        import_crowd(f, &id, 50, 5);
        import_crowd(f, &id, late[i], 4);
        check_crowd(f, id);
        import_crowd(f, &id, 700, 0);
        import_crowd(f, &id, 3, 9);
        check_crowd(f, id);
    }
}

/* Crowded days, each more than a block: a late event rewrites its own day and no other,
 * because blocks are cut between days where they can be. */
static void a_late_event_rewrites_its_own_day_only(void **state)
{
    fixture *f = *state;
    uint32_t id = 0;
    for (int64_t day = 0; day < 20; day++)
        import_crowd(f, &id, 700, day * 10);
    fixture_sql(f, "CREATE TABLE before AS SELECT block, data FROM event_blocks");
    import_crowd(f, &id, 1, 35);
    assert_in_range(fixture_sql_number(f,
                                       "SELECT count(*) FROM before b JOIN event_blocks"
                                       " e ON b.block = e.block WHERE b.data <> e.data"),
                    0, 2);
    check_crowd(f, id);
}

/* --- ids nobody has introduced -------------------------------------------------------- */

static void unknown_ids_are_refused_or_created_as_the_rules_say(void **state)
{
    fixture *f = *state;
    static const store_outcome unknown[4] = {STORE_UNKNOWN_SHOPPER, STORE_UNKNOWN_PRODUCT,
                                             STORE_UNKNOWN_PROMOTION,
                                             STORE_UNKNOWN_CAMPAIGN};
    for (int field = 0; field < 4; field++)
        for (int create = 0; create < 2; create++) {
            store_event_writer *w;
            store_event_counts counts;
            store_counts all;
            store_outcome outcome;
            event_record e = plain_event("e", "", 5);
            store_unknown rule = create ? STORE_UNKNOWN_CREATE : STORE_UNKNOWN_REJECT;
            store_event_rules rules = {.memory_bytes = MEMORY};
            *(field == 0   ? &rules.shopper
              : field == 1 ? &rules.product
              : field == 2 ? &rules.promotion
                           : &rules.campaign) = rule;
            *(field == 0   ? &e.shopper
              : field == 1 ? &e.product
              : field == 2 ? &e.promotion
                           : &e.campaign) = t("x");
            fixture_renew(f);
            must(store_begin(f->s, &f->err));
            must(store_events_begin(f->s, &rules, &w, &f->err));
            must(store_events_add(w, &e, &outcome, &f->err));
            assert_int_equal(outcome, create ? STORE_ADDED : unknown[field]);
            must(store_events_finish(w, NULL, NULL, &counts, &f->err));
            assert_int_equal(counts.added, create);
            must(store_commit(f->s, &f->err));
            must(store_count(f->s, &all, &f->err));
            assert_int_equal(all.shoppers, create && field == 0);
            assert_int_equal(all.products, create && field == 1);
            assert_int_equal(all.promotions, create && field == 2);
            assert_int_equal(all.campaigns, create && field == 3);
        }
}

static void ids_that_were_introduced_are_found(void **state)
{
    fixture *f = *state;
    const product_record p = {.id = t("milk"), .title = t("Milk"), .price_minor = 99};
    event_record e = plain_event("e", "anna", 5);
    store_outcome outcome;
    shop_catalogue *c;
    shop_history *h;
    must(store_begin(f->s, &f->err));
    must(store_put_product(f->s, &p, &outcome, &f->err));
    must(store_commit(f->s, &f->err));
    e.product = t("milk");
    assert_int_equal(import_events(f, &e, 1, NULL, NULL).added, 1);
    must(store_load_catalogue(f->s, &c, &f->err));
    must(store_load_history(f->s, INT64_MAX, &h, &f->err));
    assert_string_equal(c->products[h->product[0]].title, "Milk");
    history_free(h);
    catalogue_free(c);
}

static void numbers_of_new_ids_have_no_gaps(void **state)
{
    fixture *f = *state;
    store_event_rules rules = {STORE_UNKNOWN_CREATE, STORE_UNKNOWN_CREATE,
                               STORE_UNKNOWN_CREATE, STORE_UNKNOWN_CREATE, MEMORY};
    event_record events[4];
    shop_catalogue *c;
    for (int i = 0; i < 4; i++)
        events[i] = plain_event(i < 2 ? "same" : "", "anna", 5 + i);
    events[0].product = t("p0");
    events[1].product = t("never"); /* a conflict */
    events[2].product = t("p2");
    events[3].product = t("p3");
    events[3].shopper = t("ben");
    import_events(f, events, 4, &rules, NULL);
    must(store_load_catalogue(f->s, &c, &f->err));
    assert_int_equal(c->n_products, 3);
    assert_int_equal(c->n_shoppers, 2);
    for (uint32_t i = 1; i <= 3; i++)
        assert_int_equal(c->products[i].id[0], 'p');
    catalogue_free(c);
}

/* --- what cannot be taken ------------------------------------------------------------- */

static void records_that_cannot_be_leave_the_writer_as_it_was(void **state)
{
    fixture *f = *state;
    static char long_text[LIMIT_ATTRIBUTES_BYTES + 1];
    store_event_rules rules = store_event_rules_default();
    store_event_writer *w;
    store_event_counts counts;
    store_outcome outcome;
    memset(long_text, 'x', sizeof long_text);
    const text long_id = {long_text, LIMIT_ID_BYTES + 1};
    const event_record good = plain_event("e", "anna", 5);
    event_record bad[13];
    for (int i = 0; i < 13; i++)
        bad[i] = good;
    bad[0].id = long_id;
    bad[1].shopper = long_id;
    bad[2].product = long_id;
    bad[3].promotion = long_id;
    bad[4].campaign = long_id;
    bad[5].order = long_id;
    bad[6].decision = long_id;
    bad[7].attributes = (text){long_text, sizeof long_text};
    bad[8].type = EVENT_NONE;
    bad[9].type = EVENT_TYPE_COUNT;
    bad[10].channel = CHANNEL_COUNT;
    bad[11].time_us = TIME_ABSENT;
    bad[12].quantity = INFINITY;
    must(store_begin(f->s, &f->err));
    must(store_events_begin(f->s, &rules, &w, &f->err));
    for (int i = 0; i < 13; i++) {
        pf_status status = store_events_add(w, &bad[i], &outcome, &f->err);
        assert_int_equal(status, i < 8 ? PF_LIMIT : PF_DATA);
    }
    must(store_events_add(w, &good, &outcome, &f->err));
    must(store_events_finish(w, NULL, NULL, &counts, &f->err));
    assert_int_equal(counts.added, 1);
    must(store_commit(f->s, &f->err));
}

static void the_longest_texts_fit(void **state)
{
    fixture *f = *state;
    static char long_text[LIMIT_ATTRIBUTES_BYTES];
    event_record events[40];
    store_event_rules rules = {STORE_UNKNOWN_CREATE, STORE_UNKNOWN_CREATE,
                               STORE_UNKNOWN_CREATE, STORE_UNKNOWN_CREATE, LITTLE_MEMORY};
    char ids[40][LIMIT_ID_BYTES];
    shop_history *h;
    memset(long_text, 'x', sizeof long_text);
    memset(ids, 'i', sizeof ids);
    const text long_id = {long_text, LIMIT_ID_BYTES};
    for (int i = 0; i < 40; i++) {
        events[i] = plain_event("", "", 5 + i);
        ids[i][LIMIT_ID_BYTES - 1] = (char)i;
        events[i].id = (text){ids[i], LIMIT_ID_BYTES};
        events[i].shopper = events[i].product = events[i].promotion = long_id;
        events[i].campaign = events[i].order = events[i].decision = long_id;
        events[i].attributes = (text){long_text, sizeof long_text};
    }
    assert_int_equal(import_events(f, events, 40, &rules, NULL).added, 40);
    must(store_load_history(f->s, INT64_MAX, &h, &f->err));
    assert_int_equal(h->n, 40);
    assert_true(blocks(f) > 5); /* bounded by their text */
    history_free(h);
}

/* --- transactions --------------------------------------------------------------------- */

static void an_abandoned_import_leaves_no_trace(void **state)
{
    fixture *f = *state;
    store_event_rules rules = store_event_rules_default();
    store_event_writer *w;
    store_outcome outcome;
    made_event e;
    uint64_t before = fixture_digest(f->s);
    rules.memory_bytes = LITTLE_MEMORY;
    must(store_begin(f->s, &f->err));
    must(store_events_begin(f->s, &rules, &w, &f->err));
    for (uint64_t i = 0; i < 2000; i++) {
        model_make(&mixed, i, &e);
        e.r.product = e.r.promotion = e.r.campaign = t("");
        must(store_events_add(w, &e.r, &outcome, &f->err));
    }
    store_events_abandon(w);
    store_events_abandon(NULL);
    must(store_commit(f->s, &f->err));
    assert_true(before == fixture_digest(f->s));
}

static void a_rollback_abandons_the_writer_and_what_it_wrote(void **state)
{
    fixture *f = *state;
    store_event_rules rules = store_event_rules_default();
    store_event_writer *w;
    store_event_counts counts;
    store_outcome outcome;
    event_record e = plain_event("e", "anna", 5);
    uint64_t before = fixture_digest(f->s);
    must(store_begin(f->s, &f->err));
    must(store_events_begin(f->s, &rules, &w, &f->err));
    must(store_events_add(w, &e, &outcome, &f->err));
    store_rollback(f->s);
    must(store_begin(f->s, &f->err));
    must(store_events_begin(f->s, &rules, &w, &f->err));
    must(store_events_add(w, &e, &outcome, &f->err));
    must(store_events_finish(w, NULL, NULL, &counts, &f->err));
    assert_int_equal(counts.added, 1);
    store_rollback(f->s);
    assert_true(before == fixture_digest(f->s));
}

static void other_writes_wait_until_the_writer_is_done(void **state)
{
    fixture *f = *state;
    store_event_rules rules = store_event_rules_default();
    store_event_writer *w, *second;
    store_outcome outcome;
    const product_record p = {.id = t("milk"), .price_minor = MONEY_ABSENT};
    assert_int_equal(store_events_begin(f->s, &rules, &w, &f->err), PF_USAGE);
    assert_null(w);
    must(store_begin(f->s, &f->err));
    must(store_events_begin(f->s, &rules, &w, &f->err));
    assert_int_equal(store_events_begin(f->s, &rules, &second, &f->err), PF_USAGE);
    assert_int_equal(store_put_product(f->s, &p, &outcome, &f->err), PF_USAGE);
    assert_int_equal(store_forget_shopper(f->s, "anna", &f->err), PF_USAGE);
    assert_int_equal(store_set_setting(f->s, "a", "b", &f->err), PF_USAGE);
    store_events_abandon(w);
    must(store_put_product(f->s, &p, &outcome, &f->err));
    must(store_commit(f->s, &f->err));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(one_import_holds_what_the_model_holds),
        TEST(an_import_beyond_its_memory_holds_the_same),
        TEST(an_import_of_nothing_changes_nothing),
        TEST(the_same_events_again_change_nothing),
        TEST(any_split_gives_the_same_store),
        TEST(crowded_times_keep_the_order_of_arrival),
        TEST(imports_backwards_in_time_are_merged),
        TEST(appending_keeps_blocks_full),
        TEST(one_late_event_at_a_time_keeps_blocks_half_full),
        TEST(an_append_touches_only_the_last_block),
        TEST(an_id_with_other_content_is_a_conflict),
        TEST(any_field_makes_a_conflict),
        TEST(a_line_without_an_id_is_known_by_its_content),
        TEST(minus_zero_is_zero),
        TEST(a_crowded_time_stays_whole_when_a_block_before_it_is_cut),
        TEST(a_late_event_rewrites_its_own_day_only),
        TEST(unknown_ids_are_refused_or_created_as_the_rules_say),
        TEST(ids_that_were_introduced_are_found),
        TEST(numbers_of_new_ids_have_no_gaps),
        TEST(records_that_cannot_be_leave_the_writer_as_it_was),
        TEST(the_longest_texts_fit),
        TEST(an_abandoned_import_leaves_no_trace),
        TEST(a_rollback_abandons_the_writer_and_what_it_wrote),
        TEST(other_writes_wait_until_the_writer_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
