/* Products that tell something private are recognised by their words. */
#include "check.h"

#include "message/language.h"
#include "message/sensitive.h"

static void the_built_in_list_knows_the_departments_of_a_grocer(void **state)
{
    (void)state;
    static const char *const private_ones[] = {"DRUG GM > ANALGESICS",
                                               "LAXATIVES",
                                               "COLD AND FLU",
                                               "SINUS AND ALLERGY",
                                               "SPIRITS > BEERS/ALES",
                                               "DOMESTIC WINE",
                                               "LIQUOR",
                                               "CIGARETTES",
                                               "TOBACCO OTHER",
                                               "SMOKING CESSATIONS",
                                               "FEMININE HYGIENE",
                                               "FEM HYGN DOUCHES",
                                               "FAMILY PLANNING",
                                               "ADULT INCONTINENCE",
                                               "DIAPERS & DISPOSABLES",
                                               "INFANT FORMULA",
                                               "BABY FOODS",
                                               "DIETARY AID PRODUCTS",
                                               "ETHNIC PERSONAL CARE",
                                               "GROCERY > HISPANIC",
                                               "KOSHER FOODS",
                                               "HALAL BEEF",
                                               "PHARMACY",
                                               "Ibuprofen medicine",
                                               "ACNE MEDICATIONS",
                                               "白酒",
                                               "香烟",
                                               "感冒药",
                                               "婴儿奶粉",
                                               "卫生巾"};
    sensitive_list list = sensitive_default();
    for (size_t i = 0; i < sizeof private_ones / sizeof private_ones[0]; i++)
        if (!sensitive_matches(&list, private_ones[i]))
            fail_msg("passed: %s", private_ones[i]);
}

static void everyday_products_are_none_of_them(void **state)
{
    (void)state;
    static const char *const fine[] = {"GROCERY > CHEESE",
                                       "FROZEN PIZZA",
                                       "SOAP - LIQUID & BAR",
                                       "COFFEE",
                                       "SOFT DRINKS",
                                       "DOG FOODS",
                                       "SWINE",
                                       "SALES",
                                       "DRUG GM > CANDY - PACKAGED",
                                       "MAGAZINE",
                                       "FEMALES",
                                       "SPIRITUAL",
                                       "GINGER",
                                       "SUNTAN",
                                       "",
                                       "奶酪",
                                       "牛奶"};
    sensitive_list list = sensitive_default();
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        if (sensitive_matches(&list, fine[i])) fail_msg("caught: %s", fine[i]);
}

static void a_shop_may_bring_its_own_list(void **state)
{
    (void)state;
    static const char *const words[] = {"knives", "刀"};
    sensitive_list list = {words, 2};
    assert_true(sensitive_matches(&list, "KITCHEN > KNIVES"));
    assert_true(sensitive_matches(&list, "菜刀"));
    assert_false(sensitive_matches(&list, "WINE"));
    list.n = 0;
    assert_false(sensitive_matches(&list, "KNIVES"));
}

static void languages_are_known_by_their_tags(void **state)
{
    (void)state;
    assert_int_equal(language_of("zh-CN", LANGUAGE_EN), LANGUAGE_ZH);
    assert_int_equal(language_of("ZH", LANGUAGE_EN), LANGUAGE_ZH);
    assert_int_equal(language_of("en_GB", LANGUAGE_ZH), LANGUAGE_EN);
    assert_int_equal(language_of("fr", LANGUAGE_ZH), LANGUAGE_ZH);
    assert_int_equal(language_of("", LANGUAGE_EN), LANGUAGE_EN);
    assert_int_equal(language_of(NULL, LANGUAGE_ZH), LANGUAGE_ZH);
    assert_int_equal(language_of("english", LANGUAGE_ZH), LANGUAGE_ZH);
    assert_string_equal(language_name(LANGUAGE_ZH), "zh");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_built_in_list_knows_the_departments_of_a_grocer),
        cmocka_unit_test(everyday_products_are_none_of_them),
        cmocka_unit_test(a_shop_may_bring_its_own_list),
        cmocka_unit_test(languages_are_known_by_their_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
