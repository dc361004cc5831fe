/* evaluate/policies_journal.h: rows out of journals. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "evaluate/policies_journal.h"

enum { N = 4 };

typedef struct made {
    promotion promotions[4];
    shop_catalogue c;
    policy p;
    journal_candidate journal[N];
    double propensity[N];
    policies_logged logged;
    policies_candidate out[N];
    policies_decision row;
    pf_error err;
} made;

static void set(made *m, size_t k, uint32_t number, decide_reason reason, double propensity)
{
    m->journal[k] = (journal_candidate){
        .promotion_id = "X",
        .outcome = {.promotion = number,
                    .p_redeem = .1,
                    .spend_minor = 500,
                    .why = {.reason = reason, .channel = CHANNEL_EMAIL, .gain_minor = 40,
                            .cost_minor = 30, .value_minor = 10}}};
    m->propensity[k] = propensity;
}

/* Promotion 1 sent with .6, 2 not worth it, 3 not in the audience; a fourth is gone. */
static void make(made *m)
{
    *m = (made){.p = policy_default()};
    m->c = (shop_catalogue){.promotions = m->promotions, .n_promotions = 3};
    m->promotions[1].contact_cost_minor = 7;
    m->promotions[2].contact_cost_minor = MONEY_ABSENT;
    m->p.channel[CHANNEL_EMAIL].contact_cost_minor = 3;
    set(m, 0, 0, REASON_NOT_LIVE, 0);
    set(m, 1, 1, REASON_CHOSEN, .6);
    set(m, 2, 2, REASON_VALUE_BELOW_ZERO, .1);
    set(m, 3, 3, REASON_NOT_IN_AUDIENCE, 0);
    m->logged = (policies_logged){9, 77, 1, CHANNEL_EMAIL, .6, false, "v1"};
}

static pf_status read_row(made *m)
{
    return policies_from_journal(&m->logged, m->journal, N, m->propensity, &m->p, &m->c, m->out,
                                 &m->row, &m->err);
}

static void a_journal_becomes_a_row(void **state)
{
    (void)state;
    made m;
    make(&m);
    assert_int_equal(read_row(&m), PF_OK);
    assert_int_equal(m.row.n_candidates, 3);
    assert_int_equal(m.row.taken, 0);
    assert_int_equal(m.row.shopper, 9);
    assert_true(m.row.time_us == 77 && !m.row.holdout && m.row.candidate == m.out);
    assert_true(m.out[0].eligible && m.out[1].eligible && !m.out[2].eligible);
    assert_true(m.out[0].contact_minor == 7 && m.out[1].contact_minor == 3);
    assert_true(m.out[0].propensity == .6 && m.out[1].propensity == .1);
    assert_true(m.out[0].gain_minor == 40 && m.out[0].cost_minor == 30 &&
                m.out[0].value_minor == 10 && m.out[0].spend_minor == 500);
    assert_true(isnan(m.out[0].lift));
    m.logged.promotion = 0;
    assert_int_equal(read_row(&m), PF_OK);
    assert_true(m.row.taken == POLICIES_NONE);
}

static void a_journal_without_chances_has_none(void **state)
{
    (void)state;
    made m;
    make(&m);
    assert_int_equal(policies_from_journal(&m.logged, m.journal, N, NULL, &m.p, &m.c, m.out,
                                           &m.row, NULL),
                     PF_OK);
    for (size_t k = 0; k < m.row.n_candidates; k++)
        assert_true(isnan(m.out[k].propensity));
}

/* Rules are no choice; what lost only by worth or budget could have been sent. */
static void what_could_be_sent_is_what_passed_the_rules(void **state)
{
    (void)state;
    static const decide_reason could[] = {REASON_CHOSEN, REASON_VALUE_BELOW_ZERO, REASON_STACKING,
                                          REASON_LOWER_VALUE, REASON_BUDGET_EXHAUSTED,
                                          REASON_HOLDOUT,      REASON_NOT_DRAWN};
    unsigned n = 0;
    for (unsigned r = 0; r < REASON_COUNT; r++)
        n += policies_could_be_sent((decide_reason)r);
    for (size_t k = 0; k < sizeof could / sizeof could[0]; k++)
        assert_true(policies_could_be_sent(could[k]));
    assert_int_equal(n, sizeof could / sizeof could[0]);
    assert_false(policies_could_be_sent(REASON_NO_CONSENT));
    assert_false(policies_could_be_sent(REASON_COST_UNKNOWN));
}

static void what_makes_no_row_is_told(void **state)
{
    (void)state;
    made m;
    make(&m);
    m.logged.promotion = 3;
    m.logged.channel = CHANNEL_PUSH;
    assert_int_equal(read_row(&m), PF_DATA);
    assert_non_null(strstr(m.err.message, "by push, which is not among"));
    make(&m);
    set(&m, 2, 2, REASON_CHOSEN, .1);
    assert_int_equal(read_row(&m), PF_DATA);
    assert_non_null(strstr(m.err.message, "sent 2 promotions at once"));
    make(&m);
    m.propensity[0] = .1;
    assert_int_equal(read_row(&m), PF_DATA);
    assert_non_null(strstr(m.err.message, "promotion 'X', which the catalogue no longer has"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_journal_becomes_a_row),
        cmocka_unit_test(a_journal_without_chances_has_none),
        cmocka_unit_test(what_could_be_sent_is_what_passed_the_rules),
        cmocka_unit_test(what_makes_no_row_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
