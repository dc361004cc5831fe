/* measure/uplift.h: scikit-uplift's values to 1e-9, and what must hold of any ranking. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "measure/uplift.h"

enum { N = 400 };

typedef struct rows {
    double score[N], y[N];
    uint8_t treated[N];
} rows;

static void assert_near(double value, double expected, double within)
{
    if (!(fabs(value - expected) <= within))
        fail_msg("%.17g is not %.17g", value, expected);
}

/* The rows of the golden values; ties are many. */
static rows *golden(void)
{
    rows *r = malloc(sizeof *r);
    assert_non_null(r);
    for (uint64_t i = 0; i < N; i++) {
        r->score[i] = nearbyint(golden_unit(i, 11) * 100.0) / 100.0 - 0.5;
        r->treated[i] = golden_unit(i, 12) < 0.5;
        const double moved = r->treated[i] && r->score[i] > 0 ? 0.15 : 0;
        r->y[i] = golden_unit(i, 13) < 0.2 + moved + 0.05 * r->treated[i];
    }
    return r;
}

static uplift_ranking *ranking_of(const rows *r)
{
    uplift_ranking *u = NULL;
    assert_int_equal(uplift_ranking_new(&u, r->score, r->treated, r->y, N, NULL), PF_OK);
    return u;
}

static void values_agree_with_scikit_uplift(void **state)
{
    (void)state;
    rows *r = golden();
    uplift_ranking *u = ranking_of(r);
    assert_near(uplift_qini_auc(u, NULL), 0.11008212904229035, 1e-9);
    assert_near(uplift_auc(u, NULL), 0.08708521283157442, 1e-9);
    static const struct {
        double share, overall, by_arm;
    } at[] = {{.1, 0.3787878787878788, 0.40476190476190477},
              {.3, 0.26262626262626265, 0.2700854700854701},
              {.5, 0.253218000205952, 0.25590150590150595}};
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        assert_near(uplift_at(u, NULL, at[i].share, UPLIFT_OVERALL), at[i].overall, 1e-9);
        assert_near(uplift_at(u, NULL, at[i].share, UPLIFT_BY_ARM), at[i].by_arm, 1e-9);
    }
    uplift_ranking_free(u);
    free(r);
}

static void the_qini_curve_is_scikit_uplifts(void **state)
{
    (void)state;
    static const uplift_point golden_curve[] = {
        {0, 0}, {5, 2}, {8, 2}, {10, 3}, {15, 4.857142857142858}, {22, 5},
        {25, 5.153846153846153}, {31, 6.866666666666667}, {34, 8}, {38, 9.529411764705882},
        {42, 9.368421052631579}, {48, 9.142857142857142}, {51, 9.347826086956522},
        {56, 8.384615384615385}, {63, 10.13793103448276}, {69, 10.64516129032258},
        {72, 11.90909090909091}, {74, 11.94117647058824}, {76, 12.97142857142857},
        {84, 13.3}, {88, 12.97560975609756}, {90, 14.63414634146342},
        {95, 13.56818181818182}, {99, 14.6304347826087}, {105, 15.57142857142857},
        {111, 15.58}, {116, 16.73584905660378}, {119, 17.05660377358491},
        {124, 16.21428571428572}, {128, 17.79661016949153}, {129, 18.57627118644068},
        {133, 19.18333333333334}, {135, 19.69354838709678}, {140, 21},
        {145, 20.70149253731343}, {148, 21.52941176470588}, {156, 25.34782608695652},
        {159, 26.2}, {163, 25.04166666666667}, {168, 25.17808219178082},
        {175, 23.33333333333334}, {176, 23.10666666666667}, {181, 25.03896103896104},
        {183, 24.5974025974026}, {187, 25.75949367088608}, {192, 25.85365853658536},
        {193, 26.63414634146341}, {200, 29.62650602409639}, {201, 29.92857142857143},
        {205, 30.58823529411764}, {210, 32.04545454545455}, {212, 31.63636363636363},
        {216, 31.81818181818182}, {219, 31.70786516853932}, {221, 31.30337078651685},
        {223, 32.4}, {228, 31.9010989010989}, {236, 31.8}, {240, 31.02040816326531},
        {244, 31.2}, {246, 31.28712871287129}, {251, 32.2621359223301},
        {258, 33.32075471698113}, {260, 32.9433962264151}, {264, 32.65420560747663},
        {265, 32.92592592592592}, {274, 34.92982456140351}, {278, 34.65217391304348},
        {283, 32.68067226890756}, {286, 32.56666666666666}, {289, 33.3089430894309},
        {293, 34.432}, {298, 34.86821705426357}, {299, 33.8}, {303, 35.48854961832061},
        {306, 34.93893129770993}, {312, 34.22222222222222}, {313, 34.03703703703704},
        {316, 33.02919708029197}, {318, 33.5179856115108}, {321, 32.53191489361702},
        {330, 33.83333333333333}, {336, 33.16216216216216}, {339, 34.02013422818792},
        {346, 35.15686274509804}, {350, 33.2051282051282}, {355, 32.32075471698113},
        {359, 33.41614906832298}, {364, 31.60493827160494}, {367, 32.44785276073619},
        {373, 36.13939393939394}, {375, 36.19277108433735}, {377, 35.45833333333334},
        {380, 35.76470588235294}, {383, 36.51445086705203}, {387, 35.38857142857142},
        {392, 35.59090909090909}, {394, 35.63841807909605}, {398, 36.64088397790056},
        {400, 37.12568306010929}};
    enum { POINTS = sizeof golden_curve / sizeof golden_curve[0] };
    rows *r = golden();
    uplift_ranking *u = ranking_of(r);
    uplift_point p[POINTS];
    assert_int_equal(uplift_curve_points(u, UPLIFT_QINI, NULL, p, POINTS), POINTS);
    for (size_t i = 0; i < POINTS; i++) {
        assert_true(p[i].rows == golden_curve[i].rows);
        assert_near(p[i].value, golden_curve[i].value, 1e-9);
    }
    uplift_point few[3] = {{-1, -1}, {-1, -1}, {-1, -1}};
    assert_int_equal(uplift_curve_points(u, UPLIFT_CUMULATIVE, NULL, few, 2), POINTS);
    assert_true(few[0].rows == 0 && few[1].rows == golden_curve[1].rows && few[2].rows == -1);
    uplift_ranking_free(u);
    free(r);
}

