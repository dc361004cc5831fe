/*
 * import and validate: files -> store, or only what is wrong with them.
 */
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "engine/workspace.h"
#include "intake/intake.h"

proffer_import_options proffer_import_options_default(void)
{
    return (proffer_import_options){.mapping = NULL};
}

static pf_status read_files(proffer *p, const proffer_import_options *o,
                            intake_plan *plan, intake_summary *summary, pf_error *err)
{
    char rejects[WORKSPACE_PATH_BYTES];
    intake_options options = intake_options_default();
    const char *folder = o->validate_only ? "rejects/validated" : "rejects";
    pf_status s = workspace_path(p, folder, rejects, err);
    if (s == PF_OK) s = file_make_folders(rejects, err);
    options.currency = p->config->currency;
    options.zone = p->config->shop_time_zone;
    options.rejects_folder = rejects;
    options.now_us = clock_now_us();
    if (s != PF_OK) return s;
    return o->validate_only ? intake_validate(plan, p->store, &options, summary, err)
                            : intake_run(plan, p->store, &options, summary, err);
}

proffer_status proffer_import(proffer *p, const proffer_import_options *o, char **json,
                              proffer_error *err)
{
    intake_plan *plan = NULL;
    intake_summary summary = {0};
    verb_result r;
    intake_request request = {.mapping = o->mapping,
                              .files = o->files,
                              .n_files = o->n_files,
                              .table = o->table};
    *json = NULL;
    pf_status s = intake_plan_open(&plan, &request, inner(err));
    if (s == PF_OK) s = read_files(p, o, plan, &summary, inner(err));
    if (s == PF_OK) {
        verb_begin(&r);
        intake_summary_write(&summary, &r.w);
        s = verb_end(&r, json, inner(err));
    }
    intake_summary_free(&summary);
    intake_plan_free(plan);
    return (proffer_status)s;
}
