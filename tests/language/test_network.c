/* The forward pass against plain loops in double precision, on a tiny model of the same
 * architecture; independence of a text's vector from batches, stretches and kernels. */
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
#include "language/network.h"
#include "language/tiny_model.h"

typedef struct fixture {
    tiny_model model;
    weights w;
    char folder[128], path[512];
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    pf_error err = {0};
    char archive[512];
    tiny_model_make(&f->model, 7);
    tiny_folder_make(f->folder);
    tiny_bytes zip = tiny_model_archive(&f->model, NULL);
    tiny_write(f->folder, "weights.npz", zip.data, zip.n);
    free(zip.data);
    snprintf(archive, sizeof archive, "%s/weights.npz", f->folder);
    snprintf(f->path, sizeof f->path, "%s/encoder.weights", f->folder);
    if (weights_convert(archive, f->path, &err) != PF_OK ||
        weights_open(&f->w, f->path, &err) != PF_OK)
        fail_msg("%s", err.message);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    weights_close(&f->w);
    tiny_model_free(&f->model);
    tiny_folder_remove(f->folder);
    free(f);
    return 0;
}

enum { TEXTS = 75, LONGEST = 700, OUTPUT = 13 };

/* Texts of lengths around every boundary: one token, a window, a stretch, several. */
typedef struct corpus {
    uint32_t *tokens;
    size_t begins[TEXTS + 1];
} corpus;

static corpus corpus_make(void)
{
    static const size_t special[] = {1,
                                     2,
                                     3,
                                     4,
                                     5,
                                     6,
                                     NETWORK_STRETCH - 1,
                                     NETWORK_STRETCH,
                                     NETWORK_STRETCH + 1,
                                     NETWORK_STRETCH + 4,
                                     NETWORK_STRETCH + 5,
                                     2 * NETWORK_STRETCH,
                                     2 * NETWORK_STRETCH + 3,
                                     LONGEST};
    const size_t n_special = sizeof special / sizeof *special;
    random_stream r = random_begin(5, 1);
    corpus c = {.tokens = malloc(TEXTS * LONGEST * sizeof *c.tokens)};
    assert_non_null(c.tokens);
    for (size_t i = 0; i < TEXTS; i++) {
        const size_t length = i < n_special ? special[i] : 1 + random_below(&r, 30);
        c.begins[i + 1] = c.begins[i] + length;
        for (size_t t = c.begins[i]; t < c.begins[i + 1]; t++)
            c.tokens[t] = random_below(&r, TINY_PIECES);
    }
    return c;
}

static void vectors_equal_the_formulas_for_texts_of_every_length(void **state)
{
    fixture *f = *state;
    corpus c = corpus_make();
    float got[TEXTS * OUTPUT];
    for (size_t k = 0; kernel_table_at(k); k++) {
        assert_int_equal(
            network_encode(&f->w, kernel_table_at(k), TEXTS, c.tokens, c.begins, got, NULL),
            PF_OK);
        for (size_t i = 0; i < TEXTS; i++) {
            double expected[OUTPUT];
            tiny_model_encode(&f->model, c.tokens + c.begins[i],
                              c.begins[i + 1] - c.begins[i], expected);
            for (size_t j = 0; j < OUTPUT; j++)
                if (!(fabs((double)got[i * OUTPUT + j] - expected[j]) < 2e-5))
                    fail_msg("%s, text %zu value %zu: %.9g, expected %.9g",
                             kernel_table_at(k)->name, i, j, (double)got[i * OUTPUT + j],
                             expected[j]);
        }
    }
    free(c.tokens);
}

static void a_vector_has_the_same_bits_alone_and_among_others(void **state)
{
    fixture *f = *state;
    corpus c = corpus_make();
    float together[TEXTS * OUTPUT], alone[OUTPUT];
    for (size_t k = 0; kernel_table_at(k); k++) {
        network_encode(&f->w, kernel_table_at(k), TEXTS, c.tokens, c.begins, together, NULL);
        for (size_t i = 0; i < TEXTS; i++) {
            network_encode(&f->w, kernel_table_at(k), 1, c.tokens, c.begins + i, alone, NULL);
            assert_memory_equal(alone, together + i * OUTPUT, sizeof alone);
        }
    }
    free(c.tokens);
}

static void vectors_have_length_one(void **state)
{
    fixture *f = *state;
    corpus c = corpus_make();
    float got[TEXTS * OUTPUT];
    network_encode(&f->w, kernels_best(), TEXTS, c.tokens, c.begins, got, NULL);
    for (size_t i = 0; i < TEXTS; i++) {
        double square = 0;
        for (size_t j = 0; j < OUTPUT; j++)
            square += (double)got[i * OUTPUT + j] * (double)got[i * OUTPUT + j];
        assert_true(fabs(square - 1) < 1e-5);
    }
    free(c.tokens);
}

static void weights_in_memory_give_the_same_bits_as_in_a_file(void **state)
{
    fixture *f = *state;
    const uint32_t tokens[] = {1, 5, 9, 4, 2};
    const size_t begins[] = {0, 5};
    float from_file[OUTPUT], from_memory[OUTPUT];
    void *bytes = mem_alloc_aligned(f->w.map.size, 1);
    weights w;
    assert_non_null(bytes);
    memcpy(bytes, f->w.map.data, f->w.map.size);
    assert_int_equal(weights_open_bytes(&w, bytes, f->w.map.size, "memory", true, NULL),
                     PF_OK);
    network_encode(&f->w, kernels_best(), 1, tokens, begins, from_file, NULL);
    network_encode(&w, kernels_best(), 1, tokens, begins, from_memory, NULL);
    assert_memory_equal(from_file, from_memory, sizeof from_file);
    mem_free(bytes);
}

static void lack_of_memory_is_reported(void **state)
{
    fixture *f = *state;
    const uint32_t tokens[] = {1, 5, 2};
    const size_t begins[] = {0, 3};
    float out[OUTPUT];
    pf_error err = {0};
    mem_fail_at(1);
    assert_int_equal(network_encode(&f->w, kernels_best(), 1, tokens, begins, out, &err),
                     PF_NO_MEMORY);
    mem_fail_at(0);
    assert_int_equal(err.code, PF_NO_MEMORY);
}

static void a_file_that_can_no_longer_be_read_is_reported(void **state)
{
    fixture *f = *state;
    const uint32_t tokens[] = {1, 5, 2};
    const size_t begins[] = {0, 3};
    float out[OUTPUT];
    pf_error err = {0};
    weights broken = f->w;
    broken.fd = 1 << 20; /* no such descriptor */
    assert_int_equal(
        network_encode(&broken, kernels_best(), 1, tokens, begins, out, &err), PF_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_equal_the_formulas_for_texts_of_every_length),
        cmocka_unit_test(a_vector_has_the_same_bits_alone_and_among_others),
        cmocka_unit_test(vectors_have_length_one),
        cmocka_unit_test(weights_in_memory_give_the_same_bits_as_in_a_file),
        cmocka_unit_test(lack_of_memory_is_reported),
        cmocka_unit_test(a_file_that_can_no_longer_be_read_is_reported),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
