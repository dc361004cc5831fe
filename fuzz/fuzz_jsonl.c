/*
 * JSON lines of any bytes, as rows and in each envelope: every row has as many cells as
 * there are columns, converts or has a fault with words.
 *
 * Rooms: base shop store intake
 *
 * The first byte chooses the envelope and the table.
 */
#include <stdint.h>
#include <stdlib.h>

#include "intake/binding.h"
#include "intake/convert.h"
#include "intake/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
    if (!good) abort();
}

static void take_row(converter *c, const row *at)
{
    const row_view v = {at, NULL, {"1", 1}};
    any_record record;
    value_fault f = {0};
    if (at->reason != REASON_NONE)
        require(at->message[0] != 0);
    else if (!convert_row(c, &v, &record, &f))
        require(f.reason != REASON_NONE && f.message[0] != 0);
}

static void read_rows(table_reader *r, binding *b, const value_rules *rules)
{
    converter c = {0};
    row at;
    bool more = true;
    require(converter_open(&c, b, rules, NULL) == PF_OK);
    while (table_reader_next(r, &at, &more, NULL) == PF_OK && more) {
        if (at.reason == REASON_NONE) require(at.n_cells == table_reader_columns(r));
        if (binding_extend(b, r, NULL) != PF_OK) break;
        take_row(&c, &at);
    }
    converter_close(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const map_envelope kinds[] = {ENVELOPE_AUTO, ENVELOPE_NONE, ENVELOPE_SEGMENT,
                                         ENVELOPE_GA4, ENVELOPE_CLOUDEVENTS};
    value_rules rules = {.decimal = '.', .form = MAP_TIME_ANY};
    const joined_names none = {NULL, 0};
    byte_source *source = NULL;
    table_reader *r = NULL;
    binding *b = NULL;
    if (size == 0) return 0;
    const intake_table table =
        data[0] < 128 ? TABLE_EVENTS : (intake_table)(data[0] % TABLE_COUNT);
    const map_table map = {.table = table};
    const reader_options o = {
        .table = table, .format = FORMAT_JSONL, .envelope = kinds[data[0] % 5]};
    require(currency_find("USD", 3, &rules.currency));
    if (byte_source_from_memory(&source, data + 1, size - 1, "fuzz", NULL) != PF_OK ||
        table_reader_open(&r, source, &o, NULL) != PF_OK)
        return 0;
    if (!(table_reader_is_envelope(r) && table != TABLE_EVENTS) &&
        binding_make(&b, &map, r, none, NULL) == PF_OK)
        read_rows(r, b, &rules);
    binding_free(b);
    table_reader_close(r);
    return 0;
}
