/* intake/sequence_file.h, seen.h: benchmark files as compact arrays, and the set of ids an
 * import has met. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/random.h"
#include "intake/reader.h"
#include "intake/seen.h"
#include "intake/sequence_file.h"

static sequence_set *read_set(const char *name)
{
    sequence_set *s = NULL;
    char words[1024];
    if (sequence_set_read(&s, path_of(name), &failure) != PF_OK)
        fail_msg("%s", error_describe(&failure, words, sizeof words));
    return s;
}

static void refuses(const char *file, pf_status expected, unsigned long long line,
                    const char *words)
{
    sequence_set *s = NULL;
    put("wrong", file);
    assert_int_equal(sequence_set_read(&s, path_of("wrong"), &failure), expected);
    assert_failure(line, words);
}

/* "user:item item;..." in order. */
static const char *show(const sequence_set *s)
{
    static char into[4096];
    size_t n = 0;
    into[0] = 0;
    for (uint32_t u = 1; u <= s->n_users; u++) {
        n += (size_t)snprintf(into + n, sizeof into - n, "%s:", intern_text(s->users, u));
        for (uint64_t i = s->first[u]; i < s->first[u + 1]; i++)
            n += (size_t)snprintf(into + n, sizeof into - n, "%s%s",
                                  i > s->first[u] ? " " : "",
                                  intern_text(s->items, s->item[i]));
        n += (size_t)snprintf(into + n, sizeof into - n, ";");
    }
    return into;
}

static void lines_of_users_and_items(void **state)
{
    (void)state;
    put("a.txt", "1 10 11 12\n2 11\t11 13\n\nx 9\n");
    sequence_set *s = read_set("a.txt");
    assert_string_equal(show(s), "1:10 11 12;2:11 11 13;x:9;");
    assert_int_equal(s->n, 7);
    assert_int_equal(s->n_users, 3);
    assert_int_equal(s->n_items, 5);
    assert_int_equal(s->first[1], 0);
    assert_int_equal(s->first[4], 7);
    assert_int_equal(s->item[0], 1); /* numbered as they appear */
    assert_null(s->time_us);
    assert_null(s->rating);
    sequence_set_free(s);
}

static void pairs_are_sequences_too(void **state)
{
    (void)state;
    put("pairs.txt", "1 a\n1 b\n2 a\n1 c\n2 d");
    sequence_set *s = read_set("pairs.txt");
    assert_string_equal(show(s), "1:a b c;2:a d;");
    sequence_set_free(s);
}

static void packed_sequences_are_unpacked(void **state)
{
    (void)state;
    put_gzip("a.gz", "1 2 3\n", 6);
    put_zstd("a.zst", "1 2 3\n", 6);
    for (int i = 0; i < 2; i++) {
        sequence_set *s = read_set(i ? "a.gz" : "a.zst");
        assert_string_equal(show(s), "1:2 3;");
        sequence_set_free(s);
    }
}

static void inter_files_are_ordered_by_time(void **state)
{
    (void)state;
    put("ml.inter",
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
        "1\tc\t3\t300\n2\tx\t4\t50\n1\ta\t1\t100\n1\tb\t2.5\t200\n1\ta2\t5\t100\n");
    sequence_set *s = read_set("ml.inter");
    assert_string_equal(show(s), "1:a a2 b c;2:x;");
    assert_int_equal(s->time_us[0], 100000000);
    assert_true(s->rating[0] == 1 && s->rating[1] == 5 && s->rating[2] == 2.5f);
    sequence_set_free(s);
    put("bare.inter", "user_id:token\titem_id:token\n1\tb\n1\ta\n");
    s = read_set("bare.inter");
    assert_string_equal(show(s), "1:b a;");
    assert_null(s->time_us);
    sequence_set_free(s);
}

