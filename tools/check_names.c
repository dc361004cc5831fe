/*
 * Looks through every file of a tree for names that belong to one machine or one network:
 * paths into somebody's home, hosts of package registries and their mirrors. The set-up
 * names packages and leaves to the machine's own configuration where they come from, and
 * a path that exists on one machine only breaks on the next.
 *
 *     check_names ROOT
 *
 * Prints file:line: rule: what was found; ends with 0, 1 or 2 as check_style does. Looked
 * for are exact forms of a few well-known names, so it protects against a slip, not
 * against intent.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tools/source_tree.h"

/* First folders of paths that only one machine has. */
static const char *const home_folders[] = {"home", "root", "Users", "work", "mnt"};

/* Hosts without their last label, which is tested apart: written whole here, this file
 * would be the first finding. A name stands for every host below it as well. */
static const char *const registry_hosts[] = {
    "pypi",   "pythonhosted", "npmjs",    "debian",  "ubuntu", "crates",
    "golang", "maven",        "rubygems", "yarnpkg", "conda",  "anaconda"};
static const char *const last_labels[] = {"org", "io", "com", "net"};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static bool label_character(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* "/folder/" at a path's start: not preceded by what would make it the middle of a longer
 * path or address. */
static const char *home_path_at(const char *text, const char *p)
{
    if (*p != '/' || (p > text && (label_character(p[-1]) || strchr("./})$*~>", p[-1]))))
        return NULL;
    for (size_t i = 0; i < COUNT(home_folders); i++) {
        size_t length = strlen(home_folders[i]);
        if (strncmp(p + 1, home_folders[i], length) == 0 && p[1 + length] == '/')
            return home_folders[i];
    }
    return NULL;
}

/* "host.label" with no letter on either side, whatever sub-domain stands before it. */
static const char *registry_at(const char *text, const char *p)
{
    if (p > text && label_character(p[-1])) return NULL;
    for (size_t i = 0; i < COUNT(registry_hosts); i++) {
        size_t length = strlen(registry_hosts[i]);
        if (strncasecmp(p, registry_hosts[i], length) != 0 || p[length] != '.') continue;
        for (size_t k = 0; k < COUNT(last_labels); k++) {
            size_t label = strlen(last_labels[k]);
            if (strncasecmp(p + length + 1, last_labels[k], label) == 0 &&
                !label_character(p[length + 1 + label]))
                return registry_hosts[i];
        }
    }
    return NULL;
}

static size_t check_file(const source_file *file)
{
    size_t line = 1, findings = 0;
    const char *end = file->text + file->size;
    for (const char *p = file->text; p < end; p++) {
        line += *p == '\n';
        const char *home = home_path_at(file->text, p);
        const char *host = home == NULL ? registry_at(file->text, p) : NULL;
        if (home != NULL)
            printf("%s:%zu: machine-path: a path below /%s\n", file->path, line, home);
        if (host != NULL)
            printf("%s:%zu: registry-host: a host of '%s'\n", file->path, line, host);
        findings += home != NULL || host != NULL;
    }
    return findings;
}

int main(int argc, char **argv)
{
    if (argc != 2) source_die("usage: check_names ROOT");
    source_tree tree = source_list(argv[1]);
    if (tree.count == 0) source_die("check_names: no file under %s", argv[1]);
    size_t findings = 0;
    for (size_t i = 0; i < tree.count; i++) {
        source_read(&tree, &tree.files[i]);
        findings += check_file(&tree.files[i]);
    }
    printf("names: %zu files, %zu findings\n", tree.count, findings);
    source_free(&tree);
    return findings > 0;
}
