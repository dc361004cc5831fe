/*
 * What a model publishes of its posterior: D draws of W numbers each (weights of a logistic
 * model, click rates of arms by segments), so that a decision may take one at random and knows
 * its chances exactly (decide/explore.h).
 *
 *     draws d;
 *     status = draws_new(&d, 64, W, seed, publication, err);   // zeros, for a posterior to fill
 *     status = posterior_draw(&fitted, &d, err);
 *     status = draws_save(&d, path, err);
 *     draws_free(&d);
 *
 * Numbers are a function of what was fitted, the seed and the publication's number, to the bit.
 * Every publication must have a number of its own: with the same one, a draw that was lucky for
 * an arm stays lucky for it.
 *
 * The struct owns its numbers. Once filled it is read by any thread.
 */
#ifndef PROFFER_RESPONSE_DRAWS_H
#define PROFFER_RESPONSE_DRAWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "base/status.h"
#include "tensor/safetensors.h"

enum { DRAWS_DEFAULT = 64, DRAWS_MAX = 4096, DRAWS_MAX_NUMBERS = 1 << 26 };

typedef struct draws {
    size_t draws, width;        /* D: a power of two; W */
    uint64_t seed, publication; /* which numbers these are */
    double *value;              /* [D x W] finite */
} draws;

/* PF_USAGE: D is no power of two up to DRAWS_MAX, or W is 0; PF_LIMIT: more than
 * DRAWS_MAX_NUMBERS; PF_NO_MEMORY. On failure *d is empty. */
pf_status draws_new(draws *d, size_t n, size_t width, uint64_t seed, uint64_t publication,
                    pf_error *err);
/* NULL and empty are fine; leaves it empty. */
void draws_free(draws *d);

/* The random numbers of draw i for thing w. Each pair has a stream of its own, so what happens to
 * one thing changes no number of another. i < DRAWS_MAX, w < 2^32. */
random_stream draws_stream(const draws *d, size_t i, size_t w);

/* As a safetensors file of kind "posterior draws". */
pf_status draws_save(const draws *d, const char *path, pf_error *err);
/* width 0: any. PF_DATA with file and reason: another kind of file, another width, draws that are
 * no power of two, a number that is not finite, no seed; PF_NOT_FOUND, PF_IO, PF_NO_MEMORY. On
 * failure *d is empty. */
pf_status draws_load(draws *d, const char *path, size_t width, pf_error *err);
/* The same from a file that is open. */
pf_status draws_take(draws *d, const safetensors *file, size_t width, pf_error *err);

#endif
