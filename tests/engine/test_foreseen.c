/*
 * Protects what a decision weighs beside the chance of a redemption: each part is there when the
 * configuration asks for it and the data support it, is of the right shape, and goes into the
 * scores once. In the shop of cli/lots_shop.h.
 */
#include "engine_room.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "engine/deciding.h"
#include "engine/foreseen.h"

enum { SHOPPERS = 150, ASKED = 40 };

#define TWO_CHANNELS                                                                         \
    "  channels: [{channel: email, cost: 0.02}, {channel: push, cost: 0.02}]\n"
#define SHOP(decide)                                                                         \
    "shop: {currency: USD}\nlanguage: {encoder: none}\nresponse: {learner: logistic}\n"      \
    "decide:\n  margin_rate: 0.4\n" decide

static learned known;
static foreseen f;
static policy how;
static int64_t now;

static pf_status try_open(pf_error *err)
{
    room_look();
    now = room_time("2026-05-04");
    assert_int_equal(learned_open(&known, room, NULL), PF_OK);
    assert_int_equal(learned_model(&known, now, NULL), PF_OK);
    assert_int_equal(policy_from_config(room, &how, NULL), PF_OK);
    return foreseen_open(&f, &known, now, &how, err);
}

static void open_shop(const char *yaml)
{
    pf_error err = {.code = PF_OK};
    room_configure(yaml);
    room_import_lots(SHOPPERS);
    if (try_open(&err) != PF_OK) fail_msg("%s", err.message);
}

static void close_shop(void)
{
    foreseen_close(&f);
    foreseen_close(&f); /* empty is fine */
    learned_close(&known);
}

/* What response says of the three promotions of May and the first shoppers. */
typedef struct asking {
    uint32_t promotion[3], shopper[ASKED];
    response_ask ask;
    response_scores scores;
    decide_score score[2][3 * ASKED];
} asking;

static void ask(asking *a)
{
    static const char *const ids[] = {"may-C", "may-T", "may-B"};
    for (int i = 0; i < 3; i++)
        a->promotion[i] = intern_find(room->catalogue->promotion_ids, ids[i], 5);
    for (uint32_t i = 0; i < ASKED; i++)
        a->shopper[i] = i + 1;
    a->ask = (response_ask){.campaign = room_campaign("may"),
                            .promotion = a->promotion,
                            .n_promotions = 3,
                            .shopper = a->shopper,
                            .n_shoppers = ASKED,
                            .at_us = now};
    pf_error err = {.code = PF_OK};
    if (response_score(known.model, known.data, &a->ask, &a->scores, &err) != PF_OK)
        fail_msg("%s", err.message);
}

static void score(asking *a, channel by, int into)
{
    assert_int_equal(foreseen_score(&f, &a->ask, &a->scores, by, a->score[into], NULL), PF_OK);
}

static double draw_of(const double *factors, uint32_t d, uint32_t offer)
{
    return factors[(size_t)d * (room->catalogue->n_promotions + 1) + offer];
}

/* --- draws ------------------------------------------------------------------------ */

static void draws_are_factors_around_one(void **state)
{
    (void)state;
    asking a = {.ask = {0}};
    open_shop(SHOP("  gain: response\n" TWO_CHANNELS));
    ask(&a);
    assert_int_equal(f.n_draws, 64);
    for (uint32_t d = 0; d < 64; d++) /* nothing is drawn of promotions nobody asked about */
        assert_true(draw_of(f.redeem_draw, d, a.promotion[0]) == 1);
    assert_int_equal(foreseen_draw(&f, &a.ask, NULL), PF_OK);
    for (int i = 0; i < 3; i++) {
        double sum = 0, least = INFINITY;
        for (uint32_t d = 0; d < 64; d++) {
            const double factor = draw_of(f.redeem_draw, d, a.promotion[i]);
            assert_true(factor >= 0 && isfinite(factor));
            assert_true(draw_of(f.lift_draw, d, a.promotion[i]) == factor);
            least = fmin(least, factor);
            sum += factor;
        }
        assert_true(fabs(sum / 64 - 1) < .2);
        assert_true(least < .95);
    }
    response_scores_free(&a.scores);
    close_shop();
}

/* However many channels are scored, what is not known of a promotion is drawn once. */
static void scoring_by_another_channel_draws_nothing_again(void **state)
{
    (void)state;
    asking a = {.ask = {0}};
    open_shop(SHOP("  gain: uplift\n" TWO_CHANNELS));
    assert_non_null(f.effect);
    ask(&a);
    double before[64];
    for (uint32_t d = 0; d < 64; d++)
        before[d] = draw_of(f.lift_draw, d, a.promotion[1]);
    assert_int_equal(foreseen_draw(&f, &a.ask, NULL), PF_OK);
    score(&a, CHANNEL_EMAIL, 0);
    score(&a, CHANNEL_PUSH, 1);
    for (uint32_t d = 0; d < 64; d++)
        assert_true(fabs(draw_of(f.lift_draw, d, a.promotion[1]) -
                         before[d] * draw_of(f.redeem_draw, d, a.promotion[1])) < 1e-12);
    response_scores_free(&a.scores);
    close_shop();
}

