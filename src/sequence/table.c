/*
 * The product table (table.h). Backward is the transpose of forward:
 *
 *     m_i = id_i + drop_i(W s_i)        dW = sum over i of drop_i(dm_i) s_i^T
 */
#include "sequence/table.h"

#include <string.h>

enum { PLACE_SIDE = BODY_PLACES + 1 }; /* of its dropout (body_stream) */

void table_memory_plan(const sequence_net *n, workspace *w, table_memory *out)
{
    if (!net_has_side(n)) return;
    out->side = workspace_take(w, TABLE_ROWS * n->sizes.K, sizeof(float));
    out->moved = workspace_take(w, TABLE_ROWS * (size_t)n->settings.width, sizeof(float));
}

static size_t thing_of(const product_table *t, size_t i)
{
    return t->row ? t->row[i] : i;
}

/* Side vectors of rows from..to-1, one behind the other. */
static const float *side_of(const product_table *t, size_t from, size_t to,
                            const table_memory *memory)
{
    const size_t K = t->net->sizes.K;
    if (!t->row) return t->net->side + from * K;
    for (size_t i = from; i < to; i++)
        memcpy(memory->side + (i - from) * K, t->net->side + t->row[i] * K,
               K * sizeof(float));
    return memory->side;
}

/* out = x with dropout of rows from..to-1; x may be out. */
static void drop(const product_table *t, size_t from, size_t to, const float *x, float *out)
{
    const sequence_settings *s = &t->net->settings;
    const size_t D = s->width, counts = (D + 7) / 8;
    const uint64_t stream = body_stream(t->step, PLACE_SIDE);
    /* Rows of consecutive things whose counters leave no gap are one call. */
    const size_t together = !t->row && D % 8 == 0 ? to - from : 1;
    for (size_t i = from; i < to; i += together, x += together * D, out += together * D)
        t->net->k->dropout(together * D, s->side_dropout, s->seed, stream,
                           thing_of(t, i) * counts, x, out, false);
}

static bool drops(const product_table *t)
{
    return t->training && t->net->settings.side_dropout > 0.0f;
}

/* m = W s for rows from..to-1, at most TABLE_ROWS. */
static void project(const product_table *t, size_t from, size_t to,
                    const table_memory *memory)
{
    const sequence_net *n = t->net;
    const size_t D = n->settings.width, K = n->sizes.K;
    float *m = t->m + from * D;
    n->k->product(t->weights->precision, to - from, D, K, side_of(t, from, to, memory), K,
                  t->weights->forward[n->at.side], NULL, m, D, PRODUCT_SET, memory->scratch);
    if (drops(t)) drop(t, from, to, m, m);
}

static void add_ids(const product_table *t, size_t from, size_t to)
{
    const sequence_net *n = t->net;
    const size_t D = n->settings.width;
    const float *id = parameters_at(n->params, n->at.id);
    for (size_t i = from; i < to; i++)
        n->k->add_scaled(D, 1.0f, id + thing_of(t, i) * D, t->m + i * D);
}

static void copy_ids(const product_table *t, size_t from, size_t to)
{
    const size_t D = t->net->settings.width;
    const float *id = parameters_at(t->net->params, t->net->at.id);
    if (t->m == id) return;
    for (size_t i = from; i < to; i++)
        memcpy(t->m + i * D, id + thing_of(t, i) * D, D * sizeof(float));
}

void table_make(const product_table *t, size_t from, size_t to, const table_memory *memory)
{
    if (!net_has_side(t->net)) {
        copy_ids(t, from, to);
        return;
    }
    for (size_t i = from; i < to; i += TABLE_ROWS) {
        size_t end = to - i < TABLE_ROWS ? to : i + TABLE_ROWS;
        project(t, i, end, memory);
        if (t->net->at.id != NET_ABSENT) add_ids(t, i, end);
    }
}

void table_backward(const product_table *t, size_t from, size_t to, const float *dm,
                    float *dprojection, const table_memory *memory)
{
    const sequence_net *n = t->net;
    const size_t D = n->settings.width, K = n->sizes.K;
    for (size_t i = from; i < to; i += TABLE_ROWS) {
        size_t end = to - i < TABLE_ROWS ? to : i + TABLE_ROWS;
        const float *dprojected = dm + i * D;
        if (drops(t)) {
            drop(t, i, end, dprojected, memory->moved);
            dprojected = memory->moved;
        }
        n->k->product_transposed(t->weights->precision, D, K, end - i, dprojected, D,
                                 side_of(t, i, end, memory), K, dprojection, K,
                                 memory->scratch);
    }
}
