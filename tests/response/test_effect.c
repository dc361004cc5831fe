/*
 * What promotions add, in a shop whose lift is known: what is measured, for whom it is found, and
 * what a response model alone would have said.
 */
#include "response/effect_world.h"

#include "base/pool.h"

static effect_world *lots, *mailed, *logged;
static effect_model *of_lots, *of_mailed, *of_logged; /* with plain options */
static float lift[2 * WORLD_SHOPPERS];

static effect_model *plain_fit(const effect_world *w)
{
    const effect_options o = world_options(w);
    return world_fit(w, &o);
}

static int make(void **state)
{
    world_plan p = plain_plan;
    (void)state;
    lots = world_make(&p);
    p.way = WORLD_MAILED;
    mailed = world_make(&p);
    p.way = WORLD_LOG;
    logged = world_make(&p);
    of_lots = plain_fit(lots);
    of_mailed = plain_fit(mailed);
    of_logged = plain_fit(logged);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    effect_free(of_lots);
    effect_free(of_mailed);
    effect_free(of_logged);
    world_free(lots);
    world_free(mailed);
    world_free(logged);
    return 0;
}

/* Mean lift of a kind of shopper: 0 sure things, 1 persuadables, 2 lost causes; of a message
 * with all promotions (whole), or of one promotion. */
static double mean_lift(const effect_world *w, const effect_model *m, unsigned kind, bool whole)
{
    static world_question q;
    pf_error err = {0};
    double sum = 0, n = 0;
    world_ask(w, &q);
    if (effect_score(m, w->data, &q.ask, lift, &err) != PF_OK) fail_msg("%s", err.message);
    for (uint32_t i = 0; i < w->plan.shoppers; i++) {
        if ((i + 1) % 3 != kind) continue;
        sum += (double)lift[2 * i] + (double)lift[2 * i + 1];
        n += whole ? 1 : 2;
    }
    return sum / n;
}

static void assert_covers(const effect_model *m, double truth, double most_error)
{
    const effect_total t = effect_total_of(m);
    if (!(t.low <= truth && truth <= t.high))
        fail_msg("%.1f is not within %.1f .. %.1f", truth, t.low, t.high);
    if (!(t.standard_error > 0 && t.standard_error < most_error))
        fail_msg("a standard error of %.1f", t.standard_error);
}

/* Weighted by e (1 - e), as the model does. */
static double true_mean(const effect_world *w)
{
    double sum = 0, mass = 0;
    for (uint32_t who = 1; who <= w->plan.shoppers; who++) {
        double e = world_chance(w, who);
        if (w->plan.way == WORLD_LOG) e = e / 2 / (e / 2 + 1 - e);
        mass += e * (1 - e);
        if (is_persuadable(who)) sum += e * (1 - e) * WORLD_PRICE * WORLD_PERSUADED;
    }
    return w->plan.moved * sum / mass;
}

/* --- by lot ------------------------------------------------------------------------- */

static void lots_of_campaigns_are_recognised_and_recover_the_truth(void **state)
{
    (void)state;
    assert_int_equal(effect_basis_of(of_lots), EFFECT_BY_LOT);
    assert_covers(of_lots, true_mean(lots), 30);
}

static void a_log_with_propensities_recovers_the_truth(void **state)
{
    (void)state;
    assert_int_equal(effect_basis_of(of_logged), EFFECT_BY_LOT);
    assert_covers(of_logged, true_mean(logged), 30);
}

/* The heart of it: p x spend is largest for those to whom a promotion is a gift. */
static void sure_things_get_hardly_any_lift_and_persuadables_theirs(void **state)
{
    (void)state;
    const effect_world *worlds[] = {lots, logged, mailed};
    const effect_model *models[] = {of_lots, of_logged, of_mailed};
    for (size_t i = 0; i < 3; i++) {
        const effect_model *m = models[i];
        const double sure = mean_lift(worlds[i], m, 0, i != 1);
        const double moved = mean_lift(worlds[i], m, 1, i != 1);
        const double lost = mean_lift(worlds[i], m, 2, i != 1);
        const double truth = WORLD_PRICE * WORLD_PERSUADED;
        if (!(fabs(sure) < .25 * truth && fabs(moved - truth) < .4 * truth &&
              fabs(lost) < .25 * truth))
            fail_msg("world %zu, %s: %.0f, %.0f, %.0f", i, effect_learner(m), sure, moved, lost);
    }
}

