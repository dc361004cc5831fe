/*
 * The funnel: planted rates are found, by channel and shopper; what the data never saw is said to
 * be unknown; nothing later than the moment is read.
 */
#include "effect_world.h"
#include "response/funnel.h"

enum { LAST = WORLD_CAMPAIGNS, ASKED = WORLD_SHOPPERS };

static const float click_liked = .45F, click_other = .1F, click_mail = .02F, view_alone = .3F;

static float planted(uint32_t who, channel by)
{
    if (by == CHANNEL_MAIL) return click_mail;
    return is_sure(who) ? click_liked : click_other;
}

/* Every other message goes by e-mail; clicks and views follow as planted. */
static void plant(effect_world *w, bool clicks, bool views, uint64_t seed)
{
    random_stream r = random_begin(seed, 9);
    const uint64_t n = w->n_rows;
    for (uint64_t i = 0; i < n; i++) {
        if (w->rows[i].type != EVENT_EXPOSURE) continue;
        const history_row sent = w->rows[i];
        const channel by = random_unit(&r) < .5 ? CHANNEL_EMAIL : CHANNEL_MAIL;
        w->rows[i].channel = (uint8_t)by;
        const bool click = random_unit(&r) < (double)planted(sent.shopper, by);
        const bool view = random_unit(&r) < (double)view_alone;
        history_row *e = NULL;
        if (views && view)
            e = world_add(w, EVENT_VIEW, sent.shopper, sent.time_us + US_PER_HOUR);
        if (e != NULL) e->campaign = sent.campaign;
        e = clicks && click
                ? world_add(w, EVENT_CLICK, sent.shopper, sent.time_us + 2 * US_PER_HOUR)
                : NULL;
        if (e != NULL) e->campaign = sent.campaign;
    }
    world_remake(w, NULL);
}

static effect_world *planted_world(bool clicks, bool views)
{
    effect_world *w = world_make(&plain_plan);
    plant(w, clicks, views, 5);
    return w;
}

static funnel *fitted(const effect_world *w, int64_t until_us, bool uplift)
{
    funnel_options o = funnel_options_default();
    pf_error err = {0};
    funnel *f = NULL;
    o.uplift = uplift;
    if (funnel_fit(&f, w->data, until_us, &o, &err) != PF_OK) fail_msg("%s", err.message);
    return f;
}

/* Of the last campaign's two promotions, to everybody: chance [ASKED x 2]. */
static pf_status ask(const funnel *f, const effect_world *w, int64_t at_us, channel by,
                     funnel_step step, float *chance)
{
    static const uint32_t offers[] = {2 * LAST - 1, 2 * LAST};
    uint32_t who[ASKED];
    for (uint32_t i = 0; i < ASKED; i++)
        who[i] = i + 1;
    const funnel_ask a = {.response = {.campaign = LAST, .promotion = offers, .n_promotions = 2,
                                       .shopper = who, .n_shoppers = ASKED, .at_us = at_us},
                          .channel = by};
    return funnel_score(f, w->data, &a, step, chance, NULL);
}

static float mean_of(const float *chance, bool sure)
{
    double sum = 0, n = 0;
    for (uint32_t i = 0; i < ASKED; i++) {
        if (is_sure(i + 1) != sure) continue;
        sum += (double)chance[2 * i];
        n++;
    }
    return (float)(sum / n);
}

static void rates_of_clicks_are_found_by_kind_of_shopper_and_channel(void **state)
{
    effect_world *w = planted_world(true, false);
    funnel *f = fitted(w, world_end_us(w), false);
    float mail[2 * ASKED], email[2 * ASKED];
    (void)state;
    assert_true(funnel_knows(f, FUNNEL_CLICK));
    assert_int_equal(ask(f, w, world_end_us(w), CHANNEL_EMAIL, FUNNEL_CLICK, email), PF_OK);
    assert_int_equal(ask(f, w, world_end_us(w), CHANNEL_MAIL, FUNNEL_CLICK, mail), PF_OK);
    assert_float_equal(mean_of(email, true), click_liked, .1F);
    assert_float_equal(mean_of(email, false), click_other, .06F);
    assert_float_equal(mean_of(mail, true), click_mail, .06F);
    assert_float_equal(mean_of(mail, false), click_mail, .04F);
    const funnel_figures g = funnel_figures_of(f, FUNNEL_CLICK);
    assert_true(g.rows > 100 && g.answers > 20);
    assert_true(g.auc > .7 && g.ece < .08);
    assert_true(g.sum_ratio > .7 && g.sum_ratio < 1.4);
    funnel_free(f);
    world_free(w);
}

