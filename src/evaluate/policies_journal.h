/*
 * From a decision's journal (decide/journal.h) to a row of policies.h: what could have been sent,
 * what was, and what sending it costs.
 *
 *     policies_candidate *k = ...;                         // [n], the caller's
 *     const policies_logged logged = {.shopper = r->shopper, .promotion = r->promotion, ...};
 *     status = policies_from_journal(&logged, journal, n, propensity, &policy, c, k, &row, err);
 */
#ifndef PROFFER_EVALUATE_POLICIES_JOURNAL_H
#define PROFFER_EVALUATE_POLICIES_JOURNAL_H

#include "decide/journal.h"
#include "decide/policy.h"
#include "evaluate/policies.h"

/* What of a logged decision is not in its journal. */
typedef struct policies_logged {
    uint32_t shopper;
    int64_t time_us;    /* from which on what followed counts */
    uint32_t promotion; /* that was sent; 0: none */
    channel channel;
    double propensity;  /* of that; NaN: not in the log */
    bool holdout;
    const char *version; /* borrowed */
} policies_logged;

/* Whether a candidate with this reason could have been sent by the shop's rules. */
bool policies_could_be_sent(decide_reason reason);

/* journal [n] -> out [n] and *row, which points at out. propensity [n] of the candidates, NaN where
 * one has none; NULL: none has. Promotions that the catalogue no longer has are left out of the
 * row, unless one was sent or had a chance. p says what a contact costs by a channel, where a
 * promotion has no cost of its own. PF_DATA with what to do: what was sent is no candidate, or is
 * no longer in the catalogue; more than one was sent, so that no propensity is of one alone. */
pf_status policies_from_journal(const policies_logged *logged, const journal_candidate *journal,
                                size_t n, const double *propensity, const policy *p,
                                const shop_catalogue *c, policies_candidate *out,
                                policies_decision *row, pf_error *err);

#endif
