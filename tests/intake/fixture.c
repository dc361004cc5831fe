/* The shared half of the intake tests; see fixture.h. */
#include "fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/progress.h"

static char folder_path[256];
static store *opened;

intake_options fixture_options;
intake_summary summary;
pf_error failure;

/* --- the folder ---------------------------------------------------------------------- */

int fixture_begin(void **state)
{
    (void)state;
    progress_set_quiet(true);
    const char *temporary = getenv("TMPDIR");
    snprintf(folder_path, sizeof folder_path, "%s/proffer-test-intake-XXXXXX",
             temporary != NULL ? temporary : "/tmp");
    if (mkdtemp(folder_path) == NULL) return -1;
    fixture_options = intake_options_default();
    (void)currency_find("USD", 3, &fixture_options.currency);
    fixture_options.now_us = INT64_C(1735689600000000); /* 2025-01-01T00:00:00Z */
    fixture_options.rejects_folder = strdup(path_of("rejects"));
    failure = (pf_error){0};
    return 0;
}

static int remove_one(const char *path, const struct stat *facts, int kind,
                      struct FTW *place)
{
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

int fixture_end(void **state)
{
    (void)state;
    close_store();
    intake_summary_free(&summary);
    free((char *)(uintptr_t)fixture_options.rejects_folder);
    return nftw(folder_path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *folder(void)
{
    return folder_path;
}

const char *path_of(const char *name)
{
    static char paths[8][4096];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s%s%s",
             name[0] == '/' || name[0] == '-' ? "" : folder_path,
             name[0] == '/' || name[0] == '-' ? "" : "/", name);
    return path;
}

void put_n(const char *name, const void *bytes, size_t n)
{
    FILE *f = fopen(path_of(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

void put(const char *name, const char *words)
{
    put_n(name, words, strlen(words));
}

unsigned char *gzip_of(const void *bytes, size_t n, size_t *packed)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    const size_t room = deflateBound(&z, n) + 32;
    unsigned char *to = mem_alloc(1, room);
    assert_non_null(to);
    z.next_in = (unsigned char *)(uintptr_t)bytes;
    z.avail_in = (unsigned)n;
    z.next_out = to;
    z.avail_out = (unsigned)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    *packed = room - z.avail_out;
    deflateEnd(&z);
    return to;
}

void put_gzip(const char *name, const void *bytes, size_t n)
{
    size_t packed;
    unsigned char *to = gzip_of(bytes, n, &packed);
    put_n(name, to, packed);
    mem_free(to);
}

void put_zstd(const char *name, const void *bytes, size_t n)
{
    const size_t room = ZSTD_compressBound(n);
    void *to = mem_alloc(1, room);
    assert_non_null(to);
    const size_t packed = ZSTD_compress(to, room, bytes, n, 3);
    assert_false(ZSTD_isError(packed));
    put_n(name, to, packed);
    mem_free(to);
}

const char *content(const char *path)
{
    static char *kept;
    size_t n;
    mem_free(kept);
    kept = NULL;
    if (file_read_whole(&kept, &n, path, 64 << 20, &failure) != PF_OK)
        fail_msg("%s: %s", path, failure.message);
    return kept;
}

/* --- the store ----------------------------------------------------------------------- */

store *the_store(void)
{
    if (opened == NULL &&
        store_open(&opened, path_of("proffer.db"), STORE_CREATE, &failure) != PF_OK)
        fail_msg("%s", failure.message);
    return opened;
}

void close_store(void)
{
    store_close(opened);
    opened = NULL;
}

/* --- imports ------------------------------------------------------------------------- */

static void run_request(pf_status expected, const intake_request *r, bool keep)
{
    intake_plan *plan = NULL;
    char words[1024];
    failure = (pf_error){0};
    intake_summary_free(&summary);
    pf_status s = intake_plan_open(&plan, r, &failure);
    if (s == PF_OK && keep)
        s = intake_run(plan, the_store(), &fixture_options, &summary, &failure);
    else if (s == PF_OK)
        s = intake_validate(plan, opened, &fixture_options, &summary, &failure);
    intake_plan_free(plan);
    if (s != expected)
        fail_msg("%s: %s", status_name(s), error_describe(&failure, words, sizeof words));
    if (s != PF_OK) assert_int_equal(failure.code, s);
    assert_counts_add_up();
}

static void run_one(pf_status expected, const char *table, const char *name, bool keep)
{
    const char *files[] = {path_of(name)};
    run_request(expected, &(intake_request){.files = files, .n_files = 1, .table = table},
                keep);
}

void run_files(pf_status expected, const char *name)
{
    run_one(expected, NULL, name, true);
}

void run_table(pf_status expected, const char *table, const char *name)
{
    run_one(expected, table, name, true);
}

void check_files(pf_status expected, const char *name)
{
    run_one(expected, NULL, name, false);
}

void run_mapping(pf_status expected, const char *yaml)
{
    put("mapping.yaml", yaml);
    run_request(expected, &(intake_request){.mapping = path_of("mapping.yaml")}, true);
}

void check_mapping(pf_status expected, const char *yaml)
{
    put("mapping.yaml", yaml);
    run_request(expected, &(intake_request){.mapping = path_of("mapping.yaml")}, false);
}

const intake_table_summary *table_of(const char *label)
{
    for (size_t i = 0; i < summary.n_tables; i++)
        if (label == NULL || strcmp(summary.tables[i].label, label) == 0)
            return &summary.tables[i];
    fail_msg("no table %s in the summary", label);
    return NULL;
}

intake_counts totals(void)
{
    return intake_summary_totals(&summary);
}

void assert_counts_add_up(void)
{
    for (size_t i = 0; i < summary.n_tables; i++) {
        const intake_counts *c = &summary.tables[i].counts;
        uint64_t reasons = 0;
        for (int k = 0; k < REASON_COUNT; k++)
            reasons += summary.tables[i].by_reason[k];
        assert_int_equal(c->rejected, reasons);
        assert_int_equal(c->rows, c->added + c->changed + c->same + c->duplicates +
                                      c->skipped + c->rejected);
    }
}

void assert_one_reject(reject_reason reason, unsigned long long line,
                       unsigned long long column, const char *words)
{
    char place[64];
    for (size_t i = 0; i < summary.n_tables; i++) {
        const intake_table_summary *t = &summary.tables[i];
        if (t->counts.rejected == 0) continue;
        if (t->by_reason[reason] != 1 || t->counts.rejected != 1)
            fail_msg("not the one reject: %s", t->first_reject);
        if (column > 0)
            snprintf(place, sizeof place, ":%llu:%llu: ", line, column);
        else
            snprintf(place, sizeof place, ":%llu", line);
        if (line > 0 && strstr(t->first_reject, place) == NULL)
            fail_msg("not at %s: %s", place, t->first_reject);
        if (strstr(t->first_reject, words) == NULL)
            fail_msg("not the words '%s': %s", words, t->first_reject);
        return;
    }
    fail_msg("nothing was rejected");
}

void assert_failure(unsigned long long line, const char *words)
{
    char shown[1024];
    error_describe(&failure, shown, sizeof shown);
    if (strstr(shown, words) == NULL) fail_msg("not the words '%s': %s", words, shown);
    if (line > 0 && failure.line != line) fail_msg("not in line %llu: %s", line, shown);
}

void put_catalogue(void)
{
    put("products.csv", "id\np1\np2\np3\n");
    put("shoppers.csv", "id\ns1\ns2\ns3\n");
    put("campaigns.csv", "id\nc1\n");
    put("promotions.csv", "id,campaign\nm1,c1\n");
    run_mapping(PF_OK, "version: 1\ntables:\n"
                       "  - {table: products, files: [products.csv]}\n"
                       "  - {table: shoppers, files: [shoppers.csv]}\n"
                       "  - {table: campaigns, files: [campaigns.csv]}\n"
                       "  - {table: promotions, files: [promotions.csv]}\n");
    assert_int_equal(totals().added, 3 + 3 + 1 + 1);
}

/* --- looking into the store ---------------------------------------------------------- */

const char *state_of_store(void)
{
    static char texts[2][1024];
    static unsigned next;
    char *into = texts[next++ % 2], print[FINGERPRINT_TEXT_BYTES];
    store_counts c;
    fingerprint f;
    assert_int_equal(store_count(the_store(), &c, NULL), PF_OK);
    assert_int_equal(store_data_fingerprint(the_store(), &f, NULL), PF_OK);
    fingerprint_format(&f, print);
    snprintf(
        into, sizeof texts[0],
        "products %llu shoppers %llu campaigns %llu promotions %llu scope %llu events "
        "%llu %s",
        (unsigned long long)c.products, (unsigned long long)c.shoppers,
        (unsigned long long)c.campaigns, (unsigned long long)c.promotions,
        (unsigned long long)c.scope_rows, (unsigned long long)c.events, print);
    return into;
}

const char *events_of(const char *shopper_id)
{
    static char into[8192];
    shop_catalogue *c;
    shop_history *h;
    size_t n = 0;
    into[0] = 0;
    assert_int_equal(store_load_catalogue(the_store(), &c, NULL), PF_OK);
    assert_int_equal(store_load_history(the_store(), INT64_MAX, &h, NULL), PF_OK);
    const uint32_t s = shopper_id[0] != 0
                           ? intern_find(c->shopper_ids, shopper_id, strlen(shopper_id))
                           : 0;
    assert_true(s != 0 || shopper_id[0] == 0);
    for (uint64_t i = h->first[s]; i < h->first[s + 1]; i++) {
        char time[TIME_TEXT_BYTES];
        const char *what = h->product[i] != 0     ? c->products[h->product[i]].id
                           : h->promotion[i] != 0 ? c->promotions[h->promotion[i]].id
                           : h->campaign[i] != 0  ? c->campaigns[h->campaign[i]].id
                                                  : "-";
        n += (size_t)snprintf(
            into + n, sizeof into - n, "%s %s %s %g %lld\n",
            event_type_name((event_type)h->type[i]), what,
            time_format(h->time_us[i], time), (double)h->quantity[i],
            h->paid_minor[i] == MONEY_ABSENT ? -1LL : (long long)h->paid_minor[i]);
    }
    history_free(h);
    catalogue_free(c);
    return into;
}
