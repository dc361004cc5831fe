/* Rows -> products, shoppers, campaigns, promotions and their scope; see convert.h. */
#include <string.h>

#include "base/limits.h"
#include "intake/convert.h"
#include "intake/time_text.h"
#include "shop/tags.h"

/* --- products --------------------------------------------------------------------- */

/* "GROCERY >  > CHEESE" -> "GROCERY > CHEESE"; `sign` separates the parts. */
static bool tidy_path(converter *c, text path, char sign, text *out)
{
    size_t parts = 1;
    for (size_t i = 0; i < path.n; i++)
        parts += path.data[i] == sign;
    if (parts == 1) {
        *out = path;
        return true;
    }
    char *to = arena_alloc(&c->room, path.n + 3 * parts, 1), *from = to;
    if (to == NULL) return false;
    while (path.n > 0) {
        const char *end = memchr(path.data, sign, path.n);
        const size_t n = end != NULL ? (size_t)(end - path.data) : path.n;
        const text part = text_trim((text){path.data, n});
        if (part.n > 0) {
            if (to != from) {
                memcpy(to, " > ", 3);
                to += 3;
            }
            memcpy(to, part.data, part.n);
            to += part.n;
        }
        path.data += n + (end != NULL);
        path.n -= n + (end != NULL);
    }
    *out = (text){from, (size_t)(to - from)};
    return true;
}

static char path_sign(const converter *c, const row_view *v)
{
    const origin *o = &c->binding->fields[PRODUCTS_CATEGORY];
    return binding_value_kind(o, v) == CELL_LIST ? '|' : '>';
}

bool convert_product(converter *c, const row_view *v, product_record *r, value_fault *f)
{
    text path;
    *r = (product_record){.price_minor = MONEY_ABSENT};
    TRY(convert_needed(c, v, PRODUCTS_ID, LIMIT_ID_BYTES, &r->id, f));
    TRY(convert_text(c, v, PRODUCTS_TITLE, LIMIT_TITLE_BYTES, &r->title, f));
    TRY(convert_text(c, v, PRODUCTS_DESCRIPTION, LIMIT_TEXT_BYTES, &r->description, f));
    TRY(convert_text(c, v, PRODUCTS_CATEGORY, LIMIT_TITLE_BYTES, &path, f));
    TRY(tidy_path(c, path, path_sign(c, v), &r->category));
    TRY(convert_text(c, v, PRODUCTS_BRAND, LIMIT_ID_BYTES, &r->brand, f));
    TRY(convert_text(c, v, PRODUCTS_IMAGE, LIMIT_TITLE_BYTES, &r->image, f));
    TRY(convert_currency(c, v, PRODUCTS_CURRENCY, f));
    TRY(convert_amount(c, v, PRODUCTS_PRICE, &r->price_minor, f));
    return convert_attributes(c, v, PRODUCTS_ATTRIBUTES, &r->attributes, f);
}

/* --- shoppers --------------------------------------------------------------------- */

/* RFC 5646 in outline: letters and digits in parts of 1 to 8, the first of 2 to 8 letters.
 * "en_US", as locales are written, becomes "en-US". */
static bool check_language(converter *c, text value, text *out, value_fault *f)
{
    char words[SHOWN_BYTES];
    char *tag = arena_alloc(&c->room, value.n + 1, 1);
    if (tag == NULL) return false;
    size_t part = 0, parts = 0;
    bool good = value.n > 0 && value.n <= 35;
    for (size_t i = 0; good && i < value.n; i++) {
        const char ch = value.data[i];
        const bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
        tag[i] = ch == '_' ? '-' : ch;
        if (tag[i] == '-') {
            good = part >= (parts == 0 ? 2u : 1u);
            parts++;
            part = 0;
        } else {
            good = (letter || (parts > 0 && ch >= '0' && ch <= '9')) && ++part <= 8;
        }
    }
    *out = (text){tag, value.n};
    if (good && part >= (parts == 0 ? 2u : 1u)) return true;
    return fault_set(f, REASON_BAD_TEXT, SHOPPERS_LANGUAGE,
                     "'%s' is no language tag such as en or zh-CN", shown(value, words));
}

