/* Working out what an import would read; see plan.h. */
#include "intake/plan.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/memory.h"

enum { PLAN_BYTES = 256 << 20, PATH_BYTES = 4096 };

/* Found paths of one list, growing. */
typedef struct path_list {
    arena *memory;
    char **paths;
    size_t n, capacity;
} path_list;

static pf_status no_memory(pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory while planning the import");
}

/* --- finding files ---------------------------------------------------------------- */

static pf_status add_path(path_list *list, const char *path, pf_error *err)
{
    if (list->n == LIMIT_TABLE_FILES)
        return error_set(err, PF_LIMIT, "a table is made of more than %u files",
                         LIMIT_TABLE_FILES);
    if (list->n == list->capacity) {
        const size_t capacity = list->capacity == 0 ? 8 : 2 * list->capacity;
        char **grown = arena_alloc(list->memory, capacity, sizeof *grown);
        if (grown == NULL) return no_memory(err);
        if (list->n > 0) memcpy(grown, list->paths, list->n * sizeof *grown);
        list->paths = grown;
        list->capacity = capacity;
    }
    char *copy = arena_copy_text(list->memory, path, strlen(path));
    if (copy == NULL) return no_memory(err);
    list->paths[list->n++] = copy;
    return PF_OK;
}

static pf_status add_pattern(path_list *list, const char *pattern, pf_error *err)
{
    glob_t found = {0};
    const int code = glob(pattern, GLOB_ERR, NULL, &found);
    pf_status s = PF_OK;
    if (code == GLOB_NOMATCH)
        s = error_set(err, PF_NOT_FOUND, "no file matches the pattern %s", pattern);
    else if (code == GLOB_NOSPACE)
        s = no_memory(err);
    else if (code != 0)
        s = error_set(err, PF_IO, "a folder of the pattern %s cannot be read", pattern);
    for (size_t i = 0; s == PF_OK && i < found.gl_pathc; i++)
        s = add_path(list, found.gl_pathv[i], err);
    globfree(&found);
    return s;
}

static bool is_pattern(const char *path)
{
    return strpbrk(path, "*?[") != NULL && !file_exists(path);
}

static pf_status find_files(path_list *list, const char *folder, char *const *names,
                            size_t n, pf_error *err)
{
    char path[PATH_BYTES];
    pf_status s = PF_OK;
    for (size_t i = 0; s == PF_OK && i < n; i++) {
        if (strcmp(names[i], "-") == 0)
            s = add_path(list, "-", err);
        else if ((s = file_join_path(path, sizeof path, folder, names[i], err)) == PF_OK)
            s = is_pattern(path) ? add_pattern(list, path, err)
                                 : add_path(list, path, err);
    }
    return s;
}

/* --- tables ----------------------------------------------------------------------- */

static pf_status find_join_files(intake_plan *plan, plan_table *t, const char *folder,
                                 pf_error *err)
{
    const map_table *m = t->map;
    t->joins = arena_alloc_zero(&plan->memory, m->joins_count + 1, sizeof *t->joins);
    if (t->joins == NULL) return no_memory(err);
    for (unsigned i = 0; i < m->joins_count; i++) {
        path_list list = {.memory = &plan->memory};
        const pf_status s =
            find_files(&list, folder, m->joins[i].files, m->joins[i].files_count, err);
        if (s != PF_OK) return s;
        t->joins[i] = (plan_join){list.paths, list.n};
    }
    return PF_OK;
}

/* What a table says of its values, else what the mapping says for all. */
static void choose_rules(plan_table *t, const mapping *m)
{
    const map_time *own = &t->map->time;
    const map_time none = {0};
    const map_time *all = m != NULL ? &m->time : &none;
    const map_repeat repeat =
        own->repeated_hour != MAP_REPEAT_UNSET ? own->repeated_hour : all->repeated_hour;
    const char *decimal = t->map->decimal != NULL ? t->map->decimal
                          : m != NULL             ? m->decimal
                                                  : NULL;
    t->repeat = repeat == MAP_REPEAT_LATER ? ZONE_REPEAT_LATER : ZONE_REPEAT_EARLIER;
    t->form = own->form != MAP_TIME_UNSET   ? own->form
              : all->form != MAP_TIME_UNSET ? all->form
                                            : MAP_TIME_ANY;
    t->zone = own->zone != NULL ? own->zone : all->zone;
    t->decimal = decimal != NULL ? decimal[0] : '.';
}

