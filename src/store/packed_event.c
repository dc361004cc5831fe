/*
 * Packing and unpacking of events for the sort; see packed_event.h.
 */
#include "store/packed_event.h"

#include <math.h>
#include <string.h>

enum {
    PRESENT_PROMOTION = 1 << 0,
    PRESENT_CAMPAIGN = 1 << 1,
    PRESENT_QUANTITY = 1 << 2, /* other than 1 */
    PRESENT_PAID = 1 << 3,
    PRESENT_DISCOUNT = 1 << 4,
    PRESENT_COUPON = 1 << 5,
    PRESENT_RATING = 1 << 6,
    PRESENT_PROPENSITY = 1 << 7,
    PRESENT_TEXT = 1 << 8, /* and the three bits above, one a kind of text */
    PRESENT_DATE_ONLY = 1 << 12
};

static void record_texts(const event_record *r, text out[EVENT_TEXTS])
{
    out[EVENT_TEXT_ID] = r->id;
    out[EVENT_TEXT_ORDER] = r->order;
    out[EVENT_TEXT_DECISION] = r->decision;
    out[EVENT_TEXT_ATTRIBUTES] = r->attributes;
}

size_t event_packed_bound(const event_record *r)
{
    return sizeof(packed_head) + PACKED_VALUES_BYTES + r->id.n + r->order.n +
           r->decision.n + r->attributes.n + 4;
}

static unsigned present_bits(const event_record *r, const packed_numbers *numbers,
                             const text texts[EVENT_TEXTS])
{
    unsigned bits = 0;
    bits |= numbers->promotion != 0 ? PRESENT_PROMOTION : 0;
    bits |= numbers->campaign != 0 ? PRESENT_CAMPAIGN : 0;
    bits |= r->quantity < 1 || r->quantity > 1 ? PRESENT_QUANTITY : 0;
    bits |= r->paid_minor != MONEY_ABSENT ? PRESENT_PAID : 0;
    bits |= r->discount_minor != MONEY_ABSENT ? PRESENT_DISCOUNT : 0;
    bits |= r->coupon_minor != MONEY_ABSENT ? PRESENT_COUPON : 0;
    bits |= !isnan(r->rating) ? PRESENT_RATING : 0;
    bits |= !isnan(r->propensity) ? PRESENT_PROPENSITY : 0;
    bits |= r->date_only ? PRESENT_DATE_ONLY : 0;
    for (int k = 0; k < EVENT_TEXTS; k++)
        bits |= texts[k].n > 0 ? (unsigned)PRESENT_TEXT << k : 0;
    return bits;
}

static unsigned char *put(unsigned char *at, unsigned present, unsigned bit,
                          const void *value, size_t n)
{
    if ((present & bit) == 0) return at;
    memcpy(at, value, n);
    return at + n;
}

size_t event_pack(const event_record *r, const packed_numbers *numbers, uint64_t arrival,
                  uint64_t content, unsigned char *into)
{
    text texts[EVENT_TEXTS];
    record_texts(r, texts);
    unsigned p = present_bits(r, numbers, texts);
    unsigned char *at = into + sizeof(packed_head);
    at = put(at, p, PRESENT_PROMOTION, &numbers->promotion, 4);
    at = put(at, p, PRESENT_CAMPAIGN, &numbers->campaign, 4);
    at = put(at, p, PRESENT_QUANTITY, &r->quantity, 8);
    at = put(at, p, PRESENT_PAID, &r->paid_minor, 8);
    at = put(at, p, PRESENT_DISCOUNT, &r->discount_minor, 8);
    at = put(at, p, PRESENT_COUPON, &r->coupon_minor, 8);
    at = put(at, p, PRESENT_RATING, &r->rating, 4);
    at = put(at, p, PRESENT_PROPENSITY, &r->propensity, 4);
    for (int k = 0; k < EVENT_TEXTS; k++) {
        uint32_t n = (uint32_t)texts[k].n;
        at = put(at, p, (unsigned)PRESENT_TEXT << k, &n, 4);
    }
    for (int k = 0; k < EVENT_TEXTS; k++)
        at = put(at, p, (unsigned)PRESENT_TEXT << k, texts[k].data, texts[k].n);
    while ((size_t)(at - into) % 4 != 0)
        *at++ = 0;

    packed_head head = {.size = (uint32_t)(at - into),
                        .shopper = numbers->shopper,
                        .time_us = r->time_us,
                        .arrival = arrival,
                        .content = content,
                        .origin = r->origin,
                        .product = numbers->product,
                        .present = (uint16_t)p,
                        .type = (uint8_t)r->type,
                        .channel = (uint8_t)r->channel};
    memcpy(into, &head, sizeof head);
    return head.size;
}

static const unsigned char *take(const unsigned char *at, unsigned present, unsigned bit,
                                 void *value, size_t n)
{
    if ((present & bit) == 0) return at;
    memcpy(value, at, n);
    return at + n;
}

void event_unpack(const void *packed, packed_head *head, event_row *row)
{
    const unsigned char *at = packed;
    memcpy(head, at, sizeof *head);
    at += sizeof *head;
    unsigned p = head->present;
    *row = (event_row){.time_us = head->time_us,
                       .paid_minor = MONEY_ABSENT,
                       .discount_minor = MONEY_ABSENT,
                       .coupon_minor = MONEY_ABSENT,
                       .quantity = 1,
                       .product = head->product,
                       .rating = NAN,
                       .propensity = NAN,
                       .type = head->type,
                       .channel = head->channel,
                       .date_only = (p & PRESENT_DATE_ONLY) != 0};
    at = take(at, p, PRESENT_PROMOTION, &row->promotion, 4);
    at = take(at, p, PRESENT_CAMPAIGN, &row->campaign, 4);
    at = take(at, p, PRESENT_QUANTITY, &row->quantity, 8);
    at = take(at, p, PRESENT_PAID, &row->paid_minor, 8);
    at = take(at, p, PRESENT_DISCOUNT, &row->discount_minor, 8);
    at = take(at, p, PRESENT_COUPON, &row->coupon_minor, 8);
    at = take(at, p, PRESENT_RATING, &row->rating, 4);
    at = take(at, p, PRESENT_PROPENSITY, &row->propensity, 4);
    uint32_t lengths[EVENT_TEXTS] = {0};
    for (int k = 0; k < EVENT_TEXTS; k++)
        at = take(at, p, (unsigned)PRESENT_TEXT << k, &lengths[k], 4);
    for (int k = 0; k < EVENT_TEXTS; k++) {
        row->texts[k] = (text){(const char *)at, lengths[k]};
        at += lengths[k];
    }
}

/* --- for the merge ---------------------------------------------------------------- */

static size_t packed_size(const void *record)
{
    uint32_t size;
    memcpy(&size, record, sizeof size);
    return size;
}

static merge_key packed_key(const void *record)
{
    const unsigned char *at = record;
    uint32_t who;
    uint64_t when;
    memcpy(&who, at + offsetof(packed_head, shopper), sizeof who);
    memcpy(&when, at + offsetof(packed_head, time_us), sizeof when);
    return (merge_key){who, when ^ UINT64_C(0x8000000000000000)};
}

const merge_kind packed_event_kind = {packed_size, packed_key, sizeof(packed_head),
                                      PACKED_LARGEST_BYTES};
