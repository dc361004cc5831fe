/*
 * What a second model adds to a first one in a shop whose shoppers come back: its weight,
 * learnt on the shop's last month.
 *
 *     past ................ | from ........ until |
 *     both models know it   | what is bought here are the targets
 *
 * The models are fitted on what was before the month. Of every shopper who bought before it and
 * in it, all products are ranked that anybody bought before it, by the sum
 *
 *     score(v) = first(v) + weight * more(v)
 *
 * and held against the different products bought in it; so a shop is judged here as it is by
 * evaluate/next_products.h. The weight is the best of a grid by the mean NDCG@10. It is 0 unless
 * its gain over the first model alone, shopper by shopper, is above its own standard error
 * (the rule of one standard error: Breiman et al., Classification and Regression Trees, 1984,
 * section 3.4.3). The weight is chosen and judged on the same shoppers, so a gain just above
 * the error is a little flattered. Repeats are always allowed here. Both models' scores are
 * log-odds, give or take a constant of the shopper, so they are added as they are.
 */
#ifndef PROFFER_RECOMMEND_MONTH_WEIGHT_H
#define PROFFER_RECOMMEND_MONTH_WEIGHT_H

#include "recommend/recommend.h"

enum {
    MONTH_WEIGHT_DAYS = 31,
    MONTH_WEIGHT_CUT = 10,
    MONTH_WEIGHT_SHOPPERS_LEAST = 100, /* fewer say nothing about a gain of a hundredth */
    MONTH_WEIGHT_SHOPPERS_MOST = 2000  /* an even sample of more */
};

typedef struct month_weight {
    uint32_t shoppers; /* asked; 0: nothing was learnt */
    int64_t from_us;
    double weight;                /* of the second model */
    double first, more, together; /* NDCG@10 of each alone, and of the sum by that weight */
    double gain, gain_se;         /* in NDCG@10, of the best weight above the first alone */
} month_weight;

/* How many could be asked; data without times: 0. */
uint32_t month_weight_shoppers(const interactions *all, int64_t from_us);

/* Learns the weight. all are the interactions, month included, up to their end; both models were
 * fitted on those before from_us alone. The same for any number of threads. PF_NO_MEMORY; out
 * is then all 0. */
pf_status month_weight_learn(const interactions *all, int64_t from_us, const recommender *first,
                            const recommender *more, pool *threads, month_weight *out,
                            pf_error *err);

#endif
