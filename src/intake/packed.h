/*
 * Inside source.c: packed bytes as they come, and the two decoders that unpack them.
 * Nothing else includes this.
 */
#ifndef PROFFER_INTAKE_PACKED_H
#define PROFFER_INTAKE_PACKED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { PACKED_BYTES = 256 << 10, SOURCE_NAME_BYTES = 4096 };

/* bytes[at..end) are read and not yet taken. */
typedef struct packed_input {
    int fd; /* -1: memory */
    bool owns_fd;
    bool waits; /* a pipe: reading may block */
    bool ended; /* nothing more will come */
    const unsigned char *bytes;
    unsigned char *block; /* PACKED_BYTES, NULL for memory */
    size_t at, end;
    uint64_t size; /* 0 = unknown */
    atomic_uint_fast64_t position;
    const atomic_bool *stop;
    char name[SOURCE_NAME_BYTES];
} packed_input;

/* Makes at < end unless the input has ended. */
pf_status packed_fill(packed_input *in, pf_error *err);
/* Takes n of the bytes at hand. */
void packed_take(packed_input *in, size_t n);

typedef struct gzip_decoder gzip_decoder;
pf_status gzip_open(gzip_decoder **out, pf_error *err);
pf_status gzip_read(gzip_decoder *d, packed_input *in, void *into, size_t n, size_t *got,
                    pf_error *err);
void gzip_close(gzip_decoder *d);

typedef struct zstd_decoder zstd_decoder;
pf_status zstd_open(zstd_decoder **out, pf_error *err);
pf_status zstd_read(zstd_decoder *d, packed_input *in, void *into, size_t n, size_t *got,
                    pf_error *err);
void zstd_close(zstd_decoder *d);

#endif
