/* evaluate/policies_past.h: past campaigns that somebody's choice was sent, with known truths. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "evaluate/policies_past.h"
#include "fixtures/coupon_shop.h"

enum { CAMPAIGNS = 3, SHOPPERS = 300, ROWS = CAMPAIGNS * SHOPPERS, F = 2 };
#define START (INT64_C(19000) * US_PER_DAY)
#define UNTIL (START + 100 * US_PER_DAY)
#define CONTACT 20.0

static const currency euro = {"EUR", 2};

static void assert_near(double value, double expected, double within)
{
    if (!(fabs(value - expected) <= within))
        fail_msg("%.17g is not %.17g within %g", value, expected, within);
}

static void assert_says(const char *words, const char *part)
{
    if (strstr(words, part) == NULL) fail_msg("'%s' does not say '%s'", words, part);
}

/* ---- a shop that sends to those who buy anyway ---- */

/* Eager shoppers (x0) buy more and are sent more; what sending changes depends on the type (x1):
 * 15 points more for one half, 5 fewer for the other. */
typedef struct shop {
    campaign campaigns[CAMPAIGNS + 1];
    promotion promotions[CAMPAIGNS + 1];
    shop_catalogue c;
    history_row events[ROWS];
    size_t n_events;
    shop_history *h;
    float x[ROWS * F];
    uint32_t who[ROWS], campaign[ROWS];
    uint8_t sent[ROWS];
    policies_past_rows rows;
    double type[ROWS], none[ROWS], all[ROWS], best[ROWS];
    double naive; /* mean reward of those sent less the others' */
} shop;

static const double true_none = 100, true_all = 105, true_best = 127.5, true_logged = 102.5;

static void live(shop *s, size_t i, random_stream *r)
{
    const double eager = 3 * random_unit(r) - 1.5, type = random_unit(r) < .5;
    const double chance = 1 / (1 + exp(-eager));
    const bool sent = random_unit(r) < chance;
    const double buys = .2 + .1 * eager + (sent ? (type > 0 ? .15 : -.05) : 0);
    s->x[i * F] = (float)eager;
    s->x[i * F + 1] = (float)type;
    s->type[i] = type;
    s->who[i] = 1 + (uint32_t)i / CAMPAIGNS;
    s->campaign[i] = 1 + (uint32_t)i % CAMPAIGNS;
    s->sent[i] = sent;
    s->all[i] = 1;
    if (random_unit(r) >= buys) return;
    s->events[s->n_events++] = (history_row){
        .shopper = s->who[i], .type = EVENT_PURCHASE, .product = 1 + (uint32_t)i % 2,
        .time_us = s->campaigns[s->campaign[i]].starts_us + 5 * US_PER_DAY, .paid_minor = 1000,
        .coupon_minor = MONEY_ABSENT, .discount_minor = MONEY_ABSENT, .rating = NAN,
        .propensity = NAN};
}

static void make_campaigns(shop *s)
{
    for (uint32_t k = 1; k <= CAMPAIGNS; k++) {
        const int64_t at = START + (int64_t)k * 30 * US_PER_DAY - 30 * US_PER_DAY;
        s->campaigns[k] = (campaign){.id = "K", .starts_us = at,
                                     .ends_us = k == 2 ? TIME_ABSENT : at + 14 * US_PER_DAY};
    }
    s->c = (shop_catalogue){.campaigns = s->campaigns, .n_campaigns = CAMPAIGNS,
                            .promotions = s->promotions, .n_products = 2};
}

static shop *make(uint64_t seed)
{
    shop *s = calloc(1, sizeof *s);
    double with = 0, without = 0, n = 0;
    assert_non_null(s);
    random_stream r = random_begin(seed, 90);
    make_campaigns(s);
    for (size_t i = 0; i < ROWS; i++) {
        const size_t before = s->n_events;
        live(s, i, &r);
        const double reward = s->n_events > before ? 500 : 0;
        n += s->sent[i];
        with += s->sent[i] ? reward - CONTACT : 0;
        without += s->sent[i] ? 0 : reward;
    }
    s->naive = with / n - without / (ROWS - n);
    assert_int_equal(history_from_rows(&s->h, s->events, s->n_events, SHOPPERS, NULL), PF_OK);
    s->rows = (policies_past_rows){ROWS, F, s->x, s->who, s->campaign, s->sent};
    memcpy(s->best, s->type, sizeof s->best);
    return s;
}

static void free_shop(shop *s)
{
    history_free(s->h);
    free(s);
}

