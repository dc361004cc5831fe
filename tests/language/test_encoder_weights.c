/* The converted weights file: conversion, layout, and refusal of anything altered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "language/tiny_model.h"
#include "language/weights.h"

typedef struct fixture {
    tiny_model model;
    char folder[128], archive[512], path[512];
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    tiny_model_make(&f->model, 7);
    tiny_folder_make(f->folder);
    snprintf(f->archive, sizeof f->archive, "%s/weights.npz", f->folder);
    snprintf(f->path, sizeof f->path, "%s/encoder.weights", f->folder);
    tiny_bytes zip = tiny_model_archive(&f->model, NULL);
    tiny_write(f->folder, "weights.npz", zip.data, zip.n);
    free(zip.data);
    assert_int_equal(weights_convert(f->archive, f->path, NULL), PF_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    tiny_model_free(&f->model);
    tiny_folder_remove(f->folder);
    free(f);
    return 0;
}

/* The converted file's bytes, aligned; freed with mem_free. */
static unsigned char *file_bytes(const fixture *f, size_t *n)
{
    file_map map;
    assert_int_equal(file_map_open(&map, f->path, NULL), PF_OK);
    unsigned char *bytes = mem_alloc_aligned(map.size, 1);
    assert_non_null(bytes);
    memcpy(bytes, map.data, map.size);
    *n = map.size;
    file_map_close(&map);
    return bytes;
}

static pf_status open_bytes(const unsigned char *bytes, size_t n, pf_error *err)
{
    weights w;
    return weights_open_bytes(&w, bytes, n, "w", true, err);
}

static void conversion_keeps_sizes_rows_and_matrices(void **state)
{
    fixture *f = *state;
    weights w;
    assert_int_equal(weights_open(&w, f->path, NULL), PF_OK);
    assert_memory_equal(&w.header.sizes, &f->model.sizes, sizeof f->model.sizes);
    for (uint32_t piece = 0; piece < TINY_PIECES; piece++) {
        char name[8];
        uint8_t codes[12];
        snprintf(name, sizeof name, "q%u", piece % TINY_CHUNKS + 1);
        const float *row =
            tiny_model_array(&f->model, name)->values + piece / TINY_CHUNKS * 12;
        assert_true(weights_row(&w, piece, codes));
        for (size_t i = 0; i < 12; i++)
            assert_int_equal(codes[i], (int)row[i]);
    }
    const packed_matrix d3 = weights_matrix(&w, SECTION_D3);
    assert_int_equal(d3.rows, 11);
    assert_int_equal(d3.columns, 13);
    for (size_t k = 0; k < 11; k++)
        assert_memory_equal(d3.panels + k * KERNEL_PANEL,
                            tiny_model_array(&f->model, "d3")->values + k * 13, 13 * 4);
    weights_close(&w);
}

static void sections_are_aligned_and_do_not_overlap(void **state)
{
    fixture *f = *state;
    weights_place places[WEIGHTS_SECTIONS];
    uint64_t size;
    weights_lay_out(&f->model.sizes, places, &size);
    for (unsigned i = 0; i < WEIGHTS_SECTIONS; i++) {
        const uint64_t next = i + 1 < WEIGHTS_SECTIONS ? places[i + 1].offset : size;
        assert_int_equal(places[i].offset % WEIGHTS_ALIGN, 0);
        assert_true(places[i].bytes > 0);
        assert_true(places[i].offset + places[i].bytes <= next);
        assert_true(next - places[i].offset - places[i].bytes < WEIGHTS_ALIGN);
    }
}

static void converting_twice_gives_the_same_file(void **state)
{
    fixture *f = *state;
    size_t n, again_n;
    unsigned char *first = file_bytes(f, &n);
    assert_int_equal(weights_convert(f->archive, f->path, NULL), PF_OK);
    unsigned char *again = file_bytes(f, &again_n);
    assert_int_equal(n, again_n);
    assert_memory_equal(first, again, n);
    mem_free(first);
    mem_free(again);
}

