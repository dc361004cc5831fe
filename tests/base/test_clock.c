/* base/clock.h: clocks run forward, at the right rate, in the right unit. */
#include "check.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"

static void units_make_a_day(void **state)
{
    (void)state;
    assert_int_equal(US_PER_DAY, INT64_C(86400000000));
    assert_int_equal(US_PER_HOUR * 24, US_PER_DAY);
    assert_int_equal(US_PER_MINUTE * 60, US_PER_HOUR);
}

static void now_agrees_with_the_system(void **state)
{
    (void)state;
    int64_t before = (int64_t)time(NULL), now = clock_now_us(),
            after = (int64_t)time(NULL);
    assert_true(now >= (before - 1) * US_PER_SECOND);
    assert_true(now <= (after + 1) * US_PER_SECOND);
}

static void wall_runs_while_sleeping_and_cpu_does_not(void **state)
{
    (void)state;
    double wall = clock_wall_s(), cpu = clock_cpu_s();
    struct timespec pause = {.tv_nsec = 50000000};
    nanosleep(&pause, NULL);
    assert_true(clock_wall_s() - wall >= 0.049);
    assert_true(clock_cpu_s() - cpu < 0.04);
    volatile double x = 0.0;
    cpu = clock_cpu_s();
    while (clock_cpu_s() - cpu < 0.01)
        x += 1.0;
    assert_true(x > 0.0);
}

static void peak_memory_sees_what_was_touched(void **state)
{
    (void)state;
    enum { BYTES = 64 << 20 };
    uint64_t before = clock_peak_memory_bytes();
    char *block = mem_alloc(BYTES, 1);
    assert_non_null(block);
    memset(block, 1, BYTES);
    assert_int_equal(block[BYTES / 2], 1);
    uint64_t after = clock_peak_memory_bytes();
    mem_free(block);
    assert_true(before > 100000);
    assert_true(after >= (uint64_t)BYTES && after >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_make_a_day),
        cmocka_unit_test(now_agrees_with_the_system),
        cmocka_unit_test(wall_runs_while_sleeping_and_cpu_does_not),
        cmocka_unit_test(peak_memory_sees_what_was_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
