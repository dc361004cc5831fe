/*
 * A workspace of a test's own, from the inside: made before each test and removed after it.
 *
 *     cmocka_unit_test_setup_teardown(test, room_begin, room_end)
 *     ...
 *     room_configure("decide: {holdout: 0}\n");
 *     room_import("campaigns.csv", "id,starts\nmay,2026-05-04\n");
 *     workspace_snapshot(room, &err)            // room is the handle
 */
#ifndef PROFFER_TESTS_ENGINE_ROOM_H
#define PROFFER_TESTS_ENGINE_ROOM_H

#include "check.h"

#include "engine/workspace.h"

extern proffer *room;

int room_begin(void **state);
int room_end(void **state);
/* Writes proffer.yaml and opens the workspace anew. */
void room_configure(const char *yaml);
/* Imports a file of this name with these words; what table it is, its name says. Ends the test
 * where a row is rejected. */
void room_import(const char *name, const char *words);
/* Imports the shop of cli/lots_shop.h with so many shoppers. */
void room_import_lots(unsigned shoppers);
/* The snapshot, as of now. */
void room_look(void);
/* An instant. */
int64_t room_time(const char *iso);
/* The numbers of an id. */
uint32_t room_campaign(const char *id);
uint32_t room_shopper(const char *id);

#endif
