/*
 * What a fitted funnel holds (response/funnel.h). Private to this room.
 */
#ifndef PROFFER_RESPONSE_FUNNEL_INNER_H
#define PROFFER_RESPONSE_FUNNEL_INNER_H

#include "measure/calibration.h"
#include "response/funnel_rows.h"
#include "response/regression.h"

/* How a step is learnt, from simple to complex. */
typedef enum funnel_way {
    FUNNEL_RATE, /* everybody's */
    FUNNEL_LINE,
    FUNNEL_LINE_PLATT,
    FUNNEL_TREES,
    FUNNEL_TREES_PLATT,
    FUNNEL_WAYS
} funnel_way;

/* One step's model. */
typedef struct funnel_part {
    bool known, has_platt;
    funnel_way way;
    regression learner; /* none of FUNNEL_RATE */
    platt curve;
    double rate;        /* everybody's, never 0 or 1 */
    size_t answers;
    double log_loss[FUNNEL_WAYS]; /* on later messages of the past; NaN where it was no choice */
    funnel_figures figures;
} funnel_part;

typedef struct funnel_uplift {
    bool known;
    effect_basis basis;
    double share, raw, error;
    size_t rows, sent, shoppers;
    char why[512]; /* where it is not known */
} funnel_uplift;

struct funnel {
    funnel_part part[FUNNEL_STEPS];
    funnel_uplift convert;
    effect_view view;
    channel usual;
    size_t rows, messages;
    int64_t until_us;
};

/* Learns one step from rows, figures included. PF_NO_MEMORY and the like. */
pf_status funnel_part_learn(funnel_part *p, const funnel_rows *r, funnel_step step, int threads,
                            uint64_t seed, pf_error *err);
/* expected [n] of rows x. */
pf_status funnel_part_expect(const funnel_part *p, const float *x, size_t n, double *expected,
                             pf_error *err);
void funnel_part_free(funnel_part *p);

/* The share of purchases that messages add. What the data cannot support is told in u->why. */
pf_status funnel_uplift_learn(funnel_uplift *u, const response_data *d, int64_t until_us,
                              const funnel_options *o, pf_error *err);

#endif
