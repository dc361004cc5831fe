/*
 * What lifts cannot be learnt from, or asked about: each is told in words, none is a number that
 * looks fine. And what rows are made of: windows, amounts, who is compared.
 */
#include "response/effect_world.h"

#include "base/text.h"
#include "response/effect_inner.h"

enum { SHOPPERS = 90, CAMPAIGNS = 4 };

static effect_world *w;

static int make_way(world_way way)
{
    world_plan p = plain_plan;
    p.way = way;
    p.shoppers = SHOPPERS;
    p.campaigns = CAMPAIGNS;
    w = world_make(&p);
    return 0;
}

static int make_lots(void **state)
{
    (void)state;
    return make_way(WORLD_LOTS);
}

static int make_mailed(void **state)
{
    (void)state;
    return make_way(WORLD_MAILED);
}

static int make_log(void **state)
{
    (void)state;
    return make_way(WORLD_LOG);
}

static int unmake(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

static void assert_refused(const effect_options *o, pf_status status, const char *words)
{
    effect_model *m = NULL;
    pf_error err = {0};
    assert_int_equal(effect_fit(&m, w->data, world_end_us(w), o, &err), status);
    assert_null(m);
    if (strstr(err.message, words) == NULL) fail_msg("'%s' says not '%s'", err.message, words);
}

/* --- histories ---------------------------------------------------------------------- */

static void a_shop_that_sent_nothing_has_no_effect_to_learn(void **state)
{
    (void)state;
    const effect_options o = world_options(w);
    for (uint64_t i = 0; i < w->n_rows; i++)
        if (w->rows[i].type == EVENT_EXPOSURE) w->rows[i].type = EVENT_VIEW;
    world_remake(w, NULL);
    assert_refused(&o, PF_DATA, "nothing was sent");
}

static void a_shop_that_sent_everybody_everything_has_nobody_to_compare_with(void **state)
{
    (void)state;
    const effect_options o = world_options(w);
    for (uint32_t k = 1; k <= CAMPAIGNS; k++)
        for (uint32_t who = 1; who <= SHOPPERS; who++)
            world_add(w, EVENT_EXPOSURE, who, world_start_us(k))->campaign = k;
    world_remake(w, NULL);
    assert_refused(&o, PF_DATA, "not to others");
}

static void nearly_everybody_is_too_few_to_compare_with(void **state)
{
    (void)state;
    const effect_options o = world_options(w);
    for (uint32_t k = 1; k <= CAMPAIGNS; k++)
        for (uint32_t who = 5; who <= SHOPPERS; who++)
            world_add(w, EVENT_EXPOSURE, who, world_start_us(k))->campaign = k;
    world_remake(w, NULL);
    assert_refused(&o, PF_DATA, "keep a holdout");
}

static void amounts_that_are_all_equal_say_nothing(void **state)
{
    (void)state;
    const effect_options o = world_options(w);
    for (uint64_t i = 0; i < w->n_rows; i++)
        if (w->rows[i].product <= 10) w->rows[i].paid_minor = 0;
    world_remake(w, NULL);
    assert_refused(&o, PF_DATA, "spent the same");
}

static void without_redemptions_what_one_adds_cannot_be_measured(void **state)
{
    (void)state;
    const effect_options o = world_options(w);
    for (uint64_t i = 0; i < w->n_rows; i++)
        if (w->rows[i].type == EVENT_REDEMPTION) w->rows[i].type = EVENT_CLICK;
    world_remake(w, NULL);
    assert_refused(&o, PF_DATA, "none of");
}

static void windows_that_have_not_ended_are_waited_for(void **state)
{
    (void)state;
    const effect_options o = world_options(w);
    effect_model *m = NULL;
    assert_int_equal(effect_fit(&m, w->data, world_start_us(1) + 21 * US_PER_DAY - 1, &o, NULL),
                     PF_DATA);
    assert_null(m);
    assert_int_equal(effect_fit(&m, w->data, world_start_us(1) + 21 * US_PER_DAY, &o, NULL), PF_OK);
    effect_free(m);
}

/* Who buys is always sent it, who does not never: nobody is like anybody of the other side. */
static void sides_too_unlike_to_compare_are_not_compared(void **state)
{
    (void)state;
    const effect_options o = world_options(w);
    for (uint64_t i = 0; i < w->n_rows; i++)
        if (w->rows[i].type == EVENT_EXPOSURE) w->rows[i].type = EVENT_VIEW;
    for (uint32_t k = 1; k <= CAMPAIGNS; k++)
        for (uint32_t who = 3; who <= SHOPPERS; who += 3)
            world_add(w, EVENT_EXPOSURE, who, world_start_us(k))->campaign = k;
    world_remake(w, NULL);
    assert_refused(&o, PF_DATA, "too unlike to compare");
}

static void whoever_was_shown_it_late_is_compared_with_nobody(void **state)
{
    (void)state;
    const effect_options o = world_options(w);
    effect_model *m = world_fit(w, &o);
    const size_t sent = effect_total_of(m).sent;
    size_t moved = 0;
    effect_free(m);
    for (uint64_t i = 0; i < w->n_rows; i++)
        if (w->rows[i].type == EVENT_EXPOSURE && w->rows[i].shopper % 10 == 0) {
            w->rows[i].time_us += EFFECT_LATE_DAYS * US_PER_DAY;
            moved++;
        }
    world_remake(w, NULL);
    m = world_fit(w, &o);
    assert_true(moved > 5);
    assert_int_equal(m->left.late, moved);
    assert_true(effect_total_of(m).sent < sent);
    effect_free(m);
}

static void options_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    effect_options o = world_options(w);
    o.margin = -1;
    assert_refused(&o, PF_USAGE, "-1");
    o = world_options(w);
    o.contact_minor = NAN;
    assert_refused(&o, PF_USAGE, "nan");
    o = world_options(w);
    o.prior_deviation = 0;
    assert_refused(&o, PF_USAGE, "prior");
    o = world_options(w);
    o.most_rows = EFFECT_MOST_ROWS + 1;
    assert_refused(&o, PF_USAGE, "rows");
    o.most_rows = 10;
    assert_refused(&o, PF_USAGE, "rows");
    o = world_options(w);
    o.n_log = 1;
    assert_refused(&o, PF_USAGE, "log");
}

