/* What a shopper spends: both ways of learning it find the truth, and bad input is told. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "response/spend.h"

enum { N = 4000, F = 3 };

static float x[N * F], spend[N], purchases[N];
static double truth[N];

/* Purchases rise with the first feature, their size with the second; the third says nothing. */
static int make(void **state)
{
    (void)state;
    random_stream r = random_begin(11, 0);
    for (size_t i = 0; i < N; i++) {
        for (size_t f = 0; f < F; f++)
            x[i * F + f] = (float)random_normal(&r);
        const double rate = exp(0.5 * (double)x[i * F]) / 2, size = exp((double)x[i * F + 1]);
        double past = -log(1 - random_unit(&r)); /* a Poisson process over one unit of time */
        for (; past < rate; past -= log(1 - random_unit(&r))) {
            purchases[i]++;
            spend[i] += (float)(5 * size * random_gamma(&r, 3) / 3);
        }
        truth[i] = 5 * rate * size;
    }
    return 0;
}

static const feature_rows rows = {N, F, x};

static spend_options quick(void)
{
    spend_options o = spend_options_default();
    o.trees.rounds = 80;
    o.trees.eta = 0.1;
    o.trees.threads = 1;
    return o;
}

/* Mean distance from the truth over the same of a constant. */
static double error_of(const float *expected)
{
    double off = 0, plain = 0, mean = 0;
    for (size_t i = 0; i < N; i++)
        mean += truth[i] / N;
    for (size_t i = 0; i < N; i++) {
        off += fabs((double)expected[i] - truth[i]);
        plain += fabs(mean - truth[i]);
    }
    return off / plain;
}

static double error_with(bool whole, bool parts)
{
    static float expected[N];
    spend_model m;
    spend_options o = quick();
    o.whole = whole;
    o.parts = parts;
    assert_int_equal(spend_fit(&m, &rows, spend, purchases, &o, NULL), PF_OK);
    assert_int_equal(spend_expect(&m, &rows, expected, NULL), PF_OK);
    spend_free(&m);
    for (size_t i = 0; i < N; i++)
        assert_true(isfinite(expected[i]) && expected[i] > 0);
    return error_of(expected);
}

static void each_way_finds_who_spends_and_their_mean_is_no_worse_than_the_worst(void **state)
{
    (void)state;
    const double whole = error_with(true, false), parts = error_with(false, true),
                 both = error_with(true, true);
    assert_true(whole < 0.4 && parts < 0.4);
    assert_true(both <= fmax(whole, parts));
}

static void the_mean_of_the_ways_is_their_mean(void **state)
{
    (void)state;
    static float whole[N], parts[N], both[N];
    spend_model m;
    spend_options o = quick();
    float *const into[] = {whole, parts, both};
    for (int i = 0; i < 3; i++) {
        o.whole = i != 1;
        o.parts = i != 0;
        assert_int_equal(spend_fit(&m, &rows, spend, purchases, &o, NULL), PF_OK);
        assert_int_equal(spend_expect(&m, &rows, into[i], NULL), PF_OK);
        spend_free(&m);
    }
    for (size_t i = 0; i < N; i++)
        assert_true(fabsf(both[i] - (whole[i] + parts[i]) / 2) <= 1e-4f * (1 + both[i]));
}

static void the_same_seed_gives_the_same_spend(void **state)
{
    (void)state;
    static float one[N], two[N];
    for (int i = 0; i < 2; i++) {
        spend_model m;
        spend_options o = quick();
        o.trees.threads = 1 + i;
        assert_int_equal(spend_fit(&m, &rows, spend, purchases, &o, NULL), PF_OK);
        assert_int_equal(spend_expect(&m, &rows, i ? two : one, NULL), PF_OK);
        spend_free(&m);
    }
    assert_memory_equal(one, two, sizeof one);
}

static void spend_is_learnt_whole_without_purchases(void **state)
{
    (void)state;
    spend_model m;
    pf_error err = {0};
    spend_options o = quick();
    assert_int_equal(spend_fit(&m, &rows, spend, NULL, &o, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "purchases are needed"));
    o.parts = false;
    assert_int_equal(spend_fit(&m, &rows, spend, NULL, &o, NULL), PF_OK);
    assert_int_equal(m.parts, 0);
    spend_free(&m);
}

static void what_cannot_be_learnt_is_said(void **state)
{
    (void)state;
    static float none[N], odd[N];
    spend_model m;
    pf_error err = {0};
    spend_options o = quick();
    o.depths = 0;
    assert_int_equal(spend_fit(&m, &rows, spend, purchases, &o, &err), PF_USAGE);
    o = quick();
    o.whole = o.parts = false;
    assert_int_equal(spend_fit(&m, &rows, spend, purchases, &o, &err), PF_USAGE);
    o.parts = true;
    assert_int_equal(spend_fit(&m, &rows, none, none, &o, &err), PF_DATA);
    assert_non_null(strstr(err.message, "nobody"));
    memcpy(odd, purchases, sizeof odd);
    size_t buyer = 0;
    while (!(spend[buyer] > 0))
        buyer++;
    odd[buyer] = 0;
    assert_int_equal(spend_fit(&m, &rows, spend, odd, &o, &err), PF_DATA);
    assert_non_null(strstr(err.message, "in 0 purchases"));
    assert_int_equal(m.parts, 0);
    assert_null(m.purchases[0].booster);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    static float expected[N];
    fault f = {0};
    spend_options o = quick();
    o.trees.rounds = 2;
    o.depths = 1;
    while (fault_next(&f)) {
        spend_model m;
        pf_status s = spend_fit(&m, &rows, spend, purchases, &o, NULL);
        if (s == PF_OK) s = spend_expect(&m, &rows, expected, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
        spend_free(&m);
    }
    assert_true(f.n > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way_finds_who_spends_and_their_mean_is_no_worse_than_the_worst),
        cmocka_unit_test(the_mean_of_the_ways_is_their_mean),
        cmocka_unit_test(the_same_seed_gives_the_same_spend),
        cmocka_unit_test(spend_is_learnt_whole_without_purchases),
        cmocka_unit_test(what_cannot_be_learnt_is_said),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, make, NULL);
}
