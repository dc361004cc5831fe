/*
 * What of a shopper's past moved an explained promotion most. Of the recommender: the products that
 * the promotion covers are asked about with the past and with each event left out
 * (recommend/moved.h). Of the response model: whether any of the campaign's promotions is used is
 * asked with each trip left out (response/moved.h).
 */
#ifndef PROFFER_ENGINE_EXPLAIN_MOVED_H
#define PROFFER_ENGINE_EXPLAIN_MOVED_H

#include "engine/learned.h"

/* Adds the member "moved_by" to the object being written, of a shopper and a promotion (numbers)
 * as of a moment. The recommender that `proffer train` saved answers. Nothing is added, and one
 * line says why, where its card does not fit the moment and the data (nothing is fitted for
 * this), where its file cannot be read, and where the promotion covers all or none of what can be
 * recommended. PF_NO_MEMORY; whatever was written is then to be thrown away. */
pf_status explain_moved(proffer *p, uint32_t number, uint32_t offer, int64_t at_us,
                        verb_result *r, pf_error *err);
/* Adds the member "moved_by_trips", of the first shopper of an ask, by the model that was opened;
 * nothing where the model cannot tell. PF_NO_MEMORY; whatever was written is then to be thrown
 * away. */
pf_status explain_moved_trips(const learned *l, const response_ask *ask, verb_result *r,
                              pf_error *err);

#endif
