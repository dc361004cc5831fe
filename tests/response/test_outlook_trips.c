/* Trips as a network reads them: what stands where, and that the past is a prefix. */
#include "check.h"

#include <string.h>

#include "fixtures/coupon_shop.h"
#include "response/outlook_trips.h"
#include "sequence/events.h"

static coupon_shop shop;
static product_tree *tree;

static int make(void **state)
{
    (void)state;
    coupon_shop_make(&shop);
    assert_int_equal(product_tree_new(&shop.c, &tree, NULL), PF_OK);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    product_tree_free(tree);
    coupon_shop_free(&shop);
    return 0;
}

static uint32_t family(uint32_t number)
{
    return tree->node[LEVEL_FAMILY][number];
}

/* --- a few rows of our own -------------------------------------------------------- */

enum { NOON = 12, ROWS_MAX = 64 };
static history_row few[ROWS_MAX];
static uint64_t n_few;

static history_row *row(event_type type, uint32_t who, int day, uint32_t number,
                        uint64_t order)
{
    assert_true(n_few < ROWS_MAX);
    few[n_few] = (history_row){.type = (uint8_t)type, .shopper = who, .product = number,
                               .order = order, .time_us = COUPON_BEGIN_US + day * US_PER_DAY,
                               .paid_minor = 100, .coupon_minor = 0};
    return &few[n_few++];
}

static trips read_few(shop_history **h)
{
    trips t;
    assert_int_equal(history_from_rows(h, few, n_few, 3, NULL), PF_OK);
    assert_int_equal(trips_new(&t, *h, tree, NULL), PF_OK);
    n_few = 0;
    return t;
}

static void assert_event(const trips *t, uint64_t i, uint8_t kind, uint32_t thing)
{
    assert_int_equal(t->kind[i], kind);
    assert_int_equal(t->thing[i], thing);
    assert_int_equal(t->taken[i], thing != SEQUENCE_NOTHING);
}

static void a_trip_begins_and_names_each_family_once(void **state)
{
    (void)state;
    shop_history *h = NULL;
    row(EVENT_PURCHASE, 2, 1, 1, 7);
    row(EVENT_PURCHASE, 2, 1, 2, 7); /* of the same category and maker */
    row(EVENT_PURCHASE, 2, 1, 1, 7);
    row(EVENT_PURCHASE, 2, 9, 31, 8)->coupon_minor = 20;
    assert_int_equal(family(1), family(2));
    trips t = read_few(&h);
    assert_int_equal(t.n, 4);
    assert_int_equal(t.first[2], 0);
    assert_int_equal(t.first[3], 4);
    assert_event(&t, 0, TRIP_BEGINS, SEQUENCE_NOTHING);
    assert_event(&t, 1, TRIP_LINE, family(1));
    assert_event(&t, 2, TRIP_BEGINS, SEQUENCE_NOTHING);
    assert_event(&t, 3, TRIP_COUPON_LINE, family(31));
    trips_free(&t);
    history_free(h);
}

static void promotions_shown_and_used_are_events(void **state)
{
    (void)state;
    shop_history *h = NULL;
    row(EVENT_EXPOSURE, 1, 1, 0, 0);
    row(EVENT_EXPOSURE, 1, 1, 0, 0); /* a second promotion of the same letter */
    row(EVENT_REDEMPTION, 1, 3, 0, 0);
    row(EVENT_PURCHASE, 1, 3, 5, 1);
    row(EVENT_RETURN, 1, 4, 5, 1);
    row(EVENT_VIEW, 1, 5, 5, 0);
    trips t = read_few(&h);
    assert_int_equal(t.n, 4);
    assert_event(&t, 0, TRIP_SHOWN, SEQUENCE_NOTHING);
    assert_event(&t, 1, TRIP_BEGINS, SEQUENCE_NOTHING);
    assert_event(&t, 2, TRIP_LINE, family(5));
    assert_event(&t, 3, TRIP_USED, t.used);
    assert_int_equal(t.used, t.n_things - 1);
    trips_free(&t);
    history_free(h);
}

static void an_order_whose_lines_have_times_of_their_own_is_one_trip(void **state)
{
    (void)state;
    shop_history *h = NULL;
    row(EVENT_PURCHASE, 1, 1, 5, 9);
    row(EVENT_PURCHASE, 1, 2, 31, 9);
    row(EVENT_PURCHASE, 1, 3, 5, 0); /* no order is known: trips of their own */
    row(EVENT_PURCHASE, 1, 4, 5, 0);
    trips t = read_few(&h);
    const uint8_t kinds[] = {TRIP_BEGINS, TRIP_LINE, TRIP_LINE, TRIP_BEGINS,
                             TRIP_LINE, TRIP_BEGINS, TRIP_LINE};
    assert_int_equal(t.n, sizeof kinds);
    assert_memory_equal(t.kind, kinds, sizeof kinds);
    trips_free(&t);
    history_free(h);
}

static void anonymous_purchases_are_nobody_s(void **state)
{
    (void)state;
    shop_history *h = NULL;
    row(EVENT_PURCHASE, 0, 1, 5, 9);
    trips t = read_few(&h);
    assert_int_equal(t.n, 0);
    trips_free(&t);
    history_free(h);
}

/* --- the coupon shop -------------------------------------------------------------- */

