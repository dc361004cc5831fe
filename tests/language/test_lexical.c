/* The lexical model: the formulas of lexical.h worked by hand, search in Chinese and
 * English, similarity, and faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "language/lexical.h"

enum { DOCUMENTS = 6 };

static const char *const titles[DOCUMENTS] = {
    "Red running shoes",        "Blue running shoes, running light", "Espresso machine",
    "\u4fdd\u6e29\u676f 500ml", "\u676f\u5b50 \u73bb\u7483",         "Kids' rain boots"};

static lexical *fit_titles(const lexical_options *o)
{
    lexical_field fields[DOCUMENTS];
    lexical_document documents[DOCUMENTS];
    lexical *l;
    pf_error err = {0};
    for (size_t i = 0; i < DOCUMENTS; i++) {
        fields[i] = (lexical_field){.text = text_of(titles[i]), .weight = 1};
        documents[i] = (lexical_document){&fields[i], 1};
    }
    if (lexical_fit(&l, DOCUMENTS, documents, o, &err) != PF_OK)
        fail_msg("%s", err.message);
    return l;
}

static void assert_near(double a, double b)
{
    if (!(fabs(a - b) < 1e-5)) fail_msg("%.9g is not %.9g", a, b);
}

/* ---- formulas ---- */

static void bm25_is_what_the_formula_says(void **state)
{
    (void)state;
    /* Words: red run.. shoe = 3; blue running shoe running light = 5; 2; 7 (three
     * characters, two pairs, 500, ml); 6 (two pairs of two); 3. Mean 26 / 6. */
    lexical *l = fit_titles(NULL);
    float scores[DOCUMENTS];
    const double mean = 26.0 / 6, idf = log(1 + (6 - 2 + 0.5) / (2 + 0.5));
    assert_int_equal(lexical_scores(l, text_of("RUNNING"), scores, NULL), PF_OK);
    assert_near(scores[0], idf * 1 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 3 / mean)));
    assert_near(scores[1], idf * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 5 / mean)));
    for (size_t i = 2; i < DOCUMENTS; i++)
        assert_true(scores[i] == 0);
    const double once = (double)scores[0];
    assert_int_equal(lexical_scores(l, text_of("running running"), scores, NULL), PF_OK);
    assert_near(scores[0], 2 * once);
    lexical_free(l);
}

static void tf_idf_is_what_the_formula_says(void **state)
{
    (void)state;
    lexical *l = fit_titles(NULL);
    const sparse_vector v = lexical_vector(l, 1);
    const double rare = 1 + log(7.0 / 2), common = 1 + log(7.0 / 3);
    const double running = (1 + log(2)) * common;
    const double length = sqrt(2 * rare * rare + common * common + running * running);
    assert_int_equal(v.n, 4);
    for (size_t i = 0; i < 4; i++) {
        const char *term = lexical_term(l, v.terms[i]);
        const double w = strcmp(term, "running") == 0 ? running
                         : strcmp(term, "shoe") == 0  ? common
                                                      : rare;
        assert_near(v.weights[i], w / length);
    }
    lexical_free(l);
}

static void every_vector_has_length_one_and_ascending_terms(void **state)
{
    (void)state;
    lexical *l = fit_titles(NULL);
    assert_int_equal(lexical_documents(l), DOCUMENTS);
    for (size_t d = 0; d < DOCUMENTS; d++) {
        const sparse_vector v = lexical_vector(l, d);
        assert_near(sparse_dot(v, v), 1);
        for (size_t i = 1; i < v.n; i++)
            assert_true(v.terms[i - 1] < v.terms[i] && v.terms[i] < lexical_terms(l));
    }
    lexical_free(l);
}

