/* A mapping laid over a file's columns; see binding.h. */
#include "intake/binding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "intake/template.h"

enum { BINDING_BYTES = 64 << 20, ALTERNATIVES = 8 };

/* What making a binding carries about. */
typedef struct maker {
    binding *b;
    const table_reader *reader;
    joined_names joined;
    pf_error *err;
} maker;

static pf_status no_memory(pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory while binding columns");
}

/* --- finding columns -------------------------------------------------------------- */

static uint32_t find_own_column(const table_reader *r, text name)
{
    const size_t n = table_reader_columns(r);
    for (size_t i = 0; i < n; i++)
        if (text_equal(table_reader_column(r, i), name)) return (uint32_t)i;
    return NO_COLUMN;
}

static uint32_t find_column(const maker *m, text name)
{
    for (size_t i = 0; i < m->joined.n; i++)
        if (text_equal(m->joined.names[i], name)) return (uint32_t)i | JOINED_COLUMN;
    const uint32_t own = find_own_column(m->reader, name);
    return own == NO_COLUMN && text_is(name, "#line") ? LINE_COLUMN : own;
}

/* "a, b, c" of the file's columns, cut to size. */
static void list_columns(const table_reader *r, char *into, size_t size)
{
    size_t n = 0;
    into[0] = 0;
    for (size_t i = 0; i < table_reader_columns(r) && n + 1 < size; i++) {
        const text name = table_reader_column(r, i);
        const int more = snprintf(into + n, size - n, "%s%.*s", i > 0 ? ", " : "",
                                  (int)(name.n < 60 ? name.n : 60), name.data);
        n += more > 0 ? (size_t)more : 0;
    }
}

static pf_status missing_column(const maker *m, text name)
{
    char columns[256];
    list_columns(m->reader, columns, sizeof columns);
    return error_set_at(m->err, PF_DATA, byte_source_name(table_reader_source(m->reader)),
                        1, 0, "the mapping names a column '%.*s', the header has: %s",
                        (int)(name.n < 80 ? name.n : 80), name.data, columns);
}

/* NO_COLUMN is fine for a reader whose columns may still come. */
static pf_status need_column(const maker *m, text name, uint32_t *column)
{
    *column = find_column(m, name);
    if (*column == NO_COLUMN && !table_reader_is_open_ended(m->reader))
        return missing_column(m, name);
    return PF_OK;
}

/* --- origins ---------------------------------------------------------------------- */

static pf_status set_pieces(maker *m, origin *o, const binding_piece *pieces, size_t n)
{
    o->pieces = arena_alloc(&m->b->memory, n, sizeof *pieces);
    if (o->pieces == NULL) return no_memory(m->err);
    memcpy(o->pieces, pieces, n * sizeof *pieces);
    o->n_pieces = n;
    return PF_OK;
}

static pf_status bind_template(maker *m, origin *o, const char *source)
{
    enum { PIECES_MAX = 64 };
    binding_piece pieces[PIECES_MAX];
    size_t n = 0;
    template_cursor c = template_begin(text_of(source));
    template_piece p;
    while (template_next(&c, &p)) {
        if (n == PIECES_MAX)
            return error_set(m->err, PF_LIMIT, "a template has more than %d parts",
                             PIECES_MAX);
        pieces[n] = (binding_piece){.column = NO_COLUMN};
        if (p.is_column) {
            pieces[n].column_name = p.text;
            const pf_status s = need_column(m, p.text, &pieces[n].column);
            if (s != PF_OK) return s;
        } else {
            pieces[n].words = p.text;
        }
        n++;
    }
    return set_pieces(m, o, pieces, n);
}

static pf_status bind_values(maker *m, origin *o, const map_field *f)
{
    if (f->values_count == 0) return PF_OK;
    o->translated = intern_new(f->values_count);
    if (o->translated == NULL) return no_memory(m->err);
    for (unsigned i = 0; i < f->values_count; i++) {
        const char *from = f->values[i].from;
        if (intern_find(o->translated, from, strlen(from)) != 0)
            return error_set(m->err, PF_USAGE,
                             "'%.60s' stands twice among the values of %s", from, f->to);
        if (intern_add(o->translated, from, strlen(from)) != i + 1)
            return no_memory(m->err);
    }
    return PF_OK;
}

