/* The encoder's forward pass; see network.h for the formulas. Letters: R rows (tokens) of
 * a batch, E embedding, C channels of a branch, F = E + 3 C features of a token. */
#include "language/network.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

enum {
    /* Two convolutions of the widest window look 2 x 2 tokens to each side. */
    HALO = 4,
    PAD = 2, /* zero rows between texts: what the widest window sees beyond an end */
    MAX_ROWS = NETWORK_STRETCH + 2 * HALO,
    MAX_PADDED_ROWS = MAX_ROWS + PAD * (NETWORK_BATCH_TEXTS + 1),
};

/* A row of a batch: which text it counts for (none: a neighbour of a stretch), and its
 * place among the rows with zeros between texts. */
typedef struct batch_row {
    uint32_t text;
    uint32_t padded;
} batch_row;

#define ROW_NEIGHBOUR UINT32_MAX

typedef struct pass {
    const weights *w;
    const kernel_table *k;
    size_t n; /* texts */
    const uint32_t *tokens;
    const size_t *begins;
    size_t E, C, F;
    size_t x_stride, h_stride;

    float *memory;   /* one allocation, cut into what follows */
    float *features; /* MAX_ROWS x F */
    float *x;        /* MAX_ROWS x x_stride, the branches side by side */
    float *window;   /* MAX_PADDED_ROWS x C: what a convolution reads */
    float *window2;  /* the same for the second convolution */
    float *h;        /* MAX_ROWS x h_stride */
    float *sums;     /* n x F */

    size_t rows;
    size_t padded_rows;
    size_t batch_texts;
    bool unread; /* a row of the table could not be read */
    uint8_t codes[WEIGHTS_MAX_WIDTH];
    batch_row row[MAX_ROWS];
    const float *inputs[MAX_ROWS];
    float *outputs[MAX_ROWS];
} pass;

static const float *vector(const pass *p, unsigned section)
{
    return weights_at(p->w, section);
}

/* Rows at `stride` as outputs, each beginning with the bias. */
static void begin_outputs(pass *p, float *rows, size_t stride, const float *bias,
                          size_t n)
{
    for (size_t r = 0; r < p->rows; r++) {
        p->outputs[r] = rows + r * stride;
        memset(p->outputs[r], 0, stride * sizeof(float));
        memcpy(p->outputs[r], bias, n * sizeof(float));
    }
}

static void project(pass *p)
{
    const packed_matrix w = weights_matrix(p->w, SECTION_PROJECT);
    begin_outputs(p, p->x, p->x_stride, vector(p, SECTION_PROJECT_BIAS), w.columns);
    for (size_t r = 0; r < p->rows; r++)
        p->inputs[r] = p->features + r * p->F;
    p->k->multiply_add(p->rows, p->inputs, &w, p->outputs);
    for (size_t r = 0; r < p->rows; r++)
        p->k->layer_norm(w.columns, p->outputs[r], vector(p, SECTION_BRANCH_GAIN),
                         vector(p, SECTION_BRANCH_SHIFT), p->w->header.epsilon);
}

/* One convolution of branch i into p->h. The rows of `window` lie one behind the other
 * with zeros between texts, so a token's window is simply n C floats in a row. */
static void convolve(pass *p, unsigned i, unsigned matrix, unsigned bias,
                     const float *window)
{
    const packed_matrix w = weights_matrix(p->w, matrix + i);
    const size_t left = (weights_orders[i] - 1) / 2;
    begin_outputs(p, p->h, p->h_stride, vector(p, bias + i), p->C);
    for (size_t r = 0; r < p->rows; r++)
        p->inputs[r] = window + (p->row[r].padded - left) * p->C;
    p->k->multiply_add(p->rows, p->inputs, &w, p->outputs);
}

static void branch(pass *p, unsigned i)
{
    const size_t C = p->C;
    for (size_t r = 0; r < p->rows; r++)
        memcpy(p->window + p->row[r].padded * C, p->x + r * p->x_stride + i * C,
               C * sizeof(float));
    convolve(p, i, SECTION_FIRST, SECTION_FIRST_BIAS, p->window);
    for (size_t r = 0; r < p->rows; r++) {
        const size_t at = p->row[r].padded * C;
        p->k->relu_add(C, p->outputs[r], p->window + at, p->window2 + at);
    }
    convolve(p, i, SECTION_SECOND, SECTION_SECOND_BIAS, p->window2);
    for (size_t r = 0; r < p->rows; r++)
        p->k->relu_add(C, p->outputs[r], p->window2 + p->row[r].padded * C,
                       p->features + r * p->F + p->E + i * C);
}

