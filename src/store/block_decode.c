/*
 * The bytes of a block into columns; the layout is drawn in event_block.h. Whatever the
 * bytes are, nothing is read outside them and no count passes its limit.
 */
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "shop/vocabulary.h"
#include "store/block_units.h"
#include "store/event_block.h"

/* What is left to read. */
typedef struct reader {
    const unsigned char *at, *end;
} reader;

static bool read_byte(reader *r, uint8_t *out)
{
    if (r->at == r->end) return false;
    *out = *r->at++;
    return true;
}

static bool read_column(reader *r, uint32_t n, packed_column *out)
{
    uint8_t kind;
    uint64_t zigzag = 0;
    if (!read_byte(r, &kind)) return false;
    size_t base_bytes = kind >> 4;
    out->width = block_widths[kind & 7u];
    out->has_absent = (kind & 8u) != 0;
    size_t size = (size_t)out->width * n;
    if (base_bytes > 8 || base_bytes + size > (size_t)(r->end - r->at)) return false;
    memcpy(&zigzag, r->at, base_bytes);
    out->base = (zigzag >> 1) ^ (0 - (zigzag & 1));
    out->codes = r->at + base_bytes;
    r->at += base_bytes + size;
    return true;
}

static bool read_texts(reader *r, uint32_t n, packed_texts *out)
{
    uint32_t bytes;
    if ((size_t)(r->end - r->at) < sizeof bytes) return false;
    memcpy(&bytes, r->at, sizeof bytes);
    r->at += sizeof bytes;
    if (!read_column(r, n, &out->prefix) || !read_column(r, n, &out->rest) ||
        bytes > (size_t)(r->end - r->at))
        return false;
    out->bytes = r->at;
    out->n_bytes = bytes;
    r->at += bytes;
    return true;
}

static bool read_columns(reader *r, block_view *v)
{
    for (int c = 0; c < BLOCK_COLUMNS; c++) {
        if (c == BLOCK_TIME && !read_byte(r, &v->time_unit)) return false;
        if (c == BLOCK_QUANTITY && !read_byte(r, &v->quantity_bits)) return false;
        if (!read_column(r, v->n, &v->numbers[c])) return false;
    }
    for (int k = 0; k < EVENT_TEXTS; k++)
        if (!read_texts(r, v->n, &v->texts[k])) return false;
    return r->at == r->end && v->time_unit < BLOCK_UNITS && v->quantity_bits <= 1;
}

static pf_status damaged(uint32_t shopper, const char *what, pf_error *err)
{
    return error_set(
        err, PF_DATA,
        "a block of events of shopper number %u is damaged (%s); restore the "
        "store from a backup",
        shopper, what);
}

pf_status block_open(block_view *v, const void *block, size_t size, uint32_t shopper,
                     pf_error *err)
{
    static const hash_key plain = {{0}};
    const unsigned char *bytes = block;
    size_t from = offsetof(block_head, shopper);
    block_head head;
    if (size < sizeof head) return damaged(shopper, "it is too short", err);
    memcpy(&head, bytes, sizeof head);
    if (head.version != BLOCK_VERSION)
        return damaged(shopper, "its version is unknown", err);
    if (head.bytes != size) return damaged(shopper, "its length is wrong", err);
    if (head.checksum != hash_bytes(bytes + from, size - from, &plain))
        return damaged(shopper, "its checksum is wrong", err);
    if (head.shopper != shopper)
        return damaged(shopper, "it belongs to another shopper", err);
    if (head.n < 1 || head.n > BLOCK_ROWS)
        return damaged(shopper, "it has no events, or too many", err);
    v->n = head.n;
    v->shopper = head.shopper;
    reader r = {bytes + sizeof head, bytes + size};
    if (!read_columns(&r, v)) return damaged(shopper, "its columns do not fit", err);
    return PF_OK;
}

/* --- numbers ---------------------------------------------------------------------- */

