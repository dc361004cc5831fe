/* Making events up, and what a store must hold of them; see event_model.h. */
#include "store/event_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

/* --- events --------------------------------------------------------------------------- */

static text print_text(char into[32], const char *letter, uint32_t n)
{
    return (text){into, (size_t)snprintf(into, 32, "%s%u", letter, n)};
}

static void make_values(random_stream *r, event_record *e)
{
    e->type = (event_type)(1 + random_below(r, EVENT_TYPE_COUNT - 1));
    e->channel = (channel)random_below(r, CHANNEL_COUNT);
    e->date_only = random_below(r, 4) == 0;
    e->quantity = random_below(r, 3) ? 1 + random_below(r, 5) : random_unit(r) * 10 - 3;
    e->paid_minor = random_below(r, 5) ? random_below(r, 100000) : MONEY_ABSENT;
    e->discount_minor = random_below(r, 3) ? MONEY_ABSENT : (int64_t)random_below(r, 500);
    e->coupon_minor = random_below(r, 9) ? MONEY_ABSENT : (int64_t)random_u32(r) << 16;
    e->rating = random_below(r, 4) ? NAN : (float)random_below(r, 6);
    e->propensity = random_below(r, 6) ? NAN : (float)random_unit(r);
}

static void make_texts(const model_kind *kind, random_stream *r, uint64_t index,
                       made_event *e)
{
    event_record *v = &e->r;
    if (random_below(r, 100) >= kind->without_id)
        v->id = print_text(e->texts[0], "event-", (uint32_t)index);
    if (random_below(r, 100) >= kind->anonymous)
        v->shopper = print_text(e->texts[1], "s", random_below(r, kind->shoppers));
    if (random_below(r, 8))
        v->product = print_text(e->texts[2], "p", random_below(r, kind->products));
    if (random_below(r, 5) == 0)
        v->promotion = print_text(e->texts[3], "o", random_below(r, kind->promotions));
    if (random_below(r, 7) == 0)
        v->campaign = print_text(e->texts[4], "c", random_below(r, kind->campaigns));
    if (random_below(r, 3))
        v->order = print_text(e->texts[5], "order-", (uint32_t)(index / 3));
    if (random_below(r, 6) == 0)
        v->decision = print_text(e->texts[6], "d", random_below(r, 1000));
    if (random_below(r, 10) == 0)
        v->attributes = print_text(e->texts[7], "{\"a\":", random_below(r, 100));
    if (random_below(r, 1000) < kind->wide_text) {
        size_t n = 1 + random_below(r, sizeof e->attributes);
        memset(e->attributes, 'a' + (int)random_below(r, 26), n);
        v->attributes = (text){e->attributes, n};
    }
}

void model_make(const model_kind *kind, uint64_t index, made_event *e)
{
    random_stream r = random_begin(kind->seed, index);
    bool repeat = index > 0 && random_below(&r, 100) < kind->repeats;
    bool change = repeat && random_below(&r, 3) == 0;
    if (repeat) {
        model_make(kind, random_below(&r, (uint32_t)index), e);
        if (change) e->r.paid_minor = 77;
        e->r.origin = index;
        return;
    }
    memset(&e->r, 0, sizeof e->r);
    make_values(&r, &e->r);
    make_texts(kind, &r, index, e);
    uint64_t at =
        kind->in_order ? index / 4 % kind->times : random_below(&r, kind->times);
    e->r.time_us = INT64_C(1500000000000000) + (int64_t)at * kind->unit_us;
    e->r.origin = index;
}

/* All of an event but its origin, as text; with or without its id. */
static text describe(const event_record *r, bool with_id, char *into, size_t size)
{
    int n =
        snprintf(into, size,
                 "%.*s|%d|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%d|%lld|%d|%a|%lld|%lld|%lld|"
                 "%a|%a|%.*s",
                 with_id ? (int)r->id.n : 0, r->id.data ? r->id.data : "", (int)r->type,
                 (int)r->shopper.n, r->shopper.data ? r->shopper.data : "",
                 (int)r->product.n, r->product.data ? r->product.data : "",
                 (int)r->promotion.n, r->promotion.data ? r->promotion.data : "",
                 (int)r->campaign.n, r->campaign.data ? r->campaign.data : "",
                 (int)r->order.n, r->order.data ? r->order.data : "", (int)r->decision.n,
                 r->decision.data ? r->decision.data : "", (int)r->channel,
                 (long long)r->time_us, (int)r->date_only, r->quantity,
                 (long long)r->paid_minor, (long long)r->discount_minor,
                 (long long)r->coupon_minor, isnan(r->rating) ? -1.0 : (double)r->rating,
                 isnan(r->propensity) ? -1.0 : (double)r->propensity,
                 (int)r->attributes.n, r->attributes.data ? r->attributes.data : "");
    assert_true(n > 0 && (size_t)n < size);
    return (text){into, (size_t)n};
}

enum { DESCRIBED_BYTES = 6000 };

