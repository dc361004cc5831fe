/*
 * The text encoder: texts -> vectors of length 1 whose dot product is how near they are
 * in meaning, across languages.
 *
 *     encoder *e;
 *     if (encoder_open_folder(&e, folder, &err) != PF_OK) ...  // unavailable: no weights
 *     float *rows = mem_alloc_aligned(n * encoder_dimension(e), sizeof *rows);
 *     encoder_encode(e, n, texts, rows, pool, &err);
 *     encoder_close(e);
 *
 * Two kinds behind one interface: the sentence encoder run in process from a weights file
 * (Universal Sentence Encoder multilingual v3, 512 values, 16 languages, Chinese and
 * English among them), and any endpoint that speaks OpenAI's `POST /v1/embeddings`.
 * Vectors from elsewhere (pictures, another program) need no encoder: they go straight
 * into a vector_set (language/vectors.h).
 *
 * Texts are bytes; ill-formed UTF-8 counts as U+FFFD, one for each wrong byte. A text
 * above LIMIT_TEXT_BYTES is refused with PF_LIMIT.
 *
 * In process, a vector has the same bits whatever texts are encoded beside it and however
 * many threads work; between processors with and without fused multiply-add the last bits
 * differ (cosine above .999999).
 *
 * Threads: open and close by one thread; encoder_encode by any number at once, each with
 * its own pool or none (an endpoint ignores the pool).
 */
#ifndef PROFFER_LANGUAGE_ENCODER_H
#define PROFFER_LANGUAGE_ENCODER_H

#include <stddef.h>

#include "base/hash.h"
#include "base/pool.h"
#include "base/status.h"
#include "base/text.h"

typedef struct encoder encoder;

/* ---- in process ---- */

/* File names inside a model folder. */
#define ENCODER_WEIGHTS_NAME "encoder.weights" /* converted, mapped */
#define ENCODER_ARCHIVE_NAME "weights.npz"     /* as published */
#define ENCODER_PIECES_NAME "sp.model"

/* Opens the encoder of a folder that holds sp.model and weights.npz or the converted
 * file. Where the converted file is absent, or of another version, or damaged, it is made
 * from the archive first (once, about a second, about 150 MB of memory). PF_UNAVAILABLE
 * with what to do when the folder or a file is absent. */
pf_status encoder_open_folder(encoder **out, const char *folder, pf_error *err);

/* The same from a converted file and a SentencePiece model at given paths; nothing is
 * converted. */
pf_status encoder_open_files(encoder **out, const char *weights_path,
                             const char *pieces_path, pf_error *err);

/* Where the encoder is looked for unless a path is given: $PROFFER_MODELS/usem3, else
 * $XDG_DATA_HOME/proffer/models/usem3, else ~/.local/share/proffer/models/usem3.
 * PF_LIMIT when it does not fit, PF_UNAVAILABLE when no variable is set. */
pf_status encoder_default_folder(char *into, size_t size, pf_error *err);

/* Converts the published archive to the mapped file, atomically; see
 * weights_convert(). */
pf_status encoder_convert_weights(const char *archive_path, const char *weights_path,
                                  pf_error *err);

/* ---- over HTTP ---- */

typedef struct encoder_remote_options {
    const char *url;     /* ".../v1/embeddings", http or https */
    const char *model;   /* the endpoint's name of it */
    const char *api_key; /* NULL: none; sent as a bearer token, never logged */
    long connect_timeout_ms;
    long timeout_ms;    /* of one request, answer included */
    unsigned retries;   /* after the first try, for 408, 425, 429, 5xx and broken lines */
    long backoff_ms;    /* before the first retry; doubles with each */
    size_t batch_texts; /* texts a request; at most LIMIT_ENDPOINT_BATCH */
} encoder_remote_options;

/* 10 s to connect, 60 s a request, 3 retries from 250 ms, 64 texts a request. */
encoder_remote_options encoder_remote_defaults(void);

/* Asks the endpoint for one vector, to learn the dimension. Options are copied. PF_USAGE
 * for wrong options; PF_UNAVAILABLE when nobody answers in time; PF_DATA when the answer
 * is no such vector. */
pf_status encoder_open_remote(encoder **out, const encoder_remote_options *options,
                              pf_error *err);

/* ---- both ---- */

/* n texts -> n x dimension values, each row of length 1 (an endpoint is never asked for a
 * text of white space alone: its row is zeros). pool may be NULL. On failure the content
 * of out is undefined. Remote failures: PF_UNAVAILABLE (no answer, 5xx, refusal), PF_DATA
 * (an answer with another number of vectors, another dimension, or values that are not
 * finite), PF_LIMIT (an answer too large). */
pf_status encoder_encode(encoder *e, size_t n, const text *texts, float *out, pool *p,
                         pf_error *err);

size_t encoder_dimension(const encoder *e);

/* Names what made the vectors: weights, pieces and method, or endpoint, model and
 * dimension. Two encoders with one fingerprint give the same vectors. */
fingerprint encoder_fingerprint(const encoder *e);

/* For people: "usem3, 512 values, avx512" or the endpoint and its model. */
const char *encoder_describe(const encoder *e);

/* NULL is fine. */
void encoder_close(encoder *e);

#endif
