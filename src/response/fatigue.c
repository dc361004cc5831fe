/* Messages counted into cells, hazards fitted to the cells, and what they answer. */
#include "response/fatigue.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "response/contacts.h"
#include "response/fatigue_inner.h"

/* --- counting ------------------------------------------------------------------------------ */

/* Messages in the week and the month before each of a list, whose windows move on with it. */
typedef struct windows {
    size_t entered, left_week, left_month;
    uint32_t week, month;
} windows;

static void move_windows(windows *w, const contacts *list, int64_t at_us)
{
    const contact *m = list->item;
    for (; w->entered < list->n && m[w->entered].time_us < at_us; w->entered++) {
        w->week += contact_is_sent(m[w->entered].channel);
        w->month += contact_is_sent(m[w->entered].channel);
    }
    for (; m[w->left_week].time_us < at_us - CONTACT_DAYS * US_PER_DAY; w->left_week++)
        w->week -= contact_is_sent(m[w->left_week].channel);
    for (; m[w->left_month].time_us < at_us - CONTACT_MONTH_DAYS * US_PER_DAY; w->left_month++)
        w->month -= contact_is_sent(m[w->left_month].channel);
}

static uint32_t at_most(uint32_t n, uint32_t most)
{
    return n < most ? n : most;
}

/* Messages whose week has passed by then. */
static bool is_row(const contact *m, int64_t known_us)
{
    return m->time_us <= known_us && !m->after_unsubscribe;
}

static void count_harm(fatigue *f, const contacts *list, int64_t known_us, harm_cells *cells)
{
    windows w = {0};
    for (size_t k = 0; k < list->n; k++) {
        const contact *m = &list->item[k];
        move_windows(&w, list, m->time_us);
        if (!is_row(m, known_us)) continue;
        const size_t cell = harm_cell(m->channel, at_most(w.week, MOST_WEEK),
                                      at_most(w.month, MOST_MONTH));
        cells->trials[cell]++;
        cells->unsubscribed[cell] += m->unsubscribed;
        cells->dismissed[cell] += m->dismissed;
        if (!contact_is_sent(m->channel)) continue;
        f->sent++;
        f->sent_answered += m->answered;
    }
}

/* How often the shopper is written to, by his messages' mean of both logs. */
static size_t usual_step(const contacts *list)
{
    windows w = {0};
    double sum = 0, n = 0;
    for (size_t k = 0; k < list->n; k++) {
        if (!contact_is_sent(list->item[k].channel)) continue;
        move_windows(&w, list, list->item[k].time_us);
        sum += (log1p(w.week) + log1p(w.month)) / 2;
        n++;
    }
    return n > 0 ? at_most((uint32_t)lround(sum / n / USUAL_STEP), USUAL_STEPS - 1) : 0;
}

static void count_answers(const contacts *list, int64_t known_us, answer_cells *cells)
{
    const size_t usual = usual_step(list);
    windows w = {0};
    for (size_t k = 0; k < list->n; k++) {
        const contact *m = &list->item[k];
        move_windows(&w, list, m->time_us);
        if (!contact_is_sent(m->channel) || !is_row(m, known_us)) continue;
        const size_t cell =
            answer_cell(m->channel, usual, at_most(w.week, ANSWER_MOST_WEEK),
                        at_most(w.month, ANSWER_MOST_MONTH));
        cells->trials[cell]++;
        cells->answers[cell] += m->answered;
    }
}

static void count_seen(fatigue *f, const shop_history *h, uint32_t who, int64_t until_us)
{
    const uint64_t end = history_before(h, who, until_us);
    for (uint64_t i = h->first[who]; i < end; i++) {
        f->unsubscribe.seen += h->type[i] == EVENT_UNSUBSCRIBE;
        f->dismissal.seen += h->type[i] == EVENT_DISMISSAL;
    }
}

static pf_status no_memory(const shop_history *h, pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory for the messages of %u shoppers",
                     h->n_shoppers);
}

static pf_status count_all(fatigue *f, const shop_catalogue *c, const shop_history *h,
                           int64_t until_us, harm_cells *harm, answer_cells *answers,
                           pf_error *err)
{
    const int64_t week_us = CONTACT_DAYS * US_PER_DAY;
    const int64_t known_us = until_us < INT64_MIN + week_us ? INT64_MIN : until_us - week_us;
    contacts list = {0};
    bool ok = true;
    for (uint32_t s = 1; ok && s <= h->n_shoppers; s++) {
        ok = contacts_read(&list, c, h, s, until_us);
        if (!ok) break;
        count_seen(f, h, s, until_us);
        count_harm(f, &list, known_us, harm);
        count_answers(&list, known_us, answers);
    }
    contacts_free(&list);
    return ok ? PF_OK : no_memory(h, err);
}

/* --- life ---------------------------------------------------------------------------------- */

