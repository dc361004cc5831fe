/*
 * A network as a whole (net.h): which arrays it has, its memory, states and scores.
 */
#include "sequence/net.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "sequence/embed.h"
#include "sequence/net_inner.h"
#include "sequence/table.h"
#include "sequence/weights.h"
#include "tensor/packing.h"

/* Standard deviation that vectors of an embedding start with (as in SASRec's and BERT4Rec's
 * code, and in the plain PyTorch script that speed is compared with). */
static const float embedding_spread = 0.02f;

/* ---- which arrays there are ---- */

static size_t add_vectors(body_shapes *s, const char *name, size_t rows, size_t columns,
                          bool decays, bool sparse)
{
    return body_shapes_add(s,
                           (parameter_shape){.rows = rows,
                                             .columns = columns,
                                             .start = PARAMETER_NORMAL,
                                             .spread = embedding_spread,
                                             .decays = decays,
                                             .sparse = sparse},
                           false, "%s", name);
}

static void describe_arrays(sequence_net *n)
{
    const sequence_settings *s = &n->settings;
    const size_t D = s->width, absent = NET_ABSENT;
    const bool bert = s->architecture == SEQUENCE_BERT;
    body_shapes *out = &n->shapes;
    n->at = (net_arrays){absent, absent, absent, absent, absent, absent, absent, absent, 0};
    if (s->ids) n->at.id = add_vectors(out, "id", net_things(n), D, true, net_samples(n));
    if (s->side && n->sizes.K > 0)
        n->at.side = body_shapes_add(out,
                                     (parameter_shape){.rows = D,
                                                       .columns = n->sizes.K,
                                                       .start = PARAMETER_GLOROT_UNIFORM,
                                                       .decays = true},
                                     true, "side");
    if (s->positions) n->at.position = add_vectors(out, "position", s->length, D, false, false);
    if (n->sizes.kinds) n->at.kind = add_vectors(out, "kind", SEQUENCE_KINDS, D, false, false);
    if (n->sizes.bands) n->at.band = add_vectors(out, "band", SEQUENCE_BANDS, D, false, false);
    if (n->sizes.gaps && s->gaps)
        n->at.gap = add_vectors(out, "gap", SEQUENCE_GAPS, D, false, false);
    if (bert) n->at.mask = add_vectors(out, "mask", 1, D, false, false);
    if (bert && !net_samples(n))
        n->at.bias = body_shapes_add(
            out, (parameter_shape){.rows = n->sizes.V, .columns = 1, .start = PARAMETER_ZERO},
            false, "bias");
    n->at.own = out->n;
    n->body->shapes(s, out);
}

static pf_status check(const sequence_settings *s, const sequence_sizes *sizes,
                       const float *side, const tensor_kernels *k, pf_error *err)
{
    const char *refusal = sequence_settings_check(s);
    if (refusal) return error_set(err, PF_USAGE, "sequence model: %s", refusal);
    if (!k)
        return error_set(err, PF_UNAVAILABLE,
                         "PROFFER_KERNELS names no kernel set that this machine can run");
    if (s->precision == TENSOR_BF16 && !k->bf16)
        return error_set(err, PF_UNAVAILABLE,
                         "precision=bf16 needs a processor with AVX-512 bf16; kernels '%s' "
                         "have none: use precision=fp32",
                         k->name);
    if (sizes->V == 0) return error_set(err, PF_USAGE, "sequence model: no products");
    if (!s->ids && sizes->K == 0)
        return error_set(err, PF_USAGE,
                         "sequence model: ids=false, and products have no side vectors");
    if (s->side && sizes->K > 0 && !side)
        return error_set(err, PF_USAGE, "sequence model: the side vectors are missing");
    return PF_OK;
}

pf_status net_describe(sequence_net *n, const sequence_settings *settings,
                       const sequence_sizes *sizes, const float *side,
                       const tensor_kernels *k, pf_error *err)
{
    if (!k) k = kernels_choose(NULL);
    pf_status status = check(settings, sizes, side, k, err);
    if (status != PF_OK) return status;
    *n = (sequence_net){.settings = *settings, .sizes = *sizes, .side = side, .k = k};
    n->body = sequence_body_of(&n->settings);
    n->parts = settings->threads < NET_PARTS_MAX ? settings->threads : NET_PARTS_MAX;
    describe_arrays(n);
    return parameters_lay_out(n->shapes.shape, n->shapes.n, &n->layout, err);
}

/* ---- life ---- */

void net_plan(sequence_net *n, workspace *w)
{
    const size_t V = n->sizes.V, D = n->settings.width;
    weights_plan(n, TENSOR_FP32, false, w, &n->weights);
    n->products = workspace_take(w, n->k->packed_bytes(TENSOR_FP32, D, V), 1);
    if (net_has_side(n)) n->m = workspace_take(w, net_things(n) * D, sizeof(float));
    for (size_t i = 0; i < n->parts; i++) {
        table_memory_plan(n, w, &n->part[i]);
        n->part[i].scratch = workspace_take(w, KERNEL_SCRATCH_BYTES, 1);
    }
}

