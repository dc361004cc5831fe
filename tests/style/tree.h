/*
 * A small source tree in a folder of its own, for tests that run a checking program on
 * it. Every tree starts with the two CMake files that declare the rooms base, shop,
 * store, engine and cli (store uses shop, engine uses store, cli uses engine).
 */
#ifndef PROFFER_TESTS_STYLE_TREE_H
#define PROFFER_TESTS_STYLE_TREE_H

#include <stddef.h>

typedef struct tree {
    char root[512];
    char output[1 << 16]; /* of the last run, stdout and stderr together */
} tree;

/* Makes the folder; tree_end removes it with all that is in it. */
void tree_begin(tree *t);
void tree_end(tree *t);

/* Writes a file, its folders too. */
void tree_write(tree *t, const char *path, const char *text);
void tree_write_bytes(tree *t, const char *path, const void *bytes, size_t size);

/* Runs `program` with the root as its only argument; returns its exit code. */
int tree_run(tree *t, const char *program);

/* How often `text` stands in the last run's output. */
int tree_said(const tree *t, const char *text);

#endif
