/*
 * What stands in files must mean the same to every later version: bytes of a block, the
 * hash of an event's content, the fingerprint of data, the steps of the schema. A test
 * here that fails says that old stores would be misread; a new format needs a new version.
 */
#include "store/fixture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "store/event_block.h"
#include "store/event_content.h"
#include "store/schema.h"

static void hex(const void *bytes, size_t n, char *into)
{
    for (size_t i = 0; i < n; i++)
        snprintf(into + 2 * i, 3, "%02x", ((const unsigned char *)bytes)[i]);
}

/* --- blocks --------------------------------------------------------------------------- */

static event_row golden_row(int i)
{
    static const char *const ids[] = {"e-100", "e-101", "e-2"};
    static const char *const orders[] = {"o-7", "o-7", ""};
    return (event_row){.time_us = INT64_C(1483812932000000) + i * INT64_C(60000000),
                       .paid_minor = i == 1 ? MONEY_ABSENT : 458 + 300 * i,
                       .discount_minor = MONEY_ABSENT,
                       .coupon_minor = -i,
                       .quantity = i == 2 ? 0.5 : 1,
                       .product = 1000u + (uint32_t)i,
                       .promotion = i == 2 ? 70000 : 0,
                       .campaign = 3,
                       .rating = NAN,
                       .propensity = 0.25f,
                       .type = EVENT_PURCHASE,
                       .channel = (uint8_t)(i == 0 ? CHANNEL_SITE : CHANNEL_NONE),
                       .date_only = (uint8_t)(i == 1),
                       .texts = {text_of(ids[i]), text_of(orders[i]), text_of(""),
                                 text_of(i == 0 ? "{\"a\":1}" : "")}};
}

static const char golden_block[] =
    "01000300b3000000a9fd0b246764a3f32a0000000000000003710032733d0a8b0a000101100a"
    "010400000100010021d0070001020300000000000070110110060187000000000000c07f0000"
    "000000001000000000000000100000000000000000002a94030000ffff580208110302010040"
    "000080ff400000007d070000000100040201050101652d313030313203000000010003000103"
    "00006f2d370000000000000700000000010700007b2261223a317d";

static void a_block_is_written_as_it_always_was(void **state)
{
    (void)state;
    event_columns *rows = columns_new();
    buffer out;
    static char text_form[2000];
    buffer_init(&out, 1 << 20);
    for (int i = 0; i < 3; i++) {
        event_row row = golden_row(i);
        assert_int_equal(columns_push(rows, &row, NULL), PF_OK);
    }
    assert_int_equal(block_encode(rows, 0, 3, 42, &out, NULL), PF_OK);
    hex(out.data, out.length, text_form);
    assert_string_equal(text_form, golden_block);
    buffer_free(&out);
    columns_free(rows);
}

static void a_block_of_the_first_version_is_read_as_it_was_meant(void **state)
{
    (void)state;
    unsigned char bytes[1000];
    size_t n = strlen(golden_block) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        assert_int_equal(sscanf(golden_block + 2 * i, "%2x", &byte), 1);
        bytes[i] = (unsigned char)byte;
    }
    event_columns *rows = columns_new();
    assert_int_equal(block_decode(bytes, n, 42, rows, NULL), PF_OK);
    assert_int_equal(rows->n, 3);
    for (uint32_t i = 0; i < 3; i++) {
        event_row got, want = golden_row((int)i);
        columns_row(rows, i, &got);
        assert_true(got.time_us == want.time_us && got.paid_minor == want.paid_minor);
        assert_true(got.discount_minor == want.discount_minor);
        assert_true(got.coupon_minor == want.coupon_minor);
        assert_true(got.quantity == want.quantity && isnan(got.rating));
        assert_true(got.propensity == want.propensity && got.product == want.product);
        assert_true(got.promotion == want.promotion && got.campaign == want.campaign);
        assert_true(got.type == want.type && got.channel == want.channel);
        assert_true(got.date_only == want.date_only);
        for (int k = 0; k < EVENT_TEXTS; k++)
            assert_true(text_equal(got.texts[k], want.texts[k]));
    }
    columns_free(rows);
}