/* Runs the batch and adds each row's features to its text's sum. */
static void finish_batch(pass *p)
{
    if (p->rows == 0) return;
    project(p);
    for (unsigned i = 0; i < WEIGHTS_BRANCHES; i++)
        branch(p, i);
    for (size_t r = 0; r < p->rows; r++) {
        if (p->row[r].text == ROW_NEIGHBOUR) continue;
        float *features = p->features + r * p->F;
        p->k->layer_norm(p->F, features, vector(p, SECTION_FEATURE_GAIN),
                         vector(p, SECTION_FEATURE_SHIFT), p->w->header.epsilon);
        p->k->add(p->F, features, p->sums + p->row[r].text * p->F);
    }
    p->rows = p->padded_rows = p->batch_texts = 0;
}

static void zero_padding(pass *p)
{
    const size_t at = p->padded_rows * p->C, bytes = PAD * p->C * sizeof(float);
    memset(p->window + at, 0, bytes);
    memset(p->window2 + at, 0, bytes);
    p->padded_rows += PAD;
}

/* Takes tokens first .. end of a text into the batch; those from core to core_end
 * count. */
static void take_tokens(pass *p, size_t text, size_t first, size_t core, size_t core_end,
                        size_t end)
{
    const weights_sizes *s = &p->w->header.sizes;
    if (p->rows == 0) zero_padding(p);
    for (size_t at = first; at < end; at++) {
        const uint32_t piece = p->tokens[at], chunk = piece % s->chunks;
        p->unread = !weights_row(p->w, piece, p->codes) || p->unread;
        p->k->dequantise(p->E, p->codes, vector(p, SECTION_SCALE)[chunk],
                         vector(p, SECTION_LOW)[chunk], p->features + p->rows * p->F);
        p->row[p->rows++] = (batch_row){
            .text = at >= core && at < core_end ? (uint32_t)text : ROW_NEIGHBOUR,
            .padded = (uint32_t)p->padded_rows++,
        };
    }
    zero_padding(p);
    p->batch_texts++;
}

static void take_text(pass *p, size_t text)
{
    const size_t begin = p->begins[text], end = p->begins[text + 1];
    for (size_t core = begin; core < end; core += NETWORK_STRETCH) {
        const size_t core_end =
            end - core > NETWORK_STRETCH ? core + NETWORK_STRETCH : end;
        const size_t first = core - begin > HALO ? core - HALO : begin;
        const size_t last = end - core_end > HALO ? core_end + HALO : end;
        const size_t after = p->rows + (last - first);
        if (p->batch_texts == NETWORK_BATCH_TEXTS ||
            (p->rows > 0 && after > NETWORK_STRETCH))
            finish_batch(p);
        take_tokens(p, text, first, core, core_end, last);
    }
}

/* ---- from sums to vectors ---- */

/* A layer's rows for up to NETWORK_BATCH_TEXTS texts. */
typedef struct layer {
    float *rows;
    size_t stride, n;
} layer;

static void relu(layer l, size_t texts)
{
    for (size_t i = 0; i < texts * l.stride; i++)
        l.rows[i] = l.rows[i] > 0 ? l.rows[i] : 0;
}

/* to += from W */
static void dense(const pass *p, size_t texts, layer from, unsigned section, layer to)
{
    const packed_matrix w = weights_matrix(p->w, section);
    const float *inputs[NETWORK_BATCH_TEXTS];
    float *outputs[NETWORK_BATCH_TEXTS];
    for (size_t i = 0; i < texts; i++) {
        inputs[i] = from.rows + i * from.stride;
        outputs[i] = to.rows + i * to.stride;
    }
    p->k->multiply_add(texts, inputs, &w, outputs);
}

static void pool_sums(const pass *p, size_t first, size_t texts, layer pooled)
{
    const float *bias = vector(p, SECTION_POOL_BIAS);
    for (size_t i = 0; i < texts; i++) {
        const float T = (float)(p->begins[first + i + 1] - p->begins[first + i]);
        for (size_t j = 0; j < pooled.n; j++)
            pooled.rows[i * pooled.stride + j] = T * bias[j];
    }
    dense(p, texts, (layer){p->sums + first * p->F, p->F, p->F}, SECTION_POOL, pooled);
    for (size_t i = 0; i < texts; i++) {
        const float T = (float)(p->begins[first + i + 1] - p->begins[first + i]);
        for (size_t j = 0; j < pooled.n; j++)
            pooled.rows[i * pooled.stride + j] *= 1 / sqrtf(T);
    }
}

