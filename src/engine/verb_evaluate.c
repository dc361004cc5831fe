/*
 * evaluate: the workspace's own predictions on weeks they had not seen. Campaigns that start
 * in the test period are each predicted by a model that knew only campaigns already over;
 * the products of the last month are predicted from what came before. The result is kept
 * for the report.
 */
#include "base/clock.h"
#include "base/log.h"
#include "engine/learned.h"
#include "engine/test_period.h"
#include "engine/training_shown.h"
#include "evaluate/next_products.h"
#include "evaluate/response_protocol.h"
#include "recommend/from_history.h"
#include "recommend/interactions.h"
#include "response/funnel.h"

enum { CUT = 10 };

proffer_evaluate_options proffer_evaluate_options_default(void)
{
    return (proffer_evaluate_options){.seed = 1};
}

/* What the parts of one evaluation share. */
typedef struct evaluation {
    proffer *p;
    learned learned;
    const proffer_evaluate_options *o;
    int64_t test_from_us;
    verb_result *r;
} evaluation;

/* --- response --------------------------------------------------------------------- */

/* Data without past campaigns cannot be judged; that is told, and the rest goes on. */
static pf_status measure_response(evaluation *e, pf_error *err)
{
    pf_error why = {.code = PF_OK};
    response_protocol *found = NULL;
    response_protocol_options o = response_protocol_options_default();
    o.from_us = e->test_from_us;
    o.last_us = e->p->history->last_time_us + 1;
    o.threads = workspace_pool(e->p);
    o.seed = e->o->seed;
    o.replicates = e->o->bootstrap > 0 ? (unsigned)e->o->bootstrap
                                       : (unsigned)e->p->config->bootstrap_replicates;
    pf_status s = learned_data(&e->learned, &why);
    if (s == PF_OK) s = response_protocol_run(&found, e->learned.data, &o, &why);
    if (s == PF_DATA || s == PF_NOT_FOUND) {
        log_line(LOG_WARNING, "response is not judged: %s", why.message);
        return PF_OK;
    }
    if (s == PF_OK) response_protocol_write(found, &e->r->w);
    response_protocol_free(found);
    return s == PF_OK ? s : error_pass(err, &why);
}

/* --- what follows a message -------------------------------------------------------- */

/* On the latest tenth of the messages whose windows are over. Of too few nothing is said. */
static pf_status measure_funnel(evaluation *e, pf_error *err)
{
    pf_error why = {.code = PF_OK};
    funnel *f = NULL;
    funnel_options o = funnel_options_default();
    o.seed = (uint64_t)e->o->seed;
    pf_status s = learned_data(&e->learned, &why);
    if (s == PF_OK)
        s = funnel_fit(&f, e->learned.data, e->p->history->last_time_us + 1, &o, &why);
    if (s == PF_DATA || s == PF_NOT_FOUND) {
        log_line(LOG_INFO, "what follows a message is not judged: %s", why.message);
        return PF_OK;
    }
    if (s != PF_OK) return error_pass(err, &why);
    json_key(&e->r->w, "funnel");
    funnel_describe(f, &e->r->w);
    funnel_free(f);
    return PF_OK;
}

/* --- products --------------------------------------------------------------------- */

/* The weeks that products are predicted for: from..to. */
typedef struct window {
    int64_t from_us, to_us;
} window;

static int64_t month_start(const proffer *p, int64_t time_us, int months)
{
    calendar_time t = calendar_from_us(time_us, p->zone);
    int month = t.month - 1 + months;
    t.year += month < 0 ? -1 : month / 12;
    t.month = (month + 12) % 12 + 1;
    t.day = 1;
    t.hour = t.minute = t.second = t.microsecond = 0;
    return calendar_to_us(&t, p->zone, ZONE_REPEAT_EARLIER);
}

/* The last calendar month that the data hold to its end, within two days; where they do
 * not begin before it, the last quarter of what there is. */
