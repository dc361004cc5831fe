/*
 * Opening, making and closing a workspace, and the snapshots the verbs read.
 */
#include "engine/workspace.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/text.h"

_Static_assert(sizeof(proffer_error) == sizeof(pf_error), "one error, two names");
_Static_assert(offsetof(proffer_error, line) == offsetof(pf_error, line), "same layout");
_Static_assert(offsetof(proffer_error, column) == offsetof(pf_error, column),
               "same layout");
_Static_assert(offsetof(proffer_error, file) == offsetof(pf_error, file), "same layout");
_Static_assert(offsetof(proffer_error, message) == offsetof(pf_error, message),
               "same layout");
_Static_assert((int)PROFFER_NO_MEMORY == (int)PF_NO_MEMORY &&
                   (int)PROFFER_INTERNAL == (int)PF_INTERNAL,
               "same values");

const char *proffer_version(void)
{
    return PROFFER_VERSION;
}

void proffer_free(void *result)
{
    mem_free(result);
}

void proffer_set_quiet(int quiet)
{
    progress_set_quiet(quiet != 0);
    log_set_level(quiet != 0 ? LOG_ERROR : LOG_INFO);
}

/* --- making one ------------------------------------------------------------------- */

static pf_status write_configuration(const char *folder, const char *shop,
                                     const char *code, pf_error *err)
{
    char path[WORKSPACE_PATH_BYTES];
    char *yaml = NULL;
    currency known;
    if (!currency_find(code, strlen(code), &known))
        return error_set(err, PF_USAGE,
                         "'%s' is no ISO 4217 currency code such as EUR or CNY", code);
    pf_status s = file_join_path(path, sizeof path, folder, "proffer.yaml", err);
    if (s != PF_OK || file_exists(path)) return s;
    s = config_default_text(shop, known.code, &yaml, err);
    if (s == PF_OK) s = file_write_atomic(path, yaml, strlen(yaml), err);
    mem_free(yaml);
    return s;
}

proffer_status proffer_init(const char *folder, const char *shop,
                            const char *currency_code, proffer_error *err)
{
    proffer *p = NULL;
    pf_status s = file_make_folders(folder, inner(err));
    if (s == PF_OK)
        s = write_configuration(folder, shop ? shop : "My shop",
                                currency_code ? currency_code : "USD", inner(err));
    if (s == PF_OK) s = (pf_status)proffer_open(&p, folder, err);
    proffer_close(p);
    return (proffer_status)s;
}

/* --- opening ---------------------------------------------------------------------- */

/* The store remembers the currency its amounts are in; a configuration that names another
 * would reinterpret every one of them. */
static pf_status check_currency(proffer *p, pf_error *err)
{
    char code[8];
    pf_error why = {.code = PF_OK};
    pf_status s = store_get_setting(p->store, "currency", code, sizeof code, &why);
    if (s == PF_OK && strcmp(code, p->config->currency.code) != 0)
        return error_set(err, PF_USAGE,
                         "the store's amounts are in %s but proffer.yaml says %s; set "
                         "shop.currency back or import into a new workspace",
                         code, p->config->currency.code);
    if (s == PF_OK) return s;
    if (s != PF_NOT_FOUND) return error_pass(err, &why);
    s = store_begin(p->store, err);
    if (s != PF_OK) return s;
    s = store_set_setting(p->store, "currency", p->config->currency.code, err);
    if (s == PF_OK) return store_commit(p->store, err);
    store_rollback(p->store);
    return s;
}

static pf_status open_parts(proffer *p, pf_error *err)
{
    char path[WORKSPACE_PATH_BYTES];
    if (file_exists(p->folder) && !file_is_folder(p->folder))
        return error_set(err, PF_USAGE, "'%s' is a file; a workspace is a folder",
                         p->folder);
    pf_status s = config_load(&p->config, p->folder, err);
    if (s == PF_OK) s = zone_open(&p->zone, p->config->shop_time_zone, err);
    if (s == PF_OK) s = workspace_path(p, "proffer.db", path, err);
    if (s == PF_OK) s = store_open(&p->store, path, STORE_CREATE, err);
    if (s == PF_OK) store_set_wait(p->store, (int)p->config->store_wait_s * 1000);
    if (s == PF_OK) s = check_currency(p, err);
    return s;
}

proffer_status proffer_open(proffer **out, const char *folder, proffer_error *err)
{
    proffer *p = mem_alloc_zero(1, sizeof *p);
    *out = NULL;
    if (p == NULL)
        return (proffer_status)error_set(inner(err), PF_NO_MEMORY, "out of memory");
    size_t n = strlen(folder);
    pf_status s = PF_OK;
    if (n == 0 || n >= sizeof p->folder)
        s = error_set(inner(err), PF_USAGE, "the workspace's path is empty or too long");
    if (s == PF_OK) {
        memcpy(p->folder, folder, n + 1);
        s = open_parts(p, inner(err));
    }
    if (s != PF_OK)
        proffer_close(p);
    else
        *out = p;
    return (proffer_status)s;
}

static void drop_snapshot(proffer *p)
{
    workspace_drop_texts(p);
    catalogue_free(p->catalogue);
    history_free(p->history);
    p->catalogue = NULL;
    p->history = NULL;
}

void proffer_close(proffer *p)
{
    if (p == NULL) return;
    drop_snapshot(p);
    encoder_close(p->encoder);
    pool_free(p->pool);
    zone_free(p->zone);
    store_close(p->store);
    config_free(p->config);
    mem_free(p);
}

