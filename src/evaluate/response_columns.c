/* Gathering: a counting pass over the campaigns, then a filling one. */
#include "evaluate/response_columns.h"

#include <math.h>

#include "base/memory.h"
#include "evaluate/response_protocol.h"
#include "measure/ranking.h"

static bool takes_part(const replayed *c, int64_t latest_us)
{
    return latest_us == INT64_MAX || c->ends_us <= latest_us;
}

/* --- any -------------------------------------------------------------------------- */

void any_columns_free(any_columns *c)
{
    mem_free(c->p);
    mem_free(c->whole);
    mem_free(c->known_rate);
    mem_free(c->own_rate);
    mem_free(c->y);
    mem_free(c->shopper);
    *c = (any_columns){.n = 0};
}

/* Baselines are told of the cut-off campaigns like everybody: all chances are those of
 * answering within the data. */
static void any_fill(any_columns *out, const replayed *c)
{
    double known = isnan(c->known_rate) ? 0.5 : c->known_rate;
    for (size_t s = 0; s < c->n_shoppers; s++, out->n++) {
        out->p[out->n] = (double)c->any[s] * c->seen;
        out->whole[out->n] = (double)c->any[s];
        out->known_rate[out->n] = known * c->seen;
        out->own_rate[out->n] = (double)c->share_answered[s] * c->seen;
        out->y[out->n] = c->answered[s] != 0;
        out->shopper[out->n] = c->shopper[s];
    }
}

pf_status any_columns_new(any_columns *out, const response_replay *r, int64_t latest_us,
                          pf_error *err)
{
    size_t n = 1;
    *out = (any_columns){.n = 0};
    for (size_t k = 0; k < response_replay_count(r); k++)
        if (takes_part(response_replay_at(r, k), latest_us))
            n += response_replay_at(r, k)->n_shoppers;
    out->p = mem_alloc(n, sizeof *out->p);
    out->whole = mem_alloc(n, sizeof *out->whole);
    out->known_rate = mem_alloc(n, sizeof *out->known_rate);
    out->own_rate = mem_alloc(n, sizeof *out->own_rate);
    out->y = mem_alloc(n, sizeof *out->y);
    out->shopper = mem_alloc(n, sizeof *out->shopper);
    if (!out->p || !out->whole || !out->known_rate || !out->own_rate || !out->y ||
        !out->shopper) {
        any_columns_free(out);
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu mailings", n);
    }
    for (size_t k = 0; k < response_replay_count(r); k++)
        if (takes_part(response_replay_at(r, k), latest_us)) {
            any_fill(out, response_replay_at(r, k));
            out->campaigns++;
        }
    return PF_OK;
}

/* --- which ------------------------------------------------------------------------ */

void which_columns_free(which_columns *c)
{
    for (int m = 0; m < COLUMNS_WHICH_MODELS; m++) {
        mem_free(c->ndcg[m]);
        mem_free(c->recall[m]);
    }
    mem_free(c->shopper);
    *c = (which_columns){.n = 0};
}

static size_t count_redeemers(const replayed *c)
{
    size_t n = 0;
    for (size_t s = 0; s < c->n_shoppers; s++)
        n += c->answered[s] != 0;
    return n;
}

/* Ranks of the used promotions by one model's scores. */
static ranking_values judge_one(const float *score, const uint8_t *used, size_t n,
                                uint32_t *target, double *rank)
{
    size_t targets = 0;
    for (size_t k = 0; k < n; k++)
        if (used[k])
            target[targets++] = (uint32_t)k;
    if (targets == 0)
        return (ranking_values){0};
    ranking_ranks(score, n, target, targets, rank);
    return ranking_values_of(rank, targets, PROTOCOL_CUT);
}

static void which_fill(which_columns *out, const replayed *c, uint32_t *target, double *rank)
{
    size_t P = c->n_promotions;
    for (size_t s = 0; s < c->n_shoppers; s++) {
        const float *scores[COLUMNS_WHICH_MODELS] = {
            c->order + s * P, c->lines + s * P, c->affinity + s * P, c->popularity};
        if (!c->answered[s])
            continue;
        for (int m = 0; m < COLUMNS_WHICH_MODELS; m++) {
            ranking_values v = judge_one(scores[m], c->used + s * P, P, target, rank);
            out->ndcg[m][out->n] = v.ndcg;
            out->recall[m][out->n] = v.recall;
        }
        out->shopper[out->n++] = c->shopper[s];
    }
}

static bool which_allocate(which_columns *out, size_t n)
{
    bool ok = true;
    for (int m = 0; m < COLUMNS_WHICH_MODELS; m++) {
        out->ndcg[m] = mem_alloc(n, sizeof *out->ndcg[m]);
        out->recall[m] = mem_alloc(n, sizeof *out->recall[m]);
        ok = ok && out->ndcg[m] && out->recall[m];
    }
    out->shopper = mem_alloc(n, sizeof *out->shopper);
    return ok && out->shopper;
}

pf_status which_columns_new(which_columns *out, const response_replay *r, int64_t latest_us,
                            pf_error *err)
{
    size_t n = 1, most = 1;
    *out = (which_columns){.n = 0};
    for (size_t k = 0; k < response_replay_count(r); k++) {
        const replayed *c = response_replay_at(r, k);
        n += takes_part(c, latest_us) ? count_redeemers(c) : 0;
        most = c->n_promotions > most ? c->n_promotions : most;
    }
    uint32_t *target = mem_alloc(most, sizeof *target);
    double *rank = mem_alloc(most, sizeof *rank);
    bool ok = which_allocate(out, n) && target != NULL && rank != NULL;
    for (size_t k = 0; ok && k < response_replay_count(r); k++)
        if (takes_part(response_replay_at(r, k), latest_us)) {
            which_fill(out, response_replay_at(r, k), target, rank);
            out->campaigns++;
        }
    mem_free(target);
    mem_free(rank);
    if (ok)
        return PF_OK;
    which_columns_free(out);
    return error_set(err, PF_NO_MEMORY, "out of memory for %zu redeemers", n);
}
