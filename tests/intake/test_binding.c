/* intake/binding.h, join.h, convert.h: the mapping laid over columns that come late, clash,
 * stand twice, or are joined. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "intake/binding.h"
#include "intake/join.h"

/* What a table binds in a file of this content: "id <- a; kept: b" or the failure. */
static const char *bind(const char *name, const char *words, const map_table *t)
{
    static char into[512];
    byte_source *source = NULL;
    table_reader *r = NULL;
    binding *b = NULL;
    const reader_options o = {.table = t->table};
    const joined_names none = {NULL, 0};
    put(name, words);
    pf_status s = byte_source_open(&source, path_of(name), NULL, &failure);
    if (s == PF_OK) s = table_reader_open(&r, source, &o, &failure);
    if (s == PF_OK) s = binding_make(&b, t, r, none, &failure);
    snprintf(into, sizeof into, "%s", failure.message);
    if (s == PF_OK) binding_describe(b, into, sizeof into);
    binding_free(b);
    table_reader_close(r);
    return into;
}

static const char *guess(intake_table table, const char *header)
{
    char words[256];
    const map_table t = {.table = table};
    snprintf(words, sizeof words, "%s\n1\n", header);
    return bind("x.csv", words, &t);
}

static void the_surest_name_wins_and_the_others_are_kept(void **state)
{
    (void)state;
    assert_string_equal(guess(TABLE_PRODUCTS, "sku,id,name,colour"),
                        "id <- id, title <- name; kept: sku, colour");
    assert_string_equal(
        guess(TABLE_EVENTS, "type,user,date,time,price,paid,sku"),
        "type <- type, shopper <- user, product <- sku, time <- time, paid "
        "<- paid; kept: date, price");
    assert_string_equal(guess(TABLE_CAMPAIGNS, "campaign_id,ends,end_date"),
                        "id <- campaign_id, ends <- ends; kept: end_date");
    assert_string_equal(guess(TABLE_PROMOTIONS, "coupon_id,end"),
                        "id <- coupon_id, ends_on <- end");
    assert_string_equal(guess(TABLE_SCOPE, "coupon_id,sku,x"),
                        "promotion <- coupon_id, product <- sku");
    assert_non_null(
        strstr(guess(TABLE_PRODUCTS, "a,b"),
               "no column could be the id of products; the first line says: a, "
               "b"));
}

static void ignored_columns_are_not_kept(void **state)
{
    (void)state;
    char *ignore[] = {(char[]){"b"}, (char[]){"nowhere"}};
    map_table t = {.table = TABLE_PRODUCTS, .ignore = ignore, .ignore_count = 2};
    assert_string_equal(bind("x.csv", "id,a,b,\n1,2,3,4\n", &t), "id <- id; kept: a");
    t.other_columns = OTHERS_IGNORE;
    assert_string_equal(bind("x.csv", "id,a,b,\n1,2,3,4\n", &t), "id <- id");
}

static void a_value_twice_and_a_template_without_end_are_refused(void **state)
{
    (void)state;
    map_value values[] = {{(char[]){"a"}, (char[]){"b"}}, {(char[]){"a"}, (char[]){"c"}}};
    map_field fields[] = {{.to = (char[]){"id"},
                           .from = (char[]){"id"},
                           .values = values,
                           .values_count = 2}};
    map_table t = {.table = TABLE_PRODUCTS, .fields = fields, .fields_count = 1};
    assert_string_equal(bind("x.csv", "id\n1\n", &t),
                        "'a' stands twice among the values of "
                        "id");
    char pieces[65 * 4 + 1] = "";
    for (int i = 0; i < 65; i++)
        memcpy(pieces + 4 * i, "{id}", 5);
    fields[0] = (map_field){.to = (char[]){"id"}, .template = pieces};
    assert_string_equal(bind("x.csv", "id\n1\n", &t),
                        "a template has more than 64 parts");
}

/* --- columns that come late ----------------------------------------------------------- */

static bool note_attributes(void *context, const event_record *e)
{
    char *into = context;
    const size_t n = strlen(into);
    snprintf(into + n, 1000 - n, "%.*s %.*s;", (int)e->product.n, e->product.data,
             (int)e->attributes.n, e->attributes.data);
    return true;
}

