/* intake/check.h, time_text.h, template.h, words.h, fields.h: single values. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/random.h"
#include "intake/check.h"
#include "intake/fields.h"
#include "intake/template.h"
#include "intake/time_text.h"
#include "intake/words.h"

static value_rules rules(const char *code, char decimal)
{
    value_rules r = {.decimal = decimal, .form = MAP_TIME_ANY};
    assert_true(currency_find(code, 3, &r.currency));
    return r;
}

static void numbers(void **state)
{
    (void)state;
    const value_rules point = rules("USD", '.'), comma = rules("EUR", ',');
    value_fault f;
    double x;
    assert_true(check_number(text_of("12"), &point, 1, &x, &f) && x == 12);
    assert_true(check_number(text_of("-1.5e2"), &point, 1, &x, &f) && x == -150);
    assert_true(check_number(text_of("1,5"), &comma, 1, &x, &f) && x == 1.5);
    assert_false(check_number(text_of("1.5"), &comma, 1, &x, &f));
    static const char *const wrong[] = {"x",   "1 2",  "1,5",   "nan",
                                        "inf", "0x10", "1e999", "--1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(check_number(text_of(wrong[i]), &point, 3, &x, &f));
        assert_int_equal(f.reason, REASON_BAD_NUMBER);
        assert_int_equal(f.field, 3);
        assert_non_null(strstr(f.message, wrong[i]));
    }
}

static void counts(void **state)
{
    (void)state;
    value_fault f;
    uint32_t n;
    assert_true(check_count(text_of("4294967295"), 1, &n, &f) && n == UINT32_MAX);
    assert_false(check_count(text_of("4294967296"), 1, &n, &f));
    assert_int_equal(f.reason, REASON_OUT_OF_RANGE);
    assert_false(check_count(text_of("-1"), 1, &n, &f));
    assert_false(check_count(text_of("1.0"), 1, &n, &f));
    assert_int_equal(f.reason, REASON_BAD_NUMBER);
}

static void amounts(void **state)
{
    (void)state;
    const value_rules usd = rules("USD", '.'), jpy = rules("JPY", '.');
    value_fault f;
    int64_t minor;
    assert_true(check_amount(text_of("4.58"), &usd, 1, &minor, &f) && minor == 458);
    assert_true(check_signed_amount(text_of("-4.58"), &usd, 1, &minor, &f) &&
                minor == -458);
    assert_false(check_amount(text_of("-4.58"), &usd, 1, &minor, &f));
    assert_int_equal(f.reason, REASON_OUT_OF_RANGE);
    assert_false(check_amount(text_of("4.585"), &usd, 1, &minor, &f));
    assert_int_equal(f.reason, REASON_BAD_MONEY);
    assert_false(check_amount(text_of("4.5"), &jpy, 1, &minor, &f));
    assert_false(check_amount(text_of("99999999999999999999"), &usd, 1, &minor, &f));
    assert_false(check_amount(text_of("4,58"), &usd, 1, &minor, &f));
}

static void unit_price_times_quantity_is_exact(void **state)
{
    (void)state;
    static const struct {
        const char *code, *price, *quantity;
        int64_t minor;
    } cases[] = {
        {"GBP", "2.55", "6", 1530},    {"GBP", "0.001", "1", 0},
        {"GBP", "0.001", "5", 1},      {"GBP", "0.001", "4", 0},
        {"GBP", "0.001", "-5", -1},    {"GBP", "-11062.06", "1", -1106206},
        {"GBP", "0.1", "3", 30},       {"GBP", "2.95", "", 295},
        {"USD", "3.99", "0.455", 182}, {"USD", "1.005", "1", 101},
        {"USD", "-1.005", "1", -101},  {"JPY", "99.5", "2", 199},
        {"JPY", "0.5", "1", 1},        {"KWD", "1.2345", "1", 1235},
        {"KWD", "0.333", "3", 999},    {"USD", "1,234.50", "2", 246900},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const value_rules r = rules(cases[i].code, '.');
        value_fault f = {0};
        int64_t minor = 0;
        if (!check_line_amount(text_of(cases[i].price), text_of(cases[i].quantity), &r, 1,
                               2, &minor, &f))
            fail_msg("%s", f.message);
        assert_int_equal(minor, cases[i].minor);
    }
    const value_rules usd = rules("USD", '.');
    value_fault f;
    int64_t minor;
    assert_false(
        check_line_amount(text_of("0.00001"), text_of("1"), &usd, 1, 2, &minor, &f));
    assert_int_equal(f.field, 1);
    assert_false(check_line_amount(text_of("1"), text_of("x"), &usd, 1, 2, &minor, &f));
    assert_int_equal(f.field, 2);
    assert_false(check_line_amount(text_of("99999999999"), text_of("99999999"), &usd, 1,
                                   2, &minor, &f));
    assert_int_equal(f.reason, REASON_OUT_OF_RANGE);
}

/* Against whole numbers: cents x units / 100, rounded half away from zero. */
static void line_amounts_agree_with_whole_numbers(void **state)
{
    (void)state;
    const value_rules usd = rules("USD", '.');
    random_stream r = random_begin(3, 0);
    for (int i = 0; i < 20000; i++) {
        char price[32], quantity[32];
        value_fault f;
        int64_t minor;
        const int64_t cents = random_below(&r, 10000000),
                      hundredths = random_below(&r, 100000);
        const bool back = random_below(&r, 2) == 0;
        snprintf(price, sizeof price, "%lld.%02lld", (long long)(cents / 100),
                 (long long)(cents % 100));
        snprintf(quantity, sizeof quantity, "%s%lld.%02lld", back ? "-" : "",
                 (long long)(hundredths / 100), (long long)(hundredths % 100));
        assert_true(
            check_line_amount(text_of(price), text_of(quantity), &usd, 1, 2, &minor, &f));
        const int64_t right = (cents * hundredths + 50) / 100;
        assert_int_equal(minor, back ? -right : right);
    }
}