static void as_many_draws_as_are_configured(void **state)
{
    (void)state;
    decide_inputs in = {.policy = &how};
    open_shop(SHOP("  gain: response\n  draws: 8\n"));
    assert_int_equal(f.n_draws, 8);
    foreseen_inputs(&f, &in);
    assert_int_equal(in.n_draws, 8);
    assert_ptr_equal(in.redeem_draw, f.redeem_draw);
    assert_ptr_equal(in.shopper_zones, f.zones.of);
    close_shop();
}

/* --- scores ----------------------------------------------------------------------- */

static void scores_have_a_lift_where_there_is_an_effect(void **state)
{
    (void)state;
    asking a = {.ask = {0}};
    open_shop(SHOP("  gain: uplift\n" TWO_CHANNELS));
    ask(&a);
    score(&a, CHANNEL_EMAIL, 0);
    score(&a, CHANNEL_NONE, 1);
    for (int i = 0; i < 3 * ASKED; i++) {
        const decide_score *s = &a.score[0][i], *any = &a.score[1][i];
        assert_int_equal(s->shopper, a.shopper[i / 3]);
        assert_int_equal(s->promotion, a.promotion[i % 3]);
        assert_int_equal(s->channel, CHANNEL_EMAIL);
        assert_true(s->lift_known && isfinite(s->lift_minor));
        assert_true(s->p_redeem >= 0 && s->p_redeem <= 1 && s->spend_minor >= 0);
        assert_true(fabs(any->p_redeem - (double)a.scores.p[i]) < 1e-9);
    }
    response_scores_free(&a.scores);
    close_shop();
}

static void response_alone_has_no_lift(void **state)
{
    (void)state;
    asking a = {.ask = {0}};
    open_shop(SHOP("  gain: response\n" TWO_CHANNELS));
    assert_null(f.effect);
    ask(&a);
    score(&a, CHANNEL_PUSH, 0);
    for (int i = 0; i < 3 * ASKED; i++)
        assert_true(!a.score[0][i].lift_known && a.score[0][i].lift_minor == 0);
    response_scores_free(&a.scores);
    close_shop();
}

static void channels_are_told_apart_where_there_are_two(void **state)
{
    (void)state;
    open_shop(SHOP("  gain: response\n" TWO_CHANNELS));
    assert_non_null(f.habits);
    assert_true(foreseen_by_channel(&f, &how));
    how.channels = (channel_set)1 << CHANNEL_PUSH;
    assert_false(foreseen_by_channel(&f, &how));
    close_shop();
}

/* --- moments and fatigue ------------------------------------------------------------ */

static void moments_are_looked_for_only_when_there_is_time(void **state)
{
    (void)state;
    open_shop(SHOP("  gain: response\n" TWO_CHANNELS));
    assert_null(f.send_at_us);
    close_shop();
    room_configure(SHOP("  gain: response\n  send_within_h: 24\n  quiet_from: \"21:00\"\n"
                        "  quiet_to: \"08:00\"\n" TWO_CHANNELS));
    assert_int_equal(try_open(NULL), PF_OK);
    assert_non_null(f.send_at_us);
    unsigned found = 0;
    for (uint32_t i = 1; i <= room->catalogue->n_shoppers; i++)
        for (int by = 0; by < CHANNEL_COUNT; by++) {
            const int64_t at = f.send_at_us[(size_t)i * CHANNEL_COUNT + (size_t)by];
            if (at == TIME_ABSENT) continue;
            assert_true(by == CHANNEL_EMAIL || by == CHANNEL_PUSH);
            assert_true(at >= now && at <= now + 24 * US_PER_HOUR);
            const zone *own = f.zones.of[i] != NULL ? f.zones.of[i] : room->zone;
            const calendar_time local = calendar_from_us(at, own);
            assert_true(local.hour >= 8 && local.hour < 21);
            found++;
        }
    assert_int_equal(found, 2 * SHOPPERS);
    close_shop();
}

static void tiring_shoppers_has_a_price_unless_it_is_turned_off(void **state)
{
    (void)state;
    open_shop(SHOP("  gain: response\n  shopper_worth: 50\n" TWO_CHANNELS));
    assert_non_null(f.fatigue);
    assert_int_equal(f.shopper_worth_minor, 5000);
    for (uint32_t i = 1; i <= room->catalogue->n_shoppers; i++) {
        const float *harm = f.fatigue_minor + (size_t)i * CHANNEL_COUNT;
        assert_true(harm[CHANNEL_EMAIL] > 0 && harm[CHANNEL_EMAIL] < 5000);
        assert_true(harm[CHANNEL_SMS] == 0); /* not a channel of this shop */
    }
    close_shop();
    room_configure(SHOP("  gain: response\n  fatigue: none\n" TWO_CHANNELS));
    assert_int_equal(try_open(NULL), PF_OK);
    assert_null(f.fatigue);
    assert_null(f.fatigue_minor);
    assert_int_equal(f.shopper_worth_minor, MONEY_ABSENT);
    close_shop();
}

