/*
 * Mapping files of any bytes: refused with words, or bound to a small file whose rows then
 * convert or have a fault.
 *
 * Rooms: base shop store intake
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "intake/binding.h"
#include "intake/convert.h"
#include "intake/mapping.h"
#include "intake/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char csv[] = "id,shopper,product,time,price,n,a,b\n"
                          "1,s1,p1,2024-05-01,2.50,3,x,y\n"
                          "2,,p1,1714557600,-1,-2,,\"z,z\"\n"
                          "3,s2,,31/12/2010,abc,1e99,x,\n";

static void require(bool good)
{
    if (!good) abort();
}

static void bind_table(const map_table *t)
{
    const reader_options o = {.table = t->table,
                              .format = FORMAT_CSV,
                              .delimiter = map_delimiter(t->delimiter),
                              .columns = t->columns,
                              .n_columns = t->columns_count};
    static const text joined_names_list[] = {{"start", 5}, {"who", 3}};
    static const text joined_cells[] = {{"2024-05-01", 10}, {"s9", 2}};
    const joined_names joined = {joined_names_list, 2};
    value_rules rules = {.decimal = t->decimal != NULL ? t->decimal[0] : '.',
                         .form = t->time.form};
    byte_source *source = NULL;
    table_reader *r = NULL;
    binding *b = NULL;
    converter c = {0};
    row at;
    bool more = true;
    char words[256];
    require(currency_find("USD", 3, &rules.currency));
    require(byte_source_from_memory(&source, csv, sizeof csv - 1, "csv", NULL) == PF_OK);
    if (table_reader_open(&r, source, &o, NULL) != PF_OK) return;
    if (binding_make(&b, t, r, joined, NULL) == PF_OK) {
        binding_describe(b, words, sizeof words);
        require(converter_open(&c, b, &rules, NULL) == PF_OK);
        while (table_reader_next(r, &at, &more, NULL) == PF_OK && more) {
            const row_view v = {&at, joined_cells, {"1", 1}};
            any_record record;
            value_fault f = {0};
            if (at.reason == REASON_NONE && binding_takes(b, &v, false) &&
                binding_takes(b, &v, true) && !convert_row(&c, &v, &record, &f))
                require(f.reason != REASON_NONE && f.message[0] != 0);
        }
        converter_close(&c);
    }
    binding_free(b);
    table_reader_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mapping *m = NULL;
    pf_error err = {0};
    const pf_status s = mapping_parse(&m, (const char *)data, size, "fuzz", &err);
    if (s != PF_OK) {
        require(m == NULL && err.message[0] != 0);
        return 0;
    }
    for (unsigned i = 0; i < m->tables_count; i++)
        bind_table(&m->tables[i]);
    mapping_free(m);
    return 0;
}
