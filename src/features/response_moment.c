/*
 * One pass over everybody's purchases for the totals, then the scopes' shares, then the
 * likeness to promotions used before. Sums run over shoppers by number and rows by time,
 * so they are the same on every machine.
 */
#include "features/response_moment.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

/* Spending fades by half in this many days; a few units stand for what nobody bought. */
static const double sold_half_life_days = 240;
static const double sold_prior = 1e-3;

void response_moment_free(response_moment *m)
{
    if (m == NULL)
        return;
    for (int level = 0; level < PRODUCT_LEVELS; level++) {
        mem_free(m->shares[level].first);
        mem_free(m->shares[level].share);
    }
    mem_free(m->first_cover);
    mem_free(m->cover);
    mem_free(m->category_in);
    mem_free(m->total);
    mem_free(m->used.promotion);
    mem_free(m->used.place);
    mem_free(m->used.by_scope);
    mem_free(m->answer_rate);
    mem_free(m->group_answer);
    mem_free(m);
}

/* --- who covers what -------------------------------------------------------------- */

/* Promotions of each product as a compressed table. */
typedef struct cover_table {
    uint32_t *first, *list;
} cover_table;

static bool cover_new(cover_table *t, const product_tree *tree, const uint32_t *numbers,
                      uint32_t n)
{
    uint32_t products = tree->catalogue->n_products, m;
    size_t total = 1;
    for (uint32_t k = 0; k < n; k++) {
        (void)scope_products(tree, numbers[k], &m);
        total += m;
    }
    t->first = mem_alloc_zero((size_t)products + 2, sizeof *t->first);
    t->list = total < UINT32_MAX ? mem_alloc(total, sizeof *t->list) : NULL;
    if (t->first == NULL || t->list == NULL)
        return false;
    for (uint32_t k = 0; k < n; k++) {
        const uint32_t *list = scope_products(tree, numbers[k], &m);
        for (uint32_t i = 0; i < m; i++)
            t->first[list[i] + 1]++;
    }
    for (uint32_t p = 0; p <= products; p++)
        t->first[p + 1] += t->first[p];
    for (uint32_t k = n; k-- > 0;) { /* from behind, filling each product's from its end */
        const uint32_t *list = scope_products(tree, numbers[k], &m);
        for (uint32_t i = 0; i < m; i++)
            t->list[--t->first[list[i] + 1]] = k;
    }
    for (uint32_t p = 0; p <= products; p++) /* the ends came down to the starts */
        t->first[p] = t->first[p + 1];
    t->first[products + 1] = (uint32_t)(total - 1);
    return true;
}

static bool find_cover(response_moment *m)
{
    const product_tree *tree = m->shop->tree;
    cover_table t = {0};
    bool ok = cover_new(&t, tree, m->promotion, m->n);
    m->first_cover = t.first;
    m->cover = t.list;
    m->category_in = mem_alloc_zero(tree->nodes[LEVEL_CATEGORY], sizeof *m->category_in);
    if (!ok || m->category_in == NULL)
        return false;
    for (uint32_t p = 1; p <= tree->catalogue->n_products; p++)
        if (t.first[p + 1] > t.first[p]) {
            m->distinct++;
            m->category_in[tree->node[LEVEL_CATEGORY][p]] = 1;
        }
    return true;
}

/* --- what everybody bought -------------------------------------------------------- */

static int64_t amount(int64_t minor)
{
    return minor == MONEY_ABSENT ? 0 : minor;
}

/* The mean paid line of the past; thirds of it make amounts of any currency comparable,
 * and 1 + x bends where a small line is. */
static double find_unit(const response_moment *m)
{
    const shop_history *h = m->shop->history;
    double paid = 0, lines = 0;
    for (uint32_t s = 1; s <= h->n_shoppers; s++) {
        uint64_t end = history_before(h, s, m->at_us);
        for (uint64_t i = h->first[s]; i < end; i++)
            if (h->type[i] == EVENT_PURCHASE) {
                paid += (double)amount(h->paid_minor[i]);
                lines++;
            }
    }
    return paid > 0 ? paid / lines / 3 : 1;
}

