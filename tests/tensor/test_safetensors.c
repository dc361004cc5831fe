/* Model files: what is written comes back, in scopes too; what is damaged is refused. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tensor/safetensors.h"

static const float floats[] = {1.5f, -2, 3.25f};
static const double doubles[] = {0.1, 1e300};
static const uint8_t bytes[] = {1, 2, 3, 4, 5};
static const uint32_t numbers[] = {7, 8, 9, 10};
static const int64_t times[] = {-1, INT64_MAX};
static const uint64_t wide[] = {UINT64_MAX};

static char path[256];

static int make_path(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "%s/model-%ld.safetensors", PROFFER_BINARY_DIR,
                   (long)getpid());
    return 0;
}

static int remove_path(void **state)
{
    (void)state;
    (void)remove(path);
    return 0;
}

static pf_status write_file(pf_error *err)
{
    safetensors_writer *w = NULL;
    pf_status s = safetensors_begin(&w, path, err);
    if (s != PF_OK) return s;
    if ((s = safetensors_note(w, "kind", "a \"test\"", err)) != PF_OK ||
        (s = safetensors_add(w, "bytes", TENSOR_U8, bytes, 1, (const uint64_t[]){5},
                             err)) != PF_OK ||
        (s = safetensors_add(w, "floats", TENSOR_F32, floats, 1, (const uint64_t[]){3},
                             err)) != PF_OK ||
        (s = safetensors_add(w, "wide", TENSOR_U64, wide, 0, NULL, err)) != PF_OK ||
        (s = safetensors_add(w, "numbers", TENSOR_U32, numbers, 2,
                             (const uint64_t[]){2, 2}, err)) != PF_OK ||
        (s = safetensors_scope(w, "part0", err)) != PF_OK ||
        (s = safetensors_note(w, "kind", "inner", err)) != PF_OK ||
        (s = safetensors_add(w, "floats", TENSOR_F64, doubles, 1, (const uint64_t[]){2},
                             err)) != PF_OK ||
        (s = safetensors_add(w, "none", TENSOR_F32, NULL, 1, (const uint64_t[]){0},
                             err)) != PF_OK ||
        (s = safetensors_scope(w, "", err)) != PF_OK ||
        (s = safetensors_add(w, "times", TENSOR_I64, times, 1, (const uint64_t[]){2},
                             err)) != PF_OK) {
        safetensors_abandon(w);
        return s;
    }
    return safetensors_commit(w, err);
}

static safetensors *open_file(void)
{
    safetensors *f = NULL;
    pf_error err = {0};
    if (write_file(&err) != PF_OK || safetensors_open(&f, path, &err) != PF_OK)
        fail_msg("%s", err.message);
    return f;
}

static void assert_tensor(const safetensors *f, const char *name, tensor_type type,
                          unsigned rank, uint64_t count, const void *data)
{
    const tensor_view *t = NULL;
    assert_int_equal(safetensors_find(f, name, type, rank, count, &t, NULL), PF_OK);
    assert_int_equal(t->count, count);
    assert_int_equal((uintptr_t)t->data % tensor_type_size(type), 0);
    assert_memory_equal(t->data, data, (size_t)count * tensor_type_size(type));
}

static void every_type_comes_back_aligned_and_with_its_bits(void **state)
{
    (void)state;
    safetensors *f = open_file();
    assert_int_equal(safetensors_count(f), 7);
    assert_tensor(f, "bytes", TENSOR_U8, 1, 5, bytes);
    assert_tensor(f, "floats", TENSOR_F32, 1, 3, floats);
    assert_tensor(f, "wide", TENSOR_U64, 0, 1, wide);
    assert_tensor(f, "numbers", TENSOR_U32, 2, 4, numbers);
    assert_tensor(f, "times", TENSOR_I64, 1, 2, times);
    assert_string_equal(safetensors_note_of(f, "kind"), "a \"test\"");
    assert_string_equal(safetensors_note_of(f, "nothing"), "");
    assert_null(safetensors_at(f, 7));
    assert_string_equal(safetensors_path(f), path);
    safetensors_close(f);
}

static void a_scope_is_a_file_in_the_file(void **state)
{
    (void)state;
    safetensors *f = open_file(), *part = NULL, *none = NULL;
    const tensor_view *t = NULL;
    assert_int_equal(safetensors_within(f, "part0", &part, NULL), PF_OK);
    assert_int_equal(safetensors_count(part), 2);
    assert_tensor(part, "floats", TENSOR_F64, 1, 2, doubles);
    assert_int_equal(safetensors_find(part, "none", TENSOR_F32, 1, 0, &t, NULL), PF_OK);
    assert_int_equal(t->count, 0);
    assert_string_equal(safetensors_note_of(part, "kind"), "inner");
    assert_int_equal(safetensors_find(part, "bytes", TENSOR_U8, 1, 0, &t, NULL), PF_DATA);
    assert_int_equal(safetensors_within(f, "part", &none, NULL), PF_OK);
    assert_int_equal(safetensors_count(none), 0);
    safetensors_close(none);
    safetensors_close(part);
    safetensors_close(f);
}

static void another_type_rank_or_count_is_refused(void **state)
{
    (void)state;
    safetensors *f = open_file();
    const tensor_view *t = NULL;
    pf_error err = {0};
    assert_int_equal(safetensors_find(f, "floats", TENSOR_F64, 1, 0, &t, &err), PF_DATA);
    assert_int_equal(safetensors_find(f, "floats", TENSOR_F32, 2, 0, &t, &err), PF_DATA);
    assert_int_equal(safetensors_find(f, "floats", TENSOR_F32, 1, 4, &t, &err), PF_DATA);
    assert_int_equal(safetensors_find(f, "float", TENSOR_F32, 1, 0, &t, &err), PF_DATA);
    assert_non_null(strstr(err.message, "float"));
    safetensors_close(f);
}

static void names_notes_and_numbers_have_limits(void **state)
{
    (void)state;
    safetensors_writer *w = NULL;
    char longest[2 * SAFETENSORS_NAME_BYTES], note[4097];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    memset(note, 'x', sizeof note - 1);
    note[sizeof note - 1] = '\0';
    const uint64_t shape[5] = {1, 1, 1, 1, 1}, huge[2] = {UINT64_MAX, 2};
    assert_int_equal(safetensors_begin(&w, path, NULL), PF_OK);
    assert_int_equal(safetensors_scope(w, longest, NULL), PF_LIMIT);
    assert_int_equal(safetensors_note(w, longest, "", NULL), PF_LIMIT);
    assert_int_equal(safetensors_note(w, "note", note, NULL), PF_LIMIT);
    assert_int_equal(safetensors_add(w, longest, TENSOR_U8, bytes, 0, NULL, NULL),
                     PF_LIMIT);
    assert_int_equal(safetensors_add(w, "a", TENSOR_U8, bytes, 5, shape, NULL), PF_LIMIT);
    assert_int_equal(safetensors_add(w, "a", TENSOR_U8, bytes, 2, huge, NULL), PF_LIMIT);
    longest[SAFETENSORS_NAME_BYTES - 6] = '\0'; /* with "part0." it does not fit */
    assert_int_equal(safetensors_scope(w, "part0", NULL), PF_OK);
    assert_int_equal(safetensors_add(w, longest, TENSOR_U8, bytes, 0, NULL, NULL),
                     PF_LIMIT);
    longest[SAFETENSORS_NAME_BYTES - 7] = '\0'; /* and now it does */
    assert_int_equal(safetensors_add(w, longest, TENSOR_U8, bytes, 0, NULL, NULL), PF_OK);
    char name[8];
    for (int i = 1; i < SAFETENSORS_MAX_TENSORS; i++) {
        (void)snprintf(name, sizeof name, "t%d", i);
        assert_int_equal(safetensors_add(w, name, TENSOR_U8, bytes, 0, NULL, NULL),
                         PF_OK);
    }
    assert_int_equal(safetensors_add(w, "more", TENSOR_U8, bytes, 0, NULL, NULL),
                     PF_LIMIT);
    for (int i = 0; i < SAFETENSORS_MAX_NOTES; i++)
        assert_int_equal(safetensors_note(w, "n", "v", NULL), PF_OK);
    assert_int_equal(safetensors_note(w, "n", "v", NULL), PF_LIMIT);
    safetensors_abandon(w);
}

