/*
 * Saved recommenders: every kind comes back with the same bits of scores; a file that was
 * cut, altered, or made for another catalogue is refused and never believed.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "recommend/fitted.h"
#include "recommend/inner.h"
#include "recommend/small_data.h"

enum { V = SMALL_PRODUCTS };

static char path[256], card[300];

static int make_path(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "%s/recommender-%ld.safetensors",
                   PROFFER_BINARY_DIR, (long)getpid());
    (void)snprintf(card, sizeof card, "%s.json", path);
    return 0;
}

static int remove_path(void **state)
{
    (void)state;
    (void)remove(path);
    (void)remove(card);
    return 0;
}

static void save(const recommender *m)
{
    pf_error err = {0};
    if (recommender_save(m, path, "{\"seed\":1}", &err) != PF_OK)
        fail_msg("%s", err.message);
}

static pf_status load(uint32_t n_products, pf_error *err)
{
    recommender *m = NULL;
    pf_status s = recommender_load(path, n_products, &m, err);
    if (s == PF_OK) recommender_free(m);
    return s;
}

static void every_kind_comes_back_with_the_same_scores(void **state)
{
    (void)state;
    small_data *d = small_data_new(21, 15);
    for (size_t k = 0; recommender_kind_at(k) != NULL; k++) {
        recommender *m = small_fit(d, recommender_kind_at(k)->name), *again = NULL;
        pf_error err = {0};
        save(m);
        if (recommender_load(path, V, &again, &err) != PF_OK) fail_msg("%s", err.message);
        assert_ptr_equal(recommender_kind_of(again), recommender_kind_at(k));
        for (uint32_t u = 0; u < SMALL_USERS; u += 3) {
            recommend_query q = small_query(d, u);
            float a[V], b[V];
            score_with(m, &q, a);
            score_with(again, &q, b);
            assert_memory_equal(a, b, sizeof a);
        }
        recommender_free(m);
        recommender_free(again);
    }
    small_data_free(d);
}

static void the_card_stands_beside_the_file(void **state)
{
    (void)state;
    small_data *d = small_data_new(21, 5);
    recommender *m = small_fit(d, "popularity");
    char *written = NULL;
    size_t n = 0;
    save(m);
    assert_int_equal(file_read_whole(&written, &n, card, 100, NULL), PF_OK);
    assert_string_equal(written, "{\"seed\":1}");
    mem_free(written);
    recommender_free(m);
    small_data_free(d);
}

static void another_catalogues_model_is_refused(void **state)
{
    (void)state;
    small_data *d = small_data_new(22, 10);
    for (size_t k = 0; recommender_kind_at(k) != NULL; k++) {
        recommender *m = small_fit(d, recommender_kind_at(k)->name);
        pf_error err = {0};
        save(m);
        assert_int_equal(load(V + 1, &err), PF_DATA);
        assert_non_null(strstr(err.message, "40"));
        assert_non_null(strstr(err.message, "41"));
        assert_int_equal(load(V - 1, &err), PF_DATA);
        recommender_free(m);
    }
    small_data_free(d);
}

/* ---- damage ---- */

/* The file's bytes, aligned, freed with mem_free. */
static unsigned char *bytes_of(const recommender *m, size_t *n)
{
    char *whole = NULL;
    save(m);
    assert_int_equal(file_read_whole(&whole, n, path, 1 << 24, NULL), PF_OK);
    unsigned char *aligned = mem_alloc_aligned(*n, 1);
    assert_non_null(aligned);
    memcpy(aligned, whole, *n);
    mem_free(whole);
    return aligned;
}

