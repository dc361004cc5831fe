/*
 * The external sort: packed events, runs of events and of ids, the spool, the merge.
 * Whatever the order and the number of runs, records come out sorted and stable.
 */
#include "store/fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "store/event_run.h"
#include "store/id_run.h"
#include "store/merge.h"
#include "store/packed_event.h"

enum { EVENTS = 3000 };

typedef struct sorted_key {
    uint32_t shopper;
    int64_t time_us;
    uint64_t arrival;
} sorted_key;

static int compare_keys(const void *a, const void *b)
{
    const sorted_key *x = a, *y = b;
    if (x->shopper != y->shopper) return x->shopper < y->shopper ? -1 : 1;
    if (x->time_us != y->time_us) return x->time_us < y->time_us ? -1 : 1;
    return (x->arrival > y->arrival) - (x->arrival < y->arrival);
}

static event_record record_at(int64_t time_us)
{
    return (event_record){.type = EVENT_VIEW,
                          .time_us = time_us,
                          .quantity = 1,
                          .paid_minor = MONEY_ABSENT,
                          .discount_minor = MONEY_ABSENT,
                          .coupon_minor = MONEY_ABSENT,
                          .rating = NAN,
                          .propensity = NAN};
}

/* --- packing -------------------------------------------------------------------------- */

static void packed_events_unpack_to_what_they_were(void **state)
{
    (void)state;
    unsigned char bytes[1024];
    random_stream r = random_begin(1, 1);
    for (unsigned bits = 0; bits < 1u << 13; bits++) {
        event_record e = record_at((int64_t)random_u64(&r));
        packed_numbers numbers = {random_u32(&r), random_u32(&r), bits & 1 ? 7 : 0,
                                  bits & 2 ? 8 : 0};
        if (bits & 4) e.quantity = random_unit(&r);
        if (bits & 8) e.paid_minor = (int64_t)random_u64(&r) | 1;
        if (bits & 16) e.discount_minor = random_u32(&r);
        if (bits & 32) e.coupon_minor = random_u32(&r);
        if (bits & 64) e.rating = 3;
        if (bits & 128) e.propensity = 0.25f;
        if (bits & 256) e.id = t("identity");
        if (bits & 512) e.order = t("o");
        if (bits & 1024) e.decision = t("dd");
        if (bits & 2048) e.attributes = t("{\"a\":1}");
        e.date_only = (bits & 4096) != 0;
        e.origin = random_u64(&r);
        size_t bound = event_packed_bound(&e);
        assert_true(bound <= sizeof bytes);
        memset(bytes, 0xEE, sizeof bytes);
        size_t size = event_pack(&e, &numbers, bits, 99, bytes);
        packed_head head;
        event_row row;
        event_unpack(bytes, &head, &row);
        assert_true(size <= bound && size % 4 == 0 && head.size == size);
        assert_int_equal(bytes[size], 0xEE);
        assert_int_equal(head.shopper, numbers.shopper);
        assert_true(head.arrival == bits && head.content == 99 &&
                    head.origin == e.origin);
        assert_true(row.time_us == e.time_us && row.quantity == e.quantity);
        assert_int_equal(row.product, numbers.product);
        assert_int_equal(row.promotion, numbers.promotion);
        assert_int_equal(row.campaign, numbers.campaign);
        assert_true(row.paid_minor == e.paid_minor);
        assert_true(row.discount_minor == e.discount_minor);
        assert_true(row.coupon_minor == e.coupon_minor);
        assert_int_equal(isnan(row.rating), isnan(e.rating));
        assert_int_equal(isnan(row.propensity), isnan(e.propensity));
        assert_int_equal(row.date_only, e.date_only);
        assert_true(text_equal(row.texts[EVENT_TEXT_ID], e.id));
        assert_true(text_equal(row.texts[EVENT_TEXT_ORDER], e.order));
        assert_true(text_equal(row.texts[EVENT_TEXT_DECISION], e.decision));
        assert_true(text_equal(row.texts[EVENT_TEXT_ATTRIBUTES], e.attributes));
    }
}

/* --- events --------------------------------------------------------------------------- */

/* How the events of one trial are spread. */
typedef struct spread {
    uint32_t shoppers;
    uint32_t times;
    uint64_t run_events; /* in each run */
    size_t merge_bytes;
} spread;

