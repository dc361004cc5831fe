/*
 * A source of bytes: a file, a pipe, standard input or memory, unpacked on the way when
 * its first bytes are those of gzip or zstd (the name does not matter). Folders, devices
 * and unreadable files are refused; a compressed stream that ends early or does not match
 * its checksum is PF_DATA, never a short read.
 *
 *     byte_source *s;
 *     if (byte_source_open(&s, "events.csv.gz", NULL, err) != PF_OK) ...
 *     while (byte_source_read(s, block, sizeof block, &got, err) == PF_OK && got > 0) ...
 *     byte_source_close(s);
 *
 * One thread reads; byte_source_position may be asked by any thread meanwhile.
 */
#ifndef PROFFER_INTAKE_SOURCE_H
#define PROFFER_INTAKE_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

/* As many unpacked bytes can be looked at before reading. */
enum { SOURCE_PEEK_BYTES = 64 << 10 };

typedef struct byte_source byte_source;

/* path "-" is standard input. stop, if not NULL, ends a read that waits for a pipe with
 * PF_CANCELLED once it is true; so does progress_cancelled(). PF_NOT_FOUND, PF_IO (also for
 * folders and devices). Free with byte_source_close. */
pf_status byte_source_open(byte_source **out, const char *path, const atomic_bool *stop,
                           pf_error *err);
/* Bytes stay the caller's and must outlive the source. name is for messages. */
pf_status byte_source_from_memory(byte_source **out, const void *bytes, size_t n,
                                  const char *name, pf_error *err);
/* NULL is fine. */
void byte_source_close(byte_source *s);

/* Up to n unpacked bytes; fewer only at the end, *got 0 = nothing is left. PF_IO, PF_DATA,
 * PF_CANCELLED, PF_NO_MEMORY; the source is of no use after a failure. */
pf_status byte_source_read(byte_source *s, void *into, size_t n, size_t *got,
                           pf_error *err);
/* The first unpacked bytes, up to SOURCE_PEEK_BYTES, without taking them: only before the
 * first read. The view lives until then. */
pf_status byte_source_peek(byte_source *s, text *out, pf_error *err);

/* Packed bytes taken so far, and in all (0 = unknown: a pipe). For progress. */
uint64_t byte_source_position(const byte_source *s);
uint64_t byte_source_size(const byte_source *s);
/* The path, or "standard input". */
const char *byte_source_name(const byte_source *s);
/* true for a pipe: it cannot be opened a second time. */
bool byte_source_is_stream(const byte_source *s);

#endif
