/*
 * Training as people watch it: a progress bar with epoch, loss and validation, a word before
 * memory is taken, and Ctrl-C that ends training with the best model so far.
 *
 *     training_shown shown;
 *     recommend_training training = {.hooks = training_show(&shown, "transformer")};
 *     ... recommender_fit ...
 *     training_shown_end(&shown);
 *
 * One training at a time.
 */
#ifndef PROFFER_ENGINE_TRAINING_SHOWN_H
#define PROFFER_ENGINE_TRAINING_SHOWN_H

#include "base/progress.h"
#include "sequence/train.h"

typedef struct training_shown {
    char title[64];
    progress *bar; /* NULL until the first step, and when quiet */
    void (*ended)(void *context); /* an epoch; or NULL */
    void *ended_context;
} training_shown;

/* The hooks borrow *shown. */
training_hooks training_show(training_shown *shown, const char *model);
/* Calls back after every epoch, its checkpoint being written about then. */
void training_shown_epochs(training_shown *shown, void (*ended)(void *context), void *context);
/* What is trained from now on, e.g. the next seed. */
void training_shown_title(training_shown *shown, const char *model, unsigned seed,
                          unsigned seeds);
void training_shown_end(training_shown *shown);

#endif
