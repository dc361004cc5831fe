/*
 * Times as text and as parts (base/calendar.h). Reading is on the import's hot path: it
 * goes through the bytes once, with no locale and no allocation, and every refusal has a
 * reason of its own.
 */
#include "base/calendar.h"

#include "base/civil.h"
#include "base/clock.h"
#include "base/zone.h"

enum { FIRST_YEAR = 1900, LAST_YEAR = 2199 };

/* 1900-01-01 and 2200-01-01 in UTC seconds. */
static const int64_t first_s = INT64_C(-2208988800), behind_last_s = INT64_C(7258118400);

/* ---- parts ---- */

calendar_time calendar_from_us(int64_t time_us, const zone *z)
{
    int64_t utc_s = floor_divide(time_us, US_PER_SECOND);
    int64_t local_s = utc_s + zone_offset_at(z, utc_s);
    int64_t days = floor_divide(local_s, SECONDS_PER_DAY);
    int second_of_day = (int)(local_s - days * SECONDS_PER_DAY);
    civil_date d = civil_from_days(days);
    return (calendar_time){
        .year = d.year,
        .month = d.month,
        .day = d.day,
        .hour = second_of_day / 3600,
        .minute = second_of_day / 60 % 60,
        .second = second_of_day % 60,
        .microsecond = (int)floor_modulo(time_us, US_PER_SECOND),
        .weekday = civil_weekday(days),
    };
}

bool calendar_holds(int64_t time_us)
{
    const int64_t utc_s = floor_divide(time_us, US_PER_SECOND);
    return utc_s >= first_s && utc_s < behind_last_s;
}

int64_t calendar_to_us(const calendar_time *t, const zone *z, zone_repeat repeat)
{
    int64_t local_s = civil_to_days(t->year, t->month, t->day) * SECONDS_PER_DAY +
                      t->hour * 3600 + t->minute * 60 + t->second;
    return zone_local_to_utc(z, local_s, repeat, ZONE_GAP_FORWARD) * US_PER_SECOND +
           t->microsecond;
}

int64_t calendar_day(int64_t time_us, const zone *z)
{
    int64_t utc_s = floor_divide(time_us, US_PER_SECOND);
    return floor_divide(utc_s + zone_offset_at(z, utc_s), SECONDS_PER_DAY);
}

int64_t calendar_midnight_us(int64_t time_us, const zone *z)
{
    int64_t local_s = calendar_day(time_us, z) * SECONDS_PER_DAY;
    return zone_local_to_utc(z, local_s, ZONE_REPEAT_EARLIER, ZONE_GAP_EDGE) *
           US_PER_SECOND;
}

/* ---- reading ---- */

typedef struct reader {
    const char *p, *end;
    const char *why;
} reader;

