/* Rows are multiplied in their own order, so sums do not depend on anything but the data. */
#include "recommend/side_vectors.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "language/lexical.h"
#include "recommend/lapack.h"
#include "tensor/kernels.h"

enum { EXTRA_DIRECTIONS = 16, ROUNDS = 2, RANDOM_STREAM = 0x51de };

/* A matrix by rows: words or vectors. */
typedef struct row_source {
    size_t rows, columns;
    const lexical *words; /* or NULL: */
    const float *dense;   /* [rows x columns] */
} row_source;

/* What one reduction works with: p directions. */
typedef struct reduction {
    const tensor_kernels *k;
    row_source x;
    size_t p;
    float *left;  /* [rows x p] */
    float *right; /* [columns x p] */
} reduction;

/* left = X right */
static void multiply(reduction *r)
{
    size_t p = r->p;
    memset(r->left, 0, r->x.rows * p * sizeof *r->left);
    for (size_t i = 0; i < r->x.rows; i++) {
        float *to = r->left + i * p;
        if (r->x.words != NULL) {
            sparse_vector row = lexical_vector(r->x.words, i);
            for (size_t t = 0; t < row.n; t++)
                r->k->add_scaled(p, row.weights[t], r->right + row.terms[t] * p, to);
        } else {
            for (size_t c = 0; c < r->x.columns; c++)
                r->k->add_scaled(p, r->x.dense[i * r->x.columns + c], r->right + c * p, to);
        }
    }
}

/* right = X^T left */
static void multiply_back(reduction *r)
{
    size_t p = r->p;
    memset(r->right, 0, r->x.columns * p * sizeof *r->right);
    for (size_t i = 0; i < r->x.rows; i++) {
        const float *from = r->left + i * p;
        if (r->x.words != NULL) {
            sparse_vector row = lexical_vector(r->x.words, i);
            for (size_t t = 0; t < row.n; t++)
                r->k->add_scaled(p, row.weights[t], from, r->right + row.terms[t] * p);
        } else {
            for (size_t c = 0; c < r->x.columns; c++)
                r->k->add_scaled(p, r->x.dense[i * r->x.columns + c], from,
                                 r->right + c * p);
        }
    }
}

/* gram [p x p], lower triangle = M^T M */
static void gram(const float *m, size_t rows, size_t p, double *out)
{
    memset(out, 0, p * p * sizeof *out);
    for (size_t i = 0; i < rows; i++)
        for (size_t a = 0; a < p; a++)
            for (size_t b = 0; b <= a; b++)
                out[a * p + b] += (double)m[i * p + a] * (double)m[i * p + b];
}

/* M = M times the p x p matrix whose column j is row p - 1 - j of v times by[..]: the leading
 * direction first. */
static void turn(float *m, size_t rows, size_t p, const double *v, const double *by,
                 double *line)
{
    for (size_t i = 0; i < rows; i++) {
        float *row = m + i * p;
        memset(line, 0, p * sizeof *line);
        for (size_t j = 0; j < p; j++)
            for (size_t a = 0; a < p; a++)
                line[j] += (double)row[a] * v[(p - 1 - j) * p + a] * by[p - 1 - j];
        for (size_t j = 0; j < p; j++)
            row[j] = (float)line[j];
    }
}

/* Memory of the small eigenproblem. */
typedef struct small {
    double *g, *w, *by, *line; /* [p x p], [p], [p], [p] */
} small;

static bool small_new(small *s, size_t p)
{
    *s = (small){mem_alloc(p * p, sizeof(double)), mem_alloc(p, sizeof(double)),
                 mem_alloc(p, sizeof(double)), mem_alloc(p, sizeof(double))};
    return s->g && s->w && s->by && s->line;
}

static void small_free(small *s)
{
    mem_free(s->g);
    mem_free(s->w);
    mem_free(s->by);
    mem_free(s->line);
}

/* Makes the columns of left orthonormal; directions that are not there become zero. */
static pf_status orthonormalise(reduction *r, small *s, pf_error *err)
{
    gram(r->left, r->x.rows, r->p, s->g);
    pf_status status = lapack_eigen(r->p, s->g, s->w, err);
    if (status != PF_OK) return status;
    double floor = 1e-9 * fmax(s->w[r->p - 1], 1e-300);
    for (size_t a = 0; a < r->p; a++)
        s->by[a] = s->w[a] > floor ? 1 / sqrt(s->w[a]) : 0;
    turn(r->left, r->x.rows, r->p, s->g, s->by, s->line);
    return PF_OK;
}

