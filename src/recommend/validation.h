/*
 * How well a state of some kind foresees what shoppers took next, while it is being chosen
 * among others: the figure by which kinds choose their own settings.
 */
#ifndef PROFFER_RECOMMEND_VALIDATION_H
#define PROFFER_RECOMMEND_VALIDATION_H

#include "recommend/recommend.h"

enum { VALIDATION_SHOPPERS = 2000, VALIDATION_CUT = 10 };

/* Whether anybody has a past in input->train and a product in input->next. */
bool recommend_can_validate(const recommend_input *input);

/* Mean NDCG@10 over at most VALIDATION_SHOPPERS shoppers, evenly spread, who have a past in
 * input->train and a product in input->next; what the past holds is not ranked unless the
 * input allows repeats. kind's score and scratch_floats are called on `state`. PF_DATA when
 * there is nobody (or no next), PF_NO_MEMORY. The same for any number of threads. */
pf_status recommend_validate(const recommender_kind *kind, const void *state,
                             const recommend_input *input, double *ndcg, pf_error *err);

#endif
