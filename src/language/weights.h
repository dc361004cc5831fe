/*
 * The sentence encoder's weights: one file, used where it lies: the matrices mapped, rows
 * of the big table read as texts need them.
 *
 *     byte 0      +--------------------------+
 *                 | weights_header, 1024     |  magic, version, sizes, places, checksum
 *     byte 4096   +--------------------------+
 *                 | embedding table          |  8 bit, row i = piece i, E bytes a row
 *                 +--------------------------+  every section begins at a multiple of 64
 *                 | scale, low of each chunk |
 *                 | ...                      |  biases and norms as plain floats,
 *                 | packed matrices          |  matrices in panels (language/kernels.h)
 *     file_bytes  +--------------------------+
 *
 * Row i of the table belongs to chunk i % chunks, which has a scale and a low of its own:
 * embedding[i][e] = code[i][e] * scale[i % chunks] + low[i % chunks]. Rows lie in the
 * order of pieces (the archive keeps them chunk by chunk), because common pieces have low
 * numbers: the part of the table that ordinary text touches is then a short stretch, and
 * only what is touched becomes resident.
 *
 * Where sections lie follows from the sizes alone; the reader works it out and refuses a
 * file that says otherwise. The checksum (BLAKE2b-128 of everything, itself as zeros) is
 * also the weights' fingerprint.
 *
 * Numbers are little-endian, as on every machine this builds for.
 */
#ifndef PROFFER_LANGUAGE_WEIGHTS_H
#define PROFFER_LANGUAGE_WEIGHTS_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/status.h"
#include "language/kernels.h"

enum {
    WEIGHTS_VERSION = 1,
    WEIGHTS_BRANCHES = 3, /* n-gram branches */
    WEIGHTS_ALIGN = 64,
    WEIGHTS_FIRST_SECTION = 4096,
    WEIGHTS_MAX_CHUNKS = 256,
    WEIGHTS_MAX_WIDTH = 8192,
    WEIGHTS_MAX_PIECES = 1 << 24,
};

/* How many tokens a branch's window spans; (n - 1) / 2 of them lie before the token. */
static const unsigned weights_orders[WEIGHTS_BRANCHES] = {2, 3, 5};

/* The network's sizes, named as in network.h. */
typedef struct weights_sizes {
    uint32_t chunks;    /* hashed embedding tables */
    uint32_t pieces;    /* rows of all tables together */
    uint32_t embedding; /* E: values of an embedding */
    uint32_t branch;    /* C: channels of one n-gram branch */
    uint32_t pooled;    /* values of the pooled text */
    uint32_t hidden;    /* values of the first two dense layers */
    uint32_t wide;      /* values of the third dense layer */
    uint32_t output;    /* values of a vector */
} weights_sizes;

/* Sections in the order they lie in. */
typedef enum weights_section {
    SECTION_TABLE,
    SECTION_SCALE,
    SECTION_LOW,
    SECTION_PROJECT_BIAS, /* the branches' 3 C side by side, as the next two */
    SECTION_BRANCH_GAIN,
    SECTION_BRANCH_SHIFT,
    SECTION_FIRST_BIAS, /* WEIGHTS_BRANCHES sections from here: C each */
    SECTION_SECOND_BIAS = SECTION_FIRST_BIAS + WEIGHTS_BRANCHES,
    SECTION_FEATURE_GAIN = SECTION_SECOND_BIAS + WEIGHTS_BRANCHES, /* E + 3 C */
    SECTION_FEATURE_SHIFT,
    SECTION_POOL_BIAS,
    SECTION_PROJECT, /* E x 3 C; from here on packed matrices */
    SECTION_FIRST,   /* n C x C each */
    SECTION_SECOND = SECTION_FIRST + WEIGHTS_BRANCHES,
    SECTION_POOL = SECTION_SECOND + WEIGHTS_BRANCHES, /* (E + 3 C) x pooled */
    SECTION_D0,                                       /* pooled x hidden */
    SECTION_P1,                                       /* pooled x hidden */
    SECTION_D1,                                       /* hidden x hidden */
    SECTION_D2,                                       /* hidden x wide */
    SECTION_P3,                                       /* hidden x output */
    SECTION_D3,                                       /* wide x output */
    WEIGHTS_SECTIONS
} weights_section;

