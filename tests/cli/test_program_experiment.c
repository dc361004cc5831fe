/*
 * Protects what `proffer experiment` tells of a shop whose truth is known: half of 600 shoppers
 * are held out by `proffer decide`, what they do then is written with an effect or without one,
 * and the answer must be that effect, "not known yet", or no answer where the groups are wrong.
 */
#include "program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"

enum { SHOPPERS = 600, PRODUCTS = 6 };

/* What the shoppers of a shop do after the decision, a shopper. */
typedef struct truth {
    double buys[2]; /* held out, treated: probability of buying */
    double leaves;  /* of the treated: probability of unsubscribing */
    unsigned
        shown; /* of the held out, the first so many are shown a promotion all the same */
} truth;

static const truth works = {.buys = {.3, .55}}, nothing = {.buys = {.4, .4}},
                   annoys = {.buys = {.3, .55}, .leaves = .15, .shown = 7};

/* --- the shop ------------------------------------------------------------------------- */

static FILE *file_of(const char *name)
{
    FILE *f = fopen(in_folder(name), "w");
    assert_non_null(f);
    return f;
}

static const char *closed(FILE *f, const char *name)
{
    assert_int_equal(fclose(f), 0);
    return in_folder(name);
}

#define EVENTS_HEADER                                                                    \
    "event_id,type,shopper_id,product_id,promotion_id,campaign_id,time,paid\n"

/* Five months of purchases; in the last two a campaign each that everybody was shown. */
static const char *past_events(void)
{
    static const struct {
        const char *month, *campaign;
    } months[] = {{"2025-10", ""},
                  {"2025-11", ""},
                  {"2025-12", ""},
                  {"2026-01", "jan"},
                  {"2026-02", "feb"}};
    random_stream r = random_begin(11, 1);
    unsigned n = 0;
    FILE *f = file_of("past.csv");
    (void)fputs(EVENTS_HEADER, f);
    for (unsigned s = 0; s < SHOPPERS; s++)
        for (int m = 0; m < 5; m++) {
            if (random_unit(&r) < .4)
                (void)fprintf(f, "e%u,purchase,s%03u,p%u,,,%s-%02u,12.00\n", n++, s,
                              random_below(&r, PRODUCTS), months[m].month,
                              10 + random_below(&r, 15));
            if (months[m].campaign[0] == 0) continue;
            (void)fprintf(f, "e%u,exposure,s%03u,,%s-5,%s,%s-06,\n", n++, s,
                          months[m].campaign, months[m].campaign, months[m].month);
            if (random_unit(&r) < .2)
                (void)fprintf(f, "e%u,redemption,s%03u,,%s-5,%s,%s-09,8.00\n", n++, s,
                              months[m].campaign, months[m].campaign, months[m].month);
        }
    return closed(f, "past.csv");
}

/* A workspace with what stood before March; `decide` is what proffer.yaml says there. */
static const char *new_shop(const char *name, const char *decide)
{
    char yaml[1024], path[128];
    const char *w = in_folder(name);
    RUN_CODE(0, "init", w);
    (void)snprintf(path, sizeof path, "%s/proffer.yaml", name);
    const int n = snprintf(yaml, sizeof yaml,
                           "version: 1\nshop: {name: Lots, currency: USD}\n"
                           "language: {encoder: none}\nresponse: {learner: logistic}\n"
                           "decide:\n  margin_rate: 0.9\n  contact_unasked: true\n"
                           "  channels:\n    - {channel: email, cost: 0.01}\n%s",
                           decide);
    assert_int_equal(file_write_atomic(in_folder(path), yaml, (size_t)n, NULL), PF_OK);
    const char *products =
        put("products.csv", "id,title,category,price\np0,Tea,A > B,5.00\n"
                            "p1,Pot,A > B,6.00\np2,Cup,A > B,7.00\n"
                            "p3,Jam,A > C,8.00\np4,Bun,A > C,9.00\n"
                            "p5,Oil,A > C,4.00\n");
    const char *campaigns = put("campaigns.csv", "id,title,start,end\n"
                                                 "jan,January,2026-01-05,2026-01-18\n"
                                                 "feb,February,2026-02-02,2026-02-15\n"
                                                 "march,March,2026-03-02,2026-03-15\n");
    const char *promotions = put("promotions.csv", "id,campaign,title,kind,percent\n"
                                                   "jan-5,jan,Five,percent_off,5\n"
                                                   "feb-5,feb,Five,percent_off,5\n"
                                                   "march-5,march,Five,percent_off,5\n");
    RUN_CODE(0, "import", products, campaigns, promotions, past_events(), "-w", w, "-q");
    return w;
}

