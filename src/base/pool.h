/*
 * A small persistent thread pool. Work is a loop over n tasks; each task is done exactly
 * once by some thread, the caller among them. Which thread does which task is not
 * promised, so tasks write to places of their own and reductions are done afterwards in
 * task order: the result is then the same for any thread count.
 *
 *     pool_run(p, n_shards, work, &context);   // returns when all are done
 *
 * pool_run may be called by one thread at a time and not from inside a task.
 */
#ifndef PROFFER_BASE_POOL_H
#define PROFFER_BASE_POOL_H

#include <stddef.h>

typedef struct pool pool;

/* worker is in 0..threads-1 and tells per-thread scratch apart. */
typedef void pool_task(void *context, size_t task, unsigned worker);

/* threads >= 1 in total, the caller included; 0 = one a processor (sched_getaffinity).
 * NULL when memory or threads are short. */
pool *pool_new(unsigned threads);
/* NULL is fine. */
void pool_free(pool *p);
unsigned pool_threads(const pool *p);
/* p NULL runs everything in the caller as worker 0. */
void pool_run(pool *p, size_t n_tasks, pool_task *task, void *context);

#endif