/* Takes a model from bytes; one that is taken must also score without harm. */
static pf_status take(const small_data *d, const unsigned char *bytes, size_t n)
{
    safetensors *file = NULL;
    recommender *m = NULL;
    pf_error err = {0};
    pf_status s = safetensors_from_bytes(&file, bytes, n, "bytes", &err);
    if (s == PF_OK) {
        s = recommender_take(file, V, &m, &err);
        safetensors_close(file);
    }
    if (s == PF_OK) {
        recommend_query q = small_query(d, 5);
        float scores[V];
        score_with(m, &q, scores);
        recommender_free(m);
    } else {
        assert_true(err.message[0] != '\0');
    }
    return s;
}

static void every_truncated_file_is_refused(void **state)
{
    (void)state;
    small_data *d = small_data_new(23, 4);
    for (size_t k = 0; recommender_kind_at(k) != NULL; k++) {
        recommender *m = small_fit(d, recommender_kind_at(k)->name);
        size_t n = 0;
        unsigned char *bytes = bytes_of(m, &n);
        size_t step = n / 150 + 1;
        for (size_t cut = 0; cut < n; cut += step)
            assert_int_equal(take(d, bytes, cut), PF_DATA);
        assert_int_equal(take(d, bytes, n - 1), PF_DATA);
        mem_free(bytes);
        recommender_free(m);
    }
    small_data_free(d);
}

static size_t header_bytes(const unsigned char *bytes)
{
    size_t n = 0;
    for (int i = 0; i < 8; i++)
        n |= (size_t)bytes[i] << (8 * i);
    return 8 + n;
}

static void an_altered_header_is_refused_or_harmless(void **state)
{
    (void)state;
    static const char with[] = {'"', '0', '9', 'z', '\0'};
    small_data *d = small_data_new(24, 4);
    for (size_t k = 0; recommender_kind_at(k) != NULL; k++) {
        recommender *m = small_fit(d, recommender_kind_at(k)->name);
        size_t n = 0;
        unsigned char *bytes = bytes_of(m, &n);
        size_t end = header_bytes(bytes), step = end / 400 + 1;
        for (size_t at = 0; at < end; at += at < 8 ? 1 : step) {
            unsigned char was = bytes[at];
            bytes[at] = (unsigned char)with[at % sizeof with];
            pf_status s = take(d, bytes, n);
            assert_true(s == PF_OK || s == PF_DATA || s == PF_LIMIT);
            bytes[at] = was;
        }
        assert_int_equal(take(d, bytes, n), PF_OK);
        mem_free(bytes);
        recommender_free(m);
    }
    small_data_free(d);
}

/* Offsets and names of every tensor of a file. */
typedef struct place {
    size_t from, n;
    char name[SAFETENSORS_NAME_BYTES];
} place;

static size_t places_of(const unsigned char *bytes, size_t n, place *out)
{
    safetensors *f = NULL;
    assert_int_equal(safetensors_from_bytes(&f, bytes, n, "bytes", NULL), PF_OK);
    size_t count = safetensors_count(f);
    for (size_t i = 0; i < count; i++) {
        const tensor_view *t = safetensors_at(f, i);
        out[i].from = (size_t)((const unsigned char *)t->data - bytes);
        out[i].n = (size_t)t->count * tensor_type_size(t->type);
        (void)snprintf(out[i].name, sizeof out[i].name, "%s", t->name);
    }
    safetensors_close(f);
    return count;
}

/* All ones: not a number, or far out of every range. */
static void no_tensors_values_are_believed(void **state)
{
    (void)state;
    small_data *d = small_data_new(25, 6);
    for (size_t k = 0; recommender_kind_at(k) != NULL; k++) {
        static place places[SAFETENSORS_MAX_TENSORS];
        recommender *m = small_fit(d, recommender_kind_at(k)->name);
        size_t n = 0;
        unsigned char *bytes = bytes_of(m, &n);
        size_t count = places_of(bytes, n, places);
        for (size_t i = 0; i < count; i++) {
            unsigned char was[8];
            if (places[i].n == 0) continue;
            size_t width = places[i].n < 8 ? places[i].n : 8;
            unsigned char *last = bytes + places[i].from + places[i].n - width;
            memcpy(was, last, width);
            memset(last, 0xFF, width);
            if (take(d, bytes, n) != PF_DATA)
                fail_msg("%s: '%s' was believed", recommender_kind_at(k)->name,
                         places[i].name);
            memcpy(last, was, width);
        }
        mem_free(bytes);
        recommender_free(m);
    }
    small_data_free(d);
}