/* --- logs --------------------------------------------------------------------------- */

static void a_log_that_contradicts_itself_is_refused_with_its_entry(void **state)
{
    (void)state;
    effect_options o = world_options(w);
    o.basis = EFFECT_BY_LOT;
    effect_logged *e = &w->log[7];
    effect_option *c = w->options[7];
    const effect_logged whole = *e;
    const effect_option option = c[0];
    e->shopper = SHOPPERS + 1;
    assert_refused(&o, PF_DATA, "decision 7 of the log is about shopper");
    *e = whole;
    e->propensity_none = 1.5;
    assert_refused(&o, PF_DATA, "decision 7 of the log gives nothing the propensity 1.5");
    *e = whole;
    e->promotion = 0;
    e->propensity_none = 0;
    assert_refused(&o, PF_DATA, "decision 7 of the log sent nothing, which had no chance");
    *e = whole;
    e->promotion = 1; /* a campaign before */
    assert_refused(&o, PF_DATA, "decision 7 of the log sent promotion");
    e->promotion = c[0].promotion;
    e->channel = CHANNEL_SMS;
    assert_refused(&o, PF_DATA, "no candidate by that channel");
    e->channel = CHANNEL_MAIL;
    e->holdout = true;
    assert_refused(&o, PF_DATA, "shopper of the holdout");
    e->holdout = false;
    c[0].propensity = 0;
    assert_refused(&o, PF_DATA, "had no chance");
    c[0].propensity = -.1;
    assert_refused(&o, PF_DATA, "between 0 and 1");
    c[0].propensity = NAN;
    assert_refused(&o, PF_DATA, "between 0 and 1");
    c[0].propensity = .9;
    assert_refused(&o, PF_DATA, "more than 1 together");
    c[0] = option;
    c[0].promotion = 0;
    assert_refused(&o, PF_DATA, "no promotion");
    c[0] = option;
    c[0].channel = (channel)CHANNEL_COUNT;
    assert_refused(&o, PF_DATA, "unknown channel");
    c[0] = option;
    *e = whole;
    e->promotion = 0;
    e->propensity_none = 0;
    e->n_candidates = 0;
    assert_refused(&o, PF_DATA, "any chance");
    *e = whole;
}

