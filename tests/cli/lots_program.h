/*
 * The shop of lots_shop.h in a workspace of the real program.
 */
#ifndef PROFFER_TESTS_LOTS_PROGRAM_H
#define PROFFER_TESTS_LOTS_PROGRAM_H

#include "lots_shop.h"

/* folder/name in the folder of the tests; lives as in_folder's. */
const char *lots_inside(const char *folder, const char *name);
/* Writes proffer.yaml with this under `decide`. */
void lots_configure(const char *name, const char *decide);
/* The shop as of the third of May, with so many shoppers: a new workspace of this name. */
const char *lots_import(const char *name, const char *decide, unsigned shoppers);

#endif
