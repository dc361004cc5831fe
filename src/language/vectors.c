/* Sets of vectors: encoding through a cache, centring, exact search. See vectors.h. */
#include "language/vectors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "language/kernels.h"

enum { CHUNK_TEXTS = 512 }; /* encoded, cached and shown at a time */

void vector_normalise(float *vector, size_t n)
{
    double square = 0;
    for (size_t i = 0; i < n; i++)
        square += (double)vector[i] * (double)vector[i];
    const double scale = square > 0 ? 1 / sqrt(square) : 0;
    for (size_t i = 0; i < n; i++)
        vector[i] = (float)((double)vector[i] * scale);
}

/* ---- making sets ---- */

static pf_status set_begin(vector_set *out, size_t n, size_t dimension, pf_error *err)
{
    size_t values;
    *out = (vector_set){.dimension = dimension};
    if (n > LIMIT_VECTORS || dimension < 1 || dimension > LIMIT_VECTOR_DIMENSION)
        return error_set(err, PF_LIMIT,
                         "%zu vectors of %zu values; at most %u of 1 to %u", n, dimension,
                         LIMIT_VECTORS, LIMIT_VECTOR_DIMENSION);
    if (n == 0) return PF_OK;
    if (size_multiply(n, dimension, &values))
        out->rows = mem_alloc_aligned(values, sizeof *out->rows);
    if (!out->rows) return error_set(err, PF_NO_MEMORY, "no memory for %zu vectors", n);
    out->n = n;
    return PF_OK;
}

void vectors_free(vector_set *set)
{
    mem_free(set->rows);
    mem_free(set->mean);
    *set = (vector_set){0};
}

pf_status vectors_from_rows(vector_set *out, size_t n, size_t dimension,
                            const float *rows, pf_error *err)
{
    pf_status status = set_begin(out, n, dimension, err);
    for (size_t i = 0; i < n && status == PF_OK; i++) {
        float *row = out->rows + i * dimension;
        memcpy(row, rows + i * dimension, dimension * sizeof *row);
        for (size_t j = 0; j < dimension && status == PF_OK; j++)
            if (!isfinite(row[j]))
                status = error_set_at(err, PF_DATA, NULL, i + 1, j + 1,
                                      "a vector holds a value that is not finite");
        vector_normalise(row, dimension);
    }
    if (status != PF_OK) vectors_free(out);
    return status;
}

/* ---- encoding through a cache ---- */

/* A text that the cache did not know. */
typedef struct unknown {
    fingerprint text;
    size_t row;
} unknown;

typedef struct encoding {
    vector_set *set;
    encoder *e;
    const vector_cache *cache;
    const text *texts;
    pool *p;
    progress *shown;
    unknown *unknowns; /* sorted by text, then row */
    size_t n_unknowns;
    size_t done;
    pf_error *err;
} encoding;

