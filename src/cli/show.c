/*
 * Tables are collected, measured, then printed: cells are few (at most a screenful or two),
 * so all of them are kept as text in one arena.
 */
#include "cli/show.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/command.h"

enum { TABLE_MAX_COLUMNS = 16, CELL_BYTES = 4096 };

struct table {
    arena memory;
    size_t columns, n, capacity, max_width;
    const char **cells; /* [n], the headings first */
    bool right[TABLE_MAX_COLUMNS];
};

/* Control characters become blanks: titles and names of files come from outside, and
 * must neither break a line nor steer a terminal. */
static void make_plain(char *words)
{
    for (; *words; words++)
        if ((unsigned char)*words < ' ' || *words == 0x7F) *words = ' ';
}

void show_error(const proffer_error *err)
{
    char place[320] = "";
    size_t n = 0;
    if (err->file[0] != 0) n = (size_t)snprintf(place, sizeof place, "%s:", err->file);
    if (err->line != 0)
        n += (size_t)snprintf(place + n, sizeof place - n,
                              "%llu:", (unsigned long long)err->line);
    if (err->line != 0 && err->column != 0)
        n += (size_t)snprintf(place + n, sizeof place - n,
                              "%llu:", (unsigned long long)err->column);
    char words[sizeof place + sizeof err->message + 2];
    (void)snprintf(words, sizeof words, "%s%s%s", place, n ? " " : "", err->message);
    make_plain(words);
    fprintf(stderr, "proffer: %s\n", words);
}

void show_talk(const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    log_line(LOG_INFO, "%s", line);
}

