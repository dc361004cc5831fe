/*
 * A workspace from the inside: the handle behind include/proffer/proffer.h, and what the
 * verbs share. Every verb_*.c implements one or two calls of the public API.
 *
 * Snapshots are loaded on first use and dropped when the store's fingerprint has moved on,
 * so a long-lived handle sees what others imported.
 */
#ifndef PROFFER_ENGINE_WORKSPACE_H
#define PROFFER_ENGINE_WORKSPACE_H

#include "base/calendar.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/pool.h"
#include "engine/config.h"
#include "language/encoder.h"
#include "language/lexical.h"
#include "language/vectors.h"
#include "proffer/proffer.h"
#include "shop/catalogue.h"
#include "shop/history.h"
#include "store/store.h"

enum { WORKSPACE_PATH_BYTES = 4096 };

struct proffer {
    char folder[WORKSPACE_PATH_BYTES];
    config *config;
    store *store;
    zone *zone;  /* the shop's */
    pool *pool;  /* NULL until a verb asks for it */
    int threads; /* of the pool; 0 = one a processor */
    /* Snapshots; NULL until asked for. */
    shop_catalogue *catalogue;
    shop_history *history;
    fingerprint data; /* of the two above */
    /* Texts of the snapshot (texts.c); NULL and empty until asked for. */
    lexical *words;        /* document i = product i + 1 */
    vector_set products;   /* row i = product i + 1; centred */
    vector_set promotions; /* row i = promotion i + 1; centred by the products' mean */
    size_t texts_encoded;  /* how many the last workspace_vectors had to encode */
    encoder *encoder;
};

/* The public error is the inner one by another name (static asserts in workspace.c). */
static inline pf_error *inner(proffer_error *err)
{
    return (pf_error *)err;
}

/* Loads catalogue and history if they are absent or out of date, both of one moment. */
pf_status workspace_snapshot(proffer *p, pf_error *err);
/* How many threads the verb that begins may use; 0 = one a processor. Called before
 * anything borrows the pool; holds until it is called again. */
void workspace_use_threads(proffer *p, int threads);
/* The pool, made when it is first asked for; NULL, which runs in the caller, for one
 * thread. */
pool *workspace_pool(proffer *p);
/* folder/name into a buffer of WORKSPACE_PATH_BYTES. */
pf_status workspace_path(const proffer *p, const char *name, char *into, pf_error *err);
/* Opens the encoder the configuration asks for (p->encoder) if it is not open yet;
 * PF_UNAVAILABLE with advice when it is absent. */
pf_status workspace_encoder(proffer *p, pf_error *err);
/* The local encoder of a models folder (NULL or "": the usual places); no workspace is
 * needed. */
pf_status workspace_open_models(const char *configured, encoder **out, pf_error *err);
/* Fits p->words on the snapshot's products if that was not done yet. */
pf_status workspace_words(proffer *p, pf_error *err);
/* Fills p->products and p->promotions from the cache, encoding what is new. Opens the
 * encoder; PF_UNAVAILABLE where there is none, and then everything else still works. */
pf_status workspace_vectors(proffer *p, pf_error *err);
/* The same, but a missing encoder is one warning and PF_OK with empty sets. */
pf_status workspace_vectors_if_any(proffer *p, pf_error *err);
/* Gives back what was made of the snapshot's texts. */
void workspace_drop_texts(proffer *p);
/* The shopper's number, or PF_NOT_FOUND with a word. Needs a snapshot. */
pf_status workspace_shopper(const proffer *p, const char *id, uint32_t *out,
                            pf_error *err);
/* Visits the decisions of a run (NULL: the latest) about a shopper (0: all). Needs a
 * snapshot, to which the visitor may apply the records' numbers: PF_BUSY when another
 * process has decided since about shoppers or promotions that it does not know.
 * PF_NOT_FOUND with a word when there is no run. */
pf_status workspace_visit_decisions(const proffer *p, const char *run, uint32_t shopper,
                                    store_decision_visitor *visit, void *context,
                                    pf_error *err);
/* The same for one shopper and all runs, oldest first. */
pf_status workspace_visit_shopper_decisions(const proffer *p, uint32_t number,
                                            store_decision_visitor *visit, void *context,
                                            pf_error *err);
/* The campaign's number, or PF_NOT_FOUND with the id that was meant. Needs a snapshot. */
pf_status workspace_campaign(const proffer *p, const char *id, uint32_t *out,
                             pf_error *err);
/* Keeps a result under a name, for the report. */
pf_status workspace_keep_document(proffer *p, const char *name, const char *json,
                                  pf_error *err);
/* ISO 8601 in the shop's zone -> us; NULL gives fallback. */
pf_status workspace_time(const proffer *p, const char *when, int64_t fallback,
                         int64_t *out, pf_error *err);

/* A result under way: a buffer and its writer.
 *     verb_result r; verb_begin(&r); json_object_begin(&r.w); ...
 *     return verb_end(&r, json, err);           // hands the text over, or PF_LIMIT */
typedef struct verb_result {
    buffer text;
    json_writer w;
} verb_result;
void verb_begin(verb_result *r);
pf_status verb_end(verb_result *r, char **json, pf_error *err);
/* Members in one line. */
void verb_text(verb_result *r, const char *key, const char *value);
void verb_number(verb_result *r, const char *key, double value);
void verb_integer(verb_result *r, const char *key, int64_t value);
/* An amount as text with its currency: "4.58". null when absent. */
void verb_money(verb_result *r, const char *key, int64_t minor, const currency *c);
/* An instant as ISO 8601 UTC; null when absent. */
void verb_time(verb_result *r, const char *key, int64_t time_us);

#endif