static bool check_zone(converter *c, text value, value_fault *f)
{
    char words[SHOWN_BYTES], name[64];
    if (c->zones == NULL && (c->zones = intern_new(4096)) == NULL) return false;
    if (intern_find(c->zones, value.data, value.n) != 0) return true;
    if (value.n < sizeof name) {
        zone *z = NULL;
        memcpy(name, value.data, value.n);
        name[value.n] = 0;
        const pf_status s = zone_open(&z, name, NULL);
        zone_free(z);
        if (s == PF_NO_MEMORY) return false;
        if (s == PF_OK) {
            (void)intern_add(c->zones, value.data, value.n); /* only saves time */
            return true;
        }
    }
    return fault_set(f, REASON_BAD_TEXT, SHOPPERS_ZONE,
                     "'%s' is no time zone such as Europe/Berlin", shown(value, words));
}

static bool convert_consent(converter *c, const row_view *v, int field, channel_set *out,
                            value_fault *f)
{
    text value;
    TRY(convert_value(c, v, field, &value, f));
    return value.n == 0 || check_channels(value, field, out, f);
}

bool convert_shopper(converter *c, const row_view *v, shopper_record *r, value_fault *f)
{
    text language;
    *r = (shopper_record){.consent_given = 0};
    TRY(convert_needed(c, v, SHOPPERS_ID, LIMIT_ID_BYTES, &r->id, f));
    TRY(convert_value(c, v, SHOPPERS_LANGUAGE, &language, f));
    if (language.n > 0) TRY(check_language(c, language, &r->language, f));
    TRY(convert_value(c, v, SHOPPERS_ZONE, &r->zone, f));
    if (r->zone.n > 0) TRY(check_zone(c, r->zone, f));
    TRY(convert_consent(c, v, SHOPPERS_CONSENT_GIVEN, &r->consent_given, f));
    TRY(convert_consent(c, v, SHOPPERS_CONSENT_REFUSED, &r->consent_refused, f));
    if (r->consent_given & r->consent_refused)
        return fault_set(f, REASON_OUT_OF_RANGE, SHOPPERS_CONSENT_GIVEN,
                         "a channel is both given and refused");
    return convert_attributes(c, v, SHOPPERS_ATTRIBUTES, &r->attributes, f);
}

/* --- campaigns and promotions ----------------------------------------------------- */

/* The two ends of a period: `ends` is exclusive, `ends_on` the last day inside. */
static bool convert_period(converter *c, const row_view *v, int starts, int ends,
                           int ends_on, int64_t *starts_us, int64_t *ends_us,
                           value_fault *f)
{
    int64_t last_us;
    TRY(convert_time(c, v, starts, starts_us, f));
    TRY(convert_time(c, v, ends, ends_us, f));
    TRY(convert_time(c, v, ends_on, &last_us, f));
    if (last_us != TIME_ABSENT) *ends_us = time_end_of_day(last_us, c->rules.time.local);
    if (*starts_us != TIME_ABSENT && *ends_us != TIME_ABSENT && *starts_us >= *ends_us)
        return fault_set(f, REASON_OUT_OF_RANGE, last_us != TIME_ABSENT ? ends_on : ends,
                         "it ends before it starts");
    return true;
}

bool convert_campaign(converter *c, const row_view *v, campaign_record *r, value_fault *f)
{
    *r = (campaign_record){.starts_us = TIME_ABSENT, .ends_us = TIME_ABSENT};
    TRY(convert_needed(c, v, CAMPAIGNS_ID, LIMIT_ID_BYTES, &r->id, f));
    TRY(convert_text(c, v, CAMPAIGNS_TITLE, LIMIT_TITLE_BYTES, &r->title, f));
    TRY(convert_text(c, v, CAMPAIGNS_KIND, LIMIT_ID_BYTES, &r->kind, f));
    TRY(convert_period(c, v, CAMPAIGNS_STARTS, CAMPAIGNS_ENDS, CAMPAIGNS_ENDS_ON,
                       &r->starts_us, &r->ends_us, f));
    return convert_attributes(c, v, CAMPAIGNS_ATTRIBUTES, &r->attributes, f);
}

