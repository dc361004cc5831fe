/*
 * Packed matrices of a network (weights.h).
 */
#include "sequence/weights.h"

void weights_plan(const sequence_net *n, tensor_precision precision, bool both, workspace *w,
                  packed_weights *out)
{
    *out = (packed_weights){.precision = precision, .both = both};
    for (size_t i = 0; i < n->shapes.n; i++) {
        const parameter_shape *s = &n->shapes.shape[i];
        if (!n->shapes.matrix[i]) continue;
        out->forward[i] =
            workspace_take(w, n->k->packed_bytes(precision, s->columns, s->rows), 1);
        if (both && i >= n->at.own)
            out->backward[i] =
                workspace_take(w, n->k->packed_bytes(precision, s->rows, s->columns), 1);
    }
}

void weights_pack(const sequence_net *n, const packed_weights *w, size_t i)
{
    const parameter_shape *s = &n->shapes.shape[i];
    const float *values = parameters_at(n->params, i);
    if (w->forward[i])
        n->k->pack(w->precision, s->columns, s->rows, values, 1, s->columns, w->forward[i]);
    if (w->backward[i])
        n->k->pack(w->precision, s->rows, s->columns, values, s->columns, 1, w->backward[i]);
}

void weights_pack_part(const sequence_net *n, const packed_weights *w, size_t part,
                       size_t parts)
{
    for (size_t i = n->at.own + part; i < n->shapes.n; i += parts)
        weights_pack(n, w, i);
}
