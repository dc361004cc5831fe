/* One pass over a shopper's rows; every event that may follow a message looks back for it. */
#include "response/contacts.h"

#include "base/clock.h"
#include "base/memory.h"

bool contact_is_sent(uint8_t by)
{
    return by != CHANNEL_SITE;
}

uint8_t contact_channel(const shop_catalogue *c, const shop_history *h, uint64_t i)
{
    const uint32_t number = h->promotion[i];
    if (h->channel[i] > CHANNEL_NONE && h->channel[i] < CHANNEL_COUNT) return h->channel[i];
    if (c == NULL || number == 0 || number > c->n_promotions) return CHANNEL_NONE;
    for (uint8_t by = CHANNEL_NONE + 1; by < CHANNEL_COUNT; by++)
        if (c->promotions[number].channels == 1u << by) return by;
    return CHANNEL_NONE;
}

static uint32_t campaign_of(const shop_catalogue *c, const shop_history *h, uint64_t i)
{
    const uint32_t number = h->promotion[i];
    if (h->campaign[i] != 0 || c == NULL || number > c->n_promotions) return h->campaign[i];
    return c->promotions[number].campaign;
}

/* What a message must be like to be followed by an event. */
typedef struct wanted {
    int64_t from_us;
    uint32_t campaign; /* 0: any */
    uint8_t channel;   /* CHANNEL_NONE: any */
    bool sent;         /* not on the site */
} wanted;

/* The latest such message, or NULL. */
static contact *look_back(contacts *list, const wanted *w)
{
    for (size_t k = list->n; k-- > 0;) {
        contact *m = &list->item[k];
        if (m->time_us < w->from_us) return NULL;
        if (w->campaign != 0 && m->campaign != w->campaign) continue;
        if (w->channel != CHANNEL_NONE && m->channel != CHANNEL_NONE && m->channel != w->channel)
            continue;
        if (!w->sent || contact_is_sent(m->channel)) return m;
    }
    return NULL;
}

static uint8_t said_channel(const shop_history *h, uint64_t i)
{
    return h->channel[i] < CHANNEL_COUNT ? h->channel[i] : CHANNEL_NONE;
}

static void read_answer(contacts *list, const shop_catalogue *c, const shop_history *h,
                        uint64_t i)
{
    const int64_t at_us = h->time_us[i];
    wanted w = {.from_us = at_us - CONTACT_CAMPAIGN_DAYS * US_PER_DAY,
                .campaign = campaign_of(c, h, i),
                .channel = said_channel(h, i)};
    if (h->type[i] != EVENT_CLICK && h->type[i] != EVENT_REDEMPTION)
        w = (wanted){.from_us = at_us - CONTACT_FOLLOW_HOURS * US_PER_HOUR, .sent = true};
    else if (w.campaign == 0)
        w.from_us = at_us - CONTACT_DAYS * US_PER_DAY;
    contact *m = look_back(list, &w);
    if (m == NULL || m->answered) return;
    m->answered = true;
    m->answer = i;
}

static bool read_exposure(contacts *list, const shop_catalogue *c, const shop_history *h,
                          uint64_t i, channel_set left)
{
    const contact now = {.time_us = h->time_us[i],
                         .campaign = campaign_of(c, h, i),
                         .channel = contact_channel(c, h, i),
                         .after_unsubscribe =
                             (left & (1u << contact_channel(c, h, i) | 1u << CHANNEL_NONE)) != 0};
    for (size_t k = list->n; k-- > 0 && list->item[k].time_us == now.time_us;)
        if (list->item[k].campaign == now.campaign && list->item[k].channel == now.channel)
            return true;
    void *block = list->item;
    const bool ok = mem_reserve(&block, &list->capacity, list->n + 1, sizeof *list->item);
    list->item = block;
    if (ok) list->item[list->n++] = now;
    return ok;
}

/* An unsubscribe, or a dismissal. */
static contact *tired_of(contacts *list, const shop_history *h, uint64_t i)
{
    const wanted w = {.from_us = h->time_us[i] - CONTACT_DAYS * US_PER_DAY,
                      .channel = said_channel(h, i),
                      .sent = h->type[i] == EVENT_UNSUBSCRIBE};
    return look_back(list, &w);
}

static bool read_row(contacts *list, const shop_catalogue *c, const shop_history *h, uint64_t i,
                     channel_set *left)
{
    contact *m = NULL;
    switch (h->type[i]) {
    case EVENT_EXPOSURE: return read_exposure(list, c, h, i, *left);
    case EVENT_CLICK:
    case EVENT_VIEW:
    case EVENT_ADD_TO_CART:
    case EVENT_PURCHASE:
    case EVENT_REDEMPTION: read_answer(list, c, h, i); break;
    case EVENT_UNSUBSCRIBE:
        m = tired_of(list, h, i);
        if (m != NULL) m->unsubscribed = true;
        *left |= 1u << said_channel(h, i);
        break;
    case EVENT_DISMISSAL:
        m = tired_of(list, h, i);
        if (m != NULL) m->dismissed = true;
        break;
    default: break;
    }
    return true;
}

bool contacts_read(contacts *into, const shop_catalogue *c, const shop_history *h,
                   uint32_t who, int64_t until_us)
{
    const uint64_t end = history_before(h, who, until_us);
    channel_set left = 0;
    bool ok = true;
    into->n = 0;
    for (uint64_t i = h->first[who]; ok && i < end; i++)
        ok = read_row(into, c, h, i, &left);
    return ok;
}

/* Whether an earlier row of its instant is the same message. */
static bool is_counted(const shop_catalogue *c, const shop_history *h, uint64_t from, uint64_t i)
{
    for (uint64_t k = i; k-- > from && h->time_us[k] == h->time_us[i];)
        if (h->type[k] == EVENT_EXPOSURE && campaign_of(c, h, k) == campaign_of(c, h, i) &&
            contact_channel(c, h, k) == contact_channel(c, h, i))
            return true;
    return false;
}

contact_counts contacts_count(const shop_catalogue *c, const shop_history *h, uint32_t who,
                              int64_t at_us)
{
    const int64_t month_us = CONTACT_MONTH_DAYS * US_PER_DAY;
    const int64_t from_us = at_us < INT64_MIN + month_us ? INT64_MIN : at_us - month_us;
    const uint64_t from = history_before(h, who, from_us), end = history_before(h, who, at_us);
    contact_counts n = {0};
    for (uint64_t i = from; i < end; i++) {
        if (h->type[i] != EVENT_EXPOSURE || !contact_is_sent(contact_channel(c, h, i)) ||
            is_counted(c, h, from, i))
            continue;
        n.in_30_days++;
        n.in_7_days += h->time_us[i] >= at_us - CONTACT_DAYS * US_PER_DAY;
    }
    return n;
}

void contacts_free(contacts *c)
{
    mem_free(c->item);
    *c = (contacts){0};
}
