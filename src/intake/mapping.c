/* The mapping file's schema; see mapping.h. */
#include "intake/mapping.h"

#include <string.h>

#include "base/yaml.h"

enum { LIST_MAX = 100000 };

#define TEXT(structure, key, member)                                                     \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, structure,     \
                           member, 0, CYAML_UNLIMITED)
#define NEEDED_TEXT(structure, key, member)                                              \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, structure, member, 1, CYAML_UNLIMITED)
#define LIST(structure, key, member, entry)                                              \
    CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, structure,       \
                         member, entry, 0, LIST_MAX)
#define NEEDED_LIST(structure, key, member, entry)                                       \
    CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER, structure, member, entry, 1, LIST_MAX)
#define WORD(structure, key, member, words)                                              \
    CYAML_FIELD_ENUM(key, CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, structure, member,    \
                     words, CYAML_ARRAY_LEN(words))

static const cyaml_schema_value_t text_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED)};

static const cyaml_strval_t table_words[] = {
    {"products", TABLE_PRODUCTS},   {"shoppers", TABLE_SHOPPERS},
    {"campaigns", TABLE_CAMPAIGNS}, {"promotions", TABLE_PROMOTIONS},
    {"scope", TABLE_SCOPE},         {"events", TABLE_EVENTS}};
static const cyaml_strval_t format_words[] = {{"auto", FORMAT_AUTO},
                                              {"csv", FORMAT_CSV},
                                              {"jsonl", FORMAT_JSONL},
                                              {"recbole", FORMAT_RECBOLE}};
static const cyaml_strval_t envelope_words[] = {{"auto", ENVELOPE_AUTO},
                                                {"none", ENVELOPE_NONE},
                                                {"segment", ENVELOPE_SEGMENT},
                                                {"ga4", ENVELOPE_GA4},
                                                {"cloudevents", ENVELOPE_CLOUDEVENTS}};
static const cyaml_strval_t join_words[] = {{"inner", JOIN_INNER}, {"left", JOIN_LEFT}};
static const cyaml_strval_t repeat_words[] = {{"earlier", MAP_REPEAT_EARLIER},
                                              {"later", MAP_REPEAT_LATER}};
static const cyaml_strval_t form_words[] = {{"any", MAP_TIME_ANY},
                                            {"iso", MAP_TIME_ISO},
                                            {"epoch_s", MAP_TIME_EPOCH_S},
                                            {"epoch_ms", MAP_TIME_EPOCH_MS},
                                            {"epoch_us", MAP_TIME_EPOCH_US},
                                            {"day_month_year", MAP_TIME_DAY_MONTH_YEAR},
                                            {"month_day_year", MAP_TIME_MONTH_DAY_YEAR}};
static const cyaml_strval_t unknown_words[] = {
    {"auto", UNKNOWN_AUTO}, {"create", UNKNOWN_CREATE}, {"reject", UNKNOWN_REJECT}};
static const cyaml_strval_t others_words[] = {{"keep", OTHERS_KEEP},
                                              {"ignore", OTHERS_IGNORE}};
static const cyaml_strval_t missing_words[] = {{"reject", MISSING_REJECT},
                                               {"anonymous", MISSING_ANONYMOUS}};
static const cyaml_strval_t returns_words[] = {
    {"reject", RETURNS_REJECT}, {"negative_quantity", RETURNS_NEGATIVE_QUANTITY}};
static const cyaml_strval_t repeated_words[] = {
    {"reject", REPEATED_REJECT}, {"first", REPEATED_FIRST}, {"last", REPEATED_LAST}};

/* libcyaml's own booleans take any word but "false" and "no" for true. */
static const cyaml_strval_t yes_words[] = {
    {"true", true}, {"yes", true}, {"false", false}, {"no", false}};

static const cyaml_schema_field_t value_fields[] = {
    TEXT(map_value, "from", from), TEXT(map_value, "to", to), CYAML_FIELD_END};
static const cyaml_schema_value_t value_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, map_value, value_fields)};

static const cyaml_schema_field_t field_fields[] = {
    NEEDED_TEXT(map_field, "to", to),
    TEXT(map_field, "from", from),
    TEXT(map_field, "template", template),
    TEXT(map_field, "value", value),
    TEXT(map_field, "trim_start", trim_start),
    TEXT(map_field, "trim_end", trim_end),
    TEXT(map_field, "default", fallback),
    LIST(map_field, "values", values, &value_entry),
    CYAML_FIELD_END};
static const cyaml_schema_value_t field_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, map_field, field_fields)};

static const cyaml_schema_field_t condition_fields[] = {
    NEEDED_TEXT(map_condition, "column", column),
    LIST(map_condition, "is", is, &text_entry),
    LIST(map_condition, "is_not", is_not, &text_entry), CYAML_FIELD_END};
static const cyaml_schema_value_t condition_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, map_condition, condition_fields)};