static pf_status bind_origin(maker *m, origin *o, const map_field *f)
{
    binding_piece piece = {.column = NO_COLUMN};
    o->map = f;
    o->plain = f->from != NULL && f->trim_start == NULL && f->trim_end == NULL &&
               f->values_count == 0 && f->fallback == NULL;
    pf_status s = bind_values(m, o, f);
    if (s != PF_OK) return s;
    if (f->template != NULL) return bind_template(m, o, f->template);
    if (f->from != NULL) {
        piece.column_name = text_of(f->from);
        s = need_column(m, piece.column_name, &piece.column);
    } else {
        piece.words = text_of(f->value);
    }
    return s == PF_OK ? set_pieces(m, o, &piece, 1) : s;
}

static pf_status bind_fields(maker *m)
{
    binding *b = m->b;
    const map_table *t = b->table;
    b->attributes =
        arena_alloc_zero(&b->memory, t->fields_count + 1, sizeof *b->attributes);
    if (b->attributes == NULL) return no_memory(m->err);
    for (unsigned i = 0; i < t->fields_count; i++) {
        const map_field *f = &t->fields[i];
        const int index = table_field_find(t->table, text_of(f->to));
        origin *o = index >= 0 ? &b->fields[index] : &b->attributes[b->n_attributes++];
        if (index < 0)
            o->name = f->to + strlen("attribute.");
        else
            o->blank_if_part_blank = table_field(t->table, (size_t)index)->is_id;
        const pf_status s = bind_origin(m, o, f);
        if (s != PF_OK) return s;
    }
    return PF_OK;
}

static pf_status bind_where(maker *m)
{
    const map_table *t = m->b->table;
    m->b->where =
        arena_alloc_zero(&m->b->memory, t->where_count + 1, sizeof *m->b->where);
    if (m->b->where == NULL) return no_memory(m->err);
    for (unsigned i = 0; i < t->where_count; i++) {
        m->b->where[i].map = &t->where[i];
        const pf_status s =
            need_column(m, text_of(t->where[i].column), &m->b->where[i].column);
        if (s != PF_OK) return s;
    }
    return PF_OK;
}

/* --- guessing --------------------------------------------------------------------- */

/* Fields that say the same thing: the surer one stays, the other column is left over. */
static void drop_rivals(binding *b, intake_table t)
{
    if (t == TABLE_EVENTS && b->fields[EVENTS_PAID].n_pieces > 0)
        b->fields[EVENTS_UNIT_PRICE].n_pieces = 0;
    if (t == TABLE_CAMPAIGNS && b->fields[CAMPAIGNS_ENDS].n_pieces > 0)
        b->fields[CAMPAIGNS_ENDS_ON].n_pieces = 0;
    if (t == TABLE_PROMOTIONS && b->fields[PROMOTIONS_ENDS].n_pieces > 0)
        b->fields[PROMOTIONS_ENDS_ON].n_pieces = 0;
}

/* Columns that could be one field, the surest first. */
typedef struct candidates {
    binding_piece pieces[ALTERNATIVES];
    size_t ranks[ALTERNATIVES], n;
} candidates;

static void add_candidate(candidates *c, text name, uint32_t column, size_t rank)
{
    size_t i = c->n < ALTERNATIVES ? c->n++ : ALTERNATIVES - 1;
    for (; i > 0 && c->ranks[i - 1] > rank; i--) {
        c->pieces[i] = c->pieces[i - 1];
        c->ranks[i] = c->ranks[i - 1];
    }
    c->pieces[i] = (binding_piece){.column_name = name, .column = column};
    c->ranks[i] = rank;
}

/* In CSV the surest column is the field. In JSON lines, where members come and go, each
 * row's first of them that is not blank. */
static pf_status guess_fields(maker *m)
{
    binding *b = m->b;
    const intake_table t = b->table->table;
    const bool come_and_go = table_reader_is_open_ended(m->reader);
    candidates found[FIELDS_MAX] = {0};
    for (size_t i = 0; i < table_reader_columns(m->reader); i++) {
        size_t rank;
        const text name = table_reader_column(m->reader, i);
        const int f = table_field_guess(t, name, &rank);
        if (f >= 0) add_candidate(&found[f], name, (uint32_t)i, rank);
    }
    for (size_t f = 0; f < FIELDS_MAX; f++) {
        if (found[f].n == 0) continue;
        const size_t n = come_and_go ? found[f].n : 1;
        b->fields[f].plain = true;
        b->fields[f].alternatives = n > 1;
        const pf_status s = set_pieces(m, &b->fields[f], found[f].pieces, n);
        if (s != PF_OK) return s;
    }
    if (!come_and_go) drop_rivals(b, t);
    return PF_OK;
}

