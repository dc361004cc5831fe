/*
 * Filling the template. JSON inside a script element must not hold "</" or "<!--", which
 * would end or change it; "<" is written as \u003c, which JSON reads as the same text.
 */
#include "evaluate/report.h"

#include <stddef.h>
#include <string.h>

#include "evaluate/report_assets.h"

static bool add_json(buffer *out, text json)
{
    const char *at = json.data, *end = json.data + json.n;
    if (json.n == 0) return buffer_append_text(out, "null");
    while (at < end) {
        const char *bracket = memchr(at, '<', (size_t)(end - at));
        const char *stop = bracket ? bracket : end;
        buffer_append(out, at, (size_t)(stop - at));
        if (bracket == NULL) break;
        buffer_append_text(out, "\\u003c");
        at = bracket + 1;
    }
    return !out->failed;
}

static void add_data(const report_inputs *in, buffer *out)
{
    buffer_printf(out, "{\"made_at\": \"%s\", \"workspace\": ", in->made_at);
    add_json(out, in->workspace);
    buffer_append_text(out, ", \"evaluation\": ");
    add_json(out, in->evaluation);
    buffer_append_text(out, ", \"decided\": ");
    add_json(out, in->decided);
    buffer_append_text(out, ", \"policies\": ");
    add_json(out, in->policies);
    buffer_append_text(out, ", \"experiment\": ");
    add_json(out, in->experiment);
    buffer_append_text(out, "}");
}

/* Appends the template up to mark and moves *at behind it. */
static void add_until(buffer *out, const char **at, const char *mark)
{
    const char *found = strstr(*at, mark);
    size_t n = found ? (size_t)(found - *at) : strlen(*at);
    buffer_append(out, *at, n);
    *at += n + (found ? strlen(mark) : 0);
}

pf_status report_render(const report_inputs *in, buffer *out, pf_error *err)
{
    const char *at = (const char *)report_template;
    if (in->evaluation.n == 0 && in->decided.n == 0 && in->experiment.n == 0)
        return error_set(err, PF_NOT_FOUND,
                         "nothing was measured or decided yet; run "
                         "`proffer evaluate` and `proffer decide` first");
    add_until(out, &at, "@DATA@");
    add_data(in, out);
    add_until(out, &at, "@CHART@");
    buffer_append(out, report_chart, report_chart_size);
    add_until(out, &at, "@EXPERIMENT@");
    buffer_append(out, report_experiment, report_experiment_size);
    add_until(out, &at, "@SCRIPT@");
    buffer_append(out, report_script, report_script_size);
    buffer_append_text(out, at);
    if (out->failed)
        return error_set(err, PF_LIMIT, "the report passes %zu MiB", out->maximum >> 20);
    return PF_OK;
}
