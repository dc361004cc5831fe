/* Power before the start (power.h). */
#include "measure/power.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

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

/* With far = difference over its error: both tails, though the wrong one is hardly ever met. */
static double found(double z, double far, double ratio)
{
    return normal_above(z * ratio - far) + normal_above(z * ratio + far);
}

double power_of_means(double rows, double difference, double deviation, double explained,
                      double share, double alpha)
{
    if (power_check_plan(share, explained, alpha, .5) != NULL || !(rows > 0 && deviation > 0))
        return NAN;
    const double error = deviation * sqrt((1 - explained) / (share * (1 - share) * rows));
    return found(normal_quantile(1 - 0.5 * alpha), fabs(difference) / error, 1);
}

double power_of_proportions(double rows, double treated, double control, double share,
                            double alpha)
{
    if (power_check_plan(share, 0, alpha, .5) != NULL || !(rows > 0)) return NAN;
    if (!(treated >= 0 && treated <= 1 && control >= 0 && control <= 1)) return NAN;
    const double pooled = share * treated + (1 - share) * control;
    const double without = sqrt(pooled * (1 - pooled) / (share * (1 - share)));
    const double with =
        sqrt(treated * (1 - treated) / share + control * (1 - control) / (1 - share));
    if (!(without > 0 && with > 0)) return NAN;
    const double far = fabs(treated - control) * sqrt(rows) / with;
    return found(normal_quantile(1 - 0.5 * alpha), far, without / with);
}

const char *power_check_plan(double share, double explained, double alpha, double power)
{
    if (!within(alpha))
        return "alpha, the risk of a false alarm, must be between 0 and 1, such as 0.05";
    if (!within(power)) return "the power must be between 0 and 1, such as 0.8";
    if (!within(share))
        return "the treated share must be between 0 and 1: both arms need shoppers";
    if (!(explained >= 0 && explained < 1))
        return "the share of the variance that is explained must be 0 or more and below 1";
    return NULL;
}
