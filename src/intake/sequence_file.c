/* Reading interaction files; see sequence_file.h. Rows are collected as they come, then
 * grouped by user with a stable counting sort, then put into order of time. */
#include "intake/sequence_file.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/limits.h"
#include "base/memory.h"
#include "intake/lines.h"
#include "intake/reader.h"

/* Columns growing together. */
typedef struct rows {
    uint32_t *user, *item;
    int64_t *time_us;
    float *rating;
    uint64_t n;
    size_t capacity[4];
    bool with_times, with_ratings;
} rows;

typedef struct collector {
    sequence_set *set;
    rows rows;
    const char *name;
    pf_error *err;
} collector;

static pf_status no_memory(pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory while reading sequences");
}

/* --- collecting ------------------------------------------------------------------- */

static bool grow(rows *r)
{
    void *user = r->user, *item = r->item, *time = r->time_us, *rating = r->rating;
    const size_t n = (size_t)r->n + 1;
    const bool good =
        mem_reserve(&user, &r->capacity[0], n, sizeof *r->user) &&
        mem_reserve(&item, &r->capacity[1], n, sizeof *r->item) &&
        (!r->with_times || mem_reserve(&time, &r->capacity[2], n, sizeof *r->time_us)) &&
        (!r->with_ratings || mem_reserve(&rating, &r->capacity[3], n, sizeof *r->rating));
    r->user = user;
    r->item = item;
    r->time_us = time;
    r->rating = rating;
    return good;
}

/* The number of an id; 0 with the error set when there is none. */
static uint32_t number_of(collector *c, intern *table, text id, uint32_t limit,
                          const char *what, uint64_t line)
{
    if (id.n == 0 || id.n > LIMIT_ID_BYTES) {
        (void)error_set_at(c->err, PF_DATA, c->name, line, 0,
                           "the %s's id has %zu bytes; 1 to %u are taken", what, id.n,
                           LIMIT_ID_BYTES);
        return 0;
    }
    const uint32_t number = intern_add(table, id.data, id.n);
    if (number == 0 && intern_count(table) >= limit)
        (void)error_set_at(c->err, PF_LIMIT, c->name, line, 0, "more than %u %ss", limit,
                           what);
    else if (number == 0)
        (void)no_memory(c->err);
    return number;
}

static uint32_t user_number(collector *c, text id, uint64_t line)
{
    return number_of(c, c->set->users, id, LIMIT_SHOPPERS, "user", line);
}

static pf_status add_row(collector *c, uint32_t user, text item, int64_t time_us,
                         float rating, uint64_t line)
{
    rows *r = &c->rows;
    if (user == 0) return c->err->code;
    const uint32_t number =
        number_of(c, c->set->items, item, LIMIT_PRODUCTS, "item", line);
    if (number == 0) return c->err->code;
    if (r->n == LIMIT_SEQUENCE_EVENTS)
        return error_set_at(c->err, PF_LIMIT, c->name, line, 0, "more than %u events",
                            LIMIT_SEQUENCE_EVENTS);
    if (!grow(r)) return no_memory(c->err);
    r->user[r->n] = user;
    r->item[r->n] = number;
    if (r->with_times) r->time_us[r->n] = time_us;
    if (r->with_ratings) r->rating[r->n] = rating;
    r->n++;
    return PF_OK;
}

/* --- user item item ... ----------------------------------------------------------- */

static text next_word(text *rest)
{
    *rest = text_trim(*rest);
    size_t n = 0;
    while (n < rest->n && rest->data[n] != ' ' && rest->data[n] != '\t')
        n++;
    const text word = {rest->data, n};
    rest->data += n;
    rest->n -= n;
    return word;
}

static pf_status take_line(collector *c, text line, uint64_t number)
{
    size_t at;
    if (!utf8_check(line.data, line.n, &at))
        return error_set_at(c->err, PF_DATA, c->name, number, at + 1,
                            "this byte is no UTF-8");
    const text user = next_word(&line);
    text item = next_word(&line);
    if (user.n == 0) return PF_OK; /* a blank line */
    if (item.n == 0)
        return error_set_at(c->err, PF_DATA, c->name, number, 0, "the user has no items");
    const uint32_t who = user_number(c, user, number);
    pf_status s = PF_OK;
    for (; s == PF_OK && item.n > 0; item = next_word(&line))
        s = add_row(c, who, item, 0, 0, number);
    return s;
}

static pf_status collect_lines(collector *c, byte_source *source)
{
    line_reader r;
    text line;
    bool more = true;
    pf_status s = lines_open(&r, source, WINDOW_BYTES, c->err);
    if (s != PF_OK) return s;
    while (s == PF_OK) {
        s = lines_next(&r, &line, &more, c->err);
        if (s != PF_OK || !more) break;
        s = take_line(c, line, r.line);
    }
    lines_close(&r);
    return s;
}

