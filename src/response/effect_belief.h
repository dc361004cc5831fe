/*
 * What is believed of the scales of a lift, one for each kind of promotion, given what was
 * measured of each: b_k with standard error s_k. A normal hierarchy,
 *
 *     b_k ~ N(theta_k, s_k^2),   theta_k ~ N(theta, tau^2),   theta ~ N(prior),
 *
 * tau^2 by moments (DerSimonian and Laird, Controlled Clinical Trials 7, 1986, equation 8), and
 * every scale cut below 0: to be sent a promotion keeps nobody from buying; what it annoys is
 * counted elsewhere. With few kinds, or kinds that do not differ, tau is 0 and all have one
 * scale. Private to this room.
 *
 *     theta_k = offset + pull theta + spread z,   z ~ N(0, 1)
 */
#ifndef PROFFER_RESPONSE_EFFECT_BELIEF_H
#define PROFFER_RESPONSE_EFFECT_BELIEF_H

#include <stddef.h>

#include "response/draws.h"
#include "response/effect.h"
#include "response/effect_measure.h"

typedef struct effect_scale {
    double raw, error; /* measured; NaN where it was not */
    double rows, sent;
    double offset, pull, spread;
} effect_scale;

typedef struct effect_belief {
    size_t kinds;               /* K */
    double mean, deviation;     /* of theta, uncut */
    double between;             /* tau */
    effect_scale all;           /* raw, error, rows, sent alone */
    effect_scale scale[EFFECT_MOST_KINDS + 1]; /* [K + 1], the last of kinds never seen */
} effect_belief;

typedef struct effect_prior {
    double mean, deviation; /* INFINITY: none */
} effect_prior;

/* From sums of top and bottom over the rows (of whose flag is set; NULL: all) of each kind. PF_DATA
 * when neither data nor prior tell; PF_NO_MEMORY. */
pf_status effect_belief_form(effect_belief *b, const effect_rows *r, const double *top,
                             const double *bottom, const uint8_t *use, const effect_prior *prior,
                             pf_error *err);
/* Posterior mean of scale k of 0..K, or of theta for K + 1; not below 0. Of a kind that was not
 * measured at most that of theta. */
double effect_belief_mean(const effect_belief *b, size_t k);
/* The value that has a share p of the posterior below it. */
double effect_belief_quantile(const effect_belief *b, size_t k, double p);
/* d [D x K + 1]: draws over their mean. */
void effect_belief_draw(const effect_belief *b, draws *d);

#endif
