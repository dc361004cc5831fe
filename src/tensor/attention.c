/*
 * Cuts packed sequences into groups of rows and runs each head of a group through the kernels
 * of attention_body.h: what depends on the instruction set stands there, the shapes, masks,
 * biases and scratch here.
 */
#include "tensor/attention.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "tensor/attention_kernels.h"

/* Short sequences are grouped up to so many rows. */
enum { GROUP_ROWS = 96 };

/* Scratch of one call; heads whose width is no multiple of the lanes are copied to `padded`,
 * eight matrices [capacity x width], and back. */
typedef struct scratch {
    size_t capacity, width; /* rows, padded width of a head */
    float *keys, *values, *tile, *tile_back, *delta;
    float *bias, *dbias; /* [H x bias_row] two-sided, distance 0 at capacity */
    size_t bias_row;
    float *padded[8];
    uint32_t *first, *last;
    size_t bytes;
} scratch;

static size_t rounded(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static void *take(void *base, size_t *used, size_t n)
{
    unsigned char *at = base ? (unsigned char *)base + *used : NULL;
    *used += rounded(n * sizeof(float), 64);
    return at;
}

/* base NULL: only counts. */
static scratch scratch_lay(const tensor_kernels *k, size_t D, size_t H, size_t T, void *base)
{
    const size_t panel = k->attention->panel, lanes = k->attention->lanes;
    scratch s = {.width = rounded(D / H, lanes)};
    s.capacity = rounded(T > GROUP_ROWS ? T : GROUP_ROWS, panel);
    const size_t panels = s.capacity * s.width, tile_row = s.capacity + panel;
    const size_t rows = ATTENTION_TILE_ROWS;
    s.bias_row = 2 * s.capacity + 2 * lanes;
    s.keys = take(base, &s.bytes, panels);
    s.values = take(base, &s.bytes, panels);
    const size_t by_rows = rows * panel, by_lanes = lanes * tile_row;
    s.tile = take(base, &s.bytes, by_rows > by_lanes ? by_rows : by_lanes);
    s.tile_back = take(base, &s.bytes, rows * panel);
    s.delta = take(base, &s.bytes, s.capacity);
    s.bias = take(base, &s.bytes, H * s.bias_row);
    s.dbias = take(base, &s.bytes, H * s.bias_row);
    s.first = take(base, &s.bytes, s.capacity);
    s.last = take(base, &s.bytes, s.capacity);
    for (size_t i = 0; i < 8 && s.width != D / H; i++)
        s.padded[i] = take(base, &s.bytes, panels);
    return s;
}

size_t attention_scratch_bytes(const tensor_kernels *k, size_t D, size_t H, size_t T)
{
    return scratch_lay(k, D, H, T, NULL).bytes;
}

/* ---- bias ---- */

static size_t longest(const attention_shape *s)
{
    size_t most = 0;
    for (size_t i = 0; i < s->n_sequences; i++) {
        const size_t T = s->offset[i + 1] - s->offset[i];
        most = T > most ? T : most;
    }
    return most;
}

static size_t bias_index(const attention_shape *s, size_t distance)
{
    return distance < s->bias_length ? distance : s->bias_length - 1;
}

/* Both sides of a distance, so that a row's biases are one run of memory. */
static void spread_bias(const attention_shape *s, const scratch *c)
{
    for (size_t h = 0; h < s->H; h++) {
        float *middle = c->bias + h * c->bias_row + c->capacity;
        const float *bias = s->bias + h * s->bias_length;
        memset(middle - c->capacity, 0, c->bias_row * sizeof *middle);
        for (size_t d = 0; d < c->capacity; d++)
            middle[d] = *(middle - d) = bias[bias_index(s, d)];
    }
}

static void gather_bias(const attention_shape *s, const scratch *c, float *dbias)
{
    for (size_t h = 0; h < s->H; h++) {
        const float *middle = c->dbias + h * c->bias_row + c->capacity;
        float *to = dbias + h * s->bias_length;
        to[0] += middle[0];
        for (size_t d = 1; d < c->capacity; d++)
            to[bias_index(s, d)] += middle[d] + *(middle - d);
    }
}

/* ---- groups ---- */

/* Sequences from..to - 1. */
typedef struct group {
    size_t from, to;
} group;

static group group_from(const attention_shape *s, size_t from)
{
    group g = {from, from + 1};
    while (g.to < s->n_sequences && s->offset[g.to + 1] - s->offset[from] <= GROUP_ROWS)
        g.to++;
    return g;
}

static void find_seen(const attention_shape *s, group g, const scratch *c)
{
    const uint32_t base = s->offset[g.from];
    for (size_t n = g.from; n < g.to; n++)
        for (uint32_t i = s->offset[n]; i < s->offset[n + 1]; i++) {
            c->first[i - base] = s->offset[n] - base;
            c->last[i - base] = (s->causal ? i + 1 : s->offset[n + 1]) - base;
        }
}

static attention_dropout dropout_of(const attention_shape *s, size_t head, size_t row)
{
    if (s->dropout <= 0 || s->kind == ATTENTION_POINTWISE) return (attention_dropout){0};
    uint32_t word[4];
    random_block(s->seed, s->stream, head, word);
    return (attention_dropout){.rate = s->dropout,
                               .below = (uint32_t)(4294967296.0 * (double)s->dropout),
                               .kept_scale = 1 / (1 - s->dropout),
                               .key = (uint64_t)word[0] << 32 | word[1],
                               .number = s->first_row + (uint32_t)row};
}

static attention_head head_of(const attention_shape *s, group g, size_t head, const scratch *c,
                              const float *qkv)
{
    const size_t W = s->D / s->H, base = s->offset[g.from];
    const float *rows = qkv + base * 3 * s->D + head * W;
    return (attention_head){
        .R = s->offset[g.to] - base,
        .width = c->width,
        .first = c->first,
        .last = c->last,
        .q = rows,
        .k = rows + s->D,
        .v = rows + 2 * s->D,
        .row = 3 * s->D,
        .pointwise = s->kind == ATTENTION_POINTWISE,
        .scale = 1 / sqrtf((float)W),
        .bias = s->bias ? c->bias + head * c->bias_row + c->capacity : NULL,
        .dropout = dropout_of(s, head, base),
        .out_row = s->D,
        .log_row = s->H,
        .drow = 3 * s->D,
        .keys = c->keys,
        .values = c->values,
        .tile = c->tile,
        .tile_back = c->tile_back,
        .delta = c->delta,
    };
}

/* ---- padded heads ---- */

/* Copies [R x W] into rows of c->width, zeros behind. */
static const float *pad(const scratch *c, size_t R, size_t W, const float *x, size_t row,
                        float *to)
{
    memset(to, 0, R * c->width * sizeof *to);
    for (size_t i = 0; i < R; i++)
        memcpy(to + i * c->width, x + i * row, W * sizeof *to);
    return to;
}

static void unpad(const scratch *c, size_t R, size_t W, const float *from, float *x, size_t row)
{
    for (size_t i = 0; i < R; i++)
        memcpy(x + i * row, from + i * c->width, W * sizeof *x);
}

static void pad_inputs(attention_head *h, const scratch *c, size_t W)
{
    h->q = pad(c, h->R, W, h->q, h->row, c->padded[0]);
    h->k = pad(c, h->R, W, h->k, h->row, c->padded[1]);
    h->v = pad(c, h->R, W, h->v, h->row, c->padded[2]);
    h->row = c->width;
}

static void forward_padded(const tensor_kernels *k, attention_head h, const scratch *c, size_t W)
{
    float *out = h.out;
    const size_t out_row = h.out_row;
    pad_inputs(&h, c, W);
    h.out = c->padded[3];
    h.out_row = c->width;
    k->attention->forward(&h);
    unpad(c, h.R, W, h.out, out, out_row);
}

static void backward_padded(const tensor_kernels *k, attention_head h, const scratch *c,
                            size_t W)
{
    const attention_head to = h;
    pad_inputs(&h, c, W);
    h.kept_out = pad(c, h.R, W, to.kept_out, to.out_row, c->padded[3]);
    h.dout = pad(c, h.R, W, to.dout, to.out_row, c->padded[4]);
    h.dq = c->padded[5];
    h.dk = c->padded[6];
    h.dv = c->padded[7];
    h.out_row = h.drow = c->width;
    k->attention->backward(&h);
    unpad(c, h.R, W, h.dq, to.dq, to.drow);
    unpad(c, h.R, W, h.dk, to.dk, to.drow);
    unpad(c, h.R, W, h.dv, to.dv, to.drow);
}

/* ---- the public pair ---- */

static scratch begin(const tensor_kernels *k, const attention_shape *s, void *memory)
{
    assert(s->H > 0 && s->D % s->H == 0 && s->D > 0);
    assert(s->dropout >= 0 && s->dropout < 1);
    const scratch c = scratch_lay(k, s->D, s->H, longest(s), memory);
    if (s->bias) spread_bias(s, &c);
    return c;
}

void attention_forward(const tensor_kernels *k, const attention_shape *s, const float *qkv,
                       float *out, float *log_sum, void *memory)
{
    const scratch c = begin(k, s, memory);
    const size_t W = s->D / s->H;
    for (group g = {0, 0}; g.to < s->n_sequences;) {
        g = group_from(s, g.to);
        const size_t base = s->offset[g.from];
        find_seen(s, g, &c);
        for (size_t head = 0; head < s->H; head++) {
            attention_head h = head_of(s, g, head, &c, qkv);
            h.out = out + base * s->D + head * W;
            h.log_sum = log_sum ? log_sum + base * s->H + head : NULL;
            if (c.width == W)
                k->attention->forward(&h);
            else
                forward_padded(k, h, &c, W);
        }
    }
}

/* What backward reads and writes besides head_of. */
static void head_back(attention_head *h, const attention_shape *s, group g, size_t head,
                      const scratch *c, const float *out, const float *dout, float *dqkv)
{
    const size_t W = s->D / s->H, base = s->offset[g.from];
    float *rows = dqkv + base * 3 * s->D + head * W;
    h->kept_out = out + base * s->D + head * W;
    h->dout = dout + base * s->D + head * W;
    h->dq = rows;
    h->dk = rows + s->D;
    h->dv = rows + 2 * s->D;
    h->dbias = s->bias ? c->dbias + head * c->bias_row + c->capacity : NULL;
}

void attention_backward(const tensor_kernels *k, const attention_shape *s, const float *qkv,
                        const float *out, const float *log_sum, const float *dout, float *dqkv,
                        float *dbias, void *memory)
{
    const scratch c = begin(k, s, memory);
    const size_t W = s->D / s->H;
    if (s->bias) memset(c.dbias, 0, s->H * c.bias_row * sizeof *c.dbias);
    for (group g = {0, 0}; g.to < s->n_sequences;) {
        g = group_from(s, g.to);
        find_seen(s, g, &c);
        for (size_t head = 0; head < s->H; head++) {
            attention_head h = head_of(s, g, head, &c, qkv);
            head_back(&h, s, g, head, &c, out, dout, dqkv);
            if (log_sum) h.kept_log_sum = log_sum + s->offset[g.from] * s->H + head;
            if (c.width == W)
                k->attention->backward(&h);
            else
                backward_padded(k, h, &c, W);
        }
    }
    if (dbias && s->bias) gather_bias(s, &c, dbias);
}
