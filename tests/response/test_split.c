/* Expected uses split over promotions: their sum is kept, none is above the whole. */
#include "check.h"

#include <math.h>

#include "base/random.h"
#include "response/split.h"

static void make_shares(random_stream *r, float *share, size_t P, double steepness)
{
    double sum = 0;
    for (size_t k = 0; k < P; k++) {
        share[k] = (float)exp(steepness * random_normal(r));
        sum += (double)share[k];
    }
    for (size_t k = 0; k < P; k++)
        share[k] = (float)((double)share[k] / sum);
}

static void the_sum_of_chances_is_the_expected_uses(void **state)
{
    (void)state;
    random_stream r = random_begin(7, 0);
    float share[200], p[200];
    for (int turn = 0; turn < 300; turn++) {
        size_t P = 2 + random_below(&r, 199);
        double any = random_unit(&r), uses = 1 + random_unit(&r) * 0.5 * log((double)P);
        make_shares(&r, share, P, 0.5 + random_unit(&r));
        split_uses(any, share, P, uses, p);
        double sum = 0, most = fmin(uses, 0.9 * (double)P);
        for (size_t k = 0; k < P; k++)
            sum += (double)p[k];
        assert_true(fabs(sum - any * most) < 1e-3 * (any * most) + 1e-7);
    }
}

static void no_chance_is_above_any_and_a_larger_share_is_a_larger_chance(void **state)
{
    (void)state;
    random_stream r = random_begin(8, 0);
    float share[50], p[50];
    for (int turn = 0; turn < 100; turn++) {
        make_shares(&r, share, 50, 3);
        split_uses(0.4, share, 50, 2.5, p);
        for (size_t k = 0; k < 50; k++) {
            assert_true(p[k] >= 0 && (double)p[k] <= 0.4 + 1e-7);
            for (size_t j = 0; j < k; j++)
                assert_true(share[k] <= share[j] || p[k] >= p[j]);
        }
    }
}

static void a_single_promotion_has_the_whole_chance(void **state)
{
    (void)state;
    float share = 1, p = 0;
    split_uses(0.31, &share, 1, 1, &p);
    assert_true(fabs((double)p - 0.31) < 1e-7);
}

static void equal_shares_are_equal_chances(void **state)
{
    (void)state;
    float share[4] = {.25f, .25f, .25f, .25f}, p[4];
    split_uses(0.5, share, 4, 2, p);
    for (int k = 0; k < 4; k++)
        assert_true(fabs((double)p[k] - 0.25) < 1e-6);
}

static void all_on_one_promotion_cannot_be_more_than_used_once(void **state)
{
    (void)state;
    float share[3] = {1, 0, 0}, p[3];
    split_uses(0.5, share, 3, 1.4, p);
    assert_true((double)p[0] <= 0.5 && (double)p[0] > 0.4);
    assert_true(p[1] == 0 && p[2] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sum_of_chances_is_the_expected_uses),
        cmocka_unit_test(no_chance_is_above_any_and_a_larger_share_is_a_larger_chance),
        cmocka_unit_test(a_single_promotion_has_the_whole_chance),
        cmocka_unit_test(equal_shares_are_equal_chances),
        cmocka_unit_test(all_on_one_promotion_cannot_be_more_than_used_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
