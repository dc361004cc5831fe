/*
 * The table of ISO 4217 currencies and of the symbols people write for them. money.c
 * reads it; other rooms use base/money.h.
 */
#ifndef PROFFER_BASE_CURRENCY_H
#define PROFFER_BASE_CURRENCY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/money.h"

/* The symbol written in front of amounts of a currency, or NULL where the code is
 * written behind them. */
const char *currency_symbol(const currency *c);

/* Length in bytes of the symbol or code of the currency that text begins with; 0 for
 * none. A currency without a code matches every symbol of the table. */
size_t currency_mark_at_start(const char *text, size_t n, const currency *c);
/* The same at the end of text. */
size_t currency_mark_at_end(const char *text, size_t n, const currency *c);

#endif