static policies_past_options options(void)
{
    policies_past_options o = policies_past_options_default();
    o.margin_rate = .5;
    o.contact_minor = CONTACT;
    o.until_us = UNTIL;
    o.plan.replicates = 60;
    return o;
}

static pf_status compare(const shop *s, const policies_past_options *o, policies_result *r,
                         pf_error *err)
{
    const policies_past_target who[] = {{"nobody", s->none}, {"everybody", s->all},
                                        {"by type", s->best}};
    return policies_past_compare(&s->c, s->h, &s->rows, who, 3, o, r, err);
}

/* Who buys anyway was sent more: a plain difference is far too high, the estimates are not. */
static void the_choice_of_whom_to_send_is_taken_out(void **state)
{
    (void)state;
    enum { SEEDS = 60, POLICIES = 4 };
    const double truth[POLICIES] = {true_logged, true_none, true_all, true_best};
    double naive = 0, bias[POLICIES] = {0};
    unsigned covered = 0, covered_difference = 0;
    const policies_past_options o = options();
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        shop *s = make(seed);
        policies_result r;
        pf_error err = {0};
        if (compare(s, &o, &r, &err) != PF_OK) fail_msg("%s", err.message);
        assert_int_equal(r.n_figures, POLICIES);
        for (size_t j = 0; j < POLICIES; j++) {
            const off_policy_value *v = &r.figure[j].value, *d = &r.figure[j].difference;
            const double gain = truth[j] - true_logged;
            bias[j] += (v->value - truth[j]) / SEEDS;
            covered += v->low <= truth[j] && truth[j] <= v->high;
            covered_difference += j > 0 && d->low <= gain && gain <= d->high;
        }
        naive += s->naive / SEEDS;
        policies_result_free(&r);
        free_shop(s);
    }
    if (getenv("POLICIES_SHOW") != NULL)
        print_message("naive %.1f; bias %.2f %.2f %.2f %.2f; covered %u of 240, %u of 180\n",
                      naive, bias[0], bias[1], bias[2], bias[3], covered, covered_difference);
    assert_true(naive > (true_all - true_none) + 20);
    for (size_t j = 0; j < POLICIES; j++)
        assert_near(bias[j], 0, 4);
    assert_in_range(covered, .90 * SEEDS * POLICIES, .995 * SEEDS * POLICIES);
    assert_in_range(covered_difference, .90 * SEEDS * 3, .995 * SEEDS * 3);
}

static void it_is_said_that_nothing_was_randomised(void **state)
{
    (void)state;
    shop *s = make(3);
    policies_result r;
    buffer b;
    json_writer w;
    policies_past_options o = options();
    buffer_init(&b, 1 << 16);
    assert_int_equal(compare(s, &o, &r, NULL), PF_OK);
    assert_int_equal(r.basis, POLICIES_BY_OBSERVATION);
    assert_string_equal(r.figure[0].name, "as it was");
    assert_int_equal(r.figure[0].word, POLICIES_REFERENCE);
    for (size_t j = 0; j < r.n_figures; j++) {
        buffer_clear(&b);
        policies_sentence(&r, &r.figure[j], &euro, &b);
        assert_says(b.data, "what was sent");
        assert_says(b.data, "(A hint, no proof.)");
    }
    buffer_clear(&b);
    json_begin(&w, &b);
    assert_int_equal(policies_write_json(&r, &euro, &w, NULL), PF_OK);
    assert_true(json_finish(&w));
    assert_says(b.data, "\"basis\":\"by observation\"");
    assert_says(b.data, "\"counted\":\"the whole shop\"");
    assert_says(b.data, "somebody's choice");
    assert_near(r.figure[1].treated, 0, 0);
    assert_near(r.figure[2].cost_minor, CONTACT, 1e-9);
    assert_int_equal(r.counts.shoppers, SHOPPERS);
    buffer_free(&b);
    policies_result_free(&r);
    free_shop(s);
}

/* ---- which rows ---- */

static void campaigns_that_still_run_wait(void **state)
{
    (void)state;
    shop *s = make(4);
    policies_result r;
    policies_past_options o = options();
    /* The second gives no end, so it is over 28 days after its start, the third later. */
    o.until_us = START + 58 * US_PER_DAY;
    assert_int_equal(compare(s, &o, &r, NULL), PF_OK);
    assert_int_equal(r.counts.waiting, SHOPPERS);
    assert_int_equal(r.counts.compared, 2 * SHOPPERS);
    policies_result_free(&r);
    o.until_us -= 1;
    assert_int_equal(compare(s, &o, &r, NULL), PF_OK);
    assert_int_equal(r.counts.waiting, 2 * SHOPPERS);
    policies_result_free(&r);
    free_shop(s);
}

