/* measure/uplift_money.h: money curves of worlds whose truth is known, against a naive twin, and
 * verdicts that promise nothing on the rows they were picked on. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "measure/uplift_money.h"

enum { N = 8000 };

typedef struct world {
    double score[N], y[N], propensity[N];
    uint8_t treated[N];
    uint32_t shopper[N];
} world;

static world *memory(void)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    return w;
}

/* The best `moved` of shoppers (by score) buy with .5 more when treated; the others never change.
 * Treatment is as likely as `often` says, of the best half and of the others. */
static world *make(double moved, const double often[2], uint64_t seed)
{
    world *w = memory();
    random_stream r = random_begin(seed, 0);
    for (size_t i = 0; i < N; i++) {
        w->score[i] = random_unit(&r);
        w->propensity[i] = often[w->score[i] < 0.5];
        w->treated[i] = random_unit(&r) < w->propensity[i];
        const double p = 0.1 + 0.3 * w->score[i] +
                         (w->treated[i] && w->score[i] > 1 - moved ? 0.5 : 0);
        w->y[i] = random_unit(&r) < p;
        w->shopper[i] = (uint32_t)i;
    }
    return w;
}

static const double even[2] = {0.5, 0.5};

static uplift_money_rows rows_of(const world *w, double margin, double cost)
{
    return (uplift_money_rows){.score = w->score, .treated = w->treated, .y = w->y,
                               .shopper = w->shopper, .n = N, .margin = margin, .cost = cost};
}

static uplift_money_options quick(void)
{
    uplift_money_options o = uplift_money_options_default();
    o.replicates = 200;
    return o;
}

static uplift_money measure(const uplift_money_rows *rows)
{
    uplift_money m;
    pf_error err = {0};
    const uplift_money_options o = quick();
    if (uplift_money_measure(rows, &o, &m, &err) != PF_OK) fail_msg("%s", err.message);
    return m;
}

static void assert_near(double value, double expected, double within)
{
    if (!(fabs(value - expected) <= within))
        fail_msg("%.17g is not %.17g", value, expected);
}

static void the_share_that_is_moved_is_found_and_its_profit(void **state)
{
    (void)state;
    world *w = make(0.3, even, 1);
    const uplift_money_rows rows = rows_of(w, 10, 0.5);
    const uplift_money m = measure(&rows);
    char words[300];
    /* Of 1,000: 300 contacted, half of them buy more for 10 each, every contact costs .50. */
    assert_int_equal(m.verdict, UPLIFT_PAYS);
    assert_near(m.best_share, 0.3, 0.0501);
    assert_true(m.judged.low < 1350 && m.judged.high > 1000);
    assert_true(m.profit[5].low < 1350 && 1350 < m.profit[5].high); /* 30 % */
    assert_true(m.profit[19].low < 1000 && 1000 < m.profit[19].high);
    uplift_money_say(&m, 0.95, words, sizeof words);
    assert_non_null(strstr(words, "send to the best 30 %: +1"));
    assert_non_null(strstr(words, "per 1,000 shoppers, 95 % interval 1"));
    free(w);
}

/* Straight from the definition, for scores that are all different. */
static double naive_profit(const uplift_money_rows *r, double share)
{
    double sum[2] = {0, 0}, mass[2] = {0, 0};
    for (size_t i = 0; i < r->n; i++) {
        size_t better = 0;
        for (size_t j = 0; j < r->n; j++)
            better += r->score[j] > r->score[i];
        const double in = fmin(1, fmax(0, share * (double)r->n - (double)better));
        const double e = r->propensity ? r->propensity[i] : 0.5;
        const double k = in / (r->treated[i] ? e : 1 - e);
        mass[r->treated[i]] += k;
        sum[r->treated[i]] += k * r->y[i];
    }
    return 1000 * share * (r->margin * (sum[1] / mass[1] - sum[0] / mass[0]) - r->cost);
}

