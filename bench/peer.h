/*
 * A PyTorch script that trains the same model, as a child process: its epochs as they are
 * printed ("epoch 1 loss 7.6400 34.60 s ..."), with the processor time each took.
 */
#ifndef PROFFER_BENCH_PEER_H
#define PROFFER_BENCH_PEER_H

#include <stdbool.h>

/* cpu_s: of all the child's threads since its line before; NaN for the first, which would count
 * the start of the program. */
typedef void peer_epoch(void *context, unsigned epoch, double loss, double epoch_s,
                        double cpu_s);

/* Runs words[0] with words, NULL at their end; other lines it prints go to stderr. False when
 * it cannot be started or does not end well. */
bool peer_run(const char *const *words, peer_epoch *told, void *context);

#endif
