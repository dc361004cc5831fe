/* intake/rejects.h, batch.h, records.h, pipeline.h: what carries rows between the two
 * threads, and the file of those that were not taken. */
#include "fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "intake/batch.h"
#include "intake/pipeline.h"
#include "intake/records.h"
#include "intake/rejects.h"

static const int64_t noon = INT64_C(1735732800123456); /* 2025-01-01T12:00:00.123456Z */

static reject_file *open_rejects(const char *label)
{
    reject_file *r = NULL;
    if (reject_file_open(&r, path_of("rejects"), label, noon, &failure) != PF_OK)
        fail_msg("%s", failure.message);
    return r;
}

static reject_row row_of(uint64_t line, const char *message, const char *raw)
{
    return (reject_row){.file = "f.csv",
                        .line = line,
                        .reason = REASON_BAD_TIME,
                        .message = message,
                        .raw = text_of(raw)};
}

static void a_reject_file_is_csv_that_reads_back(void **state)
{
    (void)state;
    reject_file *r = open_rejects("events");
    reject_row a = row_of(3, "say \"when\", please", "1,\"x\ny\",\xff\xc3\xa9");
    a.column = 7;
    const reject_row b = row_of(4, "plain", "1,2");
    assert_int_equal(reject_file_add(r, &a, &failure), PF_OK);
    assert_int_equal(reject_file_add(r, &b, &failure), PF_OK);
    assert_false(file_exists(reject_file_path(r))); /* not before it is whole */
    assert_int_equal(reject_file_commit(r, &failure), PF_OK);
    assert_string_equal(reject_file_path(r),
                        path_of("rejects/20250101T120000Z-events.csv"));
    assert_string_equal(content(reject_file_path(r)),
                        "file,line,column,reason,code,row\n"
                        "f.csv,3,7,\"say \"\"when\"\", please\",bad_time,"
                        "\"1,\"\"x\ny\"\",\\xFF\xc3\xa9\"\n"
                        "f.csv,4,,plain,bad_time,\"1,2\"\n");
    reject_file_close(r);
    assert_true(file_exists(path_of("rejects/20250101T120000Z-events.csv")));
}

static void closing_or_undoing_leaves_nothing(void **state)
{
    (void)state;
    reject_file *r = open_rejects("a");
    reject_file_close(r);
    r = open_rejects("b");
    assert_int_equal(reject_file_commit(r, &failure), PF_OK);
    reject_file_undo(r);
    reject_file_close(r);
    reject_file_close(NULL);
    DIR *d = opendir(path_of("rejects"));
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        assert_int_equal(e->d_name[0], '.');
    closedir(d);
}

static void names_never_collide(void **state)
{
    (void)state;
    char names[3][4096];
    for (int i = 0; i < 3; i++) {
        reject_file *r = open_rejects("t");
        assert_int_equal(reject_file_commit(r, &failure), PF_OK);
        snprintf(names[i], sizeof names[i], "%s", reject_file_path(r));
        reject_file_close(r);
    }
    assert_non_null(strstr(names[1], "-t-2.csv"));
    assert_non_null(strstr(names[2], "-t-3.csv"));
}

static void rejects_beyond_the_limit_are_counted(void **state)
{
    (void)state;
    reject_file *r = open_rejects("many");
    const reject_row a = row_of(1, "m", "");
    for (uint64_t i = 0; i < LIMIT_REJECTS_KEPT + 5u; i++)
        assert_int_equal(reject_file_add(r, &a, &failure), PF_OK);
    assert_int_equal(reject_file_left_out(r), 5);
    reject_file_close(r);
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
    (void)state;
    reject_file *r = NULL;
    put("rejects", "a file is in the way");
    assert_int_equal(reject_file_open(&r, path_of("rejects"), "x", noon, &failure),
                     PF_IO);
    assert_null(r);
}

