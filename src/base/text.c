/*
 * Pieces of text, UTF-8 and numbers (base/text.h). UTF-8 is checked eight bytes at a time
 * while it is ASCII, else by table 3-7 of the Unicode Standard. Numbers of up to 19
 * digits and small powers of ten are exact by one multiplication or division (Clinger,
 * "How to read floating point numbers accurately", PLDI 1990); the rest goes to strtod in
 * the C locale.
 */
#include "base/text.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

text text_of(const char *terminated)
{
    return (text){.data = terminated, .n = strlen(terminated)};
}

bool text_equal(text a, text b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.data, b.data, a.n) == 0);
}

bool text_is(text a, const char *terminated)
{
    return text_equal(a, text_of(terminated));
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

text text_trim(text a)
{
    while (a.n > 0 && is_space(a.data[a.n - 1]))
        a.n--;
    while (a.n > 0 && is_space(a.data[0])) {
        a.data++;
        a.n--;
    }
    return a;
}

/* ---- UTF-8 ---- */

/* Length of the well-formed character at p, 0 when there is none: the second byte's range
 * depends on the first (no overlong form, no surrogate, nothing above U+10FFFF). */
static size_t character_bytes(const unsigned char *p, size_t left)
{
    unsigned char lead = p[0], low = 0x80, high = 0xBF;
    size_t n;
    if (lead < 0x80) return lead != 0;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    if (lead < 0xE0) {
        n = 2;
    } else if (lead < 0xF0) {
        n = 3;
        low = lead == 0xE0 ? 0xA0 : 0x80;
        high = lead == 0xED ? 0x9F : 0xBF;
    } else {
        n = 4;
        low = lead == 0xF0 ? 0x90 : 0x80;
        high = lead == 0xF4 ? 0x8F : 0xBF;
    }
    if (left < n || p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) return 0;
    }
    return n;
}

/* Eight bytes that are all ASCII and none of them zero. */
static bool plain_8(const unsigned char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    uint64_t top = UINT64_C(0x8080808080808080), ones = UINT64_C(0x0101010101010101);
    return ((word | (word - ones)) & top) == 0;
}

bool utf8_check(const char *bytes, size_t n, size_t *at)
{
    const unsigned char *p = (const unsigned char *)bytes;
    size_t i = 0;
    while (i < n) {
        if (n - i >= 8 && plain_8(p + i)) {
            i += 8;
            continue;
        }
        size_t length = character_bytes(p + i, n - i);
        if (length == 0) {
            if (at) *at = i;
            return false;
        }
        i += length;
    }
    return true;
}

uint32_t utf8_next(const char **p, const char *end)
{
    const unsigned char *s = (const unsigned char *)*p;
    uint32_t lead = s[0];
    size_t more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    if (more > (size_t)(end - *p) - 1) more = (size_t)(end - *p) - 1;
    uint32_t point = more == 0 ? lead : lead & (0x3Fu >> more);
    for (size_t i = 1; i <= more; i++)
        point = point << 6 | (s[i] & 0x3Fu);
    *p += more + 1;
    return point;
}

size_t utf8_put(uint32_t point, char into[4])
{
    if (point < 0x80) {
        into[0] = (char)point;
        return 1;
    }
    size_t more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xC0, 0xE0, 0xF0};
    into[0] = (char)(leads[more] | point >> (6 * more));
    for (size_t i = 1; i <= more; i++)
        into[i] = (char)(0x80 | (point >> (6 * (more - i)) & 0x3F));
    return more + 1;
}