/* Grouping and sorting against the plain way, over random rows. */
static void grouping_agrees_with_the_plain_way(void **state)
{
    (void)state;
    enum { ROWS = 3000, USERS = 40 };
    static int user[ROWS], item[ROWS], time[ROWS];
    random_stream r = random_begin(21, 0);
    char *file = mem_alloc(ROWS + 1, 64);
    size_t n =
        (size_t)snprintf(file, 64, "user_id:token\titem_id:token\ttimestamp:float\n");
    for (int i = 0; i < ROWS; i++) {
        user[i] = (int)random_below(&r, USERS);
        item[i] = (int)random_below(&r, 300);
        time[i] = (int)random_below(&r, 500);
        n += (size_t)snprintf(file + n, 64, "%d\t%d\t%d\n", user[i], item[i], time[i]);
    }
    put_n("r.inter", file, n);
    mem_free(file);
    sequence_set *s = read_set("r.inter");
    assert_int_equal(s->n, ROWS);
    for (uint32_t u = 1; u <= s->n_users; u++) {
        uint64_t at = s->first[u];
        for (int t = 0; t < 500; t++)
            for (int i = 0; i < ROWS; i++) {
                char id[16];
                if (time[i] != t) continue;
                snprintf(id, sizeof id, "%d", user[i]);
                if (strcmp(id, intern_text(s->users, u)) != 0) continue;
                snprintf(id, sizeof id, "%d", item[i]);
                assert_string_equal(intern_text(s->items, s->item[at]), id);
                at++;
            }
        assert_int_equal(at, s->first[u + 1]);
    }
    sequence_set_free(s);
}

static void what_is_no_sequence_is_refused(void **state)
{
    (void)state;
    refuses("", PF_DATA, 0, "no sequences");
    refuses("\n\n", PF_DATA, 0, "no sequences");
    refuses("1 2\n3\n", PF_DATA, 2, "the user has no items");
    refuses("1 2\n3 \xff\n", PF_DATA, 2, "no UTF-8");
    refuses("user_id:token\ttimestamp:float\n1\t2\n", PF_DATA, 1, "no item column");
    refuses("user_id:token\titem_id:token\n1\n", PF_DATA, 2, "1 fields");
    refuses("user_id:token\titem_id:token\n1\t\n", PF_DATA, 2, "0 bytes");
    refuses("user_id:token\titem_id:token\ttimestamp:float\n1\t2\tx\n", PF_DATA, 2,
            "no time");
    refuses("user_id:token\titem_id:token\trating:float\n1\t2\tx\n", PF_DATA, 2,
            "not a number");
    sequence_set *s;
    assert_int_equal(sequence_set_read(&s, path_of("absent"), &failure), PF_NOT_FOUND);
    assert_int_equal(sequence_set_read(&s, folder(), &failure), PF_IO);
    char *file = mem_alloc(LIMIT_ID_BYTES + 10, 1);
    memset(file, 'x', LIMIT_ID_BYTES + 10);
    memcpy(file, "1 ", 2);
    file[LIMIT_ID_BYTES + 9] = 0;
    refuses(file, PF_DATA, 1, "263 bytes");
    mem_free(file);
}

static void texts_find_their_items(void **state)
{
    (void)state;
    put("a.txt", "1 10 11 12\n");
    put("items.tsv",
        "item_id\ttitle\tgenres\n11\tTea\tdrink\n10\t\"Cup \"\"x\"\"\"\t\n99\tNo\tno\n");
    sequence_set *s = read_set("a.txt");
    item_texts *t;
    if (item_texts_read(&t, path_of("items.tsv"), s->items, &failure) != PF_OK)
        fail_msg("%s", failure.message);
    assert_int_equal(t->n_columns, 2);
    assert_string_equal(t->names[1].data, "genres");
    assert_int_equal(t->n_rows, 2);
    assert_int_equal(t->n_other_rows, 1);
    assert_string_equal(item_texts_cell(t, 2, 0).data, "Tea");
    assert_string_equal(item_texts_cell(t, 1, 0).data, "Cup \"x\"");
    assert_int_equal(item_texts_cell(t, 3, 0).n, 0);
    item_texts_free(t);
    put("ml.item", "item_id:token\ttitle:token_seq\n10\tToy Story\n");
    assert_int_equal(item_texts_read(&t, path_of("ml.item"), s->items, &failure), PF_OK);
    assert_string_equal(t->names[0].data, "title");
    item_texts_free(t);
    sequence_set_free(s);
}

