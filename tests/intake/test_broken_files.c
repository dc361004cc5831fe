/*
 * Kinds of broken input, each by its name: a reject or an error with its place, and a store
 * that is unchanged or exactly as the summary says.
 *
 * Every case is loaded into a store that holds a catalogue (products p1..p3, shoppers s1..s3,
 * campaign c1, promotion m1) and loaded again, which must change nothing either.
 */
#include "fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "intake/reason.h"

#define E "id,shopper,type,product,time,quantity,paid\n"
#define GOOD "g1,s1,view,p1,2024-05-01,,\n"

/* One kind of broken file. status PF_OK: one row is rejected for the reason, the others
 * load; otherwise the import fails. line 0: none is given. */
typedef struct broken {
    const char *name, *file;
    pf_status status;
    reject_reason reason;
    unsigned line, column;
    const char *words;
    uint64_t added;
} broken;

#define REJECT(name, file, reason, line, column, words, added)                           \
    {                                                                                    \
        name, file, PF_OK, reason, line, column, words, added                            \
    }
#define ERROR(name, file, status, line, words)                                           \
    {                                                                                    \
        name, file, status, REASON_NONE, line, 0, words, 0                               \
    }

static const broken events[] = {
    /* the file as a whole */
    ERROR("an empty file", "", PF_DATA, 0, "the file is empty"),
    ERROR("blank lines only", "\n\n\n", PF_DATA, 0, "the file is empty"),
    ERROR("a header only", E, PF_DATA, 0, "the file holds no rows"),
    ERROR("a byte order mark only", "\xef\xbb\xbf", PF_DATA, 0, "the file is empty"),
    ERROR("no header", "e1,s1,view,p1,2024-05-01,,\n", PF_DATA, 1, "no column could be"),
    ERROR("a column name twice", "shopper,time,shopper\ns1,1,s1\n", PF_DATA, 1,
          "stands twice in the header"),
    ERROR("a column missing", "shopper,type,product\ns1,view,p1\n", PF_DATA, 1,
          "no column could be the time"),
    ERROR("a quote never closed", E GOOD "e2,\"s1,view,p1,2024-05-01,,\ne3\n", PF_DATA, 3,
          "never closed"),
    ERROR("a header of another language", "\xe6\x97\xb6\xe9\x97\xb4,x\n1,2\n", PF_DATA, 1,
          "no column could be"),
    /* its rows */
    REJECT("too few columns", E "e1,s1\n" GOOD, REASON_WRONG_COLUMNS, 2, 0, "2 fields",
           1),
    REJECT("too many columns", E "e1,s1,view,p1,2024-05-01,,,,\n" GOOD,
           REASON_WRONG_COLUMNS, 2, 0, "9 fields", 1),
    REJECT("text behind a quote", E "e1,\"s1\"x,view,p1,2024-05-01,,\n" GOOD,
           REASON_BAD_QUOTE, 2, 2, "closing quote", 1),
    REJECT("a row that was cut off", E GOOD "e2,s1,vi", REASON_WRONG_COLUMNS, 3, 0,
           "3 fields", 1),
    REJECT("the header again in the middle", E GOOD E, REASON_BAD_WORD, 3, 3, "'type'",
           1),
    REJECT("mixed line ends",
           "id,shopper,type,product,time\r\ng1,s1,view,p1,2024-05-01\n"
           "g2,s1,view,p2,2024-05-01\re3,s1,view,p3\r\n",
           REASON_WRONG_COLUMNS, 4, 0, "4 fields", 2),
    REJECT("a byte order mark before the header",
           "\xef\xbb\xbf" E GOOD "e,s1,view,p1,x,,\n", REASON_BAD_TIME, 3, 5, "'x'", 1),
    REJECT("Latin-1", E GOOD "e2,s1,view,caf\xe9,2024-05-01,,\n", REASON_BAD_UTF8, 3, 4,
           "0xE9", 1),
    REJECT("an overlong UTF-8 form", E GOOD "e2,s\xc0\xaf,view,p1,2024-05-01,,\n",
           REASON_BAD_UTF8, 3, 2, "0xC0", 1),
    REJECT("a surrogate in UTF-8", E GOOD "e2,s1,view,\xed\xa0\x80,2024-05-01,,\n",
           REASON_BAD_UTF8, 3, 4, "0xED", 1),
    REJECT("UTF-8 cut in the middle", E GOOD "e2,s1,view,\xe9\x9b,2024-05-01,,\n",
           REASON_BAD_UTF8, 3, 4, "no UTF-8", 1),
    REJECT("bad bytes in a quoted field over lines",
           E "e2,s1,view,\"p\n\xff\",2024-05-01,,\n" GOOD, REASON_BAD_UTF8, 2, 4,
           "byte 3", 1),
    /* what happened, to whom */
    REJECT("no type", E "e1,s1,,p1,2024-05-01,,\n" GOOD, REASON_MISSING_VALUE, 2, 3,
           "type", 1),
    REJECT("an unknown type", E "e1,s1,teleport,p1,2024-05-01,,\n" GOOD, REASON_BAD_WORD,
           2, 3, "'teleport'", 1),
    REJECT("no shopper", E "e1,,view,p1,2024-05-01,,\n" GOOD, REASON_MISSING_VALUE, 2, 2,
           "shopper", 1),
    REJECT("no product", E "e1,s1,purchase,,2024-05-01,,\n" GOOD, REASON_MISSING_VALUE, 2,
           4, "a purchase needs a product", 1),
    REJECT("an exposure of nothing", E "e1,s1,exposure,,2024-05-01,,\n" GOOD,
           REASON_MISSING_VALUE, 2, 0, "needs a promotion or a campaign", 1),
    REJECT("a rating without a rating", E "e1,s1,rating,p1,2024-05-01,,\n" GOOD,
           REASON_MISSING_VALUE, 2, 0, "rating", 1),
    REJECT("a product nobody knows", E "e1,s1,view,p99,2024-05-01,,\n" GOOD,
           REASON_UNKNOWN_PRODUCT, 2, 0, "'p99'", 1),
    REJECT("an id used twice for different events", E GOOD "g1,s1,view,p2,2024-05-01,,\n",
           REASON_DUPLICATE_ID, 3, 0, "another event has this id", 1),
    /* when */
    REJECT("no time", E "e1,s1,view,p1,,,\n" GOOD, REASON_MISSING_VALUE, 2, 5, "time", 1),
    REJECT("month 13", E "e1,s1,view,p1,2024-13-01,,\n" GOOD, REASON_BAD_TIME, 2, 5,
           "month", 1),
    REJECT("the 30th of February", E "e1,s1,view,p1,2023-02-30,,\n" GOOD, REASON_BAD_TIME,
           2, 5, "no such day", 1),
    REJECT("the 29th in a common year", E "e1,s1,view,p1,2023-02-29,,\n" GOOD,
           REASON_BAD_TIME, 2, 5, "no such day", 1),
    REJECT("hour 25", E "e1,s1,view,p1,2024-05-01 25:00,,\n" GOOD, REASON_BAD_TIME, 2, 5,
           "hour", 1),
    REJECT("a date nobody can read", E "e1,s1,view,p1,01/02/2024,,\n" GOOD,
           REASON_BAD_TIME, 2, 5, "no time", 1),
    REJECT("the year 9999", E "e1,s1,view,p1,9999-01-01,,\n" GOOD, REASON_BAD_TIME, 2, 5,
           "1900 and 2199", 1),
    REJECT("a time too large for a number",
           E "e1,s1,view,p1,99999999999999999999,,\n" GOOD, REASON_BAD_TIME, 2, 5,
           "too large", 1),
    REJECT("an ambiguous time of eight digits", E "e1,s1,view,p1,20240501,,\n" GOOD,
           REASON_BAD_TIME, 2, 5, "date or seconds", 1),
    /* how much */
    REJECT("a quantity of words", E "e1,s1,purchase,p1,2024-05-01,two,1\n" GOOD,
           REASON_BAD_NUMBER, 2, 6, "'two'", 1),
    REJECT("an infinite quantity", E "e1,s1,purchase,p1,2024-05-01,inf,1\n" GOOD,
           REASON_BAD_NUMBER, 2, 6, "'inf'", 1),
    REJECT("a negative quantity", E "e1,s1,purchase,p1,2024-05-01,-1,1\n" GOOD,
           REASON_OUT_OF_RANGE, 2, 6, "negative", 1),
    REJECT("a quantity of trillions", E "e1,s1,purchase,p1,2024-05-01,1e12,1\n" GOOD,
           REASON_OUT_OF_RANGE, 2, 6, "billion", 1),
    REJECT("an amount of words", E "e1,s1,purchase,p1,2024-05-01,1,free\n" GOOD,
           REASON_BAD_MONEY, 2, 7, "'free'", 1),
    REJECT("a negative amount", E "e1,s1,purchase,p1,2024-05-01,1,-3.50\n" GOOD,
           REASON_OUT_OF_RANGE, 2, 7, "negative", 1),
    REJECT("an overflowing amount",
           E "e1,s1,purchase,p1,2024-05-01,1,99999999999999999999\n" GOOD,
           REASON_BAD_MONEY, 2, 7, "larger than", 1),
    REJECT("a third of a cent", E "e1,s1,purchase,p1,2024-05-01,1,0.333\n" GOOD,
           REASON_BAD_MONEY, 2, 7, "decimal places", 1),
    REJECT("a decimal comma where points are meant",
           E "e1,s1,purchase,p1,2024-05-01,1,\"3,50\"\n" GOOD, REASON_BAD_MONEY, 2, 7,
           "thousands", 1),
    REJECT("another currency's sign",
           E "e1,s1,purchase,p1,2024-05-01,1,\xe2\x82\xac"
             "3.50\n" GOOD,
           REASON_BAD_MONEY, 2, 7, "not an amount of this currency", 1),
    REJECT("another currency",
           "shopper,type,product,time,paid,currency\n"
           "s1,purchase,p1,2024-05-01,1,EUR\ns1,purchase,p1,2024-05-01,1,USD\n",
           REASON_BAD_CURRENCY, 2, 6, "workspace in USD", 1),
    REJECT("a currency that is none",
           "shopper,type,product,time,paid,currency\n"
           "s1,purchase,p1,2024-05-01,1,XQQ\ns1,purchase,p1,2024-05-01,1,\n",
           REASON_BAD_CURRENCY, 2, 6, "ISO 4217", 1),
    REJECT("a negative discount",
           "shopper,type,product,time,discount\n"
           "s1,purchase,p1,2024-05-01,-1\ns1,purchase,p2,2024-05-01,1\n",
           REASON_OUT_OF_RANGE, 2, 5, "negative", 1),
    REJECT("a probability of two",
           "shopper,type,campaign,time,propensity\n"
           "s1,exposure,c1,2024-05-01,2\ns1,exposure,c1,2024-05-02,.5\n",
           REASON_OUT_OF_RANGE, 2, 5, "no probability", 1),
    REJECT("a probability of zero",
           "shopper,type,campaign,time,propensity\n"
           "s1,exposure,c1,2024-05-01,0\ns1,exposure,c1,2024-05-02,1\n",
           REASON_OUT_OF_RANGE, 2, 5, "no probability", 1),
    REJECT("a channel that is none",
           "shopper,type,campaign,time,channel\n"
           "s1,exposure,c1,2024-05-01,pigeon\ns1,exposure,c1,2024-05-02,email\n",
           REASON_BAD_WORD, 2, 5, "'pigeon'", 1),
    REJECT("a campaign nobody knows",
           "shopper,type,campaign,time\n"
           "s1,exposure,c9,2024-05-01\ns1,exposure,c1,2024-05-02\n",
           REASON_UNKNOWN_CAMPAIGN, 2, 0, "'c9'", 1),
    REJECT("a promotion nobody knows",
           "shopper,type,promotion,time\n"
           "s1,redemption,m9,2024-05-01\ns1,redemption,m1,2024-05-02\n",
           REASON_UNKNOWN_PROMOTION, 2, 0, "'m9'", 1),
};

