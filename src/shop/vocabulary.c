/*
 * The words of the domain <-> numbers: three small tables and searches through them. The
 * tables are indexed by the number, so a word that is missing from one does not compile
 * away unnoticed: tests walk every number there and back.
 */
#include "shop/vocabulary.h"

#include <string.h>

static const char *const event_type_names[EVENT_TYPE_COUNT] = {
    [EVENT_NONE] = "none",
    [EVENT_EXPOSURE] = "exposure",
    [EVENT_CLICK] = "click",
    [EVENT_VIEW] = "view",
    [EVENT_ADD_TO_CART] = "add_to_cart",
    [EVENT_PURCHASE] = "purchase",
    [EVENT_RETURN] = "return",
    [EVENT_REDEMPTION] = "redemption",
    [EVENT_RATING] = "rating",
    [EVENT_DISMISSAL] = "dismissal",
    [EVENT_UNSUBSCRIBE] = "unsubscribe",
};

static const char *const channel_names[CHANNEL_COUNT] = {
    [CHANNEL_NONE] = "none", [CHANNEL_PUSH] = "push", [CHANNEL_EMAIL] = "email",
    [CHANNEL_SMS] = "sms",   [CHANNEL_SITE] = "site", [CHANNEL_WECHAT] = "wechat",
    [CHANNEL_MAIL] = "mail",
};

static const char *const promotion_kind_names[PROMOTION_KIND_COUNT] = {
    [PROMOTION_INFORMATIONAL] = "informational",
    [PROMOTION_PERCENT_OFF] = "percent_off",
    [PROMOTION_MONEY_OFF] = "money_off",
    [PROMOTION_BOGO] = "bogo",
    [PROMOTION_FREE_SHIPPING] = "free_shipping",
    [PROMOTION_GIFT] = "gift",
    [PROMOTION_POINTS] = "points",
};

/* The index of word in names[from..n), or -1. */
static int find_word(const char *const names[], int from, int n, text word)
{
    for (int i = from; i < n; i++)
        if (text_is(word, names[i])) return i;
    return -1;
}

const char *event_type_name(event_type type)
{
    if ((unsigned)type >= EVENT_TYPE_COUNT) return "unknown";
    return event_type_names[type];
}

event_type event_type_parse(text word)
{
    int i = find_word(event_type_names, EVENT_NONE + 1, EVENT_TYPE_COUNT, word);
    return i < 0 ? EVENT_NONE : (event_type)i;
}

const char *channel_name(channel c)
{
    if ((unsigned)c >= CHANNEL_COUNT) return "unknown";
    return channel_names[c];
}

channel channel_parse(text word)
{
    int i = find_word(channel_names, CHANNEL_NONE + 1, CHANNEL_COUNT, word);
    return i < 0 ? CHANNEL_NONE : (channel)i;
}

const char *promotion_kind_name(promotion_kind kind)
{
    if ((unsigned)kind >= PROMOTION_KIND_COUNT) return "unknown";
    return promotion_kind_names[kind];
}

int promotion_kind_parse(text word)
{
    return find_word(promotion_kind_names, 0, PROMOTION_KIND_COUNT, word);
}

static bool is_between_words(char c)
{
    return c == '|' || c == ',' || c == ' ' || c == '\t';
}

bool channel_set_parse(text words, channel_set *out)
{
    channel_set set = 0;
    size_t i = 0;
    while (i < words.n) {
        if (is_between_words(words.data[i])) {
            i++;
            continue;
        }
        size_t start = i;
        while (i < words.n && !is_between_words(words.data[i]))
            i++;
        channel c = channel_parse((text){words.data + start, i - start});
        if (c == CHANNEL_NONE) return false;
        set |= 1u << c;
    }
    *out = set;
    return true;
}

const char *channel_set_format(channel_set set, char *into, size_t size)
{
    size_t used = 0;
    if (size == 0) return "";
    into[0] = '\0';
    for (int c = CHANNEL_NONE + 1; c < CHANNEL_COUNT; c++) {
        if ((set & (1u << c)) == 0) continue;
        size_t n = strlen(channel_names[c]);
        size_t bar = used > 0 ? 1 : 0;
        if (used + bar + n + 1 > size) break;
        if (bar) into[used++] = '|';
        memcpy(into + used, channel_names[c], n + 1);
        used += n;
    }
    return into;
}
