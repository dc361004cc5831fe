/* Measuring messages; see length.h for the limits and where they come from. */
#include "message/length.h"

#include <stdint.h>

#include "base/text.h"

/* Septets of a character in the GSM 7-bit alphabet; 0 when it is not in it. */
static size_t gsm_septets(uint32_t c)
{
    /* What the basic table holds beyond ASCII, then what ASCII has and the table
     * has not. */
    static const uint16_t beyond[] = {
        0xA3,  0xA5,  0xE8,  0xE9,  0xF9,  0xEC,  0xF2,  0xC7,  0xD8,  0xF8,
        0xC5,  0xE5,  0x394, 0x3A6, 0x393, 0x39B, 0x3A9, 0x3A0, 0x3A8, 0x3A3,
        0x398, 0x39E, 0xC6,  0xE6,  0xDF,  0xC9,  0xA4,  0xA1,  0xC4,  0xD6,
        0xD1,  0xDC,  0xA7,  0xBF,  0xE4,  0xF6,  0xF1,  0xFC,  0xE0};
    if (c == '\n' || c == '\r') return 1;
    if (c == '^' || c == '{' || c == '}' || c == '\\' || c == '[' || c == ']' ||
        c == '~' || c == '|' || c == 0x20AC)
        return 2;
    if (c >= ' ' && c < 0x7F) return c == '`' ? 0 : 1;
    for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++)
        if (c == beyond[i]) return 1;
    return 0;
}

static bool sms_fits(const char *words, size_t n)
{
    size_t septets = 0, units = 0;
    bool gsm = true;
    const char *end = words + n;
    for (const char *p = words; p < end;) {
        uint32_t c = utf8_next(&p, end);
        size_t some = gsm_septets(c);
        gsm = gsm && some > 0;
        septets += some;
        units += c > 0xFFFF ? 2 : 1;
    }
    return gsm ? septets <= LENGTH_SMS_GSM : units <= LENGTH_SMS_UCS2;
}

static size_t most_characters(channel c)
{
    switch (c) {
    case CHANNEL_PUSH: return LENGTH_PUSH;
    case CHANNEL_EMAIL: return LENGTH_EMAIL;
    case CHANNEL_SITE: return LENGTH_SITE;
    case CHANNEL_WECHAT: return LENGTH_WECHAT;
    case CHANNEL_MAIL: return LENGTH_MAIL;
    case CHANNEL_SMS:
    case CHANNEL_NONE:
    case CHANNEL_COUNT: break;
    }
    return 0;
}

bool length_fits(channel c, const char *words, size_t n)
{
    if (c == CHANNEL_SMS) return sms_fits(words, n);
    return utf8_count(words, n) <= most_characters(c);
}

bool length_fits_subject(const char *words, size_t n)
{
    return utf8_count(words, n) <= LENGTH_EMAIL_SUBJECT;
}
