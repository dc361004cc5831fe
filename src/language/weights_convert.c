/*
 * Conversion of the published weights (an NPZ archive) to the file that is mapped.
 *
 * Arrays of the archive, as its package's source uses them: q1 .. q17 the hashed
 * embedding tables; scale, lo one number a table; proj2 proj3 proj5 with proj_b*, ln_g*,
 * ln_b* the branches' projection and norm; w1_*, b1_*, w2_*, b2_* their two convolutions;
 * ln_g, ln_b the norm over all features; cnn_W, cnn_b the pooling; d0 d1 d2 d3 p1 p3 the
 * dense layers; eps.
 *
 * The whole new file is made in memory (77 MB for the real model) because its checksum
 * stands in front; conversion happens once.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "language/npz.h"
#include "language/weights.h"

enum { NAME_BYTES = 24 };

typedef struct conversion {
    npz archive;
    weights_header header;
    unsigned char *file; /* header.file_bytes */
    pf_error *err;
} conversion;

/* ---- sizes, from the shapes in the archive ---- */

static pf_status matrix_shape(const conversion *c, const char *name, uint32_t *rows,
                              uint32_t *columns)
{
    npz_array array;
    pf_status status = npz_describe(&c->archive, name, &array, c->err);
    if (status != PF_OK) return status;
    if (array.dimensions != 2 || array.shape[0] > UINT32_MAX ||
        array.shape[1] > UINT32_MAX)
        return error_set_at(c->err, PF_DATA, c->archive.path, 0, 0, "'%s' is no matrix",
                            name);
    *rows = (uint32_t)array.shape[0];
    *columns = (uint32_t)array.shape[1];
    return PF_OK;
}

static pf_status read_sizes(conversion *c, weights_sizes *s)
{
    npz_array scale;
    uint32_t rows = 0, ignored;
    pf_status status = npz_describe(&c->archive, "scale", &scale, c->err);
    if (status == PF_OK) status = matrix_shape(c, "q1", &rows, &s->embedding);
    if (status == PF_OK) status = matrix_shape(c, "proj2", &ignored, &s->branch);
    if (status == PF_OK) status = matrix_shape(c, "cnn_W", &ignored, &s->pooled);
    if (status == PF_OK) status = matrix_shape(c, "d0", &ignored, &s->hidden);
    if (status == PF_OK) status = matrix_shape(c, "d2", &ignored, &s->wide);
    if (status == PF_OK) status = matrix_shape(c, "d3", &ignored, &s->output);
    if (status != PF_OK) return status;
    const size_t chunks = scale.dimensions == 1 ? scale.shape[0] : 0;
    if (chunks > WEIGHTS_MAX_CHUNKS || rows > WEIGHTS_MAX_PIECES)
        return error_set_at(c->err, PF_LIMIT, c->archive.path, 0, 0,
                            "more embedding tables or rows than an encoder may have");
    s->chunks = (uint32_t)chunks;
    s->pieces = (uint32_t)chunks * rows;
    status = weights_check_sizes(s, c->err);
    if (status != PF_OK) error_prefix(c->err, "'%s'", c->archive.path);
    return status;
}

/* ---- sections ---- */

static void *place(const conversion *c, unsigned section)
{
    return c->file + c->header.places[section].offset;
}

/* Rows of chunk i go to rows i, i + chunks, i + 2 chunks, ... of the table. */
static pf_status convert_table(conversion *c)
{
    const weights_sizes *s = &c->header.sizes;
    const size_t shape[] = {s->pieces / s->chunks, s->embedding};
    unsigned char *chunk = mem_alloc(shape[0], shape[1]),
                  *table = place(c, SECTION_TABLE);
    if (!chunk)
        return error_set(c->err, PF_NO_MEMORY,
                         "no memory to convert the encoder's weights");
    pf_status status = PF_OK;
    for (size_t i = 0; i < s->chunks && status == PF_OK; i++) {
        char name[NAME_BYTES];
        snprintf(name, sizeof name, "q%zu", i + 1);
        status = npz_read(&c->archive, name, NPZ_UINT8, 2, shape, chunk, c->err);
        for (size_t row = 0; row < shape[0] && status == PF_OK; row++)
            memcpy(table + (row * s->chunks + i) * s->embedding,
                   chunk + row * s->embedding, s->embedding);
    }
    mem_free(chunk);
    return status;
}

/* A vector of n floats into a section, `first` floats from its beginning. */
static pf_status convert_vector(conversion *c, const char *name, unsigned section,
                                size_t first, size_t n)
{
    float *to = (float *)place(c, section) + first;
    return npz_read(&c->archive, name, NPZ_FLOAT32, 1, &n, to, c->err);
}

/* A matrix into columns first .. of a wider one of `columns`, row-major. */
static pf_status read_beside(conversion *c, const char *name, size_t rows, size_t own,
                             float *wide, size_t columns, size_t first)
{
    const size_t shape[] = {rows, own};
    float *narrow = mem_alloc(rows * own, sizeof *narrow);
    if (!narrow)
        return error_set(c->err, PF_NO_MEMORY,
                         "no memory to convert the encoder's weights");
    pf_status status = npz_read(&c->archive, name, NPZ_FLOAT32, 2, shape, narrow, c->err);
    for (size_t row = 0; row < rows && status == PF_OK; row++)
        memcpy(wide + row * columns + first, narrow + row * own, own * sizeof *wide);
    mem_free(narrow);
    return status;
}

/* A packed matrix made of `parts` archive matrices side by side; names are
 * "<stem><order>" for the branches' projections, else the stem itself. */
