/*
 * What the chain of earlier campaigns decides: which learner answers `any`, by how much
 * its log-odds are moved so that as many answer as were announced,
 *
 *     P(any) = 1 / (1 + exp(-(log-odds of the learner + move)))
 *
 * (move has a normal prior of standard deviation JUDGE_MOVE_PRIOR around 0, since campaigns
 * differ and one of them proves little), and how a shopper's chance at one promotion
 * follows from both questions,
 *
 *     raw = P(any) (1 - (1 - share)^m)        m promotions used by one who uses any
 *     p   = 1 / (1 + exp(-(slope log(raw / (1 - raw)) + shift)))
 *
 * with slope and shift fitted to what was used (Platt, measure/calibration.h), never above
 * P(any). Private to this room.
 */
#ifndef PROFFER_RESPONSE_JUDGE_H
#define PROFFER_RESPONSE_JUDGE_H

#include "measure/calibration.h"
#include "response/chain.h"

/* So many uses on the chain are wanted before slope and shift are believed. */
enum { JUDGE_MIN_USES = 30 };
/* The newest known campaigns are judged by, so many at most. */
enum { JUDGE_GROUPS = 12 };
#define JUDGE_MOVE_PRIOR 0.1

typedef struct verdict {
    response_learner chosen; /* never AUTO */
    double move;             /* of the log-odds of any */
    platt pair;              /* slope 1, shift 0 where the chain was too short */
    bool calibrated;
    size_t groups, rows, answers; /* of the chain */
    double log_loss[RESPONSE_AVERAGE + 1]; /* by learner; NaN where not tried */
} verdict;

/* From the links of groups ended before until_us. asked: AUTO or what to use. PF_NO_MEMORY. */
pf_status judge(verdict *v, const chain *c, const response_data *d, int64_t until_us,
                response_learner asked, pf_error *err);

/* The groups to judge by at a moment: those known among from..to-1 of the data. */
void judge_range(const response_data *d, int64_t until_us, size_t *from, size_t *to);

/* What the learner chosen says, of the logistic and the trees. */
double verdict_raw(response_learner chosen, double logistic, double trees);
/* P(any) of it. */
double verdict_any(const verdict *v, double logistic, double trees);
double verdict_pair(const platt *pair, double any, double share, double uses_per_answer);

/* What learners a choice needs. */
learners_want judge_wants(response_learner asked, uint64_t seed);

#endif
