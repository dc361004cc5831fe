/*
 * Factors of promotions and kinds in made-up pasts whose factors are known: found where there is
 * evidence, shrunk where there is little, drawn as the posterior says, and kept in files.
 */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/text.h"
#include "response/factors.h"
#include "response/kinds.h"

enum { ARMS = 400, GROUPS = 40, PER_GROUP = ARMS / GROUPS };

static const char long_name[] = "gift in a campaign whose name is longer than any that will be "
                                "kept whole by a file";
static const char *const names[3] = {"money_off in A", "bogo", long_name};

static uint64_t poisson(random_stream *r, double mean)
{
    uint64_t k = 0;
    for (double sum = -log1p(-random_unit(r)); sum < mean; sum -= log1p(-random_unit(r)))
        k++;
    return k;
}

/* Even groups of kind 0 with mean factor `first`, odd ones of kind 1 with `second`; fortunes of
 * groups of shape a, of promotions of shape nu. truth [ARMS]: all but the kind. */
static void make_past(uint64_t seed, double first, double second, double a, double nu,
                      double expected, factors_cell cell[ARMS], double *truth)
{
    random_stream r = random_begin(seed, 0);
    double fortune = 1;
    for (uint32_t i = 0; i < ARMS; i++) {
        if (i % PER_GROUP == 0) fortune = random_gamma(&r, a) / a;
        uint32_t kind = i / PER_GROUP % 2;
        truth[i] = random_gamma(&r, nu) / nu;
        cell[i] = (factors_cell){.promotion = 1000 + 7 * (uint64_t)i, .group = i / PER_GROUP,
                                 .kind = kind, .expected = expected};
        cell[i].answers = poisson(&r, expected * fortune * truth[i] * (kind ? second : first));
    }
}

static factors fit(const factors_cell *cell, size_t n)
{
    factors f;
    pf_error err = {0};
    if (factors_fit(&f, cell, n, names, 3, &err) != PF_OK) fail_msg("%s", err.message);
    return f;
}

static bool within(double x, double truth, double share)
{
    return fabs(x - truth) <= share * truth;
}

/* --- found, and shrunk ------------------------------------------------------------ */

static void a_promotion_that_brings_twice_is_found(void **state)
{
    (void)state;
    static factors_cell cell[ARMS];
    static double truth[ARMS];
    make_past(1, 1, 1, 200, 8, 30, cell, truth);
    cell[17].expected = 500;
    cell[17].answers = 1000;
    factors f = fit(cell, ARMS);
    gamma_belief own = factors_own(&f, cell[17].promotion);
    assert_true(within(gamma_belief_mean(own), 2, 0.08));
    assert_true(gamma_belief_sd(own) < 0.1);
    assert_true(within(factors_mean(&f, 0, cell[17].promotion), 2, 0.1));
    factors_free(&f);
}

static void a_promotion_that_few_saw_reads_like_its_kind(void **state)
{
    (void)state;
    static factors_cell cell[ARMS];
    static double truth[ARMS];
    make_past(2, 1.5, 0.7, 100, 4, 30, cell, truth);
    cell[0].expected = 0.5 / 1.5;
    cell[0].answers = 2; /* four times what was expected */
    factors f = fit(cell, ARMS);
    gamma_belief few = factors_own(&f, cell[0].promotion), none = factors_own(&f, 1);
    assert_true(gamma_belief_mean(few) > 1 && gamma_belief_mean(few) < 1.6);
    assert_true(within(gamma_belief_mean(none), 1, 1e-12));
    assert_true(within(gamma_belief_sd(none), 1 / sqrt(f.shape.nu), 1e-12));
    assert_true(within(factors_mean(&f, 0, 1), factors_kind_mean(&f, 0), 1e-12));
    factors_free(&f);
}

