/*
 * Rows of many shoppers. What is summed up over promotions is taken relative to what is
 * usual: the mean over reference shoppers, those who bought something in the 91 days
 * before, evenly taken where there are very many. So a campaign of broad scopes is no
 * better than one of narrow ones by its breadth alone, and nobody's row depends on who
 * else is asked about.
 */
#include "features/response_rows.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

enum { SHOPPERS_PER_TASK = 16, ACTIVE_DAYS = 91 };

struct response_rows_maker {
    response_shop shop;
    product_tree *tree;
    offer_groups *groups;
};

/* --- the maker -------------------------------------------------------------------- */

static int64_t first_purchase_day(const shop_history *h, const zone *z)
{
    int64_t first = INT64_MAX;
    for (uint64_t i = 0; i < h->n; i++)
        if (h->type[i] == EVENT_PURCHASE && h->time_us[i] < first)
            first = h->time_us[i];
    return first == INT64_MAX ? first : calendar_midnight_us(first, z);
}

pf_status response_rows_maker_new(const shop_catalogue *c, const shop_history *h,
                                  const zone *z, response_rows_maker **out, pf_error *err)
{
    response_rows_maker *m = mem_alloc_zero(1, sizeof *m);
    *out = NULL;
    if (m == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for feature rows");
    pf_status s = product_tree_new(c, &m->tree, err);
    if (s == PF_OK)
        s = offer_groups_new(c, h, &m->groups, err);
    if (s != PF_OK) {
        response_rows_maker_free(m);
        return s;
    }
    m->shop = (response_shop){c, h, m->tree, m->groups, first_purchase_day(h, z)};
    *out = m;
    return PF_OK;
}

void response_rows_maker_free(response_rows_maker *m)
{
    if (m == NULL)
        return;
    product_tree_free(m->tree);
    offer_groups_free(m->groups);
    mem_free(m);
}

const offer_groups *response_rows_groups(const response_rows_maker *m)
{
    return m->groups;
}

int64_t response_rows_first_us(const response_rows_maker *m)
{
    return m->shop.first_purchase_us;
}

/* --- one making ------------------------------------------------------------------- */

/* A worker's own memory. */
typedef struct worker_place {
    past *past;
    float *pair; /* [P x PAIR_FEATURES] */
} worker_place;

typedef struct making {
    const response_question *q;
    const response_gap *gap; /* [S] or NULL */
    response_moment *moment;
    worker_place *place; /* [workers] */
    unsigned workers;
    uint32_t *reference; /* [n_reference] */
    size_t n_reference;
    float *usual_rows; /* [n_reference x AGGREGATE_FEATURES] */
    double *task_spend, *task_trips; /* [tasks of reference x P] */
    double usual[AGGREGATE_FEATURES];
    double *trip_spend; /* [P] usual spending on a trip that buys from the scope */
    response_rows *out;
} making;

static void free_making(making *k)
{
    for (unsigned i = 0; k->place != NULL && i < k->workers; i++) {
        past_free(k->place[i].past);
        mem_free(k->place[i].pair);
    }
    mem_free(k->place);
    mem_free(k->reference);
    mem_free(k->usual_rows);
    mem_free(k->task_spend);
    mem_free(k->trip_spend);
    response_moment_free(k->moment);
}

static bool places_new(making *k)
{
    k->place = mem_alloc_zero(k->workers, sizeof *k->place);
    for (unsigned i = 0; k->place != NULL && i < k->workers; i++) {
        k->place[i].pair = mem_alloc(k->moment->n, PAIR_FEATURES * sizeof(float));
        if (k->place[i].pair == NULL ||
            past_new(k->moment, &k->place[i].past, NULL) != PF_OK)
            return false;
    }
    return k->place != NULL;
}

/* --- what is usual ---------------------------------------------------------------- */

/* The newest purchase before the moment is not older than ACTIVE_DAYS. */
static bool is_active(const making *k, uint32_t s)
{
    const shop_history *h = k->moment->shop->history;
    uint64_t i = history_before(h, s, k->q->at_us);
    while (i-- > h->first[s] && h->time_us[i] >= k->q->at_us - ACTIVE_DAYS * US_PER_DAY)
        if (h->type[i] == EVENT_PURCHASE)
            return true;
    return false;
}

static bool list_reference(making *k)
{
    uint32_t shoppers = k->moment->shop->history->n_shoppers;
    k->reference = mem_alloc((size_t)shoppers + 1, sizeof *k->reference);
    if (k->reference == NULL)
        return false;
    for (uint32_t s = 1; s <= shoppers; s++)
        if (is_active(k, s))
            k->reference[k->n_reference++] = s;
    if (k->n_reference > RESPONSE_REFERENCE_SHOPPERS) {
        for (size_t i = 0; i < RESPONSE_REFERENCE_SHOPPERS; i++)
            k->reference[i] =
                k->reference[i * k->n_reference / RESPONSE_REFERENCE_SHOPPERS];
        k->n_reference = RESPONSE_REFERENCE_SHOPPERS;
    }
    return true;
}

static size_t tasks_of(size_t shoppers)
{
    return (shoppers + SHOPPERS_PER_TASK - 1) / SHOPPERS_PER_TASK;
}

static void read_shopper(const worker_place *place, uint32_t who, const response_gap *gap,
                         float *row)
{
    past_read(place->past, who, gap);
    response_pair_features(place->past, place->pair);
    response_any_row(place->past, place->pair, row);
}

static void reference_task(void *context, size_t task, unsigned worker)
{
    making *k = context;
    const worker_place *place = &k->place[worker];
    float row[RESPONSE_ANY_FEATURES];
    size_t P = k->moment->n;
    size_t to = (task + 1) * SHOPPERS_PER_TASK;
    for (size_t i = task * SHOPPERS_PER_TASK; i < to && i < k->n_reference; i++) {
        read_shopper(place, k->reference[i], NULL, row);
        memcpy(k->usual_rows + i * AGGREGATE_FEATURES,
               row + RESPONSE_ANY_FEATURES - AGGREGATE_FEATURES,
               AGGREGATE_FEATURES * sizeof(float));
        for (size_t p = 0; p < P; p++) {
            k->task_spend[task * P + p] += place->past->scope[p].spend;
            k->task_trips[task * P + p] += place->past->scope[p].trips;
        }
    }
}

static void average(making *k)
{
    size_t P = k->moment->n, tasks = tasks_of(k->n_reference);
    for (size_t i = 0; i < k->n_reference; i++)
        for (size_t f = 0; f < AGGREGATE_FEATURES; f++)
            k->usual[f] += (double)k->usual_rows[i * AGGREGATE_FEATURES + f];
    for (size_t f = 0; f < AGGREGATE_FEATURES && k->n_reference > 0; f++)
        k->usual[f] /= (double)k->n_reference;
    for (size_t p = 0; p < P; p++) {
        double spend = 3, trips = 1; /* one mean order line */
        for (size_t t = 0; t < tasks; t++) {
            spend += k->task_spend[t * P + p];
            trips += k->task_trips[t * P + p];
        }
        k->trip_spend[p] = spend / trips;
    }
}

static bool find_usual(making *k, pool *threads)
{
    size_t P = k->moment->n;
    if (!list_reference(k))
        return false;
    size_t tasks = tasks_of(k->n_reference), cells = 0;
    k->usual_rows = mem_alloc(k->n_reference + 1, AGGREGATE_FEATURES * sizeof(float));
    if (size_multiply(2 * tasks + 2, P, &cells))
        k->task_spend = mem_alloc_zero(cells, sizeof *k->task_spend);
    k->trip_spend = mem_alloc(P, sizeof *k->trip_spend);
    if (k->usual_rows == NULL || k->task_spend == NULL || k->trip_spend == NULL)
        return false;
    k->task_trips = k->task_spend + (tasks + 1) * P;
    pool_run(threads, tasks, reference_task, k);
    average(k);
    return true;
}

/* --- the rows --------------------------------------------------------------------- */

/* Own mean, with two usual trips beside it. */
static float expected_spend(const making *k, const past_scope *s, size_t p)
{
    double units = (s->spend + 2 * k->trip_spend[p]) / (s->trips + 2);
    return (float)(units * k->moment->unit_minor);
}

static void shopper_task(void *context, size_t task, unsigned worker)
{
    making *k = context;
    const worker_place *place = &k->place[worker];
    size_t P = k->moment->n, to = (task + 1) * SHOPPERS_PER_TASK;
    for (size_t i = task * SHOPPERS_PER_TASK; i < to && i < k->q->n_shoppers; i++) {
        float *row = k->out->any + i * RESPONSE_ANY_FEATURES;
        float *summed = row + RESPONSE_ANY_FEATURES - AGGREGATE_FEATURES;
        read_shopper(place, k->q->shopper[i], k->gap ? &k->gap[i] : NULL, row);
        for (size_t f = 0; f < AGGREGATE_FEATURES; f++)
            summed[f] -= (float)k->usual[f];
        for (size_t p = 0; p < P; p++) {
            response_which_row(place->pair + p * PAIR_FEATURES,
                               k->out->which + (i * P + p) * RESPONSE_WHICH_FEATURES);
            k->out->spend[i * P + p] = expected_spend(k, &place->past->scope[p], p);
            k->out->affinity[i * P + p] = response_affinity(place->pair + p * PAIR_FEATURES);
            k->out->lines[i * P + p] = (float)place->past->scope[p].lines;
        }
    }
}

static pf_status rows_new(const response_question *q, response_rows *out, pf_error *err)
{
    size_t S = q->n_shoppers, P = q->n_promotions, pairs = 0, floats = 0, any = 0;
    *out = (response_rows){.n_shoppers = S, .n_promotions = P};
    if (!size_multiply(S, P, &pairs) ||
        !size_multiply(pairs, RESPONSE_WHICH_FEATURES + 3, &floats) ||
        !size_multiply(S, RESPONSE_ANY_FEATURES, &any) || !size_add(floats, any, &floats) ||
        !size_add(floats, P, &floats))
        return error_set(err, PF_LIMIT, "%zu shoppers x %zu promotions are too many", S, P);
    out->any = mem_alloc(floats + 1, sizeof *out->any);
    if (out->any == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu shoppers x %zu promotions",
                         S, P);
    out->which = out->any + any;
    out->spend = out->which + pairs * RESPONSE_WHICH_FEATURES;
    out->lines = out->spend + pairs;
    out->affinity = out->lines + pairs;
    out->popularity = out->affinity + pairs;
    return PF_OK;
}

void response_rows_free(response_rows *rows)
{
    mem_free(rows->any);
    *rows = (response_rows){.any = NULL};
}

pf_status response_rows_without(const response_rows_maker *maker, const response_question *q,
                                const response_gap *gap, pool *threads, response_rows *out,
                                pf_error *err)
{
    making k = {
        .q = q, .gap = gap, .out = out, .workers = threads ? pool_threads(threads) : 1};
    pf_status s = rows_new(q, out, err);
    if (s == PF_OK)
        s = response_moment_new(&maker->shop, q->promotion, q->n_promotions, q->at_us,
                                &k.moment, err);
    if (s == PF_OK && (!places_new(&k) || !find_usual(&k, threads)))
        s = error_set(err, PF_NO_MEMORY, "out of memory for feature rows");
    for (size_t p = 0; s == PF_OK && p < q->n_promotions; p++)
        out->popularity[p] = (float)k.moment->total[p].lines_91;
    if (s == PF_OK)
        pool_run(threads, tasks_of(q->n_shoppers), shopper_task, &k);
    free_making(&k);
    if (s != PF_OK)
        response_rows_free(out);
    return s;
}

pf_status response_rows_make(const response_rows_maker *maker, const response_question *q,
                             pool *threads, response_rows *out, pf_error *err)
{
    return response_rows_without(maker, q, NULL, threads, out, err);
}
