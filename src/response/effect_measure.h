/*
 * What can be measured of effects before anything is believed of their shape. For row i let t be
 * 1 if it was sent, e the chance of that, y the spend, R what was redeemed, and m, d, r what they
 * are expected to be of somebody not seen (cross-fitted by shopper): m of y unsent, d of the
 * effect, r of R if sent. Then
 *
 *     weight = e (1 - e)
 *     gain   = e (1 - e) d + t (1 - e) (y - m - d) - (1 - t) e (y - m)
 *     use    = e (1 - e) r + t (1 - e) (R - r)
 *
 * and sum(gain) / sum(weight) is the mean effect on those who could as well have been sent it as
 * not: right when either the chances or the expectations are (augmented overlap weighting: Li,
 * Morgan, Zaslavsky, JASA 113, 2018, sections 2-3; cross-fitting: Chernozhukov et al.,
 * Econometrics Journal 21, 2018). No weight exceeds 1/4, so that nobody rules, whatever the
 * chances. Private to this room.
 */
#ifndef PROFFER_RESPONSE_EFFECT_MEASURE_H
#define PROFFER_RESPONSE_EFFECT_MEASURE_H

#include "response/effect_rows.h"

enum { EFFECT_FOLDS = 5 };

typedef struct effect_measure {
    double *weight, *gain, *use; /* [N] */
    double *expected;            /* [N] r, not below 0 */
    uint8_t *fold;               /* [N] */
    double give;                 /* what is given away of a minor unit redeemed */
} effect_measure;

/* Estimates chances where they are not known and drops rows outside the overlap from r. PF_DATA
 * in words when nobody is left to compare; PF_NO_MEMORY. On failure *m is empty. */
pf_status effect_measure_make(effect_measure *m, effect_rows *r, pool *threads, uint64_t seed,
                              pf_error *err);
void effect_measure_free(effect_measure *m);

/* sum(top) / sum(bottom) over the rows of a kind (EFFECT_ALL_KINDS: all), with its standard error
 * by shopper (linearised: Särndal, Swensson, Wretman, "Model assisted survey sampling", 1992,
 * section 5.6). NaN where the bottom cannot be told from 0. */
enum { EFFECT_ALL_KINDS = 255 };
typedef struct effect_ratio {
    double value, error;
    size_t rows, sent, shoppers;
} effect_ratio;
/* use [N]: rows whose flag is set; NULL: all. PF_NO_MEMORY. */
pf_status effect_ratio_of(effect_ratio *out, const effect_rows *r, const double *top,
                          const double *bottom, unsigned kind, const uint8_t *use, pf_error *err);

#endif
