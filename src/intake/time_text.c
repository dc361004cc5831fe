/* Dates in other orders, brought into ISO 8601's; see time_text.h. */
#include "intake/time_text.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum { ISO_BYTES = 64 };

/* Up to `most` digits at *at. */
static bool take_number(text value, size_t *at, size_t most, int *out)
{
    const size_t from = *at;
    int n = 0;
    while (*at < value.n && *at - from < most && value.data[*at] >= '0' &&
           value.data[*at] <= '9')
        n = 10 * n + (value.data[(*at)++] - '0');
    *out = n;
    return *at > from;
}

static bool take_separator(text value, size_t *at)
{
    if (*at >= value.n || strchr("/.-", value.data[*at]) == NULL) return false;
    (*at)++;
    return true;
}

/* "8:26" -> " 08:26": hours of one digit are usual beside such dates. */
static bool append_clock(text clock, char *iso, size_t n)
{
    if (clock.n == 0) return true;
    if (clock.data[0] != ' ' && clock.data[0] != 'T') return false;
    const bool one_digit = clock.n > 2 && clock.data[2] == ':';
    const int written = snprintf(iso + n, ISO_BYTES - n, " %s%.*s", one_digit ? "0" : "",
                                 (int)clock.n - 1, clock.data + 1);
    return written > 0 && (size_t)written < ISO_BYTES - n;
}

static bool to_iso(text value, bool day_first, char iso[ISO_BYTES])
{
    int first, second, year;
    size_t at = 0;
    if (!take_number(value, &at, 2, &first) || !take_separator(value, &at) ||
        !take_number(value, &at, 2, &second) || !take_separator(value, &at))
        return false;
    const size_t year_from = at;
    if (!take_number(value, &at, 4, &year) || at - year_from != 4) return false;
    const int n = snprintf(iso, ISO_BYTES, "%04d-%02d-%02d", year,
                           day_first ? second : first, day_first ? first : second);
    return append_clock((text){value.data + at, value.n - at}, iso, (size_t)n);
}

bool time_text_parse(text value, map_time_form form, const time_rules *rules,
                     int64_t *time_us, bool *date_only, const char **why)
{
    static const time_form forms[] = {[MAP_TIME_UNSET] = TIME_ANY,
                                      [MAP_TIME_ANY] = TIME_ANY,
                                      [MAP_TIME_ISO] = TIME_ISO,
                                      [MAP_TIME_EPOCH_S] = TIME_EPOCH_S,
                                      [MAP_TIME_EPOCH_MS] = TIME_EPOCH_MS,
                                      [MAP_TIME_EPOCH_US] = TIME_EPOCH_US,
                                      [MAP_TIME_DAY_MONTH_YEAR] = TIME_ISO,
                                      [MAP_TIME_MONTH_DAY_YEAR] = TIME_ISO};
    char iso[ISO_BYTES];
    time_rules local = *rules;
    local.form = forms[form];
    if (form == MAP_TIME_DAY_MONTH_YEAR || form == MAP_TIME_MONTH_DAY_YEAR) {
        if (!to_iso(value, form == MAP_TIME_DAY_MONTH_YEAR, iso)) {
            *why = form == MAP_TIME_DAY_MONTH_YEAR
                       ? "it is not written as day/month/year, as the mapping says"
                       : "it is not written as month/day/year, as the mapping says";
            return false;
        }
        value = text_of(iso);
    }
    return time_parse(value.data, value.n, &local, time_us, date_only, why);
}

int64_t time_end_of_day(int64_t time_us, const zone *z)
{
    /* Days have 23 to 25 hours: noon of the day after is safely inside it. */
    return calendar_midnight_us(calendar_midnight_us(time_us, z) + 36 * US_PER_HOUR, z);
}
