/*
 * The event writer: takes events one by one in any order, and at the end sorts them,
 * finds those that were there already, and hands the rest to the block writer.
 *
 *     add      ids -> numbers ; packed event -> event_run ; hash of its id -> id_run
 *     full     both runs are sorted and written to their spools
 *     finish   1. ids, merged with the leaves of event_ids    -> verdicts
 *              2. events, merged by shopper and time, verdicts -> blocks
 *
 * Memory: the runs share rules.memory_bytes; the numbers of the ids that events name, two
 * bits an event, and the columns being written come on top.
 */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/memory.h"
#include "store/block_writer.h"
#include "store/connection.h"
#include "store/event_content.h"
#include "store/event_ids.h"
#include "store/event_run.h"
#include "store/id_map.h"
#include "store/packed_event.h"

/* Of the memory for sorting, half is for packed events, half for what sorts them: two
 * entries of events and two of ids each. */
enum {
    EVENT_OVERHEAD_BYTES = 2 * sizeof(run_entry) + 2 * sizeof(id_entry),
    RUN_EVENTS_MIN = 1024
};

struct store_event_writer {
    store *s;
    store_event_rules rules;
    id_map maps[STANDING_TABLES];
    buffer scratch; /* canonical content */
    uint64_t n;     /* taken: the next arrival */
    event_run events;
    id_run ids;
    char folder[PATH_MAX];
    spool event_spool, id_spool;
    bool failed;
};

store_event_rules store_event_rules_default(void)
{
    return (store_event_rules){.shopper = STORE_UNKNOWN_CREATE,
                               .product = STORE_UNKNOWN_REJECT,
                               .promotion = STORE_UNKNOWN_REJECT,
                               .campaign = STORE_UNKNOWN_REJECT,
                               .memory_bytes = LIMIT_IMPORT_BYTES / 2};
}

static void free_writer(store_event_writer *w)
{
    for (int t = 0; t < STANDING_TABLES; t++)
        id_map_free(&w->maps[t]);
    buffer_free(&w->scratch);
    event_run_free(&w->events);
    id_run_free(&w->ids);
    spool_free(&w->event_spool);
    spool_free(&w->id_spool);
    if (w->s->writer == w) w->s->writer = NULL;
    mem_free(w);
}

static pf_status init_maps(store_event_writer *w, pf_error *err)
{
    const store_unknown rules[STANDING_TABLES] = {
        [STANDING_PRODUCT] = w->rules.product,
        [STANDING_SHOPPER] = w->rules.shopper,
        [STANDING_CAMPAIGN] = w->rules.campaign,
        [STANDING_PROMOTION] = w->rules.promotion,
    };
    pf_status status = PF_OK;
    for (int t = 0; t < STANDING_TABLES && status == PF_OK; t++)
        status = id_map_init(&w->maps[t], w->s, (standing_table)t, rules[t], err);
    return status;
}

pf_status store_events_begin(store *s, const store_event_rules *rules,
                             store_event_writer **out, pf_error *err)
{
    *out = NULL;
    pf_status status = db_need_write(s, err);
    if (status != PF_OK) return status;
    store_event_writer *w = mem_alloc_zero(1, sizeof *w);
    if (w == NULL) return error_set(err, PF_NO_MEMORY, "no memory to import events");
    w->s = s;
    w->rules = *rules;
    size_t half = rules->memory_bytes / 2, events_max = half / EVENT_OVERHEAD_BYTES;
    if (events_max < RUN_EVENTS_MIN) events_max = RUN_EVENTS_MIN;
    event_run_init(&w->events, half, events_max);
    id_run_init(&w->ids, events_max);
    buffer_init(&w->scratch, EVENT_CONTENT_MAX_BYTES);
    file_folder_of(s->path, w->folder, sizeof w->folder);
    spool_init(&w->event_spool, w->folder);
    spool_init(&w->id_spool, w->folder);
    status = init_maps(w, err);
    if (status != PF_OK) {
        free_writer(w);
        return status;
    }
    s->writer = w;
    *out = w;
    return PF_OK;
}

void store_events_abandon(store_event_writer *w)
{
    if (w != NULL) free_writer(w);
}

/* --- adding ----------------------------------------------------------------------- */

static pf_status too_long(const char *what, unsigned longest, pf_error *err)
{
    return error_set(err, PF_LIMIT, "the %s of an event is longer than %u bytes", what,
                     longest);
}

