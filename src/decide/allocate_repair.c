/* The step to integers; see allocate_repair.h. */
#include "decide/allocate_repair.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

enum {
    PASSES = 3,        /* over all shoppers, spending what is left */
    PAIR_MOVES = 1500, /* moves among which pairs are tried */
    PAIR_ROUNDS = 30,
    ROUNDS = 6, /* over all shoppers, where most of them are sure */
    BUCKET_BITS = 16,
    TORN_LEAST = 20000, /* shoppers worked on at least: all where there are no more */
    TORN_PART = 25,     /* and at least the S / this most torn */
    SHARD = 4096        /* shoppers a task */
};

/* Swaps one option for another; either may be NONE. */
#define TIE 1e-6 /* share of a value below which net worths count as equal */
#define NONE SIZE_MAX
typedef struct move {
    size_t shopper, out, in;
    double gain; /* of value */
    double net;  /* of value less price */
} move;

typedef struct repair {
    const dual *d;
    const allocate_problem *p;
    allocate_result *r;
    uint32_t *order; /* [S] shoppers, the most certain first */
    size_t n_sure;   /* the first of them, which take their best and are left alone */
    float *margin;   /* [S] what a shopper loses by the next best */
    uint8_t *open;   /* [S] a move of this shopper would fit */
    double *change;  /* [M] scratch: 0 between uses */
    double *sure;    /* [M] what the sure ones draw */
    double sure_value;
} repair;

/* --- room ------------------------------------------------------------------------- */

static double amount(const allocate_problem *p, uint32_t cap, size_t o)
{
    switch (p->caps[cap].measure) {
    case CAP_COST: return p->cost[o];
    case CAP_REDEMPTIONS: return p->redemptions[o];
    case CAP_COUNT: break;
    }
    return 1;
}

static bool draws_on(const allocate_problem *p, size_t o, uint32_t cap)
{
    uint32_t i = p->arm_first[p->arm[o]], end = p->arm_first[p->arm[o] + 1];
    while (i < end && p->arm_caps[i] != cap)
        i++;
    return i < end;
}

static void add_change(const repair *r, size_t o, double sign)
{
    if (o == NONE) return;
    uint32_t a = r->p->arm[o];
    for (uint32_t i = r->p->arm_first[a]; i < r->p->arm_first[a + 1]; i++)
        r->change[r->p->arm_caps[i]] += sign * amount(r->p, r->p->arm_caps[i], o);
}

/* Looks at the caps of one option, whose changes are in r->change. */
static bool has_room(const repair *r, size_t o)
{
    if (o == NONE) return true;
    uint32_t a = r->p->arm[o];
    for (uint32_t i = r->p->arm_first[a]; i < r->p->arm_first[a + 1]; i++) {
        uint32_t m = r->p->arm_caps[i];
        if (r->change[m] > 0 && r->r->used[m] + r->change[m] > r->p->caps[m].limit)
            return false;
    }
    return true;
}

static void clear_change(const repair *r, size_t o)
{
    if (o == NONE) return;
    uint32_t a = r->p->arm[o];
    for (uint32_t i = r->p->arm_first[a]; i < r->p->arm_first[a + 1]; i++)
        r->change[r->p->arm_caps[i]] = 0;
}

/* Whether n moves fit together. */
static bool moves_fit(const repair *r, const move *moves, int n)
{
    bool fit = true;
    for (int k = 0; k < n; k++) {
        add_change(r, moves[k].out, -1);
        add_change(r, moves[k].in, 1);
    }
    for (int k = 0; k < n; k++)
        fit = fit && has_room(r, moves[k].in);
    for (int k = 0; k < n; k++) {
        clear_change(r, moves[k].out);
        clear_change(r, moves[k].in);
    }
    return fit;
}

/* moves_fit for one move, without scratch: for many threads at once. */
static bool move_fits(const repair *r, const move *m)
{
    const allocate_problem *p = r->p;
    if (m->in == NONE) return true;
    for (uint32_t i = p->arm_first[p->arm[m->in]]; i < p->arm_first[p->arm[m->in] + 1];
         i++) {
        uint32_t cap = p->arm_caps[i];
        double more = amount(p, cap, m->in);
        if (m->out != NONE && draws_on(p, m->out, cap)) more -= amount(p, cap, m->out);
        if (more > 0 && r->r->used[cap] + more > p->caps[cap].limit) return false;
    }
    return true;
}

