/* Choosing among learners of lifts (response/effect_choice.h). */
#include "response/effect_choice.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "response/uplift_choice.h"

/* --- lifts of rows not seen ----------------------------------------------------------- */

typedef struct choosing {
    const effect_rows *r;
    const effect_measure *m;
    const effect_options *o;
    double *lift[EFFECT_WAYS]; /* [N] */
    bool failed[EFFECT_WAYS];  /* did not learn from every fold */
    uint8_t *use;
} choosing;

static void choosing_free(choosing *k)
{
    mem_free(k->use);
    for (int w = 0; w < EFFECT_WAYS; w++)
        mem_free(k->lift[w]);
}

static pf_status choosing_new(choosing *k, pf_error *err)
{
    const size_t n = k->r->n;
    bool whole = true;
    k->use = mem_alloc(n, 1);
    for (int w = 0; w < EFFECT_WAYS; w++) {
        k->lift[w] = mem_alloc_zero(n, sizeof *k->lift[w]);
        whole &= k->lift[w] != NULL;
    }
    if (whole && k->use) return PF_OK;
    choosing_free(k);
    return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", n);
}

static pf_status share_without(choosing *k, int fold, pf_error *err)
{
    const effect_rows *r = k->r;
    effect_belief b;
    const effect_prior prior = {k->o->prior_mean, k->o->prior_deviation};
    double mean[EFFECT_MOST_KINDS];
    for (size_t i = 0; i < r->n; i++)
        k->use[i] = k->m->fold[i] != fold;
    pf_status s = effect_belief_form(&b, r, k->m->gain, k->m->use, k->use, &prior, err);
    k->failed[EFFECT_SHARE] |= s == PF_DATA;
    if (s != PF_OK) return s == PF_DATA ? PF_OK : s;
    for (size_t kind = 0; kind < b.kinds; kind++)
        mean[kind] = effect_belief_mean(&b, kind);
    for (size_t i = 0; i < r->n; i++)
        if (!k->use[i]) k->lift[EFFECT_SHARE][i] = mean[r->kind[i]] * fmax(0, k->m->expected[i]);
    return PF_OK;
}

static pf_status others_without(choosing *k, int fold, pf_error *err)
{
    pf_status s = PF_OK;
    for (int w = EFFECT_SHARE + 1; s == PF_OK && w < EFFECT_WAYS; w++) {
        uplift_learner l;
        s = effect_learner_fit(&l, k->r, k->m, fold, (effect_way)w, k->o, err);
        if (s == PF_OK) s = effect_learner_say(&l, k->r, k->m, fold, k->lift[w], err);
        uplift_learner_free(&l);
        k->failed[w] |= s == PF_DATA;
        if (s == PF_DATA) s = PF_OK;
    }
    return s;
}

/* --- what sending by them brings ------------------------------------------------------ */

static double brings(const choosing *k, size_t i, double lift)
{
    const effect_options *o = k->o;
    const double give = k->m->give;
    const double cost = o->contact_minor + give * fmax(0, k->m->expected[i]);
    if (!(o->margin * lift > cost)) return 0;
    return o->margin * k->m->gain[i] - k->m->weight[i] * o->contact_minor - give * k->m->use[i];
}

static pf_status compare(choosing *k, effect_choice *c, pf_error *err)
{
    const effect_rows *r = k->r;
    pf_status s = PF_OK;
    effect_ratio ratio;
    double *worth = mem_alloc(r->n, (EFFECT_WAYS + 1) * sizeof *worth);
    if (worth == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", r->n);
    double *less = worth + EFFECT_WAYS * r->n;
    int best = EFFECT_SHARE;
    for (int w = 0; s == PF_OK && w < EFFECT_WAYS; w++) {
        double *own = worth + (size_t)w * r->n;
        for (size_t i = 0; i < r->n; i++)
            own[i] = brings(k, i, k->lift[w][i]);
        s = effect_ratio_of(&ratio, r, own, k->m->weight, EFFECT_ALL_KINDS, NULL, err);
        c->reached[w] = k->failed[w] ? NAN : ratio.value;
        if (isfinite(c->reached[w]) &&
            !(isfinite(c->reached[best]) && c->reached[best] >= c->reached[w]))
            best = w;
    }
    c->chosen = (effect_way)best;
    for (int w = EFFECT_WAYS - 1; s == PF_OK && w >= 0; w--) {
        if (!isfinite(c->reached[w])) continue;
        for (size_t i = 0; i < r->n; i++)
            less[i] = worth[(size_t)best * r->n + i] - worth[(size_t)w * r->n + i];
        s = effect_ratio_of(&ratio, r, less, k->m->weight, EFFECT_ALL_KINDS, NULL, err);
        c->behind[w] = ratio.value;
        c->error[w] = ratio.error;
        if (w < best && ratio.value <= ratio.error) c->chosen = (effect_way)w;
    }
    mem_free(worth);
    return s;
}

/* Rows and spenders of the smaller side: below, folds tell learners apart by chance alone. */
static bool too_few(const effect_rows *r)
{
    size_t rows[2] = {0, 0}, spent[2] = {0, 0};
    for (size_t i = 0; i < r->n; i++) {
        rows[r->sent[i]]++;
        spent[r->sent[i]] += r->spend[i] > 0;
    }
    for (int side = 0; side < 2; side++)
        if (rows[side] < UPLIFT_FEW_ROWS || spent[side] < UPLIFT_FEW_ANSWERS) return true;
    return false;
}

pf_status effect_choose(effect_choice *c, const effect_rows *r, const effect_measure *m,
                        const effect_options *o, double *lift, pf_error *err)
{
    choosing k = {.r = r, .m = m, .o = o};
    *c = (effect_choice){.chosen = EFFECT_SHARE};
    for (int w = 0; w < EFFECT_WAYS; w++)
        c->reached[w] = c->behind[w] = c->error[w] = NAN;
    if (too_few(r)) return PF_OK;
    pf_status s = choosing_new(&k, err);
    if (s != PF_OK) return s;
    for (int fold = 0; s == PF_OK && fold < EFFECT_FOLDS; fold++) {
        s = share_without(&k, fold, err);
        if (s == PF_OK) s = others_without(&k, fold, err);
    }
    if (s == PF_OK) s = compare(&k, c, err);
    c->by_folds = true;
    if (s == PF_OK && c->chosen != EFFECT_SHARE)
        memcpy(lift, k.lift[c->chosen], r->n * sizeof *lift);
    choosing_free(&k);
    return s;
}