/* Shoppers who are nearly always sent everything have nobody to be compared with. */
static void rows_without_their_like_are_left_out(void **state)
{
    (void)state;
    shop *s = make(5);
    policies_result r;
    policies_past_options o = options();
    for (size_t i = 0; i < ROWS; i++) {
        if (s->who[i] % 5 != 0) continue;
        s->x[i * F] = 20;
        s->sent[i] = 1;
    }
    assert_int_equal(compare(s, &o, &r, NULL), PF_OK);
    assert_in_range(r.counts.overlap, ROWS / 5, ROWS / 5 + 60);
    assert_int_equal(r.counts.compared + r.counts.overlap, ROWS);
    policies_result_free(&r);
    free_shop(s);
}

/* Many features that say nothing, few rows: regression alone would be so bold that rows lack their
 * like and weights are too large. */
static void many_features_make_no_chance_bold(void **state)
{
    (void)state;
    enum { WIDE = 100 };
    shop *s = make(5);
    policies_result few, many;
    policies_past_options o = options();
    random_stream r = random_begin(5, 6);
    float *wide = calloc((size_t)ROWS * WIDE, sizeof *wide);
    assert_non_null(wide);
    for (size_t i = 0; i < ROWS; i++) {
        memcpy(wide + i * WIDE, s->x + i * F, F * sizeof *wide);
        for (size_t f = F; f < WIDE; f++)
            wide[i * WIDE + f] = (float)random_normal(&r);
    }
    o.overlap = .1;
    assert_int_equal(compare(s, &o, &few, NULL), PF_OK);
    s->rows.x = wide;
    s->rows.n_features = WIDE;
    assert_int_equal(compare(s, &o, &many, NULL), PF_OK);
    const off_policy_support *all = &many.figure[2].value.support;
    if (getenv("POLICIES_SHOW") != NULL)
        print_message("left out %zu, with many features %zu; weight %.3f (%.3f)\n",
                      few.counts.overlap, many.counts.overlap, all->mean_weight,
                      all->mean_weight_error);
    assert_true(many.counts.overlap <= few.counts.overlap + ROWS / 50);
    assert_near(all->mean_weight, 1, 2 * all->mean_weight_error);
    policies_result_free(&few);
    policies_result_free(&many);
    free(wide);
    free_shop(s);
}

/* Product 1 is the promotion's, product 2 is not. */
static void what_a_campaign_covers_can_be_counted_alone(void **state)
{
    (void)state;
    static const uint32_t scope[] = {1};
    shop *s = make(6);
    policies_result whole, own;
    policies_past_options o = options();
    size_t of_one = 0;
    for (uint32_t k = 1; k <= CAMPAIGNS; k++)
        s->promotions[k] = (promotion){.id = "P", .campaign = k, .scope = scope, .n_scope = 1};
    s->c.n_promotions = CAMPAIGNS;
    for (size_t i = 0; i < s->n_events; i++)
        of_one += s->events[i].product == 1;
    o.reward = POLICIES_BUYERS;
    assert_int_equal(compare(s, &o, &whole, NULL), PF_OK);
    assert_near(whole.observed * ROWS, (double)s->n_events, 1e-6);
    o.in_scope = true;
    assert_int_equal(compare(s, &o, &own, NULL), PF_OK);
    assert_near(own.observed * ROWS, (double)of_one, 1e-6);
    assert_true(of_one > 0 && of_one < s->n_events);
    policies_result_free(&whole);
    policies_result_free(&own);
    free_shop(s);
}

/* ---- the best of a campaign ---- */

