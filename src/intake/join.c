/*
 * Joined files in memory; see join.h. A key's parts stand one behind the other with a
 * separator byte that text cannot hold; kept cells are packed as
 *
 *     [ length: 4 bytes ][ bytes ] ...        one a kept column, at offsets[key number - 1]
 */
#include "intake/join.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/intern.h"
#include "base/limits.h"
#include "base/memory.h"
#include "intake/check.h"
#include "intake/reader.h"
#include "intake/template.h"

enum { KEY_BYTES = 4096, KEYS_MAX = 8, FAULTS_MAX = 10000, FAULT_ROW_BYTES = 512 };
enum { KEY_SEPARATOR = 0x1f, FAULTS_BYTES = 32 << 20, NAMES_BYTES = 1 << 20 };

struct join_table {
    const map_table *table;
    const map_join *map;
    arena memory; /* names and faults */
    text *names;  /* with the prefix */
    size_t n_names;
    intern *keys;
    uint64_t *offsets;
    size_t offsets_capacity;
    char *values;
    size_t used, capacity;
    join_fault *faults;
    size_t n_faults, faults_capacity;
    uint64_t asked, matched;
    char example[64]; /* a left key that found nothing */
};

/* One file being read into the table. */
typedef struct loading {
    join_table *j;
    table_reader *reader;
    size_t file;
    uint32_t key_columns[KEYS_MAX];
    uint32_t *columns; /* of each kept name in this file */
    pf_error *err;
} loading;

static pf_status no_memory(pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory while joining files");
}

/* --- which columns ---------------------------------------------------------------- */

static bool template_names(const char *source, text name)
{
    template_cursor c = template_begin(text_of(source));
    template_piece p;
    while (template_next(&c, &p))
        if (p.is_column && text_equal(p.text, name)) return true;
    return false;
}

/* Whether anything in the table's mapping asks for a column of this name. */
static bool is_wanted(const map_table *t, text name)
{
    for (unsigned i = 0; i < t->fields_count; i++)
        if ((t->fields[i].from != NULL && text_is(name, t->fields[i].from)) ||
            (t->fields[i].template != NULL &&
             template_names(t->fields[i].template, name)))
            return true;
    for (unsigned i = 0; i < t->where_count; i++)
        if (text_is(name, t->where[i].column)) return true;
    for (unsigned i = 0; i < t->joins_count; i++)
        for (unsigned k = 0; k < t->joins[i].on_count; k++)
            if (text_is(name, t->joins[i].on[k].left)) return true;
    return false;
}

static bool is_key(const map_join *m, text name)
{
    for (unsigned i = 0; i < m->on_count; i++)
        if (text_is(name, m->on[i].right)) return true;
    return false;
}

static uint32_t find_column(const table_reader *r, text name)
{
    for (size_t i = 0; i < table_reader_columns(r); i++)
        if (text_equal(table_reader_column(r, i), name)) return (uint32_t)i;
    return UINT32_MAX;
}

static text prefixed(join_table *j, text name)
{
    const char *prefix = j->map->prefix != NULL ? j->map->prefix : "";
    const size_t n = strlen(prefix);
    char *joined = arena_alloc(&j->memory, n + name.n + 1, 1);
    if (joined == NULL) return (text){NULL, 0};
    memcpy(joined, prefix, n);
    memcpy(joined + n, name.data, name.n);
    joined[n + name.n] = 0;
    return (text){joined, n + name.n};
}

/* The first file decides which columns are kept. */
static pf_status choose_columns(loading *l)
{
    join_table *j = l->j;
    const size_t n = table_reader_columns(l->reader);
    j->names = arena_alloc(&j->memory, n + 1, sizeof *j->names);
    if (j->names == NULL) return no_memory(l->err);
    for (size_t i = 0; i < n; i++) {
        const text name = table_reader_column(l->reader, i);
        const text full = prefixed(j, name);
        if (full.data == NULL) return no_memory(l->err);
        if (name.n > 0 && !is_key(j->map, name) && is_wanted(j->table, full))
            j->names[j->n_names++] = full;
    }
    return PF_OK;
}

static pf_status missing(const loading *l, text name)
{
    return error_set_at(l->err, PF_DATA, byte_source_name(table_reader_source(l->reader)),
                        1, 0, "the joined file has no column '%.*s'",
                        (int)(name.n < 80 ? name.n : 80), name.data);
}

static pf_status find_columns(loading *l)
{
    const map_join *m = l->j->map;
    const size_t prefix = m->prefix != NULL ? strlen(m->prefix) : 0;
    for (unsigned i = 0; i < m->on_count; i++) {
        const text name = text_of(m->on[i].right);
        l->key_columns[i] = find_column(l->reader, name);
        if (l->key_columns[i] == UINT32_MAX) return missing(l, name);
    }
    for (size_t i = 0; i < l->j->n_names; i++) {
        const text full = l->j->names[i];
        const text name = {full.data + prefix, full.n - prefix};
        l->columns[i] = find_column(l->reader, name);
        if (l->columns[i] == UINT32_MAX) return missing(l, name);
    }
    return PF_OK;
}

