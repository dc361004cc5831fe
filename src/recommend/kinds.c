/* The list of kinds, in the order of docs and tables. */
#include "recommend/kinds.h"

const recommender_kind *const recommender_kinds[] = {
    &popularity_kind,
    &recent_popularity_kind,
    &category_kind,
    &repeat_kind,
    &user_cf_kind,
    &item_cf_kind,
    &user_knn_kind,
    &item_knn_kind,
    &transitions_kind,
    &kin_kind,
    &words_kind,
    &meaning_kind,
    &two_embedding_kind,
    &als_kind,
    &ease_kind,
    &gru4rec_kind,
    &bert4rec_kind,
    &transformer_kind,
    &habit_kind,
    &blend_kind,
    &month_blend_kind,
    NULL,
};

const size_t recommender_kinds_count =
    sizeof recommender_kinds / sizeof recommender_kinds[0] - 1;
