/*
 * Corrections of single promotions' chances on the coupon shop: what every corrected answer keeps
 * to, and what is learnt where campaigns of a kind bring more than was foretold of them.
 */
#include "check.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "fixtures/coupon_shop.h"
#include "response/correction.h"

static coupon_shop shop;
static response_data *data;

static int make(void **state)
{
    (void)state;
    coupon_shop_make(&shop);
    for (uint32_t k = 1; k <= COUPON_CAMPAIGNS; k++)
        shop.campaigns[k].kind = k % 2 ? "odd" : "even";
    const response_world world = {.catalogue = &shop.c, .history = shop.h};
    assert_int_equal(response_data_new(&world, &data, NULL), PF_OK);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    response_data_free(data);
    coupon_shop_free(&shop);
    return 0;
}

static pf_status fit_all(correction *c, pf_error *err)
{
    const learners_want want = judge_wants(RESPONSE_LOGISTIC, 1);
    const int64_t until_us = coupon_start_us(COUPON_CAMPAIGNS);
    chain links = {.n = 0};
    verdict v;
    size_t from, to;
    *c = (correction){.w = winners_none()};
    judge_range(data, until_us, &from, &to);
    pf_status s = chain_make(&links, data, from, to, &want, NULL, err);
    if (s == PF_OK) s = judge(&v, &links, data, until_us, RESPONSE_LOGISTIC, err);
    if (s == PF_OK) s = correction_fit(c, &v, &links, data, until_us, err);
    chain_free(&links);
    return s;
}

static correction fit(void)
{
    correction c;
    pf_error err = {0};
    if (fit_all(&c, &err) != PF_OK) fail_msg("%s", err.message);
    return c;
}

/* --- applying --------------------------------------------------------------------- */

static void chances_keep_to_any_and_their_sum_to_at_least_it(void **state)
{
    (void)state;
    enum { P = 7 };
    random_stream r = random_begin(3, 0);
    for (int turn = 0; turn < 2000; turn++) {
        correction c = {.w = winners_none()};
        float p[P], factor[P], any = (float)random_unit(&r), kept = any;
        double sum = 0;
        c.w.keep = random_unit(&r);
        for (size_t k = 0; k < P; k++)
            p[k] = (float)random_unit(&r) * any;
        for (size_t k = 0; k < P; k++)
            factor[k] = (float)exp(2 * random_normal(&r));
        correction_apply(&c, factor, P, &any, p);
        assert_true(any >= kept && any <= kept);
        for (size_t k = 0; k < P; k++) {
            assert_true(p[k] >= 0 && (double)p[k] <= (double)any * (1 + 1e-6));
            sum += (double)p[k];
        }
        if (sum < (double)any * (1 - 1e-5))
            fail_msg("the chances of %g add up to %g", (double)any, sum);
    }
}

static void an_equal_factor_keeps_the_order_and_multiplies_the_sum(void **state)
{
    (void)state;
    correction c = {.w = winners_none()};
    const float factor[4] = {1.3f, 1.3f, 1.3f, 1.3f};
    float p[4] = {0.1f, 0.2f, 0.15f, 0.05f}, any = 0.4f;
    correction_apply(&c, factor, 4, &any, p);
    assert_true(p[1] > p[2] && p[2] > p[0] && p[0] > p[3]);
    assert_true(fabs((double)(p[0] + p[1] + p[2] + p[3]) - 0.65) < 1e-6);
    c.w.keep = 0.5;
    float q[4] = {0.1f, 0.2f, 0.15f, 0.05f};
    correction_apply(&c, factor, 4, &any, q);
    assert_true(fabs((double)(q[0] + q[1] + q[2] + q[3]) - 0.65) < 1e-6);
    assert_true(q[1] < p[1] && q[1] > q[2] && q[3] > p[3]);
}

static void one_promotion_alone_is_any(void **state)
{
    (void)state;
    correction c = {.w = winners_none()};
    float p = 0.3f, any = 0.3f, factor = 2;
    correction_apply(&c, &factor, 1, &any, &p);
    assert_true(fabs((double)p - 0.6) < 1e-6 && any >= p && any <= p);
    factor = 9;
    correction_apply(&c, &factor, 1, &any, &p);
    assert_true(p >= 1 && p <= 1); /* and never above */
}

