/* evaluate/off_policy.h: obp's values to 1e-9, truths of simulated shops, and what a log must
 * have. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "evaluate/off_policy.h"
#include "evaluate/reward_model.h"

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
    char words[256], cut[8];
    s = (off_policy_support){.n = N, .effective = 40, .mean_weight = 1, .few = true};
    assert_non_null(strstr(off_policy_warning(&s, words, sizeof words), "do not decide by this"));
    assert_int_equal(strlen(off_policy_warning(&s, cut, sizeof cut)), 7);
    free(g);
}

/* Propensities of another policy than the one that decided give weights that do not average 1. */
static void propensities_that_are_not_the_logs_are_told(void **state)
{
    (void)state;
    golden *g = golden_make();
    off_policy_support s;
    char words[256];
    assert_int_equal(off_policy_check(&g->log, &s, NULL), PF_OK);
    assert_false(s.off);
    assert_string_equal(off_policy_warning(&s, words, sizeof words), "");
    for (size_t i = 0; i < N; i++)
        g->propensity[i] = fmin(1, g->propensity[i] * 2);
    assert_int_equal(off_policy_check(&g->log, &s, NULL), PF_OK);
    assert_true(s.off);
    assert_non_null(strstr(off_policy_warning(&s, words, sizeof words), "Do not use"));
    free(g);
}

/* ---- our own model ---- */

/* The golden world with a feature that matters: the reward of action a is a + x (1 + a / 4). */
static void make_lines(golden *g, double *x, double noise, uint64_t seed)
{
    random_stream r = random_begin(seed, 5);
    for (size_t i = 0; i < N; i++) {
        x[i] = 3 + 2 * random_normal(&r);
        const uint32_t a = g->action[i];
        g->reward[i] = a + x[i] * (1 + a / 4.0) + noise * random_normal(&r);
        for (uint32_t k = 0; k < K; k++)
            g->expected[i * K + k] = k + x[i] * (1 + k / 4.0);
    }
    g->log.features = x;
    g->log.n_features = 1;
}

static void the_model_finds_every_actions_line(void **state)
{
    (void)state;
    golden *g = golden_make();
    double x[N], q[K];
    reward_model m;
    make_lines(g, x, .1, 1);
    const reward_rows rows = {N, K, 1, g->action, g->reward, x, NULL};
    assert_int_equal(reward_model_fit(&m, &rows, NULL, NULL), PF_OK);
    for (size_t i = 0; i < N; i++) {
        reward_model_expect(&m, &rows, i, q);
        for (uint32_t k = 0; k < K; k++)
            assert_near(q[k], g->expected[i * K + k], .2);
    }
    reward_model_free(&m);
    free(g);
}

/* What is expected of a decision does not change with its own reward. */
static void no_decision_foretells_itself(void **state)
{
    (void)state;
    golden *g = golden_make();
    uint32_t shopper[N];
    double before[K], after[K];
    reward_model m;
    for (size_t i = 0; i < N; i++)
        shopper[i] = (uint32_t)i / 4;
    reward_rows rows = {N, K, 0, g->action, g->reward, NULL, NULL};
    for (int with = 0; with < 2; with++) {
        rows.shopper = with ? shopper : NULL;
        assert_int_equal(reward_model_fit(&m, &rows, NULL, NULL), PF_OK);
        reward_model_expect(&m, &rows, 40, before);
        reward_model_free(&m);
        for (size_t i = 40; i < (with ? 44 : 41); i++)
            g->reward[i] += 100;
        assert_int_equal(reward_model_fit(&m, &rows, NULL, NULL), PF_OK);
        reward_model_expect(&m, &rows, 40, after);
        assert_memory_equal(before, after, sizeof before);
        /* while of others, in other parts, it does */
        size_t others = 0;
        for (size_t i = 0; i < N; i++) {
            reward_model_expect(&m, &rows, i, after);
            others += fabs(after[0] - before[0]) > 1e-3;
        }
        assert_true(others > N / 2 && others < N);
        reward_model_free(&m);
    }
    free(g);
}

