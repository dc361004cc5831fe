/* base/random.h: the published vectors, streams apart, the right distributions. */
#include "check.h"

#include <math.h>

#include "base/random.h"

/* Known answers for philox4x32-10 that come with Random123 (kat_vectors): counter, key,
 * output, words from the lowest. */
static void philox_gives_the_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const uint32_t *c = known[i].counter, *k = known[i].key;
        uint32_t out[4];
        random_block((uint64_t)k[1] << 32 | k[0], (uint64_t)c[3] << 32 | c[2],
                     (uint64_t)c[1] << 32 | c[0], out);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

static void a_stream_is_its_blocks_in_order(void **state)
{
    (void)state;
    random_stream r = random_begin(7, 9);
    for (uint64_t counter = 0; counter < 100; counter++) {
        uint32_t block[4];
        random_block(7, 9, counter, block);
        for (int i = 0; i < 4; i++)
            assert_int_equal(random_u32(&r), block[i]);
    }
}

static void seeds_and_streams_differ_from_the_first_number(void **state)
{
    (void)state;
    uint64_t seen[64];
    for (uint64_t i = 0; i < 64; i++) {
        random_stream r = random_begin(i / 8, i % 8);
        seen[i] = random_u64(&r);
        for (uint64_t j = 0; j < i; j++)
            assert_true(seen[j] != seen[i]);
    }
}

enum { DRAWS = 200000 };

/* Mean and variance of a draw, against what they must be. */
static void check_moments(double (*draw)(random_stream *, double), double argument,
                          double mean, double variance)
{
    random_stream r = random_begin(3, 4);
    double sum = 0.0, squares = 0.0;
    for (int i = 0; i < DRAWS; i++) {
        double x = draw(&r, argument);
        assert_true(isfinite(x));
        sum += x;
        squares += x * x;
    }
    double got = sum / DRAWS, spread = squares / DRAWS - got * got;
    assert_true(fabs(got - mean) < 5.0 * sqrt(variance / DRAWS));
    assert_true(fabs(spread - variance) < 0.05 * variance);
}

static double draw_unit(random_stream *r, double unused)
{
    (void)unused;
    double u = random_unit(r);
    assert_true(u >= 0.0 && u < 1.0);
    return u;
}

static double draw_normal(random_stream *r, double unused)
{
    (void)unused;
    return random_normal(r);
}

static void draws_have_their_means_and_variances(void **state)
{
    (void)state;
    check_moments(draw_unit, 0.0, 0.5, 1.0 / 12.0);
    check_moments(draw_normal, 0.0, 0.0, 1.0);
    static const double shapes[] = {0.1, 0.5, 1.0, 2.5, 30.0};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        check_moments(random_gamma, shapes[i], shapes[i], shapes[i]);
}

/* The normal's tails: share beyond 1, 2 and 3 deviations. */
static void normal_draws_have_normal_tails(void **state)
{
    (void)state;
    random_stream r = random_begin(5, 6);
    int beyond[4] = {0};
    for (int i = 0; i < DRAWS; i++) {
        double x = fabs(random_normal(&r));
        for (int k = 1; k <= 3; k++)
            beyond[k] += x > k;
    }
    static const double share[4] = {0, 0.317311, 0.045500, 0.002700};
    for (int k = 1; k <= 3; k++)
        assert_true(fabs((double)beyond[k] / DRAWS - share[k]) <
                    5.0 * sqrt(share[k] / DRAWS));
}

static void below_is_within_and_uniform(void **state)
{
    (void)state;
    random_stream r = random_begin(8, 8);
    static const uint32_t sizes[] = {1, 2, 3, 7, 10, 100};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        double cells[100] = {0}, chi = 0.0, expected = (double)DRAWS / sizes[s];
        for (int i = 0; i < DRAWS; i++) {
            uint32_t x = random_below(&r, sizes[s]);
            assert_true(x < sizes[s]);
            cells[x]++;
        }
        for (uint32_t i = 0; i < sizes[s]; i++)
            chi += (cells[i] - expected) * (cells[i] - expected) / expected;
        double freedom = sizes[s] - 1.0;
        assert_true(chi <= freedom + 4.5 * sqrt(2.0 * freedom));
    }
}

/* Without the rejection step, n = 3 * 2^30 would give its lowest third twice as often. */
static void below_has_no_bias_near_the_word_size(void **state)
{
    (void)state;
    random_stream r = random_begin(8, 9);
    uint32_t n = 3u << 30, thirds[3] = {0};
    for (int i = 0; i < DRAWS; i++)
        thirds[random_below(&r, n) >> 30]++;
    for (int i = 0; i < 3; i++)
        assert_true(fabs((double)thirds[i] / DRAWS - 1.0 / 3.0) < 0.006);
    assert_true(random_below(&r, UINT32_MAX) < UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_known_answers),
        cmocka_unit_test(a_stream_is_its_blocks_in_order),
        cmocka_unit_test(seeds_and_streams_differ_from_the_first_number),
        cmocka_unit_test(draws_have_their_means_and_variances),
        cmocka_unit_test(normal_draws_have_normal_tails),
        cmocka_unit_test(below_is_within_and_uniform),
        cmocka_unit_test(below_has_no_bias_near_the_word_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
