/* response/posterior.h: the mode and the spread against direct integration, coverage of simulated
 * models, learning by parts, what is refused. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "response/posterior.h"

enum { FEATURES = 4, ROWS = 400 };
static const double unit_precision[FEATURES] = {1, 1, 1, 1};

typedef struct sample {
    double x[ROWS * FEATURES], b[FEATURES];
    uint64_t trials[ROWS], answers[ROWS];
    posterior_rows rows;
} sample;

/* Weights from the prior, a column of ones, rows of up to five trials. */
static void simulate(sample *s, uint64_t seed)
{
    random_stream r = random_begin(seed, 3);
    for (size_t f = 0; f < FEATURES; f++)
        s->b[f] = random_normal(&r);
    for (size_t i = 0; i < ROWS; i++) {
        double score = 0;
        for (size_t f = 0; f < FEATURES; f++) {
            s->x[i * FEATURES + f] = f == 0 ? 1 : random_normal(&r);
            score += s->x[i * FEATURES + f] * s->b[f];
        }
        s->trials[i] = random_below(&r, 6);
        s->answers[i] = 0;
        for (uint64_t t = 0; t < s->trials[i]; t++)
            s->answers[i] += random_unit(&r) < 1 / (1 + exp(-score));
    }
    s->rows = (posterior_rows){ROWS, FEATURES, s->x, s->trials, s->answers};
}

/* One weight: k of n under a normal prior, integrated on a grid. With n large the posterior is
 * nearly normal and Laplace must agree. */
static void one_weight_agrees_with_integration(void **state)
{
    const double one = 1, prior_mean = -1, precision = 4;
    const uint64_t n = 4000, k = 600;
    const posterior_rows rows = {1, 1, &one, &n, &k};
    const posterior_prior prior = {&prior_mean, &precision};
    double mass = 0, first = 0, second = 0, work;
    posterior p;
    (void)state;
    assert_int_equal(posterior_fit(&p, &rows, &prior, NULL), PF_OK);
    for (double b = -2.5; b < -1; b += 1e-4) {
        const double log_density = (double)k * b - (double)n * log1p(exp(b)) -
                                   precision * pow(b - prior_mean, 2) / 2;
        const double density = exp(log_density + 1692);
        mass += density;
        first += density * b;
        second += density * b * b;
    }
    const double mean = first / mass, sd = sqrt(second / mass - mean * mean);
    assert_true(fabs(p.mean[0] - mean) < .05 * sd);
    assert_true(fabs(posterior_spread(&p, &one, &work) / sd - 1) < .01);
    posterior_free(&p);
}

/* 300 models drawn from the prior: 90 % of the true scores of a row lie within 1.645 standard
 * deviations. The standard error of the share is 1.7 points. */
static void the_true_score_lies_in_nine_of_ten_intervals(void **state)
{
    enum { MODELS = 300 };
    static sample s;
    const posterior_prior prior = {NULL, unit_precision};
    const double x[FEATURES] = {1, .5, -1, 2};
    double work[FEATURES];
    int within = 0;
    (void)state;
    for (uint64_t seed = 0; seed < MODELS; seed++) {
        posterior p;
        double off = 0;
        simulate(&s, seed);
        assert_int_equal(posterior_fit(&p, &s.rows, &prior, NULL), PF_OK);
        for (size_t f = 0; f < FEATURES; f++)
            off += x[f] * (s.b[f] - p.mean[f]);
        within += fabs(off) < 1.645 * posterior_spread(&p, x, work);
        posterior_free(&p);
    }
    assert_in_range(within, (int)(.85 * MODELS), (int)(.95 * MODELS));
}

