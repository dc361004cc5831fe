/*
 * Faults: every allocation of ours, every allocation of SQLite's, every write and every
 * flush of the disk fails once, and the disk fills up at every point. Each time the call
 * says so, and the store is as it was before.
 */
#include "store/change.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/faulty_disk.h"

/* --- SQLite's memory ------------------------------------------------------------------ */

static sqlite3_mem_methods system_memory;
static uint64_t allocations, allocation_to_fail;

static bool allocation_refused(void)
{
    return allocation_to_fail != 0 && ++allocations == allocation_to_fail;
}

static void *faulty_malloc(int n)
{
    return allocation_refused() ? NULL : system_memory.xMalloc(n);
}

static void *faulty_realloc(void *block, int n)
{
    return allocation_refused() ? NULL : system_memory.xRealloc(block, n);
}

static void install_faulty_memory(void)
{
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &system_memory);
    sqlite3_mem_methods faulty = system_memory;
    faulty.xMalloc = faulty_malloc;
    faulty.xRealloc = faulty_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &faulty);
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0); /* every small one counts as well */
}

static void fail_allocation(uint64_t n)
{
    allocations = 0;
    allocation_to_fail = n;
}

/* --- before, after, and nothing in between -------------------------------------------- */

typedef struct outcomes {
    uint64_t before, after; /* digests */
    uint64_t failures;
} outcomes;

/* A store in the state before, and the digests of both states. */
static outcomes prepare(fixture *f)
{
    outcomes o = {0};
    change_prepare(f);
    o.before = fixture_digest(f->s);
    store_close(f->s);
    f->s = NULL;
    fixture_put_aside(f);
    fixture_reopen(f);
    must(change_everything(f->s, &f->err));
    o.after = fixture_digest(f->s);
    assert_true(o.before != o.after);
    store_close(f->s);
    f->s = NULL;
    fixture_put_back(f);
    fixture_reopen(f);
    return o;
}

static bool is_failure_of(pf_status status, pf_status a, pf_status b)
{
    return status == a || status == b;
}

/* --- memory --------------------------------------------------------------------------- */

static void any_allocation_of_ours_may_fail(void **state)
{
    fixture *f = *state;
    outcomes o = prepare(f);
    fault x = {0};
    while (fault_next(&x)) {
        pf_status status = change_everything(f->s, &f->err);
        if (fault_reached(&x)) {
            assert_int_equal(status, PF_NO_MEMORY);
            assert_true(fixture_digest(f->s) == o.before);
        } else {
            assert_int_equal(status, PF_OK);
            assert_true(fixture_digest(f->s) == o.after);
        }
    }
    assert_true(x.n > 40);
}

static void any_allocation_of_sqlites_may_fail(void **state)
{
    fixture *f = *state;
    outcomes o = prepare(f);
    uint64_t failures = 0;
    pf_status status = PF_NO_MEMORY;
    for (uint64_t n = 1; status != PF_OK; n += 1 + n / 40) {
        fail_allocation(n);
        status = change_everything(f->s, &f->err);
        fail_allocation(0);
        if (status == PF_OK && allocations < n) break;
        if (status == PF_OK) { /* SQLite did without: its caches may */
            assert_true(fixture_digest(f->s) == o.after);
            fixture_renew(f);
            o = prepare(f);
            status = PF_NO_MEMORY;
            continue;
        }
        failures++;
        assert_true(is_failure_of(status, PF_NO_MEMORY, PF_IO));
        assert_true(fixture_digest(f->s) == o.before);
    }
    assert_true(failures > 50);
}

