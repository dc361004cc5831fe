/* The page, its script and the chart library, built in by cmake/Embed.cmake. */
#ifndef PROFFER_EVALUATE_REPORT_ASSETS_H
#define PROFFER_EVALUATE_REPORT_ASSETS_H

#include <stddef.h>

extern const unsigned char report_template[], report_script[], report_experiment[],
    report_chart[];
extern const size_t report_template_size, report_script_size, report_experiment_size,
    report_chart_size;

#endif
