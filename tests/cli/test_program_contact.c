/*
 * Protects what a marketer relies on when messages go out: hard budgets bound the most that can
 * come of them, nobody is woken at night wherever he lives, no one hears about a thing more often
 * than was set, channels keep their own limits; and whoever gets nothing is told what would have
 * to be otherwise, which then is what it takes. In the shop of lots_shop.h, without lots.
 */
#include "program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "lots_program.h"

enum { SHOPPERS = 400 };

#define CHANNELS                                                                             \
    "  channels:\n    - {channel: email, cost: 0.02}\n    - {channel: push, cost: 0.02}\n"
/* Every sale of a redeemer counts: what is said then does not hang on what was learnt. */
#define PLAIN "  margin_rate: 0.4\n  holdout: 0\n  gain: response\n"

/* --- shops ------------------------------------------------------------------------ */

/* As of the third of May. */
static const char *shop(void)
{
    static const char *w;
    if (w == NULL) w = lots_import("shop", PLAIN CHANNELS, SHOPPERS);
    return w;
}

/* A copy with this under `decide` in proffer.yaml. */
static const char *shop_with(const char *name, const char *decide)
{
    assert_int_equal(run_other(WORDS("cp", "-r", shop(), in_folder(name)))->code, 0);
    lots_configure(name, decide);
    return in_folder(name);
}

static const json_value *decide_at(const char *w, const char *when)
{
    RUN_CODE(0, "decide", "--campaign", "may", "--at", when, "-w", w, "-q");
    return json_of(RUN_CODE(0, "export", "--decisions", "-w", w));
}

static const json_value *summary_of(const char *w)
{
    return json_of(
        RUN_CODE(0, "decide", "--campaign", "may", "--dry-run", "--json", "-w", w));
}

static unsigned number_of_shopper(const json_value *decision)
{
    return (unsigned)strtoul(word_of(decision, "shopper") + 1, NULL, 10);
}

/* 'C', 'T', 'B', or 0 where nothing is sent. */
static char sent_by(const json_value *decision)
{
    const char *id = word_of(decision, "promotion");
    return id[0] ? id[strlen(id) - 1] : 0;
}

static unsigned count_sent(const json_value *decisions, char code)
{
    unsigned n = 0;
    for (size_t i = 0; i < decisions->n; i++)
        n += code ? sent_by(&decisions->values[i]) == code : sent_by(&decisions->values[i]) != 0;
    return n;
}

static double pairs_of(const json_value *summary, const char *reason)
{
    const json_value *list = member_of(summary, "reasons");
    for (size_t i = 0; i < list->n; i++)
        if (!strcmp(word_of(&list->values[i], "code"), reason))
            return number_of(&list->values[i], "pairs");
    return 0;
}

/* --- budgets ---------------------------------------------------------------------- */

static void hard_budgets_bound_the_most_that_can_come_of_it(void **state)
{
    (void)state;
    const char *w = shop_with("hard", PLAIN CHANNELS "  hard_budgets: yes\n  budget: 60.50\n"
                                                     "  largest_discount: 1.30\n");
    const json_value *all = decide_at(w, "2026-05-04");
    long cents = 0;
    unsigned tea = count_sent(all, 'T');
    for (size_t i = 0; i < all->n; i++) {
        const json_value *d = &all->values[i];
        if (!sent_by(d)) continue;
        const long most = LOTS_CONTACT + (sent_by(d) == 'T' ? 130 : 100);
        assert_int_equal(lround(100 * number_of(d, "cost")), most);
        cents += most;
    }
    assert_true(cents <= 6050);
    assert_true(cents > 6050 - 132); /* nothing more would fit */
    assert_true(count_sent(all, 'C') > 10);
    const json_value *summary = summary_of(w);
    assert_string_equal(word_of(summary, "budgets"), "hard");
    assert_int_equal(lround(100 * number_of(summary, "cost")), cents);
    assert_true(number_of(summary, "expected_cost") < number_of(summary, "cost"));
    assert_contains(RUN_CODE(0, "decide", "--campaign", "may", "--dry-run", "-w", w)->out,
                    " USD at most, ");
    /* The same money sends more by plan. */
    lots_configure("hard", PLAIN CHANNELS "  budget: 60.50\n");
    const json_value *planned = decide_at(w, "2026-05-04T01:00:00Z");
    assert_true(count_sent(planned, 0) > 2 * (cents / 100));
    assert_true(tea < count_sent(planned, 0));
}

