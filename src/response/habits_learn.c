/* Levels fitted one after the other: presence, rates, the slope between them, what is left. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "response/habits_inner.h"
#include "response/posterior.h"

static pf_status no_memory(const habits *h, pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory for the habits of %u segments",
                     h->n_segments);
}

/* --- presence ------------------------------------------------------------------------ */

/* Counts of a dial: by segment and, in row G, in all. */
typedef struct dial_sums {
    double *count;       /* [(G + 1) x cells] */
    double *n, *squares; /* [G + 1] sum of the shoppers' counts and of their squares */
} dial_sums;

static const double *own_counts(const own_presence *o, size_t cells)
{
    return cells == HOURS ? o->hour : o->weekday;
}

static double own_total(const own_presence *o, size_t cells)
{
    return cells == HOURS ? o->hours : o->days;
}

static void sum_dial(const habits *h, size_t cells, dial_sums *sums)
{
    own_presence o;
    for (uint32_t s = 1; s <= h->n_shoppers; s++) {
        habits_presence(h, s, &o);
        const double *count = own_counts(&o, cells), n = own_total(&o, cells);
        const uint32_t rows[2] = {h->segment[s], h->n_segments};
        for (int r = 0; r < 2; r++) {
            for (size_t k = 0; k < cells; k++)
                sums->count[rows[r] * cells + k] += count[k];
            sums->n[rows[r]] += n;
            sums->squares[rows[r]] += n * n;
        }
    }
}

/* Raw shares of a row, even where it is empty. */
static void raw_shares(const dial_sums *sums, uint32_t row, size_t cells, double *share)
{
    for (size_t k = 0; k < cells; k++)
        share[k] = sums->n[row] > 0 ? sums->count[row * cells + k] / sums->n[row]
                                    : 1 / (double)cells;
}

static double strength_of_shoppers(const habits *h, size_t cells, const dial_sums *sums)
{
    shrink_sum sum = {0};
    own_presence o;
    double share[HABITS_MOST_SEGMENTS * HOURS];
    for (uint32_t g = 0; g < h->n_segments; g++)
        raw_shares(sums, g, cells, share + g * cells);
    for (uint32_t s = 1; s <= h->n_shoppers; s++) {
        const uint32_t g = h->segment[s];
        habits_presence(h, s, &o);
        shrink_add_shares(&sum, own_counts(&o, cells), share + g * cells, cells, sums->n[g], 1);
    }
    return shrink_strength_shares(&sum);
}

static void set_row(const habits *h, dial *d, uint32_t row, const dial_sums *sums,
                    double strength, double spread)
{
    const shrunk even = {1 / (double)d->cells, 0};
    for (size_t k = 0; k < d->cells; k++)
        d->of[row * d->cells + k] =
            shrink_share(sums->count[row * d->cells + k], sums->n[row],
                         row == h->n_segments ? even : d->of[h->n_segments * d->cells + k],
                         strength, spread);
}

static void fit_dial(const habits *h, dial *d, const dial_sums *sums)
{
    const uint32_t all = h->n_segments;
    double even[HOURS], shares[HOURS];
    shrink_sum everybody = {0}, segments = {0};
    d->strength[LEVEL_SHOPPER] = strength_of_shoppers(h, d->cells, sums);
    for (size_t k = 0; k < d->cells; k++)
        even[k] = 1 / (double)d->cells;
    const double spread =
        shrink_spread(sums->n[all], sums->squares[all], d->strength[LEVEL_SHOPPER]);
    shrink_add_shares(&everybody, sums->count + all * d->cells, even, d->cells, 0, spread);
    d->strength[LEVEL_EVERYBODY] = shrink_strength_shares(&everybody);
    set_row(h, d, all, sums, d->strength[LEVEL_EVERYBODY], spread);
    raw_shares(sums, all, d->cells, shares);
    for (uint32_t g = 0; g < all; g++)
        shrink_add_shares(
            &segments, sums->count + g * d->cells, shares, d->cells, sums->n[all],
            shrink_spread(sums->n[g], sums->squares[g], d->strength[LEVEL_SHOPPER]));
    d->strength[LEVEL_SEGMENT] = shrink_strength_shares(&segments);
    for (uint32_t g = 0; g < all; g++)
        set_row(h, d, g, sums, d->strength[LEVEL_SEGMENT],
                shrink_spread(sums->n[g], sums->squares[g], d->strength[LEVEL_SHOPPER]));
}

