/*
 * Protects what a shop gets that lets chance choose: in a shop whose truth is known (lots_shop.h)
 * promotions are drawn by lot, what follows is written as it is true there, and then the log must
 * judge policies rightly, the next decisions must count what promotions add and not what would
 * have come anyway, and intervals and prices must be what they say.
 */
#include "program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "lots_program.h"

#define FLOOR .05
#define HELD_OUT .2

/* --- shops ------------------------------------------------------------------------ */

/* What every shop here has in proffer.yaml under `decide`. */
#define DECIDE                                                                               \
    "  margin_rate: 0.4\n  holdout: 0.2\n  holdout_salt: lots-1\n  channels:\n"              \
    "    - {channel: email, cost: 0.02}\n    - {channel: push, cost: 0.02}\n"
#define BY_LOT DECIDE "  explore: thompson\n  explore_floor: 0.05\n"

static const char *shop_before(void)
{
    static const char *w;
    if (w == NULL) w = lots_import("before", BY_LOT, LOTS_SHOPPERS);
    return w;
}

/* For what needs no large numbers. */
static const char *small_shop(void)
{
    static const char *w;
    if (w == NULL) w = lots_import("small", BY_LOT, 400);
    return w;
}

/* A copy that may be changed. */
static const char *copy_of(const char *shop, const char *name)
{
    assert_int_equal(run_other(WORDS("cp", "-r", shop, in_folder(name)))->code, 0);
    return in_folder(name);
}

static const json_value *decisions_of(const char *w)
{
    return json_of(RUN_CODE(0, "export", "--decisions", "-w", w));
}

static unsigned number_of_shopper(const json_value *decision)
{
    return (unsigned)strtoul(word_of(decision, "shopper") + 1, NULL, 10);
}

static bool is_held_out(const json_value *decision)
{
    return member_of(decision, "holdout")->boolean;
}

/* 'C', 'T', 'B', or 0 where nothing is sent. */
static char sent_by(const json_value *decision)
{
    const char *id = word_of(decision, "promotion");
    return id[0] ? id[strlen(id) - 1] : 0;
}

/* What everybody does from May to the seventh of June, after the latest run of a shop. */
static void live(const char *w, const char *file)
{
    const json_value *all = decisions_of(w);
    FILE *f = fopen(in_folder(file), "w");
    assert_non_null(f);
    lots_write_header(f);
    for (size_t i = 0; i < all->n; i++) {
        const json_value *d = &all->values[i];
        lots_write_may(f, number_of_shopper(d), sent_by(d), word_of(d, "channel"),
                       word_of(d, "send_at"));
    }
    (void)fprintf(f, "end,view,s0000,c1,,,,2026-06-07T23:00:00Z,,\n");
    assert_int_equal(fclose(f), 0);
    RUN_CODE(0, "import", in_folder(file), "-w", w, "-q");
}

/* May was decided by lot, and lived through; tests look at it alone. */
static const char *shop_after(void)
{
    static const char *w;
    if (w == NULL) {
        w = copy_of(shop_before(), "after");
        RUN_CODE(0, "decide", "--campaign", "may", "-w", w, "-q");
        live(w, "may.csv");
    }
    return w;
}

/* --- the log ---------------------------------------------------------------------- */

/* Who got nothing by lot, with chance p, stands for 1 / p who drew. Shoppers of the holdout have
 * the chances that they would have had. */
static void what_is_logged_had_the_chance_it_says(void **state)
{
    (void)state;
    const json_value *all = decisions_of(shop_after());
    double drew = 0, stand = 0, variance = 0, held = 0;
    assert_int_equal(all->n, LOTS_SHOPPERS);
    for (size_t i = 0; i < all->n; i++) {
        const json_value *d = &all->values[i];
        const double p = number_of(d, "propensity");
        const bool nothing = !strcmp(word_of(d, "reason"), "not_drawn");
        held += is_held_out(d);
        if (!lots_can_be_reached(number_of_shopper(d))) {
            assert_true(p == 1 && !sent_by(d));
            continue;
        }
        assert_true(p >= FLOOR - 1e-9 && p < 1);
        assert_true(is_held_out(d) ? !strcmp(word_of(d, "reason"), "holdout")
                                   : nothing || sent_by(d));
        if (is_held_out(d)) continue;
        drew++;
        stand += nothing ? 1 / p : 0;
        variance += nothing ? (1 - p) / (p * p) : 0;
    }
    assert_true(drew > 1000);
    assert_true(fabs(stand - drew) < 4 * sqrt(variance));
    assert_true(sqrt(variance) < .15 * drew);
    assert_true(fabs(held / LOTS_SHOPPERS - HELD_OUT) < .03);
}

