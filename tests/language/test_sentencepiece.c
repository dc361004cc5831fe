/* Pieces of texts with a small model: marks, unknown characters, ties, odd bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "language/sentencepiece_shim.h"
#include "language/tiny_model.h"

typedef struct pieces {
    uint32_t id[4096];
    size_t n, maximum;
} pieces;

static bool take(void *context, uint32_t piece)
{
    pieces *p = context;
    if (p->n == p->maximum) return false;
    p->id[p->n++] = piece;
    return true;
}

static int setup(void **state)
{
    tiny_bytes model = tiny_pieces(TINY_PIECES);
    pf_error err = {0};
    if (piece_model_open((piece_model **)state, model.data, model.n, &err) != PF_OK)
        fail_msg("%s", err.message);
    free(model.data);
    return 0;
}

static int teardown(void **state)
{
    piece_model_close(*state);
    return 0;
}

#define assert_pieces(model, text, n, ...)                                               \
    check_pieces(model, text, n, (const uint32_t[]){__VA_ARGS__},                        \
                 sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void check_pieces(const piece_model *m, const char *text, size_t n,
                         const uint32_t *expected, size_t n_expected)
{
    pieces p = {.maximum = 4096};
    assert_int_equal(piece_model_encode(m, text, n, take, &p, NULL), PF_OK);
    assert_int_equal(p.n, n_expected);
    assert_memory_equal(p.id, expected, n_expected * sizeof *expected);
}

static void texts_stand_between_marks(void **state)
{
    assert_pieces(*state, "b", 1, 1, 3, 7, 2);
    assert_pieces(*state, "ab", 2, 1, 3, 8, 2);
    assert_int_equal(piece_model_count(*state), TINY_PIECES);
}

static void an_empty_text_is_the_unknown_piece(void **state)
{
    assert_pieces(*state, "", 0, 1, 0, 2);
    assert_pieces(*state, NULL, 0, 1, 0, 2);
    assert_pieces(*state, "   ", 3, 1, 0, 2);
}

static void every_unknown_character_is_one_unknown_piece(void **state)
{
    assert_pieces(*state, "zzz", 3, 1, 3, 0, 0, 0, 2);
    assert_pieces(*state, "\U0001F600\U0001F600", 8, 1, 3, 0, 0, 2);
    assert_pieces(*state, "\u6587z\u4e2d", 7, 1, 3, 10, 0, 9, 2);
}

static void pieces_that_commute_stand_shortest_first(void **state)
{
    /* "a" and "aa" commute; "mark a" and "aa" do not. */
    assert_pieces(*state, "aaaaa", 5, 1, 6, 5, 5, 2);
    assert_pieces(*state, "baa", 3, 1, 3, 7, 5, 2);
    assert_pieces(*state, "baaa", 4, 1, 3, 7, 4, 5, 2);
}

static void long_runs_have_one_single_piece_in_front(void **state)
{
    char text[2001];
    pieces p = {.maximum = 4096};
    memset(text, 'a', sizeof text);
    text[0] = 'b';
    for (size_t n = 1000; n <= 2001; n += 7) {
        p.n = 0;
        assert_int_equal(piece_model_encode(*state, text, n, take, &p, NULL), PF_OK);
        size_t singles = 0, order = 0;
        for (size_t i = 3; i + 1 < p.n; i++) {
            singles += p.id[i] == 4;
            order += i > 3 && p.id[i] < p.id[i - 1];
        }
        assert_int_equal(order, 0);
        assert_true(singles <= 2);
    }
}

static void wrong_bytes_count_as_one_unknown_character_each(void **state)
{
    assert_pieces(*state, "b\xff", 2, 1, 3, 7, 0, 2);
    assert_pieces(*state,
                  "b\xff\xfe"
                  "b",
                  4, 1, 3, 7, 0, 0, 7, 2);
    assert_pieces(*state, "b\xe4\xb8", 3, 1, 3, 7, 0, 0, 2);
}

static void any_bytes_at_all_are_survived(void **state)
{
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b += 5) {
            const char text[4] = {(char)a, (char)b, (char)(a ^ b), (char)(b + 1)};
            pieces p = {.maximum = 4096};
            assert_int_equal(piece_model_encode(*state, text, 4, take, &p, NULL), PF_OK);
            assert_int_equal(p.id[0], 1);
            assert_int_equal(p.id[p.n - 1], 2);
            for (size_t i = 0; i < p.n; i++)
                assert_true(p.id[i] < TINY_PIECES);
        }
}

static void a_sink_that_stops_is_a_lack_of_memory(void **state)
{
    for (size_t maximum = 0; maximum < 4; maximum++) {
        pieces p = {.maximum = maximum};
        pf_error err = {0};
        assert_int_equal(piece_model_encode(*state, "b", 1, take, &p, &err),
                         PF_NO_MEMORY);
    }
}

static void what_is_no_model_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "hello", "\x0a\xff\xff\xff\xff\x0f",
                                        "PK\3\4zip"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        piece_model *m;
        pf_error err = {0};
        assert_int_equal(piece_model_open(&m, wrong[i], strlen(wrong[i]), &err), PF_DATA);
        assert_null(m);
        assert_non_null(strstr(err.message, "SentencePiece"));
    }
}

static void every_truncation_of_a_model_is_survived(void **state)
{
    (void)state;
    tiny_bytes model = tiny_pieces(TINY_PIECES);
    for (size_t n = 0; n < model.n; n++) {
        piece_model *m;
        if (piece_model_open(&m, model.data, n, NULL) == PF_OK)
            assert_true(piece_model_count(m) < TINY_PIECES);
        piece_model_close(m);
    }
    free(model.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_stand_between_marks),
        cmocka_unit_test(an_empty_text_is_the_unknown_piece),
        cmocka_unit_test(every_unknown_character_is_one_unknown_piece),
        cmocka_unit_test(pieces_that_commute_stand_shortest_first),
        cmocka_unit_test(long_runs_have_one_single_piece_in_front),
        cmocka_unit_test(wrong_bytes_count_as_one_unknown_character_each),
        cmocka_unit_test(any_bytes_at_all_are_survived),
        cmocka_unit_test(a_sink_that_stops_is_a_lack_of_memory),
        cmocka_unit_test(what_is_no_model_is_refused),
        cmocka_unit_test(every_truncation_of_a_model_is_survived),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
