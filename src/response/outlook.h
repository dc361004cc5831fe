/*
 * A shopper's outlook: what a small Transformer (sequence/), that has read the shopper's trips
 * up to a moment, expects of the next one. It gives response a picture of the shopper that no
 * count holds: the order and the rhythm of what was bought.
 *
 *     outlook *o;
 *     outlook_options how = outlook_options_default();
 *     how.until_us = moment;                     // no network learns from anything later
 *     outlook_new(&o, catalogue, history, zone, pool, &how, err);
 *     response_world world = {..., .outlook = o};
 *
 * Cross-fitted in time: there are several networks, each of which has learnt from events before
 * a cut-off only. A question as of a moment is answered by the latest network whose cut-off is
 * not after it, which reads the shopper's events before the moment. So a row that response
 * learns from is made like a row that it is asked about: by a network that had not seen what
 * came next. Cut-offs are the starts of past campaigns, as far apart as OUTLOOK_GROWTH says, and
 * until_us itself.
 *
 * Each network starts from the values of the one before it. Their states still drift, so they are
 * not compared; what is compared are chances, which mean the same in each:
 *
 *     any     expected lines in the offers' scopes a week, mean and five largest; how varied the
 *             next trip is; the log of the chance that a promotion is used next
 *     which   the log of the chance that the next line is of the promotion's scope
 *
 * Those of `any` are relative to what is usual among shoppers who bought lately, as in
 * features/response_rows.h. (Whether any of this helps is another matter: docs/experiments.md.)
 *
 * Immutable once made; the same bits for a seed whatever the number of threads.
 */
#ifndef PROFFER_RESPONSE_OUTLOOK_H
#define PROFFER_RESPONSE_OUTLOOK_H

#include <stdint.h>

#include "base/calendar.h"
#include "base/pool.h"
#include "base/status.h"
#include "features/response_rows.h"
#include "sequence/model.h"
#include "shop/catalogue.h"
#include "shop/history.h"

enum {
    OUTLOOK_ANY_FEATURES = 4,
    OUTLOOK_WHICH_FEATURES = 1,
    OUTLOOK_MOST_NETWORKS = 24,       /* later campaigns have the last of them */
    OUTLOOK_REFERENCE_SHOPPERS = 400, /* at most so many say what is usual */
    OUTLOOK_HISTORY_DAYS = 30         /* what starts earlier is not asked about */
};
/* Events before a cut-off over those before the cut-off before it, at least. */
#define OUTLOOK_GROWTH 1.4

typedef struct outlook_options {
    int64_t until_us;
    const char *settings; /* of the networks, "width=32,..." as in settings.h; NULL: by the
                             rules for trips in outlook.c */
    uint64_t seed;
} outlook_options;
/* Everything there is, seed 1. */
outlook_options outlook_options_default(void);

typedef struct outlook outlook;

/* Catalogue and history are borrowed and must outlive it; zone NULL = UTC; pool or NULL. PF_DATA
 * when nobody bought twice before the first cut-off; errors of sequence_train. *out is then
 * NULL. */
pf_status outlook_new(outlook **out, const shop_catalogue *c, const shop_history *h,
                      const zone *z, pool *threads, const outlook_options *o, pf_error *err);
/* NULL is fine. */
void outlook_free(outlook *o);

/* How many networks there are; cut-off (rising) and network of each, owned by the outlook. */
size_t outlook_count(const outlook *o);
int64_t outlook_cut_us(const outlook *o, size_t i);
const sequence_model *outlook_model(const outlook *o, size_t i);

/* any [S x OUTLOOK_ANY_FEATURES], which [S x P x OUTLOOK_WHICH_FEATURES] of a question; all
 * zero where no network's cut-off is that early. PF_NO_MEMORY. The rows of a shopper do not depend
 * on who else is asked about. */
pf_status outlook_rows(const outlook *o, const response_question *q, pool *threads, float *any,
                       float *which, pf_error *err);

/* Names people understand, static. */
const char *outlook_any_name(size_t feature);
const char *outlook_which_name(size_t feature);

#endif
