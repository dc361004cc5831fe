/*
 * store/connection.h: SQLite's result codes become errors a person can act on; statements
 * are kept; snapshots nest; a failed write spoils its transaction.
 */
#include "store/fixture.h"

#include <string.h>

#include "store/connection.h"

static void every_result_code_becomes_the_right_error(void **state)
{
    fixture *f = *state;
    static const struct {
        int code;
        pf_status status;
        const char *says;
    } cases[] = {
        {SQLITE_BUSY, PF_BUSY, "another process"},
        {SQLITE_BUSY_SNAPSHOT, PF_BUSY, "try again"},
        {SQLITE_LOCKED, PF_BUSY, "another process"},
        {SQLITE_FULL, PF_IO, "full"},
        {SQLITE_READONLY, PF_IO, "permissions"},
        {SQLITE_READONLY_DIRECTORY, PF_IO, "permissions"},
        {SQLITE_PERM, PF_IO, "permissions"},
        {SQLITE_CANTOPEN, PF_IO, "cannot open"},
        {SQLITE_IOERR, PF_IO, "check the disk"},
        {SQLITE_IOERR_FSYNC, PF_IO, "check the disk"},
        {SQLITE_IOERR_NOMEM, PF_NO_MEMORY, "no memory"},
        {SQLITE_NOMEM, PF_NO_MEMORY, "no memory"},
        {SQLITE_CORRUPT, PF_DATA, "backup"},
        {SQLITE_CORRUPT_INDEX, PF_DATA, "backup"},
        {SQLITE_NOTADB, PF_DATA, "damaged"},
        {SQLITE_TOOBIG, PF_LIMIT, "too large"},
        {SQLITE_INTERRUPT, PF_CANCELLED, "stopped"},
        {SQLITE_CONSTRAINT, PF_INTERNAL, "refused"},
        {SQLITE_MISUSE, PF_INTERNAL, "refused"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(db_fail(f->s, cases[i].code, "looking", &f->err),
                         cases[i].status);
        assert_int_equal(f->err.code, cases[i].status);
        if (strstr(f->err.message, cases[i].says) == NULL)
            fail_msg("%d: '%s' does not say '%s'", cases[i].code, f->err.message,
                     cases[i].says);
        if (cases[i].status == PF_IO || cases[i].status == PF_BUSY)
            assert_non_null(strstr(f->err.message, f->path));
    }
}

static void a_statement_is_prepared_once(void **state)
{
    fixture *f = *state;
    static const char sql[] = "SELECT 1";
    sqlite3_stmt *first, *again;
    bool row;
    must(db_prepare(f->s, &first, sql, &f->err));
    must(db_step(f->s, first, &row, &f->err));
    assert_true(row);
    must(db_prepare(f->s, &again, sql, &f->err)); /* reset, though it was in the middle */
    assert_ptr_equal(first, again);
    assert_false(sqlite3_stmt_busy(again));
    db_forget_statements(f->s);
    must(db_prepare(f->s, &again, sql, &f->err));
}

static void bindings_do_not_outlive_a_use(void **state)
{
    fixture *f = *state;
    static const char sql[] = "SELECT ?1 IS NULL";
    sqlite3_stmt *st;
    bool row;
    must(db_prepare(f->s, &st, sql, &f->err));
    db_bind_text(st, 1, t("something"));
    must(db_step(f->s, st, &row, &f->err));
    assert_int_equal(sqlite3_column_int(st, 0), 0);
    must(db_prepare(f->s, &st, sql, &f->err));
    must(db_step(f->s, st, &row, &f->err));
    assert_int_equal(sqlite3_column_int(st, 0), 1);
    db_reset(st);
}

static void wrong_sql_is_an_error_of_the_program(void **state)
{
    fixture *f = *state;
    sqlite3_stmt *st;
    int64_t n;
    assert_int_equal(db_prepare(f->s, &st, "SELECT nothing FROM nowhere", &f->err),
                     PF_INTERNAL);
    assert_null(st);
    assert_int_equal(db_number(f->s, "SELECT", &n, &f->err), PF_INTERNAL);
    assert_int_equal(db_exec(f->s, "SELEKT 1", &f->err), PF_INTERNAL);
}

static void statements_have_a_limit(void **state)
{
    fixture *f = *state;
    static char sql[DB_STATEMENTS_MAX + 1][16];
    sqlite3_stmt *st;
    db_forget_statements(f->s);
    for (int i = 0; i <= DB_STATEMENTS_MAX; i++) {
        memcpy(sql[i], "SELECT 1", 9);
        pf_status status = db_prepare(f->s, &st, sql[i], &f->err);
        assert_int_equal(status, i < DB_STATEMENTS_MAX ? PF_OK : PF_INTERNAL);
    }
    db_forget_statements(f->s);
}

static void a_number_of_no_row_is_zero(void **state)
{
    fixture *f = *state;
    int64_t n = 5;
    must(db_number(f->s, "SELECT 7 WHERE 0", &n, &f->err));
    assert_int_equal(n, 0);
    must(db_number(f->s, "SELECT NULL", &n, &f->err));
    assert_int_equal(n, 0);
    must(db_number(f->s, "SELECT -9223372036854775808", &n, &f->err));
    assert_true(n == INT64_MIN);
}

static void texts_come_back_as_bytes(void **state)
{
    fixture *f = *state;
    static const char sql[] = "SELECT ?1, ?2, ?3, ?4";
    sqlite3_stmt *st;
    bool row;
    must(db_prepare(f->s, &st, sql, &f->err));
    db_bind_text(st, 1, (text){"a\0b", 3});
    db_bind_text(st, 2, (text){NULL, 0});
    db_bind_terminated(st, 3, NULL);
    db_bind_terminated(st, 4, "奶酪");
    must(db_step(f->s, st, &row, &f->err));
    assert_true(text_equal(db_column_text(st, 0), (text){"a\0b", 3}));
    assert_int_equal(sqlite3_column_type(st, 1), SQLITE_NULL);
    assert_int_equal(sqlite3_column_type(st, 2), SQLITE_NULL);
    assert_int_equal(db_column_text(st, 1).n, 0);
    assert_true(text_is(db_column_text(st, 3), "奶酪"));
    db_reset(st);
}

/* --- transactions --------------------------------------------------------------------- */

static void a_write_that_fails_spoils_its_transaction(void **state)
{
    fixture *f = *state;
    store_outcome outcome;
    const product_record p = {.id = t("milk"), .price_minor = 5};
    must(store_begin(f->s, &f->err));
    must(store_put_product(f->s, &p, &outcome, &f->err));
    assert_int_equal(db_exec(f->s, "INSERT INTO products (id) VALUES ('milk')", &f->err),
                     PF_INTERNAL);
    assert_int_equal(db_need_write(f->s, &f->err), PF_USAGE);
    assert_int_equal(store_put_product(f->s, &p, &outcome, &f->err), PF_USAGE);
    assert_int_equal(store_commit(f->s, &f->err), PF_USAGE);
    assert_false(f->s->writing); /* the commit that was refused has rolled back */
    must(store_begin(f->s, &f->err));
    must(store_put_product(f->s, &p, &outcome, &f->err));
    assert_int_equal(outcome, STORE_ADDED);
    must(store_commit(f->s, &f->err));
}

static void a_read_that_fails_outside_spoils_nothing(void **state)
{
    fixture *f = *state;
    int64_t n;
    assert_int_equal(db_number(f->s, "SELECT x FROM nowhere", &n, &f->err), PF_INTERNAL);
    assert_false(f->s->broken);
    must(store_begin(f->s, &f->err));
    must(store_commit(f->s, &f->err));
}

static void spoiling_hands_the_status_on(void **state)
{
    fixture *f = *state;
    assert_int_equal(db_spoil(f->s, PF_LIMIT), PF_LIMIT);
    assert_false(f->s->broken);
    must(store_begin(f->s, &f->err));
    assert_int_equal(db_spoil(f->s, PF_OK), PF_OK);
    assert_false(f->s->broken);
    assert_int_equal(db_spoil(f->s, PF_LIMIT), PF_LIMIT);
    assert_true(f->s->broken);
    store_rollback(f->s);
    assert_false(f->s->broken);
}

static void snapshots_nest_in_what_is_open(void **state)
{
    fixture *f = *state;
    bool outer, inner;
    must(db_snapshot_begin(f->s, &outer, &f->err));
    assert_true(outer);
    assert_int_equal(sqlite3_get_autocommit(f->s->db), 0);
    db_snapshot_end(f->s, outer);
    assert_int_equal(sqlite3_get_autocommit(f->s->db), 1);
    must(store_begin(f->s, &f->err));
    must(db_snapshot_begin(f->s, &inner, &f->err));
    assert_false(inner);
    db_snapshot_end(f->s, inner);
    assert_int_equal(sqlite3_get_autocommit(f->s->db), 0);
    store_rollback(f->s);
    must(store_read_begin(f->s, &f->err));
    must(db_snapshot_begin(f->s, &inner, &f->err));
    assert_false(inner);
    db_snapshot_end(f->s, inner);
    assert_int_equal(sqlite3_get_autocommit(f->s->db), 0);
    store_read_end(f->s);
    assert_int_equal(sqlite3_get_autocommit(f->s->db), 1);
}

static void rolling_back_where_nothing_is_open_does_nothing(void **state)
{
    fixture *f = *state;
    db_roll_back(f->s);
    store_rollback(f->s);
    store_read_end(f->s);
    must(store_begin(f->s, &f->err));
    db_roll_back(f->s); /* as SQLite does by itself on some failures */
    store_rollback(f->s);
    must(store_begin(f->s, &f->err));
    must(store_commit(f->s, &f->err));
}

/* A full disk can make SQLite roll back by itself. What is written afterwards must not
 * slip in as a transaction of its own. */
static void writes_behind_a_silent_rollback_are_refused(void **state)
{
    fixture *f = *state;
    store_outcome outcome;
    store_counts counts;
    const product_record p = {.id = t("milk"), .price_minor = 5};
    must(store_begin(f->s, &f->err));
    must(store_put_product(f->s, &p, &outcome, &f->err));
    db_roll_back(f->s);
    db_fail(f->s, SQLITE_FULL, "writing", &f->err);
    assert_int_equal(store_put_product(f->s, &p, &outcome, &f->err), PF_USAGE);
    assert_int_equal(store_set_setting(f->s, "a", "b", &f->err), PF_USAGE);
    assert_int_equal(store_commit(f->s, &f->err), PF_USAGE);
    must(store_count(f->s, &counts, &f->err));
    assert_int_equal(counts.products, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_result_code_becomes_the_right_error),
        TEST(a_statement_is_prepared_once),
        TEST(bindings_do_not_outlive_a_use),
        TEST(wrong_sql_is_an_error_of_the_program),
        TEST(statements_have_a_limit),
        TEST(a_number_of_no_row_is_zero),
        TEST(texts_come_back_as_bytes),
        TEST(a_write_that_fails_spoils_its_transaction),
        TEST(a_read_that_fails_outside_spoils_nothing),
        TEST(spoiling_hands_the_status_on),
        TEST(snapshots_nest_in_what_is_open),
        TEST(rolling_back_where_nothing_is_open_does_nothing),
        TEST(writes_behind_a_silent_rollback_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
