/* Confidence sequences (sequential.h). */
#include "measure/sequential.h"

#include <math.h>

/* Square of the mixture's width per row: tightest at `planned` rows. */
static double width_of(double planned, double alpha)
{
    const double l = -2.0 * log(alpha);
    return (l + log(l + 1.0)) / planned;
}

double sequential_reach(double standard_error, double n, double planned, double alpha)
{
    if (!(n > 0 && planned > 0 && alpha > 0 && alpha < 1)) return NAN;
    const double rho = width_of(planned, alpha), t = n * rho + 1.0;
    return standard_error * sqrt(t / (n * rho) * log(t / (alpha * alpha)));
}

double sequential_p(double value, double standard_error, double n, double planned, double alpha)
{
    if (!(n > 0 && planned > 0 && alpha > 0 && alpha < 1)) return NAN;
    if (!(standard_error > 0)) return value == 0 ? 1.0 : 0.0;
    const double rho = width_of(planned, alpha), t = n * rho + 1.0;
    const double z = value / standard_error;
    return fmin(1.0, sqrt(t) * exp(-0.5 * z * z * n * rho / t));
}
