/*
 * What promotions changed: an experiment on a workspace's own past. Some shoppers were left
 * without promotions by lot (the holdout), the others were treated; what the two did in the
 * same time after they were assigned is compared, each shopper one row.
 *
 *     experiment_member *who;
 *     status = experiment_assign_by_hash(c, h, salt, .1, starts_us, &who, &n, err);
 *     experiment_plan plan = experiment_plan_default();
 *     plan.until_us = now;
 *     experiment_result r;
 *     status = experiment_measure(h, &plan, who, n, &r, err);
 *     experiment_sentence(&r, &c->currency, &buffer);
 *         // With promotions 4.1 % bought, without 3.8 %: +0.3 points (−0.1 to +0.7): not known
 *         // yet; 12,000 more shoppers would tell.
 *
 * Who was assigned counts, whether the promotion reached him or not (intention to treat): who
 * is reached is no lot. Shoppers count when their window is over, so outcomes are complete and
 * a look in between is a look at fewer shoppers, not at half outcomes.
 *
 * The verdict rests on one figure, named before. All others (guardrails and what shoppers say
 * of it: unsubscribes, dismissals, returns, ratings) are tested together by Holm's method.
 * Arms whose sizes are not those that were planned (p < EXPERIMENT_MISMATCH_P, the threshold
 * of Fabijan et al., KDD 2019) get no verdict and no figures at all.
 *
 * Formulas: measure/difference.h, measure/sequential.h. Nothing is written; any thread.
 */
#ifndef PROFFER_EVALUATE_EXPERIMENT_H
#define PROFFER_EVALUATE_EXPERIMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/money.h"
#include "base/status.h"
#include "measure/difference.h"
#include "shop/catalogue.h"
#include "shop/history.h"

typedef enum experiment_arm {
    EXPERIMENT_CONTROL, /* held out */
    EXPERIMENT_TREATED,
    EXPERIMENT_ARMS
} experiment_arm;

/* ---- who is in which arm ---- */

typedef struct experiment_member {
    uint32_t shopper;
    experiment_arm arm;
    int64_t since_us; /* when assigned */
} experiment_member;

/* Everyone by the holdout's own hash (decide/holdout.h): those who exist and were known
 * (had an event) before the start. *out in order of shopper, freed with mem_free; NULL and 0
 * where there are none. PF_USAGE for a share outside (0, 1); PF_NO_MEMORY. For one campaign the
 * salt is holdout_campaign_salt (decide/holdout.h). */
pf_status experiment_assign_by_hash(const shop_catalogue *c, const shop_history *h,
                                    const char *salt, double control_share, int64_t starts_us,
                                    experiment_member **out, size_t *n_out, pf_error *err);

/* One logged decision. */
typedef struct experiment_logged {
    uint32_t shopper;
    bool holdout;
    int64_t time_us;
} experiment_logged;

/* As it was logged, in any order: a shopper's first decision from starts_us on says arm and
 * moment. crossed: shoppers who stood in the other arm later (a salt or share was changed); they
 * stay in their first. PF_NO_MEMORY. */
pf_status experiment_assign_by_log(const experiment_logged *log, size_t n, int64_t starts_us,
                                   experiment_member **out, size_t *n_out, uint64_t *crossed,
                                   pf_error *err);

/* ---- what is measured ---- */

typedef enum experiment_metric {
    EXPERIMENT_BUYERS,       /* share of shoppers who bought */
    EXPERIMENT_REVENUE,      /* paid less given back, minor units a shopper */
    EXPERIMENT_RESPONSES,    /* share who clicked on or redeemed a promotion */
    EXPERIMENT_UNSUBSCRIBES, /* share who unsubscribed */
    EXPERIMENT_DISMISSALS,   /* share who dismissed a promotion */
    EXPERIMENT_RETURNS,      /* order lines given back, a line bought */
    EXPERIMENT_RATING,       /* stars a rating */
    EXPERIMENT_METRICS
} experiment_metric;

typedef enum experiment_role {
    EXPERIMENT_PRIMARY,
    EXPERIMENT_SECONDARY,
    EXPERIMENT_GUARDRAIL
} experiment_role;

typedef enum experiment_looks {
    EXPERIMENT_ONCE,    /* at an end fixed before the start */
    EXPERIMENT_ANY_TIME /* whenever one likes; shoppers joined one after another */
} experiment_looks;

typedef struct experiment_plan {
    experiment_metric primary; /* BUYERS or REVENUE */
    double share[EXPERIMENT_ARMS]; /* planned, sum 1 */
    int64_t window_us;         /* outcomes count in [since, since + window) */
    int64_t before_us;         /* and are adjusted by [since - before, since); 0: not at all */
    int64_t until_us;          /* now */
    uint32_t campaign;         /* whose exposures and responses; 0: all */
    double alpha;
    experiment_looks looks;
    double planned; /* shoppers of both arms for which ANY_TIME is tightest; ONCE: not read */
    uint64_t crossed; /* from experiment_assign_by_log */
} experiment_plan;

