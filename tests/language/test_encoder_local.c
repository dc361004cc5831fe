/* The encoder in process from a folder of a tiny model: conversion at first use, repair,
 * absence, threads, fingerprints and faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "language/encoder.h"
#include "language/tiny_model.h"

enum { OUTPUT = 13, TEXTS = 333 };

typedef struct fixture {
    char folder[128];
} fixture;

static void write_model(const char *folder, uint64_t seed, size_t pieces)
{
    tiny_model model;
    tiny_model_make(&model, seed);
    tiny_bytes zip = tiny_model_archive(&model, NULL), sp = tiny_pieces(pieces);
    tiny_write(folder, ENCODER_ARCHIVE_NAME, zip.data, zip.n);
    tiny_write(folder, ENCODER_PIECES_NAME, sp.data, sp.n);
    free(zip.data);
    free(sp.data);
    tiny_model_free(&model);
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    log_set_level(LOG_ERROR);
    tiny_folder_make(f->folder);
    write_model(f->folder, 7, TINY_PIECES);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    tiny_folder_remove(f->folder);
    free(f);
    return 0;
}

static void path_in(const fixture *f, const char *name, char path[512])
{
    snprintf(path, 512, "%s/%s", f->folder, name);
}

static encoder *open_folder(const fixture *f)
{
    encoder *e;
    pf_error err = {0};
    if (encoder_open_folder(&e, f->folder, &err) != PF_OK)
        fail_msg("%s: %s", err.file, err.message);
    return e;
}

static void the_first_opening_converts_and_the_next_does_not(void **state)
{
    const fixture *f = *state;
    char weights_path[512], archive[512];
    path_in(f, ENCODER_WEIGHTS_NAME, weights_path);
    path_in(f, ENCODER_ARCHIVE_NAME, archive);
    assert_false(file_exists(weights_path));
    encoder_close(open_folder(f));
    assert_true(file_exists(weights_path));
    unlink(archive);
    encoder_close(open_folder(f));
}

static void a_text_has_the_vector_of_its_pieces(void **state)
{
    const fixture *f = *state;
    static const uint32_t pieces[] = {1, 3, 8, 9, 2}; /* begin, mark, ab, U+4E2D, end */
    const text t = text_of("ab\u4e2d");
    tiny_model model;
    double expected[OUTPUT];
    float got[OUTPUT];
    encoder *e = open_folder(f);
    tiny_model_make(&model, 7);
    tiny_model_encode(&model, pieces, 5, expected);
    assert_int_equal(encoder_dimension(e), OUTPUT);
    assert_int_equal(encoder_encode(e, 1, &t, got, NULL, NULL), PF_OK);
    for (size_t j = 0; j < OUTPUT; j++)
        assert_true(fabs((double)got[j] - expected[j]) < 1e-5);
    assert_non_null(strstr(encoder_describe(e), "13 values"));
    tiny_model_free(&model);
    encoder_close(e);
}

static void make_texts(text texts[TEXTS], char store[TEXTS][64])
{
    static const char letters[] = "abcdefgz ";
    for (size_t i = 0; i < TEXTS; i++) {
        const size_t n = i % 61;
        for (size_t j = 0; j < n; j++)
            store[i][j] = letters[(i * 7 + j * j * 5 + j / 3) % (sizeof letters - 1)];
        texts[i] = (text){store[i], n};
    }
}

static void threads_and_neighbours_do_not_change_a_bit(void **state)
{
    static text texts[TEXTS];
    static char store[TEXTS][64];
    static float one_by_one[TEXTS * OUTPUT], alone[TEXTS * OUTPUT],
        shared[TEXTS * OUTPUT];
    encoder *e = open_folder(*state);
    make_texts(texts, store);
    for (size_t i = 0; i < TEXTS; i++)
        assert_int_equal(
            encoder_encode(e, 1, texts + i, one_by_one + i * OUTPUT, NULL, NULL), PF_OK);
    assert_int_equal(encoder_encode(e, TEXTS, texts, alone, NULL, NULL), PF_OK);
    pool *p = pool_new(3);
    assert_non_null(p);
    assert_int_equal(encoder_encode(e, TEXTS, texts, shared, p, NULL), PF_OK);
    pool_free(p);
    assert_memory_equal(one_by_one, alone, sizeof alone);
    assert_memory_equal(alone, shared, sizeof alone);
    encoder_close(e);
}

