/* base/arena.h: aligned, stable, never above the maximum, everything back at once. */
#include "check.h"

#include <string.h>

#include "base/arena.h"
#include "base/random.h"

static void pieces_are_aligned_apart_and_stable(void **state)
{
    (void)state;
    enum { PIECES = 500 };
    arena a;
    arena_init(&a, 1 << 20);
    random_stream r = random_begin(1, 1);
    unsigned char *piece[PIECES];
    size_t size[PIECES];
    for (int i = 0; i < PIECES; i++) {
        size[i] = random_below(&r, 700);
        piece[i] = arena_alloc(&a, size[i], 1);
        assert_non_null(piece[i]);
        assert_int_equal((uintptr_t)piece[i] % 16, 0);
        memset(piece[i], i, size[i]);
    }
    for (int i = 0; i < PIECES; i++) {
        for (size_t k = 0; k < size[i]; k++)
            assert_int_equal(piece[i][k], (unsigned char)i);
        assert_true(i == 0 || piece[i] != piece[i - 1]);
    }
    arena_free(&a);
}

static void the_maximum_is_never_passed_but_can_be_used_up(void **state)
{
    (void)state;
    for (size_t maximum = 0; maximum < 20000; maximum = maximum * 2 + 16) {
        arena a;
        arena_init(&a, maximum);
        size_t got = 0;
        while (arena_alloc(&a, 1, 16))
            got += 16;
        assert_int_equal(got, maximum / 16 * 16);
        assert_true(a.used_bytes <= maximum);
        assert_null(arena_alloc(&a, maximum + 1, 1));
        arena_free(&a);
    }
}

static void overflow_gives_null(void **state)
{
    (void)state;
    arena a;
    arena_init(&a, SIZE_MAX);
    assert_null(arena_alloc(&a, SIZE_MAX, 2));
    assert_null(arena_alloc(&a, SIZE_MAX, 1));
    assert_null(arena_alloc(&a, SIZE_MAX - 15, 1));
    assert_null(arena_copy_text(&a, "", SIZE_MAX));
    assert_int_equal(a.used_bytes, 0);
    arena_free(&a);
}

static void a_zero_product_is_a_pointer_of_its_own(void **state)
{
    (void)state;
    arena a;
    arena_init(&a, 1024);
    void *p = arena_alloc(&a, 0, 8), *q = arena_alloc_zero(&a, 8, 0);
    assert_non_null(p);
    assert_non_null(q);
    assert_ptr_not_equal(p, q);
    arena_free(&a);
}

static void reset_keeps_the_first_block_and_starts_over(void **state)
{
    (void)state;
    arena a;
    arena_init(&a, 1 << 20);
    void *first = arena_alloc(&a, 100, 1);
    for (int i = 0; i < 100; i++)
        assert_non_null(arena_alloc(&a, 1000, 1));
    arena_reset(&a);
    assert_int_equal(a.used_bytes, 0);
    mem_guard_enter();
    assert_ptr_equal(arena_alloc(&a, 100, 1), first);
    mem_guard_leave();
    unsigned char *zero = arena_alloc_zero(&a, 50, 2);
    for (int i = 0; i < 100; i++)
        assert_int_equal(zero[i], 0);
    arena_free(&a);
    arena_reset(&a);
    arena_free(&a);
}

static void text_is_copied_and_terminated(void **state)
{
    (void)state;
    arena a;
    arena_init(&a, 64);
    assert_string_equal(arena_copy_text(&a, "abcdef", 4), "abcd");
    assert_string_equal(arena_copy_text(&a, NULL, 0), "");
    assert_null(arena_copy_text(&a, "0123456789012345678901234567890123456789", 40));
    arena_free(&a);
}

static void a_failed_block_leaves_the_arena_usable(void **state)
{
    (void)state;
    fault f = {0};
    while (fault_next(&f)) {
        arena a;
        arena_init(&a, 1 << 20);
        int failures = 0;
        for (int i = 0; i < 20; i++)
            failures += arena_alloc(&a, 3000, 1) == NULL;
        assert_int_equal(failures, fault_reached(&f) ? 1 : 0);
        assert_non_null(arena_alloc(&a, 3000, 1));
        arena_free(&a);
    }
    assert_true(f.n > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_apart_and_stable),
        cmocka_unit_test(the_maximum_is_never_passed_but_can_be_used_up),
        cmocka_unit_test(overflow_gives_null),
        cmocka_unit_test(a_zero_product_is_a_pointer_of_its_own),
        cmocka_unit_test(reset_keeps_the_first_block_and_starts_over),
        cmocka_unit_test(text_is_copied_and_terminated),
        cmocka_unit_test(a_failed_block_leaves_the_arena_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
