/* base/progress.h: quiet is silent, a terminal gets one bar, signals ask to stop. */
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/progress.h"

static char said[1 << 16];
static int saved = -1, file = -1;

static void listen_begin(void)
{
    char path[] = "/tmp/proffer-test-progress-XXXXXX";
    file = mkstemp(path);
    assert_true(file >= 0);
    unlink(path);
    saved = dup(STDERR_FILENO);
    dup2(file, STDERR_FILENO);
}

static size_t listen_end(void)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t n = pread(file, said, sizeof said - 1, 0);
    close(file);
    said[n > 0 ? n : 0] = '\0';
    return (size_t)n;
}

static void a_moment(void)
{
    struct timespec pause = {.tv_nsec = 120000000};
    nanosleep(&pause, NULL);
}

static void quiet_is_silent_and_null_is_fine(void **state)
{
    (void)state;
    progress_set_quiet(true);
    listen_begin();
    progress *p = progress_begin("importing", 100, "events");
    assert_null(p);
    progress_update(p, 10, 10);
    progress_note(p, "loss %d", 1);
    progress_end(p);
    size_t n = listen_end();
    progress_set_quiet(false);
    assert_int_equal(n, 0);
}

static void without_a_terminal_the_end_is_one_plain_line(void **state)
{
    (void)state;
    listen_begin();
    progress *p = progress_begin("importing events", 1000, "events");
    for (uint64_t i = 1; i <= 1000; i++)
        progress_update(p, i, i * 1234);
    progress_note(p, "loss %.3f", 1.5);
    progress_end(p);
    listen_end();
    assert_memory_equal(said, "importing events  1.2 M events  ", 32);
    assert_non_null(strstr(said, "loss 1.500\n"));
    assert_null(strchr(said, '\033'));
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

static void long_words_are_cut_to_their_room(void **state)
{
    (void)state;
    char words[1000];
    memset(words, 'w', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    listen_begin();
    progress *p = progress_begin(words, 0, words);
    progress_note(p, "%s", words);
    progress_update(p, UINT64_MAX, UINT64_MAX);
    progress_end(p);
    size_t n = listen_end();
    assert_true(n > 100 && n < 600);
    assert_int_equal(said[n - 1], '\n');
}

static void no_memory_means_no_progress_and_no_harm(void **state)
{
    (void)state;
    mem_fail_at(1);
    progress *p = progress_begin("x", 1, NULL);
    mem_fail_at(0);
    assert_null(p);
}

/* Everything the terminal got. */
static void on_terminal(unsigned short width, void (*act)(void))
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    struct winsize size = {.ws_col = width, .ws_row = 25};
    ioctl(slave, TIOCSWINSZ, &size);
    saved = dup(STDERR_FILENO);
    dup2(slave, STDERR_FILENO);
    act();
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(slave);
    /* With the other end closed, reading ends with an error once all has been read; it
     * may come in pieces. */
    size_t n = 0;
    ssize_t got;
    while ((got = read(master, said + n, sizeof said - 1 - n)) > 0)
        n += (size_t)got;
    close(master);
    said[n] = '\0';
}

static void half_done(void)
{
    progress *p = progress_begin("training", 200, "rows");
    a_moment();
    progress_update(p, 100, 50);
    progress_update(p, 101, 51); /* too soon: not drawn */
    log_line(LOG_INFO, "a line");
    progress_end(p);
}

static void a_terminal_gets_a_bar_that_makes_way_for_lines(void **state)
{
    (void)state;
    on_terminal(100, half_done);
    const char *bar = "training  50% [##########----------]  50 rows  ";
    char *first = strstr(said, bar);
    assert_non_null(first);
    assert_non_null(strstr(said, " left"));
    assert_null(strstr(said, "51% ["));
    char *line = strstr(said, "\r\033[Ka line\r\n");
    assert_non_null(line);
    assert_true(line > first);
    /* Back below the line, then taken away for the last word. */
    char *again = strstr(line, bar);
    assert_non_null(again);
    assert_non_null(strstr(again, "\r\033[Ktraining  51 rows  "));
}

static void narrow(void)
{
    progress *p = progress_begin("training a model of many words", 200, "rows");
    a_moment();
    progress_update(p, 100, 50);
    progress_end(p);
}

static void a_bar_never_wraps(void **state)
{
    (void)state;
    on_terminal(20, narrow);
    char *bar = strstr(said, "\r\033[K");
    assert_non_null(bar);
    bar += 4;
    char *end = strstr(bar, "\r");
    assert_int_equal(end - bar, 19);
}

static void at_work_on_epochs(void)
{
    progress *p = progress_begin("training transformer", 200, "positions");
    a_moment();
    progress_note(p, "epoch 12/60, loss 4.1230, ndcg@10 0.0512");
    progress_update(p, 100, 116000);
    progress_end(p);
}

/* What one looks for is in the line however narrow the terminal: the bar makes room first. */
static void a_narrow_terminal_keeps_share_time_and_note(void **state)
{
    (void)state;
    for (unsigned short width = 160; width >= 79; width--) {
        on_terminal(width, at_work_on_epochs);
        char *bar = strstr(said, "\r\033[K") + 4;
        *strstr(bar, "\r") = '\0';
        assert_true(strlen(bar) < width);
        static const char *const kept[] = {"training transformer  50%", " left",
                                           "epoch 12/60, loss 4.1230, ndcg@10 0.0512"};
        for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
            assert_non_null(strstr(bar, kept[i]));
    }
}

static void count_signal_exit(int expected_signal, int times)
{
    pid_t child = fork();
    if (child == 0) {
        progress_catch_signals();
        for (int i = 0; i < times; i++)
            raise(expected_signal);
        _exit(progress_cancelled() ? 42 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (times == 1)
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    else
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == expected_signal);
}

static void the_first_signal_asks_and_the_second_kills(void **state)
{
    (void)state;
    assert_false(progress_cancelled());
    count_signal_exit(SIGINT, 1);
    count_signal_exit(SIGTERM, 1);
    count_signal_exit(SIGINT, 2);
    count_signal_exit(SIGTERM, 2);
}

int main(void)
{
    setenv("NO_COLOR", "1", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quiet_is_silent_and_null_is_fine),
        cmocka_unit_test(without_a_terminal_the_end_is_one_plain_line),
        cmocka_unit_test(long_words_are_cut_to_their_room),
        cmocka_unit_test(no_memory_means_no_progress_and_no_harm),
        cmocka_unit_test(a_terminal_gets_a_bar_that_makes_way_for_lines),
        cmocka_unit_test(a_bar_never_wraps),
        cmocka_unit_test(a_narrow_terminal_keeps_share_time_and_note),
        cmocka_unit_test(the_first_signal_asks_and_the_second_kills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