static void a_log_that_always_sends_says_so_and_is_no_lot(void **state)
{
    (void)state;
    effect_options o = world_options(w);
    o.basis = EFFECT_BY_LOT;
    for (size_t i = 0; i < w->n_log; i++) {
        w->options[i][0].propensity = 1;
        w->log[i].promotion = w->options[i][0].promotion;
        w->log[i].channel = CHANNEL_MAIL;
        w->log[i].propensity_none = 0;
    }
    assert_refused(&o, PF_DATA, "nothing was drawn by lot");
}

/* Held out by a sticky lot of .3, whatever they are: what a policy without lots of its own logs. */
static void a_holdout_alone_is_a_lot(void **state)
{
    (void)state;
    world_plan p = plain_plan;
    p.way = WORLD_LOG;
    p.shoppers = 300;
    effect_world *own = world_make(&p);
    random_stream r = random_begin(5, 5);
    for (uint64_t i = 0; i < own->n_rows; i++) /* what the log did before is undone */
        if (own->rows[i].type == EVENT_REDEMPTION) own->rows[i].type = EVENT_VIEW;
    own->n_log = 0;
    for (uint32_t who = 1; who <= p.shoppers; who++) {
        const bool holdout = random_unit(&r) < .3;
        for (uint32_t k = 1; k <= p.campaigns; k++) {
            effect_option *c = own->options[own->n_log];
            c[0] = (effect_option){2 * k, CHANNEL_MAIL, .7};
            own->log[own->n_log++] = (effect_logged){
                .shopper = who, .promotion = holdout ? 0 : 2 * k,
                .channel = holdout ? CHANNEL_NONE : CHANNEL_MAIL, .holdout = holdout,
                .time_us = world_start_us(k), .propensity_none = .3, .candidate = c,
                .n_candidates = 1};
            if (!holdout) world_answer(own, k, who, 2 * k, &r);
        }
    }
    world_remake(own, NULL);
    const effect_options o = world_options(own);
    effect_model *m = world_fit(own, &o);
    const effect_total t = effect_total_of(m);
    const double truth = WORLD_PERSUADED * WORLD_PRICE / 3;
    assert_int_equal(effect_basis_of(m), EFFECT_BY_LOT);
    if (!(t.low < truth && truth < t.high && t.standard_error < 45))
        fail_msg("%.0f +- %.0f, %.0f is true", t.value, t.standard_error, truth);
    effect_free(m);
    world_free(own);
}

/* --- questions ---------------------------------------------------------------------- */

static void questions_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static world_question q;
    static float lift[2 * SHOPPERS];
    const effect_options o = world_options(w);
    effect_model *m = world_fit(w, &o);
    const uint32_t nobody = SHOPPERS + 1;
    world_ask(w, &q);
    q.p[5] = 1.01f;
    assert_int_equal(effect_score(m, w->data, &q.ask, lift, NULL), PF_DATA);
    q.p[5] = NAN;
    assert_int_equal(effect_score(m, w->data, &q.ask, lift, NULL), PF_DATA);
    q.p[5] = 0;
    q.spend[3] = -1;
    assert_int_equal(effect_score(m, w->data, &q.ask, lift, NULL), PF_DATA);
    q.spend[3] = 1;
    q.promotion[1] = 1; /* of another campaign */
    assert_int_equal(effect_score(m, w->data, &q.ask, lift, NULL), PF_USAGE);
    q.promotion[1] = 2 * CAMPAIGNS + 1;
    assert_int_equal(effect_score(m, w->data, &q.ask, lift, NULL), PF_NOT_FOUND);
    world_ask(w, &q);
    q.ask.response.shopper = &nobody;
    q.ask.response.n_shoppers = 1;
    assert_int_equal(effect_score(m, w->data, &q.ask, lift, NULL), PF_NOT_FOUND);
    q.ask.response.n_shoppers = 0;
    assert_int_equal(effect_score(m, w->data, &q.ask, lift, NULL), PF_OK);
    q.ask.response.n_promotions = 0;
    assert_int_equal(effect_score(m, w->data, &q.ask, lift, NULL), PF_USAGE);
    world_ask(w, &q);
    q.ask.p_redeem = NULL;
    assert_int_equal(effect_score(m, w->data, &q.ask, lift, NULL), PF_USAGE);
    effect_free(m);
    effect_free(NULL);
}