static pf_status sort_events(const spread *how, uint64_t seed, sorted_key *keys,
                             const char *folder, pf_error *err)
{
    random_stream r = random_begin(seed, 3);
    event_run run;
    spool sp;
    merge *m = NULL;
    pf_status status = PF_OK;
    event_run_init(&run, 1u << 20, EVENTS);
    spool_init(&sp, folder);
    for (uint64_t i = 0; i < EVENTS && status == PF_OK; i++) {
        packed_numbers who = {.shopper = random_below(&r, how->shoppers)};
        event_record e =
            record_at((int64_t)random_below(&r, how->times) - (int64_t)how->times / 2);
        e.id = i % 3 ? t("") : t("some text");
        keys[i] = (sorted_key){who.shopper, e.time_us, i};
        if (run.n == how->run_events) {
            status = event_run_sort(&run, err);
            if (status == PF_OK) status = event_run_spill(&run, &sp, err);
            event_run_clear(&run);
        }
        if (status == PF_OK) status = event_run_add(&run, &e, &who, i, i, err);
    }
    if (status == PF_OK) status = event_run_sort(&run, err);
    if (status == PF_OK)
        status = merge_open(&m, &packed_event_kind, &sp, event_run_next, &run,
                            how->merge_bytes, err);
    qsort(keys, EVENTS, sizeof *keys, compare_keys);
    for (uint64_t i = 0; i <= EVENTS && status == PF_OK; i++) {
        const void *record;
        packed_head head;
        event_row row;
        status = merge_next(m, &record, err);
        if (status != PF_OK) break;
        assert_int_equal(record == NULL, i == EVENTS);
        if (record == NULL) break;
        event_unpack(record, &head, &row);
        assert_int_equal(head.arrival, keys[i].arrival);
        assert_int_equal(head.shopper, keys[i].shopper);
    }
    merge_close(m);
    event_run_free(&run);
    spool_free(&sp);
    return status;
}

static const spread spreads[] = {
    {1, 1, EVENTS, 1 << 20}, {1, 1 << 20, EVENTS, 1 << 20}, {5, 40, 700, 1 << 20},
    {3000, 5, 500, 0},       {1u << 31, 1u << 30, 1000, 0}, {100000, 1000, 299, 1 << 16},
    {2, 3, 30, 0},
};

static void any_runs_come_out_sorted_and_stable(void **state)
{
    fixture *f = *state;
    static sorted_key keys[EVENTS];
    for (size_t i = 0; i < sizeof spreads / sizeof spreads[0]; i++)
        for (uint64_t seed = 0; seed < 3; seed++)
            must(sort_events(&spreads[i], seed, keys, f->folder, &f->err));
}

static void any_allocation_of_a_sort_may_fail(void **state)
{
    fixture *f = *state;
    static sorted_key keys[EVENTS];
    const spread how = {50, 50, 1000, 0};
    fault x = {0};
    while (fault_next(&x)) {
        pf_status status = sort_events(&how, 1, keys, f->folder, &f->err);
        if (fault_reached(&x))
            assert_int_equal(status, PF_NO_MEMORY);
        else
            assert_int_equal(status, PF_OK);
    }
    assert_true(x.n > 10);
}

static void a_run_is_full_by_number_or_by_bytes(void **state)
{
    fixture *f = *state;
    event_run run;
    const packed_numbers who = {.shopper = 1};
    event_record e = record_at(0);
    static const char wide[5000] = {'x'};
    event_run_init(&run, 1000, 4);
    e.attributes = (text){wide, sizeof wide};
    assert_false(event_run_is_full(&run, &e)); /* an empty run takes every event */
    must(event_run_add(&run, &e, &who, 0, 0, &f->err));
    e.attributes = t("");
    assert_true(event_run_is_full(&run, &e));
    event_run_clear(&run);
    for (int i = 0; i < 4; i++) {
        assert_false(event_run_is_full(&run, &e));
        must(event_run_add(&run, &e, &who, 0, 0, &f->err));
    }
    assert_true(event_run_is_full(&run, &e));
    event_run_free(&run);
}

/* --- ids ------------------------------------------------------------------------------ */

static int compare_entries(const void *a, const void *b)
{
    const id_entry *x = a, *y = b;
    int order = id_compare(&x->hash, &y->hash);
    if (order != 0) return order;
    return (x->arrival > y->arrival) - (x->arrival < y->arrival);
}