/* left = the rows' coordinates along the leading directions, strongest first. */
static pf_status find_directions(reduction *r, small *s, uint64_t seed, pf_error *err)
{
    random_stream draw = random_begin(seed, RANDOM_STREAM);
    pf_status status = PF_OK;
    for (size_t i = 0; i < r->x.columns * r->p; i++)
        r->right[i] = (float)random_normal(&draw);
    multiply(r);
    for (int round = 0; round < ROUNDS && status == PF_OK; round++) {
        status = orthonormalise(r, s, err);
        multiply_back(r);
        multiply(r);
    }
    if (status == PF_OK) status = orthonormalise(r, s, err);
    if (status != PF_OK) return status;
    multiply_back(r); /* right = X^T Q: its Gram matrix is Q^T X X^T Q */
    gram(r->right, r->x.columns, r->p, s->g);
    status = lapack_eigen(r->p, s->g, s->w, err);
    for (size_t a = 0; status == PF_OK && a < r->p; a++)
        s->by[a] = s->w[a] > 0 ? sqrt(s->w[a]) : 0;
    if (status == PF_OK) turn(r->left, r->x.rows, r->p, s->g, s->by, s->line);
    return status;
}

/* Copies the first `keep` coordinates of each row to out, with length 1. */
static void keep_unit(const reduction *r, size_t keep, float *out, size_t out_row)
{
    for (size_t i = 0; i < r->x.rows; i++) {
        const float *row = r->left + i * r->p;
        float length = sqrtf(r->k->dot(keep, row, row));
        float by = length > 1e-12f ? 1 / length : 0;
        for (size_t d = 0; d < keep; d++)
            out[i * out_row + d] = by * row[d];
    }
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static pf_status reduce(const row_source *x, size_t keep, uint64_t seed, float *out,
                        size_t out_row, pf_error *err)
{
    size_t p = least(keep + EXTRA_DIRECTIONS, least(x->columns, x->rows));
    reduction r = {.k = kernels_choose(NULL), .x = *x, .p = p};
    small s;
    r.left = mem_alloc_aligned(x->rows * p, sizeof *r.left);
    r.right = mem_alloc_aligned(x->columns * p, sizeof *r.right);
    bool memory = small_new(&s, p) && r.left && r.right;
    pf_status status = memory ? find_directions(&r, &s, seed, err)
                              : error_set(err, PF_NO_MEMORY, "out of memory for the "
                                                             "directions of texts");
    if (status == PF_OK) keep_unit(&r, keep, out, out_row);
    small_free(&s);
    mem_free(r.left);
    mem_free(r.right);
    return status;
}

void side_vectors_free(side_vectors *s)
{
    mem_free(s->rows);
    *s = (side_vectors){0};
}

pf_status side_vectors_new(side_vectors *out, const product_side *side, uint32_t n_products,
                           uint32_t more, uint64_t seed, pf_error *err)
{
    *out = (side_vectors){0};
    if (side == NULL) return PF_OK;
    row_source words = {.words = side->words, .rows = n_products};
    row_source vectors = {.dense = side->vectors, .rows = n_products};
    if (side->words) words.columns = lexical_terms(side->words);
    if (side->vectors) vectors.columns = side->dimension;
    size_t w = least(SIDE_WORD_DIRECTIONS, least(words.columns, n_products));
    size_t m = least(SIDE_VECTOR_DIRECTIONS, least(vectors.columns, n_products));
    if (w + m == 0) return PF_OK;
    out->K = w + m;
    const size_t known = n_products * out->K;
    out->rows = mem_alloc_aligned(known + more * out->K, sizeof *out->rows);
    if (out->rows == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for the texts of products");
    memset(out->rows + known, 0, more * out->K * sizeof *out->rows);
    pf_status s = PF_OK;
    if (w > 0) s = reduce(&words, w, seed, out->rows, out->K, err);
    if (s == PF_OK && m > 0) s = reduce(&vectors, m, seed, out->rows + w, out->K, err);
    if (s != PF_OK) side_vectors_free(out);
    return s;
}
