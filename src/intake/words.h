/*
 * What other systems call the things that happen: the words of Segment's tracking spec,
 * of GA4's recommended events and of common shop logs, as event types of ours. The table
 * is printed in docs/data-formats.md.
 */
#ifndef PROFFER_INTAKE_WORDS_H
#define PROFFER_INTAKE_WORDS_H

#include <stddef.h>

#include "base/text.h"
#include "shop/vocabulary.h"

typedef struct event_word {
    const char *name; /* lower-case letters and digits only: "ordercompleted" */
    event_type type;
    channel channel;    /* CHANNEL_NONE: the event does not say */
    const char *origin; /* "Segment", "GA4", "common" */
} event_word;

/* The entry of a name in any case and with any punctuation ("Order Completed",
 * "order_completed"), our own words included; NULL when there is none. */
const event_word *event_word_find(text name);

/* The i-th entry, NULL behind the last; for documentation and tests. */
const event_word *event_word_at(size_t i);

/* "Invoice Date" -> "invoicedate": ASCII letters (lower-case) and digits; other bytes
 * than ASCII are kept. Cut to size - 1; terminated. Returns the length. */
size_t word_fold(text name, char *into, size_t size);

#endif
