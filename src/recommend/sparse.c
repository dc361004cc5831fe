/*
 * Building: a counting pass gives every row its place, a filling pass writes the entries,
 * and each row is then sorted by column and its equal columns summed in place.
 */
#include "recommend/sparse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct entry {
    uint32_t column;
    float value;
} entry;

void sparse_count_begin(sparse_counter *k, uint32_t rows, uint32_t columns)
{
    *k = (sparse_counter){.m = {.rows = rows, .columns = columns}};
    k->m.start = mem_alloc_zero((size_t)rows + 1, sizeof *k->m.start);
    k->failed = k->m.start == NULL;
}

void sparse_count(sparse_counter *k, uint32_t row)
{
    if (!k->failed) k->m.start[row + 1]++;
}

void sparse_fill_begin(sparse_counter *k)
{
    sparse *m = &k->m;
    if (k->failed) return;
    for (uint32_t r = 0; r < m->rows; r++)
        m->start[r + 1] += m->start[r];
    m->n = m->start[m->rows];
    size_t n = m->n ? (size_t)m->n : 1;
    m->column = mem_alloc(n, sizeof *m->column);
    m->value = mem_alloc(n, sizeof *m->value);
    k->at = mem_alloc((size_t)m->rows + 1, sizeof *k->at);
    k->failed = m->column == NULL || m->value == NULL || k->at == NULL;
    if (!k->failed) memcpy(k->at, m->start, m->rows * sizeof *k->at);
}

void sparse_add(sparse_counter *k, uint32_t row, uint32_t column, float value)
{
    if (k->failed) return;
    uint64_t i = k->at[row]++;
    k->m.column[i] = column;
    k->m.value[i] = value;
}

static int by_column(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    return (x->column > y->column) - (x->column < y->column);
}

/* Sorts one row and sums equal columns; returns how many entries are left. Entries of one
 * column are summed in double, so that their order hardly matters. */
static uint64_t settle_row(entry *row, uint64_t n, uint32_t *column, float *value)
{
    uint64_t left = 0;
    qsort(row, n, sizeof *row, by_column);
    for (uint64_t i = 0; i < n;) {
        double sum = 0;
        uint32_t c = row[i].column;
        for (; i < n && row[i].column == c; i++)
            sum += (double)row[i].value;
        column[left] = c;
        value[left++] = (float)sum;
    }
    return left;
}

/* entries: room for the longest row. */
static void settle(sparse *m, entry *entries)
{
    uint64_t to = 0;
    for (uint32_t r = 0; r < m->rows; r++) {
        uint64_t from = m->start[r], n = m->start[r + 1] - from;
        for (uint64_t i = 0; i < n; i++)
            entries[i] = (entry){m->column[from + i], m->value[from + i]};
        m->start[r] = to;
        to += n ? settle_row(entries, n, m->column + to, m->value + to) : 0;
    }
    m->start[m->rows] = m->n = to;
}

static uint64_t longest_row(const sparse *m)
{
    uint64_t longest = 1;
    for (uint32_t r = 0; r < m->rows; r++)
        if (m->start[r + 1] - m->start[r] > longest)
            longest = m->start[r + 1] - m->start[r];
    return longest;
}

pf_status sparse_finish(sparse_counter *k, sparse *out, pf_error *err)
{
    entry *entries = k->failed ? NULL : mem_alloc(longest_row(&k->m), sizeof *entries);
    mem_free(k->at);
    if (entries == NULL) {
        sparse_free(&k->m);
        return error_set(err, PF_NO_MEMORY, "out of memory for %u x %u counts", k->m.rows,
                         k->m.columns);
    }
    settle(&k->m, entries);
    mem_free(entries);
    *out = k->m;
    return PF_OK;
}

