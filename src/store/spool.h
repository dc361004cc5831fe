/*
 * A spool: sorted runs of records that do not fit in memory, in an unlinked temporary
 * file beside the database. The file has no name, so a crash leaves nothing behind. Made
 * when the first run is written.
 *
 *     spool_begin_run(sp, err); spool_write(sp, bytes, n, err) ...; spool_end_run(sp,
 * err);
 *     ... merge.h reads the runs back
 */
#ifndef PROFFER_STORE_SPOOL_H
#define PROFFER_STORE_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { SPOOL_BLOCK_BYTES = 1 << 20 };

typedef struct spool_run {
    uint64_t from, bytes;
} spool_run;

typedef struct spool {
    const char *folder; /* the caller's, outlives the spool */
    int fd;             /* -1: no file yet */
    uint64_t size;      /* written or held */
    unsigned char *block;
    size_t held;
    spool_run *runs;
    size_t n_runs, capacity;
} spool;

void spool_init(spool *sp, const char *folder);
void spool_free(spool *sp);

/* Between begin and end the bytes of one run are written. PF_IO, PF_NO_MEMORY. */
pf_status spool_begin_run(spool *sp, pf_error *err);
pf_status spool_write(spool *sp, const void *bytes, size_t n, pf_error *err);
pf_status spool_end_run(spool *sp, pf_error *err);

/* Reads at a place that was written; n bytes exactly. */
pf_status spool_read(const spool *sp, uint64_t at, void *into, size_t n, pf_error *err);

#endif
