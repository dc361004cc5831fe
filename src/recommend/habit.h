/*
 * Why `habit` puts a product where it does: the parts of a score, for people.
 *
 *     habit_part parts[3];
 *     size_t n = habit_parts(model, &query, product, parts, 3, scratch);
 */
#ifndef PROFFER_RECOMMEND_HABIT_H
#define PROFFER_RECOMMEND_HABIT_H

#include "recommend/recommend.h"

enum { HABIT_PARTS = 6 };

typedef struct habit_part {
    const char *feature; /* words, static: "due by the usual interval" */
    double contribution; /* to the log-odds of buying, above the average candidate's */
} habit_part;

/* The n <= HABIT_PARTS things that move the product's score most, largest first, equal ones
 * in their own order; returns how many, 0 for a model of another kind. What is the same for
 * all of the shopper's products is none of them. Allocates nothing. */
size_t habit_parts(const recommender *m, const recommend_query *query, uint32_t product,
                   habit_part *parts, size_t n, recommend_scratch *scratch);

#endif
