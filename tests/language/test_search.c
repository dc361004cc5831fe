/* Search by words and meaning together, either alone, and what does not fit together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "language/search.h"
#include "language/toy_encoder.h"

enum { DOCUMENTS = 5 };

static const char *const titles[DOCUMENTS] = {"aaab cart", "bbbb bread", "cccc cart",
                                              "dddd dish", "eeee egg"};

typedef struct fixture {
    lexical *words;
    vector_set vectors;
    toy_encoder e;
    search_index both;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    text texts[DOCUMENTS];
    lexical_field fields[DOCUMENTS];
    lexical_document documents[DOCUMENTS];
    assert_non_null(f);
    f->e = toy_make(1);
    for (size_t i = 0; i < DOCUMENTS; i++) {
        texts[i] = text_of(titles[i]);
        fields[i] = (lexical_field){texts[i], 1, 0};
        documents[i] = (lexical_document){&fields[i], 1};
    }
    assert_int_equal(lexical_fit(&f->words, DOCUMENTS, documents, NULL, NULL), PF_OK);
    assert_int_equal(
        vectors_encode(&f->vectors, &f->e.base, NULL, DOCUMENTS, texts, NULL, NULL, NULL),
        PF_OK);
    assert_int_equal(vectors_centre(&f->vectors, NULL, NULL), PF_OK);
    f->both = (search_index){f->words, &f->vectors, &f->e.base};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    lexical_free(f->words);
    vectors_free(&f->vectors);
    free(f);
    return 0;
}

static void a_score_is_cosine_plus_the_square_of_the_word_share(void **state)
{
    const fixture *f = *state;
    const text query = text_of("cart zebra");
    float bm25[DOCUMENTS], vector[TOY_DIMENSION];
    search_hit hits[DOCUMENTS];
    size_t found;
    lexical_scores(f->words, query, bm25, NULL);
    toy_vector(query, vector);
    vectors_centre_row(&f->vectors, vector);
    assert_int_equal(search_texts(&f->both, query, DOCUMENTS, hits, &found, NULL), PF_OK);
    assert_int_equal(found, DOCUMENTS);
    for (size_t i = 0; i < found; i++) {
        const uint32_t d = hits[i].document;
        const double share = (double)bm25[d] / lexical_full_match(f->words, query);
        const double cosine =
            (double)vectors_dot(&f->vectors, vector, vectors_row(&f->vectors, d));
        assert_true(fabs((double)hits[i].word_share - share) < 1e-6);
        assert_true(fabs((double)hits[i].cosine - cosine) < 1e-6);
        assert_true(fabs((double)hits[i].score - cosine - 0.5 * share * share) < 1e-6);
        assert_true(share < 0.5); /* zebra is unknown and counts against everybody */
        assert_true(i == 0 || hits[i - 1].score >= hits[i].score);
    }
}

static void a_share_is_how_much_of_the_query_a_document_holds(void **state)
{
    fixture *f = *state;
    search_hit hits[1];
    size_t found;
    /* By its letters the query is nearest to "eeee egg". */
    const search_index meaning = {NULL, &f->vectors, &f->e.base};
    assert_int_equal(search_texts(&meaning, text_of("dish eee"), 1, hits, &found, NULL),
                     PF_OK);
    assert_int_equal(hits[0].document, 4);
    assert_int_equal(search_texts(&f->both, text_of("bread dish"), 1, hits, &found, NULL),
                     PF_OK);
    assert_true(hits[0].word_share > 0.4F && hits[0].word_share < 0.6F);
    assert_int_equal(search_texts(&f->both, text_of("bbbb bread"), 1, hits, &found, NULL),
                     PF_OK);
    assert_int_equal(hits[0].document, 1);
    assert_true(hits[0].word_share > 0.9F && hits[0].word_share <= 1);
}

static void a_document_found_by_both_comes_first(void **state)
{
    const fixture *f = *state;
    search_hit hits[DOCUMENTS];
    size_t found;
    assert_int_equal(
        search_texts(&f->both, text_of("cart cccc"), DOCUMENTS, hits, &found, NULL),
        PF_OK);
    assert_int_equal(found, DOCUMENTS);
    assert_int_equal(hits[0].document, 2);
    assert_true(hits[0].word_share > 0.5F && hits[0].cosine > 0.4F);
}

