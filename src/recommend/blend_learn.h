/*
 * Learning the weights of a blend: of every shopper some candidates, the product he took
 * first among them, each with the scores of all members (blend_member.h); the weights that put
 * the product highest (mean NDCG@10) by coordinate ascent.
 *
 * The recipe: of each member the best 50 products of a shopper are candidates; a member's
 * scores are divided by their standard deviation over all candidates of all shoppers, so that
 * few high scores and many low ones meet on one grid; the member that is best alone starts with
 * weight 1, the others with 0; then one weight after the other takes the best value of a grid,
 * until a round changes nothing (at most four). Candidates of that kind leave out what no member
 * alone puts high and the blend does (with much weight on popularity: whatever sells), so
 * weights look better than they are. Therefore the best 50 of the blend itself join the
 * candidates and the ascent goes on from where it stood, twice.
 * (Beauty, test: .0618 without, popularity's weight 2; a search over the whole catalogue
 * gives .0626.)
 *
 * Metzler and Croft, "Linear feature-based models for information retrieval", Information
 * Retrieval 10, 2007, section 4.2.2, with a grid for the line search. Equal values: the
 * smaller weight.
 */
#ifndef PROFFER_RECOMMEND_BLEND_LEARN_H
#define PROFFER_RECOMMEND_BLEND_LEARN_H

#include "base/pool.h"
#include "recommend/blend_member.h"

enum { BLEND_MAX_MEMBERS = 24, BLEND_TOP = 50, BLEND_CUT = 10 };

typedef struct blend_task {
    const interactions *past;    /* every shopper's events before the one to predict */
    const uint32_t *next;        /* [U] or RECOMMEND_NO_PRODUCT */
    const int64_t *next_time_us; /* [U] or NULL */
    int64_t until_us;
    bool repeats; /* else what the past holds is no candidate */
    const blend_member *member; /* [n_members] */
    size_t n_members;
    pool *threads;
} blend_task;

typedef struct blend_weights {
    double weight[BLEND_MAX_MEMBERS]; /* of the members' scores over their scale */
    double scale[BLEND_MAX_MEMBERS];  /* deviation over all candidates; 0: all scores equal */
    double alone[BLEND_MAX_MEMBERS];  /* NDCG@10 of each member by itself */
    double together;                  /* and of the blend, both on what was learnt from */
    uint32_t shoppers;                /* how many that were */
} blend_weights;

/* The same for any number of threads. PF_DATA when nobody has both a past and a next
 * product; PF_NO_MEMORY. */
pf_status blend_learn(const blend_task *task, blend_weights *out, pf_error *err);

#endif