static void currencies(void **state)
{
    (void)state;
    const value_rules usd = rules("USD", '.');
    value_fault f;
    assert_true(check_currency(text_of("USD"), &usd, 1, &f));
    assert_true(check_currency(text_of("usd"), &usd, 1, &f));
    assert_false(check_currency(text_of("EUR"), &usd, 1, &f));
    assert_non_null(strstr(f.message, "the amount is in EUR, the workspace in USD"));
    assert_false(check_currency(text_of("XQQ"), &usd, 1, &f));
    assert_non_null(strstr(f.message, "no currency of ISO 4217"));
    assert_int_equal(f.reason, REASON_BAD_CURRENCY);
}

static int64_t iso(const char *words)
{
    const time_rules r = {.form = TIME_ISO};
    int64_t us;
    bool date_only;
    const char *why = "";
    if (!time_parse(words, strlen(words), &r, &us, &date_only, &why))
        fail_msg("%s: %s", words, why);
    return us;
}

static void dates_in_other_orders(void **state)
{
    (void)state;
    static const struct {
        map_time_form form;
        const char *words, *iso;
    } good[] = {
        {MAP_TIME_MONTH_DAY_YEAR, "12/1/2010 8:26", "2010-12-01T08:26"},
        {MAP_TIME_MONTH_DAY_YEAR, "12-31-2010", "2010-12-31"},
        {MAP_TIME_DAY_MONTH_YEAR, "1.12.2010 08:26:30", "2010-12-01T08:26:30"},
        {MAP_TIME_DAY_MONTH_YEAR, "31/12/2010T23:59:59Z", "2010-12-31T23:59:59"},
        {MAP_TIME_ANY, "1291191960", "2010-12-01T08:26"},
        {MAP_TIME_EPOCH_MS, "1291191960000", "2010-12-01T08:26"},
        {MAP_TIME_EPOCH_S, "20101201", "1970-08-21T15:40:01"},
        {MAP_TIME_ISO, "20101201", "2010-12-01"},
    };
    const time_rules utc = {.form = TIME_ANY};
    int64_t us;
    bool date_only;
    const char *why;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!time_text_parse(text_of(good[i].words), good[i].form, &utc, &us, &date_only,
                             &why))
            fail_msg("%s: %s", good[i].words, why);
        assert_int_equal(us, iso(good[i].iso));
        assert_int_equal(date_only, strlen(good[i].iso) == 10);
    }
    static const struct {
        map_time_form form;
        const char *words, *why;
    } bad[] = {
        {MAP_TIME_DAY_MONTH_YEAR, "12/31/2010", "month is not between"},
        {MAP_TIME_MONTH_DAY_YEAR, "31/12/2010", "month is not between"},
        {MAP_TIME_MONTH_DAY_YEAR, "2/30/2010", "no such day"},
        {MAP_TIME_MONTH_DAY_YEAR, "2010-12-31", "month/day/year"},
        {MAP_TIME_DAY_MONTH_YEAR, "1/2/10", "day/month/year"},
        {MAP_TIME_DAY_MONTH_YEAR, "1/2/2010x", "day/month/year"},
        {MAP_TIME_DAY_MONTH_YEAR, "1/2/2010 25:00", "hour"},
        {MAP_TIME_DAY_MONTH_YEAR, "", "day/month/year"},
        {MAP_TIME_ANY, "2010-13-01", "month is not between"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(time_text_parse(text_of(bad[i].words), bad[i].form, &utc, &us,
                                     &date_only, &why));
        if (strstr(why, bad[i].why) == NULL) fail_msg("%s: %s", bad[i].words, why);
    }
}

