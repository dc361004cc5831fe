/* measure/bootstrap.h: groups stay together, intervals cover, threads change nothing. */
#include "golden_rows.h"

#include "base/random.h"
#include "measure/bootstrap.h"
#include "measure/classification.h"
#include "measure/statistics.h"

static double auc(const void *context, const double *w)
{
    return ranked_roc_auc(context, w);
}

static bootstrap_result run(const bootstrap_plan *plan, const void *context)
{
    bootstrap_result r;
    pf_error err = {0};
    if (bootstrap_interval(plan, bootstrap_mean, context, &r, &err) != PF_OK)
        fail_msg("%s", err.message);
    return r;
}

/* One row a group: the bootstrap's error of a mean is the textbook's. */
static void the_error_of_a_mean_is_the_textbook_one(void **state)
{
    (void)state;
    enum { N = 400 };
    double values[N];
    uint32_t group[N];
    for (uint32_t i = 0; i < N; i++) {
        values[i] = golden_unit(i, 5);
        group[i] = i * 7919 + 13;
    }
    bootstrap_mean_rows rows = {values, N};
    bootstrap_plan plan = bootstrap_plan_default(group, N);
    plan.replicates = 4000;
    bootstrap_result r = run(&plan, &rows);
    summary s = summary_of(values, N);
    assert_near(r.value, s.mean, 1e-12);
    assert_near(r.standard_error, s.standard_error, 0.04 * s.standard_error);
    assert_near(r.low, s.mean - 1.96 * s.standard_error, 0.2 * s.standard_error);
    assert_near(r.high, s.mean + 1.96 * s.standard_error, 0.2 * s.standard_error);
    assert_int_equal(r.groups, N);
    assert_int_equal(r.replicates, 4000);
}

/* Ten copies of every row in its group are no news: the error stays that of the groups. */
static void rows_of_a_group_are_drawn_together(void **state)
{
    (void)state;
    enum { GROUPS = 100, COPIES = 10, N = GROUPS * COPIES };
    double values[N], means[GROUPS];
    uint32_t group[N];
    for (uint32_t i = 0; i < N; i++) {
        group[i] = (i % GROUPS) * 40000000u;
        values[i] = means[i % GROUPS] = golden_unit(i % GROUPS, 6);
    }
    bootstrap_mean_rows rows = {values, N};
    bootstrap_plan plan = bootstrap_plan_default(group, N);
    bootstrap_result r = run(&plan, &rows);
    double honest = summary_of(means, GROUPS).standard_error;
    assert_int_equal(r.groups, GROUPS);
    assert_near(r.standard_error, honest, 0.1 * honest);
    assert_true(r.standard_error > 2.5 * summary_of(values, N).standard_error);
}

typedef struct watch {
    const uint32_t *group;
    size_t n;
} watch;

/* Whole weights, equal within a group, as many draws as groups. */
static double check_weights(const void *context, const double *w)
{
    const watch *v = context;
    double first[5] = {0}, total = 0.0;
    if (!w) return 0.0;
    for (size_t i = 0; i < v->n; i++)
        first[v->group[i]] = w[i];
    for (size_t i = 0; i < v->n; i++) {
        if (w[i] != first[v->group[i]] || w[i] != floor(w[i]) || w[i] < 0.0) return 1.0;
    }
    for (size_t g = 0; g < 5; g++)
        total += first[g];
    return total == 5.0 ? 0.0 : 1.0;
}

static void weights_are_how_often_a_group_was_drawn(void **state)
{
    (void)state;
    const uint32_t group[] = {3, 0, 3, 1, 4, 2, 2, 2, 0};
    watch v = {group, 9};
    bootstrap_plan plan = bootstrap_plan_default(group, 9);
    bootstrap_result r;
    assert_int_equal(bootstrap_interval(&plan, check_weights, &v, &r, NULL), PF_OK);
    assert_true(r.value == 0.0 && r.low == 0.0 && r.high == 0.0);
    assert_true(r.standard_error == 0.0);
}

