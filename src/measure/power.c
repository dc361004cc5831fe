/* Power before the start (power.h). */
#include "measure/power.h"

#include <math.h>
#include <stdbool.h>

#include "measure/distribution.h"

enum { BISECTIONS = 100 };

static bool within(double x)
{
    return x > 0 && x < 1;
}

static double reaches(double alpha, double power)
{
    return normal_quantile(1 - 0.5 * alpha) + normal_quantile(power);
}

double power_rows_for_proportions(double treated, double control, double share, double alpha,
                                  double power)
{
    if (!within(share) || !within(alpha) || !within(power)) return NAN;
    if (!(treated >= 0 && treated <= 1 && control >= 0 && control <= 1)) return NAN;
    const double d = treated - control, pooled = share * treated + (1 - share) * control;
    const double without = pooled * (1 - pooled) / (share * (1 - share));
    const double with = treated * (1 - treated) / share + control * (1 - control) / (1 - share);
    if (d == 0) return NAN;
    const double sum = normal_quantile(1 - 0.5 * alpha) * sqrt(without) +
                       normal_quantile(power) * sqrt(with);
    return sum > 0 ? sum * sum / (d * d) : NAN;
}

double power_rows_for_means(double difference, double deviation, double explained, double share,
                            double alpha, double power)
{
    if (!within(share) || !within(alpha) || !within(power)) return NAN;
    if (!(deviation > 0 && explained >= 0 && explained < 1) || difference == 0) return NAN;
    const double per = deviation * sqrt((1 - explained) / (share * (1 - share)));
    const double sum = reaches(alpha, power) * per / difference;
    return sum * sum;
}

double power_difference_of_means(double rows, double deviation, double explained, double share,
                                 double alpha, double power)
{
    if (!within(share) || !within(alpha) || !within(power)) return NAN;
    if (!(rows > 0 && deviation > 0 && explained >= 0 && explained < 1)) return NAN;
    return reaches(alpha, power) * deviation *
           sqrt((1 - explained) / (share * (1 - share) * rows));
}

/* The rows that are needed fall as the difference grows, so the difference is between. */
double power_difference_of_proportions(double rows, double control, double share, double alpha,
                                       double power)
{
    if (!(rows > 0 && control >= 0 && control < 1)) return NAN;
    double low = 0, high = 1 - control;
    if (!(power_rows_for_proportions(1, control, share, alpha, power) <= rows)) return NAN;
    for (int i = 0; i < BISECTIONS; i++) {
        const double d = 0.5 * (low + high);
        if (power_rows_for_proportions(control + d, control, share, alpha, power) <= rows)
            high = d;
        else
            low = d;
    }
    return high;
}