/* A file of a header and `n` zero bytes, opened from memory. */
static pf_status try_header(const char *header, size_t n, pf_error *err)
{
    size_t length = strlen(header), size = 8 + length + n;
    unsigned char *file = mem_alloc_aligned(size, 1);
    safetensors *f = NULL;
    assert_non_null(file);
    memset(file, 0, size);
    file[0] = (unsigned char)length;
    file[1] = (unsigned char)(length >> 8);
    memcpy(file + 8, header, length);
    pf_status s = safetensors_from_bytes(&f, file, size, "bytes", err);
    if (s == PF_OK) safetensors_close(f);
    mem_free(file);
    return s;
}

#define TENSOR(dtype, shape, from, to)                                                   \
    "{\"a\":{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" from      \
    "," to "]}}"

static void every_wrong_field_of_the_header_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t n;
    } wrong[] = {
        {"", 0},
        {"[1]", 0},
        {"{\"a\":1}", 0},
        {"{\"a\":{}}", 0},
        {"{", 0},
        {TENSOR("F33", "1", "0", "4") "   ", 4},
        {TENSOR("F32", "-1", "0", "4") "   ", 4},
        {TENSOR("F32", "1.5", "0", "4") "  ", 4},
        {TENSOR("F32", "1,1,1,1,1", "0", "4"), 4},
        {TENSOR("F32", "18446744073709551615,2", "0", "4"), 4},
        {TENSOR("F32", "18446744073709551616", "0", "4"), 4},
        {TENSOR("F32", "2", "0", "4"), 4},
        {TENSOR("F32", "1", "4", "8"), 8},
        {TENSOR("F32", "1", "4", "0"), 4},
        {TENSOR("F32", "1", "0", "4"), 0},
        {TENSOR("F32", "1", "0", "4"), 5},
        {TENSOR("F32", "1", "0", "\"4\""), 4},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4},
        {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4},
        {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4},
        {"{\"__metadata__\":[]}", 0},
        {"{\"__metadata__\":{\"a\":1}}", 0},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        pf_error err = {0};
        if (try_header(wrong[i].header, wrong[i].n, &err) != PF_DATA)
            fail_msg("header %zu was taken: %s", i, wrong[i].header);
        assert_true(err.message[0] != '\0');
    }
    assert_int_equal(try_header("{}", 0, NULL), PF_OK);
    /* A double at a multiple of 8, and four bytes behind one. */
    char header[128] = TENSOR("F64", "1", "0", "8");
    while (strlen(header) % 8 != 0)
        header[strlen(header)] = ' ';
    assert_int_equal(try_header(header, 8, NULL), PF_OK);
    memcpy(header + strlen(header), "    ", 4);
    assert_int_equal(try_header(header, 8, NULL), PF_DATA);
}