/* Counting a row twice is having it twice. */
static void a_weight_is_a_count(void **state)
{
    (void)state;
    enum { M = REWARD_MODEL_FOLDS };
    golden *g = golden_make();
    static double reward[2 * N], x[2 * N], weight[N];
    static uint32_t action[2 * N], shopper[2 * N];
    double q[K], doubled[K];
    reward_model one, two;
    for (size_t i = 0; i < 2 * N; i++) {
        action[i] = g->action[i % N];
        x[i] = golden_unit(i % N, 40);
        reward[i] = g->reward[i % N] + x[i];
        shopper[i] = (uint32_t)(i % N);
        weight[i % N] = i % N < 50 ? 2 : 1;
    }
    const reward_rows short_rows = {N, K, 1, action, reward, x, shopper};
    const reward_rows long_rows = {N + 50, K, 1, action, reward, x, shopper};
    assert_int_equal(reward_model_fit(&one, &short_rows, weight, NULL), PF_OK);
    assert_int_equal(reward_model_fit(&two, &long_rows, NULL, NULL), PF_OK);
    for (size_t i = 0; i < M; i++) {
        reward_model_expect(&one, &short_rows, i, q);
        reward_model_expect(&two, &long_rows, i, doubled);
        for (uint32_t k = 0; k < K; k++)
            assert_near(q[k], doubled[k], 1e-9);
    }
    reward_model_free(&one);
    reward_model_free(&two);
    free(g);
}

/* An action without decisions is expected to be like the others; a constant feature says
 * nothing. */
static void what_was_never_tried_is_like_the_rest(void **state)
{
    (void)state;
    golden *g = golden_make();
    double q[K], same[N], least = INFINITY, most = -INFINITY;
    reward_model m;
    for (size_t i = 0; i < N; i++) {
        same[i] = 7;
        g->action[i] = g->action[i] == 2 ? 3 : g->action[i];
    }
    const reward_rows rows = {N, K, 1, g->action, g->reward, same, NULL};
    assert_int_equal(reward_model_fit(&m, &rows, NULL, NULL), PF_OK);
    reward_model_expect(&m, &rows, 0, q);
    for (uint32_t k = 0; k < K; k++) {
        if (k != 2) least = fmin(least, q[k]);
        if (k != 2) most = fmax(most, q[k]);
    }
    assert_true(least <= q[2] && q[2] <= most && least > 0);
    reward_model_free(&m);
    reward_rows wide = rows;
    wide.n_features = REWARD_MODEL_FEATURES_MAX + 1;
    assert_int_equal(reward_model_fit(&m, &wide, NULL, NULL), PF_LIMIT);
    assert_null(m.beta);
    free(g);
}

/* With our model of a line that is one, all that is left of DR's error is noise: it agrees with a
 * perfect model, and far better than IPS, and its interval holds the truth. */
static void a_caller_needs_only_features(void **state)
{
    (void)state;
    golden *g = golden_make();
    double x[N], truth = 0;
    off_policy_plan plan = off_policy_plan_default();
    off_policy_value own, ips;
    make_lines(g, x, .1, 2);
    for (size_t k = 0; k < (size_t)N * K; k++)
        truth += g->target[k] * g->expected[k] / N;
    const double perfect = value_of(&g->log, OFF_POLICY_DR, NAN);
    g->log.expected = NULL;
    plan.replicates = 100;
    plan.estimator = OFF_POLICY_DR;
    assert_int_equal(off_policy_estimate(&g->log, &plan, &own, NULL), PF_OK);
    plan.estimator = OFF_POLICY_IPS;
    assert_int_equal(off_policy_estimate(&g->log, &plan, &ips, NULL), PF_OK);
    assert_near(own.value, perfect, .05);
    assert_near(own.value, truth, .05);
    assert_true(own.low < truth && truth < own.high);
    assert_true(own.standard_error < ips.standard_error / 3);
    free(g);
}

/* A model that is right leaves DR nothing to mend: it is DM. */
static void with_a_perfect_model_all_agree(void **state)
{
    (void)state;
    golden *g = golden_make();
    double x[N];
    make_lines(g, x, 0, 3);
    const double dm = value_of(&g->log, OFF_POLICY_DM, NAN);
    assert_near(value_of(&g->log, OFF_POLICY_DR, NAN), dm, 1e-9);
    assert_near(value_of(&g->log, OFF_POLICY_SNDR, NAN), dm, 1e-9);
    assert_near(value_of(&g->log, OFF_POLICY_DROS, NAN), dm, 1e-9);
    assert_near(value_of(&g->log, OFF_POLICY_SWITCH, NAN), dm, 1e-9);
    free(g);
}

/* Twice the reward is twice the value, one more is one more where weights sum to one; the order of
 * decisions and the numbers of actions do not matter. */
