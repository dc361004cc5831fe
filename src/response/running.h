/*
 * Promotions that are running: what those who were shown them used by now, against what could be
 * expected by now, goes into the promotions' own factors (response/factors.h), so that one that
 * brings more than foretold is known for it before it ends. Expected by now is the chance by the
 * end times the share of answers that, in campaigns of the past, had come by as much of their time.
 * Kinds learn only from what has ended. Private to this room.
 */
#ifndef PROFFER_RESPONSE_RUNNING_H
#define PROFFER_RESPONSE_RUNNING_H

#include "response/model.h"

/* Adds the groups that had started and not ended at until_us. m is fitted but for them: what it
 * foretells of them knows nothing of their answers. PF_NO_MEMORY, PF_LIMIT; m's correction is then
 * as before. */
pf_status running_add(response_model *m, const response_data *d, int64_t until_us,
                      pf_error *err);

#endif