#define HALF "  holdout: 0.5\n  holdout_salt: lots-7\n"

static void decide(const char *w)
{
    RUN_CODE(0, "decide", "--campaign", "march", "-w", w, "-q");
}

/* Whether the i-th decision of a run left its shopper without promotions. */
static bool is_held_out(const json_value *decision)
{
    return strcmp(word_of(decision, "reason"), "holdout") == 0;
}

/* What the shoppers of the latest run did in the four weeks after it, and a day later an event
 * that says that the data reach so far. */
static void live(const char *w, const truth *t, uint64_t seed)
{
    const json_value *all = json_of(RUN_CODE(0, "export", "--decisions", "-w", w));
    random_stream r = random_begin(seed, 2);
    unsigned n = 0, held_out = 0;
    char name[64];
    (void)snprintf(name, sizeof name, "lived-%s.csv", strrchr(w, '/') + 1);
    FILE *f = file_of(name);
    (void)fputs(EVENTS_HEADER, f);
    for (size_t i = 0; i < all->n; i++) {
        const bool held = is_held_out(&all->values[i]);
        const char *who = word_of(&all->values[i], "shopper");
        held_out += held;
        if (!held || held_out <= t->shown)
            (void)fprintf(f, "o%u,exposure,%s,,march-5,march,2026-03-03,\n", n++, who);
        if (!held && random_unit(&r) < t->leaves)
            (void)fprintf(f, "o%u,unsubscribe,%s,,,,2026-03-04,\n", n++, who);
        if (random_unit(&r) < t->buys[!held])
            (void)fprintf(f, "o%u,purchase,%s,p1,,,2026-03-%02u,11.00\n", n++, who,
                          4 + random_below(&r, 20));
    }
    (void)fprintf(f, "end,view,s000,p1,,,2026-03-31,\n");
    const char *lived = closed(f, name);
    RUN_CODE(0, "import", lived, "-w", w, "-q");
}

/* A shop that decided with half its shoppers held out, and then lived so. */
static const char *shop_that(const char *name, const truth *t)
{
    const char *w = new_shop(name, HALF);
    decide(w);
    live(w, t, 21);
    return w;
}

/* The one in which promotions work; made on first use, measured by many and changed by none. */
static const char *working_shop(void)
{
    static const char *made;
    if (made == NULL) made = shop_that("works", &works);
    return made;
}

#define ASK(...) json_of(RUN_CODE(0, "experiment", "--json", __VA_ARGS__))

static const json_value *figure(const json_value *told, const char *metric)
{
    const json_value *list = member_of(member_of(told, "experiment"), "figures");
    for (size_t i = 0; i < list->n; i++)
        if (!strcmp(word_of(&list->values[i], "metric"), metric)) return &list->values[i];
    fail_msg("there is no figure of %s", metric);
    return NULL;
}

static double members(const json_value *told, const char *group)
{
    return number_of(member_of(member_of(told, "experiment"), group), "members");
}

/* --- the answer ----------------------------------------------------------------------- */