/* What no one bounded is not sent under a hard budget, and the reason names the key. */
static void a_discount_without_a_bound_is_not_sent_under_hard_budgets(void **state)
{
    (void)state;
    const char *w = shop_with("unbounded", PLAIN CHANNELS "  hard_budgets: yes\n");
    const json_value *all = decide_at(w, "2026-05-04");
    assert_int_equal(count_sent(all, 'T'), 0);
    assert_true(count_sent(all, 'C') > 100);
    const json_value *c =
        member_of(json_of(RUN_CODE(0, "explain", "s0003", "may-T", "--json", "-w", w)),
                  "candidates");
    assert_string_equal(word_of(&c->values[0], "reason_code"), "cost_unknown");
    assert_contains(word_of(&c->values[0], "otherwise"), "decide.largest_discount");
}

static void budgets_and_messages_of_channels_hold(void **state)
{
    (void)state;
    const char *w = shop_with("lanes", PLAIN "  channels:\n"
                                             "    - {channel: email, cost: 0.02, messages: 30}\n"
                                             "    - {channel: push, cost: 0.02, budget: 5}\n");
    const json_value *all = decide_at(w, "2026-05-04");
    unsigned emails = 0;
    double pushed = 0;
    for (size_t i = 0; i < all->n; i++) {
        const char *by = word_of(&all->values[i], "channel");
        emails += !strcmp(by, "email");
        if (!strcmp(by, "push")) pushed += number_of(&all->values[i], "cost");
    }
    assert_int_equal(emails, 30);
    assert_true(pushed > 4 && pushed <= 5 + 1e-9);
    lots_configure("lanes", PLAIN CHANNELS "  messages: 50\n");
    assert_int_equal(count_sent(decide_at(w, "2026-05-04T01:00:00Z"), 0), 50);
    const json_value *summary = summary_of(w);
    const json_value *cap = &member_of(summary, "caps")->values[0];
    assert_string_equal(word_of(cap, "kind"), "total_messages");
    assert_true(number_of(cap, "used") == 50 && number_of(cap, "shadow_price") > 0);
}

/* --- when ------------------------------------------------------------------------- */

/* The hour on the shopper's wall in May, from "2026-05-04T06:00:00Z". */
static double local_hour(const char *when, unsigned shopper)
{
    static const int offsets[] = {2, -4, 0}; /* of lots_zone, summer time */
    const double hour = strtod(when + 11, NULL) + strtod(when + 14, NULL) / 60;
    return fmod(hour + offsets[shopper % 3] + 24, 24);
}

static void check_hours(const json_value *all, double from, double to)
{
    unsigned seen[3] = {0};
    for (size_t i = 0; i < all->n; i++) {
        const json_value *d = &all->values[i];
        const unsigned who = number_of_shopper(d);
        const double hour = local_hour(word_of(d, "send_at"), who);
        if (!sent_by(d)) continue;
        if (hour >= from || hour < to)
            fail_msg("%s is written to at %s, %g o'clock there", word_of(d, "shopper"),
                     word_of(d, "send_at"), hour);
        seen[who % 3]++;
    }
    assert_true(seen[0] > 80 && seen[1] > 80 && seen[2] > 80);
}