/* The first k codes, widened. */
static void unpack(const packed_column *c, uint32_t k, uint64_t *into)
{
    const unsigned char *at = c->codes;
    switch (c->width) {
    case 0: memset(into, 0, k * sizeof *into); return;
    case 1:
        for (uint32_t i = 0; i < k; i++)
            into[i] = at[i];
        return;
    case 2:
        for (uint32_t i = 0; i < k; i++) {
            uint16_t code;
            memcpy(&code, at + 2 * (size_t)i, sizeof code);
            into[i] = code;
        }
        return;
    case 4:
        for (uint32_t i = 0; i < k; i++) {
            uint32_t code;
            memcpy(&code, at + 4 * (size_t)i, sizeof code);
            into[i] = code;
        }
        return;
    case 3: /* differences of times in seconds, most often */
        for (uint32_t i = 0; i < k; i++, at += 3)
            into[i] = (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16;
        return;
    case 8: memcpy(into, at, k * sizeof *into); return;
    default:
        for (uint32_t i = 0; i < k; i++) {
            uint64_t code = 0;
            for (unsigned b = 0; b < c->width; b++)
                code |= (uint64_t)at[(size_t)c->width * i + b] << (8 * b);
            into[i] = code;
        }
    }
}

/* The first k values; "absent" becomes INT64_MIN. */
static void unpack_values(const packed_column *c, uint32_t k, int64_t *into)
{
    uint64_t codes[BLOCK_ROWS];
    unpack(c, k, codes);
    for (uint32_t i = 0; i < k; i++)
        into[i] = (int64_t)(c->base + codes[i]);
    if (!c->has_absent) return;
    uint64_t absent = c->width == 8 ? UINT64_MAX : ((uint64_t)1 << (8 * c->width)) - 1;
    for (uint32_t i = 0; i < k; i++)
        if (codes[i] == absent) into[i] = INT64_MIN;
}

bool block_times(const block_view *v, uint32_t k, int64_t *into)
{
    uint64_t codes[BLOCK_ROWS];
    uint64_t unit = block_units[v->time_unit];
    const packed_column *c = &v->numbers[BLOCK_TIME];
    int64_t now = (int64_t)c->base;
    unpack(c, k, codes);
    for (uint32_t i = 0; i < k; i++) {
        int64_t next;
        if (codes[i] > (uint64_t)INT64_MAX / unit ||
            __builtin_add_overflow(now, (int64_t)(codes[i] * unit), &next))
            return false;
        now = next;
        into[i] = now;
    }
    return !c->has_absent;
}

bool block_amounts(const block_view *v, block_column column, uint32_t k, int64_t *into)
{
    unpack_values(&v->numbers[column], k, into);
    return true;
}

bool block_numbers(const block_view *v, block_column column, uint32_t k, uint32_t *into)
{
    int64_t wide[BLOCK_ROWS];
    uint64_t all = 0;
    unpack_values(&v->numbers[column], k, wide);
    for (uint32_t i = 0; i < k; i++) {
        all |= (uint64_t)wide[i];
        into[i] = (uint32_t)wide[i];
    }
    return all <= UINT32_MAX;
}

bool block_bytes(const block_view *v, block_column column, uint32_t k, uint8_t limit,
                 uint8_t *into)
{
    int64_t wide[BLOCK_ROWS];
    bool good = true;
    unpack_values(&v->numbers[column], k, wide);
    for (uint32_t i = 0; i < k; i++) {
        good &= (uint64_t)wide[i] < limit;
        into[i] = (uint8_t)wide[i];
    }
    return good;
}

bool block_floats(const block_view *v, block_column column, uint32_t k, float *into)
{
    uint32_t bits[BLOCK_ROWS];
    bool good = block_numbers(v, column, k, bits);
    memcpy(into, bits, k * sizeof *into);
    return good;
}

bool block_quantities(const block_view *v, uint32_t k, double *into)
{
    int64_t wide[BLOCK_ROWS];
    unpack_values(&v->numbers[BLOCK_QUANTITY], k, wide);
    if (v->quantity_bits)
        memcpy(into, wide, k * sizeof *into);
    else
        for (uint32_t i = 0; i < k; i++)
            into[i] = (double)wide[i];
    return true;
}

/* --- texts ------------------------------------------------------------------------ */

/* Every prefix within the text before, every text within its limit, and the rests exactly
 * as long as their bytes: after this block_texts_next() cannot go wrong. */
static bool check_lengths(const block_texts *t, size_t longest)
{
    uint64_t before = 0, bytes = 0;
    for (uint32_t i = 0; i < t->n; i++) {
        if (t->prefix[i] > before || t->rest[i] > longest) return false;
        before = t->prefix[i] + t->rest[i];
        bytes += t->rest[i];
        if (before > longest) return false;
    }
    return bytes == t->source->n_bytes;
}

pf_status block_texts_begin(block_texts *t, const block_view *v, event_text kind,
                            pf_error *err)
{
    size_t longest =
        kind == EVENT_TEXT_ATTRIBUTES ? LIMIT_ATTRIBUTES_BYTES : LIMIT_ID_BYTES;
    t->source = &v->texts[kind];
    t->n = v->n;
    t->i = 0;
    t->at = 0;
    buffer_init(&t->current, longest);
    unpack_values(&t->source->prefix, t->n, (int64_t *)t->prefix);
    unpack_values(&t->source->rest, t->n, (int64_t *)t->rest);
    if (!check_lengths(t, longest))
        return damaged(v->shopper, "its texts do not fit", err);
    return PF_OK;
}

pf_status block_texts_next(block_texts *t, text *out, bool *changed, pf_error *err)
{
    size_t prefix = t->prefix[t->i], rest = t->rest[t->i];
    if (changed != NULL) *changed = rest > 0 || prefix != t->current.length;
    t->current.length = prefix;
    if (rest > 0 && !buffer_append(&t->current, t->source->bytes + t->at, rest))
        return error_set(err, PF_NO_MEMORY, "no memory for the texts of events");
    t->at += rest;
    t->i++;
    *out = (text){t->current.data, t->current.length};
    return PF_OK;
}

void block_texts_end(block_texts *t)
{
    buffer_free(&t->current);
}

/* --- all of it -------------------------------------------------------------------- */

static bool decode_numbers(const block_view *v, event_columns *c)
{
    uint32_t n = v->n;
    return block_times(v, n, c->time_us) &&
           block_bytes(v, BLOCK_TYPE, n, EVENT_TYPE_COUNT, c->type) &&
           block_bytes(v, BLOCK_CHANNEL, n, CHANNEL_COUNT, c->channel) &&
           block_bytes(v, BLOCK_DATE_ONLY, n, 2, c->date_only) &&
           block_numbers(v, BLOCK_PRODUCT, n, c->product) &&
           block_numbers(v, BLOCK_PROMOTION, n, c->promotion) &&
           block_numbers(v, BLOCK_CAMPAIGN, n, c->campaign) &&
           block_quantities(v, n, c->quantity) &&
           block_amounts(v, BLOCK_PAID, n, c->paid_minor) &&
           block_amounts(v, BLOCK_DISCOUNT, n, c->discount_minor) &&
           block_amounts(v, BLOCK_COUPON, n, c->coupon_minor) &&
           block_floats(v, BLOCK_RATING, n, c->rating) &&
           block_floats(v, BLOCK_PROPENSITY, n, c->propensity);
}

static pf_status decode_texts(const block_view *v, event_text kind, text_heap *heap,
                              pf_error *err)
{
    block_texts t;
    text now = {"", 0};
    pf_status status = block_texts_begin(&t, v, kind, err);
    for (uint32_t i = 0; i < v->n && status == PF_OK; i++) {
        status = block_texts_next(&t, &now, NULL, err);
        if (status == PF_OK && now.n > 0 && !buffer_append(&heap->bytes, now.data, now.n))
            status = error_set(err, PF_NO_MEMORY, "no memory for the texts of events");
        heap->end[i] = (uint32_t)heap->bytes.length;
    }
    block_texts_end(&t);
    return status;
}

pf_status block_decode(const void *block, size_t size, uint32_t shopper,
                       event_columns *into, pf_error *err)
{
    block_view v;
    columns_clear(into);
    pf_status status = block_open(&v, block, size, shopper, err);
    if (status == PF_OK && !decode_numbers(&v, into))
        status = damaged(shopper, "a value is out of its range", err);
    for (int k = 0; k < EVENT_TEXTS && status == PF_OK; k++)
        status = decode_texts(&v, (event_text)k, &into->texts[k], err);
    if (status == PF_OK)
        into->n = v.n;
    else
        columns_clear(into);
    return status;
}