/* Buyers, .1 and .9, 28 days after 28 days, alpha .05, once; until_us is to be set. */
experiment_plan experiment_plan_default(void);

typedef enum experiment_word {
    EXPERIMENT_NOT_KNOWN,
    EXPERIMENT_BETTER,
    EXPERIMENT_WORSE,
    EXPERIMENT_NO_DATA, /* `why` says what is missing */
    EXPERIMENT_WITHHELD /* of a verdict: the arms are not what they should be */
} experiment_word;

typedef struct experiment_figure {
    experiment_metric metric;
    experiment_role role;
    double value[EXPERIMENT_ARMS];                            /* as counted */
    double low[EXPERIMENT_ARMS], high[EXPERIMENT_ARMS]; /* of shares (Wilson), else NaN */
    difference difference; /* first: treated, second: control, after adjustment; low, high and
                              p as the plan's looks ask */
    double explained;      /* share of the variance that the time before took away */
    double p;              /* of the difference among the others, by Holm; primary: alone */
    experiment_word word;
    double more; /* shoppers of both arms still needed to tell a difference of this size with
                    probability .8; NaN where it is told, or none could be named */
    char why[512];
} experiment_figure;

typedef struct experiment_group {
    uint64_t members, waiting, shoppers; /* assigned; whose window is open; measured */
    uint64_t exposed;                    /* of the measured, in their window */
    uint64_t responses;                  /* clicks and redemptions */
    double revenue_minor;                /* of all */
    uint64_t unpriced; /* order lines without an amount, which count as 0 */
} experiment_group;

#define EXPERIMENT_MISMATCH_P 0.001

typedef struct experiment_result {
    experiment_plan plan;
    experiment_group group[EXPERIMENT_ARMS];
    sample_ratio ratio;
    bool mismatch;         /* n_figures is 0, the verdict withheld */
    uint64_t contaminated; /* control shoppers who were exposed all the same */
    experiment_figure figure[EXPERIMENT_METRICS]; /* the primary first */
    size_t n_figures;
    experiment_word verdict; /* better: the primary is, and no guardrail worse */
} experiment_result;

/* NULL, or what is wrong with the plan and what it should be (static text). */
const char *experiment_check_plan(const experiment_plan *p);

/* members in order of shopper, each once. PF_USAGE: a wrong plan or order; PF_DATA: an arm in
 * which nobody can be measured. */
pf_status experiment_measure(const shop_history *h, const experiment_plan *plan,
                             const experiment_member *members, size_t n, experiment_result *out,
                             pf_error *err);

/* ---- before the start ---- */

typedef struct experiment_foresight {
    experiment_metric metric; /* the plan's primary */
    uint64_t shoppers;        /* of both arms, measured over their last window */
    double mean, deviation;   /* of the primary, a shopper */
    double explained;         /* share of its variance that the time before takes away */
    double least;             /* difference that these shoppers would show */
    double change, needed;    /* shoppers of both arms that would show the change asked for */
} experiment_foresight;

/* What an experiment under this plan could tell, learnt from members whose windows are over and
 * who were treated alike (arms are not looked at; since = until - window for the last one).
 * power: probability of telling, within (0, 1), such as .8; change: not 0, in the primary's unit
 * (.005 = half a point of buyers; minor units of revenue). With ANY_TIME the shoppers needed are
 * what to plan for; plan->planned is not read. PF_USAGE, PF_DATA as experiment_measure. */
pf_status experiment_foresee(const shop_history *h, const experiment_plan *plan,
                             const experiment_member *members, size_t n, double change,
                             double power, experiment_foresight *out, pf_error *err);

/* "Of 4,310 shoppers 3.8 % bought in 28 days. An experiment on as many would show a difference
 * of 1.6 points or more; for 0.5 points 46,000 shoppers are needed." */
void experiment_foresight_sentence(const experiment_foresight *f, const experiment_plan *plan,
                                   const currency *money, buffer *into);

/* "buyers", "better", ...; static text. */
const char *experiment_metric_name(experiment_metric m);
const char *experiment_word_name(experiment_word w);

/* Appends what a marketer reads: the verdict, guardrails that are worse, what blurs it. The
 * currency's code may be empty. */
void experiment_sentence(const experiment_result *r, const currency *money, buffer *into);
/* One JSON object with everything, the sentence included. PF_NO_MEMORY. */
pf_status experiment_write_json(const experiment_result *r, const currency *money,
                                json_writer *w, pf_error *err);

#endif