static const cyaml_schema_field_t key_fields[] = {NEEDED_TEXT(map_key, "left", left),
                                                  NEEDED_TEXT(map_key, "right", right),
                                                  CYAML_FIELD_END};
static const cyaml_schema_value_t key_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, map_key, key_fields)};

static const cyaml_schema_field_t join_fields[] = {
    NEEDED_LIST(map_join, "files", files, &text_entry),
    NEEDED_LIST(map_join, "keys", on, &key_entry),
    TEXT(map_join, "delimiter", delimiter),
    TEXT(map_join, "prefix", prefix),
    LIST(map_join, "columns", columns, &text_entry),
    WORD(map_join, "kind", kind, join_words),
    CYAML_FIELD_END};
static const cyaml_schema_value_t join_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, map_join, join_fields)};

static const cyaml_schema_field_t time_fields[] = {
    TEXT(map_time, "zone", zone),
    WORD(map_time, "repeated_hour", repeated_hour, repeat_words),
    WORD(map_time, "form", form, form_words), CYAML_FIELD_END};

static const cyaml_schema_field_t unknown_fields[] = {
    WORD(map_unknowns, "shoppers", shoppers, unknown_words),
    WORD(map_unknowns, "products", products, unknown_words),
    WORD(map_unknowns, "promotions", promotions, unknown_words),
    WORD(map_unknowns, "campaigns", campaigns, unknown_words), CYAML_FIELD_END};

static const cyaml_schema_field_t table_fields[] = {
    CYAML_FIELD_ENUM("table", CYAML_FLAG_STRICT, map_table, table, table_words,
                     CYAML_ARRAY_LEN(table_words)),
    TEXT(map_table, "name", name),
    NEEDED_LIST(map_table, "files", files, &text_entry),
    WORD(map_table, "format", format, format_words),
    WORD(map_table, "envelope", envelope, envelope_words),
    TEXT(map_table, "delimiter", delimiter),
    LIST(map_table, "columns", columns, &text_entry),
    LIST(map_table, "fields", fields, &field_entry),
    LIST(map_table, "joins", joins, &join_entry),
    LIST(map_table, "where", where, &condition_entry),
    LIST(map_table, "ignore", ignore, &text_entry),
    WORD(map_table, "other_columns", other_columns, others_words),
    CYAML_FIELD_MAPPING("time", CYAML_FLAG_OPTIONAL, map_table, time, time_fields),
    TEXT(map_table, "decimal", decimal),
    CYAML_FIELD_MAPPING("unknown", CYAML_FLAG_OPTIONAL, map_table, unknown,
                        unknown_fields),
    WORD(map_table, "repeated", repeated, repeated_words),
    WORD(map_table, "missing_shopper", missing_shopper, missing_words),
    WORD(map_table, "returns", returns, returns_words),
    WORD(map_table, "allow_empty", allow_empty, yes_words),
    CYAML_FIELD_END};
static const cyaml_schema_value_t table_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, map_table, table_fields)};

static const cyaml_schema_field_t mapping_fields[] = {
    CYAML_FIELD_INT("version", CYAML_FLAG_DEFAULT, mapping, version),
    TEXT(mapping, "currency", currency),
    TEXT(mapping, "decimal", decimal),
    CYAML_FIELD_MAPPING("time", CYAML_FLAG_OPTIONAL, mapping, time, time_fields),
    CYAML_FIELD_SEQUENCE("tables", CYAML_FLAG_POINTER, mapping, tables, &table_entry, 1,
                         MAPPING_TABLES_MAX),
    CYAML_FIELD_END};
static const cyaml_schema_value_t mapping_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, mapping, mapping_fields)};

static pf_status checked(mapping **out, mapping *m, const char *name, pf_error *err)
{
    const pf_status s = mapping_check(m, name, err);
    if (s != PF_OK)
        mapping_free(m);
    else
        *out = m;
    return s;
}

pf_status mapping_parse(mapping **out, const char *bytes, size_t n, const char *name,
                        pf_error *err)
{
    void *value = NULL;
    const pf_status s = yaml_load(&mapping_value, bytes, n, name, &value, err);
    return s == PF_OK ? checked(out, value, name, err) : s;
}

pf_status mapping_load(mapping **out, const char *path, pf_error *err)
{
    void *value = NULL;
    const pf_status s = yaml_load_file(&mapping_value, path, &value, err);
    return s == PF_OK ? checked(out, value, path, err) : s;
}

void mapping_free(mapping *m)
{
    yaml_release(&mapping_value, m);
}

const char *map_table_label(const map_table *t)
{
    return t->name != NULL && t->name[0] != 0 ? t->name : intake_table_name(t->table);
}

char map_delimiter(const char *delimiter)
{
    if (delimiter == NULL) return 0;
    return strcmp(delimiter, "tab") == 0 ? '\t' : delimiter[0];
}
