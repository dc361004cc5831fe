/*
 * Policies side by side on the shop's own log: what each would have brought, against what was
 * done. A decision is one shopper at one moment with what could be sent, what was, and the chance
 * that each had (decide/explore.h); what followed is read off the shopper's events.
 *
 *     policies_choice who[3];
 *     status = policies_parse("logged,value,single:SPRING", c, who, 3, &n, err);
 *     policies_log log = {.n = n_rows, .decision = rows, .history = h, .catalogue = c};
 *     policies_options o = policies_options_default();
 *     o.until_us = h->last_time_us + 1;
 *     policies_result r;
 *     status = policies_compare(&log, who, n, &o, &r, err);
 *     policies_sentence(&r, &r.figure[1], &c->currency, &buffer);
 *         // value would bring 0.12 more a decision than what was done (0.02 to 0.23 more): better.
 *     policies_write_json(&r, &c->currency, &w, err);
 *     policies_result_free(&r);
 *
 * Rows. An action is a promotion by a channel, or none; it exists in a row where the candidate
 * is eligible, and the log may have given it no chance there: a policy that takes it then cannot
 * be judged, and is told so. What happens in [time, time + window), by default only up to the
 * shopper's next decision, is the row's: a purchase counts once, for the decision before it. Rows
 * whose window is open at until_us are left out and counted.
 *
 * Money. A row's net margin is
 *
 *     margin_rate (paid + coupons - given back) - coupons - cost of the contact
 *
 * Margins are a share of the price, and what was paid is the price less the coupon, so coupons are
 * added before the share is taken. Where no order line of the window knows a coupon, what its
 * redemptions gave counts: their own amounts, or what their promotion is worth; and where neither
 * is known the row is counted as unpriced. Revenue is what was paid less what was given back.
 *
 * Held-out shoppers. The global lottery leaves a share h without promotions before anything is
 * decided, so over both lots
 *
 *     P(none) = h + (1 - h) pi(none)          P(a) = (1 - h) pi(a)
 *
 * and their rows are rows like the others, with support for "none" that no explorer gives. For
 * that, the log must hold the chances pi that a held-out shopper's candidates would have had. If
 * any held-out row lacks them all are left out, the rest is judged by pi alone: leaving out by lot
 * favours nobody. No policy holds anybody out, `logged` neither: it is pi. (Who is held out was so
 * before; where promotions work slowly, a mixture of rows is a mixture of pasts.)
 *
 * Estimates and intervals: evaluate/off_policy.h, the same draws of shoppers for all policies. Its
 * reward model reads six features of before the decision (policies_features.c).
 *
 * Verdicts are tested together (Holm, Scandinavian Journal of Statistics 6, 1979): of twenty
 * policies that are worth the same, one has an interval above zero. Where the log says too little
 * of a policy there is no figure at all in sentence or JSON, but why, and what to do.
 *
 * Everything is borrowed for the call. Any thread.
 */
#ifndef PROFFER_EVALUATE_POLICIES_H
#define PROFFER_EVALUATE_POLICIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/status.h"
#include "evaluate/off_policy.h"
#include "shop/catalogue.h"
#include "shop/history.h"

/* ---- the log ---- */

/* Of one shopper at one moment: a promotion by a channel. Amounts in minor units, as the journal
 * (decide/journal.h) has them: expectations. */
typedef struct policies_candidate {
    uint32_t promotion; /* number, 1.. */
    channel channel;
    bool eligible; /* could have been sent by the shop's rules; else it is no action here */
    double p_redeem, spend_minor, gain_minor, cost_minor, value_minor;
    double lift;          /* what sending it adds, in whatever unit is ranked; NaN: not known */
    double contact_minor; /* what the contact alone costs */
    double propensity;    /* pi, 0 .. 1, had the shopper not been held out; NaN: not in the log */
} policies_candidate;

#define POLICIES_NONE SIZE_MAX

typedef struct policies_decision {
    uint32_t shopper;
    int64_t time_us;
    bool holdout; /* by the global lottery: nothing was taken */
    const policies_candidate *candidate;
    size_t n_candidates; /* 0: nothing could be sent */
    size_t taken;        /* a candidate, or POLICIES_NONE */
    double propensity;   /* pi of what was taken; NaN: not in the log. Holdout: not read */
    const char *version; /* of the policy that decided; NULL: not known */
} policies_decision;

/* In any order; one decision of a shopper a moment. */
typedef struct policies_log {
    size_t n;
    const policies_decision *decision;
    const shop_history *history;
    const shop_catalogue *catalogue; /* what promotions are worth, names; NULL: not known */
} policies_log;

/* ---- policies ---- */

enum { POLICIES_NAME_BYTES = LIMIT_ID_BYTES + 16 };

struct policies_kind;

/* One policy: a kind of the table in policies_names.c and its parameter. A value. */
typedef struct policies_choice {
    char name[POLICIES_NAME_BYTES];
    const struct policies_kind *kind;
    double number;      /* of value@PRICE and softmax:T */
    uint32_t promotion; /* of single:ID */
} policies_choice;

/*
 *     logged       as the log was decided
 *     nothing      nobody gets anything
 *     random       each eligible candidate and none with the same chance
 *     single:ID    that promotion where it is eligible (by the channel of most value), else none
 *     best-single  the promotion that did best for one half of the shoppers, judged on the other
 *     value gain p_redeem lift      the most of it, where above 0, else none
 *     value@PRICE  the most of value - PRICE x cost: PRICE is a budget's shadow price
 *     softmax:T    chances in proportion to exp(value / T), none's value 0; T in minor units
 *
 * Names parted by commas into out [room], n of them. PF_USAGE: a word that is none (with the
 * nearest and the list), a parameter that is none, one named twice, none, or more than room;
 * PF_NOT_FOUND: a promotion that the catalogue does not have. */
