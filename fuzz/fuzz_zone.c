/*
 * Time zone files from outside: whatever was read as a zone gives offsets within a day or
 * so, and local times of its instants lead back to one of them.
 * Rooms: base
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LARGEST_OFFSET_S = 93600 };

static void check_instant(const zone *z, int64_t us)
{
    int32_t offset = zone_offset_s(z, us);
    if (offset <= -LARGEST_OFFSET_S || offset >= LARGEST_OFFSET_S) abort();
    calendar_time t = calendar_from_us(us, z);
    int64_t early = calendar_to_us(&t, z, ZONE_REPEAT_EARLIER);
    int64_t late = calendar_to_us(&t, z, ZONE_REPEAT_LATER);
    /* A broken file may repeat an hour more than twice; the middle ones are neither. */
    if (early > us || late < us) abort();
    if (calendar_midnight_us(us, z) > us) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    zone *z = NULL;
    pf_error err = {0};
    if (zone_from_bytes(&z, data, size, &err) != PF_OK) {
        if (z || !err.message[0]) abort();
        return 0;
    }
    static const int64_t centre_s[] = {-2208988800, -1,         0,
                                       1000000000,  1489302000, 7258118399};
    for (size_t i = 0; i < sizeof centre_s / sizeof centre_s[0]; i++) {
        for (int64_t hours = -40; hours <= 40; hours += 5)
            check_instant(z, (centre_s[i] + hours * 3600) * US_PER_SECOND);
    }
    zone_free(z);
    return 0;
}
