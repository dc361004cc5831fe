/* Protects the store against what happens to programs: two at once, one that waits for
 * another, Ctrl-C, kill -9, a full disk. After each the store is as before or as after,
 * never between, and nothing is left lying about. */
#include "program.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fixtures/corner_shop.h"

enum { MANY = 60000 };

static const char *many_file(void)
{
    const char *path = in_folder("many.csv");
    struct stat facts;
    if (stat(path, &facts) != 0) corner_shop_write_many(path, MANY);
    return path;
}

/* How many events a workspace holds; asks doctor, which reads every block. */
static unsigned events_of(const char *workspace)
{
    const json_value *v = json_of(RUN_CODE(0, "doctor", "--json", "-w", workspace));
    return (unsigned)number_of(member_of(v, "counts"), "events");
}

/* Nothing but what belongs there lies in the folder of a workspace nobody uses. */
static void assert_tidy(const char *workspace)
{
    DIR *d = opendir(workspace);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        static const char *const known[] = {
            ".", "..", "proffer.yaml", "proffer.db", "rejects", "models", "reports"};
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            found = found || !strcmp(e->d_name, known[i]);
        if (!found) fail_msg("%s was left behind in %s", e->d_name, workspace);
    }
    closedir(d);
}

static void wait_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* --- an import that reads from us ------------------------------------------------- */

/* One that was begun, has read some, and waits for more. */
typedef struct slow_import {
    pid_t child;
    int feed;
} slow_import;

static void feed_lines(slow_import *i, unsigned from, unsigned to)
{
    char line[80];
    for (unsigned k = from; k < to; k++) {
        int n = snprintf(line, sizeof line, "slow-%u,purchase,slow,p01,%u,1,9.90\n", k,
                         1767571200 + k);
        if (write(i->feed, line, (size_t)n) < 0)
            return; /* the reader is gone: the test looks at its exit code */
    }
}

static slow_import begin_slowly(const char *workspace, bool will_be_killed)
{
    static const char head[] = "event_id,type,shopper_id,product_id,time,quantity,paid\n";
    const char *pipe_path = in_folder("pipe");
    slow_import i;
    signal(SIGPIPE, SIG_IGN);
    unlink(pipe_path);
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    next_run.input = pipe_path;
    next_run.will_be_killed = will_be_killed;
    i.child = START("import", "-", "--table", "events", "-w", workspace);
    i.feed = open(pipe_path, O_WRONLY | O_CLOEXEC);
    assert_true(i.feed >= 0);
    assert_int_equal(write(i.feed, head, sizeof head - 1), sizeof head - 1);
    feed_lines(&i, 0, 20000);
    return i;
}

static const ran *end_slowly(slow_import *i)
{
    close(i->feed);
    return finish_program(i->child);
}

static void readers_see_the_old_store_while_an_import_is_under_way(void **state)
{
    (void)state;
    const char *w = copy_of_corner("while-importing");
    unsigned before = events_of(w);
    slow_import i = begin_slowly(w, false);
    RUN_CODE(0, "profile", "s01", "-w", w);
    RUN_CODE(0, "search", "milk", "-w", w);
    RUN_CODE(4, "profile", "slow", "-w", w);
    assert_int_equal(events_of(w), before);
    assert_int_equal(end_slowly(&i)->code, 0);
    RUN_CODE(0, "profile", "slow", "-w", w);
    assert_int_equal(events_of(w), before + 20000);
    assert_tidy(w);
}

static void a_second_writer_waits_its_time_and_is_told_who_is_in_the_way(void **state)
{
    (void)state;
    const char *w = copy_of_corner("busy");
    slow_import i = begin_slowly(w, false);
    setenv("PROFFER_STORE_WAIT_S", "0", 1);
    const ran *r = RUN_CODE(7, "import", "--mapping", corner_mapping(), "-w", w);
    assert_contains(r->err, "another");
    RUN_CODE(7, "forget", "s01", "--yes", "-w", w);
    setenv("PROFFER_STORE_WAIT_S", "20", 1);
    pid_t waiting = START("import", "--mapping", corner_mapping(), "-w", w);
    wait_ms(100);
    assert_int_equal(waitpid(waiting, NULL, WNOHANG), 0);
    assert_int_equal(end_slowly(&i)->code, 0);
    assert_int_equal(finish_program(waiting)->code, 0);
    unsetenv("PROFFER_STORE_WAIT_S");
    RUN_CODE(0, "profile", "s01", "-w", w);
}