static void share_alone_gives_what_all_redemptions_add_on_average(void **state)
{
    (void)state;
    world_plan p = plain_plan;
    p.shoppers = 150; /* too few to choose among learners */
    effect_world *w = world_make(&p);
    const effect_options o = world_options(w);
    effect_model *m = world_fit(w, &o);
    const effect_share s = effect_share_of(m, effect_scales(m));
    const double truth = WORLD_PERSUADED / (WORLD_PERSUADED + w->plan.sure_part);
    assert_string_equal(effect_learner(m), "share");
    assert_true(s.raw_error > 0 && s.raw_error < .15);
    if (fabs(s.raw - truth) > 2 * s.raw_error + .1 * truth) /* spend a trip is itself estimated */
        fail_msg("%.2f +- %.2f, %.2f is true", s.raw, s.raw_error, truth);
    assert_true(s.low < s.value && s.value < s.high && s.low >= 0);
    static world_question q;
    world_ask(w, &q);
    assert_int_equal(effect_score(m, w->data, &q.ask, lift, NULL), PF_OK);
    for (size_t i = 0; i < 2 * w->plan.shoppers; i++) {
        const size_t scale = effect_scale_of(m, w->data, q.promotion[i % 2]);
        const double expected = effect_share_of(m, scale).value * (double)q.p[i] * WORLD_PRICE;
        assert_true(fabs((double)lift[i] - expected) < 1e-3);
    }
    effect_free(m);
    world_free(w);
}

static void where_nothing_is_added_nothing_is_found(void **state)
{
    (void)state;
    world_plan p = plain_plan;
    p.moved = 0;
    effect_world *w = world_make(&p);
    const effect_options o = world_options(w);
    effect_model *m = world_fit(w, &o);
    assert_covers(m, 0, 30);
    for (unsigned kind = 0; kind < 3; kind++)
        assert_true(fabs(mean_lift(w, m, kind, true)) < 100);
    if (strcmp(effect_learner(m), "share") == 0)
        assert_true(effect_share_of(m, effect_scales(m)).value < .2);
    effect_free(m);
    world_free(w);
}

/* What the sent ones buy for it would tell the sides apart, were it among the features. */
static void lots_that_stick_to_shoppers_are_noticed_and_recover_the_truth(void **state)
{
    (void)state;
    world_plan p = plain_plan;
    p.sticky = true;
    effect_world *w = world_make(&p);
    const effect_options o = world_options(w);
    effect_model *m = world_fit(w, &o);
    char *words = world_words(m);
    assert_int_equal(effect_basis_of(m), EFFECT_BY_LOT);
    assert_non_null(strstr(words, "\"lots_stick_to_shoppers\":true"));
    assert_covers(m, true_mean(w), 40);
    mem_free(words);
    effect_free(m);
    words = world_words(of_lots);
    assert_non_null(strstr(words, "\"lots_stick_to_shoppers\":false"));
    mem_free(words);
    world_free(w);
}

/* Sending follows a lot of .5, but exposures claim it of a tenth of them. */
static void a_propensity_that_does_not_fit_is_not_believed(void **state)
{
    (void)state;
    world_plan p = plain_plan;
    p.shoppers = 240;
    effect_world *w = world_make(&p);
    for (uint64_t i = 0; i < w->n_rows; i++)
        if (w->rows[i].type == EVENT_EXPOSURE) w->rows[i].propensity = .1f;
    world_remake(w, NULL);
    effect_options o = world_options(w);
    effect_model *m = world_fit(w, &o);
    assert_int_equal(effect_basis_of(m), EFFECT_BY_OBSERVATION);
    effect_free(m);
    o.basis = EFFECT_BY_LOT;
    pf_error err = {0};
    assert_int_equal(effect_fit(&m, w->data, world_end_us(w), &o, &err), PF_DATA);
    assert_null(m);
    assert_non_null(strstr(err.message, "nothing was drawn by lot"));
    world_free(w);
}

static void propensities_that_differ_are_no_lot_to_compare_by(void **state)
{
    (void)state;
    world_plan p = plain_plan;
    p.shoppers = 240;
    effect_world *w = world_make(&p);
    for (uint64_t i = 0; i < w->n_rows; i++)
        if (w->rows[i].type == EVENT_EXPOSURE) w->rows[i].propensity = i % 2 ? .45f : .55f;
    world_remake(w, NULL);
    const effect_options o = world_options(w);
    effect_model *m = world_fit(w, &o);
    assert_int_equal(effect_basis_of(m), EFFECT_BY_OBSERVATION);
    effect_free(m);
    world_free(w);
}

/* --- by observation ----------------------------------------------------------------- */