/* --- hashes --------------------------------------------------------------------------- */

static event_record golden_event(void)
{
    return (event_record){.id = t("e-100"),
                          .type = EVENT_PURCHASE,
                          .shopper = t("anna"),
                          .product = t("milk"),
                          .promotion = t("p1"),
                          .campaign = t("c1"),
                          .order = t("o-7"),
                          .decision = t("d1"),
                          .channel = CHANNEL_SITE,
                          .time_us = INT64_C(1483812932000000),
                          .quantity = 2,
                          .paid_minor = 458,
                          .discount_minor = MONEY_ABSENT,
                          .coupon_minor = 0,
                          .rating = NAN,
                          .propensity = 0.25f,
                          .attributes = t("{\"a\":1}"),
                          .origin = 5};
}

static hash_128 content_of(const event_record *r)
{
    buffer scratch;
    hash_128 h;
    buffer_init(&scratch, EVENT_CONTENT_MAX_BYTES);
    assert_int_equal(event_content_hash(r, &scratch, &h, NULL), PF_OK);
    buffer_free(&scratch);
    return h;
}

static void the_content_of_an_event_has_the_hash_it_always_had(void **state)
{
    (void)state;
    const event_record r = golden_event();
    hash_128 h = content_of(&r);
    char text_form[64];
    snprintf(text_form, sizeof text_form, "%016llx%016llx", (unsigned long long)h.high,
             (unsigned long long)h.low);
    assert_string_equal(text_form, "8856c0b13fe533788437bb94a9bf9de3");
}

static void the_identity_of_an_event_is_its_id_or_its_content(void **state)
{
    (void)state;
    const hash_key key = {"0123456789abcde"}, other_key = {"other"};
    event_record r = golden_event();
    hash_128 h = content_of(&r);
    id_hash by_id = event_identity(&r, &h, &key);
    char text_form[64];
    snprintf(text_form, sizeof text_form, "%016llx%016llx",
             (unsigned long long)by_id.high, (unsigned long long)by_id.low);
    assert_string_equal(text_form, "f8f9375ffd73bedd767364ada9bf9de3");
    id_hash elsewhere = event_identity(&r, &h, &other_key);
    assert_true(by_id.high != elsewhere.high); /* keyed */
    r.id = t("");
    id_hash by_content = event_identity(&r, &h, &key);
    snprintf(text_form, sizeof text_form, "%016llx%016llx",
             (unsigned long long)by_content.high, (unsigned long long)by_content.low);
    assert_string_equal(text_form, "1305a2c0711b322121bc8fa0a9bf9de3");
    assert_int_equal((uint32_t)by_id.low, (uint32_t)h.low);
    assert_int_equal((uint32_t)by_content.low, (uint32_t)h.low);
    r.time_us++;
    hash_128 later = content_of(&r);
    assert_true(event_identity(&r, &later, &key).high != by_content.high);
}

/* Fields run into one another nowhere: moving a byte from one to the next is seen. */
static void neighbouring_texts_are_kept_apart(void **state)
{
    (void)state;
    event_record a = golden_event(), b = golden_event();
    a.shopper = t("ab");
    a.product = t("c");
    b.shopper = t("a");
    b.product = t("bc");
    assert_true(content_of(&a).high != content_of(&b).high);
    b = a;
    b.order = a.decision;
    b.decision = a.order;
    assert_true(content_of(&a).high != content_of(&b).high);
    b = a;
    b.discount_minor = 0; /* 0 is not "unknown" */
    assert_true(content_of(&a).high != content_of(&b).high);
    b = a;
    b.coupon_minor = MONEY_ABSENT;
    assert_true(content_of(&a).high != content_of(&b).high);
}