static void add_line(response_moment *m, double *sold, uint64_t row)
{
    const shop_history *h = m->shop->history;
    uint32_t p = h->product[row];
    double age = (double)(m->at_us - h->time_us[row]) / (double)US_PER_DAY;
    bool recent = age <= 91;
    sold[p] += (double)amount(h->paid_minor[row]) / m->unit_minor *
               exp2(-age / sold_half_life_days);
    m->lines++;
    m->lines_91 += recent;
    m->lines_in_scopes += p != 0 && m->first_cover[p + 1] > m->first_cover[p];
    for (uint32_t i = m->first_cover[p]; p != 0 && i < m->first_cover[p + 1]; i++) {
        m->total[m->cover[i]].lines++;
        m->total[m->cover[i]].lines_91 += recent;
    }
}

static void add_lines(response_moment *m, double *sold)
{
    const shop_history *h = m->shop->history;
    for (uint32_t s = 1; s <= h->n_shoppers; s++) {
        uint64_t end = history_before(h, s, m->at_us);
        for (uint64_t i = h->first[s]; i < end; i++)
            if (h->type[i] == EVENT_PURCHASE)
                add_line(m, sold, i);
    }
}

/* --- the scopes' shares ----------------------------------------------------------- */

static bool shares_new(const response_moment *m, int level, node_shares *out)
{
    size_t total = 0;
    out->first = mem_alloc_zero((size_t)m->n + 1, sizeof *out->first);
    for (uint32_t k = 0; out->first != NULL && k < m->n; k++) {
        total += m->shop->tree->mix[level][m->promotion[k]].n;
        out->first[k + 1] = (uint32_t)total;
    }
    out->share = mem_alloc(total + 1, sizeof *out->share);
    return out->first != NULL && out->share != NULL;
}

/* at[node] says where the scope's node stands; only the scope's own nodes are read. */
static void fill_shares(const response_moment *m, int level, const double *sold,
                        const double *node_sold, uint32_t *at, node_shares *out)
{
    const product_tree *tree = m->shop->tree;
    for (uint32_t k = 0; k < m->n; k++) {
        const scope_mix *mix = &tree->mix[level][m->promotion[k]];
        node_share *share = out->share + out->first[k];
        uint32_t n;
        const uint32_t *list = scope_products(tree, m->promotion[k], &n);
        for (uint32_t i = 0; i < mix->n; i++) {
            at[mix->part[i].node] = i;
            share[i] = (node_share){mix->part[i].node,
                                    (float)mix->part[i].products / (float)n, 0};
        }
        for (uint32_t i = 0; i < n; i++) {
            if (list[i] == 0) /* stands in a scope whose names led nowhere; never sold */
                continue;
            uint32_t node = tree->node[level][list[i]];
            share[at[node]].of_node += (float)((sold[list[i]] + sold_prior) /
                                               node_sold[node]);
        }
    }
}

static bool find_shares(response_moment *m, const double *sold)
{
    const product_tree *tree = m->shop->tree;
    bool ok = true;
    for (int level = 0; ok && level < PRODUCT_LEVELS; level++) {
        double *node_sold = mem_alloc_zero(tree->nodes[level], sizeof *node_sold);
        uint32_t *at = mem_alloc(tree->nodes[level], sizeof *at);
        ok = node_sold != NULL && at != NULL && shares_new(m, level, &m->shares[level]);
        for (uint32_t p = 1; ok && p <= tree->catalogue->n_products; p++)
            node_sold[tree->node[level][p]] += sold[p] + sold_prior;
        if (ok)
            fill_shares(m, level, sold, node_sold, at, &m->shares[level]);
        mem_free(node_sold);
        mem_free(at);
    }
    return ok;
}

static bool find_totals(response_moment *m)
{
    double *sold = mem_alloc_zero((size_t)m->shop->catalogue->n_products + 1, sizeof *sold);
    m->total = mem_alloc_zero(m->n, sizeof *m->total);
    bool ok = sold != NULL && m->total != NULL;
    if (ok) {
        m->unit_minor = find_unit(m);
        add_lines(m, sold);
        ok = find_shares(m, sold);
    }
    mem_free(sold);
    return ok;
}

/* --- how groups before were answered ---------------------------------------------- */