pf_status sparse_transpose(const sparse *m, sparse *out, pf_error *err)
{
    sparse_counter k;
    sparse_count_begin(&k, m->columns, m->rows);
    for (uint64_t i = 0; i < m->n; i++)
        sparse_count(&k, m->column[i]);
    sparse_fill_begin(&k);
    for (uint32_t r = 0; r < m->rows; r++)
        for (uint64_t i = m->start[r]; i < m->start[r + 1]; i++)
            sparse_add(&k, m->column[i], r, m->value[i]);
    return sparse_finish(&k, out, err);
}

void sparse_free(sparse *m)
{
    mem_free(m->start);
    mem_free(m->column);
    mem_free(m->value);
    *m = (sparse){.rows = m->rows, .columns = m->columns};
}

/* ---- files ---- */

static const char *part(char into[SAFETENSORS_NAME_BYTES], const char *prefix,
                        const char *name)
{
    safetensors_join_name(into, prefix, name);
    return into;
}

pf_status sparse_save(const sparse *m, const char *prefix, safetensors_writer *file,
                      pf_error *err)
{
    char name[SAFETENSORS_NAME_BYTES];
    uint64_t starts = (uint64_t)m->rows + 1;
    pf_status s = safetensors_add(file, part(name, prefix, "start"), TENSOR_U64, m->start,
                                  1, &starts, err);
    if (s == PF_OK)
        s = safetensors_add(file, part(name, prefix, "column"), TENSOR_U32, m->column, 1,
                            &m->n, err);
    if (s == PF_OK)
        s = safetensors_add(file, part(name, prefix, "value"), TENSOR_F32, m->value, 1,
                            &m->n, err);
    return s;
}

static bool is_sound(const uint64_t *start, const uint32_t *column, const float *value,
                     uint32_t rows, uint32_t columns, uint64_t n)
{
    if (start[0] != 0 || start[rows] != n) return false;
    for (uint32_t r = 0; r < rows; r++)
        if (start[r] > start[r + 1] || start[r + 1] > n) return false;
    for (uint64_t i = 0; i < n; i++)
        if (column[i] >= columns || !isfinite(value[i])) return false;
    return true;
}

static pf_status copy_views(sparse *out, const tensor_view *start,
                            const tensor_view *column, const tensor_view *value,
                            pf_error *err)
{
    size_t n = out->n ? (size_t)out->n : 1;
    out->start = mem_alloc((size_t)out->rows + 1, sizeof *out->start);
    out->column = mem_alloc(n, sizeof *out->column);
    out->value = mem_alloc(n, sizeof *out->value);
    if (out->start == NULL || out->column == NULL || out->value == NULL) {
        sparse_free(out);
        return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    }
    memcpy(out->start, start->data, ((size_t)out->rows + 1) * sizeof *out->start);
    memcpy(out->column, column->data, (size_t)out->n * sizeof *out->column);
    memcpy(out->value, value->data, (size_t)out->n * sizeof *out->value);
    return PF_OK;
}

pf_status sparse_load(sparse *out, const char *prefix, uint32_t rows, uint32_t columns,
                      const safetensors *file, pf_error *err)
{
    char name[SAFETENSORS_NAME_BYTES];
    const tensor_view *start = NULL, *column = NULL, *value = NULL;
    pf_status s = safetensors_find(file, part(name, prefix, "start"), TENSOR_U64, 1,
                                   (uint64_t)rows + 1, &start, err);
    if (s == PF_OK)
        s = safetensors_find(file, part(name, prefix, "column"), TENSOR_U32, 1, 0,
                             &column, err);
    if (s == PF_OK)
        s = safetensors_find(file, part(name, prefix, "value"), TENSOR_F32, 1, 0, &value,
                             err);
    if (s != PF_OK) return s;
    if (value->count != column->count ||
        !is_sound(start->data, column->data, value->data, rows, columns, value->count))
        return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                            "the matrix '%s' is damaged; train again", prefix);
    *out = (sparse){.rows = rows, .columns = columns, .n = value->count};
    return copy_views(out, start, column, value, err);
}
