/*
 * Which offer to whom within a budget? Learnt on four waves, judged on the next two.
 *
 * Rooms: base measure intake response sequence decide evaluate
 * Libraries: bench_offers_parts
 *
 *     bench/run offers [--replicates N] [--validation] [--no-ablations]
 *
 * starbucks-offers: six waves, a decision is wave x member, 11 arms at known propensities. An
 * outcome is counted to the next wave: spend, at most 100, and reward dollars paid, whichever
 * wave promised them. Trained on waves 1 to 4, tested on 5 and 6; features are of hours before
 * the wave.
 *
 * Nothing is chosen on what is tested. Learners and features are judged forward in time: wave 3
 * is foretold from waves 1 and 2, wave 4 from waves 1 to 3, by spend less price x cost, mean
 * over prices. Those within a standard error of the best (paired, by members) cannot be told
 * apart, and their mean is the design. The same two waves calibrate the cost: what the policy
 * at the caps cost there (by the log's propensities) over what was foretold, so that what argmax
 * picks too rosily is in it. Then all is fitted anew on waves 1 to 4, and one shadow price for
 * both test waves is found on foretold costs. --validation stops before the test.
 *
 * Caps are planned budgets: measured cost may pass one by a standard error. Intervals are
 * bootstraps over members. What must be reached stands in `gates`; ends with 1 when it is not.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "bench/offers_cost.h"
#include "bench/offers_policy.h"
#include "bench/offers_state.h"
#include "bench/offers_value.h"
#include "bench/result.h"
#include "measure/statistics.h"

enum { KNOWN_WAVES = 4, VALIDATION = 2, TEST = 4 }; /* first wave of each run */
enum { SPEND_WAYS = OFFERS_TOTAL_COST, CAPS = 3, PRICES = 7 };

static const char *const ways[SPEND_WAYS] = {"squared", "whole", "parts"};
static const struct {
    double cap, spend;
} gates[CAPS] = {{.95, 18.9}, {1.25, 20.3}, {1.50, 20.9}};
static const double prices[PRICES] = {.5, 1, 1.5, 2, 3, 4, 5};
#define PREDICTED_WITHIN .10

static const char *const features_names[2] = {"events", "events_and_state"};

typedef struct run {
    unsigned replicates;
    bool validation_only, no_ablations, missed;
    offers_world *world;
    offers_log log[2];                /* validation, test */
    offers_forecast cost[2][2];       /* [features][run]: value is not used */
    double *way[2][2][OFFERS_WAYS];   /* [features][run]: [n x OFFERS_ARMS] or NULL */
} run;

static const int first_wave[2] = {VALIDATION, TEST};

/* --- forecasts -------------------------------------------------------------------- */

static int known_before(int wave)
{
    return wave < KNOWN_WAVES ? wave : KNOWN_WAVES;
}

static double *grid(run *r, int features, int which, offers_way way)
{
    double **at = &r->way[features][which][way];
    const size_t each = r->world->n * OFFERS_ARMS;
    if (*at != NULL) return *at;
    *at = offers_memory(OFFERS_RUN * each, sizeof **at);
    r->world->features = OFFERS_MEMBER_FEATURES + (features ? OFFERS_STATE_FEATURES : 0);
    for (int k = 0; k < OFFERS_RUN; k++) {
        const int wave = first_wave[which] + k;
        offers_value_expect(r->world, way, known_before(wave), wave,
                            *at + (size_t)k * each);
    }
    return *at;
}

static const double *cost_grid(run *r, int features, int which)
{
    offers_forecast *f = &r->cost[features][which];
    const size_t each = r->world->n * OFFERS_ARMS;
    if (f->cost != NULL) return f->cost;
    offers_forecast_make(f, OFFERS_RUN * r->world->n);
    r->world->features = OFFERS_MEMBER_FEATURES + (features ? OFFERS_STATE_FEATURES : 0);
    for (int k = 0; k < OFFERS_RUN; k++) {
        const int wave = first_wave[which] + k;
        offers_cost_expect(r->world, known_before(wave), wave, f->cost + (size_t)k * each);
    }
    return f->cost;
}

/* How a policy is made, and what the ablations leave out. */
typedef struct design {
    bool use[2][SPEND_WAYS];   /* [features]: the mean of these is what is expected */
    bool whole_cost; /* one model of all cost */
    uint32_t spenders; /* no uplift: this offer to those who spend most with it; 0: uplift */
    double calibration;
} design;

static int parts_of(const design *d, int features)
{
    int n = 0;
    for (int way = 0; way < SPEND_WAYS; way++)
        n += d->use[features][way];
    return n;
}

