/*
 * JSON lines: one JSON value a line, blank lines passed over. Each line comes out as a tree
 * that lives until the next call. A line that is no JSON object comes out as a row with a
 * reason; a file that begins with '[' is refused, since it is one array over many lines.
 */
#ifndef PROFFER_INTAKE_JSON_LINES_H
#define PROFFER_INTAKE_JSON_LINES_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/json.h"
#include "intake/lines.h"
#include "intake/row.h"

typedef struct json_lines {
    line_reader lines;
    arena memory; /* of the line at hand; readers may put more into it */
} json_lines;

/* source is borrowed. */
pf_status json_lines_open(json_lines *r, byte_source *source, size_t window_bytes,
                          pf_error *err);
void json_lines_close(json_lines *r);

/* Sets out->line, out->raw and, for a wrong line, out->reason, column (the byte) and
 * message, with *value NULL. */
pf_status json_lines_next(json_lines *r, const json_value **value, row *out, bool *more,
                          pf_error *err);

#endif