typedef struct weights_place {
    uint64_t offset, bytes;
} weights_place;

typedef struct weights_header {
    char magic[8]; /* "PFENCODE" */
    uint32_t version;
    uint32_t byte_order; /* 0x01020304 as the writer's machine lays it out */
    uint64_t file_bytes;
    weights_sizes sizes;
    float epsilon;     /* of both layer norms and of the final length */
    uint32_t reserved; /* zero */
    unsigned char checksum[FINGERPRINT_BYTES];
    weights_place places[WEIGHTS_SECTIONS];
    unsigned char zero[1024 - 80 - WEIGHTS_SECTIONS * 16];
} weights_header;

static_assert(sizeof(weights_sizes) == 32, "sizes are eight 32-bit numbers");
static_assert(offsetof(weights_header, file_bytes) == 16, "layout of the header");
static_assert(offsetof(weights_header, sizes) == 24, "layout of the header");
static_assert(offsetof(weights_header, checksum) == 64, "layout of the header");
static_assert(offsetof(weights_header, places) == 80, "layout of the header");
static_assert(sizeof(weights_header) == 1024, "the header has 1024 bytes");

/* Weights ready for use; sections point into the mapped file. */
typedef struct weights {
    file_map map;
    int fd; /* of the mapped file; -1 when the bytes are the caller's */
    weights_header header;
    fingerprint fingerprint;
} weights;

/* Maps and checks a weights file: every field, every place, the checksum. PF_DATA says
 * what is wrong and that converting again helps. On success close with
 * weights_close(). */
pf_status weights_open(weights *out, const char *path, pf_error *err);
void weights_close(weights *w);

/* The same for bytes in memory (64-byte aligned, outliving the weights); path is for
 * messages, the caller keeps the bytes (no weights_close).
 * check false leaves the checksum unread: for fuzzing the other checks. */
pf_status weights_open_bytes(weights *out, const void *bytes, size_t size,
                             const char *path, bool check, pf_error *err);

/* Whether the sizes are within the limits above; a message in err if not. */
pf_status weights_check_sizes(const weights_sizes *sizes, pf_error *err);

/* Where each section lies for these sizes, and the file's length. */
void weights_lay_out(const weights_sizes *sizes, weights_place places[WEIGHTS_SECTIONS],
                     uint64_t *file_bytes);

/* Rows and columns of a matrix section (SECTION_PROJECT and after). */
void weights_matrix_shape(const weights_sizes *sizes, unsigned section, size_t *rows,
                          size_t *columns);

/* Copies the 8-bit codes of a piece's embedding (sizes.embedding bytes); false when the
 * file cannot be read. They are read from the open file, not through the map: a system
 * maps many pages around each one touched, so that after a thousand texts all 64 MB of
 * the table were resident (measured: 82 MB against 14 MB of file pages, at the same
 * speed). */
bool weights_row(const weights *w, uint32_t piece, uint8_t *codes);

const void *weights_at(const weights *w, unsigned section);
packed_matrix weights_matrix(const weights *w, unsigned section);

/* The checksum that a file of these bytes with this header must bear; mapped: the bytes
 * are a mapped file, whose pages may be let go again. */
fingerprint weights_checksum(const weights_header *header, const unsigned char *bytes,
                             size_t size, bool mapped);

/* A header for these (checked) sizes, complete but for the checksum. */
void weights_begin_header(weights_header *header, const weights_sizes *sizes,
                          float epsilon);

/* Converts the published archive (npz) to a weights file, written atomically. PF_DATA
 * when an array is missing, damaged or of another shape; then `path` is left as it
 * was. */
pf_status weights_convert(const char *npz_path, const char *path, pf_error *err);

#endif
