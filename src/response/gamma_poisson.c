/* A ladder for the shape: the likelihood is flat, so finer steps would be false precision. */
#include "response/gamma_poisson.h"

#include <math.h>

/* A chance that a float has rounded to nothing was still one. */
static const double least_expected = 1e-12;

double gamma_belief_mean(gamma_belief g)
{
    return g.shape / g.rate;
}

double gamma_belief_sd(gamma_belief g)
{
    return sqrt(g.shape) / g.rate;
}

/* lgamma itself writes a global. */
static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

/* Of k given a, without what does not depend on a. */
static double log_likelihood(const gamma_count *count, size_t n, double a)
{
    double sum = 0, own = log_gamma(a);
    for (size_t i = 0; i < n; i++) {
        double expected = fmax(count[i].expected, least_expected), k = count[i].answers;
        sum += log_gamma(a + k) - own - k * log(a + expected) - a * log1p(expected / a);
    }
    return sum;
}

double gamma_likeliest_shape(const gamma_count *count, size_t n)
{
    const double step = sqrt(sqrt(2.0));
    double best = GAMMA_DEFAULT_SHAPE, largest = -INFINITY;
    if (n == 0) return best;
    for (double a = GAMMA_LEAST_SHAPE; a < GAMMA_MOST_SHAPE * 1.001; a *= step) {
        double now = log_likelihood(count, n, a);
        if (now > largest) {
            largest = now;
            best = a;
        }
    }
    return best;
}

gamma_belief gamma_common(const gamma_count *count, size_t n, double a, double before)
{
    gamma_belief g = {a * before, a};
    for (size_t i = 0; i < n; i++) {
        double worth = a / (a + count[i].expected);
        g.shape += worth * count[i].answers;
        g.rate += worth * count[i].expected;
    }
    return g;
}
