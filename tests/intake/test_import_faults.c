/*
 * An import while things fail around it: memory, the disk, the user's patience, the
 * process itself. Afterwards the store is as before or wholly as after.
 */
#include "fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/progress.h"

#define MAPPING                                                                          \
    "version: 1\ntime: {zone: America/New_York}\ntables:\n"                              \
    "  - {table: products, files: [p.csv]}\n"                                            \
    "  - {table: shoppers, files: [s.csv]}\n"                                            \
    "  - table: events\n    files: [e.csv.gz]\n"                                         \
    "    joins: [{files: [o.csv], keys: [{left: o, right: no}]}]\n"                      \
    "    fields:\n      - {value: purchase, to: type}\n      - {from: who, to: "         \
    "shopper}\n"                                                                         \
    "      - {from: t, to: time}\n      - {template: \"{a}{b}\", to: product}\n"         \
    "      - {from: n, to: quantity, values: [{from: many, to: 9}]}\n"                   \
    "  - {table: events, name: log, files: [l.jsonl]}\n"

static void put_small_shop(void)
{
    static const char events[] =
        "o,a,b,t,n,note\n1,p,1,2024-05-01,2,x\n1,p,2,2024-05-01,many,\n"
        "1,p,9,2024-05-01,1,unknown\n2,p,1,2024-13-01,1,bad\n"
        "7,p,1,2024-05-01,1,no order\n";
    put("p.csv", "id,title,size\np1,Tea,\"a \"\"b\"\"\"\np2,Cup,\np1,Pot,\n");
    put("s.csv", "id,zone,language\ns1,Europe/Berlin,de\ns2,Nowhere,de\n");
    put("o.csv", "no,who\n1,s1\n2,s2\nbroken\n");
    put_gzip("e.csv.gz", events, sizeof events - 1);
    put("l.jsonl", "{\"shopper\":\"s1\",\"type\":\"view\",\"product\":\"p1\","
                   "\"time\":\"2024-05-01\",\"x\":{\"y\":[1,2]}}\n{\"x\":\n");
    put("mapping.yaml", MAPPING);
}

static pf_status import(bool keep)
{
    intake_plan *plan = NULL;
    const intake_request r = {.mapping = path_of("mapping.yaml")};
    pf_status s = intake_plan_open(&plan, &r, &failure);
    if (s == PF_OK)
        s = (keep ? intake_run : intake_validate)(plan, the_store(), &fixture_options,
                                                  &summary, &failure);
    intake_plan_free(plan);
    return s;
}

static size_t reject_files(void)
{
    DIR *d = opendir(path_of("rejects"));
    size_t n = 0;
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    if (d != NULL) closedir(d);
    return n;
}

static void assert_small_shop_summary(void)
{
    assert_counts_add_up();
    assert_int_equal(totals().added, 2 + 1 + 2 + 1);
    assert_int_equal(totals().rejected, 1 + 1 + 4 + 1);
}

/* One thread, so that the n-th allocation is always the same one. Some failures are none
 * (a progress bar less); then the result is the right one. */
static void every_failed_allocation_leaves_the_store(void **state)
{
    (void)state;
    put_small_shop();
    fixture_options.threads = 1;
    char before[1024];
    snprintf(before, sizeof before, "%s", state_of_store());
    uint64_t failures = 0;
    for (fault f = {0}; fault_next(&f);) {
        const pf_status s = import(false);
        if (!fault_reached(&f)) {
            assert_int_equal(s, PF_OK);
        } else if (s != PF_OK) {
            assert_int_equal(s, PF_NO_MEMORY);
            failures++;
        }
        if (s == PF_OK) assert_small_shop_summary();
        if (f.n % 64 == 1) assert_string_equal(state_of_store(), before);
        intake_summary_free(&summary);
        if (f.n > 300) f.n += 4; /* the rest in larger steps */
    }
    assert_true(failures > 200);
    assert_string_equal(state_of_store(), before);
}

static void a_failed_allocation_in_a_real_import_leaves_no_trace(void **state)
{
    (void)state;
    put_small_shop();
    fixture_options.threads = 1;
    char before[1024];
    snprintf(before, sizeof before, "%s", state_of_store());
    for (uint64_t n = 50;; n += 97) {
        mem_fail_at(n);
        const pf_status s = import(true);
        const bool reached = mem_allocations_since() >= n;
        mem_fail_at(0);
        if (!reached || s == PF_OK) break;
        assert_int_equal(s, PF_NO_MEMORY);
        assert_string_equal(state_of_store(), before);
        assert_int_equal(reject_files(), 0);
    }
    assert_small_shop_summary();
    assert_int_equal(reject_files(), 4);
}

/* Each write, fsync and rename of the reject files in turn. */
static void a_full_disk_for_rejects_takes_the_import_back(void **state)
{
    (void)state;
    put_small_shop();
    char before[1024];
    snprintf(before, sizeof before, "%s", state_of_store());
    uint64_t failures = 0;
    pf_status s = PF_IO;
    for (uint64_t n = 1; s != PF_OK && n < 100; n++) {
        file_fail_write_at(n);
        s = import(true);
        file_fail_write_at(0);
        if (s == PF_OK) break;
        assert_int_equal(s, PF_IO);
        assert_string_equal(state_of_store(), before);
        assert_int_equal(reject_files(), 0);
        failures++;
    }
    assert_true(failures >= 4 * 3);
    assert_small_shop_summary();
}

