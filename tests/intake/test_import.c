/* intake/intake.h: files through a mapping or a guess into the store, and what is said of
 * it afterwards. */
#include "fixture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/file.h"

#define EVENTS "id,shopper,type,product,time,quantity,paid\n"

static int64_t at(const char *iso)
{
    const time_rules r = {.form = TIME_ANY};
    int64_t us = 0;
    bool date_only;
    const char *why = "";
    if (!time_parse(iso, strlen(iso), &r, &us, &date_only, &why))
        fail_msg("%s: %s", iso, why);
    return us;
}

/* --- without a mapping --------------------------------------------------------------- */

static void a_file_with_known_names_just_loads(void **state)
{
    (void)state;
    put("events.csv", EVENTS "e1,s1,purchase,p1,2024-05-01 10:00:00,2,9.98\n"
                             "e2,s1,view,p2,2024-05-02T08:00:00Z,,\n"
                             "e3,s2,add_to_cart,p1,1714644000,1,\n");
    run_files(PF_OK, "events.csv");
    assert_int_equal(totals().added, 3);
    assert_int_equal(summary.created_shoppers, 2);
    assert_int_equal(summary.created_products, 2);
    assert_string_equal(events_of("s1"), "purchase p1 2024-05-01T10:00:00Z 2 998\n"
                                         "view p2 2024-05-02T08:00:00Z 1 -1\n");
    assert_string_equal(events_of("s2"), "add_to_cart p1 2024-05-02T10:00:00Z 1 -1\n");
    assert_non_null(strstr(table_of("events")->reading, "shopper <- shopper"));
}

static void the_same_file_twice_changes_nothing(void **state)
{
    (void)state;
    put("events.csv", EVENTS "e1,s1,purchase,p1,2024-05-01,2,9.98\n"
                             ",s1,view,p2,2024-05-02,,\n");
    put("products.csv", "id,title,price,colour\np1,Tea,3.50,green\np2,Cup,12,\n");
    run_files(PF_OK, "products.csv");
    run_files(PF_OK, "events.csv");
    char before[1024];
    snprintf(before, sizeof before, "%s", state_of_store());
    run_files(PF_OK, "products.csv");
    assert_int_equal(totals().same, 2);
    run_files(PF_OK, "events.csv");
    assert_int_equal(totals().duplicates, 2);
    assert_int_equal(totals().added, 0);
    assert_string_equal(state_of_store(), before);
}

/* A mapping of lines o,s,p,t whose id is as given. */
static void run_lines(const char *id)
{
    char yaml[512];
    snprintf(yaml, sizeof yaml,
             "version: 1\ntables:\n  - table: events\n    files: [lines.csv]\n"
             "    fields:\n      - {value: purchase, to: type}\n%s"
             "      - {from: o, to: order}\n      - {from: s, to: shopper}\n"
             "      - {from: p, to: product}\n      - {from: t, to: time}\n"
             "    unknown: {products: create}\n    other_columns: ignore\n",
             id);
    run_mapping(PF_OK, yaml);
}

static void equal_lines_are_one_event_unless_their_line_tells_them_apart(void **state)
{
    (void)state;
    put("lines.csv",
        "o,s,p,t\n1,s1,a,2024-05-01\n1,s1,a,2024-05-01\n2,s1,a,2024-05-02\n");
    run_lines("");
    assert_int_equal(totals().added, 2);
    assert_int_equal(totals().duplicates, 1);
    run_lines("      - {template: \"{o}/{#line}\", to: id}\n");
    assert_int_equal(totals().added, 3);
    run_lines("      - {template: \"{o}/{#line}\", to: id}\n");
    assert_int_equal(totals().duplicates, 3);
    put("lines.csv", "o,s,p,t,#line\n3,s1,a,2024-05-03,x\n3,s1,a,2024-05-03,y\n"
                     "3,s1,a,2024-05-03,x\n");
    run_lines("      - {template: \"{o}/{#line}\", to: id}\n");
    assert_int_equal(totals().added, 2); /* a column of that name is itself */
    assert_int_equal(totals().duplicates, 1);
}

static void a_changed_product_is_changed(void **state)
{
    (void)state;
    put("products.csv", "id,title,price\np1,Tea,3.50\np2,Cup,12\n");
    run_files(PF_OK, "products.csv");
    put("products.csv", "id,title,price\np1,Green tea,3.75\np2,,\np3,Pot,\n");
    run_files(PF_OK, "products.csv");
    assert_int_equal(totals().added, 1);
    assert_int_equal(totals().changed, 1);
    assert_int_equal(totals().same, 1);
    shop_catalogue *c;
    assert_int_equal(store_load_catalogue(the_store(), &c, NULL), PF_OK);
    assert_string_equal(c->products[1].title, "Green tea");
    assert_int_equal(c->products[1].price_minor, 375);
    assert_string_equal(c->products[2].title, "Cup"); /* a blank keeps what was there */
    assert_int_equal(c->products[2].price_minor, 1200);
    catalogue_free(c);
}

