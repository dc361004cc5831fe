/* What fitted habits answer: rates by channel, scores of hours, the moment to send at. */
#include "response/habits.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "response/habits_inner.h"

habits_options habits_options_default(void)
{
    return (habits_options){0};
}

/* --- life ---------------------------------------------------------------------------- */

void habits_free(habits *h)
{
    if (h == NULL) return;
    mem_free(h->segment);
    mem_free(h->unit_first);
    mem_free(h->sent_first);
    mem_free(h->unit);
    mem_free(h->message);
    mem_free(h->hours.of);
    mem_free(h->weekdays.of);
    mem_free(h->trials);
    mem_free(h->answers);
    mem_free(h->rate);
    mem_free(h->hour_tilt.of);
    mem_free(h->weekday_tilt.of);
    mem_free(h);
}

static habits *make(uint32_t n_shoppers, uint32_t n_segments)
{
    const size_t shoppers = (size_t)n_shoppers + 2, rows = (size_t)n_segments + 1;
    habits *h = mem_alloc_zero(1, sizeof *h);
    if (h == NULL) return NULL;
    *h = (habits){
        .n_shoppers = n_shoppers,
        .n_segments = n_segments,
        .segment = mem_alloc_zero(shoppers, sizeof *h->segment),
        .unit_first = mem_alloc_zero(shoppers, sizeof *h->unit_first),
        .sent_first = mem_alloc_zero(shoppers, sizeof *h->sent_first),
        .hours = {.cells = HOURS, .of = mem_alloc_zero(rows * HOURS, sizeof(shrunk))},
        .weekdays = {.cells = WEEKDAYS, .of = mem_alloc_zero(rows * WEEKDAYS, sizeof(shrunk))},
        .trials = mem_alloc_zero(rows * CHANNEL_COUNT, sizeof *h->trials),
        .answers = mem_alloc_zero(rows * CHANNEL_COUNT, sizeof *h->answers),
        .rate = mem_alloc_zero(rows * CHANNEL_COUNT, sizeof *h->rate),
        .hour_tilt = {.cells = HOURS,
                      .of = mem_alloc_zero(CHANNEL_COUNT * rows * HOURS, sizeof(shrunk))},
        .weekday_tilt = {.cells = WEEKDAYS,
                         .of = mem_alloc_zero(CHANNEL_COUNT * rows * WEEKDAYS, sizeof(shrunk))}};
    if (h->segment && h->unit_first && h->sent_first && h->hours.of && h->weekdays.of &&
        h->trials && h->answers && h->rate && h->hour_tilt.of && h->weekday_tilt.of)
        return h;
    habits_free(h);
    return NULL;
}

pf_status habits_fit(habits **out, const shop_catalogue *c, const shop_history *h,
                     const zone *shop_zone, const zone *const *shopper_zones, int64_t until_us,
                     const habits_options *o, pf_error *err)
{
    const uint32_t n_segments = o->segments != NULL ? o->n_segments : HABITS_SEGMENTS;
    *out = NULL;
    if (n_segments == 0 || n_segments > HABITS_MOST_SEGMENTS)
        return error_set(err, PF_LIMIT, "habits have 1 to %d segments, not %u",
                         HABITS_MOST_SEGMENTS, n_segments);
    habits *made = make(h->n_shoppers, n_segments);
    if (made == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for the habits of %u shoppers",
                         h->n_shoppers);
    made->by_recency = o->segments == NULL;
    pf_status status =
        habits_read(made, c, h, shop_zone, shopper_zones, until_us, o->segments, err);
    if (status == PF_OK) status = habits_learn(made, err);
    if (status == PF_OK)
        *out = made;
    else
        habits_free(made);
    return status;
}

/* --- one shopper ----------------------------------------------------------------- */

static bool is_known(const habits *h, uint32_t who)
{
    return who > 0 && who <= h->n_shoppers;
}

uint32_t habits_row(const habits *h, uint32_t who)
{
    return is_known(h, who) ? h->segment[who] : h->n_segments;
}

void habits_count_unit(own_presence *o, uint8_t unit)
{
    if (unit < HOURS) {
        o->hour[unit]++;
        o->hours++;
    } else {
        o->weekday[unit - HOURS]++;
        o->days++;
    }
}

void habits_presence(const habits *h, uint32_t who, own_presence *o)
{
    *o = (own_presence){0};
    if (!is_known(h, who)) return;
    for (uint64_t i = h->unit_first[who]; i < h->unit_first[who + 1]; i++)
        habits_count_unit(o, h->unit[i]);
}

