/*
 * Training a sequence model: epochs over shoppers' windows, early stopping on validation, a
 * checkpoint after every epoch.
 *
 * The same seed, settings and data give the same bits, whether training ran through or was
 * killed and resumed: order, windows, dropout and sampling are functions of (seed, epoch, step),
 * and the checkpoint holds values, moments, averages, the best values so far and the counters.
 * It is replaced atomically; a file of other data or settings is refused.
 *
 * The causal objective (SASRec): every row of a window foresees the next product its shopper
 * took. BERT4Rec: masked rows guess themselves, the last row always among them now and then.
 */
#ifndef PROFFER_SEQUENCE_TRAIN_H
#define PROFFER_SEQUENCE_TRAIN_H

#include "base/pool.h"
#include "base/status.h"
#include "sequence/events.h"
#include "sequence/model.h"
#include "sequence/settings.h"

typedef struct training_progress {
    unsigned epoch, epochs;      /* the one running, from 1; at most */
    uint64_t rows_done, rows;    /* of this epoch */
    double loss;                 /* mean so far in this epoch */
    double validation;           /* NDCG@10 after the latest finished epoch; NaN before */
    double best;                 /* and the best; NaN before */
    unsigned best_epoch;
    double rows_per_s, left_s;   /* left_s: to the last epoch at this pace; NaN unknown */
    bool epoch_end;              /* called once at each epoch's end with this set */
    double epoch_s;
} training_progress;

typedef struct training_hooks {
    void *context;
    /* Called now and then and at each epoch's end; NULL: nobody is told. */
    void (*progress)(void *context, const training_progress *p);
    /* Asked between steps; true ends training with the best model so far. NULL: never. */
    bool (*stop)(void *context);
    /* Told the bytes before they are taken. NULL: nobody. */
    void (*memory)(void *context, size_t bytes);
} training_hooks;

typedef struct training_task {
    const sequence_events *events; /* what may be learnt from */
    const sequence_side *side;     /* or NULL */
    /* What each shopper took next, [U] or SEQUENCE_NOTHING: validation, never trained on. NULL:
     * the last taken event of up to 5,000 shoppers with three or more is held back. */
    const uint32_t *next;
    bool repeats;                  /* validation may rank products already taken */
    const char *checkpoint;        /* path, or NULL: none is kept */
    bool resume;                   /* go on from the checkpoint; PF_NOT_FOUND without one */
    const sequence_model *warm;    /* start from its values (warm.h), or NULL; rows of new products
                                      start fresh. PF_DATA when widths or things do not fit.
                                      Nothing to who resumes */
    pool *threads;                 /* settings.threads workers at most are used */
    training_hooks hooks;
} training_task;

/* PF_CANCELLED: stopped before the first epoch ended. PF_DATA: nobody has two events; the loss was
 * not finite (message says the epoch, the step and what to try; with a checkpoint the last good
 * epoch is still there).
 * PF_USAGE: settings; PF_LIMIT / PF_NO_MEMORY: sizes. */
pf_status sequence_train(const training_task *task, const sequence_settings *settings,
                         sequence_model **out, pf_error *err);

#endif
