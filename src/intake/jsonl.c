/* Trees flattened into rows; see jsonl.h. */
#include "intake/jsonl.h"

#include <stdio.h>
#include <string.h>

#include "base/intern.h"
#include "base/limits.h"
#include "base/memory.h"
#include "intake/json_cell.h"
#include "intake/json_lines.h"

enum { PATH_BYTES = 512 };

struct jsonl_reader {
    json_lines lines;
    intern *names; /* the path of column i has number i + 1 */
    text cells[LIMIT_FIELDS];
    uint8_t kinds[LIMIT_FIELDS];
};

/* One row being flattened. */
typedef struct flattening {
    jsonl_reader *reader;
    row *row;
    pf_error *err;
    char path[PATH_BYTES];
} flattening;

pf_status jsonl_open(jsonl_reader **out, byte_source *source, size_t window_bytes,
                     pf_error *err)
{
    jsonl_reader *r = mem_alloc_zero(1, sizeof *r);
    if (r == NULL || (r->names = intern_new(LIMIT_FIELDS)) == NULL) {
        mem_free(r);
        return error_set(err, PF_NO_MEMORY, "out of memory while opening %s",
                         byte_source_name(source));
    }
    const pf_status s = json_lines_open(&r->lines, source, window_bytes, err);
    if (s != PF_OK) {
        intern_free(r->names);
        mem_free(r);
        return s;
    }
    *out = r;
    return PF_OK;
}

void jsonl_close(jsonl_reader *r)
{
    if (r == NULL) return;
    json_lines_close(&r->lines);
    intern_free(r->names);
    mem_free(r);
}

size_t jsonl_columns(const jsonl_reader *r)
{
    return intern_count(r->names);
}

text jsonl_column(const jsonl_reader *r, size_t i)
{
    const uint32_t number = (uint32_t)i + 1;
    return (text){intern_text(r->names, number), intern_length(r->names, number)};
}

static const char *source_name(const jsonl_reader *r)
{
    return byte_source_name(r->lines.lines.w.source);
}

static pf_status put_cell(flattening *f, size_t path_n, const json_value *v)
{
    jsonl_reader *r = f->reader;
    const uint32_t before = intern_count(r->names);
    const uint32_t number = intern_add(r->names, f->path, path_n);
    if (number == 0 && before == LIMIT_FIELDS)
        return error_set_at(f->err, PF_LIMIT, source_name(r), f->row->line, 0,
                            "the file has more than %u different members; are ids used "
                            "as names, such as '%.60s'?",
                            LIMIT_FIELDS, f->path);
    if (number == 0 ||
        !json_cell(&r->lines.memory, v, &r->cells[number - 1], &r->kinds[number - 1]))
        return error_set_at(f->err, PF_NO_MEMORY, source_name(r), f->row->line, 0,
                            "out of memory for this line");
    return PF_OK;
}

static pf_status flatten(flattening *f, size_t path_n, const json_value *object)
{
    for (size_t i = 0; i < object->n; i++) {
        const text key = object->keys[i];
        const size_t dot = path_n > 0;
        if (path_n + dot + key.n >= PATH_BYTES) {
            f->row->reason = REASON_TOO_LONG;
            (void)snprintf(f->row->message, sizeof f->row->message,
                           "the name of a member has more than %d bytes", PATH_BYTES - 1);
            return PF_OK;
        }
        if (dot) f->path[path_n] = '.';
        memcpy(f->path + path_n + dot, key.data, key.n);
        const size_t n = path_n + dot + key.n;
        f->path[n] = 0;
        const json_value *v = &object->values[i];
        const pf_status s = v->kind == JSON_OBJECT ? flatten(f, n, v) : put_cell(f, n, v);
        if (s != PF_OK || f->row->reason != REASON_NONE) return s;
    }
    return PF_OK;
}

pf_status jsonl_next(jsonl_reader *r, row *out, bool *more, pf_error *err)
{
    const json_value *value = NULL;
    pf_status s = json_lines_next(&r->lines, &value, out, more, err);
    if (s != PF_OK || !*more) return s;
    for (size_t i = 0; i < jsonl_columns(r); i++) {
        r->cells[i] = (text){"", 0};
        r->kinds[i] = CELL_TEXT;
    }
    if (value != NULL) {
        flattening f = {.reader = r, .row = out, .err = err};
        s = flatten(&f, 0, value);
    }
    out->cells = r->cells;
    out->kinds = r->kinds;
    out->n_cells = jsonl_columns(r);
    return s;
}