static void json_columns_may_come_late(void **state)
{
    (void)state;
    char into[1000] = "";
    put("e.jsonl",
        "{\"t\":\"2024-05-01\",\"k\":\"view\",\"s\":\"s1\",\"p\":\"a\"}\n"
        "{\"t\":\"2024-05-02\",\"k\":\"view\",\"s\":\"s1\",\"p\":\"b\",\"state\":"
        "\"test\"}\n"
        "{\"t\":\"2024-05-03\",\"k\":\"view\",\"s\":\"s1\",\"p\":\"c\",\"c\":\"red\","
        "\"more\":true,\"state\":\"live\"}\n"
        "{\"t\":\"2024-05-04\",\"k\":\"view\",\"s\":\"s1\",\"q\":\"d\"}\n");
    run_mapping(
        PF_OK, "version: 1\ntables:\n  - table: events\n    files: [e.jsonl]\n"
               "    where: [{column: state, is_not: [test]}]\n    fields:\n"
               "      - {from: t, to: time}\n      - {from: k, to: type}\n"
               "      - {from: s, to: shopper}\n      - {from: c, to: attribute.colour}\n"
               "      - {template: \"{p}{q}\", to: attribute.both}\n"
               "      - {from: p, to: product, default: none}\n");
    assert_int_equal(totals().added, 3);
    assert_int_equal(totals().skipped, 1);
    assert_int_equal(store_visit_events(the_store(), 1, note_attributes, into, NULL),
                     PF_OK);
    assert_string_equal(into, "a {\"both\":\"a\"};"
                              "c {\"colour\":\"red\",\"both\":\"c\",\"state\":\"live\","
                              "\"more\":true};"
                              "none {\"both\":\"d\"};");
}

static void json_columns_are_guessed_as_they_come(void **state)
{
    (void)state;
    put("e.jsonl", "{\"id\":\"1\",\"type\":\"view\",\"amount\":\"1.00\"}\n"
                   "{\"id\":\"2\",\"type\":\"view\",\"user\":\"s1\",\"sku\":\"p\","
                   "\"ts\":1714557600}\n"
                   "{\"id\":\"3\",\"type\":\"purchase\",\"user\":\"s1\",\"sku\":\"p\","
                   "\"time\":1714557601,\"paid\":\"2.00\"}\n");
    run_table(PF_OK, "events", "e.jsonl");
    assert_one_reject(REASON_MISSING_VALUE, 1, 0, "time");
    assert_string_equal(events_of("s1"), "view p 2024-05-01T10:00:00Z 1 -1\n"
                                         "purchase p 2024-05-01T10:00:01Z 1 200\n");
}

static void amounts_that_come_late_need_a_currency_too(void **state)
{
    (void)state;
    put("p.jsonl", "{\"id\":\"1\"}\n{\"id\":\"2\",\"price\":3.5}\n");
    fixture_options.currency = (currency){0};
    run_table(PF_USAGE, "products", "p.jsonl");
    assert_failure(0, "amounts (price) and nothing says in which currency");
    put("p.csv", "id,currency\n1,EUR\n");
    run_table(PF_OK, "products", "p.csv");
    assert_one_reject(REASON_BAD_CURRENCY, 2, 2, "no currency yet");
}

static void an_id_with_a_blank_part_is_blank(void **state)
{
    (void)state;
    put("p.csv", "a,b\n1,x\n2,\n,\n");
    run_mapping(PF_OK, "version: 1\ntables:\n  - table: products\n    files: [p.csv]\n"
                       "    fields:\n      - {template: \"{a}:{b}\", to: id}\n"
                       "      - {template: \"{a} {b}\", to: title}\n");
    assert_int_equal(totals().added, 1);
    assert_int_equal(table_of(NULL)->by_reason[REASON_MISSING_VALUE], 2);
}

static void attributes_keep_their_kinds(void **state)
{
    (void)state;
    put("p.jsonl",
        "{\"id\":\"1\",\"category\":[\"A\",\"B\"],\"n\":007e1,\"x\":1}\n"
        "{\"id\":\"2\",\"category\":[\"A\",\"B\"],\"tags\":[],\"y\":[\"q\"]}\n");
    run_table(PF_OK, "products", "p.jsonl");
    assert_one_reject(REASON_BAD_JSON, 1, 0, "byte");
    shop_catalogue *c;
    assert_int_equal(store_load_catalogue(the_store(), &c, NULL), PF_OK);
    assert_string_equal(c->categories[c->products[1].category].path, "A > B");
    assert_string_equal(c->products[1].attributes, "{\"y\":[\"q\"]}");
    catalogue_free(c);
}

