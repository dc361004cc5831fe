/*
 * Feature rows: nothing of the future is in them, nobody's depend on others, and the
 * numbers that can be counted by hand are what counting gives.
 */
#include "check.h"

#include <math.h>
#include <string.h>

#include "features/profile.h"
#include "features/response_rows.h"
#include "fixtures/coupon_shop.h"

enum { CAMPAIGN = 4, SHOPPERS = 40 };

static coupon_shop shop;
static uint32_t promotions[COUPON_EACH], asked[SHOPPERS];

static int make(void **state)
{
    (void)state;
    coupon_shop_make(&shop);
    for (uint32_t i = 0; i < COUPON_EACH; i++)
        promotions[i] = (CAMPAIGN - 1) * COUPON_EACH + i + 1;
    for (uint32_t i = 0; i < SHOPPERS; i++)
        asked[i] = 1 + 3 * i;
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    coupon_shop_free(&shop);
    return 0;
}

static response_question question(void)
{
    return (response_question){promotions, COUPON_EACH, asked, SHOPPERS,
                               coupon_start_us(CAMPAIGN)};
}

static response_rows rows_of(const response_question *q, pool *threads)
{
    response_rows_maker *maker;
    response_rows rows;
    assert_int_equal(response_rows_maker_new(&shop.c, shop.h, NULL, &maker, NULL), PF_OK);
    assert_int_equal(response_rows_make(maker, q, threads, &rows, NULL), PF_OK);
    response_rows_maker_free(maker);
    return rows;
}

/* How many numbers a set of rows has, all in one block behind `any`. */
static size_t numbers(const response_rows *r)
{
    return r->n_shoppers * RESPONSE_ANY_FEATURES +
           r->n_shoppers * r->n_promotions * (RESPONSE_WHICH_FEATURES + 3) + r->n_promotions;
}

static void assert_same(const response_rows *a, const response_rows *b)
{
    assert_int_equal(numbers(a), numbers(b));
    assert_memory_equal(a->any, b->any, numbers(a) * sizeof(float));
}

static void assert_near(const float *a, const float *b, size_t n, double tolerance)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)a[i] - (double)b[i]) <= tolerance))
            fail_msg("number %zu: %.9g is not %.9g", i, (double)a[i], (double)b[i]);
}

/* --- the future ---------------------------------------------------------------------- */

/* Everything at or after the moment becomes something else, and more is added. */
static void change_the_future(int64_t at_us)
{
    uint64_t n = shop.n_rows;
    for (uint64_t i = 0; i < n; i++) {
        history_row *r = &shop.rows[i];
        if (r->time_us < at_us)
            continue;
        r->paid_minor = 999999;
        r->product = r->product ? 1 + r->product % COUPON_PRODUCTS : 0;
        r->coupon_minor = 500;
        if (i % 3 == 0)
            r->type = EVENT_VIEW;
        r->time_us += US_PER_HOUR;
    }
    for (uint32_t who = 1; who <= COUPON_SHOPPERS; who++) {
        history_row *r = coupon_shop_add(&shop, EVENT_PURCHASE, who, at_us);
        r->product = 1 + who % COUPON_PRODUCTS;
        r->paid_minor = 12345;
        r = coupon_shop_add(&shop, EVENT_REDEMPTION, who, at_us);
        r->campaign = CAMPAIGN;
        r->promotion = promotions[0];
        coupon_shop_add(&shop, EVENT_EXPOSURE, who, at_us)->campaign = CAMPAIGN;
        coupon_shop_add(&shop, EVENT_EXPOSURE, who, at_us + 1)->campaign = CAMPAIGN + 1;
    }
}

