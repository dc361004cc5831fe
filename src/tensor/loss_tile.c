/* Tiles of rows against chunks of products. See loss_tile.h. */
#include "tensor/loss_tile.h"

#include <math.h>
#include <string.h>

/* Rows of a tile. The stash is written and read once whatever the tile, dm and the operands pass
 * by once a tile: a larger one saves traffic in proportion to the width, but its stash, rows x
 * V words, drives all else out of the caches. Measured on Zen 5 with two workers, V = 3,416 to
 * 18,357: 4 MiB are best at width 64 (2 and 8 up to a tenth slower), 16 at width 128 (4 are a
 * fifth slower); hence bytes by the square of the width. */
enum { STASH_BYTES_64 = 4 << 20, ROWS_LEAST = 48, ROWS_MOST = 240 };

_Static_assert(ROWS_LEAST % LOSS_BLOCK == 0 && ROWS_MOST % LOSS_BLOCK == 0,
               "whole blocks");

/* Sums of a chunk above or totals below leave the range where every part still counts: floats
 * reach from 2^-126 to 2^127. */
#define SUM_MOST 0x1p60F
#define SUM_LEAST 0x1p-40

/* ---- memory ---- */

static size_t chunks_of(const loss_tile *t)
{
    return t->V == 0 ? 1 : (t->V + LOSS_CHUNK - 1) / LOSS_CHUNK;
}

static size_t rows_that_fit(const loss_tile *t)
{
    const size_t row = chunks_of(t) * LOSS_CHUNK * (t->precision == TENSOR_BF16 ? 2 : 4);
    const double bytes = STASH_BYTES_64 * (double)t->D * (double)t->D / (64 * 64);
    const double rows = bytes / (double)row;
    if (rows <= ROWS_LEAST) return ROWS_LEAST;
    if (rows >= ROWS_MOST) return ROWS_MOST;
    return (size_t)rows / LOSS_BLOCK * LOSS_BLOCK;
}

void loss_tile_plan(loss_tile *t, workspace *w)
{
    const size_t rows = rows_that_fit(t), chunks = chunks_of(t);
    const size_t steps = loss_words(t->precision, rows);
    t->rows_most = rows;
    t->reference = workspace_take(w, rows, sizeof *t->reference);
    t->sum = workspace_take(w, rows, sizeof *t->sum);
    t->used = workspace_take(w, chunks * rows, sizeof *t->used);
    t->factor = workspace_take(w, rows, sizeof *t->factor);
    t->scaled = workspace_take(w, rows * t->D, sizeof *t->scaled);
    t->right = workspace_take(w, t->k->packed_bytes(t->precision, rows, t->D), 1);
    t->left = workspace_take(w, rows * loss_words(t->precision, t->D), sizeof *t->left);
    t->z = workspace_take(w, LOSS_BLOCK * LOSS_CHUNK, sizeof *t->z);
    t->weights = workspace_take(w, LOSS_BLOCK * LOSS_CHUNK, sizeof *t->weights);
    t->stash = workspace_take(w, chunks * LOSS_CHUNK * steps, sizeof *t->stash);
}

size_t loss_tile_rows(const loss_tile *t, size_t R)
{
    const size_t tiles = (R + t->rows_most - 1) / t->rows_most;
    if (tiles <= 1) return R;
    const size_t rows = (R + tiles - 1) / tiles;
    return (rows + LOSS_BLOCK - 1) / LOSS_BLOCK * LOSS_BLOCK;
}

/* ---- forward ---- */

void loss_tile_begin(loss_tile *t, size_t rows, const float *h)
{
    t->rows = rows;
    t->h = h;
    t->k->cross_entropy->left(t->precision, rows, t->D, h, t->left);
    for (size_t r = 0; r < rows; r++) {
        t->reference[r] = 0;
        t->sum[r] = 0;
    }
}

static loss_chunk chunk_of(const loss_tile *t, size_t first)
{
    const size_t left = t->V - first;
    const size_t steps = loss_words(t->precision, t->rows);
    return (loss_chunk){.precision = t->precision,
                        .D = t->D,
                        .forward = t->forward,
                        .backward = t->backward,
                        .bias = t->bias,
                        .V = t->V,
                        .first = first,
                        .n = left < LOSS_CHUNK ? left : LOSS_CHUNK,
                        .tile_steps = steps,
                        .z = t->z,
                        .weights = t->weights,
                        .stash = t->stash + first * steps};
}

static void make_logits(loss_tile *t, loss_chunk *c, size_t row)
{
    c->row = row;
    c->rows = t->rows - row < LOSS_BLOCK ? t->rows - row : LOSS_BLOCK;
    t->k->cross_entropy->logits(c, t->left);
    if (t->visit != NULL) t->visit(t->context, c);
}

static bool is_settled(double total, float part)
{
    return part <= SUM_MOST && total + (double)part >= SUM_LEAST;
}

