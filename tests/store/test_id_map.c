/*
 * store/id_map.h and store/standing.h: ids to numbers, provisional and final.
 */
#include "store/fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "store/id_map.h"

static uint32_t find(fixture *f, id_map *m, const char *id)
{
    uint32_t number;
    text key = text_of(id);
    must(id_map_find(m, f->s, key, id_map_hash(m, key), &number, &f->err));
    return number;
}

static uint32_t settle(fixture *f, id_map *m, uint32_t number)
{
    uint32_t final_number;
    must(id_map_settle(m, f->s, number, &final_number, &f->err));
    return final_number;
}

static void put_products(fixture *f, int n)
{
    char id[16];
    store_outcome outcome;
    for (int i = 1; i <= n; i++) {
        snprintf(id, sizeof id, "p%d", i);
        const product_record r = {.id = text_of(id), .price_minor = MONEY_ABSENT};
        must(store_put_product(f->s, &r, &outcome, &f->err));
    }
}

static void known_ids_have_their_numbers(void **state)
{
    fixture *f = *state;
    id_map m;
    must(store_begin(f->s, &f->err));
    put_products(f, 5);
    must(id_map_init(&m, f->s, STANDING_PRODUCT, STORE_UNKNOWN_REJECT, &f->err));
    for (int round = 0; round < 2; round++) { /* from the store, then remembered */
        assert_int_equal(find(f, &m, "p3"), 3);
        assert_int_equal(find(f, &m, "p1"), 1);
        assert_int_equal(find(f, &m, "p6"), 0);
    }
    assert_false(id_map_is_fresh(&m, 3));
    assert_int_equal(settle(f, &m, 3), 3);
    id_map_free(&m);
    must(store_commit(f->s, &f->err));
}

static void unknown_ids_get_provisional_numbers_once(void **state)
{
    fixture *f = *state;
    id_map m;
    must(store_begin(f->s, &f->err));
    put_products(f, 5);
    must(id_map_init(&m, f->s, STANDING_PRODUCT, STORE_UNKNOWN_CREATE, &f->err));
    assert_int_equal(find(f, &m, "x"), 6);
    assert_int_equal(find(f, &m, "y"), 7);
    assert_int_equal(find(f, &m, "x"), 6);
    assert_true(id_map_is_fresh(&m, 6));
    store_counts counts;
    must(store_count(f->s, &counts, &f->err));
    assert_int_equal(counts.products, 5); /* nobody is in the store yet */
    id_map_free(&m);
    must(store_commit(f->s, &f->err));
}

/* Final numbers count up in the order of settling, whatever the provisional ones. */
static void settling_gives_numbers_without_gaps(void **state)
{
    fixture *f = *state;
    id_map m;
    char id[LIMIT_ID_BYTES + 1];
    uint32_t number;
    must(store_begin(f->s, &f->err));
    put_products(f, 2);
    must(id_map_init(&m, f->s, STANDING_PRODUCT, STORE_UNKNOWN_CREATE, &f->err));
    uint32_t a = find(f, &m, "a"), b = find(f, &m, "b"), c = find(f, &m, "c");
    assert_int_equal(settle(f, &m, c), 3);
    assert_int_equal(settle(f, &m, a), 4);
    assert_int_equal(settle(f, &m, c), 3);
    assert_int_equal(b, 4); /* provisional, of one that is never written */
    id_map_free(&m);
    must(store_commit(f->s, &f->err));
    must(standing_id(f->s, STANDING_PRODUCT, 3, id, &f->err));
    assert_string_equal(id, "c");
    must(standing_id(f->s, STANDING_PRODUCT, 4, id, &f->err));
    assert_string_equal(id, "a");
    must(standing_id(f->s, STANDING_PRODUCT, 5, id, &f->err));
    assert_string_equal(id, "");
    must(standing_find(f->s, STANDING_PRODUCT, t("b"), &number, &f->err));
    assert_int_equal(number, 0);
    must(standing_last(f->s, STANDING_PRODUCT, &number, &f->err));
    assert_int_equal(number, 4);
}

static void each_table_has_its_own_numbers(void **state)
{
    fixture *f = *state;
    uint32_t number;
    must(store_begin(f->s, &f->err));
    for (int table = 0; table < STANDING_TABLES; table++) {
        must(standing_last(f->s, (standing_table)table, &number, &f->err));
        assert_int_equal(number, 0);
        must(standing_create(f->s, (standing_table)table, 1, t("same"), &f->err));
        must(standing_find(f->s, (standing_table)table, t("same"), &number, &f->err));
        assert_int_equal(number, 1);
    }
    assert_string_equal(standing_name(STANDING_SHOPPER), "shopper");
    must(store_commit(f->s, &f->err));
}

/* As if as many products as there may be had been given numbers before. */
static void numbers_end_at_their_limit(void **state)
{
    fixture *f = *state;
    char sql[96];
    store_outcome outcome;
    const product_record r = {.id = t("last"), .price_minor = MONEY_ABSENT};
    const product_record more = {.id = t("more"), .price_minor = MONEY_ABSENT};
    id_map m;
    uint32_t number;
    snprintf(sql, sizeof sql, "INSERT INTO sqlite_sequence VALUES ('products', %u)",
             LIMIT_PRODUCTS - 1);
    fixture_sql(f, sql);
    must(store_begin(f->s, &f->err));
    must(store_put_product(f->s, &r, &outcome, &f->err));
    must(id_map_init(&m, f->s, STANDING_PRODUCT, STORE_UNKNOWN_CREATE, &f->err));
    assert_int_equal(find(f, &m, "last"), LIMIT_PRODUCTS);
    assert_int_equal(
        id_map_find(&m, f->s, t("x"), id_map_hash(&m, t("x")), &number, &f->err),
        PF_LIMIT);
    assert_non_null(strstr(f->err.message, "products"));
    id_map_free(&m);
    assert_int_equal(store_put_product(f->s, &more, &outcome, &f->err), PF_LIMIT);
    assert_int_equal(store_commit(f->s, &f->err), PF_USAGE);
}

static void any_allocation_may_fail(void **state)
{
    fixture *f = *state;
    fault x = {0};
    char id[16];
    must(store_begin(f->s, &f->err));
    put_products(f, 3);
    while (fault_next(&x)) {
        id_map m = {0};
        uint32_t number;
        pf_status status =
            id_map_init(&m, f->s, STANDING_PRODUCT, STORE_UNKNOWN_CREATE, &f->err);
        for (int i = 1; i < 90 && status == PF_OK; i++) {
            snprintf(id, sizeof id, "p%d", i);
            text key = text_of(id);
            status = id_map_find(&m, f->s, key, id_map_hash(&m, key), &number, &f->err);
            if (status == PF_OK) assert_int_equal(number, i);
        }
        if (fault_reached(&x))
            assert_int_equal(status, PF_NO_MEMORY);
        else
            assert_int_equal(status, PF_OK);
        id_map_free(&m);
    }
    assert_true(x.n > 5);
    store_rollback(f->s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(known_ids_have_their_numbers),
        TEST(unknown_ids_get_provisional_numbers_once),
        TEST(settling_gives_numbers_without_gaps),
        TEST(each_table_has_its_own_numbers),
        TEST(numbers_end_at_their_limit),
        TEST(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
