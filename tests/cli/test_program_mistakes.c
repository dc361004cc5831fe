/* Protects people who err: the likeliest mistakes, each with the exit code a script may ask
 * for and one line that names what is wrong and the way out. A message that only said
 * "invalid argument" would pass no line of these tables. */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

typedef struct mistake {
    const char *typed[8];
    int code;
    const char *wrong, *way_out;
} mistake;

/* workspace NULL: what was typed says it. */
static void assert_told(const mistake *m, const char *workspace)
{
    const char *words[16];
    size_t n = 0;
    for (; m->typed[n] != NULL; n++)
        words[n] = m->typed[n];
    if (workspace != NULL) {
        words[n++] = "-w";
        words[n++] = workspace;
    }
    words[n] = NULL;
    const ran *r = program_run(words);
    if (r->code != m->code)
        fail_msg("'%s %s' ended with %d and not with %d\n%s", words[0], words[1], r->code,
                 m->code, r->err);
    assert_contains(r->err, m->wrong);
    assert_contains(r->err, m->way_out);
    assert_int_equal(strncmp(r->err, "proffer: ", 9), 0);
    assert_ptr_equal(strchr(r->err, '\n'), r->err + r->err_n - 1);
}

static void assert_all_told(const mistake *all, size_t n, const char *workspace)
{
    for (size_t i = 0; i < n; i++)
        assert_told(&all[i], workspace);
}

#define ALL_TOLD(all, workspace)                                                         \
    assert_all_told(all, sizeof(all) / sizeof(all)[0], workspace)

static void there_is_no_workspace(void **state)
{
    (void)state;
    static const mistake all[] = {
        {{"import", "x.csv"},
         4,
         "there is no workspace here",
         "make one with `proffer init .`"},
        {{"decide", "-w", "/nonexistent/shop"}, 4, "/nonexistent/shop", "proffer init"},
    };
    ALL_TOLD(all, NULL);
    const mistake on_a_file = {
        {"doctor", "-w", put("a-file", "")}, 2, "a-file' is a file", "is a folder"};
    assert_told(&on_a_file, NULL);
}

static void something_is_left_out_or_one_word_too_much(void **state)
{
    (void)state;
    static const mistake all[] = {
        {{"import"}, 2, "name the files", "--mapping FILE"},
        {{"search"}, 2, "needs QUERY", "proffer search --help"},
        {{"search", ""}, 2, "some words", "limit"},
        {{"explain"}, 2, "needs SHOPPER", "proffer explain --help"},
        {{"profile", "s01", "s02"}, 2, "'s02' is one too many", "at most 1 argument"},
        {{"import", "--mapping=a.yaml", "--table"}, 2, "--table needs", "--table NAME"},
        {{"export"}, 2, "say either", "--shopper ID or --decisions"},
        {{"export", "--shopper", "s01", "--decisions"}, 2, "either", "--decisions"},
        {{"export", "--shopper", "s01", "--run", "x"},
         2,
         "--run",
         "goes with --decisions"},
        {{"evaluate", "--items", "x"}, 2, "--items", "goes with --sequences FILE"},
        {{"evaluate", "--k", "5"}, 2, "--k", "goes with --models LIST"},
        {{"evaluate", "--sequences", "x", "--test-from", "2026-01-01"},
         2,
         "--test-from",
         "is for campaigns alone"},
        {{"forget", "s01"}, 2, "erases shopper s01", "--yes"},
        {{"completion"}, 2, "bash|zsh|fish", "--help"},
        {{"completion", "powershell"}, 2, "powershell", "bash, zsh, fish"},
    };
    ALL_TOLD(all, corner());
}

