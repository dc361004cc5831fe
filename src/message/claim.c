/* Looking for claims in the words of a frame; see claim.h. */
#include "message/claim.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* Words that hurry. Lower case; ASCII letters are compared in any case. A true last day
 * is said by {last_day}. */
static const char *const urgent[] = {"hurry",
                                     "last chance",
                                     "last day",
                                     "today",
                                     "tonight",
                                     "act now",
                                     "ends soon",
                                     "limited time",
                                     "don't miss",
                                     "final hours",
                                     "while stocks last",
                                     "while supplies last",
                                     "only a few left",
                                     "最后",
                                     "今天",
                                     "今日",
                                     "今晚",
                                     "限时",
                                     "抓紧",
                                     "即将结束",
                                     "马上",
                                     "速抢",
                                     "库存有限",
                                     "售完即止",
                                     "先到先得"};

static bool is_digit(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 0xFF10 && c <= 0xFF19) ||   /* full width */
           (c >= 0x660 && c <= 0x669) || (c >= 0x966 && c <= 0x96F) || /* Arabic, Hindi */
           (c >= 0x2460 && c <= 0x249B) ||                             /* circled */
           (c >= 0x2070 && c <= 0x2089) || c == 0xB2 || c == 0xB3 || c == 0xB9 ||
           (c >= 0xBC && c <= 0xBE) ||
           (c >= 0x2150 && c <= 0x2189) || /* fractions, Roman */
           (c >= 0x1D7CE && c <= 0x1D7FF); /* mathematical */
}

static bool is_percent(uint32_t c)
{
    return c == '%' || c == 0xFF05 || c == 0xFE6A || c == 0x2030 || c == 0x66A;
}

static bool is_currency(uint32_t c)
{
    return c == '$' || (c >= 0xA2 && c <= 0xA5) || (c >= 0x20A0 && c <= 0x20CF) ||
           c == 0xFF04 || c == 0xFFE0 || c == 0xFFE1 || c == 0xFFE5 || c == 0xFE69;
}

static bool holds(const char *words, size_t n, const char *wanted)
{
    size_t m = strlen(wanted);
    for (size_t i = 0; i + m <= n; i++)
        if (strncasecmp(words + i, wanted, m) == 0) return true;
    return false;
}

const char *claim_find(const char *words, size_t n)
{
    const char *end = words + n;
    for (const char *p = words; p < end;) {
        uint32_t c = utf8_next(&p, end);
        if (is_digit(c))
            return "the words hold a number of their own; numbers come from slots only";
        if (is_percent(c) || is_currency(c))
            return "the words hold a percent or currency sign; write {discount} or "
                   "{minimum}";
        if (c == 0x6298) /* the Chinese "fraction of the price", as in "nine tenths" */
            return "the words hold a fraction of a price; write {discount}";
    }
    for (size_t i = 0; i < sizeof urgent / sizeof urgent[0]; i++)
        if (holds(words, n, urgent[i]))
            return "the words hurry the shopper; write {last_day}, which speaks only "
                   "when true";
    return NULL;
}
