/*
 * Attention of one head over a group of rows (attention_kernels.h) for one instruction set;
 * lanes_body.h says how it is included.
 *
 *     forward    S = Q K^T     P = weights of S     O = P V
 *     backward   G = dO V^T    dS = P (G - rowsum(dO O))    dQ = dS K   dK = dS^T Q   dV = P^T dO
 *
 * Every product runs on one register tile: its left operand is read a value at a time at any
 * strides, its right one a vector at a time. Where vectors run along the head's width (P V,
 * dS K, dS^T Q, P^T dO) operands are used where they lie; where they run along keys (Q K^T,
 * dO V^T) keys and values are transposed first into panels:
 *
 *     panel p: key p * PANEL + n of column d at panel[d * PANEL + n]
 *
 * Forward keeps whole rows of S for a few rows at a time, so that a softmax is two plain passes.
 * Backward knows the log-sum-exp and goes by tiles of rows x one panel of keys. Tiles that no
 * row of theirs sees are skipped, so a causal pass costs its half.
 *
 * Weights are powers of two: scores are taken in units of log 2.
 */
#include "tensor/attention_kernels.h"

#define ATTENTION_LOG2_E 1.44269504F
#define ATTENTION_LN_2 0.69314718F

_Static_assert(ATTENTION_TILE_ROWS % KERNEL_ROWS == 0, "tiles are whole register tiles");

/* ---- products ---- */

/* C [rows x vectors] = or += A B: A's value at a[r * a_row + s * a_step], B's vectors at
 * b[s * b_step]. */
typedef struct attention_product {
    size_t steps;
    const float *a;
    size_t a_row, a_step;
    const float *b;
    size_t b_step;
    float *c;
    size_t c_row;
    bool add;
} attention_product;

LANES_FUNCTION void attention_tile(const int rows, const int vectors, const attention_product *p)
{
    vector sum[KERNEL_ROWS][KERNEL_VECTORS];
    tile_sums(false, rows, vectors, p->steps, (const word *)p->a, p->a_row, p->a_step,
              (const word *)p->b, p->b_step, sum);
    float *c = p->c;
    const size_t c_row = p->c_row;
    if (p->add)
        for (int r = 0; r < rows; r++)
            for (int v = 0; v < vectors; v++)
                sum[r][v] += load(c + (size_t)r * c_row + v * KERNEL_LANES);
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++)
            store(c + (size_t)r * c_row + v * KERNEL_LANES, sum[r][v]);
}

LANES_FUNCTION void attention_tile_rows(const int rows, size_t vectors,
                                        const attention_product *p)
{
    if (vectors == 1)
        attention_tile(rows, 1, p);
    else if (KERNEL_VECTORS > 2 && vectors == 2)
        attention_tile(rows, KERNEL_VECTORS > 2 ? 2 : 1, p);
    else if (KERNEL_VECTORS > 3 && vectors == 3)
        attention_tile(rows, KERNEL_VECTORS > 3 ? 3 : 1, p);
    else
        attention_tile(rows, KERNEL_VECTORS, p);
}

/* Not inlined: one copy of each tile size serves all products. */
__attribute__((noinline)) static void attention_few_rows(size_t rows, size_t vectors,
                                                         const attention_product *p)
{
    switch (rows) {
    case 1: attention_tile_rows(1, vectors, p); break;
    case 2: attention_tile_rows(2, vectors, p); break;
    case 3: attention_tile_rows(3, vectors, p); break;
#if KERNEL_ROWS > 4
    case 4: attention_tile_rows(4, vectors, p); break;
#endif
#if KERNEL_ROWS > 5
    case 5: attention_tile_rows(5, vectors, p); break;
#endif
    default: attention_tile_rows(KERNEL_ROWS, vectors, p); break;
    }
}

