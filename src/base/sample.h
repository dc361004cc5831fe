/*
 * An even sample of things that are met one after the other: n of them, spread as evenly as
 * whole numbers allow, told from their numbers alone. Nothing is drawn, so that the same things
 * give the same sample, and all of them are taken where there are no more than n.
 *
 *     for (each thing that may be taken)
 *         if (sample_takes(met++, of, n)) take it;
 *
 * A thing is taken when a multiple of of / n falls between the one before it and itself. Exactly
 * n are taken whether things are numbered 0 .. of - 1 (the first is then one of them), 1 .. of
 * (the last is), or backwards; the three samples differ, so a caller keeps to one numbering.
 */
#ifndef PROFFER_BASE_SAMPLE_H
#define PROFFER_BASE_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the thing of number i is one of the n taken of `of`; n <= of, and of < 2^32. */
static inline bool sample_takes(uint64_t i, uint64_t of, uint64_t n)
{
    return i == 0 ? n > 0 : i * n / of != (i - 1) * n / of;
}

#endif
