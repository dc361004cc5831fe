/* Group by group: chances of those shown by now, times what should have come, beside what came. */
#include "response/running.h"

#include "base/memory.h"
#include "response/split.h"

static bool is_running(const data_group *g, int64_t until_us)
{
    return g->teaches && g->starts_us < until_us && g->ends_us > until_us;
}

static double share_of_time(const data_group *g, int64_t until_us)
{
    return (double)(until_us - g->starts_us) / (double)(g->ends_us - g->starts_us);
}

static bool was_shown(const offer_groups *o, const data_group *g, uint32_t who, int64_t until_us)
{
    for (uint64_t i = o->first_exposure[who]; i < o->first_exposure[who + 1]; i++)
        if (o->exposure[i].group == g->group)
            return o->exposure[i].time_us < until_us;
    return false;
}

/* used [P]: by now. */
static void list_used(const offer_groups *o, const data_group *g, uint32_t who,
                      int64_t until_us, uint8_t *used)
{
    for (size_t k = 0; k < g->n_promotions; k++)
        used[k] = 0;
    for (uint64_t i = o->first_use[who]; i < o->first_use[who + 1]; i++) {
        const offer_event *e = &o->use[i];
        if (e->group != g->group || e->time_us < g->starts_us || e->time_us >= until_us)
            continue;
        for (size_t k = 0; k < g->n_promotions; k++)
            used[k] |= g->promotion[k] == e->promotion;
    }
}

/* What one group needs: any [S], share and p [P], scratch [P x F]. */
typedef struct running_room {
    float *any, *scratch, *order, *share, *p;
    uint8_t *used;
} running_room;

static void free_room(running_room *room)
{
    mem_free(room->any);
    mem_free(room->scratch);
    mem_free(room->used);
}

static pf_status make_room(running_room *room, const data_group *g, size_t width, pf_error *err)
{
    const size_t P = g->n_promotions;
    *room = (running_room){.any = mem_alloc(g->n_shoppers + 1, sizeof *room->any),
                           .scratch = mem_alloc(P, (width + 3) * sizeof *room->scratch),
                           .used = mem_alloc(P, 1)};
    if (!room->any || !room->scratch || !room->used)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu shoppers", g->n_shoppers);
    room->order = room->scratch + P * width;
    room->share = room->order + P;
    room->p = room->share + P;
    return PF_OK;
}

/* cell [P] of the group. */
static pf_status count_group(const response_model *m, const response_data *d,
                             const data_group *g, int64_t until_us, factors_cell *cell,
                             pf_error *err)
{
    const offer_groups *o = response_rows_groups(d->maker);
    const size_t P = g->n_promotions, F = m->l.width.which;
    const double uses = learners_uses(&m->l, P);
    const double seen = data_seen_by(d, until_us, share_of_time(g, until_us));
    running_room room;
    pf_status s = make_room(&room, g, F, err);
    if (s == PF_OK)
        s = model_any(m, &g->rows, room.any, err);
    for (size_t k = 0; k < P; k++)
        cell[k] = (factors_cell){.promotion = d->kinds.key[g->promotion[k]], .group = g->group,
                                 .kind = d->kinds.of_promotion[g->promotion[k]] - 1};
    for (size_t i = 0; s == PF_OK && i < g->n_shoppers; i++) {
        if (!was_shown(o, g, g->shopper[i], until_us))
            continue;
        learners_which(&m->l, g->rows.which + i * P * F, P, room.scratch, room.order,
                       room.share);
        split_uses((double)room.any[i], room.share, P, uses, room.p);
        list_used(o, g, g->shopper[i], until_us, room.used);
        for (size_t k = 0; k < P; k++) {
            cell[k].expected += (double)room.p[k] * seen;
            cell[k].answers += room.used[k];
        }
    }
    free_room(&room);
    return s;
}

pf_status running_add(response_model *m, const response_data *d, int64_t until_us,
                      pf_error *err)
{
    size_t cells = 0, at = 0;
    pf_status s = PF_OK;
    for (size_t i = 0; i < d->n; i++)
        cells += is_running(&d->group[i], until_us) ? d->group[i].n_promotions : 0;
    if (cells == 0)
        return PF_OK;
    factors_cell *cell = mem_alloc(cells, sizeof *cell);
    if (cell == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu promotions", cells);
    for (size_t i = 0; s == PF_OK && i < d->n; i++)
        if (is_running(&d->group[i], until_us)) {
            s = count_group(m, d, &d->group[i], until_us, cell + at, err);
            at += d->group[i].n_promotions;
        }
    if (s == PF_OK)
        s = factors_watch(&m->c.f, cell, cells, err);
    mem_free(cell);
    return s;
}