/* Up to KERNEL_ROWS rows and all `width` columns; p is used up. */
static void attention_rows_by_width(size_t rows, size_t width, attention_product *p)
{
    for (size_t column = 0; column < width; column += KERNEL_PANEL) {
        const size_t left = (width - column) / KERNEL_LANES;
        attention_few_rows(rows, left < KERNEL_VECTORS ? left : KERNEL_VECTORS, p);
        p->b += KERNEL_PANEL;
        p->c += KERNEL_PANEL;
    }
}

/* Columns from..to - 1 (multiples of KERNEL_LANES) of A (panels)^T for few rows; column j of C
 * is p->c[j]. */
static void attention_rows_by_panels(size_t rows, size_t from, size_t to, const float *panels,
                                     attention_product *p)
{
    float *c = p->c;
    for (size_t j = from, vectors; j < to; j += vectors * KERNEL_LANES) {
        const size_t within = j % KERNEL_PANEL, left = (to - j) / KERNEL_LANES;
        vectors = (KERNEL_PANEL - within) / KERNEL_LANES;
        vectors = left < vectors ? left : vectors;
        p->b = panels + (j - within) * p->steps + within;
        p->c = c + j;
        attention_few_rows(rows, vectors, p);
    }
}

/* ---- passes over weights ---- */

/* 2^x as power_of_two_of, but 0 far down, so that what is masked weighs nothing, and infinity
 * from 128 up. NaN stays. The polynomial of degree 5 has the smallest relative error on
 * [-1/2, 1/2] (7.5e-8, found by Remez exchange). */
LANES_FUNCTION vector attention_power_of_two(vector x)
{
    x = larger(splat(-160.0F), smaller(splat(128.0F), x));
    const vector shifted = x + ROUNDING, n = shifted - ROUNDING, rest = x - n;
    vector p = rest * 1.3276472e-3F + 9.6755414e-3F;
    p = p * rest + 5.5507133e-2F;
    p = p * rest + 2.4022120e-1F;
    p = p * rest + 6.9314697e-1F;
    p = p * rest + 1.0000001F;
    return scaled_by_power(p, shifted);
}

/* sigma(x) of x in units of log 2. */
LANES_FUNCTION vector attention_sigmoid(vector x)
{
    return 1 / (1 + attention_power_of_two(-x));
}

LANES_FUNCTION vector_int attention_lanes_from(size_t j)
{
    vector_int lane;
    for (int i = 0; i < KERNEL_LANES; i++)
        lane[i] = i;
    return lane + (int32_t)j;
}

/* One row's view of a tile. */
typedef struct attention_row {
    int32_t first, last;
    const float *bias; /* bias[j] */
    float *dbias;
    uint32_t low, high; /* dropout's key of this row */
    int32_t number;     /* of key 0 in the batch */
    float log_sum;      /* in units of log 2 */
    float delta;
    float keys;         /* 1 / keys seen */
} attention_row;

/* The mix of SplitMix64 (Steele, Lea, Flood 2014, figure 13). */
LANES_FUNCTION uint64_t attention_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

LANES_FUNCTION attention_row attention_row_of(const attention_head *h, size_t i)
{
    attention_row r = {.first = (int32_t)h->first[i], .last = (int32_t)h->last[i]};
    if (h->pointwise) r.keys = 1 / (float)(r.last - r.first);
    if (h->bias) r.bias = h->bias - i;
    if (h->dbias) r.dbias = h->dbias - i;
    if (h->dropout.rate > 0) {
        const uint64_t key = attention_mix(
            h->dropout.key + UINT64_C(0x9E3779B97F4A7C15) * (h->dropout.number + i + 1));
        r.low = (uint32_t)key;
        r.high = (uint32_t)(key >> 32);
        r.number = (int32_t)h->dropout.number;
    }
    return r;
}

typedef uint32_t attention_bits __attribute__((vector_size(KERNEL_LANES * 4)));

/* 0 where a weight is dropped, kept_scale where not. A weight's 32 bits are its key's number
 * mixed with both halves of the row's key (multiplications and shifts of MurmurHash3's fmix32,
 * Appleby 2011, the second half of the key between them). */