static void what_was_clicked_was_seen(void **state)
{
    effect_world *w = planted_world(true, true);
    funnel *f = fitted(w, world_end_us(w), false);
    float view[2 * ASKED], click[2 * ASKED];
    (void)state;
    assert_true(funnel_knows(f, FUNNEL_VIEW));
    assert_int_equal(ask(f, w, world_end_us(w), CHANNEL_EMAIL, FUNNEL_VIEW, view), PF_OK);
    assert_int_equal(ask(f, w, world_end_us(w), CHANNEL_EMAIL, FUNNEL_CLICK, click), PF_OK);
    for (size_t i = 0; i < 2 * ASKED; i++)
        assert_true(click[i] > 0 && click[i] <= view[i] && view[i] < 1);
    /* seen alone, or clicked */
    assert_float_equal(mean_of(view, false), 1 - (1 - view_alone) * (1 - click_other), .1F);
    funnel_free(f);
    world_free(w);
}

static void a_step_that_was_never_seen_is_not_known(void **state)
{
    effect_world *w = planted_world(false, false);
    funnel *f = fitted(w, world_end_us(w), false);
    float chance[2 * ASKED];
    (void)state;
    for (int step = FUNNEL_VIEW; step <= FUNNEL_CLICK; step++) {
        assert_false(funnel_knows(f, (funnel_step)step));
        assert_false(funnel_knows_uplift(f, (funnel_step)step));
        assert_int_equal(ask(f, w, world_end_us(w), CHANNEL_MAIL, (funnel_step)step, chance),
                         PF_NOT_FOUND);
    }
    assert_true(funnel_knows(f, FUNNEL_CONVERT));
    assert_int_equal(ask(f, w, world_end_us(w), CHANNEL_NONE, FUNNEL_CONVERT, chance), PF_OK);
    assert_true(mean_of(chance, true) > mean_of(chance, false) + .3F);
    funnel_free(f);
    world_free(w);
}

/* Clicks alone say nothing of who looked. */
static void clicks_do_not_make_views_known(void **state)
{
    effect_world *w = planted_world(true, false);
    funnel *f = fitted(w, world_end_us(w), false);
    (void)state;
    assert_true(funnel_knows(f, FUNNEL_CLICK));
    assert_false(funnel_knows(f, FUNNEL_VIEW));
    assert_true(funnel_share_added(f, FUNNEL_CLICK) == 1);
    funnel_free(f);
    world_free(w);
}

static void nothing_from_the_moment_on_is_read(void **state)
{
    effect_world *w = planted_world(true, true);
    const int64_t until = world_start_us(5) + 2 * US_PER_DAY;
    float before[2 * ASKED], after[2 * ASKED];
    (void)state;
    for (int step = 0; step < FUNNEL_STEPS; step++) {
        funnel *f = fitted(w, until, true);
        assert_int_equal(ask(f, w, until, CHANNEL_EMAIL, (funnel_step)step, before), PF_OK);
        const float share = (float)funnel_share_added(f, FUNNEL_CONVERT);
        funnel_free(f);
        for (uint32_t who = 1; who <= ASKED; who++) {
            history_row *e = world_add(w, step == 0 ? EVENT_VIEW : EVENT_CLICK, who,
                                       until + who % 7 * US_PER_HOUR);
            e->campaign = 4 + who % 2;
            world_buy(w, who, until + who % 5 * US_PER_HOUR, 1 + who % 10, 1000);
        }
        world_remake(w, NULL);
        f = fitted(w, until, true);
        assert_int_equal(ask(f, w, until, CHANNEL_EMAIL, (funnel_step)step, after), PF_OK);
        assert_float_equal((float)funnel_share_added(f, FUNNEL_CONVERT), share, 0);
        assert_memory_equal(before, after, sizeof before);
        funnel_free(f);
    }
    world_free(w);
}

static void few_answers_are_drawn_to_the_rate_of_all(void **state)
{
    effect_world *w = world_make(&plain_plan);
    float chance[2 * ASKED];
    uint64_t first = 0;
    (void)state;
    while (w->rows[first].type != EVENT_EXPOSURE || w->rows[first].campaign != 1)
        first++;
    world_add(w, EVENT_CLICK, w->rows[first].shopper, w->rows[first].time_us + 1)->campaign = 1;
    world_remake(w, NULL);
    funnel *f = fitted(w, world_start_us(1) + 30 * US_PER_DAY, false);
    assert_true(funnel_knows(f, FUNNEL_CLICK));
    assert_int_equal(ask(f, w, world_end_us(w), CHANNEL_MAIL, FUNNEL_CLICK, chance), PF_OK);
    for (size_t i = 1; i < 2 * ASKED; i++)
        assert_true(chance[i] == chance[0] && chance[i] > 0 && chance[i] < .03F);
    funnel_free(f);
    world_free(w);
}

