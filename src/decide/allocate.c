/*
 * Finding shadow prices and putting the answer together; allocate.h has the method,
 * allocate_dual.h the function that is minimised, allocate_repair.h the step to integers.
 */
#include "decide/allocate.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "decide/allocate_dual.h"
#include "decide/allocate_repair.h"
#include "decide/bundle.h"

/* Prices are first looked for among about this many shoppers, then among so many times
 * more, and at last refined on all. */
enum { SAMPLE_SHOPPERS = 20000, SAMPLE_TIMES = 8, LINE_CALLS = 200 };
#define STEP_NEARBY 0.01 /* of the bundle, once a sample has led near the minimum */

allocate_options allocate_options_default(void)
{
    return (allocate_options){.maximum_calls = 400};
}

void allocate_free(allocate_result *r)
{
    mem_free(r->prices);
    mem_free(r->used);
    mem_free(r->taken);
    *r = (allocate_result){.prices = NULL};
}

/* --- checks ----------------------------------------------------------------------- */

static bool is_amount(double x)
{
    return isfinite(x) && x >= 0;
}

static pf_status check_arms(const allocate_problem *p, pf_error *err)
{
    for (uint32_t a = 0; a < p->n_arms; a++)
        for (uint32_t i = p->arm_first[a]; i < p->arm_first[a + 1]; i++) {
            if (p->arm_caps[i] >= p->n_caps)
                return error_set(err, PF_USAGE, "allocation: arm %u draws on no cap", a);
            if (p->caps[p->arm_caps[i]].measure == CAP_REDEMPTIONS &&
                p->redemptions == NULL)
                return error_set(err, PF_USAGE, "allocation: redemptions are not given");
            for (uint32_t k = p->arm_first[a]; k < i; k++)
                if (p->arm_caps[k] == p->arm_caps[i])
                    return error_set(err, PF_USAGE,
                                     "allocation: arm %u draws on cap %u twice", a,
                                     p->arm_caps[i]);
        }
    return PF_OK;
}

static pf_status check_caps(const allocate_problem *p, pf_error *err)
{
    if (p->n_caps > LIMIT_ALLOCATE_CAPS)
        return error_set(err, PF_LIMIT, "allocation: %u caps, at most %u", p->n_caps,
                         LIMIT_ALLOCATE_CAPS);
    for (uint32_t m = 0; m < p->n_caps; m++)
        if (!is_amount(p->caps[m].limit))
            return error_set(err, PF_USAGE, "allocation: cap %u is not a number >= 0", m);
    return check_arms(p, err);
}

static const char *option_fault(const allocate_problem *p, size_t o, bool first)
{
    if (!isfinite(p->value[o])) return "its value is not finite";
    if (!is_amount(p->cost[o])) return "its cost is not a number >= 0";
    if (p->redemptions != NULL && !is_amount(p->redemptions[o]))
        return "its redemptions are not a number >= 0";
    if (p->arm[o] >= p->n_arms) return "there is no such arm";
    if (p->group != NULL && !first && p->group[o] < p->group[o - 1])
        return "groups of a shopper must ascend";
    return NULL;
}

static pf_status check_options(const allocate_problem *p, pf_error *err)
{
    for (size_t s = 0; s < p->n_shoppers; s++) {
        if (p->first[s] > p->first[s + 1])
            return error_set(err, PF_USAGE, "allocation: options of shopper %zu", s);
        if (p->picks != NULL && p->picks[s] > LIMIT_SHOPPER_PICKS)
            return error_set(err, PF_LIMIT, "allocation: more than %u picks a shopper",
                             LIMIT_SHOPPER_PICKS);
        for (size_t o = p->first[s]; o < p->first[s + 1]; o++) {
            const char *fault = option_fault(p, o, o == p->first[s]);
            if (fault != NULL)
                return error_set(err, PF_USAGE, "allocation: option %zu: %s", o, fault);
        }
    }
    return PF_OK;
}

/* --- one cap: exact --------------------------------------------------------------- */

/* A supporting line of D: c + g * price. */
typedef struct line {
    double c, g, price;
} line;

static line line_at(dual *d, uint32_t m, double *prices, double price)
{
    prices[m] = price;
    double value = dual_evaluate(d, prices);
    double g = d->limit[m] - d->used[m];
    return (line){value - g * price, g, price};
}