/* Whatever is wrong with a file of sequences or of items is said with the file's name. */
static void a_file_to_compare_on_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *sequences, *items; /* what stands in them; items NULL: none is given */
        const char *models, *wrong, *way_out;
    } cases[] = {
        {"", NULL, "counts", "seq.txt: ", "holds no sequences"},
        {"\n\n", NULL, "counts", "seq.txt: ", "holds no sequences"},
        {"u1 a\n", NULL, "counts", "seq.txt: ", "no shopper has 3 events"},
        {"u1 a b c\nu2\n", NULL, "counts", "seq.txt:2: ", "the user has no items"},
        {"u1 a b\xff\n", NULL, "counts", "seq.txt:1:7: ", "no UTF-8"},
        {"u1 a a a a\nu2 a a a\n", NULL, "transformer", "seq.txt: ", "single product"},
        {"u1 a b c\n", NULL, "transformer", "seq.txt: ", "no shopper has two events"},
        {"user_id:token\tthing:token\nu\ta\n", NULL, "counts", "seq.txt:1: ", "item_id:token"},
        {"user_id:token\titem_id:token\ttimestamp:float\nu\ta\tsoon\n", NULL, "counts",
         "seq.txt:2:3: ", "no time"},
        {"u1 a b c\n", "", "text", "items.tsv: ", "names of the columns"},
        {"u1 a b c\n", "item\n", "text", "items.tsv:1: ", "at least one of text"},
        {"u1 a b c\n", "item\ttitle\na\tx\na\ty\n", "text", "items.tsv:3:1: ", "second time"},
        {"u1 a b c\n", "item\ttitle\na\n", "text", "items.tsv:2: ", "1 fields, the header 2"},
        {"u1 a b c\n", "item\ttitle\nzz\ta dress\n", "text", "items.tsv: ",
         "none of its 1 rows is of an item of the sequences"},
        {"u1 a b c\n", "item\tprice\na\t1\nb\t2\n", "text", "items.tsv: ",
         "only identifiers and numbers"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *words[] = {"evaluate", "--sequences", put("seq.txt", cases[i].sequences),
                               "--models", cases[i].models, NULL, NULL, NULL};
        if (cases[i].items != NULL) {
            words[5] = "--items";
            words[6] = put("items.tsv", cases[i].items);
        }
        const ran *r = program_run(words);
        assert_int_equal(r->code, 3);
        assert_contains(r->err, cases[i].wrong);
        assert_contains(r->err, cases[i].way_out);
    }
}

/* A model that the data do not suit says nothing of the others. */
static void one_model_that_does_not_suit_leaves_the_others(void **state)
{
    (void)state;
    const char *file = put("single.txt", "u1 a a a a\nu2 a a a\n");
    const char *words[] = {"evaluate", "--sequences", file, "--models", "counts,transformer", NULL};
    const ran *r = program_run(words);
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "popularity");
    assert_contains(r->err, "transformer is left out");
    assert_contains(r->err, "single product");
}

/* When nothing at all suits, that is no empty table. */
static void no_model_that_suits_is_an_error(void **state)
{
    (void)state;
    const char *file = put("single.txt", "u1 a a a a\nu2 a a a\n");
    const char *words[] = {"evaluate", "--sequences",         file,
                           "--models", "gru4rec,transformer", NULL};
    const ran *r = program_run(words);
    assert_int_equal(r->code, 3);
    assert_contains(r->err, "single product");
    assert_string_equal(r->out, "");
}

static void copies_are_asked_for_where_nothing_is_copied(void **state)
{
    (void)state;
    const char *file = put("three.txt", "u1 a b c\nu2 b c a\nu3 c a b\n");
    static const char *const models[] = {"counts", "counts,blend", "transformer"};
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        const char *words[] = {"evaluate", "--sequences", file, "--models",
                               models[i],  "--copies",    "3",  NULL};
        const ran *r = program_run(words);
        assert_int_equal(r->code, 2);
        assert_contains(r->err, "copies");
        assert_contains(r->err, "as in transformer,blend");
    }
}

static void values_are_of_the_wrong_kind(void **state)
{
    (void)state;
    static const mistake all[] = {
        {{"search", "milk", "--limit", "0"}, 2, "'0'", "whole number from 1 to 200"},
        {{"search", "milk", "--limit", "ten"}, 2, "'ten'", "whole number from 1 to 200"},
        {{"recommend", "s01", "--limit", "-3"}, 2, "'-3'", "from 1 to 1000"},
        {{"message", "--sample", "1.5"}, 2, "'1.5'", "whole number"},
        {{"train", "--threads", "0"}, 2, "'0'", "from 1 to 1024"},
        {{"evaluate", "--bootstrap", "3"}, 2, "'3'", "from 50"},
        {{"decide", "--budget", "lots"}, 2, "'lots' is no amount in CNY", "such as 250"},
        {{"decide", "--budget", "12,50"}, 2, "'12,50'", "such as 250"},
        {{"decide", "--budget", "-5"}, 2, "'-5' is no amount", "such as 250"},
        {{"decide", "--budget="}, 2, "'' is no amount", "such as 250"},
        {{"decide", "--at", "yesterday"},
         2,
         "'yesterday' is no time",
         "2026-11-01T09:00:00"},
        {{"profile", "s01", "--at", "2026-13-01"}, 2, "'2026-13-01'", "2026-11-01"},
        {{"evaluate", "--test-from", "soon"}, 2, "'soon' is no time", "2026-11-01"},
        {{"message", "--language", "fr"}, 2, "'fr'", "en and zh"},
        {{"import", "x.csv", "--table", "produkts"},
         2,
         "'produkts'",
         "products, shoppers"},
    };
    ALL_TOLD(all, corner());
    static const mistake init[] = {{{"init", "shop", "--currency", "euro"},
                                    2,
                                    "'euro' is no ISO 4217",
                                    "such as EUR"}};
    ALL_TOLD(init, NULL);
    assert_false(file_exists(in_folder("shop/proffer.yaml")));
}

