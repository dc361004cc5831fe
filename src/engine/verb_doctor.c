/*
 * describe: what is in a workspace. doctor: what is missing or wrong with it, as a list of
 * checks, each with a verdict and what to do.
 */
#include <string.h>

#include "base/file.h"
#include "engine/learned.h"

static void write_counts(verb_result *r, const store_counts *n)
{
    json_key(&r->w, "counts");
    json_object_begin(&r->w);
    verb_integer(r, "products", (int64_t)n->products);
    verb_integer(r, "shoppers", (int64_t)n->shoppers);
    verb_integer(r, "campaigns", (int64_t)n->campaigns);
    verb_integer(r, "promotions", (int64_t)n->promotions);
    verb_integer(r, "scope_rows", (int64_t)n->scope_rows);
    verb_integer(r, "events", (int64_t)n->events);
    verb_integer(r, "decisions", (int64_t)n->decisions);
    json_object_end(&r->w);
    json_key(&r->w, "events_by_type");
    json_object_begin(&r->w);
    for (int t = 1; t < EVENT_TYPE_COUNT; t++)
        if (n->events_by_type[t] > 0)
            verb_integer(r, event_type_name((event_type)t),
                         (int64_t)n->events_by_type[t]);
    json_object_end(&r->w);
    verb_time(r, "first_event", n->events ? n->first_event_us : TIME_ABSENT);
    verb_time(r, "last_event", n->events ? n->last_event_us : TIME_ABSENT);
}

static void write_identity(const proffer *p, const fingerprint *data, verb_result *r)
{
    char name[FINGERPRINT_TEXT_BYTES];
    fingerprint_format(data, name);
    verb_text(r, "version", proffer_version());
    verb_text(r, "workspace", p->folder);
    verb_text(r, "shop", p->config->shop_name);
    verb_text(r, "currency", p->config->currency.code);
    verb_text(r, "time_zone", p->config->shop_time_zone);
    verb_integer(r, "schema_version", store_schema_version(p->store));
    verb_text(r, "data", name);
}

/* Opens the result and writes what describe and doctor share. */
static pf_status begin_description(proffer *p, store_counts *n, fingerprint *data,
                                   verb_result *r, pf_error *err)
{
    pf_status s = store_count(p->store, n, err);
    if (s == PF_OK) s = store_data_fingerprint(p->store, data, err);
    if (s != PF_OK) return s;
    verb_begin(r);
    json_object_begin(&r->w);
    write_identity(p, data, r);
    write_counts(r, n);
    return PF_OK;
}

proffer_status proffer_describe(proffer *p, char **json, proffer_error *err)
{
    verb_result r;
    store_counts n;
    fingerprint data;
    *json = NULL;
    pf_status s = begin_description(p, &n, &data, &r, inner(err));
    if (s != PF_OK) return (proffer_status)s;
    json_object_end(&r.w);
    return (proffer_status)verb_end(&r, json, inner(err));
}

/* --- doctor ----------------------------------------------------------------------- */

static void write_check(verb_result *r, const char *name, const char *verdict,
                        const char *words)
{
    json_object_begin(&r->w);
    verb_text(r, "check", name);
    verb_text(r, "verdict", verdict);
    verb_text(r, "words", words);
    json_object_end(&r->w);
}

static void check_data(verb_result *r, const store_counts *n)
{
    write_check(r, "products", n->products ? "ok" : "missing",
                n->products ? "there are products"
                            : "no products yet: proffer import products.csv");
    write_check(r, "events", n->events ? "ok" : "missing",
                n->events ? "there are events"
                          : "no events yet: proffer import events.csv");
    write_check(r, "promotions", n->promotions ? "ok" : "missing",
                n->promotions ? "there are promotions"
                              : "no promotions yet: nothing can be decided without them");
    bool exposed = n->events_by_type[EVENT_EXPOSURE] > 0;
    bool redeemed = n->events_by_type[EVENT_REDEMPTION] > 0;
    write_check(
        r, "responses", exposed && redeemed ? "ok" : "missing",
        exposed && redeemed
            ? "exposures and redemptions are there to learn response from"
            : "response is learnt from exposure and redemption events; there are none "
              "of one or both");
}

static void check_encoder(proffer *p, verb_result *r)
{
    pf_error why = {.code = PF_OK};
    if (workspace_encoder(p, &why) == PF_OK)
        write_check(r, "text encoder", "ok", encoder_describe(p->encoder));
    else
        write_check(r, "text encoder", "missing", why.message);
}

/* Reads the file as the verbs that use it do. */
typedef pf_status model_reader(const char *path, uint32_t products, pf_error *err);

static pf_status read_blend(const char *path, uint32_t products, pf_error *err)
{
    recommender *m = NULL;
    pf_status s = recommender_load(path, products, &m, err);
    recommender_free(m);
    return s;
}

static pf_status read_response(const char *path, uint32_t products, pf_error *err)
{
    response_model *m = NULL;
    (void)products;
    pf_status s = response_load(path, &m, err);
    response_free(m);
    return s;
}

static void check_model(const proffer *p, const fingerprint *data, const char *name,
                        const char *setting, model_reader *reader, uint32_t products,
                        verb_result *r)
{
    char path[WORKSPACE_PATH_BYTES];
    pf_error why = {.code = PF_OK};
    if (workspace_path(p, name, path, NULL) != PF_OK || !file_exists(path))
        write_check(r, name, "missing", "not trained yet: proffer train");
    else if (!learned_card_fits(data, setting, path, INT64_MAX))
        write_check(r, name, "stale",
                    "trained before the data or its setting changed: proffer train");
    else if (reader(path, products, &why) != PF_OK)
        write_check(r, name, "wrong", why.message);
    else
        write_check(r, name, "ok", "trained on the data there are now");
}

static pf_status check_store(proffer *p, verb_result *r, pf_error *err)
{
    pf_error why = {.code = PF_OK};
    pf_status s = store_check(p->store, &why);
    if (s == PF_OK)
        write_check(r, "store", "ok", "every page and every block is sound");
    else if (s == PF_DATA)
        write_check(r, "store", "wrong", why.message);
    else
        return error_set(err, s, "%s", why.message);
    return PF_OK;
}

proffer_status proffer_doctor(proffer *p, char **json, proffer_error *err)
{
    verb_result r;
    store_counts n;
    fingerprint data;
    char setting[LEARNED_SETTING_BYTES];
    *json = NULL;
    learned_setting(p->config, setting);
    pf_status s = begin_description(p, &n, &data, &r, inner(err));
    if (s != PF_OK) return (proffer_status)s;
    json_key(&r.w, "checks");
    json_array_begin(&r.w);
    s = check_store(p, &r, inner(err));
    check_data(&r, &n);
    check_encoder(p, &r);
    uint32_t products = (uint32_t)n.products;
    check_model(p, &data, BLEND_MODEL_NAME, setting, read_blend, products, &r);
    check_model(p, &data, RESPONSE_MODEL_NAME, p->config->learner, read_response, products,
                &r);
    json_array_end(&r.w);
    json_object_end(&r.w);
    if (s == PF_OK) return (proffer_status)verb_end(&r, json, inner(err));
    buffer_free(&r.text);
    return (proffer_status)s;
}