static void draw(const repair *r, size_t o, double sign)
{
    uint32_t a = r->p->arm[o];
    for (uint32_t i = r->p->arm_first[a]; i < r->p->arm_first[a + 1]; i++)
        r->r->used[r->p->arm_caps[i]] += sign * amount(r->p, r->p->arm_caps[i], o);
    r->r->taken[o] = sign > 0;
}

static void make(const repair *r, const move *m)
{
    if (m->out != NONE) draw(r, m->out, -1);
    if (m->in != NONE) draw(r, m->in, 1);
}

/* --- what a shopper may do -------------------------------------------------------- */

/* The options a shopper has taken. */
typedef struct hand {
    size_t shopper;
    uint32_t n;
    size_t options[LIMIT_SHOPPER_PICKS];
} hand;

static void look_at_hand(const repair *r, size_t shopper, hand *h)
{
    h->shopper = shopper;
    h->n = 0;
    for (size_t o = r->p->first[shopper]; o < r->p->first[shopper + 1]; o++)
        if (r->r->taken[o]) h->options[h->n++] = o;
}

static uint32_t group_of(const allocate_problem *p, size_t o)
{
    return p->group != NULL ? p->group[o] : 0;
}

static uint32_t picks_of(const allocate_problem *p, size_t shopper)
{
    return p->picks != NULL ? p->picks[shopper] : 1;
}

/* Whether a shopper may hold `in` after giving up `out` (or NONE): number, group,
 * lane. */
static bool may_hold(const repair *r, const hand *h, size_t out, size_t in)
{
    const allocate_problem *p = r->p;
    if (h->n - (out != NONE) >= picks_of(p, h->shopper)) return false;
    uint8_t lane = p->n_lanes > 0 ? p->lane[p->arm[in]] : 0;
    uint32_t in_lane = 0;
    for (uint32_t k = 0; k < h->n; k++) {
        if (h->options[k] == out) continue;
        if (group_of(p, h->options[k]) == group_of(p, in)) return false;
        in_lane += p->n_lanes > 0 && p->lane[p->arm[h->options[k]]] == lane;
    }
    return p->n_lanes == 0 || in_lane < p->lane_picks[h->shopper * p->n_lanes + lane];
}

/* --- the first answer ------------------------------------------------------------- */

/* What stands between the last option taken and the best one left. */
static float margin_of(const repair *r, size_t shopper, const dual_pick *picks,
                       uint32_t n)
{
    double next = 0;
    for (size_t o = r->p->first[shopper]; n > 0 && o < r->p->first[shopper + 1]; o++) {
        bool picked = false;
        for (uint32_t k = 0; k < n; k++)
            picked = picked || picks[k].option == o;
        double gain = picked ? 0 : dual_gain(r->d, o);
        if (gain > next) next = gain;
    }
    double margin = n > 0 ? picks[n - 1].gain - next : 0;
    return margin > 0 ? (float)margin : 0;
}

static uint32_t bucket_of(float margin)
{
    uint32_t bits = 0; /* of a float >= 0, which order like the float */
    memcpy(&bits, &margin, sizeof bits);
    return bits >> (32 - BUCKET_BITS);
}

