/* Protects what the verbs share below the public API: the number of threads that was asked
 * for is the number there is, and a snapshot that others have overtaken is never read past
 * its end. */
#include "check.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/workspace.h"

static char folder[256];
static proffer *p;

static int begin(void **state)
{
    (void)state;
    const char *temporary = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/proffer-test-inside-XXXXXX",
                   temporary != NULL ? temporary : "/tmp");
    proffer_set_quiet(1);
    return mkdtemp(folder) == NULL ||
           proffer_init(folder, NULL, NULL, NULL) != PROFFER_OK ||
           proffer_open(&p, folder, NULL) != PROFFER_OK;
}

static int remove_one(const char *path, const struct stat *facts, int kind,
                      struct FTW *place)
{
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

static int end(void **state)
{
    (void)state;
    proffer_close(p);
    p = NULL;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void the_pool_has_as_many_threads_as_were_asked_for(void **state)
{
    (void)state;
    assert_non_null(workspace_pool(p));
    workspace_use_threads(p, 3);
    assert_int_equal(pool_threads(workspace_pool(p)), 3);
    workspace_use_threads(p, 2);
    assert_int_equal(pool_threads(workspace_pool(p)), 2);
    workspace_use_threads(p, 1);
    assert_null(workspace_pool(p));
}

static void add_decision(void)
{
    const shopper_record who = {.id = {"anna", 4}};
    store_outcome outcome;
    assert_int_equal(store_begin(p->store, NULL), PF_OK);
    assert_int_equal(store_put_shopper(p->store, &who, &outcome, NULL), PF_OK);
    const decision_record d = {.id = "one",
                               .run = "first",
                               .shopper = 1,
                               .reason = "holdout",
                               .message = "",
                               .candidates = "[]",
                               .versions = "{}"};
    assert_int_equal(store_put_decision(p->store, &d, NULL), PF_OK);
    assert_int_equal(store_commit(p->store, NULL), PF_OK);
}

static bool count(void *context, const decision_record *d)
{
    (void)d;
    ++*(int *)context;
    return true;
}

static void decisions_about_shoppers_newer_than_the_snapshot_are_not_shown(void **state)
{
    (void)state;
    int seen = 0;
    pf_error err = {.code = PF_OK};
    assert_int_equal(workspace_snapshot(p, NULL), PF_OK);
    assert_int_equal(workspace_visit_decisions(p, NULL, 0, count, &seen, &err),
                     PF_NOT_FOUND);
    add_decision();
    assert_int_equal(workspace_visit_decisions(p, NULL, 0, count, &seen, &err), PF_BUSY);
    assert_int_equal(seen, 0);
    assert_int_equal(workspace_snapshot(p, NULL), PF_OK);
    assert_int_equal(workspace_visit_decisions(p, NULL, 0, count, &seen, NULL), PF_OK);
    assert_int_equal(seen, 1);
}

#define ROOM(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM(the_pool_has_as_many_threads_as_were_asked_for),
        ROOM(decisions_about_shoppers_newer_than_the_snapshot_are_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