static int by_text(const void *a, const void *b)
{
    const unknown *x = a, *y = b;
    const int order = memcmp(x->text.bytes, y->text.bytes, FINGERPRINT_BYTES);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

/* Fills the rows that the cache knows and lists the others. */
static pf_status look_up(encoding *g)
{
    const size_t dimension = g->set->dimension;
    for (size_t i = 0; i < g->set->n; i++) {
        const fingerprint name = fingerprint_of(g->texts[i].data, g->texts[i].n);
        pf_status status = PF_NOT_FOUND;
        if (g->cache && g->cache->get)
            status = g->cache->get(g->cache->context, &g->set->encoder, &name, dimension,
                                   g->set->rows + i * dimension, g->err);
        if (status == PF_NOT_FOUND)
            g->unknowns[g->n_unknowns++] = (unknown){name, i};
        else if (status != PF_OK)
            return status;
    }
    g->done = g->set->n - g->n_unknowns;
    qsort(g->unknowns, g->n_unknowns, sizeof *g->unknowns, by_text);
    return PF_OK;
}

/* Up to CHUNK_TEXTS different texts, encoded together. */
typedef struct chunk {
    text texts[CHUNK_TEXTS];
    fingerprint names[CHUNK_TEXTS];
    float *rows;
} chunk;

/* Takes the different texts from unknown `first` on; *end is the unknown after them. */
static size_t chunk_collect(const encoding *g, size_t first, chunk *c, size_t *end)
{
    size_t n = 0, i = first;
    for (; i < g->n_unknowns; i++) {
        const unknown *u = &g->unknowns[i];
        if (n > 0 && memcmp(&c->names[n - 1], &u->text, sizeof u->text) == 0) continue;
        if (n == CHUNK_TEXTS) break;
        c->names[n] = u->text;
        c->texts[n++] = g->texts[u->row];
    }
    *end = i;
    return n;
}

/* Copies each encoded text to every row that asked for it. */
static void chunk_spread(const encoding *g, size_t first, size_t end, const chunk *c)
{
    const size_t dimension = g->set->dimension;
    size_t at = 0;
    for (size_t i = first; i < end; i++) {
        if (memcmp(&c->names[at], &g->unknowns[i].text, sizeof c->names[at]) != 0) at++;
        memcpy(g->set->rows + g->unknowns[i].row * dimension, c->rows + at * dimension,
               dimension * sizeof(float));
    }
}

static pf_status encode_unknowns(encoding *g, chunk *c)
{
    pf_status status = PF_OK;
    for (size_t first = 0, end; first < g->n_unknowns && status == PF_OK; first = end) {
        if (progress_cancelled())
            return error_set(g->err, PF_CANCELLED, "stopped while encoding texts");
        const size_t n = chunk_collect(g, first, c, &end);
        status = encoder_encode(g->e, n, c->texts, c->rows, g->p, g->err);
        if (status != PF_OK) return status;
        chunk_spread(g, first, end, c);
        if (g->cache && g->cache->put)
            status = g->cache->put(g->cache->context, &g->set->encoder, n, c->names,
                                   g->set->dimension, c->rows, g->err);
        g->done += end - first;
        progress_update(g->shown, g->done, g->done);
    }
    return status;
}

pf_status vectors_encode(vector_set *out, encoder *e, const vector_cache *cache, size_t n,
                         const text *texts, pool *p, progress *shown, pf_error *err)
{
    pf_status status = set_begin(out, n, encoder_dimension(e), err);
    if (status != PF_OK || n == 0) return status;
    encoding g = {.set = out,
                  .e = e,
                  .cache = cache,
                  .texts = texts,
                  .p = p,
                  .shown = shown,
                  .err = err};
    out->encoder = encoder_fingerprint(e);
    g.unknowns = mem_alloc(n, sizeof *g.unknowns);
    chunk *c = mem_alloc(1, sizeof *c);
    if (c) c->rows = mem_alloc_aligned(CHUNK_TEXTS * out->dimension, sizeof *c->rows);
    if (!g.unknowns || !c || !c->rows)
        status = error_set(err, PF_NO_MEMORY, "no memory for %zu vectors", n);
    if (status == PF_OK) status = look_up(&g);
    if (status == PF_OK) status = encode_unknowns(&g, c);
    if (c) mem_free(c->rows);
    mem_free(c);
    mem_free(g.unknowns);
    if (status != PF_OK) vectors_free(out);
    return status;
}

/* ---- centring ---- */

static bool is_zero(const float *row, size_t n)
{
    for (size_t j = 0; j < n; j++)
        if (row[j] < 0 || row[j] > 0) return false;
    return true;
}

/* The mean of the rows that are not zero; zeros when there is none. */
static void mean_of(const vector_set *set, double *sums, float *mean)
{
    size_t counted = 0;
    for (size_t i = 0; i < set->n; i++) {
        const float *row = vectors_row(set, i);
        if (is_zero(row, set->dimension)) continue;
        counted++;
        for (size_t j = 0; j < set->dimension; j++)
            sums[j] += (double)row[j];
    }
    for (size_t j = 0; j < set->dimension; j++)
        mean[j] = counted ? (float)(sums[j] / (double)counted) : 0;
}

void vectors_centre_row(const vector_set *set, float *row)
{
    if (!set->mean || is_zero(row, set->dimension)) return;
    for (size_t j = 0; j < set->dimension; j++)
        row[j] -= set->mean[j];
    vector_normalise(row, set->dimension);
}

pf_status vectors_centre(vector_set *set, const float *mean, pf_error *err)
{
    double *sums = mem_alloc_zero(set->dimension, sizeof *sums);
    float *kept = mem_alloc_aligned(set->dimension, sizeof *kept);
    if (!sums || !kept) {
        mem_free(sums);
        mem_free(kept);
        return error_set(err, PF_NO_MEMORY, "no memory to centre vectors");
    }
    if (mean)
        memcpy(kept, mean, set->dimension * sizeof *kept);
    else
        mean_of(set, sums, kept);
    mem_free(sums);
    mem_free(set->mean);
    set->mean = kept;
    for (size_t i = 0; i < set->n; i++)
        vectors_centre_row(set, set->rows + i * set->dimension);
    return PF_OK;
}

/* ---- search ---- */

const float *vectors_row(const vector_set *set, size_t i)
{
    return set->rows + i * set->dimension;
}

float vectors_dot(const vector_set *set, const float *a, const float *b)
{
    return kernels_best()->dot(set->dimension, a, b);
}

void vectors_dot_all(const vector_set *set, const float *query, float *scores)
{
    const kernel_table *k = kernels_best();
    for (size_t i = 0; i < set->n; i++)
        scores[i] = k->dot(set->dimension, vectors_row(set, i), query);
}

size_t vectors_nearest(const vector_set *set, const float *query, size_t k, hit *hits)
{
    const kernel_table *kernels = kernels_best();
    top best = top_begin(hits, k);
    for (size_t i = 0; i < set->n; i++)
        top_offer(&best, (uint32_t)i,
                  kernels->dot(set->dimension, vectors_row(set, i), query));
    return top_finish(&best);
}
