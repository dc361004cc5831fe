/*
 * The parameters of a network: named arrays in one block, with gradients and Adam's moments
 * in blocks of the same layout, so that a step, a copy and a file are loops over one list.
 *
 *     parameters *p;
 *     parameters_new(&p, shapes, n, err);        // values and moments zero
 *     float *w = parameters_at(p, i);            // values of array i
 *
 * Gradients are held by workers, one block each (parameters_floats(p) floats), and added up in
 * worker order. A `sparse` array (an embedding table whose rows are mostly untouched in a step)
 * may be updated by rows, lazily (adam.h).
 *
 * Reading is safe from any thread while nobody writes.
 */
#ifndef PROFFER_TENSOR_PARAMETERS_H
#define PROFFER_TENSOR_PARAMETERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "tensor/safetensors.h"

enum { PARAMETERS_MAX = 128 };

typedef enum parameter_start {
    PARAMETER_ZERO,
    PARAMETER_ONE,
    PARAMETER_NORMAL,        /* normal, standard deviation `spread` */
    PARAMETER_GLOROT_UNIFORM /* +-sqrt(6 / (rows + columns)), Glorot and Bengio 2010, eq. 16 */
} parameter_start;

typedef struct parameter_shape {
    const char *name; /* "block0.wq"; static or owned by whoever asked */
    size_t rows, columns;
    parameter_start start;
    float spread;
    bool decays; /* weight decay applies */
    bool sparse;
} parameter_shape;

typedef struct parameters parameters;

/* Copies shapes and names. PF_LIMIT for too many or too large, PF_NO_MEMORY. */
pf_status parameters_new(parameters **out, const parameter_shape *shapes, size_t n,
                         pf_error *err);
/* NULL is fine. */
void parameters_free(parameters *p);
/* Starting values, a function of (seed, index of the array, element) alone. */
void parameters_start(parameters *p, uint64_t seed);

size_t parameters_count(const parameters *p);
const parameter_shape *parameters_shape(const parameters *p, size_t i);
/* All floats of a block, padding of arrays to 64 bytes included, and where array i begins. */
size_t parameters_floats(const parameters *p);
size_t parameters_offset(const parameters *p, size_t i);
float *parameters_at(const parameters *p, size_t i);
float *parameters_values(const parameters *p);  /* [floats] */
float *parameters_first(const parameters *p);   /* Adam's moments, [floats] each */
float *parameters_second(const parameters *p);
/* How many steps were taken; Adam's corrections follow from it. */
uint64_t parameters_steps(const parameters *p);
void parameters_set_steps(parameters *p, uint64_t steps);
/* Whether every value is finite; else the name of an array that is not. */
bool parameters_finite(const parameters *p, const char **name);

/* Adds all arrays to a file under their names: values, or with `moments` also
 * "<name>.first" and "<name>.second" and the steps. Borrowed until the commit. */
pf_status parameters_save(const parameters *p, safetensors_writer *w, bool moments,
                          pf_error *err);
/* Takes them back; every array must be there with its shape and finite values: PF_DATA with
 * the name of the one that is not. p is unchanged on failure. */
pf_status parameters_load(parameters *p, const safetensors *file, bool moments,
                          pf_error *err);

#endif
