/*
 * One member of a blend: a model, or several copies of one kind that were trained from other
 * random values. Its score of a product is the mean over the copies of their scores, each over
 * the standard deviation of that copy's scores for this shopper.
 *
 * Why for each shopper: how far a network's scores spread says how sure it is, how far counts
 * spread says how much was counted; a sum with fixed weights should depend on neither. Why
 * copies: what two trainings rank alike is known, where they differ is chance; a mean keeps the
 * first (Breiman, "Bagging predictors", Machine Learning 24, 1996, with other random values in
 * place of other samples).
 */
#ifndef PROFFER_RECOMMEND_BLEND_MEMBER_H
#define PROFFER_RECOMMEND_BLEND_MEMBER_H

#include "recommend/recommend.h"

typedef struct blend_member {
    recommender *copy[RECOMMEND_MAX_COPIES]; /* all of one kind and catalogue */
    bool borrowed[RECOMMEND_MAX_COPIES];
    uint64_t n; /* copies, at least 1 where a member is scored */
} blend_member;

const recommender_kind *blend_member_kind(const blend_member *m);
/* Frees the copies that are not borrowed; the member has none afterwards. */
void blend_member_free(blend_member *m);

/* scores[V], all finite; a copy whose scores are all equal, or too large to have a standard
 * deviation, says nothing. Allocates nothing but from the scratch. */
void blend_member_score(const blend_member *m, const recommend_query *query, float *scores,
                        recommend_scratch *scratch);
size_t blend_member_scratch_floats(const blend_member *m);

#endif
