/* base/text.h: UTF-8 against a naive decoder, numbers against the C library, slips. */
#include "check.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"

static void pieces_compare_by_bytes(void **state)
{
    (void)state;
    assert_true(text_equal(text_of("ab"), (text){"abc", 2}));
    assert_false(text_equal(text_of("ab"), text_of("ac")));
    assert_false(text_equal(text_of("ab"), text_of("abc")));
    assert_true(text_equal(text_of(""), (text){NULL, 0}));
    assert_true(text_is((text){"abc", 2}, "ab"));
    assert_false(text_is((text){"a\0b", 3}, "a"));
}

static void trimming_takes_ascii_space_only(void **state)
{
    (void)state;
    assert_true(text_is(text_trim(text_of(" \t\r\n\v\fa b \n")), "a b"));
    assert_true(text_is(text_trim(text_of("   ")), ""));
    assert_true(text_is(text_trim(text_of("")), ""));
    assert_true(text_is(text_trim(text_of("\xC2\xA0x")), "\xC2\xA0x"));
}

/* Decodes by the definition alone: lead byte, trailing bytes, shortest form, range. */
static bool naive_check(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        unsigned lead = p[i++], more, point;
        if (lead == 0) return false;
        if (lead < 0x80) continue;
        if ((lead & 0xE0) == 0xC0)
            more = 1;
        else if ((lead & 0xF0) == 0xE0)
            more = 2;
        else if ((lead & 0xF8) == 0xF0)
            more = 3;
        else
            return false;
        point = lead & (0x3Fu >> more);
        for (unsigned k = 0; k < more; k++, i++) {
            if (i >= n || (p[i] & 0xC0) != 0x80) return false;
            point = point << 6 | (p[i] & 0x3Fu);
        }
        static const unsigned least[] = {0, 0x80, 0x800, 0x10000};
        if (point < least[more] || point > 0x10FFFF ||
            (point >= 0xD800 && point <= 0xDFFF))
            return false;
    }
    return true;
}

