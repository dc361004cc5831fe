/*
 * CloudEvents 1.0 (JSON event format) -> rows of events; see envelope.h. The event's id is
 * "source:id", since only the two together are unique. The type of ours is the last part of
 * the CloudEvents type that is a word we know ("com.shop.order_completed.v1"). Members of
 * data are taken by the names that headers of CSV files may have; what data does not say
 * comes from the envelope: its time, its subject as the shopper.
 */
#include <string.h>

#include "intake/envelope.h"
#include "intake/json_cell.h"
#include "intake/words.h"

/* The last dot-separated part that names an event. */
static const event_word *type_of(text type)
{
    size_t end = type.n;
    while (end > 0) {
        size_t from = end;
        while (from > 0 && type.data[from - 1] != '.')
            from--;
        const event_word *word = event_word_find((text){type.data + from, end - from});
        if (word != NULL) return word;
        end = from > 0 ? from - 1 : 0;
    }
    return NULL;
}

static void fill_data(const json_value *data, text *cells)
{
    size_t ranks[EVENTS_FIELD_COUNT];
    memset(ranks, 0xff, sizeof ranks);
    for (size_t i = 0; i < data->n; i++) {
        size_t rank;
        const int f = table_field_guess(TABLE_EVENTS, data->keys[i], &rank);
        const text word = json_word(&data->values[i]);
        if (f < 0 || f == EVENTS_ID || f == EVENTS_TYPE || f == EVENTS_ATTRIBUTES ||
            word.n == 0 || rank >= ranks[f])
            continue;
        ranks[f] = rank;
        cells[f] =
            f == EVENTS_PAID || f == EVENTS_UNIT_PRICE ? envelope_amount(word) : word;
    }
    if (cells[EVENTS_PAID].n > 0) cells[EVENTS_UNIT_PRICE] = (text){"", 0};
}

bool envelope_cloudevents(const json_value *v, envelope_rows *rows)
{
    const event_word *word = type_of(json_word(json_member(v, "type")));
    const json_value *data = json_member(v, "data");
    if (word == NULL) return true;
    if (json_member(v, "data_base64") != NULL ||
        (data != NULL && data->kind != JSON_OBJECT && data->kind != JSON_NULL)) {
        rows->wrong = "the event's data are no JSON object";
        return true;
    }
    text *cells = envelope_add(rows);
    if (cells == NULL) return false;
    if (data != NULL && data->kind == JSON_OBJECT) fill_data(data, cells);
    cells[EVENTS_TYPE] = text_of(event_type_name(word->type));
    cells[EVENTS_ID] = envelope_pair(rows, json_word(json_member(v, "source")),
                                     json_word(json_member(v, "id")));
    if (cells[EVENTS_TIME].n == 0) cells[EVENTS_TIME] = json_word(json_member(v, "time"));
    if (cells[EVENTS_SHOPPER].n == 0)
        cells[EVENTS_SHOPPER] = json_word(json_member(v, "subject"));
    if (cells[EVENTS_CHANNEL].n == 0 && word->channel != CHANNEL_NONE)
        cells[EVENTS_CHANNEL] = text_of(channel_name(word->channel));
    return true;
}