/* The chances of all that could be sent, and of none, to one shopper. */
static void check_chances(const char *w, const char *shopper, const json_value *decision)
{
    const json_value *list =
        member_of(json_of(RUN_CODE(0, "explain", shopper, "--json", "-w", w)), "candidates");
    double sum = 0, taken = 0;
    for (size_t i = 0; i < list->n; i++) {
        const json_value *c = &list->values[i];
        if (json_member(c, "propensity") == NULL) continue;
        const double p = number_of(c, "propensity");
        assert_true(p >= FLOOR - 1e-9);
        sum += p;
        if (member_of(c, "chosen")->boolean) taken = p;
    }
    if (sent_by(decision)) {
        assert_true(taken == number_of(decision, "propensity"));
        assert_true(sum <= 1 - FLOOR + 1e-9);
    } else {
        assert_true(fabs(sum + number_of(decision, "propensity") - 1) < 1e-9);
    }
}

static void the_chances_of_a_shopper_sum_to_one(void **state)
{
    (void)state;
    const char *w = shop_after();
    const json_value *all = decisions_of(w);
    unsigned seen[3] = {0};
    for (size_t i = 0; i < all->n; i++) {
        const json_value *d = &all->values[i];
        const int sort = is_held_out(d) ? 2 : sent_by(d) != 0;
        if (seen[sort]++ < 4) check_chances(w, word_of(d, "shopper"), d);
    }
    assert_true(seen[0] > 4 && seen[1] > 4 && seen[2] > 4);
}

/* --- evaluate --policy ------------------------------------------------------------ */

#define EVERY                                                                                \
    "logged,nothing,random,value,best-single,single:may-C,single:may-T,single:may-B"

static const json_value *figure(const json_value *told, const char *policy)
{
    const json_value *list = member_of(told, "policies");
    for (size_t i = 0; i < list->n; i++)
        if (!strcmp(word_of(&list->values[i], "policy"), policy)) return &list->values[i];
    fail_msg("there is no figure of %s", policy);
    return NULL;
}

/* What a decision would have brought had everybody who can be reached been sent this one. */
static double truth_of(char sent)
{
    double sum = 0;
    for (unsigned who = 0; who < LOTS_SHOPPERS; who++)
        sum += lots_net(who, lots_can_be_reached(who) ? sent : 0);
    return sum / LOTS_SHOPPERS;
}

static void the_true_values_of_policies_lie_in_their_intervals(void **state)
{
    (void)state;
    static const struct {
        const char *policy;
        char sent;
    } known[] = {{"nothing", 0}, {"single:may-C", 'C'}, {"single:may-T", 'T'},
                 {"single:may-B", 'B'}};
    const json_value *told =
        json_of(RUN_CODE(0, "evaluate", "--policy", EVERY, "--json", "-w", shop_after()));
    assert_string_equal(word_of(told, "basis"), "by lot");
    for (size_t i = 0; i < 4; i++) {
        const json_value *f = figure(told, known[i].policy);
        const double low = number_of(f, "low"), high = number_of(f, "high");
        const double is = truth_of(known[i].sent);
        if (!(low <= is && is <= high))
            fail_msg("%s: %g is not in %g to %g", known[i].policy, is, low, high);
        assert_true(high - low < .2 * is); /* so narrow that it says something */
        assert_true(low < number_of(f, "value") && number_of(f, "value") < high);
    }
    const json_value *logged = figure(told, "logged");
    assert_string_equal(word_of(logged, "verdict"), "reference");
    assert_true(number_of(logged, "low") < number_of(told, "observed") &&
                number_of(told, "observed") < number_of(logged, "high"));
}

