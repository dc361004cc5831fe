/*
 * The mapping file: how a shop's own files become our tables. YAML read by libcyaml's
 * fixed schemas into these structs, then checked as a whole. docs/data-formats.md explains
 * every key with a complete example. Texts not given are NULL, lists not given empty.
 *
 *     mapping *m;
 *     if (mapping_load(&m, "shop/mapping.yaml", err) != PF_OK) ...
 *     mapping_free(m);
 */
#ifndef PROFFER_INTAKE_MAPPING_H
#define PROFFER_INTAKE_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "intake/fields.h"

/* values: [{from: "N", to: "national"}]: a value that equals `from` becomes `to`. */
typedef struct map_value {
    char *from, *to;
} map_value;

/* One target field and where its value comes from: exactly one of from (a column),
 * template ("{campaign_id}:{coupon_upc}"), value (a constant). Then, in this order: white
 * space is trimmed, trim_start and trim_end are taken off, values translate, and a blank
 * becomes the default. */
typedef struct map_field {
    char *to; /* a field of the table, or "attribute.NAME" */
    char *from, *template, *value;
    char *trim_start, *trim_end;
    char *fallback; /* key `default` */
    map_value *values;
    unsigned values_count;
} map_field;

/* Rows are taken when the column's value is one of `is` (if given) and none of `is_not`. */
typedef struct map_condition {
    char *column;
    char **is, **is_not;
    unsigned is_count, is_not_count;
} map_condition;

typedef enum map_join_kind { JOIN_INNER, JOIN_LEFT } map_join_kind;

typedef struct map_key {
    char *left, *right;
} map_key;

/* Adds the columns of other files that fields, where and templates name. Each key stands
 * once in those files. */
typedef struct map_join {
    char **files;
    unsigned files_count;
    char *delimiter, *prefix;
    char **columns;
    unsigned columns_count;
    map_key *on;
    unsigned on_count;
    map_join_kind kind;
} map_join;

typedef enum map_repeat {
    MAP_REPEAT_UNSET,
    MAP_REPEAT_EARLIER,
    MAP_REPEAT_LATER
} map_repeat;

typedef enum map_time_form {
    MAP_TIME_UNSET,
    MAP_TIME_ANY,
    MAP_TIME_ISO,
    MAP_TIME_EPOCH_S,
    MAP_TIME_EPOCH_MS,
    MAP_TIME_EPOCH_US,
    MAP_TIME_DAY_MONTH_YEAR,
    MAP_TIME_MONTH_DAY_YEAR
} map_time_form;

typedef struct map_time {
    char *zone;
    map_repeat repeated_hour;
    map_time_form form;
} map_time;

/* What happens to a reference that leads nowhere. AUTO: rejected once a table of that kind
 * was loaded, by this import or an earlier one; made where none ever was (a shop that sends
 * events alone has nothing to check them against). */
typedef enum map_unknown { UNKNOWN_AUTO, UNKNOWN_CREATE, UNKNOWN_REJECT } map_unknown;

typedef struct map_unknowns {
    map_unknown shoppers; /* AUTO here means create */
    map_unknown products, promotions, campaigns;
} map_unknowns;

typedef enum map_format {
    FORMAT_AUTO, /* by name, else by the first byte */
    FORMAT_CSV,
    FORMAT_JSONL,
    FORMAT_RECBOLE /* tab-separated with name:type headers */
} map_format;

typedef enum map_envelope {
    ENVELOPE_AUTO, /* by the first line */
    ENVELOPE_NONE,
    ENVELOPE_SEGMENT,
    ENVELOPE_GA4,
    ENVELOPE_CLOUDEVENTS
} map_envelope;

typedef enum map_other_columns { OTHERS_KEEP, OTHERS_IGNORE } map_other_columns;
typedef enum map_missing_shopper {
    MISSING_REJECT,
    MISSING_ANONYMOUS
} map_missing_shopper;
typedef enum map_returns { RETURNS_REJECT, RETURNS_NEGATIVE_QUANTITY } map_returns;
typedef enum map_repeated { REPEATED_REJECT, REPEATED_FIRST, REPEATED_LAST } map_repeated;

typedef struct map_table {
    intake_table table;
    char *name;   /* for messages; NULL: the table's name */
    char **files; /* relative to the mapping's folder; patterns allowed */
    unsigned files_count;
    map_format format;
    map_envelope envelope;
    char *delimiter; /* one byte, or "tab" */
    char **columns;  /* names, for files without a header */
    unsigned columns_count;
    map_field *fields; /* none: guessed from the header */
    unsigned fields_count;
    map_join *joins;
    unsigned joins_count;
    map_condition *where;
    unsigned where_count;
    char **ignore; /* columns that are not kept as attributes */
    unsigned ignore_count;
    map_other_columns other_columns;
    map_time time; /* unset members: the mapping's */
    char *decimal; /* "." or ","; NULL: the mapping's */
    map_unknowns unknown;
    map_repeated repeated;
    map_missing_shopper missing_shopper;
    map_returns returns;
    bool allow_empty; /* no rows are no error */
} map_table;

typedef struct mapping {
    int version;
    char *currency, *decimal;
    map_time time;
    map_table *tables;
    unsigned tables_count;
} mapping;

enum { MAPPING_VERSION = 1, MAPPING_TABLES_MAX = 64 };

/* PF_NOT_FOUND, PF_USAGE with line and column (YAML) or table and field (meaning). Free
 * with mapping_free. */
pf_status mapping_load(mapping **out, const char *path, pf_error *err);
/* The same from bytes (tests, fuzzing). */
pf_status mapping_parse(mapping **out, const char *bytes, size_t n, const char *name,
                        pf_error *err);
/* NULL is fine. */
void mapping_free(mapping *m);

/* What must hold between keys; called by mapping_load. */
pf_status mapping_check(const mapping *m, const char *name, pf_error *err);

/* The byte that a `delimiter` key means; 0 for NULL: to be found. */
char map_delimiter(const char *delimiter);
/* The name a table goes by in messages and reject files. */
const char *map_table_label(const map_table *t);

#endif
