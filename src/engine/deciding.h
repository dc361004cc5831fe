/*
 * One run of deciding, from a moment and its live promotions to outcomes with words. The
 * verbs decide, explain and message are views of it.
 */
#ifndef PROFFER_ENGINE_DECIDING_H
#define PROFFER_ENGINE_DECIDING_H

#include "decide/decide.h"
#include "engine/learned.h"
#include "features/profile.h"
#include "message/message.h"

typedef struct deciding {
    proffer *p;
    learned learned;
    policy policy;
    int64_t at_us;
    uint32_t campaign;        /* 0 = all live promotions */
    uint32_t *promotions;     /* candidates, by campaign and number */
    size_t n_promotions;
    decide_score *scores;
    size_t n_scores;
    profile *profiles;        /* [shoppers + 1], as of at_us */
    frame_set *frames;
    const char **sensitive;   /* the words of the writer's list */
    message_writer *writer;
    decide_result *result;
    char attribute[256];      /* of the audience lookup */
} deciding;

/* Chooses the candidates: the promotions of the campaign called `which` (NULL: all that
 * are live). when: ISO 8601, or NULL: the campaign's start, else the time after the last
 * event. */
pf_status deciding_open(deciding *d, proffer *p, const char *which, const char *when,
                        pf_error *err);
/* Scores, profiles, and the decision itself. budget_minor: MONEY_ABSENT = the policy's. */
pf_status deciding_run(deciding *d, int64_t budget_minor, pf_error *err);
void deciding_close(deciding *d);

/* The words of an outcome, in the shopper's language or in a given one; into the arena. */
pf_status deciding_message(const deciding *d, const decide_outcome *o, arena *memory,
                           const char **words, pf_error *err);
pf_status deciding_message_in(const deciding *d, const decide_outcome *o,
                              message_language language, arena *memory, const char **words,
                              pf_error *err);
/* Why, in English. */
void deciding_explain(const deciding *d, const reason_facts *why, buffer *into);

/* The policy that proffer.yaml describes. */
pf_status policy_from_config(const proffer *p, policy *out, pf_error *err);
/* The built-in sensitive words and the shop's own, as a list over *words, which the caller
 * frees with mem_free. */
pf_status sensitive_from_config(const proffer *p, const char ***words, sensitive_list *out,
                                pf_error *err);
/* The shop's frames: built in, and its own over them. */
pf_status frames_from_config(const proffer *p, frame_set **out, pf_error *err);

#endif