/* --- rows ------------------------------------------------------------------------- */

/* The parts as one text; 0 when they are too long or one is blank. */
static size_t make_key(const text *parts, size_t n_parts, char into[KEY_BYTES])
{
    size_t n = 0;
    for (size_t i = 0; i < n_parts; i++) {
        if (parts[i].n == 0 || n + parts[i].n + 1 > KEY_BYTES) return 0;
        if (i > 0) into[n++] = KEY_SEPARATOR;
        memcpy(into + n, parts[i].data, parts[i].n);
        n += parts[i].n;
    }
    return n;
}

static pf_status note_fault(loading *l, const row *r)
{
    join_table *j = l->j;
    if (j->n_faults == FAULTS_MAX)
        return error_set_at(
            l->err, PF_DATA, byte_source_name(table_reader_source(l->reader)), r->line, 0,
            "more than %d rows of the joined file cannot be used, here: %s", FAULTS_MAX,
            r->message);
    void *block = j->faults;
    if (!mem_reserve(&block, &j->faults_capacity, j->n_faults + 1, sizeof *j->faults))
        return no_memory(l->err);
    j->faults = block;
    const size_t n = r->raw.n < FAULT_ROW_BYTES ? r->raw.n : FAULT_ROW_BYTES;
    const char *raw = arena_copy_text(&j->memory, r->raw.data, n);
    const char *message = arena_copy_text(&j->memory, r->message, strlen(r->message));
    if (raw == NULL || message == NULL) return no_memory(l->err);
    j->faults[j->n_faults++] =
        (join_fault){l->file, r->line, r->column, r->reason, message, {raw, n}};
    return PF_OK;
}

static pf_status too_large(const loading *l, const row *r, const char *what,
                           unsigned long long limit)
{
    return error_set_at(l->err, PF_LIMIT,
                        byte_source_name(table_reader_source(l->reader)), r->line, 0,
                        "the joined file has more than %llu %s", limit, what);
}

static text cell_of(const row *r, uint32_t column)
{
    return column < r->n_cells ? text_trim(r->cells[column]) : (text){"", 0};
}

/* Appends the kept cells of a row to the values. */
static pf_status pack_cells(loading *l, const row *r)
{
    join_table *j = l->j;
    size_t bytes = 0;
    for (size_t i = 0; i < j->n_names; i++)
        bytes += sizeof(uint32_t) + cell_of(r, l->columns[i]).n;
    if (j->used + bytes > LIMIT_JOIN_BYTES)
        return too_large(l, r, "bytes", LIMIT_JOIN_BYTES);
    void *block = j->values;
    if (!mem_reserve(&block, &j->capacity, j->used + bytes + 1, 1))
        return no_memory(l->err);
    j->values = block;
    for (size_t i = 0; i < j->n_names; i++) {
        const text cell = cell_of(r, l->columns[i]);
        const uint32_t n = (uint32_t)cell.n;
        memcpy(j->values + j->used, &n, sizeof n);
        memcpy(j->values + j->used + sizeof n, cell.data, n);
        j->used += sizeof n + n;
    }
    return PF_OK;
}

/* The key is there already: its values must be those of the row packed last. */
static pf_status check_repeat(loading *l, const row *r, uint32_t number, size_t from)
{
    join_table *j = l->j;
    const size_t n = j->used - from;
    const uint64_t before = j->offsets[number - 1];
    j->used = from;
    if (memcmp(j->values + before, j->values + from, n) == 0) return PF_OK;
    char words[SHOWN_BYTES];
    return error_set_at(l->err, PF_DATA, byte_source_name(table_reader_source(l->reader)),
                        r->line, l->key_columns[0] + 1,
                        "the key '%s' stands here again with other values; a joined file "
                        "needs one row a key",
                        shown(cell_of(r, l->key_columns[0]), words));
}

static pf_status keep_row(loading *l, const row *r)
{
    join_table *j = l->j;
    char key[KEY_BYTES];
    text parts[KEYS_MAX];
    for (unsigned i = 0; i < j->map->on_count; i++)
        parts[i] = cell_of(r, l->key_columns[i]);
    const size_t n = make_key(parts, j->map->on_count, key);
    if (n == 0) return PF_OK; /* a blank key matches nothing */
    const uint32_t before = intern_count(j->keys);
    const uint32_t number = intern_add(j->keys, key, n);
    if (number == 0)
        return before == LIMIT_JOIN_ROWS ? too_large(l, r, "keys", LIMIT_JOIN_ROWS)
                                         : no_memory(l->err);
    const size_t from = j->used;
    const pf_status s = pack_cells(l, r);
    if (s != PF_OK) return s;
    if (number <= before) return check_repeat(l, r, number, from);
    void *block = j->offsets;
    if (!mem_reserve(&block, &j->offsets_capacity, number, sizeof *j->offsets))
        return no_memory(l->err);
    j->offsets = block;
    j->offsets[number - 1] = from;
    return PF_OK;
}

static void check_utf8(row *r)
{
    size_t at;
    if (r->reason != REASON_NONE || utf8_check(r->raw.data, r->raw.n, &at)) return;
    r->reason = REASON_BAD_UTF8;
    r->column = 0;
    (void)snprintf(r->message, sizeof r->message,
                   "byte %zu of the row is no UTF-8; save the file as UTF-8", at + 1);
}

