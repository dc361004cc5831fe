/*
 * Filling one pattern: which choice speaks, what gives way when there is no room, what comes
 * back, what never goes.
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "message/fill.h"
#include "message/length.h"

static arena memory;
static fill_facts facts;

static int setup(void **state)
{
    (void)state;
    arena_init(&memory, 1u << 24);
    facts = (fill_facts){.n_names = 2,
                         .names = {"Cheese", "Butter"},
                         .products = {7, 9},
                         .lists = {NULL, "Cheese and more", "Cheese, Butter and more"}};
    facts.known[SLOT_SCOPE] = "selected products";
    facts.known[SLOT_DISCOUNT] = "10 % off";
    facts.known[SLOT_ENDS] = "9 April";
    facts.known[SLOT_SHOP] = "Grocer";
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&memory);
    return 0;
}

static fill_result fill_in(const char *words, channel by, bool subject)
{
    pattern p;
    pf_error err = {0};
    fill_result r;
    if (pattern_parse(&p, &memory, words, strlen(words), &err) != PF_OK)
        fail_msg("%s: %s", words, err.message);
    assert_int_equal(fill_pattern(&p, &facts, by, subject, &memory, &r, NULL), PF_OK);
    return r;
}

static void check(const char *words, const char *expected)
{
    fill_result r = fill_in(words, CHANNEL_PUSH, false);
    assert_true(r.said);
    assert_string_equal(r.text, expected);
}

static void unsaid(const char *words)
{
    fill_result r = fill_in(words, CHANNEL_PUSH, false);
    if (r.said) fail_msg("said: %s", r.text);
    assert_string_equal(r.text, "");
}

static void the_first_choice_whose_facts_are_known_speaks(void **state)
{
    (void)state;
    check("[{products}|{scope}]", "Cheese, Butter and more");
    check("[{title}|{products}|{scope}]", "Cheese, Butter and more");
    check("[{title} {products}|{scope}]", "Selected products");
    facts.n_names = 0;
    check("[{products}|{scope}]", "Selected products");
    check("Take [{products}|{title}|it]", "Take it");
}

static void a_part_without_its_facts_is_left_out(void **state)
{
    (void)state;
    check("{discount}[, until {ends}]", "10 % off, until 9 April");
    facts.known[SLOT_ENDS] = NULL;
    check("{discount}[, until {ends}]", "10 % off");
    check("[{title}: ]{discount}[ at {shop}]", "10 % off at Grocer");
}

static void a_bare_slot_must_be_known(void **state)
{
    (void)state;
    unsaid("{title}");
    unsaid("{discount} {title}");
    unsaid("{discount} [x|] {minimum}");
}

static void nothing_at_all_is_not_a_message(void **state)
{
    (void)state;
    unsaid("[{title}]");
    unsaid(" \n ");
}

static void blank_ends_are_trimmed(void **state)
{
    (void)state;
    check("{discount}.\n\n[{title}]", "10 % off.");
    check("{discount} [{title}]", "10 % off");
}

static void a_line_begins_large_but_names_are_kept(void **state)
{
    (void)state;
    facts.known[SLOT_DISCOUNT] = "buy one, get one free";
    facts.known[SLOT_SHOP] = "iGrocer";
    check("{discount}", "Buy one, get one free");
    check("Hello,\n\n{discount}", "Hello,\n\nBuy one, get one free");
    check("now: {discount}", "Now: buy one, get one free");
    check("{shop}: {discount}", "iGrocer: buy one, get one free");
    check("\\[{discount}", "[buy one, get one free");
}

static void the_facts_that_stand_in_it_are_told(void **state)
{
    (void)state;
    fill_result r =
        fill_in("[{products}|{scope}]: {discount}[{title}]", CHANNEL_PUSH, false);
    assert_int_equal(r.slots, 1u << SLOT_PRODUCTS | 1u << SLOT_DISCOUNT);
    assert_int_equal(r.n_products, 2);
    r = fill_in("{scope}", CHANNEL_PUSH, false);
    assert_int_equal(r.n_products, 0);
}

/* A text of n bytes for a slot. */
static const char *long_text(size_t n, char c)
{
    char *words = arena_alloc(&memory, n + 1, 1);
    assert_non_null(words);
    memset(words, c, n);
    words[n] = '\0';
    return words;
}

static void fewer_products_are_tried_first(void **state)
{
    (void)state;
    facts.lists[2] = long_text(150, 'p');
    check("{discount} on {products}[, until {ends}]",
          "10 % off on Cheese and more, until 9 April");
}

static void parts_give_way_from_the_last(void **state)
{
    (void)state;
    facts.known[SLOT_TITLE] = long_text(100, 't');
    fill_result r =
        fill_in("[{title} ][{discount} |][{shop}, until {ends}]", CHANNEL_PUSH, false);
    assert_true(r.said);
    /* Title and discount take 110 of the 120 characters; the shop and the end give way. */
    assert_int_equal(r.slots, 1u << SLOT_TITLE | 1u << SLOT_DISCOUNT);
}

static void what_gave_way_in_vain_comes_back(void **state)
{
    (void)state;
    facts.known[SLOT_TITLE] = long_text(200, 't');
    check("[{title}: ][{discount} |]for you[, until {ends}]",
          "10 % off for you, until 9 April");
}

static void a_required_part_that_is_too_long_ends_it(void **state)
{
    (void)state;
    facts.known[SLOT_TITLE] = long_text(121, 't');
    unsaid("{title}[, until {ends}]");
    facts.known[SLOT_TITLE] = long_text(120, 't');
    check("{title}[, until {ends}]", facts.known[SLOT_TITLE] + 0);
}

