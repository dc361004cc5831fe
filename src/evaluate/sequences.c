/* Names become kinds first, so that a slip of the hand is told before any work is done. */
#include "evaluate/sequences.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "evaluate/item_side.h"

enum { KINDS_MAX = 32, NAME_BYTES = 64 };

sequence_options sequence_options_default(void)
{
    return (sequence_options){
        .models = "popularity,item-knn,transitions,blend", .k = 10, .seed = 1};
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
    const char *choices[KINDS_MAX + GROUPS + 1];
    size_t n = 0;
    for (; n < KINDS_MAX && recommender_kind_at(n) != NULL; n++)
        choices[n] = recommender_kind_at(n)->name;
    for (size_t g = 0; g < GROUPS; g++)
        choices[n++] = groups[g].name;
    choices[n++] = "all";
    const char *near = text_closest(name, choices, n);
    return error_set(err, PF_USAGE, "no model is called '%s'%s%s%s", name,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
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

typedef struct comparison {
    const sequence_options *options;
    const sequence_report *report;
    const loo_split *split;
    recommend_input given;
    kind_list members; /* fitted so far: what a blend combines */
} comparison;

static bool is_absence(pf_status s)
{
    return s == PF_UNAVAILABLE || s == PF_LIMIT;
}

static pf_status compare(comparison *c, const recommender_kind *kind, pf_error *err)
{
    recommender *model = NULL;
    loo_result result;
    double train_s = 0;
    pf_error why = {0};
    bool blend = strcmp(kind->name, "blend") == 0;
    recommend_input given = c->given;
    given.members = blend && c->members.n > 0 ? c->members.kind : NULL;
    given.n_members = c->members.n;
    pf_status s = loo_fit(c->split, kind, &given, &model, &train_s, &why);
    if (is_absence(s) && c->report->absent != NULL) {
        c->report->absent(c->report->context, kind->name, &why);
        return PF_OK;
    }
    if (s != PF_OK) return error_pass(err, &why);
    if (!blend) add_kind(&c->members, kind);
    s = loo_measure(c->split, model, c->options->k, c->options->threads, &result, err);
    result.train_s = train_s;
    if (s == PF_OK) s = c->report->result(c->report->context, &result, model, err);
    recommender_free(model);
    return s;
}

/* The blend last, so that it can combine all others; reports still come in that order. */
static void blend_last(kind_list *list)
{
    for (size_t i = 0; i + 1 < list->n; i++) {
        const recommender_kind *kind = list->kind[i];
        if (strcmp(kind->name, "blend") != 0) continue;
        memmove(list->kind + i, list->kind + i + 1,
                (list->n - 1 - i) * sizeof list->kind[0]);
        list->kind[list->n - 1] = kind;
    }
}

pf_status evaluate_sequences(const sequence_set *set, const item_texts *texts,
                             const sequence_options *options,
                             const sequence_report *report, pf_error *err)
{
    kind_list kinds;
    interactions all;
    uint32_t *product = NULL;
    loo_split *split = NULL;
    item_side *side = NULL;
    pf_status s = read_names(&kinds, options->models, err);
    if (s != PF_OK) return s;
    blend_last(&kinds);
    s = view_set(set, &product, &all, err);
    if (s == PF_OK) s = loo_split_new(&all, options->repeats, &split, err);
    if (s == PF_OK && texts != NULL)
        s = item_side_new(&side, texts, options->encoder, options->cache,
                          options->threads, options->shown, err);
    comparison c = {.options = options,
                    .report = report,
                    .split = split,
                    .given = {.side = side ? &side->side : NULL,
                              .seed = options->seed,
                              .pool = options->threads}};
    for (size_t i = 0; i < kinds.n && s == PF_OK; i++)
        s = compare(&c, kinds.kind[i], err);
    item_side_free(side);
    loo_split_free(split);
    mem_free(product);
    return s;
}