static void two_imports_at_once_both_succeed(void **state)
{
    (void)state;
    const char *w = empty_workspace("two-at-once");
    pid_t one = START("import", many_file(), "-w", w);
    pid_t other = START("import", "--mapping", corner_mapping(), "-w", w);
    assert_int_equal(finish_program(one)->code, 0);
    assert_int_equal(finish_program(other)->code, 0);
    assert_int_equal(events_of(w), MANY + events_of(corner()));
    assert_tidy(w);
}

/* --- interruption ----------------------------------------------------------------- */

static void control_c_stops_an_import_and_leaves_the_store_as_it_was(void **state)
{
    (void)state;
    const char *w = copy_of_corner("interrupted");
    unsigned before = events_of(w);
    slow_import i = begin_slowly(w, false);
    assert_int_equal(kill(i.child, SIGINT), 0);
    feed_lines(&i, 20000, 120000);
    const ran *r = end_slowly(&i);
    assert_int_equal(r->code, 130);
    assert_contains(r->err, "proffer: ");
    assert_int_equal(events_of(w), before);
    assert_tidy(w);
    assert_int_equal(RUN("import", many_file(), "-w", w)->code, 0);
}

static void a_second_control_c_ends_it_at_once(void **state)
{
    (void)state;
    const char *w = copy_of_corner("interrupted-twice");
    unsigned before = events_of(w);
    slow_import i = begin_slowly(w, true);
    assert_int_equal(kill(i.child, SIGINT), 0);
    wait_ms(50);
    assert_int_equal(kill(i.child, SIGINT), 0);
    int code = finish_program(i.child)->code;
    close(i.feed);
    assert_true(code == 128 + SIGINT || code == 130);
    assert_int_equal(events_of(w), before);
}

/* Killed at several points of its way: while reading, sorting, writing, committing. */
static void kill_9_at_any_point_leaves_the_store_before_or_after(void **state)
{
    (void)state;
    const char *w = copy_of_corner("killed");
    unsigned before = events_of(w), killed = 0;
    for (unsigned k = 0; k < 8; k++) {
        next_run.will_be_killed = true;
        pid_t child = START("import", many_file(), "-w", w);
        wait_ms(4 + 17 * (long)k);
        kill(child, SIGKILL);
        killed += finish_program(child)->code == 128 + SIGKILL;
        unsigned now = events_of(w);
        if (now != before && now != before + MANY)
            fail_msg("after kill -9 number %u there are %u events", k, now);
    }
    assert_true(killed >= 2);
    assert_int_equal(RUN("import", many_file(), "-w", w)->code, 0);
    assert_int_equal(events_of(w), before + MANY);
    assert_tidy(w);
}

/* --- a full disk ------------------------------------------------------------------ */

static void a_full_disk_is_told_and_leaves_the_store_as_it_was(void **state)
{
    (void)state;
    static const unsigned long limits[] = {200000, 700000, 1500000};
    const char *w = copy_of_corner("full-disk");
    char *before = everything_in(w);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        next_run.file_limit = limits[i];
        const ran *r = RUN_CODE(5, "import", many_file(), "-w", w);
        assert_true(strlen(r->err) > 20);
        char *after = everything_in(w);
        assert_string_equal(after, before);
        mem_free(after);
    }
    assert_int_equal(RUN("import", many_file(), "-w", w)->code, 0);
    assert_tidy(w);
    mem_free(before);
}

static void a_full_disk_while_a_workspace_is_made_is_told(void **state)
{
    (void)state;
    const char *w = in_folder("no-room");
    next_run.file_limit = 100;
    RUN_CODE(5, "init", w);
    next_run.file_limit = 16384;
    RUN_CODE(5, "init", w);
    RUN_CODE(0, "init", w);
    RUN_CODE(0, "doctor", "-w", w);
    assert_tidy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_the_old_store_while_an_import_is_under_way),
        cmocka_unit_test(a_second_writer_waits_its_time_and_is_told_who_is_in_the_way),
        cmocka_unit_test(two_imports_at_once_both_succeed),
        cmocka_unit_test(control_c_stops_an_import_and_leaves_the_store_as_it_was),
        cmocka_unit_test(a_second_control_c_ends_it_at_once),
        cmocka_unit_test(kill_9_at_any_point_leaves_the_store_before_or_after),
        cmocka_unit_test(a_full_disk_is_told_and_leaves_the_store_as_it_was),
        cmocka_unit_test(a_full_disk_while_a_workspace_is_made_is_told),
    };
    return cmocka_run_group_tests(tests, program_begin, program_end);
}
