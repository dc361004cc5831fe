/*
 * Filling a summary (intake.h): inside the room only. Counts are kept a file; those of a
 * table are their sum.
 */
#ifndef PROFFER_INTAKE_SUMMARY_H
#define PROFFER_INTAKE_SUMMARY_H

#include "intake/plan.h"

/* Empty tables for everything in the plan. On failure s can be freed like any other. */
pf_status summary_begin(intake_summary *s, const intake_plan *plan, pf_error *err);
/* Replaces a text by a copy of words; false when memory is short. */
bool summary_set(char **text_at, const char *words);
bool summary_add_error(intake_table_summary *t, const char *words);
void summary_sum_files(intake_summary *s);

#endif
