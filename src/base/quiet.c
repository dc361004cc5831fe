/* Quiet hours by the clock on the wall: stretches between changes of the offset are walked, so
 * that days of 23 and 25 hours need no rule of their own. */
#include "base/quiet.h"

#include "base/civil.h"
#include "base/clock.h"
#include "base/zone.h"

static const int64_t last_us = INT64_MAX - 2 * US_PER_DAY;

const char *quiet_check_parameters(quiet_hours q)
{
    if (q.from_minute < 0 || q.from_minute > QUIET_MINUTES || q.to_minute < 0 ||
        q.to_minute > QUIET_MINUTES)
        return "quiet hours begin and end at minutes 0 to 1440 of the local day";
    return NULL;
}

static int64_t local_second(int64_t utc_s, const zone *z)
{
    return floor_modulo(utc_s + zone_offset_at(z, utc_s), SECONDS_PER_DAY);
}

static bool second_is_quiet(int64_t second, quiet_hours q)
{
    const int64_t from = q.from_minute * 60, to = q.to_minute * 60;
    if (from <= to) return second >= from && second < to;
    return second >= from || second < to;
}

bool quiet_holds(int64_t at_us, const zone *z, quiet_hours q)
{
    return second_is_quiet(local_second(floor_divide(at_us, US_PER_SECOND), z), q);
}

int64_t quiet_next(int64_t from_us, const zone *z, quiet_hours q)
{
    if (from_us > last_us) return INT64_MIN;
    if (!quiet_holds(from_us, z, q)) return from_us;
    if (q.from_minute == 0 && q.to_minute == QUIET_MINUTES) return INT64_MIN;
    int64_t s = floor_divide(from_us, US_PER_SECOND);
    for (;;) {
        const int64_t second = local_second(s, z);
        if (!second_is_quiet(second, q)) return s * US_PER_SECOND;
        const int64_t end = s + floor_modulo(q.to_minute * 60 - second, SECONDS_PER_DAY);
        const int64_t change = zone_next_change_s(z, s);
        s = change < end ? change : end;
        if (s > last_us / US_PER_SECOND) return INT64_MIN;
    }
}

int64_t quiet_hour_end(int64_t at_us, const zone *z)
{
    if (at_us > last_us) return INT64_MAX;
    const int64_t s = floor_divide(at_us, US_PER_SECOND);
    const int64_t end = s + 3600 - local_second(s, z) % 3600;
    const int64_t change = zone_next_change_s(z, s);
    return (change < end ? change : end) * US_PER_SECOND;
}