static pf_status learn_dial(habits *h, dial *d, pf_error *err)
{
    const size_t rows = (size_t)h->n_segments + 1;
    double *block = mem_alloc_zero(rows * (d->cells + 2), sizeof *block);
    if (block == NULL) return no_memory(h, err);
    dial_sums sums = {block, block + rows * d->cells, block + rows * (d->cells + 1)};
    sum_dial(h, d->cells, &sums);
    fit_dial(h, d, &sums);
    mem_free(block);
    return PF_OK;
}

/* --- rates --------------------------------------------------------------------------- */

static void count_rates(habits *h)
{
    for (uint32_t s = 1; s <= h->n_shoppers; s++)
        for (uint64_t i = h->sent_first[s]; i < h->sent_first[s + 1]; i++) {
            const sent *m = &h->message[i];
            const size_t own = (size_t)h->segment[s] * CHANNEL_COUNT + m->channel;
            const size_t all = (size_t)h->n_segments * CHANNEL_COUNT + m->channel;
            h->trials[own]++;
            h->trials[all]++;
            h->answers[own] += m->answered;
            h->answers[all] += m->answered;
        }
}

static void add_rate(shrink_sum *sum, double trials, double answers, double rate, double total)
{
    const double count[2] = {answers, trials - answers}, parent[2] = {rate, 1 - rate};
    shrink_add_shares(sum, count, parent, 2, total, 1);
}

static double own_strength_of_rates(const habits *h)
{
    shrink_sum sum = {0};
    for (uint32_t s = 1; s <= h->n_shoppers; s++) {
        double trials[CHANNEL_COUNT] = {0}, answers[CHANNEL_COUNT] = {0};
        for (uint64_t i = h->sent_first[s]; i < h->sent_first[s + 1]; i++) {
            trials[h->message[i].channel]++;
            answers[h->message[i].channel] += h->message[i].answered;
        }
        for (int c = 0; c < CHANNEL_COUNT; c++) {
            const size_t row = (size_t)h->segment[s] * CHANNEL_COUNT + (size_t)c;
            if (trials[c] > 1)
                add_rate(&sum, trials[c], answers[c], h->answers[row] / h->trials[row],
                         h->trials[row]);
        }
    }
    return shrink_strength_shares(&sum);
}

/* Half an answer is added in all, so that no rate is 0 or 1. */
static void learn_rates(habits *h)
{
    const size_t all = (size_t)h->n_segments * CHANNEL_COUNT;
    double trials = 0, answers = 0;
    shrink_sum channels = {0}, segments = {0};
    count_rates(h);
    for (size_t c = 0; c < CHANNEL_COUNT; c++) {
        trials += h->trials[all + c];
        answers += h->answers[all + c];
    }
    h->rate_all = (answers + .5) / (trials + 1);
    for (size_t c = 0; c < CHANNEL_COUNT; c++)
        add_rate(&channels, h->trials[all + c], h->answers[all + c], h->rate_all, trials);
    h->rate_strength[LEVEL_EVERYBODY] = shrink_strength_shares(&channels);
    for (size_t c = 0; c < CHANNEL_COUNT; c++)
        h->rate[all + c] = shrink_share(h->answers[all + c], h->trials[all + c],
                                        (shrunk){h->rate_all, 0},
                                        h->rate_strength[LEVEL_EVERYBODY], 1)
                               .mean;
    for (size_t i = 0; i < all; i++) {
        const size_t c = all + i % CHANNEL_COUNT;
        add_rate(&segments, h->trials[i], h->answers[i], h->rate[c], h->trials[c]);
    }
    h->rate_strength[LEVEL_SEGMENT] = shrink_strength_shares(&segments);
    for (size_t i = 0; i < all; i++)
        h->rate[i] =
            shrink_share(h->answers[i], h->trials[i],
                         (shrunk){h->rate[all + i % CHANNEL_COUNT], 0},
                         h->rate_strength[LEVEL_SEGMENT], 1)
                .mean;
    h->rate_strength[LEVEL_SHOPPER] = own_strength_of_rates(h);
}

/* --- the slope of answers by presence -------------------------------------------------- */

/* Log presence in steps of an eighth, from -4 to 4. */
enum { BINS = 65, FEATURES = CHANNEL_COUNT + 1, BIN_ROWS = BINS * CHANNEL_COUNT };
#define BIN_WIDTH .125

typedef struct slope_rows {
    double x[BIN_ROWS * FEATURES];
    uint64_t trials[BIN_ROWS], answers[BIN_ROWS];
} slope_rows;