static void every_altered_byte_is_noticed(void **state)
{
    fixture *f = *state;
    size_t n;
    unsigned char *bytes = file_bytes(f, &n);
    assert_int_equal(open_bytes(bytes, n, NULL), PF_OK);
    for (size_t i = 0; i < n; i += i < sizeof(weights_header) ? 1 : 97) {
        pf_error err = {0};
        bytes[i] ^= 0x20;
        assert_int_equal(open_bytes(bytes, n, &err), PF_DATA);
        assert_true(err.message[0] != '\0');
        bytes[i] ^= 0x20;
    }
    mem_free(bytes);
}

static void every_truncation_and_addition_is_noticed(void **state)
{
    fixture *f = *state;
    size_t n;
    unsigned char *bytes = file_bytes(f, &n);
    for (size_t cut = 0; cut < n; cut += 61)
        assert_int_equal(open_bytes(bytes, cut, NULL), PF_DATA);
    assert_int_equal(open_bytes(bytes, n - 1, NULL), PF_DATA);
    unsigned char *longer = mem_alloc_aligned(n + 1, 1);
    assert_non_null(longer);
    memcpy(longer, bytes, n);
    longer[n] = 0;
    assert_int_equal(open_bytes(longer, n + 1, NULL), PF_DATA);
    mem_free(longer);
    mem_free(bytes);
}

/* Writes the header back with a right checksum, so that only the field itself is
 * wrong. */
static pf_status open_with(unsigned char *bytes, size_t n, const weights_header *header,
                           pf_error *err)
{
    weights_header sealed = *header;
    const fingerprint sum = weights_checksum(header, bytes, n, false);
    memcpy(sealed.checksum, sum.bytes, FINGERPRINT_BYTES);
    memcpy(bytes, &sealed, sizeof sealed);
    return open_bytes(bytes, n, err);
}

static void a_wrong_field_under_a_right_checksum_is_refused(void **state)
{
    fixture *f = *state;
    size_t n;
    unsigned char *bytes = file_bytes(f, &n);
    weights_header good, bad;
    memcpy(&good, bytes, sizeof good);
    assert_int_equal(open_with(bytes, n, &good, NULL), PF_OK);
    uint32_t *const fields[] = {
        &bad.version,      &bad.byte_order,      &bad.reserved,     &bad.sizes.chunks,
        &bad.sizes.pieces, &bad.sizes.embedding, &bad.sizes.branch, &bad.sizes.pooled,
        &bad.sizes.hidden, &bad.sizes.wide,      &bad.sizes.output};
    static const uint32_t values[] = {0, 1000000, UINT32_MAX, 0x04030201};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        for (size_t v = i == 2; v < 4; v++) {
            pf_error err = {0};
            bad = good;
            *fields[i] = values[v];
            assert_int_equal(open_with(bytes, n, &bad, &err), PF_DATA);
        }
    for (size_t i = 0; i < WEIGHTS_SECTIONS; i++) {
        bad = good;
        bad.places[i].offset += 64;
        assert_int_equal(open_with(bytes, n, &bad, NULL), PF_DATA);
        bad = good;
        bad.places[i].bytes = UINT64_MAX;
        assert_int_equal(open_with(bytes, n, &bad, NULL), PF_DATA);
    }
    static const float epsilons[] = {-1, 1, 1e30F};
    for (size_t i = 0; i < 3; i++) {
        bad = good;
        bad.epsilon = epsilons[i];
        assert_int_equal(open_with(bytes, n, &bad, NULL), PF_DATA);
    }
    mem_free(bytes);
}

static void messages_say_what_to_do(void **state)
{
    fixture *f = *state;
    size_t n;
    unsigned char *bytes = file_bytes(f, &n);
    pf_error err = {0};
    open_bytes((const unsigned char *)"hello", 5, &err);
    assert_non_null(strstr(err.message, "too short"));
    bytes[0] = 'x';
    open_bytes(bytes, n, &err);
    assert_non_null(strstr(err.message, "not a file of encoder weights"));
    bytes[0] = 'P';
    bytes[8] = 9;
    open_bytes(bytes, n, &err);
    assert_non_null(strstr(err.message, "version 9"));
    assert_non_null(strstr(err.message, "convert again"));
    mem_free(bytes);
}

static void an_absent_file_a_folder_and_a_wrong_file_are_errors(void **state)
{
    fixture *f = *state;
    weights w;
    pf_error err = {0};
    char absent[512];
    snprintf(absent, sizeof absent, "%s/nothing", f->folder);
    assert_int_equal(weights_open(&w, absent, &err), PF_NOT_FOUND);
    assert_non_null(strstr(err.message, absent));
    assert_int_equal(weights_open(&w, f->folder, &err), PF_DATA);
    assert_int_equal(weights_open(&w, f->archive, &err), PF_DATA);
}

