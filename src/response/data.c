/* Rows and outcomes of every past group. */
#include "response/data.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

bool data_known(const data_group *g, int64_t until_us)
{
    return g->teaches && g->ends_us <= until_us;
}

double data_seen_by(const response_data *d, int64_t until_us, double part)
{
    double seen = 0, all = 1;
    for (size_t i = 0; i < d->n; i++) {
        const data_group *g = &d->group[i];
        for (size_t k = 0; data_known(g, until_us) && k < g->n_shoppers; k++) {
            seen += g->answered[k] && (double)g->when[k] < part;
            all += g->answered[k];
        }
    }
    return seen / all;
}

/* --- rows ------------------------------------------------------------------------- */

data_width data_width_of(bool foresees)
{
    return foresees ? (data_width){DATA_MOST_ANY, DATA_MOST_WHICH}
                    : (data_width){RESPONSE_ANY_FEATURES, RESPONSE_WHICH_FEATURES};
}

const char *data_any_name(size_t feature)
{
    return feature < RESPONSE_ANY_FEATURES
               ? response_any_name(feature)
               : outlook_any_name(feature - RESPONSE_ANY_FEATURES);
}

const char *data_which_name(size_t feature)
{
    return feature < RESPONSE_WHICH_FEATURES
               ? response_which_name(feature)
               : outlook_which_name(feature - RESPONSE_WHICH_FEATURES);
}

void data_rows_free(data_rows *rows)
{
    response_rows_free(&rows->plain);
    mem_free(rows->wide);
    *rows = (data_rows){.wide = NULL};
}

/* n rows of a columns and n of b, side by side. */
static void join(float *out, const float *a, size_t of_a, const float *b, size_t of_b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        memcpy(out + i * (of_a + of_b), a + i * of_a, of_a * sizeof *out);
        memcpy(out + i * (of_a + of_b) + of_a, b + i * of_b, of_b * sizeof *out);
    }
}

static pf_status widen(const response_data *d, const response_question *q, data_rows *rows,
                       pf_error *err)
{
    size_t S = q->n_shoppers, pairs = S * q->n_promotions; /* the plain rows are as many */
    size_t any = S * d->width.any, which = pairs * d->width.which;
    float *added = mem_alloc(S * OUTLOOK_ANY_FEATURES + pairs * OUTLOOK_WHICH_FEATURES + 1,
                             sizeof *added);
    rows->wide = mem_alloc(any + which + 1, sizeof *rows->wide);
    pf_status s = PF_OK;
    if (added == NULL || rows->wide == NULL) {
        s = error_set(err, PF_NO_MEMORY, "out of memory for %zu pairs", pairs);
    } else {
        float *of_pairs = added + S * OUTLOOK_ANY_FEATURES;
        s = outlook_rows(d->world.outlook, q, d->world.pool, added, of_pairs, err);
        if (s == PF_OK) {
            join(rows->wide, rows->plain.any, RESPONSE_ANY_FEATURES, added,
                 OUTLOOK_ANY_FEATURES, S);
            join(rows->wide + any, rows->plain.which, RESPONSE_WHICH_FEATURES, of_pairs,
                 OUTLOOK_WHICH_FEATURES, pairs);
            rows->any = rows->wide;
            rows->which = rows->wide + any;
        }
    }
    mem_free(added);
    return s;
}

pf_status data_rows_make(const response_data *d, const response_question *q, data_rows *out,
                         pf_error *err)
{
    *out = (data_rows){.wide = NULL};
    pf_status s = response_rows_make(d->maker, q, d->world.pool, &out->plain, err);
    out->any = out->plain.any;
    out->which = out->plain.which;
    if (s == PF_OK && d->world.outlook != NULL)
        s = widen(d, q, out, err);
    if (s != PF_OK)
        data_rows_free(out);
    return s;
}

/* --- groups ----------------------------------------------------------------------- */

void response_data_free(response_data *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->n; i++) {
        data_rows_free(&d->group[i].rows);
        mem_free(d->group[i].shopper);
        mem_free(d->group[i].answered);
        mem_free(d->group[i].when);
        mem_free(d->group[i].used);
    }
    mem_free(d->group);
    kinds_free(&d->kinds);
    response_rows_maker_free(d->maker);
    mem_free(d);
}

