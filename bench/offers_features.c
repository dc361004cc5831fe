/* See offers_features.h. */
#include "bench/offers_features.h"

#include <math.h>

#include "base/memory.h"

enum { WEEK_HOURS = 168 };

/* --- running offers --------------------------------------------------------------- */

/* A completion of the offer that came with event i, from hour `from` on; -1: none. */
static int completed(const offers_data *d, size_t i, size_t end)
{
    const offers_event *given = &d->event[i];
    const float last = (float)given->hour + d->offer[given->offer].hours;
    for (size_t j = i; j < end; j++)
        if (d->event[j].kind == OFFERS_COMPLETED && d->event[j].offer == given->offer &&
            (float)d->event[j].hour <= last)
            return d->event[j].hour;
    return -1;
}

/* The first event of a member that is not before an hour. */
static size_t until(const offers_data *d, size_t m, int hour)
{
    size_t i = d->first[m];
    while (i < d->first[m + 1] && d->event[i].hour < hour)
        i++;
    return i;
}

static bool viewed(const offers_data *d, size_t i, size_t end)
{
    for (size_t j = i; j < end; j++)
        if (d->event[j].kind == OFFERS_VIEWED && d->event[j].offer == d->event[i].offer)
            return true;
    return false;
}

static float spent_since(const offers_data *d, size_t i, size_t end)
{
    float sum = 0;
    for (size_t j = i; j < end; j++)
        if (d->event[j].kind == OFFERS_SPENT) sum += d->event[j].amount;
    return sum;
}

/* Whether event i, before the wave, left an offer that runs into it. `now` is the member's first
 * event that is not before the start. */
static bool runs_on(const offers_data *d, size_t m, size_t i, size_t now, int start,
                    offers_running *out)
{
    const offers_event *e = &d->event[i];
    const offers_offer *o = &d->offer[e->offer];
    const float left = (float)e->hour + o->hours - (float)start;
    if (e->kind != OFFERS_RECEIVED || o->informational || left <= 0) return false;
    const int done = completed(d, i, d->first[m + 1]);
    if (done >= 0 && done < start) return false;
    *out = (offers_running){.member = (uint32_t)m,
                            .offer = e->offer,
                            .seen = viewed(d, i, now),
                            .done = (int16_t)(done < 0 ? -1 : done - start),
                            .elapsed = (float)(start - e->hour),
                            .left = left,
                            .need = fmaxf(0, o->difficulty - spent_since(d, i, now))};
    return true;
}

size_t offers_running_before(const offers_data *d, int wave, offers_running **out)
{
    const int start = offers_wave_start(wave);
    size_t n = 0;
    *out = offers_memory(d->n * (size_t)OFFERS_WAVES, sizeof **out);
    for (size_t m = 0; m < d->n; m++) {
        const size_t now = until(d, m, start);
        for (size_t i = d->first[m]; i < now; i++)
            n += runs_on(d, m, i, now, start, &(*out)[n]);
    }
    return n;
}

bool offers_running_new(const offers_data *d, int wave, uint32_t member, uint32_t arm,
                        offers_running *out)
{
    const int start = offers_wave_start(wave);
    const offers_offer *o = &d->offer[arm];
    if (arm == 0 || o->reward <= 0) return false;
    *out = (offers_running){.member = member, .offer = (uint8_t)arm, .given = true, .done = -1,
                            .left = o->hours, .need = o->difficulty};
    for (size_t i = until(d, member, start); i < d->first[member + 1]; i++)
        if (d->event[i].kind == OFFERS_RECEIVED && d->event[i].hour == start &&
            d->event[i].offer == arm) {
            const int done = completed(d, i, d->first[member + 1]);
            out->done = (int16_t)(done < 0 ? -1 : done - start);
        }
    return true;
}

/* --- members ---------------------------------------------------------------------- */

static float share(float a, float b)
{
    return b > 0 ? a / b : NAN;
}

static void add_person(const offers_member *p, float *x)
{
    x[0] = p->gender == 'F';
    x[1] = p->gender == 'M';
    x[2] = p->gender == 'O';
    x[3] = p->gender == 0;
    x[4] = p->age;
    x[5] = p->income;
    x[6] = -p->joined;
}

