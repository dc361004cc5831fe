/* What a fitted month-blend is made of, for reports. All of it is constant: any thread. */
#ifndef PROFFER_RECOMMEND_MONTH_BLEND_H
#define PROFFER_RECOMMEND_MONTH_BLEND_H

#include "recommend/month_weight.h"
#include "recommend/recommend.h"

/* What its last month said; shoppers 0 where nothing was learnt from it. NULL for another kind
 * and for a model from a file, which does not hold it. */
const month_weight *month_blend_found(const recommender *m);
/* Its parts, borrowed: habit, and the Transformer or NULL where that got no weight. NULL for
 * another kind. */
const recommender *month_blend_habit(const recommender *m);
const recommender *month_blend_network(const recommender *m);
double month_blend_weight(const recommender *m);
/* more [V] = what the network adds to habit's scores of a month-blend, as it does; all 0 without
 * one. The scratch is the month-blend's. Any thread. */
void month_blend_network_part(const recommender *m, const recommend_query *query, float *more,
                              recommend_scratch *scratch);

#endif
