/*
 * The proleptic Gregorian calendar: dates <-> days since 1970-01-01. Pure arithmetic, no
 * zones; calendar.c and the zone rules stand on it. The year is counted from March, so
 * that the leap day is its last, in eras of 400 years (146097 days), as in H. Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms" (2013).
 */
#ifndef PROFFER_BASE_CIVIL_H
#define PROFFER_BASE_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

enum { DAYS_PER_ERA = 146097, DAYS_FROM_ERA_TO_1970 = 719468, SECONDS_PER_DAY = 86400 };

typedef struct civil_date {
    int year, month, day; /* month 1-12, day 1-31 */
} civil_date;

/* Quotient and remainder that round down, also below zero; divisor > 0. */
static inline int64_t floor_divide(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return a % b < 0 ? q - 1 : q;
}

static inline int64_t floor_modulo(int64_t a, int64_t b)
{
    int64_t r = a % b;
    return r < 0 ? r + b : r;
}

static inline bool civil_is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static inline int civil_days_in_month(int year, int month)
{
    static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && civil_is_leap(year) ? 29 : days[month - 1];
}

static inline int64_t civil_to_days(int year, int month, int day)
{
    int64_t y = month <= 2 ? (int64_t)year - 1 : year;
    int64_t era = floor_divide(y, 400), year_of_era = y - era * 400;
    int64_t month_from_march = month > 2 ? month - 3 : month + 9;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_FROM_ERA_TO_1970;
}

static inline civil_date civil_from_days(int64_t days)
{
    int64_t z = days + DAYS_FROM_ERA_TO_1970;
    int64_t era = floor_divide(z, DAYS_PER_ERA), day_of_era = z - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march = (5 * day_of_year + 2) / 153;
    civil_date d;
    d.day = (int)(day_of_year - (153 * march + 2) / 5 + 1);
    d.month = (int)(march < 10 ? march + 3 : march - 9);
    d.year = (int)(year_of_era + era * 400 + (d.month <= 2));
    return d;
}

/* 0 = Monday; 1970-01-01 was a Thursday. */
static inline int civil_weekday(int64_t days)
{
    return (int)floor_modulo(days + 3, 7);
}

#endif