LANES_FUNCTION vector attention_kept(const attention_head *h, const attention_row *r,
                                     vector_int j)
{
    attention_bits x = (attention_bits)(j + r->number) * 0x9E3779B1U + r->low;
    x = (x ^ (x >> 16)) * 0x85EBCA6BU;
    x = (x ^ r->high ^ (x >> 13)) * 0xC2B2AE35U;
    x ^= x >> 16;
    const vector_int kept = (vector_int)(x >= h->dropout.below);
    return (vector)(kept & (vector_int)splat(h->dropout.kept_scale));
}

/* q k of one row and keys from j: the score in units of log 2. */
LANES_FUNCTION vector attention_score(const attention_head *h, const attention_row *r,
                                      vector product, size_t j)
{
    product *= h->scale;
    if (r->bias) product += load(r->bias + j);
    return product * ATTENTION_LOG2_E;
}

/* s[j] of columns from..to - 1 becomes weights before the division by their sum, zero where
 * the row does not see; returns what the row of O must be multiplied with. */
static float attention_softmax(const attention_head *h, size_t i, size_t from, size_t to,
                               float *s)
{
    const attention_row r = attention_row_of(h, i);
    const vector none = splat(-INFINITY);
    vector most = none, total = {0};
    for (size_t j = from; j < to; j += KERNEL_LANES) {
        const vector_int key = attention_lanes_from(j);
        vector x = attention_score(h, &r, load(s + j), j);
        x = choose((key >= r.first) & (key < r.last), x, none);
        most = larger(most, x);
        store(s + j, x);
    }
    const float top = lanes_largest(most);
    for (size_t j = from; j < to; j += KERNEL_LANES) {
        vector p = attention_power_of_two(load(s + j) - top);
        total += p;
        if (h->dropout.rate > 0) p *= attention_kept(h, &r, attention_lanes_from(j));
        store(s + j, p);
    }
    /* attention_log_sums finishes what backward is given. */
    const float sum = lanes_sum(total);
    if (h->log_sum) h->log_sum[i * h->log_row] = top;
    h->delta[i] = sum;
    return 1 / sum;
}

static float attention_pointwise(const attention_head *h, size_t i, size_t from, size_t to,
                                 float *s)
{
    const attention_row r = attention_row_of(h, i);
    for (size_t j = from; j < to; j += KERNEL_LANES) {
        const vector_int key = attention_lanes_from(j);
        vector x = attention_score(h, &r, load(s + j), j);
        x = x * ATTENTION_LN_2 * attention_sigmoid(x);
        store(s + j, choose((key >= r.first) & (key < r.last), x, (vector){0}));
    }
    return r.keys;
}

/* ---- forward ---- */

LANES_FUNCTION size_t attention_down(size_t j)
{
    return j / KERNEL_LANES * KERNEL_LANES;
}

LANES_FUNCTION size_t attention_up(size_t j)
{
    return (j + KERNEL_LANES - 1) / KERNEL_LANES * KERNEL_LANES;
}

/* Rows i .. i + rows - 1, rows <= KERNEL_ROWS. */
static void attention_forward_rows(const attention_head *h, size_t i, size_t rows)
{
    const size_t seen = h->first[i], end = h->last[i + rows - 1];
    const size_t from = attention_down(seen), to = attention_up(end);
    const size_t tile_row = attention_up(h->R) + KERNEL_LANES;
    attention_product s = {h->width, h->q + i * h->row, h->row, 1, NULL, KERNEL_PANEL,
                           h->tile, tile_row, false};
    attention_rows_by_panels(rows, from, to, h->keys, &s);
    float divide[KERNEL_ROWS];
    for (size_t r = 0; r < rows; r++) {
        float *x = h->tile + r * tile_row;
        divide[r] = h->pointwise ? attention_pointwise(h, i + r, from, to, x)
                                 : attention_softmax(h, i + r, from, to, x);
    }
    attention_product o = {end - seen, h->tile + seen, tile_row, 1, h->v + seen * h->row,
                           h->row, h->out + i * h->out_row, h->out_row, false};
    attention_rows_by_width(rows, h->width, &o);
    for (size_t r = 0; r < rows; r++) {
        float *out = h->out + (i + r) * h->out_row;
        for (size_t d = 0; d < h->width; d += KERNEL_LANES)
            store(out + d, load(out + d) * divide[r]);
    }
}

