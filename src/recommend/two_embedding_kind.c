/*
 * The two-embedding model as a recommender. With ratings it learns them. Without, each event is
 * a 1 and one product drawn evenly a 0, anew in every epoch. Shuffled, ten epochs; the lazy form
 * of Adam, since a catalogue's rows are mostly untouched by a batch of 32.
 *
 * What is kept is w q_i: the model is additive, so a shopper's part moves all scores alike.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "base/random.h"
#include "recommend/kinds.h"
#include "recommend/two_embedding.h"
#include "tensor/kernels.h"

enum { EPOCHS = 10, START_STREAM = 0x2e, EPOCH_STREAM = 0x2e00 };

typedef struct additive {
    uint64_t n_products;
    float *score; /* [V] */
} additive;

static void additive_free(void *state)
{
    additive *m = state;
    if (m == NULL) return;
    mem_free(m->score);
    mem_free(m);
}

static additive *additive_new(uint64_t n_products)
{
    additive *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return NULL;
    m->n_products = n_products;
    m->score = mem_alloc((size_t)n_products, sizeof *m->score);
    if (m->score != NULL) return m;
    mem_free(m);
    return NULL;
}

/* ---- lessons ---- */

typedef struct lessons {
    size_t n;
    uint32_t *user, *product;
    float *target;
} lessons;

static void lessons_free(lessons *l)
{
    mem_free(l->user);
    mem_free(l->product);
    mem_free(l->target);
}

static bool lessons_new(lessons *l, const interactions *x)
{
    size_t most = (size_t)x->n * (x->rating ? 1 : 2);
    *l = (lessons){.user = mem_alloc(most, sizeof *l->user),
                   .product = mem_alloc(most, sizeof *l->product),
                   .target = mem_alloc(most, sizeof *l->target)};
    return l->user && l->product && l->target;
}

static void add_lesson(lessons *l, uint32_t user, uint32_t product, float target)
{
    l->user[l->n] = user;
    l->product[l->n] = product;
    l->target[l->n++] = target;
}

static void swap(lessons *l, size_t a, size_t b)
{
    uint32_t user = l->user[a], product = l->product[a];
    float target = l->target[a];
    l->user[a] = l->user[b];
    l->product[a] = l->product[b];
    l->target[a] = l->target[b];
    l->user[b] = user;
    l->product[b] = product;
    l->target[b] = target;
}

/* An epoch's rows in a random order (Fisher and Yates). */
static void write_lessons(lessons *l, const interactions *x, random_stream *r)
{
    l->n = 0;
    for (uint32_t u = 0; u < x->n_users; u++)
        for (uint64_t i = x->first[u]; i < x->first[u + 1]; i++) {
            add_lesson(l, u, x->product[i], x->rating ? x->rating[i] : 1);
            if (!x->rating) add_lesson(l, u, random_below(r, x->n_products), 0);
        }
    for (size_t i = l->n; i > 1; i--)
        swap(l, i - 1, random_below(r, (uint32_t)i));
}

/* ---- fitting ---- */

/* Embeddings uniform in +-0.05, the dense unit by Glorot, as Keras starts them. */
static void start(two_embedding *m, const interactions *x, size_t D, uint64_t seed)
{
    random_stream r = random_begin(seed, START_STREAM);
    size_t rows = (size_t)x->n_users + x->n_products;
    float *w = two_embedding_unit(m), *all = two_embedding_users(m);
    for (size_t i = 0; i < rows * D; i++)
        all[i] = (float)(0.1 * random_unit(&r) - 0.05);
    double limit = sqrt(6.0 / (double)(D + 1));
    for (size_t d = 0; d < D; d++)
        w[d] = (float)(limit * (2 * random_unit(&r) - 1));
}

static bool learn(two_embedding *m, lessons *l, const recommend_input *input)
{
    double loss = 0;
    for (int epoch = 0; epoch < EPOCHS && isfinite(loss) && !progress_cancelled(); epoch++) {
        random_stream r = random_begin(input->seed, EPOCH_STREAM + (uint64_t)epoch);
        write_lessons(l, input->train, &r);
        loss = two_embedding_epoch(m, l->n, l->user, l->product, l->target);
    }
    return isfinite(loss);
}

static void keep(two_embedding *m, size_t D, additive *out)
{
    const float *w = two_embedding_unit(m), *q = two_embedding_products(m);
    for (uint64_t v = 0; v < out->n_products; v++)
        out->score[v] = kernels_choose(NULL)->dot(D, w, q + v * D);
}

static pf_status fit(const recommend_input *input, void **state, pf_error *err)
{
    const interactions *x = input->train;
    two_embedding_options o = two_embedding_options_default();
    two_embedding *m = NULL;
    lessons l = {0};
    if (x->n > UINT32_MAX / 2)
        return error_set(err, PF_LIMIT, "%llu events are more than it learns from",
                         (unsigned long long)x->n);
    o.lazy = true;
    additive *out = additive_new(x->n_products);
    pf_status s = out && lessons_new(&l, x)
                      ? two_embedding_new(&m, x->n_users, x->n_products, &o, err)
                      : error_set(err, PF_NO_MEMORY, "out of memory for a model");
    if (s == PF_OK) {
        start(m, x, o.width, input->seed);
        if (!learn(m, &l, input))
            s = error_set(err, PF_DATA, "the loss is no number: a rating is out of range");
    }
    if (s == PF_OK) keep(m, o.width, out);
    two_embedding_free(m);
    lessons_free(&l);
    if (s != PF_OK)
        additive_free(out);
    else
        *state = out;
    return s;
}

static void score(const void *state, const recommend_query *query, float *scores,
                  recommend_scratch *scratch)
{
    const additive *m = state;
    (void)query;
    (void)scratch;
    memcpy(scores, m->score, (size_t)m->n_products * sizeof *scores);
}

static pf_status save(const void *state, safetensors_writer *file, pf_error *err)
{
    const additive *m = state;
    return safetensors_add(file, "score", TENSOR_F32, m->score, 1, &m->n_products, err);
}

static pf_status load(const safetensors *file, uint32_t n_products, void **state,
                      pf_error *err)
{
    const tensor_view *t = NULL;
    pf_status s = safetensors_find(file, "score", TENSOR_F32, 1, n_products, &t, err);
    if (s != PF_OK) return s;
    for (uint32_t v = 0; v < n_products; v++)
        if (!isfinite(((const float *)t->data)[v]))
            return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                                "a score is not finite; train again");
    additive *m = additive_new(n_products);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    memcpy(m->score, t->data, n_products * sizeof *m->score);
    *state = m;
    return PF_OK;
}

const recommender_kind two_embedding_kind = {
    .name = "two-embedding",
    .summary = "a vector a shopper, a vector a product, one dense unit: the textbook's",
    .source = "Keras's introduction to embeddings; additive, so all shoppers get one ranking",
    .trained = true,
    .fit = fit,
    .score = score,
    .save = save,
    .load = load,
    .free = additive_free,
};