pf_status policies_parse(const char *names, const shop_catalogue *c, policies_choice *out,
                         size_t room, size_t *n, pf_error *err);
/* "logged, nothing, random, single:ID, ..."; static text. */
const char *policies_names(void);

/* ---- the comparison ---- */

typedef enum policies_reward {
    POLICIES_NET,
    POLICIES_REVENUE,
    POLICIES_REDEMPTIONS,
    POLICIES_CLICKS,
    POLICIES_BUYERS, /* 1 or 0 */
    POLICIES_REWARDS
} policies_reward;
/* "net_margin", "revenue", ...; static text. POLICIES_REWARDS when it is no such word. */
const char *policies_reward_name(policies_reward r);
policies_reward policies_reward_parse(const char *word);

typedef struct policies_options {
    policies_reward reward;
    double margin_rate;    /* of NET: share of the price, 0 .. 1 */
    int64_t window_us;     /* above 0 */
    bool to_next_decision; /* a window ends there at the latest */
    int64_t until_us;      /* the first moment that the events do not know */
    double holdout_share;  /* h of the global lottery, 0 .. below 1; 0: held-out rows left out */
    bool only_possible;    /* policies choose among what had a chance: others than they would be
                              alone, but judged; said in every sentence */
    off_policy_plan plan;
} policies_options;

/* Net margin at 25 %, 28 days, to the next decision, h = 0; until_us is to be set. DR, not the
 * plan's own default: on shops like tests/evaluate/policies_world.h, 400 of them, 95 % intervals of
 * DR held values and differences in 95.5 and 95.9 % of cases, those of the default in 92.3 and
 * 90.0 %: what it leaves out it takes from one side of a difference. */
policies_options policies_options_default(void);

typedef enum policies_basis {
    POLICIES_BY_LOT,        /* chance decided, and the log says how */
    POLICIES_BY_OBSERVATION /* nothing was randomised: chances are estimated (policies_past.h) */
} policies_basis;

typedef enum policies_word {
    POLICIES_REFERENCE, /* `logged` itself */
    POLICIES_BETTER,
    POLICIES_WORSE,
    POLICIES_NOT_KNOWN,
    POLICIES_NO_SUPPORT, /* too little of the log speaks of it: no figure; `why` says it */
    POLICIES_REFUSED     /* it cannot be judged at all; `why` says it */
} policies_word;
/* "better", ...; static text. */
const char *policies_word_name(policies_word w);

typedef struct policies_figure {
    char name[POLICIES_NAME_BYTES];
    policies_word word;
    char why[512];               /* of NO_SUPPORT and REFUSED, else "" */
    off_policy_value value;      /* a decision; not to be shown with NO_SUPPORT */
    off_policy_value difference; /* less `logged`; the support is the weaker one's */
    double p;                    /* of the difference, by Holm among all that are judged */
    double cost_minor; /* expected by the log's own figures, a decision; NaN: not known */
    double treated;    /* share of decisions in which something is sent */
    uint32_t picked[2];        /* best-single: by each half's other half; else 0 */
} policies_figure;

enum { POLICIES_MAX = OFF_POLICY_COMPARED_MAX - 1 };

typedef struct policies_counts {
    size_t decisions; /* in the log */
    size_t compared;  /* n of all figures */
    size_t shoppers;  /* of them */
    size_t waiting;   /* left out: window not over */
    size_t held_out;  /* compared, of the holdout */
    size_t held_out_unknown; /* left out: of the holdout, without chances */
    size_t cut;        /* compared, whose window ended at the next decision */
    size_t unpriced;   /* compared, with lines or redemptions whose amounts nobody knows */
    size_t overlap;    /* left out: chance of being sent too near to 0 or 1 (policies_past.h) */
    uint32_t actions;  /* none among them */
    uint32_t versions; /* of policies that decided */
} policies_counts;

typedef struct policies_result {
    policies_basis basis;
    bool in_scope; /* of policies_past.h: only what the campaign covers counts */
    policies_options options;
    policies_counts counts;
    double observed; /* mean reward of the compared rows as they were */
    policies_figure *figure; /* owned; in the order asked for */
    size_t n_figures;
    const shop_catalogue *catalogue; /* borrowed: ids of what was picked; NULL: numbers */
} policies_result;

/* `logged` is the reference whether it was asked for or not. One policy that cannot be judged does
 * not stop the others: its figure says why. The whole fails, each with what to do, as
 *   PF_USAGE  options out of range
 *   PF_DATA   no decisions; no window over yet; propensities that are missing, out of range, not
 *             summing to one or not what the candidates say; nothing explored (all are 1); a
 *             holdout share that the log's own does not fit; two decisions of a shopper at a
 *             moment; a candidate twice; a number that is none; all rewards equal
 *   PF_LIMIT  more than LIMIT_POLICY_ACTIONS actions, or LIMIT_POLICY_CELLS of rows x actions x
 *             policies
 *   PF_NO_MEMORY
 * *out is then empty. */
pf_status policies_compare(const policies_log *log, const policies_choice *policies, size_t n,
                           const policies_options *o, policies_result *out, pf_error *err);
/* Empty is fine. */
void policies_result_free(policies_result *r);

/* One figure in words; the currency's code may be empty. */
void policies_sentence(const policies_result *r, const policies_figure *f, const currency *money,
                       buffer *into);
/* What was left out and what blurs all figures, in sentences; nothing where nothing does. */
void policies_notes(const policies_result *r, buffer *into);
/* One JSON object with everything, sentences included; figures without support stand under
 * "not_to_be_used". PF_NO_MEMORY. */
pf_status policies_write_json(const policies_result *r, const currency *money, json_writer *w,
                              pf_error *err);

#endif
