/* base/memory.h: checked sizes, the n-th allocation fails, the guard aborts. */
#include "check.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_zero_or_overflowing_product_gives_null(void **state)
{
    (void)state;
    static const size_t wrong[][2] = {
        {0, 8}, {8, 0}, {SIZE_MAX, 2}, {SIZE_MAX / 2 + 1, 2}, {SIZE_MAX, SIZE_MAX}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_null(mem_alloc(wrong[i][0], wrong[i][1]));
        assert_null(mem_alloc_zero(wrong[i][0], wrong[i][1]));
        assert_null(mem_alloc_aligned(wrong[i][0], wrong[i][1]));
        assert_null(mem_resize(NULL, wrong[i][0], wrong[i][1]));
    }
    assert_null(mem_alloc_aligned(SIZE_MAX - 8, 1));
    assert_null(mem_copy_text("x", SIZE_MAX));
}

static void zeroed_is_zero_and_aligned_is_aligned(void **state)
{
    (void)state;
    for (size_t n = 1; n < 2000; n = n * 3 + 1) {
        unsigned char *z = mem_alloc_zero(n, 3), *a = mem_alloc_aligned(n, 1);
        for (size_t i = 0; i < 3 * n; i++)
            assert_int_equal(z[i], 0);
        assert_int_equal((uintptr_t)a % 64, 0);
        memset(a, 1, n);
        mem_free(z);
        mem_free(a);
    }
}

static void a_failed_resize_leaves_the_block(void **state)
{
    (void)state;
    char *block = mem_copy_text("kept", 4);
    assert_null(mem_resize(block, SIZE_MAX, 2));
    mem_fail_at(1);
    assert_null(mem_resize(block, 100, 1));
    mem_fail_at(0);
    assert_string_equal(block, "kept");
    mem_free(block);
}

static void copied_text_is_terminated_also_when_empty(void **state)
{
    (void)state;
    char *a = mem_copy_text("abcdef", 3), *b = mem_copy_text(NULL, 0);
    assert_string_equal(a, "abc");
    assert_string_equal(b, "");
    mem_free(a);
    mem_free(b);
    mem_free(NULL);
}

static void size_arithmetic_is_checked(void **state)
{
    (void)state;
    size_t out = 7;
    assert_false(size_add(SIZE_MAX, 1, &out));
    assert_false(size_multiply(SIZE_MAX / 3 + 1, 3, &out));
    assert_int_equal(out, 7);
    assert_true(size_add(SIZE_MAX - 1, 1, &out) && out == SIZE_MAX);
    assert_true(size_multiply(SIZE_MAX / 3, 3, &out) && out == SIZE_MAX / 3 * 3);
}

static void reserving_doubles_and_keeps_what_is_there(void **state)
{
    (void)state;
    int *block = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 1000; i++) {
        size_t before = capacity;
        assert_true(
            mem_reserve((void **)&block, &capacity, (size_t)i + 1, sizeof *block));
        assert_true(capacity == before || capacity >= 2 * before);
        block[i] = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(block[i], i);
    int *same = block;
    size_t capacity_before = capacity;
    assert_false(mem_reserve((void **)&block, &capacity, SIZE_MAX, sizeof *block));
    mem_fail_at(1);
    assert_false(mem_reserve((void **)&block, &capacity, capacity + 1, sizeof *block));
    mem_fail_at(0);
    assert_ptr_equal(block, same);
    assert_int_equal(capacity, capacity_before);
    mem_free(block);
}

static void exactly_the_nth_allocation_fails_and_only_once(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 5; n++) {
        mem_fail_at(n);
        for (uint64_t i = 1; i <= 8; i++) {
            void *p = i % 2 ? mem_alloc(1, 8) : mem_alloc_aligned(1, 8);
            if (i == n)
                assert_null(p);
            else
                assert_non_null(p);
            mem_free(p);
        }
        assert_int_equal(mem_allocations_since(), 8);
    }
    mem_fail_at(0);
    assert_int_equal(mem_allocations_since(), 0);
}

/* Runs in a child and tells whether it was ended by SIGABRT. */
static bool aborts(void (*act)(void))
{
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr)) _exit(2);
        act();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void allocate_under_guard(void)
{
    mem_guard_enter();
    mem_guard_enter();
    mem_guard_leave();
    mem_free(mem_alloc(1, 1));
}

static void resize_under_guard(void)
{
    void *p = mem_alloc(1, 1);
    mem_guard_enter();
    mem_free(mem_resize(p, 2, 1));
}

static void leave_without_enter(void)
{
    mem_guard_leave();
}

static void allocate_after_guard(void)
{
    mem_guard_enter();
    mem_guard_leave();
    mem_free(mem_alloc(1, 1));
}

static void free_under_guard(void)
{
    void *p = mem_alloc(1, 1);
    mem_guard_enter();
    mem_free(p);
    mem_guard_leave();
}

static void the_guard_aborts_on_allocation_and_only_then(void **state)
{
    (void)state;
    assert_true(aborts(allocate_under_guard));
    assert_true(aborts(resize_under_guard));
    assert_true(aborts(leave_without_enter));
    assert_false(aborts(allocate_after_guard));
    assert_false(aborts(free_under_guard));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zero_or_overflowing_product_gives_null),
        cmocka_unit_test(zeroed_is_zero_and_aligned_is_aligned),
        cmocka_unit_test(a_failed_resize_leaves_the_block),
        cmocka_unit_test(copied_text_is_terminated_also_when_empty),
        cmocka_unit_test(size_arithmetic_is_checked),
        cmocka_unit_test(reserving_doubles_and_keeps_what_is_there),
        cmocka_unit_test(exactly_the_nth_allocation_fails_and_only_once),
        cmocka_unit_test(the_guard_aborts_on_allocation_and_only_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
