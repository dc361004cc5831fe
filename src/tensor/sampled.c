/*
 * Losses over negatives that a batch shares (losses.h): sampled softmax and gBCE, with the
 * tiles of loss_tile.h. The negatives are the tile's products; each row's own target is added
 * here:
 *
 *     softmax   log(e^z+ + sum_j e^(z_j - log_expected_j)) - z+
 *     gBCE      beta log(1 + e^-z+) + sum_j log(1 + e^z_j)
 *
 * A negative that is the row's target gets the logit minus infinity and so weight 0.
 */
#include <math.h>
#include <string.h>

#include "tensor/loss_tile.h"
#include "tensor/losses.h"

/* A row's sum begins relative to 0 while the target's logit is within these. */
#define LOGIT_NEAR 20.0F

typedef struct sampled_pass {
    loss_tile tile;
    const negative_set *negatives;
    float *bias;     /* [n] -log_expected */
    float *gradient; /* [n x D] of the negatives */
    float *positive; /* [rows_most] the targets' logits */
    size_t *hit,
        *hits; /* [rows_most] negatives hit .. hit + hits - 1 are the row's target */
} sampled_pass;

static void plan(sampled_pass *x, workspace *w)
{
    loss_tile *t = &x->tile;
    loss_tile_plan(t, w);
    x->bias = workspace_take(w, t->V, sizeof *x->bias);
    x->gradient = workspace_take(w, t->V * t->D, sizeof *x->gradient);
    x->positive = workspace_take(w, t->rows_most, sizeof *x->positive);
    x->hit = workspace_take(w, t->rows_most, sizeof *x->hit);
    x->hits = workspace_take(w, t->rows_most, sizeof *x->hits);
}

size_t sampled_scratch_bytes(const tensor_kernels *k, tensor_precision p, size_t n,
                             size_t D)
{
    sampled_pass x = {.tile = {.k = k, .precision = p, .V = n, .D = D}};
    workspace w = workspace_counting();
    plan(&x, &w);
    return w.overflow ? SIZE_MAX : w.most;
}

static sampled_pass begin(const tensor_kernels *k, tensor_precision p,
                          const negative_set *negatives, size_t D, void *scratch)
{
    const size_t n = negatives->n;
    sampled_pass x = {.tile = {.k = k,
                               .precision = p,
                               .V = n,
                               .D = D,
                               .forward = negatives->forward,
                               .backward = negatives->backward},
                      .negatives = negatives};
    workspace w = {.base = scratch, .bytes = sampled_scratch_bytes(k, p, n, D)};
    plan(&x, &w);
    memset(x.gradient, 0, n * D * sizeof *x.gradient);
    if (negatives->log_expected == NULL) return x;
    for (size_t j = 0; j < n; j++)
        x.bias[j] = -negatives->log_expected[j];
    x.tile.bias = x.bias;
    return x;
}

/* ---- rows ---- */

