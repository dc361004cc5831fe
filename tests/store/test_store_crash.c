/*
 * Crashes: a process that is changing the store is killed, at a moment chosen by the clock
 * and at every few changes of the disk. Whoever opens the store next finds it as before
 * the change or as after it.
 */
#include "store/change.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "store/faulty_disk.h"

typedef struct states {
    uint64_t before, after;
    uint64_t n_before, n_after;
} states;

/* The store in the state before beside its file, and the digests of both states; the
 * store is closed. */
static states prepare(fixture *f)
{
    states x = {0};
    change_prepare(f);
    x.before = fixture_digest(f->s);
    store_close(f->s);
    f->s = NULL;
    fixture_put_aside(f);
    fixture_reopen(f);
    must(change_everything(f->s, &f->err));
    x.after = fixture_digest(f->s);
    store_close(f->s);
    f->s = NULL;
    return x;
}

/* In the child: changes the store and ends. */
static void change_and_exit(const fixture *f, uint64_t kill_at)
{
    store *s;
    pf_error err;
    if (store_open(&s, f->path, STORE_OPEN, &err) != PF_OK) _exit(1);
    faulty_disk_fail_at(kill_at, false, DISK_KILLS);
    if (change_everything(s, &err) != PF_OK) _exit(2);
    store_close(s);
    _exit(0);
}

/* Runs the change in a child that is killed after a while (0: not from here); true when
 * it was killed. */
static bool run_and_kill(const fixture *f, uint64_t kill_at, int64_t after_us)
{
    int how;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) change_and_exit(f, kill_at);
    if (after_us > 0) {
        struct timespec t = {after_us / 1000000, after_us % 1000000 * 1000};
        nanosleep(&t, NULL);
        kill(child, SIGKILL);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    if (WIFEXITED(how)) assert_int_equal(WEXITSTATUS(how), 0);
    return WIFSIGNALED(how);
}

static void check_one_of_both(fixture *f, states *x)
{
    must(store_open(&f->s, f->path, STORE_OPEN, &f->err));
    uint64_t now = fixture_digest(f->s);
    assert_true(now == x->before || now == x->after);
    x->n_before += now == x->before;
    x->n_after += now == x->after;
    assert_int_equal(fixture_sql_number(f, "SELECT count(*) FROM pragma_integrity_check"
                                           " WHERE integrity_check <> 'ok'"),
                     0);
    if (now == x->before) /* and it can still be done */
        must(change_everything(f->s, &f->err));
    assert_true(fixture_digest(f->s) == x->after);
    store_close(f->s);
    f->s = NULL;
}

static void killed_at_any_moment_a_change_was_made_or_not(void **state)
{
    fixture *f = *state;
    states x = prepare(f);
    random_stream r = random_begin((uint64_t)clock_now_us(), 1);
    fixture_put_back(f);
    double start = clock_wall_s();
    assert_false(run_and_kill(f, 0, 0));
    uint32_t whole_us = (uint32_t)((clock_wall_s() - start) * 1.2e6) + 1000;
    /* On a busy machine the blow may come late every time; then it is struck sooner. */
    for (int i = 0; i < 30 || (x.n_before == 0 && i < 300); i++) {
        fixture_put_back(f);
        if (!run_and_kill(f, 0, 1 + random_below(&r, whole_us)))
            whole_us = whole_us / 4 * 3 + 1;
        check_one_of_both(f, &x);
    }
    assert_true(x.n_before > 0);
    fixture_reopen(f);
}

static void killed_at_any_change_of_the_disk_a_change_was_made_or_not(void **state)
{
    fixture *f = *state;
    states x = prepare(f);
    bool killed = true;
    for (uint64_t n = 1; killed; n += 1 + n / 15) {
        fixture_put_back(f);
        killed = run_and_kill(f, n, 0);
        check_one_of_both(f, &x);
    }
    assert_true(x.n_before > 10 && x.n_after > 2);
    fixture_reopen(f);
}

/* A store that was being made when its process died becomes a store. */
static void killed_while_it_is_made_a_store_can_be_made(void **state)
{
    fixture *f = *state;
    char path[128];
    bool killed = true;
    int n_killed = 0;
    snprintf(path, sizeof path, "%s/made.db", f->folder);
    for (uint64_t n = 1; killed; n++) {
        int how;
        store *s;
        store_counts counts;
        pid_t child = fork();
        if (child == 0) {
            faulty_disk_fail_at(n, false, DISK_KILLS);
            _exit(store_open(&s, path, STORE_CREATE, NULL) == PF_OK ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &how, 0), child);
        killed = WIFSIGNALED(how);
        n_killed += killed;
        must(store_open(&s, path, STORE_CREATE, &f->err));
        must(store_count(s, &counts, &f->err));
        store_close(s);
        unlink(path);
    }
    assert_true(n_killed > 5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(killed_at_any_moment_a_change_was_made_or_not),
        TEST(killed_at_any_change_of_the_disk_a_change_was_made_or_not),
        TEST(killed_while_it_is_made_a_store_can_be_made),
    };
    faulty_disk_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
