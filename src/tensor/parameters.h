/*
 * The parameters of a network: named arrays in one block, with gradients and Adam's moments
 * in blocks of the same layout, so that a step, a copy and a file are loops over one list.
 *
 *     parameters *p;
 *     parameters_new(&p, shapes, n, err);        // all zero, no moments yet
 *     parameters_start(p, seed);
 *     float *w = parameters_at(p, i);            // values of array i
 *
 *     | array 0 | array 2 | array 3 | ... | array 1 |      each begins at a multiple of 64 bytes
 *     0         dense arrays          dense floats  sparse arrays   floats
 *
 * A `sparse` array is an embedding table of which a step touches few rows. Those stand behind
 * all others: a gradient block of a worker holds the dense floats alone, and a sparse array's
 * gradient comes as a list of rows (adam.h). Gradients are not kept here; moments are, once
 * they are asked for.
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

enum { PARAMETERS_MAX = 192 };

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

/* Where arrays of these shapes begin, offset [n], and the floats of a block: of its dense part
 * and in all, padding to 64 bytes included. PF_LIMIT for more than PARAMETERS_MAX arrays, an
 * array without numbers, or sizes that do not fit. */
typedef struct parameters_layout {
    size_t offset[PARAMETERS_MAX], dense, floats;
} parameters_layout;
pf_status parameters_lay_out(const parameter_shape *shapes, size_t n, parameters_layout *out,
                             pf_error *err);

/* Copies shapes and names (cut to SAFETENSORS_NAME_BYTES). PF_LIMIT as above, PF_NO_MEMORY. */
pf_status parameters_new(parameters **out, const parameter_shape *shapes, size_t n,
                         pf_error *err);
/* NULL is fine. */
void parameters_free(parameters *p);
/* Starting values, a function of (seed, index of the array, element) alone. */
void parameters_start(parameters *p, uint64_t seed);

size_t parameters_count(const parameters *p);
const parameter_shape *parameters_shape(const parameters *p, size_t i);
/* Floats of a block of values, of its dense part (which is that of a gradient block), and
 * where arrays begin, [count]. */
size_t parameters_floats(const parameters *p);
size_t parameters_dense_floats(const parameters *p);
const size_t *parameters_offsets(const parameters *p);
float *parameters_at(const parameters *p, size_t i);
float *parameters_values(const parameters *p); /* [floats] */
/* Adam's moments, [floats] each, NULL until parameters_add_moments has made them (zero). Doing
 * so again is fine and changes nothing. PF_NO_MEMORY. */
pf_status parameters_add_moments(parameters *p, pf_error *err);
/* Gives their memory back, when training is over. */
void parameters_drop_moments(parameters *p);
float *parameters_first(const parameters *p);
float *parameters_second(const parameters *p);
/* How many steps were taken; Adam's corrections follow from it. */
uint64_t parameters_steps(const parameters *p);
void parameters_set_steps(parameters *p, uint64_t steps);
/* Whether every value is finite; else *name (may be NULL) is the array that is not. */
bool parameters_finite(const parameters *p, const char **name);

/* Adds all arrays to a file under their names, and with `moments` both blocks of moments as
 * "adam.first" and "adam.second" and the count of steps as "adam.steps". Borrowed until the
 * commit. */
pf_status parameters_save(const parameters *p, safetensors_writer *w, bool moments,
                          pf_error *err);
/* Takes them back; every array must be there with its shape and finite values, and moments must
 * have been made before they are loaded: PF_DATA with the name of the one that is not. p is
 * unchanged on failure. */
pf_status parameters_load(parameters *p, const safetensors *file, bool moments,
                          pf_error *err);

#endif
