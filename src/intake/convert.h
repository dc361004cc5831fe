/*
 * A row becomes a record: values through the binding, checked, typed. The first thing
 * wrong with a row is its fault; a row is taken whole or not at all. One converter a file
 * being read, used by one thread.
 */
#ifndef PROFFER_INTAKE_CONVERT_H
#define PROFFER_INTAKE_CONVERT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/intern.h"
#include "base/json.h"
#include "intake/binding.h"
#include "intake/check.h"
#include "intake/records.h"

/* A word looked up before; columns repeat theirs row after row. */
typedef struct word_memo {
    char word[32];
    size_t n;
    int value;
    channel channel;
} word_memo;

typedef struct converter {
    const binding *binding; /* borrowed */
    value_rules rules;
    arena room;        /* composed values of the row at hand */
    buffer attributes; /* JSON of the row at hand */
    word_memo type, channel;
    intern *zones; /* names that were accepted; NULL until one was seen */
} converter;

/* Frees with converter_close. PF_USAGE when the file has amounts and rules have no
 * currency. */
pf_status converter_open(converter *c, const binding *b, const value_rules *rules,
                         pf_error *err);
void converter_close(converter *c);
/* The same question again, after the columns have grown. */
pf_status converter_check_currency(const converter *c, pf_error *err);

/* Fills *out, whose texts are views into the row, the converter and the mapping until the
 * next call. false with f->reason set for a row that is not taken, with REASON_NONE when
 * memory is short. */
bool convert_row(converter *c, const row_view *v, any_record *out, value_fault *f);

/* --- inside: one function a kind of table ----------------------------------------- */

/* Conversions are a chain that ends with its first fault. */
#define TRY(call)                                                                        \
    do {                                                                                 \
        if (!(call)) return false;                                                       \
    } while (0)

/* The value of a field, blank or not; false when memory is short. */
bool convert_value(converter *c, const row_view *v, int field, text *out, value_fault *f);
/* The same, of at most `maximum` bytes. */
bool convert_text(converter *c, const row_view *v, int field, size_t maximum, text *out,
                  value_fault *f);
/* The same, and not blank. */
bool convert_needed(converter *c, const row_view *v, int field, size_t maximum, text *out,
                    value_fault *f);
/* An amount that is not negative; MONEY_ABSENT for a blank. */
bool convert_amount(converter *c, const row_view *v, int field, int64_t *out,
                    value_fault *f);
/* The currency column, if any, is the workspace's. */
bool convert_currency(converter *c, const row_view *v, int field, value_fault *f);
/* TIME_ABSENT for a blank. */
bool convert_time(converter *c, const row_view *v, int field, int64_t *out,
                  value_fault *f);
/* Named attributes, columns left over, and the members of the `attributes` field, as one
 * JSON object; empty when there is nothing. */
bool convert_attributes(converter *c, const row_view *v, int field, text *out,
                        value_fault *f);

bool convert_product(converter *c, const row_view *v, product_record *r, value_fault *f);
bool convert_shopper(converter *c, const row_view *v, shopper_record *r, value_fault *f);
bool convert_campaign(converter *c, const row_view *v, campaign_record *r,
                      value_fault *f);
bool convert_promotion(converter *c, const row_view *v, promotion_record *r,
                       value_fault *f);
bool convert_scope(converter *c, const row_view *v, scope_record *r, value_fault *f);
bool convert_event(converter *c, const row_view *v, event_record *r, value_fault *f);

#endif