/* What was bought: how often, how much, how lately. Per day, since waves come ever later. */
static void add_purchases(const offers_data *d, size_t m, size_t now, int start, float *x)
{
    const float days = (float)(start > 0 ? start : 1) / 24;
    float n = 0, sum = 0, most = NAN, week_n = 0, week_sum = 0;
    int last = -1;
    for (size_t i = d->first[m]; i < now; i++) {
        const offers_event *e = &d->event[i];
        if (e->kind != OFFERS_SPENT) continue;
        const float amount = fminf(e->amount, OFFERS_SPEND_CAP);
        n++;
        sum += amount;
        most = fmaxf(most, amount);
        last = e->hour;
        if (e->hour >= start - WEEK_HOURS) {
            week_n++;
            week_sum += amount;
        }
    }
    x[9] = n / days;
    x[10] = sum / days;
    x[11] = share(sum, n);
    x[12] = most;
    x[13] = last >= 0 ? (float)(start - last) : NAN;
    x[14] = week_n;
    x[15] = week_sum;
}

/* What became of the offers so far. */
static void add_offers(const offers_data *d, size_t m, size_t now, int start, float *x)
{
    const float days = (float)(start > 0 ? start : 1) / 24;
    float n[OFFERS_KINDS] = {0}, paid = 0;
    for (size_t i = d->first[m]; i < now; i++) {
        n[d->event[i].kind]++;
        if (d->event[i].kind == OFFERS_COMPLETED) paid += d->event[i].amount;
    }
    x[16] = n[OFFERS_RECEIVED] / days;
    x[17] = n[OFFERS_VIEWED] / days;
    x[18] = n[OFFERS_COMPLETED] / days;
    x[19] = share(n[OFFERS_VIEWED], n[OFFERS_RECEIVED]);
    x[20] = share(n[OFFERS_COMPLETED], n[OFFERS_RECEIVED]);
    x[21] = paid / days;
}

/* The informational offer that still runs, the first of them. */
static void add_informational(const offers_data *d, size_t m, size_t now, int start, float *x)
{
    x[28] = 0;
    x[29] = x[30] = NAN;
    for (size_t i = d->first[m]; i < now; i++) {
        const offers_event *e = &d->event[i];
        const float left = (float)e->hour + d->offer[e->offer].hours - (float)start;
        if (e->kind != OFFERS_RECEIVED || !d->offer[e->offer].informational || left <= 0)
            continue;
        if (x[28]++ > 0) continue;
        x[29] = viewed(d, i, now);
        x[30] = left;
    }
}

/* Offers that still run and pay: how many, how much, and of the one nearest to heart (seen, then
 * the dearest) what it needs, how long it has, whether it was seen. */
static void add_running(const offers_data *d, size_t m, size_t now, int start, float *x)
{
    float best = -1;
    x[22] = x[23] = x[24] = 0;
    x[25] = x[26] = x[27] = NAN;
    for (size_t i = d->first[m]; i < now; i++) {
        offers_running r;
        if (!runs_on(d, m, i, now, start, &r)) continue;
        const float reward = d->offer[r.offer].reward, near = reward + (r.seen ? 10 : 0);
        x[22]++;
        x[23] += reward;
        x[24] += r.seen ? reward : 0;
        if (near <= best) continue;
        best = near;
        x[25] = r.need;
        x[26] = r.left;
        x[27] = r.seen;
    }
}

void offers_features(const offers_data *d, int wave, size_t stride, float *x)
{
    const int start = offers_wave_start(wave);
    for (size_t m = 0; m < d->n; m++, x += stride) {
        const size_t now = until(d, m, start);
        add_person(&d->member[m], x);
        x[OFFERS_HOURS_FEATURE] = 0;
        x[8] = (float)start;
        add_purchases(d, m, now, start, x);
        add_offers(d, m, now, start, x);
        add_running(d, m, now, start, x);
        add_informational(d, m, now, start, x);
        x[31] = wave > 0 ? d->arm[(size_t)(wave - 1) * d->n + m] : 0;
    }
}

void offers_arm_features(const offers_data *d, uint32_t arm, float into[OFFERS_ARM_FEATURES])
{
    const offers_offer *o = &d->offer[arm];
    const float all[OFFERS_ARM_FEATURES] = {
        o->bogo, o->discount, o->informational, o->difficulty, o->reward, o->hours / 24,
        o->web, o->email, o->mobile, o->social, (float)arm, arm > 0};
    for (size_t f = 0; f < OFFERS_ARM_FEATURES; f++)
        into[f] = all[f];
}
