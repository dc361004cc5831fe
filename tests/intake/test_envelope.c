/* Segment calls, GA4 events and CloudEvents become events of ours, one a product. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

static void segment_calls(void **state)
{
    (void)state;
    put("calls.jsonl",
        "{\"type\":\"identify\",\"userId\":\"u1\",\"traits\":{\"age\":3}}\n"
        "{\"type\":\"track\",\"event\":\"Product Viewed\",\"messageId\":\"m1\","
        "\"userId\":\"u1\",\"timestamp\":\"2024-05-01T10:00:00Z\",\"properties\":"
        "{\"product_id\":\"p1\",\"price\":19.99,\"currency\":\"USD\"}}\n"
        "{\"type\":\"track\",\"event\":\"Order Completed\",\"messageId\":\"m2\","
        "\"userId\":\"u1\",\"timestamp\":\"2024-05-01T10:05:00Z\",\"properties\":"
        "{\"order_id\":\"o1\",\"currency\":\"USD\",\"products\":["
        "{\"product_id\":\"p1\",\"price\":19.99,\"quantity\":2},"
        "{\"sku\":\"p2\",\"price\":5.0000000001}]}}\n"
        "{\"type\":\"track\",\"event\":\"Email Delivered\",\"messageId\":\"m3\","
        "\"anonymousId\":\"a1\",\"timestamp\":\"2024-05-01T10:06:00Z\","
        "\"context\":{\"campaign\":{\"name\":\"spring\"}},\"properties\":{}}\n"
        "{\"type\":\"track\",\"event\":\"Video Played\",\"messageId\":\"m4\","
        "\"userId\":\"u1\",\"timestamp\":\"2024-05-01T10:07:00Z\"}\n");
    run_files(PF_OK, "calls.jsonl");
    assert_int_equal(totals().rows, 6);
    assert_int_equal(totals().added, 4);
    assert_int_equal(totals().skipped, 2);
    assert_string_equal(events_of("u1"), "view p1 2024-05-01T10:00:00Z 1 1999\n"
                                         "purchase p1 2024-05-01T10:05:00Z 2 3998\n"
                                         "purchase p2 2024-05-01T10:05:00Z 1 500\n");
    assert_string_equal(events_of("a1"), "exposure spring 2024-05-01T10:06:00Z 1 -1\n");
    run_files(PF_OK, "calls.jsonl");
    assert_int_equal(totals().duplicates, 4);
}

static void ga4_events(void **state)
{
    (void)state;
    put("ga4.jsonl",
        "{\"event_date\":\"20240501\",\"event_timestamp\":\"1714557600000000\","
        "\"event_name\":\"session_start\",\"event_params\":[],\"user_pseudo_id\":\"x.1\"}"
        "\n"
        "{\"event_timestamp\":\"1714557660000000\",\"event_name\":\"view_item\","
        "\"event_params\":[],\"user_pseudo_id\":\"x.1\",\"items\":[{\"item_id\":\"p1\","
        "\"price\":7.5}]}\n"
        "{\"event_timestamp\":\"1714557720000000\",\"event_name\":\"purchase\","
        "\"event_params\":[{\"key\":\"currency\",\"value\":{\"string_value\":\"USD\"}},"
        "{\"key\":\"transaction_id\",\"value\":{\"string_value\":\"T1\"}}],"
        "\"user_id\":\"u9\",\"user_pseudo_id\":\"x.1\",\"items\":["
        "{\"item_id\":\"p1\",\"price\":7.5,\"quantity\":\"2\",\"coupon\":\"(not set)\"},"
        "{\"item_id\":\"p2\",\"price\":1.25,\"quantity\":4}]}\n"
        "{\"event_timestamp\":\"1714557780000000\",\"event_name\":\"view_promotion\","
        "\"event_params\":[],\"user_id\":\"u9\",\"items\":[{\"item_id\":\"(not set)\","
        "\"promotion_id\":\"spring10\"}]}\n");
    run_files(PF_OK, "ga4.jsonl");
    assert_int_equal(totals().added, 4);
    assert_int_equal(totals().skipped, 1);
    assert_int_equal(summary.created_promotions, 1);
    assert_string_equal(events_of("x.1"), "view p1 2024-05-01T10:01:00Z 1 750\n");
    assert_string_equal(events_of("u9"), "purchase p1 2024-05-01T10:02:00Z 2 1500\n"
                                         "purchase p2 2024-05-01T10:02:00Z 4 500\n"
                                         "exposure spring10 2024-05-01T10:03:00Z 1 -1\n");
}

static void cloudevents(void **state)
{
    (void)state;
    put("ce.jsonl",
        "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/shop\",\"type\":"
        "\"com.example.shop.purchase.v1\",\"time\":\"2024-05-01T10:00:00Z\",\"data\":"
        "{\"shopper_id\":\"u1\",\"product_id\":\"p1\",\"quantity\":2,\"amount\":9.5}}\n"
        "{\"specversion\":\"1.0\",\"id\":\"2\",\"source\":\"/shop\",\"type\":\"click\","
        "\"subject\":\"u2\",\"data\":{\"promotion_id\":\"m1\",\"channel\":\"email\","
        "\"time\":\"2024-05-01T11:00:00Z\"}}\n"
        "{\"specversion\":\"1.0\",\"id\":\"3\",\"source\":\"/"
        "shop\",\"type\":\"stock.low\","
        "\"data\":{}}\n"
        "{\"specversion\":\"1.0\",\"id\":\"4\",\"source\":\"/shop\",\"type\":\"view\","
        "\"data_base64\":\"AA==\"}\n"
        "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/other\",\"type\":\"view\","
        "\"time\":\"2024-05-01T10:00:00Z\",\"data\":{\"user\":\"u1\",\"sku\":\"p1\"}}\n");
    run_files(PF_OK, "ce.jsonl");
    assert_int_equal(totals().added, 3);
    assert_int_equal(totals().skipped, 1);
    assert_one_reject(REASON_BAD_JSON, 4, 0, "no JSON object");
    assert_non_null(strstr(events_of("u1"), "purchase p1 2024-05-01T10:00:00Z 2 950\n"));
    assert_non_null(strstr(events_of("u1"), "view p1"));
    assert_string_equal(events_of("u2"), "click m1 2024-05-01T11:00:00Z 1 -1\n");
}

/* The pair of source and id is what must not repeat. */
static void an_id_of_one_source_used_twice_is_a_conflict(void **state)
{
    (void)state;
    put("ce.jsonl",
        "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/"
        "s\",\"type\":\"view\",\"time\":"
        "\"2024-05-01T10:00:00Z\",\"data\":{\"user\":\"u1\",\"sku\":\"p1\"}}\n"
        "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/"
        "s\",\"type\":\"view\",\"time\":"
        "\"2024-05-01T10:00:00Z\",\"data\":{\"user\":\"u1\",\"sku\":\"p2\"}}\n");
    run_files(PF_OK, "ce.jsonl");
    assert_int_equal(totals().added, 1);
    assert_one_reject(REASON_DUPLICATE_ID, 2, 0, "another event has this id");
}

