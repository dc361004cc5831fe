/*
 * Blocks of events: whatever the bytes, decoding reads nothing outside them, and what it
 * accepts is encoded to a block that decodes to the same rows.
 *
 * Rooms: base shop store
 *
 * The checksum would stop nearly every input, so it is put right first.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/event_block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
    if (!good) abort();
}

/* Rows as bytes, to compare them whatever they hold. */
static bool same_rows(const event_columns *a, const event_columns *b)
{
    size_t n = a->n;
    if (a->n != b->n || memcmp(a->time_us, b->time_us, n * sizeof a->time_us[0]) != 0 ||
        memcmp(a->paid_minor, b->paid_minor, n * sizeof a->paid_minor[0]) != 0 ||
        memcmp(a->coupon_minor, b->coupon_minor, n * sizeof a->coupon_minor[0]) != 0 ||
        memcmp(a->product, b->product, n * sizeof a->product[0]) != 0 ||
        memcmp(a->rating, b->rating, n * sizeof a->rating[0]) != 0 ||
        memcmp(a->type, b->type, n) != 0)
        return false;
    for (int k = 0; k < EVENT_TEXTS; k++)
        for (uint32_t i = 0; i < a->n; i++)
            if (!text_equal(columns_text(a, (event_text)k, i),
                            columns_text(b, (event_text)k, i)))
                return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static event_columns *rows, *again;
    buffer out;
    block_head head;
    if (rows == NULL) rows = columns_new();
    if (again == NULL) again = columns_new();
    if (rows == NULL || again == NULL || size < sizeof head) return 0;
    unsigned char *block = malloc(size);
    if (block == NULL) return 0;
    memcpy(block, data, size);
    memcpy(&head, block, sizeof head);
    head.bytes = (uint32_t)size;
    memcpy(block, &head, sizeof head);
    block_seal(block, size);
    if (block_decode(block, size, head.shopper, rows, NULL) == PF_OK) {
        buffer_init(&out, 1u << 28);
        require(block_encode(rows, 0, rows->n, 7, &out, NULL) == PF_OK);
        require(block_decode(out.data, out.length, 7, again, NULL) == PF_OK);
        require(same_rows(rows, again));
        buffer_free(&out);
    }
    free(block);
    return 0;
}