/* Sorts shoppers by margin, largest first, to 8 bits of mantissa; equals as they come. */
static pf_status sort_shoppers(repair *r, pf_error *err)
{
    size_t n = r->p->n_shoppers, buckets = (size_t)1 << BUCKET_BITS;
    uint32_t *end = mem_alloc_zero(buckets + 1, sizeof *end);
    if (end == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for an allocation");
    for (size_t s = 0; s < n; s++)
        end[buckets - 1 - bucket_of(r->margin[s]) + 1]++;
    for (size_t b = 0; b < buckets; b++)
        end[b + 1] += end[b];
    for (size_t s = 0; s < n; s++)
        r->order[end[buckets - 1 - bucket_of(r->margin[s])]++] = (uint32_t)s;
    mem_free(end);
    return PF_OK;
}

/* Among options of equal net worth the one that draws more on priced caps is taken while
 * they last: there its value is higher. */
static bool is_better(const move *a, const move *b)
{
    double tie = TIE * fabs(a->gain);
    if (fabs(a->net - b->net) > tie) return a->net > b->net;
    return a->gain > b->gain;
}

/* Takes options in the order of their net worth, as far as there is room. Freely: as if there
 * were room for all, and without adding up what is drawn: for many threads at once. */
static void take_best(const repair *r, size_t shopper, bool freely)
{
    const allocate_problem *p = r->p;
    hand h = {.shopper = shopper};
    while (h.n < picks_of(p, shopper)) {
        move best = {shopper, NONE, NONE, 0, 0};
        for (size_t o = p->first[shopper]; o < p->first[shopper + 1]; o++) {
            double net = dual_gain(r->d, o);
            move m = {shopper, NONE, o, p->value[o], net};
            if (net <= 0 || !is_better(&m, &best)) continue;
            if (may_hold(r, &h, NONE, o) && (freely || move_fits(r, &m))) best = m;
        }
        if (best.in == NONE) return;
        if (freely)
            r->r->taken[best.in] = 1;
        else
            make(r, &best);
        h.options[h.n++] = best.in;
    }
}

/* Calls task once a shard of shoppers. */
static void for_shards(const repair *r, pool_task *task)
{
    repair copy = *r;
    pool_run(r->d->threads, (r->p->n_shoppers + SHARD - 1) / SHARD, task, &copy);
}

static size_t shard_end(const repair *r, size_t shard)
{
    size_t end = (shard + 1) * SHARD;
    return end < r->p->n_shoppers ? end : r->p->n_shoppers;
}

static void measure_margins(void *context, size_t shard, unsigned worker)
{
    const repair *r = context;
    dual_pick picks[LIMIT_SHOPPER_PICKS];
    (void)worker;
    for (size_t i = shard * SHARD; i < shard_end(r, shard); i++) {
        uint32_t n = dual_pick_best(r->d, i, picks);
        r->margin[i] = margin_of(r, i, picks, n);
    }
}

/* Margins and order are those of the best prices, which d holds. */
static pf_status put_in_order(repair *r, pf_error *err)
{
    size_t n = r->p->n_shoppers, torn = n / TORN_PART;
    for_shards(r, measure_margins);
    if (torn < TORN_LEAST) torn = TORN_LEAST;
    r->n_sure = n > torn ? n - torn : 0;
    return sort_shoppers(r, err);
}

static void add_value(const repair *r, size_t shopper, double *value)
{
    for (size_t o = r->p->first[shopper]; o < r->p->first[shopper + 1]; o++)
        if (r->r->taken[o]) *value += r->p->value[o];
}

static void take_freely(void *context, size_t shard, unsigned worker)
{
    const repair *r = context;
    (void)worker;
    for (size_t s = shard * SHARD; s < shard_end(r, shard); s++)
        if (r->open[s]) take_best(r, s, true);
}

static bool caps_hold(const repair *r)
{
    for (uint32_t m = 0; m < r->p->n_caps; m++)
        if (r->r->used[m] > r->p->caps[m].limit) return false;
    return true;
}

static void draw_all(const repair *r)
{
    const size_t options = r->p->n_shoppers > 0 ? r->p->first[r->p->n_shoppers] : 0;
    memset(r->r->used, 0, r->p->n_caps * sizeof *r->r->used);
    for (size_t o = 0; o < options; o++)
        if (r->r->taken[o]) draw(r, o, 1);
}

static void give_back(const repair *r, size_t shopper)
{
    for (size_t o = r->p->first[shopper]; o < r->p->first[shopper + 1]; o++)
        if (r->r->taken[o]) draw(r, o, -1);
}

/* Those whom no small change of prices would change take their best, once for all answers, the
 * most certain first. As long as there is room for all of it, it needs no order: so they take it
 * freely, the last ones give back what passes a cap, and only they take their turn. */
static void settle_sure(repair *r)
{
    size_t settled = r->n_sure;
    memset(r->open, 0, r->p->n_shoppers);
    for (size_t i = 0; i < r->n_sure; i++)
        r->open[r->order[i]] = 1;
    for_shards(r, take_freely);
    draw_all(r);
    while (settled > 0 && !caps_hold(r))
        give_back(r, r->order[--settled]);
    for (size_t i = settled; i < r->n_sure; i++)
        take_best(r, r->order[i], false);
    for (size_t s = 0; s < r->p->n_shoppers; s++)
        if (r->open[s]) add_value(r, s, &r->sure_value);
    memcpy(r->sure, r->r->used, r->p->n_caps * sizeof *r->sure);
}

/* --- improving -------------------------------------------------------------------- */

typedef bool visit_move(void *context, const repair *r, const move *m);

/* Every option in place of one that is held, or beside what is held (out NONE). False when the
 * visitor wants no more. */
static bool visit_in_place(const repair *r, const hand *h, size_t out, bool give_up,
                           visit_move *visit, void *context)
{
    const allocate_problem *p = r->p;
    const double lost = out != NONE ? p->value[out] : 0;
    const double lost_net = out != NONE ? dual_gain(r->d, out) : 0;
    move m = {h->shopper, out, NONE, -lost, -lost_net};
    if (give_up && out != NONE && !visit(context, r, &m)) return false;
    for (m.in = p->first[h->shopper]; m.in < p->first[h->shopper + 1]; m.in++) {
        m.gain = p->value[m.in] - lost;
        if (p->value[m.in] <= 0 || r->r->taken[m.in] || (m.gain <= 0 && !give_up)) continue;
        m.net = dual_gain(r->d, m.in) - lost_net;
        if (m.net > -INFINITY && may_hold(r, h, out, m.in) && !visit(context, r, &m))
            return false;
    }
    return true;
}

/* Every move a shopper may make: take one more, swap, give one up. Stops when the visitor
 * returns false. */
static void visit_moves(const repair *r, size_t shopper, bool give_up, visit_move *visit,
                        void *context)
{
    hand h;
    bool more = true;
    look_at_hand(r, shopper, &h);
    for (uint32_t k = 0; more && k < h.n; k++)
        more = visit_in_place(r, &h, h.options[k], give_up, visit, context);
    if (more) visit_in_place(r, &h, NONE, give_up, visit, context);
}

/* Of these only those that take one more. */
static void visit_new(const repair *r, size_t shopper, visit_move *visit, void *context)
{
    hand h;
    look_at_hand(r, shopper, &h);
    if (h.n < picks_of(r->p, shopper)) visit_in_place(r, &h, NONE, false, visit, context);
}

static bool keep_best(void *context, const repair *r, const move *m)
{
    move *best = context;
    bool better = best->in == NONE || m->net > best->net;
    if (better && move_fits(r, m)) *best = *m;
    return true;
}

/* Makes the dearest move at the prices that fits and raises the value, if there is one. */
static bool spend_on(const repair *r, size_t shopper)
{
    move best = {shopper, NONE, NONE, 0, 0};
    visit_moves(r, shopper, false, keep_best, &best);
    if (best.in == NONE) return false;
    make(r, &best);
    return true;
}

/* Spends what is left, the most torn shoppers first. */
static bool spend_pass(const repair *r)
{
    bool changed = false;
    for (size_t i = r->p->n_shoppers; i-- > r->n_sure;)
        changed = spend_on(r, r->order[i]) || changed;
    return changed;
}

static bool note_open(void *context, const repair *r, const move *m)
{
    uint8_t *open = context;
    *open = move_fits(r, m);
    return !*open;
}

static void look_for_open(void *context, size_t shard, unsigned worker)
{
    const repair *r = context;
    (void)worker;
    for (size_t s = shard * SHARD; s < shard_end(r, shard); s++) {
        r->open[s] = 0;
        visit_moves(r, s, false, note_open, &r->open[s]);
    }
}

static void look_for_new(void *context, size_t shard, unsigned worker)
{
    const repair *r = context;
    (void)worker;
    for (size_t s = shard * SHARD; s < shard_end(r, shard); s++) {
        r->open[s] = 0;
        visit_new(r, s, note_open, &r->open[s]);
    }
}

/* Whatever still fits beside what is taken. One pass: it only ever leaves less room. */
static void fill_room(const repair *r)
{
    for_shards(r, look_for_new);
    for (size_t i = r->p->n_shoppers; i-- > 0;) {
        move best = {r->order[i], NONE, NONE, 0, 0};
        if (r->open[r->order[i]]) visit_new(r, r->order[i], keep_best, &best);
        if (best.in != NONE) make(r, &best);
    }
}

/* A round over all shoppers. Most of them have no move that fits, which many threads find
 * out at once; the others take their turn. */
static bool spend_round(const repair *r)
{
    bool changed = false;
    for_shards(r, look_for_open);
    for (size_t i = r->p->n_shoppers; i-- > 0;)
        if (r->open[r->order[i]]) changed = spend_on(r, r->order[i]) || changed;
    return changed;
}

typedef struct move_list {
    move *moves;
    size_t n;
} move_list;

static bool collect(void *context, const repair *r, const move *m)
{
    move_list *list = context;
    (void)r;
    if (list->n == PAIR_MOVES) return false;
    list->moves[list->n++] = *m;
    return true;
}

static bool better_pair(const repair *r, const move_list *list, size_t i, double least,
                        move pair[2])
{
    bool found = false;
    for (size_t k = 0; k < list->n; k++) {
        move both[2] = {list->moves[i], list->moves[k]};
        double gain = both[0].gain + both[1].gain;
        if (both[0].shopper == both[1].shopper || gain <= least || !moves_fit(r, both, 2))
            continue;
        memcpy(pair, both, sizeof both);
        least = gain;
        found = true;
    }
    return found;
}

/* The best pair of moves of two of the most torn shoppers, of which the first gives
 * room. */
static bool pair_round(const repair *r, move_list *list)
{
    list->n = 0;
    for (size_t i = r->p->n_shoppers; i-- > 0 && list->n < PAIR_MOVES;)
        visit_moves(r, r->order[i], true, collect, list);
    move pair[2];
    double least = 1e-12 * fabs(r->r->bound);
    bool found = false;
    for (size_t i = 0; i < list->n; i++) {
        if (list->moves[i].gain > 0 || !better_pair(r, list, i, least, pair)) continue;
        least = pair[0].gain + pair[1].gain;
        found = true;
    }
    for (int k = 0; found && k < 2; k++)
        make(r, &pair[k]);
    return found;
}

/* --- the whole -------------------------------------------------------------------- */

/* Sums once more from nothing, in the order of options: moves have left rounding
 * behind. */
static void count_up(const repair *r)
{
    allocate_result *out = r->r;
    memset(out->used, 0, r->p->n_caps * sizeof *out->used);
    out->value = 0;
    out->n_taken = 0;
    size_t options = r->p->n_shoppers > 0 ? r->p->first[r->p->n_shoppers] : 0;
    for (size_t o = 0; o < options; o++) {
        if (!out->taken[o]) continue;
        draw(r, o, 1);
        out->value += r->p->value[o];
        out->n_taken++;
    }
}

/* Rounding may leave a cap passed by a last bit: the least worthy taker of it goes. */
static void trim(const repair *r)
{
    size_t options = r->p->n_shoppers > 0 ? r->p->first[r->p->n_shoppers] : 0;
    for (count_up(r); !caps_hold(r); count_up(r)) {
        size_t least = NONE;
        for (size_t o = 0; o < options; o++) {
            if (!r->r->taken[o]) continue;
            uint32_t a = r->p->arm[o];
            bool draws = false;
            for (uint32_t i = r->p->arm_first[a]; i < r->p->arm_first[a + 1]; i++) {
                uint32_t m = r->p->arm_caps[i];
                draws = draws ||
                        (r->r->used[m] > r->p->caps[m].limit && amount(r->p, m, o) > 0);
            }
            if (draws && (least == NONE || r->p->value[o] < r->p->value[least]))
                least = o;
        }
        r->r->taken[least] = 0;
    }
}

/* Prices raised by these shares are tried too: at the best prices the last shoppers may
 * find the caps empty, and lose more than all lose by choosing a little less. */
static const double raises[] = {0, 1e-4, 5e-4, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2};
#define NEAR_ENOUGH 1e-4 /* of the bound: nothing more is tried */

static void forget(const repair *r, size_t shopper)
{
    size_t first = r->p->first[shopper];
    memset(r->r->taken + first, 0, r->p->first[shopper + 1] - first);
}

/* One answer of all but the sure shoppers at prices raised by a share, from nothing. */
static void answer_at(repair *r, dual *d, const double *prices, double raise)
{
    for (uint32_t m = 0; m < r->p->n_caps; m++)
        r->change[m] = (1 + raise) * prices[m];
    dual_set_prices(d, r->change);
    memset(r->change, 0, r->p->n_caps * sizeof *r->change);
    memcpy(r->r->used, r->sure, r->p->n_caps * sizeof *r->sure);
    for (size_t i = r->n_sure; i < r->p->n_shoppers; i++)
        forget(r, r->order[i]);
    for (size_t i = r->n_sure; i < r->p->n_shoppers; i++)
        take_best(r, r->order[i], false);
}

static double answer_value(const repair *r)
{
    double value = r->sure_value;
    for (size_t i = r->n_sure; i < r->p->n_shoppers; i++)
        add_value(r, r->order[i], &value);
    return value;
}

static pf_status best_answer(repair *r, dual *d, const double *prices, pf_error *err)
{
    size_t options = r->p->n_shoppers > 0 ? r->p->first[r->p->n_shoppers] : 0;
    uint8_t *best = mem_alloc(options + 1, 1);
    double best_value = -1;
    if (best == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for an allocation");
    for (size_t i = 0; i < sizeof raises / sizeof raises[0]; i++) {
        answer_at(r, d, prices, raises[i]);
        dual_set_prices(d, prices);
        for (int pass = 0; pass < PASSES && spend_pass(r); pass++)
            ;
        double value = answer_value(r);
        if (value > best_value) {
            best_value = value;
            memcpy(best, r->r->taken, options);
        }
        if (r->r->bound - best_value <= NEAR_ENOUGH * r->r->bound) break;
    }
    memcpy(r->r->taken, best, options);
    mem_free(best);
    count_up(r);
    return PF_OK;
}

/* Pairs of moves, then rounds of spending that leave nothing that would still fit: verdicts
 * rely on that. Each round raises the value, so this ends; where very many shoppers might
 * pass on what each gives up for long, a few rounds of swaps are enough. */
static pf_status polish(const repair *r, pf_error *err)
{
    move_list list = {mem_alloc(PAIR_MOVES, sizeof(move)), 0};
    if (list.moves == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for an allocation");
    for (int round = 0; round < PAIR_ROUNDS && pair_round(r, &list); round++)
        ;
    for (int round = 0; spend_round(r) && (r->n_sure == 0 || round < ROUNDS); round++)
        ;
    if (r->n_sure > 0) fill_room(r);
    mem_free(list.moves);
    return PF_OK;
}

static pf_status improved_answer(repair *r, dual *d, const double *prices, pf_error *err)
{
    dual_set_prices(d, prices);
    pf_status s = put_in_order(r, err);
    if (s == PF_OK) settle_sure(r);
    if (s == PF_OK) s = best_answer(r, d, prices, err);
    return s == PF_OK ? polish(r, err) : s;
}

/* Each shopper's best in their own order, and nothing else. */
static void plain_answer(repair *r, dual *d, const double *prices)
{
    for (size_t i = 0; i < r->p->n_shoppers; i++)
        r->order[i] = (uint32_t)i;
    answer_at(r, d, prices, 0);
}

pf_status allocate_repair(dual *d, bool improve, allocate_result *out, pf_error *err)
{
    repair r = {.d = d, .p = d->p, .r = out};
    r.order = mem_alloc(d->p->n_shoppers + 1, sizeof *r.order);
    r.margin = mem_alloc(d->p->n_shoppers + 1, sizeof *r.margin);
    r.open = mem_alloc(d->p->n_shoppers + 1, sizeof *r.open);
    r.change = mem_alloc_zero(2 * ((size_t)d->p->n_caps + 1), sizeof *r.change);
    r.sure = r.change != NULL ? r.change + d->p->n_caps + 1 : NULL;
    pf_status s = PF_OK;
    if (r.order == NULL || r.margin == NULL || r.open == NULL || r.change == NULL)
        s = error_set(err, PF_NO_MEMORY, "out of memory for an allocation");
    if (s == PF_OK && improve) s = improved_answer(&r, d, out->prices, err);
    if (s == PF_OK && !improve) plain_answer(&r, d, out->prices);
    if (s == PF_OK) trim(&r);
    mem_free(r.order);
    mem_free(r.margin);
    mem_free(r.open);
    mem_free(r.change);
    return s;
}
