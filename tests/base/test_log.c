/* base/log.h: whole lines on stderr, nothing on stdout, nothing that steers a terminal.
 */
#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"

static char said[1 << 20];
static int saved = -1, file = -1;

/* From here on stderr goes to a file without a name. */
static void listen_begin(void)
{
    char path[] = "/tmp/proffer-test-log-XXXXXX";
    fflush(stderr);
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
    assert_true(n >= 0);
    said[n] = '\0';
    return (size_t)n;
}

static int defaults(void **state)
{
    (void)state;
    log_set_level(LOG_INFO);
    log_set_json(false);
    return 0;
}

static void lines_have_their_level_in_front(void **state)
{
    (void)state;
    listen_begin();
    log_line(LOG_ERROR, "no %s", "file");
    log_line(LOG_WARNING, "old");
    log_line(LOG_INFO, "done %d", 3);
    log_line(LOG_DETAIL, "unseen");
    listen_end();
    assert_string_equal(said, "error: no file\nwarning: old\ndone 3\n");
}

static void the_level_decides_what_is_said(void **state)
{
    (void)state;
    static const char *const expected[] = {"error: 0\n", "error: 0\nwarning: 1\n",
                                           "error: 0\nwarning: 1\n2\n",
                                           "error: 0\nwarning: 1\n2\n3\n"};
    for (int level = LOG_ERROR; level <= LOG_DETAIL; level++) {
        log_set_level((log_level)level);
        listen_begin();
        for (int i = LOG_ERROR; i <= LOG_DETAIL; i++)
            log_line((log_level)i, "%d", i);
        listen_end();
        assert_string_equal(said, expected[level]);
    }
}

static void control_characters_and_broken_utf_8_are_masked(void **state)
{
    (void)state;
    listen_begin();
    log_line(LOG_INFO, "a\033[2Jb\nc\td\x7F caf\xC3\xA9 \xFF\xC3");
    listen_end();
    assert_string_equal(said, "a?[2Jb?c?d? caf\xC3\xA9 ??\n");
}

static void json_lines_are_json(void **state)
{
    (void)state;
    log_set_json(true);
    listen_begin();
    log_line(LOG_WARNING, "a \"quote\" \\ caf\xC3\xA9 \n");
    size_t n = listen_end();
    assert_int_equal(said[n - 1], '\n');
    arena a;
    arena_init(&a, 1 << 16);
    const json_value *v;
    assert_int_equal(json_parse(&a, said, n, &v, NULL), PF_OK);
    assert_true(text_is(json_member(v, "level")->text, "warning"));
    assert_true(text_is(json_member(v, "message")->text, "a \"quote\" \\ caf\xC3\xA9 ?"));
    assert_int_equal(json_member(v, "time")->text.data[4], '-');
    arena_free(&a);
}

static void a_long_line_is_cut_and_still_a_line(void **state)
{
    (void)state;
    static char words[10000];
    memset(words, '"', sizeof words - 1);
    for (int json = 0; json < 2; json++) {
        log_set_json(json);
        listen_begin();
        log_line(LOG_INFO, "%s", words);
        size_t n = listen_end();
        assert_true(n > 2000 && n < 15000);
        assert_int_equal(said[n - 1], '\n');
        arena a;
        arena_init(&a, 1 << 16);
        const json_value *v;
        if (json) assert_int_equal(json_parse(&a, said, n, &v, NULL), PF_OK);
        arena_free(&a);
    }
}

static void *talk(void *name)
{
    for (int i = 0; i < 300; i++)
        log_line(LOG_INFO, "%s%s%s%s", (char *)name, (char *)name, (char *)name,
                 (char *)name);
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
    (void)state;
    pthread_t threads[4];
    static char names[4][3] = {"aa", "bb", "cc", "dd"};
    listen_begin();
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, talk, names[i]);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    size_t n = listen_end();
    assert_int_equal(n, 4 * 300 * 9);
    for (size_t i = 0; i < n; i += 9) {
        for (size_t k = 1; k < 8; k++)
            assert_int_equal(said[i + k], said[i]);
        assert_int_equal(said[i + 8], '\n');
    }
}

static void talking_allocates_nothing(void **state)
{
    (void)state;
    listen_begin();
    mem_guard_enter();
    log_line(LOG_INFO, "plain");
    log_set_json(true);
    log_line(LOG_INFO, "json");
    mem_guard_leave();
    assert_true(listen_end() > 10);
}

static int open_terminal(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0);
    saved = dup(STDERR_FILENO);
    dup2(slave, STDERR_FILENO);
    close(slave);
    return master;
}

static void close_terminal(int master)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(master);
}

static void colour_is_for_terminals_that_want_it(void **state)
{
    (void)state;
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    listen_begin();
    assert_false(log_colour());
    listen_end();
    int master = open_terminal();
    bool plain = log_colour();
    setenv("NO_COLOR", "1", 1);
    bool refused = log_colour();
    unsetenv("NO_COLOR");
    setenv("TERM", "dumb", 1);
    bool dumb = log_colour();
    setenv("TERM", "xterm", 1);
    log_line(LOG_ERROR, "red");
    char line[64] = "";
    size_t n = 0;
    ssize_t got = 1;
    while (got > 0 && !strchr(line, '\n')) {
        got = read(master, line + n, sizeof line - 1 - n);
        n += got > 0 ? (size_t)got : 0;
    }
    close_terminal(master);
    assert_true(plain);
    assert_false(refused);
    assert_false(dumb);
    assert_string_equal(line, "\033[31merror: red\033[0m\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lines_have_their_level_in_front, defaults),
        cmocka_unit_test_setup(the_level_decides_what_is_said, defaults),
        cmocka_unit_test_setup(control_characters_and_broken_utf_8_are_masked, defaults),
        cmocka_unit_test_setup(json_lines_are_json, defaults),
        cmocka_unit_test_setup(a_long_line_is_cut_and_still_a_line, defaults),
        cmocka_unit_test_setup(lines_of_threads_do_not_mix, defaults),
        cmocka_unit_test_setup(talking_allocates_nothing, defaults),
        cmocka_unit_test_setup(colour_is_for_terminals_that_want_it, defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