static const broken products[] = {
    REJECT("a product without id", "id,title\n,Tea\nx1,Cup\n", REASON_MISSING_VALUE, 2, 1,
           "id", 1),
    REJECT("a negative price", "id,price\nx1,-1.00\nx2,1\n", REASON_OUT_OF_RANGE, 2, 2,
           "negative", 1),
    REJECT("the same id with other values", "id,title\nx1,Tea\nx1,Cup\n",
           REASON_DUPLICATE_ID, 3, 1, "line 2", 1),
    REJECT("attributes that are no object", "id,attributes\nx1,[1]\nx2,{}\n",
           REASON_BAD_TEXT, 2, 2, "no JSON object", 1),
    REJECT("attributes that are broken", "id,attributes\nx1,{\nx2,{}\n", REASON_BAD_TEXT,
           2, 2, "no JSON object", 1),
    REJECT("a formula for an id", "id,price\n\"=1+\"\"1\"\",\",x\nx2,1\n",
           REASON_BAD_MONEY, 2, 2, "'x'", 1),
};

static const broken shoppers[] = {
    REJECT("a language that is none", "id,language\nx1,english language\nx2,zh-CN\n",
           REASON_BAD_TEXT, 2, 2, "no language tag", 1),
    REJECT("a time zone that is none", "id,zone\nx1,Moon/Base\nx2,Asia/Shanghai\n",
           REASON_BAD_TEXT, 2, 2, "no time zone", 1),
    REJECT("a time zone that is a path", "id,zone\nx1,../../etc/passwd\nx2,UTC\n",
           REASON_BAD_TEXT, 2, 2, "no time zone", 1),
    REJECT("consent given and refused",
           "id,consent,optout\nx1,email,sms|email\nx2,email,sms\n", REASON_OUT_OF_RANGE,
           2, 2, "both given and refused", 1),
    REJECT("consent to a channel that is none", "id,consent\nx1,fax\nx2,push\n",
           REASON_BAD_WORD, 2, 2, "'fax'", 1),
};