static void no_event_at_or_after_the_moment_changes_a_row(void **state)
{
    (void)state;
    static history_row kept[COUPON_ROWS_MAX];
    uint64_t n = shop.n_rows;
    memcpy(kept, shop.rows, n * sizeof *kept);
    for (uint32_t later = 0; later < 3; later++) { /* and within the campaign */
        response_question q = question();
        q.at_us += later * 3 * US_PER_DAY + later;
        response_rows before = rows_of(&q, NULL);
        change_the_future(q.at_us);
        coupon_shop_remake(&shop);
        response_rows after = rows_of(&q, NULL);
        assert_same(&before, &after);
        response_rows_free(&before);
        response_rows_free(&after);
        shop.n_rows = n;
        memcpy(shop.rows, kept, n * sizeof *kept);
        coupon_shop_remake(&shop);
    }
}

static void an_event_just_before_the_moment_does_change_them(void **state)
{
    (void)state;
    response_question q = question();
    response_rows before = rows_of(&q, NULL);
    history_row *r = coupon_shop_add(&shop, EVENT_PURCHASE, asked[0], q.at_us - 1);
    r->product = shop.promotions[promotions[0]].scope[0];
    r->paid_minor = 500;
    coupon_shop_remake(&shop);
    response_rows after = rows_of(&q, NULL);
    assert_true(after.lines[0] == before.lines[0] + 1);
    assert_memory_not_equal(before.any, after.any, RESPONSE_ANY_FEATURES * sizeof(float));
    response_rows_free(&before);
    response_rows_free(&after);
    shop.n_rows--;
    coupon_shop_remake(&shop);
}

/* --- independence --------------------------------------------------------------------- */

static void rows_are_the_same_for_any_number_of_threads(void **state)
{
    (void)state;
    response_question q = question();
    response_rows alone = rows_of(&q, NULL);
    for (unsigned threads = 1; threads <= 3; threads++) {
        pool *p = pool_new(threads);
        response_rows many = rows_of(&q, p);
        assert_same(&alone, &many);
        response_rows_free(&many);
        pool_free(p);
    }
    response_rows_free(&alone);
}

static void rows_do_not_depend_on_who_else_is_asked_about(void **state)
{
    (void)state;
    response_question q = question(), one = question();
    response_rows all = rows_of(&q, NULL);
    one.n_shoppers = 1;
    for (size_t i = 0; i < SHOPPERS; i += 13) {
        one.shopper = asked + i;
        response_rows own = rows_of(&one, NULL);
        assert_memory_equal(own.any, all.any + i * RESPONSE_ANY_FEATURES,
                            RESPONSE_ANY_FEATURES * sizeof(float));
        assert_memory_equal(own.which, all.which + i * COUPON_EACH * RESPONSE_WHICH_FEATURES,
                            COUPON_EACH * RESPONSE_WHICH_FEATURES * sizeof(float));
        response_rows_free(&own);
    }
    response_rows_free(&all);
}

static void the_order_of_promotions_changes_nothing(void **state)
{
    (void)state;
    uint32_t turned[COUPON_EACH];
    response_question q = question();
    response_rows straight = rows_of(&q, NULL);
    for (uint32_t i = 0; i < COUPON_EACH; i++)
        turned[i] = promotions[COUPON_EACH - 1 - i];
    q.promotion = turned;
    response_rows back = rows_of(&q, NULL);
    assert_near(straight.any, back.any, SHOPPERS * RESPONSE_ANY_FEATURES, 1e-5);
    for (size_t s = 0; s < SHOPPERS; s++)
        for (size_t k = 0; k < COUPON_EACH; k++)
            assert_near(straight.which + (s * COUPON_EACH + k) * RESPONSE_WHICH_FEATURES,
                        back.which + (s * COUPON_EACH + COUPON_EACH - 1 - k) *
                                         RESPONSE_WHICH_FEATURES,
                        RESPONSE_WHICH_FEATURES, 1e-6);
    response_rows_free(&straight);
    response_rows_free(&back);
}

static void names_ids_and_what_a_promotion_is_worth_are_no_features(void **state)
{
    (void)state;
    response_question q = question();
    response_rows before = rows_of(&q, NULL);
    for (uint32_t i = 0; i < COUPON_EACH; i++) {
        promotion *p = &shop.promotions[promotions[i]];
        p->value_minor = 100 * (int64_t)i;
        p->id = "9000";
        p->title = "half price";
        p->budget_minor = 5;
    }
    response_rows after = rows_of(&q, NULL);
    assert_same(&before, &after);
    response_rows_free(&before);
    response_rows_free(&after);
}

