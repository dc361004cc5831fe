/*
 * What a shopper bought within a promotion's scope, and the centre of what a shopper buys.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
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
        const float *row = vectors + ((size_t)h->product[i] - 1) * dimension;
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

/* --- favourites within a scope ---------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const interest *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static int by_share(const void *a, const void *b)
{
    const interest *x = a, *y = b;
    if (x->share != y->share)
        return x->share > y->share ? -1 : 1;
    return by_number(a, b);
}

/* Sums entries of one product; returns how many products there are. */
static size_t sum_products(interest *list, size_t n)
{
    size_t left = 0;
    qsort(list, n, sizeof *list, by_number);
    for (size_t i = 0; i < n; i++) {
        if (left > 0 && list[left - 1].number == list[i].number)
            list[left - 1].share += list[i].share;
        else
            list[left++] = list[i];
    }
    return left;
}

pf_status profile_scope_favourites(const shop_history *h, const promotion *p, uint32_t number,
                                   int64_t at_us, double half_life_days, uint32_t *out,
                                   uint32_t most, uint32_t *found, pf_error *err)
{
    uint64_t first = h->first[number], end = history_before(h, number, at_us);
    size_t n = 0;
    *found = 0;
    interest *list = mem_alloc((size_t)(end - first) + 1, sizeof *list);
    if (list == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for a shopper's favourites");
    for (uint64_t i = first; i < end; i++) {
        if (h->type[i] != EVENT_PURCHASE || !promotion_covers(p, h->product[i]))
            continue;
        double age = (double)(at_us - h->time_us[i]) / (double)US_PER_DAY;
        double worth = h->paid_minor[i] == MONEY_ABSENT ? 1 : (double)h->paid_minor[i];
        list[n++] = (interest){h->product[i], worth * exp2(-age / half_life_days)};
    }
    n = sum_products(list, n);
    qsort(list, n, sizeof *list, by_share);
    for (; *found < n && *found < most; (*found)++)
        out[*found] = list[*found].number;
    mem_free(list);
    return PF_OK;
}
