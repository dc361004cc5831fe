/*
 * Eligibility: the rules that keep a promotion from a shopper whatever it would bring.
 * They stand in one table (eligibility_rules.c), each a function with its reason, asked
 * in order; the first that refuses is the answer. A new rule is one function and one row
 * there, and one reason in reason.h.
 *
 *     eligibility *e;
 *     eligibility_new(&e, &world, err);
 *     eligibility_turn_to(e, shopper);                  // once a shopper
 *     reason_facts why;
 *     channel_set open = eligibility_check(e, promotion, &why);
 *     // open != 0: the channels it may go out by; else why.reason says what refused it
 *     eligibility_free(e);
 *
 * One thread at a time.
 */
#ifndef PROFFER_DECIDE_ELIGIBILITY_H
#define PROFFER_DECIDE_ELIGIBILITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/calendar.h"
#include "base/status.h"
#include "decide/audience.h"
#include "decide/policy.h"
#include "decide/reason.h"
#include "message/frame.h"
#include "shop/catalogue.h"
#include "shop/history.h"

/* What the rules look at. Everything is borrowed. */
typedef struct eligibility_world {
    const policy *policy;
    const shop_catalogue *catalogue;
    const shop_history *history; /* NULL: nothing is known of the past */
    int64_t at_us;               /* when the messages would go out; the past ends here */
    const zone *zone;            /* the shop's; NULL = UTC */
    const zone *const
        *shopper_zones;        /* [shoppers + 1] or NULL; NULL inside: the shop's */
    const uint8_t *in_stock;   /* [products + 1] 1 = yes; NULL: everything is */
    const frame_set *frames;   /* NULL: words are not looked at */
    message_language language; /* where a shopper's own is not known */
    audience_lookup *lookup;   /* NULL: no rule knows anything of anybody */
    void *lookup_context;
    arena *texts; /* for texts of reasons, which live as long; NULL: they are not written */
} eligibility_world;

typedef struct eligibility eligibility;

/* Reads the promotions' audience rules: PF_DATA names the promotion and the column of a
 * wrong one. Also PF_NO_MEMORY, PF_LIMIT. */
pf_status eligibility_new(eligibility **out, const eligibility_world *world,
                          pf_error *err);
/* NULL is fine. */
void eligibility_free(eligibility *e);

/* Prepares for the promotions of one shopper, 1 .. catalogue's count. */
void eligibility_turn_to(eligibility *e, uint32_t shopper);

/* See above. Fills *why on refusal only. */
channel_set eligibility_check(eligibility *e, uint32_t promotion, reason_facts *why);

/* Memory for texts ran out since eligibility_new: some reasons lack theirs. */
bool eligibility_is_short(const eligibility *e);

/* Of the shopper turned to: */
bool eligibility_is_held_out(const eligibility *e);
/* The channels that the last check would have given but for the holdout; 0 where it was refused
 * for another reason, or not at all. */
channel_set eligibility_held_open(const eligibility *e);
message_language eligibility_language(const eligibility *e);
/* How many more messages the windows leave, over all channels and by one channel. */
uint32_t eligibility_messages_left(const eligibility *e);
uint32_t eligibility_channel_left(const eligibility *e, channel by);

/* Redemptions of a promotion so far, by anybody. */
uint32_t eligibility_redemptions(const eligibility *e, uint32_t promotion);

/* A promotion whose audience rule picked none of the shoppers turned to so far, from
 * `from` on; 0 when there is none. A rule that picks nobody is worth a warning. */
uint32_t eligibility_empty_audience(const eligibility *e, uint32_t from);

#endif