static void a_known_effect_is_found(void **state)
{
    (void)state;
    const char *w = working_shop();
    const ran *r = RUN_CODE(0, "experiment", "-w", w);
    assert_int_equal(strncmp(r->out, "With promotions ", 16), 0);
    assert_contains(r->out, " bought, without ");
    assert_contains(r->out, ": better.\n");
    assert_contains(r->out, "95 % interval");
    assert_contains(r->out, "\nbought ");
    assert_contains(r->out, "Guardrails: none could be measured.");
    assert_contains(r->out, "Waiting: nobody");
    assert_contains(r->err, "proffer report");
    const json_value *told = ASK("-w", w), *f = figure(told, "buyers");
    assert_string_equal(word_of(told, "assigned_by"), "decisions");
    assert_string_equal(word_of(told, "since"), "2026-03-02T00:00:00Z");
    assert_string_equal(word_of(member_of(told, "experiment"), "verdict"), "better");
    assert_true(members(told, "treated") + members(told, "control") == SHOPPERS);
    assert_true(number_of(f, "low") < .25 && .25 < number_of(f, "high"));
    assert_true(fabs(number_of(f, "difference") - .25) < .1);
    assert_true(number_of(f, "low") > 0 && number_of(f, "p") < .001);
}

static void revenue_decides_where_it_was_named_before(void **state)
{
    (void)state;
    const char *w = working_shop();
    const json_value *told = ASK("--metric", "revenue", "-w", w);
    const json_value *first =
        &member_of(member_of(told, "experiment"), "figures")->values[0];
    assert_string_equal(word_of(first, "metric"), "revenue");
    assert_true(fabs(number_of(first, "difference") - .25 * 1100) < 120);
    const ran *r = RUN_CODE(0, "experiment", "--metric", "revenue", "-w", w);
    assert_int_equal(strncmp(r->out, "With promotions a shopper spent $", 33), 0);
}

static void no_effect_is_not_known_yet(void **state)
{
    (void)state;
    const char *w = shop_that("nothing", &nothing);
    const ran *r = RUN_CODE(0, "experiment", "-w", w);
    assert_contains(r->out, ": not known yet");
    const json_value *told = ASK("-w", w), *f = figure(told, "buyers");
    assert_string_equal(word_of(member_of(told, "experiment"), "verdict"), "not_known");
    assert_true(number_of(f, "low") < 0 && 0 < number_of(f, "high"));
}

static void harm_and_what_blurs_the_result_are_said_in_the_first_line(void **state)
{
    (void)state;
    const char *w = shop_that("annoys", &annoys);
    const ran *r = RUN_CODE(0, "experiment", "-w", w);
    char *first = mem_copy_text(r->out, strcspn(r->out, "\n"));
    assert_contains(first, ": better. But more shoppers unsubscribed: ");
    assert_contains(first, " 7 shoppers of the group without promotions were shown some");
    mem_free(first);
    assert_contains(r->out, "Guardrails: 1 of 1 measured is worse.");
    const json_value *e = member_of(ASK("-w", w), "experiment");
    assert_string_equal(word_of(e, "verdict"), "worse");
    assert_true(number_of(e, "contaminated") == 7);
}

static void groups_of_a_wrong_size_get_no_result(void **state)
{
    (void)state;
    const char *w = working_shop();
    const ran *r = RUN_CODE(0, "experiment", "--share", "0.2", "-w", w);
    assert_int_equal(strncmp(r->out, "No result: the groups do not have the sizes", 43),
                     0);
    assert_lacks(r->out, "95 % interval");
    assert_lacks(r->out, "Guardrails");
    assert_contains(r->out, "not what chance does");
    const json_value *e = member_of(ASK("--share", "0.2", "-w", w), "experiment");
    assert_string_equal(word_of(e, "verdict"), "withheld");
    assert_int_equal(member_of(e, "figures")->n, 0);
    assert_true(member_of(member_of(e, "sample_ratio"), "mismatch")->boolean);
    assert_null(json_member(member_of(e, "treated"), "revenue_minor"));
}

