/*
 * The commands by name, one a file; commands.c puts them in the order of the help.
 */
#ifndef PROFFER_CLI_COMMANDS_H
#define PROFFER_CLI_COMMANDS_H

#include "cli/command.h"

extern const command command_init, command_import, command_validate, command_embed,
    command_search, command_train, command_evaluate, command_decide, command_explain,
    command_profile, command_recommend, command_message, command_report, command_export,
    command_forget, command_doctor, command_demo, command_completion, command_experiment;

/* Opens the workspace of the invocation, runs verb on it, hands its JSON to show (or
 * prints it as it is with --json), closes. The shape of nearly every command. */
typedef proffer_status workspace_verb(proffer *p, const invocation *in, char **json,
                                      proffer_error *err);
struct result;
typedef proffer_status workspace_show(const invocation *in, struct result *r,
                                      proffer_error *err);
proffer_status run_in_workspace(const invocation *in, workspace_verb *verb,
                                workspace_show *show, proffer_error *err);
/* The same when show itself prints the form that --json asks for. */
proffer_status run_and_show(const invocation *in, workspace_verb *verb,
                            workspace_show *show, proffer_error *err);
/* The same for commands that look for faults: after showing, also with --json, judge says
 * whether there were any, and its status is the command's. */
typedef proffer_status workspace_judge(struct result *r, proffer_error *err);
proffer_status run_and_judge(const invocation *in, workspace_verb *verb,
                             workspace_show *show, workspace_judge *judge,
                             proffer_error *err);

#endif
