/*
 * What a treatment changes: the effect of a promotion (or message, or price) on an outcome, for
 * each shopper, learnt from a test in which some got it and some did not. Propensity models
 * answer another question: they find those who would have bought anyway.
 *
 * Four learners stand behind one interface, on lines (logistic, least squares) or boosted trees:
 *
 *   s   one model of the outcome with treatment among its features; on lines it has a term of
 *       its own with every feature                       (Künzel et al., PNAS 116, 2019, eq. 2-3)
 *   t   one model of the outcome for each arm                               (the same, eq. 1)
 *   x   effects imputed from the other arm's model, then learnt             (the same, eq. 5-9)
 *   dr  doubly robust pseudo-outcomes, cross-fitted, then learnt: right when either outcomes or
 *       propensities are modelled well      (Kennedy, Electronic Journal of Statistics 17, 2023,
 *       algorithm 1)
 *
 * Which one, inner folds decide by what the decision needs: the order of shoppers (Qini:
 * Radcliffe 2007; Gutierrez and Gérardy, PMLR 67, 2017) or the money that treating by it brings.
 * The simplest wins unless the best is ahead of it with 95 % certainty (Student's t of the folds'
 * differences, with the corrected error of Nadeau and Bengio, Machine Learning 52, 2003): effects
 * are learnt from so much noise that a small lead is luck, and what is chosen by luck is worse
 * (docs/experiments.md). Where rows are few there is no choice but the simplest.
 *
 * Several arms may be told apart by attributes (discount, length, channel); then arms that few
 * shoppers saw borrow from those like them, and an arm that never ran can be asked about. Only s
 * and dr learn from several arms.
 *
 *     uplift_trial trial = {.n = N, .features = F, .x = x, .arm = arm, .y = y, .arms = 1,
 *                           .propensity = p, .shopper = shopper};
 *     uplift_model_options o = uplift_model_options_default();
 *     uplift_model *m;
 *     status = uplift_model_fit(&trial, &o, &m, err);
 *     status = uplift_model_score(m, &asked, NULL, 1, effect, err);      // effect [n x 1]
 *     uplift_model_free(m);
 *
 * A fitted model is immutable; those with trees belong to one thread at a time. The same seed
 * gives the same model on any number of threads.
 */
#ifndef PROFFER_RESPONSE_UPLIFT_MODEL_H
#define PROFFER_RESPONSE_UPLIFT_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "tensor/linear.h"
#include "tensor/safetensors.h"

enum { UPLIFT_MOST_ARMS = 1000, UPLIFT_MOST_CELLS = 400000000 };

/* Rows of a test. Borrowed. */
typedef struct uplift_trial {
    size_t n, features;
    const float *x;           /* [N x F] finite, of before the treatment */
    const uint32_t *arm;      /* [N] 0: nothing; 1..arms */
    const float *y;           /* [N] what came of it: 0 or 1, or an amount >= 0 */
    const double *propensity; /* [N] the chance of the arm that the row got, within (0, 1];
                                 NULL: not known, and estimated */
    const uint32_t *shopper;  /* [N] rows of one shopper stay together; NULL: one row each */
    size_t arms, attributes;  /* arms besides 0; G, 0 when there is one arm alone */
    const float *attribute;   /* [arms x G] finite, of arms 1..arms */
} uplift_trial;

/* From simple to complex. "mixed": outcomes by lines, the effect by trees. */
typedef enum uplift_kind {
    UPLIFT_S_LINES,
    UPLIFT_T_LINES,
    UPLIFT_X_LINES,
    UPLIFT_DR_LINES,
    UPLIFT_S_TREES,
    UPLIFT_T_TREES,
    UPLIFT_X_TREES,
    UPLIFT_DR_MIXED,
    UPLIFT_DR_TREES,
    UPLIFT_KINDS
} uplift_kind;
/* "s-lines", "dr-mixed", ...; static. */
const char *uplift_kind_name(uplift_kind kind);
#define UPLIFT_ONLY(kind) (UINT32_C(1) << (kind))

typedef enum uplift_outcome {
    UPLIFT_CHANCE, /* y is 0 or 1 */
    UPLIFT_AMOUNT  /* many zeros and a long tail: a chance times a size */
} uplift_outcome;

typedef enum uplift_metric {
    UPLIFT_BY_QINI, /* of the order; one arm */
    UPLIFT_BY_VALUE /* margin x outcome - cost of contacts, each row getting the arm that is
                       foretold to bring most, or nothing */
} uplift_metric;

typedef struct uplift_model_options {
    uplift_outcome outcome;
    uplift_metric metric;
    double margin, cost; /* of one unit of y and of one contact, for UPLIFT_BY_VALUE */
    uint32_t consider;   /* UPLIFT_ONLY(a) | UPLIFT_ONLY(b) ..: the choice is among these */
    int folds;           /* of the choice, 2 to UPLIFT_MOST_FOLDS */
    uint64_t seed;
    int threads;         /* of trees; 0: one a processor */
} uplift_model_options;
enum { UPLIFT_MOST_FOLDS = 20 };
/* Chance, Qini, s and dr on lines, s on trees, dr mixed; 5 folds, seed 1, one thread. On lines s
 * with its terms of treatment, t and x say nearly the same, and to choose among them is to choose
 * by noise: it lost .002 of Qini on bench/run uplift against any one of them. */
uplift_model_options uplift_model_options_default(void);

typedef struct uplift_model uplift_model;

/* PF_DATA, in words: an arm without rows, all outcomes equal, a number that is none (with row and
 * column), a propensity outside (0, 1], an outcome that its kind does not know, nothing among
 * `consider` that learnt; PF_USAGE for options; PF_LIMIT: too many arms, features or cells;
 * PF_NO_MEMORY. */
pf_status uplift_model_fit(const uplift_trial *trial, const uplift_model_options *o,
                           uplift_model **out, pf_error *err);
/* NULL is fine. */
void uplift_model_free(uplift_model *m);

/* effect [n x arms] of each arm against none, in units of y. attribute [arms x G] may be of arms
 * that never ran; NULL when G is 0, then arms is 1. PF_USAGE for other widths; PF_DATA for a
 * number that is none. */
pf_status uplift_model_score(const uplift_model *m, const feature_rows *rows,
                             const float *attribute, size_t arms, double *effect, pf_error *err);

uplift_kind uplift_model_kind(const uplift_model *m);
/* Learner, rows, arms, what each candidate reached on inner folds: a JSON object. */
struct json_writer;
void uplift_model_describe(const uplift_model *m, struct json_writer *w);

/* A safetensors file, written atomically. Loading believes nothing. */
pf_status uplift_model_save(const uplift_model *m, const char *path, pf_error *err);
pf_status uplift_model_load(const char *path, uplift_model **out, pf_error *err);
/* From an open file (fuzzing). */
pf_status uplift_model_read(const safetensors *file, uplift_model **out, pf_error *err);

/* Where nothing was randomised: the chance [N] of the arm that each row got, by logistic
 * regression of arm against all others on x, fitted without the row's fold and normalised over
 * arms, kept above UPLIFT_LEAST_PROPENSITY. y is not looked at; propensity may be NULL. */
#define UPLIFT_LEAST_PROPENSITY 0.01
pf_status uplift_propensity_estimate(const uplift_trial *t, uint64_t seed, double *propensity,
                                     pf_error *err);

#endif
