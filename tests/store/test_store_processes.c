/*
 * Several processes on one store: they make it together, write one after the other, and
 * read one moment while another writes.
 */
#include "store/fixture.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCH = 150, BATCHES = 12 };

static event_record event_of(const char *id, const char *who, int64_t time_us)
{
    return (event_record){.id = text_of(id),
                          .type = EVENT_VIEW,
                          .shopper = text_of(who),
                          .product = t("milk"),
                          .time_us = time_us,
                          .quantity = 1,
                          .paid_minor = MONEY_ABSENT,
                          .discount_minor = MONEY_ABSENT,
                          .coupon_minor = MONEY_ABSENT,
                          .rating = NAN,
                          .propensity = NAN};
}

/* One import of BATCH events in one transaction, and its number as a setting. */
static pf_status import_batch(store *s, const char *name, int batch, pf_error *err)
{
    store_event_rules rules = {.shopper = STORE_UNKNOWN_CREATE,
                               .product = STORE_UNKNOWN_CREATE,
                               .memory_bytes = 1 << 20};
    store_event_writer *w;
    store_event_counts counts = {0};
    store_outcome outcome;
    char id[32], who[16], number[16];
    pf_status status = store_begin(s, err);
    if (status != PF_OK) return status;
    status = store_events_begin(s, &rules, &w, err);
    for (int i = 0; i < BATCH && status == PF_OK; i++) {
        snprintf(id, sizeof id, "%s-%d-%d", name, batch, i);
        snprintf(who, sizeof who, "s%d", i % 20);
        const event_record e = event_of(id, who, 1000 * batch + i);
        status = store_events_add(w, &e, &outcome, err);
    }
    if (status == PF_OK) status = store_events_finish(w, NULL, NULL, &counts, err);
    if (status == PF_OK && counts.added != BATCH) status = PF_INTERNAL;
    snprintf(number, sizeof number, "%d", batch + 1);
    if (status == PF_OK) status = store_set_setting(s, name, number, err);
    if (status == PF_OK) return store_commit(s, err);
    store_rollback(s);
    return status;
}

static void write_and_exit(const char *path, const char *name)
{
    store *s;
    pf_error err = {0};
    pf_status status = store_open(&s, path, STORE_CREATE, &err);
    for (int batch = 0; batch < BATCHES && status == PF_OK; batch++)
        status = import_batch(s, name, batch, &err);
    if (status != PF_OK) fprintf(stderr, "%s: %s\n", name, err.message);
    if (status == PF_OK) store_close(s);
    _exit((int)status);
}

static pid_t start_writer(const char *path, const char *name)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) write_and_exit(path, name);
    return child;
}

static void expect_success(pid_t child)
{
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
}

static void processes_that_make_one_store_at_once_share_it(void **state)
{
    fixture *f = *state;
    char path[128];
    for (int round = 0; round < 15; round++) {
        enum { PROCESSES = 4 };
        pid_t children[PROCESSES];
        int go[2];
        store *s;
        snprintf(path, sizeof path, "%s/made%d.db", f->folder, round);
        assert_int_equal(pipe(go), 0);
        for (int i = 0; i < PROCESSES; i++) {
            children[i] = fork();
            if (children[i] == 0) {
                char byte;
                pf_error err = {0};
                close(go[1]);
                ssize_t n = read(go[0], &byte, 1); /* until all are there */
                pf_status status = store_open(&s, path, STORE_CREATE, &err);
                if (status != PF_OK) fprintf(stderr, "%s\n", err.message);
                if (status == PF_OK) store_close(s);
                _exit(n != 0 ? 99 : (int)status);
            }
        }
        close(go[0]);
        close(go[1]);
        for (int i = 0; i < PROCESSES; i++)
            expect_success(children[i]);
        must(store_open(&s, path, STORE_OPEN, &f->err));
        store_close(s);
    }
}