static void nobody_is_written_to_at_night_wherever_he_lives(void **state)
{
    (void)state;
    static const char *const moments[] = {"2026-05-04T02:00:00Z", "2026-05-04T11:30:00Z",
                                          "2026-05-04T20:15:00Z"};
#define NIGHT "  quiet_from: \"21:00\"\n  quiet_to: \"08:00\"\n"
    const char *w = shop_with("night", PLAIN CHANNELS NIGHT);
    for (int i = 0; i < 3; i++) {
        const json_value *all = decide_at(w, moments[i]);
        check_hours(all, 21, 8);
        for (size_t k = 0; k < all->n; k++) /* never before it is decided */
            assert_true(strcmp(word_of(&all->values[k], "send_at"), moments[i]) >= 0);
    }
    /* and put off no longer than the night lasts */
    const json_value *all = decide_at(w, "2026-05-04T02:30:00Z");
    for (size_t k = 0; k < all->n; k++) {
        const json_value *d = &all->values[k];
        static const char *const mornings[] = {"2026-05-04T06:00:00Z", "2026-05-04T12:00:00Z",
                                               "2026-05-04T08:00:00Z"};
        if (sent_by(d))
            assert_string_equal(word_of(d, "send_at"), mornings[number_of_shopper(d) % 3]);
    }
}

static void the_best_moment_of_a_day_is_by_day(void **state)
{
    (void)state;
    const char *w = shop_with("moments", PLAIN CHANNELS NIGHT "  send_within_h: 24\n");
    const json_value *all = decide_at(w, "2026-05-04T02:00:00Z");
    unsigned later = 0;
    check_hours(all, 21, 8);
    for (size_t k = 0; k < all->n; k++) {
        const char *when = word_of(&all->values[k], "send_at");
        assert_true(strcmp(when, "2026-05-05T02:00:00Z") < 0);
        later += sent_by(&all->values[k]) && strcmp(when, "2026-05-04T12:00:00Z") > 0;
    }
    assert_true(later > 20); /* they shop in the afternoon, and some are waited for */
}

/* --- how often -------------------------------------------------------------------- */

/* Who got April's message about tea, on the sixth, gets another when the month is over. */
static void tags_are_capped_over_past_messages(void **state)
{
    (void)state;
    const char *w = shop_with("tags", PLAIN CHANNELS "  tags: [{tag: tea, per_month: 1}]\n");
    const json_value *all = decide_at(w, "2026-05-04");
    unsigned tea = 0;
    for (size_t i = 0; i < all->n; i++) {
        const json_value *d = &all->values[i];
        tea += sent_by(d) == 'T';
        if (lots_got_april(number_of_shopper(d))) assert_true(sent_by(d) != 'T');
    }
    assert_true(tea > 20);
    assert_true(count_sent(all, 'C') > 100); /* coffee is not about tea */
    /* 30 local days that end on the sixth of May begin on the seventh of April. */
    all = decide_at(w, "2026-05-06T12:00:00Z");
    unsigned again = 0;
    for (size_t i = 0; i < all->n; i++)
        again += sent_by(&all->values[i]) == 'T' &&
                 lots_got_april(number_of_shopper(&all->values[i]));
    assert_true(again > 60);
}

static void the_sentence_about_a_full_tag_says_from_when_there_is_room(void **state)
{
    (void)state;
    const char *w = shop_with("room", PLAIN CHANNELS "  tags: [{tag: tea, per_month: 1}]\n");
    char id[8];
    unsigned who = 0;
    (void)decide_at(w, "2026-05-04");
    while (!(lots_got_april(who) && who % 3 == 0 && lots_can_be_reached(who)))
        who++; /* in Berlin */
    (void)snprintf(id, sizeof id, "s%04u", who);
    const json_value *c =
        &member_of(json_of(RUN_CODE(0, "explain", id, "may-T", "--json", "-w", w)), "candidates")
             ->values[0];
    assert_string_equal(word_of(c, "reason_code"), "tag_cap_reached");
    assert_contains(word_of(c, "reason"), "tea");
    /* the midnight there that begins the sixth of May, by the shop's clock */
    assert_contains(word_of(c, "otherwise"), "2026-05-05 22:00");
    static const char *const moments[] = {"2026-05-05T21:59:59Z", "2026-05-05T22:00:00Z"};
    for (int i = 0; i < 2; i++) {
        (void)decide_at(w, moments[i]);
        const json_value *now = member_of(
            json_of(RUN_CODE(0, "explain", id, "may-T", "--json", "-w", w)), "candidates");
        assert_int_equal(strcmp(word_of(&now->values[0], "reason_code"), "tag_cap_reached") == 0,
                         i == 0);
    }
}

