/*
 * Response on the coupon shop, whose truth is known: fans answer, and use the promotion on
 * what they buy. What was learnt must show it, mean what it says, and say why.
 */
#include "check.h"

#include <math.h>
#include <string.h>

#include "fixtures/coupon_shop.h"
#include "measure/calibration.h"
#include "measure/classification.h"
#include "response/response.h"

enum { CAMPAIGN = 6, SHOPPERS = COUPON_SHOPPERS };

static coupon_shop shop;
static response_world world;
static response_data *data;
static uint32_t promotions[COUPON_EACH], everybody[SHOPPERS];

static int make(void **state)
{
    (void)state;
    coupon_shop_make(&shop);
    world = (response_world){.catalogue = &shop.c, .history = shop.h};
    assert_int_equal(response_data_new(&world, &data, NULL), PF_OK);
    for (uint32_t i = 0; i < COUPON_EACH; i++)
        promotions[i] = (CAMPAIGN - 1) * COUPON_EACH + i + 1;
    for (uint32_t i = 0; i < SHOPPERS; i++)
        everybody[i] = i + 1;
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    response_data_free(data);
    coupon_shop_free(&shop);
    return 0;
}

static response_ask ask_all(void)
{
    return (response_ask){.campaign = CAMPAIGN, .promotion = promotions,
                          .n_promotions = COUPON_EACH, .shopper = everybody,
                          .n_shoppers = SHOPPERS, .at_us = coupon_start_us(CAMPAIGN)};
}

static response_model *fit(response_learner learner)
{
    response_model *m;
    pf_error err = {0};
    response_options o = response_options_default();
    o.learner = learner;
    if (response_fit(data, coupon_start_us(CAMPAIGN), &o, &m, &err) != PF_OK)
        fail_msg("%s", err.message);
    return m;
}

static response_scores score(const response_model *m, const response_ask *ask)
{
    response_scores s;
    pf_error err = {0};
    if (response_score(m, data, ask, &s, &err) != PF_OK)
        fail_msg("%s", err.message);
    return s;
}

/* --- what was learnt ------------------------------------------------------------------- */

static void fans_are_told_from_others_by_every_learner(void **state)
{
    (void)state;
    for (int learner = RESPONSE_AUTO; learner <= RESPONSE_AVERAGE; learner++) {
        response_model *m = fit((response_learner)learner);
        response_ask ask = ask_all();
        response_scores s = score(m, &ask);
        double p[SHOPPERS], auc;
        uint8_t fan[SHOPPERS];
        for (size_t i = 0; i < SHOPPERS; i++) {
            p[i] = (double)s.any[i];
            fan[i] = coupon_is_fan(everybody[i]);
        }
        assert_int_equal(measure_roc_auc(p, fan, NULL, SHOPPERS, &auc, NULL), PF_OK);
        if (auc < 0.95)
            fail_msg("learner %d: AUC %.3f", learner, auc);
        response_scores_free(&s);
        response_free(m);
    }
}

static void the_favourite_promotion_comes_first(void **state)
{
    (void)state;
    response_model *m = fit(RESPONSE_AUTO);
    response_ask ask = ask_all();
    response_scores s = score(m, &ask);
    unsigned first = 0;
    for (size_t i = 0; i < SHOPPERS; i++) {
        const float *order = s.order + i * COUPON_EACH;
        size_t best = 0;
        for (size_t k = 1; k < COUPON_EACH; k++)
            if (order[k] > order[best])
                best = k;
        const promotion *p = &shop.promotions[promotions[best]];
        first += (p->scope[0] - 1) / 10 == everybody[i] % 6;
    }
    assert_true(first > SHOPPERS * 95 / 100);
    response_scores_free(&s);
    response_free(m);
}

static void as_many_answer_as_were_announced(void **state)
{
    (void)state;
    response_model *m = fit(RESPONSE_LOGISTIC);
    response_ask ask = ask_all();
    response_scores s = score(m, &ask);
    double said = 0, truth = 0;
    for (size_t i = 0; i < SHOPPERS; i++) {
        said += (double)s.any[i];
        truth += coupon_is_fan(everybody[i]) ? COUPON_FAN_CHANCE : COUPON_OTHER_CHANCE;
    }
    if (said < 0.75 * truth || said > 1.25 * truth)
        fail_msg("%.1f were announced, %.1f are true", said, truth);
    response_scores_free(&s);
    response_free(m);
}