static bool starts_character(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

size_t utf8_count(const char *bytes, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += starts_character(bytes[i]);
    return count;
}

size_t utf8_prefix(const char *bytes, size_t n, size_t points)
{
    if (n <= points) return n;
    for (size_t i = 0; i < n; i++) {
        if (!starts_character(bytes[i])) continue;
        if (points == 0) return i;
        points--;
    }
    return n;
}

/* ---- numbers ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool text_to_u64(text a, uint64_t *out)
{
    uint64_t value = 0;
    if (a.n == 0) return false;
    for (size_t i = 0; i < a.n; i++) {
        if (!is_digit(a.data[i])) return false;
        uint64_t digit = (uint64_t)(a.data[i] - '0');
        if (i >= 19 && (__builtin_mul_overflow(value, 10u, &value) ||
                        __builtin_add_overflow(value, digit, &value)))
            return false;
        if (i < 19) value = value * 10 + digit;
    }
    *out = value;
    return true;
}

bool text_to_i64(text a, int64_t *out)
{
    bool negative = a.n > 0 && a.data[0] == '-';
    uint64_t size;
    if (!text_to_u64((text){a.data + negative, a.n - negative}, &size) ||
        size > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0u - size) : (int64_t)size;
    return true;
}

/* A decimal number taken apart: value = digits * 10^exponent, exact when !cut. */
typedef struct decimal {
    bool negative, cut;
    uint64_t digits;
    int exponent;
} decimal;

/* Adds one digit to d; more than 19 significant ones do not fit and are marked. */
static void push_digit(decimal *d, char c, bool fraction)
{
    if (d->digits < UINT64_C(1000000000000000000)) {
        d->digits = d->digits * 10 + (uint64_t)(c - '0');
        d->exponent -= fraction;
    } else {
        d->cut = d->cut || c != '0';
        d->exponent += !fraction;
    }
}

static bool take_exponent(const char **at, const char *end, int *exponent)
{
    const char *p = *at;
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    if (p == end) return false;
    int value = 0;
    for (; p < end && is_digit(*p); p++)
        value = value < 100000 ? value * 10 + (*p - '0') : value;
    *exponent = negative ? -value : value;
    *at = p;
    return true;
}

/* [-]digits[.digits][e[+-]digits], at least one digit in front of the exponent. */
static bool take_apart(text a, decimal *d)
{
    const char *p = a.data, *end = p + a.n;
    *d = (decimal){.negative = a.n > 0 && *p == '-'};
    p += d->negative;
    const char *from = p;
    for (; p < end && is_digit(*p); p++)
        push_digit(d, *p, false);
    size_t digits = (size_t)(p - from);
    if (p < end && *p == '.') {
        const char *point = ++p;
        for (; p < end && is_digit(*p); p++)
            push_digit(d, *p, true);
        digits += (size_t)(p - point);
    }
    if (digits == 0) return false;
    if (p < end && (*p == 'e' || *p == 'E')) {
        int exponent;
        p++;
        if (!take_exponent(&p, end, &exponent)) return false;
        d->exponent += exponent;
    }
    return p == end;
}

static pthread_once_t locale_once = PTHREAD_ONCE_INIT;
static locale_t c_locale;

static void make_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* Longer numbers than this mean nothing more; they are refused. */
enum { NUMBER_BYTES = 512 };

static bool read_slowly(text a, double *out)
{
    char room[NUMBER_BYTES];
    if (a.n >= sizeof room) return false;
    memcpy(room, a.data, a.n);
    room[a.n] = '\0';
    pthread_once(&locale_once, make_locale);
    if (!c_locale) return false;
    double value = strtod_l(room, NULL, c_locale);
    if (!isfinite(value)) return false;
    *out = value;
    return true;
}

bool text_to_double(text a, double *out)
{
    /* Powers of ten that a double holds exactly. */
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    decimal d;
    if (!take_apart(a, &d)) return false;
    if (d.cut || d.digits > UINT64_C(1) << 53 || d.exponent < -22 || d.exponent > 22)
        return read_slowly(a, out);
    double value = (double)d.digits;
    value = d.exponent < 0 ? value / tens[-d.exponent] : value * tens[d.exponent];
    *out = d.negative ? -value : value;
    return true;
}

/* ---- slips of the hand ---- */

enum { WORD_BYTES = 64 };

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned text_distance(const char *a, const char *b)
{
    size_t n = strnlen(a, WORD_BYTES), m = strnlen(b, WORD_BYTES);
    /* Rows i - 2, i - 1 and i of the table of edits between prefixes, in turn. */
    unsigned rows[3][WORD_BYTES + 1];
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3];
        const unsigned *above_2 = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned change = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(change, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], above_2[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

const char *text_closest(const char *word, const char *const choices[], size_t n)
{
    unsigned allowed = (unsigned)strnlen(word, WORD_BYTES) / 3;
    const char *closest = NULL;
    unsigned nearest = (allowed ? allowed : 1) + 1;
    for (size_t i = 0; i < n; i++) {
        unsigned distance = text_distance(word, choices[i]);
        if (distance < nearest) {
            nearest = distance;
            closest = choices[i];
        }
    }
    return closest;
}
