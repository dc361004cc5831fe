/*
 * Implicit alternating least squares (Hu, Koren, Volinsky, ICDM 2008, equations 3 to 5): a
 * product taken r times by a shopper is wanted (p = 1) with confidence c = 1 + alpha r, all
 * others are not (p = 0) with confidence 1,
 *
 *     min sum_ui c_ui (p_ui - x_u y_i)^2 + lambda (sum |x_u|^2 + sum |y_i|^2)
 *     x_u = (Y^T Y + alpha sum_i r_ui y_i y_i^T + lambda I)^-1 sum_i (1 + alpha r_ui) y_i
 *
 * Only the products' factors are kept: a shopper's are solved for from the past that is asked
 * with, so who is new and what is new of a shopper are served alike. alpha and lambda are the
 * pair of a small grid that foresees the validation events best; without such events, 10, 1.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "base/random.h"
#include "recommend/kinds.h"
#include "recommend/scratch.h"
#include "recommend/sparse.h"
#include "recommend/validation.h"
#include "tensor/kernels.h"

enum { FACTORS = 64, ROUNDS = 12, RANDOM_STREAM = 0xa15 };

typedef struct confidence {
    float alpha, lambda;
} confidence;

static const confidence grid[] = {{1, 1}, {10, 1}, {10, 10}, {40, 10}};
static const confidence unasked = {10, 1};
enum { GRID = sizeof grid / sizeof grid[0] };

typedef struct als {
    uint64_t shape[2]; /* V, F */
    float *y;          /* [V x F] */
    float gram[FACTORS * FACTORS]; /* Y^T Y + lambda I */
    float alpha, lambda;
} als;

static void als_free(void *state)
{
    als *m = state;
    if (m == NULL) return;
    mem_free(m->y);
    mem_free(m);
}

static als *als_new(uint32_t n_products)
{
    als *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return NULL;
    m->shape[0] = n_products;
    m->shape[1] = FACTORS;
    m->y = mem_alloc_aligned((size_t)n_products * FACTORS, sizeof *m->y);
    if (m->y != NULL) return m;
    mem_free(m);
    return NULL;
}

/* ---- one row ---- */

/* a, lower triangle, becomes L of a = L L^T, and x the solution of a x = x. The diagonal is at
 * least lambda > 0, so the pivots are positive up to rounding. */
static void cholesky_in_place(const tensor_kernels *k, float *a, float *x)
{
    for (int i = 0; i < FACTORS; i++) {
        for (int j = 0; j <= i; j++) {
            float sum = a[i * FACTORS + j] -
                        k->dot((size_t)j, a + i * FACTORS, a + j * FACTORS);
            a[i * FACTORS + j] = i == j ? sqrtf(fmaxf(sum, 1e-12f))
                                        : sum / a[j * FACTORS + j];
        }
        x[i] = (x[i] - k->dot((size_t)i, a + i * FACTORS, x)) / a[i * FACTORS + i];
    }
    for (int i = FACTORS - 1; i >= 0; i--) {
        x[i] /= a[i * FACTORS + i];
        for (int j = 0; j < i; j++)
            x[j] -= a[i * FACTORS + j] * x[i];
    }
}

/* a [F x F] and x [F] become those of nobody: nothing taken. */
static void row_begin(const float *gram, float *a, float *x)
{
    memcpy(a, gram, FACTORS * FACTORS * sizeof *a);
    memset(x, 0, FACTORS * sizeof *x);
}

/* Something with the factors y was taken `times` times. */
static void row_add(const tensor_kernels *k, const float *y, float alpha, float times,
                    float *a, float *x)
{
    for (int i = 0; i < FACTORS; i++)
        k->add_scaled((size_t)i + 1, alpha * times * y[i], y, a + i * FACTORS);
    k->add_scaled(FACTORS, 1 + alpha * times, y, x);
}

/* ---- fitting ---- */

/* gram = M^T M + lambda I, lower triangle. */
static void fill_gram(const tensor_kernels *k, const float *m, size_t rows, float lambda,
                      float *gram)
{
    memset(gram, 0, FACTORS * FACTORS * sizeof *gram);
    for (size_t r = 0; r < rows; r++)
        for (int i = 0; i < FACTORS; i++)
            k->add_scaled((size_t)i + 1, m[r * FACTORS + (size_t)i], m + r * FACTORS,
                          gram + i * FACTORS);
    for (int i = 0; i < FACTORS; i++)
        gram[i * FACTORS + i] += lambda;
}

