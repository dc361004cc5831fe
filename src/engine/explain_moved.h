/*
 * Which past events moved an explained promotion most: the products it covers are asked about
 * with the shopper's past and with each of the latest events left out (recommend/moved.h).
 */
#ifndef PROFFER_ENGINE_EXPLAIN_MOVED_H
#define PROFFER_ENGINE_EXPLAIN_MOVED_H

#include "engine/workspace.h"

/* Adds the member "moved_by" to the object being written, of a shopper and a promotion (numbers)
 * as of a moment. The recommender that `proffer train` saved answers. Nothing is added, and one
 * line says why, where its card does not fit the moment and the data (nothing is fitted for
 * this), where its file cannot be read, and where the promotion covers all or none of what can be
 * recommended. PF_NO_MEMORY; whatever was written is then to be thrown away. */
pf_status explain_moved(proffer *p, uint32_t number, uint32_t offer, int64_t at_us,
                        verb_result *r, pf_error *err);

#endif