static void draws_have_the_posteriors_mean_and_spread(void **state)
{
    enum { D = 4096 };
    static sample s;
    const posterior_prior prior = {NULL, unit_precision};
    const double x[FEATURES] = {1, -1, .5, 2};
    double work[FEATURES], sum = 0, squares = 0, center = 0;
    posterior p;
    draws d;
    (void)state;
    simulate(&s, 5);
    assert_int_equal(posterior_fit(&p, &s.rows, &prior, NULL), PF_OK);
    assert_int_equal(draws_new(&d, D, FEATURES, 1, 1, NULL), PF_OK);
    assert_int_equal(posterior_draw(&p, &d, NULL), PF_OK);
    for (size_t f = 0; f < FEATURES; f++)
        center += x[f] * p.mean[f];
    for (size_t i = 0; i < D; i++) {
        double score = 0;
        for (size_t f = 0; f < FEATURES; f++)
            score += x[f] * d.value[i * FEATURES + f];
        sum += score - center;
        squares += pow(score - center, 2);
    }
    const double sd = posterior_spread(&p, x, work);
    assert_true(fabs(sum / D) < 4 * sd / sqrt(D));
    assert_true(fabs(sqrt(squares / D) / sd - 1) < 4 / sqrt(2. * D));
    draws_free(&d);
    posterior_free(&p);
}

static void draws_come_again_bit_for_bit_and_differ_by_publication(void **state)
{
    static sample s;
    const posterior_prior prior = {NULL, unit_precision};
    posterior p[2];
    draws d[3];
    (void)state;
    simulate(&s, 8);
    for (int k = 0; k < 2; k++)
        assert_int_equal(posterior_fit(&p[k], &s.rows, &prior, NULL), PF_OK);
    for (uint64_t k = 0; k < 3; k++) {
        assert_int_equal(draws_new(&d[k], 64, FEATURES, 9, k == 2, NULL), PF_OK);
        assert_int_equal(posterior_draw(&p[k % 2], &d[k], NULL), PF_OK);
    }
    const size_t bytes = 64 * FEATURES * sizeof(double);
    assert_memory_equal(d[0].value, d[1].value, bytes);
    assert_true(memcmp(d[0].value, d[2].value, bytes) != 0);
    for (int k = 0; k < 3; k++)
        draws_free(&d[k]);
    for (int k = 0; k < 2; k++)
        posterior_free(&p[k]);
}

static void trials_may_be_counted_by_row_or_together(void **state)
{
    const double together[2] = {1, 2}, apart[5] = {1, 1, 2, 2, 2}, precision = 1;
    const uint64_t n[2] = {2, 3}, k[2] = {1, 1}, ones[5] = {1, 1, 1, 1, 1};
    const uint64_t answers[5] = {0, 1, 1, 0, 0};
    const posterior_rows a = {2, 1, together, n, k}, b = {5, 1, apart, ones, answers};
    const posterior_prior prior = {NULL, &precision};
    posterior p, q;
    (void)state;
    assert_int_equal(posterior_fit(&p, &a, &prior, NULL), PF_OK);
    assert_int_equal(posterior_fit(&q, &b, &prior, NULL), PF_OK);
    assert_true(fabs(p.mean[0] - q.mean[0]) < 1e-9);
    assert_true(fabs(p.factor[0] - q.factor[0]) < 1e-9);
    posterior_free(&p);
    posterior_free(&q);
}

static void without_rows_the_posterior_is_the_prior(void **state)
{
    const double mean[2] = {3, -2}, precision[2] = {4, 25}, x[2] = {1, 0}, y[2] = {0, 1};
    const posterior_rows rows = {.features = 2};
    const posterior_prior prior = {mean, precision};
    double work[2];
    posterior p;
    (void)state;
    assert_int_equal(posterior_fit(&p, &rows, &prior, NULL), PF_OK);
    assert_true(p.mean[0] == 3 && p.mean[1] == -2);
    assert_true(fabs(posterior_spread(&p, x, work) - .5) < 1e-12);
    assert_true(fabs(posterior_spread(&p, y, work) - .2) < 1e-12);
    posterior_free(&p);
}

