/*
 * The optimiser's curse in a made-up world: chances are foretold with errors, the best are chosen.
 * Its size is measured and taken away on campaigns that were not learnt from.
 */
#include "check.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "response/winners.h"

enum { PROMOTIONS = 20, SHOPPERS = 2000, CAMPAIGNS = 12 };

/* What one shopper is foretold and what is true, error of spread `noise`, right on average. */
static void make_shopper(random_stream *r, double noise, float p[PROMOTIONS],
                         double truth[PROMOTIONS])
{
    for (size_t k = 0; k < PROMOTIONS; k++) {
        truth[k] = 0.05 * exp(0.4 * random_normal(r) - 0.08);
        p[k] = (float)(truth[k] * exp(noise * random_normal(r) - noise * noise / 2));
    }
}

static size_t best_of(const float p[PROMOTIONS])
{
    size_t best = 0;
    for (size_t k = 1; k < PROMOTIONS; k++)
        best = p[k] > p[best] ? k : best;
    return best;
}

/* What a campaign's best pairs were foretold, shrunk by w before, and what came of them. */
static winners_cell make_campaign(uint64_t number, double noise, const winners *w)
{
    random_stream r = random_begin(77, number);
    winners_cell cell = {0, 0, 0};
    float p[PROMOTIONS];
    double truth[PROMOTIONS];
    for (size_t i = 0; i < SHOPPERS; i++) {
        make_shopper(&r, noise, p, truth);
        if (w != NULL) winners_apply(w, p, PROMOTIONS);
        size_t best = best_of(p);
        cell.foretold += (double)p[best];
        cell.answers += random_unit(&r) < truth[best];
        for (size_t k = 0; k < PROMOTIONS; k++)
            cell.mean += (double)p[k] / PROMOTIONS;
    }
    return cell;
}

static winners fit_past(double noise)
{
    winners_cell cell[CAMPAIGNS];
    winners w;
    for (uint64_t i = 0; i < CAMPAIGNS; i++)
        cell[i] = make_campaign(i, noise, NULL);
    assert_int_equal(winners_fit(&w, cell, CAMPAIGNS, NULL), PF_OK);
    return w;
}

static void the_curse_is_measured_and_taken_away(void **state)
{
    (void)state;
    winners w = fit_past(0.5);
    double before = 0, after = 0, answers = 0;
    for (uint64_t i = CAMPAIGNS; i < 2 * CAMPAIGNS; i++) {
        before += make_campaign(i, 0.5, NULL).foretold;
        winners_cell cell = make_campaign(i, 0.5, &w);
        after += cell.foretold;
        answers += cell.answers;
    }
    const double error = 1 / sqrt(answers), of_fit = w.factor_se / w.factor;
    if (before / answers < 1.3) fail_msg("a curse of %.2f is none", before / answers);
    if (fabs(after / answers - 1) > 3 * sqrt(error * error + of_fit * of_fit))
        fail_msg("%.1f foretold of the best, %.0f came", after, answers);
    assert_true(w.keep > 0.1 && w.keep < 0.9);
}

static void more_noise_is_more_curse(void **state)
{
    (void)state;
    double last = 1.01;
    for (int i = 0; i < 4; i++) {
        winners w = fit_past(0.2 * i + 0.1);
        assert_true(w.keep < last);
        last = w.keep;
    }
    assert_true(last < 0.5);
}

static void without_errors_nothing_is_shrunk_much(void **state)
{
    (void)state;
    winners w = fit_past(0);
    assert_true(w.keep > 0.9);
    assert_true(fabs(w.factor - 1) < 4 * w.factor_se);
}

static void sums_and_orders_stay(void **state)
{
    (void)state;
    const winners w = {.keep = 0.6};
    random_stream r = random_begin(5, 0);
    double truth[PROMOTIONS];
    for (int turn = 0; turn < 200; turn++) {
        float p[PROMOTIONS], q[PROMOTIONS];
        double sum = 0;
        make_shopper(&r, 1, p, truth);
        memcpy(q, p, sizeof q);
        winners_apply(&w, q, PROMOTIONS);
        for (size_t k = 0; k < PROMOTIONS; k++) {
            sum += (double)q[k] - (double)p[k];
            assert_true(q[k] >= 0);
            for (size_t j = 0; j < k; j++)
                assert_true(p[j] > p[k] ? q[j] >= q[k] : q[j] <= q[k]);
        }
        assert_true(fabs(sum) < 1e-6);
    }
}

static void best_pairs_that_brought_more_are_no_curse(void **state)
{
    (void)state;
    winners_cell cell[2] = {{10, 1, 40}, {20, 2, 30}};
    winners w;
    float p[3] = {0.1f, 0.3f, 0.2f}, same[3] = {0.1f, 0.3f, 0.2f};
    assert_int_equal(winners_fit(&w, cell, 2, NULL), PF_OK);
    assert_true(w.factor > 1 && fabs(w.keep - 1) <= 0);
    winners_apply(&w, p, 3);
    assert_memory_equal(p, same, sizeof p);
}

static void one_campaign_is_worth_little(void **state)
{
    (void)state;
    winners_cell cell[5] = {{1000, 100, 200}, {10, 1, 12}, {10, 1, 9}, {10, 1, 11}, {10, 1, 8}};
    winners w;
    assert_int_equal(winners_fit(&w, cell, 5, NULL), PF_OK);
    assert_true(w.factor > 0.5 && w.factor < 1); /* all together: 240 of 1,040 */
}

static void nothing_known_changes_nothing(void **state)
{
    (void)state;
    winners w;
    assert_int_equal(winners_fit(&w, NULL, 0, NULL), PF_OK);
    assert_true(fabs(w.keep - 1) <= 0 && fabs(w.factor - 1) <= 0);
    winners_cell flat = {3, 3, 1}; /* every pair alike: nothing is chosen */
    assert_int_equal(winners_fit(&w, &flat, 1, NULL), PF_OK);
    assert_true(fabs(w.keep - 1) <= 0);
    winners_cell nobody = {4, 1, 0}; /* no answer at all */
    assert_int_equal(winners_fit(&w, &nobody, 1, NULL), PF_OK);
    assert_true(w.keep >= 0 && w.keep < 1);
}

static void a_failed_allocation_is_told(void **state)
{
    (void)state;
    winners_cell cell = {4, 1, 2};
    winners w;
    mem_fail_at(1);
    assert_int_equal(winners_fit(&w, &cell, 1, NULL), PF_NO_MEMORY);
    mem_fail_at(0);
    assert_true(fabs(w.keep - 1) <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_curse_is_measured_and_taken_away),
        cmocka_unit_test(more_noise_is_more_curse),
        cmocka_unit_test(without_errors_nothing_is_shrunk_much),
        cmocka_unit_test(sums_and_orders_stay),
        cmocka_unit_test(best_pairs_that_brought_more_are_no_curse),
        cmocka_unit_test(one_campaign_is_worth_little),
        cmocka_unit_test(nothing_known_changes_nothing),
        cmocka_unit_test(a_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