static void count_slope(const habits *h, const own_presence *o, uint32_t row, const sent *m,
                        slope_rows *r)
{
    const double x = habits_log_presence(h, row, o, m) / BIN_WIDTH;
    const long bin = lround(fmin(fmax(x, -BINS / 2), BINS / 2)) + BINS / 2;
    const size_t i = (size_t)m->channel * BINS + (size_t)bin;
    r->trials[i]++;
    r->answers[i] += m->answered;
}

/* Presence before a message foresees its answer; what comes behind it may be the answer. */
static void fill_slope_rows(const habits *h, slope_rows *r)
{
    for (size_t i = 0; i < BIN_ROWS; i++) {
        r->x[i * FEATURES + i / BINS] = 1;
        r->x[i * FEATURES + CHANNEL_COUNT] = ((double)(i % BINS) - BINS / 2) * BIN_WIDTH;
    }
    for (uint32_t s = 1; s <= h->n_shoppers; s++) {
        own_presence o = {0};
        uint64_t unit = h->unit_first[s];
        for (uint64_t i = h->sent_first[s]; i < h->sent_first[s + 1]; i++) {
            for (; unit < h->unit_first[s] + h->message[i].before; unit++)
                habits_count_unit(&o, h->unit[unit]);
            count_slope(h, &o, h->segment[s], &h->message[i], r);
        }
    }
}

static pf_status learn_slope(habits *h, pf_error *err)
{
    double mean[FEATURES], precision[FEATURES], work[FEATURES], only[FEATURES] = {0};
    posterior fitted;
    slope_rows *r = mem_alloc_zero(1, sizeof *r);
    if (r == NULL) return no_memory(h, err);
    fill_slope_rows(h, r);
    for (size_t f = 0; f < CHANNEL_COUNT; f++) {
        const double rate = h->rate[(size_t)h->n_segments * CHANNEL_COUNT + f];
        mean[f] = log(rate / (1 - rate));
        precision[f] = .01;
    }
    mean[CHANNEL_COUNT] = 1;
    precision[CHANNEL_COUNT] = 4;
    only[CHANNEL_COUNT] = 1;
    const posterior_rows rows = {BIN_ROWS, FEATURES, r->x, r->trials, r->answers};
    const posterior_prior prior = {mean, precision};
    const pf_status status = posterior_fit(&fitted, &rows, &prior, err);
    if (status == PF_OK) {
        h->slope = fmax(0, fitted.mean[CHANNEL_COUNT]);
        h->slope_sd = posterior_spread(&fitted, only, work);
    }
    posterior_free(&fitted);
    mem_free(r);
    return status;
}

/* The mean weight of messages by each channel, so that as many answers are expected as came. */
static void learn_weights(habits *h)
{
    double sum[CHANNEL_COUNT] = {0};
    own_presence o;
    for (uint32_t s = 1; s <= h->n_shoppers; s++) {
        if (h->sent_first[s] == h->sent_first[s + 1]) continue;
        habits_presence(h, s, &o);
        for (uint64_t i = h->sent_first[s]; i < h->sent_first[s + 1]; i++)
            sum[h->message[i].channel] +=
                exp(h->slope * habits_log_presence(h, h->segment[s], &o, &h->message[i]));
    }
    for (size_t c = 0; c < CHANNEL_COUNT; c++) {
        const double n = h->trials[(size_t)h->n_segments * CHANNEL_COUNT + c];
        h->mean_weight[c] = n > 0 ? sum[c] / n : 1;
    }
}

/* --- what is left by hour and weekday --------------------------------------------------- */

/* Answers and weights of messages, [CHANNEL_COUNT x (G + 1) x cells] as in a tilt. */
typedef struct tilt_sums {
    double *answers, *weight;
} tilt_sums;

static void sum_tilt(const habits *h, const tilt *t, tilt_sums *sums)
{
    own_presence o;
    const size_t rows = (size_t)h->n_segments + 1;
    for (uint32_t s = 1; s <= h->n_shoppers; s++) {
        if (h->sent_first[s] == h->sent_first[s + 1]) continue;
        habits_presence(h, s, &o);
        for (uint64_t i = h->sent_first[s]; i < h->sent_first[s + 1]; i++) {
            const sent *m = &h->message[i];
            const size_t cell = t->cells == HOURS ? m->hour : m->weekday;
            if (cell >= t->cells) continue;
            const size_t own = (m->channel * rows + h->segment[s]) * t->cells + cell;
            const size_t all = (m->channel * rows + h->n_segments) * t->cells + cell;
            const double w = exp(h->slope * habits_log_presence(h, h->segment[s], &o, m)) /
                             h->mean_weight[m->channel];
            sums->weight[own] += w;
            sums->weight[all] += w;
            sums->answers[own] += m->answered;
            sums->answers[all] += m->answered;
        }
    }
}

