/*
 * The scope of every promotion as sorted product numbers: the union of the products it
 * names one by one, those in its categories and below them, and those of its brands.
 *
 * A promotion that names nothing covers everything (n_scope 0). One whose names lead to
 * no product covers nothing, which is the scope {0}: no product has the number 0.
 */
#ifndef PROFFER_STORE_SCOPE_BUILD_H
#define PROFFER_STORE_SCOPE_BUILD_H

#include "store/catalogue_build.h"

/* Fills scope and n_scope of every promotion; false when memory is short. */
bool scope_build(catalogue_build *b);
void scope_groups_free(catalogue_build *b);

#endif