static void who_changed_groups_stays_in_the_first_and_is_told(void **state)
{
    (void)state;
    const char *w = new_shop("crossed", HALF);
    decide(w);
    const json_value *first = json_of(RUN_CODE(0, "export", "--decisions", "-w", w));
    double held = 0;
    for (size_t i = 0; i < first->n; i++)
        held += is_held_out(&first->values[i]);
    setenv("PROFFER_DECIDE_HOLDOUT_SALT", "another", 1);
    RUN_CODE(0, "decide", "--campaign", "march", "--at", "2026-03-03", "-w", w, "-q");
    unsetenv("PROFFER_DECIDE_HOLDOUT_SALT");
    live(w, &works, 5);
    const json_value *told = ASK("-w", w);
    assert_true(members(told, "control") == held);
    const double crossed = number_of(member_of(told, "experiment"), "crossed");
    assert_true(crossed > SHOPPERS / 3. && crossed < SHOPPERS * 2 / 3.);
    assert_contains(RUN_CODE(0, "experiment", "-w", w)->out, "changed groups on the way");
    /* of the second decisions alone nobody has crossed, and the other salt counts */
    told = ASK("--since", "2026-03-03", "-w", w);
    assert_true(number_of(member_of(told, "experiment"), "crossed") == 0);
    assert_string_equal(word_of(told, "since"), "2026-03-03T00:00:00Z");
}

/* Whose outcomes may still change is left out, and said. */
static void shoppers_whose_window_is_open_wait(void **state)
{
    (void)state;
    const char *w = new_shop("waiting", HALF);
    decide(w);
    const ran *r = RUN_CODE(3, "experiment", "-w", w);
    assert_contains(r->err,
                    "nobody's window of 28 days is over: the first ends on 2026-03-30");
    assert_contains(r->err, "the data reach to 2026-02-2");
    assert_contains(r->err, "--window");
    live(w, &works, 3);
    put("late.csv", "event_id,type,shopper_id,product_id,time\n"
                    "n1,view,new1,p1,2026-03-20\nn2,view,new2,p1,2026-03-20\n");
    RUN_CODE(0, "import", in_folder("late.csv"), "-w", w, "-q");
    RUN_CODE(0, "decide", "--campaign", "march", "--at", "2026-03-12", "-w", w, "-q");
    const json_value *told = ASK("-w", w), *e = member_of(told, "experiment");
    assert_true(number_of(member_of(e, "treated"), "waiting") +
                    number_of(member_of(e, "control"), "waiting") ==
                2);
    assert_string_equal(word_of(told, "last_window_ends"), "2026-04-09T00:00:00Z");
    assert_contains(RUN_CODE(0, "experiment", "-w", w)->out,
                    "Waiting: 2 shoppers whose 28 days are not over; the last end on "
                    "2026-04-09.");
}

static void looking_at_any_time_takes_wider_intervals(void **state)
{
    (void)state;
    const char *w = working_shop();
    const json_value *once = figure(ASK("-w", w), "buyers");
    const json_value *any =
        figure(ASK("--looks", "any-time", "--planned", "600", "-w", w), "buyers");
    assert_true(number_of(once, "difference") == number_of(any, "difference"));
    assert_true(number_of(any, "high") > number_of(once, "high"));
    assert_true(number_of(any, "low") < number_of(once, "low"));
}

/* --- by the hash ---------------------------------------------------------------------- */

static void the_hash_tells_the_groups_that_the_log_tells(void **state)
{
    (void)state;
    const char *logged = working_shop();
    const char *w = new_shop("unlogged", HALF);
    const char *lived = in_folder("lived-works.csv"); /* of the shop that decided */
    assert_contains(RUN_CODE(4, "experiment", "-w", w)->err, "--since 2026-11-01");
    RUN_CODE(0, "import", lived, "-w", w, "-q");
    const json_value *a = ASK("-w", logged), *b = ASK("--since", "2026-03-02", "-w", w);
    assert_string_equal(word_of(a, "assigned_by"), "decisions");
    assert_string_equal(word_of(b, "assigned_by"), "hash");
    assert_true(members(a, "control") == members(b, "control"));
    assert_true(members(a, "treated") == members(b, "treated"));
    assert_true(number_of(figure(a, "buyers"), "difference") ==
                number_of(figure(b, "buyers"), "difference"));
}