static void a_field_counts_as_often_as_its_weight(void **state)
{
    (void)state;
    const lexical_field once[] = {{text_of("red red red shoe"), 1, 0}};
    const lexical_field weighted[] = {{text_of("red"), 3, 0}, {text_of("shoe"), 1, 0}};
    const lexical_document documents[] = {{once, 1}, {weighted, 2}};
    lexical *l;
    float scores[2];
    assert_int_equal(lexical_fit(&l, 2, documents, NULL, NULL), PF_OK);
    assert_near(sparse_dot(lexical_vector(l, 0), lexical_vector(l, 1)), 1);
    assert_int_equal(lexical_scores(l, text_of("red"), scores, NULL), PF_OK);
    assert_near(scores[0], scores[1]);
    lexical_free(l);
}

static void a_part_of_a_list_is_a_term_of_its_own(void **state)
{
    (void)state;
    const lexical_field fields[] = {{text_of("Bath & Body|Soap"), 1, '|'},
                                    {text_of("soap|bath&BODY||"), 1, '|'},
                                    {text_of("Body soap|Bath"), 1, '|'}};
    const lexical_document documents[] = {
        {&fields[0], 1}, {&fields[1], 1}, {&fields[2], 1}};
    lexical *l;
    assert_int_equal(lexical_fit(&l, 3, documents, NULL, NULL), PF_OK);
    const sparse_vector a = lexical_vector(l, 0);
    assert_near(sparse_dot(a, lexical_vector(l, 1)), 1);
    assert_true(sparse_dot(a, lexical_vector(l, 2)) < 0.9);
    size_t parts = 0;
    for (uint32_t t = 0; t < lexical_terms(l); t++)
        parts += lexical_term(l, t)[0] == '=';
    assert_int_equal(parts, 4); /* =bath body, =soap, =body soap, =bath */
    lexical_free(l);
}

static void a_full_match_is_the_sum_of_idf_unknown_words_included(void **state)
{
    (void)state;
    lexical *l = fit_titles(NULL);
    const double red = log(1 + 5.5 / 1.5), unknown = log(1 + 6.5 / 0.5);
    assert_near(lexical_full_match(l, text_of("red")), red);
    assert_near(lexical_full_match(l, text_of("tractor")), unknown);
    assert_near(lexical_full_match(l, text_of("Red tractor, red")), 2 * red + unknown);
    assert_near(lexical_full_match(l, text_of("...")), 0);
    lexical_free(l);
}

/* A document of mean length with each word of the query once scores exactly that. */
static void a_document_of_mean_length_reaches_a_full_match(void **state)
{
    (void)state;
    const lexical_field fields[] = {{text_of("red shoe box"), 1, 0},
                                    {text_of("tea for two"), 1, 0}};
    const lexical_document documents[] = {{&fields[0], 1}, {&fields[1], 1}};
    lexical *l;
    float scores[2];
    assert_int_equal(lexical_fit(&l, 2, documents, NULL, NULL), PF_OK);
    assert_int_equal(lexical_scores(l, text_of("shoe red"), scores, NULL), PF_OK);
    assert_near(scores[0], lexical_full_match(l, text_of("shoe red")));
    lexical_free(l);
}

/* ---- search ---- */

static void search_finds_english_and_chinese(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        size_t found;
        uint32_t first;
    } cases[] = {{"running shoe", 2, 0},
                 {"red shoes", 2, 0},
                 {"blue running shoe", 2, 1},
                 {"\u4fdd\u6e29\u676f", 2, 3},
                 {"\u676f\u5b50", 2, 4},
                 {"KID rain", 1, 5},
                 {"500 ML", 1, 3},
                 {"tractor", 0, 0},
                 {"", 0, 0}};
    lexical *l = fit_titles(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hit hits[DOCUMENTS];
        size_t found;
        assert_int_equal(
            lexical_search(l, text_of(cases[i].query), DOCUMENTS, hits, &found, NULL),
            PF_OK);
        assert_int_equal(found, cases[i].found);
        if (found > 0) assert_int_equal(hits[0].item, cases[i].first);
    }
    lexical_free(l);
}

