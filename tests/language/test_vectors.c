/* Sets of vectors: the cache, equal texts, centring, search, and faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/random.h"
#include "language/toy_encoder.h"
#include "language/vectors.h"

/* ---- a cache in memory ---- */

enum { KEPT = 4096 };

typedef struct kept {
    fingerprint encoder, name;
    float row[TOY_DIMENSION];
} kept;

typedef struct memory_cache {
    kept entries[KEPT];
    size_t n, puts;
    bool broken_get, broken_put;
} memory_cache;

static pf_status cache_get(void *context, const fingerprint *encoder_name,
                           const fingerprint *name, size_t dimension, float *into,
                           pf_error *err)
{
    memory_cache *c = context;
    if (c->broken_get) return error_set(err, PF_IO, "the cache cannot be read");
    for (size_t i = 0; i < c->n; i++)
        if (memcmp(&c->entries[i].encoder, encoder_name, sizeof *encoder_name) == 0 &&
            memcmp(&c->entries[i].name, name, sizeof *name) == 0) {
            memcpy(into, c->entries[i].row, dimension * sizeof *into);
            return PF_OK;
        }
    return PF_NOT_FOUND;
}

static pf_status cache_put(void *context, const fingerprint *encoder_name, size_t n,
                           const fingerprint *names, size_t dimension, const float *rows,
                           pf_error *err)
{
    memory_cache *c = context;
    c->puts++;
    if (c->broken_put) return error_set(err, PF_IO, "the cache cannot be written");
    for (size_t i = 0; i < n; i++) {
        kept *k = &c->entries[c->n++];
        k->encoder = *encoder_name;
        k->name = names[i];
        memcpy(k->row, rows + i * dimension, dimension * sizeof *rows);
    }
    return PF_OK;
}

typedef struct fixture {
    memory_cache memory;
    vector_cache cache;
    toy_encoder e;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->cache = (vector_cache){&f->memory, cache_get, cache_put};
    f->e = toy_make(1);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void assert_rows(const vector_set *set, const text *texts)
{
    for (size_t i = 0; i < set->n; i++) {
        float expected[TOY_DIMENSION];
        toy_vector(texts[i], expected);
        assert_memory_equal(vectors_row(set, i), expected, sizeof expected);
    }
}

static const char *const some[] = {"abc", "bad", "abc", "", "cab", "bad", "eee"};
enum { SOME = sizeof some / sizeof *some, DIFFERENT = 5 };

static void some_texts(text texts[SOME])
{
    for (size_t i = 0; i < SOME; i++)
        texts[i] = text_of(some[i]);
}

/* ---- encoding ---- */

static void equal_texts_are_encoded_once_and_rows_keep_their_order(void **state)
{
    fixture *f = *state;
    text texts[SOME];
    vector_set set;
    some_texts(texts);
    assert_int_equal(
        vectors_encode(&set, &f->e.base, NULL, SOME, texts, NULL, NULL, NULL), PF_OK);
    assert_int_equal(set.n, SOME);
    assert_int_equal(f->e.texts, DIFFERENT);
    assert_rows(&set, texts);
    assert_memory_equal(&set.encoder, &f->e.base.fingerprint, sizeof set.encoder);
    vectors_free(&set);
}

static void what_the_cache_knows_is_not_encoded_again(void **state)
{
    fixture *f = *state;
    text texts[SOME];
    vector_set set;
    some_texts(texts);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(
            vectors_encode(&set, &f->e.base, &f->cache, SOME, texts, NULL, NULL, NULL),
            PF_OK);
        assert_rows(&set, texts);
        vectors_free(&set);
    }
    assert_int_equal(f->e.texts, DIFFERENT);
    assert_int_equal(f->memory.n, DIFFERENT);
}

static void another_encoder_encodes_again(void **state)
{
    fixture *f = *state;
    toy_encoder other = toy_make(2);
    text texts[SOME];
    vector_set set;
    some_texts(texts);
    vectors_encode(&set, &f->e.base, &f->cache, SOME, texts, NULL, NULL, NULL);
    vectors_free(&set);
    vectors_encode(&set, &other.base, &f->cache, SOME, texts, NULL, NULL, NULL);
    vectors_free(&set);
    assert_int_equal(other.texts, DIFFERENT);
    assert_int_equal(f->memory.n, 2 * DIFFERENT);
}

