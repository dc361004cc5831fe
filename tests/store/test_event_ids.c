/*
 * store/event_ids.h: which ids are new, against a sorted list, for any number of batches
 * of any size; leaves keep their order and their size.
 */
#include "store/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "store/event_ids.h"

enum { IDS = 30000 };

/* Hashes in a list, for the merge to read. */
typedef struct listed {
    const id_entry *entries;
    size_t n, i;
} listed;

static const void *next_listed(void *context)
{
    listed *l = context;
    return l->i < l->n ? &l->entries[l->i++] : NULL;
}

static int compare_entries(const void *a, const void *b)
{
    const id_entry *x = a, *y = b;
    int order = id_compare(&x->hash, &y->hash);
    if (order != 0) return order;
    return (x->arrival > y->arrival) - (x->arrival < y->arrival);
}

/* Gives a batch to the store, sorted; the entries' arrivals are 0 .. n - 1. */
static pf_status give(fixture *f, id_entry *entries, size_t n, verdicts *v)
{
    spool none;
    merge *m;
    listed l = {entries, n, 0};
    qsort(entries, n, sizeof *entries, compare_entries);
    spool_init(&none, f->folder);
    must(verdicts_init(v, n, &f->err));
    must(merge_open(&m, &id_entry_kind, &none, next_listed, &l, 0, &f->err));
    pf_status status = event_ids_merge(f->s, m, v, &f->err);
    merge_close(m);
    return status;
}

static int compare_hashes(const void *a, const void *b)
{
    return id_compare(a, b);
}

/* The naive twin: a sorted array. Returns the place of the id, or NULL. */
static id_hash *find(id_hash *known, size_t n, const id_hash *h)
{
    return bsearch(h, known, n, sizeof *h, compare_hashes);
}

static void check_leaves(fixture *f, size_t n)
{
    assert_int_equal(fixture_sql_number(f,
                                        "SELECT coalesce(sum((length(data) - 8) / 16), 0)"
                                        " FROM event_ids"),
                     n);
    assert_true(fixture_sql_number(f, "SELECT coalesce(max(length(data)), 0)"
                                      " FROM event_ids") <= 8 + 16 * LEAF_IDS);
    if (n > 0)
        assert_int_equal(fixture_sql_number(f, "SELECT min(first) FROM event_ids"), 0);
}

/* Hashes from a small set, so that repeats are common; content in the low half. */
static id_hash draw(random_stream *r, uint32_t set, uint64_t mask)
{
    random_stream of_id = random_begin(77, random_below(r, set));
    uint64_t high = random_u64(&of_id) & mask, low = random_u64(&of_id);
    return (id_hash){high, low >> 32 << 32 | random_below(r, 2)};
}

static void batches(fixture *f, uint32_t set, uint64_t mask, uint32_t largest_batch)
{
    static id_hash known[IDS];
    static id_entry batch[IDS];
    random_stream r = random_begin(set, largest_batch);
    size_t n_known = 0, given = 0;
    while (given < IDS) {
        uint32_t n = 1 + random_below(&r, largest_batch);
        if (n > IDS - given) n = (uint32_t)(IDS - given);
        for (uint32_t i = 0; i < n; i++)
            batch[i] = (id_entry){draw(&r, set, mask), i};
        verdicts v;
        must(store_begin(f->s, &f->err));
        must(give(f, batch, n, &v));
        must(store_commit(f->s, &f->err));
        size_t before = n_known;
        for (uint32_t i = 0; i < n;
             i++) { /* the batch is sorted now, by id and arrival */
            id_hash *there = find(known, before, &batch[i].hash);
            if (there == NULL && n_known > before &&
                id_compare(&known[n_known - 1], &batch[i].hash) == 0)
                there = &known[n_known - 1];
            assert_int_equal(verdicts_dropped(&v, batch[i].arrival), there != NULL);
            if (there != NULL)
                assert_int_equal(verdicts_conflict(&v, batch[i].arrival),
                                 (uint32_t)there->low != (uint32_t)batch[i].hash.low);
            else
                known[n_known++] = batch[i].hash;
        }
        qsort(known, n_known, sizeof *known, compare_hashes);
        verdicts_free(&v);
        given += n;
    }
    check_leaves(f, n_known);
}

