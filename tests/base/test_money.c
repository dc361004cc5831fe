/* base/money.h: the ISO 4217 table, amounts read and written exactly. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/money.h"
#include "base/random.h"

static currency find(const char *code)
{
    currency c;
    if (!currency_find(code, strlen(code), &c)) fail_msg("no currency %s", code);
    return c;
}

static void currencies_are_found_in_any_case(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        int exponent;
    } known[] = {{"USD", 2}, {"usd", 2}, {"Eur", 2}, {"CNY", 2}, {"JPY", 0}, {"KRW", 0},
                 {"KWD", 3}, {"BHD", 3}, {"CLF", 4}, {"ISK", 0}, {"AED", 2}, {"ZWG", 2},
                 {"XOF", 0}, {"VND", 0}, {"HUF", 2}, {"TND", 3}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        currency c = find(known[i].code);
        assert_int_equal(c.exponent, known[i].exponent);
        assert_int_equal(strlen(c.code), 3);
    }
    static const char *const unknown[] = {"",    "US",  "USDX", "XXX",
                                          "DEM", "XAU", "12A",  "U$D"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        currency c = {.code = "old"};
        assert_false(currency_find(unknown[i], strlen(unknown[i]), &c));
        assert_string_equal(c.code, "old");
    }
}

/* All codes of three letters: what is found is found as itself, and the table is sorted
 * (an unsorted row could not be found). */
static void the_table_has_the_size_of_the_standard(void **state)
{
    (void)state;
    int found = 0;
    for (char a = 'A'; a <= 'Z'; a++) {
        for (char b = 'A'; b <= 'Z'; b++) {
            for (char d = 'A'; d <= 'Z'; d++) {
                char code[4] = {a, b, d, 0};
                currency c;
                if (!currency_find(code, 3, &c)) continue;
                found++;
                assert_string_equal(c.code, code);
                assert_true(c.exponent >= 0 && c.exponent <= 4);
            }
        }
    }
    assert_int_equal(found, 156);
}

typedef struct amount {
    const char *code, *text;
    int64_t minor;
    char decimal;
} amount;

static void amounts_are_read(void **state)
{
    (void)state;
    static const amount cases[] = {
        {"USD", "4.58", 458, '.'},
        {"USD", "-4.58", -458, '.'},
        {"USD", "4", 400, '.'},
        {"USD", "4.5", 450, '.'},
        {"USD", ".5", 50, '.'},
        {"USD", "0", 0, '.'},
        {"USD", "-0.00", 0, '.'},
        {"USD", "007.10", 710, '.'},
        {"USD", "1,234.50", 123450, '.'},
        {"USD", "1,234,567", 123456700, '.'},
        {"USD", "12,345", 1234500, '.'},
        {"USD", "$4.58", 458, '.'},
        {"USD", "-$4.58", -458, '.'},
        {"USD", "$-4.58", -458, '.'},
        {"USD", "$ 4.58", 458, '.'},
        {"USD", "USD 4.58", 458, '.'},
        {"USD", "4.58 usd", 458, '.'},
        {"USD", "$1,234.50", 123450, '.'},
        {"USD", "4.580000", 458, '.'},
        {"EUR", "4,58", 458, ','},
        {"EUR", "1.234,50", 123450, ','},
        {"EUR", "4,58 €", 458, ','},
        {"EUR", "€4.58", 458, '.'},
        {"CNY", "¥12.50", 1250, '.'},
        {"CNY", "￥12.50", 1250, '.'},
        {"CAD", "CA$12.50", 1250, '.'},
        {"CAD", "$12.50", 1250, '.'},
        {"JPY", "1250", 1250, '.'},
        {"JPY", "1250.00", 1250, '.'},
        {"JPY", "1,250", 1250, '.'},
        {"KWD", "12.5", 12500, '.'},
        {"KWD", "12.500 KWD", 12500, '.'},
        {"CLF", "1.2345", 12345, '.'},
        {"USD", "9999999999999.99", INT64_C(999999999999999), '.'},
        {"USD", "10000000000000.00", LIMIT_MONEY_MINOR, '.'},
        {"USD", "-10000000000000", -LIMIT_MONEY_MINOR, '.'},
        {"JPY", "1000000000000000", LIMIT_MONEY_MINOR, '.'},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        currency c = find(cases[i].code);
        int64_t minor = 7;
        const char *why = "";
        if (!money_parse(cases[i].text, strlen(cases[i].text), &c, cases[i].decimal,
                         &minor, &why))
            fail_msg("'%s' was refused: %s", cases[i].text, why);
        assert_int_equal(minor, cases[i].minor);
    }
}

