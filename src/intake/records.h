/*
 * A record of any table, and the texts in it: where they stand, so that a batch can copy
 * them without knowing the table.
 */
#ifndef PROFFER_INTAKE_RECORDS_H
#define PROFFER_INTAKE_RECORDS_H

#include <stddef.h>

#include "intake/fields.h"
#include "shop/record.h"

typedef union any_record {
    product_record product;
    shopper_record shopper;
    campaign_record campaign;
    promotion_record promotion;
    scope_record scope;
    event_record event;
} any_record;

/* Bytes that all texts of the record need together. */
size_t record_text_bytes(intake_table table, const any_record *r);
/* Copies the texts to `to`, which has that many bytes, and lets the record view them.
 * Gives the byte behind the last. */
char *record_move_texts(intake_table table, any_record *r, char *to);

#endif
