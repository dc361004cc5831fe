/* The sentence encoder run in process: pieces (sentencepiece_shim.h), weights (weights.h)
 * and the forward pass (network.h), many texts shared out to a pool in blocks. */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/memory.h"
#include "language/encoder_kind.h"
#include "language/network.h"
#include "language/sentencepiece_shim.h"
#include "language/weights.h"

/* Changes whenever the same files would give other vectors. */
static const char method[] = "usem3 forward pass 1";

enum { BLOCK_TEXTS = NETWORK_BATCH_TEXTS };

typedef struct local_encoder {
    encoder base;
    weights weights;
    piece_model *pieces;
    const kernel_table *kernels;
} local_encoder;

/* ---- one block of texts ---- */

typedef struct token_list {
    uint32_t *tokens;
    size_t n, capacity;
} token_list;

static bool take_piece(void *context, uint32_t piece)
{
    token_list *list = context;
    if (!mem_reserve((void **)&list->tokens, &list->capacity, list->n + 1,
                     sizeof *list->tokens))
        return false;
    list->tokens[list->n++] = piece;
    return true;
}

static pf_status encode_block(const local_encoder *e, size_t n, const text *texts,
                              float *out, pf_error *err)
{
    token_list list = {0};
    size_t begins[BLOCK_TEXTS + 1] = {0};
    pf_status status = PF_OK;
    for (size_t i = 0; i < n && status == PF_OK; i++) {
        status = piece_model_encode(e->pieces, texts[i].data, texts[i].n, take_piece,
                                    &list, err);
        begins[i + 1] = list.n;
    }
    if (status == PF_OK)
        status =
            network_encode(&e->weights, e->kernels, n, list.tokens, begins, out, err);
    mem_free(list.tokens);
    return status;
}

/* ---- all blocks ---- */

typedef struct work {
    const local_encoder *e;
    size_t n;
    const text *texts;
    float *out;
    pthread_mutex_t mutex;
    size_t failed_task; /* the first block that failed, so that threads do not matter */
    pf_error error;
} work;

static void encode_task(void *context, size_t task, unsigned worker)
{
    (void)worker;
    work *w = context;
    const size_t first = task * BLOCK_TEXTS, left = w->n - first;
    pf_error error = {0};
    const pf_status status =
        encode_block(w->e, left < BLOCK_TEXTS ? left : BLOCK_TEXTS, w->texts + first,
                     w->out + first * w->e->base.dimension, &error);
    if (status == PF_OK) return;
    pthread_mutex_lock(&w->mutex);
    if (task < w->failed_task) {
        w->failed_task = task;
        w->error = error;
    }
    pthread_mutex_unlock(&w->mutex);
}

static pf_status local_encode(encoder *base, size_t n, const text *texts, float *out,
                              pool *p, pf_error *err)
{
    work w = {.e = (local_encoder *)base,
              .n = n,
              .texts = texts,
              .out = out,
              .mutex = PTHREAD_MUTEX_INITIALIZER,
              .failed_task = SIZE_MAX};
    pool_run(p, (n + BLOCK_TEXTS - 1) / BLOCK_TEXTS, encode_task, &w);
    if (w.failed_task == SIZE_MAX) return PF_OK;
    if (err) *err = w.error;
    return w.error.code;
}

/* ---- opening and closing ---- */

static void local_close(encoder *base)
{
    local_encoder *e = (local_encoder *)base;
    piece_model_close(e->pieces);
    weights_close(&e->weights);
    mem_free(e);
}

static pf_status open_pieces(local_encoder *e, const char *path, fingerprint *sum,
                             pf_error *err)
{
    file_map map;
    pf_status status = file_map_open(&map, path, err);
    if (status != PF_OK) return status;
    if (map.size > LIMIT_TOKENS_MODEL_BYTES)
        status = error_set_at(err, PF_LIMIT, path, 0, 0,
                              "a SentencePiece model of %zu bytes, "
                              "at most %u are read",
                              map.size, LIMIT_TOKENS_MODEL_BYTES);
    if (status == PF_OK) {
        *sum = fingerprint_of(map.data, map.size);
        status = piece_model_open(&e->pieces, map.data, map.size, err);
        if (status != PF_OK) error_prefix(err, "'%s'", path);
    }
    file_map_close(&map);
    if (status == PF_OK && piece_model_count(e->pieces) > e->weights.header.sizes.pieces)
        status =
            error_set_at(err, PF_DATA, path, 0, 0,
                         "%u pieces, but the weights know only %u: the two files do not "
                         "belong together",
                         piece_model_count(e->pieces), e->weights.header.sizes.pieces);
    return status;
}

static void name_vectors(local_encoder *e, const fingerprint *pieces)
{
    fingerprint_state state;
    fingerprint_begin(&state);
    fingerprint_add_text(&state, method);
    fingerprint_add(&state, e->weights.fingerprint.bytes, FINGERPRINT_BYTES);
    fingerprint_add(&state, pieces->bytes, FINGERPRINT_BYTES);
    e->base.fingerprint = fingerprint_end(&state);
    snprintf(e->base.description, sizeof e->base.description, "usem3, %zu values, %s",
             e->base.dimension, e->kernels->name);
}

pf_status encoder_open_files(encoder **out, const char *weights_path,
                             const char *pieces_path, pf_error *err)
{
    *out = NULL;
    local_encoder *e = mem_alloc_zero(1, sizeof *e);
    if (!e) return error_set(err, PF_NO_MEMORY, "no memory for the encoder");
    e->base.encode = local_encode;
    e->base.close = local_close;
    e->kernels = kernels_best();
    fingerprint sum;
    pf_status status = weights_open(&e->weights, weights_path, err);
    if (status == PF_OK) status = open_pieces(e, pieces_path, &sum, err);
    if (status != PF_OK) {
        local_close(&e->base);
        return status;
    }
    e->base.dimension = e->weights.header.sizes.output;
    name_vectors(e, &sum);
    /* Loading the pieces leaves about 16 MB of freed blocks in the heap: give them
     * back. */
    malloc_trim(0);
    *out = &e->base;
    return PF_OK;
}
