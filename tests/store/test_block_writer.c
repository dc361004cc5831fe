/*
 * store/block_writer.h: which blocks are touched and how they are cut, case by case; what
 * comes out in the end is held against a model in test_event_import.c.
 */
#include "store/fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "shop/record.h"
#include "store/block_writer.h"
#include "store/event_block.h"

static event_row row_at(int64_t time_us)
{
    return (event_row){.time_us = time_us,
                       .paid_minor = MONEY_ABSENT,
                       .discount_minor = MONEY_ABSENT,
                       .coupon_minor = MONEY_ABSENT,
                       .quantity = 1,
                       .rating = NAN,
                       .propensity = NAN,
                       .type = EVENT_VIEW};
}

/* Adds n events of shopper 1 at from, from + step, ..., each with attributes of `wide`
 * bytes. */
static void add_wide(fixture *f, uint32_t n, int64_t from, int64_t step, size_t wide)
{
    block_writer *w;
    static char bytes[LIMIT_ATTRIBUTES_BYTES];
    memset(bytes, 'x', sizeof bytes);
    must(store_begin(f->s, &f->err));
    must(block_writer_new(&w, f->s, &f->err));
    must(block_writer_begin(w, 1, false, &f->err));
    for (uint32_t i = 0; i < n; i++) {
        event_row row = row_at(from + step * i);
        row.texts[EVENT_TEXT_ATTRIBUTES] = (text){bytes, wide};
        must(block_writer_add(w, &row, &f->err));
    }
    must(block_writer_end(w, &f->err));
    block_writer_free(w);
    must(store_commit(f->s, &f->err));
}

static void add(fixture *f, uint32_t n, int64_t from, int64_t step)
{
    add_wide(f, n, from, step, 0);
}

