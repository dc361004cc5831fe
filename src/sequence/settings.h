/*
 * How a sequence model is built and trained: every number in one struct.
 *
 *     sequence_settings s = sequence_settings_for(SEQUENCE_TRANSFORMER, &events, &side);
 *     sequence_settings_set(&s, "width=128,dropout=.3", err);    // what a user insists on
 *     const char *reason = sequence_settings_check(&s);          // NULL: fine
 */
#ifndef PROFFER_SEQUENCE_SETTINGS_H
#define PROFFER_SEQUENCE_SETTINGS_H

#include "base/json.h"
#include "base/status.h"
#include "sequence/events.h"
#include "tensor/kernels.h"

typedef enum sequence_architecture {
    SEQUENCE_TRANSFORMER, /* causal; SASRec: Kang and McAuley, ICDM 2018 */
    SEQUENCE_GRU,         /* GRU4Rec: Hidasi et al., ICLR 2016 */
    SEQUENCE_BERT         /* BERT4Rec: Sun et al., CIKM 2019 */
} sequence_architecture;

typedef enum sequence_block {
    SEQUENCE_BLOCK_PLAIN, /* pre-norm, GELU feed-forward */
    SEQUENCE_BLOCK_GATED, /* pre-norm, each branch times sigma(Wg x), SwiGLU feed-forward:
                             LiGR (Borisyuk et al. 2025), eSASRec (Tikhonovich et al. 2025) */
    SEQUENCE_BLOCK_HSTU   /* Zhai et al., ICML 2024, equations 1 to 3 */
} sequence_block;

typedef enum sequence_loss {
    SEQUENCE_LOSS_FULL,    /* cross-entropy over the whole catalogue */
    SEQUENCE_LOSS_SAMPLED, /* sampled softmax with log-Q correction */
    SEQUENCE_LOSS_GBCE
} sequence_loss;

typedef enum sequence_windows {
    SEQUENCE_WINDOW_LAST,  /* a shopper's last `length` events, every epoch */
    SEQUENCE_WINDOW_RANDOM /* of longer shoppers another stretch each epoch */
} sequence_windows;

typedef struct sequence_settings {
    sequence_architecture architecture;
    sequence_block block;
    unsigned width, blocks, heads, length; /* D, layers, H, T */
    float feedforward;                     /* inner width over D */
    bool rms_norm;                         /* else layer norm */
    bool positions;                        /* learnt vectors of absolute positions */
    bool relative;                         /* learnt bias of attention by distance */
    bool gaps;                             /* vectors of time gaps, where times are known */
    bool side;                             /* projected side vectors join the id's */
    bool ids;                              /* vectors of ids (false: side vectors alone) */

    float dropout, attention_dropout, side_dropout;
    float mask_share; /* BERT: share of positions that are masked */

    sequence_loss loss;
    unsigned negatives; /* shared by a batch */
    float calibration;  /* t of gBCE */
    float smoothing;    /* of labels */
    bool omit_taken;    /* the whole-catalogue softmax of a row leaves out what else its shopper
                           took, as the ranking does; nothing with another loss, with smoothing
                           or where repeats are recommended */

    float rate, beta1, beta2, epsilon, decay, clip;
    unsigned warmup_steps;
    bool cosine;       /* the rate falls to a tenth along half a cosine over `epochs` */
    float average;     /* decay a step of the averaged weights that are kept; 0: none */
    unsigned batch;    /* sequences a step */
    sequence_windows windows;
    unsigned epochs, patience; /* at most; without a better validation, 0: all are run */

    tensor_precision precision;
    unsigned threads; /* bits depend on it */
    uint64_t seed;
} sequence_settings;

/* What the data ask for, by their size, length and density; side.vectors NULL: none. */
sequence_settings sequence_settings_for(sequence_architecture a, const sequence_events *e,
                                        const sequence_side *side);
/* "name=value,name=value"; names as in the struct. PF_USAGE with the name that is unknown or
 * the value that is out of range; s is unchanged then. */
pf_status sequence_settings_set(sequence_settings *s, const char *pairs, pf_error *err);
/* NULL, or why these settings cannot be (heads do not divide the width, ...). */
const char *sequence_settings_check(const sequence_settings *s);
/* An object with every setting under its name, and back; PF_DATA for anything that
 * sequence_settings_check refuses or that is missing. */
void sequence_settings_write(json_writer *w, const sequence_settings *s);
pf_status sequence_settings_read(sequence_settings *s, const char *json, pf_error *err);
/* The name of the first setting in which two differ, or NULL. */
const char *sequence_settings_difference(const sequence_settings *a,
                                         const sequence_settings *b);

#endif