/* --- many events, in a process of their own -------------------------------------------- */

enum { MANY = 60000 };

static void put_many(void)
{
    char *file = mem_alloc(MANY + 1, 64);
    size_t n = (size_t)snprintf(file, 64, "id,shopper,type,product,time\n");
    for (int i = 0; i < MANY; i++)
        n += (size_t)snprintf(file + n, 64, "event-%d,s%d,view,p%d,%d\n", i, i % 5000,
                              i % 999, 1700000000 + i);
    put_n("many.csv", file, n);
    mem_free(file);
}

/* In the child: its own store handle, its status as the exit code. */
static int import_many(const char *name)
{
    const char *files[] = {path_of(name)};
    const intake_request r = {.files = files, .n_files = 1, .table = "events"};
    intake_plan *plan = NULL;
    store *s = NULL;
    pf_status status = store_open(&s, path_of("proffer.db"), STORE_OPEN, &failure);
    if (status == PF_OK) status = intake_plan_open(&plan, &r, &failure);
    if (status == PF_OK)
        status = intake_run(plan, s, &fixture_options, &summary, &failure);
    intake_plan_free(plan);
    store_close(s);
    intake_summary_free(&summary);
    return (int)status;
}

static int finished(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static pid_t begin(int (*what)(const char *), const char *name)
{
    close_store(); /* a handle must not cross a fork */
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(what(name));
    return child;
}

static int import_on_a_small_disk(const char *name)
{
    const struct rlimit limit = {300000, 300000};
    (void)signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 100;
    return import_many(name);
}

static void a_full_disk_for_the_store_leaves_it_as_it_was(void **state)
{
    (void)state;
    put_many();
    put_catalogue();
    char before[1024];
    snprintf(before, sizeof before, "%s", state_of_store());
    assert_int_equal(finished(begin(import_on_a_small_disk, "many.csv")), PF_IO);
    assert_string_equal(state_of_store(), before);
}

/* kill -9 at any moment: all of it or nothing. */
static void a_killed_import_leaves_all_or_nothing(void **state)
{
    (void)state;
    put_many();
    (void)the_store();
    char before[1024];
    snprintf(before, sizeof before, "%s", state_of_store());
    int killed = 0;
    for (int turn = 0; turn < 12; turn++) {
        const pid_t child = begin(import_many, "many.csv");
        const struct timespec wait = {0, 7000000L * turn};
        nanosleep(&wait, NULL);
        (void)kill(child, SIGKILL);
        const int code = finished(child);
        killed += code == -1;
        store_counts c;
        assert_int_equal(store_count(the_store(), &c, NULL), PF_OK);
        if (c.events != MANY) assert_string_equal(state_of_store(), before);
        if (c.events == MANY) break;
    }
    assert_true(killed > 0);
    run_table(PF_OK, "events", "many.csv");
    assert_int_equal(totals().added + totals().duplicates, MANY);
}

static void *interrupt(void *context)
{
    (void)context;
    const struct timespec wait = {0, 150000000};
    nanosleep(&wait, NULL);
    kill(getpid(), SIGINT);
    return NULL;
}

/* The pipe stays open and empty: only the signal can end it. */
static int import_until_interrupted(const char *name)
{
    pthread_t thread;
    progress_catch_signals();
    const int both = open(path_of(name), O_RDWR | O_CLOEXEC);
    char row[64];
    if (write(both, "shopper,type,product,time\n", 26) != 26) return 100;
    for (int i = 0; i < 900; i++) {
        const int n = snprintf(row, sizeof row, "s%d,view,p1,%d\n", i, 1700000000 + i);
        if (write(both, row, (size_t)n) != n) return 100;
    }
    if (pthread_create(&thread, NULL, interrupt, NULL) != 0) return 100;
    const int code = import_many(name);
    pthread_join(thread, NULL);
    return code;
}

static void an_interrupted_import_leaves_the_store_as_it_was(void **state)
{
    (void)state;
    put_catalogue();
    char before[1024];
    snprintf(before, sizeof before, "%s", state_of_store());
    assert_int_equal(mkfifo(path_of("pipe"), 0666), 0);
    assert_int_equal(finished(begin(import_until_interrupted, "pipe")), PF_CANCELLED);
    assert_string_equal(state_of_store(), before);
}

static void two_processes_import_one_after_the_other(void **state)
{
    (void)state;
    put_many();
    (void)the_store();
    const pid_t a = begin(import_many, "many.csv"), b = begin(import_many, "many.csv");
    assert_int_equal(finished(a), PF_OK);
    assert_int_equal(finished(b), PF_OK);
    store_counts c;
    assert_int_equal(store_count(the_store(), &c, NULL), PF_OK);
    assert_int_equal(c.events, MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_failed_allocation_leaves_the_store),
        TEST(a_failed_allocation_in_a_real_import_leaves_no_trace),
        TEST(a_full_disk_for_rejects_takes_the_import_back),
        TEST(a_full_disk_for_the_store_leaves_it_as_it_was),
        TEST(a_killed_import_leaves_all_or_nothing),
        TEST(an_interrupted_import_leaves_the_store_as_it_was),
        TEST(two_processes_import_one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
