/*
 * The list of commands, and the shape most of them share.
 */
#include "cli/commands.h"

#include <stdio.h>

#include "cli/show.h"

const command *const all_commands[] = {
    &command_demo,
    &command_init,
    &command_validate,
    &command_import,
    &command_embed,
    &command_search,
    &command_train,
    &command_evaluate,
    &command_decide,
    &command_experiment,
    &command_explain,
    &command_profile,
    &command_recommend,
    &command_message,
    &command_report,
    &command_export,
    &command_forget,
    &command_doctor,
    &command_completion,
    NULL,
};

/* Takes json. */
static proffer_status present(const invocation *in, char *json, workspace_show *show,
                              workspace_judge *judge, proffer_error *err)
{
    result r;
    bool as_it_is = in->json || show == NULL;
    if (as_it_is) printf("%s\n", json);
    if (as_it_is && judge == NULL) {
        proffer_free(json);
        return PROFFER_OK;
    }
    proffer_status s = show_open(&r, json, err);
    if (s != PROFFER_OK) return s;
    if (!as_it_is) s = show(in, &r, err);
    if (s == PROFFER_OK && judge != NULL) s = judge(&r, err);
    show_close(&r);
    return s;
}

proffer_status run_in_workspace(const invocation *in, workspace_verb *verb,
                                workspace_show *show, proffer_error *err)
{
    return run_and_judge(in, verb, show, NULL, err);
}

proffer_status run_and_show(const invocation *in, workspace_verb *verb,
                            workspace_show *show, proffer_error *err)
{
    proffer *p = NULL;
    char *json = NULL;
    result r;
    proffer_status s = proffer_open(&p, in->workspace, err);
    if (s == PROFFER_OK) s = verb(p, in, &json, err);
    if (s == PROFFER_OK) s = show_open(&r, json, err);
    if (s == PROFFER_OK) {
        s = show(in, &r, err);
        show_close(&r);
    }
    proffer_close(p);
    return s;
}

proffer_status run_and_judge(const invocation *in, workspace_verb *verb,
                             workspace_show *show, workspace_judge *judge,
                             proffer_error *err)
{
    proffer *p = NULL;
    char *json = NULL;
    proffer_status s = proffer_open(&p, in->workspace, err);
    if (s == PROFFER_OK) s = verb(p, in, &json, err);
    if (s == PROFFER_OK && json != NULL) s = present(in, json, show, judge, err);
    proffer_close(p);
    return s;
}
