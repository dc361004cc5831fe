/*
 * Models: the same states however events come in, the same bits from a file, and nothing in a
 * file believed.
 */
#include "small_world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "check.h"
#include "sequence/windows.h"

static char path[256];
static small_world w;

static int make_path(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "%s/sequence-model-%ld.safetensors", PROFFER_BINARY_DIR,
                   (long)getpid());
    small_world_make(&w, 31, true);
    return 0;
}

static int remove_path(void **state)
{
    (void)state;
    (void)remove(path);
    return 0;
}

static sequence_model *trained(const char *pairs)
{
    training_task task = small_world_task(&w);
    return small_world_train(&task, pairs);
}

static pf_status save(const sequence_model *m, pf_error *err)
{
    safetensors_writer *file = NULL;
    pf_status status = safetensors_begin(&file, path, err);
    if (status != PF_OK) return status;
    status = sequence_model_save(m, file, err);
    if (status != PF_OK) {
        safetensors_abandon(file);
        return status;
    }
    return safetensors_commit(file, err);
}

static pf_status load(sequence_model **out, pf_error *err)
{
    safetensors *file = NULL;
    *out = NULL;
    pf_status status = safetensors_open(&file, path, err);
    if (status == PF_OK) status = sequence_model_load(out, file, err);
    safetensors_close(file);
    return status;
}

/* ---- states ---- */

static sequence_window window_of(uint64_t begin, uint64_t end)
{
    return (sequence_window){.n = (size_t)(end - begin),
                             .thing = w.thing + begin,
                             .kind = w.kind + begin,
                             .band = w.band + begin,
                             .time_us = w.time_us + begin};
}

static void scores_of(const sequence_model *m, uint32_t u, float scores[WORLD_V])
{
    const sequence_window window = window_of(w.first[u], w.first[u + 1]);
    void *scratch = mem_alloc(1, sequence_model_scratch_bytes(m));
    assert_non_null(scratch);
    mem_guard_enter();
    sequence_model_score_window(m, &window, scores, scratch);
    mem_guard_leave();
    mem_free(scratch);
}

static const char *const kinds[] = {"epochs=2", "epochs=2,architecture=gru,positions=false",
                                    "epochs=2,architecture=bert",
                                    "epochs=2,block=gated,loss=sampled"};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void test_appended_events_give_the_state_of_the_window(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        sequence_model *m = trained(kinds[k]);
        sequence_shopper *s = NULL;
        float one[16], whole[16], scores[WORLD_V], again[WORLD_V];
        char *scratch = mem_alloc(1, sequence_model_scratch_bytes(m) + 3);
        void *products = mem_alloc_aligned(1, KERNEL_SCRATCH_BYTES);
        assert_int_equal(sequence_shopper_new(m, &s, NULL), PF_OK);
        for (uint32_t u = 0; u < 12; u++) {
            sequence_shopper_clear(s);
            for (uint64_t i = w.first[u]; i < w.first[u + 1]; i++) {
                const sequence_event e = {w.thing[i], w.kind[i], w.band[i], w.time_us[i]};
                const sequence_window window = window_of(w.first[u], i + 1);
                mem_guard_enter();
                sequence_shopper_append(s, &e);
                sequence_shopper_state(s, one);
                /* Scratch need not be aligned. */
                sequence_model_state(m, &window, scratch + 3, whole);
                mem_guard_leave();
                assert_memory_equal(one, whole, sizeof one);
            }
            sequence_model_scores(m, one, scores, products);
            scores_of(m, u, again);
            assert_memory_equal(scores, again, sizeof scores);
        }
        mem_free(scratch);
        mem_free(products);
        sequence_shopper_free(s);
        sequence_model_free(m);
    }
}

/* Only the last `length` events count, with the gap to the one before them. */
static void test_older_events_are_forgotten(void **state)
{
    (void)state;
    sequence_model *m = trained("epochs=1,length=4");
    void *scratch = mem_alloc(1, sequence_model_scratch_bytes(m));
    float a[16], b[16];
    uint32_t u = 0;
    while (w.first[u + 1] - w.first[u] < 9)
        u++;
    const sequence_window all = window_of(w.first[u], w.first[u] + 9);
    const sequence_window five = window_of(w.first[u] + 4, w.first[u] + 9);
    sequence_model_state(m, &all, scratch, a);
    sequence_model_state(m, &five, scratch, b);
    assert_memory_equal(a, b, sizeof a);
    uint32_t kept = w.thing[w.first[u] + 5];
    w.thing[w.first[u] + 5] = (kept + 1) % WORLD_V;
    sequence_model_state(m, &five, scratch, b);
    assert_memory_not_equal(a, b, sizeof a);
    w.thing[w.first[u] + 5] = kept;
    mem_free(scratch);
    sequence_model_free(m);
}