static void spreads_of_campaigns_and_promotions_are_found(void **state)
{
    (void)state;
    static factors_cell cell[ARMS];
    static double truth[ARMS];
    const double shapes[3] = {2, 8, 32};
    for (size_t i = 0; i < 3; i++) {
        make_past(3 + i, 1, 1, 200, shapes[i], 40, cell, truth);
        factors f = fit(cell, ARMS);
        if (f.shape.nu < 0.6 * shapes[i] || f.shape.nu > 1.7 * shapes[i])
            fail_msg("nu is %.1f, not %.1f", f.shape.nu, shapes[i]);
        factors_free(&f);
        make_past(6 + i, 1, 1, shapes[i], 200, 40, cell, truth);
        f = fit(cell, ARMS);
        if (f.shape.group < 0.4 * shapes[i] || f.shape.group > 2.5 * shapes[i])
            fail_msg("a is %.1f, not %.1f", f.shape.group, shapes[i]);
        factors_free(&f);
    }
}

static void kinds_have_their_own_means(void **state)
{
    (void)state;
    static factors_cell cell[ARMS];
    static double truth[ARMS];
    make_past(9, 1.6, 0.6, 100, 8, 30, cell, truth);
    factors f = fit(cell, ARMS);
    assert_true(f.enough);
    assert_true(within(factors_kind_mean(&f, 0), 1.6, 0.1));
    assert_true(within(factors_kind_mean(&f, 1), 0.6, 0.15));
    assert_true(factors_kind_mean(&f, 2) > 0.9 && factors_kind_mean(&f, 2) < 1.2); /* unseen */
    assert_true(within(factors_kind_mean(&f, 99), f.shape.overall, 1e-12));
    assert_int_equal(factors_kind_of(&f, "bogo"), 1);
    assert_int_equal(factors_kind_of(&f, names[2]), 2);
    assert_int_equal(factors_kind_of(&f, "points"), 3);
    factors_free(&f);
}

static void one_large_campaign_is_no_proof_of_its_kind(void **state)
{
    (void)state;
    static factors_cell cell[ARMS + 1];
    static double truth[ARMS];
    make_past(10, 1, 1, 4, 100, 20, cell, truth);
    cell[ARMS] = (factors_cell){.promotion = 5, .group = GROUPS, .kind = 2, .expected = 10000,
                                .answers = 30000};
    factors f = fit(cell, ARMS + 1);
    double mean = factors_kind_mean(&f, 2);
    assert_true(mean > 1.3 && mean < 2.4); /* not 3 */
    factors_free(&f);
}

static void nothing_is_corrected_before_there_are_enough_answers(void **state)
{
    (void)state;
    factors_cell cell[2] = {{1, 0, 0, 60, 100}, {2, 1, 0, 60, 99}};
    factors f = fit(cell, 2);
    assert_false(f.enough);
    assert_true(within(factors_kind_mean(&f, 0), 1, 1e-12));
    assert_true(within(factors_kind_mean(&f, 7), 1, 1e-12));
    factors_free(&f);
    cell[1].answers = 100;
    f = fit(cell, 2);
    assert_true(f.enough && factors_kind_mean(&f, 0) > 1.2);
    factors_free(&f);
}

/* Chances made with the means are right on the next answers of the same promotions. */
static void means_announce_what_comes_next(void **state)
{
    (void)state;
    static factors_cell cell[ARMS];
    static double truth[ARMS];
    double said = 0, came = 0, raw = 0, least = 0, plain = 0;
    for (uint64_t world = 0; world < 20; world++) {
        make_past(20 + world, 1, 1, 256, 3, 2, cell, truth);
        factors f = fit(cell, ARMS);
        for (size_t i = 0; i < ARMS; i++) {
            double own = factors_mean(&f, cell[i].kind, cell[i].promotion);
            double alone = (double)cell[i].answers / cell[i].expected;
            said += own;
            came += truth[i];
            least += (own - truth[i]) * (own - truth[i]);
            raw += (alone - truth[i]) * (alone - truth[i]);
            plain += (1 - truth[i]) * (1 - truth[i]);
        }
        factors_free(&f);
    }
    assert_true(within(said, came, 0.03));
    assert_true(least < 0.75 * raw && least < 0.75 * plain);
}

