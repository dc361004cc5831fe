/* What the two kinds of encoder share, for the files of this room alone: a kind is a pair
 * of functions, and its own struct begins with an encoder. */
#ifndef PROFFER_LANGUAGE_ENCODER_KIND_H
#define PROFFER_LANGUAGE_ENCODER_KIND_H

#include "language/encoder.h"

struct encoder {
    pf_status (*encode)(encoder *e, size_t n, const text *texts, float *out, pool *p,
                        pf_error *err);
    void (*close)(encoder *e);
    size_t dimension;
    fingerprint fingerprint;
    char description[256];
};

#endif
