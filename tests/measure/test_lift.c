/* measure/lift.h: by hand, under ties, and sums that must come out. */
#include "golden_rows.h"

#include "base/random.h"
#include "measure/lift.h"

static void lift_by_hand(void **state)
{
    (void)state;
    const double score[] = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    const uint8_t y[] = {1, 1, 0, 1, 0, 0, 0, 1, 0, 0};
    lift_bin bins[5];
    assert_int_equal(lift_of(score, y, 10, 5, bins, NULL), PF_OK);
    static const double rate[] = {1.0, 0.5, 0.0, 0.5, 0.0};
    static const double found[] = {0.5, 0.75, 0.75, 1.0, 1.0};
    for (size_t b = 0; b < 5; b++) {
        assert_int_equal(bins[b].n, 2);
        assert_near(bins[b].rate, rate[b], 1e-15);
        assert_near(bins[b].lift, rate[b] / 0.4, 1e-12);
        assert_near(bins[b].rows_share, 0.2 * (double)(b + 1), 1e-15);
        assert_near(bins[b].responders_share, found[b], 1e-15);
    }
}

static void rows_of_equal_score_share_their_responders(void **state)
{
    (void)state;
    const double score[] = {1, 1, 1, 1, 0, 0};
    const uint8_t y[] = {1, 0, 0, 1, 0, 0}, moved[] = {0, 0, 1, 1, 0, 0};
    lift_bin bins[3], again[3];
    assert_int_equal(lift_of(score, y, 6, 3, bins, NULL), PF_OK);
    assert_int_equal(lift_of(score, moved, 6, 3, again, NULL), PF_OK);
    assert_near(bins[0].responders, 1.0, 1e-15);
    assert_near(bins[1].responders, 1.0, 1e-15);
    for (size_t b = 0; b < 3; b++)
        assert_near(again[b].lift, bins[b].lift, 0.0);
    double same[50] = {0};
    uint8_t some[50] = {0};
    some[0] = some[1] = some[49] = 1;
    lift_bin flat[10];
    assert_int_equal(lift_of(same, some, 50, 10, flat, NULL), PF_OK);
    for (size_t b = 0; b < 10; b++)
        assert_near(flat[b].lift, 1.0, 1e-12);
}

static void bins_add_up(void **state)
{
    (void)state;
    random_stream r = random_begin(1, 2);
    for (int turn = 0; turn < 300; turn++) {
        double score[97], responders = 0.0, sum = 0.0, weighted = 0.0;
        uint8_t y[97];
        size_t n = 1 + random_below(&r, 97), count = 1 + random_below(&r, 12), rows = 0;
        lift_bin bins[12];
        for (size_t i = 0; i < n; i++) {
            score[i] = turn % 2 ? random_unit(&r) : random_below(&r, 5);
            y[i] = i == 0 || random_below(&r, 3) == 0;
            responders += y[i];
        }
        assert_int_equal(lift_of(score, y, n, count, bins, NULL), PF_OK);
        for (size_t b = 0; b < count; b++) {
            rows += bins[b].n;
            sum += bins[b].responders;
            weighted += bins[b].lift * (double)bins[b].n / (double)n;
            assert_int_equal(bins[b].n, n / count + (b < n % count));
        }
        assert_int_equal(rows, n);
        assert_near(sum, responders, 1e-9);
        assert_near(weighted, 1.0, 1e-9);
        assert_near(bins[count - 1].rows_share, 1.0, 1e-12);
        assert_near(bins[count - 1].responders_share, 1.0, 1e-12);
    }
}

static void without_responders_there_is_no_lift(void **state)
{
    (void)state;
    const double score[] = {1, 2};
    const uint8_t y[] = {0, 0};
    lift_bin bins[2];
    assert_int_equal(lift_of(score, y, 2, 2, bins, NULL), PF_OK);
    assert_true(isnan(bins[0].lift) && isnan(bins[1].responders_share));
    assert_near(bins[0].rate, 0.0, 0.0);
    assert_int_equal(lift_of(score, y, 0, 2, bins, NULL), PF_OK);
    assert_int_equal(bins[0].n, 0);
    const double wrong[] = {NAN};
    assert_int_equal(lift_of(wrong, y, 1, 1, bins, NULL), PF_DATA);
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    golden_rows g = golden_make();
    fault f = {0};
    while (fault_next(&f)) {
        lift_bin bins[10];
        pf_status status = lift_of(g.p, g.y, GOLDEN_N, 10, bins, NULL);
        assert_int_equal(status, fault_reached(&f) ? PF_NO_MEMORY : PF_OK);
    }
    assert_int_equal(f.n, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lift_by_hand),
        cmocka_unit_test(rows_of_equal_score_share_their_responders),
        cmocka_unit_test(bins_add_up),
        cmocka_unit_test(without_responders_there_is_no_lift),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
