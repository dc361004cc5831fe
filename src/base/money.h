/*
 * Money is an int64_t of minor units (cents, fen, yen) and a currency; it never passes
 * through a float on the way in or out. Exponents as in ISO 4217. Arithmetic is checked.
 */
#ifndef PROFFER_BASE_MONEY_H
#define PROFFER_BASE_MONEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct currency {
    char code[4]; /* ISO 4217, terminated; empty = none */
    int exponent; /* digits behind the point: USD 2, JPY 0, KWD 3 */
} currency;

/* Looks up an active ISO 4217 code, any case; false when unknown. */
bool currency_find(const char *code, size_t n, currency *out);

/* "4.58", "-4.58", "1,234.50" (thousands in threes), "$4.58", "4.58 €", "USD 4.58",
 * "4,58" only when decimal == ','. A symbol or code must be the currency's own (any
 * symbol when its code is empty). More digits than the exponent are accepted only when
 * they are zeros. false with a reason in *why (static text); more than LIMIT_MONEY_MINOR
 * is a reason too. */
bool money_parse(const char *text, size_t n, const currency *c, char decimal,
                 int64_t *minor, const char **why);

/* "4.58" or "-0.05"; with a symbol for people: "$4.58", "¥12.50", "12.500 KWD". */
enum { MONEY_TEXT_BYTES = 40 };
const char *money_format(int64_t minor, const currency *c, char into[MONEY_TEXT_BYTES]);
const char *money_format_symbol(int64_t minor, const currency *c,
                                char into[MONEY_TEXT_BYTES]);

/* Sum, or false on overflow with *out untouched. */
bool money_add(int64_t a, int64_t b, int64_t *out);
/* An expectation in minor units becomes an amount: rounded up, once; saturates.
 * NaN becomes INT64_MAX: what cannot be priced cannot be afforded. */
int64_t money_from_expectation(double minor);

#endif
