/* base/file.h: a file is the old one or the new one whatever fails; reading is bounded.
 */
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

static char folder[256];

/* A fresh folder for every test. */
static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/proffer-test-file-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *facts, int kind,
                      struct FTW *place)
{
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

static int remove_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A path in the folder; four are valid at a time. */
static const char *in_folder(const char *name)
{
    static char paths[4][PATH_MAX];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return path;
}

static int entries(void)
{
    DIR *d = opendir(folder);
    int n = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void assert_content(const char *path, const char *bytes, size_t n)
{
    char *got;
    size_t size;
    pf_error err = {0};
    if (file_read_whole(&got, &size, path, 100 << 20, &err) != PF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(size, n);
    assert_memory_equal(got, bytes, n + 1 > 1 ? n : 0);
    assert_int_equal(got[n], '\0');
    mem_free(got);
}

static void put_file(const char *path, const char *bytes)
{
    assert_int_equal(file_write_atomic(path, bytes, strlen(bytes), NULL), PF_OK);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    put_file(in_folder("a"), "hello");
    assert_content(in_folder("a"), "hello", 5);
    put_file(in_folder("a"), "");
    assert_content(in_folder("a"), "", 0);
    assert_int_equal(entries(), 1);
}

/* Pieces below, at and above the writer's block, in many mixtures. */
static void pieces_of_any_size_arrive_in_order(void **state)
{
    (void)state;
    enum { TOTAL = 700000 };
    char *all = mem_alloc(TOTAL, 1);
    for (size_t i = 0; i < TOTAL; i++)
        all[i] = (char)(i * 31 + i / 251);
    static const size_t sizes[] = {1, 65536, 100, 65535, 0, 65537, 200000, 7};
    file_writer *w;
    assert_int_equal(file_writer_open(&w, in_folder("big"), NULL), PF_OK);
    size_t done = 0;
    for (size_t i = 0; done < TOTAL; i++) {
        size_t n = sizes[i % 8] < TOTAL - done ? sizes[i % 8] : TOTAL - done;
        assert_int_equal(file_writer_write(w, all + done, n, NULL), PF_OK);
        done += n;
    }
    assert_false(file_exists(in_folder("big")));
    assert_int_equal(file_writer_commit(w, NULL), PF_OK);
    assert_content(in_folder("big"), all, TOTAL);
    mem_free(all);
}

static void an_abandoned_writer_leaves_no_trace(void **state)
{
    (void)state;
    put_file(in_folder("a"), "old");
    file_writer *w;
    assert_int_equal(file_writer_open(&w, in_folder("a"), NULL), PF_OK);
    assert_int_equal(file_writer_write(w, "new", 3, NULL), PF_OK);
    file_writer_abandon(w);
    file_writer_abandon(NULL);
    assert_content(in_folder("a"), "old", 3);
    assert_int_equal(entries(), 1);
}

/* A file of that name, as old as that; an open descriptor of it. */
static int put_aged(const char *name, time_t age_s)
{
    int fd = open(in_folder(name), O_RDWR | O_CREAT, 0666);
    const struct timespec times[2] = {{time(NULL) - age_s, 0}, {time(NULL) - age_s, 0}};
    assert_true(fd >= 0);
    assert_int_equal(futimens(fd, times), 0);
    return fd;
}

/* Of killed writers of the same target; not of living ones, other files, nor of just now. */
static void what_killed_writers_left_is_removed(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        time_t age_s;
        bool locked, stays;
    } files[] = {{"a.0123456789abcdef.tmp", 3600, false, false},
                 {"a.fedcba9876543210.tmp", 3600, true, true},
                 {"a.aaaaaaaaaaaaaaaa.tmp", 5, false, true},
                 {"b.0123456789abcdef.tmp", 3600, false, true},
                 {"a.0123456789abcdeX.tmp", 3600, false, true},
                 {"a.0123456789abcdef.tmp2", 3600, false, true},
                 {"a.tmp", 3600, false, true}};
    enum { N = sizeof files / sizeof files[0] };
    int fd[N];
    for (int i = 0; i < N; i++) {
        fd[i] = put_aged(files[i].name, files[i].age_s);
        if (files[i].locked) assert_int_equal(flock(fd[i], LOCK_EX | LOCK_NB), 0);
    }
    put_file(in_folder("a"), "new");
    for (int i = 0; i < N; i++) {
        assert_int_equal(access(in_folder(files[i].name), F_OK), files[i].stays ? 0 : -1);
        assert_int_equal(close(fd[i]), 0);
    }
}

/* The n-th step fails: before the rename the old file stands whole; the folder's fsync
 * alone comes after it. No temporary file is left in any case. */
static void a_full_disk_leaves_the_old_file(void **state)
{
    (void)state;
    char *large = mem_alloc_zero(200000, 1);
    bool refused_with_new = false;
    uint64_t n = 1;
    for (;; n++) {
        put_file(in_folder("a"), "old");
        pf_error err = {0};
        file_fail_write_at(n);
        pf_status status = file_write_atomic(in_folder("a"), large, 200000, &err);
        file_fail_write_at(0);
        assert_int_equal(entries(), 1);
        if (status == PF_OK) break;
        assert_int_equal(status, PF_IO);
        assert_non_null(strstr(err.message, "No space left"));
        assert_non_null(strstr(err.message, "free some space"));
        struct stat info;
        assert_int_equal(stat(in_folder("a"), &info), 0);
        if (info.st_size == 3)
            assert_content(in_folder("a"), "old", 3);
        else
            refused_with_new = true;
        assert_true(info.st_size == 3 || info.st_size == 200000);
    }
    assert_true(n > 4);
    assert_true(refused_with_new);
    assert_content(in_folder("a"), large, 200000);
    mem_free(large);
}

static void a_failed_write_of_the_held_block_is_told(void **state)
{
    (void)state;
    file_writer *w;
    pf_error err = {0};
    char block[40000] = "";
    assert_int_equal(file_writer_open(&w, in_folder("a"), NULL), PF_OK);
    file_fail_write_at(1);
    assert_int_equal(file_writer_write(w, block, sizeof block, &err), PF_OK);
    assert_int_equal(file_writer_write(w, block, sizeof block, &err), PF_IO);
    file_fail_write_at(0);
    file_writer_abandon(w);
    assert_int_equal(entries(), 0);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    fault f = {0};
    while (fault_next(&f)) {
        pf_status status = file_write_atomic(in_folder("a"), "x", 1, NULL);
        assert_int_equal(status, fault_reached(&f) ? PF_NO_MEMORY : PF_OK);
    }
    assert_int_equal(f.n, 2);
    f = (fault){0};
    while (fault_next(&f)) {
        char *bytes = NULL;
        size_t n = 9;
        pf_status status = file_read_whole(&bytes, &n, in_folder("a"), 10, NULL);
        bool failed = fault_reached(&f);
        assert_int_equal(status, failed ? PF_NO_MEMORY : PF_OK);
        assert_int_equal(n, failed ? 0 : 1);
        mem_free(bytes);
    }
    assert_true(f.n > 1);
}

static void a_link_is_followed_and_stays_a_link(void **state)
{
    (void)state;
    put_file(in_folder("real"), "old");
    assert_int_equal(symlink("real", in_folder("link")), 0);
    put_file(in_folder("link"), "new");
    struct stat info;
    assert_int_equal(lstat(in_folder("link"), &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_content(in_folder("real"), "new", 3);
}

static void what_is_no_regular_file_is_not_replaced(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("d"), 0777), 0);
    assert_int_equal(mkfifo(in_folder("p"), 0666), 0);
    assert_int_equal(symlink("nowhere/at/all", in_folder("dangling")), 0);
    static const char *const names[] = {"d", "p", "dangling", "missing/a"};
    for (size_t i = 0; i < 4; i++) {
        pf_error err = {0};
        assert_int_equal(file_write_atomic(in_folder(names[i]), "x", 1, &err), PF_IO);
        assert_non_null(strstr(err.message, names[i]));
    }
    assert_int_equal(entries(), 3);
    char longest[PATH_MAX + 10];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(file_write_atomic(longest, "x", 1, NULL), PF_LIMIT);
}

static void new_files_obey_the_umask(void **state)
{
    (void)state;
    mode_t before = umask(027);
    put_file(in_folder("a"), "x");
    umask(before);
    struct stat info;
    assert_int_equal(stat(in_folder("a"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
}

static void maps_show_the_bytes(void **state)
{
    (void)state;
    put_file(in_folder("a"), "mapped bytes");
    file_map map;
    assert_int_equal(file_map_open(&map, in_folder("a"), NULL), PF_OK);
    assert_int_equal(map.size, 12);
    assert_memory_equal(map.data, "mapped bytes", 12);
    file_map_close(&map);
    assert_null(map.data);
    file_map_close(&map);
    put_file(in_folder("e"), "");
    assert_int_equal(file_map_open(&map, in_folder("e"), NULL), PF_OK);
    assert_null(map.data);
    assert_int_equal(map.size, 0);
    file_map_close(&map);
}

static void only_regular_files_are_mapped(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(in_folder("pipe"), 0666), 0);
    const char *const paths[] = {folder, "/dev/zero", in_folder("pipe")};
    for (size_t i = 0; i < 3; i++) {
        file_map map = {.size = 5};
        pf_error err = {0};
        assert_int_equal(file_map_open(&map, paths[i], &err), PF_IO);
        assert_non_null(strstr(err.message, "regular file"));
        assert_null(map.data);
    }
}

static void missing_files_are_not_found(void **state)
{
    (void)state;
    pf_error err = {0};
    file_map map;
    char *bytes;
    size_t n;
    assert_int_equal(file_map_open(&map, in_folder("no"), &err), PF_NOT_FOUND);
    assert_int_equal(err.code, PF_NOT_FOUND);
    assert_non_null(strstr(err.message, "No such file"));
    assert_int_equal(file_read_whole(&bytes, &n, in_folder("no"), 9, &err), PF_NOT_FOUND);
    put_file(in_folder("a"), "x");
    assert_int_equal(file_read_whole(&bytes, &n, in_folder("a/b"), 9, &err),
                     PF_NOT_FOUND);
    assert_int_equal(file_read_whole(&bytes, &n, folder, 9, &err), PF_IO);
    assert_null(bytes);
}

static void reading_whole_stops_at_the_maximum(void **state)
{
    (void)state;
    put_file(in_folder("a"), "12345");
    char *bytes;
    size_t n;
    pf_error err = {0};
    assert_int_equal(file_read_whole(&bytes, &n, in_folder("a"), 4, &err), PF_LIMIT);
    assert_null(bytes);
    assert_non_null(strstr(err.message, "4 bytes"));
    assert_int_equal(file_read_whole(&bytes, &n, in_folder("a"), 5, &err), PF_OK);
    assert_string_equal(bytes, "12345");
    mem_free(bytes);
    /* Endless, and its size says 0: only the maximum ends it. */
    assert_int_equal(file_read_whole(&bytes, &n, "/dev/zero", 100000, &err), PF_LIMIT);
}

static void folders_are_made_with_their_parents(void **state)
{
    (void)state;
    pf_error err = {0};
    assert_int_equal(file_make_folders(in_folder("x/y//z/"), &err), PF_OK);
    assert_true(file_is_folder(in_folder("x/y/z")));
    assert_int_equal(file_make_folders(in_folder("x/y/z"), &err), PF_OK);
    assert_int_equal(file_make_folders("/", &err), PF_OK);
    put_file(in_folder("x/file"), "");
    assert_int_equal(file_make_folders(in_folder("x/file"), &err), PF_IO);
    assert_int_equal(file_make_folders(in_folder("x/file/deeper"), &err), PF_IO);
    assert_int_equal(file_make_folders("", &err), PF_LIMIT);
    assert_true(file_exists(in_folder("x/file")));
    assert_false(file_is_folder(in_folder("x/file")));
    assert_false(file_exists(in_folder("x/none")));
    assert_false(file_is_folder(in_folder("x/none")));
}

static void what_stands_near_the_program_is_found(void **state)
{
    (void)state;
    char path[4096], small[4];
    assert_true(file_near_program(path, sizeof path, "."));
    assert_int_equal(path[0], '/');
    assert_true(file_is_folder(path));
    assert_true(file_near_program(path, sizeof path, "test_file"));
    assert_true(file_exists(path));
    assert_false(file_is_folder(path));
    assert_false(file_near_program(path, sizeof path, "no/such/thing"));
    assert_false(file_near_program(small, sizeof small, "."));
}

static void paths_are_joined_and_cut(void **state)
{
    (void)state;
    static const char *const cases[][3] = {{"a", "b", "a/b"},
                                           {"a/", "b", "a/b"},
                                           {"", "b", "b"},
                                           {"a", "/b", "/b"},
                                           {"/", "b", "/b"}};
    char into[16];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            file_join_path(into, sizeof into, cases[i][0], cases[i][1], NULL), PF_OK);
        assert_string_equal(into, cases[i][2]);
    }
    assert_int_equal(file_join_path(into, 4, "a", "b", NULL), PF_OK);
    assert_int_equal(file_join_path(into, 3, "a", "b", NULL), PF_LIMIT);
    static const char *const folders[][2] = {
        {"a/b/c", "a/b"}, {"c", ""}, {"/c", "/"}, {"a/", "a"}, {"", ""}};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        file_folder_of(folders[i][0], into, sizeof into);
        assert_string_equal(into, folders[i][1]);
    }
    file_folder_of("abcdef/x", into, 4);
    assert_string_equal(into, "abc");
}

/* --- locks ------------------------------------------------------------------------ */

static void a_lock_is_held_once_and_leaves_nothing(void **state)
{
    (void)state;
    file_lock *first = NULL, *second = NULL;
    pf_error err = {0};
    assert_int_equal(file_lock_take(&first, in_folder("l"), &err), PF_OK);
    assert_int_equal(file_lock_take(&second, in_folder("l"), &err), PF_BUSY);
    assert_null(second);
    assert_non_null(strstr(err.message, in_folder("l")));
    assert_int_equal(file_lock_take(&second, in_folder("other"), &err), PF_OK);
    file_lock_release(second);
    file_lock_release(first);
    assert_int_equal(entries(), 0);
    assert_int_equal(file_lock_take(&first, in_folder("l"), &err), PF_OK);
    file_lock_release(first);
    file_lock_release(NULL);
    assert_int_equal(entries(), 0);
}

/* Many take it in turn; what one writes while it holds the lock nobody else disturbs. */
static void of_many_processes_one_at_a_time_holds_the_lock(void **state)
{
    (void)state;
    enum { PROCESSES = 6, TURNS = 40 };
    pid_t child[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        child[i] = fork();
        assert_true(child[i] >= 0);
        if (child[i] > 0) continue;
        for (int turn = 0; turn < TURNS;) {
            file_lock *l = NULL;
            if (file_lock_take(&l, in_folder("l"), NULL) != PF_OK) {
                (void)sched_yield();
                continue;
            }
            int fd = open(in_folder("alone"), O_WRONLY | O_CREAT | O_EXCL, 0666);
            if (fd < 0) _exit(1); /* somebody else is here */
            (void)close(fd);
            (void)unlink(in_folder("alone"));
            file_lock_release(l);
            turn++;
        }
        _exit(0);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int how;
        assert_int_equal(waitpid(child[i], &how, 0), child[i]);
        assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    }
    assert_int_equal(entries(), 0);
}

static void a_killed_process_holds_no_lock(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        file_lock *l = NULL;
        if (file_lock_take(&l, in_folder("l"), NULL) == PF_OK) (void)raise(SIGKILL);
        _exit(1);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how));
    assert_int_equal(entries(), 1); /* its file, which is nobody's now */
    file_lock *l = NULL;
    assert_int_equal(file_lock_take(&l, in_folder("l"), NULL), PF_OK);
    file_lock_release(l);
    assert_int_equal(entries(), 0);
}

