/* Audience rules: what they say of a shopper, what is not known, and each way to write one
 * wrongly. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "decide/audience.h"

typedef struct profile {
    const char *name;
    audience_value value;
} profile;

static const profile known[] = {
    {"stage", {AUDIENCE_TEXT, 0, false, "active"}},
    {"spend_90d", {AUDIENCE_NUMBER, 62.5, false, NULL}},
    {"kids", {AUDIENCE_TEXT, 0, false, "Yes"}},
    {"age", {AUDIENCE_TEXT, 0, false, "45"}},
    {"band", {AUDIENCE_TEXT, 0, false, "25-34"}},
    {"vip", {AUDIENCE_FLAG, 0, true, NULL}},
    {"zero", {AUDIENCE_NUMBER, 0, false, NULL}},
    {"empty", {AUDIENCE_TEXT, 0, false, ""}},
    {"broken", {AUDIENCE_NUMBER, NAN, false, NULL}},
    {"city", {AUDIENCE_TEXT, 0, false, "上海"}},
};

static void lookup(void *context, uint32_t shopper, const char *name, audience_value *out)
{
    size_t *asked = context;
    if (asked != NULL) ++*asked;
    assert_int_equal(shopper, 7);
    assert_int_equal(out->kind, AUDIENCE_ABSENT);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].name, name) == 0) *out = known[i].value;
}

static void says(const char *words, audience_answer expected)
{
    audience_rule *rule = NULL;
    pf_error err = {0};
    if (audience_parse(&rule, words, strlen(words), &err) != PF_OK)
        fail_msg("%s: %s", words, err.message);
    audience_answer got = audience_test(rule, lookup, NULL, 7);
    if (got != expected) fail_msg("%s: answer %d", words, (int)got);
    audience_free(rule);
}

static void yes(const char *words)
{
    says(words, AUDIENCE_YES);
}

static void no(const char *words)
{
    says(words, AUDIENCE_NO);
}

static void unknown(const char *words)
{
    says(words, AUDIENCE_UNKNOWN);
}

static void the_examples_of_the_manual_hold(void **state)
{
    (void)state;
    yes("stage = \"active\" and spend_90d > 50 and kids = yes");
    no("not (stage = 'active') or city in (\"Berlin\", \"Hamburg\")");
    unknown("income = 3");
    yes("stage is known");
}

static void texts_are_compared_without_case(void **state)
{
    (void)state;
    yes("stage = ACTIVE");
    yes("stage = \"Active\"");
    no("stage = lapsed");
    yes("stage != lapsed");
    yes("city = 上海");
    yes("city = \"上海\"");
    yes("band = 25-34");
}

static void numbers_have_an_order(void **state)
{
    (void)state;
    yes("spend_90d > 62.4");
    no("spend_90d > 62.5");
    yes("spend_90d >= 62.5");
    yes("spend_90d <= 62.5");
    no("spend_90d < 62.5");
    yes("spend_90d < 1e3");
    yes("spend_90d > -5");
    yes("spend_90d = 62.50");
    yes("spend_90d != 62");
}

static void a_text_that_reads_as_a_number_is_one(void **state)
{
    (void)state;
    yes("age > 44");
    no("age > 45");
    yes("age = 45.0");
    yes("age = \"45\"");
    yes("spend_90d = \"62.5\"");
    unknown("stage > 3");
    no("stage = 3");
    yes("stage != 3");
}

static void flags_read_many_ways_of_saying_yes(void **state)
{
    (void)state;
    yes("kids");
    yes("kids = true");
    no("kids = no");
    yes("vip");
    yes("vip = yes");
    no("vip = false");
    no("zero");
    yes("zero = no");
    yes("spend_90d");
    no("stage = yes");
    yes("vip = 1");
}

static void lists(void **state)
{
    (void)state;
    yes("stage in (lapsed, active)");
    no("stage in (lapsed)");
    yes("age in (44, 45)");
    yes("kids in (yes)");
    unknown("income in (1, 2)");
}

static void and_binds_closer_than_or_and_not_closest(void **state)
{
    (void)state;
    yes("vip or vip and zero");
    no("(vip or vip) and zero");
    yes("not zero and vip");
    no("not (vip or zero)");
    yes("not not vip");
    no("not not not vip");
    yes("zero or zero or vip");
}

static void what_is_not_known_decides_nothing(void **state)
{
    (void)state;
    unknown("income");
    unknown("not income");
    unknown("income = 1 or zero");
    yes("income = 1 or vip");
    unknown("income = 1 and vip");
    no("income = 1 and zero");
    unknown("empty = x");
    unknown("empty != x");
    unknown("broken < 3");
    yes("income is unknown");
    no("income is known");
    yes("empty is unknown and broken is unknown");
    yes("not (income is known)");
}

static void wrong(const char *words, uint64_t column, const char *part)
{
    audience_rule *rule = NULL;
    pf_error err = {0};
    pf_status s = audience_parse(&rule, words, strlen(words), &err);
    if (s != PF_DATA || err.column != column || strstr(err.message, part) == NULL)
        fail_msg("%s: %s at %d: %s", words, status_name(s), (int)err.column, err.message);
    assert_null(rule);
}

static void mistakes_are_named_with_their_column(void **state)
{
    (void)state;
    wrong("", 1, "a name was expected, found the end");
    wrong("   ", 4, "a name was expected");
    wrong("stage =", 8,
          "a number, a text in quotes, yes or no was expected, found the end");
    wrong("stage == active", 7, "write = to compare, found '=='");
    wrong("stage = active spend > 3", 16,
          "and, or or the end was expected, found 'spend'");
    wrong("(stage = active", 16, "and, or or ')' was expected");
    wrong("stage = active)", 15, "the end was expected, found ')'");
    wrong("and stage", 1, "a name was expected, found 'and'");
    wrong("stage = and", 9, "found 'and'");
    wrong("stage > \"x\"", 9, "only numbers have an order, found 'x'");
    wrong("stage in active", 10, "'(' was expected after in");
    wrong("stage in ()", 11, "found ')'");
    wrong("stage in (a b)", 13, "',' or ')' was expected");
    wrong("stage is lost", 10, "known or unknown was expected");
    wrong("stage = \"act", 9, "a closing quote is missing");
    wrong("城市 = x & y", 1, "a name was expected");
    wrong("stage = x & y", 11, "found '&'");
    wrong("stage ! x", 7, "a comparison was expected");
    wrong("3 = 3", 1, "a name was expected, found '3'");
    wrong("city = 上海 上海", 11, "found '上海'");
    wrong("not", 4, "a name was expected");
}

static void limits_hold(void **state)
{
    (void)state;
    static char words[LIMIT_AUDIENCE_BYTES + 2];
    audience_rule *rule = NULL;
    pf_error err = {0};
    memset(words, 'a', sizeof words);
    assert_int_equal(audience_parse(&rule, words, LIMIT_AUDIENCE_BYTES, &err), PF_OK);
    audience_free(rule);
    assert_int_equal(audience_parse(&rule, words, LIMIT_AUDIENCE_BYTES + 1, &err),
                     PF_LIMIT);
    size_t n = 0;
    for (unsigned i = 0; i < LIMIT_AUDIENCE_DEPTH; i++)
        words[n++] = '(';
    words[n++] = 'a';
    memset(words + n, ')', LIMIT_AUDIENCE_DEPTH);
    assert_int_equal(audience_parse(&rule, words, n + LIMIT_AUDIENCE_DEPTH, &err), PF_OK);
    audience_free(rule);
    memmove(words + 1, words, n);
    words[0] = '(';
    memset(words + n + 1, ')', LIMIT_AUDIENCE_DEPTH + 1);
    assert_int_equal(audience_parse(&rule, words, n + LIMIT_AUDIENCE_DEPTH + 2, &err),
                     PF_LIMIT);
}

/* The deepest and the longest rule that fit are answered within the test's short stack. */
static void the_heaviest_rules_are_answered(void **state)
{
    (void)state;
    static char words[LIMIT_AUDIENCE_BYTES + 1];
    audience_rule *rule = NULL;
    size_t n = 0;
    for (unsigned i = 0; i < LIMIT_AUDIENCE_DEPTH; i++, n += 17)
        memcpy(words + n, "zero or vip and (", 17);
    memcpy(words + n, "vip", 3);
    n += 3;
    memset(words + n, ')', LIMIT_AUDIENCE_DEPTH);
    n += LIMIT_AUDIENCE_DEPTH;
    assert_int_equal(audience_parse(&rule, words, n, NULL), PF_OK);
    assert_int_equal(audience_test(rule, lookup, NULL, 7), AUDIENCE_YES);
    audience_free(rule);
    for (n = 0; n + 9 <= LIMIT_AUDIENCE_BYTES; n += 9)
        memcpy(words + n, "zero  or ", 9);
    memcpy(words + n - 9, "vip      ", 9);
    assert_int_equal(audience_parse(&rule, words, n, NULL), PF_OK);
    assert_int_equal(audience_test(rule, lookup, NULL, 7), AUDIENCE_YES);
    audience_free(rule);
}

