/* Bounded lines; see lines.h. */
#include "intake/lines.h"

#include <string.h>

#include "base/limits.h"
#include "intake/text_start.h"

pf_status lines_open(line_reader *r, byte_source *source, size_t window_bytes,
                     pf_error *err)
{
    *r = (line_reader){.line = 0};
    pf_status s =
        window_open(&r->w, source, window_bytes, (size_t)LIMIT_LINE_BYTES + 1, err);
    if (s == PF_OK) s = text_start_check(&r->w, err);
    if (s != PF_OK) lines_close(r);
    return s;
}

void lines_close(line_reader *r)
{
    window_close(&r->w);
}

static pf_status too_long(const line_reader *r, pf_error *err)
{
    return error_set_at(err, PF_LIMIT, byte_source_name(r->w.source), r->line + 1, 0,
                        "the line has more than %u bytes", LIMIT_LINE_BYTES);
}

static text take_line(line_reader *r, size_t n, size_t with_end)
{
    text t = {r->w.bytes + r->w.at, n};
    if (t.n > 0 && t.data[t.n - 1] == '\r') t.n--;
    r->w.at += with_end;
    r->line++;
    return t;
}

pf_status lines_next(line_reader *r, text *out, bool *more, pf_error *err)
{
    size_t seen = 0; /* bytes of the line known to hold no LF */
    for (;;) {
        const size_t have = r->w.end - r->w.at;
        const char *front = r->w.bytes + r->w.at;
        const char *lf = have > seen ? memchr(front + seen, '\n', have - seen) : NULL;
        const size_t n = lf != NULL ? (size_t)(lf - front) : have;
        if (n > LIMIT_LINE_BYTES) return too_long(r, err);
        *more = lf != NULL || (r->w.ended && have > 0);
        if (*more) *out = take_line(r, n, n + (lf != NULL));
        if (*more || r->w.ended) return PF_OK;
        seen = have;
        const pf_status s = window_fill(&r->w, err);
        if (s != PF_OK) return s == PF_LIMIT ? too_long(r, err) : s;
    }
}
