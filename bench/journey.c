/* A temporary folder with the mapping file and links to the data; an import into it. */
#include "bench/journey.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "bench/result.h"
#include "intake/intake.h"
#include "store/store.h"

enum { PATH_BYTES = 4096, MAPPING_BYTES = 1 << 20 };

static const char *const example = PROFFER_SOURCE_DIR "/examples/complete-journey";

static void stop(const char *what, const pf_error *err)
{
    char words[1024];
    fprintf(stderr, "%s: %s\n", what, error_describe(err, words, sizeof words));
    exit(1);
}

static void path_in(const char *folder, const char *name, char into[PATH_BYTES])
{
    pf_error err = {0};
    if (file_join_path(into, PATH_BYTES, folder, name, &err) != PF_OK) stop(name, &err);
}

/* ---- the folder ---- */

static void copy_mapping(const char *folder)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    char *yaml = NULL;
    size_t n = 0;
    pf_error err = {0};
    path_in(example, "mapping.yaml", from);
    path_in(folder, "mapping.yaml", to);
    if (file_read_whole(&yaml, &n, from, MAPPING_BYTES, &err) != PF_OK ||
        file_write_atomic(to, yaml, n, &err) != PF_OK)
        stop("mapping", &err);
    mem_free(yaml);
}

static void link_data(const char *data, const char *folder)
{
    DIR *d = opendir(data);
    pf_error err = {0};
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        char from[PATH_BYTES], to[PATH_BYTES];
        if (strstr(e->d_name, ".csv.gz") == NULL) continue;
        path_in(data, e->d_name, from);
        path_in(folder, e->d_name, to);
        if (symlink(from, to) != 0) {
            (void)error_set_errno(&err, "cannot link %s", from);
            stop("data", &err);
        }
    }
    if (d != NULL) closedir(d);
}

static void remove_folder(const char *folder)
{
    DIR *d = opendir(folder);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        char path[PATH_BYTES];
        if (e->d_name[0] == '.') continue;
        path_in(folder, e->d_name, path);
        (void)unlink(path);
    }
    if (d != NULL) closedir(d);
    (void)rmdir(folder);
}

static void make_folder(const char *data, char folder[PATH_BYTES])
{
    const char *root = getenv("TMPDIR");
    char real[PATH_BYTES];
    pf_error err = {0};
    if (realpath(data, real) == NULL) {
        (void)error_set_errno(&err, "cannot find %s", data);
        stop("data", &err);
    }
    path_in(root && root[0] ? root : "/tmp", "proffer-bench-XXXXXX", folder);
    if (mkdtemp(folder) == NULL) {
        (void)error_set_errno(&err, "cannot make %s", folder);
        stop("folder", &err);
    }
    copy_mapping(folder);
    link_data(real, folder);
}

/* ---- loading ---- */

static void load(journey *j, const char *folder)
{
    char mapping[PATH_BYTES], database[PATH_BYTES];
    path_in(folder, "mapping.yaml", mapping);
    path_in(folder, "proffer.db", database);
    const intake_request request = {.mapping = mapping};
    intake_options options = intake_options_default();
    intake_summary summary = {0};
    intake_plan *plan = NULL;
    store *s = NULL;
    pf_error err = {0};
    options.now_us = clock_now_us();
    if (store_open(&s, database, STORE_CREATE, &err) != PF_OK ||
        intake_plan_open(&plan, &request, &err) != PF_OK ||
        intake_run(plan, s, &options, &summary, &err) != PF_OK ||
        store_load_catalogue(s, &j->catalogue, &err) != PF_OK ||
        store_load_history(s, INT64_MAX, &j->history, &err) != PF_OK)
        stop(j->name, &err);
    intake_summary_free(&summary);
    intake_plan_free(plan);
    store_close(s);
}

static bool is_no_goods(const char *path)
{
    static const char *const departments[] = {"FUEL", "COUPON", "MISCELLANEOUS"};
    if (path[0] == '\0') return true;
    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(departments[i]);
        if (strncmp(path, departments[i], n) == 0 &&
            (path[n] == '\0' || strncmp(path + n, " > ", 3) == 0))
            return true;
    }
    return false;
}

static void find_excluded(journey *j)
{
    const shop_catalogue *c = j->catalogue;
    j->excluded = mem_alloc_zero((size_t)c->n_products + 1, sizeof *j->excluded);
    if (j->excluded == NULL) exit(1);
    for (uint32_t i = 1; i <= c->n_products; i++)
        j->excluded[i] = is_no_goods(c->categories[c->products[i].category].path);
}

journey *journey_open(const char *name)
{
    char folder[PATH_BYTES];
    double start = clock_wall_s();
    pf_error err = {0};
    const char *data =
        strcmp(name, "demo") == 0 ? example : bench_data("completejourney");
    journey *j = mem_alloc_zero(1, sizeof *j);
    if (j == NULL) exit(1);
    j->name = name;
    make_folder(data, folder);
    load(j, folder);
    remove_folder(folder);
    find_excluded(j);
    if (zone_open(&j->zone, "America/New_York", &err) != PF_OK) stop("zone", &err);
    j->load_s = clock_wall_s() - start;
    return j;
}

void journey_close(journey *j)
{
    if (j == NULL) return;
    catalogue_free(j->catalogue);
    history_free(j->history);
    zone_free(j->zone);
    mem_free(j->excluded);
    mem_free(j);
}

int64_t journey_day_us(const journey *j, const char *date)
{
    const time_rules rules = {.form = TIME_ISO, .local = j->zone};
    int64_t time_us = 0;
    bool date_only = false;
    const char *why = "";
    if (!time_parse(date, strlen(date), &rules, &time_us, &date_only, &why)) {
        fprintf(stderr, "'%s' is no date: %s\n", date, why);
        exit(2);
    }
    return time_us;
}
