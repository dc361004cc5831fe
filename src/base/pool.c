/*
 * The thread pool of base/pool.h. A job is opened under the lock; whoever is awake joins
 * it and takes task numbers from an atomic counter. When the counter has run out the
 * caller closes the job and waits only for those who joined, so a worker that is slow to
 * wake never holds up a small job.
 */
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"

typedef struct pool_worker {
    pool *owner;
    pthread_t thread;
    unsigned number;
} pool_worker;

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t opened; /* a job was opened, or the pool ends */
    pthread_cond_t left;   /* the last worker left a job */
    bool open, ending;
    uint64_t job; /* counts jobs, so that a worker joins each at most once */
    unsigned joined;
    pool_task *task;
    void *context;
    size_t n_tasks;
    atomic_size_t next;
    unsigned threads, started; /* started: workers that exist, caller not counted */
    pool_worker *workers;
};

static void do_tasks(pool *p, unsigned worker)
{
    for (;;) {
        size_t i = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
        if (i >= p->n_tasks) return;
        p->task(p->context, i, worker);
    }
}

static void *work(void *argument)
{
    pool_worker *w = argument;
    pool *p = w->owner;
    uint64_t seen = 0;
    pthread_mutex_lock(&p->lock);
    while (!p->ending) {
        if (!p->open || p->job == seen) {
            pthread_cond_wait(&p->opened, &p->lock);
            continue;
        }
        seen = p->job;
        p->joined++;
        pthread_mutex_unlock(&p->lock);
        do_tasks(p, w->number);
        pthread_mutex_lock(&p->lock);
        if (--p->joined == 0) pthread_cond_signal(&p->left);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static unsigned processors(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? (unsigned)n : 1;
}

/* Workers take no signals: those are for the thread that asked to catch them. */
static bool start_workers(pool *p)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool good = true;
    for (unsigned i = 0; good && i + 1 < p->threads; i++) {
        p->workers[i] = (pool_worker){.owner = p, .number = i + 1};
        good = pthread_create(&p->workers[i].thread, NULL, work, &p->workers[i]) == 0;
        if (good) p->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return good;
}

pool *pool_new(unsigned threads)
{
    pool *p = mem_alloc_zero(1, sizeof *p);
    if (!p) return NULL;
    p->threads = threads ? threads : processors();
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->opened, NULL);
    pthread_cond_init(&p->left, NULL);
    if (p->threads > 1) {
        p->workers = mem_alloc_zero(p->threads - 1, sizeof *p->workers);
        if (!p->workers || !start_workers(p)) {
            pool_free(p);
            return NULL;
        }
    }
    return p;
}

void pool_free(pool *p)
{
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    p->ending = true;
    pthread_cond_broadcast(&p->opened);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->started; i++)
        pthread_join(p->workers[i].thread, NULL);
    pthread_cond_destroy(&p->left);
    pthread_cond_destroy(&p->opened);
    pthread_mutex_destroy(&p->lock);
    mem_free(p->workers);
    mem_free(p);
}

unsigned pool_threads(const pool *p)
{
    return p ? p->threads : 1;
}

void pool_run(pool *p, size_t n_tasks, pool_task *task, void *context)
{
    if (!p || p->threads == 1 || n_tasks <= 1) {
        for (size_t i = 0; i < n_tasks; i++)
            task(context, i, 0);
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->task = task;
    p->context = context;
    p->n_tasks = n_tasks;
    atomic_store_explicit(&p->next, 0, memory_order_relaxed);
    p->open = true;
    p->job++;
    pthread_cond_broadcast(&p->opened);
    pthread_mutex_unlock(&p->lock);

    do_tasks(p, 0);

    pthread_mutex_lock(&p->lock);
    p->open = false;
    while (p->joined > 0)
        pthread_cond_wait(&p->left, &p->lock);
    pthread_mutex_unlock(&p->lock);
}