static pf_status check_record(const event_record *r, pf_error *err)
{
    const struct {
        const char *name;
        size_t n;
    } ids[] = {{"id", r->id.n},
               {"shopper", r->shopper.n},
               {"product", r->product.n},
               {"promotion", r->promotion.n},
               {"campaign", r->campaign.n},
               {"order", r->order.n},
               {"decision", r->decision.n}};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        if (ids[i].n > LIMIT_ID_BYTES) return too_long(ids[i].name, LIMIT_ID_BYTES, err);
    if (r->attributes.n > LIMIT_ATTRIBUTES_BYTES)
        return too_long("attributes", LIMIT_ATTRIBUTES_BYTES, err);
    if (r->type <= EVENT_NONE || r->type >= EVENT_TYPE_COUNT)
        return error_set(err, PF_DATA, "an event has no type");
    if ((unsigned)r->channel >= CHANNEL_COUNT)
        return error_set(err, PF_DATA, "an event has an unknown channel");
    if (r->time_us == TIME_ABSENT) return error_set(err, PF_DATA, "an event has no time");
    if (!isfinite(r->quantity))
        return error_set(err, PF_DATA, "the quantity of an event is not a number");
    return PF_OK;
}

/* The things an event names, by table. */
typedef struct event_names {
    text ids[STANDING_TABLES];
    uint64_t hashes[STANDING_TABLES];
    uint32_t numbers[STANDING_TABLES];
} event_names;

/* Begins the look-ups: their memory is on its way while the content is hashed. */
static void begin_names(const store_event_writer *w, const event_record *r,
                        event_names *names)
{
    names->ids[STANDING_PRODUCT] = r->product;
    names->ids[STANDING_SHOPPER] = r->shopper;
    names->ids[STANDING_CAMPAIGN] = r->campaign;
    names->ids[STANDING_PROMOTION] = r->promotion;
    for (int t = 0; t < STANDING_TABLES; t++) {
        names->numbers[t] = 0;
        if (names->ids[t].n > 0)
            names->hashes[t] = id_map_hash(&w->maps[t], names->ids[t]);
    }
}

/* Numbers for the names. *outcome is STORE_ADDED when all are known. */
static pf_status find_names(store_event_writer *w, event_names *names,
                            store_outcome *outcome, pf_error *err)
{
    static const store_outcome unknown[STANDING_TABLES] = {
        [STANDING_PRODUCT] = STORE_UNKNOWN_PRODUCT,
        [STANDING_SHOPPER] = STORE_UNKNOWN_SHOPPER,
        [STANDING_CAMPAIGN] = STORE_UNKNOWN_CAMPAIGN,
        [STANDING_PROMOTION] = STORE_UNKNOWN_PROMOTION,
    };
    *outcome = STORE_ADDED;
    for (int t = 0; t < STANDING_TABLES; t++) {
        if (names->ids[t].n == 0) continue;
        pf_status status = id_map_find(&w->maps[t], w->s, names->ids[t], names->hashes[t],
                                       &names->numbers[t], err);
        if (status != PF_OK) return status;
        if (names->numbers[t] == 0) {
            *outcome = unknown[t];
            return PF_OK;
        }
    }
    return PF_OK;
}

/* Sorts both runs; they stay in memory. */
static pf_status sort_runs(store_event_writer *w, pf_error *err)
{
    pf_status status = event_run_sort(&w->events, err);
    return status == PF_OK ? id_run_sort(&w->ids, err) : status;
}

static pf_status spill_runs(store_event_writer *w, pf_error *err)
{
    pf_status status = sort_runs(w, err);
    if (status == PF_OK) status = event_run_spill(&w->events, &w->event_spool, err);
    if (status == PF_OK) status = id_run_spill(&w->ids, &w->id_spool, err);
    event_run_clear(&w->events);
    id_run_clear(&w->ids);
    return status;
}

static pf_status take_event(store_event_writer *w, const event_record *r,
                            const event_names *names, const hash_128 *content,
                            pf_error *err)
{
    const packed_numbers numbers = {.shopper = names->numbers[STANDING_SHOPPER],
                                    .product = names->numbers[STANDING_PRODUCT],
                                    .promotion = names->numbers[STANDING_PROMOTION],
                                    .campaign = names->numbers[STANDING_CAMPAIGN]};
    pf_status status = PF_OK;
    if (event_run_is_full(&w->events, r)) status = spill_runs(w, err);
    if (status == PF_OK)
        status = event_run_add(&w->events, r, &numbers, w->n, content->low, err);
    if (status == PF_OK)
        status = id_run_add(&w->ids, event_identity(r, content, &w->s->key), w->n, err);
    if (status == PF_OK) w->n++;
    return status;
}

pf_status store_events_add(store_event_writer *w, const event_record *r,
                           store_outcome *outcome, pf_error *err)
{
    event_names names;
    hash_128 content;
    pf_status status = check_record(r, err);
    if (status != PF_OK) return status;
    begin_names(w, r, &names);
    status = event_content_hash(r, &w->scratch, &content, err);
    if (status == PF_OK) status = find_names(w, &names, outcome, err);
    if (status == PF_OK && *outcome == STORE_ADDED)
        status = take_event(w, r, &names, &content, err);
    w->failed |= status != PF_OK;
    return db_spoil(w->s, status);
}

/* --- finishing -------------------------------------------------------------------- */

