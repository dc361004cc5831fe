/*
 * Any sequence of verbs: products and shoppers put, events imported, shoppers forgotten,
 * transactions rolled back, the store closed and opened. A naive model keeps what must be
 * there; and a store that gets the same data in one go has the same fingerprint.
 */
#include "store/fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

enum { SHOPPERS = 12, PRODUCTS = 10, EVENT_IDS = 1500, NEVER = -1 };

/* What an event with this id and variant says follows from both. */
typedef struct kept_event {
    int id, variant;
    uint64_t arrival;
} kept_event;

typedef struct world {
    int title[PRODUCTS];    /* version; NEVER: no such product */
    int language[SHOPPERS]; /* version, 0 = not given; NEVER: no such shopper */
    int seen[EVENT_IDS];    /* variant of the first, NEVER: not seen */
    kept_event events[EVENT_IDS];
    size_t n_events;
    uint64_t arrivals;
} world;

/* --- what events and rows look like --------------------------------------------------- */

static int who_of(int id)
{
    return id % (SHOPPERS + 1) - 1; /* -1: anonymous */
}

static int what_of(int id)
{
    return id * 7 % PRODUCTS;
}

static int64_t time_of(int id)
{
    return 1000000 * (int64_t)(id * 31 % 97);
}

typedef struct event_words {
    char id[16], who[16], what[16], order[16];
} event_words;

static event_record make_event(int id, int variant, event_words *w)
{
    event_record r = {.type = (event_type)(1 + id % 10),
                      .time_us = time_of(id),
                      .quantity = 1 + id % 3,
                      .paid_minor = 100 * id + variant,
                      .discount_minor = MONEY_ABSENT,
                      .coupon_minor = MONEY_ABSENT,
                      .rating = NAN,
                      .propensity = NAN};
    snprintf(w->id, sizeof w->id, "e%d", id);
    snprintf(w->what, sizeof w->what, "p%d", what_of(id));
    snprintf(w->order, sizeof w->order, "o%d", id / 4);
    w->who[0] = '\0';
    if (who_of(id) >= 0) snprintf(w->who, sizeof w->who, "s%d", who_of(id));
    r.id = text_of(w->id);
    r.shopper = text_of(w->who);
    r.product = text_of(w->what);
    r.order = text_of(w->order);
    return r;
}

static pf_status put_product(store *s, int p, int version, store_outcome *outcome,
                             pf_error *err)
{
    char id[16], title[16];
    snprintf(id, sizeof id, "p%d", p);
    snprintf(title, sizeof title, "title %d", version);
    const product_record r = {
        .id = text_of(id), .title = text_of(title), .price_minor = MONEY_ABSENT};
    return store_put_product(s, &r, outcome, err);
}

static pf_status put_shopper(store *s, int who, int version, store_outcome *outcome,
                             pf_error *err)
{
    char id[16], language[16] = "";
    snprintf(id, sizeof id, "s%d", who);
    if (version > 0) snprintf(language, sizeof language, "l%d", version);
    const shopper_record r = {.id = text_of(id), .language = text_of(language)};
    return store_put_shopper(s, &r, outcome, err);
}

/* --- the verbs ------------------------------------------------------------------------ */

static void do_product(fixture *f, world *w, random_stream *r)
{
    int p = (int)random_below(r, PRODUCTS), version = (int)random_below(r, 3);
    store_outcome outcome;
    must(put_product(f->s, p, version, &outcome, &f->err));
    assert_int_equal(outcome, w->title[p] == NEVER     ? STORE_ADDED
                              : w->title[p] == version ? STORE_SAME
                                                       : STORE_CHANGED);
    w->title[p] = version;
}

static void do_shopper(fixture *f, world *w, random_stream *r)
{
    int who = (int)random_below(r, SHOPPERS), version = (int)random_below(r, 3);
    store_outcome outcome;
    must(put_shopper(f->s, who, version, &outcome, &f->err));
    bool same = version == 0 || w->language[who] == version;
    assert_int_equal(outcome, w->language[who] == NEVER ? STORE_ADDED
                              : same                    ? STORE_SAME
                                                        : STORE_CHANGED);
    if (version > 0 || w->language[who] == NEVER) w->language[who] = version;
}

