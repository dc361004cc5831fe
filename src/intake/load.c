/* Batches into the store; see load.h. */
#include "intake/load.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "intake/check.h"
#include "intake/summary.h"

/* An event's mark: where its row stands, to be told again by the store. */
enum { LINE_BITS = 40, FILE_BITS = 16 };

static uint64_t origin_of(size_t table, uint32_t file, uint64_t line)
{
    const uint64_t lines = (UINT64_C(1) << LINE_BITS) - 1;
    return (uint64_t)table << (LINE_BITS + FILE_BITS) | (uint64_t)file << LINE_BITS |
           (line & lines);
}

static pf_status no_memory(pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory while loading");
}

pf_status loader_open(loader *l, store *s, const intake_plan *plan,
                      const intake_options *options, intake_summary *summary,
                      pf_error *err)
{
    *l = (loader){.store = s, .plan = plan, .options = options, .summary = summary};
    l->rejects = mem_alloc_zero(plan->n_tables + 1, sizeof *l->rejects);
    return l->rejects != NULL ? store_count(s, &l->before, err) : no_memory(err);
}

void loader_close(loader *l)
{
    store_events_abandon(l->writer);
    for (size_t i = 0; l->rejects != NULL && i < l->plan->n_tables; i++)
        reject_file_close(l->rejects[i]);
    mem_free(l->rejects);
}

/* --- rejects ---------------------------------------------------------------------- */

/* The first reject of a table, for people who read no files. */
static bool note_first(intake_table_summary *t, const reject_row *r)
{
    char words[640], place[64] = "";
    if (t->first_reject[0] != 0) return true;
    if (r->column > 0) (void)snprintf(place, sizeof place, ":%u", r->column);
    (void)snprintf(words, sizeof words, "%.250s:%llu%s: %.250s", r->file,
                   (unsigned long long)r->line, place, r->message);
    return summary_set(&t->first_reject, words);
}

static pf_status reject(loader *l, size_t table, uint32_t file, reject_row *r,
                        pf_error *err)
{
    intake_table_summary *t = &l->summary->tables[table];
    r->file = t->files[file].file;
    t->files[file].counts.rejected++;
    t->by_reason[r->reason]++;
    if (!note_first(t, r)) return no_memory(err);
    if (l->options->rejects_folder == NULL) return PF_OK;
    if (l->rejects[table] == NULL) {
        const pf_status s =
            reject_file_open(&l->rejects[table], l->options->rejects_folder, t->label,
                             l->options->now_us, err);
        if (s != PF_OK) return s;
    }
    return reject_file_add(l->rejects[table], r, err);
}

static pf_status reject_item(loader *l, const batch_item *item, reject_reason reason,
                             const char *message, pf_error *err)
{
    reject_row r = {.line = item->line,
                    .column = item->column,
                    .reason = reason,
                    .message = message,
                    .raw = item->raw};
    return reject(l, l->table, item->file, &r, err);
}

pf_status loader_commit_rejects(loader *l, pf_error *err)
{
    for (size_t i = 0; i < l->plan->n_tables; i++) {
        intake_table_summary *t = &l->summary->tables[i];
        if (l->rejects[i] == NULL) continue;
        const pf_status s = reject_file_commit(l->rejects[i], err);
        if (s != PF_OK) return s;
        t->rejects_left_out = reject_file_left_out(l->rejects[i]);
        if (!summary_set(&t->rejects_file, reject_file_path(l->rejects[i])))
            return no_memory(err);
    }
    return PF_OK;
}

void loader_undo_rejects(loader *l)
{
    for (size_t i = 0; i < l->plan->n_tables; i++) {
        reject_file_undo(l->rejects[i]);
        l->summary->tables[i].rejects_file[0] = 0;
    }
}

/* --- references ------------------------------------------------------------------- */

/* Which tables some import has ever loaded rows of: only then is an id that is not there
 * more likely wrong than new. */
static bool note_loaded(void *context, const import_record *r)
{
    bool *loaded = context;
    const intake_table t = intake_table_parse(text_of(r->table));
    if (t < TABLE_COUNT && r->rows > r->rejected) loaded[t] = true;
    return true;
}

static bool creates(map_unknown rule, bool loaded)
{
    return rule == UNKNOWN_CREATE || (rule == UNKNOWN_AUTO && !loaded);
}