static pf_status find_duplicates(store_event_writer *w, verdicts *v, pf_error *err)
{
    merge *ids = NULL;
    pf_status status = merge_open(&ids, &id_entry_kind, &w->id_spool, id_run_next,
                                  &w->ids, w->rules.memory_bytes / 4, err);
    if (status == PF_OK) status = event_ids_merge(w->s, ids, v, err);
    merge_close(ids);
    return status;
}

/* The second pass: who is being written, and what was done so far. */
typedef struct block_pass {
    store_event_writer *w;
    const verdicts *verdicts;
    block_writer *blocks;
    bool has_shopper;
    uint32_t shopper; /* as packed: provisional, perhaps */
    store_on_duplicate *on_duplicate;
    void *context;
    store_event_counts counts;
} block_pass;

static pf_status change_shopper(block_pass *p, uint32_t packed, pf_error *err)
{
    store_event_writer *w = p->w;
    id_map *map = &w->maps[STANDING_SHOPPER];
    uint32_t number = 0;
    pf_status status = PF_OK;
    if (p->has_shopper) status = block_writer_end(p->blocks, err);
    p->has_shopper = true;
    p->shopper = packed;
    if (status == PF_OK && packed != 0)
        status = id_map_settle(map, w->s, packed, &number, err);
    if (status == PF_OK)
        status = block_writer_begin(p->blocks, number, id_map_is_fresh(map, packed), err);
    return status;
}

static pf_status settle_row(store_event_writer *w, event_row *row, pf_error *err)
{
    const struct {
        standing_table table;
        uint32_t *number;
    } names[] = {{STANDING_PRODUCT, &row->product},
                 {STANDING_PROMOTION, &row->promotion},
                 {STANDING_CAMPAIGN, &row->campaign}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        id_map *map = &w->maps[names[i].table];
        if (!id_map_is_fresh(map, *names[i].number)) continue;
        pf_status status =
            id_map_settle(map, w->s, *names[i].number, names[i].number, err);
        if (status != PF_OK) return status;
    }
    return PF_OK;
}

static pf_status write_event(block_pass *p, const void *packed, pf_error *err)
{
    tallies *t = &p->w->s->tallies;
    packed_head head;
    event_row row;
    event_unpack(packed, &head, &row);
    if (verdicts_dropped(p->verdicts, head.arrival)) {
        bool conflict = verdicts_conflict(p->verdicts, head.arrival);
        p->counts.duplicates += !conflict;
        p->counts.conflicts += conflict;
        if (p->on_duplicate != NULL) p->on_duplicate(p->context, head.origin, !conflict);
        return PF_OK;
    }
    pf_status status = PF_OK;
    if (!p->has_shopper || p->shopper != head.shopper)
        status = change_shopper(p, head.shopper, err);
    if (status == PF_OK) status = settle_row(p->w, &row, err);
    if (status == PF_OK) status = block_writer_add(p->blocks, &row, err);
    if (status != PF_OK) return status;
    p->counts.added++;
    t->events_by_type[row.type]++;
    t->events_sum += head.content;
    t->changed = true;
    return PF_OK;
}

static pf_status write_blocks(block_pass *p, pf_error *err)
{
    store_event_writer *w = p->w;
    merge *events = NULL;
    const void *packed = NULL;
    pf_status status = block_writer_new(&p->blocks, w->s, err);
    if (status == PF_OK)
        status = merge_open(&events, &packed_event_kind, &w->event_spool, event_run_next,
                            &w->events, w->rules.memory_bytes / 4, err);
    if (status == PF_OK) status = merge_next(events, &packed, err);
    while (status == PF_OK && packed != NULL) {
        status = write_event(p, packed, err);
        if (status == PF_OK) status = merge_next(events, &packed, err);
    }
    if (status == PF_OK && p->has_shopper) status = block_writer_end(p->blocks, err);
    merge_close(events);
    block_writer_free(p->blocks);
    return status;
}

pf_status store_events_finish(store_event_writer *w, store_on_duplicate *on_duplicate,
                              void *context, store_event_counts *counts, pf_error *err)
{
    store *s = w->s;
    verdicts v = {0};
    block_pass pass = {
        .w = w, .verdicts = &v, .on_duplicate = on_duplicate, .context = context};
    pf_status status = PF_OK;
    *counts = (store_event_counts){0};
    if (w->failed)
        status = error_set(err, PF_USAGE,
                           "an event could not be taken before; the import "
                           "must be rolled back");
    if (status == PF_OK) status = sort_runs(w, err);
    if (status == PF_OK) status = verdicts_init(&v, w->n, err);
    if (status == PF_OK) status = find_duplicates(w, &v, err);
    if (status == PF_OK) status = write_blocks(&pass, err);
    if (status == PF_OK) *counts = pass.counts;
    verdicts_free(&v);
    free_writer(w);
    return db_spoil(s, status);
}