static void what_cannot_be_locked_is_told(void **state)
{
    (void)state;
    file_lock *l = NULL;
    pf_error err = {0};
    char *path = mem_alloc(PATH_MAX + 1, 1);
    memset(path, 'x', PATH_MAX);
    path[PATH_MAX] = '\0';
    assert_int_equal(file_lock_take(&l, path, &err), PF_LIMIT);
    mem_free(path);
    assert_int_equal(file_lock_take(&l, in_folder("no/such/folder"), &err), PF_IO);
    assert_int_equal(symlink("elsewhere", in_folder("link")), 0);
    assert_int_equal(file_lock_take(&l, in_folder("link"), &err), PF_IO);
    assert_null(l);
    mem_fail_at(1);
    assert_int_equal(file_lock_take(&l, in_folder("l"), &err), PF_NO_MEMORY);
    mem_fail_at(0);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(what_is_written_is_read),
        IN_FOLDER(pieces_of_any_size_arrive_in_order),
        IN_FOLDER(an_abandoned_writer_leaves_no_trace),
        IN_FOLDER(what_killed_writers_left_is_removed),
        IN_FOLDER(a_full_disk_leaves_the_old_file),
        IN_FOLDER(a_failed_write_of_the_held_block_is_told),
        IN_FOLDER(every_failed_allocation_is_told),
        IN_FOLDER(a_link_is_followed_and_stays_a_link),
        IN_FOLDER(what_is_no_regular_file_is_not_replaced),
        IN_FOLDER(new_files_obey_the_umask),
        IN_FOLDER(maps_show_the_bytes),
        IN_FOLDER(only_regular_files_are_mapped),
        IN_FOLDER(missing_files_are_not_found),
        IN_FOLDER(reading_whole_stops_at_the_maximum),
        IN_FOLDER(folders_are_made_with_their_parents),
        cmocka_unit_test(what_stands_near_the_program_is_found),
        IN_FOLDER(a_lock_is_held_once_and_leaves_nothing),
        IN_FOLDER(of_many_processes_one_at_a_time_holds_the_lock),
        IN_FOLDER(a_killed_process_holds_no_lock),
        IN_FOLDER(what_cannot_be_locked_is_told),
        IN_FOLDER(paths_are_joined_and_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
