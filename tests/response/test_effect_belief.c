/*
 * What is measured and what is believed of it: ratios with errors by shopper, the hierarchy of
 * kinds, scales cut below nothing, and draws that mean what the belief says. Closed forms and
 * brute force stand beside.
 */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/distribution.h"
#include "response/effect_belief.h"

enum { ROWS = 1200, KINDS = 3, SHOPPERS = 300 };

static double top[ROWS], bottom[ROWS];
static uint8_t kind[ROWS], sent[ROWS];
static uint32_t cluster[ROWS];
static effect_rows rows;
static const effect_prior none = {0.5, INFINITY}, usual = {0.5, 0.5};

/* Ratios of the kinds are around ratio[k], with noise of that deviation a row. */
static void make(const double ratio[KINDS], double noise)
{
    random_stream r = random_begin(11, 1);
    rows = (effect_rows){.n = ROWS, .sent = sent, .cluster = cluster, .kind = kind,
                         .clusters = SHOPPERS, .kinds = {.n = KINDS}};
    for (size_t i = 0; i < ROWS; i++) {
        kind[i] = (uint8_t)(i % KINDS);
        sent[i] = (uint8_t)((i / KINDS) % 2);
        cluster[i] = (uint32_t)(i / 4);
        bottom[i] = 1 + random_unit(&r);
        top[i] = ratio[kind[i]] * bottom[i] + noise * random_normal(&r);
    }
}

static effect_belief form(const effect_prior *prior)
{
    effect_belief b;
    assert_int_equal(effect_belief_form(&b, &rows, top, bottom, NULL, prior, NULL), PF_OK);
    return b;
}

/* --- ratios ------------------------------------------------------------------------- */

static void a_ratio_has_the_error_that_resampling_shoppers_gives(void **state)
{
    (void)state;
    static const double same[KINDS] = {.6, .6, .6};
    enum { TURNS = 2000 };
    make(same, 2);
    for (size_t i = 0; i < ROWS; i++) /* what shoppers are like, their rows share */
        top[i] += 2 * golden_unit(cluster[i], 3) - 1;
    effect_ratio r;
    assert_int_equal(effect_ratio_of(&r, &rows, top, bottom, EFFECT_ALL_KINDS, NULL, NULL), PF_OK);
    double mean = 0, square = 0;
    random_stream s = random_begin(3, 9);
    for (int turn = 0; turn < TURNS; turn++) {
        double a = 0, b = 0;
        for (size_t c = 0; c < SHOPPERS; c++) {
            const size_t from = 4 * random_below(&s, SHOPPERS);
            for (size_t i = from; i < from + 4; i++) {
                a += top[i];
                b += bottom[i];
            }
        }
        mean += a / b / TURNS;
        square += a / b * (a / b) / TURNS;
    }
    assert_int_equal(r.shoppers, SHOPPERS);
    assert_int_equal(r.sent, ROWS / 2);
    assert_true(fabs(r.error / sqrt(square - mean * mean) - 1) < .08);
}

static void a_bottom_that_may_be_nothing_gives_no_ratio(void **state)
{
    (void)state;
    static const double same[KINDS] = {.6, .6, .6};
    effect_ratio r;
    make(same, 1);
    for (size_t i = 0; i < ROWS; i++)
        bottom[i] = cluster[i] % 2 ? 1 : -1.01;
    assert_int_equal(effect_ratio_of(&r, &rows, top, bottom, EFFECT_ALL_KINDS, NULL, NULL), PF_OK);
    assert_true(isnan(r.value) && isnan(r.error));
    effect_belief b;
    pf_error err = {0};
    assert_int_equal(effect_belief_form(&b, &rows, top, bottom, NULL, &none, &err), PF_DATA);
    assert_non_null(strstr(err.message, "prior"));
    b = form(&usual); /* then what was believed before is believed still */
    assert_true(fabs(b.mean - .5) < 1e-12 && fabs(b.deviation - .5) < 1e-12);
}

