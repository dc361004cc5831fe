/*
 * Models compared on an interaction file by leave-one-out: `proffer evaluate --sequences`.
 *
 *     sequence_options o = sequence_options_default();
 *     o.models = "counts,text,blend";
 *     sequence_report report = {.context = out, .result = print, .absent = complain};
 *     evaluate_sequences(set, texts, &o, &report, err);
 *
 * Names of models are those of recommender_kind_at(), and of groups: counts = popularity
 * and transitions, text = words, kin and meaning, all = every one. A blend combines the
 * models listed beside it; alone, every one that the data allow.
 */
#ifndef PROFFER_EVALUATE_SEQUENCES_H
#define PROFFER_EVALUATE_SEQUENCES_H

#include "base/pool.h"
#include "base/progress.h"
#include "base/status.h"
#include "evaluate/leave_one_out.h"
#include "intake/sequence_file.h"
#include "language/encoder.h"
#include "language/vectors.h"

typedef struct sequence_options {
    const char *models; /* separated by commas */
    unsigned k;
    loo_repeats repeats;
    uint64_t seed;
    pool *threads;             /* or NULL */
    encoder *encoder;          /* or NULL: "meaning" is absent */
    const vector_cache *cache; /* or NULL */
    progress *shown;           /* of encoding; or NULL */
} sequence_options;

/* "popularity,item-knn,transitions,blend", k 10, repeats as the data ask, seed 1. */
sequence_options sequence_options_default(void);

typedef struct sequence_report {
    void *context;
    /* Called once a model, in the order asked for, the blend last. A status other than
     * PF_OK ends it. */
    pf_status (*result)(void *context, const loo_result *result, const recommender *model,
                        pf_error *err);
    /* A model that these data or this set-up do not allow; why->message says what is
     * missing. NULL: that is an error which ends the comparison. */
    void (*absent)(void *context, const char *model, const pf_error *why);
} sequence_report;

/* texts may be NULL. PF_USAGE for a name that is none, with what was meant; otherwise as
 * loo_split_new, item_side_new, loo_fit and loo_measure. */
pf_status evaluate_sequences(const sequence_set *set, const item_texts *texts,
                             const sequence_options *options,
                             const sequence_report *report, pf_error *err);

#endif
