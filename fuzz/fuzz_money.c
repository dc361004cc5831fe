/*
 * Amounts from outside: what money_parse accepts is within the limit and, written and
 * read again, the same amount; what it refuses has a reason.
 * Rooms: base
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/money.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_written(const char *written, const currency *c, int64_t minor)
{
    int64_t back = 0;
    const char *why = NULL;
    if (!money_parse(written, strlen(written), c, '.', &back, &why) || back != minor)
        abort();
}

/* The first byte chooses the currency and the decimal sign, the rest is the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char codes[][4] = {"USD", "EUR", "CNY", "JPY",
                                    "KWD", "CLF", "CHF", "AUD"};
    if (size == 0) return 0;
    currency c;
    if (!currency_find(codes[data[0] % 8], 3, &c)) abort();
    int64_t minor = 0;
    const char *why = NULL;
    if (!money_parse((const char *)data + 1, size - 1, &c, data[0] & 128 ? ',' : '.',
                     &minor, &why)) {
        if (!why || !why[0]) abort();
        return 0;
    }
    if (minor > LIMIT_MONEY_MINOR || minor < -LIMIT_MONEY_MINOR) abort();
    char into[MONEY_TEXT_BYTES];
    check_written(money_format(minor, &c, into), &c, minor);
    check_written(money_format_symbol(minor, &c, into), &c, minor);
    return 0;
}
