/*
 * Times as people write them <-> UTC microseconds since 1970-01-01 (int64_t, no leap
 * seconds). Accepted range: years 1900 to 2199.
 *
 * A zone is an IANA name read from the system's TZif files (RFC 8536), in the folder
 * /usr/share/zoneinfo or the one that TZDIR names. A local time that occurs twice (clocks
 * set back) means the earlier or the later instant as the caller says; one that does not
 * occur (clocks set forward) is moved forward by the gap, as RFC 5545 section 3.3.5 has
 * it. Zones are immutable and may be shared between threads.
 */
#ifndef PROFFER_BASE_CALENDAR_H
#define PROFFER_BASE_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct zone zone;

typedef enum zone_repeat { ZONE_REPEAT_EARLIER, ZONE_REPEAT_LATER } zone_repeat;

/* "UTC", "America/New_York", ...; PF_NOT_FOUND for an unknown name, PF_DATA for a broken
 * file, PF_UNAVAILABLE where the system has no zones at all. The name may hold letters,
 * digits, _ + - and / only. Free with zone_free. */
pf_status zone_open(zone **out, const char *name, pf_error *err);
/* The same from bytes of a TZif file (tests, fuzzing). */
pf_status zone_from_bytes(zone **out, const void *bytes, size_t n, pf_error *err);
void zone_free(zone *z);
const char *zone_name(const zone *z);
/* Offset from UTC in seconds that holds at an instant; z NULL means UTC. */
int32_t zone_offset_s(const zone *z, int64_t time_us);

typedef struct calendar_time {
    int year, month, day;     /* month 1-12, day 1-31 */
    int hour, minute, second; /* second 0-59 */
    int microsecond;
    int weekday; /* 0 = Monday */
} calendar_time;

calendar_time calendar_from_us(int64_t time_us, const zone *z);
int64_t calendar_to_us(const calendar_time *t, const zone *z, zone_repeat repeat);
/* Whether an instant lies within the years above, by UTC. */
bool calendar_holds(int64_t time_us);
/* Whole days since 1970-01-01 of the local date. */
int64_t calendar_day(int64_t time_us, const zone *z);
/* The first instant of the local day holding time_us: midnight, or where clocks jump over
 * midnight the instant after the jump. */
int64_t calendar_midnight_us(int64_t time_us, const zone *z);

typedef enum time_form {
    TIME_ANY, /* ISO 8601 text, or a number whose size tells s, ms or us */
    TIME_ISO, /* ISO 8601 only */
    TIME_EPOCH_S,
    TIME_EPOCH_MS,
    TIME_EPOCH_US
} time_form;

typedef struct time_rules {
    time_form form;
    const zone *local; /* for times without an offset; NULL = UTC */
    zone_repeat repeat;
} time_rules;

/* Reads "2017-01-07", "2017-01-07 18:15", "2017-01-07 18:15:32 UTC",
 * "2017-01-07T18:15:32.5+02:00", "20170107T181532Z", "1483812932", "1483812932000",
 * "1483812932000000", "1483812932.25"; exponents are refused. Digits behind the sixth
 * of a fraction of a second are cut off. Eight digits alone are a date under TIME_ISO,
 * and refused under TIME_ANY when they could be one. A date alone is the first instant of
 * the local day and sets *date_only. false with a reason in *why (static text: "the month
 * is not between 1 and 12") when it is no time of the years 1900 to 2199 (UTC); *time_us
 * and *date_only are then untouched. */
bool time_parse(const char *text, size_t n, const time_rules *rules, int64_t *time_us,
                bool *date_only, const char **why);

/* "2017-01-07T18:15:32Z" (microseconds only where not zero). Returns into, terminated. */
enum { TIME_TEXT_BYTES = 40 };
const char *time_format(int64_t time_us, char into[TIME_TEXT_BYTES]);
/* "2017-01-07" in the zone. */
const char *date_format(int64_t time_us, const zone *z, char into[TIME_TEXT_BYTES]);

#endif
