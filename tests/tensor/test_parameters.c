/* tensor/parameters.h: layout, starting values, files that are believed only when whole. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tensor/parameters.h"

enum { ARRAYS = 6 };
static const parameter_shape shapes[ARRAYS] = {
    {.name = "gain", .rows = 1, .columns = 37, .start = PARAMETER_ONE},
    {.name = "table", .rows = 301, .columns = 5, .start = PARAMETER_NORMAL, .spread = 0.02f,
     .sparse = true, .decays = true},
    {.name = "shift", .rows = 1, .columns = 1, .start = PARAMETER_ZERO},
    {.name = "w", .rows = 60, .columns = 70, .start = PARAMETER_GLOROT_UNIFORM,
     .decays = true},
    {.name = "places", .rows = 50, .columns = 64, .start = PARAMETER_NORMAL, .spread = 2.0f},
    {.name = "other", .rows = 3, .columns = 16, .start = PARAMETER_NORMAL, .spread = 1.0f,
     .sparse = true},
};

static parameters *fresh(uint64_t seed)
{
    parameters *p;
    assert_int_equal(parameters_new(&p, shapes, ARRAYS, NULL), PF_OK);
    parameters_start(p, seed);
    return p;
}

static size_t numbers(size_t i)
{
    return shapes[i].rows * shapes[i].columns;
}

static void arrays_stand_apart_aligned_dense_before_sparse(void **state)
{
    (void)state;
    parameters *p = fresh(1);
    size_t floats = parameters_floats(p), dense = parameters_dense_floats(p);
    assert_true(dense < floats);
    for (size_t i = 0; i < ARRAYS; i++) {
        size_t at = parameters_offsets(p)[i], end = at + numbers(i);
        assert_int_equal((uintptr_t)parameters_at(p, i) % 64, 0);
        assert_ptr_equal(parameters_at(p, i), parameters_values(p) + at);
        assert_true(shapes[i].sparse ? at >= dense && end <= floats : end <= dense);
        assert_string_equal(parameters_shape(p, i)->name, shapes[i].name);
        assert_ptr_not_equal(parameters_shape(p, i)->name, shapes[i].name);
        for (size_t j = 0; j < i; j++) {
            size_t other = parameters_offsets(p)[j];
            assert_true(other + numbers(j) <= at || end <= other);
        }
    }
    parameters_free(p);
    parameters_free(NULL);
}

static void moments_of(const float *x, size_t n, double *mean, double *deviation)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i];
        squares += (double)x[i] * (double)x[i];
    }
    *mean = sum / (double)n;
    *deviation = sqrt(squares / (double)n - *mean * *mean);
}

static void starting_values_have_the_spread_asked_for(void **state)
{
    (void)state;
    parameters *p = fresh(7);
    double mean, deviation;
    moments_of(parameters_at(p, 1), numbers(1), &mean, &deviation);
    assert_true(fabs(mean) < 0.002 && fabs(deviation - 0.02) < 0.0015);
    moments_of(parameters_at(p, 4), numbers(4), &mean, &deviation);
    assert_true(fabs(mean) < 0.12 && fabs(deviation - 2.0) < 0.1);
    double limit = sqrt(6.0 / 130.0), largest = 0;
    for (size_t i = 0; i < numbers(3); i++)
        largest = fmax(largest, fabs((double)parameters_at(p, 3)[i]));
    assert_true(largest <= limit && largest > 0.99 * limit);
    for (size_t i = 0; i < numbers(0); i++)
        assert_true(parameters_at(p, 0)[i] == 1.0f);
    assert_true(parameters_at(p, 2)[0] == 0.0f);
    parameters_free(p);
}

static void starting_values_are_a_function_of_seed_and_place(void **state)
{
    (void)state;
    parameters *a = fresh(7), *b = fresh(7), *c = fresh(8), *d;
    size_t bytes = parameters_floats(a) * sizeof(float);
    assert_memory_equal(parameters_values(a), parameters_values(b), bytes);
    assert_memory_not_equal(parameters_values(a), parameters_values(c), bytes);
    assert_memory_not_equal(parameters_at(a, 1), parameters_at(a, 5), 48 * sizeof(float));
    /* What stands before an array, or how long it is, does not matter. */
    parameter_shape other[2] = {shapes[0], shapes[1]};
    other[0].columns = 5;
    other[1].rows = 17;
    assert_int_equal(parameters_new(&d, other, 2, NULL), PF_OK);
    parameters_start(d, 7);
    assert_memory_equal(parameters_at(d, 1), parameters_at(a, 1), 17 * 5 * sizeof(float));
    parameters_free(a);
    parameters_free(b);
    parameters_free(c);
    parameters_free(d);
}

