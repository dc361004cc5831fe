/*
 * Columns into the bytes of a block; the layout is drawn in event_block.h.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "store/block_units.h"
#include "store/event_block.h"

static unsigned char width_code(uint64_t largest_code)
{
    unsigned char code = 0;
    while (code < 7 && largest_code >> (8u * block_widths[code]) != 0)
        code++;
    return code;
}

/* Writes n codes of `width` bytes; `at` has room for eight bytes more than they need. */
static void put_codes(unsigned char *at, const uint64_t *codes, uint32_t n,
                      unsigned width)
{
    switch (width) {
    case 0: return;
    case 1:
        for (uint32_t i = 0; i < n; i++)
            at[i] = (unsigned char)codes[i];
        return;
    case 2:
        for (uint32_t i = 0; i < n; i++) {
            uint16_t code = (uint16_t)codes[i];
            memcpy(at + 2 * (size_t)i, &code, 2);
        }
        return;
    default:
        /* Each store writes eight bytes, of which the next one corrects the rest. */
        for (uint32_t i = 0; i < n; i++)
            memcpy(at + (size_t)width * i, &codes[i], 8);
    }
}

static bool put_column(buffer *out, const uint64_t *codes, uint32_t n, uint64_t largest,
                       int64_t base, bool has_absent)
{
    unsigned char code = width_code(largest);
    uint64_t zigzag = ((uint64_t)base << 1) ^ (base < 0 ? UINT64_MAX : 0);
    unsigned base_bytes = 0;
    while (base_bytes < 8 && zigzag >> (8 * base_bytes) != 0)
        base_bytes++;
    size_t size = 1 + base_bytes + (size_t)block_widths[code] * n;
    unsigned char *at = (unsigned char *)buffer_reserve(out, size + 8);
    if (at == NULL) return false;
    at[0] = (unsigned char)(code | (has_absent ? 8u : 0u) | base_bytes << 4);
    memcpy(at + 1, &zigzag, 8);
    put_codes(at + 1 + base_bytes, codes, n, block_widths[code]);
    out->length += size;
    return true;
}

/* Values with INT64_MIN as "absent": the code of all ones stands for it, so the width
 * must leave that one free. */