static void attributes_nested_too_deeply_are_a_reject(void **state)
{
    (void)state;
    char line[1000];
    size_t n = (size_t)snprintf(line, sizeof line, "{\"id\":\"1\",\"x\":[");
    for (int i = 0; i < 62; i++)
        line[n++] = '[';
    for (int i = 0; i < 62; i++)
        line[n++] = ']';
    n += (size_t)snprintf(line + n, sizeof line - n, "]}\n");
    put_n("p.jsonl", line, n);
    run_table(PF_OK, "products", "p.jsonl");
    assert_int_equal(totals().rejected + totals().added, 1);
}

static void what_an_event_needs(void **state)
{
    (void)state;
    static const struct {
        const char *row, *words; /* words NULL: it loads */
    } cases[] = {
        {"redemption,,m1,,", NULL},
        {"redemption,p1,,,", "a redemption needs"},
        {"click,,,,", "a click needs"},
        {"click,p1,,,", NULL},
        {"click,,m1,,", NULL},
        {"click,,,c1,", NULL},
        {"dismissal,,,,", "a dismissal"},
        {"unsubscribe,,,,", NULL},
        {"exposure,p1,,,", "an exposure"},
        {"exposure,,,c1,", NULL},
        {"rating,p1,,,4.5", NULL},
        {"rating,p1,,,1e9", "larger than a million"},
        {"rating,,,,4", "a rating needs"},
        {"return,p1,,,", NULL},
    };
    char file[256];
    put_catalogue();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(file, sizeof file,
                 "type,product,promotion,campaign,rating,shopper,time\n%s,s1,%u\n",
                 cases[i].row, 1714557600u + (unsigned)i);
        put("e.csv", file);
        run_table(PF_OK, "events", "e.csv");
        if (cases[i].words == NULL)
            assert_int_equal(totals().added, 1);
        else
            assert_one_reject(REASON_MISSING_VALUE +
                                  (strstr(cases[i].words, "larger")
                                       ? REASON_OUT_OF_RANGE - REASON_MISSING_VALUE
                                       : 0),
                              2, 0, cases[i].words);
    }
}

/* --- joins ---------------------------------------------------------------------------- */

static const map_table joining = {.table = TABLE_EVENTS};

static join_table *load_join(const char *words, const map_table *t, const map_join *j,
                             pf_status expected)
{
    join_table *out = NULL;
    put("right.csv", words);
    char *files[] = {(char *)(uintptr_t)path_of("right.csv")};
    const pf_status s = join_load(&out, t, j, files, 1, NULL, &failure);
    if (s != expected) fail_msg("%s: %s", status_name(s), failure.message);
    return out;
}

static void only_named_columns_are_kept(void **state)
{
    (void)state;
    map_key key = {(char[]){"k"}, (char[]){"key"}};
    map_field fields[] = {{.to = (char[]){"time"}, .from = (char[]){"o_when"}},
                          {.to = (char[]){"type"}, .template = (char[]){"{o_a}-{x}"}}};
    map_condition where = {.column = (char[]){"o_state"}};
    const map_table t = {.table = TABLE_EVENTS,
                         .fields = fields,
                         .fields_count = 2,
                         .where = &where,
                         .where_count = 1};
    const map_join j = {.on = &key, .on_count = 1, .prefix = (char[]){"o_"}};
    join_table *join =
        load_join("key,when,a,b,state,x\n 1 ,w1,a1,b1,s1,x\n,w,a,b,s,x\n2,w2,,"
                  ",s2,x\n",
                  &t, &j, PF_OK);
    text cells[4];
    assert_int_equal(join_columns(join), 3);
    assert_true(text_is(join_column(join, 0), "o_when"));
    assert_true(text_is(join_column(join, 1), "o_a"));
    assert_true(text_is(join_column(join, 2), "o_state"));
    assert_true(join_find(join, (text[]){text_of("1")}, cells));
    assert_true(text_is(cells[0], "w1") && text_is(cells[1], "a1") &&
                text_is(cells[2], "s1"));
    assert_true(join_find(join, (text[]){text_of("2")}, cells));
    assert_true(text_is(cells[0], "w2") && cells[1].n == 0);
    assert_false(join_find(join, (text[]){text_of("3")}, cells));
    assert_int_equal(cells[0].n, 0);
    assert_false(join_find(join, (text[]){text_of("")}, cells));
    assert_int_equal(join_check_matched(join, &failure), PF_OK);
    join_free(join);
}