static bool refuse(reader *r, const char *why)
{
    r->why = why;
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly `width` digits. */
static bool take_digits(reader *r, int width, int *out)
{
    if (r->end - r->p < width) return false;
    int value = 0;
    for (int i = 0; i < width; i++) {
        if (!is_digit(r->p[i])) return false;
        value = value * 10 + (r->p[i] - '0');
    }
    r->p += width;
    *out = value;
    return true;
}

static bool take_char(reader *r, char c)
{
    if (r->p >= r->end || *r->p != c) return false;
    r->p++;
    return true;
}

/* Digits of a fraction, of which the first six count; later ones are cut off. */
static bool take_fraction(reader *r, int *microseconds)
{
    int value = 0, digits = 0;
    for (; r->p < r->end && is_digit(*r->p); r->p++, digits++) {
        if (digits < 6) value = value * 10 + (*r->p - '0');
    }
    if (digits == 0) return refuse(r, "there are no digits behind the decimal point");
    for (; digits < 6; digits++)
        value *= 10;
    *microseconds = value;
    return true;
}

/* YYYY-MM-DD or YYYYMMDD -> days since 1970. */
static bool take_date(reader *r, int64_t *days)
{
    int year, month, day;
    if (!take_digits(r, 4, &year))
        return refuse(r, "a time begins with a year of four digits or is a number");
    bool dashes = take_char(r, '-');
    if (!take_digits(r, 2, &month) || (dashes && !take_char(r, '-')) ||
        !take_digits(r, 2, &day))
        return refuse(r, "a date is written as YYYY-MM-DD");
    if (year < FIRST_YEAR || year > LAST_YEAR)
        return refuse(r, "the year is not between 1900 and 2199");
    if (month < 1 || month > 12) return refuse(r, "the month is not between 1 and 12");
    if (day < 1 || day > civil_days_in_month(year, month))
        return refuse(r, "the month has no such day");
    *days = civil_to_days(year, month, day);
    return true;
}

/* HH:MM, HH:MM:SS, HHMM or HHMMSS, then perhaps a fraction -> second of the day. */
static bool take_clock(reader *r, int *second_of_day, int *microseconds)
{
    int hour, minute, second = 0;
    if (!take_digits(r, 2, &hour))
        return refuse(r, "the time of day is written as HH:MM:SS");
    bool colons = take_char(r, ':');
    if (!take_digits(r, 2, &minute))
        return refuse(r, "the time of day is written as HH:MM:SS");
    bool seconds = colons ? take_char(r, ':') : r->p < r->end && is_digit(*r->p);
    if (seconds && !take_digits(r, 2, &second))
        return refuse(r, "the time of day is written as HH:MM:SS");
    if (hour > 23) return refuse(r, "the hour is not between 0 and 23");
    if (minute > 59) return refuse(r, "the minute is not between 0 and 59");
    if (second > 59) return refuse(r, "the second is not between 0 and 59");
    if (seconds && (take_char(r, '.') || take_char(r, ',')) &&
        !take_fraction(r, microseconds))
        return false;
    *second_of_day = hour * 3600 + minute * 60 + second;
    return true;
}

/* Z, UTC, GMT, +HH, +HH:MM or +HHMM, perhaps behind a space; *present false for none. */
static bool take_offset(reader *r, bool *present, int *offset_s)
{
    *present = r->p < r->end;
    if (!*present) return true;
    (void)take_char(r, ' ');
    *offset_s = 0;
    if (take_char(r, 'Z') || take_char(r, 'z')) return true;
    if (r->end - r->p == 3 && ((r->p[0] == 'U' && r->p[1] == 'T' && r->p[2] == 'C') ||
                               (r->p[0] == 'G' && r->p[1] == 'M' && r->p[2] == 'T'))) {
        r->p += 3;
        return true;
    }
    bool negative = take_char(r, '-');
    if (!negative && !take_char(r, '+'))
        return refuse(r, "behind the time stands something that is no offset from UTC");
    int hours, minutes = 0;
    if (!take_digits(r, 2, &hours))
        return refuse(r, "an offset from UTC is written as +HH:MM");
    bool colon = take_char(r, ':');
    if ((colon || r->p < r->end) && !take_digits(r, 2, &minutes))
        return refuse(r, "an offset from UTC is written as +HH:MM");
    if (hours > 23 || minutes > 59)
        return refuse(r, "the offset from UTC is not within 24 hours");
    *offset_s = (hours * 3600 + minutes * 60) * (negative ? -1 : 1);
    return true;
}

static bool in_range(reader *r, int64_t utc_s)
{
    if (utc_s < first_s || utc_s >= behind_last_s)
        return refuse(r, "the time is not between the years 1900 and 2199");
    return true;
}

static bool read_iso(reader *r, const time_rules *rules, int64_t *time_us,
                     bool *date_only)
{
    int64_t days;
    if (!take_date(r, &days)) return false;
    *date_only = r->p == r->end;
    int64_t local_s = days * SECONDS_PER_DAY, utc_s;
    if (*date_only) {
        utc_s =
            zone_local_to_utc(rules->local, local_s, ZONE_REPEAT_EARLIER, ZONE_GAP_EDGE);
        *time_us = utc_s * US_PER_SECOND;
        return in_range(r, utc_s);
    }
    if (!take_char(r, 'T') && !take_char(r, ' ') && !take_char(r, 't'))
        return refuse(r, "between date and time of day stands a T or a space");
    int second_of_day, microseconds = 0, offset_s = 0;
    bool present;
    if (!take_clock(r, &second_of_day, &microseconds) ||
        !take_offset(r, &present, &offset_s))
        return false;
    if (r->p != r->end) return refuse(r, "there is something behind the time");
    local_s += second_of_day;
    utc_s = present ? local_s - offset_s
                    : zone_local_to_utc(rules->local, local_s, rules->repeat,
                                        ZONE_GAP_FORWARD);
    *time_us = utc_s * US_PER_SECOND + microseconds;
    return in_range(r, utc_s);
}

/* A number of a unit since 1970: whole part and the fraction's first six digits. */
static bool take_number(reader *r, int64_t *whole, int *millionths, bool *negative)
{
    *negative = take_char(r, '-');
    const char *from = r->p;
    int64_t value = 0;
    for (; r->p < r->end && is_digit(*r->p); r->p++)
        value = r->p - from < 18 ? value * 10 + (*r->p - '0') : value;
    if (r->p == from) return refuse(r, "it is neither a date nor a number of seconds");
    if (r->p - from > 18) return refuse(r, "the number is too large for a time");
    *whole = value;
    *millionths = 0;
    if (take_char(r, '.') && !take_fraction(r, millionths)) return false;
    if (r->p != r->end) return refuse(r, "there is something behind the number");
    return true;
}

/* The size tells the unit: numbers of seconds stay under 10^11 until the year 5138, of
 * milliseconds above it since 1973, of microseconds above 10^14 since 1973. */
static time_form form_by_size(int64_t whole)
{
    if (whole < INT64_C(100000000000)) return TIME_EPOCH_S;
    return whole < INT64_C(100000000000000) ? TIME_EPOCH_MS : TIME_EPOCH_US;
}

static bool read_number(reader *r, time_form form, int64_t *time_us)
{
    int64_t whole, us;
    int millionths;
    bool negative;
    if (!take_number(r, &whole, &millionths, &negative)) return false;
    if (form == TIME_ANY) form = form_by_size(whole);
    int64_t unit_us = form == TIME_EPOCH_S    ? US_PER_SECOND
                      : form == TIME_EPOCH_MS ? 1000
                                              : 1;
    if (__builtin_mul_overflow(whole, unit_us, &us))
        return refuse(r, "the number is too large for a time");
    us += millionths * unit_us / 1000000;
    *time_us = negative ? -us : us;
    return in_range(r, floor_divide(*time_us, US_PER_SECOND));
}

/* Eight digits that make a date: nobody can tell whether they are one. */
static bool is_ambiguous(const char *text, size_t n)
{
    reader r = {text, text + n, NULL};
    int64_t days;
    return n == 8 && take_date(&r, &days);
}

static bool looks_like_number(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_digit(text[i]) && text[i] != '.' && !(i == 0 && text[i] == '-'))
            return false;
    }
    return true;
}

