/* Values, gradients and moments are four blocks of one layout:
 *
 *     | users [U x D] | products [V x D] | w [D] | b |
 */
#include "recommend/two_embedding.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "tensor/kernels.h"

struct two_embedding {
    two_embedding_options o;
    const tensor_kernels *k;
    uint32_t U, V;
    size_t floats;
    float *value, *gradient, *first, *second;
    uint64_t steps;
};

two_embedding_options two_embedding_options_default(void)
{
    return (two_embedding_options){.width = 64,
                                   .batch = 32,
                                   .rate = 1e-3f,
                                   .beta1 = 0.9f,
                                   .beta2 = 0.999f,
                                   .epsilon = 1e-7f};
}

pf_status two_embedding_new(two_embedding **out, uint32_t n_users, uint32_t n_products,
                            const two_embedding_options *options, pf_error *err)
{
    two_embedding *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    *m = (two_embedding){.o = *options,
                         .k = kernels_choose(NULL),
                         .U = n_users,
                         .V = n_products,
                         .floats = ((size_t)n_users + n_products + 1) * options->width + 1};
    float **const blocks[] = {&m->value, &m->gradient, &m->first, &m->second};
    for (size_t i = 0; i < 4; i++) {
        *blocks[i] = mem_alloc_aligned(m->floats, sizeof(float));
        if (*blocks[i] == NULL) {
            two_embedding_free(m);
            return error_set(err, PF_NO_MEMORY, "out of memory for %zu parameters",
                             m->floats);
        }
        memset(*blocks[i], 0, m->floats * sizeof(float));
    }
    *out = m;
    return PF_OK;
}

void two_embedding_free(two_embedding *m)
{
    if (m == NULL) return;
    mem_free(m->value);
    mem_free(m->gradient);
    mem_free(m->first);
    mem_free(m->second);
    mem_free(m);
}

float *two_embedding_users(two_embedding *m)
{
    return m->value;
}

static size_t product_offset(const two_embedding *m, uint32_t v)
{
    return ((size_t)m->U + v) * m->o.width;
}

float *two_embedding_products(two_embedding *m)
{
    return m->value + product_offset(m, 0);
}

float *two_embedding_unit(two_embedding *m)
{
    return m->value + product_offset(m, m->V);
}

float two_embedding_predict(const two_embedding *m, uint32_t user, uint32_t product)
{
    const float *p = m->value + user * m->o.width;
    const float *q = m->value + product_offset(m, product);
    const float *w = m->value + product_offset(m, m->V);
    return m->k->dot(m->o.width, w, p) + m->k->dot(m->o.width, w, q) + w[m->o.width];
}

/* Adds the gradient of (y - t)^2 / rows of one row; returns (y - t)^2. */
static double learn_row(two_embedding *m, uint32_t user, uint32_t product, float target,
                        size_t rows)
{
    size_t D = m->o.width, p = user * D, q = product_offset(m, product);
    size_t w = product_offset(m, m->V);
    float off = two_embedding_predict(m, user, product) - target;
    float g = 2 * off / (float)rows; /* d loss / d y */
    m->k->add_scaled(D, g, m->value + p, m->gradient + w);
    m->k->add_scaled(D, g, m->value + q, m->gradient + w);
    m->k->add_scaled(D, g, m->value + w, m->gradient + p);
    m->k->add_scaled(D, g, m->value + w, m->gradient + q);
    m->gradient[w + D] += g;
    return (double)off * (double)off;
}

/* Adam on one stretch, whose gradient becomes zero. Keras adds epsilon to the root before the
 * correction, which is epsilon over the root of the correction after it. */
static void move(two_embedding *m, size_t from, size_t n)
{
    const two_embedding_options *o = &m->o;
    float c1 = (float)(1 - pow((double)o->beta1, (double)m->steps));
    float c2 = (float)(1 - pow((double)o->beta2, (double)m->steps));
    m->k->adam(n, 1, o->rate, o->beta1, o->beta2, o->epsilon / sqrtf(c2), c1, c2, 0,
               m->gradient + from, m->value + from, m->first + from, m->second + from);
    memset(m->gradient + from, 0, n * sizeof *m->gradient);
}

/* A row that stands twice in the batch has no gradient left the second time, and is moved
 * once: its gradient tells. */
static void move_row(two_embedding *m, size_t from)
{
    for (size_t d = 0; d < m->o.width; d++)
        if (m->gradient[from + d] < 0 || m->gradient[from + d] > 0) {
            move(m, from, m->o.width);
            return;
        }
}

static void move_lazily(two_embedding *m, size_t n, const uint32_t *user,
                        const uint32_t *product)
{
    for (size_t i = 0; i < n; i++) {
        move_row(m, user[i] * m->o.width);
        move_row(m, product_offset(m, product[i]));
    }
    move(m, product_offset(m, m->V), m->o.width + 1);
}

double two_embedding_epoch(two_embedding *m, size_t n, const uint32_t *user,
                           const uint32_t *product, const float *target)
{
    double sum = 0;
    for (size_t from = 0; from < n; from += m->o.batch) {
        size_t rows = n - from < m->o.batch ? n - from : m->o.batch;
        for (size_t i = from; i < from + rows; i++)
            sum += learn_row(m, user[i], product[i], target[i], rows);
        m->steps++;
        if (m->o.lazy)
            move_lazily(m, rows, user + from, product + from);
        else
            move(m, 0, m->floats);
    }
    return n > 0 ? sum / (double)n : 0;
}
