/*
 * The ids that one import has met in one table, so that an id that stands twice is found
 * before the later row silently overwrites the earlier one. Keeps keyed hashes, not the ids:
 * 24 bytes each, at most LIMIT_IMPORT_BYTES in all (some 15 million ids; a false alarm
 * among them has a chance of one in a hundred thousand).
 */
#ifndef PROFFER_INTAKE_SEEN_H
#define PROFFER_INTAKE_SEEN_H

#include <stdint.h>

#include "base/text.h"

typedef struct seen_ids seen_ids;

typedef enum seen_answer {
    SEEN_NEW,
    SEEN_SAME,  /* the id with the very same row */
    SEEN_OTHER, /* the id with another row */
    SEEN_FULL,  /* no more ids can be kept */
    SEEN_NO_MEMORY
} seen_answer;

/* NULL when memory is short. */
seen_ids *seen_new(void);
/* NULL is fine. */
void seen_free(seen_ids *s);
/* Asks for the id and keeps it with *file and *line; these get where it stood first,
 * unless it is new. */
seen_answer seen_look(seen_ids *s, text id, text row, uint32_t *file, uint64_t *line);

#endif
