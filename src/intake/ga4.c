/* GA4 export events (the schema of its BigQuery export, as JSON lines) -> rows of events;
 * see envelope.h. The export gives events no id: they are known by their content. */
#include "intake/envelope.h"
#include "intake/json_cell.h"
#include "intake/words.h"

/* The value of an event parameter: {"key": ..., "value": {"string_value": ...}}. */
static text parameter(const json_value *v, const char *key)
{
    static const char *const kinds[] = {"string_value", "int_value", "double_value",
                                        "float_value"};
    const json_value *list = json_member(v, "event_params");
    for (size_t i = 0; list != NULL && list->kind == JSON_ARRAY && i < list->n; i++) {
        const json_value *entry = &list->values[i];
        if (!text_is(json_word(json_member(entry, "key")), key)) continue;
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            const text word = json_word(json_path(entry, "value", kinds[k], NULL));
            if (word.n > 0) return word;
        }
    }
    return (text){"", 0};
}

/* GA4 writes "(not set)" where it knows nothing. */
static text known(text word)
{
    return text_is(word, "(not set)") ? (text){"", 0} : word;
}

static text member(const json_value *v, const char *name)
{
    return known(json_word(json_member(v, name)));
}

static text either(text a, text b)
{
    return a.n > 0 ? a : b;
}

static void fill_event(const json_value *v, const event_word *word, text *cells)
{
    const json_value *commerce = json_member(v, "ecommerce");
    cells[EVENTS_TYPE] = text_of(event_type_name(word->type));
    cells[EVENTS_SHOPPER] = either(member(v, "user_id"), member(v, "user_pseudo_id"));
    cells[EVENTS_TIME] = member(v, "event_timestamp");
    cells[EVENTS_ORDER] =
        either(member(commerce, "transaction_id"), known(parameter(v, "transaction_id")));
    cells[EVENTS_CURRENCY] = known(parameter(v, "currency"));
    cells[EVENTS_CAMPAIGN] = known(parameter(v, "campaign_id"));
    cells[EVENTS_PROMOTION] = known(parameter(v, "promotion_id"));
    cells[EVENTS_DECISION] = known(parameter(v, "decision_id"));
    cells[EVENTS_PROPENSITY] = known(parameter(v, "propensity"));
    if (word->channel != CHANNEL_NONE)
        cells[EVENTS_CHANNEL] = text_of(channel_name(word->channel));
}

static void fill_item(const json_value *item, const event_word *word, text *cells)
{
    cells[EVENTS_PRODUCT] = member(item, "item_id");
    cells[EVENTS_QUANTITY] = member(item, "quantity");
    cells[EVENTS_UNIT_PRICE] = envelope_amount(member(item, "price"));
    const text promotion = either(member(item, "promotion_id"), member(item, "coupon"));
    if (promotion.n > 0) cells[EVENTS_PROMOTION] = promotion;
    /* What was shown or chosen is the promotion; its items may be none of the shop's. */
    if (word->type == EVENT_EXPOSURE) cells[EVENTS_PRODUCT] = (text){"", 0};
}

bool envelope_ga4(const json_value *v, envelope_rows *rows)
{
    const event_word *word = event_word_find(member(v, "event_name"));
    if (word == NULL) return true;
    const json_value *items = json_member(v, "items");
    const bool many = items != NULL && items->kind == JSON_ARRAY && items->n > 0;
    const size_t n = many ? items->n : 1;
    if (n > ENVELOPE_ROWS_MAX) {
        rows->wrong = "the event holds more than 10000 items";
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        text *cells = envelope_add(rows);
        if (cells == NULL) return false;
        fill_event(v, word, cells);
        if (many) fill_item(&items->values[i], word, cells);
    }
    return true;
}