static void any_symbol_serves_when_the_currency_is_open(void **state)
{
    (void)state;
    currency none = {.code = "", .exponent = 2};
    static const char *const texts[] = {"$4.58", "€4.58", "4.58 £", "R$4.58"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t minor = 0;
        const char *why;
        assert_true(money_parse(texts[i], strlen(texts[i]), &none, '.', &minor, &why));
        assert_int_equal(minor, 458);
    }
}

static void what_is_no_amount_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct {
        const char *code, *text, *why;
        char decimal;
    } cases[] = {
        {"USD", "", "empty", '.'},
        {"USD", "-", "not a number", '.'},
        {"USD", "$", "not a number", '.'},
        {"USD", ".", "no digits", '.'},
        {"USD", "5.", "no digits", '.'},
        {"USD", "free", "not an amount", '.'},
        {"USD", "4.58x", "not an amount", '.'},
        {"USD", "4x58", "not a number", '.'},
        {"USD", "4 58", "not a number", '.'},
        {"USD", "4.5.8", "not a number", '.'},
        {"USD", "4.581", "more decimal places", '.'},
        {"JPY", "4.5", "more decimal places", '.'},
        {"KWD", "4.5001", "more decimal places", '.'},
        {"USD", "1,23", "groups of three", '.'},
        {"USD", "1,2345", "groups of three", '.'},
        {"USD", "1234,567", "groups of three", '.'},
        {"USD", ",123", "groups of three", '.'},
        {"USD", "1,,234", "groups of three", '.'},
        {"USD", "1,234,", "groups of three", '.'},
        {"USD", "1,23,456", "groups of three", '.'},
        {"USD", "4,58", "groups of three", '.'},
        {"EUR", "4.58", "groups of three", ','},
        {"EUR", "1,234.50", "more decimal places", ','},
        {"USD", "€4.58", "not an amount", '.'},
        {"EUR", "$4.58", "not an amount", '.'},
        {"USD", "EUR 4.58", "not an amount", '.'},
        {"USD", "$4.58 USD", "twice", '.'},
        {"USD", "--4.58", "not an amount", '.'},
        {"USD", "-$-4.58", "not a number", '.'},
        {"USD", "+4.58", "not an amount", '.'},
        {"USD", "(4.58)", "not an amount", '.'},
        {"USD", "4.58-", "not an amount", '.'},
        {"USD", "1e3", "not a number", '.'},
        {"USD", "0x10", "not a number", '.'},
        {"USD", " 4.58", "not an amount", '.'},
        {"USD", "10000000000000.01", "larger", '.'},
        {"USD", "10000000000001", "larger", '.'},
        {"JPY", "1000000000000001", "larger", '.'},
        {"USD", "99999999999999999999999999", "larger", '.'},
        {"USD", "9999999999999999.5", "larger", '.'},
        {"USD", "nan", "not an amount", '.'},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        currency c = find(cases[i].code);
        int64_t minor = 7;
        const char *why = "";
        if (money_parse(cases[i].text, strlen(cases[i].text), &c, cases[i].decimal,
                        &minor, &why))
            fail_msg("'%s' was read as %lld", cases[i].text, (long long)minor);
        if (!strstr(why, cases[i].why))
            fail_msg("'%s' was refused with '%s'", cases[i].text, why);
        assert_int_equal(minor, 7);
    }
}