/* Days of 23 and 25 hours end at midnight like others. */
static void a_day_ends_at_the_next_midnight(void **state)
{
    (void)state;
    zone *z;
    assert_int_equal(zone_open(&z, "America/New_York", &failure), PF_OK);
    assert_int_equal(time_end_of_day(iso("2017-04-09T04:00"), z),
                     iso("2017-04-10T04:00"));
    assert_int_equal(time_end_of_day(iso("2017-03-12T05:00"), z),
                     iso("2017-03-13T04:00"));
    assert_int_equal(time_end_of_day(iso("2017-11-05T04:00"), z),
                     iso("2017-11-06T05:00"));
    assert_int_equal(time_end_of_day(iso("2017-11-06T04:59"), z),
                     iso("2017-11-06T05:00"));
    assert_int_equal(time_end_of_day(iso("2017-04-09"), NULL), iso("2017-04-10"));
    zone_free(z);
}

static void values_are_shown_short_and_clean(void **state)
{
    (void)state;
    char into[SHOWN_BYTES];
    assert_string_equal(shown(text_of("a\nb\x01"), into), "a b ");
    assert_string_equal(shown((text){"x\xff\xfe", 3}, into), "x??");
    const char *snow =
        "\xe9\x9b\xaa\xe9\x9b\xaa\xe9\x9b\xaa\xe9\x9b\xaa\xe9\x9b\xaa\xe9\x9b\xaa"
        "\xe9\x9b\xaa\xe9\x9b\xaa\xe9\x9b\xaa\xe9\x9b\xaa\xe9\x9b\xaa\xe9\x9b\xaa"
        "\xe9\x9b\xaa\xe9\x9b\xaa\xe9\x9b\xaa";
    shown(text_of(snow), into);
    assert_true(utf8_check(into, strlen(into), NULL));
    assert_int_equal(strlen(into), 39 + 3);
}

static const char *pieces(const char *source)
{
    static char into[256];
    size_t n = 0;
    template_cursor c = template_begin(text_of(source));
    template_piece p;
    into[0] = 0;
    while (template_next(&c, &p))
        n +=
            (size_t)snprintf(into + n, sizeof into - n, p.is_column ? "<%.*s>" : "'%.*s'",
                             (int)p.text.n, p.text.data);
    return c.why != NULL ? c.why : into;
}