/* Moves a row's reference to the chunk's maximum and takes along what was summed. */
static void move_reference(loss_tile *t, size_t row, float most, float *dh)
{
    const float old = t->reference[row];
    if (t->sum[row] == 0) { /* nothing yet */
        if (most > -INFINITY) t->reference[row] = most;
        return;
    }
    if (!(most > old)) return;
    const float by = expf(old - most);
    t->reference[row] = most;
    t->sum[row] *= (double)by;
    for (size_t d = 0; d < t->D && dh != NULL; d++)
        dh[row * t->D + d] *= by;
}

static void make_weights(loss_tile *t, const loss_chunk *c, float *dh)
{
    const cross_entropy_kernels *x = t->k->cross_entropy;
    float part[LOSS_BLOCK], most[LOSS_BLOCK];
    float *reference = t->reference + c->row;
    double *sum = t->sum + c->row;
    bool settled = true;
    x->exponentials(c, reference, part);
    for (size_t r = 0; r < c->rows; r++)
        settled &= is_settled(sum[r], part[r]);
    if (!settled) {
        x->maxima(c, most);
        for (size_t r = 0; r < c->rows; r++)
            if (!is_settled(sum[r], part[r])) move_reference(t, c->row + r, most[r], dh);
        x->exponentials(c, reference, part);
    }
    float *used = t->used + c->first / LOSS_CHUNK * t->rows_most + c->row;
    for (size_t r = 0; r < c->rows; r++) {
        sum[r] += (double)part[r];
        used[r] = reference[r];
    }
}

static void clear_states(const loss_tile *t, float *dh)
{
    for (size_t i = 0; i < t->rows * t->D && dh != NULL; i++)
        dh[i] = 0;
}

void loss_tile_softmax(loss_tile *t, float *dh)
{
    clear_states(t, dh);
    for (size_t first = 0; first < t->V; first += LOSS_CHUNK) {
        loss_chunk c = chunk_of(t, first);
        for (size_t row = 0; row < t->rows; row += LOSS_BLOCK) {
            make_logits(t, &c, row);
            make_weights(t, &c, dh);
            if (dh != NULL) t->k->cross_entropy->states(&c, dh + row * t->D);
        }
    }
}

void loss_tile_sigmoid(loss_tile *t, float *dh)
{
    double part[LOSS_BLOCK];
    clear_states(t, dh);
    for (size_t first = 0; first < t->V; first += LOSS_CHUNK) {
        loss_chunk c = chunk_of(t, first);
        for (size_t row = 0; row < t->rows; row += LOSS_BLOCK) {
            make_logits(t, &c, row);
            t->k->cross_entropy->sigmoids(&c, part);
            for (size_t r = 0; r < c.rows; r++)
                t->sum[row + r] += part[r];
            if (dh != NULL) t->k->cross_entropy->states(&c, dh + row * t->D);
        }
    }
}

/* ---- backward ---- */

/* The rows times t->factor, packed as right operand. */
static void scale_states(loss_tile *t)
{
    for (size_t r = 0; r < t->rows; r++)
        for (size_t d = 0; d < t->D; d++)
            t->scaled[r * t->D + d] = t->factor[r] * t->h[r * t->D + d];
    t->k->pack(t->precision, t->rows, t->D, t->scaled, t->D, 1, t->right);
}

/* factor = scale e^(reference of the chunk - log-sum-exp). False: the references, and so the
 * factors, are those of the chunk before, which is nearly always so. */
static bool find_factors(loss_tile *t, size_t chunk, float scale)
{
    const float *used = t->used + chunk * t->rows_most;
    if (chunk > 0 && memcmp(used, used - t->rows_most, t->rows * sizeof *used) == 0)
        return false;
    for (size_t r = 0; r < t->rows; r++) {
        const double below = exp((double)used[r] - (double)t->reference[r]);
        t->factor[r] = (float)((double)scale * below / t->sum[r]);
    }
    return true;
}

void loss_tile_softmax_gradient(loss_tile *t, float scale, float *dm, float *dbias)
{
    const cross_entropy_kernels *x = t->k->cross_entropy;
    for (size_t first = 0; first < t->V; first += LOSS_CHUNK) {
        const loss_chunk c = chunk_of(t, first);
        if (find_factors(t, first / LOSS_CHUNK, scale)) scale_states(t);
        x->products(&c, t->right, dm + first * t->D);
        if (dbias != NULL) x->column_sums(&c, t->rows, t->factor, dbias + first);
    }
}

void loss_tile_sigmoid_gradient(loss_tile *t, float scale, float *dm)
{
    for (size_t r = 0; r < t->rows; r++)
        t->factor[r] = scale;
    scale_states(t);
    for (size_t first = 0; first < t->V; first += LOSS_CHUNK) {
        const loss_chunk c = chunk_of(t, first);
        t->k->cross_entropy->products(&c, t->right, dm + first * t->D);
    }
}