static const broken promotions[] = {
    REJECT("ends before it starts",
           "id,starts,ends\nx1,2024-05-02,2024-05-01\n"
           "x2,2024-05-01,2024-05-02\n",
           REASON_OUT_OF_RANGE, 2, 3, "ends before it starts", 1),
    REJECT("ends when it starts",
           "id,starts,ends\nx1,2024-05-01,2024-05-01\n"
           "x2,2024-05-01,2024-05-02\n",
           REASON_OUT_OF_RANGE, 2, 3, "ends before", 1),
    REJECT("a kind that is none", "id,kind\nx1,miracle\nx2,bogo\n", REASON_BAD_WORD, 2, 2,
           "'miracle'", 1),
    REJECT("110 per cent off", "id,percent\nx1,110%\nx2,100\n", REASON_OUT_OF_RANGE, 2, 2,
           "at most 100", 1),
    REJECT("a limit of minus one", "id,shopper_limit\nx1,-1\nx2,1\n", REASON_BAD_NUMBER,
           2, 2, "whole number", 1),
    REJECT("a limit of half", "id,redemption_limit\nx1,0.5\nx2,1\n", REASON_BAD_NUMBER, 2,
           2, "whole number", 1),
    REJECT("a limit too large", "id,redemption_limit\nx1,99999999999\nx2,1\n",
           REASON_OUT_OF_RANGE, 2, 2, "larger than", 1),
    REJECT("a tag that is too long",
           "id,tags\nx1,tea|123456789012345678901234567890123456789012345678901234567890"
           "12345\nx2,tea|sale\n",
           REASON_TOO_LONG, 2, 2, "has 65 bytes, at most 64 are taken", 1),
    REJECT("too many tags",
           "id,tags\nx1,a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q|r|s|t|u|v|w|x|y|z|1|2|3|4|5|6|7"
           "\nx2,a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a\n",
           REASON_OUT_OF_RANGE, 2, 2, "more than 32 tags, the first beyond is '7'", 1),
    REJECT("a campaign that is not there", "id,campaign\nx1,c99\nx2,c1\n",
           REASON_UNKNOWN_CAMPAIGN, 2, 0, "'c99'", 1),
};