/* More texts than one piece: what was put before a failure is not encoded again. */
static void an_interrupted_run_keeps_what_it_did(void **state)
{
    enum { MANY = 1800 };
    fixture *f = *state;
    static char store[MANY][8];
    static text texts[MANY];
    vector_set set;
    pf_error err = {0};
    for (size_t i = 0; i < MANY; i++)
        texts[i] =
            (text){store[i], (size_t)snprintf(store[i], sizeof store[i], "%zu", i)};
    f->e.fail_at_call = 3;
    assert_int_equal(
        vectors_encode(&set, &f->e.base, &f->cache, MANY, texts, NULL, NULL, &err),
        PF_UNAVAILABLE);
    assert_null(set.rows);
    assert_int_equal(set.n, 0);
    assert_string_equal(err.message, "the toy is broken");
    const size_t kept_before = f->memory.n;
    assert_true(kept_before >= 1000 && kept_before < MANY);
    f->e.texts = 0;
    assert_int_equal(
        vectors_encode(&set, &f->e.base, &f->cache, MANY, texts, NULL, NULL, NULL),
        PF_OK);
    assert_int_equal(f->e.texts, MANY - kept_before);
    assert_rows(&set, texts);
    vectors_free(&set);
}

static void a_broken_cache_is_an_error(void **state)
{
    fixture *f = *state;
    text texts[SOME];
    vector_set set;
    pf_error err = {0};
    some_texts(texts);
    f->memory.broken_put = true;
    assert_int_equal(
        vectors_encode(&set, &f->e.base, &f->cache, SOME, texts, NULL, NULL, &err),
        PF_IO);
    assert_non_null(strstr(err.message, "written"));
    f->memory.broken_get = true;
    assert_int_equal(
        vectors_encode(&set, &f->e.base, &f->cache, SOME, texts, NULL, NULL, &err),
        PF_IO);
    assert_non_null(strstr(err.message, "read"));
    assert_null(set.rows);
}

static void an_empty_set_is_fine(void **state)
{
    fixture *f = *state;
    vector_set set;
    hit hits[1];
    const float query[TOY_DIMENSION] = {1};
    assert_int_equal(
        vectors_encode(&set, &f->e.base, &f->cache, 0, NULL, NULL, NULL, NULL), PF_OK);
    assert_int_equal(vectors_centre(&set, NULL, NULL), PF_OK);
    assert_int_equal(vectors_nearest(&set, query, 1, hits), 0);
    vectors_free(&set);
    vectors_free(&set);
}

/* ---- rows from elsewhere ---- */

static void rows_from_elsewhere_get_length_one_and_are_checked(void **state)
{
    (void)state;
    float rows[] = {3, 4, 0, 0, -1e20F, 0};
    vector_set set;
    pf_error err = {0};
    assert_int_equal(vectors_from_rows(&set, 3, 2, rows, NULL), PF_OK);
    assert_true(fabs((double)set.rows[0] - 0.6) < 1e-7 &&
                fabs((double)set.rows[1] - 0.8) < 1e-7);
    assert_true(set.rows[2] == 0 && set.rows[4] == -1);
    vectors_free(&set);
    rows[3] = NAN;
    assert_int_equal(vectors_from_rows(&set, 3, 2, rows, &err), PF_DATA);
    assert_int_equal(err.line, 2);
    assert_int_equal(err.column, 2);
    assert_null(set.rows);
    rows[3] = INFINITY;
    assert_int_equal(vectors_from_rows(&set, 3, 2, rows, NULL), PF_DATA);
    assert_int_equal(vectors_from_rows(&set, 1, LIMIT_VECTOR_DIMENSION + 1, rows, NULL),
                     PF_LIMIT);
    assert_int_equal(vectors_from_rows(&set, 1, 0, rows, NULL), PF_LIMIT);
}

/* ---- centring ---- */

static vector_set random_set(size_t n, size_t dimension, uint64_t seed)
{
    random_stream r = random_begin(seed, 1);
    float *rows = malloc(n * dimension * sizeof *rows);
    vector_set set;
    assert_non_null(rows);
    for (size_t i = 0; i < n * dimension; i++)
        rows[i] = (float)(random_unit(&r) + 0.5); /* all in one direction */
    assert_int_equal(vectors_from_rows(&set, n, dimension, rows, NULL), PF_OK);
    free(rows);
    return set;
}

static double length_of(const float *row, size_t n)
{
    double square = 0;
    for (size_t j = 0; j < n; j++)
        square += (double)row[j] * (double)row[j];
    return sqrt(square);
}

static void centring_takes_off_the_mean_and_keeps_it(void **state)
{
    (void)state;
    vector_set raw = random_set(50, 33, 4), set = random_set(50, 33, 4);
    assert_int_equal(vectors_centre(&set, NULL, NULL), PF_OK);
    for (size_t j = 0; j < 33; j++) {
        double mean = 0;
        for (size_t i = 0; i < 50; i++)
            mean += (double)vectors_row(&raw, i)[j] / 50;
        assert_true(fabs((double)set.mean[j] - mean) < 1e-6);
    }
    for (size_t i = 0; i < 50; i++) {
        float row[33];
        memcpy(row, vectors_row(&raw, i), sizeof row);
        vectors_centre_row(&set, row);
        assert_memory_equal(row, vectors_row(&set, i), sizeof row);
        assert_true(fabs(length_of(row, 33) - 1) < 1e-6);
    }
    vectors_free(&raw);
    vectors_free(&set);
}