static void one_large_batch_is_told_right(void **state)
{
    batches(*state, 20000, UINT64_MAX, IDS);
}

static void batches_of_any_size_are_told_right(void **state)
{
    fixture *f = *state;
    static const uint32_t sizes[] = {200, 3000, 11000};
    for (int i = 0; i < 3; i++) {
        fixture_renew(f);
        batches(f, 9000 + 9000 * (uint32_t)i, UINT64_MAX, sizes[i]);
    }
}

/* Hashes that crowd into a part of the range, and ones that share their key's 63 bits. */
static void crowded_hashes_are_told_right(void **state)
{
    fixture *f = *state;
    batches(f, 20000, 0xFFFFF, 2000);
    fixture_renew(f);
    batches(f, 20000, UINT64_C(0xF) << 60 | 0xFF, 5000);
}

static void a_full_leaf_is_split_and_a_small_batch_touches_few(void **state)
{
    fixture *f = *state;
    static id_entry batch[IDS];
    random_stream r = random_begin(1, 1);
    verdicts v;
    for (uint32_t i = 0; i < IDS; i++)
        batch[i] = (id_entry){{random_u64(&r), random_u64(&r)}, i};
    must(store_begin(f->s, &f->err));
    must(give(f, batch, IDS, &v));
    must(store_commit(f->s, &f->err));
    verdicts_free(&v);
    int64_t leaves = fixture_sql_number(f, "SELECT count(*) FROM event_ids");
    assert_in_range(leaves, IDS / LEAF_IDS, IDS / LEAF_IDS + 2); /* packed full */
    fixture_sql(f, "CREATE TABLE before AS SELECT first, data FROM event_ids");
    for (uint32_t i = 0; i < 10; i++)
        batch[i] = (id_entry){{random_u64(&r), random_u64(&r)}, i};
    must(store_begin(f->s, &f->err));
    must(give(f, batch, 10, &v));
    must(store_commit(f->s, &f->err));
    verdicts_free(&v);
    assert_in_range(fixture_sql_number(f, "SELECT count(*) FROM before b JOIN event_ids e"
                                          " ON b.first = e.first WHERE b.data <> e.data"),
                    1, 10);
    check_leaves(f, IDS + 10);
}

static void a_damaged_leaf_is_noticed(void **state)
{
    fixture *f = *state;
    static const char *const damages[] = {
        "UPDATE event_ids SET data = x'00'",
        "UPDATE event_ids SET data = substr(data, 1, 25)",
        "UPDATE event_ids SET data = substr(data, 1, 8) || substr(data, 25)",
        "UPDATE event_ids SET data = zeroblob(8 + 16 * 300)",
        "UPDATE event_ids SET data = x'00' || substr(data, 2)",
    };
    for (size_t d = 0; d < sizeof damages / sizeof damages[0]; d++) {
        id_entry batch[20];
        random_stream r = random_begin(2, d);
        verdicts v;
        fixture_renew(f);
        for (uint32_t i = 0; i < 20; i++)
            batch[i] = (id_entry){{random_u64(&r), random_u64(&r)}, i};
        must(store_begin(f->s, &f->err));
        must(give(f, batch, 20, &v));
        must(store_commit(f->s, &f->err));
        verdicts_free(&v);
        fixture_sql(f, damages[d]);
        must(store_begin(f->s, &f->err));
        assert_int_equal(give(f, batch, 20, &v), PF_DATA);
        assert_non_null(strstr(f->err.message, "damaged"));
        verdicts_free(&v);
        store_rollback(f->s);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(one_large_batch_is_told_right),
        TEST(batches_of_any_size_are_told_right),
        TEST(crowded_hashes_are_told_right),
        TEST(a_full_leaf_is_split_and_a_small_batch_touches_few),
        TEST(a_damaged_leaf_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
