/*
 * Progress of long work: a bar with rate and time left on a terminal, a plain line every
 * few seconds elsewhere, nothing when quiet. On stderr.
 *
 *     progress *p = progress_begin("importing events", total_bytes, "B");
 *     progress_update(p, done_bytes, events);   // cheap: draws at most 10 times a second
 *     progress_end(p);
 *
 * progress_cancelled() becomes true after the first SIGINT or SIGTERM once
 * progress_catch_signals() was called; long loops ask it and return PF_CANCELLED.
 * progress_update may be called by one thread at a time.
 */
#ifndef PROFFER_BASE_PROGRESS_H
#define PROFFER_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct progress progress;

/* total 0 = unknown. noun names what `count` counts ("events"). NULL when quiet or out of
 * memory; every function takes NULL. */
progress *progress_begin(const char *what, uint64_t total, const char *noun);
/* done of total; count things so far. */
void progress_update(progress *p, uint64_t done, uint64_t count);
/* Extra words behind the bar ("loss 1.234"). */
void progress_note(progress *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void progress_end(progress *p);

void progress_set_quiet(bool quiet);
void progress_catch_signals(void);
bool progress_cancelled(void);

#endif