/* A feature that no row has keeps its prior; answers that are all yes keep weights finite. */
static void what_was_never_seen_or_never_failed_stays_finite(void **state)
{
    const double x[2] = {1, 0}, precision[2] = {1, 1}, unseen[2] = {0, 1};
    const uint64_t n = 1000000, k = 1000000;
    const posterior_rows rows = {1, 2, x, &n, &k};
    const posterior_prior prior = {NULL, precision};
    double work[2];
    posterior p;
    (void)state;
    assert_int_equal(posterior_fit(&p, &rows, &prior, NULL), PF_OK);
    assert_true(p.mean[0] > 5 && p.mean[0] < 20);
    assert_true(fabs(p.mean[1]) < 1e-12);
    assert_true(fabs(posterior_spread(&p, unseen, work) - 1) < 1e-12);
    posterior_free(&p);
}

static void assert_refused(const posterior_rows *rows, const posterior_prior *prior,
                           pf_status code, const char *words)
{
    posterior p;
    pf_error err = {0};
    assert_int_equal(posterior_fit(&p, rows, prior, &err), code);
    if (strstr(err.message, words) == NULL) fail_msg("'%s' not in '%s'", words, err.message);
    assert_null(p.mean);
}

static void what_makes_no_sense_is_refused_with_its_place(void **state)
{
    double x[4] = {1, 2, 3, NAN}, precision[2] = {1, 1}, mean[2] = {0, INFINITY};
    uint64_t n[2] = {1, 1}, k[2] = {0, 2};
    posterior_rows rows = {2, 2, x, n, k};
    posterior_prior prior = {NULL, precision};
    (void)state;
    assert_refused(&rows, &prior, PF_DATA, "row 1 has more answers");
    k[1] = 1;
    assert_refused(&rows, &prior, PF_DATA, "row 1, feature 1");
    x[3] = 4;
    prior.mean = mean;
    assert_refused(&rows, &prior, PF_DATA, "prior mean of feature 1");
    prior.mean = NULL;
    precision[1] = 0;
    assert_refused(&rows, &prior, PF_DATA, "feature 1 needs a precision");
    precision[1] = NAN;
    assert_refused(&rows, &prior, PF_DATA, "feature 1 needs a precision");
    rows.features = 0;
    assert_refused(&rows, &prior, PF_LIMIT, "features");
    rows.features = POSTERIOR_MAX_FEATURES + 1;
    assert_refused(&rows, &prior, PF_LIMIT, "features");
}

static void draws_of_another_width_are_refused(void **state)
{
    const double precision = 1;
    const posterior_rows rows = {.features = 1};
    const posterior_prior prior = {NULL, &precision};
    posterior p;
    draws d;
    (void)state;
    assert_int_equal(posterior_fit(&p, &rows, &prior, NULL), PF_OK);
    assert_int_equal(draws_new(&d, 2, 2, 1, 1, NULL), PF_OK);
    assert_int_equal(posterior_draw(&p, &d, NULL), PF_USAGE);
    draws_free(&d);
    posterior_free(&p);
}

static void want_of_memory_is_told(void **state)
{
    static sample s;
    const posterior_prior prior = {NULL, unit_precision};
    fault f = {0};
    (void)state;
    simulate(&s, 1);
    while (fault_next(&f)) {
        posterior p;
        const pf_status status = posterior_fit(&p, &s.rows, &prior, NULL);
        assert_int_equal(status, fault_reached(&f) ? PF_NO_MEMORY : PF_OK);
        posterior_free(&p);
    }
    assert_true(f.n > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_weight_agrees_with_integration),
        cmocka_unit_test(the_true_score_lies_in_nine_of_ten_intervals),
        cmocka_unit_test(draws_have_the_posteriors_mean_and_spread),
        cmocka_unit_test(draws_come_again_bit_for_bit_and_differ_by_publication),
        cmocka_unit_test(trials_may_be_counted_by_row_or_together),
        cmocka_unit_test(without_rows_the_posterior_is_the_prior),
        cmocka_unit_test(what_was_never_seen_or_never_failed_stays_finite),
        cmocka_unit_test(what_makes_no_sense_is_refused_with_its_place),
        cmocka_unit_test(draws_of_another_width_are_refused),
        cmocka_unit_test(want_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
