/*
 * The files of a source tree, for the programs that check it. Walks a folder, leaving out
 * what is built or fetched (.git, build, dist, models), and reads files whole.
 *
 * For small programs that run to their end: a failure to read or allocate ends the
 * program with 2 and a line on stderr.
 */
#ifndef PROFFER_TOOLS_SOURCE_TREE_H
#define PROFFER_TOOLS_SOURCE_TREE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct source_file {
    char *path;  /* relative to the root, "src/base/text.c" */
    char *text;  /* terminated; may hold NUL bytes before its end */
    size_t size; /* bytes */
} source_file;

typedef struct source_tree {
    source_file *files; /* sorted by path; text is NULL until source_read */
    size_t count;
    const char *root;
} source_tree;

/* Lists every regular file under root, which it borrows. source_free gives the tree back.
 */
source_tree source_list(const char *root);
void source_free(source_tree *tree);

/* Reads a file of the tree into file->text, once. */
void source_read(const source_tree *tree, source_file *file);

/* The file of that relative path, read; NULL when the tree has none. */
const source_file *source_find(const source_tree *tree, const char *path);

/* Prints a line on stderr and ends the program with 2. */
_Noreturn void source_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* malloc and realloc that end the program rather than fail. */
void *source_alloc(void *block, size_t size);

bool text_starts(const char *text, const char *start);
bool text_ends(const char *text, const char *end);

#endif
