/*
 * What single promotions and kinds of them did against what was expected of them, and what that
 * says of the next. A chance foretold is multiplied by two factors:
 *
 *     kind        campaigns of a kind bring more or less than foretold. Each campaign has a fortune
 *                 of its own, of shape a (likeliest by the past), so one campaign, however large,
 *                 is worth at most a answers; the kind's mean is shrunk to the mean of all kinds,
 *                 that one to 1. Nothing is corrected before FACTORS_ENOUGH answers are known.
 *     promotion   k answers where E were expected (the kind's factor in it) make the factor
 *                 Gamma(nu + k, nu + E), nu the likeliest for how past promotions differed. One
 *                 that few saw reads like its kind, a new one has mean 1 and variance 1 / nu, one
 *                 with much evidence its own record.
 *
 * Out of time only: what is expected of a promotion must have been foretold without its answers.
 * Chances of one campaign tell little of the next, so a Platt map a kind would take one campaign's
 * fortune for the kind's: tried on the earlier campaigns of a grocer's year it made the log-loss of
 * pairs .01133 where it was .01121, this leaves it there.
 *
 *     factors f;
 *     status = factors_fit(&f, cells, n, names, n_kinds, err);
 *     double times = factors_mean(&f, factors_kind_of(&f, "money_off in A"), key);
 *     status = factors_draws(&f, 64, seed, publication, &published, err);  // [64 x (P + 1)]
 *     factors_free(&f);
 *
 * What promotions that are still running brought by now is added by factors_watch(); kinds and
 * shapes stay as fitted.
 *
 * The draws are of promotions' factors: a row's chance under draw i is p x factor, at most 1; the
 * last column is a promotion never seen. Draws of promotions are independent, also where they
 * would share a campaign's fortune.
 *
 * Read by any thread; fitted and added to by one.
 */
#ifndef PROFFER_RESPONSE_FACTORS_H
#define PROFFER_RESPONSE_FACTORS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "response/draws.h"
#include "response/gamma_poisson.h"
#include "tensor/safetensors.h"

enum { FACTORS_ENOUGH = 200, FACTORS_NAME_BYTES = 64 };

/* Rows of one promotion in one group of promotions shown together, summed. */
typedef struct factors_cell {
    uint64_t promotion; /* any key, the same for the same promotion */
    uint32_t group;     /* any number */
    uint32_t kind;      /* < n_kinds */
    double expected;    /* sum of the chances foretold, finite, >= 0 */
    uint64_t answers;
} factors_cell;

/* Of the past, and what is believed of the kind's mean; plain numbers as they stand in files. */
typedef struct factors_kind {
    double expected, answers, groups;
    gamma_belief belief; /* not used before there are enough answers */
} factors_kind;

typedef struct factors_shape {
    double group;   /* a */
    double overall; /* mean factor of all kinds; 1 before there are enough answers */
    double nu;
} factors_shape;

typedef struct factors {
    factors_shape shape;
    bool enough; /* FACTORS_ENOUGH answers were known: kinds are corrected */
    size_t n_kinds, n_arms;
    factors_kind *kind;                    /* [n_kinds] */
    char (*kind_name)[FACTORS_NAME_BYTES]; /* [n_kinds] shortened where longer */
    uint64_t *arm_key;                     /* [n_arms] rising */
    gamma_count *arm;                      /* [n_arms] the kind's factor in what was expected */
} factors;

/* PF_DATA with the cell's place: no such kind, an expectation that is not finite or below 0;
 * PF_LIMIT: too many cells or kinds; PF_NO_MEMORY. No cell is fine: all factors have mean 1 then.
 * On failure *f is empty. */
pf_status factors_fit(factors *f, const factors_cell *cell, size_t n,
                      const char *const *kind_name, size_t n_kinds, pf_error *err);
/* Adds to what promotions brought: known ones' counts grow, others are new. Errors as of
 * factors_fit(), kinds being those of the fit; on failure *f is as before. */
pf_status factors_watch(factors *f, const factors_cell *cell, size_t n, pf_error *err);
/* NULL and empty are fine; leaves it empty. */
void factors_free(factors *f);

/* The kind's place; n_kinds where it is not known. */
size_t factors_kind_of(const factors *f, const char *name);
/* The mean factor of a kind; that of all kinds for one not known. */
double factors_kind_mean(const factors *f, size_t kind);
/* A promotion's own factor beside its kind's; Gamma(nu, nu) for one not known. */
gamma_belief factors_own(const factors *f, uint64_t key);
/* Both: what a chance is multiplied with. */
double factors_mean(const factors *f, size_t kind, uint64_t key);

/* [D x (n_arms + 1)]: promotions' own factors as f->arm_key, then a new one's. Errors as
 * draws_new. On failure *d is empty. */
pf_status factors_draws(const factors *f, size_t D, uint64_t seed, uint64_t publication,
                        draws *d, pf_error *err);
/* One draw of a factor. */
double factors_draw(gamma_belief own, random_stream *r);

struct json_writer;
/* An object: shapes, and every kind with what it did. */
void factors_describe(const factors *f, struct json_writer *w);

/* Into a file that is being written; the numbers are borrowed until commit. */
pf_status factors_add(const factors *f, safetensors_writer *w, pf_error *err);
/* Believes nothing: PF_DATA. On failure *f is empty. */
pf_status factors_take(factors *f, const safetensors *file, pf_error *err);

#endif
