/* Running the program under test; see program.h. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "fixtures/corner_shop.h"

enum { RESULTS = 8, RUNNING = 8, PATHS = 256 };

conditions next_run;

static char folder_path[256];
static char *paths[PATHS];
static size_t n_paths;
static arena trees;
static ran results[RESULTS];
static size_t n_results;

/* A program under way, and where its output is caught. */
typedef struct running {
    pid_t child;
    int out, err;
} running;
static running under_way[RUNNING];

/* --- the folder ------------------------------------------------------------------- */

static void clean_environment(void)
{
    static const char *const names[] = {"PROFFER_WORKSPACE", "PROFFER_DATA", "NO_COLOR",
                                        "PROFFER_DECIDE_HOLDOUT"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unsetenv(names[i]);
    setenv("PROFFER_MODELS", "/nonexistent/models", 1);
    setenv("HOME", folder_path, 1);
}

int program_begin(void **state)
{
    (void)state;
    const char *temporary = getenv("TMPDIR");
    (void)snprintf(folder_path, sizeof folder_path, "%s/proffer-test-cli-XXXXXX",
                   temporary != NULL ? temporary : "/tmp");
    if (mkdtemp(folder_path) == NULL) return -1;
    arena_init(&trees, (size_t)1 << 30);
    clean_environment();
    return 0;
}

static int remove_one(const char *path, const struct stat *facts, int kind,
                      struct FTW *place)
{
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

static void drop(ran *r)
{
    free(r->out);
    free(r->err);
    *r = (ran){0};
}

int program_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < RESULTS; i++)
        drop(&results[i]);
    arena_free(&trees);
    for (size_t i = 0; i < n_paths; i++)
        free(paths[i]);
    return nftw(folder_path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *in_folder(const char *name)
{
    char path[4096];
    assert_true(snprintf(path, sizeof path, "%s/%s", folder_path, name) <
                (int)sizeof path);
    for (size_t i = 0; i < n_paths; i++)
        if (!strcmp(paths[i], path)) return paths[i];
    assert_true(n_paths < PATHS);
    paths[n_paths] = strdup(path);
    assert_non_null(paths[n_paths]);
    return paths[n_paths++];
}

/* --- running ---------------------------------------------------------------------- */

static int open_or_die(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd < 0) _exit(127);
    return fd;
}

/* In the child, between fork and exec. */
static void become(const char *program, const char *const words[], const running *r,
                   const conditions *c)
{
    int in = open_or_die(c->input ? c->input : "/dev/null", O_RDONLY);
    int out = c->output ? open_or_die(c->output, O_WRONLY | O_CREAT | O_TRUNC) : r->out;
    if (chdir(c->folder ? c->folder : folder_path) != 0 || dup2(in, 0) < 0 ||
        dup2(out, 1) < 0 || dup2(r->err, 2) < 0)
        _exit(127);
    /* A coverage profile that is cut off would spoil those of all other runs. */
    if (c->file_limit != 0 || c->will_be_killed)
        setenv("LLVM_PROFILE_FILE", "/dev/null", 1);
    if (c->file_limit != 0) {
        struct rlimit limit = {c->file_limit, c->file_limit};
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(127);
    }
    execvp(program, (char *const *)(uintptr_t)words);
    _exit(127);
}

static running *free_place(void)
{
    for (size_t i = 0; i < RUNNING; i++)
        if (under_way[i].child == 0) return &under_way[i];
    fail_msg("too many programs under way");
    return NULL;
}

static pid_t start(const char *program, const char *const words[])
{
    const char *argv[64] = {program};
    size_t n = 0;
    running *r = free_place();
    for (; words[n] != NULL && n + 2 < 64; n++)
        argv[n + 1] = words[n];
    r->out = memfd_create("out", MFD_CLOEXEC);
    r->err = memfd_create("err", MFD_CLOEXEC);
    assert_true(r->out >= 0 && r->err >= 0);
    fflush(NULL);
    r->child = fork();
    assert_true(r->child >= 0);
    if (r->child == 0) become(program, argv, r, &next_run);
    next_run = (conditions){0};
    return r->child;
}

pid_t start_program(const char *const words[])
{
    return start(PROFFER_PROGRAM, words);
}

static char *take(int fd, size_t *n)
{
    off_t end = lseek(fd, 0, SEEK_END);
    assert_true(end >= 0);
    char *bytes = malloc((size_t)end + 1);
    assert_non_null(bytes);
    assert_true(pread(fd, bytes, (size_t)end, 0) == end);
    bytes[end] = 0;
    *n = (size_t)end;
    close(fd);
    return bytes;
}

const ran *finish_program(pid_t child)
{
    int status = 0;
    ran *r = &results[n_results++ % RESULTS];
    drop(r);
    assert_int_equal(waitpid(child, &status, 0), child);
    r->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    for (size_t i = 0; i < RUNNING; i++)
        if (under_way[i].child == child) {
            r->out = take(under_way[i].out, &r->out_n);
            r->err = take(under_way[i].err, &r->err_n);
            under_way[i].child = 0;
        }
    assert_non_null(r->out);
    return r;
}

const ran *program_run(const char *const words[])
{
    return finish_program(start_program(words));
}

const ran *run_other(const char *const words[])
{
    return finish_program(start(words[0], words + 1));
}

const ran *program_run_code(int code, const char *const words[])
{
    const ran *r = program_run(words);
    if (r->code != code)
        fail_msg("proffer %s ended with %d and not with %d\n%.2000s\n%.2000s", words[0],
                 r->code, code, r->out, r->err);
    return r;
}

/* --- looking ---------------------------------------------------------------------- */

void assert_contains(const char *said, const char *words)
{
    if (strstr(said, words) == NULL) fail_msg("'%s' is not in:\n%.3000s", words, said);
}

void assert_lacks(const char *said, const char *words)
{
    const char *found = strstr(said, words);
    if (found != NULL) fail_msg("'%s' is in it: %.300s", words, found);
}

const json_value *json_of(const ran *r)
{
    const json_value *v = NULL;
    pf_error err = {.code = PF_OK};
    if (json_parse(&trees, r->out, r->out_n, &v, &err) != PF_OK)
        fail_msg("no JSON: %s\n%.1000s\n%.1000s", err.message, r->out, r->err);
    return v;
}

const json_value *member_of(const json_value *object, const char *key)
{
    const json_value *v = json_member(object, key);
    if (v == NULL) fail_msg("there is no member '%s'", key);
    return v;
}

const char *word_of(const json_value *object, const char *key)
{
    const json_value *v = json_member(object, key);
    if (v == NULL || (v->kind != JSON_TEXT && v->kind != JSON_NUMBER)) return "";
    const char *copy = arena_copy_text(&trees, v->text.data, v->text.n);
    assert_non_null(copy);
    return copy;
}

double number_of(const json_value *object, const char *key)
{
    const json_value *v = member_of(object, key);
    double number = 0;
    if ((v->kind != JSON_NUMBER && v->kind != JSON_TEXT) ||
        !text_to_double(v->text, &number))
        fail_msg("'%s' is no number", key);
    return number;
}

void assert_keys(const json_value *object, const char *keys)
{
    char key[80];
    while (*keys) {
        size_t n = strcspn(keys, " ");
        assert_true(n < sizeof key);
        memcpy(key, keys, n);
        key[n] = 0;
        (void)member_of(object, key);
        keys += n + (keys[n] == ' ');
    }
}

/* --- shops ------------------------------------------------------------------------ */

const char *corner_data(void)
{
    const char *path = in_folder("corner-shop");
    if (!file_exists(path)) {
        assert_int_equal(mkdir(path, 0700), 0);
        assert_true(corner_shop_write(path) > 2000);
    }
    return path;
}

const char *corner_mapping(void)
{
    (void)corner_data();
    return in_folder("corner-shop/mapping.yaml");
}

static void copy_file(const char *from, const char *to)
{
    char *bytes = NULL;
    size_t n = 0;
    pf_error err = {.code = PF_OK};
    if (file_read_whole(&bytes, &n, from, (size_t)1 << 30, &err) != PF_OK ||
        file_write_atomic(to, bytes, n, &err) != PF_OK)
        fail_msg("cannot copy %s: %s", from, err.message);
    mem_free(bytes);
}

static const char *path_in(const char *folder, const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder + strlen(folder_path) + 1, name);
    return in_folder(path);
}