static void a_query_without_common_words_is_found_by_meaning(void **state)
{
    const fixture *f = *state;
    search_hit hits[2];
    size_t found;
    assert_int_equal(search_texts(&f->both, text_of("ddddd"), 2, hits, &found, NULL),
                     PF_OK);
    assert_int_equal(found, 2);
    assert_int_equal(hits[0].document, 3);
    assert_true(hits[0].word_share == 0);
    assert_true(hits[0].cosine > 0.8F);
}

static void either_part_works_alone(void **state)
{
    fixture *f = *state;
    const search_index words = {f->words, NULL, NULL},
                       meaning = {NULL, &f->vectors, &f->e.base},
                       no_encoder = {f->words, &f->vectors, NULL};
    search_hit hits[DOCUMENTS];
    size_t found;
    assert_int_equal(search_texts(&words, text_of("cart"), 5, hits, &found, NULL), PF_OK);
    assert_int_equal(found, 2);
    assert_int_equal(search_texts(&no_encoder, text_of("cart"), 5, hits, &found, NULL),
                     PF_OK);
    assert_int_equal(found, 2);
    assert_int_equal(search_texts(&meaning, text_of("cart"), 5, hits, &found, NULL),
                     PF_OK);
    assert_int_equal(found, DOCUMENTS);
    assert_int_equal(search_texts(&words, text_of("nothing"), 5, hits, &found, NULL),
                     PF_OK);
    assert_int_equal(found, 0);
    assert_int_equal(search_texts(&words, text_of(""), 5, hits, &found, NULL), PF_OK);
    assert_int_equal(found, 0);
    assert_int_equal(search_texts(&f->both, text_of("cart"), 0, NULL, &found, NULL),
                     PF_OK);
    assert_int_equal(found, 0);
}

static void parts_that_do_not_belong_together_are_usage_errors(void **state)
{
    fixture *f = *state;
    toy_encoder other = toy_make(9);
    const lexical_document none = {NULL, 0};
    const search_index empty = {NULL, NULL, NULL},
                       mixed = {f->words, &f->vectors, &other.base};
    lexical *small;
    search_hit hits[1];
    size_t found;
    pf_error err = {0};
    assert_int_equal(lexical_fit(&small, 1, &none, NULL, NULL), PF_OK);
    const search_index sizes = {small, &f->vectors, &f->e.base};
    assert_int_equal(search_texts(&empty, text_of("x"), 1, hits, &found, &err), PF_USAGE);
    assert_int_equal(search_texts(&mixed, text_of("x"), 1, hits, &found, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "another encoder"));
    assert_int_equal(search_texts(&sizes, text_of("x"), 1, hits, &found, &err), PF_USAGE);
    assert_int_equal(found, 0);
    lexical_free(small);
}

static void a_failing_encoder_fails_the_search(void **state)
{
    fixture *f = *state;
    search_hit hits[1];
    size_t found;
    pf_error err = {0};
    f->e.fail_at_call = f->e.calls + 1;
    assert_int_equal(search_texts(&f->both, text_of("x"), 1, hits, &found, &err),
                     PF_UNAVAILABLE);
    assert_int_equal(found, 0);
    assert_string_equal(err.message, "the toy is broken");
}

static void every_failed_allocation_is_reported(void **state)
{
    const fixture *f = *state;
    search_hit hits[2];
    size_t found;
    mem_fail_at(0);
    assert_int_equal(search_texts(&f->both, text_of("cart"), 2, hits, &found, NULL),
                     PF_OK);
    const uint64_t allocations = mem_allocations_since();
    assert_true(allocations >= 4);
    for (uint64_t i = 1; i <= allocations; i++) {
        pf_error err = {0};
        mem_fail_at(i);
        assert_int_equal(search_texts(&f->both, text_of("cart"), 2, hits, &found, &err),
                         PF_NO_MEMORY);
        mem_fail_at(0);
        assert_int_equal(found, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define with_index(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        with_index(a_score_is_cosine_plus_the_square_of_the_word_share),
        with_index(a_share_is_how_much_of_the_query_a_document_holds),
        with_index(a_document_found_by_both_comes_first),
        with_index(a_query_without_common_words_is_found_by_meaning),
        with_index(either_part_works_alone),
        with_index(parts_that_do_not_belong_together_are_usage_errors),
        with_index(a_failing_encoder_fails_the_search),
        with_index(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
