/* What came of an import, as a value and as JSON; see intake.h. */
#include <string.h>

#include "base/memory.h"
#include "intake/summary.h"

static void free_table(intake_table_summary *t)
{
    mem_free(t->table);
    mem_free(t->label);
    mem_free(t->reading);
    mem_free(t->first_reject);
    mem_free(t->rejects_file);
    for (size_t i = 0; i < t->n_errors; i++)
        mem_free(t->errors[i]);
    mem_free(t->errors);
    for (size_t i = 0; t->files != NULL && i < t->n_files; i++)
        mem_free(t->files[i].file);
    mem_free(t->files);
}

void intake_summary_free(intake_summary *s)
{
    for (size_t i = 0; s->tables != NULL && i < s->n_tables; i++)
        free_table(&s->tables[i]);
    mem_free(s->tables);
    *s = (intake_summary){0};
}

bool summary_set(char **text_at, const char *words)
{
    char *copy = mem_copy_text(words, strlen(words));
    size_t wrong;
    if (copy == NULL) return false;
    while (!utf8_check(copy, strlen(copy), &wrong))
        copy[wrong] = '?'; /* names of files may be anything */
    mem_free(*text_at);
    *text_at = copy;
    return true;
}

static bool begin_table(intake_table_summary *t, const plan_table *p)
{
    t->n_files = plan_file_count(p);
    t->files = mem_alloc_zero(t->n_files + 1, sizeof *t->files);
    if (t->files == NULL || !summary_set(&t->table, intake_table_name(p->map->table)) ||
        !summary_set(&t->label, p->label) || !summary_set(&t->reading, "") ||
        !summary_set(&t->first_reject, "") || !summary_set(&t->rejects_file, ""))
        return false;
    for (size_t i = 0; i < t->n_files; i++)
        if (!summary_set(&t->files[i].file, plan_file_name(p, (uint32_t)i))) return false;
    return true;
}

pf_status summary_begin(intake_summary *s, const intake_plan *plan, pf_error *err)
{
    *s = (intake_summary){.n_tables = plan->n_tables};
    s->tables = mem_alloc_zero(plan->n_tables + 1, sizeof *s->tables);
    for (size_t i = 0; s->tables != NULL && i < plan->n_tables; i++)
        if (!begin_table(&s->tables[i], &plan->tables[i]))
            return error_set(err, PF_NO_MEMORY, "out of memory for the summary");
    return s->tables != NULL
               ? PF_OK
               : error_set(err, PF_NO_MEMORY, "out of memory for the summary");
}

bool summary_add_error(intake_table_summary *t, const char *words)
{
    char **grown = mem_resize(t->errors, t->n_errors + 1, sizeof *grown);
    if (grown == NULL) return false;
    t->errors = grown;
    grown[t->n_errors] = NULL;
    if (!summary_set(&grown[t->n_errors], words)) return false;
    t->n_errors++;
    return true;
}

static void add_counts(intake_counts *to, const intake_counts *from)
{
    to->rows += from->rows;
    to->added += from->added;
    to->changed += from->changed;
    to->same += from->same;
    to->duplicates += from->duplicates;
    to->skipped += from->skipped;
    to->rejected += from->rejected;
}

void summary_sum_files(intake_summary *s)
{
    for (size_t i = 0; i < s->n_tables; i++) {
        intake_table_summary *t = &s->tables[i];
        t->counts = (intake_counts){0};
        for (size_t k = 0; k < t->n_files; k++)
            add_counts(&t->counts, &t->files[k].counts);
    }
}

intake_counts intake_summary_totals(const intake_summary *s)
{
    intake_counts all = {0};
    for (size_t i = 0; i < s->n_tables; i++)
        add_counts(&all, &s->tables[i].counts);
    return all;
}

bool intake_summary_has_faults(const intake_summary *s)
{
    for (size_t i = 0; i < s->n_tables; i++)
        if (s->tables[i].counts.rejected > 0 || s->tables[i].n_errors > 0) return true;
    return false;
}

/* --- JSON ------------------------------------------------------------------------- */

static void write_count(json_writer *w, const char *key, uint64_t n)
{
    json_key(w, key);
    json_integer(w, (int64_t)n);
}

static void write_text(json_writer *w, const char *key, const char *words)
{
    json_key(w, key);
    json_text(w, words);
}

static void write_counts(json_writer *w, const intake_counts *c)
{
    write_count(w, "rows", c->rows);
    write_count(w, "added", c->added);
    write_count(w, "changed", c->changed);
    write_count(w, "same", c->same);
    write_count(w, "duplicates", c->duplicates);
    write_count(w, "skipped", c->skipped);
    write_count(w, "rejected", c->rejected);
}

static void write_reasons(json_writer *w, const intake_table_summary *t)
{
    json_key(w, "reasons");
    json_object_begin(w);
    for (int i = 1; i < REASON_COUNT; i++)
        if (t->by_reason[i] > 0)
            write_count(w, reject_reason_name((reject_reason)i), t->by_reason[i]);
    json_object_end(w);
}

static void write_table(json_writer *w, const intake_table_summary *t)
{
    json_object_begin(w);
    write_text(w, "table", t->table);
    write_text(w, "name", t->label);
    write_text(w, "reading", t->reading);
    write_counts(w, &t->counts);
    write_reasons(w, t);
    if (t->first_reject[0] != 0) write_text(w, "first_reject", t->first_reject);
    if (t->rejects_file[0] != 0) write_text(w, "rejects_file", t->rejects_file);
    if (t->rejects_left_out > 0) write_count(w, "rejects_left_out", t->rejects_left_out);
    json_key(w, "errors");
    json_array_begin(w);
    for (size_t i = 0; i < t->n_errors; i++)
        json_text(w, t->errors[i]);
    json_array_end(w);
    json_key(w, "files");
    json_array_begin(w);
    for (size_t i = 0; i < t->n_files; i++) {
        json_object_begin(w);
        write_text(w, "file", t->files[i].file);
        write_counts(w, &t->files[i].counts);
        json_object_end(w);
    }
    json_array_end(w);
    json_object_end(w);
}

void intake_summary_write(const intake_summary *s, json_writer *w)
{
    const intake_counts totals = intake_summary_totals(s);
    json_object_begin(w);
    write_counts(w, &totals);
    json_key(w, "created");
    json_object_begin(w);
    write_count(w, "shoppers", s->created_shoppers);
    write_count(w, "products", s->created_products);
    write_count(w, "campaigns", s->created_campaigns);
    write_count(w, "promotions", s->created_promotions);
    json_object_end(w);
    write_count(w, "bytes", s->bytes);
    json_key(w, "wall_s");
    json_number(w, s->wall_s);
    json_key(w, "cpu_s");
    json_number(w, s->cpu_s);
    json_key(w, "tables");
    json_array_begin(w);
    for (size_t i = 0; i < s->n_tables; i++)
        write_table(w, &s->tables[i]);
    json_array_end(w);
    json_object_end(w);
}
