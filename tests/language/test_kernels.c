/* Every tuned kernel against its naive twin, over odd shapes, and its promise that a
 * row's result does not depend on the rows beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "language/kernels.h"

static const size_t lengths[] = {1,  2,  3,  7,  8,  15, 16,  17,
                                 31, 32, 33, 63, 64, 65, 200, 768};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static float *random_floats(random_stream *r, size_t n)
{
    float *values = malloc((n ? n : 1) * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < n; i++)
        values[i] = (float)(random_unit(r) * 2 - 1);
    return values;
}

static float *copy_of(const float *values, size_t n)
{
    float *copy = malloc(n * sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, values, n * sizeof *copy);
    return copy;
}

static void assert_close(const float *a, const float *b, size_t n, double tolerance)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)a[i] - (double)b[i]) <= tolerance))
            fail_msg("value %zu: %.9g against %.9g", i, (double)a[i], (double)b[i]);
}

/* ---- the product ---- */

typedef struct product {
    size_t M, K, N;
    float *in, *packed, *out;
} product;

static product product_make(random_stream *r, size_t M, size_t K, size_t N)
{
    product p = {.M = M, .K = K, .N = N};
    float *matrix = random_floats(r, K * N);
    p.in = random_floats(r, M * K);
    p.packed = malloc(kernel_packed_floats(K, N) * sizeof *p.packed);
    assert_non_null(p.packed);
    kernel_pack(K, N, matrix, p.packed);
    p.out = random_floats(r, M * kernel_padded(N));
    free(matrix);
    return p;
}

static void product_free(product *p)
{
    free(p->in);
    free(p->packed);
    free(p->out);
}

/* Rows first .. first + M of the product into out. */
static void run(const kernel_table *k, const product *p, size_t first, size_t M,
                float *out)
{
    const float *inputs[64];
    float *outputs[64];
    const packed_matrix w = {p->packed, p->K, p->N};
    for (size_t m = 0; m < M; m++) {
        inputs[m] = p->in + (first + m) * p->K;
        outputs[m] = out + (first + m) * kernel_padded(p->N);
    }
    k->multiply_add(M, inputs, &w, outputs);
}

static void check_product(const kernel_table *k, product *p)
{
    const size_t n = p->M * kernel_padded(p->N);
    float *expected = copy_of(p->out, n), *got = copy_of(p->out, n),
          *alone = copy_of(p->out, n);
    run(kernels_naive(), p, 0, p->M, expected);
    run(k, p, 0, p->M, got);
    for (size_t m = 0; m < p->M; m++)
        run(k, p, m, 1, alone);
    for (size_t m = 0; m < p->M; m++)
        assert_close(got + m * kernel_padded(p->N), expected + m * kernel_padded(p->N),
                     p->N, 1e-6 * (double)(p->K + 8));
    assert_memory_equal(got, alone, n * sizeof *got);
    free(expected);
    free(got);
    free(alone);
}

static void product_agrees_with_naive_and_ignores_neighbouring_rows(void **state)
{
    (void)state;
    static const size_t rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 17};
    static const size_t Ks[] = {1, 5, 20, 67}, Ns[] = {1, 15, 32, 33, 90};
    random_stream r = random_begin(1, 1);
    for (size_t t = 0; kernel_table_at(t); t++)
        for (size_t m = 0; m < sizeof rows / sizeof *rows; m++)
            for (size_t k = 0; k < 4; k++)
                for (size_t n = 0; n < 5; n++) {
                    product p = product_make(&r, rows[m], Ks[k], Ns[n]);
                    check_product(kernel_table_at(t), &p);
                    product_free(&p);
                }
}

static void product_leaves_padding_of_an_output_row_alone(void **state)
{
    (void)state;
    random_stream r = random_begin(2, 1);
    product p = product_make(&r, 3, 9, 40);
    float *got = copy_of(p.out, 3 * 64);
    for (size_t t = 0; kernel_table_at(t); t++) {
        run(kernel_table_at(t), &p, 0, 3, got);
        for (size_t m = 0; m < 3; m++)
            assert_memory_equal(got + m * 64 + 40, p.out + m * 64 + 40, 24 * sizeof *got);
    }
    free(got);
    product_free(&p);
}

