/*
 * The last step of building a catalogue: every different tag of the promotions gets a
 * number, and every promotion the sorted numbers of its own. Inside catalogue_build.
 */
#ifndef PROFFER_STORE_TAG_BUILD_H
#define PROFFER_STORE_TAG_BUILD_H

#include "store/catalogue_build.h"

/* From tag_texts into the catalogue. PF_NO_MEMORY; PF_DATA for tags that no version writes. */
pf_status tag_build(catalogue_build *b, pf_error *err);

#endif
