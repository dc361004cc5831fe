/* Walking and reading a source tree. See source_tree.h. */
#include "tools/source_tree.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

_Noreturn void source_die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(2);
}

void *source_alloc(void *block, size_t size)
{
    void *more = realloc(block, size > 0 ? size : 1);
    if (more == NULL) source_die("out of memory");
    return more;
}

bool text_starts(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

bool text_ends(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* "folder/name"; the folder "" stands for the root itself. */
static char *joined(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = source_alloc(NULL, size);
    snprintf(path, size, "%s%s%s", folder, folder[0] != '\0' ? "/" : "", name);
    return path;
}

/* Only at the top: a room may be called "models" one day. */
static bool left_out(const char *path)
{
    static const char *const names[] = {".git", "build", "dist", "models"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(path, names[i]) == 0) return true;
    return false;
}

static void walk(source_tree *tree, const char *folder);

/* lstat: a symbolic link could lead out of the tree or round in it. A file that has just
 * gone (an editor's, a compiler's) is no longer part of the tree. Takes path over. */
static void visit(source_tree *tree, char *path)
{
    char *whole = joined(tree->root, path);
    struct stat facts;
    bool there = !left_out(path) && lstat(whole, &facts) == 0;
    free(whole);
    if (there && S_ISREG(facts.st_mode)) {
        size_t bytes = (tree->count + 1) * sizeof *tree->files;
        tree->files = source_alloc(tree->files, bytes);
        tree->files[tree->count++] = (source_file){.path = path};
        return;
    }
    if (there && S_ISDIR(facts.st_mode)) walk(tree, path);
    free(path);
}

static void walk(source_tree *tree, const char *folder)
{
    char *whole = joined(tree->root, folder);
    DIR *entries = opendir(whole);
    if (entries == NULL) source_die("cannot open %s: %s", whole, strerror(errno));
    free(whole);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            visit(tree, joined(folder, entry->d_name));
    closedir(entries);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const source_file *)a)->path, ((const source_file *)b)->path);
}

source_tree source_list(const char *root)
{
    source_tree tree = {.root = root};
    walk(&tree, "");
    if (tree.count > 0) qsort(tree.files, tree.count, sizeof *tree.files, by_path);
    return tree;
}

void source_read(const source_tree *tree, source_file *file)
{
    if (file->text != NULL) return;
    char *path = joined(tree->root, file->path);
    FILE *stream = fopen(path, "rb");
    struct stat facts;
    if (stream == NULL || fstat(fileno(stream), &facts) != 0)
        source_die("cannot read %s: %s", path, strerror(errno));
    char *text = source_alloc(NULL, (size_t)facts.st_size + 1);
    file->size = fread(text, 1, (size_t)facts.st_size, stream);
    text[file->size] = '\0';
    file->text = text;
    fclose(stream);
    free(path);
}

const source_file *source_find(const source_tree *tree, const char *path)
{
    source_file key = {.path = (char *)path};
    source_file *found = tree->count == 0 ? NULL
                                          : bsearch(&key, tree->files, tree->count,
                                                    sizeof *tree->files, by_path);
    if (found != NULL) source_read(tree, found);
    return found;
}

void source_free(source_tree *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        free(tree->files[i].path);
        free(tree->files[i].text);
    }
    free(tree->files);
    *tree = (source_tree){0};
}
