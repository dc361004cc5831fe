/*
 * Amounts (base/money.h): digits are read straight into minor units, with the checks of a
 * hand-written number; plain numbers, which are nearly all, never look at symbols.
 */
#include "base/money.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/currency.h"
#include "base/limits.h"

enum { LARGEST_EXPONENT = 4 };

static const int64_t powers[LARGEST_EXPONENT + 1] = {1, 10, 100, 1000, 10000};

static bool refuse(const char **why, const char *reason)
{
    *why = reason;
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes spaces, sign and the currency's mark off both ends. */
static bool strip(const char **text, size_t *n, const currency *c, bool *negative,
                  const char **why)
{
    const char *p = *text, *end = p + *n;
    *negative = p < end && *p == '-';
    if (*negative) p++;
    size_t front = 0, back = 0;
    if (p < end && !is_digit(*p) && *p != '.' && *p != ',') {
        front = currency_mark_at_start(p, (size_t)(end - p), c);
        if (front == 0) return refuse(why, "it is not an amount of this currency");
        p += front;
        p += p < end && *p == ' ';
        if (!*negative && p < end && *p == '-') {
            *negative = true;
            p++;
        }
    }
    if (p < end && !is_digit(end[-1]) && end[-1] != '.' && end[-1] != ',') {
        back = currency_mark_at_end(p, (size_t)(end - p), c);
        if (back == 0) return refuse(why, "it is not an amount of this currency");
        end -= back;
        end -= end > p && end[-1] == ' ';
    }
    if (front && back) return refuse(why, "the currency is written twice");
    *text = p;
    *n = (size_t)(end - p);
    return true;
}

/* One more digit; false when the limit is passed. */
static bool push_digit(int64_t *value, char digit)
{
    if (*value > LIMIT_MONEY_MINOR / 10) return false;
    *value = *value * 10 + (digit - '0');
    return *value <= LIMIT_MONEY_MINOR;
}

static const char *const too_large = "the amount is larger than 10^15 minor units";

/* With what to do when the sign was meant as the decimal one. */
static const char *bad_groups(char group)
{
    return group == ','
               ? "thousands are not in groups of three (a mapping can say decimal: \",\")"
               : "thousands are not in groups of three (a mapping can say decimal: \".\")";
}

/* Digits, in one run or in groups of three behind a first of one to three. */
static bool read_whole(const char **at, const char *end, char group, int64_t *value,
                       const char **why)
{
    const char *p = *at;
    int run = 0;
    bool grouped = false;
    for (; p < end; p++) {
        if (is_digit(*p)) {
            if (!push_digit(value, *p)) return refuse(why, too_large);
            run++;
        } else if (*p == group) {
            if (grouped ? run != 3 : run < 1 || run > 3)
                return refuse(why, bad_groups(group));
            grouped = true;
            run = 0;
        } else {
            break;
        }
    }
    if (grouped && run != 3) return refuse(why, bad_groups(group));
    *at = p;
    return true;
}

/* Digits behind the decimal sign: as many as the currency has, then only zeros. */
static bool read_fraction(const char *p, const char *end, int exponent, int64_t *value,
                          const char **why)
{
    int digits = 0;
    for (; p < end && is_digit(*p); p++, digits++) {
        if (digits < exponent) {
            if (!push_digit(value, *p)) return refuse(why, too_large);
        } else if (*p != '0') {
            return refuse(why, "it has more decimal places than the currency");
        }
    }
    if (digits == 0) return refuse(why, "there are no digits behind the decimal sign");
    if (p != end) return refuse(why, "it is not a number");
    for (; digits < exponent; digits++) {
        if (!push_digit(value, '0')) return refuse(why, too_large);
    }
    return true;
}

bool money_parse(const char *text, size_t n, const currency *c, char decimal,
                 int64_t *minor, const char **why)
{
    bool negative = false;
    if (n == 0) return refuse(why, "the amount is empty");
    if ((!is_digit(text[0]) || !is_digit(text[n - 1])) &&
        !strip(&text, &n, c, &negative, why))
        return false;
    const char *p = text, *end = text + n;
    char group = decimal == ',' ? '.' : ',';
    int64_t value = 0;
    if (!read_whole(&p, end, group, &value, why)) return false;
    if (p < end && *p == decimal) {
        if (!read_fraction(p + 1, end, c->exponent, &value, why)) return false;
    } else if (p == text || p != end) {
        return refuse(why, "it is not a number");
    } else if (value > LIMIT_MONEY_MINOR / powers[c->exponent]) {
        return refuse(why, too_large);
    } else {
        value *= powers[c->exponent];
    }
    *minor = negative ? -value : value;
    return true;
}

/* "-", symbol, whole, ".", fraction, " CODE"; the parts that apply. */
static const char *format(int64_t minor, const currency *c, const char *front,
                          const char *back, char into[MONEY_TEXT_BYTES])
{
    uint64_t size = minor < 0 ? 0u - (uint64_t)minor : (uint64_t)minor;
    uint64_t unit = (uint64_t)powers[c->exponent];
    const char *sign = minor < 0 ? "-" : "", *gap = back[0] ? " " : "";
    unsigned long long whole = size / unit, fraction = size % unit;
    if (c->exponent == 0)
        snprintf(into, MONEY_TEXT_BYTES, "%s%s%llu%s%s", sign, front, whole, gap, back);
    else
        snprintf(into, MONEY_TEXT_BYTES, "%s%s%llu.%0*llu%s%s", sign, front, whole,
                 c->exponent, fraction, gap, back);
    return into;
}

const char *money_format(int64_t minor, const currency *c, char into[MONEY_TEXT_BYTES])
{
    return format(minor, c, "", "", into);
}

const char *money_format_symbol(int64_t minor, const currency *c,
                                char into[MONEY_TEXT_BYTES])
{
    const char *symbol = currency_symbol(c);
    return symbol ? format(minor, c, symbol, "", into)
                  : format(minor, c, "", c->code, into);
}

bool money_add(int64_t a, int64_t b, int64_t *out)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum)) return false;
    *out = sum;
    return true;
}

int64_t money_from_expectation(double minor)
{
    double up = ceil(minor);
    if (up <= -0x1p63) return INT64_MIN;
    /* Also not-a-number lands here: what nobody can price is never affordable. */
    if (!(up < 0x1p63)) return INT64_MAX;
    return (int64_t)up;
}
