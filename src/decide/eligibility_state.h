/* What the eligibility rules look at, worked out beforehand: for eligibility.c, which
 * fills it, and eligibility_rules.c, which reads it. */
#ifndef PROFFER_DECIDE_ELIGIBILITY_STATE_H
#define PROFFER_DECIDE_ELIGIBILITY_STATE_H

#include "base/intern.h"
#include "decide/eligibility.h"

/* Windows of exposure caps. */
enum { WINDOW_DAY, WINDOW_WEEK, WINDOW_MONTH, WINDOW_COUNT };

/* Messages of a shopper in the windows that end with the local day of sending. */
typedef struct past_messages {
    uint32_t in[WINDOW_COUNT];
} past_messages;

enum { ANSWER_NOT_ASKED = 3 }; /* beside audience_answer's values */

/* Why a rule did not pick the shopper, in words; `wants` is kept for the next shopper. */
typedef struct rule_blame {
    const char *wants, *has;
    uint32_t step;
    bool should_hold;
} rule_blame;

struct eligibility {
    eligibility_world world;

    /* by promotion, [P + 1] */
    uint8_t *stocked;
    uint32_t *redeemed; /* in all */
    uint32_t *rule_of;  /* number of its audience rule; 0 = none */
    uint32_t *tagged;   /* bit t: it has the policy's t-th capped tag */
    uint32_t tag_number[POLICY_TAGS_MAX]; /* of capped tags, in the catalogue */

    /* by audience rule, [R + 1]; promotions with the same words share one */
    intern *rule_texts;
    audience_rule **rules;
    uint32_t n_rules;
    uint32_t *picked; /* shoppers it picked */
    rule_blame *blames;
    bool is_short; /* of memory for texts */

    /* of the shopper turned to */
    uint32_t shopper;
    bool known, held_out;
    channel_set held_open; /* of the last check */
    message_language language;
    channel_set refused, given;
    past_messages total, by[CHANNEL_COUNT], about[POLICY_TAGS_MAX];
    /* From when on there is room, TIME_ABSENT where nobody asked yet: over all, by channel, of
     * capped tags. */
    int64_t room_from[1 + CHANNEL_COUNT + POLICY_TAGS_MAX];
    uint8_t *answers;  /* [R + 1] audience_answer, or ANSWER_NOT_ASKED */
    uint32_t *own;     /* [P + 1] redemptions by this shopper; reset by `touched` */
    uint32_t *touched; /* [P + 1] */
    uint32_t n_touched;

    /* midnights that start the windows, in the zone of the last shopper */
    const zone *window_zone;
    bool windows_known;
    int64_t window_starts_us[WINDOW_COUNT];
};

/* The audience answer for the shopper turned to, asked once. */
audience_answer eligibility_audience(eligibility *e, uint32_t rule);
/* The most restrictive window: how many are left, and its numbers in *why where asked. */
uint32_t eligibility_left(const policy_window *caps, const past_messages *past,
                          reason_facts *why);

/* Which messages a window counts: by one channel, or about one of the policy's capped tags, or
 * all. */
typedef struct past_filter {
    int by, tag; /* -1: any */
} past_filter;

/* From when on there is room in the windows again if nothing else is sent; at_us where there is
 * room now. Worked out once for a shopper. */
int64_t eligibility_room_from(eligibility *e, past_filter counted);

/* The table of rules; 0 and why->reason when one refuses. */
channel_set eligibility_run_rules(eligibility *e, const promotion *p, uint32_t number,
                                  reason_facts *why);

#endif
