/* Files of a table -> batches; see producer.h. */
#include "intake/producer.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "intake/binding.h"
#include "intake/convert.h"
#include "intake/join.h"
#include "intake/seen.h"

enum { JOINED_MAX = 256, JOIN_KEYS_MAX = 8 };

/* One join as it stands to the file being read. */
typedef struct producer_join {
    join_table *table;
    uint32_t keys[JOIN_KEYS_MAX]; /* columns of the left side */
    size_t first_cell;            /* of its cells among the joined ones */
    size_t faults_told;
} producer_join;

struct producer {
    plan_table *plan;
    producer_settings settings;
    const atomic_bool *stop;
    zone *zone;
    value_rules rules;
    seen_ids *seen; /* NULL for tables whose ids may repeat */
    producer_join *joins;
    size_t n_joined;
    text joined_names[JOINED_MAX], joined_cells[JOINED_MAX];
    bool joins_loaded;
    /* The file being read. */
    size_t file;
    table_reader *reader;
    binding *binding;
    converter converter;
    bool converter_is_open;
    uint64_t rows; /* of this file */
    uint64_t passed;
    uint64_t bytes_before; /* of files already read */
    char reading[READING_BYTES];
};

static pf_status no_memory(pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory while reading files");
}

/* --- opening and closing ---------------------------------------------------------- */

static pf_status open_zone(producer *p, pf_error *err)
{
    const char *name = p->plan->zone != NULL ? p->plan->zone : p->settings.zone;
    if (name == NULL || strcmp(name, "UTC") == 0) return PF_OK;
    return zone_open(&p->zone, name, err);
}

static bool has_unique_ids(intake_table t)
{
    return t != TABLE_EVENTS && t != TABLE_SCOPE;
}

pf_status producer_open(producer **out, plan_table *t, const producer_settings *settings,
                        const atomic_bool *stop, pf_error *err)
{
    producer *p = mem_alloc_zero(1, sizeof *p);
    if (p == NULL) return no_memory(err);
    p->plan = t;
    p->settings = *settings;
    p->stop = stop;
    p->bytes_before = settings->position;
    pf_status s = open_zone(p, err);
    if (s == PF_OK) {
        p->joins = mem_alloc_zero(t->map->joins_count + 1, sizeof *p->joins);
        p->seen = has_unique_ids(t->map->table) ? seen_new() : NULL;
        if (p->joins == NULL || (has_unique_ids(t->map->table) && p->seen == NULL))
            s = no_memory(err);
    }
    if (s != PF_OK) {
        producer_close(p);
        return s;
    }
    p->rules = (value_rules){.currency = settings->currency,
                             .decimal = t->decimal,
                             .form = t->form,
                             .time = {.local = p->zone, .repeat = t->repeat}};
    *out = p;
    return PF_OK;
}

static void close_file(producer *p)
{
    if (p->converter_is_open) converter_close(&p->converter);
    p->converter_is_open = false;
    binding_free(p->binding);
    p->binding = NULL;
    if (p->reader != NULL)
        p->bytes_before += byte_source_position(table_reader_source(p->reader));
    table_reader_close(p->reader);
    p->reader = NULL;
}

void producer_close(producer *p)
{
    if (p == NULL) return;
    close_file(p);
    for (size_t i = 0; p->joins != NULL && i < p->plan->map->joins_count; i++)
        join_free(p->joins[i].table);
    mem_free(p->joins);
    seen_free(p->seen);
    zone_free(p->zone);
    mem_free(p);
}

const char *producer_reading(const producer *p)
{
    return p->reading;
}

uint64_t producer_position(const producer *p)
{
    return p->bytes_before +
           (p->reader != NULL ? byte_source_position(table_reader_source(p->reader)) : 0);
}

/* --- joins ------------------------------------------------------------------------ */

static pf_status load_joins(producer *p, pf_error *err)
{
    const map_table *m = p->plan->map;
    for (size_t i = 0; i < m->joins_count; i++) {
        producer_join *j = &p->joins[i];
        const pf_status s = join_load(&j->table, m, &m->joins[i], p->plan->joins[i].files,
                                      p->plan->joins[i].n_files, p->stop, err);
        if (s != PF_OK) return s;
        j->first_cell = p->n_joined;
        if (p->n_joined + join_columns(j->table) > JOINED_MAX)
            return error_set(err, PF_LIMIT, "%s: more than %d joined columns are named",
                             p->plan->label, JOINED_MAX);
        for (size_t k = 0; k < join_columns(j->table); k++)
            p->joined_names[p->n_joined++] = join_column(j->table, k);
    }
    p->joins_loaded = true;
    return PF_OK;
}

