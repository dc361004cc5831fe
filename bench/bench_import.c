/*
 * Loads a CSV of events into a fresh workspace, beside the sqlite3 shell's .import of it.
 * Rooms: base shop store intake
 *
 * A seeded file of N events (2 million; --rows N), then, in turns and in this one run:
 *   - proffer: durable, checked, de-duplicated, two threads, in a child process so that
 *     its processor time and its largest resident size are its own;
 *   - the shell: `.import` of the same file into a bare table (no index, no checks) of the
 *     same columns, journal_mode=WAL.
 * What gates is ratio_to_sqlite (>= 0.5) of the medians of --pairs turns (3), and with
 * --rows 10000000 the memory (<= 1 GiB). The figures of one turn go to stderr.
 *
 *     bench/run import [--rows N] [--pairs N] [--threads N] [--seed N]
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/random.h"
#include "bench/result.h"
#include "intake/intake.h"

enum { PATH_BYTES = 4096, PAIRS_MAX = 15 };

extern char **environ;

typedef struct settings {
    uint64_t rows, seed;
    unsigned pairs, threads;
    long long bytes; /* of the file */
    char folder[PATH_BYTES], csv[PATH_BYTES];
} settings;

/* One program's turn. */
typedef struct turn {
    double wall_s, cpu_s, peak_bytes;
} turn;

static void fail(const char *what)
{
    fprintf(stderr, "bench_import: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* --- the file --------------------------------------------------------------------- */

/* A year of a shop: shoppers in proportion to rows, popular products more often. */
static void write_row(FILE *out, random_stream *r, uint64_t i, uint64_t n)
{
    static const char *const types[] = {"view", "view", "view", "add_to_cart",
                                        "purchase"};
    static const char *const channels[] = {"site", "email", "push", ""};
    char time[TIME_TEXT_BYTES];
    const uint32_t who = random_below(r, (uint32_t)(n / 40 + 1));
    const double u = random_unit(r);
    const uint32_t what = (uint32_t)(u * u * u * 50000);
    const uint32_t kind = random_below(r, 5);
    const int64_t second = INT64_C(1704067200) + (int64_t)(i * 31536000 / n);
    fprintf(out, "e%llu,s%u,%s,p%05u,%s,", (unsigned long long)i, who, types[kind], what,
            time_format(second * US_PER_SECOND, time));
    if (kind == 4) {
        const uint32_t cents = 99 + random_below(r, 9900);
        fprintf(out, "%u,%u.%02u,", 1 + random_below(r, 3), cents / 100, cents % 100);
    } else {
        fputs(",,", out);
    }
    fprintf(out, "%s\n", channels[random_below(r, 4)]);
}

static void write_events(settings *s)
{
    FILE *out = fopen(s->csv, "w");
    random_stream r = random_begin(s->seed, 0);
    if (out == NULL) fail(s->csv);
    (void)setvbuf(out, NULL, _IOFBF, 1 << 20);
    fputs("event_id,shopper_id,type,product_id,time,quantity,paid,channel\n", out);
    for (uint64_t i = 0; i < s->rows; i++)
        write_row(out, &r, i, s->rows);
    s->bytes = ftell(out);
    if (fclose(out) != 0) fail(s->csv);
}

static void path_of(const settings *s, const char *name, char into[PATH_BYTES])
{
    if (file_join_path(into, PATH_BYTES, s->folder, name, NULL) != PF_OK) fail("path");
}

static void remove_store(const settings *s, const char *name)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char file[128], path[PATH_BYTES];
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(file, sizeof file, "%s%s", name, ends[i]);
        path_of(s, file, path);
        (void)unlink(path);
    }
}

/* --- turns ------------------------------------------------------------------------ */

static turn wait_for(pid_t child, double begun_s)
{
    int status = 0;
    struct rusage used;
    if (wait4(child, &status, 0, &used) != child) fail("wait");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "bench_import: a turn ended with status %d\n", status);
        exit(1);
    }
    return (turn){.wall_s = bench_wall_s() - begun_s,
                  .cpu_s = (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
                           1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec),
                  .peak_bytes = 1024.0 * (double)used.ru_maxrss};
}

/* In the child. */
static int import_file(const settings *s)
{
    char path[PATH_BYTES];
    const char *files[] = {s->csv};
    const intake_request request = {.files = files, .n_files = 1, .table = "events"};
    intake_options options = intake_options_default();
    intake_summary summary = {0};
    intake_plan *plan = NULL;
    store *st = NULL;
    pf_error err = {0};
    path_of(s, "proffer.db", path);
    (void)currency_find("USD", 3, &options.currency);
    options.threads = s->threads;
    pf_status status = store_open(&st, path, STORE_CREATE, &err);
    if (status == PF_OK) status = intake_plan_open(&plan, &request, &err);
    if (status == PF_OK) status = intake_run(plan, st, &options, &summary, &err);
    const uint64_t added = status == PF_OK ? intake_summary_totals(&summary).added : 0;
    store_close(st);
    intake_summary_free(&summary);
    intake_plan_free(plan);
    if (status == PF_OK && added == s->rows) return 0;
    fprintf(stderr, "bench_import: %s (%llu rows added)\n", err.message,
            (unsigned long long)added);
    return 1;
}

static turn turn_of_proffer(const settings *s)
{
    remove_store(s, "proffer.db");
    const double begun_s = bench_wall_s();
    const pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) _exit(import_file(s));
    return wait_for(child, begun_s);
}