static void another_set_can_be_centred_by_the_same_mean(void **state)
{
    (void)state;
    vector_set titles = random_set(20, 8, 5), queries = random_set(3, 8, 6);
    float row[8];
    vectors_centre(&titles, NULL, NULL);
    memcpy(row, vectors_row(&queries, 1), sizeof row);
    vectors_centre_row(&titles, row);
    vectors_centre(&queries, titles.mean, NULL);
    assert_memory_equal(vectors_row(&queries, 1), row, sizeof row);
    assert_memory_equal(queries.mean, titles.mean, sizeof row);
    vectors_free(&titles);
    vectors_free(&queries);
}

static void rows_of_zeros_stay_zeros_and_do_not_count(void **state)
{
    (void)state;
    const float rows[] = {1, 0, 0, 0, 0, 1};
    vector_set set;
    vectors_from_rows(&set, 3, 2, rows, NULL);
    vectors_centre(&set, NULL, NULL);
    assert_true(set.mean[0] == 0.5F && set.mean[1] == 0.5F);
    assert_true(set.rows[2] == 0 && set.rows[3] == 0);
    vectors_free(&set);
}

static void a_set_without_a_mean_leaves_queries_alone(void **state)
{
    (void)state;
    vector_set set = random_set(3, 4, 1);
    float row[4] = {1, 2, 3, 4};
    vectors_centre_row(&set, row);
    assert_true(row[0] == 1 && row[3] == 4);
    vectors_free(&set);
}

/* ---- search ---- */

static void the_nearest_rows_are_those_of_plain_loops(void **state)
{
    (void)state;
    vector_set set = random_set(200, 37, 8);
    float scores[200];
    hit hits[10];
    for (size_t q = 0; q < 200; q += 17) {
        const float *query = vectors_row(&set, q);
        vectors_dot_all(&set, query, scores);
        assert_int_equal(vectors_nearest(&set, query, 10, hits), 10);
        assert_int_equal(hits[0].item, q);
        for (size_t h = 0; h < 10; h++) {
            double dot = 0;
            size_t better = 0;
            for (size_t j = 0; j < 37; j++)
                dot += (double)vectors_row(&set, hits[h].item)[j] * (double)query[j];
            for (size_t i = 0; i < 200; i++)
                better += scores[i] > hits[h].score;
            assert_true(fabs(dot - (double)hits[h].score) < 1e-5);
            assert_true(better <= h);
        }
    }
    vectors_free(&set);
}

/* ---- faults ---- */

static void every_failed_allocation_is_reported(void **state)
{
    fixture *f = *state;
    text texts[SOME];
    vector_set set;
    some_texts(texts);
    mem_fail_at(0);
    assert_int_equal(
        vectors_encode(&set, &f->e.base, NULL, SOME, texts, NULL, NULL, NULL), PF_OK);
    const uint64_t allocations = mem_allocations_since();
    vectors_free(&set);
    for (uint64_t i = 1; i <= allocations; i++) {
        pf_error err = {0};
        mem_fail_at(i);
        assert_int_equal(
            vectors_encode(&set, &f->e.base, NULL, SOME, texts, NULL, NULL, &err),
            PF_NO_MEMORY);
        mem_fail_at(0);
        assert_null(set.rows);
        assert_int_equal(err.code, PF_NO_MEMORY);
    }
    vector_set raw = random_set(3, 4, 1), kept_set = random_set(3, 4, 1);
    for (uint64_t i = 1; i <= 2; i++) { /* a failed centring changes nothing */
        mem_fail_at(i);
        assert_int_equal(vectors_centre(&raw, NULL, NULL), PF_NO_MEMORY);
        mem_fail_at(0);
        assert_memory_equal(raw.rows, kept_set.rows, 12 * sizeof(float));
        assert_null(raw.mean);
    }
    vectors_free(&raw);
    vectors_free(&kept_set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define with_cache(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        with_cache(equal_texts_are_encoded_once_and_rows_keep_their_order),
        with_cache(what_the_cache_knows_is_not_encoded_again),
        with_cache(another_encoder_encodes_again),
        with_cache(an_interrupted_run_keeps_what_it_did),
        with_cache(a_broken_cache_is_an_error),
        with_cache(an_empty_set_is_fine),
        cmocka_unit_test(rows_from_elsewhere_get_length_one_and_are_checked),
        cmocka_unit_test(centring_takes_off_the_mean_and_keeps_it),
        cmocka_unit_test(another_set_can_be_centred_by_the_same_mean),
        cmocka_unit_test(rows_of_zeros_stay_zeros_and_do_not_count),
        cmocka_unit_test(a_set_without_a_mean_leaves_queries_alone),
        cmocka_unit_test(the_nearest_rows_are_those_of_plain_loops),
        with_cache(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