/* Who is moved by treatment stands at the top of the best order: its area is 1. */
static void the_best_possible_order_has_area_one(void **state)
{
    (void)state;
    rows *r = golden();
    for (size_t i = 0; i < N; i++)
        r->score[i] = r->treated[i] ? r->y[i] : -r->y[i];
    uplift_ranking *u = ranking_of(r);
    assert_near(uplift_qini_auc(u, NULL), 1.0, 1e-12);
    uplift_ranking_free(u);
    for (size_t i = 0; i < N; i++)
        r->score[i] = 0.25;
    u = ranking_of(r);
    assert_near(uplift_qini_auc(u, NULL), 0.0, 1e-12); /* the diagonal */
    assert_near(uplift_auc(u, NULL), 0.0, 1e-12);
    uplift_ranking_free(u);
    free(r);
}

static void areas_do_not_see_the_scale_of_scores_nor_the_order_of_rows(void **state)
{
    (void)state;
    rows *r = golden(), *moved = malloc(sizeof *moved);
    assert_non_null(moved);
    for (size_t i = 0; i < N; i++) {
        const size_t from = (i * 7 + 3) % N;
        moved->score[i] = exp(3 * r->score[from]);
        moved->treated[i] = r->treated[from];
        moved->y[i] = r->y[from];
    }
    uplift_ranking *u = ranking_of(r), *m = ranking_of(moved);
    assert_near(uplift_qini_auc(m, NULL), uplift_qini_auc(u, NULL), 1e-12);
    assert_near(uplift_auc(m, NULL), uplift_auc(u, NULL), 1e-12);
    uplift_ranking_free(u);
    uplift_ranking_free(m);
    free(r);
    free(moved);
}

/* A bootstrap's counts are as good as the rows they stand for. */
static void a_weight_stands_for_so_many_rows(void **state)
{
    (void)state;
    rows *r = golden(), *twice = malloc(sizeof *twice);
    double w[N];
    assert_non_null(twice);
    for (size_t i = 0; i < N; i++) {
        w[i] = i < N / 2 ? 2.0 : 0.0;
        twice->score[i] = r->score[i / 2];
        twice->treated[i] = r->treated[i / 2];
        twice->y[i] = r->y[i / 2];
    }
    uplift_ranking *u = ranking_of(r), *t = ranking_of(twice);
    assert_near(uplift_qini_auc(u, w), uplift_qini_auc(t, NULL), 1e-12);
    assert_near(uplift_auc(u, w), uplift_auc(t, NULL), 1e-12);
    /* Shares that end between the two of a pair too. */
    for (double share = .05; share < 1; share += .0525)
        for (int of = UPLIFT_OVERALL; of <= UPLIFT_BY_ARM; of++)
            assert_near(uplift_at(u, w, share, (uplift_share_of)of),
                        uplift_at(t, NULL, share, (uplift_share_of)of), 1e-12);
    uplift_ranking_free(u);
    uplift_ranking_free(t);
    free(r);
    free(twice);
}

