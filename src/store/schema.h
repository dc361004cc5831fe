/*
 * The tables, as a list of steps. A store at version v has had the first v steps; opening
 * it applies the rest in one transaction. Steps that were published are never changed: a
 * new shape of the tables is a new step at the end.
 */
#ifndef PROFFER_STORE_SCHEMA_H
#define PROFFER_STORE_SCHEMA_H

#include <stdbool.h>

#include "base/status.h"
#include "store/store.h"

/* "Prof" in ASCII: SQLite's application_id, by which `file` and we know our files. */
#define SCHEMA_APPLICATION_ID 0x50726F66

enum { SCHEMA_VERSION = 5 };

/* SCHEMA_VERSION steps of SQL. */
extern const char *const schema_steps[SCHEMA_VERSION];

/* Looks without touching: PF_UNAVAILABLE for a store of a later version, PF_DATA for a
 * database that is no store, or an empty one unless may_create. *empty: nothing in it. */
pf_status schema_check(store *s, bool may_create, bool *empty, pf_error *err);

/* Checks, and applies the steps that are missing, all or nothing, waiting for another
 * process that does the same. A read-only store that would need one is PF_UNAVAILABLE. */
pf_status schema_apply(store *s, bool may_create, pf_error *err);

#endif