static void finish_vector(const pass *p, const float *row, size_t n, float *out)
{
    for (size_t j = 0; j < n; j++)
        out[j] = tanhf(row[j]);
    const float scale = 1 / sqrtf(fmaxf(p->k->dot(n, out, out), p->w->header.epsilon));
    for (size_t j = 0; j < n; j++)
        out[j] *= scale;
}

static void finish_texts(const pass *p, float *memory, size_t first, size_t texts,
                         float *out)
{
    const weights_sizes *s = &p->w->header.sizes;
    const size_t widths[] = {s->pooled, s->hidden, s->hidden, s->wide, s->output};
    layer l[5];
    float *at = memory;
    for (size_t i = 0; i < 5; i++) {
        l[i] = (layer){at, kernel_padded(widths[i]), widths[i]};
        at += NETWORK_BATCH_TEXTS * l[i].stride;
    }
    memset(memory, 0, (size_t)(at - memory) * sizeof(float));
    pool_sums(p, first, texts, l[0]);
    dense(p, texts, l[0], SECTION_D0, l[1]);
    relu(l[1], texts);
    dense(p, texts, l[0], SECTION_P1, l[2]);
    dense(p, texts, l[1], SECTION_D1, l[2]);
    relu(l[2], texts);
    dense(p, texts, l[2], SECTION_D2, l[3]);
    relu(l[3], texts);
    dense(p, texts, l[2], SECTION_P3, l[4]);
    dense(p, texts, l[3], SECTION_D3, l[4]);
    for (size_t i = 0; i < texts; i++)
        finish_vector(p, l[4].rows + i * l[4].stride, s->output,
                      out + (first + i) * s->output);
}

/* ---- memory ---- */

/* Floats of the dense layers, for one batch of texts. */
static size_t dense_floats(const weights_sizes *s)
{
    return NETWORK_BATCH_TEXTS *
           (kernel_padded(s->pooled) + 2 * kernel_padded(s->hidden) +
            kernel_padded(s->wide) + kernel_padded(s->output));
}

/* The dense layers come after the rows are done and take over their memory. */
static bool cut_memory(pass *p, size_t texts)
{
    const size_t parts[] = {MAX_ROWS * p->F, MAX_ROWS * p->x_stride,
                            MAX_PADDED_ROWS * p->C, MAX_PADDED_ROWS * p->C,
                            MAX_ROWS * p->h_stride};
    float **const cut[] = {&p->features, &p->x, &p->window, &p->window2, &p->h};
    size_t floats = 0, sums = 0;
    for (size_t i = 0; i < 5; i++)
        floats += parts[i];
    if (floats < dense_floats(&p->w->header.sizes))
        floats = dense_floats(&p->w->header.sizes);
    if (!size_multiply(texts, p->F, &sums) || !size_add(floats, sums, &floats))
        return false;
    p->memory = mem_alloc_aligned(floats, sizeof(float));
    if (!p->memory) return false;
    float *at = p->memory;
    for (size_t i = 0; i < 5; i++) {
        *cut[i] = at;
        at += parts[i];
    }
    p->sums = p->memory + floats - sums;
    memset(p->sums, 0, sums * sizeof(float));
    return true;
}

pf_status network_encode(const weights *w, const kernel_table *kernels, size_t n,
                         const uint32_t *tokens, const size_t *begins, float *out,
                         pf_error *err)
{
    const weights_sizes *s = &w->header.sizes;
    pass p = {.w = w, .k = kernels, .n = n, .tokens = tokens, .begins = begins};
    p.E = s->embedding;
    p.C = s->branch;
    p.F = p.E + WEIGHTS_BRANCHES * p.C;
    p.x_stride = kernel_padded(WEIGHTS_BRANCHES * p.C);
    p.h_stride = kernel_padded(p.C);
    if (!cut_memory(&p, n))
        return error_set(err, PF_NO_MEMORY, "no memory to encode %zu texts", n);
    for (size_t text = 0; text < n; text++)
        take_text(&p, text);
    finish_batch(&p);
    for (size_t first = 0; first < n; first += NETWORK_BATCH_TEXTS) {
        const size_t left = n - first;
        finish_texts(&p, p.memory, first,
                     left < NETWORK_BATCH_TEXTS ? left : NETWORK_BATCH_TEXTS, out);
    }
    mem_free(p.memory);
    return p.unread ? error_set(err, PF_IO, "the encoder's weights can no longer be read")
                    : PF_OK;
}
