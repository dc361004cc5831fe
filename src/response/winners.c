/* One number, from sums of groups. */
#include "response/winners.h"

#include <math.h>

#include "base/memory.h"

winners winners_none(void)
{
    return (winners){.factor = 1, .factor_se = (double)NAN, .keep = 1};
}

pf_status winners_fit(winners *w, const winners_cell *cell, size_t n, pf_error *err)
{
    *w = winners_none();
    if (n == 0) return PF_OK;
    gamma_count *count = mem_alloc(n, sizeof *count);
    if (count == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu campaigns", n);
    for (size_t i = 0; i < n; i++) {
        count[i] = (gamma_count){cell[i].foretold, cell[i].answers};
        w->foretold += cell[i].foretold;
        w->mean += cell[i].mean;
        w->answers += cell[i].answers;
    }
    gamma_belief g = gamma_common(count, n, gamma_likeliest_shape(count, n), 1);
    mem_free(count);
    w->groups = (double)n;
    w->factor = gamma_belief_mean(g);
    w->factor_se = gamma_belief_sd(g);
    if (w->foretold > w->mean)
        w->keep = fmin(fmax((w->factor * w->foretold - w->mean) / (w->foretold - w->mean), 0), 1);
    return PF_OK;
}

void winners_apply(const winners *w, float *p, size_t P)
{
    double mean = 0;
    if (w->keep >= 1) return;
    for (size_t k = 0; k < P; k++)
        mean += (double)p[k];
    mean /= (double)P;
    for (size_t k = 0; k < P; k++)
        p[k] = (float)(mean + w->keep * ((double)p[k] - mean));
}