static void tables_are_told_by_name_or_by_header(void **state)
{
    (void)state;
    static const struct {
        const char *file, *header, *row, *table;
    } cases[] = {
        {"products.csv", "sku,name", "1,Tea", "products"},
        {"item.csv", "sku,name", "2,Pot", "products"},
        {"Customers.csv", "customer_id,city", "1,Rome", "shoppers"},
        {"a.csv", "customer_id,city", "2,Rome", "shoppers"},
        {"b.csv", "campaign_id,name,start,end", "c,May,2024-05-01,2024-05-31",
         "campaigns"},
        {"c.csv", "coupon_id,title,value", "k,Off,1.00", "promotions"},
        {"d.csv", "coupon_id,product_id", "k,1", "scope"},
        {"e.csv", "InvoiceNo,StockCode,InvoiceDate,CustomerID,UnitPrice",
         "9,1,2024-01-01,1,2.50", "events"},
        {"f.csv", "user_id,item_id,rating,timestamp", "1,1,4,1700000000", "events"},
        {"g.csv", "id,title,price", "5,Pot,4", "products"},
    };
    char file[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(file, sizeof file, "%s\n%s\n", cases[i].header, cases[i].row);
        put(cases[i].file, file);
        run_files(PF_OK, cases[i].file);
        assert_string_equal(summary.tables[0].table, cases[i].table);
        if (totals().added != 1)
            fail_msg("%s: %s", cases[i].file, summary.tables[0].first_reject);
    }
}

static void several_files_load_in_the_order_of_references(void **state)
{
    (void)state;
    put("events.csv", EVENTS "e1,s1,purchase,p1,2024-05-01,2,9.98\n");
    put("scope.csv", "promotion_id,product_id\nm1,p1\n");
    put("promotions.csv", "id,campaign,title,percent\nm1,c1,Ten,10%\n");
    put("campaigns.csv", "id,title\nc1,Spring\n");
    put("products.csv", "id,title\np1,Tea\n");
    put("shoppers.csv", "id,language,consent\ns1,en_GB,email|push\n");
    const char *files[] = {path_of("events.csv"),     path_of("scope.csv"),
                           path_of("promotions.csv"), path_of("campaigns.csv"),
                           path_of("products.csv"),   path_of("shoppers.csv")};
    intake_plan *plan;
    const intake_request r = {.files = files, .n_files = 6};
    assert_int_equal(intake_plan_open(&plan, &r, &failure), PF_OK);
    assert_int_equal(intake_plan_tables(plan), 6);
    assert_string_equal(intake_plan_label(plan, 0), "products");
    assert_string_equal(intake_plan_label(plan, 5), "events");
    assert_string_equal(intake_plan_file(plan, 5, 0), files[0]);
    assert_int_equal(intake_plan_files(plan, 5), 1);
    assert_int_equal(intake_run(plan, the_store(), &fixture_options, &summary, &failure),
                     PF_OK);
    intake_plan_free(plan);
    assert_int_equal(totals().added, 6);
    shop_catalogue *c;
    assert_int_equal(store_load_catalogue(the_store(), &c, NULL), PF_OK);
    assert_int_equal(c->promotions[1].kind, PROMOTION_PERCENT_OFF);
    assert_int_equal(c->promotions[1].percent_hundredths, 1000);
    assert_int_equal(c->promotions[1].n_scope, 1);
    assert_string_equal(c->shoppers[1].language, "en-GB");
    assert_int_equal(c->shoppers[1].consent_given,
                     1u << CHANNEL_EMAIL | 1u << CHANNEL_PUSH);
    catalogue_free(c);
}

static void json_lines_load_like_csv(void **state)
{
    (void)state;
    put("events.jsonl",
        "{\"id\":\"e1\",\"user\":{\"id\":\"s0\"},\"shopper\":\"s1\",\"type\":"
        "\"purchase\","
        "\"product\":\"p1\",\"time\":1714557600,\"quantity\":2,\"paid\":9.98,\"vip\":"
        "true,"
        "\"tags\":[\"a\",\"b\"],\"n\":1.50}\n"
        "{\"id\":\"e2\",\"shopper\":\"s1\",\"type\":\"view\",\"product\":\"p2\","
        "\"time\":\"2024-05-02\",\"late\":\"column\"}\n");
    run_files(PF_OK, "events.jsonl");
    assert_int_equal(totals().added, 2);
    assert_string_equal(events_of("s1"), "purchase p1 2024-05-01T10:00:00Z 2 998\n"
                                         "view p2 2024-05-02T00:00:00Z 1 -1\n");
}

static bool note_attributes(void *context, const event_record *e)
{
    char *into = context;
    const size_t n = strlen(into);
    snprintf(into + n, 1000 - n, "%.*s;", (int)e->attributes.n, e->attributes.data);
    return true;
}

static void columns_nobody_knows_are_kept_as_attributes(void **state)
{
    (void)state;
    char into[1000] = "";
    put("events.jsonl",
        "{\"shopper\":\"s1\",\"type\":\"view\",\"product\":\"p1\",\"time\":1714557600,"
        "\"vip\":true,\"tags\":[\"a\",\"b\"],\"n\":1.50,\"o\":{\"p\":\"q\\\"\"},\"x\":"
        "null}\n"
        "{\"shopper\":\"s1\",\"type\":\"view\",\"product\":\"p2\",\"time\":1714557601}"
        "\n");
    run_files(PF_OK, "events.jsonl");
    assert_int_equal(store_visit_events(the_store(), 1, note_attributes, into, NULL),
                     PF_OK);
    assert_string_equal(into, "{\"vip\":true,\"tags\":[\"a\",\"b\"],\"n\":1.50,"
                              "\"o.p\":\"q\\\"\"};;");
    put("products.csv",
        "id,title,attributes,size\np9,Cup,\"{\"\"glaze\"\":[1,{}]}\",XL\n");
    run_files(PF_OK, "products.csv");
    shop_catalogue *c;
    assert_int_equal(store_load_catalogue(the_store(), &c, NULL), PF_OK);
    const uint32_t p = intern_find(c->product_ids, "p9", 2);
    assert_string_equal(c->products[p].attributes, "{\"glaze\":[1,{}],\"size\":\"XL\"}");
    catalogue_free(c);
}