static pf_status resolve_unknowns(loader *l, pf_error *err)
{
    const map_unknowns *rules = &l->plan->tables[l->table].map->unknown;
    bool loaded[TABLE_COUNT] = {false};
    const pf_status s = store_visit_imports(l->store, note_loaded, loaded, err);
    if (s != PF_OK) return s;
    for (size_t i = 0; i < l->table; i++) /* of this import */
        loaded[l->plan->tables[i].map->table] = true;
    l->unknowns.create_shoppers = rules->shoppers != UNKNOWN_REJECT;
    l->unknowns.create_products = creates(rules->products, loaded[TABLE_PRODUCTS]);
    l->unknowns.create_promotions = creates(rules->promotions, loaded[TABLE_PROMOTIONS]);
    l->unknowns.create_campaigns = creates(rules->campaigns, loaded[TABLE_CAMPAIGNS]);
    return PF_OK;
}

/* The reason and the words for a reference that leads nowhere. */
static reject_reason unknown_words(store_outcome outcome, const any_record *r,
                                   intake_table table, char *into, size_t size)
{
    static const struct {
        reject_reason reason;
        const char *what, *many;
    } kinds[] = {
        [STORE_UNKNOWN_SHOPPER] = {REASON_UNKNOWN_SHOPPER, "shopper", "shoppers"},
        [STORE_UNKNOWN_PRODUCT] = {REASON_UNKNOWN_PRODUCT, "product", "products"},
        [STORE_UNKNOWN_PROMOTION] = {REASON_UNKNOWN_PROMOTION, "promotion", "promotions"},
        [STORE_UNKNOWN_CAMPAIGN] = {REASON_UNKNOWN_CAMPAIGN, "campaign", "campaigns"}};
    text id = {"", 0};
    if (table == TABLE_EVENTS)
        id = outcome == STORE_UNKNOWN_SHOPPER     ? r->event.shopper
             : outcome == STORE_UNKNOWN_PRODUCT   ? r->event.product
             : outcome == STORE_UNKNOWN_PROMOTION ? r->event.promotion
                                                  : r->event.campaign;
    else if (table == TABLE_SCOPE)
        id = outcome == STORE_UNKNOWN_PRODUCT ? r->scope.product : r->scope.promotion;
    else
        id = r->promotion.campaign;
    char words[SHOWN_BYTES];
    (void)snprintf(
        into, size,
        "%s: there is no %s '%s'; load %s before, or say unknown: {%s: create}",
        kinds[outcome].what, kinds[outcome].what, shown(id, words), kinds[outcome].many,
        kinds[outcome].many);
    return kinds[outcome].reason;
}

/* A bare thing of that id, where the mapping wants it made; *made false: it does not. */
static pf_status make_unknown(loader *l, store_outcome outcome, text id, bool *made,
                              pf_error *err)
{
    store_outcome ignored;
    *made = true;
    if (outcome == STORE_UNKNOWN_PRODUCT && l->unknowns.create_products) {
        const product_record r = {.id = id, .price_minor = MONEY_ABSENT};
        return store_put_product(l->store, &r, &ignored, err);
    }
    if (outcome == STORE_UNKNOWN_CAMPAIGN && l->unknowns.create_campaigns) {
        const campaign_record r = {
            .id = id, .starts_us = TIME_ABSENT, .ends_us = TIME_ABSENT};
        return store_put_campaign(l->store, &r, &ignored, err);
    }
    if (outcome == STORE_UNKNOWN_PROMOTION && l->unknowns.create_promotions) {
        const promotion_record r = {.id = id,
                                    .value_minor = MONEY_ABSENT,
                                    .minimum_purchase_minor = MONEY_ABSENT,
                                    .starts_us = TIME_ABSENT,
                                    .ends_us = TIME_ABSENT,
                                    .budget_minor = MONEY_ABSENT,
                                    .contact_cost_minor = MONEY_ABSENT};
        return store_put_promotion(l->store, &r, &ignored, err);
    }
    *made = false;
    return PF_OK;
}

/* --- standing data ---------------------------------------------------------------- */

static pf_status put_promotion(loader *l, const promotion_record *r,
                               store_outcome *outcome, pf_error *err)
{
    bool made = false;
    pf_status s = store_put_promotion(l->store, r, outcome, err);
    if (s == PF_OK && *outcome == STORE_UNKNOWN_CAMPAIGN)
        s = make_unknown(l, *outcome, r->campaign, &made, err);
    return s == PF_OK && made ? store_put_promotion(l->store, r, outcome, err) : s;
}