static void all_short_sequences_agree_with_a_naive_decoder(void **state)
{
    (void)state;
    for (uint32_t v = 0; v < 1u << 24; v++) {
        unsigned char s[3] = {(unsigned char)(v >> 16), (unsigned char)(v >> 8),
                              (unsigned char)v};
        if (s[1] < 0x70 && s[2] < 0x70 && (v & 0x0707)) /* ASCII behind ASCII: a few do */
            continue;
        if (utf8_check((const char *)s, 3, NULL) != naive_check(s, 3))
            fail_msg("%06x", v);
    }
    static const unsigned char leads[] = {0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
    for (size_t l = 0; l < sizeof leads; l++) {
        for (uint32_t v = 0; v < 1u << 18; v++) {
            unsigned char s[4] = {leads[l], (unsigned char)(v >> 10),
                                  (unsigned char)(0x70 + (v >> 5 & 31) * 5),
                                  (unsigned char)(0x70 + (v & 31) * 5)};
            if (utf8_check((const char *)s, 4, NULL) != naive_check(s, 4))
                fail_msg("%02x %02x %02x %02x", s[0], s[1], s[2], s[3]);
        }
    }
}

/* Broken or whole characters at every distance from the eight-byte steps. */
static void the_place_of_the_first_wrong_byte_is_told(void **state)
{
    (void)state;
    random_stream r = random_begin(4, 4);
    static const char *const good[] = {"a", "\xC3\xA9", "\xE4\xBC\x98",
                                       "\xF0\x9F\x98\x80"};
    static const char bad[] = {'\0', '\x80', '\xC0', '\xFF', '\xED'};
    for (int turn = 0; turn < 20000; turn++) {
        char s[128];
        size_t n = 0, at = 999;
        for (uint32_t i = random_below(&r, 24); i > 0; i--) {
            const char *c = good[turn % 3 ? 0 : random_below(&r, 4)];
            memcpy(s + n, c, strlen(c));
            n += strlen(c);
        }
        assert_true(utf8_check(s, n, &at));
        assert_int_equal(at, 999);
        size_t wrong = n;
        s[n++] = bad[random_below(&r, sizeof bad)];
        memset(s + n, 'z', 12);
        n += 12;
        assert_false(utf8_check(s, n, &at));
        assert_int_equal(at, wrong);
    }
}

static void code_points_are_written_and_read_back(void **state)
{
    (void)state;
    for (uint32_t point = 1; point <= 0x10FFFF; point++) {
        if (point >= 0xD800 && point <= 0xDFFF) continue;
        char s[5] = {0};
        size_t n = utf8_put(point, s);
        const char *p = s;
        if (!utf8_check(s, n, NULL) || utf8_next(&p, s + n) != point || p != s + n ||
            utf8_count(s, n) != 1)
            fail_msg("U+%04X", point);
    }
}

static void prefixes_count_characters_not_bytes(void **state)
{
    (void)state;
    const char *s = "a\xC3\xA9\xE4\xBC\x98\xF0\x9F\x98\x80z";
    static const size_t ends[] = {0, 1, 3, 6, 10, 11, 11, 11};
    size_t n = strlen(s);
    assert_int_equal(utf8_count(s, n), 5);
    for (size_t points = 0; points < 8; points++)
        assert_int_equal(utf8_prefix(s, n, points), ends[points]);
    assert_int_equal(utf8_prefix("", 0, 3), 0);
}

static void integers_are_whole_texts_within_range(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"42", true, 42},
        {"-42", true, -42},
        {"007", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999", false, 0},
        {"000000000000000000000000042", true, 42},
        {"", false, 0},
        {"-", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"0x1", false, 0},
        {"--1", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = 99;
        if (text_to_i64(text_of(cases[i].text), &value) != cases[i].good)
            fail_msg("'%s'", cases[i].text);
        assert_int_equal(value, cases[i].good ? cases[i].value : 99);
    }
    uint64_t big = 0;
    assert_true(text_to_u64(text_of("18446744073709551615"), &big) && big == UINT64_MAX);
    assert_false(text_to_u64(text_of("18446744073709551616"), &big));
    assert_false(text_to_u64(text_of("-1"), &big));
}

static void numbers_in_other_shapes_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",     "-",     "+1",    ".",   "-.",   "e5",   "1e",     "1e+",      "1e-",
        "1.5e", "0x10",  "inf",   "nan", "NaN",  " 1",   "1 ",     "1,5",      "1..5",
        "1.5.", "1e5.5", "1e400", "--1", "1_00", "1e5x", "-1e999", "infinity", "1d5"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        double value = 99.0;
        if (text_to_double(text_of(wrong[i]), &value))
            fail_msg("'%s' was read as %g", wrong[i], value);
        assert_true(value == 99.0);
    }
    char longest[2000];
    memset(longest, '1', sizeof longest);
    double value;
    assert_false(text_to_double((text){longest, sizeof longest}, &value));
}

static void check_number(const char *written)
{
    double value = 99.0, expected = strtod(written, NULL);
    bool good = text_to_double(text_of(written), &value);
    if (good != (bool)isfinite(expected) || (good && memcmp(&value, &expected, 8) != 0))
        fail_msg("'%s' was read as %.17g", written, value);
}

/* The same bits as strtod for every shape of number. */
static void numbers_agree_with_the_c_library_bit_by_bit(void **state)
{
    (void)state;
    static const char *const edges[] = {
        "0",
        "-0",
        "0.0",
        "1",
        "1.",
        ".5",
        "5e-324",
        "2.2250738585072011e-308",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "9007199254740993",
        "9007199254740992",
        "9007199254740993e0",
        "123456789012345678901234567890",
        "0.00000000000000000000000000000000000001",
        "1e22",
        "1e23",
        "1e-22",
        "1e-23",
        "8.41e21",
        "4.35",
        "1e99999",
        "1e-99999",
        "1e-400",
        "0e99999",
        "0.1e1",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "1000000000000000000000000e-24",
        "3.14159265358979323846264338327950288",
        "0.5000000000000000000000000000000000000000000000000000000000001"};
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
        check_number(edges[i]);
    random_stream r = random_begin(6, 6);
    for (int i = 0; i < 200000; i++) {
        char written[64];
        int digits = (int)random_below(&r, 20), exponent = (int)random_below(&r, 60) - 30;
        double value = ((double)random_u64(&r) * 0x1p-63 - 1.0) * pow(10.0, exponent);
        static const char *const forms[] = {"%.*g", "%.*f", "%.*e"};
        const char *form = forms[i % 3];
        if (form == forms[1])
            snprintf(written, sizeof written, "%.*f", digits, value);
        else if (form == forms[2])
            snprintf(written, sizeof written, "%.*e", digits, value);
        else
            snprintf(written, sizeof written, "%.*g", digits, value);
        check_number(written);
    }
}