static void no_texts_at_all_are_fine(void **state)
{
    encoder *e = open_folder(*state);
    assert_int_equal(encoder_encode(e, 0, NULL, NULL, NULL, NULL), PF_OK);
    encoder_close(e);
}

static void absent_files_are_unavailable_with_what_to_do(void **state)
{
    const fixture *f = *state;
    static const char *const names[] = {ENCODER_ARCHIVE_NAME, ENCODER_PIECES_NAME};
    char path[512];
    encoder *e;
    for (size_t i = 0; i < 2; i++) {
        pf_error err = {0};
        path_in(f, names[i], path);
        unlink(path);
        assert_int_equal(encoder_open_folder(&e, f->folder, &err), PF_UNAVAILABLE);
        assert_null(e);
        assert_non_null(strstr(err.message, path));
        assert_non_null(strstr(err.message, "PROFFER_MODELS"));
    }
    assert_int_equal(encoder_open_folder(&e, "/no/such/folder", NULL), PF_UNAVAILABLE);
}

/* Changes one byte of a file in place. */
static void damage(const char *path, long at)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, at, SEEK_SET);
    const int was = fgetc(file);
    fseek(file, at, SEEK_SET);
    fputc(was ^ 1, file);
    fclose(file);
}

static void a_damaged_file_is_made_again_from_the_archive(void **state)
{
    const fixture *f = *state;
    static const long places[] = {9, 5000};
    char weights_path[512];
    path_in(f, ENCODER_WEIGHTS_NAME, weights_path);
    for (size_t i = 0; i < 2; i++) {
        encoder_close(open_folder(f));
        damage(weights_path, places[i]);
        encoder_close(open_folder(f));
    }
}

static void a_damaged_file_without_the_archive_is_an_error(void **state)
{
    const fixture *f = *state;
    char weights_path[512], archive[512];
    encoder *e;
    pf_error err = {0};
    path_in(f, ENCODER_WEIGHTS_NAME, weights_path);
    path_in(f, ENCODER_ARCHIVE_NAME, archive);
    encoder_close(open_folder(f));
    damage(weights_path, 5000);
    unlink(archive);
    assert_int_equal(encoder_open_folder(&e, f->folder, &err), PF_DATA);
    assert_null(e);
    assert_non_null(strstr(err.message, "convert again"));
}

static void a_file_of_pieces_that_is_none_is_an_error(void **state)
{
    const fixture *f = *state;
    encoder *e;
    pf_error err = {0};
    tiny_write(f->folder, ENCODER_PIECES_NAME, "hello", 5);
    assert_int_equal(encoder_open_folder(&e, f->folder, &err), PF_DATA);
    assert_non_null(strstr(err.message, ENCODER_PIECES_NAME));
}

static void more_pieces_than_weights_do_not_belong_together(void **state)
{
    const fixture *f = *state;
    tiny_model model;
    encoder *e;
    pf_error err = {0};
    tiny_model_make(&model, 7);
    for (unsigned i = 1; i <= TINY_CHUNKS; i++) { /* 18 pieces instead of 21 */
        char name[8];
        snprintf(name, sizeof name, "q%u", i);
        tiny_model_array(&model, name)->shape[0] = 6;
        tiny_model_array(&model, name)->n = 6 * 12;
    }
    tiny_bytes zip = tiny_model_archive(&model, NULL);
    tiny_write(f->folder, ENCODER_ARCHIVE_NAME, zip.data, zip.n);
    free(zip.data);
    tiny_model_free(&model);
    assert_int_equal(encoder_open_folder(&e, f->folder, &err), PF_DATA);
    assert_non_null(strstr(err.message, "belong together"));
    write_model(f->folder, 7, 18);
    encoder_close(open_folder(f)); /* fewer pieces are fine */
}