static void test_a_shopper_without_events_has_the_zero_state(void **state)
{
    (void)state;
    sequence_model *m = trained("epochs=1");
    void *scratch = mem_alloc(1, sequence_model_scratch_bytes(m));
    const sequence_window none = {0};
    float s[16], scores[WORLD_V];
    memset(s, 1, sizeof s);
    sequence_model_state(m, &none, scratch, s);
    for (int i = 0; i < 16; i++)
        assert_true(s[i] == 0);
    sequence_model_score_window(m, &none, scores, scratch);
    for (int v = 0; v < WORLD_V; v++)
        assert_true(isfinite(scores[v]));
    mem_free(scratch);
    sequence_model_free(m);
}

static void test_what_the_model_does_not_know_is_read_as_nothing(void **state)
{
    (void)state;
    sequence_model *m = trained("epochs=1");
    void *scratch = mem_alloc(1, sequence_model_scratch_bytes(m));
    const uint32_t unknown[][3] = {{0, SEQUENCE_NOTHING, 1},
                                   {0, WORLD_V + WORLD_P, 1},
                                   {0, SEQUENCE_MASK, 1},
                                   {0, 1000000, 1}};
    const uint8_t wild[] = {255, 16, 1}, tame[] = {0, 0, 1};
    float first[16], other[16];
    for (size_t i = 0; i < 4; i++) {
        const sequence_window window = {.n = 3, .thing = unknown[i], .kind = wild, .band = wild};
        const sequence_window same = {.n = 3, .thing = unknown[0], .kind = tame, .band = tame};
        sequence_model_state(m, &window, scratch, other);
        sequence_model_state(m, &same, scratch, first);
        assert_memory_equal(first, other, sizeof first);
    }
    mem_free(scratch);
    sequence_model_free(m);
}

/* ---- files ---- */

static void test_a_file_brings_back_the_same_bits(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        sequence_model *m = trained(kinds[k]), *back = NULL;
        pf_error err = {0};
        if (save(m, &err) != PF_OK || load(&back, &err) != PF_OK) fail_msg("%s", err.message);
        assert_same_model(m, back);
        assert_memory_equal(sequence_model_sizes(m), sequence_model_sizes(back), 4);
        assert_string_equal(sequence_model_training(m)->kernels,
                            sequence_model_training(back)->kernels);
        for (uint32_t u = 0; u < WORLD_U; u++) {
            float a[WORLD_V], b[WORLD_V];
            scores_of(m, u, a);
            scores_of(back, u, b);
            assert_memory_equal(a, b, sizeof a);
        }
        sequence_model_free(m);
        sequence_model_free(back);
    }
}

static void test_two_models_stand_in_one_file_under_their_scopes(void **state)
{
    (void)state;
    sequence_model *a = trained("epochs=1"), *b = trained("epochs=1,seed=2"), *back = NULL;
    safetensors_writer *writer = NULL;
    safetensors *file = NULL, *inside = NULL;
    assert_int_equal(safetensors_begin(&writer, path, NULL), PF_OK);
    assert_int_equal(safetensors_scope(writer, "a", NULL), PF_OK);
    assert_int_equal(sequence_model_save(a, writer, NULL), PF_OK);
    assert_int_equal(safetensors_scope(writer, "b", NULL), PF_OK);
    assert_int_equal(sequence_model_save(b, writer, NULL), PF_OK);
    assert_int_equal(safetensors_commit(writer, NULL), PF_OK);
    assert_int_equal(safetensors_open(&file, path, NULL), PF_OK);
    assert_int_equal(safetensors_within(file, "b", &inside, NULL), PF_OK);
    assert_int_equal(sequence_model_load(&back, inside, NULL), PF_OK);
    assert_same_model(b, back);
    assert_false(same_parameters(a, back));
    safetensors_close(inside);
    safetensors_close(file);
    sequence_model_free(a);
    sequence_model_free(b);
    sequence_model_free(back);
}

static void test_a_model_trained_in_bf16_serves_in_fp32_everywhere(void **state)
{
    (void)state;
    if (!kernels_choose(NULL)->bf16) skip();
    sequence_model *m = trained("epochs=2,precision=bf16"), *back = NULL;
    float a[WORLD_V], b[WORLD_V];
    assert_int_equal(save(m, NULL), PF_OK);
    /* As on a machine without. */
    assert_int_equal(setenv("PROFFER_KERNELS", "portable", 1), 0);
    assert_int_equal(load(&back, NULL), PF_OK);
    assert_int_equal(unsetenv("PROFFER_KERNELS"), 0);
    assert_int_equal(sequence_model_settings(back)->precision, TENSOR_BF16);
    for (uint32_t u = 0; u < WORLD_U; u++) {
        scores_of(m, u, a);
        scores_of(back, u, b);
        for (int v = 0; v < WORLD_V; v++)
            assert_true(fabsf(a[v] - b[v]) < 1e-4f);
    }
    sequence_model_free(m);
    sequence_model_free(back);
}