static void the_data_have_the_fingerprint_they_always_had(void **state)
{
    fixture *f = *state;
    store_event_rules rules = {.shopper = STORE_UNKNOWN_CREATE,
                               .product = STORE_UNKNOWN_CREATE,
                               .promotion = STORE_UNKNOWN_CREATE,
                               .campaign = STORE_UNKNOWN_CREATE,
                               .memory_bytes = 1 << 20};
    store_event_writer *w;
    store_event_counts counts;
    store_outcome outcome;
    fingerprint print;
    char text_form[FINGERPRINT_TEXT_BYTES];
    const event_record r = golden_event();
    const product_record p = {.id = t("milk"), .title = t("Milk"), .price_minor = 99};
    must(store_data_fingerprint(f->s, &print, &f->err));
    fingerprint_format(&print, text_form);
    assert_string_equal(text_form, "c9ffb4fd6d3e514dc6a8456777331fac");
    must(store_begin(f->s, &f->err));
    must(store_put_product(f->s, &p, &outcome, &f->err));
    must(store_events_begin(f->s, &rules, &w, &f->err));
    must(store_events_add(w, &r, &outcome, &f->err));
    must(store_events_finish(w, NULL, NULL, &counts, &f->err));
    must(store_commit(f->s, &f->err));
    must(store_data_fingerprint(f->s, &print, &f->err));
    fingerprint_format(&print, text_form);
    assert_string_equal(text_form, "bd672bbae26fad42b7348d88844f098a");
}

/* A field that came later leaves the fingerprint of data without it as it was. */
static void a_promotion_has_the_fingerprint_it_always_had(void **state)
{
    fixture *f = *state;
    store_outcome outcome;
    fingerprint print;
    char text_form[FINGERPRINT_TEXT_BYTES];
    promotion_record r = {.id = t("o1"),
                          .title = t("Ten off"),
                          .kind = PROMOTION_PERCENT_OFF,
                          .percent_hundredths = 1000,
                          .value_minor = MONEY_ABSENT,
                          .minimum_purchase_minor = MONEY_ABSENT,
                          .starts_us = 10,
                          .ends_us = TIME_ABSENT,
                          .budget_minor = MONEY_ABSENT,
                          .contact_cost_minor = 3,
                          .attributes = t("{\"x\":1}")};
    must(store_begin(f->s, &f->err));
    must(store_put_promotion(f->s, &r, &outcome, &f->err));
    must(store_data_fingerprint(f->s, &print, &f->err));
    fingerprint_format(&print, text_form);
    assert_string_equal(text_form, "2e6154e500417cc6856dc2d076accec9");
    r.tags = t("sale|coffee");
    must(store_put_promotion(f->s, &r, &outcome, &f->err));
    must(store_data_fingerprint(f->s, &print, &f->err));
    must(store_commit(f->s, &f->err));
    fingerprint_format(&print, text_form);
    assert_string_equal(text_form, "09b6927d278fd14e4e16cbc01f1be220");
}

/* --- the schema ----------------------------------------------------------------------- */

static void published_steps_of_the_schema_are_never_changed(void **state)
{
    (void)state;
    static const char *const published[] = {
        "bc8540652cb5ee3f8c4a9739e29154c2", "43ced4f0e7c871b6869f4e22dcf362cf",
        "14ddbb96da414e99a72630ba6485b492", "202cd7ff7b066f563ca3a8b7a595449e",
        "b9ce5aba49c874ad652f1e2efe798675"};
    assert_int_equal(SCHEMA_VERSION, sizeof published / sizeof published[0]);
    for (int v = 0; v < SCHEMA_VERSION; v++) {
        char text_form[FINGERPRINT_TEXT_BYTES];
        fingerprint print = fingerprint_of(schema_steps[v], strlen(schema_steps[v]));
        fingerprint_format(&print, text_form);
        assert_string_equal(text_form, published[v]);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_block_is_written_as_it_always_was),
        TEST(a_block_of_the_first_version_is_read_as_it_was_meant),
        TEST(the_content_of_an_event_has_the_hash_it_always_had),
        TEST(the_identity_of_an_event_is_its_id_or_its_content),
        TEST(neighbouring_texts_are_kept_apart),
        TEST(the_data_have_the_fingerprint_they_always_had),
        TEST(a_promotion_has_the_fingerprint_it_always_had),
        TEST(published_steps_of_the_schema_are_never_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