static window last_month(const proffer *p)
{
    int64_t first = p->history->first_time_us, last = p->history->last_time_us;
    window w = {month_start(p, last, 0), month_start(p, last, 1)};
    if (last < w.to_us - 2 * US_PER_DAY)
        w = (window){month_start(p, last, -1), w.from_us};
    if (first >= w.from_us)
        w = (window){last - (last - first) / 4, last + 1};
    return w;
}

static pf_status measure_products(evaluation *e, pf_error *err)
{
    proffer *p = e->p;
    interactions_owned *x = NULL;
    product_side side;
    next_products_result found;
    pf_error why = {.code = PF_OK};
    window test = last_month(p);
    pf_status s = purchases_from_history(p->history, p->catalogue->n_products,
                                         e->learned.excluded, test.from_us, &x, err);
    if (s == PF_OK) s = learned_side(&e->learned, &side, err);
    if (s != PF_OK) {
        interactions_free(x);
        return s;
    }
    training_shown shown;
    const recommend_training how = {
        .settings = p->config->training[0] != 0 ? p->config->training : NULL,
        .hooks = training_show(&shown, "transformer")};
    next_products_task task = {.catalogue = p->catalogue,
                               .history = p->history,
                               .excluded = e->learned.excluded,
                               .from_us = test.from_us,
                               .to_us = test.to_us,
                               .repeats = learned_repeats(p, x),
                               .k = CUT,
                               .vectors = side.vectors,
                               .dimension = side.dimension,
                               .words = side.words,
                               .seed = e->o->seed,
                               .threads = workspace_pool(p),
                               .training = &how};
    s = next_products_measure(&task, &found, &why);
    training_shown_end(&shown);
    interactions_free(x);
    if (s == PF_DATA) {
        log_line(LOG_WARNING, "products are not judged: %s", why.message);
        return PF_OK;
    }
    if (s != PF_OK) return error_pass(err, &why);
    json_key(&e->r->w, "products");
    next_products_write_json(&e->r->w, &found);
    return PF_OK;
}

/* --- the verb --------------------------------------------------------------------- */

static pf_status measure_all(evaluation *e, pf_error *err)
{
    char day[TIME_TEXT_BYTES];
    double start_s = clock_wall_s();
    json_object_begin(&e->r->w);
    verb_text(e->r, "test_from", date_format(e->test_from_us, e->p->zone, day));
    pf_status s = measure_response(e, err);
    if (s == PF_OK) s = measure_funnel(e, err);
    if (s == PF_OK) s = measure_products(e, err);
    verb_number(e->r, "seconds", clock_wall_s() - start_s);
    json_object_end(&e->r->w);
    return s;
}

proffer_status proffer_evaluate(proffer *p, const proffer_evaluate_options *o,
                                char **json, proffer_error *err)
{
    verb_result r;
    evaluation e = {.p = p, .o = o, .r = &r};
    *json = NULL;
    workspace_use_threads(p, o->threads);
    pf_status s = workspace_snapshot(p, inner(err));
    if (s == PF_OK && p->history->n == 0)
        s = error_set(inner(err), PF_NOT_FOUND,
                      "there are no events yet; import some first");
    if (s == PF_OK) s = test_period_start(p, o->test_from, &e.test_from_us, inner(err));
    if (s == PF_OK) s = learned_open(&e.learned, p, inner(err));
    if (s != PF_OK) return (proffer_status)s;
    verb_begin(&r);
    s = measure_all(&e, inner(err));
    learned_close(&e.learned);
    if (s == PF_OK)
        s = verb_end(&r, json, inner(err));
    else
        buffer_free(&r.text);
    if (s == PF_OK) s = workspace_keep_document(p, "evaluation", *json, inner(err));
    if (s != PF_OK) {
        proffer_free(*json);
        *json = NULL;
    }
    return (proffer_status)s;
}