static pf_status load_rows(loading *l)
{
    row r;
    bool more = false;
    for (;;) {
        pf_status s = table_reader_next(l->reader, &r, &more, l->err);
        if (s != PF_OK || !more) return s;
        check_utf8(&r);
        s = r.reason == REASON_NONE ? keep_row(l, &r) : note_fault(l, &r);
        if (s != PF_OK) return s;
    }
}

/* --- loading ---------------------------------------------------------------------- */

static pf_status load_file(join_table *j, const char *path, size_t file,
                           const atomic_bool *stop, pf_error *err)
{
    byte_source *source = NULL;
    loading l = {.j = j, .file = file, .err = err};
    const reader_options options = {
        .table = TABLE_PRODUCTS, /* no envelope is looked for */
        .delimiter = map_delimiter(j->map->delimiter),
        .columns = j->map->columns,
        .n_columns = j->map->columns_count,
    };
    pf_status s = byte_source_open(&source, path, stop, err);
    if (s == PF_OK) s = table_reader_open(&l.reader, source, &options, err);
    if (s == PF_OK && table_reader_is_open_ended(l.reader))
        s = error_set_at(err, PF_USAGE, path, 0, 0,
                         "a joined file must be CSV, this is JSON lines");
    if (s == PF_OK && file == 0) s = choose_columns(&l);
    if (s == PF_OK) {
        l.columns = mem_alloc(j->n_names + 1, sizeof *l.columns);
        s = l.columns != NULL ? find_columns(&l) : no_memory(err);
    }
    if (s == PF_OK) s = load_rows(&l);
    mem_free(l.columns);
    table_reader_close(l.reader);
    return s;
}

pf_status join_load(join_table **out, const map_table *table, const map_join *join,
                    char *const *files, size_t n_files, const atomic_bool *stop,
                    pf_error *err)
{
    if (join->on_count > KEYS_MAX)
        return error_set(err, PF_LIMIT, "a join has at most %d key columns", KEYS_MAX);
    join_table *j = mem_alloc_zero(1, sizeof *j);
    if (j == NULL || (j->keys = intern_new(LIMIT_JOIN_ROWS)) == NULL) {
        mem_free(j);
        return no_memory(err);
    }
    j->table = table;
    j->map = join;
    arena_init(&j->memory, FAULTS_BYTES + NAMES_BYTES);
    pf_status s = PF_OK;
    for (size_t i = 0; s == PF_OK && i < n_files; i++)
        s = load_file(j, files[i], i, stop, err);
    if (s != PF_OK) {
        join_free(j);
        return s;
    }
    *out = j;
    return PF_OK;
}

void join_free(join_table *j)
{
    if (j == NULL) return;
    intern_free(j->keys);
    arena_free(&j->memory);
    mem_free(j->offsets);
    mem_free(j->values);
    mem_free(j->faults);
    mem_free(j);
}

/* --- asking ----------------------------------------------------------------------- */

size_t join_columns(const join_table *j)
{
    return j->n_names;
}

text join_column(const join_table *j, size_t i)
{
    return j->names[i];
}

size_t join_faults(const join_table *j)
{
    return j->n_faults;
}

const join_fault *join_fault_at(const join_table *j, size_t i)
{
    return &j->faults[i];
}

bool join_find(join_table *j, const text *key, text *cells)
{
    char bytes[KEY_BYTES];
    const size_t n = make_key(key, j->map->on_count, bytes);
    const uint32_t number = n > 0 ? intern_find(j->keys, bytes, n) : 0;
    j->asked++;
    if (number == 0) {
        for (size_t i = 0; i < j->n_names; i++)
            cells[i] = (text){"", 0};
        char words[SHOWN_BYTES];
        if (j->example[0] == 0)
            (void)snprintf(j->example, sizeof j->example, "%s", shown(key[0], words));
        return false;
    }
    j->matched++;
    const char *p = j->values + j->offsets[number - 1];
    for (size_t i = 0; i < j->n_names; i++) {
        uint32_t length;
        memcpy(&length, p, sizeof length);
        cells[i] = (text){p + sizeof length, length};
        p += sizeof length + length;
    }
    return true;
}

pf_status join_check_matched(const join_table *j, pf_error *err)
{
    char words[SHOWN_BYTES] = "";
    if (j->asked == 0 || j->matched > 0) return PF_OK;
    if (intern_count(j->keys) > 0) {
        text first = {intern_text(j->keys, 1), intern_length(j->keys, 1)};
        const char *separator = memchr(first.data, KEY_SEPARATOR, first.n);
        if (separator != NULL) first.n = (size_t)(separator - first.data);
        (void)shown(first, words);
    }
    return error_set(err, PF_DATA,
                     "%s: the join with %s matches no row at all: '%s' (as in '%s') is "
                     "compared with '%s' (as in '%s')",
                     map_table_label(j->table), j->map->files[0], j->map->on[0].left,
                     j->example, j->map->on[0].right, words);
}