/* Weights are one on average where the chances in the log are those that were drawn by. */
static void nothing_is_off_with_the_chances(void **state)
{
    (void)state;
    const json_value *told =
        json_of(RUN_CODE(0, "evaluate", "--policy", EVERY, "--json", "-w", shop_after()));
    const json_value *list = member_of(told, "policies"), *counts = member_of(told, "counts");
    unsigned seen = 0;
    for (size_t i = 0; i < list->n; i++) {
        const json_value *support = json_member(&list->values[i], "support");
        if (support == NULL || support->kind != JSON_OBJECT) continue;
        assert_false(member_of(support, "off")->boolean);
        assert_true(fabs(number_of(support, "mean_weight") - 1) <
                    4 * number_of(support, "mean_weight_error") + 1e-6);
        assert_true(number_of(support, "largest_weight") <= 1 / (FLOOR * (1 - HELD_OUT)) + 1e-6);
        seen++;
    }
    assert_true(seen >= 7);
    assert_true(number_of(counts, "decisions") == LOTS_SHOPPERS);
    assert_true(number_of(counts, "compared") == LOTS_SHOPPERS);
    assert_true(number_of(counts, "held_out") > .17 * LOTS_SHOPPERS);
    assert_true(number_of(counts, "left_out_held_out") == 0);
    assert_true(number_of(counts, "unpriced") == 0);
    assert_true(number_of(counts, "left_out_waiting") == 0);
}

static void policies_stand_side_by_side_in_sentences_and_a_table(void **state)
{
    (void)state;
    const ran *r = RUN_CODE(0, "evaluate", "--policy", EVERY, "-w", shop_after());
    assert_contains(r->out, "logged: what was done brought ");
    assert_contains(r->out, "single:may-T would bring ");
    assert_contains(r->out, " a decision than what was done (");
    assert_contains(r->out, "\npolicy        brings   more ");
    assert_contains(r->out, "net margin USD a decision, by dr over ");
    assert_lacks(r->out, "..");
    assert_lacks(r->out, "nan");
    assert_lacks(r->out, "BY OBSERVATION");
    assert_string_equal(r->err, "");
    r = RUN_CODE(0, "evaluate", "--policy", "logged,nothing", "--reward", "redemptions", "-w",
                 shop_after());
    assert_contains(r->out, "redemptions a thousand decisions");
}

/* What is kept is what the report shows. */
static void the_comparison_is_kept_for_the_report(void **state)
{
    (void)state;
    const char *w = copy_of(shop_after(), "reported"), *page = in_folder("policies.html");
    RUN_CODE(0, "evaluate", "--policy", "logged,nothing,single:may-T", "-w", w, "-q");
    RUN_CODE(0, "report", "--out", page, "-w", w);
    assert_int_equal(run_other(WORDS("grep", "-q", "single:may-T", page))->code, 0);
}

static void past_campaigns_give_a_hint_that_is_called_one(void **state)
{
    (void)state;
    const char *w = shop_before();
    const ran *r = RUN_CODE(0, "evaluate", "--policy", "all", "--past", "-w", small_shop());
    assert_int_equal(strncmp(r->out, "BY OBSERVATION: ", 16), 0);
    assert_contains(r->out, "as many, by uplift would bring ");
    assert_contains(r->out, "(A hint, no proof.)");
    assert_contains(r->out, "net margin USD a shopper of a campaign, by ");
    const json_value *told =
        json_of(RUN_CODE(0, "evaluate", "--policy", "all", "--past", "--json", "-w", w));
    assert_string_not_equal(word_of(told, "basis"), "by lot");
    /* Of as many messages the ones by uplift bring most: the truth of this shop. */
    const double uplift = number_of(figure(told, "as many, by uplift"), "value");
    assert_true(uplift > number_of(figure(told, "as many, by response"), "value"));
    assert_true(uplift > number_of(figure(told, "as many, by chance"), "value"));
    RUN_CODE(2, "evaluate", "--policy", "logged", "--past", "-w", w);
}

/* --- what cannot be compared ------------------------------------------------------- */