static void recbole_files_load_by_their_names(void **state)
{
    (void)state;
    put("ml.inter", "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
                    "1\t10\t4\t881250949.0\n2\t10\t5\t881250950\n");
    put("ml.item",
        "item_id:token\tmovie_title:token_seq\tclass:token_seq\n10\tToy Story\tx\n");
    put("ml.user", "user_id:token\tage:token\n1\t24\n2\t53\n");
    run_files(PF_OK, "ml.item");
    run_files(PF_OK, "ml.user");
    run_files(PF_OK, "ml.inter");
    assert_string_equal(events_of("1"), "rating 10 1997-12-04T15:55:49Z 1 -1\n");
}

static void packed_files_and_other_delimiters_load_the_same(void **state)
{
    (void)state;
    static const char file[] =
        "shopper;type;product;time;paid\ns1;purchase;p1;2024-05-01;3,50\n";
    put_gzip("events.csv.gz", file, sizeof file - 1);
    put_zstd("e.bin", file, sizeof file - 1);
    static const char yaml[] = "version: 1\ndecimal: \",\"\ntables:\n"
                               "  - {table: events, files: [%s]}\n";
    char text_of_mapping[256];
    snprintf(text_of_mapping, sizeof text_of_mapping, yaml, "events.csv.gz");
    run_mapping(PF_OK, text_of_mapping);
    assert_int_equal(totals().added, 1);
    snprintf(text_of_mapping, sizeof text_of_mapping, yaml, "e.bin");
    run_mapping(PF_OK, text_of_mapping);
    assert_int_equal(totals().duplicates, 1);
    assert_string_equal(events_of("s1"), "purchase p1 2024-05-01T00:00:00Z 1 350\n");
}

/* --- mappings ------------------------------------------------------------------------ */

static void order_lines_join_their_orders(void **state)
{
    (void)state;
    put("orders.csv",
        "no,who,when,store\n1,s1,2024-05-01 10:00,x\n2,s2,2024-05-02 11:00,y\n");
    put("lines.csv",
        "order,sku,n,price\n1,a,2,1.50\n1,b,1,3.00\n2,a,5,1.50\n3,a,1,1.50\n");
    run_mapping(PF_OK,
                "version: 1\ntables:\n"
                "  - table: events\n"
                "    files: [lines.csv]\n"
                "    joins: [{files: [orders.csv], keys: [{left: order, right: no}]}]\n"
                "    fields:\n"
                "      - {value: purchase, to: type}\n"
                "      - {from: order, to: order}\n"
                "      - {from: who, to: shopper}\n"
                "      - {from: when, to: time}\n"
                "      - {from: sku, to: product}\n"
                "      - {from: n, to: quantity}\n"
                "      - {from: price, to: unit_price}\n");
    assert_int_equal(totals().added, 3);
    assert_one_reject(REASON_NO_MATCH, 5, 1, "'3' stands in none of the joined files");
    assert_string_equal(events_of("s1"), "purchase a 2024-05-01T10:00:00Z 2 300\n"
                                         "purchase b 2024-05-01T10:00:00Z 1 300\n");
    assert_string_equal(events_of("s2"), "purchase a 2024-05-02T11:00:00Z 5 750\n");
}

static void a_left_join_leaves_blanks_and_keys_may_be_pairs(void **state)
{
    (void)state;
    put("campaigns.csv", "c,from,to\n1,2024-05-01,2024-05-31\n");
    put("values.csv", "camp,code,worth\n1,A,2.50\n");
    put("coupons.csv", "c,code,title\n1,A,Tea\n1,B,Cups\n");
    run_mapping(
        PF_OK,
        "version: 1\ntime: {zone: America/New_York}\ntables:\n"
        "  - table: campaigns\n    files: [campaigns.csv]\n    fields:\n"
        "      - {from: c, to: id}\n      - {from: from, to: starts}\n"
        "      - {from: to, to: ends_on}\n"
        "  - table: promotions\n    files: [coupons.csv]\n    joins:\n"
        "      - {files: [campaigns.csv], keys: [{left: c, right: c}]}\n"
        "      - files: [values.csv]\n        kind: left\n"
        "        prefix: v_\n"
        "        keys: [{left: c, right: camp}, {left: code, right: code}]\n"
        "    fields:\n"
        "      - {template: \"{c}:{code}\", to: id}\n      - {from: c, to: campaign}\n"
        "      - {from: title, to: title}\n      - {from: v_worth, to: value}\n"
        "      - {from: from, to: starts}\n      - {from: to, to: ends_on}\n");
    assert_int_equal(totals().added, 3);
    shop_catalogue *c;
    assert_int_equal(store_load_catalogue(the_store(), &c, NULL), PF_OK);
    const promotion *a = &c->promotions[1], *b = &c->promotions[2];
    assert_string_equal(a->id, "1:A");
    assert_int_equal(a->value_minor, 250);
    assert_int_equal(a->kind, PROMOTION_MONEY_OFF);
    assert_true(b->value_minor == MONEY_ABSENT);
    assert_int_equal(b->kind, PROMOTION_INFORMATIONAL);
    assert_int_equal(a->starts_us, at("2024-05-01T04:00:00Z"));
    assert_int_equal(a->ends_us, at("2024-06-01T04:00:00Z")); /* the 31st is inside */
    assert_int_equal(c->campaigns[1].ends_us, a->ends_us);
    catalogue_free(c);
}

