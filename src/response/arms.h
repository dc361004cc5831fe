/*
 * Answer rates of arms by segments while a campaign runs: counts, their Beta posterior, and when
 * to publish it anew. For what has no features worth a model: a few offers, a few kinds of
 * shoppers.
 *
 * The rate of arm a in segment s has the prior Beta(κ m_a, κ (1 - m_a)), with m_a the arm's rate
 * over all segments, itself shrunk to the rate of all arms in the same way (Casella, "An
 * introduction to empirical Bayes", The American Statistician 39, 1985; Beta and binomial:
 * Gelman et al., "Bayesian data analysis", 3rd edition, sections 2.4 and 5.3). A cell of few
 * trials therefore reads like its arm, an arm of few trials like all arms. κ, in trials, is given
 * or comes from the counts: of a ladder 1, 2, 4 .. 4096, under a density that falls as κ^(-3/2)
 * (their equation 5.9), every draw takes one at random. Where segments are known to differ, give a
 * small one: with few cells the counts cannot tell, and a strong κ hides for long what differs.
 *
 *     arms a;
 *     status = arms_new(&a, n_arms, n_segments, err);
 *     a.publish_every = 1000;
 *     status = arms_add(&a, arm, segment, 1, clicked, err);     // a decision's outcome is known
 *     if (arms_due(&a)) status = arms_draw(&a, 0, &published, err);   // [D x segments x arms]
 *     arms_free(&a);
 *
 * Counts are whole numbers, so what is drawn does not depend on the order in which outcomes
 * came. One thread at a time; published draws are read by all.
 */
#ifndef PROFFER_RESPONSE_ARMS_H
#define PROFFER_RESPONSE_ARMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "response/draws.h"

enum { ARMS_MAX_CELLS = 1 << 20, ARMS_PUBLISH_EVERY = 1000 };
#define ARMS_MAX_TRIALS (UINT64_C(1) << 52)

typedef struct arms {
    size_t arms, segments;
    uint64_t *trials, *answers; /* [segments x arms]; read them, change them by arms_add */
    uint64_t publish_every;     /* trials; may be set, 1 or more */
    uint64_t since;             /* trials since the last arms_draw */
} arms;

/* PF_USAGE: no arm or no segment; PF_LIMIT: more than ARMS_MAX_CELLS; PF_NO_MEMORY. On failure
 * *a is empty. publish_every is ARMS_PUBLISH_EVERY. */
pf_status arms_new(arms *a, size_t n_arms, size_t n_segments, pf_error *err);
/* NULL and empty are fine. */
void arms_free(arms *a);

/* PF_DATA, with nothing counted: no such arm or segment, more answers than trials, a count beyond
 * ARMS_MAX_TRIALS. */
pf_status arms_add(arms *a, size_t arm, size_t segment, uint64_t trials, uint64_t answers,
                   pf_error *err);
/* Whether publish_every trials came since the last publication. */
bool arms_due(const arms *a);

/* The likeliest κ. */
double arms_strength(const arms *a);
/* Beta posterior of one cell, both above 0; strength 0: arms_strength. */
typedef struct arms_beta {
    double answers, others; /* the shapes α and β; the mean is α / (α + β) */
} arms_beta;
arms_beta arms_posterior(const arms *a, size_t arm, size_t segment, double strength);

/* Fills d [D x segments x arms] with rates and begins to count anew towards the next publication.
 * PF_USAGE: another width, a strength below 0 or not finite. */
pf_status arms_draw(arms *a, double strength, draws *d, pf_error *err);

#endif
