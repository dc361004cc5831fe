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

static void what_came_later_is_checked_too(void **state)
{
    (void)state;
    policy p = policy_default();
    p.metric = (policy_metric)(POLICY_CONVERSIONS + 1);
    wrong(p, "margin, revenue, redemptions, clicks or conversions");
    p.metric = POLICY_REDEMPTIONS;
    wrong(p, "to count redemptions, say what one is worth (decide.worth)");
    p.metric = POLICY_CONVERSIONS;
    wrong(p, "to count conversions, say what one is worth (decide.worth)");
    p.metric = POLICY_CLICKS;
    wrong(p, "to count clicks, say what one is worth (decide.worth)");
    p.worth_minor = -1;
    wrong(p, "worth of what the metric counts");
    p.worth_minor = NAN;
    wrong(p, "worth of what the metric counts");
    p = policy_default();
    p.largest_discount_minor = -2;
    wrong(p, "largest discount");
    p = policy_default();
    p.quiet = (quiet_hours){0, QUIET_MINUTES};
    wrong(p, "whole day");
    p.quiet = (quiet_hours){-1, 60};
    wrong(p, "quiet hours");
    p.quiet = (quiet_hours){60, QUIET_MINUTES + 1};
    wrong(p, "quiet hours");
    p = policy_default();
    p.n_tags = POLICY_TAGS_MAX + 1;
    wrong(p, "at most 32 tags");
    p.n_tags = 2;
    p.tag[0].name = "wine";
    p.tag[1].name = "";
    wrong(p, "needs a name");
    p.tag[1].name = "wine";
    wrong(p, "twice");
    p.tag[1].name = "bread";
    assert_null(policy_check_parameters(&p));
}

