/* A tree a line; see json_lines.h. */
#include "intake/json_lines.h"

#include <stdio.h>

#include "base/limits.h"

enum { FIRST_BLOCK_BYTES = 64 << 10 };

pf_status json_lines_open(json_lines *r, byte_source *source, size_t window_bytes,
                          pf_error *err)
{
    const pf_status s = lines_open(&r->lines, source, window_bytes, err);
    if (s != PF_OK) return s;
    arena_init(&r->memory, 16 * (size_t)LIMIT_LINE_BYTES);
    /* The first block is kept by every reset: make it large enough for usual lines. */
    if (arena_alloc(&r->memory, FIRST_BLOCK_BYTES, 1) == NULL) {
        json_lines_close(r);
        return error_set(err, PF_NO_MEMORY, "out of memory while opening %s",
                         byte_source_name(source));
    }
    arena_reset(&r->memory);
    return PF_OK;
}

void json_lines_close(json_lines *r)
{
    lines_close(&r->lines);
    arena_free(&r->memory);
}

static void note_wrong(row *out, const pf_error *why)
{
    out->reason = REASON_BAD_JSON;
    out->column = (uint32_t)why->column;
    (void)snprintf(out->message, sizeof out->message, "byte %llu: %.160s",
                   (unsigned long long)why->column, why->message);
}

static pf_status parse_line(json_lines *r, const json_value **value, row *out,
                            pf_error *err)
{
    pf_error why = {0};
    const char *name = byte_source_name(r->lines.w.source);
    arena_reset(&r->memory);
    *value = NULL;
    out->reason = REASON_NONE;
    out->column = 0;
    if (out->line == 1 && text_trim(out->raw).data[0] == '[')
        return error_set_at(err, PF_DATA, name, 1, 1,
                            "this is a JSON array; JSON lines are needed, one object a "
                            "line, as jq -c '.[]' makes them");
    const pf_status s = json_parse(&r->memory, out->raw.data, out->raw.n, value, &why);
    if (s == PF_NO_MEMORY)
        return error_set_at(err, s, name, out->line, 0, "%s", why.message);
    if (s != PF_OK) {
        note_wrong(out, &why);
    } else if ((*value)->kind != JSON_OBJECT) {
        *value = NULL;
        out->reason = REASON_BAD_JSON;
        (void)snprintf(out->message, sizeof out->message, "the line is no JSON object");
    }
    return PF_OK;
}

pf_status json_lines_next(json_lines *r, const json_value **value, row *out, bool *more,
                          pf_error *err)
{
    do {
        const pf_status s = lines_next(&r->lines, &out->raw, more, err);
        if (s != PF_OK || !*more) return s;
    } while (text_trim(out->raw).n == 0);
    out->line = r->lines.line;
    return parse_line(r, value, out, err);
}
