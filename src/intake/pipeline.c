/* A ring of batches between two threads; see pipeline.h. */
#include "intake/pipeline.h"

#include <pthread.h>
#include <time.h>

#include "base/memory.h"
#include "base/progress.h"

enum { RING = 6, WAIT_NS = 100000000 };

/*
 *   taken                filled
 *     v                    v
 *   [ loading ][ full ][ full ][ free ][ free ][ free ]
 *
 * Slots are used in turn: slot i holds batch i modulo RING. filled - taken batches wait.
 */
struct pipeline {
    producer *from;
    atomic_bool *stop;
    batch *ring[RING];
    unsigned n_ring;
    bool threaded;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t filled, taken; /* batches so far; under the lock */
    bool holding;           /* the caller has batch `taken` */
    bool ended;             /* the producer fills no more */
    pf_status status;       /* its answer, once ended */
    pf_error why;
};

/* --- the reader thread ------------------------------------------------------------ */

/* The next free slot, or NULL when the reading is to end. */
static batch *wait_for_room(pipeline *p)
{
    (void)pthread_mutex_lock(&p->lock);
    while (p->filled - p->taken == p->n_ring && !atomic_load(p->stop))
        (void)pthread_cond_wait(&p->changed, &p->lock);
    batch *b = atomic_load(p->stop) ? NULL : p->ring[p->filled % p->n_ring];
    (void)pthread_mutex_unlock(&p->lock);
    return b;
}

static void hand_over(pipeline *p, pf_status s, const pf_error *why, bool more)
{
    (void)pthread_mutex_lock(&p->lock);
    p->filled += s == PF_OK;
    p->ended = s != PF_OK || !more;
    p->status = s;
    p->why = *why;
    (void)pthread_cond_broadcast(&p->changed);
    (void)pthread_mutex_unlock(&p->lock);
}

static void *read_batches(void *context)
{
    pipeline *p = context;
    bool more = true;
    pf_status s = PF_OK;
    while (s == PF_OK && more) {
        pf_error why = {0};
        batch *b = wait_for_room(p);
        s = b != NULL ? producer_fill(p->from, b, &more, &why)
                      : error_set(&why, PF_CANCELLED, "the import was stopped");
        hand_over(p, s, &why, more);
    }
    return NULL;
}

/* --- the caller ------------------------------------------------------------------- */

static pf_status start_thread(pipeline *p, pf_error *err)
{
    if (pthread_mutex_init(&p->lock, NULL) != 0)
        return error_set(err, PF_NO_MEMORY, "no lock for reading files");
    if (pthread_cond_init(&p->changed, NULL) != 0) {
        (void)pthread_mutex_destroy(&p->lock);
        return error_set(err, PF_NO_MEMORY, "no lock for reading files");
    }
    if (pthread_create(&p->thread, NULL, read_batches, p) != 0) {
        (void)pthread_cond_destroy(&p->changed);
        (void)pthread_mutex_destroy(&p->lock);
        return error_set(err, PF_NO_MEMORY, "no thread for reading files");
    }
    p->threaded = true;
    return PF_OK;
}

pf_status pipeline_start(pipeline **out, producer *from, intake_table table,
                         unsigned threads, atomic_bool *stop, pf_error *err)
{
    pipeline *p = mem_alloc_zero(1, sizeof *p);
    if (p == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory while reading files");
    p->from = from;
    p->stop = stop;
    p->n_ring = threads == 1 ? 1 : RING;
    pf_status s = PF_OK;
    for (unsigned i = 0; i < p->n_ring && s == PF_OK; i++) {
        p->ring[i] = batch_new(table);
        if (p->ring[i] == NULL)
            s = error_set(err, PF_NO_MEMORY, "out of memory while reading files");
    }
    if (s == PF_OK && threads != 1) s = start_thread(p, err);
    if (s != PF_OK) {
        pipeline_stop(p);
        return s;
    }
    *out = p;
    return PF_OK;
}

static pf_status next_alone(pipeline *p, batch **out, pf_error *err)
{
    bool more = false;
    *out = NULL;
    if (p->ended) return PF_OK;
    if (progress_cancelled())
        return error_set(err, PF_CANCELLED, "the import was stopped");
    const pf_status s = producer_fill(p->from, p->ring[0], &more, err);
    p->ended = s != PF_OK || !more;
    if (s == PF_OK) *out = p->ring[0];
    return s;
}

/* Waits for a batch, looking up now and then whether the user has stopped. */
static void wait_for_batch(pipeline *p)
{
    while (p->filled == p->taken && !p->ended && !progress_cancelled()) {
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += WAIT_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        (void)pthread_cond_timedwait(&p->changed, &p->lock, &until);
    }
}

pf_status pipeline_next(pipeline *p, batch **out, pf_error *err)
{
    *out = NULL;
    if (!p->threaded) return next_alone(p, out, err);
    (void)pthread_mutex_lock(&p->lock);
    if (p->holding) {
        p->taken++;
        p->holding = false;
        (void)pthread_cond_broadcast(&p->changed);
    }
    wait_for_batch(p);
    pf_status s = PF_OK;
    if (progress_cancelled()) {
        s = error_set(err, PF_CANCELLED, "the import was stopped");
    } else if (p->filled > p->taken) {
        *out = p->ring[p->taken % p->n_ring];
        p->holding = true;
    } else if (p->status != PF_OK) {
        s = p->status;
        if (err != NULL) *err = p->why;
    }
    (void)pthread_mutex_unlock(&p->lock);
    return s;
}

void pipeline_stop(pipeline *p)
{
    if (p == NULL) return;
    if (p->threaded) {
        (void)pthread_mutex_lock(&p->lock);
        atomic_store(p->stop, true);
        (void)pthread_cond_broadcast(&p->changed);
        (void)pthread_mutex_unlock(&p->lock);
        (void)pthread_join(p->thread, NULL);
        (void)pthread_cond_destroy(&p->changed);
        (void)pthread_mutex_destroy(&p->lock);
    }
    for (unsigned i = 0; i < p->n_ring; i++)
        batch_free(p->ring[i]);
    mem_free(p);
}
