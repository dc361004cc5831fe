/* tensor/workspace.h: what is planned by counting is handed out, aligned, zeroed, apart. */
#include "check.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tensor/workspace.h"

enum { TAKES = 7 };
static const size_t items[TAKES] = {1, 0, 63, 64, 65, 1000, 3};
static const size_t sizes[TAKES] = {1, 8, 1, 1, 1, 12, sizeof(double)};

/* Takes everything, the last two in one place. */
static void take_all(workspace *w, unsigned char *at[TAKES])
{
    for (size_t i = 0; i < TAKES - 1; i++)
        at[i] = workspace_take(w, items[i], sizes[i]);
    size_t mark = workspace_mark(w);
    at[TAKES - 1] = workspace_take(w, items[TAKES - 1], sizes[TAKES - 1]);
    workspace_back(w, mark);
    unsigned char *again = workspace_take(w, 1, 1);
    assert_ptr_equal(again, at[TAKES - 1]);
}

static void what_was_counted_can_be_taken(void **state)
{
    (void)state;
    workspace w = workspace_counting();
    unsigned char *at[TAKES];
    take_all(&w, at);
    for (size_t i = 0; i < TAKES; i++)
        assert_null(at[i]);
    assert_int_equal(workspace_make(&w, NULL), PF_OK);
    assert_int_equal(w.used, 0);
    for (int turn = 0; turn < 2; turn++) {
        take_all(&w, at);
        for (size_t i = 0; i < TAKES; i++) {
            assert_int_equal((uintptr_t)at[i] % 64, 0);
            for (size_t j = 0; turn == 0 && j < items[i] * sizes[i]; j++)
                assert_int_equal(at[i][j], 0);
            if (i > 0) assert_true(at[i] >= at[i - 1] + items[i - 1] * sizes[i - 1]);
        }
        assert_true(w.most <= w.bytes);
        workspace_back(&w, 0);
    }
    workspace_free(&w);
    workspace_free(&w);
}

static void an_empty_plan_serves_takes_of_nothing(void **state)
{
    (void)state;
    workspace w = workspace_counting();
    assert_int_equal(workspace_make(&w, NULL), PF_OK);
    assert_non_null(workspace_take(&w, 0, 8));
    workspace_free(&w);
}

static void sizes_that_do_not_fit_are_a_limit_not_a_wrap(void **state)
{
    (void)state;
    pf_error err = {0};
    static const size_t wrong[][2] = {{SIZE_MAX, 2}, {SIZE_MAX - 10, 1}};
    for (size_t i = 0; i < 2; i++) {
        workspace w = workspace_counting();
        workspace_take(&w, wrong[i][0], wrong[i][1]);
        workspace_take(&w, 1, 1);
        assert_int_equal(workspace_make(&w, &err), PF_LIMIT);
        workspace_free(&w);
    }
    workspace w = workspace_counting();
    workspace_take(&w, SIZE_MAX / 2, 1);
    workspace_take(&w, SIZE_MAX / 2, 1);
    workspace_take(&w, 1000, 1);
    assert_int_equal(workspace_make(&w, &err), PF_LIMIT);
}

static void no_memory_is_told(void **state)
{
    (void)state;
    workspace w = workspace_counting();
    workspace_take(&w, 100, 4);
    mem_fail_at(1);
    pf_error err = {0};
    assert_int_equal(workspace_make(&w, &err), PF_NO_MEMORY);
    mem_fail_at(0);
    workspace_free(&w);
}

static void taking_more_than_planned_aborts(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr)) _exit(2);
        workspace w = workspace_counting();
        workspace_take(&w, 64, 1);
        if (workspace_make(&w, NULL) != PF_OK) _exit(3);
        workspace_take(&w, 65, 1);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_counted_can_be_taken),
        cmocka_unit_test(an_empty_plan_serves_takes_of_nothing),
        cmocka_unit_test(sizes_that_do_not_fit_are_a_limit_not_a_wrap),
        cmocka_unit_test(no_memory_is_told),
        cmocka_unit_test(taking_more_than_planned_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