static void amounts_of_another_currency_give_the_same_rows(void **state)
{
    (void)state;
    response_question q = question();
    response_rows before = rows_of(&q, NULL);
    for (uint64_t i = 0; i < shop.n_rows; i++) {
        history_row *r = &shop.rows[i];
        if (r->type != EVENT_PURCHASE)
            continue;
        r->paid_minor *= 137;
        r->discount_minor *= 137;
        r->coupon_minor *= 137;
    }
    coupon_shop_remake(&shop);
    response_rows after = rows_of(&q, NULL);
    assert_near(before.any, after.any, SHOPPERS * RESPONSE_ANY_FEATURES, 1e-4);
    assert_near(before.which, after.which, SHOPPERS * COUPON_EACH * RESPONSE_WHICH_FEATURES,
                1e-4);
    for (size_t i = 0; i < SHOPPERS * COUPON_EACH; i++)
        assert_true(fabs((double)(after.spend[i] / before.spend[i]) - 137) < 0.01);
    for (uint64_t i = 0; i < shop.n_rows; i++) {
        history_row *r = &shop.rows[i];
        if (r->type != EVENT_PURCHASE)
            continue;
        r->paid_minor /= 137;
        r->discount_minor /= 137;
        r->coupon_minor /= 137;
    }
    coupon_shop_remake(&shop);
    response_rows_free(&before);
    response_rows_free(&after);
}

/* --- the numbers themselves ------------------------------------------------------------- */

static size_t feature(const char *name)
{
    for (size_t f = 0; f < RESPONSE_ANY_FEATURES; f++)
        if (!strcmp(response_any_name(f), name))
            return f;
    fail_msg("there is no feature '%s'", name);
    return 0;
}

static double any_value(const response_rows *r, size_t shopper_at, const char *name)
{
    return (double)r->any[shopper_at * RESPONSE_ANY_FEATURES + feature(name)];
}

static void plain_counts_are_what_counting_gives(void **state)
{
    (void)state;
    response_question q = question();
    response_rows r = rows_of(&q, NULL);
    for (size_t i = 0; i < SHOPPERS; i++) {
        double trips = 0, lines = 0, sent = 0, uses = 0, last = -1;
        uint64_t order = 0;
        uint32_t who = asked[i];
        for (uint64_t k = shop.h->first[who]; k < shop.h->first[who + 1]; k++) {
            double days = (double)(q.at_us - shop.h->time_us[k]) / (double)US_PER_DAY;
            if (shop.h->time_us[k] >= q.at_us)
                continue;
            sent += shop.h->type[k] == EVENT_EXPOSURE;
            uses += shop.h->type[k] == EVENT_REDEMPTION;
            if (shop.h->type[k] != EVENT_PURCHASE)
                continue;
            last = days;
            lines += days <= 28;
            trips += days <= 28 && shop.h->order[k] != order;
            order = shop.h->order[k];
        }
        assert_true(fabs(any_value(&r, i, "shopping trips, last 28 days") -
                         log1p(trips / 4)) < 1e-5);
        assert_true(fabs(any_value(&r, i, "purchases, last 28 days") - log1p(lines / 4)) < 1e-5);
        assert_true(fabs(any_value(&r, i, "campaigns received") - log1p(sent)) < 1e-5);
        assert_true(fabs(any_value(&r, i, "offers used") - log1p(uses)) < 1e-5);
        assert_true(fabs(any_value(&r, i, "days since the last purchase") - log1p(last)) < 1e-5);
    }
    response_rows_free(&r);
}

/* --- gaps -------------------------------------------------------------------------- */

enum { OWN_FEATURES = RESPONSE_ANY_FEATURES - AGGREGATE_FEATURES };