/* The rows of joined files that could not be used go to the rejects like all others. */
static bool tell_join_faults(producer *p, batch *b)
{
    for (size_t i = 0; i < p->plan->map->joins_count; i++) {
        producer_join *j = &p->joins[i];
        for (; j->faults_told < join_faults(j->table); j->faults_told++) {
            if (batch_is_full(b)) return true;
            const join_fault *f = join_fault_at(j->table, j->faults_told);
            if (!batch_add_reject(b, plan_join_file(p->plan, i) + (uint32_t)f->file,
                                  f->line, f->column, f->reason, f->message, f->raw))
                return false;
        }
    }
    return true;
}

static bool reader_has(const table_reader *r, text name)
{
    for (size_t i = 0; i < table_reader_columns(r); i++)
        if (text_equal(table_reader_column(r, i), name)) return true;
    return false;
}

static pf_status check_clash(const producer *p, pf_error *err)
{
    for (size_t i = 0; i < p->n_joined; i++)
        if (reader_has(p->reader, p->joined_names[i]))
            return error_set_at(
                err, PF_USAGE, plan_file_name(p->plan, (uint32_t)p->file), 0, 0,
                "the column '%.*s' stands in this file and in a joined one; "
                "give the join a prefix",
                (int)p->joined_names[i].n, p->joined_names[i].data);
    return PF_OK;
}

/* The left column of a key: of the file, or of a join before this one. */
static uint32_t left_column(const producer *p, text name, size_t first_cell)
{
    for (size_t i = 0; i < first_cell; i++)
        if (text_equal(p->joined_names[i], name)) return (uint32_t)i | JOINED_COLUMN;
    for (size_t i = 0; i < table_reader_columns(p->reader); i++)
        if (text_equal(table_reader_column(p->reader, i), name)) return (uint32_t)i;
    return NO_COLUMN;
}

static pf_status find_keys(producer *p, pf_error *err)
{
    const map_table *m = p->plan->map;
    for (size_t i = 0; i < m->joins_count; i++)
        for (size_t k = 0; k < m->joins[i].on_count; k++) {
            const text name = text_of(m->joins[i].on[k].left);
            p->joins[i].keys[k] = left_column(p, name, p->joins[i].first_cell);
            if (p->joins[i].keys[k] == NO_COLUMN &&
                !table_reader_is_open_ended(p->reader))
                return error_set_at(err, PF_DATA,
                                    plan_file_name(p->plan, (uint32_t)p->file), 1, 0,
                                    "there is no column '%.80s' to join on", name.data);
        }
    return PF_OK;
}

/* Fills the joined cells; false with the join that found nothing in *which when it is an
 * inner one. */
static bool join_row(producer *p, const row_view *v, size_t *which)
{
    const map_table *m = p->plan->map;
    for (size_t i = 0; i < m->joins_count; i++) {
        producer_join *j = &p->joins[i];
        text key[JOIN_KEYS_MAX];
        for (size_t k = 0; k < m->joins[i].on_count; k++)
            key[k] = text_trim(binding_cell(v, j->keys[k]));
        if (!join_find(j->table, key, p->joined_cells + j->first_cell) &&
            m->joins[i].kind == JOIN_INNER) {
            *which = i;
            return false;
        }
    }
    return true;
}

/* --- files ------------------------------------------------------------------------ */

static pf_status open_source(producer *p, byte_source **out, pf_error *err)
{
    if (p->plan->stream != NULL) {
        *out = p->plan->stream;
        p->plan->stream = NULL;
        return PF_OK;
    }
    return byte_source_open(out, p->plan->files[p->file], p->stop, err);
}

static pf_status open_file(producer *p, pf_error *err)
{
    const map_table *m = p->plan->map;
    const reader_options options = {.table = m->table,
                                    .format = m->format,
                                    .envelope = m->envelope,
                                    .delimiter = map_delimiter(m->delimiter),
                                    .columns = m->columns,
                                    .n_columns = m->columns_count};
    byte_source *source = NULL;
    pf_status s = open_source(p, &source, err);
    if (s == PF_OK) s = table_reader_open(&p->reader, source, &options, err);
    if (s == PF_OK) s = check_clash(p, err);
    if (s == PF_OK) s = find_keys(p, err);
    const joined_names joined = {p->joined_names, p->n_joined};
    if (s == PF_OK) s = binding_make(&p->binding, m, p->reader, joined, err);
    if (s == PF_OK) {
        s = converter_open(&p->converter, p->binding, &p->rules, err);
        p->converter_is_open = true;
    }
    p->rows = p->passed = 0;
    return s;
}

