/*
 * A shopper's candidates as JSON: what a decision's log keeps, so that the reasons can be
 * told later as they were then. Promotions are named by id, reasons and caps by code, so
 * that a log outlives the numbers of one catalogue.
 *
 *     [{"promotion": "26/511", "channel": "mail", "p_redeem": 0.08, "spend": 412.5,
 *       "gain": 8.2, "cost": 21.4, "value": -13.2, "reason": "value_below_zero"}, ...]
 *
 * Expectations are numbers of minor units; members that a reason does not speak of are left
 * out: lift, propensity (0 where absent; that of none is what is missing to one), fatigue, net,
 * variant, cap, cap_promotion, cap_channel, price, more, other, limit, seen, days, tag, time,
 * early, from, until, channels, wants, has, lever, needed, actual.
 */
#ifndef PROFFER_DECIDE_JOURNAL_H
#define PROFFER_DECIDE_JOURNAL_H

#include "base/arena.h"
#include "base/json.h"
#include "decide/decide.h"

/* One value: the array of all candidates of a shopper. */
void journal_write_candidates(const decide_result *r, const shop_catalogue *c,
                              const decide_shopper *s, json_writer *w);

typedef struct journal_candidate {
    const char *promotion_id;
    decide_outcome outcome; /* shopper 0 */
} journal_candidate;

/* Reads an array written by journal_write_candidates into the arena. A promotion that the
 * catalogue no longer has gets number 0 and keeps its id. PF_DATA for what is no such
 * array; PF_NO_MEMORY. */
pf_status journal_read_candidates(const char *json, size_t n, const shop_catalogue *c,
                                  arena *memory, journal_candidate **out, size_t *n_out,
                                  pf_error *err);

#endif
