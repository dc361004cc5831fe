/*
 * What a shopper bought within a promotion's scope, and the centre of what a shopper buys.
 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "features/profile.h"

scope_spend profile_scope_spend(const shop_history *h, const promotion *p, uint32_t number,
                                int64_t at_us)
{
    scope_spend out = {.recency_days = (double)NAN};
    uint64_t first = h->first[number], end = history_before(h, number, at_us);
    for (uint64_t i = first; i < end; i++) {
        if (h->type[i] != EVENT_PURCHASE || !promotion_covers(p, h->product[i]))
            continue;
        out.lines++;
        out.paid_minor += h->paid_minor[i] == MONEY_ABSENT ? 0 : h->paid_minor[i];
        out.recency_days = (double)(at_us - h->time_us[i]) / (double)US_PER_DAY;
    }
    return out;
}

bool profile_centroid(const shop_history *h, uint32_t number, int64_t at_us,
                      double half_life_days, const float *vectors, size_t dimension,
                      float *out)
{
    uint64_t first = h->first[number], end = history_before(h, number, at_us);
    double square = 0;
    memset(out, 0, dimension * sizeof *out);
    for (uint64_t i = first; i < end; i++) {
        if (h->type[i] != EVENT_PURCHASE || h->product[i] == 0)
            continue;
        double age = (double)(at_us - h->time_us[i]) / (double)US_PER_DAY;
        float weight = (float)exp2(-age / half_life_days);
        const float *row = vectors + (size_t)h->product[i] * dimension;
        for (size_t d = 0; d < dimension; d++)
            out[d] += weight * row[d];
    }
    for (size_t d = 0; d < dimension; d++)
        square += (double)out[d] * (double)out[d];
    if (!(square > 0))
        return false;
    float scale = (float)(1 / sqrt(square));
    for (size_t d = 0; d < dimension; d++)
        out[d] *= scale;
    return true;
}