static void a_log_without_lots_is_refused_with_what_to_do(void **state)
{
    (void)state;
    const char *w = copy_of(small_shop(), "no-lots");
    const ran *r = RUN_CODE(3, "evaluate", "--policy", "logged,nothing", "-w", w);
    assert_contains(r->err, "the log holds no decisions");
    assert_contains(r->err, "decide.explore");
    lots_configure("no-lots", DECIDE);
    RUN_CODE(0, "decide", "--campaign", "may", "-w", w, "-q");
    r = RUN_CODE(3, "evaluate", "--policy", "logged,nothing", "-w", w);
    assert_contains(r->err, "no window is over yet");
    assert_contains(r->err, "import later events");
    live(w, "no-lots.csv");
    r = RUN_CODE(3, "evaluate", "--policy", "logged,nothing", "-w", w);
    assert_contains(r->err, "decide.explore");
    assert_string_equal(r->out, "");
}

static void what_is_asked_wrongly_is_refused_in_words(void **state)
{
    (void)state;
    const char *w = shop_after();
    const ran *r = RUN_CODE(2, "evaluate", "--policy", "logged,vlaue", "-w", w);
    assert_contains(r->err, "'vlaue'; did you mean 'value'?");
    assert_contains(RUN_CODE(4, "evaluate", "--policy", "single:may-X", "-w", w)->err, "may-X");
    assert_contains(RUN_CODE(2, "evaluate", "--policy", "value,value", "-w", w)->err, "twice");
    assert_contains(RUN_CODE(2, "evaluate", "--policy", "", "-w", w)->err, "single:ID");
    assert_contains(RUN_CODE(2, "evaluate", "--policy", "value@x", "-w", w)->err, "value@PRICE");
    r = RUN_CODE(2, "evaluate", "--policy", "logged", "--reward", "joy", "-w", w);
    assert_contains(r->err, "net_margin");
    r = RUN_CODE(3, "evaluate", "--policy", "logged", "--since", "2026-07-01", "-w", w);
    assert_contains(r->err, "nothing was decided since 2026-07-01");
    assert_contains(r->err, "2026-05-04");
    r = RUN_CODE(2, "evaluate", "--policy", "logged", "--since", "yesterday", "-w", w);
    assert_contains(r->err, "yesterday");
    r = RUN_CODE(3, "evaluate", "--policy", "logged", "--window", "60", "-w", w);
    assert_contains(r->err, "shorter window");
    assert_contains(RUN_CODE(2, "evaluate", "--window", "7", "-w", w)->err, "--policy");
    RUN_CODE(2, "evaluate", "--policy", "logged", "--models", "counts", "-w", w);
    RUN_CODE(2, "evaluate", "--policy", "logged", "--window", "0", "-w", w);
}

/* --- what promotions add ----------------------------------------------------------- */

/* How many of each kind of shopper are sent something. */
typedef struct chosen {
    double sure, persuadable, coffee, tea, p_sure, p_persuadable;
} chosen;

static chosen count(const char *w)
{
    const json_value *all = decisions_of(w);
    chosen n = {0};
    for (size_t i = 0; i < all->n; i++) {
        const json_value *d = &all->values[i];
        const bool sure = lots_is_sure(number_of_shopper(d));
        if (!sent_by(d)) continue;
        n.sure += sure;
        n.persuadable += !sure;
        n.coffee += sent_by(d) == 'C';
        n.tea += sent_by(d) == 'T';
        *(sure ? &n.p_sure : &n.p_persuadable) += number_of(d, "p_redeem");
    }
    n.p_sure /= fmax(n.sure, 1);
    n.p_persuadable /= fmax(n.persuadable, 1);
    return n;
}

static const json_value *decide_june(const char *w)
{
    return json_of(
        RUN_CODE(0, "decide", "--campaign", "june", "--budget", "150", "--json", "-w", w));
}

