/*
 * What the chain of earlier campaigns decides: which learner answers `any`, and by how
 * much its log-odds are moved so that as many answer as were announced,
 *
 *     P(any) = 1 / (1 + exp(-(log-odds of the learner + move)))
 *
 * (with a normal prior of standard deviation JUDGE_PRIOR around 0, since campaigns differ
 * and one of them proves little). Chances at single promotions follow by split.h; a slope
 * and a shift of their own, learnt on the chain, made those of the next campaigns worse;
 * what kinds and promotions bring beside it is correction.h's. Private to this room.
 */
#ifndef PROFFER_RESPONSE_JUDGE_H
#define PROFFER_RESPONSE_JUDGE_H

#include "response/chain.h"

/* The newest known campaigns are judged by, so many at most. */
enum { JUDGE_GROUPS = 12 };
#define JUDGE_PRIOR 0.1

typedef struct verdict {
    response_learner chosen; /* never AUTO */
    double move;             /* of the log-odds of any */
    size_t groups, rows, answers; /* of the chain */
    double log_loss[RESPONSE_AVERAGE + 1]; /* by learner; NaN where not tried */
} verdict;

/* From the links of groups ended before until_us. asked: AUTO or what to use. PF_NO_MEMORY. */
pf_status judge(verdict *v, const chain *c, const response_data *d, int64_t until_us,
                response_learner asked, pf_error *err);

/* The groups to judge by at a moment: those known among from..to-1 of the data. */
void judge_range(const response_data *d, int64_t until_us, size_t *from, size_t *to);

/* P(any) by the learner chosen, of what the logistic and the trees say. */
double verdict_any(const verdict *v, double logistic, double trees);
/* What learners a choice needs. */
learners_want judge_wants(response_learner asked, uint64_t seed);

#endif