/* Shown to somebody, offering something, after purchases began. */
static bool is_usable(const response_data *d, const offer_group *g)
{
    return g->n_shoppers > 0 && g->n_promotions > 0 &&
           g->starts_us > response_rows_first_us(d->maker) && g->starts_us != INT64_MAX;
}

static size_t sample_size(const offer_group *g)
{
    size_t most = DATA_MAX_PAIRS / g->n_promotions;
    if (most == 0)
        most = 1;
    return g->n_shoppers < most ? g->n_shoppers : most;
}

static pf_status outcomes_new(data_group *g, const offer_group *from, pf_error *err)
{
    g->n_shown = from->n_shoppers;
    g->n_promotions = from->n_promotions;
    g->n_shoppers = sample_size(from);
    g->promotion = from->promotion;
    g->shopper = mem_alloc(g->n_shoppers, sizeof *g->shopper);
    g->answered = mem_alloc_zero(g->n_shoppers, 1);
    g->when = mem_alloc(g->n_shoppers, sizeof *g->when);
    g->used = mem_alloc_zero(g->n_shoppers, g->n_promotions);
    if (!g->shopper || !g->answered || !g->when || !g->used)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu shoppers", g->n_shoppers);
    for (size_t i = 0; i < g->n_shoppers; i++)
        g->shopper[i] = from->shopper[i * from->n_shoppers / g->n_shoppers];
    return PF_OK;
}

static void find_outcomes(data_group *g, const offer_groups *groups)
{
    for (size_t i = 0; i < g->n_shoppers; i++) {
        int64_t first_us = offer_first_use_us(groups, g->group, g->shopper[i]);
        g->answered[i] = first_us != TIME_ABSENT;
        g->when[i] = g->answered[i] ? (float)((double)(first_us - g->starts_us) /
                                              (double)(g->ends_us - g->starts_us))
                                    : -1;
        g->n_answered += g->answered[i];
        for (size_t k = 0; g->answered[i] && k < g->n_promotions; k++) {
            bool used = offer_used(groups, g->group, g->shopper[i], g->promotion[k]);
            g->used[i * g->n_promotions + k] = used;
            g->n_used += used;
        }
    }
}

static pf_status add_group(response_data *d, uint32_t number, pf_error *err)
{
    const offer_groups *groups = response_rows_groups(d->maker);
    const offer_group *from = &groups->group[number];
    data_group *g = &d->group[d->n++];
    *g = (data_group){.group = number,
                      .campaign = from->campaign,
                      .starts_us = from->starts_us,
                      .ends_us = from->ends_us};
    g->teaches = from->starts_us - response_rows_first_us(d->maker) >=
                 DATA_HISTORY_DAYS * US_PER_DAY;
    pf_status s = outcomes_new(g, from, err);
    if (s != PF_OK)
        return s;
    find_outcomes(g, groups);
    response_question q = {g->promotion, (uint32_t)g->n_promotions, g->shopper,
                           g->n_shoppers, g->starts_us};
    return data_rows_make(d, &q, &g->rows, err);
}

static pf_status add_groups(response_data *d, pf_error *err)
{
    const offer_groups *groups = response_rows_groups(d->maker);
    size_t usable = 0;
    pf_status s = PF_OK;
    for (uint32_t k = 0; k < groups->n; k++)
        usable += is_usable(d, &groups->group[k]);
    size_t skip = usable > DATA_MAX_GROUPS ? usable - DATA_MAX_GROUPS : 0;
    d->group = mem_alloc_zero(usable - skip + 1, sizeof *d->group);
    if (d->group == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu campaigns", usable);
    for (uint32_t k = 0; s == PF_OK && k < groups->n; k++) {
        if (!is_usable(d, &groups->group[k]))
            continue;
        if (skip > 0)
            skip--;
        else
            s = add_group(d, k, err);
    }
    return s;
}

pf_status response_data_new(const response_world *world, response_data **out, pf_error *err)
{
    response_data *d = mem_alloc_zero(1, sizeof *d);
    *out = NULL;
    if (d == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for response data");
    d->world = *world;
    d->width = data_width_of(world->outlook != NULL);
    pf_status s = response_rows_maker_new(world->catalogue, world->history, world->zone,
                                          &d->maker, err);
    if (s == PF_OK)
        s = kinds_new(&d->kinds, world->catalogue, err);
    if (s == PF_OK)
        s = add_groups(d, err);
    if (s != PF_OK) {
        response_data_free(d);
        return s;
    }
    *out = d;
    return PF_OK;
}