/* What messages add of purchases, where lots were drawn: none, or a part that is known. */
static void the_share_of_purchases_that_messages_add_is_measured_by_lot(void **state)
{
    world_plan plan = plain_plan;
    (void)state;
    for (int moved = 0; moved < 2; moved++) {
        plan.moved = moved;
        effect_world *w = world_make(&plan);
        funnel *f = fitted(w, world_end_us(w), true);
        assert_true(funnel_knows_uplift(f, FUNNEL_CONVERT));
        assert_int_equal(funnel_uplift_basis(f, FUNNEL_CONVERT), EFFECT_BY_LOT);
        const double share = funnel_share_added(f, FUNNEL_CONVERT);
        if (moved == 0) assert_true(share < .08);
        /* a third buys for it three times in five, another third would have anyway */
        else assert_true(share > .2 && share < .5);
        funnel_free(f);
        world_free(w);
    }
}

static void what_cannot_be_learnt_is_refused_in_words(void **state)
{
    effect_world *w = planted_world(false, false);
    funnel_options o = funnel_options_default();
    pf_error err = {0};
    funnel *f = NULL;
    (void)state;
    assert_int_equal(funnel_fit(&f, w->data, world_start_us(1) + US_PER_DAY, &o, &err), PF_DATA);
    assert_null(f);
    assert_non_null(strstr(err.message, "import exposures"));
    o.most_rows = 5;
    assert_int_equal(funnel_fit(&f, w->data, world_end_us(w), &o, &err), PF_USAGE);
    o = funnel_options_default();
    o.n_log = 1;
    assert_int_equal(funnel_fit(&f, w->data, world_end_us(w), &o, &err), PF_USAGE);
    world_free(w);
}

static void the_same_rows_are_taken_where_there_are_too_many(void **state)
{
    effect_world *w = planted_world(true, false);
    funnel_options o = funnel_options_default();
    float chance[2][2 * ASKED];
    (void)state;
    o.most_rows = 700;
    o.uplift = false;
    for (int turn = 0; turn < 2; turn++) {
        funnel *f = NULL;
        assert_int_equal(funnel_fit(&f, w->data, world_end_us(w), &o, NULL), PF_OK);
        assert_int_equal(ask(f, w, world_end_us(w), CHANNEL_EMAIL, FUNNEL_CLICK, chance[turn]),
                         PF_OK);
        assert_true(funnel_figures_of(f, FUNNEL_CLICK).rows <= 200);
        funnel_free(f);
    }
    assert_memory_equal(chance[0], chance[1], sizeof chance[0]);
    assert_true(mean_of(chance[0], true) > mean_of(chance[0], false));
    world_free(w);
}

static void a_description_says_what_is_known(void **state)
{
    effect_world *w = planted_world(true, false);
    funnel *f = fitted(w, world_end_us(w), true);
    buffer told;
    json_writer out;
    (void)state;
    buffer_init(&told, 1 << 20);
    json_begin(&out, &told);
    funnel_describe(f, &out);
    assert_true(buffer_append_char(&told, 0));
    assert_non_null(strstr(told.data, "\"view\":{\"known\":false}"));
    assert_non_null(strstr(told.data, "\"sum_p_over_sum_y\""));
    assert_non_null(strstr(told.data, "\"by_lot\""));
    buffer_free(&told);
    funnel_free(f);
    world_free(w);
}

static void want_of_memory_is_told(void **state)
{
    effect_world *w = planted_world(true, true);
    funnel_options o = funnel_options_default();
    float chance[2 * ASKED];
    fault f = {0};
    (void)state;
    o.most_rows = 150;
    o.uplift = false;
    while (fault_next(&f)) {
        funnel *m = NULL;
        pf_status s = funnel_fit(&m, w->data, world_start_us(2) + 29 * US_PER_DAY, &o, NULL);
        if (s == PF_OK)
            s = ask(m, w, world_end_us(w), CHANNEL_EMAIL, FUNNEL_CLICK, chance);
        assert_int_equal(s, fault_reached(&f) ? PF_NO_MEMORY : PF_OK);
        funnel_free(m);
    }
    assert_true(f.n > 20);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_of_clicks_are_found_by_kind_of_shopper_and_channel),
        cmocka_unit_test(what_was_clicked_was_seen),
        cmocka_unit_test(a_step_that_was_never_seen_is_not_known),
        cmocka_unit_test(clicks_do_not_make_views_known),
        cmocka_unit_test(nothing_from_the_moment_on_is_read),
        cmocka_unit_test(few_answers_are_drawn_to_the_rate_of_all),
        cmocka_unit_test(the_share_of_purchases_that_messages_add_is_measured_by_lot),
        cmocka_unit_test(what_cannot_be_learnt_is_refused_in_words),
        cmocka_unit_test(the_same_rows_are_taken_where_there_are_too_many),
        cmocka_unit_test(a_description_says_what_is_known),
        cmocka_unit_test(want_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
