/*
 * A policy of offers under a planned budget, and what the log says of it.
 *
 * A forecast says of each decision (member x wave) and arm what is spent and what is paid. The
 * policy takes for each the arm with the largest value less price x cost, at the shadow price
 * that decide/allocate.h finds for a cap on the mean expected cost; no offer draws on nothing,
 * an offer on what it adds to the cost of none. Off-policy figures are of evaluate/off_policy.h,
 * intervals by members.
 */
#ifndef PROFFER_BENCH_OFFERS_POLICY_H
#define PROFFER_BENCH_OFFERS_POLICY_H

#include "bench/offers_world.h"
#include "evaluate/off_policy.h"

enum { OFFERS_RUN = 2 }; /* waves that are decided with one price */

/* Decisions of OFFERS_RUN waves on end, wave by wave: n = OFFERS_RUN x members. */
typedef struct offers_log {
    int wave; /* the first */
    size_t n;
    uint32_t *arm, *member;
    double *spend, *cost, *propensity;
} offers_log;

typedef struct offers_forecast {
    size_t n;
    double *value, *cost; /* [n x OFFERS_ARMS] */
} offers_forecast;

typedef struct offers_policy {
    size_t n;
    double *target;   /* [n x OFFERS_ARMS] 1 for what is taken */
    double price;     /* spend that a dollar of cost must bring */
    double predicted; /* mean cost, of the forecast as it is */
    double share[OFFERS_ARMS];
} offers_policy;

void offers_log_make(offers_log *l, const offers_world *w, int wave);
void offers_log_free(offers_log *l);
void offers_forecast_make(offers_forecast *f, size_t n);
void offers_forecast_free(offers_forecast *f);

/* By price; by a cap on the mean cost; or one arm for all. */
void offers_policy_priced(offers_policy *p, const offers_forecast *f, double price);
void offers_policy_capped(offers_policy *p, const offers_forecast *f, double cap);
void offers_policy_single(offers_policy *p, const offers_forecast *f, uint32_t arm);
/* Without uplift, as it is often done: one offer, to those who are expected to spend most with
 * it, until the cap is reached. */
void offers_policy_spenders(offers_policy *p, const offers_forecast *f, uint32_t arm, double cap);
void offers_policy_free(offers_policy *p);

typedef enum offers_figure { OFFERS_FIGURE_SPEND, OFFERS_FIGURE_COST } offers_figure;

/* With the interval and standard error of so many replicates. */
off_policy_value offers_judge(const offers_log *l, const offers_forecast *f,
                              const offers_policy *p, offers_figure of, off_policy_estimator e,
                              unsigned replicates);
/* The standard error of SNIPS of the cost, by members, linearised: what a measured cost may pass
 * its cap by. (The interval of offers_judge is wider, since it allows for rewards too rare to
 * have been seen.) */
double offers_cost_error(const offers_log *l, const offers_policy *p);
/* Adds share x what each decision says of the policy's spend less price x cost, by SNDR: the mean
 * of these terms [n] is the estimate. What is compared where designs are chosen. */
void offers_judge_terms(const offers_log *l, const offers_forecast *f, const offers_policy *p,
                        double price, double share, double *terms);
/* Of p less that of other. */
off_policy_value offers_judge_pair(const offers_log *l, const offers_forecast *f,
                                   const offers_policy *p, const offers_policy *other,
                                   offers_figure of, off_policy_estimator e,
                                   unsigned replicates);

#endif