static bool put_values(buffer *out, const int64_t *values, uint32_t n)
{
    uint64_t codes[BLOCK_ROWS] = {0};
    int64_t low = INT64_MAX, high = INT64_MIN;
    bool has_absent = false;
    for (uint32_t i = 0; i < n; i++) {
        bool absent = values[i] == INT64_MIN;
        has_absent |= absent;
        low = !absent && values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    if (high == INT64_MIN) /* all are absent */
        return put_column(out, codes, n, 0, 0, true);
    uint64_t largest = (uint64_t)high - (uint64_t)low;
    if (has_absent) largest++;
    for (uint32_t i = 0; i < n; i++)
        codes[i] =
            values[i] == INT64_MIN ? UINT64_MAX : (uint64_t)values[i] - (uint64_t)low;
    return put_column(out, codes, n, largest, low, has_absent);
}

static bool put_u32(buffer *out, const uint32_t *values, uint32_t n)
{
    int64_t wide[BLOCK_ROWS];
    for (uint32_t i = 0; i < n; i++)
        wide[i] = values[i];
    return put_values(out, wide, n);
}

static bool put_u8(buffer *out, const uint8_t *values, uint32_t n)
{
    int64_t wide[BLOCK_ROWS];
    for (uint32_t i = 0; i < n; i++)
        wide[i] = values[i];
    return put_values(out, wide, n);
}

static bool put_floats(buffer *out, const float *values, uint32_t n)
{
    uint32_t bits[BLOCK_ROWS];
    memcpy(bits, values, n * sizeof *values);
    return put_u32(out, bits, n);
}

/* The largest unit that divides all the differences. */
static uint8_t find_unit(const uint64_t *differences, uint32_t n)
{
    for (uint8_t unit = BLOCK_UNITS - 1; unit > 0; unit--) {
        uint32_t i = 0;
        while (i < n && differences[i] % block_units[unit] == 0)
            i++;
        if (i == n) return unit;
    }
    return 0;
}

static bool put_times(buffer *out, const int64_t *times, uint32_t n)
{
    uint64_t codes[BLOCK_ROWS];
    uint64_t largest = 0;
    codes[0] = 0;
    for (uint32_t i = 1; i < n; i++) {
        assert(times[i] >= times[i - 1]);
        codes[i] = (uint64_t)times[i] - (uint64_t)times[i - 1];
    }
    uint8_t unit = find_unit(codes, n);
    for (uint32_t i = 0; i < n; i++) {
        codes[i] /= block_units[unit];
        largest = codes[i] > largest ? codes[i] : largest;
    }
    return buffer_append_char(out, (char)unit) &&
           put_column(out, codes, n, largest, times[0], false);
}

static bool is_whole(double v)
{
    return fabs(v) < 9007199254740992.0 && v == nearbyint(v);
}

static bool put_quantities(buffer *out, const double *values, uint32_t n)
{
    int64_t wide[BLOCK_ROWS];
    bool whole = true;
    for (uint32_t i = 0; i < n && whole; i++)
        whole = is_whole(values[i]);
    if (!buffer_append_char(out, whole ? 0 : 1)) return false;
    if (!whole) {
        for (uint32_t i = 0; i < n; i++) {
            double v = values[i] + 0.0; /* the bits of -0.0 would read as "absent" */
            memcpy(&wide[i], &v, sizeof v);
        }
        return put_values(out, wide, n);
    }
    for (uint32_t i = 0; i < n; i++)
        wide[i] = (int64_t)values[i];
    return put_values(out, wide, n);
}

/* --- texts ------------------------------------------------------------------------ */

static size_t common_prefix(text a, text b)
{
    size_t most = a.n < b.n ? a.n : b.n;
    if (most > BLOCK_PREFIX_MAX) most = BLOCK_PREFIX_MAX;
    size_t n = 0;
    while (n < most && a.data[n] == b.data[n])
        n++;
    return n;
}

static bool put_texts(buffer *out, const event_columns *rows, event_text kind,
                      uint32_t from, uint32_t n)
{
    uint64_t prefix[BLOCK_ROWS], rest[BLOCK_ROWS];
    uint64_t largest_prefix = 0, largest_rest = 0, bytes = 0;
    text before = {"", 0};
    for (uint32_t i = 0; i < n; i++) {
        text now = columns_text(rows, kind, from + i);
        prefix[i] = common_prefix(before, now);
        rest[i] = now.n - prefix[i];
        bytes += rest[i];
        largest_prefix = prefix[i] > largest_prefix ? prefix[i] : largest_prefix;
        largest_rest = rest[i] > largest_rest ? rest[i] : largest_rest;
        before = now;
    }
    uint32_t bytes_32 = (uint32_t)bytes;
    if (!buffer_append(out, &bytes_32, sizeof bytes_32) ||
        !put_column(out, prefix, n, largest_prefix, 0, false) ||
        !put_column(out, rest, n, largest_rest, 0, false))
        return false;
    char *at = buffer_reserve(out, bytes);
    if (at == NULL) return false;
    for (uint32_t i = 0; i < n && bytes > 0; i++) {
        text now = columns_text(rows, kind, from + i);
        memcpy(at, now.data + prefix[i], rest[i]);
        at += rest[i];
    }
    out->length += bytes;
    return true;
}

/* --- the block -------------------------------------------------------------------- */

static bool put_columns(buffer *out, const event_columns *rows, uint32_t from, uint32_t n)
{
    bool ok = put_times(out, rows->time_us + from, n) &&
              put_u8(out, rows->type + from, n) && put_u8(out, rows->channel + from, n) &&
              put_u8(out, rows->date_only + from, n) &&
              put_u32(out, rows->product + from, n) &&
              put_u32(out, rows->promotion + from, n) &&
              put_u32(out, rows->campaign + from, n) &&
              put_quantities(out, rows->quantity + from, n) &&
              put_values(out, rows->paid_minor + from, n) &&
              put_values(out, rows->discount_minor + from, n) &&
              put_values(out, rows->coupon_minor + from, n) &&
              put_floats(out, rows->rating + from, n) &&
              put_floats(out, rows->propensity + from, n);
    for (int k = 0; k < EVENT_TEXTS && ok; k++)
        ok = put_texts(out, rows, (event_text)k, from, n);
    return ok;
}

void block_seal(unsigned char *block, size_t size)
{
    static const hash_key plain = {{0}}; /* guards against chance, not against people */
    size_t from = offsetof(block_head, shopper);
    assert(size >= sizeof(block_head));
    uint64_t checksum = hash_bytes(block + from, size - from, &plain);
    memcpy(block + offsetof(block_head, checksum), &checksum, sizeof checksum);
}

pf_status block_encode(const event_columns *rows, uint32_t from, uint32_t n,
                       uint32_t shopper, buffer *out, pf_error *err)
{
    assert(n >= 1 && n <= BLOCK_ROWS && from + n <= rows->n);
    size_t start = out->length;
    block_head head = {.version = BLOCK_VERSION, .n = (uint16_t)n, .shopper = shopper};
    if (!buffer_append(out, &head, sizeof head) || !put_columns(out, rows, from, n)) {
        out->length = start;
        return error_set(err, PF_NO_MEMORY, "no memory to write a block of events");
    }
    uint32_t bytes = (uint32_t)(out->length - start);
    unsigned char *block = (unsigned char *)out->data + start;
    memcpy(block + offsetof(block_head, bytes), &bytes, sizeof bytes);
    block_seal(block, bytes);
    return PF_OK;
}
