/*
 * Lines of a text source, one at a time, each bounded by LIMIT_LINE_BYTES. LF ends a line;
 * a CR before it is taken off. The last line may lack its LF. For JSON lines and sequence
 * files; CSV, whose rows may span lines, has its own reader.
 */
#ifndef PROFFER_INTAKE_LINES_H
#define PROFFER_INTAKE_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "intake/window.h"

typedef struct line_reader {
    window w;
    uint64_t line; /* number of the line handed out last */
} line_reader;

/* source is borrowed. Refuses what text_start_check refuses. */
pf_status lines_open(line_reader *r, byte_source *source, size_t window_bytes,
                     pf_error *err);
void lines_close(line_reader *r);
/* The view lives until the next call. PF_LIMIT names the line that is too long. */
pf_status lines_next(line_reader *r, text *out, bool *more, pf_error *err);

#endif
