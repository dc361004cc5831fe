/* Running means and products of deviations (moments.h). */
#include "measure/moments.h"

#include <math.h>

void moments_add(moments *m, double y, double x)
{
    m->n++;
    const double n = (double)m->n;
    const double from_y = y - m->mean_y, from_x = x - m->mean_x;
    m->mean_y += from_y / n;
    m->mean_x += from_x / n;
    m->yy += from_y * (y - m->mean_y);
    m->xx += from_x * (x - m->mean_x);
    m->xy += from_y * (x - m->mean_x);
}

void moments_merge(moments *m, const moments *other)
{
    if (other->n == 0) return;
    const double a = (double)m->n, b = (double)other->n, n = a + b;
    const double apart_y = other->mean_y - m->mean_y, apart_x = other->mean_x - m->mean_x;
    m->n += other->n;
    m->mean_y += apart_y * b / n;
    m->mean_x += apart_x * b / n;
    m->yy += other->yy + apart_y * apart_y * a * b / n;
    m->xx += other->xx + apart_x * apart_x * a * b / n;
    m->xy += other->xy + apart_y * apart_x * a * b / n;
}

moments moments_of_count(uint64_t count, uint64_t n)
{
    moments m = {.n = n};
    if (n == 0) return m;
    m.mean_y = (double)count / (double)n;
    m.yy = (double)count * (1 - m.mean_y);
    return m;
}

static double over_rows(const moments *m, double sum)
{
    return m->n < 2 ? NAN : sum / (double)(m->n - 1);
}

double moments_variance_y(const moments *m)
{
    return over_rows(m, m->yy);
}

double moments_variance_x(const moments *m)
{
    return over_rows(m, m->xx);
}

double moments_covariance(const moments *m)
{
    return over_rows(m, m->xy);
}