static void neither_order_nor_parts_of_cells_matter(void **state)
{
    (void)state;
    static factors_cell cell[ARMS], parts[2 * ARMS];
    static double truth[ARMS];
    make_past(11, 1.3, 0.8, 8, 4, 16, cell, truth);
    for (size_t i = 0; i < ARMS; i++) {
        factors_cell *first = &parts[ARMS - 1 - i], *second = &parts[ARMS + i];
        *first = *second = cell[i];
        first->expected = second->expected = cell[i].expected / 2;
        first->answers = cell[i].answers / 3;
        second->answers = cell[i].answers - first->answers;
    }
    factors f = fit(cell, ARMS), g = fit(parts, 2 * ARMS);
    assert_int_equal(f.n_arms, g.n_arms);
    assert_memory_equal(&f.shape, &g.shape, sizeof f.shape);
    assert_memory_equal(f.kind, g.kind, 3 * sizeof *f.kind);
    assert_memory_equal(f.arm, g.arm, ARMS * sizeof *f.arm);
    assert_memory_equal(f.arm_key, g.arm_key, ARMS * sizeof *f.arm_key);
    factors_free(&f);
    factors_free(&g);
}

static void without_a_past_all_factors_have_mean_one(void **state)
{
    (void)state;
    factors f = fit(NULL, 0);
    assert_int_equal(f.n_arms, 0);
    assert_true(within(factors_mean(&f, 0, 3), 1, 1e-12));
    assert_true(within(f.shape.nu, GAMMA_DEFAULT_SHAPE, 1e-12));
    factors_free(&f);
    factors_free(&f);
    factors_free(NULL);
}

static void bad_cells_are_refused_by_their_place(void **state)
{
    (void)state;
    factors f;
    pf_error err = {0};
    factors_cell cell[2] = {{1, 0, 0, 1, 1}, {2, 0, 3, 1, 1}};
    assert_int_equal(factors_fit(&f, cell, 2, names, 3, &err), PF_DATA);
    assert_non_null(strstr(err.message, "cell 1"));
    const double bad[3] = {(double)NAN, (double)INFINITY, -1};
    for (size_t i = 0; i < 3; i++) {
        cell[1].kind = 0;
        cell[1].expected = bad[i];
        assert_int_equal(factors_fit(&f, cell, 2, names, 3, &err), PF_DATA);
        assert_int_equal(f.n_arms, 0);
    }
    assert_int_equal(factors_fit(&f, cell, LIMIT_FACTOR_CELLS + 1, names, 3, &err), PF_LIMIT);
    assert_int_equal(factors_fit(&f, cell, 1, names, LIMIT_FACTOR_KINDS + 1, &err), PF_LIMIT);
}

static void answers_to_what_was_thought_impossible_stay_finite(void **state)
{
    (void)state;
    factors_cell cell[2] = {{1, 0, 0, 0, 300}, {2, 1, 0, 10, 10}};
    factors f = fit(cell, 2);
    assert_true(isfinite(factors_mean(&f, 0, 1)) && isfinite(f.shape.nu));
    factors_free(&f);
}

