/*
 * A sentence encoder small enough to be made by a test: the arrays of the published
 * archive with odd little sizes and random values, an NPZ archive of them (stored or
 * deflated, whole or with something wrong), a SentencePiece model of a few pieces, and
 * the forward pass as plain loops in double precision, straight from the formulas and
 * from the arrays as they are in the archive.
 */
#ifndef PROFFER_TESTS_LANGUAGE_TINY_MODEL_H
#define PROFFER_TESTS_LANGUAGE_TINY_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "language/npz.h"
#include "language/weights.h"

enum { TINY_ARRAYS = 64, TINY_CHUNKS = 3, TINY_PIECES = 21 };

typedef struct tiny_array {
    char name[16];
    npz_kind kind;
    size_t dimensions, shape[2], n;
    float *values;  /* also for bytes: whole numbers */
    double epsilon; /* the one float64 */
} tiny_array;

typedef struct tiny_model {
    weights_sizes sizes;
    tiny_array arrays[TINY_ARRAYS];
    size_t n;
} tiny_model;

/* Random arrays; the same for the same seed. Freed with tiny_model_free. */
void tiny_model_make(tiny_model *m, uint64_t seed);
void tiny_model_free(tiny_model *m);
tiny_array *tiny_model_array(tiny_model *m, const char *name);

typedef struct tiny_bytes {
    unsigned char *data;
    size_t n, capacity;
} tiny_bytes;

void tiny_append(tiny_bytes *b, const void *bytes, size_t n);

/* One member of an archive. */
typedef struct tiny_member {
    const char *name; /* with ".npy" */
    const void *bytes;
    size_t n;
    bool deflated;
} tiny_member;

/* A ZIP archive of the members; freed with free(data). */
tiny_bytes tiny_zip(const tiny_member *members, size_t n);

/* An array as a NumPy file; descr such as "'<f4'". */
tiny_bytes tiny_npy(const char *descr, const char *order, size_t dimensions,
                    const size_t *shape, const void *values, size_t bytes);

/* The model's archive; every other member is deflated. without: a name left out, or
 * NULL. */
tiny_bytes tiny_model_archive(const tiny_model *m, const char *without);

/* A serialised SentencePiece model of `pieces` pieces (at most TINY_PIECES):
 * unknown, begin, end, then space mark, a, aa, "mark a", b, ab, U+4E2D, U+6587, both,
 * ... */
tiny_bytes tiny_pieces(size_t pieces);

/* The naive forward pass of one text: sizes.output values. */
void tiny_model_encode(tiny_model *m, const uint32_t *tokens, size_t T, double *out);

/* A fresh folder under the build's or the system's temporary place; and its end. */
void tiny_folder_make(char path[128]);
void tiny_folder_remove(const char *path);
/* Writes folder/name. */
void tiny_write(const char *folder, const char *name, const void *bytes, size_t n);

#endif
