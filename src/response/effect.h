/*
 * What sending a promotion changes, learnt from a shop's own past: the spend in the promotion's
 * scope that would not have come without it, in minor units, from the moment of sending to the
 * promotion's end, EFFECT_WINDOW_DAYS later at most. A response model says who redeems; many of
 * those would have bought anyway, and to them a promotion is a gift.
 *
 * From where it is known, the model always says:
 *
 *   by lot          somebody drew who was sent what: decisions of a log with their propensities,
 *                   or campaigns whose exposures all carry one and the same propensity
 *   by observation  past campaigns as they were mailed, with those who were not sent them beside.
 *                   Nothing was randomised: a hint, until a holdout tells
 *
 * The measure under both is a doubly robust one, cross-fitted by shopper (response/
 * effect_measure.h). Of it learn, from simple to complex:
 *
 *   share           lift = share x p_redeem x spend of the response model; the share of what is
 *                   redeemed that is added, one for each kind of promotion, those of few rows
 *                   drawn to the one of all
 *   s-lines, dr-lines, dr-mixed    response/uplift_model.h's, on EFFECT_FEATURES features of
 *                   shopper, promotion and channel
 *
 * Inner folds choose by the money that sending to those with a worthwhile lift brings; the
 * simplest within one standard error of the best wins, and where rows are few, `share`.
 *
 *     effect_options o = effect_options_default();
 *     effect_model *m;
 *     status = effect_fit(&m, data, until_us, &o, err);
 *     effect_ask ask = {.response = response_ask, .channel = CHANNEL_MAIL,
 *                       .p_redeem = scores.p, .spend_minor = scores.spend};
 *     status = effect_score(m, data, &ask, lift, err);                      // lift [S x P]
 *     status = draws_new(&d, 64, effect_scales(m), seed, publication, err);
 *     status = effect_draws(m, &d, err);
 *     // gain under draw i of what is chosen: the sum of
 *     //     margin x lift x d.value[i * effect_scales(m) + effect_scale_of(m, data, promotion)]
 *     effect_free(m);
 *
 * Nothing at or after until_us is read. A fitted model is immutable; one with trees belongs to
 * one thread at a time. The same seed gives the same model on any number of threads.
 */
#ifndef PROFFER_RESPONSE_EFFECT_H
#define PROFFER_RESPONSE_EFFECT_H

#include "response/draws.h"
#include "response/response.h"
#include "response/uplift_model.h"

enum {
    EFFECT_WINDOW_DAYS = 28,
    EFFECT_ACTIVE_DAYS = 182,  /* who did nothing for so long is compared with nobody */
    EFFECT_LATE_DAYS = 3,      /* shown so long after a campaign's start: not compared either,
                                  because to be there to be shown it is a sign by itself */
    EFFECT_MOST_ROWS = 40000,  /* learnt from; more are sampled */
    EFFECT_MOST_MOMENTS = 96,  /* campaigns, or days x campaigns of a log, the newest */
    EFFECT_MOST_KINDS = 64,    /* of more, the last and all beyond are one together */
    EFFECT_FEW_ROWS = 100,     /* by lot at least so many sent and so many not, else by
                                  observation */
    EFFECT_LEAST_ROWS = 20,    /* of each side, or it is refused */
    EFFECT_KIND_BYTES = 64
};
/* Rows whose chance of being sent is estimated outside [this, 1 - this] are left out. */
#define EFFECT_OVERLAP 0.02

typedef enum effect_basis { EFFECT_EITHER, EFFECT_BY_LOT, EFFECT_BY_OBSERVATION } effect_basis;
/* "by_lot", ...; and a sentence for people. Static. */
const char *effect_basis_name(effect_basis basis);
const char *effect_basis_words(effect_basis basis);

/* --- decisions of a log ------------------------------------------------------------- */

/* What could have been done, and how likely that was. */
typedef struct effect_option {
    uint32_t promotion;
    channel channel;
    double propensity; /* in [0, 1], all lots included: that of the holdout too */
} effect_option;

/* One decision about a shopper. A shopper in the holdout was decided about as well: promotion 0,
 * with the candidates and the chances that anybody alike had before the lot was drawn. Where
 * several promotions may go out at one moment, there is one entry for each, with the chance that
 * it is among them. */
typedef struct effect_logged {
    uint32_t shopper;
    uint32_t promotion; /* sent; 0: nothing */
    channel channel;    /* NONE where nothing was */
    int64_t time_us;
    double propensity_none; /* of nothing, in [0, 1] */
    bool holdout;           /* then promotion is 0 */
    const effect_option *candidate; /* [n_candidates], what was sent among them */
    size_t n_candidates;
} effect_logged;