static void any_allocation_of_opening_may_fail(void **state)
{
    fixture *f = *state;
    uint64_t failures = 0;
    for (int ours = 0; ours < 2; ours++)
        for (uint64_t n = 1;; n++) {
            store *s;
            if (ours)
                mem_fail_at(n);
            else
                fail_allocation(n);
            pf_status status = store_open(&s, f->path, STORE_OPEN, &f->err);
            bool failed = ours ? mem_allocations_since() >= n : allocations >= n;
            mem_fail_at(0);
            fail_allocation(0);
            assert_int_equal(s != NULL, status == PF_OK);
            store_close(s);
            if (!failed) break;
            failures += status != PF_OK;
            if (status != PF_OK) assert_true(is_failure_of(status, PF_NO_MEMORY, PF_IO));
        }
    assert_true(failures > 20);
}

/* --- the disk ------------------------------------------------------------------------- */

/* Every step-th change of the disk fails, until a change goes through without meeting a
 * fault. Also opens anew after each, as the next command would. */
static void fail_disk(fixture *f, bool lasting, disk_fault how, uint64_t step)
{
    outcomes o = prepare(f);
    uint64_t failures = 0;
    for (uint64_t n = 1;; n += step) {
        faulty_disk_fail_at(n, lasting, how);
        pf_status status = change_everything(f->s, &f->err);
        bool failed = faulty_disk_failed();
        faulty_disk_fail_at(0, false, how);
        if (status != PF_OK) {
            failures++;
            assert_int_equal(status, PF_IO);
            assert_true(strlen(f->err.message) > 20);
            if (how == DISK_FULL && !strstr(f->err.message, "failed"))
                assert_non_null(strstr(f->err.message, "full"));
        }
        assert_true(fixture_digest(f->s) == (status == PF_OK ? o.after : o.before));
        fixture_reopen(f);
        assert_true(fixture_digest(f->s) == (status == PF_OK ? o.after : o.before));
        if (!failed) break;
        if (status == PF_OK) { /* failed behind the commit, while emptying the log */
            fixture_renew(f);
            o = prepare(f);
        }
    }
    assert_true(failures > 0);
}

static void a_disk_may_be_full_at_any_write(void **state)
{
    fail_disk(*state, false, DISK_FULL, 1);
}

static void a_disk_may_fill_up_for_good_at_any_write(void **state)
{
    fail_disk(*state, true, DISK_FULL, 3);
}

static void a_disk_may_break_at_any_write(void **state)
{
    fail_disk(*state, false, DISK_BROKEN, 2);
}

static void a_flush_may_fail(void **state)
{
    fail_disk(*state, false, DISK_UNSYNCED, 1);
}

/* Durable: the log is flushed before a commit returns, every time. */
static void a_commit_flushes_before_it_returns(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < 5; i++) {
        must(store_begin(f->s, &f->err));
        must(store_set_setting(f->s, "a", i % 2 ? "b" : "c", &f->err));
        faulty_disk_fail_at(UINT64_MAX, false, DISK_UNSYNCED);
        must(store_commit(f->s, &f->err));
        assert_true(faulty_disk_changes() >= 1);
        faulty_disk_fail_at(0, false, DISK_UNSYNCED);
    }
}

static void a_disk_may_be_full_while_a_store_is_made(void **state)
{
    fixture *f = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/made.db", f->folder);
    uint64_t failures = 0;
    for (uint64_t n = 1;; n++) {
        store *s = NULL;
        faulty_disk_fail_at(n, true, DISK_FULL);
        pf_status status = store_open(&s, path, STORE_CREATE, &f->err);
        bool failed = faulty_disk_failed();
        store_close(s);
        faulty_disk_fail_at(0, false, DISK_FULL);
        if (status != PF_OK) {
            failures++;
            assert_int_equal(status, PF_IO);
        }
        if (!failed) break;
        /* What is left is a store, or becomes one. */
        must(store_open(&s, path, STORE_CREATE, &f->err));
        store_close(s);
        unlink(path);
    }
    assert_true(failures > 3);
}

/* --- the temporary file --------------------------------------------------------------- */

/* No file may pass a size, as with a full quota: the temporary file of the sort and the
 * log of the database meet it at different sizes. In a child: the limit is for good. */
