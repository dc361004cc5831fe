/*
 * The test period of a workspace: campaigns that start in it are predicted, and policies judged by
 * them, with what was known before.
 */
#ifndef PROFFER_ENGINE_TEST_PERIOD_H
#define PROFFER_ENGINE_TEST_PERIOD_H

#include "engine/workspace.h"

/* As asked (a date, or NULL), else as configured, else the start of the campaign two thirds down
 * the list by start of those that had begun when the data end; where these are too few to tell,
 * the end of the data. Needs a snapshot. */
pf_status test_period_start(const proffer *p, const char *asked, int64_t *out, pf_error *err);

#endif
