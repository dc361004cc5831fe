/*
 * What calendar.c and quiet.c ask of a zone, in whole seconds. Other rooms use base/calendar.h.
 */
#ifndef PROFFER_BASE_ZONE_H
#define PROFFER_BASE_ZONE_H

#include <stdint.h>

#include "base/calendar.h"

/* Offset in seconds at an instant in seconds since 1970; z NULL means UTC. */
int32_t zone_offset_at(const zone *z, int64_t utc_s);

/* What a local time that does not occur means. */
typedef enum zone_gap {
    ZONE_GAP_FORWARD, /* moved on by the gap: RFC 5545 section 3.3.5 */
    ZONE_GAP_EDGE     /* the first instant after the gap: where a day begins. Taken also
                         when the time occurs later, after clocks were set back again */
} zone_gap;

/* The instant of a local time given as seconds since 1970-01-01T00:00 local. */
int64_t zone_local_to_utc(const zone *z, int64_t local_s, zone_repeat repeat,
                          zone_gap gap);

/* The first change of the offset after an instant, or INT64_MAX where none follows. */
int64_t zone_next_change_s(const zone *z, int64_t utc_s);

#endif
