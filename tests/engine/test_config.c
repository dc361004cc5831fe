/* Protects: what proffer.yaml may say, what it means, and how wrong files are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "engine/config.h"
#include "shop/record.h"

static config *parse_good(const char *yaml)
{
    config *c = NULL;
    pf_error err = {.code = PF_OK};
    if (config_parse(&c, yaml, strlen(yaml), "test.yaml", &err) != PF_OK)
        fail_msg("%s:%llu: %s", err.file, (unsigned long long)err.line, err.message);
    return c;
}

static void refuse(const char *yaml, const char *words)
{
    config *c = NULL;
    pf_error err = {.code = PF_OK};
    assert_int_equal(config_parse(&c, yaml, strlen(yaml), "test.yaml", &err), PF_USAGE);
    assert_null(c);
    if (strstr(err.message, words) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, words);
}

static void a_file_with_only_a_version_has_every_default(void **state)
{
    (void)state;
    config *c = parse_good("version: 1\n");
    assert_string_equal(c->shop_name, "My shop");
    assert_string_equal(c->currency.code, "USD");
    assert_string_equal(c->shop_time_zone, "UTC");
    assert_true(c->margin_rate == 0.25);
    assert_true(c->holdout == 0.1);
    assert_true(c->campaign_holdout == 0);
    assert_int_equal(c->budget_minor, MONEY_ABSENT);
    assert_int_equal(c->per_shopper, 1);
    assert_int_equal(c->store_wait_s, 30);
    assert_false(c->contact_unasked);
    assert_int_equal(c->n_channels, 1);
    assert_int_equal(c->channels[0].channel, CHANNEL_EMAIL);
    config_free(c);
}

static void amounts_are_minor_units_of_the_shops_currency(void **state)
{
    (void)state;
    config *c = parse_good("shop: {currency: JPY}\ndecide: {budget: 5000}\n");
    assert_int_equal(c->budget_minor, 5000);
    config_free(c);
    c = parse_good("shop: {currency: EUR}\ndecide: {budget: 5000.5, unknown_value: median}\n");
    assert_int_equal(c->budget_minor, 500050);
    assert_int_equal(c->unknown_value_minor, MONEY_ABSENT);
    config_free(c);
}

static void channels_carry_cost_and_weekly_cap(void **state)
{
    (void)state;
    config *c = parse_good("decide:\n  channels:\n    - {channel: sms, cost: 0.07, per_week: 1}\n"
                           "    - {channel: mail, cost: 0.45}\n");
    assert_int_equal(c->n_channels, 2);
    assert_int_equal(c->channels[0].channel, CHANNEL_SMS);
    assert_int_equal(c->channels[0].cost_minor, 7);
    assert_int_equal(c->channels[0].per_week, 1);
    assert_int_equal(c->channels[1].cost_minor, 45);
    assert_int_equal(c->channels[1].per_week, 0);
    config_free(c);
}

static void lists_of_categories_keep_their_order(void **state)
{
    (void)state;
    config *c = parse_good("recommend: {exclude: [FUEL, COUPON]}\nmessage: {sensitive: [WINE]}\n");
    assert_int_equal(c->n_exclude_categories, 2);
    assert_string_equal(c->exclude_categories[1], "COUPON");
    assert_int_equal(c->n_sensitive_categories, 1);
    config_free(c);
}

static void wrong_values_name_their_key_and_what_would_be_right(void **state)
{
    (void)state;
    refuse("decide: {margin_rate: 1.5}\n", "decide.margin_rate: '1.5' is no number between");
    refuse("decide: {margin_rate: lots}\n", "decide.margin_rate");
    refuse("decide: {holdout: -0.1}\n", "decide.holdout");
    refuse("decide: {campaign_holdout: 1}\n", "decide.campaign_holdout");
    refuse("decide: {per_shopper: 0}\n", "whole number");
    refuse("decide: {per_shopper: 1.5}\n", "whole number");
    refuse("decide: {budget: -5}\n", "negative");
    refuse("decide: {budget: 1.234}\n", "decide.budget");
    refuse("decide: {contact_unasked: perhaps}\n", "neither yes nor no");
    refuse("decide:\n  channels:\n    - {channel: pigeon}\n", "pigeon");
    refuse("decide:\n  channels:\n    - {channel: sms, per_week: many}\n", "per_week");
    refuse("decide:\n  channels:\n    - {channel: sms, cost: 1}\n    - {channel: sms}\n",
           "sms is there twice");
    refuse("shop: {language: fr}\n", "none of: en zh");
    refuse("store: {wait_s: 3601}\n", "store.wait_s: '3601' is no whole number between 0");
    refuse("shop: {currency: QQQ}\n", "ISO 4217");
    refuse("shop: {time_zone: Mars/Olympus}\n", "shop.time_zone");
    refuse("recommend: {repeats: sometimes}\n", "none of: auto allow mask");
    refuse("evaluate: {test_from: 2017-13-01}\n", "evaluate.test_from");
    refuse("evaluate: {test_from: 2017-08-01T10:00:00Z}\n", "no date");
    refuse("version: 2\n", "version");
}

static void unknown_keys_and_broken_yaml_are_refused_with_their_place(void **state)
{
    (void)state;
    refuse("decide: {margin_rat: 0.2}\n", "margin_rat");
    refuse("colour: blue\n", "colour");
    refuse("shop: 'unfinished\n", "");
    refuse("- a\n- b\n", "");
    refuse("", "empty");
    pf_error err = {.code = PF_OK};
    config *c = NULL;
    const char yaml[] = "version: 1\nshop:\n  name: x\n  nmae: y\n";
    assert_int_equal(config_parse(&c, yaml, strlen(yaml), "f.yaml", &err), PF_USAGE);
    assert_int_equal(err.line, 4);
    assert_string_equal(err.file, "f.yaml");
}

static void the_environment_goes_over_the_file(void **state)
{
    (void)state;
    char folder[] = "/tmp/proffer-config-XXXXXX";
    char path[64];
    config *c = NULL;
    pf_error err = {.code = PF_OK};
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/proffer.yaml", folder);
    assert_int_equal(file_write_atomic(path, "decide: {holdout: 0.3}\n", 23, &err), PF_OK);
    setenv("PROFFER_DECIDE_HOLDOUT", "0.2", 1);
    assert_int_equal(config_load(&c, folder, &err), PF_OK);
    unsetenv("PROFFER_DECIDE_HOLDOUT");
    assert_true(c->holdout == 0.2);
    config_free(c);
    setenv("PROFFER_DECIDE_HOLDOUT", "all", 1);
    assert_int_equal(config_load(&c, folder, &err), PF_USAGE);
    unsetenv("PROFFER_DECIDE_HOLDOUT");
    assert_int_equal(config_load(&c, folder, &err), PF_OK);
    assert_true(c->holdout == 0.3);
    config_free(c);
    remove(path);
    remove(folder);
}

static void a_folder_without_the_file_says_how_to_make_one(void **state)
{
    (void)state;
    config *c = NULL;
    pf_error err = {.code = PF_OK};
    assert_int_equal(config_load(&c, "/tmp/no-such-workspace", &err), PF_NOT_FOUND);
    assert_non_null(strstr(err.message, "proffer init"));
}

static void the_written_default_file_reads_back_as_the_defaults(void **state)
{
    (void)state;
    char *yaml = NULL;
    pf_error err = {.code = PF_OK};
    assert_int_equal(config_default_text("Bob's \"Best\" \\ Shop", "EUR", &yaml, &err), PF_OK);
    config *c = parse_good(yaml);
    assert_string_equal(c->shop_name, "Bob's \"Best\" \\ Shop");
    assert_string_equal(c->currency.code, "EUR");
    assert_true(c->margin_rate == 0.25);
    assert_int_equal(c->channels[0].per_week, 2);
    config_free(c);
    mem_free(yaml);
}

static void every_key_stands_in_the_documentation_and_in_the_written_file(void **state)
{
    (void)state;
    char *docs = NULL, *yaml = NULL;
    size_t n = 0;
    config_key k;
    pf_error err = {.code = PF_OK};
    assert_int_equal(file_read_whole(&docs, &n, PROFFER_SOURCE_DIR "/docs/configuration.md",
                                     1 << 20, &err), PF_OK);
    assert_int_equal(config_default_text("x", "USD", &yaml, &err), PF_OK);
    uint32_t count = 0;
    for (; config_describe_key(count, &k); count++) {
        char quoted[80], written[80];
        (void)snprintf(quoted, sizeof quoted, "`%s`", k.path);
        (void)snprintf(written, sizeof written, "  %s: ", strchr(k.path, '.') + 1);
        if (strstr(docs, quoted) == NULL)
            fail_msg("docs/configuration.md does not name %s", k.path);
        if (strstr(yaml, written) == NULL)
            fail_msg("the default file does not hold %s", k.path);
    }
    assert_true(count > 20);
    mem_free(docs);
    mem_free(yaml);
}

static void every_failed_allocation_is_told_and_leaks_nothing(void **state)
{
    (void)state;
    const char yaml[] = "shop: {name: x, currency: EUR}\nrecommend: {exclude: [A, B]}\n"
                        "decide:\n  channels:\n    - {channel: sms, cost: 1}\n";
    uint64_t n = 1;
    for (;; n++) {
        config *c = NULL;
        pf_error err = {.code = PF_OK};
        mem_fail_at(n);
        pf_status s = config_parse(&c, yaml, strlen(yaml), "t", &err);
        mem_fail_at(0);
        if (s == PF_OK) {
            config_free(c);
            break;
        }
        assert_null(c);
        assert_true(s == PF_NO_MEMORY || s == PF_USAGE);
        assert_true(n < 10000);
    }
    assert_true(n > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_with_only_a_version_has_every_default),
        cmocka_unit_test(amounts_are_minor_units_of_the_shops_currency),
        cmocka_unit_test(channels_carry_cost_and_weekly_cap),
        cmocka_unit_test(lists_of_categories_keep_their_order),
        cmocka_unit_test(wrong_values_name_their_key_and_what_would_be_right),
        cmocka_unit_test(unknown_keys_and_broken_yaml_are_refused_with_their_place),
        cmocka_unit_test(the_environment_goes_over_the_file),
        cmocka_unit_test(a_folder_without_the_file_says_how_to_make_one),
        cmocka_unit_test(the_written_default_file_reads_back_as_the_defaults),
        cmocka_unit_test(every_key_stands_in_the_documentation_and_in_the_written_file),
        cmocka_unit_test(every_failed_allocation_is_told_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
