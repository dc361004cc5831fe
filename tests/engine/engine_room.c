/* See engine_room.h. */
#include "engine_room.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/lots_shop.h"

proffer *room;
static char folder[256];

int room_begin(void **state)
{
    (void)state;
    const char *temporary = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/proffer-test-engine-XXXXXX",
                   temporary != NULL ? temporary : "/tmp");
    proffer_set_quiet(1);
    log_set_level(LOG_ERROR);
    setenv("PROFFER_MODELS", "/nonexistent/models", 1);
    return mkdtemp(folder) == NULL || proffer_init(folder, NULL, NULL, NULL) != PROFFER_OK ||
           proffer_open(&room, folder, NULL) != PROFFER_OK;
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *place)
{
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

int room_end(void **state)
{
    (void)state;
    proffer_close(room);
    room = NULL;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *inside(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void succeed(proffer_status s, const proffer_error *err)
{
    if (s != PROFFER_OK) fail_msg("%s%s%s", err->file, err->file[0] ? ": " : "", err->message);
}

void room_configure(const char *yaml)
{
    proffer_error err = {.code = PROFFER_OK};
    assert_int_equal(file_write_atomic(inside("proffer.yaml"), yaml, strlen(yaml), NULL), PF_OK);
    proffer_close(room);
    room = NULL;
    succeed(proffer_open(&room, folder, &err), &err);
}

static void import_file(const char *name)
{
    const char *const files[] = {inside(name)};
    proffer_error err = {.code = PROFFER_OK};
    proffer_import_options o = proffer_import_options_default();
    char *json = NULL;
    o.files = files;
    o.n_files = 1;
    succeed(proffer_import(room, &o, &json, &err), &err);
    assert_non_null(strstr(json, "\"rejected\":0"));
    proffer_free(json);
}

void room_import(const char *name, const char *words)
{
    assert_int_equal(file_write_atomic(inside(name), words, strlen(words), NULL), PF_OK);
    import_file(name);
}

void room_import_lots(unsigned shoppers)
{
    static const char *const names[] = {"products.csv", "shoppers.csv", "campaigns.csv",
                                        "promotions.csv", "past.csv"};
    lots_write(folder, shoppers);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        import_file(names[i]);
}

void room_look(void)
{
    pf_error err = {.code = PF_OK};
    if (workspace_snapshot(room, &err) != PF_OK) fail_msg("%s", err.message);
}

int64_t room_time(const char *iso)
{
    int64_t us = 0;
    assert_int_equal(workspace_time(room, iso, 0, &us, NULL), PF_OK);
    return us;
}

uint32_t room_campaign(const char *id)
{
    uint32_t number = 0;
    assert_int_equal(workspace_campaign(room, id, &number, NULL), PF_OK);
    return number;
}

uint32_t room_shopper(const char *id)
{
    uint32_t number = 0;
    assert_int_equal(workspace_shopper(room, id, &number, NULL), PF_OK);
    return number;
}