pf_status sequence_net_new(sequence_net **out, const sequence_settings *settings,
                           const sequence_sizes *sizes, const float *side,
                           const tensor_kernels *k, pf_error *err)
{
    *out = NULL;
    sequence_net *n = mem_alloc_zero(1, sizeof *n);
    if (!n) return error_set(err, PF_NO_MEMORY, "no memory for a sequence model");
    pf_status status = net_describe(n, settings, sizes, side, k, err);
    if (status != PF_OK) goto done;
    status = parameters_new(&n->params, n->shapes.shape, n->shapes.n, err);
    if (status != PF_OK) goto done;
    parameters_start(n->params, settings->seed);
    n->memory = workspace_counting();
    net_plan(n, &n->memory);
    status = workspace_make(&n->memory, err);
    if (status != PF_OK) goto done;
    net_plan(n, &n->memory);
    if (!net_has_side(n)) n->m = parameters_at(n->params, n->at.id);
    *out = n;
    n = NULL;
done:
    sequence_net_free(n);
    return status;
}

void sequence_net_free(sequence_net *n)
{
    if (!n) return;
    parameters_free(n->params);
    workspace_free(&n->memory);
    mem_free(n);
}

parameters *sequence_net_parameters(sequence_net *n)
{
    return n->params;
}

const sequence_settings *sequence_net_settings(const sequence_net *n)
{
    return &n->settings;
}

const sequence_sizes *sequence_net_sizes(const sequence_net *n)
{
    return &n->sizes;
}

/* ---- refresh ---- */

/* Part `part` of n things in units of `unit`. */
static size_t part_begin(size_t n, size_t unit, size_t part, size_t parts)
{
    size_t units = (n + unit - 1) / unit, begin = units * part / parts * unit;
    return begin < n ? begin : n;
}

static void refresh_part(void *context, size_t part, unsigned worker)
{
    sequence_net *n = context;
    const size_t V = n->sizes.V, D = n->settings.width, things = net_things(n);
    const product_table table = {
        .net = n, .weights = &n->weights, .n = things, .m = n->m, .training = false};
    (void)worker;
    weights_pack_part(n, &n->weights, part, n->parts);
    size_t from = part_begin(things, PACKING_COLUMNS, part, n->parts);
    size_t to = part_begin(things, PACKING_COLUMNS, part + 1, n->parts);
    table_make(&table, from, to, &n->part[part]);
    packing_columns(n->k, TENSOR_FP32, D, n->m, 1, D, from, to < V ? to : V, n->products);
}

void sequence_net_refresh(sequence_net *n, pool *threads)
{
    if (net_has_side(n)) weights_pack(n, &n->weights, n->at.side);
    pool_run(threads, n->parts, refresh_part, n);
    n->fresh = true;
}

/* ---- states and scores ---- */

/* Runs (or, with a counting workspace, plans) embedding and body. */
static float *run_forward(const sequence_net *n, const sequence_pack *pack, workspace *memory)
{
    const size_t D = n->settings.width;
    body_call c = {.k = n->k,
                   .settings = &n->settings,
                   .pack = pack,
                   .own = n->at.own,
                   .values = parameters_values(n->params),
                   .offset = n->layout.offset,
                   .forward = n->weights.forward,
                   .backward = n->weights.backward,
                   .memory = memory,
                   .precision = TENSOR_FP32};
    float *x = workspace_take(memory, pack->R * D, sizeof *x);
    c.scratch = workspace_take(memory, KERNEL_SCRATCH_BYTES, 1);
    if (x) embed_forward(&c, &n->at, n->m, x);
    return n->body->forward(&c, x);
}

pf_status sequence_net_workspace(const sequence_net *n, size_t R, workspace *out, pf_error *err)
{
    const sequence_pack largest = {.n_sequences = R, .R = R};
    *out = workspace_counting();
    run_forward(n, &largest, out);
    return workspace_make(out, err);
}

void sequence_net_states(const sequence_net *n, const sequence_pack *pack, workspace *memory,
                         float *last)
{
    const size_t D = n->settings.width, mark = workspace_mark(memory);
    assert(n->fresh && "values have changed since the last refresh");
    const float *h = run_forward(n, pack, memory);
    for (size_t s = 0; s < pack->n_sequences; s++) {
        size_t end = pack->offset[s + 1];
        if (end == pack->offset[s])
            memset(last + s * D, 0, D * sizeof *last);
        else
            memcpy(last + s * D, h + (end - 1) * D, D * sizeof *last);
    }
    workspace_back(memory, mark);
}

void sequence_net_scores(const sequence_net *n, size_t M, const float *states, float *scores,
                         void *scratch)
{
    const size_t V = n->sizes.V, D = n->settings.width;
    const float *bias =
        n->at.bias != NET_ABSENT ? parameters_at(n->params, n->at.bias) : NULL;
    assert(n->fresh && "values have changed since the last refresh");
    n->k->product(TENSOR_FP32, M, V, D, states, D, n->products, bias, scores, V, PRODUCT_SET,
                  scratch);
}