static void lines_do_not_stand_in_the_order_of_the_file(void **state)
{
    (void)state;
    trips t;
    uint64_t rising = 0, pairs = 0;
    assert_int_equal(trips_new(&t, shop.h, tree, NULL), PF_OK);
    for (uint64_t i = 1; i < t.n; i++)
        if (t.kind[i] == TRIP_LINE && t.kind[i - 1] == TRIP_LINE) {
            pairs++;
            rising += t.thing[i] > t.thing[i - 1];
        }
    assert_true(pairs > 1000);
    assert_true(rising * 100 > pairs * 45 && rising * 100 < pairs * 55);
    trips_free(&t);
}

static void events_are_sound_for_a_network(void **state)
{
    (void)state;
    trips t;
    pf_error err = {0};
    assert_int_equal(trips_new(&t, shop.h, tree, NULL), PF_OK);
    const sequence_events e = {.n_shoppers = t.n_shoppers, .n_products = t.n_things, .n = t.n,
                               .first = t.first, .thing = t.thing, .kind = t.kind,
                               .time_us = t.time_us, .taken = t.taken};
    if (sequence_events_check(&e, &err) != PF_OK)
        fail_msg("%s", err.message);
    trips_free(&t);
}

static void the_part_before_a_moment_is_a_copy_of_what_stands_before(void **state)
{
    (void)state;
    trips t, known;
    int64_t at_us = coupon_start_us(3);
    assert_int_equal(trips_new(&t, shop.h, tree, NULL), PF_OK);
    assert_int_equal(trips_until(&known, &t, at_us, NULL), PF_OK);
    for (uint32_t u = 0; u < t.n_shoppers; u++) {
        uint64_t n = trips_before(&t, u, at_us) - t.first[u];
        assert_int_equal(known.first[u + 1] - known.first[u], n);
        for (uint64_t i = 0; i < n; i++) {
            assert_int_equal(known.thing[known.first[u] + i], t.thing[t.first[u] + i]);
            assert_true(known.time_us[known.first[u] + i] < at_us);
        }
        assert_true(t.first[u] + n == t.first[u + 1] ||
                    t.time_us[t.first[u] + n] >= at_us);
    }
    trips_free(&known);
    trips_free(&t);
}

static void assert_same_trips(const trips *a, const trips *b)
{
    assert_int_equal(a->n, b->n);
    assert_memory_equal(a->first, b->first, (a->n_shoppers + 1) * sizeof *a->first);
    assert_memory_equal(a->thing, b->thing, a->n * sizeof *a->thing);
    assert_memory_equal(a->kind, b->kind, a->n);
    assert_memory_equal(a->time_us, b->time_us, a->n * sizeof *a->time_us);
}

static void read_until(trips *known, int64_t at_us)
{
    trips t;
    assert_int_equal(trips_new(&t, shop.h, tree, NULL), PF_OK);
    assert_int_equal(trips_until(known, &t, at_us, NULL), PF_OK);
    trips_free(&t);
}

static void nothing_later_changes_what_stands_before(void **state)
{
    (void)state;
    trips before, after, other;
    int64_t at_us = coupon_start_us(3);
    read_until(&before, at_us);
    for (uint64_t i = 0; i < shop.n_rows; i++)
        if (shop.rows[i].time_us >= at_us && shop.rows[i].type == EVENT_PURCHASE) {
            shop.rows[i].product = 1 + (uint32_t)i % COUPON_PRODUCTS;
            shop.rows[i].order = 1 + i % 40; /* orders of the past, too */
        }
    for (uint32_t who = 1; who < 60; who++)
        coupon_shop_add(&shop, EVENT_PURCHASE, who, at_us)->product = 3;
    coupon_shop_remake(&shop);
    read_until(&after, at_us);
    assert_same_trips(&before, &after);
    coupon_shop_add(&shop, EVENT_PURCHASE, 9, at_us - 1)->product = 3;
    coupon_shop_remake(&shop);
    read_until(&other, at_us); /* a change before is seen */
    assert_int_equal(other.n, before.n + 2);
    trips_free(&before);
    trips_free(&after);
    trips_free(&other);
    (void)unmake(NULL);
    (void)make(NULL);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    fault f = {0};
    while (fault_next(&f)) {
        trips t = {.n = 0}, known = {.n = 0};
        pf_status s = trips_new(&t, shop.h, tree, NULL);
        if (s == PF_OK)
            s = trips_until(&known, &t, coupon_start_us(2), NULL);
        if (fault_reached(&f)) {
            assert_int_equal(s, PF_NO_MEMORY);
            assert_null(known.first);
        }
        trips_free(&t);
        trips_free(&known);
    }
    assert_true(f.n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trip_begins_and_names_each_family_once),
        cmocka_unit_test(promotions_shown_and_used_are_events),
        cmocka_unit_test(an_order_whose_lines_have_times_of_their_own_is_one_trip),
        cmocka_unit_test(anonymous_purchases_are_nobody_s),
        cmocka_unit_test(lines_do_not_stand_in_the_order_of_the_file),
        cmocka_unit_test(events_are_sound_for_a_network),
        cmocka_unit_test(the_part_before_a_moment_is_a_copy_of_what_stands_before),
        cmocka_unit_test(nothing_later_changes_what_stands_before),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
