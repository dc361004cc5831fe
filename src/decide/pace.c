/* Prices that keep the pace of spending; see pace.h for the rule. */
#include "decide/pace.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

#define GAIN_LEAST 2.0
#define GAIN_MOST 40.0

/* A cap is looked at when an option asks for it. Between two looks what it has drawn stands
 * still and progress runs on, so the integral over the gap is known exactly. */
typedef struct paced_cap {
    pace_cap cap; /* used grows */
    double base;  /* the price without what is ahead */
    double gain;
    double looked; /* progress when base was brought up to date */
    double price;  /* at that progress */
} paced_cap;

struct pace {
    uint32_t n_arms, n_caps, n_lanes;
    uint32_t *arm_first, *arm_caps;
    uint8_t *lane;
    paced_cap *caps;
    double progress;
};

/* --- from a solve ----------------------------------------------------------------- */

static double amount(cap_measure measure, double cost, double redemptions)
{
    switch (measure) {
    case CAP_COST: return cost;
    case CAP_REDEMPTIONS: return redemptions;
    case CAP_COUNT: break;
    }
    return 1;
}

static void add_taken(const allocate_problem *p, size_t o, pace_cap *caps)
{
    double redemptions = p->redemptions != NULL ? p->redemptions[o] : 0;
    for (uint32_t i = p->arm_first[p->arm[o]]; i < p->arm_first[p->arm[o] + 1]; i++) {
        pace_cap *cap = &caps[p->arm_caps[i]];
        if (!(amount(cap->measure, p->cost[o], redemptions) > 0)) continue;
        cap->worth += p->value[o];
        cap->draws++;
    }
}

void pace_caps_from(const allocate_problem *p, const allocate_result *r, pace_cap *caps)
{
    size_t options = p->n_shoppers > 0 ? p->first[p->n_shoppers] : 0;
    for (uint32_t m = 0; m < p->n_caps; m++)
        caps[m] = (pace_cap){.measure = p->caps[m].measure,
                             .limit = p->caps[m].limit,
                             .price = r->prices[m]};
    for (size_t o = 0; o < options; o++)
        if (r->taken[o]) add_taken(p, o, caps);
    for (uint32_t m = 0; m < p->n_caps; m++)
        caps[m].worth = r->used[m] > 0 ? caps[m].worth / r->used[m] : caps[m].price;
}

/* --- set-up ----------------------------------------------------------------------- */

static bool is_amount(double x)
{
    return isfinite(x) && x >= 0;
}

static pf_status check_cap(const pace_cap *cap, uint32_t m, pf_error *err)
{
    const char *fault = NULL;
    if (!is_amount(cap->limit)) fault = "its limit is not a number >= 0";
    else if (!is_amount(cap->used)) fault = "what is used is not a number >= 0";
    else if (cap->used > cap->limit) fault = "more is used than its limit";
    else if (!is_amount(cap->price)) fault = "its price is not a number >= 0";
    else if (!is_amount(cap->worth)) fault = "its worth is not a number >= 0";
    else if (!is_amount(cap->draws)) fault = "its draws are not a number >= 0";
    if (fault == NULL) return PF_OK;
    return error_set(err, PF_USAGE, "pace: cap %u: %s", m, fault);
}

static pf_status check_arms(const pace_arms *a, pf_error *err)
{
    if (a->n_caps > LIMIT_ALLOCATE_CAPS)
        return error_set(err, PF_LIMIT, "pace: %u caps, at most %u", a->n_caps,
                         LIMIT_ALLOCATE_CAPS);
    for (uint32_t k = 0; k < a->n_arms; k++) {
        if (a->arm_first[k] > a->arm_first[k + 1])
            return error_set(err, PF_USAGE, "pace: caps of arm %u", k);
        if (a->n_lanes > 0 && a->lane[k] >= a->n_lanes)
            return error_set(err, PF_USAGE, "pace: arm %u goes by no lane", k);
        for (uint32_t i = a->arm_first[k]; i < a->arm_first[k + 1]; i++) {
            if (a->arm_caps[i] >= a->n_caps)
                return error_set(err, PF_USAGE, "pace: arm %u draws on no cap", k);
            for (uint32_t j = a->arm_first[k]; j < i; j++)
                if (a->arm_caps[j] == a->arm_caps[i])
                    return error_set(err, PF_USAGE, "pace: arm %u draws on cap %u twice", k,
                                     a->arm_caps[i]);
        }
    }
    return PF_OK;
}

