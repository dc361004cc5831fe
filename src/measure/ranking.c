/* Metrics of rankings (measure/ranking.h). */
#include "measure/ranking.h"

#include <math.h>
#include <stdatomic.h>

#include "base/memory.h"

/* ---- one shopper ---- */

ranking_values ranking_values_of(const double *rank, size_t n, unsigned cut)
{
    double found = 0.0, best = INFINITY, gain = 0.0, ideal = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (!(rank[i] <= cut)) continue;
        found++;
        gain += 1.0 / log2(1.0 + rank[i]);
        if (rank[i] < best) best = rank[i];
    }
    size_t places = n < cut ? n : cut;
    for (size_t i = 1; i <= places; i++)
        ideal += 1.0 / log2(1.0 + (double)i);
    return (ranking_values){
        .hit = found > 0.0,
        .ndcg = gain / ideal,
        .mrr = found > 0.0 ? 1.0 / best : 0.0,
        .recall = found / (double)n,
        .precision = found / (double)cut,
    };
}

/* Whether product a stands before b. */
static bool before(const float *score, uint32_t a, uint32_t b)
{
    return score[a] > score[b] || (score[a] == score[b] && a < b);
}

/* The heap's root is the worst kept, so that a better product takes its place. */
static void sift_down(const float *score, uint32_t *heap, size_t n, size_t at)
{
    for (;;) {
        size_t worst = at, left = 2 * at + 1, right = left + 1;
        if (left < n && before(score, heap[worst], heap[left])) worst = left;
        if (right < n && before(score, heap[worst], heap[right])) worst = right;
        if (worst == at) return;
        uint32_t kept = heap[at];
        heap[at] = heap[worst];
        heap[worst] = kept;
        at = worst;
    }
}

static void sift_up(const float *score, uint32_t *heap, size_t at)
{
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (!before(score, heap[parent], heap[at])) return;
        uint32_t kept = heap[at];
        heap[at] = heap[parent];
        heap[parent] = kept;
        at = parent;
    }
}

size_t ranking_top(const float *score, size_t V, size_t most, uint32_t *top)
{
    size_t n = 0;
    if (most == 0) return 0;
    for (size_t v = 0; v < V; v++) {
        if (!(score[v] > -INFINITY)) continue;
        if (n < most) {
            top[n] = (uint32_t)v;
            sift_up(score, top, n++);
        } else if (score[v] > score[top[0]]) {
            top[0] = (uint32_t)v;
            sift_down(score, top, n, 0);
        }
    }
    for (size_t left = n; left > 1; left--) {
        uint32_t worst = top[0];
        top[0] = top[left - 1];
        top[left - 1] = worst;
        sift_down(score, top, left - 1, 0);
    }
    return n;
}

/* ---- all of them ---- */

struct ranking {
    ranking_plan plan;
    ranking_values *values;   /* [shoppers][cuts] */
    bool *added;              /* [shoppers] */
    _Atomic uint32_t *chosen; /* [cuts][products]: in how many lists */
};

static pf_status check_plan(const ranking_plan *plan, pf_error *err)
{
    if (plan->cuts < 1 || plan->cuts > RANKING_CUTS_MAX)
        return error_set(err, PF_USAGE, "a ranking is measured at 1 to %d cuts",
                         RANKING_CUTS_MAX);
    for (unsigned c = 0; c < plan->cuts; c++) {
        if (plan->cut[c] < 1 || plan->cut[c] > RANKING_CUT_MAX)
            return error_set(err, PF_USAGE, "the cut %u is not between 1 and %d",
                             plan->cut[c], RANKING_CUT_MAX);
    }
    if (plan->products == 0 || plan->shoppers == 0)
        return error_set(err, PF_USAGE, "a ranking needs products and shoppers");
    return PF_OK;
}

pf_status ranking_new(ranking **out, const ranking_plan *plan, pf_error *err)
{
    *out = NULL;
    pf_status status = check_plan(plan, err);
    if (status != PF_OK) return status;
    ranking *r = mem_alloc_zero(1, sizeof *r);
    if (!r) return error_set(err, PF_NO_MEMORY, "no memory to measure a ranking");
    r->plan = *plan;
    size_t cuts = plan->cuts;
    r->values = mem_alloc_zero(plan->shoppers * cuts, sizeof *r->values);
    r->added = mem_alloc_zero(plan->shoppers, sizeof *r->added);
    r->chosen = mem_alloc_zero(plan->products * cuts, sizeof *r->chosen);
    if (!r->values || !r->added || !r->chosen) {
        ranking_free(r);
        return error_set(err, PF_NO_MEMORY, "no memory to measure %u shoppers",
                         plan->shoppers);
    }
    *out = r;
    return PF_OK;
}

void ranking_free(ranking *r)
{
    if (!r) return;
    mem_free(r->values);
    mem_free(r->added);
    mem_free((void *)r->chosen);
    mem_free(r);
}

