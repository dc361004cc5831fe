/* The budgets and caps of one run, and which of them each arm draws on. */
#include <string.h>

#include "base/memory.h"
#include "decide/run.h"

enum { CAPS_OF_ARM = DECIDE_CAP_KINDS - 1 }; /* at most one of each kind */

uint32_t run_arm(decision_run *run, uint32_t number, channel by)
{
    run_caps *c = &run->caps;
    uint32_t *arm = &c->arm_of[(size_t)number * CHANNEL_COUNT + by];
    if (*arm == 0) {
        size_t n = (size_t)c->n_arms + 1;
        if (!mem_reserve((void **)&c->promotion, &c->capacity[0], n,
                         sizeof *c->promotion) ||
            !mem_reserve((void **)&c->lane, &c->capacity[1], n, sizeof *c->lane))
            return UINT32_MAX;
        c->promotion[c->n_arms] = number;
        c->lane[c->n_arms] = (uint8_t)by;
        *arm = ++c->n_arms;
    }
    return *arm - 1;
}

double run_draws_on(const decision_run *run, uint32_t m, size_t o)
{
    switch (run->caps.caps[m].measure) {
    case CAP_COST: return run->options.cost[o];
    case CAP_REDEMPTIONS: return run->options.redemptions[o];
    case CAP_COUNT: break;
    }
    return 1;
}

bool run_fits_alone(const decision_run *run, size_t o)
{
    const run_caps *c = &run->caps;
    uint32_t arm = run->options.arm[o];
    for (uint32_t i = c->arm_first[arm]; i < c->arm_first[arm + 1]; i++)
        if (run_draws_on(run, c->arm_caps[i], o) > c->caps[c->arm_caps[i]].limit) return false;
    return true;
}

/* What is left of a budget; below nothing is nothing. */
static double left(int64_t budget, int64_t committed)
{
    return committed >= budget ? 0 : (double)(budget - (committed > 0 ? committed : 0));
}

/* Numbers of the caps in force; UINT32_MAX where there is none. */
typedef struct cap_index {
    uint32_t budget, messages;
    uint32_t channel_budget[CHANNEL_COUNT], channel_messages[CHANNEL_COUNT];
} cap_index;

static uint32_t add_cap(decision_run *run, decide_cap_kind kind, cap_measure measure,
                        double limit, uint32_t number, channel by)
{
    uint32_t m = run->r->n_caps++;
    run->r->caps[m] = (decide_cap){
        .kind = kind, .promotion = number, .channel = by, .limit = limit};
    run->caps.caps[m] = (allocate_cap){measure, limit};
    return m;
}

static void add_common_caps(decision_run *run, cap_index *index)
{
    const policy *p = run->in->policy;
    memset(index, 0xFF, sizeof *index);
    if (p->budget_minor != MONEY_ABSENT)
        index->budget =
            add_cap(run, DECIDE_CAP_BUDGET, CAP_COST,
                    left(p->budget_minor, run->in->committed_minor), 0, CHANNEL_NONE);
    if (p->messages > 0)
        index->messages = add_cap(run, DECIDE_CAP_MESSAGES, CAP_COUNT,
                                  (double)p->messages, 0, CHANNEL_NONE);
    for (int by = 1; by < CHANNEL_COUNT; by++) {
        const policy_channel *c = &p->channel[by];
        if (c->budget_minor != MONEY_ABSENT)
            index->channel_budget[by] = add_cap(run, DECIDE_CAP_CHANNEL_BUDGET, CAP_COST,
                                                (double)c->budget_minor, 0, (channel)by);
        if (c->messages > 0)
            index->channel_messages[by] =
                add_cap(run, DECIDE_CAP_CHANNEL_MESSAGES, CAP_COUNT, (double)c->messages,
                        0, (channel)by);
    }
}

/* The caps of one promotion are made with its first arm; later arms find them in
 * `own`. */
static void add_promotion_caps(decision_run *run, uint32_t number, uint32_t own[2])
{
    const promotion *p = &run->in->catalogue->promotions[number];
    const int64_t *committed = run->in->promotion_committed_minor;
    int64_t budget = p->budget_minor != MONEY_ABSENT
                         ? p->budget_minor
                         : run->in->policy->promotion_budget_minor;
    own[0] = own[1] = UINT32_MAX;
    if (budget != MONEY_ABSENT)
        own[0] = add_cap(run, DECIDE_CAP_PROMOTION_BUDGET, CAP_COST,
                         left(budget, committed != NULL ? committed[number] : 0), number,
                         CHANNEL_NONE);
    if (p->redemption_limit == 0) return;
    uint32_t seen = eligibility_redemptions(run->e, number);
    double rest = seen < p->redemption_limit ? (double)(p->redemption_limit - seen) : 0;
    own[1] = add_cap(run, DECIDE_CAP_PROMOTION_REDEMPTIONS, CAP_REDEMPTIONS, rest, number,
                     CHANNEL_NONE);
}

static void link_arm(decision_run *run, uint32_t arm, const cap_index *index,
                     const uint32_t own[2])
{
    run_caps *c = &run->caps;
    uint8_t by = c->lane[arm];
    const uint32_t draws[CAPS_OF_ARM] = {index->budget,
                                         index->messages,
                                         index->channel_budget[by],
                                         index->channel_messages[by],
                                         own[0],
                                         own[1]};
    uint32_t n = c->arm_first[arm];
    for (int i = 0; i < CAPS_OF_ARM; i++)
        if (draws[i] != UINT32_MAX) c->arm_caps[n++] = draws[i];
    c->arm_first[arm + 1] = n;
}

pf_status run_make_caps(decision_run *run, pf_error *err)
{
    run_caps *c = &run->caps;
    size_t arms = (size_t)c->n_arms + 1, most = 2 * arms + 2 * CHANNEL_COUNT;
    size_t promotions = (size_t)run->in->catalogue->n_promotions + 1;
    uint32_t(*own)[2] = mem_alloc(promotions, sizeof *own);
    c->arm_first = mem_alloc_zero(arms, sizeof *c->arm_first);
    c->arm_caps = mem_alloc_zero(arms, CAPS_OF_ARM * sizeof *c->arm_caps);
    c->caps = mem_alloc_zero(most, sizeof *c->caps);
    run->r->caps = mem_alloc_zero(most, sizeof *run->r->caps);
    if (!own || !c->arm_first || !c->arm_caps || !c->caps || !run->r->caps) {
        mem_free(own);
        return error_set(err, PF_NO_MEMORY, "out of memory for caps");
    }
    cap_index index;
    add_common_caps(run, &index);
    memset(own, 0, promotions * sizeof *own);
    for (uint32_t a = 0; a < c->n_arms; a++) {
        uint32_t number = c->promotion[a];
        /* {0, 0} stands for "not made yet": two caps of one promotion never share a
         * number. */
        if (own[number][0] == own[number][1] && own[number][0] == 0)
            add_promotion_caps(run, number, own[number]);
        link_arm(run, a, &index, own[number]);
    }
    mem_free(own);
    return PF_OK;
}
