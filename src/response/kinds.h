/*
 * Kinds of promotions, by name: what a promotion gives, and its campaign's kind in the shop's own
 * word where it has one: "money_off in A". How names that are too long are kept. And a key for
 * each promotion that outlives its number: a hash of its id. Private to this room.
 */
#ifndef PROFFER_RESPONSE_KINDS_H
#define PROFFER_RESPONSE_KINDS_H

#include <stddef.h>
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

/*
 * A name as models keep it, in fewer than `room` bytes (at least 32, the end included). One that
 * is too long is cut at a whole character and ends in "~" and a hash of all of it, so that names
 * with the same beginning stay apart. What was cut once is not cut again.
 */
void kinds_shorten(const char *name, char *into, size_t room);

#endif
