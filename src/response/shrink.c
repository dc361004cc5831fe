/* Moment equations and posterior means, as the header writes them. */
#include "response/shrink.h"

#include <math.h>

void shrink_add_shares(shrink_sum *s, const double *count, const double *parent, size_t cells,
                       double total, double spread)
{
    double n = 0, squares = 0, cubes = 0, off = 0;
    for (size_t k = 0; k < cells; k++) {
        n += count[k];
        squares += parent[k] * parent[k];
        cubes += parent[k] * parent[k] * parent[k];
    }
    if (n <= spread) return;
    for (size_t k = 0; k < cells; k++)
        off += (count[k] - n * parent[k]) * (count[k] - n * parent[k]);
    const double apart = total > 0 ? 1 - n / total : 1, chance = spread * apart;
    s->excess += off / n - chance * (1 - squares);
    s->scale += (n - spread) * apart * (1 - squares);
    /* Twice the trace of the squared covariance of the cells. */
    s->variance += 2 * chance * chance * (squares - 2 * cubes + squares * squares);
}

void shrink_add_relative(shrink_sum *s, double answers, double expected, double parent,
                         double rate)
{
    const double mean = expected * parent;
    if (!(expected > 0)) return;
    s->excess +=
        (answers - mean) * (answers - mean) / expected - parent * fmax(0, 1 - rate * parent);
    s->scale += mean;
    s->variance += 2 * parent * parent + parent / expected;
}

static double within_limits(double strength)
{
    return fmin(fmax(strength, SHRINK_LEAST), SHRINK_MOST);
}

/* Left of the excess: prior and counts, if the counts are beyond chance. */
static double believed(const shrink_sum *s, double prior)
{
    return fmax(0, s->excess - SHRINK_DOUBT * sqrt(s->variance)) + prior;
}

double shrink_strength_shares(const shrink_sum *s)
{
    const double excess = believed(s, SHRINK_PRIOR_WEIGHT / (SHRINK_PRIOR + 1));
    return within_limits((s->scale + SHRINK_PRIOR_WEIGHT) / excess - 1);
}

double shrink_strength_relative(const shrink_sum *s)
{
    const double excess = believed(s, SHRINK_PRIOR_WEIGHT / SHRINK_PRIOR);
    return within_limits((s->scale + SHRINK_PRIOR_WEIGHT) / excess);
}

/* Errors are added and not their squares: a group's counts are among its parent's. */
static double variance_of(double own, double parent, double strength, double all)
{
    const double error = (sqrt(own) + strength * sqrt(parent)) / all;
    return error * error;
}

shrunk shrink_share(double count, double n, shrunk parent, double strength, double spread)
{
    const double all = n + strength, mean = (count + strength * parent.mean) / all;
    return (shrunk){mean, variance_of(spread * n * mean * (1 - mean), parent.variance, strength,
                                      all)};
}

shrunk shrink_relative(double answers, double expected, shrunk parent, double strength)
{
    const double all = expected + strength;
    const double mean = (answers + strength * parent.mean) / all;
    return (shrunk){mean, variance_of(expected * mean, parent.variance, strength, all)};
}

double shrink_spread(double n, double n2, double strength)
{
    return n > 0 ? fmax(1, 1 + (n2 / n - 1) / (strength + 1)) : 1;
}
