/*
 * SentencePiece behind a C interface: text -> numbers of pieces (Kudo 2018, unigram
 * segmentation). The C++ library does the work; no exception of it comes out.
 *
 * Differences from the library's own encoding, both so that a text has the same pieces
 * as in the published encoder:
 *   - a run of unknown characters is one unknown piece a character, not one for all;
 *   - neighbouring pieces that could change places without changing the text ("aa" and
 *     "a") stand shortest first: the library's float sums choose among such ties by
 *     rounding.
 *
 * Bytes that are not UTF-8 count as U+FFFD each; NUL and other control characters are
 * dropped, white space is squeezed, width variants are folded (NFKC) by the model's
 * rules.
 *
 * Threads: one model serves any number of threads.
 */
#ifndef PROFFER_LANGUAGE_SENTENCEPIECE_SHIM_H
#define PROFFER_LANGUAGE_SENTENCEPIECE_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "base/status.h"

typedef struct piece_model piece_model;

/* Takes a serialised model (the content of sp.model), which may go afterwards. PF_DATA
 * when it is none, or has no marks for unknown, begin and end. */
pf_status piece_model_open(piece_model **out, const void *bytes, size_t n, pf_error *err);

/* NULL is fine. */
void piece_model_close(piece_model *m);

/* How many pieces: every number given is below it. */
uint32_t piece_model_count(const piece_model *m);

/* Receives one piece; false stops (the call then ends with PF_NO_MEMORY). */
typedef bool piece_sink(void *context, uint32_t piece);

/* Begin mark, pieces (the unknown piece for a text without any), end mark. */
pf_status piece_model_encode(const piece_model *m, const char *bytes, size_t n,
                             piece_sink *sink, void *context, pf_error *err);

#ifdef __cplusplus
}
#endif

#endif
