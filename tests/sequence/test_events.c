/* Events: what is refused, gaps between them, and a fingerprint that sees every part. */
#include "check.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "sequence/events.h"

enum { U = 3, N = 6 };

/* A small shop that tests change one thing of. Product 2 and promotion 3 exist. */
typedef struct shop {
    uint64_t first[U + 1];
    uint32_t thing[N];
    uint8_t kind[N], band[N];
    int64_t time_us[N];
    bool taken[N];
    sequence_events e;
} shop;

static void make(shop *s)
{
    *s = (shop){.first = {0, 3, 3, 6},
                .thing = {0, 3, 2, 1, SEQUENCE_NOTHING, 1},
                .kind = {0, 1, 15, 0, 2, 0},
                .band = {0, 15, 3, 0, 0, 1},
                .time_us = {10, 10, 20, 5, 6, 7},
                .taken = {true, false, true, true, false, false}};
    s->e = (sequence_events){.n_shoppers = U,
                             .n_products = 3,
                             .n_promotions = 1,
                             .n = N,
                             .first = s->first,
                             .thing = s->thing,
                             .kind = s->kind,
                             .band = s->band,
                             .time_us = s->time_us,
                             .taken = s->taken};
}

static void assert_refused(const shop *s, const char *words)
{
    pf_error err = {0};
    assert_int_equal(sequence_events_check(&s->e, &err), PF_DATA);
    if (strstr(err.message, words) == NULL) fail_msg("'%s' lacks '%s'", err.message, words);
}

static void test_good_events_pass_with_and_without_each_part(void **state)
{
    (void)state;
    shop s;
    make(&s);
    assert_int_equal(sequence_events_check(&s.e, NULL), PF_OK);
    s.e.kind = s.e.band = NULL;
    s.e.time_us = NULL;
    assert_int_equal(sequence_events_check(&s.e, NULL), PF_OK);
    s.e.n_shoppers = 0;
    s.e.n = 0;
    assert_int_equal(sequence_events_check(&s.e, NULL), PF_OK);
}

static void test_events_that_take_no_product_are_refused(void **state)
{
    (void)state;
    shop s;
    make(&s);
    s.e.taken = NULL; /* now all took what they name: a promotion cannot be taken */
    assert_refused(&s, "event 1 of shopper 0 took something that is no product");
    make(&s);
    s.taken[4] = true;
    assert_refused(&s, "event 1 of shopper 2 took something that is no product");
}

static void test_things_out_of_range_are_refused(void **state)
{
    (void)state;
    shop s;
    make(&s);
    s.thing[1] = 4;
    assert_refused(&s, "event 1 of shopper 0 names a thing beyond");
    s.thing[1] = SEQUENCE_MASK;
    assert_refused(&s, "names a thing beyond");
}

static void test_kinds_bands_and_times_are_held_to_their_ranges(void **state)
{
    (void)state;
    shop s;
    make(&s);
    s.kind[5] = SEQUENCE_KINDS;
    assert_refused(&s, "event 2 of shopper 2 is of an unknown kind");
    make(&s);
    s.band[0] = SEQUENCE_BANDS;
    assert_refused(&s, "has an unknown price band");
    make(&s);
    s.time_us[2] = 9;
    assert_refused(&s, "event 2 of shopper 0 lies before");
    make(&s);
    s.time_us[3] = -100; /* another shopper's clock does not matter */
    assert_int_equal(sequence_events_check(&s.e, NULL), PF_OK);
}

static void test_bounds_of_shoppers_are_checked_before_they_are_used(void **state)
{
    (void)state;
    shop s;
    make(&s);
    s.first[3] = 7;
    assert_refused(&s, "do not begin at 0 and end at 6");
    make(&s);
    s.first[0] = 1;
    assert_refused(&s, "do not begin at 0");
    make(&s);
    s.first[1] = 4;
    assert_refused(&s, "shopper 1 end before they begin");
    make(&s);
    s.e.n_products = LIMIT_PRODUCTS + 1;
    assert_int_equal(sequence_events_check(&s.e, NULL), PF_LIMIT);
}

static void test_gaps_double_from_a_second_on(void **state)
{
    (void)state;
    assert_int_equal(sequence_gap_class(5, 5), 0);
    assert_int_equal(sequence_gap_class(5, 4), 0);
    assert_int_equal(sequence_gap_class(0, US_PER_SECOND - 1), 0);
    for (int k = 0; k < 30; k++) {
        int64_t s = (INT64_C(1) << k) * US_PER_SECOND;
        assert_int_equal(sequence_gap_class(7, 7 + s), k + 1);
        if (k > 0) assert_int_equal(sequence_gap_class(7, 6 + s), k);
    }
    assert_int_equal(sequence_gap_class(0, US_PER_DAY), 17);
    assert_int_equal(sequence_gap_class(INT64_MIN, INT64_MAX), SEQUENCE_GAPS - 1);
}

static void test_a_shoppers_first_event_has_no_gap(void **state)
{
    (void)state;
    shop s;
    make(&s);
    s.time_us[4] = 5 + 4 * US_PER_SECOND;
    assert_int_equal(sequence_event_gap(&s.e, 3, 3), 0);
    assert_int_equal(sequence_event_gap(&s.e, 3, 4), 3);
    s.e.time_us = NULL;
    assert_int_equal(sequence_event_gap(&s.e, 3, 4), 0);
}

static void test_the_fingerprint_sees_every_part(void **state)
{
    (void)state;
    enum { CHANGES = 10 };
    char text[CHANGES + 2][SEQUENCE_HASH_BYTES];
    float vectors[4 * 2] = {1, 0, 0, 1};
    sequence_side side = {vectors, 2};
    for (int c = 0; c <= CHANGES + 1; c++) {
        shop s;
        make(&s);
        vectors[0] = 1;
        side.K = 2;
        switch (c) {
        case 0: s.first[1] = 2; break;
        case 1: s.thing[2] = 1; break;
        case 2: s.kind[0] = 1; break;
        case 3: s.band[0] = 1; break;
        case 4: s.time_us[0] = 9; break;
        case 5: s.taken[5] = true; break;
        case 6: vectors[0] = .5f; break;
        case 7: s.e.kind = NULL; break;
        case 8: s.e.n_products = 4, s.e.n_promotions = 0; break;
        case 9: s.e.taken = NULL; break;
        case 10: side.K = 1; break;
        default: break;
        }
        sequence_events_hash(&s.e, &side, text[c]);
        for (int d = 0; d < c; d++)
            assert_string_not_equal(text[c], text[d]);
    }
    shop again;
    char same[SEQUENCE_HASH_BYTES], none[SEQUENCE_HASH_BYTES];
    make(&again);
    side.K = 2;
    sequence_events_hash(&again.e, &side, same);
    assert_string_equal(same, text[CHANGES + 1]);
    sequence_events_hash(&again.e, NULL, none);
    assert_string_not_equal(none, same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_events_pass_with_and_without_each_part),
        cmocka_unit_test(test_events_that_take_no_product_are_refused),
        cmocka_unit_test(test_things_out_of_range_are_refused),
        cmocka_unit_test(test_kinds_bands_and_times_are_held_to_their_ranges),
        cmocka_unit_test(test_bounds_of_shoppers_are_checked_before_they_are_used),
        cmocka_unit_test(test_gaps_double_from_a_second_on),
        cmocka_unit_test(test_a_shoppers_first_event_has_no_gap),
        cmocka_unit_test(test_the_fingerprint_sees_every_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
