/*
 * A naive twin of the event store: keeps every event in a list, looks for duplicates by
 * comparing everything, sorts by shopper, time and arrival. The tests import the same
 * events in any number of parts and hold the store against it.
 *
 * Events are made up from (seed, index), so nobody has to keep their texts. A kind of shop
 * says what they are like.
 */
#ifndef PROFFER_TESTS_EVENT_MODEL_H
#define PROFFER_TESTS_EVENT_MODEL_H

#include "base/intern.h"
#include "store/fixture.h"

typedef struct model_kind {
    uint64_t seed;
    uint32_t shoppers, products, promotions, campaigns;
    uint32_t times;      /* different times; few: many events share one */
    int64_t unit_us;     /* between times */
    uint32_t anonymous;  /* of 100 events */
    uint32_t without_id; /* of 100 */
    uint32_t repeats;    /* of 100: an earlier event again, sometimes changed */
    uint32_t wide_text;  /* of 1000: with kilobytes of attributes */
    bool in_order;       /* times never go back */
} model_kind;

typedef struct made_event {
    event_record r;
    char texts[8][32];
    char attributes[4096];
} made_event;

/* The index-th event. */
void model_make(const model_kind *kind, uint64_t index, made_event *e);

typedef struct model {
    const model_kind *kind;
    uint64_t n;     /* events given so far */
    uint64_t *kept; /* their indexes */
    size_t n_kept, capacity;
    uint64_t added, duplicates, conflicts;
    intern *identities; /* ids, or contents of events without one */
    uint64_t *first;    /* the index that brought an identity, by number - 1 */
    size_t first_capacity;
} model;

void model_begin(model *m, const model_kind *kind);
void model_end(model *m);
/* Gives the events from .. to - 1 to the model and imports them into the store as one
 * transaction; checks the counts and the calls of the duplicate callback against what the
 * model found. */
void model_import(model *m, fixture *f, uint64_t from, uint64_t to, size_t memory_bytes);
/* Every shopper's events, by visiting and by loading, the counts and the tallies. */
void model_check(model *m, fixture *f);

#endif
