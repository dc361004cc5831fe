/* Segment track calls -> rows of events; see envelope.h. The names of properties are those
 * of Segment's Ecommerce, Email and Mobile specs. */
#include "intake/envelope.h"
#include "intake/json_cell.h"
#include "intake/words.h"

/* The first of several members that is there. */
static text first_of(const json_value *object, const char *const names[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const text word = json_word(json_member(object, names[i]));
        if (word.n > 0) return word;
    }
    return (text){"", 0};
}

#define FIRST_OF(object, ...)                                                            \
    first_of(object, (const char *const[]){__VA_ARGS__},                                 \
             sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* What the call says of every product in it. */
static void fill_call(const json_value *v, const json_value *properties,
                      const event_word *word, text *cells)
{
    const text campaign = FIRST_OF(properties, "campaign_id");
    const text said = FIRST_OF(properties, "channel");
    cells[EVENTS_ID] = FIRST_OF(v, "messageId");
    cells[EVENTS_TYPE] = text_of(event_type_name(word->type));
    cells[EVENTS_SHOPPER] = FIRST_OF(v, "userId", "anonymousId");
    cells[EVENTS_TIME] = FIRST_OF(v, "timestamp", "originalTimestamp", "receivedAt");
    cells[EVENTS_CAMPAIGN] =
        campaign.n > 0 ? campaign
                       : json_word(json_path(v, "context", "campaign", "name", NULL));
    cells[EVENTS_ORDER] = FIRST_OF(properties, "order_id");
    cells[EVENTS_DECISION] = FIRST_OF(properties, "decision_id");
    cells[EVENTS_PROPENSITY] = FIRST_OF(properties, "propensity");
    cells[EVENTS_RATING] = FIRST_OF(properties, "rating");
    cells[EVENTS_CURRENCY] = FIRST_OF(properties, "currency");
    if (channel_parse(said) != CHANNEL_NONE)
        cells[EVENTS_CHANNEL] = said;
    else if (word->channel != CHANNEL_NONE)
        cells[EVENTS_CHANNEL] = text_of(channel_name(word->channel));
}

/* What it says of one: `product` is an element of products, or the properties. */
static void fill_product(const json_value *product, const json_value *properties,
                         text *cells)
{
    cells[EVENTS_PRODUCT] = FIRST_OF(product, "product_id", "sku");
    cells[EVENTS_QUANTITY] = FIRST_OF(product, "quantity");
    cells[EVENTS_UNIT_PRICE] = envelope_amount(FIRST_OF(product, "price"));
    cells[EVENTS_PROMOTION] = FIRST_OF(properties, "promotion_id", "coupon_id");
    if (cells[EVENTS_PROMOTION].n == 0)
        cells[EVENTS_PROMOTION] = FIRST_OF(product, "coupon");
}

bool envelope_segment(const json_value *v, envelope_rows *rows)
{
    const event_word *word = event_word_find(json_word(json_member(v, "event")));
    if (!text_is(json_word(json_member(v, "type")), "track") || word == NULL) return true;
    const json_value *properties = json_member(v, "properties");
    const json_value *products = json_member(properties, "products");
    const bool many = products != NULL && products->kind == JSON_ARRAY && products->n > 0;
    const size_t n = many ? products->n : 1;
    if (n > ENVELOPE_ROWS_MAX) {
        rows->wrong = "the call holds more than 10000 products";
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        text *cells = envelope_add(rows);
        if (cells == NULL) return false;
        fill_call(v, properties, word, cells);
        fill_product(many ? &products->values[i] : properties, properties, cells);
        if (many) cells[EVENTS_ID] = envelope_part_id(rows, cells[EVENTS_ID], i + 1);
    }
    return true;
}
