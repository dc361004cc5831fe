/*
 * Offsets from UTC are whole minutes today, but were not always: the next minute is that of the
 * clock on the wall. A stretch of quiet minutes is left in leaps that no change of clocks makes
 * too long, the last of them minute by minute.
 */
#include "decide/quiet.h"

#include "base/clock.h"

enum { DAY_MINUTES = 1440, LONGEST_LEAP = 120 /* more than clocks are ever moved at once */ };

static uint32_t minute_of(int64_t time_us, const zone *z)
{
    calendar_time t = calendar_from_us(time_us, z);
    return (uint32_t)(t.hour * 60 + t.minute);
}

static bool is_quiet(uint32_t minute, uint32_t from, uint32_t to)
{
    if (from == to) return false;
    return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

bool quiet_at(int64_t time_us, const zone *z, uint32_t from, uint32_t to)
{
    return from != to && is_quiet(minute_of(time_us, z), from, to);
}

static int64_t next_minute(int64_t time_us, const zone *z)
{
    calendar_time t = calendar_from_us(time_us, z);
    return time_us + (60 - t.second) * US_PER_SECOND - t.microsecond;
}

int64_t quiet_next(int64_t time_us, const zone *z, uint32_t from, uint32_t to)
{
    while (quiet_at(time_us, z, from, to)) {
        uint32_t left = (to + DAY_MINUTES - minute_of(time_us, z)) % DAY_MINUTES;
        time_us = next_minute(time_us, z);
        if (left > LONGEST_LEAP + 1)
            time_us += (int64_t)(left - 1 - LONGEST_LEAP) * US_PER_MINUTE;
    }
    return time_us;
}
