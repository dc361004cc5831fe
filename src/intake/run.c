/*
 * An import from end to end: tables in order, each read by a producer on its own thread and
 * loaded by the caller, inside one transaction. Validation is the same import, taken back
 * at the end, so that it cannot disagree with one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/progress.h"
#include "intake/intake.h"
#include "intake/load.h"
#include "intake/pipeline.h"
#include "intake/summary.h"

enum { PATH_BYTES = 4096 };

/* One import under way. */
typedef struct run {
    intake_plan *plan;
    store *store;
    intake_options options;
    intake_summary *summary;
    bool keep_going;
    loader loader;
    currency currency;
    progress *progress;
    uint64_t position, rows;
} run;

intake_options intake_options_default(void)
{
    return (intake_options){.now_us = clock_now_us(), .threads = 2};
}

/* --- the workspace's currency ----------------------------------------------------- */

static pf_status find_currency(const char *code, const char *whose, currency *out,
                               pf_error *err)
{
    if (currency_find(code, strlen(code), out)) return PF_OK;
    return error_set(err, PF_USAGE, "%s currency '%.20s' is none of ISO 4217", whose,
                     code);
}

/* The store's setting, else the options', else the mapping's; no two may differ. */
static pf_status choose_currency(run *r, pf_error *err)
{
    char code[8] = "";
    currency own = r->options.currency;
    pf_error absent;
    pf_status s = store_get_setting(r->store, "currency", code, sizeof code, &absent);
    if (s != PF_OK && s != PF_NOT_FOUND) {
        if (err != NULL) *err = absent;
        return s;
    }
    if (code[0] != 0 && (s = find_currency(code, "the workspace's", &own, err)) != PF_OK)
        return s;
    if (r->plan->currency != NULL) {
        currency theirs;
        s = find_currency(r->plan->currency, "the mapping's", &theirs, err);
        if (s != PF_OK) return s;
        if (own.code[0] != 0 && strcmp(own.code, theirs.code) != 0)
            return error_set(err, PF_USAGE,
                             "the mapping's amounts are in %s, the workspace's in %s; a "
                             "workspace has one currency",
                             theirs.code, own.code);
        own = theirs;
    }
    r->currency = own;
    if (code[0] == 0 && own.code[0] != 0)
        return store_set_setting(r->store, "currency", own.code, err);
    return PF_OK;
}

/* --- one table -------------------------------------------------------------------- */

static pf_status load_batches(run *r, pipeline *p, pf_error *err)
{
    for (;;) {
        batch *b = NULL;
        pf_status s = pipeline_next(p, &b, err);
        if (s != PF_OK || b == NULL) return s;
        s = loader_take(&r->loader, b, err);
        if (s != PF_OK) return s;
        r->rows += b->n + b->skipped + b->duplicates;
        r->position = b->position;
        progress_update(r->progress, r->position, r->rows);
    }
}

static pf_status load_table(run *r, size_t i, pf_error *err)
{
    plan_table *t = &r->plan->tables[i];
    const producer_settings settings = {.currency = r->currency,
                                        .zone = r->options.zone,
                                        .keep_going = r->keep_going,
                                        .position = r->position};
    atomic_bool stop = false;
    producer *from = NULL;
    pipeline *p = NULL;
    pf_status s = loader_begin_table(&r->loader, i, err);
    if (s == PF_OK) s = producer_open(&from, t, &settings, &stop, err);
    if (s == PF_OK)
        s = pipeline_start(&p, from, t->map->table, r->options.threads, &stop, err);
    if (s == PF_OK) s = load_batches(r, p, err);
    pipeline_stop(p);
    if (from != NULL &&
        !summary_set(&r->summary->tables[i].reading, producer_reading(from)) &&
        s == PF_OK)
        s = error_set(err, PF_NO_MEMORY, "out of memory for the summary");
    producer_close(from);
    return s;
}

/* --- the import ------------------------------------------------------------------- */

