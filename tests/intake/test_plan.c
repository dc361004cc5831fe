/* Which table is a file, which files are meant, and standard input. */
#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "intake/plan.h"

static pf_status open_plan(intake_plan **plan, const char *name)
{
    const char *files[] = {path_of(name)};
    const intake_request r = {.files = files, .n_files = 1};
    return intake_plan_open(plan, &r, &failure);
}

/* The table a file of this name and content is taken for. */
static const char *table_of_file(const char *name, const char *words)
{
    intake_plan *plan = NULL;
    put(name, words);
    if (open_plan(&plan, name) != PF_OK) return "unclear";
    const char *table = intake_table_name(plan->tables[0].map->table);
    intake_plan_free(plan);
    return table;
}

static void a_name_of_a_table_settles_it(void **state)
{
    (void)state;
    static const struct {
        const char *name, *table;
    } cases[] = {
        {"products.csv", "products"},    {"Product.csv.gz", "products"},
        {"catalogue.jsonl", "products"}, {"articles.tsv", "products"},
        {"customers.csv", "shoppers"},   {"users.csv", "shoppers"},
        {"campaigns.csv", "campaigns"},  {"coupons.csv", "promotions"},
        {"offer.csv", "promotions"},     {"scope.csv", "scope"},
        {"events.csv", "events"},        {"orders.csv", "events"},
        {"Transactions.CSV", "events"},  {"redemptions.csv", "events"},
        {"ml-1m.inter", "events"},       {"ml-1m.item.gz", "products"},
        {"ml-1m.user", "shoppers"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(table_of_file(cases[i].name, "a\n1\n"), cases[i].table);
}

static void else_the_columns_tell(void **state)
{
    (void)state;
    static const struct {
        const char *header, *table;
    } cases[] = {
        {"time,type,user", "events"},
        {"timestamp,user_id,item_id", "events"},
        {"date,order_id,sku", "events"},
        {"rating,timestamp,x", "events"},
        {"promotion_id,product_id", "scope"},
        {"promotion_id,product_id,value", "promotions"},
        {"campaign_id,start,end", "campaigns"},
        {"sku,colour", "products"},
        {"customer_id,created_at", "shoppers"},
        {"id,name,brand", "products"},
        {"id,name", "unclear"},
        {"a,b,c", "unclear"},
        {"2024-05-01,p1,s1", "unclear"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(table_of_file("x.csv", cases[i].header), cases[i].table);
    assert_string_equal(table_of_file("x.jsonl", "{\"sku\":\"1\",\"colour\":\"red\"}\n"),
                        "products");
    assert_string_equal(
        table_of_file("x.jsonl", "{\"user\":\"1\",\"x\":{\"event\":3}}\n"), "shoppers");
    assert_string_equal(
        table_of_file("x.jsonl", "{\"type\":\"identify\",\"userId\":\"u\"}\n"), "events");
}

static void an_unclear_file_is_a_question(void **state)
{
    (void)state;
    intake_plan *plan = NULL;
    put("x.csv", "a,b\n1,2\n");
    assert_int_equal(open_plan(&plan, "x.csv"), PF_DATA);
    assert_failure(1, "which table is this? Its first line says: a, b.");
    assert_failure(0, "--table events");
    put("x.csv", "");
    assert_int_equal(open_plan(&plan, "x.csv"), PF_DATA);
    assert_failure(0, "the file is empty");
}

static void events_that_do_not_say_what_happened_are_refused(void **state)
{
    (void)state;
    put("e.csv", "shopper,product,time\ns,p,2024-05-01\n");
    run_table(PF_DATA, "events", "e.csv");
    assert_failure(1, "no column says what happened");
    put("e.jsonl", "{\"shopper\":\"s\",\"product\":\"p\",\"time\":\"2024-05-01\"}\n"
                   "{\"shopper\":\"s\",\"product\":\"p\",\"time\":\"2024-05-01\","
                   "\"rating\":4}\n");
    run_table(PF_OK, "events", "e.jsonl");
    assert_one_reject(REASON_MISSING_VALUE, 1, 0, "nothing says what happened");
    assert_int_equal(totals().added, 1);
}

static void tables_of_one_kind_have_labels_of_their_own(void **state)
{
    (void)state;
    put("e.csv", "shopper,type,product,time\ns,view,p,2024-05-01\n");
    put("f.csv", "shopper,type,product,time\ns,vue,p,2024-05-02\ns,view,q,2024-05-02\n");
    run_mapping(PF_OK, "version: 1\ntables:\n"
                       "  - {table: events, files: [e.csv]}\n"
                       "  - {table: events, files: [f.csv]}\n"
                       "  - {table: events, files: [f.csv], allow_empty: true, "
                       "where: [{column: type, is: [none]}]}\n"
                       "  - {table: events, name: ../up, files: [f.csv]}\n");
    assert_string_equal(summary.tables[0].label, "events");
    assert_string_equal(summary.tables[1].label, "events-2");
    assert_string_equal(summary.tables[2].label, "events-3");
    assert_int_equal(table_of("events-3")->counts.skipped, 2);
    assert_string_equal(table_of("events-2")->rejects_file,
                        path_of("rejects/20250101T000000Z-events-2.csv"));
    /* A name is no way out of the folder. */
    assert_string_equal(table_of("../up")->rejects_file,
                        path_of("rejects/20250101T000000Z-___up.csv"));
}

static void with_stdin(const char *words, void (*what)(void))
{
    int ends[2];
    const int was = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], words, strlen(words)), strlen(words));
    close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    what();
    assert_int_equal(dup2(was, STDIN_FILENO), STDIN_FILENO);
    close(was);
}

static void load_stdin(void)
{
    run_files(PF_OK, "-");
    assert_int_equal(totals().added, 1);
    assert_string_equal(table_of("events")->files[0].file, "standard input");
}

static void load_stdin_by_mapping(void)
{
    run_mapping(PF_OK, "version: 1\ntables:\n  - {table: events, files: [\"-\"]}\n");
    assert_int_equal(totals().added, 1);
}

static void leave_stdin(void)
{
    intake_plan *plan = NULL;
    assert_int_equal(open_plan(&plan, "-"), PF_OK);
    intake_plan_free(plan);
}

static void standard_input_is_a_file(void **state)
{
    (void)state;
    with_stdin("shopper,type,product,time\ns,view,p,2024-05-01\n", load_stdin);
    with_stdin("shopper,type,product,time\ns,view,p,2024-05-02\n", load_stdin_by_mapping);
    with_stdin("shopper,type,product,time\ns,view,p,2024-05-02\n", leave_stdin);
}

static void too_many_files_are_a_limit(void **state)
{
    (void)state;
    const char *files[MAPPING_TABLES_MAX + 1];
    intake_plan *plan = NULL;
    put("products.csv", "id\n1\n");
    const char *one = path_of("products.csv");
    for (size_t i = 0; i <= MAPPING_TABLES_MAX; i++)
        files[i] = one;
    const intake_request r = {.files = files, .n_files = MAPPING_TABLES_MAX + 1};
    assert_int_equal(intake_plan_open(&plan, &r, &failure), PF_LIMIT);
    assert_failure(0, "more than 64 files at once");
}

static void a_file_named_like_a_pattern_is_itself(void **state)
{
    (void)state;
    put("e[1].csv", "shopper,type,product,time\ns,view,p,2024-05-01\n");
    put("e1.csv", "shopper,type,product,time\ns,view,p,2024-05-02\n");
    run_mapping(PF_OK,
                "version: 1\ntables:\n  - {table: events, files: [\"e[1].csv\"]}\n");
    assert_string_equal(events_of("s"), "view p 2024-05-01T00:00:00Z 1 -1\n");
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    put("e.jsonl",
        "{\"shopper\":\"s\",\"product\":\"p\",\"time\":1,\"type\":\"view\"}\n");
    put("m.yaml",
        "version: 1\ntables:\n  - table: events\n    files: [\"e.*\", e.jsonl]\n"
        "    joins: [{files: [a, b], keys: [{left: x, right: y}]}]\n"
        "    fields: [{from: t, to: time}, {from: k, to: type}, {from: s, to: "
        "shopper}]\n");
    for (int turn = 0; turn < 2; turn++)
        for (fault f = {0}; fault_next(&f);) {
            intake_plan *plan = NULL;
            const pf_status s = open_plan(&plan, turn ? "m.yaml" : "e.jsonl");
            const bool failed = fault_reached(&f);
            assert_int_equal(s, failed ? PF_NO_MEMORY : PF_OK);
            intake_plan_free(plan);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_name_of_a_table_settles_it),
        TEST(else_the_columns_tell),
        TEST(an_unclear_file_is_a_question),
        TEST(events_that_do_not_say_what_happened_are_refused),
        TEST(tables_of_one_kind_have_labels_of_their_own),
        TEST(standard_input_is_a_file),
        TEST(too_many_files_are_a_limit),
        TEST(a_file_named_like_a_pattern_is_itself),
        TEST(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
