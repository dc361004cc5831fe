/*
 * Clocks, for measuring and for "now". Everything that needs the present takes it as an
 * argument (an int64_t of UTC microseconds since 1970), so that tests can choose it.
 */
#ifndef PROFFER_BASE_CLOCK_H
#define PROFFER_BASE_CLOCK_H

#include <stdint.h>

/* 64 bits wide, so that seconds * US_PER_SECOND never overflows an int. */
#define US_PER_SECOND INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR (60 * US_PER_MINUTE)
#define US_PER_DAY (24 * US_PER_HOUR)

/* UTC now. */
int64_t clock_now_us(void);
/* Monotonic seconds, for differences only. */
double clock_wall_s(void);
/* CPU seconds used by the process (all threads). */
double clock_cpu_s(void);
/* The largest resident set so far, in bytes. */
uint64_t clock_peak_memory_bytes(void);

#endif
