/* evaluate/off_policy.h: obp's values to 1e-9, truths of simulated shops, and what a log must
 * have. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "evaluate/off_policy.h"

enum { N = 500, K = 5 };

typedef struct golden {
    double logging[N * K], target[N * K], expected[N * K], truth[N * K];
    uint32_t action[N];
    double reward[N], propensity[N];
    off_policy_log log;
} golden;

static void assert_near(double value, double expected, double within)
{
    if (!(fabs(value - expected) <= within))
        fail_msg("%.17g is not %.17g", value, expected);
}

static void divide_by_sum(double *row)
{
    double sum = 0;
    for (int a = 0; a < K; a++)
        sum += row[a];
    for (int a = 0; a < K; a++)
        row[a] /= sum;
}

static void draw(golden *g, uint64_t i)
{
    const double at = golden_unit(i, 24);
    double sum = 0;
    uint32_t a = 0;
    for (int k = 0; k < K; k++) {
        sum += g->logging[i * K + (uint64_t)k];
        a += sum < at;
    }
    g->action[i] = a < K ? a : K - 1;
    g->propensity[i] = g->logging[i * K + g->action[i]];
    g->reward[i] = golden_unit(i, 25) < g->truth[i * K + g->action[i]];
}

/* The log of the golden values. */
static golden *golden_make(void)
{
    golden *g = malloc(sizeof *g);
    assert_non_null(g);
    for (uint64_t i = 0; i < N; i++) {
        for (uint64_t k = i * K; k < (i + 1) * K; k++) {
            g->logging[k] = golden_unit(k, 21) + 0.05;
            g->target[k] = golden_unit(k, 22) * golden_unit(k, 22) + 0.02;
            g->truth[k] = 0.1 + 0.5 * golden_unit(k, 23);
            g->expected[k] = g->truth[k] + 0.1 * (golden_unit(k, 26) - 0.5);
        }
        divide_by_sum(g->logging + i * K);
        divide_by_sum(g->target + i * K);
        draw(g, i);
    }
    g->log = (off_policy_log){.n = N,
                              .n_actions = K,
                              .action = g->action,
                              .reward = g->reward,
                              .propensity = g->propensity,
                              .target = g->target,
                              .expected = g->expected};
    return g;
}

static double value_of(const off_policy_log *log, off_policy_estimator e, double parameter)
{
    off_policy_plan plan = off_policy_plan_default();
    off_policy_value v;
    plan.estimator = e;
    plan.parameter = parameter;
    plan.replicates = 20;
    assert_int_equal(off_policy_estimate(log, &plan, &v, NULL), PF_OK);
    assert_true(v.low <= v.value && v.value <= v.high);
    return v.value;
}

