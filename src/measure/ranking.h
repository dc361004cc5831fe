/*
 * How well a ranking of products (or promotions) puts what a shopper chose on top.
 *
 *     ranking_plan plan = {.cuts = 1, .cut = {10}, .products = V, .shoppers = S};
 *     ranking *r;
 *     status = ranking_new(&r, &plan, err);
 *     ranking_add(r, s, score, targets, n_targets);    // for every shopper s, any thread
 *     ranking_values mean = ranking_mean(r, 0);        // at the cut plan.cut[0]
 *     ranking_free(r);
 *
 * Ties: a product's rank is the mean rank of all products with its score, so nothing is
 * won by giving everybody the same one. A product that must not be ranked (already
 * bought) has the score -INFINITY; NaN counts as that. Such a target is never found.
 *
 * With targets t of ranks r(t), counted from 1, and a cut k, where "found" is r(t) <= k:
 *     hit        1 when any target is found
 *     ndcg       sum over found of 1 / log2(1 + r) over the sum for ranks 1..min(k, n)
 *                (Järvelin and Kekäläinen, TOIS 20, 2002, binary gains)
 *     mrr        1 / the best found rank, else 0
 *     recall     found / n
 *     precision  found / k
 */
#ifndef PROFFER_MEASURE_RANKING_H
#define PROFFER_MEASURE_RANKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { RANKING_CUTS_MAX = 8, RANKING_CUT_MAX = 1000 };

typedef struct ranking_values {
    double hit, ndcg, mrr, recall, precision;
} ranking_values;

/* rank [n] of targets [n] (indices below V) among score [V]: the mean rank, INFINITY for
 * what is not ranked. No allocation. */
void ranking_ranks(const float *score, size_t V, const uint32_t *target, size_t n,
                   double *rank);

/* The values at a cut from the ranks of n >= 1 targets. */
ranking_values ranking_values_of(const double *rank, size_t n, unsigned cut);

/* The best `most` products by score, best first, equal ones by their number; what is not
 * ranked is left out. top [most], most <= RANKING_CUT_MAX; returns how many. */
size_t ranking_top(const float *score, size_t V, size_t most, uint32_t *top);

typedef struct ranking_plan {
    unsigned cut[RANKING_CUTS_MAX]; /* 1..RANKING_CUT_MAX each, `cuts` of them */
    unsigned cuts;
    uint32_t products; /* V */
    uint32_t shoppers;
} ranking_plan;

/* Values of every shopper, and how often each product was recommended. */
typedef struct ranking ranking;

/* PF_USAGE for a plan outside its limits, PF_NO_MEMORY. */
pf_status ranking_new(ranking **out, const ranking_plan *plan, pf_error *err);
void ranking_free(ranking *r);

enum { RANKING_TARGETS_MAX = 4096 };

/* Measures shopper `s` (once) with score [V] and n distinct targets,
 * 1 <= n <= RANKING_TARGETS_MAX. Allocates nothing; different shoppers may be added by
 * different threads at once, and the results are the same in any order. */
void ranking_add(ranking *r, uint32_t s, const float *score, const uint32_t *target,
                 size_t n);

/* Whether a shopper was added; those who were not count in no mean. */
bool ranking_has(const ranking *r, uint32_t s);
/* Of one shopper, for tests of difference and bootstraps. */
ranking_values ranking_of_shopper(const ranking *r, uint32_t s, unsigned cut_index);
uint32_t ranking_shoppers(const ranking *r);

/* Mean over the shoppers added, and the standard error of that mean; NaN without any. */
ranking_values ranking_mean(const ranking *r, unsigned cut_index);
ranking_values ranking_standard_error(const ranking *r, unsigned cut_index);

/* Share of the V products that stand in anybody's best `cut`. */
double ranking_coverage(const ranking *r, unsigned cut_index);
/* Mean over everything recommended of -log2 of the product's popularity share, in bits,
 * with share (times + 1) / (sum + V) so that it is finite; times [V]: how often each was
 * chosen in training (Zhou et al., PNAS 107, 2010). NaN when nothing was recommended. */
double ranking_novelty(const ranking *r, unsigned cut_index, const uint32_t *times);

#endif