static void a_file_that_lacks_a_tensor_is_refused(void **state)
{
    (void)state;
    small_data *d = small_data_new(26, 6);
    for (size_t k = 0; recommender_kind_at(k) != NULL; k++) {
        static place places[SAFETENSORS_MAX_TENSORS];
        recommender *m = small_fit(d, recommender_kind_at(k)->name);
        size_t n = 0;
        unsigned char *bytes = bytes_of(m, &n);
        size_t count = places_of(bytes, n, places);
        for (size_t i = 0; i < count; i++) {
            char quoted[SAFETENSORS_NAME_BYTES + 4];
            (void)snprintf(quoted, sizeof quoted, "\"%s\":", places[i].name);
            unsigned char *at =
                memmem(bytes, header_bytes(bytes), quoted, strlen(quoted));
            assert_non_null(at);
            unsigned char *letter = at + strlen(quoted) - 3;
            unsigned char was = *letter;
            *letter = '~';
            if (take(d, bytes, n) != PF_DATA)
                fail_msg("%s does not miss '%s'", recommender_kind_at(k)->name,
                         places[i].name);
            *letter = was;
        }
        mem_free(bytes);
        recommender_free(m);
    }
    small_data_free(d);
}

static void an_unknown_kind_is_named(void **state)
{
    (void)state;
    small_data *d = small_data_new(27, 4);
    recommender *m = small_fit(d, "popularity");
    size_t n = 0;
    unsigned char *bytes = bytes_of(m, &n);
    unsigned char *at = memmem(bytes, n, "\"popularity\",", 13);
    assert_non_null(at);
    memcpy(at, "\"clairvoyan\",", 13);
    safetensors *file = NULL;
    pf_error err = {0};
    assert_int_equal(safetensors_from_bytes(&file, bytes, n, "bytes", NULL), PF_OK);
    assert_int_equal(recommender_take(file, V, &m, &err), PF_DATA);
    assert_non_null(strstr(err.message, "clairvoyan"));
    safetensors_close(file);
    mem_free(bytes);
    recommender_free(m);
    small_data_free(d);
}

static void failing_memory_and_disk_are_told_by_every_kind(void **state)
{
    (void)state;
    small_data *d = small_data_new(28, 4);
    for (size_t k = 0; recommender_kind_at(k) != NULL; k++) {
        recommender *m = small_fit(d, recommender_kind_at(k)->name);
        fault f = {0};
        while (fault_next(&f)) {
            recommender *again = NULL;
            pf_status s = recommender_save(m, path, "{}", NULL);
            if (s == PF_OK) s = recommender_load(path, V, &again, NULL);
            if (fault_reached(&f)) assert_true(s == PF_NO_MEMORY || s == PF_LIMIT);
            recommender_free(again);
        }
        assert_true(f.n > 8);
        file_fail_write_at(2);
        assert_int_equal(recommender_save(m, path, NULL, NULL), PF_IO);
        file_fail_write_at(0);
        recommender_free(m);
    }
    small_data_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_comes_back_with_the_same_scores),
        cmocka_unit_test(the_card_stands_beside_the_file),
        cmocka_unit_test(another_catalogues_model_is_refused),
        cmocka_unit_test(every_truncated_file_is_refused),
        cmocka_unit_test(an_altered_header_is_refused_or_harmless),
        cmocka_unit_test(no_tensors_values_are_believed),
        cmocka_unit_test(a_file_that_lacks_a_tensor_is_refused),
        cmocka_unit_test(an_unknown_kind_is_named),
        cmocka_unit_test(failing_memory_and_disk_are_told_by_every_kind),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