static double naive_difference(const effect_world *w)
{
    double sum[2] = {0, 0}, n[2] = {0, 0};
    for (uint32_t k = 1; k <= w->plan.campaigns; k++)
        for (uint32_t who = 1; who <= w->plan.shoppers; who++) {
            int sent = 0;
            double spent = 0;
            for (uint64_t i = w->h->first[who]; i < w->h->first[who + 1]; i++) {
                const int64_t after = w->h->time_us[i] - world_start_us(k);
                if (after < 0 || after >= 21 * US_PER_DAY) continue;
                sent |= w->h->type[i] == EVENT_EXPOSURE;
                if (w->h->type[i] == EVENT_PURCHASE && w->h->product[i] <= 10)
                    spent += (double)w->h->paid_minor[i];
            }
            sum[sent] += spent;
            n[sent]++;
        }
    return sum[1] / n[1] - sum[0] / n[0];
}

static void those_who_were_chosen_are_compared_with_those_like_them(void **state)
{
    (void)state;
    const double truth = true_mean(mailed);
    assert_true(naive_difference(mailed) > 4 * truth);
    assert_int_equal(effect_basis_of(of_mailed), EFFECT_BY_OBSERVATION);
    assert_covers(of_mailed, truth, 40);
    char *words = world_words(of_mailed);
    assert_non_null(strstr(words, "nothing was randomised"));
    assert_non_null(strstr(words, "hint"));
    mem_free(words);
}

static void a_basis_that_is_asked_for_is_taken(void **state)
{
    (void)state;
    effect_options o = world_options(lots);
    o.basis = EFFECT_BY_OBSERVATION;
    effect_model *m = world_fit(lots, &o);
    assert_int_equal(effect_basis_of(m), EFFECT_BY_OBSERVATION);
    assert_covers(m, true_mean(lots), 30);
    effect_free(m);
}

/* --- what may not matter ------------------------------------------------------------ */

static void assert_same(const effect_world *w, const effect_model *a, const effect_model *b)
{
    static float other[2 * WORLD_SHOPPERS];
    static world_question q;
    char *said = world_words(a), *again = world_words(b);
    world_ask(w, &q);
    assert_string_equal(said, again);
    assert_int_equal(effect_score(a, w->data, &q.ask, lift, NULL), PF_OK);
    assert_int_equal(effect_score(b, w->data, &q.ask, other, NULL), PF_OK);
    assert_memory_equal(lift, other, 2 * w->plan.shoppers * sizeof *lift);
    mem_free(said);
    mem_free(again);
}

static void nothing_at_or_after_the_moment_changes_the_model(void **state)
{
    (void)state;
    world_plan p = plain_plan;
    p.shoppers = 210;
    for (int way = WORLD_LOTS; way <= WORLD_LOG; way++) {
        p.way = (world_way)way;
        effect_world *w = world_make(&p);
        const effect_options o = world_options(w);
        const int64_t until = world_start_us(p.campaigns);
        effect_model *before, *after;
        assert_int_equal(effect_fit(&before, w->data, until, &o, NULL), PF_OK);
        for (uint64_t i = 0; i < w->n_rows; i++) {
            history_row *r = &w->rows[i];
            if (r->time_us < until) continue;
            r->type = i % 3 == 0 ? EVENT_EXPOSURE : i % 3 == 1 ? EVENT_PURCHASE : EVENT_REDEMPTION;
            r->promotion = 1 + (uint32_t)i % 4;
            r->product = 1 + (uint32_t)i % 10;
            r->paid_minor = 777777;
        }
        for (size_t i = 0; i < w->n_log; i++)
            if (w->log[i].time_us >= until) w->log[i].promotion = 0;
        world_remake(w, NULL);
        assert_int_equal(effect_fit(&after, w->data, until, &o, NULL), PF_OK);
        assert_same(w, before, after);
        effect_free(before);
        effect_free(after);
        world_free(w);
    }
}

static void the_number_of_threads_changes_no_bit(void **state)
{
    (void)state;
    const effect_options o = world_options(mailed);
    for (unsigned n = 1; n <= 3; n += 2) {
        pool *threads = pool_new(n);
        world_remake(mailed, threads);
        effect_model *many = world_fit(mailed, &o);
        assert_same(mailed, of_mailed, many);
        effect_free(many);
        world_remake(mailed, NULL);
        pool_free(threads);
    }
}

static void the_order_of_a_log_changes_no_bit(void **state)
{
    (void)state;
    effect_options o = world_options(logged);
    effect_logged *turned = mem_alloc(o.n_log, sizeof *turned);
    assert_non_null(turned);
    for (size_t i = 0; i < o.n_log; i++)
        turned[i] = logged->log[o.n_log - 1 - i];
    o.log = turned;
    effect_model *other = world_fit(logged, &o);
    assert_same(logged, of_logged, other);
    effect_free(other);
    mem_free(turned);
}

