/* Fitting, asking and describing the funnel (response/funnel.h). */
#include "response/funnel.h"

#include <math.h>

#include "base/json.h"
#include "base/memory.h"
#include "response/funnel_inner.h"
#include "response/model.h"

enum { LEAST_MOST_ROWS = 100, SCORE_PAIRS = 50000 };

static const char *const step_names[FUNNEL_STEPS] = {"view", "click", "convert"};
static const char *const way_names[FUNNEL_WAYS] = {"rate", "line", "line-platt", "trees",
                                                   "trees-platt"};

const char *funnel_step_name(funnel_step step)
{
    return step_names[step];
}

funnel_options funnel_options_default(void)
{
    return (funnel_options){.uplift = true, .most_rows = FUNNEL_MOST_ROWS, .seed = 1};
}

void funnel_free(funnel *f)
{
    if (f == NULL) return;
    for (int step = 0; step < FUNNEL_STEPS; step++)
        funnel_part_free(&f->part[step]);
    mem_free(f);
}

/* --- fitting ------------------------------------------------------------------------ */

static pf_status check_options(const funnel_options *o, pf_error *err)
{
    if (o->most_rows < LEAST_MOST_ROWS || o->most_rows > FUNNEL_MOST_ROWS)
        return error_set(err, PF_USAGE, "%zu messages to learn from: %d to %d may be asked for",
                         o->most_rows, LEAST_MOST_ROWS, FUNNEL_MOST_ROWS);
    if (o->n_log > 0 && o->log == NULL)
        return error_set(err, PF_USAGE, "a log that is not there");
    return PF_OK;
}

/* Where no view was ever told, clicks alone say nothing of who looked. */
static bool has_views(const response_data *d, int64_t until_us)
{
    const shop_history *h = d->world.history;
    for (uint64_t i = h->first[1]; i < h->n; i++)
        if (h->type[i] == EVENT_VIEW && h->time_us[i] < until_us &&
            (h->promotion[i] != 0 || h->campaign[i] != 0))
            return true;
    return false;
}

static channel usual_of(const funnel_rows *r)
{
    size_t by[CHANNEL_COUNT] = {0};
    int best = CHANNEL_NONE;
    for (size_t i = 0; i < r->n; i++)
        by[r->pair[i].channel]++;
    for (int b = 0; b < CHANNEL_COUNT; b++)
        if (by[b] > by[best]) best = b;
    return (channel)best;
}

static pf_status learn(funnel *f, const funnel_rows *r, const response_data *d,
                       const funnel_options *o, pf_error *err)
{
    const int threads = d->world.pool ? (int)pool_threads(d->world.pool) : 1;
    const bool views = has_views(d, f->until_us);
    pf_status s = PF_OK;
    f->rows = r->n;
    f->messages = r->messages;
    f->usual = usual_of(r);
    for (int step = 0; s == PF_OK && step < FUNNEL_STEPS; step++)
        if (step != FUNNEL_VIEW || views)
            s = funnel_part_learn(&f->part[step], r, (funnel_step)step, threads, o->seed, err);
    if (s == PF_OK && o->uplift && f->part[FUNNEL_CONVERT].known)
        s = funnel_uplift_learn(&f->convert, d, f->until_us, o, err);
    return s;
}

pf_status funnel_fit(funnel **out, const response_data *d, int64_t until_us,
                     const funnel_options *o, pf_error *err)
{
    funnel_making k = {.d = d};
    funnel_rows r = {.n = 0};
    *out = NULL;
    pf_status s = check_options(o, err);
    if (s != PF_OK) return s;
    funnel *f = mem_alloc_zero(1, sizeof *f);
    if (f == NULL) return error_set(err, PF_NO_MEMORY, "no memory for a funnel");
    f->until_us = until_us;
    f->view = k.view = effect_view_of(&d->world, until_us);
    s = effect_scope_new(&k.scope, d->world.catalogue, err);
    if (s == PF_OK) s = funnel_rows_make(&r, &k, until_us, o->most_rows, err);
    if (s == PF_OK && r.n < FUNNEL_LEAST_ROWS)
        s = error_set(err, PF_DATA, "%zu promotions were shown %d days ago or longer, at least %d "
                      "are needed to learn what follows; import exposures", r.n,
                      FUNNEL_WINDOW_DAYS, FUNNEL_LEAST_ROWS);
    if (s == PF_OK) s = learn(f, &r, d, o, err);
    funnel_rows_free(&r);
    effect_scope_free(&k.scope);
    if (s == PF_OK) *out = f;
    else funnel_free(f);
    return s;
}

/* --- what it says ------------------------------------------------------------------- */

bool funnel_knows(const funnel *f, funnel_step step)
{
    return f->part[step].known;
}

bool funnel_knows_uplift(const funnel *f, funnel_step step)
{
    return funnel_knows(f, step) && (step != FUNNEL_CONVERT || f->convert.known);
}

effect_basis funnel_uplift_basis(const funnel *f, funnel_step step)
{
    return step == FUNNEL_CONVERT && f->convert.known ? f->convert.basis : EFFECT_EITHER;
}

double funnel_share_added(const funnel *f, funnel_step step)
{
    return step == FUNNEL_CONVERT && f->convert.known ? f->convert.share : 1;
}

