/* Reading the decisions of all shoppers; only the first decision of a shopper in a run carries
 * the candidates. */
#include "engine/decision_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"

typedef struct reading {
    decision_log *l;
    const proffer *p;
    int64_t until_us;
    decision_kinds kinds;
    arena scratch; /* JSON of one decision */
    size_t candidates;
    pf_status status;
    pf_error *err;
} reading;

static bool fail(reading *k, pf_status s)
{
    k->status = s;
    return false;
}

static bool no_memory(reading *k)
{
    return fail(k, error_set(k->err, PF_NO_MEMORY, "out of memory for the log of decisions"));
}

/* The fingerprint in a decision's versions; "" where there is none, NULL without memory. */
static const char *policy_of(reading *k, const decision_record *d)
{
    const json_value *tree = NULL;
    pf_status s = json_parse(&k->scratch, d->versions, strlen(d->versions), &tree, NULL);
    if (s != PF_OK) return s == PF_NO_MEMORY ? NULL : "";
    const json_value *print = json_member(tree, "policy");
    if (print == NULL || print->kind != JSON_TEXT) return "";
    return arena_copy_text(&k->l->memory, print->text.data, print->text.n);
}

/* Name and policy of the run, read off its first decision: there may be very many. */
static bool take_run(reading *k, const decision_record *d, logged_row *row)
{
    decision_log *l = k->l;
    const uint32_t before = intern_count(l->runs);
    const uint32_t number = intern_add(l->runs, d->run, strlen(d->run));
    if (number == 0 || !mem_reserve((void **)&l->policy, &l->policies, (size_t)number + 1,
                                    sizeof *l->policy))
        return no_memory(k);
    if (number > before) l->policy[number] = policy_of(k, d);
    row->run = intern_text(l->runs, number);
    row->policy = l->policy[number];
    return row->policy != NULL || no_memory(k);
}

/* The numbers alone: what else was read goes with the decision. */
static bool keep_candidates(reading *k, logged_row *row, const journal_candidate *list, size_t n)
{
    journal_candidate *own = arena_alloc(&k->l->memory, n, sizeof *own);
    if (own == NULL) return false;
    for (size_t i = 0; i < n; i++) {
        own[i] = list[i];
        own[i].outcome.why.wants = own[i].outcome.why.has = NULL;
        own[i].promotion_id = list[i].outcome.promotion > 0
                                  ? k->p->catalogue->promotions[list[i].outcome.promotion].id
                                  : arena_copy_text(&k->l->memory, list[i].promotion_id,
                                                    strlen(list[i].promotion_id));
        if (own[i].promotion_id == NULL) return false;
    }
    row->candidate = own;
    row->n_candidates = n;
    return true;
}

static bool read_candidates(reading *k, const decision_record *d, logged_row *row)
{
    journal_candidate *list = NULL;
    size_t n = 0;
    pf_status s = journal_read_candidates(d->candidates, strlen(d->candidates), k->p->catalogue,
                                          &k->scratch, &list, &n, k->err);
    if (s != PF_OK) {
        error_prefix(k->err, "decision %s", d->id);
        return fail(k, s);
    }
    k->candidates += n;
    if (k->candidates > DECISION_LOG_MOST_CANDIDATES)
        return fail(k, error_set(k->err, PF_LIMIT,
                                 "the decisions of the log have more than %d candidates in all",
                                 DECISION_LOG_MOST_CANDIDATES));
    return keep_candidates(k, row, list, n) || no_memory(k);
}

static bool is_lot(double propensity)
{
    return propensity > 0 && propensity < 1;
}

/* Of a shopper in the holdout the candidates say it: nothing was certain to be done. */
static bool had_chances(const decision_record *d)
{
    return d->holdout ? strstr(d->candidates, "\"propensity\"") != NULL : is_lot(d->propensity);
}

static bool take(void *context, const decision_record *d)
{
    reading *k = context;
    decision_log *l = k->l;
    if (d->time_us >= k->until_us) return true;
    if (l->n >= DECISION_LOG_MOST)
        return fail(k, error_set(k->err, PF_LIMIT, "the log has more than %d decisions",
                                 DECISION_LOG_MOST));
    if (!mem_reserve((void **)&l->row, &l->capacity, l->n + 1, sizeof *l->row))
        return no_memory(k);
    logged_row *row = &l->row[l->n];
    *row = (logged_row){.shopper = d->shopper,
                        .promotion = d->promotion,
                        .channel = d->channel,
                        .time_us = d->time_us,
                        .propensity = d->propensity,
                        .holdout = d->holdout,
                        .explored = k->kinds == DECISIONS_ALL || had_chances(d)};
    arena_reset(&k->scratch);
    if (!take_run(k, d, row)) return false;
    if (row->explored && !read_candidates(k, d, row)) return false;
    l->n++;
    return true;
}