/* "events", or "events-2" where another table has the name already. */
static pf_status choose_label(intake_plan *plan, plan_table *t, pf_error *err)
{
    char label[128];
    unsigned number = 1;
    (void)snprintf(label, sizeof label, "%.100s", map_table_label(t->map));
    for (size_t i = 0; i < plan->n_tables; i++)
        if (plan->tables[i].label != NULL && strcmp(plan->tables[i].label, label) == 0) {
            (void)snprintf(label, sizeof label, "%.100s-%u", map_table_label(t->map),
                           ++number);
            i = SIZE_MAX; /* look from the start again */
        }
    t->label = arena_copy_text(&plan->memory, label, strlen(label));
    return t->label != NULL ? PF_OK : no_memory(err);
}

/* Tables are loaded in the order of their kinds, whatever the file's order. */
static pf_status plan_mapping(intake_plan *plan, const char *path, pf_error *err)
{
    char folder[PATH_BYTES];
    pf_status s = mapping_load(&plan->mapping, path, err);
    if (s != PF_OK) return s;
    file_folder_of(path, folder, sizeof folder);
    plan->currency = plan->mapping->currency;
    plan->tables = arena_alloc_zero(&plan->memory, plan->mapping->tables_count,
                                    sizeof *plan->tables);
    if (plan->tables == NULL) return no_memory(err);
    for (int kind = 0; kind < TABLE_COUNT; kind++)
        for (unsigned i = 0; i < plan->mapping->tables_count; i++) {
            const map_table *m = &plan->mapping->tables[i];
            if ((int)m->table != kind) continue;
            plan_table t = {.map = m};
            path_list list = {.memory = &plan->memory};
            choose_rules(&t, plan->mapping);
            s = find_files(&list, folder, m->files, m->files_count, err);
            if (s == PF_OK) s = find_join_files(plan, &t, folder, err);
            if (s == PF_OK) s = choose_label(plan, &t, err);
            if (s != PF_OK) return s;
            t.files = list.paths;
            t.n_files = list.n;
            plan->tables[plan->n_tables++] = t;
        }
    return PF_OK;
}

/* --- without a mapping ------------------------------------------------------------ */

static pf_status table_of_file(const char *path, const char *wanted, intake_table *table,
                               byte_source **stream, pf_error *err)
{
    byte_source *source = NULL;
    pf_status s = byte_source_open(&source, path, NULL, err);
    if (s != PF_OK) return s;
    if (wanted != NULL)
        *table = intake_table_parse(text_of(wanted)); /* was checked */
    else
        s = plan_guess_table(path, source, table, err);
    if (s == PF_OK && byte_source_is_stream(source))
        *stream = source;
    else
        byte_source_close(source);
    return s;
}

static pf_status add_guessed(intake_plan *plan, const char *path, const char *wanted,
                             pf_error *err)
{
    plan_table *t = &plan->tables[plan->n_tables];
    map_table *m = arena_alloc_zero(&plan->memory, 1, sizeof *m);
    path_list list = {.memory = &plan->memory};
    if (m == NULL) return no_memory(err);
    *t = (plan_table){.map = m};
    plan->n_tables++; /* from here on the plan closes what the table has open */
    pf_status s = table_of_file(path, wanted, &m->table, &t->stream, err);
    if (s == PF_OK) s = add_path(&list, path, err);
    if (s != PF_OK) return s;
    t->files = list.paths;
    t->n_files = 1;
    choose_rules(t, NULL);
    return choose_label(plan, t, err);
}

/* Into the order of loading; files of one kind stay in the order they were given. */
static void sort_by_kind(plan_table *tables, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const plan_table moving = tables[i];
        size_t k = i;
        for (; k > 0 && tables[k - 1].map->table > moving.map->table; k--)
            tables[k] = tables[k - 1];
        tables[k] = moving;
    }
}

static pf_status plan_files(intake_plan *plan, const intake_request *r, pf_error *err)
{
    if (r->table != NULL && intake_table_parse(text_of(r->table)) == TABLE_COUNT)
        return error_set(err, PF_USAGE,
                         "there is no table '%.60s'; there are products, shoppers, "
                         "campaigns, promotions, scope and events",
                         r->table);
    if (r->n_files > MAPPING_TABLES_MAX)
        return error_set(err, PF_LIMIT,
                         "more than %d files at once; write a mapping file, "
                         "whose 'files' may hold patterns",
                         MAPPING_TABLES_MAX);
    plan->tables = arena_alloc_zero(&plan->memory, r->n_files, sizeof *plan->tables);
    if (plan->tables == NULL) return no_memory(err);
    for (size_t i = 0; i < r->n_files; i++) {
        const pf_status s = add_guessed(plan, r->files[i], r->table, err);
        if (s != PF_OK) return s;
    }
    sort_by_kind(plan->tables, plan->n_tables);
    return PF_OK;
}

