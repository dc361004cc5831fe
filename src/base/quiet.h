/*
 * Quiet hours: the part of every local day in which nobody is disturbed, and the steps of a
 * local clock that whoever looks for a moment to send takes.
 *
 *     const quiet_hours night = {21 * 60, 8 * 60};              // 21:00-08:00
 *     int64_t at = quiet_next(now_us, zone_of_shopper, night);  // now, or 08:00
 *
 * A moment is quiet when the clock on the wall says so: from_minute <= minutes since 00:00 <
 * to_minute, or outside of that where from_minute > to_minute, which wraps midnight. So when
 * clocks are set back, an hour that occurs twice is quiet twice or not at all, and a limit
 * inside it takes effect twice; when they are set forward over a limit, it takes effect at the
 * jump. Both limits equal: no quiet hours. {0, 1440}: always quiet.
 *
 * Pure functions of any thread. A zone of NULL is UTC.
 */
#ifndef PROFFER_BASE_QUIET_H
#define PROFFER_BASE_QUIET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/calendar.h"

enum { QUIET_MINUTES = 24 * 60 };

typedef struct quiet_hours {
    int from_minute, to_minute; /* of the local day, 0 to QUIET_MINUTES */
} quiet_hours;

/* NULL, or what is wrong and what it should be (static text). The functions below want hours
 * that pass. */
const char *quiet_check_parameters(quiet_hours q);

bool quiet_holds(int64_t at_us, const zone *z, quiet_hours q);
/* The earliest moment at or after from_us that is not quiet; INT64_MIN where there is none:
 * always quiet, or from_us within two days of the last of all int64_t. */
int64_t quiet_next(int64_t from_us, const zone *z, quiet_hours q);

/* The first moment after at_us at which the local clock begins another hour or is set: what lies
 * between has one local date and hour. INT64_MAX within two days of it. */
int64_t quiet_hour_end(int64_t at_us, const zone *z);

#endif