static pf_status make(fatigue *f, const shop_catalogue *c, const shop_history *h,
                      int64_t until_us, pf_error *err)
{
    harm_cells *harm = mem_alloc_zero(1, sizeof *harm);
    answer_cells *answers = mem_alloc_zero(1, sizeof *answers);
    pf_status s = harm != NULL && answers != NULL ? PF_OK : no_memory(h, err);
    if (s == PF_OK) s = count_all(f, c, h, until_us, harm, answers, err);
    if (s == PF_OK) s = fatigue_learn(f, harm, answers, err);
    mem_free(harm);
    mem_free(answers);
    return s;
}

pf_status fatigue_fit(fatigue **out, const shop_catalogue *c, const shop_history *h,
                      int64_t until_us, pf_error *err)
{
    *out = NULL;
    fatigue *f = mem_alloc_zero(1, sizeof *f);
    if (f == NULL) return no_memory(h, err);
    const pf_status s = make(f, c, h, until_us, err);
    if (s == PF_OK)
        *out = f;
    else
        fatigue_free(f);
    return s;
}

void fatigue_free(fatigue *f)
{
    if (f == NULL) return;
    posterior_free(&f->unsubscribe.spread);
    posterior_free(&f->dismissal.spread);
    posterior_free(&f->answer.spread);
    mem_free(f);
}

/* --- answers --------------------------------------------------------------------------------- */

static void fill_features(double x[FEATURES], uint32_t week, uint32_t month, channel by)
{
    const uint32_t all = month > week ? month : week;
    memset(x, 0, FEATURES * sizeof *x);
    x[FEATURE_ONE] = 1;
    x[FEATURE_WEEK] = log1p(at_most(week, MOST_MONTH));
    x[FEATURE_MONTH] = log1p(at_most(all, MOST_MONTH));
    if (by > CHANNEL_NONE && by < CHANNEL_COUNT) x[FEATURE_CHANNEL + by] = 1;
}

static double score(const hazard *z, const double x[FEATURES])
{
    double sum = 0;
    for (size_t k = 0; k < FEATURES; k++)
        sum += x[k] * z->mean[k];
    return sum;
}

static double logistic(double s)
{
    return 1 / (1 + exp(-s));
}

static double chance(const hazard *z, uint32_t week, uint32_t month, channel by)
{
    double x[FEATURES];
    fill_features(x, week, month, by);
    return logistic(score(z, x));
}

double fatigue_harm(const fatigue *f, uint32_t messages_7d, uint32_t messages_30d, channel by)
{
    return contact_is_sent((uint8_t)by)
               ? chance(&f->unsubscribe, messages_7d, messages_30d, by)
               : 0;
}

double fatigue_dismissal(const fatigue *f, uint32_t messages_7d, uint32_t messages_30d,
                         channel by)
{
    return chance(&f->dismissal, messages_7d, messages_30d, by);
}

/* value, and what lies 1.96 standard errors to both sides. */
static fatigue_interval linear(const hazard *z, const double x[FEATURES])
{
    double work[FEATURES];
    const double s = score(z, x), off = 1.959963984540054 * posterior_spread(&z->spread, x, work);
    return (fatigue_interval){s, s - off, s + off};
}

fatigue_interval hazard_interval(const hazard *z, uint32_t week, uint32_t month, channel by)
{
    double x[FEATURES];
    fill_features(x, week, month, by);
    const fatigue_interval i = linear(z, x);
    return (fatigue_interval){logistic(i.value), logistic(i.low), logistic(i.high)};
}

fatigue_interval fatigue_harm_interval(const fatigue *f, uint32_t messages_7d,
                                       uint32_t messages_30d, channel by)
{
    if (!contact_is_sent((uint8_t)by)) return (fatigue_interval){0};
    return hazard_interval(&f->unsubscribe, messages_7d, messages_30d, by);
}

fatigue_interval hazard_slope(const hazard *z)
{
    double x[FEATURES] = {0};
    x[FEATURE_WEEK] = x[FEATURE_MONTH] = 1;
    return linear(z, x);
}

fatigue_interval fatigue_harm_slope(const fatigue *f)
{
    return hazard_slope(&f->unsubscribe);
}

fatigue_interval fatigue_response_slope(const fatigue *f)
{
    return hazard_slope(&f->answer);
}

double fatigue_response_factor(const fatigue *f, uint32_t messages_7d, uint32_t messages_30d)
{
    double x[FEATURES];
    if (!(fatigue_response_slope(f).high < 0)) return 1;
    fill_features(x, messages_7d, messages_30d, CHANNEL_NONE);
    x[FEATURE_ONE] = 0;
    return fmin(1, exp(score(&f->answer, x)));
}

bool fatigue_is_learnt(const fatigue *f)
{
    return f->unsubscribe.seen > 0;
}

fatigue_counts fatigue_count(const shop_catalogue *c, const shop_history *h, uint32_t who,
                             int64_t at_us)
{
    const contact_counts n = contacts_count(c, h, who, at_us);
    return (fatigue_counts){n.in_7_days, n.in_30_days};
}
