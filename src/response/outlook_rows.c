/*
 * Rows of an outlook. The network's chance of each family becomes the chance of a promotion's
 * scope: a family counts by the share of its lines, so far and by all shoppers, that were of the
 * scope's products. How much a shopper buys at all is not the network's to say: it is the lines
 * of the last 91 days.
 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/sample.h"
#include "features/largest.h"
#include "response/outlook_inner.h"

enum { LATELY_DAYS = 91, TOP = 5, ASKED_EVENTS = 2 };
/* Lines that every product has besides its own, so that a new one has a share. */
static const double prior_lines = 0.1;
/* Expected lines a week are counted in hundredths before their logarithm. */
static const double lines_unit = 0.01;
/* The least chance of a scope, and of a promotion's use. */
static const double least_chance = 1e-7;

const char *outlook_any_name(size_t feature)
{
    static const char *const names[OUTLOOK_ANY_FEATURES] = {
        "expected purchases of an offer's products, mean of offers",
        "expected purchases of an offer's products, mean of the five best",
        "how varied the next trip is expected to be",
        "use of an offer expected next",
    };
    return feature < OUTLOOK_ANY_FEATURES ? names[feature] : "unknown";
}

const char *outlook_which_name(size_t feature)
{
    return feature < OUTLOOK_WHICH_FEATURES ? "an offer's products expected next" : "unknown";
}

/* --- what is the same for all shoppers -------------------------------------------- */

/* A family's part in a promotion: chance of the family times share is chance of the scope. */
typedef struct part {
    uint32_t family;
    float share;
} part;

/* A worker's own memory. */
typedef struct reader {
    uint32_t *thing;
    uint8_t *kind;
    int64_t *time_us;
    float *scores; /* [V] */
    void *scratch;
} reader;

typedef struct asking {
    const outlook *o;
    const response_question *q;
    const sequence_model *m;
    size_t length, P;
    size_t *first; /* [P + 1] parts of promotion k: part[first[k]] .. part[first[k + 1] - 1] */
    part *part;
    size_t n_parts, parts_capacity;
    float *weekly;       /* [shoppers + 1] lines a week lately */
    uint32_t *who;       /* [n_reference + S] */
    size_t n_reference;
    float *raw;          /* [n_reference x OUTLOOK_ANY_FEATURES] */
    float *any, *which;  /* the caller's */
    reader *reader;      /* [workers] */
    unsigned workers;
} asking;

static void free_asking(asking *a)
{
    for (unsigned i = 0; a->reader != NULL && i < a->workers; i++) {
        mem_free(a->reader[i].thing);
        mem_free(a->reader[i].kind);
        mem_free(a->reader[i].time_us);
        mem_free(a->reader[i].scores);
        mem_free(a->reader[i].scratch);
    }
    mem_free(a->reader);
    mem_free(a->first);
    mem_free(a->part);
    mem_free(a->weekly);
    mem_free(a->who);
    mem_free(a->raw);
}

static bool readers_new(asking *a)
{
    size_t most = a->length + 1 + ASKED_EVENTS;
    bool ok = true;
    a->reader = mem_alloc_zero(a->workers, sizeof *a->reader);
    for (unsigned i = 0; ok && a->reader != NULL && i < a->workers; i++) {
        reader *r = &a->reader[i];
        r->thing = mem_alloc(most, sizeof *r->thing);
        r->kind = mem_alloc(most, sizeof *r->kind);
        r->time_us = mem_alloc(most, sizeof *r->time_us);
        r->scores = mem_alloc_aligned(a->o->trips->view.n_products, sizeof *r->scores);
        r->scratch = mem_alloc(1, sequence_model_scratch_bytes(a->m));
        ok = r->thing && r->kind && r->time_us && r->scores && r->scratch;
    }
    return ok && a->reader != NULL;
}

/* Lines of each product so far, and everybody's lately. */
static void count_lines(const asking *a, double *lines)
{
    const shop_history *h = a->o->history;
    int64_t lately_us = a->q->at_us - LATELY_DAYS * US_PER_DAY;
    for (uint32_t u = 1; u <= h->n_shoppers; u++) {
        uint64_t end = history_before(h, u, a->q->at_us), recent = 0;
        for (uint64_t i = h->first[u]; i < end; i++) {
            if (h->type[i] != EVENT_PURCHASE || h->product[i] == 0) continue;
            lines[h->product[i]]++;
            recent += h->time_us[i] >= lately_us;
        }
        a->weekly[u] = (float)recent * 7 / LATELY_DAYS;
    }
}