/* A file without rows is a mistake more often than not. */
static pf_status end_file(producer *p, pf_error *err)
{
    const char *name = plan_file_name(p->plan, (uint32_t)p->file);
    if (p->reading[0] == 0) binding_describe(p->binding, p->reading, sizeof p->reading);
    if (p->rows == 0 && p->passed == 0 && !p->plan->map->allow_empty)
        return error_set_at(
            err, PF_DATA, name, 0, 0,
            "the file holds no rows; where that is right, say allow_empty: "
            "true in the mapping");
    close_file(p);
    p->file++;
    return PF_OK;
}

static pf_status end_table(producer *p, pf_error *err)
{
    for (size_t i = 0; p->joins_loaded && i < p->plan->map->joins_count; i++) {
        const pf_status s = join_check_matched(p->joins[i].table, err);
        if (s != PF_OK) return s;
    }
    return PF_OK;
}

/* --- rows ------------------------------------------------------------------------- */

static bool reject_row(producer *p, batch *b, const row *r, uint32_t column,
                       reject_reason reason, const char *message)
{
    return batch_add_reject(b, (uint32_t)p->file, r->line, column, reason, message,
                            r->raw);
}

/* Rows that span lines: the line where the n-th cell stands, for CSV cells in place. */
static uint64_t line_of_cell(const row *r, uint32_t column)
{
    if (column == 0 || column > r->n_cells) return r->line;
    const char *cell = r->cells[column - 1].data;
    if (cell < r->raw.data || cell > r->raw.data + r->raw.n) return r->line;
    uint64_t line = r->line;
    for (const char *c = r->raw.data; c < cell; c++)
        line += *c == '\n' || (*c == '\r' && c + 1 < cell && c[1] != '\n');
    return line;
}

static bool reject_fault(producer *p, batch *b, const row_view *v, const value_fault *f)
{
    char message[256];
    const char *name = NULL;
    uint32_t column = 0;
    if (f->field >= 0) {
        name = table_field(p->plan->map->table, (size_t)f->field)->name;
        column = binding_column_of(&p->binding->fields[f->field]);
    } else if (f->field <= -2) {
        column = (uint32_t)(-f->field - 1);
        name = table_reader_column(p->reader, column - 1).data;
    }
    if (table_reader_is_open_ended(p->reader) || table_reader_is_envelope(p->reader))
        column = 0; /* their columns have no places a person could count */
    (void)snprintf(message, sizeof message, "%.60s%s%s", name != NULL ? name : "",
                   name != NULL ? ": " : "", f->message);
    return batch_add_reject(b, (uint32_t)p->file, line_of_cell(v->row, column), column,
                            f->reason, message, v->row->raw);
}

static bool reject_unmatched(producer *p, batch *b, const row_view *v, size_t which)
{
    char message[256], words[SHOWN_BYTES];
    const map_join *j = &p->plan->map->joins[which];
    const uint32_t column = p->joins[which].keys[0];
    (void)snprintf(message, sizeof message,
                   "%.60s: '%s' stands in none of the joined files "
                   "(%.80s)",
                   j->on[0].left, shown(text_trim(binding_cell(v, column)), words),
                   j->files[0]);
    return reject_row(p, b, v->row, column & JOINED_COLUMN ? 0 : column + 1,
                      REASON_NO_MATCH, message);
}

/* Whether the id was met before in this import. *keep false: the row is dealt with. */
static pf_status look_at_id(producer *p, batch *b, const row *r, const any_record *record,
                            bool *keep, pf_error *err)
{
    uint32_t file = (uint32_t)p->file;
    uint64_t line = r->line;
    char message[256], words[SHOWN_BYTES];
    const text id =
        record->product.id; /* every record of these tables begins with its id */
    const map_repeated rule = p->plan->map->repeated;
    *keep = true;
    if (p->seen == NULL) return PF_OK;
    switch (seen_look(p->seen, id, r->raw, &file, &line)) {
    case SEEN_NEW: return PF_OK;
    case SEEN_NO_MEMORY: return no_memory(err);
    case SEEN_FULL:
        return error_set_at(err, PF_LIMIT, plan_file_name(p->plan, file), r->line, 0,
                            "the table has more ids than one import can hold; split it");
    case SEEN_SAME: b->duplicates++; break;
    case SEEN_OTHER:
        if (rule == REPEATED_LAST) return PF_OK;
        if (rule == REPEATED_FIRST) {
            b->duplicates++;
            break;
        }
        (void)snprintf(
            message, sizeof message,
            "id: '%s' stood with other values in line %llu of %.80s; say which "
            "counts by repeated: first or last",
            shown(id, words), (unsigned long long)line, plan_file_name(p->plan, file));
        if (!reject_row(p, b, r, binding_column_of(&p->binding->fields[0]),
                        REASON_DUPLICATE_ID, message))
            return no_memory(err);
        break;
    }
    *keep = false;
    return PF_OK;
}

