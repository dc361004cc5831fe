/* Names become kinds, kinds are fitted and measured seed by seed, the blend after its members. */
#include "evaluate/comparison.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "evaluate/item_side.h"

enum { KINDS_MAX = 32, NAME_BYTES = 64 };

comparison_options comparison_options_default(void)
{
    return (comparison_options){.models = "popularity,item-knn,transitions,blend",
                                .k = 10,
                                .seed = 1,
                                .seeds = 1,
                                .copies = 1};
}

/* ---- names ---- */

typedef struct kind_list {
    const recommender_kind *kind[KINDS_MAX];
    size_t n;
} kind_list;

static void add_kind(kind_list *list, const recommender_kind *kind)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->kind[i] == kind) return;
    if (list->n < KINDS_MAX) list->kind[list->n++] = kind;
}

static const struct {
    const char *name;
    const char *members[4];
} groups[] = {{"counts", {"popularity", "transitions"}},
              {"text", {"words", "kin", "meaning"}}};
enum { GROUPS = sizeof groups / sizeof groups[0] };

static bool add_group(kind_list *list, const char *name)
{
    for (size_t g = 0; g < GROUPS; g++) {
        if (strcmp(groups[g].name, name) != 0) continue;
        for (size_t i = 0; groups[g].members[i] != NULL; i++)
            add_kind(list, recommender_find(groups[g].members[i]));
        return true;
    }
    if (strcmp(name, "all") != 0) return false;
    for (size_t i = 0; recommender_kind_at(i) != NULL; i++)
        add_kind(list, recommender_kind_at(i));
    return true;
}

static pf_status unknown(const char *name, pf_error *err)
{
    const char *more[GROUPS + 1];
    for (size_t g = 0; g < GROUPS; g++)
        more[g] = groups[g].name;
    more[GROUPS] = "all";
    return recommender_unknown(name, more, GROUPS + 1, err);
}

static pf_status add_name(kind_list *list, text word, pf_error *err)
{
    char name[NAME_BYTES];
    word = text_trim(word);
    if (word.n == 0 || word.n >= sizeof name)
        return error_set(err, PF_USAGE, "a model's name is empty or too long");
    memcpy(name, word.data, word.n);
    name[word.n] = '\0';
    if (add_group(list, name)) return PF_OK;
    const recommender_kind *kind = recommender_find(name);
    if (kind == NULL) return unknown(name, err);
    add_kind(list, kind);
    return PF_OK;
}

static pf_status read_names(kind_list *list, const char *names, pf_error *err)
{
    pf_status s = PF_OK;
    list->n = 0;
    for (const char *p = names; s == PF_OK; p++) {
        size_t n = strcspn(p, ",");
        s = add_name(list, (text){p, n}, err);
        p += n;
        if (*p == '\0') break;
    }
    return s;
}

/* The blend last, so that it can combine all others. */
static void blend_last(kind_list *list)
{
    for (size_t i = 0; i + 1 < list->n; i++) {
        const recommender_kind *kind = list->kind[i];
        if (!kind->combines) continue;
        memmove(list->kind + i, list->kind + i + 1,
                (list->n - 1 - i) * sizeof list->kind[0]);
        list->kind[list->n - 1] = kind;
    }
}

static bool has_trained(const kind_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->kind[i]->trained) return true;
    return false;
}

/* Copies are of trained kinds in a blend; a blend that stands alone has every kind. */
static pf_status check_copies(const kind_list *list, unsigned copies, pf_error *err)
{
    const bool blend = list->kind[list->n - 1]->combines;
    if (copies == 1 || (blend && (list->n == 1 || has_trained(list)))) return PF_OK;
    return error_set(err, PF_USAGE,
                     "copies are of the trained models in a blend, and there are none here: name "
                     "one and the blend, as in transformer,blend");
}

/* ---- fitting and measuring ---- */

