/*
 * The k best of many scores, without sorting them all.
 *
 *     hit space[10];
 *     top t = top_begin(space, 10);
 *     for (uint32_t i = 0; i < n; i++) top_offer(&t, i, score[i]);
 *     size_t found = top_finish(&t);     // space[0 .. found), best first
 *
 * Equal scores stand in the order of their items, lower first, whatever the order they
 * were offered in. A NaN is never taken. The space is the caller's; one thread at a time.
 */
#ifndef PROFFER_LANGUAGE_TOP_H
#define PROFFER_LANGUAGE_TOP_H

#include <stddef.h>
#include <stdint.h>

typedef struct hit {
    uint32_t item; /* counted from 0 */
    float score;
} hit;

typedef struct top {
    hit *heap; /* the worst kept is at the root */
    size_t n, k;
} top;

/* space holds k hits. */
top top_begin(hit *space, size_t k);
void top_offer(top *t, uint32_t item, float score);
/* Sorts the space, best first, and returns how many there are. */
size_t top_finish(top *t);

#endif