/* Wide as in East Asian Width "W" and "F" of the blocks that shops write in. */
static bool is_wide(uint32_t c)
{
    return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
           (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
           (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF) ||
           (c >= 0x20000 && c <= 0x3FFFD);
}

static bool is_mark(uint32_t c)
{
    return c == 0x200D || (c >= 0x0300 && c <= 0x036F) || (c >= 0xFE00 && c <= 0xFE0F);
}

static size_t point_width(uint32_t c)
{
    return is_mark(c) ? 0 : is_wide(c) ? 2 : 1;
}

size_t show_width(const char *words)
{
    const char *end = words + strlen(words);
    size_t width = 0;
    if (!utf8_check(words, (size_t)(end - words), NULL)) return (size_t)(end - words);
    while (words < end)
        width += point_width(utf8_next(&words, end));
    return width;
}

table *table_new(size_t columns, const char *const headings[], size_t max_width)
{
    table *t = mem_alloc_zero(1, sizeof *t);
    if (t == NULL || columns > TABLE_MAX_COLUMNS) {
        mem_free(t);
        return NULL;
    }
    arena_init(&t->memory, LIMIT_REPORT_BYTES);
    t->columns = columns;
    for (size_t i = 0; i < columns; i++) {
        t->right[i] = headings[i][0] == '>';
        table_cell(t, "%s", headings[i] + (t->right[i] ? 1 : 0));
    }
    t->max_width = max_width;
    return t;
}

/* Cuts to max columns, the last one an ellipsis. */
static void cut(char *words, size_t max)
{
    const char *at = words, *end = words + strlen(words), *keep = words;
    size_t width = 0;
    if (max == 0 || show_width(words) <= max || !utf8_check(words, strlen(words), NULL))
        return;
    while (at < end) {
        size_t more = point_width(utf8_next(&at, end));
        if (width + more > max - 1) break;
        width += more;
        keep = at;
    }
    memcpy(words + (keep - words), "…", sizeof "…");
}

void table_cell(table *t, const char *format, ...)
{
    char cell[CELL_BYTES];
    va_list arguments;
    if (t == NULL) return;
    va_start(arguments, format);
    (void)vsnprintf(cell, sizeof cell - 4, format, arguments);
    va_end(arguments);
    make_plain(cell);
    cut(cell, t->max_width);
    if (!mem_reserve((void **)&t->cells, &t->capacity, t->n + 1, sizeof *t->cells))
        return;
    const char *kept = arena_copy_text(&t->memory, cell, strlen(cell));
    t->cells[t->n++] = kept ? kept : "";
}

void table_text(table *t, const char *words, size_t max_width)
{
    char cell[CELL_BYTES];
    (void)snprintf(cell, sizeof cell - 4, "%s", words);
    cut(cell, max_width);
    table_cell(t, "%s", cell);
}

static void print_padded(const char *cell, size_t width, bool right, bool last)
{
    size_t blank = width - show_width(cell);
    if (right)
        printf("%*s%s", (int)blank, "", cell);
    else
        printf("%s%*s", cell, last ? 0 : (int)blank, "");
}

static void print_row(const table *t, size_t row, const size_t *width)
{
    for (size_t c = 0; c < t->columns; c++) {
        size_t i = row * t->columns + c;
        bool last = c + 1 == t->columns;
        print_padded(i < t->n ? t->cells[i] : "", width[c], t->right[c], last);
        printf("%s", last ? "\n" : "  ");
    }
}

void table_print(table *t)
{
    size_t width[TABLE_MAX_COLUMNS] = {0};
    if (t == NULL) return;
    size_t rows = (t->n + t->columns - 1) / t->columns;
    for (size_t i = 0; i < t->n; i++) {
        size_t w = show_width(t->cells[i]);
        if (w > width[i % t->columns]) width[i % t->columns] = w;
    }
    for (size_t row = 0; row < rows; row++) {
        print_row(t, row, width);
        for (size_t c = 0; row == 0 && c < t->columns; c++) {
            for (size_t k = 0; k < width[c]; k++)
                printf("─");
            printf("%s", c + 1 == t->columns ? "\n" : "  ");
        }
    }
    arena_free(&t->memory);
    mem_free(t->cells);
    mem_free(t);
}

proffer_status show_open(result *r, char *json, proffer_error *err)
{
    pf_error e = {.code = PF_OK};
    arena_init(&r->memory, 16 * (size_t)LIMIT_JSON_BYTES);
    pf_status s = json_parse(&r->memory, json, strlen(json), &r->top, &e);
    proffer_free(json);
    if (s == PF_OK) return PROFFER_OK;
    arena_free(&r->memory);
    return fail(err, (proffer_status)s, "cannot read a result back: %s", e.message);
}

void show_close(result *r)
{
    arena_free(&r->memory);
}

const char *show_text(result *r, const json_value *object, const char *key)
{
    const json_value *v = json_member(object, key);
    if (v == NULL || (v->kind != JSON_TEXT && v->kind != JSON_NUMBER)) return "";
    const char *copy = arena_copy_text(&r->memory, v->text.data, v->text.n);
    return copy ? copy : "";
}

double show_amount(const json_value *object, const char *key)
{
    const json_value *v = json_member(object, key);
    double number = 0;
    if (v == NULL || v->kind != JSON_TEXT || !text_to_double(v->text, &number)) return 0;
    return number;
}

double show_number(const json_value *object, const char *key)
{
    const json_value *v = json_member(object, key);
    double number = 0;
    if (v == NULL || v->kind != JSON_NUMBER || !text_to_double(v->text, &number))
        return 0;
    return number;
}

const char *show_moment(result *r, const json_value *object, const char *key)
{
    enum { DATE = 10, MINUTE = 16 };
    const char *iso = show_text(r, object, key);
    if (strlen(iso) <= MINUTE || iso[DATE] != 'T') return iso;
    char words[MINUTE + sizeof " UTC"];
    (void)snprintf(words, sizeof words, "%.10s %.5s UTC", iso, iso + DATE + 1);
    const char *copy = arena_copy_text(&r->memory, words, strlen(words));
    return copy ? copy : iso;
}

const char *show_code(result *r, const json_value *object, const char *key)
{
    const char *code = show_text(r, object, key);
    char *words = arena_alloc(&r->memory, strlen(code) + 1, 1);
    if (words == NULL) return code;
    for (size_t i = 0; i <= strlen(code); i++)
        words[i] = code[i] == '_' ? ' ' : code[i];
    return words;
}
