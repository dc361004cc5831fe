/* A policy is checked before it is used; gain, cost and value follow their formulas. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "decide/policy.h"
#include "decide/value.h"

static void the_default_policy_is_valid(void **state)
{
    (void)state;
    policy p = policy_default();
    assert_null(policy_check_parameters(&p));
    assert_int_equal(p.per_shopper, 1);
    assert_int_equal(p.unasked, 1u << CHANNEL_SITE);
}

static void wrong(policy p, const char *part)
{
    const char *why = policy_check_parameters(&p);
    if (why == NULL || strstr(why, part) == NULL)
        fail_msg("'%s' instead of '%s'", why != NULL ? why : "accepted", part);
}

static void every_parameter_is_checked(void **state)
{
    (void)state;
    policy p = policy_default();
    p.name = "";
    wrong(p, "name");
    p = policy_default();
    p.name = NULL;
    wrong(p, "name");
    p = policy_default();
    p.margin_rate = 1.01;
    wrong(p, "margin rate");
    p.margin_rate = NAN;
    wrong(p, "margin rate");
    p = policy_default();
    p.budget_minor = -1;
    wrong(p, "budget must");
    p = policy_default();
    p.promotion_budget_minor = LIMIT_MONEY_MINOR + 1;
    wrong(p, "budget of each");
    p = policy_default();
    p.unknown_discount_minor = -5;
    wrong(p, "unknown value");
    p = policy_default();
    p.per_shopper = 0;
    wrong(p, "between 1 and 100");
    p.per_shopper = LIMIT_SHOPPER_PICKS + 1;
    wrong(p, "between 1 and 100");
    p = policy_default();
    p.holdout_share = 0.95;
    wrong(p, "holdout share");
    p.holdout_share = NAN;
    wrong(p, "holdout share");
    p = policy_default();
    p.campaign_holdout_share = -0.1;
    wrong(p, "holdout share of a campaign");
    p = policy_default();
    p.holdout_salt = "";
    wrong(p, "salt");
    p = policy_default();
    p.channels = 0;
    wrong(p, "no channel");
    p.channels = 1u << CHANNEL_COUNT;
    wrong(p, "no such channel");
    p = policy_default();
    p.channel[CHANNEL_SMS].contact_cost_minor = -0.1;
    wrong(p, "contact cost");
    p = policy_default();
    p.channel[CHANNEL_SMS].budget_minor = -1;
    wrong(p, "channel's budget");
}

static bool same_print(const policy *a, const policy *b)
{
    fingerprint x = policy_fingerprint(a), y = policy_fingerprint(b);
    return memcmp(&x, &y, sizeof x) == 0;
}

static void the_fingerprint_changes_with_every_part(void **state)
{
    (void)state;
    policy base = policy_default(), p = base;
    assert_true(same_print(&base, &p));
    policy changed[12];
    for (size_t i = 0; i < 12; i++)
        changed[i] = base;
    changed[0].margin_rate = 0.26;
    changed[1].budget_minor = 1;
    changed[2].promotion_budget_minor = 1;
    changed[3].holdout_salt = "holdout-2";
    changed[4].holdout_share = 0.11;
    changed[5].per_shopper = 2;
    changed[6].window.per_week = 1;
    changed[7].channel[CHANNEL_MAIL].contact_cost_minor = 1;
    changed[8].channel[CHANNEL_MAIL].window.per_day = 1;
    changed[9].unasked = 0;
    changed[10].version = 2;
    changed[11].channel[CHANNEL_EMAIL].messages = 5;
    for (size_t i = 0; i < 12; i++) {
        assert_false(same_print(&base, &changed[i]));
        for (size_t k = 0; k < i; k++)
            assert_false(same_print(&changed[k], &changed[i]));
    }
}

static promotion offer(promotion_kind kind)
{
    return (promotion){
        .kind = kind, .value_minor = MONEY_ABSENT, .contact_cost_minor = MONEY_ABSENT};
}

static bool value_by_mail(const policy *how, const promotion *p, double p_redeem, double spend,
                          value_terms *v)
{
    value_question q = {
        .offer = p, .by = CHANNEL_MAIL, .p_redeem = p_redeem, .spend_minor = spend};
    return value_of(how, &q, v);
}

static void check(const policy *how, const promotion *p, double discount, double contact)
{
    value_terms v;
    assert_true(value_by_mail(how, p, 0.25, 800, &v));
    assert_true(fabs(v.discount_minor - discount) < 1e-9);
    assert_true(fabs(v.contact_minor - contact) < 1e-9);
    assert_true(fabs(v.gain_minor - 0.25 * how->margin_rate * 800) < 1e-9);
    assert_true(fabs(v.cost_minor - (contact + 0.25 * discount)) < 1e-9);
    assert_true(fabs(v.value_minor - (v.gain_minor - v.cost_minor)) < 1e-9);
    assert_true((double)v.amount_minor >= v.cost_minor);
    assert_true((double)v.amount_minor < v.cost_minor + 1);
}

static void what_a_redemption_gives_away_follows_the_kind(void **state)
{
    (void)state;
    policy how = policy_default();
    how.margin_rate = 0.3;
    how.unknown_discount_minor = 75;
    how.channel[CHANNEL_MAIL].contact_cost_minor = 40;
    promotion p = offer(PROMOTION_PERCENT_OFF);
    check(&how, &p, 75, 40); /* unknown */
    p.percent_hundredths = 1500;
    check(&how, &p, 120, 40);
    p = offer(PROMOTION_MONEY_OFF);
    check(&how, &p, 75, 40);
    p.value_minor = 200;
    check(&how, &p, 200, 40);
    p = offer(PROMOTION_BOGO);
    check(&how, &p, 400, 40);
    p = offer(PROMOTION_INFORMATIONAL);
    check(&how, &p, 0, 40);
    p = offer(PROMOTION_GIFT);
    p.value_minor = 300;
    p.contact_cost_minor = 0;
    check(&how, &p, 300, 0);
    p.contact_cost_minor = 7;
    check(&how, &p, 300, 7);
}

static void an_unknown_discount_without_an_assumption_has_no_value(void **state)
{
    (void)state;
    policy how = policy_default();
    value_terms v;
    promotion p = offer(PROMOTION_MONEY_OFF);
    assert_false(value_by_mail(&how, &p, 0.5, 100, &v));
    p = offer(PROMOTION_POINTS);
    assert_false(value_by_mail(&how, &p, 0.5, 100, &v));
    p = offer(PROMOTION_BOGO);
    assert_true(value_by_mail(&how, &p, 0.5, 100, &v));
}

static void an_expected_cost_is_rounded_up_once(void **state)
{
    (void)state;
    policy how = policy_default();
    value_terms v;
    promotion p = offer(PROMOTION_MONEY_OFF);
    p.value_minor = 10;
    assert_true(value_by_mail(&how, &p, 0.31, 100, &v));
    assert_int_equal(v.amount_minor, 4); /* 3.1 */
    assert_true(value_by_mail(&how, &p, 0.5, 100, &v));
    assert_int_equal(v.amount_minor, 5);
    assert_true(value_by_mail(&how, &p, 0, 100, &v));
    assert_int_equal(v.amount_minor, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_policy_is_valid),
        cmocka_unit_test(every_parameter_is_checked),
        cmocka_unit_test(the_fingerprint_changes_with_every_part),
        cmocka_unit_test(what_a_redemption_gives_away_follows_the_kind),
        cmocka_unit_test(an_unknown_discount_without_an_assumption_has_no_value),
        cmocka_unit_test(an_expected_cost_is_rounded_up_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
