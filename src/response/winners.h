/*
 * The optimiser's curse: who takes the largest of many chances takes those that err upwards, so
 * the chosen bring less than was foretold although all together do not (Smith and Winkler,
 * Management Science 52, 2006). Their remedy, chances shrunk towards a mean:
 *
 *     p' = mean + keep (p - mean),     mean of the shopper's promotions, 0 <= keep <= 1
 *
 * keeps a shopper's sum and order. `keep` comes from each shopper's best pair in past groups, out
 * of time, shrunk as kinds of promotions are (response/factors.h): the best pairs' answers over
 * what was foretold, each group at most worth a answers, no evidence at all being 1. It never
 * spreads chances out: where the best brought more than foretold, that is no curse. Private to
 * this room.
 *
 *     winners w;
 *     status = winners_fit(&w, cells, n, err);
 *     winners_apply(&w, p, P);
 */
#ifndef PROFFER_RESPONSE_WINNERS_H
#define PROFFER_RESPONSE_WINNERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "response/gamma_poisson.h"

/* One group of promotions: sums over its shoppers. */
typedef struct winners_cell {
    double foretold; /* chances of the best pairs */
    double mean;     /* of the shopper's pairs; <= foretold */
    double answers;  /* of the best pairs */
} winners_cell;

/* Plain numbers as they stand in files. */
typedef struct winners {
    double groups, foretold, mean, answers; /* of the past */
    double factor, factor_se; /* answers a best pair brings for each foretold, shrunk */
    double keep;
} winners;

/* Nothing known: keep 1. */
winners winners_none(void);
/* Groups of one promotion, where nothing is chosen, should be left out. PF_NO_MEMORY. */
pf_status winners_fit(winners *w, const winners_cell *cell, size_t n, pf_error *err);
/* p [P] of one shopper. */
void winners_apply(const winners *w, float *p, size_t P);

#endif