static void chances_are_chances_and_keep_to_any(void **state)
{
    (void)state;
    response_model *m = fit(RESPONSE_AUTO);
    response_ask ask = ask_all();
    response_scores s = score(m, &ask);
    for (size_t i = 0; i < SHOPPERS; i++) {
        double sum = 0;
        assert_true(s.any[i] > 0 && s.any[i] < 1);
        for (size_t k = 0; k < COUPON_EACH; k++) {
            size_t at = i * COUPON_EACH + k;
            assert_true(s.p[at] > 0 && s.p[at] <= s.any[i]);
            assert_true(s.spend[at] > 0 && isfinite(s.spend[at]));
            sum += (double)s.p[at];
            for (size_t j = 0; j < k; j++) /* more likely is ranked higher */
                assert_true((s.order[at] > s.order[at - k + j]) <= (s.p[at] >= s.p[at - k + j]));
        }
        assert_true(sum >= (double)s.any[i] * 0.99);
    }
    response_scores_free(&s);
    response_free(m);
}

static void promotions_nobody_saw_before_are_scored_like_any_other(void **state)
{
    (void)state;
    uint32_t number = ++shop.c.n_promotions, in_scope[5] = {11, 12, 13, 14, 15};
    response_data *with;
    response_model *m;
    response_scores s;
    response_options o = response_options_default();
    shop.promotions[number] = shop.promotions[1];
    shop.promotions[number].campaign = CAMPAIGN;
    shop.promotions[number].scope = in_scope; /* what shoppers 1, 7, 13 ... buy */
    assert_int_equal(response_data_new(&world, &with, NULL), PF_OK);
    assert_int_equal(response_fit(with, coupon_start_us(CAMPAIGN), &o, &m, NULL), PF_OK);
    uint32_t asked[2] = {number, promotions[(2 + 6 * 6 - CAMPAIGN) % 6]}; /* and category 2 */
    response_ask ask = {CAMPAIGN, asked, 2, everybody, SHOPPERS, coupon_start_us(CAMPAIGN)};
    assert_int_equal(response_score(m, with, &ask, &s, NULL), PF_OK);
    unsigned right = 0, of = 0;
    for (size_t i = 0; i < SHOPPERS; i++)
        if (everybody[i] % 6 == 1 || everybody[i] % 6 == 2) {
            bool own = everybody[i] % 6 == 1;
            right += (s.order[2 * i] > s.order[2 * i + 1]) == own;
            of++;
        }
    assert_true(right * 10 >= of * 9);
    response_scores_free(&s);
    response_free(m);
    response_data_free(with);
    shop.c.n_promotions--;
}

/* --- the past only ------------------------------------------------------------------------- */

static void assert_same_scores(const response_scores *a, const response_scores *b)
{
    assert_memory_equal(a->any, b->any,
                        (SHOPPERS + 3 * SHOPPERS * COUPON_EACH) * sizeof(float));
}

static response_scores fit_and_score_anew(pool *threads)
{
    response_data *d;
    response_model *m;
    response_scores s;
    response_options o = response_options_default();
    o.learner = threads ? RESPONSE_AVERAGE : RESPONSE_AUTO;
    response_ask ask = ask_all();
    response_world w = world;
    w.history = shop.h;
    w.pool = threads;
    assert_int_equal(response_data_new(&w, &d, NULL), PF_OK);
    assert_int_equal(response_fit(d, coupon_start_us(CAMPAIGN), &o, &m, NULL), PF_OK);
    assert_int_equal(response_score(m, d, &ask, &s, NULL), PF_OK);
    response_free(m);
    response_data_free(d);
    return s;
}

static void no_event_at_or_after_the_moment_changes_a_score(void **state)
{
    (void)state;
    response_scores before = fit_and_score_anew(NULL);
    int64_t at_us = coupon_start_us(CAMPAIGN);
    for (uint64_t i = 0; i < shop.n_rows; i++) {
        history_row *r = &shop.rows[i];
        if (r->time_us < at_us)
            continue;
        r->type = i % 2 ? EVENT_PURCHASE : EVENT_REDEMPTION;
        r->product = 1 + (uint32_t)(i % COUPON_PRODUCTS);
        r->promotion = 1 + (uint32_t)(i % COUPON_PROMOTIONS);
        r->paid_minor = 77;
    }
    coupon_shop_remake(&shop);
    response_scores after = fit_and_score_anew(NULL);
    assert_same_scores(&before, &after);
    response_scores_free(&before);
    response_scores_free(&after);
    (void)unmake(NULL);
    (void)make(NULL);
}

static void scores_are_the_same_for_any_number_of_threads(void **state)
{
    (void)state;
    pool *single = pool_new(1);
    response_scores alone = fit_and_score_anew(single);
    pool_free(single);
    for (unsigned threads = 2; threads <= 3; threads++) {
        pool *p = pool_new(threads);
        response_scores many = fit_and_score_anew(p);
        assert_same_scores(&alone, &many);
        response_scores_free(&many);
        pool_free(p);
    }
    response_scores_free(&alone);
}