static void names_are_listed_once_each(void **state)
{
    (void)state;
    audience_rule *rule = NULL;
    static const char words[] = "a = 1 and b or a > 2 and c.d-e is known";
    assert_int_equal(audience_parse(&rule, words, sizeof words - 1, NULL), PF_OK);
    assert_int_equal(audience_name_count(rule), 3);
    assert_string_equal(audience_name(rule, 0), "a");
    assert_string_equal(audience_name(rule, 1), "b");
    assert_string_equal(audience_name(rule, 2), "c.d-e");
    assert_string_equal(audience_name(rule, 3), "");
    audience_free(rule);
    audience_free(NULL);
}

/* What is blamed, as a rule writes it; "" where the rule picks the shopper. */
static void blames(const char *words, const char *expected)
{
    audience_rule *rule = NULL;
    audience_blame blame;
    buffer b;
    buffer_init(&b, 1u << 16);
    assert_int_equal(audience_parse(&rule, words, strlen(words), NULL), PF_OK);
    if (audience_test_why(rule, lookup, NULL, 7, &blame) != AUDIENCE_YES)
        audience_describe(rule, blame.step, blame.should_hold, &b);
    assert_string_equal(b.length > 0 ? b.data : "", expected);
    audience_free(rule);
    buffer_free(&b);
}

