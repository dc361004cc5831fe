/*
 * What the tests of the store share: a folder of their own for the database, in memory
 * where the system has one, and calls that must succeed.
 */
#ifndef PROFFER_TESTS_STORE_FIXTURE_H
#define PROFFER_TESTS_STORE_FIXTURE_H

#include "check.h"

#include <sqlite3.h>

#include "store/store.h"

typedef struct fixture {
    char folder[64];
    char path[96]; /* of the database */
    store *s;      /* open after fixture_new */
    pf_error err;
} fixture;

/* cmocka set-up and tear-down: a new, empty store, open. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Removes the database and what lies beside it, and opens a new one. */
void fixture_renew(fixture *f);
/* Closes and opens again. */
void fixture_reopen(fixture *f);

/* Fails the test with the error's message. */
#define must(call)                                                                       \
    do {                                                                                 \
        if ((call) != PF_OK) fail_msg("%s: %s", #call, f->err.message);                  \
    } while (0)

/* Puts a copy of the closed database aside, or back in its place (with nothing beside it). */
void fixture_put_aside(const fixture *f);
void fixture_put_back(const fixture *f);

/* Runs SQL on the database beside the store, as another program would. */
void fixture_sql(fixture *f, const char *sql);
int64_t fixture_sql_number(fixture *f, const char *sql);

/* The whole file's bytes hold these. */
bool fixture_files_hold(const fixture *f, const char *bytes);

/* Everything a store says of itself, as one number: counts, fingerprint, catalogue,
 * events with their texts, decisions. Two stores with the same data agree. */
uint64_t fixture_digest(store *s);

text t(const char *terminated);

#endif