/* --- learning --------------------------------------------------------------------- */

static void kinds_are_named_and_counted(void **state)
{
    (void)state;
    correction c = fit();
    size_t odd = factors_kind_of(&c.f, "money_off in odd");
    size_t even = factors_kind_of(&c.f, "money_off in even");
    assert_int_equal(c.f.n_kinds, 2);
    assert_true(odd < 2 && even < 2 && odd != even);
    double used = 0, groups = 0, counted = c.f.kind[odd].answers + c.f.kind[even].answers;
    for (size_t i = 0; i < data->n; i++) {
        const data_group *g = &data->group[i];
        if (g->campaign < 2 || !data_known(g, coupon_start_us(COUPON_CAMPAIGNS))) continue;
        used += (double)g->n_used;
        groups++;
    }
    assert_true(fabs(used - counted) < 1e-9);
    assert_true(fabs(c.f.kind[odd].groups + c.f.kind[even].groups - groups) < 1e-9);
    assert_int_equal(c.f.n_arms, (size_t)groups * COUPON_EACH);
    correction_free(&c);
}

/* Uses of the newest even campaigns are doubled behind the learners' back. */
static void a_kind_that_brings_more_than_foretold_is_raised(void **state)
{
    (void)state;
    correction before = fit();
    random_stream r = random_begin(9, 0);
    for (size_t i = 0; i < data->n; i++) {
        data_group *g = &data->group[i];
        if (g->campaign < 4 || g->campaign % 2 != 0) continue;
        for (size_t k = 0; k < g->n_shoppers * g->n_promotions; k++)
            if (!g->used[k] && random_unit(&r) < 0.12) g->used[k] = 1;
    }
    correction after = fit();
    size_t odd = factors_kind_of(&after.f, "money_off in odd");
    size_t even = factors_kind_of(&after.f, "money_off in even");
    assert_true(after.f.enough);
    assert_true(factors_kind_mean(&after.f, even) > 1.15 * factors_kind_mean(&after.f, odd));
    assert_true(factors_kind_mean(&after.f, even) > factors_kind_mean(&before.f, even) + 0.1);
    float factor[COUPON_EACH];
    uint32_t asked[COUPON_EACH];
    for (uint32_t k = 0; k < COUPON_EACH; k++) /* of the sixth campaign */
        asked[k] = 5 * COUPON_EACH + k + 1;
    correction_factors(&after, data, asked, COUPON_EACH, factor);
    for (size_t k = 0; k < COUPON_EACH; k++)
        assert_true(factor[k] > 0.5f && isfinite(factor[k]));
    correction_free(&before);
    correction_free(&after);
    (void)unmake(NULL);
    (void)make(NULL);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    chain links = {.n = 0};
    verdict v;
    size_t from, to;
    const learners_want want = judge_wants(RESPONSE_LOGISTIC, 1);
    const int64_t until_us = coupon_start_us(4);
    judge_range(data, until_us, &from, &to);
    assert_int_equal(chain_make(&links, data, from, to, &want, NULL, NULL), PF_OK);
    assert_int_equal(judge(&v, &links, data, until_us, RESPONSE_LOGISTIC, NULL), PF_OK);
    fault f = {0};
    while (fault_next(&f)) {
        correction c;
        pf_status s = correction_fit(&c, &v, &links, data, until_us, NULL);
        if (fault_reached(&f)) {
            assert_int_equal(s, PF_NO_MEMORY);
            assert_int_equal(c.f.n_arms, 0);
        }
        correction_free(&c);
    }
    assert_true(f.n > 8);
    chain_free(&links);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chances_keep_to_any_and_their_sum_to_at_least_it),
        cmocka_unit_test(an_equal_factor_keeps_the_order_and_multiplies_the_sum),
        cmocka_unit_test(one_promotion_alone_is_any),
        cmocka_unit_test(kinds_are_named_and_counted),
        cmocka_unit_test(a_kind_that_brings_more_than_foretold_is_raised),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
