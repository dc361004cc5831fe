/*
 * Steps in time order: step t serves the sequences longer than t, which are the first n_t of
 * those sorted by length. The state stands in that order, [n_t x G] without gaps, so that a
 * step is one product whose operand is read once a step.
 *
 * Forward keeps r, z, n and u = Whn h + bhn of every row. Backward goes through time from the
 * end; what the hidden weights' gradients need (the gradient of Wh h + bh, and h before the
 * step) is gathered in step order, and they are one product over all rows at the end.
 */
#include "tensor/gru.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

/* Scratch of one call. */
typedef struct scratch {
    uint32_t *order; /* [S] sequences, longest first */
    float *state;    /* [S x G] h of each, or its gradient */
    float *hidden;   /* forward: [S x 3G] Wh h + bh of a step;
                        backward: [R x 3G] its gradient, all steps */
    float *before;   /* [R x G] backward alone: h before the step */
    void *kernel;
    size_t bytes;
} scratch;

static void *take(void *base, size_t *used, size_t n, size_t size)
{
    unsigned char *at = base ? (unsigned char *)base + *used : NULL;
    *used += (n * size + 63) / 64 * 64;
    return at;
}

/* base NULL: only counts. */
static scratch scratch_lay(size_t G, size_t R, size_t S, void *base)
{
    scratch c = {0};
    const size_t rows = R > S ? R : S;
    c.kernel = take(base, &c.bytes, KERNEL_SCRATCH_BYTES, 1);
    c.order = take(base, &c.bytes, S, sizeof *c.order);
    c.state = take(base, &c.bytes, S * G, sizeof *c.state);
    c.hidden = take(base, &c.bytes, rows * 3 * G, sizeof *c.hidden);
    c.before = take(base, &c.bytes, R * G, sizeof *c.before);
    return c;
}

size_t gru_scratch_bytes(const tensor_kernels *k, size_t hidden, size_t R, size_t S)
{
    (void)k;
    return scratch_lay(hidden, R, S, NULL).bytes;
}

/* ---- sequences by length ---- */

static size_t length_of(const gru_shape *s, uint32_t sequence)
{
    return s->offset[sequence + 1] - s->offset[sequence];
}

/* Heap sort, shortest to the top of the heap, so longest first; equal lengths by number, so the
 * order is one and the same on every machine. */
static bool is_behind(const gru_shape *s, uint32_t a, uint32_t b)
{
    const size_t la = length_of(s, a), lb = length_of(s, b);
    return la < lb || (la == lb && a > b);
}

static void sift(const gru_shape *s, uint32_t *heap, size_t n, size_t i)
{
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && is_behind(s, heap[child + 1], heap[child])) child++;
        if (!is_behind(s, heap[child], heap[i])) return;
        const uint32_t swap = heap[i];
        heap[i] = heap[child];
        heap[child] = swap;
    }
}

static void sort_by_length(const gru_shape *s, uint32_t *order)
{
    const size_t n = s->n_sequences;
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    for (size_t i = n / 2; i-- > 0;)
        sift(s, order, n, i);
    for (size_t end = n; end-- > 1;) {
        const uint32_t last = order[0];
        order[0] = order[end];
        order[end] = last;
        sift(s, order, end, 0);
    }
}

static size_t longer_than(const gru_shape *s, const uint32_t *order, size_t n, size_t t)
{
    while (n > 0 && length_of(s, order[n - 1]) <= t)
        n--;
    return n;
}

/* ---- forward ---- */

/* One row: a = Wi x + bi, u = Wh h + bh, each r | z | n; h is replaced. */
static void row_forward(const tensor_kernels *k, size_t G, const float *restrict a,
                        const float *restrict u, float *restrict kept, float *restrict h)
{
    float *restrict z = kept + G, *restrict n = kept + 2 * G, *restrict un = kept + 3 * G;
    for (size_t g = 0; g < 2 * G; g++)
        kept[g] = a[g] + u[g];
    k->sigmoid(2 * G, kept, kept);
    for (size_t g = 0; g < G; g++) {
        un[g] = u[2 * G + g];
        n[g] = a[2 * G + g] + kept[g] * un[g];
    }
    k->tanh(G, n, n);
    for (size_t g = 0; g < G; g++)
        h[g] = (1 - z[g]) * n[g] + z[g] * h[g];
}

/* Wh h + bh of the first n states; before the first step h is zero. */
static void hidden_forward(const tensor_kernels *k, const gru_shape *s, const scratch *c,
                           size_t t, size_t n, const void *wh_packed, const float *bh)
{
    const size_t G = s->hidden;
    if (t > 0)
        k->product(s->precision, n, 3 * G, G, c->state, G, wh_packed, bh, c->hidden, 3 * G,
                   PRODUCT_SET, c->kernel);
    else
        for (size_t j = 0; j < n; j++)
            memcpy(c->hidden + j * 3 * G, bh, 3 * G * sizeof *bh);
}