static void texts_that_cannot_be_are_refused(void **state)
{
    (void)state;
    put("a.txt", "1 10 11\n");
    sequence_set *s = read_set("a.txt");
    item_texts *t;
    static const struct {
        const char *file, *words;
    } cases[] = {
        {"item_id\n10\n", "the header has 1"},
        {"id\tt\n10\ta\n10\tb\n", "'10' stands here a second time"},
        {"id\tt\n10\n", "1 fields"},
        {"id\tt\n10\t\xff\n", "no UTF-8"},
        {"{\"id\":1}\n", "JSON lines"},
        {"", "empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put("items", cases[i].file);
        assert_int_equal(item_texts_read(&t, path_of("items"), s->items, &failure),
                         PF_DATA);
        assert_failure(0, cases[i].words);
    }
    sequence_set_free(s);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    put("ml.inter", "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
                    "1\tc\t3\t300\n2\tx\t4\t50\n1\ta\t1\t100\n");
    put("items", "id\ttitle\nc\tTea\n");
    fault f = {0};
    while (fault_next(&f)) {
        sequence_set *s = NULL;
        item_texts *t = NULL;
        pf_status status = sequence_set_read(&s, path_of("ml.inter"), &failure);
        if (status == PF_OK)
            status = item_texts_read(&t, path_of("items"), s->items, &failure);
        const bool failed = fault_reached(&f);
        assert_int_equal(status, failed ? PF_NO_MEMORY : PF_OK);
        item_texts_free(t);
        sequence_set_free(s);
    }
    assert_true(f.n > 15);
}

static void names_of_files_tell_their_format(void **state)
{
    (void)state;
    assert_int_equal(format_of_name("a/b.csv"), FORMAT_CSV);
    assert_int_equal(format_of_name("a/b.CSV.GZ"), FORMAT_CSV);
    assert_int_equal(format_of_name("b.jsonl.zst"), FORMAT_JSONL);
    assert_int_equal(format_of_name("b.inter"), FORMAT_RECBOLE);
    assert_int_equal(format_of_name("b.item.gz"), FORMAT_RECBOLE);
    assert_int_equal(format_of_name("b.gz"), FORMAT_AUTO);
    assert_int_equal(format_of_name("standard input"), FORMAT_AUTO);
}

static void seen_ids_remember_row_and_place(void **state)
{
    (void)state;
    seen_ids *s = seen_new();
    uint32_t file = 3;
    uint64_t line = 70;
    assert_int_equal(seen_look(s, text_of("a"), text_of("a,1"), &file, &line), SEEN_NEW);
    file = 4;
    line = 80;
    assert_int_equal(seen_look(s, text_of("a"), text_of("a,1"), &file, &line), SEEN_SAME);
    assert_int_equal(file, 3);
    assert_int_equal(line, 70);
    assert_int_equal(seen_look(s, text_of("a"), text_of("a,2"), &file, &line),
                     SEEN_OTHER);
    for (uint32_t turn = 0; turn < 2; turn++)
        for (uint32_t i = 0; i < 20000; i++) {
            char id[16];
            snprintf(id, sizeof id, "id%u", i);
            file = 0;
            line = i;
            assert_int_equal(seen_look(s, text_of(id), text_of(id), &file, &line),
                             turn == 0 ? SEEN_NEW : SEEN_SAME);
            assert_int_equal(line, i);
        }
    seen_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_of_users_and_items),
        TEST(pairs_are_sequences_too),
        TEST(packed_sequences_are_unpacked),
        TEST(inter_files_are_ordered_by_time),
        TEST(grouping_agrees_with_the_plain_way),
        TEST(what_is_no_sequence_is_refused),
        TEST(texts_find_their_items),
        TEST(texts_that_cannot_be_are_refused),
        TEST(every_failed_allocation_is_reported),
        TEST(names_of_files_tell_their_format),
        TEST(seen_ids_remember_row_and_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
