/*
 * CSV of any bytes: rows are the same through every window, every row that is accepted
 * converts or has a fault with words, and nothing is read outside the file.
 *
 * Rooms: base shop store intake
 *
 * The first byte chooses the table and the window.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "intake/binding.h"
#include "intake/convert.h"
#include "intake/csv.h"
#include "intake/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
    if (!good) abort();
}

/* A fingerprint of all rows and of how reading ended. */
static fingerprint read_rows(const uint8_t *data, size_t size, size_t window_bytes)
{
    const csv_options o = {.window_bytes = window_bytes};
    fingerprint_state f;
    byte_source *source = NULL;
    csv_reader *r = NULL;
    row at;
    bool more = true;
    pf_error err = {0};
    fingerprint_begin(&f);
    pf_status s = byte_source_from_memory(&source, data, size, "fuzz", &err);
    if (s == PF_OK) s = csv_open(&r, source, &o, &err);
    while (s == PF_OK && (s = csv_next(r, &at, &more, &err)) == PF_OK && more) {
        require(at.reason != REASON_NONE || at.n_cells == csv_columns(r));
        fingerprint_add(&f, &at.line, sizeof at.line);
        fingerprint_add(&f, &at.reason, sizeof at.reason);
        for (size_t i = 0; i < at.n_cells; i++) {
            fingerprint_add(&f, &at.cells[i].n, sizeof at.cells[i].n);
            fingerprint_add(&f, at.cells[i].data, at.cells[i].n);
        }
    }
    require(s == PF_OK || err.message[0] != 0);
    fingerprint_add(&f, &s, sizeof s);
    fingerprint_add(&f, &err.line, sizeof err.line);
    csv_close(r);
    byte_source_close(source);
    return fingerprint_end(&f);
}

static void convert_rows(const uint8_t *data, size_t size, intake_table table)
{
    const reader_options o = {.table = table, .format = FORMAT_CSV};
    const map_table map = {.table = table,
                           .missing_shopper = MISSING_ANONYMOUS,
                           .returns = RETURNS_NEGATIVE_QUANTITY};
    const joined_names none = {NULL, 0};
    value_rules rules = {.decimal = '.', .form = MAP_TIME_ANY};
    byte_source *source = NULL;
    table_reader *r = NULL;
    binding *b = NULL;
    converter c = {0};
    row at;
    bool more = true;
    require(currency_find("USD", 3, &rules.currency));
    if (byte_source_from_memory(&source, data, size, "fuzz", NULL) != PF_OK ||
        table_reader_open(&r, source, &o, NULL) != PF_OK)
        return;
    if (binding_make(&b, &map, r, none, NULL) == PF_OK) {
        require(converter_open(&c, b, &rules, NULL) == PF_OK);
        while (table_reader_next(r, &at, &more, NULL) == PF_OK && more) {
            const row_view v = {&at, NULL, {"1", 1}};
            any_record record;
            value_fault f = {0};
            if (at.reason == REASON_NONE && !convert_row(&c, &v, &record, &f))
                require(f.reason != REASON_NONE && f.message[0] != 0);
        }
        converter_close(&c);
    }
    binding_free(b);
    table_reader_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    const fingerprint whole = read_rows(data + 1, size - 1, 1 << 16);
    const fingerprint pieces = read_rows(data + 1, size - 1, 1 + data[0] % 64);
    require(memcmp(&whole, &pieces, sizeof whole) == 0);
    convert_rows(data + 1, size - 1, (intake_table)(data[0] % TABLE_COUNT));
    return 0;
}