static void the_seed_decides_and_threads_do_not(void **state)
{
    (void)state;
    golden_rows g = golden_make();
    uint32_t group[GOLDEN_N];
    for (uint32_t i = 0; i < GOLDEN_N; i++)
        group[i] = i / 3;
    ranked *order;
    assert_int_equal(ranked_new(&order, g.p, g.y, GOLDEN_N, NULL), PF_OK);
    bootstrap_plan plan = bootstrap_plan_default(group, GOLDEN_N);
    bootstrap_result one, two, other;
    assert_int_equal(bootstrap_interval(&plan, auc, order, &one, NULL), PF_OK);
    plan.threads = pool_new(3);
    assert_int_equal(bootstrap_interval(&plan, auc, order, &two, NULL), PF_OK);
    plan.seed = 2;
    assert_int_equal(bootstrap_interval(&plan, auc, order, &other, NULL), PF_OK);
    pool_free(plan.threads);
    ranked_free(order);
    assert_true(one.low == two.low && one.high == two.high);
    assert_true(one.standard_error == two.standard_error);
    assert_true(one.low != other.low);
    assert_near(one.value, 0.6839438122332859, 1e-9);
    assert_true(one.low < one.value && one.value < one.high);
    assert_true(one.standard_error > 0.015 && one.standard_error < 0.06);
}

/* Of 300 samples of a known mean, about 95 in 100 intervals hold it. */
static void intervals_cover_as_often_as_they_say(void **state)
{
    (void)state;
    enum { SAMPLES = 300, N = 60 };
    random_stream r = random_begin(9, 9);
    uint32_t group[N];
    for (uint32_t i = 0; i < N; i++)
        group[i] = i;
    int covered = 0;
    for (int s = 0; s < SAMPLES; s++) {
        double values[N];
        for (size_t i = 0; i < N; i++)
            values[i] = 2.0 + random_normal(&r);
        bootstrap_mean_rows rows = {values, N};
        bootstrap_plan plan = bootstrap_plan_default(group, N);
        plan.replicates = 400;
        plan.seed = (uint64_t)s;
        bootstrap_result b = run(&plan, &rows);
        covered += b.low <= 2.0 && 2.0 <= b.high;
    }
    assert_true(covered > 0.89 * SAMPLES && covered < 0.99 * SAMPLES);
}

static void differences_are_on_the_same_draw(void **state)
{
    (void)state;
    enum { N = 200 };
    double a[N], b[N];
    uint32_t group[N];
    for (uint32_t i = 0; i < N; i++) {
        b[i] = golden_unit(i, 7);
        a[i] = b[i] + 0.1 + 0.01 * golden_unit(i, 8);
        group[i] = i;
    }
    bootstrap_mean_rows ra = {a, N}, rb = {b, N};
    bootstrap_plan plan = bootstrap_plan_default(group, N);
    bootstrap_result d, same;
    assert_int_equal(bootstrap_difference(&plan, bootstrap_mean, &ra, &rb, &d, NULL),
                     PF_OK);
    summary s = summary_of_difference(a, b, N);
    assert_near(d.value, s.mean, 1e-12);
    assert_near(d.standard_error, s.standard_error, 0.1 * s.standard_error);
    assert_true(d.low > 0.1 && d.high < 0.11);
    assert_int_equal(bootstrap_difference(&plan, bootstrap_mean, &ra, &ra, &same, NULL),
                     PF_OK);
    assert_true(same.value == 0.0 && same.standard_error == 0.0);
}

/* One responder in four groups: a replicate without it has no area under the curve. */
static void mean_and_its_opposite(const void *context, const double *w, double *values)
{
    values[0] = bootstrap_mean(context, w);
    values[1] = -values[0];
}

