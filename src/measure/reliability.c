/* Bins of equal count and what they say (measure/calibration.h). */
#include "measure/calibration.h"

#include <math.h>

#include "base/memory.h"
#include "measure/order.h"

static reliability_bin bin_of(const double *p, const uint8_t *y, const uint32_t *rows,
                              size_t n)
{
    reliability_bin b = {.n = n};
    if (n == 0) return b;
    double sum_p = 0.0, sum_y = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum_p += p[rows[i]];
        sum_y += y[rows[i]] != 0;
    }
    b.mean_p = sum_p / (double)n;
    b.mean_y = sum_y / (double)n;
    b.lowest_p = p[rows[0]];
    b.highest_p = p[rows[n - 1]];
    return b;
}

pf_status reliability_of(const double *p, const uint8_t *y, size_t n, size_t bins,
                         reliability_bin *out, pf_error *err)
{
    uint32_t *rows = mem_alloc(n ? n : 1, sizeof *rows);
    if (!rows) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", n);
    pf_status status = order_rows(p, n, ORDER_ASCENDING, rows, err);
    size_t from = 0;
    for (size_t b = 0; status == PF_OK && b < bins; b++) {
        size_t size = n / bins + (b < n % bins);
        out[b] = bin_of(p, y, rows + from, size);
        from += size;
    }
    mem_free(rows);
    return status;
}

double reliability_ece(const reliability_bin *bins, size_t n_bins)
{
    double sum = 0.0, n = 0.0;
    for (size_t b = 0; b < n_bins; b++) {
        sum += (double)bins[b].n * fabs(bins[b].mean_p - bins[b].mean_y);
        n += (double)bins[b].n;
    }
    return n > 0.0 ? sum / n : NAN;
}

double calibration_sum_ratio(const double *p, const uint8_t *y, size_t n)
{
    double sum_p = 0.0, sum_y = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum_p += p[i];
        sum_y += y[i] != 0;
    }
    return sum_y > 0.0 ? sum_p / sum_y : NAN;
}
