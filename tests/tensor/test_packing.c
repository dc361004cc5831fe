/* tensor/packing.h: slices leave the bytes that packing the whole leaves, for every set. */
#include "check.h"

#include <string.h>

#include "tensor/packing.h"

enum { DIMENSION_MOST = 200, THINGS_MOST = 1000, BYTES = 4 << 20 };

static float matrix[THINGS_MOST * DIMENSION_MOST];

/* m [V x D] both ways, in slices that begin at multiples of `step`. */
static void check(const tensor_kernels *k, tensor_precision p, size_t V, size_t D, size_t step)
{
    unsigned char *whole = mem_alloc_aligned(BYTES, 1), *slices = mem_alloc_aligned(BYTES, 1);
    assert_true(k->packed_bytes(p, D, V) <= BYTES && k->packed_bytes(p, V, D) <= BYTES);
    memset(whole, 0xAA, BYTES);
    memset(slices, 0xAA, BYTES);
    k->pack(p, D, V, matrix, 1, D, whole);
    for (size_t from = 0; from < V; from += step)
        packing_columns(k, p, D, matrix, 1, D, from, from + step < V ? from + step : V, slices);
    assert_memory_equal(whole, slices, BYTES);
    k->pack(p, V, D, matrix, D, 1, whole);
    for (size_t from = 0; from < V; from += step)
        packing_rows(k, p, V, D, matrix, D, 1, from, from + step < V ? from + step : V, slices);
    assert_memory_equal(whole, slices, BYTES);
    mem_free(whole);
    mem_free(slices);
}

static void slices_are_the_whole(void **state)
{
    (void)state;
    static const size_t things[] = {1, 2, 191, 192, 193, 385, 1000};
    static const size_t widths[] = {1, 7, 8, 48, 50, 64, 65, 128, 200};
    for (size_t i = 0; i < THINGS_MOST * DIMENSION_MOST; i++)
        matrix[i] = (float)golden_unit(i, 1) - 0.5f;
    for (size_t i = 0; kernels_at(i); i++)
        for (int bf16 = 0; bf16 <= (int)kernels_at(i)->bf16; bf16++)
            for (size_t v = 0; v < sizeof things / sizeof *things; v++)
                for (size_t d = 0; d < sizeof widths / sizeof *widths; d++) {
                    tensor_precision p = bf16 ? TENSOR_BF16 : TENSOR_FP32;
                    check(kernels_at(i), p, things[v], widths[d], PACKING_COLUMNS);
                    check(kernels_at(i), p, things[v], widths[d], 3 * PACKING_COLUMNS);
                }
}

static void an_empty_slice_touches_nothing(void **state)
{
    (void)state;
    const tensor_kernels *k = kernels_choose(NULL);
    packing_columns(k, TENSOR_FP32, 8, matrix, 1, 8, 192, 192, NULL);
    packing_rows(k, TENSOR_FP32, 192, 8, matrix, 8, 1, 192, 192, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_are_the_whole),
        cmocka_unit_test(an_empty_slice_touches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