static response_rows rows_without(const response_question *q, const response_gap *gap)
{
    response_rows_maker *maker;
    response_rows rows;
    assert_int_equal(response_rows_maker_new(&shop.c, shop.h, NULL, &maker, NULL), PF_OK);
    assert_int_equal(response_rows_without(maker, q, gap, NULL, &rows, NULL), PF_OK);
    response_rows_maker_free(maker);
    return rows;
}

static void gaps_of_nothing_change_nothing(void **state)
{
    (void)state;
    response_question q = question();
    response_gap gap[SHOPPERS];
    for (size_t i = 0; i < SHOPPERS; i++)
        gap[i] = (response_gap){coupon_week_us(2) + (int64_t)i, coupon_week_us(2) + (int64_t)i};
    response_rows a = rows_of(&q, NULL), b = rows_without(&q, gap);
    assert_same(&a, &b);
    response_rows_free(&a);
    response_rows_free(&b);
}

/* What stands in a gap goes to a shopper who is not asked about: the shop has sold the same, and
 * the row is of who had not been there. */
static void a_row_with_a_gap_is_that_of_who_was_not_there(void **state)
{
    (void)state;
    static history_row kept[COUPON_ROWS_MAX];
    memcpy(kept, shop.rows, shop.n_rows * sizeof *kept);
    response_question q = question();
    uint32_t who = 7;
    q.shopper = &who;
    q.n_shoppers = 1;
    for (int week = 5; week <= 9; week++) {
        const response_gap gap = {coupon_week_us(week), coupon_week_us(week + 1)};
        response_rows whole = rows_of(&q, NULL), less = rows_without(&q, &gap);
        for (uint64_t i = 0; i < shop.n_rows; i++) {
            history_row *r = &shop.rows[i];
            const bool own = r->type == EVENT_PURCHASE || r->type == EVENT_REDEMPTION;
            if (r->shopper == who && own && r->time_us >= gap.from_us && r->time_us < gap.to_us)
                r->shopper = 2;
        }
        coupon_shop_remake(&shop);
        response_rows moved = rows_of(&q, NULL);
        assert_memory_equal(less.any, moved.any, OWN_FEATURES * sizeof(float));
        assert_memory_equal(less.lines, moved.lines, COUPON_EACH * sizeof(float));
        assert_true(memcmp(less.any, whole.any, OWN_FEATURES * sizeof(float)) != 0);
        assert_memory_equal(less.popularity, whole.popularity, COUPON_EACH * sizeof(float));
        response_rows_free(&whole);
        response_rows_free(&less);
        response_rows_free(&moved);
        memcpy(shop.rows, kept, shop.n_rows * sizeof *kept);
        coupon_shop_remake(&shop);
    }
}

static void each_shopper_has_a_gap_of_his_own(void **state)
{
    (void)state;
    response_question q = question();
    uint32_t same[3] = {7, 7, 10};
    const response_gap gap[3] = {{0, 0}, {coupon_week_us(5), coupon_week_us(9)}, {0, INT64_MAX}};
    q.shopper = same;
    q.n_shoppers = 3;
    response_rows r = rows_without(&q, gap), all = rows_of(&q, NULL);
    assert_memory_equal(r.any, all.any, RESPONSE_ANY_FEATURES * sizeof(float));
    assert_true(any_value(&r, 1, "shopping trips, last 400 days") <
                any_value(&r, 0, "shopping trips, last 400 days"));
    assert_true(fabs(any_value(&r, 2, "purchases, last 28 days")) < 1e-9);
    assert_true(fabs(any_value(&r, 2, "offers used")) < 1e-9);
    assert_true(fabs(any_value(&r, 2, "campaigns received") -
                     any_value(&all, 2, "campaigns received")) < 1e-9);
    response_rows_free(&r);
    response_rows_free(&all);
}

static void lines_in_a_scope_are_those_of_the_profile(void **state)
{
    (void)state;
    response_question q = question();
    response_rows r = rows_of(&q, NULL);
    for (size_t i = 0; i < SHOPPERS; i++)
        for (size_t k = 0; k < COUPON_EACH; k++) {
            scope_spend own = profile_scope_spend(shop.h, &shop.promotions[promotions[k]],
                                                  asked[i], q.at_us);
            assert_true((double)r.lines[i * COUPON_EACH + k] == own.lines);
        }
    response_rows_free(&r);
}