static void an_envelope_can_be_named(void **state)
{
    (void)state;
    /* The first line is not typical: without the name nobody would know. */
    put("x.jsonl",
        "{\"type\":\"track\",\"event\":\"Product Added\",\"messageId\":\"1\"}\n"
        "{\"type\":\"track\",\"event\":\"Product Added\",\"messageId\":\"2\","
        "\"userId\":\"u\",\"timestamp\":\"2024-05-01T10:00:00Z\","
        "\"properties\":{\"sku\":\"p\"}}\n");
    run_mapping(PF_OK, "version: 1\ntables:\n"
                       "  - {table: events, files: [x.jsonl], envelope: segment}\n");
    assert_int_equal(totals().added, 1);
    assert_int_equal(totals().rejected, 1);
}

static void wrong_lines_in_envelopes_are_rejects(void **state)
{
    (void)state;
    put("calls.jsonl",
        "{\"type\":\"track\",\"event\":\"Product Viewed\",\"messageId\":\"m1\","
        "\"userId\":\"u1\",\"timestamp\":\"2024-13-01T10:00:00Z\",\"properties\":"
        "{\"product_id\":\"p1\"}}\n"
        "{\"type\":\"track\",\n");
    run_files(PF_OK, "calls.jsonl");
    assert_int_equal(table_of(NULL)->by_reason[REASON_BAD_TIME], 1);
    assert_int_equal(table_of(NULL)->by_reason[REASON_BAD_JSON], 1);
    assert_int_equal(totals().added, 0);
}

static void another_currency_in_an_envelope_is_a_reject(void **state)
{
    (void)state;
    put("calls.jsonl",
        "{\"type\":\"track\",\"event\":\"Order Completed\",\"messageId\":\"m1\","
        "\"userId\":\"u1\",\"timestamp\":\"2024-03-01T10:00:00Z\",\"properties\":"
        "{\"currency\":\"EUR\",\"products\":[{\"product_id\":\"p1\",\"price\":3}]}}\n");
    run_files(PF_OK, "calls.jsonl");
    assert_one_reject(REASON_BAD_CURRENCY, 1, 0, "the amount is in EUR");
}