static void accept_event(world *w, int id, int variant)
{
    w->seen[id] = variant;
    w->events[w->n_events++] = (kept_event){id, variant, w->arrivals};
    if (who_of(id) >= 0 && w->language[who_of(id)] == NEVER) w->language[who_of(id)] = 0;
}

/* Events name only products that are there: others are refused. */
static void do_import(fixture *f, world *w, random_stream *r)
{
    store_event_rules rules = store_event_rules_default();
    store_event_writer *writer;
    store_event_counts counts, expected = {0};
    store_outcome outcome;
    event_words words;
    rules.memory_bytes = random_below(r, 2) ? 10000 : 1 << 20;
    must(store_events_begin(f->s, &rules, &writer, &f->err));
    for (uint32_t n = random_below(r, 80); n > 0; n--) {
        int id = (int)random_below(r, EVENT_IDS), variant = (int)random_below(r, 8) == 0;
        const event_record e = make_event(id, variant, &words);
        must(store_events_add(writer, &e, &outcome, &f->err));
        bool known = w->title[what_of(id)] != NEVER;
        assert_int_equal(outcome, known ? STORE_ADDED : STORE_UNKNOWN_PRODUCT);
        if (!known) continue;
        w->arrivals++;
        expected.added += w->seen[id] == NEVER;
        expected.duplicates += w->seen[id] == variant;
        expected.conflicts += w->seen[id] != NEVER && w->seen[id] != variant;
        if (w->seen[id] == NEVER) accept_event(w, id, variant);
    }
    must(store_events_finish(writer, NULL, NULL, &counts, &f->err));
    assert_memory_equal(&counts, &expected, sizeof counts);
}

static void do_forget(fixture *f, world *w, random_stream *r)
{
    int who = (int)random_below(r, SHOPPERS);
    char id[16];
    snprintf(id, sizeof id, "s%d", who);
    pf_status status = store_forget_shopper(f->s, id, &f->err);
    assert_int_equal(status, w->language[who] == NEVER ? PF_NOT_FOUND : PF_OK);
    size_t kept = 0;
    for (size_t i = 0; i < w->n_events; i++)
        if (who_of(w->events[i].id) != who) w->events[kept++] = w->events[i];
    w->n_events = kept;
    w->language[who] = NEVER;
}

/* --- checking ------------------------------------------------------------------------- */

static int by_time_then_arrival(const void *a, const void *b)
{
    const kept_event *x = a, *y = b;
    if (time_of(x->id) != time_of(y->id)) return time_of(x->id) < time_of(y->id) ? -1 : 1;
    return (x->arrival > y->arrival) - (x->arrival < y->arrival);
}

typedef struct comparing {
    kept_event list[EVENT_IDS];
    size_t n, at;
} comparing;

static bool compare_event(void *context, const event_record *r)
{
    comparing *c = context;
    event_words words;
    assert_true(c->at < c->n);
    const kept_event *e = &c->list[c->at++];
    const event_record want = make_event(e->id, e->variant, &words);
    assert_true(text_equal(r->id, want.id) && text_equal(r->shopper, want.shopper));
    assert_true(text_equal(r->product, want.product) && text_equal(r->order, want.order));
    assert_true(r->type == want.type && r->time_us == want.time_us);
    assert_true(r->paid_minor == want.paid_minor && r->quantity == want.quantity);
    return true;
}

static void compare_shopper(fixture *f, const world *w, int who, uint32_t number)
{
    static comparing c;
    c.n = c.at = 0;
    for (size_t i = 0; i < w->n_events; i++)
        if (who_of(w->events[i].id) == who) c.list[c.n++] = w->events[i];
    qsort(c.list, c.n, sizeof *c.list, by_time_then_arrival);
    must(store_visit_events(f->s, number, compare_event, &c, &f->err));
    assert_int_equal(c.at, c.n);
}

