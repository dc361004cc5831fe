/*
 * Protects what is said of policies on past campaigns: with what was known before the test period,
 * as many messages for each but nobody and everybody, and whom uplift would have sent them before
 * whom response would have. In the shop of cli/lots_shop.h, whose truth is known.
 */
#include "engine_room.h"

#include <math.h>
#include <string.h>

#include "engine/past_policies.h"

#define SHOP                                                                                 \
    "shop: {currency: USD}\nlanguage: {encoder: none}\nresponse: {learner: logistic}\n"      \
    "decide:\n  margin_rate: 0.4\n  channels: [{channel: email, cost: 0.02}]\n"

static policy how;

static policies_options settings(void)
{
    policies_options o = policies_options_default();
    room_look();
    assert_int_equal(policy_from_config(room, &how, NULL), PF_OK);
    o.margin_rate = how.margin_rate;
    o.until_us = room->history->last_time_us + 1;
    o.plan.replicates = 50;
    o.plan.seed = 1;
    return o;
}

static const policies_figure *figure(const policies_result *r, const char *name)
{
    for (size_t i = 0; i < r->n_figures; i++)
        if (strcmp(r->figure[i].name, name) == 0) return &r->figure[i];
    fail_msg("there is no figure of '%s'", name);
    return NULL;
}

static void uplift_sends_to_those_whom_it_changes(void **state)
{
    (void)state;
    policies_result r;
    pf_error err = {.code = PF_OK};
    room_configure(SHOP);
    room_import_lots(900);
    const policies_options o = settings();
    if (past_policies_compare(room, &how, &o, NULL, &r, &err) != PF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(r.basis, POLICIES_BY_OBSERVATION);
    const policies_figure *uplift = figure(&r, "as many, by uplift");
    const policies_figure *response = figure(&r, "as many, by response");
    const policies_figure *chance = figure(&r, "as many, by chance");
    assert_true(figure(&r, "nobody")->treated == 0);
    assert_true(fabs(figure(&r, "everybody")->treated - 1) < 1e-9);
    assert_true(fabs(uplift->treated - chance->treated) < .01);
    assert_true(fabs(response->treated - chance->treated) < .01);
    assert_true(fabs(chance->treated - .75) < .05); /* as many as were sent it */
    assert_true(uplift->value.value > response->value.value);
    assert_true(figure(&r, "nobody")->value.value < figure(&r, "everybody")->value.value);
    assert_true(r.counts.compared > 800); /* April alone */
    policies_result_free(&r);
}

static void nothing_that_was_sent_is_refused_with_what_to_do(void **state)
{
    (void)state;
    policies_result r;
    pf_error err = {.code = PF_OK};
    room_configure(SHOP);
    room_import_lots(60);
    const policies_options o = settings();
    assert_int_equal(past_policies_compare(room, &how, &o, "2026-05-01", &r, &err), PF_DATA);
    assert_non_null(strstr(err.message, "earlier start"));
    /* and nothing can have been learnt before the first campaign */
    err = (pf_error){.code = PF_OK};
    assert_int_equal(past_policies_compare(room, &how, &o, "2026-01-12", &r, &err), PF_DATA);
    assert_true(err.message[0] != 0);
    assert_int_equal(past_policies_compare(room, &how, &o, "soon", &r, &err), PF_USAGE);
}

static void the_same_seed_gives_the_same_figures(void **state)
{
    (void)state;
    policies_result r[2];
    room_configure(SHOP);
    room_import_lots(300);
    const policies_options o = settings();
    for (int i = 0; i < 2; i++)
        assert_int_equal(past_policies_compare(room, &how, &o, "2026-03-01", &r[i], NULL), PF_OK);
    assert_int_equal(r[0].n_figures, r[1].n_figures);
    for (size_t k = 0; k < r[0].n_figures; k++) {
        assert_true(r[0].figure[k].value.value == r[1].figure[k].value.value);
        assert_true(r[0].figure[k].value.low == r[1].figure[k].value.low);
    }
    for (int i = 0; i < 2; i++)
        policies_result_free(&r[i]);
}

#define ROOM(test) cmocka_unit_test_setup_teardown(test, room_begin, room_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM(uplift_sends_to_those_whom_it_changes),
        ROOM(nothing_that_was_sent_is_refused_with_what_to_do),
        ROOM(the_same_seed_gives_the_same_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
