/* The kinds of recommenders there are; one file each. */
#ifndef PROFFER_RECOMMEND_KINDS_H
#define PROFFER_RECOMMEND_KINDS_H

#include "recommend/recommend.h"

/* Ends with a NULL behind the last. */
extern const recommender_kind *const recommender_kinds[];
extern const size_t recommender_kinds_count;

extern const recommender_kind popularity_kind, recent_popularity_kind, category_kind,
    repeat_kind, user_cf_kind, item_cf_kind, user_knn_kind, item_knn_kind,
    transitions_kind, kin_kind, words_kind, meaning_kind, two_embedding_kind,
    als_kind, ease_kind, gru4rec_kind, bert4rec_kind, transformer_kind, habit_kind,
    blend_kind, month_blend_kind;

#endif
