/* The inside of a cf_model, shared by cf.c and cf_kind.c only. */
#ifndef PROFFER_RECOMMEND_CF_MODEL_H
#define PROFFER_RECOMMEND_CF_MODEL_H

#include "recommend/cf.h"
#include "recommend/sparse.h"

struct cf_model {
    cf_options options;
    sparse rows;    /* row x column -> rating; rows are the side that has neighbours */
    sparse columns; /* its transpose */
    double *mean;   /* [rows] */
    double global_mean;
    double *similarity; /* [rows x rows] */
};

/* Sums over what two rows both rated. */
typedef struct cf_common {
    double n, a, b, aa, bb, ab;
} cf_common;

void cf_common_add(cf_common *c, double a, double b);
double cf_similarity_from(cf_similarity kind, const cf_common *c);
double cf_clip(const cf_model *m, double rating);

/* A model whose `rows` are given; consumes them, also on failure. PF_DATA without a
 * rating, PF_LIMIT, PF_NO_MEMORY. */
pf_status cf_from_rows(sparse *rows, const cf_options *options, cf_model **out,
                       pf_error *err);

#endif