/* --- .inter ----------------------------------------------------------------------- */

typedef struct inter_columns {
    int user, item, rating, time; /* -1: there is none */
} inter_columns;

static pf_status find_columns(const collector *c, const table_reader *r,
                              inter_columns *out)
{
    *out = (inter_columns){-1, -1, -1, -1};
    for (size_t i = 0; i < table_reader_columns(r); i++) {
        size_t rank;
        switch (table_field_guess(TABLE_EVENTS, table_reader_column(r, i), &rank)) {
        case EVENTS_SHOPPER: out->user = (int)i; break;
        case EVENTS_PRODUCT: out->item = (int)i; break;
        case EVENTS_RATING: out->rating = (int)i; break;
        case EVENTS_TIME: out->time = (int)i; break;
        default: break;
        }
    }
    if (out->user >= 0 && out->item >= 0) return PF_OK;
    return error_set_at(c->err, PF_DATA, c->name, 1, 0,
                        "the header has no %s column (such as %s)",
                        out->user < 0 ? "user" : "item",
                        out->user < 0 ? "user_id:token" : "item_id:token");
}

static pf_status take_inter_row(collector *c, const row *r, const inter_columns *at)
{
    const time_rules rules = {.form = TIME_ANY};
    int64_t time_us = 0;
    double rating = 0;
    bool date_only;
    const char *why = NULL;
    if (r->reason != REASON_NONE)
        return error_set_at(c->err, PF_DATA, c->name, r->line, r->column, "%s",
                            r->message);
    if (!utf8_check(r->raw.data, r->raw.n, NULL))
        return error_set_at(c->err, PF_DATA, c->name, r->line, 0, "the row is no UTF-8");
    if (at->time >= 0) {
        const text value = text_trim(r->cells[at->time]);
        if (!time_parse(value.data, value.n, &rules, &time_us, &date_only, &why))
            return error_set_at(c->err, PF_DATA, c->name, r->line, (uint64_t)at->time + 1,
                                "no time: %s", why);
    }
    if (at->rating >= 0 && !text_to_double(text_trim(r->cells[at->rating]), &rating))
        return error_set_at(c->err, PF_DATA, c->name, r->line, (uint64_t)at->rating + 1,
                            "the rating is not a number");
    const uint32_t who = user_number(c, text_trim(r->cells[at->user]), r->line);
    return add_row(c, who, text_trim(r->cells[at->item]), time_us, (float)rating,
                   r->line);
}

/* Takes the source. */
static pf_status collect_inter(collector *c, byte_source *source)
{
    const reader_options options = {.table = TABLE_PRODUCTS, .format = FORMAT_RECBOLE};
    table_reader *r = NULL;
    inter_columns at;
    row row_at;
    bool more = true;
    pf_status s = table_reader_open(&r, source, &options, c->err);
    if (s == PF_OK) s = find_columns(c, r, &at);
    if (s == PF_OK) {
        c->rows.with_times = at.time >= 0;
        c->rows.with_ratings = at.rating >= 0;
    }
    while (s == PF_OK) {
        s = table_reader_next(r, &row_at, &more, c->err);
        if (s != PF_OK || !more) break;
        s = take_inter_row(c, &row_at, &at);
    }
    table_reader_close(r);
    return s;
}

/* --- grouping --------------------------------------------------------------------- */

static bool allocate(sequence_set *s, const rows *r)
{
    const size_t n = (size_t)r->n;
    s->n = r->n;
    s->n_users = intern_count(s->users);
    s->n_items = intern_count(s->items);
    s->first = mem_alloc_zero((size_t)s->n_users + 2, sizeof *s->first);
    s->item = mem_alloc(n, sizeof *s->item);
    s->time_us = r->with_times ? mem_alloc(n, sizeof *s->time_us) : NULL;
    s->rating = r->with_ratings ? mem_alloc(n, sizeof *s->rating) : NULL;
    return s->first != NULL && s->item != NULL &&
           (!r->with_times || s->time_us != NULL) &&
           (!r->with_ratings || s->rating != NULL);
}

/* One event while a user's are put into order. */
typedef struct moment {
    int64_t time_us;
    uint64_t place; /* in the file */
    uint32_t item;
    float rating;
} moment;

