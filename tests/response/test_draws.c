/* response/draws.h: what is saved comes back; files that are not what they say are refused. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "response/draws.h"

static char folder[64], path[128];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/proffer-draws-XXXXXX");
    if (mkdtemp(folder) == NULL) return 1;
    (void)snprintf(path, sizeof path, "%s/draws.safetensors", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static void filled(draws *d, size_t n, size_t width)
{
    assert_int_equal(draws_new(d, n, width, UINT64_MAX, 7, NULL), PF_OK);
    for (size_t i = 0; i < n * width; i++) {
        random_stream r = draws_stream(d, i / width, i % width);
        d->value[i] = random_normal(&r);
    }
}

static void what_is_saved_comes_back_to_the_bit(void **state)
{
    draws d, e;
    (void)state;
    filled(&d, 64, 9);
    assert_int_equal(draws_save(&d, path, NULL), PF_OK);
    assert_int_equal(draws_load(&e, path, 9, NULL), PF_OK);
    assert_int_equal(e.draws, 64);
    assert_int_equal(e.width, 9);
    assert_true(e.seed == UINT64_MAX && e.publication == 7);
    assert_memory_equal(d.value, e.value, 64 * 9 * sizeof(double));
    draws_free(&e);
    draws_free(&d);
    draws_free(&d);
    draws_free(NULL);
}

static void assert_refused(size_t width, const char *words)
{
    draws d;
    pf_error err = {0};
    assert_int_equal(draws_load(&d, path, width, &err), PF_DATA);
    if (strstr(err.message, words) == NULL) fail_msg("'%s' not in '%s'", words, err.message);
    assert_true(strstr(err.file, "draws.safetensors") != NULL);
    assert_null(d.value);
}

/* A file by hand: anything that the writer would not write. */
static void write_file(const char *kind, size_t n, size_t width, const double *value, bool seed)
{
    const uint64_t shape[2] = {n, width}, two = 2, which[2] = {1, 1};
    safetensors_writer *w = NULL;
    assert_int_equal(safetensors_begin(&w, path, NULL), PF_OK);
    assert_int_equal(safetensors_note(w, "kind", kind, NULL), PF_OK);
    assert_int_equal(safetensors_add(w, "draws", TENSOR_F64, value, 2, shape, NULL), PF_OK);
    if (seed)
        assert_int_equal(
            safetensors_add(w, "seed_publication", TENSOR_U64, which, 1, &two, NULL), PF_OK);
    assert_int_equal(safetensors_commit(w, NULL), PF_OK);
}

static void files_that_are_not_what_they_say_are_refused(void **state)
{
    const double good[6] = {1, 2, 3, 4, 5, 6}, bad[4] = {1, NAN, 3, 4};
    (void)state;
    write_file("response", 2, 2, good, true);
    assert_refused(0, "no posterior draws");
    write_file("posterior draws", 3, 2, good, true);
    assert_refused(0, "makes no sense");
    write_file("posterior draws", 2, 2, bad, true);
    assert_refused(0, "not finite");
    write_file("posterior draws", 2, 2, good, false);
    assert_refused(0, "seed_publication");
    write_file("posterior draws", 2, 2, good, true);
    assert_refused(3, "2 numbers here and 3");
}

static void a_file_that_is_not_there_is_not_found(void **state)
{
    draws d;
    (void)state;
    (void)unlink(path);
    assert_int_equal(draws_load(&d, path, 0, NULL), PF_NOT_FOUND);
}

static void draws_are_a_power_of_two_and_not_too_many(void **state)
{
    draws d;
    (void)state;
    assert_int_equal(draws_new(&d, 0, 1, 1, 1, NULL), PF_USAGE);
    assert_int_equal(draws_new(&d, 48, 1, 1, 1, NULL), PF_USAGE);
    assert_int_equal(draws_new(&d, 2 * DRAWS_MAX, 1, 1, 1, NULL), PF_USAGE);
    assert_int_equal(draws_new(&d, 64, 0, 1, 1, NULL), PF_USAGE);
    assert_int_equal(draws_new(&d, 64, SIZE_MAX, 1, 1, NULL), PF_LIMIT);
    assert_null(d.value);
}

static void streams_are_apart_by_draw_thing_seed_and_publication(void **state)
{
    const draws d[3] = {{.seed = 1, .publication = 2}, {.seed = 2, .publication = 1},
                        {.seed = 1, .publication = 3}};
    uint64_t seen[3 * 4 * 4];
    size_t n = 0;
    (void)state;
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < 4; i++)
            for (size_t w = 0; w < 4; w++) {
                random_stream r = draws_stream(&d[k], i, w);
                seen[n++] = random_u64(&r);
            }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(seen[i] != seen[j]);
}

static void want_of_memory_is_told(void **state)
{
    draws d;
    fault f = {0};
    (void)state;
    filled(&d, 4, 3);
    while (fault_next(&f)) {
        draws e = {0};
        pf_status s = draws_save(&d, path, NULL);
        if (s == PF_OK) s = draws_load(&e, path, 3, NULL);
        if (fault_reached(&f))
            assert_int_equal(s, PF_NO_MEMORY);
        else
            assert_int_equal(s, PF_OK);
        draws_free(&e);
    }
    assert_true(f.n > 4);
    draws_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_saved_comes_back_to_the_bit),
        cmocka_unit_test(files_that_are_not_what_they_say_are_refused),
        cmocka_unit_test(a_file_that_is_not_there_is_not_found),
        cmocka_unit_test(draws_are_a_power_of_two_and_not_too_many),
        cmocka_unit_test(streams_are_apart_by_draw_thing_seed_and_publication),
        cmocka_unit_test(want_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