/* Loads it twice and holds the store against the summary. */
static void try_case(const broken *b, const char *table)
{
    char before[1024], after[1024];
    const uint64_t events_too = strcmp(table, "events") == 0;
    put("broken.csv", b->file);
    snprintf(before, sizeof before, "%s", state_of_store());
    store_counts was, is;
    assert_int_equal(store_count(the_store(), &was, NULL), PF_OK);
    run_table(b->status, table, "broken.csv");
    assert_int_equal(store_count(the_store(), &is, NULL), PF_OK);
    snprintf(after, sizeof after, "%s", state_of_store());
    if (b->status != PF_OK) {
        assert_failure(b->line, b->words);
        assert_non_null(strstr(failure.file, "broken.csv"));
        assert_string_equal(after, before);
        return;
    }
    assert_one_reject(b->reason, b->line, b->column, b->words);
    assert_int_equal(totals().added, b->added);
    if (events_too) assert_int_equal(is.events, was.events + b->added);
    run_table(PF_OK, table, "broken.csv");
    assert_int_equal(totals().added, 0);
    assert_int_equal(totals().rejected, 1);
    assert_string_equal(state_of_store(), after);
}

static size_t kinds;

static void try_all(const broken *list, size_t n, const char *table)
{
    for (size_t i = 0; i < n; i++) {
        void *state = NULL;
        print_message("    %s\n", list[i].name);
        assert_int_equal(fixture_begin(&state), 0);
        put_catalogue();
        try_case(&list[i], table);
        assert_int_equal(fixture_end(&state), 0);
        kinds++;
    }
}