/* --- the plan --------------------------------------------------------------------- */

static void add_size(const char *path, uint64_t *bytes, bool *known)
{
    struct stat st;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
        *bytes += (uint64_t)st.st_size;
    else
        *known = false;
}

static void measure(intake_plan *plan)
{
    bool known = true;
    plan->bytes = 0;
    for (size_t i = 0; i < plan->n_tables; i++)
        for (size_t k = 0; k < plan->tables[i].n_files; k++)
            add_size(plan->tables[i].files[k], &plan->bytes, &known);
    if (!known) plan->bytes = 0;
}

static bool is_mapping_name(const char *path)
{
    const size_t n = strlen(path);
    return (n > 5 && strcmp(path + n - 5, ".yaml") == 0) ||
           (n > 4 && strcmp(path + n - 4, ".yml") == 0);
}

/* The request's mapping, also when it stands among the files. */
static pf_status find_mapping(const intake_request *r, const char **out, pf_error *err)
{
    *out = r->mapping;
    for (size_t i = 0; i < r->n_files; i++)
        if (is_mapping_name(r->files[i])) {
            if (*out != NULL)
                return error_set(err, PF_USAGE, "two mapping files: %s and %s", *out,
                                 r->files[i]);
            *out = r->files[i];
        }
    if (*out != NULL && r->n_files > (size_t)(*out != r->mapping))
        return error_set(err, PF_USAGE,
                         "a mapping file names its own files; leave out the "
                         "others, or the mapping");
    if (*out != NULL && r->table != NULL)
        return error_set(err, PF_USAGE,
                         "a mapping file says which table each file is; "
                         "leave out the table '%.60s'",
                         r->table);
    if (*out == NULL && r->n_files == 0)
        return error_set(err, PF_USAGE, "no file to read");
    return PF_OK;
}

pf_status intake_plan_open(intake_plan **out, const intake_request *request,
                           pf_error *err)
{
    const char *path = NULL;
    pf_status s = find_mapping(request, &path, err);
    if (s != PF_OK) return s;
    intake_plan *plan = mem_alloc_zero(1, sizeof *plan);
    if (plan == NULL) return no_memory(err);
    arena_init(&plan->memory, PLAN_BYTES);
    s = path != NULL ? plan_mapping(plan, path, err) : plan_files(plan, request, err);
    if (s == PF_OK && path != NULL) {
        plan->source = arena_copy_text(&plan->memory, path, strlen(path));
        s = plan->source != NULL ? PF_OK : no_memory(err);
    }
    if (s != PF_OK) {
        intake_plan_free(plan);
        return s;
    }
    measure(plan);
    *out = plan;
    return PF_OK;
}

void intake_plan_free(intake_plan *plan)
{
    if (plan == NULL) return;
    for (size_t i = 0; i < plan->n_tables; i++)
        byte_source_close(plan->tables[i].stream);
    mapping_free(plan->mapping);
    arena_free(&plan->memory);
    mem_free(plan);
}

size_t intake_plan_tables(const intake_plan *plan)
{
    return plan->n_tables;
}

const char *intake_plan_label(const intake_plan *plan, size_t table)
{
    return plan->tables[table].label;
}

size_t intake_plan_files(const intake_plan *plan, size_t table)
{
    return plan->tables[table].n_files;
}

const char *intake_plan_file(const intake_plan *plan, size_t table, size_t file)
{
    return plan->tables[table].files[file];
}

const char *plan_file_name(const plan_table *t, uint32_t file)
{
    size_t left = file;
    if (left < t->n_files)
        return strcmp(t->files[left], "-") == 0 ? "standard input" : t->files[left];
    left -= t->n_files;
    for (unsigned i = 0; i < t->map->joins_count; i++) {
        if (left < t->joins[i].n_files) return t->joins[i].files[left];
        left -= t->joins[i].n_files;
    }
    return "";
}

uint32_t plan_join_file(const plan_table *t, size_t i)
{
    size_t n = t->n_files;
    for (size_t k = 0; k < i; k++)
        n += t->joins[k].n_files;
    return (uint32_t)n;
}

uint32_t plan_file_count(const plan_table *t)
{
    return plan_join_file(t, t->map->joins_count);
}