/* D along one price is convex and piecewise linear: two supporting lines, one falling and
 * one rising, cross below it, and where D touches the crossing the minimum is found. The
 * interval is halved now and then, so that many short pieces do not slow the search. */
static void find_one_price(dual *d, uint32_t m, double *prices)
{
    line low = line_at(d, m, prices, 0);
    if (low.g >= 0) return;
    line high = line_at(d, m, prices, 1);
    for (int i = 0; i < 1000 && high.g < 0; i++) {
        low = high;
        high = line_at(d, m, prices, 4 * high.price);
    }
    for (int i = 0; i < LINE_CALLS && low.g < 0; i++) {
        double crossing = (high.c - low.c) / (low.g - high.g);
        double below = low.c + low.g * crossing;
        bool inside = crossing > low.price && crossing < high.price;
        if (!inside) break;
        double price = i % 3 == 2 ? 0.5 * (low.price + high.price) : crossing;
        line at = line_at(d, m, prices, price);
        double value = at.c + at.g * price;
        if (price == crossing && value - below <= 1e-14 * fabs(value)) break;
        if (at.g < 0)
            low = at;
        else
            high = at;
        prices[m] = (high.c - low.c) / (low.g - high.g);
    }
}

/* --- several caps: a bundle in scaled prices -------------------------------------- */

typedef struct search {
    dual *d;
    double *scale;  /* [M] price = scale * x; 0 for caps that never bind */
    double *prices; /* [M] */
} search;

static double oracle(void *context, const double *x, double *gradient)
{
    search *s = context;
    uint32_t n = s->d->p->n_caps;
    for (uint32_t m = 0; m < n; m++)
        s->prices[m] = s->scale[m] * x[m];
    double value = dual_evaluate(s->d, s->prices);
    for (uint32_t m = 0; m < n; m++)
        gradient[m] = s->scale[m] * (s->d->limit[m] - s->d->used[m]);
    return value;
}

/* What an answer without caps draws of each measure, at its value: so many units of value a
 * unit is the size of a price. */
static void typical_prices(const dual *d, double free_value, double typical[3])
{
    double drawn[3] = {0, 0, 0};
    for (size_t i = 0; i < d->n_shards * d->p->n_arms; i++) {
        drawn[CAP_COST] += d->sums[i].cost;
        drawn[CAP_COUNT] += (double)d->sums[i].count;
        drawn[CAP_REDEMPTIONS] += d->sums[i].redemptions;
    }
    for (int m = 0; m < 3; m++)
        typical[m] = drawn[m] > 0 ? free_value / drawn[m] : 0;
}

/* Demand for a cap falls by about itself over one typical price, so the dual's curvature
 * along price m is used / typical; this scale makes it the same along every x. */
static void set_scale(search *s, double free_value)
{
    const dual *d = s->d;
    double typical[3];
    typical_prices(d, free_value, typical);
    for (uint32_t m = 0; m < d->p->n_caps; m++) {
        double size = d->used[m] > d->limit[m] ? d->used[m] : d->limit[m];
        double price = typical[d->p->caps[m].measure];
        s->scale[m] = size > 0 && d->limit[m] > 0 ? sqrt(price * free_value / size) : 0;
    }
}

/* The more shoppers, the smoother their sum, and the less a sharper price brings. */
static double default_tolerance(size_t n_shoppers)
{
    return n_shoppers < 2 * SAMPLE_SHOPPERS ? 1e-9 : 3e-6;
}

static pf_status find_prices(search *s, double *x, const allocate_options *o,
                             pf_error *err)
{
    dual *d = s->d;
    size_t n = d->p->n_shoppers, sample = SAMPLE_SHOPPERS;
    bundle_options options = bundle_options_default();
    bundle_result result;
    options.maximum_calls = o->maximum_calls;
    options.tolerance = o->tolerance > 0 ? o->tolerance : default_tolerance(n);
    for (; sample <= n / 2; sample *= SAMPLE_TIMES) {
        d->stride = n / sample;
        pf_status status =
            bundle_minimise(oracle, s, d->p->n_caps, x, &options, &result, err);
        d->stride = 1;
        if (status != PF_OK) return status;
        options.step = STEP_NEARBY;
    }
    return bundle_minimise(oracle, s, d->p->n_caps, x, &options, &result, err);
}