/* The message of April is 28 days old on the fourth of May: in the month, not in the week. */
static void caps_over_all_channels_count_past_messages(void **state)
{
    (void)state;
    const char *w = shop_with("caps", PLAIN CHANNELS "  per_month: 1\n");
    const json_value *all = decide_at(w, "2026-05-04");
    for (size_t i = 0; i < all->n; i++) {
        const unsigned who = number_of_shopper(&all->values[i]);
        assert_int_equal(sent_by(&all->values[i]) != 0,
                         lots_can_be_reached(who) && !lots_got_april(who));
    }
    lots_configure("caps", PLAIN CHANNELS "  per_week: 1\n  per_day: 1\n");
    assert_int_equal(count_sent(decide_at(w, "2026-05-04T01:00:00Z"), 0), SHOPPERS * 9 / 10);
}

/* --- what would have to be otherwise ---------------------------------------------- */

/* Of the pairs that `explain` tells of some shoppers, the first that fails with `reason` and whose
 * sentence begins with `words`: "... at least NEEDED (it is ACTUAL)". */
typedef struct lever {
    char shopper[8], promotion[16];
    double needed, actual;
} lever;

static bool read_lever(const json_value *c, const char *reason, const char *sentence, lever *out)
{
    const char *said = word_of(c, "otherwise"), *at = strstr(said, sentence);
    if (strcmp(word_of(c, "reason_code"), reason) != 0 || at == NULL) return false;
    char *end = NULL;
    out->needed = strtod(at + strlen(sentence), &end);
    at = strstr(end, "(it is ");
    assert_non_null(at);
    out->actual = strtod(at + 7, NULL);
    (void)snprintf(out->promotion, sizeof out->promotion, "%s", word_of(c, "promotion"));
    return out->actual > 0.2;
}

static lever find_lever(const char *w, const char *reason, const char *sentence)
{
    lever found = {.needed = 0};
    for (unsigned who = 3; who < 60; who += 4) {
        (void)snprintf(found.shopper, sizeof found.shopper, "s%04u", who);
        if (!lots_can_be_reached(who)) continue;
        const json_value *list = member_of(
            json_of(RUN_CODE(0, "explain", found.shopper, "--json", "-w", w)), "candidates");
        for (size_t i = 0; i < list->n; i++)
            if (read_lever(&list->values[i], reason, sentence, &found)) return found;
    }
    fail_msg("no pair fails with %s and '%s'", reason, sentence);
    return found;
}

static const char *reason_now(const char *name, const char *decide, const lever *l)
{
    const char *w = in_folder(name);
    lots_configure(name, decide);
    RUN_CODE(0, "decide", "--campaign", "may", "-w", w, "-q");
    const json_value *c = member_of(json_of(RUN_CODE(0, "explain", l->shopper, l->promotion,
                                                     "--json", "-w", w)),
                                    "candidates");
    return word_of(&c->values[0], "reason_code");
}

/* All of a shopper's promotions may go out, so that none is in another's way; and messages tire
 * nobody, since that harm is told from margins. */
#define ALONE "  holdout: 0\n  per_shopper: 3\n  fatigue: none\n"

