/*
 * Models compared on interactions by what each shopper took last: `proffer evaluate
 * --sequences` on a file, `proffer evaluate --models` on a workspace's purchases.
 *
 *     comparison_options o = comparison_options_default();
 *     o.models = "counts,text,blend";
 *     comparison_report report = {.context = out, .result = print, .absent = complain};
 *     compare_on_file(set, texts, &o, &report, err);
 *
 * Names of models are those of recommender_kind_at(), and of groups: counts = popularity
 * and transitions, text = words, kin and meaning, all = every one. A blend combines the
 * models listed beside it; alone, every one that the data allow. With copies it trains more of each
 * kind that is trained, with other seeds, and takes their mean; the line of the kind itself
 * stays that of one.
 *
 * With several seeds, kinds that are trained from random values are fitted with each (seed,
 * seed + 1, ...), the others once; figures are means, with their standard error over seeds.
 */
#ifndef PROFFER_EVALUATE_COMPARISON_H
#define PROFFER_EVALUATE_COMPARISON_H

#include "base/pool.h"
#include "base/progress.h"
#include "base/status.h"
#include "evaluate/leave_one_out.h"
#include "intake/sequence_file.h"
#include "language/encoder.h"
#include "language/vectors.h"

typedef enum comparison_protocol { COMPARE_LEAVE_ONE_OUT, COMPARE_BY_TIME } comparison_protocol;

typedef struct comparison_options {
    const char *models; /* separated by commas */
    comparison_protocol protocol;
    unsigned k;
    loo_repeats repeats;
    uint64_t seed;
    unsigned seeds;  /* at least 1 */
    unsigned copies; /* of each trained member in the blend, 1 to RECOMMEND_MAX_COPIES */
    pool *threads;  /* or NULL */
    const recommend_training *training; /* or NULL */
    encoder *encoder;          /* or NULL: "meaning" is absent */
    const vector_cache *cache; /* or NULL */
    progress *shown;           /* of encoding; or NULL */
} comparison_options;

/* "popularity,item-knn,transitions,blend", leave-one-out, k 10, repeats as the data ask, one
 * seed, 1, one copy. */
comparison_options comparison_options_default(void);
enum { COMPARISON_MAX_SEEDS = 64 };

typedef struct comparison_report {
    void *context;
    /* A model is about to be fitted, for the seed-th time of `seeds`; or NULL. */
    void (*begin)(void *context, const char *model, unsigned seed, unsigned seeds);
    /* Called once a model: those that are not trained as they come, then the others in the
     * order asked for, the blend last. A status other than PF_OK ends it. */
    pf_status (*result)(void *context, const loo_result *result, const recommender *model,
                        pf_error *err);
    /* A model that these data or this set-up do not allow; why->message says what is
     * missing. NULL: that is an error which ends the comparison. */
    void (*absent)(void *context, const char *model, const pf_error *why);
} comparison_report;

/* side may be NULL. PF_USAGE for a name that is none, with what was meant; otherwise as
 * loo_split_new, loo_fit and loo_measure. */
pf_status compare_models(const interactions *all, const product_side *side,
                         const comparison_options *options,
                         const comparison_report *report, pf_error *err);
/* texts may be NULL. Also as item_side_new. */
pf_status compare_on_file(const sequence_set *set, const item_texts *texts,
                          const comparison_options *options,
                          const comparison_report *report, pf_error *err);

#endif