static void files_may_meet_a_limit_of_size(void **state)
{
    fixture *f = *state;
    outcomes o = prepare(f);
    bool in_spool = false, in_database = false;
    store_close(f->s);
    f->s = NULL;
    for (rlim_t limit = 0; limit < 600000; limit += limit < 60000 ? 12000 : 60000) {
        int told[2], how;
        char message[512] = "";
        assert_int_equal(pipe(told), 0);
        pid_t child = fork();
        if (child == 0) {
            store *s;
            pf_error err = {0};
            struct rlimit size = {limit, limit};
            signal(SIGXFSZ, SIG_IGN);
            pf_status status = store_open(&s, f->path, STORE_OPEN, &err);
            setrlimit(RLIMIT_FSIZE, &size);
            if (status == PF_OK) status = change_everything(s, &err);
            ssize_t n = write(told[1], err.message, strlen(err.message));
            _exit(n < 0 ? 99 : (int)status);
        }
        close(told[1]);
        ssize_t n = read(told[0], message, sizeof message - 1);
        close(told[0]);
        assert_true(n >= 0);
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFEXITED(how));
        int status = WEXITSTATUS(how);
        assert_true(status == PF_IO || status == PF_OK);
        in_spool |= strstr(message, "temporary file") != NULL;
        in_database |= strstr(message, "shop.db") != NULL;
        fixture_reopen(f);
        assert_true(fixture_digest(f->s) == (status == PF_OK ? o.after : o.before));
        if (status == PF_OK) break;
        store_close(f->s);
        f->s = NULL;
    }
    assert_true(in_spool && in_database && f->s != NULL);
}

/* --- after a failure ------------------------------------------------------------------ */

static void a_spoilt_transaction_takes_nothing_more(void **state)
{
    fixture *f = *state;
    outcomes o = prepare(f);
    store_event_rules rules = store_event_rules_default();
    store_event_writer *w;
    store_event_counts counts;
    store_outcome outcome;
    made_event e;
    const model_kind kind = {.seed = 1,
                             .shoppers = 2,
                             .products = 2,
                             .promotions = 2,
                             .campaigns = 2,
                             .times = 5,
                             .unit_us = 1};
    const product_record p = {.id = t("milk"), .price_minor = 5};
    must(store_begin(f->s, &f->err));
    must(store_put_product(f->s, &p, &outcome, &f->err));
    must(store_events_begin(f->s, &rules, &w, &f->err));
    model_make(&kind, 0, &e);
    e.r.product = e.r.promotion = e.r.campaign = t("");
    mem_fail_at(1);
    assert_int_equal(store_events_add(w, &e.r, &outcome, &f->err), PF_NO_MEMORY);
    mem_fail_at(0);
    assert_int_equal(store_events_finish(w, NULL, NULL, &counts, &f->err), PF_USAGE);
    assert_int_equal(store_put_product(f->s, &p, &outcome, &f->err), PF_USAGE);
    assert_non_null(strstr(f->err.message, "failed before"));
    assert_int_equal(store_commit(f->s, &f->err), PF_USAGE);
    assert_true(fixture_digest(f->s) == o.before);
    must(store_begin(f->s, &f->err));
    must(store_put_product(f->s, &p, &outcome, &f->err));
    must(store_commit(f->s, &f->err));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(any_allocation_of_ours_may_fail),
        TEST(any_allocation_of_sqlites_may_fail),
        TEST(any_allocation_of_opening_may_fail),
        TEST(a_disk_may_be_full_at_any_write),
        TEST(a_disk_may_fill_up_for_good_at_any_write),
        TEST(a_disk_may_break_at_any_write),
        TEST(a_flush_may_fail),
        TEST(a_commit_flushes_before_it_returns),
        TEST(a_disk_may_be_full_while_a_store_is_made),
        TEST(files_may_meet_a_limit_of_size),
        TEST(a_spoilt_transaction_takes_nothing_more),
    };
    install_faulty_memory();
    faulty_disk_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