/* The gain is margin x sale: what it lacks the margin may bring. */
static void a_gain_that_is_named_is_what_it_takes(void **state)
{
    (void)state;
    static const char form[] = ALONE "  gain: response\n  margin_rate: %.6f\n" CHANNELS;
    char yaml[512];
    (void)snprintf(yaml, sizeof yaml, form, 0.08);
    const char *w = shop_with("gain", yaml);
    RUN_CODE(0, "decide", "--campaign", "may", "-w", w, "-q");
    const lever l = find_lever(w, "value_below_zero", "expected gain were above ");
    assert_true(l.needed > l.actual);
    /* both are told in whole cents */
    (void)snprintf(yaml, sizeof yaml, form, 0.08 * (l.needed + .01) / (l.actual - .005));
    assert_string_equal(reason_now("gain", yaml, &l), "chosen");
    (void)snprintf(yaml, sizeof yaml, form, 0.08 * (l.needed - .01) / (l.actual + .005));
    assert_string_equal(reason_now("gain", yaml, &l), "value_below_zero");
}

/* p (margin x spend - discount) must pay for the contact: a cheaper one needs less of p. */
static void a_chance_that_is_named_is_what_it_takes(void **state)
{
    (void)state;
    static const char form[] =
        ALONE "  gain: response\n  margin_rate: 0.4\n  channels: [{channel: email, cost: %.2f},"
              " {channel: push, cost: %.2f}]\n";
    char yaml[512];
    (void)snprintf(yaml, sizeof yaml, form, 1.5, 1.5);
    const char *w = shop_with("chance", yaml);
    RUN_CODE(0, "decide", "--campaign", "may", "-w", w, "-q");
    const lever l =
        find_lever(w, "value_below_zero", "its chance of being redeemed were at least ");
    const double just = 1.5 * l.actual / l.needed;
    assert_true(just < 1.5 && just > .02);
    (void)snprintf(yaml, sizeof yaml, form, floor(99 * just) / 100, floor(99 * just) / 100);
    assert_string_equal(reason_now("chance", yaml, &l), "chosen");
    (void)snprintf(yaml, sizeof yaml, form, ceil(101 * just) / 100, ceil(101 * just) / 100);
    assert_string_equal(reason_now("chance", yaml, &l), "value_below_zero");
}

/* Contact alone stands against the lift here: half of it needs less. */
static void an_added_spend_that_is_named_is_what_it_takes(void **state)
{
    (void)state;
    static const char form[] = ALONE "  gain: uplift\n  margin_rate: %.6f\n  channels:\n"
                                     "    - {channel: email, cost: 0.50}\n"
                                     "    - {channel: push, cost: 0.50}\n";
    char yaml[512];
    (void)snprintf(yaml, sizeof yaml, form, 0.25);
    const char *w = shop_with("lift", yaml);
    RUN_CODE(0, "decide", "--campaign", "may", "-w", w, "-q");
    const lever l = find_lever(w, "value_below_zero", "the spend that it adds were at least ");
    (void)snprintf(yaml, sizeof yaml, form, 0.25 * (l.needed + .01) / (l.actual - .005));
    assert_string_equal(reason_now("lift", yaml, &l), "chosen");
    (void)snprintf(yaml, sizeof yaml, form, 0.25 * (l.needed - .02) / (l.actual + .005));
    assert_string_equal(reason_now("lift", yaml, &l), "value_below_zero");
}

static void explain_says_it_to_people_too(void **state)
{
    (void)state;
    const char *w = shop_with("people", PLAIN CHANNELS "  budget: 20\n");
    RUN_CODE(0, "decide", "--campaign", "may", "-w", w, "-q");
    const ran *r = RUN_CODE(0, "explain", "s0005", "-w", w);
    assert_contains(r->out, "what would have changed it");
    assert_contains(r->out, "It would ");
}

/* --- nothing to send, and wrong settings ------------------------------------------- */