static void templates(void **state)
{
    (void)state;
    assert_string_equal(pieces("{a}:{b}"), "<a>':'<b>");
    assert_string_equal(pieces("x{ a }y"), "'x'<a>'y'");
    assert_string_equal(pieces("{{a}}"), "'{''a''}'");
    assert_string_equal(pieces(""), "");
    assert_string_equal(pieces("{a"), "a brace is opened and not closed");
    assert_string_equal(pieces("a}"), "a brace is closed that was not opened");
    assert_string_equal(pieces("{ }"), "there is no column between the braces");
}

static void events_of_other_systems_have_our_types(void **state)
{
    (void)state;
    assert_int_equal(event_word_find(text_of("Order Completed"))->type, EVENT_PURCHASE);
    assert_int_equal(event_word_find(text_of("add_to_cart"))->type, EVENT_ADD_TO_CART);
    assert_int_equal(event_word_find(text_of("view_promotion"))->type, EVENT_EXPOSURE);
    assert_int_equal(event_word_find(text_of("view_promotion"))->channel, CHANNEL_SITE);
    assert_int_equal(event_word_find(text_of("Email Delivered"))->channel, CHANNEL_EMAIL);
    assert_int_equal(event_word_find(text_of("REFUND"))->type, EVENT_RETURN);
    assert_null(event_word_find(text_of("page_view_x")));
    assert_null(event_word_find(text_of("")));
    for (int t = EVENT_NONE + 1; t < EVENT_TYPE_COUNT; t++)
        assert_int_equal(event_word_find(text_of(event_type_name((event_type)t)))->type,
                         t);
    size_t n = 0;
    for (const event_word *w; (w = event_word_at(n)) != NULL; n++) {
        assert_ptr_equal(event_word_find(text_of(w->name)), w); /* none stands twice */
        assert_true(w->type > EVENT_NONE && w->type < EVENT_TYPE_COUNT);
    }
    assert_true(n > 40);
}

static int guess(intake_table t, const char *column)
{
    size_t rank;
    return table_field_guess(t, text_of(column), &rank);
}

static void columns_of_other_shops_are_guessed(void **state)
{
    (void)state;
    assert_int_equal(guess(TABLE_EVENTS, "CustomerID"), EVENTS_SHOPPER);
    assert_int_equal(guess(TABLE_EVENTS, "user_id"), EVENTS_SHOPPER);
    assert_int_equal(guess(TABLE_EVENTS, "StockCode"), EVENTS_PRODUCT);
    assert_int_equal(guess(TABLE_EVENTS, "InvoiceDate"), EVENTS_TIME);
    assert_int_equal(guess(TABLE_EVENTS, "InvoiceNo"), EVENTS_ORDER);
    assert_int_equal(guess(TABLE_EVENTS, "UnitPrice"), EVENTS_UNIT_PRICE);
    assert_int_equal(guess(TABLE_EVENTS, "Description"), -1);
    assert_int_equal(guess(TABLE_PRODUCTS, "sku"), PRODUCTS_ID);
    assert_int_equal(guess(TABLE_PRODUCTS, "Product Name"), PRODUCTS_TITLE);
    assert_int_equal(guess(TABLE_SHOPPERS, "customer id"), SHOPPERS_ID);
    assert_int_equal(guess(TABLE_SHOPPERS, ""), -1);
    assert_int_equal(guess(TABLE_PRODUCTS, "\xe5\x95\x86\xe5\x93\x81"), -1);
    size_t own, other;
    assert_int_equal(table_field_guess(TABLE_EVENTS, text_of("time"), &own), EVENTS_TIME);
    assert_int_equal(table_field_guess(TABLE_EVENTS, text_of("date"), &other),
                     EVENTS_TIME);
    assert_true(own < other);
}

