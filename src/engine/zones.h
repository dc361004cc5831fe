/* The time zones of shoppers, each opened once. */
#ifndef PROFFER_ENGINE_ZONES_H
#define PROFFER_ENGINE_ZONES_H

#include "base/calendar.h"
#include "shop/catalogue.h"

typedef struct zones {
    zone **open; /* [n] owned */
    uint32_t n;
    const zone **of; /* [shoppers + 1]; NULL inside: none of their own */
} zones;

/* A name that is no zone counts as none, and one warning says how many have such. PF_NO_MEMORY;
 * on failure *z is empty. */
pf_status zones_open(zones *z, const shop_catalogue *c, pf_error *err);
void zones_close(zones *z);

#endif
