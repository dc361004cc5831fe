/* intake/csv.h: RFC 4180 and what real files do beside it. Rows come out the same however
 * the bytes are cut into windows; whatever is wrong is told with its line. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/random.h"
#include "intake/csv.h"
#include "intake/csv_scan.h"

enum { SHOWN = 1 << 16 };

/* The file as text: header, then rows, cells in <>, rows led by their line, faults by
 * their code: "a|b;2<1><2>;3!wrong_columns". */
static const char *show(const char *bytes, size_t n, csv_options o, pf_status expected)
{
    static char into[SHOWN];
    byte_source *source;
    csv_reader *r = NULL;
    row row_at;
    bool more = true;
    size_t at = 0;
    into[0] = 0;
    assert_int_equal(byte_source_from_memory(&source, bytes, n, "file.csv", &failure),
                     PF_OK);
    pf_status s = csv_open(&r, source, &o, &failure);
    for (size_t i = 0; s == PF_OK && i < csv_columns(r); i++)
        at += (size_t)snprintf(into + at, SHOWN - at, "%s%.*s", i > 0 ? "|" : "",
                               (int)csv_column(r, i).n, csv_column(r, i).data);
    while (s == PF_OK && (s = csv_next(r, &row_at, &more, &failure)) == PF_OK && more) {
        at += (size_t)snprintf(into + at, SHOWN - at, ";%llu",
                               (unsigned long long)row_at.line);
        if (row_at.reason != REASON_NONE)
            at += (size_t)snprintf(into + at, SHOWN - at, "!%s",
                                   reject_reason_name(row_at.reason));
        for (size_t i = 0; row_at.reason == REASON_NONE && i < row_at.n_cells; i++)
            at += (size_t)snprintf(into + at, SHOWN - at, "<%.*s>",
                                   (int)row_at.cells[i].n, row_at.cells[i].data);
    }
    if (s != expected)
        fail_msg("%s: %s (after %s)", status_name(s), failure.message, into);
    csv_close(r);
    byte_source_close(source);
    return into;
}

static const char *read_text(const char *file)
{
    return show(file, strlen(file), csv_options_default(), PF_OK);
}

static void fails(const char *file, pf_status expected, unsigned long long line,
                  const char *words)
{
    show(file, strlen(file), csv_options_default(), expected);
    assert_failure(line, words);
}