static turn turn_of_shell(const settings *s)
{
    char path[PATH_BYTES], import[PATH_BYTES + 64];
    pid_t child;
    remove_store(s, "shell.db");
    path_of(s, "shell.db", path);
    (void)snprintf(import, sizeof import, ".import --skip 1 %s events", s->csv);
    char *arguments[] = {
        (char[]){"sqlite3"},
        path,
        (char[]){"PRAGMA journal_mode=WAL"},
        (char[]){"CREATE TABLE events(event_id TEXT, shopper_id TEXT, type "
                 "TEXT, product_id TEXT, time TEXT, quantity TEXT, paid "
                 "TEXT, channel TEXT)"},
        (char[]){".mode csv"},
        import,
        NULL};
    const double begun_s = bench_wall_s();
    posix_spawn_file_actions_t quiet;
    if (posix_spawn_file_actions_init(&quiet) != 0 ||
        posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY,
                                         0) != 0)
        fail("spawn");
    const int code = posix_spawnp(&child, "sqlite3", &quiet, NULL, arguments, environ);
    (void)posix_spawn_file_actions_destroy(&quiet);
    if (code != 0) {
        fprintf(stderr, "skipped: the sqlite3 shell cannot be run\n");
        exit(77);
    }
    return wait_for(child, begun_s);
}

/* --- figures ---------------------------------------------------------------------- */

static int by_wall(const void *a, const void *b)
{
    const turn *x = a, *y = b;
    return (x->wall_s > y->wall_s) - (x->wall_s < y->wall_s);
}

static turn median(turn *turns, unsigned n)
{
    qsort(turns, n, sizeof *turns, by_wall);
    return turns[n / 2];
}

static void print(const char *model, const char *metric, double value, const char *unit,
                  const char *detail)
{
    bench_print(&(bench_result){.bench = "import",
                                .model = model,
                                .metric = metric,
                                .value = value,
                                .unit = unit,
                                .detail = detail});
}

static void report(const settings *s, turn *ours, turn *shells)
{
    char detail[512];
    double load[3] = {0};
    const turn p = median(ours, s->pairs), q = median(shells, s->pairs);
    const double rows = (double)s->rows;
    (void)getloadavg(load, 3);
    (void)snprintf(
        detail, sizeof detail,
        "{\"rows\":%llu,\"bytes\":%lld,\"threads\":%u,\"pairs\":%u,\"seed\":%llu,"
        "\"load\":%.2f,\"gate\":\"ratio_to_sqlite >= 0.5\"}",
        (unsigned long long)s->rows, s->bytes, s->threads, s->pairs,
        (unsigned long long)s->seed, load[0]);
    print("proffer", "events_per_s", rows / p.wall_s, "1/s", detail);
    print("proffer", "cpu_s", p.cpu_s, "s", detail);
    print("proffer", "wall_s", p.wall_s, "s", detail);
    print("proffer", "peak_memory", p.peak_bytes / (1 << 20), "MiB", detail);
    print("shell", "events_per_s", rows / q.wall_s, "1/s", detail);
    print("shell", "cpu_s", q.cpu_s, "s", detail);
    print("proffer", "ratio_to_sqlite", q.wall_s / p.wall_s, "", detail);
    print("proffer", "cpu_ratio_to_sqlite", q.cpu_s / p.cpu_s, "", detail);
}

static uint64_t number_of(const char *word)
{
    char *end = NULL;
    const unsigned long long n = strtoull(word, &end, 10);
    if (end == word || *end != 0 || n == 0) {
        fprintf(stderr, "bench_import: '%s' is no number\n", word);
        exit(2);
    }
    return n;
}

static settings read_arguments(int argc, char **argv)
{
    settings s = {.rows = 2000000, .seed = 1, .pairs = 3, .threads = 2};
    for (int i = 1; i + 1 < argc; i += 2) {
        const uint64_t n = number_of(argv[i + 1]);
        if (strcmp(argv[i], "--rows") == 0)
            s.rows = n;
        else if (strcmp(argv[i], "--seed") == 0)
            s.seed = n;
        else if (strcmp(argv[i], "--threads") == 0)
            s.threads = (unsigned)n;
        else if (strcmp(argv[i], "--pairs") == 0)
            s.pairs = n < PAIRS_MAX ? (unsigned)n : PAIRS_MAX;
        else
            argc = 0;
    }
    if (argc % 2 == 0) {
        fprintf(stderr, "usage: bench/run import [--rows N] [--pairs N] [--threads N] "
                        "[--seed N]\n");
        exit(2);
    }
    return s;
}

int main(int argc, char **argv)
{
    settings s = read_arguments(argc, argv);
    turn ours[PAIRS_MAX], shells[PAIRS_MAX];
    progress_set_quiet(true);
    const char *folder = getenv("TMPDIR");
    if (file_join_path(s.folder, sizeof s.folder, folder != NULL ? folder : "/tmp",
                       "proffer-import-XXXXXX", NULL) != PF_OK ||
        mkdtemp(s.folder) == NULL)
        fail("a folder for the files");
    path_of(&s, "events.csv", s.csv);
    fprintf(stderr, "writing %llu events\n", (unsigned long long)s.rows);
    write_events(&s);
    for (unsigned i = 0; i < s.pairs; i++) {
        ours[i] = turn_of_proffer(&s);
        shells[i] = turn_of_shell(&s);
        fprintf(stderr, "proffer %.2f s (%.2f s of processor), shell %.2f s (%.2f)\n",
                ours[i].wall_s, ours[i].cpu_s, shells[i].wall_s, shells[i].cpu_s);
    }
    remove_store(&s, "proffer.db");
    remove_store(&s, "shell.db");
    (void)unlink(s.csv);
    (void)rmdir(s.folder);
    report(&s, ours, shells);
    return 0;
}