static void what_runs_is_added_to_its_own_factor_alone(void **state)
{
    (void)state;
    static factors_cell cell[ARMS];
    static double truth[ARMS];
    make_past(14, 1.5, 0.8, 50, 4, 30, cell, truth);
    factors f = fit(cell, ARMS), g = fit(cell, ARMS);
    const double kind = factors_kind_mean(&g, 0);
    const factors_cell now[3] = {{cell[4].promotion, 99, 0, 100, 400}, /* known */
                                 {3, 99, 0, 200, 600},                 /* before all */
                                 {UINT64_MAX, 99, 0, 1, 0}};           /* behind all */
    assert_int_equal(factors_watch(&g, now, 3, NULL), PF_OK);
    assert_int_equal(g.n_arms, ARMS + 2);
    assert_memory_equal(&f.shape, &g.shape, sizeof f.shape);
    assert_memory_equal(f.kind, g.kind, 3 * sizeof *f.kind);
    gamma_belief known = factors_own(&f, cell[4].promotion);
    gamma_belief grown = factors_own(&g, cell[4].promotion);
    assert_true(within(grown.shape, known.shape + 400, 1e-9));
    assert_true(within(grown.rate, known.rate + 100 * kind, 1e-9));
    gamma_belief fresh = factors_own(&g, 3);
    assert_true(within(gamma_belief_mean(fresh), 3 / kind, 0.1));
    for (size_t i = 1; i < g.n_arms; i++)
        assert_true(g.arm_key[i] > g.arm_key[i - 1]);
    for (size_t i = 0; i < ARMS; i++)
        if (i != 4)
            assert_true(within(factors_mean(&g, 0, cell[i].promotion),
                               factors_mean(&f, 0, cell[i].promotion), 0));
    const factors_cell bad = {3, 99, 7, 1, 1};
    assert_int_equal(factors_watch(&g, &bad, 1, NULL), PF_DATA);
    assert_int_equal(factors_watch(&g, NULL, 0, NULL), PF_OK);
    assert_int_equal(g.n_arms, ARMS + 2);
    factors_free(&f);
    factors_free(&g);
}

/* --- draws ------------------------------------------------------------------------ */

static void draws_have_the_mean_and_the_variance_of_their_gamma(void **state)
{
    (void)state;
    factors_cell cell[3] = {{1, 0, 0, 2, 4}, {2, 1, 0, 50, 30}, {3, 2, 0, 900, 910}};
    factors f = fit(cell, 3);
    draws d;
    enum { D = DRAWS_MAX };
    assert_int_equal(factors_draws(&f, D, 5, 1, &d, NULL), PF_OK);
    assert_int_equal(d.width, 4);
    for (size_t w = 0; w < 4; w++) {
        gamma_belief own = factors_own(&f, w < 3 ? w + 1 : 99);
        double sum = 0, square = 0, sd = gamma_belief_sd(own);
        for (size_t i = 0; i < D; i++) {
            double z = (d.value[i * 4 + w] - gamma_belief_mean(own)) / sd;
            assert_true(d.value[i * 4 + w] > 0);
            sum += z;
            square += z * z;
        }
        double kurtosis = 3 + 6 / own.shape; /* of a Gamma */
        assert_true(fabs(sum / D) < 4 / sqrt(D));
        assert_true(fabs(square / D - 1) < 4 * sqrt((kurtosis - 1) / D));
    }
    draws_free(&d);
    factors_free(&f);
}

static void draws_are_a_function_of_seed_and_publication(void **state)
{
    (void)state;
    factors_cell cell[2] = {{1, 0, 0, 2, 4}, {2, 1, 0, 50, 30}};
    factors f = fit(cell, 2);
    draws a, b, c;
    assert_int_equal(factors_draws(&f, 64, 5, 1, &a, NULL), PF_OK);
    assert_int_equal(factors_draws(&f, 64, 5, 1, &b, NULL), PF_OK);
    assert_int_equal(factors_draws(&f, 64, 5, 2, &c, NULL), PF_OK);
    assert_memory_equal(a.value, b.value, 64 * 3 * sizeof(double));
    assert_memory_not_equal(a.value, c.value, 64 * 3 * sizeof(double));
    draws_free(&a);
    draws_free(&b);
    draws_free(&c);
    assert_int_equal(factors_draws(&f, 63, 5, 1, &a, NULL), PF_USAGE);
    factors_free(&f);
}

/* --- files ------------------------------------------------------------------------ */

static char path[64];

static pf_status save(const factors *f)
{
    safetensors_writer *w = NULL;
    (void)snprintf(path, sizeof path, "/tmp/proffer-factors-%ld", (long)getpid());
    pf_status s = safetensors_begin(&w, path, NULL);
    if (s != PF_OK) return s;
    s = factors_add(f, w, NULL);
    if (s == PF_OK) return safetensors_commit(w, NULL);
    safetensors_abandon(w);
    return s;
}

