/*
 * The report: one self-contained HTML file, made of what was measured and decided. The
 * page is a template in assets/; this room puts the figures (JSON) and the chart library
 * into it. The page draws itself in the browser and needs no network.
 *
 *     buffer html; buffer_init(&html, LIMIT_REPORT_BYTES);
 *     report_render(&inputs, &html, err);
 */
#ifndef PROFFER_EVALUATE_REPORT_H
#define PROFFER_EVALUATE_REPORT_H

#include "base/buffer.h"
#include "base/status.h"
#include "base/text.h"

/* Documents as JSON texts, borrowed; empty where there is none yet. */
typedef struct report_inputs {
    text workspace;      /* what proffer_describe tells */
    text evaluation;     /* what proffer_evaluate tells */
    text decided;        /* what proffer_decide tells */
    text policies;       /* what proffer_evaluate_policies tells */
    text experiment;     /* what proffer_experiment tells of a measurement */
    const char *made_at; /* ISO 8601 */
} report_inputs;

/* PF_NOT_FOUND when there is nothing to report; PF_LIMIT when it passes the buffer. */
pf_status report_render(const report_inputs *in, buffer *out, pf_error *err);

#endif
