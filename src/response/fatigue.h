/*
 * Fatigue: the harm of one message more. How likely a message is to be the one after which a
 * shopper unsubscribes (or dismisses what he is shown), by the messages he got in the 7 and in
 * the 30 days before it; how answers fall with them; and what a shopper who can be reached is
 * worth.
 *
 *     fatigue *f;
 *     status = fatigue_fit(&f, catalogue, history, until_us, err);
 *     fatigue_counts n = fatigue_count(catalogue, history, shopper, at_us);
 *     double lost = fatigue_harm(f, n.in_7_days, n.in_30_days, CHANNEL_PUSH);
 *     cost += lost * fatigue_worth(...);       // where that is not MONEY_ABSENT
 *     fatigue_free(f);
 *
 * A row is a message that was sent (contacts.h says what one message is and which it is that an
 * unsubscribe follows: the last one of the seven days before, so that the sum of hazards is the
 * number of unsubscribes), at least seven days before until_us, to a shopper who had not
 * unsubscribed. With m7 and m30 messages sent before it,
 *
 *     log-odds = b0 + b7 log(1 + m7) + b30 log(1 + m30) + (offset of the channel)
 *
 * by Bayesian logistic regression (posterior.h). Priors, weak on purpose, in log-odds:
 *
 *     b0       unsubscribe N(logit 0.002, 1), dismissal N(logit 0.02, 1.5^2)
 *     b7, b30  N(0.25, 0.5^2): eight times the messages, 2.8 times the harm
 *     offsets  N(0, 0.5^2): few rows of a channel read like all channels
 *
 * Slopes are not below 0: one whose mode is, is held at 0 and the rest fitted again (the more
 * negative first). More messages to those who like them would otherwise read as a cure.
 *
 * Where the history has no unsubscribe at all, it cannot be told whether nobody did or nobody
 * wrote it down: the prior alone answers, and the description says "assumed".
 *
 * How answers fall: the same rows and counts; slopes are free. Those who answer are written to more
 * often, so the mean of a shopper's own log(1 + m) is held constant, which leaves what changes
 * with messages for one and the same shopper (Mundlak, "On the pooling of time series and cross
 * section data", Econometrica 46, 1978). Only a fall that is beyond chance is used.
 *
 * Nothing here is causal beyond that: who got many messages was not drawn by chance.
 *
 * Immutable once fitted, any thread may read; the same bits for the same history.
 */
#ifndef PROFFER_RESPONSE_FATIGUE_H
#define PROFFER_RESPONSE_FATIGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/status.h"
#include "shop/catalogue.h"
#include "shop/history.h"

#define FATIGUE_PRIOR_HARM 0.002
#define FATIGUE_PRIOR_DISMISSAL 0.02
enum { FATIGUE_WORTH_DAYS = 182 };

typedef struct fatigue fatigue;

/* Reads events before until_us, keeps nothing of what is given; catalogue NULL: channels and
 * campaigns come from the events alone. PF_NO_MEMORY; PF_INTERNAL as in posterior_fit. *out is
 * then NULL. */
pf_status fatigue_fit(fatigue **out, const shop_catalogue *c, const shop_history *h,
                      int64_t until_us, pf_error *err);
/* NULL is fine. */
void fatigue_free(fatigue *f);

/* Messages sent to the shopper (site promotions are not) in the 7 x 24 and 30 x 24 hours before a
 * moment. Allocates nothing. */
typedef struct fatigue_counts {
    uint32_t in_7_days, in_30_days;
} fatigue_counts;
fatigue_counts fatigue_count(const shop_catalogue *c, const shop_history *h, uint32_t who,
                             int64_t at_us);

/* The probability that one message more, by that channel, loses the shopper: at the posterior's
 * mode, above 0, not falling in either count. 0 on the site, from which nobody unsubscribes;
 * CHANNEL_NONE: the mean channel. More than 255 messages count as 255. */
double fatigue_harm(const fatigue *f, uint32_t messages_7d, uint32_t messages_30d, channel by);
/* The same of a dismissal; also on the site. */
double fatigue_dismissal(const fatigue *f, uint32_t messages_7d, uint32_t messages_30d,
                         channel by);
/* Odds of an answer over those with no message before: 1 where the data do not show that they
 * fall, never above 1. */
double fatigue_response_factor(const fatigue *f, uint32_t messages_7d, uint32_t messages_30d);

/* With the 95 % interval of the log-odds. */
typedef struct fatigue_interval {
    double value, low, high;
} fatigue_interval;
fatigue_interval fatigue_harm_interval(const fatigue *f, uint32_t messages_7d,
                                       uint32_t messages_30d, channel by);
/* b7 + b30: how log-odds grow with log(1 + messages) where all of the month's fall into the
 * week. */
fatigue_interval fatigue_harm_slope(const fatigue *f);
fatigue_interval fatigue_response_slope(const fatigue *f);
/* Whether an unsubscribe was ever seen. */
bool fatigue_is_learnt(const fatigue *f);

/* One JSON object: rows, unsubscribes and dismissals seen and used, hazards at 0, 3 and 7 messages
 * in the week with intervals, "learnt" or "assumed", slopes. */
void fatigue_describe(const fatigue *f, json_writer *w);

/* What promotions earn by a shopper who can be reached, in minor units: the margin of what was
 * bought with promotions in the FATIGUE_WORTH_DAYS before until_us, over the shoppers who were sent
 * a message in them, rounded to a whole unit. What was bought with a promotion: order lines with a
 * coupon_minor above 0; where an order has none, but a redemption within a day names it, all its
 * lines; where a redemption names no order, the lines in its promotion's scope of the 24 hours
 * from it on.
 * Purchases of shoppers who got no message do not count. It is an upper bound: some of it would
 * have been bought without. MONEY_ABSENT where nobody was sent a message or nothing was bought so
 * with a known amount. margin_rate in [0, 1], else MONEY_ABSENT. */
int64_t fatigue_worth(const shop_catalogue *c, const shop_history *h, double margin_rate,
                      int64_t until_us);

#endif
