/* A model's file: what comes back is what was saved, and no altered file is believed. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "fixtures/coupon_shop.h"
#include "response/response.h"
#include "tensor/safetensors.h"

enum { SHOPPERS = 30 };

static coupon_shop shop;
static response_data *data;
static char folder[64], path[128], card[160];
static uint32_t promotions[COUPON_EACH], asked[SHOPPERS];

static int make(void **state)
{
    (void)state;
    coupon_shop_make(&shop);
    response_world world = {.catalogue = &shop.c, .history = shop.h};
    assert_int_equal(response_data_new(&world, &data, NULL), PF_OK);
    (void)snprintf(folder, sizeof folder, "/tmp/proffer-response-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/model.safetensors", folder);
    (void)snprintf(card, sizeof card, "%s.json", path);
    for (uint32_t i = 0; i < COUPON_EACH; i++)
        promotions[i] = 5 * COUPON_EACH + i + 1;
    for (uint32_t i = 0; i < SHOPPERS; i++)
        asked[i] = 1 + 4 * i;
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    (void)unlink(path);
    (void)unlink(card);
    (void)rmdir(folder);
    response_data_free(data);
    coupon_shop_free(&shop);
    return 0;
}

static response_model *fit(response_learner learner)
{
    response_model *m;
    response_options o = response_options_default();
    o.learner = learner;
    assert_int_equal(response_fit(data, coupon_start_us(6), &o, &m, NULL), PF_OK);
    return m;
}

static response_scores score(const response_model *m)
{
    response_scores s;
    response_ask ask = {6, promotions, COUPON_EACH, asked, SHOPPERS, coupon_start_us(6)};
    assert_int_equal(response_score(m, data, &ask, &s, NULL), PF_OK);
    return s;
}

static char *describe(const response_model *m)
{
    buffer b;
    json_writer w;
    buffer_init(&b, 1 << 20);
    json_begin(&w, &b);
    response_describe(m, &w);
    assert_true(json_finish(&w));
    char *words = mem_copy_text(b.data, b.length);
    buffer_free(&b);
    return words;
}

static void a_loaded_model_scores_and_describes_as_before(void **state)
{
    (void)state;
    for (int learner = RESPONSE_LOGISTIC; learner <= RESPONSE_AVERAGE; learner++) {
        response_model *m = fit((response_learner)learner), *back;
        pf_error err = {0};
        assert_int_equal(response_save(m, path, "{\"data\":1}", NULL), PF_OK);
        if (response_load(path, &back, &err) != PF_OK)
            fail_msg("%s", err.message);
        response_scores a = score(m), b = score(back);
        assert_memory_equal(a.any, b.any, (SHOPPERS + 2 * SHOPPERS * COUPON_EACH) * 4);
        char *before = describe(m), *after = describe(back);
        assert_string_equal(before, after);
        assert_non_null(strstr(before, "\"learner\""));
        mem_free(before);
        mem_free(after);
        response_scores_free(&a);
        response_scores_free(&b);
        response_free(m);
        response_free(back);
    }
}

static void the_card_stands_beside_it(void **state)
{
    (void)state;
    response_model *m = fit(RESPONSE_LOGISTIC);
    char *words;
    size_t n;
    assert_int_equal(response_save(m, path, "{\"data\":\"abc\"}", NULL), PF_OK);
    assert_int_equal(file_read_whole(&words, &n, card, 1000, NULL), PF_OK);
    assert_string_equal(words, "{\"data\":\"abc\"}");
    mem_free(words);
    assert_int_equal(response_save(m, path, NULL, NULL), PF_OK);
    assert_false(file_exists(card)); /* never a card of another model */
    response_free(m);
}

static void a_file_that_is_not_there_is_not_found(void **state)
{
    (void)state;
    response_model *m;
    assert_int_equal(response_load("/nowhere/at/all", &m, NULL), PF_NOT_FOUND);
    assert_null(m);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    (void)state;
    response_model *m = fit(RESPONSE_LOGISTIC);
    pf_error err = {0};
    assert_int_not_equal(response_save(m, "/nowhere/at/all/m", "{}", &err), PF_OK);
    assert_true(err.message[0] != 0);
    response_free(m);
}

