/*
 * Reads POSIX TZ rules (base/zone_rule.h) by descending through the text once; every
 * function moves the cursor behind what it took and says whether it was there.
 */
#include "base/zone_rule.h"

#include <string.h>

#include "base/civil.h"

typedef struct cursor {
    const char *p, *end;
} cursor;

static bool take(cursor *c, char wanted)
{
    if (c->p >= c->end || *c->p != wanted) return false;
    c->p++;
    return true;
}

static bool take_number(cursor *c, int lowest, int highest, int *out)
{
    const char *from = c->p;
    int value = 0;
    while (c->p < c->end && *c->p >= '0' && *c->p <= '9' && c->p - from < 3)
        value = value * 10 + (*c->p++ - '0');
    *out = value;
    return c->p > from && value >= lowest && value <= highest;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "EST" or "<+03>"; what it says is of no interest here. */
static bool skip_name(cursor *c)
{
    if (take(c, '<')) {
        const char *close = memchr(c->p, '>', (size_t)(c->end - c->p));
        if (!close || close == c->p) return false;
        c->p = close + 1;
        return true;
    }
    const char *from = c->p;
    while (c->p < c->end && is_letter(*c->p))
        c->p++;
    return c->p - from >= 3;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool take_time(cursor *c, int most_hours, int32_t *out)
{
    bool negative = take(c, '-');
    if (!negative) (void)take(c, '+');
    int hours, minutes = 0, seconds = 0;
    if (!take_number(c, 0, most_hours, &hours)) return false;
    if (take(c, ':')) {
        if (!take_number(c, 0, 59, &minutes)) return false;
        if (take(c, ':') && !take_number(c, 0, 59, &seconds)) return false;
    }
    int32_t total = hours * 3600 + minutes * 60 + seconds;
    *out = negative ? -total : total;
    return true;
}

static bool take_change(cursor *c, rule_change *out)
{
    *out = (rule_change){.time_s = 2 * 3600};
    if (!take(c, ',')) return false;
    bool good;
    if (take(c, 'J')) {
        out->kind = RULE_DAY_NO_LEAP;
        good = take_number(c, 1, 365, &out->day);
    } else if (take(c, 'M')) {
        out->kind = RULE_DAY_OF_MONTH;
        good = take_number(c, 1, 12, &out->month) && take(c, '.') &&
               take_number(c, 1, 5, &out->week) && take(c, '.') &&
               take_number(c, 0, 6, &out->day);
    } else {
        out->kind = RULE_DAY_OF_YEAR;
        good = take_number(c, 0, 365, &out->day);
    }
    if (good && take(c, '/')) good = take_time(c, 167, &out->time_s);
    return good;
}

bool zone_rule_parse(zone_rule *out, const char *text, size_t n)
{
    cursor c = {text, text + n};
    zone_rule r = {0};
    int32_t west;
    if (!skip_name(&c) || !take_time(&c, 24, &west)) return false;
    r.standard_s = -west; /* POSIX counts hours west of Greenwich */
    r.summer_s = r.standard_s + 3600;
    if (c.p < c.end) {
        r.has_summer = true;
        if (!skip_name(&c)) return false;
        if (c.p < c.end && *c.p != ',') {
            if (!take_time(&c, 24, &west)) return false;
            r.summer_s = -west;
        }
        if (!take_change(&c, &r.start) || !take_change(&c, &r.end)) return false;
    }
    if (c.p != c.end) return false;
    *out = r;
    return true;
}

/* Days since 1970 of a change in a year. */
static int64_t change_day(const rule_change *r, int year)
{
    int64_t january = civil_to_days(year, 1, 1);
    if (r->kind == RULE_DAY_OF_YEAR) return january + r->day;
    if (r->kind == RULE_DAY_NO_LEAP)
        return january + r->day - 1 + (civil_is_leap(year) && r->day >= 60);
    int64_t first = civil_to_days(year, r->month, 1);
    int sunday_based = (civil_weekday(first) + 1) % 7;
    int64_t day = first + (r->day - sunday_based + 7) % 7 + (int64_t)(r->week - 1) * 7;
    while (day >= first + civil_days_in_month(year, r->month))
        day -= 7;
    return day;
}

void zone_rule_changes(const zone_rule *rule, int year, int64_t *start, int64_t *end)
{
    *start = change_day(&rule->start, year) * SECONDS_PER_DAY + rule->start.time_s -
             rule->standard_s;
    *end = change_day(&rule->end, year) * SECONDS_PER_DAY + rule->end.time_s -
           rule->summer_s;
}
