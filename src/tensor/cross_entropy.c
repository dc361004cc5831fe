/*
 * Cross-entropy over the whole catalogue (losses.h), tile by tile (loss_tile.h):
 *
 *     loss  = sum_r  log sum_v e^z_rv - sum_v q_rv z_rv,   q_r = (1 - s) onehot(target) + s / V
 *     dh_r  = scale (sum_v p_rv m_v - (1 - s) m_target - (s / V) sum_v m_v)
 *     dm_v += scale (sum_r p_rv h_r - (1 - s) sum_{r: target = v} h_r - (s / V) sum_r h_r)
 *
 * The parts with p are the tile's; those of q are added here, row by row.
 */
#include <math.h>
#include <string.h>

#include "tensor/loss_tile.h"
#include "tensor/losses.h"

typedef struct cross_entropy_pass {
    loss_tile tile;
    const uint32_t *target; /* of the tile's first row */
    float *target_logit;    /* [rows_most] */
    const loss_omissions *omit; /* or NULL */
    const uint32_t *set;        /* of the tile's first row */
    uint64_t *omitted;          /* [rows_most] the first omission that is not left out yet */
    /* for smoothing */
    float smoothing;
    double *logit_sum;    /* [rows_most] */
    float *m_sum, *h_sum; /* [D] */
} cross_entropy_pass;

static void plan(cross_entropy_pass *x, workspace *w)
{
    loss_tile_plan(&x->tile, w);
    x->target_logit = workspace_take(w, x->tile.rows_most, sizeof *x->target_logit);
    x->omitted = workspace_take(w, x->tile.rows_most, sizeof *x->omitted);
    x->logit_sum = workspace_take(w, x->tile.rows_most, sizeof *x->logit_sum);
    x->m_sum = workspace_take(w, x->tile.D, sizeof *x->m_sum);
    x->h_sum = workspace_take(w, x->tile.D, sizeof *x->h_sum);
}

size_t cross_entropy_scratch_bytes(const tensor_kernels *k, tensor_precision p, size_t V,
                                   size_t D)
{
    cross_entropy_pass x = {.tile = {.k = k, .precision = p, .V = V, .D = D}};
    workspace w = workspace_counting();
    plan(&x, &w);
    return w.overflow ? SIZE_MAX : w.most;
}

/* Chunks come in ascending order, so do a row's omissions. */
static void leave_out(cross_entropy_pass *x, const loss_chunk *c, size_t r)
{
    const loss_omissions *o = x->omit;
    const size_t row = c->row + r, set = x->set[row], behind = c->first + c->n;
    uint64_t i = c->first == 0 ? o->from[set] : x->omitted[row];
    for (; i < o->end[set] && o->products[i] < behind; i++)
        if (o->products[i] != x->target[row])
            c->z[r * LOSS_CHUNK + o->products[i] - c->first] = -INFINITY;
    x->omitted[row] = i;
}

/* The targets' logits, when their chunk passes by, and for smoothing the sum of all. */
static void take_logits(void *context, const loss_chunk *c)
{
    cross_entropy_pass *x = context;
    for (size_t r = 0; r < c->rows; r++) {
        const float *z = c->z + r * LOSS_CHUNK;
        const size_t at = (size_t)x->target[c->row + r] - c->first;
        if (at < c->n) x->target_logit[c->row + r] = z[at];
        if (x->omit != NULL) leave_out(x, c, r);
        if (x->smoothing == 0) continue;
        const double before = c->first == 0 ? 0 : x->logit_sum[c->row + r];
        x->logit_sum[c->row + r] = before + (double)x->tile.k->sum(c->n, z);
    }
}

static void sum_rows(const tensor_kernels *k, size_t n, size_t D, const float *rows,
                     float *sum)
{
    for (size_t i = 0; i < n; i++)
        k->add_scaled(D, 1, rows + i * D, sum);
}

/* The part of q in a row's loss: (1 - s) z_target + (s / V) sum_v z_v. */
static double expected_logit(const cross_entropy_pass *x, size_t row)
{
    const double s = (double)x->smoothing, at_target = (double)x->target_logit[row];
    return s > 0 ? (1 - s) * at_target + s * x->logit_sum[row] / (double)x->tile.V
                 : at_target;
}

