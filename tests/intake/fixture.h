/*
 * What the tests of the intake room share: a fresh folder a test, files in it (plain or
 * packed), and an import of a mapping or of files into a store in that folder.
 *
 *     static void something(void **state)
 *     {
 *         put("events.csv", "...");
 *         run_files(PF_OK, "events.csv");
 *         assert_int_equal(totals().added, 3);
 *         assert_string_equal(rejected("events"), "events.csv:3:2: ...");
 *     }
 *
 * cmocka_unit_test_setup_teardown(something, fixture_begin, fixture_end) as TEST().
 */
#ifndef PROFFER_TESTS_INTAKE_FIXTURE_H
#define PROFFER_TESTS_INTAKE_FIXTURE_H

#include "check.h"

#include "intake/intake.h"
#include "shop/catalogue.h"
#include "shop/history.h"
#include "store/store.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

int fixture_begin(void **state);
int fixture_end(void **state);

/* The folder, and paths in it (eight valid at a time). */
const char *folder(void);
const char *path_of(const char *name);

/* Writes a file. put_n takes any bytes, put_gzip and put_zstd pack them. */
void put(const char *name, const char *words);
void put_n(const char *name, const void *bytes, size_t n);
void put_gzip(const char *name, const void *bytes, size_t n);
void put_zstd(const char *name, const void *bytes, size_t n);
/* One gzip member in memory, freed with mem_free. */
unsigned char *gzip_of(const void *bytes, size_t n, size_t *packed);
/* The whole file as text; lives until the next call. */
const char *content(const char *path);

/* The store of the test; opened on first use. */
store *the_store(void);
/* Closes it, so that another process may have it alone. */
void close_store(void);
/* Products p1..p3, shoppers s1..s3, a campaign c1 and its promotion m1, and USD. */
void put_catalogue(void);

/* The options every import below takes: USD, no zone, two threads, rejects in the folder. */
extern intake_options fixture_options;
/* What the last import said. */
extern intake_summary summary;
extern pf_error failure;

/* Imports and asserts the status. Names are relative to the folder. run_mapping writes the
 * text to mapping.yaml first. */
void run_files(pf_status expected, const char *name);
void run_table(pf_status expected, const char *table, const char *name);
void run_mapping(pf_status expected, const char *yaml);
/* The same without keeping anything. */
void check_files(pf_status expected, const char *name);
void check_mapping(pf_status expected, const char *yaml);

/* The only table of the last import, or the one of this label. */
const intake_table_summary *table_of(const char *label);
intake_counts totals(void);
/* Holds for every import: rows are the sum of what became of them. */
void assert_counts_add_up(void);
/* The last import rejected exactly one row: this reason, line and column (0 = any), and
 * these words in its message. */
void assert_one_reject(reject_reason reason, unsigned long long line,
                       unsigned long long column, const char *words);
/* The failure's message has these words, its place is in this line (0 = any). */
void assert_failure(unsigned long long line, const char *words);

/* Everything in the store, as one text: equal texts mean an unchanged store. Lives until
 * the next call but one. */
const char *state_of_store(void);
/* Events of a shopper ("" = anonymous) as lines "type product time quantity paid". */
const char *events_of(const char *shopper);

#endif
