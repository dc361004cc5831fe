/*
 * Times from outside: what time_parse accepts lies within its range, is written as ISO
 * 8601 and read back as itself; what it refuses has a reason.
 * Rooms: base
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_accepted(int64_t us)
{
    char into[TIME_TEXT_BYTES];
    int64_t back = 0;
    bool date_only = true;
    const char *why = NULL;
    time_rules iso = {.form = TIME_ISO};
    time_format(us, into);
    if (!time_parse(into, strlen(into), &iso, &back, &date_only, &why) || back != us ||
        date_only)
        abort();
}

/* The first byte chooses form and zone, the rest is the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static zone *local;
    if (!local && zone_open(&local, "America/New_York", NULL) != PF_OK) abort();
    if (size == 0) return 0;
    time_rules rules = {
        .form = (time_form)(data[0] % 5),
        .local = data[0] & 64 ? local : NULL,
        .repeat = data[0] & 128 ? ZONE_REPEAT_LATER : ZONE_REPEAT_EARLIER,
    };
    int64_t us = 0;
    bool date_only = false;
    const char *why = NULL;
    if (time_parse((const char *)data + 1, size - 1, &rules, &us, &date_only, &why))
        check_accepted(us);
    else if (!why || !why[0])
        abort();
    return 0;
}