static pf_status load(factors *f, pf_error *err)
{
    safetensors *file = NULL;
    *f = (factors){.n_kinds = 0};
    pf_status s = safetensors_open(&file, path, err);
    if (s == PF_OK) s = factors_take(f, file, err);
    safetensors_close(file);
    return s;
}

static char *describe(const factors *f)
{
    buffer b;
    json_writer w;
    buffer_init(&b, 1 << 16);
    json_begin(&w, &b);
    factors_describe(f, &w);
    assert_true(json_finish(&w));
    char *words = mem_copy_text(b.data, b.length);
    buffer_free(&b);
    return words;
}

static void what_a_file_gives_back_is_what_was_saved(void **state)
{
    (void)state;
    static factors_cell cell[ARMS];
    static double truth[ARMS];
    make_past(12, 1.3, 0.8, 8, 4, 16, cell, truth);
    for (size_t n = 0; n <= ARMS; n += ARMS / 2) {
        factors f = fit(cell, n), g;
        assert_int_equal(save(&f), PF_OK);
        assert_int_equal(load(&g, NULL), PF_OK);
        assert_int_equal(g.n_arms, f.n_arms);
        for (size_t i = 0; i < ARMS; i++)
            assert_true(within(factors_mean(&g, cell[i].kind, cell[i].promotion),
                               factors_mean(&f, cell[i].kind, cell[i].promotion), 0));
        char *before = describe(&f), *after = describe(&g);
        assert_string_equal(before, after);
        assert_true(n == 0 || strstr(before, "money_off in A") != NULL);
        mem_free(before);
        mem_free(after);
        factors_free(&f);
        factors_free(&g);
    }
    (void)unlink(path);
}

/* Of three bytes each, so that most limits fall into the middle of one; n of them and an end. */
static void fill_name(char *into, size_t n, const char *end)
{
    for (size_t i = 0; i < n; i++)
        memcpy(into + 3 * i, "\xE4\xBF\x83", 3);
    memcpy(into + 3 * n, end, strlen(end) + 1);
}

static void long_names_are_cut_at_whole_characters_and_stay_apart(void **state)
{
    (void)state;
    char a[300], b[300], own[300], again[300];
    for (size_t n = 0; n < 90; n++)
        for (size_t room = 32; room < 70; room++) {
            fill_name(a, n, "");
            fill_name(b, n, "!");
            kinds_shorten(a, own, room);
            kinds_shorten(b, again, room);
            assert_true(strlen(own) < room && utf8_check(own, strlen(own), NULL));
            assert_true(strcmp(own, a) == 0 || strlen(a) >= room);
            assert_string_not_equal(own, again);
            kinds_shorten(own, again, room);
            assert_string_equal(own, again);
        }
}

/* Sixty characters, and campaigns' kinds that differ in the last one alone. */
static void kinds_of_long_names_are_told_apart_and_described(void **state)
{
    (void)state;
    char name[2][300];
    fill_name(name[0], 60, "A");
    fill_name(name[1], 60, "B");
    const char *const both[] = {name[0], name[1]};
    const factors_cell cell[2] = {{1, 0, 0, 200, 400}, {2, 1, 1, 200, 100}};
    factors f, g;
    assert_int_equal(factors_fit(&f, cell, 2, both, 2, NULL), PF_OK);
    assert_int_equal(save(&f), PF_OK);
    assert_int_equal(load(&g, NULL), PF_OK);
    for (size_t k = 0; k < 2; k++) {
        assert_int_equal(factors_kind_of(&f, name[k]), k);
        assert_int_equal(factors_kind_of(&g, name[k]), k);
        assert_true(utf8_check(g.kind_name[k], strlen(g.kind_name[k]), NULL));
    }
    fill_name(name[0], 60, "C");
    assert_int_equal(factors_kind_of(&f, name[0]), 2);
    mem_free(describe(&f)); /* JSON of whole characters */
    f.kind_name[0][1] = 'x'; /* no longer whole */
    assert_int_equal(save(&f), PF_OK);
    factors_free(&g);
    assert_int_equal(load(&g, NULL), PF_DATA);
    factors_free(&f);
    (void)unlink(path);
}