bool time_parse(const char *text, size_t n, const time_rules *rules, int64_t *time_us,
                bool *date_only, const char **why)
{
    reader r = {text, text + n, NULL};
    bool good, date = false;
    int64_t us = 0;
    if (n == 0)
        good = refuse(&r, "the time is empty");
    else if (rules->form == TIME_ISO)
        good = read_iso(&r, rules, &us, &date);
    else if (rules->form != TIME_ANY)
        good = read_number(&r, rules->form, &us);
    else if (n >= 10 && text[4] == '-')
        good = read_iso(&r, rules, &us, &date);
    else if (!looks_like_number(text, n))
        good = read_iso(&r, rules, &us, &date);
    else if (is_ambiguous(text, n))
        good = refuse(&r, "eight digits may be a date or seconds: say which form it is");
    else
        good = read_number(&r, TIME_ANY, &us);
    if (good) {
        *time_us = us;
        *date_only = date;
    } else {
        *why = r.why;
    }
    return good;
}

/* ---- writing ---- */

/* The number in at least `width` digits; returns where they end. */
static char *put_number(char *p, int value, int width)
{
    char digits[12];
    int n = 0;
    unsigned rest = value < 0 ? 0u - (unsigned)value : (unsigned)value;
    if (value < 0) *p++ = '-';
    do {
        digits[n++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    for (int i = n; i < width; i++)
        *p++ = '0';
    while (n > 0)
        *p++ = digits[--n];
    return p;
}

static char *put_date(char *p, const calendar_time *t)
{
    p = put_number(p, t->year, 4);
    *p++ = '-';
    p = put_number(p, t->month, 2);
    *p++ = '-';
    return put_number(p, t->day, 2);
}

const char *time_format(int64_t time_us, char into[TIME_TEXT_BYTES])
{
    calendar_time t = calendar_from_us(time_us, NULL);
    char *p = put_date(into, &t);
    *p++ = 'T';
    p = put_number(p, t.hour, 2);
    *p++ = ':';
    p = put_number(p, t.minute, 2);
    *p++ = ':';
    p = put_number(p, t.second, 2);
    if (t.microsecond) {
        *p++ = '.';
        p = put_number(p, t.microsecond, 6);
    }
    *p++ = 'Z';
    *p = '\0';
    return into;
}

const char *date_format(int64_t time_us, const zone *z, char into[TIME_TEXT_BYTES])
{
    calendar_time t = calendar_from_us(time_us, z);
    *put_date(into, &t) = '\0';
    return into;
}
