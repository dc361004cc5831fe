/* The encoder over HTTP against an endpoint that the test starts: good answers in any
 * order, and every kind of bad one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "language/encoder.h"
#include "language/fake_endpoint.h"

typedef struct fixture {
    fake_endpoint *fake;
    encoder *e;
} fixture;

static encoder_remote_options quick(const fake_endpoint *fake)
{
    encoder_remote_options o = encoder_remote_defaults();
    o.url = fake->url;
    o.model = "tiny";
    o.timeout_ms = 400;
    o.retries = 0;
    o.backoff_ms = 1;
    o.batch_texts = 3;
    return o;
}

static encoder *open_with(const encoder_remote_options *o)
{
    encoder *e;
    pf_error err = {0};
    if (encoder_open_remote(&e, o, &err) != PF_OK) fail_msg("%s", err.message);
    return e;
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->fake = fake_start();
    const encoder_remote_options o = quick(f->fake);
    f->e = open_with(&o);
    atomic_store(&f->fake->requests, 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    encoder_close(f->e);
    fake_stop(f->fake);
    free(f);
    return 0;
}

/* What the good endpoint gives text t as number i of its request, made length one. */
static void assert_vector(const float *row, text t, size_t i)
{
    const double v[4] = {(double)t.n, (unsigned char)t.data[0], (double)i, 1};
    const double length = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2] + v[3] * v[3]);
    for (size_t j = 0; j < 4; j++)
        if (!(fabs((double)row[j] - v[j] / length) < 1e-6))
            fail_msg("value %zu is %g", j, (double)row[j]);
}

static void assert_good_vectors(fixture *f)
{
    const text texts[] = {text_of("apple"), text_of("pear"), text_of("fig"),
                          text_of("plum"), text_of("\u676f")};
    float rows[5 * FAKE_DIMENSION];
    pf_error err = {0};
    if (encoder_encode(f->e, 5, texts, rows, NULL, &err) != PF_OK)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < 5; i++)
        assert_vector(rows + i * FAKE_DIMENSION, texts[i], i % 3);
}

static void assert_fails(fixture *f, fake_mode mode, pf_status expected,
                         const char *words)
{
    const text texts[] = {text_of("apple"), text_of("pear")};
    float rows[2 * FAKE_DIMENSION];
    pf_error err = {0};
    atomic_store(&f->fake->mode, (int)mode);
    const double start = clock_wall_s();
    const pf_status status = encoder_encode(f->e, 2, texts, rows, NULL, &err);
    if (status != expected || !strstr(err.message, words))
        fail_msg("mode %d: %s: %s", (int)mode, status_name(status), err.message);
    assert_true(clock_wall_s() - start < 3);
}

static void vectors_come_back_in_batches_of_length_one(void **state)
{
    fixture *f = *state;
    assert_int_equal(encoder_dimension(f->e), FAKE_DIMENSION);
    assert_good_vectors(f);
    assert_int_equal(atomic_load(&f->fake->requests), 2);
    assert_int_equal(f->fake->largest_batch, 3);
}

static void order_index_and_white_space_of_an_answer_do_not_matter(void **state)
{
    fixture *f = *state;
    static const fake_mode modes[] = {FAKE_BACKWARDS, FAKE_NO_INDEX, FAKE_PRETTY};
    for (size_t i = 0; i < 3; i++) {
        atomic_store(&f->fake->mode, (int)modes[i]);
        assert_good_vectors(f);
    }
}

static void blank_texts_are_zeros_and_not_asked_for(void **state)
{
    fixture *f = *state;
    const text texts[] = {text_of(""), text_of(" \t\n"), text_of("fig"), text_of("")};
    float rows[4 * FAKE_DIMENSION];
    assert_int_equal(encoder_encode(f->e, 4, texts, rows, NULL, NULL), PF_OK);
    for (size_t j = 0; j < FAKE_DIMENSION; j++)
        assert_true(rows[j] == 0 && rows[4 + j] == 0 && rows[12 + j] == 0);
    assert_vector(rows + 8, texts[2], 0);
    assert_int_equal(f->fake->largest_batch, 1);
    assert_int_equal(encoder_encode(f->e, 2, texts, rows, NULL, NULL), PF_OK);
    assert_int_equal(atomic_load(&f->fake->requests), 1);
}

static void wrong_bytes_are_sent_as_replacement_characters(void **state)
{
    fixture *f = *state;
    const text texts[] = {{"a\xff\"\0b", 5}};
    float rows[FAKE_DIMENSION];
    assert_int_equal(encoder_encode(f->e, 1, texts, rows, NULL, NULL), PF_OK);
    assert_non_null(strstr(f->fake->body, "a\uFFFD\\\"\uFFFDb"));
    assert_non_null(strstr(f->fake->body, "\"model\":\"tiny\""));
}

