/*
 * Which room may include which, read from where the build reads it: the order of rooms
 * from the foreach() in src/CMakeLists.txt, and from each src/NAME/CMakeLists.txt
 *
 *     proffer_room(NAME USES base shop LIBRARIES ...)
 *
 * A room may include its own headers, base's and those of the rooms it USES; what those
 * use in turn is theirs alone. It may use only rooms that come before it.
 */
#ifndef PROFFER_TOOLS_ROOM_LIST_H
#define PROFFER_TOOLS_ROOM_LIST_H

#include <stdbool.h>

#include "tools/source_tree.h"

enum { ROOMS_MAX = 64 };

typedef struct room {
    char name[64];
    char uses[ROOMS_MAX][64];
    int n_uses;
    bool declared; /* its CMakeLists.txt is there */
    size_t line;   /* of proffer_room( in it */
} room;

typedef struct room_list {
    room rooms[ROOMS_MAX]; /* in the order of src/CMakeLists.txt */
    int count;
} room_list;

/* Reads every declaration. Rooms that are only listed, not there yet, are no error. */
room_list room_list_read(const source_tree *tree);

/* NULL when no room has that name. */
const room *room_list_find(const room_list *list, const char *name);

/* Whether a file of `from` may include a header of `to`. */
bool room_may_include(const room *from, const char *to);

#endif
