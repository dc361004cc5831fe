/* shop/history.h: loose rows become columns in order, and the past is a prefix. */
#include "check.h"

#include <math.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/random.h"
#include "shop/history.h"

static history_row row_at(uint32_t who, int64_t time_us, uint32_t mark)
{
    return (history_row){.shopper = who,
                         .product = mark,
                         .promotion = mark + 1,
                         .campaign = mark + 2,
                         .type = (uint8_t)(1 + mark % 10),
                         .channel = (uint8_t)(mark % 7),
                         .time_us = time_us,
                         .order = mark + 3,
                         .paid_minor = mark + 4,
                         .discount_minor = MONEY_ABSENT,
                         .coupon_minor = mark + 5,
                         .quantity = (float)mark,
                         .rating = NAN,
                         .propensity = 0.5f};
}

static void a_new_history_is_empty_for_every_shopper(void **state)
{
    (void)state;
    shop_history *h;
    assert_int_equal(history_new(&h, 10, 5, NULL), PF_OK);
    assert_int_equal(h->n, 10);
    for (uint32_t s = 0; s <= 6; s++)
        assert_int_equal(h->first[s], 0);
    history_free(h);
    assert_int_equal(history_new(&h, 0, 0, NULL), PF_OK);
    assert_int_equal(history_before(h, 0, INT64_MAX), 0);
    history_free(h);
    history_free(NULL);
}

static void the_columns_of_a_history_do_not_overlap(void **state)
{
    (void)state;
    enum { N = 33 };
    shop_history *h;
    assert_int_equal(history_new(&h, N, 2, NULL), PF_OK);
    for (uint64_t i = 0; i < N; i++) {
        ((int64_t *)h->time_us)[i] = -1;
        ((uint8_t *)h->type)[i] = 1;
        ((uint8_t *)h->channel)[i] = 2;
        ((uint32_t *)h->product)[i] = 3;
        ((uint32_t *)h->promotion)[i] = 4;
        ((uint32_t *)h->campaign)[i] = 5;
        ((uint64_t *)h->order)[i] = 6;
        ((int64_t *)h->paid_minor)[i] = 7;
        ((int64_t *)h->discount_minor)[i] = 8;
        ((int64_t *)h->coupon_minor)[i] = 9;
        ((float *)h->quantity)[i] = 10;
        ((float *)h->rating)[i] = 11;
        ((float *)h->propensity)[i] = 12;
    }
    for (uint64_t i = 0; i < N; i++) {
        assert_int_equal(h->time_us[i], -1);
        assert_int_equal(h->type[i] + h->channel[i] * 10, 21);
        assert_int_equal(h->product[i] + 10 * h->promotion[i] + 100 * h->campaign[i],
                         543);
        assert_int_equal(h->order[i] + 10 * (uint64_t)h->paid_minor[i], 76);
        assert_int_equal(h->discount_minor[i] + 10 * h->coupon_minor[i], 98);
        assert_true(h->quantity[i] == 10 && h->rating[i] == 11 && h->propensity[i] == 12);
    }
    assert_int_equal(h->first[3], 0);
    history_free(h);
}

static void sizes_beyond_the_limits_are_refused(void **state)
{
    (void)state;
    shop_history *h;
    pf_error err;
    assert_int_equal(history_new(&h, LIMIT_EVENTS + 1, 1, &err), PF_LIMIT);
    assert_null(h);
    assert_int_equal(history_new(&h, 1, LIMIT_SHOPPERS + 1, &err), PF_LIMIT);
    assert_int_equal(history_new(&h, UINT64_MAX, UINT32_MAX, &err), PF_LIMIT);
}

static void rows_are_sorted_by_shopper_time_and_arrival(void **state)
{
    (void)state;
    const history_row rows[] = {row_at(2, 50, 0), row_at(0, 10, 1), row_at(2, 40, 2),
                                row_at(2, 50, 3), row_at(1, -5, 4), row_at(2, 50, 5)};
    const uint32_t order[] = {1, 4, 2, 0, 3, 5};
    shop_history *h;
    assert_int_equal(history_from_rows(&h, rows, 6, 3, NULL), PF_OK);
    for (uint32_t i = 0; i < 6; i++) {
        const history_row *r = &rows[order[i]];
        assert_int_equal(h->product[i], order[i]);
        assert_int_equal(h->promotion[i], r->promotion);
        assert_int_equal(h->campaign[i], r->campaign);
        assert_int_equal(h->type[i], r->type);
        assert_int_equal(h->channel[i], r->channel);
        assert_int_equal(h->time_us[i], r->time_us);
        assert_int_equal(h->order[i], r->order);
        assert_int_equal(h->paid_minor[i], r->paid_minor);
        assert_true(h->discount_minor[i] == MONEY_ABSENT);
        assert_int_equal(h->coupon_minor[i], r->coupon_minor);
        assert_true(h->quantity[i] == r->quantity && isnan(h->rating[i]));
        assert_true(h->propensity[i] == 0.5f);
    }
    assert_int_equal(h->first[0], 0);
    assert_int_equal(h->first[1], 1);
    assert_int_equal(h->first[2], 2);
    assert_int_equal(h->first[3], 6);
    assert_int_equal(h->first[4], 6);
    assert_int_equal(h->first_time_us, -5);
    assert_int_equal(h->last_time_us, 50);
    history_free(h);
}

