/*
 * One run of deciding, from a moment and its live promotions to outcomes with words. The
 * verb decide is a view of it.
 */
#ifndef PROFFER_ENGINE_DECIDING_H
#define PROFFER_ENGINE_DECIDING_H

#include "decide/decide.h"
#include "engine/foreseen.h"
#include "engine/learned.h"
#include "engine/speaking.h"

typedef struct deciding {
    proffer *p;
    learned learned;
    policy policy;
    int64_t at_us;
    uint32_t campaign;    /* 0 = all live promotions */
    uint32_t *promotions; /* candidates, by campaign and number */
    size_t n_promotions;
    decide_score *scores;
    size_t n_scores;
    profile *profiles; /* [shoppers + 1], as of at_us */
    foreseen foreseen;
    speaker speaker;
    decide_result *result;
    char attribute[256]; /* of the audience lookup */
} deciding;

/* Chooses the candidates: the promotions of the campaign called `which` (NULL: all that
 * are live). when: ISO 8601, or NULL: the campaign's start, else the time after the last
 * event. */
pf_status deciding_open(deciding *d, proffer *p, const char *which, const char *when,
                        pf_error *err);
/* Scores, profiles, and the decision itself. budget_minor: MONEY_ABSENT = the policy's. */
pf_status deciding_run(deciding *d, int64_t budget_minor, pf_error *err);
void deciding_close(deciding *d);

/* The words of a chosen outcome, into the arena. */
pf_status deciding_words(const deciding *d, const decide_outcome *o, arena *memory,
                         const char **words, pf_error *err);
/* One JSON object: docs/cli.md, decide. */
void deciding_summarise(const deciding *d, const char *run, bool dry_run, verb_result *r);

/* The policy that proffer.yaml describes. */
pf_status policy_from_config(const proffer *p, policy *out, pf_error *err);

#endif