static void a_shorter_choice_of_a_part_is_tried_before_it_goes(void **state)
{
    (void)state;
    facts.known[SLOT_TITLE] = long_text(115, 't');
    fill_result r = fill_in("{title}[ until {ends}| now]", CHANNEL_PUSH, false);
    assert_true(r.said);
    assert_string_equal(r.text + 115, " now");
}

static void the_condition_never_gives_way(void **state)
{
    (void)state;
    facts.known[SLOT_MINIMUM] = "$30.00";
    facts.known[SLOT_TITLE] = long_text(100, 't');
    fill_result r =
        fill_in("[{title}|Sale][ from {minimum}][ until {ends}]", CHANNEL_PUSH, false);
    assert_true(r.said);
    assert_non_null(strstr(r.text, " from $30.00"));
    facts.known[SLOT_TITLE] = long_text(115, 't');
    r = fill_in("[{title}|Sale][ from {minimum}]", CHANNEL_PUSH, false);
    assert_string_equal(r.text, "Sale from $30.00");
    r = fill_in("{title}[ from {minimum}]", CHANNEL_PUSH, false);
    assert_false(r.said);
}

static void a_pattern_without_a_place_for_the_condition_is_not_said(void **state)
{
    (void)state;
    facts.known[SLOT_MINIMUM] = "$30.00";
    unsaid("{discount}");
    unsaid("[{title} {minimum}|{discount}]");
    check("[{discount}] from {minimum}", "10 % off from $30.00");
    /* A subject may leave the condition to the body. */
    fill_result r = fill_in("{discount}", CHANNEL_EMAIL, true);
    assert_true(r.said);
}

static void a_subject_is_measured_as_one(void **state)
{
    (void)state;
    facts.known[SLOT_TITLE] = long_text(79, 't');
    assert_false(fill_in("{title}", CHANNEL_EMAIL, true).said);
    assert_true(fill_in("{title}", CHANNEL_EMAIL, false).said);
}

static void a_fact_beyond_every_limit_is_passed_over(void **state)
{
    (void)state;
    facts.known[SLOT_TITLE] = long_text(100000, 't');
    check("[{title}: ]{discount}", "10 % off");
}

/* Random patterns of random facts: whatever is said fits, holds no mark, and holds each
 * fact it claims to hold as it is. */
static void random_patterns_are_said_whole_or_not_at_all(void **state)
{
    (void)state;
    unsigned said = 0;
    for (uint64_t i = 0; i < 5000; i++) {
        random_stream r = random_begin(71, i);
        char words[1024] = "";
        size_t n = 0;
        unsigned parts = 1 + random_below(&r, 6);
        for (unsigned k = 0; k < parts; k++) {
            static const char *const pieces[] = {"{products}", "{scope}",    "{discount}",
                                                 "{minimum}",  "{ends}",     "{title}",
                                                 "{shop}",     "{category}", "word",
                                                 "，",         "\n",         ""};
            const char *a = pieces[random_below(&r, 12)],
                       *b = pieces[random_below(&r, 12)];
            const char *c = pieces[random_below(&r, 12)];
            int form = (int)random_below(&r, 4);
            n += (size_t)snprintf(words + n, sizeof words - n,
                                  form == 0   ? "x%s%.0s%.0s"
                                  : form == 1 ? "[%s|%s|%s]"
                                  : form == 2 ? "[ %s %s]%.0s"
                                              : "[%s|]%.0s%.0s",
                                  a, b, c);
        }
        for (int slot = 0; slot < SLOT_COUNT; slot++)
            facts.known[slot] =
                random_below(&r, 3) == 0
                    ? NULL
                    : long_text(1 + random_below(&r, 60), (char)('A' + slot));
        facts.known[SLOT_SCOPE] = "selected";
        facts.n_names = random_below(&r, 3);
        channel by = (channel)(1 + random_below(&r, CHANNEL_COUNT - 1));
        fill_result out = fill_in(words, by, false);
        if (!out.said) continue;
        said++;
        assert_true(length_fits(by, out.text, strlen(out.text)));
        assert_null(strpbrk(out.text, "{}[]|"));
        assert_true(facts.known[SLOT_MINIMUM] == NULL || out.slots & 1u << SLOT_MINIMUM);
        for (int slot = 0; slot < SLOT_COUNT; slot++)
            if (out.slots & 1u << slot && slot != SLOT_PRODUCTS && slot != SLOT_SCOPE)
                assert_non_null(strstr(out.text, facts.known[slot]));
        arena_reset(&memory);
    }
    assert_true(said > 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_choice_whose_facts_are_known_speaks),
        TEST(a_part_without_its_facts_is_left_out),
        TEST(a_bare_slot_must_be_known),
        TEST(nothing_at_all_is_not_a_message),
        TEST(blank_ends_are_trimmed),
        TEST(a_line_begins_large_but_names_are_kept),
        TEST(the_facts_that_stand_in_it_are_told),
        TEST(fewer_products_are_tried_first),
        TEST(parts_give_way_from_the_last),
        TEST(what_gave_way_in_vain_comes_back),
        TEST(a_required_part_that_is_too_long_ends_it),
        TEST(a_shorter_choice_of_a_part_is_tried_before_it_goes),
        TEST(the_condition_never_gives_way),
        TEST(a_pattern_without_a_place_for_the_condition_is_not_said),
        TEST(a_subject_is_measured_as_one),
        TEST(a_fact_beyond_every_limit_is_passed_over),
        TEST(random_patterns_are_said_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