static void values_follow_the_rewards(void **state)
{
    (void)state;
    golden *g = golden_make(), *other = golden_make();
    g->log.expected = other->log.expected = NULL;
    for (size_t i = 0; i < N; i++)
        other->reward[i] = 2 * g->reward[i] + 1;
    static const off_policy_estimator e[] = {OFF_POLICY_SNIPS, OFF_POLICY_SNDR, OFF_POLICY_DM,
                                             OFF_POLICY_DR};
    for (int i = 0; i < 4; i++)
        assert_near(value_of(&other->log, e[i], NAN), 2 * value_of(&g->log, e[i], NAN) + 1, 1e-6);
    for (size_t i = 0; i < N; i++) {
        const size_t from = N - 1 - i;
        other->action[i] = K - 1 - g->action[from];
        other->reward[i] = g->reward[from];
        other->propensity[i] = g->propensity[from];
        for (size_t k = 0; k < K; k++)
            other->target[i * K + k] = g->target[from * K + K - 1 - k];
    }
    assert_near(value_of(&other->log, OFF_POLICY_IPS, NAN), value_of(&g->log, OFF_POLICY_IPS, NAN),
                1e-12);
    /* N is a multiple of the folds: reversed, they are the same ones in reverse. */
    assert_near(value_of(&other->log, OFF_POLICY_DR, NAN), value_of(&g->log, OFF_POLICY_DR, NAN),
                1e-9);
    free(g);
    free(other);
}

/* Threads change nothing. */
static void threads_change_no_bit(void **state)
{
    (void)state;
    golden *g = golden_make();
    off_policy_plan plan = off_policy_plan_default();
    off_policy_value alone, together;
    g->log.expected = NULL;
    plan.replicates = 64;
    assert_int_equal(off_policy_estimate(&g->log, &plan, &alone, NULL), PF_OK);
    plan.threads = pool_new(3);
    assert_int_equal(off_policy_estimate(&g->log, &plan, &together, NULL), PF_OK);
    pool_free(plan.threads);
    assert_true(alone.value == together.value && alone.low == together.low &&
                alone.high == together.high);
    free(g);
}

/* A rare reward with a weight that the sample never paid: the interval reaches what could be. */
static void an_interval_knows_of_weights_that_brought_nothing(void **state)
{
    (void)state;
    golden *g = golden_make();
    off_policy_plan plan = off_policy_plan_default();
    off_policy_value v;
    for (size_t i = 0; i < N; i++) {
        g->reward[i] = i % 50 == 0;
        g->action[i] = i % 50 == 7;
        g->propensity[i] = i % 50 == 7 ? .02 : .98;
        for (uint32_t k = 0; k < K; k++)
            g->target[i * K + k] = k < 2 ? .5 : 0;
    }
    plan.estimator = OFF_POLICY_IPS;
    assert_int_equal(off_policy_estimate(&g->log, &plan, &v, NULL), PF_OK);
    assert_near(v.value, .5 / .98 / 50, 1e-9);
    /* The ten rows of weight 25 had no reward; one of them would have brought .05. */
    assert_true(v.high > .04);
    assert_true(v.low == 0);
    free(g);
}

/* Where an estimator divides by its own weights, a constant more of every reward is that constant
 * more, and no less sure. */
static void a_constant_reward_makes_nothing_less_sure(void **state)
{
    (void)state;
    golden *g = golden_make();
    off_policy_plan plan = off_policy_plan_default();
    off_policy_value before, after;
    plan.replicates = 100;
    plan.estimator = OFF_POLICY_SNIPS;
    assert_int_equal(off_policy_estimate(&g->log, &plan, &before, NULL), PF_OK);
    for (size_t i = 0; i < N; i++)
        g->reward[i] += 1000;
    assert_int_equal(off_policy_estimate(&g->log, &plan, &after, NULL), PF_OK);
    assert_near(after.value, before.value + 1000, 1e-9);
    assert_near(after.standard_error, before.standard_error, 1e-9);
    assert_int_equal(off_policy_difference(&g->log, g->logging, &plan, &after, NULL), PF_OK);
    assert_true(after.standard_error < 2 * before.standard_error);
    free(g);
}

