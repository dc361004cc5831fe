/*
 * What is known of a shopper and one promotion: what was bought in the scope and near it,
 * and what was used of promotions like it. Logarithms of 1 + x throughout: the first
 * purchase says more than the tenth.
 */
#include <math.h>

#include "features/response_rows.h"

/* The order of a pair's features. The first twelve are summed up for `any`. */
enum {
    PAIR_SPEND_120,
    PAIR_LINES_120,
    PAIR_FAMILY_SPEND,
    PAIR_LINES_91,
    PAIR_USED_SCOPE,
    PAIR_USED_CATEGORY,
    PAIR_USED_FAMILY,
    PAIR_FAMILY_LINES,
    PAIR_COUPON_LINES,
    PAIR_LIFT,
    PAIR_DUE,
    PAIR_DEPARTMENT_LINES,
    PAIR_SPEND,
    PAIR_LIFT_91,
    PAIR_CATEGORY_SPEND,
    PAIR_AFFINITY,
    PAIR_ANSWER_RATE,
    PAIR_PER_TRIP,
    PAIR_COVER,
    PAIR_SORT_SPEND,
    PAIR_END
};
_Static_assert((int)PAIR_END == (int)PAIR_FEATURES, "response_rows.h counts them too");

/* --- near the scope --------------------------------------------------------------- */

/* Over the scope's nodes: lines and spending at the node weighted by the share of the
 * scope's products there, and spending weighted by the scope's share of the node. */
typedef struct nearness {
    double lines, spend, expected;
} nearness;

static nearness near_scope(const past *p, int level, uint32_t k)
{
    const node_shares *shares = &p->m->shares[level];
    const past_nodes *node = &p->node[level];
    nearness out = {0, 0, 0};
    for (uint32_t i = shares->first[k]; i < shares->first[k + 1]; i++) {
        const node_share *s = &shares->share[i];
        out.lines += node->lines[s->node] * (double)s->of_scope;
        out.spend += node->spend[s->node] * (double)s->of_scope;
        out.expected += node->spend[s->node] * (double)s->of_node;
    }
    return out;
}

/* How much more of the scope the shopper buys than everybody does, with `prior` lines of
 * doubt: own lines in the scope and in all, everybody's in the scope and in all. */
static double lift(double own, double own_all, double scope, double all, double prior)
{
    double share = (scope + 1) / (fmax(all, 1) + 100);
    return log((own + prior) / (own_all * share + prior));
}

/* Nearness to the next purchase by the shopper's own rhythm in the scope, one gap of 60
 * days standing beside what was seen: 1 just bought, falling. */
static double due(const past_scope *s)
{
    if (s->trips == 0)
        return 0;
    double between = s->trips >= 2 ? s->first_days - s->last_days : 0;
    double gap = (between + 60) / (s->trips - 1 + 1);
    return exp(-fmax(s->last_days, 0) / gap);
}

static void bought(const past *p, uint32_t k, float *f)
{
    const past_scope *s = &p->scope[k];
    const response_moment *m = p->m;
    uint32_t n;
    (void)scope_products(m->shop->tree, m->promotion[k], &n);
    f[PAIR_SPEND_120] = (float)log1p(s->spend_faded_120);
    f[PAIR_LINES_120] = (float)log1p(s->lines_faded_120);
    f[PAIR_LINES_91] = (float)log1p(s->lines_91);
    f[PAIR_COUPON_LINES] = (float)log1p(s->coupon_lines);
    f[PAIR_SPEND] = (float)log1p(s->spend);
    f[PAIR_PER_TRIP] = (float)log1p(s->spend / (s->trips + 1));
    f[PAIR_COVER] = (float)s->products / (float)n;
    f[PAIR_DUE] = (float)due(s);
    f[PAIR_LIFT] = (float)lift(s->lines, p->lines, m->total[k].lines, m->lines, 2);
    f[PAIR_LIFT_91] =
        (float)lift(s->lines_91, p->lines_91, m->total[k].lines_91, m->lines_91, 2);
}

static void nearby(const past *p, uint32_t k, float *f)
{
    nearness family = near_scope(p, LEVEL_FAMILY, k);
    nearness kind = near_scope(p, LEVEL_CATEGORY, k);
    nearness sort = near_scope(p, LEVEL_SORT, k);
    nearness department = near_scope(p, LEVEL_DEPARTMENT, k);
    f[PAIR_FAMILY_SPEND] = (float)log1p(family.expected);
    f[PAIR_FAMILY_LINES] = (float)log1p(family.lines);
    f[PAIR_DEPARTMENT_LINES] = (float)log1p(department.lines);
    f[PAIR_AFFINITY] = (float)kind.expected;
    f[PAIR_CATEGORY_SPEND] = (float)log1p(kind.spend);
    f[PAIR_SORT_SPEND] = (float)log1p(sort.spend);
}

/* --- used before ------------------------------------------------------------------ */

static void used(const past *p, uint32_t k, float *f)
{
    const response_moment *m = p->m;
    const offer_groups *g = m->shop->groups;
    const used_before *u = &m->used;
    double scope = 0, kind = 0, family = 0;
    for (uint64_t i = g->first_use[p->shopper];
         i < g->first_use[p->shopper + 1] && g->use[i].time_us < m->at_us; i++) {
        uint32_t place = u->place[g->use[i].promotion];
        if (place == OFFER_NO_GROUP)
            continue;
        size_t cell = (size_t)k * u->n + place;
        scope += (double)u->by_scope[cell];
        kind += (double)u->by_category[cell];
        family += (double)u->by_family[cell];
    }
    f[PAIR_USED_SCOPE] = (float)log1p(scope);
    f[PAIR_USED_CATEGORY] = (float)log1p(kind);
    f[PAIR_USED_FAMILY] = (float)log1p(family);
    f[PAIR_ANSWER_RATE] = m->answer_rate[k];
}

void response_pair_features(const past *p, float *pair)
{
    for (uint32_t k = 0; k < p->m->n; k++) {
        bought(p, k, pair + (size_t)k * PAIR_FEATURES);
        nearby(p, k, pair + (size_t)k * PAIR_FEATURES);
        used(p, k, pair + (size_t)k * PAIR_FEATURES);
    }
}

/* --- the row of `which` ----------------------------------------------------------- */

static const struct {
    int pair;
    const char *name;
} which[RESPONSE_WHICH_FEATURES] = {
    {PAIR_SPEND, "spending on the offer's products"},
    {PAIR_PER_TRIP, "spending on the offer's products a trip"},
    {PAIR_COVER, "share of the offer's products bought before"},
    {PAIR_LIFT_91, "buys these products more than others do, last 91 days"},
    {PAIR_FAMILY_SPEND, "spending on the same kinds of product by the same makers"},
    {PAIR_SORT_SPEND, "spending on the same sorts of product"},
    {PAIR_CATEGORY_SPEND, "spending in the offer's categories"},
    {PAIR_ANSWER_RATE, "how often offers on these products were used"},
};

void response_which_row(const float *pair, float *row)
{
    for (int f = 0; f < RESPONSE_WHICH_FEATURES; f++)
        row[f] = pair[which[f].pair];
}

float response_affinity(const float *pair)
{
    return pair[PAIR_AFFINITY];
}

const char *response_which_name(size_t feature)
{
    return feature < RESPONSE_WHICH_FEATURES ? which[feature].name : "unknown";
}