#define TRY_ALL(list, table) try_all(list, sizeof list / sizeof *list, table)

static void broken_tables_of_events(void **state)
{
    (void)state;
    TRY_ALL(events, "events");
}

static void broken_tables_of_things(void **state)
{
    (void)state;
    TRY_ALL(products, "products");
    TRY_ALL(shoppers, "shoppers");
    TRY_ALL(promotions, "promotions");
    assert_true(kinds >= 70);
}

/* --- those that need more than text --------------------------------------------------- */

static void unchanged(pf_status expected, const char *name, const char *words)
{
    char before[1024];
    snprintf(before, sizeof before, "%s", state_of_store());
    run_table(expected, "events", name);
    assert_failure(0, words);
    assert_string_equal(state_of_store(), before);
}

static void a_nul_byte_is_a_reject(void **state)
{
    (void)state;
    static const char file[] = E "e1,s1,view,p\0001,2024-05-01,,\n" GOOD;
    put_n("e.csv", file, sizeof file - 1);
    run_table(PF_OK, "events", "e.csv");
    assert_one_reject(REASON_BAD_UTF8, 2, 4, "NUL byte, at 2");
    assert_int_equal(totals().added, 1);
}

static void an_id_too_long_is_a_reject(void **state)
{
    (void)state;
    char file[1024], id[LIMIT_ID_BYTES + 2];
    memset(id, 'x', sizeof id);
    id[LIMIT_ID_BYTES + 1] = 0;
    snprintf(file, sizeof file, E "e1,%s,view,p1,2024-05-01,,\n" GOOD, id);
    put("e.csv", file);
    run_table(PF_OK, "events", "e.csv");
    assert_one_reject(REASON_TOO_LONG, 2, 2, "257 bytes, at most 256");
    id[LIMIT_ID_BYTES] = 0;
    snprintf(file, sizeof file, E "e1,%s,view,p1,2024-05-01,,\n", id);
    put("e.csv", file);
    run_table(PF_OK, "events", "e.csv");
    assert_int_equal(totals().added, 1);
}