static void add(double *to, const double *from, double share, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += share * from[i];
}

static void forecast(run *r, const design *d, int which, offers_forecast *f)
{
    const size_t n = OFFERS_RUN * r->world->n * OFFERS_ARMS;
    const int of[2] = {parts_of(d, 0), parts_of(d, 1)};
    const double value_share = 1.0 / (of[0] + of[1]),
                 cost_share = d->calibration / ((of[0] > 0) + (of[1] > 0));
    offers_forecast_make(f, OFFERS_RUN * r->world->n);
    for (int features = 0; features < 2; features++) {
        for (int way = 0; way < SPEND_WAYS; way++)
            if (d->use[features][way])
                add(f->value, grid(r, features, which, (offers_way)way), value_share, n);
        if (of[features] > 0)
            add(f->cost,
                d->whole_cost ? grid(r, features, which, OFFERS_TOTAL_COST)
                              : cost_grid(r, features, which),
                cost_share, n);
    }
}

/* --- lines ------------------------------------------------------------------------ */

static void print(const char *model, const char *metric, double value, const char *detail)
{
    bench_print(&(bench_result){.bench = "offers", .model = model, .metric = metric,
                                .value = value, .detail = detail});
}

static void print_value(const char *model, const char *metric, double cap,
                        const off_policy_value *v)
{
    char detail[200];
    (void)snprintf(detail, sizeof detail,
                   "{\"cap\":%.4g,\"se\":%.4f,\"low\":%.4f,\"high\":%.4f,\"effective\":%.0f}",
                   cap, v->standard_error, v->low, v->high, v->support.effective);
    print(model, metric, v->value, detail);
}

static void gate(run *r, bool reached, const char *what, double cap)
{
    if (reached) return;
    fprintf(stderr, "offers: missed: %s at cap %.2f\n", what, cap);
    r->missed = true;
}

/* --- choosing --------------------------------------------------------------------- */

/* What a design says of each decision of the validation waves, mean over prices; [n]. */
static double *validate(run *r, const design *d)
{
    offers_forecast f;
    double *terms = offers_memory(r->log[0].n, sizeof *terms);
    forecast(r, d, 0, &f);
    for (int i = 0; i < PRICES; i++) {
        offers_policy p;
        offers_policy_priced(&p, &f, prices[i]);
        offers_judge_terms(&r->log[0], &f, &p, prices[i], 1.0 / PRICES, terms);
        offers_policy_free(&p);
    }
    offers_forecast_free(&f);
    return terms;
}

/* By member, since waves of one belong together; other NULL: nothing is taken off. */
static summary compare(const run *r, const double *terms, const double *other)
{
    const size_t n = r->world->n;
    double *each = offers_memory(n, sizeof *each);
    for (int k = 0; k < OFFERS_RUN; k++)
        for (size_t m = 0; m < n; m++) {
            const size_t i = (size_t)k * n + m;
            each[m] += (terms[i] - (other ? other[i] : 0)) / OFFERS_RUN;
        }
    const summary s = summary_of(each, n);
    mem_free(each);
    return s;
}

static void print_candidate(int features, int way, double worth, const summary *behind,
                            bool used)
{
    char detail[200];
    (void)snprintf(detail, sizeof detail,
                   "{\"features\":\"%s\",\"waves\":\"3,4 from the waves before\","
                   "\"behind_best\":%.4f,\"se\":%.4f,\"used\":%s}",
                   features_names[features], behind->mean, behind->standard_error,
                   used ? "true" : "false");
    print(ways[way], "spend_less_price_x_cost", worth, detail);
}

static design choose(run *r)
{
    double *terms[2 * SPEND_WAYS], worth[2 * SPEND_WAYS];
    design chosen = {.calibration = 1};
    int best = 0;
    for (int i = 0; i < 2 * SPEND_WAYS; i++) {
        design d = {.calibration = 1};
        d.use[i / SPEND_WAYS][i % SPEND_WAYS] = true;
        terms[i] = validate(r, &d);
        worth[i] = compare(r, terms[i], NULL).mean;
        if (worth[i] > worth[best]) best = i;
    }
    for (int i = 0; i < 2 * SPEND_WAYS; i++) {
        const int features = i / SPEND_WAYS, way = i % SPEND_WAYS;
        const summary behind = compare(r, terms[best], terms[i]);
        const bool used = i == best || behind.mean <= behind.standard_error;
        chosen.use[features][way] = used;
        print_candidate(features, way, worth[i], &behind, used);
    }
    for (int i = 0; i < 2 * SPEND_WAYS; i++)
        mem_free(terms[i]);
    return chosen;
}