static void rows_and_fields(void **state)
{
    (void)state;
    static const struct {
        const char *file, *shown;
    } cases[] = {
        {"a,b\n1,2\n", "a|b;2<1><2>"},
        {"a,b\n1,2", "a|b;2<1><2>"},
        {"a,b\r\n1,2\r\n", "a|b;2<1><2>"},
        {"a,b\r1,2\r3,4\r", "a|b;2<1><2>;3<3><4>"},
        {"a,b\n1,2\r\n3,4\r5,6\n", "a|b;2<1><2>;3<3><4>;4<5><6>"},
        {"a,b\n,\n1,\n,2\n", "a|b;2<><>;3<1><>;4<><2>"},
        {"a,b\n\n1,2\n\n\n3,4\n\n", "a|b;3<1><2>;6<3><4>"},
        {"a\n1\n\n2\n", "a;2<1>;4<2>"},
        {"a\n\"\"\n", "a;2<>"},
        {"a,b\n\"x\",\"y\"\n", "a|b;2<x><y>"},
        {"a,b\n\"x,y\",2\n", "a|b;2<x,y><2>"},
        {"a,b\n\"x\ny\",2\n3,4\n", "a|b;2<x\ny><2>;4<3><4>"},
        {"a,b\n\"x\r\ny\",2\r\n3,4\r\n", "a|b;2<x\r\ny><2>;4<3><4>"},
        {"a,b\n\"say \"\"hi\"\"\",\"\"\"\"\n", "a|b;2<say \"hi\"><\">"},
        {"a,b\n\"\",\"\"\n", "a|b;2<><>"},
        {"a,b\n5\" pipe,6\n", "a|b;2<5\" pipe><6>"},
        {"a,b\n 1 , \"2\" \n", "a|b;2< 1 >< \"2\" >"},
        {"\xef\xbb\xbf"
         "a,b\n1,2\n",
         "a|b;2<1><2>"},
        {"\"a\",\"b \"\"c\"\"\"\n1,2\n", "a|b \"c\";2<1><2>"},
        {" a , b\n1,2\n", "a|b;2<1><2>"},
        {"a,,b\n1,2,3\n", "a||b;2<1><2><3>"},
        {"a,b\n", "a|b"},
        {"a,b", "a|b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(read_text(cases[i].file), cases[i].shown);
}

static void delimiters_are_found_in_the_header(void **state)
{
    (void)state;
    assert_string_equal(read_text("a;b\n1,5;2\n"), "a|b;2<1,5><2>");
    assert_string_equal(read_text("a\tb\n1\t2\n"), "a|b;2<1><2>");
    assert_string_equal(read_text("a|b|c\n1|2|3\n"), "a|b|c;2<1><2><3>");
    assert_string_equal(read_text("\"a,x\";b\n1;2\n"), "a,x|b;2<1><2>");
    csv_options o = csv_options_default();
    o.delimiter = ' ';
    assert_string_equal(show("a b\n1 2\n", 8, o, PF_OK), "a|b;2<1><2>");
}

static void names_may_come_from_outside(void **state)
{
    (void)state;
    const text names[] = {{"x", 1}, {"y", 1}};
    csv_options o = csv_options_default();
    o.columns = names;
    o.n_columns = 2;
    assert_string_equal(show("1,2\n3,4\n", 8, o, PF_OK), "x|y;1<1><2>;2<3><4>");
    o = csv_options_default();
    o.typed_names = true;
    o.delimiter = '\t';
    assert_string_equal(show("user_id:token\tage:float\n7\t20\n", 29, o, PF_OK),
                        "user_id|age;2<7><20>");
}

static void a_wrong_row_is_passed_over(void **state)
{
    (void)state;
    assert_string_equal(read_text("a,b\n1\n2,3\n"), "a|b;2!wrong_columns;3<2><3>");
    assert_string_equal(read_text("a,b\n1,2,3\n4,5\n"), "a|b;2!wrong_columns;3<4><5>");
    assert_string_equal(read_text("a,b\n\"1\"x,2\n4,5\n"), "a|b;2!bad_quote;3<4><5>");
    assert_string_equal(read_text("a,b\n\"1\" ,2\n4,5\n"), "a|b;2!bad_quote;3<4><5>");
    assert_string_equal(read_text("a,b\n\"1\"\"2\" \"3\",2\n4,5\n"),
                        "a|b;2!bad_quote;3<4><5>");
}

static void a_row_of_very_many_fields_is_one_reject(void **state)
{
    (void)state;
    enum { BYTES = 300000 };
    char *file = mem_alloc(BYTES, 1);
    memset(file, ',', BYTES);
    memcpy(file, "a,b\n", 4);
    memcpy(file + BYTES - 5, "\n1,2\n", 5);
    assert_string_equal(show(file, BYTES, csv_options_default(), PF_OK),
                        "a|b;2!wrong_columns;3<1><2>");
    mem_free(file);
}

static void a_quote_never_closed_names_its_line(void **state)
{
    (void)state;
    fails("a,b\n1,2\n3,\"4\n5,6\n7,8\n", PF_DATA, 3, "never closed");
    assert_int_equal(failure.column, 2);
    fails("a,b\n\"x\ny\",\"z\n", PF_DATA, 3, "never closed");
    fails("a,\"b\n1,2\n", PF_DATA, 1, "never closed");
    fails("a,b\n\"\"\"\n", PF_DATA, 2, "never closed");
}

static void headers_that_cannot_be(void **state)
{
    (void)state;
    fails("", PF_DATA, 0, "the file is empty");
    fails("\n\n\r\n", PF_DATA, 0, "the file is empty");
    fails("\xef\xbb\xbf", PF_DATA, 0, "the file is empty");
    fails("a,b,a\n1,2,3\n", PF_DATA, 1,
          "'a' stands twice in the header, in fields 1 and 3");
    fails("a,\"b\"c\n1,2\n", PF_DATA, 1, "behind a closing quote in the header");
    fails("a,b\xff\n1,2\n", PF_DATA, 1, "no UTF-8");
}

static void other_kinds_of_files_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *words;
    } cases[] = {
        {"\xff\xfe"
         "a\0,\0b\0",
         8, "UTF-16"},
        {"\xfe\xff\0a\0,", 6, "UTF-16"},
        {"\xff\xfe\0\0a\0\0\0", 8, "UTF-32"},
        {"\0\0\xfe\xff", 4, "UTF-32"},
        {"PK\x03\x04xxxxxxxxxxxxx", 17, "Excel"},
        {"\xd0\xcf\x11\xe0xxxxxxxxxxxxx", 17, "Excel"},
        {"PAR1xxxxxxxxxxxxxxxx", 20, "Parquet"},
        {"SQLite format 3\0xxxx", 20, "SQLite"},
        {"BZh91AY&SYxxxxxxxxxx", 20, "bzip2"},
        {"\xfd"
         "7zXZ\0xxxxxxxxxx",
         16, "xz"},
        {"%PDF-1.7 xxxxxxxxxx", 19, "PDF"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        show(cases[i].bytes, cases[i].n, csv_options_default(), PF_DATA);
        assert_failure(1, cases[i].words);
    }
}

static void too_many_columns_are_a_limit(void **state)
{
    (void)state;
    char *file = mem_alloc(20 * (LIMIT_FIELDS + 1), 1);
    size_t n = 0;
    for (unsigned i = 0; i <= LIMIT_FIELDS; i++)
        n += (size_t)snprintf(file + n, 20, "%sc%u", i > 0 ? "," : "", i);
    show(file, n, csv_options_default(), PF_LIMIT);
    assert_failure(1, "1025 columns");
    mem_free(file);
}

static void a_line_too_long_is_a_limit_with_its_line(void **state)
{
    (void)state;
    const size_t n = 3 * (size_t)LIMIT_LINE_BYTES;
    char *file = mem_alloc(n, 1);
    memset(file, 'x', n);
    memcpy(file, "a,b\n1,2\n", 8);
    show(file, n, csv_options_default(), PF_LIMIT);
    assert_failure(3, "more than 16777216 bytes; is this file CSV?");
    memcpy(file, "a,b\n1,\"", 7);
    show(file, n, csv_options_default(), PF_LIMIT);
    assert_failure(2, "is the quote opened in this line ever closed?");
    mem_free(file);
}

/* Whatever 64 bytes hold, and whatever the delimiter is. */
static void the_fast_scan_equals_the_plain_one(void **state)
{
    (void)state;
    static const char bytes[] = ",;\t|\r\n\"a\xc3\0 \x7f";
    static const char delimiters[] = {',', ';', '\t', '|', ' ', 'a'};
    random_stream r = random_begin(11, 0);
    char block[64];
    for (int turn = 0; turn < 20000; turn++) {
        for (size_t i = 0; i < 64; i++)
            block[i] = turn % 2 ? (char)random_below(&r, 256)
                                : bytes[random_below(&r, sizeof bytes - 1)];
        const char d = delimiters[random_below(&r, sizeof delimiters)];
        assert_true(csv_block_mask(block, d) == csv_block_mask_plain(block, d));
    }
}

/* --- properties ---------------------------------------------------------------------- */

enum { GRID_ROWS = 12, GRID_COLUMNS = 6, CELL_BYTES = 24, FILE_BYTES = 1 << 16 };

typedef struct grid {
    size_t rows, columns;
    char cells[GRID_ROWS][GRID_COLUMNS][CELL_BYTES];
    size_t lengths[GRID_ROWS][GRID_COLUMNS];
} grid;

static void fill_grid(grid *g, random_stream *r)
{
    static const char bytes[] = "ab,;\t|\"\r\n \xc3\xa9";
    g->rows = 1 + random_below(r, GRID_ROWS);
    g->columns = 2 + random_below(r, GRID_COLUMNS - 1);
    for (size_t i = 0; i < g->rows; i++)
        for (size_t k = 0; k < g->columns; k++) {
            g->lengths[i][k] = random_below(r, CELL_BYTES);
            for (size_t c = 0; c < g->lengths[i][k]; c++)
                g->cells[i][k][c] = bytes[random_below(r, sizeof bytes - 1)];
        }
    for (size_t k = 0; k < g->columns; k++) /* names differ and are trimmed */
        g->lengths[0][k] = (size_t)snprintf(g->cells[0][k], CELL_BYTES, "c%zu", k);
}

static size_t write_grid(const grid *g, char delimiter, random_stream *r, char *into)
{
    static const char *const ends[] = {"\n", "\r\n", "\r"};
    size_t n = 0;
    for (size_t i = 0; i < g->rows; i++) {
        for (size_t k = 0; k < g->columns; k++) {
            const char *cell = g->cells[i][k];
            const size_t length = g->lengths[i][k];
            bool quoted = random_below(r, 4) == 0;
            for (size_t c = 0; c < length; c++)
                quoted |= cell[c] == delimiter || cell[c] == '\r' || cell[c] == '\n' ||
                          (c == 0 && cell[c] == '"');
            if (k > 0) into[n++] = delimiter;
            if (quoted) into[n++] = '"';
            for (size_t c = 0; c < length; c++) {
                if (quoted && cell[c] == '"') into[n++] = '"';
                into[n++] = cell[c];
            }
            if (quoted) into[n++] = '"';
        }
        if (i + 1 < g->rows || random_below(r, 2) == 0)
            n += (size_t)snprintf(into + n, 3, "%s", ends[random_below(r, 3)]);
    }
    return n;
}

static void assert_grid(const grid *g, const char *bytes, size_t n, char delimiter,
                        size_t window_bytes)
{
    csv_options o = {.delimiter = delimiter, .window_bytes = window_bytes};
    byte_source *source;
    csv_reader *r = NULL;
    row row_at;
    bool more = true;
    assert_int_equal(byte_source_from_memory(&source, bytes, n, "grid", &failure), PF_OK);
    if (csv_open(&r, source, &o, &failure) != PF_OK) fail_msg("%s", failure.message);
    assert_int_equal(csv_columns(r), g->columns);
    for (size_t i = 1; i < g->rows; i++) {
        assert_int_equal(csv_next(r, &row_at, &more, &failure), PF_OK);
        assert_true(more);
        assert_int_equal(row_at.reason, REASON_NONE);
        for (size_t k = 0; k < g->columns; k++) {
            assert_int_equal(row_at.cells[k].n, g->lengths[i][k]);
            assert_memory_equal(row_at.cells[k].data, g->cells[i][k], g->lengths[i][k]);
        }
    }
    assert_int_equal(csv_next(r, &row_at, &more, &failure), PF_OK);
    assert_false(more);
    csv_close(r);
    byte_source_close(source);
}

static void what_a_writer_writes_is_read_back(void **state)
{
    (void)state;
    static const char delimiters[] = {',', ';', '\t', '|', ':', ' '};
    static char bytes[FILE_BYTES];
    grid g;
    random_stream r = random_begin(12, 0);
    for (int turn = 0; turn < 3000; turn++) {
        const char d = delimiters[random_below(&r, sizeof delimiters)];
        fill_grid(&g, &r);
        const size_t n = write_grid(&g, d, &r, bytes);
        assert_grid(&g, bytes, n, d, 1 << 18);
        assert_grid(&g, bytes, n, d, 1 + random_below(&r, 100));
    }
}

/* Any bytes at all: the same rows and the same failure through every window. */
static void windows_do_not_show(void **state)
{
    (void)state;
    static const char bytes[] = "ab,,\"\"\"\r\n\n;;";
    static char kept[SHOWN];
    char file[200];
    random_stream r = random_begin(13, 0);
    for (int turn = 0; turn < 20000; turn++) {
        csv_options o = {.delimiter = turn % 2 ? ',' : 0, .window_bytes = 4096};
        const size_t n = 1 + random_below(&r, sizeof file - 1);
        for (size_t i = 0; i < n; i++)
            file[i] = bytes[random_below(&r, sizeof bytes - 1)];
        byte_source *source;
        csv_reader *reader = NULL;
        (void)byte_source_from_memory(&source, file, n, "f", &failure);
        pf_status s = csv_open(&reader, source, &o, &failure);
        row row_at;
        bool more = true;
        while (s == PF_OK && more)
            s = csv_next(reader, &row_at, &more, &failure);
        csv_close(reader);
        byte_source_close(source);
        const pf_error whole = failure;
        snprintf(kept, sizeof kept, "%s", show(file, n, o, s));
        o.window_bytes = 1 + random_below(&r, 40);
        assert_string_equal(show(file, n, o, s), kept);
        if (s != PF_OK) assert_int_equal(failure.line, whole.line);
    }
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    static const char file[] = "a,b\n\"x\"\"y\",2\n\"long long long long long\",3\n";
    fault f = {0};
    while (fault_next(&f)) {
        byte_source *source = NULL;
        csv_reader *r = NULL;
        row row_at;
        bool more = true;
        const csv_options o = {.window_bytes = 8};
        pf_status s =
            byte_source_from_memory(&source, file, sizeof file - 1, "f", &failure);
        if (s == PF_OK) s = csv_open(&r, source, &o, &failure);
        while (s == PF_OK && more)
            s = csv_next(r, &row_at, &more, &failure);
        const bool failed = fault_reached(&f);
        assert_int_equal(s, failed ? PF_NO_MEMORY : PF_OK);
        csv_close(r);
        byte_source_close(source);
    }
    assert_true(f.n > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_and_fields),
        TEST(delimiters_are_found_in_the_header),
        TEST(names_may_come_from_outside),
        TEST(a_wrong_row_is_passed_over),
        TEST(a_row_of_very_many_fields_is_one_reject),
        TEST(a_quote_never_closed_names_its_line),
        TEST(headers_that_cannot_be),
        TEST(other_kinds_of_files_are_named),
        TEST(too_many_columns_are_a_limit),
        TEST(a_line_too_long_is_a_limit_with_its_line),
        TEST(the_fast_scan_equals_the_plain_one),
        TEST(what_a_writer_writes_is_read_back),
        TEST(windows_do_not_show),
        TEST(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
