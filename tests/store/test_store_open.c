/*
 * Opening: what is made, what is found, what is brought up to date, and what is left
 * alone.
 */
#include "store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "store/schema.h"

/* A file of its own beside the store. */
static const char *beside(fixture *f, const char *name)
{
    static char path[160];
    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    return path;
}

static pf_status open_as(fixture *f, const char *path, store_mode mode)
{
    store *s = NULL;
    pf_status status = store_open(&s, path, mode, &f->err);
    assert_int_equal(s != NULL, status == PF_OK);
    store_close(s);
    return status;
}

static void write_file(const char *path, const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    if (n > 0) assert_int_equal(fwrite(bytes, 1, n, file), n);
    fclose(file);
}

static void a_new_store_is_empty_and_of_the_latest_version(void **state)
{
    fixture *f = *state;
    store_counts counts;
    assert_int_equal(store_schema_version(f->s), SCHEMA_VERSION);
    must(store_count(f->s, &counts, &f->err));
    assert_int_equal(counts.events + counts.products + counts.shoppers, 0);
    assert_int_equal(fixture_sql_number(f, "PRAGMA application_id"),
                     SCHEMA_APPLICATION_ID);
    char mode[16] = "";
    sqlite3 *db;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA journal_mode", -1, &st, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    snprintf(mode, sizeof mode, "%s", (const char *)sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    sqlite3_close(db);
    assert_string_equal(mode, "wal");
}

static void what_was_committed_is_there_again(void **state)
{
    fixture *f = *state;
    char value[16];
    must(store_begin(f->s, &f->err));
    must(store_set_setting(f->s, "currency", "USD", &f->err));
    must(store_commit(f->s, &f->err));
    fixture_reopen(f);
    must(store_get_setting(f->s, "currency", value, sizeof value, &f->err));
    assert_string_equal(value, "USD");
}

static void closing_rolls_back_what_was_open(void **state)
{
    fixture *f = *state;
    char value[16];
    must(store_begin(f->s, &f->err));
    must(store_set_setting(f->s, "currency", "USD", &f->err));
    fixture_reopen(f);
    assert_int_equal(store_get_setting(f->s, "currency", value, sizeof value, &f->err),
                     PF_NOT_FOUND);
    store_close(NULL);
}

static void a_store_that_is_not_there_is_not_made_unless_asked(void **state)
{
    fixture *f = *state;
    const char *path = beside(f, "absent.db");
    assert_int_equal(open_as(f, path, STORE_OPEN), PF_NOT_FOUND);
    assert_int_equal(open_as(f, path, STORE_READ_ONLY), PF_NOT_FOUND);
    assert_false(file_exists(path));
    assert_int_equal(open_as(f, path, STORE_CREATE), PF_OK);
    assert_int_equal(open_as(f, path, STORE_OPEN), PF_OK);
}

static void a_folder_that_is_not_there_is_said(void **state)
{
    fixture *f = *state;
    assert_int_equal(open_as(f, "/nowhere/shop.db", STORE_CREATE), PF_IO);
    assert_non_null(strstr(f->err.message, "/nowhere/shop.db"));
}

static void paths_that_cannot_be_are_refused(void **state)
{
    fixture *f = *state;
    char *path = calloc(1, 10000);
    memset(path, 'x', 9999);
    assert_int_equal(open_as(f, "", STORE_CREATE), PF_USAGE);
    assert_int_not_equal(open_as(f, path, STORE_CREATE), PF_OK);
    assert_int_equal(open_as(f, f->folder, STORE_CREATE), PF_DATA);
    free(path);
}

/* SQLite's special names are names of files here. */
static void a_special_name_is_a_file(void **state)
{
    fixture *f = *state;
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(f->folder), 0);
    assert_int_equal(open_as(f, ":memory:", STORE_CREATE), PF_OK);
    assert_true(file_exists(":memory:"));
    assert_int_equal(chdir(before), 0);
}

/* --- files that are no stores --------------------------------------------------------- */

static void assert_untouched(fixture *f, const char *path, const void *bytes, size_t n)
{
    static const store_mode modes[] = {STORE_CREATE, STORE_OPEN, STORE_READ_ONLY};
    char *now;
    size_t n_now;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(open_as(f, path, modes[i]), PF_DATA);
        assert_non_null(strstr(f->err.message, path));
        must(file_read_whole(&now, &n_now, path, 1u << 30, &f->err));
        assert_int_equal(n_now, n);
        assert_memory_equal(now, bytes, n);
        mem_free(now);
    }
}

