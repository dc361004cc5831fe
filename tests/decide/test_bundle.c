/* The bundle method finds minima of convex functions whose answer is known. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decide/bundle.h"

typedef struct convex {
    size_t n;
    const double *at;
    unsigned calls;
} convex;

/* sum |x_i - a_i|: kinks everywhere, minimum sum of max(0, -a_i). */
static double distance(void *context, const double *x, double *g)
{
    convex *c = context;
    double value = 0;
    c->calls++;
    for (size_t i = 0; i < c->n; i++) {
        assert_true(x[i] >= 0);
        value += fabs(x[i] - c->at[i]);
        g[i] = x[i] > c->at[i] ? 1 : -1;
    }
    return value;
}

/* A smooth bowl, minimum 3 at max(0, a). */
static double bowl(void *context, const double *x, double *g)
{
    convex *c = context;
    double value = 3;
    for (size_t i = 0; i < c->n; i++) {
        double off = x[i] - c->at[i];
        value += (double)(i + 1) * off * off;
        g[i] = 2 * (double)(i + 1) * off;
    }
    return value;
}

/* max_i (x_i - a_i) + sum_i (a_i - x_i)/n has its minimum where all x_i - a_i are equal. */
static double steepest(void *context, const double *x, double *g)
{
    convex *c = context;
    size_t top = 0;
    double value = 10;
    for (size_t i = 0; i < c->n; i++) {
        if (x[i] - c->at[i] > x[top] - c->at[top]) top = i;
        value -= (x[i] - c->at[i]) / (double)c->n;
        g[i] = -1.0 / (double)c->n;
    }
    g[top] += 1;
    return value + x[top] - c->at[top];
}

static double minimise(bundle_oracle *f, size_t n, const double *at, double *x,
                       uint32_t most)
{
    convex c = {n, at, 0};
    bundle_options o = bundle_options_default();
    bundle_result r;
    o.maximum_calls = most;
    assert_int_equal(bundle_minimise(f, &c, n, x, &o, &r, NULL), PF_OK);
    assert_true(r.calls <= most);
    double g[256];
    assert_true(fabs(f(&c, x, g) - r.value) <= 1e-12 * (1 + fabs(r.value)));
    return r.value;
}

static void a_sum_of_kinks_is_minimised(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 15; n += 2) {
        double at[16], x[16] = {0}, expected = 0;
        for (size_t i = 0; i < n; i++) {
            at[i] = golden_unit(i, 5) - 0.2;
            expected += at[i] < 0 ? -at[i] : 0;
        }
        double got = minimise(distance, n, at, x, 1000);
        if (fabs(got - expected) > 1e-8)
            fail_msg("n %zu: %.12g not %.12g", n, got, expected);
    }
}

static void a_smooth_bowl_is_minimised(void **state)
{
    (void)state;
    static const double at[] = {0.3, 2.5, 0, -1, 7};
    double x[5] = {0};
    double got = minimise(bowl, 5, at, x, 400);
    assert_true(fabs(got - 7) < 1e-5); /* 3 and the fourth's 4 * 1^2 */
    assert_true(fabs(x[1] - 2.5) < 1e-2);
}

static void a_maximum_of_lines_is_minimised(void **state)
{
    (void)state;
    static const double at[] = {0.5, 0.25, 1, 0.75};
    double x[4] = {3, 0, 1, 0};
    assert_true(fabs(minimise(steepest, 4, at, x, 400) - 10) < 1e-8);
}

/* The minimum needs a cut for every variable, more than are kept: then cuts are merged. */
static void more_variables_than_cuts_still_come_close(void **state)
{
    (void)state;
    enum { MANY = 240 };
    static double at[MANY], x[MANY];
    for (size_t i = 0; i < MANY; i++) {
        at[i] = golden_unit(i, 7);
        x[i] = 0;
    }
    double start = 10, top = -1, got = minimise(steepest, MANY, at, x, 1500);
    for (size_t i = 0; i < MANY; i++) {
        start += at[i] / MANY;
        if (-at[i] > top) top = -at[i];
    }
    start += top;
    print_message("from %.6f to %.6f, the minimum is 10\n", start, got);
    assert_true(got >= 10 - 1e-9 && got < 10 + 0.02 * (start - 10));
}

static void the_start_may_be_the_minimum(void **state)
{
    (void)state;
    static const double at[] = {0.5, 0.25};
    double x[2] = {0.5, 0.25};
    assert_true(minimise(distance, 2, at, x, 400) < 1e-12);
}

static void the_number_of_calls_is_a_limit(void **state)
{
    (void)state;
    double at[40], x[40] = {0};
    for (size_t i = 0; i < 40; i++)
        at[i] = golden_unit(i, 6);
    convex c = {40, at, 0};
    bundle_options o = bundle_options_default();
    bundle_result r;
    o.maximum_calls = 7;
    assert_int_equal(bundle_minimise(distance, &c, 40, x, &o, &r, NULL), PF_OK);
    assert_int_equal(c.calls, 7);
    assert_int_equal(r.calls, 7);
    assert_true(r.promised > 0);
}

static void two_runs_give_the_same_bits(void **state)
{
    (void)state;
    double at[9], x[9] = {0}, y[9] = {0};
    for (size_t i = 0; i < 9; i++)
        at[i] = golden_unit(i, 8);
    double a = minimise(steepest, 9, at, x, 400), b = minimise(steepest, 9, at, y, 400);
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_equal(x, y, sizeof x);
}

static void a_failed_allocation_is_reported_and_changes_nothing(void **state)
{
    (void)state;
    static const double at[] = {0.5, 0.25};
    double x[2] = {1, 1};
    convex c = {2, at, 0};
    bundle_options o = bundle_options_default();
    bundle_result r;
    mem_fail_at(1);
    pf_status s = bundle_minimise(distance, &c, 2, x, &o, &r, NULL);
    mem_fail_at(0);
    assert_int_equal(s, PF_NO_MEMORY);
    assert_true(x[0] == 1 && x[1] == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sum_of_kinks_is_minimised),
        cmocka_unit_test(a_smooth_bowl_is_minimised),
        cmocka_unit_test(a_maximum_of_lines_is_minimised),
        cmocka_unit_test(more_variables_than_cuts_still_come_close),
        cmocka_unit_test(the_start_may_be_the_minimum),
        cmocka_unit_test(the_number_of_calls_is_a_limit),
        cmocka_unit_test(two_runs_give_the_same_bits),
        cmocka_unit_test(a_failed_allocation_is_reported_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
