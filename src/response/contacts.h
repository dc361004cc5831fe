/*
 * The messages a shopper got, and what followed each: what habits.h and fatigue.h learn from.
 * Private to this room.
 *
 * One message is all exposures of one instant, channel and campaign. An exposure without a
 * channel has its promotion's where that is the only one. What follows is given to one message
 * at most, so that answers and losses add up:
 *
 *   answered      by a click or a redemption: the latest message before it of its channel where
 *                 the event says one; of its campaign within CONTACT_CAMPAIGN_DAYS where it says
 *                 one, else of any within CONTACT_DAYS. By a view, a cart or a purchase: the
 *                 latest message within CONTACT_FOLLOW_HOURS that was sent (not seen on the
 *                 site, where whoever looks at a promotion is already there).
 *   unsubscribed, dismissed
 *                 the latest message within CONTACT_DAYS, of its channel where the event says
 *                 one. A promotion shown on the site is dismissed there, but nobody unsubscribes
 *                 from a site.
 */
#ifndef PROFFER_RESPONSE_CONTACTS_H
#define PROFFER_RESPONSE_CONTACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shop/catalogue.h"
#include "shop/history.h"

enum {
    CONTACT_DAYS = 7,
    CONTACT_MONTH_DAYS = 30,
    CONTACT_CAMPAIGN_DAYS = 91,
    CONTACT_FOLLOW_HOURS = 24
};

typedef struct contact {
    int64_t time_us;
    uint64_t answer; /* row of the first event that answered; has a meaning where answered */
    uint32_t campaign;
    uint8_t channel; /* CHANNEL_NONE: not known */
    bool answered, unsubscribed, dismissed;
    bool after_unsubscribe; /* sent although this channel, or all, had been unsubscribed from */
} contact;

typedef struct contacts {
    contact *item; /* by time */
    size_t n, capacity;
} contacts;

/* Replaces the content with what the shopper's events before until_us say; begin with {0}.
 * catalogue NULL: channels of promotions are not known. false: out of memory. */
bool contacts_read(contacts *into, const shop_catalogue *c, const shop_history *h,
                   uint32_t who, int64_t until_us);
void contacts_free(contacts *c);

/* Messages sent to the shopper in the CONTACT_DAYS and in the CONTACT_MONTH_DAYS before a moment.
 * Allocates nothing. */
typedef struct contact_counts {
    uint32_t in_7_days, in_30_days;
} contact_counts;
contact_counts contacts_count(const shop_catalogue *c, const shop_history *h, uint32_t who,
                              int64_t at_us);

/* Whether a message of that channel is one that reaches out to the shopper, and may tire. */
bool contact_is_sent(uint8_t by);
/* The channel of an exposure: row i. */
uint8_t contact_channel(const shop_catalogue *c, const shop_history *h, uint64_t i);

#endif