static void a_text_file_is_left_alone(void **state)
{
    fixture *f = *state;
    const char *path = beside(f, "text.db");
    static const char text_file[] = "id,time,shopper\n1,2,3\n";
    write_file(path, text_file, sizeof text_file);
    assert_untouched(f, path, text_file, sizeof text_file);
    write_file(path, "S", 1);
    assert_untouched(f, path, "S", 1);
}

static void a_database_of_another_program_is_left_alone(void **state)
{
    fixture *f = *state;
    char path[160], *bytes;
    size_t n;
    static const char *const made[] = {
        "CREATE TABLE birds (name)",
        "PRAGMA application_id = 77",
        "PRAGMA user_version = 3; CREATE TABLE state (name, value)",
    };
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        sqlite3 *db;
        snprintf(path, sizeof path, "%s/other%zu.db", f->folder, i);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, made[i], NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        must(file_read_whole(&bytes, &n, path, 1u << 30, &f->err));
        assert_untouched(f, path, bytes, n);
        mem_free(bytes);
    }
}

static void an_empty_file_becomes_a_store_only_when_asked(void **state)
{
    fixture *f = *state;
    const char *path = beside(f, "empty.db");
    write_file(path, "", 0);
    assert_int_equal(open_as(f, path, STORE_OPEN), PF_DATA);
    assert_non_null(strstr(f->err.message, "empty"));
    assert_int_equal(open_as(f, path, STORE_READ_ONLY), PF_DATA);
    assert_int_equal(open_as(f, path, STORE_CREATE), PF_OK);
    assert_int_equal(open_as(f, path, STORE_OPEN), PF_OK);
}

static void a_store_of_a_later_version_is_left_alone(void **state)
{
    fixture *f = *state;
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", SCHEMA_VERSION + 1);
    fixture_sql(f, sql);
    store_close(f->s);
    f->s = NULL;
    assert_int_equal(open_as(f, f->path, STORE_CREATE), PF_UNAVAILABLE);
    assert_non_null(strstr(f->err.message, "later version"));
    assert_int_equal(open_as(f, f->path, STORE_READ_ONLY), PF_UNAVAILABLE);
    assert_int_equal(fixture_sql_number(f, "PRAGMA user_version"), SCHEMA_VERSION + 1);
}

/* --- migrations ----------------------------------------------------------------------- */

/* A store as a program that knew only the first steps left it. */
static void make_old(fixture *f, int version)
{
    char sql[128];
    sqlite3 *db;
    store_close(f->s);
    f->s = NULL;
    unlink(f->path);
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    for (int v = 0; v < version; v++)
        assert_int_equal(sqlite3_exec(db, schema_steps[v], NULL, NULL, NULL), SQLITE_OK);
    snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %d",
             SCHEMA_APPLICATION_ID, version);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(
            db,
            "INSERT INTO state VALUES ('key', x'000102030405060708090a0b0c0d0e0f');"
            "INSERT INTO products (id, title) VALUES ('milk', 'Milk');"
            "INSERT INTO promotions (id, title) VALUES ('ten', 'Ten off')",
            NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
}

static void an_older_store_is_brought_up_to_date_with_its_data(void **state)
{
    fixture *f = *state;
    for (int version = 1; version < SCHEMA_VERSION; version++) {
        shop_catalogue *c;
        make_old(f, version);
        must(store_open(&f->s, f->path, STORE_OPEN, &f->err));
        assert_int_equal(store_schema_version(f->s), SCHEMA_VERSION);
        must(store_load_catalogue(f->s, &c, &f->err));
        assert_int_equal(c->n_products, 1);
        assert_string_equal(c->products[1].title, "Milk");
        assert_string_equal(c->promotions[1].title, "Ten off");
        assert_int_equal(c->n_tags + c->promotions[1].n_tag, 0);
        catalogue_free(c);
        fixture_reopen(f);
    }
}

static void promotions_of_an_older_store_take_tags(void **state)
{
    fixture *f = *state;
    const promotion_record r = {.id = t("ten"),
                                .tags = t("sale"),
                                .value_minor = MONEY_ABSENT,
                                .minimum_purchase_minor = MONEY_ABSENT,
                                .starts_us = TIME_ABSENT,
                                .ends_us = TIME_ABSENT,
                                .budget_minor = MONEY_ABSENT,
                                .contact_cost_minor = MONEY_ABSENT};
    for (int version = 1; version < SCHEMA_VERSION; version++) {
        shop_catalogue *c;
        store_outcome outcome;
        make_old(f, version);
        must(store_open(&f->s, f->path, STORE_OPEN, &f->err));
        must(store_begin(f->s, &f->err));
        must(store_put_promotion(f->s, &r, &outcome, &f->err));
        assert_int_equal(outcome, STORE_CHANGED);
        must(store_commit(f->s, &f->err));
        fixture_reopen(f);
        must(store_load_catalogue(f->s, &c, &f->err));
        assert_string_equal(c->promotions[1].title, "Ten off");
        assert_int_equal(c->promotions[1].n_tag, 1);
        assert_string_equal(c->tags[c->promotions[1].tag[0]], "sale");
        catalogue_free(c);
    }
}