static int by_time(const void *a, const void *b)
{
    const moment *x = a, *y = b;
    if (x->time_us != y->time_us) return x->time_us < y->time_us ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static bool is_sorted(const int64_t *time_us, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (time_us[i] < time_us[i - 1]) return false;
    return true;
}

static bool sort_user(sequence_set *s, uint64_t from, size_t n, moment **block,
                      size_t *capacity)
{
    if (is_sorted(s->time_us + from, n)) return true;
    void *grown = *block;
    if (!mem_reserve(&grown, capacity, n, sizeof **block)) return false;
    *block = grown;
    moment *m = grown;
    for (size_t i = 0; i < n; i++)
        m[i] = (moment){s->time_us[from + i], i, s->item[from + i],
                        s->rating != NULL ? s->rating[from + i] : 0};
    qsort(m, n, sizeof *m, by_time);
    for (size_t i = 0; i < n; i++) {
        s->time_us[from + i] = m[i].time_us;
        s->item[from + i] = m[i].item;
        if (s->rating != NULL) s->rating[from + i] = m[i].rating;
    }
    return true;
}

static bool sort_users(sequence_set *s)
{
    moment *block = NULL;
    size_t capacity = 0;
    bool good = true;
    for (uint32_t u = 1; good && s->time_us != NULL && u <= s->n_users; u++)
        good = sort_user(s, s->first[u], (size_t)(s->first[u + 1] - s->first[u]), &block,
                         &capacity);
    mem_free(block);
    return good;
}

/* first[u + 1] counts, then sums, then is where user u's next event goes. */
static bool group(sequence_set *s, const rows *r)
{
    if (!allocate(s, r)) return false;
    uint64_t *next = mem_alloc_zero((size_t)s->n_users + 2, sizeof *next);
    if (next == NULL) return false;
    for (uint64_t i = 0; i < r->n; i++)
        s->first[r->user[i] + 1]++;
    for (uint32_t u = 1; u <= s->n_users; u++)
        s->first[u + 1] += s->first[u];
    memcpy(next, s->first, ((size_t)s->n_users + 2) * sizeof *next);
    for (uint64_t i = 0; i < r->n; i++) {
        const uint64_t to = next[r->user[i]]++;
        s->item[to] = r->item[i];
        if (s->time_us != NULL) s->time_us[to] = r->time_us[i];
        if (s->rating != NULL) s->rating[to] = r->rating[i];
    }
    mem_free(next);
    return sort_users(s);
}

/* --- reading ---------------------------------------------------------------------- */

/* A first line with "name:type" words makes an .inter file, whatever its name. */
static pf_status has_typed_header(byte_source *source, bool *out, pf_error *err)
{
    text head;
    const pf_status s = byte_source_peek(source, &head, err);
    if (s != PF_OK) return s;
    size_t n = 0;
    while (n < head.n && head.data[n] != '\n')
        n++;
    bool typed = false;
    for (size_t i = 0; i + 6 <= n && !typed; i++)
        typed = memcmp(head.data + i, ":token", 6) == 0;
    *out = typed;
    return PF_OK;
}

static pf_status collect(collector *c, const char *path)
{
    byte_source *source = NULL;
    bool typed = false;
    pf_status s = byte_source_open(&source, path, NULL, c->err);
    if (s == PF_OK) s = has_typed_header(source, &typed, c->err);
    if (s == PF_OK && typed) return collect_inter(c, source);
    if (s == PF_OK) s = collect_lines(c, source);
    byte_source_close(source);
    return s;
}

pf_status sequence_set_read(sequence_set **out, const char *path, pf_error *err)
{
    pf_error own = {0};
    sequence_set *set = mem_alloc_zero(1, sizeof *set);
    collector c = {.set = set, .name = path, .err = &own};
    pf_status s = PF_OK;
    if (set == NULL || (set->users = intern_new(LIMIT_SHOPPERS)) == NULL ||
        (set->items = intern_new(LIMIT_PRODUCTS)) == NULL)
        s = no_memory(&own);
    if (s == PF_OK) s = collect(&c, path);
    if (s == PF_OK && c.rows.n == 0)
        s = error_set_at(&own, PF_DATA, path, 0, 0, "the file holds no sequences");
    if (s == PF_OK && !group(set, &c.rows)) s = no_memory(&own);
    mem_free(c.rows.user);
    mem_free(c.rows.item);
    mem_free(c.rows.time_us);
    mem_free(c.rows.rating);
    if (s != PF_OK) {
        sequence_set_free(set);
        if (err != NULL) *err = own;
        return s;
    }
    *out = set;
    return PF_OK;
}

void sequence_set_free(sequence_set *s)
{
    if (s == NULL) return;
    intern_free(s->users);
    intern_free(s->items);
    mem_free(s->first);
    mem_free(s->item);
    mem_free(s->time_us);
    mem_free(s->rating);
    mem_free(s);
}