static void several_statistics_are_those_of_one_each(void **state)
{
    (void)state;
    golden_rows g = golden_make();
    uint32_t group[GOLDEN_N];
    for (uint32_t i = 0; i < GOLDEN_N; i++)
        group[i] = i / 3;
    const bootstrap_mean_rows rows = {g.p, GOLDEN_N};
    bootstrap_plan plan = bootstrap_plan_default(group, GOLDEN_N);
    bootstrap_result alone, both[2];
    assert_int_equal(bootstrap_interval(&plan, bootstrap_mean, &rows, &alone, NULL), PF_OK);
    assert_int_equal(bootstrap_intervals(&plan, mean_and_its_opposite, &rows, 2, both, NULL),
                     PF_OK);
    assert_memory_equal(&both[0], &alone, sizeof alone);
    assert_true(both[1].value == -alone.value);
    assert_near(both[1].low, -alone.high, 1e-12);
    assert_near(both[1].standard_error, alone.standard_error, 1e-12);
    assert_int_equal(bootstrap_intervals(&plan, mean_and_its_opposite, &rows, 0, both, NULL),
                     PF_USAGE);
}

static void replicates_without_a_value_are_left_out_and_counted(void **state)
{
    (void)state;
    const double score[] = {4, 3, 2, 1};
    const uint8_t y[] = {1, 0, 0, 0}, none[] = {0, 0, 0, 0};
    const uint32_t group[] = {0, 1, 2, 3};
    ranked *order;
    bootstrap_result r;
    pf_error err = {0};
    bootstrap_plan plan = bootstrap_plan_default(group, 4);
    assert_int_equal(ranked_new(&order, score, y, 4, NULL), PF_OK);
    assert_int_equal(bootstrap_interval(&plan, auc, order, &r, &err), PF_OK);
    ranked_free(order);
    /* Missing with probability (3/4)^4; all four draws it with (1/4)^4. */
    assert_near((double)r.replicates / 1000.0, 1.0 - 0.31640625 - 0.00390625, 0.06);
    assert_near(r.value, 1.0, 0.0);
    assert_int_equal(ranked_new(&order, score, none, 4, NULL), PF_OK);
    assert_int_equal(bootstrap_interval(&plan, auc, order, &r, &err), PF_DATA);
    ranked_free(order);
}

static void wrong_plans_are_refused(void **state)
{
    (void)state;
    const uint32_t group[] = {0, 1};
    const double values[] = {1, 2};
    bootstrap_mean_rows rows = {values, 2};
    bootstrap_plan plans[6];
    for (size_t i = 0; i < 6; i++)
        plans[i] = bootstrap_plan_default(group, 2);
    plans[0].n = 0;
    plans[1].replicates = 1;
    plans[2].replicates = BOOTSTRAP_REPLICATES_MAX + 1;
    plans[3].level = 0.0;
    plans[4].level = 1.0;
    plans[5].level = NAN;
    for (size_t i = 0; i < 6; i++) {
        bootstrap_result r;
        pf_error err = {0};
        assert_int_equal(bootstrap_interval(&plans[i], bootstrap_mean, &rows, &r, &err),
                         i == 0 ? PF_DATA : PF_USAGE);
    }
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    const uint32_t group[] = {5, 9, 5};
    const double values[] = {1, 2, 3};
    bootstrap_mean_rows rows = {values, 3};
    bootstrap_plan plan = bootstrap_plan_default(group, 3);
    fault f = {0};
    while (fault_next(&f)) {
        bootstrap_result r;
        pf_status status = bootstrap_interval(&plan, bootstrap_mean, &rows, &r, NULL);
        assert_int_equal(status, fault_reached(&f) ? PF_NO_MEMORY : PF_OK);
    }
    assert_int_equal(f.n, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_error_of_a_mean_is_the_textbook_one),
        cmocka_unit_test(rows_of_a_group_are_drawn_together),
        cmocka_unit_test(weights_are_how_often_a_group_was_drawn),
        cmocka_unit_test(the_seed_decides_and_threads_do_not),
        cmocka_unit_test(intervals_cover_as_often_as_they_say),
        cmocka_unit_test(differences_are_on_the_same_draw),
        cmocka_unit_test(several_statistics_are_those_of_one_each),
        cmocka_unit_test(replicates_without_a_value_are_left_out_and_counted),
        cmocka_unit_test(wrong_plans_are_refused),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