/* Several at once are what each is by itself, bit by bit, and so are their differences. */
static void compared_together_nothing_changes(void **state)
{
    (void)state;
    golden *g = golden_make();
    off_policy_plan plan = off_policy_plan_default();
    off_policy_value values[3], differences[3], alone;
    double one[N * K];
    plan.replicates = 40;
    g->log.expected = NULL;
    for (size_t i = 0; i < N * K; i++)
        one[i] = i % K == 1;
    const double *targets[3] = {g->target, g->logging, one};
    assert_int_equal(off_policy_compare(&g->log, targets, 3, 1, &plan, values, differences, NULL),
                     PF_OK);
    for (size_t j = 0; j < 3; j++) {
        g->log.target = targets[j];
        assert_int_equal(off_policy_estimate(&g->log, &plan, &alone, NULL), PF_OK);
        assert_true(alone.value == values[j].value && alone.low == values[j].low &&
                    alone.high == values[j].high && alone.parameter == values[j].parameter);
        assert_true(alone.support.effective == values[j].support.effective);
        assert_int_equal(off_policy_difference(&g->log, g->logging, &plan, &alone, NULL), PF_OK);
        assert_true(alone.value == differences[j].value && alone.low == differences[j].low &&
                    alone.high == differences[j].high);
        assert_true(alone.support.effective == differences[j].support.effective);
    }
    assert_true(differences[1].value == 0 && differences[1].standard_error == 0);
    assert_int_equal(off_policy_compare(&g->log, targets, 3, 3, &plan, values, differences, NULL),
                     PF_USAGE);
    assert_int_equal(off_policy_compare(&g->log, targets, 0, 0, &plan, values, differences, NULL),
                     PF_USAGE);
    free(g);
}

typedef void spoil(golden *g);
static void all_equal(golden *g)
{
    for (size_t i = 0; i < N; i++)
        g->reward[i] = 3;
}
static void action_never_taken(golden *g)
{
    for (size_t i = 0; i < N; i++) {
        g->action[i] = g->action[i] == 4 ? 0 : g->action[i];
        g->propensity[i] = g->logging[i * K + g->action[i]];
    }
}
static void impossible_action(golden *g)
{
    g->log.logging = g->logging;
    const uint32_t other = g->action[6] == 0 ? 1 : 0;
    for (uint32_t k = 0; k < K; k++)
        g->logging[6 * K + k] = g->target[6 * K + k] = 0;
    g->logging[6 * K + g->action[6]] = g->propensity[6] = 1;
    g->target[6 * K + other] = 1;
}
static void short_logging(golden *g)
{
    g->log.logging = g->logging;
    g->logging[6 * K + (g->action[6] + 1) % K] += .25;
}
static void other_logging(golden *g)
{
    g->log.logging = g->logging;
    g->propensity[6] *= .5;
}
static void no_feature(golden *g)
{
    g->log.features = g->truth;
    g->log.n_features = 2;
    g->truth[6 * 2 + 1] = NAN;
}
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
static void never_agreed(golden *g)
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
        {never_agreed, "in no decision", "support"},
        {all_equal, "all 500 decisions", "reward 3"},
        {action_never_taken, "never took action 4", "explore it first"},
        {impossible_action, "decision 7", "no support"},
        {short_logging, "decision 7", "the log sum to 1.25"},
        {other_logging, "decision 7", "the same moment"},
        {no_feature, "decision 7", "feature 1"},
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

static void what_a_plan_must_be_is_said(void **state)
{
    (void)state;
    golden *g = golden_make();
    off_policy_plan plan = off_policy_plan_default();
    off_policy_value v;
    pf_error err = {0};
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
    plan.replicates = 3;
    g->log.expected = NULL;
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
        cmocka_unit_test(propensities_that_are_not_the_logs_are_told),
        cmocka_unit_test(the_model_finds_every_actions_line),
        cmocka_unit_test(no_decision_foretells_itself),
        cmocka_unit_test(a_weight_is_a_count),
        cmocka_unit_test(what_was_never_tried_is_like_the_rest),
        cmocka_unit_test(a_caller_needs_only_features),
        cmocka_unit_test(with_a_perfect_model_all_agree),
        cmocka_unit_test(values_follow_the_rewards),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(an_interval_knows_of_weights_that_brought_nothing),
        cmocka_unit_test(a_constant_reward_makes_nothing_less_sure),
        cmocka_unit_test(compared_together_nothing_changes),
        cmocka_unit_test(what_a_log_must_have_is_said),
        cmocka_unit_test(what_a_plan_must_be_is_said),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