static void neighbours_leave_out_oneself_and_strangers(void **state)
{
    (void)state;
    lexical *l = fit_titles(NULL);
    hit hits[DOCUMENTS];
    size_t found;
    assert_int_equal(lexical_neighbours(l, 0, DOCUMENTS, hits, &found, NULL), PF_OK);
    assert_int_equal(found, 1);
    assert_int_equal(hits[0].item, 1);
    assert_near(hits[0].score, sparse_dot(lexical_vector(l, 0), lexical_vector(l, 1)));
    assert_int_equal(lexical_neighbours(l, 2, DOCUMENTS, hits, &found, NULL), PF_OK);
    assert_int_equal(found, 0);
    lexical_free(l);
}

static void a_new_document_is_weighed_like_a_fitted_one(void **state)
{
    (void)state;
    lexical *l = fit_titles(NULL);
    const lexical_field fields[] = {{text_of(titles[1]), 1, 0},
                                    {text_of("unheard of"), 1, 0}};
    uint32_t *terms;
    float *weights;
    size_t n;
    assert_int_equal(
        lexical_weigh(l, &(lexical_document){fields, 2}, &terms, &weights, &n, NULL),
        PF_OK);
    const sparse_vector v = lexical_vector(l, 1);
    assert_int_equal(n, v.n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(terms[i], v.terms[i]);
        assert_near(weights[i], v.weights[i]);
    }
    mem_free(terms);
    mem_free(weights);
    assert_int_equal(
        lexical_weigh(l, &(lexical_document){fields + 1, 1}, &terms, &weights, &n, NULL),
        PF_OK);
    assert_int_equal(n, 0);
    assert_null(terms);
    lexical_free(l);
}

/* ---- options and limits ---- */

static void rare_terms_can_be_left_out(void **state)
{
    (void)state;
    lexical_options o = lexical_defaults();
    o.minimum_documents = 2;
    lexical *l = fit_titles(&o);
    hit hits[DOCUMENTS];
    size_t found;
    assert_int_equal(lexical_terms(l), 3); /* running, shoe, the character for cup */
    assert_int_equal(lexical_search(l, text_of("espresso"), 3, hits, &found, NULL),
                     PF_OK);
    assert_int_equal(found, 0);
    assert_int_equal(lexical_search(l, text_of("shoe"), 3, hits, &found, NULL), PF_OK);
    assert_int_equal(found, 2);
    assert_int_equal(lexical_vector(l, 2).n, 0);
    lexical_free(l);
}

static void empty_models_answer_with_nothing(void **state)
{
    (void)state;
    const lexical_document empty[] = {{NULL, 0}, {NULL, 0}};
    for (size_t n = 0; n <= 2; n += 2) {
        lexical *l;
        hit hits[2];
        size_t found;
        assert_int_equal(lexical_fit(&l, n, empty, NULL, NULL), PF_OK);
        assert_int_equal(lexical_terms(l), 0);
        assert_int_equal(lexical_search(l, text_of("shoe"), 2, hits, &found, NULL),
                         PF_OK);
        assert_int_equal(found, 0);
        lexical_free(l);
    }
    lexical_free(NULL);
}

static void wrong_options_and_weights_are_usage_errors(void **state)
{
    (void)state;
    lexical_options bad[4];
    for (size_t i = 0; i < 4; i++)
        bad[i] = lexical_defaults();
    bad[0].k1 = -1;
    bad[1].k1 = NAN;
    bad[2].b = 1.5F;
    bad[3].b = -0.1F;
    lexical *l;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(lexical_fit(&l, 0, NULL, &bad[i], NULL), PF_USAGE);
    static const float weights[] = {0, -1, NAN, INFINITY};
    for (size_t i = 0; i < 4; i++) {
        const lexical_field f = {text_of("a"), weights[i], 0};
        const lexical_document d = {&f, 1};
        assert_int_equal(lexical_fit(&l, 1, &d, NULL, NULL), PF_USAGE);
        assert_null(l);
    }
}

/* ---- against plain loops ---- */

enum { MANY = 120, VOCABULARY = 40, WORDS = 12 };

