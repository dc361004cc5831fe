/* What a fitted blend is made of, for reports. */
#ifndef PROFFER_RECOMMEND_BLEND_H
#define PROFFER_RECOMMEND_BLEND_H

#include "recommend/recommend.h"

typedef struct blend_part {
    const char *kind; /* static text */
    double weight;    /* of its scores, which are divided by their spread over all products for
                         each shopper, and then by `scale` */
    double scale;     /* their standard deviation over the best products of all shoppers it was
                         learnt on */
    size_t copies;    /* trained with other seeds, their mean taken; 1 of what is not trained */
} blend_part;

/* How many kinds a recommender of kind "blend" combines; 0 for any other kind. */
size_t blend_parts(const recommender *m);
blend_part blend_part_at(const recommender *m, size_t i);
/* scores [V] = what part i adds to the blend's scores of a past that is not empty; they are the
 * sum of these, in order. The scratch is the blend's. Any thread. */
void blend_score_part(const recommender *m, size_t i, const recommend_query *query, float *scores,
                      recommend_scratch *scratch);

#endif
