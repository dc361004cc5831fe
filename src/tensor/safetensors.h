/*
 * Model files in the safetensors format (github.com/huggingface/safetensors, format
 * description): named arrays of numbers, readable by every tool of the field.
 *
 *     0        8                8+n                              end
 *     +--------+----------------+--------------------------------+
 *     | n, u64 | n bytes JSON   | data of all tensors, in order  |
 *     +--------+----------------+--------------------------------+
 *     {"__metadata__": {"kind": "transitions", ...},
 *      "row": {"dtype": "U64", "shape": [3417], "data_offsets": [0, 27336]}, ...}
 *
 * Writing is atomic (base/file.h). Reading maps the file and believes nothing: length,
 * JSON, types, shapes against offsets, offsets against the file, no gap, no overlap. The
 * format forbids gaps, so the writer orders tensors by the size of their numbers, largest
 * first, and pads the header with spaces: then every tensor is aligned for its type.
 *
 *     safetensors_writer *w;
 *     safetensors_begin(&w, path, err);
 *     safetensors_add(w, "row", TENSOR_U64, row, 1, (const uint64_t[]){n}, err);
 *     safetensors_commit(w, err);
 *
 * An open file is immutable; readers on any thread.
 */
#ifndef PROFFER_TENSOR_SAFETENSORS_H
#define PROFFER_TENSOR_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef enum tensor_type {
    TENSOR_F32,
    TENSOR_F64,
    TENSOR_U8,
    TENSOR_U32,
    TENSOR_I64,
    TENSOR_U64
} tensor_type;

enum {
    SAFETENSORS_MAX_TENSORS = 1024,
    SAFETENSORS_MAX_RANK = 4,
    SAFETENSORS_MAX_NOTES = 256,
    SAFETENSORS_NAME_BYTES = 64,
    SAFETENSORS_MAX_HEADER_BYTES = 1 << 20
};

size_t tensor_type_size(tensor_type type);
/* "prefix.part", cut to SAFETENSORS_NAME_BYTES. */
void safetensors_join_name(char into[SAFETENSORS_NAME_BYTES], const char *prefix,
                           const char *part);

typedef struct safetensors_writer safetensors_writer;
pf_status safetensors_begin(safetensors_writer **out, const char *path, pf_error *err);
/* A text beside the tensors; both are copied. */
pf_status safetensors_note(safetensors_writer *w, const char *key, const char *value,
                           pf_error *err);
/* data is borrowed until commit. rank 0..4 (0 = one number). */
pf_status safetensors_add(safetensors_writer *w, const char *name, tensor_type type,
                          const void *data, unsigned rank, const uint64_t *shape,
                          pf_error *err);
/* From here on every name and key gets "scope." in front, so that one file holds several
 * models; "" ends that. A scope too long is PF_LIMIT. */
pf_status safetensors_scope(safetensors_writer *w, const char *scope, pf_error *err);
/* Writes everything and consumes the writer, whether it succeeds or fails. */
pf_status safetensors_commit(safetensors_writer *w, pf_error *err);
/* NULL is fine. */
void safetensors_abandon(safetensors_writer *w);

typedef struct tensor_view {
    const char *name;
    tensor_type type;
    unsigned rank;
    uint64_t shape[SAFETENSORS_MAX_RANK];
    uint64_t count;   /* product of the shape */
    const void *data; /* aligned for the type, inside the map */
} tensor_view;

typedef struct safetensors safetensors;
/* PF_DATA with what is wrong, also when the file's checksum (a note that commit adds: BLAKE2b of
 * all notes, names, types, shapes and data) is absent or another; PF_NOT_FOUND / PF_IO when it
 * cannot be read. */
pf_status safetensors_open(safetensors **out, const char *path, pf_error *err);
/* The same from bytes (fuzzing), whatever their checksum; they are borrowed until close and must
 * be aligned to 8. */
pf_status safetensors_from_bytes(safetensors **out, const void *bytes, size_t n,
                                 const char *name, pf_error *err);
/* What a scope of the file holds, under the names it had inside: a file of its own for
 * whoever reads it, which must be closed before the whole. PF_NO_MEMORY. */
pf_status safetensors_within(const safetensors *file, const char *scope,
                             safetensors **out, pf_error *err);
/* NULL is fine. */
void safetensors_close(safetensors *file);

size_t safetensors_count(const safetensors *file);
const tensor_view *safetensors_at(const safetensors *file, size_t i);
/* A tensor of this name, type and rank; PF_DATA otherwise. count 0: any, else its count
 * must be this. */
pf_status safetensors_find(const safetensors *file, const char *name, tensor_type type,
                           unsigned rank, uint64_t count, const tensor_view **out,
                           pf_error *err);
/* The text of a note, or "". */
const char *safetensors_note_of(const safetensors *file, const char *key);
/* The path it was opened from, for messages. */
const char *safetensors_path(const safetensors *file);

#endif