static void packing_puts_each_weight_in_its_panel(void **state)
{
    (void)state;
    float matrix[2 * 35], packed[2 * 64];
    for (size_t i = 0; i < 70; i++)
        matrix[i] = (float)i + 1;
    kernel_pack(2, 35, matrix, packed);
    assert_true(packed[0] == 1 && packed[31] == 32 && packed[32] == 36);
    assert_true(packed[64] == 33 && packed[66] == 35 && packed[67] == 0 &&
                packed[96] == 68);
}

/* ---- rows ---- */

static void row_kernels_agree_with_naive(void **state)
{
    (void)state;
    random_stream r = random_begin(3, 1);
    const kernel_table *naive = kernels_naive();
    for (size_t t = 0; kernel_table_at(t); t++)
        for (size_t i = 0; i < LENGTHS; i++) {
            const kernel_table *k = kernel_table_at(t);
            const size_t n = lengths[i];
            float *a = random_floats(&r, n), *b = random_floats(&r, n),
                  *c = random_floats(&r, n);
            float *x = copy_of(a, n), *y = copy_of(a, n);
            k->layer_norm(n, x, b, c, 1e-5F);
            naive->layer_norm(n, y, b, c, 1e-5F);
            assert_close(x, y, n, 1e-4);
            k->relu_add(n, a, b, x);
            naive->relu_add(n, a, b, y);
            assert_close(x, y, n, 0);
            k->add(n, c, x);
            naive->add(n, c, y);
            assert_close(x, y, n, 0);
            *x = k->dot(n, a, b);
            *y = naive->dot(n, a, b);
            assert_close(x, y, 1, 1e-6 * (double)n);
            float *const blocks[] = {a, b, c, x, y};
            for (size_t j = 0; j < 5; j++)
                free(blocks[j]);
        }
}

static void dequantising_agrees_with_naive_for_every_code(void **state)
{
    (void)state;
    uint8_t codes[256];
    float got[256], expected[256];
    for (size_t i = 0; i < 256; i++)
        codes[i] = (uint8_t)i;
    for (size_t t = 0; kernel_table_at(t); t++)
        for (size_t n = 0; n <= 256; n += 51) {
            kernel_table_at(t)->dequantise(n, codes, 0.37F, -9.1F, got);
            kernels_naive()->dequantise(n, codes, 0.37F, -9.1F, expected);
            assert_close(got, expected, n, 1e-5);
        }
}

static void layer_norm_of_a_constant_row_is_its_shift(void **state)
{
    (void)state;
    for (size_t t = 0; kernel_table_at(t); t++) {
        float row[40], gain[40], shift[40];
        for (size_t i = 0; i < 40; i++)
            row[i] = 3, gain[i] = 2, shift[i] = (float)i;
        kernel_table_at(t)->layer_norm(40, row, gain, shift, 1e-12F);
        assert_close(row, shift, 40, 1e-5);
    }
}

static void nothing_that_is_not_a_number_gets_lost(void **state)
{
    (void)state;
    for (size_t t = 0; kernel_table_at(t); t++) {
        float a[40] = {0}, b[40] = {0};
        a[33] = NAN;
        b[33] = 1;
        assert_true(isnan(kernel_table_at(t)->dot(40, a, b)));
    }
}

static void the_best_table_is_the_last_that_runs(void **state)
{
    (void)state;
    size_t n = 0;
    while (kernel_table_at(n))
        n++;
    assert_true(n >= 1);
    assert_ptr_equal(kernels_best(), kernel_table_at(n - 1));
    assert_string_equal(kernel_table_at(0)->name, "portable");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(product_agrees_with_naive_and_ignores_neighbouring_rows),
        cmocka_unit_test(product_leaves_padding_of_an_output_row_alone),
        cmocka_unit_test(packing_puts_each_weight_in_its_panel),
        cmocka_unit_test(row_kernels_agree_with_naive),
        cmocka_unit_test(dequantising_agrees_with_naive_for_every_code),
        cmocka_unit_test(layer_norm_of_a_constant_row_is_its_shift),
        cmocka_unit_test(nothing_that_is_not_a_number_gets_lost),
        cmocka_unit_test(the_best_table_is_the_last_that_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
