/*
 * Checks of single values: text in, typed value out, or a fault that names the field, the
 * value and what would be right. Blank values are the caller's affair: every function here
 * takes one that is not blank, except where it says otherwise. Nothing allocates.
 */
#ifndef PROFFER_INTAKE_CHECK_H
#define PROFFER_INTAKE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/calendar.h"
#include "base/money.h"
#include "base/text.h"
#include "intake/mapping.h"
#include "intake/reason.h"
#include "shop/vocabulary.h"

/* The first thing wrong with a row. `field` is an index of the table's fields, -1 for none
 * in particular. */
typedef struct value_fault {
    reject_reason reason;
    int field;
    char message[192];
} value_fault;

/* How values of one table are written. */
typedef struct value_rules {
    currency currency; /* the workspace's */
    char decimal;      /* '.' or ',' */
    time_rules time;
    map_time_form form; /* never UNSET */
} value_rules;

/* Fills the fault ("name: words") and returns false. value, if not NULL, is shown in the
 * message, shortened. */
bool fault_set(value_fault *f, reject_reason reason, int field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A value as it is shown in messages: at most 40 bytes, cut between characters, control
 * characters and bytes that are no UTF-8 replaced. */
enum { SHOWN_BYTES = 48 };
const char *shown(text value, char into[SHOWN_BYTES]);

bool check_length(text value, size_t maximum, int field, value_fault *f);
/* Any decimal number. */
bool check_number(text value, const value_rules *r, int field, double *out,
                  value_fault *f);
/* A whole number in 0 .. UINT32_MAX. */
bool check_count(text value, int field, uint32_t *out, value_fault *f);
/* An amount, not negative. */
bool check_amount(text value, const value_rules *r, int field, int64_t *minor,
                  value_fault *f);
/* An amount of either sign. */
bool check_signed_amount(text value, const value_rules *r, int field, int64_t *minor,
                         value_fault *f);
/* unit price x quantity in minor units, exact (both with up to four decimals), rounded
 * half away from zero where the currency has fewer digits. */
bool check_line_amount(text unit_price, text quantity, const value_rules *r,
                       int price_field, int quantity_field, int64_t *minor,
                       value_fault *f);
bool check_time(text value, const value_rules *r, int field, int64_t *time_us,
                bool *date_only, value_fault *f);
/* The workspace's currency; another or an unknown one is a fault. */
bool check_currency(text value, const value_rules *r, int field, value_fault *f);
bool check_channels(text value, int field, channel_set *out, value_fault *f);

/* One row's cell that is no UTF-8: the fault names the byte. */
bool fault_utf8(text value, size_t at, int field, value_fault *f);

#endif