static void odd_members_are_taken_as_they_are(void **state)
{
    (void)state;
    put("calls.jsonl",
        "{\"type\":\"track\",\"event\":\"Promotion Viewed\",\"messageId\":\"m1\","
        "\"userId\":7,\"timestamp\":\"2024-05-01T10:00:00Z\",\"properties\":"
        "{\"promotion_id\":\"x\",\"channel\":\"wechat\",\"propensity\":0.25}}\n"
        "{\"type\":\"track\",\"event\":\"Product Viewed\",\"messageId\":\"m2\","
        "\"userId\":\"7\",\"timestamp\":\"2024-05-01T10:01:00Z\",\"properties\":"
        "{\"sku\":\"p\",\"price\":1.5e1,\"products\":[]}}\n"
        "{\"type\":\"track\",\"event\":\"Product Viewed\",\"messageId\":\"m3\","
        "\"userId\":\"7\",\"timestamp\":\"2024-05-01T10:02:00Z\",\"properties\":[]}\n");
    run_files(PF_OK, "calls.jsonl");
    assert_string_equal(events_of("7"), "exposure x 2024-05-01T10:00:00Z 1 -1\n");
    assert_int_equal(table_of(NULL)->by_reason[REASON_BAD_MONEY], 1); /* an exponent */
    assert_int_equal(table_of(NULL)->by_reason[REASON_MISSING_VALUE], 1);
}

static void a_call_of_too_many_products_is_a_reject(void **state)
{
    (void)state;
    enum { PRODUCTS = 10001 };
    char *file = mem_alloc(PRODUCTS + 40, 16);
    size_t n = (size_t)snprintf(file, 640,
                                "{\"type\":\"track\",\"event\":\"Order Completed\","
                                "\"messageId\":\"m\",\"userId\":\"u\",\"properties\":"
                                "{\"products\":[");
    for (int i = 0; i < PRODUCTS; i++)
        n += (size_t)snprintf(file + n, 16, "%s{\"sku\":\"p\"}", i > 0 ? "," : "");
    n += (size_t)snprintf(file + n, 16, "]}}\n");
    put_n("calls.jsonl", file, n);
    run_mapping(PF_OK, "version: 1\ntables:\n"
                       "  - {table: events, files: [calls.jsonl], envelope: segment}\n");
    assert_one_reject(REASON_BAD_JSON, 1, 0, "more than 10000 products");
    mem_free(file);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    static const char *const files[] = {
        "{\"type\":\"track\",\"event\":\"Order Completed\",\"messageId\":\"m2\","
        "\"userId\":\"u1\",\"timestamp\":\"2024-05-01T10:05:00Z\",\"properties\":"
        "{\"products\":[{\"sku\":\"a\"},{\"sku\":\"b\"},{\"sku\":\"c\"},"
        "{\"sku\":\"d\"},{\"sku\":\"e\"}]}}\n",
        "{\"event_timestamp\":\"1714557660000000\",\"event_name\":\"view_item\","
        "\"event_params\":[],\"user_id\":\"u\",\"items\":[{\"item_id\":\"p1\"}]}\n",
        "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"view\","
        "\"time\":\"2024-05-01\",\"data\":{\"user\":\"u1\",\"sku\":\"p1\"}}\n"};
    fixture_options.threads = 1;
    (void)the_store();
    for (size_t i = 0; i < 3; i++) {
        put("e.jsonl", files[i]);
        const char *names[] = {path_of("e.jsonl")};
        const intake_request r = {.files = names, .n_files = 1, .table = "events"};
        uint64_t failures = 0;
        for (fault f = {0}; fault_next(&f);) {
            intake_plan *plan = NULL;
            pf_status s = intake_plan_open(&plan, &r, &failure);
            if (s == PF_OK)
                s = intake_validate(plan, the_store(), &fixture_options, &summary,
                                    &failure);
            const bool failed = fault_reached(&f);
            assert_true(s == PF_OK || (failed && s == PF_NO_MEMORY));
            failures += s != PF_OK;
            if (s == PF_OK) assert_int_equal(totals().rejected, 0);
            intake_plan_free(plan);
        }
        assert_true(failures > 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(segment_calls),
        TEST(ga4_events),
        TEST(cloudevents),
        TEST(an_id_of_one_source_used_twice_is_a_conflict),
        TEST(an_envelope_can_be_named),
        TEST(wrong_lines_in_envelopes_are_rejects),
        TEST(another_currency_in_an_envelope_is_a_reject),
        TEST(odd_members_are_taken_as_they_are),
        TEST(a_call_of_too_many_products_is_a_reject),
        TEST(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
