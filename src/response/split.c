/* The search for c: the sum rises and bends down in c, so steps from below never pass it. */
#include "response/split.h"

#include <math.h>

enum { STEPS = 12 };
/* Of the promotions at most so many are used by anybody, so that c is finite. */
static const double most_used = 0.9;
/* Where the shares leave no room for so many uses, c would grow without end. */
static const double most_factor = 1e6;

static double find_factor(const float *share, size_t P, double uses)
{
    double c = uses;
    for (int step = 0; step < STEPS; step++) {
        double sum = 0, slope = 0;
        for (size_t k = 0; k < P; k++) {
            double d = 1 / (1 + c * (double)share[k]);
            sum += 1 - d;
            slope += (double)share[k] * d * d;
        }
        double move = (uses - sum) / slope;
        c = fmin(c + move, most_factor);
        if (!(fabs(move) > 1e-6 * c) || !(c < most_factor))
            break;
    }
    return c;
}

void split_uses(double any, const float *share, size_t P, double uses, float *p)
{
    if (P == 1) {
        p[0] = (float)any;
        return;
    }
    double c = find_factor(share, P, fmin(uses, most_used * (double)P));
    for (size_t k = 0; k < P; k++) {
        double x = c * (double)share[k];
        p[k] = (float)(any * x / (1 + x));
    }
}