/* One half round: rows of `of` from the factors of the other side. */
typedef struct half {
    const tensor_kernels *k;
    const sparse *taken;
    const float *other; /* factors of the columns */
    const float *gram;
    float *own; /* [rows x F] */
    float alpha;
} half;

enum { ROWS_A_TASK = 64 };

static void solve_rows(void *context, size_t task, unsigned worker)
{
    const half *h = context;
    float a[FACTORS * FACTORS];
    (void)worker;
    uint32_t end = (uint32_t)(task + 1) * ROWS_A_TASK;
    if (end > h->taken->rows) end = h->taken->rows;
    for (uint32_t r = (uint32_t)task * ROWS_A_TASK; r < end && !progress_cancelled(); r++) {
        float *x = h->own + (size_t)r * FACTORS;
        row_begin(h->gram, a, x);
        for (uint64_t i = h->taken->start[r]; i < h->taken->start[r + 1]; i++)
            row_add(h->k, h->other + (size_t)h->taken->column[i] * FACTORS, h->alpha,
                    h->taken->value[i], a, x);
        cholesky_in_place(h->k, a, x);
    }
}

static void run_half(half *h, pool *threads)
{
    pool_run(threads, (h->taken->rows + ROWS_A_TASK - 1) / ROWS_A_TASK, solve_rows, h);
}

static void start(als *m, uint64_t seed)
{
    random_stream r = random_begin(seed, RANDOM_STREAM);
    for (size_t i = 0; i < m->shape[0] * FACTORS; i++)
        m->y[i] = 0.1f * (float)random_normal(&r);
}

/* What fitting reads and fills besides the model. */
typedef struct work {
    sparse by_shopper, by_product;
    float *x; /* [U x F] */
} work;

static void alternate(als *m, const work *w, confidence c, uint64_t seed, pool *threads)
{
    const tensor_kernels *k = kernels_choose(NULL);
    float gram[FACTORS * FACTORS];
    m->alpha = c.alpha;
    m->lambda = c.lambda;
    start(m, seed);
    for (int round = 0; round < ROUNDS && !progress_cancelled(); round++) {
        fill_gram(k, m->y, (size_t)m->shape[0], c.lambda, m->gram);
        half shoppers = {k, &w->by_shopper, m->y, m->gram, w->x, c.alpha};
        run_half(&shoppers, threads);
        if (progress_cancelled()) break; /* rows are missing */
        fill_gram(k, w->x, w->by_shopper.rows, c.lambda, gram);
        half products = {k, &w->by_product, w->x, gram, m->y, c.alpha};
        run_half(&products, threads);
    }
    fill_gram(k, m->y, (size_t)m->shape[0], c.lambda, m->gram);
}

/* The best of the grid by validation, left in the model. */
static pf_status choose(als *m, const work *w, const recommend_input *input, pf_error *err)
{
    double best = -1, ndcg = 0;
    size_t chosen = 0;
    pf_status s = PF_OK;
    for (size_t i = 0; i < GRID && s == PF_OK && !progress_cancelled(); i++) {
        alternate(m, w, grid[i], input->seed, input->pool);
        if (progress_cancelled()) break;
        s = recommend_validate(&als_kind, m, input, &ndcg, err);
        if (s == PF_OK && ndcg > best) {
            best = ndcg;
            chosen = i;
        }
    }
    if (s == PF_OK && chosen != GRID - 1)
        alternate(m, w, grid[chosen], input->seed, input->pool);
    return s;
}

/* Shoppers x products, how often each was taken. */
static pf_status count_taken(const interactions *x, work *w, pf_error *err)
{
    sparse_counter k;
    sparse_count_begin(&k, x->n_users, x->n_products);
    for (uint32_t u = 0; u < x->n_users; u++)
        for (uint64_t i = x->first[u]; i < x->first[u + 1]; i++)
            sparse_count(&k, u);
    sparse_fill_begin(&k);
    for (uint32_t u = 0; u < x->n_users; u++)
        for (uint64_t i = x->first[u]; i < x->first[u + 1]; i++)
            sparse_add(&k, u, x->product[i], 1);
    pf_status s = sparse_finish(&k, &w->by_shopper, err);
    return s == PF_OK ? sparse_transpose(&w->by_shopper, &w->by_product, err) : s;
}