static void attributes_too_long_are_a_reject(void **state)
{
    (void)state;
    enum { BYTES = LIMIT_ATTRIBUTES_BYTES + 200 };
    char *file = mem_alloc(BYTES, 1);
    memset(file, 'x', BYTES);
    const int n = snprintf(file, BYTES, "id,notes\nx1,");
    file[n] = 'x';
    file[BYTES - 1] = '\n';
    put_n("p.csv", file, BYTES);
    mem_free(file);
    run_table(PF_OK, "products", "p.csv");
    assert_one_reject(REASON_TOO_LONG, 2, 0, "name columns to ignore");
}

static void a_truncated_gzip_file_leaves_no_trace(void **state)
{
    (void)state;
    put_catalogue();
    char *file = mem_alloc(1, 200000);
    size_t n = (size_t)snprintf(file, 100, "%s", E);
    for (int i = 0; i < 4000; i++)
        n += (size_t)snprintf(file + n, 100, "e%d,s1,view,p1,%d,,\n", i,
                              1700000000 + i * 37);
    size_t packed;
    unsigned char *bytes = gzip_of(file, n, &packed);
    put_n("e.csv.gz", bytes, packed - 3);
    unchanged(PF_DATA, "e.csv.gz", "ends in the middle");
    put_n("e.csv.gz", bytes, packed / 2);
    unchanged(PF_DATA, "e.csv.gz", "ends in the middle");
    bytes[packed / 2] ^= 0x20;
    put_n("e.csv.gz", bytes, packed);
    unchanged(PF_DATA, "e.csv.gz", "gzip stream");
    mem_free(bytes);
    mem_free(file);
}

static void a_folder_a_device_and_nothing_are_errors(void **state)
{
    (void)state;
    put_catalogue();
    assert_int_equal(mkdir(path_of("folder.csv"), 0777), 0);
    unchanged(PF_IO, "folder.csv", "this is a folder");
    unchanged(PF_IO, "/dev/zero", "device");
    unchanged(PF_NOT_FOUND, "absent.csv", "no such file");
}

static void an_unreadable_file_is_an_error(void **state)
{
    (void)state;
    put_catalogue();
    const uid_t was = geteuid();
    put("secret.csv", E GOOD);
    close_store();
    assert_int_equal(chmod(path_of("secret.csv"), 0), 0);
    assert_int_equal(chmod(folder(), 0777), 0);
    if (was == 0) assert_int_equal(seteuid(65534), 0);
    intake_plan *plan = NULL;
    const char *files[] = {path_of("secret.csv")};
    const intake_request r = {.files = files, .n_files = 1};
    assert_int_equal(intake_plan_open(&plan, &r, &failure), PF_IO);
    assert_failure(0, "cannot open");
    if (was == 0) assert_int_equal(seteuid(0), 0);
}

static void other_kinds_of_files_are_named(void **state)
{
    (void)state;
    put_catalogue();
    put_n("book.csv", "PK\x03\x04\x14\0\x06\0", 8);
    unchanged(PF_DATA, "book.csv", "Excel workbook");
    put_n("wide.csv", "\xff\xfei\0d\0,\0", 8);
    unchanged(PF_DATA, "wide.csv", "UTF-16");
    put("e.seq", "1 2 3 4\n2 3 4\n");
    unchanged(PF_DATA, "e.seq", "evaluate --sequences");
    put("array.json", "[{\"a\":1}]\n");
    unchanged(PF_DATA, "array.json", "one object a line");
}

/* A gibibyte without a line end, through a file with a hole: refused at 16 MiB. */
static void a_line_of_a_gibibyte_is_refused_quickly(void **state)
{
    (void)state;
    put_catalogue();
    const double begun_s = clock_wall_s();
    put("huge.csv", E GOOD "e2,\"");
    assert_int_equal(truncate(path_of("huge.csv"), (off_t)1 << 30), 0);
    unchanged(PF_LIMIT, "huge.csv", "huge.csv:3: a row has more than 16777216 bytes");
    put("huge.jsonl", "{\"a\":\"");
    assert_int_equal(truncate(path_of("huge.jsonl"), (off_t)1 << 30), 0);
    unchanged(PF_LIMIT, "huge.jsonl",
              "huge.jsonl:1: the line has more than 16777216 bytes");
    assert_true(clock_wall_s() - begun_s < 20);
    assert_true(clock_peak_memory_bytes() < (uint64_t)400 << 20);
}

