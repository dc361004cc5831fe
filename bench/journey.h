/*
 * The grocer's year of examples/complete-journey as benchmarks see it: loaded through the
 * same import and the same mapping file as a user's, into a store in a temporary folder
 * that is gone again afterwards.
 *
 *     journey *j = journey_open("all");     // or "demo"; exits 77 without the data
 *     ... j->catalogue, j->history, j->zone, j->excluded ...
 *     journey_close(j);
 *
 * "all" are the 1,559 households of the folder completejourney below PROFFER_DATA, "demo"
 * the 600 of examples/. What cannot be read ends the program with 1.
 */
#ifndef PROFFER_BENCH_JOURNEY_H
#define PROFFER_BENCH_JOURNEY_H

#include <stdbool.h>

#include "base/calendar.h"
#include "shop/catalogue.h"
#include "shop/history.h"

typedef struct journey {
    const char *name; /* "all", "demo" */
    shop_catalogue *catalogue;
    shop_history *history;
    zone *zone;     /* of the stores: America/New_York */
    bool *excluded; /* [products + 1] departments FUEL, COUPON, MISCELLANEOUS, none */
    double load_s;  /* wall seconds of import and loading */
} journey;

journey *journey_open(const char *name);
/* NULL is fine. */
void journey_close(journey *j);

/* The first instant of a local day, "2017-12-01". */
int64_t journey_day_us(const journey *j, const char *date);

#endif