static void a_header_longer_than_the_file_or_the_limit_is_refused(void **state)
{
    (void)state;
    _Alignas(8) unsigned char file[16] = {9, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    safetensors *f = NULL;
    for (size_t n = 0; n < 8; n++)
        assert_int_equal(safetensors_from_bytes(&f, file, n, "x", NULL), PF_DATA);
    assert_int_equal(safetensors_from_bytes(&f, file, 16, "x", NULL), PF_DATA);
    memset(file, 0xFF, 8);
    assert_int_equal(safetensors_from_bytes(&f, file, 16, "x", NULL), PF_DATA);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    char *whole = NULL;
    size_t n = 0;
    assert_int_equal(write_file(NULL), PF_OK);
    assert_int_equal(file_read_whole(&whole, &n, path, 1 << 20, NULL), PF_OK);
    for (size_t cut = 0; cut < n; cut++) {
        safetensors *f = NULL;
        unsigned char *part = mem_alloc_aligned(cut + 1, 1);
        assert_non_null(part);
        memcpy(part, whole, cut);
        assert_int_equal(safetensors_from_bytes(&f, part, cut, "part", NULL), PF_DATA);
        mem_free(part);
    }
    mem_free(whole);
}

static void put_file(const unsigned char *from, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(from, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* Whatever bit a disk or a hand turns, in names, notes, shapes or numbers. */
static void every_flipped_bit_is_told(void **state)
{
    (void)state;
    char *whole = NULL;
    size_t n = 0;
    assert_int_equal(write_file(NULL), PF_OK);
    assert_int_equal(file_read_whole(&whole, &n, path, 1 << 20, NULL), PF_OK);
    unsigned char *altered = (unsigned char *)whole;
    for (size_t i = 0; i < n; i++) {
        safetensors *f = NULL;
        pf_error err = {0};
        const unsigned char bit = (unsigned char)(1u << i % 8);
        if (altered[i] == ' ') continue; /* the header's padding says nothing */
        altered[i] ^= bit;
        put_file(altered, n);
        if (safetensors_open(&f, path, &err) != PF_DATA) fail_msg("byte %zu of %zu", i, n);
        assert_null(f);
        assert_non_null(strstr(err.message, "train again"));
        altered[i] ^= bit;
    }
    put_file(altered, n);
    safetensors *f = NULL;
    assert_int_equal(safetensors_open(&f, path, NULL), PF_OK);
    safetensors_close(f);
    mem_free(whole);
}

static void a_file_without_a_checksum_is_refused(void **state)
{
    (void)state;
    static const char text[] = "{\"__metadata__\":{\"kind\":\"x\"}}       ";
    unsigned char file[8 + sizeof text - 1] = {sizeof text - 1};
    safetensors *f = NULL;
    pf_error err = {0};
    memcpy(file + 8, text, sizeof text - 1);
    put_file(file, sizeof file);
    assert_int_equal(safetensors_open(&f, path, &err), PF_DATA);
    assert_non_null(strstr(err.message, "checksum"));
}

static void a_missing_file_and_a_folder_are_told_apart_from_damage(void **state)
{
    (void)state;
    safetensors *f = NULL;
    assert_int_equal(safetensors_open(&f, PROFFER_BINARY_DIR "/no-such-model", NULL),
                     PF_NOT_FOUND);
    assert_int_equal(safetensors_open(&f, PROFFER_BINARY_DIR, NULL), PF_IO);
}

static void failing_memory_leaves_no_trace(void **state)
{
    (void)state;
    fault f = {0};
    while (fault_next(&f)) {
        safetensors *file = NULL, *part = NULL;
        pf_error err = {0};
        pf_status s = write_file(&err);
        if (s == PF_OK) s = safetensors_open(&file, path, &err);
        if (s == PF_OK) s = safetensors_within(file, "part0", &part, &err);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
        if (s == PF_OK) safetensors_close(part);
        safetensors_close(file);
    }
    assert_true(f.n > 6);
}

static void a_failing_disk_leaves_the_old_file(void **state)
{
    (void)state;
    int failures = 0;
    assert_int_equal(write_file(NULL), PF_OK);
    for (uint64_t n = 1;; n++) {
        pf_error err = {0};
        file_fail_write_at(n);
        pf_status s = write_file(&err);
        file_fail_write_at(0);
        safetensors *f = NULL;
        assert_int_equal(safetensors_open(&f, path, NULL), PF_OK);
        assert_int_equal(safetensors_count(f), 7);
        safetensors_close(f);
        if (s == PF_OK) break;
        assert_int_equal(s, PF_IO);
        failures++;
    }
    assert_true(failures >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_comes_back_aligned_and_with_its_bits),
        cmocka_unit_test(a_scope_is_a_file_in_the_file),
        cmocka_unit_test(another_type_rank_or_count_is_refused),
        cmocka_unit_test(names_notes_and_numbers_have_limits),
        cmocka_unit_test(every_wrong_field_of_the_header_is_told),
        cmocka_unit_test(a_header_longer_than_the_file_or_the_limit_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_flipped_bit_is_told),
        cmocka_unit_test(a_file_without_a_checksum_is_refused),
        cmocka_unit_test(a_missing_file_and_a_folder_are_told_apart_from_damage),
        cmocka_unit_test(failing_memory_leaves_no_trace),
        cmocka_unit_test(a_failing_disk_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