void gru_forward(const tensor_kernels *k, const gru_shape *s, const float *gates_in,
                 const void *wh_packed, const float *bh, float *h, float *kept, void *memory)
{
    const size_t G = s->hidden, S = s->n_sequences;
    const size_t R = S > 0 ? s->offset[S] - s->offset[0] : 0;
    const scratch c = scratch_lay(G, R, S, memory);
    sort_by_length(s, c.order);
    memset(c.state, 0, S * G * sizeof *c.state);
    size_t n = S;
    for (size_t t = 0; (n = longer_than(s, c.order, n, t)) > 0; t++) {
        hidden_forward(k, s, &c, t, n, wh_packed, bh);
        for (size_t j = 0; j < n; j++) {
            const size_t row = s->offset[c.order[j]] + t;
            float *state = c.state + j * G;
            row_forward(k, G, gates_in + row * 3 * G, c.hidden + j * 3 * G,
                        kept + row * 4 * G, state);
            memcpy(h + row * G, state, G * sizeof *h);
        }
    }
}

/* ---- backward ---- */

/* d = gradient of h' of one row; leaves d z, the part of h's that no product brings, in d.
 * before: h. da: of Wi x + bi, du: of Wh h + bh. */
static void row_backward(size_t G, const float *restrict kept, const float *restrict before,
                         float *restrict d, float *restrict da, float *restrict du)
{
    for (size_t g = 0; g < G; g++) {
        const float r = kept[g], z = kept[G + g], n = kept[2 * G + g], un = kept[3 * G + g];
        /* h' = (1 - z) n + z h,  n = tanh(an + r un) */
        const float dz = d[g] * (before[g] - n) * z * (1 - z);
        const float dn = d[g] * (1 - z) * (1 - n * n);
        const float dr = dn * un * r * (1 - r);
        da[g] = du[g] = dr;
        da[G + g] = du[G + g] = dz;
        da[2 * G + g] = dn;
        du[2 * G + g] = dn * r;
        d[g] *= z;
    }
}

/* Step t of the first n sequences; its rows of hidden and before begin at `place`. */
static void step_backward(const gru_shape *s, const scratch *c, size_t t, size_t n,
                          size_t place, const float *h, const float *kept, const float *dh,
                          float *dgates_in)
{
    const size_t G = s->hidden;
    for (size_t j = 0; j < n; j++) {
        const size_t row = s->offset[c->order[j]] + t;
        float *before = c->before + (place + j) * G, *d = c->state + j * G;
        if (t > 0)
            memcpy(before, h + (row - 1) * G, G * sizeof *h);
        else
            memset(before, 0, G * sizeof *h);
        for (size_t g = 0; g < G; g++)
            d[g] += dh[row * G + g];
        row_backward(G, kept + row * 4 * G, before, d, dgates_in + row * 3 * G,
                     c->hidden + (place + j) * 3 * G);
    }
}

/* dwh += gradient^T before, dbh += its columns' sums. The n rows of the first step stand last;
 * before them h was zero, so the weights get nothing of them. */
static void weights_backward(const tensor_kernels *k, const gru_shape *s, const scratch *c,
                             size_t R, size_t n, float *dwh, float *dbh)
{
    const size_t G = s->hidden;
    if (R > n)
        k->product_transposed(s->precision, 3 * G, G, R - n, c->hidden, 3 * G, c->before, G,
                              dwh, G, c->kernel);
    for (size_t i = 0; i < R; i++)
        k->add_scaled(3 * G, 1, c->hidden + i * 3 * G, dbh);
}

/* Sequences that are longer than t among all. */
static size_t served_at(const gru_shape *s, const uint32_t *order, size_t n, size_t t)
{
    while (n < s->n_sequences && length_of(s, order[n]) > t)
        n++;
    return n;
}

void gru_backward(const tensor_kernels *k, const gru_shape *s, const float *h,
                  const float *kept, const void *wh_back, const float *dh,
                  float *dgates_in, float *dwh, float *dbh, void *memory)
{
    const size_t G = s->hidden, S = s->n_sequences;
    if (S == 0) return;
    const size_t R = s->offset[S] - s->offset[0];
    const scratch c = scratch_lay(G, R, S, memory);
    sort_by_length(s, c.order);
    memset(c.state, 0, S * G * sizeof *c.state);
    size_t n = 0, place = 0;
    for (size_t t = length_of(s, c.order[0]); t-- > 0; place += n) {
        n = served_at(s, c.order, n, t);
        step_backward(s, &c, t, n, place, h, kept, dh, dgates_in);
        /* u = Wh h + bh */
        if (t > 0)
            k->product(s->precision, n, G, 3 * G, c.hidden + place * 3 * G, 3 * G, wh_back,
                       NULL, c.state, G, PRODUCT_ADD, c.kernel);
    }
    assert(place == R);
    weights_backward(k, s, &c, R, n, dwh, dbh);
}