static pf_status put_scope(loader *l, const scope_record *r, store_outcome *outcome,
                           pf_error *err)
{
    bool made = true;
    pf_status s = PF_OK;
    /* Both of its references may be unknown, one after the other. */
    for (int tries = 0; s == PF_OK && made && tries < 3; tries++) {
        made = false;
        s = store_put_scope(l->store, r, outcome, err);
        if (s == PF_OK && *outcome >= STORE_UNKNOWN_SHOPPER)
            s = make_unknown(l, *outcome,
                             *outcome == STORE_UNKNOWN_PRODUCT ? r->product
                                                               : r->promotion,
                             &made, err);
    }
    return s;
}

static pf_status put_record(loader *l, intake_table table, const batch_item *item,
                            store_outcome *outcome, pf_error *err)
{
    const any_record *r = &item->record;
    switch (table) {
    case TABLE_PRODUCTS: return store_put_product(l->store, &r->product, outcome, err);
    case TABLE_SHOPPERS: return store_put_shopper(l->store, &r->shopper, outcome, err);
    case TABLE_CAMPAIGNS: return store_put_campaign(l->store, &r->campaign, outcome, err);
    case TABLE_PROMOTIONS: return put_promotion(l, &r->promotion, outcome, err);
    case TABLE_SCOPE: return put_scope(l, &r->scope, outcome, err);
    default: break;
    }
    event_record event = r->event;
    event.origin = origin_of(l->table, item->file, item->line);
    return store_events_add(l->writer, &event, outcome, err);
}

static pf_status take_record(loader *l, intake_table table, const batch_item *item,
                             pf_error *err)
{
    intake_counts *c = &l->summary->tables[l->table].files[item->file].counts;
    store_outcome outcome = STORE_SAME;
    char words[256];
    const pf_status s = put_record(l, table, item, &outcome, err);
    if (s != PF_OK) return s;
    switch (outcome) {
    case STORE_ADDED: c->added++; return PF_OK;
    case STORE_CHANGED: c->changed++; return PF_OK;
    case STORE_SAME: c->same++; return PF_OK;
    default: break;
    }
    const reject_reason reason =
        unknown_words(outcome, &item->record, table, words, sizeof words);
    return reject_item(l, item, reason, words, err);
}

/* --- events ----------------------------------------------------------------------- */

static void on_duplicate(void *context, uint64_t origin, bool same_content)
{
    loader *l = context;
    const size_t table = (size_t)(origin >> (LINE_BITS + FILE_BITS));
    const uint32_t file = (uint32_t)(origin >> LINE_BITS) & 0xffffu;
    intake_counts *c = &l->summary->tables[table].files[file].counts;
    c->added--;
    if (same_content) {
        c->duplicates++;
        return;
    }
    reject_row r = {.line = origin & ((UINT64_C(1) << LINE_BITS) - 1),
                    .reason = REASON_DUPLICATE_ID,
                    .message = "id: another event has this id",
                    .raw = {"", 0}};
    if (l->failed == PF_OK) l->failed = reject(l, table, file, &r, &l->why);
}

static pf_status finish_events(loader *l, pf_error *err)
{
    store_event_counts counts = {0};
    store_event_writer *w = l->writer;
    if (w == NULL) return PF_OK;
    l->writer = NULL;
    const pf_status s = store_events_finish(w, on_duplicate, l, &counts, err);
    if (s == PF_OK && l->failed != PF_OK && err != NULL) *err = l->why;
    return s != PF_OK ? s : l->failed;
}

static store_unknown event_rule(bool create)
{
    return create ? STORE_UNKNOWN_CREATE : STORE_UNKNOWN_REJECT;
}

static bool same_rules(const store_event_rules *a, const store_event_rules *b)
{
    return a->shopper == b->shopper && a->product == b->product &&
           a->promotion == b->promotion && a->campaign == b->campaign;
}

