/*
 * The built-in frames: a core for each kind of promotion in each language, set into what
 * each channel wraps around it, in two variants. In a wrapping, @ stands for the core, &
 * for the condition (minimum purchase) and ~ for the end, so that all of them say those
 * alike.
 */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "message/frame.h"

enum { VARIANTS = 2 };

static const char *const variant_names[VARIANTS] = {"plain", "for-you"};

static const char *const cores[LANGUAGE_COUNT][PROMOTION_KIND_COUNT] = {
    [LANGUAGE_EN] =
        {
            [PROMOTION_INFORMATIONAL] = "[{title}|News for you][: {products}]",
            [PROMOTION_PERCENT_OFF] =
                "[{discount} |A lower price on ][{products}|{scope}|selected products]",
            [PROMOTION_MONEY_OFF] =
                "[{discount} |A coupon for ][{products}|{scope}|selected products]",
            [PROMOTION_BOGO] = "{discount}: [{products}|{scope}|selected products]",
            [PROMOTION_FREE_SHIPPING] =
                "{discount} on [{products}|{scope}|selected products]",
            [PROMOTION_GIFT] = "{discount} with [{products}|{scope}|selected products]",
            [PROMOTION_POINTS] = "{discount} on [{products}|{scope}|selected products]",
        },
    [LANGUAGE_ZH] = {
        [PROMOTION_INFORMATIONAL] = "[{title}|为您送上新消息][：{products}]",
        [PROMOTION_PERCENT_OFF] = "[{products}|{scope}|指定商品][ {discount}|有优惠]",
        [PROMOTION_MONEY_OFF] = "[{products}|{scope}|指定商品][ {discount}|有优惠券]",
        [PROMOTION_BOGO] = "[{products}|{scope}|指定商品] {discount}",
        [PROMOTION_FREE_SHIPPING] = "[{products}|{scope}|指定商品] {discount}",
        [PROMOTION_GIFT] = "购买[{products}|{scope}|指定商品]送{discount}",
        [PROMOTION_POINTS] = "购买[{products}|{scope}|指定商品]得{discount}",
    }};

static const char *const conditions[LANGUAGE_COUNT] = {
    [LANGUAGE_EN] = "[ when you spend {minimum} or more]",
    [LANGUAGE_ZH] = "[（满{minimum}可用）]",
};

/* A letter or an e-mail may be read later than it was sent, so it gives the date
 * alone. */
static const char *const ends_dated[LANGUAGE_COUNT] = {
    [LANGUAGE_EN] = "[, until {ends}]",
    [LANGUAGE_ZH] = "[，截至{ends}]",
};
static const char *const ends_instant[LANGUAGE_COUNT] = {
    [LANGUAGE_EN] = "[; {last_day}|, until {ends}]",
    [LANGUAGE_ZH] = "[，{last_day}|，截至{ends}]",
};

typedef struct wrapping {
    channel channel;
    const char *subject[VARIANTS]; /* NULL: the channel has none */
    const char *body[VARIANTS];
} wrapping;

