/* The codes of reason.h as text. */
#include "intake/reason.h"

#include <stddef.h>

static const char *const names[REASON_COUNT] = {
    [REASON_NONE] = "",
    [REASON_WRONG_COLUMNS] = "wrong_columns",
    [REASON_BAD_QUOTE] = "bad_quote",
    [REASON_BAD_JSON] = "bad_json",
    [REASON_BAD_UTF8] = "bad_utf8",
    [REASON_MISSING_VALUE] = "missing_value",
    [REASON_BAD_NUMBER] = "bad_number",
    [REASON_OUT_OF_RANGE] = "out_of_range",
    [REASON_BAD_TIME] = "bad_time",
    [REASON_BAD_MONEY] = "bad_money",
    [REASON_BAD_CURRENCY] = "bad_currency",
    [REASON_BAD_WORD] = "bad_word",
    [REASON_BAD_TEXT] = "bad_text",
    [REASON_TOO_LONG] = "too_long",
    [REASON_NO_MATCH] = "no_match",
    [REASON_UNKNOWN_SHOPPER] = "unknown_shopper",
    [REASON_UNKNOWN_PRODUCT] = "unknown_product",
    [REASON_UNKNOWN_PROMOTION] = "unknown_promotion",
    [REASON_UNKNOWN_CAMPAIGN] = "unknown_campaign",
    [REASON_DUPLICATE_ID] = "duplicate_id",
};

const char *reject_reason_name(reject_reason reason)
{
    return (unsigned)reason < REASON_COUNT && names[reason] != NULL ? names[reason] : "";
}
