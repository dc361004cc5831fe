/*
 * The few largest of many numbers, one number after the other.
 *
 *     double top[5] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY};
 *     for (...) largest_keep(top, 5, x);      // top: largest first
 */
#ifndef PROFFER_FEATURES_LARGEST_H
#define PROFFER_FEATURES_LARGEST_H

#include <stddef.h>

static inline void largest_keep(double *top, size_t n, double x)
{
    for (size_t i = 0; i < n; i++)
        if (x > top[i]) {
            double out = top[i];
            top[i] = x;
            x = out;
        }
}

#endif
