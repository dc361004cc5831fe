/*
 * One run of decide_run, passed from step to step: candidates.c makes options of scores,
 * caps.c says what they draw on, decide.c allocates, verdict.c gives every outcome its
 * reason.
 */
#ifndef PROFFER_DECIDE_RUN_H
#define PROFFER_DECIDE_RUN_H

#include "decide/allocate.h"
#include "decide/allocate_margin.h"
#include "decide/decide.h"
#include "decide/eligibility.h"
#include "decide/value.h"

/* What an option's value is made of. */
typedef struct run_terms {
    double spend_minor, lift_minor, contact_minor, discount_minor, fatigue_minor;
    double p_click, p_convert;
    int64_t send_at_us;
    bool lift_known;
    uint8_t channel;
} run_terms;

/* A way to treat a shopper: an outcome by one channel. Arrays are [n]. */
typedef struct run_options {
    size_t n;
    double *value, *cost, *redemptions;
    uint32_t *arm, *group;
    size_t *outcome;
    run_terms *terms;
    double *propensity; /* [n] once allocated: 1 or 0, or what exploration gave it */
    size_t capacity[7]; /* of the arrays but the last, in this order */
} run_options;

/* What every option of a promotion by a channel draws on. */
typedef struct run_caps {
    uint32_t *arm_of; /* [(P + 1) * CHANNEL_COUNT] number + 1 of the arm; 0 = none yet */
    uint32_t n_arms;
    uint32_t *promotion; /* [A] of an arm */
    uint8_t *lane;       /* [A] channel of an arm */
    size_t capacity[2];
    uint32_t *arm_first, *arm_caps;
    allocate_cap *caps; /* [n_caps] of the result */
} run_caps;

typedef struct decision_run {
    const decide_inputs *in;
    decide_result *r;
    eligibility *e;
    run_options options;
    run_caps caps;
    uint32_t *group_of; /* [P + 1] stacking group; a promotion without one is alone */
    /* by entry of r->shoppers */
    size_t *first;       /* [n + 1] first option */
    uint8_t *picks;      /* [n] */
    uint8_t *lane_picks; /* [n * CHANNEL_COUNT] */
    uint32_t *lot;       /* [n] draw that was taken; NULL where nothing is explored */
    allocate_result answer;
} decision_run;

/* Fills shoppers and outcomes of the result, and the options. */
pf_status run_make_candidates(decision_run *run, pf_error *err);
/* The number of the arm of a promotion by a channel, made on first use; UINT32_MAX when
 * memory is short. */
uint32_t run_arm(decision_run *run, uint32_t promotion, channel by);
/* Fills the caps of run and result. PF_NO_MEMORY. */
pf_status run_make_caps(decision_run *run, pf_error *err);
/* What option o takes of cap m: minor units, redemptions expected, or one message. */
double run_draws_on(const decision_run *run, uint32_t m, size_t o);
/* No cap that it draws on is too small for it alone. */
bool run_fits_alone(const decision_run *run, size_t o);
/* The problem that the options and caps make; borrows from run. */
allocate_problem run_problem(const decision_run *run);
/* Gain and value of option o under draw d (UINT32_MAX: on average). */
typedef struct run_worth {
    double gain, value;
} run_worth;
run_worth run_worth_under(const decision_run *run, size_t o, uint32_t d);
/* The same before it is filed, of a promotion by its number. */
run_worth run_worth_of(const decision_run *run, const run_terms *t, double p_redeem,
                       uint32_t number, uint32_t d);
/* What an option that is not worth its cost would take: the lever of *why, and how much of it. */
void run_say_what_it_takes(const decision_run *run, const run_terms *t, double p_redeem,
                           reason_facts *why);
/* Takes lots instead of the best on average, as the policy explores: changes what is taken, and
 * says each option's propensity. PF_USAGE where the caps leave no room for the least chances. */
pf_status run_explore(decision_run *run, pf_error *err);
/* What one more unit of each cap would buy. PF_NO_MEMORY. */
pf_status run_margins(decision_run *run, pf_error *err);
/* Gives every outcome that had options its reason, and counts everything up. */
pf_status run_give_verdicts(decision_run *run, pf_error *err);

#endif
