/* Events of a history -> each shopper's active hours, active days, messages and segment. */
#include <string.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/memory.h"
#include "response/contacts.h"
#include "response/habits_inner.h"

enum { RECENT_DAYS = 28, LAPSING_DAYS = 84, FREQUENT_DAYS = 4 };

/* The zones of one shopper's times. */
typedef struct clocks {
    const zone *shop, *own;
} clocks;

typedef struct local_time {
    int64_t day;
    uint8_t weekday, hour;
} local_time;

/* A day begins at midnight, or where clocks jump over it at a later whole minute. */
static bool is_date_alone(int64_t at_us, const zone *shop)
{
    return at_us % US_PER_MINUTE == 0 && calendar_midnight_us(at_us, shop) == at_us;
}

static local_time local_of(int64_t at_us, const clocks *c)
{
    const bool date = is_date_alone(at_us, c->shop);
    const int64_t local_s =
        floor_divide(at_us, US_PER_SECOND) + zone_offset_s(date ? c->shop : c->own, at_us);
    const int64_t day = floor_divide(local_s, SECONDS_PER_DAY);
    const int64_t hour = (local_s - day * SECONDS_PER_DAY) / 3600;
    return (local_time){day, (uint8_t)civil_weekday(day),
                        (uint8_t)(date ? HOUR_UNKNOWN : hour)};
}

static bool is_activity(uint8_t type)
{
    return type == EVENT_CLICK || type == EVENT_VIEW || type == EVENT_ADD_TO_CART ||
           type == EVENT_PURCHASE || type == EVENT_REDEMPTION || type == EVENT_RATING;
}

static bool add_unit(habits *h, uint32_t who, uint8_t unit)
{
    const size_t at = (size_t)h->unit_first[who + 1];
    void *block = h->unit;
    const bool ok = mem_reserve(&block, &h->unit_capacity, at + 1, sizeof *h->unit);
    h->unit = block;
    if (!ok) return false;
    h->unit[at] = unit;
    h->unit_first[who + 1]++;
    return true;
}

static bool add_message(habits *h, uint32_t who, sent m)
{
    const size_t at = (size_t)h->sent_first[who + 1];
    void *block = h->message;
    const bool ok = mem_reserve(&block, &h->message_capacity, at + 1, sizeof *h->message);
    h->message = block;
    if (!ok) return false;
    h->message[at] = m;
    h->sent_first[who + 1]++;
    return true;
}

/* --- one shopper ------------------------------------------------------------------- */

/* Since when a shopper is new or recent, and since when lapsing: counted from the last event
 * before until_us, so that it does not matter how long ago the data end. */
typedef struct moments {
    int64_t until_us, recent_us, lapsing_us;
} moments;

static int64_t days_before(int64_t at_us, int days)
{
    return at_us < INT64_MIN + days * US_PER_DAY ? INT64_MIN : at_us - days * US_PER_DAY;
}

/* Only events before until_us are looked at: that there are later ones must not matter. */
static moments moments_of(const shop_history *past, int64_t until_us)
{
    int64_t now_us = INT64_MIN;
    for (uint32_t s = 1; s <= past->n_shoppers; s++) {
        const uint64_t end = history_before(past, s, until_us);
        if (end > past->first[s] && past->time_us[end - 1] >= now_us)
            now_us = past->time_us[end - 1] + 1;
    }
    return (moments){until_us, days_before(now_us, RECENT_DAYS),
                     days_before(now_us, LAPSING_DAYS)};
}

/* When a shopper was active. */
typedef struct life {
    bool any;
    int64_t first_us, last_us, day, hour;
    int recent_days; /* of the last RECENT_DAYS x 24 hours */
} life;

