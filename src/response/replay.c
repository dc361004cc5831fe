/* The chain over everything, then a verdict for each campaign from the links before it. */
#include "response/replay.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "response/correction.h"
#include "response/split.h"

struct response_replay {
    chain links;
    replayed *campaign; /* [n] */
    float **memory;     /* [n] what a campaign's arrays stand in */
    const char ***kind; /* [n] names of its promotions' kinds */
    size_t n;
};

void response_replay_free(response_replay *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->n; i++) {
        mem_free(r->memory[i]);
        mem_free(r->kind[i]);
    }
    mem_free(r->memory);
    mem_free(r->kind);
    mem_free(r->campaign);
    chain_free(&r->links);
    mem_free(r);
}

size_t response_replay_count(const response_replay *r)
{
    return r->n;
}

const replayed *response_replay_at(const response_replay *r, size_t i)
{
    return &r->campaign[i];
}

static double known_rate(const response_data *d, int64_t until_us)
{
    double rows = 0, answers = 0;
    for (size_t i = 0; i < d->n; i++)
        if (data_known(&d->group[i], until_us)) {
            rows += (double)d->group[i].n_shoppers;
            answers += (double)d->group[i].n_answered;
        }
    return rows > 0 ? answers / rows : (double)NAN;
}

static double seen_of(const response_data *d, const data_group *g)
{
    int64_t end_us = d->world.history->last_time_us + 1;
    if (g->ends_us <= end_us)
        return 1;
    return data_seen_by(d, g->starts_us, (double)(end_us - g->starts_us) /
                                             (double)(g->ends_us - g->starts_us));
}

/* A campaign's arrays, parts of one block. */
typedef struct arrays {
    float *p, *plain; /* [S x P] */
    float *any, *share; /* [S] */
    float *factor;      /* [P] */
    const char **kind;  /* [P] */
} arrays;

static void fill(const response_data *d, const data_group *g, const chain_link *link,
                 const verdict *v, const correction *c, const arrays *to)
{
    size_t P = g->n_promotions;
    correction_factors(c, d, g->promotion, P, to->factor);
    for (size_t k = 0; k < P; k++)
        to->kind[k] = kinds_name(&d->kinds, g->promotion[k]);
    for (size_t i = 0; i < g->n_shoppers; i++) {
        const float *row = g->rows.any + i * d->width.any;
        float *p = to->p + i * P, *any = to->any + i;
        *any = (float)verdict_any(v, link->logistic ? (double)link->logistic[i] : 0,
                                  link->trees ? (double)link->trees[i] : 0);
        to->share[i] = expf(row[RESPONSE_ANY_LOG_SHARE_ANSWERED]);
        split_uses((double)*any, link->share + i * P, P, link->uses, p);
        memcpy(to->plain + i * P, p, P * sizeof *p);
        correction_apply(c, to->factor, P, any, p);
    }
}

static pf_status arrays_new(response_replay *r, const data_group *g, arrays *out, pf_error *err)
{
    size_t P = g->n_promotions, pairs = g->n_shoppers * P;
    float *memory = mem_alloc(2 * pairs + 2 * g->n_shoppers + P, sizeof *memory);
    const char **kind = mem_alloc(P, sizeof *kind);
    if (memory == NULL || kind == NULL) {
        mem_free(memory);
        mem_free(kind);
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu pairs", pairs);
    }
    *out = (arrays){.p = memory, .plain = memory + pairs, .any = memory + 2 * pairs,
                    .share = memory + 2 * pairs + g->n_shoppers,
                    .factor = memory + 2 * pairs + 2 * g->n_shoppers, .kind = kind};
    r->memory[r->n] = memory;
    r->kind[r->n] = kind;
    return PF_OK;
}

static pf_status add_campaign(response_replay *r, const response_data *d, size_t i,
                              const response_options *o, pf_error *err)
{
    const data_group *g = &d->group[i];
    const chain_link *link = &r->links.link[i];
    verdict v;
    correction c = {.w = winners_none()};
    arrays a = {.p = NULL};
    pf_status s = judge(&v, &r->links, d, g->starts_us, o->learner, err);
    if (s == PF_OK)
        s = correction_fit(&c, &v, &r->links, d, g->starts_us, err);
    if (s == PF_OK)
        s = arrays_new(r, g, &a, err);
    if (s == PF_OK) {
        fill(d, g, link, &v, &c, &a);
        r->campaign[r->n++] = (replayed){
            .campaign = g->campaign, .starts_us = g->starts_us, .ends_us = g->ends_us,
            .n_shoppers = g->n_shoppers, .n_promotions = g->n_promotions,
            .shopper = g->shopper, .promotion = g->promotion, .answered = g->answered,
            .used = g->used, .learner = v.chosen, .any = a.any, .order = link->order, .p = a.p,
            .plain = a.plain, .spend = g->rows.plain.spend, .kind = a.kind,
            .lines = g->rows.plain.lines, .affinity = g->rows.plain.affinity,
            .popularity = g->rows.plain.popularity, .share_answered = a.share,
            .known_rate = known_rate(d, g->starts_us), .seen = seen_of(d, g)};
    }
    correction_free(&c);
    return s;
}

pf_status response_replay_new(response_replay **out, const response_data *d,
                              int64_t from_us, const response_options *o, pf_error *err)
{
    learners_want want = judge_wants(o->learner, o->seed);
    response_replay *r = mem_alloc_zero(1, sizeof *r);
    *out = NULL;
    if (r == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for a replay");
    r->campaign = mem_alloc(d->n + 1, sizeof *r->campaign);
    r->memory = mem_alloc_zero(d->n + 1, sizeof *r->memory);
    r->kind = mem_alloc_zero(d->n + 1, sizeof *r->kind);
    pf_status s = PF_OK;
    if (r->campaign == NULL || r->memory == NULL || r->kind == NULL)
        s = error_set(err, PF_NO_MEMORY, "out of memory for %zu campaigns", d->n);
    if (s == PF_OK)
        s = chain_make(&r->links, d, 0, d->n, &want, d->world.pool, err);
    for (size_t i = 0; s == PF_OK && i < d->n; i++)
        if (d->group[i].starts_us >= from_us && r->links.link[i].scored)
            s = add_campaign(r, d, i, o, err);
    if (s == PF_OK && r->n == 0)
        s = error_set(err, PF_DATA, "no campaign to evaluate: none of the test "
                      "period was shown to shoppers after another, to learn from, had ended");
    if (s != PF_OK) {
        response_replay_free(r);
        return s;
    }
    *out = r;
    return PF_OK;
}
