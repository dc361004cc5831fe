/* Lift by bins of the ranking (measure/lift.h). */
#include "measure/lift.h"

#include <math.h>

#include "base/memory.h"
#include "measure/order.h"

/* expected[i]: responders at place i of the ranking, a tie's shared among its places. */
static void spread_ties(const double *score, const uint8_t *y, const uint32_t *rows,
                        size_t n, double *expected)
{
    size_t from = 0;
    while (from < n) {
        size_t end = from;
        double responders = 0.0;
        for (; end < n && score[rows[end]] == score[rows[from]]; end++)
            responders += y[rows[end]] != 0;
        for (size_t i = from; i < end; i++)
            expected[i] = responders / (double)(end - from);
        from = end;
    }
}

static double sum_of(const double *values, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return sum;
}

static void fill_bins(const double *expected, size_t n, double responders, size_t bins,
                      lift_bin *out)
{
    size_t from = 0;
    double found = 0.0;
    for (size_t b = 0; b < bins; b++) {
        lift_bin *bin = &out[b];
        bin->n = n / bins + (b < n % bins);
        bin->responders = sum_of(expected + from, bin->n);
        bin->rate = bin->n ? bin->responders / (double)bin->n : 0.0;
        bin->lift = responders > 0.0 ? bin->rate / (responders / (double)n) : NAN;
        from += bin->n;
        found += bin->responders;
        bin->rows_share = n ? (double)from / (double)n : 0.0;
        bin->responders_share = responders > 0.0 ? found / responders : NAN;
    }
}

pf_status lift_of(const double *score, const uint8_t *y, size_t n, size_t bins,
                  lift_bin *out, pf_error *err)
{
    uint32_t *rows = mem_alloc(n ? n : 1, sizeof *rows);
    double *expected = mem_alloc(n ? n : 1, sizeof *expected);
    pf_status status = PF_OK;
    if (!rows || !expected)
        status = error_set(err, PF_NO_MEMORY, "no memory for %zu rows", n);
    else
        status = order_rows(score, n, ORDER_DESCENDING, rows, err);
    if (status == PF_OK) {
        double responders = 0.0;
        for (size_t i = 0; i < n; i++)
            responders += y[i] != 0;
        spread_ties(score, y, rows, n, expected);
        fill_bins(expected, n, responders, bins, out);
    }
    mem_free(expected);
    mem_free(rows);
    return status;
}
