/*
 * A shopper's past cut into what may be left out of it, and the past without one of these. Private
 * to moved.c.
 *
 *     moved_past p;
 *     moved_past_new(&p, &query, role, V, MOVED_TRIPS, 64, err);
 *     moved_copy c;
 *     moved_copy_new(&c, &p, err);               // one a thread
 *     moved_copy_without(&c, &p, part);          // c.query: the past without p.part[part]
 *
 * Rows are the events of the story where there is one, else the purchases.
 */
#ifndef PROFFER_RECOMMEND_MOVED_PAST_H
#define PROFFER_RECOMMEND_MOVED_PAST_H

#include "recommend/moved.h"

typedef struct moved_part {
    uint32_t visit; /* a purchase of its shopping trip; UINT32_MAX: no trip */
    uint32_t newest; /* row */
    uint32_t thing, rows;
    uint8_t kind;
    int64_t time_us;
} moved_part;

typedef struct moved_past {
    const recommend_query *query;
    bool told; /* rows are events of the story */
    size_t n;  /* rows */
    uint32_t *of;    /* [n] part, or UINT32_MAX: too old to be one */
    uint32_t *taken; /* [n] place of a row among the purchases, or UINT32_MAX */
    uint32_t *visit; /* [n] the purchase in whose trip a row stands, or UINT32_MAX */
    size_t n_parts;
    moved_part part[MOVED_MOST_EVENTS];
} moved_past;

/* What a product is to the question. */
enum { MOVED_OTHER, MOVED_WANTED, MOVED_OUT };

/* At most `most` parts: the newest of those with something wanted (role [n_products]), then the
 * newest of all else. Query and role are borrowed. PF_USAGE when the story tells other purchases
 * than the query, PF_LIMIT, PF_NO_MEMORY; *p is then empty. */
pf_status moved_past_new(moved_past *p, const recommend_query *query, const uint8_t *role,
                         size_t n_products, moved_together together, size_t most, pf_error *err);
void moved_past_free(moved_past *p);

/* Room for a past less some of it. */
typedef struct moved_copy {
    recommend_query query; /* points at the arrays below */
    uint32_t *product, *thing;
    int64_t *time_us, *told_us;
    float *quantity, *rating;
    uint64_t *basket;
    uint8_t *kind, *band;
} moved_copy;

/* PF_NO_MEMORY; *c is then empty. */
pf_status moved_copy_new(moved_copy *c, const moved_past *p, pf_error *err);
void moved_copy_free(moved_copy *c);
void moved_copy_without(moved_copy *c, const moved_past *p, uint32_t part);

#endif