typedef struct comparison {
    const comparison_options *options;
    const comparison_report *report;
    const loo_split *split;
    const product_side *side;
    kind_list kinds;
    bool blend;                     /* one is asked for: models are kept for it */
    bool absent[KINDS_MAX];         /* the data do not allow it */
    pf_error why;                   /* of the last that is absent */
    recommender *fitted[KINDS_MAX]; /* NULL until fitted, or when nobody needs it again */
    loo_result found[KINDS_MAX][COMPARISON_MAX_SEEDS];
} comparison;

/* Whether a kind gives other figures with another seed. */
static bool varies(const comparison *c, size_t i)
{
    if (c->kinds.kind[i]->trained) return true;
    for (size_t m = 0; c->kinds.kind[i]->combines && m < c->kinds.n; m++)
        if (c->kinds.kind[m]->trained && !c->absent[m]) return true;
    return c->kinds.kind[i]->combines && c->kinds.n == 1; /* of everything there is */
}

static bool is_absence(pf_status s)
{
    return s == PF_UNAVAILABLE || s == PF_LIMIT;
}

/* The blend's members: all models that were fitted, none at all when it stands alone. */
static size_t list_members(const comparison *c, const recommender_kind **kind,
                           recommender **fitted)
{
    size_t n = 0;
    for (size_t i = 0; i < c->kinds.n; i++) {
        if (c->fitted[i] == NULL || c->kinds.kind[i]->combines) continue;
        kind[n] = c->kinds.kind[i];
        fitted[n++] = c->fitted[i];
    }
    return n;
}

static pf_status fit_one(comparison *c, size_t i, unsigned seed, double *train_s,
                         pf_error *err)
{
    const recommender_kind *member[KINDS_MAX];
    recommender *fitted[KINDS_MAX];
    const recommender_kind *kind = c->kinds.kind[i];
    recommend_input given = {.side = c->side,
                             .seed = c->options->seed + seed,
                             .pool = c->options->threads,
                             .copies = c->options->copies,
                             .training = c->options->training};
    recommender_free(c->fitted[i]);
    c->fitted[i] = NULL;
    if (kind->combines && c->kinds.n > 1) {
        given.n_members = list_members(c, member, fitted);
        given.members = member;
        given.fitted = fitted;
    }
    if (c->report->begin != NULL)
        c->report->begin(c->report->context, kind->name, seed + 1, c->options->seeds);
    return loo_fit(c->split, kind, &given, &c->fitted[i], train_s, err);
}

static pf_status measure_one(comparison *c, size_t i, unsigned seed, pf_error *err)
{
    double train_s = 0;
    pf_error why = {0};
    pf_status s = fit_one(c, i, seed, &train_s, &why);
    /* One model that the data do not suit says nothing of the others. */
    const bool does_not_suit = s == PF_DATA && seed == 0 && c->kinds.n > 1;
    if ((is_absence(s) || does_not_suit) && c->report->absent != NULL) {
        c->report->absent(c->report->context, c->kinds.kind[i]->name, &why);
        c->absent[i] = true;
        c->why = why;
        return PF_OK;
    }
    if (s != PF_OK) return error_pass(err, &why);
    loo_result *r = &c->found[i][seed];
    s = loo_measure(c->split, c->fitted[i], c->options->k, c->options->threads, r, err);
    r->train_s = train_s;
    return s;
}

static pf_status tell(comparison *c, size_t i, unsigned seeds, pf_error *err)
{
    loo_result mean;
    loo_mean_of_seeds(c->found[i], seeds, &mean);
    return c->report->result(c->report->context, &mean, c->fitted[i], err);
}

/* All kinds with one seed; after the first, only those that vary. */
static pf_status run_seed(comparison *c, unsigned seed, pf_error *err)
{
    pf_status s = PF_OK;
    bool last = seed + 1 == c->options->seeds;
    for (size_t i = 0; i < c->kinds.n && s == PF_OK; i++) {
        bool varying = varies(c, i);
        if (c->absent[i] || (seed > 0 && !varying)) continue;
        s = measure_one(c, i, seed, err);
        if (s != PF_OK || c->absent[i]) continue;
        if (!varying || last) s = tell(c, i, varying ? c->options->seeds : 1, err);
        if (c->blend && !c->kinds.kind[i]->combines) continue;
        recommender_free(c->fitted[i]);
        c->fitted[i] = NULL;
    }
    return s;
}