/* Every array of the archive is needed: without it the old file must stay as it was. */
static void without_any_array_conversion_fails_and_leaves_the_file(void **state)
{
    fixture *f = *state;
    size_t n, after_n;
    unsigned char *before = file_bytes(f, &n);
    for (size_t i = 0; i < f->model.n; i++) {
        pf_error err = {0};
        char archive[512];
        tiny_bytes zip = tiny_model_archive(&f->model, f->model.arrays[i].name);
        tiny_write(f->folder, "less.npz", zip.data, zip.n);
        free(zip.data);
        snprintf(archive, sizeof archive, "%s/less.npz", f->folder);
        assert_int_equal(weights_convert(archive, f->path, &err), PF_NOT_FOUND);
        assert_non_null(strstr(err.message, f->model.arrays[i].name));
    }
    unsigned char *after = file_bytes(f, &after_n);
    assert_int_equal(n, after_n);
    assert_memory_equal(before, after, n);
    mem_free(before);
    mem_free(after);
}

static void an_array_of_another_shape_fails_conversion(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < f->model.n; i++) {
        tiny_array *a = &f->model.arrays[i];
        if (a->kind == NPZ_FLOAT64) continue;
        char archive[512];
        a->shape[0] -= 1; /* one row, or value, fewer */
        a->n = a->shape[0] * (a->dimensions == 2 ? a->shape[1] : 1);
        tiny_bytes zip = tiny_model_archive(&f->model, NULL);
        tiny_write(f->folder, "less.npz", zip.data, zip.n);
        free(zip.data);
        a->shape[0] += 1;
        a->n = a->shape[0] * (a->dimensions == 2 ? a->shape[1] : 1);
        snprintf(archive, sizeof archive, "%s/less.npz", f->folder);
        assert_int_not_equal(weights_convert(archive, f->path, NULL), PF_OK);
    }
    weights w;
    assert_int_equal(weights_open(&w, f->path, NULL), PF_OK);
    weights_close(&w);
}

static void conversion_to_a_folder_that_is_not_there_is_an_error(void **state)
{
    fixture *f = *state;
    char path[512];
    pf_error err = {0};
    snprintf(path, sizeof path, "%s/no/such/folder/w", f->folder);
    assert_int_equal(weights_convert(f->archive, path, &err), PF_IO);
    assert_int_equal(weights_convert(path, f->path, &err), PF_NOT_FOUND);
}

static void every_failed_allocation_of_a_conversion_is_reported(void **state)
{
    fixture *f = *state;
    mem_fail_at(0);
    assert_int_equal(weights_convert(f->archive, f->path, NULL), PF_OK);
    const uint64_t allocations = mem_allocations_since();
    assert_true(allocations > 20);
    for (uint64_t i = 1; i <= allocations; i++) {
        pf_error err = {0};
        mem_fail_at(i);
        assert_int_equal(weights_convert(f->archive, f->path, &err), PF_NO_MEMORY);
        mem_fail_at(0);
        assert_int_equal(err.code, PF_NO_MEMORY);
    }
    weights w;
    assert_int_equal(weights_open(&w, f->path, NULL), PF_OK);
    weights_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversion_keeps_sizes_rows_and_matrices),
        cmocka_unit_test(sections_are_aligned_and_do_not_overlap),
        cmocka_unit_test(converting_twice_gives_the_same_file),
        cmocka_unit_test(every_altered_byte_is_noticed),
        cmocka_unit_test(every_truncation_and_addition_is_noticed),
        cmocka_unit_test(a_wrong_field_under_a_right_checksum_is_refused),
        cmocka_unit_test(messages_say_what_to_do),
        cmocka_unit_test(an_absent_file_a_folder_and_a_wrong_file_are_errors),
        cmocka_unit_test(without_any_array_conversion_fails_and_leaves_the_file),
        cmocka_unit_test(an_array_of_another_shape_fails_conversion),
        cmocka_unit_test(conversion_to_a_folder_that_is_not_there_is_an_error),
        cmocka_unit_test(every_failed_allocation_of_a_conversion_is_reported),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
