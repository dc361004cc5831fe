/*
 * Claims that the words of a frame may not make by themselves, because they would be
 * facts nobody looked up: numbers, prices, percentages, fractions of a price, urgency.
 * What a slot fills in is not judged here; it comes from the data.
 */
#ifndef PROFFER_MESSAGE_CLAIM_H
#define PROFFER_MESSAGE_CLAIM_H

#include <stddef.h>

/* NULL when n bytes of checked UTF-8 claim nothing; else what is wrong and what to write
 * instead (static text). */
const char *claim_find(const char *words, size_t n);

#endif