/* "10", "12.5", "10%" -> hundredths of a per cent, in 0 < x <= 100. */
static bool convert_percent(converter *c, const row_view *v, int32_t *out, value_fault *f)
{
    char words[SHOWN_BYTES];
    text value;
    int64_t hundredths;
    const char *why = NULL;
    const currency two_digits = {.code = "", .exponent = 2};
    TRY(convert_value(c, v, PROMOTIONS_PERCENT, &value, f));
    if (value.n == 0) return true;
    if (value.data[value.n - 1] == '%')
        value = text_trim((text){value.data, value.n - 1});
    if (!money_parse(value.data, value.n, &two_digits, c->rules.decimal, &hundredths,
                     &why))
        return fault_set(f, REASON_BAD_NUMBER, PROMOTIONS_PERCENT,
                         "'%s' is no percentage: %s", shown(value, words), why);
    if (hundredths <= 0 || hundredths > 10000)
        return fault_set(f, REASON_OUT_OF_RANGE, PROMOTIONS_PERCENT,
                         "%s is not above 0 and at most 100", shown(value, words));
    *out = (int32_t)hundredths;
    return true;
}

/* A blank kind is told by what is given. */
static bool convert_kind(converter *c, const row_view *v, promotion_record *r,
                         value_fault *f)
{
    char words[SHOWN_BYTES];
    text value;
    TRY(convert_value(c, v, PROMOTIONS_KIND, &value, f));
    if (value.n == 0) {
        r->kind = r->percent_hundredths > 0        ? PROMOTION_PERCENT_OFF
                  : r->value_minor != MONEY_ABSENT ? PROMOTION_MONEY_OFF
                                                   : PROMOTION_INFORMATIONAL;
        return true;
    }
    const int kind = promotion_kind_parse(value);
    if (kind < 0)
        return fault_set(f, REASON_BAD_WORD, PROMOTIONS_KIND,
                         "'%s' is no kind of promotion (percent_off, money_off, bogo, "
                         "free_shipping, gift, points, informational); translate it with "
                         "'values'",
                         shown(value, words));
    r->kind = (promotion_kind)kind;
    return true;
}

static bool convert_limit(converter *c, const row_view *v, int field, uint32_t *out,
                          value_fault *f)
{
    text value;
    TRY(convert_value(c, v, field, &value, f));
    return value.n == 0 || check_count(value, field, out, f);
}

static bool convert_money_of_promotion(converter *c, const row_view *v,
                                       promotion_record *r, value_fault *f)
{
    TRY(convert_currency(c, v, PROMOTIONS_CURRENCY, f));
    TRY(convert_amount(c, v, PROMOTIONS_VALUE, &r->value_minor, f));
    TRY(convert_amount(c, v, PROMOTIONS_MINIMUM, &r->minimum_purchase_minor, f));
    TRY(convert_amount(c, v, PROMOTIONS_BUDGET, &r->budget_minor, f));
    return convert_amount(c, v, PROMOTIONS_CONTACT_COST, &r->contact_cost_minor, f);
}

