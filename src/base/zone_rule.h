/*
 * The rule at the foot of a TZif file, which holds for ever after its last transition: a
 * POSIX TZ string such as "EST5EDT,M3.2.0,M11.1.0" (POSIX.1-2017, 8.3, with the longer
 * times of RFC 8536 section 3.3.1).
 */
#ifndef PROFFER_BASE_ZONE_RULE_H
#define PROFFER_BASE_ZONE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum rule_day {
    RULE_DAY_NO_LEAP, /* Jn: 1-365, 29 February never counted */
    RULE_DAY_OF_YEAR, /* n: 0-365 */
    RULE_DAY_OF_MONTH /* Mm.w.d: weekday d (0 = Sunday) of week w (5 = last) */
} rule_day;

typedef struct rule_change {
    rule_day kind;
    int day, month, week;
    int32_t time_s; /* local time of the change, -167 to 167 hours */
} rule_change;

typedef struct zone_rule {
    int32_t standard_s, summer_s; /* offsets from UTC */
    bool has_summer;
    rule_change start, end; /* of summer time */
} zone_rule;

/* false when the text is no such rule. */
bool zone_rule_parse(zone_rule *out, const char *text, size_t n);

/* The instants (UTC seconds) at which summer time starts and ends in a year, for a rule
 * that has it. */
void zone_rule_changes(const zone_rule *rule, int year, int64_t *start, int64_t *end);

#endif
