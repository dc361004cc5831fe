/* base/pool.h: every task exactly once, by any number of threads, without allocating. */
#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/pool.h"
#include "base/random.h"

enum { TASKS_MAX = 5000 };

typedef struct counts {
    _Atomic unsigned done[TASKS_MAX];
    unsigned threads;
    atomic_bool wrong_worker;
} counts;

static void count_task(void *context, size_t task, unsigned worker)
{
    counts *c = context;
    atomic_fetch_add(&c->done[task], 1);
    if (worker >= c->threads) atomic_store(&c->wrong_worker, true);
}

static void every_task_is_done_exactly_once(void **state)
{
    (void)state;
    static counts c;
    static const size_t sizes[] = {0, 1, 2, 3, 7, 64, 1000, TASKS_MAX};
    for (unsigned threads = 1; threads <= 5; threads++) {
        pool *p = pool_new(threads);
        assert_int_equal(pool_threads(p), threads);
        for (int round = 0; round < 40; round++) {
            size_t n = sizes[round % 8];
            memset(&c, 0, sizeof c);
            c.threads = threads;
            pool_run(p, n, count_task, &c);
            for (size_t i = 0; i < TASKS_MAX; i++)
                assert_int_equal(c.done[i], i < n);
            assert_false(c.wrong_worker);
        }
        pool_free(p);
    }
}

static void no_pool_means_the_caller_alone(void **state)
{
    (void)state;
    static counts c;
    memset(&c, 0, sizeof c);
    c.threads = 1;
    pool_run(NULL, 100, count_task, &c);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(c.done[i], 1);
    assert_false(c.wrong_worker);
    assert_int_equal(pool_threads(NULL), 1);
    pool_free(NULL);
}

static void zero_threads_means_the_processors_we_may_use(void **state)
{
    (void)state;
    cpu_set_t set;
    assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
    pool *p = pool_new(0);
    assert_int_equal(pool_threads(p), CPU_COUNT(&set));
    pool_free(p);
}

/* Two tasks that wait for each other only end when two threads work at once. */
static void wait_for_the_other(void *context, size_t task, unsigned worker)
{
    (void)worker;
    atomic_uint *here = context;
    atomic_fetch_or(here, 1u << task);
    while (atomic_load(here) != 3u)
        sched_yield();
}

static void tasks_run_at_the_same_time(void **state)
{
    (void)state;
    pool *p = pool_new(2);
    for (int i = 0; i < 50; i++) {
        atomic_uint here = 0;
        pool_run(p, 2, wait_for_the_other, &here);
        assert_int_equal(here, 3);
    }
    pool_free(p);
}

static void sum_piece(void *context, size_t task, unsigned worker)
{
    (void)worker;
    double *sums = context;
    random_stream r = random_begin(1, task);
    for (int i = 0; i < 1000; i++)
        sums[task] += random_unit(&r);
}

static void results_are_the_same_for_any_number_of_threads(void **state)
{
    (void)state;
    double expected[64] = {0};
    pool_run(NULL, 64, sum_piece, expected);
    for (unsigned threads = 1; threads <= 4; threads++) {
        double sums[64] = {0};
        pool *p = pool_new(threads);
        pool_run(p, 64, sum_piece, sums);
        pool_free(p);
        assert_memory_equal(sums, expected, sizeof sums);
    }
}

static void one_worker_number_is_never_used_twice_at_once_in(void *context, size_t task,
                                                             unsigned worker)
{
    (void)task;
    atomic_int *inside = context;
    if (atomic_fetch_add(&inside[worker], 1) != 0) atomic_store(&inside[15], 1);
    for (volatile int i = 0; i < 200; i = i + 1) {
    }
    atomic_fetch_sub(&inside[worker], 1);
}

static void scratch_of_a_worker_is_its_own(void **state)
{
    (void)state;
    atomic_int inside[16] = {0};
    pool *p = pool_new(4);
    for (int i = 0; i < 50; i++)
        pool_run(p, 500, one_worker_number_is_never_used_twice_at_once_in, inside);
    pool_free(p);
    assert_int_equal(inside[15], 0);
}

static void nothing(void *context, size_t task, unsigned worker)
{
    (void)context;
    (void)task;
    (void)worker;
}

static void running_allocates_nothing(void **state)
{
    (void)state;
    pool *p = pool_new(3);
    mem_guard_enter();
    pool_run(p, 100, nothing, NULL);
    mem_guard_leave();
    mem_fail_at(0);
    pool_run(p, 100, nothing, NULL);
    assert_int_equal(mem_allocations_since(), 0);
    pool_free(p);
}

static void idle_pools_end(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        pool *p = pool_new(3);
        if (i % 2) pool_run(p, 3, nothing, NULL);
        pool_free(p);
    }
}

static void see_mask(void *context, size_t task, unsigned worker)
{
    (void)task;
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    bool blocked = sigismember(&mask, SIGINT) == 1;
    if (blocked != (worker != 0)) atomic_store((atomic_bool *)context, true);
    sched_yield();
}

static void signals_stay_with_the_caller(void **state)
{
    (void)state;
    atomic_bool wrong = false;
    pool *p = pool_new(2);
    for (int i = 0; i < 20; i++)
        pool_run(p, 50, see_mask, &wrong);
    pool_free(p);
    assert_false(wrong);
}

static void a_failed_allocation_gives_no_pool(void **state)
{
    (void)state;
    fault f = {0};
    while (fault_next(&f)) {
        pool *p = pool_new(3);
        assert_int_equal(p == NULL, fault_reached(&f));
        pool_free(p);
    }
    assert_int_equal(f.n, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_is_done_exactly_once),
        cmocka_unit_test(no_pool_means_the_caller_alone),
        cmocka_unit_test(zero_threads_means_the_processors_we_may_use),
        cmocka_unit_test(tasks_run_at_the_same_time),
        cmocka_unit_test(results_are_the_same_for_any_number_of_threads),
        cmocka_unit_test(scratch_of_a_worker_is_its_own),
        cmocka_unit_test(running_allocates_nothing),
        cmocka_unit_test(idle_pools_end),
        cmocka_unit_test(signals_stay_with_the_caller),
        cmocka_unit_test(a_failed_allocation_gives_no_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