static void a_budget_of_nothing_sends_nothing_and_says_so(void **state)
{
    (void)state;
    const char *w = shop_with("broke", PLAIN CHANNELS "  budget: 0\n");
    const ran *r = RUN_CODE(0, "decide", "--campaign", "may", "-w", w);
    assert_contains(r->out, ": 0 messages to 0 shoppers");
    assert_contains(r->out, "the total budget is 0. Give --budget, or set decide.budget.");
    assert_int_equal(count_sent(decide_at(w, "2026-05-04T01:00:00Z"), 0), 0);
    r = RUN_CODE(0, "decide", "--campaign", "may", "--budget", "50", "--dry-run", "-w", w);
    assert_lacks(r->out, "Nothing would be sent");
}

#define PROMOTIONS "id,campaign,title,kind,percent,value,starts,ends_on,scope_categories,"
#define MAY_WITH(rest)                                                                       \
    "may-C,may,Coffee,money_off,,1.00,2026-05-04,2026-05-17,Drinks > Coffee," rest "\n"      \
    "may-T,may,Tea,percent_off,20,,2026-05-04,2026-05-17,Drinks > Tea," rest "\n"            \
    "may-B,may,Bread,money_off,,1.00,2026-05-04,2026-05-17,Food > Bread," rest "\n"

static void rules_that_pick_nobody_are_named_with_what_to_do(void **state)
{
    (void)state;
    const char *w = shop_with("nobody", PLAIN CHANNELS);
    const char *file = put("audience.csv",
                           PROMOTIONS "audience\n" MAY_WITH("spend_91d > 1000000"));
    RUN_CODE(0, "import", file, "--table", "promotions", "-w", w, "-q");
    const json_value *summary = summary_of(w);
    assert_contains(word_of(summary, "advice"), "not_in_audience: check the promotions' audience");
    assert_string_equal(word_of(summary, "warning_empty_audience"), "may-C");
    assert_true(pairs_of(summary, "not_in_audience") == 3 * SHOPPERS);
    w = shop_with("no-way", PLAIN CHANNELS);
    file = put("channels.csv", PROMOTIONS "channels,audience\n" MAY_WITH("sms,"));
    RUN_CODE(0, "import", file, "--table", "promotions", "-w", w, "-q");
    summary = summary_of(w);
    assert_contains(word_of(summary, "advice"), "channel_not_allowed: let decide.channels");
    assert_true(pairs_of(summary, "channel_not_allowed") == 3 * SHOPPERS);
    file = put("wrong.csv", PROMOTIONS "audience\n" MAY_WITH("spend_91d >> 3"));
    RUN_CODE(0, "import", file, "--table", "promotions", "-w", w, "-q");
    assert_contains(RUN_CODE(3, "decide", "--campaign", "may", "-w", w)->err,
                    "promotion 'may-C': audience rule: ");
}

static void an_offer_that_ends_before_it_starts_is_not_imported(void **state)
{
    (void)state;
    const char *w = shop_with("backwards", PLAIN CHANNELS);
    const char *file =
        put("backwards.csv", PROMOTIONS "audience\nmay-X,may,Never,percent_off,20,,2026-05-17,"
                                        "2026-05-04,Drinks > Tea,\n");
    const ran *r = RUN_CODE(0, "import", file, "--table", "promotions", "-w", w);
    assert_contains(r->out, "ends_on: it ends before it starts");
    assert_contains(r->out, "rejected; the first: ");
}

/* Where a shopper lives must be a place; who has none lives where the shop is. */
static void a_zone_that_is_none_is_not_imported(void **state)
{
    (void)state;
    const char *w = shop_with("mars", PLAIN CHANNELS NIGHT);
    const char *file = put("mars.csv", "id,zone,consent_given\ns0000,Mars/Base,push\n"
                                       "s0001,,push\n");
    const ran *r = RUN_CODE(0, "import", file, "--table", "shoppers", "-w", w);
    assert_contains(r->out, "'Mars/Base' is no time zone such as Europe/Berlin");
    check_hours(decide_at(w, "2026-05-04T02:00:00Z"), 21, 8);
}

