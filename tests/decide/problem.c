#include "decide/problem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

enum { CAPS_OF_ARM = 4, LANES = 2 };

static void *zeroed(size_t n, size_t size)
{
    void *block = calloc(n + 1, size);
    assert_non_null(block);
    return block;
}

void problem_init(problem *p, size_t shoppers, size_t options, uint32_t arms,
                  uint32_t caps)
{
    memset(p, 0, sizeof *p);
    p->capacity = options;
    p->p.first = p->first = zeroed(shoppers + 1, sizeof *p->first);
    p->p.value = p->value = zeroed(options, sizeof *p->value);
    p->p.cost = p->cost = zeroed(options, sizeof *p->cost);
    p->p.redemptions = p->redemptions = zeroed(options, sizeof *p->redemptions);
    p->p.arm = p->arm = zeroed(options, sizeof *p->arm);
    p->p.group = p->group = zeroed(options, sizeof *p->group);
    p->p.picks = p->picks = zeroed(shoppers, sizeof *p->picks);
    p->p.lane = p->lane = zeroed(arms, sizeof *p->lane);
    p->p.lane_picks = p->lane_picks = zeroed(shoppers * LANES, sizeof *p->lane_picks);
    p->p.arm_first = p->arm_first = zeroed(arms, sizeof *p->arm_first);
    p->p.arm_caps = p->arm_caps = zeroed((size_t)arms * CAPS_OF_ARM, sizeof *p->arm_caps);
    p->p.caps = p->caps = zeroed(caps, sizeof *p->caps);
    p->p.n_lanes = LANES;
    memset(p->lane_picks, 100, shoppers * LANES);
}

void problem_free(problem *p)
{
    void *const blocks[] = {p->first,      p->value,     p->cost,     p->redemptions,
                            p->arm,        p->group,     p->picks,    p->lane,
                            p->lane_picks, p->arm_first, p->arm_caps, p->caps};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        free(blocks[i]);
}

void problem_shopper(problem *p, uint8_t picks)
{
    size_t s = p->p.n_shoppers++;
    p->picks[s] = picks;
    p->first[s + 1] = p->first[s];
}

void problem_option(problem *p, uint32_t arm, uint32_t group, double value, double cost,
                    double redemptions)
{
    size_t o = p->first[p->p.n_shoppers]++;
    assert_true(o < p->capacity);
    p->arm[o] = arm;
    p->group[o] = group;
    p->value[o] = value;
    p->cost[o] = cost;
    p->redemptions[o] = redemptions;
}

uint32_t problem_cap(problem *p, cap_measure measure, double limit)
{
    p->caps[p->p.n_caps] = (allocate_cap){measure, limit};
    return p->p.n_caps++;
}

void problem_arm(problem *p, uint8_t lane, const uint32_t *caps, uint32_t n)
{
    uint32_t a = p->p.n_arms++, end = p->arm_first[a];
    p->lane[a] = lane;
    for (uint32_t i = 0; i < n; i++)
        if (caps[i] != UINT32_MAX) p->arm_caps[end++] = caps[i];
    p->arm_first[a + 1] = end;
}

static double amount(const problem *p, uint32_t cap, size_t o)
{
    if (p->caps[cap].measure == CAP_COUNT) return 1;
    return p->caps[cap].measure == CAP_COST ? p->cost[o] : p->redemptions[o];
}

static void add_use(const problem *p, size_t o, double *used, double sign)
{
    for (uint32_t i = p->arm_first[p->arm[o]]; i < p->arm_first[p->arm[o] + 1]; i++)
        used[p->arm_caps[i]] += sign * amount(p, p->arm_caps[i], o);
}

static void check_shopper(const problem *p, const allocate_result *r, size_t s)
{
    uint32_t n = 0, in_lane[LANES] = {0, 0};
    for (size_t o = p->first[s]; o < p->first[s + 1]; o++) {
        if (!r->taken[o]) continue;
        assert_true(p->value[o] > 0);
        n++;
        in_lane[p->lane[p->arm[o]]]++;
        for (size_t k = p->first[s]; k < o; k++)
            assert_false(r->taken[k] &&
                         (p->p.group == NULL || p->group[k] == p->group[o]));
    }
    assert_true(n <= (p->p.picks != NULL ? p->picks[s] : 1));
    for (int lane = 0; lane < LANES && p->p.n_lanes > 0; lane++)
        assert_true(in_lane[lane] <= p->lane_picks[s * LANES + (size_t)lane]);
}

void problem_check(const problem *p, const allocate_result *r)
{
    double *used = zeroed(p->p.n_caps, sizeof *used), value = 0;
    size_t taken = 0;
    for (size_t s = 0; s < p->p.n_shoppers; s++)
        check_shopper(p, r, s);
    for (size_t o = 0; o < p->first[p->p.n_shoppers]; o++) {
        if (!r->taken[o]) continue;
        add_use(p, o, used, 1);
        value += p->value[o];
        taken++;
    }
    for (uint32_t m = 0; m < p->p.n_caps; m++) {
        assert_true(used[m] <= p->caps[m].limit); /* not by the last bit */
        assert_true(fabs(used[m] - r->used[m]) <= 1e-9 * (1 + used[m]));
        assert_true(r->prices[m] >= 0 && isfinite(r->prices[m]));
    }
    assert_int_equal(taken, r->n_taken);
    assert_true(fabs(value - r->value) <= 1e-9 * (1 + value));
    assert_true(r->value <= r->bound + 1e-9 * (1 + r->bound));
    assert_true(r->gap >= 0);
    free(used);
}