static pf_status check_progress(double progress, pf_error *err)
{
    if (progress >= 0 && progress <= 1) return PF_OK;
    return error_set(err, PF_USAGE, "pace: progress is not within 0 and 1");
}

static double gain_for(double draws)
{
    return fmin(fmax(cbrt(draws), GAIN_LEAST), GAIN_MOST);
}

static void copy_into(pace *p, const pace_arms *a, const pace_cap *caps)
{
    for (uint32_t k = 0; k <= a->n_arms && a->n_arms > 0; k++)
        p->arm_first[k] = a->arm_first[k] - a->arm_first[0];
    for (uint32_t i = 0; i < p->arm_first[a->n_arms]; i++)
        p->arm_caps[i] = a->arm_caps[a->arm_first[0] + i];
    if (a->n_lanes > 0 && a->n_arms > 0) memcpy(p->lane, a->lane, a->n_arms);
    for (uint32_t m = 0; m < a->n_caps; m++)
        p->caps[m] = (paced_cap){.cap = caps[m],
                                 .base = caps[m].price,
                                 .price = caps[m].price,
                                 .looked = p->progress,
                                 .gain = gain_for(caps[m].draws)};
}

pf_status pace_new(pace **out, const pace_arms *a, const pace_cap *caps, double progress,
                   pf_error *err)
{
    *out = NULL;
    pf_status s = check_arms(a, err);
    if (s == PF_OK) s = check_progress(progress, err);
    for (uint32_t m = 0; s == PF_OK && m < a->n_caps; m++)
        s = check_cap(&caps[m], m, err);
    if (s != PF_OK) return s;
    size_t pairs = a->n_arms > 0 ? a->arm_first[a->n_arms] - a->arm_first[0] : 0;
    pace *p = mem_alloc_zero(1, sizeof *p);
    if (p == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a pace");
    *p = (pace){.n_arms = a->n_arms,
                .n_caps = a->n_caps,
                .n_lanes = a->n_lanes,
                .progress = progress};
    p->arm_first = mem_alloc_zero((size_t)a->n_arms + 1, sizeof *p->arm_first);
    p->arm_caps = mem_alloc_zero(pairs + 1, sizeof *p->arm_caps);
    p->lane = mem_alloc_zero((size_t)a->n_arms + 1, sizeof *p->lane);
    p->caps = mem_alloc_zero((size_t)a->n_caps + 1, sizeof *p->caps);
    if (p->arm_first == NULL || p->arm_caps == NULL || p->lane == NULL || p->caps == NULL) {
        pace_free(p);
        return error_set(err, PF_NO_MEMORY, "out of memory for a pace");
    }
    copy_into(p, a, caps);
    *out = p;
    return PF_OK;
}

void pace_free(pace *p)
{
    if (p == NULL) return;
    mem_free(p->arm_first);
    mem_free(p->arm_caps);
    mem_free(p->lane);
    mem_free(p->caps);
    mem_free(p);
}

double pace_used(const pace *p, uint32_t m)
{
    return p->caps[m].cap.used;
}

double pace_price(const pace *p, uint32_t m)
{
    return p->caps[m].price;
}

/* --- prices ----------------------------------------------------------------------- */

/* Brings a price up to the present. A base below 0 would have to be climbed back from when
 * the cap begins to bind, so it stays at 0. */
static double price_now(paced_cap *c, double progress)
{
    if (!(c->cap.limit > 0)) return c->price;
    double share = c->cap.used / c->cap.limit;
    double mean_ahead = share - 0.5 * (c->looked + progress);
    double rate = 0.25 * c->gain * c->gain * c->cap.worth;
    c->base = fmax(0, c->base + rate * mean_ahead * (progress - c->looked));
    c->looked = progress;
    c->price = fmax(0, c->base + c->cap.worth * c->gain * (share - progress));
    return c->price;
}

void pace_caps_now(pace *p, pace_cap *caps)
{
    for (uint32_t m = 0; m < p->n_caps; m++) {
        paced_cap *c = &p->caps[m];
        (void)price_now(c, p->progress);
        caps[m] = c->cap;
        caps[m].price = c->base;
    }
}

/* --- one shopper ------------------------------------------------------------------ */

static const char *option_fault(const pace *p, const pace_shopper *s, uint32_t o)
{
    if (!isfinite(s->value[o])) return "its value is not finite";
    if (!is_amount(s->cost[o])) return "its cost is not a number >= 0";
    if (s->redemptions != NULL && !is_amount(s->redemptions[o]))
        return "its redemptions are not a number >= 0";
    if (s->arm[o] >= p->n_arms) return "there is no such arm";
    if (s->redemptions != NULL) return NULL;
    for (uint32_t i = p->arm_first[s->arm[o]]; i < p->arm_first[s->arm[o] + 1]; i++)
        if (p->caps[p->arm_caps[i]].cap.measure == CAP_REDEMPTIONS)
            return "redemptions are not given";
    return NULL;
}

static pf_status check_shopper(const pace *p, const pace_shopper *s, pf_error *err)
{
    if (s->picks > LIMIT_SHOPPER_PICKS)
        return error_set(err, PF_USAGE, "pace: more than %u picks a shopper",
                         LIMIT_SHOPPER_PICKS);
    for (uint32_t o = 0; o < s->n; o++) {
        const char *fault = option_fault(p, s, o);
        if (fault != NULL)
            return error_set(err, PF_USAGE, "pace: option %u: %s", o, fault);
    }
    return PF_OK;
}

static double drawn(const paced_cap *c, const pace_shopper *s, uint32_t o)
{
    return amount(c->cap.measure, s->cost[o],
                  s->redemptions != NULL ? s->redemptions[o] : 0);
}

/* Value less price; -1 where a cap has no room. */
static double net_of(pace *p, const pace_shopper *s, uint32_t o)
{
    double net = s->value[o];
    for (uint32_t i = p->arm_first[s->arm[o]]; i < p->arm_first[s->arm[o] + 1]; i++) {
        paced_cap *c = &p->caps[p->arm_caps[i]];
        double more = drawn(c, s, o);
        if (c->cap.used + more > c->cap.limit) return -1;
        net -= price_now(c, p->progress) * more;
    }
    return net;
}

/* Whether o may stand beside what is taken: group and lane. */
static bool may_join(const pace *p, const pace_shopper *s, const pace_choice *taken,
                     uint32_t o)
{
    uint32_t in_lane = 0;
    uint8_t lane = p->lane[s->arm[o]];
    for (uint32_t k = 0; k < taken->n; k++) {
        uint32_t other = taken->option[k];
        if (s->group == NULL || s->group[other] == s->group[o]) return false;
        in_lane += p->lane[s->arm[other]] == lane;
    }
    return p->n_lanes == 0 || in_lane < s->lane_picks[lane];
}

static void take(pace *p, const pace_shopper *s, uint32_t o, pace_choice *out)
{
    for (uint32_t i = p->arm_first[s->arm[o]]; i < p->arm_first[s->arm[o] + 1]; i++) {
        paced_cap *c = &p->caps[p->arm_caps[i]];
        c->cap.used += drawn(c, s, o);
    }
    out->option[out->n++] = o;
}

pf_status pace_choose(pace *p, double progress, const pace_shopper *s, pace_choice *out,
                      pf_error *err)
{
    out->n = 0;
    pf_status status = check_progress(progress, err);
    if (status == PF_OK) status = check_shopper(p, s, err);
    if (status != PF_OK) return status;
    p->progress = fmax(p->progress, progress);
    while (out->n < s->picks) {
        uint32_t best = s->n;
        double most = 0;
        for (uint32_t o = 0; o < s->n; o++) {
            double net = s->value[o] > most && may_join(p, s, out, o) ? net_of(p, s, o) : 0;
            if (!(net > most)) continue;
            most = net;
            best = o;
        }
        if (best == s->n) break;
        take(p, s, best, out);
    }
    return PF_OK;
}
