/* intake/mapping.h: what a mapping file may say; whatever else it says is an error that
 * names its place. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "intake/mapping.h"

#define HEAD "version: 1\ntables:\n"
#define EVENTS                                                                           \
    HEAD "  - table: events\n    files: [e.csv]\n    fields:\n"                          \
         "      - {from: t, to: time}\n      - {from: k, to: type}\n"                    \
         "      - {from: s, to: shopper}\n"
#define PRODUCTS                                                                         \
    HEAD "  - table: products\n    files: [p.csv]\n    fields:\n"                        \
         "      - {from: p, to: id}\n"

static mapping *parse(const char *yaml)
{
    mapping *m = NULL;
    if (mapping_parse(&m, yaml, strlen(yaml), "m.yaml", &failure) != PF_OK)
        fail_msg("%llu:%llu %s", (unsigned long long)failure.line,
                 (unsigned long long)failure.column, failure.message);
    return m;
}

static void refuses(const char *yaml, unsigned long long line, const char *words)
{
    mapping *m = NULL;
    failure = (pf_error){0};
    if (mapping_parse(&m, yaml, strlen(yaml), "m.yaml", &failure) != PF_USAGE)
        fail_msg("not refused: %s", yaml);
    assert_failure(line, words);
    assert_string_equal(failure.file, "m.yaml");
}

static void a_complete_file_is_read(void **state)
{
    (void)state;
    mapping *m =
        parse("version: 1\n"
              "currency: EUR\n"
              "decimal: \",\"\n"
              "time: {zone: Europe/Berlin, repeated_hour: later, form: iso}\n"
              "tables:\n"
              "  - table: events\n"
              "    name: orders\n"
              "    files: [\"a*.csv\", b.csv]\n"
              "    format: csv\n"
              "    delimiter: tab\n"
              "    columns: [t, who, what, n, price, state]\n"
              "    fields:\n"
              "      - {from: t, to: time}\n"
              "      - {value: purchase, to: type}\n"
              "      - {from: who, to: shopper, trim_start: \"c-\", trim_end: .0}\n"
              "      - {template: \"{what}/{n}\", to: product}\n"
              "      - from: state\n"
              "        to: channel\n"
              "        values: [{from: web, to: site}, {from: x, to: \"\"}]\n"
              "        default: site\n"
              "    joins:\n"
              "      - {files: [j.csv], keys: [{left: t, right: u}], kind: left}\n"
              "    where: [{column: n, is: [1, 2], is_not: [\"\"]}]\n"
              "    ignore: [price]\n"
              "    other_columns: ignore\n"
              "    time: {form: epoch_ms}\n"
              "    decimal: \".\"\n"
              "    unknown: {shoppers: reject, products: create}\n"
              "    missing_shopper: anonymous\n"
              "    returns: negative_quantity\n"
              "    allow_empty: true\n");
    const map_table *t = &m->tables[0];
    assert_string_equal(m->currency, "EUR");
    assert_int_equal(m->time.repeated_hour, MAP_REPEAT_LATER);
    assert_int_equal(t->table, TABLE_EVENTS);
    assert_string_equal(map_table_label(t), "orders");
    assert_int_equal(t->files_count, 2);
    assert_int_equal(map_delimiter(t->delimiter), '\t');
    assert_int_equal(t->columns_count, 6);
    assert_int_equal(t->fields_count, 5);
    assert_string_equal(t->fields[2].trim_end, ".0");
    assert_string_equal(t->fields[4].values[0].to, "site");
    assert_string_equal(t->fields[4].fallback, "site");
    assert_int_equal(t->joins[0].kind, JOIN_LEFT);
    assert_string_equal(t->joins[0].on[0].right, "u");
    assert_string_equal(t->where[0].is[1], "2");
    assert_int_equal(t->time.form, MAP_TIME_EPOCH_MS);
    assert_int_equal(t->unknown.products, UNKNOWN_CREATE);
    assert_int_equal(t->unknown.campaigns, UNKNOWN_AUTO);
    assert_int_equal(t->missing_shopper, MISSING_ANONYMOUS);
    assert_true(t->allow_empty);
    mapping_free(m);
}

static void what_is_not_said_has_its_default(void **state)
{
    (void)state;
    mapping *m = parse(PRODUCTS);
    const map_table *t = &m->tables[0];
    assert_int_equal(t->format, FORMAT_AUTO);
    assert_int_equal(t->repeated, REPEATED_REJECT);
    assert_int_equal(t->other_columns, OTHERS_KEEP);
    assert_int_equal(map_delimiter(t->delimiter), 0);
    assert_string_equal(map_table_label(t), "products");
    assert_false(t->allow_empty);
    mapping_free(m);
}

static void broken_yaml_has_a_place(void **state)
{
    (void)state;
    refuses("", 0, "empty");
    refuses("version: [", 0, "");
    refuses("- a\n- b\n", 0, "");
    refuses("version: 1\n", 0, "tables");
    refuses("version: x\ntables: []\n", 1, "version");
    refuses("version: 1\nversoin: 2\n", 0, "versoin");
    refuses(HEAD "  - table: products\n    fiels: [a]\n", 0, "fiels");
    refuses(HEAD "  - table: things\n    files: [a]\n", 3, "things");
    refuses(HEAD "  - table: products\n", 0, "files");
    refuses(HEAD "  - table: products\n    files: []\n", 0, "");
    refuses(HEAD "  - table: products\n    files: words\n", 0, "SEQUENCE");
    refuses(PRODUCTS "    repeated: sometimes\n", 7, "sometimes");
    refuses(PRODUCTS "    allow_empty: perhaps\n", 7, "perhaps");
    refuses(PRODUCTS "\tx: y\n", 0, "libyaml");
}

static void the_version_is_known(void **state)
{
    (void)state;
    refuses("version: 2\ntables:\n  - {table: products, files: [a]}\n", 0,
            "version 2 is not known");
}

static void wrong_values_of_the_whole(void **state)
{
    (void)state;
    static const char tail[] = "tables:\n  - {table: products, files: [a]}\n";
    char yaml[256];
    static const struct {
        const char *key, *words;
    } cases[] = {
        {"currency: XQQ", "'XQQ' is no currency of ISO 4217"},
        {"decimal: \";\"", "decimal is \".\" or \",\", not ';'"},
        {"time: {zone: Mars/Base}", "Mars/Base"},
        {"time: {repeated_hour: never}", "never"},
        {"time: {form: american}", "american"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(yaml, sizeof yaml, "version: 1\n%s\n%s", cases[i].key, tail);
        refuses(yaml, 0, cases[i].words);
    }
}

static void fields_must_make_sense(void **state)
{
    (void)state;
    static const struct {
        const char *field, *words;
    } cases[] = {
        {"{from: a, to: titel}",
         "products have no field 'titel' (did you mean 'title'?)"},
        {"{from: a, to: attribute.}", "the attribute has no name"},
        {"{from: a, value: b, to: title}", "is needed, here are 2"},
        {"{to: title}", "is needed, here are 0"},
        {"{from: \"\", to: title}", "'from' names no column"},
        {"{template: \"{a\", to: title}", "a brace is opened and not closed"},
        {"{from: a, to: title, values: [{from: x}]}", "entry 1 of 'values'"},
        {"{from: a, to: id}", "fields 1 and 2 both fill 'id'"},
    };
    char yaml[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(yaml, sizeof yaml, "%s      - %s\n", PRODUCTS, cases[i].field);
        refuses(yaml, 0, cases[i].words);
        assert_failure(0, "table 1 (products)");
    }
    refuses(HEAD "  - {table: products, files: [a], fields: [{from: a, to: title}]}\n", 0,
            "nothing fills 'id'");
    refuses(HEAD "  - {table: scope, files: [a], fields: [{from: a, to: attribute.x}]}\n",
            0, "scope rows have no attributes");
    refuses(EVENTS "      - {from: a, to: paid}\n      - {from: b, to: unit_price}\n", 0,
            "exclude each other");
    refuses(HEAD "  - table: campaigns\n    files: [a]\n    fields:\n"
                 "      - {from: a, to: id}\n      - {from: b, to: ends}\n"
                 "      - {from: c, to: ends_on}\n",
            0, "exclude each other");
    refuses(HEAD "  - table: events\n    files: [a]\n    fields:\n"
                 "      - {from: t, to: time}\n      - {value: view, to: type}\n",
            0, "nothing fills 'shopper'");
}

static void tables_must_make_sense(void **state)
{
    (void)state;
    static const struct {
        const char *key, *words;
    } cases[] = {
        {"delimiter: \"ab\"", "is not one character"},
        {"delimiter: \"\"", "is not one character"},
        {"delimiter: '\"'", "is not one character"},
        {"decimal: x", "decimal is"},
        {"time: {zone: Nowhere}", "Nowhere"},
        {"missing_shopper: anonymous", "are for events"},
        {"returns: negative_quantity", "are for events"},
        {"envelope: segment", "envelope is for events"},
        {"where: [{column: a}]", "condition 1 of 'where' needs is or is_not"},
        {"columns: [a, \"\"]", "entry 2 of 'columns' is empty"},
    };
    char yaml[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(yaml, sizeof yaml, "%s    %s\n", PRODUCTS, cases[i].key);
        refuses(yaml, 0, cases[i].words);
    }
    refuses(EVENTS "    repeated: first\n", 0,
            "repeated is for tables of things with ids");
    refuses(EVENTS "    envelope: ga4\n", 0, "an envelope is mapped by itself");
    refuses(HEAD "  - {table: events, files: [a], joins: [{files: [b], keys: [{left: a, "
                 "right: b}]}]}\n",
            0, "with joins the fields must be named");
    refuses(EVENTS
            "    joins: [{files: [b], keys: [{left: a, right: b}], delimiter: xy}]\n",
            0, "join 1:");
}

/* Anchors would let a small file grow without bound. */
static void aliases_cannot_blow_up(void **state)
{
    (void)state;
    mapping *m = NULL;
    static const char yaml[] =
        HEAD "  - table: products\n    files: &f [a, b]\n    ignore: *f\n";
    const pf_status s = mapping_parse(&m, yaml, sizeof yaml - 1, "m.yaml", &failure);
    assert_true(s == PF_OK || s == PF_USAGE);
    mapping_free(m);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    static const char yaml[] = EVENTS
        "      - {template: \"{a}:{b}\", to: product, values: [{from: x, to: y}]}\n"
        "    joins: [{files: [b], keys: [{left: a, right: b}]}]\n"
        "    time: {zone: Europe/Berlin}\n";
    fault f = {0};
    while (fault_next(&f)) {
        mapping *m = NULL;
        const pf_status s = mapping_parse(&m, yaml, sizeof yaml - 1, "m.yaml", &failure);
        const bool failed = fault_reached(&f);
        assert_int_equal(s, failed ? PF_NO_MEMORY : PF_OK);
        mapping_free(m);
    }
    assert_true(f.n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_complete_file_is_read),
        cmocka_unit_test(what_is_not_said_has_its_default),
        cmocka_unit_test(broken_yaml_has_a_place),
        cmocka_unit_test(the_version_is_known),
        cmocka_unit_test(wrong_values_of_the_whole),
        cmocka_unit_test(fields_must_make_sense),
        cmocka_unit_test(tables_must_make_sense),
        cmocka_unit_test(aliases_cannot_blow_up),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