static void the_first_comparison_in_the_way_is_blamed(void **state)
{
    (void)state;
    blames("stage = active and spend_90d > 50", "");
    blames("stage = 'lapsed'", "stage = \"lapsed\"");
    blames("stage = active and spend_90d > 62.5 and kids", "spend_90d > 62.5");
    blames("stage = lapsed or age >= 50", "stage = \"lapsed\"");
    blames("not kids", "not (kids = yes)");
    blames("vip and not (stage = active and kids)", "not (stage = \"active\")");
    blames("not (age < 18 or kids = yes)", "not (kids = yes)");
    blames("not (not (zero != 0))", "zero != 0");
    blames("income > 3", "income > 3");
    blames("not (income <= 3)", "not (income <= 3)");
    blames("vip and income is known", "income is known");
    blames("stage is unknown or band in (1, \"x\", 'a \"b\"')", "stage is unknown");
    blames("band in (1, \"x\", 'a \"b\"')", "band in (1, \"x\", 'a \"b\"')");
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    static const char words[] = "a = 1 and b in (x, 'y', 3) or not (c > 2)";
    fault f = {0};
    while (fault_next(&f)) {
        audience_rule *rule = NULL;
        pf_status s = audience_parse(&rule, words, sizeof words - 1, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
        audience_free(rule);
    }
    assert_true(f.n > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_manual_hold),
        cmocka_unit_test(texts_are_compared_without_case),
        cmocka_unit_test(numbers_have_an_order),
        cmocka_unit_test(a_text_that_reads_as_a_number_is_one),
        cmocka_unit_test(flags_read_many_ways_of_saying_yes),
        cmocka_unit_test(lists),
        cmocka_unit_test(and_binds_closer_than_or_and_not_closest),
        cmocka_unit_test(what_is_not_known_decides_nothing),
        cmocka_unit_test(mistakes_are_named_with_their_column),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(the_heaviest_rules_are_answered),
        cmocka_unit_test(names_are_listed_once_each),
        cmocka_unit_test(the_first_comparison_in_the_way_is_blamed),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