/* --- the model ------------------------------------------------------------------------ */

void model_begin(model *m, const model_kind *kind)
{
    *m = (model){.kind = kind, .identities = intern_new(UINT32_MAX - 1)};
    assert_non_null(m->identities);
}

void model_end(model *m)
{
    intern_free(m->identities);
    mem_free(m->first);
    mem_free(m->kept);
}

/* 0: a new event; 1: one that was there; 2: its id was there with other content. */
static uint8_t judge(model *m, uint64_t index)
{
    made_event e, other;
    static char a[DESCRIBED_BYTES], b[DESCRIBED_BYTES];
    model_make(m->kind, index, &e);
    text content = describe(&e.r, false, a, sizeof a);
    /* An id begins with a letter, a content with '|'. */
    text identity = e.r.id.n > 0 ? e.r.id : content;
    uint32_t count = intern_count(m->identities);
    uint32_t number = intern_add(m->identities, identity.data, identity.n);
    assert_true(number > 0);
    if (number > count) {
        assert_true(mem_reserve((void **)&m->first, &m->first_capacity, number,
                                sizeof *m->first));
        m->first[number - 1] = index;
        return 0;
    }
    model_make(m->kind, m->first[number - 1], &other);
    text before = describe(&other.r, false, b, sizeof b);
    return text_equal(before, content) ? 1 : 2;
}

/* Gives events to the model; its verdicts, by index, to be freed. */
static uint8_t *judge_all(model *m, uint64_t from, uint64_t to)
{
    uint8_t *verdicts = calloc(to + 1, 1);
    assert_non_null(verdicts);
    assert_int_equal(from, m->n);
    for (uint64_t i = from; i < to; i++) {
        verdicts[i] = judge(m, i);
        m->added += verdicts[i] == 0;
        m->duplicates += verdicts[i] == 1;
        m->conflicts += verdicts[i] == 2;
        if (verdicts[i] != 0) continue;
        assert_true(
            mem_reserve((void **)&m->kept, &m->capacity, m->n_kept + 1, sizeof *m->kept));
        m->kept[m->n_kept++] = i;
    }
    m->n = to;
    return verdicts;
}

/* --- importing ------------------------------------------------------------------------ */

typedef struct expected {
    const uint8_t *verdicts;
    uint8_t *told;
} expected;

static void hear_duplicate(void *context, uint64_t origin, bool same_content)
{
    expected *x = context;
    assert_int_equal(x->verdicts[origin], same_content ? 1 : 2);
    assert_int_equal(x->told[origin], 0);
    x->told[origin] = 1;
}

static store_event_counts import(model *m, fixture *f, uint64_t from, uint64_t to,
                                 size_t memory_bytes, expected *x)
{
    store_event_rules rules = {STORE_UNKNOWN_CREATE, STORE_UNKNOWN_CREATE,
                               STORE_UNKNOWN_CREATE, STORE_UNKNOWN_CREATE, memory_bytes};
    store_event_writer *w;
    store_event_counts counts;
    store_outcome outcome;
    made_event e;
    must(store_begin(f->s, &f->err));
    must(store_events_begin(f->s, &rules, &w, &f->err));
    for (uint64_t i = from; i < to; i++) {
        model_make(m->kind, i, &e);
        must(store_events_add(w, &e.r, &outcome, &f->err));
        assert_int_equal(outcome, STORE_ADDED);
    }
    must(store_events_finish(w, hear_duplicate, x, &counts, &f->err));
    must(store_commit(f->s, &f->err));
    return counts;
}

void model_import(model *m, fixture *f, uint64_t from, uint64_t to, size_t memory_bytes)
{
    model before = *m;
    uint8_t *verdicts = judge_all(m, from, to);
    expected x = {.verdicts = verdicts, .told = calloc(to + 1, 1)};
    store_event_counts counts = import(m, f, from, to, memory_bytes, &x);
    assert_int_equal(counts.added, m->added - before.added);
    assert_int_equal(counts.duplicates, m->duplicates - before.duplicates);
    assert_int_equal(counts.conflicts, m->conflicts - before.conflicts);
    for (uint64_t i = from; i < to; i++)
        assert_int_equal(x.told[i], verdicts[i] != 0);
    free(x.told);
    free(verdicts);
}

/* --- checking ------------------------------------------------------------------------- */

typedef struct sorted_event {
    uint32_t shopper;
    int64_t time_us;
    uint64_t index;
} sorted_event;