/* Every field has a name of its own, finds itself, and guesses itself first. */
static void fields_know_their_own_names(void **state)
{
    (void)state;
    for (int t = 0; t < TABLE_COUNT; t++) {
        assert_int_equal(intake_table_parse(text_of(intake_table_name((intake_table)t))),
                         t);
        for (size_t i = 0; i < table_field_count((intake_table)t); i++) {
            const char *name = table_field((intake_table)t, i)->name;
            assert_int_equal(table_field_find((intake_table)t, text_of(name)), i);
            assert_int_equal(guess((intake_table)t, name), i);
        }
    }
    assert_int_equal(intake_table_parse(text_of("orders")), TABLE_COUNT);
}

static bool documented(const char *docs, const char *before, const char *word,
                       const char *after)
{
    char wanted[128];
    snprintf(wanted, sizeof wanted, "%s%s%s", before, word, after);
    return strstr(docs, wanted) != NULL;
}

/* docs/data-formats.md names every table, field and reason there is. */
static void the_documentation_is_complete(void **state)
{
    (void)state;
    char *docs;
    size_t n;
    assert_int_equal(file_read_whole(&docs, &n,
                                     PROFFER_SOURCE_DIR "/docs/data-formats.md", 1 << 20,
                                     &failure),
                     PF_OK);
    for (int t = 0; t < TABLE_COUNT; t++) {
        const intake_table table = (intake_table)t;
        const char *row = strstr(docs, "| table | fields |");
        char head[32];
        snprintf(head, sizeof head, "| `%s` |", intake_table_name(table));
        row = strstr(row, head);
        assert_non_null(row);
        char line[1024];
        snprintf(line, sizeof line, "%.*s", (int)strcspn(row, "\n"), row);
        for (size_t i = 0; i < table_field_count(table); i++)
            if (!documented(line, " ", table_field(table, i)->name, "") &&
                !documented(line, "**", table_field(table, i)->name, "**"))
                fail_msg("%s.%s", intake_table_name(table), table_field(table, i)->name);
    }
    for (int r = REASON_NONE + 1; r < REASON_COUNT; r++)
        if (!documented(docs, "`", reject_reason_name((reject_reason)r), "`"))
            fail_msg("%s", reject_reason_name((reject_reason)r));
    mem_free(docs);
}

/* The complete example of the documentation is a mapping that can be read. */
static void the_documented_mapping_is_one(void **state)
{
    (void)state;
    char *docs;
    size_t n;
    mapping *m = NULL;
    assert_int_equal(file_read_whole(&docs, &n,
                                     PROFFER_SOURCE_DIR "/docs/data-formats.md", 1 << 20,
                                     &failure),
                     PF_OK);
    const char *from = strstr(docs, "```yaml\n");
    assert_non_null(from);
    from += strlen("```yaml\n");
    const char *to = strstr(from, "```");
    if (mapping_parse(&m, from, (size_t)(to - from), "docs", &failure) != PF_OK)
        fail_msg("%llu: %s", (unsigned long long)failure.line, failure.message);
    assert_int_equal(m->tables_count, 4);
    mapping_free(m);
    mem_free(docs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(counts),
        cmocka_unit_test(amounts),
        cmocka_unit_test(unit_price_times_quantity_is_exact),
        cmocka_unit_test(line_amounts_agree_with_whole_numbers),
        cmocka_unit_test(currencies),
        cmocka_unit_test(dates_in_other_orders),
        cmocka_unit_test(a_day_ends_at_the_next_midnight),
        cmocka_unit_test(values_are_shown_short_and_clean),
        cmocka_unit_test(templates),
        cmocka_unit_test(events_of_other_systems_have_our_types),
        cmocka_unit_test(columns_of_other_shops_are_guessed),
        cmocka_unit_test(fields_know_their_own_names),
        cmocka_unit_test(the_documentation_is_complete),
        cmocka_unit_test(the_documented_mapping_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