/* --- told ------------------------------------------------------------------------- */

static char *described(void)
{
    verb_result r;
    char *json = NULL;
    verb_begin(&r);
    json_object_begin(&r.w);
    foreseen_describe(&f, &how, &r);
    foreseen_versions(&f, &r.w);
    json_object_end(&r.w);
    assert_int_equal(verb_end(&r, &json, NULL), PF_OK);
    return json;
}

static void a_summary_says_what_gains_count(void **state)
{
    (void)state;
    static const char *const words[2][2] = {
        {SHOP("  gain: uplift\n" TWO_CHANNELS), "\"gain_counts\":\"uplift\""},
        {SHOP("  gain: response\n  fatigue: none\n" TWO_CHANNELS),
         "\"gain_counts\":\"response\""}};
    for (int i = 0; i < 2; i++) {
        if (i == 1) room_configure(words[1][0]);
        if (i == 0) open_shop(words[0][0]);
        else assert_int_equal(try_open(NULL), PF_OK);
        char *json = described();
        assert_non_null(strstr(json, words[i][1]));
        assert_int_equal(strstr(json, "\"gain_basis\":\"by_observation\"") != NULL, i == 0);
        assert_int_equal(strstr(json, "\"effect\":") != NULL, i == 0);
        assert_int_equal(strstr(json, "\"fatigue\":\"") != NULL, i == 0);
        assert_non_null(strstr(json, "\"response\":\""));
        proffer_free(json);
        close_shop();
    }
}

/* --- what cannot be known ----------------------------------------------------------- */

static void an_uplift_that_is_insisted_on_and_not_known_is_refused(void **state)
{
    (void)state;
    pf_error err = {.code = PF_OK};
    room_configure(SHOP("  gain: auto\n" TWO_CHANNELS));
    room_import_lots(8); /* too few to compare anybody with */
    assert_int_equal(try_open(&err), PF_OK);
    assert_null(f.effect);
    close_shop();
    room_configure(SHOP("  gain: uplift\n" TWO_CHANNELS));
    assert_int_equal(try_open(&err), PF_DATA);
    assert_true(err.message[0] != 0);
    assert_null(f.redeem_draw);
    learned_close(&known);
}

/* Decisions that cannot be read any more are no reason to decide nothing. */
static void a_damaged_log_is_passed_over(void **state)
{
    (void)state;
    open_shop(SHOP("  gain: auto\n" TWO_CHANNELS));
    const decision_record torn = {.id = "torn",
                                  .run = "r1",
                                  .shopper = room_shopper("s0003"),
                                  .time_us = now - US_PER_DAY,
                                  .send_at_us = now - US_PER_DAY,
                                  .propensity = .5,
                                  .reason = "not_drawn",
                                  .message = "",
                                  .candidates = "[{\"promotion\":",
                                  .versions = "{}"};
    close_shop();
    assert_int_equal(store_begin(room->store, NULL), PF_OK);
    assert_int_equal(store_put_decision(room->store, &torn, NULL), PF_OK);
    assert_int_equal(store_commit(room->store, NULL), PF_OK);
    assert_int_equal(try_open(NULL), PF_OK);
    assert_int_equal(f.log.n, 0);
    assert_non_null(f.effect);
    assert_int_equal(effect_basis_of(f.effect), EFFECT_BY_OBSERVATION);
    close_shop();
}

/* Some of the many allocations, early and late ones. */
static void failed_allocations_are_told_and_leak_nothing(void **state)
{
    (void)state;
    uint64_t n = 1;
    open_shop(SHOP("  gain: response\n  send_within_h: 24\n" TWO_CHANNELS));
    foreseen_close(&f);
    for (;; n += 1 + n / 3) {
        pf_error err = {.code = PF_OK};
        mem_fail_at(n);
        const pf_status s = foreseen_open(&f, &known, now, &how, &err);
        const bool failed = mem_allocations_since() >= n;
        mem_fail_at(0);
        if (!failed) {
            assert_int_equal(s, PF_OK);
            break;
        }
        assert_int_equal(s, PF_NO_MEMORY);
        assert_null(f.redeem_draw);
        assert_null(f.zones.of);
    }
    assert_true(n > 20);
    close_shop();
}

#define ROOM(test) cmocka_unit_test_setup_teardown(test, room_begin, room_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM(draws_are_factors_around_one),
        ROOM(scoring_by_another_channel_draws_nothing_again),
        ROOM(as_many_draws_as_are_configured),
        ROOM(scores_have_a_lift_where_there_is_an_effect),
        ROOM(response_alone_has_no_lift),
        ROOM(channels_are_told_apart_where_there_are_two),
        ROOM(moments_are_looked_for_only_when_there_is_time),
        ROOM(tiring_shoppers_has_a_price_unless_it_is_turned_off),
        ROOM(a_summary_says_what_gains_count),
        ROOM(an_uplift_that_is_insisted_on_and_not_known_is_refused),
        ROOM(a_damaged_log_is_passed_over),
        ROOM(failed_allocations_are_told_and_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