static void impossible_shapes_are_refused(void **state)
{
    (void)state;
    parameters *p;
    pf_error err = {0};
    static parameter_shape many[PARAMETERS_MAX + 1];
    for (size_t i = 0; i < PARAMETERS_MAX + 1; i++)
        many[i] = (parameter_shape){.name = "x", .rows = 1, .columns = 1};
    assert_int_equal(parameters_new(&p, many, PARAMETERS_MAX + 1, &err), PF_LIMIT);
    assert_null(p);
    static const parameter_shape wrong[] = {
        {.name = "empty", .rows = 0, .columns = 3},
        {.name = "wide", .rows = SIZE_MAX / 2, .columns = 3},
        {.name = "large", .rows = SIZE_MAX / 8, .columns = 1},
    };
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(parameters_new(&p, &wrong[i], 1, &err), PF_LIMIT);
    assert_int_equal(parameters_new(&p, NULL, 0, &err), PF_OK);
    assert_int_equal(parameters_count(p), 0);
    assert_true(parameters_finite(p, NULL));
    parameters_free(p);
}

static void a_number_that_is_not_finite_is_found(void **state)
{
    (void)state;
    parameters *p = fresh(1);
    const char *name = NULL;
    assert_true(parameters_finite(p, &name));
    for (size_t i = 0; i < ARRAYS; i++) {
        float *last = parameters_at(p, i) + numbers(i) - 1, kept = *last;
        *last = i % 2 ? NAN : INFINITY;
        assert_false(parameters_finite(p, &name));
        assert_string_equal(name, shapes[i].name);
        *last = kept;
    }
    parameters_free(p);
}

/* ---- files ---- */

static char path[256];

static void write_file(const parameters *p, bool moments)
{
    safetensors_writer *w;
    snprintf(path, sizeof path, "%s/test_parameters_%d", PROFFER_BINARY_DIR, (int)getpid());
    assert_int_equal(safetensors_begin(&w, path, NULL), PF_OK);
    assert_int_equal(parameters_save(p, w, moments, NULL), PF_OK);
    assert_int_equal(safetensors_commit(w, NULL), PF_OK);
}

/* Loads into p what was written last. */
static pf_status read_file(parameters *p, bool moments, pf_error *err)
{
    safetensors *file;
    assert_int_equal(safetensors_open(&file, path, NULL), PF_OK);
    pf_status status = parameters_load(p, file, moments, err);
    safetensors_close(file);
    unlink(path);
    return status;
}

static parameters *with_moments(uint64_t seed)
{
    parameters *p = fresh(seed);
    assert_null(parameters_first(p));
    assert_int_equal(parameters_add_moments(p, NULL), PF_OK);
    for (size_t i = 0; i < parameters_floats(p); i++) {
        parameters_first(p)[i] = (float)i - 100.0f;
        parameters_second(p)[i] = (float)seed + (float)i;
    }
    parameters_set_steps(p, 12345678901234u + seed);
    return p;
}

static void a_file_gives_back_every_bit(void **state)
{
    (void)state;
    parameters *a = with_moments(3), *b = with_moments(4);
    size_t bytes = parameters_floats(a) * sizeof(float);
    write_file(a, true);
    assert_int_equal(read_file(b, true, NULL), PF_OK);
    assert_memory_equal(parameters_values(a), parameters_values(b), bytes);
    assert_memory_equal(parameters_first(a), parameters_first(b), bytes);
    assert_memory_equal(parameters_second(a), parameters_second(b), bytes);
    assert_int_equal(parameters_steps(a), parameters_steps(b));
    parameters *c = fresh(5);
    write_file(a, false);
    assert_int_equal(read_file(c, false, NULL), PF_OK);
    assert_memory_equal(parameters_values(a), parameters_values(c), bytes);
    assert_null(parameters_first(c));
    parameters_free(a);
    parameters_free(b);
    parameters_free(c);
}