typedef struct piping {
    const char *path, *bytes;
    size_t times;
} piping;

/* Opening waits for the reader. */
static void *write_and_close(void *context)
{
    piping *p = context;
    const int fd = open(p->path, O_WRONLY | O_CLOEXEC);
    for (size_t i = 0; i < p->times; i++)
        if (write(fd, p->bytes, strlen(p->bytes)) < 0) break;
    close(fd);
    return NULL;
}

static void through_a_pipe(const char *bytes, size_t times, pf_status expected)
{
    static int number;
    char name[32];
    pthread_t thread;
    snprintf(name, sizeof name, "pipe%d", number++);
    assert_int_equal(mkfifo(path_of(name), 0666), 0);
    const char *files[] = {path_of(name)};
    piping p = {files[0], bytes, times};
    const intake_request r = {.files = files, .n_files = 1, .table = "events"};
    intake_plan *plan = NULL;
    assert_int_equal(pthread_create(&thread, NULL, write_and_close, &p), 0);
    pf_status s = intake_plan_open(&plan, &r, &failure);
    if (s == PF_OK)
        s = intake_run(plan, the_store(), &fixture_options, &summary, &failure);
    if (s != expected) fail_msg("%s: %s", status_name(s), failure.message);
    intake_plan_free(plan);
    pthread_join(thread, NULL);
}

static void a_pipe_that_closes_early_is_as_its_rows_say(void **state)
{
    (void)state;
    through_a_pipe(E GOOD "g2,s1,view,p2,2024-05-01,,\ng3,s1,vi", 1, PF_OK);
    assert_int_equal(totals().added, 2);
    assert_one_reject(REASON_WRONG_COLUMNS, 4, 0, "3 fields");
    through_a_pipe("", 0, PF_DATA);
    assert_failure(0, "the file is empty");
}

static void a_gibibyte_through_a_pipe_is_refused_quickly(void **state)
{
    (void)state;
    static char block[1 << 16];
    const double begun_s = clock_wall_s();
    memset(block, 'x', sizeof block - 1);
    through_a_pipe(block, 1 << 14, PF_LIMIT);
    assert_failure(1, "more than 16777216 bytes");
    assert_true(clock_wall_s() - begun_s < 20);
}

/* --- mappings that do not fit --------------------------------------------------------- */

#define JOINED                                                                           \
    "version: 1\ntables:\n  - table: events\n    files: [e.csv]\n"                       \
    "    joins: [{files: [o.csv], keys: [{left: o, right: no}]}]\n"                      \
    "    fields:\n      - {value: view, to: type}\n      - {from: who, to: shopper}\n"   \
    "      - {from: t, to: time}\n      - {from: p, to: product}\n"

static void mapping_unchanged(pf_status expected, const char *yaml, const char *words)
{
    char before[1024];
    snprintf(before, sizeof before, "%s", state_of_store());
    run_mapping(expected, yaml);
    assert_failure(0, words);
    assert_string_equal(state_of_store(), before);
}

static void a_mapping_that_joins_nothing_is_an_error(void **state)
{
    (void)state;
    put_catalogue();
    put("e.csv", "o,p,t\n001,p1,2024-05-01\n002,p2,2024-05-01\n");
    put("o.csv", "no,who\n1,s1\n2,s2\n");
    mapping_unchanged(
        PF_DATA, JOINED,
        "matches no row at all: 'o' (as in '001') is compared with 'no' (as in "
        "'1')");
}

static void a_joined_key_twice_is_an_error(void **state)
{
    (void)state;
    put_catalogue();
    put("e.csv", "o,p,t\n1,p1,2024-05-01\n");
    put("o.csv", "no,who\n1,s1\n1,s1\n2,s2\n2,s3\n");
    mapping_unchanged(PF_DATA, JOINED, "o.csv:5:1: the key '2' stands here again");
}