static void the_fingerprint_follows_weights_and_pieces(void **state)
{
    const fixture *f = *state;
    encoder *e = open_folder(f);
    const fingerprint first = encoder_fingerprint(e);
    encoder_close(e);
    e = open_folder(f);
    const fingerprint again = encoder_fingerprint(e);
    encoder_close(e);
    write_model(f->folder, 7, TINY_PIECES - 1);
    e = open_folder(f);
    const fingerprint other_pieces = encoder_fingerprint(e);
    encoder_close(e);
    char weights_path[512];
    path_in(f, ENCODER_WEIGHTS_NAME, weights_path);
    unlink(weights_path);
    write_model(f->folder, 8, TINY_PIECES);
    e = open_folder(f);
    const fingerprint other_weights = encoder_fingerprint(e);
    encoder_close(e);
    assert_memory_equal(&first, &again, sizeof first);
    assert_memory_not_equal(&first, &other_pieces, sizeof first);
    assert_memory_not_equal(&first, &other_weights, sizeof first);
}

static void texts_above_the_limit_are_refused_and_named(void **state)
{
    encoder *e = open_folder(*state);
    char *long_text = calloc(1, LIMIT_TEXT_BYTES + 1);
    assert_non_null(long_text);
    memset(long_text, 'b', LIMIT_TEXT_BYTES + 1);
    const text texts[] = {{long_text, LIMIT_TEXT_BYTES},
                          {long_text, LIMIT_TEXT_BYTES + 1}};
    float rows[2 * OUTPUT];
    pf_error err = {0};
    assert_int_equal(encoder_encode(e, 1, texts, rows, NULL, NULL), PF_OK);
    assert_int_equal(encoder_encode(e, 2, texts, rows, NULL, &err), PF_LIMIT);
    assert_non_null(strstr(err.message, "text 2"));
    free(long_text);
    encoder_close(e);
}

static void the_default_folder_follows_the_environment(void **state)
{
    (void)state;
    char path[256], tiny[4];
    setenv("PROFFER_MODELS", "/m", 1);
    assert_int_equal(encoder_default_folder(path, sizeof path, NULL), PF_OK);
    assert_string_equal(path, "/m/usem3");
    assert_int_equal(encoder_default_folder(tiny, sizeof tiny, NULL), PF_LIMIT);
    unsetenv("PROFFER_MODELS");
    setenv("XDG_DATA_HOME", "/x", 1);
    assert_int_equal(encoder_default_folder(path, sizeof path, NULL), PF_OK);
    assert_string_equal(path, "/x/proffer/models/usem3");
    unsetenv("XDG_DATA_HOME");
    setenv("HOME", "/h", 1);
    assert_int_equal(encoder_default_folder(path, sizeof path, NULL), PF_OK);
    assert_string_equal(path, "/h/.local/share/proffer/models/usem3");
    unsetenv("HOME");
    assert_int_equal(encoder_default_folder(path, sizeof path, NULL), PF_UNAVAILABLE);
}

static void every_failed_allocation_is_reported(void **state)
{
    const fixture *f = *state;
    const text t = text_of("abc");
    float row[OUTPUT];
    encoder *e = open_folder(f);
    mem_fail_at(0);
    assert_int_equal(encoder_encode(e, 1, &t, row, NULL, NULL), PF_OK);
    const uint64_t allocations = mem_allocations_since();
    assert_true(allocations >= 2);
    for (uint64_t i = 1; i <= allocations; i++) {
        pf_error err = {0};
        mem_fail_at(i);
        assert_int_equal(encoder_encode(e, 1, &t, row, NULL, &err), PF_NO_MEMORY);
        mem_fail_at(0);
        assert_int_equal(err.code, PF_NO_MEMORY);
    }
    encoder_close(e);
    mem_fail_at(1);
    assert_int_equal(encoder_open_folder(&e, f->folder, NULL), PF_NO_MEMORY);
    mem_fail_at(0);
    assert_null(e);
    encoder_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define with_folder(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        with_folder(the_first_opening_converts_and_the_next_does_not),
        with_folder(a_text_has_the_vector_of_its_pieces),
        with_folder(threads_and_neighbours_do_not_change_a_bit),
        with_folder(no_texts_at_all_are_fine),
        with_folder(absent_files_are_unavailable_with_what_to_do),
        with_folder(a_damaged_file_is_made_again_from_the_archive),
        with_folder(a_damaged_file_without_the_archive_is_an_error),
        with_folder(a_file_of_pieces_that_is_none_is_an_error),
        with_folder(more_pieces_than_weights_do_not_belong_together),
        with_folder(the_fingerprint_follows_weights_and_pieces),
        with_folder(texts_above_the_limit_are_refused_and_named),
        cmocka_unit_test(the_default_folder_follows_the_environment),
        with_folder(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