/* The different words of "sale|coffee", in order of their bytes: the form that is kept. */
static bool convert_tags(converter *c, const row_view *v, text *out, value_fault *f)
{
    char words[SHOWN_BYTES];
    text value, which;
    tag_list list;
    *out = (text){"", 0};
    TRY(convert_value(c, v, PROMOTIONS_TAGS, &value, f));
    if (value.n == 0) return true;
    switch (tag_list_read(&list, value, &which)) {
    case TAGS_GOOD: break;
    case TAG_TOO_LONG:
        return fault_set(
            f, REASON_TOO_LONG, PROMOTIONS_TAGS,
            "the tag '%s' has %zu bytes, at most %u are taken; tags are short "
            "words joined by '|'",
            shown(which, words), which.n, LIMIT_TAG_BYTES);
    case TAGS_TOO_MANY:
        return fault_set(
            f, REASON_OUT_OF_RANGE, PROMOTIONS_TAGS,
            "more than %u tags, the first beyond is '%s'; keep those by which "
            "messages are limited",
            LIMIT_PROMOTION_TAGS, shown(which, words));
    }
    char *into = arena_alloc(&c->room, TAGS_BYTES, 1);
    if (into == NULL) return false;
    *out = tag_list_join(&list, into);
    return true;
}

static bool convert_rules_of_promotion(converter *c, const row_view *v,
                                       promotion_record *r, value_fault *f)
{
    text channels;
    TRY(convert_limit(c, v, PROMOTIONS_SHOPPER_LIMIT, &r->shopper_limit, f));
    TRY(convert_limit(c, v, PROMOTIONS_REDEMPTION_LIMIT, &r->redemption_limit, f));
    TRY(convert_value(c, v, PROMOTIONS_CHANNELS, &channels, f));
    if (channels.n > 0)
        TRY(check_channels(channels, PROMOTIONS_CHANNELS, &r->channels, f));
    TRY(convert_text(c, v, PROMOTIONS_STACKING_GROUP, LIMIT_ID_BYTES, &r->stacking_group,
                     f));
    TRY(convert_text(c, v, PROMOTIONS_SCOPE_CATEGORIES, LIMIT_TEXT_BYTES,
                     &r->scope_categories, f));
    TRY(convert_text(c, v, PROMOTIONS_SCOPE_BRANDS, LIMIT_TEXT_BYTES, &r->scope_brands,
                     f));
    TRY(convert_tags(c, v, &r->tags, f));
    return convert_text(c, v, PROMOTIONS_AUDIENCE, LIMIT_AUDIENCE_BYTES, &r->audience, f);
}

bool convert_promotion(converter *c, const row_view *v, promotion_record *r,
                       value_fault *f)
{
    *r = (promotion_record){.value_minor = MONEY_ABSENT,
                            .minimum_purchase_minor = MONEY_ABSENT,
                            .budget_minor = MONEY_ABSENT,
                            .contact_cost_minor = MONEY_ABSENT};
    TRY(convert_needed(c, v, PROMOTIONS_ID, LIMIT_ID_BYTES, &r->id, f));
    TRY(convert_text(c, v, PROMOTIONS_CAMPAIGN, LIMIT_ID_BYTES, &r->campaign, f));
    TRY(convert_text(c, v, PROMOTIONS_TITLE, LIMIT_TITLE_BYTES, &r->title, f));
    TRY(convert_text(c, v, PROMOTIONS_BODY, LIMIT_TEXT_BYTES, &r->body, f));
    TRY(convert_money_of_promotion(c, v, r, f));
    TRY(convert_percent(c, v, &r->percent_hundredths, f));
    TRY(convert_kind(c, v, r, f));
    TRY(convert_period(c, v, PROMOTIONS_STARTS, PROMOTIONS_ENDS, PROMOTIONS_ENDS_ON,
                       &r->starts_us, &r->ends_us, f));
    TRY(convert_rules_of_promotion(c, v, r, f));
    return convert_attributes(c, v, PROMOTIONS_ATTRIBUTES, &r->attributes, f);
}

bool convert_scope(converter *c, const row_view *v, scope_record *r, value_fault *f)
{
    *r = (scope_record){.promotion = {"", 0}};
    TRY(convert_needed(c, v, SCOPE_PROMOTION, LIMIT_ID_BYTES, &r->promotion, f));
    return convert_needed(c, v, SCOPE_PRODUCT, LIMIT_ID_BYTES, &r->product, f);
}