static void rows_that_are_left_out_do_not_count(void **state)
{
    (void)state;
    static const double differ[KINDS] = {.2, .9, .5};
    static uint8_t use[ROWS];
    effect_ratio r;
    make(differ, .1);
    for (size_t i = 0; i < ROWS; i++)
        use[i] = kind[i] == 1;
    assert_int_equal(effect_ratio_of(&r, &rows, top, bottom, EFFECT_ALL_KINDS, use, NULL), PF_OK);
    assert_int_equal(r.rows, ROWS / KINDS);
    assert_true(fabs(r.value - .9) < .02);
    assert_int_equal(effect_ratio_of(&r, &rows, top, bottom, 2, NULL, NULL), PF_OK);
    assert_true(fabs(r.value - .5) < .02);
}

/* --- the hierarchy ------------------------------------------------------------------ */

static void kinds_that_do_not_differ_have_one_scale(void **state)
{
    (void)state;
    static const double same[KINDS] = {.6, .6, .6};
    make(same, 3);
    effect_belief b = form(&none);
    if (b.between > 0) { /* by chance they may seem to */
        assert_true(b.between < .3);
        return;
    }
    for (size_t k = 1; k <= KINDS; k++)
        assert_true(effect_belief_mean(&b, k) == effect_belief_mean(&b, 0));
}

static void kinds_that_differ_are_told_apart_and_drawn_together(void **state)
{
    (void)state;
    static const double differ[KINDS] = {.2, .9, .5};
    make(differ, 1);
    effect_belief b = form(&usual);
    assert_true(b.between > .2);
    for (size_t k = 0; k < KINDS; k++) {
        const double raw = b.scale[k].raw, mean = effect_belief_mean(&b, k);
        assert_true(fabs(mean - differ[k]) < .15);
        assert_true((mean - raw) * (b.mean - raw) >= 0); /* towards the one of all */
        /* the closed form of a normal with a normal prior */
        const double own = 1 / (b.scale[k].error * b.scale[k].error);
        const double all = 1 / (b.between * b.between);
        const double expected = (own * raw + all * b.mean) / (own + all);
        assert_true(fabs(b.scale[k].offset + b.scale[k].pull * b.mean - expected) < 1e-9);
    }
    /* a kind never seen is believed to be like any, less surely */
    assert_true(b.scale[KINDS].spread == b.between && b.scale[KINDS].pull == 1);
}

static void a_kind_of_few_rows_is_believed_to_be_like_the_others(void **state)
{
    (void)state;
    static const double differ[KINDS] = {.2, .9, .5};
    make(differ, 1);
    for (size_t i = 0; i < ROWS; i++)
        if (kind[i] == 2 && i > 300) kind[i] = (uint8_t)(i % 2);
    const effect_belief b = form(&usual);
    assert_true(isnan(b.scale[2].raw));
    assert_true(b.scale[2].rows > 0);
    assert_true(fabs(effect_belief_mean(&b, 2) - effect_belief_mean(&b, KINDS)) < 1e-12);
}

static void little_data_leave_the_prior_and_much_overrule_it(void **state)
{
    (void)state;
    static const double same[KINDS] = {.9, .9, .9};
    const effect_prior firm = {.1, .05};
    make(same, 60);
    effect_belief b = form(&firm);
    assert_true(fabs(b.mean - .1) < .05);
    make(same, .05);
    b = form(&firm);
    assert_true(fabs(b.mean - .9) < .05);
}

/* --- cut below nothing -------------------------------------------------------------- */

static effect_belief plain(double mean, double deviation)
{
    effect_belief b = {.kinds = 1, .mean = mean, .deviation = deviation};
    b.scale[0].pull = b.scale[1].pull = 1;
    return b;
}

/* By rectangles, of the normal above 0. */
static double mean_by_sums(double mean, double deviation)
{
    double sum = 0, mass = 0;
    const double to = fmax(mean, 0) + 12 * deviation;
    for (int i = 0; i < 400000; i++) {
        const double x = (i + .5) * to / 400000, z = (x - mean) / deviation;
        const double density = exp(-z * z / 2 + (mean < 0 ? mean * mean / deviation / deviation / 2
                                                          : 0));
        sum += x * density;
        mass += density;
    }
    return sum / mass;
}