static void columns_a_mapping_names_must_be_there(void **state)
{
    (void)state;
    put_catalogue();
    put("e.csv", "o,p,when\n1,p1,2024-05-01\n");
    put("o.csv", "no,who\n1,s1\n");
    mapping_unchanged(PF_DATA, JOINED, "names a column 't', the header has: o, p, when");
    put("e.csv", "x,p,t\n1,p1,2024-05-01\n");
    mapping_unchanged(PF_DATA, JOINED, "no column 'o' to join on");
    put("e.csv", "o,p,t\n1,p1,2024-05-01\n");
    put("o.csv", "nummer,who\n1,s1\n");
    mapping_unchanged(PF_DATA, JOINED, "the joined file has no column 'no'");
    put("o.csv", "no,who,p\n1,s1,p\n");
    mapping_unchanged(PF_USAGE, JOINED, "stands in this file and in a joined one");
    put("o.csv", "no,who\n");
    mapping_unchanged(PF_DATA, JOINED, "matches no row at all");
    assert_int_equal(unlink(path_of("o.csv")), 0);
    mapping_unchanged(PF_NOT_FOUND, JOINED, "o.csv: there is no such file");
    put("o.csv", "no,who\n1,s1\n");
    put("o.jsonl", "{\"no\":1}\n");
    mapping_unchanged(PF_USAGE,
                      "version: 1\ntables:\n  - table: events\n    files: [e.csv]\n"
                      "    joins: [{files: [o.jsonl], keys: [{left: o, right: no}]}]\n"
                      "    fields:\n      - {value: view, to: type}\n"
                      "      - {from: t, to: time}\n      - {from: o, to: shopper}\n",
                      "a joined file must be CSV");
}

static void a_mapping_that_is_no_mapping_is_an_error(void **state)
{
    (void)state;
    put_catalogue();
    mapping_unchanged(PF_USAGE, "version: 1\ntabels: []\n", "tabels");
    mapping_unchanged(PF_USAGE, "", "empty");
    char *large = mem_alloc(LIMIT_YAML_BYTES + 10, 1);
    memset(large, '#', LIMIT_YAML_BYTES + 9);
    large[LIMIT_YAML_BYTES + 9] = 0;
    mapping_unchanged(PF_LIMIT, large, "");
    mem_free(large);
}

/* The last of several files is broken: nothing of the first ones stays. */
static void one_broken_file_takes_all_back(void **state)
{
    (void)state;
    put_catalogue();
    put("p.csv", "id,title\nnew1,Tea\n");
    put("e1.csv", E "e1,s9,view,p1,2024-05-01,,\n");
    put("e2.csv", E "e2,s9,view,p2,2024-05-01,,\ne3,\"\n");
    mapping_unchanged(PF_DATA,
                      "version: 1\ntables:\n  - {table: products, files: [p.csv]}\n"
                      "  - {table: events, files: [e1.csv, e2.csv]}\n",
                      "e2.csv:3:2: the quote that opens this field is never closed");
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* writers whose reader has refused */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_tables_of_events),
        cmocka_unit_test(broken_tables_of_things),
        TEST(a_nul_byte_is_a_reject),
        TEST(an_id_too_long_is_a_reject),
        TEST(attributes_too_long_are_a_reject),
        TEST(a_truncated_gzip_file_leaves_no_trace),
        TEST(a_folder_a_device_and_nothing_are_errors),
        TEST(an_unreadable_file_is_an_error),
        TEST(other_kinds_of_files_are_named),
        TEST(a_line_of_a_gibibyte_is_refused_quickly),
        TEST(a_pipe_that_closes_early_is_as_its_rows_say),
        TEST(a_gibibyte_through_a_pipe_is_refused_quickly),
        TEST(a_mapping_that_joins_nothing_is_an_error),
        TEST(a_joined_key_twice_is_an_error),
        TEST(columns_a_mapping_names_must_be_there),
        TEST(a_mapping_that_is_no_mapping_is_an_error),
        TEST(one_broken_file_takes_all_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
