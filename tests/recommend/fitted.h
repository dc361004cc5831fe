/* Fitting and asking a model in a test: what does not work fails the test with its reason. */
#ifndef PROFFER_TESTS_RECOMMEND_FITTED_H
#define PROFFER_TESTS_RECOMMEND_FITTED_H

#include "recommend/recommend.h"

/* A model of a kind, fitted; the caller frees it. */
recommender *fit_kind(const char *kind, const recommend_input *input);
/* scores [V], worked out where any allocation aborts. */
void score_with(const recommender *m, const recommend_query *q, float *scores);

#endif