static void fewer_rows_are_a_sample_that_says_the_same(void **state)
{
    (void)state;
    effect_world *worlds[] = {lots, logged, mailed};
    for (size_t i = 0; i < 3; i++) {
        effect_options o = world_options(worlds[i]);
        o.most_rows = 1600;
        effect_model *m = world_fit(worlds[i], &o);
        const effect_total t = effect_total_of(m);
        char *words = world_words(m);
        assert_true(t.rows <= 1600 && t.rows > 800);
        assert_null(strstr(words, "\"sampled_away\":0,"));
        if (fabs(t.value - true_mean(worlds[i])) > 3 * t.standard_error)
            fail_msg("world %zu: %.0f +- %.0f", i, t.value, t.standard_error);
        mem_free(words);
        effect_free(m);
    }
}

/* --- draws -------------------------------------------------------------------------- */

static void draws_have_the_mean_one_and_none_is_below_nothing(void **state)
{
    (void)state;
    world_plan p = plain_plan;
    p.shoppers = 150;
    effect_world *w = world_make(&p);
    const effect_options o = world_options(w);
    effect_model *m = world_fit(w, &o);
    const size_t n = effect_scales(m);
    draws d, again;
    assert_int_equal(draws_new(&d, 4096, n, 1, 2, NULL), PF_OK);
    assert_int_equal(draws_new(&again, 4096, n, 1, 2, NULL), PF_OK);
    assert_int_equal(effect_draws(m, &d, NULL), PF_OK);
    assert_int_equal(effect_draws(m, &again, NULL), PF_OK);
    assert_memory_equal(d.value, again.value, 4096 * n * sizeof *d.value);
    for (size_t k = 0; k < n; k++) {
        const effect_share s = effect_share_of(m, k);
        double sum = 0, below = 0;
        for (size_t i = 0; i < 4096; i++) {
            const double x = d.value[i * n + k];
            assert_true(x >= 0 && isfinite(x));
            sum += x;
            below += x * s.value < s.low;
        }
        assert_true(fabs(sum / 4096 - 1) < .03);
        assert_true(fabs(below / 4096 - .025) < .01);
    }
    draws_free(&again);
    assert_int_equal(draws_new(&again, 64, n + 1, 1, 2, NULL), PF_OK);
    assert_int_equal(effect_draws(m, &again, NULL), PF_USAGE);
    draws_free(&again);
    draws_free(&d);
    effect_free(m);
    world_free(w);
}

static void a_kind_never_seen_has_the_last_scale(void **state)
{
    (void)state;
    const effect_model *m = of_lots;
    assert_int_equal(effect_scales(m), 3);
    const size_t first = effect_scale_of(m, lots->data, 1);
    const size_t second = effect_scale_of(m, lots->data, 3);
    assert_string_equal(effect_scale_name(m, first), "A");
    assert_string_equal(effect_scale_name(m, second), "B");
    lots->campaigns[1].kind = "Z";
    assert_int_equal(effect_scale_of(m, lots->data, 1), 2);
    assert_string_equal(effect_scale_name(m, 2), "");
    lots->campaigns[1].kind = "A";
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lots_of_campaigns_are_recognised_and_recover_the_truth),
        cmocka_unit_test(a_log_with_propensities_recovers_the_truth),
        cmocka_unit_test(sure_things_get_hardly_any_lift_and_persuadables_theirs),
        cmocka_unit_test(share_alone_gives_what_all_redemptions_add_on_average),
        cmocka_unit_test(where_nothing_is_added_nothing_is_found),
        cmocka_unit_test(lots_that_stick_to_shoppers_are_noticed_and_recover_the_truth),
        cmocka_unit_test(a_propensity_that_does_not_fit_is_not_believed),
        cmocka_unit_test(propensities_that_differ_are_no_lot_to_compare_by),
        cmocka_unit_test(those_who_were_chosen_are_compared_with_those_like_them),
        cmocka_unit_test(a_basis_that_is_asked_for_is_taken),
        cmocka_unit_test(nothing_at_or_after_the_moment_changes_the_model),
        cmocka_unit_test(the_number_of_threads_changes_no_bit),
        cmocka_unit_test(the_order_of_a_log_changes_no_bit),
        cmocka_unit_test(fewer_rows_are_a_sample_that_says_the_same),
        cmocka_unit_test(draws_have_the_mean_one_and_none_is_below_nothing),
        cmocka_unit_test(a_kind_never_seen_has_the_last_scale),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
