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

static sequence_events_owned *read_few(shop_history **h)
{
    sequence_events_owned *t = NULL;
    assert_int_equal(history_from_rows(h, few, n_few, 3, NULL), PF_OK);
    assert_int_equal(trips_new(&t, *h, tree, NULL), PF_OK);
    n_few = 0;
    return t;
}

static void assert_event(const sequence_events_owned *t, uint64_t i, uint8_t kind,
                         uint32_t thing)
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
    sequence_events_owned *t = read_few(&h);
    assert_int_equal(t->view.n, 4);
    assert_int_equal(t->first[2], 0);
    assert_int_equal(t->first[3], 4);
    assert_event(t, 0, TRIP_BEGINS, SEQUENCE_NOTHING);
    assert_event(t, 1, TRIP_LINE, family(1));
    assert_event(t, 2, TRIP_BEGINS, SEQUENCE_NOTHING);
    assert_event(t, 3, TRIP_COUPON_LINE, family(31));
    sequence_events_free(t);
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
    sequence_events_owned *t = read_few(&h);
    assert_int_equal(t->view.n, 4);
    assert_event(t, 0, TRIP_SHOWN, SEQUENCE_NOTHING);
    assert_event(t, 1, TRIP_BEGINS, SEQUENCE_NOTHING);
    assert_event(t, 2, TRIP_LINE, family(5));
    assert_event(t, 3, TRIP_USED, trips_used(&t->view));
    assert_int_equal(trips_used(&t->view), tree->nodes[LEVEL_FAMILY]);
    sequence_events_free(t);
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
    sequence_events_owned *t = read_few(&h);
    const uint8_t kinds[] = {TRIP_BEGINS, TRIP_LINE, TRIP_LINE, TRIP_BEGINS,
                             TRIP_LINE, TRIP_BEGINS, TRIP_LINE};
    assert_int_equal(t->view.n, sizeof kinds);
    assert_memory_equal(t->kind, kinds, sizeof kinds);
    sequence_events_free(t);
    history_free(h);
}

static void anonymous_purchases_are_nobody_s(void **state)
{
    (void)state;
    shop_history *h = NULL;
    row(EVENT_PURCHASE, 0, 1, 5, 9);
    sequence_events_owned *t = read_few(&h);
    assert_int_equal(t->view.n, 0);
    sequence_events_free(t);
    history_free(h);
}

/* --- the coupon shop -------------------------------------------------------------- */

static void lines_do_not_stand_in_the_order_of_the_file(void **state)
{
    (void)state;
    sequence_events_owned *t = NULL;
    uint64_t rising = 0, pairs = 0;
    assert_int_equal(trips_new(&t, shop.h, tree, NULL), PF_OK);
    for (uint64_t i = 1; i < t->view.n; i++)
        if (t->kind[i] == TRIP_LINE && t->kind[i - 1] == TRIP_LINE) {
            pairs++;
            rising += t->thing[i] > t->thing[i - 1];
        }
    assert_true(pairs > 1000);
    assert_true(rising * 100 > pairs * 45 && rising * 100 < pairs * 55);
    sequence_events_free(t);
}

static void events_are_sound_for_a_network(void **state)
{
    (void)state;
    sequence_events_owned *t = NULL;
    pf_error err = {0};
    assert_int_equal(trips_new(&t, shop.h, tree, NULL), PF_OK);
    if (sequence_events_check(&t->view, &err) != PF_OK)
        fail_msg("%s", err.message);
    sequence_events_free(t);
}

static void the_part_before_a_moment_is_a_copy_of_what_stands_before(void **state)
{
    (void)state;
    sequence_events_owned *t = NULL, *known = NULL;
    int64_t at_us = coupon_start_us(3);
    assert_int_equal(trips_new(&t, shop.h, tree, NULL), PF_OK);
    assert_int_equal(sequence_events_cut(&t->view, NULL, at_us, &known, NULL), PF_OK);
    for (uint32_t u = 0; u < t->view.n_shoppers; u++) {
        uint64_t n = trips_before(&t->view, u, at_us) - t->first[u];
        assert_int_equal(known->first[u + 1] - known->first[u], n);
        for (uint64_t i = 0; i < n; i++) {
            assert_int_equal(known->thing[known->first[u] + i], t->thing[t->first[u] + i]);
            assert_true(known->time_us[known->first[u] + i] < at_us);
        }
        assert_true(t->first[u] + n == t->first[u + 1] ||
                    t->time_us[t->first[u] + n] >= at_us);
    }
    sequence_events_free(known);
    sequence_events_free(t);
}

static void assert_same_trips(const sequence_events *a, const sequence_events *b)
{
    assert_int_equal(a->n, b->n);
    assert_memory_equal(a->first, b->first, (a->n_shoppers + 1) * sizeof *a->first);
    assert_memory_equal(a->thing, b->thing, a->n * sizeof *a->thing);
    assert_memory_equal(a->kind, b->kind, a->n);
    assert_memory_equal(a->time_us, b->time_us, a->n * sizeof *a->time_us);
}

static sequence_events_owned *read_until(int64_t at_us)
{
    sequence_events_owned *t = NULL, *known = NULL;
    assert_int_equal(trips_new(&t, shop.h, tree, NULL), PF_OK);
    assert_int_equal(sequence_events_cut(&t->view, NULL, at_us, &known, NULL), PF_OK);
    sequence_events_free(t);
    return known;
}

static void nothing_later_changes_what_stands_before(void **state)
{
    (void)state;
    int64_t at_us = coupon_start_us(3);
    sequence_events_owned *before = read_until(at_us);
    for (uint64_t i = 0; i < shop.n_rows; i++)
        if (shop.rows[i].time_us >= at_us && shop.rows[i].type == EVENT_PURCHASE) {
            shop.rows[i].product = 1 + (uint32_t)i % COUPON_PRODUCTS;
            shop.rows[i].order = 1 + i % 40; /* orders of the past, too */
        }
    for (uint32_t who = 1; who < 60; who++)
        coupon_shop_add(&shop, EVENT_PURCHASE, who, at_us)->product = 3;
    coupon_shop_remake(&shop);
    sequence_events_owned *after = read_until(at_us);
    assert_same_trips(&before->view, &after->view);
    coupon_shop_add(&shop, EVENT_PURCHASE, 9, at_us - 1)->product = 3;
    coupon_shop_remake(&shop);
    sequence_events_owned *other = read_until(at_us); /* a change before is seen */
    assert_int_equal(other->view.n, before->view.n + 2);
    sequence_events_free(before);
    sequence_events_free(after);
    sequence_events_free(other);
    (void)unmake(NULL);
    (void)make(NULL);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    fault f = {0};
    while (fault_next(&f)) {
        sequence_events_owned *t = NULL, *known = NULL;
        pf_status s = trips_new(&t, shop.h, tree, NULL);
        if (s == PF_OK)
            s = sequence_events_cut(&t->view, NULL, coupon_start_us(2), &known, NULL);
        if (fault_reached(&f)) {
            assert_int_equal(s, PF_NO_MEMORY);
            assert_null(known);
        }
        sequence_events_free(t);
        sequence_events_free(known);
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
