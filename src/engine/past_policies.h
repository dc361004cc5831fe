/*
 * Policies on past campaigns, where nothing was randomised (evaluate/policies_past.h): whom the
 * response model and the effect model, both fitted on what came before the test period, would
 * have sent the campaigns of the test period, beside everybody, nobody and chance.
 */
#ifndef PROFFER_ENGINE_PAST_POLICIES_H
#define PROFFER_ENGINE_PAST_POLICIES_H

#include "engine/deciding.h"
#include "evaluate/policies_past.h"

/* *out is freed with policies_result_free. Errors as policies_past_compare, and PF_DATA where no
 * model can be fitted. */
pf_status past_policies_compare(proffer *p, const policy *how, const policies_options *o,
                                const char *since, policies_result *out, pf_error *err);

#endif