static void a_shopper_is_scored_alike_alone_and_among_all(void **state)
{
    (void)state;
    response_model *m = fit(RESPONSE_AUTO);
    response_ask ask = ask_all(), one = ask_all();
    response_scores all = score(m, &ask);
    one.shopper = everybody + 20;
    one.n_shoppers = 1;
    response_scores own = score(m, &one);
    assert_true(own.any[0] == all.any[20]);
    assert_memory_equal(own.p, all.p + 20 * COUPON_EACH, COUPON_EACH * sizeof(float));
    response_scores_free(&own);
    response_scores_free(&all);
    response_free(m);
}

/* --- why ------------------------------------------------------------------------------ */

static void reasons_are_the_largest_first_and_have_names(void **state)
{
    (void)state;
    for (int learner = RESPONSE_LOGISTIC; learner <= RESPONSE_AVERAGE; learner++) {
        response_model *m = fit((response_learner)learner);
        response_ask ask = ask_all();
        for (int any = 0; any < 2; any++) {
            response_part parts[5];
            size_t found = 0;
            assert_int_equal(
                response_explain(m, data, &ask, any, 2, 1, parts, 5, &found, NULL), PF_OK);
            assert_true(found > 0 && found <= 5);
            for (size_t i = 0; i < found; i++) {
                assert_true(strlen(parts[i].feature) > 3 && isfinite(parts[i].contribution));
                assert_true(i == 0 || fabs(parts[i].contribution) <=
                                          fabs(parts[i - 1].contribution));
            }
        }
        response_free(m);
    }
}

static void reasons_of_which_add_up_to_its_score(void **state)
{
    (void)state;
    response_model *m = fit(RESPONSE_LOGISTIC);
    response_ask ask = ask_all();
    response_scores s = score(m, &ask);
    response_part parts[64];
    size_t found = 0;
    double sum[2] = {0, 0};
    for (size_t k = 0; k < 2; k++) {
        assert_int_equal(response_explain(m, data, &ask, false, 5, k, parts, 64, &found, NULL),
                         PF_OK);
        for (size_t i = 0; i < found; i++)
            sum[k] += parts[i].contribution;
    }
    double difference = (double)s.order[5 * COUPON_EACH] - (double)s.order[5 * COUPON_EACH + 1];
    assert_true(fabs(sum[0] - sum[1] - difference) < 1e-4);
    response_scores_free(&s);
    response_free(m);
}

static void a_reason_for_somebody_not_asked_about_is_refused(void **state)
{
    (void)state;
    response_model *m = fit(RESPONSE_LOGISTIC);
    response_ask ask = ask_all();
    response_part part;
    size_t found = 9;
    assert_int_equal(response_explain(m, data, &ask, true, SHOPPERS, 0, &part, 1, &found, NULL),
                     PF_USAGE);
    assert_int_equal(found, 0);
    response_free(m);
}

/* --- how sure ------------------------------------------------------------------------- */

static void draws_of_promotions_have_mean_one_and_are_the_same_in_any_ask(void **state)
{
    (void)state;
    enum { D = 1024 };
    response_model *m = fit(RESPONSE_LOGISTIC);
    response_ask ask = ask_all(), single = ask_all();
    draws d, one;
    single.promotion = promotions + 2;
    single.n_promotions = 1;
    assert_int_equal(response_draws(m, data, &ask, D, 7, 3, &d, NULL), PF_OK);
    assert_int_equal(response_draws(m, data, &single, D, 7, 3, &one, NULL), PF_OK);
    assert_true(d.draws == D && d.width == COUPON_EACH && one.width == 1);
    for (size_t k = 0; k < COUPON_EACH; k++) {
        double sum = 0;
        for (size_t i = 0; i < D; i++)
            sum += d.value[i * COUPON_EACH + k];
        assert_true(fabs(sum / D - 1) < 0.25); /* nu is .25 or more: sd of a mean .06 or less */
    }
    for (size_t i = 0; i < D; i++)
        assert_true(one.value[i] >= d.value[i * COUPON_EACH + 2] &&
                    one.value[i] <= d.value[i * COUPON_EACH + 2]);
    draws_free(&d);
    draws_free(&one);
    assert_int_equal(response_draws(m, data, &ask, 3, 7, 3, &d, NULL), PF_USAGE);
    single.n_promotions = 0;
    assert_int_equal(response_draws(m, data, &single, D, 7, 3, &d, NULL), PF_USAGE);
    mem_fail_at(1);
    assert_int_equal(response_draws(m, data, &ask, D, 7, 3, &d, NULL), PF_NO_MEMORY);
    mem_fail_at(0);
    assert_null(d.value);
    response_free(m);
}