static void the_curve_is_its_definition(void **state)
{
    (void)state;
    static const double uneven[2] = {0.7, 0.2};
    world *w = make(0.4, uneven, 2);
    uplift_money_rows rows = rows_of(w, 3, 0.1);
    for (int known = 0; known < 2; known++) {
        rows.propensity = known ? w->propensity : NULL;
        rows.n = 503; /* shares end within a row */
        const uplift_money m = measure(&rows);
        for (int k = 0; k < UPLIFT_MONEY_SHARES; k++)
            assert_near(m.profit[k].value, naive_profit(&rows, m.share[k]), 1e-8);
    }
    free(w);
}

static void rows_in_another_order_and_ties_give_the_same_money(void **state)
{
    (void)state;
    world *w = make(0.4, even, 3), *moved = memory();
    for (size_t i = 0; i < N; i++)
        w->score[i] = floor(7 * w->score[i]);
    for (size_t i = 0; i < N; i++) {
        const size_t from = (i * 7 + 3) % N;
        moved->score[i] = w->score[from];
        moved->y[i] = w->y[from];
        moved->treated[i] = w->treated[from];
        moved->shopper[i] = w->shopper[from];
    }
    const uplift_money_rows a = rows_of(w, 3, 0.1), b = rows_of(moved, 3, 0.1);
    const uplift_money one = measure(&a), two = measure(&b);
    for (int k = 0; k < UPLIFT_MONEY_SHARES; k++)
        assert_near(one.profit[k].value, two.profit[k].value, 1e-8);
    assert_near(one.best_share, two.best_share, 1e-12);
    assert_near(one.judged.value, two.judged.value, 1e-8);
    free(w);
    free(moved);
}

/* All scores equal: any share brings its part of everybody. */
static void a_score_without_opinion_brings_in_proportion(void **state)
{
    (void)state;
    world *w = make(0.4, even, 4);
    for (size_t i = 0; i < N; i++)
        w->score[i] = 1;
    const uplift_money_rows rows = rows_of(w, 3, 0.1);
    const uplift_money m = measure(&rows);
    for (int k = 0; k < UPLIFT_MONEY_SHARES; k++)
        assert_near(m.profit[k].value, m.share[k] * m.profit[19].value, 1e-8);
    free(w);
}

/* Who is likelier to be treated buys more anyway: only propensities tell that from effect. */
static void propensities_undo_who_was_likelier_to_be_treated(void **state)
{
    (void)state;
    static const double uneven[2] = {0.8, 0.2};
    world *w = make(0, uneven, 5);
    uplift_money_rows rows = rows_of(w, 10, 0);
    const double blind = measure(&rows).profit[19].value;
    rows.propensity = w->propensity;
    const uplift_money m = measure(&rows);
    assert_true(blind > 400);
    assert_true(m.profit[19].low < 0 && m.profit[19].high > 0);
    free(w);
}

/* Where treatment does nothing, a share is always the best one by chance; the rows that picked
 * it would call it good far more often than the level allows. */
static void chance_seldom_pays(void **state)
{
    (void)state;
    int pays = 0, promised = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        world *w = make(0, even, 100 + seed);
        uplift_money_rows rows = rows_of(w, 10, 0);
        rows.n = 1500;
        const uplift_money m = measure(&rows);
        pays += m.verdict == UPLIFT_PAYS;
        promised += m.promised > 0;
        assert_true(m.verdict != UPLIFT_NO_SHARE || m.best_share == 0);
        free(w);
    }
    assert_true(promised > 25);
    assert_true(pays <= 4);
}

static void dear_contacts_are_advised_against(void **state)
{
    (void)state;
    char words[300];
    world *w = make(0.3, even, 6);
    const uplift_money_rows rows = rows_of(w, 1, 5);
    uplift_money m = measure(&rows);
    assert_int_equal(m.verdict, UPLIFT_NO_SHARE);
    assert_true(m.best_share == 0 && m.profit[19].high < 0);
    assert_non_null(strstr(uplift_money_say(&m, 0.95, words, sizeof words), "do not send"));
    m = (uplift_money){.verdict = UPLIFT_UNCERTAIN, .best_share = 0.2,
                       .judged = {.value = 3, .low = -1, .high = 7}};
    uplift_money_say(&m, 0.9, words, sizeof words);
    assert_string_equal(words, "no share pays for certain: the best 20 % brought +3.00 per 1,000 "
                               "shoppers, 90 % interval -1.00 to 7.00, which holds 0");
    m.verdict = UPLIFT_LOSES;
    assert_non_null(strstr(uplift_money_say(&m, 0.95, words, sizeof words), "do not send"));
    free(w);
}

