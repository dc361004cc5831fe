/*
 * Events with memory of their own: a part of them holds exactly what stands before each
 * shopper's place, column by column, and nothing that comes later.
 */
#include "check.h"

#include <string.h>

#include "base/random.h"
#include "sequence/events_owned.h"

enum { U = 9, MOST = 12, V = 5, P = 2, LAST_US = 20 };

/* Shopper 0 has no events; times of the others repeat, so that a moment cuts between equals. */
static sequence_events_owned *make(uint64_t seed, bool bands)
{
    random_stream r = random_begin(seed, 1);
    sequence_events_owned *e = sequence_events_new(U, U * MOST, bands);
    assert_non_null(e);
    assert_int_equal(e->band != NULL, bands);
    uint64_t n = 0;
    for (uint32_t u = 0; u < U; u++) {
        const uint32_t own = u > 0 ? random_below(&r, MOST + 1) : 0;
        int64_t now_us = 0;
        for (uint32_t i = 0; i < own; i++, n++) {
            now_us += (int64_t)random_below(&r, 3);
            e->taken[n] = random_below(&r, 2) == 0;
            e->thing[n] = random_below(&r, e->taken[n] ? V : V + P);
            e->kind[n] = (uint8_t)random_below(&r, SEQUENCE_KINDS);
            if (bands) e->band[n] = (uint8_t)random_below(&r, SEQUENCE_BANDS);
            e->time_us[n] = now_us;
        }
        e->first[u + 1] = n;
    }
    e->view.n = n;
    e->view.n_products = V;
    e->view.n_promotions = P;
    assert_int_equal(sequence_events_check(&e->view, NULL), PF_OK);
    return e;
}

/* Whether event i of shopper u stands in the part, by its definition. */
static bool belongs(const sequence_events *e, uint32_t u, uint64_t i, uint64_t taken,
                    int64_t until_us)
{
    uint64_t took = 0;
    for (uint64_t k = e->first[u]; k <= i; k++)
        took += e->taken[k];
    return took <= taken && e->time_us[i] < until_us;
}

static void check_part(const sequence_events *all, const uint64_t *taken, int64_t until_us)
{
    sequence_events_owned *part = NULL;
    assert_int_equal(sequence_events_cut(all, taken, until_us, &part, NULL), PF_OK);
    const sequence_events *e = &part->view;
    uint64_t at = 0;
    for (uint32_t u = 0; u < U; u++) {
        assert_int_equal(e->first[u], at);
        for (uint64_t i = all->first[u]; i < all->first[u + 1]; i++) {
            if (!belongs(all, u, i, taken ? taken[u] : MOST, until_us)) continue;
            assert_true(at < e->n);
            assert_int_equal(e->thing[at], all->thing[i]);
            assert_int_equal(e->kind[at], all->kind[i]);
            if (all->band != NULL) assert_int_equal(e->band[at], all->band[i]);
            assert_int_equal(e->time_us[at], all->time_us[i]);
            assert_int_equal(e->taken[at++], all->taken[i]);
        }
    }
    assert_int_equal(e->n, at);
    assert_int_equal(e->band != NULL, all->band != NULL);
    assert_int_equal(e->n_products, V);
    assert_int_equal(e->n_promotions, P);
    assert_int_equal(sequence_events_check(e, NULL), PF_OK);
    sequence_events_free(part);
}

static void a_part_is_what_stands_before_each_place(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        sequence_events_owned *all = make(seed, seed % 2 == 0);
        uint64_t taken[U];
        for (uint32_t u = 0; u < U; u++)
            taken[u] = (seed + u) % 5;
        for (int64_t until_us = 0; until_us <= LAST_US; until_us++) {
            check_part(&all->view, taken, until_us);
            check_part(&all->view, NULL, until_us);
        }
        check_part(&all->view, taken, INT64_MAX);
        check_part(&all->view, NULL, INT64_MAX);
        sequence_events_free(all);
    }
}

static void a_place_is_before_the_purchase_that_is_one_too_many(void **state)
{
    (void)state;
    sequence_events_owned *e = sequence_events_new(1, 4, false);
    const bool taken[] = {false, true, false, true};
    const int64_t time_us[] = {1, 2, 3, 4};
    assert_non_null(e);
    memcpy(e->taken, taken, sizeof taken);
    memcpy(e->time_us, time_us, sizeof time_us);
    e->first[1] = 4;
    assert_int_equal(sequence_events_end(&e->view, 0, 0, INT64_MAX), 1);
    assert_int_equal(sequence_events_end(&e->view, 0, 1, INT64_MAX), 3);
    assert_int_equal(sequence_events_end(&e->view, 0, 2, INT64_MAX), 4);
    assert_int_equal(sequence_events_end(&e->view, 0, 1, 2), 1);
    assert_int_equal(sequence_events_end(&e->view, 0, UINT64_MAX, 4), 3);
    assert_int_equal(sequence_events_end(&e->view, 0, UINT64_MAX, INT64_MIN), 0);
    sequence_events_free(e);
    sequence_events_free(NULL);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    sequence_events_owned *all = make(3, true);
    fault f = {0};
    while (fault_next(&f)) {
        sequence_events_owned *part = NULL;
        pf_status s = sequence_events_cut(&all->view, NULL, LAST_US, &part, NULL);
        if (fault_reached(&f)) {
            assert_int_equal(s, PF_NO_MEMORY);
            assert_null(part);
        }
        sequence_events_free(part);
    }
    assert_int_equal(f.n, 8); /* the struct and six columns, then none */
    sequence_events_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_is_what_stands_before_each_place),
        cmocka_unit_test(a_place_is_before_the_purchase_that_is_one_too_many),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
