/*
 * Collaborative filtering on ratings, exactly as the textbook has it:
 *
 *     r(u, i) = mean(u) + sum_v sim(u, v) (r(v, i) - mean(v)) / sum_v |sim(u, v)|
 *
 * over the shoppers v who rated product i (user-based), and its twin with the roles of
 * shoppers and products exchanged (item-based). Resnick et al., "GroupLens", CSCW 1994,
 * equation 1; Sarwar et al., WWW 2001, section 3.2. Similarities are taken over what both
 * rated: cosine, or Pearson's correlation (0 where it is not defined).
 *
 *     cf_model *m;
 *     cf_options o = cf_options_default(CF_USERS, CF_PEARSON);
 *     cf_fit(&ratings, &o, &m, err);
 *     double r = cf_predict(m, user, product);
 *
 * Worked by hand in docs/models.md. A fitted model is immutable; any thread may ask.
 */
#ifndef PROFFER_RECOMMEND_CF_H
#define PROFFER_RECOMMEND_CF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "recommend/recommend.h"

typedef enum cf_side { CF_USERS, CF_ITEMS } cf_side;
typedef enum cf_similarity { CF_COSINE, CF_PEARSON } cf_similarity;

/* All pairs of rows are kept: this many rows need 512 MiB. */
enum { CF_MAX_ROWS = 8192, CF_MAX_COLUMNS = 1 << 23 };

typedef struct cf_options {
    cf_side side;
    cf_similarity similarity;
    uint32_t neighbours; /* the most similar ones that enter; 0 = all */
    bool positive_only;  /* neighbours with sim <= 0 do not enter */
    double low, high;    /* predictions are clipped to these */
} cf_options;

/* All neighbours of either sign; clipped to the smallest and largest rating seen. */
cf_options cf_options_default(cf_side side, cf_similarity similarity);

typedef struct cf_model cf_model;

/* train->rating is required. A product rated twice by a shopper counts with the last
 * rating. PF_LIMIT above CF_MAX_ROWS shoppers (products); PF_DATA without ratings. */
pf_status cf_fit(const interactions *train, const cf_options *options, cf_model **out,
                 pf_error *err);
/* NULL is fine. */
void cf_free(cf_model *m);

/* The predicted rating; the global mean for a user or product nobody knows. */
double cf_predict(const cf_model *m, uint32_t user, uint32_t product);
/* The similarity of two shoppers (of two products on the other side). */
double cf_similarity_of(const cf_model *m, uint32_t a, uint32_t b);

#endif