/* Ten rows of each shopper are one shopper's: the interval must not shrink by them. */
static void rows_of_a_shopper_count_once(void **state)
{
    (void)state;
    world *w = make(0.3, even, 7), *copies = memory();
    uplift_money_rows once = rows_of(w, 10, 0.5);
    once.n = N / 10;
    for (size_t i = 0; i < N; i++) {
        copies->score[i] = w->score[i / 10];
        copies->y[i] = w->y[i / 10];
        copies->treated[i] = w->treated[i / 10];
        copies->shopper[i] = w->shopper[i / 10];
    }
    const uplift_money_rows often = rows_of(copies, 10, 0.5);
    const uplift_money a = measure(&once), b = measure(&often);
    assert_near(b.profit[9].standard_error, a.profit[9].standard_error,
                1e-6 * a.profit[9].standard_error);
    assert_near(b.judged.high, a.judged.high, 1e-6 * fabs(a.judged.high));
    free(w);
    free(copies);
}

static void assert_refused(const uplift_money_rows *rows, pf_status code, const char *word)
{
    uplift_money m;
    pf_error err = {0};
    const uplift_money_options o = quick();
    assert_int_equal(uplift_money_measure(rows, &o, &m, &err), code);
    if (!strstr(err.message, word)) fail_msg("'%s' does not say '%s'", err.message, word);
}

static void what_cannot_be_measured_is_told(void **state)
{
    (void)state;
    world *w = make(0.3, even, 8);
    uplift_money_rows rows = rows_of(w, 10, -1);
    assert_refused(&rows, PF_USAGE, "cost");
    rows.cost = 1;
    rows.margin = NAN;
    assert_refused(&rows, PF_USAGE, "margin");
    rows.margin = 1;
    w->propensity[3] = 1;
    rows.propensity = w->propensity;
    assert_refused(&rows, PF_DATA, "propensity of row 3");
    rows.propensity = NULL;
    w->score[5] = NAN;
    assert_refused(&rows, PF_DATA, "score of row 5");
    w->score[5] = 0;
    w->y[6] = INFINITY;
    assert_refused(&rows, PF_DATA, "outcome of row 6");
    w->y[6] = 0;
    rows.n = 0;
    assert_refused(&rows, PF_DATA, "no row got");
    rows.n = 3;
    for (int i = 0; i < 3; i++) {
        w->treated[i] = i > 0;
        w->y[i] = i;
    }
    assert_refused(&rows, PF_DATA, "too few");
    rows.n = N;
    memset(w->treated, 1, sizeof w->treated);
    assert_refused(&rows, PF_DATA, "holdout");
    w->treated[0] = 0;
    memset(w->y, 0, sizeof w->y);
    assert_refused(&rows, PF_DATA, "outcomes are 0");
    free(w);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    world *w = make(0.3, even, 9);
    uplift_money_rows rows = rows_of(w, 10, 0.5);
    uplift_money_options o = quick();
    rows.n = 300;
    o.replicates = 4;
    fault f = {0};
    while (fault_next(&f)) {
        uplift_money m;
        pf_status s = uplift_money_measure(&rows, &o, &m, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
    }
    assert_true(f.n > 20);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_share_that_is_moved_is_found_and_its_profit),
        cmocka_unit_test(the_curve_is_its_definition),
        cmocka_unit_test(rows_in_another_order_and_ties_give_the_same_money),
        cmocka_unit_test(a_score_without_opinion_brings_in_proportion),
        cmocka_unit_test(propensities_undo_who_was_likelier_to_be_treated),
        cmocka_unit_test(chance_seldom_pays),
        cmocka_unit_test(dear_contacts_are_advised_against),
        cmocka_unit_test(rows_of_a_shopper_count_once),
        cmocka_unit_test(what_cannot_be_measured_is_told),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
