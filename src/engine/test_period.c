/* Where the test period of a workspace begins. */
#include "engine/test_period.h"

/* A campaign that begins after the data says nothing yet. */
static bool has_begun(const proffer *p, uint32_t number)
{
    const int64_t starts = p->catalogue->campaigns[number].starts_us;
    return starts != TIME_ABSENT && starts <= p->history->last_time_us;
}

/* The start of the campaign two thirds down the list by start. */
static int64_t last_third(const proffer *p, int64_t fallback)
{
    const shop_catalogue *c = p->catalogue;
    int64_t best = fallback;
    size_t after_best = 0, begun = 0;
    for (uint32_t i = 1; i <= c->n_campaigns; i++)
        begun += has_begun(p, i);
    for (uint32_t i = 1; i <= c->n_campaigns; i++) {
        const int64_t starts = c->campaigns[i].starts_us;
        size_t after = 0;
        if (!has_begun(p, i)) continue;
        for (uint32_t k = 1; k <= c->n_campaigns; k++)
            after += has_begun(p, k) && c->campaigns[k].starts_us >= starts;
        if (after * 3 <= begun && after > after_best) {
            after_best = after;
            best = starts;
        }
    }
    return best;
}

pf_status test_period_start(const proffer *p, const char *asked, int64_t *out, pf_error *err)
{
    const char *when = asked != NULL ? asked : p->config->test_from;
    int64_t fallback = last_third(p, p->history->last_time_us + 1);
    return workspace_time(p, when[0] ? when : NULL, fallback, out, err);
}
