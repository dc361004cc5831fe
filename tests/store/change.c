/* The large transaction of change.h. */
#include "store/change.h"

#include <stdio.h>

enum { EVENTS_BEFORE = 900, EVENTS_AFTER = 1300 };

static const model_kind kind = {.seed = 71,
                                .shoppers = 15,
                                .products = 9,
                                .promotions = 3,
                                .campaigns = 2,
                                .times = 800,
                                .unit_us = 1000000,
                                .anonymous = 40,
                                .repeats = 5};

static pf_status put_standing(store *s, pf_error *err)
{
    store_outcome outcome;
    char id[16];
    pf_status status = PF_OK;
    for (int i = 0; i < 20 && status == PF_OK; i++) {
        snprintf(id, sizeof id, "new-%d", i);
        const product_record p = {.id = text_of(id),
                                  .title = t("A new product"),
                                  .category = t("A > B"),
                                  .price_minor = 5};
        status = store_put_product(s, &p, &outcome, err);
    }
    const shopper_record who = {.id = t("new"), .consent_given = 2};
    const campaign_record in = {.id = t("new"), .starts_us = 1, .ends_us = 2};
    const promotion_record offer = {
        .id = t("new"), .campaign = t("new"), .value_minor = 5, .contact_cost_minor = 1};
    const scope_record pair = {t("new"), t("new-3")};
    if (status == PF_OK) status = store_put_shopper(s, &who, &outcome, err);
    if (status == PF_OK) status = store_put_campaign(s, &in, &outcome, err);
    if (status == PF_OK) status = store_put_promotion(s, &offer, &outcome, err);
    if (status == PF_OK) status = store_put_scope(s, &pair, &outcome, err);
    return status;
}

static pf_status put_events(store *s, uint64_t from, uint64_t to, size_t memory_bytes,
                            pf_error *err)
{
    store_event_rules rules = {STORE_UNKNOWN_CREATE, STORE_UNKNOWN_CREATE,
                               STORE_UNKNOWN_CREATE, STORE_UNKNOWN_CREATE, memory_bytes};
    store_event_writer *w;
    store_event_counts counts;
    store_outcome outcome;
    made_event e;
    pf_status status = store_events_begin(s, &rules, &w, err);
    if (status != PF_OK) return status;
    for (uint64_t i = from; i < to && status == PF_OK; i++) {
        model_make(&kind, i, &e);
        status = store_events_add(w, &e.r, &outcome, err);
    }
    if (status == PF_OK) return store_events_finish(w, NULL, NULL, &counts, err);
    store_events_abandon(w);
    return status;
}

static pf_status put_results(store *s, pf_error *err)
{
    const fingerprint e = fingerprint_of("e", 1);
    const float vector[64] = {1, 2, 3};
    const decision_record d = {.id = "d",
                               .run = "r",
                               .shopper = 1,
                               .reason = "none",
                               .message = "",
                               .candidates = "[]",
                               .versions = "{}"};
    const import_record made = {"f", "events", 1, 1, 0, 0, 0, 0, 5};
    pf_status status = store_put_vector(s, &e, &e, vector, 64, err);
    if (status == PF_OK) status = store_put_decision(s, &d, err);
    if (status == PF_OK) status = store_put_import(s, &made, err);
    if (status == PF_OK) status = store_put_document(s, "doc", "{}", 2, err);
    if (status == PF_OK) status = store_set_setting(s, "currency", "EUR", err);
    return status;
}

static pf_status do_all(store *s, pf_error *err)
{
    pf_status status = put_standing(s, err);
    if (status == PF_OK)
        status = put_events(s, EVENTS_BEFORE, EVENTS_AFTER, 32 << 10, err);
    if (status == PF_OK) status = store_forget_shopper(s, "s3", err);
    if (status == PF_OK) status = put_results(s, err);
    return status;
}

pf_status change_everything(store *s, pf_error *err)
{
    pf_status status = store_begin(s, err);
    if (status != PF_OK) return status;
    status = do_all(s, err);
    if (status == PF_OK) return store_commit(s, err);
    store_rollback(s);
    return status;
}

void change_prepare(fixture *f)
{
    must(store_begin(f->s, &f->err));
    must(put_events(f->s, 0, EVENTS_BEFORE, 8 << 20, &f->err));
    must(store_commit(f->s, &f->err));
}
