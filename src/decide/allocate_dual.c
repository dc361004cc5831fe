/* Evaluating the dual of an allocation, in shards that are summed in order. */
#include "decide/allocate_dual.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

enum { SHARDS_MOST = 64, SHARD_SHOPPERS = 512, BLOCK = 128 };
/* Sums by arm and shard stay below this many. */
#define SUMS_MOST ((size_t)4 << 20)

/* --- set-up ----------------------------------------------------------------------- */

static size_t shards_for(const allocate_problem *p)
{
    size_t n = p->n_shoppers / SHARD_SHOPPERS + 1;
    if (n > SHARDS_MOST) n = SHARDS_MOST;
    while (n > 1 && n * p->n_arms > SUMS_MOST)
        n /= 2;
    return n;
}

/* What a single option of the arm may draw at most, by its caps. */
static void set_limits(dual *d)
{
    const allocate_problem *p = d->p;
    for (uint32_t a = 0; a < p->n_arms; a++) {
        dual_arm *arm = &d->arms[a];
        arm->cost_most = arm->redemptions_most = INFINITY;
        for (uint32_t i = p->arm_first[a]; i < p->arm_first[a + 1]; i++) {
            const allocate_cap *cap = &p->caps[p->arm_caps[i]];
            if (cap->measure == CAP_COST && cap->limit < arm->cost_most)
                arm->cost_most = cap->limit;
            if (cap->measure == CAP_REDEMPTIONS && cap->limit < arm->redemptions_most)
                arm->redemptions_most = cap->limit;
            if (cap->measure == CAP_COUNT && cap->limit < 1) arm->cost_most = -1;
        }
    }
}

pf_status dual_new(dual *d, const allocate_problem *p, pool *threads, pf_error *err)
{
    *d = (dual){.p = p, .threads = threads, .stride = 1, .n_shards = shards_for(p)};
    d->arms = mem_alloc_zero((size_t)p->n_arms + 1, sizeof *d->arms);
    d->sums = mem_alloc_zero(d->n_shards * ((size_t)p->n_arms + 1), sizeof *d->sums);
    d->best = mem_alloc_zero(d->n_shards, sizeof *d->best);
    d->limit = mem_alloc_zero((size_t)p->n_caps + 1, sizeof *d->limit);
    d->used = mem_alloc_zero((size_t)p->n_caps + 1, sizeof *d->used);
    if (d->arms == NULL || d->sums == NULL || d->best == NULL || d->limit == NULL ||
        d->used == NULL) {
        dual_free(d);
        return error_set(err, PF_NO_MEMORY, "out of memory for an allocation");
    }
    for (uint32_t m = 0; m < p->n_caps; m++)
        d->limit[m] = p->caps[m].limit;
    set_limits(d);
    return PF_OK;
}

void dual_free(dual *d)
{
    mem_free(d->arms);
    mem_free(d->sums);
    mem_free(d->best);
    mem_free(d->limit);
    mem_free(d->used);
    *d = (dual){.p = NULL};
}

void dual_set_prices(dual *d, const double *prices)
{
    const allocate_problem *p = d->p;
    for (uint32_t a = 0; a < p->n_arms; a++) {
        double by[3] = {0, 0, 0};
        for (uint32_t i = p->arm_first[a]; i < p->arm_first[a + 1]; i++)
            by[p->caps[p->arm_caps[i]].measure] += prices[p->arm_caps[i]];
        d->arms[a].per_cost = by[CAP_COST];
        d->arms[a].per_one = by[CAP_COUNT];
        d->arms[a].per_redemption = by[CAP_REDEMPTIONS];
    }
}

/* --- one shopper ------------------------------------------------------------------ */

static inline double gain_of(const dual *d, size_t o)
{
    const allocate_problem *p = d->p;
    const dual_arm *arm = &d->arms[p->arm[o]];
    if (p->cost[o] > arm->cost_most) return -INFINITY;
    double gain = p->value[o] - p->cost[o] * arm->per_cost - arm->per_one;
    if (p->redemptions == NULL) return gain;
    if (p->redemptions[o] > arm->redemptions_most) return -INFINITY;
    return gain - p->redemptions[o] * arm->per_redemption;
}

double dual_gain(const dual *d, size_t o)
{
    return gain_of(d, o);
}