/* Without a column for the type, these tell a rating or a purchase. */
static bool says_what_happened(const binding *b)
{
    static const int telling[] = {EVENTS_TYPE, EVENTS_RATING, EVENTS_ORDER, EVENTS_PAID,
                                  EVENTS_UNIT_PRICE};
    for (size_t i = 0; i < sizeof telling / sizeof *telling; i++)
        if (b->fields[telling[i]].n_pieces > 0) return true;
    return false;
}

static pf_status check_guess(const maker *m)
{
    char columns[256];
    const intake_table t = m->b->table->table;
    if (table_reader_is_open_ended(m->reader)) return PF_OK; /* each row will tell */
    for (size_t i = 0; i < table_field_count(t); i++) {
        if (!table_field(t, i)->required || m->b->fields[i].n_pieces > 0 ||
            (t == TABLE_EVENTS && i == EVENTS_TYPE))
            continue;
        list_columns(m->reader, columns, sizeof columns);
        return error_set_at(
            m->err, PF_DATA, byte_source_name(table_reader_source(m->reader)), 1, 0,
            "no column could be the %s of %s; the first line says: %s. If "
            "it is not a header, or names things otherwise, write a mapping "
            "file",
            table_field(t, i)->name, intake_table_name(t), columns);
    }
    if (t == TABLE_EVENTS && !says_what_happened(m->b))
        return error_set_at(
            m->err, PF_DATA, byte_source_name(table_reader_source(m->reader)), 1, 0,
            "no column says what happened (type, event, rating, order, "
            "paid ...); say it in a mapping file: {value: view, to: type}");
    return PF_OK;
}

/* --- what is left over ------------------------------------------------------------ */

static bool origin_uses(const origin *o, uint32_t column)
{
    for (size_t i = 0; i < o->n_pieces; i++)
        if (o->pieces[i].column == column) return true;
    return false;
}

static bool is_used(const binding *b, uint32_t column, text name)
{
    for (size_t i = 0; i < FIELDS_MAX; i++)
        if (origin_uses(&b->fields[i], column)) return true;
    for (size_t i = 0; i < b->n_attributes; i++)
        if (origin_uses(&b->attributes[i], column)) return true;
    for (unsigned i = 0; i < b->table->ignore_count; i++)
        if (text_is(name, b->table->ignore[i])) return true;
    for (unsigned i = 0; i < b->table->joins_count; i++)
        for (unsigned k = 0; k < b->table->joins[i].on_count; k++)
            if (text_is(name, b->table->joins[i].on[k].left)) return true;
    return name.n == 0;
}

static pf_status collect_left_over(binding *b, const table_reader *reader, pf_error *err)
{
    const size_t n = table_reader_columns(reader);
    b->n_columns = n;
    b->n_left_over = 0;
    if (b->table->other_columns == OTHERS_IGNORE || b->table->table == TABLE_SCOPE ||
        table_reader_is_envelope(reader))
        return PF_OK;
    if (b->left_over == NULL) {
        b->left_over = arena_alloc(&b->memory, LIMIT_FIELDS, sizeof *b->left_over);
        b->left_over_names =
            arena_alloc(&b->memory, LIMIT_FIELDS, sizeof *b->left_over_names);
    }
    if (b->left_over == NULL || b->left_over_names == NULL) return no_memory(err);
    for (size_t i = 0; i < n; i++) {
        const text name = table_reader_column(reader, i);
        if (is_used(b, (uint32_t)i, name)) continue;
        /* Readers terminate their names. */
        b->left_over_names[b->n_left_over] = name.data;
        b->left_over[b->n_left_over++] = (uint32_t)i;
    }
    return PF_OK;
}

/* --- making ----------------------------------------------------------------------- */

/* The columns of an envelope are our fields, in their order. */
static pf_status bind_envelope(maker *m)
{
    for (size_t i = 0; i < EVENTS_FIELD_COUNT; i++) {
        const binding_piece piece = {.column_name = table_reader_column(m->reader, i),
                                     .column = (uint32_t)i};
        m->b->fields[i].plain = true;
        const pf_status s = set_pieces(m, &m->b->fields[i], &piece, 1);
        if (s != PF_OK) return s;
    }
    return PF_OK;
}