/* Rows of a level: everybody's, or all segments'. `of` of the level above is set. */
static void fit_tilt_level(const habits *h, tilt *t, const tilt_sums *sums, int level)
{
    const size_t rows = (size_t)h->n_segments + 1;
    const shrunk none = {1, 0};
    shrink_sum sum = {0};
    for (int set = 0; set < 2; set++) {
        for (size_t i = 0; i < CHANNEL_COUNT * rows * t->cells; i++) {
            const size_t g = i / t->cells % rows, c = i / t->cells / rows;
            if ((g == h->n_segments) != (level == LEVEL_EVERYBODY)) continue;
            const double rate = h->rate[g * CHANNEL_COUNT + c];
            const shrunk above = level == LEVEL_EVERYBODY
                                     ? none
                                     : t->of[(c * rows + h->n_segments) * t->cells +
                                             i % t->cells];
            if (set)
                t->of[i] = shrink_relative(sums->answers[i], rate * sums->weight[i], above,
                                           t->strength[level]);
            else
                shrink_add_relative(&sum, sums->answers[i], rate * sums->weight[i], above.mean,
                                    rate);
        }
        t->strength[level] = shrink_strength_relative(&sum);
    }
}

static void add_own(const habits *h, const tilt *t, uint32_t s, channel by,
                    const own_answers *a, shrink_sum *sum)
{
    const size_t rows = (size_t)h->n_segments + 1;
    const double rate = habits_rate(h, s, by);
    const shrunk *above = t->of + (by * rows + h->segment[s]) * t->cells;
    for (size_t k = 0; k < t->cells; k++) {
        const double answers = t->cells == HOURS ? a->hour[k] : a->weekday[k];
        const double expected =
            t->cells == HOURS ? a->hour_expected[k] : a->weekday_expected[k];
        if (expected > 0) shrink_add_relative(sum, answers, expected, above[k].mean, rate);
    }
}

static channel_set channels_of(const habits *h, uint32_t s)
{
    channel_set set = 0;
    for (uint64_t i = h->sent_first[s]; i < h->sent_first[s + 1]; i++)
        set |= 1u << h->message[i].channel;
    return set;
}

static void own_strength_of_tilts(habits *h)
{
    shrink_sum hours = {0}, weekdays = {0};
    own_presence o;
    own_answers a;
    for (uint32_t s = 1; s <= h->n_shoppers; s++) {
        const channel_set set = channels_of(h, s);
        if (set == 0) continue;
        habits_presence(h, s, &o);
        for (unsigned c = 0; c < CHANNEL_COUNT; c++) {
            if ((set & (1u << c)) == 0) continue;
            habits_own_answers(h, s, &o, (channel)c, &a);
            add_own(h, &h->hour_tilt, s, (channel)c, &a, &hours);
            add_own(h, &h->weekday_tilt, s, (channel)c, &a, &weekdays);
        }
    }
    h->hour_tilt.strength[LEVEL_SHOPPER] = shrink_strength_relative(&hours);
    h->weekday_tilt.strength[LEVEL_SHOPPER] = shrink_strength_relative(&weekdays);
}

static pf_status learn_tilt(habits *h, tilt *t, pf_error *err)
{
    const size_t n = CHANNEL_COUNT * ((size_t)h->n_segments + 1) * t->cells;
    double *block = mem_alloc_zero(2 * n, sizeof *block);
    if (block == NULL) return no_memory(h, err);
    tilt_sums sums = {block, block + n};
    sum_tilt(h, t, &sums);
    fit_tilt_level(h, t, &sums, LEVEL_EVERYBODY);
    fit_tilt_level(h, t, &sums, LEVEL_SEGMENT);
    mem_free(block);
    return PF_OK;
}

pf_status habits_learn(habits *h, pf_error *err)
{
    pf_status status = learn_dial(h, &h->hours, err);
    if (status == PF_OK) status = learn_dial(h, &h->weekdays, err);
    if (status != PF_OK) return status;
    learn_rates(h);
    status = learn_slope(h, err);
    if (status != PF_OK) return status;
    learn_weights(h);
    status = learn_tilt(h, &h->hour_tilt, err);
    if (status == PF_OK) status = learn_tilt(h, &h->weekday_tilt, err);
    if (status == PF_OK) own_strength_of_tilts(h);
    return status;
}
