/*
 * What a decision weighs beside the chance of a redemption, as of its moment: the lift (what a
 * promotion adds), the channel and moment that suit each shopper, the harm of one message more,
 * and posterior draws of what is not known for sure.
 *
 *     foreseen f;
 *     status = foreseen_open(&f, &learned, at_us, &policy, err);
 *     status = foreseen_draw(&f, &ask, err);                          // one campaign
 *     status = foreseen_score(&f, &ask, &scores, by, into, err);      // the same, one channel
 *     foreseen_inputs(&f, &in);                                       // what decide_run borrows
 *     foreseen_close(&f);
 *
 * Each part that the data cannot support is left out, with a line that says why and what stands in
 * its place; only `decide.gain: uplift` and the chance of what the policy counts are insisted on.
 */
#ifndef PROFFER_ENGINE_FORESEEN_H
#define PROFFER_ENGINE_FORESEEN_H

#include "decide/decide.h"
#include "engine/decision_log.h"
#include "engine/learned.h"
#include "engine/zones.h"
#include "response/effect.h"
#include "response/fatigue.h"
#include "response/funnel.h"
#include "response/habits.h"

typedef struct foreseen {
    learned *l;
    int64_t at_us;
    zones zones;
    decision_log log;      /* before at_us */
    effect_model *effect;  /* NULL: gains count every redemption */
    funnel *funnel;        /* NULL unless the policy counts clicks or conversions */
    funnel_step step;      /* what it is asked for */
    channel only;          /* the one that is open; NONE where there are several */
    habits *habits;        /* NULL: nothing is known of channels and hours */
    fatigue *fatigue;      /* NULL: one message more does no harm */
    int64_t shopper_worth_minor; /* MONEY_ABSENT with fatigue NULL */
    float *fatigue_minor;  /* [(shoppers + 1) x CHANNEL_COUNT] or NULL */
    int64_t *send_at_us;   /* the same or NULL */
    uint32_t n_draws;      /* 0: none */
    double *redeem_draw, *lift_draw; /* [D x (promotions + 1)] */
} foreseen;

/* What a choice of a learner of effects weighs under a policy; no log, no basis. */
effect_options foreseen_effect_options(const policy *how);

/* Needs l->model. Only what the configuration asks for is fitted. PF_NO_MEMORY and the like; on
 * failure *f is empty. */
pf_status foreseen_open(foreseen *f, learned *l, int64_t at_us, const policy *how,
                        pf_error *err);
void foreseen_close(foreseen *f);

/* Whether scores differ by channel, so that each needs its own. */
bool foreseen_by_channel(const foreseen *f, const policy *how);
/* Draws of what is not known of a campaign's promotions. Once for each promotion: what its lift is
 * multiplied by adds to what the effect leaves open. */
pf_status foreseen_draw(foreseen *f, const response_ask *ask, pf_error *err);
/* Fills into [S x P] from response's scores of the same question, by one channel (NONE: any). */
pf_status foreseen_score(foreseen *f, const response_ask *ask, const response_scores *scores,
                         channel by, decide_score *into, pf_error *err);
/* Sets what decide_run borrows of it. */
void foreseen_inputs(const foreseen *f, decide_inputs *in);
/* Members of an open object: a fingerprint of each model that took part, made of what it tells of
 * itself. */
void foreseen_versions(const foreseen *f, json_writer *w);
/* An object: what gains count and how it is known, habits, fatigue. */
void foreseen_describe(const foreseen *f, const policy *how, verb_result *r);

#endif