static void settings_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *words;
    } wrong[] = {
        {"  draws: 48\n", "decide.draws: 48 is no power of two such as 64"},
        {"  quiet_from: \"21:00\"\n", "quiet hours need both, quiet_from and quiet_to"},
        {"  quiet_from: \"24:00\"\n  quiet_to: \"08:00\"\n", "'24:00' is no time of day"},
        {"  explore: thompson\n  per_shopper: 2\n", "exploration chooses one promotion a shopper"},
        {"  explore: thomson\n", "none of: none thompson greedy softmax"},
        {"  explore: softmax\n  explore_temperature: 0\n", "temperature of exploration"},
        {"  explore_floor: 0.2\n", "decide.explore_floor"},
        {"  metric: redemptions\n", "decide.worth"},
        {"  tags: [{tag: tea}]\n", "'tea' has no cap"},
        {"  tags: [{per_week: 1}]\n", "names no tag"},
        {"  tags: [{tag: tea, per_week: -1}]\n", "per_week"},
        {"  shopper_worth: -1\n", "negative"},
    };
    const char *w = shop_with("wrong", PLAIN CHANNELS);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char yaml[512];
        (void)snprintf(yaml, sizeof yaml, "  holdout: 0\n%s", wrong[i].yaml);
        lots_configure("wrong", yaml);
        const ran *r = RUN_CODE(2, "decide", "--campaign", "may", "-w", w);
        assert_contains(r->err, "proffer.yaml");
        assert_contains(r->err, wrong[i].words);
        assert_string_equal(r->out, "");
    }
}

/* With a worth each, redemptions are what is counted. */
static void redemptions_count_at_their_worth(void **state)
{
    (void)state;
    const char *w = shop_with("worth", PLAIN CHANNELS "  metric: redemptions\n  worth: 2.00\n"
                                                      "  fatigue: none\n");
    const json_value *all = decide_at(w, "2026-05-04");
    const json_value *summary = summary_of(w);
    double p = 0;
    for (size_t i = 0; i < all->n; i++)
        if (sent_by(&all->values[i])) p += number_of(&all->values[i], "p_redeem");
    assert_true(fabs(number_of(summary, "gain") - 2 * p) < .02);
    assert_string_equal(word_of(summary, "gain_counts"), "response");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hard_budgets_bound_the_most_that_can_come_of_it),
        cmocka_unit_test(a_discount_without_a_bound_is_not_sent_under_hard_budgets),
        cmocka_unit_test(budgets_and_messages_of_channels_hold),
        cmocka_unit_test(nobody_is_written_to_at_night_wherever_he_lives),
        cmocka_unit_test(the_best_moment_of_a_day_is_by_day),
        cmocka_unit_test(tags_are_capped_over_past_messages),
        cmocka_unit_test(the_sentence_about_a_full_tag_says_from_when_there_is_room),
        cmocka_unit_test(caps_over_all_channels_count_past_messages),
        cmocka_unit_test(a_gain_that_is_named_is_what_it_takes),
        cmocka_unit_test(a_chance_that_is_named_is_what_it_takes),
        cmocka_unit_test(an_added_spend_that_is_named_is_what_it_takes),
        cmocka_unit_test(explain_says_it_to_people_too),
        cmocka_unit_test(a_budget_of_nothing_sends_nothing_and_says_so),
        cmocka_unit_test(rules_that_pick_nobody_are_named_with_what_to_do),
        cmocka_unit_test(an_offer_that_ends_before_it_starts_is_not_imported),
        cmocka_unit_test(a_zone_that_is_none_is_not_imported),
        cmocka_unit_test(settings_that_contradict_each_other_are_refused),
        cmocka_unit_test(redemptions_count_at_their_worth),
    };
    return cmocka_run_group_tests(tests, program_begin, program_end);
}