/* --- rows --------------------------------------------------------------------------- */

static void a_window_ends_with_the_promotion_and_never_after_four_weeks(void **state)
{
    (void)state;
    const uint32_t both[2] = {1, 2};
    const int64_t at = world_start_us(1);
    assert_int_equal(effect_window_end(w->data, both, 2, at), at + 21 * US_PER_DAY);
    w->promotions[1].ends_us = at + 2 * US_PER_DAY;
    assert_int_equal(effect_window_end(w->data, both, 1, at), at + 2 * US_PER_DAY);
    assert_int_equal(effect_window_end(w->data, both, 2, at), at + 21 * US_PER_DAY);
    w->promotions[1].ends_us = at + 200 * US_PER_DAY;
    assert_int_equal(effect_window_end(w->data, both, 2, at), at + 28 * US_PER_DAY);
    assert_int_equal(effect_window_end(w->data, both, 2, at + 30 * US_PER_DAY),
                     at + 58 * US_PER_DAY);
    w->promotions[1].ends_us = at;
    assert_int_equal(effect_window_end(w->data, both, 1, at), at);
}

static void spend_counts_within_scope_and_window_and_returns_are_taken_off(void **state)
{
    (void)state;
    history_row rows[] = {
        {.shopper = 1, .type = EVENT_PURCHASE, .product = 1, .time_us = 9, .paid_minor = 1},
        {.shopper = 1, .type = EVENT_PURCHASE, .product = 1, .time_us = 10, .paid_minor = 10},
        {.shopper = 1, .type = EVENT_PURCHASE, .product = 6, .time_us = 11, .paid_minor = 100},
        {.shopper = 1, .type = EVENT_RETURN, .product = 1, .time_us = 12, .paid_minor = 4},
        {.shopper = 1, .type = EVENT_PURCHASE, .product = 0, .time_us = 13, .paid_minor = 7},
        {.shopper = 1, .type = EVENT_PURCHASE, .product = 2, .time_us = 14,
         .paid_minor = MONEY_ABSENT},
        {.shopper = 1, .type = EVENT_VIEW, .product = 2, .time_us = 14, .paid_minor = 1000},
        {.shopper = 1, .type = EVENT_PURCHASE, .product = 2, .time_us = 20, .paid_minor = 10000}};
    shop_history *h;
    effect_scope k;
    const uint32_t first = 1, second = 2;
    assert_int_equal(history_from_rows(&h, rows, 8, 1, NULL), PF_OK);
    assert_int_equal(effect_scope_new(&k, &w->c, NULL), PF_OK);
    effect_scope_mark(&k, &first, 1);
    assert_true(effect_spend_of(h, &k, 1, 10, 20).scope_minor == 6);
    assert_true(effect_spend_of(h, &k, 1, 10, 20).all_minor == 113);
    assert_true(effect_spend_of(h, &k, 1, 10, 21).scope_minor == 10006);
    assert_true(effect_spend_of(h, &k, 1, 12, 13).scope_minor == 0);
    effect_scope_clear(&k, &first, 1);
    assert_true(effect_spend_of(h, &k, 1, 10, 20).scope_minor == 0);
    effect_scope_mark(&k, &second, 1);
    assert_true(effect_spend_of(h, &k, 1, 10, 20).scope_minor == 100);
    effect_scope_clear(&k, &second, 1);
    w->promotions[1].n_scope = 0; /* everything */
    effect_scope_mark(&k, &first, 1);
    assert_true(effect_spend_of(h, &k, 1, 10, 20).scope_minor == 106);
    effect_scope_clear(&k, &first, 1);
    assert_true(effect_spend_of(h, &k, 1, 10, 20).scope_minor == 0);
    w->promotions[1].n_scope = 5;
    effect_scope_free(&k);
    history_free(h);
}

