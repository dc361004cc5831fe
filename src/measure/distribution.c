/*
 * Distributions (distribution.h). The incomplete gamma and beta functions are a density times
 * a series or a continued fraction; quantiles bisect the share until it is bracketed to the
 * last bits, because a bracket cannot run away as Newton's step can in a flat tail.
 */
#include "measure/distribution.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

/* Terms of a series or fraction before it is given up; shapes of 1e7 need some thousands. */
enum { TERMS_MAX = 1000000 };
/* What stands in for zero in Lentz's fraction (DLMF 3.10.6 and the modification by Thompson
 * and Barnett, J. Comput. Phys. 64, 1986). */
#define ALMOST_ZERO 1e-290
#define SQRT_HALF 0.70710678118654752440
#define TWO_PI 6.28318530717958647693

/* ---- densities ---- */

/* log Γ(x + 1) less Stirling's formula: its series (DLMF 5.11.1) from 16 on; below, the
 * recurrence Γ(x + 1) = x Γ(x) (DLMF 5.5.1) leads there. The C library's lgamma is passed by:
 * it writes a global. */
static double stirling_error(double x)
{
    double shift = 0;
    for (; x < 16; x += 1)
        shift += (x + 0.5) * log1p(1 / x) - 1;
    const double s = 1 / (x * x);
    const double tail = 1.0 / 1680 - s * (1.0 / 1188 - s * (691.0 / 360360));
    return shift + (1.0 / 12 - s * (1.0 / 360 - s * (1.0 / 1260 - s * tail))) / x;
}

/* x log(x / m) + m - x, without the loss where x is near m (Loader 2000, section 3): with
 * v = (x - m) / (x + m) it is (x - m) v + 2 x Σ v^(2j + 1) / (2j + 1), j >= 1. */
static double deviance(double x, double m)
{
    if (fabs(x - m) > 0.1 * (x + m)) return x * log(x / m) + m - x;
    const double v = (x - m) / (x + m);
    double sum = (x - m) * v, power = 2 * x * v;
    for (int j = 1; j < 100; j++) {
        power *= v * v;
        const double next = sum + power / (2 * j + 1);
        if (next == sum) break;
        sum = next;
    }
    return sum;
}

/* x^a e^-x / Γ(a + 1). */
static double gamma_term(double a, double x)
{
    return exp(-stirling_error(a) - deviance(a, x)) / sqrt(TWO_PI * a);
}

/* x^a y^b / B(a, b), y = 1 - x. */
static double beta_term(double a, double b, double x, double y)
{
    const double n = a + b;
    const double e = stirling_error(n) - stirling_error(a) - stirling_error(b);
    return exp(e - deviance(a, n * x) - deviance(b, n * y)) * sqrt(a * b / (TWO_PI * n));
}

/* ---- shares ---- */

static double away_from_zero(double x)
{
    return fabs(x) < ALMOST_ZERO ? ALMOST_ZERO : x;
}

/* P(a, x) by its series, DLMF 8.11.4; for x < a + 1. */
static double gamma_series(double a, double x)
{
    double term = 1, sum = 1;
    for (int k = 1; k < TERMS_MAX && term > sum * DBL_EPSILON / 4; k++) {
        term *= x / (a + k);
        sum += term;
    }
    return gamma_term(a, x) * sum;
}

/* Q(a, x) by its continued fraction, DLMF 8.9.2 in even form; for x >= a + 1. */
static double gamma_fraction(double a, double x)
{
    double b = x + 1 - a, c = 1 / ALMOST_ZERO, d = 1 / away_from_zero(b), h = d;
    for (int k = 1; k < TERMS_MAX; k++) {
        const double numerator = -k * (k - a);
        b += 2;
        d = 1 / away_from_zero(numerator * d + b);
        c = away_from_zero(b + numerator / c);
        h *= d * c;
        if (fabs(d * c - 1) <= 2 * DBL_EPSILON) break;
    }
    return gamma_term(a, x) * a * h;
}

static double gamma_share(double a, double x, bool above)
{
    if (!(a > 0) || isnan(x)) return NAN;
    if (x <= 0) return above ? 1 : 0;
    if (isinf(x)) return above ? 0 : 1;
    if (x < a + 1) return above ? 1 - gamma_series(a, x) : gamma_series(a, x);
    return above ? gamma_fraction(a, x) : 1 - gamma_fraction(a, x);
}

/* The continued fraction of DLMF 8.17.22; quick for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x)
{
    double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), h = d;
    for (int m = 1; m < TERMS_MAX; m++) {
        const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 / away_from_zero(1 + even * d);
        c = away_from_zero(1 + even / c);
        h *= d * c;
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / away_from_zero(1 + odd * d);
        c = away_from_zero(1 + odd / c);
        h *= d * c;
        if (fabs(d * c - 1) <= 2 * DBL_EPSILON) break;
    }
    return h;
}

/* I_x(a, b), y = 1 - x given apart because one of the two may be tiny. */
static double beta_share(double a, double b, double x, double y)
{
    if (!(a > 0 && b > 0) || isnan(x)) return NAN;
    if (x <= 0) return 0;
    if (y <= 0) return 1;
    if (x < (a + 1) / (a + b + 2)) return beta_term(a, b, x, y) * beta_fraction(a, b, x) / a;
    return 1 - beta_term(b, a, y, x) * beta_fraction(b, a, y) / b;
}