/* Every text of every kind of record ends up in the batch, none is forgotten. */
static void records_take_all_their_texts_along(void **state)
{
    (void)state;
    static const size_t texts[TABLE_COUNT] = {7, 4, 4, 10, 2, 8};
    for (int t = 0; t < TABLE_COUNT; t++) {
        any_record r, moved;
        char words[] = "word", into[256];
        memset(&r, 0, sizeof r);
        /* Every pointer-sized slot that the table calls a text has these words. */
        switch ((intake_table)t) {
        case TABLE_PRODUCTS:
            r.product = (product_record){.id = text_of(words),
                                         .title = text_of(words),
                                         .description = text_of(words),
                                         .category = text_of(words),
                                         .brand = text_of(words),
                                         .image = text_of(words),
                                         .attributes = text_of(words)};
            break;
        case TABLE_SHOPPERS:
            r.shopper = (shopper_record){.id = text_of(words),
                                         .language = text_of(words),
                                         .zone = text_of(words),
                                         .attributes = text_of(words)};
            break;
        case TABLE_CAMPAIGNS:
            r.campaign = (campaign_record){.id = text_of(words),
                                           .title = text_of(words),
                                           .kind = text_of(words),
                                           .attributes = text_of(words)};
            break;
        case TABLE_PROMOTIONS:
            r.promotion = (promotion_record){.id = text_of(words),
                                             .campaign = text_of(words),
                                             .title = text_of(words),
                                             .body = text_of(words),
                                             .stacking_group = text_of(words),
                                             .scope_categories = text_of(words),
                                             .scope_brands = text_of(words),
                                             .tags = text_of(words),
                                             .audience = text_of(words),
                                             .attributes = text_of(words)};
            break;
        case TABLE_SCOPE:
            r.scope =
                (scope_record){.promotion = text_of(words), .product = text_of(words)};
            break;
        default:
            r.event = (event_record){.id = text_of(words),
                                     .shopper = text_of(words),
                                     .product = text_of(words),
                                     .promotion = text_of(words),
                                     .campaign = text_of(words),
                                     .order = text_of(words),
                                     .decision = text_of(words),
                                     .attributes = text_of(words)};
            break;
        }
        moved = r;
        assert_int_equal(record_text_bytes((intake_table)t, &r), 4 * texts[t]);
        assert_ptr_equal(record_move_texts((intake_table)t, &moved, into),
                         into + 4 * texts[t]);
        memset(words, 'x', 4); /* the views are gone, the copies are not */
        for (size_t i = 0; i < 4 * texts[t]; i++)
            assert_int_equal(into[i], "word"[i % 4]);
    }
}

static void a_batch_is_full_by_items_or_by_bytes(void **state)
{
    (void)state;
    batch *b = batch_new(TABLE_SCOPE);
    const any_record r = {.scope = {text_of("m"), text_of("p")}};
    row from = {.line = 1, .raw = {"m,p", 3}};
    while (!batch_is_full(b))
        assert_true(batch_add_record(b, 2, &from, &r));
    assert_int_equal(b->n, BATCH_ITEMS);
    assert_int_equal(b->items[5].file, 2);
    assert_true(text_is(b->items[5].record.scope.product, "p"));
    assert_true(text_is(b->items[5].raw, "m,p"));
    batch_reset(b);
    assert_int_equal(b->n, 0);
    char *large = mem_alloc(BATCH_TEXT_BYTES, 1);
    memset(large, 'x', BATCH_TEXT_BYTES);
    const any_record wide = {.scope = {{large, BATCH_TEXT_BYTES}, text_of("p")}};
    from.raw = (text){large, BATCH_TEXT_BYTES};
    assert_true(batch_add_record(b, 0, &from, &wide));
    assert_true(batch_is_full(b));
    assert_int_equal(b->items[0].raw.n, LIMIT_REJECT_ROW_BYTES); /* shortened */
    assert_int_equal(b->items[0].record.scope.promotion.n, BATCH_TEXT_BYTES);
    mem_free(large);
    batch_free(b);
    batch_free(NULL);
}

