/*
 * The canonical bytes of an event and their hash; see event_content.h.
 */
#include "store/event_content.h"

#include <math.h>
#include <string.h>

/* The key is public and fixed: two stores must agree. What nobody outside may choose, the
 * place among the event ids, is hashed again with the store's own key. */
static const hash_key public_key = {"proffer content"};

/* Fixed part of the canonical bytes; a field that is absent is zero and its bit is not
 * set, so that 0 and "unknown" differ. */
typedef struct canonical {
    int64_t time_us;
    int64_t paid_minor, discount_minor, coupon_minor;
    double quantity;
    float rating, propensity;
    uint8_t type, channel, date_only, present;
    uint32_t version;
} canonical;
_Static_assert(sizeof(canonical) == 56, "no padding inside");

static canonical fixed_part(const event_record *r)
{
    canonical c = {.time_us = r->time_us,
                   .quantity = r->quantity + 0.0, /* -0 is 0 */
                   .type = (uint8_t)r->type,
                   .channel = (uint8_t)r->channel,
                   .date_only = r->date_only,
                   .version = 1};
    if (r->paid_minor != MONEY_ABSENT) {
        c.paid_minor = r->paid_minor;
        c.present |= 1;
    }
    if (r->discount_minor != MONEY_ABSENT) {
        c.discount_minor = r->discount_minor;
        c.present |= 2;
    }
    if (r->coupon_minor != MONEY_ABSENT) {
        c.coupon_minor = r->coupon_minor;
        c.present |= 4;
    }
    if (!isnan(r->rating)) {
        c.rating = r->rating + 0.0f;
        c.present |= 8;
    }
    if (!isnan(r->propensity)) {
        c.propensity = r->propensity;
        c.present |= 16;
    }
    return c;
}

pf_status event_content_hash(const event_record *r, buffer *scratch, hash_128 *out,
                             pf_error *err)
{
    enum { CONTENT_TEXTS = 7 };
    const text texts[CONTENT_TEXTS] = {r->shopper, r->product,  r->promotion, r->campaign,
                                       r->order,   r->decision, r->attributes};
    canonical fixed = fixed_part(r);
    size_t size = sizeof fixed + sizeof(uint32_t) * CONTENT_TEXTS;
    for (int i = 0; i < CONTENT_TEXTS; i++)
        size += texts[i].n;
    buffer_clear(scratch);
    char *at = buffer_reserve(scratch, size);
    if (at == NULL)
        return error_set(err, PF_NO_MEMORY, "no memory for the texts of an event");
    memcpy(at, &fixed, sizeof fixed);
    char *length = at + sizeof fixed;
    char *bytes = length + sizeof(uint32_t) * CONTENT_TEXTS;
    for (int i = 0; i < CONTENT_TEXTS; i++) {
        uint32_t n = (uint32_t)texts[i].n;
        memcpy(length + sizeof n * (size_t)i, &n, sizeof n);
        if (n > 0) memcpy(bytes, texts[i].data, n);
        bytes += n;
    }
    *out = hash_bytes_128(at, size, &public_key);
    return PF_OK;
}

id_hash event_identity(const event_record *r, const hash_128 *content,
                       const hash_key *key)
{
    /* No id holds a NUL, so the tag keeps contents apart from ids. */
    unsigned char tagged[1 + sizeof *content] = {0};
    hash_128 h;
    if (r->id.n > 0) {
        h = hash_bytes_128(r->id.data, r->id.n, key);
    } else {
        memcpy(tagged + 1, content, sizeof *content);
        h = hash_bytes_128(tagged, sizeof tagged, key);
    }
    return (id_hash){h.high, h.low >> 32 << 32 | (uint32_t)content->low};
}