static shop_catalogue *catalogue_of_store(void)
{
    shop_catalogue *c = NULL;
    assert_int_equal(store_load_catalogue(the_store(), &c, NULL), PF_OK);
    return c;
}

/* A CSV column under another name, a list in JSON, a word for all from the mapping. */
static void tags_of_promotions_come_from_any_file(void **state)
{
    (void)state;
    put("promotions.csv", "promotion_id,labels\nm1, sale | coffee|sale\nm2,\n");
    run_files(PF_OK, "promotions.csv");
    put("promotions.jsonl", "{\"id\":\"m3\",\"tags\":[\"tea\",\"sale\"]}\n"
                            "{\"id\":\"m4\",\"tags\":\"new\"}\n");
    run_files(PF_OK, "promotions.jsonl");
    put("p.csv", "code,what\nm5,tea;sale\n");
    run_mapping(PF_OK, "version: 1\ntables:\n"
                       "  - table: promotions\n    files: [p.csv]\n    fields:\n"
                       "      - {from: code, to: id}\n"
                       "      - {value: \"tea|spring\", to: tags}\n");
    shop_catalogue *c = catalogue_of_store();
    static const char *const has[6][2] = {
        {0}, {"coffee", "sale"}, {0}, {"sale", "tea"}, {"new"}, {"spring", "tea"}};
    for (uint32_t i = 1; i <= 5; i++) {
        const promotion *p = &c->promotions[i];
        assert_int_equal(p->n_tag, (has[i][0] != NULL) + (has[i][1] != NULL));
        for (uint32_t k = 0; k < p->n_tag; k++)
            assert_true(promotion_has_tag(p, catalogue_find_tag(c, has[i][k])));
        assert_string_equal(i < 5 ? p->attributes : "", "");
    }
    assert_int_equal(c->n_tags, 5);
    catalogue_free(c);
}

static void values_translate_trim_and_have_defaults(void **state)
{
    (void)state;
    put("p.csv",
        "code,kind,brand,dep,cat\nSKU-1.0,N,,GROCERY, CHEESE \nSKU-2.0,X,b,GROCERY,\n"
        "SKU-3.0,P,b,,\n");
    run_mapping(PF_OK,
                "version: 1\ntables:\n"
                "  - table: products\n    files: [p.csv]\n    fields:\n"
                "      - {from: code, to: id, trim_start: SKU-, trim_end: \".0\"}\n"
                "      - {from: kind, to: title, values: [{from: N, to: National}, "
                "{from: P, to: \"\"}]}\n"
                "      - {from: brand, to: brand, default: none}\n"
                "      - {template: \"{dep} > {cat}\", to: category}\n"
                "      - {value: shelf, to: attribute.place}\n");
    shop_catalogue *c;
    assert_int_equal(store_load_catalogue(the_store(), &c, NULL), PF_OK);
    assert_string_equal(c->products[1].id, "1");
    assert_string_equal(c->products[1].title, "National");
    assert_string_equal(c->brands[c->products[1].brand], "none");
    assert_string_equal(c->categories[c->products[1].category].path, "GROCERY > CHEESE");
    assert_string_equal(c->products[1].attributes, "{\"place\":\"shelf\"}");
    assert_string_equal(c->products[2].title, "X");
    assert_string_equal(c->categories[c->products[2].category].path, "GROCERY");
    assert_string_equal(c->products[3].title, "");
    assert_int_equal(c->products[3].category, 0);
    catalogue_free(c);
}

static void where_leaves_rows_out_and_counts_them(void **state)
{
    (void)state;
    put("o.csv", "no,state\n1,test\n2,live\n");
    put("e.csv", "o,s,p,t,price\n1,s1,a,2024-05-01,1\n2,s1,a,2024-05-01,1\n"
                 "2,s1,a,2024-05-02,0.0\n2,s1,b,2024-05-03,\n9,s1,b,2024-05-03,0.0\n");
    run_mapping(PF_OK, "version: 1\ntables:\n"
                       "  - table: events\n    files: [e.csv]\n"
                       "    joins: [{files: [o.csv], keys: [{left: o, right: no}]}]\n"
                       "    where:\n"
                       "      - {column: price, is_not: [\"0.0\", \"\"]}\n"
                       "      - {column: state, is: [live]}\n"
                       "    fields:\n"
                       "      - {value: view, to: type}\n      - {from: s, to: shopper}\n"
                       "      - {from: t, to: time}\n      - {from: p, to: product}\n");
    assert_int_equal(totals().rows, 5);
    assert_int_equal(totals().added, 1);
    assert_int_equal(totals().skipped, 4); /* the last before it could miss its order */
}