static void names_lead_nowhere(void **state)
{
    (void)state;
    static const mistake all[] = {
        {{"profile", "S01"}, 4, "no shopper", "'S01'"},
        {{"recommend", "nobody"}, 4, "no shopper", "'nobody'"},
        {{"forget", "nobody", "--yes"}, 4, "no shopper", "'nobody'"},
        {{"decide", "--campaign", "jnue"}, 4, "'jnue'", "did you mean 'june'?"},
        {{"decide"}, 4, "no promotion is live at 2026-05-30", "--campaign"},
        {{"decide", "--campaign", "june", "--at", "2026-09-01"},
         4,
         "campaign june",
         "--at"},
        {{"explain", "s01"}, 4, "nothing was decided yet", "proffer decide"},
        {{"message"}, 4, "nothing was decided yet", "proffer decide"},
        {{"export", "--decisions"}, 4, "nothing was decided yet", "proffer decide"},
        {{"report"}, 4, "nothing was measured", "proffer evaluate"},
        {{"import", "nothere.csv"}, 4, "nothere.csv", "no such file"},
        {{"demo", "--data", "/nonexistent"}, 4, "/nonexistent", "--data DIR"},
    };
    ALL_TOLD(all, corner());
}

static void nothing_was_imported_yet(void **state)
{
    (void)state;
    static const mistake all[] = {
        {{"search", "milk"}, 4, "no products yet", "import some first"},
        {{"train"}, 4, "no events yet", "import some first"},
        {{"evaluate"}, 4, "no events yet", "import some first"},
        {{"decide"}, 4, "no promotions yet", "import some first"},
        {{"decide", "--campaign", "june"}, 4, "no promotions yet", "import some first"},
        {{"profile", "s01"}, 4, "no shoppers yet", "import some first"},
        {{"recommend", "s01"}, 4, "no shoppers yet", "import some first"},
        {{"explain", "s01"}, 4, "no shoppers yet", "import some first"},
        {{"export", "--shopper", "s01"}, 4, "no shoppers yet", "import some first"},
        {{"message"}, 4, "nothing was decided", "proffer decide"},
        {{"report"}, 4, "nothing was measured", "proffer decide"},
    };
    const char *w = empty_workspace("empty");
    ALL_TOLD(all, w);
    RUN_CODE(0, "doctor", "-w", w);
}

/* --- files ------------------------------------------------------------------------------- */

static void files_are_not_what_was_expected(void **state)
{
    (void)state;
    const char *w = empty_workspace("wrong-files");
    assert_int_equal(mkdir(in_folder("folder"), 0700), 0);
    const mistake all[] = {
        {{"import", put("empty.csv", "")}, 3, "empty.csv", "names of the columns"},
        {{"import", put("odd.csv", "foo,bar\n1,2\n")}, 3, "foo, bar", "--table events"},
        {{"import", put("book.xlsx", "PK\003\004xxxx")}, 3, "Excel workbook", "as CSV"},
        {{"import", put("u16.csv", "\xFF\xFEi\1d\1")}, 3, "UTF-16", "save it as UTF-8"},
        {{"import", in_folder("folder")}, 5, "this is a folder", "name the files in it"},
        {{"import", put("no-id.csv", "name,price\nx,1\n"), "--table", "products"},
         3,
         "no column could be the id",
         "write a mapping file"},
    };
    ALL_TOLD(all, w);
}

static const char *mapping_with(const char *from, const char *to, const char *file)
{
    char yaml[512];
    (void)snprintf(
        yaml, sizeof yaml,
        "version: 1\ntables:\n  - table: products\n    files: [%s]\n    fields:\n"
        "      - {from: sku, to: id}\n      - {from: %s, to: %s}\n",
        file, from, to);
    return put("mistaken.yaml", yaml);
}

