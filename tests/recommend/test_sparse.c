/* Sparse matrices and nearest neighbours against dense twins. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "recommend/neighbours.h"
#include "recommend/sparse.h"

enum { ROWS = 17, COLUMNS = 23, ENTRIES = 300 };

static sparse build(double dense[ROWS][COLUMNS], uint64_t seed)
{
    random_stream r = random_begin(seed, 9);
    uint32_t row[ENTRIES], column[ENTRIES];
    sparse_counter k;
    sparse m = {0};
    memset(dense, 0, sizeof(double) * ROWS * COLUMNS);
    sparse_count_begin(&k, ROWS, COLUMNS);
    for (int i = 0; i < ENTRIES; i++) {
        row[i] = random_below(&r, ROWS - 1); /* the last row stays empty */
        column[i] = random_below(&r, COLUMNS);
        sparse_count(&k, row[i]);
    }
    sparse_fill_begin(&k);
    for (int i = 0; i < ENTRIES; i++) {
        sparse_add(&k, row[i], column[i], (float)(i + 1));
        dense[row[i]][column[i]] += i + 1;
    }
    assert_int_equal(sparse_finish(&k, &m, NULL), PF_OK);
    return m;
}

static void assert_dense(const sparse *m, double dense[ROWS][COLUMNS], bool transposed)
{
    uint64_t filled = 0;
    for (uint32_t r = 0; r < m->rows; r++)
        for (uint64_t i = m->start[r]; i < m->start[r + 1]; i++) {
            uint32_t c = m->column[i];
            assert_true(i == m->start[r] || m->column[i - 1] < c);
            assert_true((double)m->value[i] == (transposed ? dense[c][r] : dense[r][c]));
            filled++;
        }
    for (uint32_t r = 0; r < ROWS; r++)
        for (uint32_t c = 0; c < COLUMNS; c++)
            filled -= dense[r][c] > 0;
    assert_int_equal(filled, 0);
}

static void entries_are_sorted_and_equal_places_summed(void **state)
{
    (void)state;
    double dense[ROWS][COLUMNS];
    sparse m = build(dense, 1), t = {0};
    assert_dense(&m, dense, false);
    assert_int_equal(sparse_transpose(&m, &t, NULL), PF_OK);
    assert_int_equal(t.rows, COLUMNS);
    assert_dense(&t, dense, true);
    sparse_free(&m);
    sparse_free(&t);
}

static void a_matrix_without_entries_or_columns_is_fine(void **state)
{
    (void)state;
    sparse_counter k;
    sparse m = {0}, t = {0};
    sparse_count_begin(&k, 3, 0);
    sparse_fill_begin(&k);
    assert_int_equal(sparse_finish(&k, &m, NULL), PF_OK);
    assert_int_equal(sparse_transpose(&m, &t, NULL), PF_OK);
    assert_int_equal(t.rows, 0);
    assert_int_equal(t.n, 0);
    sparse_free(&m);
    sparse_free(&t);
}

/* ---- neighbours ---- */

static void some_values(const void *context, uint32_t row, float *values)
{
    const uint32_t n = *(const uint32_t *)context;
    for (uint32_t v = 0; v < n; v++) /* ties, zeros and negative ones among them */
        values[v] = (float)((row * 7 + v * 13) % 11) - 3;
}

static void the_nearest_are_kept_ties_by_number_never_itself(void **state)
{
    (void)state;
    enum { N = 31, MOST = 6 };
    const uint32_t n = N;
    sparse near = {0};
    pf_error err = {.code = PF_OK};
    assert_int_equal(neighbours_find(N, MOST, some_values, &n, NULL, &near, &err), PF_OK);
    assert_string_equal(err.message, "");
    for (uint32_t r = 0; r < N; r++) {
        float values[N];
        uint64_t at = near.start[r];
        some_values(&n, r, values);
        for (uint32_t v = 0; v < N; v++) {
            uint32_t rank = 0;
            for (uint32_t o = 0; o < N; o++)
                rank += o != r &&
                        (values[o] > values[v] || (o < v && values[o] >= values[v]));
            if (v == r || !(values[v] > 0) || rank >= MOST) continue;
            assert_int_equal(near.column[at], v);
            assert_true(near.value[at++] == values[v]);
        }
        assert_int_equal(at, near.start[r + 1]);
    }
    sparse_free(&near);
}

static void sets_hold_the_latest_different_products(void **state)
{
    (void)state;
    static const uint64_t first[] = {0, 6, 6, 8};
    static const uint32_t product[] = {4, 1, 2, 1, 3, 3, 0, 0};
    const interactions x = {
        .n_users = 3, .n_products = 5, .n = 8, .first = first, .product = product};
    sparse all = {0}, two = {0};
    assert_int_equal(sets_of_shoppers(&x, 0, &all, NULL), PF_OK);
    assert_int_equal(sets_of_shoppers(&x, 2, &two, NULL), PF_OK);
    assert_int_equal(all.n, 5);
    assert_memory_equal(all.column, ((const uint32_t[]){1, 2, 3, 4, 0}), 5 * 4);
    assert_int_equal(two.n, 3);
    assert_memory_equal(two.column, ((const uint32_t[]){1, 3, 0}), 3 * 4);
    for (uint64_t i = 0; i < all.n; i++)
        assert_true(all.value[i] == 1);
    sparse_free(&all);
    sparse_free(&two);
}

static void failing_memory_is_told(void **state)
{
    (void)state;
    fault f = {0};
    const uint32_t n = 9;
    static const uint64_t first[] = {0, 2};
    static const uint32_t product[] = {4, 1};
    const interactions x = {
        .n_users = 1, .n_products = 5, .n = 2, .first = first, .product = product};
    while (fault_next(&f)) {
        sparse near = {0}, sets = {0}, t = {0};
        pf_status s = neighbours_find(n, 3, some_values, &n, NULL, &near, NULL);
        if (s == PF_OK) s = sets_of_shoppers(&x, 0, &sets, NULL);
        if (s == PF_OK) s = sparse_transpose(&sets, &t, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
        sparse_free(&near);
        sparse_free(&sets);
        sparse_free(&t);
    }
    assert_true(f.n > 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_sorted_and_equal_places_summed),
        cmocka_unit_test(a_matrix_without_entries_or_columns_is_fine),
        cmocka_unit_test(the_nearest_are_kept_ties_by_number_never_itself),
        cmocka_unit_test(sets_hold_the_latest_different_products),
        cmocka_unit_test(failing_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
