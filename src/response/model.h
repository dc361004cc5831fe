/*
 * A fitted response model: the raw learners and the verdict on them. Private to this room.
 */
#ifndef PROFFER_RESPONSE_MODEL_H
#define PROFFER_RESPONSE_MODEL_H

#include "response/correction.h"

struct response_model {
    learners l;
    verdict v;
    correction c;
    int64_t until_us;
};

/* PF_USAGE where one of the two has an outlook and the other has none. */
pf_status model_fits(const response_model *m, const response_data *d, pf_error *err);
/* Whether promotions and shoppers are there, and promotions compete: errors of response_score. */
pf_status model_check_ask(const response_data *d, const response_ask *ask, pf_error *err);
/* any [S] of rows by the learner that was chosen. */
pf_status model_any(const response_model *m, const data_rows *rows, float *any, pf_error *err);

#endif