static void negative_quantities_become_returns_when_told(void **state)
{
    (void)state;
    put("e.csv",
        "s,p,t,n,price,amount\ns1,a,2024-05-01,-2,1.50,\ns1,b,2024-05-02,3,1.50,\n");
    static const char yaml[] =
        "version: 1\ntables:\n"
        "  - table: events\n    files: [e.csv]\n%s    fields:\n"
        "      - {value: purchase, to: type}\n"
        "      - {from: s, to: shopper}\n      - {from: t, to: time}\n"
        "      - {from: p, to: product}\n"
        "      - {from: n, to: quantity}\n"
        "      - {from: price, to: unit_price}\n";
    char words[1024];
    snprintf(words, sizeof words, yaml, "");
    run_mapping(PF_OK, words);
    assert_one_reject(REASON_OUT_OF_RANGE, 2, 4, "returns: negative_quantity");
    snprintf(words, sizeof words, yaml, "    returns: negative_quantity\n");
    run_mapping(PF_OK, words);
    assert_string_equal(events_of("s1"), "return a 2024-05-01T00:00:00Z 2 300\n"
                                         "purchase b 2024-05-02T00:00:00Z 3 450\n");
}

static void shoppers_may_be_missing_when_told(void **state)
{
    (void)state;
    put("events.csv", EVENTS "e1,,purchase,p1,2024-05-01,2,9.98\n");
    run_files(PF_OK, "events.csv");
    assert_one_reject(REASON_MISSING_VALUE, 2, 2, "missing_shopper: anonymous");
    run_mapping(PF_OK, "version: 1\ntables:\n  - {table: events, files: [events.csv], "
                       "missing_shopper: anonymous}\n");
    assert_int_equal(totals().added, 1);
    assert_string_equal(events_of(""), "purchase p1 2024-05-01T00:00:00Z 2 998\n");
}

static void unknown_references_follow_the_rules(void **state)
{
    (void)state;
    put_catalogue();
    put("events.csv", EVENTS "e1,s1,view,p9,2024-05-01,,\ne2,s9,view,p1,2024-05-01,,\n");
    run_files(PF_OK, "events.csv");
    assert_one_reject(REASON_UNKNOWN_PRODUCT, 2, 0, "there is no product 'p9'");
    assert_int_equal(summary.created_shoppers, 1);
    static const char yaml[] =
        "version: 1\ntables:\n  - {table: events, files: [events.csv], "
        "unknown: {products: create, shoppers: %s}}\n";
    char words[512];
    snprintf(words, sizeof words, yaml, "create");
    run_mapping(PF_OK, words);
    assert_int_equal(totals().added, 1);
    assert_int_equal(summary.created_products, 1);
    put("events.csv", EVENTS "e3,s8,view,p8,2024-05-01,,\n");
    snprintf(words, sizeof words, yaml, "reject");
    run_mapping(PF_OK, words);
    assert_one_reject(REASON_UNKNOWN_SHOPPER, 2, 0, "there is no shopper 's8'");
}

static void scope_and_promotions_follow_the_rules_too(void **state)
{
    (void)state;
    put_catalogue();
    put("promotions.csv", "id,campaign\nm2,c9\nm3,c1\n");
    put("scope.csv", "promotion,product\nm1,p9\nm9,p1\nm1,p1\n");
    run_files(PF_OK, "promotions.csv");
    assert_one_reject(REASON_UNKNOWN_CAMPAIGN, 2, 0, "there is no campaign 'c9'");
    run_files(PF_OK, "scope.csv");
    assert_int_equal(totals().added, 1);
    assert_int_equal(table_of(NULL)->by_reason[REASON_UNKNOWN_PRODUCT], 1);
    assert_int_equal(table_of(NULL)->by_reason[REASON_UNKNOWN_PROMOTION], 1);
    run_mapping(PF_OK, "version: 1\ntables:\n"
                       "  - {table: promotions, files: [promotions.csv], "
                       "unknown: {campaigns: create}}\n"
                       "  - {table: scope, files: [scope.csv], "
                       "unknown: {products: create, promotions: create}}\n");
    assert_int_equal(totals().rejected, 0);
    assert_int_equal(summary.created_campaigns, 1);
    assert_int_equal(summary.created_products, 1);
    assert_int_equal(summary.created_promotions, 1);
}

static void an_id_twice_counts_as_the_mapping_says(void **state)
{
    (void)state;
    put("p.csv", "id,title\n1,Tea\n2,Cup\n1,Green tea\n2,Cup\n");
    static const char yaml[] =
        "version: 1\ntables:\n  - {table: products, files: [p.csv], "
        "repeated: %s}\n";
    char words[256];
    shop_catalogue *c;
    run_table(PF_OK, "products", "p.csv");
    assert_int_equal(totals().added, 2);
    assert_int_equal(totals().duplicates, 1); /* the very same row */
    assert_one_reject(REASON_DUPLICATE_ID, 4, 1, "in line 2");
    snprintf(words, sizeof words, yaml, "first");
    run_mapping(PF_OK, words);
    assert_int_equal(totals().same, 2);
    assert_int_equal(totals().duplicates, 2);
    snprintf(words, sizeof words, yaml, "last");
    run_mapping(PF_OK, words);
    assert_int_equal(totals().changed, 1);
    assert_int_equal(store_load_catalogue(the_store(), &c, NULL), PF_OK);
    assert_string_equal(c->products[1].title, "Green tea");
    catalogue_free(c);
}

