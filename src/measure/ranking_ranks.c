/*
 * Ranks by counting (measure/ranking.h): a target's rank needs no sort, only how many
 * scores are above it and how many equal it. This is the inner loop of every protocol
 * that ranks the whole catalogue, so it has a file, and compiler flags, of its own.
 */
#include <math.h>

#include "measure/ranking.h"

/* How many scores are above s and how many equal it, in blocks whose counts stay small
 * enough for the compiler to count in 32-bit lanes. */
static void count_against(const float *score, size_t V, float s, size_t *above,
                          size_t *equal)
{
    enum { BLOCK = 1 << 16 };
    *above = *equal = 0;
    for (size_t from = 0; from < V; from += BLOCK) {
        size_t n = V - from < BLOCK ? V - from : BLOCK;
        int32_t higher = 0, same = 0;
        for (size_t i = 0; i < n; i++) {
            higher += score[from + i] > s;
            same += score[from + i] == s;
        }
        *above += (size_t)higher;
        *equal += (size_t)same;
    }
}

void ranking_ranks(const float *score, size_t V, const uint32_t *target, size_t n,
                   double *rank)
{
    for (size_t i = 0; i < n; i++) {
        float s = score[target[i]];
        size_t above, equal;
        if (isnan(s) || s == -INFINITY) {
            rank[i] = INFINITY;
            continue;
        }
        count_against(score, V, s, &above, &equal);
        rank[i] = (double)above + ((double)equal + 1.0) / 2.0;
    }
}
