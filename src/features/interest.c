/* The sums of interest.h: dense arrays, sparse clearing. */
#include "features/interest.h"

#include "base/memory.h"

bool interest_init(interest_sums *s, uint32_t count)
{
    *s = (interest_sums){.count = count};
    s->sum = mem_alloc_zero((size_t)count + 1, sizeof *s->sum);
    s->touched = mem_alloc((size_t)count + 1, sizeof *s->touched);
    if (s->sum != NULL && s->touched != NULL)
        return true;
    interest_free(s);
    return false;
}

void interest_free(interest_sums *s)
{
    mem_free(s->sum);
    mem_free(s->touched);
    *s = (interest_sums){.count = 0};
}

void interest_add(interest_sums *s, uint32_t number, double weight)
{
    if (!(weight > 0))
        return;
    s->total += weight;
    if (number == 0 || number > s->count)
        return;
    if (s->sum[number] == 0)
        s->touched[s->n_touched++] = number;
    s->sum[number] += weight;
}

static bool comes_before(interest a, interest b)
{
    return b.number == 0 || a.share > b.share ||
           (a.share == b.share && a.number < b.number);
}

void interest_take(const interest_sums *s, interest out[PROFILE_INTERESTS])
{
    for (int i = 0; i < PROFILE_INTERESTS; i++)
        out[i] = (interest){0, 0};
    for (uint32_t k = 0; k < s->n_touched; k++) {
        interest next = {s->touched[k], s->sum[s->touched[k]] / s->total};
        for (int i = 0; i < PROFILE_INTERESTS; i++) {
            if (comes_before(next, out[i])) {
                interest pushed = out[i];
                out[i] = next;
                next = pushed;
            }
            if (next.number == 0)
                break;
        }
    }
}

void interest_clear(interest_sums *s)
{
    for (uint32_t k = 0; k < s->n_touched; k++)
        s->sum[s->touched[k]] = 0;
    s->n_touched = 0;
    s->total = 0;
}
