/* The folder, the files and the digest of a store under test; see fixture.h. */
#include "store/fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

text t(const char *terminated)
{
    return text_of(terminated);
}

/* --- files -------------------------------------------------------------------------- */

static void remove_files(const fixture *f)
{
    DIR *folder = opendir(f->folder);
    struct dirent *entry;
    char path[512];
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.' && strlen(entry->d_name) < 3) continue;
        snprintf(path, sizeof path, "%s/%s", f->folder, entry->d_name);
        unlink(path);
    }
    closedir(folder);
}

static void open_store(fixture *f)
{
    must(store_open(&f->s, f->path, STORE_CREATE, &f->err));
}

int fixture_setup(void **state)
{
    static fixture only;
    fixture *f = &only;
    memset(f, 0, sizeof *f);
    struct stat info;
    bool memory = stat("/dev/shm", &info) == 0 && access("/dev/shm", W_OK) == 0;
    snprintf(f->folder, sizeof f->folder, "%s/proffer-store-XXXXXX",
             memory ? "/dev/shm" : "/tmp");
    if (mkdtemp(f->folder) == NULL) return -1;
    snprintf(f->path, sizeof f->path, "%.63s/shop.db", f->folder);
    open_store(f);
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    fixture *f = *state;
    store_close(f->s);
    remove_files(f);
    rmdir(f->folder);
    return 0;
}

void fixture_renew(fixture *f)
{
    store_close(f->s);
    remove_files(f);
    open_store(f);
}

void fixture_reopen(fixture *f)
{
    store_close(f->s);
    f->s = NULL;
    open_store(f);
}

static void copy_file(const char *from, const char *to)
{
    char *bytes;
    size_t n;
    assert_int_equal(file_read_whole(&bytes, &n, from, 1u << 30, NULL), PF_OK);
    FILE *file = fopen(to, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
    mem_free(bytes);
}

void fixture_put_aside(const fixture *f)
{
    char aside[128];
    snprintf(aside, sizeof aside, "%s.aside", f->path);
    copy_file(f->path, aside);
}

void fixture_put_back(const fixture *f)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[128];
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", f->path, ends[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s.aside", f->path);
    copy_file(path, f->path);
}

bool fixture_files_hold(const fixture *f, const char *bytes)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    bool found = false;
    for (int i = 0; i < 3; i++) {
        char path[128], *data;
        size_t n;
        snprintf(path, sizeof path, "%s%s", f->path, ends[i]);
        if (!file_exists(path)) continue;
        assert_int_equal(file_read_whole(&data, &n, path, 1u << 30, NULL), PF_OK);
        found |= memmem(data, n, bytes, strlen(bytes)) != NULL;
        mem_free(data);
    }
    return found;
}

/* --- SQL from outside ----------------------------------------------------------------- */

static sqlite3 *outside(fixture *f)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 10000);
    return db;
}

void fixture_sql(fixture *f, const char *sql)
{
    sqlite3 *db = outside(f);
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
}

int64_t fixture_sql_number(fixture *f, const char *sql)
{
    sqlite3 *db = outside(f);
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

/* --- the digest ----------------------------------------------------------------------- */

static void add_text(fingerprint_state *d, text value)
{
    uint64_t n = value.n;
    fingerprint_add(d, &n, sizeof n);
    fingerprint_add(d, value.data, value.n);
}

#define ADD(value) fingerprint_add(d, &(value), sizeof(value))

static bool add_event(void *context, const event_record *r)
{
    fingerprint_state *d = context;
    const text texts[] = {r->id,    r->shopper,  r->product,  r->promotion,
                          r->order, r->decision, r->campaign, r->attributes};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        add_text(d, texts[i]);
    int type = (int)r->type, where = (int)r->channel, date_only = r->date_only;
    ADD(type);
    ADD(where);
    ADD(date_only);
    ADD(r->time_us);
    ADD(r->quantity);
    ADD(r->paid_minor);
    ADD(r->discount_minor);
    ADD(r->coupon_minor);
    ADD(r->rating);
    ADD(r->propensity);
    return true;
}

static bool add_decision(void *context, const decision_record *r)
{
    fingerprint_state *d = context;
    fingerprint_add_text(d, r->id);
    fingerprint_add_text(d, r->run);
    ADD(r->shopper);
    ADD(r->cost_minor);
    return true;
}

static void add_catalogue(fingerprint_state *d, const shop_catalogue *c)
{
    for (uint32_t i = 1; i <= c->n_products; i++) {
        fingerprint_add_text(d, c->products[i].id);
        fingerprint_add_text(d, c->products[i].title);
        ADD(c->products[i].price_minor);
    }
    for (uint32_t i = 1; i <= c->n_promotions; i++) {
        fingerprint_add_text(d, c->promotions[i].id);
        fingerprint_add(d, c->promotions[i].scope,
                        c->promotions[i].n_scope * sizeof(uint32_t));
    }
    for (uint32_t i = 1; i <= c->n_campaigns; i++)
        fingerprint_add_text(d, c->campaigns[i].id);
    for (uint32_t i = 1; i <= c->n_shoppers; i++)
        fingerprint_add_text(d, c->shoppers[i].id);
}

uint64_t fixture_digest(store *s)
{
    fingerprint_state state;
    fingerprint_state *d = &state;
    fingerprint data;
    shop_catalogue *c;
    store_counts counts;
    uint64_t digest;
    fingerprint_begin(d);
    assert_int_equal(store_count(s, &counts, NULL), PF_OK);
    assert_int_equal(store_data_fingerprint(s, &data, NULL), PF_OK);
    assert_int_equal(store_load_catalogue(s, &c, NULL), PF_OK);
    ADD(counts);
    ADD(data);
    add_catalogue(d, c);
    for (uint32_t i = 0; i <= c->n_shoppers; i++)
        assert_int_equal(store_visit_events(s, i, add_event, d, NULL), PF_OK);
    if (counts.decisions > 0)
        assert_int_equal(store_visit_decisions(s, NULL, 0, add_decision, d, NULL), PF_OK);
    catalogue_free(c);
    data = fingerprint_end(d);
    memcpy(&digest, data.bytes, sizeof digest);
    return digest;
}
