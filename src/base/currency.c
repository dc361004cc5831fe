/*
 * ISO 4217: the active codes of circulating currencies and their minor digits (the
 * standard's list one, maintained by SIX; as of January 2026). Fund codes, metals and the
 * testing code are left out: no shop prices in them. Two digits are the rule; the
 * exceptions stand in their rows.
 */
#include "base/currency.h"

#include <stdint.h>
#include <string.h>

typedef struct currency_row {
    char code[4];
    signed char exponent;
} currency_row;

/* Sorted by code. */
static const currency_row table[] = {
    {"AED", 2}, {"AFN", 2}, {"ALL", 2}, {"AMD", 2}, {"AOA", 2}, {"ARS", 2}, {"AUD", 2},
    {"AWG", 2}, {"AZN", 2}, {"BAM", 2}, {"BBD", 2}, {"BDT", 2}, {"BHD", 3}, {"BIF", 0},
    {"BMD", 2}, {"BND", 2}, {"BOB", 2}, {"BRL", 2}, {"BSD", 2}, {"BTN", 2}, {"BWP", 2},
    {"BYN", 2}, {"BZD", 2}, {"CAD", 2}, {"CDF", 2}, {"CHF", 2}, {"CLF", 4}, {"CLP", 0},
    {"CNY", 2}, {"COP", 2}, {"CRC", 2}, {"CUP", 2}, {"CVE", 2}, {"CZK", 2}, {"DJF", 0},
    {"DKK", 2}, {"DOP", 2}, {"DZD", 2}, {"EGP", 2}, {"ERN", 2}, {"ETB", 2}, {"EUR", 2},
    {"FJD", 2}, {"FKP", 2}, {"GBP", 2}, {"GEL", 2}, {"GHS", 2}, {"GIP", 2}, {"GMD", 2},
    {"GNF", 0}, {"GTQ", 2}, {"GYD", 2}, {"HKD", 2}, {"HNL", 2}, {"HTG", 2}, {"HUF", 2},
    {"IDR", 2}, {"ILS", 2}, {"INR", 2}, {"IQD", 3}, {"IRR", 2}, {"ISK", 0}, {"JMD", 2},
    {"JOD", 3}, {"JPY", 0}, {"KES", 2}, {"KGS", 2}, {"KHR", 2}, {"KMF", 0}, {"KPW", 2},
    {"KRW", 0}, {"KWD", 3}, {"KYD", 2}, {"KZT", 2}, {"LAK", 2}, {"LBP", 2}, {"LKR", 2},
    {"LRD", 2}, {"LSL", 2}, {"LYD", 3}, {"MAD", 2}, {"MDL", 2}, {"MGA", 2}, {"MKD", 2},
    {"MMK", 2}, {"MNT", 2}, {"MOP", 2}, {"MRU", 2}, {"MUR", 2}, {"MVR", 2}, {"MWK", 2},
    {"MXN", 2}, {"MYR", 2}, {"MZN", 2}, {"NAD", 2}, {"NGN", 2}, {"NIO", 2}, {"NOK", 2},
    {"NPR", 2}, {"NZD", 2}, {"OMR", 3}, {"PAB", 2}, {"PEN", 2}, {"PGK", 2}, {"PHP", 2},
    {"PKR", 2}, {"PLN", 2}, {"PYG", 0}, {"QAR", 2}, {"RON", 2}, {"RSD", 2}, {"RUB", 2},
    {"RWF", 0}, {"SAR", 2}, {"SBD", 2}, {"SCR", 2}, {"SDG", 2}, {"SEK", 2}, {"SGD", 2},
    {"SHP", 2}, {"SLE", 2}, {"SOS", 2}, {"SRD", 2}, {"SSP", 2}, {"STN", 2}, {"SVC", 2},
    {"SYP", 2}, {"SZL", 2}, {"THB", 2}, {"TJS", 2}, {"TMT", 2}, {"TND", 3}, {"TOP", 2},
    {"TRY", 2}, {"TTD", 2}, {"TWD", 2}, {"TZS", 2}, {"UAH", 2}, {"UGX", 0}, {"USD", 2},
    {"UYU", 2}, {"UZS", 2}, {"VED", 2}, {"VES", 2}, {"VND", 0}, {"VUV", 0}, {"WST", 2},
    {"XAF", 0}, {"XCD", 2}, {"XCG", 2}, {"XOF", 0}, {"XPF", 0}, {"YER", 2}, {"ZAR", 2},
    {"ZMW", 2}, {"ZWG", 2},
};

enum { ROWS = sizeof table / sizeof table[0] };

typedef struct symbol_row {
    char code[4];
    const char *symbol; /* UTF-8 */
} symbol_row;

/* The first row of a currency is what is written; further ones are only read. */
static const symbol_row symbols[] = {
    {"USD", "$"},  {"EUR", "€"},   {"GBP", "£"},   {"JPY", "¥"},   {"CNY", "¥"},
    {"CNY", "￥"}, {"JPY", "￥"},  {"AUD", "A$"},  {"AUD", "$"},   {"CAD", "CA$"},
    {"CAD", "$"},  {"NZD", "NZ$"}, {"NZD", "$"},   {"HKD", "HK$"}, {"HKD", "$"},
    {"SGD", "S$"}, {"SGD", "$"},   {"TWD", "NT$"}, {"TWD", "$"},   {"MXN", "MX$"},
    {"MXN", "$"},  {"BRL", "R$"},  {"INR", "₹"},   {"KRW", "₩"},   {"VND", "₫"},
    {"ILS", "₪"},  {"RUB", "₽"}, {"TRY", "₺"},   {"UAH", "₴"},   {"PHP", "₱"},
    {"NGN", "₦"},  {"THB", "฿"},
};

enum { SYMBOLS = sizeof symbols / sizeof symbols[0] };

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

bool currency_find(const char *code, size_t n, currency *out)
{
    if (n != 3) return false;
    char wanted[4] = {upper(code[0]), upper(code[1]), upper(code[2]), '\0'};
    size_t low = 0, high = ROWS;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(table[middle].code, wanted, 3);
        if (order == 0) {
            memcpy(out->code, wanted, sizeof out->code);
            out->exponent = table[middle].exponent;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

const char *currency_symbol(const currency *c)
{
    for (size_t i = 0; i < SYMBOLS; i++) {
        if (memcmp(symbols[i].code, c->code, 3) == 0) return symbols[i].symbol;
    }
    return NULL;
}

static bool is_code(const char *at, const currency *c)
{
    return c->code[0] && upper(at[0]) == c->code[0] && upper(at[1]) == c->code[1] &&
           upper(at[2]) == c->code[2];
}

/* The longest mark at one end: "CA$" before "$". */
static size_t find_mark(const char *text, size_t n, const currency *c, bool at_end)
{
    size_t longest = 0;
    if (n >= 3 && is_code(at_end ? text + n - 3 : text, c)) return 3;
    for (size_t i = 0; i < SYMBOLS; i++) {
        size_t length = strlen(symbols[i].symbol);
        if (length > n || length <= longest ||
            (c->code[0] && memcmp(symbols[i].code, c->code, 3) != 0))
            continue;
        const char *at = at_end ? text + n - length : text;
        if (memcmp(at, symbols[i].symbol, length) == 0) longest = length;
    }
    return longest;
}

size_t currency_mark_at_start(const char *text, size_t n, const currency *c)
{
    return find_mark(text, n, c, false);
}

size_t currency_mark_at_end(const char *text, size_t n, const currency *c)
{
    return find_mark(text, n, c, true);
}