static void count_answers(response_moment *m, uint32_t *seen)
{
    const offer_groups *g = m->shop->groups;
    for (uint32_t s = 1; s <= g->n_shoppers; s++) {
        for (uint64_t i = g->first_exposure[s];
             i < g->first_exposure[s + 1] && g->exposure[i].time_us < m->at_us; i++)
            m->group_answer[g->exposure[i].group].exposed++;
        for (uint64_t i = g->first_use[s];
             i < g->first_use[s + 1] && g->use[i].time_us < m->at_us; i++) {
            uint32_t k = g->use[i].group;
            if (k == OFFER_NO_GROUP)
                continue;
            m->group_answer[k].uses++;
            m->group_answer[k].answered += seen[k] != s;
            seen[k] = s;
        }
    }
}

static bool find_answers(response_moment *m)
{
    const offer_groups *g = m->shop->groups;
    uint32_t kind = g->group[m->group].kind;
    double answered = 0, exposed = 0;
    uint32_t *seen = mem_alloc_zero((size_t)g->n + 1, sizeof *seen);
    m->group_answer = mem_alloc_zero((size_t)g->n + 1, sizeof *m->group_answer);
    bool ok = seen != NULL && m->group_answer != NULL;
    if (ok)
        count_answers(m, seen);
    for (uint32_t k = 0; ok && k < g->n; k++)
        if (g->group[k].kind == kind) {
            answered += m->group_answer[k].answered;
            exposed += m->group_answer[k].exposed;
        }
    m->kind_rate = log((answered + 2) / (exposed + 20));
    mem_free(seen);
    return ok;
}

/* --- likeness to promotions before ------------------------------------------------ */

/* Promotions of groups that started before, with how often each was used. */
typedef struct older {
    uint32_t *promotion; /* [n] */
    uint32_t *uses;      /* [n] */
    uint32_t n;
    cover_table cover;
    uint32_t *overlap, *touched;
} older;

static bool list_older(const response_moment *m, older *o)
{
    const offer_groups *g = m->shop->groups;
    size_t most = (size_t)m->shop->catalogue->n_promotions + 1;
    o->promotion = mem_alloc(most, sizeof *o->promotion);
    o->uses = mem_alloc_zero(most, sizeof *o->uses);
    m->used.place[0] = OFFER_NO_GROUP;
    if (o->promotion == NULL || o->uses == NULL)
        return false;
    for (uint32_t k = 0; k < g->n && g->group[k].starts_us < m->at_us; k++)
        for (uint32_t i = 0; i < g->group[k].n_promotions; i++)
            o->promotion[o->n++] = g->group[k].promotion[i];
    for (uint32_t i = 0; i < o->n; i++)
        m->used.place[o->promotion[i]] = i;
    for (uint32_t s = 1; s <= g->n_shoppers; s++)
        for (uint64_t i = g->first_use[s];
             i < g->first_use[s + 1] && g->use[i].time_us < m->at_us; i++) {
            uint32_t place = m->used.place[g->use[i].promotion];
            if (place != OFFER_NO_GROUP)
                o->uses[place]++;
        }
    o->overlap = mem_alloc_zero((size_t)o->n + 1, sizeof *o->overlap);
    o->touched = mem_alloc((size_t)o->n + 1, sizeof *o->touched);
    return o->overlap != NULL && o->touched != NULL;
}

/* place[] named the older ones; from here on only those that were used. */
static bool list_used(response_moment *m, const older *o)
{
    used_before *u = &m->used;
    u->promotion = mem_alloc((size_t)o->n + 1, sizeof *u->promotion);
    if (u->promotion == NULL)
        return false;
    for (uint32_t i = 0; i < o->n; i++) {
        u->place[o->promotion[i]] = o->uses[i] > 0 ? u->n : OFFER_NO_GROUP;
        if (o->uses[i] > 0)
            u->promotion[u->n++] = o->promotion[i];
    }
    size_t cells = (size_t)m->n * u->n;
    u->by_scope = mem_alloc_zero(3 * cells + 1, sizeof *u->by_scope);
    if (u->by_scope == NULL)
        return false;
    u->by_category = u->by_scope + cells;
    u->by_family = u->by_category + cells;
    return true;
}

