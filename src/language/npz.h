/*
 * NPZ archives, read with every length checked: a ZIP file whose members are NumPy
 * arrays. Only what weight files need: stored and deflated members, little-endian
 * arrays in C order. Not a general ZIP reader: no encryption, no ZIP64, no spanning.
 * Formats: PKWARE APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16; NumPy NEP 1.
 *
 *     npz archive;
 *     npz_open_bytes(&archive, map.data, map.size, path, &err);
 *     const size_t shape[] = {512, 256};
 *     npz_read(&archive, "proj2", NPZ_FLOAT32, 2, shape, matrix, &err);
 *
 * An npz holds no memory of its own: it reads the caller's bytes, which must outlive
 * it. Its functions may be called by several threads at once.
 */
#ifndef PROFFER_LANGUAGE_NPZ_H
#define PROFFER_LANGUAGE_NPZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct npz {
    const unsigned char *bytes;
    size_t size;
    size_t directory; /* where the central directory begins */
    size_t members;
    const char *path; /* for messages */
} npz;

typedef enum npz_kind { NPZ_UINT8, NPZ_FLOAT32, NPZ_FLOAT64 } npz_kind;

enum { NPZ_MAX_DIMENSIONS = 4 };

typedef struct npz_array {
    npz_kind kind;
    size_t dimensions;
    size_t shape[NPZ_MAX_DIMENSIONS];
} npz_array;

/* Finds and checks the central directory. PF_DATA when the bytes are no archive or are
 * cut short; path is kept for messages and must outlive the archive. */
pf_status npz_open_bytes(npz *out, const void *bytes, size_t size, const char *path,
                         pf_error *err);

/* Type and shape of the array `name` (without ".npy"). PF_NOT_FOUND when there is
 * none. */
pf_status npz_describe(const npz *archive, const char *name, npz_array *out,
                       pf_error *err);

/* Reads the array into `values` (product of shape elements). PF_DATA unless it has
 * exactly this type and shape and its checksum is right. */
pf_status npz_read(const npz *archive, const char *name, npz_kind kind, size_t dimensions,
                   const size_t *shape, void *values, pf_error *err);

#endif