static void the_best_of_each_campaign_are_sent(void **state)
{
    (void)state;
    enum { N = 9 };
    uint32_t who[N] = {1, 2, 3, 4, 1, 2, 3, 4, 5}, of[N] = {1, 1, 1, 1, 2, 2, 2, 2, 2};
    uint8_t sent[N] = {1, 0, 0, 0, 1, 1, 1, 0, 0};
    const double score[N] = {.1, .4, .2, .3, 5, 5, 9, 5, 1};
    const policies_past_rows r = {N, 0, NULL, who, of, sent};
    double send[N];
    assert_int_equal(policies_past_top(&r, score, .5, send, NULL), PF_OK);
    const double half[N] = {0, 1, 0, 1, .5, .5, 1, .5, 0};
    for (int i = 0; i < N; i++)
        assert_near(send[i], half[i], 1e-12);
    assert_int_equal(policies_past_top(&r, score, NAN, send, NULL), PF_OK);
    const double as_many[N] = {0, 1, 0, 0, 2. / 3, 2. / 3, 1, 2. / 3, 0};
    for (int i = 0; i < N; i++)
        assert_near(send[i], as_many[i], 1e-12);
    assert_int_equal(policies_past_top(&r, NULL, .3, send, NULL), PF_OK);
    for (int i = 0; i < N; i++)
        assert_near(send[i], .3, 1e-12);
    assert_int_equal(policies_past_top(&r, score, 1, send, NULL), PF_OK);
    assert_near(send[0] + send[8], 2, 1e-12);
    assert_int_equal(policies_past_top(&r, score, 1.5, send, NULL), PF_USAGE);
    const double no_score[N] = {NAN};
    assert_int_equal(policies_past_top(&r, no_score, .5, send, NULL), PF_DATA);
    for (fault f = {0}; fault_next(&f);) {
        const pf_status s = policies_past_top(&r, score, .5, send, NULL);
        assert_int_equal(s, fault_reached(&f) ? PF_NO_MEMORY : PF_OK);
    }
}

/* ---- refusals ---- */

typedef void spoil(shop *s, policies_past_options *o);
static void no_rows(shop *s, policies_past_options *o)
{
    (void)o;
    s->rows.n = 0;
}
static void all_sent(shop *s, policies_past_options *o)
{
    (void)o;
    memset(s->sent, 1, sizeof s->sent);
}
static void none_sent(shop *s, policies_past_options *o)
{
    (void)o;
    memset(s->sent, 0, sizeof s->sent);
}
static void no_campaign(shop *s, policies_past_options *o)
{
    (void)o;
    s->campaign[4] = 99;
}
static void no_start(shop *s, policies_past_options *o)
{
    (void)o;
    s->campaigns[2].starts_us = TIME_ABSENT;
}
static void no_feature(shop *s, policies_past_options *o)
{
    (void)o;
    s->x[4 * F + 1] = NAN;
}
static void no_probability(shop *s, policies_past_options *o)
{
    (void)o;
    s->best[4] = 1.5;
}
static void not_over(shop *s, policies_past_options *o)
{
    (void)s;
    o->until_us = START;
}
static void all_equal(shop *s, policies_past_options *o)
{
    (void)s;
    o->reward = POLICIES_CLICKS;
}
static void no_overlap(shop *s, policies_past_options *o)
{
    (void)o;
    for (size_t i = 0; i < ROWS; i++) {
        s->sent[i] = s->who[i] % 2 == 0;
        s->x[i * F] = s->sent[i] ? 5 : -5;
        s->x[i * F + 1] = 0;
    }
}