/* By time; of one moment the runs in their order, which is that of their names. */
static int compare_rows(const void *a, const void *b)
{
    const logged_row *x = a, *y = b;
    if (x->time_us != y->time_us) return x->time_us < y->time_us ? -1 : 1;
    int by_run = strcmp(x->run, y->run);
    if (by_run != 0) return by_run;
    return (x->n_candidates < y->n_candidates) - (x->n_candidates > y->n_candidates);
}

/* Of the rows of one shopper from `first` on, drops those that a later run repeats. Several
 * promotions of one run at one moment stay. */
static void drop_repeated(decision_log *l, size_t first)
{
    size_t n = first;
    for (size_t i = first; i < l->n; i++) {
        bool repeated = false;
        for (size_t k = i + 1; k < l->n && l->row[k].time_us == l->row[i].time_us; k++)
            repeated = repeated || strcmp(l->row[k].run, l->row[i].run) != 0;
        if (!repeated) l->row[n++] = l->row[i];
    }
    l->n = n;
}

/* Of the rows from `first` on, drops those that were read to see what they repeat, and no more. */
static void drop_certain(decision_log *l, size_t first)
{
    size_t n = first;
    for (size_t i = first; i < l->n; i++)
        if (l->row[i].explored) l->row[n++] = l->row[i];
    l->n = n;
}

/* Runs in which anybody's lot was drawn. */
static pf_status mark_explored(decision_log *l, pf_error *err)
{
    uint8_t *drew = mem_alloc_zero((size_t)intern_count(l->runs) + 1, 1);
    if (drew == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for runs");
    for (size_t i = 0; i < l->n; i++) {
        const logged_row *row = &l->row[i];
        if (row->holdout || !is_lot(row->propensity)) continue;
        drew[intern_find(l->runs, row->run, strlen(row->run))] = 1;
        l->lots++;
    }
    for (size_t i = 0; i < l->n; i++)
        l->row[i].explored = drew[intern_find(l->runs, l->row[i].run, strlen(l->row[i].run))];
    mem_free(drew);
    return PF_OK;
}

static bool was_exposed(const shop_history *h, const logged_row *row)
{
    if (row->shopper > h->n_shoppers) return false;
    for (uint64_t i = h->first[row->shopper]; i < h->first[row->shopper + 1]; i++)
        if (h->type[i] == EVENT_EXPOSURE && h->promotion[i] == row->promotion &&
            h->time_us[i] >= row->time_us - US_PER_DAY &&
            h->time_us[i] < row->time_us + DECISION_LOG_SENT_DAYS * US_PER_DAY)
            return true;
    return false;
}

static void count_sent(decision_log *l, const shop_history *h)
{
    for (size_t i = 0; i < l->n; i++) {
        if (l->row[i].promotion == 0 || !l->row[i].explored) continue;
        l->sent++;
        l->seen += was_exposed(h, &l->row[i]);
    }
}

bool decision_log_was_sent(const decision_log *l)
{
    return l->sent < DECISION_LOG_FEW_SENT || 2 * l->seen >= l->sent;
}

pf_status decision_log_read(decision_log *l, const proffer *p, int64_t until_us,
                            decision_kinds kinds, pf_error *err)
{
    *l = (decision_log){.n = 0};
    arena_init(&l->memory, (size_t)LIMIT_REPORT_BYTES * 32);
    l->runs = intern_new(DECISION_LOG_MOST);
    if (l->runs == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for the log of decisions");
    reading k = {.l = l,
                 .p = p,
                 .until_us = until_us,
                 .kinds = kinds,
                 .status = PF_OK,
                 .err = err};
    arena_init(&k.scratch, 8 * (size_t)LIMIT_JSON_BYTES);
    for (uint32_t i = 1; k.status == PF_OK && i <= p->catalogue->n_shoppers; i++) {
        size_t first = l->n;
        pf_status s = workspace_visit_shopper_decisions(p, i, take, &k, err);
        if (k.status == PF_OK) k.status = s;
        if (l->n - first > 1) {
            qsort(l->row + first, l->n - first, sizeof *l->row, compare_rows);
            drop_repeated(l, first);
        }
        drop_certain(l, first);
    }
    arena_free(&k.scratch);
    if (k.status == PF_OK) k.status = mark_explored(l, err);
    if (k.status == PF_OK) count_sent(l, p->history);
    if (k.status != PF_OK) decision_log_free(l);
    return k.status;
}

void decision_log_free(decision_log *l)
{
    mem_free(l->row);
    mem_free(l->policy);
    intern_free(l->runs);
    arena_free(&l->memory);
    *l = (decision_log){.n = 0};
}
