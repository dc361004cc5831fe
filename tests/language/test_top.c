/* The k best of many scores against a full sort. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "language/top.h"

static int by_rank(const void *a, const void *b)
{
    const hit *x = a, *y = b;
    if (x->score > y->score || x->score < y->score) return x->score > y->score ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static void the_k_best_are_those_of_a_full_sort(void **state)
{
    (void)state;
    random_stream r = random_begin(11, 1);
    for (size_t n = 0; n < 60; n++)
        for (size_t k = 0; k < 70; k += 1 + k / 4) {
            hit all[60], best[70];
            top t = top_begin(best, k);
            for (size_t i = 0; i < n; i++) /* few different scores: ties are common */
                all[i] = (hit){(uint32_t)i, (float)random_below(&r, 9)};
            for (size_t i = 0; i < n; i++)
                top_offer(&t, all[n - 1 - i].item, all[n - 1 - i].score);
            if (n > 0) qsort(all, n, sizeof *all, by_rank);
            assert_int_equal(top_finish(&t), n < k ? n : k);
            for (size_t i = 0; i < n && i < k; i++) {
                assert_int_equal(best[i].item, all[i].item);
                assert_true(best[i].score <= all[i].score &&
                            best[i].score >= all[i].score);
            }
        }
}

static void what_is_not_a_number_is_never_taken(void **state)
{
    (void)state;
    hit best[3];
    top t = top_begin(best, 3);
    top_offer(&t, 0, NAN);
    top_offer(&t, 1, -INFINITY);
    top_offer(&t, 2, NAN);
    assert_int_equal(top_finish(&t), 1);
    assert_int_equal(best[0].item, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_k_best_are_those_of_a_full_sort),
        cmocka_unit_test(what_is_not_a_number_is_never_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
