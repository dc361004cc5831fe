/*
 * Templates of the mapping file: words with columns in braces, "{campaign_id}:{coupon}".
 * "{{" and "}}" stand for the braces themselves.
 *
 *     template_cursor c = template_begin(text_of(source));
 *     template_piece p;
 *     while (template_next(&c, &p)) ... p.is_column ? cell of p.text : p.text
 *     if (c.why != NULL) ...            // "a brace is opened and not closed"
 */
#ifndef PROFFER_INTAKE_TEMPLATE_H
#define PROFFER_INTAKE_TEMPLATE_H

#include <stdbool.h>

#include "base/text.h"

typedef struct template_cursor {
    text rest;
    const char *why; /* NULL, or what is wrong with the template */
} template_cursor;

typedef struct template_piece {
    text text;
    bool is_column;
} template_piece;

template_cursor template_begin(text source);
/* false at the end and at a fault. */
bool template_next(template_cursor *c, template_piece *out);

#endif
