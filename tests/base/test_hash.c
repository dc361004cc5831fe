/* base/hash.h: published vectors, stability, uniform shares. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

static hash_key counting_key(void)
{
    hash_key key;
    for (int i = 0; i < 16; i++)
        key.bytes[i] = (unsigned char)i;
    return key;
}

static void siphash_gives_the_value_of_its_paper(void **state)
{
    (void)state;
    /* Aumasson and Bernstein, appendix A. */
    unsigned char input[15];
    for (int i = 0; i < 15; i++)
        input[i] = (unsigned char)i;
    hash_key key = counting_key();
    assert_true(hash_bytes(input, sizeof input, &key) == UINT64_C(0xa129ca6149be45e5));
}

static void siphash_128_gives_the_reference_vector(void **state)
{
    (void)state;
    /* vectors_sip128[0] of the authors' reference code: a3817f04ba25a8e6
     * 6df67214c7550293. */
    hash_key key = counting_key();
    hash_128 h = hash_bytes_128("", 0, &key);
    assert_true(h.high == UINT64_C(0xe6a825ba047f81a3));
    assert_true(h.low == UINT64_C(0x930255c71472f66d));
}

static void the_process_key_stays_and_is_not_nothing(void **state)
{
    (void)state;
    hash_key a = hash_key_process(), b = hash_key_process();
    static const hash_key zero;
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_not_equal(&a, &zero, sizeof a);
    assert_true(hash_bytes("x", 1, &a) != hash_bytes("y", 1, &a));
}

static void fingerprints_are_blake2b_128(void **state)
{
    (void)state;
    char into[FINGERPRINT_TEXT_BYTES];
    fingerprint f = fingerprint_of("", 0);
    fingerprint_format(&f, into);
    assert_string_equal(into, "cae66941d9efbd404e4d88758ea67670");
    f = fingerprint_of("abc", 3);
    fingerprint_format(&f, into);
    assert_string_equal(into, "cf4ab791c62b8d2b2109c90275287816");
}

static void adding_in_parts_is_adding_at_once(void **state)
{
    (void)state;
    char bytes[1000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7);
    fingerprint whole = fingerprint_of(bytes, sizeof bytes);
    for (size_t cut = 0; cut <= sizeof bytes; cut += 37) {
        fingerprint_state s;
        fingerprint_begin(&s);
        fingerprint_add(&s, bytes, cut);
        fingerprint_add(&s, bytes + cut, sizeof bytes - cut);
        fingerprint f = fingerprint_end(&s);
        assert_memory_equal(f.bytes, whole.bytes, sizeof f.bytes);
    }
}

static fingerprint of_two(const char *a, const char *b)
{
    fingerprint_state s;
    fingerprint_begin(&s);
    fingerprint_add_text(&s, a);
    fingerprint_add_text(&s, b);
    return fingerprint_end(&s);
}

static void texts_do_not_run_together(void **state)
{
    (void)state;
    fingerprint a = of_two("ab", "c"), b = of_two("a", "bc"), c = of_two("ab", "c");
    assert_memory_not_equal(a.bytes, b.bytes, sizeof a.bytes);
    assert_memory_equal(a.bytes, c.bytes, sizeof a.bytes);
}

/* A holdout must be the same shoppers after every upgrade and on every machine: these
 * values, computed once with another BLAKE2b, may never change. */
static void shares_are_the_same_for_ever(void **state)
{
    (void)state;
    assert_true(hash_share("holdout-2026", "A-17") == 0.963990947967669);
    assert_true(hash_share("a", "bc") == 0.2144957042998935);
    assert_true(hash_share("ab", "c") == 0.925013734497885);
    assert_true(hash_share("", "") == 0.38246837510621823);
}

static void shares_are_uniform_and_differ_by_salt(void **state)
{
    (void)state;
    enum { IDS = 20000, CELLS = 20 };
    size_t cells[CELLS] = {0}, both = 0;
    for (int i = 0; i < IDS; i++) {
        char id[16];
        snprintf(id, sizeof id, "u%d", i);
        double share = hash_share("salt", id);
        assert_true(share >= 0.0 && share < 1.0);
        cells[(int)(share * CELLS)]++;
        both += share < 0.5 && hash_share("other", id) < 0.5;
    }
    double chi = 0.0, expected = (double)IDS / CELLS;
    for (int i = 0; i < CELLS; i++)
        chi += ((double)cells[i] - expected) * ((double)cells[i] - expected) / expected;
    assert_true(chi < 43.8); /* 19 degrees of freedom, p = .001 */
    assert_true(fabs((double)both / IDS - 0.25) < 0.012);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_gives_the_value_of_its_paper),
        cmocka_unit_test(siphash_128_gives_the_reference_vector),
        cmocka_unit_test(the_process_key_stays_and_is_not_nothing),
        cmocka_unit_test(fingerprints_are_blake2b_128),
        cmocka_unit_test(adding_in_parts_is_adding_at_once),
        cmocka_unit_test(texts_do_not_run_together),
        cmocka_unit_test(shares_are_the_same_for_ever),
        cmocka_unit_test(shares_are_uniform_and_differ_by_salt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