static void two_writers_at_once_both_get_everything_in(void **state)
{
    fixture *f = *state;
    store_counts counts;
    shop_history *h;
    pid_t one = start_writer(f->path, "one"), two = start_writer(f->path, "two");
    expect_success(one);
    expect_success(two);
    must(store_count(f->s, &counts, &f->err));
    assert_int_equal(counts.events, 2 * BATCH * BATCHES);
    assert_int_equal(counts.shoppers, 20);
    assert_int_equal(counts.products, 1);
    must(store_load_history(f->s, INT64_MAX, &h, &f->err));
    assert_int_equal(h->n, 2 * BATCH * BATCHES);
    for (uint32_t s = 1; s <= 20; s++)
        for (uint64_t i = h->first[s] + 1; i < h->first[s + 1]; i++)
            assert_true(h->time_us[i - 1] <= h->time_us[i]);
    history_free(h);
    assert_int_equal(fixture_sql_number(f, "SELECT count(*) FROM pragma_integrity_check"
                                           " WHERE integrity_check <> 'ok'"),
                     0);
}

/* Batches and their number are written together, so whoever reads sees them agree. */
static void a_reader_never_sees_half_a_batch(void **state)
{
    fixture *f = *state;
    store *reader;
    uint64_t different = 0, last = 0;
    int how;
    must(store_open(&reader, f->path, STORE_READ_ONLY, &f->err));
    pid_t writer = start_writer(f->path, "one");
    for (bool running = true; running;) {
        char number[16] = "0";
        store_counts counts;
        shop_history *h;
        shop_catalogue *c;
        running = waitpid(writer, &how, WNOHANG) == 0;
        must(store_read_begin(reader, &f->err));
        pf_status status =
            store_get_setting(reader, "one", number, sizeof number, &f->err);
        assert_true(status == PF_OK || status == PF_NOT_FOUND);
        must(store_count(reader, &counts, &f->err));
        must(store_load_history(reader, INT64_MAX, &h, &f->err));
        must(store_load_catalogue(reader, &c, &f->err));
        store_read_end(reader);
        assert_int_equal(h->n, counts.events);
        assert_int_equal(counts.events, strtoull(number, NULL, 10) * BATCH);
        assert_int_equal(c->n_shoppers, counts.shoppers);
        different += h->n != last;
        last = h->n;
        history_free(h);
        catalogue_free(c);
    }
    assert_int_equal(how, 0);
    assert_int_equal(last, BATCH * BATCHES);
    assert_true(different >= 1);
    store_close(reader);
}

static void a_reader_does_not_wait_for_a_writer(void **state)
{
    fixture *f = *state;
    store *reader;
    store_counts counts;
    must(store_begin(f->s, &f->err));
    must(store_set_setting(f->s, "a", "b", &f->err));
    must(store_open(&reader, f->path, STORE_READ_ONLY, &f->err));
    must(store_count(reader, &counts, &f->err));
    store_close(reader);
    must(store_commit(f->s, &f->err));
}

/* A process that dies with the write lock gives it back. */
static void the_lock_of_a_dead_process_is_free(void **state)
{
    fixture *f = *state;
    int ready[2], how;
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        store *s;
        if (store_open(&s, f->path, STORE_OPEN, NULL) != PF_OK) _exit(1);
        if (store_begin(s, NULL) != PF_OK) _exit(2);
        if (write(ready[1], "x", 1) != 1) _exit(3);
        pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    store_set_wait(f->s, 10);
    assert_int_equal(store_begin(f->s, &f->err), PF_BUSY);
    kill(child, SIGKILL);
    waitpid(child, &how, 0);
    must(store_begin(f->s, &f->err));
    must(store_commit(f->s, &f->err));
    close(ready[0]);
    close(ready[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(processes_that_make_one_store_at_once_share_it),
        TEST(two_writers_at_once_both_get_everything_in),
        TEST(a_reader_never_sees_half_a_batch),
        TEST(a_reader_does_not_wait_for_a_writer),
        TEST(the_lock_of_a_dead_process_is_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
