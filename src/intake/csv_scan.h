/*
 * The hot loop of CSV: where in 64 bytes are the bytes that end an unquoted field?
 * csv_block_mask uses SSE2 where there is any (every x86-64 has it) and is otherwise its
 * own plain twin, against which the tests hold it.
 */
#ifndef PROFFER_INTAKE_CSV_SCAN_H
#define PROFFER_INTAKE_CSV_SCAN_H

#include <stddef.h>
#include <stdint.h>

/* Bit i is set when p[i] is the delimiter, CR or LF; p[0..63] must be readable. */
uint64_t csv_block_mask(const char *p, char delimiter);
uint64_t csv_block_mask_plain(const char *p, char delimiter);

/* Remembers the last block, since several fields end in one. Zero before use. */
typedef struct csv_scan {
    const char *base;
    uint64_t mask;
} csv_scan;

/* The first such byte at or behind p and before end, or end. WINDOW_SLACK bytes behind end
 * must be readable. The window must not have moved since the scan began. */
static inline const char *csv_scan_next(csv_scan *s, const char *p, const char *end,
                                        char delimiter)
{
    if (s->base == NULL || p < s->base || p >= s->base + 64) {
        s->base = p;
        s->mask = p < end ? csv_block_mask(p, delimiter) : 0;
    }
    uint64_t mask = s->mask & (~UINT64_C(0) << (p - s->base));
    while (mask == 0) {
        s->base += 64;
        if (s->base >= end) {
            s->base = NULL;
            return end;
        }
        mask = s->mask = csv_block_mask(s->base, delimiter);
    }
    const char *found = s->base + __builtin_ctzll(mask);
    return found < end ? found : end;
}

#endif