static void check(fixture *f, const world *w)
{
    shop_catalogue *c;
    store_counts counts;
    char id[16], title[16];
    uint64_t products = 0, shoppers = 0;
    must(store_load_catalogue(f->s, &c, &f->err));
    for (int p = 0; p < PRODUCTS; p++) {
        int n = snprintf(id, sizeof id, "p%d", p);
        uint32_t number = intern_find(c->product_ids, id, (size_t)n);
        assert_int_equal(number != 0, w->title[p] != NEVER);
        snprintf(title, sizeof title, "title %d", w->title[p]);
        if (number != 0) assert_string_equal(c->products[number].title, title);
        products += number != 0;
    }
    for (int s = 0; s < SHOPPERS; s++) {
        int n = snprintf(id, sizeof id, "s%d", s);
        uint32_t number = intern_find(c->shopper_ids, id, (size_t)n);
        assert_int_equal(number != 0, w->language[s] != NEVER);
        if (number != 0) compare_shopper(f, w, s, number);
        shoppers += number != 0;
    }
    compare_shopper(f, w, -1, 0);
    must(store_count(f->s, &counts, &f->err));
    assert_int_equal(counts.products, products);
    assert_int_equal(counts.shoppers, shoppers);
    assert_int_equal(counts.events, w->n_events);
    catalogue_free(c);
}

/* A second store that gets everything at once. */
static void compare_fingerprints(fixture *f, const world *w)
{
    char path[128];
    store *other;
    store_event_rules rules = store_event_rules_default();
    store_event_writer *writer;
    store_event_counts counts;
    store_outcome outcome;
    event_words words;
    fingerprint a, b;
    snprintf(path, sizeof path, "%s/other.db", f->folder);
    must(store_open(&other, path, STORE_CREATE, &f->err));
    must(store_begin(other, &f->err));
    for (int p = PRODUCTS - 1; p >= 0; p--)
        if (w->title[p] != NEVER)
            must(put_product(other, p, w->title[p], &outcome, &f->err));
    for (int s = SHOPPERS - 1; s >= 0; s--)
        if (w->language[s] != NEVER)
            must(put_shopper(other, s, w->language[s], &outcome, &f->err));
    must(store_events_begin(other, &rules, &writer, &f->err));
    for (size_t i = w->n_events; i-- > 0;) {
        const event_record e = make_event(w->events[i].id, w->events[i].variant, &words);
        must(store_events_add(writer, &e, &outcome, &f->err));
    }
    must(store_events_finish(writer, NULL, NULL, &counts, &f->err));
    must(store_commit(other, &f->err));
    must(store_data_fingerprint(other, &a, &f->err));
    must(store_data_fingerprint(f->s, &b, &f->err));
    assert_memory_equal(&a, &b, sizeof a);
    store_close(other);
}

/* --- the sequences -------------------------------------------------------------------- */

static void one_transaction(fixture *f, world *w, random_stream *r)
{
    static world before;
    before = *w;
    must(store_begin(f->s, &f->err));
    for (uint32_t n = 1 + random_below(r, 6); n > 0; n--)
        switch (random_below(r, 8)) {
        case 0:
        case 1: do_product(f, w, r); break;
        case 2: do_shopper(f, w, r); break;
        case 3: do_forget(f, w, r); break;
        default: do_import(f, w, r); break;
        }
    if (random_below(r, 5) == 0) {
        store_rollback(f->s);
        *w = before;
    } else {
        must(store_commit(f->s, &f->err));
    }
    if (random_below(r, 7) == 0) fixture_reopen(f);
}

static void any_sequence_of_verbs_leaves_what_the_model_has(void **state)
{
    fixture *f = *state;
    static world w;
    for (uint64_t seed = 0; seed < 8; seed++) {
        random_stream r = random_begin(seed, 12);
        fixture_renew(f);
        memset(&w, 0, sizeof w);
        for (int i = 0; i < PRODUCTS; i++)
            w.title[i] = NEVER;
        for (int i = 0; i < SHOPPERS; i++)
            w.language[i] = NEVER;
        for (int i = 0; i < EVENT_IDS; i++)
            w.seen[i] = NEVER;
        for (int step = 0; step < 40; step++) {
            one_transaction(f, &w, &r);
            if (step % 4 == 3) check(f, &w);
        }
        check(f, &w);
        compare_fingerprints(f, &w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(any_sequence_of_verbs_leaves_what_the_model_has,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
