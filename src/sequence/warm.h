/*
 * Starting from an earlier model: yesterday's values where the network is the same, fresh
 * rows for products and promotions that came since.
 *
 * Products keep their numbers (new ones stand behind the old), promotions theirs among
 * themselves. Arrays with a row a thing grow by rows; every other array must have the same
 * shape.
 */
#ifndef PROFFER_SEQUENCE_WARM_H
#define PROFFER_SEQUENCE_WARM_H

#include "base/status.h"
#include "sequence/model.h"

/* Copies what `from` knows into the values of net; rows that are new keep theirs. PF_DATA, with
 * nothing changed, when the two do not fit. */
pf_status sequence_warm_start(sequence_net *net, const sequence_model *from, pf_error *err);

#endif
