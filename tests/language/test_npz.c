/* The reader of NPZ archives: what it reads, and that nothing wrong is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "language/npz.h"
#include "language/tiny_model.h"

static const float six[6] = {1, -2, 3.5F, 0, 1e-3F, 6};
static const size_t two_by_three[2] = {2, 3};

/* An archive of one array named "a". */
static tiny_bytes archive_of(const char *descr, const char *order, size_t dimensions,
                             const size_t *shape, const void *values, size_t bytes,
                             bool deflated)
{
    tiny_bytes npy = tiny_npy(descr, order, dimensions, shape, values, bytes);
    const tiny_member member = {"a.npy", npy.data, npy.n, deflated};
    tiny_bytes zip = tiny_zip(&member, 1);
    free(npy.data);
    return zip;
}

static tiny_bytes six_floats(bool deflated)
{
    return archive_of("'<f4'", "False", 2, two_by_three, six, sizeof six, deflated);
}

static pf_status read_six(const void *bytes, size_t n, float out[6], pf_error *err)
{
    npz archive;
    pf_status status = npz_open_bytes(&archive, bytes, n, "x.npz", err);
    if (status == PF_OK)
        status = npz_read(&archive, "a", NPZ_FLOAT32, 2, two_by_three, out, err);
    return status;
}

static void stored_and_deflated_arrays_are_read(void **state)
{
    (void)state;
    for (int deflated = 0; deflated < 2; deflated++) {
        tiny_bytes zip = six_floats(deflated);
        float out[6] = {0};
        pf_error err = {0};
        assert_int_equal(read_six(zip.data, zip.n, out, &err), PF_OK);
        assert_memory_equal(out, six, sizeof six);
        free(zip.data);
    }
}

static void shape_and_type_are_described(void **state)
{
    (void)state;
    tiny_bytes zip = six_floats(true);
    npz archive;
    npz_array array;
    assert_int_equal(npz_open_bytes(&archive, zip.data, zip.n, "x.npz", NULL), PF_OK);
    assert_int_equal(npz_describe(&archive, "a", &array, NULL), PF_OK);
    assert_int_equal(array.kind, NPZ_FLOAT32);
    assert_int_equal(array.dimensions, 2);
    assert_int_equal(array.shape[0], 2);
    assert_int_equal(array.shape[1], 3);
    free(zip.data);
}

static void an_absent_array_is_not_found_and_named(void **state)
{
    (void)state;
    tiny_bytes zip = six_floats(false);
    npz archive;
    npz_array array;
    pf_error err = {0};
    assert_int_equal(npz_open_bytes(&archive, zip.data, zip.n, "x.npz", &err), PF_OK);
    assert_int_equal(npz_describe(&archive, "b", &array, &err), PF_NOT_FOUND);
    assert_non_null(strstr(err.message, "'b'"));
    assert_string_equal(err.file, "x.npz");
    free(zip.data);
}

static void another_shape_or_type_is_refused(void **state)
{
    (void)state;
    static const size_t three_by_two[2] = {3, 2}, flat[1] = {6};
    tiny_bytes zip = six_floats(true);
    npz archive;
    double out[6];
    assert_int_equal(npz_open_bytes(&archive, zip.data, zip.n, "x.npz", NULL), PF_OK);
    assert_int_equal(npz_read(&archive, "a", NPZ_FLOAT32, 2, three_by_two, out, NULL),
                     PF_DATA);
    assert_int_equal(npz_read(&archive, "a", NPZ_FLOAT32, 1, flat, out, NULL), PF_DATA);
    assert_int_equal(npz_read(&archive, "a", NPZ_FLOAT64, 2, two_by_three, out, NULL),
                     PF_DATA);
    assert_int_equal(npz_read(&archive, "a", NPZ_UINT8, 2, two_by_three, out, NULL),
                     PF_DATA);
    free(zip.data);
}

static void arrays_of_kinds_we_do_not_read_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *descr, *order;
    } kinds[] = {{"'>f4'", "False"}, {"'<f4'", "True"},           {"'<i4'", "False"},
                 {"'|O'", "False"},  {"[('x', '<f4')]", "False"}, {"<f4", "False"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        tiny_bytes zip = archive_of(kinds[i].descr, kinds[i].order, 2, two_by_three, six,
                                    sizeof six, true);
        float out[6];
        assert_int_equal(read_six(zip.data, zip.n, out, NULL), PF_DATA);
        free(zip.data);
    }
}

static void a_shape_that_lies_about_the_bytes_is_refused(void **state)
{
    (void)state;
    static const size_t shapes[][2] = {{2, 3}, {2, 3}};
    static const size_t bytes[] = {sizeof six - 4, sizeof six - 1};
    for (size_t i = 0; i < 2; i++) {
        tiny_bytes zip = archive_of("'<f4'", "False", 2, shapes[i], six, bytes[i], true);
        float out[6];
        assert_int_equal(read_six(zip.data, zip.n, out, NULL), PF_DATA);
        free(zip.data);
    }
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    for (int deflated = 0; deflated < 2; deflated++) {
        tiny_bytes zip = six_floats(deflated);
        for (size_t n = 0; n < zip.n; n++) {
            unsigned char *exact = malloc(n ? n : 1);
            float out[6];
            pf_error err = {0};
            assert_non_null(exact);
            memcpy(exact, zip.data, n);
            assert_int_equal(read_six(exact, n, out, &err), PF_DATA);
            assert_true(err.message[0] != '\0');
            free(exact);
        }
        free(zip.data);
    }
}

/* A changed byte is refused, or (in a name, a time, a comment) changes nothing. */
static void no_altered_byte_changes_the_values(void **state)
{
    (void)state;
    for (int deflated = 0; deflated < 2; deflated++) {
        tiny_bytes zip = six_floats(deflated);
        for (size_t i = 0; i < zip.n; i++)
            for (int bit = 0; bit < 8; bit++) {
                float out[6] = {0};
                zip.data[i] ^= (unsigned char)(1 << bit);
                if (read_six(zip.data, zip.n, out, NULL) == PF_OK)
                    assert_memory_equal(out, six, sizeof six);
                zip.data[i] ^= (unsigned char)(1 << bit);
            }
        free(zip.data);
    }
}

static void lack_of_memory_is_reported(void **state)
{
    (void)state;
    tiny_bytes zip = six_floats(true);
    float out[6];
    mem_fail_at(1);
    assert_int_equal(read_six(zip.data, zip.n, out, NULL), PF_NO_MEMORY);
    mem_fail_at(0);
    free(zip.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_and_deflated_arrays_are_read),
        cmocka_unit_test(shape_and_type_are_described),
        cmocka_unit_test(an_absent_array_is_not_found_and_named),
        cmocka_unit_test(another_shape_or_type_is_refused),
        cmocka_unit_test(arrays_of_kinds_we_do_not_read_are_refused),
        cmocka_unit_test(a_shape_that_lies_about_the_bytes_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(no_altered_byte_changes_the_values),
        cmocka_unit_test(lack_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