static void the_key_is_sent_as_a_bearer_token(void **state)
{
    fixture *f = *state;
    encoder_remote_options o = quick(f->fake);
    assert_null(strstr(f->fake->headers, "Authorization"));
    o.api_key = "sk-1";
    encoder *e = open_with(&o);
    assert_non_null(strstr(f->fake->headers, "Authorization: Bearer sk-1\r\n"));
    assert_null(strstr(encoder_describe(e), "sk-1"));
    encoder_close(e);
}

static void lies_about_count_dimension_and_numbers_are_refused(void **state)
{
    fixture *f = *state;
    static const fake_mode modes[] = {FAKE_FEWER,
                                      FAKE_MORE,
                                      FAKE_OTHER_DIMENSION,
                                      FAKE_SAME_INDEX,
                                      FAKE_INDEX_TOO_LARGE,
                                      FAKE_WORD_FOR_NUMBER,
                                      FAKE_NUMBER_TOO_LARGE,
                                      FAKE_ZEROS,
                                      FAKE_NO_JSON,
                                      FAKE_NO_DATA,
                                      FAKE_EMPTY};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        assert_fails(f, modes[i], PF_DATA, "answered wrongly");
}

static void silence_and_broken_lines_are_unavailable_within_the_time_limit(void **state)
{
    fixture *f = *state;
    static const fake_mode modes[] = {FAKE_HANG, FAKE_DRIP, FAKE_HANG_UP, FAKE_CUT_SHORT};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        assert_fails(f, modes[i], PF_UNAVAILABLE, "no answer");
}

static void a_flood_is_stopped_at_the_limit(void **state)
{
    assert_fails(*state, FAKE_FLOOD, PF_LIMIT, "more than");
}

static void refusals_are_quoted_and_redirects_not_followed(void **state)
{
    assert_fails(*state, FAKE_500, PF_UNAVAILABLE, "answered 500: out of order today");
    assert_fails(*state, FAKE_401, PF_UNAVAILABLE, "answered 401");
    assert_fails(*state, FAKE_REDIRECT, PF_UNAVAILABLE, "answered 302");
}

static void passing_failures_are_tried_again_as_often_as_told(void **state)
{
    fixture *f = *state;
    encoder_remote_options o = quick(f->fake);
    const text one = text_of("fig");
    float row[FAKE_DIMENSION];
    pf_error err = {0};
    o.retries = 2;
    encoder *e = open_with(&o);
    atomic_store(&f->fake->requests, 0);
    atomic_store(&f->fake->bad_answers, 2);
    assert_int_equal(encoder_encode(e, 1, &one, row, NULL, &err), PF_OK);
    assert_int_equal(atomic_load(&f->fake->requests), 3);
    atomic_store(&f->fake->bad_answers, 3);
    assert_int_equal(encoder_encode(e, 1, &one, row, NULL, &err), PF_UNAVAILABLE);
    assert_int_equal(atomic_load(&f->fake->requests), 6);
    atomic_store(&f->fake->mode, FAKE_401); /* does not pass by itself */
    assert_int_equal(encoder_encode(e, 1, &one, row, NULL, &err), PF_UNAVAILABLE);
    assert_int_equal(atomic_load(&f->fake->requests), 7);
    encoder_close(e);
}

