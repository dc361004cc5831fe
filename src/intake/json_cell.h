/*
 * JSON values as cells of a row: words, numbers as written, lists of words joined by '|',
 * anything else as JSON text.
 */
#ifndef PROFFER_INTAKE_JSON_CELL_H
#define PROFFER_INTAKE_JSON_CELL_H

#include "base/arena.h"
#include "base/json.h"
#include "intake/row.h"

/* The cell of v (NULL and null: an empty one); texts live in the arena or in v. false when
 * the arena is full. An object comes out as CELL_JSON. */
bool json_cell(arena *a, const json_value *v, text *out, uint8_t *kind);

/* v as a number or word, empty for anything else or NULL. */
text json_word(const json_value *v);

#endif
