/* Numbers, dates and lists in English and Chinese; see wording.h for the forms. */
#include "message/wording.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Formats into the arena; NULL and `failed` when memory is short. */
__attribute__((format(printf, 2, 3))) static const char *say(wording *w,
                                                             const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int n = vsnprintf(NULL, 0, format, arguments);
    char *line = n >= 0 ? arena_alloc(w->memory, (size_t)n + 1, 1) : NULL;
    if (line != NULL) (void)vsnprintf(line, (size_t)n + 1, format, again);
    va_end(again);
    va_end(arguments);
    w->failed = w->failed || line == NULL;
    return line;
}

/* value / 10^digits without zeros at the end, in integers only: 850, 2 -> "8.5". */
static void trimmed(char *into, size_t size, int32_t value, int digits)
{
    int32_t scale = 1;
    for (int i = 0; i < digits; i++)
        scale *= 10;
    int32_t rest = value % scale;
    while (digits > 0 && rest % 10 == 0) {
        rest /= 10;
        digits--;
    }
    if (digits == 0)
        (void)snprintf(into, size, "%d", value / scale);
    else
        (void)snprintf(into, size, "%d.%0*d", value / scale, digits, rest);
}

const char *wording_percent(wording *w, int32_t hundredths)
{
    char number[16];
    if (w->language == LANGUAGE_EN) {
        trimmed(number, sizeof number, hundredths, 2);
        return say(w, "%s %% off", number);
    }
    if (hundredths == 10000) return "免费";
    /* 15.00 % off leaves 85.00 %, which is 8.5 tenths. */
    trimmed(number, sizeof number, 10000 - hundredths, 3);
    return say(w, "%s折", number);
}

const char *wording_money(wording *w, int64_t minor)
{
    char amount[MONEY_TEXT_BYTES];
    if (minor == MONEY_ABSENT || minor <= 0) return NULL;
    return say(w, "%s", money_format_symbol(minor, w->currency, amount));
}

static const char *gift(wording *w, const char *worth)
{
    bool english = w->language == LANGUAGE_EN;
    if (worth == NULL) return english ? "a free gift" : "赠品一份";
    return english ? say(w, "a free gift worth %s", worth)
                   : say(w, "价值%s的赠品", worth);
}

const char *wording_discount(wording *w, const promotion *p)
{
    bool english = w->language == LANGUAGE_EN;
    const char *money;
    switch (p->kind) {
    case PROMOTION_PERCENT_OFF:
        if (p->percent_hundredths <= 0 || p->percent_hundredths > 10000) return NULL;
        return wording_percent(w, p->percent_hundredths);
    case PROMOTION_MONEY_OFF:
        money = wording_money(w, p->value_minor);
        if (money == NULL) return NULL;
        return english ? say(w, "%s off", money) : say(w, "立减%s", money);
    case PROMOTION_BOGO: return english ? "buy one, get one free" : "买一送一";
    case PROMOTION_FREE_SHIPPING: return english ? "free delivery" : "免运费";
    case PROMOTION_GIFT: return gift(w, wording_money(w, p->value_minor));
    case PROMOTION_POINTS: return english ? "extra points" : "额外积分";
    case PROMOTION_INFORMATIONAL:
    case PROMOTION_KIND_COUNT: break;
    }
    return NULL;
}

/* --- dates ------------------------------------------------------------------------ */

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

/* `ends` is exclusive, so the last day holds the microsecond before it. */
const char *wording_last_day(wording *w, int64_t ends_us, int64_t now_us, const zone *z)
{
    if (ends_us == TIME_ABSENT || ends_us <= now_us) return NULL;
    calendar_time last = calendar_from_us(ends_us - 1, z);
    bool this_year = last.year == calendar_from_us(now_us, z).year;
    if (w->language == LANGUAGE_ZH)
        return this_year ? say(w, "%d月%d日", last.month, last.day)
                         : say(w, "%d年%d月%d日", last.year, last.month, last.day);
    const char *month = months[last.month - 1];
    return this_year ? say(w, "%d %s", last.day, month)
                     : say(w, "%d %s %d", last.day, month, last.year);
}

const char *wording_urgency(wording *w, int64_t ends_us, int64_t now_us, const zone *z)
{
    if (ends_us == TIME_ABSENT || ends_us <= now_us) return NULL;
    if (calendar_day(ends_us - 1, z) != calendar_day(now_us, z)) return NULL;
    return w->language == LANGUAGE_EN ? "today is the last day" : "今天是最后一天";
}

/* --- lists ------------------------------------------------------------------------ */

/* Three at most: what a sentence bears. */
static const char *joined(wording *w, const char *const *names, uint32_t n,
                          const char *comma, const char *and)
{
    if (n == 1) return names[0];
    if (n == 2) return say(w, "%s%s%s", names[0], and, names[1]);
    return say(w, "%s%s%s%s%s", names[0], comma, names[1], and, names[2]);
}

const char *wording_list(wording *w, const char *const *names, uint32_t n, bool more)
{
    if (w->language == LANGUAGE_ZH) {
        const char *list = joined(w, names, n, "、", more ? "、" : "和");
        return more && list != NULL ? say(w, "%s等", list) : list;
    }
    const char *list = joined(w, names, n, ", ", more ? ", " : " and ");
    return more && list != NULL ? say(w, "%s and more", list) : list;
}
