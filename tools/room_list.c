/* The rooms and what they use, out of CMake's files. See room_list.h. */
#include "tools/room_list.h"

#include <stdio.h>
#include <string.h>

/* The next word of a CMake command's arguments, false at its closing parenthesis or the
 * end of the text. Comments are skipped; quotes and variables stay part of the word. */
static bool next_argument(const char **at, char *word, size_t size)
{
    const char *p = *at;
    for (;;) {
        p += strspn(p, " \t\r\n");
        if (*p != '#') break;
        p += strcspn(p, "\n");
    }
    size_t length = strcspn(p, " \t\r\n()#");
    snprintf(word, size, "%.*s", (int)length, p);
    *at = p + length;
    return length > 0;
}

/* Behind "command(" at the start of a line, with its line number; NULL when absent. */
static const char *find_command(const char *text, const char *command, size_t *line)
{
    *line = 1;
    for (const char *p = text; *p != '\0'; (*line)++) {
        const char *start = p + strspn(p, " \t");
        if (text_starts(start, command) && start[strlen(command)] == '(')
            return start + strlen(command) + 1;
        p += strcspn(p, "\n");
        p += *p == '\n';
    }
    return NULL;
}

static room *add(room_list *list, const char *name)
{
    if (list->count == ROOMS_MAX) source_die("more than %d rooms", ROOMS_MAX);
    room *added = &list->rooms[list->count++];
    snprintf(added->name, sizeof added->name, "%s", name);
    return added;
}

/* foreach(room base measure ...): the first argument is the loop's variable. */
static void read_order(room_list *list, const source_file *file)
{
    size_t line = 0;
    const char *at = find_command(file->text, "foreach", &line);
    char word[64];
    if (at == NULL || !next_argument(&at, word, sizeof word))
        source_die("%s: no foreach() that lists the rooms", file->path);
    while (next_argument(&at, word, sizeof word))
        add(list, word);
}

static void read_uses(room *into, const source_file *file)
{
    char word[64];
    const char *at = find_command(file->text, "proffer_room", &into->line);
    if (at == NULL || !next_argument(&at, word, sizeof word) ||
        strcmp(word, into->name) != 0)
        source_die("%s: no proffer_room(%s ...)", file->path, into->name);
    into->declared = true;
    bool uses = false;
    while (next_argument(&at, word, sizeof word)) {
        if (strcmp(word, "USES") == 0)
            uses = true;
        else if (strcmp(word, "LIBRARIES") == 0)
            uses = false;
        else if (uses && into->n_uses < ROOMS_MAX)
            snprintf(into->uses[into->n_uses++], sizeof word, "%s", word);
    }
}

room_list room_list_read(const source_tree *tree)
{
    room_list list = {0};
    const source_file *order = source_find(tree, "src/CMakeLists.txt");
    if (order != NULL) read_order(&list, order);
    for (int i = 0; i < list.count; i++) {
        char path[128];
        snprintf(path, sizeof path, "src/%s/CMakeLists.txt", list.rooms[i].name);
        const source_file *file = source_find(tree, path);
        if (file != NULL) read_uses(&list.rooms[i], file);
    }
    return list;
}

const room *room_list_find(const room_list *list, const char *name)
{
    for (int i = 0; i < list->count; i++)
        if (strcmp(list->rooms[i].name, name) == 0) return &list->rooms[i];
    return NULL;
}

bool room_may_include(const room *from, const char *to)
{
    if (strcmp(to, "base") == 0 || strcmp(to, from->name) == 0) return true;
    for (int i = 0; i < from->n_uses; i++)
        if (strcmp(from->uses[i], to) == 0) return true;
    return false;
}