static void the_share_of_answers_stands_where_the_header_says(void **state)
{
    (void)state;
    assert_string_equal(response_any_name(RESPONSE_ANY_LOG_SHARE_ANSWERED),
                        "share of campaigns answered");
}

static void expected_spending_lies_between_own_and_usual(void **state)
{
    (void)state;
    response_question q = question();
    response_rows r = rows_of(&q, NULL);
    for (size_t i = 0; i < SHOPPERS * COUPON_EACH; i++)
        assert_true(r.spend[i] > 100 && r.spend[i] < 5000);
    response_rows_free(&r);
}

static void names_are_there_and_differ(void **state)
{
    (void)state;
    for (size_t f = 0; f < RESPONSE_ANY_FEATURES; f++)
        for (size_t g = 0; g < f; g++)
            assert_string_not_equal(response_any_name(f), response_any_name(g));
    for (size_t f = 0; f < RESPONSE_WHICH_FEATURES; f++)
        for (size_t g = 0; g < f; g++)
            assert_string_not_equal(response_which_name(f), response_which_name(g));
    assert_string_equal(response_any_name(RESPONSE_ANY_FEATURES), "unknown");
    assert_string_equal(response_which_name(RESPONSE_WHICH_FEATURES), "unknown");
}

/* --- edges ---------------------------------------------------------------------------------- */

static void assert_finite(const response_rows *r)
{
    for (size_t i = 0; i < numbers(r); i++)
        assert_true(isfinite(r->any[i]));
}

static void rows_are_finite_before_anybody_bought(void **state)
{
    (void)state;
    response_question q = question();
    q.at_us = COUPON_BEGIN_US - 400 * US_PER_DAY;
    response_rows r = rows_of(&q, NULL);
    assert_finite(&r);
    response_rows_free(&r);
}

static void rows_are_finite_without_any_event(void **state)
{
    (void)state;
    uint64_t n = shop.n_rows;
    shop.n_rows = 0;
    coupon_shop_remake(&shop);
    response_question q = question();
    response_rows r = rows_of(&q, NULL);
    assert_finite(&r);
    response_rows_free(&r);
    shop.n_rows = n;
    coupon_shop_remake(&shop);
}

static void amounts_that_are_not_known_are_nothing(void **state)
{
    (void)state;
    static history_row kept[COUPON_ROWS_MAX];
    memcpy(kept, shop.rows, shop.n_rows * sizeof *kept);
    for (uint64_t i = 0; i < shop.n_rows; i++)
        shop.rows[i].paid_minor = shop.rows[i].discount_minor = shop.rows[i].coupon_minor =
            MONEY_ABSENT;
    coupon_shop_remake(&shop);
    response_question q = question();
    response_rows r = rows_of(&q, NULL);
    assert_finite(&r);
    assert_true(any_value(&r, 0, "spending, last 91 days") == 0);
    response_rows_free(&r);
    memcpy(shop.rows, kept, shop.n_rows * sizeof *kept);
    coupon_shop_remake(&shop);
}

static void a_scope_of_everything_and_a_promotion_alone_have_rows(void **state)
{
    (void)state;
    uint32_t number = ++shop.c.n_promotions;
    shop.promotions[number] = shop.promotions[1];
    shop.promotions[number].campaign = 0;
    shop.promotions[number].n_scope = 0;
    shop.promotions[number].scope = NULL;
    response_question q = {&number, 1, asked, SHOPPERS, coupon_start_us(CAMPAIGN)};
    response_rows r = rows_of(&q, NULL);
    assert_finite(&r);
    for (size_t i = 0; i < SHOPPERS; i++)
        assert_true(r.lines[i] > 50); /* every line of 26 weeks counts */
    response_rows_free(&r);
    shop.c.n_promotions--;
}