static void every_feature_has_a_name_of_its_own_and_is_found_among_those_of_any(void **state)
{
    (void)state;
    effect_view v;
    effect_view_places(&v);
    for (size_t f = 0; f < EFFECT_FEATURES; f++) {
        assert_true(strlen(effect_feature_name(f)) >= 3);
        assert_string_not_equal(effect_feature_name(f), "unknown");
    }
    for (size_t f = 0; f < EFFECT_SHOPPER_FEATURES; f++)
        assert_string_equal(response_any_name(v.place[f]), effect_feature_name(f));
}

/* Worth that some promotions of a kind have and others not may have come after redemptions. */
static void a_worth_that_only_some_promotions_have_is_not_looked_at(void **state)
{
    (void)state;
    const response_world world = {.catalogue = &w->c, .history = w->h};
    const size_t worth = 1;
    float out[EFFECT_OFFER_FEATURES];
    const uint32_t first = 1;
    effect_view v = effect_view_of(&world, world_end_us(w));
    effect_offer_features(&w->c, &v, &first, 1, 21, out);
    assert_true(out[worth] > 0);
    w->promotions[3].value_minor = MONEY_ABSENT;
    v = effect_view_of(&world, world_end_us(w));
    effect_offer_features(&w->c, &v, &first, 1, 21, out);
    assert_true(out[worth] == 0);
    w->promotions[3].value_minor = 200;
}

static void names_of_kinds_are_kept_apart_and_cut_at_whole_characters(void **state)
{
    (void)state;
    effect_kinds k = {.n = 0};
    char name[100] = {0};
    memset(name, 'a', 62);
    memcpy(name + 62, "\xC3\xA9rest", 6); /* a letter of two bytes across the limit */
    assert_int_equal(effect_kind_add(&k, "A"), 0);
    assert_int_equal(effect_kind_add(&k, name), 1);
    assert_true(strlen(k.name[1]) < EFFECT_KIND_BYTES);
    assert_true(utf8_check(k.name[1], strlen(k.name[1]), NULL));
    assert_int_equal(effect_kind_find(&k, name), 1);
    assert_int_equal(effect_kind_find(&k, "B"), 2);
    name[65] = '.'; /* the same beginning, another kind */
    assert_int_equal(effect_kind_add(&k, name), 2);
    assert_int_equal(effect_kind_find(&k, name), 2);
}

/* Rows, scales and files agree on where they are: one kind more than there is room for asks the
 * scale that its rows went to. */
static void kinds_beyond_the_last_place_share_it_and_are_found_there(void **state)
{
    (void)state;
    effect_kinds k = {.n = 0};
    char name[100];
    for (size_t i = 0; i < EFFECT_MOST_KINDS - 1; i++) {
        (void)snprintf(name, sizeof name, "kind %zu", i);
        assert_int_equal(effect_kind_add(&k, name), i);
        assert_int_equal(effect_kind_find(&k, "never seen"), i + 1);
    }
    for (size_t i = EFFECT_MOST_KINDS - 1; i < EFFECT_MOST_KINDS + 5; i++) {
        (void)snprintf(name, sizeof name, "kind %zu", i);
        assert_int_equal(effect_kind_add(&k, name), EFFECT_MOST_KINDS - 1);
        assert_int_equal(k.n, EFFECT_MOST_KINDS);
    }
    for (size_t i = 0; i < EFFECT_MOST_KINDS + 5; i++) {
        (void)snprintf(name, sizeof name, "kind %zu", i);
        assert_int_equal(effect_kind_find(&k, name),
                         i < EFFECT_MOST_KINDS ? i : EFFECT_MOST_KINDS - 1);
    }
    assert_string_equal(k.name[EFFECT_MOST_KINDS - 1], EFFECT_OTHER_KINDS);
}

