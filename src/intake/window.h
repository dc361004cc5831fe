/*
 * A window on a byte source: the bytes from the start of the row being read onwards, all
 * in one piece. It grows when a row does not fit, up to a maximum.
 *
 *     bytes[at .. end) are read and not yet taken; WINDOW_SLACK zero bytes follow end,
 *     so that a scan may look at whole blocks.
 *
 * Filling reads until the window is full or the source has ended, so a pipe that hands out
 * one byte at a time costs no more than one that does not. Internal to the readers.
 */
#ifndef PROFFER_INTAKE_WINDOW_H
#define PROFFER_INTAKE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "intake/source.h"

enum { WINDOW_SLACK = 64, WINDOW_BYTES = 256 << 10 };

typedef struct window {
    byte_source *source; /* borrowed */
    char *bytes;
    size_t at, end, capacity; /* capacity without the slack */
    size_t maximum;
    bool ended; /* the source has no more */
} window;

/* start_bytes: the first capacity (tests choose small ones), WINDOW_BYTES as a rule. */
pf_status window_open(window *w, byte_source *source, size_t start_bytes, size_t maximum,
                      pf_error *err);
void window_close(window *w);

/* More bytes behind those that are there: moves the untaken ones to the front, doubles
 * the window when they fill more than half of it, reads. Does nothing once ended. PF_LIMIT
 * when the untaken bytes have reached the maximum (err is not written: the caller knows
 * the line), otherwise what the source answers. Views into the window become invalid. */
pf_status window_fill(window *w, pf_error *err);

#endif
