/* Choosing cut-offs, and a network for each. */
#include "response/outlook.h"

#include "base/clock.h"
#include "base/memory.h"
#include "response/outlook_inner.h"
#include "sequence/train.h"

/*
 * Trips are many for few shoppers, and order within them means nothing. Small batches and a short
 * warm-up give the few hundred shoppers of a young shop enough steps; sampled negatives make an
 * epoch a matter of a second. On the grocer's year twice the width foresaw the next trip no
 * better. `threads` is fixed, since bits depend on it.
 */
static const char *const network_settings =
    "width=32,blocks=1,heads=1,length=200,block=gated,loss=sampled,negatives=512,dropout=.2,"
    "batch=16,epochs=12,patience=0,rate=.003,warmup_steps=30,cosine=true,decay=.1,threads=2";
/* A later network starts from the one before it, which has seen nothing but what came before: a
 * third of the epochs at a third of the rate then foresee as well as training anew. */
enum { WARM_PART = 3 };

outlook_options outlook_options_default(void)
{
    return (outlook_options){.until_us = INT64_MAX, .seed = 1};
}

void outlook_free(outlook *o)
{
    if (o == NULL) return;
    for (size_t i = 0; i < o->n; i++)
        sequence_model_free(o->model[i]);
    sequence_events_free(o->trips);
    product_tree_free(o->tree);
    mem_free(o);
}

size_t outlook_count(const outlook *o)
{
    return o->n;
}

int64_t outlook_cut_us(const outlook *o, size_t i)
{
    return o->cut_us[i];
}

const sequence_model *outlook_model(const outlook *o, size_t i)
{
    return o->model[i];
}

/* --- cut-offs --------------------------------------------------------------------- */

static uint64_t events_before(const sequence_events *t, int64_t at_us)
{
    uint64_t n = 0;
    for (uint32_t u = 0; u < t->n_shoppers; u++)
        n += trips_before(t, u, at_us) - t->first[u];
    return n;
}

/* Starts of groups are in order of time. Whether one is taken depends on what was before it
 * alone, not on who was shown what then or how many come after. */
static void choose_cuts(outlook *o, const offer_groups *g, int64_t first_us, int64_t until_us)
{
    double last = 0;
    for (uint32_t k = 0; k < g->n && o->n + 1 < OUTLOOK_MOST_NETWORKS; k++) {
        int64_t start_us = g->group[k].starts_us;
        if (start_us >= until_us || start_us < first_us + OUTLOOK_HISTORY_DAYS * US_PER_DAY)
            continue;
        double events = (double)events_before(&o->trips->view, start_us);
        if (events < 1 || events < last * OUTLOOK_GROWTH) continue;
        o->cut_us[o->n++] = start_us;
        last = events;
    }
    o->cut_us[o->n++] = until_us;
}

static pf_status find_cuts(outlook *o, const zone *z, int64_t until_us, pf_error *err)
{
    response_rows_maker *maker = NULL;
    pf_status s = response_rows_maker_new(o->catalogue, o->history, z, &maker, err);
    if (s != PF_OK) return s;
    int64_t first_us = response_rows_first_us(maker);
    if (first_us == INT64_MAX || first_us >= until_us)
        s = error_set(err, PF_DATA, "no outlook: nothing was bought by then");
    else
        choose_cuts(o, response_rows_groups(maker), first_us,
                    until_us <= o->history->last_time_us ? until_us
                                                         : o->history->last_time_us + 1);
    response_rows_maker_free(maker);
    return s;
}

/* --- networks --------------------------------------------------------------------- */

static pf_status fit_network(outlook *o, size_t i, pool *threads, const outlook_options *how,
                             pf_error *err)
{
    sequence_events_owned *known = NULL;
    pf_status s = sequence_events_cut(&o->trips->view, NULL, o->cut_us[i], &known, err);
    if (s != PF_OK) return s;
    const training_task task = {.events = &known->view,
                                .repeats = true,
                                .warm = i > 0 ? o->model[i - 1] : NULL,
                                .threads = threads};
    sequence_settings settings =
        sequence_settings_for(SEQUENCE_TRANSFORMER, &known->view, NULL);
    s = sequence_settings_set(&settings, network_settings, err);
    if (s == PF_OK && how->settings != NULL)
        s = sequence_settings_set(&settings, how->settings, err);
    settings.seed = how->seed;
    if (i > 0) {
        settings.epochs = (settings.epochs + WARM_PART - 1) / WARM_PART;
        settings.rate /= (float)WARM_PART;
    }
    if (s == PF_OK) s = sequence_train(&task, &settings, &o->model[i], err);
    sequence_events_free(known);
    return s;
}

pf_status outlook_new(outlook **out, const shop_catalogue *c, const shop_history *h,
                      const zone *z, pool *threads, const outlook_options *how, pf_error *err)
{
    outlook *o = mem_alloc_zero(1, sizeof *o);
    *out = NULL;
    if (o == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for an outlook");
    o->catalogue = c;
    o->history = h;
    pf_status s = product_tree_new(c, &o->tree, err);
    if (s == PF_OK) s = trips_new(&o->trips, h, o->tree, err);
    if (s == PF_OK) s = find_cuts(o, z, how->until_us, err);
    for (size_t i = 0; s == PF_OK && i < o->n; i++)
        s = fit_network(o, i, threads, how, err);
    if (s != PF_OK) {
        outlook_free(o);
        return s;
    }
    *out = o;
    return PF_OK;
}
