/*
 * What people see on a terminal: errors, tables that line up (Chinese counts two columns a
 * character), and values taken from a JSON result.
 */
#ifndef PROFFER_CLI_SHOW_H
#define PROFFER_CLI_SHOW_H

#include <stddef.h>

#include "base/json.h"
#include "proffer/proffer.h"

/* "proffer: file:line: message" on stderr. */
void show_error(const proffer_error *err);

/* A line of talk on stderr unless quiet. */
void show_talk(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A table on stdout. Headings starting with '>' are right-aligned. Cells longer than
 * max_width columns are cut with an ellipsis (0 = never).
 *
 *     table *t = table_new(3, (const char *const[]){"shopper", ">P", "why"}, 60);
 *     table_cell(t, "%s", id); table_cell(t, "%.3f", p); table_cell(t, "%s", why);
 *     table_print(t);      // and frees
 */
typedef struct table table;
table *table_new(size_t columns, const char *const headings[], size_t max_width);
void table_cell(table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A cell of a text, cut to so many columns where the table allows more. */
void table_text(table *t, const char *words, size_t max_width);
void table_print(table *t);

/* Columns a text takes on a terminal. */
size_t show_width(const char *text);

/* A result read back; show_close frees all. */
typedef struct result {
    arena memory;
    const json_value *top;
} result;
/* Takes ownership of json. On failure nothing is left to free. */
proffer_status show_open(result *r, char *json, proffer_error *err);
void show_close(result *r);

/* Members as C values: text ("" when absent), number (0 when absent or null). Texts live
 * until show_close and are terminated. */
const char *show_text(result *r, const json_value *object, const char *key);
double show_number(const json_value *object, const char *key);
/* An amount, which JSON has as text, as a number: for comparing, not for showing. */
double show_amount(const json_value *object, const char *key);
/* A time of the JSON to the minute, "2017-10-30 04:00 UTC"; a code as words, "at risk". */
const char *show_moment(result *r, const json_value *object, const char *key);
const char *show_code(result *r, const json_value *object, const char *key);

#endif