/* The first negative that is not below `product`. */
static size_t first_not_below(const negative_set *s, uint64_t product)
{
    size_t low = 0, high = s->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (s->product[middle] < product)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void begin_rows(sampled_pass *x, size_t rows, const float *h,
                       const uint32_t *target, const float *m)
{
    loss_tile *t = &x->tile;
    loss_tile_begin(t, rows, h);
    for (size_t r = 0; r < rows; r++) {
        const uint64_t v = target[r];
        x->hit[r] = first_not_below(x->negatives, v);
        x->hits[r] = first_not_below(x->negatives, v + 1) - x->hit[r];
        x->positive[r] = t->k->dot(t->D, h + r * t->D, m + v * t->D);
    }
}

/* Negatives that are the row's target are taken out of the row. */
static void mask_hits(void *context, const loss_chunk *c)
{
    const sampled_pass *x = context;
    for (size_t r = 0; r < c->rows; r++) {
        const size_t from = x->hit[c->row + r], to = from + x->hits[c->row + r];
        for (size_t j = from > c->first ? from : c->first; j < to && j < c->first + c->n;
             j++)
            c->z[r * LOSS_CHUNK + j - c->first] = -INFINITY;
    }
}

/* ---- the two losses of a tile ---- */

/* dh = negatives * dh + own * m_target; dm_target += own * h. */
static void add_target(const sampled_pass *x, size_t r, uint32_t target, const float *m,
                       float negatives, float own, float *dh, float *dm)
{
    const loss_tile *t = &x->tile;
    const size_t D = t->D;
    for (size_t d = 0; d < D; d++)
        dh[r * D + d] *= negatives;
    t->k->add_scaled(D, own, m + target * D, dh + r * D);
    t->k->add_scaled(D, own, t->h + r * D, dm + target * D);
}

static double softmax_rows(sampled_pass *x, const uint32_t *target, const float *m,
                           float scale, float *dh, float *dm)
{
    loss_tile *t = &x->tile;
    double loss = 0;
    for (size_t r = 0; r < t->rows; r++) {
        const float z = x->positive[r];
        if (fabsf(z) > LOGIT_NEAR) t->reference[r] = z;
        t->sum[r] = exp((double)z - (double)t->reference[r]);
    }
    loss_tile_softmax(t, dh);
    for (size_t r = 0; r < t->rows; r++) {
        const double above = (double)x->positive[r] - (double)t->reference[r];
        const double p = exp(above) / t->sum[r];
        loss += log(t->sum[r]) - above;
        add_target(x, r, target[r], m, (float)((double)scale / t->sum[r]),
                   (float)((double)scale * (p - 1)), dh, dm);
    }
    loss_tile_softmax_gradient(t, scale, x->gradient, NULL);
    return loss;
}

/* The weight of the target: beta of equation 16, with the share of the catalogue sampled. */
static double gbce_beta(const negative_set *s)
{
    const double share =
        s->n_catalogue > 1 ? (double)s->n / (double)(s->n_catalogue - 1) : 1;
    return s->calibration * (share - 1) + 1;
}

static double log1p_exp(double z)
{
    return (z > 0 ? z : 0) + log1p(exp(-fabs(z)));
}

static double gbce_rows(sampled_pass *x, const uint32_t *target, const float *m,
                        float scale, float *dh, float *dm)
{
    loss_tile *t = &x->tile;
    const double beta = gbce_beta(x->negatives);
    double loss = 0;
    loss_tile_sigmoid(t, dh);
    for (size_t r = 0; r < t->rows; r++) {
        const double z = (double)x->positive[r];
        loss += t->sum[r] + beta * log1p_exp(-z);
        add_target(x, r, target[r], m, scale,
                   (float)(-(double)scale * beta / (1 + exp(z))), dh, dm);
    }
    loss_tile_sigmoid_gradient(t, scale, x->gradient);
    return loss;
}

double sampled_loss_step(const tensor_kernels *k, sampled_loss kind, tensor_precision p,
                         const negative_set *negatives, size_t D, const float *m,
                         size_t R, const float *h, const uint32_t *target, float scale,
                         float *dh, float *dm, void *scratch)
{
    sampled_pass x = begin(k, p, negatives, D, scratch);
    x.tile.visit = mask_hits;
    x.tile.context = &x;
    const size_t most = loss_tile_rows(&x.tile, R);
    double loss = 0;
    for (size_t row = 0; row < R; row += most) {
        const size_t rows = R - row < most ? R - row : most;
        begin_rows(&x, rows, h + row * D, target + row, m);
        loss += (kind == SAMPLED_GBCE ? gbce_rows : softmax_rows)(
            &x, target + row, m, scale, dh + row * D, dm);
    }
    for (size_t j = 0; j < negatives->n; j++)
        k->add_scaled(D, 1, x.gradient + j * D, dm + negatives->product[j] * D);
    return loss;
}