static pf_status bind_all(maker *m)
{
    pf_status s;
    if (table_reader_is_envelope(m->reader))
        s = bind_envelope(m);
    else if (m->b->table->fields_count > 0)
        s = bind_fields(m);
    else
        s = guess_fields(m);
    if (s == PF_OK && m->b->table->fields_count == 0) s = check_guess(m);
    if (s == PF_OK) s = bind_where(m);
    return s == PF_OK ? collect_left_over(m->b, m->reader, m->err) : s;
}

pf_status binding_make(binding **out, const map_table *table, const table_reader *reader,
                       joined_names joined, pf_error *err)
{
    binding *b = mem_alloc_zero(1, sizeof *b);
    if (b == NULL) return no_memory(err);
    arena_init(&b->memory, BINDING_BYTES);
    b->table = table;
    maker m = {b, reader, joined, err};
    const pf_status s = bind_all(&m);
    if (s != PF_OK) {
        binding_free(b);
        return s;
    }
    *out = b;
    return PF_OK;
}

void binding_free(binding *b)
{
    if (b == NULL) return;
    for (size_t i = 0; i < FIELDS_MAX; i++)
        intern_free(b->fields[i].translated);
    for (size_t i = 0; i < b->n_attributes; i++)
        intern_free(b->attributes[i].translated);
    arena_free(&b->memory);
    mem_free(b);
}

static void find_late_columns(origin *o, const table_reader *reader)
{
    for (size_t i = 0; i < o->n_pieces; i++)
        if (o->pieces[i].column == NO_COLUMN && o->pieces[i].column_name.n > 0)
            o->pieces[i].column = find_own_column(reader, o->pieces[i].column_name);
}

pf_status binding_extend(binding *b, const table_reader *reader, pf_error *err)
{
    const size_t from = b->n_columns;
    if (table_reader_columns(reader) == from) return PF_OK;
    for (size_t i = 0; i < FIELDS_MAX; i++)
        find_late_columns(&b->fields[i], reader);
    for (size_t i = 0; i < b->n_attributes; i++)
        find_late_columns(&b->attributes[i], reader);
    for (unsigned i = 0; i < b->table->where_count; i++)
        if (b->where[i].column == NO_COLUMN)
            b->where[i].column =
                find_own_column(reader, text_of(b->where[i].map->column));
    if (b->table->fields_count == 0) {
        maker m = {b, reader, {NULL, 0}, err};
        const pf_status s = guess_fields(&m);
        if (s != PF_OK) return s;
    }
    return collect_left_over(b, reader, err);
}

/* --- values ----------------------------------------------------------------------- */

text binding_cell(const row_view *v, uint32_t column)
{
    if (column == NO_COLUMN) return (text){"", 0};
    if (column == LINE_COLUMN) return v->line;
    if (column & JOINED_COLUMN) return v->joined[column & ~JOINED_COLUMN];
    return column < v->row->n_cells ? v->row->cells[column] : (text){"", 0};
}

cell_kind binding_cell_kind(const row_view *v, uint32_t column)
{
    if (v->row->kinds == NULL || (column & JOINED_COLUMN) || column >= v->row->n_cells)
        return CELL_TEXT;
    return (cell_kind)v->row->kinds[column];
}

static bool is_among(char *const *words, unsigned n, text value)
{
    for (unsigned i = 0; i < n; i++)
        if (text_is(value, words[i])) return true;
    return false;
}

static bool is_joined(uint32_t column)
{
    return column != NO_COLUMN && (column & JOINED_COLUMN) != 0;
}

bool binding_takes(const binding *b, const row_view *v, bool joined)
{
    for (unsigned i = 0; i < b->table->where_count; i++) {
        const map_condition *c = b->where[i].map;
        if (is_joined(b->where[i].column) != joined) continue;
        const text value = text_trim(binding_cell(v, b->where[i].column));
        if ((c->is_count > 0 && !is_among(c->is, c->is_count, value)) ||
            is_among(c->is_not, c->is_not_count, value))
            return false;
    }
    return true;
}

static text without_ends(const map_field *f, text value)
{
    const size_t front = f->trim_start != NULL ? strlen(f->trim_start) : 0;
    if (front > 0 && value.n >= front && memcmp(value.data, f->trim_start, front) == 0)
        value = (text){value.data + front, value.n - front};
    const size_t back = f->trim_end != NULL ? strlen(f->trim_end) : 0;
    if (back > 0 && value.n >= back &&
        memcmp(value.data + value.n - back, f->trim_end, back) == 0)
        value.n -= back;
    return value;
}