/* --- fitting ------------------------------------------------------------------------ */

typedef struct effect_options {
    effect_basis basis;       /* EITHER: by lot where lots were drawn often enough */
    const effect_logged *log; /* [n_log], in any order; borrowed for the call */
    size_t n_log;
    /* For the choice of a learner: what a minor unit of spend brings, a contact costs, and a
     * redemption gives away where the promotion does not say. */
    double margin, contact_minor, unknown_discount_minor;
    /* What is believed of the share before the data: normal, not below 0. An assumption; INFINITY
     * as the deviation is none at all, and needs data that tell. */
    double prior_mean, prior_deviation;
    size_t most_rows; /* 1000 .. EFFECT_MOST_ROWS */
    uint64_t seed;
} effect_options;
/* Either basis, no log, margin 1, no costs; half of what is redeemed was added, give or take a
 * half; EFFECT_MOST_ROWS rows, seed 1. */
effect_options effect_options_default(void);

typedef struct effect_model effect_model;

/* PF_DATA in words: nothing was sent, everybody was sent it, all outcomes are equal, nobody
 * redeemed anything, too few rows, no two shoppers alike of whom one was not sent it; a log that
 * contradicts itself, with its entry; no lot where BY_LOT is asked for. PF_USAGE for options,
 * PF_LIMIT, PF_NO_MEMORY. *out is then NULL. */
pf_status effect_fit(effect_model **out, const response_data *d, int64_t until_us,
                     const effect_options *o, pf_error *err);
/* NULL is fine. */
void effect_free(effect_model *m);

/* --- asking ------------------------------------------------------------------------- */

typedef struct effect_ask {
    response_ask response; /* one campaign's promotions x shoppers at a moment */
    channel channel;       /* NONE: not known yet */
    const float *p_redeem; /* [S x P] in [0, 1], of response_score */
    const float *spend_minor; /* [S x P] >= 0 */
} effect_ask;
/* lift [S x P] in minor units, below 0 where a learner other than `share` says so. A lift learnt
 * from whole campaigns is parted among the promotions asked about as p_redeem x spend is.
 * PF_USAGE as response_score; PF_DATA for a chance or a spend that is none. */
pf_status effect_score(const effect_model *m, const response_data *d, const effect_ask *ask,
                       float *lift, pf_error *err);

/* The mean over those who could as well have been sent it as not, raw: no prior, no shrinking. */
typedef struct effect_total {
    double value, standard_error, low, high; /* minor units a message; 95 %, by shopper */
    size_t rows, sent, shoppers;
} effect_total;
effect_total effect_total_of(const effect_model *m);
effect_basis effect_basis_of(const effect_model *m);
/* "share", "s-lines", ...; static. */
const char *effect_learner(const effect_model *m);

/* The lift of all promotions of one kind may be too large or too small together: by how much, the
 * posterior says. One scale a kind, the last of kinds never seen. */
size_t effect_scales(const effect_model *m);
/* Which one is a promotion's. */
size_t effect_scale_of(const effect_model *m, const response_data *d, uint32_t promotion);
/* Its kind: a campaign's own word, or a promotion's kind; EFFECT_OTHER_KINDS of those beyond
 * EFFECT_MOST_KINDS, and of any that is not known where there are so many; "" of the last. */
#define EFFECT_OTHER_KINDS "all other kinds"
const char *effect_scale_name(const effect_model *m, size_t scale);

typedef struct effect_share {
    double raw, raw_error; /* measured, error by shopper; NaN where it was not */
    double value;          /* believed: posterior mean, not below 0; what lifts are made with */
    double low, high;      /* 95 % of the posterior */
    size_t rows, sent;
} effect_share;
/* Of `share` the share of what is redeemed that is added; of the others a factor of their lift.
 * scale = effect_scales(m): of all kinds together. */
effect_share effect_share_of(const effect_model *m, size_t scale);

/* Fills d [D x effect_scales] with factors of the lift, mean 1 over the posterior, none below 0.
 * PF_USAGE: another width. */
pf_status effect_draws(const effect_model *m, draws *d, pf_error *err);

/* Basis, rows, total, shares, learner and what each candidate reached: a JSON object. */
struct json_writer;
void effect_describe(const effect_model *m, struct json_writer *w);

/* --- files -------------------------------------------------------------------------- */

/* A safetensors file, written atomically. Loading believes nothing. */
pf_status effect_save(const effect_model *m, const char *path, pf_error *err);
pf_status effect_load(const char *path, effect_model **out, pf_error *err);
/* From an open file (fuzzing). */
pf_status effect_read(const safetensors *file, effect_model **out, pf_error *err);

#endif
