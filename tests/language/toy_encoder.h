/*
 * An encoder whose vectors a test can work out: value j of a text is the count of byte
 * 'a' + j in it plus one, made length one. It counts how many texts it was given and can
 * be told to fail. It uses the room's own interface between kinds of encoder, so all that
 * takes an encoder can be tested without weights.
 */
#ifndef PROFFER_TESTS_LANGUAGE_TOY_ENCODER_H
#define PROFFER_TESTS_LANGUAGE_TOY_ENCODER_H

#include <stdbool.h>
#include <string.h>

#include "language/encoder_kind.h"
#include "language/vectors.h"

enum { TOY_DIMENSION = 5 };

typedef struct toy_encoder {
    encoder base;
    size_t calls, texts;
    size_t fail_at_call; /* 0: never */
} toy_encoder;

static inline void toy_vector(text t, float *row)
{
    for (size_t j = 0; j < TOY_DIMENSION; j++) {
        row[j] = 1;
        for (size_t i = 0; i < t.n; i++)
            row[j] += t.data[i] == (char)('a' + (int)j);
    }
    vector_normalise(row, TOY_DIMENSION);
}

static inline pf_status toy_encode(encoder *base, size_t n, const text *texts, float *out,
                                   pool *p, pf_error *err)
{
    toy_encoder *e = (toy_encoder *)base;
    (void)p;
    if (++e->calls == e->fail_at_call)
        return error_set(err, PF_UNAVAILABLE, "the toy is broken");
    e->texts += n;
    for (size_t i = 0; i < n; i++)
        toy_vector(texts[i], out + i * TOY_DIMENSION);
    return PF_OK;
}

static inline toy_encoder toy_make(unsigned char name)
{
    toy_encoder e = {.base = {.encode = toy_encode, .dimension = TOY_DIMENSION}};
    memset(e.base.fingerprint.bytes, name, FINGERPRINT_BYTES);
    return e;
}

#endif