static void values_agree_with_obp(void **state)
{
    (void)state;
    golden *g = golden_make();
    static const struct {
        off_policy_estimator e;
        double parameter, value;
    } cases[] = {
        {OFF_POLICY_DM, NAN, 0.34609795346217653},
        {OFF_POLICY_IPS, NAN, 0.3609921051766919},
        {OFF_POLICY_SNIPS, NAN, 0.33728000977335093},
        {OFF_POLICY_DR, NAN, 0.35414081345719794},
        {OFF_POLICY_SNDR, NAN, 0.3536125108689065},
        {OFF_POLICY_CLIPPED, 5, 0.35231189705336435},
        {OFF_POLICY_SWITCH, 1, 0.35026853910305206},
        {OFF_POLICY_SWITCH, 3, 0.35853850891365563},
        {OFF_POLICY_DROS, 1, 0.3511681067030159},
        {OFF_POLICY_DROS, 10, 0.3566047722933755},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_near(value_of(&g->log, cases[i].e, cases[i].parameter), cases[i].value, 1e-9);
    off_policy_support s;
    assert_int_equal(off_policy_check(&g->log, &s, NULL), PF_OK);
    assert_near(s.effective, 194.75462471397157, 1e-9);
    assert_near(s.largest_weight, 11.934202054826441, 1e-9);
    assert_false(s.few);
    free(g);
}

/* The policy that wrote the log is worth what came of it. */
static void the_logs_own_policy_is_worth_the_mean_reward(void **state)
{
    (void)state;
    golden *g = golden_make();
    double mean = 0;
    for (size_t i = 0; i < N; i++)
        mean += g->reward[i] / N;
    g->log.target = g->logging;
    assert_near(mean, 0.342, 1e-12);
    assert_near(value_of(&g->log, OFF_POLICY_IPS, NAN), mean, 1e-12);
    assert_near(value_of(&g->log, OFF_POLICY_SNIPS, NAN), mean, 1e-12);
    off_policy_support s;
    assert_int_equal(off_policy_check(&g->log, &s, NULL), PF_OK);
    assert_near(s.effective, N, 1e-6);
    assert_near(s.mean_weight, 1, 1e-12);
    free(g);
}

/* Without shrinking all doubly robust ones are one. */
static void shrinking_by_nothing_changes_nothing(void **state)
{
    (void)state;
    golden *g = golden_make();
    const double dr = value_of(&g->log, OFF_POLICY_DR, NAN);
    assert_near(value_of(&g->log, OFF_POLICY_SWITCH, INFINITY), dr, 1e-12);
    assert_near(value_of(&g->log, OFF_POLICY_DROS, INFINITY), dr, 1e-12);
    assert_near(value_of(&g->log, OFF_POLICY_CLIPPED, INFINITY),
                value_of(&g->log, OFF_POLICY_IPS, NAN), 1e-12);
    assert_near(value_of(&g->log, OFF_POLICY_DROS, 1e-12),
                value_of(&g->log, OFF_POLICY_DM, NAN), 1e-9);
    free(g);
}

/* A model that knows the truth leaves DR nothing to mend on average; one that is wrong is
 * mended; IPS needs none. Mean over many logs against the truth. */
static void estimates_are_right_on_average_whatever_the_model(void **state)
{
    (void)state;
    enum { LOGS = 400 };
    golden *g = golden_make();
    double truth = 0, sums[3] = {0};
    static const off_policy_estimator e[3] = {OFF_POLICY_IPS, OFF_POLICY_DR, OFF_POLICY_DM};
    for (size_t k = 0; k < (size_t)N * K; k++) {
        truth += g->target[k] * g->truth[k] / N;
        g->expected[k] = g->truth[k] + 0.2; /* wrong */
    }
    random_stream r = random_begin(11, 3);
    for (int log = 0; log < LOGS; log++) {
        for (size_t i = 0; i < N; i++) {
            const double at = random_unit(&r);
            double sum = 0;
            uint32_t a = 0;
            for (uint32_t k = 0; k + 1 < K; k++) {
                sum += g->logging[i * K + k];
                a += sum < at;
            }
            g->action[i] = a;
            g->propensity[i] = g->logging[i * K + a];
            g->reward[i] = random_unit(&r) < g->truth[i * K + a];
        }
        for (int k = 0; k < 3; k++)
            sums[k] += value_of(&g->log, e[k], NAN) / LOGS;
    }
    assert_near(sums[0], truth, 0.006);
    assert_near(sums[1], truth, 0.006);
    assert_near(sums[2], truth + 0.2, 1e-9);
    free(g);
}

static void the_parameter_is_chosen_from_the_log(void **state)
{
    (void)state;
    golden *g = golden_make();
    static const off_policy_rule rules[] = {OFF_POLICY_BY_ERROR, OFF_POLICY_BY_BOUND,
                                            OFF_POLICY_BY_INTERVALS};
    static const off_policy_estimator e[] = {OFF_POLICY_SWITCH, OFF_POLICY_DROS,
                                             OFF_POLICY_CLIPPED};
    off_policy_plan plan = off_policy_plan_default();
    plan.replicates = 50;
    for (int i = 0; i < 9; i++) {
        off_policy_value v, again;
        plan.estimator = e[i / 3];
        plan.rule = rules[i % 3];
        plan.parameter = NAN;
        assert_int_equal(off_policy_estimate(&g->log, &plan, &v, NULL), PF_OK);
        assert_true(v.parameter > 0);
        plan.parameter = v.parameter;
        assert_int_equal(off_policy_estimate(&g->log, &plan, &again, NULL), PF_OK);
        assert_true(again.value == v.value && again.low == v.low && again.high == v.high);
    }
    free(g);
}

/* A policy against itself differs by nothing, against another by the difference of values. */
static void differences_are_paired(void **state)
{
    (void)state;
    golden *g = golden_make();
    off_policy_plan plan = off_policy_plan_default();
    off_policy_value v;
    plan.estimator = OFF_POLICY_DR;
    plan.replicates = 200;
    assert_int_equal(off_policy_difference(&g->log, g->target, &plan, &v, NULL), PF_OK);
    assert_true(v.value == 0 && v.low == 0 && v.high == 0);
    assert_int_equal(off_policy_difference(&g->log, g->logging, &plan, &v, NULL), PF_OK);
    const double mine = value_of(&g->log, OFF_POLICY_DR, NAN);
    g->log.target = g->logging;
    assert_near(v.value, mine - value_of(&g->log, OFF_POLICY_DR, NAN), 1e-12);
    free(g);
}

/* Decisions of one shopper are no new evidence: the interval knows. */
static void an_interval_is_over_shoppers(void **state)
{
    (void)state;
    golden *g = golden_make();
    uint32_t shopper[N];
    off_policy_plan plan = off_policy_plan_default();
    off_policy_value alone, together;
    plan.estimator = OFF_POLICY_IPS;
    for (size_t i = 0; i < N; i++) {
        const size_t first = i / 10 * 10; /* ten copies of one decision */
        shopper[i] = (uint32_t)(i / 10);
        g->action[i] = g->action[first];
        g->reward[i] = g->reward[first];
        g->propensity[i] = g->propensity[first];
        memcpy(g->target + i * K, g->target + first * K, K * sizeof(double));
    }
    assert_int_equal(off_policy_estimate(&g->log, &plan, &alone, NULL), PF_OK);
    g->log.shopper = shopper;
    assert_int_equal(off_policy_estimate(&g->log, &plan, &together, NULL), PF_OK);
    assert_true(together.value == alone.value);
    assert_true(together.standard_error > 2.5 * alone.standard_error);
    free(g);
}

static void a_policy_that_the_log_hardly_tried_is_told(void **state)
{
    (void)state;
    golden *g = golden_make();
    off_policy_support s;
    for (size_t i = 0; i < N; i++)
        for (uint32_t a = 0; a < K; a++)
            g->target[i * K + a] = i < 40 && a == g->action[i] ? 1 : 0;
    for (size_t i = 40; i < N; i++)
        g->target[i * K + (g->action[i] + 1) % K] = 1;
    assert_int_equal(off_policy_check(&g->log, &s, NULL), PF_OK);
    assert_true(s.effective <= 40 && s.few);
    for (size_t i = 0; i < N; i++)
        g->reward[i] = 1;
    off_policy_plan plan = off_policy_plan_default();
    off_policy_value v;
    plan.estimator = OFF_POLICY_SNIPS;
    assert_int_equal(off_policy_estimate(&g->log, &plan, &v, NULL), PF_OK);
    assert_true(v.without_spread && v.support.few);
    free(g);
}

typedef void spoil(golden *g);
static void no_rows(golden *g) { g->log.n = 0; }
static void no_propensities(golden *g) { g->log.propensity = NULL; }
static void zero_propensity(golden *g) { g->propensity[6] = 0; }
static void large_propensity(golden *g) { g->propensity[6] = 1.5; }
static void nan_propensity(golden *g) { g->propensity[6] = NAN; }
static void no_action(golden *g) { g->action[6] = K; }
static void no_reward(golden *g) { g->reward[6] = NAN; }
static void no_expectation(golden *g) { g->expected[6 * K + 2] = INFINITY; }
static void short_target(golden *g) { g->target[6 * K] += 0.1; }
static void negative_target(golden *g)
{
    g->target[6 * K + 1] += g->target[6 * K] + 0.5;
    g->target[6 * K] = -0.5;
}
static void never_taken(golden *g)
{
    for (size_t i = 0; i < N; i++)
        for (uint32_t a = 0; a < K; a++)
            g->target[i * K + a] = a == (g->action[i] + 1) % K;
}

static void what_a_log_must_have_is_said(void **state)
{
    (void)state;
    static const struct {
        spoil *spoil;
        const char *where, *what;
    } cases[] = {
        {no_rows, "log", "no decisions"},
        {no_propensities, "no propensities", "exploration"},
        {zero_propensity, "decision 7", "propensity 0"},
        {large_propensity, "decision 7", "propensity 1.5"},
        {nan_propensity, "decision 7", "propensity nan"},
        {no_action, "decision 7", "action 5 of 5"},
        {no_reward, "decision 7", "reward"},
        {no_expectation, "decision 7", "action 2"},
        {short_target, "decision 7", "sum to 1.1"},
        {negative_target, "decision 7", "probability -0.5"},
        {never_taken, "never took", "support"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        golden *g = golden_make();
        off_policy_plan plan = off_policy_plan_default();
        off_policy_value v;
        pf_error err = {0};
        cases[i].spoil(g);
        assert_int_equal(off_policy_estimate(&g->log, &plan, &v, &err), PF_DATA);
        if (strstr(err.message, cases[i].where) == NULL ||
            strstr(err.message, cases[i].what) == NULL)
            fail_msg("'%s' does not say '%s' and '%s'", err.message, cases[i].where,
                     cases[i].what);
        free(g);
    }
}

static void what_an_estimator_needs_is_said(void **state)
{
    (void)state;
    golden *g = golden_make();
    off_policy_plan plan = off_policy_plan_default();
    off_policy_value v;
    pf_error err = {0};
    g->log.expected = NULL;
    assert_int_equal(off_policy_estimate(&g->log, &plan, &v, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "dros needs what a model expects"));
    plan.estimator = OFF_POLICY_CLIPPED;
    plan.parameter = -1;
    assert_int_equal(off_policy_estimate(&g->log, &plan, &v, &err), PF_USAGE);
    plan.parameter = 2;
    g->target[0] = 0.9;
    assert_int_equal(off_policy_difference(&g->log, g->target, &plan, &v, &err), PF_DATA);
    free(g);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    golden *g = golden_make();
    off_policy_plan plan = off_policy_plan_default();
    fault f = {0};
    plan.replicates = 20;
    while (fault_next(&f)) {
        off_policy_value v;
        pf_status s = off_policy_difference(&g->log, g->logging, &plan, &v, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
    }
    assert_true(f.n > 8);
    free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_agree_with_obp),
        cmocka_unit_test(the_logs_own_policy_is_worth_the_mean_reward),
        cmocka_unit_test(shrinking_by_nothing_changes_nothing),
        cmocka_unit_test(estimates_are_right_on_average_whatever_the_model),
        cmocka_unit_test(the_parameter_is_chosen_from_the_log),
        cmocka_unit_test(differences_are_paired),
        cmocka_unit_test(an_interval_is_over_shoppers),
        cmocka_unit_test(a_policy_that_the_log_hardly_tried_is_told),
        cmocka_unit_test(what_a_log_must_have_is_said),
        cmocka_unit_test(what_an_estimator_needs_is_said),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