static text translated(const origin *o, text value)
{
    const uint32_t number = intern_find(o->translated, value.data, value.n);
    return number != 0 ? text_of(o->map->values[number - 1].to) : value;
}

/* The pieces one behind the other. */
static bool compose(const origin *o, const row_view *v, arena *room, text *out)
{
    size_t n = 0;
    for (size_t i = 0; i < o->n_pieces; i++) {
        const binding_piece *p = &o->pieces[i];
        const bool is_column = p->column_name.n > 0;
        const text part = is_column ? text_trim(binding_cell(v, p->column)) : p->words;
        if (is_column && part.n == 0 && o->blank_if_part_blank) {
            *out = (text){"", 0};
            return true;
        }
        n += part.n;
    }
    char *to = arena_alloc(room, n + 1, 1);
    if (to == NULL) return false;
    *out = (text){to, n};
    for (size_t i = 0; i < o->n_pieces; i++) {
        const binding_piece *p = &o->pieces[i];
        const text part =
            p->column_name.n > 0 ? text_trim(binding_cell(v, p->column)) : p->words;
        memcpy(to, part.data, part.n);
        to += part.n;
    }
    return true;
}

/* Of alternatives, the first that is not blank, else the first. */
static uint32_t filled_column(const origin *o, const row_view *v)
{
    for (size_t i = 0; i < o->n_pieces; i++)
        if (text_trim(binding_cell(v, o->pieces[i].column)).n > 0)
            return o->pieces[i].column;
    return o->pieces[0].column;
}

cell_kind binding_value_kind(const origin *o, const row_view *v)
{
    if (!o->plain || o->n_pieces == 0) return CELL_TEXT;
    return binding_cell_kind(v, filled_column(o, v));
}

bool binding_value(const origin *o, const row_view *v, arena *room, text *out)
{
    *out = (text){"", 0};
    if (o->n_pieces == 0) return true;
    const binding_piece *first = &o->pieces[0];
    if (o->alternatives)
        *out = text_trim(binding_cell(v, filled_column(o, v)));
    else if (o->n_pieces == 1)
        *out = text_trim(first->column_name.n > 0 ? binding_cell(v, first->column)
                                                  : first->words);
    else if (!compose(o, v, room, out))
        return false;
    if (o->plain) return true;
    const map_field *f = o->map;
    *out = without_ends(f, text_trim(*out));
    if (o->translated != NULL) *out = translated(o, *out);
    if (out->n == 0 && f->fallback != NULL) *out = text_of(f->fallback);
    return true;
}

uint32_t binding_column_of(const origin *o)
{
    for (size_t i = 0; i < o->n_pieces; i++)
        if (o->pieces[i].column_name.n > 0 && o->pieces[i].column != LINE_COLUMN &&
            !(o->pieces[i].column & JOINED_COLUMN))
            return o->pieces[i].column + 1;
    return 0;
}

/* --- for people ------------------------------------------------------------------- */

typedef struct lines {
    char *at;
    size_t left;
} lines;

static void say(lines *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(lines *l, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int n = vsnprintf(l->at, l->left, format, arguments);
    va_end(arguments);
    const size_t more = n < 0 ? 0 : (size_t)n < l->left ? (size_t)n : l->left - 1;
    l->at += more;
    l->left -= more;
}

static void say_origin(lines *l, const char *name, const origin *o, bool first)
{
    say(l, "%s%s <- ", first ? "" : ", ", name);
    for (size_t i = 0; i < o->n_pieces; i++) {
        const binding_piece *p = &o->pieces[i];
        const bool column = p->column_name.n > 0;
        const text words = column ? p->column_name : p->words;
        say(l, "%s%s%.*s%s", o->alternatives && i > 0 ? " or " : "", column ? "" : "'",
            (int)words.n, words.data, column ? "" : "'");
    }
}

void binding_describe(const binding *b, char *into, size_t size)
{
    lines l = {into, size};
    bool first = true;
    into[0] = 0;
    for (size_t i = 0; i < table_field_count(b->table->table); i++) {
        if (b->fields[i].n_pieces == 0) continue;
        say_origin(&l, table_field(b->table->table, i)->name, &b->fields[i], first);
        first = false;
    }
    for (size_t i = 0; i < b->n_attributes; i++)
        say_origin(&l, b->attributes[i].name, &b->attributes[i], false);
    for (size_t i = 0; i < b->n_left_over; i++)
        say(&l, "%s%s", i == 0 ? "; kept: " : ", ", b->left_over_names[i]);
}
