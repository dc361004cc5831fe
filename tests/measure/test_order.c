/* measure/order.h: sorted, stable, every kind of double, refusals. */
#include "golden_rows.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "measure/order.h"

/* Insertion sort: slow, stable, obvious. */
static void naive_order(const double *score, size_t n, bool descending, uint32_t *rows)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        while (at > 0 && (descending ? score[rows[at - 1]] < score[i]
                                     : score[rows[at - 1]] > score[i])) {
            rows[at] = rows[at - 1];
            at--;
        }
        rows[at] = (uint32_t)i;
    }
}

static void rows_are_sorted_and_ties_keep_their_order(void **state)
{
    (void)state;
    random_stream r = random_begin(1, 1);
    static const double special[] = {0.0,     -0.0,     INFINITY, -INFINITY, DBL_MAX,
                                     DBL_MIN, -DBL_MAX, 5e-324,   -5e-324,   1.0};
    for (int turn = 0; turn < 400; turn++) {
        double score[300];
        uint32_t rows[300], expected[300];
        size_t n = random_below(&r, 301);
        for (size_t i = 0; i < n; i++) {
            switch (turn % 4) {
            case 0: score[i] = random_normal(&r); break;
            case 1: score[i] = random_below(&r, 7); break;
            case 2: score[i] = special[random_below(&r, 10)]; break;
            default: score[i] = random_normal(&r) * pow(10, random_below(&r, 40)); break;
            }
        }
        for (int down = 0; down < 2; down++) {
            naive_order(score, n, down, expected);
            order_direction d = down ? ORDER_DESCENDING : ORDER_ASCENDING;
            assert_int_equal(order_rows(score, n, d, rows, NULL), PF_OK);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(rows[i], expected[i]);
        }
    }
}

static void what_is_not_a_number_is_refused_with_its_row(void **state)
{
    (void)state;
    double score[] = {1, 2, NAN, 3};
    uint32_t rows[4];
    pf_error err = {0};
    assert_int_equal(order_rows(score, 4, ORDER_ASCENDING, rows, &err), PF_DATA);
    assert_non_null(strstr(err.message, "row 2"));
    assert_int_equal(order_rows(score, 2, ORDER_ASCENDING, rows, &err), PF_OK);
    assert_int_equal(
        order_rows(score, (size_t)UINT32_MAX + 1, ORDER_ASCENDING, rows, &err), PF_LIMIT);
}

static void a_failed_allocation_is_reported(void **state)
{
    (void)state;
    double score[] = {1, 2};
    uint32_t rows[2];
    mem_fail_at(1);
    pf_status status = order_rows(score, 2, ORDER_ASCENDING, rows, NULL);
    mem_fail_at(0);
    assert_int_equal(status, PF_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted_and_ties_keep_their_order),
        cmocka_unit_test(what_is_not_a_number_is_refused_with_its_row),
        cmocka_unit_test(a_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