static const wrapping wrappings[LANGUAGE_COUNT][6] = {
    [LANGUAGE_EN] =
        {
            {CHANNEL_PUSH, {NULL}, {"@&~.", "For you: @&~."}},
            {CHANNEL_EMAIL,
             {"@", "For you: @"},
             {"Hello,\n\n@&~.\n\n[Best wishes,\n{shop}]",
              "Hello,\n\nWe have something for you.\n\n@&~.\n\n[Best wishes,\n{shop}]"}},
            {CHANNEL_SMS, {NULL}, {"[{shop}: ]@&~.", "@&~.[ {shop}]"}},
            {CHANNEL_SITE, {NULL}, {"@&~", "For you: @&~"}},
            {CHANNEL_WECHAT, {NULL}, {"[{shop}: ]@&~.", "For you: @&~.[ {shop}]"}},
            {CHANNEL_MAIL,
             {NULL},
             {"Dear customer,\n\n@&~.\n\n[Best wishes,\n{shop}]",
              "Dear customer,\n\nWe have something for you.\n\n@&~.\n\n[Best "
              "wishes,\n{shop}]"}},
        },
    [LANGUAGE_ZH] = {
        {CHANNEL_PUSH, {NULL}, {"@&~。", "为您推荐：@&~。"}},
        {CHANNEL_EMAIL,
         {"@", "为您推荐：@"},
         {"您好！\n\n@&~。\n\n[{shop}]",
          "您好！\n\n我们为您准备了一份优惠。\n\n@&~。\n\n[{shop}]"}},
        {CHANNEL_SMS, {NULL}, {"[【{shop}】]@&~。", "@&~。[【{shop}】]"}},
        {CHANNEL_SITE, {NULL}, {"@&~", "为您推荐：@&~"}},
        {CHANNEL_WECHAT, {NULL}, {"[【{shop}】]@&~。", "为您推荐：@&~。[{shop}]"}},
        {CHANNEL_MAIL,
         {NULL},
         {"尊敬的顾客：\n\n@&~。\n\n[{shop}]",
          "尊敬的顾客：\n\n我们为您准备了一份优惠。\n\n@&~。\n\n[{shop}]"}},
    }};

/* Writes a wrapping with the core, condition and end set in. */
static void expand(buffer *into, const char *wrapped, const frame_key *key)
{
    bool later = key->channel == CHANNEL_EMAIL || key->channel == CHANNEL_MAIL;
    buffer_clear(into);
    for (const char *p = wrapped; *p != '\0'; p++) {
        if (*p == '@')
            buffer_append_text(into, cores[key->language][key->kind]);
        else if (*p == '&')
            buffer_append_text(into, conditions[key->language]);
        else if (*p == '~')
            buffer_append_text(into, (later ? ends_dated : ends_instant)[key->language]);
        else
            buffer_append_char(into, *p);
    }
}

static pf_status add(frame_set *set, const wrapping *wrapped, const frame_key *key,
                     int variant, buffer texts[2], pf_error *err)
{
    char id[LIMIT_ID_BYTES];
    (void)snprintf(id, sizeof id, "%s.%s.%s.%s", promotion_kind_name(key->kind),
                   channel_name(key->channel), language_name(key->language),
                   variant_names[variant]);
    const char *subject = wrapped->subject[variant];
    expand(&texts[0], subject != NULL ? subject : "", key);
    expand(&texts[1], wrapped->body[variant], key);
    if (texts[0].failed || texts[1].failed)
        return error_set(err, PF_NO_MEMORY, "out of memory for the built-in frames");
    frame_words w = {.key = *key,
                     .id = id,
                     .version = 1,
                     .subject = texts[0].data,
                     .body = texts[1].data};
    return frame_set_add(set, &w, err);
}

static pf_status add_kind(frame_set *set, promotion_kind kind, message_language language,
                          buffer texts[2], pf_error *err)
{
    pf_status s = PF_OK;
    for (size_t c = 0; c < sizeof wrappings[0] / sizeof wrappings[0][0]; c++) {
        const wrapping *wrapped = &wrappings[language][c];
        frame_key key = {kind, wrapped->channel, language, ""};
        for (int v = 0; s == PF_OK && v < VARIANTS; v++)
            s = add(set, wrapped, &key, v, texts, err);
    }
    return s;
}

pf_status frame_set_default(frame_set **out, pf_error *err)
{
    frame_set *set = NULL;
    buffer texts[2];
    pf_status s = frame_set_new(&set, err);
    if (s != PF_OK) return s;
    buffer_init(&texts[0], LIMIT_FRAME_BYTES);
    buffer_init(&texts[1], LIMIT_FRAME_BYTES);
    for (int language = 0; language < LANGUAGE_COUNT; language++)
        for (int kind = 0; s == PF_OK && kind < PROMOTION_KIND_COUNT; kind++)
            s = add_kind(set, (promotion_kind)kind, (message_language)language, texts,
                         err);
    buffer_free(&texts[0]);
    buffer_free(&texts[1]);
    if (s != PF_OK) {
        frame_set_free(set);
        return s;
    }
    *out = set;
    return PF_OK;
}
