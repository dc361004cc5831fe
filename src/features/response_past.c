/* The pass over purchases, and the walk over exposures and uses. */
#include "features/response_past.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

const double past_window_days[PAST_WINDOWS] = {28, 91, 400};
/* Who never did something did it this long before the history begins. */
static const double never_days = 60;

/* --- memory ----------------------------------------------------------------------- */

void past_free(past *p)
{
    if (p == NULL)
        return;
    for (int level = 0; level < PRODUCT_LEVELS; level++) {
        mem_free(p->node[level].lines);
        mem_free(p->node[level].touched);
    }
    mem_free(p->scope);
    mem_free(p->seen_product);
    mem_free(p->seen_group);
    mem_free(p);
}

static bool nodes_new(past_nodes *n, size_t count)
{
    n->lines = mem_alloc_zero(count, 2 * sizeof *n->lines);
    n->touched = mem_alloc(count, sizeof *n->touched);
    if (n->lines == NULL || n->touched == NULL)
        return false;
    n->spend = n->lines + count;
    return true;
}

static bool fill(past *p)
{
    const response_shop *shop = p->m->shop;
    p->scope = mem_alloc_zero(p->m->n, sizeof *p->scope);
    p->seen_product = mem_alloc_zero((size_t)shop->catalogue->n_products + 1,
                                     sizeof *p->seen_product);
    p->seen_group = mem_alloc_zero((size_t)shop->groups->n + 1, sizeof *p->seen_group);
    bool ok = p->scope && p->seen_product && p->seen_group;
    for (int level = 0; ok && level < PRODUCT_LEVELS; level++)
        ok = nodes_new(&p->node[level], shop->tree->nodes[level]);
    return ok;
}

pf_status past_new(const response_moment *m, past **out, pf_error *err)
{
    past *p = mem_alloc_zero(1, sizeof *p);
    *out = NULL;
    if (p != NULL)
        p->m = m;
    if (p == NULL || !fill(p)) {
        past_free(p);
        return error_set(err, PF_NO_MEMORY, "out of memory for a shopper's past");
    }
    *out = p;
    return PF_OK;
}

static void nodes_clear(past_nodes *n)
{
    for (uint32_t i = 0; i < n->n; i++)
        n->lines[n->touched[i]] = n->spend[n->touched[i]] = 0;
    n->n = 0;
}

static void past_clear(past *p, uint32_t who)
{
    memset(p->window, 0, sizeof p->window);
    memset(p->scope, 0, p->m->n * sizeof *p->scope);
    for (int level = 0; level < PRODUCT_LEVELS; level++)
        nodes_clear(&p->node[level]);
    p->answers = (past_answers){.exposed = 0};
    p->lines = p->lines_91 = p->leading_brand_lines = 0;
    p->recency_days = never_days;
    p->coupon_recency_days = p->m->history_days + never_days;
    p->products = p->categories = 0;
    p->shopper = who;
    if (++p->stamp == 0) { /* after 4 billion shoppers the old stamps must go */
        memset(p->seen_product, 0,
               ((size_t)p->m->shop->catalogue->n_products + 1) * sizeof *p->seen_product);
        memset(p->seen_group, 0,
               ((size_t)p->m->shop->groups->n + 1) * sizeof *p->seen_group);
        p->stamp = 1;
    }
}

/* --- purchases -------------------------------------------------------------------- */

/* One order line, and where it stands. */
typedef struct line {
    double age_days, faded_120, faded_240, paid, coupon, discount;
    uint32_t product, category, trip;
    bool has_coupon, in_scope, first_sight, new_trip;
} line;

static double units(const past *p, int64_t minor)
{
    return minor == MONEY_ABSENT ? 0 : (double)minor / p->m->unit_minor;
}

static line line_of(const past *p, uint64_t row)
{
    const shop_history *h = p->m->shop->history;
    const response_moment *m = p->m;
    line l = {.product = h->product[row]};
    l.age_days = (double)(m->at_us - h->time_us[row]) / (double)US_PER_DAY;
    l.faded_240 = exp2(-l.age_days / 240);
    l.faded_120 = l.faded_240 * l.faded_240;
    l.paid = units(p, h->paid_minor[row]);
    l.coupon = units(p, h->coupon_minor[row]);
    l.discount = units(p, h->discount_minor[row]);
    l.has_coupon = l.coupon > 0;
    l.category = m->shop->tree->node[LEVEL_CATEGORY][l.product];
    l.in_scope = l.product != 0 &&
                 m->first_cover[l.product + 1] > m->first_cover[l.product];
    l.first_sight = p->seen_product[l.product] != p->stamp;
    return l;
}

static void add_windows(past *p, const line *l)
{
    for (int w = 0; w < PAST_WINDOWS; w++) {
        past_window *x = &p->window[w];
        if (l->age_days > past_window_days[w])
            continue;
        x->trips += l->new_trip;
        x->lines++;
        x->coupon_lines += l->has_coupon;
        x->spend += l->paid;
        x->coupons += l->coupon;
        x->discounts += l->discount;
        x->scope_lines += l->in_scope;
        x->scope_spend += l->in_scope ? l->paid : 0;
        x->scope_products += l->in_scope && l->first_sight;
        x->category_lines += p->m->category_in[l->category];
    }
}

