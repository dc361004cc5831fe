/*
 * Which hour, which harm: are a shopper's own hours foretold, and how fast.
 *
 *     bench/run habits            the demo's households
 *     bench/run habits all        all households of the grocer's year
 *
 * Learnt from the events before 2017-08-01; asked about every later trip to the shop: the log loss
 * of its local hour by even shares, everybody's clock and the shopper's own, and the difference of
 * the last two with a standard error over households. Nothing is chosen on those trips. Then the
 * seconds that a fit of 100,000 made-up shoppers with 50 events takes, and the microseconds of a
 * moment to send at. Gates: the shopper's own hours beat everybody's by two standard errors.
 *
 * Rooms: base shop response
 * Libraries: bench_journey
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "bench/journey.h"
#include "bench/result.h"
#include "response/fatigue.h"
#include "response/habits.h"

enum { SHOPPERS = 100000, EVENTS = 50 };

static void print(const char *model, const char *metric, double value, const char *unit,
                  const char *detail)
{
    bench_print(&(bench_result){"habits", model, metric, value, unit, detail});
}

static void check(pf_status s, const pf_error *err)
{
    if (s == PF_OK) return;
    (void)fprintf(stderr, "habits: %s\n", err->message);
    exit(1);
}

/* --- hours of trips to come -------------------------------------------------------------- */

typedef struct losses {
    double even, everybody, own, trips;
    double gain, gain2, weighted, trips2; /* sums over households, for the standard error */
} losses;

static void add_household(losses *l, const habits *h, const journey *j, uint32_t who,
                          int64_t from_us)
{
    const shop_history *past = j->history;
    double gain = 0, trips = 0;
    uint64_t order = 0;
    for (uint64_t i = history_before(past, who, from_us); i < past->first[who + 1]; i++) {
        if (past->type[i] != EVENT_PURCHASE || past->order[i] == order) continue;
        order = past->order[i];
        const int hour = calendar_from_us(past->time_us[i], j->zone).hour;
        const double own = -log(habits_presence_share(h, who, hour));
        const double everybody = -log(habits_presence_share(h, 0, hour));
        l->own += own;
        l->everybody += everybody;
        l->even += log(24);
        gain += everybody - own;
        trips++;
    }
    l->trips += trips;
    l->gain += gain;
    l->gain2 += gain * gain;
    l->weighted += gain * trips;
    l->trips2 += trips * trips;
}

/* The mean gain a trip is a ratio of sums over households. */
static double gain_error(const losses *l)
{
    const double mean = l->gain / l->trips;
    return sqrt(l->gain2 - 2 * mean * l->weighted + mean * mean * l->trips2) / l->trips;
}

static bool foretell(const journey *j, const char *detail)
{
    const habits_options how = habits_options_default();
    const int64_t from_us = journey_day_us(j, "2017-08-01");
    pf_error err = {0};
    habits *h = NULL;
    losses l = {0};
    check(habits_fit(&h, j->catalogue, j->history, j->zone, NULL, from_us, &how, &err), &err);
    for (uint32_t s = 1; s <= j->history->n_shoppers; s++)
        add_household(&l, h, j, s, from_us);
    print("even", "log_loss", l.even / l.trips, NULL, detail);
    print("everybody", "log_loss", l.everybody / l.trips, NULL, detail);
    print("habits", "log_loss", l.own / l.trips, NULL, detail);
    print("habits", "log_loss_gain", l.gain / l.trips, NULL, detail);
    print("habits", "log_loss_gain_se", gain_error(&l), NULL, detail);
    habits_free(h);
    return l.gain / l.trips > 2 * gain_error(&l);
}

static void harm(const journey *j, const char *detail)
{
    pf_error err = {0};
    fatigue *f = NULL;
    const int64_t until_us = j->history->last_time_us + 1;
    check(fatigue_fit(&f, j->catalogue, j->history, until_us, &err), &err);
    const fatigue_interval slope = fatigue_response_slope(f);
    const int64_t worth = fatigue_worth(j->catalogue, j->history, .25, until_us);
    print(fatigue_is_learnt(f) ? "learnt" : "assumed", "hazard", fatigue_harm(f, 0, 0, 0), NULL,
          detail);
    print("answers", "log_odds_slope", slope.value, NULL, detail);
    print("answers", "log_odds_slope_low", slope.low, NULL, detail);
    print("answers", "log_odds_slope_high", slope.high, NULL, detail);
    print("reachable", "worth_minor", worth == MONEY_ABSENT ? NAN : (double)worth, "cent", detail);
    fatigue_free(f);
}

/* --- speed --------------------------------------------------------------------------------- */

static shop_history *crowd(void)
{
    static const uint8_t types[] = {EVENT_EXPOSURE, EVENT_EXPOSURE, EVENT_CLICK, EVENT_VIEW,
                                    EVENT_VIEW,     EVENT_VIEW,     EVENT_PURCHASE, EVENT_PURCHASE};
    const size_t n = (size_t)SHOPPERS * EVENTS;
    history_row *row = calloc(n, sizeof *row);
    random_stream r = random_begin(1, 1);
    shop_history *h = NULL;
    pf_error err = {0};
    if (row == NULL) exit(1);
    for (size_t i = 0; i < n; i++)
        row[i] = (history_row){.shopper = 1 + (uint32_t)(i / EVENTS),
                               .type = types[random_below(&r, 8)],
                               .channel = (uint8_t)(1 + random_below(&r, 5)),
                               .time_us = (int64_t)(random_unit(&r) * 364 * (double)US_PER_DAY)};
    check(history_from_rows(&h, row, n, SHOPPERS, &err), &err);
    free(row);
    return h;
}

static void time_it(const zone *z)
{
    static const char detail[] = "{\"shoppers\":100000,\"events\":50}";
    const habits_options how = habits_options_default();
    const quiet_hours night = {21 * 60, 8 * 60};
    const int64_t now_us = 364 * US_PER_DAY;
    pf_error err = {0};
    habits *h = NULL;
    fatigue *f = NULL;
    shop_history *past = crowd();
    double from = bench_cpu_s();
    check(habits_fit(&h, NULL, past, z, NULL, now_us, &how, &err), &err);
    print("habits", "fit_cpu_s", bench_cpu_s() - from, "s", detail);
    from = bench_cpu_s();
    for (uint32_t s = 1; s <= SHOPPERS; s++)
        if (habits_send_at(h, s, CHANNEL_PUSH, now_us, now_us + US_PER_DAY, night, z) < now_us)
            exit(1);
    print("habits", "send_at_us", (bench_cpu_s() - from) / SHOPPERS * 1e6, "us", detail);
    from = bench_cpu_s();
    check(fatigue_fit(&f, NULL, past, now_us, &err), &err);
    print("fatigue", "fit_cpu_s", bench_cpu_s() - from, "s", detail);
    habits_free(h);
    fatigue_free(f);
    history_free(past);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 && strcmp(argv[1], "all") == 0 ? "all" : "demo";
    char detail[160];
    (void)snprintf(detail, sizeof detail,
                   "{\"data\":\"complete-journey %s\",\"split\":\"2017-08-01\"}", name);
    journey *j = journey_open(name);
    const bool good = foretell(j, detail);
    harm(j, detail);
    time_it(j->zone);
    journey_close(j);
    if (!good) (void)fprintf(stderr, "habits: own hours are not better than everybody's\n");
    return good ? 0 : 1;
}