/* --- the ring -------------------------------------------------------------------------- */

enum { RING_ROWS = 9000 };

static void put_scope_rows(void)
{
    char *file = mem_alloc(RING_ROWS + 1, 32);
    size_t n = (size_t)snprintf(file, 32, "promotion,product\n");
    for (int i = 0; i < RING_ROWS; i++)
        n += (size_t)snprintf(file + n, 32, "m%d,p%d\n", i % 7, i);
    put_n("scope.csv", file, n);
    mem_free(file);
}

typedef struct ring {
    intake_plan *plan;
    producer *from;
    pipeline *pipeline;
    atomic_bool stop;
} ring;

static void ring_open(ring *r, unsigned threads)
{
    const char *files[] = {path_of("scope.csv")};
    const intake_request request = {.files = files, .n_files = 1};
    const producer_settings settings = {.keep_going = false};
    atomic_store(&r->stop, false);
    assert_int_equal(intake_plan_open(&r->plan, &request, &failure), PF_OK);
    assert_int_equal(
        producer_open(&r->from, &r->plan->tables[0], &settings, &r->stop, &failure),
        PF_OK);
    assert_int_equal(
        pipeline_start(&r->pipeline, r->from, TABLE_SCOPE, threads, &r->stop, &failure),
        PF_OK);
}

static void ring_close(ring *r)
{
    pipeline_stop(r->pipeline);
    producer_close(r->from);
    intake_plan_free(r->plan);
}

static void batches_come_in_order_on_one_thread_and_two(void **state)
{
    (void)state;
    put_scope_rows();
    for (unsigned threads = 1; threads <= 2; threads++) {
        ring r;
        batch *b = NULL;
        uint64_t line = 2, position = 0;
        ring_open(&r, threads);
        while (pipeline_next(r.pipeline, &b, &failure) == PF_OK && b != NULL) {
            for (size_t i = 0; i < b->n; i++)
                assert_int_equal(b->items[i].line, line++);
            assert_true(b->position >= position);
            position = b->position;
        }
        assert_int_equal(line, RING_ROWS + 2);
        assert_int_equal(pipeline_next(r.pipeline, &b, &failure), PF_OK); /* still none */
        assert_null(b);
        ring_close(&r);
    }
}

static void a_ring_can_be_left_at_any_time(void **state)
{
    (void)state;
    put_scope_rows();
    for (int taken = 0; taken < 9; taken++) {
        ring r;
        batch *b = NULL;
        ring_open(&r, 2);
        for (int i = 0; i < taken; i++)
            assert_int_equal(pipeline_next(r.pipeline, &b, &failure), PF_OK);
        ring_close(&r);
    }
}

static void a_failure_comes_behind_the_batches_before_it(void **state)
{
    (void)state;
    put_scope_rows();
    FILE *f = fopen(path_of("scope.csv"), "ab");
    fputs("m1,\"never closed", f);
    fclose(f);
    for (unsigned threads = 1; threads <= 2; threads++) {
        ring r;
        batch *b = NULL;
        uint64_t rows = 0;
        pf_status s;
        ring_open(&r, threads);
        while ((s = pipeline_next(r.pipeline, &b, &failure)) == PF_OK && b != NULL)
            rows += b->n;
        assert_int_equal(s, PF_DATA);
        assert_failure(RING_ROWS + 2, "never closed");
        assert_true(rows >= RING_ROWS - BATCH_ITEMS);
        ring_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_reject_file_is_csv_that_reads_back),
        TEST(closing_or_undoing_leaves_nothing),
        TEST(names_never_collide),
        TEST(rejects_beyond_the_limit_are_counted),
        TEST(a_folder_that_cannot_be_made_is_an_error),
        TEST(records_take_all_their_texts_along),
        TEST(a_batch_is_full_by_items_or_by_bytes),
        TEST(batches_come_in_order_on_one_thread_and_two),
        TEST(a_ring_can_be_left_at_any_time),
        TEST(a_failure_comes_behind_the_batches_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