/* --- what cannot be done -------------------------------------------------------------- */

static void before_a_campaign_has_ended_there_is_nothing_to_learn_from(void **state)
{
    (void)state;
    response_model *m;
    pf_error err = {0};
    response_options o = response_options_default();
    assert_int_equal(response_fit(data, coupon_end_us(1) - 1, &o, &m, &err), PF_DATA);
    assert_null(m);
    assert_non_null(strstr(err.message, "no campaign to learn from"));
}

static void campaigns_nobody_answered_teach_nothing(void **state)
{
    (void)state;
    response_data *d;
    response_model *m;
    pf_error err = {0};
    response_options o = response_options_default();
    for (uint64_t i = 0; i < shop.n_rows; i++)
        if (shop.rows[i].type == EVENT_REDEMPTION)
            shop.rows[i].type = EVENT_CLICK;
    coupon_shop_remake(&shop);
    response_world w = world;
    w.history = shop.h;
    assert_int_equal(response_data_new(&w, &d, NULL), PF_OK);
    assert_int_equal(response_fit(d, INT64_MAX - 1, &o, &m, &err), PF_DATA);
    assert_non_null(strstr(err.message, "none of"));
    response_data_free(d);
    (void)unmake(NULL);
    (void)make(NULL);
}

static void a_shop_without_campaigns_has_data_and_no_model(void **state)
{
    (void)state;
    response_data *d;
    response_model *m;
    response_options o = response_options_default();
    shop_catalogue bare = shop.c;
    bare.n_campaigns = bare.n_promotions = 0;
    uint64_t n = shop.n_rows;
    for (uint64_t i = 0; i < n; i++)
        shop.rows[i].campaign = shop.rows[i].promotion = 0;
    coupon_shop_remake(&shop);
    response_world w = {.catalogue = &bare, .history = shop.h};
    assert_int_equal(response_data_new(&w, &d, NULL), PF_OK);
    assert_int_equal(response_fit(d, INT64_MAX - 1, &o, &m, NULL), PF_DATA);
    response_data_free(d);
    response_data_free(NULL);
    response_free(NULL);
    (void)unmake(NULL);
    (void)make(NULL);
}

static void questions_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    response_model *m = fit(RESPONSE_LOGISTIC);
    response_scores s;
    response_ask ask = ask_all();
    uint32_t mixed[2] = {1, COUPON_EACH + 1}, absent = COUPON_PROMOTIONS + 1,
             nobody = COUPON_SHOPPERS + 1;
    ask.n_promotions = 0;
    assert_int_equal(response_score(m, data, &ask, &s, NULL), PF_USAGE);
    ask = ask_all();
    ask.promotion = mixed;
    ask.n_promotions = 2;
    assert_int_equal(response_score(m, data, &ask, &s, NULL), PF_USAGE);
    ask.promotion = &absent;
    ask.n_promotions = 1;
    assert_int_equal(response_score(m, data, &ask, &s, NULL), PF_NOT_FOUND);
    ask = ask_all();
    ask.shopper = &nobody;
    ask.n_shoppers = 1;
    assert_int_equal(response_score(m, data, &ask, &s, NULL), PF_NOT_FOUND);
    ask.n_shoppers = 0;
    assert_int_equal(response_score(m, data, &ask, &s, NULL), PF_OK);
    response_scores_free(&s);
    response_scores_free(&s);
    response_free(m);
}