static void an_endpoint_that_is_bad_from_the_start_does_not_open(void **state)
{
    fixture *f = *state;
    static const struct {
        fake_mode mode;
        pf_status status;
    } cases[] = {{FAKE_HANG, PF_UNAVAILABLE}, {FAKE_500, PF_UNAVAILABLE},
                 {FAKE_NO_JSON, PF_DATA},     {FAKE_MORE, PF_DATA},
                 {FAKE_NO_DATA, PF_DATA},     {FAKE_FLOOD, PF_LIMIT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const encoder_remote_options o = quick(f->fake);
        encoder *e;
        pf_error err = {0};
        atomic_store(&f->fake->mode, (int)cases[i].mode);
        assert_int_equal(encoder_open_remote(&e, &o, &err), cases[i].status);
        assert_null(e);
        assert_true(err.message[0] != '\0');
    }
}

static void nobody_listening_is_unavailable(void **state)
{
    (void)state;
    fake_endpoint *gone = fake_start();
    char url[64];
    memcpy(url, gone->url, sizeof url);
    encoder_remote_options o = quick(gone);
    fake_stop(gone);
    o.url = url;
    encoder *e;
    pf_error err = {0};
    assert_int_equal(encoder_open_remote(&e, &o, &err), PF_UNAVAILABLE);
    assert_non_null(strstr(err.message, url));
}

static void wrong_options_are_usage_errors(void **state)
{
    fixture *f = *state;
    encoder_remote_options bad[10];
    for (size_t i = 0; i < 10; i++)
        bad[i] = quick(f->fake);
    bad[0].url = NULL;
    bad[1].url = "file:///etc/passwd";
    bad[2].model = "";
    bad[3].model = "\xff";
    bad[4].api_key = "a\r\nX-Other: b";
    bad[5].batch_texts = 0;
    bad[6].batch_texts = LIMIT_ENDPOINT_BATCH + 1;
    bad[7].timeout_ms = 0;
    bad[8].backoff_ms = -1;
    bad[9].retries = 17;
    for (size_t i = 0; i < 10; i++) {
        encoder *e;
        pf_error err = {0};
        assert_int_equal(encoder_open_remote(&e, &bad[i], &err), PF_USAGE);
        assert_null(e);
    }
    assert_int_equal(atomic_load(&f->fake->requests), 0);
}

static void another_model_or_address_has_another_fingerprint(void **state)
{
    fixture *f = *state;
    encoder_remote_options o = quick(f->fake);
    encoder *same = open_with(&o);
    o.model = "other";
    encoder *other = open_with(&o);
    const fingerprint a = encoder_fingerprint(f->e), b = encoder_fingerprint(same),
                      c = encoder_fingerprint(other);
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_not_equal(&a, &c, sizeof a);
    encoder_close(same);
    encoder_close(other);
}

static void a_text_above_the_limit_is_refused_before_it_is_sent(void **state)
{
    fixture *f = *state;
    char *long_text = malloc(LIMIT_TEXT_BYTES + 1);
    assert_non_null(long_text);
    memset(long_text, 'a', LIMIT_TEXT_BYTES + 1);
    const text texts[] = {{long_text, LIMIT_TEXT_BYTES},
                          {long_text, LIMIT_TEXT_BYTES + 1}};
    float rows[2 * FAKE_DIMENSION];
    pf_error err = {0};
    assert_int_equal(encoder_encode(f->e, 2, texts, rows, NULL, &err), PF_LIMIT);
    assert_int_equal(atomic_load(&f->fake->requests), 0);
    assert_int_equal(encoder_encode(f->e, 1, texts, rows, NULL, &err), PF_OK);
    free(long_text);
}

static void every_failed_allocation_is_reported(void **state)
{
    fixture *f = *state;
    const text one = text_of("fig");
    float row[FAKE_DIMENSION];
    /* The endpoint's thread allocates as well, so the count is only an upper bound. */
    mem_fail_at(0);
    assert_int_equal(encoder_encode(f->e, 1, &one, row, NULL, NULL), PF_OK);
    const uint64_t allocations = mem_allocations_since();
    assert_true(allocations >= 4);
    for (uint64_t i = 1; i <= allocations; i++) {
        pf_error err = {0};
        mem_fail_at(i);
        const pf_status status = encoder_encode(f->e, 1, &one, row, NULL, &err);
        mem_fail_at(0);
        if (status == PF_OK)
            assert_vector(row, one, 0);
        else
            assert_true(err.message[0] != '\0');
    }
    for (uint64_t i = 1; i <= 4; i++) {
        const encoder_remote_options o = quick(f->fake);
        encoder *e;
        mem_fail_at(i);
        assert_int_equal(encoder_open_remote(&e, &o, NULL), PF_NO_MEMORY);
        mem_fail_at(0);
        assert_null(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define with_endpoint(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        with_endpoint(vectors_come_back_in_batches_of_length_one),
        with_endpoint(order_index_and_white_space_of_an_answer_do_not_matter),
        with_endpoint(blank_texts_are_zeros_and_not_asked_for),
        with_endpoint(wrong_bytes_are_sent_as_replacement_characters),
        with_endpoint(the_key_is_sent_as_a_bearer_token),
        with_endpoint(lies_about_count_dimension_and_numbers_are_refused),
        with_endpoint(silence_and_broken_lines_are_unavailable_within_the_time_limit),
        with_endpoint(a_flood_is_stopped_at_the_limit),
        with_endpoint(refusals_are_quoted_and_redirects_not_followed),
        with_endpoint(passing_failures_are_tried_again_as_often_as_told),
        with_endpoint(an_endpoint_that_is_bad_from_the_start_does_not_open),
        cmocka_unit_test(nobody_listening_is_unavailable),
        with_endpoint(wrong_options_are_usage_errors),
        with_endpoint(another_model_or_address_has_another_fingerprint),
        with_endpoint(a_text_above_the_limit_is_refused_before_it_is_sent),
        with_endpoint(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