static void what_promotions_add_counts_and_not_who_redeems(void **state)
{
    (void)state;
    const char *w = copy_of(shop_after(), "uplift");
    lots_configure("uplift", DECIDE);
    const json_value *told = decide_june(w);
    const chosen by_lift = count(w);
    assert_string_equal(word_of(told, "gain_counts"), "uplift");
    assert_string_equal(word_of(told, "gain_basis"), "by_lot");
    assert_contains(word_of(told, "gain_words"), "chance chose");
    lots_configure("uplift", DECIDE "  gain: response\n");
    told = decide_june(w);
    const chosen by_response = count(w);
    assert_string_equal(word_of(told, "gain_counts"), "response");
    assert_contains(word_of(told, "gain_words"), "would have come anyway");
    assert_null(json_member(told, "gain_basis"));

    assert_true(by_lift.persuadable > 3 * by_lift.sure);
    assert_true(by_lift.tea > 10 * by_lift.coffee);
    assert_true(by_response.sure > 3 * by_response.persuadable);
    assert_true(by_response.coffee > by_response.tea);
    /* though these hand in most */
    assert_true(by_response.p_sure > by_lift.p_persuadable);
}

/* A shop whose log has seen no lots can be told so when it insists. */
static void uplift_may_be_by_observation_and_says_so(void **state)
{
    (void)state;
    const char *w = copy_of(small_shop(), "observed");
    lots_configure("observed", DECIDE);
    const ran *r = RUN_CODE(0, "decide", "--campaign", "may", "--dry-run", "-w", w);
    assert_contains(r->out, "Nothing was randomised: a hint, until the holdout tells.");
    const json_value *told =
        json_of(RUN_CODE(0, "decide", "--campaign", "may", "--dry-run", "--json", "-w", w));
    assert_string_equal(word_of(told, "gain_counts"), "uplift");
    assert_string_equal(word_of(told, "gain_basis"), "by_observation");
}

/* --- figures of a run --------------------------------------------------------------- */

static void gains_lie_within_their_intervals(void **state)
{
    (void)state;
    static const char *const shops[] = {"before", "after"};
    for (int i = 0; i < 2; i++) {
        const char *w = i == 0 ? shop_before() : shop_after();
        const char *const campaign = i == 0 ? "may" : "june";
        const json_value *d = json_of(RUN_CODE(0, "decide", "--campaign", campaign,
                                               "--dry-run", "--json", "-w", w));
        assert_true(strstr(w, shops[i]) != NULL);
        assert_true(number_of(d, "gain_low") <= number_of(d, "gain"));
        assert_true(number_of(d, "gain") <= number_of(d, "gain_high"));
        assert_true(number_of(d, "value_low") <= number_of(d, "value"));
        assert_true(number_of(d, "value") <= number_of(d, "value_high"));
        assert_true(number_of(d, "gain_low") < number_of(d, "gain_high"));
        assert_string_equal(word_of(d, "explore"), "thompson");
        assert_true(number_of(d, "chosen_by_lot") == number_of(d, "messages"));
        assert_string_equal(word_of(d, "run"), "");
    }
}

static void too_few_draws_give_no_interval(void **state)
{
    (void)state;
    const char *w = copy_of(small_shop(), "few-draws");
    lots_configure("few-draws", DECIDE "  draws: 16\n");
    const json_value *d = json_of(
        RUN_CODE(0, "decide", "--campaign", "may", "--dry-run", "--json", "-w", w));
    assert_null(json_member(d, "gain_low"));
    assert_null(json_member(d, "value_high"));
    assert_true(number_of(d, "gain") > 0);
}

/* A budget's price is what more of it brings. */
static void more_money_brings_what_was_promised(void **state)
{
    (void)state;
    const char *w = copy_of(shop_before(), "more-money");
    lots_configure("more-money", DECIDE "  gain: response\n");
    for (unsigned budget = 40; budget <= 120; budget += 80) {
        char less[16], more[16];
        (void)snprintf(less, sizeof less, "%u", budget);
        (void)snprintf(more, sizeof more, "%u", budget + 4);
        const json_value *first = json_of(RUN_CODE(0, "decide", "--campaign", "may",
                                                   "--budget", less, "--dry-run", "--json",
                                                   "-w", w));
        const json_value *cap = &member_of(first, "caps")->values[0];
        const json_value *second = json_of(RUN_CODE(0, "decide", "--campaign", "may",
                                                    "--budget", more, "--dry-run", "--json",
                                                    "-w", w));
        const double grew = number_of(second, "value") - number_of(first, "value");
        const double promised = 4 * number_of(cap, "next_unit_brings");
        assert_string_equal(word_of(cap, "kind"), "total_budget");
        if (!(promised > 0 && fabs(grew - promised) < .3 * promised))
            fail_msg("%s more brought %g, and %g were promised", "4.00", grew, promised);
        assert_true(word_of(cap, "next_unit_promotion")[0] != 0);
        assert_true(number_of(cap, "next_unit_messages") > 0);
        assert_true(number_of(second, "cost") <= budget + 4);
    }
}