static void an_older_store_is_not_changed_by_a_reader(void **state)
{
    fixture *f = *state;
    make_old(f, 1);
    assert_int_equal(open_as(f, f->path, STORE_READ_ONLY), PF_UNAVAILABLE);
    assert_non_null(strstr(f->err.message, "earlier version"));
    assert_int_equal(fixture_sql_number(f, "PRAGMA user_version"), 1);
}

/* A step that cannot be done leaves the version and the tables it found. */
static void a_migration_is_all_or_nothing(void **state)
{
    fixture *f = *state;
    make_old(f, 1);
    fixture_sql(f, "CREATE TABLE documents (in_the_way)"); /* made by the last step */
    assert_int_not_equal(open_as(f, f->path, STORE_OPEN), PF_OK);
    assert_int_equal(fixture_sql_number(f, "PRAGMA user_version"), 1);
    assert_int_equal(
        fixture_sql_number(
            f, "SELECT count(*) FROM sqlite_schema WHERE name='event_blocks'"),
        0);
    fixture_sql(f, "DROP TABLE documents");
    assert_int_equal(open_as(f, f->path, STORE_OPEN), PF_OK);
}

/* --- reading only --------------------------------------------------------------------- */

static void a_reader_reads_and_does_not_write(void **state)
{
    fixture *f = *state;
    store *reader;
    store_counts counts;
    must(store_open(&reader, f->path, STORE_READ_ONLY, &f->err));
    must(store_count(reader, &counts, &f->err));
    assert_int_equal(store_begin(reader, &f->err), PF_USAGE);
    assert_non_null(strstr(f->err.message, "reading only"));
    store_close(reader);
}

/* As a user without rights: root may write everything. */
static void a_file_that_may_not_be_written_says_so(void **state)
{
    fixture *f = *state;
    store_close(f->s);
    f->s = NULL;
    assert_int_equal(chmod(f->folder, 0777), 0);
    assert_int_equal(chmod(f->path, 0444), 0);
    pid_t child = fork();
    if (child == 0) {
        store *s = NULL;
        if (geteuid() == 0 && setuid(65534) != 0) _exit(9);
        pf_status status = store_open(&s, f->path, STORE_OPEN, &f->err);
        if (status == PF_OK) status = store_begin(s, &f->err);
        bool said = strstr(f->err.message, "permissions") != NULL;
        store_close(s);
        _exit(status == PF_IO && said ? 0 : 1);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    assert_int_equal(chmod(f->path, 0644), 0);
}

/* --- damage --------------------------------------------------------------------------- */

/* Every page in turn is overwritten; a call that meets it says so and nothing crashes. */
static void a_damaged_page_is_said_to_be_one(void **state)
{
    fixture *f = *state;
    char *whole, *broken, id[16];
    size_t n, said = 0;
    store_outcome outcome;
    must(store_begin(f->s, &f->err));
    for (int i = 0; i < 500; i++) {
        snprintf(id, sizeof id, "p%d", i);
        product_record p = {
            .id = text_of(id), .title = t("Some title"), .price_minor = MONEY_ABSENT};
        must(store_put_product(f->s, &p, &outcome, &f->err));
    }
    must(store_commit(f->s, &f->err));
    store_close(f->s);
    f->s = NULL;
    must(file_read_whole(&whole, &n, f->path, 1u << 30, &f->err));
    broken = malloc(n);
    for (size_t page = 0; page < n / 4096; page++) {
        store *s = NULL;
        shop_catalogue *c = NULL;
        memcpy(broken, whole, n);
        memset(broken + page * 4096, 0xA5, 4096);
        write_file(f->path, broken, n);
        pf_status status = store_open(&s, f->path, STORE_OPEN, &f->err);
        if (status == PF_OK) status = store_load_catalogue(s, &c, &f->err);
        assert_true(status == PF_OK || status == PF_DATA);
        said += status == PF_DATA;
        catalogue_free(c);
        store_close(s);
    }
    assert_true(said > 3);
    write_file(f->path, whole, n);
    free(broken);
    mem_free(whole);
}

static void a_store_cut_short_is_said_to_be_damaged(void **state)
{
    fixture *f = *state;
    char *whole;
    size_t n;
    store_close(f->s);
    f->s = NULL;
    must(file_read_whole(&whole, &n, f->path, 1u << 30, &f->err));
    static const size_t lengths[] = {20, 100, 4096, 8192 + 5};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        write_file(f->path, whole, lengths[i]);
        assert_int_equal(open_as(f, f->path, STORE_OPEN), PF_DATA);
    }
    write_file(f->path, whole, n);
    mem_free(whole);
}