static bool live(habits *h, uint32_t who, life *l, int64_t at_us, int64_t recent_us,
                 const clocks *c)
{
    const local_time t = local_of(at_us, c);
    const bool same_day = l->any && l->day == t.day;
    const bool new_hour = t.hour != HOUR_UNKNOWN && !(same_day && l->hour == t.hour);
    if (!l->any) l->first_us = at_us;
    if (!same_day && at_us >= recent_us) l->recent_days++;
    l->last_us = at_us;
    l->any = true;
    l->day = t.day;
    if (!same_day || t.hour != HOUR_UNKNOWN) l->hour = t.hour;
    return (same_day || add_unit(h, who, (uint8_t)(HOURS + t.weekday))) &&
           (!new_hour || add_unit(h, who, t.hour));
}

static habits_segment segment_of(const life *l, const moments *m)
{
    if (!l->any) return HABITS_UNKNOWN;
    if (l->first_us >= m->recent_us) return HABITS_NEW;
    if (l->recent_days >= FREQUENT_DAYS) return HABITS_FREQUENT;
    if (l->last_us >= m->recent_us) return HABITS_RECENT;
    return l->last_us >= m->lapsing_us ? HABITS_LAPSING : HABITS_LAPSED;
}

/* Messages up to a moment, behind those of the list that were added before. */
static bool add_messages(habits *h, uint32_t who, const contacts *list, size_t *added,
                         int64_t to_us, const clocks *c)
{
    const uint64_t before = h->unit_first[who + 1] - h->unit_first[who];
    for (; *added < list->n && list->item[*added].time_us <= to_us; ++*added) {
        const contact *m = &list->item[*added];
        const local_time at = local_of(m->time_us, c);
        if (!add_message(h, who, (sent){before > UINT32_MAX ? UINT32_MAX : (uint32_t)before,
                                        m->channel, at.weekday, at.hour, m->answered}))
            return false;
    }
    return true;
}

static bool read_shopper(habits *h, uint32_t who, contacts *list, const shop_catalogue *c,
                         const shop_history *past, const clocks *z, const moments *m)
{
    const uint64_t end = history_before(past, who, m->until_us);
    life l = {0};
    size_t added = 0;
    if (!contacts_read(list, c, past, who, m->until_us)) return false;
    h->unit_first[who + 1] = h->unit_first[who];
    h->sent_first[who + 1] = h->sent_first[who];
    for (uint64_t i = past->first[who]; i < end; i++)
        if (is_activity(past->type[i]) &&
            !(add_messages(h, who, list, &added, past->time_us[i], z) &&
              live(h, who, &l, past->time_us[i], m->recent_us, z)))
            return false;
    if (h->by_recency) h->segment[who] = (uint8_t)segment_of(&l, m);
    return add_messages(h, who, list, &added, INT64_MAX, z);
}

/* --- all --------------------------------------------------------------------------- */

static pf_status take_segments(habits *h, const uint8_t *segments, pf_error *err)
{
    for (uint32_t s = 1; segments != NULL && s <= h->n_shoppers; s++) {
        if (segments[s] >= h->n_segments)
            return error_set(err, PF_DATA, "shopper %u is of segment %u, and there are %u", s,
                             (unsigned)segments[s], h->n_segments);
        h->segment[s] = segments[s];
    }
    return PF_OK;
}

pf_status habits_read(habits *h, const shop_catalogue *c, const shop_history *past,
                      const zone *shop_zone, const zone *const *shopper_zones, int64_t until_us,
                      const uint8_t *segments, pf_error *err)
{
    const moments m = moments_of(past, until_us);
    contacts list = {0};
    pf_status status = take_segments(h, segments, err);
    for (uint32_t s = 1; status == PF_OK && s <= h->n_shoppers; s++) {
        const zone *own = shopper_zones != NULL ? shopper_zones[s] : NULL;
        const clocks z = {shop_zone, own != NULL ? own : shop_zone};
        if (!read_shopper(h, s, &list, c, past, &z, &m))
            status = error_set(err, PF_NO_MEMORY, "out of memory for the habits of %u shoppers",
                               h->n_shoppers);
    }
    contacts_free(&list);
    return status;
}