static void a_dry_run_leaves_no_decisions(void **state)
{
    (void)state;
    const char *w = copy_of(small_shop(), "dry");
    RUN_CODE(0, "decide", "--campaign", "may", "--dry-run", "-w", w, "-q");
    RUN_CODE(3, "evaluate", "--policy", "logged", "-w", w);
}

/* --- other ways to draw ------------------------------------------------------------- */

/* Chances of what was done, of all decisions that drew. */
static double least_chance(const char *w)
{
    const json_value *all = decisions_of(w);
    double least = 1;
    for (size_t i = 0; i < all->n; i++)
        least = fmin(least, number_of(&all->values[i], "propensity"));
    return least;
}

static void greedy_and_softmax_draw_as_they_are_set(void **state)
{
    (void)state;
    const char *w = copy_of(small_shop(), "ways");
    lots_configure("ways", DECIDE "  explore: greedy\n  explore_epsilon: 0.35\n");
    RUN_CODE(0, "decide", "--campaign", "may", "-w", w, "-q");
    /* 0.35 spread over none and three promotions by at most two channels */
    assert_true(fabs(least_chance(w) - .05) < 1e-6);
    lots_configure("ways", DECIDE "  explore: softmax\n  explore_temperature: 100\n");
    RUN_CODE(0, "decide", "--campaign", "may", "--at", "2026-05-05", "-w", w, "-q");
    /* so hot that everything is nearly as likely: 1/7 each */
    assert_true(least_chance(w) > .13);
    lots_configure("ways", DECIDE "  explore: softmax\n  explore_temperature: 0\n");
    assert_contains(RUN_CODE(2, "decide", "--campaign", "may", "-w", w)->err, "above 0");
}

static void the_same_moment_and_salt_draw_the_same(void **state)
{
    (void)state;
    const char *w = copy_of(small_shop(), "salts");
    char *sample[3];
    for (int i = 0; i < 3; i++) {
        lots_configure("salts", i < 2 ? BY_LOT : BY_LOT "  explore_salt: others\n");
        const ran *r =
            RUN_CODE(0, "decide", "--campaign", "may", "--dry-run", "--json", "-w", w);
        sample[i] = mem_copy_text(r->out, r->out_n);
    }
    assert_string_equal(sample[0], sample[1]);
    assert_string_not_equal(sample[0], sample[2]);
    for (int i = 0; i < 3; i++)
        mem_free(sample[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_logged_had_the_chance_it_says),
        cmocka_unit_test(the_chances_of_a_shopper_sum_to_one),
        cmocka_unit_test(the_true_values_of_policies_lie_in_their_intervals),
        cmocka_unit_test(nothing_is_off_with_the_chances),
        cmocka_unit_test(policies_stand_side_by_side_in_sentences_and_a_table),
        cmocka_unit_test(the_comparison_is_kept_for_the_report),
        cmocka_unit_test(past_campaigns_give_a_hint_that_is_called_one),
        cmocka_unit_test(a_log_without_lots_is_refused_with_what_to_do),
        cmocka_unit_test(what_is_asked_wrongly_is_refused_in_words),
        cmocka_unit_test(what_promotions_add_counts_and_not_who_redeems),
        cmocka_unit_test(uplift_may_be_by_observation_and_says_so),
        cmocka_unit_test(gains_lie_within_their_intervals),
        cmocka_unit_test(too_few_draws_give_no_interval),
        cmocka_unit_test(more_money_brings_what_was_promised),
        cmocka_unit_test(a_dry_run_leaves_no_decisions),
        cmocka_unit_test(greedy_and_softmax_draw_as_they_are_set),
        cmocka_unit_test(the_same_moment_and_salt_draw_the_same),
    };
    return cmocka_run_group_tests(tests, program_begin, program_end);
}