/* Measured over foretold cost of the policy at the caps, on the validation waves. */
static double calibration_of(run *r, const design *d)
{
    offers_forecast f;
    double sum = 0;
    forecast(r, d, 0, &f);
    for (int i = 0; i < CAPS; i++) {
        offers_policy p;
        offers_policy_capped(&p, &f, gates[i].cap);
        const off_policy_value cost =
            offers_judge(&r->log[0], &f, &p, OFFERS_FIGURE_COST, OFF_POLICY_SNDR, r->replicates);
        print_value("calibration", "measured_over_foretold", gates[i].cap,
                    &(off_policy_value){.value = cost.value / p.predicted,
                                        .standard_error = cost.standard_error / p.predicted,
                                        .low = cost.low / p.predicted,
                                        .high = cost.high / p.predicted,
                                        .support = cost.support});
        sum += cost.value / p.predicted;
        offers_policy_free(&p);
    }
    offers_forecast_free(&f);
    return sum / CAPS;
}

/* --- the test --------------------------------------------------------------------- */

static void print_policy(const char *model, double cap, const offers_policy *p)
{
    char detail[400];
    size_t n = (size_t)snprintf(detail, sizeof detail,
                                "{\"cap\":%.4g,\"price\":%.3f,\"shares\":[%.3f", cap, p->price,
                                p->share[0]);
    for (int a = 1; a < OFFERS_ARMS; a++)
        n += (size_t)snprintf(detail + n, sizeof detail - n, ",%.3f", p->share[a]);
    (void)snprintf(detail + n, sizeof detail - n, "]}");
    print(model, "predicted_cost", p->predicted, detail);
}

typedef struct outcome {
    off_policy_value snips, dr, cost, cost_dr;
} outcome;

static outcome judge(run *r, const char *model, double cap, const offers_forecast *f,
                     const offers_policy *p)
{
    const offers_log *l = &r->log[1];
    const unsigned n = r->replicates;
    const outcome o = {
        .snips = offers_judge(l, f, p, OFFERS_FIGURE_SPEND, OFF_POLICY_SNIPS, n),
        .dr = offers_judge(l, f, p, OFFERS_FIGURE_SPEND, OFF_POLICY_DR, n),
        .cost = offers_judge(l, f, p, OFFERS_FIGURE_COST, OFF_POLICY_SNIPS, n),
        .cost_dr = offers_judge(l, f, p, OFFERS_FIGURE_COST, OFF_POLICY_DR, n)};
    print_policy(model, cap, p);
    print_value(model, "spend_snips", cap, &o.snips);
    print_value(model, "spend_dr", cap, &o.dr);
    print_value(model, "cost_snips", cap, &o.cost);
    print_value(model, "cost_dr", cap, &o.cost_dr);
    return o;
}

/* A design at every cap; the gates hold for the one that was chosen. */
static void test(run *r, const char *model, const design *d, bool gated)
{
    offers_forecast f;
    forecast(r, d, 1, &f);
    for (int i = 0; i < CAPS; i++) {
        offers_policy p;
        const double cap = gates[i].cap;
        if (d->spenders)
            offers_policy_spenders(&p, &f, d->spenders, cap);
        else
            offers_policy_capped(&p, &f, cap);
        const outcome o = judge(r, model, cap, &f, &p);
        if (gated) {
            gate(r, o.snips.value >= gates[i].spend, "spend by SNIPS", cap);
            gate(r, o.dr.value >= gates[i].spend, "spend by DR", cap);
            gate(r, o.cost.value <= cap + offers_cost_error(&r->log[1], &p), "measured cost", cap);
            gate(r, fabs(p.predicted / o.cost.value - 1) <= PREDICTED_WITHIN,
                 "predicted cost against measured", cap);
        }
        offers_policy_free(&p);
    }
    offers_forecast_free(&f);
}

/* The offer with the highest mean spend in the waves learnt from. */
static uint32_t best_single(const offers_world *w)
{
    double sum[OFFERS_ARMS] = {0}, n[OFFERS_ARMS] = {0};
    float *spend = offers_memory(w->n, sizeof *spend), *cost = offers_memory(w->n, sizeof *cost),
          *purchases = offers_memory(w->n, sizeof *purchases);
    uint32_t best = 1;
    for (int k = 0; k < KNOWN_WAVES; k++) {
        offers_data_outcome(w->data, k, offers_wave_hours(k), spend, cost, purchases);
        for (size_t m = 0; m < w->n; m++) {
            const uint8_t arm = w->data->arm[(size_t)k * w->n + m];
            sum[arm] += (double)spend[m];
            n[arm]++;
        }
    }
    for (uint32_t a = 2; a < OFFERS_ARMS; a++)
        if (sum[a] / n[a] > sum[best] / n[best]) best = a;
    mem_free(spend);
    mem_free(cost);
    mem_free(purchases);
    return best;
}

