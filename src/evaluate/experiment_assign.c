/* Who is in which arm (experiment.h): by the holdout's hash, or as decisions were logged. */
#include <stdlib.h>

#include "base/memory.h"
#include "decide/holdout.h"
#include "evaluate/experiment.h"

static bool is_known_before(const shop_history *h, uint32_t who, int64_t at_us)
{
    if (who > h->n_shoppers) return false;
    const uint64_t first = h->first[who];
    return first < h->first[who + 1] && h->time_us[first] < at_us;
}

pf_status experiment_assign_by_hash(const shop_catalogue *c, const shop_history *h,
                                    const char *salt, double control_share, int64_t starts_us,
                                    experiment_member **out, size_t *n_out, pf_error *err)
{
    *out = NULL;
    *n_out = 0;
    if (!(control_share > 0 && control_share < 1))
        return error_set(err, PF_USAGE,
                         "the holdout's share is %g; an experiment needs shoppers in both arms: "
                         "set it between 0 and 1, such as 0.1",
                         control_share);
    if (c->n_shoppers == 0) return PF_OK;
    experiment_member *list = mem_alloc(c->n_shoppers, sizeof *list);
    if (list == NULL)
        return error_set(err, PF_NO_MEMORY, "no memory to assign %u shoppers", c->n_shoppers);
    size_t n = 0;
    for (uint32_t s = 1; s <= c->n_shoppers; s++) {
        if (!c->shoppers[s].exists || !is_known_before(h, s, starts_us)) continue;
        const bool held = holdout_has(salt, control_share, c->shoppers[s].id);
        list[n++] = (experiment_member){s, held ? EXPERIMENT_CONTROL : EXPERIMENT_TREATED,
                                        starts_us};
    }
    *out = list;
    *n_out = n;
    return PF_OK;
}

static int by_shopper_and_time(const void *left, const void *right)
{
    const experiment_logged *a = left, *b = right;
    if (a->shopper != b->shopper) return a->shopper < b->shopper ? -1 : 1;
    if (a->time_us != b->time_us) return a->time_us < b->time_us ? -1 : 1;
    return (int)a->holdout - (int)b->holdout;
}

/* Of sorted rows: the first of each shopper, and how many met the other arm later. */
static size_t take_first(const experiment_logged *rows, size_t n, experiment_member *list,
                         uint64_t *crossed)
{
    size_t members = 0;
    bool counted = false;
    *crossed = 0;
    for (size_t i = 0; i < n; i++) {
        const experiment_arm arm = rows[i].holdout ? EXPERIMENT_CONTROL : EXPERIMENT_TREATED;
        if (members == 0 || list[members - 1].shopper != rows[i].shopper) {
            list[members++] = (experiment_member){rows[i].shopper, arm, rows[i].time_us};
            counted = false;
        } else if (list[members - 1].arm != arm && !counted) {
            (*crossed)++;
            counted = true;
        }
    }
    return members;
}

pf_status experiment_assign_by_log(const experiment_logged *log, size_t n, int64_t starts_us,
                                   experiment_member **out, size_t *n_out, uint64_t *crossed,
                                   pf_error *err)
{
    *out = NULL;
    *n_out = 0;
    *crossed = 0;
    if (n == 0) return PF_OK;
    experiment_logged *rows = mem_alloc(n, sizeof *rows);
    experiment_member *list = mem_alloc(n, sizeof *list);
    if (rows == NULL || list == NULL) {
        mem_free(rows);
        mem_free(list);
        return error_set(err, PF_NO_MEMORY, "no memory to assign by %zu decisions", n);
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (log[i].time_us >= starts_us && log[i].shopper != 0) rows[kept++] = log[i];
    qsort(rows, kept, sizeof *rows, by_shopper_and_time);
    *n_out = take_first(rows, kept, list, crossed);
    *out = list;
    mem_free(rows);
    return PF_OK;
}
