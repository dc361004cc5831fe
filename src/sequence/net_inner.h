/*
 * What a network is made of, for the files that run it: net.c, table.c, weights.c, embed.c and
 * the training step. Nobody outside of sequence/ includes this.
 */
#ifndef PROFFER_SEQUENCE_NET_INNER_H
#define PROFFER_SEQUENCE_NET_INNER_H

#include "sequence/body.h"
#include "sequence/net.h"

#define NET_ABSENT SIZE_MAX

/* Numbers of the network's own arrays; NET_ABSENT for those it has not. The body's begin at
 * `own`. */
typedef struct net_arrays {
    size_t id;       /* [(V + P) x D] */
    size_t side;     /* [D x K] */
    size_t position; /* [length x D] */
    size_t kind, band, gap, mask; /* [classes x D] */
    size_t bias;     /* [V x 1], of the whole-catalogue loss of BERT4Rec alone */
    size_t own;
} net_arrays;

/* All matrices of a network as products want them. */
typedef struct packed_weights {
    tensor_precision precision;
    bool both;                      /* backward too */
    void *forward[PARAMETERS_MAX];  /* NULL for arrays that are no matrix */
    void *backward[PARAMETERS_MAX];
} packed_weights;

/* Memory of one thread that makes a part of the product table. */
typedef struct table_memory {
    float *side;  /* [TABLE_ROWS x K] */
    float *moved; /* [TABLE_ROWS x D] */
    void *scratch;
} table_memory;

enum { NET_PARTS_MAX = 16 };

struct sequence_net {
    sequence_settings settings;
    sequence_sizes sizes;
    const float *side; /* [(V + P) x K], or NULL */
    const tensor_kernels *k;
    const sequence_body *body;
    body_shapes shapes;
    net_arrays at;
    parameters_layout layout;
    parameters *params;

    float *m; /* [(V + P) x D]: the id vectors themselves where nothing joins them */
    packed_weights weights; /* fp32, forward */
    void *products;         /* m's first V rows packed D x V, fp32 */
    size_t parts;           /* of a refresh */
    table_memory part[NET_PARTS_MAX];
    workspace memory; /* holds the five above */
    bool fresh;       /* m and what is packed are those of the values */
};

/* Everything of a net but memory: settings, shapes, layout. */
pf_status net_describe(sequence_net *n, const sequence_settings *settings,
                       const sequence_sizes *sizes, const float *side,
                       const tensor_kernels *k, pf_error *err);
/* Takes (or counts) the memory of scoring. */
void net_plan(sequence_net *n, workspace *w);

static inline size_t net_things(const sequence_net *n)
{
    return (size_t)n->sizes.V + n->sizes.P;
}

static inline bool net_has_side(const sequence_net *n)
{
    return n->at.side != NET_ABSENT;
}

/* Whether only the products in use are made and moved in a step. */
static inline bool net_samples(const sequence_net *n)
{
    return n->settings.loss != SEQUENCE_LOSS_FULL;
}

#endif