/* dot_all through postings must equal the dot of rows, whatever the documents. */
static void postings_and_rows_tell_the_same(void **state)
{
    (void)state;
    static char store[MANY][WORDS * 4 + 1];
    lexical_field fields[MANY];
    lexical_document documents[MANY];
    random_stream r = random_begin(3, 1);
    for (size_t d = 0; d < MANY; d++) {
        size_t n = 0;
        for (size_t w = 0; w < WORDS; w++) {
            store[d][n++] = (char)('a' + random_below(&r, 8));
            store[d][n++] = (char)('a' + random_below(&r, VOCABULARY / 8));
            store[d][n++] = 'q';
            store[d][n++] = ' ';
        }
        fields[d] = (lexical_field){{store[d], n}, 1, 0};
        documents[d] = (lexical_document){&fields[d], 1};
    }
    lexical *l;
    float scores[MANY];
    assert_int_equal(lexical_fit(&l, MANY, documents, NULL, NULL), PF_OK);
    for (size_t d = 0; d < MANY; d += 13) {
        lexical_dot_all(l, lexical_vector(l, d), scores);
        for (size_t o = 0; o < MANY; o++)
            assert_near(scores[o],
                        sparse_dot(lexical_vector(l, d), lexical_vector(l, o)));
    }
    lexical_free(l);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    const lexical_field field = {text_of("red shoe|rain"), 1, '|'};
    const lexical_document document = {&field, 1};
    lexical *l;
    hit hits[2];
    size_t found;
    mem_fail_at(0);
    assert_int_equal(lexical_fit(&l, 1, &document, NULL, NULL), PF_OK);
    const uint64_t allocations = mem_allocations_since();
    lexical_free(l);
    for (uint64_t i = 1; i <= allocations; i++) {
        pf_error err = {0};
        mem_fail_at(i);
        assert_int_equal(lexical_fit(&l, 1, &document, NULL, &err), PF_NO_MEMORY);
        mem_fail_at(0);
        assert_null(l);
        assert_int_equal(err.code, PF_NO_MEMORY);
    }
    assert_int_equal(lexical_fit(&l, 1, &document, NULL, NULL), PF_OK);
    for (uint64_t i = 1; i <= 2; i++) {
        mem_fail_at(i);
        assert_int_equal(lexical_search(l, text_of("red"), 2, hits, &found, NULL),
                         PF_NO_MEMORY);
        mem_fail_at(0);
        assert_int_equal(found, 0);
    }
    mem_fail_at(1);
    assert_int_equal(lexical_neighbours(l, 0, 2, hits, &found, NULL), PF_NO_MEMORY);
    for (uint64_t i = 1; i <= 3; i++) {
        uint32_t *terms;
        float *weights;
        mem_fail_at(i);
        assert_int_equal(lexical_weigh(l, &document, &terms, &weights, &found, NULL),
                         PF_NO_MEMORY);
        assert_null(terms);
    }
    mem_fail_at(0);
    lexical_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bm25_is_what_the_formula_says),
        cmocka_unit_test(tf_idf_is_what_the_formula_says),
        cmocka_unit_test(every_vector_has_length_one_and_ascending_terms),
        cmocka_unit_test(a_field_counts_as_often_as_its_weight),
        cmocka_unit_test(a_part_of_a_list_is_a_term_of_its_own),
        cmocka_unit_test(a_full_match_is_the_sum_of_idf_unknown_words_included),
        cmocka_unit_test(a_document_of_mean_length_reaches_a_full_match),
        cmocka_unit_test(search_finds_english_and_chinese),
        cmocka_unit_test(neighbours_leave_out_oneself_and_strangers),
        cmocka_unit_test(a_new_document_is_weighed_like_a_fitted_one),
        cmocka_unit_test(rare_terms_can_be_left_out),
        cmocka_unit_test(empty_models_answer_with_nothing),
        cmocka_unit_test(wrong_options_and_weights_are_usage_errors),
        cmocka_unit_test(postings_and_rows_tell_the_same),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