/* Prices [M] that minimise the dual: 0 where nothing binds. */
static pf_status shadow_prices(dual *d, double *prices, const allocate_options *o,
                               pf_error *err)
{
    uint32_t n = d->p->n_caps, over = 0;
    double value = dual_evaluate(d, prices);
    for (uint32_t m = 0; m < n; m++)
        over += d->used[m] > d->limit[m];
    if (over == 0) return PF_OK;
    if (n == 1) {
        find_one_price(d, 0, prices);
        return PF_OK;
    }
    double *block = mem_alloc_zero(3 * (size_t)n, sizeof *block);
    if (block == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for prices");
    search s = {d, block, block + n};
    double *x = block + 2 * (size_t)n;
    set_scale(&s, value);
    pf_status status = find_prices(&s, x, o, err);
    for (uint32_t m = 0; m < n; m++)
        prices[m] = s.scale[m] * x[m];
    mem_free(block);
    return status;
}

/* --- the answer ------------------------------------------------------------------- */

static pf_status result_new(const allocate_problem *p, allocate_result *out,
                            pf_error *err)
{
    size_t options = p->n_shoppers > 0 ? p->first[p->n_shoppers] : 0;
    *out =
        (allocate_result){.prices = mem_alloc_zero((size_t)p->n_caps + 1, sizeof(double)),
                          .used = mem_alloc_zero((size_t)p->n_caps + 1, sizeof(double)),
                          .taken = mem_alloc_zero(options + 1, 1)};
    if (out->prices != NULL && out->used != NULL && out->taken != NULL) return PF_OK;
    allocate_free(out);
    return error_set(err, PF_NO_MEMORY, "out of memory for an allocation");
}

/* Bound and repair at out->prices. */
static pf_status finish(dual *d, bool improve, allocate_result *out, pf_error *err)
{
    out->bound = dual_evaluate(d, out->prices);
    pf_status s = allocate_repair(d, improve, out, err);
    out->calls = d->calls;
    /* The bound is a sum in another order: it may fall short by rounding alone. */
    if (out->bound < out->value) out->bound = out->value;
    out->gap = out->bound > 0 ? (out->bound - out->value) / out->bound : 0;
    return s;
}

static pf_status run(const allocate_problem *p, const double *prices,
                     const allocate_options *options, allocate_result *out, pf_error *err)
{
    dual d = {.p = NULL};
    pf_status s = check_caps(p, err);
    *out = (allocate_result){.prices = NULL};
    if (s == PF_OK) s = check_options(p, err);
    if (s == PF_OK) s = dual_new(&d, p, options->threads, err);
    if (s != PF_OK) return s;
    s = result_new(p, out, err);
    if (s == PF_OK && prices != NULL && p->n_caps > 0)
        memcpy(out->prices, prices, p->n_caps * sizeof *prices);
    if (s == PF_OK && prices == NULL) s = shadow_prices(&d, out->prices, options, err);
    if (s == PF_OK) s = finish(&d, prices == NULL, out, err);
    if (s != PF_OK) allocate_free(out);
    dual_free(&d);
    return s;
}

pf_status allocate_solve(const allocate_problem *p, const allocate_options *options,
                         allocate_result *out, pf_error *err)
{
    return run(p, NULL, options, out, err);
}

pf_status allocate_at_prices(const allocate_problem *p, const double *prices,
                             const allocate_options *options, allocate_result *out,
                             pf_error *err)
{
    for (uint32_t m = 0; m < p->n_caps; m++)
        if (!is_amount(prices[m])) {
            *out = (allocate_result){.prices = NULL};
            return error_set(err, PF_USAGE, "allocation: price %u is not a number >= 0",
                             m);
        }
    return run(p, prices, options, out, err);
}

void allocate_print(const allocate_problem *p, const allocate_result *r,
                    const char *const *names, buffer *into)
{
    static const char *const measures[] = {"cost", "count", "redemptions"};
    buffer_printf(into,
                  "bound %.6g, answer %.6g, gap %.4f %%, %zu taken, %u evaluations\n",
                  r->bound, r->value, 100 * r->gap, r->n_taken, r->calls);
    for (uint32_t m = 0; m < p->n_caps; m++)
        buffer_printf(into, "%s%s%s: used %.6g of %.6g, price %.6g\n",
                      names != NULL ? names[m] : "cap by ", names != NULL ? ", " : "",
                      measures[p->caps[m].measure], r->used[m], p->caps[m].limit,
                      r->prices[m]);
}