static void amounts_are_written(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        int64_t minor;
        const char *plain, *symbol;
    } cases[] = {
        {"USD", 458, "4.58", "$4.58"},
        {"USD", -5, "-0.05", "-$0.05"},
        {"USD", 0, "0.00", "$0.00"},
        {"CNY", 1250, "12.50", "¥12.50"},
        {"JPY", 1250, "1250", "¥1250"},
        {"KWD", 12500, "12.500", "12.500 KWD"},
        {"CHF", 100, "1.00", "1.00 CHF"},
        {"CLF", 1, "0.0001", "0.0001 CLF"},
        {"USD", INT64_MAX, "92233720368547758.07", "$92233720368547758.07"},
        {"USD", INT64_MIN, "-92233720368547758.08", "-$92233720368547758.08"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        currency c = find(cases[i].code);
        char into[MONEY_TEXT_BYTES];
        assert_string_equal(money_format(cases[i].minor, &c, into), cases[i].plain);
        assert_string_equal(money_format_symbol(cases[i].minor, &c, into),
                            cases[i].symbol);
    }
}

static void written_amounts_are_read_back(void **state)
{
    (void)state;
    static const char *const codes[] = {"USD", "EUR", "CNY", "JPY", "KWD",
                                        "CLF", "CHF", "AUD", "BRL", "VND"};
    random_stream r = random_begin(2, 2);
    for (int i = 0; i < 100000; i++) {
        currency c = find(codes[i % 10]);
        int64_t minor =
            (int64_t)(random_u64(&r) % (2 * LIMIT_MONEY_MINOR + 1)) - LIMIT_MONEY_MINOR;
        minor /= i % 3 ? INT64_C(1) << (random_below(&r, 50)) : 1;
        char into[MONEY_TEXT_BYTES];
        int64_t back = 0;
        const char *why = "";
        money_format(minor, &c, into);
        assert_true(money_parse(into, strlen(into), &c, '.', &back, &why));
        assert_int_equal(back, minor);
        money_format_symbol(minor, &c, into);
        if (!money_parse(into, strlen(into), &c, '.', &back, &why))
            fail_msg("'%s': %s", into, why);
        assert_int_equal(back, minor);
    }
}

static void sums_are_checked(void **state)
{
    (void)state;
    int64_t out = 5;
    assert_true(money_add(2, -3, &out));
    assert_int_equal(out, -1);
    assert_false(money_add(INT64_MAX, 1, &out));
    assert_false(money_add(INT64_MIN, -1, &out));
    assert_int_equal(out, -1);
}

static void expectations_are_rounded_up_and_saturate(void **state)
{
    (void)state;
    assert_int_equal(money_from_expectation(12.0), 12);
    assert_int_equal(money_from_expectation(12.0000001), 13);
    assert_int_equal(money_from_expectation(-12.9), -12);
    assert_int_equal(money_from_expectation(0.0), 0);
    assert_true(money_from_expectation(1e300) == INT64_MAX);
    assert_true(money_from_expectation(INFINITY) == INT64_MAX);
    assert_true(money_from_expectation(0x1p63) == INT64_MAX);
    assert_true(money_from_expectation(-1e300) == INT64_MIN);
    assert_true(money_from_expectation(-0x1p63) == INT64_MIN);
    assert_true(money_from_expectation(NAN) == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(currencies_are_found_in_any_case),
        cmocka_unit_test(the_table_has_the_size_of_the_standard),
        cmocka_unit_test(amounts_are_read),
        cmocka_unit_test(any_symbol_serves_when_the_currency_is_open),
        cmocka_unit_test(what_is_no_amount_is_refused_with_a_reason),
        cmocka_unit_test(amounts_are_written),
        cmocka_unit_test(written_amounts_are_read_back),
        cmocka_unit_test(sums_are_checked),
        cmocka_unit_test(expectations_are_rounded_up_and_saturate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
