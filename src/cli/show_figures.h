/*
 * Measured figures on a terminal.
 */
#ifndef PROFFER_CLI_SHOW_FIGURES_H
#define PROFFER_CLI_SHOW_FIGURES_H

#include "cli/show.h"

/* The workspace's evaluation: response, choice, products, each beside its baselines. */
void show_evaluation(result *r, const json_value *evaluation);
/* One line a model of a whole-catalogue evaluation. */
void show_model_table(result *r, const json_value *models, int k);
/* Policies side by side: a sentence each, then their figures. */
void show_policy_table(result *r, const json_value *compared);
/* An array of objects as one JSON object a line. */
void show_json_lines(const json_value *array);

#endif