/* Counts the common products of a scope with every older one; returns how many have any. */
static uint32_t count_overlaps(const response_moment *m, older *o, uint32_t k)
{
    uint32_t n, touched = 0;
    const uint32_t *list = scope_products(m->shop->tree, m->promotion[k], &n);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = o->cover.first[list[i]]; j < o->cover.first[list[i] + 1]; j++)
            if (o->overlap[o->cover.list[j]]++ == 0)
                o->touched[touched++] = o->cover.list[j];
    return touched;
}

/* How often promotions that share products with this one were used, against the mean of
 * their groups. */
static void relate_scope(response_moment *m, older *o, uint32_t k)
{
    const offer_groups *g = m->shop->groups;
    uint32_t own, other, touched = count_overlaps(m, o, k);
    double used = 0, expected = 0;
    (void)scope_products(m->shop->tree, m->promotion[k], &own);
    for (uint32_t t = 0; t < touched; t++) {
        uint32_t r = o->touched[t], number = o->promotion[r];
        const offer_group *group = &g->group[g->of_promotion[number]];
        (void)scope_products(m->shop->tree, number, &other);
        double likeness = o->overlap[r] / sqrt((double)own * other);
        o->overlap[r] = 0;
        used += likeness * o->uses[r];
        expected += likeness * m->group_answer[g->of_promotion[number]].uses /
                    group->n_promotions;
        if (o->uses[r] > 0)
            m->used.by_scope[(size_t)k * m->used.n + m->used.place[number]] = (float)likeness;
    }
    m->answer_rate[k] = (float)log((used + 1) / (expected + 1));
}

static void relate_nodes(response_moment *m, uint32_t k)
{
    const product_tree *tree = m->shop->tree;
    const used_before *u = &m->used;
    for (uint32_t r = 0; r < u->n; r++) {
        size_t cell = (size_t)k * u->n + r;
        u->by_category[cell] =
            (float)scope_mix_cosine(&tree->mix[LEVEL_CATEGORY][m->promotion[k]],
                                    &tree->mix[LEVEL_CATEGORY][u->promotion[r]]);
        u->by_family[cell] =
            (float)scope_mix_cosine(&tree->mix[LEVEL_FAMILY][m->promotion[k]],
                                    &tree->mix[LEVEL_FAMILY][u->promotion[r]]);
    }
}

static bool find_likeness(response_moment *m)
{
    older o = {0};
    size_t promotions = (size_t)m->shop->catalogue->n_promotions + 1;
    m->used.place = mem_alloc(promotions, sizeof *m->used.place);
    m->answer_rate = mem_alloc_zero(m->n, sizeof *m->answer_rate);
    bool ok = m->used.place != NULL && m->answer_rate != NULL;
    for (size_t i = 0; ok && i < promotions; i++)
        m->used.place[i] = OFFER_NO_GROUP;
    ok = ok && list_older(m, &o) && list_used(m, &o) &&
         cover_new(&o.cover, m->shop->tree, o.promotion, o.n);
    for (uint32_t k = 0; ok && k < m->n; k++) {
        relate_scope(m, &o, k);
        relate_nodes(m, k);
    }
    mem_free(o.promotion);
    mem_free(o.uses);
    mem_free(o.cover.first);
    mem_free(o.cover.list);
    mem_free(o.overlap);
    mem_free(o.touched);
    return ok;
}

/* --- all of it -------------------------------------------------------------------- */

pf_status response_moment_new(const response_shop *shop, const uint32_t *promotions,
                              uint32_t n, int64_t at_us, response_moment **out,
                              pf_error *err)
{
    response_moment *m = mem_alloc_zero(1, sizeof *m);
    *out = NULL;
    if (m != NULL) {
        m->shop = shop;
        m->at_us = at_us;
        m->promotion = promotions;
        m->n = n;
        m->group = shop->groups->of_promotion[promotions[0]];
        if (shop->first_purchase_us < at_us)
            m->history_days = (double)(at_us - shop->first_purchase_us) / (double)US_PER_DAY;
    }
    if (m == NULL || !find_cover(m) || !find_totals(m) || !find_answers(m) ||
        !find_likeness(m)) {
        response_moment_free(m);
        return error_set(err, PF_NO_MEMORY, "out of memory for %u promotions", n);
    }
    *out = m;
    return PF_OK;
}