static void exploration_is_checked_where_it_is_used(void **state)
{
    (void)state;
    policy p = policy_default();
    p.explore.floor = 7; /* not used: not asked */
    assert_null(policy_check_parameters(&p));
    p.explore.method = POLICY_EXPLORES_THOMPSON;
    wrong(p, "least chance");
    p.explore.floor = NAN;
    wrong(p, "least chance");
    p.explore.floor = 0.1;
    assert_null(policy_check_parameters(&p));
    p.explore.epsilon = 1.5;
    wrong(p, "epsilon");
    p.explore.epsilon = 1;
    p.explore.temperature = 0;
    wrong(p, "temperature");
    p.explore.temperature = INFINITY;
    wrong(p, "temperature");
    p.explore.temperature = 5;
    p.explore.salt = "";
    wrong(p, "salt");
    p.explore.salt = "x";
    p.per_shopper = 2;
    wrong(p, "one promotion a shopper");
    p.per_shopper = 1;
    p.explore.method = (policy_exploring)4;
    wrong(p, "thompson, greedy or softmax");
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

static void the_fingerprint_changes_with_what_came_later(void **state)
{
    (void)state;
    enum { CHANGES = 15 };
    policy base = policy_default(), changed[CHANGES];
    for (size_t i = 0; i < CHANGES; i++)
        changed[i] = base;
    changed[0].metric = POLICY_REVENUE;
    changed[1].worth_minor = 3;
    changed[2].hard = true;
    changed[3].largest_discount_minor = 100;
    changed[4].quiet.from_minute = 1;
    changed[5].quiet.to_minute = 1;
    changed[6].explore.method = POLICY_EXPLORES_GREEDY;
    changed[7].explore.epsilon = 0.2;
    changed[8].explore.temperature = 2;
    changed[9].explore.floor = 0.01;
    changed[10].explore.salt = "explore-2";
    changed[11].n_tags = 1;
    changed[11].tag[0] = (policy_tag){"wine", {.per_day = 1}};
    changed[12] = changed[11];
    changed[12].tag[0].name = "bread";
    changed[13] = changed[11];
    changed[13].tag[0].window.per_day = 2;
    changed[14].campaign_holdout_share = 0.1;
    for (size_t i = 0; i < CHANGES; i++) {
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

static void a_lift_takes_the_place_of_the_spend(void **state)
{
    (void)state;
    policy how = policy_default();
    value_terms v;
    promotion p = offer(PROMOTION_MONEY_OFF);
    p.value_minor = 200;
    how.channel[CHANNEL_MAIL].contact_cost_minor = 40;
    how.worth_minor = 500;
    value_question q = {.offer = &p,
                        .by = CHANNEL_MAIL,
                        .p_redeem = 0.3,
                        .spend_minor = 2400,
                        .lift_known = true,
                        .lift_minor = -360,
                        .p_click = 0.5,
                        .p_convert = 0.1,
                        .fatigue_minor = 7};
    const double gains[] = {-90, -360, 150, 250, 50};
    for (int metric = 0; metric <= POLICY_CONVERSIONS; metric++) {
        how.metric = (policy_metric)metric;
        assert_true(value_of(&how, &q, &v));
        assert_true(fabs(v.gain_minor - gains[metric]) < 1e-9);
        assert_true(fabs(v.cost_minor - 100) < 1e-9);
        assert_true(fabs(v.value_minor - (gains[metric] - 107)) < 1e-9);
    }
}

/* What one redemption may give away at most, by kind; -1: it has no bound. */
static void check_hard(promotion p, int64_t largest, int64_t amount, double discount)
{
    policy how = policy_default();
    value_terms v;
    how.hard = true;
    how.unknown_discount_minor = 75;
    how.largest_discount_minor = largest;
    how.channel[CHANNEL_MAIL].contact_cost_minor = 40;
    bool known = value_by_mail(&how, &p, 0.25, 800, &v);
    assert_int_equal(known, amount >= 0);
    assert_true(known || !value_is_bounded(&p));
    if (!known) return;
    assert_int_equal(v.amount_minor, amount);
    assert_true(fabs(v.discount_minor - discount) < 1e-9);
    assert_true((double)v.amount_minor >= v.cost_minor);
}

static void hard_budgets_hold_contact_and_the_largest_discount(void **state)
{
    (void)state;
    promotion p = offer(PROMOTION_INFORMATIONAL);
    check_hard(p, MONEY_ABSENT, 40, 0);
    p = offer(PROMOTION_MONEY_OFF);
    check_hard(p, MONEY_ABSENT, -1, 0);
    check_hard(p, 300, 340, 75);
    check_hard(p, 50, 90, 50); /* the assumption is no more than the bound */
    p.value_minor = 200;
    check_hard(p, MONEY_ABSENT, 240, 200);
    check_hard(p, 100, 240, 200); /* its own value is its bound */
    p = offer(PROMOTION_PERCENT_OFF);
    p.percent_hundredths = 1000;
    p.value_minor = 200; /* no bound of a share */
    check_hard(p, MONEY_ABSENT, -1, 0);
    check_hard(p, 500, 540, 80);
    check_hard(p, 30, 70, 30);
    p = offer(PROMOTION_BOGO);
    check_hard(p, MONEY_ABSENT, -1, 0);
    check_hard(p, 500, 540, 400);
    assert_true(value_needs_assumption(&(promotion){.kind = PROMOTION_GIFT,
                                                    .value_minor = MONEY_ABSENT}));
    assert_false(value_needs_assumption(&p));
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
        cmocka_unit_test(what_came_later_is_checked_too),
        cmocka_unit_test(exploration_is_checked_where_it_is_used),
        cmocka_unit_test(the_fingerprint_changes_with_what_came_later),
        cmocka_unit_test(a_lift_takes_the_place_of_the_spend),
        cmocka_unit_test(hard_budgets_hold_contact_and_the_largest_discount),
        cmocka_unit_test(the_fingerprint_changes_with_every_part),
        cmocka_unit_test(what_a_redemption_gives_away_follows_the_kind),
        cmocka_unit_test(an_unknown_discount_without_an_assumption_has_no_value),
        cmocka_unit_test(an_expected_cost_is_rounded_up_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