const char *corner(void)
{
    const char *path = in_folder("corner");
    if (!file_exists(path)) {
        const char *from = path_in(corner_data(), "proffer.yaml");
        assert_int_equal(mkdir(path, 0700), 0);
        copy_file(from, path_in(path, "proffer.yaml"));
        RUN_CODE(0, "import", "--mapping", corner_mapping(), "-w", path);
    }
    return path;
}

const char *copy_of_corner(const char *name)
{
    const char *path = in_folder(name), *from = corner();
    assert_int_equal(mkdir(path, 0700), 0);
    copy_file(path_in(from, "proffer.yaml"), path_in(path, "proffer.yaml"));
    copy_file(path_in(from, "proffer.db"), path_in(path, "proffer.db"));
    return path;
}

const char *empty_workspace(const char *name)
{
    const char *path = in_folder(name);
    RUN_CODE(0, "init", path, "--currency", "CNY");
    return path;
}

const char *put(const char *name, const char *words)
{
    const char *path = in_folder(name);
    pf_error err = {.code = PF_OK};
    if (file_write_atomic(path, words, strlen(words), &err) != PF_OK)
        fail_msg("%s: %s", path, err.message);
    return path;
}

char *everything_in(const char *workspace)
{
    buffer all;
    char id[16];
    buffer_init(&all, (size_t)64 << 20);
    const json_value *doctor = json_of(RUN_CODE(0, "doctor", "--json", "-w", workspace));
    const json_value *counts = member_of(doctor, "counts");
    buffer_printf(&all, "%s products, %s promotions, %s scope rows, %s events, data %s\n",
                  word_of(counts, "products"), word_of(counts, "promotions"),
                  word_of(counts, "scope_rows"), word_of(counts, "events"),
                  word_of(doctor, "data"));
    for (int i = 1; i <= CORNER_SHOPPERS; i += 7) {
        (void)snprintf(id, sizeof id, "s%02d", i);
        const ran *r = RUN("export", "--shopper", id, "-w", workspace);
        buffer_append_text(&all, r->code == 0 ? r->out : "no such shopper\n");
    }
    assert_false(all.failed);
    return buffer_take(&all);
}