/* Scores that know nothing are worth nothing on average, whatever the true effect. */
static void chance_has_area_zero_on_average(void **state)
{
    (void)state;
    enum { TRIES = 300 };
    rows *r = golden();
    double qini = 0, area = 0;
    random_stream g = random_begin(5, 1);
    for (int k = 0; k < TRIES; k++) {
        for (size_t i = 0; i < N; i++)
            r->score[i] = random_unit(&g);
        uplift_ranking *u = ranking_of(r);
        qini += uplift_qini_auc(u, NULL) / TRIES;
        area += uplift_auc(u, NULL) / TRIES;
        uplift_ranking_free(u);
    }
    assert_near(qini, 0, 0.01);
    assert_near(area, 0, 0.01);
    free(r);
}

static void what_does_not_exist_is_not_a_number(void **state)
{
    (void)state;
    rows *r = golden();
    double none[N] = {0};
    uplift_ranking *u = ranking_of(r);
    assert_true(isnan(uplift_qini_auc(u, none)));
    assert_true(isnan(uplift_at(u, NULL, 0, UPLIFT_OVERALL)));
    assert_true(isnan(uplift_at(u, NULL, 1.5, UPLIFT_OVERALL)));
    assert_true(isnan(uplift_at(u, NULL, NAN, UPLIFT_BY_ARM)));
    assert_true(isnan(uplift_at(u, NULL, 1e-9, UPLIFT_OVERALL)));
    uplift_ranking_free(u);
    for (size_t i = 0; i < N; i++)
        r->y[i] = 0; /* nobody buys: no order is better than another */
    u = ranking_of(r);
    assert_true(isnan(uplift_qini_auc(u, NULL)));
    uplift_ranking_free(u);
    for (size_t i = 0; i < N; i++)
        r->treated[i] = 1; /* nobody to compare with */
    u = ranking_of(r);
    assert_true(isnan(uplift_qini_auc(u, NULL)));
    assert_true(isnan(uplift_auc(u, NULL)));
    assert_true(isnan(uplift_at(u, NULL, .5, UPLIFT_OVERALL)));
    uplift_ranking_free(u);
    assert_int_equal(uplift_ranking_new(&u, r->score, r->treated, r->y, 0, NULL), PF_OK);
    assert_true(isnan(uplift_qini_auc(u, NULL)));
    uplift_ranking_free(u);
    uplift_ranking_free(NULL);
    free(r);
}

static void scores_and_outcomes_that_are_no_numbers_are_refused(void **state)
{
    (void)state;
    rows *r = golden();
    uplift_ranking *u = NULL;
    pf_error err = {0};
    r->score[7] = NAN;
    assert_int_equal(uplift_ranking_new(&u, r->score, r->treated, r->y, N, &err), PF_DATA);
    assert_non_null(strstr(err.message, "score"));
    r->score[7] = 0;
    r->y[9] = INFINITY;
    assert_int_equal(uplift_ranking_new(&u, r->score, r->treated, r->y, N, &err), PF_DATA);
    assert_non_null(strstr(err.message, "outcome"));
    assert_null(u);
    free(r);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    rows *r = golden();
    fault f = {0};
    while (fault_next(&f)) {
        uplift_ranking *u = NULL;
        pf_status s = uplift_ranking_new(&u, r->score, r->treated, r->y, N, NULL);
        if (fault_reached(&f)) {
            assert_int_equal(s, PF_NO_MEMORY);
            assert_null(u);
        }
        uplift_ranking_free(u);
    }
    assert_true(f.n > 5);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_agree_with_scikit_uplift),
        cmocka_unit_test(the_qini_curve_is_scikit_uplifts),
        cmocka_unit_test(the_best_possible_order_has_area_one),
        cmocka_unit_test(areas_do_not_see_the_scale_of_scores_nor_the_order_of_rows),
        cmocka_unit_test(a_weight_stands_for_so_many_rows),
        cmocka_unit_test(chance_has_area_zero_on_average),
        cmocka_unit_test(what_does_not_exist_is_not_a_number),
        cmocka_unit_test(scores_and_outcomes_that_are_no_numbers_are_refused),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