static pf_status load_all(run *r, pf_error *err)
{
    pf_status s = choose_currency(r, err);
    if (s == PF_OK)
        s = loader_open(&r->loader, r->store, r->plan, &r->options, r->summary, err);
    for (size_t i = 0; s == PF_OK && i < r->plan->n_tables; i++)
        s = load_table(r, i, err);
    if (s == PF_OK) {
        progress_note(r->progress, "sorting and writing");
        progress_update(r->progress, r->position, r->rows);
        s = loader_finish(&r->loader, err);
    }
    if (s == PF_OK && progress_cancelled())
        s = error_set(err, PF_CANCELLED, "the import was stopped");
    return s;
}

/* Reject files first: they can be taken back when the store refuses, not the reverse. */
static pf_status commit(run *r, pf_error *err)
{
    pf_status s = loader_commit_rejects(&r->loader, err);
    if (s == PF_OK) s = store_commit(r->store, err);
    if (s != PF_OK) loader_undo_rejects(&r->loader);
    return s;
}

static pf_status run_import(run *r, bool keep, pf_error *err)
{
    const double wall_s = clock_wall_s(), cpu_s = clock_cpu_s();
    intake_summary_free(r->summary);
    pf_status s = summary_begin(r->summary, r->plan, err);
    if (s != PF_OK) return s;
    s = store_begin(r->store, err);
    if (s != PF_OK) return s;
    r->progress = progress_begin(keep ? "importing" : "checking", r->plan->bytes, "rows");
    s = load_all(r, err);
    if (s == PF_OK && keep)
        s = commit(r, err);
    else if (s == PF_OK)
        s = loader_commit_rejects(&r->loader, err);
    if (s != PF_OK || !keep) {
        if (s != PF_OK && r->loader.rejects != NULL) loader_undo_rejects(&r->loader);
        store_events_abandon(r->loader.writer);
        r->loader.writer = NULL;
        store_rollback(r->store);
    }
    progress_end(r->progress);
    if (r->loader.rejects != NULL) loader_close(&r->loader);
    summary_sum_files(r->summary);
    r->summary->wall_s = clock_wall_s() - wall_s;
    r->summary->cpu_s = clock_cpu_s() - cpu_s;
    return s;
}

pf_status intake_run(intake_plan *plan, store *s, const intake_options *options,
                     intake_summary *summary, pf_error *err)
{
    run r = {.plan = plan, .store = s, .options = *options, .summary = summary};
    return run_import(&r, true, err);
}

/* --- validation ------------------------------------------------------------------- */

static pf_status make_folder(char path[PATH_BYTES], pf_error *err)
{
    const char *folder = getenv("TMPDIR");
    if (folder == NULL || folder[0] == 0) folder = "/tmp";
    const pf_status s =
        file_join_path(path, PATH_BYTES, folder, "proffer-check-XXXXXX", err);
    if (s == PF_OK && mkdtemp(path) == NULL)
        return error_set_errno(err, "cannot make a folder in %s", folder);
    return s;
}

static void remove_folder(const char *path)
{
    static const char *const names[] = {"check.db", "check.db-wal", "check.db-shm"};
    char file[PATH_BYTES];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (file_join_path(file, sizeof file, path, names[i], NULL) == PF_OK)
            (void)unlink(file);
    (void)rmdir(path);
}

/* Against the files alone: a store that nothing is kept in. */
static pf_status validate_alone(run *r, pf_error *err)
{
    char folder[PATH_BYTES], path[PATH_BYTES];
    pf_status s = make_folder(folder, err);
    if (s != PF_OK) return s;
    s = file_join_path(path, sizeof path, folder, "check.db", err);
    if (s == PF_OK) s = store_open(&r->store, path, STORE_CREATE, err);
    if (s == PF_OK) s = run_import(r, false, err);
    store_close(r->store);
    remove_folder(folder);
    return s;
}

pf_status intake_validate(intake_plan *plan, store *s, const intake_options *options,
                          intake_summary *summary, pf_error *err)
{
    run r = {.plan = plan,
             .store = s,
             .options = *options,
             .summary = summary,
             .keep_going = true};
    return s != NULL ? run_import(&r, false, err) : validate_alone(&r, err);
}
