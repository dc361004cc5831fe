/* One task a group: fit, score, forget. */
#include "response/chain.h"

#include "base/memory.h"

typedef struct chain_work {
    chain *c;
    const response_data *d;
    size_t to;
    learners_want want;
    pf_status *status; /* [tasks] */
    pf_error *error;   /* [tasks] */
} chain_work;

void chain_free(chain *c)
{
    for (size_t i = 0; i < c->n; i++) {
        mem_free(c->link[i].logistic);
        mem_free(c->link[i].trees);
        mem_free(c->link[i].order);
    }
    mem_free(c->link);
    *c = (chain){.n = 0};
}

static pf_status link_new(chain_link *link, const data_group *g, const learners *l,
                          pf_error *err)
{
    size_t pairs = g->n_shoppers * g->n_promotions;
    if (l->has_logistic)
        link->logistic = mem_alloc(g->n_shoppers, sizeof *link->logistic);
    if (l->has_trees)
        link->trees = mem_alloc(g->n_shoppers, sizeof *link->trees);
    link->order = mem_alloc(2 * pairs, sizeof *link->order);
    if (link->order == NULL || (l->has_logistic && link->logistic == NULL) ||
        (l->has_trees && link->trees == NULL))
        return error_set(err, PF_NO_MEMORY, "out of memory for the scores of %zu shoppers",
                         g->n_shoppers);
    link->share = link->order + pairs;
    link->uses = learners_uses(l, g->n_promotions);
    return PF_OK;
}

static pf_status score_which(chain_link *link, const data_group *g, const learners *l,
                             pf_error *err)
{
    size_t P = g->n_promotions;
    float *scratch = mem_alloc(P, l->width.which * sizeof *scratch);
    if (scratch == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu promotions", P);
    for (size_t i = 0; i < g->n_shoppers; i++)
        learners_which(l, g->rows.which + i * P * l->width.which, P, scratch,
                       link->order + i * P, link->share + i * P);
    mem_free(scratch);
    return PF_OK;
}

static pf_status score_link(chain_link *link, const data_group *g, const learners *l,
                            pf_error *err)
{
    pf_status s = link_new(link, g, l, err);
    if (s == PF_OK && l->has_logistic)
        learners_logistic(l, g->rows.any, g->n_shoppers, link->logistic);
    if (s == PF_OK && l->has_trees)
        s = learners_trees(l, g->rows.any, g->n_shoppers, link->trees, err);
    if (s == PF_OK)
        s = score_which(link, g, l, err);
    link->scored = s == PF_OK;
    return s;
}

/* The last group learns from most, so it goes first. */
static void chain_task(void *context, size_t task, unsigned worker)
{
    chain_work *w = context;
    size_t i = w->to - 1 - task;
    const data_group *g = &w->d->group[i];
    learners l;
    (void)worker;
    pf_status s = learners_fit(&l, w->d, g->starts_us, &w->want, &w->error[task]);
    if (s == PF_OK) {
        s = score_link(&w->c->link[i], g, &l, &w->error[task]);
        learners_free(&l);
    } else if (s == PF_DATA) {
        s = PF_OK; /* nothing had ended before it */
    }
    w->status[task] = s;
}

pf_status chain_make(chain *c, const response_data *d, size_t from, size_t to,
                     const learners_want *want, pool *threads, pf_error *err)
{
    size_t tasks = to - from;
    chain_work w = {.c = c, .d = d, .to = to, .want = *want};
    pf_status s = PF_OK;
    w.want.threads = 1;
    *c = (chain){mem_alloc_zero(d->n + 1, sizeof *c->link), d->n};
    w.status = mem_alloc_zero(tasks + 1, sizeof *w.status);
    w.error = mem_alloc_zero(tasks + 1, sizeof *w.error);
    if (c->link == NULL || w.status == NULL || w.error == NULL) {
        c->n = c->link ? c->n : 0;
        s = error_set(err, PF_NO_MEMORY, "out of memory for %zu campaigns", tasks);
    } else {
        pool_run(threads, tasks, chain_task, &w);
    }
    for (size_t t = 0; s == PF_OK && t < tasks; t++)
        if (w.status[t] != PF_OK) {
            s = w.status[t];
            if (err != NULL)
                *err = w.error[t];
        }
    mem_free(w.status);
    mem_free(w.error);
    if (s != PF_OK)
        chain_free(c);
    return s;
}