static pf_status fit(const recommend_input *input, void **state, pf_error *err)
{
    work w = {0};
    als *m = als_new(input->train->n_products);
    w.x = mem_alloc_aligned((size_t)input->train->n_users * FACTORS, sizeof *w.x);
    pf_status s = m && w.x ? count_taken(input->train, &w, err)
                           : error_set(err, PF_NO_MEMORY, "out of memory for factors");
    bool asked = recommend_can_validate(input);
    if (s == PF_OK && asked) s = choose(m, &w, input, err);
    if (s == PF_OK && !asked) alternate(m, &w, unasked, input->seed, input->pool);
    sparse_free(&w.by_shopper);
    sparse_free(&w.by_product);
    mem_free(w.x);
    if (s != PF_OK)
        als_free(m);
    else
        *state = m;
    return s;
}

/* ---- scoring ---- */

static void score(const void *state, const recommend_query *query, float *scores,
                  recommend_scratch *scratch)
{
    const als *m = state;
    const tensor_kernels *k = kernels_choose(NULL);
    recommend_scratch rest = *scratch;
    float *a = recommend_scratch_take(&rest, FACTORS * FACTORS);
    float *x = recommend_scratch_take(&rest, FACTORS);
    float *times = recommend_scratch_take(&rest, (size_t)m->shape[0]);
    row_begin(m->gram, a, x);
    for (size_t i = 0; i < query->n; i++)
        times[query->product[i]] = 0;
    for (size_t i = 0; i < query->n; i++)
        times[query->product[i]] += 1;
    for (size_t i = 0; i < query->n; i++) {
        uint32_t v = query->product[i];
        if (times[v] > 0) row_add(k, m->y + (size_t)v * FACTORS, m->alpha, times[v], a, x);
        times[v] = 0;
    }
    cholesky_in_place(k, a, x);
    for (uint64_t v = 0; v < m->shape[0]; v++)
        scores[v] = k->dot(FACTORS, m->y + v * FACTORS, x);
}

static size_t scratch_floats(const void *state)
{
    const als *m = state;
    return recommend_scratch_room(FACTORS * FACTORS) + recommend_scratch_room(FACTORS) +
           recommend_scratch_room((size_t)m->shape[0]);
}

/* ---- files ---- */

static pf_status save(const void *state, safetensors_writer *file, pf_error *err)
{
    const als *m = state;
    pf_status s = safetensors_add(file, "factors", TENSOR_F32, m->y, 2, m->shape, err);
    if (s == PF_OK) s = safetensors_add(file, "alpha", TENSOR_F32, &m->alpha, 0, NULL, err);
    return s == PF_OK ? safetensors_add(file, "lambda", TENSOR_F32, &m->lambda, 0, NULL, err)
                      : s;
}

static pf_status read_number(const safetensors *file, const char *name, float *out,
                             pf_error *err)
{
    const tensor_view *t = NULL;
    pf_status s = safetensors_find(file, name, TENSOR_F32, 0, 1, &t, err);
    if (s != PF_OK) return s;
    *out = *(const float *)t->data;
    return *out > 0 && *out < 1e6f
               ? PF_OK
               : error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                              "%s is out of range; train again", name);
}

static pf_status load(const safetensors *file, uint32_t n_products, void **state,
                      pf_error *err)
{
    const tensor_view *t = NULL;
    size_t count = (size_t)n_products * FACTORS;
    pf_status s = safetensors_find(file, "factors", TENSOR_F32, 2, count, &t, err);
    if (s != PF_OK) return s;
    if (t->shape[0] != n_products)
        return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                            "the factors have a wrong shape; train again");
    for (size_t i = 0; i < count; i++)
        if (!isfinite(((const float *)t->data)[i]))
            return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                                "a factor is not finite; train again");
    als *m = als_new(n_products);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    memcpy(m->y, t->data, count * sizeof *m->y);
    s = read_number(file, "alpha", &m->alpha, err);
    if (s == PF_OK) s = read_number(file, "lambda", &m->lambda, err);
    if (s != PF_OK) {
        als_free(m);
        return s;
    }
    fill_gram(kernels_choose(NULL), m->y, n_products, m->lambda, m->gram);
    *state = m;
    return PF_OK;
}

const recommender_kind als_kind = {
    .name = "als",
    .summary = "factors of shoppers and products from what was taken",
    .source = "Hu, Koren, Volinsky, ICDM 2008, equations 3 to 5",
    .fit = fit,
    .score = score,
    .save = save,
    .load = load,
    .free = als_free,
    .scratch_floats = scratch_floats,
};