static void promotions_without_campaigns_are_learnt_one_by_one(void **state)
{
    (void)state;
    response_data *d;
    response_model *m;
    response_scores s;
    response_options o = response_options_default();
    o.learner = RESPONSE_LOGISTIC;
    for (uint32_t i = 1; i <= COUPON_PROMOTIONS; i++)
        shop.promotions[i].campaign = 0;
    uint64_t n = shop.n_rows;
    for (uint64_t i = 0; i < n; i++) { /* who was shown a campaign was shown each */
        history_row kept = shop.rows[i];
        if (kept.type != EVENT_EXPOSURE)
            continue;
        for (uint32_t j = 0; j < COUPON_EACH; j++)
            coupon_shop_add(&shop, EVENT_EXPOSURE, kept.shopper, kept.time_us)->promotion =
                (kept.campaign - 1) * COUPON_EACH + j + 1;
    }
    for (uint64_t i = 0; i < shop.n_rows; i++)
        shop.rows[i].campaign = 0;
    shop.c.n_campaigns = 0;
    coupon_shop_remake(&shop);
    response_world w = {.catalogue = &shop.c, .history = shop.h};
    assert_int_equal(response_data_new(&w, &d, NULL), PF_OK);
    assert_int_equal(response_fit(d, coupon_start_us(CAMPAIGN), &o, &m, NULL), PF_OK);
    response_ask ask = {0, promotions, 1, everybody, SHOPPERS, coupon_start_us(CAMPAIGN)};
    assert_int_equal(response_score(m, d, &ask, &s, NULL), PF_OK);
    double p[SHOPPERS], auc;
    uint8_t likely[SHOPPERS];
    uint32_t taste = (shop.promotions[promotions[0]].scope[0] - 1) / 10;
    for (size_t i = 0; i < SHOPPERS; i++) {
        p[i] = (double)s.p[i];
        assert_true(s.p[i] == s.any[i]); /* it competes with nothing */
        likely[i] = coupon_is_fan(everybody[i]) && everybody[i] % 6 == taste;
    }
    assert_int_equal(measure_roc_auc(p, likely, NULL, SHOPPERS, &auc, NULL), PF_OK);
    assert_true(auc > 0.9);
    response_scores_free(&s);
    response_free(m);
    response_data_free(d);
    (void)unmake(NULL);
    (void)make(NULL);
}

/* Turn n fails the n-th allocation of fitting, scoring and explaining. */
static bool fails_at(uint64_t n)
{
    response_ask ask = ask_all();
    response_options o = response_options_default();
    response_model *m = NULL;
    response_scores s = {.any = NULL};
    response_part part;
    size_t found = 0;
    o.learner = RESPONSE_LOGISTIC;
    ask.n_shoppers = 3;
    mem_fail_at(n);
    pf_status status = response_fit(data, coupon_end_us(2), &o, &m, NULL);
    if (status == PF_OK)
        status = response_score(m, data, &ask, &s, NULL);
    if (status == PF_OK)
        status = response_explain(m, data, &ask, false, 0, 0, &part, 1, &found, NULL);
    bool reached = mem_allocations_since() >= n;
    mem_fail_at(0);
    assert_int_equal(status, reached ? PF_NO_MEMORY : PF_OK);
    response_scores_free(&s);
    response_free(m);
    return reached;
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    uint64_t n = 1;
    while (fails_at(n))
        n++;
    assert_true(n > 80);
}

static void every_failed_allocation_of_the_data_is_told(void **state)
{
    (void)state;
    uint32_t campaigns = 0;
    for (uint64_t at = 1;; at += at < 60 ? 1 : 23) { /* every one of the first, then some */
        response_data *d;
        mem_fail_at(at);
        pf_status status = response_data_new(&world, &d, NULL);
        bool reached = mem_allocations_since() >= at;
        mem_fail_at(0);
        if (reached) {
            assert_int_equal(status, PF_NO_MEMORY);
            assert_null(d);
        }
        response_data_free(d);
        campaigns++;
        if (!reached)
            break;
    }
    assert_true(campaigns > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fans_are_told_from_others_by_every_learner),
        cmocka_unit_test(the_favourite_promotion_comes_first),
        cmocka_unit_test(as_many_answer_as_were_announced),
        cmocka_unit_test(chances_are_chances_and_keep_to_any),
        cmocka_unit_test(promotions_nobody_saw_before_are_scored_like_any_other),
        cmocka_unit_test(no_event_at_or_after_the_moment_changes_a_score),
        cmocka_unit_test(scores_are_the_same_for_any_number_of_threads),
        cmocka_unit_test(a_shopper_is_scored_alike_alone_and_among_all),
        cmocka_unit_test(reasons_are_the_largest_first_and_have_names),
        cmocka_unit_test(reasons_of_which_add_up_to_its_score),
        cmocka_unit_test(a_reason_for_somebody_not_asked_about_is_refused),
        cmocka_unit_test(draws_of_promotions_have_mean_one_and_are_the_same_in_any_ask),
        cmocka_unit_test(before_a_campaign_has_ended_there_is_nothing_to_learn_from),
        cmocka_unit_test(campaigns_nobody_answered_teach_nothing),
        cmocka_unit_test(a_shop_without_campaigns_has_data_and_no_model),
        cmocka_unit_test(questions_that_make_no_sense_are_refused),
        cmocka_unit_test(promotions_without_campaigns_are_learnt_one_by_one),
        cmocka_unit_test(every_failed_allocation_is_told),
        cmocka_unit_test(every_failed_allocation_of_the_data_is_told),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