/* --- what the verbs share --------------------------------------------------------- */

static pf_status load_snapshot(proffer *p, pf_error *err)
{
    pf_status s = store_data_fingerprint(p->store, &p->data, err);
    if (s == PF_OK) s = store_load_catalogue(p->store, &p->catalogue, err);
    if (s == PF_OK) s = store_load_history(p->store, INT64_MAX, &p->history, err);
    if (s != PF_OK) drop_snapshot(p);
    return s;
}

pf_status workspace_snapshot(proffer *p, pf_error *err)
{
    fingerprint now;
    pf_status s = store_data_fingerprint(p->store, &now, err);
    if (s != PF_OK) return s;
    if (p->history != NULL && memcmp(&now, &p->data, sizeof now) == 0) return PF_OK;
    drop_snapshot(p);
    s = store_read_begin(p->store, err);
    if (s != PF_OK) return s;
    s = load_snapshot(p, err);
    store_read_end(p->store);
    return s;
}

void workspace_use_threads(proffer *p, int threads)
{
    if (threads == p->threads) return;
    pool_free(p->pool);
    p->pool = NULL;
    p->threads = threads;
}

pool *workspace_pool(proffer *p)
{
    if (p->pool == NULL && p->threads != 1)
        p->pool = pool_new(p->threads > 0 ? (unsigned)p->threads : 0);
    return p->pool;
}

pf_status workspace_path(const proffer *p, const char *name, char *into, pf_error *err)
{
    return file_join_path(into, WORKSPACE_PATH_BYTES, p->folder, name, err);
}

pf_status workspace_shopper(const proffer *p, const char *id, uint32_t *out,
                            pf_error *err)
{
    uint32_t number = intern_find(p->catalogue->shopper_ids, id, strlen(id));
    if (p->catalogue->n_shoppers == 0)
        return error_set(err, PF_NOT_FOUND,
                         "there are no shoppers yet; import some first");
    if (number == 0 || !p->catalogue->shoppers[number].exists)
        return error_set(err, PF_NOT_FOUND, "no shopper has the id '%s'", id);
    *out = number;
    return PF_OK;
}

pf_status workspace_campaign(const proffer *p, const char *id, uint32_t *out,
                             pf_error *err)
{
    enum { SUGGESTED = 200 };
    const shop_catalogue *c = p->catalogue;
    const char *ids[SUGGESTED];
    *out = intern_find(c->campaign_ids, id, strlen(id));
    if (*out != 0) return PF_OK;
    uint32_t n = c->n_campaigns < SUGGESTED ? c->n_campaigns : SUGGESTED;
    for (uint32_t i = 0; i < n; i++)
        ids[i] = c->campaigns[c->n_campaigns - i].id; /* the newest come last */
    const char *near = n > 0 ? text_closest(id, ids, n) : NULL;
    return error_set(err, PF_NOT_FOUND, "no campaign has the id '%s'%s%s%s", id,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

pf_status workspace_keep_document(proffer *p, const char *name, const char *json,
                                  pf_error *err)
{
    pf_status s = store_begin(p->store, err);
    if (s != PF_OK) return s;
    s = store_put_document(p->store, name, json, strlen(json), err);
    if (s == PF_OK) return store_commit(p->store, err);
    store_rollback(p->store);
    return s;
}

pf_status workspace_time(const proffer *p, const char *when, int64_t fallback,
                         int64_t *out, pf_error *err)
{
    time_rules rules = {.form = TIME_ANY, .local = p->zone};
    bool date_only;
    const char *why = "";
    *out = fallback;
    if (when != NULL && !time_parse(when, strlen(when), &rules, out, &date_only, &why))
        return error_set(err, PF_USAGE,
                         "'%s' is no time such as 2026-11-01 or "
                         "2026-11-01T09:00:00: %s",
                         when, why);
    return PF_OK;
}

typedef struct known_visit {
    const shop_catalogue *c;
    store_decision_visitor *visit;
    void *context;
    bool newer;
} known_visit;

static bool visit_known(void *context, const decision_record *d)
{
    known_visit *k = context;
    k->newer = d->shopper > k->c->n_shoppers || d->promotion > k->c->n_promotions;
    return !k->newer && k->visit(k->context, d);
}

pf_status workspace_visit_decisions(const proffer *p, const char *run, uint32_t number,
                                    store_decision_visitor *visit, void *context,
                                    pf_error *err)
{
    known_visit k = {p->catalogue, visit, context, false};
    pf_status s = store_visit_decisions(p->store, run, number, visit_known, &k, err);
    if (s == PF_NOT_FOUND && run == NULL)
        return error_set(err, s, "nothing was decided yet; run `proffer decide` first");
    if (s == PF_OK && k.newer)
        return error_set(err, PF_BUSY, "the store changed while it was read; try again");
    return s;
}

pf_status workspace_visit_shopper_decisions(const proffer *p, uint32_t number,
                                            store_decision_visitor *visit, void *context,
                                            pf_error *err)
{
    known_visit k = {p->catalogue, visit, context, false};
    pf_status s = store_visit_shopper_decisions(p->store, number, visit_known, &k, err);
    if (s == PF_OK && k.newer)
        return error_set(err, PF_BUSY, "the store changed while it was read; try again");
    return s;
}
