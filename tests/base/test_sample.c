/*
 * The even sample: as many as asked for, evenly spread, in every numbering, and the very things
 * that the models and figures of a shop rest on.
 */
#include "check.h"

#include "base/sample.h"

enum { MOST = 60 };

/* Things 0 .. of - 1 that are taken, numbered as given; returns how many. */
typedef uint64_t numbering(uint64_t thing, uint64_t of);

static uint64_t from_0(uint64_t thing, uint64_t of)
{
    (void)of;
    return thing;
}

static uint64_t from_1(uint64_t thing, uint64_t of)
{
    (void)of;
    return thing + 1;
}

static uint64_t backwards(uint64_t thing, uint64_t of)
{
    return of - thing;
}

static numbering *const numberings[] = {from_0, from_1, backwards};
enum { NUMBERINGS = sizeof numberings / sizeof numberings[0] };

static uint64_t take(numbering *number, uint64_t of, uint64_t n, uint64_t *taken)
{
    uint64_t count = 0;
    for (uint64_t thing = 0; thing < of; thing++)
        if (sample_takes(number(thing, of), of, n)) taken[count++] = thing;
    return count;
}

static void as_many_as_asked_for_are_taken(void **state)
{
    (void)state;
    uint64_t taken[MOST];
    for (size_t k = 0; k < NUMBERINGS; k++)
        for (uint64_t of = 1; of <= MOST; of++)
            for (uint64_t n = 0; n <= of; n++)
                assert_int_equal(take(numberings[k], of, n, taken), n);
}

static void neighbours_in_a_sample_are_one_step_apart(void **state)
{
    (void)state;
    uint64_t taken[MOST];
    for (size_t k = 0; k < NUMBERINGS; k++)
        for (uint64_t of = 1; of <= MOST; of++)
            for (uint64_t n = 1; n <= of; n++) {
                const uint64_t step = of / n, found = take(numberings[k], of, n, taken);
                for (uint64_t i = 1; i < found; i++) {
                    assert_true(taken[i] - taken[i - 1] >= step);
                    assert_true(taken[i] - taken[i - 1] <= step + (of % n > 0));
                }
            }
}

/* The k-th of each numbering, by its formula: another rounding would choose other shoppers, and
 * figures would no longer be those of models that were trained before. */
static void each_numbering_takes_the_things_of_its_formula(void **state)
{
    (void)state;
    uint64_t taken[MOST];
    for (uint64_t of = 1; of <= MOST; of++)
        for (uint64_t n = 1; n <= of; n++) {
            (void)take(from_0, of, n, taken);
            for (uint64_t k = 0; k < n; k++)
                assert_int_equal(taken[k], (k * of + n - 1) / n);
            (void)take(from_1, of, n, taken);
            for (uint64_t k = 0; k < n; k++)
                assert_int_equal(taken[k], ((k + 1) * of + n - 1) / n - 1);
            (void)take(backwards, of, n, taken);
            for (uint64_t k = 0; k < n; k++)
                assert_int_equal(taken[k], k * of / n);
        }
}

static void the_largest_numbers_do_not_overflow(void **state)
{
    (void)state;
    const uint64_t of = UINT32_MAX, n = UINT32_MAX - 1;
    assert_true(sample_takes(0, of, n));
    assert_false(sample_takes(1, of, n)); /* the one that is left out */
    assert_true(sample_takes(2, of, n));
    assert_true(sample_takes(of - 1, of, n));
    assert_true(sample_takes(of, of, n));
    assert_true(sample_takes(of, of, 1));
    assert_false(sample_takes(of - 1, of, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_as_asked_for_are_taken),
        cmocka_unit_test(neighbours_in_a_sample_are_one_step_apart),
        cmocka_unit_test(each_numbering_takes_the_things_of_its_formula),
        cmocka_unit_test(the_largest_numbers_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