static void a_shopper_beyond_the_last_is_refused(void **state)
{
    (void)state;
    const history_row rows[] = {row_at(1, 0, 0), row_at(4, 0, 0)};
    shop_history *h;
    pf_error err;
    assert_int_equal(history_from_rows(&h, rows, 2, 3, &err), PF_DATA);
    assert_null(h);
}

static void the_past_is_a_prefix(void **state)
{
    (void)state;
    const history_row rows[] = {row_at(1, 10, 0), row_at(1, 20, 1), row_at(1, 20, 2),
                                row_at(1, 30, 3), row_at(3, 5, 4)};
    shop_history *h;
    assert_int_equal(history_from_rows(&h, rows, 5, 3, NULL), PF_OK);
    assert_int_equal(history_before(h, 1, 10), 0);
    assert_int_equal(history_before(h, 1, 11), 1);
    assert_int_equal(history_before(h, 1, 20), 1);
    assert_int_equal(history_before(h, 1, 21), 3);
    assert_int_equal(history_before(h, 1, INT64_MAX), 4);
    assert_int_equal(history_before(h, 2, INT64_MAX), 4);
    assert_int_equal(history_before(h, 3, 5), 4);
    assert_int_equal(history_before(h, 3, 6), 5);
    assert_int_equal(history_before(h, 0, 0), 0);
    history_free(h);
}

/* Random rows against counting by hand. */
static void any_rows_give_the_prefixes_that_counting_gives(void **state)
{
    (void)state;
    enum { ROUNDS = 40, ROWS = 300, SHOPPERS = 9 };
    random_stream r = random_begin(7, 1);
    history_row rows[ROWS];
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t n = random_below(&r, ROWS + 1);
        for (uint32_t i = 0; i < n; i++)
            rows[i] = row_at(random_below(&r, SHOPPERS + 1),
                             (int64_t)random_below(&r, 50) - 25, i);
        shop_history *h;
        assert_int_equal(history_from_rows(&h, rows, n, SHOPPERS, NULL), PF_OK);
        for (uint32_t s = 0; s <= SHOPPERS; s++)
            for (int64_t t = -27; t < 27; t += 3) {
                uint64_t before = 0;
                for (uint32_t i = 0; i < n; i++)
                    before += rows[i].shopper == s && rows[i].time_us < t;
                assert_int_equal(history_before(h, s, t) - h->first[s], before);
            }
        for (uint64_t i = 1; i < n; i++)
            if (i != h->first[rows[h->product[i]].shopper])
                assert_true(h->time_us[i - 1] < h->time_us[i] ||
                            (h->time_us[i - 1] == h->time_us[i] &&
                             h->product[i - 1] < h->product[i]));
        history_free(h);
    }
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    const history_row rows[] = {row_at(1, 10, 0), row_at(1, 20, 1)};
    shop_history *h;
    pf_error err;
    fault f = {0};
    while (fault_next(&f)) {
        pf_status status = history_from_rows(&h, rows, 2, 3, &err);
        if (fault_reached(&f)) {
            assert_int_equal(status, PF_NO_MEMORY);
            assert_null(h);
        } else {
            assert_int_equal(status, PF_OK);
        }
        history_free(h);
    }
    assert_true(f.n > 3);
}

static void a_position_is_the_first_row_not_before_the_moment(void **state)
{
    (void)state;
    const int64_t times[] = {-5, 1, 1, 1, 4, 9};
    for (uint64_t first = 0; first <= 6; first++)
        for (uint64_t end = first; end <= 6; end++)
            for (int64_t at = -7; at < 12; at++) {
                uint64_t want = first;
                while (want < end && times[want] < at)
                    want++;
                assert_int_equal(history_position(times, first, end, at), want);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_history_is_empty_for_every_shopper),
        cmocka_unit_test(the_columns_of_a_history_do_not_overlap),
        cmocka_unit_test(sizes_beyond_the_limits_are_refused),
        cmocka_unit_test(rows_are_sorted_by_shopper_time_and_arrival),
        cmocka_unit_test(a_shopper_beyond_the_last_is_refused),
        cmocka_unit_test(the_past_is_a_prefix),
        cmocka_unit_test(any_rows_give_the_prefixes_that_counting_gives),
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(a_position_is_the_first_row_not_before_the_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
