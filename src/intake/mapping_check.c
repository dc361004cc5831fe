/*
 * What must hold between the keys of a mapping file beyond its schema. Messages name the
 * table and the field by their place in the file, counted from 1, since libcyaml keeps no
 * lines of what it has read.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/money.h"
#include "intake/mapping.h"
#include "intake/template.h"

/* Where in the file the check is. */
typedef struct place {
    const char *file;
    const map_table *table;
    size_t table_number; /* 0: above the tables */
    size_t field_number; /* 0: not in a field */
    pf_error *err;
} place;

static pf_status wrong(const place *at, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static pf_status wrong(const place *at, const char *format, ...)
{
    char words[384], where[160] = "";
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    if (at->field_number > 0)
        (void)snprintf(where, sizeof where,
                       "table %zu (%.60s), field %zu (%.40s): ", at->table_number,
                       map_table_label(at->table), at->field_number,
                       at->table->fields[at->field_number - 1].to);
    else if (at->table_number > 0)
        (void)snprintf(where, sizeof where, "table %zu (%.60s): ", at->table_number,
                       map_table_label(at->table));
    return error_set_at(at->err, PF_USAGE, at->file, 0, 0, "%s%s", where, words);
}

/* --- fields ----------------------------------------------------------------------- */

static pf_status check_target(const place *at, const map_field *f)
{
    const intake_table t = at->table->table;
    if (table_field_find(t, text_of(f->to)) >= 0) return PF_OK;
    if (strncmp(f->to, "attribute.", 10) == 0) {
        if (t == TABLE_SCOPE) return wrong(at, "scope rows have no attributes");
        return f->to[10] != 0 ? PF_OK : wrong(at, "the attribute has no name");
    }
    const char *names[FIELDS_MAX];
    const size_t n = table_field_count(t);
    for (size_t i = 0; i < n; i++)
        names[i] = table_field(t, i)->name;
    const char *near = text_closest(f->to, names, n);
    return wrong(at, "%s have no field '%.60s'%s%s%s; other values go to attribute.NAME",
                 intake_table_name(t), f->to, near != NULL ? " (did you mean '" : "",
                 near != NULL ? near : "", near != NULL ? "'?)" : "");
}

static pf_status check_template(const place *at, const char *source)
{
    template_cursor c = template_begin(text_of(source));
    template_piece piece;
    while (template_next(&c, &piece))
        continue;
    return c.why == NULL ? PF_OK : wrong(at, "template '%.80s': %s", source, c.why);
}

static pf_status check_values(const place *at, const map_field *f)
{
    for (unsigned i = 0; i < f->values_count; i++)
        if (f->values[i].from == NULL || f->values[i].to == NULL)
            return wrong(at, "entry %u of 'values' needs both from and to", i + 1);
    return PF_OK;
}

static pf_status check_field(const place *at, const map_field *f)
{
    const int origins = (f->from != NULL) + (f->template != NULL) + (f->value != NULL);
    pf_status s = check_target(at, f);
    if (s == PF_OK && origins != 1)
        s = wrong(at, "one of 'from', 'template' and 'value' is needed, here are %d",
                  origins);
    if (s == PF_OK && f->from != NULL && f->from[0] == 0)
        s = wrong(at, "'from' names no column");
    if (s == PF_OK && f->template != NULL) s = check_template(at, f->template);
    return s == PF_OK ? check_values(at, f) : s;
}

static bool is_target(const map_table *t, const char *name)
{
    for (unsigned i = 0; i < t->fields_count; i++)
        if (strcmp(t->fields[i].to, name) == 0) return true;
    return false;
}

static pf_status check_repeated_targets(const place *at)
{
    const map_table *t = at->table;
    for (unsigned i = 0; i < t->fields_count; i++)
        for (unsigned k = 0; k < i; k++)
            if (strcmp(t->fields[i].to, t->fields[k].to) == 0)
                return wrong(at, "fields %u and %u both fill '%.60s'", k + 1, i + 1,
                             t->fields[i].to);
    return PF_OK;
}

/* Fields that exclude or need each other. */
static pf_status check_combinations(const place *at)
{
    const map_table *t = at->table;
    if (t->fields_count == 0) return PF_OK;
    for (size_t i = 0; i < table_field_count(t->table); i++) {
        const field_info *f = table_field(t->table, i);
        if (f->required && !is_target(t, f->name))
            return wrong(at, "nothing fills '%s', which every row of %s needs", f->name,
                         intake_table_name(t->table));
    }
    if (t->table == TABLE_EVENTS && !is_target(t, "shopper") &&
        t->missing_shopper != MISSING_ANONYMOUS)
        return wrong(at, "nothing fills 'shopper'; where that is right, say "
                         "missing_shopper: anonymous");
    if (is_target(t, "ends") && is_target(t, "ends_on"))
        return wrong(at, "'ends' (the first moment after) and 'ends_on' (the last day) "
                         "exclude each other");
    if (is_target(t, "paid") && is_target(t, "unit_price"))
        return wrong(at, "'paid' (of the line) and 'unit_price' (times quantity) exclude "
                         "each other");
    return PF_OK;
}

static pf_status check_fields(place at)
{
    for (unsigned i = 0; i < at.table->fields_count; i++) {
        at.field_number = i + 1;
        const pf_status s = check_field(&at, &at.table->fields[i]);
        if (s != PF_OK) return s;
    }
    at.field_number = 0;
    const pf_status s = check_repeated_targets(&at);
    return s == PF_OK ? check_combinations(&at) : s;
}

/* --- tables ----------------------------------------------------------------------- */

static pf_status check_delimiter(const place *at, const char *delimiter)
{
    if (delimiter == NULL || strcmp(delimiter, "tab") == 0) return PF_OK;
    if (strlen(delimiter) != 1 || strchr("\"\r\n", delimiter[0]) != NULL)
        return wrong(at, "the delimiter '%.20s' is not one character (or 'tab')",
                     delimiter);
    return PF_OK;
}

static pf_status check_decimal(const place *at, const char *decimal)
{
    if (decimal == NULL || strcmp(decimal, ".") == 0 || strcmp(decimal, ",") == 0)
        return PF_OK;
    return wrong(at, "decimal is \".\" or \",\", not '%.20s'", decimal);
}

static pf_status check_zone(const place *at, const char *name)
{
    zone *z = NULL;
    pf_error why = {0};
    if (name == NULL) return PF_OK;
    const pf_status s = zone_open(&z, name, &why);
    zone_free(z);
    if (s == PF_NO_MEMORY) return error_set(at->err, s, "%s", why.message);
    return s == PF_OK ? PF_OK : wrong(at, "time zone: %.300s", why.message);
}

static pf_status check_names(const place *at, char *const *names, unsigned n,
                             const char *what)
{
    for (unsigned i = 0; i < n; i++)
        if (names[i] == NULL || names[i][0] == 0)
            return wrong(at, "entry %u of '%s' is empty", i + 1, what);
    return PF_OK;
}

static pf_status check_join(const place *at, const map_join *j, size_t number)
{
    pf_status s = check_names(at, j->files, j->files_count, "files");
    if (s == PF_OK) s = check_delimiter(at, j->delimiter);
    if (s != PF_OK) error_prefix(at->err, "join %zu", number);
    return s;
}

static pf_status check_where(const place *at)
{
    for (unsigned i = 0; i < at->table->where_count; i++)
        if (at->table->where[i].is_count + at->table->where[i].is_not_count == 0)
            return wrong(at, "condition %u of 'where' needs is or is_not", i + 1);
    return PF_OK;
}

static pf_status check_kind_of_table(const place *at)
{
    const map_table *t = at->table;
    const bool events = t->table == TABLE_EVENTS;
    if (!events && (t->missing_shopper != MISSING_REJECT || t->returns != RETURNS_REJECT))
        return wrong(at, "missing_shopper and returns are for events");
    if (!events && t->envelope > ENVELOPE_NONE)
        return wrong(at, "envelope is for events");
    if (t->repeated != REPEATED_REJECT && (events || t->table == TABLE_SCOPE))
        return wrong(at, "repeated is for tables of things with ids; repeated events are "
                         "found by the store");
    if (t->envelope > ENVELOPE_NONE && (t->fields_count > 0 || t->joins_count > 0))
        return wrong(at,
                     "an envelope is mapped by itself: fields and joins do not apply");
    if (t->joins_count > 0 && t->fields_count == 0)
        return wrong(at, "with joins the fields must be named");
    return PF_OK;
}

static pf_status check_table(const place *at)
{
    const map_table *t = at->table;
    pf_status s = check_names(at, t->files, t->files_count, "files");
    if (s == PF_OK) s = check_names(at, t->columns, t->columns_count, "columns");
    if (s == PF_OK) s = check_delimiter(at, t->delimiter);
    if (s == PF_OK) s = check_decimal(at, t->decimal);
    if (s == PF_OK) s = check_zone(at, t->time.zone);
    if (s == PF_OK) s = check_kind_of_table(at);
    if (s == PF_OK) s = check_where(at);
    for (unsigned i = 0; s == PF_OK && i < t->joins_count; i++)
        s = check_join(at, &t->joins[i], i + 1);
    return s == PF_OK ? check_fields(*at) : s;
}

pf_status mapping_check(const mapping *m, const char *name, pf_error *err)
{
    place at = {.file = name, .err = err};
    currency c;
    if (m->version != MAPPING_VERSION)
        return wrong(&at, "version %d is not known; this program reads version %d",
                     m->version, MAPPING_VERSION);
    if (m->currency != NULL && !currency_find(m->currency, strlen(m->currency), &c))
        return wrong(&at, "'%.20s' is no currency of ISO 4217", m->currency);
    pf_status s = check_decimal(&at, m->decimal);
    if (s == PF_OK) s = check_zone(&at, m->time.zone);
    for (unsigned i = 0; s == PF_OK && i < m->tables_count; i++) {
        at.table = &m->tables[i];
        at.table_number = i + 1;
        s = check_table(&at);
    }
    return s;
}