funnel_figures funnel_figures_of(const funnel *f, funnel_step step)
{
    return f->part[step].figures;
}

/* One block of shoppers; said [2 x pairs] and x are scratch. */
static pf_status score_block(const funnel *f, funnel_making *k, const response_question *q,
                             channel by, funnel_step step, float *x, double *said, float *chance,
                             pf_error *err)
{
    const size_t n = q->n_shoppers * q->n_promotions;
    const bool capped = step == FUNNEL_CLICK && f->part[FUNNEL_VIEW].known;
    pf_status s = funnel_features(k, q, by, x, err);
    if (s == PF_OK) s = funnel_part_expect(&f->part[step], x, n, said, err);
    if (s == PF_OK && capped)
        s = funnel_part_expect(&f->part[FUNNEL_VIEW], x, n, said + n, err);
    for (size_t i = 0; s == PF_OK && i < n; i++)
        chance[i] = (float)(capped ? fmin(said[i], said[n + i]) : said[i]);
    return s;
}

pf_status funnel_score(const funnel *f, const response_data *d, const funnel_ask *ask,
                       funnel_step step, float *chance, pf_error *err)
{
    const response_ask *of = &ask->response;
    const channel by = ask->channel == CHANNEL_NONE ? f->usual : ask->channel;
    funnel_making k = {.d = d, .view = f->view};
    pf_status s = model_check_ask(d, of, err);
    if (s != PF_OK) return s;
    if (!funnel_knows(f, step))
        return error_set(err, PF_NOT_FOUND, "no %s ever followed a message: there is no chance of "
                         "one to tell", step_names[step]);
    const size_t P = of->n_promotions, most = SCORE_PAIRS / P + 1;
    const size_t S = of->n_shoppers < most ? of->n_shoppers : most;
    float *x = mem_alloc(S * P + 1, FUNNEL_FEATURES * sizeof *x);
    double *said = mem_alloc(S * P + 1, 2 * sizeof *said);
    if (x == NULL || said == NULL)
        s = error_set(err, PF_NO_MEMORY, "no memory for %zu pairs", S * P);
    if (s == PF_OK) s = effect_scope_new(&k.scope, d->world.catalogue, err);
    for (size_t from = 0; s == PF_OK && from < of->n_shoppers; from += S) {
        const size_t left = of->n_shoppers - from;
        const response_question q = {of->promotion, (uint32_t)P, of->shopper + from,
                                     left < S ? left : S, of->at_us};
        s = score_block(f, &k, &q, by, step, x, said, chance + from * P, err);
    }
    effect_scope_free(&k.scope);
    mem_free(x);
    mem_free(said);
    return s;
}

/* --- words -------------------------------------------------------------------------- */

static void say(json_writer *w, const char *key, double value)
{
    json_key(w, key);
    json_number(w, value);
}

static void say_words(json_writer *w, const char *key, const char *words)
{
    json_key(w, key);
    json_text(w, words);
}

static void say_figures(const funnel_figures *g, json_writer *w)
{
    json_key(w, "latest_tenth");
    json_object_begin(w);
    say(w, "rows", (double)g->rows);
    say(w, "answers", (double)g->answers);
    say(w, "auc", g->auc);
    say(w, "log_loss", g->log_loss);
    say(w, "ece", g->ece);
    say(w, "sum_p_over_sum_y", g->sum_ratio);
    json_object_end(w);
}

static void say_uplift(const funnel_uplift *u, json_writer *w)
{
    json_key(w, "uplift");
    json_object_begin(w);
    json_key(w, "known");
    json_boolean(w, u->known);
    if (u->known) {
        say_words(w, "basis", effect_basis_name(u->basis));
        say_words(w, "basis_words", effect_basis_words(u->basis));
        say(w, "share_added", u->share);
        say(w, "share_measured", u->raw);
        say(w, "share_measured_se", u->error);
        say(w, "rows", (double)u->rows);
        say(w, "sent", (double)u->sent);
    } else if (u->why[0] != 0) {
        say_words(w, "why", u->why);
    }
    json_object_end(w);
}

static void say_part(const funnel *f, funnel_step step, json_writer *w)
{
    const funnel_part *p = &f->part[step];
    json_key(w, step_names[step]);
    json_object_begin(w);
    json_key(w, "known");
    json_boolean(w, p->known);
    if (p->known) {
        say(w, "answers", (double)p->answers);
        say_words(w, "learner", way_names[p->way]);
        json_key(w, "log_loss_on_later_messages");
        json_object_begin(w);
        for (int way = 0; way < FUNNEL_WAYS; way++)
            if (isfinite(p->log_loss[way])) say(w, way_names[way], p->log_loss[way]);
        json_object_end(w);
        say_figures(&p->figures, w);
        if (step == FUNNEL_CONVERT) say_uplift(&f->convert, w);
    }
    json_object_end(w);
}

void funnel_describe(const funnel *f, json_writer *w)
{
    json_object_begin(w);
    say(w, "window_days", FUNNEL_WINDOW_DAYS);
    say(w, "messages", (double)f->messages);
    say(w, "rows", (double)f->rows);
    for (int step = 0; step < FUNNEL_STEPS; step++)
        say_part(f, (funnel_step)step, w);
    json_object_end(w);
}
