/* Checks of single values; see check.h. */
#include "intake/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "intake/time_text.h"

bool fault_set(value_fault *f, reject_reason reason, int field, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    f->reason = reason;
    f->field = field;
    (void)vsnprintf(f->message, sizeof f->message, format, arguments);
    va_end(arguments);
    return false;
}

const char *shown(text value, char into[SHOWN_BYTES])
{
    enum { CUT_BYTES = 40 };
    size_t n = value.n;
    if (n > CUT_BYTES) {
        n = CUT_BYTES;
        while (n > 0 && (value.data[n] & 0xc0) == 0x80)
            n--;
    }
    size_t wrong;
    memcpy(into, value.data, n);
    into[n] = 0;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)into[i] < 0x20) into[i] = ' ';
    while (!utf8_check(into, n, &wrong))
        into[wrong] = '?';
    if (n < value.n) memcpy(into + n, "...", 4);
    return into;
}

bool fault_utf8(text value, size_t at, int field, value_fault *f)
{
    const unsigned byte = (unsigned char)value.data[at];
    if (byte == 0)
        return fault_set(f, REASON_BAD_UTF8, field, "the value holds a NUL byte, at %zu",
                         at + 1);
    return fault_set(f, REASON_BAD_UTF8, field,
                     "byte %zu of the value, 0x%02X, is no UTF-8; save the file as UTF-8",
                     at + 1, byte);
}

bool check_length(text value, size_t maximum, int field, value_fault *f)
{
    char words[SHOWN_BYTES];
    if (value.n <= maximum) return true;
    return fault_set(f, REASON_TOO_LONG, field,
                     "'%s' has %zu bytes, at most %zu are taken", shown(value, words),
                     value.n, maximum);
}

/* --- numbers ---------------------------------------------------------------------- */

/* Plain digits, which nearly all numbers are. */
static bool small_integer(text value, double *out)
{
    if (value.n == 0 || value.n > 9) return false;
    int n = 0;
    for (size_t i = 0; i < value.n; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') return false;
        n = 10 * n + (value.data[i] - '0');
    }
    *out = n;
    return true;
}

bool check_number(text value, const value_rules *r, int field, double *out,
                  value_fault *f)
{
    char words[SHOWN_BYTES], copy[64];
    if (small_integer(value, out)) return true;
    const text written = value;
    bool good = value.n < sizeof copy;
    if (good && r->decimal == ',') {
        good = memchr(value.data, '.', value.n) == NULL;
        memcpy(copy, value.data, value.n);
        char *comma = memchr(copy, ',', value.n);
        if (comma != NULL) *comma = '.';
        value.data = copy;
    }
    if (good && text_to_double(value, out)) return true;
    return fault_set(f, REASON_BAD_NUMBER, field, "'%s' is not a number",
                     shown(written, words));
}

bool check_count(text value, int field, uint32_t *out, value_fault *f)
{
    char words[SHOWN_BYTES];
    uint64_t wide;
    if (!text_to_u64(value, &wide))
        return fault_set(f, REASON_BAD_NUMBER, field, "'%s' is not a whole number",
                         shown(value, words));
    if (wide > UINT32_MAX)
        return fault_set(f, REASON_OUT_OF_RANGE, field, "%s is larger than %u",
                         shown(value, words), UINT32_MAX);
    *out = (uint32_t)wide;
    return true;
}

/* --- money ------------------------------------------------------------------------ */

bool check_signed_amount(text value, const value_rules *r, int field, int64_t *minor,
                         value_fault *f)
{
    char words[SHOWN_BYTES];
    const char *why = NULL;
    if (money_parse(value.data, value.n, &r->currency, r->decimal, minor, &why))
        return true;
    return fault_set(f, REASON_BAD_MONEY, field, "'%s' is no amount in %s: %s",
                     shown(value, words), r->currency.code, why);
}

bool check_amount(text value, const value_rules *r, int field, int64_t *minor,
                  value_fault *f)
{
    char words[SHOWN_BYTES];
    if (!check_signed_amount(value, r, field, minor, f)) return false;
    if (*minor >= 0) return true;
    return fault_set(f, REASON_OUT_OF_RANGE, field, "%s is negative",
                     shown(value, words));
}

/* A plain decimal number in ten-thousandths, by the parser of amounts. */
static bool ten_thousandths(text value, const value_rules *r, int64_t *out,
                            const char **why)
{
    currency fine = r->currency;
    fine.exponent = 4;
    return money_parse(value.data, value.n, &fine, r->decimal, out, why);
}

__extension__ typedef __int128 wide;

static int64_t rounded_quotient(wide dividend, int64_t divisor)
{
    const wide half = divisor / 2;
    const wide rounded =
        dividend >= 0 ? (dividend + half) / divisor : -((-dividend + half) / divisor);
    return (int64_t)rounded;
}

bool check_line_amount(text unit_price, text quantity, const value_rules *r,
                       int price_field, int quantity_field, int64_t *minor,
                       value_fault *f)
{
    char words[SHOWN_BYTES];
    int64_t price = 0, units = 10000, divisor = 10000;
    const char *why = NULL;
    if (!ten_thousandths(unit_price, r, &price, &why))
        return fault_set(f, REASON_BAD_MONEY, price_field, "'%s' is no unit price: %s",
                         shown(unit_price, words), why);
    if (quantity.n > 0 && !ten_thousandths(quantity, r, &units, &why))
        return fault_set(f, REASON_BAD_NUMBER, quantity_field, "'%s' is no quantity: %s",
                         shown(quantity, words), why);
    for (int i = r->currency.exponent; i < 4; i++)
        divisor *= 10;
    const wide product = (wide)price * units;
    const wide largest = (wide)LIMIT_MONEY_MINOR * divisor;
    if (product > largest || product < -largest)
        return fault_set(f, REASON_OUT_OF_RANGE, price_field,
                         "unit price times quantity is larger than 10^15 minor units");
    *minor = rounded_quotient(product, divisor);
    return true;
}

bool check_currency(text value, const value_rules *r, int field, value_fault *f)
{
    char words[SHOWN_BYTES];
    currency c;
    if (value.n == 3 && memcmp(value.data, r->currency.code, 3) == 0) return true;
    if (!currency_find(value.data, value.n, &c))
        return fault_set(f, REASON_BAD_CURRENCY, field, "'%s' is no currency of ISO 4217",
                         shown(value, words));
    if (strcmp(c.code, r->currency.code) == 0) return true;
    return fault_set(f, REASON_BAD_CURRENCY, field,
                     "the amount is in %s, the workspace in %s; convert it before, or "
                     "keep a workspace a currency",
                     c.code, r->currency.code);
}

/* --- times and words -------------------------------------------------------------- */

bool check_time(text value, const value_rules *r, int field, int64_t *time_us,
                bool *date_only, value_fault *f)
{
    char words[SHOWN_BYTES];
    const char *why = NULL;
    if (time_text_parse(value, r->form, &r->time, time_us, date_only, &why)) return true;
    return fault_set(f, REASON_BAD_TIME, field, "'%s' is no time: %s",
                     shown(value, words), why);
}

bool check_channels(text value, int field, channel_set *out, value_fault *f)
{
    char words[SHOWN_BYTES];
    if (channel_set_parse(value, out)) return true;
    return fault_set(f, REASON_BAD_WORD, field,
                     "'%s' is no list of channels (push, email, sms, site, wechat, mail)",
                     shown(value, words));
}