static void what_is_wrong_with_a_past_is_said(void **state)
{
    (void)state;
    static const struct {
        spoil *spoil;
        const char *what, *remedy;
    } cases[] = {
        {no_rows, "no past campaigns", "import who was sent"},
        {all_sent, "every one of 900 rows", "choose campaigns"},
        {none_sent, "none of 900 rows", "choose campaigns"},
        {no_campaign, "row 5", "no campaign of the catalogue"},
        {no_start, "campaign 'K' has no start", "give it one"},
        {no_feature, "row 5: feature 2", "finite"},
        {no_probability, "'by type' sends row 5", "between 0 and 1"},
        {not_over, "none of the campaigns is over", "import later events"},
        {all_equal, "reward 0", "outcome was recorded"},
        {no_overlap, "no overlap", "decide with exploration"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        shop *s = make(7);
        policies_past_options o = options();
        policies_result r;
        pf_error err = {0};
        o.plan.replicates = 5;
        cases[i].spoil(s, &o);
        if (compare(s, &o, &r, &err) != PF_DATA) fail_msg("case %zu is not refused", i);
        assert_says(err.message, cases[i].what);
        assert_says(err.message, cases[i].remedy);
        assert_null(r.figure);
        free_shop(s);
    }
}

static void options_out_of_range_are_told(void **state)
{
    (void)state;
    shop *s = make(7);
    for (int i = 0; i < 6; i++) {
        policies_past_options o = options();
        policies_result r;
        if (i == 0) o.margin_rate = -1;
        if (i == 1) o.contact_minor = NAN;
        if (i == 2) o.until_us = INT64_MIN;
        if (i == 3) o.overlap = .5;
        if (i == 4) o.overlap = 0;
        if (i == 5) o.reward = POLICIES_REWARDS;
        assert_int_equal(compare(s, &o, &r, NULL), PF_USAGE);
        assert_null(r.figure);
    }
    free_shop(s);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    shop *s = make(8);
    policies_past_options o = options();
    fault f = {0};
    o.plan.replicates = 2;
    o.in_scope = true;
    while (fault_next(&f)) {
        policies_result r;
        pf_error err = {0};
        const pf_status status = compare(s, &o, &r, &err);
        if (fault_reached(&f)) {
            assert_int_equal(status, PF_NO_MEMORY);
            assert_null(r.figure);
        } else if (status != PF_OK) {
            fail_msg("%s", err.message);
        }
        policies_result_free(&r);
    }
    assert_true(f.n > 40);
    free_shop(s);
}

/* ---- from a shop's own past ---- */

static void a_past_is_collected_from_the_shop(void **state)
{
    (void)state;
    static coupon_shop shop_;
    response_rows_maker *maker;
    policies_past_rows rows;
    policies_past_options o = policies_past_options_default();
    pf_error err = {0};
    coupon_shop_make(&shop_);
    o.from_us = coupon_start_us(3);
    o.until_us = shop_.h->last_time_us + 1;
    assert_int_equal(response_rows_maker_new(&shop_.c, shop_.h, NULL, &maker, NULL), PF_OK);
    if (policies_past_collect(maker, shop_.h, &o, &rows, &err) != PF_OK)
        fail_msg("%s", err.message);
    size_t campaigns = 0, sent = 0;
    for (uint32_t k = 3; k <= COUPON_CAMPAIGNS; k++)
        campaigns += coupon_start_us(k) < coupon_week_us(COUPON_WEEKS);
    assert_int_equal(rows.n, campaigns * COUPON_SHOPPERS);
    assert_int_equal(rows.n_features, RESPONSE_ANY_FEATURES);
    for (size_t i = 0; i < rows.n; i++) {
        const uint32_t who = rows.shopper[i], k = rows.campaign[i];
        assert_int_equal(rows.sent[i], (who * 7 + k) % 5 != 0);
        sent += rows.sent[i];
    }
    assert_true(sent > rows.n / 2);
    policies_past_options later = o;
    later.from_us = o.until_us;
    policies_past_rows none;
    assert_int_equal(policies_past_collect(maker, shop_.h, &later, &none, &err), PF_DATA);
    assert_says(err.message, "no campaign of that time");
    assert_null(none.x);
    double *send = calloc(rows.n, sizeof *send), *score = calloc(rows.n, sizeof *score);
    assert_true(send != NULL && score != NULL);
    for (size_t i = 0; i < rows.n; i++)
        score[i] = rows.x[i * rows.n_features + RESPONSE_ANY_LOG_SHARE_ANSWERED];
    assert_int_equal(policies_past_top(&rows, score, .3, send, NULL), PF_OK);
    const policies_past_target who[] = {{"top 30 % by response", send}};
    policies_result r;
    o.plan.replicates = 20;
    if (policies_past_compare(&shop_.c, shop_.h, &rows, who, 1, &o, &r, &err) != PF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(r.n_figures, 2);
    assert_near(r.figure[1].treated, .3, .1);
    assert_int_equal(r.counts.decisions, rows.n);
    policies_result_free(&r);
    free(send);
    free(score);
    policies_past_rows_free(&rows);
    for (fault f = {0}; fault_next(&f);) {
        const pf_status s = policies_past_collect(maker, shop_.h, &o, &rows, NULL);
        assert_int_equal(s, fault_reached(&f) ? PF_NO_MEMORY : PF_OK);
        policies_past_rows_free(&rows);
    }
    response_rows_maker_free(maker);
    coupon_shop_free(&shop_);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_choice_of_whom_to_send_is_taken_out),
        cmocka_unit_test(it_is_said_that_nothing_was_randomised),
        cmocka_unit_test(campaigns_that_still_run_wait),
        cmocka_unit_test(rows_without_their_like_are_left_out),
        cmocka_unit_test(many_features_make_no_chance_bold),
        cmocka_unit_test(what_a_campaign_covers_can_be_counted_alone),
        cmocka_unit_test(the_best_of_each_campaign_are_sent),
        cmocka_unit_test(what_is_wrong_with_a_past_is_said),
        cmocka_unit_test(options_out_of_range_are_told),
        cmocka_unit_test(every_failed_allocation_is_told),
        cmocka_unit_test(a_past_is_collected_from_the_shop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
