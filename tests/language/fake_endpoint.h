/*
 * An embeddings endpoint inside the test: a thread that listens on a free port of the
 * loopback address and answers as well or as badly as it is told. In its good mode the
 * vector of a text is {bytes, first byte, position in the request, 1}, made length one by
 * whoever reads it.
 */
#ifndef PROFFER_TESTS_LANGUAGE_FAKE_ENDPOINT_H
#define PROFFER_TESTS_LANGUAGE_FAKE_ENDPOINT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

enum { FAKE_DIMENSION = 4, FAKE_BODY_BYTES = 1 << 20 };

typedef enum fake_mode {
    FAKE_GOOD,
    FAKE_BACKWARDS, /* entries in reverse order, with the right indices */
    FAKE_NO_INDEX,
    FAKE_PRETTY, /* much white space */
    FAKE_FEWER,
    FAKE_MORE,
    FAKE_OTHER_DIMENSION,
    FAKE_SAME_INDEX,
    FAKE_INDEX_TOO_LARGE,
    FAKE_WORD_FOR_NUMBER,
    FAKE_NUMBER_TOO_LARGE,
    FAKE_ZEROS,
    FAKE_NO_JSON,
    FAKE_NO_DATA,
    FAKE_EMPTY,
    FAKE_CUT_SHORT, /* announces more than it sends */
    FAKE_FLOOD,     /* does not stop sending */
    FAKE_HANG,      /* takes the request and says nothing */
    FAKE_DRIP,      /* a byte now and then */
    FAKE_HANG_UP,   /* closes without a word */
    FAKE_500,
    FAKE_401,
    FAKE_REDIRECT,
} fake_mode;

typedef struct fake_endpoint {
    int listener;
    char url[64];
    pthread_t thread;
    atomic_int mode;
    atomic_int bad_answers; /* this many times 503 first, then by mode */
    atomic_int requests;
    atomic_bool stopping;
    pthread_mutex_t mutex; /* over what follows */
    char headers[8192];    /* of the last request */
    char body[FAKE_BODY_BYTES];
    size_t largest_batch;
} fake_endpoint;

fake_endpoint *fake_start(void);
void fake_stop(fake_endpoint *f);

#endif
