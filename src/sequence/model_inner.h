/* The insides of a model; shared by model.c and model_file.c only. */
#ifndef PROFFER_SEQUENCE_MODEL_INNER_H
#define PROFFER_SEQUENCE_MODEL_INNER_H

#include "sequence/model.h"

struct sequence_model {
    sequence_net *net;
    sequence_settings settings; /* as trained; the net itself is fp32 */
    sequence_sizes sizes;
    sequence_training training;
    float *side;            /* [(V + P) x K], own; or NULL */
    size_t workspace_bytes; /* of the network for one shopper's states */
    uint64_t side_shape[2]; /* borrowed by a file being written */
};

/* Takes net and side (freed on failure too); settings are those to show. */
pf_status sequence_model_wrap(sequence_model **out, sequence_net *net, float *side,
                              const sequence_settings *settings,
                              const sequence_training *training, pf_error *err);

#endif
