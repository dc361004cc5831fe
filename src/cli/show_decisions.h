/*
 * Decisions on a terminal, shared by `proffer decide` and `proffer demo`.
 */
#ifndef PROFFER_CLI_SHOW_DECISIONS_H
#define PROFFER_CLI_SHOW_DECISIONS_H

#include "cli/show.h"

/* What is sent, spent and gained; budgets with their shadow prices. */
void show_decision_summary(result *r, const json_value *decided);
/* A table of some shoppers with decision, reason and message. */
void show_decision_sample(result *r, const json_value *decided);

#endif