/* The blocks as "first-last:n first-last:n ...", by time. */
static const char *layout(fixture *f)
{
    static char text_form[4000];
    sqlite3 *db;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "SELECT coalesce(group_concat(b, ' '), '') FROM (SELECT"
                           " first_time_us || '-' || last_time_us || ':' || n AS b"
                           " FROM event_blocks WHERE shopper = 1"
                           " ORDER BY first_time_us, part)",
                           -1, &st, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    snprintf(text_form, sizeof text_form, "%s", (const char *)sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    sqlite3_close(db);
    return text_form;
}

static void nothing_added_writes_nothing(void **state)
{
    fixture *f = *state;
    add(f, 0, 0, 1);
    assert_string_equal(layout(f), "");
    block_writer_free(NULL);
}

static void events_fill_blocks_from_the_start(void **state)
{
    fixture *f = *state;
    add(f, 1200, 1, 1);
    assert_string_equal(layout(f), "1-512:512 513-1024:512 1025-1200:176");
}

static void the_last_block_is_filled_before_a_new_one_begins(void **state)
{
    fixture *f = *state;
    add(f, 500, 1, 1);
    add(f, 100, 501, 1);
    assert_string_equal(layout(f), "1-512:512 513-600:88");
    add(f, 424, 601, 1);
    assert_string_equal(layout(f), "1-512:512 513-1024:512");
    add(f, 1, 1025, 1);
    assert_string_equal(layout(f), "1-512:512 513-1024:512 1025-1025:1");
}

static void a_full_block_with_an_event_inside_is_halved(void **state)
{
    fixture *f = *state;
    add(f, 1024, 2, 2);
    assert_string_equal(layout(f), "2-1024:512 1026-2048:512");
    add(f, 1, 101, 1);
    assert_string_equal(layout(f), "2-512:257 514-1024:256 1026-2048:512");
}

static void an_event_between_full_blocks_begins_its_own(void **state)
{
    fixture *f = *state;
    add(f, 512, 1, 1);
    add(f, 512, 1001, 1);
    add(f, 1, 700, 1);
    assert_string_equal(layout(f), "1-512:512 700-700:1 1001-1512:512");
    add(f, 1, 701, 1); /* and the next joins it */
    assert_string_equal(layout(f), "1-512:512 700-701:2 1001-1512:512");
}

static void an_event_before_everything_joins_or_begins_a_block(void **state)
{
    fixture *f = *state;
    add(f, 10, 100, 1);
    add(f, 1, 50, 1);
    assert_string_equal(layout(f), "50-109:11");
    add(f, 501, 200, 1);
    add(f, 1, 10, 1);
    assert_string_equal(layout(f), "10-10:1 50-700:512");
}

static void scattered_events_touch_only_their_blocks(void **state)
{
    fixture *f = *state;
    add(f, 5 * 512, 10, 10);
    fixture_sql(f, "CREATE TABLE before AS SELECT block, data FROM event_blocks");
    add(f, 2, 15, 3 * 5120); /* into the first and the fourth */
    assert_int_equal(fixture_sql_number(f,
                                        "SELECT count(*) FROM before b JOIN event_blocks"
                                        " e ON b.block = e.block AND b.data = e.data"),
                     3);
    assert_int_equal(fixture_sql_number(f, "SELECT count(*) FROM event_blocks"), 7);
}

static void a_cut_falls_between_times_where_it_can(void **state)
{
    fixture *f = *state;
    add(f, 400, 1, 0); /* one time */
    add(f, 400, 2, 0);
    assert_string_equal(layout(f), "1-1:400 2-2:400");
    add(f, 600, 3, 0); /* too many for a block */
    assert_string_equal(layout(f), "1-1:400 2-2:400 3-3:512 3-3:88");
}

static void long_texts_end_a_block_early(void **state)
{
    fixture *f = *state;
    add_wide(f, 20, 1, 1, 60000);
    assert_string_equal(layout(f), "1-4:4 5-8:4 9-12:4 13-16:4 17-20:4");
    add_wide(f, 1, 21, 1, 60000);
    assert_string_equal(layout(f), "1-4:4 5-8:4 9-12:4 13-16:4 17-20:4 21-21:1");
}

static void rows_that_were_freed_are_used_again(void **state)
{
    fixture *f = *state;
    add(f, 600, 1, 1);
    for (int i = 0; i < 50; i++)
        add(f, 1, 601 + i, 1);
    assert_true(fixture_sql_number(f, "SELECT max(block) FROM event_blocks") <= 3);
}

static void a_block_of_another_time_than_its_row_is_damage(void **state)
{
    fixture *f = *state;
    block_writer *w;
    const event_row row = row_at(7);
    static const char *const damages[] = {
        "UPDATE event_blocks SET first_time_us = first_time_us - 1",
        "UPDATE event_blocks SET n = n + 1",
    };
    for (int i = 0; i < 2; i++) {
        fixture_renew(f);
        add(f, 10, 1, 1);
        fixture_sql(f, damages[i]);
        must(store_begin(f->s, &f->err));
        must(block_writer_new(&w, f->s, &f->err));
        must(block_writer_begin(w, 1, false, &f->err));
        assert_int_equal(block_writer_add(w, &row, &f->err), PF_DATA);
        assert_non_null(strstr(f->err.message, "shopper number 1"));
        block_writer_free(w);
        store_rollback(f->s);
    }
}

static void shoppers_do_not_mix(void **state)
{
    fixture *f = *state;
    block_writer *w;
    must(store_begin(f->s, &f->err));
    must(block_writer_new(&w, f->s, &f->err));
    for (uint32_t who = 0; who < 5; who++) {
        must(block_writer_begin(w, who, who % 2 == 0, &f->err));
        for (int i = 0; i < 10; i++) {
            const event_row row = row_at(i);
            must(block_writer_add(w, &row, &f->err));
        }
        must(block_writer_end(w, &f->err));
    }
    block_writer_free(w);
    must(store_commit(f->s, &f->err));
    assert_int_equal(
        fixture_sql_number(f, "SELECT count(*) FROM event_blocks WHERE n = 10"), 5);
    assert_int_equal(
        fixture_sql_number(f, "SELECT count(DISTINCT shopper) FROM event_blocks"), 5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_added_writes_nothing),
        TEST(events_fill_blocks_from_the_start),
        TEST(the_last_block_is_filled_before_a_new_one_begins),
        TEST(a_full_block_with_an_event_inside_is_halved),
        TEST(an_event_between_full_blocks_begins_its_own),
        TEST(an_event_before_everything_joins_or_begins_a_block),
        TEST(scattered_events_touch_only_their_blocks),
        TEST(a_cut_falls_between_times_where_it_can),
        TEST(long_texts_end_a_block_early),
        TEST(rows_that_were_freed_are_used_again),
        TEST(a_block_of_another_time_than_its_row_is_damage),
        TEST(shoppers_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
