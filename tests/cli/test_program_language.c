/* Protects vectors from an endpoint, end to end: embed encodes once and only what is new,
 * search and train use what was encoded, a key goes to the endpoint and nowhere else, and
 * an endpoint that is gone takes nothing but meaning with it. */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "fixtures/corner_shop.h"
#include "language/fake_endpoint.h"

static fake_endpoint *endpoint;

static int begin(void **state)
{
    endpoint = fake_start();
    return endpoint == NULL ? -1 : program_begin(state);
}

static int end(void **state)
{
    fake_stop(endpoint);
    return program_end(state);
}

/* The corner shop with an encoder at this address. */
static const char *shop_with(const char *name, const char *url)
{
    char yaml[400], file[64];
    const char *w = copy_of_corner(name);
    (void)snprintf(yaml, sizeof yaml,
                   "shop: {currency: CNY, time_zone: Asia/Shanghai, language: zh}\n"
                   "language: {encoder: remote, url: \"%s\", model: toy,\n"
                   "           key_variable: TOY_KEY}\n"
                   "decide:\n  margin_rate: 0.3\n",
                   url);
    (void)snprintf(file, sizeof file, "%s/proffer.yaml", name);
    (void)put(file, yaml);
    return w;
}

static void embed_encodes_each_text_once(void **state)
{
    (void)state;
    const char *w = shop_with("embedded", endpoint->url);
    const json_value *v = json_of(RUN_CODE(0, "embed", "--json", "-w", w));
    assert_keys(v, "texts encoded cached dimension encoder seconds");
    assert_int_equal(number_of(v, "texts"), CORNER_PRODUCTS + CORNER_PROMOTIONS);
    assert_int_equal(number_of(v, "encoded") + number_of(v, "cached"),
                     number_of(v, "texts"));
    assert_true(number_of(v, "encoded") >= CORNER_PRODUCTS);
    assert_int_equal(number_of(v, "dimension"), FAKE_DIMENSION);
    v = json_of(RUN_CODE(0, "embed", "--json", "-w", w));
    assert_int_equal(number_of(v, "encoded"), 0);
    (void)put("renamed.csv", "id,title\np01,Something new\n");
    RUN_CODE(0, "import", in_folder("renamed.csv"), "--table", "products", "-w", w);
    v = json_of(RUN_CODE(0, "embed", "--json", "-w", w));
    assert_int_equal(number_of(v, "encoded"), 1);
    assert_contains(RUN_CODE(0, "embed", "-w", w)->out, "0 encoded now");
}

static void search_goes_by_meaning_where_no_word_is_shared(void **state)
{
    (void)state;
    const char *w = shop_with("meaning", endpoint->url);
    const json_value *v =
        json_of(RUN_CODE(0, "search", "zzz qqq", "--limit", "3", "--json", "-w", w));
    const json_value *found = member_of(v, "products");
    assert_int_equal(found->n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(number_of(&found->values[i], "word_share") == 0);
        assert_true(number_of(&found->values[i], "cosine") > 0);
    }
}

static void models_are_trained_and_decide_with_vectors(void **state)
{
    (void)state;
    const char *w = shop_with("with-vectors", endpoint->url);
    const ran *r = RUN_CODE(0, "train", "-w", w);
    assert_lacks(r->err, "warning");
    RUN_CODE(0, "evaluate", "-w", w);
    r = RUN_CODE(0, "decide", "--campaign", "june", "-w", w);
    assert_lacks(r->err, "warning");
    RUN_CODE(0, "explain", "s01", "-w", w);
    RUN_CODE(0, "recommend", "s01", "-w", w);
}

static void a_key_goes_to_the_endpoint_and_nowhere_else(void **state)
{
    (void)state;
    const char *w = shop_with("secret", endpoint->url);
    setenv("TOY_KEY", "sesame-4711", 1);
    const ran *r = RUN_CODE(0, "embed", "-w", w);
    assert_lacks(r->out, "sesame");
    assert_lacks(r->err, "sesame");
    pthread_mutex_lock(&endpoint->mutex);
    assert_contains(endpoint->headers, "Bearer sesame-4711");
    pthread_mutex_unlock(&endpoint->mutex);
    assert_lacks(RUN_CODE(0, "doctor", "--json", "-w", w)->out, "sesame");
    unsetenv("TOY_KEY");
    assert_int_equal(run_other(WORDS("grep", "-rqaF", "sesame-4711", w))->code, 1);
}

static void an_endpoint_that_fails_is_told_and_words_go_on(void **state)
{
    (void)state;
    const char *w = shop_with("refused", endpoint->url);
    atomic_store(&endpoint->mode, FAKE_401);
    const ran *r = program_run(WORDS("embed", "-w", w));
    assert_true(r->code == 8 || r->code == 5 || r->code == 2);
    assert_contains(r->err, endpoint->url);
    assert_string_equal(r->out, "");
    atomic_store(&endpoint->mode, FAKE_GOOD);
    w = shop_with("gone", "http://127.0.0.1:1");
    r = RUN_CODE(8, "embed", "-w", w);
    assert_contains(r->err, "127.0.0.1:1");
    r = RUN_CODE(0, "search", "milk", "-w", w);
    assert_contains(r->out, "Whole milk");
    assert_contains(r->err, "words alone");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(embed_encodes_each_text_once),
        cmocka_unit_test(search_goes_by_meaning_where_no_word_is_shared),
        cmocka_unit_test(models_are_trained_and_decide_with_vectors),
        cmocka_unit_test(a_key_goes_to_the_endpoint_and_nowhere_else),
        cmocka_unit_test(an_endpoint_that_fails_is_told_and_words_go_on),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