static void the_repeated_hour_is_as_the_mapping_says(void **state)
{
    (void)state;
    put("e.csv", "shopper,type,product,time\ns1,view,p,2017-11-05 01:30:00\n");
    static const char yaml[] =
        "version: 1\ntime: {zone: America/New_York, repeated_hour: %s}\n"
        "tables:\n  - {table: events, files: [e.csv]}\n";
    char words[256];
    snprintf(words, sizeof words, yaml, "earlier");
    run_mapping(PF_OK, words);
    snprintf(words, sizeof words, yaml, "later");
    run_mapping(PF_OK, words);
    assert_string_equal(events_of("s1"), "view p 2017-11-05T05:30:00Z 1 -1\n"
                                         "view p 2017-11-05T06:30:00Z 1 -1\n");
}

static void the_options_zone_holds_where_none_is_said(void **state)
{
    (void)state;
    put("e.csv", "shopper,type,product,time\ns1,view,p,2017-07-01 12:00\n");
    fixture_options.zone = "Europe/Berlin";
    run_table(PF_OK, "events", "e.csv");
    assert_string_equal(events_of("s1"), "view p 2017-07-01T10:00:00Z 1 -1\n");
}

static void patterns_name_many_files(void **state)
{
    (void)state;
    put("e-2.csv", "shopper,type,product,time\ns1,view,p,2024-01-02\n");
    put("e-1.csv", "time,product,type,shopper,extra\n2024-01-01,p,view,s1,x\n2024-01-01,"
                   "p,vieww,s1,\n");
    run_mapping(PF_OK,
                "version: 1\ntables:\n  - {table: events, files: [\"e-*.csv\"]}\n");
    assert_int_equal(totals().added, 2);
    assert_int_equal(table_of("events")->n_files, 2);
    assert_int_equal(table_of("events")->files[0].counts.rows, 2);
    assert_int_equal(table_of("events")->files[0].counts.rejected, 1);
    assert_int_equal(table_of("events")->files[1].counts.added, 1);
    run_mapping(PF_NOT_FOUND, "version: 1\ntables:\n"
                              "  - {table: events, files: [\"x-*.csv\"]}\n");
    assert_failure(0, "no file matches");
}

static void headerless_files_name_their_columns(void **state)
{
    (void)state;
    put("log.txt", "s1,view,p1,1714557600\ns1,view,p2,1714557601\n");
    run_mapping(PF_OK, "version: 1\ntables:\n  - table: events\n    files: [log.txt]\n"
                       "    columns: [shopper, type, product, time]\n");
    assert_int_equal(totals().added, 2);
}

static void the_currency_is_settled_once(void **state)
{
    (void)state;
    put("p.csv", "id,price\n1,2.50\n");
    fixture_options.currency = (currency){0};
    run_table(PF_USAGE, "products", "p.csv");
    assert_failure(0, "currency");
    run_mapping(PF_OK, "version: 1\ncurrency: EUR\ntables:\n"
                       "  - {table: products, files: [p.csv]}\n");
    char code[8];
    assert_int_equal(store_get_setting(the_store(), "currency", code, 8, NULL), PF_OK);
    assert_string_equal(code, "EUR");
    run_table(PF_OK, "products", "p.csv");
    run_mapping(PF_USAGE, "version: 1\ncurrency: GBP\ntables:\n"
                          "  - {table: products, files: [p.csv]}\n");
    assert_failure(0, "a workspace has one currency");
}

/* --- what is said of it -------------------------------------------------------------- */

static void rejects_stand_in_a_file_with_their_place(void **state)
{
    (void)state;
    put("events.csv", EVENTS "e1,s1,purchase,p1,2024-05-01,2,9.98\n"
                             "e2,s1,purchase,p1,2024-13-01,2,9.98\n"
                             "e3,s1,bought?,p1,2024-05-01,2,9.98\n"
                             "e4,\"s\"\"1\n1\",purchase,p1,2024-05-01,2,abc\n"
                             "e5,s1,view,p\xff,2024-05-01,,\n");
    run_files(PF_OK, "events.csv");
    assert_int_equal(totals().added, 1);
    assert_int_equal(totals().rejected, 4);
    const char *path = table_of("events")->rejects_file;
    assert_string_equal(path, path_of("rejects/20250101T000000Z-events.csv"));
    char expected[2048];
    snprintf(
        expected, sizeof expected,
        "file,line,column,reason,code,row\n"
        "%s,3,5,time: '2024-13-01' is no time: the month is not between 1 and 12,"
        "bad_time,\"e2,s1,purchase,p1,2024-13-01,2,9.98\"\n"
        "%s,4,3,\"type: 'bought?' is no event we know; translate it with 'values' in the "
        "mapping, or leave such rows out with 'where'\",bad_word,"
        "\"e3,s1,bought?,p1,2024-05-01,2,9.98\"\n"
        "%s,6,7,paid: 'abc' is no amount in USD: it is not an amount of this currency,"
        "bad_money,\"e4,\"\"s\"\"\"\"1\n1\"\",purchase,p1,2024-05-01,2,abc\"\n"
        "%s,7,4,\"product: byte 2 of the value, 0xFF, is no UTF-8; save the file as "
        "UTF-8\",bad_utf8,\"e5,s1,view,p\\xFF,2024-05-01,,\"\n",
        path_of("events.csv"), path_of("events.csv"), path_of("events.csv"),
        path_of("events.csv"));
    assert_string_equal(content(path), expected);
    assert_int_equal(table_of("events")->by_reason[REASON_BAD_TIME], 1);
    assert_int_equal(table_of("events")->by_reason[REASON_BAD_UTF8], 1);
    run_files(PF_OK, "events.csv"); /* the same second: another name */
    assert_string_equal(table_of("events")->rejects_file,
                        path_of("rejects/20250101T000000Z-events-2.csv"));
}