/* --- trying everything ----------------------------------------------------------- */

typedef struct trial {
    const problem *p;
    double *used;
    uint32_t n, in_lane[LANES];
    uint32_t groups[64];
    double value, best;
} trial;

static bool fits(const trial *t, size_t s, size_t o)
{
    const problem *p = t->p;
    uint8_t lane = p->lane[p->arm[o]];
    if (p->value[o] <= 0 || t->n >= p->picks[s] ||
        t->in_lane[lane] >= p->lane_picks[s * LANES + lane])
        return false;
    for (uint32_t k = 0; k < t->n; k++)
        if (t->groups[k] == p->group[o]) return false;
    for (uint32_t i = p->arm_first[p->arm[o]]; i < p->arm_first[p->arm[o] + 1]; i++) {
        uint32_t m = p->arm_caps[i];
        if (t->used[m] + amount(p, m, o) > p->caps[m].limit) return false;
    }
    return true;
}

static void try_from(trial *t, size_t s, size_t o)
{
    const problem *p = t->p;
    if (t->value > t->best) t->best = t->value;
    if (s == p->p.n_shoppers) return;
    if (o == p->first[s + 1]) {
        trial next = *t;
        next.n = 0;
        memset(next.in_lane, 0, sizeof next.in_lane);
        try_from(&next, s + 1, o);
        if (next.best > t->best) t->best = next.best;
        return;
    }
    try_from(t, s, o + 1);
    if (!fits(t, s, o)) return;
    trial with = *t;
    add_use(p, o, with.used, 1);
    with.groups[with.n++] = p->group[o];
    with.in_lane[p->lane[p->arm[o]]]++;
    with.value += p->value[o];
    try_from(&with, s, o + 1);
    add_use(p, o, with.used, -1);
    if (with.best > t->best) t->best = with.best;
}

double problem_best(const problem *p)
{
    trial t = {.p = p, .used = zeroed(p->p.n_caps, sizeof(double))};
    try_from(&t, 0, 0);
    free(t.used);
    return t.best;
}

/* --- random worlds --------------------------------------------------------------- */

/* Costs in whole units and redemptions in 64ths, so that sums are exact in any order. */
static void random_options(problem *p, random_stream *r, uint32_t most, uint32_t arms)
{
    uint32_t n = random_below(r, most + 1), group = 0;
    problem_shopper(p, (uint8_t)random_below(r, 4));
    size_t s = p->p.n_shoppers - 1;
    for (int lane = 0; lane < LANES; lane++)
        p->lane_picks[s * LANES + (size_t)lane] = (uint8_t)random_below(r, 4);
    for (uint32_t i = 0; i < n; i++) {
        group += random_below(r, 3) > 0;
        /* one draw a statement: compilers take arguments in orders of their own */
        const double redemptions = random_below(r, 65) / 64.0, cost = random_below(r, 9);
        const double value = random_unit(r) * 12 - 2;
        problem_option(p, random_below(r, arms), group, value, cost, redemptions);
    }
}

void problem_random(problem *p, random_stream *r, size_t shoppers, uint32_t most)
{
    enum { ARMS = 5 };
    problem_init(p, shoppers, shoppers * most, ARMS, 2 + 2 * ARMS);
    double scale = (double)shoppers;
    uint32_t total =
        random_below(r, 5) == 0
            ? UINT32_MAX
            : problem_cap(p, CAP_COST, random_below(r, (uint32_t)(3 * scale) + 1));
    uint32_t lanes[LANES];
    for (int lane = 0; lane < LANES; lane++)
        lanes[lane] =
            random_below(r, 3) == 0
                ? UINT32_MAX
                : problem_cap(p, CAP_COUNT, random_below(r, (uint32_t)scale + 1));
    for (uint32_t a = 0; a < ARMS; a++) {
        uint8_t lane = (uint8_t)random_below(r, LANES);
        uint32_t own = UINT32_MAX, limit = UINT32_MAX;
        if (random_below(r, 2) == 0)
            own = problem_cap(p, CAP_COST, random_below(r, (uint32_t)(2 * scale) + 1));
        if (random_below(r, 3) == 0)
            limit = problem_cap(p, CAP_REDEMPTIONS,
                                random_below(r, (uint32_t)scale + 1) / 2.0);
        const uint32_t caps[] = {total, lanes[lane], own, limit};
        problem_arm(p, lane, caps, 4);
    }
    for (size_t s = 0; s < shoppers; s++)
        random_options(p, r, most, ARMS);
}