static pf_status convert_matrix(conversion *c, const char *stem, unsigned section,
                                unsigned parts)
{
    size_t rows, columns;
    weights_matrix_shape(&c->header.sizes, section, &rows, &columns);
    float *wide = mem_alloc(rows * columns, sizeof *wide);
    if (!wide)
        return error_set(c->err, PF_NO_MEMORY,
                         "no memory to convert the encoder's weights");
    pf_status status = PF_OK;
    for (unsigned i = 0; i < parts && status == PF_OK; i++) {
        char name[NAME_BYTES];
        if (parts == 1)
            snprintf(name, sizeof name, "%s", stem);
        else
            snprintf(name, sizeof name, "%s%u", stem, weights_orders[i]);
        status = read_beside(c, name, rows, columns / parts, wide, columns,
                             i * (columns / parts));
    }
    if (status == PF_OK) kernel_pack(rows, columns, wide, place(c, section));
    mem_free(wide);
    return status;
}

/* The five vectors and two matrices of branch i. */
static pf_status convert_branch(conversion *c, unsigned i)
{
    static const struct {
        const char *stem;
        unsigned section;
        bool side_by_side; /* in one section with the other branches' */
    } vectors[] = {
        {"proj_b", SECTION_PROJECT_BIAS, true}, {"ln_g", SECTION_BRANCH_GAIN, true},
        {"ln_b", SECTION_BRANCH_SHIFT, true},   {"b1_", SECTION_FIRST_BIAS, false},
        {"b2_", SECTION_SECOND_BIAS, false},
    };
    const size_t n = c->header.sizes.branch;
    char name[NAME_BYTES];
    pf_status status = PF_OK;
    for (size_t v = 0; v < sizeof vectors / sizeof *vectors && status == PF_OK; v++) {
        snprintf(name, sizeof name, "%s%u", vectors[v].stem, weights_orders[i]);
        status = vectors[v].side_by_side
                     ? convert_vector(c, name, vectors[v].section, i * n, n)
                     : convert_vector(c, name, vectors[v].section + i, 0, n);
    }
    if (status != PF_OK) return status;
    snprintf(name, sizeof name, "w1_%u", weights_orders[i]);
    status = convert_matrix(c, name, SECTION_FIRST + i, 1);
    if (status != PF_OK) return status;
    snprintf(name, sizeof name, "w2_%u", weights_orders[i]);
    return convert_matrix(c, name, SECTION_SECOND + i, 1);
}

static pf_status convert_rest(conversion *c)
{
    static const struct {
        const char *name;
        unsigned section;
    } vectors[] = {{"scale", SECTION_SCALE},
                   {"lo", SECTION_LOW},
                   {"ln_g", SECTION_FEATURE_GAIN},
                   {"ln_b", SECTION_FEATURE_SHIFT},
                   {"cnn_b", SECTION_POOL_BIAS}},
      matrices[] = {{"cnn_W", SECTION_POOL}, {"d0", SECTION_D0}, {"p1", SECTION_P1},
                    {"d1", SECTION_D1},      {"d2", SECTION_D2}, {"p3", SECTION_P3},
                    {"d3", SECTION_D3}};
    pf_status status = convert_matrix(c, "proj", SECTION_PROJECT, WEIGHTS_BRANCHES);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors && status == PF_OK; i++)
        status =
            convert_vector(c, vectors[i].name, vectors[i].section, 0,
                           c->header.places[vectors[i].section].bytes / sizeof(float));
    for (size_t i = 0; i < sizeof matrices / sizeof *matrices && status == PF_OK; i++)
        status = convert_matrix(c, matrices[i].name, matrices[i].section, 1);
    return status;
}

static pf_status convert_sections(conversion *c)
{
    pf_status status = convert_table(c);
    for (unsigned i = 0; i < WEIGHTS_BRANCHES && status == PF_OK; i++)
        status = convert_branch(c, i);
    return status == PF_OK ? convert_rest(c) : status;
}

static pf_status convert(conversion *c, const char *path)
{
    weights_sizes sizes;
    double epsilon;
    pf_status status = read_sizes(c, &sizes);
    if (status == PF_OK)
        status = npz_read(&c->archive, "eps", NPZ_FLOAT64, 0, NULL, &epsilon, c->err);
    if (status != PF_OK) return status;
    weights_begin_header(&c->header, &sizes, (float)epsilon);
    c->file = mem_alloc_aligned(c->header.file_bytes, 1);
    if (!c->file)
        return error_set(c->err, PF_NO_MEMORY,
                         "no memory (%" PRIu64 " bytes) to convert the "
                         "encoder's weights",
                         c->header.file_bytes);
    memset(c->file, 0, c->header.file_bytes);
    status = convert_sections(c);
    if (status == PF_OK) {
        const fingerprint sum =
            weights_checksum(&c->header, c->file, c->header.file_bytes, false);
        memcpy(c->header.checksum, sum.bytes, FINGERPRINT_BYTES);
        memcpy(c->file, &c->header, sizeof c->header);
        status = file_write_atomic(path, c->file, c->header.file_bytes, c->err);
    }
    mem_free(c->file);
    return status;
}

pf_status weights_convert(const char *npz_path, const char *path, pf_error *err)
{
    file_map map;
    pf_status status = file_map_open(&map, npz_path, err);
    if (status != PF_OK) return status;
    conversion c = {.err = err};
    status = npz_open_bytes(&c.archive, map.data, map.size, npz_path, err);
    if (status == PF_OK) status = convert(&c, path);
    file_map_close(&map);
    return status;
}
