/*
 * Quiet hours: when nothing is sent. They are minutes of the shopper's local day, 0 .. 1439,
 * from `from` (in) until `to` (out); they may go over midnight (21:00 to 08:00); equal ones are
 * none. Local minutes are what a clock on the wall shows, also on the days when clocks change.
 * Pure functions; zone NULL = UTC.
 */
#ifndef PROFFER_DECIDE_QUIET_H
#define PROFFER_DECIDE_QUIET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/calendar.h"

bool quiet_at(int64_t time_us, const zone *z, uint32_t from, uint32_t to);
/* The first moment from time_us on that is not quiet: time_us itself, or the start of a minute. */
int64_t quiet_next(int64_t time_us, const zone *z, uint32_t from, uint32_t to);

#endif
