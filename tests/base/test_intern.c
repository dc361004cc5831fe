/* base/intern.h: numbers are dense, texts stay put, a failure changes nothing. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/intern.h"
#include "base/random.h"

static void numbers_start_at_one_and_stay(void **state)
{
    (void)state;
    intern *t = intern_new(100);
    assert_int_equal(intern_find(t, "a", 1), 0);
    assert_int_equal(intern_add(t, "a", 1), 1);
    assert_int_equal(intern_add(t, "b", 1), 2);
    assert_int_equal(intern_add(t, "a", 1), 1);
    assert_int_equal(intern_find(t, "b", 1), 2);
    assert_int_equal(intern_count(t), 2);
    intern_free(t);
    intern_free(NULL);
}

static void texts_are_bytes_of_a_length(void **state)
{
    (void)state;
    intern *t = intern_new(100);
    uint32_t empty = intern_add(t, "", 0), nul = intern_add(t, "\0", 1);
    uint32_t a = intern_add(t, "abc", 3), prefix = intern_add(t, "abc", 2);
    assert_int_equal(empty, 1);
    assert_int_equal(nul, 2);
    assert_int_not_equal(a, prefix);
    assert_string_equal(intern_text(t, prefix), "ab");
    assert_int_equal(intern_length(t, nul), 1);
    assert_int_equal(intern_length(t, empty), 0);
    assert_int_equal(intern_find(t, NULL, 0), empty);
    intern_free(t);
}

static void a_find_in_two_steps_is_a_find(void **state)
{
    (void)state;
    intern *t = intern_new(100000);
    char text[16];
    for (uint32_t i = 1; i <= 3000; i++)
        assert_int_equal(intern_add(t, text, (size_t)snprintf(text, sizeof text, "%u", i)),
                         i);
    for (uint32_t i = 1; i <= 3500; i++) {
        size_t n = (size_t)snprintf(text, sizeof text, "%u", i);
        uint64_t hash = intern_hash(t, text, n);
        assert_int_equal(intern_find_hashed(t, hash, text, n), i <= 3000 ? i : 0);
    }
    intern_free(t);
}

static void the_largest_number_is_given_and_none_above(void **state)
{
    (void)state;
    intern *t = intern_new(3);
    assert_int_equal(intern_add(t, "a", 1), 1);
    assert_int_equal(intern_add(t, "b", 1), 2);
    assert_int_equal(intern_add(t, "c", 1), 3);
    assert_int_equal(intern_add(t, "d", 1), 0);
    assert_int_equal(intern_add(t, "b", 1), 2);
    assert_int_equal(intern_count(t), 3);
    intern_free(t);
}

/* Lengths from 0 to past a chunk, in the order a naive list would number them. */
static void many_texts_agree_with_a_list(void **state)
{
    (void)state;
    enum { TEXTS = 30000 };
    intern *t = intern_new(TEXTS);
    const char *first = NULL;
    char text[32];
    for (uint32_t i = 1; i <= TEXTS; i++) {
        int n = snprintf(text, sizeof text, "id-%u", i * 2654435761u);
        assert_int_equal(intern_add(t, text, (size_t)n), i);
        if (i == 1) first = intern_text(t, 1);
    }
    assert_ptr_equal(intern_text(t, 1), first);
    for (uint32_t i = 1; i <= TEXTS; i++) {
        int n = snprintf(text, sizeof text, "id-%u", i * 2654435761u);
        assert_int_equal(intern_find(t, text, (size_t)n), i);
        assert_string_equal(intern_text(t, i), text);
        assert_int_equal(intern_length(t, i), n);
        assert_int_equal(intern_find(t, text, (size_t)n - 1) == i, 0);
    }
    intern_free(t);
}

/* The two-step look-up is the plain one, also for texts that are not there. */
static void a_hashed_look_up_finds_the_same(void **state)
{
    (void)state;
    intern *t = intern_new(5000);
    char text[32];
    for (uint32_t i = 0; i < 5000; i++) {
        int n = snprintf(text, sizeof text, "k%u", i);
        if (i % 2) intern_add(t, text, (size_t)n);
    }
    for (uint32_t i = 0; i < 5000; i++) {
        size_t n = (size_t)snprintf(text, sizeof text, "k%u", i);
        uint64_t hash = intern_hash(t, text, n);
        assert_int_equal(intern_find_hashed(t, hash, text, n), i % 2 ? i / 2 + 1 : 0);
    }
    intern_free(t);
}

static void a_text_longer_than_any_chunk_fits(void **state)
{
    (void)state;
    static char large[3 << 20];
    memset(large, 'l', sizeof large);
    intern *t = intern_new(10);
    assert_int_equal(intern_add(t, "small", 5), 1);
    assert_int_equal(intern_add(t, large, sizeof large), 2);
    assert_int_equal(intern_add(t, large, sizeof large - 1), 3);
    assert_int_equal(intern_add(t, "after", 5), 4);
    assert_int_equal(intern_find(t, large, sizeof large), 2);
    assert_memory_equal(intern_text(t, 2), large, sizeof large);
    intern_free(t);
}

static void a_failed_allocation_leaves_the_table_as_it_was(void **state)
{
    (void)state;
    fault f = {0};
    while (fault_next(&f)) {
        intern *t = intern_new(1000);
        if (!t) {
            assert_true(fault_reached(&f));
            continue;
        }
        uint32_t given = 0, failures = 0;
        char text[32];
        for (uint32_t i = 0; i < 300; i++) {
            int n = snprintf(text, sizeof text, "a longer text, number %u", i);
            uint32_t number = intern_add(t, text, (size_t)n);
            if (number == 0) {
                failures++;
                assert_int_equal(intern_find(t, text, (size_t)n), 0);
                number = intern_add(t, text, (size_t)n);
            }
            assert_int_equal(number, ++given);
        }
        assert_int_equal(failures, fault_reached(&f) ? 1 : 0);
        for (uint32_t i = 0; i < 300; i++) {
            int n = snprintf(text, sizeof text, "a longer text, number %u", i);
            assert_int_equal(intern_find(t, text, (size_t)n), i + 1);
        }
        intern_free(t);
    }
    assert_true(f.n > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_start_at_one_and_stay),
        cmocka_unit_test(texts_are_bytes_of_a_length),
        cmocka_unit_test(a_find_in_two_steps_is_a_find),
        cmocka_unit_test(the_largest_number_is_given_and_none_above),
        cmocka_unit_test(many_texts_agree_with_a_list),
        cmocka_unit_test(a_hashed_look_up_finds_the_same),
        cmocka_unit_test(a_text_longer_than_any_chunk_fits),
        cmocka_unit_test(a_failed_allocation_leaves_the_table_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
