/*
 * Everything a training that was killed needs to go on with the same bits, in one safetensors
 * file that is replaced atomically after every epoch.
 *
 *     parameters         values by name, adam.first, adam.second, adam.steps (parameters.h)
 *     average, best      [floats] blocks laid out as the parameters; where they are kept
 *     counts, measures   what was done and found so far
 *     notes              settings, fingerprint of the data and of the validation, kernels
 *
 * Order, windows, dropout and samples need no place here: they are functions of the seed, the
 * epoch and the step.
 */
#ifndef PROFFER_SEQUENCE_CHECKPOINT_H
#define PROFFER_SEQUENCE_CHECKPOINT_H

#include "base/status.h"
#include "sequence/settings.h"
#include "tensor/parameters.h"

typedef struct training_counts {
    unsigned epochs; /* finished */
    unsigned best_epoch;
    uint64_t steps, rows;
    double validation, best; /* NaN before the first */
    double train_s;
} training_counts;

/* What is written, and where what is read goes. All borrowed. */
typedef struct training_checkpoint {
    const sequence_settings *settings;
    const char *data, *question; /* fingerprints of events and side, of the validation */
    const char *kernels;
    parameters *p;        /* with moments */
    float *average, *best; /* [floats of p], or NULL where none is kept */
    training_counts *counts;
} training_checkpoint;

/* PF_IO and others; the file that stood there is untouched then. */
pf_status training_checkpoint_write(const training_checkpoint *c, const char *path,
                                    pf_error *err);
/* Takes values, moments, average, best and counts back. PF_NOT_FOUND without a file; PF_DATA
 * for one that is broken, of other data, of other settings (epochs and patience may differ
 * where no rate depends on them): nothing of c has changed then. */
pf_status training_checkpoint_read(const training_checkpoint *c, const char *path,
                                   pf_error *err);

#endif