/* log2 of x >= 1, absolute error below 6e-7: x = 2^n m with m in [sqrt(1/2), sqrt(2)), and the
 * series of the inverse hyperbolic tangent for log m, t = (m - 1) / (m + 1). */
LANES_FUNCTION vector attention_log2(vector x)
{
    const vector_bits bits = (vector_bits)x; /* lanes behind the last row hold anything */
    const vector_int n = (vector_int)(bits - 0x3F3504F3U) >> 23;
    const vector m = (vector)(bits - ((vector_bits)n << 23));
    const vector t = (m - 1) / (m + 1), u = t * t;
    vector p = u * 0.32059890F + 0.41219858F;
    p = p * u + 0.57707802F;
    p = p * u + 0.96179669F;
    p = p * u + 2.88539008F;
    return t * p + __builtin_convertvector(n, vector);
}

/* log_sum holds each row's largest score, delta its sum of powers. */
static void attention_log_sums(const attention_head *h)
{
    for (size_t i = 0; i < h->R; i += KERNEL_LANES) {
        const vector sums = attention_log2(load(h->delta + i));
        const size_t n = h->R - i < KERNEL_LANES ? h->R - i : KERNEL_LANES;
        float *to = h->log_sum + i * h->log_row;
        store(h->delta + i, sums);
        for (size_t r = 0; r < n; r++)
            to[r * h->log_row] = ATTENTION_LN_2 * (to[r * h->log_row] + h->delta[i + r]);
    }
}

static void attention_head_forward(const attention_head *h)
{
    pack_panels(TENSOR_FP32, h->width, h->R, h->k, 1, h->row, h->keys);
    for (size_t i = 0; i < h->R; i += KERNEL_ROWS)
        attention_forward_rows(h, i, h->R - i < KERNEL_ROWS ? h->R - i : KERNEL_ROWS);
    if (h->log_sum && !h->pointwise) attention_log_sums(h);
}

/* ---- backward ---- */

/* Softmax: s becomes P with dropout, g = dO V^T becomes dS scale. p = 2^(s - log-sum-exp). */
static void attention_softmax_back(const attention_head *h, const attention_row *r, size_t from,
                                   size_t to, float *s, float *g)
{
    for (size_t j = from; j < to; j += KERNEL_LANES) {
        const vector_int key = attention_lanes_from(j);
        vector dp = load(g + j);
        vector x = attention_score(h, r, load(s + j), j);
        x = attention_power_of_two(x - r->log_sum);
        const vector p = choose((key >= r->first) & (key < r->last), x, (vector){0});
        vector dropped = p;
        if (h->dropout.rate > 0) {
            const vector kept = attention_kept(h, r, key);
            dropped *= kept;
            dp *= kept;
        }
        const vector ds = p * (dp - r->delta);
        if (r->dbias) store(r->dbias + j, load(r->dbias + j) + ds);
        store(s + j, dropped);
        store(g + j, ds * h->scale);
    }
}

/* Pointwise: p = x sigma(x) / n, dp/dx = sigma (1 + x (1 - sigma)) / n. */
static void attention_pointwise_back(const attention_head *h, const attention_row *r,
                                     size_t from, size_t to, float *s, float *g)
{
    for (size_t j = from; j < to; j += KERNEL_LANES) {
        const vector_int key = attention_lanes_from(j);
        const vector_int seen = (key >= r->first) & (key < r->last);
        vector x = attention_score(h, r, load(s + j), j);
        const vector gate = choose(seen, attention_sigmoid(x), (vector){0}) * r->keys;
        const vector sigma = attention_sigmoid(x);
        x *= ATTENTION_LN_2;
        const vector ds = choose(seen, load(g + j), (vector){0}) * gate * (1 + x * (1 - sigma));
        if (r->dbias) store(r->dbias + j, load(r->dbias + j) + ds);
        store(s + j, choose(seen, x * gate, (vector){0}));
        store(g + j, ds * h->scale);
    }
}

