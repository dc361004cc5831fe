/*
 * What the chain of earlier campaigns says of single promotions: factors of kinds and promotions
 * (response/factors.h), then how much the best pairs are foretold too high (response/winners.h).
 * Applied to what split.h says, in this order:
 *
 *     p = min(any, p x factor)         a promotion is not used by more than use any
 *     raised where their sum fell below any: who uses any uses one
 *     shrunk to the shopper's mean
 *
 * Where one promotion alone is asked about, any is p. Private to this room.
 */
#ifndef PROFFER_RESPONSE_CORRECTION_H
#define PROFFER_RESPONSE_CORRECTION_H

#include "response/factors.h"
#include "response/judge.h"
#include "response/winners.h"

typedef struct correction {
    factors f;
    winners w;
} correction;

/* From the links the verdict was made on. PF_NO_MEMORY, PF_LIMIT; *out is then empty. */
pf_status correction_fit(correction *out, const verdict *v, const chain *c,
                         const response_data *d, int64_t until_us, pf_error *err);
/* Empty is fine. */
void correction_free(correction *c);

/* factor [P] of the promotions asked about, of d's catalogue. */
void correction_factors(const correction *c, const response_data *d, const uint32_t *asked,
                        size_t P, float *factor);
/* One shopper: any, p [P] as split_uses() left them. Allocates nothing. */
void correction_apply(const correction *c, const float *factor, size_t P, float *any, float *p);

#endif