/* A host program's locale with a decimal comma must change nothing. */
static void the_locale_does_not_matter(void **state)
{
    (void)state;
    const char *set = setlocale(LC_ALL, "de_DE.UTF-8");
    double value = 0.0;
    assert_true(text_to_double(text_of("1234567.25e-40"), &value) &&
                value == 1234567.25e-40);
    assert_true(text_to_double(text_of("1.5"), &value) && value == 1.5);
    assert_false(text_to_double(text_of("1,5"), &value));
    if (set) setlocale(LC_ALL, "C");
}

/* The recursion of the definition, for words of a few letters. */
static unsigned naive_distance(const char *a, size_t n, const char *b, size_t m)
{
    if (n == 0 || m == 0) return (unsigned)(n + m);
    unsigned best = naive_distance(a, n - 1, b, m - 1) + (a[n - 1] != b[m - 1]);
    unsigned less = naive_distance(a, n - 1, b, m) + 1;
    unsigned more = naive_distance(a, n, b, m - 1) + 1;
    best = less < best ? less : best;
    best = more < best ? more : best;
    if (n > 1 && m > 1 && a[n - 1] == b[m - 2] && a[n - 2] == b[m - 1]) {
        unsigned swap = naive_distance(a, n - 2, b, m - 2) + 1;
        best = swap < best ? swap : best;
    }
    return best;
}

static void distances_agree_with_the_definition(void **state)
{
    (void)state;
    random_stream r = random_begin(9, 9);
    for (int i = 0; i < 3000; i++) {
        char a[8] = "", b[8] = "";
        for (uint32_t k = random_below(&r, 6); k > 0; k--)
            a[k - 1] = (char)('a' + random_below(&r, 3));
        for (uint32_t k = random_below(&r, 6); k > 0; k--)
            b[k - 1] = (char)('a' + random_below(&r, 3));
        unsigned expected = naive_distance(a, strlen(a), b, strlen(b));
        assert_int_equal(text_distance(a, b), expected);
        assert_int_equal(text_distance(b, a), expected);
    }
    assert_int_equal(text_distance("teh", "the"), 1);
    assert_int_equal(text_distance("import", "improt"), 1);
    char longest[200];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(text_distance(longest, "a"), 63);
}

static void only_slips_of_the_hand_are_guessed(void **state)
{
    (void)state;
    static const char *const commands[] = {"import", "evaluate", "decide", "init",
                                           "train"};
    assert_string_equal(text_closest("improt", commands, 5), "import");
    assert_string_equal(text_closest("evalute", commands, 5), "evaluate");
    assert_string_equal(text_closest("int", commands, 5), "init");
    assert_string_equal(text_closest("desicde", commands, 5), "decide");
    assert_null(text_closest("banana", commands, 5));
    assert_null(text_closest("x", commands, 5));
    assert_null(text_closest("", commands, 5));
    assert_null(text_closest("import", commands, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_compare_by_bytes),
        cmocka_unit_test(trimming_takes_ascii_space_only),
        cmocka_unit_test(all_short_sequences_agree_with_a_naive_decoder),
        cmocka_unit_test(the_place_of_the_first_wrong_byte_is_told),
        cmocka_unit_test(code_points_are_written_and_read_back),
        cmocka_unit_test(prefixes_count_characters_not_bytes),
        cmocka_unit_test(integers_are_whole_texts_within_range),
        cmocka_unit_test(numbers_in_other_shapes_are_refused),
        cmocka_unit_test(numbers_agree_with_the_c_library_bit_by_bit),
        cmocka_unit_test(the_locale_does_not_matter),
        cmocka_unit_test(distances_agree_with_the_definition),
        cmocka_unit_test(only_slips_of_the_hand_are_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