static void the_mean_of_a_cut_scale_is_what_summing_it_up_gives(void **state)
{
    (void)state;
    static const double means[] = {.5, 2, 0, -.5, -3, -20};
    for (size_t i = 0; i < sizeof means / sizeof means[0]; i++) {
        const effect_belief b = plain(means[i], .5);
        const double expected = mean_by_sums(means[i], .5);
        /* far below, the leading term of a series: near, and not below 0 */
        const double slack = means[i] < -10 ? 2e-3 : 1e-4;
        if (fabs(effect_belief_mean(&b, 0) / expected - 1) > slack)
            fail_msg("%g: %g, not %g", means[i], effect_belief_mean(&b, 0), expected);
    }
}

static void quantiles_of_a_cut_scale_have_their_share_below(void **state)
{
    (void)state;
    for (double mean = -2; mean <= 2; mean += .5)
        for (double p = .025; p < 1; p += .095) {
            const effect_belief b = plain(mean, .5);
            const double x = effect_belief_quantile(&b, 0, p);
            const double cut = normal_below(-mean / .5);
            const double below = (normal_below((x - mean) / .5) - cut) / (1 - cut);
            assert_true(x >= 0);
            assert_true(fabs(below - p) < 1e-5);
        }
}

static void draws_have_the_mean_one_and_the_spread_believed(void **state)
{
    (void)state;
    static const double means[] = {.5, -1, -6};
    for (size_t i = 0; i < 3; i++) {
        effect_belief b = plain(means[i], .5);
        draws d;
        double sum[2] = {0, 0}, low = 0, both = 0;
        b.scale[1] = (effect_scale){.offset = .2, .pull = .6, .spread = .2};
        assert_int_equal(draws_new(&d, 4096, 2, 5, 1, NULL), PF_OK);
        effect_belief_draw(&b, &d);
        for (size_t n = 0; n < 4096; n++) {
            const double *x = d.value + 2 * n;
            assert_true(x[0] >= 0 && x[1] >= 0 && isfinite(x[0]) && isfinite(x[1]));
            sum[0] += x[0];
            sum[1] += x[1];
            both += (x[0] - 1) * (x[1] - 1);
            low += x[0] * effect_belief_mean(&b, 0) < effect_belief_quantile(&b, 0, .3);
        }
        assert_true(fabs(sum[0] / 4096 - 1) < .05 && fabs(sum[1] / 4096 - 1) < .05);
        assert_true(fabs(low / 4096 - .3) < .03);
        assert_true(both > 0); /* both rest on the same theta */
        draws_free(&d);
    }
}

/* A wide normal cut below 0 has a high mean: not knowing is no reason to believe more. */
static void a_kind_never_measured_is_believed_no_more_than_all_together(void **state)
{
    (void)state;
    effect_belief b = {.kinds = 1, .mean = 0.2, .deviation = 0.2, .between = 0.8};
    b.scale[0] = (effect_scale){.raw = NAN, .error = NAN, .pull = 1, .spread = 0.8};
    b.scale[1] = b.scale[0];
    const double all = effect_belief_mean(&b, 2);
    assert_true(effect_belief_mean(&b, 0) == all && effect_belief_mean(&b, 1) == all);
    b.scale[0].raw = 0.2;
    assert_true(effect_belief_mean(&b, 0) > all);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    static const double same[KINDS] = {.6, .6, .6};
    make(same, 1);
    fault f = {0};
    while (fault_next(&f)) {
        effect_belief b;
        const pf_status s = effect_belief_form(&b, &rows, top, bottom, NULL, &usual, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
        else assert_int_equal(s, PF_OK);
    }
    assert_true(f.n > 2 * KINDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ratio_has_the_error_that_resampling_shoppers_gives),
        cmocka_unit_test(a_bottom_that_may_be_nothing_gives_no_ratio),
        cmocka_unit_test(rows_that_are_left_out_do_not_count),
        cmocka_unit_test(kinds_that_do_not_differ_have_one_scale),
        cmocka_unit_test(kinds_that_differ_are_told_apart_and_drawn_together),
        cmocka_unit_test(a_kind_of_few_rows_is_believed_to_be_like_the_others),
        cmocka_unit_test(little_data_leave_the_prior_and_much_overrule_it),
        cmocka_unit_test(the_mean_of_a_cut_scale_is_what_summing_it_up_gives),
        cmocka_unit_test(quantiles_of_a_cut_scale_have_their_share_below),
        cmocka_unit_test(draws_have_the_mean_one_and_the_spread_believed),
        cmocka_unit_test(a_kind_never_measured_is_believed_no_more_than_all_together),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