/* A tile: rows i .. i + n - 1, columns from..to - 1 of one panel. */
typedef struct attention_block {
    size_t i, n, from, to;
    float *s, *g; /* column j of row r at s[r * KERNEL_PANEL + j] */
} attention_block;

/* Rows r .. r + rows - 1 of a block that a register tile takes, and the columns that one of
 * them sees, in whole vectors; from >= to: none. */
typedef struct attention_strip {
    size_t r, rows, from, to;
} attention_strip;

static attention_strip attention_strip_at(const attention_head *h, const attention_block *b,
                                          size_t r)
{
    const size_t rows = b->n - r < KERNEL_ROWS ? b->n - r : KERNEL_ROWS;
    const size_t from = attention_down(h->first[b->i + r]);
    const size_t to = attention_up(h->last[b->i + r + rows - 1]);
    return (attention_strip){r, rows, from > b->from ? from : b->from, to < b->to ? to : b->to};
}

static void attention_zero(float *x, size_t from, size_t to)
{
    for (size_t j = from; j < to; j += KERNEL_LANES)
        store(x + j, (vector){0});
}

/* One row of a strip; what no row of the strip sees is zero. */
static void attention_row_back(const attention_head *h, const attention_block *b,
                               const attention_strip *t, size_t r)
{
    const size_t i = b->i + r;
    attention_row row = attention_row_of(h, i);
    float *s = b->s + r * KERNEL_PANEL, *g = b->g + r * KERNEL_PANEL;
    if (!h->pointwise) {
        row.log_sum = h->kept_log_sum[i * h->log_row] * ATTENTION_LOG2_E;
        row.delta = h->delta[i];
        attention_softmax_back(h, &row, t->from, t->to, s, g);
    } else
        attention_pointwise_back(h, &row, t->from, t->to, s, g);
    attention_zero(s, b->from, t->from);
    attention_zero(g, b->from, t->from);
    attention_zero(s, t->to, b->to);
    attention_zero(g, t->to, b->to);
}

/* S, P, G, dS and dQ += dS K. */
static void attention_strip_back(const attention_head *h, const attention_block *b,
                                 const attention_strip *t)
{
    const size_t i = b->i + t->r, end = t->to < h->R ? t->to : h->R;
    float *rows_s = b->s + t->r * KERNEL_PANEL, *rows_g = b->g + t->r * KERNEL_PANEL;
    attention_product s = {h->width, h->q + i * h->row, h->row, 1, NULL, KERNEL_PANEL,
                           rows_s, KERNEL_PANEL, false};
    attention_product g = {h->width, h->dout + i * h->out_row, h->out_row, 1, NULL,
                           KERNEL_PANEL, rows_g, KERNEL_PANEL, false};
    attention_rows_by_panels(t->rows, t->from, t->to, h->keys, &s);
    attention_rows_by_panels(t->rows, t->from, t->to, h->values, &g);
    for (size_t r = 0; r < t->rows; r++)
        attention_row_back(h, b, t, t->r + r);
    attention_product q = {end - t->from, rows_g + t->from, KERNEL_PANEL, 1,
                           h->k + t->from * h->row, h->row, h->dq + i * h->drow, h->drow, true};
    attention_rows_by_width(t->rows, h->width, &q);
}

static void attention_block_rows(const attention_head *h, const attention_block *b)
{
    for (size_t r = 0; r < b->n; r += KERNEL_ROWS) {
        const attention_strip t = attention_strip_at(h, b, r);
        if (t.from < t.to)
            attention_strip_back(h, b, &t);
        else
            for (size_t n = 0; n < t.rows; n++) {
                attention_zero(b->s + (r + n) * KERNEL_PANEL, b->from, b->to);
                attention_zero(b->g + (r + n) * KERNEL_PANEL, b->from, b->to);
            }
    }
}

