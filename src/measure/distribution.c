/* Distribution functions (distribution.h). */
#include "measure/distribution.h"

#include <math.h>
#include <stdbool.h>

enum { STEPS_MAX = 2000, BISECTIONS = 200 };
#define SMALL 1e-300 /* in place of a zero denominator */
#define ENOUGH 1e-16 /* a factor so near to one changes nothing */

/* ---- normal ---- */

double normal_below(double x)
{
    return 0.5 * erfc(-x / sqrt(2.0));
}

double normal_above(double x)
{
    return 0.5 * erfc(x / sqrt(2.0));
}

/* Newton's steps on the logarithm of the smaller tail, which is concave, from where the tail
 * would be by its leading term. */
static double upper_quantile(double tail)
{
    double x = tail < .02 ? sqrt(-2.0 * log(tail)) : 0.0;
    for (int i = 0; i < 60; i++) {
        const double above = normal_above(x);
        const double slope = -exp(-0.5 * x * x) / sqrt(2.0 * 3.14159265358979323846) / above;
        const double step = (log(above) - log(tail)) / slope;
        x -= step;
        if (fabs(step) < 1e-15 * (1.0 + fabs(x))) break;
    }
    return x;
}

double normal_quantile(double p)
{
    if (!(p >= 0.0 && p <= 1.0)) return NAN;
    if (p == 0.0 || p == 1.0) return p == 0.0 ? -INFINITY : INFINITY;
    return p < 0.5 ? -upper_quantile(p) : p > 0.5 ? upper_quantile(1.0 - p) : 0.0;
}

/* ---- incomplete gamma ---- */

static double gamma_front(double a, double x)
{
    return exp(a * log(x) - x - lgamma(a));
}

/* P(a, x) by its series, for x < a + 1. */
static double gamma_series(double a, double x)
{
    double term = 1.0 / a, sum = term;
    for (int n = 1; n < STEPS_MAX && term > sum * ENOUGH; n++) {
        term *= x / (a + n);
        sum += term;
    }
    return sum * gamma_front(a, x);
}

/* Q(a, x) by its continued fraction, for larger x. */
static double gamma_fraction(double a, double x)
{
    double b = x + 1.0 - a, c = 1.0 / SMALL, d = 1.0 / b, h = d;
    for (int n = 1; n < STEPS_MAX; n++) {
        const double k = -n * (n - a);
        b += 2.0;
        d = k * d + b;
        d = 1.0 / (fabs(d) < SMALL ? SMALL : d);
        c = b + k / c;
        if (fabs(c) < SMALL) c = SMALL;
        h *= d * c;
        if (fabs(d * c - 1.0) < ENOUGH) break;
    }
    return h * gamma_front(a, x);
}

double chi_square_above(double x, double df)
{
    if (!(df > 0.0) || isnan(x)) return NAN;
    if (x <= 0.0) return 1.0;
    const double a = 0.5 * df, at = 0.5 * x;
    return at < a + 1.0 ? 1.0 - gamma_series(a, at) : gamma_fraction(a, at);
}

/* ---- incomplete beta ---- */

/* The continued fraction of I_x(a, b), quick for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double x, double a, double b)
{
    double c = 1.0, d = 1.0 - (a + b) * x / (a + 1.0);
    d = 1.0 / (fabs(d) < SMALL ? SMALL : d);
    double h = d;
    for (int n = 1; n < STEPS_MAX; n++) {
        const double even = n * (b - n) * x / ((a + 2 * n - 1) * (a + 2 * n));
        const double odd = -(a + n) * (a + b + n) * x / ((a + 2 * n) * (a + 2 * n + 1));
        for (int half = 0; half < 2; half++) {
            const double k = half == 0 ? even : odd;
            d = 1.0 + k * d;
            d = 1.0 / (fabs(d) < SMALL ? SMALL : d);
            c = 1.0 + k / c;
            if (fabs(c) < SMALL) c = SMALL;
            h *= d * c;
        }
        if (fabs(d * c - 1.0) < ENOUGH) break;
    }
    return h;
}

/* y = 1 - x, given apart: where x is near one it has digits that 1 - x has not. */
static double beta_of(double x, double y, double a, double b)
{
    if (x <= 0.0) return 0.0;
    if (y <= 0.0) return 1.0;
    const double front =
        exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(y));
    if (x < (a + 1.0) / (a + b + 2.0)) return front * beta_fraction(x, a, b) / a;
    return 1.0 - front * beta_fraction(y, b, a) / b;
}

double beta_below(double x, double a, double b)
{
    if (!(a > 0.0 && b > 0.0 && x >= 0.0 && x <= 1.0)) return NAN;
    return beta_of(x, 1.0 - x, a, b);
}

double beta_quantile(double p, double a, double b)
{
    if (!(a > 0.0 && b > 0.0 && p >= 0.0 && p <= 1.0)) return NAN;
    double low = 0.0, high = 1.0;
    for (int i = 0; i < BISECTIONS && high > low; i++) {
        const double middle = 0.5 * (low + high);
        if (middle == low || middle == high) break;
        if (beta_below(middle, a, b) < p)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

/* ---- Student ---- */

double student_above(double t, double df)
{
    if (!(df > 0.0) || isnan(t)) return NAN;
    const double square = t * t, x = df / (df + square), y = square / (df + square);
    const double tail = isinf(t) ? 0.0 : 0.5 * beta_of(x, y, 0.5 * df, 0.5);
    return t >= 0.0 ? tail : 1.0 - tail;
}

double student_quantile(double p, double df)
{
    if (!(df > 0.0 && p >= 0.0 && p <= 1.0)) return NAN;
    if (p == 0.0 || p == 1.0) return p == 0.0 ? -INFINITY : INFINITY;
    if (p == 0.5) return 0.0;
    const double tail = p < 0.5 ? p : 1.0 - p;
    double low = 0.0, high = 1.0;
    while (student_above(high, df) > tail && high < 1e300)
        high *= 2.0;
    for (int i = 0; i < BISECTIONS; i++) {
        const double middle = 0.5 * (low + high);
        if (middle == low || middle == high) break;
        if (student_above(middle, df) > tail)
            low = middle;
        else
            high = middle;
    }
    return p < 0.5 ? -0.5 * (low + high) : 0.5 * (low + high);
}