/* The file of `spoilt` is refused by a network of `shapes` and leaves it alone. */
static void assert_refused(const parameters *spoilt, bool moments, const char *word)
{
    parameters *p = with_moments(9), *before = with_moments(9);
    size_t bytes = parameters_floats(p) * sizeof(float);
    pf_error err = {0};
    write_file(spoilt, moments);
    assert_int_equal(read_file(p, true, &err), PF_DATA);
    assert_non_null(strstr(err.message, word));
    assert_memory_equal(parameters_values(p), parameters_values(before), bytes);
    assert_memory_equal(parameters_first(p), parameters_first(before), bytes);
    parameters_free(p);
    parameters_free(before);
}

static void a_file_of_another_network_is_refused_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAYS; i++) {
        parameter_shape other[ARRAYS];
        memcpy(other, shapes, sizeof other);
        other[i].rows = shapes[i].columns;
        other[i].columns = shapes[i].rows;
        parameters *p;
        if (other[i].rows == shapes[i].rows) other[i].columns++;
        assert_int_equal(parameters_new(&p, other, ARRAYS, NULL), PF_OK);
        assert_int_equal(parameters_add_moments(p, NULL), PF_OK);
        assert_refused(p, true, shapes[i].name);
        parameters_free(p);
    }
    parameters *p = fresh(1);
    assert_refused(p, false, "adam.first");
    parameters_free(p);
}

static void numbers_that_cannot_be_are_refused(void **state)
{
    (void)state;
    parameters *p = with_moments(1);
    parameters_at(p, 3)[5] = NAN;
    assert_refused(p, true, "'w'");
    parameters_at(p, 3)[5] = 0;
    parameters_first(p)[7] = INFINITY;
    assert_refused(p, true, "adam.first");
    parameters_first(p)[7] = 0;
    parameters_second(p)[8] = -1;
    assert_refused(p, true, "adam.second");
    parameters_free(p);
}

static void every_failed_allocation_is_told_and_leaks_nothing(void **state)
{
    (void)state;
    fault f = {0};
    while (fault_next(&f)) {
        parameters *p = NULL;
        pf_status status = parameters_new(&p, shapes, ARRAYS, NULL);
        if (status == PF_OK) status = parameters_add_moments(p, NULL);
        assert_int_equal(status, fault_reached(&f) ? PF_NO_MEMORY : PF_OK);
        parameters_free(p);
    }
    assert_true(f.n > 4);
}

static void dropped_moments_leave_the_values_and_can_come_again(void **state)
{
    (void)state;
    parameters *p = with_moments(3), *same = fresh(3);
    parameters_drop_moments(p);
    assert_null(parameters_first(p));
    assert_null(parameters_second(p));
    assert_memory_equal(parameters_values(p), parameters_values(same),
                        parameters_floats(p) * sizeof(float));
    assert_int_equal(parameters_add_moments(p, NULL), PF_OK);
    for (size_t i = 0; i < parameters_floats(p); i++)
        assert_true(parameters_first(p)[i] == 0 && parameters_second(p)[i] == 0);
    parameters_free(p);
    parameters_free(same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dropped_moments_leave_the_values_and_can_come_again),
        cmocka_unit_test(arrays_stand_apart_aligned_dense_before_sparse),
        cmocka_unit_test(starting_values_have_the_spread_asked_for),
        cmocka_unit_test(starting_values_are_a_function_of_seed_and_place),
        cmocka_unit_test(impossible_shapes_are_refused),
        cmocka_unit_test(a_number_that_is_not_finite_is_found),
        cmocka_unit_test(a_file_gives_back_every_bit),
        cmocka_unit_test(a_file_of_another_network_is_refused_whole),
        cmocka_unit_test(numbers_that_cannot_be_are_refused),
        cmocka_unit_test(every_failed_allocation_is_told_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
