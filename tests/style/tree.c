/* Trees for the tests of the checking programs. See tree.h. */
#include "style/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char room_order[] =
    "foreach(room base shop store\n    engine cli)\nendforeach()\n";

void tree_begin(tree *t)
{
    snprintf(t->root, sizeof t->root, "%s/style_tree_XXXXXX", PROFFER_BINARY_DIR);
    assert_non_null(mkdtemp(t->root));
    tree_write(t, "src/CMakeLists.txt", room_order);
    tree_write(t, "src/base/CMakeLists.txt", "proffer_room(base)\n");
    tree_write(t, "src/shop/CMakeLists.txt", "proffer_room(shop USES base)\n");
    tree_write(t, "src/store/CMakeLists.txt",
               "# Keeps it.\nproffer_room(store USES base\n  shop LIBRARIES sqlite3)\n");
    tree_write(t, "src/engine/CMakeLists.txt", "proffer_room(engine USES base store)\n");
    tree_write(t, "src/cli/CMakeLists.txt", "proffer_room(cli USES base engine)\n");
}

static int remove_one(const char *path, const struct stat *facts, int kind,
                      struct FTW *place)
{
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

void tree_end(tree *t)
{
    assert_int_equal(nftw(t->root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void tree_write_bytes(tree *t, const char *path, const void *bytes, size_t size)
{
    char whole[1024];
    snprintf(whole, sizeof whole, "%s/%s", t->root, path);
    for (char *slash = whole + strlen(t->root) + 1; (slash = strchr(slash, '/')) != NULL;
         slash++) {
        *slash = '\0';
        mkdir(whole, 0700);
        *slash = '/';
    }
    FILE *file = fopen(whole, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

void tree_write(tree *t, const char *path, const char *text)
{
    tree_write_bytes(t, path, text, strlen(text));
}

static void run_child(const char *program, const char *root, int output)
{
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execl(program, program, root, (char *)NULL);
    _exit(127);
}

int tree_run(tree *t, const char *program)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) run_child(program, t->root, ends[1]);
    close(ends[1]);
    size_t used = 0;
    for (ssize_t n;
         (n = read(ends[0], t->output + used, sizeof t->output - 1 - used)) > 0;)
        used += (size_t)n;
    t->output[used] = '\0';
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int tree_said(const tree *t, const char *text)
{
    int times = 0;
    for (const char *p = t->output; (p = strstr(p, text)) != NULL; p += strlen(text))
        times++;
    return times;
}