/* Our policy at the cost foretold of that offer for everybody. */
static void against_single(run *r, const design *d)
{
    offers_forecast f;
    offers_policy ours, single;
    char name[32];
    forecast(r, d, 1, &f);
    const uint32_t arm = best_single(r->world);
    offers_policy_single(&single, &f, arm);
    offers_policy_capped(&ours, &f, single.predicted);
    (void)snprintf(name, sizeof name, "single_offer_%u", arm);
    (void)judge(r, name, single.predicted, &f, &single);
    (void)judge(r, "at_the_same_cost", single.predicted, &f, &ours);
    for (int i = 0; i < 2; i++) {
        const off_policy_estimator e = i ? OFF_POLICY_DR : OFF_POLICY_SNIPS;
        const off_policy_value spend = offers_judge_pair(
            &r->log[1], &f, &ours, &single, OFFERS_FIGURE_SPEND, e, r->replicates);
        const off_policy_value cost = offers_judge_pair(
            &r->log[1], &f, &ours, &single, OFFERS_FIGURE_COST, e, r->replicates);
        print_value("ours_less_single", i ? "spend_dr" : "spend_snips", single.predicted, &spend);
        print_value("ours_less_single", i ? "cost_dr" : "cost_snips", single.predicted, &cost);
    }
    offers_policy_free(&ours);
    offers_policy_free(&single);
    offers_forecast_free(&f);
}

static void ablate(run *r, const design *chosen)
{
    design d = *chosen;
    d.spenders = best_single(r->world);
    test(r, "no_uplift", &d, false);
    d = *chosen;
    d.calibration = 1;
    test(r, "no_calibration", &d, false);
    d = *chosen;
    const int with = parts_of(&d, 1) > 0;
    for (int way = 0; way < SPEND_WAYS; way++) {
        d.use[0][way] |= d.use[1][way];
        d.use[1][way] = !with && d.use[0][way];
    }
    d.calibration = 1;
    d.calibration = calibration_of(r, &d);
    test(r, with ? "no_state" : "with_state", &d, false);
    d = *chosen;
    d.whole_cost = true;
    d.calibration = 1;
    test(r, "whole_cost_no_calibration", &d, false);
    d.calibration = calibration_of(r, &d);
    test(r, "whole_cost", &d, false);
}

/* --- the program ------------------------------------------------------------------ */

static void usage(void)
{
    fprintf(stderr, "usage: bench/run offers [--replicates N] [--validation] [--no-ablations]\n");
    exit(2);
}

static run read_arguments(int argc, char **argv)
{
    run r = {.replicates = 1000};
    for (int i = 1; i < argc; i++) {
        uint64_t n = 0;
        if (!strcmp(argv[i], "--validation"))
            r.validation_only = true;
        else if (!strcmp(argv[i], "--no-ablations"))
            r.no_ablations = true;
        else if (!strcmp(argv[i], "--replicates") && i + 1 < argc &&
                 text_to_u64(text_of(argv[i + 1]), &n) && n >= 2 && n <= 100000) {
            r.replicates = (unsigned)n;
            i++;
        } else
            usage();
    }
    return r;
}

static void run_free(run *r)
{
    for (int features = 0; features < 2; features++)
        for (int which = 0; which < 2; which++) {
            offers_forecast_free(&r->cost[features][which]);
            for (int way = 0; way < OFFERS_WAYS; way++)
                mem_free(r->way[features][which][way]);
        }
    offers_log_free(&r->log[0]);
    offers_log_free(&r->log[1]);
    offers_world_free(r->world);
}

int main(int argc, char **argv)
{
    run r = read_arguments(argc, argv);
    r.world = offers_world_new(OFFERS_STATE_FEATURES);
    offers_state_fill(r.world);
    for (int which = 0; which < 2; which++)
        offers_log_make(&r.log[which], r.world, first_wave[which]);
    design chosen = choose(&r);
    chosen.calibration = calibration_of(&r, &chosen);
    print("calibration", "cost_calibration", chosen.calibration, "{}");
    if (!r.validation_only) {
        test(&r, "proffer", &chosen, true);
        against_single(&r, &chosen);
        if (!r.no_ablations) ablate(&r, &chosen);
    }
    run_free(&r);
    return r.missed ? 1 : 0;
}
