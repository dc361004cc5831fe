/*
 * Radix sort of doubles, 11 bits a pass from the lowest (Knuth, The Art of Computer
 * Programming 3, section 5.2.5, algorithm R). A double's bits sort like an unsigned
 * number once the sign is flipped, and all the others too when it is negative.
 */
#include "measure/order.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, PASSES = 6 };

typedef struct keyed_row {
    uint64_t key;
    uint32_t row;
} keyed_row;

static uint64_t key_of(double score, order_direction direction)
{
    uint64_t bits;
    if (score == 0.0) score = 0.0; /* -0 becomes 0 */
    memcpy(&bits, &score, sizeof bits);
    uint64_t sign = UINT64_C(1) << 63;
    bits = bits & sign ? ~bits : bits | sign;
    return direction == ORDER_DESCENDING ? ~bits : bits;
}

static size_t digit_of(uint64_t key, int pass)
{
    return (size_t)(key >> (pass * DIGIT_BITS)) & (DIGITS - 1);
}

/* One stable pass; false, with nothing moved, when all rows share the digit. */
static bool sort_pass(const keyed_row *from, keyed_row *to, size_t n, int pass)
{
    size_t start[DIGITS] = {0};
    for (size_t i = 0; i < n; i++)
        start[digit_of(from[i].key, pass)]++;
    if (start[digit_of(from[0].key, pass)] == n) return false;
    size_t sum = 0;
    for (size_t d = 0; d < DIGITS; d++) {
        size_t count = start[d];
        start[d] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++)
        to[start[digit_of(from[i].key, pass)]++] = from[i];
    return true;
}

pf_status order_rows(const double *score, size_t n, order_direction direction,
                     uint32_t *rows, pf_error *err)
{
    size_t doubled;
    if (n > UINT32_MAX)
        return error_set(err, PF_LIMIT, "%zu rows to sort are 2^32 or more", n);
    for (size_t i = 0; i < n; i++) {
        if (isnan(score[i]))
            return error_set(err, PF_DATA, "the score of row %zu is not a number", i);
    }
    if (n == 0) return PF_OK;
    keyed_row *room =
        size_multiply(n, 2, &doubled) ? mem_alloc(doubled, sizeof *room) : NULL;
    if (!room) return error_set(err, PF_NO_MEMORY, "no memory to sort %zu rows", n);
    keyed_row *from = room, *to = room + n;
    for (size_t i = 0; i < n; i++)
        from[i] = (keyed_row){.key = key_of(score[i], direction), .row = (uint32_t)i};
    for (int pass = 0; pass < PASSES; pass++) {
        if (!sort_pass(from, to, n, pass)) continue;
        keyed_row *sorted = to;
        to = from;
        from = sorted;
    }
    for (size_t i = 0; i < n; i++)
        rows[i] = from[i].row;
    mem_free(room);
    return PF_OK;
}