/* Keeps the `most` best, best first; among equals the earlier option. */
static uint32_t insert(dual_pick *picks, uint32_t n, uint32_t most, dual_pick pick)
{
    if (n == most && pick.gain <= picks[n - 1].gain) return n;
    uint32_t at = n < most ? n : n - 1;
    for (; at > 0 && picks[at - 1].gain < pick.gain; at--)
        picks[at] = picks[at - 1];
    picks[at] = pick;
    return n < most ? n + 1 : n;
}

/* The best option of o .. end - 1 that gains anything; option == end when none does. */
static inline dual_pick best_of(const dual *d, size_t o, size_t end)
{
    dual_pick best = {0, end};
    for (; o < end; o++) {
        double gain = gain_of(d, o);
        if (gain > best.gain) best = (dual_pick){gain, o};
    }
    return best;
}

uint32_t dual_pick_best(const dual *d, size_t s, dual_pick picks[LIMIT_SHOPPER_PICKS])
{
    const allocate_problem *p = d->p;
    size_t end = p->first[s + 1];
    uint32_t most = p->picks != NULL ? p->picks[s] : 1, n = 0;
    if (most == 0) return 0;
    if (p->group == NULL || most == 1) {
        picks[0] = best_of(d, p->first[s], end);
        return picks[0].option < end;
    }
    for (size_t o = p->first[s]; o < end;) {
        size_t next = o + 1;
        while (next < end && p->group[next] == p->group[o])
            next++;
        dual_pick best = best_of(d, o, next);
        if (best.option < next) n = insert(picks, n, most, best);
        o = next;
    }
    return n;
}

/* --- all shoppers ----------------------------------------------------------------- */

/* How many shoppers are looked at: all, or every stride-th whole block. Blocks rather than
 * single shoppers, because memory comes in lines and pages. */
static size_t looked_at(const dual *d)
{
    size_t n = d->p->n_shoppers;
    return d->stride > 1 ? n / (BLOCK * d->stride) * BLOCK : n;
}

static size_t sampled(const dual *d, size_t i)
{
    return i / BLOCK * BLOCK * d->stride + i % BLOCK;
}

static void evaluate_shard(void *context, size_t shard, unsigned worker)
{
    dual *d = context;
    const allocate_problem *p = d->p;
    (void)worker;
    dual_pick picks[LIMIT_SHOPPER_PICKS];
    dual_sum *sums = d->sums + shard * p->n_arms;
    size_t looked = looked_at(d);
    size_t from = shard * looked / d->n_shards, to = (shard + 1) * looked / d->n_shards;
    double best = 0;
    memset(sums, 0, p->n_arms * sizeof *sums);
    for (size_t i = from; i < to; i++) {
        uint32_t n = dual_pick_best(d, sampled(d, i), picks);
        for (uint32_t k = 0; k < n; k++) {
            size_t o = picks[k].option;
            dual_sum *sum = &sums[p->arm[o]];
            best += picks[k].gain;
            sum->cost += p->cost[o];
            sum->count++;
            if (p->redemptions != NULL) sum->redemptions += p->redemptions[o];
        }
    }
    d->best[shard] = best;
}

static void add_arm(dual *d, uint32_t a, double scale)
{
    const allocate_problem *p = d->p;
    double by[3] = {0, 0, 0};
    for (size_t shard = 0; shard < d->n_shards; shard++) {
        const dual_sum *sum = &d->sums[shard * p->n_arms + a];
        by[CAP_COST] += sum->cost;
        by[CAP_COUNT] += (double)sum->count;
        by[CAP_REDEMPTIONS] += sum->redemptions;
    }
    for (uint32_t i = p->arm_first[a]; i < p->arm_first[a + 1]; i++) {
        uint32_t m = p->arm_caps[i];
        d->used[m] += scale * by[p->caps[m].measure];
    }
}

double dual_evaluate(dual *d, const double *prices)
{
    const allocate_problem *p = d->p;
    size_t looked = looked_at(d);
    double scale = looked > 0 ? (double)p->n_shoppers / (double)looked : 1;
    dual_set_prices(d, prices);
    pool_run(d->threads, d->n_shards, evaluate_shard, d);
    double value = 0, gains = 0;
    for (uint32_t m = 0; m < p->n_caps; m++) {
        d->used[m] = 0;
        value += prices[m] * d->limit[m];
    }
    for (size_t shard = 0; shard < d->n_shards; shard++)
        gains += d->best[shard];
    for (uint32_t a = 0; a < p->n_arms; a++)
        add_arm(d, a, scale);
    d->calls += d->stride == 1;
    return value + scale * gains;
}