static int by_shopper_time_arrival(const void *a, const void *b)
{
    const sorted_event *x = a, *y = b;
    if (x->shopper != y->shopper) return x->shopper < y->shopper ? -1 : 1;
    if (x->time_us != y->time_us) return x->time_us < y->time_us ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

typedef struct checking {
    const model *m;
    const shop_catalogue *c;
    const shop_history *h;
    const sorted_event *sorted;
    uint64_t at;
    uint64_t last_order; /* key and text of the order of the event before */
    char order[40];
} checking;

static uint32_t number_of(const intern *ids, text id)
{
    if (id.n == 0) return 0;
    uint32_t number = intern_find(ids, id.data, id.n);
    assert_int_not_equal(number, 0);
    return number;
}

static void check_loaded(checking *k, const event_record *r)
{
    const shop_history *h = k->h;
    uint64_t i = k->at;
    assert_int_equal(h->time_us[i], r->time_us);
    assert_int_equal(h->type[i], r->type);
    assert_int_equal(h->channel[i], r->channel);
    assert_int_equal(h->product[i], number_of(k->c->product_ids, r->product));
    assert_int_equal(h->promotion[i], number_of(k->c->promotion_ids, r->promotion));
    assert_int_equal(h->campaign[i], number_of(k->c->campaign_ids, r->campaign));
    assert_true(h->paid_minor[i] == r->paid_minor);
    assert_true(h->discount_minor[i] == r->discount_minor);
    assert_true(h->coupon_minor[i] == r->coupon_minor);
    assert_true(h->quantity[i] == (float)r->quantity);
    assert_true(isnan(r->rating) ? isnan(h->rating[i]) : h->rating[i] == r->rating);
    assert_true(isnan(r->propensity) ? isnan(h->propensity[i])
                                     : h->propensity[i] == r->propensity);
    assert_int_equal(h->order[i] == 0, r->order.n == 0);
    bool same = r->order.n == strlen(k->order) &&
                memcmp(k->order, r->order.data, r->order.n) == 0;
    if (k->at > 0) assert_int_equal(h->order[i] == k->last_order, same);
    k->last_order = h->order[i];
    snprintf(k->order, sizeof k->order, "%.*s", (int)r->order.n, r->order.data);
}

static bool check_visited(void *context, const event_record *r)
{
    checking *k = context;
    made_event e;
    static char a[DESCRIBED_BYTES], b[DESCRIBED_BYTES];
    assert_true(k->at < k->m->n_kept);
    model_make(k->m->kind, k->sorted[k->at].index, &e);
    text want = describe(&e.r, true, a, sizeof a), got = describe(r, true, b, sizeof b);
    if (!text_equal(want, got))
        fail_msg("event %llu\nwanted %.*s\ngot    %.*s", (unsigned long long)k->at,
                 (int)want.n, want.data, (int)got.n, got.data);
    check_loaded(k, r);
    k->at++;
    return true;
}

static sorted_event *sort_kept(const model *m, const shop_catalogue *c)
{
    made_event e;
    sorted_event *sorted = calloc(m->n_kept + 1, sizeof *sorted);
    for (size_t i = 0; i < m->n_kept; i++) {
        model_make(m->kind, m->kept[i], &e);
        sorted[i] = (sorted_event){number_of(c->shopper_ids, e.r.shopper), e.r.time_us,
                                   m->kept[i]};
    }
    qsort(sorted, m->n_kept, sizeof *sorted, by_shopper_time_arrival);
    return sorted;
}

static void check_counts(const model *m, fixture *f, const checking *k)
{
    store_counts counts;
    uint64_t by_type[EVENT_TYPE_COUNT] = {0};
    int64_t first = INT64_MAX, last = INT64_MIN;
    must(store_count(f->s, &counts, &f->err));
    for (uint64_t i = 0; i < k->h->n; i++) {
        by_type[k->h->type[i]]++;
        if (k->h->time_us[i] < first) first = k->h->time_us[i];
        if (k->h->time_us[i] > last) last = k->h->time_us[i];
    }
    assert_int_equal(counts.events, m->n_kept);
    assert_memory_equal(counts.events_by_type, by_type, sizeof by_type);
    assert_int_equal(counts.shoppers, k->c->n_shoppers);
    assert_int_equal(counts.products, k->c->n_products);
    if (m->n_kept == 0) return;
    assert_int_equal(counts.first_event_us, first);
    assert_int_equal(counts.last_event_us, last);
    assert_int_equal(k->h->first_time_us, first);
    assert_int_equal(k->h->last_time_us, last);
}

void model_check(model *m, fixture *f)
{
    shop_catalogue *c;
    shop_history *h;
    must(store_load_catalogue(f->s, &c, &f->err));
    must(store_load_history(f->s, INT64_MAX, &h, &f->err));
    sorted_event *sorted = sort_kept(m, c);
    checking k = {.m = m, .c = c, .h = h, .sorted = sorted};
    assert_int_equal(h->n, m->n_kept);
    assert_int_equal(h->n_shoppers, c->n_shoppers);
    for (uint32_t i = 0; i <= c->n_shoppers; i++) {
        assert_int_equal(h->first[i], k.at);
        must(store_visit_events(f->s, i, check_visited, &k, &f->err));
        assert_int_equal(h->first[i + 1], k.at);
    }
    assert_int_equal(k.at, m->n_kept);
    check_counts(m, f, &k);
    free(sorted);
    history_free(h);
    catalogue_free(c);
}