/* --- memory ------------------------------------------------------------------------- */

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    static world_question q;
    static float lift[2 * SHOPPERS];
    const effect_options o = world_options(w);
    fault f = {0};
    world_ask(w, &q);
    q.ask.response.n_shoppers = 3;
    while (fault_next(&f)) {
        effect_model *m = NULL;
        pf_status s = effect_fit(&m, w->data, world_end_us(w), &o, NULL);
        if (s == PF_OK) s = effect_score(m, w->data, &q.ask, lift, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
        else assert_int_equal(s, PF_OK);
        effect_free(m);
        f.n += f.n / 12; /* every one of the first, then some */
    }
    assert_true(f.n > 100);
}

/* Learners are tried where rows are many enough to tell them apart. */
static void every_failed_allocation_of_the_choice_is_told(void **state)
{
    (void)state;
    world_plan p = plain_plan;
    p.shoppers = 150;
    effect_world *own = world_make(&p);
    const effect_options o = world_options(own);
    effect_making k = {.d = own->data, .o = &o, .until_us = world_end_us(own)};
    const response_world world = {.catalogue = &own->c, .history = own->h};
    effect_rows r;
    effect_measure e;
    k.view = effect_view_of(&world, k.until_us);
    assert_int_equal(effect_scope_new(&k.scope, &own->c, NULL), PF_OK);
    assert_int_equal(effect_rows_new(&r, &k, o.most_rows, NULL), PF_OK);
    assert_int_equal(effect_rows_of_campaigns(&r, &k, true, NULL), PF_OK);
    assert_int_equal(effect_rows_close(&r, NULL), PF_OK);
    assert_int_equal(effect_measure_make(&e, &r, NULL, 1, NULL), PF_OK);
    double *lift = mem_alloc(r.n, sizeof *lift);
    assert_non_null(lift);
    fault f = {0};
    while (fault_next(&f)) {
        effect_choice c;
        uplift_learner l = {.parts = 0};
        pf_status s = effect_choose(&c, &r, &e, &o, lift, NULL);
        if (s == PF_OK)
            s = effect_learner_fit(&l, &r, &e, EFFECT_FOLDS, EFFECT_DR_LINES, &o, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
        else assert_true(s == PF_OK && c.by_folds);
        uplift_learner_free(&l);
        f.n += f.n / 8;
    }
    assert_true(f.n > 100);
    mem_free(lift);
    effect_measure_free(&e);
    effect_rows_free(&r);
    effect_scope_free(&k.scope);
    world_free(own);
}

#define TEST(name, before) cmocka_unit_test_setup_teardown(name, before, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_shop_that_sent_nothing_has_no_effect_to_learn, make_mailed),
        TEST(a_shop_that_sent_everybody_everything_has_nobody_to_compare_with, make_mailed),
        TEST(nearly_everybody_is_too_few_to_compare_with, make_mailed),
        TEST(amounts_that_are_all_equal_say_nothing, make_lots),
        TEST(without_redemptions_what_one_adds_cannot_be_measured, make_lots),
        TEST(windows_that_have_not_ended_are_waited_for, make_lots),
        TEST(sides_too_unlike_to_compare_are_not_compared, make_mailed),
        TEST(whoever_was_shown_it_late_is_compared_with_nobody, make_lots),
        TEST(options_that_make_no_sense_are_refused, make_lots),
        TEST(a_log_that_contradicts_itself_is_refused_with_its_entry, make_log),
        TEST(a_log_that_always_sends_says_so_and_is_no_lot, make_log),
        TEST(a_holdout_alone_is_a_lot, make_log),
        TEST(questions_that_make_no_sense_are_refused, make_lots),
        TEST(a_window_ends_with_the_promotion_and_never_after_four_weeks, make_lots),
        TEST(spend_counts_within_scope_and_window_and_returns_are_taken_off, make_lots),
        TEST(every_feature_has_a_name_of_its_own_and_is_found_among_those_of_any, make_lots),
        TEST(a_worth_that_only_some_promotions_have_is_not_looked_at, make_lots),
        TEST(names_of_kinds_are_kept_apart_and_cut_at_whole_characters, make_lots),
        TEST(kinds_beyond_the_last_place_share_it_and_are_found_there, make_lots),
        TEST(every_failed_allocation_is_told, make_mailed),
        TEST(every_failed_allocation_is_told, make_log),
        cmocka_unit_test(every_failed_allocation_of_the_choice_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