/* dV += P^T dO, dK += dS^T Q, of the rows r..end - 1 that see one of the keys. */
static void attention_block_keys(const attention_head *h, const attention_block *b)
{
    const size_t keys_end = b->to < h->R ? b->to : h->R;
    size_t r = 0, end = 0;
    for (size_t j = b->from; j < keys_end; j += KERNEL_ROWS) {
        const size_t keys = keys_end - j < KERNEL_ROWS ? keys_end - j : KERNEL_ROWS;
        while (r < b->n && h->last[b->i + r] <= j)
            r++;
        while (end < b->n && h->first[b->i + end] < j + keys)
            end++;
        if (r >= end) continue;
        attention_product v = {end - r, b->s + r * KERNEL_PANEL + j, 1, KERNEL_PANEL,
                               h->dout + (b->i + r) * h->out_row, h->out_row,
                               h->dv + j * h->drow, h->drow, true};
        attention_product k = {end - r, b->g + r * KERNEL_PANEL + j, 1, KERNEL_PANEL,
                               h->q + (b->i + r) * h->row, h->row,
                               h->dk + j * h->drow, h->drow, true};
        attention_rows_by_width(keys, h->width, &v);
        attention_rows_by_width(keys, h->width, &k);
    }
}

static void attention_clear(const attention_head *h)
{
    for (size_t i = 0; i < h->R; i++)
        for (size_t d = 0; d < h->width; d += KERNEL_LANES) {
            store(h->dq + i * h->drow + d, (vector){0});
            store(h->dk + i * h->drow + d, (vector){0});
            store(h->dv + i * h->drow + d, (vector){0});
        }
}

static void attention_find_delta(const attention_head *h)
{
    for (size_t i = 0; i < h->R; i++) {
        vector sum = {0};
        for (size_t d = 0; d < h->width; d += KERNEL_LANES)
            sum += load(h->kept_out + i * h->out_row + d) * load(h->dout + i * h->out_row + d);
        h->delta[i] = lanes_sum(sum);
    }
}

/* Rows of the tiles that share R rows evenly: a rest of two rows would cost a whole pass over
 * dK and dV. */
static size_t attention_tile_rows_of(size_t R)
{
    const size_t tiles = (R + ATTENTION_TILE_ROWS - 1) / ATTENTION_TILE_ROWS;
    const size_t rows = (R + tiles - 1) / tiles;
    return (rows + KERNEL_ROWS - 1) / KERNEL_ROWS * KERNEL_ROWS;
}

static void attention_head_backward(const attention_head *h)
{
    const size_t tile_rows = attention_tile_rows_of(h->R);
    pack_panels(TENSOR_FP32, h->width, h->R, h->k, 1, h->row, h->keys);
    pack_panels(TENSOR_FP32, h->width, h->R, h->v, 1, h->row, h->values);
    attention_clear(h);
    if (!h->pointwise) attention_find_delta(h);
    for (size_t i = 0; i < h->R; i += tile_rows) {
        const size_t n = h->R - i < tile_rows ? h->R - i : tile_rows;
        const size_t from = attention_down(h->first[i]), to = attention_up(h->last[i + n - 1]);
        for (size_t j = from, next; j < to; j = next) {
            next = (j / KERNEL_PANEL + 1) * KERNEL_PANEL;
            const size_t within = j / KERNEL_PANEL * KERNEL_PANEL;
            const attention_block b = {i, n, j, next < to ? next : to, h->tile - within,
                                       h->tile_back - within};
            attention_block_rows(h, &b);
            attention_block_keys(h, &b);
        }
    }
}

static const attention_kernels attention_table = {
    .lanes = KERNEL_LANES,
    .panel = KERNEL_PANEL,
    .forward = attention_head_forward,
    .backward = attention_head_backward,
};