/* Own counts are as sure as their strength makes them; what chance did to the segment's share
 * remains as far as that is used. */
static shrunk with_error_of(shrunk own, shrunk parent, double n, double strength)
{
    const double used = strength / (n + strength);
    return (shrunk){own.mean, used * used * parent.variance};
}

static shrunk share_of(const dial *d, uint32_t row, const double *count, double n, size_t cell)
{
    const shrunk parent = d->of[row * d->cells + cell];
    const double strength = d->strength[LEVEL_SHOPPER];
    return with_error_of(shrink_share(count[cell], n, parent, strength, 1), parent, n, strength);
}

double habits_log_presence(const habits *h, uint32_t row, const own_presence *o, const sent *m)
{
    double x = log(share_of(&h->weekdays, row, o->weekday, o->days, m->weekday).mean * WEEKDAYS);
    if (m->hour < HOURS)
        x += log(share_of(&h->hours, row, o->hour, o->hours, m->hour).mean * HOURS);
    return x;
}

static void count_messages(const habits *h, uint32_t who, channel by, double *n, double *k)
{
    *n = *k = 0;
    if (!is_known(h, who)) return;
    for (uint64_t i = h->sent_first[who]; i < h->sent_first[who + 1]; i++) {
        if (h->message[i].channel != by) continue;
        ++*n;
        *k += h->message[i].answered;
    }
}

double habits_rate(const habits *h, uint32_t who, channel by)
{
    double n, k;
    count_messages(h, who, by, &n, &k);
    const shrunk above = {h->rate[(size_t)habits_row(h, who) * CHANNEL_COUNT + by], 0};
    return shrink_share(k, n, above, h->rate_strength[LEVEL_SHOPPER], 1).mean;
}

static bool was_used(const habits *h, unsigned by)
{
    return by != CHANNEL_NONE && by < CHANNEL_COUNT &&
           h->trials[(size_t)h->n_segments * CHANNEL_COUNT + by] > 0;
}

double habits_factor(const habits *h, uint32_t who, channel by)
{
    double sum = 0;
    int used = 0;
    if (!was_used(h, by)) return 1;
    for (unsigned c = 0; c < CHANNEL_COUNT; c++) {
        if (!was_used(h, c)) continue;
        sum += habits_rate(h, who, (channel)c);
        used++;
    }
    return habits_rate(h, who, by) * used / sum;
}

void habits_own_answers(const habits *h, uint32_t who, const own_presence *o, channel by,
                        own_answers *a)
{
    *a = (own_answers){0};
    if (!is_known(h, who)) return;
    const double rate = habits_rate(h, who, by) / h->mean_weight[by];
    for (uint64_t i = h->sent_first[who]; i < h->sent_first[who + 1]; i++) {
        const sent *m = &h->message[i];
        if (m->channel != by) continue;
        const double expected =
            rate * exp(h->slope * habits_log_presence(h, h->segment[who], o, m));
        a->weekday[m->weekday] += m->answered;
        a->weekday_expected[m->weekday] += expected;
        if (m->hour >= HOURS) continue;
        a->hour[m->hour] += m->answered;
        a->hour_expected[m->hour] += expected;
    }
}

/* --- scores of hours ------------------------------------------------------------------- */

/* Logs of the parts of a factor, and their squared relative errors. */
typedef struct scores {
    shrunk hour[HOURS], weekday[WEEKDAYS];
} scores;

/* slope x log(presence x cells) + log tilt, and the squares of how far one standard error more of
 * each would raise the factor (a share near 0 has a log without bounds, its factor has not). */
static shrunk score_of(const habits *h, shrunk presence, size_t cells, shrunk left)
{
    const double rise = pow(1 + sqrt(presence.variance) / presence.mean, h->slope) - 1;
    return (shrunk){h->slope * log(presence.mean * (double)cells) + log(left.mean),
                    rise * rise + left.variance / (left.mean * left.mean)};
}

static shrunk left_of(const habits *h, const tilt *t, uint32_t row, unsigned by, size_t cell,
                      double answers, double expected)
{
    const size_t rows = (size_t)h->n_segments + 1;
    if (!was_used(h, by)) return (shrunk){1, 0};
    const shrunk parent = t->of[(by * rows + row) * t->cells + cell];
    const double strength = t->strength[LEVEL_SHOPPER];
    return with_error_of(shrink_relative(answers, expected, parent, strength), parent, expected,
                         strength);
}