static void write_bytes(const char *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* Altered in one place: refused, or a model whose every chance is a chance. */
static void no_altered_file_is_believed(void **state)
{
    (void)state;
    response_model *m = fit(RESPONSE_LOGISTIC), *back;
    char *bytes;
    size_t n;
    unsigned refused = 0;
    random_stream r = random_begin(11, 0);
    assert_int_equal(response_save(m, path, "{}", NULL), PF_OK);
    assert_int_equal(file_read_whole(&bytes, &n, path, 1 << 24, NULL), PF_OK);
    for (int turn = 0; turn < 300; turn++) {
        size_t at = turn < 150 ? random_below(&r, 1500) : random_below(&r, (uint32_t)n);
        char kept = bytes[at];
        bytes[at] = (char)(kept ^ (char)(1 + random_below(&r, 255)));
        write_bytes(bytes, n);
        bytes[at] = kept;
        pf_error err = {0};
        pf_status status = response_load(path, &back, &err);
        if (status != PF_OK) {
            assert_int_equal(status, PF_DATA);
            assert_true(err.message[0] != 0);
            refused++;
            continue;
        }
        response_scores s = score(back);
        for (size_t i = 0; i < SHOPPERS; i++)
            assert_true(s.any[i] >= 0 && s.any[i] <= 1);
        response_scores_free(&s);
        response_free(back);
    }
    assert_true(refused > 50);
    mem_free(bytes);
    response_free(m);
}

static void no_shortened_file_is_believed(void **state)
{
    (void)state;
    response_model *m = fit(RESPONSE_AVERAGE), *back;
    char *bytes;
    size_t n;
    assert_int_equal(response_save(m, path, "{}", NULL), PF_OK);
    assert_int_equal(file_read_whole(&bytes, &n, path, 1 << 24, NULL), PF_OK);
    for (size_t part = 0; part < 40; part++) {
        write_bytes(bytes, n * part / 40);
        assert_int_equal(response_load(path, &back, NULL), PF_DATA);
        assert_null(back);
    }
    mem_free(bytes);
    response_free(m);
}

/* Format 1 had no note of its format, nor factors. */
static void a_file_of_an_older_format_is_refused_with_what_to_do(void **state)
{
    (void)state;
    response_model *m = fit(RESPONSE_LOGISTIC), *back;
    safetensors_writer *w = NULL;
    safetensors *file = NULL;
    const double constants[13] = {1};
    const uint64_t n = 13;
    pf_error err = {0};
    assert_int_equal(response_save(m, path, NULL, NULL), PF_OK);
    assert_int_equal(safetensors_open(&file, path, NULL), PF_OK);
    assert_int_equal(safetensors_begin(&w, path, NULL), PF_OK);
    assert_int_equal(safetensors_note(w, "kind", "response", NULL), PF_OK);
    assert_int_equal(
        safetensors_note(w, "features", safetensors_note_of(file, "features"), NULL), PF_OK);
    assert_int_equal(safetensors_add(w, "constants", TENSOR_F64, constants, 1, &n, NULL), PF_OK);
    assert_int_equal(safetensors_commit(w, NULL), PF_OK);
    safetensors_close(file);
    assert_int_equal(response_load(path, &back, &err), PF_DATA);
    assert_null(back);
    assert_non_null(strstr(err.message, "run 'proffer train' again"));
    response_free(m);
}

static void what_was_corrected_is_described(void **state)
{
    (void)state;
    response_model *m = fit(RESPONSE_LOGISTIC);
    char *words = describe(m);
    assert_non_null(strstr(words, "\"single_promotions\":{\"kinds_corrected\":"));
    assert_non_null(strstr(words, "\"kind\":\"money_off"));
    assert_non_null(strstr(words, "\"sum_p_over_sum_y_corrected\":"));
    mem_free(words);
    response_free(m);
}

static void every_failed_allocation_of_loading_is_told(void **state)
{
    (void)state;
    response_model *m = fit(RESPONSE_AVERAGE);
    fault f = {0};
    assert_int_equal(response_save(m, path, "{}", NULL), PF_OK);
    while (fault_next(&f)) {
        response_model *back;
        pf_status status = response_load(path, &back, NULL);
        if (fault_reached(&f)) {
            assert_int_equal(status, PF_NO_MEMORY);
            assert_null(back);
        }
        response_free(back);
    }
    assert_true(f.n > 5);
    response_free(m);
}

static void every_failed_write_leaves_no_card_of_another_model(void **state)
{
    (void)state;
    response_model *m = fit(RESPONSE_LOGISTIC);
    for (uint64_t at = 1; at < 40; at++) {
        assert_int_equal(response_save(m, path, "{\"old\":1}", NULL), PF_OK);
        file_fail_write_at(at);
        pf_status status = response_save(m, path, "{\"new\":1}", NULL);
        file_fail_write_at(0);
        if (status == PF_OK)
            break;
        char *words = NULL;
        size_t n;
        if (file_read_whole(&words, &n, card, 100, NULL) == PF_OK) {
            response_model *back; /* either nothing was touched, or both are new */
            assert_int_equal(response_load(path, &back, NULL), PF_OK);
            response_free(back);
            mem_free(words);
        }
        assert_true(at < 39);
    }
    response_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loaded_model_scores_and_describes_as_before),
        cmocka_unit_test(the_card_stands_beside_it),
        cmocka_unit_test(a_file_that_is_not_there_is_not_found),
        cmocka_unit_test(a_folder_that_is_not_there_is_told),
        cmocka_unit_test(no_altered_file_is_believed),
        cmocka_unit_test(no_shortened_file_is_believed),
        cmocka_unit_test(a_file_of_an_older_format_is_refused_with_what_to_do),
        cmocka_unit_test(what_was_corrected_is_described),
        cmocka_unit_test(every_failed_allocation_of_loading_is_told),
        cmocka_unit_test(every_failed_write_leaves_no_card_of_another_model),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
