/*
 * Rows are worked out densely, one a task, by whichever thread is free; what is kept of
 * each goes to a place of its own, and the sparse matrix is made of them afterwards.
 */
#include "recommend/neighbours.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "measure/ranking.h"

typedef struct search {
    uint32_t n;
    unsigned most;
    neighbours_row *row;
    const void *context;
    float *values;   /* [threads x n] */
    uint32_t *best;  /* [n x most] */
    float *value;    /* [n x most] */
    uint32_t *found; /* [n] */
} search;

static void find_row(void *context, size_t task, unsigned worker)
{
    search *s = context;
    float *values = s->values + (size_t)worker * s->n;
    uint32_t *best = s->best + task * s->most;
    s->found[task] = 0;
    if (progress_cancelled()) return; /* the fit ends as stopped */
    s->row(s->context, (uint32_t)task, values);
    values[task] = 0;
    for (uint32_t i = 0; i < s->n; i++)
        if (values[i] <= 0) values[i] = -INFINITY;
    uint32_t n = (uint32_t)ranking_top(values, s->n, s->most, best);
    for (uint32_t i = 0; i < n; i++)
        s->value[task * s->most + i] = values[best[i]];
    s->found[task] = n;
}

static pf_status gather(const search *s, sparse *out, pf_error *err)
{
    sparse_counter k;
    sparse_count_begin(&k, s->n, s->n);
    for (uint32_t r = 0; r < s->n; r++)
        for (uint32_t i = 0; i < s->found[r]; i++)
            sparse_count(&k, r);
    sparse_fill_begin(&k);
    for (uint32_t r = 0; r < s->n; r++)
        for (uint32_t i = 0; i < s->found[r]; i++) {
            size_t at = (size_t)r * s->most + i;
            sparse_add(&k, r, s->best[at], s->value[at]);
        }
    return sparse_finish(&k, out, err);
}

static pf_status no_memory(uint32_t n, pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory for %u neighbours", n);
}

pf_status neighbours_find(uint32_t n, unsigned most, neighbours_row *row,
                          const void *context, pool *threads, sparse *out, pf_error *err)
{
    size_t workers = threads ? pool_threads(threads) : 1, kept = 0;
    search s = {.n = n, .most = most, .row = row, .context = context};
    pf_status status;
    if (!size_multiply(n, most, &kept)) return no_memory(n, err);
    s.values = mem_alloc_aligned(workers * n, sizeof *s.values);
    s.best = mem_alloc(kept, sizeof *s.best);
    s.value = mem_alloc(kept, sizeof *s.value);
    s.found = mem_alloc(n, sizeof *s.found);
    if (s.values && s.best && s.value && s.found) {
        pool_run(threads, n, find_row, &s);
        status = gather(&s, out, err);
    } else {
        status = no_memory(n, err);
    }
    mem_free(s.values);
    mem_free(s.best);
    mem_free(s.value);
    mem_free(s.found);
    return status;
}

/* ---- sets ---- */

/* Walks every shopper from the latest event back; seen[product] holds the last shopper
 * (plus one) who was met there. */
static void visit_sets(const interactions *x, uint32_t most, uint32_t *seen,
                       sparse_counter *k, bool add)
{
    memset(seen, 0, x->n_products * sizeof *seen);
    for (uint32_t u = 0; u < x->n_users; u++) {
        uint32_t n = 0;
        for (uint64_t i = x->first[u + 1]; i-- > x->first[u] && (!most || n < most);) {
            uint32_t v = x->product[i];
            if (seen[v] == u + 1) continue;
            seen[v] = u + 1;
            n++;
            if (add)
                sparse_add(k, u, v, 1);
            else
                sparse_count(k, u);
        }
    }
}

pf_status sets_of_shoppers(const interactions *x, uint32_t most, sparse *out,
                           pf_error *err)
{
    sparse_counter k;
    uint32_t *seen = mem_alloc(x->n_products, sizeof *seen);
    if (seen == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u products",
                         x->n_products);
    sparse_count_begin(&k, x->n_users, x->n_products);
    visit_sets(x, most, seen, &k, false);
    sparse_fill_begin(&k);
    visit_sets(x, most, seen, &k, true);
    mem_free(seen);
    return sparse_finish(&k, out, err);
}