static void the_mapping_file_names_what_is_not_there(void **state)
{
    (void)state;
    const char *w = empty_workspace("wrong-mapping");
    (void)put("p.csv", "sku,name\n1,Milk\n");
    const mistake column = {
        {"import", "--mapping", mapping_with("nme", "title", "p.csv")},
        3,
        "a column 'nme'",
        "the header has: sku, name"};
    assert_told(&column, w);
    const mistake field = {
        {"import", "--mapping", mapping_with("name", "titel", "p.csv")},
        2,
        "no field 'titel'",
        "did you mean 'title'"};
    assert_told(&field, w);
    const mistake file = {{"import", "--mapping", mapping_with("name", "title", "q.csv")},
                          4,
                          "q.csv",
                          "no such file"};
    assert_told(&file, w);
    const mistake key = {
        {"import", "--mapping", put("key.yaml", "version: 1\ntabels: []\n")},
        2,
        "key.yaml:2:1",
        "tabels"};
    assert_told(&key, w);
    const mistake both = {{"import", "--mapping", corner_mapping(), in_folder("p.csv")},
                          2,
                          "names its own files",
                          "leave out the others"};
    assert_told(&both, w);
    const mistake table = {{"import", "--mapping", corner_mapping(), "--table", "events"},
                           2,
                           "says which table",
                           "leave out the table"};
    assert_told(&table, w);
}

static void amounts_are_in_another_currency(void **state)
{
    (void)state;
    const char *w = in_folder("dollars");
    RUN_CODE(0, "init", w, "--currency", "USD", "-q");
    const mistake mapping = {
        {"import", "--mapping", corner_mapping()}, 2, "in CNY", "in USD"};
    assert_told(&mapping, w);
    (void)put("dollars/proffer.yaml", "shop: {currency: EUR}\n");
    const mistake changed = {
        {"doctor"}, 2, "in USD but proffer.yaml says EUR", "set shop.currency back"};
    assert_told(&changed, w);
}

/* --- configuration ----------------------------------------------------------------------- */

static void the_configuration_is_wrong(void **state)
{
    (void)state;
    const char *w = empty_workspace("misconfigured");
    const mistake doctor = {{"doctor"}, 2, "misconfigured/proffer.yaml:2:9: ", "hodlout"};
    (void)put("misconfigured/proffer.yaml",
              "shop: {currency: CNY}\ndecide: {  hodlout: 0.2}\n");
    assert_told(&doctor, w);
    const mistake value = {{"doctor"},
                           2,
                           "misconfigured/proffer.yaml: decide.holdout: '2'",
                           "between 0 and 0.9"};
    (void)put("misconfigured/proffer.yaml",
              "shop: {currency: CNY}\ndecide: {holdout: 2}\n");
    assert_told(&value, w);
    const mistake zone = {{"doctor"}, 2, "shop.time_zone: ", "Mars"};
    (void)put("misconfigured/proffer.yaml",
              "shop: {currency: CNY, time_zone: Mars/Base}\n");
    assert_told(&zone, w);
    const mistake environment = {
        {"doctor"}, 2, "from the environment: decide.holdout", "between 0 and 0.9"};
    setenv("PROFFER_DECIDE_HOLDOUT", "all", 1);
    (void)put("misconfigured/proffer.yaml", "shop: {currency: CNY}\n");
    assert_told(&environment, w);
    unsetenv("PROFFER_DECIDE_HOLDOUT");
    RUN_CODE(0, "doctor", "-w", w);
}

static void the_store_is_no_store(void **state)
{
    (void)state;
    const char *w = empty_workspace("no-store");
    (void)put("no-store/proffer.db", "these are my notes, not a database\n");
    const mistake all[] = {{{"doctor"}, 3, "no-store/proffer.db", "was not touched"}};
    ALL_TOLD(all, w);
    char *bytes = NULL;
    size_t n = 0;
    assert_int_equal(
        file_read_whole(&bytes, &n, in_folder("no-store/proffer.db"), 1000, NULL), PF_OK);
    assert_string_equal(bytes, "these are my notes, not a database\n");
    mem_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_no_workspace),
        cmocka_unit_test(something_is_left_out_or_one_word_too_much),
        cmocka_unit_test(a_file_to_compare_on_is_wrong),
        cmocka_unit_test(one_model_that_does_not_suit_leaves_the_others),
        cmocka_unit_test(no_model_that_suits_is_an_error),
        cmocka_unit_test(copies_are_asked_for_where_nothing_is_copied),
        cmocka_unit_test(values_are_of_the_wrong_kind),
        cmocka_unit_test(names_lead_nowhere),
        cmocka_unit_test(nothing_was_imported_yet),
        cmocka_unit_test(files_are_not_what_was_expected),
        cmocka_unit_test(the_mapping_file_names_what_is_not_there),
        cmocka_unit_test(amounts_are_in_another_currency),
        cmocka_unit_test(the_configuration_is_wrong),
        cmocka_unit_test(the_store_is_no_store),
    };
    return cmocka_run_group_tests(tests, program_begin, program_end);
}
