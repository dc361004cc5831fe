/*
 * A binding: the mapping of one table laid over the columns of one file. It answers, for a
 * row, what the value of each field is, which columns are left over as attributes, and
 * whether the row is chosen at all.
 *
 * Columns are numbers: the file's own first, then those of joined files with the bit
 * JOINED_COLUMN. A JSON lines file may show new columns later; binding_extend() is called
 * when it does.
 */
#ifndef PROFFER_INTAKE_BINDING_H
#define PROFFER_INTAKE_BINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/intern.h"
#include "base/status.h"
#include "intake/mapping.h"
#include "intake/reader.h"
#include "intake/row.h"

#define JOINED_COLUMN 0x80000000u
#define NO_COLUMN 0xffffffffu
/* "#line": where no column bears that name, the row's line number, so that lines which are
 * equal in every column can be told apart. */
#define LINE_COLUMN 0x7fffffffu

/* A row with the cells that joins added, and its line number in words. */
typedef struct row_view {
    const row *row;
    const text *joined;
    text line;
} row_view;

typedef struct binding_piece {
    text words; /* when column_name is empty */
    text column_name;
    uint32_t column;
} binding_piece;

/* Where one value comes from. */
typedef struct origin {
    const map_field *map; /* NULL: bound by guess to a column alone */
    const char *name;     /* of the attribute */
    binding_piece *pieces;
    size_t n_pieces;   /* 0: nothing fills it */
    bool plain;        /* one column, nothing to be done to it but trimming */
    bool alternatives; /* the first piece that is not blank, instead of all together */
    bool blank_if_part_blank;
    intern *translated; /* `from` texts, numbered as in map->values; NULL: none */
} origin;

typedef struct binding_condition {
    const map_condition *map;
    uint32_t column;
} binding_condition;

typedef struct binding {
    const map_table *table;
    arena memory;
    origin fields[FIELDS_MAX];
    origin *attributes; /* named by "attribute.NAME" */
    size_t n_attributes;
    binding_condition *where;
    /* Columns of the file that nothing uses: kept as attributes under their names. */
    uint32_t *left_over;
    const char **left_over_names; /* terminated */
    size_t n_left_over;
    size_t n_columns; /* of the file, as of the last extension */
} binding;

/* What a binding needs to know of the joined columns: name of column i, NULL behind the
 * last. */
typedef struct joined_names {
    const text *names;
    size_t n;
} joined_names;

/* The table and the names must outlive the binding. PF_DATA when the file lacks a column
 * that the mapping names (with its nearest name), or when no field can be guessed. */
pf_status binding_make(binding **out, const map_table *table, const table_reader *reader,
                       joined_names joined, pf_error *err);
/* NULL is fine. */
void binding_free(binding *b);
/* Looks at columns that came since. PF_NO_MEMORY. */
pf_status binding_extend(binding *b, const table_reader *reader, pf_error *err);

/* A cell; empty for NO_COLUMN and columns the row does not have. Not trimmed. */
text binding_cell(const row_view *v, uint32_t column);
/* The kind of a cell: CELL_TEXT for joined ones. */
cell_kind binding_cell_kind(const row_view *v, uint32_t column);
/* The kind of the one cell a value comes from; CELL_TEXT for composed values. */
cell_kind binding_value_kind(const origin *o, const row_view *v);
/* Whether `where` chooses the row: by its conditions on the file's own columns (joined
 * false), or by those on joined columns. */
bool binding_takes(const binding *b, const row_view *v, bool joined);
/* The value, trimmed, after everything the mapping says; composed ones live in `room`,
 * which is to be reset for each row. *out is empty when blank; false when memory is short. */
bool binding_value(const origin *o, const row_view *v, arena *room, text *out);
/* What is bound to what, for people: "id <- product_id, time <- date + time; kept: colour".
 * Cut to size, terminated. */
void binding_describe(const binding *b, char *into, size_t size);
/* The 1-based column to blame for a field's value, 0 if there is none in the file. */
uint32_t binding_column_of(const origin *o);

#endif