static void a_campaigns_own_holdout_is_measured_alone(void **state)
{
    (void)state;
    const char *w = new_shop("own", "  holdout: 0.2\n  campaign_holdout: 0.4\n");
    decide(w);
    const json_value *all = json_of(RUN_CODE(0, "export", "--decisions", "-w", w));
    double own = 0, global = 0;
    for (size_t i = 0; i < all->n; i++) {
        const bool everything = member_of(&all->values[i], "holdout")->boolean;
        global += everything;
        own += is_held_out(&all->values[i]) && !everything;
    }
    live(w, &works, 8);
    const json_value *told = ASK("--campaign", "march", "-w", w);
    assert_string_equal(word_of(told, "assigned_by"), "hash");
    assert_string_equal(word_of(told, "campaign"), "march");
    assert_true(own > 100 && members(told, "control") == own);
    assert_true(members(told, "treated") == SHOPPERS - own - global);
    assert_string_equal(word_of(member_of(told, "experiment"), "verdict"), "better");
    const json_value *with = member_of(member_of(told, "experiment"), "treated");
    assert_true(number_of(with, "exposed") == number_of(with, "shoppers"));
    /* exposures of another campaign are not its own */
    const json_value *feb = ASK("--campaign", "feb", "--since", "2026-03-02", "-w", w);
    with = member_of(member_of(feb, "experiment"), "treated");
    assert_true(number_of(with, "exposed") == 0);
}

/* --- before the start ----------------------------------------------------------------- */

static void a_plan_says_how_many_shoppers_it_takes(void **state)
{
    (void)state;
    const char *w = new_shop("plan", HALF);
    const ran *r = RUN_CODE(0, "experiment", "--plan", "--change", "0.05", "-w", w);
    assert_int_equal(strncmp(r->out, "Of 600 shoppers ", 16), 0);
    assert_contains(r->out, " shoppers are needed.\n");
    const json_value *small = ASK("--plan", "--change", "0.5%", "-w", w);
    const json_value *same = ASK("--plan", "--change=0.005", "-w", w);
    const json_value *large = ASK("--plan", "--change", "0.05", "-w", w);
    const json_value *surer =
        ASK("--plan", "--change", "0.05", "--power", "0.95", "-w", w);
    assert_true(number_of(small, "needed") == number_of(same, "needed"));
    assert_true(fabs(number_of(small, "needed") / number_of(large, "needed") - 100) < 1);
    assert_true(number_of(surer, "needed") > 1.5 * number_of(large, "needed"));
    assert_true(fabs(number_of(large, "mean") - .4) < .1);
    const json_value *money =
        ASK("--plan", "--metric", "revenue", "--change", "1.50", "-w", w);
    assert_true(number_of(money, "change") == 150);
    assert_contains(word_of(money, "sentence"), "for $1.50 ");
    RUN_CODE(4, "report", "-w", w); /* a plan is no measurement: nothing was kept */
}

/* --- the report ----------------------------------------------------------------------- */

static void the_report_shows_the_last_measurement(void **state)
{
    (void)state;
    size_t n = 0;
    char *html = NULL;
    const char *w = shop_that("reported", &works);
    const char *path =
        word_of(json_of(RUN_CODE(0, "report", "--json", "-w", w)), "report");
    assert_int_equal(file_read_whole(&html, &n, path, 1 << 24, NULL), PF_OK);
    assert_contains(html, "\"experiment\": null");
    mem_free(html);
    RUN_CODE(0, "experiment", "-w", w);
    RUN_CODE(0, "report", "-w", w);
    assert_int_equal(file_read_whole(&html, &n, path, 1 << 24, NULL), PF_OK);
    assert_contains(html, "\"experiment\": {\"campaign\":\"\"");
    assert_contains(html, "With promotions ");
    assert_contains(html, "window.reportExperiment = function");
    assert_lacks(html, "@EXPERIMENT@");
    mem_free(html);
}

/* --- mistakes ------------------------------------------------------------------------- */