/* A file of wrong numbers, its checksum right: each is told, none is used. */
static void numbers_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    factors_cell cell[2] = {{1, 0, 0, 200, 300}, {2, 1, 0, 50, 30}};
    factors f = fit(cell, 2), g;
    double *const number[] = {&f.shape.group, &f.shape.nu, &f.shape.overall,
                              &f.kind[0].answers, &f.kind[0].belief.rate, &f.arm[1].expected,
                              &f.arm[0].answers};
    const double bad[] = {(double)NAN, -1, (double)INFINITY};
    for (size_t i = 0; i < sizeof number / sizeof number[0]; i++)
        for (size_t k = 0; k < 3; k++) {
            pf_error err = {0};
            double kept = *number[i];
            *number[i] = bad[k];
            assert_int_equal(save(&f), PF_OK);
            *number[i] = kept;
            if (i == 4 && k == 2) continue; /* a rate without end is a mean of 0 */
            assert_int_equal(load(&g, &err), PF_DATA);
            assert_non_null(strstr(err.message, "train"));
            assert_int_equal(g.n_arms, 0);
        }
    f.arm_key[0] = f.arm_key[1];
    assert_int_equal(save(&f), PF_OK);
    assert_int_equal(load(&g, NULL), PF_DATA);
    factors_free(&f);
    (void)unlink(path);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    static factors_cell cell[ARMS];
    static double truth[ARMS];
    make_past(13, 1.3, 0.8, 8, 4, 16, cell, truth);
    factors kept = fit(cell, ARMS);
    assert_int_equal(save(&kept), PF_OK);
    factors_free(&kept);
    fault v = {0};
    while (fault_next(&v)) {
        factors f, g = {.n_kinds = 0};
        draws d = {.draws = 0};
        pf_status s = factors_fit(&f, cell, ARMS, names, 3, NULL);
        if (s == PF_OK) s = factors_watch(&f, cell, ARMS, NULL);
        if (s == PF_OK) s = factors_draws(&f, 8, 1, 1, &d, NULL);
        if (s == PF_OK) s = load(&g, NULL);
        if (fault_reached(&v)) assert_int_equal(s, PF_NO_MEMORY);
        draws_free(&d);
        factors_free(&f);
        factors_free(&g);
    }
    assert_true(v.n > 10);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_promotion_that_brings_twice_is_found),
        cmocka_unit_test(a_promotion_that_few_saw_reads_like_its_kind),
        cmocka_unit_test(spreads_of_campaigns_and_promotions_are_found),
        cmocka_unit_test(kinds_have_their_own_means),
        cmocka_unit_test(one_large_campaign_is_no_proof_of_its_kind),
        cmocka_unit_test(nothing_is_corrected_before_there_are_enough_answers),
        cmocka_unit_test(means_announce_what_comes_next),
        cmocka_unit_test(neither_order_nor_parts_of_cells_matter),
        cmocka_unit_test(without_a_past_all_factors_have_mean_one),
        cmocka_unit_test(bad_cells_are_refused_by_their_place),
        cmocka_unit_test(answers_to_what_was_thought_impossible_stay_finite),
        cmocka_unit_test(what_runs_is_added_to_its_own_factor_alone),
        cmocka_unit_test(draws_have_the_mean_and_the_variance_of_their_gamma),
        cmocka_unit_test(draws_are_a_function_of_seed_and_publication),
        cmocka_unit_test(what_a_file_gives_back_is_what_was_saved),
        cmocka_unit_test(long_names_are_cut_at_whole_characters_and_stay_apart),
        cmocka_unit_test(kinds_of_long_names_are_told_apart_and_described),
        cmocka_unit_test(numbers_that_make_no_sense_are_refused),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