static void no_rejects_no_file(void **state)
{
    (void)state;
    put("events.csv", EVENTS "e1,s1,purchase,p1,2024-05-01,2,9.98\n");
    run_files(PF_OK, "events.csv");
    assert_string_equal(table_of("events")->rejects_file, "");
    assert_false(file_exists(path_of("rejects")));
    assert_false(intake_summary_has_faults(&summary));
}

static void the_summary_is_json(void **state)
{
    (void)state;
    put("events.csv", EVENTS "e1,s1,purchase,p1,2024-05-01,2,9.98\n,,,,,,\n");
    run_files(PF_OK, "events.csv");
    buffer b;
    json_writer w;
    arena memory;
    const json_value *v;
    buffer_init(&b, 1 << 20);
    json_begin(&w, &b);
    intake_summary_write(&summary, &w);
    assert_true(json_finish(&w));
    arena_init(&memory, 1 << 20);
    assert_int_equal(json_parse(&memory, b.data, b.length, &v, &failure), PF_OK);
    assert_true(text_is(json_member(v, "rows")->text, "2"));
    assert_true(text_is(json_path(v, "created", "products", NULL)->text, "1"));
    const json_value *t = &json_member(v, "tables")->values[0];
    assert_true(text_is(json_path(t, "reasons", "missing_value", NULL)->text, "1"));
    assert_non_null(json_member(t, "first_reject"));
    assert_true(intake_summary_has_faults(&summary));
    arena_free(&memory);
    buffer_free(&b);
}

static bool note_import(void *context, const import_record *r)
{
    char *into = context;
    const size_t n = strlen(into);
    snprintf(into + n, 500 - n, "%s %s %llu %llu %llu;", strrchr(r->file, '/'), r->table,
             (unsigned long long)r->rows, (unsigned long long)r->added,
             (unsigned long long)r->rejected);
    return true;
}

static void the_store_remembers_the_import(void **state)
{
    (void)state;
    char into[500] = "";
    put("events.csv", EVENTS "e1,s1,purchase,p1,2024-05-01,2,9.98\n,,,,,,\n");
    run_files(PF_OK, "events.csv");
    assert_int_equal(store_visit_imports(the_store(), note_import, into, NULL), PF_OK);
    assert_string_equal(into, "/events.csv events 2 1 1;");
}

static void validation_finds_all_and_keeps_nothing(void **state)
{
    (void)state;
    put_catalogue();
    char before[1024];
    snprintf(before, sizeof before, "%s", state_of_store());
    put("good.csv",
        EVENTS "e1,s1,purchase,p1,2024-05-01,2,9.98\ne2,s1,view,p7,2024-05-01,,\n");
    put("cut.csv", EVENTS "e3,s1,view,p1,2024-05-01,,\n\"e4");
    put("twice.csv", "a,a\n1,2\n");
    check_mapping(
        PF_OK, "version: 1\ntables:\n"
               "  - {table: events, files: [absent.csv, cut.csv, good.csv, twice.csv]}\n"
               "  - {table: products, files: [twice.csv]}\n");
    assert_int_equal(table_of("products")->n_errors, 1);
    assert_int_equal(table_of("events")->n_errors, 3);
    assert_non_null(
        strstr(table_of("events")->errors[0], "absent.csv: there is no such file"));
    assert_non_null(strstr(table_of("events")->errors[1], "cut.csv:3:1: the quote"));
    assert_non_null(strstr(table_of("events")->errors[2], "stands twice"));
    assert_int_equal(table_of("events")->counts.added, 2);
    assert_int_equal(table_of("events")->by_reason[REASON_UNKNOWN_PRODUCT], 1);
    assert_true(intake_summary_has_faults(&summary));
    assert_string_equal(state_of_store(), before);
    check_files(PF_OK, "good.csv");
    assert_string_equal(state_of_store(), before);
    close_store();
    check_files(PF_OK, "good.csv"); /* alone: there is no product to check against */
    assert_int_equal(totals().added, 2);
    assert_int_equal(summary.created_products, 2);
}