static bool all_are_absent(const comparison *c)
{
    for (size_t i = 0; i < c->kinds.n; i++)
        if (!c->absent[i]) return false;
    return true;
}

static pf_status compare_all(comparison *c, pf_error *err)
{
    pf_status s = PF_OK;
    for (unsigned seed = 0; seed < c->options->seeds && s == PF_OK; seed++)
        s = run_seed(c, seed, err);
    if (s == PF_OK && all_are_absent(c)) s = error_pass(err, &c->why);
    for (size_t i = c->kinds.n; i-- > 0;) /* a blend before what it borrows */
        recommender_free(c->fitted[i]);
    return s;
}

static pf_status cut(const interactions *all, const comparison_options *o, loo_split **out,
                     pf_error *err)
{
    return o->protocol == COMPARE_BY_TIME
               ? loo_split_by_time(all, o->repeats, LOO_VALIDATION_FROM, LOO_TEST_FROM,
                                   out, err)
               : loo_split_new(all, o->repeats, out, err);
}

static pf_status check_options(const comparison_options *o, kind_list *kinds, pf_error *err)
{
    if (o->seeds < 1 || o->seeds > COMPARISON_MAX_SEEDS)
        return error_set(err, PF_USAGE, "%u seeds were asked for; 1 to %d are possible",
                         o->seeds, COMPARISON_MAX_SEEDS);
    pf_status s = read_names(kinds, o->models, err);
    if (s != PF_OK) return s;
    blend_last(kinds);
    return check_copies(kinds, o->copies, err);
}

pf_status compare_models(const interactions *all, const product_side *side,
                         const comparison_options *options,
                         const comparison_report *report, pf_error *err)
{
    loo_split *split = NULL;
    comparison *c = mem_alloc_zero(1, sizeof *c);
    if (c == NULL) return error_set(err, PF_NO_MEMORY, "out of memory");
    pf_status s = check_options(options, &c->kinds, err);
    if (s == PF_OK) s = cut(all, options, &split, err);
    c->options = options;
    c->report = report;
    c->split = split;
    c->side = side;
    c->blend = c->kinds.n > 0 && c->kinds.kind[c->kinds.n - 1]->combines;
    if (s == PF_OK) s = compare_all(c, err);
    loo_split_free(split);
    mem_free(c);
    return s;
}

/* ---- one file ---- */

/* The set as interactions: numbers count from 0. product is owned by the caller. */
static pf_status view_set(const sequence_set *set, uint32_t **product, interactions *out,
                          pf_error *err)
{
    *product = mem_alloc(set->n ? (size_t)set->n : 1, sizeof **product);
    if (*product == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %llu events",
                         (unsigned long long)set->n);
    for (uint64_t i = 0; i < set->n; i++)
        (*product)[i] = set->item[i] - 1;
    *out = (interactions){.n_users = set->n_users,
                          .n_products = set->n_items,
                          .n = set->n,
                          .first = set->first + 1,
                          .product = *product,
                          .time_us = set->time_us,
                          .rating = set->rating};
    return PF_OK;
}

/* Names are looked at first, so that a slip of the hand is told before any work is done. */
pf_status compare_on_file(const sequence_set *set, const item_texts *texts,
                          const comparison_options *options,
                          const comparison_report *report, pf_error *err)
{
    kind_list kinds;
    interactions all;
    uint32_t *product = NULL;
    item_side *side = NULL;
    pf_status s = check_options(options, &kinds, err);
    if (s == PF_OK) s = view_set(set, &product, &all, err);
    if (s == PF_OK && texts != NULL)
        s = item_side_new(&side, texts, options->encoder, options->cache,
                          options->threads, options->shown, err);
    if (s == PF_OK)
        s = compare_models(&all, side ? &side->side : NULL, options, report, err);
    item_side_free(side);
    mem_free(product);
    return s;
}
