/* Titles from catalogues in capitals read like sentences; others are left alone. */
#include "check.h"

#include "message/title.h"

static void check(const char *title, const char *expected)
{
    arena a;
    arena_init(&a, 1u << 20);
    const char *got = title_readable(&a, title);
    assert_non_null(got);
    assert_string_equal(got, expected);
    arena_free(&a);
}

static void capitals_become_sentence_case(void **state)
{
    (void)state;
    check("CHEESE", "Cheese");
    check("FRZN MEAT/MEAT DINNERS", "Frzn meat/meat dinners");
    check("SOAP - LIQUID & BAR", "Soap - liquid & bar");
    check("PNT BTR/JELLY/JAMS", "Pnt btr/jelly/jams");
    check("CHIPS&SNACKS", "Chips&snacks");
    check("EGGS", "Eggs");
    check("HAM", "Ham");
}

static void abbreviations_are_not_expanded_nor_lost(void **state)
{
    (void)state;
    check("SALD DRSNG/SNDWCH SPRD", "Sald drsng/sndwch sprd");
    check("REFRGRATD DOUGH PRODUCTS", "Refrgratd dough products");
}

static void a_colon_is_followed_by_a_space_and_nations_keep_their_capital(void **state)
{
    (void)state;
    check("BREAD:ITALIAN/FRENCH", "Bread: Italian/French");
    check("ENGLISH MUFFINS/WAFFLES", "English muffins/waffles");
    check("A:B:CDE", "A: b: cde");
}

static void the_size_behind_the_last_comma_goes_into_brackets(void **state)
{
    (void)state;
    check("ICE - CRUSHED/CUBED, 22 LB", "Ice - crushed/cubed (22 lb)");
    check("APPLE SAUCE, 50 OZ", "Apple sauce (50 oz)");
    check("SOFT DRINK POWDER POUCHES, 0.4 OZ", "Soft drink powder pouches (0.4 oz)");
    check("FROST PUFFS, .5 OZ", "Frost puffs (.5 oz)");
    check("ORGANIC SQUASH, LB", "Organic squash (lb)");
    check("Salt, pepper and oil", "Salt, pepper and oil");
    check("MILK, CHEESE", "Milk, cheese");
    check("TEA (GREEN), 20 CT (BOX)", "Tea (green), 20 ct (box)");
    check(", 22 LB", ", 22 LB");
}

static void words_with_digits_are_kept(void **state)
{
    (void)state;
    check("7UP SOFT DRINK", "7UP soft drink");
    check("V8 VEGETABLE JUICE, 64OZ", "V8 vegetable juice (64OZ)");
}

static void a_shouted_part_of_a_mixed_title_is_quietened(void **state)
{
    (void)state;
    check("SEAFOOD - FROZEN and 2 more categories",
          "Seafood - frozen and 2 more categories");
    check("FRZN MEAT/MEAT DINNERS and 5 more", "Frzn meat/meat dinners and 5 more");
    check("Fresh CHEESE PIZZA", "Fresh cheese pizza");
}

static void names_of_a_few_capitals_in_a_mixed_title_are_kept(void **state)
{
    (void)state;
    check("HP LaserJet with USB", "HP LaserJet with USB");
    check("iPhone case", "iPhone case");
    check("Lay's Chips", "Lay's Chips");
}

static void an_apostrophe_does_not_end_a_word(void **state)
{
    (void)state;
    check("LAY'S CHIPS", "Lay's chips");
}

static void latin_letters_beyond_ascii_follow(void **state)
{
    (void)state;
    check("CRÈME BRÛLÉE", "Crème brûlée");
    check("ÉCLAIR AU CAFÉ", "Éclair au café");
    check("3×4 GRÖSSE", "3×4 Grösse");
}

static void other_scripts_are_left_alone(void **state)
{
    (void)state;
    check("奥利奥OREO饼干", "奥利奥OREO饼干");
    check("СЫР", "СЫР");
    check("奶酪, 200 G", "奶酪, 200 G");
}

static void white_space_and_control_characters_become_single_spaces(void **state)
{
    (void)state;
    check("  A  \t B\nC\x7F"
          "D  ",
          "A b c d");
    check("", "");
    check(" \n ", "");
}

/* A title must not turn round or break what stands behind it in the message. */
static void characters_that_steer_the_layout_become_single_spaces(void **state)
{
    (void)state;
    check("Cream \u202Egnp.exe", "Cream gnp.exe");
    check("\u2066Cream\u2069", "Cream");
    check("Cream\u2028\u2029Tea", "Cream Tea");
    check("Cream\xC2\x85\xC2\x9B" "31mTea", "Cream 31mTea");
    check("Cr\u00E8me \u2013 50 g\u20AC \u00A0x", "Cr\u00E8me \u2013 50 g\u20AC \u00A0x");
}

static void a_title_that_would_not_fit_the_arena_is_null(void **state)
{
    (void)state;
    arena a;
    arena_init(&a, 16);
    assert_null(title_readable(&a, "A TITLE THAT IS LONGER THAN SIXTEEN BYTES, BY FAR"));
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capitals_become_sentence_case),
        cmocka_unit_test(abbreviations_are_not_expanded_nor_lost),
        cmocka_unit_test(a_colon_is_followed_by_a_space_and_nations_keep_their_capital),
        cmocka_unit_test(the_size_behind_the_last_comma_goes_into_brackets),
        cmocka_unit_test(words_with_digits_are_kept),
        cmocka_unit_test(a_shouted_part_of_a_mixed_title_is_quietened),
        cmocka_unit_test(names_of_a_few_capitals_in_a_mixed_title_are_kept),
        cmocka_unit_test(an_apostrophe_does_not_end_a_word),
        cmocka_unit_test(latin_letters_beyond_ascii_follow),
        cmocka_unit_test(other_scripts_are_left_alone),
        cmocka_unit_test(white_space_and_control_characters_become_single_spaces),
        cmocka_unit_test(characters_that_steer_the_layout_become_single_spaces),
        cmocka_unit_test(a_title_that_would_not_fit_the_arena_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