/* ---- broken files ---- */

typedef struct bytes {
    char *data;
    size_t n;
} bytes;

static bytes whole_file(void)
{
    bytes b = {0};
    assert_int_equal(file_read_whole(&b.data, &b.n, path, 16 << 20, NULL), PF_OK);
    return b;
}

static void test_a_truncated_file_is_refused(void **state)
{
    (void)state;
    sequence_model *m = trained("epochs=1"), *back = NULL;
    assert_int_equal(save(m, NULL), PF_OK);
    bytes b = whole_file();
    for (size_t keep = 0; keep < b.n; keep += 1 + b.n / 97) {
        assert_int_equal(file_write_atomic(path, b.data, keep, NULL), PF_OK);
        assert_int_equal(load(&back, NULL), PF_DATA);
        assert_null(back);
    }
    mem_free(b.data);
    sequence_model_free(m);
}

/* Writes the file with one text of its header replaced by another of the same length. */
static void alter(const bytes *b, const char *from, const char *to)
{
    size_t n = strlen(from);
    assert_int_equal(n, strlen(to));
    char *copy = mem_alloc(b->n, 1), *at = NULL;
    memcpy(copy, b->data, b->n);
    at = memmem(copy, b->n, from, n);
    if (at == NULL) fail_msg("the header lacks %s", from);
    memcpy(at, to, n);
    assert_int_equal(file_write_atomic(path, copy, b->n, NULL), PF_OK);
    mem_free(copy);
}

static void test_every_altered_field_of_the_header_is_refused(void **state)
{
    (void)state;
    /* Notes are JSON inside JSON: quotes carry a backslash. */
    static const char *const fields[][2] = {
        {"sequence.settings", "sequence_settings"},
        {"sequence.sizes", "sequence_sizes"},
        {"sequence.training", "sequence_training"},
        {"\\\"transformer\\\"", "\\\"transformed\\\""},
        {"\\\"plain\\\"", "\\\"plane\\\""},
        {"\\\"width\\\":16", "\\\"width\\\":32"},
        {"\\\"width\\\":16", "\\\"width\\\":15"},
        {"\\\"blocks\\\":1", "\\\"blocks\\\":2"},
        {"\\\"heads\\\":2", "\\\"heads\\\":3"},
        {"\\\"length\\\":8", "\\\"length\\\":9"},
        {"\\\"positions\\\":true", "\\\"positions\\\":null"},
        {"\\\"side\\\":true", "\\\"side\\\":3333"},
        {"\\\"products\\\":24", "\\\"products\\\":25"},
        {"\\\"products\\\":24", "\\\"products\\\":-4"},
        {"\\\"products\\\":24", "\\\"products\\\":00"},
        {"\\\"promotions\\\":3", "\\\"promotions\\\":2"},
        {"\\\"kinds\\\":true", "\\\"kinds\\\":0000"},
        {"\\\"side\\\":6", "\\\"side\\\":5"},
        {"\\\"side\\\":6", "\\\"side\\\":0"},
        {"\\\"best_epoch\\\"", "\\\"best_epoxy\\\""},
        {"\\\"steps\\\":", "\\\"stops\\\":"},
        {"\\\"interrupted\\\":false", "\\\"interrupted\\\":\\\"no\\\""},
        {"\\\"data_hash\\\"", "\\\"data_hush\\\""},
        {"\\\"kernels\\\"", "\\\"kennels\\\""},
        {"\"side.vectors\"", "\"side.victors\""},
        {"\"id\"", "\"if\""},
        {"\"position\"", "\"positron\""},
        {"\"shape\":[27,16]", "\"shape\":[16,27]"},
        {"\"F32\"", "\"I32\""},
    };
    sequence_model *m = trained("epochs=1"), *back = NULL;
    pf_error err = {0};
    assert_int_equal(save(m, NULL), PF_OK);
    bytes b = whole_file();
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strlen(fields[i][0]) != strlen(fields[i][1])) continue;
        alter(&b, fields[i][0], fields[i][1]);
        if (load(&back, &err) != PF_DATA)
            fail_msg("%s for %s was taken", fields[i][1], fields[i][0]);
        assert_null(back);
        assert_true(err.message[0] != '\0');
    }
    mem_free(b.data);
    sequence_model_free(m);
}