static void score_hours(const habits *h, uint32_t who, channel by, scores *s)
{
    const uint32_t row = habits_row(h, who);
    own_presence o;
    own_answers a = {0};
    habits_presence(h, who, &o);
    if (was_used(h, by)) habits_own_answers(h, who, &o, by, &a);
    for (size_t k = 0; k < HOURS; k++)
        s->hour[k] = score_of(h, share_of(&h->hours, row, o.hour, o.hours, k), HOURS,
                              left_of(h, &h->hour_tilt, row, by, k, a.hour[k],
                                      a.hour_expected[k]));
    for (size_t k = 0; k < WEEKDAYS; k++)
        s->weekday[k] = score_of(h, share_of(&h->weekdays, row, o.weekday, o.days, k), WEEKDAYS,
                                 left_of(h, &h->weekday_tilt, row, by, k, a.weekday[k],
                                         a.weekday_expected[k]));
}

double habits_hour_factor(const habits *h, uint32_t who, channel by, int weekday, int hour)
{
    scores s;
    score_hours(h, who, by, &s);
    return exp(s.hour[hour].mean + s.weekday[weekday].mean);
}

/* --- the moment to send at ---------------------------------------------------------------- */

typedef struct candidate {
    int64_t at_us;
    int hour, weekday;
    double score;
} candidate;

static candidate candidate_at(const scores *s, int64_t at_us, const zone *z)
{
    const calendar_time t = calendar_from_us(at_us, z);
    return (candidate){at_us, t.hour, t.weekday,
                       s->hour[t.hour].mean + s->weekday[t.weekday].mean};
}

/* Squared standard error of exp(score) by the parts that the two do not share. */
static double squared_error(const scores *s, const candidate *a, const candidate *other)
{
    double variance = 0;
    if (a->hour != other->hour) variance += s->hour[a->hour].variance;
    if (a->weekday != other->weekday) variance += s->weekday[a->weekday].variance;
    return exp(2 * a->score) * variance;
}

static bool is_alike(const scores *s, const candidate *a, const candidate *best)
{
    const double error = sqrt(squared_error(s, a, best) + squared_error(s, best, a));
    const double below = exp(best->score) - exp(a->score);
    return below <= 0 || below < HABITS_NOISE * error || below < HABITS_ALIKE * exp(best->score);
}

/* The candidate that follows, at or behind the end where there is none. */
static int64_t next_candidate(int64_t at_us, const zone *z, quiet_hours quiet)
{
    const int64_t next = quiet_next(quiet_hour_end(at_us, z), z, quiet);
    return next == INT64_MIN ? INT64_MAX : next;
}

int64_t habits_send_at(const habits *h, uint32_t who, channel by, int64_t from_us,
                       int64_t to_us, quiet_hours quiet, const zone *z)
{
    const int64_t first = from_us < to_us ? quiet_next(from_us, z, quiet) : INT64_MIN;
    if (first == INT64_MIN || first >= to_us) return INT64_MIN;
    const int64_t ahead_us = HABITS_LOOK_AHEAD_DAYS * US_PER_DAY;
    const int64_t end = first < INT64_MAX - ahead_us && first + ahead_us < to_us ? first + ahead_us
                                                                                  : to_us;
    scores s;
    score_hours(h, who, by, &s);
    candidate best = candidate_at(&s, first, z);
    for (int64_t at = next_candidate(first, z, quiet); at < end;
         at = next_candidate(at, z, quiet)) {
        const candidate c = candidate_at(&s, at, z);
        if (c.score > best.score) best = c;
    }
    for (int64_t at = first; at < best.at_us; at = next_candidate(at, z, quiet)) {
        const candidate c = candidate_at(&s, at, z);
        if (is_alike(&s, &c, &best)) return at;
    }
    return best.at_us;
}

double habits_presence_share(const habits *h, uint32_t who, int hour)
{
    own_presence o;
    habits_presence(h, who, &o);
    return share_of(&h->hours, habits_row(h, who), o.hour, o.hours, (size_t)hour).mean;
}

/* --- what is known -------------------------------------------------------------------------- */

habits_evidence habits_known(const habits *h, uint32_t who, channel by)
{
    own_presence o;
    double n, k;
    habits_presence(h, who, &o);
    count_messages(h, who, by, &n, &k);
    return (habits_evidence){(uint64_t)o.hours, (uint64_t)o.days, (uint64_t)n, (uint64_t)k,
                             habits_row(h, who)};
}