/* Such a scope holds the product 0 alone, see shop/catalogue.h. */
static void a_scope_whose_names_lead_nowhere_has_finite_rows(void **state)
{
    (void)state;
    static const uint32_t nowhere[] = {0};
    promotion kept = shop.promotions[promotions[1]];
    response_question q = question();
    shop.promotions[promotions[1]].scope = nowhere;
    shop.promotions[promotions[1]].n_scope = 1;
    response_rows r = rows_of(&q, NULL);
    assert_finite(&r);
    for (size_t i = 0; i < SHOPPERS; i++)
        assert_true(r.lines[i * COUPON_EACH + 1] == 0);
    response_rows_free(&r);
    shop.promotions[promotions[1]] = kept;
}

static void lines_without_orders_make_trips_by_the_hour(void **state)
{
    (void)state;
    response_question q = question();
    response_rows with = rows_of(&q, NULL);
    for (uint64_t i = 0; i < shop.n_rows; i++)
        shop.rows[i].order = 0;
    coupon_shop_remake(&shop);
    response_rows without = rows_of(&q, NULL);
    assert_near(with.any, without.any, SHOPPERS * RESPONSE_ANY_FEATURES, 0);
    response_rows_free(&with);
    response_rows_free(&without);
    coupon_shop_free(&shop);
    coupon_shop_make(&shop);
}

static void nobody_asked_about_is_no_row(void **state)
{
    (void)state;
    response_question q = question();
    q.n_shoppers = 0;
    response_rows r = rows_of(&q, NULL);
    assert_int_equal(r.n_shoppers, 0);
    response_rows_free(&r);
    response_rows_free(&r);
    response_rows_maker_free(NULL);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    fault f = {0};
    response_question q = question();
    while (fault_next(&f)) {
        response_rows_maker *maker;
        response_rows r = {.any = NULL};
        pf_status status = response_rows_maker_new(&shop.c, shop.h, NULL, &maker, NULL);
        if (status == PF_OK)
            status = response_rows_make(maker, &q, NULL, &r, NULL);
        if (fault_reached(&f)) {
            assert_int_equal(status, PF_NO_MEMORY);
            assert_null(r.any);
        }
        response_rows_free(&r);
        response_rows_maker_free(maker);
    }
    assert_true(f.n > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_event_at_or_after_the_moment_changes_a_row),
        cmocka_unit_test(an_event_just_before_the_moment_does_change_them),
        cmocka_unit_test(rows_are_the_same_for_any_number_of_threads),
        cmocka_unit_test(rows_do_not_depend_on_who_else_is_asked_about),
        cmocka_unit_test(the_order_of_promotions_changes_nothing),
        cmocka_unit_test(amounts_of_another_currency_give_the_same_rows),
        cmocka_unit_test(plain_counts_are_what_counting_gives),
        cmocka_unit_test(gaps_of_nothing_change_nothing),
        cmocka_unit_test(a_row_with_a_gap_is_that_of_who_was_not_there),
        cmocka_unit_test(each_shopper_has_a_gap_of_his_own),
        cmocka_unit_test(lines_in_a_scope_are_those_of_the_profile),
        cmocka_unit_test(the_share_of_answers_stands_where_the_header_says),
        cmocka_unit_test(expected_spending_lies_between_own_and_usual),
        cmocka_unit_test(names_are_there_and_differ),
        cmocka_unit_test(rows_are_finite_before_anybody_bought),
        cmocka_unit_test(rows_are_finite_without_any_event),
        cmocka_unit_test(amounts_that_are_not_known_are_nothing),
        cmocka_unit_test(a_scope_of_everything_and_a_promotion_alone_have_rows),
        cmocka_unit_test(a_scope_whose_names_lead_nowhere_has_finite_rows),
        cmocka_unit_test(lines_without_orders_make_trips_by_the_hour),
        cmocka_unit_test(nobody_asked_about_is_no_row),
        cmocka_unit_test(names_ids_and_what_a_promotion_is_worth_are_no_features),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