static void test_numbers_that_are_not_finite_are_refused(void **state)
{
    (void)state;
    sequence_model *m = trained("epochs=1"), *back = NULL;
    const float nan = NAN;
    assert_int_equal(save(m, NULL), PF_OK);
    bytes b = whole_file();
    uint64_t header = 0;
    memcpy(&header, b.data, sizeof header);
    for (size_t at = 8 + (size_t)header; at + 4 <= b.n; at += 4 * 131) {
        float kept;
        memcpy(&kept, b.data + at, sizeof kept);
        memcpy(b.data + at, &nan, sizeof nan);
        assert_int_equal(file_write_atomic(path, b.data, b.n, NULL), PF_OK);
        assert_int_equal(load(&back, NULL), PF_DATA);
        memcpy(b.data + at, &kept, sizeof kept);
    }
    mem_free(b.data);
    sequence_model_free(m);
}

static void test_a_full_disk_leaves_the_old_model(void **state)
{
    (void)state;
    sequence_model *old = trained("epochs=1"), *new = trained("epochs=1,seed=2"), *back = NULL;
    uint64_t n = 1;
    assert_int_equal(save(old, NULL), PF_OK);
    for (;; n++) {
        file_fail_write_at(n);
        pf_status status = save(new, NULL);
        file_fail_write_at(0);
        assert_int_equal(load(&back, NULL), PF_OK);
        bool is_new = same_parameters(back, new);
        /* Behind the rename only the folder's fsync is left to fail. */
        if (status != PF_OK && !is_new) assert_same_model(back, old);
        sequence_model_free(back);
        if (status == PF_OK) {
            assert_true(is_new);
            break;
        }
        assert_int_equal(status, PF_IO);
        assert_int_equal(save(old, NULL), PF_OK);
    }
    assert_true(n > 4);
    sequence_model_free(old);
    sequence_model_free(new);
}

static void test_each_failed_allocation_is_survived(void **state)
{
    (void)state;
    sequence_model *m = trained("epochs=1");
    fault f = {0};
    assert_int_equal(save(m, NULL), PF_OK);
    while (fault_next(&f)) {
        sequence_model *back = NULL;
        pf_status status = load(&back, NULL);
        sequence_shopper *s = NULL;
        if (status == PF_OK) status = sequence_shopper_new(back, &s, NULL);
        if (fault_reached(&f)) {
            assert_int_equal(status, PF_NO_MEMORY);
            assert_null(s);
        }
        sequence_shopper_free(s);
        sequence_model_free(back);
    }
    assert_true(f.n > 15);
    f = (fault){0};
    while (fault_next(&f)) {
        pf_status status = save(m, NULL);
        if (fault_reached(&f)) assert_int_equal(status, PF_NO_MEMORY);
    }
    assert_true(f.n > 3);
    sequence_model_free(m);
}

static void test_the_card_tells_settings_sizes_and_training(void **state)
{
    (void)state;
    sequence_model *m = trained("epochs=2");
    buffer json;
    json_writer writer;
    buffer_init(&json, 1 << 16);
    json_begin(&writer, &json);
    sequence_model_describe(m, &writer);
    assert_true(json_finish(&writer));
    assert_non_null(strstr(json.data, "\"settings\":{\"architecture\":\"transformer\""));
    assert_non_null(strstr(json.data, "\"sizes\":{\"products\":24,\"promotions\":3"));
    assert_non_null(strstr(json.data, "\"training\":{\"epochs\":2,"));
    buffer_free(&json);
    sequence_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appended_events_give_the_state_of_the_window),
        cmocka_unit_test(test_older_events_are_forgotten),
        cmocka_unit_test(test_a_shopper_without_events_has_the_zero_state),
        cmocka_unit_test(test_what_the_model_does_not_know_is_read_as_nothing),
        cmocka_unit_test(test_a_file_brings_back_the_same_bits),
        cmocka_unit_test(test_two_models_stand_in_one_file_under_their_scopes),
        cmocka_unit_test(test_a_model_trained_in_bf16_serves_in_fp32_everywhere),
        cmocka_unit_test(test_a_truncated_file_is_refused),
        cmocka_unit_test(test_every_altered_field_of_the_header_is_refused),
        cmocka_unit_test(test_numbers_that_are_not_finite_are_refused),
        cmocka_unit_test(test_a_full_disk_leaves_the_old_model),
        cmocka_unit_test(test_each_failed_allocation_is_survived),
        cmocka_unit_test(test_the_card_tells_settings_sizes_and_training),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