/* dh = scale (sum p m - sum q m); the tile left sum e^(z - reference) m. */
static void finish_states(const cross_entropy_pass *x, const float *m, float scale,
                          float *dh)
{
    const loss_tile *t = &x->tile;
    const size_t D = t->D;
    const float smoothing = x->smoothing;
    for (size_t r = 0; r < t->rows; r++) {
        const float share = (float)((double)scale / t->sum[r]);
        for (size_t d = 0; d < D; d++)
            dh[r * D + d] *= share;
        t->k->add_scaled(D, -scale * (1 - smoothing), m + x->target[r] * D, dh + r * D);
        if (smoothing > 0)
            t->k->add_scaled(D, -scale * smoothing / (float)t->V, x->m_sum, dh + r * D);
    }
}

/* What q takes from the targets' products. */
static void take_from_targets(const cross_entropy_pass *x, float by, float *dm,
                              float *dbias)
{
    const loss_tile *t = &x->tile;
    for (size_t r = 0; r < t->rows; r++) {
        const size_t v = x->target[r];
        t->k->add_scaled(t->D, -by, t->h + r * t->D, dm + v * t->D);
        if (dbias != NULL) dbias[v] -= by;
    }
}

/* What smoothing takes from every product, for all R rows. */
static void take_from_all(const cross_entropy_pass *x, size_t R, float by, float *dm,
                          float *dbias)
{
    const loss_tile *t = &x->tile;
    for (size_t v = 0; v < t->V; v++) {
        t->k->add_scaled(t->D, -by, x->h_sum, dm + v * t->D);
        if (dbias != NULL) dbias[v] -= by * (float)R;
    }
}

static double tile_loss(const cross_entropy_pass *x)
{
    const loss_tile *t = &x->tile;
    double loss = 0;
    for (size_t r = 0; r < t->rows; r++)
        loss += (double)t->reference[r] + log(t->sum[r]) - expected_logit(x, r);
    return loss;
}

static cross_entropy_pass begin(const tensor_kernels *k, const catalogue_operand *c,
                                float smoothing, void *scratch)
{
    cross_entropy_pass x = {.tile = {.k = k,
                                     .precision = c->precision,
                                     .V = c->V,
                                     .D = c->D,
                                     .forward = c->forward,
                                     .backward = c->backward,
                                     .bias = c->bias,
                                     .visit = take_logits},
                            .smoothing = smoothing};
    workspace w = {.base = scratch,
                   .bytes = cross_entropy_scratch_bytes(k, c->precision, c->V, c->D)};
    plan(&x, &w);
    if (smoothing == 0) return x;
    memset(x.m_sum, 0, c->D * sizeof *x.m_sum);
    memset(x.h_sum, 0, c->D * sizeof *x.h_sum);
    sum_rows(k, c->V, c->D, c->m, x.m_sum);
    return x;
}

double cross_entropy(const tensor_kernels *k, const catalogue_operand *c, size_t R,
                     const float *h, const uint32_t *target, const loss_omissions *omit,
                     float scale, float smoothing, float *dh, float *dm, float *dbias,
                     void *scratch)
{
    cross_entropy_pass x = begin(k, c, smoothing, scratch);
    x.tile.context = &x;
    x.omit = omit;
    const size_t D = c->D, most = loss_tile_rows(&x.tile, R);
    double loss = 0;
    for (size_t row = 0; row < R; row += most) {
        x.target = target + row;
        if (omit != NULL) x.set = omit->set + row;
        loss_tile_begin(&x.tile, R - row < most ? R - row : most, h + row * D);
        loss_tile_softmax(&x.tile, dh == NULL ? NULL : dh + row * D);
        loss += tile_loss(&x);
        if (dh != NULL) finish_states(&x, c->m, scale, dh + row * D);
        if (dm == NULL) continue;
        loss_tile_softmax_gradient(&x.tile, scale, dm, dbias);
        take_from_targets(&x, scale * (1 - smoothing), dm, dbias);
        if (smoothing > 0) sum_rows(k, x.tile.rows, D, x.tile.h, x.h_sum);
    }
    if (dm != NULL && smoothing > 0)
        take_from_all(&x, R, scale * smoothing / (float)c->V, dm, dbias);
    return loss;
}
