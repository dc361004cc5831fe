/* Metrics of binary predictions (measure/classification.h). */
#include "measure/classification.h"

#include <math.h>
#include <stdbool.h>

#include "base/memory.h"
#include "measure/order.h"

/* One place of the ranking, best first. */
typedef struct place {
    uint32_t row;
    bool y;
    bool last_of_tie;
} place;

struct ranked {
    size_t n;
    place places[];
};

pf_status ranked_new(ranked **out, const double *score, const uint8_t *y, size_t n,
                     pf_error *err)
{
    *out = NULL;
    size_t bytes;
    uint32_t *rows = mem_alloc(n ? n : 1, sizeof *rows);
    ranked *r = NULL;
    if (size_multiply(n, sizeof(place), &bytes) && size_add(bytes, sizeof *r, &bytes))
        r = mem_alloc(bytes, 1);
    pf_status status = PF_OK;
    if (!rows || !r)
        status = error_set(err, PF_NO_MEMORY, "no memory to rank %zu rows", n);
    else
        status = order_rows(score, n, ORDER_DESCENDING, rows, err);
    if (status != PF_OK) {
        mem_free(r);
        mem_free(rows);
        return status;
    }
    r->n = n;
    for (size_t i = 0; i < n; i++) {
        bool last = i + 1 == n || score[rows[i]] != score[rows[i + 1]];
        r->places[i] = (place){.row = rows[i], .y = y[rows[i]] != 0, .last_of_tie = last};
    }
    mem_free(rows);
    *out = r;
    return PF_OK;
}

void ranked_free(ranked *r)
{
    mem_free(r);
}

static double weight_of(const double *w, uint32_t row)
{
    return w ? w[row] : 1.0;
}

double ranked_roc_auc(const ranked *r, const double *w)
{
    double positives = 0.0, negatives = 0.0, pairs = 0.0;
    double tied_positives = 0.0, tied_negatives = 0.0;
    for (size_t i = 0; i < r->n; i++) {
        const place *p = &r->places[i];
        if (p->y)
            tied_positives += weight_of(w, p->row);
        else
            tied_negatives += weight_of(w, p->row);
        if (!p->last_of_tie) continue;
        pairs += tied_negatives * (positives + 0.5 * tied_positives);
        positives += tied_positives;
        negatives += tied_negatives;
        tied_positives = tied_negatives = 0.0;
    }
    double all = positives * negatives;
    return all > 0.0 ? pairs / all : NAN;
}

double ranked_average_precision(const ranked *r, const double *w)
{
    double positives = 0.0, taken = 0.0, tied = 0.0, sum = 0.0;
    for (size_t i = 0; i < r->n; i++) {
        const place *p = &r->places[i];
        double weight = weight_of(w, p->row);
        taken += weight;
        if (p->y) tied += weight;
        if (!p->last_of_tie || tied == 0.0) continue;
        positives += tied;
        sum += tied * (positives / taken);
        tied = 0.0;
    }
    return positives > 0.0 ? sum / positives : NAN;
}

pf_status measure_roc_auc(const double *score, const uint8_t *y, const double *w,
                          size_t n, double *out, pf_error *err)
{
    ranked *r;
    pf_status status = ranked_new(&r, score, y, n, err);
    if (status != PF_OK) return status;
    *out = ranked_roc_auc(r, w);
    ranked_free(r);
    return PF_OK;
}

pf_status measure_average_precision(const double *score, const uint8_t *y,
                                    const double *w, size_t n, double *out, pf_error *err)
{
    ranked *r;
    pf_status status = ranked_new(&r, score, y, n, err);
    if (status != PF_OK) return status;
    *out = ranked_average_precision(r, w);
    ranked_free(r);
    return PF_OK;
}

double measure_log_loss(const double *p, const uint8_t *y, const double *w, size_t n,
                        double clip)
{
    double sum = 0.0, total = 0.0;
    for (size_t i = 0; i < n; i++) {
        double right = y[i] ? p[i] : 1.0 - p[i], weight = w ? w[i] : 1.0;
        if (right < clip) right = clip;
        if (right > 1.0 - clip) right = 1.0 - clip;
        sum -= weight * log(right);
        total += weight;
    }
    return total > 0.0 ? sum / total : NAN;
}

double measure_brier(const double *p, const uint8_t *y, const double *w, size_t n)
{
    double sum = 0.0, total = 0.0;
    for (size_t i = 0; i < n; i++) {
        double miss = p[i] - (y[i] ? 1.0 : 0.0), weight = w ? w[i] : 1.0;
        sum += weight * miss * miss;
        total += weight;
    }
    return total > 0.0 ? sum / total : NAN;
}