/* Adds the parts of one promotion; sum [families] is all zero between calls. */
static bool add_parts(asking *a, uint32_t number, const double *lines,
                      const double *of_family, double *sum)
{
    const product_tree *tree = a->o->tree;
    uint32_t n;
    const uint32_t *list = scope_products(tree, number, &n);
    void *block = a->part;
    size_t begun = a->n_parts;
    if (!mem_reserve(&block, &a->parts_capacity, a->n_parts + n, sizeof *a->part))
        return false;
    a->part = block;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t family = tree->node[LEVEL_FAMILY][list[i]];
        if (sum[family] <= 0) a->part[a->n_parts++].family = family;
        sum[family] += lines[list[i]] + prior_lines;
    }
    for (size_t i = begun; i < a->n_parts; i++) {
        uint32_t family = a->part[i].family;
        a->part[i].share = (float)(sum[family] / of_family[family]);
        sum[family] = 0;
    }
    return true;
}

static bool find_parts(asking *a)
{
    const product_tree *tree = a->o->tree;
    uint32_t products = a->o->catalogue->n_products, families = tree->nodes[LEVEL_FAMILY];
    double *lines = mem_alloc_zero((size_t)products + 1, sizeof *lines);
    double *of_family = mem_alloc_zero(2 * (size_t)families, sizeof *of_family);
    bool ok = lines != NULL && of_family != NULL;
    if (ok) count_lines(a, lines);
    for (uint32_t i = 1; ok && i <= products; i++)
        of_family[tree->node[LEVEL_FAMILY][i]] += lines[i] + prior_lines;
    for (size_t k = 0; ok && k < a->P; k++) {
        ok = add_parts(a, a->q->promotion[k], lines, of_family, of_family + families);
        a->first[k + 1] = a->n_parts;
    }
    mem_free(lines);
    mem_free(of_family);
    return ok;
}

/* Those who bought lately, evenly taken, counted by how many are left; then those who are asked
 * about. */
static void list_shoppers(asking *a)
{
    uint32_t shoppers = a->o->history->n_shoppers;
    size_t active = 0;
    for (uint32_t u = 1; u <= shoppers; u++)
        active += a->weekly[u] > 0;
    size_t take = active < OUTLOOK_REFERENCE_SHOPPERS ? active : OUTLOOK_REFERENCE_SHOPPERS;
    size_t left = active;
    for (uint32_t u = 1; u <= shoppers; u++)
        if (a->weekly[u] > 0 && sample_takes(left--, active, take))
            a->who[a->n_reference++] = u;
    memcpy(a->who + a->n_reference, a->q->shopper, a->q->n_shoppers * sizeof *a->who);
}

/* --- one shopper ------------------------------------------------------------------ */

/* The shopper's latest events before the moment, then what is asked: the promotions are shown
 * at that moment, a trip begins a day later. */
static void read_events(const asking *a, reader *r, uint32_t who)
{
    const sequence_events *t = &a->o->trips->view;
    uint64_t end = trips_before(t, who, a->q->at_us), from = t->first[who];
    if (end - from > a->length + 1) from = end - (a->length + 1);
    size_t n = (size_t)(end - from);
    memcpy(r->thing, t->thing + from, n * sizeof *r->thing);
    memcpy(r->kind, t->kind + from, n * sizeof *r->kind);
    memcpy(r->time_us, t->time_us + from, n * sizeof *r->time_us);
    r->thing[n] = r->thing[n + 1] = SEQUENCE_NOTHING;
    r->kind[n] = TRIP_SHOWN;
    r->kind[n + 1] = TRIP_BEGINS;
    r->time_us[n] = a->q->at_us;
    r->time_us[n + 1] = a->q->at_us + US_PER_DAY;
    const sequence_window window = {.n = n + ASKED_EVENTS,
                                    .thing = r->thing,
                                    .kind = r->kind,
                                    .time_us = r->time_us};
    sequence_model_score_window(a->m, &window, r->scores, r->scratch);
}

/* Scores become chances; returns their entropy. Thing 0 is no family. */
static double find_chances(float *score, uint32_t n)
{
    double largest = -INFINITY, sum = 0, weighted = 0;
    for (uint32_t v = 1; v < n; v++)
        largest = fmax(largest, (double)score[v]);
    for (uint32_t v = 1; v < n; v++) {
        double above = (double)score[v] - largest, x = exp(above);
        sum += x;
        weighted += x * above;
        score[v] = (float)x;
    }
    for (uint32_t v = 1; v < n; v++)
        score[v] = (float)((double)score[v] / sum);
    return log(sum) - weighted / sum;
}

