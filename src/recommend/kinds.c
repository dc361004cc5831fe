/* The list of kinds, in the order of docs and tables. */
#include "recommend/kinds.h"

const recommender_kind *const recommender_kinds[] = {
    &popularity_kind, &recent_popularity_kind, &transitions_kind, NULL,
};

const size_t recommender_kinds_count =
    sizeof recommender_kinds / sizeof recommender_kinds[0] - 1;
