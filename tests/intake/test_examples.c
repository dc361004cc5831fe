/* The two examples whose mapping files are part of the repository: what comes out of them
 * agrees with what their sources say of them. */
#include "fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/file.h"
#include "intake/csv.h"

/* Computed from the files with another program (decimal arithmetic, no floats). */
enum {
    JOURNEY_BASKET_LINES = 3,
    JOURNEY_BASKET_PAID = 1672,
    JOURNEY_BASKET_DISCOUNT = 479
};
enum { JOURNEY_PAID = 154274526, JOURNEY_DISCOUNT = 26748797, JOURNEY_COUPON = 861382 };
enum { JOURNEY_QUANTITY = 51038312 };
/* Every line of the file but the two negative prices. */
enum { RETAIL_RETURNS = 10624, RETAIL_ANONYMOUS = 135078 };
enum { RETAIL_BOUGHT = 1066668454, RETAIL_RETURNED = 89681249 };

static shop_catalogue *catalogue;
static shop_history *history;

static void load(void)
{
    assert_int_equal(store_load_catalogue(the_store(), &catalogue, NULL), PF_OK);
    assert_int_equal(store_load_history(the_store(), INT64_MAX, &history, NULL), PF_OK);
}

static void unload(void)
{
    history_free(history);
    catalogue_free(catalogue);
}

static void run_example(const char *mapping_path)
{
    intake_plan *plan;
    char words[1024];
    const intake_request r = {.mapping = mapping_path};
    if (intake_plan_open(&plan, &r, &failure) != PF_OK ||
        intake_run(plan, the_store(), &fixture_options, &summary, &failure) != PF_OK)
        fail_msg("%s", error_describe(&failure, words, sizeof words));
    intake_plan_free(plan);
    assert_counts_add_up();
}

static int64_t at(const char *iso)
{
    const time_rules r = {.form = TIME_ISO};
    int64_t us = 0;
    bool date_only;
    const char *why;
    assert_true(time_parse(iso, strlen(iso), &r, &us, &date_only, &why));
    return us;
}

static uint32_t promotion_number(const char *id)
{
    return intern_find(catalogue->promotion_ids, id, strlen(id));
}

static void assert_journey_counts(void)
{
    static const struct {
        const char *table;
        uint64_t rows;
    } tables[] = {{"products", 64702}, {"shoppers", 600},   {"campaigns", 27},
                  {"coupons", 1197},   {"scope", 111332},   {"purchases", 491667},
                  {"mailings", 2519},  {"redemptions", 804}};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        assert_int_equal(table_of(tables[i].table)->counts.rows, tables[i].rows);
        assert_int_equal(table_of(tables[i].table)->counts.added, tables[i].rows);
    }
    assert_int_equal(summary.created_products + summary.created_shoppers +
                         summary.created_promotions + summary.created_campaigns,
                     0);
}

/* Basket 1 of shopper 3, line by line as the file has it. */
static void assert_journey_first_basket(void)
{
    const uint32_t s = intern_find(catalogue->shopper_ids, "3", 1);
    const uint64_t i = history->first[s];
    assert_int_equal(history->time_us[i],
                     at("2017-01-07T23:15:32Z")); /* 18:15:32 there */
    assert_int_equal(history->type[i], EVENT_PURCHASE);
    int64_t paid = 0, discount = 0;
    uint64_t n = 0;
    for (uint64_t k = i;
         k < history->first[s + 1] && history->order[k] == history->order[i]; k++, n++) {
        paid += history->paid_minor[k];
        discount +=
            history->discount_minor[k] != MONEY_ABSENT ? history->discount_minor[k] : 0;
    }
    assert_int_equal(n, JOURNEY_BASKET_LINES);
    assert_int_equal(paid, JOURNEY_BASKET_PAID);
    assert_int_equal(discount, JOURNEY_BASKET_DISCOUNT);
}

static void assert_journey_catalogue(void)
{
    const promotion *p = &catalogue->promotions[promotion_number("1:51380040009")];
    assert_string_equal(p->title, "FRZN MEAT/MEAT DINNERS");
    assert_int_equal(p->kind, PROMOTION_MONEY_OFF);
    assert_int_equal(p->value_minor, 200);
    assert_int_equal(p->n_scope, 14);
    assert_int_equal(p->channels, 1u << CHANNEL_MAIL);
    assert_string_equal(catalogue->campaigns[p->campaign].id, "1");
    assert_string_equal(catalogue->campaigns[p->campaign].kind, "B");
    assert_int_equal(p->starts_us, at("2017-03-03T05:00:00Z"));
    assert_int_equal(p->ends_us, at("2017-04-10T04:00:00Z")); /* the 9th is inside */
    assert_true(catalogue->promotions[promotion_number("1:51111030050")].value_minor ==
                MONEY_ABSENT);
    const uint32_t n = intern_find(catalogue->product_ids, "26093", 5);
    const product *bread = &catalogue->products[n];
    assert_string_equal(bread->title, "BREAD:ITALIAN/FRENCH");
    assert_string_equal(catalogue->categories[bread->category].path, "PASTRY > BREAD");
    assert_string_equal(catalogue->brands[bread->brand], "Private");
    assert_int_equal(bread->price_minor, 159);
    assert_string_equal(bread->attributes, "{\"manufacturer_id\":\"69\"}");
    char words[64];
    const uint32_t s = intern_find(catalogue->shopper_ids, "8", 1);
    assert_string_equal(
        attribute_text(catalogue->shoppers[s].attributes, "income", words, sizeof words),
        "25-34K");
}

