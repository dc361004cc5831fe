/*
 * Hillstrom's test of two e-mails against none, for `uplift`: 64,000 shoppers in three arms of
 * equal chance, as published by Kevin Hillstrom (MineThatData, 2008).
 */
#ifndef PROFFER_BENCH_UPLIFT_DATA_H
#define PROFFER_BENCH_UPLIFT_DATA_H

#include <stddef.h>
#include <stdint.h>

/* Recency, history, mens, womens, newbie; one column each for three zip codes and three channels;
 * last the band of history as a number from 0 to 6. */
enum { HILLSTROM_FEATURES = 12, HILLSTROM_MOST_ROWS = 100000 };

typedef enum hillstrom_arm { HILLSTROM_NONE, HILLSTROM_MENS, HILLSTROM_WOMENS } hillstrom_arm;

typedef struct hillstrom {
    size_t n;
    float *x; /* [n x HILLSTROM_FEATURES] */
    uint8_t *arm, *visit;
    float *spend;
} hillstrom;

/* Ends the program with words when the file cannot be read or is not what is expected. */
hillstrom hillstrom_read(void);
void hillstrom_free(hillstrom *h);

#endif
