/*
 * Kinds of promotions, by name: what a promotion gives, and its campaign's kind in the shop's own
 * word where it has one: "money_off in A". And a key for each promotion that outlives its number:
 * a hash of its id. Private to this room.
 */
#ifndef PROFFER_RESPONSE_KINDS_H
#define PROFFER_RESPONSE_KINDS_H

#include <stdint.h>

#include "base/intern.h"
#include "base/status.h"
#include "shop/catalogue.h"

typedef struct kinds {
    intern *names;
    uint32_t *of_promotion; /* [promotions + 1] 1..intern_count(names); 0 for number 0 */
    uint64_t *key;          /* [promotions + 1] */
} kinds;

/* PF_NO_MEMORY. On failure *k is empty. */
pf_status kinds_new(kinds *k, const shop_catalogue *c, pf_error *err);
/* Empty is fine. */
void kinds_free(kinds *k);
const char *kinds_name(const kinds *k, uint32_t number);

#endif
