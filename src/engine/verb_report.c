/*
 * report: what was measured and decided, as one HTML file.
 */
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/memory.h"
#include "engine/workspace.h"
#include "evaluate/report.h"

/* A document of the store, or an empty text where there is none yet. */
static pf_status take_document(proffer *p, const char *name, char **json, text *out,
                               pf_error *err)
{
    size_t n = 0;
    pf_status s = store_get_document(p->store, name, json, &n, err);
    *out = s == PF_OK ? (text){*json, n} : (text){"", 0};
    return s == PF_NOT_FOUND ? PF_OK : s;
}

static pf_status write_file(const char *path, const report_inputs *in, pf_error *err)
{
    char folder[WORKSPACE_PATH_BYTES];
    buffer html;
    buffer_init(&html, LIMIT_REPORT_BYTES);
    file_folder_of(path, folder, sizeof folder);
    pf_status s = report_render(in, &html, err);
    if (s == PF_OK && folder[0] != 0) s = file_make_folders(folder, err);
    if (s == PF_OK) s = file_write_atomic(path, html.data, html.length, err);
    buffer_free(&html);
    return s;
}

static pf_status tell(const char *path, char **json, pf_error *err)
{
    verb_result r;
    verb_begin(&r);
    json_object_begin(&r.w);
    verb_text(&r, "report", path);
    json_object_end(&r.w);
    return verb_end(&r, json, err);
}

proffer_status proffer_report(proffer *p, const char *path, char **json,
                              proffer_error *err)
{
    char fallback[WORKSPACE_PATH_BYTES], made_at[TIME_TEXT_BYTES];
    char *workspace = NULL, *evaluation = NULL, *decided = NULL;
    char *policies = NULL, *experiment = NULL;
    report_inputs in = {.made_at = time_format(clock_now_us(), made_at)};
    *json = NULL;
    pf_status s = workspace_path(p, "reports/report.html", fallback, inner(err));
    if (s == PF_OK) s = (pf_status)proffer_describe(p, &workspace, err);
    if (s == PF_OK) {
        in.workspace = text_of(workspace);
        s = take_document(p, "evaluation", &evaluation, &in.evaluation, inner(err));
    }
    if (s == PF_OK) s = take_document(p, "decide", &decided, &in.decided, inner(err));
    if (s == PF_OK) s = take_document(p, "policies", &policies, &in.policies, inner(err));
    if (s == PF_OK)
        s = take_document(p, "experiment", &experiment, &in.experiment, inner(err));
    path = path ? path : fallback;
    if (s == PF_OK) s = write_file(path, &in, inner(err));
    if (s == PF_OK) s = tell(path, json, inner(err));
    mem_free(workspace);
    mem_free(evaluation);
    mem_free(decided);
    mem_free(policies);
    mem_free(experiment);
    return (proffer_status)s;
}