/* Sums over all lines, computed from the file with another program. */
static void assert_journey_sums(void)
{
    int64_t paid = 0, discount = 0, coupon = 0;
    uint64_t by_type[EVENT_TYPE_COUNT] = {0};
    double quantity = 0;
    for (uint64_t i = 0; i < history->n; i++) {
        by_type[history->type[i]]++;
        if (history->type[i] != EVENT_PURCHASE) continue;
        paid += history->paid_minor[i];
        quantity += (double)history->quantity[i];
        discount +=
            history->discount_minor[i] != MONEY_ABSENT ? history->discount_minor[i] : 0;
        coupon += history->coupon_minor[i] != MONEY_ABSENT ? history->coupon_minor[i] : 0;
    }
    assert_int_equal(by_type[EVENT_PURCHASE], 491667);
    assert_int_equal(by_type[EVENT_EXPOSURE], 2519);
    assert_int_equal(by_type[EVENT_REDEMPTION], 804);
    assert_int_equal(paid, JOURNEY_PAID);
    assert_int_equal(discount, JOURNEY_DISCOUNT);
    assert_int_equal(coupon, JOURNEY_COUPON);
    assert_true(fabs(quantity - JOURNEY_QUANTITY) < 1);
}

static void the_complete_journey_is_as_its_files(void **state)
{
    (void)state;
    run_example(PROFFER_SOURCE_DIR "/examples/complete-journey/mapping.yaml");
    assert_journey_counts();
    load();
    assert_journey_first_basket();
    assert_journey_catalogue();
    assert_journey_sums();
    unload();
    const char *before = state_of_store();
    run_example(PROFFER_SOURCE_DIR "/examples/complete-journey/mapping.yaml");
    assert_int_equal(totals().added + totals().changed, 0);
    assert_int_equal(totals().duplicates, 491667 + 2519 + 804);
    assert_string_equal(state_of_store(), before);
}

/* Facts of the set's README, and sums computed from the file with another program. */
static void assert_retail(void)
{
    int64_t bought = 0, returned = 0;
    uint64_t n_returned = 0;
    for (uint64_t i = 0; i < history->n; i++) {
        if (history->type[i] == EVENT_RETURN) {
            n_returned++;
            returned += history->paid_minor[i];
        } else {
            bought += history->paid_minor[i];
        }
    }
    assert_int_equal(n_returned, RETAIL_RETURNS);
    assert_int_equal(bought, RETAIL_BOUGHT);
    assert_int_equal(returned, RETAIL_RETURNED);
    assert_int_equal(history->first[1] - history->first[0], RETAIL_ANONYMOUS);
    assert_int_equal(catalogue->n_shoppers, 4372);
    assert_int_equal(catalogue->n_products, 4070);
    const uint32_t p = intern_find(catalogue->product_ids, "85123A", 6);
    assert_string_equal(catalogue->products[p].title,
                        "WHITE HANGING HEART T-LIGHT HOLDER");
    assert_true(intern_find(catalogue->product_ids, "POST", 4) != 0);
    assert_true(intern_find(catalogue->shopper_ids, "17850", 5) != 0);
}

/* The rows themselves: what the set's README says of the file. */
static void assert_retail_file(const char *path)
{
    const csv_options o = csv_options_default();
    byte_source *source;
    csv_reader *r;
    row at_row;
    bool more = true;
    uint64_t rows = 0, cancelled = 0, anonymous = 0;
    assert_int_equal(byte_source_open(&source, path, NULL, &failure), PF_OK);
    assert_int_equal(csv_open(&r, source, &o, &failure), PF_OK);
    while (csv_next(r, &at_row, &more, &failure) == PF_OK && more) {
        assert_int_equal(at_row.reason, REASON_NONE);
        rows++;
        cancelled += at_row.cells[0].data[0] == 'C';
        anonymous += at_row.cells[6].n == 0;
    }
    csv_close(r);
    byte_source_close(source);
    assert_int_equal(rows, 541909);
    assert_int_equal(cancelled, 9288);
    assert_int_equal(anonymous, 135080);
}

static void online_retail_is_as_its_readme_says(void **state)
{
    (void)state;
    char data[4096], yaml[8192];
    const char *root = getenv("PROFFER_DATA");
    snprintf(data, sizeof data, "%s/online-retail-uci/online_retail.csv.gz",
             root != NULL ? root : "");
    if (root == NULL || !file_exists(data)) skip();
    assert_retail_file(data);
    /* The example's mapping beside a link to the data. */
    snprintf(yaml, sizeof yaml, "%s",
             content(PROFFER_SOURCE_DIR "/examples/online-retail/mapping.yaml"));
    put("mapping.yaml", yaml);
    assert_int_equal(symlink(data, path_of("online_retail.csv.gz")), 0);
    assert_true(currency_find("GBP", 3, &fixture_options.currency));
    run_example(path_of("mapping.yaml"));
    const intake_counts *lines = &table_of("invoice_lines")->counts;
    assert_int_equal(lines->rows, 541909);
    assert_int_equal(lines->rejected,
                     2); /* two corrections of bad debt: negative prices */
    assert_int_equal(table_of("invoice_lines")->by_reason[REASON_OUT_OF_RANGE], 2);
    assert_int_equal(lines->duplicates, 0);
    assert_int_equal(lines->added, 541909 - 2);
    load();
    assert_retail();
    unload();
    run_example(path_of("mapping.yaml")); /* the same file again changes nothing */
    assert_int_equal(table_of("invoice_lines")->counts.added, 0);
    assert_int_equal(table_of("invoice_lines")->counts.duplicates, 541909 - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_complete_journey_is_as_its_files),
        TEST(online_retail_is_as_its_readme_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