/* The shopper's row of `any`, not yet relative; chance [P] of each scope goes to `which` where
 * it is wanted. */
static void fill_row(const asking *a, const reader *r, double entropy, uint32_t who,
                     float *any, float *which)
{
    double top[TOP] = {0}, mean = 0, five = 0;
    size_t kept = a->P < TOP ? a->P : TOP;
    for (size_t k = 0; k < a->P; k++) {
        double chance = 0;
        for (size_t i = a->first[k]; i < a->first[k + 1]; i++)
            chance += (double)r->scores[a->part[i].family] * (double)a->part[i].share;
        double expected = log1p(chance * (double)a->weekly[who] / lines_unit);
        mean += expected;
        largest_keep(top, TOP, expected);
        if (which != NULL) which[k] = (float)log(chance + least_chance);
    }
    for (size_t i = 0; i < kept; i++)
        five += top[i];
    any[0] = (float)(mean / (double)a->P);
    any[1] = (float)(five / (double)kept);
    any[2] = (float)entropy;
    any[3] = (float)log((double)r->scores[trips_used(&a->o->trips->view)] + least_chance);
}

static void shopper_task(void *context, size_t i, unsigned worker)
{
    asking *a = context;
    reader *r = &a->reader[worker];
    bool reference = i < a->n_reference;
    size_t place = reference ? i : i - a->n_reference;
    read_events(a, r, a->who[i]);
    double entropy = find_chances(r->scores, a->o->trips->view.n_products);
    fill_row(a, r, entropy, a->who[i],
             (reference ? a->raw : a->any) + place * OUTLOOK_ANY_FEATURES,
             reference ? NULL : a->which + place * a->P * OUTLOOK_WHICH_FEATURES);
}

/* --- the question ----------------------------------------------------------------- */

static void centre(asking *a)
{
    for (size_t f = 0; f < OUTLOOK_ANY_FEATURES; f++) {
        double usual = 0;
        for (size_t i = 0; i < a->n_reference; i++)
            usual += (double)a->raw[i * OUTLOOK_ANY_FEATURES + f];
        usual /= a->n_reference > 0 ? (double)a->n_reference : 1;
        for (size_t i = 0; i < a->q->n_shoppers; i++)
            a->any[i * OUTLOOK_ANY_FEATURES + f] -= (float)usual;
    }
}

static const sequence_model *network_at(const outlook *o, int64_t at_us)
{
    size_t i = o->n;
    while (i > 0 && o->cut_us[i - 1] > at_us)
        i--;
    return i > 0 ? o->model[i - 1] : NULL;
}

static bool asking_new(asking *a)
{
    size_t shoppers = a->o->history->n_shoppers;
    a->first = mem_alloc_zero(a->P + 1, sizeof *a->first);
    a->weekly = mem_alloc_zero(shoppers + 1, sizeof *a->weekly);
    a->who = mem_alloc(OUTLOOK_REFERENCE_SHOPPERS + a->q->n_shoppers, sizeof *a->who);
    a->raw = mem_alloc(OUTLOOK_REFERENCE_SHOPPERS, OUTLOOK_ANY_FEATURES * sizeof *a->raw);
    if (!a->first || !a->weekly || !a->who || !a->raw || !readers_new(a) || !find_parts(a))
        return false;
    list_shoppers(a);
    return true;
}

pf_status outlook_rows(const outlook *o, const response_question *q, pool *threads, float *any,
                       float *which, pf_error *err)
{
    asking a = {.o = o, .q = q, .m = network_at(o, q->at_us), .P = q->n_promotions,
                .any = any, .which = which,
                .workers = threads ? pool_threads(threads) : 1};
    pf_status s = PF_OK;
    if (a.m == NULL) {
        memset(any, 0, q->n_shoppers * OUTLOOK_ANY_FEATURES * sizeof *any);
        memset(which, 0, q->n_shoppers * a.P * OUTLOOK_WHICH_FEATURES * sizeof *which);
        return PF_OK;
    }
    a.length = sequence_model_settings(a.m)->length;
    if (asking_new(&a)) {
        pool_run(threads, a.n_reference + q->n_shoppers, shopper_task, &a);
        centre(&a);
    } else {
        s = error_set(err, PF_NO_MEMORY, "out of memory for the outlook of %zu shoppers",
                      q->n_shoppers);
    }
    free_asking(&a);
    return s;
}
