/*
 * Chances of single promotions, which deciding multiplies with money, against what was done: over
 * all pairs of shopper and promotion, by kind of promotion, and over those that would be chosen:
 * each shopper's best by chance, and by chance times spend, where there was a choice. Choosing the
 * best picks chances that err upwards (Smith and Winkler, Management Science 52, 2006), so the
 * chosen are looked at by themselves.
 *
 * Everything twice: as Proffer says it, and before factors of kinds and promotions and the
 * shrinking of best pairs corrected it (response/factors.h); each chooses for itself. Intervals are
 * bootstraps clustered by shopper.
 */
#ifndef PROFFER_EVALUATE_RESPONSE_PAIRS_H
#define PROFFER_EVALUATE_RESPONSE_PAIRS_H

#include "base/json.h"
#include "measure/bootstrap.h"
#include "response/replay.h"

enum { PAIRS_KINDS = 32, PAIRS_NAME_BYTES = 64, PAIRS_BINS = 10 };

/* NaN where a figure does not exist. */
typedef struct pair_figures {
    size_t rows;
    double uses, sum_ratio, low, high; /* sum p / sum y with its 95 % interval */
    double ece, log_loss;              /* 10 equal-count bins */
} pair_figures;

typedef struct pair_result {
    pair_figures own, plain;
} pair_result;

typedef struct pair_kind {
    char name[PAIRS_NAME_BYTES];
    pair_result result;
} pair_kind;

typedef struct response_pairs {
    pair_result all, best, best_spend;
    pair_kind kind[PAIRS_KINDS]; /* [n_kinds] in the order met; later ones are left out */
    size_t n_kinds;
} response_pairs;

/* PF_NO_MEMORY, PF_LIMIT. */
pf_status response_pairs_measure(response_pairs *out, const response_replay *r,
                                 unsigned replicates, uint64_t seed, pool *threads,
                                 pf_error *err);
/* Members of an object that is open: "kinds", "chosen", "chosen_by_spend", and
 * "before_correction". */
void response_pairs_write(const response_pairs *p, json_writer *w);

#endif