static void a_store_without_its_key_is_damaged(void **state)
{
    fixture *f = *state;
    fixture_sql(f, "DELETE FROM state WHERE name = 'key'");
    store_close(f->s);
    f->s = NULL;
    assert_int_equal(open_as(f, f->path, STORE_OPEN), PF_DATA);
    assert_non_null(strstr(f->err.message, "key"));
}

/* --- transactions --------------------------------------------------------------------- */

static void transactions_are_opened_and_closed_in_order(void **state)
{
    fixture *f = *state;
    assert_int_equal(store_commit(f->s, &f->err), PF_USAGE);
    assert_int_equal(store_set_setting(f->s, "a", "b", &f->err), PF_USAGE);
    store_rollback(f->s);
    store_read_end(f->s);
    must(store_begin(f->s, &f->err));
    assert_int_equal(store_begin(f->s, &f->err), PF_USAGE);
    assert_int_equal(store_read_begin(f->s, &f->err), PF_USAGE);
    must(store_commit(f->s, &f->err));
    must(store_read_begin(f->s, &f->err));
    assert_int_equal(store_read_begin(f->s, &f->err), PF_USAGE);
    assert_int_equal(store_begin(f->s, &f->err), PF_USAGE);
    store_read_end(f->s);
    must(store_begin(f->s, &f->err));
    store_rollback(f->s);
}

static void a_reader_sees_one_moment_until_it_ends(void **state)
{
    fixture *f = *state;
    store *reader;
    char value[8];
    must(store_open(&reader, f->path, STORE_READ_ONLY, &f->err));
    must(store_read_begin(reader, &f->err));
    must(store_begin(f->s, &f->err));
    must(store_set_setting(f->s, "a", "1", &f->err));
    must(store_get_setting(f->s, "a", value, sizeof value, &f->err)); /* its own */
    must(store_commit(f->s, &f->err));
    assert_int_equal(store_get_setting(reader, "a", value, sizeof value, &f->err),
                     PF_NOT_FOUND);
    store_read_end(reader);
    must(store_get_setting(reader, "a", value, sizeof value, &f->err));
    assert_string_equal(value, "1");
    store_close(reader);
}

static void a_second_writer_is_told_that_the_store_is_busy(void **state)
{
    fixture *f = *state;
    store *second;
    must(store_open(&second, f->path, STORE_OPEN, &f->err));
    store_set_wait(second, 20);
    must(store_begin(f->s, &f->err));
    assert_int_equal(store_begin(second, &f->err), PF_BUSY);
    assert_non_null(strstr(f->err.message, "another process"));
    must(store_commit(f->s, &f->err));
    must(store_begin(second, &f->err));
    must(store_commit(second, &f->err));
    store_close(second);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_new_store_is_empty_and_of_the_latest_version),
        TEST(what_was_committed_is_there_again),
        TEST(closing_rolls_back_what_was_open),
        TEST(a_store_that_is_not_there_is_not_made_unless_asked),
        TEST(a_folder_that_is_not_there_is_said),
        TEST(paths_that_cannot_be_are_refused),
        TEST(a_special_name_is_a_file),
        TEST(a_text_file_is_left_alone),
        TEST(a_database_of_another_program_is_left_alone),
        TEST(an_empty_file_becomes_a_store_only_when_asked),
        TEST(a_store_of_a_later_version_is_left_alone),
        TEST(an_older_store_is_brought_up_to_date_with_its_data),
        TEST(promotions_of_an_older_store_take_tags),
        TEST(an_older_store_is_not_changed_by_a_reader),
        TEST(a_migration_is_all_or_nothing),
        TEST(a_reader_reads_and_does_not_write),
        TEST(a_file_that_may_not_be_written_says_so),
        TEST(a_damaged_page_is_said_to_be_one),
        TEST(a_store_cut_short_is_said_to_be_damaged),
        TEST(a_store_without_its_key_is_damaged),
        TEST(transactions_are_opened_and_closed_in_order),
        TEST(a_reader_sees_one_moment_until_it_ends),
        TEST(a_second_writer_is_told_that_the_store_is_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