static void parts_of_a_key_do_not_run_together(void **state)
{
    (void)state;
    map_key keys[] = {{(char[]){"a"}, (char[]){"a"}}, {(char[]){"b"}, (char[]){"b"}}};
    map_field field = {.to = (char[]){"type"}, .from = (char[]){"v"}};
    const map_table t = {.table = TABLE_EVENTS, .fields = &field, .fields_count = 1};
    const map_join j = {.on = keys, .on_count = 2};
    join_table *join = load_join("a,b,v\n1,23,x\n12,3,y\n", &t, &j, PF_OK);
    text cells[1];
    assert_true(join_find(join, (text[]){text_of("1"), text_of("23")}, cells));
    assert_true(text_is(cells[0], "x"));
    assert_true(join_find(join, (text[]){text_of("12"), text_of("3")}, cells));
    assert_true(text_is(cells[0], "y"));
    assert_false(join_find(join, (text[]){text_of("123"), text_of("")}, cells));
    join_free(join);
}

static void too_many_bad_rows_of_a_joined_file_are_an_error(void **state)
{
    (void)state;
    enum { ROWS = 10002 };
    map_key key = {(char[]){"k"}, (char[]){"key"}};
    const map_join j = {.on = &key, .on_count = 1};
    char *file = mem_alloc(ROWS + 4, 8);
    size_t n = (size_t)snprintf(file, 16, "key,v\n");
    for (int i = 0; i < ROWS; i++)
        n += (size_t)snprintf(file + n, 8, "bad\n");
    load_join(file, &joining, &j, PF_DATA);
    assert_failure(10002, "more than 10000 rows of the joined file cannot be used");
    mem_free(file);
    const map_join wide = {.on = &key, .on_count = 9};
    load_join("key\n1\n", &joining, &wide, PF_LIMIT);
}

static void joins_may_follow_each_other(void **state)
{
    (void)state;
    put("lines.csv", "order,sku\n1,a\n2,b\n");
    put("orders.csv", "no,card,day\n1,c1,2024-05-01\n2,c2,2024-05-02\n");
    put("cards.csv", "card,owner\nc1,s1\nc2,s2\n");
    run_mapping(
        PF_OK,
        "version: 1\ntables:\n  - table: events\n    files: [lines.csv]\n    joins:\n"
        "      - {files: [orders.csv], keys: [{left: order, right: no}]}\n"
        "      - {files: [cards.csv], keys: [{left: card, right: card}], prefix: x_}\n"
        "    fields:\n      - {value: purchase, to: type}\n"
        "      - {from: x_owner, to: shopper}\n      - {from: day, to: time}\n"
        "      - {from: sku, to: product}\n");
    assert_string_equal(events_of("s1"), "purchase a 2024-05-01T00:00:00Z 1 -1\n");
    assert_string_equal(events_of("s2"), "purchase b 2024-05-02T00:00:00Z 1 -1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_surest_name_wins_and_the_others_are_kept),
        TEST(ignored_columns_are_not_kept),
        TEST(a_value_twice_and_a_template_without_end_are_refused),
        TEST(json_columns_may_come_late),
        TEST(json_columns_are_guessed_as_they_come),
        TEST(amounts_that_come_late_need_a_currency_too),
        TEST(an_id_with_a_blank_part_is_blank),
        TEST(attributes_keep_their_kinds),
        TEST(attributes_nested_too_deeply_are_a_reject),
        TEST(what_an_event_needs),
        TEST(only_named_columns_are_kept),
        TEST(parts_of_a_key_do_not_run_together),
        TEST(too_many_bad_rows_of_a_joined_file_are_an_error),
        TEST(joins_may_follow_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