/* mask: which bits of the hashes vary; few make many equal ones. */
static void sort_ids(fixture *f, uint64_t mask_high, uint64_t mask_low, size_t run_ids)
{
    static id_entry entries[EVENTS];
    random_stream r = random_begin(mask_high, mask_low);
    id_run run;
    spool sp;
    merge *m;
    id_run_init(&run, EVENTS);
    spool_init(&sp, f->folder);
    for (uint64_t i = 0; i < EVENTS; i++) {
        entries[i] =
            (id_entry){{random_u64(&r) & mask_high, random_u64(&r) & mask_low}, i};
        if (run.n == run_ids) {
            must(id_run_sort(&run, &f->err));
            must(id_run_spill(&run, &sp, &f->err));
            id_run_clear(&run);
        }
        must(id_run_add(&run, entries[i].hash, i, &f->err));
    }
    must(id_run_sort(&run, &f->err));
    must(merge_open(&m, &id_entry_kind, &sp, id_run_next, &run, 1000, &f->err));
    qsort(entries, EVENTS, sizeof *entries, compare_entries);
    for (uint64_t i = 0; i < EVENTS; i++) {
        const void *record;
        id_entry got;
        must(merge_next(m, &record, &f->err));
        assert_non_null(record);
        memcpy(&got, record, sizeof got);
        assert_memory_equal(&got, &entries[i], sizeof got);
    }
    const void *end;
    must(merge_next(m, &end, &f->err));
    assert_null(end);
    must(merge_next(m, &end, &f->err));
    assert_null(end);
    merge_close(m);
    id_run_free(&run);
    spool_free(&sp);
}

static void ids_of_any_spread_come_out_sorted(void **state)
{
    fixture *f = *state;
    sort_ids(f, UINT64_MAX, UINT64_MAX, EVENTS);
    sort_ids(f, UINT64_MAX, UINT64_MAX, 400);
    sort_ids(f, 0xFF, 0xFF00000000, EVENTS);
    sort_ids(f, 0, 0, EVENTS);          /* all equal */
    sort_ids(f, 0, 0xFFFFFFFF, 500);    /* equal ids, other contents */
    sort_ids(f, 0, UINT64_MAX, EVENTS); /* alike in 64 bits */
    sort_ids(f, UINT64_C(1) << 63, 0, 7);
}

/* --- the spool ------------------------------------------------------------------------ */

static void a_spool_that_cannot_be_made_says_where(void **state)
{
    fixture *f = *state;
    spool sp;
    spool_init(&sp, "/nowhere/at/all");
    assert_int_equal(spool_begin_run(&sp, &f->err), PF_IO);
    assert_non_null(strstr(f->err.message, "/nowhere/at/all"));
    spool_free(&sp);
}

static void a_spool_reads_what_was_written_anywhere(void **state)
{
    fixture *f = *state;
    enum { WORDS = 700000 }; /* more than two blocks */
    static uint32_t words[1000];
    random_stream r = random_begin(8, 8);
    spool sp;
    spool_init(&sp, f->folder);
    must(spool_begin_run(&sp, &f->err));
    for (uint32_t i = 0; i < WORDS; i += 1000) {
        for (uint32_t k = 0; k < 1000; k++)
            words[k] = i + k;
        must(spool_write(&sp, words, sizeof words, &f->err));
    }
    must(spool_end_run(&sp, &f->err));
    assert_int_equal(sp.n_runs, 1);
    assert_int_equal(sp.runs[0].bytes, WORDS * 4);
    for (int i = 0; i < 200; i++) {
        uint32_t at = random_below(&r, WORDS), n = 1 + random_below(&r, 1000);
        if (n > WORDS - at) n = WORDS - at;
        must(spool_read(&sp, at * 4, words, n * 4, &f->err));
        for (uint32_t k = 0; k < n; k++)
            assert_int_equal(words[k], at + k);
    }
    assert_int_equal(spool_read(&sp, WORDS * 4 - 4, words, 8, &f->err), PF_IO);
    spool_free(&sp);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(packed_events_unpack_to_what_they_were),
        TEST(any_runs_come_out_sorted_and_stable),
        TEST(any_allocation_of_a_sort_may_fail),
        TEST(a_run_is_full_by_number_or_by_bytes),
        TEST(ids_of_any_spread_come_out_sorted),
        TEST(a_spool_that_cannot_be_made_says_where),
        TEST(a_spool_reads_what_was_written_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