static pf_status take_good_row(producer *p, batch *b, const row *r, pf_error *err)
{
    char digits[24];
    const int n_digits = snprintf(digits, sizeof digits, "%llu",
                                  (unsigned long long)r->line);
    const row_view v = {r, p->joined_cells, {digits, (size_t)n_digits}};
    any_record record;
    value_fault f;
    size_t which = 0;
    bool keep = false;
    if (!binding_takes(p->binding, &v, false)) {
        b->skipped++;
        return PF_OK;
    }
    if (!join_row(p, &v, &which))
        return reject_unmatched(p, b, &v, which) ? PF_OK : no_memory(err);
    if (!binding_takes(p->binding, &v, true)) {
        b->skipped++;
        return PF_OK;
    }
    if (!convert_row(&p->converter, &v, &record, &f))
        return f.reason != REASON_NONE && reject_fault(p, b, &v, &f) ? PF_OK
                                                                     : no_memory(err);
    const pf_status s = look_at_id(p, b, r, &record, &keep, err);
    if (s != PF_OK || !keep) return s;
    return batch_add_record(b, (uint32_t)p->file, r, &record) ? PF_OK : no_memory(err);
}

static pf_status take_row(producer *p, batch *b, const row *r, pf_error *err)
{
    p->rows++;
    if (r->reason != REASON_NONE)
        return reject_row(p, b, r, r->column, r->reason, r->message) ? PF_OK
                                                                     : no_memory(err);
    if (table_reader_is_open_ended(p->reader) &&
        table_reader_columns(p->reader) != p->binding->n_columns) {
        pf_status s = binding_extend(p->binding, p->reader, err);
        if (s == PF_OK) s = converter_check_currency(&p->converter, err);
        if (s == PF_OK) s = check_clash(p, err);
        if (s == PF_OK) s = find_keys(p, err);
        if (s != PF_OK) return s;
    }
    return take_good_row(p, b, r, err);
}

/* Rows of the open file until the batch is full or the file ends. */
static pf_status take_rows(producer *p, batch *b, bool *file_ended, pf_error *err)
{
    row r;
    bool more = true;
    pf_status s = PF_OK;
    while (s == PF_OK && more && !batch_is_full(b)) {
        s = table_reader_next(p->reader, &r, &more, err);
        if (s == PF_OK && more) s = take_row(p, b, &r, err);
    }
    b->skipped += table_reader_passed(p->reader) - p->passed;
    p->passed = table_reader_passed(p->reader);
    *file_ended = !more;
    return s;
}

/* --- filling ---------------------------------------------------------------------- */

/* One step: load the joins, open a file, or take rows. */
static pf_status step(producer *p, batch *b, pf_error *err)
{
    bool ended = false;
    if (!p->joins_loaded) {
        const pf_status s = load_joins(p, err);
        if (s != PF_OK) return s;
    }
    if (!tell_join_faults(p, b)) return no_memory(err);
    if (batch_is_full(b)) return PF_OK;
    if (p->reader == NULL) {
        const pf_status s = open_file(p, err);
        if (s != PF_OK) return s;
    }
    const pf_status s = take_rows(p, b, &ended, err);
    return s == PF_OK && ended ? end_file(p, err) : s;
}

/* Goes behind a file that failed; the fault becomes an item. */
static pf_status pass_over(producer *p, batch *b, pf_status s, pf_error *err)
{
    if (!p->settings.keep_going || s == PF_NO_MEMORY || s == PF_CANCELLED ||
        s == PF_INTERNAL)
        return s;
    const size_t at = p->file < p->plan->n_files ? p->file : p->plan->n_files - 1;
    if (!batch_add_error(b, (uint32_t)at, err)) return no_memory(err);
    if (!p->joins_loaded)
        p->file = p->plan->n_files; /* without its joins the table cannot be read */
    else if (p->file < p->plan->n_files)
        p->file++;
    close_file(p);
    return PF_OK;
}

pf_status producer_fill(producer *p, batch *b, bool *more, pf_error *err)
{
    pf_status s = PF_OK;
    batch_reset(b);
    b->file = (uint32_t)p->file;
    /* One file a batch: the rows that give no item are counted for that file. */
    while (s == PF_OK && p->file == b->file && p->file < p->plan->n_files &&
           !batch_is_full(b)) {
        s = step(p, b, err);
        if (s != PF_OK) s = pass_over(p, b, s, err);
    }
    *more = p->file < p->plan->n_files;
    if (s == PF_OK && !*more) {
        s = end_table(p, err);
        if (s != PF_OK) s = pass_over(p, b, s, err);
    }
    b->position = producer_position(p);
    return s;
}
