/*
 * A trained sequence model: the state of a shopper at a moment, and scores of all products.
 *
 *     sequence_shopper *s;                       // what the model needs to remember of one
 *     sequence_shopper_new(m, &s, err);
 *     sequence_shopper_append(s, &event);        // as events come
 *     sequence_shopper_state(s, state);          // [D]
 *     sequence_model_scores(m, state, scores);   // [V]
 *
 * A model is immutable: any number of threads may use it, each with shoppers or scratch of its
 * own. States and scores are computed in fp32 whatever it was trained in, so that a model of one
 * machine serves on every other. In a file it is safetensors; settings, sizes and how it was
 * trained stand in the notes.
 */
#ifndef PROFFER_SEQUENCE_MODEL_H
#define PROFFER_SEQUENCE_MODEL_H

#include "base/json.h"
#include "base/status.h"
#include "sequence/events.h"
#include "sequence/net.h"
#include "tensor/safetensors.h"

typedef struct sequence_model sequence_model;

/* How it was trained, for cards and tables. */
typedef struct sequence_training {
    unsigned epochs, best_epoch;
    double best_validation; /* NDCG@10, NaN without */
    double train_s; /* wall; 0 for a model from a file */
    uint64_t steps, rows;
    bool interrupted; /* stopped by hand before early stopping or the last epoch */
    char data_hash[SEQUENCE_HASH_BYTES], kernels[24];
} sequence_training;

/* Takes the net (and frees it with itself, also on failure) and refreshes it for scoring; side
 * vectors are copied. */
pf_status sequence_model_new(sequence_model **out, sequence_net *net, const float *side,
                             const sequence_training *training, pf_error *err);
/* NULL is fine. */
void sequence_model_free(sequence_model *m);
const sequence_settings *sequence_model_settings(const sequence_model *m);
const sequence_sizes *sequence_model_sizes(const sequence_model *m);
const sequence_training *sequence_model_training(const sequence_model *m);
const parameters *sequence_model_parameters(const sequence_model *m);

/* An object with settings, sizes and how it was trained, for a card. */
void sequence_model_describe(const sequence_model *m, json_writer *w);

/* Adds everything to a file being written, borrowed until the commit; and back. Nothing in the
 * file is believed: PF_DATA with what is wrong. */
pf_status sequence_model_save(const sequence_model *m, safetensors_writer *w, pf_error *err);
pf_status sequence_model_load(sequence_model **out, const safetensors *file, pf_error *err);

/* A shopper's latest events, oldest first. A thing is numbered as when the model was trained;
 * one that it does not know is SEQUENCE_NOTHING (so is every number beyond its things). */
typedef struct sequence_window {
    size_t n;
    const uint32_t *thing;      /* [n] */
    const uint8_t *kind, *band; /* [n] each, or NULL: all 0 */
    const int64_t *time_us;     /* [n], or NULL: gaps are unknown */
} sequence_window;

/* state [D] after a window's events, of which the last `length` count; all zero without any.
 * Allocates nothing: scratch is sequence_model_scratch_bytes(m), any thread's own. */
size_t sequence_model_scratch_bytes(const sequence_model *m);
void sequence_model_state(const sequence_model *m, const sequence_window *window,
                          void *scratch, float *state);
/* scores [V] after a window's events: state and scores in one. */
void sequence_model_score_window(const sequence_model *m, const sequence_window *window,
                                 float *scores, void *scratch);
/* scores [V] of a state; allocates nothing. scratch: KERNEL_SCRATCH_BYTES, aligned to 64. */
void sequence_model_scores(const sequence_model *m, const float *state, float *scores,
                           void *scratch);

/* A shopper whose events come one by one: keeps the latest and the state. */
typedef struct sequence_event {
    uint32_t thing;
    uint8_t kind, band;
    int64_t time_us; /* 0 without times */
} sequence_event;

typedef struct sequence_shopper sequence_shopper;
pf_status sequence_shopper_new(const sequence_model *m, sequence_shopper **out,
                               pf_error *err);
/* NULL is fine. */
void sequence_shopper_free(sequence_shopper *s);
/* Forgets all events. */
void sequence_shopper_clear(sequence_shopper *s);
void sequence_shopper_append(sequence_shopper *s, const sequence_event *event);
/* state [D] after the events so far; allocates nothing, computes only after an append. */
void sequence_shopper_state(sequence_shopper *s, float *state);

#endif