static void add_scope(past_scope *s, const line *l)
{
    if (s->lines == 0)
        s->last_days = l->age_days;
    s->first_days = l->age_days;
    s->lines++;
    s->lines_28 += l->age_days <= 28;
    s->lines_91 += l->age_days <= 91;
    s->lines_faded_120 += l->faded_120;
    s->coupon_lines += l->has_coupon;
    s->spend += l->paid;
    s->spend_faded_120 += l->paid * l->faded_120;
    s->spend_faded_240 += l->paid * l->faded_240;
    s->products += l->first_sight;
    if (s->trips == 0 || s->trip != l->trip)
        s->trips++;
    s->trip = l->trip;
}

static void add_node(past_nodes *n, uint32_t node, const line *l)
{
    if (n->lines[node] == 0)
        n->touched[n->n++] = node;
    n->lines[node] += l->faded_120;
    n->spend[node] += l->paid * l->faded_240;
}

static void add_line(past *p, const line *l)
{
    const response_moment *m = p->m;
    p->lines++;
    p->lines_91 += l->age_days <= 91;
    p->products += l->first_sight;
    p->leading_brand_lines +=
        m->shop->catalogue->products[l->product].brand == m->shop->tree->leading_brand;
    add_windows(p, l);
    for (uint32_t i = m->first_cover[l->product];
         l->in_scope && i < m->first_cover[l->product + 1]; i++)
        add_scope(&p->scope[m->cover[i]], l);
    for (int level = 0; level < PRODUCT_LEVELS; level++)
        add_node(&p->node[level], m->shop->tree->node[level][l->product], l);
    p->seen_product[l->product] = p->stamp;
}

bool past_same_trip(const shop_history *h, uint64_t older, uint64_t newer)
{
    if (h->order[older] != 0 || h->order[newer] != 0)
        return h->order[older] == h->order[newer];
    return h->time_us[newer] - h->time_us[older] < US_PER_HOUR;
}

/* Trips under a coupon count once whichever of their lines has it. */
static void add_coupon_trip(past *p, const line *l, uint32_t *last)
{
    if (!l->has_coupon || *last == l->trip)
        return;
    *last = l->trip;
    if (l->age_days < p->coupon_recency_days)
        p->coupon_recency_days = l->age_days;
    for (int w = 0; w < PAST_WINDOWS; w++)
        p->window[w].coupon_trips += l->age_days <= past_window_days[w];
}

static bool is_in(const response_gap *gap, int64_t time_us)
{
    return gap != NULL && time_us >= gap->from_us && time_us < gap->to_us;
}

static void read_purchases(past *p, const response_gap *gap)
{
    const shop_history *h = p->m->shop->history;
    uint64_t first = h->first[p->shopper];
    uint64_t newer = UINT64_MAX;
    uint32_t trip = 0, coupon_trip = 0;
    for (uint64_t i = history_before(h, p->shopper, p->m->at_us); i-- > first;) {
        if (h->type[i] != EVENT_PURCHASE || is_in(gap, h->time_us[i]))
            continue;
        line l = line_of(p, i);
        l.new_trip = newer == UINT64_MAX || !past_same_trip(h, i, newer);
        trip += l.new_trip;
        l.trip = trip;
        if (newer == UINT64_MAX)
            p->recency_days = l.age_days;
        add_line(p, &l);
        add_coupon_trip(p, &l, &coupon_trip);
        newer = i;
    }
    p->categories = p->node[LEVEL_CATEGORY].n;
}

/* --- answers ---------------------------------------------------------------------- */

static double days_ago(const past *p, int64_t time_us)
{
    return (double)(p->m->at_us - time_us) / (double)US_PER_DAY;
}

static void read_exposures(past *p)
{
    const response_moment *m = p->m;
    const offer_groups *g = m->shop->groups;
    past_answers *a = &p->answers;
    a->last_exposure_days = m->history_days + never_days;
    for (uint64_t i = g->first_exposure[p->shopper];
         i < g->first_exposure[p->shopper + 1] && g->exposure[i].time_us < m->at_us; i++) {
        uint32_t k = g->exposure[i].group;
        const group_answer *answer = &m->group_answer[k];
        a->exposed++;
        a->exposed_kind += g->group[k].kind == g->group[m->group].kind;
        a->running += g->group[k].ends_us > m->at_us;
        a->expected += answer->exposed ? (double)answer->answered / answer->exposed : 0;
        a->last_exposure_days = days_ago(p, g->exposure[i].time_us);
    }
}

static void read_uses(past *p, const response_gap *gap)
{
    const response_moment *m = p->m;
    const offer_groups *g = m->shop->groups;
    past_answers *a = &p->answers;
    a->last_use_days = m->history_days + never_days;
    for (uint64_t i = g->first_use[p->shopper];
         i < g->first_use[p->shopper + 1] && g->use[i].time_us < m->at_us; i++) {
        uint32_t k = g->use[i].group;
        if (is_in(gap, g->use[i].time_us))
            continue;
        a->uses++;
        a->uses_faded += exp2(-days_ago(p, g->use[i].time_us) / 60);
        a->last_use_days = days_ago(p, g->use[i].time_us);
        if (k == OFFER_NO_GROUP)
            continue;
        a->used_running += g->group[k].ends_us > m->at_us;
        if (p->seen_group[k] == p->stamp)
            continue;
        p->seen_group[k] = p->stamp;
        a->answered++;
        a->answered_kind += g->group[k].kind == g->group[m->group].kind;
    }
}

void past_read(past *p, uint32_t who, const response_gap *gap)
{
    past_clear(p, who);
    read_purchases(p, gap);
    read_exposures(p);
    read_uses(p, gap);
}
