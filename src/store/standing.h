/*
 * Standing data: the four tables of things with an id and a number, beside the public
 * upserts of store.h. Ids outside, numbers inside: 1..last, never given twice.
 */
#ifndef PROFFER_STORE_STANDING_H
#define PROFFER_STORE_STANDING_H

#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "store/store.h"

typedef enum standing_table {
    STANDING_PRODUCT,
    STANDING_SHOPPER,
    STANDING_CAMPAIGN,
    STANDING_PROMOTION,
    STANDING_TABLES
} standing_table;

/* "product", ... */
const char *standing_name(standing_table table);
uint32_t standing_largest_number(standing_table table);

/* The number of an id; 0 where there is none. */
pf_status standing_find(store *s, standing_table table, text id, uint32_t *number,
                        pf_error *err);
/* The largest number ever given; 0 where there was none. */
pf_status standing_last(store *s, standing_table table, uint32_t *number, pf_error *err);
/* A row with nothing but an id, under a number that is free. */
pf_status standing_create(store *s, standing_table table, uint32_t number, text id,
                          pf_error *err);
/* The id of a number, terminated; "" where there is none. into holds LIMIT_ID_BYTES + 1.
 */
pf_status standing_id(store *s, standing_table table, uint32_t number, char *into,
                      pf_error *err);
/* Takes the row out of its table and out of the catalogue's sum. */
pf_status standing_erase_shopper(store *s, text id, pf_error *err);

#endif