static void a_joined_file_with_bad_rows_still_joins(void **state)
{
    (void)state;
    put("o.csv", "no,who\n1,s1\n2\n3,s\xff\n4,s4\n");
    put("e.csv", "o,p,t\n1,a,2024-05-01\n4,a,2024-05-01\n");
    run_mapping(PF_OK, "version: 1\ntables:\n  - table: events\n    files: [e.csv]\n"
                       "    joins: [{files: [o.csv], keys: [{left: o, right: no}]}]\n"
                       "    fields:\n      - {value: view, to: type}\n"
                       "      - {from: who, to: shopper}\n      - {from: t, to: time}\n"
                       "      - {from: p, to: product}\n");
    assert_int_equal(totals().added, 2);
    assert_int_equal(totals().rejected, 2);
    assert_int_equal(table_of(NULL)->by_reason[REASON_WRONG_COLUMNS], 1);
    assert_int_equal(table_of(NULL)->by_reason[REASON_BAD_UTF8], 1);
    assert_non_null(strstr(table_of(NULL)->first_reject, "o.csv:3"));
    assert_int_equal(table_of(NULL)->files[1].counts.rejected, 2);
}

/* Many rows, so that both threads have work and the ring goes round. */
static void one_thread_and_two_do_the_same(void **state)
{
    (void)state;
    enum { ROWS = 20000 };
    char *file = mem_alloc(ROWS + 1, 64);
    size_t n = (size_t)snprintf(file, 64, "%s", EVENTS);
    char one[1024];
    for (int i = 0; i < ROWS; i++)
        n += (size_t)snprintf(file + n, 64, "e%d,s%d,%s,p%d,%d,,\n", i % 15000, i % 700,
                              i % 97 ? "view" : "vue", i % 33, 1700000000 + i % 15000);
    put_n("events.csv", file, n);
    mem_free(file);
    fixture_options.threads = 1;
    run_files(PF_OK, "events.csv");
    const intake_counts alone = totals();
    snprintf(one, sizeof one, "%s", state_of_store());
    close_store();
    assert_int_equal(unlink(path_of("proffer.db")), 0);
    fixture_options.threads = 2;
    run_files(PF_OK, "events.csv");
    const intake_counts both = totals();
    assert_memory_equal(&alone, &both, sizeof both);
    assert_int_equal(both.rows, ROWS);
    assert_string_equal(state_of_store(), one);
}

static void the_request_must_make_sense(void **state)
{
    (void)state;
    put("a.csv", "sku\n1\n");
    put("m.yaml", "version: 1\ntables:\n  - {table: products, files: [a.csv]}\n");
    const char *a = path_of("a.csv"), *m = path_of("m.yaml");
    const char *both[] = {a, m}, *maps[] = {m, m}, *map[] = {m};
    const struct {
        intake_request r;
        const char *words;
    } cases[] = {
        {{.n_files = 0}, "no file to read"},
        {{.files = both, .n_files = 2}, "a mapping file names its own files"},
        {{.mapping = m, .files = both, .n_files = 1},
         "a mapping file names its own files"},
        {{.files = maps, .n_files = 2}, "two mapping files"},
        {{.files = map, .n_files = 1, .table = "events"}, "leave out the table 'events'"},
        {{.files = both, .n_files = 1, .table = "orders"}, "there is no table 'orders'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        intake_plan *plan = NULL;
        assert_int_equal(intake_plan_open(&plan, &cases[i].r, &failure), PF_USAGE);
        assert_failure(0, cases[i].words);
    }
    intake_plan *plan = NULL;
    const intake_request good = {.files = map, .n_files = 1};
    assert_int_equal(intake_plan_open(&plan, &good, &failure), PF_OK);
    assert_int_equal(intake_plan_tables(plan), 1);
    intake_plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_with_known_names_just_loads),
        TEST(the_same_file_twice_changes_nothing),
        TEST(equal_lines_are_one_event_unless_their_line_tells_them_apart),
        TEST(a_changed_product_is_changed),
        TEST(tables_are_told_by_name_or_by_header),
        TEST(several_files_load_in_the_order_of_references),
        TEST(json_lines_load_like_csv),
        TEST(columns_nobody_knows_are_kept_as_attributes),
        TEST(recbole_files_load_by_their_names),
        TEST(packed_files_and_other_delimiters_load_the_same),
        TEST(order_lines_join_their_orders),
        TEST(a_left_join_leaves_blanks_and_keys_may_be_pairs),
        TEST(tags_of_promotions_come_from_any_file),
        TEST(values_translate_trim_and_have_defaults),
        TEST(where_leaves_rows_out_and_counts_them),
        TEST(negative_quantities_become_returns_when_told),
        TEST(shoppers_may_be_missing_when_told),
        TEST(unknown_references_follow_the_rules),
        TEST(scope_and_promotions_follow_the_rules_too),
        TEST(an_id_twice_counts_as_the_mapping_says),
        TEST(the_repeated_hour_is_as_the_mapping_says),
        TEST(the_options_zone_holds_where_none_is_said),
        TEST(patterns_name_many_files),
        TEST(headerless_files_name_their_columns),
        TEST(the_currency_is_settled_once),
        TEST(rejects_stand_in_a_file_with_their_place),
        TEST(no_rejects_no_file),
        TEST(the_summary_is_json),
        TEST(the_store_remembers_the_import),
        TEST(validation_finds_all_and_keeps_nothing),
        TEST(a_joined_file_with_bad_rows_still_joins),
        TEST(one_thread_and_two_do_the_same),
        TEST(the_request_must_make_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