/* Tables with the same rules share a writer, so that all is sorted and written once. */
static pf_status begin_events(loader *l, pf_error *err)
{
    store_event_rules rules = store_event_rules_default();
    rules.shopper = event_rule(l->unknowns.create_shoppers);
    rules.product = event_rule(l->unknowns.create_products);
    rules.promotion = event_rule(l->unknowns.create_promotions);
    rules.campaign = event_rule(l->unknowns.create_campaigns);
    if (l->options->memory_bytes > 0) rules.memory_bytes = l->options->memory_bytes;
    if (l->writer != NULL && same_rules(&rules, &l->rules)) return PF_OK;
    const pf_status s = finish_events(l, err);
    if (s != PF_OK) return s;
    l->rules = rules;
    return store_events_begin(l->store, &rules, &l->writer, err);
}

/* --- batches ---------------------------------------------------------------------- */

pf_status loader_begin_table(loader *l, size_t table, pf_error *err)
{
    l->table = table;
    const pf_status s = resolve_unknowns(l, err);
    if (s != PF_OK || l->plan->tables[table].map->table != TABLE_EVENTS) return s;
    return begin_events(l, err);
}

static pf_status take_error(loader *l, const batch_item *item, pf_error *err)
{
    intake_table_summary *t = &l->summary->tables[l->table];
    char words[1024];
    pf_error why = {.line = item->line, .column = item->column};
    (void)snprintf(why.message, sizeof why.message, "%s", item->message);
    (void)snprintf(why.file, sizeof why.file, "%.255s", t->files[item->file].file);
    return summary_add_error(t, error_describe(&why, words, sizeof words))
               ? PF_OK
               : no_memory(err);
}

pf_status loader_take(loader *l, const batch *b, pf_error *err)
{
    intake_table_summary *t = &l->summary->tables[l->table];
    intake_counts *c = &t->files[b->file].counts;
    c->rows += b->skipped + b->duplicates;
    c->skipped += b->skipped;
    c->duplicates += b->duplicates;
    for (size_t i = 0; i < b->n; i++) {
        const batch_item *item = &b->items[i];
        pf_status s;
        if (item->kind != ITEM_FILE_ERROR) t->files[item->file].counts.rows++;
        switch (item->kind) {
        case ITEM_RECORD: s = take_record(l, b->table, item, err); break;
        case ITEM_REJECT:
            s = reject_item(l, item, item->reason, item->message, err);
            break;
        default: s = take_error(l, item, err); break;
        }
        if (s != PF_OK) return s;
    }
    l->summary->bytes = b->position;
    return PF_OK;
}

/* --- the end ---------------------------------------------------------------------- */

static uint64_t created(uint64_t now, uint64_t before, const intake_summary *s,
                        intake_table table)
{
    uint64_t added = 0;
    for (size_t i = 0; i < s->n_tables; i++)
        if (strcmp(s->tables[i].table, intake_table_name(table)) == 0)
            added += s->tables[i].counts.added;
    return now > before + added ? now - before - added : 0;
}

static pf_status count_created(loader *l, pf_error *err)
{
    store_counts now;
    intake_summary *s = l->summary;
    const pf_status status = store_count(l->store, &now, err);
    if (status != PF_OK) return status;
    s->created_shoppers = created(now.shoppers, l->before.shoppers, s, TABLE_SHOPPERS);
    s->created_products = created(now.products, l->before.products, s, TABLE_PRODUCTS);
    s->created_campaigns =
        created(now.campaigns, l->before.campaigns, s, TABLE_CAMPAIGNS);
    s->created_promotions =
        created(now.promotions, l->before.promotions, s, TABLE_PROMOTIONS);
    return PF_OK;
}

static pf_status write_log(loader *l, pf_error *err)
{
    for (size_t i = 0; i < l->summary->n_tables; i++) {
        const intake_table_summary *t = &l->summary->tables[i];
        for (size_t k = 0; k < l->plan->tables[i].n_files; k++) {
            const intake_counts *c = &t->files[k].counts;
            const import_record r = {.file = t->files[k].file,
                                     .table = t->table,
                                     .rows = c->rows,
                                     .added = c->added,
                                     .changed = c->changed,
                                     .same = c->same,
                                     .duplicates = c->duplicates,
                                     .rejected = c->rejected,
                                     .time_us = l->options->now_us};
            const pf_status s = store_put_import(l->store, &r, err);
            if (s != PF_OK) return s;
        }
    }
    return PF_OK;
}

pf_status loader_finish(loader *l, pf_error *err)
{
    pf_status s = finish_events(l, err);
    summary_sum_files(l->summary);
    if (s == PF_OK) s = count_created(l, err);
    return s == PF_OK ? write_log(l, err) : s;
}