static void mistakes_are_told_with_the_way_out(void **state)
{
    (void)state;
    static const struct {
        const char *typed[6];
        int code;
        const char *wrong, *way_out;
    } all[] = {
        {{"--metric", "buyer"}, 2, "'buyer' is no figure", "did you mean 'buyers'"},
        {{"--metric", "x"}, 2, "'x' is no figure", "buyers (the share who bought)"},
        {{"--window", "-5"}, 2, "--window: '-5'", "from 1 to 3650"},
        {{"--before=-1"}, 2, "--before: '-1'", "from 0 to 3650"},
        {{"--looks", "daily"}, 2, "'daily'", "once (at an end fixed before) or any-time"},
        {{"--looks", "any-time"}, 2, "planned beforehand", "--planned 20000"},
        {{"--planned", "500"}, 2, "planned", "add --looks any-time"},
        {{"--planned", "many"}, 2, "--planned: 'many'", "no number from 1"},
        {{"--share", "1.5"}, 2, "--share: '1.5'", "0.9999"},
        {{"--campaign", "mach"}, 2, "decide.campaign_holdout is 0", "set it to 0.1"},
        {{"--campaign", "mach", "--share", ".2"}, 4, "'mach'", "did you mean 'march'"},
        {{"--since", "soon"}, 2, "'soon' is no time", "2026-11-01"},
        {{"--since", "2026-03-20"},
         4,
         "nothing was decided for 2026-03-20",
         "2026-03-02"},
        {{"--change", ".01"}, 2, "--change", "goes with --plan"},
        {{"--plan"}, 2, "--plan needs the change", "--change 0.005"},
        {{"--plan", "--change", "0"}, 2, "change that is not 0", "shoppers"},
        {{"--plan", "--change", "5"}, 2, "'5' is no share", "0.005 or 0.5%"},
        {{"--plan", "--change", "1.x", "--metric", "revenue"},
         2,
         "'1.x'",
         "USD such as 1.50"},
        {{"--plan", "--change", ".01", "--since", "2026-01-01"},
         2,
         "--since",
         "not for --plan"},
        {{"--plan", "--change", ".01", "--power", "1"}, 2, "--power: '1'", "0.9999"},
    };
    const char *w = working_shop();
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const char *words[12] = {"experiment", "-w", w};
        for (size_t k = 0; all[i].typed[k] != NULL; k++)
            words[3 + k] = all[i].typed[k];
        const ran *r = program_run_code(all[i].code, words);
        assert_contains(r->err, all[i].wrong);
        assert_contains(r->err, all[i].way_out);
        assert_string_equal(r->out, "");
    }
}

static void a_shop_that_holds_nobody_out_is_told_so(void **state)
{
    (void)state;
    const char *w = new_shop("nobody", "  holdout: 0\n");
    decide(w);
    assert_contains(
        RUN_CODE(2, "experiment", "-w", w)->err,
        "decide.holdout is 0: nobody is held out, so there is nothing to compare; "
        "set it to 0.1");
    assert_contains(RUN_CODE(2, "experiment", "--plan", "--change", ".01", "-w", w)->err,
                    "--share 0.1");
    RUN_CODE(0, "experiment", "--plan", "--change", ".01", "--share", "0.1", "-w", w);
    live(w, &works, 1);
    const ran *r = RUN_CODE(3, "experiment", "--share", "0.1", "-w", w);
    assert_contains(r->err, "nobody is in the control group");
    assert_contains(r->err, "decide.holdout");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_effect_is_found),
        cmocka_unit_test(revenue_decides_where_it_was_named_before),
        cmocka_unit_test(no_effect_is_not_known_yet),
        cmocka_unit_test(harm_and_what_blurs_the_result_are_said_in_the_first_line),
        cmocka_unit_test(groups_of_a_wrong_size_get_no_result),
        cmocka_unit_test(who_changed_groups_stays_in_the_first_and_is_told),
        cmocka_unit_test(shoppers_whose_window_is_open_wait),
        cmocka_unit_test(looking_at_any_time_takes_wider_intervals),
        cmocka_unit_test(the_hash_tells_the_groups_that_the_log_tells),
        cmocka_unit_test(a_campaigns_own_holdout_is_measured_alone),
        cmocka_unit_test(a_plan_says_how_many_shoppers_it_takes),
        cmocka_unit_test(the_report_shows_the_last_measurement),
        cmocka_unit_test(mistakes_are_told_with_the_way_out),
        cmocka_unit_test(a_shop_that_holds_nobody_out_is_told_so),
    };
    return cmocka_run_group_tests(tests, program_begin, program_end);
}