static void count_chosen(ranking *r, const float *score)
{
    uint32_t top[RANKING_CUT_MAX];
    unsigned largest = 0;
    for (unsigned c = 0; c < r->plan.cuts; c++)
        largest = r->plan.cut[c] > largest ? r->plan.cut[c] : largest;
    size_t n = ranking_top(score, r->plan.products, largest, top);
    for (unsigned c = 0; c < r->plan.cuts; c++) {
        _Atomic uint32_t *chosen = r->chosen + (size_t)c * r->plan.products;
        for (size_t i = 0; i < n && i < r->plan.cut[c]; i++)
            atomic_fetch_add_explicit(&chosen[top[i]], 1, memory_order_relaxed);
    }
}

void ranking_add(ranking *r, uint32_t s, const float *score, const uint32_t *target,
                 size_t n)
{
    double rank[RANKING_TARGETS_MAX];
    ranking_ranks(score, r->plan.products, target, n, rank);
    for (unsigned c = 0; c < r->plan.cuts; c++)
        r->values[(size_t)s * r->plan.cuts + c] =
            ranking_values_of(rank, n, r->plan.cut[c]);
    r->added[s] = true;
    count_chosen(r, score);
}

bool ranking_has(const ranking *r, uint32_t s)
{
    return r->added[s];
}

ranking_values ranking_of_shopper(const ranking *r, uint32_t s, unsigned cut_index)
{
    return r->values[(size_t)s * r->plan.cuts + cut_index];
}

uint32_t ranking_shoppers(const ranking *r)
{
    uint32_t n = 0;
    for (uint32_t s = 0; s < r->plan.shoppers; s++)
        n += r->added[s];
    return n;
}

/* to += scale * from */
static void add_scaled(ranking_values *to, double scale, ranking_values from)
{
    to->hit += scale * from.hit;
    to->ndcg += scale * from.ndcg;
    to->mrr += scale * from.mrr;
    to->recall += scale * from.recall;
    to->precision += scale * from.precision;
}

static const ranking_values nothing = {NAN, NAN, NAN, NAN, NAN};

ranking_values ranking_mean(const ranking *r, unsigned cut_index)
{
    uint32_t n = ranking_shoppers(r);
    ranking_values sum = {0}, mean = {0};
    if (n == 0) return nothing;
    for (uint32_t s = 0; s < r->plan.shoppers; s++) {
        if (r->added[s]) add_scaled(&sum, 1.0, ranking_of_shopper(r, s, cut_index));
    }
    add_scaled(&mean, 1.0 / (double)n, sum);
    return mean;
}

static double squared(double x)
{
    return x * x;
}

ranking_values ranking_standard_error(const ranking *r, unsigned cut_index)
{
    uint32_t n = ranking_shoppers(r);
    ranking_values mean = ranking_mean(r, cut_index), sum = {0};
    if (n < 2) return nothing;
    for (uint32_t s = 0; s < r->plan.shoppers; s++) {
        if (!r->added[s]) continue;
        ranking_values v = ranking_of_shopper(r, s, cut_index);
        sum.hit += squared(v.hit - mean.hit);
        sum.ndcg += squared(v.ndcg - mean.ndcg);
        sum.mrr += squared(v.mrr - mean.mrr);
        sum.recall += squared(v.recall - mean.recall);
        sum.precision += squared(v.precision - mean.precision);
    }
    double scale = 1.0 / ((double)n * (double)(n - 1));
    return (ranking_values){
        .hit = sqrt(scale * sum.hit),
        .ndcg = sqrt(scale * sum.ndcg),
        .mrr = sqrt(scale * sum.mrr),
        .recall = sqrt(scale * sum.recall),
        .precision = sqrt(scale * sum.precision),
    };
}

static uint32_t times_chosen(const ranking *r, unsigned cut_index, uint32_t product)
{
    return atomic_load_explicit(
        &r->chosen[(size_t)cut_index * r->plan.products + product], memory_order_relaxed);
}

double ranking_coverage(const ranking *r, unsigned cut_index)
{
    double covered = 0.0;
    for (uint32_t v = 0; v < r->plan.products; v++)
        covered += times_chosen(r, cut_index, v) > 0;
    return covered / (double)r->plan.products;
}

double ranking_novelty(const ranking *r, unsigned cut_index, const uint32_t *times)
{
    double all = (double)r->plan.products, sum = 0.0, n = 0.0;
    for (uint32_t v = 0; v < r->plan.products; v++)
        all += (double)times[v];
    for (uint32_t v = 0; v < r->plan.products; v++) {
        double chosen = (double)times_chosen(r, cut_index, v);
        sum -= chosen * log2(((double)times[v] + 1.0) / all);
        n += chosen;
    }
    return n > 0.0 ? sum / n : NAN;
}