double normal_below(double x)
{
    return 0.5 * erfc(-x * SQRT_HALF);
}

double normal_above(double x)
{
    return normal_below(-x);
}

/* The larger tail is one less the smaller one, which is I_x(ν/2, 1/2) / 2 with
 * x = ν / (ν + t²) (DLMF 8.17.1 by substitution). */
double student_below(double t, double degrees)
{
    if (isnan(t) || !(degrees > 0)) return NAN;
    if (isinf(degrees)) return normal_below(t);
    if (isinf(t)) return t > 0 ? 1 : 0;
    const double s = t * t, x = degrees / (degrees + s), y = s / (degrees + s);
    const double tail = 0.5 * beta_share(degrees / 2, 0.5, x, y);
    return t > 0 ? 1 - tail : tail;
}

double student_above(double t, double degrees)
{
    return student_below(-t, degrees);
}

double chi_square_below(double x, double degrees)
{
    return gamma_share(degrees / 2, x / 2, false);
}

double chi_square_above(double x, double degrees)
{
    return gamma_share(degrees / 2, x / 2, true);
}

double beta_below(double x, double a, double b)
{
    if (!(x >= 0 && x <= 1)) return NAN;
    return beta_share(a, b, x, 1 - x);
}

double beta_above(double x, double a, double b)
{
    if (!(x >= 0 && x <= 1)) return NAN;
    return beta_share(b, a, 1 - x, x);
}

/* ---- quantiles ---- */

/* A distribution with its shapes. */
typedef struct family {
    double (*below)(const struct family *f, double x);
    double (*above)(const struct family *f, double x);
    double a, b;
} family;

/* Where the share passes p, between low and high: the smaller of the two tails is compared,
 * so that shares near one keep their digits. */
static double search(const family *f, double p, double low, double high)
{
    for (int i = 0; i < 2100; i++) {
        const double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high) break;
        const bool under = p < 0.5 ? f->below(f, middle) < p : f->above(f, middle) > 1 - p;
        if (under)
            low = middle;
        else
            high = middle;
        if (high - low <= 4 * DBL_EPSILON * fabs(low)) break;
    }
    return low + (high - low) / 2;
}

/* Doubles a bound until the share of p lies within it. */
static double bound_above(const family *f, double p, double high)
{
    while (high < DBL_MAX / 4 &&
           (p < 0.5 ? f->below(f, high) < p : f->above(f, high) > 1 - p))
        high *= 2;
    return high;
}

static double normal_family_below(const family *f, double x)
{
    (void)f;
    return normal_below(x);
}

static double normal_family_above(const family *f, double x)
{
    (void)f;
    return normal_above(x);
}

static double student_family_below(const family *f, double x)
{
    return student_below(x, f->a);
}

static double student_family_above(const family *f, double x)
{
    return student_above(x, f->a);
}

static double chi_family_below(const family *f, double x)
{
    return chi_square_below(x, f->a);
}

static double chi_family_above(const family *f, double x)
{
    return chi_square_above(x, f->a);
}

static double beta_family_below(const family *f, double x)
{
    return beta_below(x, f->a, f->b);
}

static double beta_family_above(const family *f, double x)
{
    return beta_above(x, f->a, f->b);
}

/* Of a distribution that is symmetric about 0. */
static double symmetric_quantile(const family *f, double p)
{
    if (!(p >= 0 && p <= 1)) return NAN;
    if (p == 0) return -INFINITY;
    if (p == 1) return INFINITY;
    if (p == 0.5) return 0;
    if (p > 0.5) return search(f, p, 0, bound_above(f, p, 1));
    double low = -1;
    while (low > -DBL_MAX / 4 && f->below(f, low) > p)
        low *= 2;
    return search(f, p, low, 0);
}

double normal_quantile(double p)
{
    const family f = {normal_family_below, normal_family_above, 0, 0};
    return symmetric_quantile(&f, p);
}

double student_quantile(double p, double degrees)
{
    if (!(degrees > 0)) return NAN;
    const family f = {student_family_below, student_family_above, degrees, 0};
    return symmetric_quantile(&f, p);
}

double chi_square_quantile(double p, double degrees)
{
    if (!(p >= 0 && p <= 1) || !(degrees > 0)) return NAN;
    if (p == 0) return 0;
    if (p == 1) return INFINITY;
    const family f = {chi_family_below, chi_family_above, degrees, 0};
    return search(&f, p, 0, bound_above(&f, p, degrees));
}

double beta_quantile(double p, double a, double b)
{
    if (!(p >= 0 && p <= 1) || !(a > 0 && b > 0)) return NAN;
    if (p == 0) return 0;
    if (p == 1) return 1;
    const family f = {beta_family_below, beta_family_above, a, b};
    return search(&f, p, 0, 1);
}
